//! werapi.h: what Windows Error Reporting may do for a process. There is no such service: the flags are kept, and nothing
//! is reported.

use std::sync::atomic::{AtomicU32, Ordering};

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WerGetFlags;
    full WerSetFlags;
};

/// The flags of this process.
#[derive(Default)]
pub(crate) struct ErrorReporting {
    flags: AtomicU32,
}

/// `E_INVALIDARG`.
const INVALID_ARGUMENT: i32 = 0x8007_0057_u32 as i32;
/// The flags that there are: no heap, queue, no thread suspension, queue upload, always show UI, no UI, no heap on queue,
/// show no UI on crash.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-wersetflags>
const FLAGS: u32 = 0xff;

/// Stores the flags of a process; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-wergetflags>
#[winapi]
pub fn WerGetFlags(guest: &mut Guest, hProcess: GuestWord, pdwFlags: GuestWord) -> i32 {
    let _ = hProcess;
    let flags = guest.process().error_reporting.flags.load(Ordering::Relaxed);
    if guest.write(pdwFlags.get(), &flags).is_ok() { 0 } else { INVALID_ARGUMENT }
}

/// Sets the flags of the calling process; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-wersetflags>
#[winapi]
pub fn WerSetFlags(guest: &mut Guest, dwFlags: u32) -> i32 {
    if dwFlags & !FLAGS != 0 {
        return INVALID_ARGUMENT;
    }
    guest.process().error_reporting.flags.store(dwFlags, Ordering::Relaxed);
    0
}
