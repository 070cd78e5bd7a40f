//! Asking the books: `VirtualQuery`, and the list of all regions for people.

use crate::windows::space::PageState;
use crate::windows::{Allocation, MemoryKind, PageProtection, WindowsSpace};
use crate::{Address, AddressRange, Label, PAGE_SIZE};

/// Whether pages are free, reserved or committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In no allocation.
    Free,
    /// In an allocation, without contents.
    Reserve,
    /// With contents.
    Commit,
}

impl State {
    /// Returns `MEM_FREE`, `MEM_RESERVE` or `MEM_COMMIT`.
    ///
    /// Source: Microsoft, "MEMORY_BASIC_INFORMATION structure".
    pub const fn bits(self) -> u32 {
        match self {
            Self::Free => 0x1_0000,
            Self::Reserve => 0x2000,
            Self::Commit => 0x1000,
        }
    }
}

/// A run of like pages, as `VirtualQuery` reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The page that was asked about.
    pub base: Address,
    /// Base of the allocation; `None` when free.
    pub allocation_base: Option<Address>,
    /// What the allocation asked for; empty when free.
    pub allocation_protection: PageProtection,
    /// Bytes from `base` to the end of the run.
    pub size: u64,
    /// Free, reserved or committed.
    pub state: State,
    /// Protection of the pages: empty when reserved, no access when free.
    pub protection: PageProtection,
    /// What the allocation is made of; `None` when free.
    pub kind: Option<MemoryKind>,
}

/// A stretch of an allocation, for maps that people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionInfo {
    /// Where it lies.
    pub range: AddressRange,
    /// Base of its allocation.
    pub allocation_base: Address,
    /// Reserved or committed.
    pub state: State,
    /// Protection of its pages; empty when reserved.
    pub protection: PageProtection,
    /// What it is made of.
    pub kind: MemoryKind,
    /// Whose it is.
    pub owner: Label,
    /// Which part of its owner, such as `.text`.
    pub part: Option<Label>,
    /// Why its allocation lies where it lies.
    pub reason: Label,
    /// Whether its pages are guard pages.
    pub guard: bool,
    /// Whether it is the system's own.
    pub is_system: bool,
}

impl WindowsSpace {
    /// Returns the run of like pages from the page of `address` up; `None` above the highest address.
    ///
    /// Source: Microsoft, "VirtualQuery function".
    pub fn query(&self, address: Address) -> Option<Run> {
        let usable = self.layout.usable();
        if address >= usable.end {
            return None;
        }
        let base = address.align_down(PAGE_SIZE);
        let Some((at, held)) = self.allocations.get(base) else {
            let above = AddressRange { start: base, end: usable.end };
            let end = self.allocations.overlapping(above).next().map_or(usable.end, |(next, _)| next.start);
            return Some(Run {
                base,
                allocation_base: None,
                allocation_protection: PageProtection::empty(),
                size: end.get() - base.get(),
                state: State::Free,
                protection: PageProtection::NOACCESS,
                kind: None,
            });
        };
        let rest = AddressRange { start: base, end: at.end };
        let (range, page) = self.first_stretch(rest);
        Some(Run {
            base,
            allocation_base: Some(at.start),
            allocation_protection: held.protection,
            size: range.size(),
            state: page.map_or(State::Reserve, |_| State::Commit),
            protection: page.map_or(PageProtection::empty(), |page| page.protection),
            kind: Some(held.kind),
        })
    }

    /// Returns the pages of like state at the start of `rest`, which lies inside one allocation.
    fn first_stretch(&self, rest: AddressRange) -> (AddressRange, Option<PageState>) {
        match self.pages.overlapping(rest).next() {
            Some((piece, page)) if piece.start <= rest.start => {
                (AddressRange { start: rest.start, end: piece.end.min(rest.end) }, Some(*page))
            }
            Some((piece, _)) => (AddressRange { start: rest.start, end: piece.start }, None),
            None => (rest, None),
        }
    }

    /// Iterates over everything that is allocated, ascending, one item for each stretch of like pages and parts.
    pub fn regions(&self) -> impl Iterator<Item = RegionInfo> {
        self.allocations.iter().flat_map(|(at, held)| self.regions_of(at, held))
    }

    fn regions_of(&self, at: AddressRange, held: &Allocation) -> Vec<RegionInfo> {
        let mut regions = Vec::new();
        let mut rest = at;
        while !rest.is_empty() {
            let (mut range, page) = self.first_stretch(rest);
            let (part, end) = part_at(at, held, range.start);
            range.end = range.end.min(end);
            rest.start = range.end;
            let protection = page.map_or(PageProtection::empty(), |page| page.protection);
            regions.push(RegionInfo {
                range,
                allocation_base: at.start,
                state: page.map_or(State::Reserve, |_| State::Commit),
                protection,
                kind: held.kind,
                owner: held.owner.clone(),
                part,
                reason: held.reason.clone(),
                guard: protection.contains(PageProtection::GUARD),
                is_system: held.is_system(),
            });
        }
        regions
    }
}

/// Returns the part that contains `address`, and where it or the space between parts ends, in whole pages.
fn part_at(at: AddressRange, held: &Allocation, address: Address) -> (Option<Label>, Address) {
    let offset = address.get() - at.start.get();
    for (start, size, name) in held.parts.iter().flat_map(|parts| parts.iter()) {
        let end = start.saturating_add(*size);
        if offset < *start {
            return (None, Address::new(at.start.get().saturating_add(*start)));
        }
        if offset < end {
            let end = at.start.checked_add(end).and_then(|end| end.align_up(PAGE_SIZE));
            return (Some(name.clone()), end.unwrap_or(at.end));
        }
    }
    (None, at.end)
}
