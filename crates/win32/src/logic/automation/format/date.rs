//! Dates by pictures of fields: `dddd, d mmmm yyyy`, `hh:nn AM/PM`; `m` behind hours are minutes.

use super::Week;
use super::picture::Item;
use crate::logic::automation::{How, Refused, dates};
use crate::logic::nls::{date_format, locale};
use crate::logic::time::SystemTime;

/// Writes a date.
///
/// # Errors
/// `E_INVALIDARG` outside the years 100 to 9999.
pub fn write(date: f64, section: &[Item], week: Week, how: How) -> Result<Vec<u16>, Refused> {
    let time = dates::fields(date)?;
    let twelve = section
        .iter()
        .any(|item| matches!(item, Item::Field(field, _) if matches!(*field, "am/pm" | "a/p" | "ampm")));
    let (mut text, mut after_hours) = (Vec::new(), false);
    for item in section {
        match *item {
            Item::Unit(unit) => text.push(unit),
            Item::Field("c", _) => text.extend(dates::to_text(date, How { flags: 0, ..how })?),
            Item::Field(field, upper) => {
                let field = match field {
                    "m" if after_hours => "n",
                    "mm" if after_hours => "nn",
                    field => field,
                };
                let marker = if upper { Marker::Upper } else { Marker::Lower };
                text.extend(write_field(&time, field, marker, twelve, week, how).encode_utf16());
                after_hours = match field {
                    "h" | "hh" => true,
                    ":" | "/" => after_hours,
                    _ => false,
                };
            }
            _ => {}
        }
    }
    Ok(text)
}

/// How AM and PM are written.
#[derive(Clone, Copy)]
enum Marker {
    Upper,
    Lower,
}

fn write_field(time: &SystemTime, field: &str, marker: Marker, twelve: bool, week: Week, how: How) -> String {
    let (locale, width) = (how.locale, field.len());
    let hour = match time.hour {
        hour if !twelve => hour,
        hour if hour.is_multiple_of(12) => 12,
        hour => hour % 12,
    };
    let padded = |value: u16| format!("{value:0width$}");
    let picture = |kind| locale.text(kind).encode_utf16().collect::<Vec<_>>();
    let (weekday, month) = ((u32::from(time.day_of_week) + 6) % 7, u32::from(time.month) - 1);
    let half = |[morning, afternoon]: [&str; 2]| {
        let text = if time.hour < 12 { morning } else { afternoon };
        match marker {
            Marker::Upper => text.to_ascii_uppercase(),
            Marker::Lower => text.to_owned(),
        }
    };
    let of_locale = |units: Vec<u16>| String::from_utf16_lossy(&units);
    match field {
        "d" | "dd" => padded(time.day),
        "ddd" => locale.text(locale::SHORT_DAY_NAME + weekday).to_owned(),
        "dddd" => locale.text(locale::DAY_NAME + weekday).to_owned(),
        "ddddd" => of_locale(date_format::date(locale, time, &picture(locale::SHORT_DATE))),
        "dddddd" => of_locale(date_format::date(locale, time, &picture(locale::LONG_DATE))),
        "m" | "mm" => padded(time.month),
        "mmm" => locale.text(locale::SHORT_MONTH_NAME + month).to_owned(),
        "mmmm" | "oooo" => locale.text(locale::MONTH_NAME + month).to_owned(),
        "y" => day_of_year(time).to_string(),
        "yy" => format!("{:02}", time.year % 100),
        "yyyy" => time.year.to_string(),
        "w" => (day_in_week(time, week, how) + 1).to_string(),
        "ww" => week_of_year(time, week, how).to_string(),
        "q" => (month / 3 + 1).to_string(),
        "h" | "hh" => padded(hour),
        "n" | "nn" => padded(time.minute),
        "s" | "ss" => padded(time.second),
        "ttttt" => of_locale(date_format::time(locale, time, &picture(locale::TIME_FORMAT), 0)),
        "am/pm" => half(["am", "pm"]),
        "a/p" => half(["a", "p"]),
        "ampm" => locale.text(if time.hour < 12 { locale::MORNING } else { locale::AFTERNOON }).to_owned(),
        ":" => locale.text(locale::TIME_SEPARATOR).to_owned(),
        _ => locale.text(locale::DATE_SEPARATOR).to_owned(),
    }
}

/// Returns the day in a year, 1 for 1 January.
pub fn day_of_year(time: &SystemTime) -> u16 {
    (1..time.month).map(|month| crate::logic::time::days_in_month(time.year, month)).sum::<u16>() + time.day
}

/// Returns how many days of the week come before a day.
fn day_in_week(time: &SystemTime, week: Week, how: How) -> u32 {
    (u32::from(time.day_of_week) + 7 - week.starts_on(how)) % 7
}

/// Returns the number of a day's week; days before a year's first week are in week 52 or 53 of the year before.
fn week_of_year(time: &SystemTime, week: Week, how: How) -> u32 {
    let first_week = match (week.first_week, how.locale.number(locale::FIRST_WEEK_OF_YEAR)) {
        (0, 1) => 3,
        (0, 2) => 2,
        (0, _) => 1,
        (given, _) => given,
    };
    let day = u32::from(day_of_year(time)) - 1;
    // The place in its week of 1 January.
    let start = (day_in_week(time, week, how) + 371 - day) % 7;
    let leaves_out = match first_week {
        2 => start > 3,
        3 => start > 0,
        _ => false,
    };
    match (day + start) / 7 + u32::from(!leaves_out) {
        0 => {
            let (year, month, day) = (time.year - 1, 12, 31);
            let day_of_week = (time.day_of_week + 371 - day_of_year(time)) % 7;
            let before = SystemTime { year, month, day, day_of_week, ..*time };
            week_of_year(&before, week, how)
        }
        number => number,
    }
}
