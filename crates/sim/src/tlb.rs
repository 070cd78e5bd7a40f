//! The translation cache of the one processor: [`Tlb`], fully associative, the least recently used entry goes first.

use plat_regions::{Access, Address, AddressRange, PAGE_SIZE};
use serde::{Deserialize, Serialize};

use crate::frames::FrameId;
use crate::paging::{Entry, EntryBits};

/// What the cache has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlbCounts {
    /// Translations found.
    pub hits: u64,
    /// Translations that needed a walk.
    pub misses: u64,
    /// Times that all entries (of one space, with identifiers) were dropped.
    pub flushes: u64,
    /// Single entries dropped because their page changed.
    pub invalidated: u64,
    /// Entries dropped to make room.
    pub evicted: u64,
}

#[derive(Clone, Debug)]
struct Cached {
    space: u32,
    page: u64,
    entry: Entry,
    writable: bool,
    used: u64,
}

/// A translation cache.
#[derive(Clone, Debug)]
pub struct Tlb {
    entries: Vec<Cached>,
    capacity: usize,
    with_identifiers: bool,
    current: u32,
    clock: u64,
    /// What it has counted.
    pub counts: TlbCounts,
}

impl Tlb {
    /// Makes an empty cache; with identifiers, entries of several address spaces live side by side.
    pub fn new(capacity: usize, with_identifiers: bool) -> Self {
        let entries = Vec::new();
        let counts = TlbCounts::default();
        Self { entries, capacity: capacity.max(1), with_identifiers, current: 0, clock: 0, counts }
    }

    /// Makes `space` the current one; without identifiers all entries of another are dropped. True when they were.
    pub fn switch_to(&mut self, space: u32) -> bool {
        let changed = self.current != space;
        self.current = space;
        let flushed = changed && !self.with_identifiers && !self.entries.is_empty();
        if flushed {
            self.entries.clear();
            self.counts.flushes += 1;
        }
        flushed
    }

    /// Looks an address up for an access; a stored translation that forbids it counts as a miss.
    pub fn look_up(&mut self, address: Address, access: Access) -> Option<FrameId> {
        self.clock += 1;
        let page = address.get() / PAGE_SIZE;
        let (space, clock) = (self.current, self.clock);
        let found = self.entries.iter_mut().find(|cached| cached.space == space && cached.page == page);
        let allowed = found.filter(|cached| {
            let nx = cached.entry.bits().contains(EntryBits::NX);
            (!access.contains(Access::WRITE) || cached.writable) && (!access.contains(Access::EXECUTE) || !nx)
        });
        match allowed {
            Some(cached) => {
                cached.used = clock;
                self.counts.hits += 1;
                Some(cached.entry.frame())
            }
            None => {
                self.counts.misses += 1;
                None
            }
        }
    }

    /// Iterates over what is stored: address space, page, frame; the oldest translation first.
    pub fn stored(&self) -> impl Iterator<Item = (u32, Address, FrameId)> {
        self.entries
            .iter()
            .map(|cached| (cached.space, Address::new(cached.page * PAGE_SIZE), cached.entry.frame()))
    }

    /// Stores a translation; `dirty` must be set in the entry before it may serve stores.
    pub fn fill(&mut self, address: Address, entry: Entry) {
        let page = address.get() / PAGE_SIZE;
        let space = self.current;
        self.entries.retain(|cached| cached.space != space || cached.page != page);
        if self.entries.len() >= self.capacity
            && let Some(oldest) = (0..self.entries.len()).min_by_key(|&index| self.entries[index].used)
        {
            self.entries.swap_remove(oldest);
            self.counts.evicted += 1;
        }
        // A clean page is walked again at the first store, so that the dirty bit gets set.
        let writable = entry.bits().contains(EntryBits::WRITE | EntryBits::DIRTY);
        self.entries.push(Cached { space, page, entry, writable, used: self.clock });
    }

    /// Drops the translations of `range` of one space; more than 33 pages drop the whole space, as Linux decides.
    ///
    /// Source: Linux, "The TLB", `tlb_single_page_flush_ceiling` (Documentation/arch/x86/tlb.rst).
    pub fn invalidate(&mut self, space: u32, range: AddressRange) {
        let before = self.entries.len();
        if range.size() / PAGE_SIZE > 33 {
            self.entries.retain(|cached| cached.space != space);
            self.counts.flushes += u64::from(self.entries.len() != before);
            return;
        }
        let pages = range.start.get() / PAGE_SIZE..range.end.get().div_ceil(PAGE_SIZE);
        self.entries.retain(|cached| cached.space != space || !pages.contains(&cached.page));
        self.counts.invalidated += (before - self.entries.len()) as u64;
    }

    /// Drops all translations of one space.
    pub fn flush(&mut self, space: u32) {
        let before = self.entries.len();
        self.entries.retain(|cached| cached.space != space);
        self.counts.flushes += u64::from(self.entries.len() != before);
    }

    /// Returns how many translations are stored.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Says whether no translation is stored.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bits: EntryBits) -> Entry {
        Entry::new(FrameId(5), bits | EntryBits::PRESENT | EntryBits::USER)
    }

    #[test]
    fn a_clean_page_is_walked_again_at_the_first_store() {
        let mut tlb = Tlb::new(4, false);
        let at = Address::new(0x1234);
        tlb.fill(at, entry(EntryBits::WRITE));
        assert_eq!(tlb.look_up(at, Access::READ), Some(FrameId(5)));
        assert_eq!(tlb.look_up(at, Access::WRITE), None);
        tlb.fill(at, entry(EntryBits::WRITE | EntryBits::DIRTY));
        assert_eq!(tlb.look_up(at, Access::WRITE), Some(FrameId(5)));
        assert_eq!((tlb.counts.hits, tlb.counts.misses), (2, 1));
    }

    #[test]
    fn identifiers_save_the_flush_at_a_switch() {
        for (with, kept) in [(false, 0), (true, 1)] {
            let mut tlb = Tlb::new(4, with);
            tlb.fill(Address::new(0), entry(EntryBits::empty()));
            tlb.switch_to(7);
            assert_eq!(tlb.len(), kept);
        }
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut tlb = Tlb::new(2, false);
        for page in [0, 1] {
            tlb.look_up(Address::new(page * 4096), Access::READ);
            tlb.fill(Address::new(page * 4096), entry(EntryBits::empty()));
        }
        tlb.look_up(Address::new(0), Access::READ);
        tlb.fill(Address::new(2 * 4096), entry(EntryBits::empty()));
        assert!(tlb.look_up(Address::new(0), Access::READ).is_some());
        assert!(tlb.look_up(Address::new(4096), Access::READ).is_none());
    }
}
