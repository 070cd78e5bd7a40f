//! Locks of ranges of bytes that hold between processes: the kernel's, owned by an open file.

use std::os::fd::{AsFd, AsRawFd};

use crate::file::File;
use crate::file_path::Errno;

/// What becomes of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeLock {
    /// Nobody has it.
    Free,
    /// Others may share it.
    Shared,
    /// It is this open file's alone.
    Exclusive,
}

impl File {
    /// Locks or frees a range without waiting; says whether it is so now. A range that reaches past what the kernel can
    /// count goes to the end, one that begins there is nobody's business.
    ///
    /// # Errors
    /// The kernel's errno; EBADF when the file is not open for what the lock protects.
    pub fn set_range_lock(&self, start: u64, length: u64, lock: RangeLock) -> Result<bool, Errno> {
        let Ok(l_start) = i64::try_from(start) else { return Ok(true) };
        if length == 0 {
            return Ok(true);
        }
        let end = start.checked_add(length).filter(|&end| end <= i64::MAX as u64);
        let kind = match lock {
            RangeLock::Free => libc::F_UNLCK,
            RangeLock::Shared => libc::F_RDLCK,
            RangeLock::Exclusive => libc::F_WRLCK,
        };
        let range = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start,
            // To the kernel, 0 is all the rest.
            l_len: end.map_or(0, |_| length as i64),
            l_pid: 0,
        };
        // SAFETY: 1. the descriptor is open. 2. the kernel only reads the structure, which lives until it returns.
        let done = unsafe { libc::fcntl(self.as_fd().as_raw_fd(), libc::F_OFD_SETLK, &raw const range) };
        if done == 0 {
            return Ok(true);
        }
        match std::io::Error::last_os_error().raw_os_error().unwrap_or(0) {
            libc::EAGAIN | libc::EACCES => Ok(false),
            other => Err(Errno(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Open;

    #[test]
    fn open_files_exclude_each_other() {
        let path = std::env::temp_dir().join(format!("plat-range-lock-{}", std::process::id()));
        let how = Open { read: true, write: true, create: true, mode: 0o600, ..Open::default() };
        let (one, two) = (File::open(&path, how).unwrap(), File::open(&path, how).unwrap());
        let read_only = File::open(&path, Open { read: true, ..Open::default() }).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(one.set_range_lock(10, 5, RangeLock::Exclusive), Ok(true));
        assert_eq!(two.set_range_lock(14, 1, RangeLock::Shared), Ok(false));
        assert_eq!(two.set_range_lock(15, u64::MAX, RangeLock::Exclusive), Ok(true));
        assert_eq!(one.set_range_lock(u64::MAX - 4, 2, RangeLock::Exclusive), Ok(true));
        assert_eq!(one.set_range_lock(10, 5, RangeLock::Shared), Ok(true));
        assert_eq!(two.set_range_lock(14, 1, RangeLock::Shared), Ok(true));
        assert_eq!(read_only.set_range_lock(0, 1, RangeLock::Exclusive), Err(Errno(libc::EBADF)));
        drop(two);
        assert_eq!(one.set_range_lock(14, 9, RangeLock::Exclusive), Ok(true));
    }
}
