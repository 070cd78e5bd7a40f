//! Locales by number and by name.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::alike::alike;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::nls::locale::{self, Locale};
use crate::logic::nls::locale_names;
use crate::nt::nls;
use crate::teb::Teb;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetUserDefaultLCID;
    full GetSystemDefaultLCID;
    full GetUserDefaultLangID;
    full GetSystemDefaultLangID;
    full GetUserDefaultUILanguage;
    full GetSystemDefaultUILanguage;
    full GetUserDefaultLocaleName;
    full GetSystemDefaultLocaleName;
    full GetThreadLocale;
    forward VerLanguageNameA => "version.VerLanguageNameA";
    forward VerLanguageNameW => "version.VerLanguageNameW";
    partial SetThreadLocale, "80 locales; the rest are unknown";
    full GetThreadUILanguage;
    partial SetThreadUILanguage, "English (United States) only";
    partial ConvertDefaultLocale, "80 locales; the rest are unknown";
    partial IsValidLocale, "80 locales; the rest are unknown";
    partial IsValidLocaleName, "80 locales; the rest are unknown";
    partial LCIDToLocaleName, "80 locales; the rest are unknown";
    partial LocaleNameToLCID, "80 locales; the rest are unknown";
    partial ResolveLocaleName, "80 locales; the rest are unknown";
    partial EnumSystemLocalesA, "80 locales; the rest are unknown";
    partial EnumSystemLocalesW, "80 locales; the rest are unknown";
    partial EnumSystemLocalesEx, "80 locales; the rest are unknown";
};

/// `LOCALE_ALLOW_NEUTRAL_NAMES`: a language is not its first locale.
const ALLOW_NEUTRAL: u32 = 0x0800_0000;
/// `LOCALE_NAME_SYSTEM_DEFAULT`.
const SYSTEM_DEFAULT: &str = "!x-sys-default-locale";

/// Returns what an identifier stands for; the order of sorting in the upper half makes no difference.
fn resolve(locale: u32) -> Option<&'static Locale> {
    match locale & 0xffff {
        // Neutral, user, system, custom and unspecified defaults.
        0 | 0x400 | 0x800 | 0xc00 | 0x1000 => Some(nls::user_locale()),
        number => locale::of_number(locale_names::specific(number as u16)?.into()),
    }
}

/// Returns the locale of a number.
///
/// # Errors
/// `INVALID_PARAMETER` for one that plat does not have.
pub(super) fn of_number(locale: u32) -> Result<&'static Locale, Win32Error> {
    resolve(locale).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Returns the locale whose name lies at an address; null is the user's.
///
/// # Errors
/// `INVALID_PARAMETER` for one that plat does not have, `NOACCESS`.
pub(super) fn of_name(guest: &Guest, name: GuestWord) -> Result<&'static Locale, Win32Error> {
    if name.is_null() {
        return Ok(nls::user_locale());
    }
    named(&guest.read_wide_string(name.get())?).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Returns the locale of a name; a language stands for its first locale.
fn named(name: &[u16]) -> Option<&'static Locale> {
    let name = String::from_utf16_lossy(name);
    if name == SYSTEM_DEFAULT {
        return Some(nls::user_locale());
    }
    resolve(locale_names::number_of(&name)?.into())
}

/// Says whether plat has a locale of this name.
pub(super) fn is_known_name(name: &[u16]) -> bool {
    named(name).is_some()
}

/// Stores a name with its zero.
fn put_text(guest: &Guest, name: &str, buffer: GuestWord, size: i32) -> Result<i32, Win32Error> {
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    if size > 0 && buffer.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    nls::put_wide(guest, buffer, size, &name)
}

answers! {
    "Returns the user's locale.", "winnls/nf-winnls-getuserdefaultlcid";
    GetUserDefaultLCID() -> u32 = nls::user_locale().number;
    "Returns the system's locale.", "winnls/nf-winnls-getsystemdefaultlcid";
    GetSystemDefaultLCID() -> u32 = nls::user_locale().number;
    "Returns the language of the user's locale.", "winnls/nf-winnls-getuserdefaultlangid";
    GetUserDefaultLangID() -> u32 = nls::user_locale().number;
    "Returns the language of the system's locale.", "winnls/nf-winnls-getsystemdefaultlangid";
    GetSystemDefaultLangID() -> u32 = nls::user_locale().number;
    "Returns the language of the user's interface.", "winnls/nf-winnls-getuserdefaultuilanguage";
    GetUserDefaultUILanguage() -> u32 = nls::user_locale().number;
    "Returns the language of the system's interface.", "winnls/nf-winnls-getsystemdefaultuilanguage";
    GetSystemDefaultUILanguage() -> u32 = nls::user_locale().number;
    "Returns the language of the thread's interface.", "winnls/nf-winnls-getthreaduilanguage";
    GetThreadUILanguage() -> u32 = nls::user_locale().number;
    "Sets the language of the thread's interface; returns the one that is now set.", "winnls/nf-winnls-setthreaduilanguage";
    SetThreadUILanguage(LangId: u16) -> u32 = nls::user_locale().number;
}

alike! {
    fn(guest; lpLocaleName: GuestWord, cchLocaleName: i32) -> Result<i32, Win32Error> {
        if lpLocaleName.is_null() || cchLocaleName == 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        put_text(guest, nls::user_locale().name, lpLocaleName, cchLocaleName)
    }

    /// Returns the name of the user's locale.
    "winnls/nf-winnls-getuserdefaultlocalename" GetUserDefaultLocaleName;

    /// Returns the name of the system's locale.
    "winnls/nf-winnls-getsystemdefaultlocalename" GetSystemDefaultLocaleName;
}

/// Returns the thread's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getthreadlocale>
#[winapi]
pub fn GetThreadLocale(guest: &mut Guest) -> u32 {
    let address = guest.teb().address + Teb::CURRENT_LOCALE.offset(guest.machine());
    match guest.read_u32(address) {
        Ok(0) | Err(_) => nls::user_locale().number,
        Ok(locale) => locale,
    }
}

/// Sets the thread's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-setthreadlocale>
#[winapi]
pub fn SetThreadLocale(guest: &mut Guest, Locale: u32) -> Result<Bool, Win32Error> {
    let locale = of_number(Locale)?.number;
    let address = guest.teb().address + Teb::CURRENT_LOCALE.offset(guest.machine());
    guest.write(address, &locale)?;
    Ok(TRUE)
}

/// Returns what a default locale stands for; other locales come back as they are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-convertdefaultlocale>
#[winapi]
pub fn ConvertDefaultLocale(guest: &mut Guest, Locale: u32) -> u32 {
    let _ = guest;
    resolve(Locale).filter(|_| Locale != 0x9).map_or(Locale, |locale| locale.number)
}

/// Says whether a locale is installed or supported.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-isvalidlocale>
#[winapi]
pub fn IsValidLocale(guest: &mut Guest, Locale: u32, dwFlags: u32) -> Bool {
    let _ = (guest, dwFlags);
    // The defaults are no locales here.
    let is_default = matches!(Locale & 0xffff, 0 | 0x400 | 0x800 | 0xc00 | 0x1000);
    Bool(!is_default && resolve(Locale).is_some())
}

/// Says whether a locale of this name is there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-isvalidlocalename>
#[winapi]
pub fn IsValidLocaleName(guest: &mut Guest, lpLocaleName: GuestWord) -> Result<Bool, Fault> {
    if lpLocaleName.is_null() {
        return Ok(Bool(false));
    }
    Ok(Bool(is_known_name(&guest.read_wide_string(lpLocaleName.get())?)))
}

/// Returns the name of a locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-lcidtolocalename>
#[winapi]
pub fn LCIDToLocaleName(
    guest: &mut Guest,
    Locale: u32,
    lpName: GuestWord,
    cchName: i32,
    dwFlags: u32,
) -> Result<i32, Win32Error> {
    let is_neutral = dwFlags & ALLOW_NEUTRAL != 0 && Locale >> 16 == 0;
    let own = if is_neutral { locale_names::name_of(Locale as u16) } else { None };
    let name =
        own.or_else(|| resolve(Locale).map(|locale| locale.name)).ok_or(Win32Error::INVALID_PARAMETER)?;
    put_text(guest, name, lpName, cchName)
}

/// Returns the number of a locale; without a name, the user's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-localenametolcid>
#[winapi]
pub fn LocaleNameToLCID(guest: &mut Guest, lpName: GuestWord, dwFlags: u32) -> Result<u32, Win32Error> {
    if lpName.is_null() {
        return Ok(nls::user_locale().number);
    }
    let name = guest.read_wide_string(lpName.get())?;
    if dwFlags & ALLOW_NEUTRAL != 0
        && let Some(number) = locale_names::number_of(&String::from_utf16_lossy(&name))
    {
        return Ok(number.into());
    }
    named(&name).map(|locale| locale.number).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Returns the locale that is nearest to a name: the same language, or none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-resolvelocalename>
#[winapi]
pub fn ResolveLocaleName(
    guest: &mut Guest,
    lpNameToResolve: GuestWord,
    lpLocaleName: GuestWord,
    cchLocaleName: i32,
) -> Result<i32, Win32Error> {
    if lpNameToResolve.is_null() {
        return put_text(guest, nls::user_locale().name, lpLocaleName, cchLocaleName);
    }
    let name = String::from_utf16_lossy(&guest.read_wide_string(lpNameToResolve.get())?);
    let language = name.split('-').next().unwrap_or("");
    let exact = named(&name.encode_utf16().collect::<Vec<u16>>());
    let nearest = exact.or_else(|| resolve(locale_names::number_of(language)?.into()));
    put_text(guest, nearest.map_or("", |locale| locale.name), lpLocaleName, cchLocaleName)
}

/// Makes room for bytes that a function of the guest reads during one call, and calls it with their address first;
/// says whether it wants more.
pub(super) fn call_with(
    guest: &mut Guest,
    function: GuestWord,
    bytes: &[u8],
    more: &[u64],
) -> Result<bool, Win32Error> {
    let heaps = &guest.process().heaps;
    let block = heaps.allocate(0, bytes.len() as u64, false).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write_bytes(block, bytes)?;
    let arguments: Vec<u64> = [block].iter().chain(more).copied().collect();
    // A callback that throws leaves the block behind: a few bytes, and Windows would leak its buffers too.
    let answer = guest.call(function.get(), &arguments)?;
    guest.process().heaps.free(0, block);
    Ok(answer as u32 != 0)
}

pub(super) fn wide_bytes(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// Calls a function with each locale, as the text that `write` makes of it.
fn list(
    guest: &mut Guest,
    function: GuestWord,
    more: &[u64],
    write: impl Fn(&Locale) -> Vec<u8>,
) -> Result<Bool, Win32Error> {
    if function.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    for locale in locale::numbers().filter_map(locale::of_number) {
        if !call_with(guest, function, &write(locale), more)? {
            break;
        }
    }
    Ok(TRUE)
}

both_widths! {
    /// Calls a function with each locale's number in hexadecimal.
    "winnls/nf-winnls-enumsystemlocales"
    EnumSystemLocalesA, EnumSystemLocalesW(
        guest, width, lpLocaleEnumProc: GuestWord, dwFlags: u32
    ) -> Result<Bool, Win32Error> {
        let _ = dwFlags;
        list(guest, lpLocaleEnumProc, &[], |locale| {
            let number: Vec<u16> = format!("{:08X}", locale.number).encode_utf16().collect();
            width.bytes(&number)
        })
    }
}

/// Calls a function with each locale's name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-enumsystemlocalesex>
#[winapi]
pub fn EnumSystemLocalesEx(
    guest: &mut Guest,
    lpLocaleEnumProcEx: GuestWord,
    dwFlags: u32,
    lParam: GuestWord,
    lpReserved: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (dwFlags, lpReserved);
    // LOCALE_WINDOWS, the second argument.
    list(guest, lpLocaleEnumProcEx, &[1, lParam.get()], |locale| wide_bytes(locale.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_languages_and_locales_are_known() {
        let number = |locale| of_number(locale).map_or(0, |locale| locale.number);
        let known = [0, 0x400, 0x409, 0x1_0409, 0x7f, 0x407, 0x7, 0xa, 0x1234].map(number);
        assert_eq!(known, [0x409, 0x409, 0x409, 0x409, 0x7f, 0x407, 0x407, 0xc0a, 0]);
        let names = ["", "EN-us", "en", "de-DE", "zh-Hant", "xx-YY"];
        let names =
            names.map(|name| named(&name.encode_utf16().collect::<Vec<u16>>()).map(|locale| locale.number));
        assert_eq!(names, [Some(0x7f), Some(0x409), Some(0x409), Some(0x407), Some(0xc04), None]);
    }
}
