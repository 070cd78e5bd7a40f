//! fenv.h: the environment of the floating-point units. Raising an exception takes guest code; the rest is
//! `float_words`'.

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::gate::FloatState;

use super::define::define;
use super::float_words::{EXCEPTIONS, Environment, control, flags, processor_flags};
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::Guest;

/// fenv.h, which came with Visual Studio 2013.
pub const EXPORTS: &[Export] = dll! {
    full fegetenv; full fesetenv; full feholdexcept; full fegetround; full fesetround; full fetestexcept; full feclearexcept;
    full fegetexceptflag; full fesetexceptflag;
};

/// What the headers of the Universal CRT have inline.
pub const EXPORTS_2013: &[Export] = dll! {
    code feraiseexcept: FERAISEEXCEPT;
    code feupdateenv: FEUPDATEENV;
};

/// Changes the units' words.
pub(super) fn change(guest: &Guest, by: impl FnOnce(&mut FloatState)) {
    let mut state = guest.gate().float_state();
    by(&mut state);
    guest.gate().set_float_state(state);
}

/// Says whether the x87 unit counts.
pub(super) fn has_x87(guest: &Guest) -> bool {
    !guest.machine().is_64()
}

/// Returns which exceptions either unit has seen.
fn seen(guest: &Guest) -> u32 {
    let state = guest.gate().float_state();
    let x87 = if has_x87(guest) { state.x87_status.into() } else { 0 };
    flags(state.mxcsr | x87) & EXCEPTIONS
}

/// Sets those of `which` that are in `now`, and clears the others of them.
fn set_flags(guest: &Guest, which: u32, now: u32) {
    let (which, now) = (processor_flags(which & EXCEPTIONS), processor_flags(which & now & EXCEPTIONS));
    change(guest, |state| {
        state.mxcsr = state.mxcsr & !which | now;
        if has_x87(guest) {
            state.x87_status = state.x87_status & !which as u16 | now as u16;
        }
    });
}

fn load(guest: &Guest, place: GuestWord) -> Result<Environment, Fault> {
    Ok(Environment { control: guest.read_u32(place.0)?, status: guest.read_u32(place.0 + 4)? })
}

fn store(guest: &Guest, place: GuestWord) -> Result<(), Fault> {
    let Environment { control, status } = Environment::of(&guest.gate().float_state(), has_x87(guest));
    guest.write(place.0, &[control, status])
}

define! {
    "Stores the environment.", "fegetenv1";
    fegetenv(guest, penv: GuestWord) -> i32 {
        store(guest, penv).map(|()| 0)
    }
    "Sets the environment.", "fesetenv1";
    fesetenv(guest, penv: GuestWord) -> i32 {
        let environment = load(guest, penv)?;
        change(guest, |state| environment.put(state, has_x87(guest)));
        Ok(0)
    }
    "Stores the environment, forgets what exceptions there were, and masks all.", "feholdexcept2";
    feholdexcept(guest, penv: GuestWord) -> i32 {
        store(guest, penv)?;
        change(guest, |state| {
            if has_x87(guest) {
                state.x87_status = 0;
                state.x87_control |= 0x3f;
            }
            state.mxcsr = state.mxcsr & !0x3f | 0x1f80;
        });
        Ok(0)
    }
    "Returns the direction of rounding.", "fegetround-fesetround2";
    fegetround(guest) -> i32 {
        let state = guest.gate().float_state();
        let word = if has_x87(guest) { u32::from(state.x87_control) >> 2 } else { state.mxcsr >> 5 };
        Ok((word & control::ROUNDING) as i32)
    }
    "Sets the direction of rounding; 1 for none.", "fegetround-fesetround2";
    fesetround(guest, round: u32) -> i32 {
        if round & !control::ROUNDING != 0 {
            return Ok(1);
        }
        change(guest, |state| {
            if has_x87(guest) {
                state.x87_control = state.x87_control & !0xc00 | (round << 2) as u16;
            }
            state.mxcsr = state.mxcsr & !0x6000 | round << 5;
        });
        Ok(0)
    }
    "Returns which of some exceptions there were.", "fetestexcept1";
    fetestexcept(guest, excepts: u32) -> i32 {
        Ok((seen(guest) & excepts) as i32)
    }
    "Forgets exceptions.", "feclearexcept1";
    feclearexcept(guest, excepts: u32) -> i32 {
        set_flags(guest, excepts, 0);
        Ok(0)
    }
    "Stores which of some exceptions there were.", "fegetexceptflag2";
    fegetexceptflag(guest, pstatus: GuestWord, excepts: u32) -> i32 {
        guest.write(pstatus.0, &(seen(guest) & excepts)).map(|()| 0)
    }
    "Sets and clears exceptions as they were stored.", "fesetexceptflag2";
    fesetexceptflag(guest, pstatus: GuestWord, excepts: u32) -> i32 {
        let stored = guest.read_u32(pstatus.0)?;
        set_flags(guest, excepts, stored);
        Ok(0)
    }
}

/// Sets exceptions of the x87 unit, for [`FERAISEEXCEPT`].
fn pend(guest: &Guest, excepts: u32) {
    change(guest, |state| state.x87_status |= processor_flags(excepts & EXCEPTIONS) as u16);
}

/// Raises exceptions: in 32-bit programs the guest code before and after this has them come.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/feraiseexcept>
#[winapi(cdecl)]
pub fn feraiseexcept(guest: &mut Guest, excepts: u32) -> i32 {
    pend(guest, excepts);
    0
}

/// Sets the environment and raises what exceptions there were: their coming is left to the guest code around this, which
/// gets them as the result.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/feupdateenv>
#[winapi(cdecl)]
pub fn feupdateenv(guest: &mut Guest, penv: GuestWord) -> Result<u32, Fault> {
    let environment = load(guest, penv)?;
    let before = seen(guest);
    change(guest, |state| environment.put(state, has_x87(guest)));
    if has_x87(guest) {
        pend(guest, before);
    }
    Ok(before)
}

/// Calls the slow way, which lies behind, and waits for what it has pending.
#[rustfmt::skip]
const RAISE_I386: &[u8] = &[
    0xff, 0x74, 0x24, 0x04, // push DWORD PTR [esp+0x4]
    0xe8, 0x05, 0x00, 0x00, 0x00, // call the slow thunk, at the end
    0x59, // pop ecx
    0x9b, // fwait
    0x31, 0xc0, // xor eax,eax
    0xc3, // ret
];

/// Computes what raises the exceptions in CL, after other code.
#[rustfmt::skip]
macro_rules! raise_amd64 {
    ($($before:literal)*) => { &[
        $($before,)*
        0xf6, 0xc1, 0x10, // test cl,0x10
        0x74, 0x07, // je +0x7
        0x0f, 0x57, 0xc0, // xorps xmm0,xmm0
        0xf3, 0x0f, 0x5e, 0xc0, // divss xmm0,xmm0
        0xf6, 0xc1, 0x08, // test cl,0x8
        0x74, 0x10, // je +0x10
        0xb8, 0x00, 0x00, 0x80, 0x3f, // mov eax,0x3f800000
        0x66, 0x0f, 0x6e, 0xc0, // movd xmm0,eax
        0x0f, 0x57, 0xc9, // xorps xmm1,xmm1
        0xf3, 0x0f, 0x5e, 0xc1, // divss xmm0,xmm1
        0xf6, 0xc1, 0x04, // test cl,0x4
        0x74, 0x0d, // je +0xd
        0xb8, 0xff, 0xff, 0x7f, 0x7f, // mov eax,0x7f7fffff
        0x66, 0x0f, 0x6e, 0xc0, // movd xmm0,eax
        0xf3, 0x0f, 0x59, 0xc0, // mulss xmm0,xmm0
        0xf6, 0xc1, 0x02, // test cl,0x2
        0x74, 0x0d, // je +0xd
        0xb8, 0x00, 0x00, 0x80, 0x00, // mov eax,0x800000
        0x66, 0x0f, 0x6e, 0xc0, // movd xmm0,eax
        0xf3, 0x0f, 0x59, 0xc0, // mulss xmm0,xmm0
        0xf6, 0xc1, 0x01, // test cl,0x1
        0x74, 0x16, // je +0x16
        0xb8, 0x00, 0x00, 0x80, 0x3f, // mov eax,0x3f800000
        0x66, 0x0f, 0x6e, 0xc0, // movd xmm0,eax
        0xb8, 0x00, 0x00, 0x80, 0x00, // mov eax,0x800000
        0x66, 0x0f, 0x6e, 0xc8, // movd xmm1,eax
        0xf3, 0x0f, 0x58, 0xc1, // addss xmm0,xmm1
        0x31, 0xc0, // xor eax,eax
        0xc3, // ret
    ] };
}

static FERAISEEXCEPT: Code = Code {
    i386: RAISE_I386,
    amd64: raise_amd64!(),
    slow: Some(&<feraiseexcept as plat_abi::Api<Guest>>::DESCRIPTOR),
};

/// In 64 bits: `sub rsp,40; call the slow thunk, at the end; add rsp,40; mov ecx,eax`, then the exceptions.
static FEUPDATEENV: Code = Code {
    i386: RAISE_I386,
    amd64: raise_amd64!(0x48 0x83 0xec 0x28 0xe8 0x69 0x00 0x00 0x00 0x48 0x83 0xc4 0x28 0x89 0xc1),
    slow: Some(&<feupdateenv as plat_abi::Api<Guest>>::DESCRIPTOR),
};
