//! signal.h: `signal`, `raise`, and how exceptions reach their handlers through `_XcptFilter`.

use std::sync::PoisonError;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::errno::EINVAL;
use super::state::{block, crt, set_errno, thread_block};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full signal;
    full raise;
    full _XcptFilter;
    full __pxcptinfoptrs;
};

const SIGINT: i32 = 2;
const SIGILL: i32 = 4;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;
const SIGTERM: i32 = 15;
const SIGBREAK: i32 = 21;
const SIGABRT: i32 = 22;
/// The number that other systems give to SIGABRT, accepted too.
const SIGABRT_COMPAT: i32 = 6;

/// `SIG_DFL`, `SIG_IGN`, `SIG_SGE`; `SIG_ERR` is -1.
const DEFAULT: u64 = 0;
const IGNORE: u64 = 1;
const ERROR: GuestWord = GuestWord(u64::MAX);

/// `_FPE_INVALID` and its followers, by exception.
const FLOAT_CODES: [(u32, u32); 8] = [
    (0xc000_0090, 0x81), // invalid operation
    (0xc000_008d, 0x82), // denormal operand
    (0xc000_008e, 0x83), // divide by zero
    (0xc000_0091, 0x84), // overflow
    (0xc000_0093, 0x85), // underflow
    (0xc000_008f, 0x86), // inexact
    (0xc000_0092, 0x8a), // stack overflow
    (0xc000_0094, 0x83), // integer divide by zero arrives as SIGFPE too
];

/// `EXCEPTION_CONTINUE_EXECUTION`.
const CONTINUE_EXECUTION: i32 = -1;

/// Returns where a thread keeps the handler of one of the signals that exceptions make; `None` for another signal.
fn thread_slot(signal: i32) -> Option<u64> {
    let index = [SIGSEGV, SIGFPE, SIGILL].iter().position(|&known| known == signal)?;
    Some(block::SIGNALS + 8 * index as u64)
}

/// Exchanges the handler of a signal, which must be a known one.
fn exchange(guest: &mut Guest, signal: i32, new: u64) -> Result<u64, Fault> {
    if let Some(offset) = thread_slot(signal) {
        let address = thread_block(guest)? + offset;
        let old = guest.read(address)?;
        guest.write(address, &new)?;
        return Ok(old);
    }
    let mut handlers = crt(guest).signals.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::replace(&mut handlers[signal as usize], new))
}

fn known(signal: i32) -> Option<i32> {
    match signal {
        SIGABRT_COMPAT => Some(SIGABRT),
        SIGINT | SIGILL | SIGFPE | SIGSEGV | SIGTERM | SIGBREAK | SIGABRT => Some(signal),
        _ => None,
    }
}

/// Sets the handler of a signal; returns the one before, or `SIG_ERR`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/signal>
#[winapi(cdecl)]
pub fn signal(guest: &mut Guest, sig: i32, func: GuestWord) -> Result<GuestWord, Fault> {
    if matches!(sig, SIGINT | SIGBREAK) && guest.process().files.console.add_crt_handler().is_err() {
        return set_errno(guest, EINVAL).map(|()| ERROR);
    }
    match known(sig) {
        Some(sig) => exchange(guest, sig, func.0).map(GuestWord),
        None => set_errno(guest, EINVAL).map(|()| ERROR),
    }
}

/// Calls the handler of a signal, which is reset before; without one the program ends with exit code 3.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/raise>
#[winapi(cdecl)]
pub fn raise(guest: &mut Guest, sig: i32) -> Result<i32, Fault> {
    let Some(sig) = known(sig) else {
        set_errno(guest, EINVAL)?;
        return Ok(-1);
    };
    let handler = exchange(guest, sig, DEFAULT)?;
    match handler {
        DEFAULT => super::exit::_exit(guest, 3),
        IGNORE => {
            exchange(guest, sig, IGNORE)?;
        }
        handler => {
            guest.call(handler, &[sig as u64])?;
        }
    }
    Ok(0)
}

/// Calls the handler of SIGABRT, if there is one.
pub(crate) fn raise_abort(guest: &mut Guest) -> Result<(), Fault> {
    let handler = exchange(guest, SIGABRT, DEFAULT)?;
    if handler > IGNORE {
        guest.call(handler, &[SIGABRT as u64])?;
    }
    Ok(())
}

/// Calls the handler of SIGINT (`CTRL_C_EVENT`) or SIGBREAK; says whether there was one. For the console's events.
///
/// # Errors
/// [`Fault`] when the handler cannot be called.
pub fn on_console_event(guest: &mut Guest, is_break: bool) -> Result<bool, Fault> {
    let sig = if is_break { SIGBREAK } else { SIGINT };
    match exchange(guest, sig, DEFAULT)? {
        DEFAULT => Ok(false),
        IGNORE => exchange(guest, sig, IGNORE).map(|_| true),
        handler => guest.call(handler, &[sig as u64]).map(|_| true),
    }
}

/// Returns the signal that an exception makes.
fn signal_of(exception: u32) -> Option<i32> {
    match exception {
        0xc000_0005 => Some(SIGSEGV),
        0xc000_001d | 0xc000_0096 => Some(SIGILL),
        0xc000_008c..=0xc000_0095 => Some(SIGFPE),
        _ => None,
    }
}

/// Decides what a program's start-up code does with an exception that `main` did not handle: calls the handler of the
/// signal that belongs to it, else lets the exception go on.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/xcptfilter>
#[winapi(cdecl)]
pub fn _XcptFilter(guest: &mut Guest, xcptnum: u32, pxcptinfoptrs: GuestWord) -> Result<i32, Fault> {
    const SEARCH: i32 = 0;
    const EXECUTE_HANDLER: i32 = 1;
    let Some(sig) = signal_of(xcptnum) else { return Ok(SEARCH) };
    let handler = exchange(guest, sig, DEFAULT)?;
    match handler {
        DEFAULT => return Ok(SEARCH),
        IGNORE => {
            exchange(guest, sig, IGNORE)?;
            return Ok(CONTINUE_EXECUTION);
        }
        // SIG_DIE: the start-up code's own handler ends the program.
        5 => return Ok(EXECUTE_HANDLER),
        _ => {}
    }
    let slot = thread_block(guest)? + block::EXCEPTION_POINTERS;
    let before: u64 = guest.read(slot)?;
    guest.write(slot, &pxcptinfoptrs.0)?;
    let code = FLOAT_CODES.iter().find(|row| row.0 == xcptnum).map_or(0x81, |row| row.1);
    let arguments = [sig as u64, u64::from(code)];
    guest.call(handler, if sig == SIGFPE { &arguments } else { &arguments[..1] })?;
    guest.write(slot, &before)?;
    Ok(CONTINUE_EXECUTION)
}

/// Returns the address of the pointer to the exception that a signal's handler was called for.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/signal>
#[winapi(cdecl)]
pub fn __pxcptinfoptrs(guest: &mut Guest) -> Result<GuestWord, Fault> {
    Ok(GuestWord(thread_block(guest)? + block::EXCEPTION_POINTERS))
}
