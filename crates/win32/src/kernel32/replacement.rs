//! winbase.h: files that take another's place, directories like others, what names and volumes do not do here.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::file::{File, Open};
use plat_host::file_path::Status;

use super::fileapi::names::rename;
use super::fileapi::{file, path};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, OrMinusOne, TRUE};
use crate::nt::file::access;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial ReplaceFileA, "as ReplaceFileW";
    partial ReplaceFileW, "permission bits and attributes go over, times of creation do not";
    full GetCompressedFileSizeA; full GetCompressedFileSizeW;
    full CreateDirectoryExA; full CreateDirectoryExW;
    partial MoveFileWithProgressA, "the progress routine is not called";
    partial MoveFileWithProgressW, "the progress routine is not called";
    partial SetFileShortNameA, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_SHORT_NAMES_NOT_ENABLED_ON_VOLUME";
    partial SetFileShortNameW, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_SHORT_NAMES_NOT_ENABLED_ON_VOLUME";
    partial SetVolumeLabelA, "always ERROR_ACCESS_DENIED: labels of Linux' file systems stay";
    partial SetVolumeLabelW, "always ERROR_ACCESS_DENIED: labels of Linux' file systems stay";
    partial DefineDosDeviceA, "always ERROR_ACCESS_DENIED: drives are given when a program starts";
    partial DefineDosDeviceW, "always ERROR_ACCESS_DENIED: drives are given when a program starts";
    partial SetFileValidData, "always ERROR_PRIVILEGE_NOT_HELD";
};

/// `ERROR_SHORT_NAMES_NOT_ENABLED_ON_VOLUME`.
const NO_SHORT_NAMES: Win32Error = Win32Error(305);
/// `ERROR_UNABLE_TO_MOVE_REPLACEMENT`: the replaced file still has its name.
const NOT_MOVED: Win32Error = Win32Error(1176);
/// `ERROR_UNABLE_TO_MOVE_REPLACEMENT_2`: the replaced file has the backup's name.
const NOT_MOVED_BUT_BACKED_UP: Win32Error = Win32Error(1177);
/// `SeRestorePrivilege`.
const RESTORE: u32 = 18;

/// Puts a file in another's place; what was there may be kept under a third name.
fn replace(
    guest: &Guest,
    width: Width,
    [replaced, replacement, backup]: [GuestWord; 3],
    flags: u32,
) -> Result<Bool, Win32Error> {
    /// `REPLACEFILE_WRITE_THROUGH`, `REPLACEFILE_IGNORE_MERGE_ERRORS` and `REPLACEFILE_IGNORE_ACL_ERRORS`.
    const KNOWN: u32 = 7;
    if replaced.is_null() || replacement.is_null() || flags & !KNOWN != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let files = &guest.process().files;
    let replaced = files.locate(&path(guest, width, replaced)?)?;
    let replacement = files.locate(&path(guest, width, replacement)?)?;
    let status = Status::of_path(&replaced, true).map_err(crate::nt::path::status_of)?;
    let attributes = File::open(&replaced, Open { read: true, ..Open::default() });
    let attributes = attributes.map(|file| file.dos_attributes()).unwrap_or(0);
    if !backup.is_null() {
        let backup = files.resolve_file(&path(guest, width, backup)?)?;
        files.rename(&replaced, &backup, true, false)?;
    }
    let failed = if backup.is_null() { NOT_MOVED } else { NOT_MOVED_BUT_BACKED_UP };
    files.rename(&replacement, &replaced, true, false).map_err(|status| match status.to_win32() {
        error @ Win32Error::SHARING_VIOLATION => error,
        error @ Win32Error::ACCESS_DENIED if backup.is_null() => error,
        _ => failed,
    })?;
    // The new contents have the old file's rights; Windows goes on where that fails, if it may.
    if let Ok(file) = File::open(&replaced, Open { read: true, ..Open::default() }) {
        let _ = file.set_mode(status.mode);
        let _ = file.set_dos_attributes(attributes);
    }
    Ok(TRUE)
}

/// Returns the bytes that a file takes: fewer than it has only if it has holes.
fn compressed_size(guest: &Guest, path: &[u16], high: GuestWord) -> Result<OrMinusOne, Win32Error> {
    let files = &guest.process().files;
    let facts = files.facts(&files.resolve_file(path)?)?;
    /// `FILE_ATTRIBUTE_SPARSE_FILE`.
    const SPARSE: u32 = 0x200;
    let has_holes = facts.attributes & SPARSE != 0;
    let size = if has_holes { facts.size.min(facts.allocated) } else { facts.size };
    if !high.is_null() {
        guest.write(high.0, &((size >> 32) as u32))?;
    }
    Ok(OrMinusOne(size as u32))
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
    /// Puts a file in another's place, in one step that never leaves neither.
    "winbase/nf-winbase-replacefile"
    ReplaceFileA, ReplaceFileW(
        guest, width, lpReplacedFileName: GuestWord, lpReplacementFileName: GuestWord, lpBackupFileName: GuestWord,
        dwReplaceFlags: u32, lpExclude: GuestWord, lpReserved: GuestWord
    ) -> Result<Bool, Win32Error> {
        if !lpExclude.is_null() || !lpReserved.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        replace(guest, width, [lpReplacedFileName, lpReplacementFileName, lpBackupFileName], dwReplaceFlags)
    }

    /// Returns the bytes that a file takes on the disk.
    "fileapi/nf-fileapi-getcompressedfilesize"
    GetCompressedFileSizeA, GetCompressedFileSizeW(
        guest, width, lpFileName: GuestWord, lpFileSizeHigh: GuestWord
    ) -> Result<OrMinusOne, Win32Error> {
        compressed_size(guest, &path(guest, width, lpFileName)?, lpFileSizeHigh)
    }

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

    /// Refuses to give a file a short name: those that there are are made of the long ones.
    "winbase/nf-winbase-setfileshortname"
    SetFileShortNameA, SetFileShortNameW(guest, width, hFile: GuestWord, lpShortName: GuestWord) -> Result<Bool, Win32Error> {
        let _ = (width, lpShortName);
        file(guest, hFile, 0)?;
        let may = guest.process().tokens.effective().has_privilege(RESTORE);
        Err(if may { NO_SHORT_NAMES } else { Win32Error::PRIVILEGE_NOT_HELD })
    }

    /// Refuses to name a volume.
    "winbase/nf-winbase-setvolumelabel"
    SetVolumeLabelA, SetVolumeLabelW(
        guest, width, lpRootPathName: GuestWord, lpVolumeName: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = lpVolumeName;
        if !lpRootPathName.is_null() {
            let files = &guest.process().files;
            files.locate(&path(guest, width, lpRootPathName)?)?;
        }
        Err(Win32Error::ACCESS_DENIED)
    }

    /// Refuses to make or to remove a drive.
    "winbase/nf-winbase-definedosdevice"
    DefineDosDeviceA, DefineDosDeviceW(
        guest, width, dwFlags: u32, lpDeviceName: GuestWord, lpTargetPath: GuestWord
    ) -> Result<Bool, Win32Error> {
        /// `DDD_RAW_TARGET_PATH` to `DDD_LUID_BROADCAST_DRIVE`.
        const KNOWN: u32 = 0x1f;
        let _ = (guest, width, lpTargetPath);
        let is_wrong = lpDeviceName.is_null() || dwFlags & !KNOWN != 0;
        Err(if is_wrong { Win32Error::INVALID_PARAMETER } else { Win32Error::ACCESS_DENIED })
    }
}

/// Refuses to show what a disk had where a file has nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilevaliddata>
#[winapi]
pub fn SetFileValidData(
    guest: &mut Guest,
    hFile: GuestWord,
    ValidDataLength: i64,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hFile, access::WRITE_DATA)?;
    let size = file.facts()?.size;
    let fits = u64::try_from(ValidDataLength).is_ok_and(|length| length <= size);
    Err(if fits { Win32Error::PRIVILEGE_NOT_HELD } else { Win32Error::INVALID_PARAMETER })
}
