//! winver.h: values of a version resource, names of languages.

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::nls::locale_names;
use crate::logic::version_info::{self, Value};
use crate::nt::nls;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full VerQueryValueA;
    full VerQueryValueW;
    partial VerLanguageNameA, "only the languages that plat has";
    partial VerLanguageNameW, "only the languages that plat has";
};

/// What follows the resource in a block that has room for its texts as ANSI.
pub(super) const SIGNATURE: &[u8] = b"FE2X";
/// What an unknown language is called.
const NEUTRAL: &str = "Language Neutral";

/// Reads a block's resource and finds a value in it; a missing one has the length 0.
fn find(
    guest: &Guest,
    block: GuestWord,
    path: &[u16],
    length: GuestWord,
) -> Result<(Vec<u8>, Value), Win32Error> {
    if block.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let size = guest.read::<u16>(block.0)?;
    let bytes = guest.read_vec(block.0, u64::from(size))?;
    match version_info::query(&bytes, path) {
        Some(value) => Ok((bytes, value)),
        None => {
            put_length(guest, length, 0)?;
            Err(Win32Error::RESOURCE_TYPE_NOT_FOUND)
        }
    }
}

fn put_length(guest: &Guest, length: GuestWord, value: u32) -> Result<(), Win32Error> {
    if !length.is_null() {
        guest.write(length.0, &value)?;
    }
    Ok(())
}

both_widths! {
    /// Finds a value of a version: its address, and its length in characters or bytes. For the ANSI form, text is written
    /// into the room behind the resource, each at its own place.
    "winver/nf-winver-verqueryvalue"
    VerQueryValueA, VerQueryValueW(
        guest, width, pBlock: GuestWord, lpSubBlock: GuestWord, lplpBuffer: GuestWord, puLen: GuestWord
    ) -> Result<Bool, Win32Error> {
        let (bytes, value) = find(guest, pBlock, &width.read(guest, lpSubBlock)?, puLen)?;
        let (mut address, mut length) = (pBlock.0 + value.bytes.start as u64, u32::from(value.length));
        let mark = pBlock.0 + bytes.len() as u64;
        let is_converted = width == Width::Narrow && value.is_text;
        if is_converted && guest.read_vec(mark, SIGNATURE.len() as u64).is_ok_and(|read| read == SIGNATURE) {
            let units = bytes[value.bytes.clone()].chunks_exact(2);
            let text: Vec<u16> = units.map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            let text = nls::narrow(&text);
            address = mark + (SIGNATURE.len() + value.bytes.start / 2) as u64;
            length = text.len() as u32;
            guest.write_bytes(address, &text)?;
        }
        guest.write_word(lplpBuffer.0, address)?;
        put_length(guest, puLen, length)?;
        Ok(TRUE)
    }
}

/// Returns a language's name without its zero.
fn language_name(language: u32) -> Vec<u16> {
    let name = u16::try_from(language).ok().and_then(locale_names::english_name);
    name.unwrap_or(NEUTRAL).encode_utf16().collect()
}

both_widths! {
    /// Returns a language's name, cut to the buffer.
    "winver/nf-winver-verlanguagename"
    VerLanguageNameA, VerLanguageNameW(
        guest, width, wLang: u32, szLang: GuestWord, cchLang: u32
    ) -> Result<u32, Win32Error> {
        let name = language_name(wLang);
        if !szLang.is_null() && cchLang > 0 {
            guest.write_bytes(szLang.0, &width.cut(&name, cchLang as usize))?;
        }
        Ok((width.bytes(&name).len() / width.unit_bytes()) as u32 - 1)
    }
}
