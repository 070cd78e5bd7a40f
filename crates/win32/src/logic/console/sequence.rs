//! Control sequences: what follows `ESC [`, in both directions. Key item: [`scan`].
//!
//! Source: ECMA-48, 5th edition, section 5.4.

/// The most numbers kept of a sequence; more are read and forgotten.
const NUMBERS_MAX: usize = 16;
/// The longest sequence that is waited for; what is longer is none.
const LENGTH_MAX: usize = 128;

/// A control sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// `<`, `=`, `>` or `?` before the numbers; 0 without.
    pub marker: u8,
    numbers: [u16; NUMBERS_MAX],
    count: usize,
    /// The byte between the numbers and the last one; 0 without.
    pub intermediate: u8,
    /// The last byte, which names the function.
    pub last: u8,
}

impl Sequence {
    /// Returns the number at a place; `otherwise` where it is not given or 0.
    pub fn number(&self, at: usize, otherwise: u16) -> u16 {
        match self.numbers().get(at) {
            Some(0) | None => otherwise,
            Some(&number) => number,
        }
    }

    /// Returns all numbers; a missing one is 0.
    pub fn numbers(&self) -> &[u16] {
        &self.numbers[..self.count]
    }
}

/// What is found after `ESC [`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// The beginning of a sequence.
    Unfinished,
    /// No sequence.
    None,
    /// A sequence of this many bytes, without the two before it.
    Sequence(usize, Sequence),
}

/// Reads the bytes after `ESC [`. Never panics.
pub fn scan(bytes: &[u8]) -> Scanned {
    let mut found = Sequence { marker: 0, numbers: [0; NUMBERS_MAX], count: 0, intermediate: 0, last: 0 };
    let mut places = 0;
    for (at, &byte) in bytes.iter().take(LENGTH_MAX).enumerate() {
        match byte {
            b'<'..=b'?' if at == 0 => found.marker = byte,
            b'0'..=b'9' => {
                places = places.max(1);
                if let Some(number) = found.numbers.get_mut(places - 1) {
                    *number = number.saturating_mul(10).saturating_add(u16::from(byte - b'0'));
                }
            }
            // A colon stands between the parts of one number (colours); they are read as numbers.
            b';' | b':' => places = places.max(1) + 1,
            b' '..=b'/' => found.intermediate = byte,
            b'@'..=b'~' => {
                (found.last, found.count) = (byte, places.min(NUMBERS_MAX));
                return Scanned::Sequence(at + 1, found);
            }
            _ => return Scanned::None,
        }
    }
    if bytes.len() >= LENGTH_MAX { Scanned::None } else { Scanned::Unfinished }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sequences_are_taken_apart() {
        let read = |text: &str| match scan(text.as_bytes()) {
            Scanned::Sequence(length, found) => {
                format!("{length} {:?} {:?} {}", found.marker as char, found.numbers(), found.last as char)
            }
            other => format!("{other:?}"),
        };
        let cases = [
            ("A", "1 '\\0' [] A"),
            ("1;5Ax", "4 '\\0' [1, 5] A"),
            (";5H", "3 '\\0' [0, 5] H"),
            ("<0;10;2M", "8 '<' [0, 10, 2] M"),
            ("99999999m", "9 '\\0' [65535] m"),
            ("1;", "Unfinished"),
            ("1\u{1b}", "None"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            if let Scanned::Sequence(length, found) = scan(&bytes) {
                prop_assert!(length <= bytes.len());
                prop_assert_eq!(found.last, bytes[length - 1]);
            }
        }
    }
}
