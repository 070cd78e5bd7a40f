//! Mappings of strings, and the narrow faces of comparison and character types.

use std::borrow::Cow;

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::kernel32::stringapiset::{compare, string_types};
use crate::logic::nls::collate::Rules;
use crate::logic::nls::{case, collate, normal_form};
use crate::nt::nls;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial LCMapStringA, "case, width, kana, byte order and sort keys (not Windows' bytes); others ERROR_INVALID_FLAGS";
    partial LCMapStringW, "case, width, kana, byte order and sort keys (not Windows' bytes); others ERROR_INVALID_FLAGS";
    partial LCMapStringEx, "case, width, kana, byte order and sort keys (not Windows' bytes); others ERROR_INVALID_FLAGS";
    partial CompareStringA, "one order for all locales";
    partial GetStringTypeA, "CT_CTYPE2 and CT_CTYPE3 know Latin text; others are neutral";
    partial GetStringTypeExA, "CT_CTYPE2 and CT_CTYPE3 know Latin text; others are neutral";
};

const LOWERCASE: u32 = 0x100;
const UPPERCASE: u32 = 0x200;
const SORT_KEY: u32 = 0x400;
const BYTE_REVERSE: u32 = 0x800;
const HIRAGANA: u32 = 0x10_0000;
const KATAKANA: u32 = 0x20_0000;
const HALF_WIDTH: u32 = 0x40_0000;
const FULL_WIDTH: u32 = 0x80_0000;
/// `LCMAP_LINGUISTIC_CASING`: no difference outside Turkish.
const LINGUISTIC_CASING: u32 = 0x100_0000;
/// All `NORM_…` and `SORT_…` flags, and `LOCALE_USE_CP_ACP`.
const NEUTRAL: u32 = 0x4803_103f;

/// The outcome of a mapping.
#[derive(Debug, PartialEq, Eq)]
enum Mapped {
    Text(Vec<u16>),
    Key(Vec<u8>),
}

/// Maps a text as the flags say.
fn map(text: &[u16], flags: u32) -> Result<Mapped, Win32Error> {
    let flags = flags & !LINGUISTIC_CASING;
    if flags & SORT_KEY != 0 {
        if flags & !(SORT_KEY | NEUTRAL) != 0 {
            return Err(Win32Error::INVALID_FLAGS);
        }
        // The terminator of a text given without a length is no part of its order.
        let text = text.strip_suffix(&[0]).unwrap_or(text);
        return Ok(Mapped::Key(collate::sort_key(text, Rules::of_flags(flags))));
    }
    let both = LOWERCASE | UPPERCASE;
    let wanted = flags & !NEUTRAL;
    let (kana, widths) = (wanted & (HIRAGANA | KATAKANA), wanted & (HALF_WIDTH | FULL_WIDTH));
    let excluded = kana == HIRAGANA | KATAKANA || widths == HALF_WIDTH | FULL_WIDTH || wanted & both == both;
    if wanted == 0 || wanted & !(both | BYTE_REVERSE | kana | widths) != 0 || excluded {
        return Err(Win32Error::INVALID_FLAGS);
    }
    let of_width = match widths {
        HALF_WIDTH => Cow::Owned(normal_form::narrow(text)),
        FULL_WIDTH => Cow::Owned(normal_form::widen(text)),
        _ => Cow::Borrowed(text),
    };
    let text: Vec<u16> = match kana {
        HIRAGANA => of_width.iter().map(|&unit| normal_form::hiragana(unit)).collect(),
        KATAKANA => of_width.iter().map(|&unit| normal_form::katakana(unit)).collect(),
        _ => of_width.into_owned(),
    };
    let mut text = match wanted & both {
        LOWERCASE => case::downcase_string(&text),
        UPPERCASE => case::upcase_string(&text),
        _ => text,
    };
    if wanted & BYTE_REVERSE != 0 {
        text.iter_mut().for_each(|unit| *unit = unit.swap_bytes());
    }
    Ok(Mapped::Text(text))
}

/// Refuses bad buffers; only mappings of case may be done in place.
fn check(source: GuestWord, length: i32, target: GuestWord, size: i32, flags: u32) -> Result<(), Win32Error> {
    let in_place = source == target && size > 0 && flags & (LOWERCASE | UPPERCASE) == 0;
    if source.is_null() || length == 0 || size < 0 || (size > 0 && target.is_null()) || in_place {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(())
}

both_widths! {
    /// Maps a string of the ANSI code page.
    "winnls/nf-winnls-lcmapstring"
    LCMapStringA, LCMapStringW(
        guest, width, Locale: u32, dwMapFlags: u32, lpSrcStr: GuestWord, cchSrc: i32, lpDestStr: GuestWord,
        cchDest: i32
    ) -> Result<i32, Win32Error> {
        let _ = Locale;
        check(lpSrcStr, cchSrc, lpDestStr, cchDest, dwMapFlags)?;
        match map(&width.read_counted(guest, lpSrcStr, cchSrc)?, dwMapFlags)? {
            Mapped::Text(text) => width.put(guest, lpDestStr, cchDest, &text),
            // The buffer of a sort key is counted in bytes.
            Mapped::Key(key) => nls::put_bytes(guest, lpDestStr, cchDest, &key),
        }
    }
}

/// Maps a string; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-lcmapstringex>
#[winapi]
pub fn LCMapStringEx(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    dwMapFlags: u32,
    lpSrcStr: GuestWord,
    cchSrc: i32,
    lpDestStr: GuestWord,
    cchDest: i32,
    lpVersionInformation: GuestWord,
    lpReserved: GuestWord,
    sortHandle: GuestWord,
) -> Result<i32, Win32Error> {
    let _ = (lpLocaleName, lpVersionInformation, lpReserved, sortHandle);
    LCMapStringW(guest, 0, dwMapFlags, lpSrcStr, cchSrc, lpDestStr, cchDest)
}

/// Compares two strings of the ANSI code page by a locale's order.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-comparestringa>
#[winapi]
pub fn CompareStringA(
    guest: &mut Guest,
    Locale: u32,
    dwCmpFlags: u32,
    lpString1: GuestWord,
    cchCount1: i32,
    lpString2: GuestWord,
    cchCount2: i32,
) -> Result<i32, Win32Error> {
    let _ = Locale;
    if lpString1.is_null() || lpString2.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let mut left = nls::read_counted(guest, lpString1, cchCount1)?;
    let mut right = nls::read_counted(guest, lpString2, cchCount2)?;
    if cchCount1 < 0 {
        left.pop();
    }
    if cchCount2 < 0 {
        right.pop();
    }
    compare(&nls::widen(&left), &nls::widen(&right), dwCmpFlags)
}

/// Says what each character of an ANSI text is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getstringtypea>
#[winapi]
pub fn GetStringTypeA(
    guest: &mut Guest,
    Locale: u32,
    dwInfoType: u32,
    lpSrcStr: GuestWord,
    cchSrc: i32,
    lpCharType: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = Locale;
    if lpSrcStr.is_null() || lpCharType.is_null() || lpSrcStr == lpCharType || cchSrc == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let text = nls::widen(&nls::read_counted(guest, lpSrcStr, cchSrc)?);
    guest.write_wide(lpCharType.get(), &string_types(dwInfoType, &text)?)?;
    Ok(TRUE)
}

/// Says what each character of an ANSI text is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getstringtypeexa>
#[winapi]
pub fn GetStringTypeExA(
    guest: &mut Guest,
    Locale: u32,
    dwInfoType: u32,
    lpSrcStr: GuestWord,
    cchSrc: i32,
    lpCharType: GuestWord,
) -> Result<Bool, Win32Error> {
    GetStringTypeA(guest, Locale, dwInfoType, lpSrcStr, cchSrc, lpCharType)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn case_and_byte_order_are_mapped() {
        assert_eq!(map(&wide("aÄ"), LOWERCASE), Ok(Mapped::Text(wide("aä"))));
        assert_eq!(map(&wide("aä"), UPPERCASE | LINGUISTIC_CASING), Ok(Mapped::Text(wide("AÄ"))));
        assert_eq!(map(&[0x1234], BYTE_REVERSE), Ok(Mapped::Text(vec![0x3412])));
        for flags in [0, LOWERCASE | UPPERCASE, HIRAGANA | KATAKANA, SORT_KEY | LOWERCASE] {
            assert_eq!(map(&[], flags), Err(Win32Error::INVALID_FLAGS), "{flags:#x}");
        }
    }

    #[test]
    fn in_place_is_for_case_only() {
        let word = GuestWord(8);
        assert_eq!(check(word, 1, word, 1, UPPERCASE), Ok(()));
        assert_eq!(check(word, 1, word, 1, BYTE_REVERSE), Err(Win32Error::INVALID_PARAMETER));
    }
}
