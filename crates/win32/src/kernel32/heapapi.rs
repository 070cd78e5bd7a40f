//! heapapi.h: heaps; winbase.h: GlobalAlloc and LocalAlloc.
//!
//! The heaps are in [`crate::nt::heap`]. Global and local memory is the process heap's; a movable block has a handle
//! of its own and stays where it is until it is reallocated.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::leaves::GET_PROCESS_HEAP;
use crate::alike::alike;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::kernel32::heap_leaves::{HEAP_ALLOC, HEAP_FREE};
use crate::nt::exception::context::Record;
use crate::nt::exception::dispatch;
use crate::nt::heap::{HEAP_GENERATE_EXCEPTIONS, HeapOptions, Movable};
use crate::nt::thread_cache;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code GetProcessHeap: GET_PROCESS_HEAP;
    full GetProcessHeaps;
    full HeapCreate;
    full HeapDestroy;
    code HeapAlloc: HEAP_ALLOC;
    code HeapFree: HEAP_FREE;
    full HeapReAlloc;
    full HeapSize;
    full HeapValidate;
    full HeapCompact;
    partial HeapLock, "small blocks of the process heap that a thread has in store are not held back";
    full HeapUnlock;
    partial HeapSetInformation, "every class is accepted and ignored";
    partial HeapQueryInformation, "only the compatibility class, which says standard";
    full GlobalAlloc;
    full GlobalFree;
    partial GlobalReAlloc, "GMEM_MODIFY changes nothing";
    full GlobalSize;
    full GlobalLock;
    full GlobalUnlock;
    full GlobalHandle; full "LocalHandle" = GlobalHandle;
    full GlobalFlags; full "LocalFlags" = GlobalFlags;
    full LocalShrink; full LocalCompact; full GlobalCompact; full GlobalFix; full GlobalWire; full GlobalUnfix; full GlobalUnWire;
    full LocalAlloc;
    full LocalFree;
    partial LocalReAlloc, "LMEM_MODIFY changes nothing";
    full LocalSize;
    full LocalLock;
    full LocalUnlock;
};

/// `HEAP_ZERO_MEMORY`.
const HEAP_ZERO_MEMORY: u32 = 8;
/// `HEAP_REALLOC_IN_PLACE_ONLY`.
const HEAP_REALLOC_IN_PLACE_ONLY: u32 = 0x10;
/// `GMEM_ZEROINIT` and `LMEM_ZEROINIT`.
const ZEROINIT: u32 = 0x40;

/// Stores handles in a row.
pub(crate) fn put_handles(guest: &Guest, target: GuestWord, handles: &[u64]) -> Result<(), Fault> {
    let width = guest.machine().pointer_size();
    for (index, &handle) in handles.iter().enumerate() {
        guest.write_word(target.get() + index as u64 * width, handle)?;
    }
    Ok(())
}

/// Lists the heaps of the process; returns how many there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-getprocessheaps>
#[winapi]
pub fn GetProcessHeaps(
    guest: &mut Guest,
    NumberOfHeaps: u32,
    ProcessHeaps: GuestWord,
) -> Result<u32, Win32Error> {
    let handles = guest.process().heaps.handles();
    if handles.len() <= NumberOfHeaps as usize {
        put_handles(guest, ProcessHeaps, &handles)?;
    }
    Ok(handles.len() as u32)
}

/// Makes a heap.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapcreate>
#[winapi]
pub fn HeapCreate(
    guest: &mut Guest,
    flOptions: u32,
    dwInitialSize: GuestWord,
    dwMaximumSize: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let _ = dwInitialSize;
    guest
        .process()
        .heaps
        .create(HeapOptions::new(flOptions, dwMaximumSize.get()))
        .map(GuestWord)
        .ok_or(Win32Error::NOT_ENOUGH_MEMORY)
}

/// Destroys a heap with all its blocks.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapdestroy>
#[winapi]
pub fn HeapDestroy(guest: &mut Guest, hHeap: GuestWord) -> Result<Bool, Win32Error> {
    if guest.process().heaps.destroy(hHeap.get()) { Ok(TRUE) } else { Err(Win32Error::INVALID_HANDLE) }
}

/// Allocates a block. Windows sets no last error when memory is short.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapalloc>
#[winapi]
pub fn HeapAlloc(guest: &mut Guest, hHeap: GuestWord, dwFlags: u32, dwBytes: GuestWord) -> GuestWord {
    let zero = dwFlags & HEAP_ZERO_MEMORY != 0;
    let heaps = &guest.process().heaps;
    heaps.wait_unlocked(guest, hHeap.get());
    let address = if !zero && heaps.is_process_heap(hHeap.get()) {
        thread_cache::allocate(guest, dwBytes.get())
    } else {
        heaps.allocate(hHeap.get(), dwBytes.get(), zero)
    };
    allocated(guest, address, hHeap, dwFlags, dwBytes.get(), 12)
}

/// Returns what an allocation gave; without memory null, or the exception that the heap or the call asked for.
fn allocated(
    guest: &mut Guest,
    address: Option<u64>,
    heap: GuestWord,
    flags: u32,
    bytes: u64,
    stack_bytes: u64,
) -> GuestWord {
    if let Some(address) = address {
        return GuestWord(address);
    }
    if flags & HEAP_GENERATE_EXCEPTIONS != 0 || guest.process().heaps.raises(heap.get()) {
        let registers = dispatch::caller(guest, stack_bytes);
        let mut record = Record::new(NtStatus::NO_MEMORY, registers.rip);
        record.information = vec![bytes];
        dispatch::raise(guest, record, registers);
    }
    guest.set_last_error(Win32Error::NOT_ENOUGH_MEMORY);
    GuestWord::NULL
}

/// Frees a block; a null pointer is allowed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapfree>
#[winapi]
pub fn HeapFree(
    guest: &mut Guest,
    hHeap: GuestWord,
    dwFlags: u32,
    lpMem: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    guest.process().heaps.wait_unlocked(guest, hHeap.get());
    thread_cache::make_room(guest, lpMem.get());
    if lpMem.is_null() || guest.process().heaps.free(hHeap.get(), lpMem.get()) {
        Ok(TRUE)
    } else {
        Err(Win32Error::INVALID_PARAMETER)
    }
}

/// Changes the size of a block.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heaprealloc>
#[winapi]
pub fn HeapReAlloc(
    guest: &mut Guest,
    hHeap: GuestWord,
    dwFlags: u32,
    lpMem: GuestWord,
    dwBytes: GuestWord,
) -> GuestWord {
    let (zero, in_place) = (dwFlags & HEAP_ZERO_MEMORY != 0, dwFlags & HEAP_REALLOC_IN_PLACE_ONLY != 0);
    let heaps = &guest.process().heaps;
    heaps.wait_unlocked(guest, hHeap.get());
    let address = heaps.reallocate(hHeap.get(), lpMem.get(), dwBytes.get(), zero, in_place);
    allocated(guest, address, hHeap, dwFlags, dwBytes.get(), 16)
}

/// Returns the size of a block as it was asked for, or `(SIZE_T)-1`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapsize>
#[winapi]
pub fn HeapSize(guest: &mut Guest, hHeap: GuestWord, dwFlags: u32, lpMem: GuestWord) -> GuestWord {
    let _ = dwFlags;
    GuestWord(guest.process().heaps.size(hHeap.get(), lpMem.get()).unwrap_or(u64::MAX))
}

/// Says whether a block, or a whole heap, is sound.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapvalidate>
#[winapi]
pub fn HeapValidate(guest: &mut Guest, hHeap: GuestWord, dwFlags: u32, lpMem: GuestWord) -> Bool {
    let _ = dwFlags;
    Bool(guest.process().heaps.is_valid(hHeap.get(), lpMem.get()))
}

/// Returns the size of the largest free block: what a heap can take is what the address space has.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapcompact>
#[winapi]
pub fn HeapCompact(guest: &mut Guest, hHeap: GuestWord, dwFlags: u32) -> GuestWord {
    let _ = (hHeap, dwFlags);
    guest.set_last_error(Win32Error::SUCCESS);
    GuestWord(0x10_0000)
}

/// Locks a heap for the calling thread, which may lock it again.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heaplock>
#[winapi]
pub fn HeapLock(guest: &mut Guest, hHeap: GuestWord) -> Result<Bool, Win32Error> {
    let is_heap = guest.process().heaps.lock(guest, hHeap.get())?;
    is_heap.then_some(TRUE).ok_or(Win32Error::INVALID_HANDLE)
}

/// Unlocks a heap that the calling thread has locked.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapunlock>
#[winapi]
pub fn HeapUnlock(guest: &mut Guest, hHeap: GuestWord) -> Result<Bool, Win32Error> {
    let was_locked = guest.process().heaps.unlock(guest, hHeap.get())?;
    was_locked.then_some(TRUE).ok_or(Win32Error::NOT_LOCKED)
}

/// Accepts a heap's settings: low fragmentation and termination on corruption are how these heaps are anyway.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapsetinformation>
#[winapi]
pub fn HeapSetInformation(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    HeapInformationClass: u32,
    HeapInformation: GuestWord,
    HeapInformationLength: GuestWord,
) -> Bool {
    let _ = (guest, HeapHandle, HeapInformationClass, HeapInformation, HeapInformationLength);
    TRUE
}

/// Returns a heap's settings.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapqueryinformation>
#[winapi]
pub fn HeapQueryInformation(
    guest: &mut Guest,
    HeapHandle: GuestWord,
    HeapInformationClass: u32,
    HeapInformation: GuestWord,
    HeapInformationLength: GuestWord,
    ReturnLength: GuestWord,
) -> Result<Bool, Win32Error> {
    crate::ntdll::heap::RtlQueryHeapInformation(
        guest,
        HeapHandle,
        HeapInformationClass,
        HeapInformation,
        HeapInformationLength,
        ReturnLength,
    )
    .map(|()| TRUE)
    .map_err(|status| match status {
        NtStatus::BUFFER_TOO_SMALL => Win32Error::INSUFFICIENT_BUFFER,
        other => other.to_win32(),
    })
}

fn allocate(guest: &mut Guest, flags: u32, bytes: u64) -> Result<GuestWord, Win32Error> {
    const MOVEABLE: u32 = 2;
    let (heaps, zero) = (&guest.process().heaps, flags & ZEROINIT != 0);
    let block = if flags & MOVEABLE != 0 {
        heaps.allocate_movable(bytes, zero)
    } else {
        heaps.allocate(0, bytes, zero)
    };
    block.map(GuestWord).ok_or(Win32Error::NOT_ENOUGH_MEMORY)
}

/// Frees; returns null on success and the handle itself on failure, as Windows does.
fn free(guest: &mut Guest, block: GuestWord) -> GuestWord {
    let heaps = &guest.process().heaps;
    if block.is_null() || heaps.free_movable(block.get()) || heaps.free(0, block.get()) {
        return GuestWord::NULL;
    }
    guest.set_last_error(Win32Error::INVALID_HANDLE);
    block
}

fn reallocate(guest: &mut Guest, block: GuestWord, bytes: u64, flags: u32) -> Result<GuestWord, Win32Error> {
    const MODIFY: u32 = 0x80;
    if flags & MODIFY != 0 {
        return Ok(block);
    }
    let (heaps, zero) = (&guest.process().heaps, flags & ZEROINIT != 0);
    let Some(movable) = heaps.find_movable(block.get()) else {
        let moved = heaps.reallocate(0, block.get(), bytes, zero, false);
        return moved.map(GuestWord).ok_or(Win32Error::NOT_ENOUGH_MEMORY);
    };
    let moved = heaps.reallocate(0, movable.address, bytes, zero, false);
    let address = moved.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    heaps.update_movable(block.get(), Movable { address, ..movable });
    Ok(block)
}

fn size(guest: &mut Guest, block: GuestWord) -> Result<GuestWord, Win32Error> {
    let heaps = &guest.process().heaps;
    let address = heaps.find_movable(block.get()).map_or(block.get(), |movable| movable.address);
    heaps.size(0, address).map(GuestWord).ok_or(Win32Error::INVALID_HANDLE)
}

/// Locks a movable block and returns where it is; fixed memory is where its handle says.
fn lock(guest: &mut Guest, block: GuestWord) -> GuestWord {
    let heaps = &guest.process().heaps;
    let Some(movable) = heaps.find_movable(block.get()) else { return block };
    heaps.update_movable(block.get(), Movable { locks: movable.locks.saturating_add(1), ..movable });
    GuestWord(movable.address)
}

/// Unlocks a movable block: `TRUE` while it is still locked; `FALSE` and no error when that was the last lock.
fn unlock(guest: &mut Guest, block: GuestWord, fixed: Result<Bool, Win32Error>) -> Result<Bool, Win32Error> {
    let heaps = &guest.process().heaps;
    let Some(movable) = heaps.find_movable(block.get()) else { return fixed };
    let locks = movable.locks.checked_sub(1).ok_or(Win32Error::NOT_LOCKED)?;
    heaps.update_movable(block.get(), Movable { locks, ..movable });
    if locks > 0 { Ok(TRUE) } else { Err(Win32Error::SUCCESS) }
}

alike! {
    fn(guest; uFlags: u32, bytes: GuestWord) -> Result<GuestWord, Win32Error> {
        allocate(guest, uFlags, bytes.get())
    }

    /// Allocates global memory.
    "winbase/nf-winbase-globalalloc" GlobalAlloc(uFlags, dwBytes);

    /// Allocates local memory.
    "winbase/nf-winbase-localalloc" LocalAlloc(uFlags, uBytes);
}

alike! {
    fn(guest; hMem: GuestWord) -> GuestWord {
        free(guest, hMem)
    }

    /// Frees global memory.
    "winbase/nf-winbase-globalfree" GlobalFree;

    /// Frees local memory.
    "winbase/nf-winbase-localfree" LocalFree;
}

alike! {
    fn(guest; hMem: GuestWord, bytes: GuestWord, uFlags: u32) -> Result<GuestWord, Win32Error> {
        reallocate(guest, hMem, bytes.get(), uFlags)
    }

    /// Changes the size of global memory.
    "winbase/nf-winbase-globalrealloc" GlobalReAlloc(hMem, dwBytes, uFlags);

    /// Changes the size of local memory.
    "winbase/nf-winbase-localrealloc" LocalReAlloc(hMem, uBytes, uFlags);
}

alike! {
    fn(guest; hMem: GuestWord) -> Result<GuestWord, Win32Error> {
        size(guest, hMem)
    }

    /// Returns the size of global memory.
    "winbase/nf-winbase-globalsize" GlobalSize;

    /// Returns the size of local memory.
    "winbase/nf-winbase-localsize" LocalSize;
}

alike! {
    fn(guest; hMem: GuestWord) -> GuestWord {
        lock(guest, hMem)
    }

    /// Returns the address of global memory.
    "winbase/nf-winbase-globallock" GlobalLock;

    /// Returns the address of local memory.
    "winbase/nf-winbase-locallock" LocalLock;
}

alike! {
    fn(guest, of_fixed; hMem: GuestWord) -> Result<Bool, Win32Error> {
        unlock(guest, hMem, of_fixed)
    }

    /// Unlocks global memory; for fixed memory the answer is `TRUE`.
    "winbase/nf-winbase-globalunlock" GlobalUnlock = Ok(TRUE);

    /// Unlocks local memory: fixed memory has no lock, which is an error of its own kind.
    "winbase/nf-winbase-localunlock" LocalUnlock = Err(Win32Error::NOT_LOCKED);
}

/// The largest free piece of a heap of 16 bits, which old programs ask for.
const FREE_PIECE: u32 = 0x10_0000;

answers! {
    "Returns how much is free in one piece: there is always more." -> GuestWord = GuestWord(FREE_PIECE as u64) => {
        "winbase/nf-winbase-globalcompact" GlobalCompact(dwMinFree: u32);
        "winbase/nf-winbase-localcompact" LocalCompact(uMinFree: u32);
        "winbase/nf-winbase-localshrink" LocalShrink(hMem: GuestWord, cbNewSize: u32);
    }
}

alike! {
    fn(guest; hMem: GuestWord) -> GuestWord {
        lock(guest, hMem)
    }

    /// Fixes global memory at its place, as `GlobalLock` does.
    "winbase/nf-winbase-globalfix" GlobalFix;

    /// Fixes global memory at its place, as `GlobalLock` does.
    "winbase/nf-winbase-globalwire" GlobalWire;
}

alike! {
    fn(guest; hMem: GuestWord) -> Result<Bool, Win32Error> {
        unlock(guest, hMem, Ok(TRUE))
    }

    /// Ends what `GlobalFix` began.
    "winbase/nf-winbase-globalunfix" GlobalUnfix;

    /// Ends what `GlobalWire` began.
    "winbase/nf-winbase-globalunwire" GlobalUnWire;
}

/// Returns the handle of global memory by its address.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globalhandle>
#[winapi]
pub fn GlobalHandle(guest: &mut Guest, pMem: GuestWord) -> Result<GuestWord, Win32Error> {
    if let Some(handle) = guest.process().heaps.handle_of(pMem.get()) {
        return Ok(GuestWord(handle));
    }
    size(guest, pMem).map(|_| pMem)
}

/// Returns the flags of global memory: how often it is locked.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globalflags>
#[winapi]
pub fn GlobalFlags(guest: &mut Guest, hMem: GuestWord) -> u32 {
    const GMEM_INVALID_HANDLE: u32 = 0x8000;
    let heaps = &guest.process().heaps;
    match heaps.find_movable(hMem.get()) {
        Some(movable) => u32::from(movable.locks),
        None if heaps.size(0, hMem.get()).is_some() => 0,
        None => GMEM_INVALID_HANDLE,
    }
}
