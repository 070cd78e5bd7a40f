//! timezoneapi.h: local time and calendar time, and the conversions of file times.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, OrMinusOne, TRUE};
use crate::logic::time::{self as rules, DosDateTime, SystemTime};
use crate::nt::time;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CompareFileTime;
    full DosDateTimeToFileTime;
    full FileTimeToDosDateTime;
    full FileTimeToLocalFileTime;
    full FileTimeToSystemTime;
    partial GetDynamicTimeZoneInformation, "the key name is the standard name";
    full GetTimeZoneInformation;
    full LocalFileTimeToFileTime;
    full SystemTimeToFileTime;
};

/// `SYSTEMTIME` in guest memory.
#[derive(GuestStruct, Default, Clone, Copy)]
pub struct SYSTEMTIME {
    /// Year, month, day of the week, day, hour, minute, second, millisecond.
    pub fields: [u16; 8],
}

impl From<SystemTime> for SYSTEMTIME {
    fn from(time: SystemTime) -> Self {
        Self {
            fields: [
                time.year,
                time.month,
                time.day_of_week,
                time.day,
                time.hour,
                time.minute,
                time.second,
                time.millisecond,
            ],
        }
    }
}

impl From<SYSTEMTIME> for SystemTime {
    fn from(time: SYSTEMTIME) -> Self {
        let [year, month, day_of_week, day, hour, minute, second, millisecond] = time.fields;
        Self { year, month, day_of_week, day, hour, minute, second, millisecond }
    }
}

/// Reads a `FILETIME`, which need not be aligned to eight bytes.
pub(crate) fn read_file_time(guest: &Guest, address: GuestWord) -> Result<i64, Fault> {
    guest.read_u64(address.get()).map(|value| value as i64)
}

/// Writes a `FILETIME`.
pub(crate) fn write_file_time(guest: &Guest, address: GuestWord, time: i64) -> Result<(), Fault> {
    guest.write_bytes(address.get(), &time.to_le_bytes())
}

/// Compares two file times as unsigned numbers: -1, 0 or 1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-comparefiletime>
#[winapi]
pub fn CompareFileTime(
    guest: &mut Guest,
    lpFileTime1: GuestWord,
    lpFileTime2: GuestWord,
) -> Result<i32, Fault> {
    let first = read_file_time(guest, lpFileTime1)? as u64;
    let second = read_file_time(guest, lpFileTime2)? as u64;
    Ok(first.cmp(&second) as i32)
}

/// Converts a file time to fields.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-filetimetosystemtime>
#[winapi]
pub fn FileTimeToSystemTime(
    guest: &mut Guest,
    lpFileTime: GuestWord,
    lpSystemTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let time = rules::file_time_to_system_time(read_file_time(guest, lpFileTime)?)?;
    guest.write(lpSystemTime.get(), &SYSTEMTIME::from(time))?;
    Ok(TRUE)
}

/// Converts fields to a file time; the day of the week is ignored.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-systemtimetofiletime>
#[winapi]
pub fn SystemTimeToFileTime(
    guest: &mut Guest,
    lpSystemTime: GuestWord,
    lpFileTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let time = guest.read::<SYSTEMTIME>(lpSystemTime.get())?.into();
    write_file_time(guest, lpFileTime, rules::system_time_to_file_time(&time)?)?;
    Ok(TRUE)
}

/// Converts a file time to local time by the offset that holds now, whatever held then.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-filetimetolocalfiletime>
#[winapi]
pub fn FileTimeToLocalFileTime(
    guest: &mut Guest,
    lpFileTime: GuestWord,
    lpLocalFileTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let time = read_file_time(guest, lpFileTime)?;
    let local = rules::file_time_to_local(time, |_| time::current_bias_minutes())?;
    write_file_time(guest, lpLocalFileTime, local)?;
    Ok(TRUE)
}

/// Converts a local file time to UTC by the offset that holds now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-localfiletimetofiletime>
#[winapi]
pub fn LocalFileTimeToFileTime(
    guest: &mut Guest,
    lpLocalFileTime: GuestWord,
    lpFileTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let local = read_file_time(guest, lpLocalFileTime)?;
    let time = rules::local_to_file_time(local, |_| time::current_bias_minutes())?;
    write_file_time(guest, lpFileTime, time)?;
    Ok(TRUE)
}

/// Converts a file time to the two words of MS-DOS, rounding up to even seconds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-filetimetodosdatetime>
#[winapi]
pub fn FileTimeToDosDateTime(
    guest: &mut Guest,
    lpFileTime: GuestWord,
    lpFatDate: GuestWord,
    lpFatTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let dos = rules::file_time_to_dos(read_file_time(guest, lpFileTime)?)?;
    guest.write(lpFatDate.get(), &dos.date)?;
    guest.write(lpFatTime.get(), &dos.time)?;
    Ok(TRUE)
}

/// Converts the two words of MS-DOS to a file time.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-dosdatetimetofiletime>
#[winapi]
pub fn DosDateTimeToFileTime(
    guest: &mut Guest,
    wFatDate: u16,
    wFatTime: u16,
    lpFileTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let time = rules::dos_to_file_time(DosDateTime { date: wFatDate, time: wFatTime })?;
    write_file_time(guest, lpFileTime, time)?;
    Ok(TRUE)
}

/// `TIME_ZONE_INFORMATION`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default, Clone, Copy)]
pub(super) struct TIME_ZONE_INFORMATION {
    pub(super) Bias: i32,
    pub(super) StandardName: [u16; 32],
    pub(super) StandardDate: [u16; 8],
    pub(super) StandardBias: i32,
    pub(super) DaylightName: [u16; 32],
    pub(super) DaylightDate: [u16; 8],
    pub(super) DaylightBias: i32,
}

const TIME_ZONE_ID_UNKNOWN: u32 = 0;
const TIME_ZONE_ID_STANDARD: u32 = 1;
const TIME_ZONE_ID_DAYLIGHT: u32 = 2;

/// Cuts a name to the 31 units and the zero of a time zone's name.
fn zone_name(name: &str) -> [u16; 32] {
    let mut units = [0; 32];
    for (place, unit) in units.iter_mut().take(31).zip(name.encode_utf16()) {
        *place = unit;
    }
    units
}

pub(super) fn describe_zone(zone: &time::Zone) -> (TIME_ZONE_INFORMATION, u32) {
    let date = |change: &time::ZoneChange| SYSTEMTIME::from(change.rule).fields;
    let (standard, daylight) = zone
        .changes
        .as_ref()
        .map_or_else(Default::default, |(standard, daylight)| (date(standard), date(daylight)));
    let information = TIME_ZONE_INFORMATION {
        Bias: zone.bias,
        StandardName: zone_name(&zone.standard_name),
        StandardDate: standard,
        StandardBias: 0,
        DaylightName: zone_name(&zone.daylight_name),
        DaylightDate: daylight,
        DaylightBias: zone.daylight_bias,
    };
    let id = match (&zone.changes, zone.is_summer) {
        (None, _) => TIME_ZONE_ID_UNKNOWN,
        (Some(_), false) => TIME_ZONE_ID_STANDARD,
        (Some(_), true) => TIME_ZONE_ID_DAYLIGHT,
    };
    (information, id)
}

/// Describes the time zone of this year, from `TZ` or the system's zone.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-gettimezoneinformation>
#[winapi]
pub fn GetTimeZoneInformation(
    guest: &mut Guest,
    lpTimeZoneInformation: GuestWord,
) -> Result<OrMinusOne, Win32Error> {
    let (information, id) = describe_zone(&time::zone_at(time::now()));
    guest.write(lpTimeZoneInformation.get(), &information)?;
    Ok(OrMinusOne(id))
}

/// Bytes of the name of a zone's key.
pub(super) const KEY_NAME_BYTES: u64 = 256;

/// Writes a `DYNAMIC_TIME_ZONE_INFORMATION`: what follows the plain one is the key's name and a BOOLEAN.
pub(super) fn put_dynamic(
    guest: &Guest,
    at: GuestWord,
    information: &TIME_ZONE_INFORMATION,
    key: &str,
) -> Result<(), Fault> {
    guest.write(at.get(), information)?;
    let mut key: Vec<u16> = key.encode_utf16().take(127).collect();
    key.resize(128, 0);
    let key_at = at.get() + TIME_ZONE_INFORMATION::size(guest.process().machine);
    guest.write_wide(key_at, &key)?;
    // DynamicDaylightTimeDisabled.
    guest.write_bytes(key_at + KEY_NAME_BYTES, &[0])
}

/// Describes the time zone of this year, with the name of its key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/nf-timezoneapi-getdynamictimezoneinformation>
#[winapi]
pub fn GetDynamicTimeZoneInformation(
    guest: &mut Guest,
    pTimeZoneInformation: GuestWord,
) -> Result<OrMinusOne, Win32Error> {
    let zone = time::zone_at(time::now());
    let (information, id) = describe_zone(&zone);
    put_dynamic(guest, pTimeZoneInformation, &information, &zone.standard_name)?;
    Ok(OrMinusOne(id))
}
