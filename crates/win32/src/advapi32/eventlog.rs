//! winbase.h: the event log. There is none: sources and logs can be opened, events that are reported are not kept, and
//! there are none to read.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::account;
use crate::nt::handle::HandleFlags;
use crate::nt::object::{Object, ObjectKind};
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CloseEventLog;
    partial ClearEventLogA, "the log is always empty; no copy is made of it";
    partial ClearEventLogW, "the log is always empty; no copy is made of it";
    full DeregisterEventSource;
    partial GetNumberOfEventLogRecords, "the log is always empty";
    partial GetOldestEventLogRecord, "the log is always empty";
    partial NotifyChangeEventLog, "the log never changes";
    partial OpenEventLogA, "the log is always empty";
    partial OpenEventLogW, "the log is always empty";
    partial ReadEventLogA, "the log is always empty";
    partial ReadEventLogW, "the log is always empty";
    full RegisterEventSourceA;
    full RegisterEventSourceW;
    partial ReportEventA, "events are not kept";
    partial ReportEventW, "events are not kept";
};

/// An open log, or a source of events for it.
struct EventLog;

impl Object for EventLog {
    fn kind(&self) -> ObjectKind {
        ObjectKind::EventLog
    }
}

fn open(guest: &Guest, server: &[u16], name: GuestWord) -> Result<GuestWord, Win32Error> {
    /// `KEY_READ`-like rights of a log: read and write.
    const ACCESS: u32 = 3;
    if name.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if !account::is_own_machine(server) {
        return Err(Win32Error::RPC_S_SERVER_UNAVAILABLE);
    }
    Ok(GuestWord(guest.process().handles.insert(Arc::new(EventLog), ACCESS, HandleFlags::empty())))
}

fn check(guest: &Guest, log: GuestWord) -> Result<Bool, Win32Error> {
    guest.object::<EventLog>(log)?;
    Ok(TRUE)
}

fn close(guest: &Guest, log: GuestWord) -> Result<Bool, Win32Error> {
    check(guest, log)?;
    guest.process().handles.close(log.get()).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}

both_widths! {
    /// Opens a source of events for a log of this machine.
    "winbase/nf-winbase-registereventsource"
    RegisterEventSourceA, RegisterEventSourceW(
        guest, width, lpUNCServerName: GuestWord, lpSourceName: GuestWord,
    ) -> Result<GuestWord, Win32Error> {
        let server = width.read(guest, lpUNCServerName)?;
        open(guest, &server, lpSourceName)
    }

    /// Opens a log of this machine.
    "winbase/nf-winbase-openeventlog"
    OpenEventLogA, OpenEventLogW(
        guest, width, lpUNCServerName: GuestWord, lpSourceName: GuestWord,
    ) -> Result<GuestWord, Win32Error> {
        let server = width.read(guest, lpUNCServerName)?;
        open(guest, &server, lpSourceName)
    }

    /// Reports an event.
    "winbase/nf-winbase-reportevent"
    ReportEventA, ReportEventW(
        guest, width, hEventLog: GuestWord, wType: u16, wCategory: u16, dwEventID: u32, lpUserSid: GuestWord,
        wNumStrings: u16, dwDataSize: u32, lpStrings: GuestWord, lpRawData: GuestWord,
    ) -> Result<Bool, Win32Error> {
        let _ = (wType, wCategory, dwEventID, lpUserSid, dwDataSize, lpRawData);
        check(guest, hEventLog)?;
        let step = guest.machine().pointer_size();
        for index in 0..u64::from(wNumStrings) {
            let text = guest.read_word(lpStrings.get() + index * step)?;
            width.read(guest, GuestWord(text))?;
        }
        Ok(TRUE)
    }

    /// Reads events: there are none.
    "winbase/nf-winbase-readeventlog"
    ReadEventLogA, ReadEventLogW(
        guest, width, hEventLog: GuestWord, dwReadFlags: u32, dwRecordOffset: u32, lpBuffer: GuestWord,
        nNumberOfBytesToRead: u32, pnBytesRead: GuestWord, pnMinNumberOfBytesNeeded: GuestWord,
    ) -> Result<Bool, Win32Error> {
        let _ = (width, dwReadFlags, dwRecordOffset, lpBuffer, nNumberOfBytesToRead);
        check(guest, hEventLog)?;
        guest.write(pnBytesRead.get(), &0_u32)?;
        guest.write(pnMinNumberOfBytesNeeded.get(), &0_u32)?;
        Err(Win32Error::HANDLE_EOF)
    }

    /// Empties a log.
    "winbase/nf-winbase-cleareventlog"
    ClearEventLogA, ClearEventLogW(
        guest, width, hEventLog: GuestWord, lpBackupFileName: GuestWord,
    ) -> Result<Bool, Win32Error> {
        width.read(guest, lpBackupFileName)?;
        check(guest, hEventLog)
    }
}

/// Closes a source of events.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-deregistereventsource>
#[winapi]
pub fn DeregisterEventSource(guest: &mut Guest, hEventLog: GuestWord) -> Result<Bool, Win32Error> {
    close(guest, hEventLog)
}

/// Closes a log.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-closeeventlog>
#[winapi]
pub fn CloseEventLog(guest: &mut Guest, hEventLog: GuestWord) -> Result<Bool, Win32Error> {
    close(guest, hEventLog)
}

/// Stores how many events a log has.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnumberofeventlogrecords>
#[winapi]
pub fn GetNumberOfEventLogRecords(
    guest: &mut Guest,
    hEventLog: GuestWord,
    NumberOfRecords: GuestWord,
) -> Result<Bool, Win32Error> {
    check(guest, hEventLog)?;
    guest.write(NumberOfRecords.get(), &0_u32)?;
    Ok(TRUE)
}

/// Stores the number of a log's oldest event: 0, since there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getoldesteventlogrecord>
#[winapi]
pub fn GetOldestEventLogRecord(
    guest: &mut Guest,
    hEventLog: GuestWord,
    OldestRecord: GuestWord,
) -> Result<Bool, Win32Error> {
    GetNumberOfEventLogRecords(guest, hEventLog, OldestRecord)
}

/// Asks for an event object to be set when a log changes, which it never does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-notifychangeeventlog>
#[winapi]
pub fn NotifyChangeEventLog(
    guest: &mut Guest,
    hEventLog: GuestWord,
    hEvent: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<crate::nt::event::Event>(hEvent)?;
    check(guest, hEventLog)
}
