//! Byte-range locks among the open files of this process. Key type: [`LockTable`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfileex>

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::file_share::FileId;
use super::path::lock;
use crate::NtStatus;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ByteLock {
    file: FileId,
    /// The open file that holds it, by the address of its object.
    owner: usize,
    start: u64,
    length: u64,
    exclusive: bool,
}

impl ByteLock {
    fn overlaps(&self, file: FileId, start: u64, length: u64) -> bool {
        let last = |start: u64, length: u64| start.saturating_add(length.saturating_sub(1));
        let is_empty = self.length == 0 || length == 0;
        self.file == file
            && !is_empty
            && start <= last(self.start, self.length)
            && self.start <= last(start, length)
    }
}

/// All byte-range locks of the process.
#[derive(Default)]
pub struct LockTable {
    /// How many there are: most programs have none, and then transfers ask nothing more.
    count: AtomicUsize,
    locks: Mutex<Vec<ByteLock>>,
    released: Condvar,
}

impl LockTable {
    /// Locks a range, at once or when it becomes free.
    ///
    /// # Errors
    /// `LOCK_NOT_GRANTED` when it is taken and `wait` is not set.
    pub fn lock(
        &self,
        file: FileId,
        owner: usize,
        (start, length): (u64, u64),
        exclusive: bool,
        wait: bool,
    ) -> Result<(), NtStatus> {
        let mut locks = lock(&self.locks);
        // Windows refuses a second exclusive lock even to the same owner.
        while locks.iter().any(|held| held.overlaps(file, start, length) && (exclusive || held.exclusive)) {
            if !wait {
                return Err(NtStatus::LOCK_NOT_GRANTED);
            }
            locks = self.released.wait(locks).unwrap_or_else(PoisonError::into_inner);
        }
        locks.push(ByteLock { file, owner, start, length, exclusive });
        self.count.store(locks.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Unlocks exactly a range that was locked.
    ///
    /// # Errors
    /// `RANGE_NOT_LOCKED`.
    pub fn unlock(&self, file: FileId, owner: usize, (start, length): (u64, u64)) -> Result<(), NtStatus> {
        let mut locks = lock(&self.locks);
        let is_it = |held: &ByteLock| {
            (held.file, held.owner, held.start, held.length) == (file, owner, start, length)
        };
        let at = locks.iter().position(is_it).ok_or(NtStatus::RANGE_NOT_LOCKED)?;
        locks.remove(at);
        self.count.store(locks.len(), Ordering::Relaxed);
        self.released.notify_all();
        Ok(())
    }

    /// Removes all locks of an open file that is closed.
    pub fn release(&self, owner: usize) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut locks = lock(&self.locks);
        locks.retain(|held| held.owner != owner);
        self.count.store(locks.len(), Ordering::Relaxed);
        self.released.notify_all();
    }

    /// Says whether there is any lock at all.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Asks whether a transfer runs into another's lock.
    ///
    /// # Errors
    /// `FILE_LOCK_CONFLICT`.
    pub fn check(
        &self,
        file: FileId,
        owner: usize,
        (start, length): (u64, u64),
        is_write: bool,
    ) -> Result<(), NtStatus> {
        let refuses = |held: &ByteLock| {
            held.overlaps(file, start, length) && if held.exclusive { held.owner != owner } else { is_write }
        };
        let refused = lock(&self.locks).iter().any(refuses);
        if refused { Err(NtStatus::FILE_LOCK_CONFLICT) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_refuse_and_let_in_as_documented() {
        let (table, file) = (LockTable::default(), (1, 1));
        assert_eq!(table.lock(file, 1, (10, 5), true, false), Ok(()));
        assert_eq!(table.lock(file, 2, (14, 1), false, false), Err(NtStatus::LOCK_NOT_GRANTED));
        assert_eq!(table.lock(file, 2, (15, 1), true, false), Ok(()));
        assert_eq!(table.check(file, 2, (0, 11), false), Err(NtStatus::FILE_LOCK_CONFLICT));
        assert_eq!(table.check(file, 1, (0, 11), true), Ok(()));
        assert_eq!(table.unlock(file, 1, (10, 4)), Err(NtStatus::RANGE_NOT_LOCKED));
        assert_eq!(table.unlock(file, 1, (10, 5)), Ok(()));
        table.release(2);
        assert!(table.is_empty());
    }
}
