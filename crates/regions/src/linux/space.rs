//! The books of one Linux process: [`LinuxSpace`], and the primitive changes that every call is made of.

use crate::linux::{Action, Failure, Limits, LinuxError, Outcome, Policy, Reason, Step, VmFlags, Vma};
use crate::{Address, AddressRange, Label, PAGE_SIZE, RegionMap};

/// What a process has, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All mappings (`VmSize`).
    pub mapped: u64,
    /// Private writable mappings that do not grow down (`VmData`).
    pub data: u64,
    /// Mappings that grow down (`VmStk`).
    pub stack: u64,
    /// Locked mappings (`VmLck`).
    pub locked: u64,
    /// What counts against the commit limit.
    pub accounted: u64,
}

/// The address space of one process under Linux's rules.
///
/// Pure: what pages hold, and which are in memory, is the caller's. `Clone` is a snapshot; a child is [`Self::fork`]'s.
#[derive(Clone, Debug)]
pub struct LinuxSpace {
    pub(super) policy: Policy,
    pub(super) limits: Limits,
    pub(super) vmas: RegionMap<Vma>,
    pub(super) totals: Totals,
    pub(super) start_brk: Address,
    pub(super) brk: Address,
    /// Bytes of the program's data segment, which count with the heap against `RLIMIT_DATA`.
    pub(super) data_bytes: u64,
    pub(super) start_stack: Address,
    /// Flags that new mappings get (`mlockall(MCL_FUTURE)`).
    pub(super) future: VmFlags,
    pub(super) next_anon: u64,
    pub(super) next_object: u64,
    /// Where the last search from the bottom ended, and the largest hole it passed.
    pub(super) free_area: (Address, u64),
    pub(super) steps: Vec<Step>,
}

pub(super) type Answer<T> = Result<T, Failure>;

/// What the books say.
impl LinuxSpace {
    /// Makes an empty address space.
    pub fn new(policy: Policy, limits: Limits) -> Self {
        let bottom = policy.layout.bottom_base;
        Self {
            policy,
            limits,
            vmas: RegionMap::with_granule(PAGE_SIZE),
            totals: Totals::default(),
            start_brk: Address::ZERO,
            brk: Address::ZERO,
            data_bytes: 0,
            start_stack: Address::ZERO,
            future: VmFlags::empty(),
            next_anon: 1,
            next_object: 1 << 62,
            free_area: (bottom, 0),
            steps: Vec::new(),
        }
    }

    /// Returns the rules.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sets the limits (`setrlimit`, `sysctl`); what is mapped already stays.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Returns how much the process has.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Iterates over the mappings, ascending.
    pub fn vmas(&self) -> crate::Regions<'_, Vma> {
        self.vmas.iter()
    }

    /// Iterates over the mappings that share a byte with `range`, ascending.
    pub fn overlapping(&self, range: AddressRange) -> crate::Regions<'_, Vma> {
        self.vmas.overlapping(range)
    }

    /// Returns the mapping that holds `address`.
    pub fn vma_at(&self, address: Address) -> Option<(AddressRange, &Vma)> {
        self.vmas.get(address)
    }

    /// Returns the number of mappings.
    pub fn len(&self) -> usize {
        self.vmas.len()
    }

    /// Says whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.vmas.is_empty()
    }

    /// Returns where the heap starts and ends (`start_brk`, `brk`).
    pub fn heap(&self) -> AddressRange {
        AddressRange { start: self.start_brk, end: self.brk }
    }

    /// Places the empty heap at `start`, with a program's data of `data_bytes`.
    pub fn set_heap(&mut self, start: Address, data_bytes: u64) {
        (self.start_brk, self.brk, self.data_bytes) = (start, start, data_bytes);
    }

    /// Says where the first stack pointer was: the mapping that holds it is `[stack]`.
    pub fn set_start_stack(&mut self, address: Address) {
        self.start_stack = address;
    }

    /// Returns the name that `/proc/PID/maps` shows for a mapping; empty for none.
    ///
    /// Source: Linux, fs/proc/task_mmu.c, `get_vma_name`.
    pub fn name(&self, range: AddressRange, vma: &Vma) -> Label {
        match &vma.backing {
            crate::linux::Backing::File(file) => file.name.clone(),
            crate::linux::Backing::Special(name) => name.clone(),
            crate::linux::Backing::Anonymous if range.start < self.brk && range.end > self.start_brk => {
                Label::fixed("[heap]")
            }
            crate::linux::Backing::Anonymous
                if range.start <= self.start_stack && self.start_stack <= range.end =>
            {
                Label::fixed("[stack]")
            }
            crate::linux::Backing::Anonymous => Label::default(),
        }
    }

    /// Adds a mapping as it is, for what exec makes; false (and no change) when the range is not free.
    pub fn seed(&mut self, range: AddressRange, vma: Vma) -> bool {
        let free = !range.is_empty() && self.vmas.is_free(range);
        if free {
            self.put(range, vma);
        }
        free
    }
}

/// The primitives.
impl LinuxSpace {
    /// Inserts a mapping; the range is free.
    pub(super) fn put(&mut self, range: AddressRange, vma: Vma) {
        self.tally(range, &vma, true);
        let fits = self.vmas.insert(range, vma);
        debug_assert!(fits, "the caller freed {range}");
    }

    /// Takes the mapping that starts at `start` out.
    pub(super) fn take(&mut self, start: Address) -> Option<(AddressRange, Vma)> {
        let (range, vma) = self.vmas.remove(start)?;
        self.tally(range, &vma, false);
        Some((range, vma))
    }

    /// Replaces the mapping that starts at `start` by `vma` over `range`.
    pub(super) fn replace(&mut self, start: Address, range: AddressRange, vma: Vma) {
        self.take(start);
        self.put(range, vma);
    }

    /// Takes a removed piece out of the totals.
    pub(super) fn untally(&mut self, range: AddressRange, vma: &Vma) {
        self.tally(range, vma, false);
    }

    fn tally(&mut self, range: AddressRange, vma: &Vma, add: bool) {
        let pages = range.size() / PAGE_SIZE;
        let change = |total: &mut u64, counts: bool| {
            if counts {
                *total = if add { *total + pages } else { total.saturating_sub(pages) };
            }
        };
        change(&mut self.totals.mapped, true);
        change(&mut self.totals.data, vma.is_data());
        change(&mut self.totals.stack, vma.flags.contains(VmFlags::GROWS_DOWN));
        change(&mut self.totals.locked, vma.flags.contains(VmFlags::LOCKED));
        change(&mut self.totals.accounted, vma.flags.contains(VmFlags::ACCOUNT));
    }

    /// Returns the mapping that ends at or below `address`, the nearest one.
    pub(super) fn below(&self, address: Address) -> Option<(AddressRange, &Vma)> {
        self.vmas.overlapping(AddressRange { start: Address::ZERO, end: address }).next_back()
    }

    /// Returns the first mapping that ends above `address`: Linux's `find_vma`.
    pub(super) fn find(&self, address: Address) -> Option<(AddressRange, &Vma)> {
        self.vmas.overlapping(AddressRange { start: address, end: Address::new(u64::MAX) }).next()
    }

    /// Returns the mapping that touches `address` from below, with its range.
    pub(super) fn touching_below(&self, address: Address) -> Option<(AddressRange, &Vma)> {
        let last = address.checked_sub(1)?;
        self.vmas.get(last).filter(|(range, _)| range.end == address)
    }

    /// Returns the mapping that starts at `address`.
    pub(super) fn starting_at(&self, address: Address) -> Option<(AddressRange, &Vma)> {
        self.vmas.get(address).filter(|(range, _)| range.start == address)
    }

    /// Returns the start of a mapping with the gap that is kept free below it.
    pub(super) fn guarded_start(&self, range: AddressRange, vma: &Vma) -> Address {
        if !vma.flags.contains(VmFlags::GROWS_DOWN) {
            return range.start;
        }
        Address::new(range.start.get().saturating_sub(self.policy.guard_gap_pages * PAGE_SIZE))
    }

    /// Cuts the mapping that holds `at` there, when it does not start there.
    ///
    /// # Errors
    /// `ENOMEM` when there are as many mappings as there may be.
    pub(super) fn split(&mut self, at: Address, reason: Reason) -> Answer<()> {
        let cuts = self.vmas.get(at).is_some_and(|(range, _)| range.start < at);
        if cuts && self.len() >= self.limits.mappings {
            return Err(Failure::new(LinuxError::Enomem, Reason::MapCountLimit));
        }
        self.cut(at, reason);
        Ok(())
    }

    /// Cuts the mapping that holds `at` there, however many mappings there are.
    pub(super) fn cut(&mut self, at: Address, reason: Reason) {
        let Some((range, _)) = self.vmas.get(at).filter(|(range, _)| range.start < at) else { return };
        self.vmas.isolate(AddressRange { start: at, end: range.end });
        self.step(AddressRange { start: at, end: range.end }, Action::Split, reason);
    }

    /// Notes a step of the operation under way.
    pub(super) fn step(&mut self, range: AddressRange, action: Action, reason: Reason) {
        self.steps.push(Step { range, action, reason });
    }

    /// Ends an operation: hands its steps out.
    pub(super) fn finish<T>(&mut self, answer: Answer<T>) -> Result<Outcome<T>, Failure> {
        let steps = std::mem::take(&mut self.steps);
        match answer {
            Ok(value) => Ok(Outcome { value, steps }),
            Err(failure) => Err(Failure { steps, ..failure }),
        }
    }
}

/// Returns `length` rounded up to pages; `None` past the end of 64 bits.
pub(super) fn round_up(length: u64) -> Option<u64> {
    length.checked_next_multiple_of(PAGE_SIZE)
}
