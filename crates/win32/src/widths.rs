//! Functions that Windows has twice: with text in the ANSI code page, and with text in UTF-16. Key items: [`Width`],
//! `both_widths!`.

use plat_abi::{Fault, GuestWord, Memory};

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
    /// Reads a string of this form that ends with a zero; null is empty.
    pub(crate) fn read(self, guest: &Guest, address: GuestWord) -> Result<Vec<u16>, Fault> {
        match self {
            _ if address.is_null() => Ok(Vec::new()),
            Self::Narrow => nls::read_ansi(guest, address.get()),
            Self::Wide => guest.read_wide_string(address.get()),
        }
    }

    /// Returns a text with its zero as bytes of this form.
    pub(crate) fn bytes(self, text: &[u16]) -> Vec<u8> {
        match self {
            Self::Narrow => nls::narrow(text).into_iter().chain([0]).collect(),
            Self::Wide => text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect(),
        }
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
/// page it comes from without the last letter, the two names, the parameters. After `console` pages are those of the
/// console's reference, which has one for both forms.
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
        $page:literal
        $narrow:ident, $wide:ident($guest:ident, $width:ident $(, $name:ident: $type:ty)* $(,)?) -> $result:ty $body:block
    )*) => {$(
        both_widths!(@one [$($what),+] concat!("win32/api/", $page, "a"), $narrow = Narrow, $guest, $width,
            ($($name: $type),*), $result, $body);
        both_widths!(@one [$($what),+] concat!("win32/api/", $page, "w"), $wide = Wide, $guest, $width,
            ($($name: $type),*), $result, $body);
    )*};
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
