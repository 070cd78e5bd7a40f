//! Special functions of mathematics, as the C++ standard names them.
//!
//! Accuracy against tables: relative errors below 1e-12, for Bessel functions of orders up to 100 and arguments up to 1,000
//! below 1e-10, near zeros of a function relative to its size around them. Outside of a function's domain the answer is
//! NaN.
//!
//! Source: <https://en.cppreference.com/w/cpp/numeric/special_functions>; NIST Digital Library of Mathematical Functions,
//! <https://dlmf.nist.gov/>, chapters as named at the functions.

pub mod bessel;
pub mod elliptic;

use std::f64::consts::PI;

use plat_host::libm;

/// Returns the sum of a recurrence of three terms: `next(i, last, before)` gives polynomial `i + 1`.
fn recurrence(n: u32, zeroth: f64, first: f64, next: impl Fn(f64, f64, f64) -> f64) -> f64 {
    if n == 0 {
        return zeroth;
    }
    let (mut before, mut last) = (zeroth, first);
    for index in 1..n {
        (before, last) = (last, next(index.into(), last, before));
    }
    last
}

/// The associated Laguerre polynomial (DLMF 18.9.1).
pub fn assoc_laguerre(n: u32, m: u32, x: f64) -> f64 {
    if x < 0.0 || x.is_nan() {
        return f64::NAN;
    }
    let m = f64::from(m);
    recurrence(n, 1.0, 1.0 + m - x, |i, last, before| {
        ((2.0 * i + 1.0 + m - x) * last - (i + m) * before) / (i + 1.0)
    })
}

/// The Hermite polynomial of physicists (DLMF 18.9.1).
pub fn hermite(n: u32, x: f64) -> f64 {
    recurrence(n, 1.0, 2.0 * x, |i, last, before| 2.0 * x * last - 2.0 * i * before)
}

/// The Legendre polynomial (DLMF 18.9.1).
pub fn legendre(n: u32, x: f64) -> f64 {
    assoc_legendre(n, 0, x)
}

/// The associated Legendre function without the phase of Condon and Shortley (DLMF 14.10.3).
pub fn assoc_legendre(n: u32, m: u32, x: f64) -> f64 {
    if !(-1.0..=1.0).contains(&x) {
        return f64::NAN;
    }
    if m > n {
        return 0.0;
    }
    let root = ((1.0 - x) * (1.0 + x)).sqrt();
    let start = (0..m).fold(1.0, |product, i| product * (2.0 * f64::from(i) + 1.0) * root);
    upwards(n, m, x, start)
}

/// Goes from degree `m` to degree `n`, the order staying.
fn upwards(n: u32, m: u32, x: f64, start: f64) -> f64 {
    let order = f64::from(m);
    recurrence(n - m, start, x * (2.0 * order + 1.0) * start, |i, last, before| {
        let degree = order + i;
        ((2.0 * degree + 1.0) * x * last - (degree + order) * before) / (degree - order + 1.0)
    })
}

/// The spherical harmonic's part that depends on the angle from the pole (DLMF 14.30.1), with the phase.
pub fn sph_legendre(n: u32, m: u32, theta: f64) -> f64 {
    if m > n {
        return 0.0;
    }
    let sine = theta.sin().abs();
    // The factorials are divided as they appear, so that none grows out of range.
    let scale = (1..=2 * m).fold(1.0, |scale, i| scale / f64::from(i).sqrt());
    let start = (0..m).fold(scale, |product, i| -product * (2.0 * f64::from(i) + 1.0) * sine);
    let ratio = (n - m + 1..=n + m)
        .zip((1..=2 * m).rev())
        .fold(1.0, |ratio, (large, small)| ratio * f64::from(small) / f64::from(large));
    ((2.0 * f64::from(n) + 1.0) / (4.0 * PI)).sqrt() * ratio.sqrt() * upwards(n, m, theta.cos(), start)
}

/// The beta function (DLMF 5.12.1).
pub fn beta(x: f64, y: f64) -> f64 {
    const SAFE: f64 = 140.0;
    if x.is_nan() || y.is_nan() || x <= 0.0 || y <= 0.0 {
        return f64::NAN;
    }
    if x + y < SAFE {
        return libm::tgamma(x) / libm::tgamma(x + y) * libm::tgamma(y);
    }
    (libm::lgamma(x) + libm::lgamma(y) - libm::lgamma(x + y)).exp()
}

/// The exponential integral Ei (DLMF 6.6.1 for small arguments, 6.9.1 for negative, 6.12.2 for large ones).
pub fn expint(x: f64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x < -1.0 {
        return -fraction_e1(-x) * x.exp();
    }
    if x < 40.0 {
        let (mut sum, mut term) = (0.0, 1.0);
        for k in 1..200 {
            term *= x / f64::from(k);
            sum += term / f64::from(k);
            if (term / f64::from(k)).abs() < sum_abs(sum) * 1e-17 {
                break;
            }
        }
        return EULER + x.abs().ln() + sum;
    }
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        let next = term * f64::from(k) / x;
        if next > term {
            break;
        }
        term = next;
        sum += term;
    }
    x.exp() / x * sum
}

fn sum_abs(sum: f64) -> f64 {
    sum.abs().max(f64::MIN_POSITIVE)
}

/// The fraction of E1 behind the exponential function, for arguments above 1 (DLMF 6.9.1), from its end.
fn fraction_e1(x: f64) -> f64 {
    const DEPTH: u32 = 200;
    let tail = (1..=DEPTH).rev().map(f64::from).fold(0.0, |tail, i| i / (1.0 + i / (x + tail)));
    1.0 / (x + tail)
}

/// Riemann's zeta function (DLMF 25.2.9 above -1, 25.4.1 below).
pub fn riemann_zeta(s: f64) -> f64 {
    const TERMS: u32 = 16;
    /// Bernoulli's numbers with even indices from 2, each divided by the factorial of its index.
    const BERNOULLI: [f64; 12] = [
        1.0 / 12.0,
        -1.0 / 720.0,
        1.0 / 30_240.0,
        -1.0 / 1_209_600.0,
        1.0 / 47_900_160.0,
        -691.0 / 1_307_674_368_000.0,
        1.0 / 74_724_249_600.0,
        -3617.0 / 10_670_622_842_880_000.0,
        43_867.0 / 5_109_094_217_170_944_000.0,
        -174_611.0 / 802_857_662_698_291_200_000.0,
        77_683.0 / 14_101_100_039_391_805_440_000.0,
        -236_364_091.0 / 1_693_824_136_731_743_669_452_800_000.0,
    ];
    if s == 1.0 {
        return f64::INFINITY;
    }
    if s < -1.0 {
        let reflected = 1.0 - s;
        if s % 2.0 == 0.0 {
            return 0.0;
        }
        return 2.0
            * (2.0 * PI).powf(-reflected)
            * (PI * s / 2.0).sin()
            * libm::tgamma(reflected)
            * riemann_zeta(reflected);
    }
    let n = f64::from(TERMS);
    let head: f64 = (1..TERMS).rev().map(|k| f64::from(k).powf(-s)).sum();
    let mut sum = head + n.powf(1.0 - s) / (s - 1.0) + n.powf(-s) / 2.0;
    let mut factor = s * n.powf(-s - 1.0);
    for (index, number) in (0..).zip(BERNOULLI) {
        sum += number * factor;
        let next = s + 2.0 * f64::from(index);
        factor *= (next + 1.0) * (next + 2.0) / (n * n);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds values against tables, to so many digits.
    fn close(value: f64, expected: f64) {
        let error = (value - expected).abs() / expected.abs().max(1e-300);
        assert!(error < 1e-12, "{value:?} is not {expected:?}");
    }

    #[test]
    fn polynomials_agree_with_their_formulas() {
        close(assoc_laguerre(2, 1, 0.5), (0.25 - 2.0 * 3.0 * 0.5 + 6.0) / 2.0);
        close(hermite(3, 1.5), 8.0 * 1.5_f64.powi(3) - 12.0 * 1.5);
        close(legendre(3, 0.25), (5.0 * 0.25_f64.powi(3) - 3.0 * 0.25) / 2.0);
        close(assoc_legendre(2, 1, 0.5), 3.0 * 0.5 * 0.75_f64.sqrt());
        close(sph_legendre(1, 1, 0.5), -(3.0 / (8.0 * PI)).sqrt() * 0.5_f64.sin());
        assert_eq!((assoc_legendre(1, 2, 0.1), assoc_laguerre(0, 3, 2.0)), (0.0, 1.0));
        assert!(legendre(2, 1.5).is_nan());
    }

    #[test]
    fn others_agree_with_known_values() {
        close(beta(2.5, 1.5), PI / 16.0);
        close(beta(200.0, 3.0), 2.0 / (200.0 * 201.0 * 202.0));
        close(expint(1.0), 1.895_117_816_355_936_7);
        close(expint(-2.0), -0.048_900_510_708_061_12);
        close(expint(50.0), 1.058_563_689_713_169e20);
        close(riemann_zeta(2.0), PI * PI / 6.0);
        close(riemann_zeta(-3.0), 1.0 / 120.0);
        close(riemann_zeta(0.5), -1.460_354_508_809_586_8);
        close(riemann_zeta(0.0), -0.5);
        assert_eq!(riemann_zeta(-4.0), 0.0);
    }
}
