//! timezoneapi.h: local time of any zone and year. A zone is a bias and two rules, "the n-th weekday of a month".

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::timezoneapi::{SYSTEMTIME, TIME_ZONE_INFORMATION, describe_zone, put_dynamic};
use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::time::{self as rules, SystemTime};
use crate::logic::zone_rules::{Rules, bias_of_local, bias_of_utc};
use crate::nt::time;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial EnumDynamicTimeZoneInformation, "the current zone only";
    partial GetDynamicTimeZoneInformationEffectiveYears, "the current zone only";
    partial GetTimeZoneInformationForYear, "the rules of other zones are those that the caller gives";
    full SetDynamicTimeZoneInformation;
    full SetTimeZoneInformation;
    full SystemTimeToTzSpecificLocalTime;
    partial SystemTimeToTzSpecificLocalTimeEx, "the rules of other zones are those that the caller gives";
    full TzSpecificLocalTimeToSystemTime;
    partial TzSpecificLocalTimeToSystemTimeEx, "the rules of other zones are those that the caller gives";
};

/// Years that `GetTimeZoneInformationForYear` takes: those of a FILETIME.
const YEARS: std::ops::RangeInclusive<u16> = 1601..=30827;

impl From<&TIME_ZONE_INFORMATION> for Rules {
    fn from(zone: &TIME_ZONE_INFORMATION) -> Self {
        Self {
            bias: zone.Bias,
            standard_bias: zone.StandardBias,
            daylight_bias: zone.DaylightBias,
            to_standard: SYSTEMTIME { fields: zone.StandardDate }.into(),
            to_daylight: SYSTEMTIME { fields: zone.DaylightDate }.into(),
        }
    }
}

/// Returns the description of the current zone in a year.
fn current_zone(year: u16) -> Result<(TIME_ZONE_INFORMATION, String), Win32Error> {
    let summer = SystemTime { year, month: 7, day: 1, ..SystemTime::default() };
    let zone = time::zone_at(rules::system_time_to_file_time(&summer)?);
    Ok((describe_zone(&zone).0, zone.standard_name))
}

/// Returns the name of a dynamic zone's key.
fn key_of(guest: &Guest, zone: GuestWord) -> Result<String, Win32Error> {
    let at = zone.get() + TIME_ZONE_INFORMATION::size(guest.process().machine);
    let key = guest.read_wide(at, 128)?;
    let end = key.iter().position(|&unit| unit == 0).unwrap_or(key.len());
    Ok(String::from_utf16_lossy(&key[..end]))
}

/// Returns the rules of a dynamic zone in a year: the current zone's own where it is that one, or none is given.
fn dynamic_zone(guest: &Guest, zone: GuestWord, year: u16) -> Result<TIME_ZONE_INFORMATION, Win32Error> {
    if !YEARS.contains(&year) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (current, name) = current_zone(year)?;
    if zone.is_null() || key_of(guest, zone)? == name { Ok(current) } else { Ok(guest.read(zone.get())?) }
}

/// Describes a time zone in a year.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-gettimezoneinformationforyear>
#[winapi]
pub fn GetTimeZoneInformationForYear(
    guest: &mut Guest,
    wYear: u16,
    pdtzi: GuestWord,
    ptzi: GuestWord,
) -> Result<Bool, Win32Error> {
    let zone = dynamic_zone(guest, pdtzi, wYear)?;
    guest.write(ptzi.get(), &zone)?;
    Ok(TRUE)
}

/// Describes the zones that there are, by index; `ERROR_NO_MORE_ITEMS` after the last.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-enumdynamictimezoneinformation>
#[winapi]
pub fn EnumDynamicTimeZoneInformation(
    guest: &mut Guest,
    dwIndex: u32,
    lpTimeZoneInformation: GuestWord,
) -> u32 {
    if dwIndex > 0 {
        return Win32Error::NO_MORE_ITEMS.0;
    }
    let zone = time::zone_at(time::now());
    let (information, _) = describe_zone(&zone);
    match put_dynamic(guest, lpTimeZoneInformation, &information, &zone.standard_name) {
        Ok(()) => 0,
        Err(_) => Win32Error::INVALID_PARAMETER.0,
    }
}

/// Stores the first and last year that a zone has rules of its own for.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-getdynamictimezoneinformationeffectiveyears>
#[winapi]
pub fn GetDynamicTimeZoneInformationEffectiveYears(
    guest: &mut Guest,
    lpTimeZoneInformation: GuestWord,
    FirstYear: GuestWord,
    LastYear: GuestWord,
) -> u32 {
    let is_current = key_of(guest, lpTimeZoneInformation)
        .is_ok_and(|name| name == time::zone_at(time::now()).standard_name);
    if !is_current {
        return Win32Error::FILE_NOT_FOUND.0;
    }
    let years = [(FirstYear, *YEARS.start()), (LastYear, *YEARS.end())];
    let stored = years.into_iter().try_for_each(|(place, year)| guest.write(place.get(), &u32::from(year)));
    stored.map_or(Win32Error::INVALID_PARAMETER.0, |()| 0)
}

/// Refuses to change the machine's zone: it is Linux' to set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-settimezoneinformation>
#[winapi]
pub fn SetTimeZoneInformation(
    guest: &mut Guest,
    lpTimeZoneInformation: GuestWord,
) -> Result<Bool, Win32Error> {
    let _: TIME_ZONE_INFORMATION = guest.read(lpTimeZoneInformation.get())?;
    Err(Win32Error::PRIVILEGE_NOT_HELD)
}

/// Refuses to change the machine's zone: it is Linux' to set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-setdynamictimezoneinformation>
#[winapi]
pub fn SetDynamicTimeZoneInformation(
    guest: &mut Guest,
    lpTimeZoneInformation: GuestWord,
) -> Result<Bool, Win32Error> {
    SetTimeZoneInformation(guest, lpTimeZoneInformation)
}

/// Returns the rules of a zone in a year; nothing for the current one.
type RulesOf = fn(&Guest, GuestWord, u16) -> Result<Option<Rules>, Win32Error>;

/// Converts fields between UTC and the local time of a zone; without one, of the current zone.
fn convert(
    guest: &Guest,
    zone: GuestWord,
    (from, to): (GuestWord, GuestWord),
    (rules_of, is_to_local): (RulesOf, bool),
) -> Result<Bool, Win32Error> {
    let fields: SystemTime = guest.read::<SYSTEMTIME>(from.get())?.into();
    let moment = rules::system_time_to_file_time(&fields)?;
    let result = match (rules_of(guest, zone, fields.year)?, is_to_local) {
        (Some(zone), true) => rules::file_time_to_local(moment, |at| bias_of_utc(&zone, at))?,
        (Some(zone), false) => rules::local_to_file_time(moment, |at| bias_of_local(&zone, at))?,
        (None, true) => rules::file_time_to_local(moment, time::bias_minutes)?,
        (None, false) => {
            // The offset at the local time taken as UTC may be that of the other side of a change: look again there.
            let guess = rules::local_to_file_time(moment, time::bias_minutes)?;
            rules::local_to_file_time(moment, |_| time::bias_minutes(guess))?
        }
    };
    guest.write(to.get(), &SYSTEMTIME::from(rules::file_time_to_system_time(result)?))?;
    Ok(TRUE)
}

/// Returns the rules of a plain zone; nothing for the current one.
fn plain_rules(guest: &Guest, zone: GuestWord, _year: u16) -> Result<Option<Rules>, Win32Error> {
    if zone.is_null() {
        return Ok(None);
    }
    Ok(Some(Rules::from(&guest.read::<TIME_ZONE_INFORMATION>(zone.get())?)))
}

/// Returns the rules of a dynamic zone in a year; nothing for the current one.
fn dynamic_rules(guest: &Guest, zone: GuestWord, year: u16) -> Result<Option<Rules>, Win32Error> {
    if zone.is_null() {
        return Ok(None);
    }
    Ok(Some(Rules::from(&dynamic_zone(guest, zone, year)?)))
}

alike! {
    fn(guest, conversion: (RulesOf, bool); zone: GuestWord, from: GuestWord, to: GuestWord) -> Result<Bool, Win32Error> {
        convert(guest, zone, (from, to), conversion)
    }

    /// Converts UTC to local time, by the offset that holds at that time.
    "timezoneapi/nf-timezoneapi-systemtimetotzspecificlocaltime"
    SystemTimeToTzSpecificLocalTime(lpTimeZoneInformation, lpUniversalTime, lpLocalTime) = (plain_rules, true);

    /// Converts local time to UTC, by the offset that holds at that time.
    "timezoneapi/nf-timezoneapi-tzspecificlocaltimetosystemtime"
    TzSpecificLocalTimeToSystemTime(lpTimeZoneInformation, lpLocalTime, lpUniversalTime) = (plain_rules, false);

    /// Converts UTC to local time of a dynamic zone, by its rules of that year.
    "timezoneapi/nf-timezoneapi-systemtimetotzspecificlocaltimeex"
    SystemTimeToTzSpecificLocalTimeEx(lpTimeZoneInformation, lpUniversalTime, lpLocalTime) = (dynamic_rules, true);

    /// Converts local time of a dynamic zone to UTC, by its rules of that year.
    "timezoneapi/nf-timezoneapi-tzspecificlocaltimetosystemtimeex"
    TzSpecificLocalTimeToSystemTimeEx(lpTimeZoneInformation, lpLocalTime, lpUniversalTime) = (dynamic_rules, false);
}
