//! winbase.h: the file functions of 16-bit Windows: `_lopen` and its like, `OpenFile`. Their handles are ordinary ones.

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::names::DeleteFileA;
use super::fileapi::open::CreateFileA;
use super::fileapi::path;
use super::fileapi::transfer::{ReadFile, SetEndOfFile, SetFilePointer, WriteFile};
use super::handleapi::CloseHandle;
use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, OrMinusOne};
use crate::nt::nls::narrow;
use crate::widths::Width;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _lopen; full _lcreat; full _lread; full _lwrite; full _hread; full _hwrite; full _llseek; full _lclose;
    partial OpenFile, "files are looked for in the current folder only; no prompt";
};

const GENERIC_READ: u32 = 0x8000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
const SHARE_BOTH: u32 = 3;
const CREATE_ALWAYS: u32 = 2;
const OPEN_EXISTING: u32 = 3;

/// Returns the rights and the sharing that `OF_…` bits ask for.
fn rights(mode: u32) -> (u32, u32) {
    let access = match mode & 3 {
        0 => GENERIC_READ,
        1 => GENERIC_WRITE,
        _ => GENERIC_READ | GENERIC_WRITE,
    };
    let share = match mode & 0x70 {
        // OF_SHARE_EXCLUSIVE, OF_SHARE_DENY_WRITE, OF_SHARE_DENY_READ.
        0x10 => 0,
        0x20 => 1,
        0x30 => 2,
        _ => SHARE_BOTH,
    };
    (access, share)
}

fn open(
    guest: &mut Guest,
    name: GuestWord,
    (access, share): (u32, u32),
    disposition: u32,
    attributes: u32,
) -> Result<GuestWord, Win32Error> {
    let handle =
        CreateFileA(guest, name, access, share, GuestWord::NULL, disposition, attributes, GuestWord::NULL)?;
    Ok(GuestWord(handle.0))
}

/// Opens a file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-_lopen>
#[winapi]
pub fn _lopen(guest: &mut Guest, lpPathName: GuestWord, iReadWrite: u32) -> Result<OrMinusOne, Win32Error> {
    let handle = open(guest, lpPathName, rights(iReadWrite), OPEN_EXISTING, 0)?;
    Ok(OrMinusOne(handle.0 as u32))
}

/// Makes a file, or empties it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-_lcreat>
#[winapi]
pub fn _lcreat(guest: &mut Guest, lpPathName: GuestWord, iAttribute: u32) -> Result<OrMinusOne, Win32Error> {
    let wish = (GENERIC_READ | GENERIC_WRITE, SHARE_BOTH);
    let handle = open(guest, lpPathName, wish, CREATE_ALWAYS, iAttribute & 7)?;
    Ok(OrMinusOne(handle.0 as u32))
}

/// Runs a transfer with room for the count that it stores.
fn counted(
    guest: &mut Guest,
    transfer: impl FnOnce(&mut Guest, GuestWord) -> Result<(), Win32Error>,
) -> Result<OrMinusOne, Win32Error> {
    let room = guest.process().heaps.allocate(0, 4, true).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    let done = transfer(guest, GuestWord(room));
    let count = guest.read_u32(room);
    guest.process().heaps.free(0, room);
    done?;
    Ok(OrMinusOne(count?))
}

alike! {
    fn(guest; file: u32, buffer: GuestWord, bytes: u32) -> Result<OrMinusOne, Win32Error> {
        counted(guest, |guest, count| {
            ReadFile(guest, GuestWord(file.into()), buffer, bytes, count, GuestWord::NULL).map(|_| ())
        })
    }

    /// Reads from a file; returns how many bytes.
    "winbase/nf-winbase-_lread"
    _lread(hFile, lpBuffer, uBytes);
    /// Reads from a file; returns how many bytes.
    "winbase/nf-winbase-_hread"
    _hread(hFile, lpBuffer, lBytes);
}

alike! {
    fn(guest; file: u32, buffer: GuestWord, bytes: u32) -> Result<OrMinusOne, Win32Error> {
        let file = GuestWord(file.into());
        // Nothing to write cuts the file off where it stands.
        if bytes == 0 {
            SetEndOfFile(guest, file)?;
            return Ok(OrMinusOne(0));
        }
        counted(guest, |guest, count| WriteFile(guest, file, buffer, bytes, count, GuestWord::NULL).map(|_| ()))
    }

    /// Writes to a file; returns how many bytes.
    "winbase/nf-winbase-_lwrite"
    _lwrite(hFile, lpBuffer, uBytes);
    /// Writes to a file; returns how many bytes.
    "winbase/nf-winbase-_hwrite"
    _hwrite(hFile, lpBuffer, lBytes);
}

/// Sets a file's position; returns it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-_llseek>
#[winapi]
pub fn _llseek(guest: &mut Guest, hFile: u32, lOffset: i32, iOrigin: u32) -> Result<OrMinusOne, Win32Error> {
    SetFilePointer(guest, GuestWord(hFile.into()), lOffset, GuestWord::NULL, iOrigin)
}

/// Closes a file: 0, or -1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-_lclose>
#[winapi]
pub fn _lclose(guest: &mut Guest, hFile: u32) -> Result<OrMinusOne, Win32Error> {
    CloseHandle(guest, GuestWord(hFile.into())).map(|_| OrMinusOne(0))
}

/// What `OpenFile` does beside opening (`OF_…`).
mod style {
    pub(super) const PARSE: u32 = 0x100;
    pub(super) const DELETE: u32 = 0x200;
    pub(super) const CREATE: u32 = 0x1000;
    pub(super) const EXIST: u32 = 0x4000;
}

/// Opens, makes, looks for or deletes a file, and stores its full name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-openfile>
#[winapi]
pub fn OpenFile(
    guest: &mut Guest,
    lpFileName: GuestWord,
    lpReOpenBuff: GuestWord,
    uStyle: u32,
) -> Result<OrMinusOne, Win32Error> {
    if lpFileName.is_null() || lpReOpenBuff.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    match open_file(guest, lpFileName, lpReOpenBuff, uStyle) {
        Ok(handle) => Ok(OrMinusOne(handle)),
        Err(error) => {
            guest.write(lpReOpenBuff.0 + 2, &(error.0 as u16))?;
            Err(error)
        }
    }
}

fn open_file(guest: &mut Guest, name: GuestWord, buffer: GuestWord, style: u32) -> Result<u32, Win32Error> {
    /// `OFS_MAXPATHNAME`, and the bytes before the name in an `OFSTRUCT`: size, whether the disk is fixed, error.
    const NAME_MAX: usize = 128;
    const NAME_AT: u64 = 8;
    let full = guest.process().files.full_path(&path(guest, Width::Narrow, name)?)?;
    let mut bytes = narrow(&full);
    bytes.truncate(NAME_MAX - 1);
    bytes.push(0);
    guest.write_bytes(buffer.0, &[(NAME_AT as usize + NAME_MAX) as u8, 1, 0, 0, 0, 0, 0, 0])?;
    guest.write_bytes(buffer.0 + NAME_AT, &bytes)?;
    if style & style::PARSE != 0 {
        return Ok(0);
    }
    if style & style::DELETE != 0 {
        DeleteFileA(guest, name)?;
        return Ok(1);
    }
    let disposition = if style & style::CREATE != 0 { CREATE_ALWAYS } else { OPEN_EXISTING };
    let mut wish = rights(style);
    if style & style::CREATE != 0 {
        wish.0 = GENERIC_READ | GENERIC_WRITE;
    }
    let handle = open(guest, name, wish, disposition, 0)?;
    if style & style::EXIST != 0 {
        CloseHandle(guest, handle)?;
        return Ok(1);
    }
    Ok(handle.0 as u32)
}
