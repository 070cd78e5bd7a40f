//! sysinfoapi.h: system information and time.

use plat_abi::{Fault, GuestStruct, GuestWord, Machine, Memory, winapi};
use plat_host::sysinfo as host;

use super::timezoneapi::{SYSTEMTIME, write_file_time};
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::time as rules;
use crate::nt::account::computer_name;
use crate::nt::{sysinfo, time};
use crate::process::Process;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetComputerNameA;
    full GetComputerNameW;
    full GetLocalTime;
    full GetComputerNameExA;
    full GetComputerNameExW;
    full GetNativeSystemInfo;
    full GetSystemDirectoryA;
    full GetSystemDirectoryW;
    full GetSystemWow64DirectoryA;
    full GetSystemWow64DirectoryW;
    full GetSystemInfo;
    partial SetComputerNameA, "refused: a program may not name the machine";
    partial SetComputerNameW, "refused: a program may not name the machine";
    partial SetComputerNameExA, "the machine's name is Linux': ACCESS_DENIED";
    partial SetComputerNameExW, "the machine's name is Linux': ACCESS_DENIED";
    full GetSystemWindowsDirectoryA;
    full GetSystemWindowsDirectoryW;
    full GetSystemTime;
    full GetSystemTimeAdjustment;
    full GetSystemTimeAsFileTime;
    full GetSystemTimePreciseAsFileTime;
    full GetTickCount;
    full GetTickCount64;
    full GetVersion;
    full GetVersionExA;
    full GetVersionExW;
    full GetWindowsDirectoryA;
    full GetWindowsDirectoryW;
    full GlobalMemoryStatus;
    full GlobalMemoryStatusEx;
    full VerSetConditionMask;
    full VerifyVersionInfoA;
    full VerifyVersionInfoW;
};

/// Returns the system time.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimeasfiletime>
#[winapi]
pub fn GetSystemTimeAsFileTime(guest: &mut Guest, lpSystemTimeAsFileTime: GuestWord) -> Result<(), Fault> {
    write_file_time(guest, lpSystemTimeAsFileTime, time::now())
}

/// Returns the system time to 100 ns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimepreciseasfiletime>
#[winapi]
pub fn GetSystemTimePreciseAsFileTime(
    guest: &mut Guest,
    lpSystemTimeAsFileTime: GuestWord,
) -> Result<(), Fault> {
    write_file_time(guest, lpSystemTimeAsFileTime, time::now())
}

/// Returns the system time in fields.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtime>
#[winapi]
pub fn GetSystemTime(guest: &mut Guest, lpSystemTime: GuestWord) -> Result<(), Fault> {
    let fields = rules::file_time_to_system_time(time::now()).unwrap_or_default();
    guest.write(lpSystemTime.get(), &SYSTEMTIME::from(fields))
}

/// Returns the local time in fields.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getlocaltime>
#[winapi]
pub fn GetLocalTime(guest: &mut Guest, lpSystemTime: GuestWord) -> Result<(), Fault> {
    let now = time::now();
    let local = rules::file_time_to_local(now, time::bias_minutes).unwrap_or(now);
    let fields = rules::file_time_to_system_time(local).unwrap_or_default();
    guest.write(lpSystemTime.get(), &SYSTEMTIME::from(fields))
}

/// Returns milliseconds since boot, modulo 2^32.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount>
#[winapi]
pub fn GetTickCount(guest: &mut Guest) -> u32 {
    let _ = guest;
    time::tick_count() as u32
}

/// Returns milliseconds since boot.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount64>
#[winapi]
pub fn GetTickCount64(guest: &mut Guest) -> u64 {
    let _ = guest;
    time::tick_count()
}

/// Returns how the clock is adjusted: not at all, 15.625 ms at every tick.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimeadjustment>
#[winapi]
pub fn GetSystemTimeAdjustment(
    guest: &mut Guest,
    lpTimeAdjustment: GuestWord,
    lpTimeIncrement: GuestWord,
    lpTimeAdjustmentDisabled: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.write(lpTimeAdjustment.get(), &time::TICK_UNITS)?;
    guest.write(lpTimeIncrement.get(), &time::TICK_UNITS)?;
    guest.write(lpTimeAdjustmentDisabled.get(), &1_u32)?;
    Ok(TRUE)
}

/// `SYSTEM_INFO`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
pub(crate) struct SYSTEM_INFO {
    pub(crate) wProcessorArchitecture: u16,
    pub(crate) wReserved: u16,
    pub(crate) dwPageSize: u32,
    pub(crate) lpMinimumApplicationAddress: GuestWord,
    pub(crate) lpMaximumApplicationAddress: GuestWord,
    pub(crate) dwActiveProcessorMask: GuestWord,
    pub(crate) dwNumberOfProcessors: u32,
    pub(crate) dwProcessorType: u32,
    pub(crate) dwAllocationGranularity: u32,
    pub(crate) wProcessorLevel: u16,
    pub(crate) wProcessorRevision: u16,
}

const PROCESSOR_ARCHITECTURE_INTEL: u16 = 0;
const PROCESSOR_ARCHITECTURE_AMD64: u16 = 9;
const PROCESSOR_INTEL_PENTIUM: u32 = 586;
const PROCESSOR_AMD_X8664: u32 = 8664;

#[allow(non_snake_case)]
/// Describes the machine as a program of `architecture` sees it.
pub(crate) fn system_info(process: &Process, architecture: Machine) -> SYSTEM_INFO {
    let (lowest, highest) = sysinfo::address_limits(process);
    let mask = sysinfo::processors(process.machine);
    let model = host::processor_model();
    let (wProcessorArchitecture, dwProcessorType) = match architecture {
        Machine::I386 => (PROCESSOR_ARCHITECTURE_INTEL, PROCESSOR_INTEL_PENTIUM),
        Machine::Amd64 => (PROCESSOR_ARCHITECTURE_AMD64, PROCESSOR_AMD_X8664),
    };
    SYSTEM_INFO {
        wProcessorArchitecture,
        wReserved: 0,
        dwPageSize: sysinfo::PAGE_SIZE,
        lpMinimumApplicationAddress: GuestWord(lowest),
        lpMaximumApplicationAddress: GuestWord(highest),
        dwActiveProcessorMask: GuestWord(mask),
        dwNumberOfProcessors: mask.count_ones(),
        dwProcessorType,
        dwAllocationGranularity: sysinfo::ALLOCATION_GRANULARITY,
        wProcessorLevel: model.family as u16,
        wProcessorRevision: ((model.model & 0xff) << 8 | model.stepping) as u16,
    }
}

/// Describes the machine as the program's own kind of Windows sees it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsysteminfo>
#[winapi]
pub fn GetSystemInfo(guest: &mut Guest, lpSystemInfo: GuestWord) -> Result<(), Fault> {
    let process = guest.process();
    guest.write(lpSystemInfo.get(), &system_info(process, process.machine))
}

/// Describes the machine as it is: 64-bit, also to a 32-bit program.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getnativesysteminfo>
#[winapi]
pub fn GetNativeSystemInfo(guest: &mut Guest, lpSystemInfo: GuestWord) -> Result<(), Fault> {
    guest.write(lpSystemInfo.get(), &system_info(guest.process(), Machine::Amd64))
}

/// Returns the version in one word: major, minor, build from the low byte up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getversion>
#[winapi]
pub fn GetVersion(guest: &mut Guest) -> u32 {
    let _ = guest;
    let (major, minor, build) = sysinfo::VERSION;
    build << 16 | minor << 8 | major
}

/// Offset and width of the text in `OSVERSIONINFO`, and its sizes with and without the `EX` part.
struct VersionLayout {
    unit: u64,
    size: u32,
    size_ex: u32,
}

const VERSION_A: VersionLayout = VersionLayout { unit: 1, size: 148, size_ex: 156 };
const VERSION_W: VersionLayout = VersionLayout { unit: 2, size: 276, size_ex: 284 };

fn version(width: Width) -> &'static VersionLayout {
    if width.is_wide() { &VERSION_W } else { &VERSION_A }
}

fn write_version(guest: &Guest, at: u64, layout: &VersionLayout) -> Result<(), Win32Error> {
    let size = guest.read_u32(at)?;
    if size < layout.size {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let (major, minor, build) = sysinfo::VERSION;
    guest.write(at + 4, &[major, minor, build, sysinfo::PLATFORM_NT])?;
    // No service pack: an empty text.
    let text_end = at + 20 + 128 * layout.unit;
    guest.write_bytes(at + 20, &vec![0; 128 * layout.unit as usize])?;
    if size >= layout.size_ex {
        guest.write(text_end, &[0_u16, 0, sysinfo::SUITE])?;
        guest.write_bytes(text_end + 6, &[sysinfo::PRODUCT_WORKSTATION, 0])?;
    }
    Ok(())
}

both_widths! {
    /// Returns the version of Windows: always 10.0.19045 here, whatever the program's manifest says.
    "sysinfoapi/nf-sysinfoapi-getversionex"
    GetVersionExA, GetVersionExW(guest, width, lpVersionInformation: GuestWord) -> Result<Bool, Win32Error> {
        write_version(guest, lpVersionInformation.get(), version(width))?;
        Ok(TRUE)
    }
}

/// Puts a comparison for a part of the version into a mask: three bits each.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-versetconditionmask>
#[winapi]
pub fn VerSetConditionMask(guest: &mut Guest, ConditionMask: u64, TypeMask: u32, Condition: u8) -> u64 {
    let _ = guest;
    let place = (0..8).rev().find(|bit| TypeMask & 1 << bit != 0);
    place.map_or(ConditionMask, |bit| ConditionMask | u64::from(Condition & 7) << (bit * 3))
}

both_widths! {
    /// Compares the version of Windows with what a program wants.
    "winbase/nf-winbase-verifyversioninfo"
    VerifyVersionInfoA, VerifyVersionInfoW(
        guest, width, lpVersionInformation: GuestWord, dwTypeMask: u32, dwlConditionMask: u64
    ) -> Result<Bool, Win32Error> {
        verify_version(guest, lpVersionInformation.get(), version(width), dwTypeMask, dwlConditionMask)
    }
}

/// `ERROR_OLD_WIN_VERSION`: the version is not what was wanted.
const OLD_WIN_VERSION: Win32Error = Win32Error(1150);

fn verify_version(
    guest: &Guest,
    at: u64,
    layout: &VersionLayout,
    types: u32,
    conditions: u64,
) -> Result<Bool, Win32Error> {
    let [_, major, minor, build, platform] = guest.read::<[u32; 5]>(at)?;
    let [pack_major, pack_minor, suite] = guest.read::<[u16; 3]>(at + 20 + 128 * layout.unit)?;
    let product = guest.read::<u8>(at + 26 + 128 * layout.unit)?;
    let wanted = sysinfo::WantedVersion {
        version: [major, minor, u32::from(pack_major), u32::from(pack_minor)],
        build,
        platform,
        suite,
        product,
    };
    match sysinfo::version_matches(&wanted, types, conditions) {
        None => Err(Win32Error::BAD_ARGUMENTS),
        Some(false) => Err(OLD_WIN_VERSION),
        Some(true) => Ok(TRUE),
    }
}

/// `MEMORYSTATUSEX` after its length.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct MEMORYSTATUSEX {
    dwLength: u32,
    dwMemoryLoad: u32,
    ullTotalPhys: u64,
    ullAvailPhys: u64,
    ullTotalPageFile: u64,
    ullAvailPageFile: u64,
    ullTotalVirtual: u64,
    ullAvailVirtual: u64,
    ullAvailExtendedVirtual: u64,
}

fn memory_status(process: &Process) -> MEMORYSTATUSEX {
    let memory = host::memory_status();
    let (lowest, highest) = sysinfo::address_limits(process);
    let used = memory.total - memory.available.min(memory.total);
    MEMORYSTATUSEX {
        dwLength: 64,
        dwMemoryLoad: (used * 100).checked_div(memory.total).unwrap_or(0) as u32,
        ullTotalPhys: memory.total,
        ullAvailPhys: memory.available,
        ullTotalPageFile: memory.total + memory.swap_total,
        ullAvailPageFile: memory.available + memory.swap_free,
        ullTotalVirtual: highest + 1 - lowest,
        ullAvailVirtual: highest + 1 - lowest,
        ullAvailExtendedVirtual: 0,
    }
}

/// Describes main memory; the length must be 64. All of the address space counts as available.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-globalmemorystatusex>
#[winapi]
pub fn GlobalMemoryStatusEx(guest: &mut Guest, lpBuffer: GuestWord) -> Result<Bool, Win32Error> {
    if guest.read_u32(lpBuffer.get())? != 64 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write(lpBuffer.get(), &memory_status(guest.process()))?;
    Ok(TRUE)
}

/// `MEMORYSTATUS`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct MEMORYSTATUS {
    dwLength: u32,
    dwMemoryLoad: u32,
    sizes: [GuestWord; 6],
}

/// Describes main memory; a 32-bit program sees at most 2 GiB - 1 of each.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globalmemorystatus>
#[winapi]
pub fn GlobalMemoryStatus(guest: &mut Guest, lpBuffer: GuestWord) -> Result<(), Fault> {
    let machine = guest.process().machine;
    let status = memory_status(guest.process());
    let most = if machine.is_64() { u64::MAX } else { 0x7fff_ffff };
    let sizes = [
        status.ullTotalPhys,
        status.ullAvailPhys,
        status.ullTotalPageFile,
        status.ullAvailPageFile,
        status.ullTotalVirtual,
        status.ullAvailVirtual,
    ];
    let dwLength = MEMORYSTATUS::size(machine) as u32;
    let sizes = sizes.map(|size| GuestWord(size.min(most)));
    guest.write(lpBuffer.get(), &MEMORYSTATUS { dwLength, dwMemoryLoad: status.dwMemoryLoad, sizes })
}

/// Writes a text with its zero if it fits; the size counts units, with the zero on the way in and without on the way
/// out.
fn write_sized(
    guest: &Guest,
    text: &str,
    buffer: GuestWord,
    size: GuestWord,
    is_wide: bool,
) -> Result<Bool, Win32Error> {
    let room = guest.read_u32(size.get())?;
    let length = text.len() as u32;
    if room <= length {
        guest.write(size.get(), &(length + 1))?;
        return Err(Win32Error::BUFFER_OVERFLOW);
    }
    write_text(guest, text, buffer, is_wide)?;
    guest.write(size.get(), &length)?;
    Ok(TRUE)
}

/// Writes an ASCII text and its zero.
fn write_text(guest: &Guest, text: &str, buffer: GuestWord, is_wide: bool) -> Result<(), Fault> {
    let bytes = text.bytes().chain([0]);
    if is_wide {
        guest.write_wide(buffer.get(), &bytes.map(u16::from).collect::<Vec<_>>())
    } else {
        guest.write_bytes(buffer.get(), &bytes.collect::<Vec<_>>())
    }
}

both_widths! {
    /// Returns the machine's NetBIOS name.
    "winbase/nf-winbase-getcomputername"
    GetComputerNameA, GetComputerNameW(
        guest, width, lpBuffer: GuestWord, nSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        write_sized(guest, &computer_name(), lpBuffer, nSize, width.is_wide())
    }
}

/// Returns a name of the machine: 0 and 4 NetBIOS, 1 and 5 host, 2 and 6 domain, 3 and 7 both; from 4 on physical,
/// which here is the same.
fn name_of_kind(kind: u32) -> Option<String> {
    let full = host::host_name();
    let (name, domain) = full.split_once('.').unwrap_or((&full, ""));
    match kind {
        0 | 4 => Some(computer_name()),
        1 | 5 => Some(name.to_owned()),
        2 | 6 => Some(domain.to_owned()),
        3 | 7 => Some(full.clone()),
        _ => None,
    }
}

both_widths! {
    /// Returns one of the machine's names; a buffer that is too small gives `ERROR_MORE_DATA` and the size needed.
    "sysinfoapi/nf-sysinfoapi-getcomputernameex"
    GetComputerNameExA, GetComputerNameExW(
        guest, width, NameType: u32, lpBuffer: GuestWord, nSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        let name = name_of_kind(NameType).ok_or(Win32Error::INVALID_PARAMETER)?;
        write_sized(guest, &name, lpBuffer, nSize, width.is_wide()).map_err(more_data)
    }
}

fn more_data(error: Win32Error) -> Win32Error {
    if error == Win32Error::BUFFER_OVERFLOW { Win32Error::MORE_DATA } else { error }
}

/// The system directory of 32-bit programs, as `GetSystemWow64Directory` answers.
const WOW64_DIRECTORY: &str = r"C:\Windows\SysWOW64";

const SYSTEM_DIRECTORY: &str = r"C:\Windows\system32";
const WINDOWS_DIRECTORY: &str = r"C:\Windows";

/// Writes a directory if it fits: returns its length without the zero, or with it when the buffer is too small.
fn write_directory(
    guest: &Guest,
    text: &str,
    buffer: GuestWord,
    size: u32,
    is_wide: bool,
) -> Result<u32, Win32Error> {
    let length = text.len() as u32;
    if size <= length {
        return Ok(length + 1);
    }
    write_text(guest, text, buffer, is_wide)?;
    Ok(length)
}

both_widths! {
    /// Returns the system directory.
    "sysinfoapi/nf-sysinfoapi-getsystemdirectory"
    GetSystemDirectoryA, GetSystemDirectoryW(
        guest, width, lpBuffer: GuestWord, uSize: u32
    ) -> Result<u32, Win32Error> {
        write_directory(guest, SYSTEM_DIRECTORY, lpBuffer, uSize, width.is_wide())
    }

    /// Returns Windows' directory.
    "sysinfoapi/nf-sysinfoapi-getwindowsdirectory"
    GetWindowsDirectoryA, GetWindowsDirectoryW(
        guest, width, lpBuffer: GuestWord, uSize: u32
    ) -> Result<u32, Win32Error> {
        write_directory(guest, WINDOWS_DIRECTORY, lpBuffer, uSize, width.is_wide())
    }

    /// Returns Windows' directory, which all users share.
    "sysinfoapi/nf-sysinfoapi-getsystemwindowsdirectory"
    GetSystemWindowsDirectoryA, GetSystemWindowsDirectoryW(
        guest, width, lpBuffer: GuestWord, uSize: u32
    ) -> Result<u32, Win32Error> {
        write_directory(guest, WINDOWS_DIRECTORY, lpBuffer, uSize, width.is_wide())
    }

    /// Returns the directory in which a 64-bit Windows has what 32-bit programs share.
    "wow64apiset/nf-wow64apiset-getsystemwow64directory"
    GetSystemWow64DirectoryA, GetSystemWow64DirectoryW(
        guest, width, lpBuffer: GuestWord, uSize: u32
    ) -> Result<u32, Win32Error> {
        write_directory(guest, WOW64_DIRECTORY, lpBuffer, uSize, width.is_wide())
    }

    /// Refuses to change the machine's name.
    "sysinfoapi/nf-sysinfoapi-setcomputernameex"
    SetComputerNameExA, SetComputerNameExW(guest, width, NameType: u32, lpBuffer: GuestWord) -> Result<Bool, Win32Error> {
        let _ = (guest, width, NameType, lpBuffer);
        Err(Win32Error::ACCESS_DENIED)
    }
}

answers! {
    "Refuses to name the machine." -> Result<Bool, Win32Error> = Err(Win32Error::ACCESS_DENIED) => {
        "winbase/nf-winbase-setcomputername" SetComputerNameA, SetComputerNameW(lpComputerName: GuestWord);
    }
}
