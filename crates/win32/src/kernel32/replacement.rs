//! winbase.h: files that take another's place.

use plat_abi::GuestWord;
use plat_host::file::{File, Open};
use plat_host::file_path::Status;

use super::fileapi::path;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial ReplaceFileA, "as ReplaceFileW";
    partial ReplaceFileW, "permission bits and attributes go over, times of creation do not";
};

/// `ERROR_UNABLE_TO_MOVE_REPLACEMENT`: the replaced file still has its name.
const NOT_MOVED: Win32Error = Win32Error(1176);
/// `ERROR_UNABLE_TO_MOVE_REPLACEMENT_2`: the replaced file has the backup's name.
const NOT_MOVED_BUT_BACKED_UP: Win32Error = Win32Error(1177);

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
}
