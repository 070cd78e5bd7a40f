//! processthreadsapi.h: information about threads and processes by its class.

use std::sync::atomic::Ordering;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::hints::Hints;
use crate::nt::thread::{ProcessObject, ThreadObject};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial SetThreadInformation, "kept and told again: Linux does not act by it";
    partial GetThreadInformation, "no absolute priority";
    partial SetProcessInformation, "of the calling process; kept and told again: Linux does not act by it";
    partial GetProcessInformation, "hints are those of the calling process; nothing of apps and exhaustion";
};

/// Classes of threads (`ThreadMemoryPriority`, …).
mod thread_class {
    pub(super) const MEMORY_PRIORITY: u32 = 0;
    pub(super) const DYNAMIC_CODE_POLICY: u32 = 2;
    pub(super) const POWER_THROTTLING: u32 = 3;
}

/// Classes of processes (`ProcessMemoryPriority`, …).
mod process_class {
    pub(super) const MEMORY_PRIORITY: u32 = 0;
    pub(super) const POWER_THROTTLING: u32 = 4;
    pub(super) const PROTECTION_LEVEL: u32 = 7;
    pub(super) const LEAP_SECOND: u32 = 8;
    pub(super) const MACHINE_TYPE: u32 = 9;
}

/// `THREAD_POWER_THROTTLING_STATE` and `PROCESS_POWER_THROTTLING_STATE`.
#[derive(GuestStruct, Clone, Copy, Debug, Default)]
#[allow(non_camel_case_types, non_snake_case)]
struct POWER_THROTTLING_STATE {
    Version: u32,
    ControlMask: u32,
    StateMask: u32,
}

/// The version of both structures.
const THROTTLING_VERSION: u32 = 1;
/// `THREAD_POWER_THROTTLING_EXECUTION_SPEED`.
const THREAD_CONTROLS: u32 = 1;
/// `PROCESS_POWER_THROTTLING_EXECUTION_SPEED` and `PROCESS_POWER_THROTTLING_IGNORE_TIMER_RESOLUTION`.
const PROCESS_CONTROLS: u32 = 5;

/// Refuses a structure of another size than its class has.
fn check_size(given: u32, size: u64) -> Result<(), Win32Error> {
    if u64::from(given) == size { Ok(()) } else { Err(Win32Error::BAD_LENGTH) }
}

fn set_memory_priority(guest: &Guest, hints: &Hints, place: u64, size: u32) -> Result<(), Win32Error> {
    const PRIORITIES: std::ops::RangeInclusive<u32> = 1..=5;
    check_size(size, 4)?;
    let priority = guest.read_u32(place)?;
    if !PRIORITIES.contains(&priority) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    hints.memory_priority.store(priority, Ordering::Relaxed);
    Ok(())
}

fn set_throttling(
    guest: &Guest,
    hints: &Hints,
    (place, size): (u64, u32),
    controls: u32,
) -> Result<(), Win32Error> {
    check_size(size, POWER_THROTTLING_STATE::size(guest.machine()))?;
    let state: POWER_THROTTLING_STATE = guest.read(place)?;
    let is_known = state.Version == THROTTLING_VERSION && state.ControlMask & !controls == 0;
    if !is_known || state.StateMask & !state.ControlMask != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let both = u64::from(state.StateMask) << 32 | u64::from(state.ControlMask);
    hints.throttling.store(both, Ordering::Relaxed);
    Ok(())
}

fn get_memory_priority(guest: &Guest, hints: &Hints, place: u64, size: u32) -> Result<(), Win32Error> {
    check_size(size, 4)?;
    Ok(guest.write(place, &hints.memory_priority.load(Ordering::Relaxed))?)
}

fn get_throttling(guest: &Guest, hints: &Hints, place: u64, size: u32) -> Result<(), Win32Error> {
    check_size(size, POWER_THROTTLING_STATE::size(guest.machine()))?;
    let both = hints.throttling.load(Ordering::Relaxed);
    let state = POWER_THROTTLING_STATE {
        Version: THROTTLING_VERSION,
        ControlMask: both as u32,
        StateMask: (both >> 32) as u32,
    };
    Ok(guest.write(place, &state)?)
}

/// Tells something about a thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadinformation>
#[winapi]
pub fn SetThreadInformation(
    guest: &mut Guest,
    hThread: GuestWord,
    ThreadInformationClass: u32,
    ThreadInformation: GuestWord,
    ThreadInformationSize: u32,
) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    let (place, size) = (ThreadInformation.get(), ThreadInformationSize);
    match ThreadInformationClass {
        thread_class::MEMORY_PRIORITY => set_memory_priority(guest, &thread.hints, place, size)?,
        thread_class::POWER_THROTTLING => {
            set_throttling(guest, &thread.hints, (place, size), THREAD_CONTROLS)?;
        }
        _ => return Err(Win32Error::INVALID_PARAMETER),
    }
    Ok(TRUE)
}

/// Returns something about a thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadinformation>
#[winapi]
pub fn GetThreadInformation(
    guest: &mut Guest,
    hThread: GuestWord,
    ThreadInformationClass: u32,
    ThreadInformation: GuestWord,
    ThreadInformationSize: u32,
) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    let (place, size) = (ThreadInformation.get(), ThreadInformationSize);
    match ThreadInformationClass {
        thread_class::MEMORY_PRIORITY => get_memory_priority(guest, &thread.hints, place, size)?,
        thread_class::POWER_THROTTLING => get_throttling(guest, &thread.hints, place, size)?,
        thread_class::DYNAMIC_CODE_POLICY => {
            check_size(size, 4)?;
            guest.write(place, &0_u32)?;
        }
        _ => return Err(Win32Error::INVALID_PARAMETER),
    }
    Ok(TRUE)
}

/// Tells something about the process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setprocessinformation>
#[winapi]
pub fn SetProcessInformation(
    guest: &mut Guest,
    hProcess: GuestWord,
    ProcessInformationClass: u32,
    ProcessInformation: GuestWord,
    ProcessInformationSize: u32,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(hProcess)?;
    let (place, size) = (ProcessInformation.get(), ProcessInformationSize);
    let hints = &guest.process().hints;
    match ProcessInformationClass {
        process_class::MEMORY_PRIORITY => set_memory_priority(guest, hints, place, size)?,
        process_class::POWER_THROTTLING => set_throttling(guest, hints, (place, size), PROCESS_CONTROLS)?,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    }
    Ok(TRUE)
}

/// Returns something about a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessinformation>
#[winapi]
pub fn GetProcessInformation(
    guest: &mut Guest,
    hProcess: GuestWord,
    ProcessInformationClass: u32,
    ProcessInformation: GuestWord,
    ProcessInformationSize: u32,
) -> Result<Bool, Win32Error> {
    /// `PROTECTION_LEVEL_NONE`.
    const NOT_PROTECTED: u32 = 0xffff_fffe;
    let process = guest.object::<ProcessObject>(hProcess)?;
    let (place, size) = (ProcessInformation.get(), ProcessInformationSize);
    let hints = &guest.process().hints;
    match ProcessInformationClass {
        process_class::MEMORY_PRIORITY => get_memory_priority(guest, hints, place, size)?,
        process_class::POWER_THROTTLING => get_throttling(guest, hints, place, size)?,
        process_class::PROTECTION_LEVEL => {
            check_size(size, 4)?;
            guest.write(place, &NOT_PROTECTED)?;
        }
        process_class::LEAP_SECOND => {
            check_size(size, 8)?;
            guest.write(place, &0_u64)?;
        }
        process_class::MACHINE_TYPE => {
            check_size(size, 8)?;
            let is_64 = crate::nt::process_list::is_64(guest.process(), &process)?;
            guest.write(place, &machine_type(is_64))?;
        }
        _ => return Err(Win32Error::INVALID_PARAMETER),
    }
    Ok(TRUE)
}

/// Makes a `PROCESS_MACHINE_INFORMATION`: the machine, and whether it runs in user mode, in the kernel, on top of another.
fn machine_type(is_64: bool) -> u64 {
    const AMD64: u64 = 0x8664 | 3 << 32;
    const I386: u64 = 0x14c | 5 << 32;
    if is_64 { AMD64 } else { I386 }
}
