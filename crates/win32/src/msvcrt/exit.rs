//! How a program ends: `exit` and its kin, and the functions to be called then.
//!
//! Key type: `Exit`. Whoever ends the process (`ExitProcess`) calls [`at_process_exit`] before it does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::state::crt;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::process::exit_process as end_process;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full exit;
    full _cexit;
    full _c_exit;
    full abort;
    full _amsg_exit;
    full _onexit;
    full atexit;
    full __dllonexit;
    full _purecall;
    full _set_purecall_handler;
    full _assert;
    full _wassert;
    full "?terminate@@YAXXZ" = terminate;
};

/// What the Universal CRT does in another way.
pub const OLD_EXPORTS: &[Export] = dll! {
    full _exit;
};

/// The exit code of `abort` and of fatal errors of the runtime: 3 and 255.
const ABORT_CODE: u32 = 3;
const FATAL_CODE: u32 = 255;
/// The index of the handler of pure virtual calls.
const PURECALL_HANDLER: usize = 1;
/// How many pointers a table of `__dllonexit` grows by at least.
const TABLE_STEP: u64 = 16;

/// What is to be done when the program ends.
#[derive(Default)]
pub(crate) struct Exit {
    functions: Mutex<Vec<u64>>,
    done: AtomicBool,
}

/// Calls the functions of `atexit`, last first, and writes out all streams: once.
///
/// # Errors
/// [`Fault`] when a guest function cannot be called.
pub fn at_process_exit(guest: &mut Guest) -> Result<(), Fault> {
    let exit = &crt(guest).exit;
    if !crt(guest).attached.load(Ordering::Relaxed) || exit.done.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let callback = crt(guest).thread_local_exit.swap(0, Ordering::Relaxed);
    if callback != 0 {
        // DLL_PROCESS_DETACH, as a TLS callback is told.
        guest.call(callback, &[0, 0, 0])?;
    }
    loop {
        // The lock is free again while the function runs: it may add more of them.
        let function = exit.functions.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match function {
            Some(function) => guest.call(function, &[])?,
            None => break,
        };
    }
    super::stream::finish_all(guest)
}

/// Writes a message to the standard error and ends the process.
pub(crate) fn fatal(guest: &mut Guest, message: &str, code: u32) -> ! {
    // There is nobody left to tell when standard error cannot be written.
    let _ = super::fd::write_to(guest, 2, message.as_bytes());
    end_process(guest, code)
}

/// Calls the functions of `atexit`, writes out all streams and ends the process.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/exit-exit-exit>
#[winapi(cdecl)]
pub fn exit(guest: &mut Guest, status: i32) -> Result<(), Fault> {
    at_process_exit(guest)?;
    end_process(guest, status as u32)
}

/// Ends the process without calling any function of `atexit`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/exit-exit-exit>
#[winapi(cdecl)]
pub fn _exit(guest: &mut Guest, status: i32) {
    crt(guest).exit.done.store(true, Ordering::Relaxed);
    end_process(guest, status as u32)
}

/// Ends the process as the Universal CRT's `_exit` does: functions of `atexit` are not called, and the streams are written out
/// when its DLL hears of the end.
pub(crate) fn end_with_streams(guest: &mut Guest, status: i32) -> ! {
    crt(guest).thread_local_exit.store(0, Ordering::Relaxed);
    crt(guest).exit.functions.lock().unwrap_or_else(PoisonError::into_inner).clear();
    end_process(guest, status as u32)
}

/// Does what `exit` does, and returns.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/cexit-c-exit>
#[winapi(cdecl)]
pub fn _cexit(guest: &mut Guest) -> Result<(), Fault> {
    at_process_exit(guest)
}

/// Does what `_exit` does, and returns: nothing.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/cexit-c-exit>
#[winapi(cdecl)]
pub fn _c_exit(guest: &mut Guest) {
    crt(guest).exit.done.store(true, Ordering::Relaxed);
}

/// Says so on the standard error, calls the handler of SIGABRT, and ends the process with exit code 3.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/abort>
#[winapi(cdecl)]
pub fn abort(guest: &mut Guest) -> Result<(), Fault> {
    let message = "\r\nThis application has requested the Runtime to terminate it in an unusual way.\r\n\
                   Please contact the application's support team for more information.\r\n";
    const WRITE_MESSAGE: u32 = 1;
    // What is in the streams stays there: abort writes nothing out.
    if crt(guest).abort_flags.load(Ordering::Relaxed) & WRITE_MESSAGE != 0 {
        let _ = super::fd::write_to(guest, 2, message.replace('\r', "").as_bytes());
    }
    super::signal::raise_abort(guest)?;
    crt(guest).exit.done.store(true, Ordering::Relaxed);
    end_process(guest, ABORT_CODE)
}

/// Reports a fatal error of the runtime by its number and ends the process with exit code 255.
///
/// Source: <https://learn.microsoft.com/cpp/error-messages/tool-errors/c-runtime-errors-r6002-through-r6035>
#[winapi(cdecl)]
pub fn _amsg_exit(guest: &mut Guest, rterrnum: i32) {
    fatal(guest, &format!("\nruntime error R6{rterrnum:03}\n"), FATAL_CODE)
}

/// Adds a function to those that `exit` calls; returns it, or null when there is no memory.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/onexit-onexit-m>
#[winapi(cdecl)]
pub fn _onexit(guest: &mut Guest, func: GuestWord) -> GuestWord {
    crt(guest).exit.functions.lock().unwrap_or_else(PoisonError::into_inner).push(func.0);
    func
}

/// Adds a function to those that `exit` calls; returns 0.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/atexit>
#[winapi(cdecl)]
pub fn atexit(guest: &mut Guest, func: GuestWord) -> i32 {
    _onexit(guest, func);
    0
}

/// Adds a function to a DLL's own table, which lies between `*pbegin` and `*pend`; returns it, or null.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/dllonexit>
#[winapi(cdecl)]
pub fn __dllonexit(
    guest: &mut Guest,
    func: GuestWord,
    pbegin: GuestWord,
    pend: GuestWord,
) -> Result<GuestWord, Fault> {
    let word = guest.machine().pointer_size();
    let (begin, end) = (guest.read_word(pbegin.0)?, guest.read_word(pend.0)?);
    let used = end.wrapping_sub(begin);
    let Some(capacity) = guest.process().heaps.size(0, begin) else { return Ok(GuestWord::NULL) };
    let mut table = begin;
    if used + word > capacity {
        let grown = capacity + capacity.max(TABLE_STEP * word);
        match guest.process().heaps.reallocate(0, begin, grown, false, false) {
            Some(address) => table = address,
            None => return Ok(GuestWord::NULL),
        }
    }
    guest.write_word(table + used, func.0)?;
    guest.write_word(pbegin.0, table)?;
    guest.write_word(pend.0, table + used + word)?;
    Ok(func)
}

/// Is called through the table of an abstract class: calls the handler, else ends the program.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/purecall>
#[winapi(cdecl)]
pub fn _purecall(guest: &mut Guest) -> Result<i32, Fault> {
    let handler = crt(guest).handlers[PURECALL_HANDLER].load(Ordering::Relaxed);
    if handler != 0 {
        guest.call(handler, &[])?;
    }
    fatal(guest, "\nruntime error R6025\n- pure virtual function call\n", FATAL_CODE)
}

/// Sets the function that a pure virtual call leads to; returns the one before.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/get-purecall-handler-set-purecall-handler>
#[winapi(cdecl)]
pub fn _set_purecall_handler(guest: &mut Guest, handler: GuestWord) -> GuestWord {
    GuestWord(crt(guest).handlers[PURECALL_HANDLER].swap(handler.0, Ordering::Relaxed))
}

/// Reports a failed assertion on the standard error and aborts.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/assert-macro-assert-wassert>
#[winapi(cdecl)]
pub fn _assert(guest: &mut Guest, message: GuestWord, filename: GuestWord, line: u32) -> Result<(), Fault> {
    let (message, file) = (guest.read_c_string(message.0)?, guest.read_c_string(filename.0)?);
    report_assertion(guest, &message, &file, line)
}

/// Reports a failed assertion on the standard error and aborts.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/assert-macro-assert-wassert>
#[winapi(cdecl)]
pub fn _wassert(guest: &mut Guest, message: GuestWord, filename: GuestWord, line: u32) -> Result<(), Fault> {
    let (message, file) = (guest.read_wide_string(message.0)?, guest.read_wide_string(filename.0)?);
    let (message, file) = (crt(guest).narrow(&message), crt(guest).narrow(&file));
    report_assertion(guest, &message, &file, line)
}

fn report_assertion(guest: &mut Guest, message: &[u8], file: &[u8], line: u32) -> Result<(), Fault> {
    let mut text = b"Assertion failed: ".to_vec();
    text.extend(message);
    text.extend(b", file ");
    text.extend(file);
    text.extend(format!(", line {line}\n").bytes());
    let _ = super::fd::write_to(guest, 2, &text);
    abort(guest)
}

/// Ends the program because of an exception that C++ cannot handle: calls the function of `set_terminate`, aborts.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/terminate-crt>
#[winapi(cdecl)]
pub fn terminate(guest: &mut Guest) -> Result<(), Fault> {
    let handler = crt(guest).terminate[0].load(Ordering::Relaxed);
    if handler != 0 {
        guest.call(handler, &[])?;
    }
    abort(guest)
}
