//! Numbers as automation reads and writes them: with the locale's separators, currency, brackets, `&H` and `&O`.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varparsenumfromstr>

use super::decimal::Decimal;
use super::{How, Refused};
use crate::logic::nls::locale;

/// A number as it was read: digits, and how many of them stand behind the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    digits: String,
    scale: i32,
}

/// Reads a number.
///
/// # Errors
/// `DISP_E_TYPEMISMATCH` for what is none.
pub fn read(text: &[u16], how: How) -> Result<Number, Refused> {
    let text = String::from_utf16_lossy(text);
    let mut rest = text.trim();
    if let Some(number) = read_based(rest) {
        return number;
    }
    let (mut negative, mut signs) = (false, 0);
    if let Some(inner) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        (rest, negative, signs) = (inner.trim(), true, 1);
    }
    let currency = how.locale.text(locale::CURRENCY);
    for _ in 0..2 {
        for (sign, is_minus) in [('-', true), ('+', false)] {
            if let Some(after) = rest.strip_prefix(sign) {
                (rest, signs, negative) = (after.trim_start(), signs + 1, negative || is_minus);
            }
        }
        rest = rest.strip_prefix(currency).unwrap_or(rest).trim_start();
    }
    rest = rest.strip_suffix(currency).unwrap_or(rest).trim_end();
    if let Some(before) = rest.strip_suffix(['-', '+']).filter(|_| !rest.ends_with("E-") && signs == 0) {
        (negative, rest) = (rest.ends_with('-'), before.trim_end());
        signs += 1;
    }
    if signs > 1 {
        return Err(Refused::MISMATCH);
    }
    read_plain(rest, negative, how).ok_or(Refused::MISMATCH)
}

/// Reads digits, separators and an exponent.
fn read_plain(text: &str, negative: bool, how: How) -> Option<Number> {
    let at = text.find(['e', 'E']);
    let (mantissa, exponent) = match at {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (point, group) = (how.locale.text(locale::DECIMAL), how.locale.text(locale::THOUSAND));
    let (before, behind) = mantissa.split_once(point).unwrap_or((mantissa, ""));
    if before.starts_with(group) && !group.is_empty() {
        return None;
    }
    let mut digits = if group.is_empty() { before.to_owned() } else { before.replace(group, "") };
    digits.push_str(behind);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let scale = i32::try_from(behind.len()).ok()?.checked_sub(exponent)?;
    is_number.then_some(Number { negative, digits, scale })
}

/// Reads `&H1F` and `&O17`. Eight hexadecimal digits are a number with a sign.
fn read_based(text: &str) -> Option<Result<Number, Refused>> {
    let rest = text.strip_prefix('&')?;
    let (base, digits) = match rest.as_bytes().first()? {
        b'h' | b'H' => (16, &rest[1..]),
        b'o' | b'O' => (8, &rest[1..]),
        _ => return Some(Err(Refused::MISMATCH)),
    };
    let Ok(value) = u64::from_str_radix(digits, base) else { return Some(Err(Refused::MISMATCH)) };
    let value = match u32::try_from(value) {
        Ok(value) => i64::from(value as i32),
        Err(_) => value as i64,
    };
    Some(Ok(Number { negative: value < 0, digits: value.unsigned_abs().to_string(), scale: 0 }))
}

impl Number {
    /// Returns the number of digits, of which `scale` stand behind the point; a negative scale adds zeros.
    pub fn new(negative: bool, digits: String, scale: i32) -> Self {
        Self { negative, digits, scale }
    }

    /// Returns the number as a decimal.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW`
    pub fn decimal(&self) -> Result<Decimal, Refused> {
        let behind = self.digits.trim_end_matches('0');
        let zeros = (self.digits.len() - behind.len()) as i32;
        let dropped = zeros.min(self.scale.max(0)) as usize;
        let digits = &self.digits[..self.digits.len() - dropped];
        Decimal::of_digits(self.negative, digits, self.scale - dropped as i32)
    }

    /// Returns the number as a double.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW`
    pub fn double(&self) -> Result<f64, Refused> {
        let exponent = -i64::from(self.scale);
        let value: f64 = format!("{}e{exponent}", self.digits).parse().map_err(|_| Refused::OVERFLOW)?;
        if value.is_infinite() {
            return Err(Refused::OVERFLOW);
        }
        Ok(if self.negative { -value } else { value })
    }

    /// Returns the nearest integer, halves to even.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW`
    pub fn integer(&self) -> Result<i128, Refused> {
        Ok(self.decimal()?.to_integer())
    }
}

/// Writes a double with so many digits at most, as `%.15G` does.
pub fn of_double(value: f64, digits: usize, how: How) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{:.*e}", digits - 1, value.abs());
    let Some((mantissa, exponent)) = text.split_once('e') else {
        // Infinities and what is no number.
        return if value.is_nan() {
            "-1.#IND".to_owned()
        } else {
            format!("{}INF", if value < 0.0 { "-" } else { "" })
        };
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let all = mantissa.replace('.', "");
    let kept = all.trim_end_matches('0');
    let body = if exponent < -4 || exponent >= digits as i32 {
        let (first, rest) = kept.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{point}{rest}E{sign}{:02}", exponent.abs())
    } else if exponent < 0 {
        format!("0.{}{kept}", "0".repeat(exponent.unsigned_abs() as usize - 1))
    } else {
        let whole = exponent as usize + 1;
        let padded = format!("{kept:0<whole$}");
        let (before, behind) = padded.split_at(whole);
        if behind.is_empty() { before.to_owned() } else { format!("{before}.{behind}") }
    };
    localized(&format!("{}{body}", if value < 0.0 { "-" } else { "" }), how)
}

/// Puts the locale's point into a number, and its zero before the point or not.
pub fn localized(text: &str, how: How) -> String {
    text.replace('.', how.locale.text(locale::DECIMAL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::nls::locale::EN_US;

    #[test]
    fn numbers_there_and_back() {
        let how = How { locale: &EN_US, flags: 0 };
        let read = |text: &str| {
            let number = read(&text.encode_utf16().collect::<Vec<_>>(), how)?;
            Ok(of_double(number.double()?, 15, how))
        };
        for (text, expected) in [
            (" 1,234.50 ", Ok("1234.5")),
            ("($12.5)", Ok("-12.5")),
            ("7-", Ok("-7")),
            ("1e3", Ok("1000")),
            ("&HFF", Ok("255")),
            ("&hffffffff", Ok("-1")),
            ("&O17", Ok("15")),
            ("1e400", Err(Refused::OVERFLOW)),
            ("", Err(Refused::MISMATCH)),
            ("1 2", Err(Refused::MISMATCH)),
            ("x", Err(Refused::MISMATCH)),
        ] {
            assert_eq!(read(text), expected.map(str::to_owned), "{text}");
        }
        let written =
            [1e15, 123456789012345.0, 1e-5, 1.5e-7, 0.1 + 0.2, -2.5, 1e300].map(|v| of_double(v, 15, how));
        assert_eq!(written, ["1E+15", "123456789012345", "1E-05", "1.5E-07", "0.3", "-2.5", "1E+300"]);
    }
}
