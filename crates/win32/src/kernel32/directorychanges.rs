//! winbase.h: changes in directories.

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::file;
use super::fileapi::transfer::{begin, completion_routine};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::file::access;
use crate::nt::pipe_transfer::Work;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full ReadDirectoryChangesW;
};

/// Tells what happened in a directory since the last call on its handle, or waits for something to happen.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-readdirectorychangesw>
#[winapi]
pub fn ReadDirectoryChangesW(
    guest: &mut Guest,
    hDirectory: GuestWord,
    lpBuffer: GuestWord,
    nBufferLength: u32,
    bWatchSubtree: Bool,
    dwNotifyFilter: u32,
    lpBytesReturned: GuestWord,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Result<Bool, Win32Error> {
    let directory = file(guest, hDirectory, access::READ_DATA)?;
    directory.watch_directory(dwNotifyFilter, bWatchSubtree.0)?;
    let (buffer, length) = (lpBuffer.0, u64::from(nBufferLength));
    if directory.traits.overlapped && !lpOverlapped.is_null() {
        let routine =
            if lpCompletionRoutine.is_null() { None } else { completion_routine(lpCompletionRoutine) };
        let whom = (GuestWord::NULL, lpOverlapped, routine);
        return match begin(guest, &directory, whom, Work::Changes { buffer, length }) {
            // The call is a success when the transfer goes on.
            Ok(_) | Err(crate::NtStatus::PENDING) => Ok(TRUE),
            Err(status) => Err(status.into()),
        };
    }
    let told = directory.await_changes(buffer, length)?;
    guest.write(lpBytesReturned.0, &(told as u32))?;
    Ok(TRUE)
}
