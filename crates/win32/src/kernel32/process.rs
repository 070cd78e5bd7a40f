//! processthreadsapi.h: the end of processes, and when the system asks for it.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::process_object::{self, ProcessObject};
use crate::process::exit_status;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full ExitProcess;
    full GetProcessShutdownParameters;
    partial SetProcessShutdownParameters, "accepted and not kept: nobody asks processes to end in an order";
    full TerminateProcess;
};

/// Ends the process in Windows' order: the modules are told, buffers are flushed, then everything is gone.
pub fn exit_process(guest: &mut Guest, code: u32) -> ! {
    exit_with_status(guest, code, exit_status(code))
}

/// Ends the process as [`exit_process`] does; a Unix parent sees `status`.
pub fn exit_with_status(guest: &mut Guest, code: u32, status: i32) -> ! {
    guest.process().loader().begin_process_exit(guest);
    crate::nt::thread_start::begin_process_exit(guest.process(), code);
    // The C runtime is the first to have been there and so the last to go; but what it calls are the program's own
    // functions, which need the modules. A fault in them ends what is left of this, not the end itself.
    let _ = crate::msvcrt::at_process_exit(guest);
    guest.process().loader().detach_process(guest);
    process_object::leave_with(code, status)
}

/// Ends the process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-exitprocess>
#[winapi]
pub fn ExitProcess(guest: &mut Guest, uExitCode: u32) {
    exit_process(guest, uExitCode)
}

/// Ends a process at once: no module is told.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminateprocess>
#[winapi]
pub fn TerminateProcess(guest: &mut Guest, hProcess: GuestWord, uExitCode: u32) -> Result<Bool, Win32Error> {
    let process = guest.process().object_as::<ProcessObject>(hProcess.get())?;
    process.terminate(uExitCode)?;
    Ok(TRUE)
}

/// The level at which a process is asked to end, unless it sets another.
const SHUTDOWN_LEVEL: u32 = 0x280;

/// Returns when the process is asked to end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessshutdownparameters>
#[winapi]
pub fn GetProcessShutdownParameters(
    guest: &mut Guest,
    lpdwLevel: GuestWord,
    lpdwFlags: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.write(lpdwLevel.get(), &SHUTDOWN_LEVEL)?;
    guest.write(lpdwFlags.get(), &0_u32)?;
    Ok(TRUE)
}

/// Accepts when the process should be asked to end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setprocessshutdownparameters>
#[winapi]
pub fn SetProcessShutdownParameters(
    guest: &mut Guest,
    dwLevel: u32,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    /// `SHUTDOWN_NORETRY`, and the last level of programs.
    const KNOWN: u32 = 1;
    const LEVEL_MAX: u32 = 0x4ff;
    let _ = guest;
    let is_wrong = dwFlags & !KNOWN != 0 || dwLevel > LEVEL_MAX;
    if is_wrong { Err(Win32Error::INVALID_PARAMETER) } else { Ok(TRUE) }
}
