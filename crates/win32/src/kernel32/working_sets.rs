//! psapi.h: pages that are in memory, files that are mapped, and what only the kernel of Windows has.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};
use plat_host::maps;
use plat_regions::windows::State;
use plat_regions::{Address, PAGE_SIZE};

use super::psapi::put;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::mapped_names;
use crate::nt::thread::ProcessObject;
use crate::widths::both_widths;

/// The exports of this file; psapi.dll has them under their old names.
pub const EXPORTS: &[Export] = dll! {
    partial K32QueryWorkingSet, "of the calling process alone";
    partial K32QueryWorkingSetEx, "of the calling process alone";
    partial K32EmptyWorkingSet, "accepted: Linux takes pages when it needs them";
    full K32GetMappedFileNameA; full K32GetMappedFileNameW;
    partial K32InitializeProcessForWsWatch, "always ERROR_NOT_SUPPORTED";
    partial K32GetWsChanges, "nothing is watched: ERROR_INVALID_HANDLE";
    partial K32GetWsChangesEx, "nothing is watched: ERROR_INVALID_HANDLE";
    partial K32EnumDeviceDrivers, "there are no drivers of Windows: none";
    full K32GetDeviceDriverBaseNameA; full K32GetDeviceDriverBaseNameW;
    full K32GetDeviceDriverFileNameA; full K32GetDeviceDriverFileNameW;
    partial K32EnumPageFilesA, "there are no files of Windows' pages: none";
    partial K32EnumPageFilesW, "there are no files of Windows' pages: none";
};

answers! {
    "Takes pages from a process: Linux takes them when it needs them." -> Bool = TRUE => {
        "psapi/nf-psapi-emptyworkingset" K32EmptyWorkingSet(hProcess: GuestWord);
        "psapi/nf-psapi-enumpagefiles" K32EnumPageFilesA, K32EnumPageFilesW(pCallBackRoutine: GuestWord, pContext: GuestWord);
    }
    "Refuses to watch which pages a process gets." -> Result<Bool, Win32Error> = Err(Win32Error::NOT_SUPPORTED) => {
        "psapi/nf-psapi-initializeprocessforwswatch" K32InitializeProcessForWsWatch(hProcess: GuestWord);
    }
    "Says that nothing watches the process's pages." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "psapi/nf-psapi-getwschanges" K32GetWsChanges(hProcess: GuestWord, lpWatchInfo: GuestWord, cb: u32);
        "psapi/nf-psapi-getwschangesex" K32GetWsChangesEx(hProcess: GuestWord, lpWatchInfoEx: GuestWord, cb: GuestWord);
    }
    "Says that no driver lies there." -> Result<u32, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "psapi/nf-psapi-getdevicedriverbasenamea"
        K32GetDeviceDriverBaseNameA(ImageBase: GuestWord, lpFilename: GuestWord, nSize: u32);
        "psapi/nf-psapi-getdevicedriverbasenamew"
        K32GetDeviceDriverBaseNameW(ImageBase: GuestWord, lpBaseName: GuestWord, nSize: u32);
        "psapi/nf-psapi-getdevicedriverfilename"
        K32GetDeviceDriverFileNameA, K32GetDeviceDriverFileNameW(ImageBase: GuestWord, lpFilename: GuestWord, nSize: u32);
    }
}

/// Lists the drivers: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-enumdevicedrivers>
#[winapi]
pub fn K32EnumDeviceDrivers(
    guest: &mut Guest,
    lpImageBase: GuestWord,
    cb: u32,
    lpcbNeeded: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (lpImageBase, cb);
    guest.write(lpcbNeeded.get(), &0_u32)?;
    Ok(TRUE)
}

both_widths! {
    /// Returns the path, in the form of a device's, of the file that is mapped at an address.
    "psapi/nf-psapi-getmappedfilename"
    K32GetMappedFileNameA, K32GetMappedFileNameW(
        guest, width, hProcess: GuestWord, lpv: GuestWord, lpFilename: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        if nSize == 0 {
            return Err(Win32Error::INSUFFICIENT_BUFFER);
        }
        let process = guest.object::<ProcessObject>(hProcess)?;
        let name = mapped_names::at(guest.process(), &process, lpv.get());
        // Windows' own answer for memory that is no file's.
        let name = name.map_err(|_| Win32Error::UNEXP_NET_ERR)?;
        match put(guest, &name, lpFilename, nSize, width.is_wide()) {
            Err(Win32Error::INSUFFICIENT_BUFFER) => {
                guest.set_last_error(Win32Error::INSUFFICIENT_BUFFER);
                Ok(nSize)
            }
            other => other,
        }
    }
}

/// A committed page: its address, and whether others have it, too.
struct Page {
    address: u64,
    protection: u32,
    is_shared: bool,
}

fn own(guest: &Guest, process: GuestWord) -> Result<(), Win32Error> {
    let process = guest.object::<ProcessObject>(process)?;
    if process.as_other().is_some() { Err(Win32Error::ACCESS_DENIED) } else { Ok(()) }
}

/// Returns the committed pages of the process that are in memory.
fn working_set(guest: &Guest) -> Vec<Page> {
    let books = guest.process().memory.books();
    let mut at = Address::new(0);
    let mut pages = Vec::new();
    while let Some(run) = books.query(at) {
        if run.state == State::Commit {
            let present = maps::present_pages(run.base.get(), run.size / PAGE_SIZE);
            let page = |index: usize| Page {
                address: run.base.get() + index as u64 * PAGE_SIZE,
                protection: run.protection.bits(),
                is_shared: run.kind != Some(plat_regions::windows::MemoryKind::Private),
            };
            pages.extend(present.iter().enumerate().filter(|(_, here)| **here).map(|(index, _)| page(index)));
        }
        let Some(next) = run.base.checked_add(run.size) else { break };
        at = next;
    }
    pages
}

/// Translates a page's protection as `PSAPI_WORKING_SET_BLOCK` has it.
fn block_protection(protection: u32) -> u64 {
    // PAGE_NOACCESS, READONLY, READWRITE, WRITECOPY and, from 0x10 on, the same with EXECUTE.
    match protection & 0xff {
        0x02 => 1,
        0x10 => 2,
        0x20 => 3,
        0x04 => 4,
        0x08 => 5,
        0x40 => 6,
        0x80 => 7,
        _ => 0,
    }
}

/// Stores which pages of the process are in memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-queryworkingset>
#[winapi]
pub fn K32QueryWorkingSet(
    guest: &mut Guest,
    hProcess: GuestWord,
    pv: GuestWord,
    cb: u32,
) -> Result<Bool, Win32Error> {
    const SHARED: u64 = 1 << 8;
    own(guest, hProcess)?;
    let word = guest.machine().pointer_size();
    if u64::from(cb) < word {
        return Err(Win32Error::BAD_LENGTH);
    }
    let pages = working_set(guest);
    guest.write_word(pv.get(), pages.len() as u64)?;
    if u64::from(cb) < word * (1 + pages.len() as u64) {
        return Err(Win32Error::BAD_LENGTH);
    }
    for (index, page) in (1..).zip(pages) {
        let shared = if page.is_shared { SHARED } else { 0 };
        guest
            .write_word(pv.get() + index * word, page.address | shared | block_protection(page.protection))?;
    }
    Ok(TRUE)
}

/// `PSAPI_WORKING_SET_EX_INFORMATION`.
#[derive(GuestStruct, Clone, Copy, Debug, Default)]
#[allow(non_camel_case_types, non_snake_case)]
struct WORKING_SET_EX_INFORMATION {
    VirtualAddress: GuestWord,
    VirtualAttributes: GuestWord,
}

/// Stores for each given page whether it is in memory, and how it is protected.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-queryworkingsetex>
#[winapi]
pub fn K32QueryWorkingSetEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    pv: GuestWord,
    cb: u32,
) -> Result<Bool, Win32Error> {
    own(guest, hProcess)?;
    let size = WORKING_SET_EX_INFORMATION::size(guest.machine());
    for index in 0..u64::from(cb) / size {
        let place = pv.get() + index * size;
        let mut entry: WORKING_SET_EX_INFORMATION = guest.read(place)?;
        entry.VirtualAttributes = GuestWord(attributes(guest, entry.VirtualAddress.get()));
        guest.write(place, &entry)?;
    }
    Ok(TRUE)
}

/// Returns a page's `PSAPI_WORKING_SET_EX_BLOCK`: 0 unless it is in memory.
fn attributes(guest: &Guest, address: u64) -> u64 {
    const VALID: u64 = 1;
    const ONE_SHARES: u64 = 1 << 1;
    const PROTECTION_SHIFT: u32 = 4;
    const SHARED: u64 = 1 << 15;
    let run = guest.process().memory.books().query(Address::new(address));
    let Some(run) = run.filter(|run| run.state == State::Commit) else { return 0 };
    if maps::present_pages(run.base.get(), 1) != [true] {
        return 0;
    }
    let is_private = run.kind == Some(plat_regions::windows::MemoryKind::Private);
    let shared = if is_private { 0 } else { SHARED | ONE_SHARES };
    VALID | u64::from(run.protection.bits() & 0x7ff) << PROTECTION_SHIFT | shared
}
