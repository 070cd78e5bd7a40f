//! Calls of the guest that an exception does not leave: what the loader does with `DllMain`.
//!
//! In 64-bit code a `Marker` lies where the call's stack begins, and the walk for a handler ends there. In 32-bit code it
//! is a record on the chain at `fs:[0]`, whose handler is the address to which the called function returns. Whoever comes
//! there with an exception unwinds the frames within the call, and goes on as if the function had returned.

use std::cell::Cell;

use plat_abi::Memory;
use plat_host::gate::Registers;

use super::context::Record;
use super::dispatch::unwind_chain;
use super::unwind_run::{Target, Unwinder};
use super::unwind_walk::{Marker, Purpose};
use crate::NtStatus;
use crate::guest::Guest;
use crate::teb::Teb;

/// The flags that a called function returns with: none that changes how code runs.
const FLAGS_AT_RETURN: u64 = 0x202;

thread_local! {
    /// The code of the exception that left the last call.
    static CAUGHT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Calls a guest function with up to four arguments as [`Guest::call`] does; an exception that nobody inside handles
/// ends the call.
///
/// # Errors
/// The exception's code.
pub fn call(guest: &mut Guest, function: u64, arguments: &[u64]) -> Result<u64, NtStatus> {
    CAUGHT.set(None);
    let top = guest.gate().call_stack_pointer();
    let result = if guest.machine().is_64() {
        call64(guest, function, arguments, top)
    } else {
        call32(guest, function, arguments, top)
    };
    match CAUGHT.take() {
        Some(code) => Err(NtStatus(code)),
        None => result,
    }
}

fn call64(guest: &Guest, function: u64, arguments: &[u64], top: u64) -> Result<u64, NtStatus> {
    let marker = top.wrapping_sub(Marker::SIZE) & !15;
    Marker { purpose: Purpose::Guard, context: 0, extra: 0 }.store(guest, marker)?;
    Ok(guest.gate().call_at(function, arguments, marker).map_err(crate::guest::to_fault)?)
}

fn call32(guest: &Guest, function: u64, arguments: &[u64], top: u64) -> Result<u64, NtStatus> {
    let record = top.wrapping_sub(8) & !15;
    let outer = guest.teb().get(Teb::EXCEPTION_LIST)?;
    guest.write_word(record, outer)?;
    guest.write_word(record + 4, guest.gate().return_address())?;
    guest.teb().set(Teb::EXCEPTION_LIST, record)?;
    let result = guest.gate().call_at(function, arguments, record);
    guest.teb().set(Teb::EXCEPTION_LIST, outer)?;
    Ok(result.map_err(crate::guest::to_fault)?)
}

/// Ends a guarded call of 64-bit code, to which the search for a handler came: `stack` is the stack pointer after its
/// return, `record` the exception's record.
pub(super) fn leave64(
    guest: &mut Guest,
    record: u64,
    stack: u64,
) -> Result<std::convert::Infallible, NtStatus> {
    let mut unwinder = Unwinder::new(guest, record, false)?;
    let code = guest.read_u32(record)?;
    let registers = unwinder.run(guest, Target::guard(stack))?;
    // Nothing comes back here.
    drop(unwinder);
    go_on(guest, registers, code, stack)
}

/// Ends a guarded call of 32-bit code, whose record on the chain lies at `frame`.
pub(super) fn leave32(
    guest: &mut Guest,
    record: Record,
    frame: u64,
) -> Result<std::convert::Infallible, NtStatus> {
    let code = record.code;
    unwind_chain(guest, frame, record)?;
    let registers = guest.caller_registers().ok_or(NtStatus::BAD_STACK)?;
    go_on(guest, registers, code, frame)
}

/// Says whether a 32-bit frame's handler is that of a guarded call.
pub(super) fn is_guard(guest: &Guest, handler: u64) -> bool {
    handler == guest.gate().return_address()
}

fn go_on(guest: &Guest, mut registers: Box<Registers>, code: u32, stack: u64) -> ! {
    CAUGHT.set(Some(code));
    registers.general[0] = 0;
    registers.general[4] = stack;
    registers.rip = guest.gate().return_address();
    registers.rflags = FLAGS_AT_RETURN;
    guest.gate().resume(registers)
}
