//! `mlock`, `mlock2`, `munlock`, `mlockall`, `munlockall`.
//!
//! Source: Linux, mm/mlock.c, `do_mlock`, `apply_vma_lock_flags` and `apply_mlockall_flags`.

use crate::linux::space::{Answer, round_up};
use crate::linux::{Failure, LinuxError, LinuxSpace, Outcome, Reason, VmFlags};
use crate::{Access, Address, AddressRange, PAGE_SIZE};

const LOCKS: VmFlags = VmFlags::LOCKED.union(VmFlags::LOCK_ON_FAULT);
const KEPT: VmFlags = VmFlags::SPECIAL.union(VmFlags::DROPPABLE);

bitflags::bitflags! {
    /// The flags of `mlockall`, with Linux's values.
    ///
    /// Source: Linux, include/uapi/asm-generic/mman.h.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct LockAllFlags: u32 {
        /// `MCL_CURRENT`: what is mapped now.
        const CURRENT = 1;
        /// `MCL_FUTURE`: what will be mapped.
        const FUTURE = 2;
        /// `MCL_ONFAULT`: pages are locked when they are first touched.
        const ON_FAULT = 4;
    }
}

impl LinuxSpace {
    /// Locks all that is mapped, all that will be, or both; what was told before about the future is forgotten.
    ///
    /// # Errors
    /// `EINVAL` for flags that say neither or are not known, `EPERM` when nothing may be locked, `ENOMEM` when more is
    /// mapped than may be locked. A region that cannot be locked is no error.
    pub fn lock_all(&mut self, flags: LockAllFlags) -> Result<Outcome<()>, Failure> {
        let answer = self.do_lock_all(flags);
        self.finish(answer)
    }

    /// Unlocks all that is mapped, and what will be.
    pub fn unlock_all(&mut self) -> Outcome<()> {
        self.lock_everything(LockAllFlags::empty());
        Outcome { value: (), steps: std::mem::take(&mut self.steps) }
    }

    fn do_lock_all(&mut self, flags: LockAllFlags) -> Answer<()> {
        let asks = flags.intersects(LockAllFlags::CURRENT | LockAllFlags::FUTURE);
        if !asks || !LockAllFlags::all().contains(flags) {
            return Err(Failure::new(LinuxError::Einval, Reason::BadFlags));
        }
        self.check_may_lock()?;
        let current = flags.contains(LockAllFlags::CURRENT);
        if current && self.totals.mapped > self.limits.locked / PAGE_SIZE && !self.limits.may_lock_all {
            return Err(Failure::new(LinuxError::Enomem, Reason::LockLimit));
        }
        self.lock_everything(flags);
        if current {
            self.populate(AddressRange { start: Address::ZERO, end: self.policy.layout.task_end });
        }
        Ok(())
    }

    fn lock_everything(&mut self, flags: LockAllFlags) {
        let locks = match (flags.is_empty(), flags.contains(LockAllFlags::ON_FAULT)) {
            (true, _) => VmFlags::empty(),
            (false, on_fault) => {
                if on_fault {
                    LOCKS
                } else {
                    VmFlags::LOCKED
                }
            }
        };
        let only = |kind| if flags.contains(kind) { locks } else { VmFlags::empty() };
        self.future = self.future.difference(LOCKS) | only(LockAllFlags::FUTURE);
        if flags.contains(LockAllFlags::FUTURE) && !flags.contains(LockAllFlags::CURRENT) {
            return;
        }
        let mut at = Address::ZERO;
        while let Some((range, vma)) = self.find(at) {
            at = range.end;
            let flags = vma.flags.difference(LOCKS) | only(LockAllFlags::CURRENT);
            let changes = flags != vma.flags && !vma.flags.intersects(KEPT);
            // A whole region changes, so that nothing is cut and nothing can fail.
            let done = if changes { self.change_flags(range, flags, Reason::Asked) } else { Ok(()) };
            debug_assert!(done.is_ok(), "whole regions are not cut");
        }
    }

    /// Locks the pages that `length` bytes at `address` touch; `on_fault` waits for their first touch.
    ///
    /// # Errors
    /// `ENOMEM` for a hole, an inaccessible region or too much locked memory; `EPERM` when nothing may be locked.
    /// What lies below a hole stays locked.
    pub fn lock(&mut self, address: Address, length: u64, on_fault: bool) -> Result<Outcome<()>, Failure> {
        let answer = self.do_lock(address, length, on_fault);
        self.finish(answer)
    }

    /// Unlocks the pages that `length` bytes at `address` touch.
    ///
    /// # Errors
    /// `ENOMEM` for a hole; what lies below it stays unlocked.
    pub fn unlock(&mut self, address: Address, length: u64) -> Result<Outcome<()>, Failure> {
        let answer = touched(address, length).and_then(|range| self.apply_locks(range, VmFlags::empty()));
        self.finish(answer)
    }

    fn do_lock(&mut self, address: Address, length: u64, on_fault: bool) -> Answer<()> {
        self.check_may_lock()?;
        let range = touched(address, length)?;
        let here = self.vmas.overlapping(range).filter(|(_, vma)| vma.flags.contains(VmFlags::LOCKED));
        let already: u64 = here.filter_map(|(at, _)| at.intersection(range)).map(AddressRange::size).sum();
        let wanted = (self.totals.locked * PAGE_SIZE).saturating_add(range.size()).saturating_sub(already);
        if wanted / PAGE_SIZE > self.limits.locked / PAGE_SIZE && !self.limits.may_lock_all {
            return Err(Failure::new(LinuxError::Enomem, Reason::LockLimit));
        }
        self.apply_locks(range, if on_fault { LOCKS } else { VmFlags::LOCKED })?;
        self.populate_locked(range)
    }

    fn apply_locks(&mut self, range: AddressRange, locks: VmFlags) -> Answer<()> {
        let mut at = range.start;
        while at < range.end {
            let Some((found, vma)) = self.vmas.get(at) else {
                let reason = if at == range.start { Reason::HoleInRange } else { Reason::PartlyDone };
                return Err(Failure::new(LinuxError::Enomem, reason));
            };
            let part = AddressRange { start: at, end: found.end.min(range.end) };
            let flags = vma.flags.difference(LOCKS) | locks;
            if flags != vma.flags && !vma.flags.intersects(KEPT) {
                self.change_flags(part, flags, Reason::Asked)?;
            }
            at = part.end;
        }
        Ok(())
    }

    /// Fetches what was locked: a region without any access cannot be, and that is the call's error.
    fn populate_locked(&mut self, range: AddressRange) -> Answer<()> {
        let mut at = range.start;
        while let Some((found, vma)) = self.vmas.get(at).filter(|_| at < range.end) {
            let part = AddressRange { start: at, end: found.end.min(range.end) };
            at = part.end;
            if vma.flags.contains(VmFlags::LOCK_ON_FAULT) {
                continue;
            }
            if vma.access == Access::empty() {
                return Err(Failure::new(LinuxError::Enomem, Reason::Inaccessible));
            }
            let beyond = vma.is_beyond_file(found.start, part.end);
            self.populate(part);
            if beyond {
                return Err(Failure::new(LinuxError::Enomem, Reason::BeyondFile));
            }
        }
        Ok(())
    }

    pub(super) fn check_may_lock(&self) -> Answer<()> {
        if self.limits.locked == 0 && !self.limits.may_lock_all {
            return Err(Failure::new(LinuxError::Eperm, Reason::LockForbidden));
        }
        Ok(())
    }

    /// Says whether `bytes` more may be locked.
    pub(super) fn check_locked(&self, bytes: u64) -> Answer<()> {
        let wanted = self.totals.locked.saturating_add(bytes / PAGE_SIZE);
        if wanted > self.limits.locked / PAGE_SIZE && !self.limits.may_lock_all {
            return Err(Failure::new(LinuxError::Eagain, Reason::LockLimit));
        }
        Ok(())
    }
}

/// Returns the whole pages that a range touches.
fn touched(address: Address, length: u64) -> Answer<AddressRange> {
    let start = address.align_down(PAGE_SIZE);
    let length = round_up(length.wrapping_add(address.get() - start.get())).unwrap_or(0);
    AddressRange::sized(start, length).ok_or_else(|| Failure::new(LinuxError::Einval, Reason::Wraps))
}
