//! Heaps in guest memory: the process heap and those of `HeapCreate`. Key type: [`Heaps`].
//!
//! The rules are in [`crate::logic::heap`]; here are the pages, the locks and the handles. A heap's handle is an
//! address of its own, as on Windows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use plat_abi::Machine;
use plat_host::memory;
use plat_regions::windows::{AllocationType, FreeKind, PageProtection, Request};
use plat_regions::{Address, Use};

use crate::logic::heap::{Granularity, Heap, HeapError, PageSource};
use crate::process::Process;

/// Pages of the process's address space.
#[derive(Debug)]
struct Pages;

impl PageSource for Pages {
    fn allocate(&mut self, size: u64) -> Option<u64> {
        let kind = AllocationType::RESERVE | AllocationType::COMMIT;
        let request = Request::new(size, kind, PageProtection::READWRITE).purpose(Use::Heap).owner("heap");
        let range = Process::current()?.memory.allocate(&request).ok()?;
        Some(range.start.get())
    }

    fn free(&mut self, base: u64, _size: u64) {
        if let Some(process) = Process::current() {
            // A block that the books do not know was already given up by a guest's VirtualFree.
            let _ = process.memory.change(|books| books.free(Address::new(base), 0, FreeKind::Release));
        }
    }
}

/// One heap.
type Shared = Arc<Mutex<Heap<Pages>>>;

/// All heaps of the process, by handle; handle 0 stands for the process heap.
#[derive(Default)]
pub struct Heaps {
    process_heap: OnceLock<(u64, Shared)>,
    others: RwLock<HashMap<u64, Shared>>,
}

impl Heaps {
    /// Makes the process heap; returns its handle.
    pub fn start(&self) -> Option<u64> {
        if let Some((handle, _)) = self.process_heap.get() {
            return Some(*handle);
        }
        let (handle, heap) = make()?;
        self.process_heap.get_or_init(|| (handle, heap));
        Some(handle)
    }

    /// Makes a heap, as `HeapCreate`; returns its handle.
    pub fn create(&self) -> Option<u64> {
        let (handle, heap) = make()?;
        self.others.write().unwrap_or_else(PoisonError::into_inner).insert(handle, heap);
        Some(handle)
    }

    /// Destroys a heap with all its blocks; says whether it was one. The process heap stays.
    pub fn destroy(&self, handle: u64) -> bool {
        let heap = self.others.write().unwrap_or_else(PoisonError::into_inner).remove(&handle);
        let Some(heap) = heap else { return false };
        if let Some(heap) = Arc::into_inner(heap) {
            heap.into_inner().unwrap_or_else(PoisonError::into_inner).destroy();
        }
        Pages.free(handle, 0);
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
        let address = self.with(heap, |heap| heap.allocate(size).ok())??;
        if zero && memory::fill(address, 0, size).is_err() {
            return None;
        }
        Some(address)
    }

    /// Frees a block; says whether it was one.
    pub fn free(&self, heap: u64, address: u64) -> bool {
        self.with(heap, |heap| heap.free(address).is_ok()).unwrap_or(false)
    }

    /// Returns the size that was asked for, in bytes.
    pub fn size(&self, heap: u64, address: u64) -> Option<u64> {
        self.with(heap, |heap| heap.size(address).ok())?
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
        let (moved, before) = self.with(heap, |heap| {
            let before = heap.size(address).ok()?;
            let moved = heap.reallocate(address, size, in_place_only, |from, to, length| {
                // Both blocks belong to this heap; a guest that unmapped one gets a block with less in it.
                let _ = memory::copy(to, from, length);
            });
            moved.ok().map(|moved| (moved, before))
        })??;
        if zero && size > before {
            memory::fill(moved + before, 0, size - before).ok()?;
        }
        Some(moved)
    }

    /// Says whether a block, or for address 0 the whole heap, is sound.
    pub fn is_valid(&self, heap: u64, address: u64) -> bool {
        self.with(heap, |heap| {
            address == 0 || !matches!(heap.size(address), Err(HeapError::InvalidPointer { .. }))
        })
        .unwrap_or(false)
    }

    /// Runs `action` with a heap locked; `None` when there is no such heap.
    fn with<T>(&self, handle: u64, action: impl FnOnce(&mut Heap<Pages>) -> T) -> Option<T> {
        let (first, heap) = self.process_heap.get()?;
        if handle == 0 || handle == *first {
            return Some(action(&mut lock(heap)));
        }
        let heap = self.others.read().unwrap_or_else(PoisonError::into_inner).get(&handle)?.clone();
        Some(action(&mut lock(&heap)))
    }
}

fn lock(heap: &Shared) -> MutexGuard<'_, Heap<Pages>> {
    heap.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a heap with a page of its own whose address is its handle.
fn make() -> Option<(u64, Shared)> {
    let granularity = match Process::current()?.machine {
        Machine::I386 => Granularity::Eight,
        Machine::Amd64 => Granularity::Sixteen,
    };
    let mut pages = Pages;
    let handle = pages.allocate(plat_regions::PAGE_SIZE)?;
    Some((handle, Arc::new(Mutex::new(Heap::new(pages, granularity)))))
}
