//! A page of numbers that several processes share. Key type: [`SharedWords`].

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags};
use rustix::thread::futex;

use crate::file_path::Errno;

/// Numbers in the page.
pub const WORDS: usize = 512;
const BYTES: usize = WORDS * 8;

/// A page of shared memory, seen as numbers; it begins as zeros.
#[derive(Debug)]
pub struct SharedWords {
    fd: OwnedFd,
    first: *const AtomicU64,
}

// SAFETY: 1. the mapping lives as long as the value; 2. it is only accessed atomically.
unsafe impl Send for SharedWords {}
// SAFETY: 1. as for Send.
unsafe impl Sync for SharedWords {}

impl Drop for SharedWords {
    fn drop(&mut self) {
        // SAFETY: 1. the page was mapped by `map` and is not used again.
        let _ = unsafe { rustix::mm::munmap(self.first.cast_mut().cast(), BYTES) };
    }
}

impl AsFd for SharedWords {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl SharedWords {
    /// Makes a page.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn create() -> Result<Self, Errno> {
        let fd = rustix::fs::memfd_create("plat shared", rustix::fs::MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&fd, BYTES as u64)?;
        Self::map(fd)
    }

    /// Maps a page that another process made.
    ///
    /// # Errors
    /// The kernel's errno; EINVAL when it is too short.
    pub fn map(fd: OwnedFd) -> Result<Self, Errno> {
        if rustix::fs::fstat(&fd)?.st_size < BYTES as i64 {
            return Err(Errno(libc::EINVAL));
        }
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: 1. a new mapping, wherever there is room.
        let place =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), BYTES, rights, MapFlags::SHARED, &fd, 0)? };
        Ok(Self { fd, first: place.cast() })
    }

    /// Returns the lower half of a number, for `Parker::park_with`.
    pub fn half(&self, index: usize) -> &AtomicU32 {
        let word = std::ptr::from_ref(self.word(index));
        // SAFETY: 1. the machine is little-endian: the lower half lies first; 2. it lives as long as the number. Mixed
        // sizes: nobody uses the whole of a number whose half is used.
        unsafe { &*word.cast::<AtomicU32>() }
    }

    /// Adds one to a half and wakes all who wait for it to change, in whatever process.
    pub fn ring(&self, index: usize) {
        let half = self.half(index);
        half.fetch_add(1, Ordering::AcqRel);
        let _ = futex::wake(half, futex::Flags::empty(), i32::MAX as u32);
    }

    /// Returns a number; those past the end are the last.
    pub fn word(&self, index: usize) -> &AtomicU64 {
        // SAFETY: 1. the index lies inside the page.
        let word = unsafe { self.first.add(index.min(WORDS - 1)) };
        // SAFETY: 1. the page is mapped as long as `self` lives, and aligned. 2. all access is atomic.
        unsafe { &*word }
    }
}

/// Opens the reading end of a pipe of which the writing end is at hand.
///
/// # Errors
/// The kernel's errno.
pub fn reading_end(writing: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", writing.as_raw_fd());
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC | rustix::fs::OFlags::NONBLOCK;
    Ok(rustix::fs::open(path, flags, rustix::fs::Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mappings_show_the_same_numbers() {
        let first = SharedWords::create().unwrap();
        let second = SharedWords::map(crate::spawn::duplicate(first.as_fd()).unwrap()).unwrap();
        first.word(7).store(9, Ordering::Release);
        assert_eq!(second.word(7).load(Ordering::Acquire), 9);
        assert_eq!(second.word(WORDS).load(Ordering::Acquire), 0);
    }

    #[test]
    fn a_pipes_other_end_hears_when_all_writers_are_gone() {
        let (read, write) = crate::file::File::pipe().unwrap();
        drop(read);
        let other = crate::file::File::from(reading_end(write.as_fd()).unwrap());
        assert!(!other.is_hung_up());
        drop(write);
        assert!(other.is_hung_up());
    }
}
