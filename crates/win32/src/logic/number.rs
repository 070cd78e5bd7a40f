//! Text to numbers: `strtol` and `strtod` over bytes, with how much was read and whether the value fitted.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strtol-wcstol-strtol-l-wcstol-l>

/// The outcome of reading an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integer {
    /// The value; the nearest limit when it did not fit. Unsigned results are its bits.
    pub value: i128,
    /// Bytes read, white space and sign included; 0 when there was no number.
    pub length: usize,
    /// Whether the value did not fit: the caller sets `ERANGE`.
    pub out_of_range: bool,
}

/// Reads an integer as `strtol` (signed) or `strtoul` (unsigned) do. `base` is 0 or 2 to 36, `bits` 32 or 64.
///
/// An unsigned reader accepts a minus sign and wraps. `None` for another base: the caller sets `EINVAL`.
pub fn read_integer(text: &[u8], base: u32, bits: u32, signed: bool) -> Option<Integer> {
    if base == 1 || base > 36 || !(1..=64).contains(&bits) {
        return None;
    }
    let mut at = count_spaces(text);
    let (negative, sign_length) = read_sign(&text[at..]);
    at += sign_length;
    let is_hex =
        matches!(text.get(at..at + 3), Some([b'0', b'x' | b'X', digit]) if digit.is_ascii_hexdigit());
    let base = match base {
        0 if is_hex => 16,
        0 if text.get(at) == Some(&b'0') => 8,
        0 => 10,
        other => other,
    };
    if base == 16 && is_hex {
        at += 2;
    }
    let digits = text[at..].iter().map_while(|&byte| char::from(byte).to_digit(base));
    let mut magnitude = 0u128;
    let mut count = 0;
    for digit in digits {
        // Saturates far above 64 bits, so that a long text stays out of range.
        magnitude = (magnitude * u128::from(base) + u128::from(digit)).min(1 << 100);
        count += 1;
    }
    if count == 0 {
        return Some(Integer { value: 0, length: 0, out_of_range: false });
    }
    let (value, out_of_range) = limit(magnitude as i128, negative, bits, signed);
    Some(Integer { value, length: at + count, out_of_range })
}

fn limit(magnitude: i128, negative: bool, bits: u32, signed: bool) -> (i128, bool) {
    let range = 1i128 << bits;
    if signed {
        let value = if negative { -magnitude } else { magnitude };
        let limited = value.clamp(-(range / 2), range / 2 - 1);
        return (limited, limited != value);
    }
    if magnitude >= range {
        return (range - 1, true);
    }
    (if negative { (range - magnitude) % range } else { magnitude }, false)
}

/// The outcome of reading a floating-point number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Float {
    /// The value, correctly rounded; infinite on overflow.
    pub value: f64,
    /// Bytes read, white space and sign included; 0 when there was no number.
    pub length: usize,
    /// Whether it overflowed, or a number other than 0 became 0: the caller sets `ERANGE`.
    pub out_of_range: bool,
}

/// Reads a decimal floating-point number as msvcrt's `strtod` does: no `inf`, `nan` or hexadecimal; `d` is an exponent too.
pub fn read_float(text: &[u8]) -> Float {
    let start = count_spaces(text);
    let mut at = start + read_sign(&text[start..]).1;
    let integral = count_digits(&text[at..]);
    let first_digit = at;
    at += integral;
    let mut fraction = 0;
    if text.get(at) == Some(&b'.') {
        fraction = count_digits(&text[at + 1..]);
        at += if integral + fraction > 0 { 1 + fraction } else { 0 };
    }
    if integral + fraction == 0 {
        return Float { value: 0.0, length: 0, out_of_range: false };
    }
    let mantissa_end = at;
    if matches!(text.get(at), Some(b'e' | b'E' | b'd' | b'D')) {
        let sign = read_sign(&text[at + 1..]).1;
        let digits = count_digits(&text[at + 1 + sign..]);
        at += if digits > 0 { 1 + sign + digits } else { 0 };
    }
    let ascii: String = text[start..at].iter().map(|&byte| char::from(byte).to_ascii_lowercase()).collect();
    // The standard library rounds correctly and saturates; it does not know the exponent letter of Fortran.
    let value: f64 = ascii.replace('d', "e").parse().unwrap_or(0.0);
    let is_zero = text[first_digit..mantissa_end].iter().all(|byte| matches!(byte, b'0' | b'.'));
    Float { value, length: at, out_of_range: value.is_infinite() || value == 0.0 && !is_zero }
}

/// Returns how many bytes of C white space begin the text.
pub fn count_spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | 9..=13)).count()
}

fn count_digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn read_sign(text: &[u8]) -> (bool, usize) {
    match text.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_read_as_strtol_does() {
        let cases = [
            ("42", 10, 32, true, 42, 2, false),
            (" \t-42x", 10, 32, true, -42, 5, false),
            ("0x1F", 0, 32, true, 31, 4, false),
            ("0x1F", 16, 32, true, 31, 4, false),
            ("0xg", 0, 32, true, 0, 1, false),
            ("017", 0, 32, true, 15, 3, false),
            ("zz", 36, 32, true, 1295, 2, false),
            ("", 10, 32, true, 0, 0, false),
            ("-", 10, 32, true, 0, 0, false),
            ("2147483648", 10, 32, true, 2_147_483_647, 10, true),
            ("-2147483648", 10, 32, true, -2_147_483_648, 11, false),
            ("4294967296", 10, 32, false, 4_294_967_295, 10, true),
            ("-1", 10, 32, false, 4_294_967_295, 2, false),
            ("-0", 10, 32, false, 0, 2, false),
            ("18446744073709551615", 10, 64, false, u64::MAX.into(), 20, false),
            ("99999999999999999999999999999999999999999999", 10, 64, true, i64::MAX.into(), 44, true),
        ];
        for (text, base, bits, signed, value, length, out_of_range) in cases {
            let expected = Some(Integer { value, length, out_of_range });
            assert_eq!(read_integer(text.as_bytes(), base, bits, signed), expected, "{text}");
        }
        assert_eq!(read_integer(b"1", 1, 32, true), None);
        assert_eq!(read_integer(b"1", 37, 32, true), None);
    }

    #[test]
    fn floats_read_as_strtod_does() {
        let cases = [
            ("1.5", 1.5, 3, false),
            (" -.5e1x", -5.0, 6, false),
            ("5.", 5.0, 2, false),
            (".", 0.0, 0, false),
            ("1e", 1.0, 1, false),
            ("1e+", 1.0, 1, false),
            ("1d2", 100.0, 3, false),
            ("inf", 0.0, 0, false),
            ("1e999", f64::INFINITY, 5, true),
            ("1e-999", 0.0, 6, true),
            ("0e5", 0.0, 3, false),
            ("9007199254740993", 9_007_199_254_740_992.0, 16, false),
        ];
        for (text, value, length, out_of_range) in cases {
            assert_eq!(read_float(text.as_bytes()), Float { value, length, out_of_range }, "{text}");
        }
    }
}
