//! Time: FILETIME, Unix time, SYSTEMTIME and MS-DOS date and time, converted as Windows does.
//!
//! A FILETIME counts 100 ns units since 1601-01-01 UTC; it is an `i64` here and negative ones are invalid.
//!
//! Source: <https://learn.microsoft.com/windows/win32/sysinfo/file-times>

use super::status::Win32Error;

/// FILETIME units in one second.
pub const UNITS_PER_SECOND: i64 = 10_000_000;
/// Seconds from 1601-01-01 to 1970-01-01.
pub const SECONDS_1601_TO_1970: i64 = 11_644_473_600;
const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_1601_TO_1970: i64 = SECONDS_1601_TO_1970 / SECONDS_PER_DAY;
/// FILETIME of 30828-09-14 02:48:05.4775807, the last that the conversions accept.
const FILE_TIME_MAX: i64 = i64::MAX;
const SYSTEM_YEAR_MAX: u16 = 30827;

/// A date and time in fields, as in `SYSTEMTIME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SystemTime {
    /// The year, 1601 to 30827.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u16,
    /// The day of the week, 0 is Sunday. Ignored as input.
    pub day_of_week: u16,
    /// The day of the month, from 1.
    pub day: u16,
    /// The hour, 0 to 23.
    pub hour: u16,
    /// The minute, 0 to 59.
    pub minute: u16,
    /// The second, 0 to 59.
    pub second: u16,
    /// The millisecond, 0 to 999.
    pub millisecond: u16,
}

/// A date and time in the packed form of MS-DOS; seconds count in twos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DosDateTime {
    /// Bits 0–4 day, 5–8 month, 9–15 years since 1980.
    pub date: u16,
    /// Bits 0–4 seconds / 2, 5–10 minute, 11–15 hour.
    pub time: u16,
}

/// Converts Unix time to a FILETIME, cutting to 100 ns; saturates at the ends.
pub fn unix_to_file_time(seconds: i64, nanoseconds: u32) -> i64 {
    let since_1601 = seconds.saturating_add(SECONDS_1601_TO_1970);
    since_1601.saturating_mul(UNITS_PER_SECOND).saturating_add(i64::from(nanoseconds) / 100)
}

/// Converts a FILETIME to Unix time: seconds (floored) and nanoseconds.
pub fn file_time_to_unix(file_time: i64) -> (i64, u32) {
    let seconds = file_time.div_euclid(UNITS_PER_SECOND) - SECONDS_1601_TO_1970;
    let nanoseconds = file_time.rem_euclid(UNITS_PER_SECOND) * 100;
    (seconds, nanoseconds as u32)
}

/// Converts a FILETIME to fields, as `FileTimeToSystemTime` does (milliseconds are cut).
///
/// # Errors
/// [`Win32Error::INVALID_PARAMETER`] for a negative FILETIME.
pub fn file_time_to_system_time(file_time: i64) -> Result<SystemTime, Win32Error> {
    if file_time < 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let seconds = file_time / UNITS_PER_SECOND;
    let days = seconds / SECONDS_PER_DAY;
    let second_of_day = seconds % SECONDS_PER_DAY;
    let (year, month, day) = date_from_days(days - DAYS_1601_TO_1970);
    Ok(SystemTime {
        year: year as u16,
        month,
        // 1601-01-01 was a Monday.
        day_of_week: ((days + 1) % 7) as u16,
        day,
        hour: (second_of_day / 3600) as u16,
        minute: (second_of_day / 60 % 60) as u16,
        second: (second_of_day % 60) as u16,
        millisecond: (file_time % UNITS_PER_SECOND / 10_000) as u16,
    })
}

/// Converts fields to a FILETIME, as `SystemTimeToFileTime` does; the day of the week is ignored.
///
/// # Errors
/// [`Win32Error::INVALID_PARAMETER`] when a field is out of range.
pub fn system_time_to_file_time(time: &SystemTime) -> Result<i64, Win32Error> {
    let is_valid = (1601..=SYSTEM_YEAR_MAX).contains(&time.year)
        && (1..=12).contains(&time.month)
        && (1..=days_in_month(time.year, time.month)).contains(&time.day)
        && time.hour < 24
        && time.minute < 60
        && time.second < 60
        && time.millisecond < 1000;
    if !is_valid {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let days = days_from_date(i64::from(time.year), time.month, time.day) + DAYS_1601_TO_1970;
    let second_of_day = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
    let seconds = days * SECONDS_PER_DAY + second_of_day;
    Ok(seconds * UNITS_PER_SECOND + i64::from(time.millisecond) * 10_000)
}

/// Converts a FILETIME to MS-DOS form, rounding up to the next even second as `FileTimeToDosDateTime` does.
///
/// # Errors
/// [`Win32Error::INVALID_PARAMETER`] outside 1980-01-01 to 2107-12-31.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-filetimetodosdatetime>
pub fn file_time_to_dos(file_time: i64) -> Result<DosDateTime, Win32Error> {
    let rounded = file_time.checked_add(2 * UNITS_PER_SECOND - 1).filter(|_| file_time >= 0);
    let time = file_time_to_system_time(rounded.ok_or(Win32Error::INVALID_PARAMETER)?)?;
    if !(1980..=2107).contains(&time.year) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(DosDateTime {
        date: ((time.year - 1980) << 9) | (time.month << 5) | time.day,
        time: (time.hour << 11) | (time.minute << 5) | (time.second / 2),
    })
}

/// Converts MS-DOS form to a FILETIME, as `DosDateTimeToFileTime` does.
///
/// # Errors
/// [`Win32Error::INVALID_PARAMETER`] when a field is out of range.
pub fn dos_to_file_time(dos: DosDateTime) -> Result<i64, Win32Error> {
    system_time_to_file_time(&SystemTime {
        year: 1980 + (dos.date >> 9),
        month: (dos.date >> 5) & 15,
        day: dos.date & 31,
        hour: dos.time >> 11,
        minute: (dos.time >> 5) & 63,
        second: (dos.time & 31) * 2,
        ..SystemTime::default()
    })
}

/// Converts UTC to local time. `bias_minutes` is UTC minus local, at that moment: +480 in Los Angeles in winter.
///
/// # Errors
/// [`Win32Error::INVALID_PARAMETER`] when the result is out of range.
pub fn file_time_to_local(file_time: i64, bias_minutes: impl Fn(i64) -> i32) -> Result<i64, Win32Error> {
    shift(file_time, -i64::from(bias_minutes(file_time)))
}

/// Converts local time to UTC. `bias_minutes` receives the local time and answers as for [`file_time_to_local`].
///
/// # Errors
/// [`Win32Error::INVALID_PARAMETER`] when the result is out of range.
pub fn local_to_file_time(local: i64, bias_minutes: impl Fn(i64) -> i32) -> Result<i64, Win32Error> {
    shift(local, i64::from(bias_minutes(local)))
}

fn shift(file_time: i64, minutes: i64) -> Result<i64, Win32Error> {
    let shifted = file_time.checked_add(minutes * 60 * UNITS_PER_SECOND);
    shifted.filter(|time| (0..=FILE_TIME_MAX).contains(time)).ok_or(Win32Error::INVALID_PARAMETER)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Returns how many days `month` (1 to 12) of `year` has.
pub fn days_in_month(year: u16, month: u16) -> u16 {
    match month {
        2 => 28 + u16::from(is_leap(i64::from(year))),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns days since 1970-01-01. The year is taken to begin in March, so that the leap day comes last.
fn days_from_date(year: i64, month: u16, day: u16) -> i64 {
    let month = i64::from(month);
    let march_year = if month <= 2 { year - 1 } else { year };
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + i64::from(day) - 1;
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    march_year * 365 + leap_days + day_of_year - 719_468
}

/// Returns year, month and day for days since 1970-01-01, by the same years that begin in March.
fn date_from_days(days: i64) -> (i64, u16, u16) {
    const DAYS_PER_400_YEARS: i64 = 146_097;
    let since_march_0 = days + 719_468;
    let era = since_march_0.div_euclid(DAYS_PER_400_YEARS);
    let day_of_era = since_march_0.rem_euclid(DAYS_PER_400_YEARS);
    // Takes out the leap days before this day, so that every year counts 365.
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month as u16, day as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(time: &SystemTime) -> String {
        let SystemTime { year, month, day_of_week, day, hour, minute, second, millisecond } = time;
        format!(
            "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millisecond:03} weekday {day_of_week}"
        )
    }

    #[test]
    fn file_times_become_the_known_dates() {
        let cases = [
            (0, "1601-01-01 00:00:00.000 weekday 1"),
            (116_444_736_000_000_000, "1970-01-01 00:00:00.000 weekday 4"),
            (125_911_584_000_000_000, "2000-01-01 00:00:00.000 weekday 6"),
            (unix_to_file_time(951_782_400, 0), "2000-02-29 00:00:00.000 weekday 2"),
            (unix_to_file_time(1_234_567_890, 123_999_999), "2009-02-13 23:31:30.123 weekday 5"),
            (unix_to_file_time(4_107_542_399, 0), "2100-02-28 23:59:59.000 weekday 0"),
            (i64::MAX, "30828-09-14 02:48:05.477 weekday 4"),
        ];
        for (file_time, expected) in cases {
            assert_eq!(fields(&file_time_to_system_time(file_time).unwrap()), expected);
        }
        assert_eq!(file_time_to_system_time(-1), Err(Win32Error::INVALID_PARAMETER));
    }

    #[test]
    fn every_day_of_five_centuries_survives_the_trip() {
        for day in 0..182_622i64 {
            let file_time = day * SECONDS_PER_DAY * UNITS_PER_SECOND;
            let time = file_time_to_system_time(file_time).unwrap();
            assert_eq!(system_time_to_file_time(&time), Ok(file_time), "{time:?}");
        }
    }

    #[test]
    fn invalid_fields_are_refused() {
        let good = SystemTime { year: 2023, month: 2, day: 28, ..Default::default() };
        assert!(system_time_to_file_time(&good).is_ok());
        let bad = [
            SystemTime { day: 29, ..good },
            SystemTime { month: 0, ..good },
            SystemTime { month: 13, ..good },
            SystemTime { hour: 24, ..good },
            SystemTime { second: 60, ..good },
            SystemTime { year: 1600, ..good },
            SystemTime { year: 30828, ..good },
            SystemTime { millisecond: 1000, ..good },
        ];
        for time in bad {
            assert_eq!(system_time_to_file_time(&time), Err(Win32Error::INVALID_PARAMETER), "{time:?}");
        }
    }

    #[test]
    fn dos_time_rounds_up_to_even_seconds() {
        let base = unix_to_file_time(1_234_567_890, 0);
        let seconds = |file_time| file_time_to_dos(file_time).map(|dos| (dos.time & 31) * 2);
        assert_eq!(seconds(base), Ok(30));
        assert_eq!(seconds(base + 1), Ok(32));
        assert_eq!(seconds(base + 2 * UNITS_PER_SECOND), Ok(32));
        assert_eq!(file_time_to_dos(base).and_then(dos_to_file_time), Ok(base));
        assert_eq!(file_time_to_dos(0), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(dos_to_file_time(DosDateTime { date: 0, time: 0 }), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(
            dos_to_file_time(DosDateTime { date: 0x21, time: 31 }),
            Err(Win32Error::INVALID_PARAMETER)
        );
    }

    #[test]
    fn unix_time_survives_the_trip() {
        for (seconds, nanoseconds) in [(0, 0), (-1, 999_999_900), (1 << 33, 100), (-11_644_473_600, 0)] {
            assert_eq!(file_time_to_unix(unix_to_file_time(seconds, nanoseconds)), (seconds, nanoseconds));
        }
    }

    #[test]
    fn local_time_applies_the_bias() {
        let utc = unix_to_file_time(1_000_000, 0);
        let local = file_time_to_local(utc, |_| 480).unwrap();
        assert_eq!(local, utc - 480 * 60 * UNITS_PER_SECOND);
        assert_eq!(local_to_file_time(local, |_| 480), Ok(utc));
        assert_eq!(file_time_to_local(0, |_| 1), Err(Win32Error::INVALID_PARAMETER));
    }
}
