//! Time as NT counts it: the system time, ticks since boot, the performance counter, the time zone.

use plat_host::clock;

use crate::logic::time::{
    SECONDS_1601_TO_1970, SystemTime, UNITS_PER_SECOND, file_time_to_system_time, file_time_to_unix,
    unix_to_file_time,
};

/// Counts per second of the performance counter, as on current Windows.
pub const PERFORMANCE_FREQUENCY: i64 = 10_000_000;
/// Units of 100 ns between two ticks of the clock: 15.625 ms.
pub const TICK_UNITS: u32 = 156_250;

/// Returns the system time as a FILETIME.
#[inline]
pub fn now() -> i64 {
    let (seconds, nanoseconds) = clock::unix_time();
    unix_to_file_time(seconds, nanoseconds)
}

/// Returns the performance counter.
#[inline]
pub fn performance_counter() -> i64 {
    (clock::monotonic_nanoseconds() / 100) as i64
}

/// Returns milliseconds since boot.
#[inline]
pub fn tick_count() -> u64 {
    clock::boot_nanoseconds() / 1_000_000
}

/// Returns when this process, or another of this number, was started, as a FILETIME.
pub fn started(id: Option<u32>) -> i64 {
    let start = match id {
        None => clock::process_start_since_boot().unwrap_or(0),
        Some(id) => plat_host::process::facts(id).map_or_else(clock::boot_nanoseconds, |facts| facts.started),
    };
    let age = clock::boot_nanoseconds().saturating_sub(start);
    now() - (age / 100) as i64
}

/// Returns UTC minus local time in minutes at a moment (a FILETIME in UTC): -60 in Berlin in winter.
pub fn bias_minutes(file_time: i64) -> i32 {
    let (seconds, _) = file_time_to_unix(file_time);
    (-clock::local_offset(seconds).seconds_east / 60) as i32
}

/// Returns UTC minus local time in minutes now: what `FileTimeToLocalFileTime` applies to every time.
pub fn current_bias_minutes() -> i32 {
    bias_minutes(now())
}

/// A change of the clock in a year, as a rule: the n-th weekday of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneChange {
    /// The moment, a FILETIME in UTC.
    pub at: i64,
    /// The rule in the fields of a `SYSTEMTIME`: year 0, `day` counts the weekdays of the month, 5 is the last.
    pub rule: SystemTime,
}

/// The time zone of one year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// UTC minus standard time in minutes.
    pub bias: i32,
    /// What is added to `bias` in summer, in minutes: -60 in most zones.
    pub daylight_bias: i32,
    /// Name of standard time.
    pub standard_name: String,
    /// Name of summer time.
    pub daylight_name: String,
    /// The changes to standard time and to summer time, where the zone has both.
    pub changes: Option<(ZoneChange, ZoneChange)>,
    /// Whether summer time is in force at the moment that was asked for.
    pub is_summer: bool,
}

/// Describes the time zone in the year of a moment (a FILETIME in UTC).
pub fn zone_at(file_time: i64) -> Zone {
    let (seconds, _) = file_time_to_unix(file_time);
    let here = clock::local_offset(seconds);
    let year = file_time_to_system_time(file_time.max(0)).map_or(1970, |time| time.year);
    let changes = changes_of(year);
    let mut standard = here.clone();
    let mut summer = here.clone();
    for (_, after) in &changes {
        if after.is_summer {
            summer = after.clone();
        } else {
            standard = after.clone();
        }
    }
    let to_summer = changes.iter().find(|(_, after)| after.is_summer);
    let to_standard = changes.iter().find(|(_, after)| !after.is_summer);
    let rules = to_standard.zip(to_summer).map(|((to_standard, _), (to_summer, _))| {
        (change(*to_standard, summer.seconds_east), change(*to_summer, standard.seconds_east))
    });
    let bias = (-standard.seconds_east / 60) as i32;
    Zone {
        bias,
        daylight_bias: (-summer.seconds_east / 60) as i32 - bias,
        standard_name: standard.name,
        daylight_name: summer.name,
        is_summer: here.is_summer && rules.is_some(),
        changes: rules,
    }
}

/// Finds the moments in a year at which the offset changes (Unix seconds), with what holds afterwards.
fn changes_of(year: u16) -> Vec<(i64, clock::LocalOffset)> {
    const DAY: i64 = 86_400;
    let start = SystemTime { year, month: 1, day: 1, ..SystemTime::default() };
    let start = crate::logic::time::system_time_to_file_time(&start).unwrap_or(0);
    let start = start / UNITS_PER_SECOND - SECONDS_1601_TO_1970;
    let mut changes = Vec::new();
    let mut before = clock::local_offset(start);
    // Every zone keeps its offset for weeks; a step of a day finds each change, and bisection its second.
    for day in 1..=366 {
        let after = clock::local_offset(start + day * DAY);
        if after.seconds_east != before.seconds_east {
            let (mut low, mut high) = (start + (day - 1) * DAY, start + day * DAY);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                let is_before = clock::local_offset(middle).seconds_east == before.seconds_east;
                if is_before { low = middle } else { high = middle }
            }
            changes.push((high, after.clone()));
        }
        before = after;
    }
    changes
}

/// Describes a change as a rule in the local time that holds before it.
fn change(at: i64, seconds_east_before: i64) -> ZoneChange {
    let local = unix_to_file_time(at + seconds_east_before, 0);
    let mut rule = file_time_to_system_time(local).unwrap_or_default();
    let days = crate::logic::time::days_in_month(rule.year, rule.month);
    let nth = (rule.day - 1) / 7 + 1;
    // A change in the last seven days is meant as "the last" one.
    rule.day = if rule.day + 7 > days { 5 } else { nth };
    rule.year = 0;
    ZoneChange { at: unix_to_file_time(at, 0), rule }
}
