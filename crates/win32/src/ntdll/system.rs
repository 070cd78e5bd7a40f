//! `NtQuerySystemInformation`: the system as it presents itself, by class.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::sysinfoapi::{SYSTEM_INFO, system_info};
use crate::nt::time;
use crate::process::Process;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtQuerySystemInformation, "basic, processor, time of day, processors' times, kernel debugger";
    partial "ZwQuerySystemInformation" = NtQuerySystemInformation, "as NtQuerySystemInformation";
};

/// `SYSTEM_BASIC_INFORMATION`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct SYSTEM_BASIC_INFORMATION {
    Reserved: u32,
    TimerResolution: u32,
    PageSize: u32,
    NumberOfPhysicalPages: u32,
    LowestPhysicalPageNumber: u32,
    HighestPhysicalPageNumber: u32,
    AllocationGranularity: u32,
    MinimumUserModeAddress: GuestWord,
    MaximumUserModeAddress: GuestWord,
    ActiveProcessorsAffinityMask: GuestWord,
    NumberOfProcessors: u32,
}

/// `SYSTEM_PROCESSOR_INFORMATION`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct SYSTEM_PROCESSOR_INFORMATION {
    ProcessorArchitecture: u16,
    ProcessorLevel: u16,
    ProcessorRevision: u16,
    MaximumProcessors: u16,
    ProcessorFeatureBits: u32,
}

/// `SYSTEM_TIMEOFDAY_INFORMATION`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct SYSTEM_TIMEOFDAY_INFORMATION {
    BootTime: u64,
    CurrentTime: u64,
    TimeZoneBias: u64,
    TimeZoneId: u32,
    Reserved: u32,
    BootTimeBias: u64,
    SleepTimeBias: u64,
}

fn basic(process: &Process) -> SYSTEM_BASIC_INFORMATION {
    /// A tick every 15.625 ms, in units of 100 ns.
    const TICK: u32 = 156_250;
    let info: SYSTEM_INFO = system_info(process, process.machine);
    let pages = plat_host::sysinfo::memory_status().total / u64::from(info.dwPageSize);
    SYSTEM_BASIC_INFORMATION {
        Reserved: 0,
        TimerResolution: TICK,
        PageSize: info.dwPageSize,
        NumberOfPhysicalPages: pages as u32,
        LowestPhysicalPageNumber: 1,
        HighestPhysicalPageNumber: pages as u32,
        AllocationGranularity: info.dwAllocationGranularity,
        MinimumUserModeAddress: info.lpMinimumApplicationAddress,
        MaximumUserModeAddress: info.lpMaximumApplicationAddress,
        ActiveProcessorsAffinityMask: info.dwActiveProcessorMask,
        NumberOfProcessors: info.dwNumberOfProcessors,
    }
}

fn processor(process: &Process) -> SYSTEM_PROCESSOR_INFORMATION {
    let info = system_info(process, process.machine);
    SYSTEM_PROCESSOR_INFORMATION {
        ProcessorArchitecture: info.wProcessorArchitecture,
        ProcessorLevel: info.wProcessorLevel,
        ProcessorRevision: info.wProcessorRevision,
        MaximumProcessors: info.dwNumberOfProcessors as u16,
        ProcessorFeatureBits: 0,
    }
}

fn time_of_day() -> SYSTEM_TIMEOFDAY_INFORMATION {
    /// Units of 100 ns in a millisecond.
    const MILLISECOND: u64 = 10_000;
    let now = time::now().unsigned_abs();
    let since_start = time::tick_count() * MILLISECOND;
    SYSTEM_TIMEOFDAY_INFORMATION {
        BootTime: now.saturating_sub(since_start),
        CurrentTime: now,
        ..SYSTEM_TIMEOFDAY_INFORMATION::default()
    }
}

/// Writes a structure that must fit exactly, and says how long it is.
fn put<T: GuestStruct>(
    guest: &Guest,
    value: &T,
    (at, length): (GuestWord, u32),
    needed: GuestWord,
) -> Result<(), NtStatus> {
    let size = T::size(guest.machine()) as u32;
    if !needed.is_null() {
        guest.write(needed.0, &size)?;
    }
    if length < size {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    Ok(guest.write(at.0, value)?)
}

/// `SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION`, times in units of 100 ns; the kernel's include idle time.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION {
    IdleTime: u64,
    KernelTime: u64,
    UserTime: u64,
    DpcTime: u64,
    InterruptTime: u64,
    InterruptCount: u32,
}

/// Writes the times of as many processors as there is room for, of one at least.
fn put_processor_times(
    guest: &Guest,
    (at, length): (GuestWord, u32),
    needed: GuestWord,
) -> Result<(), NtStatus> {
    let size = SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION::size(guest.machine());
    let count = crate::nt::sysinfo::processors(guest.machine()).count_ones() as usize;
    let times = plat_host::process::processor_times();
    let fitting = count.min(length as usize / size as usize);
    if !needed.is_null() {
        guest.write(needed.0, &((count as u64 * size) as u32))?;
    }
    if fitting == 0 {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    for index in 0..fitting {
        let (idle, kernel, user) = times.get(index).copied().unwrap_or_default();
        let entry = SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION {
            IdleTime: idle / 100,
            KernelTime: (kernel + idle) / 100,
            UserTime: user / 100,
            ..SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION::default()
        };
        guest.write(at.0 + index as u64 * size, &entry)?;
    }
    Ok(())
}

/// Describes the system.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysysteminformation>
#[winapi]
pub fn NtQuerySystemInformation(
    guest: &mut Guest,
    SystemInformationClass: u32,
    SystemInformation: GuestWord,
    SystemInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let place = (SystemInformation, SystemInformationLength);
    let process = guest.process();
    match SystemInformationClass {
        0 => put(guest, &basic(process), place, ReturnLength),
        1 => put(guest, &processor(process), place, ReturnLength),
        3 => put(guest, &time_of_day(), place, ReturnLength),
        8 => put_processor_times(guest, place, ReturnLength),
        // Kernel debugger: not enabled, not present.
        35 => put(guest, &0x0100_u16, place, ReturnLength),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}
