//! processthreadsapi.h: CPU sets, the processors that threads prefer, by identifiers. Each set is one processor.

use std::sync::atomic::Ordering;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::hints::Hints;
use crate::nt::sysinfo;
use crate::nt::thread::{ProcessObject, ThreadObject};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetSystemCpuSetInformation; full GetProcessDefaultCpuSets; full GetThreadSelectedCpuSets;
    partial SetProcessDefaultCpuSets, "kept and told again: Linux does not act by it";
    partial SetThreadSelectedCpuSets, "kept and told again: Linux does not act by it";
};

/// The identifier of the first processor's set.
const FIRST_ID: u32 = 256;

/// `SYSTEM_CPU_SET_INFORMATION`.
#[derive(GuestStruct, Clone, Copy, Debug, Default)]
#[allow(non_camel_case_types, non_snake_case)]
struct SYSTEM_CPU_SET_INFORMATION {
    Size: u32,
    Type: u32,
    Id: u32,
    Group: u16,
    LogicalProcessorIndex: u8,
    CoreIndex: u8,
    LastLevelCacheIndex: u8,
    NumaNodeIndex: u8,
    EfficiencyClass: u8,
    AllFlags: u8,
    SchedulingClass: u32,
    AllocationTag: u64,
}

/// Returns the numbers of the processors in a mask.
fn indices(mask: u64) -> impl Iterator<Item = u8> {
    (0..64).filter(move |index| mask >> index & 1 != 0)
}

/// Describes all CPU sets.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getsystemcpusetinformation>
#[winapi]
pub fn GetSystemCpuSetInformation(
    guest: &mut Guest,
    Information: GuestWord,
    BufferLength: u32,
    ReturnedLength: GuestWord,
    Process: GuestWord,
    Flags: u32,
) -> Result<Bool, Win32Error> {
    let _ = (Process, Flags);
    let size = SYSTEM_CPU_SET_INFORMATION::size(guest.machine());
    let mask = sysinfo::processors(guest.machine());
    let needed = size * u64::from(mask.count_ones());
    guest.write(ReturnedLength.get(), &(needed as u32))?;
    if u64::from(BufferLength) < needed {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    for (place, index) in (Information.get()..).step_by(size as usize).zip(indices(mask)) {
        let set = SYSTEM_CPU_SET_INFORMATION {
            Size: size as u32,
            Id: FIRST_ID + u32::from(index),
            LogicalProcessorIndex: index,
            CoreIndex: index,
            ..SYSTEM_CPU_SET_INFORMATION::default()
        };
        guest.write(place, &set)?;
    }
    Ok(TRUE)
}

fn get(
    guest: &Guest,
    hints: &Hints,
    ids: GuestWord,
    room: u32,
    needed: GuestWord,
) -> Result<Bool, Win32Error> {
    let mask = hints.cpu_sets.load(Ordering::Relaxed);
    guest.write(needed.get(), &mask.count_ones())?;
    if mask.count_ones() > room {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    for (place, index) in (ids.get()..).step_by(4).zip(indices(mask)) {
        guest.write(place, &(FIRST_ID + u32::from(index)))?;
    }
    Ok(TRUE)
}

fn set(guest: &Guest, hints: &Hints, ids: GuestWord, count: u32) -> Result<Bool, Win32Error> {
    let known = sysinfo::processors(guest.machine());
    let mut mask = 0;
    for index in 0..if ids.is_null() { 0 } else { u64::from(count) } {
        let id = guest.read_u32(ids.get() + 4 * index)?;
        let bit = id.checked_sub(FIRST_ID).and_then(|index| 1_u64.checked_shl(index));
        mask |= bit.filter(|bit| known & bit != 0).ok_or(Win32Error::INVALID_PARAMETER)?;
    }
    hints.cpu_sets.store(mask, Ordering::Relaxed);
    Ok(TRUE)
}

/// Returns the sets that the process's threads prefer: none unless some were set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessdefaultcpusets>
#[winapi]
pub fn GetProcessDefaultCpuSets(
    guest: &mut Guest,
    Process: GuestWord,
    CpuSetIds: GuestWord,
    CpuSetIdCount: u32,
    RequiredIdCount: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(Process)?;
    get(guest, &guest.process().hints, CpuSetIds, CpuSetIdCount, RequiredIdCount)
}

/// Sets which sets the process's threads prefer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setprocessdefaultcpusets>
#[winapi]
pub fn SetProcessDefaultCpuSets(
    guest: &mut Guest,
    Process: GuestWord,
    CpuSetIds: GuestWord,
    CpuSetIdCount: u32,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(Process)?;
    set(guest, &guest.process().hints, CpuSetIds, CpuSetIdCount)
}

/// Returns the sets that a thread prefers: none unless some were set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadselectedcpusets>
#[winapi]
pub fn GetThreadSelectedCpuSets(
    guest: &mut Guest,
    Thread: GuestWord,
    CpuSetIds: GuestWord,
    CpuSetIdCount: u32,
    RequiredIdCount: GuestWord,
) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(Thread)?;
    get(guest, &thread.hints, CpuSetIds, CpuSetIdCount, RequiredIdCount)
}

/// Sets which sets a thread prefers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadselectedcpusets>
#[winapi]
pub fn SetThreadSelectedCpuSets(
    guest: &mut Guest,
    Thread: GuestWord,
    CpuSetIds: GuestWord,
    CpuSetIdCount: u32,
) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(Thread)?;
    set(guest, &thread.hints, CpuSetIds, CpuSetIdCount)
}
