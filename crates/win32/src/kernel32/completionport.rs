//! ioapiset.h: I/O completion ports.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::file;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::completion_port::{CompletionPort, Packet};
use crate::nt::handle::HandleFlags;
use crate::nt::wait::{self, WaitFor};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CreateIoCompletionPort;
    full GetQueuedCompletionStatus;
    full GetQueuedCompletionStatusEx;
    full PostQueuedCompletionStatus;
    full SetFileCompletionNotificationModes;
};

const IO_COMPLETION_ALL_ACCESS: u32 = 0x1f_0003;
const WAIT_TIMEOUT: u32 = 258;
const WAIT_IO_COMPLETION: u32 = 192;

/// Makes a completion port, adds a file to one, or both.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/createiocompletionport>
#[winapi]
pub fn CreateIoCompletionPort(
    guest: &mut Guest,
    FileHandle: GuestWord,
    ExistingCompletionPort: GuestWord,
    CompletionKey: GuestWord,
    NumberOfConcurrentThreads: u32,
) -> Result<GuestWord, Win32Error> {
    let _ = NumberOfConcurrentThreads;
    let handles = &guest.process().handles;
    let none = if guest.machine().is_64() { u64::MAX } else { 0xffff_ffff };
    let file = if FileHandle.0 == none { None } else { Some(file(guest, FileHandle, 0)?) };
    if file.is_none() && !ExistingCompletionPort.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let port: Arc<CompletionPort> = match ExistingCompletionPort.0 {
        0 => CompletionPort::new(),
        existing => handles.get(existing)?,
    };
    if let Some(file) = file {
        // Only files for overlapped transfers, and each to one port.
        let fresh = file.traits.overlapped && file.transfers.set_port(&port, CompletionKey.0);
        if !fresh {
            return Err(Win32Error::INVALID_PARAMETER);
        }
    }
    if !ExistingCompletionPort.is_null() {
        return Ok(ExistingCompletionPort);
    }
    Ok(GuestWord(handles.insert(port, IO_COMPLETION_ALL_ACCESS, HandleFlags::empty())))
}

/// Waits for packets and takes up to `most`.
fn take(
    guest: &mut Guest,
    port: GuestWord,
    most: usize,
    (milliseconds, alertable): (u32, bool),
) -> Result<Vec<Packet>, Win32Error> {
    let port: Arc<CompletionPort> = guest.process().handles.get(port.0)?;
    let deadline = wait::deadline_of_milliseconds(milliseconds);
    loop {
        let packets = port.take(most);
        if !packets.is_empty() {
            return Ok(packets);
        }
        // Another thread may take the packet that ended the wait.
        let objects: [crate::nt::object::ObjectRef; 1] = [port.clone()];
        match wait::wait_as_guest(guest, &objects, WaitFor { all: false, alertable, deadline })? {
            NtStatus::TIMEOUT => return Err(Win32Error(WAIT_TIMEOUT)),
            NtStatus::USER_APC => return Err(Win32Error(WAIT_IO_COMPLETION)),
            _ => {}
        }
    }
}

/// Waits for a packet; a failed transfer is told by a failure with its OVERLAPPED.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus>
#[winapi]
pub fn GetQueuedCompletionStatus(
    guest: &mut Guest,
    CompletionPort: GuestWord,
    lpNumberOfBytesTransferred: GuestWord,
    lpCompletionKey: GuestWord,
    lpOverlapped: GuestWord,
    dwMilliseconds: u32,
) -> Result<Bool, Win32Error> {
    guest.write_word(lpOverlapped.0, 0)?;
    let packets = take(guest, CompletionPort, 1, (dwMilliseconds, false))?;
    let packet = packets.first().ok_or(Win32Error(WAIT_TIMEOUT))?;
    guest.write(lpNumberOfBytesTransferred.0, &(packet.moved as u32))?;
    guest.write_word(lpCompletionKey.0, packet.key)?;
    guest.write_word(lpOverlapped.0, packet.overlapped)?;
    let status = NtStatus(packet.status);
    if status.is_success() { Ok(TRUE) } else { Err(status.to_win32()) }
}

/// Waits for packets and takes several at once.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/getqueuedcompletionstatusex-func>
#[winapi]
pub fn GetQueuedCompletionStatusEx(
    guest: &mut Guest,
    CompletionPort: GuestWord,
    lpCompletionPortEntries: GuestWord,
    ulCount: u32,
    ulNumEntriesRemoved: GuestWord,
    dwMilliseconds: u32,
    fAlertable: Bool,
) -> Result<Bool, Win32Error> {
    if ulCount == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let packets = take(guest, CompletionPort, ulCount as usize, (dwMilliseconds, fAlertable.0))?;
    let word = guest.machine().pointer_size();
    for (index, packet) in packets.iter().enumerate() {
        // OVERLAPPED_ENTRY: key, OVERLAPPED, status, bytes.
        let entry = lpCompletionPortEntries.0 + index as u64 * 4 * word;
        guest.write_word(entry, packet.key)?;
        guest.write_word(entry + word, packet.overlapped)?;
        guest.write_word(entry + 2 * word, u64::from(packet.status))?;
        guest.write(entry + 3 * word, &(packet.moved as u32))?;
    }
    guest.write(ulNumEntriesRemoved.0, &(packets.len() as u32))?;
    Ok(TRUE)
}

/// Puts a packet of the program's own into the queue.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/postqueuedcompletionstatus>
#[winapi]
pub fn PostQueuedCompletionStatus(
    guest: &mut Guest,
    CompletionPort: GuestWord,
    dwNumberOfBytesTransferred: u32,
    dwCompletionKey: GuestWord,
    lpOverlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    let port: Arc<CompletionPort> = guest.process().handles.get(CompletionPort.0)?;
    port.post(Packet {
        key: dwCompletionKey.0,
        overlapped: lpOverlapped.0,
        status: 0,
        moved: u64::from(dwNumberOfBytesTransferred),
    });
    Ok(TRUE)
}

/// Sets whether transfers that are complete at once are told by the port, too.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes>
#[winapi]
pub fn SetFileCompletionNotificationModes(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Flags: u8,
) -> Result<Bool, Win32Error> {
    file(guest, FileHandle, 0)?.transfers.set_modes(Flags);
    Ok(TRUE)
}
