//! DECIMAL: 96 bits and a scale of 0 to 28 digits behind the point. Results are exact where they fit, else rounded to the
//! nearest, halves to even.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/wtypes/ns-wtypes-decimal-r1>

use std::cmp::Ordering;

use super::Refused;

/// The most digits behind the point.
pub const MAX_SCALE: u8 = 28;
/// The first magnitude that does not fit.
const LIMIT: u128 = 1 << 96;

/// A decimal number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimal {
    /// Whether it is negative; a zero may be.
    pub negative: bool,
    /// How many digits stand behind the point.
    pub scale: u8,
    /// The digits, below 2⁹⁶.
    pub magnitude: u128,
}

/// 256 bits, the low ones first: what products and aligned sums need.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wide([u64; 4]);

impl Wide {
    fn of(value: u128) -> Self {
        Self([value as u64, (value >> 64) as u64, 0, 0])
    }

    fn times(mut self, factor: u64) -> Self {
        let mut carry = 0;
        for word in &mut self.0 {
            let product = u128::from(*word) * u128::from(factor) + carry;
            (*word, carry) = (product as u64, product >> 64);
        }
        self
    }

    fn times_ten_to(self, power: u8) -> Self {
        (0..power).fold(self, |wide, _| wide.times(10))
    }

    fn plus(mut self, other: Self) -> Self {
        let mut carry = 0;
        for (word, added) in self.0.iter_mut().zip(other.0) {
            let sum = u128::from(*word) + u128::from(added) + carry;
            (*word, carry) = (sum as u64, sum >> 64);
        }
        self
    }

    /// Subtracts what is not larger.
    fn minus(mut self, other: Self) -> Self {
        let mut borrowed = false;
        for (word, taken) in self.0.iter_mut().zip(other.0) {
            let (first, one) = word.overflowing_sub(taken);
            let (second, two) = first.overflowing_sub(u64::from(borrowed));
            (*word, borrowed) = (second, one || two);
        }
        self
    }

    /// Divides by ten and returns the last digit.
    fn shed_digit(&mut self) -> u8 {
        let mut rest = 0;
        for word in self.0.iter_mut().rev() {
            let value = rest << 64 | u128::from(*word);
            (*word, rest) = ((value / 10) as u64, value % 10);
        }
        rest as u8
    }

    /// Returns the value if it fits a decimal.
    fn fitting(&self) -> Option<u128> {
        let low = u128::from(self.0[1]) << 64 | u128::from(self.0[0]);
        (self.0[2..] == [0, 0] && low < LIMIT).then_some(low)
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }

    fn product(first: u128, second: u128) -> Self {
        let low = Self::of(first).times(second as u64);
        let high = Self::of(first).times((second >> 64) as u64).0;
        low.plus(Self([0, high[0], high[1], high[2]]))
    }
}

/// Makes a decimal of a magnitude, rounded until it fits.
fn fit(negative: bool, mut wide: Wide, mut scale: u32) -> Result<Decimal, Refused> {
    let (mut digit, mut is_more) = (0, false);
    loop {
        if scale <= MAX_SCALE.into()
            && let Some(magnitude) = wide.fitting()
        {
            let half = digit.cmp(&5).then(if is_more { Ordering::Greater } else { Ordering::Equal });
            let rounds_up = half == Ordering::Greater || half == Ordering::Equal && magnitude % 2 == 1;
            if magnitude + u128::from(rounds_up) < LIMIT {
                let magnitude = magnitude + u128::from(rounds_up);
                return Ok(Decimal { negative, scale: scale as u8, magnitude });
            }
        }
        if scale == 0 {
            return Err(Refused::OVERFLOW);
        }
        is_more |= digit != 0;
        digit = wide.shed_digit();
        scale -= 1;
    }
}

impl Decimal {
    /// Returns an integer as a decimal.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW` from 2⁹⁶ on.
    pub fn of_integer(value: i128) -> Result<Self, Refused> {
        let magnitude = value.unsigned_abs();
        if magnitude < LIMIT {
            Ok(Self { negative: value < 0, scale: 0, magnitude })
        } else {
            Err(Refused::OVERFLOW)
        }
    }

    /// Returns money as a decimal.
    pub fn of_money(value: i64) -> Self {
        Self { negative: value < 0, scale: 4, magnitude: value.unsigned_abs().into() }
    }

    /// Returns a double as a decimal, rounded to 15 digits, or to seven for a float.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW` for what is too large or no number.
    pub fn of_double(value: f64, is_float: bool) -> Result<Self, Refused> {
        if !value.is_finite() {
            return Err(Refused::OVERFLOW);
        }
        let digits = if is_float { 6 } else { 14 };
        let text = format!("{:.digits$e}", value.abs());
        let (mantissa, exponent) = text.split_once('e').ok_or(Refused::OVERFLOW)?;
        let exponent: i32 = exponent.parse().map_err(|_| Refused::OVERFLOW)?;
        let mantissa = mantissa.replace('.', "");
        let kept = mantissa.trim_end_matches('0');
        let scale = kept.len() as i32 - 1 - exponent;
        Self::of_digits(value < 0.0, kept, scale)
    }

    /// Returns digits with a number of them behind the point (or of zeros behind, if negative) as a decimal.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW` for what is too large.
    pub fn of_digits(negative: bool, digits: &str, scale: i32) -> Result<Self, Refused> {
        let digits = digits.trim_start_matches('0');
        // More digits than this are rounded away whatever the scale.
        let (kept, dropped) = digits.split_at(digits.len().min(60));
        let mut wide = Wide::of(0);
        for digit in kept.bytes() {
            wide = wide.times(10).plus(Wide::of(u128::from(digit - b'0')));
        }
        if digits.is_empty() {
            return Ok(Self { negative: false, scale: 0, magnitude: 0 });
        }
        let scale = scale.saturating_sub_unsigned(dropped.len() as u32);
        match u32::try_from(scale) {
            Ok(scale) if scale > 100 => Ok(Self { negative: false, scale: 0, magnitude: 0 }),
            Ok(scale) => fit(negative, wide, scale),
            Err(_) if scale < -28 => Err(Refused::OVERFLOW),
            Err(_) => fit(negative, wide.times_ten_to(scale.unsigned_abs() as u8), 0),
        }
    }

    /// Returns the nearest double.
    pub fn to_double(self) -> f64 {
        let value: f64 = format!("{}e-{}", self.magnitude, self.scale).parse().unwrap_or(0.0);
        if self.negative { -value } else { value }
    }

    /// Returns the number's text with a point, without zeros at the end of what stands behind it.
    pub fn to_text(self) -> String {
        let mut digits = self.magnitude.to_string();
        let scale = usize::from(self.scale);
        if scale > 0 {
            digits = format!("{digits:0>width$}", width = scale + 1);
            digits.insert(digits.len() - scale, '.');
            digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
        }
        if self.negative && self.magnitude != 0 { format!("-{digits}") } else { digits }
    }

    /// Returns it with the other sign.
    pub fn negated(self) -> Self {
        Self { negative: !self.negative, ..self }
    }

    /// Returns the sum.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW`
    pub fn plus(self, other: Self) -> Result<Self, Refused> {
        let scale = self.scale.max(other.scale);
        let first = Wide::of(self.magnitude).times_ten_to(scale - self.scale);
        let second = Wide::of(other.magnitude).times_ten_to(scale - other.scale);
        let (negative, sum) = match first.compare(&second) {
            _ if self.negative == other.negative => (self.negative, first.plus(second)),
            Ordering::Less => (other.negative, second.minus(first)),
            _ => (self.negative, first.minus(second)),
        };
        let sum = fit(negative, sum, scale.into())?;
        Ok(if sum.magnitude == 0 { Self { negative: false, ..sum } } else { sum })
    }

    /// Returns the difference.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW`
    pub fn minus(self, other: Self) -> Result<Self, Refused> {
        self.plus(other.negated())
    }

    /// Returns the product.
    ///
    /// # Errors
    /// `DISP_E_OVERFLOW`
    pub fn times(self, other: Self) -> Result<Self, Refused> {
        let product = Wide::product(self.magnitude, other.magnitude);
        fit(self.negative != other.negative, product, u32::from(self.scale) + u32::from(other.scale))
    }

    /// Returns the quotient, to as many digits as there is room for.
    ///
    /// # Errors
    /// `DISP_E_DIVBYZERO`, `DISP_E_OVERFLOW`
    pub fn divided_by(self, other: Self) -> Result<Self, Refused> {
        if other.magnitude == 0 {
            return Err(Refused::DIVISION_BY_ZERO);
        }
        let mut scale = i32::from(self.scale) - i32::from(other.scale);
        let (mut quotient, mut rest) = (self.magnitude / other.magnitude, self.magnitude % other.magnitude);
        while scale < 0 || rest != 0 && scale < MAX_SCALE.into() {
            let next = quotient * 10 + rest * 10 / other.magnitude;
            if next >= LIMIT {
                if scale < 0 {
                    return Err(Refused::OVERFLOW);
                }
                break;
            }
            (quotient, rest, scale) = (next, rest * 10 % other.magnitude, scale + 1);
        }
        let rounds_up = match (2 * rest).cmp(&other.magnitude) {
            Ordering::Equal => quotient % 2 == 1,
            half => half == Ordering::Greater,
        };
        let negative = self.negative != other.negative;
        fit(negative, Wide::of(quotient + u128::from(rounds_up)), scale.unsigned_abs())
    }

    /// Returns it with at most so many digits behind the point.
    pub fn rounded(self, digits: u8) -> Self {
        let mut rounded = self;
        let (mut digit, mut is_more) = (0, false);
        while rounded.scale > digits {
            is_more |= digit != 0;
            digit = rounded.magnitude % 10;
            rounded.magnitude /= 10;
            rounded.scale -= 1;
        }
        let half = digit.cmp(&5).then(if is_more { Ordering::Greater } else { Ordering::Equal });
        let is_odd = rounded.magnitude % 2 == 1;
        rounded.magnitude += u128::from(half == Ordering::Greater || half == Ordering::Equal && is_odd);
        rounded
    }

    /// Returns it without what stands behind the point.
    pub fn cut(self) -> Self {
        Self { scale: 0, magnitude: self.magnitude / 10u128.pow(self.scale.into()), ..self }
    }

    /// Returns the next integer downwards.
    pub fn floor(self) -> Self {
        let cut = self.cut();
        let has_rest = !self.magnitude.is_multiple_of(10u128.pow(self.scale.into()));
        Self { magnitude: cut.magnitude + u128::from(self.negative && has_rest), ..cut }
    }

    /// Returns the nearest integer, halves to even.
    pub fn to_integer(self) -> i128 {
        let magnitude = self.rounded(0).magnitude as i128;
        if self.negative { -magnitude } else { magnitude }
    }

    /// Compares by value.
    pub fn compare(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let side = |one: Self| Wide::of(one.magnitude).times_ten_to(scale - one.scale);
        let is_negative = |one: Self| one.negative && one.magnitude != 0;
        match (is_negative(self), is_negative(other)) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => side(self).compare(&side(other)),
            (true, true) => side(other).compare(&side(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        let digits = text.trim_start_matches('-');
        let scale = digits.split_once('.').map_or(0, |(_, behind)| behind.len());
        Decimal::of_digits(text.starts_with('-'), &digits.replace('.', ""), scale as i32).expect("it fits")
    }

    #[test]
    fn sums_products_and_quotients() {
        let max = decimal("79228162514264337593543950335");
        for (result, expected) in [
            (decimal("1").divided_by(decimal("3")), "0.3333333333333333333333333333"),
            (decimal("2").divided_by(decimal("3")), "0.6666666666666666666666666667"),
            (decimal("7").divided_by(decimal("-0.002")), "-3500"),
            (decimal("0.1").plus(decimal("-0.3")), "-0.2"),
            (max.plus(decimal("0.4")), "79228162514264337593543950335"),
            (decimal("1.25").times(decimal("-8")), "-10"),
            (decimal("0.0000000000000000000000000001").times(decimal("0.5")), "0"),
            (
                decimal("0.0000000000000000000000000003").times(decimal("0.5")),
                "0.0000000000000000000000000002",
            ),
            (Ok(decimal("-2.5").floor()), "-3"),
            (Ok(decimal("-2.5").cut()), "-2"),
            (Ok(decimal("2.345").rounded(2)), "2.34"),
            (Decimal::of_double(0.1, false), "0.1"),
            (Decimal::of_double(1e28, false), "10000000000000000000000000000"),
            (Decimal::of_double(1e-28, false), "0.0000000000000000000000000001"),
        ] {
            assert_eq!(result.map(Decimal::to_text).as_deref(), Ok(expected));
        }
        assert_eq!(max.plus(decimal("0.5")), Err(Refused::OVERFLOW));
        assert_eq!(max.times(decimal("2")), Err(Refused::OVERFLOW));
        assert_eq!(Decimal::of_double(1e29, false), Err(Refused::OVERFLOW));
        assert_eq!(max.divided_by(decimal("0")), Err(Refused::DIVISION_BY_ZERO));
        assert_eq!(decimal("-1.50").compare(decimal("-1.5")), Ordering::Equal);
        assert_eq!(decimal("0.1").to_double(), 0.1);
    }
}
