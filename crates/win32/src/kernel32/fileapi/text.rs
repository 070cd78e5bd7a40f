//! Strings in and out of the file functions, wide and in the code page of `...A` functions.

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::guest::Guest;
use crate::widths::Width;

/// Reads a path or name, wide or in the code page of file functions; null is an invalid one.
pub(in crate::kernel32) fn path(
    guest: &Guest,
    width: Width,
    address: GuestWord,
) -> Result<Vec<u16>, Win32Error> {
    match width {
        _ if address.is_null() => Err(Win32Error::PATH_NOT_FOUND),
        Width::Narrow => Ok(guest.process().files.widen(&guest.read_c_string(address.0)?)),
        Width::Wide => Ok(guest.read_wide_string(address.0)?),
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
