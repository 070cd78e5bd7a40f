//! One mapping of Linux: [`Vma`], what it shows ([`Backing`]) and how it behaves ([`VmFlags`]).

use std::sync::Arc;

use crate::{Access, Address, AddressRange, Label, PAGE_SIZE, RegionValue};

bitflags::bitflags! {
    /// How a mapping behaves, besides its access. Two mappings merge only when these are equal.
    ///
    /// The values are plat's own. Source: Linux, include/linux/mm.h, `VM_*`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct VmFlags: u32 {
        /// Writes are seen by all who map the same object (`VM_SHARED`).
        const SHARED = 1;
        /// Mapped with `MAP_SHARED`, writable or not (`VM_MAYSHARE`).
        const MAY_SHARE = 1 << 1;
        /// `mprotect` may make it readable.
        const MAY_READ = 1 << 2;
        /// `mprotect` may make it writable.
        const MAY_WRITE = 1 << 3;
        /// `mprotect` may make it executable.
        const MAY_EXECUTE = 1 << 4;
        /// Grows down when the gap below it is touched, as stacks do.
        const GROWS_DOWN = 1 << 5;
        /// Pages stay in memory (`mlock`).
        const LOCKED = 1 << 6;
        /// Pages are locked when they are first touched (`MLOCK_ONFAULT`).
        const LOCK_ON_FAULT = 1 << 7;
        /// Not copied by `fork` (`MADV_DONTFORK`).
        const DONT_FORK = 1 << 8;
        /// Empty in the child of a `fork` (`MADV_WIPEONFORK`).
        const WIPE_ON_FORK = 1 << 9;
        /// Not counted against the commit limit (`MAP_NORESERVE`).
        const NO_RESERVE = 1 << 10;
        /// Counted against the commit limit (`VM_ACCOUNT`): private and writable, now or before.
        const ACCOUNT = 1 << 11;
        /// Not in core dumps (`MADV_DONTDUMP`).
        const DONT_DUMP = 1 << 12;
        /// Read in order (`MADV_SEQUENTIAL`).
        const SEQUENTIAL = 1 << 13;
        /// Read at random (`MADV_RANDOM`).
        const RANDOM = 1 << 14;
        /// Huge pages wanted (`MADV_HUGEPAGE`).
        const HUGE_PAGE = 1 << 15;
        /// Huge pages not wanted (`MADV_NOHUGEPAGE`).
        const NO_HUGE_PAGE = 1 << 16;
        /// Equal pages may be shared (`MADV_MERGEABLE`).
        const MERGEABLE = 1 << 17;
        /// The kernel's own mapping: never merges, never resized (`VM_SPECIAL`).
        const SPECIAL = 1 << 18;
        /// Nobody unmaps or changes it (`mseal`).
        const SEALED = 1 << 19;
        /// May be dropped under memory pressure (`MAP_DROPPABLE`).
        const DROPPABLE = 1 << 20;
        /// May not be extended by `mremap` (`VM_DONTEXPAND`).
        const DONT_EXPAND = 1 << 21;
        /// Any of the three rights that `mprotect` may give.
        const MAY_ALL = Self::MAY_READ.bits() | Self::MAY_WRITE.bits() | Self::MAY_EXECUTE.bits();
    }
}

/// An open file (Linux's `struct file`) or a shared memory object: mappings merge only within one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFile {
    /// Number of the open file; two `open`s of one file have two.
    pub id: u64,
    /// Number of the file itself, as `/proc/PID/maps` shows it.
    pub inode: u64,
    /// Whether it was opened for reading.
    pub readable: bool,
    /// Whether it was opened for writing.
    pub writable: bool,
    /// Size in bytes: a touch of a page wholly beyond it is `SIGBUS`.
    pub size_bytes: u64,
    /// Whether its file system places large mappings at multiples of a huge page (ext4 and others).
    pub aligns_huge: bool,
    /// Whether no new mapping may write so that all see it (`F_SEAL_WRITE`, `F_SEAL_FUTURE_WRITE`).
    pub seals_writes: bool,
    /// Path, as `/proc/PID/maps` shows it.
    pub name: Label,
}

/// Where the contents of a mapping come from.
#[derive(Clone, Debug, Default)]
pub enum Backing {
    /// Zeroed memory of the process.
    #[default]
    Anonymous,
    /// A file, or a shared memory object.
    File(Arc<OpenFile>),
    /// The kernel's own, such as `[vdso]`.
    Special(Label),
}

impl PartialEq for Backing {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Anonymous, Self::Anonymous) => true,
            (Self::File(a), Self::File(b)) => a.id == b.id,
            (Self::Special(a), Self::Special(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Backing {}

/// The owner of a mapping's anonymous pages, given by its first written page.
///
/// Source: Linux, mm/rmap.c, `anon_vma_prepare` and `anon_vma_fork`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnonVma {
    /// Number of the `anon_vma`; unique within one space.
    pub id: u64,
    /// Whether it was made by `fork`: its pages may still belong to the parent too.
    pub forked: bool,
}

/// One mapping, Linux's `vm_area_struct`; its range is the key in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vma {
    /// What the processor may do.
    pub access: Access,
    /// How it behaves.
    pub flags: VmFlags,
    /// Where contents come from.
    pub backing: Backing,
    /// Number of the first page: in the file, or for private anonymous memory of its first address.
    pub page_offset: u64,
    /// The owner of anonymous pages, once there was one.
    pub anon: Option<AnonVma>,
}

impl Vma {
    /// Says whether it is private memory that shows no file.
    pub fn is_anonymous(&self) -> bool {
        self.backing == Backing::Anonymous
    }

    /// Says whether it shows an object whose writes all see.
    pub fn is_shared(&self) -> bool {
        self.flags.contains(VmFlags::MAY_SHARE)
    }

    /// Returns the file or shared memory object.
    pub fn file(&self) -> Option<&OpenFile> {
        match &self.backing {
            Backing::File(file) => Some(file),
            _ => None,
        }
    }

    /// Returns the offset in bytes that `/proc/PID/maps` shows: 0 for anonymous memory.
    pub fn shown_offset(&self) -> u64 {
        if self.file().is_some() { self.page_offset.wrapping_mul(PAGE_SIZE) } else { 0 }
    }

    /// Says whether it counts as data against `RLIMIT_DATA`: private, writable, no stack.
    ///
    /// Source: Linux, mm/internal.h, `is_data_mapping`.
    pub fn is_data(&self) -> bool {
        self.access.contains(Access::WRITE) && !self.flags.intersects(VmFlags::SHARED | VmFlags::GROWS_DOWN)
    }

    /// Says whether the last page below `end` lies wholly beyond the end of the file, in a mapping that starts at `start`.
    pub fn is_beyond_file(&self, start: Address, end: Address) -> bool {
        let pages = |file: &OpenFile| file.size_bytes.div_ceil(PAGE_SIZE);
        self.file().is_some_and(|file| self.page_at(start, end) > pages(file))
    }

    /// Returns the number of the page at `address` in a mapping that starts at `start`.
    pub fn page_at(&self, start: Address, address: Address) -> u64 {
        let bytes = address.get().wrapping_sub(start.get());
        self.page_offset.wrapping_add(bytes / PAGE_SIZE)
    }
}

impl RegionValue for Vma {
    // Whether two mappings become one depends on the operation: see merge.rs.
    fn merge(&self, _: AddressRange, _: &Self, _: AddressRange) -> Option<Self> {
        None
    }

    fn split(&self, range: AddressRange, at: Address) -> (Self, Self) {
        (self.clone(), Self { page_offset: self.page_at(range.start, at), ..self.clone() })
    }
}
