//! ctype.h and wctype.h: what kind a character is, and its other case.
//!
//! The table of the "C" locale is exported as `_ctype`; old programs' macros index it through `_pctype`.
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/character-classification>

use plat_abi::winapi;

use super::ctype_leaves as leaves;
use super::define::define;
use super::locale;
use super::state::crt;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::{case, ctype};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code isalpha: leaves::ISALPHA; code isupper: leaves::ISUPPER; code islower: leaves::ISLOWER; code isdigit: leaves::ISDIGIT; code isxdigit: leaves::ISXDIGIT; code isspace: leaves::ISSPACE; code ispunct: leaves::ISPUNCT;
    code isalnum: leaves::ISALNUM; code isprint: leaves::ISPRINT; code isgraph: leaves::ISGRAPH; code iscntrl: leaves::ISCNTRL; full __isascii; full __toascii; full __iscsym; full __iscsymf;
    code tolower: leaves::TOLOWER; code toupper: leaves::TOUPPER; full _tolower; full _toupper; full _isctype;
    full iswalpha; full iswupper; full iswlower; full iswdigit; full iswxdigit; full iswspace; full iswpunct;
    full iswalnum; full iswprint; full iswgraph; full iswcntrl; full iswascii; full iswctype; full "is_wctype" = iswctype;
    full towlower; full towupper;
    full isleadbyte; full __iswcsym; full __iswcsymf;
};

/// `_UPPER`, `_LOWER`, `_DIGIT`, `_SPACE`, `_PUNCT`, `_CONTROL`, `_BLANK`, `_HEX`: bits of the table.
pub(super) const UPPER: u32 = 1;
pub(super) const LOWER: u32 = 2;
pub(super) const DIGIT: u32 = 4;
pub(super) const SPACE: u32 = 8;
pub(super) const PUNCT: u32 = 0x10;
pub(super) const CONTROL: u32 = 0x20;
pub(super) const BLANK: u32 = 0x40;
pub(super) const HEX: u32 = 0x80;
/// `_ALPHA` as a mask: bit 0x100 means a letter without case.
pub(super) const ALPHA: u32 = 0x100 | UPPER | LOWER;

/// Returns the bits of a byte in the "C" locale.
pub(crate) const fn bits(byte: u8) -> u32 {
    match byte {
        b'A'..=b'F' => UPPER | HEX,
        b'G'..=b'Z' => UPPER,
        b'a'..=b'f' => LOWER | HEX,
        b'g'..=b'z' => LOWER,
        b'0'..=b'9' => DIGIT | HEX,
        b' ' => SPACE | BLANK,
        9..=13 => SPACE | CONTROL,
        0..=31 | 127 => CONTROL,
        33..=126 => PUNCT,
        _ => 0,
    }
}

/// Returns the exported table: the entry of EOF, then one for each byte.
pub(crate) fn table() -> Vec<u8> {
    table_of(|byte| bits(byte) as u16)
}

/// Returns the table of a locale, by the kinds of its bytes.
pub(crate) fn table_of(kinds: impl Fn(u8) -> u16) -> Vec<u8> {
    let entries = std::iter::once(0).chain((0..=255).map(kinds));
    entries.flat_map(u16::to_le_bytes).collect()
}

fn is(guest: &Guest, c: i32, mask: u32) -> i32 {
    let Ok(byte) = u8::try_from(c) else { return 0 };
    let page = if byte < 128 { None } else { crt(guest).locale.page() };
    (page.map_or(bits(byte), |page| locale::kinds(&page, byte).into()) & mask) as i32
}

/// Maps a byte to its other case in the locale.
fn mapped(guest: &Guest, c: i32, map: fn(u16) -> u16) -> i32 {
    let Ok(byte) = u8::try_from(c) else { return c };
    match crt(guest).locale.page() {
        _ if byte < 128 => map(byte.into()).into(),
        None => c,
        Some(page) => locale::other_case(&page, byte, map).into(),
    }
}

/// Says which kinds of a mask a wide character has.
pub(crate) fn is_wide(c: u16, mask: u32) -> i32 {
    // wctype's bits are those of GetStringTypeW, whose C1_ALPHA every letter has.
    let mask = if mask & ALPHA == ALPHA { mask & !(UPPER | LOWER) } else { mask };
    (u32::from(ctype::character_type(c)) & mask) as i32
}

/// Maps a wide character: in the "C" locale only those of ASCII.
fn in_locale(guest: &Guest, c: u16, map: fn(u16) -> u16, ascii: fn(&u8) -> u8) -> i32 {
    if crt(guest).locale.page().is_some() {
        return map(c).into();
    }
    u8::try_from(c).map_or(c, |byte| ascii(&byte).into()).into()
}

/// Defines `isX` for bytes and `iswX` for wide characters.
macro_rules! classes {
    ($($narrow:ident, $wide:ident, $text:literal, $mask:expr;)*) => {$(
        #[doc = concat!("Says whether a byte is ", $text, ".")]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/is-isw-routines>
        #[winapi(cdecl)]
        pub fn $narrow(guest: &mut Guest, c: i32) -> i32 {
            is(guest, c, $mask)
        }

        #[doc = concat!("Says whether a wide character is ", $text, ".")]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/is-isw-routines>
        #[winapi(cdecl)]
        pub fn $wide(guest: &mut Guest, c: u16) -> i32 {
            let _ = guest;
            is_wide(c, $mask)
        }
    )*};
}
classes! {
    isalpha, iswalpha, "a letter", ALPHA;
    isupper, iswupper, "an upper-case letter", UPPER;
    islower, iswlower, "a lower-case letter", LOWER;
    isdigit, iswdigit, "a decimal digit", DIGIT;
    isxdigit, iswxdigit, "a hexadecimal digit", HEX;
    isspace, iswspace, "white space", SPACE;
    ispunct, iswpunct, "punctuation", PUNCT;
    isalnum, iswalnum, "a letter or a digit", ALPHA | DIGIT;
    isprint, iswprint, "printable, space included", BLANK | PUNCT | ALPHA | DIGIT;
    isgraph, iswgraph, "printable, space excluded", PUNCT | ALPHA | DIGIT;
    iscntrl, iswcntrl, "a control character", CONTROL;
}

/// Defines functions of one character.
macro_rules! of_one {
    ($($name:ident($guest:ident, $c:ident: $type:ty) -> $result:ty, $doc:literal, $page:literal: $body:expr;)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", $page, ">")]
        #[winapi(cdecl)]
        pub fn $name($guest: &mut Guest, $c: $type) -> $result {
            let _ = &$guest;
            $body
        }
    )*};
}
of_one! {
    __isascii(guest, c: i32) -> i32, "Says whether a character is ASCII.", "isascii-isascii-iswascii": i32::from((0..128).contains(&c));
    __toascii(guest, c: i32) -> i32, "Cuts a character to ASCII.", "toascii-toascii": c & 0x7f;
    __iscsym(guest, c: i32) -> i32, "Says whether a character may stand in an identifier.", "iscsym-functions":
        i32::from(is(guest, c, ALPHA | DIGIT) != 0 || c == i32::from(b'_'));
    __iscsymf(guest, c: i32) -> i32, "Says whether a character may begin an identifier.", "iscsym-functions":
        i32::from(is(guest, c, ALPHA) != 0 || c == i32::from(b'_'));
    tolower(guest, c: i32) -> i32, "Returns the lower case of a byte.", "tolower-tolower-towlower-tolower-l-towlower-l":
        mapped(guest, c, locale::LOWER);
    toupper(guest, c: i32) -> i32, "Returns the upper case of a byte.", "toupper-toupper-towupper-toupper-l-towupper-l":
        mapped(guest, c, locale::UPPER);
    _tolower(guest, c: i32) -> i32, "Returns the lower case of an upper-case letter.", "tolower-tolower-towlower-tolower-l-towlower-l": c.wrapping_add(32);
    _toupper(guest, c: i32) -> i32, "Returns the upper case of a lower-case letter.", "toupper-toupper-towupper-toupper-l-towupper-l": c.wrapping_sub(32);
    __iswcsym(guest, c: u16) -> i32, "Says whether a wide character may stand in an identifier.", "iscsym-functions":
        i32::from(is_wide(c, ALPHA | DIGIT) != 0 || c == u16::from(b'_'));
    __iswcsymf(guest, c: u16) -> i32, "Says whether a wide character may begin an identifier.", "iscsym-functions":
        i32::from(is_wide(c, ALPHA) != 0 || c == u16::from(b'_'));
    iswascii(guest, c: u16) -> i32, "Says whether a wide character is ASCII.", "isascii-isascii-iswascii": i32::from(c < 128);
    isleadbyte(guest, c: i32) -> i32, "Says whether a byte begins a character of two bytes in the locale.", "isleadbyte-isleadbyte-l": is(guest, c, 0x8000);
}

define! {
    "Returns the lower case of a wide character; in the \"C\" locale of an ASCII one.", "tolower-tolower-towlower-tolower-l-towlower-l";
    towlower(guest, c: u16) -> i32 { Ok(in_locale(guest, c, case::downcase, u8::to_ascii_lowercase)) }
    "Returns the upper case of a wide character; in the \"C\" locale of an ASCII one.", "toupper-toupper-towupper-toupper-l-towupper-l";
    towupper(guest, c: u16) -> i32 { Ok(in_locale(guest, c, case::upcase, u8::to_ascii_uppercase)) }
}

/// Says which of the kinds of `desc` a byte has.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/isctype-iswctype-isctype-l-iswctype-l>
#[winapi(cdecl)]
pub fn _isctype(guest: &mut Guest, c: i32, desc: i32) -> i32 {
    is(guest, c, desc as u32)
}

/// Says which of the kinds of `desc` a wide character has.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/isctype-iswctype-isctype-l-iswctype-l>
#[winapi(cdecl)]
pub fn iswctype(guest: &mut Guest, c: u16, desc: u16) -> i32 {
    let _ = guest;
    is_wide(c, u32::from(desc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_agrees_with_the_standard_library() {
        for byte in 0..=127u8 {
            let has = |mask| bits(byte) & mask != 0;
            assert_eq!(has(ALPHA), byte.is_ascii_alphabetic(), "{byte}");
            assert_eq!(has(DIGIT), byte.is_ascii_digit(), "{byte}");
            assert_eq!(has(HEX), byte.is_ascii_hexdigit(), "{byte}");
            assert_eq!(has(PUNCT), byte.is_ascii_punctuation(), "{byte}");
            assert_eq!(has(CONTROL), byte.is_ascii_control(), "{byte}");
            // C has the vertical tab as white space; Rust has not.
            assert_eq!(has(SPACE), byte.is_ascii_whitespace() || byte == 11, "{byte}");
        }
        assert_eq!(table().len(), 514);
    }
}
