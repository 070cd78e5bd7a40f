//! Released ranges that keep a mapping of their own, so that the next use costs no change of the kernel's maps.
//!
//! To unmap and to map take 2 to 3 µs each; to change the rights of a mapping that touches none like it takes 0.6 µs, since
//! the kernel then neither splits nor joins. So a range that was released once gets a mapping that differs from its
//! neighbours in an advice; released again it only loses its rights and its contents, and gets its rights back when it is
//! allocated again. To the kernel's maps a closed range is reservation like all else. A range that is used in any
//! other way is forgotten here, which needs no change.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plat_regions::{Address, AddressRange};
use rustix::mm::{Advice, MprotectFlags};

/// Larger ranges are not kept: the kernel may give them huge pages when they join their neighbours.
const SIZE_BYTES_MAX: u64 = 0x10_0000;

/// More are not kept: a process may have 65,530 mappings.
const RANGES_MAX: usize = 1024;

/// What mappings differ in: advice that means little for small ranges of anonymous memory.
const MARKS: [Advice; 3] = [Advice::Random, Advice::Sequential, Advice::LinuxNoHugepage];

/// The mappings that are kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    ranges: Mutex<BTreeMap<Address, Mapping>>,
}

#[derive(Clone, Copy, Debug)]
struct Mapping {
    end: Address,
    /// Its place in [`MARKS`].
    mark: usize,
    /// Whether it is released now; else it is readable and writable.
    is_closed: bool,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Address, Mapping>> {
        self.ranges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Releases a range that is readable and writable and has a mapping of its own; says whether it was and could.
    pub(super) fn close(&self, range: AddressRange) -> bool {
        let mut ranges = self.lock();
        let Some(mapping) = ranges.get_mut(&range.start) else { return false };
        if mapping.end != range.end || mapping.is_closed {
            return false;
        }
        // First the rights: what another thread still writes may not outlive the contents.
        mapping.is_closed = true;
        let is_done = protect(range, MprotectFlags::empty()) && advise(range, Advice::LinuxDontNeed);
        if !is_done {
            ranges.remove(&range.start);
        }
        is_done
    }

    /// Makes a closed range readable and writable pages of zeros, if it is just one of these; says whether it was.
    pub(super) fn open(&self, range: AddressRange) -> bool {
        let mut ranges = self.lock();
        let Some(mapping) = ranges.get_mut(&range.start) else { return false };
        if mapping.end != range.end || !mapping.is_closed {
            return false;
        }
        mapping.is_closed = false;
        let is_done = protect(range, MprotectFlags::READ | MprotectFlags::WRITE);
        if !is_done {
            ranges.remove(&range.start);
        }
        is_done
    }

    /// Gives a range that was just turned into reservation a mapping of its own from now on.
    pub(super) fn keep(&self, range: AddressRange) {
        let mut ranges = self.lock();
        if range.size() > SIZE_BYTES_MAX || ranges.len() >= RANGES_MAX {
            return;
        }
        let below = ranges.range(..range.start).next_back().filter(|(_, held)| held.end == range.start);
        let taken = [below.map(|(_, held)| held.mark), ranges.get(&range.end).map(|held| held.mark)];
        let free = (0..MARKS.len()).find(|mark| !taken.contains(&Some(*mark)));
        if let Some(mark) = free
            && advise(range, MARKS[mark])
        {
            ranges.insert(range.start, Mapping { end: range.end, mark, is_closed: true });
        }
    }

    /// Forgets the ranges that share a byte with `range`: their mapping is about to change.
    pub(super) fn forget(&self, range: AddressRange) {
        let mut ranges = self.lock();
        // Ranges do not overlap one another, so the last one below the end is the one to look at.
        while let Some((&start, mapping)) = ranges.range(..range.end).next_back()
            && mapping.end > range.start
        {
            ranges.remove(&start);
        }
    }
}

fn protect(range: AddressRange, access: MprotectFlags) -> bool {
    // SAFETY: 1. the range is in the arena, where no Rust object lives.
    unsafe { rustix::mm::mprotect(range.start.get() as *mut c_void, range.size() as usize, access) }.is_ok()
}

fn advise(range: AddressRange, advice: Advice) -> bool {
    // SAFETY: 1. the range is in the arena, where no Rust object lives; only contents of released pages are dropped.
    unsafe { rustix::mm::madvise(range.start.get() as *mut c_void, range.size() as usize, advice) }.is_ok()
}
