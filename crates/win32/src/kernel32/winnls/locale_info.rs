//! Facts about the locale: `GetLocaleInfo`.

use std::borrow::Cow;

use plat_abi::{GuestWord, Memory, winapi};

use super::locales;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::nls::locale::{GENITIVE, Locale};
use crate::logic::nls::locale_names;
use crate::nt::nls;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetLocaleInfoA, "80 locales; LOCALE_FONTSIGNATURE and rare types are missing";
    partial GetLocaleInfoW, "80 locales; LOCALE_FONTSIGNATURE and rare types are missing";
    partial GetLocaleInfoEx, "80 locales; LOCALE_FONTSIGNATURE and rare types are missing";
    partial SetLocaleInfoA, "fails: the user's settings are not written";
    partial SetLocaleInfoW, "fails: the user's settings are not written";
    full GetNLSVersion;
    full GetNLSVersionEx;
};

/// `LOCALE_ILANGUAGE`.
const ILANGUAGE: u32 = 1;
/// `LOCALE_SNAME`.
const SNAME: u32 = 0x5c;
/// `LOCALE_SPARENT`.
const SPARENT: u32 = 0x6d;
/// `LOCALE_INEUTRAL`.
const INEUTRAL: u32 = 0x71;
/// `LOCALE_RETURN_NUMBER`: the answer is a `DWORD`, not text.
const RETURN_NUMBER: u32 = 0x2000_0000;
/// `LOCALE_NOUSEROVERRIDE` and `LOCALE_USE_CP_ACP`: they make no difference here.
const MODIFIERS: u32 = 0xc000_0000;
/// `LOCALE_ILANGUAGE` and `LOCALE_IDEFAULTLANGUAGE`: hexadecimal numbers.
const HEXADECIMAL: [u32; 2] = [0x1, 0x9];

/// What a program asks about: a locale, or a language for which the locale stands.
struct Asked {
    locale: &'static Locale,
    /// The language's number.
    language: Option<u16>,
}

impl Asked {
    /// What somebody asks about who gives this number or that of this name.
    fn new(number: u32, locale: &'static Locale) -> Self {
        let number = u16::try_from(number).ok();
        let language = number.filter(|&number| {
            let specific = locale_names::specific(number);
            locale_names::name_of(number).is_some() && specific.is_some_and(|specific| specific != number)
        });
        Self { locale, language }
    }

    fn of_number(number: u32) -> Result<Self, Win32Error> {
        locales::of_number(number).map(|locale| Self::new(number, locale))
    }

    fn of_name(guest: &Guest, name: GuestWord) -> Result<Self, Win32Error> {
        let locale = locales::of_name(guest, name)?;
        let text = if name.is_null() { Vec::new() } else { guest.read_wide_string(name.get())? };
        let number = locale_names::number_of(&String::from_utf16_lossy(&text)).unwrap_or(0);
        Ok(Self::new(number.into(), locale))
    }

    /// Returns the text for a type, without modifiers.
    fn text(&self, kind: u32) -> Result<Cow<'static, str>, Win32Error> {
        let own = self.language.and_then(|language| language_fact(language, kind));
        own.map_or_else(|| text_of(self.locale, kind).map(Cow::Borrowed), Ok)
    }
}

/// Returns what a language has that is not as in the locale that stands for it.
///
/// Source: <https://learn.microsoft.com/windows/win32/intl/locale-sname>, and the pages of the other constants.
fn language_fact(language: u16, kind: u32) -> Option<Cow<'static, str>> {
    const ENGLISH_NAMES: [u32; 4] = [0x2, 0x6f, 0x72, 0x1001];
    let text = match kind {
        ILANGUAGE => return Some(format!("{language:04x}").into()),
        SNAME => locale_names::name_of(language)?,
        INEUTRAL => "1",
        SPARENT => match language {
            0x0004 | 0x7c04 => "zh",
            0x7814 | 0x7c14 => "no",
            _ => "",
        },
        kind if ENGLISH_NAMES.contains(&kind) => locale_names::english_name(language)?,
        _ => return None,
    };
    Some(text.into())
}

/// Returns the text for a type, without modifiers.
fn text_of(locale: &Locale, kind: u32) -> Result<&'static str, Win32Error> {
    let genitive = locale.fact(kind);
    genitive.or_else(|| locale.fact(kind & !GENITIVE)).ok_or(Win32Error::INVALID_FLAGS)
}

/// Returns the number that a type's text is.
fn number_of(asked: &Asked, kind: u32) -> Result<u32, Win32Error> {
    let radix = if HEXADECIMAL.contains(&kind) { 16 } else { 10 };
    u32::from_str_radix(&asked.text(kind)?, radix).map_err(|_| Win32Error::INVALID_FLAGS)
}

/// Returns the answer with its zero, as a wide caller gets it.
fn answer(asked: &Asked, kind: u32) -> Result<Vec<u16>, Win32Error> {
    let base = kind & !MODIFIERS;
    if base & RETURN_NUMBER != 0 {
        let number = number_of(asked, base & !RETURN_NUMBER)?;
        return Ok(vec![number as u16, (number >> 16) as u16]);
    }
    Ok(asked.text(base)?.encode_utf16().chain([0]).collect())
}

/// The version of sorting that Windows 10 has.
const SORTING_VERSION: u32 = 0x0006_0305;

/// Stores the version of sorting: in 3 words, or in 4 and an identifier.
fn put_version(
    guest: &Guest,
    function: u32,
    locale: Option<u32>,
    into: GuestWord,
) -> Result<Bool, Win32Error> {
    const COMPARE_STRING: u32 = 1;
    const SHORT: u32 = 12;
    const LONG: u32 = 32;
    let size = guest.read_u32(into.get())?;
    if ![SHORT, LONG].contains(&size) {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    if function != COMPARE_STRING {
        return Err(Win32Error::INVALID_FLAGS);
    }
    let locale = locale.ok_or(Win32Error::INVALID_PARAMETER)?;
    let mut words = vec![size, SORTING_VERSION, SORTING_VERSION];
    if size == LONG {
        words.extend([locale, 0, 0, 0, 0]);
    }
    let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    guest.write_bytes(into.get(), &bytes)?;
    Ok(TRUE)
}

/// Returns the version of sorting.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getnlsversion>
#[winapi]
pub fn GetNLSVersion(
    guest: &mut Guest,
    Function: u32,
    Locale: u32,
    lpVersionInformation: GuestWord,
) -> Result<Bool, Win32Error> {
    let known = locales::of_number(Locale).is_ok().then_some(Locale);
    put_version(guest, Function, known, lpVersionInformation)
}

/// Returns the version of sorting; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getnlsversionex>
#[winapi]
pub fn GetNLSVersionEx(
    guest: &mut Guest,
    function: u32,
    lpLocaleName: GuestWord,
    lpVersionInformation: GuestWord,
) -> Result<Bool, Win32Error> {
    let known = Asked::of_name(guest, lpLocaleName).and_then(|asked| number_of(&asked, ILANGUAGE));
    put_version(guest, function, known.ok(), lpVersionInformation)
}

both_widths! {
    /// Refuses to change the user's settings.
    "winnls/nf-winnls-setlocaleinfo"
    SetLocaleInfoA, SetLocaleInfoW(
        guest, width, Locale: u32, LCType: u32, lpLCData: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = (guest, width, Locale, LCType, lpLCData);
        Err(Win32Error::ACCESS_DENIED)
    }
}

pub(super) fn check(buffer: GuestWord, size: i32) -> Result<(), Win32Error> {
    let bad_buffer = size < 0 || (size > 0 && buffer.is_null());
    if bad_buffer { Err(Win32Error::INVALID_PARAMETER) } else { Ok(()) }
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
    check(lpLCData, cchData)?;
    let answer = answer(&Asked::of_number(Locale)?, LCType)?;
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
    check(lpLCData, cchData)?;
    nls::put_wide(guest, lpLCData, cchData, &answer(&Asked::of_number(Locale)?, LCType)?)
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
    check(lpLCData, cchData)?;
    nls::put_wide(guest, lpLCData, cchData, &answer(&Asked::of_name(guest, lpLocaleName)?, LCType)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::nls::locale::{EN_US, of_number};

    #[test]
    fn facts_are_texts_or_numbers() {
        let english = Asked::new(0x409, &EN_US);
        let text = |kind| answer(&english, kind).map(|units| String::from_utf16_lossy(&units));
        assert_eq!(text(0xe), Ok(".\0".into()));
        assert_eq!(text(0x2a | 0x8000_0000), Ok("Monday\0".into()));
        assert_eq!(answer(&english, RETURN_NUMBER | 0x1004), Ok(vec![1252, 0]));
        assert_eq!(answer(&english, RETURN_NUMBER | 1), Ok(vec![0x409, 0]));
        assert_eq!(answer(&english, RETURN_NUMBER | 0xe), Err(Win32Error::INVALID_FLAGS));
        let polish = of_number(0x415).unwrap();
        assert_eq!(text_of(polish, 0x38), Ok("styczeń"));
        assert_eq!(text_of(polish, 0x38 | GENITIVE), Ok("stycznia"));
        assert_eq!(answer(&english, 0xffff), Err(Win32Error::INVALID_FLAGS));
    }

    #[test]
    fn a_language_is_no_locale() {
        let facts = |number: u32| {
            let locale = of_number(locale_names::specific(number as u16).unwrap().into()).unwrap();
            let asked = Asked::new(number, locale);
            [ILANGUAGE, SNAME, SPARENT, INEUTRAL, 0x1001].map(|kind| asked.text(kind).unwrap().into_owned())
        };
        assert_eq!(facts(0x09), ["0009", "en", "", "1", "English"]);
        assert_eq!(facts(0x409), ["0409", "en-US", "en", "0", "English"]);
        assert_eq!(facts(0x04), ["0004", "zh-Hans", "zh", "1", "Chinese (Simplified)"]);
        assert_eq!(facts(0x7804), ["7804", "zh", "", "1", "Chinese"]);
        assert_eq!(facts(0x404), ["0404", "zh-TW", "zh-Hant", "0", "Chinese (Traditional)"]);
    }
}
