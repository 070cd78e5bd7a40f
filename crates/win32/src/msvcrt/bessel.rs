//! math.h: Bessel functions.

use super::define::define;
use crate::dll;
use crate::export::Export;
use crate::ucrtbase::math::check;
use plat_host::libm;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _j0; full _j1; full _jn; full _y0; full _y1; full _yn;
};

define! {
    "Returns the Bessel function of the first kind of order 0.", "bessel-functions";
    _j0(guest, x: f64) -> f64 { check(guest, &[x], libm::j0(x)) }

    "Returns the Bessel function of the first kind of order 1.", "bessel-functions";
    _j1(guest, x: f64) -> f64 { check(guest, &[x], libm::j1(x)) }

    "Returns the Bessel function of the second kind of order 0.", "bessel-functions";
    _y0(guest, x: f64) -> f64 { check(guest, &[x], libm::y0(x)) }

    "Returns the Bessel function of the second kind of order 1.", "bessel-functions";
    _y1(guest, x: f64) -> f64 { check(guest, &[x], libm::y1(x)) }

    "Returns the Bessel function of the first kind of an order.", "bessel-functions";
    _jn(guest, n: i32, x: f64) -> f64 { check(guest, &[x], libm::jn(n, x)) }

    "Returns the Bessel function of the second kind of an order.", "bessel-functions";
    _yn(guest, n: i32, x: f64) -> f64 { check(guest, &[x], libm::yn(n, x)) }
}
