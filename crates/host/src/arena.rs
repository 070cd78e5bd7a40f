//! The guest's address space on the kernel: reserved first, never let go, changed only as the books say.
//!
//! Every range handed to this module must lie in the reserved windows; releasing turns it back into a reservation,
//! never into free space that another `mmap` could take. Key type: [`Arena`]. Neighbour: `maps` reads the kernel's view.

mod kept;

use std::ffi::c_void;
use std::os::fd::{AsFd, BorrowedFd};

use plat_regions::{Access, AddressRange};
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};

use crate::memory;
use crate::section::Section;
use kept::Kept;

/// The kernel refused to lay the guest's address space out.
#[derive(Debug, thiserror::Error)]
pub enum ArenaError {
    /// A window could not be reserved at start.
    #[error(
        "cannot reserve {range} for the guest: {source}; something of this process lies there, or a limit \
             (ulimit -v) is too low"
    )]
    Reserve {
        /// The window.
        range: AddressRange,
        /// The kernel's word.
        source: rustix::io::Errno,
    },
    /// A range outside the reserved windows was to be changed.
    #[error("{range} is not inside the guest's reserved windows")]
    Outside {
        /// The range.
        range: AddressRange,
    },
    /// The kernel refused a change inside a window.
    #[error("the kernel refused to {verb} {range}: {source}")]
    Change {
        /// What was to be done.
        verb: &'static str,
        /// Where.
        range: AddressRange,
        /// The kernel's word.
        source: rustix::io::Errno,
    },
}

impl ArenaError {
    /// Says whether the kernel lacked memory, or map entries, for the change.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Change { source: rustix::io::Errno::NOMEM, .. })
    }
}

/// The reserved windows. There is one arena in a process, and it is never given back.
#[derive(Debug)]
pub struct Arena {
    windows: Vec<AddressRange>,
    kept: Kept,
}

impl Arena {
    /// Reserves `windows` (at most two, page-aligned) before anything else may allocate there.
    ///
    /// # Errors
    /// [`ArenaError::Reserve`] when a part of a window is in use or a limit forbids it.
    pub fn reserve(windows: &[AddressRange]) -> Result<Self, ArenaError> {
        for &range in windows {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE;
            let start = range.start.get() as *mut c_void;
            // SAFETY: 1. NOREPLACE: nothing that exists is touched.
            let result = unsafe {
                rustix::mm::mmap_anonymous(start, range.size() as usize, ProtFlags::empty(), flags)
            };
            result.map_err(|source| ArenaError::Reserve { range, source })?;
        }
        memory::set_windows(windows);
        Ok(Self { windows: windows.to_vec(), kept: Kept::default() })
    }

    /// Returns the reserved windows.
    pub fn windows(&self) -> &[AddressRange] {
        &self.windows
    }

    /// Makes fresh pages of zeros.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn map_anonymous(&self, range: AddressRange, access: Access) -> Result<(), ArenaError> {
        self.check(range)?;
        if access == Access::READ | Access::WRITE && self.kept.open(range) {
            return Ok(());
        }
        self.kept.forget(range);
        self.map_fresh(range, access)
    }

    /// Makes fresh readable and writable pages that are about to be filled: they are there at once, without a fault each.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn map_filled(&self, range: AddressRange) -> Result<(), ArenaError> {
        self.check(range)?;
        self.kept.forget(range);
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED | MapFlags::POPULATE;
        let start = range.start.get() as *mut c_void;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: 1. the range is in the arena, where no Rust object lives.
        let result = unsafe { rustix::mm::mmap_anonymous(start, range.size() as usize, access, flags) };
        result.map(|_| ()).map_err(|source| ArenaError::Change { verb: "map", range, source })
    }

    /// Makes the pages of a writable range at once, before they are filled. A failure only makes the filling slower.
    pub fn populate(&self, range: AddressRange) {
        /// Below this, faults cost less than the call.
        const BYTES_MIN: u64 = 16 * 4096;
        if self.check(range).is_ok() && range.size() >= BYTES_MIN {
            let advice = rustix::mm::Advice::LinuxPopulateWrite;
            let start = range.start.get() as *mut c_void;
            // SAFETY: 1. the range is in the arena, where no Rust object lives; populating changes no contents.
            let _ = unsafe { rustix::mm::madvise(start, range.size() as usize, advice) };
        }
    }

    fn map_fresh(&self, range: AddressRange, access: Access) -> Result<(), ArenaError> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
        let start = range.start.get() as *mut c_void;
        // SAFETY: 1. the range is in the arena, where no Rust object lives.
        let result =
            unsafe { rustix::mm::mmap_anonymous(start, range.size() as usize, protection(access), flags) };
        result.map(|_| ()).map_err(|source| ArenaError::Change { verb: "map", range, source })
    }

    /// Maps a file from `offset`, a multiple of the page size; `shared` writes go to the file.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn map_file(
        &self,
        range: AddressRange,
        access: Access,
        file: BorrowedFd<'_>,
        offset: u64,
        shared: bool,
    ) -> Result<(), ArenaError> {
        self.check(range)?;
        self.kept.forget(range);
        let sharing = if shared { MapFlags::SHARED } else { MapFlags::PRIVATE };
        let start = range.start.get() as *mut c_void;
        let flags = sharing | MapFlags::NORESERVE | MapFlags::FIXED;
        // SAFETY: 1. the range is in the arena, where no Rust object lives.
        let result = unsafe {
            rustix::mm::mmap(start, range.size() as usize, protection(access), flags, file, offset)
        };
        result.map(|_| ()).map_err(|source| ArenaError::Change { verb: "map a file at", range, source })
    }

    /// Maps a section from `offset`, a multiple of the page size; `shared` writes go to the section.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn map_section(
        &self,
        range: AddressRange,
        access: Access,
        section: &Section,
        offset: u64,
        shared: bool,
    ) -> Result<(), ArenaError> {
        self.map_file(range, access, section.as_fd(), offset, shared)
    }

    /// Writes changed pages of a shared file mapping to the file.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn write_back(&self, range: AddressRange) -> Result<(), ArenaError> {
        self.check(range)?;
        let start = range.start.get() as *mut c_void;
        // SAFETY: 1. the range is in the arena.
        let result = unsafe { rustix::mm::msync(start, range.size() as usize, rustix::mm::MsyncFlags::SYNC) };
        result.map_err(|source| ArenaError::Change { verb: "write back", range, source })
    }

    /// Changes what the processor may do with pages.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn protect(&self, range: AddressRange, access: Access) -> Result<(), ArenaError> {
        self.check(range)?;
        self.kept.forget(range);
        let flags = MprotectFlags::from_bits_retain(protection(access).bits());
        let start = range.start.get() as *mut c_void;
        // SAFETY: 1. the range is in the arena, where no Rust object lives.
        let result = unsafe { rustix::mm::mprotect(start, range.size() as usize, flags) };
        result.map_err(|source| ArenaError::Change { verb: "protect", range, source })
    }

    /// Drops the contents of pages that stay mapped: they read as zeros (or as their file) again.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn drop_contents(&self, range: AddressRange) -> Result<(), ArenaError> {
        self.check(range)?;
        let start = range.start.get() as *mut c_void;
        // SAFETY: 1. the range is in the arena, where no Rust object lives.
        let result = unsafe { rustix::mm::madvise(start, range.size() as usize, Advice::LinuxDontNeed) };
        result.map_err(|source| ArenaError::Change { verb: "drop the contents of", range, source })
    }

    /// Turns a range back into a reservation: no contents, no access.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn release(&self, range: AddressRange) -> Result<(), ArenaError> {
        self.map_anonymous(range, Access::empty())
    }

    /// Turns a range of readable and writable anonymous pages back into a reservation, the quick way where it can.
    ///
    /// # Errors
    /// [`ArenaError`] when the range is outside the windows or the kernel refuses.
    pub fn release_data(&self, range: AddressRange) -> Result<(), ArenaError> {
        self.check(range)?;
        if self.kept.close(range) {
            return Ok(());
        }
        self.kept.forget(range);
        self.map_fresh(range, Access::empty())?;
        self.kept.keep(range);
        Ok(())
    }

    fn check(&self, range: AddressRange) -> Result<(), ArenaError> {
        let inside = self.windows.iter().any(|window| window.contains_range(range));
        if inside && !range.is_empty() { Ok(()) } else { Err(ArenaError::Outside { range }) }
    }
}

fn protection(access: Access) -> ProtFlags {
    let mut flags = ProtFlags::empty();
    flags.set(ProtFlags::READ, access.contains(Access::READ));
    flags.set(ProtFlags::WRITE, access.contains(Access::WRITE));
    flags.set(ProtFlags::EXEC, access.contains(Access::EXECUTE));
    flags
}
