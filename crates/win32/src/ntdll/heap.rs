//! The heaps of ntdll, which are those of kernel32 under their own names.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::heap_leaves::{HEAP_ALLOC, HEAP_FREE};
use crate::kernel32::heapapi::{
    HeapAlloc, HeapCompact, HeapFree, HeapLock, HeapReAlloc, HeapSize, HeapUnlock, HeapValidate, put_handles,
};
use crate::logic::heap::WalkKind;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code RtlAllocateHeap: HEAP_ALLOC;
    code RtlFreeHeap: HEAP_FREE;
    full "RtlReAllocateHeap" = HeapReAlloc;
    full "RtlSizeHeap" = HeapSize;
    full "RtlValidateHeap" = HeapValidate;
    full "RtlCompactHeap" = HeapCompact;
    partial "RtlLockHeap" = HeapLock, "small blocks of the process heap that a thread has in store are not held back";
    full "RtlUnlockHeap" = HeapUnlock;
    partial RtlCreateHeap, "in memory of its own choice: a base is refused, a caller's lock is not used";
    full RtlDestroyHeap;
    full RtlValidateProcessHeaps;
    full RtlGetProcessHeaps;
    full RtlEnumProcessHeaps;
    full RtlWalkHeap;
    full RtlMultipleAllocateHeap;
    full RtlMultipleFreeHeap;
    partial RtlQueryHeapInformation, "only the compatibility class, which says standard";
    partial RtlSetUserValueHeap, "blocks have no such values: FALSE";
    partial RtlSetUserFlagsHeap, "blocks have no such flags: FALSE";
    partial RtlGetUserInfoHeap, "blocks have neither values nor flags: zeros";
    partial RtlSetHeapInformation, "every class is accepted and ignored";
};

/// Says that a block has no value of its program's: it was not made for one.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlallocateheap>
#[winapi]
pub fn RtlSetUserValueHeap(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    Flags: u32,
    BaseAddress: GuestWord,
    UserValue: GuestWord,
) -> u8 {
    let _ = (guest, HeapHandle, Flags, BaseAddress, UserValue);
    0
}

/// Says that a block has no flags of its program's: it was not made for them.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlallocateheap>
#[winapi]
pub fn RtlSetUserFlagsHeap(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    Flags: u32,
    BaseAddress: GuestWord,
    UserFlagsReset: u32,
    UserFlagsSet: u32,
) -> u8 {
    let _ = (guest, HeapHandle, Flags, BaseAddress, UserFlagsReset, UserFlagsSet);
    0
}

/// Returns a block's value and flags of its program's: none.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlallocateheap>
#[winapi]
pub fn RtlGetUserInfoHeap(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    Flags: u32,
    BaseAddress: GuestWord,
    UserValue: GuestWord,
    UserFlags: GuestWord,
) -> Result<u8, Fault> {
    // The size of what is no block of the heap is unknown.
    let _ = Flags;
    if guest.process().heaps.size(HeapHandle.get(), BaseAddress.get()).is_none() {
        return Ok(0);
    }
    if !UserValue.is_null() {
        guest.write_word(UserValue.get(), 0)?;
    }
    if !UserFlags.is_null() {
        guest.write(UserFlags.get(), &0_u32)?;
    }
    Ok(1)
}

/// Makes a heap that grows, or one that holds at most `ReserveSize` bytes.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlcreateheap>
#[winapi]
pub fn RtlCreateHeap(
    guest: &mut Guest,
    Flags: u32,
    HeapBase: GuestWord,
    ReserveSize: GuestWord,
    CommitSize: GuestWord,
    Lock: GuestWord,
    Parameters: GuestWord,
) -> GuestWord {
    const HEAP_GROWABLE: u32 = 2;
    const HEAP_GENERATE_EXCEPTIONS: u32 = 4;
    let _ = (CommitSize, Lock, Parameters);
    if !HeapBase.is_null() {
        return GuestWord::NULL;
    }
    let bytes_max = if Flags & HEAP_GROWABLE != 0 { 0 } else { ReserveSize.get() };
    let raises = Flags & HEAP_GENERATE_EXCEPTIONS != 0;
    GuestWord(guest.process().heaps.create(bytes_max, raises).unwrap_or(0))
}

/// Destroys a heap with all its blocks; returns null, or the handle where it is none.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtldestroyheap>
#[winapi]
pub fn RtlDestroyHeap(guest: &mut Guest, HeapHandle: GuestWord) -> GuestWord {
    if guest.process().heaps.destroy(HeapHandle.get()) { GuestWord::NULL } else { HeapHandle }
}

/// Says that all heaps are sound: the books of them lie outside the guest's reach.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/rtlvalidateprocessheaps>
#[winapi]
pub fn RtlValidateProcessHeaps(guest: &mut Guest) -> u8 {
    let _ = guest;
    1
}

/// Stores the handles of as many heaps as there is room for; returns how many there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-getprocessheaps>
#[winapi]
pub fn RtlGetProcessHeaps(
    guest: &mut Guest,
    NumberOfHeaps: u32,
    ProcessHeaps: GuestWord,
) -> Result<u32, Fault> {
    let handles = guest.process().heaps.handles();
    put_handles(guest, ProcessHeaps, &handles[..handles.len().min(NumberOfHeaps as usize)])?;
    Ok(handles.len() as u32)
}

/// Calls a function for each heap until it returns an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-getprocessheaps>
#[winapi]
pub fn RtlEnumProcessHeaps(
    guest: &mut Guest,
    EnumRoutine: GuestWord,
    Parameter: GuestWord,
) -> Result<u32, Fault> {
    for handle in guest.process().heaps.handles() {
        let status = guest.call(EnumRoutine.get(), &[handle, Parameter.get()])? as u32;
        if status as i32 >= 0 {
            continue;
        }
        return Ok(status);
    }
    Ok(0)
}

/// `RTL_HEAP_WALK_ENTRY`.
#[derive(GuestStruct, Default)]
struct RtlHeapWalkEntry {
    data: GuestWord,
    size: GuestWord,
    overhead: u8,
    segment: u8,
    flags: u16,
    #[guest(x64)]
    padding: u32,
    committed: u32,
    uncommitted: u32,
    first: GuestWord,
    last: GuestWord,
}

/// `RTL_HEAP_BUSY` and `RTL_HEAP_SEGMENT`.
const RTL_HEAP_BUSY: u16 = 1;
const RTL_HEAP_SEGMENT: u16 = 2;

/// Finds the next segment or block of a heap; a null address in the entry begins the walk.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapwalk>
#[winapi]
pub fn RtlWalkHeap(guest: &mut Guest, HeapHandle: GuestWord, Entry: GuestWord) -> Result<(), NtStatus> {
    let before: RtlHeapWalkEntry = guest.read(Entry.get())?;
    let after = Some((before.data.get(), before.flags & RTL_HEAP_SEGMENT != 0));
    let after = after.filter(|&(address, _)| address != 0);
    let next = guest.process().heaps.walk(HeapHandle.get(), after).ok_or(NtStatus::INVALID_HANDLE)?;
    let next = next.map_err(|_| NtStatus::INVALID_PARAMETER)?.ok_or(NtStatus::NO_MORE_ENTRIES)?;
    let mut entry = RtlHeapWalkEntry {
        data: GuestWord(next.address),
        size: GuestWord(next.size),
        overhead: u8::try_from(next.overhead).unwrap_or(u8::MAX),
        segment: next.span as u8,
        ..RtlHeapWalkEntry::default()
    };
    match next.kind {
        WalkKind::Busy => entry.flags = RTL_HEAP_BUSY,
        WalkKind::Free => {}
        WalkKind::Region { first, end } => {
            (entry.flags, entry.committed) = (RTL_HEAP_SEGMENT, next.size as u32);
            (entry.first, entry.last) = (GuestWord(first), GuestWord(end));
        }
    }
    guest.write(Entry.get(), &entry)?;
    Ok(())
}

/// Allocates several blocks of one size; returns how many.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapalloc>
#[winapi]
pub fn RtlMultipleAllocateHeap(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    Flags: u32,
    Size: GuestWord,
    Count: u32,
    Array: GuestWord,
) -> Result<u32, Fault> {
    let width = guest.machine().pointer_size();
    for index in 0..Count {
        let block = HeapAlloc(guest, HeapHandle, Flags, Size);
        if block.is_null() {
            return Ok(index);
        }
        guest.write_word(Array.get() + u64::from(index) * width, block.get())?;
    }
    Ok(Count)
}

/// Frees several blocks; returns how many.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapfree>
#[winapi]
pub fn RtlMultipleFreeHeap(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    Flags: u32,
    Count: u32,
    Array: GuestWord,
) -> Result<u32, Fault> {
    let width = guest.machine().pointer_size();
    for index in 0..Count {
        let block = guest.read_word(Array.get() + u64::from(index) * width)?;
        if HeapFree(guest, HeapHandle, Flags, GuestWord(block)).is_err() {
            return Ok(index);
        }
    }
    Ok(Count)
}

/// Returns a heap's settings.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapqueryinformation>
#[winapi]
pub fn RtlQueryHeapInformation(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    HeapInformationClass: u32,
    HeapInformation: GuestWord,
    HeapInformationLength: GuestWord,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let _ = HeapHandle;
    if HeapInformationClass != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if !ReturnLength.is_null() {
        guest.write_word(ReturnLength.get(), 4)?;
    }
    if HeapInformationLength.get() < 4 {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    guest.write(HeapInformation.get(), &0_u32)?;
    Ok(())
}

/// Accepts a heap's settings: low fragmentation and termination on corruption are how these heaps are anyway.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapsetinformation>
#[winapi]
pub fn RtlSetHeapInformation(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    HeapInformationClass: u32,
    HeapInformation: GuestWord,
    HeapInformationLength: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (guest, HeapHandle, HeapInformationClass, HeapInformation, HeapInformationLength);
    Ok(())
}
