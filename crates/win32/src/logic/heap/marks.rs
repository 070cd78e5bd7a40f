//! Slabs that guest code can use: the marks at their start, and blocks that wait in a thread's cache.
//!
//! A mark is a byte for each multiple of the granularity in the slab's chunk. Where a block in use begins, it is one more
//! than the bytes of the block that were not asked for; everywhere else it is [`FREE_MARK`]. A block in a thread's cache
//! is in use for the heap, and its mark says free: nobody can free it twice, or ask for its size.

use super::{CHUNK_SIZE, FREE, Heap, HeapError, LARGE, PageSource};

/// The mark of a place where no block in use begins.
pub const FREE_MARK: u8 = 0;
/// The mark of a block whose size only the heap knows: it was shrunk in place.
const SIZE_ELSEWHERE: u8 = 0xff;
/// The largest block in a slab with marks, in bytes.
pub const MARKED_SIZE_MAX: u64 = 1024;

/// A size class whose slabs have marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkedClass {
    /// The size of its blocks in bytes.
    pub size: u64,
    /// The size of the next smaller class; its blocks serve larger requests than that.
    pub above: u64,
}

impl<P: PageSource> Heap<P> {
    /// Lists the classes whose slabs have marks, ascending.
    pub fn marked_classes(&self) -> Vec<MarkedClass> {
        let sizes = (0..self.classes.len()).map(|class| self.classes.size(class));
        let mut above = 0;
        let classes = sizes.take_while(|&size| size <= MARKED_SIZE_MAX).map(|size| {
            let class = MarkedClass { size, above };
            above = size;
            class
        });
        classes.collect()
    }

    /// Takes blocks of a marked class for a thread's cache, as many as `blocks` has room for if there are so many;
    /// returns how many.
    pub fn take_for_cache(&mut self, class: MarkedClass, blocks: &mut [u64]) -> usize {
        let Some(size_class) = self.classes.class_for(class.size) else { return 0 };
        for (taken, block) in blocks.iter_mut().enumerate() {
            // The mark of what is free says so already.
            let Ok((index, slot)) = self.take_slot(size_class, class.size) else { return taken };
            if !self.spans[index as usize].has_marks() {
                // No room where marks may be: nothing of it can be cached.
                self.put_back(index, slot);
                return taken;
            }
            *block = self.spans[index as usize].first() + u64::from(slot) * class.size;
        }
        blocks.len()
    }

    /// Takes a block back out of a thread's cache; says whether it was one.
    pub fn return_from_cache(&mut self, address: u64) -> bool {
        let Ok((index, slot)) = self.locate(address) else { return false };
        let span = &self.spans[index as usize];
        if !span.has_marks() || self.pages.mark(self.mark_of(address)) != FREE_MARK {
            return false;
        }
        self.put_back(index, slot);
        true
    }

    /// Makes room for marks in a new slab, if its class and place have them.
    pub(super) fn begin_marks(&mut self, index: u32) {
        let granularity = self.classes.granularity();
        let span = &mut self.spans[index as usize];
        let size = self.classes.size(span.class.into());
        if span.size != CHUNK_SIZE || size > MARKED_SIZE_MAX || !self.pages.can_mark(span.base) {
            return;
        }
        let count = CHUNK_SIZE / granularity;
        span.header = count as u32;
        span.slots = ((CHUNK_SIZE - count) / size) as u32;
        // New pages are zero, and so is the mark of what is free.
        self.pages.announce(span.base, Some(span.class));
    }

    /// Returns where the mark of a block lies.
    pub(super) fn mark_of(&self, address: u64) -> u64 {
        let offset = address % CHUNK_SIZE;
        address - offset + offset / self.classes.granularity()
    }

    /// Refuses a block whose mark says free.
    pub(super) fn check_mark(&self, index: u32, address: u64) -> Result<(), HeapError> {
        let span = &self.spans[index as usize];
        let is_free = span.has_marks() && self.pages.mark(self.mark_of(address)) == FREE_MARK;
        if is_free { Err(HeapError::AlreadyFree { address }) } else { Ok(()) }
    }

    /// Notes the size of a block in use.
    pub(super) fn write_size(&mut self, address: u64, capacity: u64, size: u64) {
        let mark = u8::try_from(capacity - size + 1).unwrap_or(SIZE_ELSEWHERE);
        self.pages.set_mark(self.mark_of(address), mark);
    }

    /// Returns the size that was asked for of a block in use.
    pub(super) fn size_in(&self, index: u32, slot: u32, address: u64) -> u64 {
        let span = &self.spans[index as usize];
        if span.class == LARGE {
            return span.requested;
        }
        let state = u64::from(span.states[slot as usize] & !FREE);
        if !span.has_marks() {
            return state;
        }
        match self.pages.mark(self.mark_of(address)) {
            SIZE_ELSEWHERE => state,
            mark => (self.classes.size(span.class.into()) + 1).saturating_sub(mark.into()),
        }
    }
}
