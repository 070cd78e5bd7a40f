//! Numbers taken apart into digits, as `VarParseNumFromStr` does, and put together again as the smallest type that fits.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varparsenumfromstr>,
//! <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varnumfromparsenum>

use super::text::Number;
use super::{How, Refused, Value, convert, kind};
use crate::logic::nls::locale;

/// What a number may have, and what it has: `NUMPRS_…`.
pub mod flags {
    /// White space before it.
    pub const LEADING_WHITE: u32 = 1;
    /// White space behind it.
    pub const TRAILING_WHITE: u32 = 2;
    /// A plus before it.
    pub const LEADING_PLUS: u32 = 4;
    /// A plus behind it.
    pub const TRAILING_PLUS: u32 = 8;
    /// A minus before it.
    pub const LEADING_MINUS: u32 = 0x10;
    /// A minus behind it.
    pub const TRAILING_MINUS: u32 = 0x20;
    /// `&H` or `&O` before it.
    pub const HEX_OCT: u32 = 0x40;
    /// Brackets around it, which are a minus.
    pub const PARENS: u32 = 0x80;
    /// A decimal point.
    pub const DECIMAL: u32 = 0x100;
    /// Separators of thousands.
    pub const THOUSANDS: u32 = 0x200;
    /// The currency.
    pub const CURRENCY: u32 = 0x400;
    /// An exponent.
    pub const EXPONENT: u32 = 0x800;
    /// Nothing may stand behind it.
    pub const USE_ALL: u32 = 0x1000;
    /// It is negative.
    pub const NEGATIVE: u32 = 0x1_0000;
    /// Digits were left out.
    pub const INEXACT: u32 = 0x2_0000;
}

/// A number taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Values of digits.
    pub digits: Vec<u8>,
    /// What the number has.
    pub found: u32,
    /// How many units of the text it takes.
    pub used: usize,
    /// Bits of a digit: 4, 3, or 0 for decimal ones.
    pub base_shift: i32,
    /// The power of ten of the last digit.
    pub power: i32,
}

/// What reads a text from its start.
struct Reader<'a> {
    text: &'a [u16],
    at: usize,
    allowed: u32,
    found: u32,
}

impl Reader<'_> {
    fn next(&self) -> Option<char> {
        self.text.get(self.at).and_then(|&unit| char::from_u32(unit.into()))
    }

    /// Passes a text if it stands here and may.
    fn take(&mut self, what: &str, flag: u32) -> bool {
        let units: Vec<u16> = what.encode_utf16().collect();
        let is = self.allowed & flag == flag && !units.is_empty() && self.text[self.at..].starts_with(&units);
        if is {
            self.at += units.len();
            self.found |= flag;
        }
        is
    }

    fn white(&mut self, flag: u32) -> bool {
        let start = self.at;
        while self.allowed & flag != 0 && self.next().is_some_and(char::is_whitespace) {
            self.at += 1;
            self.found |= flag;
        }
        self.at > start
    }

    /// Passes a sign, unless there was one.
    fn sign(&mut self, plus: u32, minus: u32) -> bool {
        use flags::{LEADING_MINUS, LEADING_PLUS, NEGATIVE, TRAILING_MINUS, TRAILING_PLUS};
        let any = LEADING_MINUS | LEADING_PLUS | TRAILING_MINUS | TRAILING_PLUS | NEGATIVE;
        if self.found & any != 0 {
            return false;
        }
        if self.take("-", minus) {
            self.found |= NEGATIVE;
            return true;
        }
        self.take("+", plus)
    }

    fn prefix(&mut self, currency: &str) {
        while self.white(flags::LEADING_WHITE)
            || self.sign(flags::LEADING_PLUS, flags::LEADING_MINUS)
            || (self.found & flags::CURRENCY == 0 && self.take(currency, flags::CURRENCY))
            || (self.found & flags::NEGATIVE == 0 && self.take("(", flags::PARENS) && self.negate())
        {}
    }

    fn negate(&mut self) -> bool {
        self.found |= flags::NEGATIVE;
        true
    }

    fn suffix(&mut self, currency: &str) -> Result<(), Refused> {
        let mut open = self.found & flags::PARENS != 0;
        loop {
            let closes = open && self.take(")", flags::PARENS);
            open &= !closes;
            let more = closes
                || self.white(flags::TRAILING_WHITE)
                || self.sign(flags::TRAILING_PLUS, flags::TRAILING_MINUS)
                || (self.found & flags::CURRENCY == 0 && self.take(currency, flags::CURRENCY));
            if !more {
                break;
            }
        }
        let rest = self.allowed & flags::USE_ALL != 0 && self.at < self.text.len();
        if open || rest { Err(Refused::MISMATCH) } else { Ok(()) }
    }
}

/// Takes a number apart; at most `most` digits are kept, and `allowed` says what it may have.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH` for what is no number.
pub fn parse(text: &[u16], allowed: u32, most: usize, how: How) -> Result<Parsed, Refused> {
    let mut reader = Reader { text, at: 0, allowed, found: 0 };
    let currency = how.locale.text(locale::CURRENCY);
    reader.prefix(currency);
    let mut parsed = Parsed::default();
    let based = [("&H", 4), ("&h", 4), ("&O", 3), ("&o", 3)];
    if let Some((_, shift)) = based.into_iter().find(|(prefix, _)| reader.take(prefix, flags::HEX_OCT)) {
        parsed.base_shift = shift;
        based_digits(&mut reader, &mut parsed, most)?;
    } else {
        decimal_digits(&mut reader, &mut parsed, most, how)?;
    }
    reader.suffix(currency)?;
    (parsed.found, parsed.used) = (parsed.found | reader.found, reader.at);
    Ok(parsed)
}

fn based_digits(reader: &mut Reader, parsed: &mut Parsed, most: usize) -> Result<(), Refused> {
    let start = reader.at;
    while let Some(digit) = reader.next().and_then(|unit| unit.to_digit(1 << parsed.base_shift)) {
        reader.at += 1;
        if parsed.digits.is_empty() && digit == 0 {
            continue;
        }
        if parsed.digits.len() == most {
            return Err(Refused::OVERFLOW);
        }
        parsed.digits.push(digit as u8);
    }
    if parsed.digits.is_empty() && reader.at > start {
        parsed.digits.push(0);
    }
    if reader.at > start { Ok(()) } else { Err(Refused::MISMATCH) }
}

fn decimal_digits(reader: &mut Reader, parsed: &mut Parsed, most: usize, how: How) -> Result<(), Refused> {
    let (point, group) = (how.locale.text(locale::DECIMAL), how.locale.text(locale::THOUSAND));
    let (mut any, mut behind) = (false, false);
    loop {
        if let Some(digit) = reader.next().and_then(|unit| unit.to_digit(10)) {
            reader.at += 1;
            any = true;
            parsed.power -= i32::from(behind);
            if parsed.digits.is_empty() && digit == 0 {
                continue;
            }
            if parsed.digits.len() < most {
                parsed.digits.push(digit as u8);
            } else {
                parsed.power += 1;
                parsed.found |= if digit == 0 { 0 } else { flags::INEXACT };
            }
        } else if !behind && reader.take(point, flags::DECIMAL) {
            behind = true;
        } else if !(any && !behind && reader.take(group, flags::THOUSANDS)) {
            break;
        }
    }
    if !any {
        return Err(Refused::MISMATCH);
    }
    parsed.power += exponent(reader);
    while parsed.found & flags::INEXACT == 0 && parsed.digits.last() == Some(&0) {
        parsed.digits.pop();
        parsed.power += 1;
    }
    if parsed.digits.is_empty() {
        (parsed.digits, parsed.power) = (vec![0], 0);
    }
    Ok(())
}

/// Reads an exponent, if there is one.
fn exponent(reader: &mut Reader) -> i32 {
    let start = reader.at;
    if !reader.take("e", flags::EXPONENT) && !reader.take("E", flags::EXPONENT) {
        return 0;
    }
    let negative = reader.next() == Some('-');
    reader.at += usize::from(matches!(reader.next(), Some('+' | '-')));
    let (mut value, mut any) = (0_i32, false);
    while let Some(digit) = reader.next().and_then(|unit| unit.to_digit(10)) {
        value = (value * 10 + digit as i32).min(99_999);
        any = true;
        reader.at += 1;
    }
    if !any {
        reader.at = start;
        reader.found &= !flags::EXPONENT;
    }
    if negative { -value } else { value }
}

/// Integers, from small to large.
const INTEGERS: [(u16, u32); 8] = [
    (kind::I1, 8),
    (kind::UI1, 8),
    (kind::I2, 16),
    (kind::UI2, 16),
    (kind::I4, 32),
    (kind::UI4, 32),
    (kind::I8, 64),
    (kind::UI8, 64),
];
/// Numbers with a fraction.
const FRACTIONS: [u16; 4] = [kind::R4, kind::R8, kind::CY, kind::DECIMAL];
/// Digits that a float keeps.
const FLOAT_DIGITS: usize = 7;

/// Says whether a type is among some, a bit each.
fn wants(types: u32, kind: u16) -> bool {
    types & 1 << kind != 0
}

/// Returns the number that digits of so many bits make, if it has no more than 64.
fn bits_of(digits: &[u8], shift: i32) -> Option<u64> {
    digits.iter().try_fold(0_u64, |all, &digit| all.checked_mul(1 << shift).map(|all| all | u64::from(digit)))
}

/// Returns bits as the smallest of the integers that holds them; they are a number with a sign if they fill it.
fn integer_of_bits(all: u64, negative: bool, types: u32) -> Option<Value> {
    let holds = |&&(kind, bits): &&(u16, u32)| wants(types, kind) && (bits == 64 || all >> bits == 0);
    let &(kind, bits) = INTEGERS.iter().find(holds)?;
    let is_signed = super::integer(kind).is_some_and(|(_, signed)| signed);
    let top = is_signed && all >> (bits - 1) & 1 == 1;
    let whole = i128::from(all) - if top { 1 << bits } else { 0 };
    Some(Value::Integer(kind, if negative { -whole } else { whole }))
}

/// Puts a number together: the first of the types, a bit each, that holds it.
///
/// # Errors
/// `DISP_E_OVERFLOW` when none does.
pub fn value(parsed: &Parsed, types: u32, how: How) -> Result<Value, Refused> {
    let wants = |kind: u16| wants(types, kind);
    let negative = parsed.found & flags::NEGATIVE != 0;
    let number = match parsed.base_shift {
        0 => {
            let digits = parsed.digits.iter().map(|digit| char::from(b'0' + digit % 10)).collect();
            Number::new(negative, digits, parsed.power.saturating_neg())
        }
        shift => {
            let all = bits_of(&parsed.digits, shift.clamp(0, 4)).ok_or(Refused::OVERFLOW)?;
            if let Some(value) = integer_of_bits(all, negative, types) {
                return Ok(value);
            }
            Number::new(negative, all.to_string(), 0)
        }
    };
    let is_whole = parsed.power >= 0;
    let to_integer = |kind: u16| {
        let whole = number.integer().ok()?;
        convert::convert(&Value::Integer(kind::I8, whole), kind, how).ok()
    };
    let mut integers = INTEGERS.iter().filter(|(kind, _)| wants(*kind));
    let fractions = FRACTIONS.iter().copied().filter(|kind| wants(*kind)).find_map(|kind| match kind {
        kind::R4 if parsed.digits.len() > FLOAT_DIGITS => None,
        kind::R4 => convert::to_float(number.double().ok()?).ok().map(Value::R4),
        kind::R8 => number.double().ok().map(Value::R8),
        kind::CY => convert::to_money(&Value::Decimal(number.decimal().ok()?), how).ok().map(Value::Cy),
        _ => number.decimal().ok().map(Value::Decimal),
    });
    let found = match is_whole {
        true => integers.find_map(|(kind, _)| to_integer(*kind)).or(fractions),
        false => fractions.or_else(|| integers.find_map(|(kind, _)| to_integer(*kind))),
    };
    found.ok_or(Refused::OVERFLOW)
}
