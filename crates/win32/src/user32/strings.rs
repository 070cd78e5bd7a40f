//! winuser.h: characters: case, stepping, the OEM code page, character types.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::nls::{case, ctype};
use crate::nt::nls;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CharUpperA;
    full CharUpperW;
    full CharUpperBuffA;
    full CharUpperBuffW;
    full CharLowerA;
    full CharLowerW;
    full CharLowerBuffA;
    full CharLowerBuffW;
    full CharNextA;
    full CharNextW;
    full CharNextExA;
    full CharPrevA;
    full CharPrevW;
    full CharPrevExA;
    full CharToOemA;
    full CharToOemW;
    full CharToOemBuffA;
    full CharToOemBuffW;
    full OemToCharA;
    full OemToCharW;
    full OemToCharBuffA;
    full OemToCharBuffW;
    full IsCharAlphaA;
    full IsCharAlphaW;
    full IsCharAlphaNumericA;
    full IsCharAlphaNumericW;
    full IsCharUpperA;
    full IsCharUpperW;
    full IsCharLowerA;
    full IsCharLowerW;
};

/// A mapping of case.
type Mapping = fn(u16) -> u16;

/// Maps ANSI bytes; a result that the page lacks leaves the byte as it is.
fn map_bytes(text: &mut [u8], mapping: Mapping) {
    for byte in text {
        let mapped = nls::widen(&[*byte]).first().map(|&unit| nls::narrow(&[mapping(unit)]));
        if let Some([new]) = mapped.as_deref()
            && (*new != b'?' || byte.is_ascii())
        {
            *byte = *new;
        }
    }
}

/// Returns characters of a form with their case mapped.
fn mapped(width: Width, text: &[u8], mapping: Mapping) -> Vec<u8> {
    match width {
        Width::Narrow => {
            let mut text = text.to_vec();
            map_bytes(&mut text, mapping);
            text
        }
        Width::Wide => {
            let units = text.as_chunks::<2>().0.iter().map(|unit| mapping(u16::from_le_bytes(*unit)));
            units.flat_map(u16::to_le_bytes).collect()
        }
    }
}

fn map_buffer(
    guest: &Guest,
    width: Width,
    lpsz: GuestWord,
    length: u64,
    mapping: Mapping,
) -> Result<(), Fault> {
    let text = guest.read_vec(lpsz.get(), length * width.unit_bytes() as u64)?;
    guest.write_bytes(lpsz.get(), &mapped(width, &text, mapping))
}

/// Maps a string in place, or one character when the "pointer" is below 64 KiB.
fn map_string(guest: &Guest, width: Width, lpsz: GuestWord, mapping: Mapping) -> Result<GuestWord, Fault> {
    if let Ok(character) = u16::try_from(lpsz.get()) {
        let unit = mapped(width, &character.to_le_bytes()[..width.unit_bytes()], mapping);
        return Ok(GuestWord(unit.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))));
    }
    let length = width.length(guest, lpsz)?;
    map_buffer(guest, width, lpsz, length, mapping)?;
    Ok(lpsz)
}

both_widths! {
    /// Maps a string, or one character, to upper case in place.
    "winuser/nf-winuser-charupper"
    CharUpperA, CharUpperW(guest, width, lpsz: GuestWord) -> Result<GuestWord, Fault> {
        map_string(guest, width, lpsz, case::upcase)
    }

    /// Maps a buffer to upper case in place; returns its length.
    "winuser/nf-winuser-charupperbuff"
    CharUpperBuffA, CharUpperBuffW(guest, width, lpsz: GuestWord, cchLength: u32) -> Result<u32, Fault> {
        map_buffer(guest, width, lpsz, cchLength.into(), case::upcase).map(|()| cchLength)
    }

    /// Maps a string, or one character, to lower case in place.
    "winuser/nf-winuser-charlower"
    CharLowerA, CharLowerW(guest, width, lpsz: GuestWord) -> Result<GuestWord, Fault> {
        map_string(guest, width, lpsz, case::downcase)
    }

    /// Maps a buffer to lower case in place; returns its length.
    "winuser/nf-winuser-charlowerbuff"
    CharLowerBuffA, CharLowerBuffW(guest, width, lpsz: GuestWord, cchLength: u32) -> Result<u32, Fault> {
        map_buffer(guest, width, lpsz, cchLength.into(), case::downcase).map(|()| cchLength)
    }

    /// Steps to the next character; stays at the end of the string.
    "winuser/nf-winuser-charnext"
    CharNextA, CharNextW(guest, width, lpsz: GuestWord) -> Result<GuestWord, Fault> {
        let at_end = match width {
            Width::Narrow => guest.read::<u8>(lpsz.get())? == 0,
            Width::Wide => guest.read::<u16>(lpsz.get())? == 0,
        };
        Ok(if at_end { lpsz } else { GuestWord(lpsz.get() + width.unit_bytes() as u64) })
    }

    /// Steps to the previous character; stays at the start of the string.
    "winuser/nf-winuser-charprev"
    CharPrevA, CharPrevW(guest, width, lpszStart: GuestWord, lpszCurrent: GuestWord) -> GuestWord {
        let _ = guest;
        let unit = width.unit_bytes() as u64;
        GuestWord(if lpszCurrent > lpszStart { lpszCurrent.get() - unit } else { lpszStart.get() })
    }
}

/// Steps to the next character of a code page; no page that plat has is double-byte.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charnextexa>
#[winapi]
pub fn CharNextExA(
    guest: &mut Guest,
    CodePage: u16,
    lpCurrentChar: GuestWord,
    dwFlags: u32,
) -> Result<GuestWord, Fault> {
    let _ = (CodePage, dwFlags);
    CharNextA(guest, lpCurrentChar)
}

/// Steps to the previous character of a code page; no page that plat has is double-byte.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charprevexa>
#[winapi]
pub fn CharPrevExA(
    guest: &mut Guest,
    CodePage: u16,
    lpStart: GuestWord,
    lpCurrentChar: GuestWord,
    dwFlags: u32,
) -> GuestWord {
    let _ = (CodePage, dwFlags);
    CharPrevA(guest, lpStart, lpCurrentChar)
}

/// Converts ANSI bytes to OEM bytes.
fn to_oem(text: &[u16]) -> Result<Vec<u8>, Win32Error> {
    Ok(nls::oem().encode(text, 0, None, false)?.bytes)
}

/// Adds the terminator that a string's conversion copies too.
fn terminated<T: Default>(mut text: Vec<T>) -> Vec<T> {
    text.push(T::default());
    text
}

/// Refuses what the conversions refuse: a null pointer.
fn check_pointers(source: GuestWord, target: GuestWord) -> Result<(), Win32Error> {
    if source.is_null() || target.is_null() { Err(Win32Error::INVALID_PARAMETER) } else { Ok(()) }
}

/// Stores text that was OEM bytes in a form.
fn put(guest: &Guest, width: Width, target: GuestWord, oem: &[u8]) -> Result<Bool, Win32Error> {
    let text = nls::oem().decode(oem, 0)?;
    match width {
        Width::Narrow => guest.write_bytes(target.get(), &nls::narrow(&text))?,
        Width::Wide => guest.write_wide(target.get(), &text)?,
    }
    Ok(TRUE)
}

both_widths! {
    /// Converts a string to the OEM code page.
    "winuser/nf-winuser-chartooem"
    CharToOemA, CharToOemW(guest, width, pSrc: GuestWord, pDst: GuestWord) -> Result<Bool, Win32Error> {
        check_pointers(pSrc, pDst)?;
        let text = terminated(width.read_string(guest, pSrc)?);
        guest.write_bytes(pDst.get(), &to_oem(&text)?)?;
        Ok(TRUE)
    }

    /// Converts a counted text to the OEM code page.
    "winuser/nf-winuser-chartooembuff"
    CharToOemBuffA, CharToOemBuffW(
        guest, width, lpszSrc: GuestWord, lpszDst: GuestWord, cchDstLength: u32
    ) -> Result<Bool, Win32Error> {
        check_pointers(lpszSrc, lpszDst)?;
        let text = match width {
            Width::Narrow => nls::widen(&guest.read_vec(lpszSrc.get(), cchDstLength.into())?),
            Width::Wide => guest.read_wide(lpszSrc.get(), cchDstLength.into())?,
        };
        guest.write_bytes(lpszDst.get(), &to_oem(&text)?)?;
        Ok(TRUE)
    }

    /// Converts a string of the OEM code page.
    "winuser/nf-winuser-oemtochar"
    OemToCharA, OemToCharW(guest, width, pSrc: GuestWord, pDst: GuestWord) -> Result<Bool, Win32Error> {
        check_pointers(pSrc, pDst)?;
        put(guest, width, pDst, &terminated(guest.read_c_string(pSrc.get())?))
    }

    /// Converts a counted text of the OEM code page.
    "winuser/nf-winuser-oemtocharbuff"
    OemToCharBuffA, OemToCharBuffW(
        guest, width, lpszSrc: GuestWord, lpszDst: GuestWord, cchDstLength: u32
    ) -> Result<Bool, Win32Error> {
        check_pointers(lpszSrc, lpszDst)?;
        put(guest, width, lpszDst, &guest.read_vec(lpszSrc.get(), cchDstLength.into())?)
    }
}

/// Says whether an ANSI character has one of the types `bits`.
fn byte_is(ch: u8, bits: u16) -> Bool {
    Bool(nls::widen(&[ch]).iter().any(|&unit| ctype::character_type(unit) & bits != 0))
}

/// Says whether a UTF-16 unit has one of the types `bits`.
fn unit_is(ch: u16, bits: u16) -> Bool {
    Bool(ctype::character_type(ch) & bits != 0)
}

alike! {
    fn(guest, bits; ch: u8) -> Bool {
        let _ = guest;
        byte_is(ch, bits)
    }

    /// Says whether a character is a letter.
    "winuser/nf-winuser-ischaralphaa" IsCharAlphaA = ctype::C1_ALPHA;

    /// Says whether a character is a letter or a digit.
    "winuser/nf-winuser-ischaralphanumerica" IsCharAlphaNumericA = ctype::C1_ALPHA | ctype::C1_DIGIT;

    /// Says whether a character is a capital letter.
    "winuser/nf-winuser-ischaruppera" IsCharUpperA = ctype::C1_UPPER;

    /// Says whether a character is a small letter.
    "winuser/nf-winuser-ischarlowera" IsCharLowerA = ctype::C1_LOWER;
}

alike! {
    fn(guest, bits; ch: u16) -> Bool {
        let _ = guest;
        unit_is(ch, bits)
    }

    /// Says whether a character is a letter.
    "winuser/nf-winuser-ischaralphaw" IsCharAlphaW = ctype::C1_ALPHA;

    /// Says whether a character is a letter or a digit.
    "winuser/nf-winuser-ischaralphanumericw" IsCharAlphaNumericW = ctype::C1_ALPHA | ctype::C1_DIGIT;

    /// Says whether a character is a capital letter.
    "winuser/nf-winuser-ischarupperw" IsCharUpperW = ctype::C1_UPPER;

    /// Says whether a character is a small letter.
    "winuser/nf-winuser-ischarlowerw" IsCharLowerW = ctype::C1_LOWER;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ansi_case_stays_in_the_page() {
        let mut text = *b"a\xe4\xff\xb5?\x80\xdf";
        map_bytes(&mut text, case::upcase);
        // y with diaeresis has its capital in 1252; micro, euro and sharp s map to themselves.
        assert_eq!(text, *b"A\xc4\x9f\xb5?\x80\xdf");
        map_bytes(&mut text, case::downcase);
        assert_eq!(text, *b"a\xe4\xff\xb5?\x80\xdf");
    }

    #[test]
    fn characters_have_their_types() {
        assert_eq!(byte_is(0xe4, ctype::C1_LOWER), TRUE);
        assert_eq!(unit_is(0x416, ctype::C1_UPPER), TRUE);
        assert_eq!(unit_is(0x30, ctype::C1_ALPHA), Bool(false));
    }

    #[test]
    fn oem_text_is_in_code_page_437() {
        assert_eq!(to_oem(&[0xe4, 0x41]), Ok(vec![0x84, 0x41]));
    }
}
