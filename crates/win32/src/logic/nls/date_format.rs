//! Dates and times as texts by pictures such as `dddd, MMMM d, yyyy` and `h:mm:ss tt`.
//!
//! Source: <https://learn.microsoft.com/windows/win32/intl/day--month--year--and-era-format-pictures>,
//! <https://learn.microsoft.com/windows/win32/intl/hour--minute--and-second-format-pictures>

use super::locale::{self, Locale};
use crate::logic::time::SystemTime;

/// The time loses minutes and seconds: `TIME_NOMINUTESORSECONDS`.
pub const NO_MINUTES: u32 = 1;
/// The time loses seconds: `TIME_NOSECONDS`.
pub const NO_SECONDS: u32 = 2;
/// The time loses AM and PM: `TIME_NOTIMEMARKER`.
pub const NO_MARKER: u32 = 4;
/// Hours go to 23: `TIME_FORCE24HOURFORMAT`.
pub const FORCE_24: u32 = 8;

const QUOTE: u16 = b'\'' as u16;

/// A part of a picture.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// A letter of the picture, and how often it stands in a row.
    Field(u8, usize),
    /// A unit that stands for itself.
    Literal(u16),
}

/// Splits a picture into fields of the letters given, and literals.
fn parse(picture: &[u16], letters: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(&unit) = picture.get(at) {
        let letter = u8::try_from(unit).ok().filter(|letter| letters.contains(letter));
        if let Some(letter) = letter {
            let count = picture[at..].iter().take_while(|&&other| other == unit).count();
            parts.push(Part::Field(letter, count));
            at += count;
        } else if unit == QUOTE {
            at = quoted(picture, at + 1, &mut parts);
        } else {
            parts.push(Part::Literal(unit));
            at += 1;
        }
    }
    parts
}

/// Takes what stands in quotes, two of which are one; returns where it goes on.
fn quoted(picture: &[u16], mut at: usize, parts: &mut Vec<Part>) -> usize {
    while let Some(&unit) = picture.get(at) {
        at += 1;
        if unit == QUOTE {
            if picture.get(at) != Some(&QUOTE) {
                break;
            }
            at += 1;
        }
        parts.push(Part::Literal(unit));
    }
    at
}

/// Formats a date; the day of the week must be the date's own.
pub fn date(locale: &Locale, time: &SystemTime, picture: &[u16]) -> Vec<u16> {
    // Day 0 is Sunday; names begin on Monday.
    let weekday = (u32::from(time.day_of_week) + 6) % 7;
    let month = u32::from(time.month.clamp(1, 12)) - 1;
    let year = time.year + calendar_offset(locale);
    let parts = parse(picture, b"dMyg");
    let with_day = parts.iter().any(|part| matches!(part, Part::Field(b'd', 1 | 2)));
    let month_name = |kind| match with_day {
        true => locale.month_in_date(kind, month),
        false => locale.text(kind + month),
    };
    let mut text = Vec::new();
    for part in parts {
        let field = match part {
            Part::Literal(unit) => {
                text.push(unit);
                continue;
            }
            Part::Field(b'd', count) => match count {
                1 => time.day.to_string(),
                2 => format!("{:02}", time.day),
                3 => locale.text(locale::SHORT_DAY_NAME + weekday).to_owned(),
                _ => locale.text(locale::DAY_NAME + weekday).to_owned(),
            },
            Part::Field(b'M', count) => match count {
                1 => time.month.to_string(),
                2 => format!("{:02}", time.month),
                3 => month_name(locale::SHORT_MONTH_NAME).to_owned(),
                _ => month_name(locale::MONTH_NAME).to_owned(),
            },
            Part::Field(b'y', count) => match count {
                1 => (year % 100).to_string(),
                2 => format!("{:02}", year % 100),
                _ => format!("{year:04}"),
            },
            Part::Field(..) => if year == time.year { ERA } else { BUDDHIST_ERA }.to_owned(),
        };
        text.extend(field.encode_utf16());
    }
    text
}

/// Returns how many years a locale's calendar is ahead: Thailand counts from the death of the Buddha (`CAL_THAI`).
fn calendar_offset(locale: &Locale) -> u16 {
    if locale.number(locale::CALENDAR) == 7 { 543 } else { 0 }
}

/// What the years of Thailand's calendar count from.
const BUDDHIST_ERA: &str = "พ.ศ.";

/// What the years of the Gregorian calendar count from.
pub const ERA: &str = "A.D.";

/// Formats a time of day. What the flags leave out goes with what stands before it, and at the end with what stands
/// behind it.
pub fn time(locale: &Locale, time: &SystemTime, picture: &[u16], flags: u32) -> Vec<u16> {
    let hour_12 = if time.hour.is_multiple_of(12) { 12 } else { time.hour % 12 };
    let marker = locale.text(if time.hour < 12 { locale::MORNING } else { locale::AFTERNOON });
    let padded =
        |value: u16, count: usize| if count == 1 { value.to_string() } else { format!("{value:02}") };
    // The length of the text up to its last field, and whether the last field was left out.
    let (mut text, mut end, mut dropped) = (Vec::new(), 0, false);
    for part in parse(picture, b"hHmst") {
        let (letter, count) = match part {
            Part::Literal(unit) => {
                text.push(unit);
                continue;
            }
            Part::Field(letter, count) => (letter, count),
        };
        dropped = match letter {
            b'm' => flags & NO_MINUTES != 0,
            b's' => flags & (NO_MINUTES | NO_SECONDS) != 0,
            b't' => flags & NO_MARKER != 0,
            _ => false,
        };
        if dropped {
            text.truncate(end);
            continue;
        }
        let field = match letter {
            b'h' if flags & FORCE_24 == 0 => padded(hour_12, count),
            b'h' | b'H' => padded(time.hour, count),
            b'm' => padded(time.minute, count),
            b's' => padded(time.second, count),
            _ if count == 1 => marker.chars().take(1).collect(),
            _ => marker.to_owned(),
        };
        text.extend(field.encode_utf16());
        end = text.len();
    }
    if dropped {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::nls::locale::EN_US;

    const WHEN: SystemTime = SystemTime {
        year: 2026,
        month: 2,
        day_of_week: 6,
        day: 7,
        hour: 15,
        minute: 4,
        second: 9,
        millisecond: 30,
    };

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn dates_follow_the_picture() {
        let cases = [
            ("d dd ddd dddd", "7 07 Sat Saturday"),
            ("M MM MMM MMMM", "2 02 Feb February"),
            ("y yy yyy yyyyy", "26 26 2026 2026"),
            ("'it''s' d 'of'", "it's 7 of"),
            ("yyyy gg", "2026 A.D."),
            ("'open d", "open d"),
        ];
        for (picture, expected) in cases {
            assert_eq!(String::from_utf16_lossy(&date(&EN_US, &WHEN, &wide(picture))), expected);
        }
    }

    #[test]
    fn times_lose_what_the_flags_say() {
        let cases = [
            ("h:mm:ss tt", 0, "3:04:09 PM"),
            ("h:mm:ss tt", NO_SECONDS, "3:04 PM"),
            ("h:mm:ss tt", NO_MINUTES, "3 PM"),
            ("h:mm:ss tt", NO_MARKER | FORCE_24, "15:04:09"),
            ("tt h:mm", NO_MARKER, " 3:04"),
            ("h.@:m.@:s.@:tt.@:", NO_SECONDS, "3.@:4.@:PM.@:"),
            ("h.@:m.@:s.@:tt.@:", NO_MARKER, "3.@:4.@:9"),
            ("t HH", 0, "P 15"),
        ];
        for (picture, flags, expected) in cases {
            assert_eq!(String::from_utf16_lossy(&time(&EN_US, &WHEN, &wide(picture), flags)), expected);
        }
    }
}
