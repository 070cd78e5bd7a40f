//! Facts about the locale: `GetLocaleInfo`.

use plat_abi::{GuestWord, Memory, winapi};

use super::locales::{is_known, is_known_name};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetLocaleInfoA, "English (United States) only; LOCALE_FONTSIGNATURE and rare types are missing";
    partial GetLocaleInfoW, "English (United States) only; LOCALE_FONTSIGNATURE and rare types are missing";
    partial GetLocaleInfoEx, "English (United States) only; LOCALE_FONTSIGNATURE and rare types are missing";
    stub SetLocaleInfoA;
    stub SetLocaleInfoW;
    stub GetCalendarInfoW;
    stub EnumCalendarInfoA;
    stub EnumCalendarInfoW;
    stub GetNumberFormatW;
    stub GetCurrencyFormatW;
    stub GetDateFormatA;
    stub GetDateFormatW;
    stub GetTimeFormatA;
    stub GetTimeFormatW;
};

/// `LOCALE_RETURN_NUMBER`: the answer is a `DWORD`, not text.
const RETURN_NUMBER: u32 = 0x2000_0000;
/// `LOCALE_NOUSEROVERRIDE`, `LOCALE_USE_CP_ACP` and `LOCALE_RETURN_GENITIVE_NAMES`: they make no difference here.
const MODIFIERS: u32 = 0xc000_0000 | 0x1000_0000;
/// `LOCALE_ILANGUAGE` and `LOCALE_IDEFAULTLANGUAGE`: hexadecimal numbers.
const HEXADECIMAL: [u32; 2] = [0x1, 0x9];

/// What English (United States) has, by `LCTYPE`, sorted.
///
/// Source: `winnls.h` for the numbers; <https://learn.microsoft.com/windows/win32/intl/locale-information-constants>
#[rustfmt::skip]
const ENGLISH: &[(u32, &str)] = &[
    (0x1, "0409"),
    (0x2, "English (United States)"),
    (0x3, "ENU"),
    (0x4, "English"),
    (0x5, "1"),
    (0x6, "United States"),
    (0x7, "USA"),
    (0x8, "United States"),
    (0x9, "0409"),
    (0xa, "1"),
    (0xb, "437"),
    (0xc, ","),
    (0xd, "1"),
    (0xe, "."),
    (0xf, ","),
    (0x10, "3;0"),
    (0x11, "2"),
    (0x12, "1"),
    (0x13, "0123456789"),
    (0x14, "$"),
    (0x15, "USD"),
    (0x16, "."),
    (0x17, ","),
    (0x18, "3;0"),
    (0x19, "2"),
    (0x1a, "2"),
    (0x1b, "0"),
    (0x1c, "0"),
    (0x1d, "/"),
    (0x1e, ":"),
    (0x1f, "M/d/yyyy"),
    (0x20, "dddd, MMMM d, yyyy"),
    (0x21, "0"),
    (0x22, "0"),
    (0x23, "0"),
    (0x24, "1"),
    (0x25, "0"),
    (0x26, "0"),
    (0x27, "0"),
    (0x28, "AM"),
    (0x29, "PM"),
    (0x2a, "Monday"),
    (0x2b, "Tuesday"),
    (0x2c, "Wednesday"),
    (0x2d, "Thursday"),
    (0x2e, "Friday"),
    (0x2f, "Saturday"),
    (0x30, "Sunday"),
    (0x31, "Mon"),
    (0x32, "Tue"),
    (0x33, "Wed"),
    (0x34, "Thu"),
    (0x35, "Fri"),
    (0x36, "Sat"),
    (0x37, "Sun"),
    (0x38, "January"),
    (0x39, "February"),
    (0x3a, "March"),
    (0x3b, "April"),
    (0x3c, "May"),
    (0x3d, "June"),
    (0x3e, "July"),
    (0x3f, "August"),
    (0x40, "September"),
    (0x41, "October"),
    (0x42, "November"),
    (0x43, "December"),
    (0x44, "Jan"),
    (0x45, "Feb"),
    (0x46, "Mar"),
    (0x47, "Apr"),
    (0x48, "May"),
    (0x49, "Jun"),
    (0x4a, "Jul"),
    (0x4b, "Aug"),
    (0x4c, "Sep"),
    (0x4d, "Oct"),
    (0x4e, "Nov"),
    (0x4f, "Dec"),
    (0x50, ""),
    (0x51, "-"),
    (0x52, "3"),
    (0x53, "0"),
    (0x54, "1"),
    (0x55, "0"),
    (0x56, "1"),
    (0x57, "0"),
    (0x59, "en"),
    (0x5a, "US"),
    (0x5b, "244"),
    (0x5c, "en-US"),
    (0x67, "eng"),
    (0x68, "USA"),
    (0x6d, "en"),
    (0x70, "0"),
    (0x72, "English (United States)"),
    (0x73, "English (United States)"),
    (0x78, "MMMM d"),
    (0x79, "h:mm tt"),
    (0x1001, "English"),
    (0x1002, "United States"),
    (0x1003, "h:mm:ss tt"),
    (0x1004, "1252"),
    (0x1005, "0"),
    (0x1006, "MMMM yyyy"),
    (0x1007, "US Dollar"),
    (0x1008, "US Dollar"),
    (0x1009, "1"),
    (0x100a, "1"),
    (0x100b, "0"),
    (0x100c, "6"),
    (0x100d, "0"),
    (0x100e, ""),
    (0x1010, "1"),
    (0x1011, "10000"),
    (0x1012, "037"),
    (0x1013, "Default"),
    (0x1014, "1"),
];

/// Returns the text for a type, without modifiers.
fn text_of(kind: u32) -> Result<&'static str, Win32Error> {
    let found = ENGLISH.binary_search_by_key(&kind, |row| row.0);
    found.map(|at| ENGLISH[at].1).map_err(|_| Win32Error::INVALID_FLAGS)
}

/// Returns the number that a type's text is.
fn number_of(kind: u32) -> Result<u32, Win32Error> {
    let radix = if HEXADECIMAL.contains(&kind) { 16 } else { 10 };
    u32::from_str_radix(text_of(kind)?, radix).map_err(|_| Win32Error::INVALID_FLAGS)
}

/// Returns the answer with its zero, as a wide caller gets it.
fn answer(kind: u32) -> Result<Vec<u16>, Win32Error> {
    let base = kind & !MODIFIERS;
    if base & RETURN_NUMBER != 0 {
        let number = number_of(base & !RETURN_NUMBER)?;
        return Ok(vec![number as u16, (number >> 16) as u16]);
    }
    Ok(text_of(base)?.encode_utf16().chain([0]).collect())
}

fn check(known: bool, buffer: GuestWord, size: i32) -> Result<(), Win32Error> {
    let bad_buffer = size < 0 || (size > 0 && buffer.is_null());
    if known && !bad_buffer { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Returns a fact about a locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getlocaleinfoa>
#[winapi]
pub fn GetLocaleInfoA(
    guest: &mut Guest,
    Locale: u32,
    LCType: u32,
    lpLCData: GuestWord,
    cchData: i32,
) -> Result<i32, Win32Error> {
    check(is_known(Locale), lpLCData, cchData)?;
    let answer = answer(LCType)?;
    let bytes = match LCType & RETURN_NUMBER {
        0 => nls::narrow(&answer),
        _ => answer.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
    };
    nls::put_bytes(guest, lpLCData, cchData, &bytes)
}

/// Returns a fact about a locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getlocaleinfow>
#[winapi]
pub fn GetLocaleInfoW(
    guest: &mut Guest,
    Locale: u32,
    LCType: u32,
    lpLCData: GuestWord,
    cchData: i32,
) -> Result<i32, Win32Error> {
    check(is_known(Locale), lpLCData, cchData)?;
    nls::put_wide(guest, lpLCData, cchData, &answer(LCType)?)
}

/// Returns a fact about a locale given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getlocaleinfoex>
#[winapi]
pub fn GetLocaleInfoEx(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    LCType: u32,
    lpLCData: GuestWord,
    cchData: i32,
) -> Result<i32, Win32Error> {
    let name = match lpLocaleName.get() {
        0 => Vec::new(),
        address => guest.read_wide_string(address)?,
    };
    check(is_known_name(&name), lpLCData, cchData)?;
    nls::put_wide(guest, lpLCData, cchData, &answer(LCType)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_texts_or_numbers() {
        assert!(ENGLISH.is_sorted_by(|a, b| a.0 < b.0));
        let text = |kind| answer(kind).map(|units| String::from_utf16_lossy(&units));
        assert_eq!(text(0xe), Ok(".\0".into()));
        assert_eq!(text(0x2a | 0x8000_0000), Ok("Monday\0".into()));
        assert_eq!(answer(RETURN_NUMBER | 0x1004), Ok(vec![1252, 0]));
        assert_eq!(answer(RETURN_NUMBER | 1), Ok(vec![0x409, 0]));
        assert_eq!(answer(RETURN_NUMBER | 0xe), Err(Win32Error::INVALID_FLAGS));
        assert_eq!(answer(0xffff), Err(Win32Error::INVALID_FLAGS));
    }
}
