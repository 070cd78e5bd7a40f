//! Numbers as streams write and read them.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/num-put-class>; <https://learn.microsoft.com/cpp/standard-library/num-get-class>.

use std::convert::Infallible;

use plat_abi::{Fault, Memory};

use super::ios::{Stream, format};
use crate::guest::Guest;
use crate::logic::printf::{Arguments, Options, Runtime, format_text};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Bool(bool),
    /// A number and its size in bits: other bases show it as if it had no sign.
    Signed(i64, u32),
    Unsigned(u64),
    Float(f64),
    Pointer(u64),
}

/// How it is written: a stream's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) flags: u32,
    pub(super) precision: i64,
    pub(super) width: i64,
    pub(super) fill: u16,
    pub(super) pointer_digits: usize,
}

/// Writes a number as a stream does; its width is used up.
pub(super) fn write_number(guest: &Guest, stream: Stream, value: Number) -> Result<Vec<u16>, Fault> {
    let fill = stream.fill(guest)?;
    write_filled(guest, stream, value, fill)
}

/// As [`write_number`], with another character that fills.
pub(super) fn write_filled(
    guest: &Guest,
    stream: Stream,
    value: Number,
    fill: u16,
) -> Result<Vec<u16>, Fault> {
    let format = Format {
        flags: stream.flags(guest)?,
        precision: stream.precision(guest)?,
        width: stream.take_width(guest)?,
        fill,
        pointer_digits: 2 * guest.machine().pointer_size() as usize,
    };
    Ok(format.write(value))
}

impl Format {
    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Writes a number, filled up to the width.
    pub(super) fn write(&self, value: Number) -> Vec<u16> {
        let (prefix, digits) = match value {
            Number::Bool(value) if self.has(format::BOOL_WORDS) => {
                (String::new(), if value { "true".to_owned() } else { "false".to_owned() })
            }
            Number::Bool(value) => self.integer(i64::from(value), 32),
            Number::Signed(value, bits) => self.integer(value, bits),
            Number::Unsigned(value) => self.unsigned(value),
            Number::Float(value) => self.float(value),
            Number::Pointer(value) => {
                (String::new(), format!("{value:0width$X}", width = self.pointer_digits))
            }
        };
        self.pad(&prefix, &digits)
    }

    fn integer(&self, value: i64, bits: u32) -> (String, String) {
        if self.flags & format::BASE & (format::OCTAL | format::HEXADECIMAL) != 0 {
            return self.unsigned(value as u64 & (u64::MAX >> (64 - bits)));
        }
        let sign = match value {
            ..0 => "-",
            _ if self.has(format::SHOW_POSITIVE) => "+",
            _ => "",
        };
        (sign.to_owned(), value.unsigned_abs().to_string())
    }

    fn unsigned(&self, value: u64) -> (String, String) {
        let shows_base = self.has(format::SHOW_BASE) && value != 0;
        let upper = self.has(format::UPPERCASE);
        let (base, digits) = match self.flags & format::BASE {
            format::OCTAL => ("0", format!("{value:o}")),
            format::HEXADECIMAL if upper => ("0X", format!("{value:X}")),
            format::HEXADECIMAL => ("0x", format!("{value:x}")),
            _ => ("", value.to_string()),
        };
        (if shows_base { base.to_owned() } else { String::new() }, digits)
    }

    fn float(&self, value: f64) -> (String, String) {
        let upper = self.has(format::UPPERCASE);
        let letter = match self.flags & format::FLOAT {
            format::FIXED => 'f',
            format::SCIENTIFIC => 'e',
            format::FLOAT => 'a',
            _ => 'g',
        };
        let letter = if upper { letter.to_ascii_uppercase() } else { letter };
        let mut pattern = String::from("%");
        if self.has(format::SHOW_POSITIVE) {
            pattern.push('+');
        }
        if self.has(format::SHOW_POINT) {
            pattern.push('#');
        }
        if self.flags & format::FLOAT != format::FLOAT {
            let precision = if self.precision < 0 { 6 } else { self.precision };
            pattern.push_str(&format!(".{precision}"));
        }
        pattern.push(letter);
        let options = Options::of(Runtime::Ucrt, 8);
        let Ok(text) = format_text(pattern.as_bytes(), &mut One(value), options);
        let text = String::from_utf8_lossy(&text).into_owned();
        let signs = usize::from(text.starts_with(['+', '-']));
        let (sign, digits) = text.split_at(signs);
        (sign.to_owned(), digits.to_owned())
    }

    /// Fills up to the width: behind, between the prefix and the digits, or before.
    fn pad(&self, prefix: &str, digits: &str) -> Vec<u16> {
        const WIDTH_MAX: usize = 1 << 20;
        let length = prefix.len() + digits.len();
        let width = usize::try_from(self.width).unwrap_or(0).min(WIDTH_MAX);
        let fill = vec![self.fill; width.saturating_sub(length)];
        let units = |text: &str| text.bytes().map(u16::from).collect::<Vec<u16>>();
        let (prefix, digits) = (units(prefix), units(digits));
        match self.flags & format::ADJUST {
            format::LEFT => [prefix, digits, fill].concat(),
            format::INTERNAL => [prefix, fill, digits].concat(),
            _ => [fill, prefix, digits].concat(),
        }
    }
}

/// The argument of a pattern for one `double`.
struct One(f64);

impl Arguments for One {
    type Error = Infallible;

    fn int32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn int64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn pointer(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn double(&mut self) -> Result<f64, Infallible> {
        Ok(self.0)
    }

    fn narrow_string(&mut self, _: u64, _: Option<usize>) -> Result<Vec<u8>, Infallible> {
        Ok(Vec::new())
    }

    fn wide_string(&mut self, _: u64, _: Option<usize>) -> Result<Vec<u16>, Infallible> {
        Ok(Vec::new())
    }

    fn store_count(&mut self, _: u64, _: u64, _: u8) -> Result<(), Infallible> {
        Ok(())
    }

    fn widen(&self, text: &[u8]) -> Vec<u16> {
        text.iter().map(|&byte| byte.into()).collect()
    }

    fn narrow(&self, text: &[u16]) -> Vec<u8> {
        text.iter().map(|&unit| unit as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ios::format;
    use super::{Format, Number};

    fn write(flags: u32, precision: i64, width: i64, value: Number) -> String {
        let format = Format { flags, precision, width, fill: b'*'.into(), pointer_digits: 16 };
        String::from_utf16(&format.write(value)).expect("ASCII")
    }

    #[test]
    fn numbers_follow_the_format() {
        let hex = format::HEXADECIMAL;
        for (flags, precision, width, value, text) in [
            (format::DECIMAL, 6, 0, Number::Signed(-42, 32), "-42"),
            (format::DECIMAL, 6, 6, Number::Signed(-42, 32), "***-42"),
            (format::DECIMAL | format::LEFT, 6, 6, Number::Signed(-42, 32), "-42***"),
            (format::DECIMAL | format::INTERNAL, 6, 6, Number::Signed(-42, 32), "-***42"),
            (format::DECIMAL | format::SHOW_POSITIVE, 6, 0, Number::Signed(7, 32), "+7"),
            (hex, 6, 0, Number::Signed(-1, 16), "ffff"),
            (hex | format::SHOW_BASE | format::UPPERCASE, 6, 0, Number::Unsigned(255), "0XFF"),
            (format::OCTAL | format::SHOW_BASE, 6, 0, Number::Unsigned(8), "010"),
            (hex | format::SHOW_BASE, 6, 0, Number::Unsigned(0), "0"),
            (format::DECIMAL, 6, 0, Number::Float(3.25), "3.25"),
            (format::DECIMAL, 6, 0, Number::Float(1e10), "1e+10"),
            (format::FIXED, 2, 8, Number::Float(-2.708), "***-2.71"),
            (format::SCIENTIFIC | format::UPPERCASE, 3, 0, Number::Float(1234.5), "1.234E+03"),
            (format::SHOW_POINT, 6, 0, Number::Float(1.0), "1.00000"),
            (format::BOOL_WORDS, 6, 6, Number::Bool(true), "**true"),
            (format::DECIMAL, 6, 0, Number::Bool(true), "1"),
            (format::DECIMAL, 6, 0, Number::Pointer(0x1234), "0000000000001234"),
        ] {
            assert_eq!(write(flags, precision, width, value), text, "{value:?} {flags:#x}");
        }
    }
}
