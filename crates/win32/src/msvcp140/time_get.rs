//! `time_get`: dates and times from text, in the "C" locale's words.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/time-get-class>; <https://learn.microsoft.com/cpp/standard-library/time-base-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::facets::{category, class_of, facet_class};
use super::ios::state;
use super::iterators::{Reading, readers};
use super::members::{kinds_of, more_names};
use super::names::Kind;
use super::object::{Words, virtual_method};
use super::streambuf::{Buffer, load_unit};
use crate::guest::Guest;
use crate::msvcrt::time::{DAYS, MONTHS};

facet_class! { time_get_class, time_get_statics, "?$time_get@#V?$istreambuf_iterator@^@std@@", category::TIME, "time-get-class";
time_get_new time_get_new_info time_get_new_default time_get_end time_get_init time_get_make }

/// Month, day, year: the order of dates in the "C" locale, `time_base::mdy`.
const MONTH_FIRST: i32 = 2;

/// Places of the fields of `struct tm`.
mod tm {
    pub(super) const SECOND: u64 = 0;
    pub(super) const MINUTE: u64 = 4;
    pub(super) const HOUR: u64 = 8;
    pub(super) const DAY: u64 = 12;
    pub(super) const MONTH: u64 = 16;
    pub(super) const YEAR: u64 = 20;
    pub(super) const WEEKDAY: u64 = 24;
    pub(super) const DAY_OF_YEAR: u64 = 28;
}

/// A date that is read.
struct Reader {
    buffer: Buffer,
    kind: Kind,
    time: u64,
    /// What becomes of the stream's state.
    outcome: u32,
}

impl Reader {
    fn peek(&mut self, guest: &mut Guest) -> Result<Option<u16>, Fault> {
        let next = self.buffer.peek(guest)?;
        if next.is_none() {
            self.outcome |= state::EOF;
        }
        Ok(next)
    }

    fn fail(&mut self) {
        self.outcome |= state::FAIL;
    }

    fn store(&self, guest: &Guest, field: u64, value: i32) -> Result<(), Fault> {
        guest.write(self.time + field, &value)
    }

    fn spaces(&mut self, guest: &mut Guest) -> Result<(), Fault> {
        const SPACE: u16 = 8;
        while let Some(unit) = self.peek(guest)?
            && class_of(self.kind, unit) & SPACE != 0
        {
            self.buffer.bump(guest)?;
        }
        Ok(())
    }

    /// Reads a number of so many digits at most; stores it if it lies in a range.
    fn number(
        &mut self,
        guest: &mut Guest,
        digits: usize,
        (low, high): (i32, i32),
    ) -> Result<Option<i32>, Fault> {
        self.spaces(guest)?;
        let (mut value, mut count) = (0, 0);
        while count < digits
            && let Some(unit) = self.peek(guest)?
            && let Some(digit) = char::from_u32(unit.into()).and_then(|letter| letter.to_digit(10))
        {
            value = value * 10 + digit as i32;
            count += 1;
            self.buffer.bump(guest)?;
        }
        self.peek(guest)?;
        if count == 0 || value < low || value > high {
            self.fail();
            return Ok(None);
        }
        Ok(Some(value))
    }

    /// Reads a number into a field.
    fn field(&mut self, guest: &mut Guest, field: u64, range: (i32, i32), less: i32) -> Result<(), Fault> {
        let digits = if range.1 > 99 { 3 } else { 2 };
        match self.number(guest, digits, range)? {
            Some(value) => self.store(guest, field, value - less),
            None => Ok(()),
        }
    }

    /// Reads one of some words, or the first three letters of one, without regard to case; returns which.
    fn word(&mut self, guest: &mut Guest, words: &[&str]) -> Result<Option<usize>, Fault> {
        const SHORT: usize = 3;
        let mut text = String::new();
        while let Some(unit) = self.peek(guest)?
            && let Ok(byte) = u8::try_from(unit)
        {
            let longer = format!("{text}{}", char::from(byte).to_ascii_lowercase());
            if !words.iter().any(|word| word.to_ascii_lowercase().starts_with(&longer)) {
                break;
            }
            text = longer;
            self.buffer.bump(guest)?;
        }
        let found = words.iter().position(|word| {
            let word = word.to_ascii_lowercase();
            text == word || text.len() == SHORT && word.starts_with(&text)
        });
        if found.is_none() {
            self.fail();
        }
        Ok(found)
    }

    /// Reads a year: of four digits, or of two, which mean 1969 to 2068.
    fn year(&mut self, guest: &mut Guest, digits: usize) -> Result<(), Fault> {
        const PIVOT: i32 = 69;
        let Some(value) = self.number(guest, digits, (0, 9999))? else { return Ok(()) };
        let since_1900 = match value {
            ..PIVOT => value + 100,
            PIVOT..100 => value,
            _ => value - 1900,
        };
        self.store(guest, tm::YEAR, since_1900)
    }

    /// Reads by a pattern: `%` and a letter, blanks for any number of them, others for themselves.
    fn pattern(&mut self, guest: &mut Guest, pattern: &[u16]) -> Result<(), Fault> {
        let mut rest = pattern;
        while let Some((&unit, tail)) = rest.split_first()
            && self.outcome & state::FAIL == 0
        {
            rest = tail;
            let byte = u8::try_from(unit).unwrap_or(0);
            if byte == b'%' && !tail.is_empty() {
                let has_modifier =
                    tail.len() > 1 && (tail[0] == u16::from(b'E') || tail[0] == u16::from(b'O'));
                let at = usize::from(has_modifier);
                rest = &tail[at + 1..];
                self.letter(guest, u8::try_from(tail[at]).unwrap_or(0))?;
            } else if byte.is_ascii_whitespace() {
                self.spaces(guest)?;
            } else if self.peek(guest)? == Some(unit) {
                self.buffer.bump(guest)?;
            } else {
                self.fail();
            }
        }
        Ok(())
    }

    /// Reads what a letter stands for.
    fn letter(&mut self, guest: &mut Guest, letter: u8) -> Result<(), Fault> {
        let pattern = match letter {
            b'a' | b'A' => {
                let day = self.word(guest, &DAYS)?;
                return day.map_or(Ok(()), |day| self.store(guest, tm::WEEKDAY, day as i32));
            }
            b'b' | b'B' | b'h' => {
                let month = self.word(guest, &MONTHS)?;
                return month.map_or(Ok(()), |month| self.store(guest, tm::MONTH, month as i32));
            }
            b'C' => {
                let century = self.number(guest, 2, (0, 99))?;
                return century.map_or(Ok(()), |century| self.store(guest, tm::YEAR, century * 100 - 1900));
            }
            b'd' | b'e' => return self.field(guest, tm::DAY, (1, 31), 0),
            b'H' => return self.field(guest, tm::HOUR, (0, 23), 0),
            b'I' => return self.field(guest, tm::HOUR, (1, 12), 0),
            b'j' => return self.field(guest, tm::DAY_OF_YEAR, (1, 366), 1),
            b'm' => return self.field(guest, tm::MONTH, (1, 12), 1),
            b'M' => return self.field(guest, tm::MINUTE, (0, 59), 0),
            b'S' => return self.field(guest, tm::SECOND, (0, 60), 0),
            b'w' => return self.field(guest, tm::WEEKDAY, (0, 6), 0),
            b'n' | b't' => return self.spaces(guest),
            b'p' => return self.half(guest),
            b'y' => return self.year(guest, 2),
            b'Y' => return self.year(guest, 4),
            b'c' => "%b %d %H:%M:%S %Y",
            b'D' => "%m/%d/%y",
            b'r' => "%I:%M:%S %p",
            b'R' => "%H:%M",
            b'T' | b'X' => "%H:%M:%S",
            b'x' => "%d / %m / %y",
            b'%' => "%",
            _ => {
                self.fail();
                return Ok(());
            }
        };
        let units: Vec<u16> = pattern.encode_utf16().collect();
        self.pattern(guest, &units)
    }

    /// Reads which half of the day is meant: hours from 1 to 12 become hours from 0 to 23.
    fn half(&mut self, guest: &mut Guest) -> Result<(), Fault> {
        let Some(half) = self.word(guest, &["AM", "PM"])? else { return Ok(()) };
        let hour: i32 = guest.read(self.time + tm::HOUR)?;
        self.store(guest, tm::HOUR, hour % 12 + if half == 1 { 12 } else { 0 })
    }
}

/// Reads a date by a pattern.
fn read(guest: &mut Guest, kind: Kind, reading: Reading, pattern: &[u16]) -> Result<GuestWord, Fault> {
    reading.run(guest, kind, |guest, buffer| {
        let mut reader = Reader { buffer, kind, time: reading.value.0, outcome: 0 };
        reader.pattern(guest, pattern)?;
        Ok(reader.outcome)
    })
}

/// Reads a date by a pattern of bytes.
fn read_bytes(guest: &mut Guest, kind: Kind, reading: Reading, pattern: &[u8]) -> Result<GuestWord, Fault> {
    let pattern: Vec<u16> = pattern.iter().copied().map(u16::from).collect();
    read(guest, kind, reading, &pattern)
}

readers! { "time-get-class", "?$time_get@#V?$istreambuf_iterator@^@std@@", time_get_members, time_get_virtual, read_bytes;
    "Reads a time.", "get_time", "P*AUtm@@" 4 time_get_time time_get_do_time b"%H : %M : %S";
    "Reads a date.", "get_date", "P*AUtm@@" 5 time_get_date time_get_do_date b"%d / %m / %y";
    "Reads the name of a day.", "get_weekday", "P*AUtm@@" 6 time_get_weekday time_get_do_weekday b"%a";
    "Reads the name of a month.", "get_monthname", "P*AUtm@@" 7 time_get_monthname time_get_do_monthname b"%b";
    "Reads a year.", "get_year", "P*AUtm@@" 8 time_get_year time_get_do_year b"%Y";
}

kinds_of! { OTHERS in time_get_others, "time-get-class";
    "Returns the order of days, months and years.", "?date_order@?$time_get@#V?$istreambuf_iterator@^@std@@Q*B+?AW4dateorder@time_base@2@XZ";
    time_get_order(guest, kind, this) -> i32 {
        const DATE_ORDER: u64 = 3;
        let words = Words::new(guest);
        virtual_method(guest, this.0, DATE_ORDER, words).map(|order| order as i32)
    }

    "Reads what a letter stands for.", "?do_get@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@DD@Z";
    time_get_letter(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, time: GuestWord, letter: u8, modifier: u8) -> GuestWord {
        let _ = (this, modifier);
        read_bytes(guest, kind, Reading { to, first, last, base, outcome, value: time }, &[b'%', letter])
    }

    "Reads a date by a pattern.", "?get@?$time_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@P*B#4@Z";
    time_get_pattern(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, time: GuestWord, pattern: GuestWord, end: GuestWord) -> GuestWord {
        let _ = this;
        let mut text = Vec::new();
        for at in (pattern.0..end.0).step_by(kind.unit() as usize) {
            text.push(load_unit(guest, kind, at)?);
        }
        read(guest, kind, Reading { to, first, last, base, outcome, value: time }, &text)
    }

    "Reads a date by a pattern of bytes.", "?_Getfmt@?$time_get@#V?$istreambuf_iterator@^@std@@I*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@P*BD@Z";
    time_get_bytes(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, time: GuestWord, pattern: GuestWord) -> GuestWord {
        let _ = this;
        let text = guest.read_c_string(pattern.0)?;
        read_bytes(guest, kind, Reading { to, first, last, base, outcome, value: time }, &text)
    }

    "Returns the order of days, months and years.", "?do_date_order@?$time_get@#V?$istreambuf_iterator@^@std@@M*B+?AW4dateorder@time_base@2@XZ";
    time_get_do_order(guest, kind, this) -> i32 {
        let _ = (guest, this);
        Ok(MONTH_FIRST)
    }
}

more_names! { MORE of time_get_others;
    "?get@?$time_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHP*AUtm@@DD@Z" => time_get_letter;
}
