//! combaseapi.h: identifiers of 128 bits, and their text `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

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
/// Where the text's digits stand in the bytes: the first three fields are little-endian numbers.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/// Makes the text of an identifier, without its zero.
pub(crate) fn to_text(bytes: &[u8; 16]) -> String {
    let mut text = String::from("{");
    for (place, &at) in ORDER.iter().enumerate() {
        if [4, 6, 8, 10].contains(&place) {
            text.push('-');
        }
        text.push_str(&format!("{:02X}", bytes[at]));
    }
    text.push('}');
    text
}

/// Reads the text of an identifier.
pub(crate) fn from_text(text: &str) -> Option<[u8; 16]> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let groups: Vec<&str> = inner.split('-').collect();
    if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
        return None;
    }
    let digits = groups.concat();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 16];
    for (place, &at) in ORDER.iter().enumerate() {
        bytes[at] = u8::from_str_radix(&digits[place * 2..place * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

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
    let mut bytes = [0; 16];
    guest.read_bytes(rguid.get(), &mut bytes)?;
    if cchMax < TEXT_UNITS as i32 {
        return Ok(0);
    }
    let text: Vec<u16> = to_text(&bytes).encode_utf16().chain([0]).collect();
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

/// Reads a class's identifier from text.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-clsidfromstring>
#[winapi]
pub fn CLSIDFromString(guest: &mut Guest, lpsz: GuestWord, pclsid: GuestWord) -> Result<i32, Fault> {
    parse(guest, lpsz, pclsid)
}

/// Reads an interface's identifier from text.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-iidfromstring>
#[winapi]
pub fn IIDFromString(guest: &mut Guest, lpsz: GuestWord, lpiid: GuestWord) -> Result<i32, Fault> {
    parse(guest, lpsz, lpiid)
}

#[cfg(test)]
mod tests {
    use super::{from_text, to_text};

    #[test]
    fn text_and_bytes() {
        let text = "{00112233-4455-6677-8899-AABBCCDDEEFF}";
        let bytes = from_text(text).expect("it is one");
        assert_eq!(bytes[..8], [0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66]);
        assert_eq!(to_text(&bytes), text);
        for bad in
            ["", "{}", "00112233-4455-6677-8899-AABBCCDDEEFF", "{0011223-34455-6677-8899-AABBCCDDEEFF}"]
        {
            assert_eq!(from_text(bad), None, "{bad}");
        }
    }
}
