//! mbstring.h and mbctype.h: text whose characters are one or two bytes, by the code page of `_setmbcp` or of a locale.
//!
//! A character is a number: the byte, or the first byte times 256 plus the second. Each function is written once for both its
//! names, the one with `_l` taking a locale behind its parameters. In `strings` are those of whole strings, in `bounded` those with
//! limits, in `kana` those that only the Japanese page has something for.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/interpretation-of-multibyte-character-sequences>

pub mod bounded;
pub mod kana;
pub mod strings;

use plat_abi::{Fault, GuestWord, Memory};

use super::locale::{LOWER, UPPER, is_lead, kinds, other_case};
use super::state::{crt, variable};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::code_page::{CodePage, MB_ERR_INVALID_CHARS};
use crate::logic::nls::ctype;

/// Defines functions in pairs: text, page of the reference, name, name with `_l`, parameters, result, body.
macro_rules! pairs {
    ($($doc:literal, $page:literal; $name:ident, $with_locale:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        crate::msvcrt::define::define! {$(
            $doc, $page;
            $name($guest $(, $param: $type)*) -> $result $body
            $doc, $page;
            $with_locale(guest $(, $param: $type)*, locale: ::plat_abi::GuestWord) -> $result {
                crate::msvcrt::locale::with_locale(guest, locale.0, |guest| $name(guest $(, $param)*))
            }
        )*}
    };
}
use pairs;

/// The exports of these files.
pub const EXPORTS: &[Export] = dll! {
    full __p__mbctype; full __p__mbcasemap;
    full _ismbblead; full _ismbblead_l; full _ismbbtrail; full _ismbbtrail_l; full _ismbslead; full _ismbslead_l; full _ismbstrail; full _ismbstrail_l;
    full _ismbbalnum; full _ismbbalnum_l; full _ismbbalpha; full _ismbbalpha_l; full _ismbbgraph; full _ismbbgraph_l; full _ismbbprint; full _ismbbprint_l;
    full _ismbbpunct; full _ismbbpunct_l; full _ismbbblank; full _ismbbblank_l;
    full _ismbcalnum; full _ismbcalnum_l; full _ismbcalpha; full _ismbcalpha_l; full _ismbcdigit; full _ismbcdigit_l; full _ismbcgraph; full _ismbcgraph_l;
    full _ismbclower; full _ismbclower_l; full _ismbcprint; full _ismbcprint_l; full _ismbcpunct; full _ismbcpunct_l; full _ismbcspace; full _ismbcspace_l;
    full _ismbcupper; full _ismbcupper_l; full _ismbcblank; full _ismbcblank_l; full _ismbclegal; full _ismbclegal_l;
    full _mbctolower; full _mbctolower_l; full _mbctoupper; full _mbctoupper_l; full _mbbtype; full _mbbtype_l; full _mbsbtype; full _mbsbtype_l;
    full _mbclen; full _mbclen_l; full _mbsnextc; full _mbsnextc_l; full _mbsinc; full _mbsinc_l; full _mbsdec; full _mbsdec_l; full _mbsninc; full _mbsninc_l;
};
/// The exports of the other files.
pub use bounded::EXPORTS as BOUNDED_EXPORTS;
pub use kana::EXPORTS as KANA_EXPORTS;
pub use strings::EXPORTS as STRING_EXPORTS;

/// The kinds of bytes in `_mbctype`: letters and punctuation of half-width kana, first and second bytes, upper and lower case.
const KANA: u16 = 1;
const KANA_PUNCT: u16 = 2;
const LEAD: u16 = 4;
const TRAIL: u16 = 8;
const SINGLE_UPPER: u16 = 0x10;
const SINGLE_LOWER: u16 = 0x20;

/// Masks of `_ctype`.
const ALPHA: u16 = 0x103;
const DIGIT: u16 = 4;
const SPACE: u16 = 8;
const PUNCT: u16 = 0x10;
const BLANK: u16 = 0x40;

/// Says whether any of some kinds is there. A function, since an attribute macro does not keep `a | b` of a row together.
fn has(bits: u16, mask: u16) -> bool {
    bits & mask != 0
}

/// Returns the page by which a call goes: that of its locale, else that of `_setmbcp`.
fn page(guest: &Guest) -> CodePage {
    let locale = &crt(guest).locale;
    locale.page_of_call().unwrap_or_else(|| locale.multibyte_page())
}

/// Says whether a byte may end a character of two.
fn is_trail(page: &CodePage, byte: u8) -> bool {
    match page.number() {
        932 => matches!(byte, 0x40..=0x7e | 0x80..=0xfc),
        936 => matches!(byte, 0x40..=0x7e | 0x80..=0xfe),
        949 => matches!(byte, 0x41..=0x5a | 0x61..=0x7a | 0x81..=0xfe),
        950 => matches!(byte, 0x40..=0x7e | 0xa1..=0xfe),
        _ => false,
    }
}

/// Returns the kinds that `_mbctype` has for a byte.
fn mb_kinds(page: &CodePage, byte: u8) -> u16 {
    let mut bits = 0;
    if page.number() == 932 {
        bits |= match byte {
            0xa6..=0xdf => KANA,
            0xa1..=0xa5 => KANA_PUNCT,
            _ => 0,
        };
    }
    if is_lead(page, byte) {
        bits |= LEAD;
    }
    if is_trail(page, byte) {
        bits |= TRAIL;
    }
    let kinds = kinds(page, byte);
    bits | if kinds & 1 != 0 { SINGLE_UPPER } else { 0 } | if kinds & 2 != 0 { SINGLE_LOWER } else { 0 }
}

/// Fills `_mbctype` and `_mbcasemap`, once `_setmbcp` was called or a program asks for them.
///
/// # Errors
/// [`Fault`] when the DLL's variables are not mapped.
pub(crate) fn publish(guest: &Guest) -> Result<(), Fault> {
    let page = crt(guest).locale.multibyte_page();
    let kinds: Vec<u8> =
        std::iter::once(0).chain((0..=255).map(|byte| mb_kinds(&page, byte) as u8)).collect();
    guest.write_bytes(variable(guest, "_mbctype"), &kinds)?;
    let cases = (0..=255).map(|byte| match mb_kinds(&page, byte) {
        bits if bits & SINGLE_UPPER != 0 => other_case(&page, byte, LOWER),
        bits if bits & SINGLE_LOWER != 0 => other_case(&page, byte, UPPER),
        _ => 0,
    });
    guest.write_bytes(variable(guest, "_mbcasemap"), &cases.collect::<Vec<u8>>())
}

/// Splits a text into characters; a first byte at the end stands alone.
fn split(page: &CodePage, text: &[u8]) -> Vec<u16> {
    let mut characters = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let second = text.get(at + 1).filter(|_| is_lead(page, byte));
        characters.push(second.map_or(u16::from(byte), |&second| u16::from_be_bytes([byte, second])));
        at += if second.is_some() { 2 } else { 1 };
    }
    characters
}

/// Returns the bytes of a character.
fn bytes_of(character: u16) -> Vec<u8> {
    let [first, second] = character.to_be_bytes();
    if first == 0 { vec![second] } else { vec![first, second] }
}

/// Returns the bytes of characters.
fn join(characters: &[u16]) -> Vec<u8> {
    characters.iter().flat_map(|&character| bytes_of(character)).collect()
}

fn read(guest: &Guest, page: &CodePage, address: GuestWord) -> Result<Vec<u16>, Fault> {
    Ok(split(page, &guest.read_c_string(address.0)?))
}

/// Reads the first character of a text and its length; a first byte before the terminator counts as the terminator.
fn first(guest: &Guest, page: &CodePage, address: u64) -> Result<(u16, u64), Fault> {
    let byte: u8 = guest.read(address)?;
    if !is_lead(page, byte) {
        return Ok((byte.into(), 1));
    }
    Ok(match guest.read::<u8>(address + 1)? {
        0 => (0, 1),
        second => (u16::from_be_bytes([byte, second]), 2),
    })
}

/// Returns the kinds of a character.
fn kinds_of(page: &CodePage, character: u32) -> u16 {
    match u8::try_from(character) {
        Ok(byte) => kinds(page, byte),
        Err(_) => match page.decode(&bytes_of(character as u16), MB_ERR_INVALID_CHARS).as_deref() {
            Ok([unit]) => ctype::character_type(*unit),
            _ => 0,
        },
    }
}

/// Returns a character in its other case.
fn mapped(page: &CodePage, character: u16, map: fn(u16) -> u16) -> u16 {
    if let Ok(byte) = u8::try_from(character) {
        return other_case(page, byte, map).into();
    }
    let Ok(units) = page.decode(&bytes_of(character), MB_ERR_INVALID_CHARS) else { return character };
    let units: Vec<u16> = units.into_iter().map(map).collect();
    match page.encode(&units, 0, None, true) {
        Ok(encoded) if !encoded.used_default && encoded.bytes.len() == 2 => {
            u16::from_be_bytes([encoded.bytes[0], encoded.bytes[1]])
        }
        _ => character,
    }
}

/// Defines questions about a byte: what `_ctype` and what `_mbctype` may say.
macro_rules! of_bytes {
    ($($name:ident, $with_locale:ident, $text:literal, $page:literal, $kinds:expr, $mb_kinds:expr;)*) => { pairs! {$(
        $text, $page;
        $name, $with_locale(guest, c: u32) -> i32 {
            let Ok(byte) = u8::try_from(c) else { return Ok(0) };
            let page = page(guest);
            let is = !is_lead(&page, byte) && has(kinds(&page, byte), $kinds);
            Ok(i32::from(is || has(mb_kinds(&page, byte), $mb_kinds)))
        }
    )*} };
}
of_bytes! {
    _ismbblead, _ismbblead_l, "Says whether a byte may begin a character of two bytes.", "ismbblead-ismbblead-l", 0, LEAD;
    _ismbbtrail, _ismbbtrail_l, "Says whether a byte may end a character of two bytes.", "ismbbtrail-ismbbtrail-l", 0, TRAIL;
    _ismbbalnum, _ismbbalnum_l, "Says whether a byte is a letter or a digit.", "ismbbalnum-ismbbalnum-l", ALPHA | DIGIT, KANA;
    _ismbbalpha, _ismbbalpha_l, "Says whether a byte is a letter.", "ismbbalpha-ismbbalpha-l", ALPHA, KANA;
    _ismbbgraph, _ismbbgraph_l, "Says whether a byte is printable, the space excluded.", "ismbbgraph-ismbbgraph-l", PUNCT | ALPHA | DIGIT, KANA | KANA_PUNCT;
    _ismbbprint, _ismbbprint_l, "Says whether a byte is printable.", "ismbbprint-ismbbprint-l", BLANK | PUNCT | ALPHA | DIGIT, KANA | KANA_PUNCT;
    _ismbbpunct, _ismbbpunct_l, "Says whether a byte is punctuation.", "ismbbpunct-ismbbpunct-l", PUNCT, KANA_PUNCT;
    _ismbbblank, _ismbbblank_l, "Says whether a byte is a blank or a tab.", "ismbbblank-ismbbblank-l", BLANK, 0;
}

/// Defines questions about a character.
macro_rules! of_characters {
    ($($name:ident, $with_locale:ident, $text:literal, $page:literal, $mask:expr;)*) => { pairs! {$(
        $text, $page;
        $name, $with_locale(guest, c: u32) -> i32 { Ok(i32::from(has(kinds_of(&page(guest), c), $mask))) }
    )*} };
}
of_characters! {
    _ismbcalnum, _ismbcalnum_l, "Says whether a character is a letter or a digit.", "ismbcalnum-functions", ALPHA | DIGIT;
    _ismbcalpha, _ismbcalpha_l, "Says whether a character is a letter.", "ismbcalnum-functions", ALPHA;
    _ismbcdigit, _ismbcdigit_l, "Says whether a character is a digit.", "ismbcalnum-functions", DIGIT;
    _ismbcgraph, _ismbcgraph_l, "Says whether a character is printable, spaces excluded.", "ismbcgraph-functions", PUNCT | ALPHA | DIGIT;
    _ismbclower, _ismbclower_l, "Says whether a character is a lower-case letter.", "ismbclower-ismbclower-l-ismbcupper-ismbcupper-l", 2;
    _ismbcprint, _ismbcprint_l, "Says whether a character is printable.", "ismbcgraph-functions", BLANK | PUNCT | ALPHA | DIGIT;
    _ismbcpunct, _ismbcpunct_l, "Says whether a character is punctuation.", "ismbcgraph-functions", PUNCT;
    _ismbcspace, _ismbcspace_l, "Says whether a character is white space.", "ismbcgraph-functions", SPACE;
    _ismbcupper, _ismbcupper_l, "Says whether a character is an upper-case letter.", "ismbclower-ismbclower-l-ismbcupper-ismbcupper-l", 1;
    _ismbcblank, _ismbcblank_l, "Says whether a character is a blank or a tab.", "ismbcgraph-functions", BLANK;
}

/// Says which part of a character the byte at `current` is: 0 a whole one, 1 the first, 2 the second, -1 none.
fn byte_type(page: &CodePage, text: &[u8], current: usize) -> i32 {
    let mut at = 0;
    while at < current {
        at += if is_lead(page, text[at]) { 2 } else { 1 };
    }
    let second = |index: usize| text.get(index).is_some_and(|&byte| is_trail(page, byte));
    match text.get(current) {
        Some(_) if at > current && second(current) => 2,
        Some(_) if at > current => -1,
        Some(&byte) if !is_lead(page, byte) => 0,
        Some(_) if second(current + 1) => 1,
        _ => -1,
    }
}

/// Reads a text from its start up to the byte behind `current`, or to its end, which comes first.
fn read_around(guest: &Guest, start: GuestWord, current: u64) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    for index in 0..=current.saturating_add(1) {
        match guest.read::<u8>(start.0 + index)? {
            0 => break,
            byte => text.push(byte),
        }
    }
    Ok(text)
}

pairs! {
    "Says whether a number is a character of the page.", "ismbclegal-ismbclegal-l-ismbcsymbol-ismbcsymbol-l";
    _ismbclegal, _ismbclegal_l(guest, c: u32) -> i32 {
        let page = page(guest);
        let [first, second] = (c as u16).to_be_bytes();
        Ok(i32::from(is_lead(&page, first) && is_trail(&page, second)))
    }
    "Says whether a byte of a text begins a character of two.", "ismbslead-ismbstrail-ismbslead-l-ismbstrail-l";
    _ismbslead, _ismbslead_l(guest, str: GuestWord, current: GuestWord) -> i32 {
        let offset = current.0.wrapping_sub(str.0);
        let text = read_around(guest, str, offset)?;
        Ok(if byte_type(&page(guest), &text, offset as usize) == 1 { -1 } else { 0 })
    }
    "Says whether a byte of a text ends a character of two.", "ismbslead-ismbstrail-ismbslead-l-ismbstrail-l";
    _ismbstrail, _ismbstrail_l(guest, str: GuestWord, current: GuestWord) -> i32 {
        let offset = current.0.wrapping_sub(str.0);
        let text = read_around(guest, str, offset)?;
        Ok(if byte_type(&page(guest), &text, offset as usize) == 2 { -1 } else { 0 })
    }
    "Returns a character in lower case.", "mbctolower-mbctolower-l-mbctoupper-mbctoupper-l";
    _mbctolower, _mbctolower_l(guest, c: u32) -> u32 { Ok(mapped(&page(guest), c as u16, LOWER).into()) }
    "Returns a character in upper case.", "mbctolower-mbctolower-l-mbctoupper-mbctoupper-l";
    _mbctoupper, _mbctoupper_l(guest, c: u32) -> u32 { Ok(mapped(&page(guest), c as u16, UPPER).into()) }
    "Says what a byte is behind one of a type (1: behind a first byte): 0 single, 1 first, 2 second, -1 none.", "mbbtype-mbbtype-l";
    _mbbtype, _mbbtype_l(guest, c: u8, r#type: i32) -> i32 {
        let page = page(guest);
        Ok(match r#type {
            1 if is_trail(&page, c) => 2,
            1 => -1,
            _ if is_lead(&page, c) => 1,
            _ if mb_kinds(&page, c) & (KANA | KANA_PUNCT) != 0 || kinds(&page, c) & (BLANK | PUNCT | ALPHA | DIGIT) != 0 => 0,
            _ => -1,
        })
    }
    "Says what the byte at an index of a text is: 0 single, 1 first, 2 second, -1 none.", "mbsbtype-mbsbtype-l";
    _mbsbtype, _mbsbtype_l(guest, mbstr: GuestWord, count: GuestWord) -> i32 {
        let text = read_around(guest, mbstr, count.0)?;
        Ok(byte_type(&page(guest), &text, count.0 as usize))
    }
    "Returns the bytes of a character.", "mbclen-mblen-mblen-l";
    _mbclen, _mbclen_l(guest, c: GuestWord) -> GuestWord { Ok(GuestWord(first(guest, &page(guest), c.0)?.1)) }
    "Returns the next character.", "strnextc-wcsnextc-mbsnextc-mbsnextc-l";
    _mbsnextc, _mbsnextc_l(guest, str: GuestWord) -> u32 { Ok(first(guest, &page(guest), str.0)?.0.into()) }
    "Returns where the next character is.", "strinc-wcsinc-mbsinc-mbsinc-l";
    _mbsinc, _mbsinc_l(guest, current: GuestWord) -> GuestWord {
        Ok(GuestWord(current.0 + first(guest, &page(guest), current.0)?.1))
    }
    "Returns where the character before is; null at the start.", "strdec-wcsdec-mbsdec-mbsdec-l";
    _mbsdec, _mbsdec_l(guest, start: GuestWord, current: GuestWord) -> GuestWord {
        if start.0 >= current.0 {
            return Ok(GuestWord::NULL);
        }
        let text = guest.read_vec(start.0, current.0 - start.0)?;
        let last = split(&page(guest), &text).last().map_or(1, |&character| bytes_of(character).len() as u64);
        Ok(GuestWord(current.0 - last))
    }
    "Returns where the text goes on behind so many characters.", "strninc-wcsninc-mbsninc-mbsninc-l";
    _mbsninc, _mbsninc_l(guest, str: GuestWord, count: GuestWord) -> GuestWord {
        let (page, mut at) = (page(guest), str.0);
        for _ in 0..count.0 {
            match first(guest, &page, at)? {
                (0, _) => break,
                (_, length) => at += length,
            }
        }
        Ok(GuestWord(at))
    }
}

super::define::define! {
    "Returns where the kinds of bytes lie.", "internal-crt-globals-and-functions";
    __p__mbctype(guest) -> GuestWord {
        publish(guest)?;
        Ok(GuestWord(variable(guest, "_mbctype")))
    }
    "Returns where the other cases of bytes lie.", "internal-crt-globals-and-functions";
    __p__mbcasemap(guest) -> GuestWord {
        publish(guest)?;
        Ok(GuestWord(variable(guest, "_mbcasemap")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::nls::code_page::DefaultPages;

    #[test]
    fn texts_split_by_the_page() {
        let japanese = CodePage::new(932, DefaultPages::default()).unwrap();
        let western = CodePage::new(1252, DefaultPages::default()).unwrap();
        assert_eq!(split(&japanese, b"a\x83\x5c\xb1\x81"), [0x61, 0x835c, 0xb1, 0x81]);
        assert_eq!(split(&western, b"a\x83\x5c"), [0x61, 0x83, 0x5c]);
        assert_eq!(join(&[0x61, 0x835c]), b"a\x83\x5c");
        let types: Vec<i32> = (0..5).map(|at| byte_type(&japanese, b"a\x83\x5c\x83", at)).collect();
        assert_eq!(types, [0, 1, 2, -1, -1]);
        // Full-width letters have cases too.
        assert_eq!((mapped(&japanese, 0x8260, LOWER), mapped(&western, 0xe4, UPPER)), (0x8281, 0xc4));
        assert_eq!((mb_kinds(&japanese, 0xb1), mb_kinds(&japanese, 0x83)), (KANA | TRAIL, LEAD | TRAIL));
    }
}
