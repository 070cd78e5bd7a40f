//! Functions of the C library's `libm` that the standard library of Rust does not have.
//!
//! They are glibc's: faithfully rounded, which is what Windows' own are.

// SAFETY: (1) the signatures are those of `math.h`; (2) the functions are pure but for `errno` and the flags of the
// floating-point unit, which belong to the calling thread.
unsafe extern "C" {
    /// Returns the error function.
    pub safe fn erf(x: f64) -> f64;
    /// Returns the complementary error function.
    pub safe fn erfc(x: f64) -> f64;
    /// Returns the gamma function.
    pub safe fn tgamma(x: f64) -> f64;
    /// Returns the error function, in single precision.
    pub safe fn erff(x: f32) -> f32;
    /// Returns the complementary error function, in single precision.
    pub safe fn erfcf(x: f32) -> f32;
    /// Returns the gamma function, in single precision.
    pub safe fn tgammaf(x: f32) -> f32;
    /// Returns the Bessel function of the first kind of order 0.
    pub safe fn j0(x: f64) -> f64;
    /// Returns the Bessel function of the first kind of order 1.
    pub safe fn j1(x: f64) -> f64;
    /// Returns the Bessel function of the first kind of order `n`.
    pub safe fn jn(n: i32, x: f64) -> f64;
    /// Returns the Bessel function of the second kind of order 0.
    pub safe fn y0(x: f64) -> f64;
    /// Returns the Bessel function of the second kind of order 1.
    pub safe fn y1(x: f64) -> f64;
    /// Returns the Bessel function of the second kind of order `n`.
    pub safe fn yn(n: i32, x: f64) -> f64;
    /// Returns the remainder of `x` / `y` whose quotient is rounded to the nearest.
    pub safe fn remainder(x: f64, y: f64) -> f64;
}

// SAFETY: as above, and (3) the pointers are those of live local variables.
unsafe extern "C" {
    fn lgamma_r(x: f64, sign: *mut i32) -> f64;
    fn remquo(x: f64, y: f64, quotient: *mut i32) -> f64;
}

/// Returns the logarithm of the absolute value of the gamma function.
pub fn lgamma(x: f64) -> f64 {
    let mut sign = 0;
    // SAFETY: (3): `sign` lives until the call has returned.
    unsafe { lgamma_r(x, &raw mut sign) }
}

/// Returns the remainder as [`remainder`] does, and the low bits of the quotient with its sign.
pub fn remainder_and_quotient(x: f64, y: f64) -> (f64, i32) {
    let mut quotient = 0;
    // SAFETY: (3): `quotient` lives until the call has returned.
    let rest = unsafe { remquo(x, y, &raw mut quotient) };
    (rest, quotient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(erf(0.0), 0.0);
        assert_eq!(tgamma(5.0), 24.0);
        assert_eq!(lgamma(1.0), 0.0);
        assert_eq!(remainder(5.0, 3.0), -1.0);
        assert_eq!(remainder_and_quotient(5.0, 3.0), (-1.0, 2));
        assert_eq!(j0(0.0), 1.0);
    }
}
