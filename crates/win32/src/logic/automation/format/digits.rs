//! Numbers as decimal digits: 15 of a double, 7 of a float, all of what is exact.

use crate::logic::automation::convert::to_double;
use crate::logic::automation::decimal::Decimal;
use crate::logic::automation::{How, Refused, Value};

/// A number: 0.d₁d₂d₃… times a power of ten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// Whether the number is below zero.
    pub negative: bool,
    /// Values of digits, the first of which is not zero; none for zero.
    digits: Vec<u8>,
    /// How many of the digits stand before the point; may be negative or more than there are.
    point: i32,
}

impl Digits {
    /// Nothing.
    pub const ZERO: Self = Self { negative: false, digits: Vec::new(), point: 0 };

    /// Returns the digits of a value.
    ///
    /// # Errors
    /// Those of a conversion to a number.
    pub fn of(value: &Value, how: How) -> Result<Self, Refused> {
        Ok(match value {
            Value::Integer(_, number) => Self::of_plain(&number.to_string()),
            Value::Cy(money) => Self::of_plain(&Decimal::of_money(*money).to_text()),
            Value::Decimal(number) => Self::of_plain(&number.to_text()),
            Value::R4(number) => Self::of_double(f64::from(*number), 7),
            other => Self::of_double(to_double(other, how)?, 15),
        })
    }

    /// Reads digits with a point and a sign.
    fn of_plain(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let all = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
        Self { negative, digits: all, point: whole.len() as i32 }.trimmed()
    }

    fn of_double(number: f64, significant: usize) -> Self {
        if !number.is_finite() {
            return Self::ZERO;
        }
        let text = format!("{:.*e}", significant - 1, number.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        let point = exponent.parse::<i32>().unwrap_or(0) + 1;
        Self { negative: number < 0.0, digits, point }.trimmed()
    }

    fn trimmed(mut self) -> Self {
        let zeros = self.digits.iter().take_while(|&&digit| digit == 0).count();
        self.digits.drain(..zeros);
        self.point -= zeros as i32;
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() { Self::ZERO } else { self }
    }

    /// Says whether the number is zero.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Returns the exponent with which so many digits stand before the point; 0 for zero.
    pub fn exponent(&self, whole: usize) -> i32 {
        if self.is_zero() { 0 } else { self.point - whole as i32 }
    }

    /// Returns the number times a power of ten.
    pub fn scaled(&self, power: i32) -> Self {
        Self { point: self.point.saturating_add(power), ..self.clone() }
    }

    /// Returns digits before the point, without zeros before them, and so many behind it; halves go away from zero.
    pub fn rounded(&self, places: usize) -> (Vec<u8>, Vec<u8>) {
        let cut = self.point.saturating_add(places as i32);
        let kept = usize::try_from(cut).unwrap_or(0);
        let mut all: Vec<u8> = self.digits.iter().copied().chain(std::iter::repeat(0)).take(kept).collect();
        if cut >= 0 && self.digits.get(kept).is_some_and(|&digit| digit >= 5) {
            let nines = all.iter().rev().take_while(|&&digit| digit == 9).count();
            let at = all.len() - nines;
            all[at..].fill(0);
            match at {
                0 => all.insert(0, 1),
                _ => all[at - 1] += 1,
            }
        }
        let missing = places.saturating_sub(all.len());
        all.splice(0..0, std::iter::repeat_n(0, missing));
        let fraction = all.split_off(all.len() - places);
        let zeros = all.iter().take_while(|&&digit| digit == 0).count();
        (all.split_off(zeros), fraction)
    }

    /// Returns the number as sign, digits and point.
    pub fn plain(&self) -> Vec<u16> {
        let places = usize::try_from(self.digits.len() as i32 - self.point).unwrap_or(0);
        let (whole, fraction) = self.rounded(places);
        let mut text = if self.negative { vec![u16::from(b'-')] } else { Vec::new() };
        text.extend(whole.iter().map(|digit| u16::from(b'0' + digit)));
        text.push(u16::from(b'.'));
        text.extend(fraction.iter().map(|digit| u16::from(b'0' + digit)));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_cut_and_rounded() {
        for (number, places, expected) in [
            (0.0, 2, "|00"),
            (0.05, 0, "|"),
            (0.5, 0, "1|"),
            (0.05, 1, "|1"),
            (99.995, 2, "100|00"),
            (1e20, 1, "100000000000000000000|0"),
            (1e-20, 3, "|000"),
            (1234.5678, 3, "1234|568"),
        ] {
            let (whole, fraction) = Digits::of_double(number, 15).rounded(places);
            let text = |digits: Vec<u8>| digits.iter().map(u8::to_string).collect::<String>();
            assert_eq!(format!("{}|{}", text(whole), text(fraction)), expected, "{number}");
        }
        assert_eq!(String::from_utf16_lossy(&Digits::of_plain("-0012.50").plain()), "-12.5");
        assert_eq!(String::from_utf16_lossy(&Digits::of_plain("1200").plain()), "1200.");
    }
}
