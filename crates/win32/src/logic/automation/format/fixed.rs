//! Numbers, money and percentages as a locale writes them, with digits, leading zeros, brackets and groups to choose.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varformatnumber>,
//! <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varformatcurrency>,
//! <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varformatpercent>

use super::digits::Digits;
use crate::logic::automation::{How, Refused};
use crate::logic::nls::locale;
use crate::logic::nls::number_format::{self, NumberFormat};

/// What callers choose; `None` is as the locale has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    digits: Option<u32>,
    leading_zero: Option<bool>,
    brackets: Option<bool>,
    groups: Option<bool>,
}

impl Options {
    /// All as the locale has it.
    pub const DEFAULT: Self = Self { digits: None, leading_zero: None, brackets: None, groups: None };

    /// Reads the numbers that a caller gives: digits or -1; -1 for yes, 0 for no, -2 as the locale has it.
    ///
    /// # Errors
    /// `E_INVALIDARG`
    pub fn new(digits: i32, leading_zero: i32, brackets: i32, groups: i32) -> Result<Self, Refused> {
        let choice = |given: i32| match given {
            -2 => Ok(None),
            -1 => Ok(Some(true)),
            0 => Ok(Some(false)),
            _ => Err(Refused::INVALID),
        };
        let digits = match digits {
            -1 => None,
            digits @ 0..=9 => Some(digits as u32),
            _ => return Err(Refused::INVALID),
        };
        Ok(Self {
            digits,
            leading_zero: choice(leading_zero)?,
            brackets: choice(brackets)?,
            groups: choice(groups)?,
        })
    }

    fn apply(self, mut format: NumberFormat) -> NumberFormat {
        format.digits = self.digits.unwrap_or(format.digits);
        format.leading_zero = self.leading_zero.unwrap_or(format.leading_zero);
        format.grouping = match self.groups {
            Some(false) => 0,
            Some(true) if format.grouping == 0 => 3,
            _ => format.grouping,
        };
        format
    }

    /// Returns the number of the order for negative values: brackets are 0, a minus before all is 1.
    fn negative(self, of_locale: u32) -> u32 {
        self.brackets.map_or(of_locale, |brackets| u32::from(!brackets))
    }
}

/// Writes a number.
///
/// # Errors
/// `E_INVALIDARG` for a locale's format that is none.
pub fn number(digits: &Digits, options: Options, how: How) -> Result<Vec<u16>, Refused> {
    let format = options.apply(NumberFormat::of_numbers(how.locale));
    let negative = options.negative(how.locale.number(locale::NEGATIVE_NUMBER));
    number_format::number(&digits.plain(), &format, negative).map_err(|_| Refused::INVALID)
}

/// Writes a percentage.
///
/// # Errors
/// As [`number`].
pub fn percent(digits: &Digits, options: Options, how: How) -> Result<Vec<u16>, Refused> {
    let mut text = number(&digits.scaled(2), options, how)?;
    text.push(u16::from(b'%'));
    Ok(text)
}

/// Writes an amount of money.
///
/// # Errors
/// As [`number`].
pub fn currency(digits: &Digits, options: Options, how: How) -> Result<Vec<u16>, Refused> {
    let locale = how.locale;
    let format = options.apply(NumberFormat::of_money(locale));
    let orders =
        (locale.number(locale::MONEY_POSITIVE), options.negative(locale.number(locale::MONEY_NEGATIVE)));
    let sign: Vec<u16> = locale.text(locale::CURRENCY).encode_utf16().collect();
    number_format::money(&digits.plain(), &format, orders, &sign).map_err(|_| Refused::INVALID)
}
