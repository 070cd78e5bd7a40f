//! Calendars, and lists of the pictures that a locale has for dates and times.

use plat_abi::{GuestWord, Memory, winapi};

use super::locale_info::check;
use super::locales::{self, call_with, wide_bytes};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::nls::date_format::ERA;
use crate::logic::nls::locale::{self, Locale};
use crate::nt::nls;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetCalendarInfoA, "80 locales, the Gregorian calendar";
    partial GetCalendarInfoW, "80 locales, the Gregorian calendar";
    partial GetCalendarInfoEx, "80 locales, the Gregorian calendar";
    partial SetCalendarInfoA, "fails: the user's settings are fixed";
    partial SetCalendarInfoW, "fails: the user's settings are fixed";
    partial EnumCalendarInfoA, "80 locales, the Gregorian calendar";
    partial EnumCalendarInfoW, "80 locales, the Gregorian calendar";
    partial EnumCalendarInfoExA, "80 locales, the Gregorian calendar";
    partial EnumCalendarInfoExW, "80 locales, the Gregorian calendar";
    partial EnumCalendarInfoExEx, "80 locales, the Gregorian calendar";
    partial EnumDateFormatsA, "80 locales";
    partial EnumDateFormatsW, "80 locales";
    partial EnumDateFormatsExA, "80 locales";
    partial EnumDateFormatsExW, "80 locales";
    partial EnumDateFormatsExEx, "80 locales";
    partial EnumTimeFormatsA, "80 locales";
    partial EnumTimeFormatsW, "80 locales";
    partial EnumTimeFormatsEx, "80 locales";
};

/// `CAL_GREGORIAN`.
const GREGORIAN: u32 = 1;
/// `ENUM_ALL_CALENDARS`.
const ALL_CALENDARS: u32 = 0xffff_ffff;
/// `CAL_RETURN_NUMBER`.
const RETURN_NUMBER: u32 = 0x2000_0000;
/// `CAL_NOUSEROVERRIDE`, `CAL_USE_CP_ACP` and `CAL_RETURN_GENITIVE_NAMES`.
const MODIFIERS: u32 = 0xc000_0000 | 0x1000_0000;
/// The last year of two digits that belongs to this century: `CAL_ITWODIGITYEARMAX`.
const TWO_DIGIT_YEAR_MAX: &str = "2049";

/// Returns the text for a calendar's type (`CALTYPE`).
///
/// Source: <https://learn.microsoft.com/windows/win32/intl/calendar-type-information>
fn fact(locale: &Locale, kind: u32) -> Result<&'static str, Win32Error> {
    // Calendars begin the week on Monday, as locales do.
    let of_locale = match kind {
        1 => return Ok("1"),
        2 => return Ok("Gregorian Calendar"),
        3 => return Ok("0"),
        4 => return Ok(ERA),
        48 => return Ok(TWO_DIGIT_YEAR_MAX),
        57 => return Ok("AD"),
        5 => locale::SHORT_DATE,
        6 => locale::LONG_DATE,
        7..=13 => locale::DAY_NAME + kind - 7,
        14..=20 => locale::SHORT_DAY_NAME + kind - 14,
        21..=32 => locale::MONTH_NAME + kind - 21,
        34..=45 => locale::SHORT_MONTH_NAME + kind - 34,
        // The thirteenth month, which this calendar lacks.
        33 | 46 => return Ok(""),
        47 => locale::YEAR_MONTH,
        49..=55 => locale::SHORTEST_DAY_NAME + kind - 49,
        56 => locale::MONTH_DAY,
        _ => return Err(Win32Error::INVALID_FLAGS),
    };
    locale.fact(of_locale).ok_or(Win32Error::INVALID_FLAGS)
}

/// Where a fact about a calendar goes: text to the buffer, or a number to `value`.
struct Target {
    buffer: GuestWord,
    size: i32,
    value: GuestWord,
    width: Width,
}

fn info(
    guest: &Guest,
    locale: &Locale,
    calendar: u32,
    kind: u32,
    target: &Target,
) -> Result<i32, Win32Error> {
    let wants_number = kind & RETURN_NUMBER != 0;
    if calendar != GREGORIAN || wants_number == target.value.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let text = fact(locale, kind & !(RETURN_NUMBER | MODIFIERS))?;
    if wants_number {
        if !target.buffer.is_null() || target.size != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let number: u32 = text.parse().map_err(|_| Win32Error::INVALID_FLAGS)?;
        guest.write(target.value.get(), &number)?;
        // How many characters a DWORD is.
        return Ok(4 / target.width.unit_bytes() as i32);
    }
    check(target.buffer, target.size)?;
    let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
    match target.width {
        Width::Wide => nls::put_wide(guest, target.buffer, target.size, &text),
        Width::Narrow => nls::put_bytes(guest, target.buffer, target.size, &nls::narrow(&text)),
    }
}

both_widths! {
    /// Returns a fact about a calendar.
    "winnls/nf-winnls-getcalendarinfo"
    GetCalendarInfoA, GetCalendarInfoW(guest, width, Locale: u32, Calendar: u32, CalType: u32, lpCalData: GuestWord,
        cchData: i32, lpValue: GuestWord) -> Result<i32, Win32Error> {
        let target = Target { buffer: lpCalData, size: cchData, value: lpValue, width };
        info(guest, locales::of_number(Locale)?, Calendar, CalType, &target)
    }
}

both_widths! {
    /// Changes a fact about the user's calendar: they are fixed.
    "winnls/nf-winnls-setcalendarinfo"
    SetCalendarInfoA, SetCalendarInfoW(guest, width, Locale: u32, Calendar: u32, CalType: u32,
        lpCalData: GuestWord) -> Result<Bool, Win32Error> {
        let _ = (guest, width, Locale, Calendar, CalType, lpCalData);
        Err(Win32Error::ACCESS_DENIED)
    }
}

/// Returns a fact about a calendar; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getcalendarinfoex>
#[winapi]
pub fn GetCalendarInfoEx(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    Calendar: u32,
    lpReserved: GuestWord,
    CalType: u32,
    lpCalData: GuestWord,
    cchData: i32,
    lpValue: GuestWord,
) -> Result<i32, Win32Error> {
    let _ = lpReserved;
    let target = Target { buffer: lpCalData, size: cchData, value: lpValue, width: Width::Wide };
    info(guest, locales::of_name(guest, lpLocaleName)?, Calendar, CalType, &target)
}

/// Calls a function with each text and what more it takes, until it wants no more.
fn list(
    guest: &mut Guest,
    function: GuestWord,
    texts: &[&str],
    width: Width,
    more: &[u64],
) -> Result<Bool, Win32Error> {
    if function.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    for text in texts {
        let bytes = match width {
            Width::Wide => wide_bytes(text),
            Width::Narrow => nls::narrow(&text.encode_utf16().chain([0]).collect::<Vec<u16>>()),
        };
        if !call_with(guest, function, &bytes, more)? {
            break;
        }
    }
    Ok(TRUE)
}

fn list_calendar(
    guest: &mut Guest,
    function: GuestWord,
    locale: &Locale,
    (calendar, kind): (u32, u32),
    (width, more): (Width, &[u64]),
) -> Result<Bool, Win32Error> {
    if ![GREGORIAN, ALL_CALENDARS].contains(&calendar) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let text = fact(locale, kind & !MODIFIERS)?;
    list(guest, function, &[text], width, more)
}

both_widths! {
    /// Calls a function with a fact about each calendar.
    "winnls/nf-winnls-enumcalendarinfo"
    EnumCalendarInfoA, EnumCalendarInfoW(guest, width, lpCalInfoEnumProc: GuestWord, Locale: u32, Calendar: u32,
        CalType: u32) -> Result<Bool, Win32Error> {
        list_calendar(guest, lpCalInfoEnumProc, locales::of_number(Locale)?, (Calendar, CalType), (width, &[]))
    }

    /// Calls a function with a fact about each calendar and the calendar.
    "winnls/nf-winnls-enumcalendarinfoex"
    EnumCalendarInfoExA, EnumCalendarInfoExW(guest, width, lpCalInfoEnumProcEx: GuestWord, Locale: u32, Calendar: u32,
        CalType: u32) -> Result<Bool, Win32Error> {
        let (locale, more) = (locales::of_number(Locale)?, [u64::from(GREGORIAN)]);
        list_calendar(guest, lpCalInfoEnumProcEx, locale, (Calendar, CalType), (width, &more))
    }
}

/// Calls a function with a fact about each calendar; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-enumcalendarinfoexex>
#[winapi]
pub fn EnumCalendarInfoExEx(
    guest: &mut Guest,
    pCalInfoEnumProcExEx: GuestWord,
    lpLocaleName: GuestWord,
    Calendar: u32,
    lpReserved: GuestWord,
    CalType: u32,
    lParam: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpReserved;
    let locale = locales::of_name(guest, lpLocaleName)?;
    let more = [u64::from(GREGORIAN), 0, lParam.get()];
    list_calendar(guest, pCalInfoEnumProcExEx, locale, (Calendar, CalType), (Width::Wide, &more))
}

/// Returns the pictures that flags ask for: short, long, year and month, or month and day.
fn date_pictures(locale: &Locale, flags: u32) -> Result<Vec<&'static str>, Win32Error> {
    match flags & !0xc000_0000 {
        0 | 1 => Ok(locale.dates[0].to_vec()),
        2 => Ok(locale.dates[1].to_vec()),
        8 => Ok(locale.dates[2].to_vec()),
        0x80 => Ok(vec![locale.text(locale::MONTH_DAY)]),
        _ => Err(Win32Error::INVALID_FLAGS),
    }
}

both_widths! {
    /// Calls a function with each picture that a locale has for dates.
    "winnls/nf-winnls-enumdateformats"
    EnumDateFormatsA, EnumDateFormatsW(guest, width, lpDateFmtEnumProc: GuestWord, Locale: u32,
        dwFlags: u32) -> Result<Bool, Win32Error> {
        let pictures = date_pictures(locales::of_number(Locale)?, dwFlags)?;
        list(guest, lpDateFmtEnumProc, &pictures, width, &[])
    }

    /// Calls a function with each picture that a locale has for dates and the calendar.
    "winnls/nf-winnls-enumdateformatsex"
    EnumDateFormatsExA, EnumDateFormatsExW(guest, width, lpDateFmtEnumProcEx: GuestWord, Locale: u32,
        dwFlags: u32) -> Result<Bool, Win32Error> {
        let pictures = date_pictures(locales::of_number(Locale)?, dwFlags)?;
        list(guest, lpDateFmtEnumProcEx, &pictures, width, &[u64::from(GREGORIAN)])
    }
}

/// Calls a function with each picture that a locale has for dates; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-enumdateformatsexex>
#[winapi]
pub fn EnumDateFormatsExEx(
    guest: &mut Guest,
    lpDateFmtEnumProcExEx: GuestWord,
    lpLocaleName: GuestWord,
    dwFlags: u32,
    lParam: GuestWord,
) -> Result<Bool, Win32Error> {
    let pictures = date_pictures(locales::of_name(guest, lpLocaleName)?, dwFlags)?;
    list(guest, lpDateFmtEnumProcExEx, &pictures, Width::Wide, &[u64::from(GREGORIAN), lParam.get()])
}

/// Returns the pictures that flags ask for: those of the locale, or `TIME_NOSECONDS`.
fn time_pictures(locale: &Locale, flags: u32) -> Result<Vec<&'static str>, Win32Error> {
    /// `LOCALE_SSHORTTIME`.
    const SHORT_TIME: u32 = 0x79;
    match flags & !0xc000_0000 {
        0 => Ok(locale.times.to_vec()),
        2 => Ok(vec![locale.text(SHORT_TIME)]),
        _ => Err(Win32Error::INVALID_FLAGS),
    }
}

both_widths! {
    /// Calls a function with each picture that a locale has for times.
    "winnls/nf-winnls-enumtimeformats"
    EnumTimeFormatsA, EnumTimeFormatsW(guest, width, lpTimeFmtEnumProc: GuestWord, Locale: u32,
        dwFlags: u32) -> Result<Bool, Win32Error> {
        let pictures = time_pictures(locales::of_number(Locale)?, dwFlags)?;
        list(guest, lpTimeFmtEnumProc, &pictures, width, &[])
    }
}

/// Calls a function with each picture that a locale has for times; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-enumtimeformatsex>
#[winapi]
pub fn EnumTimeFormatsEx(
    guest: &mut Guest,
    lpTimeFmtEnumProcEx: GuestWord,
    lpLocaleName: GuestWord,
    dwFlags: u32,
    lParam: GuestWord,
) -> Result<Bool, Win32Error> {
    let pictures = time_pictures(locales::of_name(guest, lpLocaleName)?, dwFlags)?;
    list(guest, lpTimeFmtEnumProcEx, &pictures, Width::Wide, &[lParam.get()])
}
