//! msvcp140_2.dll: the special functions of mathematics.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/cmath>; <https://en.cppreference.com/w/cpp/numeric/special_functions>.

use plat_abi::winapi;

use super::members::{descriptor, row};
use crate::export::{Body, Dll, Export};
use crate::guest::Guest;
use crate::logic::special::{self, bessel, elliptic};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "msvcp140_2.dll",
    description: "Microsoft\u{ae} C Runtime Library _2",
    tables: &[EXPORTS, SINGLE],
    methods: &[],
};

/// The two rows of a function: 32-bit programs know it by a name with the size of its parameters.
macro_rules! rows {
    ($($name:ident $bytes:literal)*) => {
        &[$(
            row(stringify!($name), Body::Api(descriptor!($name))),
            row(concat!("_", stringify!($name), "@", $bytes), Body::Api(descriptor!($name))),
        )*]
    };
}

/// Defines a function for numbers of eight and of four bytes: names with the sizes of parameters in 32-bit programs, parameters
/// that are the same in both, parameters that are numbers, and the function.
macro_rules! special {
    ($($name:ident $bytes:literal $single:ident $single_bytes:literal
        ($($whole:ident),*) ($($number:ident),*): $function:expr;)*) => {
        /// The functions of `double`.
        pub const EXPORTS: &[Export] = rows! { $($name $bytes)* };
        /// The functions of `float`.
        pub const SINGLE: &[Export] = rows! { $($single $single_bytes)* };
        $(
            /// Returns the value of a special function, or NaN outside of its domain.
            ///
            /// Source: <https://en.cppreference.com/w/cpp/numeric/special_functions>
            #[winapi]
            pub fn $name(guest: &mut Guest $(, $whole: u32)* $(, $number: f64)*) -> f64 {
                let _ = guest;
                ($function)($($whole,)* $($number),*)
            }

            /// Returns the value of a special function, or NaN outside of its domain.
            ///
            /// Source: <https://en.cppreference.com/w/cpp/numeric/special_functions>
            #[winapi]
            pub fn $single(guest: &mut Guest $(, $whole: u32)* $(, $number: f32)*) -> f32 {
                let _ = guest;
                ($function)($($whole,)* $($number.into()),*) as f32
            }
        )*
    };
}

special! {
    __std_smf_assoc_laguerre 16 __std_smf_assoc_laguerref 12 (n, m) (x): special::assoc_laguerre;
    __std_smf_assoc_legendre 16 __std_smf_assoc_legendref 12 (n, m) (x): special::assoc_legendre;
    __std_smf_beta 16 __std_smf_betaf 8 () (x, y): special::beta;
    __std_smf_comp_ellint_1 8 __std_smf_comp_ellint_1f 4 () (k): elliptic::comp_ellint_1;
    __std_smf_comp_ellint_2 8 __std_smf_comp_ellint_2f 4 () (k): elliptic::comp_ellint_2;
    __std_smf_comp_ellint_3 16 __std_smf_comp_ellint_3f 8 () (k, nu): elliptic::comp_ellint_3;
    __std_smf_cyl_bessel_i 16 __std_smf_cyl_bessel_if 8 () (nu, x): bessel::cyl_bessel_i;
    __std_smf_cyl_bessel_j 16 __std_smf_cyl_bessel_jf 8 () (nu, x): bessel::cyl_bessel_j;
    __std_smf_cyl_bessel_k 16 __std_smf_cyl_bessel_kf 8 () (nu, x): bessel::cyl_bessel_k;
    __std_smf_cyl_neumann 16 __std_smf_cyl_neumannf 8 () (nu, x): bessel::cyl_neumann;
    __std_smf_ellint_1 16 __std_smf_ellint_1f 8 () (k, phi): elliptic::ellint_1;
    __std_smf_ellint_2 16 __std_smf_ellint_2f 8 () (k, phi): elliptic::ellint_2;
    __std_smf_ellint_3 24 __std_smf_ellint_3f 12 () (k, nu, phi): elliptic::ellint_3;
    __std_smf_expint 8 __std_smf_expintf 4 () (x): special::expint;
    __std_smf_hermite 12 __std_smf_hermitef 8 (n) (x): special::hermite;
    __std_smf_hypot3 24 __std_smf_hypot3f 12 () (x, y, z): |x: f64, y: f64, z: f64| x.hypot(y).hypot(z);
    __std_smf_laguerre 12 __std_smf_laguerref 8 (n) (x): |n, x| special::assoc_laguerre(n, 0, x);
    __std_smf_legendre 12 __std_smf_legendref 8 (n) (x): special::legendre;
    __std_smf_riemann_zeta 8 __std_smf_riemann_zetaf 4 () (x): special::riemann_zeta;
    __std_smf_sph_bessel 12 __std_smf_sph_besself 8 (n) (x): bessel::sph_bessel;
    __std_smf_sph_legendre 16 __std_smf_sph_legendref 12 (n, m) (theta): special::sph_legendre;
    __std_smf_sph_neumann 12 __std_smf_sph_neumannf 8 (n) (x): bessel::sph_neumann;
}
