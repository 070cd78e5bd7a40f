//! wincrypt.h: bytes as texts and back.

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::text::{Format, decode, encode};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CryptBinaryToStringA;
    full CryptBinaryToStringW;
    full CryptStringToBinaryA;
    full CryptStringToBinaryW;
};

/// `CRYPT_STRING_NOCRLF`.
const NO_LINES: u32 = 0x4000_0000;
/// `CRYPT_STRING_NOCR`.
const NO_RETURN: u32 = 0x8000_0000;

/// Writes a text with its zero; `size` counts units with the zero when it asks, without when it tells.
fn give_text(
    guest: &Guest,
    width: Width,
    text: &str,
    into: GuestWord,
    size: GuestWord,
) -> Result<Bool, Win32Error> {
    let needed = text.chars().count() as u32 + 1;
    if into.is_null() {
        guest.write_bytes(size.get(), &needed.to_le_bytes())?;
        return Ok(TRUE);
    }
    if guest.read_u32(size.get())? < needed {
        guest.write_bytes(size.get(), &needed.to_le_bytes())?;
        return Err(Win32Error::MORE_DATA);
    }
    // Every character here is one byte, and one unit.
    let units = text.chars().chain(['\0']).map(|letter| letter as u16);
    let bytes: Vec<u8> = match width {
        Width::Narrow => units.map(|unit| unit as u8).collect(),
        Width::Wide => units.flat_map(u16::to_le_bytes).collect(),
    };
    guest.write_bytes(into.get(), &bytes)?;
    guest.write_bytes(size.get(), &(needed - 1).to_le_bytes())?;
    Ok(TRUE)
}

/// Reads a text of `length` units, or up to its zero.
fn read_text(guest: &Guest, width: Width, from: GuestWord, length: u32) -> Result<String, Win32Error> {
    let text = match (width, length) {
        (Width::Narrow, 0) => {
            guest.read_c_string(from.get())?.into_iter().map(char::from).collect::<String>()
        }
        (Width::Narrow, _) => {
            guest.read_vec(from.get(), u64::from(length))?.into_iter().map(char::from).collect()
        }
        (Width::Wide, 0) => String::from_utf16_lossy(&guest.read_wide_string(from.get())?),
        (Width::Wide, _) => String::from_utf16_lossy(&guest.read_wide(from.get(), u64::from(length))?),
    };
    // A length may count the zero.
    Ok(text.trim_end_matches('\0').to_owned())
}

/// Decodes a text in the first format of a number that fits; returns that one too.
fn decode_as(text: &str, number: u32) -> Option<(u32, usize, Vec<u8>)> {
    let tried = Format::tried(number);
    let tried = if tried.is_empty() { std::slice::from_ref(&number) } else { tried };
    tried.iter().find_map(|&number| {
        let (skipped, bytes) = decode(text, Format::numbered(number)?)?;
        Some((number, skipped, bytes))
    })
}

both_widths! {
    /// Writes bytes as a text.
    "wincrypt/nf-wincrypt-cryptbinarytostring"
    CryptBinaryToStringA, CryptBinaryToStringW(
        guest, width, pbBinary: GuestWord, cbBinary: u32, dwFlags: u32, pszString: GuestWord, pcchString: GuestWord,
    ) -> Result<Bool, Win32Error> {
        if pbBinary.is_null() || pcchString.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let format = Format::numbered(dwFlags & 0xff).ok_or(Win32Error::INVALID_PARAMETER)?;
        let bytes = guest.read_vec(pbBinary.get(), u64::from(cbBinary))?;
        if format == Format::Binary {
            return super::give(guest, &bytes, pszString, pcchString);
        }
        let end = match dwFlags {
            flags if flags & NO_LINES != 0 => "",
            flags if flags & NO_RETURN != 0 => "\n",
            _ => "\r\n",
        };
        give_text(guest, width, &encode(&bytes, format, end), pszString, pcchString)
    }

    /// Reads bytes from a text.
    "wincrypt/nf-wincrypt-cryptstringtobinary"
    CryptStringToBinaryA, CryptStringToBinaryW(
        guest, width, pszString: GuestWord, cchString: u32, dwFlags: u32, pbBinary: GuestWord, pcbBinary: GuestWord,
        pdwSkip: GuestWord, pdwFlags: GuestWord,
    ) -> Result<Bool, Win32Error> {
        if pszString.is_null() || pcbBinary.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let number = dwFlags & 0xff;
        if Format::numbered(number).is_none() && Format::tried(number).is_empty() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let text = read_text(guest, width, pszString, cchString)?;
        let (used, skipped, bytes) = decode_as(&text, number).ok_or(Win32Error::INVALID_DATA)?;
        for (into, value) in [(pdwSkip, skipped as u32), (pdwFlags, used)] {
            if !into.is_null() {
                guest.write_bytes(into.get(), &value.to_le_bytes())?;
            }
        }
        super::give(guest, &bytes, pbBinary, pcbBinary)
    }
}
