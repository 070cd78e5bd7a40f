//! `fork` and `exec`.
//!
//! Source: Linux, mm/mmap.c, `dup_mmap`, and mm/rmap.c, `anon_vma_fork`.

use crate::PAGE_SIZE;
use crate::linux::space::Answer;
use crate::linux::{Action, AnonVma, Failure, LinuxSpace, Outcome, Reason, VmFlags, Vma};

impl LinuxSpace {
    /// Copies the address space for a child; the steps are the child's.
    ///
    /// # Errors
    /// `ENOMEM` when the kernel does not promise so much memory again.
    pub fn fork(&mut self) -> Result<Outcome<Self>, Failure> {
        if let Err(failure) = self.check_copies() {
            return self.finish(Err(failure));
        }
        let mut child = Self { future: VmFlags::empty(), ..Self::new(self.policy.clone(), self.limits) };
        child.next_anon = self.next_anon;
        (child.start_brk, child.brk, child.data_bytes) = (self.start_brk, self.brk, self.data_bytes);
        (child.start_stack, child.free_area, child.next_object) =
            (self.start_stack, self.free_area, self.next_object);
        for (range, vma) in &self.vmas {
            if vma.flags.contains(VmFlags::DONT_FORK) {
                child.step(range, Action::Unmap, Reason::ForkDropped);
                continue;
            }
            let flags = vma.flags.difference(VmFlags::LOCKED | VmFlags::LOCK_ON_FAULT);
            let wiped = flags.contains(VmFlags::WIPE_ON_FORK);
            // Every region gets an owner of its own: two that shared one in the parent do not in the child.
            let anon = vma.anon.filter(|_| !wiped).map(|_| child.forked_owner());
            child.put(range, Vma { flags, anon, ..vma.clone() });
            if wiped {
                child.step(range, Action::Discard, Reason::ForkWiped);
            } else {
                child.step(range, Action::Map, Reason::ForkCopied);
            }
        }
        let steps = std::mem::take(&mut child.steps);
        Ok(Outcome { value: child, steps })
    }

    /// Says whether the kernel promises the copies, which it is asked for region by region.
    fn check_copies(&self) -> Answer<()> {
        let mut promised = 0;
        for (range, vma) in &self.vmas {
            if vma.flags.contains(VmFlags::ACCOUNT) && !vma.flags.contains(VmFlags::DONT_FORK) {
                let pages = range.size() / PAGE_SIZE;
                promised = if self.never_overcommits() { promised + pages } else { pages };
                self.check_commit(promised)?;
            }
        }
        Ok(())
    }

    fn forked_owner(&mut self) -> AnonVma {
        let id = self.next_anon;
        self.next_anon += 1;
        AnonVma { id, forked: true }
    }

    /// Empties the address space for a new program; the caller maps that with [`Self::map`] and [`Self::seed`].
    pub fn exec(&mut self) -> Outcome<()> {
        let old: Vec<_> = self.vmas.iter().map(|(range, _)| range).collect();
        *self = Self::new(self.policy.clone(), self.limits);
        for range in old {
            self.step(range, Action::Unmap, Reason::ExecReplaced);
        }
        Outcome { value: (), steps: std::mem::take(&mut self.steps) }
    }
}
