//! Linguistic comparison in the manner of `CompareStringW`, in a small form.
//!
//! Three passes, each deciding only when those before found no difference: characters (punctuation, then digits, then
//! letters by their base letter), marks, case (small before capital). Limits: no contractions or expansions (`ß` is not
//! `ss`), no word sort (hyphens count), no locale's own order; letters beyond Latin order by code.

use super::case::{downcase, upcase};
use super::code_page::best_fit_byte;
use std::cmp::Ordering;

/// Compares two strings linguistically; `ignore_case` is `NORM_IGNORECASE`.
pub fn compare(left: &[u16], right: &[u16], ignore_case: bool) -> Ordering {
    let by = |key: fn(u16) -> (u8, u16)| {
        left.iter().map(|&unit| key(unit)).cmp(right.iter().map(|&unit| key(unit)))
    };
    let order = by(character_key).then_with(|| by(mark_key));
    if ignore_case { order } else { order.then_with(|| by(case_key)) }
}

/// Returns bytes that compare, one by one, as [`compare`] does; no byte is zero but the last.
pub fn sort_key(text: &[u16], ignore_case: bool) -> Vec<u8> {
    const SEPARATOR: u8 = 1;
    let mut bytes = Vec::with_capacity(text.len() * 8 + 4);
    let mut level = |key: fn(u16) -> (u8, u16)| {
        for (class, value) in text.iter().map(|&unit| key(unit)) {
            bytes.extend([
                class + 2,
                (value >> 12) as u8 + 2,
                (value >> 6 & 63) as u8 + 2,
                (value & 63) as u8 + 2,
            ]);
        }
        bytes.push(SEPARATOR);
    };
    level(character_key);
    level(mark_key);
    if !ignore_case {
        level(case_key);
    }
    bytes.push(0);
    bytes
}

/// The base letter in small form: a letter that best fit knows, else the letter itself.
fn base(unit: u16) -> u16 {
    match best_fit_byte(unit) {
        Some(byte) if byte.is_ascii_alphanumeric() => u16::from(byte.to_ascii_lowercase()),
        _ => downcase(unit),
    }
}

fn character_key(unit: u16) -> (u8, u16) {
    let character = char::from_u32(u32::from(unit)).unwrap_or(char::MAX);
    let class = match () {
        () if character.is_alphabetic() => 2,
        () if character.is_numeric() => 1,
        () if unit >= 0xd800 => 3,
        () => 0,
    };
    (class, base(unit))
}

fn mark_key(unit: u16) -> (u8, u16) {
    (0, if downcase(unit) == base(unit) { 0 } else { downcase(unit) })
}

fn case_key(unit: u16) -> (u8, u16) {
    (u8::from(upcase(unit) == unit && downcase(unit) != unit), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_sort_as_in_a_dictionary() {
        let sorted = ["", "_", "1", "a", "A", "ä", "aB", "äb", "az", "b", "B", "co-op", "coop"];
        let mut words: Vec<Vec<u16>> =
            sorted.iter().rev().map(|word| word.encode_utf16().collect()).collect();
        words.sort_by(|a, b| compare(a, b, false));
        assert!(words.is_sorted_by_key(|word| sort_key(word, false)));
        assert_eq!(words.iter().map(|word| String::from_utf16_lossy(word)).collect::<Vec<_>>(), sorted);
        assert_eq!(compare(&[0x61], &[0x41], true), Ordering::Equal);
        assert_eq!(compare(&[0x61], &[0xc4], true), Ordering::Less);
    }
}
