//! Simple case mapping of UTF-16 units, as the system's upcase table does it: one unit in, one unit out.
//!
//! Windows' table is Unicode's simple mapping restricted to pairs that map back. The restriction keeps `ı`, `µ` and `ſ`
//! as they are. Units above the BMP (surrogates) map to themselves.
//!
//! Source: MS-UCODEREF 3.1.5.3 "Mapping UTF-16 Strings to Upper Case"; the Unicode Character Database.

use std::cmp::Ordering;

/// Returns the upper-case unit for `unit`, as `RtlUpcaseUnicodeChar` does.
pub fn upcase(unit: u16) -> u16 {
    match unit {
        0x61..=0x7a => unit - 0x20,
        0..0x80 => unit,
        // Final sigma shares its capital; Georgian and Cherokee gained capitals after Windows froze its table.
        0x03c2 => 0x03a3,
        0x10d0..=0x10ff | 0xab70..=0xabbf | 0x13a0..=0x13ff => unit,
        _ => map_and_back(unit, simple_upper, simple_lower),
    }
}

/// Returns the lower-case unit for `unit`, as `RtlDowncaseUnicodeChar` does.
pub fn downcase(unit: u16) -> u16 {
    match unit {
        0x41..=0x5a => unit + 0x20,
        0..0x80 => unit,
        0x10a0..=0x10ff | 0x1c90..=0x1cbf | 0x13a0..=0x13ff => unit,
        _ => map_and_back(unit, simple_lower, simple_upper),
    }
}

/// Returns `text` in upper case.
pub fn upcase_string(text: &[u16]) -> Vec<u16> {
    text.iter().map(|&unit| upcase(unit)).collect()
}

/// Returns `text` in lower case.
pub fn downcase_string(text: &[u16]) -> Vec<u16> {
    text.iter().map(|&unit| downcase(unit)).collect()
}

/// Compares unit by unit, after upper-casing when `ignore_case` is set: `CompareStringOrdinal`, `RtlCompareUnicodeString`.
pub fn compare_ordinal(left: &[u16], right: &[u16], ignore_case: bool) -> Ordering {
    if !ignore_case {
        return left.cmp(right);
    }
    left.iter().map(|&unit| upcase(unit)).cmp(right.iter().map(|&unit| upcase(unit)))
}

/// Tells whether both strings are equal when case is ignored.
pub fn equal_ignore_case(left: &[u16], right: &[u16]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(&a, &b)| a == b || upcase(a) == upcase(b))
}

fn map_and_back(unit: u16, there: fn(u16) -> Option<u16>, back: fn(u16) -> Option<u16>) -> u16 {
    match there(unit) {
        Some(mapped) if back(mapped) == Some(unit) => mapped,
        _ => unit,
    }
}

fn simple_upper(unit: u16) -> Option<u16> {
    single(char::from_u32(u32::from(unit))?.to_uppercase())
}

fn simple_lower(unit: u16) -> Option<u16> {
    single(char::from_u32(u32::from(unit))?.to_lowercase())
}

/// Returns the only character of a mapping, if it is one BMP character.
fn single(mut mapping: impl Iterator<Item = char>) -> Option<u16> {
    let first = mapping.next()?;
    if mapping.next().is_some() {
        return None;
    }
    u16::try_from(u32::from(first)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_map_as_in_windows_table() {
        let cases = [
            ('a', 'A'),
            ('ä', 'Ä'),
            ('ß', 'ß'),
            ('ÿ', 'Ÿ'),
            ('µ', 'µ'),
            ('ı', 'ı'),
            ('ſ', 'ſ'),
            ('ς', 'Σ'),
            ('σ', 'Σ'),
            ('ж', 'Ж'),
            ('\u{10d0}', '\u{10d0}'),
            ('7', '7'),
        ];
        for (from, to) in cases {
            assert_eq!(upcase(from as u16), to as u16, "{from}");
        }
        assert_eq!(downcase('Ä' as u16), 'ä' as u16);
        assert_eq!(downcase('İ' as u16), 'İ' as u16);
        assert_eq!(upcase(0xd800), 0xd800);
    }

    #[test]
    fn upcase_is_idempotent_for_every_unit() {
        for unit in 0..=u16::MAX {
            assert_eq!(upcase(upcase(unit)), upcase(unit), "{unit:#x}");
        }
    }

    #[test]
    fn ordinal_comparison_upcases_so_underscore_sorts_after_letters() {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        assert_eq!(compare_ordinal(&wide("a_"), &wide("aB"), true), Ordering::Greater);
        assert_eq!(compare_ordinal(&wide("abc"), &wide("ABC"), true), Ordering::Equal);
        assert_eq!(compare_ordinal(&wide("abc"), &wide("ABC"), false), Ordering::Greater);
        assert!(equal_ignore_case(&wide("Straße"), &wide("STRAßE")));
    }
}
