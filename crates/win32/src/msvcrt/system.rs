//! process.h and the parts of the system that the runtime passes on: identifiers, environment, commands.

use plat_abi::winapi;

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::teb::Teb;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _getpid;
};

/// Sets or removes a variable of the process's environment, as `SetEnvironmentVariableW` does.
pub(super) fn set_environment(guest: &mut Guest, name: &[u16], value: Option<&[u16]>) {
    guest.process().environment.set(guest.process(), name, value);
}

/// Returns the identifier of the process.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getpid>
#[winapi(cdecl)]
pub fn _getpid(guest: &mut Guest) -> u32 {
    guest.teb().get(Teb::PROCESS_ID).unwrap_or(0) as u32
}
