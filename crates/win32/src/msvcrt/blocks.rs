//! malloc.h: aligned blocks with offsets, and walks of the heap.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/data-alignment>

use plat_abi::{Fault, GuestStruct, GuestWord, Memory};

use super::define::define;
use super::errno::{EINVAL, ENOMEM};
use super::malloc;
use super::state::set_errno;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::heapwalk;
use crate::logic::heap::WalkKind;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _aligned_offset_malloc; full _aligned_realloc; full _aligned_offset_realloc; full _aligned_recalloc; full _aligned_offset_recalloc; full _aligned_msize;
    full _heapmin; full _heapwalk; full _heapset; full _heapadd; full _get_sbh_threshold; full _set_sbh_threshold;
    full "_malloc_base" = malloc::malloc; full "_calloc_base" = malloc::calloc; full "_realloc_base" = malloc::realloc; full "_free_base" = malloc::free;
};

/// `_HEAPINFO`.
#[derive(GuestStruct, Default)]
struct HeapInfo {
    entry: GuestWord,
    size: GuestWord,
    is_used: i32,
}

/// `ENOSYS`.
const ENOSYS: i32 = 40;

/// Allocates a block of which the byte at `offset` is aligned; null with `errno`.
fn aligned(
    guest: &mut Guest,
    size: u64,
    alignment: u64,
    offset: u64,
    zeros: bool,
) -> Result<GuestWord, Fault> {
    if !alignment.is_power_of_two() || (offset != 0 && offset >= size) {
        return set_errno(guest, EINVAL).map(|()| GuestWord::NULL);
    }
    let word = guest.machine().pointer_size();
    let alignment = alignment.max(word);
    let total = size.checked_add(2 * alignment + word);
    let Some(start) = total.and_then(|total| guest.process().heaps.allocate(0, total, zeros)) else {
        return set_errno(guest, ENOMEM).map(|()| GuestWord::NULL);
    };
    // The word before the block says where the allocation begins; it must be aligned itself.
    let gap = (word - offset % word) % word;
    let address = (start + word + gap + offset).next_multiple_of(alignment) - offset;
    guest.write_word(address - word, start)?;
    Ok(GuestWord(address))
}

/// Returns the bytes from an aligned block to its allocation's end.
fn room(guest: &Guest, block: u64) -> Result<u64, Fault> {
    let start = guest.read_word(block - guest.machine().pointer_size())?;
    let size = guest.process().heaps.size(0, start).unwrap_or(0);
    Ok((start + size).saturating_sub(block))
}

/// Moves an aligned block to one of another size. Where its contents grow, zeros may be wanted.
fn moved(
    guest: &mut Guest,
    block: GuestWord,
    size: Option<u64>,
    [alignment, offset]: [u64; 2],
    zeros: bool,
) -> Result<GuestWord, Fault> {
    let Some(size) = size else { return set_errno(guest, ENOMEM).map(|()| GuestWord::NULL) };
    if block.is_null() {
        return aligned(guest, size, alignment, offset, zeros);
    }
    if size == 0 {
        return malloc::_aligned_free(guest, block).map(|()| GuestWord::NULL);
    }
    let kept = _aligned_msize(guest, block, GuestWord(alignment), GuestWord(offset))?.0.min(size);
    let new = aligned(guest, size, alignment, offset, zeros)?;
    if !new.is_null() {
        let bytes = guest.read_vec(block.0, kept)?;
        guest.write_bytes(new.0, &bytes)?;
        malloc::_aligned_free(guest, block)?;
    }
    Ok(new)
}

define! {
    "Allocates a block of which the byte at an offset is aligned.", "aligned-offset-malloc";
    _aligned_offset_malloc(guest, size: GuestWord, alignment: GuestWord, offset: GuestWord) -> GuestWord {
        aligned(guest, size.0, alignment.0, offset.0, false)
    }
    "Gives an aligned block another size.", "aligned-realloc";
    _aligned_realloc(guest, memblock: GuestWord, size: GuestWord, alignment: GuestWord) -> GuestWord {
        moved(guest, memblock, Some(size.0), [alignment.0, 0], false)
    }
    "Gives a block that is aligned at an offset another size.", "aligned-offset-realloc";
    _aligned_offset_realloc(guest, memblock: GuestWord, size: GuestWord, alignment: GuestWord, offset: GuestWord) -> GuestWord {
        moved(guest, memblock, Some(size.0), [alignment.0, offset.0], false)
    }
    "Gives an aligned block another size; what is new is zero.", "aligned-recalloc";
    _aligned_recalloc(guest, memblock: GuestWord, num: GuestWord, size: GuestWord, alignment: GuestWord) -> GuestWord {
        moved(guest, memblock, num.0.checked_mul(size.0), [alignment.0, 0], true)
    }
    "Gives a block that is aligned at an offset another size; what is new is zero.", "aligned-offset-recalloc";
    _aligned_offset_recalloc(guest, memblock: GuestWord, num: GuestWord, size: GuestWord, alignment: GuestWord, offset: GuestWord) -> GuestWord {
        moved(guest, memblock, num.0.checked_mul(size.0), [alignment.0, offset.0], true)
    }
    "Returns the size of an aligned block: at least what was asked for.", "aligned-msize";
    _aligned_msize(guest, memblock: GuestWord, alignment: GuestWord, offset: GuestWord) -> GuestWord {
        let _ = (alignment, offset);
        if memblock.is_null() {
            set_errno(guest, EINVAL)?;
            return Ok(GuestWord(u64::MAX));
        }
        room(guest, memblock.0).map(GuestWord)
    }
    "Gives unused memory back to the system, which the heap does by itself; returns 0.", "heapmin";
    _heapmin(guest) -> i32 {
        let _ = guest;
        Ok(0)
    }
    "Finds the heap's next block, in use or free.", "heapwalk";
    _heapwalk(guest, entryinfo: GuestWord) -> i32 {
        const END: i32 = -5;
        const BAD_NODE: i32 = -4;
        const OK: i32 = -2;
        let mut info: HeapInfo = guest.read(entryinfo.0)?;
        if !info.entry.is_null() && info.is_used == 1 && !guest.process().heaps.is_valid(0, info.entry.0) {
            return Ok(BAD_NODE);
        }
        let mut place = (info.entry.0, false);
        loop {
            let entry = match heapwalk::next(guest, 0, place.0, place.1) {
                Ok(entry) => entry,
                Err(Win32Error::NO_MORE_ITEMS) => return Ok(END),
                Err(_) => return Ok(BAD_NODE),
            };
            let is_region = matches!(entry.kind, WalkKind::Region { .. });
            if !is_region {
                (info.entry, info.size) = (GuestWord(entry.address), GuestWord(entry.size));
                info.is_used = i32::from(entry.kind == WalkKind::Busy);
                return guest.write(entryinfo.0, &info).map(|()| OK);
            }
            place = (entry.address, true);
        }
    }
    "Says that the heap is sound (-2); free blocks cannot be filled.", "heapchk";
    _heapset(guest, fill: u32) -> i32 {
        let _ = (guest, fill);
        Ok(-2)
    }
    "Refuses memory for the heap: -1 with ENOSYS.", "heapadd";
    _heapadd(guest, memblock: GuestWord, size: GuestWord) -> i32 {
        let _ = (memblock, size);
        set_errno(guest, ENOSYS).map(|()| -1)
    }
    "Returns the limit of small blocks of an old heap, which is 0.", "get-sbh-threshold";
    _get_sbh_threshold(guest) -> GuestWord {
        let _ = guest;
        Ok(GuestWord(0))
    }
    "Refuses a limit of small blocks but 0: the old heap is gone.", "set-sbh-threshold";
    _set_sbh_threshold(guest, threshold: GuestWord) -> i32 {
        let _ = guest;
        Ok(i32::from(threshold.0 == 0))
    }
}
