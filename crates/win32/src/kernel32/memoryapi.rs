//! memoryapi.h: virtual memory.
//!
//! The rules are in `plat_regions::windows`; here are the Win32 forms: what may be null, which error, whose process.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};
use plat_regions::Address;
use plat_regions::windows::{AllocationType, FreeKind, PageProtection, Request, Run, State};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::control::MEMORY_PIECE;
use crate::nt::process_object::ProcessObject;
use crate::nt::remote::RemoteRun;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full VirtualAlloc;
    full VirtualAllocEx;
    full VirtualFree;
    full VirtualFreeEx;
    full VirtualProtect;
    full VirtualProtectEx;
    partial VirtualQuery, "PartitionId is always 0";
    partial VirtualQueryEx, "PartitionId is always 0";
    partial VirtualLock, "checks the range and locks nothing";
    partial VirtualUnlock, "checks the range and unlocks nothing";
    full FlushInstructionCache;
    full ReadProcessMemory;
    partial WriteProcessMemory, "protection is lifted in other processes only";
    full GetWriteWatch;
    full ResetWriteWatch;
};

/// One run of pages that are alike.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-memory_basic_information>
#[derive(Debug, Default, GuestStruct)]
pub struct MEMORY_BASIC_INFORMATION {
    /// First page of the run.
    pub BaseAddress: GuestWord,
    /// Base of the allocation.
    pub AllocationBase: GuestWord,
    /// Protection that the allocation was made with.
    pub AllocationProtect: u32,
    /// Memory partition.
    #[guest(x64)]
    pub PartitionId: u16,
    /// Size in bytes from `BaseAddress`.
    pub RegionSize: GuestWord,
    /// `MEM_COMMIT`, `MEM_RESERVE` or `MEM_FREE`.
    pub State: u32,
    /// Protection of the pages.
    pub Protect: u32,
    /// `MEM_PRIVATE`, `MEM_MAPPED`, `MEM_IMAGE` or 0.
    pub Type: u32,
}

/// `MEM_FREE`.
const MEM_FREE: u32 = 0x1_0000;

impl From<RemoteRun> for MEMORY_BASIC_INFORMATION {
    fn from(run: RemoteRun) -> Self {
        let (state, protect) = match run.state {
            0 => (MEM_FREE, PageProtection::NOACCESS.bits()),
            1 => (AllocationType::RESERVE.bits(), 0),
            _ => (AllocationType::COMMIT.bits(), run.protection),
        };
        Self {
            BaseAddress: GuestWord(run.base),
            AllocationBase: GuestWord(run.allocation_base),
            AllocationProtect: if run.state == 0 { 0 } else { run.allocation_protection },
            PartitionId: 0,
            RegionSize: GuestWord(run.size),
            State: state,
            Protect: protect,
            Type: run.kind,
        }
    }
}

impl From<Run> for MEMORY_BASIC_INFORMATION {
    fn from(run: Run) -> Self {
        let (state, protect) = match run.state {
            // Free pages say that they may not be accessed; reserved ones say nothing.
            State::Free => (MEM_FREE, PageProtection::NOACCESS.bits()),
            State::Reserve => (AllocationType::RESERVE.bits(), 0),
            State::Commit => (AllocationType::COMMIT.bits(), run.protection.bits()),
        };
        let is_free = run.state == State::Free;
        Self {
            BaseAddress: GuestWord(run.base.get()),
            AllocationBase: GuestWord(run.allocation_base.map_or(0, Address::get)),
            AllocationProtect: if is_free { 0 } else { run.allocation_protection.bits() },
            PartitionId: 0,
            RegionSize: GuestWord(run.size),
            State: state,
            Protect: protect,
            Type: run.kind.map_or(0, |kind| kind.bits()),
        }
    }
}

/// Returns the process of a handle; nothing for the calling one.
fn other(guest: &Guest, process: GuestWord) -> Result<Option<Arc<ProcessObject>>, NtStatus> {
    let process = guest.process().object_as::<ProcessObject>(process.get())?;
    Ok(process.as_other().is_some().then_some(process))
}

/// Says whether a handle is of a process other than the calling one.
pub(super) fn is_other_process(guest: &Guest, process: GuestWord) -> Result<bool, Win32Error> {
    Ok(other(guest, process)?.is_some())
}

/// Allocates in the calling process.
pub(super) fn allocate_request(guest: &Guest, request: &Request) -> Result<GuestWord, Win32Error> {
    let range = guest.process().memory.allocate(request).map_err(NtStatus::to_win32)?;
    Ok(GuestWord(range.start.get()))
}

/// Allocates memory of a process; returns first address and size.
pub(crate) fn allocate_in(
    guest: &Guest,
    process: GuestWord,
    (base, size): (u64, u64),
    kind: u32,
    protect: u32,
) -> Result<(u64, u64), NtStatus> {
    if let Some(process) = other(guest, process)? {
        let made = process.allocate(base, size, kind, protect)?;
        let start = if base == 0 { made } else { base };
        let end = start.saturating_add(size).checked_next_multiple_of(plat_regions::PAGE_SIZE);
        return Ok((made, end.unwrap_or(u64::MAX) - made));
    }
    let kind = AllocationType::from_bits_retain(kind);
    let mut request = Request::new(size, kind, PageProtection::of_program(protect));
    request.base = (base != 0).then(|| Address::new(base));
    let range = guest.process().memory.allocate(&request)?;
    Ok((range.start.get(), range.end.get() - range.start.get()))
}

/// `GetCurrentProcess`.
const OWN: GuestWord = GuestWord(u64::MAX);

/// Reserves or commits pages. `dwSize` is in bytes, rounded up to whole pages.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc>
#[winapi]
pub fn VirtualAlloc(
    guest: &mut Guest,
    lpAddress: GuestWord,
    dwSize: GuestWord,
    flAllocationType: u32,
    flProtect: u32,
) -> Result<GuestWord, Win32Error> {
    VirtualAllocEx(guest, OWN, lpAddress, dwSize, flAllocationType, flProtect)
}

/// Reserves or commits pages of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualallocex>
#[winapi]
pub fn VirtualAllocEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpAddress: GuestWord,
    dwSize: GuestWord,
    flAllocationType: u32,
    flProtect: u32,
) -> Result<GuestWord, Win32Error> {
    let range = (lpAddress.get(), dwSize.get());
    let (made, _) =
        allocate_in(guest, hProcess, range, flAllocationType, flProtect).map_err(NtStatus::to_win32)?;
    Ok(GuestWord(made))
}

/// Whose rules hold: Win32 releases only whole allocations, NT parts of them, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// Those of `VirtualFree`.
    Win32,
    /// Those of `NtFreeVirtualMemory`.
    Nt,
}

/// Frees memory of a process.
pub(crate) fn free_in(
    guest: &Guest,
    process: GuestWord,
    (base, size): (u64, u64),
    kind: u32,
    rules: Rules,
) -> Result<(), NtStatus> {
    if let Some(process) = other(guest, process)? {
        return process.free(base, size, kind);
    }
    let kind = match AllocationType::from_bits_retain(kind) {
        AllocationType::DECOMMIT => FreeKind::Decommit,
        AllocationType::RELEASE => FreeKind::Release,
        kind if kind == AllocationType::RELEASE | AllocationType::PRESERVE_PLACEHOLDER => {
            FreeKind::ReleasePreserve
        }
        kind if kind == AllocationType::RELEASE | AllocationType::COALESCE_PLACEHOLDERS => FreeKind::Coalesce,
        _ => return Err(NtStatus::INVALID_PARAMETER_4),
    };
    let base = Address::new(base);
    let freed = guest.process().memory.change(|books| {
        if rules == Rules::Win32 && kind == FreeKind::Release {
            books.check_win32_release(base, size)?;
        }
        books.free(base, size, kind)
    });
    freed.map(drop)
}

/// Decommits pages or releases an allocation.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualfree>
#[winapi]
pub fn VirtualFree(
    guest: &mut Guest,
    lpAddress: GuestWord,
    dwSize: GuestWord,
    dwFreeType: u32,
) -> Result<Bool, Win32Error> {
    VirtualFreeEx(guest, OWN, lpAddress, dwSize, dwFreeType)
}

/// Decommits pages or releases an allocation of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualfreeex>
#[winapi]
pub fn VirtualFreeEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpAddress: GuestWord,
    dwSize: GuestWord,
    dwFreeType: u32,
) -> Result<Bool, Win32Error> {
    let (base, size) = (lpAddress.get(), dwSize.get());
    free_in(guest, hProcess, (base, size), dwFreeType, Rules::Win32).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}

/// Changes the protection of memory of a process; returns the one before.
pub(crate) fn protect_in(
    guest: &Guest,
    process: GuestWord,
    (base, size): (u64, u64),
    protection: u32,
) -> Result<u32, NtStatus> {
    if let Some(process) = other(guest, process)? {
        return process.protect(base, size, protection);
    }
    let protection = PageProtection::of_program(protection);
    let base = Address::new(base);
    Ok(guest.process().memory.change(|books| books.protect(base, size, protection))?.bits())
}

/// Changes the protection of committed pages.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualprotect>
#[winapi]
pub fn VirtualProtect(
    guest: &mut Guest,
    lpAddress: GuestWord,
    dwSize: GuestWord,
    flNewProtect: u32,
    lpflOldProtect: GuestWord,
) -> Result<Bool, Win32Error> {
    VirtualProtectEx(guest, OWN, lpAddress, dwSize, flNewProtect, lpflOldProtect)
}

/// Changes the protection of committed pages of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualprotectex>
#[winapi]
pub fn VirtualProtectEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpAddress: GuestWord,
    dwSize: GuestWord,
    flNewProtect: u32,
    lpflOldProtect: GuestWord,
) -> Result<Bool, Win32Error> {
    // The old protection must have a place before anything changes.
    let before = guest.read_u32(lpflOldProtect.get())?;
    guest.write(lpflOldProtect.get(), &before)?;
    let range = (lpAddress.get(), dwSize.get());
    let before = protect_in(guest, hProcess, range, flNewProtect).map_err(NtStatus::to_win32)?;
    guest.write(lpflOldProtect.get(), &before)?;
    Ok(TRUE)
}

/// Describes the run of pages of a process that an address lies in.
pub(crate) fn information_at(
    guest: &Guest,
    process: GuestWord,
    address: u64,
) -> Result<MEMORY_BASIC_INFORMATION, NtStatus> {
    if let Some(process) = other(guest, process)? {
        return Ok(process.query(address)?.into());
    }
    let run = guest.process().memory.books().query(Address::new(address));
    Ok(run.ok_or(NtStatus::INVALID_PARAMETER)?.into())
}

/// Describes the run of pages that an address lies in; returns the bytes written.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualquery>
#[winapi]
pub fn VirtualQuery(
    guest: &mut Guest,
    lpAddress: GuestWord,
    lpBuffer: GuestWord,
    dwLength: GuestWord,
) -> Result<GuestWord, Win32Error> {
    VirtualQueryEx(guest, OWN, lpAddress, lpBuffer, dwLength)
}

/// Describes the run of pages of a process that an address lies in; returns the bytes written.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualqueryex>
#[winapi]
pub fn VirtualQueryEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpAddress: GuestWord,
    lpBuffer: GuestWord,
    dwLength: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let size = MEMORY_BASIC_INFORMATION::size(guest.process().machine);
    if dwLength.get() < size {
        return Err(Win32Error::BAD_LENGTH);
    }
    let information = information_at(guest, hProcess, lpAddress.get()).map_err(NtStatus::to_win32)?;
    guest.write(lpBuffer.get(), &information)?;
    Ok(GuestWord(size))
}

/// Disarms the guard pages of a range; the first one is the answer, as if the program had touched it.
fn touch_guards(guest: &Guest, address: GuestWord, size: GuestWord) -> Result<(), Win32Error> {
    let memory = &guest.process().memory;
    let mut touched = false;
    for at in touches(address, size) {
        touched |= memory.change(|books| books.touch_guard(Address::new(at))).is_ok();
    }
    // Here the status itself is the error.
    if touched { Err(Win32Error(NtStatus::GUARD_PAGE_VIOLATION.0)) } else { Ok(()) }
}

/// Checks that all pages of a range are committed.
fn check_committed(guest: &Guest, address: GuestWord, size: GuestWord) -> Result<Bool, Win32Error> {
    let end = address.get().checked_add(size.get()).filter(|&end| end > address.get());
    let end = end.ok_or(Win32Error::INVALID_PARAMETER)?;
    let books = guest.process().memory.books();
    let mut at = address.get();
    while at < end {
        let run = books.query(Address::new(at)).filter(|run| run.state == State::Commit);
        let run = run.ok_or(Win32Error::NOACCESS)?;
        at = run.base.get().saturating_add(run.size);
    }
    Ok(TRUE)
}

/// Keeps pages in memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtuallock>
#[winapi]
pub fn VirtualLock(guest: &mut Guest, lpAddress: GuestWord, dwSize: GuestWord) -> Result<Bool, Win32Error> {
    touch_guards(guest, lpAddress, dwSize)?;
    check_committed(guest, lpAddress, dwSize)
}

/// Lets pages go that were kept in memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualunlock>
#[winapi]
pub fn VirtualUnlock(guest: &mut Guest, lpAddress: GuestWord, dwSize: GuestWord) -> Result<Bool, Win32Error> {
    check_committed(guest, lpAddress, dwSize)
}

/// Makes changed code visible: x86 processors see to it themselves.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-flushinstructioncache>
#[winapi]
pub fn FlushInstructionCache(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpBaseAddress: GuestWord,
    dwSize: GuestWord,
) -> Bool {
    let _ = (guest, hProcess, lpBaseAddress, dwSize);
    TRUE
}

/// Copies `size` bytes within the process in pieces; returns how many were copied.
fn copy(guest: &Guest, to: u64, from: u64, size: u64) -> (u64, Result<(), Win32Error>) {
    const PIECE: u64 = 4096;
    let mut done = 0;
    let mut buffer = [0; PIECE as usize];
    while done < size {
        let piece = PIECE.min(size - done);
        let buffer = &mut buffer[..piece as usize];
        let copied = guest
            .read_bytes(from.wrapping_add(done), buffer)
            .and_then(|()| guest.write_bytes(to.wrapping_add(done), buffer));
        if copied.is_err() {
            return (done, Err(Win32Error::PARTIAL_COPY));
        }
        done += piece;
    }
    (done, Ok(()))
}

fn transfer(
    guest: &Guest,
    to: u64,
    from: u64,
    size: GuestWord,
    count: GuestWord,
) -> Result<Bool, Win32Error> {
    let (done, result) = copy(guest, to, from, size.get());
    if !count.is_null() {
        guest.write_word(count.get(), done)?;
    }
    result.map(|()| TRUE)
}

/// Moves memory of another process in pieces that fit into a message; tells how many bytes were moved.
fn in_pieces(
    guest: &Guest,
    size: GuestWord,
    count: GuestWord,
    mut step: impl FnMut(u64, u64) -> Result<(), Win32Error>,
) -> Result<Bool, Win32Error> {
    let mut done = 0;
    let mut outcome = Ok(());
    while done < size.get() && outcome.is_ok() {
        let length = (size.get() - done).min(MEMORY_PIECE);
        outcome = step(done, length);
        done += if outcome.is_ok() { length } else { 0 };
    }
    if !count.is_null() {
        guest.write_word(count.get(), done)?;
    }
    outcome.map(|()| TRUE)
}

/// Reads memory of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-readprocessmemory>
#[winapi]
pub fn ReadProcessMemory(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpBaseAddress: GuestWord,
    lpBuffer: GuestWord,
    nSize: GuestWord,
    lpNumberOfBytesRead: GuestWord,
) -> Result<Bool, Win32Error> {
    let Some(process) = other(guest, hProcess)? else {
        return transfer(guest, lpBuffer.get(), lpBaseAddress.get(), nSize, lpNumberOfBytesRead);
    };
    let read = |done: u64, length: u64| {
        let bytes = process.read(lpBaseAddress.get() + done, length)?;
        Ok(guest.write_bytes(lpBuffer.get() + done, &bytes)?)
    };
    in_pieces(guest, nSize, lpNumberOfBytesRead, read)
}

/// Writes memory of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-writeprocessmemory>
#[winapi]
pub fn WriteProcessMemory(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpBaseAddress: GuestWord,
    lpBuffer: GuestWord,
    nSize: GuestWord,
    lpNumberOfBytesWritten: GuestWord,
) -> Result<Bool, Win32Error> {
    let Some(process) = other(guest, hProcess)? else {
        return transfer(guest, lpBaseAddress.get(), lpBuffer.get(), nSize, lpNumberOfBytesWritten);
    };
    let write = |done: u64, length: u64| {
        let bytes = guest.read_vec(lpBuffer.get() + done, length)?;
        Ok(process.write(lpBaseAddress.get() + done, &bytes)?)
    };
    in_pieces(guest, nSize, lpNumberOfBytesWritten, write)
}

/// Lists an address on each page of a range.
pub(super) fn touches(start: GuestWord, size: GuestWord) -> impl Iterator<Item = u64> {
    let (start, size) = (start.get(), size.get());
    let last = (size > 0).then(|| start.saturating_add(size - 1));
    let pages = (start..start.saturating_add(size)).step_by(4096);
    pages.chain(last)
}

/// What the write-watch functions return when they fail.
const WATCH_FAILED: u32 = u32::MAX;

/// `WRITE_WATCH_FLAG_RESET`.
const WRITE_WATCH_FLAG_RESET: u32 = 1;

/// Lists the pages of a watched range that were written; returns 0, or `(UINT)-1` with the last error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-getwritewatch>
#[winapi]
pub fn GetWriteWatch(
    guest: &mut Guest,
    dwFlags: u32,
    lpBaseAddress: GuestWord,
    dwRegionSize: GuestWord,
    lpAddresses: GuestWord,
    lpdwCount: GuestWord,
    lpdwGranularity: GuestWord,
) -> u32 {
    let region = (lpBaseAddress.get(), dwRegionSize.get());
    match write_watch(guest, dwFlags, region, lpAddresses, lpdwCount, lpdwGranularity) {
        Ok(()) => 0,
        Err(error) => {
            guest.set_last_error(error);
            WATCH_FAILED
        }
    }
}

fn write_watch(
    guest: &Guest,
    flags: u32,
    (base, size): (u64, u64),
    addresses: GuestWord,
    count: GuestWord,
    granularity: GuestWord,
) -> Result<(), Win32Error> {
    if flags & !WRITE_WATCH_FLAG_RESET != 0 || count.is_null() || addresses.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let most = guest.read_word(count.get())?;
    if most == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let memory = &guest.process().memory;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let pages =
        memory.written(base, size, most, flags & WRITE_WATCH_FLAG_RESET != 0).map_err(NtStatus::to_win32)?;
    let step = guest.process().machine.pointer_size();
    for (index, &page) in pages.iter().enumerate() {
        guest.write_word(addresses.get() + index as u64 * step, page)?;
    }
    guest.write_word(count.get(), pages.len() as u64)?;
    Ok(guest.write(granularity.get(), &4096_u32)?)
}

/// Forgets which pages of a watched range were written; returns 0, or `(UINT)-1` with the last error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-resetwritewatch>
#[winapi]
pub fn ResetWriteWatch(guest: &mut Guest, lpBaseAddress: GuestWord, dwRegionSize: GuestWord) -> u32 {
    match guest.process().memory.written(lpBaseAddress.get(), dwRegionSize.get(), usize::MAX, true) {
        Ok(_) => 0,
        Err(status) => {
            guest.set_last_error(status.to_win32());
            WATCH_FAILED
        }
    }
}
