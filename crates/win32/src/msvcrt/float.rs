//! float.h: control and status of the floating-point unit, and the x87 intrinsics of 32-bit compilers.

use plat_abi::{Api, ApiDescriptor, Fault, GuestWord, Memory};

use super::ci_leaves;
use super::define::define;
use super::errno::EINVAL;
use super::fenv::{change, has_x87};
use super::float_leaves as leaves;
use super::float_words::{
    control, set_sse_control, set_x87_control, sse_control, sse_status, x87_control, x87_status,
};
use super::state::set_errno;
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code _ftol: leaves::FTOL;
    code _ftol2: leaves::FTOL;
    code _ftol2_sse: leaves::FTOL;
    full _control87;
    full _controlfp;
    full _statusfp;
    full _clearfp;
    full "_status87" = _statusfp;
    full "_clear87" = _clearfp;
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
    full _controlfp_s;
    code __control87_2: CONTROL87_2;
    code _statusfp2: STATUSFP2;
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

/// A function of the x87 unit, which 64-bit programs do not have: the slow way is all of it.
const fn only_i386(function: &'static ApiDescriptor<Guest>) -> Code {
    Code { i386: &[0x90], amd64: &[], slow: Some(function) }
}

static CONTROL87_2: Code = only_i386(&<__control87_2 as Api<Guest>>::DESCRIPTOR);
static STATUSFP2: Code = only_i386(&<_statusfp2 as Api<Guest>>::DESCRIPTOR);

/// The bits of a control word that each unit has.
const OF_X87: u32 = control::EXCEPTIONS | control::ROUNDING | control::PRECISION | control::INFINITY;
const OF_SSE: u32 = control::EXCEPTIONS | control::ROUNDING | control::DENORMALS;
/// The bits that both have.
const OF_BOTH: u32 = OF_X87 & OF_SSE;
/// 53 bits: what 64-bit programs are told.
const PRECISION_OF_SSE: u32 = 0x1_0000;
/// `_EM_DENORMAL`, which `_controlfp` leaves alone.
const DENORMAL: u32 = 0x8_0000;
/// The bits that `_controlfp_s` takes.
const OF_CONTROLFP_S: u32 = !0xfcf0_fce0;

/// Changes the bits of `mask` in the control word, and returns it.
fn set_control(guest: &Guest, new: u32, mask: u32) -> u32 {
    let state = guest.gate().float_state();
    let (now, mask) = match has_x87(guest) {
        true => (x87_control(&state), mask & OF_X87),
        false => (sse_control(&state) | PRECISION_OF_SSE, mask & OF_SSE),
    };
    let word = now & !mask | new & mask;
    if mask != 0 {
        change(guest, |state| match has_x87(guest) {
            true => {
                let sse = sse_control(state) & !OF_BOTH;
                set_x87_control(state, word);
                set_sse_control(state, sse | word & OF_BOTH);
            }
            false => set_sse_control(state, word),
        });
    }
    word
}

/// Returns the status of both units.
fn status(guest: &Guest) -> u32 {
    let state = guest.gate().float_state();
    sse_status(&state) | if has_x87(guest) { x87_status(&state) } else { 0 }
}

define! {
    "Reads and sets the control word.", "control87-controlfp-control87-2";
    _control87(guest, new: u32, mask: u32) -> u32 {
        Ok(set_control(guest, new, mask))
    }
    "Reads and sets the control word, but for the mask of denormals.", "control87-controlfp-control87-2";
    _controlfp(guest, new: u32, mask: u32) -> u32 {
        Ok(set_control(guest, new, mask & !DENORMAL))
    }
    "Does what `_controlfp` does, unless bits are given that are none: EINVAL, and nothing is changed.", "controlfp-s";
    _controlfp_s(guest, currentControl: GuestWord, newControl: u32, mask: u32) -> i32 {
        let is_known = newControl & mask & !OF_CONTROLFP_S == 0;
        let word = set_control(guest, newControl, if is_known { mask & !DENORMAL } else { 0 });
        if !currentControl.is_null() {
            guest.write(currentControl.0, &word)?;
        }
        if is_known { Ok(0) } else { set_errno(guest, EINVAL).map(|()| EINVAL) }
    }
    "Reads and sets the control words of both units; one that is not asked for stays.", "control87-controlfp-control87-2";
    __control87_2(guest, new: u32, mask: u32, x86_cw: GuestWord, sse2_cw: GuestWord) -> i32 {
        let mut state = guest.gate().float_state();
        let (x87, sse) = (mask & OF_X87, mask & OF_SSE);
        let words = [x87_control(&state) & !x87 | new & x87, sse_control(&state) & !sse | new & sse];
        if !x86_cw.is_null() && x87 != 0 {
            set_x87_control(&mut state, words[0]);
        }
        if !sse2_cw.is_null() && sse != 0 {
            set_sse_control(&mut state, words[1]);
        }
        guest.gate().set_float_state(state);
        put_both(guest, [x86_cw, sse2_cw], words).map(|()| 1)
    }
    "Returns the status.", "status87-statusfp-statusfp2";
    _statusfp(guest) -> u32 {
        Ok(status(guest))
    }
    "Stores the status of both units.", "status87-statusfp-statusfp2";
    _statusfp2(guest, px86: GuestWord, pSSE2: GuestWord) -> () {
        let state = guest.gate().float_state();
        put_both(guest, [px86, pSSE2], [x87_status(&state), sse_status(&state)])
    }
    "Returns the status and clears it.", "clear87-clearfp";
    _clearfp(guest) -> u32 {
        let before = status(guest);
        change(guest, |state| {
            state.mxcsr &= !0x3f;
            if has_x87(guest) {
                state.x87_status = 0;
            }
        });
        Ok(before)
    }
}

/// Stores words where they are asked for.
fn put_both(guest: &Guest, places: [GuestWord; 2], words: [u32; 2]) -> Result<(), Fault> {
    for (place, word) in places.into_iter().zip(words).filter(|(place, _)| !place.is_null()) {
        guest.write(place.0, &word)?;
    }
    Ok(())
}
