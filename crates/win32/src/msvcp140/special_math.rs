//! msvcp140_2.dll: the special functions of mathematics.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/cmath>; <https://en.cppreference.com/w/cpp/numeric/special_functions>.

use plat_abi::winapi;

use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::logic::special::{self, bessel, elliptic};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "msvcp140_2.dll",
    description: "Microsoft\u{ae} C Runtime Library _2",
    tables: &[EXPORTS, SINGLE],
    methods: &[],
};

/// Defines a function for numbers of eight and of four bytes: names, parameters that are the same in both, parameters that are
/// numbers, and the function.
macro_rules! special {
    ($($name:ident $single:ident ($($whole:ident),*) ($($number:ident),*): $function:expr;)*) => {
        /// The functions of `double`.
        pub const EXPORTS: &[Export] = dll! { $(full $name;)* };
        /// The functions of `float`.
        pub const SINGLE: &[Export] = dll! { $(full $single;)* };
        $(
            /// Returns the value of a special function, or NaN outside of its domain.
            ///
            /// Source: <https://en.cppreference.com/w/cpp/numeric/special_functions>
            #[winapi(cdecl)]
            pub fn $name(guest: &mut Guest $(, $whole: u32)* $(, $number: f64)*) -> f64 {
                let _ = guest;
                ($function)($($whole,)* $($number),*)
            }

            /// Returns the value of a special function, or NaN outside of its domain.
            ///
            /// Source: <https://en.cppreference.com/w/cpp/numeric/special_functions>
            #[winapi(cdecl)]
            pub fn $single(guest: &mut Guest $(, $whole: u32)* $(, $number: f32)*) -> f32 {
                let _ = guest;
                ($function)($($whole,)* $($number.into()),*) as f32
            }
        )*
    };
}

special! {
    __std_smf_assoc_laguerre __std_smf_assoc_laguerref (n, m) (x): special::assoc_laguerre;
    __std_smf_assoc_legendre __std_smf_assoc_legendref (n, m) (x): special::assoc_legendre;
    __std_smf_beta __std_smf_betaf () (x, y): special::beta;
    __std_smf_comp_ellint_1 __std_smf_comp_ellint_1f () (k): elliptic::comp_ellint_1;
    __std_smf_comp_ellint_2 __std_smf_comp_ellint_2f () (k): elliptic::comp_ellint_2;
    __std_smf_comp_ellint_3 __std_smf_comp_ellint_3f () (k, nu): elliptic::comp_ellint_3;
    __std_smf_cyl_bessel_i __std_smf_cyl_bessel_if () (nu, x): bessel::cyl_bessel_i;
    __std_smf_cyl_bessel_j __std_smf_cyl_bessel_jf () (nu, x): bessel::cyl_bessel_j;
    __std_smf_cyl_bessel_k __std_smf_cyl_bessel_kf () (nu, x): bessel::cyl_bessel_k;
    __std_smf_cyl_neumann __std_smf_cyl_neumannf () (nu, x): bessel::cyl_neumann;
    __std_smf_ellint_1 __std_smf_ellint_1f () (k, phi): elliptic::ellint_1;
    __std_smf_ellint_2 __std_smf_ellint_2f () (k, phi): elliptic::ellint_2;
    __std_smf_ellint_3 __std_smf_ellint_3f () (k, nu, phi): elliptic::ellint_3;
    __std_smf_expint __std_smf_expintf () (x): special::expint;
    __std_smf_hermite __std_smf_hermitef (n) (x): special::hermite;
    __std_smf_hypot3 __std_smf_hypot3f () (x, y, z): |x: f64, y: f64, z: f64| x.hypot(y).hypot(z);
    __std_smf_laguerre __std_smf_laguerref (n) (x): |n, x| special::assoc_laguerre(n, 0, x);
    __std_smf_legendre __std_smf_legendref (n) (x): special::legendre;
    __std_smf_riemann_zeta __std_smf_riemann_zetaf () (x): special::riemann_zeta;
    __std_smf_sph_bessel __std_smf_sph_besself (n) (x): bessel::sph_bessel;
    __std_smf_sph_legendre __std_smf_sph_legendref (n, m) (theta): special::sph_legendre;
    __std_smf_sph_neumann __std_smf_sph_neumannf (n) (x): bessel::sph_neumann;
}
