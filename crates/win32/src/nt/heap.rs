//! Heaps in guest memory: the process heap and those of `HeapCreate`. Key type: [`Heaps`].
//!
//! The rules are in [`crate::logic::heap`]; here are the pages, the locks and the handles. A heap's handle is an
//! address of its own, as on Windows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use plat_abi::{Fault, Machine};
use plat_host::memory;

use super::critical_section::CriticalSection;
use super::heap_pages::{self, ChunkTable, Pages};
use crate::guest::Guest;
use crate::logic::heap::{Granularity, Heap, HeapError, HeapStatistics, MarkedClass, WalkEntry, WalkKind};
use crate::process::Process;

/// How a heap is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapOptions {
    /// How many bytes its blocks may have in all; 0 for no bound.
    pub bytes_max: u64,
    /// Raises an exception where memory is short: `HEAP_GENERATE_EXCEPTIONS`.
    pub raises: bool,
    /// Code may run in its blocks: `HEAP_CREATE_ENABLE_EXECUTE`.
    pub executes: bool,
}

impl HeapOptions {
    /// Reads the flags of `HeapCreate` and `RtlCreateHeap`.
    pub fn new(flags: u32, bytes_max: u64) -> Self {
        Self {
            bytes_max,
            raises: flags & HEAP_GENERATE_EXCEPTIONS != 0,
            executes: flags & HEAP_CREATE_ENABLE_EXECUTE != 0,
        }
    }
}

/// One heap, and how many bytes its blocks may have in all.
struct Bounded {
    heap: Heap<Pages>,
    options: HeapOptions,
    /// Bytes in use, with what Windows takes for itself per block; counted for bounded heaps.
    bytes: u64,
    /// The lock of `HeapLock` in the heap's own page was made.
    has_lock: bool,
}

/// `HEAP_GENERATE_EXCEPTIONS`.
pub(crate) const HEAP_GENERATE_EXCEPTIONS: u32 = 4;
/// `HEAP_CREATE_ENABLE_EXECUTE`.
const HEAP_CREATE_ENABLE_EXECUTE: u32 = 0x4_0000;

/// Where in a heap's own page the critical section of `HeapLock` lies.
const LOCK_OFFSET: u64 = 0x100;

/// What a block takes beside its contents, as Windows counts.
const BLOCK_OVERHEAD_BYTES: u64 = 16;

/// One heap.
type Shared = Arc<Mutex<Bounded>>;

/// A movable block: its handle leads to it.
#[derive(Clone, Copy, Debug)]
pub struct Movable {
    /// Where its contents are.
    pub address: u64,
    /// How often it was locked.
    pub locks: u8,
}

/// All heaps of the process, by handle; handle 0 stands for the process heap.
#[derive(Default)]
pub struct Heaps {
    process_heap: OnceLock<(u64, Shared)>,
    /// What guest code needs to know of the process heap: its classes with marks, and where their slabs are.
    marked: OnceLock<(Vec<MarkedClass>, ChunkTable)>,
    others: RwLock<HashMap<u64, Shared>>,
    movable: Mutex<HashMap<u64, Movable>>,
    /// A heap was locked with `HeapLock` at some time.
    ever_locked: AtomicBool,
}

impl Heaps {
    /// Makes the process heap; returns its handle.
    pub fn start(&self) -> Option<u64> {
        if let Some((handle, _)) = self.process_heap.get() {
            return Some(*handle);
        }
        let (handle, heap) = make(HeapOptions::default(), heap_pages::PROCESS_HEAP_CHUNKS, true)?;
        let bounded = lock(&heap);
        if let Some(table) = bounded.heap.pages().table() {
            self.marked.get_or_init(|| (bounded.heap.marked_classes(), table));
        }
        drop(bounded);
        self.process_heap.get_or_init(|| (handle, heap));
        Some(handle)
    }

    /// Makes a heap, as `HeapCreate`; returns its handle.
    pub fn create(&self, options: HeapOptions) -> Option<u64> {
        let (handle, heap) = make(options, heap_pages::OTHER_HEAP_CHUNKS, false)?;
        self.others.write().unwrap_or_else(PoisonError::into_inner).insert(handle, heap);
        Some(handle)
    }

    /// Destroys a heap with all its blocks; says whether it was one. The process heap stays.
    pub fn destroy(&self, handle: u64) -> bool {
        let heap = self.others.write().unwrap_or_else(PoisonError::into_inner).remove(&handle);
        let Some(heap) = heap else { return false };
        if let Some(heap) = Arc::into_inner(heap) {
            heap.into_inner().unwrap_or_else(PoisonError::into_inner).heap.destroy().release_all();
        }
        heap_pages::release(handle);
        true
    }

    /// Lists the handles of all heaps, the process heap first.
    pub fn handles(&self) -> Vec<u64> {
        let first = self.process_heap.get().map(|(handle, _)| *handle);
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        first.into_iter().chain(others.keys().copied()).collect()
    }

    /// Allocates `size` bytes, zeroed if asked; `None` when memory is short or the heap does not exist.
    pub fn allocate(&self, heap: u64, size: u64, zero: bool) -> Option<u64> {
        let address = self.with(heap, |bounded| bounded.allocate(size))??;
        if zero && memory::fill(address, 0, size).is_err() {
            return None;
        }
        Some(address)
    }

    /// Frees a block; says whether it was one.
    pub fn free(&self, heap: u64, address: u64) -> bool {
        self.with(heap, |bounded| bounded.free(address)).unwrap_or(false)
    }

    /// Returns the size that was asked for, in bytes.
    pub fn size(&self, heap: u64, address: u64) -> Option<u64> {
        self.with(heap, |bounded| bounded.heap.size(address).ok())?
    }

    /// Changes a block's size, moving it unless `in_place_only`; new bytes are zeroed if asked.
    pub fn reallocate(
        &self,
        heap: u64,
        address: u64,
        size: u64,
        zero: bool,
        in_place_only: bool,
    ) -> Option<u64> {
        let (moved, before) = self.with(heap, |bounded| {
            let before = bounded.heap.size(address).ok()?;
            bounded.has_room(size.saturating_sub(before)).then_some(())?;
            let moved = bounded.heap.reallocate(address, size, in_place_only, |from, to, length| {
                // Both blocks belong to this heap; a guest that unmapped one gets a block with less in it.
                let _ = memory::copy(to, from, length);
            });
            let moved = moved.ok()?;
            bounded.bytes = bounded.bytes.saturating_sub(before).saturating_add(size);
            Some((moved, before))
        })??;
        if zero && size > before {
            memory::fill(moved + before, 0, size - before).ok()?;
        }
        Some(moved)
    }

    /// Says whether a block, or for address 0 the whole heap, is sound.
    pub fn is_valid(&self, heap: u64, address: u64) -> bool {
        self.with(heap, |bounded| {
            address == 0 || !matches!(bounded.heap.size(address), Err(HeapError::InvalidPointer { .. }))
        })
        .unwrap_or(false)
    }

    /// Runs `action` with a heap locked; `None` when there is no such heap.
    fn with<T>(&self, handle: u64, action: impl FnOnce(&mut Bounded) -> T) -> Option<T> {
        let (first, heap) = self.process_heap.get()?;
        if handle == 0 || handle == *first {
            return Some(action(&mut lock(heap)));
        }
        let heap = self.others.read().unwrap_or_else(PoisonError::into_inner).get(&handle)?.clone();
        Some(action(&mut lock(&heap)))
    }
}

impl Bounded {
    /// Says whether `size` more bytes are within the bound.
    fn has_room(&self, size: u64) -> bool {
        self.options.bytes_max == 0 || self.bytes.saturating_add(size) <= self.options.bytes_max
    }

    fn allocate(&mut self, size: u64) -> Option<u64> {
        let taken = size.saturating_add(BLOCK_OVERHEAD_BYTES);
        self.has_room(taken).then_some(())?;
        let address = self.heap.allocate(size).ok()?;
        self.bytes = self.bytes.saturating_add(taken);
        Some(address)
    }

    fn free(&mut self, address: u64) -> bool {
        if self.options.bytes_max != 0 {
            let size = self.heap.size(address).unwrap_or(0);
            self.bytes = self.bytes.saturating_sub(size.saturating_add(BLOCK_OVERHEAD_BYTES));
        }
        self.heap.free(address).is_ok()
    }
}

/// What a program learns of a heap as a whole.
impl Heaps {
    /// Returns what follows a place of a walk; `None` when there is no such heap.
    pub fn walk(
        &self,
        heap: u64,
        after: Option<(u64, bool)>,
    ) -> Option<Result<Option<WalkEntry>, HeapError>> {
        self.with(heap, |bounded| bounded.heap.walk(after))
    }

    /// Returns how much a heap holds, in all and in its blocks, and how much it may hold (0 for no bound).
    pub fn summary(&self, heap: u64) -> Option<(HeapStatistics, u64, u64)> {
        self.with(heap, |bounded| {
            let (mut used, mut next) = (0, bounded.heap.walk(None));
            while let Ok(Some(WalkEntry { address, size, kind, .. })) = next {
                used += if kind == WalkKind::Busy { size } else { 0 };
                next = bounded.heap.walk(Some((address, matches!(kind, WalkKind::Region { .. }))));
            }
            (bounded.heap.statistics(), used, bounded.options.bytes_max)
        })
    }

    /// Says whether a heap raises an exception where memory is short.
    pub fn raises(&self, heap: u64) -> bool {
        self.with(heap, |bounded| bounded.options.raises).unwrap_or(false)
    }

    /// Returns the lock of `HeapLock`, made if need be; `None` when there is no such heap.
    fn lock_of(&self, guest: &Guest, heap: u64) -> Option<Result<CriticalSection, Fault>> {
        let handle = if heap == 0 { self.process_heap.get()?.0 } else { heap };
        let section = guest.critical_section(handle + LOCK_OFFSET);
        self.with(heap, |bounded| {
            if !std::mem::replace(&mut bounded.has_lock, true) {
                section.initialize(0)?;
                self.ever_locked.store(true, Ordering::Release);
            }
            Ok(section)
        })
    }

    /// Locks a heap for the calling thread: others wait in all that they do with it. Says whether it is one.
    ///
    /// # Errors
    /// [`Fault`] when the guest has protected the heap's own page.
    pub fn lock(&self, guest: &Guest, heap: u64) -> Result<bool, Fault> {
        let Some(section) = self.lock_of(guest, heap) else { return Ok(false) };
        section?.enter(guest.thread_id()).map(|()| true)
    }

    /// Unlocks a heap; says whether the calling thread had locked it.
    ///
    /// # Errors
    /// [`Fault`] when the guest has protected the heap's own page.
    pub fn unlock(&self, guest: &Guest, heap: u64) -> Result<bool, Fault> {
        let Some(section) = self.lock_of(guest, heap) else { return Ok(false) };
        let section = section?;
        if section.owner()? != u64::from(guest.thread_id()) {
            return Ok(false);
        }
        section.leave().map(|()| true)
    }

    /// Waits while another thread has locked a heap.
    pub fn wait_unlocked(&self, guest: &Guest, heap: u64) {
        if !self.ever_locked.load(Ordering::Acquire)
            || !self.with(heap, |bounded| bounded.has_lock).unwrap_or(false)
        {
            return;
        }
        if let Some(Ok(section)) = self.lock_of(guest, heap)
            // A section that cannot be read holds nobody back.
            && section.owner().is_ok_and(|owner| owner != 0 && owner != u64::from(guest.thread_id()))
            && section.enter(guest.thread_id()).is_ok()
        {
            let _ = section.leave();
        }
    }
}

/// What the threads' stores of blocks ([`super::thread_cache`]) ask of the process heap.
impl Heaps {
    /// Lists the classes of the process heap that have marks, ascending.
    pub(super) fn marked_classes(&self) -> &[MarkedClass] {
        self.marked.get().map_or(&[], |(classes, _)| classes)
    }

    /// Returns the table of its chunks.
    pub(super) fn chunk_table(&self) -> Option<ChunkTable> {
        self.marked.get().map(|&(_, table)| table)
    }

    /// Returns the class whose blocks lie around an address, if stores take them.
    pub(super) fn cached_class(&self, address: u64) -> Option<usize> {
        let (classes, table) = self.marked.get()?;
        table.class(address).filter(|&class| class < classes.len())
    }

    /// Takes blocks for a store, as many as `blocks` has room for if there are so many; returns how many.
    pub(super) fn take_for_cache(&self, class: MarkedClass, blocks: &mut [u64]) -> usize {
        self.with(0, |bounded| bounded.heap.take_for_cache(class, blocks)).unwrap_or_default()
    }

    /// Takes blocks back out of a store; ignores what is no such block.
    pub(super) fn return_from_cache(&self, blocks: &[u64]) {
        self.with(0, |bounded| {
            for &block in blocks {
                bounded.heap.return_from_cache(block);
            }
        });
    }

    /// Says whether a handle is the process heap's.
    pub fn is_process_heap(&self, handle: u64) -> bool {
        self.process_heap.get().is_some_and(|&(own, _)| handle == own || handle == 0)
    }
}

/// Movable memory of `GlobalAlloc` and `LocalAlloc`: a handle is a small block of its own.
impl Heaps {
    fn movable(&self) -> MutexGuard<'_, HashMap<u64, Movable>> {
        self.movable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a movable block; returns its handle.
    pub fn allocate_movable(&self, size: u64, zero: bool) -> Option<u64> {
        let handle = self.allocate(0, BLOCK_OVERHEAD_BYTES, true)?;
        let Some(address) = self.allocate(0, size, zero) else {
            self.free(0, handle);
            return None;
        };
        self.movable().insert(handle, Movable { address, locks: 0 });
        Some(handle)
    }

    /// Returns what a handle of movable memory leads to.
    pub fn find_movable(&self, handle: u64) -> Option<Movable> {
        self.movable().get(&handle).copied()
    }

    /// Returns the handle of the movable block at an address.
    pub fn handle_of(&self, address: u64) -> Option<u64> {
        self.movable().iter().find(|(_, block)| block.address == address).map(|(&handle, _)| handle)
    }

    /// Changes how often a movable block is locked, and where it is; unknown handles are ignored.
    pub fn update_movable(&self, handle: u64, block: Movable) {
        if let Some(place) = self.movable().get_mut(&handle) {
            *place = block;
        }
    }

    /// Frees a movable block by its handle; says whether it was one.
    pub fn free_movable(&self, handle: u64) -> bool {
        let Some(block) = self.movable().remove(&handle) else { return false };
        self.free(0, block.address);
        self.free(0, handle)
    }
}

fn lock(heap: &Shared) -> MutexGuard<'_, Bounded> {
    heap.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a heap with a page of its own whose address is its handle.
fn make(options: HeapOptions, segment_chunks: u32, has_marks: bool) -> Option<(u64, Shared)> {
    let machine = Process::current()?.machine;
    let granularity = match machine {
        Machine::I386 => Granularity::Eight,
        Machine::Amd64 => Granularity::Sixteen,
    };
    let handle = heap_pages::reserve_and_commit(plat_regions::PAGE_SIZE)?;
    let table = has_marks.then(|| ChunkTable::around(handle, machine)).flatten();
    let pages = Pages::new(segment_chunks).with_table(table);
    let heap = Heap::new(if options.executes { pages.executable() } else { pages }, granularity);
    Some((handle, Arc::new(Mutex::new(Bounded { heap, options, bytes: 0, has_lock: false }))))
}
