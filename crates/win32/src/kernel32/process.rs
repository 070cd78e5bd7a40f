//! processthreadsapi.h: the end of processes.

use plat_abi::{GuestWord, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::process_object::{self, ProcessObject};
use crate::process::exit_status;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full ExitProcess;
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
