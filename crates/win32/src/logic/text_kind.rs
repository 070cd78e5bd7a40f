//! Guessing whether bytes are UTF-16: the tests of `IsTextUnicode`.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-istextunicode>; the statistics are those that
//! Michael S. Kaplan described for "Bush hid the facts": how much the bytes at even and at odd places vary

/// What the tests are called.
pub mod tests_of {
    /// All is zero-extended ASCII.
    pub const ASCII16: u32 = 0x1;
    /// The bytes vary as those of UTF-16 do.
    pub const STATISTICS: u32 = 0x2;
    /// There are blanks or ends of lines.
    pub const CONTROLS: u32 = 0x4;
    /// There is a byte-order mark.
    pub const SIGNATURE: u32 = 0x8;
    /// There is what no text has.
    pub const ILLEGAL_CHARS: u32 = 0x100;
    /// The number of bytes is odd.
    pub const ODD_LENGTH: u32 = 0x200;
    /// There are bytes that are zero.
    pub const NULL_BYTES: u32 = 0x1000;
    /// The four tests with the bytes of each unit swapped are this many bits higher.
    pub const REVERSE_SHIFT: u32 = 4;
    /// What speaks for UTF-16.
    pub const UNICODE_MASK: u32 = 0xf;
    /// What speaks for UTF-16 with swapped bytes.
    pub const REVERSE_MASK: u32 = 0xf0;
    /// What speaks against UTF-16.
    pub const NOT_UNICODE_MASK: u32 = 0xf00;
    /// What speaks against ASCII.
    pub const NOT_ASCII_MASK: u32 = 0xf000;
}
use tests_of::*;

/// As much of a text is looked at, in units.
const LOOKED_AT: usize = 256;

/// Returns the tests that a text passes.
pub fn passed(bytes: &[u8]) -> u32 {
    if bytes.len() < 2 {
        return 0;
    }
    let mut passed = if bytes.len().is_multiple_of(2) { 0 } else { ODD_LENGTH };
    let units: Vec<u16> =
        bytes.chunks_exact(2).take(LOOKED_AT).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    // The zero that ends a string is none of its text.
    let units = units.strip_suffix(&[0]).unwrap_or(&units);
    // Swapped, the blank of CJK is the digit 0: it says nothing there.
    let swapped = |unit: &u16| if *unit == 0x30 { 0x3100 } else { unit.swap_bytes() };
    let swapped: Vec<u16> = units.iter().map(swapped).collect();
    passed |= passed_in(units) | passed_in(&swapped) << REVERSE_SHIFT | varying(units);
    let is_illegal = |unit: &u16| matches!(unit, 0 | 0xffff | 0x0a0d) || *unit == 0xfffe;
    // A mark with swapped bytes at the beginning is a mark, not an embedded one.
    if units.iter().skip(usize::from(units.first() == Some(&0xfffe))).any(is_illegal) {
        passed |= ILLEGAL_CHARS;
    }
    if units.iter().any(|unit| unit.to_le_bytes().contains(&0)) {
        passed |= NULL_BYTES;
    }
    passed
}

/// Returns which of the tests for one order of bytes a text passes, but for the statistics.
fn passed_in(units: &[u16]) -> u32 {
    let first = units.first() == Some(&0xfeff);
    let rest = &units[usize::from(first)..];
    let is_ascii = !rest.is_empty() && rest.iter().all(|unit| (1..0x80).contains(unit));
    let has_control = rest.iter().any(|unit| matches!(unit, 0x9 | 0xa | 0xd | 0x20 | 0x3000));
    [(first, SIGNATURE), (is_ascii, ASCII16), (has_control, CONTROLS)]
        .iter()
        .filter(|(is_so, _)| *is_so)
        .fold(0, |passed, (_, test)| passed | test)
}

/// In UTF-16 the low bytes vary at least three times as much as the high ones.
fn varying(units: &[u16]) -> u32 {
    let vary = |of: fn(u16) -> u8| -> u32 {
        units.windows(2).map(|pair| u32::from(of(pair[0]).abs_diff(of(pair[1])))).sum()
    };
    let (low, high) = (vary(|unit| unit as u8), vary(|unit| (unit >> 8) as u8));
    match () {
        () if 3 * high < low => STATISTICS,
        () if 3 * low < high => STATISTICS << REVERSE_SHIFT,
        () => 0,
    }
}

/// Says whether a text that passes tests is taken for UTF-16.
pub fn is_unicode(passed: u32) -> bool {
    passed & (REVERSE_MASK | NOT_UNICODE_MASK) == 0 && passed & (NOT_ASCII_MASK | UNICODE_MASK) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_texts_are_taken_for() {
        for (text, expected) in [
            (&b"Bush hid the facts"[..], true),
            (b"hello world, this is plain text", false),
            (b"plain text\r\n", false),
            (b"a\0b\0c\0", true),
            (b"\0a\0b\0c", false),
            (b"\xff\xfea\0", true),
            (b"1\x000\x000\0", true),
            (b"a", false),
        ] {
            assert_eq!(is_unicode(passed(text)), expected, "{text:?}");
        }
        assert_eq!(passed(b"\xfe\xff\0a\0\n"), 0x1000 | 0x10 | 0x40 | 0x80);
        assert_eq!(passed(b"a\0\xff\xffb\0") & ILLEGAL_CHARS, ILLEGAL_CHARS);
        assert_eq!(passed(b"abc"), ODD_LENGTH);
    }
}
