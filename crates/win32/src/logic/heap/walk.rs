//! Walking over a heap: its spans one after the other, in each the blocks in use and the free ones. Key type: [`WalkEntry`].
//!
//! A walk keeps nothing but the address that it saw last, which is all that `HeapWalk` has between two calls.

use super::{FREE, Heap, HeapError, LARGE, PageSource};

/// What a walk finds at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkKind {
    /// A range of pages of the heap, before the blocks in it.
    Region {
        /// Where its first block begins.
        first: u64,
        /// Where its last block ends.
        end: u64,
    },
    /// A block in use.
    Busy,
    /// Bytes that are free.
    Free,
}

/// One entry of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkEntry {
    /// Where it begins.
    pub address: u64,
    /// Its size in bytes: what was asked for, where it is a block in use.
    pub size: u64,
    /// Bytes that it takes beyond its size.
    pub overhead: u64,
    /// The number of the span that it lies in.
    pub span: u32,
    /// What it is.
    pub kind: WalkKind,
}

impl<P: PageSource> Heap<P> {
    /// Returns what follows a region or block of a walk, or the walk's first entry; `None` at the end.
    ///
    /// # Errors
    /// [`HeapError::InvalidPointer`] when `after` is no place of this heap.
    pub fn walk(&self, after: Option<(u64, bool)>) -> Result<Option<WalkEntry>, HeapError> {
        let Some((address, is_region)) = after else { return Ok(self.region_from(0)) };
        let invalid = HeapError::InvalidPointer { address };
        let index = self.directory.get(address).ok_or(invalid)?;
        let span = &self.spans[index as usize];
        let slot = if is_region {
            (address == span.base).then_some(0).ok_or(invalid)?
        } else if span.class == LARGE {
            1
        } else {
            let offset = address.checked_sub(span.first()).ok_or(invalid)?;
            self.classes.slot(span.class.into(), offset).ok_or(invalid)? + 1
        };
        Ok(self.slot_from(index, slot).or_else(|| self.region_from(index as usize + 1)))
    }

    /// Returns the region of the first span in use from an index on.
    fn region_from(&self, index: usize) -> Option<WalkEntry> {
        let (at, span) = self.spans.iter().enumerate().skip(index).find(|(_, span)| span.size != 0)?;
        let (first, end) = (span.first(), span.base + span.size);
        let kind = WalkKind::Region { first, end };
        Some(WalkEntry { address: span.base, size: span.size, overhead: 0, span: at as u32, kind })
    }

    /// Returns the block at a slot, or what was never given out behind the last of them.
    fn slot_from(&self, index: u32, slot: u32) -> Option<WalkEntry> {
        let span = &self.spans[index as usize];
        if span.class == LARGE {
            let overhead = span.size.saturating_sub(span.requested + u64::from(span.header));
            let block = WalkEntry {
                address: span.first(),
                size: span.requested,
                overhead,
                span: index,
                kind: WalkKind::Busy,
            };
            return (slot == 0).then_some(block);
        }
        let capacity = self.classes.size(span.class.into());
        let address = span.first() + u64::from(slot) * capacity;
        let free = WalkEntry { address, size: capacity, overhead: 0, span: index, kind: WalkKind::Free };
        match span.states.get(slot as usize) {
            Some(state) if state & FREE != 0 || self.check_mark(index, address).is_err() => Some(free),
            Some(_) => {
                let size = self.size_in(index, slot, address);
                Some(WalkEntry { size, overhead: capacity - size, kind: WalkKind::Busy, ..free })
            }
            None if slot as usize == span.states.len() && slot < span.slots => {
                Some(WalkEntry { size: span.base + span.size - address, ..free })
            }
            None => None,
        }
    }
}
