//! `munmap`.
//!
//! Source: Linux, mm/vma.c, `do_vmi_munmap` and `vms_gather_munmap_vmas`.

use crate::linux::space::{Answer, round_up};
use crate::linux::{Action, Failure, LinuxError, LinuxSpace, Outcome, Reason, VmFlags};
use crate::{Address, AddressRange};

impl LinuxSpace {
    /// Unmaps `length` bytes at `address`; holes are no error.
    ///
    /// # Errors
    /// `EINVAL` for a misaligned address, no length or a range past the end; `ENOMEM` when a cut would exceed the
    /// limit on regions; `EPERM` for a sealed region.
    pub fn unmap(&mut self, address: Address, length: u64) -> Result<Outcome<()>, Failure> {
        let answer = self.do_unmap(address, length);
        self.finish(answer)
    }

    pub(super) fn do_unmap(&mut self, address: Address, length: u64) -> Answer<()> {
        let range = self.checked_range(address, length)?;
        if self.vmas.is_free(range) {
            self.step(range, Action::Note, Reason::NothingMapped);
            return Ok(());
        }
        self.check_removal(range)?;
        self.remove(range, Reason::Unmapped);
        Ok(())
    }

    pub(super) fn checked_range(&self, address: Address, length: u64) -> Answer<AddressRange> {
        let invalid = |reason| Err(Failure::new(LinuxError::Einval, reason));
        if !address.is_page_aligned() {
            return invalid(Reason::NotAligned);
        }
        let task_end = self.policy.layout.task_end;
        if address > task_end || length > task_end.get() - address.get() {
            return invalid(Reason::BeyondEnd);
        }
        match round_up(length).and_then(|length| AddressRange::sized(address, length)) {
            Some(range) if !range.is_empty() => Ok(range),
            _ => invalid(Reason::ZeroLength),
        }
    }

    /// Says whether `range` can be removed: nothing sealed in it, and no cut too many.
    ///
    /// Only a hole inside one region makes one region more; Linux refuses it at the limit.
    pub(super) fn check_removal(&self, range: AddressRange) -> Answer<()> {
        let Some((first, _)) = self.vmas.overlapping(range).next() else { return Ok(()) };
        if first.start < range.start && first.end > range.end && self.len() >= self.limits.mappings {
            return Err(Failure::new(LinuxError::Enomem, Reason::MapCountLimit));
        }
        if self.vmas.overlapping(range).any(|(_, vma)| vma.flags.contains(VmFlags::SEALED)) {
            return Err(Failure::new(LinuxError::Eperm, Reason::Sealed));
        }
        Ok(())
    }

    /// Removes everything in `range`.
    pub(super) fn remove(&mut self, range: AddressRange, reason: Reason) {
        let mut gone = Vec::new();
        self.vmas.remove_range(range, |piece, vma| gone.push((piece, vma)));
        for (piece, vma) in gone {
            self.untally(piece, &vma);
            self.step(piece, Action::Unmap, reason);
            if piece.start < self.free_area.0 && self.policy.free_area_cache {
                self.free_area.0 = piece.start.max(self.policy.layout.bottom_base);
            }
        }
    }
}
