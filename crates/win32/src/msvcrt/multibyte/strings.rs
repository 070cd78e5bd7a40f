//! Whole strings of characters of one or two bytes: comparing, searching, changing.

use std::cmp::Ordering;

use plat_abi::{Fault, GuestWord, Memory};

use super::{bytes_of, first, is_lead, join, mapped, page, pairs, read, split};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::code_page::CodePage;
use crate::logic::nls::collate;
use crate::msvcrt::errno::{EINVAL, ERANGE};
use crate::msvcrt::locale::{LOWER, UPPER};
use crate::msvcrt::state::{block, crt, set_errno, thread_block};
use crate::msvcrt::twins;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _mbscmp; full _mbscmp_l; full _mbsicmp; full _mbsicmp_l; full _mbscoll; full _mbscoll_l; full _mbsicoll; full _mbsicoll_l;
    full _mbslen; full _mbslen_l; full _mbstrlen; full _mbstrlen_l; full _mbstrnlen; full _mbstrnlen_l;
    full _mbschr; full _mbschr_l; full _mbsrchr; full _mbsrchr_l; full _mbsstr; full _mbsstr_l; full _mbsspn; full _mbsspn_l; full _mbscspn; full _mbscspn_l;
    full _mbspbrk; full _mbspbrk_l; full _mbsspnp; full _mbsspnp_l; full _mbstok; full _mbstok_l; full _mbstok_s; full _mbstok_s_l;
    full _mbslwr; full _mbslwr_l; full _mbsupr; full _mbsupr_l; full _mbslwr_s; full _mbslwr_s_l; full _mbsupr_s; full _mbsupr_s_l;
    full _mbsrev; full _mbsrev_l; full _mbsset; full _mbsset_l; full _mbsset_s; full _mbsset_s_l; full _mbccpy; full _mbccpy_l; full _mbccpy_s; full _mbccpy_s_l;
    full "_mbscpy" = twins::strcpy; full "_mbscat" = twins::strcat; full "_mbsdup" = twins::_strdup;
    full "_mbscpy_s" = twins::strcpy_s; full "_mbscat_s" = twins::strcat_s; full _mbscpy_s_l; full _mbscat_s_l;
};

/// Returns a comparison as the C library does.
pub(super) fn sign(order: Ordering) -> i32 {
    order as i32
}

/// Compares characters; without regard to case those in lower case.
pub(super) fn compare(page: &CodePage, left: &[u16], right: &[u16], ignore_case: bool) -> i32 {
    let folded =
        |text: &[u16]| -> Vec<u16> { text.iter().map(|&character| mapped(page, character, LOWER)).collect() };
    sign(if ignore_case { folded(left).cmp(&folded(right)) } else { left.cmp(right) })
}

/// Compares texts by the alphabet.
pub(super) fn collate(page: &CodePage, left: &[u8], right: &[u8], ignore_case: bool) -> i32 {
    let wide = |text: &[u8]| page.decode(text, 0).unwrap_or_default();
    sign(collate::compare(&wide(left), &wide(right), collate::Rules::strings(ignore_case)))
}

/// Returns where the character at an index begins, in bytes.
fn offset(characters: &[u16], index: usize) -> u64 {
    characters[..index].iter().map(|&character| bytes_of(character).len() as u64).sum()
}

fn address(start: GuestWord, characters: &[u16], index: Option<usize>) -> GuestWord {
    index.map_or(GuestWord::NULL, |index| GuestWord(start.0 + offset(characters, index)))
}

fn position(text: &[u16], set: &[u16], is_in: bool) -> Option<usize> {
    text.iter().position(|character| set.contains(character) == is_in)
}

/// Cuts the next token at one of the delimiters; the slot holds where the text goes on.
fn token(
    guest: &Guest,
    page: &CodePage,
    text: u64,
    delimiters: &[u16],
    slot: u64,
) -> Result<GuestWord, Fault> {
    let start = if text == 0 { guest.read_word(slot)? } else { text };
    if start == 0 {
        return Ok(GuestWord::NULL);
    }
    let characters = read(guest, page, GuestWord(start))?;
    let begin = position(&characters, delimiters, false).unwrap_or(characters.len());
    let end = position(&characters[begin..], delimiters, true).map(|length| begin + length);
    let all = offset(&characters, characters.len());
    let next = match end {
        Some(end) => {
            let (at, length) = (start + offset(&characters, end), bytes_of(characters[end]).len() as u64);
            guest.write_bytes(at, &vec![0; length as usize])?;
            at + length
        }
        None => start + all,
    };
    guest.write_word(slot, next)?;
    Ok(if begin == characters.len() {
        GuestWord::NULL
    } else {
        GuestWord(start + offset(&characters, begin))
    })
}

fn map_string(guest: &Guest, str: GuestWord, map: fn(u16) -> u16) -> Result<(), Fault> {
    let page = page(guest);
    let text: Vec<u16> =
        read(guest, &page, str)?.into_iter().map(|character| mapped(&page, character, map)).collect();
    guest.write_bytes(str.0, &join(&text))
}

/// Says whether a terminated text lies in a buffer; otherwise empties it and sets `errno`.
pub(super) fn check_terminated(guest: &mut Guest, str: GuestWord, size: u64) -> Result<i32, Fault> {
    if str.is_null() {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    for index in 0..size {
        if guest.read::<u8>(str.0 + index)? == 0 {
            return Ok(0);
        }
    }
    if size > 0 {
        guest.write(str.0, &0u8)?;
    }
    set_errno(guest, EINVAL).map(|()| EINVAL)
}

/// Defines comparisons of two strings.
macro_rules! comparisons {
    ($($name:ident, $with_locale:ident, $text:literal, $page:literal, $how:ident, $ignore_case:literal;)*) => { pairs! {$(
        $text, $page;
        $name, $with_locale(guest, string1: GuestWord, string2: GuestWord) -> i32 {
            let page = page(guest);
            let (left, right) = (guest.read_c_string(string1.0)?, guest.read_c_string(string2.0)?);
            Ok($how(&page, &left, &right, $ignore_case))
        }
    )*} };
}
fn by_code(page: &CodePage, left: &[u8], right: &[u8], ignore_case: bool) -> i32 {
    compare(page, &split(page, left), &split(page, right), ignore_case)
}
comparisons! {
    _mbscmp, _mbscmp_l, "Compares strings.", "strcmp-wcscmp-mbscmp", by_code, false;
    _mbsicmp, _mbsicmp_l, "Compares strings without regard to case.", "stricmp-wcsicmp-mbsicmp-stricmp-l-wcsicmp-l-mbsicmp-l", by_code, true;
    _mbscoll, _mbscoll_l, "Compares strings by the alphabet.", "strcoll-functions", collate, false;
    _mbsicoll, _mbsicoll_l, "Compares strings by the alphabet without regard to case.", "strcoll-functions", collate, true;
}

/// Defines searches of characters of a set in a string.
macro_rules! searches {
    ($($name:ident, $with_locale:ident, $text:literal, $page:literal, $is_in:literal -> $result:ty: $give:expr;)*) => { pairs! {$(
        $text, $page;
        $name, $with_locale(guest, str: GuestWord, strCharSet: GuestWord) -> $result {
            let page = page(guest);
            let (text, set) = (read(guest, &page, str)?, read(guest, &page, strCharSet)?);
            let found = position(&text, &set, $is_in);
            Ok($give(str, &text, found))
        }
    )*} };
}
fn length(_: GuestWord, text: &[u16], found: Option<usize>) -> GuestWord {
    GuestWord(offset(text, found.unwrap_or(text.len())))
}
searches! {
    _mbsspn, _mbsspn_l, "Returns the bytes before the first character that is not in a set.", "strspn-wcsspn-mbsspn-mbsspn-l", false -> GuestWord: length;
    _mbscspn, _mbscspn_l, "Returns the bytes before the first character of a set.", "strcspn-wcscspn-mbscspn-mbscspn-l", true -> GuestWord: length;
    _mbspbrk, _mbspbrk_l, "Finds the first character of a set.", "strpbrk-wcspbrk-mbspbrk-mbspbrk-l", true -> GuestWord: address;
    _mbsspnp, _mbsspnp_l, "Finds the first character that is not in a set.", "strspnp-wcsspnp-mbsspnp-mbsspnp-l", false -> GuestWord: address;
}

pairs! {
    "Returns the characters of a string.", "strlen-wcslen-mbslen-mbslen-l-mbstrlen-mbstrlen-l";
    _mbslen, _mbslen_l(guest, str: GuestWord) -> GuestWord {
        let page = page(guest);
        // A first byte before the end is no character.
        let text = guest.read_c_string(str.0)?;
        let characters = split(&page, &text);
        let is_cut = characters.last().is_some_and(|&last| last < 0x100 && is_lead(&page, last as u8));
        Ok(GuestWord((characters.len() - usize::from(is_cut)) as u64))
    }
    "Returns the characters of a string in the locale; -1 when it is no text of it.", "strlen-wcslen-mbslen-mbslen-l-mbstrlen-mbstrlen-l";
    _mbstrlen, _mbstrlen_l(guest, str: GuestWord) -> GuestWord { count_characters(guest, &guest.read_c_string(str.0)?) }
    "Returns the characters of at most so many bytes of a string in the locale.", "strlen-wcslen-mbslen-mbslen-l-mbstrlen-mbstrlen-l";
    _mbstrnlen, _mbstrnlen_l(guest, str: GuestWord, count: GuestWord) -> GuestWord {
        let text = twins::read_n(guest, str.0, count.0)?;
        count_characters(guest, &text)
    }
    "Finds a character.", "strchr-wcschr-mbschr-mbschr-l";
    _mbschr, _mbschr_l(guest, str: GuestWord, c: u32) -> GuestWord {
        let mut text = read(guest, &page(guest), str)?;
        text.push(0);
        let found = text.iter().position(|&character| u32::from(character) == c);
        Ok(address(str, &text, found))
    }
    "Finds the last such character.", "strrchr-wcsrchr-mbsrchr-mbsrchr-l";
    _mbsrchr, _mbsrchr_l(guest, str: GuestWord, c: u32) -> GuestWord {
        let mut text = read(guest, &page(guest), str)?;
        text.push(0);
        let found = text.iter().rposition(|&character| u32::from(character) == c);
        Ok(address(str, &text, found))
    }
    "Finds a string in another.", "strstr-wcsstr-mbsstr-mbsstr-l";
    _mbsstr, _mbsstr_l(guest, str: GuestWord, strSearch: GuestWord) -> GuestWord {
        let page = page(guest);
        let (text, wanted) = (read(guest, &page, str)?, read(guest, &page, strSearch)?);
        let found = (0..=text.len()).find(|&at| text[at..].starts_with(&wanted));
        Ok(address(str, &text, found))
    }
    "Cuts the next token off a string, which goes on where the last call of the thread ended.", "strtok-strtok-l-wcstok-wcstok-l-mbstok-mbstok-l";
    _mbstok, _mbstok_l(guest, strToken: GuestWord, strDelimit: GuestWord) -> GuestWord {
        let page = page(guest);
        let delimiters = read(guest, &page, strDelimit)?;
        let slot = thread_block(guest)? + block::TOKEN;
        token(guest, &page, strToken.0, &delimiters, slot)
    }
    "Cuts the next token off a string; `context` holds where it goes on.", "strtok-s-strtok-s-l-wcstok-s-wcstok-s-l-mbstok-s-mbstok-s-l";
    _mbstok_s, _mbstok_s_l(guest, strToken: GuestWord, strDelimit: GuestWord, context: GuestWord) -> GuestWord {
        let page = page(guest);
        let delimiters = read(guest, &page, strDelimit)?;
        token(guest, &page, strToken.0, &delimiters, context.0)
    }
    "Makes a string lower-case.", "strlwr-wcslwr-mbslwr-strlwr-l-wcslwr-l-mbslwr-l";
    _mbslwr, _mbslwr_l(guest, str: GuestWord) -> GuestWord { map_string(guest, str, LOWER).map(|()| str) }
    "Makes a string upper-case.", "strupr-strupr-l-mbsupr-mbsupr-l-wcsupr-l-wcsupr";
    _mbsupr, _mbsupr_l(guest, str: GuestWord) -> GuestWord { map_string(guest, str, UPPER).map(|()| str) }
    "Makes a string in a buffer lower-case; returns 0 or EINVAL.", "strlwr-s-strlwr-s-l-mbslwr-s-mbslwr-s-l-wcslwr-s-wcslwr-s-l";
    _mbslwr_s, _mbslwr_s_l(guest, str: GuestWord, numberOfElements: GuestWord) -> i32 {
        match check_terminated(guest, str, numberOfElements.0)? {
            0 => map_string(guest, str, LOWER).map(|()| 0),
            code => Ok(code),
        }
    }
    "Makes a string in a buffer upper-case; returns 0 or EINVAL.", "strupr-s-strupr-s-l-mbsupr-s-mbsupr-s-l-wcsupr-s-wcsupr-s-l";
    _mbsupr_s, _mbsupr_s_l(guest, str: GuestWord, numberOfElements: GuestWord) -> i32 {
        match check_terminated(guest, str, numberOfElements.0)? {
            0 => map_string(guest, str, UPPER).map(|()| 0),
            code => Ok(code),
        }
    }
    "Reverses the characters of a string.", "strrev-wcsrev-mbsrev-mbsrev-l";
    _mbsrev, _mbsrev_l(guest, str: GuestWord) -> GuestWord {
        let mut text = read(guest, &page(guest), str)?;
        text.reverse();
        guest.write_bytes(str.0, &join(&text)).map(|()| str)
    }
    "Fills a string with a character.", "strset-strset-l-wcsset-wcsset-l-mbsset-mbsset-l";
    _mbsset, _mbsset_l(guest, str: GuestWord, c: u32) -> GuestWord {
        let length = guest.read_c_string(str.0)?.len();
        guest.write_bytes(str.0, &filling(c as u16, length)).map(|()| str)
    }
    "Fills a string in a buffer with a character; returns 0 or EINVAL.", "strset-s-strset-s-l-wcsset-s-wcsset-s-l-mbsset-s-mbsset-s-l";
    _mbsset_s, _mbsset_s_l(guest, str: GuestWord, numberOfElements: GuestWord, c: u32) -> i32 {
        match check_terminated(guest, str, numberOfElements.0)? {
            0 => _mbsset(guest, str, c).map(|_| 0),
            code => Ok(code),
        }
    }
    "Copies a character.", "mbccpy-mbccpy-l";
    _mbccpy, _mbccpy_l(guest, dest: GuestWord, src: GuestWord) -> () {
        let (character, _) = first(guest, &page(guest), src.0)?;
        guest.write_bytes(dest.0, &bytes_of(character))
    }
    "Copies a character into a buffer, and stores its length; returns 0, or an error.", "mbccpy-s-mbccpy-s-l";
    _mbccpy_s, _mbccpy_s_l(guest, dest: GuestWord, buffSizeInBytes: GuestWord, pCopied: GuestWord, src: GuestWord) -> i32 {
        if !pCopied.is_null() {
            guest.write(pCopied.0, &0i32)?;
        }
        if dest.is_null() || buffSizeInBytes.0 == 0 || src.is_null() {
            return set_errno(guest, EINVAL).map(|()| EINVAL);
        }
        let bytes = bytes_of(first(guest, &page(guest), src.0)?.0);
        if bytes.len() as u64 > buffSizeInBytes.0 {
            guest.write(dest.0, &0u8)?;
            return set_errno(guest, ERANGE).map(|()| ERANGE);
        }
        guest.write_bytes(dest.0, &bytes)?;
        if !pCopied.is_null() {
            guest.write(pCopied.0, &(bytes.len() as i32))?;
        }
        Ok(0)
    }
}

crate::msvcrt::define::define! {
    "Copies a string into a buffer of known size.", "strcpy-s-wcscpy-s-mbscpy-s";
    _mbscpy_s_l(guest, dest: GuestWord, dest_size: GuestWord, src: GuestWord, locale: GuestWord) -> i32 {
        let _ = locale;
        twins::strcpy_s(guest, dest, dest_size, src)
    }
    "Appends a string in a buffer of known size.", "strcat-s-wcscat-s-mbscat-s";
    _mbscat_s_l(guest, dest: GuestWord, dest_size: GuestWord, src: GuestWord, locale: GuestWord) -> i32 {
        let _ = locale;
        twins::strcat_s(guest, dest, dest_size, src)
    }
}

/// Returns so many bytes of a character; where half of one would be left over, a blank.
pub(super) fn filling(character: u16, length: usize) -> Vec<u8> {
    let bytes = bytes_of(character);
    let mut text = bytes.repeat(length / bytes.len());
    text.resize(length, b' ');
    text
}

fn count_characters(guest: &mut Guest, text: &[u8]) -> Result<GuestWord, Fault> {
    let locale = &crt(guest).locale;
    let (mut at, mut count) = (0, 0);
    while at < text.len() {
        match locale.first_length(&text[at..]) {
            Some(length) => at += length,
            None => return Ok(GuestWord(u64::MAX)),
        }
        count += 1;
    }
    Ok(GuestWord(count))
}
