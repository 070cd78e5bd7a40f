//! Numbers and amounts of money as texts.

use plat_abi::{GuestWord, Memory, winapi};

use super::locale_info::check;
use super::locales;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::locale::{self, Locale};
use crate::logic::nls::number_format::{self, NumberFormat};
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetNumberFormatA, "80 locales";
    partial GetNumberFormatW, "80 locales";
    partial GetNumberFormatEx, "80 locales";
    partial GetCurrencyFormatA, "80 locales";
    partial GetCurrencyFormatW, "80 locales";
    partial GetCurrencyFormatEx, "80 locales";
};

/// The arguments that all functions here have in common.
struct Wanted {
    flags: u32,
    value: GuestWord,
    format: GuestWord,
    buffer: GuestWord,
    size: i32,
    is_wide: bool,
}

impl Wanted {
    fn read(&self, guest: &Guest, address: u64) -> Result<Vec<u16>, Win32Error> {
        match (address, self.is_wide) {
            (0, _) => Err(Win32Error::INVALID_PARAMETER),
            (_, true) => Ok(guest.read_wide_string(address)?),
            (_, false) => Ok(nls::read_ansi(guest, address)?),
        }
    }

    /// Refuses bad arguments; a format of the caller's leaves no flags to choose.
    fn check(&self) -> Result<(), Win32Error> {
        check(self.buffer, self.size)?;
        let known = if self.format.is_null() { 0xc000_0000 } else { 0 };
        if self.flags & !known == 0 { Ok(()) } else { Err(Win32Error::INVALID_FLAGS) }
    }

    /// Reads what `NUMBERFMT` and `CURRENCYFMT` begin with; returns where it goes on.
    fn read_format(&self, guest: &Guest) -> Result<(NumberFormat, u64), Win32Error> {
        let (at, word) = (self.format.get(), guest.machine().pointer_size());
        // Three numbers, padded to a pointer's size.
        let pointers = at + 12u64.next_multiple_of(word);
        let format = NumberFormat {
            digits: guest.read_u32(at)?,
            leading_zero: guest.read_u32(at + 4)? != 0,
            grouping: guest.read_u32(at + 8)?,
            decimal: self.read(guest, guest.read_word(pointers)?)?,
            thousand: self.read(guest, guest.read_word(pointers + word)?)?,
        };
        Ok((format, pointers + 2 * word))
    }

    fn put(&self, guest: &Guest, mut text: Vec<u16>) -> Result<i32, Win32Error> {
        text.push(0);
        match self.is_wide {
            true => nls::put_wide(guest, self.buffer, self.size, &text),
            false => nls::put_bytes(guest, self.buffer, self.size, &nls::narrow(&text)),
        }
    }

    fn number(&self, guest: &Guest, locale: &Locale) -> Result<i32, Win32Error> {
        self.check()?;
        let value = self.read(guest, self.value.get())?;
        let (format, negative) = match self.format.is_null() {
            true => (NumberFormat::of_numbers(locale), locale.number(locale::NEGATIVE_NUMBER)),
            false => {
                let (format, rest) = self.read_format(guest)?;
                (format, guest.read_u32(rest)?)
            }
        };
        self.put(guest, number_format::number(&value, &format, negative)?)
    }

    fn money(&self, guest: &Guest, locale: &Locale) -> Result<i32, Win32Error> {
        self.check()?;
        let value = self.read(guest, self.value.get())?;
        let (format, orders, currency) = match self.format.is_null() {
            true => {
                let orders = (locale.number(locale::MONEY_POSITIVE), locale.number(locale::MONEY_NEGATIVE));
                let currency = locale.text(locale::CURRENCY).encode_utf16().collect();
                (NumberFormat::of_money(locale), orders, currency)
            }
            false => {
                let (format, rest) = self.read_format(guest)?;
                // The structure states the negative order first.
                let orders = (guest.read_u32(rest + 4)?, guest.read_u32(rest)?);
                (format, orders, self.read(guest, guest.read_word(rest + 8)?)?)
            }
        };
        self.put(guest, number_format::money(&value, &format, orders, &currency)?)
    }
}

/// Writes the functions: how the locale is given, the names of parameters, number or money, wide or not.
macro_rules! formats {
    ($($(#[doc = $what:literal])+ $name:ident $locale:ident: $locale_type:ty => $find:expr, $format:ident $buffer:ident $size:ident $method:ident $wide:literal;)*) => {$(
        $(#[doc = $what])+
        #[winapi]
        pub fn $name(
            guest: &mut Guest,
            $locale: $locale_type,
            dwFlags: u32,
            lpValue: GuestWord,
            $format: GuestWord,
            $buffer: GuestWord,
            $size: i32,
        ) -> Result<i32, Win32Error> {
            let locale = $find(guest, $locale)?;
            let (flags, value, format) = (dwFlags, lpValue, $format);
            Wanted { flags, value, format, buffer: $buffer, size: $size, is_wide: $wide }.$method(guest, locale)
        }
    )*};
}

fn by_number(_: &Guest, locale: u32) -> Result<&'static Locale, Win32Error> {
    locales::of_number(locale)
}

formats! {
    /// Writes a number as a locale does.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getnumberformata>
    GetNumberFormatA Locale: u32 => by_number, lpFormat lpNumberStr cchNumber number false;
    /// Writes a number as a locale does.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getnumberformatw>
    GetNumberFormatW Locale: u32 => by_number, lpFormat lpNumberStr cchNumber number true;
    /// Writes a number as a locale does; the locale is given by name.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getnumberformatex>
    GetNumberFormatEx lpLocaleName: GuestWord => locales::of_name, lpFormat lpNumberStr cchNumber number true;
    /// Writes an amount of money as a locale does.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getcurrencyformata>
    GetCurrencyFormatA Locale: u32 => by_number, lpFormat lpCurrencyStr cchCurrency money false;
    /// Writes an amount of money as a locale does.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getcurrencyformatw>
    GetCurrencyFormatW Locale: u32 => by_number, lpFormat lpCurrencyStr cchCurrency money true;
    /// Writes an amount of money as a locale does; the locale is given by name.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getcurrencyformatex>
    GetCurrencyFormatEx lpLocaleName: GuestWord => locales::of_name, lpFormat lpCurrencyStr cchCurrency money true;
}
