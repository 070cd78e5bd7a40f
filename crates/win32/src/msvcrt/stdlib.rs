//! stdlib.h: numbers from text and back, random numbers, sorting and searching.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::{EINVAL, ERANGE};
use super::state::{block, set_errno, thread_block, write_narrow_z};
use super::twins::{GuestUnit, check_room, write_z};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::number::{read_float, read_integer, standard_point};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _atoi64; full strtol; full _strtoi64; full "strtoll" = _strtoi64; full _wtoi64; full wcstol; full _wcstoi64;
    full _itoa; full "itoa" = _itoa; full _ltoa; full "ltoa" = _ltoa; full _ultoa; full _i64toa; full _ui64toa;
    full _itow; full _ltow; full _ultow; full _i64tow; full _ui64tow;
    full _itoa_s; full _ltoa_s; full _ultoa_s; full _i64toa_s; full _ui64toa_s; full _itow_s;
    full _ecvt; full _fcvt;
    full rand; full srand; full rand_s;
    full _ltow_s; full _ultow_s; full _i64tow_s; full _ui64tow_s; full _ecvt_s; full _fcvt_s;
    full "ecvt" = _ecvt; full "fcvt" = _fcvt;
};

/// Those that the Universal CRT has in another form: there texts like `inf` are numbers, and what overflows is the limit.
pub const OLD_EXPORTS: &[Export] = dll! {
    full atoi; full atol; full atof; full strtoul; full _strtoui64; full "strtoull" = _strtoui64; full strtod;
    full _wtoi; full _wtol; full _wtof; full wcstoul; full _wcstoui64; full wcstod;
    full _gcvt; full "gcvt" = _gcvt; full _gcvt_s; full _atoflt; full _atodbl; full "_atoldbl" = _atodbl;
};

/// Narrow text, or wide text cut down to bytes: a unit beyond ASCII ends a number.
pub(crate) fn read_text(guest: &Guest, address: u64, wide: bool) -> Result<Vec<u8>, Fault> {
    if !wide {
        return guest.read_c_string(address);
    }
    let units = guest.read_wide_string(address)?;
    Ok(units.into_iter().map_while(|unit| u8::try_from(unit).ok().filter(u8::is_ascii)).collect())
}

/// Reads text of a floating-point number, with a full stop in the place of the locale's decimal point.
pub(crate) fn read_float_text(guest: &Guest, address: u64, wide: bool) -> Result<Vec<u8>, Fault> {
    let mut text = read_text(guest, address, wide)?;
    let point = super::state::crt(guest).locale.decimal_point();
    if point != b'.' {
        text.iter_mut().for_each(|byte| *byte = standard_point(*byte, point));
    }
    Ok(text)
}

/// What a reader of integers is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) bits: u32,
    pub(crate) signed: bool,
    pub(crate) wide: bool,
    /// Whether an unsigned number below zero that is out of range is the limit negated.
    pub(crate) negates_limit: bool,
}

pub(crate) const fn kind(bits: u32, signed: bool, wide: bool) -> Kind {
    Kind { bits, signed, wide, negates_limit: !signed }
}

/// Reads an integer, stores where it ends, sets `errno`.
pub(crate) fn integer(guest: &mut Guest, text: u64, end: u64, base: i32, kind: Kind) -> Result<u64, Fault> {
    let bytes = read_text(guest, text, kind.wide)?;
    let read = u32::try_from(base).ok().and_then(|base| read_integer(&bytes, base, kind.bits, kind.signed));
    let length = read.as_ref().map_or(0, |read| read.length as u64);
    if end != 0 {
        guest.write_word(end, text + length * if kind.wide { 2 } else { 1 })?;
    }
    match read {
        None => set_errno(guest, EINVAL).map(|()| 0),
        Some(read) => {
            if read.out_of_range {
                set_errno(guest, ERANGE)?;
                // msvcrt negates even the limit.
                if kind.negates_limit && bytes[..read.length].contains(&b'-') {
                    return Ok((read.value as u64).wrapping_neg());
                }
            }
            Ok(read.value as u64)
        }
    }
}

/// Reads a floating-point number, stores where it ends, sets `errno`.
fn float(guest: &mut Guest, text: u64, end: u64, wide: bool) -> Result<f64, Fault> {
    let read = read_float(&read_float_text(guest, text, wide)?);
    if end != 0 {
        guest.write_word(end, text + read.length as u64 * if wide { 2 } else { 1 })?;
    }
    if read.out_of_range {
        set_errno(guest, ERANGE)?;
    }
    Ok(read.value)
}

/// Writes a number in a base; a sign only in base 10.
fn digits(value: u64, base: i32, negative: bool) -> String {
    let base = u64::from(base.clamp(2, 36) as u32);
    let mut rest = value;
    let mut text = Vec::new();
    loop {
        let digit = (rest % base) as u32;
        text.push(char::from_digit(digit, 36).expect("the digit is below the base"));
        rest /= base;
        if rest == 0 {
            break;
        }
    }
    if negative {
        text.push('-');
    }
    text.iter().rev().collect()
}

fn signed_digits(value: i64, base: i32, bits: u32) -> String {
    if base == 10 {
        return digits(value.unsigned_abs(), base, value < 0);
    }
    digits(if bits == 32 { u64::from(value as u32) } else { value as u64 }, base, false)
}

/// Stores digits in a buffer of known size.
pub(crate) fn store_checked<T: GuestUnit>(
    guest: &Guest,
    buffer: u64,
    size: u64,
    text: &str,
) -> Result<i32, Fault> {
    let code = check_room(size, text.len() as u64);
    if code == 0 {
        store::<T>(guest, buffer, text)?;
    }
    Ok(code)
}

/// Stores digits.
fn store<T: GuestUnit>(guest: &Guest, buffer: u64, text: &str) -> Result<(), Fault> {
    write_z(guest, buffer, &text.bytes().map(T::from).collect::<Vec<T>>())
}

/// Defines the readers: name, kind, result; those without an end pointer read base 10.
macro_rules! readers {
    (short $($name:ident($kind:expr) -> $result:ty, $page:literal;)*) => {
        define! { $(
            "Reads a decimal number.", $page;
            $name(guest, str: GuestWord) -> $result {
                integer(guest, str.0, 0, 10, $kind).map(|value| value as $result)
            }
        )* }
    };
    (long $($name:ident($kind:expr) -> $result:ty, $page:literal;)*) => {
        define! { $(
            "Reads a number in a base, 0 for the base that its prefix says; stores where it ends.", $page;
            $name(guest, strSource: GuestWord, endptr: GuestWord, base: i32) -> $result {
                integer(guest, strSource.0, endptr.0, base, $kind).map(|value| value as $result)
            }
        )* }
    };
}
pub(crate) use readers;

readers! { short
    atoi(kind(64, true, false)) -> i32, "atoi-atoi-l-wtoi-wtoi-l";
    atol(kind(64, true, false)) -> i32, "atol-atol-l-wtol-wtol-l";
    _atoi64(kind(64, true, false)) -> i64, "atoi64-atoi64-l-wtoi64-wtoi64-l";
    _wtoi(kind(64, true, true)) -> i32, "atoi-atoi-l-wtoi-wtoi-l";
    _wtol(kind(64, true, true)) -> i32, "atol-atol-l-wtol-wtol-l";
    _wtoi64(kind(64, true, true)) -> i64, "atoi64-atoi64-l-wtoi64-wtoi64-l";
}
readers! { long
    strtol(kind(32, true, false)) -> i32, "strtol-wcstol-strtol-l-wcstol-l";
    strtoul(kind(32, false, false)) -> u32, "strtoul-strtoul-l-wcstoul-wcstoul-l";
    _strtoi64(kind(64, true, false)) -> i64, "strtoi64-wcstoi64-strtoi64-l-wcstoi64-l";
    _strtoui64(kind(64, false, false)) -> u64, "strtoui64-wcstoui64-strtoui64-l-wcstoui64-l";
    wcstol(kind(32, true, true)) -> i32, "strtol-wcstol-strtol-l-wcstol-l";
    wcstoul(kind(32, false, true)) -> u32, "strtoul-strtoul-l-wcstoul-wcstoul-l";
    _wcstoi64(kind(64, true, true)) -> i64, "strtoi64-wcstoi64-strtoi64-l-wcstoi64-l";
    _wcstoui64(kind(64, false, true)) -> u64, "strtoui64-wcstoui64-strtoui64-l-wcstoui64-l";
}

/// Defines the writers of numbers: narrow, wide, both with a size.
macro_rules! writers {
    ($($narrow:ident, $wide:ident, $safe:ident, $wide_safe:ident($type:ty): $text:expr;)*) => {
        define! { $(
            "Writes a number in a base.", "itoa-itow";
            $narrow(guest, value: $type, buffer: GuestWord, radix: i32) -> GuestWord {
                let text: fn($type, i32) -> String = $text;
                store::<u8>(guest, buffer.0, &text(value, radix)).map(|()| buffer)
            }
            "Writes a number in a base as wide text.", "itoa-itow";
            $wide(guest, value: $type, buffer: GuestWord, radix: i32) -> GuestWord {
                let text: fn($type, i32) -> String = $text;
                store::<u16>(guest, buffer.0, &text(value, radix)).map(|()| buffer)
            }
            "Writes a number in a base into a buffer of known size.", "itoa-s-itow-s";
            $safe(guest, value: $type, buffer: GuestWord, size: GuestWord, radix: i32) -> i32 {
                let text: fn($type, i32) -> String = $text;
                store_checked::<u8>(guest, buffer.0, size.0, &text(value, radix))
            }
            "Writes a number in a base as wide text into a buffer of known size.", "itoa-s-itow-s";
            $wide_safe(guest, value: $type, buffer: GuestWord, size: GuestWord, radix: i32) -> i32 {
                let text: fn($type, i32) -> String = $text;
                store_checked::<u16>(guest, buffer.0, size.0, &text(value, radix))
            }
        )* }
    };
}
writers! {
    _itoa, _itow, _itoa_s, _itow_s(i32): |value, base| signed_digits(value.into(), base, 32);
    _ltoa, _ltow, _ltoa_s, _ltow_s(i32): |value, base| signed_digits(value.into(), base, 32);
    _ultoa, _ultow, _ultoa_s, _ultow_s(u32): |value, base| digits(value.into(), base, false);
    _i64toa, _i64tow, _i64toa_s, _i64tow_s(i64): |value, base| signed_digits(value, base, 64);
    _ui64toa, _ui64tow, _ui64toa_s, _ui64tow_s(u64): |value, base| digits(value, base, false);
}

/// The generator of `rand`: a linear congruential one with 15 bits of result.
///
/// Source: the published sequence of `rand` after `srand(1)`: 41, 18467, 6334, …
fn next_random(state: u32) -> (u32, i32) {
    let next = state.wrapping_mul(214_013).wrapping_add(2_531_011);
    (next, (next >> 16 & 0x7fff) as i32)
}

/// Returns the significant digits of a number, the decimal point's position and the sign, for `_ecvt` and `_fcvt`.
fn decimal(value: f64, count: i32, after_point: bool) -> (String, i32, bool) {
    let (magnitude, count) = (value.abs(), count.clamp(0, 80) as usize);
    let text = if after_point {
        format!("{magnitude:.count$}")
    } else {
        let scientific = format!("{magnitude:.*e}", count.saturating_sub(1));
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let point = if magnitude == 0.0 { 0 } else { exponent.parse::<i32>().unwrap_or(0) + 1 };
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).take(count).collect();
        return (digits, point, value.is_sign_negative());
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let all = format!("{}{fraction}", whole.trim_start_matches('0'));
    let mut point = whole.trim_start_matches('0').len() as i32;
    let mut digits = all.as_str();
    if point == 0 && magnitude != 0.0 {
        digits = all.trim_start_matches('0');
        point = digits.len() as i32 - all.len() as i32;
        if digits.is_empty() {
            // Nothing is left of the number: the point stays where its first digit would be.
            let exponent = format!("{magnitude:e}");
            point = exponent.split_once('e').and_then(|(_, e)| e.parse::<i32>().ok()).unwrap_or(0) + 1;
        }
    }
    (digits.to_owned(), point, value.is_sign_negative())
}

fn store_decimal(
    guest: &mut Guest,
    (text, point, negative): (String, i32, bool),
    dec: GuestWord,
    sign: GuestWord,
) -> Result<GuestWord, Fault> {
    let to = thread_block(guest)? + block::CVT;
    guest.write(dec.0, &point)?;
    guest.write(sign.0, &i32::from(negative))?;
    write_narrow_z(guest, to, &text.as_bytes()[..text.len().min(360)])?;
    Ok(GuestWord(to))
}

fn store_decimal_s(
    guest: &mut Guest,
    buffer: GuestWord,
    size: u64,
    (text, point, negative): (String, i32, bool),
    [dec, sign]: [GuestWord; 2],
) -> Result<i32, Fault> {
    guest.write(dec.0, &point)?;
    guest.write(sign.0, &i32::from(negative))?;
    store_checked::<u8>(guest, buffer.0, size, &text)
}

/// `_OVERFLOW` and `_UNDERFLOW`, for a number that was not written as zero.
pub(crate) fn range_code(value: f64, was_something: bool) -> i32 {
    match () {
        () if value.is_infinite() => 3,
        () if value == 0.0 && was_something => 4,
        () => 0,
    }
}

define! {
    "Reads a floating-point number.", "atof-atof-l-wtof-wtof-l";
    atof(guest, str: GuestWord) -> f64 {
        float(guest, str.0, 0, false)
    }
    "Reads a floating-point number.", "atof-atof-l-wtof-wtof-l";
    _wtof(guest, str: GuestWord) -> f64 {
        float(guest, str.0, 0, true)
    }
    "Reads a floating-point number; stores where it ends.", "strtod-strtod-l-wcstod-wcstod-l";
    strtod(guest, strSource: GuestWord, endptr: GuestWord) -> f64 {
        float(guest, strSource.0, endptr.0, false)
    }
    "Reads a floating-point number; stores where it ends.", "strtod-strtod-l-wcstod-wcstod-l";
    wcstod(guest, strSource: GuestWord, endptr: GuestWord) -> f64 {
        float(guest, strSource.0, endptr.0, true)
    }
    "Writes a floating-point number with so many significant digits, as `%g` does.", "gcvt";
    _gcvt(guest, value: f64, digits: i32, buffer: GuestWord) -> GuestWord {
        let text = super::format::general(guest, value, digits);
        write_narrow_z(guest, buffer.0, &text)?;
        Ok(buffer)
    }
    "Returns `count` significant digits of a number, without point and sign, which are stored.", "ecvt";
    _ecvt(guest, value: f64, count: i32, dec: GuestWord, sign: GuestWord) -> GuestWord {
        store_decimal(guest, decimal(value, count, false), dec, sign)
    }
    "Returns the digits of a number up to `count` after the point, without point and sign, which are stored.", "fcvt";
    _fcvt(guest, value: f64, count: i32, dec: GuestWord, sign: GuestWord) -> GuestWord {
        store_decimal(guest, decimal(value, count, true), dec, sign)
    }
    "Returns the thread's next random number, 0 to 32767.", "rand";
    rand(guest) -> i32 {
        let slot = thread_block(guest)? + block::RANDOM;
        let (state, result) = next_random(guest.read(slot)?);
        guest.write(slot, &state)?;
        Ok(result)
    }
    "Starts the thread's random numbers anew.", "srand";
    srand(guest, seed: u32) -> () {
        let slot = thread_block(guest)? + block::RANDOM;
        guest.write(slot, &seed)
    }
    "Stores a random number of the system.", "rand-s";
    rand_s(guest, randomValue: GuestWord) -> i32 {
        if randomValue.is_null() {
            return Ok(EINVAL);
        }
        let hasher = std::hash::BuildHasher::build_hasher(&std::collections::hash_map::RandomState::new());
        guest.write(randomValue.0, &(std::hash::Hasher::finish(&hasher) as u32))?;
        Ok(0)
    }
    "Writes a number with so many significant digits into a buffer of known size.", "gcvt-s";
    _gcvt_s(guest, buffer: GuestWord, sizeInBytes: GuestWord, value: f64, digits: i32) -> i32 {
        let text = super::format::general(guest, value, digits);
        store_checked::<u8>(guest, buffer.0, sizeInBytes.0, &String::from_utf8_lossy(&text))
    }
    "Stores `count` significant digits of a number, without point and sign, which are stored too.", "ecvt-s";
    _ecvt_s(guest, buffer: GuestWord, sizeInBytes: GuestWord, value: f64, count: i32, dec: GuestWord, sign: GuestWord) -> i32 {
        store_decimal_s(guest, buffer, sizeInBytes.0, decimal(value, count, false), [dec, sign])
    }
    "Stores the digits of a number up to `count` after the point, without point and sign, which are stored too.", "fcvt-s";
    _fcvt_s(guest, buffer: GuestWord, sizeInBytes: GuestWord, value: f64, count: i32, dec: GuestWord, sign: GuestWord) -> i32 {
        store_decimal_s(guest, buffer, sizeInBytes.0, decimal(value, count, true), [dec, sign])
    }
    "Reads a float; returns 0, `_OVERFLOW` (3) or `_UNDERFLOW` (4).", "atodbl-atodbl-l-atoldbl-atoldbl-l-atoflt-atoflt-l";
    _atoflt(guest, value: GuestWord, str: GuestWord) -> i32 {
        let read = read_float(&read_float_text(guest, str.0, false)?);
        let single = read.value as f32;
        guest.write(value.0, &single.to_bits())?;
        Ok(range_code(f64::from(single), read.value != 0.0 || read.out_of_range))
    }
    "Reads a double; returns 0, `_OVERFLOW` (3) or `_UNDERFLOW` (4).", "atodbl-atodbl-l-atoldbl-atoldbl-l-atoflt-atoflt-l";
    _atodbl(guest, value: GuestWord, str: GuestWord) -> i32 {
        let read = read_float(&read_float_text(guest, str.0, false)?);
        guest.write(value.0, &read.value.to_bits())?;
        Ok(range_code(read.value, read.out_of_range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_are_msvcrts() {
        let mut state = 1;
        let mut numbers = Vec::new();
        for _ in 0..6 {
            let (next, number) = next_random(state);
            state = next;
            numbers.push(number);
        }
        assert_eq!(numbers, [41, 18467, 6334, 26500, 19169, 15724]);
    }

    #[test]
    fn numbers_are_written_in_any_base() {
        assert_eq!(signed_digits(-255, 10, 32), "-255");
        assert_eq!(signed_digits(-1, 16, 32), "ffffffff");
        assert_eq!(signed_digits(-1, 16, 64), "ffffffffffffffff");
        assert_eq!(digits(35, 36, false), "z");
        assert_eq!(digits(0, 2, false), "0");
    }

    #[test]
    fn digits_before_and_after_the_point() {
        let ecvt = |value, count| decimal(value, count, false);
        assert_eq!(ecvt(std::f64::consts::PI, 5), ("31416".into(), 1, false));
        assert_eq!(ecvt(-0.001_23, 2), ("12".into(), -2, true));
        assert_eq!(decimal(std::f64::consts::PI, 3, true), ("3142".into(), 1, false));
        assert_eq!(decimal(0.001_23, 4, true), ("12".into(), -2, false));
    }
}
