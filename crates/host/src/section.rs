//! What can be mapped: a file, or memory without one.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::MemfdFlags;

use crate::file::File;
use crate::file_path::Errno;

/// A file, or anonymous memory, with the size that views may have.
#[derive(Debug)]
pub struct Section {
    fd: OwnedFd,
    size: u64,
}

impl Section {
    /// Makes memory of `size` bytes, zeroed, that views share.
    ///
    /// # Errors
    /// The system's error.
    pub fn anonymous(size: u64) -> Result<Self, Errno> {
        let fd = rustix::fs::memfd_create("plat section", MemfdFlags::CLOEXEC).map_err(errno)?;
        rustix::fs::ftruncate(&fd, size).map_err(errno)?;
        Ok(Self { fd, size })
    }

    /// Takes a section that another process made, of `size` bytes.
    pub fn from_fd(fd: OwnedFd, size: u64) -> Self {
        Self { fd, size }
    }

    /// Takes a file of at least `size` bytes.
    ///
    /// # Errors
    /// The system's error.
    pub fn of_file(file: &File, size: u64) -> Result<Self, Errno> {
        let fd = rustix::io::fcntl_dupfd_cloexec(file.as_fd(), 3).map_err(errno)?;
        Ok(Self { fd, size })
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl AsFd for Section {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn errno(errno: rustix::io::Errno) -> Errno {
    Errno(errno.raw_os_error())
}
