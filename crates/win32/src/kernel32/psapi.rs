//! psapi.h: processes, their modules and memory.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::process_list;
use crate::nt::process_object::ProcessObject;
use crate::nt::remote::RemoteModule;
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The exports of this file; psapi.dll has them under their old names.
pub const EXPORTS: &[Export] = dll! {
    full K32EnumProcesses;
    full K32EnumProcessModules;
    full K32EnumProcessModulesEx;
    full K32GetModuleBaseNameA;
    full K32GetModuleBaseNameW;
    full K32GetModuleFileNameExA;
    full K32GetModuleFileNameExW;
    full K32GetModuleInformation;
    full K32GetProcessImageFileNameA;
    full K32GetProcessImageFileNameW;
    full K32GetProcessMemoryInfo;
    partial GetProcessWorkingSetSize, "the bounds that Windows gives a process";
    partial GetProcessWorkingSetSizeEx, "the bounds that Windows gives a process";
    partial SetProcessWorkingSetSize, "Linux has no such bounds";
    partial SetProcessWorkingSetSizeEx, "Linux has no such bounds";
    partial K32GetPerformanceInfo, "no sizes of the kernel's own pools";
    full QueryFullProcessImageNameA;
    full QueryFullProcessImageNameW;
    full GetProcessHandleCount;
};

/// Writes a text with its end into a buffer of `size` units; returns its length, what fits when it is too long.
pub(super) fn put(
    guest: &Guest,
    text: &[u16],
    place: GuestWord,
    size: u32,
    is_wide: bool,
) -> Result<u32, Win32Error> {
    let bytes: Vec<u8> = if is_wide {
        text.iter().flat_map(|unit| unit.to_le_bytes()).collect()
    } else {
        guest.process().files.narrow(text)
    };
    let unit = if is_wide { 2 } else { 1 };
    let length = bytes.len() / unit;
    let fits = length.min(size as usize);
    guest.write_bytes(place.0, &bytes[..fits * unit])?;
    if fits < size as usize {
        guest.write_bytes(place.0 + (fits * unit) as u64, &vec![0; unit])?;
    }
    if fits < length {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    Ok(length as u32)
}

/// PERFORMANCE_INFORMATION: sizes are in pages.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/ns-psapi-performance_information>
#[derive(GuestStruct, Default)]
#[allow(non_camel_case_types, non_snake_case)]
struct PERFORMANCE_INFORMATION {
    cb: u32,
    CommitTotal: GuestWord,
    CommitLimit: GuestWord,
    CommitPeak: GuestWord,
    PhysicalTotal: GuestWord,
    PhysicalAvailable: GuestWord,
    SystemCache: GuestWord,
    KernelTotal: GuestWord,
    KernelPaged: GuestWord,
    KernelNonpaged: GuestWord,
    PageSize: GuestWord,
    HandleCount: u32,
    ProcessCount: u32,
    ThreadCount: u32,
}

/// Tells how much memory the machine has and uses; handles are those of the calling process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getperformanceinfo>
#[winapi]
pub fn K32GetPerformanceInfo(
    guest: &mut Guest,
    pPerformanceInformation: GuestWord,
    cb: u32,
) -> Result<Bool, Win32Error> {
    const PAGE: u64 = 4096;
    let size = PERFORMANCE_INFORMATION::size(guest.machine()) as u32;
    if cb < size {
        return Err(Win32Error::BAD_LENGTH);
    }
    let memory = plat_host::sysinfo::memory_status();
    let pages = |bytes: u64| GuestWord(bytes / PAGE);
    let used = memory.total.saturating_sub(memory.available);
    let processes: Vec<_> =
        plat_host::process::all().into_iter().filter_map(plat_host::process::facts).collect();
    let information = PERFORMANCE_INFORMATION {
        cb: size,
        CommitTotal: pages(used),
        CommitLimit: pages(memory.total + memory.swap_total),
        CommitPeak: pages(used),
        PhysicalTotal: pages(memory.total),
        PhysicalAvailable: pages(memory.available),
        PageSize: GuestWord(PAGE),
        HandleCount: guest.process().handles.count() as u32,
        ProcessCount: processes.len() as u32,
        ThreadCount: processes.iter().map(|one| one.threads).sum(),
        ..PERFORMANCE_INFORMATION::default()
    };
    guest.write(pPerformanceInformation.0, &information)?;
    Ok(TRUE)
}

/// Lists the identifiers of all processes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-enumprocesses>
#[winapi]
pub fn K32EnumProcesses(
    guest: &mut Guest,
    lpidProcess: GuestWord,
    cb: u32,
    lpcbNeeded: GuestWord,
) -> Result<Bool, Win32Error> {
    let all = plat_host::process::all();
    let room = (cb / 4) as usize;
    for (index, id) in all.iter().take(room).enumerate() {
        guest.write(lpidProcess.0 + index as u64 * 4, id)?;
    }
    guest.write(lpcbNeeded.0, &(all.len().min(room) as u32 * 4))?;
    Ok(TRUE)
}

fn list_modules(
    guest: &Guest,
    handle: GuestWord,
    place: GuestWord,
    size: u32,
    needed: GuestWord,
) -> Result<Bool, Win32Error> {
    let modules = process_list::modules(guest.process(), &guest.object::<ProcessObject>(handle)?)?;
    let word = guest.machine().pointer_size();
    let room = u64::from(size) / word;
    for (index, module) in modules.iter().take(room as usize).enumerate() {
        guest.write_word(place.0 + index as u64 * word, module.base)?;
    }
    guest.write(needed.0, &(modules.len() as u32 * word as u32))?;
    Ok(TRUE)
}

/// Lists the modules of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-enumprocessmodules>
#[winapi]
pub fn K32EnumProcessModules(
    guest: &mut Guest,
    hProcess: GuestWord,
    lphModule: GuestWord,
    cb: u32,
    lpcbNeeded: GuestWord,
) -> Result<Bool, Win32Error> {
    list_modules(guest, hProcess, lphModule, cb, lpcbNeeded)
}

/// Lists the modules of a process; all are of one kind.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-enumprocessmodulesex>
#[winapi]
pub fn K32EnumProcessModulesEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    lphModule: GuestWord,
    cb: u32,
    lpcbNeeded: GuestWord,
    dwFilterFlag: u32,
) -> Result<Bool, Win32Error> {
    let _ = dwFilterFlag;
    list_modules(guest, hProcess, lphModule, cb, lpcbNeeded)
}

/// Finds a module of a process; null is the program.
fn module(guest: &Guest, handle: GuestWord, base: GuestWord) -> Result<RemoteModule, Win32Error> {
    let modules = process_list::modules(guest.process(), &guest.object::<ProcessObject>(handle)?)?;
    let mut modules = modules.into_iter();
    let found = if base.is_null() { modules.next() } else { modules.find(|module| module.base == base.0) };
    found.ok_or(Win32Error::INVALID_HANDLE)
}

fn base_name(module: &RemoteModule) -> Vec<u16> {
    module.path.rsplit(|&unit| unit == u16::from(b'\\')).next().unwrap_or(&module.path).to_vec()
}

both_widths! {
    /// Returns a module's file name.
    "psapi/nf-psapi-getmodulebasename"
    K32GetModuleBaseNameA, K32GetModuleBaseNameW(
        guest, width, hProcess: GuestWord, hModule: GuestWord, lpBaseName: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        put(guest, &base_name(&module(guest, hProcess, hModule)?), lpBaseName, nSize, width.is_wide())
    }

    /// Returns a module's full path.
    "psapi/nf-psapi-getmodulefilenameex"
    K32GetModuleFileNameExA, K32GetModuleFileNameExW(
        guest, width, hProcess: GuestWord, hModule: GuestWord, lpFilename: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        put(guest, &module(guest, hProcess, hModule)?.path, lpFilename, nSize, width.is_wide())
    }
}

/// Stores a module's place, size and entry point.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getmoduleinformation>
#[winapi]
pub fn K32GetModuleInformation(
    guest: &mut Guest,
    hProcess: GuestWord,
    hModule: GuestWord,
    lpmodinfo: GuestWord,
    cb: u32,
) -> Result<Bool, Win32Error> {
    let word = guest.machine().pointer_size();
    if u64::from(cb) < 3 * word {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let module = module(guest, hProcess, hModule)?;
    guest.write_word(lpmodinfo.0, module.base)?;
    guest.write(lpmodinfo.0 + word, &(module.size as u32))?;
    guest.write_word(lpmodinfo.0 + 2 * word, module.entry_point)?;
    Ok(TRUE)
}

/// A program's path as a device's: `\Device\HarddiskVolume1\…` for one on `C:`.
fn device_path(guest: &Guest, handle: GuestWord) -> Result<Vec<u16>, Win32Error> {
    let path = process_list::program(guest.process(), &*guest.object::<ProcessObject>(handle)?)?;
    Ok(crate::logic::object_name::device_path(&path))
}

both_widths! {
    /// Returns the path of a process's program in the form of a device's.
    "psapi/nf-psapi-getprocessimagefilename"
    K32GetProcessImageFileNameA, K32GetProcessImageFileNameW(
        guest, width, hProcess: GuestWord, lpImageFileName: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        put(guest, &device_path(guest, hProcess)?, lpImageFileName, nSize, width.is_wide())
    }
}

fn full_name(
    guest: &Guest,
    handle: GuestWord,
    flags: u32,
    place: GuestWord,
    size: GuestWord,
    is_wide: bool,
) -> Result<Bool, Win32Error> {
    const PROCESS_NAME_NATIVE: u32 = 1;
    let text = match flags {
        0 => process_list::program(guest.process(), &*guest.object::<ProcessObject>(handle)?)?,
        PROCESS_NAME_NATIVE => device_path(guest, handle)?,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    let room = guest.read_u32(size.0)?;
    // Its end must fit, too.
    if text.len() as u32 >= room {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let length = put(guest, &text, place, room, is_wide)?;
    guest.write(size.0, &length)?;
    Ok(TRUE)
}

both_widths! {
    /// Returns the full path of a process's program.
    "winbase/nf-winbase-queryfullprocessimagename"
    QueryFullProcessImageNameA, QueryFullProcessImageNameW(
        guest, width, hProcess: GuestWord, dwFlags: u32, lpExeName: GuestWord, lpdwSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        full_name(guest, hProcess, dwFlags, lpExeName, lpdwSize, width.is_wide())
    }
}

/// `PROCESS_MEMORY_COUNTERS`.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct PROCESS_MEMORY_COUNTERS {
    cb: u32,
    PageFaultCount: u32,
    PeakWorkingSetSize: GuestWord,
    WorkingSetSize: GuestWord,
    QuotaPeakPagedPoolUsage: GuestWord,
    QuotaPagedPoolUsage: GuestWord,
    QuotaPeakNonPagedPoolUsage: GuestWord,
    QuotaNonPagedPoolUsage: GuestWord,
    PagefileUsage: GuestWord,
    PeakPagefileUsage: GuestWord,
}

/// Stores how much memory a process has.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getprocessmemoryinfo>
#[winapi]
pub fn K32GetProcessMemoryInfo(
    guest: &mut Guest,
    Process: GuestWord,
    ppsmemCounters: GuestWord,
    cb: u32,
) -> Result<Bool, Win32Error> {
    let size = PROCESS_MEMORY_COUNTERS::size(guest.machine());
    if u64::from(cb) < size {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let facts = guest.object::<ProcessObject>(Process)?.facts().ok_or(NtStatus::PROCESS_IS_TERMINATING)?;
    let counters = PROCESS_MEMORY_COUNTERS {
        cb: size as u32,
        PageFaultCount: facts.faults as u32,
        PeakWorkingSetSize: GuestWord(facts.resident_peak),
        WorkingSetSize: GuestWord(facts.resident),
        PagefileUsage: GuestWord(facts.resident),
        PeakPagefileUsage: GuestWord(facts.resident_peak),
        ..PROCESS_MEMORY_COUNTERS::default()
    };
    guest.write(ppsmemCounters.0, &counters)?;
    // PROCESS_MEMORY_COUNTERS_EX goes on with the private bytes.
    if u64::from(cb) >= size + guest.machine().pointer_size() {
        guest.write_word(ppsmemCounters.0 + size, facts.resident)?;
    }
    Ok(TRUE)
}

/// Stores how many handles a process has: of another one, its descriptors.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesshandlecount>
#[winapi]
pub fn GetProcessHandleCount(
    guest: &mut Guest,
    hProcess: GuestWord,
    pdwHandleCount: GuestWord,
) -> Result<Bool, Win32Error> {
    let process = guest.object::<ProcessObject>(hProcess)?;
    let count = match process.as_other() {
        None => guest.process().handles.count(),
        Some(_) => plat_host::process::descriptors(process.id()),
    };
    guest.write(pdwHandleCount.0, &(count as u32))?;
    Ok(TRUE)
}

/// The bounds of a new process' working set on Windows: 50 and 345 pages.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-setprocessworkingsetsizeex>
const WORKING_SET: [u64; 2] = [50 * 4096, 345 * 4096];
/// `QUOTA_LIMITS_HARDWS_MIN_DISABLE | QUOTA_LIMITS_HARDWS_MAX_DISABLE`: neither bound is hard.
const SOFT_BOUNDS: u32 = 2 | 8;

/// Stores the bounds of a process' working set, in bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-getprocessworkingsetsize>
#[winapi]
pub fn GetProcessWorkingSetSize(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpMinimumWorkingSetSize: GuestWord,
    lpMaximumWorkingSetSize: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(hProcess)?;
    guest.write_word(lpMinimumWorkingSetSize.0, WORKING_SET[0])?;
    guest.write_word(lpMaximumWorkingSetSize.0, WORKING_SET[1])?;
    Ok(TRUE)
}

/// Stores the bounds of a process' working set, in bytes, and whether they are hard.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-getprocessworkingsetsizeex>
#[winapi]
pub fn GetProcessWorkingSetSizeEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpMinimumWorkingSetSize: GuestWord,
    lpMaximumWorkingSetSize: GuestWord,
    Flags: GuestWord,
) -> Result<Bool, Win32Error> {
    GetProcessWorkingSetSize(guest, hProcess, lpMinimumWorkingSetSize, lpMaximumWorkingSetSize)?;
    guest.write(Flags.0, &SOFT_BOUNDS)?;
    Ok(TRUE)
}

/// Sets the bounds of a process' working set: Linux keeps in memory what it wants to.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-setprocessworkingsetsize>
#[winapi]
pub fn SetProcessWorkingSetSize(
    guest: &mut Guest,
    hProcess: GuestWord,
    dwMinimumWorkingSetSize: GuestWord,
    dwMaximumWorkingSetSize: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(hProcess)?;
    let bounds = [dwMinimumWorkingSetSize.0, dwMaximumWorkingSetSize.0];
    let asks_to_empty = bounds[0] == bounds[1];
    if asks_to_empty || bounds[0] < bounds[1] { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Sets the bounds of a process' working set: Linux keeps in memory what it wants to.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-setprocessworkingsetsizeex>
#[winapi]
pub fn SetProcessWorkingSetSizeEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    dwMinimumWorkingSetSize: GuestWord,
    dwMaximumWorkingSetSize: GuestWord,
    Flags: u32,
) -> Result<Bool, Win32Error> {
    let _ = Flags;
    SetProcessWorkingSetSize(guest, hProcess, dwMinimumWorkingSetSize, dwMaximumWorkingSetSize)
}
