//! string.h: narrow strings and memory.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::errno::{EINVAL, ERANGE};
use super::leaves;
use super::locale;
use super::state::{block, crt, place_narrow, thread_block, write_narrow_z};

use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, to_fault};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code memcpy: leaves::MEMMOVE;
    code memmove: leaves::MEMMOVE;
    code memset: leaves::MEMSET;
    code memcmp: leaves::MEMCMP;
    code strlen: leaves::STRLEN;
    code strcmp: leaves::STRCMP;
    code strchr: leaves::STRCHR;
    full memchr;
    full _memccpy;
    full _memicmp;
    full memcpy_s;
    full memmove_s;
    full strcpy;
    full strcat;
    full strncpy;
    full strncat;
    full strcpy_s;
    full strcat_s;
    full strncpy_s;
    full strncat_s;
    full strncmp;
    full strnlen;
    full _stricmp;
    full "_strcmpi" = _stricmp;
    full "stricmp" = _stricmp;
    full "strcasecmp" = _stricmp;
    full _strnicmp;
    full "strnicmp" = _strnicmp;
    full "strncasecmp" = _strnicmp;
    full strcoll;
    full _stricoll;
    full _strncoll;
    full _strnicoll;
    partial strxfrm, "copies: the order is that of the C locale";
    full strstr;
    full strrchr;
    full strspn;
    full strcspn;
    full strpbrk;
    full strtok;
    full strtok_s;
    full _strdup;
    full "strdup" = _strdup;
    full _strlwr;
    full _strupr;
    full _strrev;
    full _strset;
    full _strnset;
};

/// `STRUNCATE`: a string was cut, as `_TRUNCATE` allowed.
pub(crate) const STRUNCATE: i32 = 80;

fn order<T: Ord>(left: &T, right: &T) -> i32 {
    left.cmp(right) as i32
}

/// Finds a byte in memory; null when there is none.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/memchr-wmemchr>
#[winapi(cdecl)]
pub fn memchr(guest: &mut Guest, buffer: GuestWord, c: i32, count: GuestWord) -> Result<GuestWord, Fault> {
    let bytes = guest.read_vec(buffer.0, count.0)?;
    let found = bytes.iter().position(|&byte| byte == c as u8);
    Ok(GuestWord(found.map_or(0, |at| buffer.0 + at as u64)))
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

/// Compares at most `count` bytes of strings.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strncmp-wcsncmp-mbsncmp-mbsncmp-l>
#[winapi(cdecl)]
pub fn strncmp(
    guest: &mut Guest,
    string1: GuestWord,
    string2: GuestWord,
    count: GuestWord,
) -> Result<i32, Fault> {
    Ok(order(&read_n(guest, string1.0, count.0)?, &read_n(guest, string2.0, count.0)?))
}

/// Defines functions of strings: text, page of the reference, name, parameters, result, body.
macro_rules! functions {
    ($($doc:literal, $page:literal; $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", $page, ">")]
        #[winapi(cdecl)]
        pub fn $name($guest: &mut Guest $(, $param: $type)*) -> Result<$result, Fault> $body
    )*};
}

/// Copies guest memory of any size; the ranges may overlap.
pub(crate) fn copy(guest: &Guest, to: u64, from: u64, length: u64) -> Result<(), Fault> {
    let bytes = guest.read_vec(from, length)?;
    guest.write_bytes(to, &bytes)
}

/// Fills memory with zeros.
pub(crate) fn fill(guest: &Guest, address: u64, length: u64) -> Result<(), Fault> {
    let mut at = 0;
    while at < length {
        let piece = (length - at).min(4096);
        guest.write_bytes(address.wrapping_add(at), &vec![0; piece as usize])?;
        at += piece;
    }
    Ok(())
}

fn lower(text: &[u8]) -> Vec<u8> {
    text.to_ascii_lowercase()
}

/// Gives a string's letters their other case in the locale.
fn change_case(guest: &Guest, str: GuestWord, map: fn(u16) -> u16) -> Result<GuestWord, Fault> {
    let text = crt(guest).locale.map_case(&guest.read_c_string(str.0)?, map);
    guest.write_bytes(str.0, &text).map(|()| str)
}

/// Compares by the locale: by bytes in "C", by the user's alphabet otherwise.
fn collate(guest: &Guest, left: &[u8], right: &[u8], ignore_case: bool) -> i32 {
    let locale = &crt(guest).locale;
    let by_locale = locale.compare(&locale.widen(left), &locale.widen(right), ignore_case);
    by_locale.unwrap_or_else(|| {
        if ignore_case { order(&lower(left), &lower(right)) } else { order(&left, &right) }
    })
}

/// Returns the address of what was found at an index, or null.
fn at(start: u64, index: Option<usize>) -> GuestWord {
    GuestWord(index.map_or(0, |index| start + index as u64))
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
fn next_token(guest: &mut Guest, text: u64, delimiters: u64, slot: u64) -> Result<GuestWord, Fault> {
    let start = if text != 0 { text } else { guest.read_word(slot)? };
    if start == 0 {
        return Ok(GuestWord::NULL);
    }
    let (bytes, delimiters) = (guest.read_c_string(start)?, guest.read_c_string(delimiters)?);
    let Some((first, end)) = token(&bytes, &delimiters) else {
        guest.write_word(slot, start + bytes.len() as u64)?;
        return Ok(GuestWord::NULL);
    };
    let is_last = end == bytes.len();
    if !is_last {
        guest.write(start + end as u64, &0u8)?;
    }
    guest.write_word(slot, start + end as u64 + u64::from(!is_last))?;
    Ok(GuestWord(start + first as u64))
}

/// Puts `text` at `dest`, or an empty string when it does not fit.
fn store_checked(guest: &Guest, dest: u64, size: u64, text: &[u8]) -> Result<i32, Fault> {
    let code = if dest == 0 { EINVAL } else { check_room(size, text.len() as u64) };
    if code == 0 {
        write_narrow_z(guest, dest, text)?;
    } else if dest != 0 && size > 0 {
        guest.write(dest, &0u8)?;
    }
    Ok(code)
}

/// Changes each byte of a string.
fn map(guest: &Guest, str: GuestWord, max: u64, change: impl Fn(u8) -> u8) -> Result<GuestWord, Fault> {
    let bytes: Vec<u8> = read_n(guest, str.0, max)?.into_iter().map(change).collect();
    guest.write_bytes(str.0, &bytes)?;
    Ok(str)
}

functions! {
    "Copies bytes up to and with `c`; returns the address after it, or null when there was none.", "memccpy";
    _memccpy(guest, dest: GuestWord, src: GuestWord, c: i32, count: GuestWord) -> GuestWord {
        for index in 0..count.0 {
            let byte: u8 = guest.read(src.0 + index)?;
            guest.write(dest.0 + index, &byte)?;
            if byte == c as u8 {
                return Ok(GuestWord(dest.0 + index + 1));
            }
        }
        Ok(GuestWord::NULL)
    }
    "Compares memory without regard to the case of ASCII letters.", "memicmp-memicmp-l";
    _memicmp(guest, buffer1: GuestWord, buffer2: GuestWord, count: GuestWord) -> i32 {
        Ok(order(&lower(&guest.read_vec(buffer1.0, count.0)?), &lower(&guest.read_vec(buffer2.0, count.0)?)))
    }
    "Copies memory into a buffer of known size.", "memcpy-s-wmemcpy-s";
    memcpy_s(guest, dest: GuestWord, destSize: GuestWord, src: GuestWord, count: GuestWord) -> i32 {
        if count.0 == 0 {
            return Ok(0);
        }
        if dest.is_null() {
            return Ok(EINVAL);
        }
        if src.is_null() || destSize.0 < count.0 {
            guest.write_bytes(dest.0, &vec![0; destSize.0.min(1 << 30) as usize])?;
            return Ok(if src.is_null() { EINVAL } else { ERANGE });
        }
        copy(guest, dest.0, src.0, count.0).map(|()| 0)
    }
    "Copies memory into a buffer of known size; the ranges may overlap.", "memmove-s-wmemmove-s";
    memmove_s(guest, dest: GuestWord, numberOfElements: GuestWord, src: GuestWord, count: GuestWord) -> i32 {
        if count.0 == 0 {
            return Ok(0);
        }
        if dest.is_null() || src.is_null() {
            return Ok(EINVAL);
        }
        if numberOfElements.0 < count.0 {
            return Ok(ERANGE);
        }
        copy(guest, dest.0, src.0, count.0).map(|()| 0)
    }
    "Copies a string.", "strcpy-wcscpy-mbscpy";
    strcpy(guest, strDestination: GuestWord, strSource: GuestWord) -> GuestWord {
        let text = guest.read_c_string(strSource.0)?;
        write_narrow_z(guest, strDestination.0, &text)?;
        Ok(strDestination)
    }
    "Appends a string.", "strcat-wcscat-mbscat";
    strcat(guest, strDestination: GuestWord, strSource: GuestWord) -> GuestWord {
        let text = guest.read_c_string(strSource.0)?;
        let end = strDestination.0 + guest.read_c_string(strDestination.0)?.len() as u64;
        write_narrow_z(guest, end, &text)?;
        Ok(strDestination)
    }
    "Copies at most `count` bytes of a string, and fills up with zeros.", "strncpy-strncpy-l-wcsncpy-wcsncpy-l-mbsncpy-mbsncpy-l";
    strncpy(guest, strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord {
        let text = read_n(guest, strSource.0, count.0)?;
        guest.write_bytes(strDest.0, &text)?;
        let rest = count.0 - text.len() as u64;
        plat_host::memory::fill(strDest.0 + text.len() as u64, 0, rest).map_err(to_fault)?;
        Ok(strDest)
    }
    "Appends at most `count` bytes of a string and a terminator.", "strncat-strncat-l-wcsncat-wcsncat-l-mbsncat-mbsncat-l";
    strncat(guest, strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord {
        let text = read_n(guest, strSource.0, count.0)?;
        let end = strDest.0 + guest.read_c_string(strDest.0)?.len() as u64;
        write_narrow_z(guest, end, &text)?;
        Ok(strDest)
    }
    "Copies a string into a buffer of known size.", "strcpy-s-wcscpy-s-mbscpy-s";
    strcpy_s(guest, dest: GuestWord, dest_size: GuestWord, src: GuestWord) -> i32 {
        let text = guest.read_c_string(src.0)?;
        store_checked(guest, dest.0, dest_size.0, &text)
    }
    "Appends a string in a buffer of known size.", "strcat-s-wcscat-s-mbscat-s";
    strcat_s(guest, strDestination: GuestWord, numberOfElements: GuestWord, strSource: GuestWord) -> i32 {
        let mut text = guest.read_c_string(strDestination.0)?;
        text.extend(guest.read_c_string(strSource.0)?);
        store_checked(guest, strDestination.0, numberOfElements.0, &text)
    }
    "Copies at most `count` bytes of a string into a buffer of known size.", "strncpy-s-strncpy-s-l-wcsncpy-s-wcsncpy-s-l-mbsncpy-s-mbsncpy-s-l";
    strncpy_s(guest, strDest: GuestWord, numberOfElements: GuestWord, strSource: GuestWord, count: GuestWord) -> i32 {
        let truncates = count.0 as u32 == u32::MAX;
        let max = if truncates { numberOfElements.0 } else { count.0 };
        let mut text = read_n(guest, strSource.0, max)?;
        let is_cut = truncates && text.len() as u64 >= numberOfElements.0 && text.pop().is_some();
        let code = store_checked(guest, strDest.0, numberOfElements.0, &text)?;
        Ok(if is_cut && code == 0 { STRUNCATE } else { code })
    }
    "Appends at most `count` bytes of a string in a buffer of known size.", "strncat-s-strncat-s-l-wcsncat-s-wcsncat-s-l-mbsncat-s-mbsncat-s-l";
    strncat_s(guest, strDest: GuestWord, numberOfElements: GuestWord, strSource: GuestWord, count: GuestWord) -> i32 {
        let mut text = guest.read_c_string(strDest.0)?;
        let room = numberOfElements.0.saturating_sub(text.len() as u64 + 1);
        let truncates = count.0 as u32 == u32::MAX;
        text.extend(read_n(guest, strSource.0, if truncates { room + 1 } else { count.0 })?);
        let is_cut = truncates && text.len() as u64 >= numberOfElements.0 && text.pop().is_some();
        let code = store_checked(guest, strDest.0, numberOfElements.0, &text)?;
        Ok(if is_cut && code == 0 { STRUNCATE } else { code })
    }
    "Returns the length of a string, at most `numberOfElements`.", "strnlen-strnlen-s";
    strnlen(guest, str: GuestWord, numberOfElements: GuestWord) -> GuestWord {
        Ok(GuestWord(read_n(guest, str.0, numberOfElements.0)?.len() as u64))
    }
    "Compares strings without regard to the case of ASCII letters.", "stricmp-wcsicmp-mbsicmp-stricmp-l-wcsicmp-l-mbsicmp-l";
    _stricmp(guest, string1: GuestWord, string2: GuestWord) -> i32 {
        Ok(order(&lower(&guest.read_c_string(string1.0)?), &lower(&guest.read_c_string(string2.0)?)))
    }
    "Compares at most `count` bytes of strings without regard to the case of ASCII letters.", "strnicmp-wcsnicmp-mbsnicmp-strnicmp-l-wcsnicmp-l-mbsnicmp-l";
    _strnicmp(guest, string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32 {
        Ok(order(&lower(&read_n(guest, string1.0, count.0)?), &lower(&read_n(guest, string2.0, count.0)?)))
    }
    "Compares strings by the locale.", "strcoll-functions";
    strcoll(guest, string1: GuestWord, string2: GuestWord) -> i32 {
        let (left, right) = (guest.read_c_string(string1.0)?, guest.read_c_string(string2.0)?);
        Ok(collate(guest, &left, &right, false))
    }
    "Compares strings by the locale without regard to case.", "strcoll-functions";
    _stricoll(guest, string1: GuestWord, string2: GuestWord) -> i32 {
        let (left, right) = (guest.read_c_string(string1.0)?, guest.read_c_string(string2.0)?);
        Ok(collate(guest, &left, &right, true))
    }
    "Compares at most `count` bytes of strings by the locale.", "strncoll-wcsncoll-mbsncoll-strncoll-l-wcsncoll-l-mbsncoll-l";
    _strncoll(guest, string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32 {
        let (left, right) = (read_n(guest, string1.0, count.0)?, read_n(guest, string2.0, count.0)?);
        Ok(collate(guest, &left, &right, false))
    }
    "Compares at most `count` bytes of strings by the locale without regard to case.", "strnicoll-wcsnicoll-mbsnicoll-strnicoll-l-wcsnicoll-l-mbsnicoll-l";
    _strnicoll(guest, string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32 {
        let (left, right) = (read_n(guest, string1.0, count.0)?, read_n(guest, string2.0, count.0)?);
        Ok(collate(guest, &left, &right, true))
    }
    "Transforms a string so that comparing bytes compares as the locale does; in \"C\" copies it. Returns its length.", "strxfrm-wcsxfrm-strxfrm-l-wcsxfrm-l";
    strxfrm(guest, strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord {
        let text = guest.read_c_string(strSource.0)?;
        let locale = &crt(guest).locale;
        let text = locale.sort_key(&locale.widen(&text)).unwrap_or(text);
        if (text.len() as u64) < count.0 {
            write_narrow_z(guest, strDest.0, &text)?;
        }
        Ok(GuestWord(text.len() as u64))
    }
    "Finds a string in a string; null when it is not there.", "strstr-wcsstr-mbsstr-mbsstr-l";
    strstr(guest, str: GuestWord, strSearch: GuestWord) -> GuestWord {
        Ok(at(str.0, find(&guest.read_c_string(str.0)?, &guest.read_c_string(strSearch.0)?)))
    }
    "Finds the last such byte in a string, the terminator included; null when there is none.", "strrchr-wcsrchr-mbsrchr-mbsrchr-l";
    strrchr(guest, str: GuestWord, c: i32) -> GuestWord {
        let mut text = guest.read_c_string(str.0)?;
        text.push(0);
        Ok(at(str.0, text.iter().rposition(|&byte| byte == c as u8)))
    }
    "Returns how many bytes at the beginning are in `strCharSet`.", "strspn-wcsspn-mbsspn-mbsspn-l";
    strspn(guest, str: GuestWord, strCharSet: GuestWord) -> GuestWord {
        let (text, set) = (guest.read_c_string(str.0)?, guest.read_c_string(strCharSet.0)?);
        Ok(GuestWord(text.iter().take_while(|byte| set.contains(byte)).count() as u64))
    }
    "Returns how many bytes at the beginning are not in `strCharSet`.", "strcspn-wcscspn-mbscspn-mbscspn-l";
    strcspn(guest, str: GuestWord, strCharSet: GuestWord) -> GuestWord {
        let (text, set) = (guest.read_c_string(str.0)?, guest.read_c_string(strCharSet.0)?);
        Ok(GuestWord(text.iter().take_while(|byte| !set.contains(byte)).count() as u64))
    }
    "Finds the first byte that is in `strCharSet`; null when there is none.", "strpbrk-wcspbrk-mbspbrk-mbspbrk-l";
    strpbrk(guest, str: GuestWord, strCharSet: GuestWord) -> GuestWord {
        let (text, set) = (guest.read_c_string(str.0)?, guest.read_c_string(strCharSet.0)?);
        Ok(at(str.0, text.iter().position(|byte| set.contains(byte))))
    }
    "Cuts the next token off a string; null continues where the thread's last call stopped.", "strtok-strtok-l-wcstok-wcstok-l-mbstok-mbstok-l";
    strtok(guest, strToken: GuestWord, strDelimit: GuestWord) -> GuestWord {
        let slot = thread_block(guest)? + block::TOKEN;
        next_token(guest, strToken.0, strDelimit.0, slot)
    }
    "Cuts the next token off a string; null continues where `*context` says.", "strtok-s-strtok-s-l-wcstok-s-wcstok-s-l-mbstok-s-mbstok-s-l";
    strtok_s(guest, str: GuestWord, delimiters: GuestWord, context: GuestWord) -> GuestWord {
        next_token(guest, str.0, delimiters.0, context.0)
    }
    "Copies a string into new memory; null for null.", "strdup-wcsdup-mbsdup";
    _strdup(guest, strSource: GuestWord) -> GuestWord {
        if strSource.is_null() {
            return Ok(GuestWord::NULL);
        }
        let text = guest.read_c_string(strSource.0)?;
        place_narrow(guest, &text).map(GuestWord)
    }
    "Turns a string's letters to lower case.", "strlwr-wcslwr-mbslwr-strlwr-l-wcslwr-l-mbslwr-l";
    _strlwr(guest, str: GuestWord) -> GuestWord {
        change_case(guest, str, locale::LOWER)
    }
    "Turns a string's letters to upper case.", "strupr-strupr-l-mbsupr-mbsupr-l-wcsupr-l-wcsupr";
    _strupr(guest, str: GuestWord) -> GuestWord {
        change_case(guest, str, locale::UPPER)
    }
    "Turns a string round.", "strrev-wcsrev-mbsrev-mbsrev-l";
    _strrev(guest, str: GuestWord) -> GuestWord {
        let mut text = guest.read_c_string(str.0)?;
        text.reverse();
        guest.write_bytes(str.0, &text)?;
        Ok(str)
    }
    "Sets all bytes of a string.", "strset-strset-l-wcsset-wcsset-l-mbsset-mbsset-l";
    _strset(guest, str: GuestWord, c: i32) -> GuestWord {
        map(guest, str, u64::MAX, |_| c as u8)
    }
    "Sets at most `count` bytes of a string.", "strnset-strnset-l-wcsnset-wcsnset-l-mbsnset-mbsnset-l";
    _strnset(guest, str: GuestWord, c: i32, count: GuestWord) -> GuestWord {
        map(guest, str, count.0, |_| c as u8)
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
