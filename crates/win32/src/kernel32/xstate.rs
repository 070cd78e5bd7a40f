//! winbase.h: register states beyond the classic ones. A `CONTEXT` has x87 and SSE; AVX registers are kept by plat across
//! exceptions and suspensions, and are not part of it.

use plat_abi::{Fault, GuestWord, Machine, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::exception::context::context_size;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CopyContext, "x87 and SSE are the only states";
    partial GetEnabledXStateFeatures, "x87 and SSE are the only states of a CONTEXT";
    partial GetXStateFeaturesMask, "x87 and SSE are the only states of a CONTEXT";
    partial InitializeContext, "x87 and SSE are the only states of a CONTEXT";
    partial InitializeContext2, "x87 and SSE are the only states of a CONTEXT";
    partial LocateXStateFeature, "x87 and SSE are the only states of a CONTEXT";
    partial SetXStateFeaturesMask, "x87 and SSE are the only states of a CONTEXT";
};

/// `XSTATE_MASK_LEGACY`: x87 and SSE.
const LEGACY: u64 = 3;
/// The bit that asks for further states.
const XSTATE: u32 = 0x40;

/// Where a machine's context has its flags, and how they begin.
fn flags_of(machine: Machine) -> (u64, u32) {
    match machine {
        Machine::I386 => (0, 0x1_0000),
        Machine::Amd64 => (0x30, 0x10_0000),
    }
}

/// Returns the register states that there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getenabledxstatefeatures>
#[winapi]
pub fn GetEnabledXStateFeatures(guest: &mut Guest) -> u64 {
    let _ = guest;
    LEGACY
}

/// Makes a context in a buffer; with one that is too small it says how large it must be.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-initializecontext>
#[winapi]
pub fn InitializeContext(
    guest: &mut Guest,
    Buffer: GuestWord,
    ContextFlags: u32,
    Context: GuestWord,
    ContextLength: GuestWord,
) -> Result<Bool, Win32Error> {
    const ALIGNMENT: u64 = 16;
    let machine = guest.machine();
    let (at, family) = flags_of(machine);
    if ContextFlags & family == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let needed = context_size(machine) + ALIGNMENT - 1;
    let room: u32 = guest.read(ContextLength.get())?;
    guest.write(ContextLength.get(), &(needed as u32))?;
    if Buffer.is_null() || u64::from(room) < needed {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let context = Buffer.get().next_multiple_of(ALIGNMENT);
    guest.write(context + at, &(ContextFlags & !XSTATE))?;
    guest.write_word(Context.get(), context)?;
    Ok(TRUE)
}

/// Makes a context with some of the further states in a buffer: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-initializecontext2>
#[winapi]
pub fn InitializeContext2(
    guest: &mut Guest,
    Buffer: GuestWord,
    ContextFlags: u32,
    Context: GuestWord,
    ContextLength: GuestWord,
    XStateCompactionMask: u64,
) -> Result<Bool, Win32Error> {
    let _ = XStateCompactionMask;
    InitializeContext(guest, Buffer, ContextFlags, Context, ContextLength)
}

/// Returns the parts of a context that a group of flags is for: where they begin and how long they are.
fn parts(machine: Machine) -> &'static [(u32, &'static [(u64, u64)])] {
    match machine {
        // Control, integer, segments, x87, debug, extended registers.
        Machine::I386 => &[
            (0x1, &[(0xb4, 0x18)]),
            (0x2, &[(0x9c, 0x18)]),
            (0x4, &[(0x8c, 0x10)]),
            (0x8, &[(0x1c, 0x70)]),
            (0x10, &[(0x4, 0x18)]),
            (0x20, &[(0xcc, 0x200)]),
        ],
        // Control, integer, segments, floating point, debug.
        Machine::Amd64 => &[
            (0x1, &[(0x38, 0x2), (0x42, 0x6), (0x98, 0x8), (0xf8, 0x8)]),
            (0x2, &[(0x78, 0x20), (0xa0, 0x58)]),
            (0x4, &[(0x3a, 0x8)]),
            (0x8, &[(0x34, 0x4), (0x100, 0x200)]),
            (0x10, &[(0x48, 0x30)]),
        ],
    }
}

/// Copies parts of a context to another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-copycontext>
#[winapi]
pub fn CopyContext(
    guest: &mut Guest,
    Destination: GuestWord,
    ContextFlags: u32,
    Source: GuestWord,
) -> Result<Bool, Win32Error> {
    let machine = guest.machine();
    let (at, family) = flags_of(machine);
    let has: u32 = guest.read(Source.get() + at)?;
    if ContextFlags & family == 0 || has & family == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let wanted = ContextFlags & has & !XSTATE;
    for (flag, places) in parts(machine) {
        if wanted & flag != 0 {
            for &(offset, length) in *places {
                let bytes = guest.read_vec(Source.get() + offset, length)?;
                guest.write_bytes(Destination.get() + offset, &bytes)?;
            }
        }
    }
    guest.write(Destination.get() + at, &(wanted | family))?;
    Ok(TRUE)
}

/// Returns the states that a context has: none, unless it has floating point.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getxstatefeaturesmask>
#[winapi]
pub fn GetXStateFeaturesMask(
    guest: &mut Guest,
    Context: GuestWord,
    FeatureMask: GuestWord,
) -> Result<Bool, Win32Error> {
    let (at, family) = flags_of(guest.machine());
    let flags: u32 = guest.read(Context.get() + at)?;
    if flags & family == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let has = if flags & 0x28 != 0 { LEGACY } else { 0 };
    guest.write(FeatureMask.get(), &has)?;
    Ok(TRUE)
}

/// Sets which further states a context has: there are none to set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setxstatefeaturesmask>
#[winapi]
pub fn SetXStateFeaturesMask(
    guest: &mut Guest,
    Context: GuestWord,
    FeatureMask: u64,
) -> Result<Bool, Win32Error> {
    let (at, family) = flags_of(guest.machine());
    let flags: u32 = guest.read(Context.get() + at)?;
    let is_good = flags & family != 0 && FeatureMask & !LEGACY == 0;
    if is_good { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Returns where a context has a state, and stores its size; null for one that it has not.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-locatexstatefeature>
#[winapi]
pub fn LocateXStateFeature(
    guest: &mut Guest,
    Context: GuestWord,
    FeatureId: u32,
    Length: GuestWord,
) -> Result<GuestWord, Fault> {
    // x87, SSE: in the image that FXSAVE makes.
    let image = match guest.machine() {
        Machine::I386 => 0xcc,
        Machine::Amd64 => 0x100,
    };
    let registers = if guest.machine().is_64() { 0x100 } else { 0x80 };
    let (offset, length) = match FeatureId {
        0 => (0, 0xa0),
        1 => (0xa0, registers),
        _ => return Ok(GuestWord(0)),
    };
    if !Length.is_null() {
        guest.write(Length.get(), &(length as u32))?;
    }
    Ok(GuestWord(Context.get() + image + offset))
}
