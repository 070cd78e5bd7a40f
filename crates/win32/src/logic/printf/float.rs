//! `%e %f %g %a`: exact decimal digits from the standard library, laid out as the C runtimes do.

use super::{Options, Runtime, Spec, sign_text};

/// A formatted number: the sign, and what zeros may be put in front of.
pub(super) struct Number {
    pub(super) sign: String,
    pub(super) digits: String,
    pub(super) is_finite: bool,
}

pub(super) fn format(value: f64, letter: u8, spec: &Spec, options: Options) -> Number {
    let upper = letter.is_ascii_uppercase();
    let magnitude = value.abs();
    let mut sign = sign_text(value.is_sign_negative(), spec).to_owned();
    let digits = if !value.is_finite() {
        not_finite(value, options.runtime, spec, letter)
    } else {
        match letter.to_ascii_lowercase() {
            b'f' => fixed(magnitude, spec.precision.unwrap_or(6), spec.alternate, options),
            b'e' => exponential(magnitude, spec.precision.unwrap_or(6), spec.alternate, options),
            b'g' => general(magnitude, spec.precision.unwrap_or(6), spec.alternate, options),
            _ => {
                sign.push_str(if upper { "0X" } else { "0x" });
                hexadecimal(magnitude, spec.precision, spec.alternate)
            }
        }
    };
    let digits = if upper { digits.to_ascii_uppercase() } else { digits };
    Number { sign, digits, is_finite: value.is_finite() }
}

/// msvcrt writes the class as decimals of 1 and cuts or pads it to the precision; the UCRT writes words.
fn not_finite(value: f64, runtime: Runtime, spec: &Spec, letter: u8) -> String {
    const QUIET_BIT: u64 = 1 << 51;
    let is_default_nan = value.is_sign_negative() && value.to_bits() << 12 == QUIET_BIT << 12;
    if runtime == Runtime::Ucrt {
        let word = match () {
            () if value.is_infinite() => "inf",
            () if is_default_nan => "nan(ind)",
            () if value.to_bits() & QUIET_BIT == 0 => "nan(snan)",
            () => "nan",
        };
        return word.to_owned();
    }
    let class = match () {
        () if value.is_infinite() => "#INF",
        () if is_default_nan => "#IND",
        () if value.to_bits() & QUIET_BIT == 0 => "#SNAN",
        () => "#QNAN",
    };
    // `%g` strips the zeros that the other conversions pad with.
    let wanted = spec.precision.unwrap_or(6);
    let strip = matches!(letter, b'g' | b'G') && !spec.alternate;
    let wanted = if strip { wanted.saturating_sub(1).min(class.len()) } else { wanted };
    let mut text: String = class.chars().chain(std::iter::repeat('0')).take(wanted).collect();
    // The class is cut as if it were digits: what follows rounds its last letter up, so that `1.#INF` becomes `1.#J`.
    if class.as_bytes().get(wanted).is_some_and(|&next| next >= b'5')
        && let Some(last) = text.pop()
    {
        text.push(char::from(last as u8 + 1));
    }
    let exponent = if matches!(letter, b'e' | b'E') { "e+000" } else { "" };
    if wanted > 0 {
        text.insert(0, '.');
    }
    format!("1{text}{exponent}")
}

fn fixed(magnitude: f64, precision: usize, alternate: bool, options: Options) -> String {
    let point = if alternate && precision == 0 { "." } else { "" };
    format!("{}{point}", decimal(magnitude, precision, options))
}

/// Formats with any precision: a double has at most 1074 decimals, the rest are zeros.
fn decimal(magnitude: f64, precision: usize, options: Options) -> String {
    let exact = precision.min(1100);
    if options.runtime == Runtime::Msvcrt && is_half(&format!("{magnitude:.1100}"), exact) {
        // The next double is far less than half a digit away, and lies above the half.
        return format!("{:.exact$}{}", magnitude.next_up(), "0".repeat(precision - exact));
    }
    format!("{magnitude:.exact$}{}", "0".repeat(precision - exact))
}

/// Says whether what follows `precision` decimals of an exact text is a 5 and zeros: the UCRT rounds that to even, msvcrt up.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/printf-printf-l-wprintf-wprintf-l>
fn is_half(text: &str, precision: usize) -> bool {
    let rest = text.split_once('.').and_then(|(_, decimals)| decimals.get(precision..)).unwrap_or("");
    rest.starts_with('5') && rest[1..].bytes().all(|byte| byte == b'0')
}

/// Returns the digits `d.ddd` and the decimal exponent, rounded to `precision` decimals.
fn scientific(magnitude: f64, precision: usize, options: Options) -> (String, i32) {
    let exact = precision.min(1100);
    let mut text = format!("{magnitude:.exact$e}");
    if options.runtime == Runtime::Msvcrt {
        let all = format!("{magnitude:.1100e}");
        if is_half(all.split('e').next().unwrap_or(""), exact) {
            text = format!("{:.exact$e}", magnitude.next_up());
        }
    }
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (format!("{digits}{}", "0".repeat(precision - exact)), exponent.parse().unwrap_or(0))
}

fn exponential(magnitude: f64, precision: usize, alternate: bool, options: Options) -> String {
    let (digits, exponent) = scientific(magnitude, precision, options);
    let point = if alternate && precision == 0 { "." } else { "" };
    format!("{digits}{point}{}", exponent_text(exponent, options))
}

fn exponent_text(exponent: i32, options: Options) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    let width = if options.three_digits { 3 } else { 2 };
    format!("e{sign}{:0width$}", exponent.unsigned_abs())
}

fn general(magnitude: f64, precision: usize, alternate: bool, options: Options) -> String {
    let precision = precision.max(1);
    let (digits, exponent) = scientific(magnitude, precision - 1, options);
    let strip = |text: String| match text.contains('.') && !alternate {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    let point = |text: String| if alternate && !text.contains('.') { text + "." } else { text };
    if exponent < -4 || exponent >= precision as i32 {
        return format!("{}{}", point(strip(digits)), exponent_text(exponent, options));
    }
    let decimals = precision as i32 - 1 - exponent;
    point(strip(decimal(magnitude, decimals as usize, options)))
}

/// Formats `h.hhhp±d`, rounding half to even.
fn hexadecimal(magnitude: f64, precision: Option<usize>, alternate: bool) -> String {
    let bits = magnitude.to_bits();
    let (mut mantissa, exponent) = match bits >> 52 {
        0 if bits == 0 => (0, 0),
        0 => (bits, -1022),
        biased => (bits & ((1 << 52) - 1) | 1 << 52, biased as i32 - 1023),
    };
    let decimals = precision.unwrap_or(13);
    if decimals < 13 {
        let dropped = 4 * (13 - decimals) as u32;
        let half = 1u64 << (dropped - 1);
        let is_odd = mantissa >> dropped & 1;
        mantissa += half - 1 + is_odd;
        mantissa &= !((1 << dropped) - 1);
    }
    let all = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let digits: String = all.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let point = if digits.is_empty() && !alternate { "" } else { "." };
    format!("{}{point}{digits}p{exponent:+}", mantissa >> 52)
}
