//! The heap behind `RtlAllocateHeap`: blocks in guest address space, all bookkeeping on the host's side.
//!
//! Small sizes come from slabs of one size class each (`classes`), large ones straight from the [`PageSource`].
//! A pointer is looked up by its 64 KiB chunk (`directory`), so every operation takes constant time, and a guest
//! that overruns a block can hurt its own data only, never the heap.
//!
//! The slabs of small classes can begin with marks (`marks`), a byte for each place where a block may begin. Guest code
//! reads and writes them, so that most allocations of a thread need nothing of the host's.

mod classes;
mod directory;
mod marks;
mod walk;

use classes::Classes;
use directory::Directory;
pub use marks::{FREE_MARK, MARKED_SIZE_MAX, MarkedClass};
pub use walk::{WalkEntry, WalkKind};

/// Chunk size of the directory, and the alignment that a [`PageSource`] must give (Windows' allocation granularity).
pub const CHUNK_SIZE: u64 = 64 * 1024;
const PAGE_SIZE: u64 = 4096;
/// Marks a slot as free; the rest of the word is the next free slot.
const FREE: u32 = 1 << 31;
/// Ends the list of free slots, and the lists of slabs.
const NONE: u32 = FREE - 1;
/// The class of a span that is one large block.
const LARGE: u8 = u8::MAX;
/// Bytes before a large block. Windows' heap keeps its own data there; programs that look at the bytes before a block of
/// theirs, as Doxygen's scanner does, find something readable.
const LARGE_HEADER: u32 = 64;

/// Where a heap gets its pages from: committed, zero-filled, readable and writable.
pub trait PageSource {
    /// Returns the base, a multiple of [`CHUNK_SIZE`], of `size` new bytes; `size` is a multiple of 4 KiB.
    fn allocate(&mut self, size: u64) -> Option<u64>;
    /// Takes back exactly what `allocate` gave (or `extend` made of it).
    fn free(&mut self, base: u64, size: u64);
    /// Grows an allocation in place from `old_size` to `new_size` bytes; false when that is not possible.
    fn extend(&mut self, _base: u64, _old_size: u64, _new_size: u64) -> bool {
        false
    }
    /// Reads a mark, which guest code writes as well.
    fn mark(&self, _address: u64) -> u8 {
        FREE_MARK
    }
    /// Writes a mark.
    fn set_mark(&mut self, _address: u64, _mark: u8) {}
    /// Hears of the chunk at `base`: it is a slab with marks of this class now, or none any more.
    fn announce(&mut self, _base: u64, _class: Option<u8>) {}
    /// Says whether slabs at `base` may have marks.
    fn can_mark(&self, _base: u64) -> bool {
        false
    }
}

/// Why a heap operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeapError {
    /// The page source is exhausted.
    #[error("out of memory: no room for a block of {size} bytes")]
    OutOfMemory {
        /// The size wanted, in bytes.
        size: u64,
    },
    /// The address is not the start of a block of this heap.
    #[error("{address:#x} is not a block of this heap")]
    InvalidPointer {
        /// The address given.
        address: u64,
    },
    /// The block was freed before.
    #[error("the block at {address:#x} is already free")]
    AlreadyFree {
        /// The address given.
        address: u64,
    },
}

/// The granularity of block sizes and addresses, by the guest's bitness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// 8 bytes: 32-bit guests.
    Eight,
    /// 16 bytes: 64-bit guests.
    Sixteen,
}

/// How much a heap holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapStatistics {
    /// Bytes obtained from the page source.
    pub reserved: u64,
    /// Blocks in use.
    pub blocks: u64,
}

/// A slab of equal slots, or one large block.
#[derive(Debug, Default)]
struct Span {
    base: u64,
    /// Bytes obtained from the page source; 0 when this entry is unused.
    size: u64,
    /// The requested size of a large block.
    requested: u64,
    class: u8,
    /// Bytes before the first slot: the marks, or nothing; before a large block.
    header: u32,
    slots: u32,
    used: u32,
    free_head: u32,
    /// Neighbours in the class's list of slabs with free slots.
    previous: u32,
    next: u32,
    /// Per slot, as far as slots were ever used: the requested size, or [`FREE`] and the next free slot.
    states: Vec<u32>,
}

/// A heap over a [`PageSource`].
#[derive(Debug)]
pub struct Heap<P: PageSource> {
    pages: P,
    classes: Classes,
    /// Per class: the first slab that has a free slot.
    partial: Vec<u32>,
    spans: Vec<Span>,
    unused_spans: Vec<u32>,
    directory: Directory,
    statistics: HeapStatistics,
}

impl Span {
    /// Returns where the first slot begins.
    #[inline]
    fn first(&self) -> u64 {
        self.base + u64::from(self.header)
    }

    /// Says whether what lies before the first slot are marks of the slots.
    fn has_marks(&self) -> bool {
        self.header != 0 && self.class != LARGE
    }
}

impl<P: PageSource> Heap<P> {
    /// Makes an empty heap; it takes its first pages with the first block.
    pub fn new(pages: P, granularity: Granularity) -> Self {
        let classes = Classes::new(match granularity {
            Granularity::Eight => 8,
            Granularity::Sixteen => 16,
        });
        Self {
            pages,
            partial: vec![NONE; classes.len()],
            classes,
            spans: Vec::new(),
            unused_spans: Vec::new(),
            directory: Directory::default(),
            statistics: HeapStatistics::default(),
        }
    }

    /// Returns the address of a new block of `size` bytes (0 is allowed). Its contents are whatever was there.
    ///
    /// # Errors
    /// [`HeapError::OutOfMemory`].
    pub fn allocate(&mut self, size: u64) -> Result<u64, HeapError> {
        let Some(class) = self.classes.class_for(size) else { return self.allocate_large(size) };
        let (index, slot) = self.take_slot(class, size)?;
        let span = &self.spans[index as usize];
        let address = span.first() + u64::from(slot) * self.classes.size(class);
        if span.has_marks() {
            self.write_size(address, self.classes.size(class), size);
        }
        Ok(address)
    }

    /// Takes a slot of a slab; returns slab and slot.
    fn take_slot(&mut self, class: usize, size: u64) -> Result<(u32, u32), HeapError> {
        let mut index = self.partial[class];
        if index == NONE {
            index = self.add_slab(class, size)?;
        }
        let span = &mut self.spans[index as usize];
        let slot = span.free_head;
        if slot != NONE {
            span.free_head = span.states[slot as usize] & !FREE;
            span.states[slot as usize] = size as u32;
        } else {
            span.states.push(size as u32);
        }
        let slot = if slot == NONE { span.states.len() as u32 - 1 } else { slot };
        span.used += 1;
        if span.used == span.slots {
            self.unlink(index);
        }
        self.statistics.blocks += 1;
        Ok((index, slot))
    }

    /// Frees a block.
    ///
    /// # Errors
    /// [`HeapError::InvalidPointer`], [`HeapError::AlreadyFree`]; the heap is unchanged then.
    pub fn free(&mut self, address: u64) -> Result<(), HeapError> {
        let (index, slot) = self.locate(address)?;
        self.check_mark(index, address)?;
        if self.spans[index as usize].has_marks() {
            self.pages.set_mark(self.mark_of(address), FREE_MARK);
        }
        self.put_back(index, slot);
        Ok(())
    }

    /// Frees the block in a slot, whose mark says so already.
    fn put_back(&mut self, index: u32, slot: u32) {
        self.statistics.blocks -= 1;
        let span = &mut self.spans[index as usize];
        if span.class == LARGE {
            self.release(index);
            return;
        }
        span.states[slot as usize] = FREE | span.free_head;
        span.free_head = slot;
        span.used -= 1;
        if span.used + 1 == span.slots {
            self.link(index);
        }
        let span = &self.spans[index as usize];
        // One empty slab stays per class, so that a program on the edge does not take and return pages all the time.
        if span.used == 0 && (span.next != NONE || span.previous != NONE) {
            self.unlink(index);
            self.release(index);
        }
    }

    /// Returns the size that was asked for, in bytes: `HeapSize`.
    ///
    /// # Errors
    /// [`HeapError::InvalidPointer`], [`HeapError::AlreadyFree`].
    pub fn size(&self, address: u64) -> Result<u64, HeapError> {
        let (index, slot) = self.locate(address)?;
        self.check_mark(index, address)?;
        Ok(self.size_in(index, slot, address))
    }

    /// Changes a block's size without moving it; false when that is not possible (or would waste most of the block).
    ///
    /// # Errors
    /// [`HeapError::InvalidPointer`], [`HeapError::AlreadyFree`].
    pub fn resize_in_place(&mut self, address: u64, size: u64) -> Result<bool, HeapError> {
        self.resize(address, size, false)
    }

    /// Changes a block's size, in place whatever the waste when `in_place_only` is set; else it may move.
    ///
    /// `copy(from, to, bytes)` moves the contents before the old block is freed. Returns the address.
    ///
    /// # Errors
    /// As [`Heap::free`], and [`HeapError::OutOfMemory`]; the old block is unchanged then.
    pub fn reallocate(
        &mut self,
        address: u64,
        size: u64,
        in_place_only: bool,
        copy: impl FnOnce(u64, u64, u64),
    ) -> Result<u64, HeapError> {
        let old_size = self.size(address)?;
        if self.resize(address, size, in_place_only)? {
            return Ok(address);
        }
        if in_place_only {
            return Err(HeapError::OutOfMemory { size });
        }
        let new = match self.allocate(size) {
            Ok(new) => new,
            // A block that is to shrink can always stay where it is.
            Err(_) if self.resize(address, size, true)? => return Ok(address),
            Err(error) => return Err(error),
        };
        copy(address, new, old_size.min(size));
        self.free(address)?;
        Ok(new)
    }

    /// Returns the page source.
    pub fn pages(&self) -> &P {
        &self.pages
    }

    /// Returns how much the heap holds.
    pub fn statistics(&self) -> HeapStatistics {
        self.statistics
    }

    /// Returns every page, and the page source.
    pub fn destroy(mut self) -> P {
        for span in self.spans.iter().filter(|span| span.size != 0) {
            self.pages.free(span.base, span.size);
        }
        self.pages
    }

    /// Returns span and slot of the block in use at `address`.
    #[inline]
    fn locate(&self, address: u64) -> Result<(u32, u32), HeapError> {
        let invalid = HeapError::InvalidPointer { address };
        let index = self.directory.get(address).ok_or(invalid)?;
        let span = &self.spans[index as usize];
        if span.class == LARGE {
            return if address == span.first() { Ok((index, 0)) } else { Err(invalid) };
        }
        let offset = address.checked_sub(span.first()).ok_or(invalid)?;
        let slot = self.classes.slot(span.class as usize, offset).ok_or(invalid)?;
        match span.states.get(slot as usize) {
            Some(state) if state & FREE == 0 => Ok((index, slot)),
            Some(_) => Err(HeapError::AlreadyFree { address }),
            None => Err(invalid),
        }
    }

    fn resize(&mut self, address: u64, size: u64, accept_waste: bool) -> Result<bool, HeapError> {
        let (index, slot) = self.locate(address)?;
        self.check_mark(index, address)?;
        let span = &mut self.spans[index as usize];
        if span.class != LARGE {
            let capacity = self.classes.size(span.class as usize);
            let fits = size <= capacity && (accept_waste || size >= capacity / 4);
            if fits {
                span.states[slot as usize] = size as u32;
                if span.has_marks() {
                    self.write_size(address, capacity, size);
                }
            }
            return Ok(fits);
        }
        let header = u64::from(span.header);
        if size > span.size - header {
            let whole = size.checked_add(header).and_then(|size| size.checked_next_multiple_of(PAGE_SIZE));
            let Some(new_size) = whole else { return Ok(false) };
            if !self.pages.extend(span.base, span.size, new_size) {
                return Ok(false);
            }
            self.statistics.reserved += new_size - span.size;
            span.size = new_size;
        } else if size < span.size / 2 && !accept_waste {
            return Ok(false);
        }
        span.requested = size;
        Ok(true)
    }

    fn allocate_large(&mut self, size: u64) -> Result<u64, HeapError> {
        let error = HeapError::OutOfMemory { size };
        let with_header = size.checked_add(LARGE_HEADER.into()).ok_or(error)?;
        // A header must not cost a chunk of address space.
        let has_room = size.div_ceil(CHUNK_SIZE) == with_header.div_ceil(CHUNK_SIZE);
        let header = if has_room { LARGE_HEADER } else { 0 };
        let whole = size.checked_add(header.into()).ok_or(error)?;
        let rounded = whole.checked_next_multiple_of(PAGE_SIZE).ok_or(error)?;
        let index = self.add_span(rounded, size)?;
        let span = &mut self.spans[index as usize];
        (span.class, span.requested, span.header) = (LARGE, size, header);
        let (base, block) = (span.base, span.first());
        self.directory.set(base, CHUNK_SIZE, index);
        self.statistics.blocks += 1;
        Ok(block)
    }

    /// Takes pages for a new slab of `class`; `size` is for the error message.
    fn add_slab(&mut self, class: usize, size: u64) -> Result<u32, HeapError> {
        let slab_size = self.classes.slab_size(class);
        let index = self.add_span(slab_size, size)?;
        let span = &mut self.spans[index as usize];
        span.class = class as u8;
        span.slots = (slab_size / self.classes.size(class)) as u32;
        self.directory.set(span.base, slab_size, index);
        self.begin_marks(index);
        self.link(index);
        Ok(index)
    }

    fn add_span(&mut self, span_size: u64, size: u64) -> Result<u32, HeapError> {
        let error = HeapError::OutOfMemory { size };
        let base = self.pages.allocate(span_size).ok_or(error)?;
        if base % CHUNK_SIZE != 0 || base == 0 {
            self.pages.free(base, span_size);
            return Err(error);
        }
        let index = self.unused_spans.pop().unwrap_or_else(|| {
            self.spans.push(Span::default());
            self.spans.len() as u32 - 1
        });
        let empty =
            Span { base, size: span_size, free_head: NONE, previous: NONE, next: NONE, ..Span::default() };
        self.spans[index as usize] = empty;
        self.statistics.reserved += span_size;
        Ok(index)
    }

    fn release(&mut self, index: u32) {
        let span = std::mem::take(&mut self.spans[index as usize]);
        let known = if span.class == LARGE { CHUNK_SIZE } else { span.size };
        self.directory.clear(span.base, known);
        if span.has_marks() {
            self.pages.announce(span.base, None);
        }
        self.statistics.reserved -= span.size;
        self.pages.free(span.base, span.size);
        self.unused_spans.push(index);
    }

    /// Puts a slab at the head of its class's list.
    fn link(&mut self, index: u32) {
        let class = self.spans[index as usize].class as usize;
        let head = std::mem::replace(&mut self.partial[class], index);
        let span = &mut self.spans[index as usize];
        (span.previous, span.next) = (NONE, head);
        if head != NONE {
            self.spans[head as usize].previous = index;
        }
    }

    /// Takes a slab out of its class's list.
    fn unlink(&mut self, index: u32) {
        let span = &mut self.spans[index as usize];
        let (class, previous, next) = (span.class as usize, span.previous, span.next);
        (span.previous, span.next) = (NONE, NONE);
        if previous == NONE {
            self.partial[class] = next;
        } else {
            self.spans[previous as usize].next = next;
        }
        if next != NONE {
            self.spans[next as usize].previous = previous;
        }
    }
}

#[cfg(test)]
mod tests;
