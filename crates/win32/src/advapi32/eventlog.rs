//! winbase.h: the event log. No such service runs, which Windows' functions can say: a program that writes to the log
//! learns that nobody does, and goes on.

use plat_abi::GuestWord;

use super::refuse::{NOT_RUNNING, refuse};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Bool;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial RegisterEventSourceA, "no event log service runs"; partial RegisterEventSourceW, "no event log service runs";
    partial DeregisterEventSource, "no event log service runs";
    partial ReportEventA, "no event log service runs"; partial ReportEventW, "no event log service runs";
    partial OpenEventLogA, "no event log service runs"; partial OpenEventLogW, "no event log service runs";
    partial CloseEventLog, "no event log service runs";
    partial ReadEventLogA, "no event log service runs"; partial ReadEventLogW, "no event log service runs";
    partial ClearEventLogA, "no event log service runs"; partial ClearEventLogW, "no event log service runs";
    partial GetNumberOfEventLogRecords, "no event log service runs";
    partial GetOldestEventLogRecord, "no event log service runs";
    partial NotifyChangeEventLog, "no event log service runs";
};

/// There are no handles of logs.
const NO_HANDLE: Win32Error = Win32Error::INVALID_HANDLE;

refuse! {
    "Connects with the log as a source of events.", "winbase/nf-winbase-registereventsource";
    RegisterEventSourceA, RegisterEventSourceW(lpUNCServerName: GuestWord, lpSourceName: GuestWord) -> GuestWord, NOT_RUNNING;
    "Closes a source.", "winbase/nf-winbase-deregistereventsource";
    DeregisterEventSource(hEventLog: GuestWord) -> Bool, NO_HANDLE;
    "Writes an event.", "winbase/nf-winbase-reportevent";
    ReportEventA, ReportEventW(
        hEventLog: GuestWord, wType: u16, wCategory: u16, dwEventID: u32, lpUserSid: GuestWord, wNumStrings: u16,
        dwDataSize: u32, lpStrings: GuestWord, lpRawData: GuestWord
    ) -> Bool, NO_HANDLE;
    "Opens a log.", "winbase/nf-winbase-openeventlog";
    OpenEventLogA, OpenEventLogW(lpUNCServerName: GuestWord, lpSourceName: GuestWord) -> GuestWord, NOT_RUNNING;
    "Closes a log.", "winbase/nf-winbase-closeeventlog";
    CloseEventLog(hEventLog: GuestWord) -> Bool, NO_HANDLE;
    "Reads events.", "winbase/nf-winbase-readeventlog";
    ReadEventLogA, ReadEventLogW(
        hEventLog: GuestWord, dwReadFlags: u32, dwRecordOffset: u32, lpBuffer: GuestWord, nNumberOfBytesToRead: u32,
        pnBytesRead: GuestWord, pnMinNumberOfBytesNeeded: GuestWord
    ) -> Bool, NO_HANDLE;
    "Empties a log.", "winbase/nf-winbase-cleareventlog";
    ClearEventLogA, ClearEventLogW(hEventLog: GuestWord, lpBackupFileName: GuestWord) -> Bool, NO_HANDLE;
    "Stores how many events there are.", "winbase/nf-winbase-getnumberofeventlogrecords";
    GetNumberOfEventLogRecords(hEventLog: GuestWord, NumberOfRecords: GuestWord) -> Bool, NO_HANDLE;
    "Stores the number of the oldest event.", "winbase/nf-winbase-getoldesteventlogrecord";
    GetOldestEventLogRecord(hEventLog: GuestWord, OldestRecord: GuestWord) -> Bool, NO_HANDLE;
    "Has an event set at each write.", "winbase/nf-winbase-notifychangeeventlog";
    NotifyChangeEventLog(hEventLog: GuestWord, hEvent: GuestWord) -> Bool, NO_HANDLE;
}
