//! Asking: what lies at an address, and the list of all regions.

use crate::windows::{Allocation, MemoryKind, PageProtection, WindowsSpace};
use crate::{Address, AddressRange, Label, PAGE_SIZE};

/// The state of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody's.
    Free,
    /// Somebody's, without contents.
    Reserve,
    /// With contents.
    Commit,
}

/// A run of pages that are alike, as `VirtualQuery` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The page that was asked for.
    pub base: Address,
    /// The base of its allocation.
    pub allocation_base: Option<Address>,
    /// The protection that the allocation was made with.
    pub allocation_protection: PageProtection,
    /// From the page to the end of the run, in bytes.
    pub size: u64,
    /// The pages' state.
    pub state: State,
    /// The pages' protection, where they are committed.
    pub protection: PageProtection,
    /// What the allocation is made of.
    pub kind: Option<MemoryKind>,
}

/// One line of the list of all regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionInfo {
    /// Where.
    pub range: AddressRange,
    /// The base of its allocation.
    pub allocation_base: Address,
    /// The pages' state.
    pub state: State,
    /// The pages' protection, where they are committed.
    pub protection: PageProtection,
    /// What the allocation is made of.
    pub kind: MemoryKind,
    /// Whose it is.
    pub owner: Label,
    /// Which part of it, such as a section of an image.
    pub part: Option<Label>,
    /// Why it lies where it lies.
    pub reason: Label,
    /// Whether the pages are guard pages.
    pub guard: bool,
    /// Whether it is the system's own.
    pub is_system: bool,
}

impl WindowsSpace {
    /// Describes the run of pages from the page of `address` on: equal in state, protection and allocation.
    ///
    /// `None` above the program's highest address.
    ///
    /// Source: Microsoft, "VirtualQuery function".
    pub fn query(&self, address: Address) -> Option<Run> {
        let page = address.align_down(PAGE_SIZE);
        let usable = self.layout.usable();
        if page >= usable.end {
            return None;
        }
        let Some((at, allocation)) = self.allocations.get(page) else {
            let window = AddressRange { start: page, end: usable.end };
            let next = self.allocations.overlapping(window).next().map_or(usable.end, |(next, _)| next.start);
            return Some(Run {
                base: page,
                allocation_base: None,
                allocation_protection: PageProtection::empty(),
                size: next.get() - page.get(),
                state: State::Free,
                protection: PageProtection::NOACCESS,
                kind: None,
            });
        };
        let rest = AddressRange { start: page, end: at.end };
        let (piece, state) = self.pieces(rest).next()?;
        Some(Run {
            base: page,
            allocation_base: Some(at.start),
            allocation_protection: allocation.protection,
            size: piece.size(),
            state: if state.is_some() { State::Commit } else { State::Reserve },
            protection: state.unwrap_or_default(),
            kind: Some(allocation.kind),
        })
    }

    /// Cuts a range inside one allocation into pieces alike in protection; `None` is reserved only.
    fn pieces(&self, range: AddressRange) -> impl Iterator<Item = (AddressRange, Option<PageProtection>)> {
        let mut at = range.start;
        let mut states = self.pages.overlapping(range).peekable();
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let (end, state) = match states.peek() {
                Some((piece, state)) if piece.start <= at => {
                    let found = (piece.end.min(range.end), Some(state.protection));
                    states.next();
                    found
                }
                Some((piece, _)) => (piece.start, None),
                None => (range.end, None),
            };
            let piece = AddressRange { start: at, end };
            at = end;
            Some((piece, state))
        })
    }

    /// Lists all regions, ascending: allocations cut where state, protection or part change.
    pub fn regions(&self) -> impl Iterator<Item = RegionInfo> {
        self.allocations.iter().flat_map(|(at, allocation)| {
            self.pieces(at).flat_map(move |(piece, protection)| {
                cut_at_parts(at, allocation, piece).into_iter().map(move |(range, part)| RegionInfo {
                    range,
                    allocation_base: at.start,
                    state: if protection.is_some() { State::Commit } else { State::Reserve },
                    protection: protection.unwrap_or_default(),
                    kind: allocation.kind,
                    owner: allocation.owner.clone(),
                    part,
                    reason: allocation.reason.clone(),
                    guard: protection.is_some_and(|protection| protection.contains(PageProtection::GUARD)),
                    is_system: allocation.is_system(),
                })
            })
        })
    }
}

/// Cuts a piece where the allocation's parts begin and end.
fn cut_at_parts(
    at: AddressRange,
    allocation: &Allocation,
    piece: AddressRange,
) -> Vec<(AddressRange, Option<Label>)> {
    let mut cuts = Vec::new();
    let mut start = piece.start;
    for (offset, size, name) in allocation.parts.iter().flat_map(|parts| parts.iter()) {
        let part = at.start.checked_add(*offset).and_then(|start| AddressRange::sized(start, *size));
        let Some(part) = part.and_then(|part| part.intersection(piece)) else { continue };
        if start < part.start {
            cuts.push((AddressRange { start, end: part.start }, None));
        }
        cuts.push((part, Some(name.clone())));
        start = part.end;
    }
    if start < piece.end {
        cuts.push((AddressRange { start, end: piece.end }, None));
    }
    cuts
}
