//! `madvise`.
//!
//! Source: Linux, mm/madvise.c, and madvise(2).

use crate::linux::space::{Answer, round_up};
use crate::linux::{Action, Failure, LinuxError, LinuxSpace, Outcome, Reason, VmFlags, Vma};
use crate::{Access, Address, AddressRange};

macro_rules! advices {
    ($($name:ident = $number:literal, $words:literal;)*) => {
        /// What `madvise` is told, with Linux's numbers.
        ///
        /// Source: Linux, include/uapi/asm-generic/mman-common.h.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum Advice {
            $(#[doc = $words] $name = $number,)*
        }

        impl Advice {
            /// All that are known.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the name as in `<sys/mman.h>`, such as `MADV_DONTNEED`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }
        }
    };
}

advices! {
    Normal = 0, "MADV_NORMAL";
    Random = 1, "MADV_RANDOM";
    Sequential = 2, "MADV_SEQUENTIAL";
    WillNeed = 3, "MADV_WILLNEED";
    DontNeed = 4, "MADV_DONTNEED";
    Free = 8, "MADV_FREE";
    DontFork = 10, "MADV_DONTFORK";
    DoFork = 11, "MADV_DOFORK";
    Mergeable = 12, "MADV_MERGEABLE";
    Unmergeable = 13, "MADV_UNMERGEABLE";
    HugePage = 14, "MADV_HUGEPAGE";
    NoHugePage = 15, "MADV_NOHUGEPAGE";
    DontDump = 16, "MADV_DONTDUMP";
    DoDump = 17, "MADV_DODUMP";
    WipeOnFork = 18, "MADV_WIPEONFORK";
    KeepOnFork = 19, "MADV_KEEPONFORK";
    Cold = 20, "MADV_COLD";
    PageOut = 21, "MADV_PAGEOUT";
    PopulateRead = 22, "MADV_POPULATE_READ";
    PopulateWrite = 23, "MADV_POPULATE_WRITE";
    DontNeedLocked = 24, "MADV_DONTNEED_LOCKED";
}

impl Advice {
    /// Returns the advice of a number.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|advice| *advice as i32 == number)
    }

    /// Returns the advice of a name such as `MADV_DONTNEED`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|advice| advice.name() == name)
    }
}

impl LinuxSpace {
    /// Takes advice about `length` bytes at `address`.
    ///
    /// # Errors
    /// `ENOMEM` for a hole, after the advice was taken for all that is mapped; `EINVAL` for a misaligned address or a
    /// region that the advice is not for, `EAGAIN` at the limit on regions; what lies below that stays advised.
    pub fn advise(&mut self, address: Address, length: u64, advice: Advice) -> Result<Outcome<()>, Failure> {
        let answer = self.do_advise(address, length, advice);
        self.finish(answer)
    }

    fn do_advise(&mut self, address: Address, length: u64, advice: Advice) -> Answer<()> {
        let invalid = |reason| Failure::new(LinuxError::Einval, reason);
        if !address.is_page_aligned() {
            return Err(invalid(Reason::NotAligned));
        }
        let range = round_up(length).and_then(|length| AddressRange::sized(address, length));
        let range = range.ok_or(invalid(Reason::Wraps))?;
        if range.is_empty() {
            return Ok(());
        }
        if matches!(advice, Advice::PopulateRead | Advice::PopulateWrite) {
            return self.populate_advised(range, advice == Advice::PopulateWrite);
        }
        let (mut at, mut hole) = (range.start, false);
        while at < range.end {
            let Some((found, vma)) = self.find(at) else {
                hole = true;
                break;
            };
            hole |= found.start > at;
            at = at.max(found.start);
            if at >= range.end {
                break;
            }
            let part = AddressRange { start: at, end: found.end.min(range.end) };
            let vma = vma.clone();
            self.advise_part(part, &vma, advice)?;
            at = part.end;
        }
        if hole { Err(Failure::new(LinuxError::Enomem, Reason::HoleInRange)) } else { Ok(()) }
    }

    fn advise_part(&mut self, part: AddressRange, vma: &Vma, advice: Advice) -> Answer<()> {
        let refused = || Err(Failure::new(LinuxError::Einval, Reason::NotForThisKind));
        let mut flags = vma.flags;
        match advice {
            Advice::WillNeed => return Ok(()),
            Advice::Cold | Advice::PageOut if vma.flags.intersects(VmFlags::LOCKED | VmFlags::SPECIAL) => {
                return refused();
            }
            // Which pages go, if any, is the matter of what reclaims memory.
            Advice::Cold | Advice::PageOut => return Ok(()),
            Advice::DontNeed | Advice::Free if vma.flags.contains(VmFlags::LOCKED) => return refused(),
            Advice::Free if !vma.is_anonymous() => return refused(),
            Advice::DontNeed | Advice::DontNeedLocked | Advice::Free => {
                let read_only = !vma.access.contains(Access::WRITE) && !vma.is_shared();
                if vma.flags.contains(VmFlags::SEALED) && read_only {
                    return Err(Failure::new(LinuxError::Eperm, Reason::Sealed));
                }
                self.step(part, Action::Discard, Reason::Discarded);
                return Ok(());
            }
            Advice::WipeOnFork if !vma.is_anonymous() => return refused(),
            Advice::KeepOnFork if vma.flags.contains(VmFlags::DROPPABLE) => return refused(),
            Advice::DoDump if vma.flags.intersects(VmFlags::SPECIAL | VmFlags::DROPPABLE) => {
                return refused();
            }
            Advice::Mergeable if vma.flags.intersects(VmFlags::MAY_SHARE | VmFlags::SPECIAL) => return Ok(()),
            _ => advised_flags(&mut flags, advice),
        }
        if flags == vma.flags {
            self.step(part, Action::Note, Reason::Unchanged);
            return Ok(());
        }
        // Linux takes a lack of room for a passing one here (`madvise_vma_behavior`).
        let passing = |failure: Failure| match failure.error {
            LinuxError::Enomem => Failure { error: LinuxError::Eagain, ..failure },
            _ => failure,
        };
        self.change_flags(part, flags, Reason::Asked).map_err(passing)
    }

    /// Changes the flags of a part of one region.
    pub(super) fn change_flags(&mut self, part: AddressRange, flags: VmFlags, reason: Reason) -> Answer<()> {
        self.modify(part, |vma| vma.flags = flags)?;
        self.step(part, Action::Flags, reason);
        Ok(())
    }

    fn populate_advised(&mut self, range: AddressRange, write: bool) -> Answer<()> {
        let mut at = range.start;
        while at < range.end {
            let Some((found, vma)) = self.vmas.get(at) else {
                return Err(Failure::new(LinuxError::Enomem, Reason::HoleInRange));
            };
            let needed = if write { Access::WRITE } else { Access::READ };
            if !vma.access.contains(needed) {
                return Err(Failure::new(LinuxError::Einval, Reason::Inaccessible));
            }
            let part = AddressRange { start: at, end: found.end.min(range.end) };
            let owned = write && !vma.flags.contains(VmFlags::SHARED);
            let beyond = vma.is_beyond_file(found.start, part.end);
            self.step(part, Action::Populate, Reason::Asked);
            if owned {
                self.give_owner(found.start);
            }
            if beyond {
                return Err(Failure::new(LinuxError::Efault, Reason::BeyondFile));
            }
            at = part.end;
        }
        Ok(())
    }
}

fn advised_flags(flags: &mut VmFlags, advice: Advice) {
    let (off, on) = match advice {
        Advice::Normal => (VmFlags::RANDOM | VmFlags::SEQUENTIAL, VmFlags::empty()),
        Advice::Random => (VmFlags::SEQUENTIAL, VmFlags::RANDOM),
        Advice::Sequential => (VmFlags::RANDOM, VmFlags::SEQUENTIAL),
        Advice::DontFork => (VmFlags::empty(), VmFlags::DONT_FORK),
        Advice::DoFork => (VmFlags::DONT_FORK, VmFlags::empty()),
        Advice::WipeOnFork => (VmFlags::empty(), VmFlags::WIPE_ON_FORK),
        Advice::KeepOnFork => (VmFlags::WIPE_ON_FORK, VmFlags::empty()),
        Advice::DontDump => (VmFlags::empty(), VmFlags::DONT_DUMP),
        Advice::DoDump => (VmFlags::DONT_DUMP, VmFlags::empty()),
        Advice::Mergeable => (VmFlags::empty(), VmFlags::MERGEABLE),
        Advice::Unmergeable => (VmFlags::MERGEABLE, VmFlags::empty()),
        Advice::HugePage => (VmFlags::NO_HUGE_PAGE, VmFlags::HUGE_PAGE),
        Advice::NoHugePage => (VmFlags::HUGE_PAGE, VmFlags::NO_HUGE_PAGE),
        _ => return,
    };
    flags.remove(off);
    flags.insert(on);
}
