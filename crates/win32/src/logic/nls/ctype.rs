//! Character types: `GetStringTypeW` with `CT_CTYPE1`, from the standard library's Unicode tables.
//!
//! Limit: outside ASCII and Latin-1, every character that is neither letter, digit, space nor control is punctuation.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-getstringtypew>

/// Upper case.
pub const C1_UPPER: u16 = 0x1;
/// Lower case.
pub const C1_LOWER: u16 = 0x2;
/// Decimal digit.
pub const C1_DIGIT: u16 = 0x4;
/// White space.
pub const C1_SPACE: u16 = 0x8;
/// Punctuation.
pub const C1_PUNCT: u16 = 0x10;
/// Control character.
pub const C1_CNTRL: u16 = 0x20;
/// Blank.
pub const C1_BLANK: u16 = 0x40;
/// Hexadecimal digit.
pub const C1_XDIGIT: u16 = 0x80;
/// Letter.
pub const C1_ALPHA: u16 = 0x100;
/// A defined character that is none of the others.
pub const C1_DEFINED: u16 = 0x200;

/// Returns the `C1_*` bits of one UTF-16 unit.
pub fn character_type(unit: u16) -> u16 {
    let Some(character) = char::from_u32(u32::from(unit)) else { return 0 };
    let mut bits = 0;
    let mut set = |bit: u16, condition: bool| bits |= if condition { bit } else { 0 };
    let is_space = character.is_whitespace();
    let is_control = character.is_control();
    let is_number = character.is_numeric();
    set(C1_UPPER | C1_ALPHA, character.is_uppercase());
    set(C1_LOWER | C1_ALPHA, character.is_lowercase());
    set(C1_ALPHA, character.is_alphabetic());
    set(C1_DIGIT, character.is_ascii_digit() || matches!(unit, 0xb2 | 0xb3 | 0xb9));
    set(C1_XDIGIT, character.is_ascii_hexdigit());
    set(C1_SPACE, is_space);
    set(C1_BLANK, is_space && (unit == 9 || !is_control) && !matches!(unit, 0x2028 | 0x2029));
    set(C1_CNTRL, is_control);
    let is_private = (0xe000..0xf900).contains(&unit);
    set(C1_PUNCT, !is_space && !is_control && !is_number && !character.is_alphanumeric() && !is_private);
    bits | C1_DEFINED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_types_are_as_documented() {
        let cases = [
            ('A', C1_UPPER | C1_ALPHA | C1_XDIGIT),
            ('z', C1_LOWER | C1_ALPHA),
            ('7', C1_DIGIT | C1_XDIGIT),
            (' ', C1_SPACE | C1_BLANK),
            ('\t', C1_SPACE | C1_BLANK | C1_CNTRL),
            ('\n', C1_SPACE | C1_CNTRL),
            ('\0', C1_CNTRL),
            ('!', C1_PUNCT),
            ('Ж', C1_UPPER | C1_ALPHA),
            ('漢', C1_ALPHA),
        ];
        for (character, bits) in cases {
            assert_eq!(character_type(character as u16), bits | C1_DEFINED, "{character:?}");
        }
        assert_eq!(character_type(0xd800), 0);
    }
}
