//! What string.h and wchar.h have both: one body for strings of bytes and strings of UTF-16.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::{EINVAL, ERANGE};
use super::state::{crt, place_narrow, place_wide};
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, to_fault};
use crate::logic::printf;

/// `STRUNCATE`: a string was cut, as `_TRUNCATE` allowed.
pub(crate) const STRUNCATE: i32 = 80;

/// A unit of text, narrow or wide, and how it lies in guest memory.
pub(crate) trait GuestUnit: printf::Unit + Default + Ord {
    /// The bytes of a unit.
    const BYTES: u64 = size_of::<Self>() as u64;
    /// Reads a string that ends with a zero.
    fn read(guest: &Guest, address: u64) -> Result<Vec<Self>, Fault>;
    /// Reads at most `max` units of a string.
    fn read_n(guest: &Guest, address: u64, max: u64) -> Result<Vec<Self>, Fault>;
    /// Writes units.
    fn write(guest: &Guest, address: u64, text: &[Self]) -> Result<(), Fault>;
    /// Puts a text and its zero into new memory; 0 when that is short.
    fn place(guest: &Guest, text: &[Self]) -> Result<u64, Fault>;
    /// Returns text in the locale's code page.
    fn to_bytes(guest: &Guest, text: Vec<Self>) -> Vec<u8>;
}

impl GuestUnit for u8 {
    fn read(guest: &Guest, address: u64) -> Result<Vec<u8>, Fault> {
        guest.read_c_string(address)
    }
    fn read_n(guest: &Guest, address: u64, max: u64) -> Result<Vec<u8>, Fault> {
        read_n(guest, address, max)
    }
    fn write(guest: &Guest, address: u64, text: &[u8]) -> Result<(), Fault> {
        guest.write_bytes(address, text)
    }
    fn place(guest: &Guest, text: &[u8]) -> Result<u64, Fault> {
        place_narrow(guest, text)
    }
    fn to_bytes(_: &Guest, text: Vec<u8>) -> Vec<u8> {
        text
    }
}

impl GuestUnit for u16 {
    fn read(guest: &Guest, address: u64) -> Result<Vec<u16>, Fault> {
        guest.read_wide_string(address)
    }
    fn read_n(guest: &Guest, address: u64, max: u64) -> Result<Vec<u16>, Fault> {
        read_wide_n(guest, address, max)
    }
    fn write(guest: &Guest, address: u64, text: &[u16]) -> Result<(), Fault> {
        guest.write_wide(address, text)
    }
    fn place(guest: &Guest, text: &[u16]) -> Result<u64, Fault> {
        place_wide(guest, text)
    }
    fn to_bytes(guest: &Guest, text: Vec<u16>) -> Vec<u8> {
        crt(guest).locale.narrow(&text)
    }
}

/// Reads at most `max` bytes of a string.
pub(crate) fn read_n(guest: &Guest, address: u64, max: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < max {
        let at = address.wrapping_add(bytes.len() as u64);
        let piece = (256 - at % 256).min(max - bytes.len() as u64);
        let piece = guest.read_vec(at, piece)?;
        if let Some(end) = piece.iter().position(|&byte| byte == 0) {
            bytes.extend_from_slice(&piece[..end]);
            break;
        }
        bytes.extend(piece);
    }
    Ok(bytes)
}

/// Reads at most `max` units of a string.
pub(crate) fn read_wide_n(guest: &Guest, address: u64, max: u64) -> Result<Vec<u16>, Fault> {
    let mut text = Vec::new();
    while (text.len() as u64) < max {
        let unit: u16 = guest.read(address.wrapping_add(2 * text.len() as u64))?;
        if unit == 0 {
            break;
        }
        text.push(unit);
    }
    Ok(text)
}

/// Writes a text and a terminator.
pub(crate) fn write_z<T: GuestUnit>(guest: &Guest, address: u64, text: &[T]) -> Result<(), Fault> {
    T::write(guest, address, text)?;
    T::write(guest, address.wrapping_add(bytes_of(text)), &[T::default()])
}

fn bytes_of<T: GuestUnit>(text: &[T]) -> u64 {
    T::BYTES * text.len() as u64
}

pub(super) fn order<T: Ord>(left: &T, right: &T) -> i32 {
    left.cmp(right) as i32
}

/// Returns the address of what was found at an index, or null.
pub(super) fn at<T: GuestUnit>(start: u64, index: Option<usize>) -> GuestWord {
    GuestWord(index.map_or(0, |index| start + T::BYTES * index as u64))
}

/// Returns where a string ends.
fn end<T: GuestUnit>(guest: &Guest, start: u64) -> Result<u64, Fault> {
    Ok(start + bytes_of(&T::read(guest, start)?))
}

/// Finds `needle` in `text`; an empty one at the beginning.
pub(crate) fn find<T: PartialEq>(text: &[T], needle: &[T]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    text.windows(needle.len()).position(|window| window == needle)
}

/// What `strcpy_s` and its kin return and leave in the buffer: `text` must fit into `size` units.
pub(crate) fn check_room(size: u64, needed: u64) -> i32 {
    match size {
        0 => EINVAL,
        _ if needed >= size => ERANGE,
        _ => 0,
    }
}

/// Where the next token of `text` lies: its start and its end; `None` when only delimiters are left.
pub(crate) fn token<T: PartialEq>(text: &[T], delimiters: &[T]) -> Option<(usize, usize)> {
    let start = text.iter().position(|unit| !delimiters.contains(unit))?;
    let length = text[start..].iter().position(|unit| delimiters.contains(unit));
    Some((start, length.map_or(text.len(), |length| start + length)))
}

/// Cuts the next token off the string at `*slot`, or at `text` when that is given.
pub(super) fn next_token<T: GuestUnit>(
    guest: &mut Guest,
    text: u64,
    delimiters: u64,
    slot: u64,
) -> Result<GuestWord, Fault> {
    let start = if text != 0 { text } else { guest.read_word(slot)? };
    if start == 0 {
        return Ok(GuestWord::NULL);
    }
    let (units, delimiters) = (T::read(guest, start)?, T::read(guest, delimiters)?);
    let Some((first, end)) = token(&units, &delimiters) else {
        guest.write_word(slot, start + bytes_of(&units))?;
        return Ok(GuestWord::NULL);
    };
    let is_last = end == units.len();
    let end = start + bytes_of(&units[..end]);
    if !is_last {
        T::write(guest, end, &[T::default()])?;
    }
    guest.write_word(slot, if is_last { end } else { end + T::BYTES })?;
    Ok(at::<T>(start, Some(first)))
}

/// Puts `text` at `dest`, or an empty string when it does not fit.
pub(super) fn store_checked<T: GuestUnit>(
    guest: &Guest,
    dest: u64,
    size: u64,
    text: &[T],
) -> Result<i32, Fault> {
    let code = if dest == 0 { EINVAL } else { check_room(size, text.len() as u64) };
    if code == 0 {
        write_z(guest, dest, text)?;
    } else if dest != 0 && size > 0 {
        T::write(guest, dest, &[T::default()])?;
    }
    Ok(code)
}

/// Defines functions of both kinds of strings by one body, and their table: text, page, names, the name of the unit's type,
/// parameters, result, body.
macro_rules! twins {
    (also { $($more:tt)* } $($doc:literal, $page:literal;
        $narrow:ident, $wide:ident($guest:ident, $unit:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        /// The exports of this file.
        pub const EXPORTS: &[Export] = dll! { $(full $narrow; full $wide;)* $($more)* };
        define! { $(
            $doc, $page;
            $narrow($guest $(, $param: $type)*) -> $result {
                type $unit = u8;
                $body
            }
            $doc, $page;
            $wide($guest $(, $param: $type)*) -> $result {
                type $unit = u16;
                $body
            }
        )* }
    };
}

twins! {
    also { full "strdup" = _strdup; full "wcsdup" = _wcsdup; }
    "Copies a string.", "strcpy-wcscpy-mbscpy";
    strcpy, wcscpy(guest, Unit, strDestination: GuestWord, strSource: GuestWord) -> GuestWord {
        let text = Unit::read(guest, strSource.0)?;
        write_z::<Unit>(guest, strDestination.0, &text)?;
        Ok(strDestination)
    }
    "Appends a string.", "strcat-wcscat-mbscat";
    strcat, wcscat(guest, Unit, strDestination: GuestWord, strSource: GuestWord) -> GuestWord {
        let text = Unit::read(guest, strSource.0)?;
        let end = end::<Unit>(guest, strDestination.0)?;
        write_z::<Unit>(guest, end, &text)?;
        Ok(strDestination)
    }
    "Copies at most `count` units of a string, and fills up with zeros.", "strncpy-strncpy-l-wcsncpy-wcsncpy-l-mbsncpy-mbsncpy-l";
    strncpy, wcsncpy(guest, Unit, strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord {
        let text = Unit::read_n(guest, strSource.0, count.0)?;
        Unit::write(guest, strDest.0, &text)?;
        let rest = count.0 - text.len() as u64;
        plat_host::memory::fill(strDest.0 + bytes_of(&text), 0, rest.saturating_mul(Unit::BYTES)).map_err(to_fault)?;
        Ok(strDest)
    }
    "Appends at most `count` units of a string and a terminator.", "strncat-strncat-l-wcsncat-wcsncat-l-mbsncat-mbsncat-l";
    strncat, wcsncat(guest, Unit, strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord {
        let text = Unit::read_n(guest, strSource.0, count.0)?;
        let end = end::<Unit>(guest, strDest.0)?;
        write_z::<Unit>(guest, end, &text)?;
        Ok(strDest)
    }
    "Copies a string into a buffer of known size.", "strcpy-s-wcscpy-s-mbscpy-s";
    strcpy_s, wcscpy_s(guest, Unit, dest: GuestWord, dest_size: GuestWord, src: GuestWord) -> i32 {
        let text = Unit::read(guest, src.0)?;
        store_checked::<Unit>(guest, dest.0, dest_size.0, &text)
    }
    "Appends a string in a buffer of known size.", "strcat-s-wcscat-s-mbscat-s";
    strcat_s, wcscat_s(guest, Unit, strDestination: GuestWord, numberOfElements: GuestWord, strSource: GuestWord) -> i32 {
        let mut text = Unit::read(guest, strDestination.0)?;
        text.extend(Unit::read(guest, strSource.0)?);
        store_checked::<Unit>(guest, strDestination.0, numberOfElements.0, &text)
    }
    "Copies at most `count` units of a string into a buffer of known size.", "strncpy-s-strncpy-s-l-wcsncpy-s-wcsncpy-s-l-mbsncpy-s-mbsncpy-s-l";
    strncpy_s, wcsncpy_s(guest, Unit, strDest: GuestWord, numberOfElements: GuestWord, strSource: GuestWord, count: GuestWord) -> i32 {
        let truncates = count.0 as u32 == u32::MAX;
        let max = if truncates { numberOfElements.0 } else { count.0 };
        let mut text = Unit::read_n(guest, strSource.0, max)?;
        let is_cut = truncates && text.len() as u64 >= numberOfElements.0 && text.pop().is_some();
        let code = store_checked::<Unit>(guest, strDest.0, numberOfElements.0, &text)?;
        Ok(if is_cut && code == 0 { STRUNCATE } else { code })
    }
    "Appends at most `count` units of a string in a buffer of known size.", "strncat-s-strncat-s-l-wcsncat-s-wcsncat-s-l-mbsncat-s-mbsncat-s-l";
    strncat_s, wcsncat_s(guest, Unit, strDest: GuestWord, numberOfElements: GuestWord, strSource: GuestWord, count: GuestWord) -> i32 {
        let mut text = Unit::read(guest, strDest.0)?;
        let room = numberOfElements.0.saturating_sub(text.len() as u64 + 1);
        let truncates = count.0 as u32 == u32::MAX;
        text.extend(Unit::read_n(guest, strSource.0, if truncates { room + 1 } else { count.0 })?);
        let is_cut = truncates && text.len() as u64 >= numberOfElements.0 && text.pop().is_some();
        let code = store_checked::<Unit>(guest, strDest.0, numberOfElements.0, &text)?;
        Ok(if is_cut && code == 0 { STRUNCATE } else { code })
    }
    "Returns the length of a string, at most `numberOfElements`.", "strnlen-strnlen-s";
    strnlen, wcsnlen(guest, Unit, str: GuestWord, numberOfElements: GuestWord) -> GuestWord {
        Ok(GuestWord(Unit::read_n(guest, str.0, numberOfElements.0)?.len() as u64))
    }
    "Finds a string in a string; null when it is not there.", "strstr-wcsstr-mbsstr-mbsstr-l";
    strstr, wcsstr(guest, Unit, str: GuestWord, strSearch: GuestWord) -> GuestWord {
        Ok(at::<Unit>(str.0, find(&Unit::read(guest, str.0)?, &Unit::read(guest, strSearch.0)?)))
    }
    "Returns how many units at the beginning are in `strCharSet`.", "strspn-wcsspn-mbsspn-mbsspn-l";
    strspn, wcsspn(guest, Unit, str: GuestWord, strCharSet: GuestWord) -> GuestWord {
        let (text, set) = (Unit::read(guest, str.0)?, Unit::read(guest, strCharSet.0)?);
        Ok(GuestWord(text.iter().take_while(|unit| set.contains(unit)).count() as u64))
    }
    "Returns how many units at the beginning are not in `strCharSet`.", "strcspn-wcscspn-mbscspn-mbscspn-l";
    strcspn, wcscspn(guest, Unit, str: GuestWord, strCharSet: GuestWord) -> GuestWord {
        let (text, set) = (Unit::read(guest, str.0)?, Unit::read(guest, strCharSet.0)?);
        Ok(GuestWord(text.iter().take_while(|unit| !set.contains(unit)).count() as u64))
    }
    "Finds the first unit that is in `strCharSet`; null when there is none.", "strpbrk-wcspbrk-mbspbrk-mbspbrk-l";
    strpbrk, wcspbrk(guest, Unit, str: GuestWord, strCharSet: GuestWord) -> GuestWord {
        let (text, set) = (Unit::read(guest, str.0)?, Unit::read(guest, strCharSet.0)?);
        Ok(at::<Unit>(str.0, text.iter().position(|unit| set.contains(unit))))
    }
    "Cuts the next token off a string; null continues where `*context` says.", "strtok-s-strtok-s-l-wcstok-s-wcstok-s-l-mbstok-s-mbstok-s-l";
    strtok_s, wcstok_s(guest, Unit, str: GuestWord, delimiters: GuestWord, context: GuestWord) -> GuestWord {
        next_token::<Unit>(guest, str.0, delimiters.0, context.0)
    }
    "Copies a string into new memory; null for null.", "strdup-wcsdup-mbsdup";
    _strdup, _wcsdup(guest, Unit, strSource: GuestWord) -> GuestWord {
        if strSource.is_null() {
            return Ok(GuestWord::NULL);
        }
        let text = Unit::read(guest, strSource.0)?;
        Unit::place(guest, &text).map(GuestWord)
    }
    "Turns a string round.", "strrev-wcsrev-mbsrev-mbsrev-l";
    _strrev, _wcsrev(guest, Unit, str: GuestWord) -> GuestWord {
        let mut text = Unit::read(guest, str.0)?;
        text.reverse();
        Unit::write(guest, str.0, &text)?;
        Ok(str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_cut_at_delimiters() {
        let cases = [
            (b"a,b".as_slice(), Some((0, 1))),
            (b",,ab", Some((2, 4))),
            (b",,", None),
            (b"", None),
            (b"ab, ", Some((0, 2))),
        ];
        for (text, expected) in cases {
            assert_eq!(token(text, b", "), expected, "{text:?}");
        }
    }

    #[test]
    fn strings_are_found() {
        assert_eq!(find(b"abcabd", b"abd"), Some(3));
        assert_eq!(find(b"abc", b""), Some(0));
        assert_eq!(find(b"ab", b"abc"), None);
        assert_eq!([check_room(0, 0), check_room(3, 2), check_room(3, 3)], [EINVAL, 0, ERANGE]);
    }
}
