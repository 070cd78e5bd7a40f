//! The books of one process: [`WindowsSpace`], and the primitive changes that can be undone.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::windows::{Action, Backing, Edit, PageProtection};
use crate::{
    ALLOCATION_GRANULARITY, Address, AddressRange, Label, Layout, PAGE_SIZE, RegionMap, RegionValue, Use,
};

/// What an allocation is made of, as `VirtualQuery` reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Memory of the process.
    Private,
    /// A view of a section.
    Mapped,
    /// A view of an image.
    Image,
}

impl MemoryKind {
    /// Returns `MEM_PRIVATE`, `MEM_MAPPED` or `MEM_IMAGE`.
    ///
    /// Source: Microsoft, "MEMORY_BASIC_INFORMATION structure".
    pub const fn bits(self) -> u32 {
        match self {
            Self::Private => 0x2_0000,
            Self::Mapped => 0x4_0000,
            Self::Image => 0x100_0000,
        }
    }
}

/// What the reservation is beyond a plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// A range without contents that waits to be replaced.
    Placeholder,
    /// Took the place of a placeholder and can become one again.
    Replacement,
    /// A view of a section without a file.
    MemoryView,
    /// A thread's stack, whose guard page moves down.
    Stack,
    /// The system's own: nobody frees or changes it.
    System,
}

/// One allocation: what one call reserved, mapped or loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    pub(super) id: u64,
    pub(super) role: Role,
    pub(super) write_watch: bool,
    /// Whether it is what a partial release left of an allocation.
    pub(super) was_cut: bool,
    /// Names of parts, as (offset from base, size, name), ascending.
    pub(super) parts: Option<Arc<[(u64, u64, Label)]>>,
    /// What it is made of.
    pub kind: MemoryKind,
    /// The protection that the call asked for; never changes.
    pub protection: PageProtection,
    /// Whose it is, such as `stack of thread 3`.
    pub owner: Label,
    /// Why it lies where it lies.
    pub reason: Label,
}

impl Allocation {
    /// Says whether this is a placeholder, which holds its place and nothing else.
    pub fn is_placeholder(&self) -> bool {
        self.role == Role::Placeholder
    }

    /// Says whether writes to it are recorded.
    pub fn is_write_watched(&self) -> bool {
        self.write_watch
    }

    /// Says whether it is the system's own, which nobody frees or changes.
    pub fn is_system(&self) -> bool {
        self.role == Role::System
    }
}

impl RegionValue for Allocation {
    fn merge(&self, _: AddressRange, _: &Self, _: AddressRange) -> Option<Self> {
        None
    }

    fn split(&self, range: AddressRange, at: Address) -> (Self, Self) {
        let cut = at.get() - range.start.get();
        let mut lower = self.clone();
        lower.was_cut = true;
        let mut upper = lower.clone();
        // Parts count from the base, which is a new one for the upper half.
        upper.parts = self.parts.as_ref().map(|parts| {
            let kept = parts.iter().filter(|(offset, size, _)| offset.saturating_add(*size) > cut);
            let moved = kept.map(|(offset, size, name)| {
                let end = offset.saturating_add(*size);
                let start = (*offset).max(cut);
                (start - cut, end - start, name.clone())
            });
            moved.collect()
        });
        (lower, upper)
    }
}

/// The state of committed pages; pages without one are reserved only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageState {
    pub(super) allocation: u64,
    pub(super) protection: PageProtection,
}

impl RegionValue for PageState {
    fn merge(&self, _: AddressRange, next: &Self, _: AddressRange) -> Option<Self> {
        (self == next).then_some(*self)
    }

    fn split(&self, _: AddressRange, _: Address) -> (Self, Self) {
        (*self, *self)
    }
}

/// How to take back one primitive change.
#[derive(Clone, Debug)]
enum Undo {
    RemoveAllocation(Address),
    InsertAllocation(AddressRange, Allocation),
    ClearPages(AddressRange),
    PutPages(AddressRange, PageState),
    MarkWritten(Address),
}

/// The books of one process: every allocation and the state of its pages.
#[derive(Clone, Debug)]
pub struct WindowsSpace {
    pub(super) layout: Arc<Layout>,
    pub(super) allocations: RegionMap<Allocation>,
    pub(super) pages: RegionMap<PageState>,
    pub(super) edits: Vec<Edit>,
    /// Written pages of allocations with write watch.
    pub(super) written: BTreeSet<Address>,
    undo: Vec<Undo>,
    next_id: u64,
    id_before: u64,
}

impl WindowsSpace {
    /// Opens the books of a process that is laid out as `layout` says.
    ///
    /// What the layout keeps from the program (the host's own ranges, forbidden bands, shared data)
    /// is in the books from the start; [`Self::initial_edits`] says what of it the host must map.
    pub fn new(layout: &Layout) -> Self {
        let mut space = Self {
            layout: Arc::new(layout.clone()),
            allocations: RegionMap::with_granule(ALLOCATION_GRANULARITY),
            pages: RegionMap::default(),
            edits: Vec::new(),
            written: BTreeSet::new(),
            undo: Vec::new(),
            next_id: 1,
            id_before: 1,
        };
        space.put_system_ranges(layout);
        space.undo.clear();
        space
    }

    fn put_system_ranges(&mut self, layout: &Layout) {
        let usable = layout.usable();
        for band in &layout.bands {
            let Some(range) = band.range.intersection(usable) else { continue };
            let (owner, protection) = match band.purpose {
                Use::SharedData => ("KUSER_SHARED_DATA", PageProtection::READONLY),
                Use::Forbidden => ("forbidden", PageProtection::NOACCESS),
                _ => continue,
            };
            let id = self.put_system(range, protection, owner, Label::from(band.why.clone()));
            if let (Use::SharedData, Some(id)) = (band.purpose, id) {
                let page =
                    AddressRange { start: range.start, end: Address::new(range.start.get() + PAGE_SIZE) };
                self.set_pages(page, Some(PageState { allocation: id, protection }));
            }
        }
        let mut at = usable.start;
        let ends = layout.arena.iter().copied();
        for part in ends.chain([AddressRange { start: usable.end, end: usable.end }]) {
            let end = part.start.min(usable.end);
            if at < end {
                let hole = AddressRange { start: at, end };
                let why = Label::fixed("outside the arena that plat reserves");
                self.put_system(hole, PageProtection::NOACCESS, "the Linux host", why);
            }
            at = at.max(part.end);
        }
    }

    fn put_system(
        &mut self,
        range: AddressRange,
        protection: PageProtection,
        owner: &'static str,
        reason: Label,
    ) -> Option<u64> {
        let id = self.fresh_id();
        let allocation = Allocation {
            id,
            role: Role::System,
            write_watch: false,
            was_cut: false,
            parts: None,
            kind: MemoryKind::Private,
            protection,
            owner: owner.into(),
            reason,
        };
        self.put_allocation(range, allocation).then_some(id)
    }

    /// Returns what the host must map before the guest runs: the page of shared data, read-only for the guest.
    pub fn initial_edits(&self) -> Vec<Edit> {
        let system = self.allocations.iter().filter(|(_, allocation)| allocation.is_system());
        let committed = system.flat_map(|(range, _)| self.pages.overlapping(range));
        let map = |(range, page): (AddressRange, &PageState)| Edit {
            range,
            action: Action::Map { access: page.protection.access(), backing: Backing::Anonymous },
            reason: "data that the system shares with every process",
        };
        committed.map(map).collect()
    }

    /// Returns the layout that these books follow.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the allocation that contains `address`, with its range.
    pub fn allocation(&self, address: Address) -> Option<(AddressRange, &Allocation)> {
        self.allocations.get(address)
    }

    /// Returns the number of allocations, the system's own included.
    pub fn allocation_count(&self) -> usize {
        self.allocations.len()
    }

    pub(super) fn begin(&mut self) {
        self.edits.clear();
        self.undo.clear();
        self.id_before = self.next_id;
    }

    pub(super) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn put_allocation(&mut self, range: AddressRange, allocation: Allocation) -> bool {
        let done = self.allocations.insert(range, allocation);
        if done {
            self.undo.push(Undo::RemoveAllocation(range.start));
        }
        done
    }

    pub(super) fn take_allocation(&mut self, start: Address) -> Option<(AddressRange, Allocation)> {
        let (range, allocation) = self.allocations.remove(start)?;
        self.undo.push(Undo::InsertAllocation(range, allocation.clone()));
        Some((range, allocation))
    }

    /// Sets the state of every page of `range`; `None` is reserved only.
    pub(super) fn set_pages(&mut self, range: AddressRange, state: Option<PageState>) {
        let undo = &mut self.undo;
        self.pages.remove_range(range, |piece, old| undo.push(Undo::PutPages(piece, old)));
        undo.push(Undo::ClearPages(range));
        if let Some(state) = state {
            self.pages.insert(range, state);
        }
    }

    /// Forgets which pages of `range` were written.
    pub(super) fn forget_written(&mut self, range: AddressRange) {
        let pages: Vec<_> = self.written.range(range.start..range.end).copied().collect();
        for page in pages {
            self.written.remove(&page);
            self.undo.push(Undo::MarkWritten(page));
        }
    }

    /// Takes back everything since [`Self::begin`].
    pub(super) fn undo_all(&mut self) {
        while let Some(step) = self.undo.pop() {
            match step {
                Undo::RemoveAllocation(start) => {
                    self.allocations.remove(start);
                }
                Undo::InsertAllocation(range, allocation) => {
                    self.allocations.insert(range, allocation);
                }
                Undo::ClearPages(range) => self.pages.remove_range(range, |_, _| ()),
                Undo::PutPages(range, state) => {
                    self.pages.insert(range, state);
                }
                Undo::MarkWritten(page) => {
                    self.written.insert(page);
                }
            }
        }
        self.next_id = self.id_before;
        self.edits.clear();
    }
}
