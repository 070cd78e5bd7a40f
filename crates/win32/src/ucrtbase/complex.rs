//! complex.h: numbers of two doubles, which 64-bit programs pass by reference, and of two floats, which are eight bytes.

use plat_abi::{Fault, GuestWord, Memory, VarArgs, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::complex::{Complex, complex};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full cacos; full cacosh; full casin; full casinh; full catan; full catanh; full ccos; full ccosh; full cexp; full clog; full clog10; full conj;
    full cproj; full csin; full csinh; full csqrt; full ctan; full ctanh; full cabs; full carg; full cimag; full creal; full norm;
    full "cacosl" = cacos; full "cacoshl" = cacosh; full "casinl" = casin; full "casinhl" = casinh; full "catanl" = catan; full "catanhl" = catanh;
    full "ccosl" = ccos; full "ccoshl" = ccosh; full "cexpl" = cexp; full "clogl" = clog; full "clog10l" = clog10; full "conjl" = conj; full "cprojl" = cproj;
    full "csinl" = csin; full "csinhl" = csinh; full "csqrtl" = csqrt; full "ctanl" = ctan; full "ctanhl" = ctanh;
    full "cabsl" = cabs; full "cargl" = carg; full "cimagl" = cimag; full "creall" = creal; full "norml" = norm;
    full cacosf; full cacoshf; full casinf; full casinhf; full catanf; full catanhf; full ccosf; full ccoshf; full cexpf; full clogf; full clog10f; full conjf;
    full cprojf; full csinf; full csinhf; full csqrtf; full ctanf; full ctanhf; full cabsf; full cargf; full cimagf; full crealf; full normf;
    full cpow; full "cpowl" = cpow; full cpowf; full _Cmulcc; full "_LCmulcc" = _Cmulcc; full _FCmulcc; stub _Cmulcr; stub _LCmulcr; full _FCmulcr;
    full _Cbuild; full "_LCbuild" = _Cbuild; full _FCbuild;
};

/// The one that msvcrt has too.
pub const OLD_EXPORTS: &[Export] = dll! { full "_cabs" = cabs; };

/// Reads the number at a place of the arguments; 32-bit programs have it there, 64-bit ones its address.
fn number(guest: &Guest, list: u64, index: u64) -> Result<Complex, Fault> {
    let address = match guest.machine().is_64() {
        true => guest.read_word(list + 8 * index)?,
        false => list + 16 * index,
    };
    Ok(complex(f64::from_bits(guest.read(address)?), f64::from_bits(guest.read(address + 8)?)))
}

fn give(guest: &Guest, to: GuestWord, value: Complex) -> Result<GuestWord, Fault> {
    guest.write(to.0, &value.re.to_bits())?;
    guest.write(to.0 + 8, &value.im.to_bits())?;
    Ok(to)
}

fn unpack(bits: u64) -> Complex {
    complex(f32::from_bits(bits as u32).into(), f32::from_bits((bits >> 32) as u32).into())
}

fn pack(value: Complex) -> u64 {
    u64::from((value.re as f32).to_bits()) | u64::from((value.im as f32).to_bits()) << 32
}

/// Defines functions from a complex number to one, for doubles and floats.
macro_rules! maps {
    ($($text:literal: $double:ident, $float:ident = $function:path;)*) => {$(
        #[doc = $text]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
        #[winapi(cdecl)]
        pub fn $double(guest: &mut Guest, result: GuestWord, z: VarArgs) -> Result<GuestWord, Fault> {
            let z = number(guest, z.0, 0)?;
            give(guest, result, $function(z))
        }

        #[doc = $text]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
        #[winapi(cdecl)]
        pub fn $float(guest: &mut Guest, z: u64) -> u64 {
            let _ = guest;
            pack($function(unpack(z)))
        }
    )*};
}
maps! {
    "Returns the arc cosine.": cacos, cacosf = Complex::acos;
    "Returns the area hyperbolic cosine.": cacosh, cacoshf = Complex::acosh;
    "Returns the arc sine.": casin, casinf = Complex::asin;
    "Returns the area hyperbolic sine.": casinh, casinhf = Complex::asinh;
    "Returns the arc tangent.": catan, catanf = Complex::atan;
    "Returns the area hyperbolic tangent.": catanh, catanhf = Complex::atanh;
    "Returns the cosine.": ccos, ccosf = Complex::cos;
    "Returns the hyperbolic cosine.": ccosh, ccoshf = Complex::cosh;
    "Returns e to a power.": cexp, cexpf = Complex::exp;
    "Returns the natural logarithm.": clog, clogf = Complex::log;
    "Returns the logarithm to the base 10.": clog10, clog10f = Complex::log10;
    "Returns the number mirrored at the real axis.": conj, conjf = Complex::conj;
    "Returns the number, or the one infinity.": cproj, cprojf = Complex::proj;
    "Returns the sine.": csin, csinf = Complex::sin;
    "Returns the hyperbolic sine.": csinh, csinhf = Complex::sinh;
    "Returns the square root.": csqrt, csqrtf = Complex::sqrt;
    "Returns the tangent.": ctan, ctanf = Complex::tan;
    "Returns the hyperbolic tangent.": ctanh, ctanhf = Complex::tanh;
}

/// Defines functions from a complex number to a real one, for doubles and floats.
macro_rules! measures {
    ($($text:literal: $double:ident, $float:ident = $function:expr;)*) => {$(
        #[doc = $text]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
        #[winapi(cdecl)]
        pub fn $double(guest: &mut Guest, z: VarArgs) -> Result<f64, Fault> {
            Ok($function(number(guest, z.0, 0)?))
        }

        #[doc = $text]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
        #[winapi(cdecl)]
        pub fn $float(guest: &mut Guest, z: u64) -> f32 {
            let _ = guest;
            $function(unpack(z)) as f32
        }
    )*};
}
measures! {
    "Returns the distance from zero.": cabs, cabsf = Complex::abs;
    "Returns the angle.": carg, cargf = Complex::arg;
    "Returns the imaginary part.": cimag, cimagf = (|z: Complex| z.im);
    "Returns the real part.": creal, crealf = (|z: Complex| z.re);
    "Returns the square of the distance from zero.": norm, normf = Complex::norm;
}

/// Defines functions of two complex numbers, for doubles and floats.
macro_rules! pairs {
    ($($text:literal: $double:ident, $float:ident = $function:path;)*) => {$(
        #[doc = $text]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
        #[winapi(cdecl)]
        pub fn $double(guest: &mut Guest, result: GuestWord, numbers: VarArgs) -> Result<GuestWord, Fault> {
            let (x, y) = (number(guest, numbers.0, 0)?, number(guest, numbers.0, 1)?);
            give(guest, result, $function(x, y))
        }

        #[doc = $text]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
        #[winapi(cdecl)]
        pub fn $float(guest: &mut Guest, x: u64, y: u64) -> u64 {
            let _ = guest;
            pack($function(unpack(x), unpack(y)))
        }
    )*};
}
pairs! {
    "Returns a number to a power.": cpow, cpowf = Complex::pow;
    "Returns the product of two numbers.": _Cmulcc, _FCmulcc = Complex::times;
}

/// Makes a number of its parts.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
#[winapi(cdecl)]
pub fn _Cbuild(guest: &mut Guest, result: GuestWord, real: f64, imaginary: f64) -> Result<GuestWord, Fault> {
    give(guest, result, complex(real, imaginary))
}

/// Makes a number of its parts.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
#[winapi(cdecl)]
pub fn _FCbuild(guest: &mut Guest, real: f32, imaginary: f32) -> u64 {
    let _ = guest;
    pack(complex(real.into(), imaginary.into()))
}

/// Returns the product with a real number.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>
#[winapi(cdecl)]
pub fn _FCmulcr(guest: &mut Guest, z: u64, factor: f32) -> u64 {
    let _ = guest;
    let (z, factor) = (unpack(z), f64::from(factor));
    pack(complex(z.re * factor, z.im * factor))
}
