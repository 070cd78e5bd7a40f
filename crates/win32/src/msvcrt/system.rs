//! process.h and the parts of the system that the runtime passes on: identifiers, environment, commands.

use plat_abi::{Fault, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::process::Symbol;
use crate::teb::Teb;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _getpid; full "getpid" = _getpid;
    full _sleep;
};

/// Calls a function of kernel32 as the program itself would: for what is not worth a path of its own.
///
/// # Errors
/// [`Fault`] when the guest's stack has no room.
pub(crate) fn kernel32(guest: &mut Guest, name: &str, arguments: &[u64]) -> Result<u64, Fault> {
    let dll: Vec<u16> = "kernel32.dll".encode_utf16().collect();
    let loader = guest.process().loader();
    let base = loader.module_named(&dll).map_or(0, |module| module.base);
    match loader.symbol(guest, base, Symbol::Name(name)) {
        Ok(address) => guest.call(address, arguments),
        Err(_) => {
            let message = format!("\nmsvcrt.dll needs kernel32.dll!{name}, which plat does not have yet\n");
            super::exit::fatal(guest, &message, 255)
        }
    }
}

/// Returns the address of a builtin DLL's export, which must be there.
///
/// # Errors
/// None: a missing export ends the process, which says so.
pub(crate) fn exported(guest: &mut Guest, dll: &str, name: &str) -> Result<u64, Fault> {
    let units: Vec<u16> = dll.encode_utf16().collect();
    let loader = guest.process().loader();
    let base = loader.module_named(&units).map_or(0, |module| module.base);
    match loader.symbol(guest, base, Symbol::Name(name)) {
        Ok(address) => Ok(address),
        Err(_) => super::exit::fatal(guest, &format!("\nthe C runtime needs {dll}!{name}\n"), 255),
    }
}

/// Sets or removes a variable of the process's environment, as `SetEnvironmentVariableW` does.
pub(crate) fn set_environment(guest: &mut Guest, name: &[u16], value: Option<&[u16]>) {
    guest.process().environment.set(guest.process(), name, value);
}

/// Returns the identifier of the process.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getpid>
#[winapi(cdecl)]
pub fn _getpid(guest: &mut Guest) -> u32 {
    guest.teb().get(Teb::PROCESS_ID).unwrap_or(0) as u32
}

/// Waits for so many milliseconds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleep>
#[winapi(cdecl)]
pub fn _sleep(guest: &mut Guest, duration: u32) -> Result<(), Fault> {
    kernel32(guest, "Sleep", &[u64::from(duration)]).map(|_| ())
}
