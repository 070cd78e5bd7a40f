//! Delete, rename, copy; make and remove directories.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::file_path::Status;

use super::text::path;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::{security, security_memory};
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

const MOVEFILE_REPLACE_EXISTING: u32 = 1;
const MOVEFILE_COPY_ALLOWED: u32 = 2;
const MOVEFILE_DELAY_UNTIL_REBOOT: u32 = 4;

fn delete(guest: &Guest, path: &[u16]) -> Result<Bool, Win32Error> {
    let files = &guest.process().files;
    files.delete_file(&files.resolve_file(path)?)?;
    Ok(TRUE)
}

both_widths! {
    /// Deletes a file.
    "fileapi/nf-fileapi-deletefile"
    DeleteFileA, DeleteFileW(guest, width, lpFileName: GuestWord) -> Result<Bool, Win32Error> {
        delete(guest, &path(guest, width, lpFileName)?)
    }
}

fn create_directory(guest: &Guest, path: &[u16], attributes: GuestWord) -> Result<Bool, Win32Error> {
    let files = &guest.process().files;
    let descriptor = security_memory::read_attributes(guest, attributes.get())?;
    let mode = descriptor.as_ref().and_then(security::mode_of_new);
    files.create_directory(&files.resolve_file(path)?, mode)?;
    Ok(TRUE)
}

both_widths! {
    /// Makes a directory; its permission bits are those that come closest to its security descriptor.
    "fileapi/nf-fileapi-createdirectory"
    CreateDirectoryA, CreateDirectoryW(
        guest, width, lpPathName: GuestWord, lpSecurityAttributes: GuestWord
    ) -> Result<Bool, Win32Error> {
        create_directory(guest, &path(guest, width, lpPathName)?, lpSecurityAttributes)
    }
}

fn remove_directory(guest: &Guest, path: &[u16]) -> Result<Bool, Win32Error> {
    let files = &guest.process().files;
    files.remove_directory(&files.resolve_file(path)?)?;
    Ok(TRUE)
}

both_widths! {
    /// Removes an empty directory.
    "fileapi/nf-fileapi-removedirectory"
    RemoveDirectoryA, RemoveDirectoryW(guest, width, lpPathName: GuestWord) -> Result<Bool, Win32Error> {
        remove_directory(guest, &path(guest, width, lpPathName)?)
    }
}

/// Renames a file or directory as `MOVEFILE_…` say.
pub(in crate::kernel32) fn rename(
    guest: &Guest,
    from: &[u16],
    to: &[u16],
    flags: u32,
) -> Result<Bool, Win32Error> {
    if flags & MOVEFILE_DELAY_UNTIL_REBOOT != 0 {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    let files = &guest.process().files;
    let (from, to) = (files.resolve_file(from)?, files.resolve_file(to)?);
    let (replace, copy) = (flags & MOVEFILE_REPLACE_EXISTING != 0, flags & MOVEFILE_COPY_ALLOWED != 0);
    files.rename(&from, &to, replace, copy)?;
    Ok(TRUE)
}

both_widths! {
    /// Renames a file or directory.
    "winbase/nf-winbase-movefile"
    MoveFileA, MoveFileW(
        guest, width, lpExistingFileName: GuestWord, lpNewFileName: GuestWord
    ) -> Result<Bool, Win32Error> {
        let (from, to) = (path(guest, width, lpExistingFileName)?, path(guest, width, lpNewFileName)?);
        rename(guest, &from, &to, MOVEFILE_COPY_ALLOWED)
    }

    /// Renames a file or directory; may replace a file, or copy to another file system. Without a new name it deletes.
    "winbase/nf-winbase-movefileex"
    MoveFileExA, MoveFileExW(
        guest, width, lpExistingFileName: GuestWord, lpNewFileName: GuestWord, dwFlags: u32
    ) -> Result<Bool, Win32Error> {
        let (from, to) = (path(guest, width, lpExistingFileName)?, path(guest, width, lpNewFileName)?);
        rename(guest, &from, &to, dwFlags)
    }
}

fn copy(guest: &Guest, from: &[u16], to: &[u16], fail_if_exists: bool) -> Result<Bool, Win32Error> {
    let files = &guest.process().files;
    let (from, to) = (files.resolve_file(from)?, files.resolve_file(to)?);
    files.copy_file(&from, &to, fail_if_exists).map_err(|status| match status {
        NtStatus::OBJECT_NAME_COLLISION => Win32Error::FILE_EXISTS,
        other => other.to_win32(),
    })?;
    Ok(TRUE)
}

both_widths! {
    /// Copies a file.
    "winbase/nf-winbase-copyfile"
    CopyFileA, CopyFileW(
        guest, width, lpExistingFileName: GuestWord, lpNewFileName: GuestWord, bFailIfExists: Bool
    ) -> Result<Bool, Win32Error> {
        let (from, to) = (path(guest, width, lpExistingFileName)?, path(guest, width, lpNewFileName)?);
        copy(guest, &from, &to, bFailIfExists.0)
    }

    /// Copies a file, with flags.
    "winbase/nf-winbase-copyfileex"
    CopyFileExA, CopyFileExW(
        guest, width, lpExistingFileName: GuestWord, lpNewFileName: GuestWord, lpProgressRoutine: GuestWord,
        lpData: GuestWord, pbCancel: GuestWord, dwCopyFlags: u32
    ) -> Result<Bool, Win32Error> {
        /// `COPY_FILE_FAIL_IF_EXISTS`.
        const FAIL_IF_EXISTS: u32 = 1;
        let _ = (lpProgressRoutine, lpData);
        if !pbCancel.is_null() && guest.read_u32(pbCancel.0)? != 0 {
            return Err(Win32Error::REQUEST_ABORTED);
        }
        let (from, to) = (path(guest, width, lpExistingFileName)?, path(guest, width, lpNewFileName)?);
        copy(guest, &from, &to, dwCopyFlags & FAIL_IF_EXISTS != 0)
    }
}

/// Copies a file, with the flags in a structure; returns an HRESULT.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-copyfile2>
#[winapi]
pub fn CopyFile2(
    guest: &mut Guest,
    pwszExistingFileName: GuestWord,
    pwszNewFileName: GuestWord,
    pExtendedParameters: GuestWord,
) -> u32 {
    /// `HRESULT_FROM_WIN32` of code 0.
    const WIN32: u32 = 0x8007_0000;
    let (mut flags, mut cancel) = (0, GuestWord(0));
    if !pExtendedParameters.is_null() {
        let place = pExtendedParameters.0;
        let read = guest.read_u32(place + 4).and_then(|flags| Ok((flags, guest.read_word(place + 8)?)));
        let Ok((given, flag)) = read else { return WIN32 | Win32Error::NOACCESS.0 };
        (flags, cancel) = (given, GuestWord(flag));
    }
    let none = GuestWord(0);
    let done = CopyFileExW(guest, pwszExistingFileName, pwszNewFileName, none, none, cancel, flags);
    done.map_or_else(|error| WIN32 | error.0, |_| 0)
}

/// Makes a directory with the attributes and permission bits of another one.
fn directory_like(guest: &Guest, template: &[u16], new: &[u16]) -> Result<Bool, Win32Error> {
    let files = &guest.process().files;
    let template = files.locate(template)?;
    let facts = files.facts(&template)?;
    if !facts.is_directory() {
        return Err(Win32Error::DIRECTORY);
    }
    let new = files.resolve_file(new)?;
    let status = Status::of_path(&template, true).map_err(crate::nt::path::status_of)?;
    files.create_directory(&new, Some(status.mode))?;
    Ok(TRUE)
}

both_widths! {
    /// Makes a directory like another one.
    "winbase/nf-winbase-createdirectoryex"
    CreateDirectoryExA, CreateDirectoryExW(
        guest, width, lpTemplateDirectory: GuestWord, lpNewDirectory: GuestWord, lpSecurityAttributes: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = lpSecurityAttributes;
        let template = path(guest, width, lpTemplateDirectory)?;
        directory_like(guest, &template, &path(guest, width, lpNewDirectory)?)
    }

    /// Moves a file or directory; nobody is told how far it is.
    "winbase/nf-winbase-movefilewithprogress"
    MoveFileWithProgressA, MoveFileWithProgressW(
        guest, width, lpExistingFileName: GuestWord, lpNewFileName: GuestWord, lpProgressRoutine: GuestWord,
        lpData: GuestWord, dwFlags: u32
    ) -> Result<Bool, Win32Error> {
        let _ = (lpProgressRoutine, lpData);
        let (from, to) = (path(guest, width, lpExistingFileName)?, path(guest, width, lpNewFileName)?);
        rename(guest, &from, &to, dwFlags)
    }
}
