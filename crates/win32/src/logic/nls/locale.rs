//! Facts about locales, by the numbers of `LCTYPE`: English (United States), the invariant locale, and those of
//! `locales.txt`, which are read when they are first asked for.
//!
//! Key items: [`Locale`], [`of_number`], [`EN_US`], [`INVARIANT`]. Source: `winnls.h` for the numbers;
//! <https://learn.microsoft.com/windows/win32/intl/locale-information-constants>.

use std::sync::{Mutex, PoisonError};

use super::locale_names;

/// A locale.
#[derive(Debug)]
pub struct Locale {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// What it has; what is missing here is as in English (United States).
    own: &'static [Fact],
    /// The locale whose facts it shares, behind its own.
    like: Option<&'static Locale>,
    /// The pictures that `EnumDateFormats` lists: short, long, year and month.
    pub dates: [&'static [&'static str]; 3],
    /// The pictures that `EnumTimeFormats` lists.
    pub times: &'static [&'static str],
}

/// The data of the other locales; `cargo xtask locales` makes it.
const OTHERS: &str = include_str!("locales.txt");

/// Those of the other locales that were asked for.
static READ: Mutex<Vec<&'static Locale>> = Mutex::new(Vec::new());

/// Returns the locale of a number without its order of sorting; `None` for one that plat does not have.
pub fn of_number(number: u32) -> Option<&'static Locale> {
    for known in [&EN_US, &INVARIANT] {
        if known.number == number {
            return Some(known);
        }
    }
    let known =
        READ.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|one| one.number == number).copied();
    known.or_else(|| read(number))
}

/// Returns the numbers of all locales but the invariant one.
pub fn numbers() -> impl Iterator<Item = u32> {
    let others = OTHERS.split("\n[").skip(1).filter_map(|block| Some(header(block)?.1));
    std::iter::once(EN_US.number).chain(others)
}

/// Returns what a block of the data begins with: name, number, and the name of the locale whose facts it shares.
fn header(block: &'static str) -> Option<(&'static str, u32, &'static str)> {
    let (name, rest) = block.split_once(']')?.0.split_once(' ')?;
    let (number, like) = rest.split_once(' ')?;
    Some((name, u32::from_str_radix(number, 16).ok()?, like))
}

/// Reads a locale from the data, for as long as the program runs.
fn read(number: u32) -> Option<&'static Locale> {
    let blocks = || OTHERS.split("\n[").skip(1).filter_map(|block| Some((header(block)?, block)));
    let ((name, _, like), block) = blocks().find(|(header, _)| header.1 == number)?;
    let like = blocks().find(|(header, _)| header.0 == like).and_then(|(header, _)| of_number(header.1));
    let facts = block.lines().skip(1).filter_map(|line| {
        let (kind, text) = line.split_once('=')?;
        Some((u32::from_str_radix(kind, 16).ok()?, text))
    });
    let display = locale_names::english_name(number as u16).unwrap_or(name);
    let mut own: Vec<Fact> =
        facts.chain([(DISPLAY_NAME, display), (ENGLISH_DISPLAY_NAME, display)]).collect();
    own.sort_unstable_by_key(|fact| fact.0);
    let mut locale = Locale { number, name, own: own.leak(), like, dates: [&[]; 3], times: &[] };
    locale.dates = [SHORT_DATE, LONG_DATE, YEAR_MONTH].map(|kind| &*vec![locale.text(kind)].leak());
    locale.times = vec![locale.text(TIME_FORMAT)].leak();
    let locale: &'static Locale = Box::leak(Box::new(locale));
    READ.lock().unwrap_or_else(PoisonError::into_inner).push(locale);
    Some(locale)
}

/// An `LCTYPE` and its text.
type Fact = (u32, &'static str);

/// English (United States).
pub static EN_US: Locale = Locale {
    number: 0x409,
    name: "en-US",
    own: ENGLISH,
    like: None,
    dates: [
        &["M/d/yyyy", "M/d/yy", "MM/dd/yy", "MM/dd/yyyy", "yy/MM/dd", "yyyy-MM-dd", "dd-MMM-yy"],
        &["dddd, MMMM d, yyyy", "MMMM d, yyyy", "dddd, d MMMM, yyyy", "d MMMM, yyyy"],
        &["MMMM yyyy"],
    ],
    times: &["h:mm:ss tt", "hh:mm:ss tt", "H:mm:ss", "HH:mm:ss"],
};

/// The invariant locale, which belongs to no country.
pub static INVARIANT: Locale = Locale {
    number: 0x7f,
    name: "",
    own: NOBODYS,
    like: None,
    dates: [&["MM/dd/yyyy", "yyyy-MM-dd"], &["dddd, dd MMMM yyyy"], &["yyyy MMMM"]],
    times: &["HH:mm:ss"],
};

/// `LOCALE_SLOCALIZEDDISPLAYNAME`.
const DISPLAY_NAME: u32 = 0x2;
/// `LOCALE_SENGLISHDISPLAYNAME`.
const ENGLISH_DISPLAY_NAME: u32 = 0x72;
/// `LOCALE_SDECIMAL`.
pub const DECIMAL: u32 = 0xe;
/// `LOCALE_STHOUSAND`.
pub const THOUSAND: u32 = 0xf;
/// `LOCALE_SGROUPING`.
pub const GROUPING: u32 = 0x10;
/// `LOCALE_IDIGITS`.
pub const DIGITS: u32 = 0x11;
/// `LOCALE_ILZERO`.
pub const LEADING_ZERO: u32 = 0x12;
/// `LOCALE_SCURRENCY`.
pub const CURRENCY: u32 = 0x14;
/// `LOCALE_SMONDECIMALSEP`.
pub const MONEY_DECIMAL: u32 = 0x16;
/// `LOCALE_SMONTHOUSANDSEP`.
pub const MONEY_THOUSAND: u32 = 0x17;
/// `LOCALE_SMONGROUPING`.
pub const MONEY_GROUPING: u32 = 0x18;
/// `LOCALE_ICURRDIGITS`.
pub const MONEY_DIGITS: u32 = 0x19;
/// `LOCALE_ICURRENCY`.
pub const MONEY_POSITIVE: u32 = 0x1b;
/// `LOCALE_INEGCURR`.
pub const MONEY_NEGATIVE: u32 = 0x1c;
/// `LOCALE_SDATE`.
pub const DATE_SEPARATOR: u32 = 0x1d;
/// `LOCALE_STIME`.
pub const TIME_SEPARATOR: u32 = 0x1e;
/// `LOCALE_SSHORTDATE`.
pub const SHORT_DATE: u32 = 0x1f;
/// `LOCALE_SLONGDATE`.
pub const LONG_DATE: u32 = 0x20;
/// `LOCALE_IDATE`: 0 month, day, year; 1 day, month, year; 2 year, month, day.
pub const DATE_ORDER: u32 = 0x21;
/// `LOCALE_S1159`.
pub const MORNING: u32 = 0x28;
/// `LOCALE_S2359`.
pub const AFTERNOON: u32 = 0x29;
/// `LOCALE_SDAYNAME1`, Monday.
pub const DAY_NAME: u32 = 0x2a;
/// `LOCALE_SABBREVDAYNAME1`, Monday.
pub const SHORT_DAY_NAME: u32 = 0x31;
/// `LOCALE_SMONTHNAME1`, January.
pub const MONTH_NAME: u32 = 0x38;
/// `LOCALE_SABBREVMONTHNAME1`, January.
pub const SHORT_MONTH_NAME: u32 = 0x44;
/// `LOCALE_SSHORTESTDAYNAME1`, Monday.
pub const SHORTEST_DAY_NAME: u32 = 0x60;
/// `LOCALE_SMONTHDAY`.
pub const MONTH_DAY: u32 = 0x78;
/// `LOCALE_STIMEFORMAT`.
pub const TIME_FORMAT: u32 = 0x1003;
/// `LOCALE_SYEARMONTH`.
pub const YEAR_MONTH: u32 = 0x1006;
/// `LOCALE_IFIRSTDAYOFWEEK`: 0 Monday, 6 Sunday.
pub const FIRST_DAY_OF_WEEK: u32 = 0x100c;
/// `LOCALE_IFIRSTWEEKOFYEAR`: 0 that of 1 January, 1 the first whole one, 2 the first with four days.
pub const FIRST_WEEK_OF_YEAR: u32 = 0x100d;
/// `LOCALE_ICALENDARTYPE`.
pub const CALENDAR: u32 = 0x1009;
/// `LOCALE_IDEFAULTANSICODEPAGE`.
pub const ANSI_PAGE: u32 = 0x1004;
/// `LOCALE_IDEFAULTCODEPAGE`.
pub const OEM_PAGE: u32 = 0xb;
/// `LOCALE_SENGLANGUAGE`.
pub const ENGLISH_LANGUAGE: u32 = 0x1001;
/// `LOCALE_SENGCOUNTRY`.
pub const ENGLISH_COUNTRY: u32 = 0x1002;
/// `LOCALE_RETURN_GENITIVE_NAMES`.
pub const GENITIVE: u32 = 0x1000_0000;
/// `LOCALE_INEGNUMBER`.
pub const NEGATIVE_NUMBER: u32 = 0x1010;

impl Locale {
    /// Returns the text for a type; `None` for a type that no locale has.
    pub fn fact(&self, kind: u32) -> Option<&'static str> {
        let find = |facts: &'static [Fact]| {
            facts.binary_search_by_key(&kind, |fact| fact.0).ok().map(|at| facts[at].1)
        };
        find(self.own).or_else(|| self.like?.fact(kind)).or_else(|| find(ENGLISH))
    }

    /// Returns a month's name, 0 for January, as it stands in a date with a day: the genitive, where it differs.
    pub fn month_in_date(&self, kind: u32, month: u32) -> &'static str {
        self.fact(GENITIVE | (kind + month)).unwrap_or_else(|| self.text(kind + month))
    }

    /// Returns the text for a type that every locale has.
    pub fn text(&self, kind: u32) -> &'static str {
        self.fact(kind).unwrap_or_default()
    }

    /// Returns the number that a type's text is; 0 for what is none.
    pub fn number(&self, kind: u32) -> u32 {
        self.text(kind).parse().unwrap_or(0)
    }
}

/// What English (United States) has.
#[rustfmt::skip]
const ENGLISH: &[Fact] = &[
    (0x1, "0409"),
    (0x2, "English (United States)"),
    (0x3, "ENU"),
    (0x4, "English"),
    (0x5, "1"),
    (0x6, "United States"),
    (0x7, "USA"),
    (0x8, "United States"),
    (0x9, "0409"),
    (0xa, "1"),
    (0xb, "437"),
    (0xc, ","),
    (0xd, "1"),
    (0xe, "."),
    (0xf, ","),
    (0x10, "3;0"),
    (0x11, "2"),
    (0x12, "1"),
    (0x13, "0123456789"),
    (0x14, "$"),
    (0x15, "USD"),
    (0x16, "."),
    (0x17, ","),
    (0x18, "3;0"),
    (0x19, "2"),
    (0x1a, "2"),
    (0x1b, "0"),
    (0x1c, "0"),
    (0x1d, "/"),
    (0x1e, ":"),
    (0x1f, "M/d/yyyy"),
    (0x20, "dddd, MMMM d, yyyy"),
    (0x21, "0"),
    (0x22, "0"),
    (0x23, "0"),
    (0x24, "1"),
    (0x25, "0"),
    (0x26, "0"),
    (0x27, "0"),
    (0x28, "AM"),
    (0x29, "PM"),
    (0x2a, "Monday"),
    (0x2b, "Tuesday"),
    (0x2c, "Wednesday"),
    (0x2d, "Thursday"),
    (0x2e, "Friday"),
    (0x2f, "Saturday"),
    (0x30, "Sunday"),
    (0x31, "Mon"),
    (0x32, "Tue"),
    (0x33, "Wed"),
    (0x34, "Thu"),
    (0x35, "Fri"),
    (0x36, "Sat"),
    (0x37, "Sun"),
    (0x38, "January"),
    (0x39, "February"),
    (0x3a, "March"),
    (0x3b, "April"),
    (0x3c, "May"),
    (0x3d, "June"),
    (0x3e, "July"),
    (0x3f, "August"),
    (0x40, "September"),
    (0x41, "October"),
    (0x42, "November"),
    (0x43, "December"),
    (0x44, "Jan"),
    (0x45, "Feb"),
    (0x46, "Mar"),
    (0x47, "Apr"),
    (0x48, "May"),
    (0x49, "Jun"),
    (0x4a, "Jul"),
    (0x4b, "Aug"),
    (0x4c, "Sep"),
    (0x4d, "Oct"),
    (0x4e, "Nov"),
    (0x4f, "Dec"),
    (0x50, ""),
    (0x51, "-"),
    (0x52, "3"),
    (0x53, "0"),
    (0x54, "1"),
    (0x55, "0"),
    (0x56, "1"),
    (0x57, "0"),
    (0x59, "en"),
    (0x5a, "US"),
    (0x5b, "244"),
    (0x5c, "en-US"),
    (0x60, "Mo"),
    (0x61, "Tu"),
    (0x62, "We"),
    (0x63, "Th"),
    (0x64, "Fr"),
    (0x65, "Sa"),
    (0x66, "Su"),
    (0x67, "eng"),
    (0x68, "USA"),
    (0x69, "NaN"),
    (0x6a, "∞"),
    (0x6b, "-∞"),
    (0x6c, "Latn;"),
    (0x6d, "en"),
    (0x6e, "en-US"),
    (0x6f, "English"),
    (0x70, "0"),
    (0x71, "0"),
    (0x72, "English (United States)"),
    (0x73, "English (United States)"),
    (0x74, "1"),
    (0x75, "1"),
    (0x76, "%"),
    (0x77, "‰"),
    (0x78, "MMMM d"),
    (0x79, "h:mm tt"),
    (0x7a, "ENG "),
    (0x7b, "en-US"),
    (0x7c, "dddd, MMM d"),
    (0x7d, "0"),
    (0x7e, "a"),
    (0x7f, "p"),
    (0x1001, "English"),
    (0x1002, "United States"),
    (0x1003, "h:mm:ss tt"),
    (0x1004, "1252"),
    (0x1005, "0"),
    (0x1006, "MMMM yyyy"),
    (0x1007, "US Dollar"),
    (0x1008, "US Dollar"),
    (0x1009, "1"),
    (0x100a, "1"),
    (0x100b, "0"),
    (0x100c, "6"),
    (0x100d, "0"),
    (0x100e, ""),
    (0x100f, ""),
    (0x1010, "1"),
    (0x1011, "10000"),
    (0x1012, "037"),
    (0x1013, "Default"),
    (0x1014, "1"),
];

/// What the invariant locale has of its own.
#[rustfmt::skip]
const NOBODYS: &[Fact] = &[
    (0x1, "007f"),
    (0x2, "Invariant Language (Invariant Country)"),
    (0x3, "IVL"),
    (0x4, "Invariant Language"),
    (0x6, "Invariant Country"),
    (0x7, "IVC"),
    (0x8, "Invariant Country"),
    (0xd, "0"),
    (0x14, "¤"),
    (0x15, "XDR"),
    (0x1f, "MM/dd/yyyy"),
    (0x20, "dddd, dd MMMM yyyy"),
    (0x22, "1"),
    (0x23, "1"),
    (0x25, "1"),
    (0x26, "1"),
    (0x27, "1"),
    (0x50, "+"),
    (0x59, "iv"),
    (0x5a, "IV"),
    (0x5c, ""),
    (0x67, "ivl"),
    (0x68, "ivc"),
    (0x6a, "Infinity"),
    (0x6b, "-Infinity"),
    (0x6d, ""),
    (0x6e, ""),
    (0x6f, "Invariant Language"),
    (0x72, "Invariant Language (Invariant Country)"),
    (0x73, "Invariant Language (Invariant Region)"),
    (0x74, "0"),
    (0x75, "0"),
    (0x78, "MMMM dd"),
    (0x79, "HH:mm"),
    (0x7a, "dflt"),
    (0x7b, ""),
    (0x7c, "dddd, MMMM dd"),
    (0x1001, "Invariant Language"),
    (0x1002, "Invariant Country"),
    (0x1003, "HH:mm:ss"),
    (0x1006, "yyyy MMMM"),
    (0x1007, "International Monetary Fund"),
    (0x1008, "International Monetary Fund"),
    (0x100a, "9"),
    (0x1013, "Maths Alphanumerics"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_sorted_and_fall_back_to_english() {
        assert!(ENGLISH.is_sorted_by(|a, b| a.0 < b.0) && NOBODYS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!((EN_US.text(CURRENCY), INVARIANT.text(CURRENCY)), ("$", "¤"));
        assert_eq!((INVARIANT.text(DAY_NAME), INVARIANT.number(DIGITS)), ("Monday", 2));
        assert_eq!(EN_US.fact(0xffff), None);
        for locale in [&EN_US, &INVARIANT] {
            assert_eq!(locale.text(SHORT_DATE), locale.dates[0][0]);
            assert_eq!(locale.text(LONG_DATE), locale.dates[1][0]);
            assert_eq!(locale.text(TIME_FORMAT), locale.times[0]);
        }
    }

    #[test]
    fn other_locales_are_read_and_have_names() {
        let (german, swiss) = (of_number(0x407).unwrap(), of_number(0x807).unwrap());
        assert_eq!((german.text(DECIMAL), german.text(MONTH_NAME + 2), german.name), (",", "März", "de-DE"));
        assert_eq!(
            (swiss.text(DECIMAL), swiss.text(MONTH_NAME + 2), swiss.text(CURRENCY)),
            (".", "März", "CHF")
        );
        assert_eq!(of_number(0x419).unwrap().month_in_date(MONTH_NAME, 4), "мая");
        assert!(std::ptr::eq(german, of_number(0x407).unwrap()) && of_number(0x1234).is_none());
        for number in numbers() {
            let locale = of_number(number).unwrap();
            assert_eq!(locale_names::name_of(number as u16), Some(locale.name));
            assert!(
                !locale.text(MONTH_DAY).is_empty() && !locale.text(CURRENCY).is_empty(),
                "{}",
                locale.name
            );
        }
    }
}
