//! Locales by number and by name.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::nls::case::equal_ignore_case;
use crate::logic::nls::locale::{self, Locale};
use crate::logic::nls::locale_names;
use crate::nt::nls::{self, LOCALE_EN_US};
use crate::teb::Teb;

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
    partial SetThreadLocale, "English (United States) only";
    full GetThreadUILanguage;
    partial SetThreadUILanguage, "English (United States) only";
    partial ConvertDefaultLocale, "English (United States) only";
    partial IsValidLocale, "English (United States) and the invariant locale only";
    partial IsValidLocaleName, "English (United States) and the invariant locale only";
    partial LCIDToLocaleName, "not the locales that Windows is not sold in";
    partial LocaleNameToLCID, "not the locales that Windows is not sold in";
    partial ResolveLocaleName, "English (United States) and the invariant locale only";
    partial EnumSystemLocalesA, "lists English (United States) only";
    partial EnumSystemLocalesW, "lists English (United States) only";
    partial EnumSystemLocalesEx, "lists English (United States) only";
    stub GetNLSVersion;
};

/// `LOCALE_INVARIANT`.
const INVARIANT: u32 = 0x7f;
/// The name of the one locale.
const EN_US: &str = "en-US";
/// `LOCALE_NAME_SYSTEM_DEFAULT`.
const SYSTEM_DEFAULT: &str = "!x-sys-default-locale";

/// Returns what an identifier stands for: the defaults stand for English (United States); the order of sorting in
/// the upper half makes no difference.
fn resolve(locale: u32) -> Option<u32> {
    match locale & 0xffff {
        0 | 0x9 | 0x400 | 0x800 | 0xc00 | 0x1000 | LOCALE_EN_US => Some(LOCALE_EN_US),
        INVARIANT => Some(INVARIANT),
        _ => None,
    }
}

/// Returns the locale of a number.
///
/// # Errors
/// `INVALID_PARAMETER` for one that plat does not have.
pub(super) fn of_number(locale: u32) -> Result<&'static Locale, Win32Error> {
    let number = resolve(locale).ok_or(Win32Error::INVALID_PARAMETER)?;
    Ok(if number == INVARIANT { &locale::INVARIANT } else { &locale::EN_US })
}

/// Returns the locale whose name lies at an address; null is the user's.
///
/// # Errors
/// `INVALID_PARAMETER` for one that plat does not have, `NOACCESS`.
pub(super) fn of_name(guest: &Guest, name: GuestWord) -> Result<&'static Locale, Win32Error> {
    if name.is_null() {
        return Ok(&locale::EN_US);
    }
    let name = guest.read_wide_string(name.get())?;
    of_number(named(&name).ok_or(Win32Error::INVALID_PARAMETER)?)
}

/// Returns the locale of a name.
fn named(name: &[u16]) -> Option<u32> {
    let is = |text: &str| equal_ignore_case(name, &text.encode_utf16().collect::<Vec<u16>>());
    match () {
        () if is("") => Some(INVARIANT),
        () if is(EN_US) || is("en") || is(SYSTEM_DEFAULT) => Some(LOCALE_EN_US),
        () => None,
    }
}

/// Says whether plat has a locale of this name.
pub(super) fn is_known_name(name: &[u16]) -> bool {
    named(name).is_some()
}

/// Stores a locale's name with its zero.
fn put_name(guest: &Guest, locale: u32, buffer: GuestWord, size: i32) -> Result<i32, Win32Error> {
    put_text(guest, if locale == INVARIANT { "" } else { EN_US }, buffer, size)
}

/// Stores a name with its zero.
fn put_text(guest: &Guest, name: &str, buffer: GuestWord, size: i32) -> Result<i32, Win32Error> {
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    if size > 0 && buffer.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    nls::put_wide(guest, buffer, size, &name)
}

/// Returns the user's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getuserdefaultlcid>
#[winapi]
pub fn GetUserDefaultLCID(guest: &mut Guest) -> u32 {
    let _ = guest;
    LOCALE_EN_US
}

/// Returns the system's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getsystemdefaultlcid>
#[winapi]
pub fn GetSystemDefaultLCID(guest: &mut Guest) -> u32 {
    let _ = guest;
    LOCALE_EN_US
}

/// Returns the language of the user's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getuserdefaultlangid>
#[winapi]
pub fn GetUserDefaultLangID(guest: &mut Guest) -> u32 {
    let _ = guest;
    LOCALE_EN_US
}

/// Returns the language of the system's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getsystemdefaultlangid>
#[winapi]
pub fn GetSystemDefaultLangID(guest: &mut Guest) -> u32 {
    let _ = guest;
    LOCALE_EN_US
}

/// Returns the language of the user's interface.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getuserdefaultuilanguage>
#[winapi]
pub fn GetUserDefaultUILanguage(guest: &mut Guest) -> u32 {
    let _ = guest;
    LOCALE_EN_US
}

/// Returns the language of the system's interface.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getsystemdefaultuilanguage>
#[winapi]
pub fn GetSystemDefaultUILanguage(guest: &mut Guest) -> u32 {
    let _ = guest;
    LOCALE_EN_US
}

/// Returns the language of the thread's interface.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getthreaduilanguage>
#[winapi]
pub fn GetThreadUILanguage(guest: &mut Guest) -> u32 {
    let _ = guest;
    LOCALE_EN_US
}

/// Returns the name of the user's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getuserdefaultlocalename>
#[winapi]
pub fn GetUserDefaultLocaleName(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    cchLocaleName: i32,
) -> Result<i32, Win32Error> {
    if lpLocaleName.is_null() || cchLocaleName == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    put_name(guest, LOCALE_EN_US, lpLocaleName, cchLocaleName)
}

/// Returns the name of the system's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getsystemdefaultlocalename>
#[winapi]
pub fn GetSystemDefaultLocaleName(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    cchLocaleName: i32,
) -> Result<i32, Win32Error> {
    if lpLocaleName.is_null() || cchLocaleName == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    put_name(guest, LOCALE_EN_US, lpLocaleName, cchLocaleName)
}

/// Returns the thread's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getthreadlocale>
#[winapi]
pub fn GetThreadLocale(guest: &mut Guest) -> u32 {
    let address = guest.teb().address + Teb::CURRENT_LOCALE.offset(guest.machine());
    match guest.read_u32(address) {
        Ok(0) | Err(_) => LOCALE_EN_US,
        Ok(locale) => locale,
    }
}

/// Sets the thread's locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-setthreadlocale>
#[winapi]
pub fn SetThreadLocale(guest: &mut Guest, Locale: u32) -> Result<Bool, Win32Error> {
    let locale = resolve(Locale).ok_or(Win32Error::INVALID_PARAMETER)?;
    let address = guest.teb().address + Teb::CURRENT_LOCALE.offset(guest.machine());
    guest.write(address, &locale)?;
    Ok(TRUE)
}

/// Sets the language of the thread's interface; returns the one that is now set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-setthreaduilanguage>
#[winapi]
pub fn SetThreadUILanguage(guest: &mut Guest, LangId: u16) -> u32 {
    let _ = (guest, LangId);
    LOCALE_EN_US
}

/// Returns what a default locale stands for; other locales come back as they are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-convertdefaultlocale>
#[winapi]
pub fn ConvertDefaultLocale(guest: &mut Guest, Locale: u32) -> u32 {
    let _ = guest;
    resolve(Locale).filter(|_| Locale != 0x9).unwrap_or(Locale)
}

/// Says whether a locale is installed or supported.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-isvalidlocale>
#[winapi]
pub fn IsValidLocale(guest: &mut Guest, Locale: u32, dwFlags: u32) -> Bool {
    let _ = (guest, dwFlags);
    // The defaults are no locales here.
    Bool(matches!(Locale & 0xffff, 0x9 | INVARIANT | LOCALE_EN_US))
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
    let _ = dwFlags;
    let name = match resolve(Locale) {
        Some(INVARIANT) => "",
        Some(_) => EN_US,
        None => locale_names::name_of(Locale as u16).ok_or(Win32Error::INVALID_PARAMETER)?,
    };
    put_text(guest, name, lpName, cchName)
}

/// Returns the number of a locale; without a name, the user's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-localenametolcid>
#[winapi]
pub fn LocaleNameToLCID(guest: &mut Guest, lpName: GuestWord, dwFlags: u32) -> Result<u32, Win32Error> {
    let _ = dwFlags;
    if lpName.is_null() {
        return Ok(LOCALE_EN_US);
    }
    let name = guest.read_wide_string(lpName.get())?;
    let number = || locale_names::number_of(&String::from_utf16_lossy(&name)).map(u32::from);
    named(&name).or_else(number).ok_or(Win32Error::INVALID_PARAMETER)
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
        return put_text(guest, EN_US, lpLocaleName, cchLocaleName);
    }
    let name = String::from_utf16_lossy(&guest.read_wide_string(lpNameToResolve.get())?);
    let language = name.split('-').next().unwrap_or("");
    let resolved = if language.eq_ignore_ascii_case("en") { EN_US } else { "" };
    put_text(guest, resolved, lpLocaleName, cchLocaleName)
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

/// Calls a function with each locale's number in hexadecimal.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-enumsystemlocalesa>
#[winapi]
pub fn EnumSystemLocalesA(
    guest: &mut Guest,
    lpLocaleEnumProc: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    if lpLocaleEnumProc.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    call_with(guest, lpLocaleEnumProc, b"00000409\0", &[])?;
    Ok(TRUE)
}

/// Calls a function with each locale's number in hexadecimal.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-enumsystemlocalesw>
#[winapi]
pub fn EnumSystemLocalesW(
    guest: &mut Guest,
    lpLocaleEnumProc: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    if lpLocaleEnumProc.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    call_with(guest, lpLocaleEnumProc, &wide_bytes("00000409"), &[])?;
    Ok(TRUE)
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
    if lpLocaleEnumProcEx.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    // LOCALE_WINDOWS, the second argument.
    call_with(guest, lpLocaleEnumProcEx, &wide_bytes(EN_US), &[1, lParam.get()])?;
    Ok(TRUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_english_are_known() {
        let known =
            [0, 0x400, 0x800, 0x409, 0x1_0409, 0x7f, 0x407, 0x411].map(|locale| of_number(locale).is_ok());
        assert_eq!(known, [true, true, true, true, true, true, false, false]);
        let names =
            ["", "EN-us", "en", "de-DE"].map(|name| named(&name.encode_utf16().collect::<Vec<u16>>()));
        assert_eq!(names, [Some(0x7f), Some(0x409), Some(0x409), None]);
    }
}
