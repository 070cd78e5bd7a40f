//! Values as texts by pictures, as `VarFormat` writes them: `#,##0.00;(0)`, `dd mmm yyyy`, `>@@@`, and pictures with names.
//!
//! Key items: [`format()`], [`Week`]. The kinds of pictures are in the files below.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varformat>,
//! <https://learn.microsoft.com/office/vba/language/reference/user-interface-help/format-function-visual-basic-for-applications>

pub mod date;
pub mod digits;
pub mod fixed;
pub mod number;
pub mod picture;
pub mod text;

use super::convert::{to_double, to_text};
use super::{How, Refused, Value, dates};
use crate::logic::nls::locale;
use digits::Digits;
use picture::{Kind, Picture};

/// How weeks are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// The first day of a week: 0 as the locale has it, 1 Sunday, 7 Saturday.
    pub first_day: u8,
    /// The first week of a year: 0 as the locale has it, 1 that of 1 January, 2 the first with four days, 3 the first
    /// whole one.
    pub first_week: u8,
}

impl Week {
    /// Checks the numbers that a caller gives.
    ///
    /// # Errors
    /// `E_INVALIDARG`
    pub fn new(first_day: i32, first_week: i32) -> Result<Self, Refused> {
        match (u8::try_from(first_day), u8::try_from(first_week)) {
            (Ok(first_day @ 0..=7), Ok(first_week @ 0..=3)) => Ok(Self { first_day, first_week }),
            _ => Err(Refused::INVALID),
        }
    }

    /// Returns the first day of a week, 0 for Sunday.
    pub fn starts_on(self, how: How) -> u32 {
        match self.first_day {
            // The locale counts from Monday.
            0 => (how.locale.number(locale::FIRST_DAY_OF_WEEK) + 1) % 7,
            day => u32::from(day) - 1,
        }
    }
}

/// Pictures with names: what they stand for.
const NAMED: [(&str, Named); 16] = [
    ("General Number", Named::General),
    ("Currency", Named::Currency),
    ("Fixed", Named::Picture("0.00")),
    ("Standard", Named::Picture("#,##0.00")),
    ("Percent", Named::Picture("0.00%")),
    ("Scientific", Named::Picture("0.00E+00")),
    ("Yes/No", Named::Words(["Yes", "No"])),
    ("True/False", Named::Words(["True", "False"])),
    ("On/Off", Named::Words(["On", "Off"])),
    ("General Date", Named::Picture("c")),
    ("Long Date", Named::Picture("dddddd")),
    ("Medium Date", Named::Picture("dd-mmm-yy")),
    ("Short Date", Named::Picture("ddddd")),
    ("Long Time", Named::Picture("ttttt")),
    ("Medium Time", Named::Picture("hh:nn AM/PM")),
    ("Short Time", Named::Picture("hh:nn")),
];

/// What a name stands for.
#[derive(Clone, Copy)]
enum Named {
    Picture(&'static str),
    General,
    Currency,
    /// One word for what is not zero, another for zero.
    Words([&'static str; 2]),
}

/// Writes a value by a picture or a picture's name; an empty one writes it as a conversion to text does.
///
/// # Errors
/// - `DISP_E_TYPEMISMATCH` for a value that has no text
/// - `E_INVALIDARG`, `DISP_E_OVERFLOW` for a number that is no date, where the picture asks for one
pub fn format(value: &Value, picture: &[u16], week: Week, how: How) -> Result<Vec<u16>, Refused> {
    if matches!(value, Value::Error(_)) {
        return Err(Refused::MISMATCH);
    }
    let named = || {
        let name = String::from_utf16_lossy(picture);
        NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)).map(|(_, named)| *named)
    };
    if picture.is_empty() {
        return general(value, how);
    }
    match named() {
        Some(Named::Picture(text)) => by_picture(value, &text.encode_utf16().collect::<Vec<_>>(), week, how),
        None => by_picture(value, picture, week, how),
        Some(named) => match number_of(value, how) {
            None => general(value, how),
            Some(digits) => Ok(match named {
                Named::Currency => fixed::currency(&digits, fixed::Options::DEFAULT, how)?,
                Named::Words([set, clear]) => {
                    if digits.is_zero() { clear } else { set }.encode_utf16().collect()
                }
                Named::General | Named::Picture(_) => general(value, how)?,
            }),
        },
    }
}

/// Writes a value as a conversion to text does; what is null is empty.
fn general(value: &Value, how: How) -> Result<Vec<u16>, Refused> {
    if *value == Value::Null { Ok(Vec::new()) } else { to_text(value, how) }
}

/// Returns the number that a value is; `None` for null and for a text that is none.
fn number_of(value: &Value, how: How) -> Option<Digits> {
    match value {
        Value::Null => None,
        Value::Text(_) => Digits::of(value, how).ok(),
        _ => Digits::of(value, how).ok().or(Some(Digits::ZERO)),
    }
}

/// Returns the date that a value is; `None` for null and for a text that is none.
fn date_of(value: &Value, how: How) -> Result<Option<f64>, Refused> {
    match value {
        Value::Null => Ok(None),
        Value::Text(units) => {
            let read = dates::read(units, how).or_else(|_| to_double(value, how)).ok();
            read.map(dates::checked).transpose()
        }
        other => dates::checked(to_double(other, how)?).map(Some),
    }
}

fn by_picture(value: &Value, picture: &[u16], week: Week, how: How) -> Result<Vec<u16>, Refused> {
    let picture = Picture::parse(picture);
    match picture.kind {
        Kind::Date => match date_of(value, how)? {
            Some(date) => date::write(date, picture.section(0), week, how),
            None => general(value, how),
        },
        Kind::Number => match (value, number_of(value, how)) {
            (Value::Null, _) => Ok(picture.used(3).map(number::literals).unwrap_or_default()),
            (_, Some(digits)) => Ok(number::write(&digits, &picture, how)),
            (_, None) => general(value, how),
        },
        Kind::Text if *value == Value::Null && picture.used(1).is_none() => Ok(Vec::new()),
        // A picture of nothing but literals is written for every value.
        Kind::Text | Kind::Literal => Ok(text::write(&general(value, how)?, &picture)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &Value, picture: &str) -> String {
        let how = How { locale: &locale::EN_US, flags: 0 };
        let week = Week { first_day: 0, first_week: 0 };
        match format(value, &picture.encode_utf16().collect::<Vec<_>>(), week, how) {
            Ok(text) => String::from_utf16_lossy(&text),
            Err(Refused(code)) => format!("{code:x}"),
        }
    }

    #[test]
    fn numbers_follow_pictures() {
        for (number, picture, expected) in [
            (1234567.891, "#,##0,.0", "1,234.6"),
            (1234567.0, "0,,", "1"),
            (123_456_789.0, "###, ###, ###", "123, 456, 789"),
            (123_456_789.0, "#,#.#", "123,456,789."),
            (1.2, "0#.0#0#0#0#0", "01.200000000"),
            (9.876_543_21, "#0.#0#0#0#0#", "9.87654321"),
            (1.0, "1#####0000", "10001"),
            (1.0, "##abcdefghijklmnopqrstuvwxyz", "1abcdefghijklmnopqrstuvwxyz"),
            (-5.0, "$0.00", "-$5.00"),
            (-5.0, "0;(0)", "(5)"),
            (-5.0, "0;;\\z", "-5"),
            (0.0, "0;;\\z", "z"),
            (0.0, "#0.0e+0", "0.0e+0"),
            (99.999, "0.00E+00", "1.00E+02"),
            (0.5, "0%%", "5000%%"),
            (12.0, ".00", "12.00"),
            (-0.001, "0.0", "-0.0"),
            (36_585.0, "w ww y q", "3 10 60 1"),
        ] {
            assert_eq!(shown(&Value::R8(number), picture), expected, "{number} as {picture}");
        }
    }

    #[test]
    fn texts_and_dates_follow_pictures() {
        let text = |text: &str| Value::Text(text.encode_utf16().collect());
        for (value, picture, expected) in [
            (text("Hello"), "@@@@@@@", "  Hello"),
            (text("Hello"), "!@@@@@@@", "Hello  "),
            (text("Hello"), ">&&&&&&&", "HELLO"),
            (text(""), "&;\\e", "e"),
            (text("x"), "0.00", "x"),
            (Value::Null, "0;0;0;\\n", "n"),
            (Value::Error(5), "0", "80020005"),
            (Value::Date(36_585.556_78), "Medium Date", "29-Feb-00"),
            (Value::Date(36_585.556_78), "h:nn AM/PM", "1:21 PM"),
            (Value::Date(36_585.556_78), "c", "2/29/2000 1:21:46 PM"),
            (Value::Date(36_585.556_78), "hh:mm mm", "13:21 02"),
            (Value::Bool(true), "True/False", "True"),
            (Value::R8(1e300), "yyyy", "8002000a"),
        ] {
            assert_eq!(shown(&value, picture), expected, "{picture}");
        }
    }
}
