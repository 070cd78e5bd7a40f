//! malloc.h: the heap, as the C runtime and the operators of C++ see it. All blocks come from the process heap.

use plat_abi::{Fault, GuestWord, winapi};

use super::errno::ENOMEM;
use super::state::{crt, set_errno};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::heap_leaves::{FREE, MALLOC, OPERATOR_NEW};
use crate::nt::thread_cache;
use std::sync::atomic::Ordering;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code malloc: MALLOC;
    full calloc;
    full realloc;
    code free: FREE;
    full _msize;
    full _expand;
    full _recalloc;
    full _aligned_malloc;
    full _aligned_free;
    full _heapchk;
    full _get_heap_handle;
    full _set_new_mode;
    code "??2@YAPAXI@Z": OPERATOR_NEW;
    code "??2@YAPEAX_K@Z": OPERATOR_NEW;
    code "??_U@YAPAXI@Z": OPERATOR_NEW;
    code "??_U@YAPEAX_K@Z": OPERATOR_NEW;
    code "??3@YAXPAX@Z": FREE;
    code "??3@YAXPEAX@Z": FREE;
    code "??_V@YAXPAX@Z": FREE;
    code "??_V@YAXPEAX@Z": FREE;
    full "?_set_new_handler@@YAP6AHI@ZP6AHI@Z@Z" = _set_new_handler;
    full "?_set_new_handler@@YAP6AH_K@ZP6AH0@Z@Z" = _set_new_handler;
};

/// The index of the handler of failed `operator new`.
pub(crate) const NEW_HANDLER: usize = 2;
/// `_HEAPOK`.
const HEAPOK: i32 = -2;

/// Sets `errno` when an allocation failed.
fn check(guest: &mut Guest, address: Option<u64>) -> Result<GuestWord, Fault> {
    match address {
        Some(address) => Ok(GuestWord(address)),
        None => set_errno(guest, ENOMEM).map(|()| GuestWord::NULL),
    }
}

/// Allocates `size` bytes; for 0 a block that holds nothing.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/malloc>
#[winapi(cdecl)]
pub fn malloc(guest: &mut Guest, size: GuestWord) -> Result<GuestWord, Fault> {
    loop {
        let address = thread_cache::allocate(guest, size.0);
        let asks = address.is_none() && crt(guest).new_mode.load(Ordering::Relaxed) == 1;
        if !asks || !call_new_handler(guest, size.0)? {
            return check(guest, address);
        }
    }
}

/// Calls the handler of failed allocations; says whether it made room.
pub(crate) fn call_new_handler(guest: &mut Guest, size: u64) -> Result<bool, Fault> {
    let handler = crt(guest).handlers[NEW_HANDLER].load(Ordering::Relaxed);
    Ok(handler != 0 && guest.call(handler, &[size])? as u32 != 0)
}

/// Allocates zeroed memory for `number` elements of `size` bytes.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/calloc>
#[winapi(cdecl)]
pub fn calloc(guest: &mut Guest, number: GuestWord, size: GuestWord) -> Result<GuestWord, Fault> {
    let total = number.0.checked_mul(size.0);
    let address = total.and_then(|total| guest.process().heaps.allocate(0, total, true));
    check(guest, address)
}

/// Changes the size of a block; null allocates, size 0 frees.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/realloc>
#[winapi(cdecl)]
pub fn realloc(guest: &mut Guest, memblock: GuestWord, size: GuestWord) -> Result<GuestWord, Fault> {
    if memblock.is_null() {
        return malloc(guest, size);
    }
    let heaps = &guest.process().heaps;
    if size.0 == 0 {
        heaps.free(0, memblock.0);
        return Ok(GuestWord::NULL);
    }
    let address = heaps.reallocate(0, memblock.0, size.0, false, false);
    check(guest, address)
}

/// Frees a block; null is ignored.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/free>
#[winapi(cdecl)]
pub fn free(guest: &mut Guest, memblock: GuestWord) {
    if !memblock.is_null() {
        thread_cache::make_room(guest, memblock.0);
        guest.process().heaps.free(0, memblock.0);
    }
}

/// Returns the size of a block in bytes, -1 when it is none.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/msize>
#[winapi(cdecl)]
pub fn _msize(guest: &mut Guest, memblock: GuestWord) -> GuestWord {
    GuestWord(guest.process().heaps.size(0, memblock.0).unwrap_or(u64::MAX))
}

/// Changes the size of a block where it lies; null when there is no room.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/expand>
#[winapi(cdecl)]
pub fn _expand(guest: &mut Guest, memblock: GuestWord, size: GuestWord) -> Result<GuestWord, Fault> {
    let address = guest.process().heaps.reallocate(0, memblock.0, size.0, false, true);
    check(guest, address)
}

/// Changes the size of a block to `number` elements of `size` bytes; new bytes are zero.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/recalloc>
#[winapi(cdecl)]
pub fn _recalloc(
    guest: &mut Guest,
    memblock: GuestWord,
    number: GuestWord,
    size: GuestWord,
) -> Result<GuestWord, Fault> {
    if memblock.is_null() {
        return calloc(guest, number, size);
    }
    let total = number.0.checked_mul(size.0);
    let address = total.and_then(|total| guest.process().heaps.reallocate(0, memblock.0, total, true, false));
    check(guest, address)
}

/// Allocates memory at a multiple of `alignment`, a power of two.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/aligned-malloc>
#[winapi(cdecl)]
pub fn _aligned_malloc(guest: &mut Guest, size: GuestWord, alignment: GuestWord) -> Result<GuestWord, Fault> {
    use plat_abi::Memory;
    if !alignment.0.is_power_of_two() {
        set_errno(guest, super::errno::EINVAL)?;
        return Ok(GuestWord::NULL);
    }
    let word = guest.machine().pointer_size();
    let alignment = alignment.0.max(word);
    let total = size.0.checked_add(alignment + word);
    let Some(start) = total.and_then(|total| guest.process().heaps.allocate(0, total, false)) else {
        return check(guest, None);
    };
    // The word before the block says where the allocation begins.
    let address = (start + word).next_multiple_of(alignment);
    guest.write_word(address - word, start)?;
    Ok(GuestWord(address))
}

/// Frees a block of `_aligned_malloc`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/aligned-free>
#[winapi(cdecl)]
pub fn _aligned_free(guest: &mut Guest, memblock: GuestWord) -> Result<(), Fault> {
    use plat_abi::Memory;
    if !memblock.is_null() {
        let start = guest.read_word(memblock.0 - guest.machine().pointer_size())?;
        guest.process().heaps.free(0, start);
    }
    Ok(())
}

/// Says that the heap is sound: plat's books of it lie outside the guest's reach.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/heapchk>
#[winapi(cdecl)]
pub fn _heapchk(guest: &mut Guest) -> i32 {
    let _ = guest;
    HEAPOK
}

/// Returns the handle of the heap that the runtime uses: the process heap.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/get-heap-handle>
#[winapi(cdecl)]
pub fn _get_heap_handle(guest: &mut Guest) -> Result<GuestWord, Fault> {
    use crate::teb::{Peb, Teb};
    use plat_abi::Memory;
    let peb = guest.teb().get(Teb::PEB)?;
    guest.read_word(peb + Peb::PROCESS_HEAP.offset(guest.machine())).map(GuestWord)
}

/// Says whether `malloc` calls the handler of `operator new` too; returns the old mode.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/set-new-mode>
#[winapi(cdecl)]
pub fn _set_new_mode(guest: &mut Guest, newhandlermode: i32) -> i32 {
    crt(guest).new_mode.swap(newhandlermode, Ordering::Relaxed)
}

/// Allocates for C++; calls the handler of failed allocations until it gives up, then returns null.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/operator-new-crt>
#[winapi(cdecl)]
pub fn operator_new(guest: &mut Guest, count: GuestWord) -> Result<GuestWord, Fault> {
    loop {
        if let Some(address) = thread_cache::allocate(guest, count.0) {
            return Ok(GuestWord(address));
        }
        if !call_new_handler(guest, count.0)? {
            return check(guest, None);
        }
    }
}

/// Sets the function that `operator new` calls when memory is short; returns the one before.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/set-new-handler>
#[winapi(cdecl)]
pub fn _set_new_handler(guest: &mut Guest, pNewHandler: GuestWord) -> GuestWord {
    GuestWord(crt(guest).handlers[NEW_HANDLER].swap(pNewHandler.0, Ordering::Relaxed))
}
