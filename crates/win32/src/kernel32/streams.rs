//! fileapi.h: the streams of a file. Linux's files have one, of their data.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::path;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid};
use crate::nt::file_find::{Enumeration, FindObject};
use crate::nt::handle::HandleFlags;
use crate::widths::Width;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full FindFirstStreamW;
    full FindNextStreamW;
};

/// The size of the name in `WIN32_FIND_STREAM_DATA`, in units.
const NAME_UNITS: usize = 296;

/// Begins to enumerate the streams of a file: `::$DATA` for what is no directory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findfirststreamw>
#[winapi]
pub fn FindFirstStreamW(
    guest: &mut Guest,
    lpFileName: GuestWord,
    InfoLevel: u32,
    lpFindStreamData: GuestWord,
    dwFlags: u32,
) -> Result<HandleOrInvalid, Win32Error> {
    /// `FILE_ATTRIBUTE_DIRECTORY`.
    const DIRECTORY: u32 = 0x10;
    if InfoLevel != 0 || dwFlags != 0 || lpFindStreamData.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let name = path(guest, Width::Wide, lpFileName)?;
    let process = guest.process();
    let found = process.files.find_existing(&process.files.resolve_file(&name)?)?;
    let facts = process.files.facts(&found)?;
    if facts.attributes & DIRECTORY != 0 {
        return Err(Win32Error::HANDLE_EOF);
    }
    let mut bytes = facts.size.to_le_bytes().to_vec();
    bytes.extend("::$DATA".encode_utf16().flat_map(u16::to_le_bytes));
    bytes.resize(8 + 2 * NAME_UNITS, 0);
    guest.write_bytes(lpFindStreamData.get(), &bytes)?;
    let object = Arc::new(FindObject { rest: Mutex::new(Enumeration::empty()) });
    Ok(HandleOrInvalid(process.handles.insert(object, 0, HandleFlags::empty())))
}

/// Says that there is no further stream.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findnextstreamw>
#[winapi]
pub fn FindNextStreamW(
    guest: &mut Guest,
    hFindStream: GuestWord,
    lpFindStreamData: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpFindStreamData;
    guest.process().handles.get::<FindObject>(hFindStream.get())?;
    Err(Win32Error::HANDLE_EOF)
}
