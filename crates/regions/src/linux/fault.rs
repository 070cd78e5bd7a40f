//! A touch of memory: growth of stacks, the owner of first private pages, signals.
//!
//! Source: Linux, arch/x86/mm/fault.c; mm/vma.c, `expand_downwards`; mm/memory.c.

use crate::linux::space::Answer;
use crate::linux::{Action, Failure, LinuxError, LinuxSpace, Outcome, Reason, VmFlags, Vma};
use crate::{Access, Address, AddressRange, PAGE_SIZE};

/// What the processor wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultAccess {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
}

/// The signal that a touch ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// `SIGSEGV` with `SEGV_MAPERR`: nothing is mapped there, or a stack may not grow.
    SegvMap,
    /// `SIGSEGV` with `SEGV_ACCERR`: the access does not allow it.
    SegvAccess,
    /// `SIGBUS` with `BUS_ADRERR`: beyond the end of the file.
    Bus,
}

/// What a touch led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The page may be had; the caller fetches it.
    Served {
        /// The region, after growth.
        range: AddressRange,
        /// Its value.
        vma: Vma,
    },
    /// A signal.
    Killed(Signal),
}

impl LinuxSpace {
    /// Touches the byte at `address`, whose page is not in memory or does not allow the access yet.
    ///
    /// Never fails: a refusal is a signal, and the last step says why.
    pub fn fault(&mut self, address: Address, access: FaultAccess) -> Outcome<Fault> {
        let value = self.do_fault(address, access);
        Outcome { value, steps: std::mem::take(&mut self.steps) }
    }

    fn do_fault(&mut self, address: Address, access: FaultAccess) -> Fault {
        let page = address.align_down(PAGE_SIZE);
        let here = AddressRange { start: page, end: Address::new(page.get().saturating_add(PAGE_SIZE)) };
        let found = self.find(address).map(|(range, vma)| (range, vma.flags));
        let Some((range, flags)) = found.filter(|_| address < self.policy.layout.task_end) else {
            self.step(here, Action::Note, Reason::NotMapped);
            return Fault::Killed(Signal::SegvMap);
        };
        let mut start = range.start;
        if address < start {
            if !flags.contains(VmFlags::GROWS_DOWN) {
                self.step(here, Action::Note, Reason::NotMapped);
                return Fault::Killed(Signal::SegvMap);
            }
            if let Err(failure) = self.grow_down(range, page) {
                self.step(here, Action::Note, failure.reason);
                return Fault::Killed(Signal::SegvMap);
            }
            start = page;
        }
        self.touch(start, address, access, here)
    }

    fn touch(&mut self, start: Address, address: Address, access: FaultAccess, here: AddressRange) -> Fault {
        let Some((range, vma)) = self.starting_at(start) else { return Fault::Killed(Signal::SegvMap) };
        let allowed = match access {
            // x86 cannot make a page writable or executable without making it readable.
            FaultAccess::Read => !vma.access.is_empty(),
            FaultAccess::Write => vma.access.contains(Access::WRITE),
            FaultAccess::Execute => vma.access.contains(Access::EXECUTE),
        };
        if !allowed {
            self.step(here, Action::Note, Reason::NoAccess);
            return Fault::Killed(Signal::SegvAccess);
        }
        let page = vma.page_at(range.start, address);
        let beyond = vma.file().is_some_and(|file| page >= file.size_bytes.div_ceil(PAGE_SIZE));
        if access == FaultAccess::Write && !vma.flags.contains(VmFlags::SHARED) {
            // Also before a SIGBUS: Linux prepares the private copy first.
            self.give_owner(start);
        }
        if beyond {
            self.step(here, Action::Note, Reason::BeyondFile);
            return Fault::Killed(Signal::Bus);
        }
        let vma = self.starting_at(start).map(|(_, vma)| vma.clone());
        vma.map_or(Fault::Killed(Signal::SegvMap), |vma| Fault::Served { range, vma })
    }

    /// Gives the region at `start` an owner of anonymous pages, if it has none.
    pub(super) fn give_owner(&mut self, start: Address) {
        let Some((range, vma)) = self.starting_at(start).filter(|(_, vma)| vma.anon.is_none()) else {
            return;
        };
        let vma = vma.clone();
        let (anon, shared) = self.owner_for(range, &vma);
        self.replace(start, range, Vma { anon: Some(anon), ..vma });
        let reason = if shared { Reason::SharedAnon } else { Reason::FirstAnon };
        self.step(range, Action::Anon { id: anon.id }, reason);
    }

    /// Grows the region `range` down to `page`.
    fn grow_down(&mut self, range: AddressRange, page: Address) -> Answer<()> {
        let fail = |error, reason| Err(Failure::new(error, reason));
        if page < self.policy.layout.lowest {
            return fail(LinuxError::Eperm, Reason::BelowMinimum);
        }
        if let Some((below, vma)) = self.below(page) {
            let gap = page.get().saturating_sub(below.end.get());
            let guarded = !vma.flags.contains(VmFlags::GROWS_DOWN) && !vma.access.is_empty();
            if guarded && gap < self.policy.guard_gap_pages * PAGE_SIZE {
                return fail(LinuxError::Enomem, Reason::StackGuard);
            }
        }
        self.give_owner(range.start);
        let Some((_, vma)) = self.starting_at(range.start) else { return Ok(()) };
        let grown = AddressRange { start: page, end: range.start };
        let pages = grown.size() / PAGE_SIZE;
        let Some(page_offset) = vma.page_offset.checked_sub(pages) else {
            return fail(LinuxError::Enomem, Reason::Wraps);
        };
        self.check_expansion(vma, pages)?;
        if range.end.get() - page.get() > self.limits.stack {
            return fail(LinuxError::Enomem, Reason::StackLimit);
        }
        if vma.flags.contains(VmFlags::LOCKED) {
            self.check_locked(grown.size())?;
        }
        self.check_commit(pages)?;
        let vma = Vma { page_offset, ..vma.clone() };
        self.replace(range.start, AddressRange { start: page, end: range.end }, vma);
        self.step(grown, Action::Grow, Reason::StackGrown);
        Ok(())
    }
}
