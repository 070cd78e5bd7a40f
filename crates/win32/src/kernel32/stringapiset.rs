//! stringapiset.h: conversions, comparison and character types.

use std::cmp::Ordering;

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::nls::collate::Rules;
use crate::logic::nls::normal_form::{self, Form, fold_digit};
use crate::logic::nls::{case, collate, ctype};
use crate::nt::nls;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial MultiByteToWideChar, "no UTF-7, ASCII (20127), ISO 8859 or GB 18030 (54936)";
    partial WideCharToMultiByte, "no UTF-7, ASCII (20127), ISO 8859 or GB 18030 (54936)";
    full CompareStringOrdinal;
    partial CompareStringEx, "one order for all locales";
    partial CompareStringW, "one order for all locales";
    partial GetStringTypeW, "CT_CTYPE2 and CT_CTYPE3 know Latin text; others are neutral";
    partial GetStringTypeExW, "CT_CTYPE2 and CT_CTYPE3 know Latin text; others are neutral";
    partial FoldStringA, "a newer Unicode than Windows'";
    partial FoldStringW, "a newer Unicode than Windows'";
};

/// `CSTR_EQUAL`; less is one below, greater one above.
const CSTR_EQUAL: i32 = 2;
/// All flags that `CompareStringEx` knows: what is ignored, the sort's form, `LOCALE_USE_CP_ACP`.
const COMPARE_FLAGS: u32 = 0x4803_103f;
/// `CT_CTYPE1`.
const CT_CTYPE1: u32 = 1;
/// `CT_CTYPE2`.
const CT_CTYPE2: u32 = 2;
/// `CT_CTYPE3`.
const CT_CTYPE3: u32 = 4;
/// `MAP_FOLDCZONE`.
const MAP_FOLDCZONE: u32 = 0x10;
/// `MAP_PRECOMPOSED`.
const MAP_PRECOMPOSED: u32 = 0x20;
/// `MAP_COMPOSITE`.
const MAP_COMPOSITE: u32 = 0x40;
/// `MAP_FOLDDIGITS`.
const MAP_FOLDDIGITS: u32 = 0x80;
/// `MAP_EXPAND_LIGATURES`.
const MAP_EXPAND_LIGATURES: u32 = 0x2000;

/// Checks what both conversions ask of their buffers.
fn check_buffers(source: GuestWord, length: i32, target: GuestWord, capacity: i32) -> Result<(), Win32Error> {
    let target_missing = capacity > 0 && target.is_null();
    if source.is_null() || length == 0 || capacity < 0 || target_missing || (capacity > 0 && source == target)
    {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(())
}

/// Converts bytes of a code page to UTF-16.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-multibytetowidechar>
#[winapi]
pub fn MultiByteToWideChar(
    guest: &mut Guest,
    CodePage: u32,
    dwFlags: u32,
    lpMultiByteStr: GuestWord,
    cbMultiByte: i32,
    lpWideCharStr: GuestWord,
    cchWideChar: i32,
) -> Result<i32, Win32Error> {
    check_buffers(lpMultiByteStr, cbMultiByte, lpWideCharStr, cchWideChar)?;
    let page = nls::page(CodePage)?;
    let bytes = nls::read_counted(guest, lpMultiByteStr, cbMultiByte)?;
    let wide = page.decode(&bytes, dwFlags)?;
    nls::put_wide(guest, lpWideCharStr, cchWideChar, &wide)
}

/// Converts UTF-16 to bytes of a code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-widechartomultibyte>
#[winapi]
pub fn WideCharToMultiByte(
    guest: &mut Guest,
    CodePage: u32,
    dwFlags: u32,
    lpWideCharStr: GuestWord,
    cchWideChar: i32,
    lpMultiByteStr: GuestWord,
    cbMultiByte: i32,
    lpDefaultChar: GuestWord,
    lpUsedDefaultChar: GuestWord,
) -> Result<i32, Win32Error> {
    check_buffers(lpWideCharStr, cchWideChar, lpMultiByteStr, cbMultiByte)?;
    let page = nls::page(CodePage)?;
    let default = match lpDefaultChar.get() {
        0 => None,
        address => Some(guest.read::<u8>(address)?),
    };
    let wide = nls::read_counted_wide(guest, lpWideCharStr, cchWideChar)?;
    let encoded = page.encode(&wide, dwFlags, default, !lpUsedDefaultChar.is_null())?;
    if !lpUsedDefaultChar.is_null() {
        guest.write(lpUsedDefaultChar.get(), &u32::from(encoded.used_default))?;
    }
    nls::put_bytes(guest, lpMultiByteStr, cbMultiByte, &encoded.bytes)
}

/// Returns `CSTR_LESS_THAN`, `CSTR_EQUAL` or `CSTR_GREATER_THAN`.
fn comparison_result(order: Ordering) -> i32 {
    CSTR_EQUAL + order as i32
}

/// Reads a string to compare: `length` units, or with a negative length up to its zero.
pub(super) fn read_compared(guest: &Guest, address: GuestWord, length: i32) -> Result<Vec<u16>, Win32Error> {
    if address.is_null() || length < -1 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let mut text = nls::read_counted_wide(guest, address, length)?;
    if length < 0 {
        text.pop();
    }
    Ok(text)
}

/// Compares units, not letters.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-comparestringordinal>
#[winapi]
pub fn CompareStringOrdinal(
    guest: &mut Guest,
    lpString1: GuestWord,
    cchCount1: i32,
    lpString2: GuestWord,
    cchCount2: i32,
    bIgnoreCase: Bool,
) -> Result<i32, Win32Error> {
    let left = read_compared(guest, lpString1, cchCount1)?;
    let right = read_compared(guest, lpString2, cchCount2)?;
    Ok(comparison_result(case::compare_ordinal(&left, &right, bIgnoreCase.0)))
}

/// Compares two texts as a dictionary orders them.
///
/// # Errors
/// `INVALID_FLAGS` for flags that no comparison has.
pub(super) fn compare(left: &[u16], right: &[u16], flags: u32) -> Result<i32, Win32Error> {
    if flags & !COMPARE_FLAGS != 0 {
        return Err(Win32Error::INVALID_FLAGS);
    }
    Ok(comparison_result(collate::compare(left, right, Rules::of_flags(flags))))
}

/// Compares two strings by a locale's order; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-comparestringex>
#[winapi]
pub fn CompareStringEx(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    dwCmpFlags: u32,
    lpString1: GuestWord,
    cchCount1: i32,
    lpString2: GuestWord,
    cchCount2: i32,
    lpVersionInformation: GuestWord,
    lpReserved: GuestWord,
    lParam: GuestWord,
) -> Result<i32, Win32Error> {
    let _ = (lpLocaleName, lpVersionInformation, lpReserved, lParam);
    let left = read_compared(guest, lpString1, cchCount1)?;
    let right = read_compared(guest, lpString2, cchCount2)?;
    compare(&left, &right, dwCmpFlags)
}

/// Compares two strings by a locale's order.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-comparestringw>
#[winapi]
pub fn CompareStringW(
    guest: &mut Guest,
    Locale: u32,
    dwCmpFlags: u32,
    lpString1: GuestWord,
    cchCount1: i32,
    lpString2: GuestWord,
    cchCount2: i32,
) -> Result<i32, Win32Error> {
    let _ = Locale;
    let left = read_compared(guest, lpString1, cchCount1)?;
    let right = read_compared(guest, lpString2, cchCount2)?;
    compare(&left, &right, dwCmpFlags)
}

/// The direction of a unit: the `C2_*` classes of Latin text.
fn direction_type(unit: u16) -> u16 {
    let character = char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}');
    match character {
        '0'..='9' | '²' | '³' | '¹' => 3,
        '/' | '-' | '+' => 4,
        '#' | '$' | '%' | '¢'..='¥' | '°' | '±' => 5,
        ',' | '.' | ':' | '\u{a0}' => 7,
        '\n' | '\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2029}' => 8,
        '\t' | '\u{b}' | '\u{1f}' => 9,
        ' ' | '\u{c}' => 10,
        '\u{591}'..='\u{7ff}' if character.is_alphabetic() => 2,
        _ if character.is_alphabetic() => 1,
        _ if character.is_control() => 0,
        _ => 11,
    }
}

/// What a unit is for text processing: the `C3_*` bits.
fn text_type(unit: u16) -> u16 {
    let character = char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}');
    let bits = match unit {
        0xd800..=0xdbff => return 0x800,
        0xdc00..=0xdfff => return 0x1000,
        0x300..=0x36f => 0x1 | 0x2,
        0x3041..=0x309f => 0x20,
        0x30a0..=0x30ff => 0x10,
        0x3400..=0x9fff | 0xf900..=0xfaff => 0x100,
        0xff01..=0xff5e => 0x80,
        0xff61..=0xffdc => 0x40,
        0x5e | 0x60 | 0xa8 | 0xaf | 0xb4 | 0xb8 => 0x2 | 0x8,
        0x24 | 0x2b | 0x3c..=0x3e | 0x7c | 0x7e | 0xa2..=0xa9 | 0xac | 0xae | 0xb0 | 0xb1 | 0xd7 | 0xf7 => {
            0x8
        }
        _ => 0,
    };
    bits | if character.is_alphabetic() { 0x8000 } else { 0 }
}

/// Returns the types of all units of a text.
///
/// # Errors
/// `INVALID_PARAMETER` for a kind of type that is none.
pub(super) fn string_types(kind: u32, text: &[u16]) -> Result<Vec<u16>, Win32Error> {
    let of = match kind {
        CT_CTYPE1 => ctype::character_type,
        CT_CTYPE2 => direction_type,
        CT_CTYPE3 => text_type,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    Ok(text.iter().map(|&unit| of(unit)).collect())
}

/// Says what each character of a text is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-getstringtypew>
#[winapi]
pub fn GetStringTypeW(
    guest: &mut Guest,
    dwInfoType: u32,
    lpSrcStr: GuestWord,
    cchSrc: i32,
    lpCharType: GuestWord,
) -> Result<Bool, Win32Error> {
    if lpSrcStr.is_null() || lpCharType.is_null() || lpSrcStr == lpCharType || cchSrc == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let text = nls::read_counted_wide(guest, lpSrcStr, cchSrc)?;
    let types = string_types(dwInfoType, &text)?;
    guest.write_wide(lpCharType.get(), &types)?;
    Ok(TRUE)
}

/// Says what each character of a text is; the locale makes no difference.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-getstringtypeexw>
#[winapi]
pub fn GetStringTypeExW(
    guest: &mut Guest,
    Locale: u32,
    dwInfoType: u32,
    lpSrcStr: GuestWord,
    cchSrc: i32,
    lpCharType: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = Locale;
    GetStringTypeW(guest, dwInfoType, lpSrcStr, cchSrc, lpCharType)
}

/// Folds a text as the flags say.
///
/// # Errors
/// `INVALID_FLAGS` for flags that no folding has, or that exclude each other.
fn fold(text: &[u16], flags: u32) -> Result<Vec<u16>, Win32Error> {
    let form = match flags & (MAP_PRECOMPOSED | MAP_COMPOSITE | MAP_FOLDCZONE) {
        0 => None,
        MAP_PRECOMPOSED => Some(Form::C),
        MAP_COMPOSITE => Some(Form::D),
        MAP_FOLDCZONE => Some(Form::Kc),
        both if both == MAP_FOLDCZONE | MAP_PRECOMPOSED => Some(Form::Kc),
        both if both == MAP_FOLDCZONE | MAP_COMPOSITE => Some(Form::Kd),
        _ => return Err(Win32Error::INVALID_FLAGS),
    };
    let expands = flags & MAP_EXPAND_LIGATURES != 0;
    let known = MAP_FOLDCZONE | MAP_PRECOMPOSED | MAP_COMPOSITE | MAP_FOLDDIGITS | MAP_EXPAND_LIGATURES;
    if flags & !known != 0 || flags == 0 || (expands && flags & (MAP_PRECOMPOSED | MAP_COMPOSITE) != 0) {
        return Err(Win32Error::INVALID_FLAGS);
    }
    let mut folded = Vec::with_capacity(text.len());
    for &unit in text {
        let unit = if flags & MAP_FOLDDIGITS != 0 { fold_digit(unit) } else { unit };
        match normal_form::ligature(unit).filter(|_| expands) {
            Some(letters) => folded.extend(letters.encode_utf16()),
            None => folded.push(unit),
        }
    }
    Ok(form.map_or_else(|| folded.clone(), |form| normal_form::normalize_lossless(&folded, form)))
}

both_widths! {
    /// Folds characters of a text into a common form.
    "winnls/nf-winnls-foldstring" | "stringapiset/nf-stringapiset-foldstring"
    FoldStringA, FoldStringW(
        guest, width, dwMapFlags: u32, lpSrcStr: GuestWord, cchSrc: i32, lpDestStr: GuestWord, cchDest: i32
    ) -> Result<i32, Win32Error> {
        check_buffers(lpSrcStr, cchSrc, lpDestStr, cchDest)?;
        let text = width.read_counted(guest, lpSrcStr, cchSrc)?;
        width.put(guest, lpDestStr, cchDest, &fold(&text, dwMapFlags)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn comparison_returns_one_to_three() {
        let cases =
            [("a", "b", 0, 1), ("a", "a", 0, 2), ("b", "a", 0, 3), ("a", "A", 1, 2), ("A", "a", 0, 3)];
        for (left, right, flags, expected) in cases {
            assert_eq!(compare(&wide(left), &wide(right), flags), Ok(expected), "{left} {right}");
        }
        assert_eq!(compare(&[], &[], 0x100), Err(Win32Error::INVALID_FLAGS));
    }

    #[test]
    fn types_follow_the_kind() {
        assert_eq!(string_types(1, &wide("A1")), Ok(vec![0x381, 0x284]));
        assert_eq!(string_types(2, &wide("A1, \t")), Ok(vec![1, 3, 7, 10, 9]));
        assert_eq!(string_types(4, &wide("A$\u{301}")), Ok(vec![0x8000, 8, 3]));
        assert_eq!(string_types(3, &wide("A")), Err(Win32Error::INVALID_PARAMETER));
    }

    #[test]
    fn folding_follows_the_flags() {
        let cases = [
            (MAP_FOLDDIGITS, "a٣９", "a39"),
            (MAP_COMPOSITE, "é", "e\u{301}"),
            (MAP_PRECOMPOSED, "e\u{301}", "é"),
            (MAP_FOLDCZONE, "Ａﬁ", "Afi"),
            (MAP_EXPAND_LIGATURES, "æß", "aess"),
        ];
        for (flags, text, expected) in cases {
            assert_eq!(fold(&wide(text), flags), Ok(wide(expected)), "{text}");
        }
        for bad in [0, MAP_COMPOSITE | MAP_PRECOMPOSED, MAP_EXPAND_LIGATURES | MAP_COMPOSITE, 1] {
            assert_eq!(fold(&[], bad), Err(Win32Error::INVALID_FLAGS), "{bad:#x}");
        }
    }

    #[test]
    fn conversions_refuse_missing_buffers() {
        let word = GuestWord;
        let bad = [(0, 1, 8, 1), (8, 0, 8, 1), (8, 1, 0, 1), (8, 1, 16, -1), (8, 1, 8, 1)];
        for (source, length, target, capacity) in bad {
            let checked = check_buffers(word(source), length, word(target), capacity);
            assert_eq!(checked, Err(Win32Error::INVALID_PARAMETER), "{source} {length} {target} {capacity}");
        }
        assert_eq!(check_buffers(word(8), -1, word(0), 0), Ok(()));
    }
}
