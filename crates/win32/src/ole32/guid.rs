//! combaseapi.h: identifiers of 128 bits, and their text `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::guid::{Guid, from_text, to_text};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CoCreateGuid;
    full StringFromGUID2;
    full CLSIDFromString;
    full IIDFromString;
};

/// `S_OK`.
const OK: i32 = 0;
/// `CO_E_CLASSSTRING`.
const BAD_CLASS_TEXT: i32 = 0x8004_01f3_u32 as i32;
/// `E_INVALIDARG`.
const INVALID_ARGUMENT: i32 = 0x8007_0057_u32 as i32;
/// Characters of the text, its zero included.
const TEXT_UNITS: usize = 39;
/// Makes a new identifier: random, version 4.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cocreateguid>
#[winapi]
pub fn CoCreateGuid(guest: &mut Guest, pguid: GuestWord) -> Result<i32, Fault> {
    let mut bytes = [0; 16];
    if pguid.is_null() || plat_host::random::fill(&mut bytes).is_err() {
        return Ok(INVALID_ARGUMENT);
    }
    bytes[7] = bytes[7] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    guest.write_bytes(pguid.get(), &bytes)?;
    Ok(OK)
}

/// Writes an identifier's text; returns its length with the zero, or 0 when it does not fit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-stringfromguid2>
#[winapi]
pub fn StringFromGUID2(
    guest: &mut Guest,
    rguid: GuestWord,
    lpsz: GuestWord,
    cchMax: i32,
) -> Result<i32, Fault> {
    let identifier: Guid = guest.read(rguid.get())?;
    if cchMax < TEXT_UNITS as i32 {
        return Ok(0);
    }
    let text: Vec<u16> = to_text(&identifier).encode_utf16().chain([0]).collect();
    guest.write_wide(lpsz.get(), &text)?;
    Ok(TEXT_UNITS as i32)
}

fn parse(guest: &Guest, text: GuestWord, into: GuestWord) -> Result<i32, Fault> {
    if into.is_null() {
        return Ok(INVALID_ARGUMENT);
    }
    let parsed = match text.is_null() {
        true => Some([0; 16]),
        false => from_text(&String::from_utf16_lossy(&guest.read_wide_string(text.get())?)),
    };
    guest.write_bytes(into.get(), &parsed.unwrap_or_default())?;
    Ok(if parsed.is_some() { OK } else { BAD_CLASS_TEXT })
}

alike! {
    fn(guest; text: GuestWord, into: GuestWord) -> Result<i32, Fault> {
        parse(guest, text, into)
    }

    /// Reads a class's identifier from text.
    "combaseapi/nf-combaseapi-clsidfromstring" CLSIDFromString(lpsz, pclsid);
    /// Reads an interface's identifier from text.
    "combaseapi/nf-combaseapi-iidfromstring" IIDFromString(lpsz, lpiid);
}
