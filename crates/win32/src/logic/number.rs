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
    let was_open = matches!(base, 0 | 16);
    let base = match base {
        0 if is_hex => 16,
        0 if text.get(at) == Some(&b'0') => 8,
        0 => 10,
        other => other,
    };
    if base == 16 && is_hex {
        at += 2;
    } else if matches!(base, 8 | 16) && matches!(text.get(at..at + 2), Some([b'0', b'x' | b'X'])) && was_open
    {
        // A prefix without digits is no number at all.
        return Some(Integer { value: 0, length: 0, out_of_range: false });
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

/// Returns a byte of a number with a locale's decimal point as it is with a full stop, which itself means nothing then.
pub fn standard_point(byte: u8, point: u8) -> u8 {
    match byte {
        _ if byte == point => b'.',
        b'.' => 0,
        other => other,
    }
}

/// Reads a floating-point number as the Universal CRT's `strtod` does: `inf`, `nan`, hexadecimal ones too, but no `d`.
pub fn read_float_c99(text: &[u8]) -> Float {
    let start = count_spaces(text);
    let (negative, sign) = read_sign(&text[start..]);
    let at = start + sign;
    let rest = &text[at..];
    let signed = |value: f64| if negative { -value } else { value };
    let begins = |word: &[u8]| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word);
    for word in [b"infinity".as_slice(), b"inf"] {
        if begins(word) {
            return Float { value: signed(f64::INFINITY), length: at + word.len(), out_of_range: false };
        }
    }
    if begins(b"nan") {
        let inner = rest[3..].strip_prefix(b"(").and_then(|inner| {
            let length =
                inner.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            (inner.get(length) == Some(&b')')).then_some(length + 2)
        });
        return Float { value: signed(f64::NAN), length: at + 3 + inner.unwrap_or(0), out_of_range: false };
    }
    if begins(b"0x")
        && let Some((value, length, out_of_range)) = read_hexadecimal(&rest[2..])
    {
        return Float { value: signed(value), length: at + 2 + length, out_of_range };
    }
    let decimal_end = text.iter().position(|byte| matches!(byte, b'd' | b'D')).unwrap_or(text.len());
    read_float(&text[..decimal_end])
}

/// Reads `h.hhhp±d` behind its prefix: value, bytes, whether it is out of range.
fn read_hexadecimal(text: &[u8]) -> Option<(f64, usize, bool)> {
    let (mut mantissa, mut sticky, mut exponent, mut digits, mut seen_point, mut at) =
        (0u64, false, 0i64, 0, false, 0);
    while let Some(&byte) = text.get(at) {
        if byte == b'.' && !seen_point {
            seen_point = true;
        } else if let Some(digit) = char::from(byte).to_digit(16) {
            digits += 1;
            if mantissa >> 59 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if seen_point { 4 } else { 0 };
            } else {
                sticky |= digit != 0;
                exponent += if seen_point { 0 } else { 4 };
            }
        } else {
            break;
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    if matches!(text.get(at), Some(b'p' | b'P')) {
        let (negative, sign) = read_sign(&text[at + 1..]);
        let count = count_digits(&text[at + 1 + sign..]);
        if count > 0 {
            let digits = &text[at + 1 + sign..at + 1 + sign + count];
            let power =
                digits.iter().fold(0i64, |sum, byte| (sum * 10 + i64::from(byte - b'0')).min(1 << 40));
            exponent = exponent.saturating_add(if negative { -power } else { power });
            at += 1 + sign + count;
        }
    }
    let value = scale_exactly(mantissa | u64::from(sticky), exponent.clamp(-5000, 5000) as i32);
    Some((value, at, value.is_infinite() || value == 0.0 && mantissa != 0))
}

/// Returns `mantissa` times two to the power of `exponent`, rounded once, to even.
fn scale_exactly(mantissa: u64, exponent: i32) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let top = 63 - mantissa.leading_zeros() as i32 + exponent;
    // The place of the last bit that a double of this size has.
    let last = (top - 52).max(-1074);
    let shift = last - exponent;
    let kept = match shift {
        ..=0 => u128::from(mantissa) << (-shift).min(63),
        1..=64 => {
            let wide = u128::from(mantissa);
            let (whole, rest, half) = (wide >> shift, wide & ((1 << shift) - 1), 1u128 << (shift - 1));
            whole + u128::from(rest > half || rest == half && whole & 1 == 1)
        }
        _ => 0,
    };
    // Two exact steps: the number has at most 54 bits, and powers of two below 2^-1022 are not normal.
    let half = last / 2;
    kept as f64 * 2f64.powi(half) * 2f64.powi(last - half)
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
            ("0xg", 0, 32, true, 0, 0, false),
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
