//! winbase.h, processthreadsapi.h: what is forbidden to a process for its own safety: to run data.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::thread::ProcessObject;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetProcessDEPPolicy;
    full GetProcessMitigationPolicy;
    full GetSystemDEPPolicy;
    full SetProcessDEPPolicy;
    partial SetProcessMitigationPolicy, "always ERROR_NOT_SUPPORTED";
};

answers! {
    "Refuses to forbid a process more." -> Result<Bool, Win32Error> = Err(Win32Error::NOT_SUPPORTED) => {
        "processthreadsapi/nf-processthreadsapi-setprocessmitigationpolicy"
        SetProcessMitigationPolicy(MitigationPolicy: u32, lpBuffer: GuestWord, dwLength: GuestWord);
    }
}

/// Returns how data is kept from being run: in all processes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getsystemdeppolicy>
#[winapi]
pub fn GetSystemDEPPolicy(guest: &mut Guest) -> u32 {
    /// `AlwaysOn`.
    const ALWAYS: u32 = 1;
    let _ = guest;
    ALWAYS
}

/// `PROCESS_DEP_ENABLE`.
const DEP_ENABLE: u32 = 1;

/// Says that a 32-bit process cannot run data, and that this stays so; there is no answer for a 64-bit one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getprocessdeppolicy>
#[winapi]
pub fn GetProcessDEPPolicy(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpFlags: GuestWord,
    lpPermanent: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(hProcess)?;
    if guest.machine().is_64() {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    guest.write(lpFlags.get(), &DEP_ENABLE)?;
    guest.write(lpPermanent.get(), &1_u32)?;
    Ok(TRUE)
}

/// Refuses to change what is always on, as Windows does with such a system's policy.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setprocessdeppolicy>
#[winapi]
pub fn SetProcessDEPPolicy(guest: &mut Guest, dwFlags: u32) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    Err(if guest.machine().is_64() { Win32Error::NOT_SUPPORTED } else { Win32Error::ACCESS_DENIED })
}

/// Returns what is forbidden to a process: data as code, and nothing else.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessmitigationpolicy>
#[winapi]
pub fn GetProcessMitigationPolicy(
    guest: &mut Guest,
    hProcess: GuestWord,
    MitigationPolicy: u32,
    lpBuffer: GuestWord,
    dwLength: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `ProcessDEPPolicy`, whose structure has a byte more; `ProcessMitigationOptionsMask` has one or two numbers.
    const DEP: u32 = 0;
    const OPTIONS: u32 = 5;
    const POLICIES: u32 = 20;
    guest.object::<ProcessObject>(hProcess)?;
    let size = match MitigationPolicy {
        DEP => 8,
        OPTIONS if dwLength.get() >= 16 => 16,
        OPTIONS => 8,
        1..POLICIES => 4,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    if dwLength.get() != size {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_bytes(lpBuffer.get(), &vec![0; size as usize])?;
    if MitigationPolicy == DEP {
        guest.write_bytes(lpBuffer.get(), &[1, 0, 0, 0, 1])?;
    }
    Ok(TRUE)
}
