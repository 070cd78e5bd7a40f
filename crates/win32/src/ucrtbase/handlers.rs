//! Functions that programs set for what goes wrong: terminate, invalid parameters, memory running out, pure calls.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use plat_abi::{Fault, GuestWord};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::msvcrt::define::define;
use crate::msvcrt::exit::terminate as msvcrt_terminate;
use crate::msvcrt::malloc::{NEW_HANDLER, call_new_handler};
use crate::msvcrt::state::crt;
use crate::nt::exception::context::Record;
use crate::nt::exception::dispatch;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full terminate; full set_terminate; full _get_terminate; full set_unexpected; full _get_unexpected; full unexpected;
    full _set_abort_behavior;
    full _get_invalid_parameter_handler; full _set_thread_local_invalid_parameter_handler;
    full _get_thread_local_invalid_parameter_handler;
    full _invalid_parameter; full _invalid_parameter_noinfo; full _invalid_parameter_noinfo_noreturn; full _invoke_watson;
    full _callnewh; full _query_new_mode; full _query_new_handler; full _get_purecall_handler;
    full _get_printf_count_output; full _set_printf_count_output;
};

thread_local! {
    /// This thread's own handler of invalid parameters.
    static INVALID_PARAMETER: Cell<u64> = const { Cell::new(0) };
}

/// Ends the process as a failed check of the runtime does: `STATUS_STACK_BUFFER_OVERRUN` with the reason 5,
/// `FAST_FAIL_INVALID_ARG`, which no handler sees.
pub(crate) fn fail_fast(guest: &mut Guest) -> ! {
    const INVALID_ARGUMENT: u64 = 5;
    let registers = dispatch::caller(guest, 0);
    let mut record = Record::noncontinuable(NtStatus::STACK_BUFFER_OVERRUN, registers.rip);
    record.information = vec![INVALID_ARGUMENT];
    dispatch::raise(guest, record, registers)
}

/// Tells the program's handler of an invalid parameter; without one the process ends.
pub(crate) fn invalid_parameter(guest: &mut Guest, arguments: [u64; 5]) -> Result<(), Fault> {
    let own = INVALID_PARAMETER.get();
    let handler = if own != 0 { own } else { crt(guest).handlers[0].load(Ordering::Relaxed) };
    if handler == 0 {
        fail_fast(guest);
    }
    crate::msvcrt::locale::leave_call();
    guest.call(handler, &arguments).map(|_| ())
}

define! {
    "Ends the program because of an exception that C++ cannot handle.", "terminate-crt";
    terminate(guest) -> () { msvcrt_terminate(guest) }

    "Sets the function that `terminate` calls; returns the one before.", "set-terminate-crt";
    set_terminate(guest, termFunction: GuestWord) -> GuestWord {
        Ok(GuestWord(crt(guest).terminate[0].swap(termFunction.0, Ordering::Relaxed)))
    }

    "Returns the function that `terminate` calls.", "get-terminate";
    _get_terminate(guest) -> GuestWord { Ok(GuestWord(crt(guest).terminate[0].load(Ordering::Relaxed))) }

    "Sets the function for exceptions against a specification, which nothing calls; returns the one before.", "set-unexpected-crt";
    set_unexpected(guest, unexpFunction: GuestWord) -> GuestWord {
        Ok(GuestWord(crt(guest).terminate[1].swap(unexpFunction.0, Ordering::Relaxed)))
    }

    "Returns the function of `set_unexpected`.", "get-unexpected";
    _get_unexpected(guest) -> GuestWord { Ok(GuestWord(crt(guest).terminate[1].load(Ordering::Relaxed))) }

    "Calls the function of `set_unexpected`, then `terminate`.", "unexpected-crt";
    unexpected(guest) -> () {
        let handler = crt(guest).terminate[1].load(Ordering::Relaxed);
        if handler != 0 {
            guest.call(handler, &[])?;
        }
        msvcrt_terminate(guest)
    }

    "Sets what `abort` does, by the bits of `mask`: 1 to write a message, 2 to report a fault; returns the old flags.", "set-abort-behavior";
    _set_abort_behavior(guest, flags: u32, mask: u32) -> u32 {
        let change = |old: u32| Some(old & !mask | flags & mask);
        let flags = &crt(guest).abort_flags;
        Ok(flags.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).unwrap_or_default())
    }

    "Returns the function that is told of invalid parameters.", "get-invalid-parameter-handler-get-thread-local-invalid-parameter-handler";
    _get_invalid_parameter_handler(guest) -> GuestWord { Ok(GuestWord(crt(guest).handlers[0].load(Ordering::Relaxed))) }

    "Sets this thread's own function that is told of invalid parameters; returns the one before.", "set-invalid-parameter-handler-set-thread-local-invalid-parameter-handler";
    _set_thread_local_invalid_parameter_handler(guest, pNew: GuestWord) -> GuestWord {
        let _ = guest;
        Ok(GuestWord(INVALID_PARAMETER.replace(pNew.0)))
    }

    "Returns this thread's own function that is told of invalid parameters.", "get-invalid-parameter-handler-get-thread-local-invalid-parameter-handler";
    _get_thread_local_invalid_parameter_handler(guest) -> GuestWord {
        let _ = guest;
        Ok(GuestWord(INVALID_PARAMETER.get()))
    }

    "Tells the program's handler of an invalid parameter; without one the process ends.", "invalid-parameter-functions";
    _invalid_parameter(guest, expression: GuestWord, function: GuestWord, file: GuestWord, line: u32, pReserved: GuestWord) -> () {
        invalid_parameter(guest, [expression.0, function.0, file.0, line.into(), pReserved.0])
    }

    "Tells the program's handler of an invalid parameter; without one the process ends.", "invalid-parameter-functions";
    _invalid_parameter_noinfo(guest) -> () { invalid_parameter(guest, [0; 5]) }

    "Tells the program's handler of an invalid parameter, and ends the process.", "invalid-parameter-functions";
    _invalid_parameter_noinfo_noreturn(guest) -> () {
        invalid_parameter(guest, [0; 5])?;
        fail_fast(guest)
    }

    "Ends the process because of an invalid parameter.", "invalid-parameter-functions";
    _invoke_watson(guest, expression: GuestWord, function: GuestWord, file: GuestWord, line: u32, pReserved: GuestWord) -> () {
        let _ = (expression, function, file, line, pReserved);
        fail_fast(guest)
    }

    "Calls the handler of failed allocations; returns whether it made room.", "callnewh";
    _callnewh(guest, size: GuestWord) -> i32 { call_new_handler(guest, size.0).map(i32::from) }

    "Returns whether `malloc` calls the handler of failed allocations.", "query-new-mode";
    _query_new_mode(guest) -> i32 { Ok(crt(guest).new_mode.load(Ordering::Relaxed)) }

    "Returns the handler of failed allocations.", "query-new-handler";
    _query_new_handler(guest) -> GuestWord { Ok(GuestWord(crt(guest).handlers[NEW_HANDLER].load(Ordering::Relaxed))) }

    "Returns the function that a pure virtual call leads to.", "get-purecall-handler-set-purecall-handler";
    _get_purecall_handler(guest) -> GuestWord { Ok(GuestWord(crt(guest).handlers[1].load(Ordering::Relaxed))) }

    "Says whether `%n` works in formats.", "get-printf-count-output";
    _get_printf_count_output(guest) -> i32 { Ok(crt(guest).count_output.load(Ordering::Relaxed).into()) }

    "Says whether `%n` is to work in formats; returns what was before.", "set-printf-count-output";
    _set_printf_count_output(guest, enable: i32) -> i32 {
        Ok(crt(guest).count_output.swap(enable != 0, Ordering::Relaxed).into())
    }
}
