//! libloaderapi.h, winbase.h: the folders that are searched for DLLs.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full AddDllDirectory;
    full GetDllDirectoryA;
    full GetDllDirectoryW;
    full RemoveDllDirectory;
    full SetDefaultDllDirectories;
    full SetDllDirectoryA;
    full SetDllDirectoryW;
};

both_widths! {
    /// Sets a folder that is searched for DLLs after the program's, in the place of the current directory.
    "winbase/nf-winbase-setdlldirectory"
    SetDllDirectoryA, SetDllDirectoryW(guest, width, lpPathName: GuestWord) -> Result<Bool, Win32Error> {
        let folder = width.read(guest, lpPathName)?;
        if folder.contains(&u16::from(b';')) {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        guest.process().dll_folders.set((!lpPathName.is_null()).then_some(folder));
        Ok(TRUE)
    }

    /// Returns the folder that was set; its length without the zero, or with it when the buffer is too small.
    "winbase/nf-winbase-getdlldirectory"
    GetDllDirectoryA, GetDllDirectoryW(
        guest, width, nBufferLength: u32, lpBuffer: GuestWord,
    ) -> Result<u32, Win32Error> {
        let folder = guest.process().dll_folders.get().unwrap_or_default();
        let units = (width.bytes(&folder).len() / width.unit_bytes()) as u32;
        if nBufferLength < units {
            // The first character says that there is no text.
            if nBufferLength != 0 {
                width.write(guest, lpBuffer, &[])?;
            }
            return Ok(units);
        }
        width.write(guest, lpBuffer, &folder)?;
        if units == 1 {
            guest.set_last_error(Win32Error::SUCCESS);
        }
        Ok(units - 1)
    }
}

/// Adds a folder to those that loads with `LOAD_LIBRARY_SEARCH_USER_DIRS` search; returns what takes it away again.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-adddlldirectory>
#[winapi]
pub fn AddDllDirectory(guest: &mut Guest, NewDirectory: GuestWord) -> Result<GuestWord, Win32Error> {
    let folder = guest.read_wide_string(NewDirectory.get())?;
    let backslash = u16::from(b'\\');
    let is_full = folder.get(1) == Some(&u16::from(b':')) || folder.starts_with(&[backslash, backslash]);
    if !is_full {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.process().files.locate(&folder)?;
    Ok(GuestWord(guest.process().dll_folders.add(folder)))
}

/// Takes a folder away that was added.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-removedlldirectory>
#[winapi]
pub fn RemoveDllDirectory(guest: &mut Guest, Cookie: GuestWord) -> Result<Bool, Win32Error> {
    let is_gone = guest.process().dll_folders.remove(Cookie.get());
    if is_gone { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Sets which folders are searched for DLLs that are loaded without flags.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-setdefaultdlldirectories>
#[winapi]
pub fn SetDefaultDllDirectories(guest: &mut Guest, DirectoryFlags: u32) -> Result<Bool, Win32Error> {
    guest.process().dll_folders.set_default(DirectoryFlags)?;
    Ok(TRUE)
}
