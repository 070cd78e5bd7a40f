//! float.h: control and status of the floating-point unit, and the x87 intrinsics of 32-bit compilers.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::errno::EINVAL;
use super::fenv_flag_leaves as flags;
use super::float_leaves as leaves;
use super::state::set_errno;
use super::{ci_leaves, fenv_leaves, fenv_set_leaves};
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code _ftol: leaves::FTOL;
    code _ftol2: leaves::FTOL;
    code _ftol2_sse: leaves::FTOL;
    code _control87: leaves::CONTROL87;
    code _controlfp: leaves::CONTROLFP;
    code _statusfp: leaves::STATUSFP;
    code _clearfp: leaves::CLEARFP;
    code _status87: leaves::STATUSFP;
    code _clear87: leaves::CLEARFP;
    code _fpreset: leaves::FPRESET;
    code _CIsqrt: ci_leaves::CI_SQRT;
    code _CIsin: ci_leaves::CI_SIN;
    code _CIcos: ci_leaves::CI_COS;
    code _CItan: ci_leaves::CI_TAN;
    code _CIatan: ci_leaves::CI_ATAN;
    code _CIatan2: ci_leaves::CI_ATAN2;
    code _CIlog: ci_leaves::CI_LOG;
    code _CIlog10: ci_leaves::CI_LOG10;
    code _CIacos: ci_leaves::CI_ACOS;
    code _CIasin: ci_leaves::CI_ASIN;
    code _CIfmod: ci_leaves::CI_FMOD;
    code _CIexp: ci_leaves::CI_EXP;
    code _CIpow: ci_leaves::CI_POW;
    code _CIsinh: CI_SINH;
    code _CIcosh: CI_COSH;
    code _CItanh: CI_TANH;
    stub _fpieee_flt;
    code _controlfp_s: leaves::CONTROLFP_S;
    code __control87_2: flags::CONTROL87_2;
    code _statusfp2: flags::STATUSFP2;
};

/// fenv.h, which came with Visual Studio 2013.
pub const FENV_EXPORTS: &[Export] = dll! {
    code fegetenv: fenv_leaves::FEGETENV;
    code fesetenv: fenv_set_leaves::FESETENV;
    code feholdexcept: fenv_leaves::FEHOLDEXCEPT;
    code fegetround: flags::FEGETROUND;
    code fesetround: flags::FESETROUND;
    code fetestexcept: flags::FETESTEXCEPT;
    code feclearexcept: flags::FECLEAREXCEPT;
    code fegetexceptflag: flags::FEGETEXCEPTFLAG;
    code fesetexceptflag: flags::FESETEXCEPTFLAG;
};

/// What the headers of the Universal CRT have inline.
pub const FENV_2013_EXPORTS: &[Export] = dll! {
    code feraiseexcept: flags::FERAISEEXCEPT;
    code feupdateenv: fenv_set_leaves::FEUPDATEENV;
};

/// Makes intrinsics that pass ST0 on the stack to the function that follows, whose result lies in ST0 again:
/// `sub esp,8; fstp [esp]; call over; add esp,8; ret; over:`.
macro_rules! by_function {
    ($($code:ident => $function:path;)*) => {$(
        static $code: Code = Code {
            i386: &[0x83, 0xec, 0x08, 0xdd, 0x1c, 0x24, 0xe8, 0x04, 0, 0, 0, 0x83, 0xc4, 0x08, 0xc3],
            amd64: &[],
            slow: Some(&<$function as plat_abi::Api<Guest>>::DESCRIPTOR),
        };
    )*};
}
by_function! {
    CI_SINH => super::math::sinh;
    CI_COSH => super::math::cosh;
    CI_TANH => super::math::tanh;
}

/// The control word that a program starts with: all exceptions masked, 53 bits, rounding to nearest.
const CONTROL_DEFAULT: u32 = 0x9_001f;

/// Refuses bits that are none of the control word's, with EINVAL; guest code does the rest. The word stored then is the
/// one that programs start with: a call into the host cannot reach the caller's unit.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/controlfp-s>
#[winapi(cdecl)]
pub fn _controlfp_s(
    guest: &mut Guest,
    currentControl: GuestWord,
    newControl: u32,
    mask: u32,
) -> Result<i32, Fault> {
    let _ = (newControl, mask);
    if !currentControl.is_null() {
        guest.write(currentControl.0, &CONTROL_DEFAULT)?;
    }
    set_errno(guest, EINVAL).map(|()| EINVAL)
}
