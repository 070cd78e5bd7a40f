//! Complex numbers of two doubles, with the functions of complex.h.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/complex-math-support>; branch cuts as ISO C (annex G) has them.

/// A complex number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complex {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

/// Makes a number.
pub const fn complex(re: f64, im: f64) -> Complex {
    Complex { re, im }
}

impl Complex {
    /// Returns the distance from zero.
    pub fn abs(self) -> f64 {
        self.re.hypot(self.im)
    }

    /// Returns the angle.
    pub fn arg(self) -> f64 {
        self.im.atan2(self.re)
    }

    /// Returns the number mirrored at the real axis.
    pub fn conj(self) -> Self {
        complex(self.re, -self.im)
    }

    /// Returns the square of the distance from zero.
    pub fn norm(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    /// Returns the number, or the one infinity.
    pub fn proj(self) -> Self {
        let is_infinite = self.re.is_infinite() || self.im.is_infinite();
        if is_infinite { complex(f64::INFINITY, 0f64.copysign(self.im)) } else { self }
    }

    /// Returns the product.
    pub fn times(self, other: Self) -> Self {
        complex(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)
    }

    /// Returns the number turned by a quarter.
    fn times_i(self) -> Self {
        complex(-self.im, self.re)
    }

    fn over_i(self) -> Self {
        complex(self.im, -self.re)
    }

    /// Returns the square root whose real part is not negative.
    pub fn sqrt(self) -> Self {
        if self.re == 0.0 && self.im == 0.0 {
            return complex(0.0, self.im);
        }
        if self.im.is_infinite() {
            return complex(f64::INFINITY, self.im);
        }
        // Halved before the sum, so that it does not overflow.
        let root = ((self.re / 2.0).abs() + (self.abs() / 2.0)).sqrt();
        let other = self.im.abs() / (2.0 * root);
        match self.re >= 0.0 {
            true => complex(root, other.copysign(self.im)),
            false => complex(other, root.copysign(self.im)),
        }
    }

    /// Returns e to this power.
    pub fn exp(self) -> Self {
        let length = self.re.exp();
        if self.im == 0.0 {
            return complex(length, self.im);
        }
        complex(length * self.im.cos(), length * self.im.sin())
    }

    /// Returns the natural logarithm.
    pub fn log(self) -> Self {
        complex(self.abs().ln(), self.arg())
    }

    /// Returns the logarithm to the base 10.
    pub fn log10(self) -> Self {
        let log = self.log();
        complex(log.re * std::f64::consts::LOG10_E, log.im * std::f64::consts::LOG10_E)
    }

    /// Returns this number to a power.
    pub fn pow(self, power: Self) -> Self {
        if self.re == 0.0 && self.im == 0.0 {
            return if power.re == 0.0 && power.im == 0.0 { complex(1.0, 0.0) } else { complex(0.0, 0.0) };
        }
        power.times(self.log()).exp()
    }

    /// Returns the hyperbolic sine.
    pub fn sinh(self) -> Self {
        complex(self.re.sinh() * self.im.cos(), self.re.cosh() * self.im.sin())
    }

    /// Returns the hyperbolic cosine.
    pub fn cosh(self) -> Self {
        complex(self.re.cosh() * self.im.cos(), self.re.sinh() * self.im.sin())
    }

    /// Returns the hyperbolic tangent.
    pub fn tanh(self) -> Self {
        // Far out the quotient would be infinity by infinity.
        if self.re.abs() > 20.0 {
            return complex(1f64.copysign(self.re), 0f64.copysign((2.0 * self.im).sin()));
        }
        let divisor = (2.0 * self.re).cosh() + (2.0 * self.im).cos();
        complex((2.0 * self.re).sinh() / divisor, (2.0 * self.im).sin() / divisor)
    }

    /// Returns the area hyperbolic sine.
    pub fn asinh(self) -> Self {
        // By the roots of 1 + iz and 1 - iz, which keep the cuts and do not cancel.
        let (left, right) = (complex(1.0 + self.im, -self.re).sqrt(), complex(1.0 - self.im, self.re).sqrt());
        let re = (left.re * right.im - left.im * right.re).asinh();
        complex(re, self.im.atan2(left.re * right.re - left.im * right.im))
    }

    /// Returns the area hyperbolic cosine.
    pub fn acosh(self) -> Self {
        let (minus, plus) = (complex(self.re - 1.0, self.im).sqrt(), complex(self.re + 1.0, self.im).sqrt());
        complex((minus.re * plus.re + minus.im * plus.im).asinh(), 2.0 * minus.im.atan2(plus.re))
    }

    /// Returns the area hyperbolic tangent.
    pub fn atanh(self) -> Self {
        let above = (1.0 + self.re) * (1.0 + self.re) + self.im * self.im;
        let below = (1.0 - self.re) * (1.0 - self.re) + self.im * self.im;
        let re = 0.25 * (above / below).ln();
        let im = 0.5 * (2.0 * self.im).atan2((1.0 - self.re) * (1.0 + self.re) - self.im * self.im);
        complex(re, im)
    }

    /// Returns the sine.
    pub fn sin(self) -> Self {
        self.times_i().sinh().over_i()
    }

    /// Returns the cosine.
    pub fn cos(self) -> Self {
        self.times_i().cosh()
    }

    /// Returns the tangent.
    pub fn tan(self) -> Self {
        self.times_i().tanh().over_i()
    }

    /// Returns the arc sine.
    pub fn asin(self) -> Self {
        self.times_i().asinh().over_i()
    }

    /// Returns the arc cosine.
    pub fn acos(self) -> Self {
        let (minus, plus) = (complex(1.0 - self.re, -self.im).sqrt(), complex(1.0 + self.re, self.im).sqrt());
        complex(2.0 * minus.re.atan2(plus.re), (plus.re * minus.im - plus.im * minus.re).asinh())
    }

    /// Returns the arc tangent.
    pub fn atan(self) -> Self {
        self.times_i().atanh().over_i()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: Complex, right: Complex) -> bool {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs().max(1.0);
        close(left.re, right.re) && close(left.im, right.im)
    }

    #[test]
    fn functions_and_their_inverses_agree() {
        let numbers = [complex(0.5, -0.25), complex(-2.0, 3.0), complex(1.5, 0.75), complex(-0.1, -4.0)];
        for z in numbers {
            assert!(near(z.sqrt().times(z.sqrt()), z) && near(z.log().exp(), z), "{z:?}");
            assert!(
                near(z.asinh().sinh(), z) && near(z.acosh().cosh(), z) && near(z.atanh().tanh(), z),
                "{z:?}"
            );
            assert!(near(z.asin().sin(), z) && near(z.acos().cos(), z) && near(z.atan().tan(), z), "{z:?}");
            assert!(near(z.pow(complex(2.0, 0.0)), z.times(z)), "{z:?}");
        }
    }

    #[test]
    fn known_values() {
        assert_eq!(complex(-4.0, 0.0).sqrt(), complex(0.0, 2.0));
        assert_eq!(complex(-4.0, -0.0).sqrt(), complex(0.0, -2.0));
        assert!(near(complex(0.0, std::f64::consts::PI).exp(), complex(-1.0, 0.0)));
        assert_eq!((complex(3.0, 4.0).abs(), complex(3.0, 4.0).norm()), (5.0, 25.0));
        assert_eq!(complex(f64::NEG_INFINITY, -1.0).proj(), complex(f64::INFINITY, -0.0));
        assert!(near(complex(100.0, 1.0).tanh(), complex(1.0, 0.0)));
    }
}
