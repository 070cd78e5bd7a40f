//! Dates of automation: days since 30 December 1899, and the part of a day behind the point, which counts forward also
//! before that day.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varianttimetosystemtime>,
//! <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-vardatefromstr>

use super::{How, Refused};
use crate::logic::nls::{date_format, locale};
use crate::logic::time::SystemTime;

/// 1 January of the year 100.
const FIRST: f64 = -657_434.0;
/// 1 January of the year 10000.
const END: f64 = 2_958_466.0;
/// Days from 1 March of the year 0 to 30 December 1899.
const DAYS_TO_EPOCH: i64 = 693_899;
const MILLISECONDS: f64 = 86_400_000.0;

/// Returns a date that Windows has.
///
/// # Errors
/// `DISP_E_OVERFLOW` outside the years 100 to 9999.
pub fn checked(date: f64) -> Result<f64, Refused> {
    if date > FIRST - 1.0 && date < END { Ok(date) } else { Err(Refused::OVERFLOW) }
}

/// Returns the day's number of a date.
fn number_of(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that a leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
        - DAYS_TO_EPOCH
}

/// Returns the fields of a date, to the second.
///
/// # Errors
/// `E_INVALIDARG` outside the years 100 to 9999.
pub fn fields(date: f64) -> Result<SystemTime, Refused> {
    checked(date).map_err(|_| Refused::INVALID)?;
    let mut day = date.trunc() as i64;
    let milliseconds = ((date - date.trunc()).abs() * MILLISECONDS).round() as i64;
    // Half a second rounds up, and may be the next day.
    let mut seconds = (milliseconds + 500) / 1000;
    if seconds >= 86_400 {
        (seconds, day) = (0, day + 1);
    }
    let (year, month, of_month) = date_of(day);
    Ok(SystemTime {
        year: year as u16,
        month: month as u16,
        day_of_week: (day + 6).rem_euclid(7) as u16,
        day: of_month as u16,
        hour: (seconds / 3600) as u16,
        minute: (seconds / 60 % 60) as u16,
        second: (seconds % 60) as u16,
        millisecond: 0,
    })
}

/// Returns year, month and day of a day's number.
fn date_of(number: i64) -> (i64, i64, i64) {
    let days = number + DAYS_TO_EPOCH;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next, month, day)
}

/// Returns the date of fields. Years below 30 belong to this century, the others below 100 to the last.
///
/// # Errors
/// `E_INVALIDARG` for fields that no day has.
pub fn of_fields(time: &SystemTime) -> Result<f64, Refused> {
    let year = match i64::from(time.year) {
        year @ 0..30 => year + 2000,
        year @ 30..100 => year + 1900,
        year => year,
    };
    let is_date = (1..=12).contains(&time.month)
        && (1..=crate::logic::time::days_in_month(year as u16, time.month)).contains(&time.day);
    if !is_date || year > 9999 || time.hour > 23 || time.minute > 59 || time.second > 59 {
        return Err(Refused::INVALID);
    }
    let day = number_of(year, time.month.into(), time.day.into());
    let seconds = f64::from(time.hour) * 3600.0 + f64::from(time.minute) * 60.0 + f64::from(time.second);
    let part = seconds / 86_400.0;
    Ok(if day < 0 { day as f64 - part } else { day as f64 + part })
}

/// Returns the date of fields that may be too large or too small: the 31st of a month of 30 days is the first of the next
/// one, month 0 is the December before, and so on.
///
/// # Errors
/// `E_INVALIDARG` outside the years 100 to 9999.
pub fn of_loose_fields(time: &SystemTime) -> Result<f64, Refused> {
    let year = match i64::from(time.year) {
        year @ 0..30 => year + 2000,
        year @ 30..100 => year + 1900,
        year => year,
    };
    if year > 9999 {
        return Err(Refused::INVALID);
    }
    let months = i64::from(time.month as i16) - 1;
    let (year, month) = (year + months.div_euclid(12), months.rem_euclid(12) + 1);
    let seconds = i64::from(time.hour as i16) * 3600
        + i64::from(time.minute as i16) * 60
        + i64::from(time.second as i16);
    let day = number_of(year, month, 1) + i64::from(time.day as i16) - 1 + seconds.div_euclid(86_400);
    let part = seconds.rem_euclid(86_400) as f64 / 86_400.0;
    checked(if day < 0 { day as f64 - part } else { day as f64 + part }).map_err(|_| Refused::INVALID)
}

/// Writes a date: the day, the time, or both, where there are both.
///
/// # Errors
/// `E_INVALIDARG` outside the years 100 to 9999.
pub fn to_text(date: f64, how: How) -> Result<Vec<u16>, Refused> {
    /// `VAR_TIMEVALUEONLY` and `VAR_DATEVALUEONLY`.
    const TIME_ONLY: u32 = 1;
    const DATE_ONLY: u32 = 2;
    let fields = fields(date)?;
    let picture = |kind| how.locale.text(kind).encode_utf16().collect::<Vec<u16>>();
    let day = || {
        let mut picture = how.locale.text(locale::SHORT_DATE).to_owned();
        if fields.year < 1000 {
            // Years are not filled up with zeros.
            picture = picture.replace("yyyy", &format!("'{}'", fields.year));
        }
        date_format::date(how.locale, &fields, &picture.encode_utf16().collect::<Vec<_>>())
    };
    let time = || date_format::time(how.locale, &fields, &picture(locale::TIME_FORMAT), 0);
    let is_midnight = (fields.hour, fields.minute, fields.second) == (0, 0, 0);
    Ok(match how.flags {
        flags if flags & TIME_ONLY != 0 => time(),
        flags if flags & DATE_ONLY != 0 || is_midnight && date.trunc() != 0.0 => day(),
        _ if date.trunc() == 0.0 => time(),
        _ => [day(), vec![u16::from(b' ')], time()].concat(),
    })
}

/// What a text of a date is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Number(u32, usize),
    Month(u16),
    Afternoon(bool),
    Colon,
}

/// Takes a text apart.
fn tokens(text: &str, how: How) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(&letter) = letters.peek() {
        let mut take = |is: fn(char) -> bool| {
            let mut word = String::new();
            while let Some(letter) = letters.next_if(|&letter| is(letter)) {
                word.push(letter);
            }
            word
        };
        match letter {
            '0'..='9' => {
                let word = take(|letter| letter.is_ascii_digit());
                found.push(Token::Number(word.parse().ok()?, word.len()));
            }
            letter if letter.is_alphabetic() => {
                let word = take(|letter| letter.is_alphabetic() || letter == '.');
                found.extend(word_token(word.trim_end_matches('.'), how)?);
            }
            ':' => {
                letters.next();
                found.push(Token::Colon);
            }
            '/' | '-' | '.' | ',' | ' ' | '\t' => {
                letters.next();
            }
            _ => return None,
        }
    }
    Some(found)
}

/// Says what a word is: a month, a half of the day, or a day of the week, which counts for nothing; `None` for another.
fn word_token(word: &str, how: How) -> Option<Option<Token>> {
    let is = |other: &str| word.eq_ignore_ascii_case(other) || word.to_lowercase() == other.to_lowercase();
    for (kind, count) in [(locale::MONTH_NAME, 12), (locale::SHORT_MONTH_NAME, 12)] {
        for number in 0..count {
            if is(how.locale.text(kind + number)) || is(locale::EN_US.text(kind + number)) {
                return Some(Some(Token::Month(number as u16 + 1)));
            }
        }
    }
    for kind in [locale::DAY_NAME, locale::SHORT_DAY_NAME] {
        if (0..7).any(|number| is(how.locale.text(kind + number)) || is(locale::EN_US.text(kind + number))) {
            return Some(None);
        }
    }
    match () {
        () if is("AM") || is("A") => Some(Some(Token::Afternoon(false))),
        () if is("PM") || is("P") => Some(Some(Token::Afternoon(true))),
        // The T of ISO 8601 parts date and time.
        () if word == "T" => Some(None),
        () => None,
    }
}

/// Reads a date, a time or both.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH` for what is none.
pub fn read(text: &[u16], how: How) -> Result<f64, Refused> {
    let text = String::from_utf16_lossy(text);
    let tokens = tokens(text.trim(), how).filter(|found| !found.is_empty()).ok_or(Refused::MISMATCH)?;
    parse(&tokens, how).ok_or(Refused::MISMATCH)
}

fn parse(tokens: &[Token], how: How) -> Option<f64> {
    let (mut clock, mut numbers, mut month, mut half) = (Vec::new(), Vec::new(), None, None);
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at] {
            Token::Number(value, _) if tokens.get(at + 1) == Some(&Token::Colon) && clock.is_empty() => {
                clock.push(value);
                while tokens.get(at + 1) == Some(&Token::Colon) {
                    let Some(Token::Number(value, _)) = tokens.get(at + 2) else { return None };
                    clock.push(*value);
                    at += 2;
                }
            }
            // An hour alone, with its half of the day.
            Token::Number(value, _)
                if matches!(tokens.get(at + 1), Some(Token::Afternoon(_))) && clock.is_empty() =>
            {
                clock.push(value);
            }
            Token::Number(value, digits) => numbers.push((value, digits)),
            Token::Month(number) if month.is_none() => month = Some(number),
            Token::Afternoon(is) if half.is_none() && !clock.is_empty() => half = Some(is),
            _ => return None,
        }
        at += 1;
    }
    let seconds = time_of(&clock, half)?;
    if numbers.is_empty() && month.is_none() {
        return (!clock.is_empty()).then_some(f64::from(seconds) / 86_400.0);
    }
    let (year, month, day) = day_of(&numbers, month, how)?;
    let hour = (seconds / 3600) as u16;
    let (minute, second) = ((seconds / 60 % 60) as u16, (seconds % 60) as u16);
    let time = SystemTime { year, month, day, hour, minute, second, ..SystemTime::default() };
    of_fields(&time).ok()
}

fn time_of(clock: &[u32], half: Option<bool>) -> Option<u32> {
    let field = |place: usize| clock.get(place).copied().unwrap_or(0);
    let hour = match half {
        Some(is_afternoon) if (1..=12).contains(&field(0)) => {
            field(0) % 12 + if is_afternoon { 12 } else { 0 }
        }
        Some(_) => return None,
        None => field(0),
    };
    let is_time = clock.len() <= 3 && hour < 24 && field(1) < 60 && field(2) < 60;
    is_time.then_some(hour * 3600 + field(1) * 60 + field(2))
}

/// Puts numbers into the locale's order, or another that makes a date of them.
fn day_of(numbers: &[(u32, usize)], month: Option<u16>, how: How) -> Option<(u16, u16, u16)> {
    let values: Vec<u16> =
        numbers.iter().map(|&(value, _)| u16::try_from(value).ok()).collect::<Option<_>>()?;
    let is_year = |place: usize| numbers[place].1 > 2 || values[place] > 31;
    let fits = |(year, month, day): (u16, u16, u16)| {
        let time = SystemTime { year, month, day, ..SystemTime::default() };
        of_fields(&time).is_ok().then_some((year, month, day))
    };
    match (values.as_slice(), month) {
        (&[day, year], Some(month)) if !is_year(0) => fits((year, month, day)),
        (&[year, day], Some(month)) => fits((year, month, day)),
        (&[year], Some(month)) if is_year(0) => fits((year, month, 1)),
        (&[first, second, third], None) if is_year(0) => fits((first, second, third)),
        (&[first, second, third], None) => match how.locale.number(locale::DATE_ORDER) {
            1 => fits((third, second, first)).or_else(|| fits((third, first, second))),
            2 => fits((first, second, third)).or_else(|| fits((third, first, second))),
            _ => fits((third, first, second)).or_else(|| fits((third, second, first))),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_there_and_back() {
        for (text, date, written) in [
            ("12/30/1899 6:00", 0.25, "6:00:00 AM"),
            ("1/1/100", -657_434.0, "1/1/100"),
            ("12/31/9999", 2_958_465.0, "12/31/9999"),
            ("February 29, 2000 11:59:59 PM", 36_585.999_988_425_93, "2/29/2000 11:59:59 PM"),
            ("2001-02-03T04:05:06", 36_925.170_208_333_33, "2/3/2001 4:05:06 AM"),
            ("12/29/1899 6:00", -1.25, "12/29/1899 6:00:00 AM"),
            ("31/1/99", 36_191.0, "1/31/1999"),
            ("3 pm", 0.625, "3:00:00 PM"),
        ] {
            let how = How { locale: &locale::EN_US, flags: 0 };
            let read = read(&text.encode_utf16().collect::<Vec<_>>(), how).expect(text);
            assert!((read - date).abs() < 1e-9, "{text}: {read}");
            assert_eq!(String::from_utf16_lossy(&to_text(date, how).expect(text)), written, "{text}");
        }
        assert_eq!(fields(36_585.0).map(|fields| fields.day_of_week), Ok(2));
    }
}
