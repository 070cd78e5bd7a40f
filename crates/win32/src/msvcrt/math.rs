//! math.h: functions of doubles, and of floats where 64-bit programs import them.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::define::define;
use super::errno::{EDOM, ERANGE};
use super::state::set_errno;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full acos; full asin; full atan; full cos; full cosh; full exp; full fabs; full floor; full ceil; full log; full log10;
    full sin; full sinh; full sqrt; full tan; full tanh; full atan2; full pow; full fmod;
    full acosf; full asinf; full atanf; full cosf; full coshf; full expf; full floorf; full ceilf; full logf; full log10f;
    full sinf; full sinhf; full sqrtf; full tanf; full tanhf; full atan2f; full powf; full fmodf; full modff;
    full _hypot; full "hypot" = _hypot; full _hypotf; full _copysign; full _copysignf; full _chgsign; full _chgsignf; full _logb; full _scalb; full _nextafter;
    full _finite; full _finitef; full _isnan; full _isnanf; full _fpclass; full _fpclassf;
    full ldexp; full frexp; full modf;
    full abs; full labs; full _abs64; full div; full ldiv;
    full _rotl; full _rotr; full _lrotl; full _lrotr; full _rotl64; full _rotr64;
    full _byteswap_ushort; full _byteswap_ulong; full _byteswap_uint64;
};

/// Sets `errno` as the runtime does: EDOM when a number became none, ERANGE when it became infinite.
fn check(guest: &mut Guest, arguments: &[f64], result: f64) -> Result<f64, Fault> {
    if arguments.iter().all(|argument| argument.is_finite()) && !result.is_finite() {
        set_errno(guest, if result.is_nan() { EDOM } else { ERANGE })?;
    }
    Ok(result)
}

/// As [`check`], for a float's function.
fn check_single(guest: &mut Guest, arguments: &[f64], result: f64) -> Result<f32, Fault> {
    check(guest, arguments, result).map(|result| result as f32)
}

/// Defines functions of one number, for doubles and floats. `check` and `check_single` are the runtime's.
macro_rules! of_one {
    ($($double:ident, $float:ident, $doc:literal, $page:literal: $function:expr;)*) => {
        define! { $(
            $doc, $page;
            $double(guest, x: f64) -> f64 {
                let function: fn(f64) -> f64 = $function;
                check(guest, &[x], function(x))
            }
            $doc, $page;
            $float(guest, x: f32) -> f32 {
                let function: fn(f64) -> f64 = $function;
                check_single(guest, &[f64::from(x)], function(f64::from(x)))
            }
        )* }
    };
}
pub(crate) use of_one;

of_one! {
    acos, acosf, "Returns the arc cosine.", "acos-acosf-acosl": f64::acos;
    asin, asinf, "Returns the arc sine.", "asin-asinf-asinl": f64::asin;
    atan, atanf, "Returns the arc tangent.", "atan-atanf-atanl-atan2-atan2f-atan2l": f64::atan;
    cos, cosf, "Returns the cosine.", "cos-cosf-cosl": f64::cos;
    cosh, coshf, "Returns the hyperbolic cosine.", "cosh-coshf-coshl": f64::cosh;
    exp, expf, "Returns e to the power of a number.", "exp-expf": f64::exp;
    floor, floorf, "Rounds down.", "floor-floorf-floorl": f64::floor;
    ceil, ceilf, "Rounds up.", "ceil-ceilf-ceill": f64::ceil;
    log, logf, "Returns the natural logarithm.", "log-logf-log10-log10f": f64::ln;
    log10, log10f, "Returns the decimal logarithm.", "log-logf-log10-log10f": f64::log10;
    sin, sinf, "Returns the sine.", "sin-sinf-sinl": f64::sin;
    sinh, sinhf, "Returns the hyperbolic sine.", "sinh-sinhf-sinhl": f64::sinh;
    sqrt, sqrtf, "Returns the square root.", "sqrt-sqrtf-sqrtl": f64::sqrt;
    tan, tanf, "Returns the tangent.", "tan-tanf-tanl": f64::tan;
    tanh, tanhf, "Returns the hyperbolic tangent.", "tanh-tanhf-tanhl": f64::tanh;
    _chgsign, _chgsignf, "Changes the sign.", "chgsign-chgsignf-chgsignl": |x| -x;
}

/// Defines functions of two numbers, for doubles and floats.
macro_rules! of_two {
    ($($double:ident, $float:ident, $doc:literal, $page:literal: $function:expr;)*) => {
        define! { $(
            $doc, $page;
            $double(guest, x: f64, y: f64) -> f64 {
                let function: fn(f64, f64) -> f64 = $function;
                check(guest, &[x, y], function(x, y))
            }
            $doc, $page;
            $float(guest, x: f32, y: f32) -> f32 {
                let function: fn(f64, f64) -> f64 = $function;
                let (x, y) = (f64::from(x), f64::from(y));
                check_single(guest, &[x, y], function(x, y))
            }
        )* }
    };
}
pub(crate) use of_two;

of_two! {
    atan2, atan2f, "Returns the arc tangent of `x` / `y`, in all four quadrants.", "atan-atanf-atanl-atan2-atan2f-atan2l": f64::atan2;
    pow, powf, "Returns `x` to the power of `y`.", "pow-powf-powl": f64::powf;
    fmod, fmodf, "Returns the remainder of `x` / `y`, with the sign of `x`.", "fmod-fmodf": |x, y| x % y;
    _hypot, _hypotf, "Returns the length of the hypotenuse.", "hypot-hypotf-hypotl-hypot-hypotf-hypotl": f64::hypot;
    _copysign, _copysignf, "Returns `x` with the sign of `y`.", "copysign-copysignf-copysignl-copysign-copysignf-copysignl": f64::copysign;
}

/// Defines functions that need nothing of the guest.
macro_rules! plain {
    ($($name:ident($($param:ident: $type:ty),*) -> $result:ty, $doc:literal, $page:literal: $body:expr;)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", $page, ">")]
        #[winapi(cdecl)]
        pub fn $name(guest: &mut Guest, $($param: $type),*) -> $result {
            let _ = guest;
            $body
        }
    )*};
}
plain! {
    fabs(x: f64) -> f64, "Returns the absolute value.", "fabs-fabsf-fabsl": x.abs();
    _finite(x: f64) -> i32, "Says whether a number is neither infinite nor NaN.", "finite-finitef": i32::from(x.is_finite());
    _finitef(x: f32) -> i32, "Says whether a number is neither infinite nor NaN.", "finite-finitef": i32::from(x.is_finite());
    _isnan(x: f64) -> i32, "Says whether a number is NaN.", "isnan-isnan-isnanf": i32::from(x.is_nan());
    _isnanf(x: f32) -> i32, "Says whether a number is NaN.", "isnan-isnan-isnanf": i32::from(x.is_nan());
    _fpclass(x: f64) -> i32, "Returns the class of a number as one of the `_FPCLASS` bits.", "fpclass-fpclassf": class(x.classify(), x.is_sign_negative(), x.to_bits() & (1 << 51) != 0);
    _fpclassf(x: f32) -> i32, "Returns the class of a number as one of the `_FPCLASS` bits.", "fpclass-fpclassf": class(x.classify(), x.is_sign_negative(), x.to_bits() & (1 << 22) != 0);
    _logb(x: f64) -> f64, "Returns the binary exponent.", "logb-logbf-logbl-logb-logbf": if x == 0.0 { f64::NEG_INFINITY } else if x.is_finite() { f64::from(split(x).1 - 1) } else { x.abs() };
    _scalb(x: f64, exp: i32) -> f64, "Returns `x` times two to the power of `exp`.", "scalb-scalbf": scale(x, exp);
    abs(n: i32) -> i32, "Returns the absolute value.", "abs-labs-llabs-abs64": n.wrapping_abs();
    labs(n: i32) -> i32, "Returns the absolute value.", "abs-labs-llabs-abs64": n.wrapping_abs();
    _abs64(n: i64) -> i64, "Returns the absolute value.", "abs-labs-llabs-abs64": n.wrapping_abs();
    _rotl(value: u32, shift: i32) -> u32, "Rotates bits to the left.", "rotl-rotl64-rotr-rotr64": value.rotate_left(shift as u32 & 31);
    _rotr(value: u32, shift: i32) -> u32, "Rotates bits to the right.", "rotl-rotl64-rotr-rotr64": value.rotate_right(shift as u32 & 31);
    _lrotl(value: u32, shift: i32) -> u32, "Rotates bits to the left.", "lrotl-lrotr": value.rotate_left(shift as u32 & 31);
    _lrotr(value: u32, shift: i32) -> u32, "Rotates bits to the right.", "lrotl-lrotr": value.rotate_right(shift as u32 & 31);
    _rotl64(value: u64, shift: i32) -> u64, "Rotates bits to the left.", "rotl-rotl64-rotr-rotr64": value.rotate_left(shift as u32 & 63);
    _rotr64(value: u64, shift: i32) -> u64, "Rotates bits to the right.", "rotl-rotl64-rotr-rotr64": value.rotate_right(shift as u32 & 63);
    _byteswap_ushort(val: u16) -> u32, "Turns the bytes round.", "byteswap-uint64-byteswap-ulong-byteswap-ushort": u32::from(val.swap_bytes());
    _byteswap_ulong(val: u32) -> u32, "Turns the bytes round.", "byteswap-uint64-byteswap-ulong-byteswap-ushort": val.swap_bytes();
    _byteswap_uint64(val: u64) -> u64, "Turns the bytes round.", "byteswap-uint64-byteswap-ulong-byteswap-ushort": val.swap_bytes();
}

/// Returns the number next to `x` in the direction of `y`; ERANGE when it is not a normal one.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/nextafter-functions>
#[winapi(cdecl)]
pub fn _nextafter(guest: &mut Guest, x: f64, y: f64) -> Result<f64, Fault> {
    let next = match x.partial_cmp(&y) {
        Some(std::cmp::Ordering::Less) => x.next_up(),
        Some(std::cmp::Ordering::Greater) => x.next_down(),
        Some(std::cmp::Ordering::Equal) => y,
        None => x + y,
    };
    if x != y && !next.is_nan() && x.is_finite() && !next.is_normal() {
        set_errno(guest, ERANGE)?;
    }
    Ok(next)
}

/// Returns the `_FPCLASS` bit of a number.
fn class(category: std::num::FpCategory, negative: bool, quiet: bool) -> i32 {
    use std::num::FpCategory::{Infinite, Nan, Normal, Subnormal, Zero};
    let (below, above) = match category {
        Nan if quiet => return 2,
        Nan => return 1,
        Infinite => (0x4, 0x200),
        Normal => (0x8, 0x100),
        Subnormal => (0x10, 0x80),
        Zero => (0x20, 0x40),
    };
    if negative { below } else { above }
}

/// Splits a number into a fraction of at least one half and below one, and an exponent of two.
pub(crate) fn split(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    // Subnormal numbers are made normal first: 2^54 is exact.
    let (scaled, bias) = if x.is_subnormal() { (x * 18_014_398_509_481_984.0, 54) } else { (x, 0) };
    let bits = scaled.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent - bias)
}

/// Multiplies by a power of two in steps that stay exact.
pub(crate) fn scale(mut x: f64, exponent: i32) -> f64 {
    let mut rest = exponent.clamp(-2200, 2200);
    while rest != 0 {
        let step = rest.clamp(-1000, 1000);
        x *= f64::from_bits(((1023 + i64::from(step)) as u64) << 52);
        rest -= step;
    }
    x
}

/// Multiplies by a power of two.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/ldexp>
#[winapi(cdecl)]
pub fn ldexp(guest: &mut Guest, x: f64, exp: i32) -> Result<f64, Fault> {
    check(guest, &[x], scale(x, exp))
}

/// Splits a number into a fraction and an exponent of two, which is stored.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/frexp>
#[winapi(cdecl)]
pub fn frexp(guest: &mut Guest, x: f64, expptr: GuestWord) -> Result<f64, Fault> {
    let (fraction, exponent) = split(x);
    guest.write(expptr.0, &exponent)?;
    Ok(fraction)
}

/// Splits a number into its fraction and its whole part, which is stored.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/modf-modff-modfl>
#[winapi(cdecl)]
pub fn modf(guest: &mut Guest, x: f64, intptr: GuestWord) -> Result<f64, Fault> {
    guest.write(intptr.0, &x.trunc())?;
    Ok(if x.is_infinite() { 0f64.copysign(x) } else { (x - x.trunc()).copysign(x) })
}

/// Splits a number into its fraction and its whole part, which is stored.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/modf-modff-modfl>
#[winapi(cdecl)]
pub fn modff(guest: &mut Guest, x: f32, intptr: GuestWord) -> Result<f32, Fault> {
    guest.write(intptr.0, &x.trunc())?;
    Ok(if x.is_infinite() { 0f32.copysign(x) } else { (x - x.trunc()).copysign(x) })
}

/// Returns quotient and remainder in a structure of eight bytes, which travels in registers.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/div>
#[winapi(cdecl)]
pub fn div(guest: &mut Guest, numer: i32, denom: i32) -> u64 {
    let _ = guest;
    let (quotient, remainder) = (numer.checked_div(denom), numer.checked_rem(denom));
    u64::from(quotient.unwrap_or(0) as u32) | u64::from(remainder.unwrap_or(numer) as u32) << 32
}

/// Returns quotient and remainder in a structure of eight bytes, which travels in registers.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/ldiv-lldiv>
#[winapi(cdecl)]
pub fn ldiv(guest: &mut Guest, numer: i32, denom: i32) -> u64 {
    div(guest, numer, denom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_and_scale_are_inverse_at_the_ends_too() {
        for x in [1.0, -0.75, 1e308, -3e-310, f64::MIN_POSITIVE, f64::from_bits(1), f64::MAX, 0.0] {
            let (fraction, exponent) = split(x);
            assert_eq!(scale(fraction, exponent), x);
            assert!(x == 0.0 || (0.5..1.0).contains(&fraction.abs()), "{x}");
        }
        assert_eq!(split(8.0), (0.5, 4));
        assert_eq!(scale(1.0, 5000), f64::INFINITY);
        assert_eq!(scale(1.0, -1074), f64::from_bits(1));
    }

    #[test]
    fn classes_are_bits() {
        use std::num::FpCategory::{Infinite, Nan, Zero};
        assert_eq!(
            [class(Nan, false, true), class(Infinite, true, false), class(Zero, false, false)],
            [2, 4, 0x40]
        );
    }
}
