//! `brk`.
//!
//! Source: Linux, mm/mmap.c, `brk`, and mm/vma.c, `do_brk_flags`.

use crate::linux::map::accountable;
use crate::linux::space::Answer;
use crate::linux::{Action, Backing, Failure, LinuxError, LinuxSpace, Outcome, Reason, VmFlags, Vma};
use crate::{Access, Address, AddressRange, PAGE_SIZE};

impl LinuxSpace {
    /// Moves the end of the heap; returns where it is then, which is where it was when the call is refused.
    ///
    /// The refusal's reason is the last step; the system call itself has no errno.
    pub fn brk(&mut self, wanted: Address) -> Outcome<Address> {
        if let Err(failure) = self.do_brk(wanted) {
            self.step(AddressRange { start: self.brk, end: self.brk }, Action::Note, failure.reason);
        }
        Outcome { value: self.brk, steps: std::mem::take(&mut self.steps) }
    }

    fn do_brk(&mut self, wanted: Address) -> Answer<()> {
        let fail = |reason| Err(Failure::new(LinuxError::Enomem, reason));
        if wanted < self.start_brk {
            return fail(Reason::BrkBelowStart);
        }
        let heap = wanted.get() - self.start_brk.get();
        if self.limits.data != u64::MAX && heap.saturating_add(self.data_bytes) > self.limits.data {
            return fail(Reason::DataLimit);
        }
        let (Some(new), Some(old)) = (wanted.align_up(PAGE_SIZE), self.brk.align_up(PAGE_SIZE)) else {
            return fail(Reason::Wraps);
        };
        if new < old {
            self.shrink_heap(AddressRange { start: new, end: old })?;
        } else if new > old {
            self.grow_heap(AddressRange { start: old, end: new })?;
        }
        self.brk = wanted;
        Ok(())
    }

    fn shrink_heap(&mut self, range: AddressRange) -> Answer<()> {
        if self.vmas.is_free(range) {
            return Err(Failure::new(LinuxError::Enomem, Reason::NotMapped));
        }
        self.check_removal(range)?;
        self.remove(range, Reason::BrkShrunk);
        Ok(())
    }

    fn grow_heap(&mut self, range: AddressRange) -> Answer<()> {
        let fail = |reason| Err(Failure::new(LinuxError::Enomem, reason));
        if range.end > self.policy.layout.task_end {
            return fail(Reason::BeyondEnd);
        }
        let flags = VmFlags::MAY_ALL | self.future;
        if flags.contains(VmFlags::LOCKED) {
            self.check_locked(range.size())?;
        }
        let room = Address::new(range.end.get().saturating_add(PAGE_SIZE));
        if self.find(range.start).is_some_and(|(at, vma)| room > self.guarded_start(at, vma)) {
            return fail(Reason::BrkBlocked);
        }
        let access = Access::READ | Access::WRITE;
        let page_offset = range.start.get() / PAGE_SIZE;
        let vma = Vma { access, flags, backing: Backing::Anonymous, page_offset, anon: None };
        let pages = range.size() / PAGE_SIZE;
        self.check_expansion(&vma, pages)?;
        if self.len() > self.limits.mappings {
            return fail(Reason::MapCountLimit);
        }
        debug_assert!(accountable(&vma), "the heap is private and writable");
        self.check_commit(pages)?;
        let vma = Vma { flags: flags | VmFlags::ACCOUNT, ..vma };
        if range.start > self.start_brk {
            self.insert_merged(range, vma, Reason::BrkGrown);
        } else {
            // The first part of the heap never joins the program's bss below it: Linux looks for a region to expand from
            // start_brk on only (`vma_prev_limit` in mm/mmap.c, `brk`).
            self.put(range, vma);
            self.step(range, Action::Map, Reason::BrkGrown);
        }
        if flags.contains(VmFlags::LOCKED) {
            self.populate(range);
        }
        Ok(())
    }
}
