//! math.h of C99, as the Universal CRT and msvcr120 export it: doubles, floats, and `long double`, which is a double.

use plat_abi::{Fault, GuestWord, Memory};
use plat_host::libm;

use crate::dll;
use crate::export::{Code, Export};
use crate::guest::Guest;
use crate::msvcrt::define::define;
use crate::msvcrt::errno::{EDOM, ERANGE};
use crate::msvcrt::math::{self, of_one, of_two};
use crate::msvcrt::state::set_errno;

/// The exports of this file for doubles.
pub const EXPORTS: &[Export] = dll! {
    full acosh; full asinh; full atanh; full cbrt; full exp2; full expm1; full log1p; full log2; full erf; full erfc;
    full tgamma; full lgamma; full round; full trunc; full logb;
    full "acoshl" = acosh; full "asinhl" = asinh; full "atanhl" = atanh; full "cbrtl" = cbrt; full "exp2l" = exp2;
    full "expm1l" = expm1; full "log1pl" = log1p; full "log2l" = log2; full "erfl" = erf; full "erfcl" = erfc;
    full "tgammal" = tgamma; full "lgammal" = lgamma; full "roundl" = round; full "truncl" = trunc; full "logbl" = logb;
    full fdim; full fmax; full fmin; full remainder; full copysign; full nexttoward;
    full "fdiml" = fdim; full "fmaxl" = fmax; full "fminl" = fmin; full "remainderl" = remainder;
    full "nextafter" = math::_nextafter; full "nextafterl" = math::_nextafter; full "copysignl" = copysign; full "nexttowardl" = nexttoward;
    full fma; full "fmal" = fma; full remquo; full "remquol" = remquo; full ilogb; full "ilogbl" = ilogb;
    full scalbn; full "scalbnl" = scalbn; full "scalbln" = scalbn; full "scalblnl" = scalbn;
    full lround; full "lroundl" = lround; full llround; full "llroundl" = llround; full nan; full "nanl" = nan;
    code rint: RINT; code rintl: RINT; code nearbyint: RINT; code nearbyintl: RINT;
    code lrint: LRINT; code lrintl: LRINT; code llrint: LLRINT; code llrintl: LLRINT;
    full _dclass; full _dsign; full _dtest; full "_ldclass" = _dclass; full "_ldsign" = _dsign; full "_ldtest" = _dtest;
    full _dpcomp; full "_ldpcomp" = _dpcomp;
    full "llabs" = math::_abs64; full "imaxabs" = math::_abs64; full lldiv; full "imaxdiv" = lldiv;
};

/// The exports of this file for floats.
pub const FLOAT_EXPORTS: &[Export] = dll! {
    full acoshf; full asinhf; full atanhf; full cbrtf; full exp2f; full expm1f; full log1pf; full log2f; full erff; full erfcf;
    full tgammaf; full lgammaf; full roundf; full truncf; full logbf; full "_logbf" = logbf;
    full fdimf; full fmaxf; full fminf; full remainderf; full nextafterf; full "_nextafterf" = nextafterf; full copysignf; full nexttowardf;
    full fmaf; full remquof; full ilogbf; full scalbnf; full "scalblnf" = scalbnf; full "_scalbf" = scalbnf; full lroundf; full llroundf; full nanf;
    code rintf: RINTF; code nearbyintf: RINTF; code lrintf: LRINTF; code llrintf: LLRINTF;
    full _fdclass; full _fdsign; full _fdtest; full _fdpcomp;
};

/// The 32-bit intrinsics of `/arch:SSE2`: one number in XMM0, the result there too.
pub const SSE2_EXPORTS: &[Export] = dll! {
    code _libm_sse2_sqrt_precise: SSE2_SQRT; code _libm_sse2_log10_precise: SSE2_LOG10; code _libm_sse2_log_precise: SSE2_LOG;
    code _libm_sse2_exp_precise: SSE2_EXP; code _libm_sse2_sin_precise: SSE2_SIN; code _libm_sse2_cos_precise: SSE2_COS;
    code _libm_sse2_tan_precise: SSE2_TAN; code _libm_sse2_asin_precise: SSE2_ASIN; code _libm_sse2_acos_precise: SSE2_ACOS;
    code _libm_sse2_atan_precise: SSE2_ATAN; code _libm_sse2_pow_precise: SSE2_POW;
    code __libm_sse2_acos: SSE2_ACOS; code __libm_sse2_asin: SSE2_ASIN; code __libm_sse2_atan: SSE2_ATAN; code __libm_sse2_cos: SSE2_COS; code __libm_sse2_exp: SSE2_EXP; code __libm_sse2_log: SSE2_LOG; code __libm_sse2_log10: SSE2_LOG10; code __libm_sse2_pow: SSE2_POW; code __libm_sse2_sin: SSE2_SIN; code __libm_sse2_tan: SSE2_TAN;
};

/// Rounds by the current mode: `fld; frndint; ret` and `roundsd xmm0, xmm0, 4; ret`.
static RINT: Code = Code {
    i386: &[0xdd, 0x44, 0x24, 0x04, 0xd9, 0xfc, 0xc3],
    amd64: &[0x66, 0x0f, 0x3a, 0x0b, 0xc0, 0x04, 0xc3],
    slow: None,
};
static RINTF: Code = Code {
    i386: &[0xd9, 0x44, 0x24, 0x04, 0xd9, 0xfc, 0xc3],
    amd64: &[0x66, 0x0f, 0x3a, 0x0a, 0xc0, 0x04, 0xc3],
    slow: None,
};
/// Rounds by the current mode to a `long`: `fld; push ecx; fistp [esp]; pop eax; ret` and `cvtsd2si eax, xmm0; ret`.
static LRINT: Code = Code {
    i386: &[0xdd, 0x44, 0x24, 0x04, 0x51, 0xdb, 0x1c, 0x24, 0x58, 0xc3],
    amd64: &[0xf2, 0x0f, 0x2d, 0xc0, 0xc3],
    slow: None,
};
static LRINTF: Code = Code {
    i386: &[0xd9, 0x44, 0x24, 0x04, 0x51, 0xdb, 0x1c, 0x24, 0x58, 0xc3],
    amd64: &[0xf3, 0x0f, 0x2d, 0xc0, 0xc3],
    slow: None,
};
/// The same to 64 bits: `fld; sub esp, 8; fistp; pop eax; pop edx; ret` and `cvtsd2si rax, xmm0; ret`.
static LLRINT: Code = Code {
    i386: &[0xdd, 0x44, 0x24, 0x04, 0x83, 0xec, 0x08, 0xdf, 0x3c, 0x24, 0x58, 0x5a, 0xc3],
    amd64: &[0xf2, 0x48, 0x0f, 0x2d, 0xc0, 0xc3],
    slow: None,
};
static LLRINTF: Code = Code {
    i386: &[0xd9, 0x44, 0x24, 0x04, 0x83, 0xec, 0x08, 0xdf, 0x3c, 0x24, 0x58, 0x5a, 0xc3],
    amd64: &[0xf3, 0x48, 0x0f, 0x2d, 0xc0, 0xc3],
    slow: None,
};
static SSE2_SQRT: Code = Code { i386: &[0xf2, 0x0f, 0x51, 0xc0, 0xc3], amd64: &[], slow: None };

/// Makes intrinsics of one number: it is passed on the stack to the function that follows, whose result lies in ST0:
/// `sub esp,8; movsd [esp],xmm0; call over; fstp [esp]; movsd xmm0,[esp]; add esp,8; ret; over:`.
macro_rules! sse2 {
    ($($code:ident => $function:path;)*) => {$(
        static $code: Code = Code {
            i386: &[
                0x83, 0xec, 0x08, 0xf2, 0x0f, 0x11, 0x04, 0x24, 0xe8, 0x0c, 0, 0, 0, 0xdd, 0x1c, 0x24, 0xf2, 0x0f, 0x10,
                0x04, 0x24, 0x83, 0xc4, 0x08, 0xc3,
            ],
            amd64: &[],
            slow: Some(&<$function as plat_abi::Api<Guest>>::DESCRIPTOR),
        };
    )*};
}
sse2! {
    SSE2_LOG10 => math::log10;
    SSE2_LOG => math::log;
    SSE2_EXP => math::exp;
    SSE2_SIN => math::sin;
    SSE2_COS => math::cos;
    SSE2_TAN => math::tan;
    SSE2_ASIN => math::asin;
    SSE2_ACOS => math::acos;
    SSE2_ATAN => math::atan;
}

/// The same with two numbers, in XMM0 and XMM1.
static SSE2_POW: Code = Code {
    i386: &[
        0x83, 0xec, 0x10, 0xf2, 0x0f, 0x11, 0x04, 0x24, 0xf2, 0x0f, 0x11, 0x4c, 0x24, 0x08, 0xe8, 0x0c, 0, 0,
        0, 0xdd, 0x1c, 0x24, 0xf2, 0x0f, 0x10, 0x04, 0x24, 0x83, 0xc4, 0x10, 0xc3,
    ],
    amd64: &[],
    slow: Some(&<math::pow as plat_abi::Api<Guest>>::DESCRIPTOR),
};

/// Sets `errno`: EDOM when a number became none, ERANGE when a finite one became infinite.
pub(crate) fn check(guest: &mut Guest, arguments: &[f64], result: f64) -> Result<f64, Fault> {
    if result.is_nan() && !arguments.iter().any(|argument| argument.is_nan()) {
        set_errno(guest, EDOM)?;
    } else if result.is_infinite() && arguments.iter().all(|argument| argument.is_finite()) {
        set_errno(guest, ERANGE)?;
    }
    Ok(result)
}

/// As [`check`], for a float's function, whose result is a double's, rounded.
fn check_single(guest: &mut Guest, arguments: &[f64], result: f64) -> Result<f32, Fault> {
    check(guest, arguments, f64::from(result as f32)).map(|result| result as f32)
}

of_one! {
    acosh, acoshf, "Returns the inverse hyperbolic cosine.", "acosh-acoshf-acoshl": f64::acosh;
    asinh, asinhf, "Returns the inverse hyperbolic sine.", "asinh-asinhf-asinhl": f64::asinh;
    atanh, atanhf, "Returns the inverse hyperbolic tangent.", "atanh-atanhf-atanhl": f64::atanh;
    cbrt, cbrtf, "Returns the cube root.", "cbrt-cbrtf-cbrtl": f64::cbrt;
    exp2, exp2f, "Returns 2 to the power of a number.", "exp2-exp2f-exp2l": f64::exp2;
    expm1, expm1f, "Returns e to the power of a number, less 1.", "expm1-expm1f-expm1l": f64::exp_m1;
    log1p, log1pf, "Returns the natural logarithm of 1 and a number.", "log1p-log1pf-log1pl2": f64::ln_1p;
    log2, log2f, "Returns the binary logarithm.", "log2-log2f-log2l": f64::log2;
    erf, erff, "Returns the error function.", "erf-erff-erfl-erfc-erfcf-erfcl": |x| libm::erf(x);
    erfc, erfcf, "Returns the complementary error function.", "erf-erff-erfl-erfc-erfcf-erfcl": |x| libm::erfc(x);
    tgamma, tgammaf, "Returns the gamma function.", "tgamma-tgammaf-tgammal": |x| libm::tgamma(x);
    lgamma, lgammaf, "Returns the logarithm of the gamma function.", "lgamma-lgammaf-lgammal": libm::lgamma;
    round, roundf, "Rounds to the nearest integer, halves away from zero.", "round-roundf-roundl": f64::round;
    trunc, truncf, "Rounds towards zero.", "trunc-truncf-truncl": f64::trunc;
    logb, logbf, "Returns the binary exponent.", "logb-logbf-logbl-logb-logbf": exponent;
}

of_two! {
    fdim, fdimf, "Returns how much greater `x` is than `y`, at least 0.", "fdim-fdimf-fdiml": |x, y| if x > y { x - y } else if x <= y { 0.0 } else { x + y };
    fmax, fmaxf, "Returns the greater number.", "fmax-fmaxf-fmaxl": f64::max;
    fmin, fminf, "Returns the smaller number.", "fmin-fminf-fminl": f64::min;
    remainder, remainderf, "Returns the remainder whose quotient is rounded to the nearest.", "remainder-remainderf-remainderl": |x, y| libm::remainder(x, y);
    copysign, copysignf, "Returns `x` with the sign of `y`.", "copysign-copysignf-copysignl-copysign-copysignf-copysignl": f64::copysign;
}

fn exponent(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x.is_finite() { f64::from(math::split(x).1 - 1) } else { x * x }
}

/// Returns the exponent as `ilogb` does: `FP_ILOGB0` is `INT_MIN`, of infinities and NaN `INT_MAX`.
fn integer_exponent(x: f64) -> i32 {
    match () {
        () if x == 0.0 => i32::MIN,
        () if x.is_finite() => math::split(x).1 - 1,
        () => i32::MAX,
    }
}

/// Rounds halves away from zero; what does not fit sets EDOM.
fn to_integer(guest: &mut Guest, x: f64, bits: u32) -> Result<i64, Fault> {
    let rounded = x.round();
    let limit = 2f64.powi(bits as i32 - 1);
    if (-limit..limit).contains(&rounded) {
        return Ok(rounded as i64);
    }
    set_errno(guest, EDOM)?;
    Ok(if bits == 32 { i64::from(i32::MIN) } else { i64::MIN })
}

/// `_fpclassify`'s answers: infinite 1, NaN 2, normal -1, subnormal -2, zero 0.
fn class(category: std::num::FpCategory) -> i16 {
    match category {
        std::num::FpCategory::Infinite => 1,
        std::num::FpCategory::Nan => 2,
        std::num::FpCategory::Normal => -1,
        std::num::FpCategory::Subnormal => -2,
        std::num::FpCategory::Zero => 0,
    }
}

/// `_FP_LT` 1, `_FP_EQ` 2, `_FP_GT` 4; unordered 0.
fn compare(x: f64, y: f64) -> i32 {
    x.partial_cmp(&y).map_or(0, |order| 2i32 << (order as i32 + 1) >> 1)
}

define! {
    "Returns the number next to `x` in the direction of `y`.", "nextafter-functions";
    nexttoward(guest, x: f64, y: f64) -> f64 { math::_nextafter(guest, x, y) }

    "Returns the float next to `x` in the direction of `y`.", "nextafter-functions";
    nextafterf(guest, x: f32, y: f32) -> f32 {
        let next = if x < y { x.next_up() } else if x > y { x.next_down() } else { x + y - x };
        if x != y && x.is_finite() && !next.is_nan() && !next.is_normal() {
            set_errno(guest, ERANGE)?;
        }
        Ok(next)
    }

    "Returns the number next to `x` in the direction of a double.", "nextafter-functions";
    nexttowardf(guest, x: f32, y: f64) -> f32 {
        let _ = guest;
        let wide = f64::from(x);
        Ok(if wide < y { x.next_up() } else if wide > y { x.next_down() } else { y as f32 })
    }

    "Returns `x` * `y` + `z`, rounded once.", "fma-fmaf-fmal";
    fma(guest, x: f64, y: f64, z: f64) -> f64 { check(guest, &[x, y, z], x.mul_add(y, z)) }

    "Returns `x` * `y` + `z`, rounded once.", "fma-fmaf-fmal";
    fmaf(guest, x: f32, y: f32, z: f32) -> f32 {
        let result = x.mul_add(y, z);
        check(guest, &[x.into(), y.into(), z.into()], result.into())?;
        Ok(result)
    }

    "Returns the remainder as `remainder` does, and stores bits of the quotient.", "remquo-remquof-remquol";
    remquo(guest, numer: f64, denom: f64, quo: GuestWord) -> f64 {
        let (rest, quotient) = libm::remainder_and_quotient(numer, denom);
        guest.write(quo.0, &quotient)?;
        check(guest, &[numer, denom], rest)
    }

    "Returns the remainder as `remainderf` does, and stores bits of the quotient.", "remquo-remquof-remquol";
    remquof(guest, numer: f32, denom: f32, quo: GuestWord) -> f32 {
        remquo(guest, numer.into(), denom.into(), quo).map(|rest| rest as f32)
    }

    "Returns the binary exponent as an integer.", "ilogb-ilogbf-ilogbl2";
    ilogb(guest, x: f64) -> i32 {
        let _ = guest;
        Ok(integer_exponent(x))
    }

    "Returns the binary exponent as an integer.", "ilogb-ilogbf-ilogbl2";
    ilogbf(guest, x: f32) -> i32 {
        let _ = guest;
        Ok(integer_exponent(x.into()))
    }

    "Returns `x` times two to the power of `exp`.", "scalbn-scalbnf-scalbnl-scalbln-scalblnf-scalblnl";
    scalbn(guest, x: f64, exp: i32) -> f64 { check(guest, &[x], math::scale(x, exp)) }

    "Returns `x` times two to the power of `exp`.", "scalbn-scalbnf-scalbnl-scalbln-scalblnf-scalblnl";
    scalbnf(guest, x: f32, exp: i32) -> f32 {
        let result = math::scale(x.into(), exp) as f32;
        check(guest, &[x.into()], result.into())?;
        Ok(result)
    }

    "Rounds to the nearest `long`, halves away from zero.", "lround-lroundf-lroundl-llround-llroundf-llroundl";
    lround(guest, x: f64) -> i32 { to_integer(guest, x, 32).map(|value| value as i32) }

    "Rounds to the nearest `long`, halves away from zero.", "lround-lroundf-lroundl-llround-llroundf-llroundl";
    lroundf(guest, x: f32) -> i32 { to_integer(guest, x.into(), 32).map(|value| value as i32) }

    "Rounds to the nearest `long long`, halves away from zero.", "lround-lroundf-lroundl-llround-llroundf-llroundl";
    llround(guest, x: f64) -> i64 { to_integer(guest, x, 64) }

    "Rounds to the nearest `long long`, halves away from zero.", "lround-lroundf-lroundl-llround-llroundf-llroundl";
    llroundf(guest, x: f32) -> i64 { to_integer(guest, x.into(), 64) }

    "Returns a quiet NaN.", "nan-nanf-nanl";
    nan(guest, input: GuestWord) -> f64 {
        let _ = (guest, input);
        Ok(f64::NAN)
    }

    "Returns a quiet NaN.", "nan-nanf-nanl";
    nanf(guest, input: GuestWord) -> f32 {
        let _ = (guest, input);
        Ok(f32::NAN)
    }

    "Returns what kind of number `x` is, as `fpclassify` has it.", "fpclassify";
    _dclass(guest, x: f64) -> i32 {
        let _ = guest;
        Ok(class(x.classify()).into())
    }

    "Returns what kind of number `x` is, as `fpclassify` has it.", "fpclassify";
    _fdclass(guest, x: f32) -> i32 {
        let _ = guest;
        Ok(class(x.classify()).into())
    }

    "Says whether the sign bit is set: 0x8000 or 0.", "signbit";
    _dsign(guest, x: f64) -> i32 {
        let _ = guest;
        Ok(if x.is_sign_negative() { 0x8000 } else { 0 })
    }

    "Says whether the sign bit is set: 0x8000 or 0.", "signbit";
    _fdsign(guest, x: f32) -> i32 {
        let _ = guest;
        Ok(if x.is_sign_negative() { 0x8000 } else { 0 })
    }

    "Returns what kind of number lies at an address.", "fpclassify";
    _dtest(guest, px: GuestWord) -> i32 {
        let value = f64::from_bits(guest.read_u64(px.0)?);
        Ok(class(value.classify()).into())
    }

    "Returns what kind of number lies at an address.", "fpclassify";
    _fdtest(guest, px: GuestWord) -> i32 {
        let value = f32::from_bits(guest.read_u32(px.0)?);
        Ok(class(value.classify()).into())
    }

    "Compares two numbers: 1 less, 2 equal, 4 greater, 0 unordered.", "floating-point-ordering";
    _dpcomp(guest, x: f64, y: f64) -> i32 {
        let _ = guest;
        Ok(compare(x, y))
    }

    "Compares two numbers: 1 less, 2 equal, 4 greater, 0 unordered.", "floating-point-ordering";
    _fdpcomp(guest, x: f32, y: f32) -> i32 {
        let _ = guest;
        Ok(compare(x.into(), y.into()))
    }

    "Divides; stores quotient and remainder where the caller wants the structure.", "div";
    lldiv(guest, result: GuestWord, numer: i64, denom: i64) -> GuestWord {
        guest.write(result.0, &(numer.checked_div(denom).unwrap_or(0) as u64))?;
        guest.write(result.0 + 8, &(numer.checked_rem(denom).unwrap_or(0) as u64))?;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_classified_and_compared() {
        assert_eq!(
            [1.0, 0.0, f64::NAN, f64::INFINITY, 5e-324].map(|x| class(x.classify())),
            [-1, 0, 2, 1, -2]
        );
        assert_eq!(
            [compare(1.0, 2.0), compare(2.0, 2.0), compare(3.0, 2.0), compare(f64::NAN, 1.0)],
            [1, 2, 4, 0]
        );
        assert_eq!([0.0, 1.0, 0.75, f64::NAN].map(integer_exponent), [i32::MIN, 0, -1, i32::MAX]);
    }
}
