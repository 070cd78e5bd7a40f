//! Bytes from hexadecimal text, for the published vectors in tests.

/// Returns the bytes that a text of hexadecimal digits stands for.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).expect("a digit") as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
