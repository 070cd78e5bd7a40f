//! processthreadsapi.h: priorities of processes and threads. They are kept; Linux' stay as they are.

use std::sync::atomic::Ordering;

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::thread::{ProcessObject, ThreadObject};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetPriorityClass;
    full GetProcessPriorityBoost;
    full GetThreadPriority;
    full GetThreadPriorityBoost;
    partial SetPriorityClass, "the value is kept, Linux' priority stays";
    partial SetProcessPriorityBoost, "Linux has no such boost";
    partial SetThreadPriority, "the value is kept, Linux' priority stays";
    partial SetThreadPriorityBoost, "Linux has no such boost";
};

/// Returns the priority class that was set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getpriorityclass>
#[winapi]
pub fn GetPriorityClass(guest: &mut Guest, hProcess: GuestWord) -> Result<u32, Win32Error> {
    Ok(guest.object::<ProcessObject>(hProcess)?.priority_class.load(Ordering::Relaxed))
}

/// Sets the priority class.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setpriorityclass>
#[winapi]
pub fn SetPriorityClass(
    guest: &mut Guest,
    hProcess: GuestWord,
    dwPriorityClass: u32,
) -> Result<Bool, Win32Error> {
    // IDLE, NORMAL, HIGH, REALTIME, BELOW_NORMAL, ABOVE_NORMAL.
    if !matches!(dwPriorityClass, 0x40 | 0x20 | 0x80 | 0x100 | 0x4000 | 0x8000) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.object::<ProcessObject>(hProcess)?.priority_class.store(dwPriorityClass, Ordering::Relaxed);
    Ok(TRUE)
}

const THREAD_PRIORITY_ERROR_RETURN: u32 = 0x7fff_ffff;

/// Returns the priority that was set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadpriority>
#[winapi]
pub fn GetThreadPriority(guest: &mut Guest, hThread: GuestWord) -> u32 {
    match guest.object::<ThreadObject>(hThread) {
        Ok(thread) => thread.priority.load(Ordering::Relaxed) as u32,
        Err(error) => {
            guest.set_last_error(error);
            THREAD_PRIORITY_ERROR_RETURN
        }
    }
}

/// Sets a thread's priority.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadpriority>
#[winapi]
pub fn SetThreadPriority(guest: &mut Guest, hThread: GuestWord, nPriority: i32) -> Result<Bool, Win32Error> {
    // THREAD_MODE_BACKGROUND_BEGIN and _END change the mode, not the priority.
    const BACKGROUND: [i32; 2] = [0x1_0000, 0x2_0000];
    let thread = guest.object::<ThreadObject>(hThread)?;
    if BACKGROUND.contains(&nPriority) {
        return Ok(TRUE);
    }
    if !(-2..=2).contains(&nPriority) && nPriority.abs() != 15 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    thread.priority.store(nPriority, Ordering::Relaxed);
    Ok(TRUE)
}

/// Says that priorities in a process are raised for a while as Windows sees fit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesspriorityboost>
#[winapi]
pub fn GetProcessPriorityBoost(
    guest: &mut Guest,
    hProcess: GuestWord,
    pDisablePriorityBoost: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(hProcess)?;
    guest.write(pDisablePriorityBoost.get(), &0_u32)?;
    Ok(TRUE)
}

/// Accepts whether the system may raise priorities for a while.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setprocesspriorityboost>
#[winapi]
pub fn SetProcessPriorityBoost(
    guest: &mut Guest,
    hProcess: GuestWord,
    bDisablePriorityBoost: Bool,
) -> Result<Bool, Win32Error> {
    let _ = bDisablePriorityBoost;
    guest.object::<ProcessObject>(hProcess)?;
    Ok(TRUE)
}

/// Says that a thread's priority is raised for a while as Windows sees fit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadpriorityboost>
#[winapi]
pub fn GetThreadPriorityBoost(
    guest: &mut Guest,
    hThread: GuestWord,
    pDisablePriorityBoost: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ThreadObject>(hThread)?;
    guest.write(pDisablePriorityBoost.get(), &0_u32)?;
    Ok(TRUE)
}

/// Accepts whether a thread's priority may be raised for a while.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadpriorityboost>
#[winapi]
pub fn SetThreadPriorityBoost(
    guest: &mut Guest,
    hThread: GuestWord,
    bDisablePriorityBoost: Bool,
) -> Result<Bool, Win32Error> {
    let _ = bDisablePriorityBoost;
    guest.object::<ThreadObject>(hThread)?;
    Ok(TRUE)
}
