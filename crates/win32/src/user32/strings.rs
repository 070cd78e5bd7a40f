//! winuser.h: characters: case, stepping, the OEM code page, character types.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::nls::{case, ctype};
use crate::nt::nls;

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

/// Maps a string in place, or one character when the "pointer" is below 64 KiB.
fn map_string(guest: &Guest, lpsz: GuestWord, mapping: Mapping) -> Result<GuestWord, Fault> {
    if let Ok(character) = u16::try_from(lpsz.get()) {
        let mut byte = [character as u8];
        map_bytes(&mut byte, mapping);
        return Ok(GuestWord(u64::from(byte[0])));
    }
    let mut text = guest.read_c_string(lpsz.get())?;
    map_bytes(&mut text, mapping);
    guest.write_bytes(lpsz.get(), &text)?;
    Ok(lpsz)
}

/// As [`map_string`], for UTF-16.
fn map_wide_string(guest: &Guest, lpsz: GuestWord, mapping: Mapping) -> Result<GuestWord, Fault> {
    if let Ok(character) = u16::try_from(lpsz.get()) {
        return Ok(GuestWord(u64::from(mapping(character))));
    }
    let text: Vec<u16> = guest.read_wide_string(lpsz.get())?.into_iter().map(mapping).collect();
    guest.write_wide(lpsz.get(), &text)?;
    Ok(lpsz)
}

fn map_buffer(guest: &Guest, lpsz: GuestWord, length: u32, mapping: Mapping) -> Result<u32, Fault> {
    let mut text = guest.read_vec(lpsz.get(), u64::from(length))?;
    map_bytes(&mut text, mapping);
    guest.write_bytes(lpsz.get(), &text)?;
    Ok(length)
}

fn map_wide_buffer(guest: &Guest, lpsz: GuestWord, length: u32, mapping: Mapping) -> Result<u32, Fault> {
    let text: Vec<u16> = guest.read_wide(lpsz.get(), u64::from(length))?.into_iter().map(mapping).collect();
    guest.write_wide(lpsz.get(), &text)?;
    Ok(length)
}

/// Maps a string, or one character, to upper case in place.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charuppera>
#[winapi]
pub fn CharUpperA(guest: &mut Guest, lpsz: GuestWord) -> Result<GuestWord, Fault> {
    map_string(guest, lpsz, case::upcase)
}

/// Maps a string, or one character, to upper case in place.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charupperw>
#[winapi]
pub fn CharUpperW(guest: &mut Guest, lpsz: GuestWord) -> Result<GuestWord, Fault> {
    map_wide_string(guest, lpsz, case::upcase)
}

/// Maps a buffer to upper case in place; returns its length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charupperbuffa>
#[winapi]
pub fn CharUpperBuffA(guest: &mut Guest, lpsz: GuestWord, cchLength: u32) -> Result<u32, Fault> {
    map_buffer(guest, lpsz, cchLength, case::upcase)
}

/// Maps a buffer to upper case in place; returns its length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charupperbuffw>
#[winapi]
pub fn CharUpperBuffW(guest: &mut Guest, lpsz: GuestWord, cchLength: u32) -> Result<u32, Fault> {
    map_wide_buffer(guest, lpsz, cchLength, case::upcase)
}

/// Maps a string, or one character, to lower case in place.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charlowera>
#[winapi]
pub fn CharLowerA(guest: &mut Guest, lpsz: GuestWord) -> Result<GuestWord, Fault> {
    map_string(guest, lpsz, case::downcase)
}

/// Maps a string, or one character, to lower case in place.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charlowerw>
#[winapi]
pub fn CharLowerW(guest: &mut Guest, lpsz: GuestWord) -> Result<GuestWord, Fault> {
    map_wide_string(guest, lpsz, case::downcase)
}

/// Maps a buffer to lower case in place; returns its length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charlowerbuffa>
#[winapi]
pub fn CharLowerBuffA(guest: &mut Guest, lpsz: GuestWord, cchLength: u32) -> Result<u32, Fault> {
    map_buffer(guest, lpsz, cchLength, case::downcase)
}

/// Maps a buffer to lower case in place; returns its length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charlowerbuffw>
#[winapi]
pub fn CharLowerBuffW(guest: &mut Guest, lpsz: GuestWord, cchLength: u32) -> Result<u32, Fault> {
    map_wide_buffer(guest, lpsz, cchLength, case::downcase)
}

/// Steps to the next character; stays at the end of the string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charnexta>
#[winapi]
pub fn CharNextA(guest: &mut Guest, lpsz: GuestWord) -> Result<GuestWord, Fault> {
    let at_end = guest.read::<u8>(lpsz.get())? == 0;
    Ok(if at_end { lpsz } else { GuestWord(lpsz.get() + 1) })
}

/// Steps to the previous character; stays at the start of the string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charpreva>
#[winapi]
pub fn CharPrevA(guest: &mut Guest, lpszStart: GuestWord, lpszCurrent: GuestWord) -> GuestWord {
    let _ = guest;
    GuestWord(if lpszCurrent > lpszStart { lpszCurrent.get() - 1 } else { lpszStart.get() })
}

/// Steps to the next character; stays at the end of the string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charnextw>
#[winapi]
pub fn CharNextW(guest: &mut Guest, lpsz: GuestWord) -> Result<GuestWord, Fault> {
    let at_end = guest.read::<u16>(lpsz.get())? == 0;
    Ok(if at_end { lpsz } else { GuestWord(lpsz.get() + 2) })
}

/// Steps to the previous character; stays at the start of the string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-charprevw>
#[winapi]
pub fn CharPrevW(guest: &mut Guest, lpszStart: GuestWord, lpszCurrent: GuestWord) -> GuestWord {
    let _ = guest;
    GuestWord(if lpszCurrent > lpszStart { lpszCurrent.get() - 2 } else { lpszStart.get() })
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

/// Converts a string to the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-chartooema>
#[winapi]
pub fn CharToOemA(guest: &mut Guest, pSrc: GuestWord, pDst: GuestWord) -> Result<Bool, Win32Error> {
    check_pointers(pSrc, pDst)?;
    let text = terminated(nls::widen(&guest.read_c_string(pSrc.get())?));
    guest.write_bytes(pDst.get(), &to_oem(&text)?)?;
    Ok(TRUE)
}

/// Converts a counted text to the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-chartooembuffa>
#[winapi]
pub fn CharToOemBuffA(
    guest: &mut Guest,
    lpszSrc: GuestWord,
    lpszDst: GuestWord,
    cchDstLength: u32,
) -> Result<Bool, Win32Error> {
    check_pointers(lpszSrc, lpszDst)?;
    let text = nls::widen(&guest.read_vec(lpszSrc.get(), u64::from(cchDstLength))?);
    guest.write_bytes(lpszDst.get(), &to_oem(&text)?)?;
    Ok(TRUE)
}

/// Converts a string of the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-oemtochara>
#[winapi]
pub fn OemToCharA(guest: &mut Guest, pSrc: GuestWord, pDst: GuestWord) -> Result<Bool, Win32Error> {
    check_pointers(pSrc, pDst)?;
    let text = nls::oem().decode(&terminated(guest.read_c_string(pSrc.get())?), 0)?;
    guest.write_bytes(pDst.get(), &nls::narrow(&text))?;
    Ok(TRUE)
}

/// Converts a counted text of the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-oemtocharbuffa>
#[winapi]
pub fn OemToCharBuffA(
    guest: &mut Guest,
    lpszSrc: GuestWord,
    lpszDst: GuestWord,
    cchDstLength: u32,
) -> Result<Bool, Win32Error> {
    check_pointers(lpszSrc, lpszDst)?;
    let text = nls::oem().decode(&guest.read_vec(lpszSrc.get(), u64::from(cchDstLength))?, 0)?;
    guest.write_bytes(lpszDst.get(), &nls::narrow(&text))?;
    Ok(TRUE)
}

/// Converts a string to the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-chartooemw>
#[winapi]
pub fn CharToOemW(guest: &mut Guest, pSrc: GuestWord, pDst: GuestWord) -> Result<Bool, Win32Error> {
    check_pointers(pSrc, pDst)?;
    let text = terminated(guest.read_wide_string(pSrc.get())?);
    guest.write_bytes(pDst.get(), &to_oem(&text)?)?;
    Ok(TRUE)
}

/// Converts a counted text to the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-chartooembuffw>
#[winapi]
pub fn CharToOemBuffW(
    guest: &mut Guest,
    lpszSrc: GuestWord,
    lpszDst: GuestWord,
    cchDstLength: u32,
) -> Result<Bool, Win32Error> {
    check_pointers(lpszSrc, lpszDst)?;
    let text = guest.read_wide(lpszSrc.get(), u64::from(cchDstLength))?;
    guest.write_bytes(lpszDst.get(), &to_oem(&text)?)?;
    Ok(TRUE)
}

/// Converts a string of the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-oemtocharw>
#[winapi]
pub fn OemToCharW(guest: &mut Guest, pSrc: GuestWord, pDst: GuestWord) -> Result<Bool, Win32Error> {
    check_pointers(pSrc, pDst)?;
    let text = nls::oem().decode(&terminated(guest.read_c_string(pSrc.get())?), 0)?;
    guest.write_wide(pDst.get(), &text)?;
    Ok(TRUE)
}

/// Converts a counted text of the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-oemtocharbuffw>
#[winapi]
pub fn OemToCharBuffW(
    guest: &mut Guest,
    lpszSrc: GuestWord,
    lpszDst: GuestWord,
    cchDstLength: u32,
) -> Result<Bool, Win32Error> {
    check_pointers(lpszSrc, lpszDst)?;
    let text = nls::oem().decode(&guest.read_vec(lpszSrc.get(), u64::from(cchDstLength))?, 0)?;
    guest.write_wide(lpszDst.get(), &text)?;
    Ok(TRUE)
}

/// Says whether an ANSI character has one of the types `bits`.
fn byte_is(ch: u8, bits: u16) -> Bool {
    Bool(nls::widen(&[ch]).iter().any(|&unit| ctype::character_type(unit) & bits != 0))
}

/// Says whether a UTF-16 unit has one of the types `bits`.
fn unit_is(ch: u16, bits: u16) -> Bool {
    Bool(ctype::character_type(ch) & bits != 0)
}

/// Says whether a character is a letter.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischaralphaa>
#[winapi]
pub fn IsCharAlphaA(guest: &mut Guest, ch: u8) -> Bool {
    let _ = guest;
    byte_is(ch, ctype::C1_ALPHA)
}

/// Says whether a character is a letter.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischaralphaw>
#[winapi]
pub fn IsCharAlphaW(guest: &mut Guest, ch: u16) -> Bool {
    let _ = guest;
    unit_is(ch, ctype::C1_ALPHA)
}

/// Says whether a character is a letter or a digit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischaralphanumerica>
#[winapi]
pub fn IsCharAlphaNumericA(guest: &mut Guest, ch: u8) -> Bool {
    let _ = guest;
    byte_is(ch, ctype::C1_ALPHA | ctype::C1_DIGIT)
}

/// Says whether a character is a letter or a digit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischaralphanumericw>
#[winapi]
pub fn IsCharAlphaNumericW(guest: &mut Guest, ch: u16) -> Bool {
    let _ = guest;
    unit_is(ch, ctype::C1_ALPHA | ctype::C1_DIGIT)
}

/// Says whether a character is a capital letter.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischaruppera>
#[winapi]
pub fn IsCharUpperA(guest: &mut Guest, ch: u8) -> Bool {
    let _ = guest;
    byte_is(ch, ctype::C1_UPPER)
}

/// Says whether a character is a capital letter.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischarupperw>
#[winapi]
pub fn IsCharUpperW(guest: &mut Guest, ch: u16) -> Bool {
    let _ = guest;
    unit_is(ch, ctype::C1_UPPER)
}

/// Says whether a character is a small letter.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischarlowera>
#[winapi]
pub fn IsCharLowerA(guest: &mut Guest, ch: u8) -> Bool {
    let _ = guest;
    byte_is(ch, ctype::C1_LOWER)
}

/// Says whether a character is a small letter.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischarlowerw>
#[winapi]
pub fn IsCharLowerW(guest: &mut Guest, ch: u16) -> Bool {
    let _ = guest;
    unit_is(ch, ctype::C1_LOWER)
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
