//! Exceptions: dispatch, unwinding, vectored handlers.

use plat_abi::{GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::msvcrt::eh_amd64::SPECIFIC_HANDLER;
use crate::nt::exception::List;
use crate::nt::exception::context::Record;
use crate::nt::exception::dispatch;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlAddVectoredExceptionHandler;
    full RtlRemoveVectoredExceptionHandler;
    full RtlAddVectoredContinueHandler;
    full RtlRemoveVectoredContinueHandler;
    full RtlUnwind;
    full RtlRaiseException;
    code __C_specific_handler: SPECIFIC_HANDLER;
};

/// Adds a handler that is asked before any frame's handler; returns what removes it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-addvectoredexceptionhandler>
#[winapi]
pub fn RtlAddVectoredExceptionHandler(guest: &mut Guest, First: u32, Handler: GuestWord) -> GuestWord {
    GuestWord(guest.process().exceptions.add(List::Exception, First != 0, Handler.0))
}

/// Removes a vectored exception handler; returns nonzero when it was there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-removevectoredexceptionhandler>
#[winapi]
pub fn RtlRemoveVectoredExceptionHandler(guest: &mut Guest, Handle: GuestWord) -> u32 {
    u32::from(guest.process().exceptions.remove(List::Exception, Handle.0))
}

/// Adds a handler that is called when an exception ends with "continue execution".
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-addvectoredcontinuehandler>
#[winapi]
pub fn RtlAddVectoredContinueHandler(guest: &mut Guest, First: u32, Handler: GuestWord) -> GuestWord {
    GuestWord(guest.process().exceptions.add(List::Continue, First != 0, Handler.0))
}

/// Removes a vectored continue handler; returns nonzero when it was there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-removevectoredcontinuehandler>
#[winapi]
pub fn RtlRemoveVectoredContinueHandler(guest: &mut Guest, Handle: GuestWord) -> u32 {
    u32::from(guest.process().exceptions.remove(List::Continue, Handle.0))
}

/// Calls the handlers of the frames up to `TargetFrame` for an unwind, and returns `ReturnValue` to the caller.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlunwind>
#[winapi]
pub fn RtlUnwind(
    guest: &mut Guest,
    TargetFrame: GuestWord,
    TargetIp: GuestWord,
    ExceptionRecord: GuestWord,
    ReturnValue: GuestWord,
) -> GuestWord {
    let registers = dispatch::caller(guest, RTL_UNWIND_BYTES);
    if guest.machine().is_64() {
        super::unwind::unwind(guest, TargetFrame, TargetIp, ExceptionRecord, ReturnValue)
    }
    // 32-bit Windows returns to the caller; what passes a label passes that of its own next instruction.
    let record = match ExceptionRecord.0 {
        0 => Ok(Record::new(NtStatus::UNWIND, registers.rip)),
        address => Record::load(guest, address).map_err(NtStatus::from),
    };
    let done = record.and_then(|record| dispatch::unwind_chain(guest, TargetFrame.0, record));
    match done {
        Ok(()) => ReturnValue,
        Err(status) => {
            let record = Record::noncontinuable(status, registers.rip);
            dispatch::raise(guest, record, registers)
        }
    }
}

/// Bytes of arguments of the 32-bit `RtlUnwind`.
const RTL_UNWIND_BYTES: u64 = 16;

/// Raises the exception that a record describes, at the caller.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-exception_record>
#[winapi]
pub fn RtlRaiseException(guest: &mut Guest, ExceptionRecord: GuestWord) -> Result<(), plat_abi::Fault> {
    let mut record = Record::load(guest, ExceptionRecord.0)?;
    let registers = dispatch::caller(guest, 4);
    record.address = registers.rip;
    // The record of the program shows where, too.
    let width = guest.machine().pointer_size();
    guest.write_word(ExceptionRecord.0 + 8 + width, record.address)?;
    dispatch::raise(guest, record, registers)
}
