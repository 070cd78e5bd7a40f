//! `mlock`, `mlock2`, `munlock`.
//!
//! Source: Linux, mm/mlock.c, `do_mlock` and `apply_vma_lock_flags`.

use crate::linux::space::{Answer, round_up};
use crate::linux::{Failure, LinuxError, LinuxSpace, Outcome, Reason, VmFlags};
use crate::{Access, Address, AddressRange, PAGE_SIZE};

const LOCKS: VmFlags = VmFlags::LOCKED.union(VmFlags::LOCK_ON_FAULT);
const KEPT: VmFlags = VmFlags::SPECIAL.union(VmFlags::DROPPABLE);

impl LinuxSpace {
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
