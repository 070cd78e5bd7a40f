//! `mprotect`.
//!
//! Source: Linux, mm/mprotect.c, `do_mprotect_pkey` and `mprotect_fixup`.

use crate::linux::space::{Answer, round_up};
use crate::linux::{Action, Failure, LinuxError, LinuxSpace, Outcome, Reason, VmFlags, Vma};
use crate::{Access, Address, AddressRange, PAGE_SIZE};

bitflags::bitflags! {
    /// What may stand beside the access in `mprotect`, with Linux's values.
    ///
    /// Source: Linux, include/uapi/asm-generic/mman-common.h.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct ProtectGrows: u32 {
        /// `PROT_GROWSDOWN`.
        const DOWN = 0x0100_0000;
        /// `PROT_GROWSUP`.
        const UP = 0x0200_0000;
    }
}

impl LinuxSpace {
    /// Changes the access of `length` bytes at `address`, region by region.
    ///
    /// # Errors
    /// `ENOMEM` for a hole, and what lies below it stays changed; `EACCES` when the file was not opened so;
    /// `EINVAL` for a misaligned address; `EPERM` for a sealed region.
    pub fn protect(&mut self, address: Address, length: u64, access: Access) -> Result<Outcome<()>, Failure> {
        let answer = self.do_protect(address, length, access, ProtectGrows::empty());
        self.finish(answer)
    }

    /// Changes the access as [`Self::protect`] does, from the start of a region that grows down or to the end of one that grows up.
    ///
    /// # Errors
    /// As [`Self::protect`]; `EINVAL` when the region does not grow so, which on x86 none does upwards, and for both at once.
    pub fn protect_growing(
        &mut self,
        address: Address,
        length: u64,
        access: Access,
        grows: ProtectGrows,
    ) -> Result<Outcome<()>, Failure> {
        let answer = self.do_protect(address, length, access, grows);
        self.finish(answer)
    }

    fn do_protect(
        &mut self,
        address: Address,
        length: u64,
        access: Access,
        grows: ProtectGrows,
    ) -> Answer<()> {
        let fail = |error, reason| Err(Failure::new(error, reason));
        if grows == ProtectGrows::all() {
            return fail(LinuxError::Einval, Reason::BadFlags);
        }
        if !address.is_page_aligned() {
            return fail(LinuxError::Einval, Reason::NotAligned);
        }
        if length == 0 {
            return Ok(());
        }
        let end = round_up(length).and_then(|length| address.checked_add(length));
        let Some(end) = end.filter(|end| *end > address) else {
            return fail(LinuxError::Enomem, Reason::Wraps);
        };
        let mut range = AddressRange { start: address, end };
        let Some((first, vma)) = self.find(address) else {
            return fail(LinuxError::Enomem, Reason::HoleInRange);
        };
        if grows.contains(ProtectGrows::DOWN) {
            if first.start >= end {
                return fail(LinuxError::Enomem, Reason::HoleInRange);
            }
            if !vma.flags.contains(VmFlags::GROWS_DOWN) {
                return fail(LinuxError::Einval, Reason::NotForThisKind);
            }
            range.start = first.start;
        } else if first.start > address {
            return fail(LinuxError::Enomem, Reason::HoleInRange);
        } else if grows.contains(ProtectGrows::UP) {
            return fail(LinuxError::Einval, Reason::NotForThisKind);
        }
        self.protect_each(range, access)
    }

    fn protect_each(&mut self, range: AddressRange, access: Access) -> Answer<()> {
        let mut at = range.start;
        while at < range.end {
            let Some((found, vma)) = self.vmas.get(at) else {
                let reason = if at == range.start { Reason::HoleInRange } else { Reason::PartlyDone };
                return Err(Failure::new(LinuxError::Enomem, reason));
            };
            if !may(vma).contains(access) {
                return Err(Failure::new(LinuxError::Eacces, Reason::MayNot));
            }
            let part = AddressRange { start: at, end: found.end.min(range.end) };
            self.protect_part(part, access)?;
            at = part.end;
        }
        Ok(())
    }

    fn protect_part(&mut self, part: AddressRange, access: Access) -> Answer<()> {
        let Some((_, vma)) = self.vmas.get(part.start) else { return Ok(()) };
        if vma.flags.contains(VmFlags::SEALED) {
            return Err(Failure::new(LinuxError::Eperm, Reason::Sealed));
        }
        if vma.access == access {
            self.step(part, Action::Note, Reason::Unchanged);
            return Ok(());
        }
        let vma = vma.clone();
        let flags = self.protected_flags(&vma, part.size() / PAGE_SIZE, access)?;
        self.modify(part, |vma| (vma.access, vma.flags) = (access, flags))?;
        self.step(part, Action::Protect { access }, Reason::Asked);
        // Locked private pages that become writable are copied at once.
        let gains_write = access.contains(Access::WRITE) && !vma.access.contains(Access::WRITE);
        let locked = vma.flags.contains(VmFlags::LOCKED) && !vma.flags.contains(VmFlags::SHARED);
        if gains_write && locked {
            self.populate(part);
        }
        Ok(())
    }

    /// Returns the flags after a change of access: what becomes writable counts against the limits.
    fn protected_flags(&self, vma: &Vma, pages: u64, access: Access) -> Answer<VmFlags> {
        let mut flags = vma.flags;
        if access.contains(Access::WRITE) {
            let changed = Vma { access, ..vma.clone() };
            // Only what the change itself brings over a limit is refused.
            if self.check_expansion(vma, pages).is_ok() {
                self.check_expansion(&changed, pages)?;
            }
            let counts = VmFlags::ACCOUNT | VmFlags::SHARED | VmFlags::NO_RESERVE;
            if !vma.access.contains(Access::WRITE) && !flags.intersects(counts) {
                self.check_commit(pages)?;
                flags |= VmFlags::ACCOUNT;
            }
        } else if vma.is_anonymous() && vma.anon.is_none() {
            flags.remove(VmFlags::ACCOUNT);
        }
        Ok(flags)
    }
}

fn may(vma: &Vma) -> Access {
    let mut access = Access::empty();
    access.set(Access::READ, vma.flags.contains(VmFlags::MAY_READ));
    access.set(Access::WRITE, vma.flags.contains(VmFlags::MAY_WRITE));
    access.set(Access::EXECUTE, vma.flags.contains(VmFlags::MAY_EXECUTE));
    access
}
