//! processthreadsapi.h: processes and threads.

use plat_abi::winapi;

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::teb::Teb;

/// The exports of this header.
pub const EXPORTS: &[Export] = dll! {
    full GetCurrentProcessId;
    full GetCurrentThreadId;
};

/// Returns the identifier of the process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessid>
#[winapi]
pub fn GetCurrentProcessId(guest: &mut Guest) -> u32 {
    guest.teb().get(Teb::PROCESS_ID).unwrap_or(0) as u32
}

/// Returns the identifier of the calling thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthreadid>
#[winapi]
pub fn GetCurrentThreadId(guest: &mut Guest) -> u32 {
    guest.teb().get(Teb::THREAD_ID).unwrap_or(0) as u32
}
