//! Nt functions of memory.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::kernel32::memoryapi::{
    MEMORY_BASIC_INFORMATION, ReadProcessMemory, Rules, VirtualLock, VirtualUnlock, WriteProcessMemory,
    allocate_in, free_in, information_at, protect_in,
};
use crate::nt::mapped_names;
use crate::nt::process_object::ProcessObject;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full NtAllocateVirtualMemory;
    full NtFreeVirtualMemory;
    full NtProtectVirtualMemory;
    partial NtQueryVirtualMemory, "basic information; names of mapped files";
    full NtReadVirtualMemory;
    partial NtWriteVirtualMemory, "protection is lifted in other processes only";
    partial NtLockVirtualMemory, "checks the range and locks nothing";
    partial NtUnlockVirtualMemory, "checks the range and unlocks nothing";
};

/// Reserves or commits pages of a process; address and size are rounded and written back.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntallocatevirtualmemory>
#[winapi]
pub fn NtAllocateVirtualMemory(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    BaseAddress: GuestWord,
    ZeroBits: GuestWord,
    RegionSize: GuestWord,
    AllocationType: u32,
    Protect: u32,
) -> Result<(), NtStatus> {
    let _ = ZeroBits;
    let (base, size) = (guest.read_word(BaseAddress.0)?, guest.read_word(RegionSize.0)?);
    let made = allocate_in(guest, ProcessHandle, (base, size), AllocationType, Protect)?;
    guest.write_word(BaseAddress.0, made.0)?;
    Ok(guest.write_word(RegionSize.0, made.1)?)
}

/// Rounds a range to whole pages.
fn pages((base, size): (u64, u64)) -> (u64, u64) {
    let start = base / plat_regions::PAGE_SIZE * plat_regions::PAGE_SIZE;
    let end = base.saturating_add(size).checked_next_multiple_of(plat_regions::PAGE_SIZE).unwrap_or(u64::MAX);
    (start, end - start)
}

/// Decommits pages or releases an allocation of a process.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntfreevirtualmemory>
#[winapi]
pub fn NtFreeVirtualMemory(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    BaseAddress: GuestWord,
    RegionSize: GuestWord,
    FreeType: u32,
) -> Result<(), NtStatus> {
    let (base, size) = (guest.read_word(BaseAddress.0)?, guest.read_word(RegionSize.0)?);
    let whole = match size {
        // All of the allocation goes.
        0 => allocation_size(guest, ProcessHandle, base)?,
        size => pages((base, size)).1,
    };
    free_in(guest, ProcessHandle, (base, size), FreeType, Rules::Nt)?;
    guest.write_word(BaseAddress.0, pages((base, whole)).0)?;
    Ok(guest.write_word(RegionSize.0, whole)?)
}

/// Returns how many bytes an allocation has from an address on.
fn allocation_size(guest: &Guest, process: GuestWord, base: u64) -> Result<u64, NtStatus> {
    let first = information_at(guest, process, base)?;
    let mut at = base;
    loop {
        let run = information_at(guest, process, at)?;
        if run.AllocationBase != first.AllocationBase || run.AllocationBase.is_null() {
            return Ok(at - base);
        }
        at = run.BaseAddress.0.saturating_add(run.RegionSize.0);
    }
}

/// Changes the protection of committed pages of a process.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwprotectvirtualmemory>
#[winapi]
pub fn NtProtectVirtualMemory(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    BaseAddress: GuestWord,
    RegionSize: GuestWord,
    NewProtect: u32,
    OldProtect: GuestWord,
) -> Result<(), NtStatus> {
    let range = (guest.read_word(BaseAddress.0)?, guest.read_word(RegionSize.0)?);
    let before = protect_in(guest, ProcessHandle, range, NewProtect)?;
    let (start, size) = pages(range);
    guest.write_word(BaseAddress.0, start)?;
    guest.write_word(RegionSize.0, size)?;
    Ok(guest.write(OldProtect.0, &before)?)
}

/// Describes the pages at an address.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntqueryvirtualmemory>
#[winapi]
pub fn NtQueryVirtualMemory(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    BaseAddress: GuestWord,
    MemoryInformationClass: u32,
    MemoryInformation: GuestWord,
    MemoryInformationLength: GuestWord,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    const BASIC: u32 = 0;
    const SECTION_NAME: u32 = 2;
    let written = match MemoryInformationClass {
        BASIC => {
            let size = MEMORY_BASIC_INFORMATION::size(guest.machine());
            if MemoryInformationLength.0 < size {
                return Err(NtStatus::INFO_LENGTH_MISMATCH);
            }
            guest.write(MemoryInformation.0, &information_at(guest, ProcessHandle, BaseAddress.0)?)?;
            size
        }
        SECTION_NAME => {
            let place = (MemoryInformation.0, MemoryInformationLength.0);
            section_name(guest, ProcessHandle, BaseAddress.0, place)?
        }
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    if !ReturnLength.is_null() {
        guest.write_word(ReturnLength.0, written)?;
    }
    Ok(())
}

/// Stores the name of the file that is mapped at an address.
fn section_name(
    guest: &Guest,
    process: GuestWord,
    address: u64,
    (at, room): (u64, u64),
) -> Result<u64, NtStatus> {
    let own = guest.process();
    let process = own.object_as::<ProcessObject>(process.0)?;
    let name = mapped_names::at(own, &process, address)?;
    let word = guest.machine().pointer_size();
    let (length, needed) = ((name.len() * 2) as u64, 2 * word + (name.len() as u64 + 1) * 2);
    if room < needed {
        return Err(if room < 2 * word { NtStatus::INFO_LENGTH_MISMATCH } else { NtStatus::BUFFER_OVERFLOW });
    }
    guest.write_word(at, length | (length + 2) << 16)?;
    guest.write_word(at + word, at + 2 * word)?;
    guest.write_wide(at + 2 * word, &[name.as_slice(), &[0]].concat())?;
    Ok(needed)
}

fn status(result: Result<Bool, Win32Error>) -> Result<(), NtStatus> {
    result.map(drop).map_err(|error| match error {
        Win32Error::PARTIAL_COPY => NtStatus::PARTIAL_COPY,
        Win32Error::NOACCESS => NtStatus::ACCESS_VIOLATION,
        error => NtStatus::from_win32(error),
    })
}

/// Copies memory of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-readprocessmemory>
#[winapi]
pub fn NtReadVirtualMemory(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    BaseAddress: GuestWord,
    Buffer: GuestWord,
    NumberOfBytesToRead: GuestWord,
    NumberOfBytesRead: GuestWord,
) -> Result<(), NtStatus> {
    status(ReadProcessMemory(
        guest,
        ProcessHandle,
        BaseAddress,
        Buffer,
        NumberOfBytesToRead,
        NumberOfBytesRead,
    ))
}

/// Copies memory into a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-writeprocessmemory>
#[winapi]
pub fn NtWriteVirtualMemory(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    BaseAddress: GuestWord,
    Buffer: GuestWord,
    NumberOfBytesToWrite: GuestWord,
    NumberOfBytesWritten: GuestWord,
) -> Result<(), NtStatus> {
    let (size, count) = (NumberOfBytesToWrite, NumberOfBytesWritten);
    status(WriteProcessMemory(guest, ProcessHandle, BaseAddress, Buffer, size, count))
}

/// A function of the calling process' memory by address and size.
type RangeFunction = fn(&mut Guest, GuestWord, GuestWord) -> Result<Bool, Win32Error>;

fn on_range(
    guest: &mut Guest,
    process: GuestWord,
    [base, size]: [GuestWord; 2],
    function: RangeFunction,
) -> Result<(), NtStatus> {
    if guest.process().object_as::<ProcessObject>(process.0)?.as_other().is_some() {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    let range = (guest.read_word(base.0)?, guest.read_word(size.0)?);
    status(function(guest, GuestWord(range.0), GuestWord(range.1)))?;
    let (start, whole) = pages(range);
    guest.write_word(base.0, start)?;
    Ok(guest.write_word(size.0, whole)?)
}

alike! {
    fn(guest, function;
        ProcessHandle: GuestWord, BaseAddress: GuestWord, RegionSize: GuestWord, MapType: u32
    ) -> Result<(), NtStatus> {
        let _ = MapType;
        on_range(guest, ProcessHandle, [BaseAddress, RegionSize], function)
    }

    /// Keeps pages in memory.
    "memoryapi/nf-memoryapi-virtuallock" NtLockVirtualMemory = VirtualLock;

    /// Lets pages go that were kept in memory.
    "memoryapi/nf-memoryapi-virtualunlock" NtUnlockVirtualMemory = VirtualUnlock;
}
