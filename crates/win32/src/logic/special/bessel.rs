//! Bessel functions of any real order, by Temme's series, Steed's continued fractions and Hankel's series.
//!
//! Source: N. M. Temme, On the numerical evaluation of the ordinary Bessel function of the second kind (1976); NIST Digital
//! Library of Mathematical Functions, 10.8, 10.10, 10.17, 10.33, <https://dlmf.nist.gov/10>.

use std::f64::consts::{FRAC_PI_2, PI};

use plat_host::libm;

const STEPS_MAX: u32 = 1_000_000;
/// Where Temme's series hands over to a continued fraction.
const SMALL: f64 = 2.0;
/// Keeps fractions from dividing by zero.
const TINY: f64 = 1e-300;

/// A pair of neighbouring orders' functions: of the first and of the second kind.
#[derive(Clone, Copy, Debug)]
struct Pair {
    first: f64,
    second: f64,
}

/// Values of the gamma function near 1 that both of Temme's series need: Γ₁, Γ₂, 1/Γ(1+μ), 1/Γ(1-μ).
fn gammas(mu: f64) -> [f64; 4] {
    const EULER: f64 = 0.577_215_664_901_532_9;
    const CUBIC: f64 = -0.042_002_635_034_095_24;
    let (plus, minus) = (1.0 / libm::tgamma(1.0 + mu), 1.0 / libm::tgamma(1.0 - mu));
    // The quotient loses its digits near zero, where its series has two terms.
    let first = if mu.abs() < 1e-3 { -EULER - CUBIC * mu * mu } else { (minus - plus) / (2.0 * mu) };
    [first, (minus + plus) / 2.0, plus, minus]
}

/// What goes into Temme's series: f₀, p₀, q₀.
fn temme_start(mu: f64, x: f64, circular: bool) -> [f64; 3] {
    let [gamma1, gamma2, plus, minus] = gammas(mu);
    let angle = PI * mu;
    let outer = if angle.abs() < 1e-15 { 1.0 } else { angle / angle.sin() };
    let log = -(x / 2.0).ln();
    let sigma = mu * log;
    let hyper = if sigma.abs() < 1e-15 { 1.0 } else { sigma.sinh() / sigma };
    let f = outer * (sigma.cosh() * gamma1 + hyper * log * gamma2);
    let power = sigma.exp();
    if circular {
        return [2.0 / PI * f, power / (plus * PI), 1.0 / (power * PI * minus)];
    }
    [f, power / (2.0 * plus), 1.0 / (2.0 * power * minus)]
}

/// Y and K of orders |μ| ≤ 1/2 and μ + 1 for small arguments, by Temme's series.
fn temme(mu: f64, x: f64, circular: bool) -> Pair {
    let [mut f, mut p, mut q] = temme_start(mu, x, circular);
    let half = PI * mu / 2.0;
    let r = if half.abs() < 1e-15 { 1.0 } else { half.sin() / half };
    let extra = if circular { PI * half * r * r } else { 0.0 };
    let square = if circular { -x * x / 4.0 } else { x * x / 4.0 };
    let (mut c, mut sum, mut sum1) = (1.0, f + extra * q, p);
    for step in 1..STEPS_MAX {
        let i = f64::from(step);
        f = (i * f + p + q) / (i * i - mu * mu);
        c *= square / i;
        p /= i - mu;
        q /= i + mu;
        let term = c * (f + extra * q);
        sum += term;
        sum1 += c * p - i * term;
        if term.abs() < (1.0 + sum.abs()) * 1e-17 {
            break;
        }
    }
    let sign = if circular { -1.0 } else { 1.0 };
    Pair { first: sign * sum, second: sign * sum1 * 2.0 / x }
}

/// The quotient of the function of order ν's derivative and itself (DLMF 10.10.1, 10.33.1), and the sign of the function.
fn logarithmic_derivative(nu: f64, x: f64, circular: bool) -> (f64, f64) {
    let mut sign = 1.0;
    let mut h = (nu / x).max(TINY);
    let mut b = 2.0 * nu / x;
    let (mut d, mut c) = (0.0, h);
    for _ in 0..STEPS_MAX {
        b += 2.0 / x;
        if circular {
            d = b - d;
            c = b - 1.0 / c;
            d = if d.abs() < TINY { TINY } else { d };
            c = if c.abs() < TINY { TINY } else { c };
        } else {
            d += b;
            c = b + 1.0 / c;
        }
        d = 1.0 / d;
        let factor = c * d;
        h *= factor;
        if d < 0.0 {
            sign = -sign;
        }
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (h, sign)
}

/// Steed's second fraction: the real and the imaginary part of the quotient for J + iY, of an order |μ| ≤ 1/2.
fn steed_circular(mu: f64, x: f64) -> (f64, f64) {
    let mut a = 0.25 - mu * mu;
    let (mut p, mut q) = (-0.5 / x, 1.0);
    let (br, mut bi) = (2.0 * x, 2.0);
    let scale = a / (x * (p * p + q * q));
    let (mut cr, mut ci) = (br + q * scale, bi + p * scale);
    let mut den = br * br + bi * bi;
    let (mut dr, mut di) = (br / den, -bi / den);
    let (mut dlr, mut dli) = (cr * dr - ci * di, cr * di + ci * dr);
    (p, q) = (p * dlr - q * dli, p * dli + q * dlr);
    for step in 2..STEPS_MAX {
        a += 2.0 * f64::from(step - 1);
        bi += 2.0;
        (dr, di) = (a * dr + br, a * di + bi);
        let scale = a / (cr * cr + ci * ci);
        (cr, ci) = (br + cr * scale, bi - ci * scale);
        den = dr * dr + di * di;
        (dr, di) = (dr / den, -di / den);
        (dlr, dli) = (cr * dr - ci * di, cr * di + ci * dr);
        (p, q) = (p * dlr - q * dli, p * dli + q * dlr);
        if (dlr - 1.0).abs() + dli.abs() < 1e-16 {
            break;
        }
    }
    (p, q)
}

/// K of orders |μ| ≤ 1/2 and μ + 1 for large arguments, by Steed's method.
fn steed_k(mu: f64, x: f64) -> Pair {
    let mut b = 2.0 * (1.0 + x);
    let mut d = 1.0 / b;
    let (mut h, mut delta) = (d, d);
    let (mut q1, mut q2) = (0.0, 1.0);
    let a1 = 0.25 - mu * mu;
    let (mut q, mut c, mut a) = (a1, a1, -a1);
    let mut s = 1.0 + q * delta;
    for step in 2..STEPS_MAX {
        let i = f64::from(step);
        a -= 2.0 * (i - 1.0);
        c = -a * c / i;
        let next = (q1 - b * q2) / a;
        (q1, q2) = (q2, next);
        q += c * next;
        b += 2.0;
        d = 1.0 / (b + a * d);
        delta *= b * d - 1.0;
        h += delta;
        s += q * delta;
        if (q * delta / s).abs() < 1e-16 {
            break;
        }
    }
    let first = (PI / (2.0 * x)).sqrt() * (-x).exp() / s;
    Pair { first, second: first * (mu + x + 0.5 - a1 * h) / x }
}

/// J and Y of an order that is not negative, for a positive argument.
fn ordinary(nu: f64, x: f64) -> Pair {
    let count = if x < SMALL { (nu + 0.5).floor() } else { (nu - x + 1.5).floor().max(0.0) };
    let mu = nu - count;
    let (h, sign) = logarithmic_derivative(nu, x, true);
    // Downwards to the order μ, from an arbitrary value.
    let (mut j, mut dj, mut order) = (sign * TINY, sign * TINY * h, nu);
    let start = j;
    for _ in 0..count as u64 {
        let lower = order / x * j + dj;
        order -= 1.0;
        dj = order / x * lower - j;
        j = lower;
    }
    let j = if j == 0.0 { TINY } else { j };
    let f = dj / j;
    let wronskian = 2.0 / (PI * x);
    let (jmu, y) = if x < SMALL {
        let y = temme(mu, x, true);
        let derivative = mu / x * y.first - y.second;
        (wronskian / (derivative - f * y.first), y)
    } else {
        let (p, q) = steed_circular(mu, x);
        let gamma = (p - f) / q;
        let jmu = (wronskian / ((p - f) * gamma + q)).sqrt().copysign(j);
        let ymu = jmu * gamma;
        let derivative = if gamma == 0.0 { q * jmu } else { ymu * (p + q / gamma) };
        (jmu, Pair { first: ymu, second: mu / x * ymu - derivative })
    };
    let (mut y, mut order) = (y, mu);
    for _ in 0..count as u64 {
        order += 1.0;
        y = Pair { first: y.second, second: 2.0 * order / x * y.second - y.first };
    }
    Pair { first: start * (jmu / j), second: y.first }
}

/// I and K of an order that is not negative, for a positive argument.
fn modified(nu: f64, x: f64) -> Pair {
    let count = (nu + 0.5).floor();
    let mu = nu - count;
    let (h, _) = logarithmic_derivative(nu, x, false);
    let (mut i, mut di, mut order) = (TINY, TINY * h, nu);
    for _ in 0..count as u64 {
        let lower = order / x * i + di;
        order -= 1.0;
        di = order / x * lower + i;
        i = lower;
    }
    let f = di / i;
    let mut k = if x < SMALL { temme(mu, x, false) } else { steed_k(mu, x) };
    let derivative = mu / x * k.first - k.second;
    let imu = 1.0 / x / (f * k.first - derivative);
    let mut order = mu;
    for _ in 0..count as u64 {
        order += 1.0;
        k = Pair { first: k.second, second: 2.0 * order / x * k.second + k.first };
    }
    Pair { first: imu * (TINY / i), second: k.first }
}

/// Hankel's series for arguments far above the order (DLMF 10.17.3): the amplitude's two parts.
fn hankel(nu: f64, x: f64) -> Pair {
    let m = 4.0 * nu * nu;
    let (mut even, mut odd, mut term) = (1.0, 0.0, 1.0_f64);
    for k in 1..100_u32 {
        let step = f64::from(2 * k - 1);
        let next = term * (m - step * step) / (f64::from(k) * 8.0 * x);
        if next.abs() > term.abs() || next == 0.0 {
            break;
        }
        term = next;
        match k % 4 {
            0 => even += term,
            1 => odd += term,
            2 => even -= term,
            _ => odd -= term,
        }
    }
    // The angle's parts are taken apart, so that a large argument loses nothing.
    let ((sx, cx), (ss, cs)) = (x.sin_cos(), (FRAC_PI_2 * nu + PI / 4.0).sin_cos());
    let (sine, cosine) = (sx * cs - cx * ss, cx * cs + sx * ss);
    let scale = (2.0 / (PI * x)).sqrt();
    Pair { first: scale * (even * cosine - odd * sine), second: scale * (even * sine + odd * cosine) }
}

fn circular(nu: f64, x: f64) -> Pair {
    if x > 25.0 + nu * nu { hankel(nu, x) } else { ordinary(nu, x) }
}

fn is_domain(nu: f64, x: f64) -> bool {
    nu >= 0.0 && x >= 0.0 && nu.is_finite()
}

/// At zero only order 0 is not.
fn at_zero(nu: f64) -> f64 {
    if nu == 0.0 { 1.0 } else { 0.0 }
}

/// The Bessel function of the first kind.
pub fn cyl_bessel_j(nu: f64, x: f64) -> f64 {
    match () {
        () if !is_domain(nu, x) => f64::NAN,
        () if x == 0.0 => at_zero(nu),
        () if x.is_infinite() => 0.0,
        () => circular(nu, x).first,
    }
}

/// The Bessel function of the second kind, Neumann's.
pub fn cyl_neumann(nu: f64, x: f64) -> f64 {
    match () {
        () if !is_domain(nu, x) => f64::NAN,
        () if x == 0.0 => f64::NEG_INFINITY,
        () if x.is_infinite() => 0.0,
        () => circular(nu, x).second,
    }
}

/// The modified Bessel function of the first kind.
pub fn cyl_bessel_i(nu: f64, x: f64) -> f64 {
    match () {
        () if !is_domain(nu, x) => f64::NAN,
        () if x == 0.0 => at_zero(nu),
        () if x > 710.0 + nu * nu => f64::INFINITY,
        () => modified(nu, x).first,
    }
}

/// The modified Bessel function of the second kind.
pub fn cyl_bessel_k(nu: f64, x: f64) -> f64 {
    match () {
        () if !is_domain(nu, x) => f64::NAN,
        () if x == 0.0 => f64::INFINITY,
        () if x.is_infinite() => 0.0,
        () => modified(nu, x).second,
    }
}

/// The spherical Bessel function (DLMF 10.47.3).
pub fn sph_bessel(n: u32, x: f64) -> f64 {
    match x {
        0.0 => at_zero(n.into()),
        _ => (PI / (2.0 * x)).sqrt() * cyl_bessel_j(f64::from(n) + 0.5, x),
    }
}

/// The spherical Neumann function (DLMF 10.47.4).
pub fn sph_neumann(n: u32, x: f64) -> f64 {
    match x {
        0.0 => f64::NEG_INFINITY,
        _ => (PI / (2.0 * x)).sqrt() * cyl_neumann(f64::from(n) + 0.5, x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_agree_with_known_values() {
        for (value, expected) in [
            (cyl_bessel_j(0.0, 1.0), 0.765_197_686_557_966_6),
            (cyl_bessel_j(1.0, 10.0), 0.043_472_746_168_861_44),
            (cyl_bessel_j(0.5, 3.0), (2.0 / (PI * 3.0)).sqrt() * 3.0_f64.sin()),
            (cyl_bessel_j(10.0, 1.0), 2.630_615_123_687_453e-10),
            (cyl_neumann(0.0, 1.0), 0.088_256_964_215_676_96),
            (cyl_neumann(1.0, 10.0), 0.249_015_424_206_953_9),
            (cyl_bessel_i(0.0, 1.0), 1.266_065_877_752_008_4),
            (cyl_bessel_k(0.0, 1.0), 0.421_024_438_240_708_34),
            (cyl_bessel_k(1.0, 5.0), 0.004_044_613_445_452_164),
            (sph_bessel(0, 2.0), 2.0_f64.sin() / 2.0),
            (sph_bessel(1, 2.0), 2.0_f64.sin() / 4.0 - 2.0_f64.cos() / 2.0),
            (sph_neumann(0, 2.0), -2.0_f64.cos() / 2.0),
            (cyl_bessel_j(0.5, 500.0), (2.0 / (PI * 500.0)).sqrt() * 500.0_f64.sin()),
        ] {
            assert!((value / expected - 1.0).abs() < 1e-10, "{value:?} is not {expected:?}");
        }
        assert_eq!((cyl_bessel_j(0.0, 0.0), cyl_bessel_i(2.0, 0.0)), (1.0, 0.0));
        assert!(cyl_bessel_j(-1.0, 1.0).is_nan());
    }
}
