//! Strings of characters of one or two bytes with limits: so many characters (`_mbsn…`), or so many bytes (`_mbsnb…`).

use plat_abi::{Fault, GuestWord, Memory};

use super::strings::{check_terminated, collate, compare, filling};
use super::{bytes_of, is_lead, join, page, pairs, read, split};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::code_page::CodePage;
use crate::msvcrt::errno::{EINVAL, ERANGE};
use crate::msvcrt::state::{set_errno, write_narrow_z};
use crate::msvcrt::twins::{STRUNCATE, read_n};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _mbsncmp; full _mbsncmp_l; full _mbsnbcmp; full _mbsnbcmp_l; full _mbsnicmp; full _mbsnicmp_l; full _mbsnbicmp; full _mbsnbicmp_l;
    full _mbsncoll; full _mbsncoll_l; full _mbsnbcoll; full _mbsnbcoll_l; full _mbsnicoll; full _mbsnicoll_l; full _mbsnbicoll; full _mbsnbicoll_l;
    full _mbsnlen; full _mbsnlen_l; full _mbsnbcnt; full _mbsnbcnt_l; full _mbsnccnt; full _mbsnccnt_l;
    full _mbsncpy; full _mbsncpy_l; full _mbsnbcpy; full _mbsnbcpy_l; full _mbsncat; full _mbsncat_l; full _mbsnbcat; full _mbsnbcat_l;
    full _mbsncpy_s; full _mbsncpy_s_l; full _mbsnbcpy_s; full _mbsnbcpy_s_l; full _mbsncat_s; full _mbsncat_s_l; full _mbsnbcat_s; full _mbsnbcat_s_l;
    full _mbsnset; full _mbsnset_l; full _mbsnbset; full _mbsnbset_l; full _mbsnset_s; full _mbsnset_s_l; full _mbsnbset_s; full _mbsnbset_s_l;
};

/// What a limit counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Characters,
    Bytes,
}

/// Reads a text up to a limit.
fn read_to(
    guest: &Guest,
    page: &CodePage,
    address: GuestWord,
    count: u64,
    by: By,
) -> Result<Vec<u16>, Fault> {
    match by {
        By::Bytes => Ok(split(page, &read_n(guest, address.0, count)?)),
        By::Characters => {
            let text = read_n(guest, address.0, count.saturating_mul(2))?;
            let mut characters = split(page, &text);
            characters.truncate(count as usize);
            Ok(characters)
        }
    }
}

/// Defines comparisons: the limit, and whether case counts.
macro_rules! comparisons {
    ($($name:ident, $with_locale:ident, $text:literal, $by:expr, $ignore_case:literal, $by_alphabet:literal;)*) => { pairs! {$(
        $text, "strncmp-wcsncmp-mbsncmp-mbsncmp-l";
        $name, $with_locale(guest, string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32 {
            let page = page(guest);
            let left = read_to(guest, &page, string1, count.0, $by)?;
            let right = read_to(guest, &page, string2, count.0, $by)?;
            Ok(match $by_alphabet {
                true => collate(&page, &join(&left), &join(&right), $ignore_case),
                false => compare(&page, &left, &right, $ignore_case),
            })
        }
    )*} };
}
comparisons! {
    _mbsncmp, _mbsncmp_l, "Compares at most so many characters.", By::Characters, false, false;
    _mbsnbcmp, _mbsnbcmp_l, "Compares at most so many bytes.", By::Bytes, false, false;
    _mbsnicmp, _mbsnicmp_l, "Compares at most so many characters without regard to case.", By::Characters, true, false;
    _mbsnbicmp, _mbsnbicmp_l, "Compares at most so many bytes without regard to case.", By::Bytes, true, false;
    _mbsncoll, _mbsncoll_l, "Compares at most so many characters by the alphabet.", By::Characters, false, true;
    _mbsnbcoll, _mbsnbcoll_l, "Compares at most so many bytes by the alphabet.", By::Bytes, false, true;
    _mbsnicoll, _mbsnicoll_l, "Compares at most so many characters by the alphabet without regard to case.", By::Characters, true, true;
    _mbsnbicoll, _mbsnbicoll_l, "Compares at most so many bytes by the alphabet without regard to case.", By::Bytes, true, true;
}

/// Removes a first byte that has lost its second one.
fn whole(page: &CodePage, mut text: Vec<u16>) -> Vec<u16> {
    if text.last().is_some_and(|&last| last < 0x100 && is_lead(page, last as u8)) {
        text.pop();
    }
    text
}

/// Copies up to a limit, and pads with zeros: no terminator is added when the limit is reached.
fn copy(guest: &Guest, to: GuestWord, from: GuestWord, count: u64, by: By) -> Result<(), Fault> {
    let page = page(guest);
    let text = whole(&page, read_to(guest, &page, from, count, by)?);
    let (mut bytes, used) = (join(&text), text.len());
    let missing = match by {
        By::Bytes => count - bytes.len() as u64,
        By::Characters => count - used as u64,
    };
    bytes.resize(bytes.len() + missing as usize, 0);
    guest.write_bytes(to.0, &bytes)
}

/// Appends up to a limit, and a terminator.
fn append(guest: &Guest, to: GuestWord, from: GuestWord, count: u64, by: By) -> Result<(), Fault> {
    let page = page(guest);
    let end = to.0 + guest.read_c_string(to.0)?.len() as u64;
    let text = whole(&page, read_to(guest, &page, from, count, by)?);
    write_narrow_z(guest, end, &join(&text))
}

/// Fills at most so many characters or bytes of a string with a character.
fn fill(guest: &Guest, str: GuestWord, character: u16, count: u64, by: By) -> Result<(), Fault> {
    let length = guest.read_c_string(str.0)?.len();
    let unit = match by {
        By::Bytes => 1,
        By::Characters => bytes_of(character).len() as u64,
    };
    let bytes = count.saturating_mul(unit).min(length as u64);
    guest.write_bytes(str.0, &filling(character, bytes as usize))
}

/// Puts text behind what a buffer holds already; too much empties the buffer, unless the limit is `_TRUNCATE`.
fn put_safe(
    guest: &mut Guest,
    [to, size, from, count]: [GuestWord; 4],
    by: By,
    is_append: bool,
) -> Result<i32, Fault> {
    if to.is_null() || size.0 == 0 || (from.is_null() && count.0 != 0) {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    let page = page(guest);
    let truncates = count.0 as u32 == u32::MAX;
    let held = if is_append { read_n(guest, to.0, size.0)?.len() as u64 } else { 0 };
    if held == size.0 {
        guest.write(to.0, &0u8)?;
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    let text = match (truncates, count.0) {
        (_, 0) => Vec::new(),
        (true, _) => read(guest, &page, from)?,
        (false, count) => whole(&page, read_to(guest, &page, from, count, by)?),
    };
    let (room, bytes) = ((size.0 - held - 1) as usize, join(&text));
    if bytes.len() <= room {
        return write_narrow_z(guest, to.0 + held, &bytes).map(|()| 0);
    }
    if truncates {
        let kept = whole(&page, split(&page, &bytes[..room]));
        return write_narrow_z(guest, to.0 + held, &join(&kept)).map(|()| STRUNCATE);
    }
    guest.write(to.0, &0u8)?;
    set_errno(guest, ERANGE).map(|()| ERANGE)
}

/// Defines functions that exist for characters and for bytes.
macro_rules! both {
    ($($text:literal, $page:literal; [$name:ident, $with_locale:ident], [$bytes:ident, $bytes_with_locale:ident]($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty, $by:ident => $body:expr;)*) => { pairs! {$(
        $text, $page;
        $name, $with_locale($guest $(, $param: $type)*) -> $result {
            let $by = By::Characters;
            $body
        }
        $text, $page;
        $bytes, $bytes_with_locale($guest $(, $param: $type)*) -> $result {
            let $by = By::Bytes;
            $body
        }
    )*} };
}
both! {
    "Copies at most so many characters or bytes.", "strncpy-strncpy-l-wcsncpy-wcsncpy-l-mbsncpy-mbsncpy-l";
    [_mbsncpy, _mbsncpy_l], [_mbsnbcpy, _mbsnbcpy_l](guest, strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord,
        by => copy(guest, strDest, strSource, count.0, by).map(|()| strDest);
    "Appends at most so many characters or bytes.", "strncat-strncat-l-wcsncat-wcsncat-l-mbsncat-mbsncat-l";
    [_mbsncat, _mbsncat_l], [_mbsnbcat, _mbsnbcat_l](guest, strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord,
        by => append(guest, strDest, strSource, count.0, by).map(|()| strDest);
    "Copies at most so many characters or bytes into a buffer of known size.", "strncpy-s-strncpy-s-l-wcsncpy-s-wcsncpy-s-l-mbsncpy-s-mbsncpy-s-l";
    [_mbsncpy_s, _mbsncpy_s_l], [_mbsnbcpy_s, _mbsnbcpy_s_l](guest, strDest: GuestWord, numberOfElements: GuestWord, strSource: GuestWord, count: GuestWord) -> i32,
        by => put_safe(guest, [strDest, numberOfElements, strSource, count], by, false);
    "Appends at most so many characters or bytes in a buffer of known size.", "strncat-s-strncat-s-l-wcsncat-s-wcsncat-s-l-mbsncat-s-mbsncat-s-l";
    [_mbsncat_s, _mbsncat_s_l], [_mbsnbcat_s, _mbsnbcat_s_l](guest, strDest: GuestWord, numberOfElements: GuestWord, strSource: GuestWord, count: GuestWord) -> i32,
        by => put_safe(guest, [strDest, numberOfElements, strSource, count], by, true);
    "Fills at most so many characters or bytes of a string.", "strnset-strnset-l-wcsnset-wcsnset-l-mbsnset-mbsnset-l";
    [_mbsnset, _mbsnset_l], [_mbsnbset, _mbsnbset_l](guest, str: GuestWord, c: u32, count: GuestWord) -> GuestWord,
        by => fill(guest, str, c as u16, count.0, by).map(|()| str);
    "Fills at most so many characters or bytes of a string in a buffer; returns 0 or EINVAL.", "strnset-s-strnset-s-l-wcsnset-s-wcsnset-s-l-mbsnset-s-mbsnset-s-l";
    [_mbsnset_s, _mbsnset_s_l], [_mbsnbset_s, _mbsnbset_s_l](guest, str: GuestWord, size: GuestWord, c: u32, count: GuestWord) -> i32,
        by => match check_terminated(guest, str, size.0)? {
            0 => fill(guest, str, c as u16, count.0, by).map(|()| 0),
            code => Ok(code),
        };
}

pairs! {
    "Returns the characters of a string, at most so many bytes.", "strnlen-strnlen-s";
    _mbsnlen, _mbsnlen_l(guest, str: GuestWord, count: GuestWord) -> GuestWord {
        let page = page(guest);
        Ok(GuestWord(read_to(guest, &page, str, count.0, By::Bytes)?.len() as u64))
    }
    "Returns the bytes of the first so many characters.", "mbsnbcnt-mbsnbcnt-l-mbsnccnt-mbsnccnt-l-strncnt-wcsncnt";
    _mbsnbcnt, _mbsnbcnt_l(guest, str: GuestWord, count: GuestWord) -> GuestWord {
        let page = page(guest);
        Ok(GuestWord(join(&read_to(guest, &page, str, count.0, By::Characters)?).len() as u64))
    }
    "Returns the characters of the first so many bytes.", "mbsnbcnt-mbsnbcnt-l-mbsnccnt-mbsnccnt-l-strncnt-wcsncnt";
    _mbsnccnt, _mbsnccnt_l(guest, str: GuestWord, count: GuestWord) -> GuestWord {
        let page = page(guest);
        Ok(GuestWord(whole(&page, read_to(guest, &page, str, count.0, By::Bytes)?).len() as u64))
    }
}
