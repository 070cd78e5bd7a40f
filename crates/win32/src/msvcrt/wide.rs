//! wchar.h: wide strings, and conversions between them and narrow ones.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::EILSEQ;
use super::state::{block, crt, set_errno, thread_block, write_wide_z};
use super::twins::{at, check_room, next_token, order, read_n, read_wide_n, store_checked};
use super::{leaves, search_leaves};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::case::{downcase_string, upcase_string};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code wcslen: leaves::WCSLEN;
    code wcscmp: leaves::WCSCMP;
    code wcsncmp: search_leaves::WCSNCMP;


    full _wcsicmp; full "wcsicmp" = _wcsicmp; full _wcsnicmp; full wcscoll; full _wcsicoll;
    partial wcsxfrm, "copies: the order is that of the C locale";
    full wcschr; full wcsrchr;
    full _wcslwr; full _wcsupr; full _wcsset;
    full mbstowcs; full wcstombs; full mbstowcs_s; full wcstombs_s; full mbtowc; full wctomb; full mblen; full mbrtowc; full wcrtomb; full mbrlen;
    full mbsrtowcs; full wcsrtombs;
    full btowc; full wctob;
};

/// What the Universal CRT has with a third parameter.
pub const OLD_EXPORTS: &[Export] = dll! {
    full wcstok;
};

/// Converts a narrow string into a buffer of `count` units (or only measures); -1 for what is no text of the locale.
fn to_wide(guest: &mut Guest, to: u64, from: u64, count: u64) -> Result<u64, Fault> {
    let Some(units) = crt(guest).locale.widen_all(&guest.read_c_string(from)?) else {
        return set_errno(guest, EILSEQ).map(|()| u64::MAX);
    };
    if to == 0 {
        return Ok(units.len() as u64);
    }
    if (units.len() as u64) < count {
        write_wide_z(guest, to, &units)?;
        return Ok(units.len() as u64);
    }
    guest.write_wide(to, &units[..count as usize])?;
    Ok(count)
}

/// Converts a wide string to bytes; `None` at a character that the locale lacks.
fn to_narrow(guest: &Guest, text: &[u16]) -> Option<Vec<u8>> {
    crt(guest).locale.narrow_all(text)
}

/// Returns how many bytes of the locale became so many units.
fn consumed(guest: &Guest, units: u64, length: u64) -> Result<u64, Fault> {
    Ok(crt(guest).locale.narrow(&guest.read_wide(units, length)?).len() as u64)
}

/// Reads the first character of a text, of at most `count` bytes; empty when it is none, or not all there.
fn read_character(guest: &Guest, address: u64, count: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < count.min(4) {
        bytes.push(guest.read(address + bytes.len() as u64)?);
        if crt(guest).locale.first_length(&bytes).is_some() {
            return Ok(bytes);
        }
    }
    Ok(Vec::new())
}

define! {
    "Compares wide strings without regard to case.", "stricmp-wcsicmp-mbsicmp-stricmp-l-wcsicmp-l-mbsicmp-l";
    _wcsicmp(guest, string1: GuestWord, string2: GuestWord) -> i32 {
        let (left, right) = (guest.read_wide_string(string1.0)?, guest.read_wide_string(string2.0)?);
        Ok(order(&downcase_string(&left), &downcase_string(&right)))
    }
    "Compares at most `count` units of wide strings without regard to case.", "strnicmp-wcsnicmp-mbsnicmp-strnicmp-l-wcsnicmp-l-mbsnicmp-l";
    _wcsnicmp(guest, string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32 {
        let (left, right) = (read_wide_n(guest, string1.0, count.0)?, read_wide_n(guest, string2.0, count.0)?);
        Ok(order(&downcase_string(&left), &downcase_string(&right)))
    }
    "Compares wide strings by the locale.", "strcoll-functions";
    wcscoll(guest, string1: GuestWord, string2: GuestWord) -> i32 {
        let (left, right) = (guest.read_wide_string(string1.0)?, guest.read_wide_string(string2.0)?);
        let by_locale = crt(guest).locale.compare(&left, &right, false);
        Ok(by_locale.unwrap_or_else(|| order(&left, &right)))
    }
    "Compares wide strings by the locale without regard to case.", "strcoll-functions";
    _wcsicoll(guest, string1: GuestWord, string2: GuestWord) -> i32 {
        let (left, right) = (guest.read_wide_string(string1.0)?, guest.read_wide_string(string2.0)?);
        let by_locale = crt(guest).locale.compare(&left, &right, true);
        Ok(by_locale.unwrap_or_else(|| order(&downcase_string(&left), &downcase_string(&right))))
    }
    "Transforms a wide string so that comparing units compares as the locale does; in \"C\" copies it. Returns its length.", "strxfrm-wcsxfrm-strxfrm-l-wcsxfrm-l";
    wcsxfrm(guest, strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord {
        let text = guest.read_wide_string(strSource.0)?;
        let key = crt(guest).locale.sort_key(&text);
        let text = key.map_or(text, |key| key.into_iter().map(u16::from).collect());
        if (text.len() as u64) < count.0 {
            write_wide_z(guest, strDest.0, &text)?;
        }
        Ok(GuestWord(text.len() as u64))
    }
    "Finds the first such unit in a wide string, the terminator included; null when there is none.", "strchr-wcschr-mbschr-mbschr-l";
    wcschr(guest, str: GuestWord, c: u16) -> GuestWord {
        let mut text = guest.read_wide_string(str.0)?;
        text.push(0);
        Ok(at::<u16>(str.0, text.iter().position(|&unit| unit == c)))
    }
    "Finds the last such unit in a wide string, the terminator included; null when there is none.", "strrchr-wcsrchr-mbsrchr-mbsrchr-l";
    wcsrchr(guest, str: GuestWord, c: u16) -> GuestWord {
        let mut text = guest.read_wide_string(str.0)?;
        text.push(0);
        Ok(at::<u16>(str.0, text.iter().rposition(|&unit| unit == c)))
    }
    "Cuts the next token off a wide string; null continues where the thread's last call stopped.", "strtok-strtok-l-wcstok-wcstok-l-mbstok-mbstok-l";
    wcstok(guest, strToken: GuestWord, strDelimit: GuestWord) -> GuestWord {
        let slot = thread_block(guest)? + block::WIDE_TOKEN;
        next_token::<u16>(guest, strToken.0, strDelimit.0, slot)
    }
    "Turns a wide string to lower case.", "strlwr-wcslwr-mbslwr-strlwr-l-wcslwr-l-mbslwr-l";
    _wcslwr(guest, str: GuestWord) -> GuestWord {
        let text = downcase_string(&guest.read_wide_string(str.0)?);
        guest.write_wide(str.0, &text)?;
        Ok(str)
    }
    "Turns a wide string to upper case.", "strupr-strupr-l-mbsupr-mbsupr-l-wcsupr-l-wcsupr";
    _wcsupr(guest, str: GuestWord) -> GuestWord {
        let text = upcase_string(&guest.read_wide_string(str.0)?);
        guest.write_wide(str.0, &text)?;
        Ok(str)
    }
    "Sets all units of a wide string.", "strset-strset-l-wcsset-wcsset-l-mbsset-mbsset-l";
    _wcsset(guest, str: GuestWord, c: u16) -> GuestWord {
        let text = vec![c; guest.read_wide_string(str.0)?.len()];
        guest.write_wide(str.0, &text)?;
        Ok(str)
    }
    "Converts a string of the locale to UTF-16; returns how many units, the terminator left out.", "mbstowcs-mbstowcs-l";
    mbstowcs(guest, wcstr: GuestWord, mbstr: GuestWord, count: GuestWord) -> GuestWord {
        to_wide(guest, wcstr.0, mbstr.0, count.0).map(GuestWord)
    }
    "Converts UTF-16 to the locale; returns how many bytes, the terminator left out, or -1.", "wcstombs-wcstombs-l";
    wcstombs(guest, mbstr: GuestWord, wcstr: GuestWord, count: GuestWord) -> GuestWord {
        let text = if mbstr.is_null() { guest.read_wide_string(wcstr.0)? } else { read_wide_n(guest, wcstr.0, count.0)? };
        let Some(mut bytes) = to_narrow(guest, &text) else {
            return set_errno(guest, EILSEQ).map(|()| GuestWord(u64::MAX));
        };
        let length = bytes.len() as u64;
        if !mbstr.is_null() {
            bytes.push(0);
            bytes.truncate(count.0.min(1 << 40) as usize);
            guest.write_bytes(mbstr.0, &bytes)?;
        }
        Ok(GuestWord(length))
    }
    "Converts at most `count` characters to UTF-16 into a buffer of known size.", "mbstowcs-s-mbstowcs-s-l";
    mbstowcs_s(guest, pReturnValue: GuestWord, wcstr: GuestWord, sizeInWords: GuestWord, mbstr: GuestWord, count: GuestWord) -> i32 {
        let max = if count.0 as u32 == u32::MAX { sizeInWords.0.saturating_sub(1) } else { count.0 };
        let bytes = if wcstr.is_null() { guest.read_c_string(mbstr.0)? } else { read_n(guest, mbstr.0, max)? };
        let Some(units) = crt(guest).locale.widen_all(&bytes) else {
            set_errno(guest, EILSEQ)?;
            return Ok(EILSEQ);
        };
        if !pReturnValue.is_null() {
            guest.write_word(pReturnValue.0, units.len() as u64 + 1)?;
        }
        if wcstr.is_null() { Ok(0) } else { store_checked(guest, wcstr.0, sizeInWords.0, &units) }
    }
    "Converts at most `count` bytes' worth of UTF-16 to the locale into a buffer of known size.", "wcstombs-s-wcstombs-s-l";
    wcstombs_s(guest, pReturnValue: GuestWord, mbstr: GuestWord, sizeInBytes: GuestWord, wcstr: GuestWord, count: GuestWord) -> i32 {
        let max = if count.0 as u32 == u32::MAX { sizeInBytes.0.saturating_sub(1) } else { count.0 };
        let text = if mbstr.is_null() { guest.read_wide_string(wcstr.0)? } else { read_wide_n(guest, wcstr.0, max)? };
        let Some(bytes) = to_narrow(guest, &text) else {
            set_errno(guest, EILSEQ)?;
            return Ok(EILSEQ);
        };
        if !pReturnValue.is_null() {
            guest.write_word(pReturnValue.0, bytes.len() as u64 + 1)?;
        }
        if mbstr.is_null() {
            return Ok(0);
        }
        let code = check_room(sizeInBytes.0, bytes.len() as u64);
        if code == 0 {
            super::state::write_narrow_z(guest, mbstr.0, &bytes)?;
        } else if sizeInBytes.0 > 0 {
            guest.write(mbstr.0, &0u8)?;
        }
        Ok(code)
    }
    "Converts one character to UTF-16; returns its bytes: 1, 0 for the terminator, -1 when there is none.", "mbtowc-mbtowc-l";
    mbtowc(guest, wchar: GuestWord, mbchar: GuestWord, count: GuestWord) -> i32 {
        if mbchar.is_null() || count.0 == 0 {
            return Ok(0);
        }
        let bytes = read_character(guest, mbchar.0, count.0)?;
        let units = if bytes.is_empty() { None } else { crt(guest).locale.widen_all(&bytes) };
        // A character of two units has no place in one.
        let Some([unit]) = units.as_deref() else { return set_errno(guest, EILSEQ).map(|()| -1) };
        if !wchar.is_null() {
            guest.write(wchar.0, unit)?;
        }
        Ok(if *unit == 0 { 0 } else { bytes.len() as i32 })
    }
    "Converts one unit to the locale; returns its bytes, or -1.", "wctomb-wctomb-l";
    wctomb(guest, mbchar: GuestWord, wchar: u16) -> i32 {
        if mbchar.is_null() {
            return Ok(0);
        }
        match crt(guest).locale.narrow_all(&[wchar]) {
            Some(bytes) => guest.write_bytes(mbchar.0, &bytes).map(|()| bytes.len() as i32),
            None => set_errno(guest, EILSEQ).map(|()| -1),
        }
    }
    "Returns the length of a character in bytes.", "mblen-mblen-l";
    mblen(guest, mbstr: GuestWord, count: GuestWord) -> i32 {
        mbtowc(guest, GuestWord::NULL, mbstr, count)
    }
    "Converts one character to UTF-16; the state is not needed, since characters are single bytes.", "mbrtowc";
    mbrtowc(guest, wchar: GuestWord, mbchar: GuestWord, count: GuestWord, mbstate: GuestWord) -> i32 {
        let _ = mbstate;
        if count.0 == 0 && !mbchar.is_null() {
            return Ok(-2);
        }
        mbtowc(guest, wchar, mbchar, count)
    }
    "Converts one unit to the locale; the state is not needed, since characters are single bytes.", "wcrtomb";
    wcrtomb(guest, mbchar: GuestWord, wchar: u16, mbstate: GuestWord) -> i32 {
        let _ = mbstate;
        if mbchar.is_null() { Ok(1) } else { wctomb(guest, mbchar, wchar) }
    }
    "Returns the length of a character in bytes.", "mbrlen";
    mbrlen(guest, str: GuestWord, count: GuestWord, mbstate: GuestWord) -> i32 {
        mbrtowc(guest, GuestWord::NULL, str, count, mbstate)
    }
    "Converts a string of the locale to UTF-16; sets `*mbstr` to null when all of it was converted.", "mbsrtowcs";
    mbsrtowcs(guest, wcstr: GuestWord, mbstr: GuestWord, count: GuestWord, mbstate: GuestWord) -> GuestWord {
        let _ = mbstate;
        let from = guest.read_word(mbstr.0)?;
        let length = to_wide(guest, wcstr.0, from, count.0)?;
        if !wcstr.is_null() && length != u64::MAX {
            guest.write_word(mbstr.0, if length < count.0 { 0 } else { from + consumed(guest, wcstr.0, length)? })?;
        }
        Ok(GuestWord(length))
    }
    "Converts UTF-16 to the locale; sets `*wcstr` to null when all of it was converted.", "wcsrtombs";
    wcsrtombs(guest, mbstr: GuestWord, wcstr: GuestWord, count: GuestWord, mbstate: GuestWord) -> GuestWord {
        let _ = mbstate;
        let from = guest.read_word(wcstr.0)?;
        let length = wcstombs(guest, mbstr, GuestWord(from), count)?;
        if !mbstr.is_null() && length.0 != u64::MAX {
            guest.write_word(wcstr.0, if length.0 < count.0 { 0 } else { from + 2 * length.0 })?;
        }
        Ok(length)
    }
    "Converts a byte to UTF-16, or returns `WEOF`.", "btowc";
    btowc(guest, c: i32) -> u16 {
        let byte = u8::try_from(c).ok();
        Ok(byte.and_then(|byte| crt(guest).locale.widen(&[byte]).first().copied()).unwrap_or(0xffff))
    }
    "Converts a unit to a byte, or returns `EOF`.", "wctob";
    wctob(guest, wchar: u16) -> i32 {
        Ok(crt(guest).locale.narrow_unit(wchar).map_or(-1, i32::from))
    }
}
