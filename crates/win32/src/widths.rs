//! Functions that Windows has twice: with text in the ANSI code page, and with text in UTF-16. Key items: [`Width`],
//! `both_widths!`.

use plat_abi::{Fault, GuestWord, Memory};

use crate::Win32Error;
use crate::guest::Guest;
use crate::nt::nls;

/// Which of the two forms is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// `NameA`: bytes of the ANSI code page.
    Narrow,
    /// `NameW`: units of UTF-16.
    Wide,
}

impl Width {
    /// Says whether it is the form of `NameW`.
    pub(crate) fn is_wide(self) -> bool {
        self == Self::Wide
    }

    /// Reads a string of this form that ends with a zero; null is empty.
    pub(crate) fn read(self, guest: &Guest, address: GuestWord) -> Result<Vec<u16>, Fault> {
        if address.is_null() { Ok(Vec::new()) } else { self.read_string(guest, address) }
    }

    /// Reads a string of this form that ends with a zero.
    pub(crate) fn read_string(self, guest: &Guest, address: GuestWord) -> Result<Vec<u16>, Fault> {
        match self {
            Self::Narrow => nls::read_ansi(guest, address.get()),
            Self::Wide => guest.read_wide_string(address.get()),
        }
    }

    /// Returns the length in units of a string of this form that ends with a zero.
    pub(crate) fn length(self, guest: &Guest, address: GuestWord) -> Result<u64, Fault> {
        let length = match self {
            Self::Narrow => guest.read_c_string(address.get())?.len(),
            Self::Wide => guest.read_wide_string(address.get())?.len(),
        };
        Ok(length as u64)
    }

    /// Reads text of `length` units; with a negative length up to and including its zero.
    pub(crate) fn read_counted(
        self,
        guest: &Guest,
        address: GuestWord,
        length: i32,
    ) -> Result<Vec<u16>, Fault> {
        match self {
            Self::Narrow => Ok(nls::widen(&nls::read_counted(guest, address, length)?)),
            Self::Wide => nls::read_counted_wide(guest, address, length),
        }
    }

    /// Hands text to a buffer of `capacity` units and returns its length; a capacity of 0 asks for the length.
    pub(crate) fn put(
        self,
        guest: &Guest,
        buffer: GuestWord,
        capacity: i32,
        text: &[u16],
    ) -> Result<i32, Win32Error> {
        match self {
            Self::Narrow => nls::put_bytes(guest, buffer, capacity, &nls::narrow(text)),
            Self::Wide => nls::put_wide(guest, buffer, capacity, text),
        }
    }

    /// Returns a text with its zero as bytes of this form.
    pub(crate) fn bytes(self, text: &[u16]) -> Vec<u8> {
        match self {
            Self::Narrow => nls::narrow(text).into_iter().chain([0]).collect(),
            Self::Wide => text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect(),
        }
    }

    /// Returns a text with its zero as bytes of this form, cut to `room` units with the zero.
    pub(crate) fn cut(self, text: &[u16], room: usize) -> Vec<u8> {
        let (mut bytes, end) = (self.bytes(text), room * self.unit_bytes());
        if bytes.len() > end {
            bytes.truncate(end.saturating_sub(self.unit_bytes()));
            bytes.resize(end, 0);
        }
        bytes
    }

    /// Writes a text with its zero.
    pub(crate) fn write(self, guest: &Guest, address: GuestWord, text: &[u16]) -> Result<(), Fault> {
        guest.write_bytes(address.get(), &self.bytes(text))
    }

    /// Returns the size of a unit in bytes.
    pub(crate) fn unit_bytes(self) -> usize {
        match self {
            Self::Narrow => 1,
            Self::Wide => 2,
        }
    }
}

/// Defines both forms of a function by one body, which gets the form as its second name: a line of documentation, the
/// page it comes from without the last letter (two of them where the forms' pages lie apart), the two names, the
/// parameters. After `console` pages are those of the console's reference, which has one for both forms.
macro_rules! both_widths {
    (console $(
        $(#[doc = $what:literal])+
        $page:literal
        $narrow:ident, $wide:ident($guest:ident, $width:ident $(, $name:ident: $type:ty)* $(,)?) -> $result:ty $body:block
    )*) => {$(
        both_widths!(@one [$($what),+] concat!("console/", $page), $narrow = Narrow, $guest, $width,
            ($($name: $type),*), $result, $body);
        both_widths!(@one [$($what),+] concat!("console/", $page), $wide = Wide, $guest, $width,
            ($($name: $type),*), $result, $body);
    )*};
    ($(
        $(#[doc = $what:literal])+
        $page:literal $(| $wide_page:literal)?
        $narrow:ident, $wide:ident($guest:ident, $width:ident $(, $name:ident: $type:ty)* $(,)?) -> $result:ty $body:block
    )*) => {$(
        both_widths!(@one [$($what),+] concat!("win32/api/", $page, "a"), $narrow = Narrow, $guest, $width,
            ($($name: $type),*), $result, $body);
        both_widths!(@wide [$page $(, $wide_page)?] [$($what),+] $wide = Wide, $guest, $width,
            ($($name: $type),*), $result, $body);
    )*};
    (@wide [$page:literal] $what:tt $($rest:tt)+) => {
        both_widths!(@one $what concat!("win32/api/", $page, "w"), $($rest)+);
    };
    (@wide [$narrow_page:literal, $page:literal] $what:tt $($rest:tt)+) => {
        both_widths!(@one $what concat!("win32/api/", $page, "w"), $($rest)+);
    };
    (@one [$($what:literal),+] $address:expr, $function:ident = $form:ident, $guest:ident, $width:ident,
        ($($name:ident: $type:ty),*), $result:ty, $body:block) => {
        $(#[doc = $what])+
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/", $address, ">")]
        #[plat_abi::winapi]
        pub fn $function($guest: &mut $crate::guest::Guest, $($name: $type),*) -> $result {
            let $width = $crate::widths::Width::$form;
            $body
        }
    };
}
pub(crate) use both_widths;
