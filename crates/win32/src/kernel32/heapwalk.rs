//! heapapi.h: walking over heaps.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::heap::{WalkEntry, WalkKind};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full HeapWalk;
    full HeapSummary;
};

/// `PROCESS_HEAP_REGION`, which is `RTL_HEAP_SEGMENT` for `RtlWalkHeap` with another value.
const PROCESS_HEAP_REGION: u16 = 1;
/// `PROCESS_HEAP_ENTRY_BUSY`.
pub(crate) const PROCESS_HEAP_ENTRY_BUSY: u16 = 4;

/// `PROCESS_HEAP_ENTRY`.
#[derive(GuestStruct, Clone, Copy, Debug, Default)]
pub(crate) struct ProcessHeapEntry {
    pub(crate) data: GuestWord,
    pub(crate) size: u32,
    pub(crate) overhead: u8,
    pub(crate) region: u8,
    pub(crate) flags: u16,
    pub(crate) committed: u32,
    pub(crate) uncommitted: u32,
    pub(crate) first: GuestWord,
    pub(crate) last: GuestWord,
}

impl ProcessHeapEntry {
    fn of(entry: WalkEntry) -> Self {
        let size = u32::try_from(entry.size).unwrap_or(u32::MAX);
        let mut made = Self {
            data: GuestWord(entry.address),
            size,
            overhead: u8::try_from(entry.overhead).unwrap_or(u8::MAX),
            region: entry.span as u8,
            ..Self::default()
        };
        match entry.kind {
            WalkKind::Busy => made.flags = PROCESS_HEAP_ENTRY_BUSY,
            WalkKind::Free => {}
            WalkKind::Region { first, end } => {
                (made.flags, made.committed) = (PROCESS_HEAP_REGION, size);
                (made.first, made.last) = (GuestWord(first), GuestWord(end));
            }
        }
        made
    }
}

/// Returns the entry of a walk that follows another; a null `after` begins the walk.
///
/// # Errors
/// `ERROR_INVALID_HANDLE` where there is no such heap, `ERROR_INVALID_PARAMETER` for a place that is not in the heap,
/// `ERROR_NO_MORE_ITEMS` at the end.
pub(crate) fn next(guest: &Guest, heap: u64, after: u64, is_region: bool) -> Result<WalkEntry, Win32Error> {
    let after = (after != 0).then_some((after, is_region));
    let next = guest.process().heaps.walk(heap, after).ok_or(Win32Error::INVALID_HANDLE)?;
    next.map_err(|_| Win32Error::INVALID_PARAMETER)?.ok_or(Win32Error::NO_MORE_ITEMS)
}

/// Finds the next region or block of a heap.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapwalk>
#[winapi]
pub fn HeapWalk(guest: &mut Guest, hHeap: GuestWord, lpEntry: GuestWord) -> Result<Bool, Win32Error> {
    if lpEntry.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let before: ProcessHeapEntry = guest.read(lpEntry.get())?;
    let is_region = before.flags & PROCESS_HEAP_REGION != 0;
    let entry = next(guest, hHeap.get(), before.data.get(), is_region)?;
    guest.write(lpEntry.get(), &ProcessHeapEntry::of(entry))?;
    Ok(TRUE)
}

/// `HEAP_SUMMARY`.
#[derive(GuestStruct, Default)]
struct HeapSummaryRecord {
    size: u32,
    allocated: GuestWord,
    committed: GuestWord,
    reserved: GuestWord,
    reserve_max: GuestWord,
}

/// Tells how much a heap holds. What is free in a heap's pages counts as committed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapsummary>
#[winapi]
pub fn HeapSummary(
    guest: &mut Guest,
    hHeap: GuestWord,
    dwFlags: u32,
    lpSummary: GuestWord,
) -> Result<Bool, Win32Error> {
    if dwFlags != 0 || lpSummary.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (statistics, used, most) =
        guest.process().heaps.summary(hHeap.get()).ok_or(Win32Error::INVALID_HANDLE)?;
    let size = guest.read_u32(lpSummary.get())?;
    let reserved = GuestWord(statistics.reserved);
    let record = HeapSummaryRecord {
        size,
        allocated: GuestWord(used),
        committed: reserved,
        reserved,
        reserve_max: GuestWord(if most == 0 { statistics.reserved } else { most }),
    };
    guest.write(lpSummary.get(), &record)?;
    Ok(TRUE)
}
