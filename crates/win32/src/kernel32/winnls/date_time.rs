//! datetimeapi.h: dates and times as texts.

use plat_abi::{GuestWord, Memory, winapi};

use super::locale_info::check;
use super::locales;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::timezoneapi::SYSTEMTIME;
use crate::logic::nls::date_format;
use crate::logic::nls::locale::{self, Locale};
use crate::logic::time::{
    SystemTime, file_time_to_local, file_time_to_system_time, system_time_to_file_time,
};
use crate::nt::{nls, time};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetDateFormatA, "80 locales, the Gregorian calendar";
    partial GetDateFormatW, "80 locales, the Gregorian calendar";
    partial GetDateFormatEx, "80 locales, the Gregorian calendar";
    partial GetTimeFormatA, "80 locales";
    partial GetTimeFormatW, "80 locales";
    partial GetTimeFormatEx, "80 locales";
};

/// Flags that choose a date's picture, and the facts that they choose.
const PICTURES: [(u32, u32); 4] = [
    (0x1, locale::SHORT_DATE),
    (0x2, locale::LONG_DATE),
    (0x8, locale::YEAR_MONTH),
    (0x80, locale::MONTH_DAY),
];
/// `LOCALE_NOUSEROVERRIDE`, `LOCALE_USE_CP_ACP`.
const MODIFIERS: u32 = 0xc000_0000;
/// `DATE_USE_ALT_CALENDAR`, which there is none of, and the directions of reading.
const DATE_REST: u32 = 0x4 | 0x10 | 0x20 | 0x40;
/// `TIME_NOMINUTESORSECONDS` to `TIME_FORCE24HOURFORMAT`.
const TIME_FLAGS: u32 = 0xf;

/// Which of the two texts is wanted.
type Formatter = fn(&Locale, u32, &SystemTime, Option<&[u16]>) -> Result<Vec<u16>, Win32Error>;

/// Returns the text for a date; its day of the week is found anew.
fn date_text(
    locale: &Locale,
    flags: u32,
    time: &SystemTime,
    picture: Option<&[u16]>,
) -> Result<Vec<u16>, Win32Error> {
    let chosen: Vec<u32> = PICTURES.iter().filter(|row| flags & row.0 != 0).map(|row| row.1).collect();
    let known = MODIFIERS | DATE_REST | PICTURES.iter().fold(0, |sum, row| sum | row.0);
    if flags & !known != 0 || chosen.len() + usize::from(picture.is_some()) > 1 {
        return Err(Win32Error::INVALID_FLAGS);
    }
    let midnight = SystemTime { hour: 0, minute: 0, second: 0, millisecond: 0, ..*time };
    let day = file_time_to_system_time(system_time_to_file_time(&midnight)?)?;
    let own: Vec<u16>;
    let picture = match picture {
        Some(picture) => picture,
        None => {
            let kind = chosen.first().copied().unwrap_or(locale::SHORT_DATE);
            own = locale.text(kind).encode_utf16().collect();
            &own
        }
    };
    Ok(date_format::date(locale, &day, picture))
}

/// Returns the text for a time of day; the date does not count.
fn time_text(
    locale: &Locale,
    flags: u32,
    time: &SystemTime,
    picture: Option<&[u16]>,
) -> Result<Vec<u16>, Win32Error> {
    if flags & !(MODIFIERS | TIME_FLAGS) != 0 || (picture.is_some() && flags & 0x8000_0000 != 0) {
        return Err(Win32Error::INVALID_FLAGS);
    }
    if time.hour > 23 || time.minute > 59 || time.second > 59 || time.millisecond > 999 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let own: Vec<u16> = locale.text(locale::TIME_FORMAT).encode_utf16().collect();
    Ok(date_format::time(locale, time, picture.unwrap_or(&own), flags))
}

/// Reads a `SYSTEMTIME`; null is now, in local time.
fn read_time(guest: &Guest, address: GuestWord) -> Result<SystemTime, Win32Error> {
    if address.is_null() {
        return file_time_to_system_time(file_time_to_local(time::now(), time::bias_minutes)?);
    }
    Ok(guest.read::<SYSTEMTIME>(address.get())?.into())
}

/// The arguments that all six functions have in common.
struct Wanted {
    flags: u32,
    time: GuestWord,
    picture: GuestWord,
    buffer: GuestWord,
    size: i32,
}

impl Wanted {
    fn put(&self, guest: &Guest, locale: &Locale, form: Formatter, is_wide: bool) -> Result<i32, Win32Error> {
        check(self.buffer, self.size)?;
        let picture = match (self.picture.get(), is_wide) {
            (0, _) => None,
            (address, true) => Some(guest.read_wide_string(address)?),
            (address, false) => Some(nls::read_ansi(guest, address)?),
        };
        let time = read_time(guest, self.time)?;
        let mut text = form(locale, self.flags, &time, picture.as_deref())?;
        text.push(0);
        match is_wide {
            true => nls::put_wide(guest, self.buffer, self.size, &text),
            false => nls::put_bytes(guest, self.buffer, self.size, &nls::narrow(&text)),
        }
    }
}

/// Writes the functions that take a locale's number.
macro_rules! by_number {
    ($($(#[doc = $what:literal])+ $name:ident $time:ident $picture:ident $buffer:ident $size:ident $form:ident $wide:literal;)*) => {$(
        $(#[doc = $what])+
        #[winapi]
        pub fn $name(
            guest: &mut Guest,
            Locale: u32,
            dwFlags: u32,
            $time: GuestWord,
            $picture: GuestWord,
            $buffer: GuestWord,
            $size: i32,
        ) -> Result<i32, Win32Error> {
            let locale = locales::of_number(Locale)?;
            let wanted = Wanted { flags: dwFlags, time: $time, picture: $picture, buffer: $buffer, size: $size };
            wanted.put(guest, locale, $form, $wide)
        }
    )*};
}

by_number! {
    /// Writes a date as a locale does, or by a picture.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/datetimeapi/nf-datetimeapi-getdateformata>
    GetDateFormatA lpDate lpFormat lpDateStr cchDate date_text false;
    /// Writes a date as a locale does, or by a picture.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/datetimeapi/nf-datetimeapi-getdateformatw>
    GetDateFormatW lpDate lpFormat lpDateStr cchDate date_text true;
    /// Writes a time of day as a locale does, or by a picture.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/datetimeapi/nf-datetimeapi-gettimeformata>
    GetTimeFormatA lpTime lpFormat lpTimeStr cchTime time_text false;
    /// Writes a time of day as a locale does, or by a picture.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/datetimeapi/nf-datetimeapi-gettimeformatw>
    GetTimeFormatW lpTime lpFormat lpTimeStr cchTime time_text true;
}

/// Writes a date as a locale does, or by a picture; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/datetimeapi/nf-datetimeapi-getdateformatex>
#[winapi]
pub fn GetDateFormatEx(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    dwFlags: u32,
    lpDate: GuestWord,
    lpFormat: GuestWord,
    lpDateStr: GuestWord,
    cchDate: i32,
    lpCalendar: GuestWord,
) -> Result<i32, Win32Error> {
    if !lpCalendar.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let locale = locales::of_name(guest, lpLocaleName)?;
    let wanted = Wanted { flags: dwFlags, time: lpDate, picture: lpFormat, buffer: lpDateStr, size: cchDate };
    wanted.put(guest, locale, date_text, true)
}

/// Writes a time of day as a locale does, or by a picture; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/datetimeapi/nf-datetimeapi-gettimeformatex>
#[winapi]
pub fn GetTimeFormatEx(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    dwFlags: u32,
    lpTime: GuestWord,
    lpFormat: GuestWord,
    lpTimeStr: GuestWord,
    cchTime: i32,
) -> Result<i32, Win32Error> {
    let locale = locales::of_name(guest, lpLocaleName)?;
    let wanted = Wanted { flags: dwFlags, time: lpTime, picture: lpFormat, buffer: lpTimeStr, size: cchTime };
    wanted.put(guest, locale, time_text, true)
}
