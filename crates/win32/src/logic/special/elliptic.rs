//! Elliptic integrals by Carlson's symmetric forms.
//!
//! Source: NIST Digital Library of Mathematical Functions, 19.25 and 19.36, <https://dlmf.nist.gov/19.36>.

use std::f64::consts::PI;

/// How far apart the arguments may be when the series takes over: its error is the sixth power of this.
const TOLERANCE: f64 = 1e-3;

/// Carlson's first form.
fn rf(mut x: f64, mut y: f64, mut z: f64) -> f64 {
    loop {
        let mean = (x + y + z) / 3.0;
        let (dx, dy) = (1.0 - x / mean, 1.0 - y / mean);
        let dz = -dx - dy;
        if dx.abs().max(dy.abs()).max(dz.abs()) < TOLERANCE {
            let (e2, e3) = (dx * dy - dz * dz, dx * dy * dz);
            let series = 1.0 - e2 / 10.0 + e3 / 14.0 + e2 * e2 / 24.0 - 3.0 * e2 * e3 / 44.0;
            return series / mean.sqrt();
        }
        let shift = x.sqrt() * y.sqrt() + y.sqrt() * z.sqrt() + z.sqrt() * x.sqrt();
        (x, y, z) = ((x + shift) / 4.0, (y + shift) / 4.0, (z + shift) / 4.0);
    }
}

/// Carlson's degenerate form, for positive arguments.
fn rc(x: f64, y: f64) -> f64 {
    match () {
        () if x < y => ((y - x) / x).sqrt().atan() / (y - x).sqrt(),
        () if x > y => ((x - y) / x).sqrt().atanh() / (x - y).sqrt(),
        () => 1.0 / x.sqrt(),
    }
}

/// Carlson's third form; with the last argument equal to the third one it is the second.
fn rj(mut x: f64, mut y: f64, mut z: f64, mut p: f64) -> f64 {
    let (mut sum, mut power) = (0.0, 1.0);
    let mut delta = (p - x) * (p - y) * (p - z);
    loop {
        let mean = (x + y + z + 2.0 * p) / 5.0;
        let (dx, dy, dz) = (1.0 - x / mean, 1.0 - y / mean, 1.0 - z / mean);
        let dp = -(dx + dy + dz) / 2.0;
        if [dx, dy, dz, dp].into_iter().all(|part| part.abs() < TOLERANCE) {
            let e2 = dx * dy + dx * dz + dy * dz - 3.0 * dp * dp;
            let e3 = dx * dy * dz + 2.0 * e2 * dp + 4.0 * dp * dp * dp;
            let e4 = (2.0 * dx * dy * dz + e2 * dp + 3.0 * dp * dp * dp) * dp;
            let e5 = dx * dy * dz * dp * dp;
            let series = 1.0 - 3.0 * e2 / 14.0 + e3 / 6.0 + 9.0 * e2 * e2 / 88.0
                - 3.0 * e4 / 22.0
                - 9.0 * e2 * e3 / 52.0
                + 3.0 * e5 / 26.0;
            return power * series / (mean * mean.sqrt()) + 6.0 * sum;
        }
        let (sx, sy, sz, sp) = (x.sqrt(), y.sqrt(), z.sqrt(), p.sqrt());
        let shift = sx * sy + sy * sz + sz * sx;
        let d = (sp + sx) * (sp + sy) * (sp + sz);
        sum += power / d * rc(1.0, 1.0 + delta / (d * d));
        power /= 4.0;
        delta /= 64.0;
        (x, y, z, p) = ((x + shift) / 4.0, (y + shift) / 4.0, (z + shift) / 4.0, (p + shift) / 4.0);
    }
}

/// The integrals over a quarter: K, E, or Π for a characteristic.
pub fn comp_ellint_1(k: f64) -> f64 {
    if k.abs() > 1.0 || k.is_nan() {
        f64::NAN
    } else if k.abs() == 1.0 {
        f64::INFINITY
    } else {
        rf(0.0, 1.0 - k * k, 1.0)
    }
}

/// The complete integral of the second kind (DLMF 19.25.1).
pub fn comp_ellint_2(k: f64) -> f64 {
    match k.abs() {
        1.0 => 1.0,
        0.0..1.0 => rf(0.0, 1.0 - k * k, 1.0) - k * k / 3.0 * rj(0.0, 1.0 - k * k, 1.0, 1.0),
        _ => f64::NAN,
    }
}

/// The complete integral of the third kind (DLMF 19.25.2), for characteristics below 1.
pub fn comp_ellint_3(k: f64, nu: f64) -> f64 {
    if !(k.abs() < 1.0 && nu < 1.0) {
        return f64::NAN;
    }
    rf(0.0, 1.0 - k * k, 1.0) + nu / 3.0 * rj(0.0, 1.0 - k * k, 1.0, 1.0 - nu)
}

/// Takes whole half turns from an angle: how many, and what is left.
fn reduce(phi: f64) -> (f64, f64) {
    let turns = (phi / PI).round();
    (turns, phi - turns * PI)
}

/// Adds what an angle's whole half turns contribute, where there are any.
fn with_turns(turns: f64, complete: impl Fn() -> f64, part: f64) -> f64 {
    if turns == 0.0 { part } else { 2.0 * turns * complete() + part }
}

/// The incomplete integral of the first kind (DLMF 19.25.5).
pub fn ellint_1(k: f64, phi: f64) -> f64 {
    if k.abs() > 1.0 || k.is_nan() || phi.is_nan() {
        return f64::NAN;
    }
    let (turns, rest) = reduce(phi);
    let (sine, cosine) = rest.sin_cos();
    let part = sine * rf(cosine * cosine, 1.0 - (k * sine).powi(2), 1.0);
    with_turns(turns, || comp_ellint_1(k), part)
}

/// The incomplete integral of the second kind (DLMF 19.25.9).
pub fn ellint_2(k: f64, phi: f64) -> f64 {
    if k.abs() > 1.0 || k.is_nan() || phi.is_nan() {
        return f64::NAN;
    }
    let (turns, rest) = reduce(phi);
    let (sine, cosine) = rest.sin_cos();
    let (c2, q) = (cosine * cosine, 1.0 - (k * sine).powi(2));
    let second = if sine == 0.0 { 0.0 } else { k * k / 3.0 * sine.powi(3) * rj(c2, q, 1.0, 1.0) };
    with_turns(turns, || comp_ellint_2(k), sine * rf(c2, q, 1.0) - second)
}

/// The incomplete integral of the third kind (DLMF 19.25.14), where the characteristic's pole is not passed.
pub fn ellint_3(k: f64, nu: f64, phi: f64) -> f64 {
    let (turns, rest) = reduce(phi);
    let (sine, cosine) = rest.sin_cos();
    let pole = 1.0 - nu * sine * sine;
    if !(k.abs() <= 1.0 && pole > 0.0) || turns != 0.0 && nu >= 1.0 {
        return f64::NAN;
    }
    let (c2, q) = (cosine * cosine, 1.0 - (k * sine).powi(2));
    let third = nu / 3.0 * sine.powi(3) * rj(c2, q, 1.0, pole);
    with_turns(turns, || comp_ellint_3(k, nu), sine * rf(c2, q, 1.0) + third)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrals_agree_with_known_values() {
        // Those without a closed form were integrated numerically.
        for (value, expected) in [
            (comp_ellint_1(0.5), 1.685_750_354_812_596),
            (comp_ellint_2(0.5), 1.467_462_209_339_427_2),
            (comp_ellint_3(0.5, 0.25), 1.956_616_279_119_239_2),
            (ellint_1(0.5, 1.0), 1.037_356_120_002_175_5),
            (ellint_1(0.0, 4.0), 4.0),
            (ellint_2(0.0, 4.0), 4.0),
            (ellint_2(1.0, 0.5), 0.5_f64.sin()),
            (ellint_3(0.0, 0.5, PI / 4.0), (0.5_f64.sqrt()).atan() * 2.0_f64.sqrt()),
        ] {
            assert!((value / expected - 1.0).abs() < 1e-9, "{value:?} is not {expected:?}");
        }
        assert_eq!((comp_ellint_1(1.0), comp_ellint_2(-1.0)), (f64::INFINITY, 1.0));
        assert!(ellint_1(1.5, 1.0).is_nan());
    }
}
