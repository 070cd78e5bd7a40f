//! namedpipeapi.h: pipes.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::file::File;

use super::fileapi::file;
use super::fileapi::open::inherit_flags;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::file::{FileKind, FileObject, access};
use crate::nt::path::status_of;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CreatePipe;
    full PeekNamedPipe;
};

/// Makes a pipe without a name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-createpipe>
#[winapi]
pub fn CreatePipe(
    guest: &mut Guest,
    hReadPipe: GuestWord,
    hWritePipe: GuestWord,
    lpPipeAttributes: GuestWord,
    nSize: u32,
) -> Result<Bool, Win32Error> {
    let _ = nSize;
    let flags = inherit_flags(guest, lpPipeAttributes)?;
    let (read, write) = File::pipe().map_err(status_of)?;
    let ends = [(read, access::FILE_READ, hReadPipe), (write, access::FILE_WRITE, hWritePipe)];
    for (end, granted, place) in ends {
        let object = FileObject::of_descriptor(end)?;
        let handle = guest.process().handles.insert(Arc::new(object), granted, flags);
        guest.write_word(place.0, handle)?;
    }
    Ok(TRUE)
}

/// Looks into a pipe without taking anything out.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-peeknamedpipe>
#[winapi]
pub fn PeekNamedPipe(
    guest: &mut Guest,
    hNamedPipe: GuestWord,
    lpBuffer: GuestWord,
    nBufferSize: u32,
    lpBytesRead: GuestWord,
    lpTotalBytesAvail: GuestWord,
    lpBytesLeftThisMessage: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hNamedPipe, access::READ_DATA)?;
    if file.kind != FileKind::Pipe {
        return Err(Win32Error::INVALID_FUNCTION);
    }
    let available = file.available()?;
    let message = if file.pipe_end().is_ok() { file.look_into(0)?.1 } else { 0 };
    let mut seen = Vec::new();
    if !lpBuffer.is_null() && nBufferSize != 0 {
        seen = file.peek(nBufferSize as usize)?;
        guest.write_bytes(lpBuffer.0, &seen)?;
    }
    let left = message.saturating_sub(seen.len() as u64);
    let words =
        [(lpBytesRead, seen.len() as u64), (lpTotalBytesAvail, available), (lpBytesLeftThisMessage, left)];
    for (place, value) in words.into_iter().filter(|pair| !pair.0.is_null()) {
        guest.write_bytes(place.0, &(value as u32).to_le_bytes())?;
    }
    Ok(TRUE)
}
