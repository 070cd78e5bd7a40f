//! Tables of functions to be called at the end: of the program, of a thread, of a DLL.
//!
//! A table is three pointers in the program's memory: first, last, end of the room. It begins as three equal ones.
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/initialize-onexit-table>

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::msvcrt::define::define;
use crate::msvcrt::exit::{_onexit, end_with_streams};
use crate::msvcrt::state::crt;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _initialize_onexit_table; full _register_onexit_function; full _execute_onexit_table;
    full _crt_atexit; full _crt_at_quick_exit; full quick_exit; full _exit; full _Exit;
    full _register_thread_local_exe_atexit_callback;
};

/// How many pointers a table has room for at first.
const FIRST_ROOM: u64 = 32;

/// Reads a table's three pointers.
fn load(guest: &Guest, table: u64) -> Result<[u64; 3], Fault> {
    let word = guest.machine().pointer_size();
    Ok([guest.read_word(table)?, guest.read_word(table + word)?, guest.read_word(table + 2 * word)?])
}

fn store(guest: &Guest, table: u64, pointers: [u64; 3]) -> Result<(), Fault> {
    let word = guest.machine().pointer_size();
    for (index, pointer) in pointers.into_iter().enumerate() {
        guest.write_word(table + index as u64 * word, pointer)?;
    }
    Ok(())
}

define! {
    "Prepares a table, unless it was prepared before; returns 0, or -1 for a null pointer.", "initialize-onexit-table";
    _initialize_onexit_table(guest, table: GuestWord) -> i32 {
        if table.is_null() {
            return Ok(-1);
        }
        let [first, _, end] = load(guest, table.0)?;
        if first == end {
            store(guest, table.0, [0; 3])?;
        }
        Ok(0)
    }

    "Adds a function to a table; returns 0, or -1.", "register-onexit-function";
    _register_onexit_function(guest, table: GuestWord, function: GuestWord) -> i32 {
        if table.is_null() {
            return Ok(-1);
        }
        let word = guest.machine().pointer_size();
        let [mut first, mut last, mut end] = load(guest, table.0)?;
        if last == end {
            let used = last.wrapping_sub(first);
            let room = (2 * used).max(FIRST_ROOM * word);
            let heaps = &guest.process().heaps;
            let grown = if first == 0 {
                heaps.allocate(0, room, false)
            } else {
                heaps.reallocate(0, first, room, false, false)
            };
            let Some(address) = grown else { return Ok(-1) };
            (first, last, end) = (address, address + used, address + room);
        }
        guest.write_word(last, function.0)?;
        store(guest, table.0, [first, last + word, end])?;
        Ok(0)
    }

    "Calls a table's functions, last first, and empties it.", "execute-onexit-table";
    _execute_onexit_table(guest, table: GuestWord) -> i32 {
        if table.is_null() {
            return Ok(-1);
        }
        let word = guest.machine().pointer_size();
        loop {
            // A function may add more of them: each round looks again.
            let [first, last, end] = load(guest, table.0)?;
            if last <= first {
                guest.process().heaps.free(0, first);
                return store(guest, table.0, [0; 3]).map(|()| 0);
            }
            let function = guest.read_word(last - word)?;
            store(guest, table.0, [first, last - word, end])?;
            if function != 0 {
                guest.call(function, &[])?;
            }
        }
    }

    "Adds a function to those that `exit` calls; returns 0.", "atexit";
    _crt_atexit(guest, function: GuestWord) -> i32 {
        _onexit(guest, function);
        Ok(0)
    }

    "Adds a function to those that `quick_exit` calls; returns 0.", "at-quick-exit";
    _crt_at_quick_exit(guest, function: GuestWord) -> i32 {
        crt(guest).quick_exit.lock().unwrap_or_else(PoisonError::into_inner).push(function.0);
        Ok(0)
    }

    "Calls the functions of `at_quick_exit`, last first, and ends the process.", "quick-exit1";
    quick_exit(guest, status: i32) -> () {
        loop {
            let function = crt(guest).quick_exit.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(function) = function else { break };
            guest.call(function, &[])?;
        }
        end_with_streams(guest, status)
    }

    "Ends the process without calling any function of `atexit`.", "exit-exit-exit";
    _exit(guest, status: i32) -> () {
        end_with_streams(guest, status)
    }

    "Ends the process at once.", "exit-exit-exit";
    _Exit(guest, status: i32) -> () {
        end_with_streams(guest, status)
    }

    "Sets the function that destroys thread-local objects of the main thread when the program ends.", "register-thread-local-exe-atexit-callback";
    _register_thread_local_exe_atexit_callback(guest, callback: GuestWord) -> () {
        crt(guest).thread_local_exit.store(callback.0, Ordering::Relaxed);
        Ok(())
    }
}
