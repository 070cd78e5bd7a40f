//! winnls.h: a string in another, compared as a locale does.

use plat_abi::{GuestWord, Memory, winapi};

use super::locales;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::kernel32::stringapiset::{compare, read_compared};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial FindNLSString, "limits as CompareStringEx";
    partial FindNLSStringEx, "limits as CompareStringEx";
    full FindStringOrdinal;
};

/// `FIND_STARTSWITH`, `FIND_ENDSWITH`, `FIND_FROMSTART`, `FIND_FROMEND`.
const STARTS_WITH: u32 = 0x10_0000;
const ENDS_WITH: u32 = 0x20_0000;
const FROM_START: u32 = 0x40_0000;
const FROM_END: u32 = 0x80_0000;
const DIRECTIONS: u32 = STARTS_WITH | ENDS_WITH | FROM_START | FROM_END;
/// `CSTR_EQUAL`.
const EQUAL: i32 = 2;

/// Finds where `wanted` lies in `text`, and how long it is there, which need not be its own length.
fn find(
    text: &[u16],
    wanted: &[u16],
    direction: u32,
    is_equal: impl Fn(&[u16]) -> Result<bool, Win32Error>,
) -> Result<Option<(usize, usize)>, Win32Error> {
    let starts: Vec<usize> = match direction {
        STARTS_WITH => vec![0],
        ENDS_WITH | FROM_END => (0..=text.len()).rev().collect(),
        _ => (0..=text.len()).collect(),
    };
    // Marks and ligatures make texts of different lengths equal, by a factor of three at most.
    let lengths = |start: usize| {
        let most = (3 * wanted.len() + 3).min(text.len() - start);
        let own = Some(wanted.len()).filter(|&length| length <= most);
        own.into_iter().chain((0..=most).filter(move |&length| length != wanted.len()))
    };
    for start in starts {
        for length in lengths(start) {
            let reaches_end = start + length == text.len();
            if (direction != ENDS_WITH || reaches_end) && is_equal(&text[start..start + length])? {
                return Ok(Some((start, length)));
            }
        }
    }
    Ok(None)
}

/// The arguments that both functions have in common.
struct Wanted {
    flags: u32,
    source: (GuestWord, i32),
    value: (GuestWord, i32),
    found: GuestWord,
}

impl Wanted {
    fn run(&self, guest: &Guest) -> Result<i32, Win32Error> {
        let direction = self.flags & DIRECTIONS;
        if direction.count_ones() > 1 {
            return Err(Win32Error::INVALID_FLAGS);
        }
        if self.source.1 == 0 || self.value.1 == 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let text = read_compared(guest, self.source.0, self.source.1)?;
        let value = read_compared(guest, self.value.0, self.value.1)?;
        let flags = self.flags & !DIRECTIONS;
        let direction = if direction == 0 { FROM_START } else { direction };
        let found = find(&text, &value, direction, |part| Ok(compare(part, &value, flags)? == EQUAL))?;
        let Some((at, length)) = found else { return Err(Win32Error::SUCCESS) };
        if !self.found.is_null() {
            guest.write(self.found.get(), &(length as u32))?;
        }
        Ok(at as i32)
    }
}

/// An `int` whose failure value is -1.
pub struct Place(i32);

impl plat_abi::Return<Guest> for Place {
    fn finish(self, _: &mut Guest) -> plat_abi::Raw {
        plat_abi::Raw::Integer(u64::from(self.0 as u32))
    }
}

fn place(guest: &mut Guest, outcome: Result<i32, Win32Error>) -> Place {
    // Not found is no failure: the last error is ERROR_SUCCESS then.
    guest.set_last_error(outcome.err().unwrap_or(Win32Error::SUCCESS));
    Place(outcome.unwrap_or(-1))
}

/// Finds a string in another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-findnlsstring>
#[winapi]
pub fn FindNLSString(
    guest: &mut Guest,
    Locale: u32,
    dwFindNLSStringFlags: u32,
    lpStringSource: GuestWord,
    cchSource: i32,
    lpStringValue: GuestWord,
    cchValue: i32,
    pcchFound: GuestWord,
) -> Place {
    let (source, value) = ((lpStringSource, cchSource), (lpStringValue, cchValue));
    let wanted = Wanted { flags: dwFindNLSStringFlags, source, value, found: pcchFound };
    let outcome = locales::of_number(Locale).and_then(|_| wanted.run(guest));
    place(guest, outcome)
}

/// Finds a string in another; the locale is given by name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-findnlsstringex>
#[winapi]
pub fn FindNLSStringEx(
    guest: &mut Guest,
    lpLocaleName: GuestWord,
    dwFindNLSStringFlags: u32,
    lpStringSource: GuestWord,
    cchSource: i32,
    lpStringValue: GuestWord,
    cchValue: i32,
    pcchFound: GuestWord,
    lpVersionInformation: GuestWord,
    lpReserved: GuestWord,
    sortHandle: GuestWord,
) -> Place {
    let _ = (lpVersionInformation, lpReserved, sortHandle);
    let (source, value) = ((lpStringSource, cchSource), (lpStringValue, cchValue));
    let wanted = Wanted { flags: dwFindNLSStringFlags, source, value, found: pcchFound };
    let outcome = locales::of_name(guest, lpLocaleName).and_then(|_| wanted.run(guest));
    place(guest, outcome)
}

/// Finds a string in another, unit by unit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-findstringordinal>
#[winapi]
pub fn FindStringOrdinal(
    guest: &mut Guest,
    dwFindStringOrdinalFlags: u32,
    lpStringSource: GuestWord,
    cchSource: i32,
    lpStringValue: GuestWord,
    cchValue: i32,
    bIgnoreCase: Bool,
) -> Place {
    let run = |guest: &Guest| {
        let direction = match dwFindStringOrdinalFlags {
            0 => FROM_START,
            STARTS_WITH | ENDS_WITH | FROM_START | FROM_END => dwFindStringOrdinalFlags,
            _ => return Err(Win32Error::INVALID_FLAGS),
        };
        let text = read_compared(guest, lpStringSource, cchSource)?;
        let value = read_compared(guest, lpStringValue, cchValue)?;
        let is_equal = |part: &[u16]| {
            let order = crate::logic::nls::case::compare_ordinal(part, &value, bIgnoreCase.0);
            Ok(part.len() == value.len() && order.is_eq())
        };
        find(&text, &value, direction, is_equal)?.map(|(at, _)| at as i32).ok_or(Win32Error::SUCCESS)
    };
    let outcome = run(guest);
    place(guest, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_choose_which_is_found() {
        let text: Vec<u16> = "abcabc".encode_utf16().collect();
        let wanted: Vec<u16> = "bc".encode_utf16().collect();
        let find = |direction| find(&text, &wanted, direction, |part| Ok(part == wanted));
        assert_eq!(find(FROM_START), Ok(Some((1, 2))));
        assert_eq!(find(FROM_END), Ok(Some((4, 2))));
        assert_eq!(find(STARTS_WITH), Ok(None));
        assert_eq!(find(ENDS_WITH), Ok(Some((4, 2))));
    }
}
