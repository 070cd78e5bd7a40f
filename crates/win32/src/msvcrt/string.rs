//! string.h: narrow strings and memory.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::{EINVAL, ERANGE};
use super::locale;
use super::state::{block, crt, thread_block, write_narrow_z};
use super::twins::{at, next_token, order, read_n};
use super::{leaves, search_leaves};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code memcpy: leaves::MEMMOVE;
    code memmove: leaves::MEMMOVE;
    code memset: leaves::MEMSET;
    code memcmp: leaves::MEMCMP;
    code strlen: leaves::STRLEN;
    code strcmp: leaves::STRCMP;
    code strchr: leaves::STRCHR;
    code strncmp: search_leaves::STRNCMP;
    code memchr: search_leaves::MEMCHR;
    full _memccpy;
    full _memicmp;
    full memcpy_s;
    full memmove_s;
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
    full strrchr;
    full strtok;
    full _strlwr;
    full _strupr;
    full _strset;
    full _strnset;
};

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

/// Changes each byte of a string.
fn map(guest: &Guest, str: GuestWord, max: u64, change: impl Fn(u8) -> u8) -> Result<GuestWord, Fault> {
    let bytes: Vec<u8> = read_n(guest, str.0, max)?.into_iter().map(change).collect();
    guest.write_bytes(str.0, &bytes)?;
    Ok(str)
}

define! {
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
    "Finds the last such byte in a string, the terminator included; null when there is none.", "strrchr-wcsrchr-mbsrchr-mbsrchr-l";
    strrchr(guest, str: GuestWord, c: i32) -> GuestWord {
        let mut text = guest.read_c_string(str.0)?;
        text.push(0);
        Ok(at::<u8>(str.0, text.iter().rposition(|&byte| byte == c as u8)))
    }
    "Cuts the next token off a string; null continues where the thread's last call stopped.", "strtok-strtok-l-wcstok-wcstok-l-mbstok-mbstok-l";
    strtok(guest, strToken: GuestWord, strDelimit: GuestWord) -> GuestWord {
        let slot = thread_block(guest)? + block::TOKEN;
        next_token::<u8>(guest, strToken.0, strDelimit.0, slot)
    }
    "Turns a string's letters to lower case.", "strlwr-wcslwr-mbslwr-strlwr-l-wcslwr-l-mbslwr-l";
    _strlwr(guest, str: GuestWord) -> GuestWord {
        change_case(guest, str, locale::LOWER)
    }
    "Turns a string's letters to upper case.", "strupr-strupr-l-mbsupr-mbsupr-l-wcsupr-l-wcsupr";
    _strupr(guest, str: GuestWord) -> GuestWord {
        change_case(guest, str, locale::UPPER)
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
