//! Strings in and out of the file functions, wide and in the code page of `...A` functions.

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::guest::Guest;
use crate::widths::Width;

/// Reads a wide path or name; null is an invalid one.
pub(in crate::kernel32) fn wide(guest: &Guest, address: u64) -> Result<Vec<u16>, Win32Error> {
    if address == 0 {
        return Err(Win32Error::PATH_NOT_FOUND);
    }
    Ok(guest.read_wide_string(address)?)
}

/// Reads a path or name in the code page of file functions.
pub(in crate::kernel32) fn ansi(guest: &Guest, address: u64) -> Result<Vec<u16>, Win32Error> {
    if address == 0 {
        return Err(Win32Error::PATH_NOT_FOUND);
    }
    let bytes = guest.read_c_string(address)?;
    Ok(guest.process().files.widen(&bytes))
}

/// Stores a string with its zero where it fits, and returns its length; else returns the room needed with the zero.
pub(in crate::kernel32) fn put_wide(
    guest: &Guest,
    buffer: u64,
    capacity: u32,
    text: &[u16],
) -> Result<u32, Win32Error> {
    if buffer == 0 || text.len() >= capacity as usize {
        return Ok(text.len() as u32 + 1);
    }
    guest.write_wide(buffer, &[text, &[0]].concat())?;
    Ok(text.len() as u32)
}

/// As [`put_wide`], in the code page of file functions; lengths are in bytes.
pub(in crate::kernel32) fn put_ansi(
    guest: &Guest,
    buffer: u64,
    capacity: u32,
    text: &[u16],
) -> Result<u32, Win32Error> {
    let mut bytes = guest.process().files.narrow(text);
    if buffer == 0 || bytes.len() >= capacity as usize {
        return Ok(bytes.len() as u32 + 1);
    }
    bytes.push(0);
    guest.write_bytes(buffer, &bytes)?;
    Ok(bytes.len() as u32 - 1)
}

/// As [`put_wide`] or [`put_ansi`].
pub(in crate::kernel32) fn put(
    guest: &Guest,
    width: Width,
    (buffer, capacity): (GuestWord, u32),
    text: &[u16],
) -> Result<u32, Win32Error> {
    match width {
        Width::Narrow => put_ansi(guest, buffer.0, capacity, text),
        Width::Wide => put_wide(guest, buffer.0, capacity, text),
    }
}
