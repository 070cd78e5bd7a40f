//! Numbers and amounts of money as texts: `GetNumberFormat`, `GetCurrencyFormat`.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winnls/ns-winnls-numberfmtw>,
//! <https://learn.microsoft.com/windows/win32/api/winnls/ns-winnls-currencyfmtw>

use super::locale::{self, Locale};
use crate::logic::status::Win32Error;

/// How numbers are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberFormat {
    /// Digits behind the decimal separator.
    pub digits: u32,
    /// Whether a fraction has a zero before it.
    pub leading_zero: bool,
    /// How many digits make a group, a decimal digit per group from the right; 0 at the end: the last one is the rest.
    pub grouping: u32,
    /// Before the fraction.
    pub decimal: Vec<u16>,
    /// Between groups.
    pub thousand: Vec<u16>,
}

/// The most digits behind the decimal separator.
const DIGITS_MAX: u32 = 9;

/// How negative numbers are written; `n` is the number.
const NEGATIVE_NUMBERS: [&str; 5] = ["(n)", "-n", "- n", "n-", "n -"];
/// How amounts are written; `$` is the currency.
const POSITIVE_MONEY: [&str; 4] = ["$n", "n$", "$ n", "n $"];
/// How negative amounts are written.
const NEGATIVE_MONEY: [&str; 16] = [
    "($n)", "-$n", "$-n", "$n-", "(n$)", "-n$", "n-$", "n$-", "-n $", "-$ n", "n $-", "$ n-", "$ -n", "n- $",
    "($ n)", "(n $)",
];

/// Reads a grouping as locales state it, `3;0`: a zero at the end repeats, which the number leaves out.
fn grouping(text: &str) -> u32 {
    let digits: u32 =
        text.bytes().filter(u8::is_ascii_digit).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    if digits.is_multiple_of(10) { digits / 10 } else { digits * 10 }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

impl NumberFormat {
    /// Returns a locale's way to write numbers.
    pub fn of_numbers(locale: &Locale) -> Self {
        use locale::{DECIMAL, DIGITS, GROUPING, THOUSAND};
        Self::of(locale, DIGITS, [GROUPING, DECIMAL, THOUSAND])
    }

    /// Returns a locale's way to write the digits of amounts.
    pub fn of_money(locale: &Locale) -> Self {
        use locale::{MONEY_DECIMAL, MONEY_DIGITS, MONEY_GROUPING, MONEY_THOUSAND};
        Self::of(locale, MONEY_DIGITS, [MONEY_GROUPING, MONEY_DECIMAL, MONEY_THOUSAND])
    }

    fn of(locale: &Locale, digits: u32, [groups, decimal, thousand]: [u32; 3]) -> Self {
        Self {
            digits: locale.number(digits),
            leading_zero: locale.number(locale::LEADING_ZERO) != 0,
            grouping: grouping(locale.text(groups)),
            decimal: wide(locale.text(decimal)),
            thousand: wide(locale.text(thousand)),
        }
    }

    /// Writes a number without its sign.
    fn write(&self, value: &Value) -> Vec<u16> {
        let (whole, fraction) = value.rounded(self.digits as usize);
        let mut text = Vec::new();
        let breaks = self.breaks(whole.len());
        for (at, &digit) in whole.iter().enumerate() {
            if breaks.contains(&(whole.len() - at)) {
                text.extend(&self.thousand);
            }
            text.push(u16::from(digit));
        }
        if whole.is_empty() && self.leading_zero {
            text.push(u16::from(b'0'));
        }
        if self.digits > 0 {
            text.extend(&self.decimal);
            text.extend(fraction.iter().map(|&digit| u16::from(digit)));
        }
        text
    }

    /// Returns before how many last digits a separator stands.
    fn breaks(&self, length: usize) -> Vec<usize> {
        let mut sizes: Vec<usize> = Vec::new();
        let mut rest = self.grouping;
        while rest > 0 {
            sizes.insert(0, (rest % 10) as usize);
            rest /= 10;
        }
        let (mut breaks, mut sum) = (Vec::new(), 0);
        for size in sizes.iter().chain(std::iter::repeat(sizes.last().unwrap_or(&0))) {
            sum += size;
            if *size == 0 || sum >= length {
                break;
            }
            breaks.push(sum);
        }
        breaks
    }
}

/// A number as it was given: digits before and behind the point.
struct Value {
    negative: bool,
    whole: Vec<u8>,
    fraction: Vec<u8>,
}

impl Value {
    /// Reads a minus sign, digits, a point, digits: each may be missing.
    fn parse(text: &[u16]) -> Option<Self> {
        let bytes: Vec<u8> = text.iter().map(|&unit| u8::try_from(unit).ok()).collect::<Option<_>>()?;
        let negative = bytes.first() == Some(&b'-');
        let mut parts = bytes[usize::from(negative)..].splitn(2, |&byte| byte == b'.');
        let (whole, fraction) = (parts.next().unwrap_or(&[]), parts.next().unwrap_or(&[]));
        let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
        let start = whole.iter().position(|&digit| digit != b'0').unwrap_or(whole.len());
        all_digits.then(|| Self { negative, whole: whole[start..].to_vec(), fraction: fraction.to_vec() })
    }

    /// Returns both parts with so many digits behind the point; a half is rounded away from zero.
    fn rounded(&self, digits: usize) -> (Vec<u8>, Vec<u8>) {
        let mut all = self.whole.clone();
        all.extend(self.fraction.iter().copied().chain(std::iter::repeat(b'0')).take(digits));
        if self.fraction.get(digits).is_some_and(|&digit| digit >= b'5') {
            let nines = all.iter().rev().take_while(|&&digit| digit == b'9').count();
            let kept = all.len() - nines;
            all[kept..].fill(b'0');
            match kept {
                0 => all.insert(0, b'1'),
                _ => all[kept - 1] += 1,
            }
        }
        let fraction = all.split_off(all.len() - digits);
        (all, fraction)
    }
}

/// Puts number and currency into a pattern.
fn fill(pattern: &str, number: &[u16], currency: &[u16]) -> Vec<u16> {
    let mut text = Vec::new();
    for letter in pattern.bytes() {
        match letter {
            b'n' => text.extend(number),
            b'$' => text.extend(currency),
            _ => text.push(u16::from(letter)),
        }
    }
    text
}

/// Returns the value and its digits as text.
fn digits(value: &[u16], format: &NumberFormat) -> Result<(Value, Vec<u16>), Win32Error> {
    let value =
        Value::parse(value).filter(|_| format.digits <= DIGITS_MAX).ok_or(Win32Error::INVALID_PARAMETER)?;
    let text = format.write(&value);
    Ok((value, text))
}

/// Writes a number; `negative` chooses how a negative one is written.
///
/// # Errors
/// `INVALID_PARAMETER` for what is no number, or a format that is none.
pub fn number(value: &[u16], format: &NumberFormat, negative: u32) -> Result<Vec<u16>, Win32Error> {
    let pattern = NEGATIVE_NUMBERS.get(negative as usize).ok_or(Win32Error::INVALID_PARAMETER)?;
    let (value, text) = digits(value, format)?;
    Ok(fill(if value.negative { pattern } else { "n" }, &text, &[]))
}

/// Writes an amount of money; `orders` chooses how positive and negative ones are written.
///
/// # Errors
/// As [`number`].
pub fn money(
    value: &[u16],
    format: &NumberFormat,
    orders: (u32, u32),
    currency: &[u16],
) -> Result<Vec<u16>, Win32Error> {
    let positive = POSITIVE_MONEY.get(orders.0 as usize).ok_or(Win32Error::INVALID_PARAMETER)?;
    let negative = NEGATIVE_MONEY.get(orders.1 as usize).ok_or(Win32Error::INVALID_PARAMETER)?;
    let (value, text) = digits(value, format)?;
    Ok(fill(if value.negative { negative } else { positive }, &text, currency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::nls::locale::EN_US;

    #[test]
    fn numbers_are_rounded_and_grouped() {
        let cases = [
            ("1234567.891", 3, "1,234,567.89"),
            ("999.995", 3, "1,000.00"),
            ("1234567", 32, "12,34,567.00"),
            ("1234567", 30, "1234,567.00"),
            ("1234567", 0, "1234567.00"),
            (".5", 3, "0.50"),
            ("-0012.345", 3, "-12.35"),
            ("", 3, "0.00"),
        ];
        for (value, grouping, expected) in cases {
            let format = NumberFormat { grouping, ..NumberFormat::of_numbers(&EN_US) };
            let text = number(&wide(value), &format, 1).map(|text| String::from_utf16_lossy(&text));
            assert_eq!(text.as_deref(), Ok(expected), "{value}");
        }
        for bad in ["1,000", "+1", "1.2.3", "--1", "1e5", " 1"] {
            let text = number(&wide(bad), &NumberFormat::of_numbers(&EN_US), 1);
            assert_eq!(text, Err(Win32Error::INVALID_PARAMETER), "{bad}");
        }
        assert_eq!((grouping("3;0"), grouping("3;2;0"), grouping("3"), grouping("0")), (3, 32, 30, 0));
    }
}
