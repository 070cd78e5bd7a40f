//! How dates and times are written.

use anyhow::Result;
use serde_json::Value;

use super::{Cldr, Facts, Row};

/// Days from Monday, as CLDR calls them.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// `LOCALE_RETURN_GENITIVE_NAMES`.
const GENITIVE: u32 = 0x1000_0000;
/// Languages of 24 hours for which Windows has no words for morning and afternoon.
const WITHOUT_MARKERS: [&str; 13] =
    ["da", "de", "fr", "it", "lt", "nb", "nl", "pl", "pt", "ru", "sk", "sv", "uk"];

/// Languages whose long date has no day of the week in Windows.
const WITHOUT_WEEKDAY: [&str; 8] = ["cs", "da", "ja", "pl", "ru", "sk", "uk", "zh"];

/// Adds the facts.
pub(super) fn facts(cldr: &Cldr, row: &Row<'_>, facts: &mut Facts) -> Result<()> {
    let file = cldr.of_locale("cldr-dates-full", row.name, "ca-gregorian")?;
    let calendar = &file["dates"]["calendars"]["gregorian"];
    names(calendar, facts);
    let text =
        |group: &str, width: &str| windows_picture(calendar[group][width].as_str().unwrap_or_default());
    let available = &calendar["dateTimeFormats"]["availableFormats"];
    let skeleton = |name: &str| windows_picture(available[name].as_str().unwrap_or_default());
    let short = row.short_date().map_or_else(|| long_year(&text("dateFormats", "short")), str::to_owned);
    let width = if WITHOUT_WEEKDAY.contains(&row.language()) { "long" } else { "full" };
    let long = text("dateFormats", width);
    let (time, short_time) = (text("timeFormats", "medium"), text("timeFormats", "short"));
    orders(&short, &long, &time, facts);
    let relative = [skeleton("MMMMEEEEd"), skeleton("MMMEd"), "dddd, MMM d".to_owned()];
    let relative = relative.into_iter().find(|picture| !picture.is_empty()).unwrap_or_default();
    for (kind, picture) in [
        (0x1f, short),
        (0x20, long),
        (0x1003, time),
        (0x79, short_time),
        (0x1006, skeleton("yMMMM")),
        (0x78, skeleton("MMMMd")),
        (0x7c, relative),
    ] {
        if !picture.is_empty() {
            facts.insert(kind, picture);
        }
    }
    let markers = ["am", "pm"].map(|name| match WITHOUT_MARKERS.contains(&row.language()) {
        true => String::new(),
        false => {
            calendar["dayPeriods"]["format"]["abbreviated"][name].as_str().unwrap_or_default().to_owned()
        }
    });
    for ((kind, shortest), text) in [(0x28, 0x7e), (0x29, 0x7f)].into_iter().zip(markers) {
        facts.insert(shortest, text.chars().take(1).collect());
        facts.insert(kind, text.replace(['\u{a0}', '\u{202f}'], " "));
    }
    if row.language() == "th" {
        facts.insert(0x1009, "7".to_owned());
        facts.insert(0x100b, "1".to_owned());
    }
    Ok(())
}

/// Adds the names of days and months; months as they stand alone, and in a date where that differs.
fn names(calendar: &Value, facts: &mut Facts) {
    let day =
        |form: &str, width: &str, name: &str| calendar["days"][form][width][name].as_str().map(str::to_owned);
    let month = |form: &str, width: &str, number: u32| {
        calendar["months"][form][width][number.to_string()].as_str().map(str::to_owned)
    };
    for (index, name) in (0..).zip(DAYS) {
        for (kind, width) in [(0x2a, "wide"), (0x31, "abbreviated"), (0x60, "short")] {
            let text = day("stand-alone", width, name).unwrap_or_default();
            facts.insert(kind + index, text.trim_end_matches('.').to_owned());
        }
    }
    for number in 1..=12 {
        for (kind, width) in [(0x37, "wide"), (0x43, "abbreviated")] {
            let alone = month("stand-alone", width, number).unwrap_or_default();
            let in_date = month("format", width, number).unwrap_or_default();
            if in_date != alone {
                facts.insert(GENITIVE | (kind + number), in_date);
            }
            facts.insert(kind + number, alone);
        }
    }
}

/// Rewrites a pattern of CLDR's as a picture of Windows'.
fn windows_picture(pattern: &str) -> String {
    let mut picture = String::new();
    let mut is_quoted = false;
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            is_quoted = !is_quoted;
            picture.push(letter);
            continue;
        }
        if is_quoted || !letter.is_ascii_alphabetic() {
            match letter {
                '\u{202f}' => picture.push(' '),
                '\u{200e}' | '\u{200f}' => {}
                other => picture.push(other),
            }
            continue;
        }
        let mut count = 1;
        while letters.next_if_eq(&letter).is_some() {
            count += 1;
        }
        picture.push_str(&field(letter, count));
    }
    picture.trim().to_owned()
}

/// Returns a field of a picture.
fn field(letter: char, count: usize) -> String {
    let (letter, count) = match letter {
        'E' | 'c' => ('d', if count == 4 { 4 } else { 3 }),
        'L' => ('M', count),
        'y' | 'u' if count != 2 => ('y', 4),
        'a' | 'b' | 'B' => ('t', 2),
        'G' => ('g', 2),
        other => (other, count),
    };
    letter.to_string().repeat(count)
}

fn long_year(picture: &str) -> String {
    if picture.contains("yyyy") { picture.to_owned() } else { picture.replace("yy", "yyyy") }
}

/// Adds the old facts that say what pictures say: orders, separators, zeros.
fn orders(short: &str, long: &str, time: &str, facts: &mut Facts) {
    let order = |picture: &str| {
        let at = |field: &str| picture.find(field).unwrap_or(usize::MAX);
        // The day of the month, not of the week.
        let day = picture.replace("dddd", "wwww").replace("ddd", "www").find('d').unwrap_or(usize::MAX);
        let (month, year) = (at("M"), at("y"));
        if year < month.min(day) {
            "2"
        } else if day < month {
            "1"
        } else {
            "0"
        }
        .to_owned()
    };
    let flag = |value: bool| u8::from(value).to_string();
    let separator = |text: &str, fields: &[char]| -> String {
        let rest = text.trim_start_matches(|c| !fields.contains(&c)).trim_start_matches(fields);
        rest.chars().take_while(|c| !fields.contains(c)).collect()
    };
    facts.insert(0x1d, separator(short, &['d', 'M', 'y']));
    facts.insert(0x1e, separator(time, &['h', 'H', 'm', 's']));
    facts.insert(0x21, order(short));
    facts.insert(0x22, order(long));
    facts.insert(0x23, flag(time.contains('H')));
    facts.insert(0x24, flag(short.contains("yyyy")));
    facts.insert(0x25, flag(time.contains("HH") || time.contains("hh")));
    facts.insert(0x26, flag(short.contains("dd")));
    facts.insert(0x27, flag(short.contains("MM")));
    facts.insert(0x1005, flag(time.starts_with("tt")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_pictures() {
        let cases = [
            ("EEEE, d. MMMM y", "dddd, d. MMMM yyyy"),
            ("y年M月d日EEEE", "yyyy年M月d日dddd"),
            ("h:mm:ss\u{202f}a", "h:mm:ss tt"),
            ("EEEE, d 'de' LLLL 'de' y", "dddd, d 'de' MMMM 'de' yyyy"),
        ];
        for (pattern, picture) in cases {
            assert_eq!(windows_picture(pattern), picture);
        }
        assert_eq!(long_year("dd.MM.yy"), "dd.MM.yyyy");
    }
}
