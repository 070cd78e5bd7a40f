//! winnls.h: normalization forms, and names of hosts beyond ASCII.

use plat_abi::{Fault, GuestWord, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::nls::idn;
use crate::logic::nls::normal_form::{self, Form};
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NormalizeString, "not the forms of IDNA; a newer Unicode than Windows'";
    partial IsNormalizedString, "not the forms of IDNA; a newer Unicode than Windows'";
    partial IdnToAscii, "a newer Unicode than Windows'; text from right to left is not checked";
    partial IdnToUnicode, "a newer Unicode than Windows'; text from right to left is not checked";
    partial IdnToNameprepUnicode, "a newer Unicode than Windows'; text from right to left is not checked";
};

/// What `NormalizeString` returns.
#[derive(Clone, Copy, Debug)]
pub struct Length(i32);

impl plat_abi::Return<Guest> for Length {
    fn finish(self, _: &mut Guest) -> plat_abi::Raw {
        plat_abi::Raw::Integer(u64::from(self.0 as u32))
    }
}

fn read(guest: &Guest, form: u32, text: GuestWord, length: i32) -> Result<(Form, Vec<u16>), Win32Error> {
    let form = Form::of_number(form).ok_or(Win32Error::INVALID_PARAMETER)?;
    if text.is_null() || length < -1 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok((form, nls::read_counted_wide(guest, text, length)?))
}

/// Normalizes a text. A failure returns minus the place of the bad unit, or minus the length that is needed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-normalizestring>
#[winapi]
pub fn NormalizeString(
    guest: &mut Guest,
    NormForm: u32,
    lpSrcString: GuestWord,
    cwSrcLength: i32,
    lpDstString: GuestWord,
    cwDstLength: i32,
) -> Length {
    let outcome = read(guest, NormForm, lpSrcString, cwSrcLength).and_then(|(form, text)| {
        let missing = cwDstLength > 0 && lpDstString.is_null();
        if missing || cwDstLength < 0 { Err(Win32Error::INVALID_PARAMETER) } else { Ok((form, text)) }
    });
    let (form, text) = match outcome {
        Ok(wanted) => wanted,
        Err(error) => {
            guest.set_last_error(error);
            return Length(0);
        }
    };
    match normal_form::normalize(&text, form) {
        Ok(normal) => match nls::put_wide(guest, lpDstString, cwDstLength, &normal) {
            Ok(length) => {
                guest.set_last_error(Win32Error::SUCCESS);
                Length(length)
            }
            Err(error) => {
                guest.set_last_error(error);
                Length(if error == Win32Error::INSUFFICIENT_BUFFER { -(normal.len() as i32) } else { 0 })
            }
        },
        Err(at) => {
            guest.set_last_error(Win32Error::NO_UNICODE_TRANSLATION);
            Length(-(at as i32))
        }
    }
}

/// Says whether a text is in a normalization form; the last error tells `FALSE` from a failure.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-isnormalizedstring>
#[winapi]
pub fn IsNormalizedString(
    guest: &mut Guest,
    NormForm: u32,
    lpString: GuestWord,
    cwLength: i32,
) -> Result<Bool, Win32Error> {
    let (form, text) = read(guest, NormForm, lpString, cwLength)?;
    let normal = normal_form::normalize(&text, form).map_err(|_| Win32Error::NO_UNICODE_TRANSLATION)?;
    guest.set_last_error(Win32Error::SUCCESS);
    Ok(Bool(normal == text))
}

/// Maps a name of a host; a zero at its end stays.
fn map_name(
    guest: &Guest,
    flags: u32,
    (source, length): (GuestWord, i32),
    (target, size): (GuestWord, i32),
    map: fn(&[u16], u32) -> Result<Vec<u16>, Win32Error>,
) -> Result<i32, Win32Error> {
    let missing = size > 0 && target.is_null();
    if source.is_null() || length == 0 || length < -1 || size < 0 || missing {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if flags & !idn::FLAGS != 0 {
        return Err(Win32Error::INVALID_FLAGS);
    }
    let text =
        nls::read_counted_wide(guest, source, length).map_err(|fault: Fault| Win32Error::from(fault))?;
    let name = text.strip_suffix(&[0]).unwrap_or(&text);
    let mut mapped = map(name, flags)?;
    if name.len() < text.len() {
        mapped.push(0);
    }
    nls::put_wide(guest, target, size, &mapped)
}

/// Writes the functions that map a name of a host.
macro_rules! names {
    ($($(#[doc = $what:literal])+ $name:ident $target:ident $size:ident $map:path;)*) => {$(
        $(#[doc = $what])+
        #[winapi]
        pub fn $name(
            guest: &mut Guest,
            dwFlags: u32,
            lpUnicodeCharStr: GuestWord,
            cchUnicodeChar: i32,
            $target: GuestWord,
            $size: i32,
        ) -> Result<i32, Win32Error> {
            map_name(guest, dwFlags, (lpUnicodeCharStr, cchUnicodeChar), ($target, $size), $map)
        }
    )*};
}

names! {
    /// Returns the name of a host as it is looked up.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-idntoascii>
    IdnToAscii lpASCIICharStr cchASCIIChar idn::to_ascii;
    /// Returns the name of a host prepared, but not encoded.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-idntonameprepunicode>
    IdnToNameprepUnicode lpNameprepCharStr cchNameprepChar idn::to_prepared;
}

/// Returns the name of a host as it is read.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-idntounicode>
#[winapi]
pub fn IdnToUnicode(
    guest: &mut Guest,
    dwFlags: u32,
    lpASCIICharStr: GuestWord,
    cchASCIIChar: i32,
    lpUnicodeCharStr: GuestWord,
    cchUnicodeChar: i32,
) -> Result<i32, Win32Error> {
    let (source, target) = ((lpASCIICharStr, cchASCIIChar), (lpUnicodeCharStr, cchUnicodeChar));
    map_name(guest, dwFlags, source, target, idn::to_unicode)
}
