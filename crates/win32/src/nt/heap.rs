//! Heaps in guest memory: the process heap and those of `HeapCreate`. Key type: [`Heaps`].

use std::sync::Mutex;

/// All heaps of the process, by handle; handle 0 stands for the process heap.
#[derive(Default)]
pub struct Heaps {
    heaps: Mutex<Vec<u64>>,
}

impl Heaps {
    /// Allocates `size` bytes, zeroed if asked; `None` when memory is short or the heap does not exist.
    pub fn allocate(&self, heap: u64, size: u64, zero: bool) -> Option<u64> {
        let _ = (&self.heaps, heap, size, zero);
        None
    }

    /// Frees a block; says whether it was one.
    pub fn free(&self, heap: u64, address: u64) -> bool {
        let _ = (heap, address);
        false
    }

    /// Returns the size that was asked for, in bytes.
    pub fn size(&self, heap: u64, address: u64) -> Option<u64> {
        let _ = (heap, address);
        None
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
        let _ = (heap, address, size, zero, in_place_only);
        None
    }
}
