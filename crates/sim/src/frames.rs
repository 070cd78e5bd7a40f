//! Physical memory: [`Frames`], each page frame with its use, its references and its bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use plat_regions::PAGE_SIZE;
use serde::{Deserialize, Serialize};

/// The number of a physical page frame: its physical address divided by 4096.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrameId(pub u32);

/// The bytes of one page.
pub type PageBytes = [u8; PAGE_SIZE as usize];

/// The number of a file or of a piece of shared memory that the page cache knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectId(pub u32);

/// What a frame is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameUse {
    /// The one page of zeroes that all first reads share.
    Zero,
    /// A page of one process, or shared by its children until someone writes.
    Anonymous,
    /// A page of a file or of shared memory, held by the page cache.
    Cached {
        /// Which file.
        object: ObjectId,
        /// Which page of it, from 0.
        page: u64,
    },
    /// A page table.
    Table {
        /// 1 for the table that points at pages, up to 4.
        level: u8,
    },
}

/// A frame in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is used for.
    pub purpose: FrameUse,
    /// How many page-table entries point at it as a page.
    pub maps: u32,
    /// How many other owners hold it: the page cache, the zero page's own, a page table's parent.
    pub pins: u32,
    /// Its bytes; `None` is all zeroes.
    pub bytes: Option<Arc<PageBytes>>,
    /// Whether a cached page was written since it was read.
    pub dirty: bool,
}

/// All physical memory.
#[derive(Clone, Debug)]
pub struct Frames {
    frames: Vec<Option<Frame>>,
    free: BTreeSet<u32>,
    limit: u32,
    peak: u32,
}

/// The frame of zeroes, which exists from the start.
pub const ZERO_FRAME: FrameId = FrameId(0);

impl Frames {
    /// Makes a memory of `limit` frames, at least 2, of which the first is the page of zeroes.
    pub fn new(limit: u32) -> Self {
        let zero = Frame { purpose: FrameUse::Zero, maps: 0, pins: 1, bytes: None, dirty: false };
        Self { frames: vec![Some(zero)], free: BTreeSet::new(), limit: limit.max(2), peak: 1 }
    }

    /// Takes the free frame of the lowest number, zeroed; `None` when memory is full.
    pub fn allocate(&mut self, purpose: FrameUse) -> Option<FrameId> {
        let pins = u32::from(!matches!(purpose, FrameUse::Anonymous));
        let frame = Frame { purpose, maps: 0, pins, bytes: None, dirty: false };
        let id = match self.free.pop_first() {
            Some(id) => {
                *self.frames.get_mut(id as usize)? = Some(frame);
                id
            }
            None => {
                let id = u32::try_from(self.frames.len()).ok().filter(|id| *id < self.limit)?;
                self.frames.push(Some(frame));
                id
            }
        };
        self.peak = self.peak.max(self.in_use());
        Some(FrameId(id))
    }

    /// Returns a frame in use.
    pub fn get(&self, id: FrameId) -> Option<&Frame> {
        self.frames.get(id.0 as usize)?.as_ref()
    }

    /// Returns a frame in use, to change it.
    pub fn get_mut(&mut self, id: FrameId) -> Option<&mut Frame> {
        self.frames.get_mut(id.0 as usize)?.as_mut()
    }

    /// Counts one more page-table entry.
    pub fn add_map(&mut self, id: FrameId) {
        if let Some(frame) = self.get_mut(id) {
            frame.maps += 1;
        }
    }

    /// Counts one page-table entry less; true when nobody holds the frame any more and it became free.
    pub fn drop_map(&mut self, id: FrameId) -> bool {
        if let Some(frame) = self.get_mut(id) {
            debug_assert!(frame.maps > 0, "frame {} has no map to drop", id.0);
            frame.maps = frame.maps.saturating_sub(1);
        }
        self.free_if_unused(id)
    }

    /// Counts one other owner less; true when the frame became free.
    pub fn unpin(&mut self, id: FrameId) -> bool {
        if let Some(frame) = self.get_mut(id) {
            frame.pins = frame.pins.saturating_sub(1);
        }
        self.free_if_unused(id)
    }

    fn free_if_unused(&mut self, id: FrameId) -> bool {
        let unused = self.get(id).is_some_and(|frame| frame.maps == 0 && frame.pins == 0);
        if unused {
            self.frames[id.0 as usize] = None;
            self.free.insert(id.0);
        }
        unused
    }

    /// Reads one byte; zero where nothing was written or the frame is free.
    pub fn byte(&self, id: FrameId, offset: u16) -> u8 {
        let bytes = self.get(id).and_then(|frame| frame.bytes.as_ref());
        bytes.and_then(|bytes| bytes.get(usize::from(offset))).copied().unwrap_or(0)
    }

    /// Writes bytes from `offset` on; those past the end of the page are dropped.
    pub fn write(&mut self, id: FrameId, offset: u16, data: &[u8]) {
        let Some(frame) = self.get_mut(id) else { return };
        let bytes = frame.bytes.get_or_insert_with(|| Arc::new([0; PAGE_SIZE as usize]));
        let bytes = Arc::make_mut(bytes);
        for (place, value) in bytes.iter_mut().skip(usize::from(offset)).zip(data) {
            *place = *value;
        }
    }

    /// Iterates over the frames in use, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (FrameId, &Frame)> {
        let numbered = (0u32..).zip(&self.frames);
        numbered.filter_map(|(id, frame)| Some((FrameId(id), frame.as_ref()?)))
    }

    /// Returns how many frames are in use.
    pub fn in_use(&self) -> u32 {
        self.frames.len() as u32 - self.free.len() as u32
    }

    /// Returns the most frames that were ever in use at once.
    pub fn peak(&self) -> u32 {
        self.peak
    }

    /// Returns how many frames the machine has.
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_free_when_nobody_holds_it() {
        let mut frames = Frames::new(3);
        let id = frames.allocate(FrameUse::Anonymous).expect("one of two");
        frames.add_map(id);
        frames.add_map(id);
        assert!(!frames.drop_map(id));
        assert!(frames.drop_map(id));
        assert_eq!(frames.in_use(), 1, "the page of zeroes stays");
    }

    #[test]
    fn memory_has_an_end() {
        let mut frames = Frames::new(2);
        assert!(frames.allocate(FrameUse::Anonymous).is_some());
        assert!(frames.allocate(FrameUse::Anonymous).is_none());
    }

    #[test]
    fn bytes_past_the_page_are_dropped() {
        let mut frames = Frames::new(2);
        let id = frames.allocate(FrameUse::Anonymous).expect("free");
        frames.write(id, 4095, &[7, 8]);
        assert_eq!((frames.byte(id, 4095), frames.byte(id, 0)), (7, 0));
    }
}
