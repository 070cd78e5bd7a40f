//! winbase.h: changes in directories.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::file_path::{Kind, Status};

use super::fileapi::file;
use super::fileapi::transfer::{begin, completion_routine};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::nt::change_notification::ChangeNotification;
use crate::nt::file::access;
use crate::nt::handle::HandleFlags;
use crate::nt::path::status_of;
use crate::nt::pipe_transfer::Work;
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full FindCloseChangeNotification;
    full FindFirstChangeNotificationA;
    full FindFirstChangeNotificationW;
    full FindNextChangeNotification;
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
            Ok(_) | Err(NtStatus::PENDING) => Ok(TRUE),
            Err(status) => Err(status.into()),
        };
    }
    let told = directory.await_changes(buffer, length)?;
    guest.write(lpBytesReturned.0, &(told as u32))?;
    Ok(TRUE)
}

/// `SYNCHRONIZE` and `FILE_LIST_DIRECTORY`.
const NOTIFICATION_ACCESS: u32 = 0x10_0001;

both_widths! {
    /// Watches a directory: the handle is signalled when something changes in it.
    "fileapi/nf-fileapi-findfirstchangenotification"
    FindFirstChangeNotificationA, FindFirstChangeNotificationW(
        guest, width, lpPathName: GuestWord, bWatchSubtree: Bool, dwNotifyFilter: u32
    ) -> Result<HandleOrInvalid, Win32Error> {
        let process = guest.process();
        let root = process.files.locate(&width.read(guest, lpPathName)?)?;
        if Status::of_path(&root, true).map_err(status_of)?.kind != Kind::Directory {
            return Err(NtStatus::NOT_A_DIRECTORY.into());
        }
        let notification = ChangeNotification::begin(root, dwNotifyFilter, bWatchSubtree.0)?;
        let handle = process.handles.insert(notification, NOTIFICATION_ACCESS, HandleFlags::empty());
        Ok(HandleOrInvalid(handle))
    }
}

/// Waits for the next change of a directory that is watched.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findnextchangenotification>
#[winapi]
pub fn FindNextChangeNotification(guest: &mut Guest, hChangeHandle: GuestWord) -> Result<Bool, Win32Error> {
    guest.process().handles.get::<ChangeNotification>(hChangeHandle.0)?.go_on()?;
    Ok(TRUE)
}

/// Ends the watch of a directory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findclosechangenotification>
#[winapi]
pub fn FindCloseChangeNotification(guest: &mut Guest, hChangeHandle: GuestWord) -> Result<Bool, Win32Error> {
    let handles = &guest.process().handles;
    handles.get::<ChangeNotification>(hChangeHandle.0)?;
    drop(handles.close(hChangeHandle.0)?);
    Ok(TRUE)
}
