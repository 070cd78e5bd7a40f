//! `mmap`.
//!
//! Source: Linux, mm/mmap.c, `do_mmap`, and mm/vma.c, `__mmap_region`.

use std::sync::Arc;

use crate::linux::place::Wish;
use crate::linux::space::{Answer, round_up};
use crate::linux::{
    Action, Backing, Failure, LinuxError, LinuxSpace, OpenFile, Outcome, Overcommit, Reason, VmFlags, Vma,
};
use crate::{Access, Address, AddressRange, Label, PAGE_SIZE};

bitflags::bitflags! {
    /// The flags of `mmap`, with Linux's values on x86-64.
    ///
    /// Source: Linux, include/uapi/linux/mman.h and arch/x86/include/uapi/asm/mman.h.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct MapFlags: u32 {
        /// `MAP_SHARED`; together with `PRIVATE` it is `MAP_SHARED_VALIDATE`.
        const SHARED = 1;
        /// `MAP_PRIVATE`.
        const PRIVATE = 2;
        /// `MAP_DROPPABLE` (Linux 6.11).
        const DROPPABLE = 8;
        /// `MAP_FIXED`.
        const FIXED = 0x10;
        /// `MAP_ANONYMOUS`.
        const ANONYMOUS = 0x20;
        /// `MAP_32BIT`: from 1 to 2 GiB.
        const LOW_2GB = 0x40;
        /// `MAP_ABOVE4G` (Linux 6.6).
        const ABOVE_4GB = 0x80;
        /// `MAP_GROWSDOWN`.
        const GROWS_DOWN = 0x100;
        /// `MAP_DENYWRITE`, without effect.
        const DENY_WRITE = 0x800;
        /// `MAP_LOCKED`.
        const LOCKED = 0x2000;
        /// `MAP_NORESERVE`.
        const NO_RESERVE = 0x4000;
        /// `MAP_POPULATE`.
        const POPULATE = 0x8000;
        /// `MAP_NONBLOCK`: takes `POPULATE` back.
        const NON_BLOCK = 0x1_0000;
        /// `MAP_STACK`: no huge pages (Linux 6.7).
        const STACK = 0x2_0000;
        /// `MAP_HUGETLB`: pages of a pool, which is empty here, as it is where nobody filled it.
        const HUGE_PAGES = 0x4_0000;
        /// `MAP_FIXED_NOREPLACE` (Linux 4.17).
        const FIXED_NOREPLACE = 0x10_0000;
    }
}

/// What is mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Zeroed memory; shared, it is an object of its own.
    #[default]
    Anonymous,
    /// A file from `offset` bytes on.
    File {
        /// The open file.
        file: Arc<OpenFile>,
        /// First byte; a multiple of the page size.
        offset: u64,
    },
}

/// The arguments of `mmap`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapRequest {
    /// The hint or the fixed address; 0 for none.
    pub address: Address,
    /// Bytes; rounded up to pages.
    pub length: u64,
    /// What the processor may do.
    pub access: Access,
    /// `MAP_*`.
    pub flags: MapFlags,
    /// What is mapped.
    pub source: Source,
}

impl LinuxSpace {
    /// Maps memory or a file; returns its address.
    ///
    /// # Errors
    /// As `mmap`: `EINVAL`, `ENOMEM`, `EEXIST`, `EACCES`, `EPERM`, `EAGAIN`, `EOVERFLOW`.
    pub fn map(&mut self, request: &MapRequest) -> Result<Outcome<Address>, Failure> {
        let answer = self.do_map(request);
        self.finish(answer)
    }

    fn do_map(&mut self, request: &MapRequest) -> Answer<Address> {
        let (backing, offset) = match &request.source {
            Source::Anonymous => (Backing::Anonymous, 0),
            Source::File { file, offset } => (Backing::File(file.clone()), *offset),
        };
        let mut flags = request.flags;
        // The file of the pool is made before anything else is looked at.
        if flags.contains(MapFlags::HUGE_PAGES) && request.length > 0 {
            let is_file =
                matches!(request.source, Source::File { .. }) && !flags.contains(MapFlags::ANONYMOUS);
            let error = if is_file { LinuxError::Einval } else { LinuxError::Enomem };
            return Err(Failure::new(error, Reason::NoHugePages));
        }
        if flags.contains(MapFlags::FIXED_NOREPLACE) && self.policy.knows_noreplace {
            flags |= MapFlags::FIXED;
        }
        let length = self.checked_length(request.length, offset)?;
        let address = self.raised(request.address, flags);
        let shared = flags.contains(MapFlags::SHARED);
        // A shared anonymous mapping is placed as a file of the shared memory file system is: not by huge pages.
        let object =
            if shared && backing == Backing::Anonymous { self.shared_object(length) } else { backing };
        let start = self.place(Wish { address, length, flags, offset, backing: &object })?;
        let range = AddressRange { start, end: Address::new(start.get() + length) };
        if flags.contains(MapFlags::FIXED_NOREPLACE)
            && self.policy.knows_noreplace
            && !self.vmas.is_free(range)
        {
            return Err(Failure::new(LinuxError::Eexist, Reason::AlreadyMapped));
        }
        let vma = self.new_vma(request, flags, object, range, offset)?;
        self.check_removal(range)?;
        if let Err(failure) = self.check_room(range, &vma) {
            // The regions in the way were cut out already; they are put back, and the cuts stay, even past the limit on regions.
            self.cut(range.start, Reason::SplitAtStart);
            self.cut(range.end, Reason::SplitAtEnd);
            return Err(failure);
        }
        if !self.vmas.is_free(range) {
            self.remove(range, Reason::Replaced);
        }
        // A shared object is promised as a whole when it is made, which is after the old regions are gone.
        let own_object = shared && request.source == Source::Anonymous;
        if own_object && !vma.flags.contains(VmFlags::NO_RESERVE) {
            self.check_commit(length / PAGE_SIZE)?;
        }
        self.map_range(range, vma, flags);
        Ok(start)
    }

    fn map_range(&mut self, range: AddressRange, mut vma: Vma, flags: MapFlags) {
        if accountable(&vma) && self.limits.overcommit_counts(&vma) {
            vma.flags |= VmFlags::ACCOUNT;
        }
        let populate = flags.contains(MapFlags::POPULATE) && !flags.contains(MapFlags::NON_BLOCK)
            || vma.flags.contains(VmFlags::LOCKED) && !vma.flags.contains(VmFlags::LOCK_ON_FAULT);
        self.insert_merged(range, vma, Reason::NewRegion);
        if populate {
            self.populate(range);
        }
    }

    fn checked_length(&self, length: u64, offset: u64) -> Answer<u64> {
        let fail = |error, reason| Err(Failure::new(error, reason));
        if !offset.is_multiple_of(PAGE_SIZE) {
            return fail(LinuxError::Einval, Reason::NotAligned);
        }
        if length == 0 {
            return fail(LinuxError::Einval, Reason::ZeroLength);
        }
        let Some(length) = round_up(length) else { return fail(LinuxError::Enomem, Reason::Wraps) };
        if (offset / PAGE_SIZE).checked_add(length / PAGE_SIZE).is_none() {
            return fail(LinuxError::Eoverflow, Reason::Wraps);
        }
        if self.len() > self.limits.mappings {
            return fail(LinuxError::Enomem, Reason::MapCountLimit);
        }
        Ok(length)
    }

    /// Returns the hint, rounded down to a page and raised to the lowest address; a fixed address as it is.
    fn raised(&mut self, address: Address, flags: MapFlags) -> Address {
        let hint = address.align_down(PAGE_SIZE);
        if flags.contains(MapFlags::FIXED) {
            return address;
        }
        if hint != Address::ZERO && hint < self.policy.layout.lowest {
            let lowest = self.policy.layout.lowest;
            self.step(AddressRange { start: lowest, end: lowest }, Action::Note, Reason::HintRaised);
            return lowest;
        }
        hint
    }

    fn shared_object(&mut self, size_bytes: u64) -> Backing {
        let id = self.next_object;
        self.next_object += 1;
        let name = Label::fixed("/dev/zero (deleted)");
        Backing::File(Arc::new(OpenFile {
            id,
            inode: id,
            readable: true,
            writable: true,
            size_bytes,
            aligns_huge: false,
            seals_writes: false,
            name,
        }))
    }

    fn new_vma(
        &self,
        request: &MapRequest,
        flags: MapFlags,
        backing: Backing,
        range: AddressRange,
        offset: u64,
    ) -> Answer<Vma> {
        let fail = |error, reason| Err(Failure::new(error, reason));
        let mut vm = VmFlags::MAY_ALL | self.future;
        vm.set(VmFlags::GROWS_DOWN, flags.contains(MapFlags::GROWS_DOWN));
        vm.set(VmFlags::NO_HUGE_PAGE, flags.contains(MapFlags::STACK));
        vm.set(VmFlags::NO_RESERVE, flags.contains(MapFlags::NO_RESERVE) && !self.never_overcommits());
        if flags.contains(MapFlags::LOCKED) {
            vm |= VmFlags::LOCKED;
            self.check_may_lock()?;
        }
        if vm.contains(VmFlags::LOCKED) {
            self.check_locked(range.size())?;
        }
        let (kind, access) = (flags & (MapFlags::SHARED | MapFlags::PRIVATE), request.access);
        if kind.is_empty() {
            return fail(LinuxError::Einval, Reason::BadFlags);
        }
        let shared = kind.contains(MapFlags::SHARED);
        let validate = shared && kind.contains(MapFlags::PRIVATE);
        let anonymous = request.source == Source::Anonymous;
        if anonymous && (validate || shared && vm.contains(VmFlags::GROWS_DOWN)) {
            return fail(LinuxError::Einval, Reason::BadFlags);
        }
        if let Source::File { file, .. } = &request.source {
            // MAP_SHARED_VALIDATE knows the older flags only.
            if validate && request.flags.contains(MapFlags::FIXED_NOREPLACE) {
                return fail(LinuxError::Eopnotsupp, Reason::BadFlags);
            }
            if shared && access.contains(Access::WRITE) && !file.writable {
                return fail(LinuxError::Eacces, Reason::NotWritable);
            }
            if !file.readable {
                return fail(LinuxError::Eacces, Reason::NotReadable);
            }
            if vm.contains(VmFlags::GROWS_DOWN) {
                return fail(LinuxError::Einval, Reason::BadFlags);
            }
        }
        if shared {
            let writable = request.file_is_writable();
            vm |= VmFlags::MAY_SHARE;
            vm.set(VmFlags::SHARED | VmFlags::MAY_WRITE, writable);
            if writable && request.seals_writes() {
                if access.contains(Access::WRITE) {
                    return fail(LinuxError::Eperm, Reason::WriteSealed);
                }
                // It can be mapped to be read since Linux 6.7, and then stays so; before, that was EPERM too.
                vm.remove(VmFlags::MAY_WRITE);
            }
        }
        let own_pages = anonymous && !shared;
        let page_offset = if own_pages { range.start.get() / PAGE_SIZE } else { offset / PAGE_SIZE };
        Ok(Vma { access, flags: vm, backing, page_offset, anon: None })
    }

    pub(super) fn never_overcommits(&self) -> bool {
        matches!(self.limits.overcommit, Overcommit::Never { .. })
    }

    /// Says whether `vma` may be put over `range`: `RLIMIT_AS`, `RLIMIT_DATA` and the commit limit allow it.
    fn check_room(&self, range: AddressRange, vma: &Vma) -> Answer<()> {
        let (mut gone, mut gone_accounted) = (0, 0);
        for (at, old) in self.vmas.overlapping(range) {
            let pages = at.intersection(range).map_or(0, AddressRange::size) / PAGE_SIZE;
            gone += pages;
            gone_accounted += if old.flags.contains(VmFlags::ACCOUNT) { pages } else { 0 };
        }
        let pages = range.size() / PAGE_SIZE;
        self.check_expansion(vma, pages - gone.min(pages))?;
        if accountable(vma) {
            self.check_commit(pages.saturating_sub(gone_accounted))?;
        }
        Ok(())
    }

    /// Says whether the process may have `pages` more of what `vma` is.
    ///
    /// Source: Linux, mm/mmap.c, `may_expand_vm`.
    pub(super) fn check_expansion(&self, vma: &Vma, pages: u64) -> Answer<()> {
        if self.totals.mapped.saturating_add(pages) > self.limits.address_space / PAGE_SIZE {
            return Err(Failure::new(LinuxError::Enomem, Reason::AddressSpaceLimit));
        }
        // Valgrind sets the limit to 0 to see brk fail: Linux then takes the hard limit for mappings.
        let data = if self.limits.data == 0 { self.limits.data_hard } else { self.limits.data };
        if vma.is_data() && self.totals.data.saturating_add(pages) > data / PAGE_SIZE {
            return Err(Failure::new(LinuxError::Enomem, Reason::DataLimit));
        }
        Ok(())
    }

    /// Says whether the kernel promises `pages` more.
    ///
    /// Source: Linux, mm/util.c, `__vm_enough_memory`.
    pub(super) fn check_commit(&self, pages: u64) -> Answer<()> {
        let fits = match self.limits.overcommit {
            Overcommit::Always => true,
            Overcommit::Guess { machine_pages } => pages <= machine_pages,
            Overcommit::Never { limit_pages } => self.totals.accounted.saturating_add(pages) <= limit_pages,
        };
        if fits { Ok(()) } else { Err(Failure::new(LinuxError::Enomem, Reason::CommitLimit)) }
    }

    /// Fetches the pages of `range` now, but not those that are locked when they are touched; private writable regions get their owner of anonymous pages by it.
    pub(super) fn populate(&mut self, range: AddressRange) {
        let mut at = range.start;
        while let Some((found, vma)) = self.find(at).filter(|(found, _)| found.start < range.end) {
            at = found.end;
            if vma.flags.contains(VmFlags::LOCK_ON_FAULT) {
                continue;
            }
            let private_write = vma.access.contains(Access::WRITE) && !vma.flags.contains(VmFlags::SHARED);
            let part = found.intersection(range).unwrap_or(found);
            if !vma.access.is_empty() {
                self.step(part, Action::Populate, Reason::Asked);
            }
            if private_write {
                self.give_owner(found.start);
            }
        }
    }
}

impl MapRequest {
    fn seals_writes(&self) -> bool {
        matches!(&self.source, Source::File { file, .. } if file.seals_writes)
    }

    fn file_is_writable(&self) -> bool {
        match &self.source {
            Source::Anonymous => true,
            Source::File { file, .. } => file.writable,
        }
    }
}

impl crate::linux::Limits {
    /// Says whether a mapping that is accountable is marked as counted; Linux marks it in every mode.
    fn overcommit_counts(&self, vma: &Vma) -> bool {
        !vma.flags.contains(VmFlags::NO_RESERVE)
    }
}

/// Says whether a mapping counts against the commit limit: private, writable, and not `MAP_NORESERVE`.
///
/// Source: Linux, mm/vma.c, `accountable_mapping`.
pub(super) fn accountable(vma: &Vma) -> bool {
    vma.access.contains(Access::WRITE) && !vma.flags.intersects(VmFlags::SHARED | VmFlags::NO_RESERVE)
}
