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

/// Reads a path or name in either form; null is an invalid one.
pub(in crate::kernel32) fn path(
    guest: &Guest,
    width: Width,
    address: GuestWord,
) -> Result<Vec<u16>, Win32Error> {
    match width {
        Width::Narrow => ansi(guest, address.0),
        Width::Wide => wide(guest, address.0),
    }
}

/// Stores a string with its zero where it fits, and returns its length in units; else returns the room needed with the
/// zero. Narrow ones are in the code page of file functions.
pub(in crate::kernel32) fn put(
    guest: &Guest,
    width: Width,
    buffer: GuestWord,
    capacity: u32,
    text: &[u16],
) -> Result<u32, Win32Error> {
    let mut bytes: Vec<u8> = match width {
        Width::Narrow => guest.process().files.narrow(text),
        Width::Wide => text.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
    };
    let length = (bytes.len() / width.unit_bytes()) as u32;
    if buffer.is_null() || length >= capacity {
        return Ok(length + 1);
    }
    bytes.resize(bytes.len() + width.unit_bytes(), 0);
    guest.write_bytes(buffer.0, &bytes)?;
    Ok(length)
}
