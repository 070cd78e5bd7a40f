//! Byte-range locks. Key type: [`LockTable`], those of this process's open files, which reads and writes mind.
//!
//! Between processes the kernel's locks of open files hold ([`lock_file`]): who asks for a lock meets them; reads and writes
//! of another process do not.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfileex>

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use plat_host::file::File;
use plat_host::file_lock::RangeLock;

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
        // A second exclusive lock is refused even to the same owner; he may share what he has alone.
        let refuses = |held: &ByteLock| {
            held.overlaps(file, start, length) && (exclusive || held.exclusive && held.owner != owner)
        };
        while locks.iter().any(refuses) {
            if !wait {
                return Err(NtStatus::LOCK_NOT_GRANTED);
            }
            locks = self.released.wait(locks).unwrap_or_else(PoisonError::into_inner);
        }
        locks.push(ByteLock { file, owner, start, length, exclusive });
        self.count.store(locks.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Unlocks exactly a range that was locked; of two locks of one owner the exclusive one goes first.
    ///
    /// # Errors
    /// `RANGE_NOT_LOCKED`.
    pub fn unlock(&self, file: FileId, owner: usize, (start, length): (u64, u64)) -> Result<(), NtStatus> {
        let mut locks = lock(&self.locks);
        let is_it = |held: &ByteLock| {
            (held.file, held.owner, held.start, held.length) == (file, owner, start, length)
        };
        let exclusive = locks.iter().position(|held| is_it(held) && held.exclusive);
        let at = exclusive.or_else(|| locks.iter().position(is_it)).ok_or(NtStatus::RANGE_NOT_LOCKED)?;
        locks.remove(at);
        self.count.store(locks.len(), Ordering::Relaxed);
        self.released.notify_all();
        Ok(())
    }

    /// Returns the locks of an open file that have something of a range: where they lie, and whether they are exclusive.
    fn of_owner(&self, file: FileId, owner: usize, (start, length): (u64, u64)) -> Vec<ByteLock> {
        let locks = lock(&self.locks);
        let own = |held: &&ByteLock| held.owner == owner && held.overlaps(file, start, length);
        locks.iter().filter(own).copied().collect()
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

fn kind(exclusive: bool) -> RangeLock {
    if exclusive { RangeLock::Exclusive } else { RangeLock::Shared }
}

/// Sets the kernel's lock of a range. A file that is open for one direction only gets the lock that it can have.
fn set(file: &File, (start, length): (u64, u64), lock: RangeLock) -> bool {
    let other = if lock == RangeLock::Shared { RangeLock::Exclusive } else { RangeLock::Shared };
    let done =
        file.set_range_lock(start, length, lock).or_else(|_| file.set_range_lock(start, length, other));
    // File systems without locks let everybody in.
    done.unwrap_or(true)
}

/// Locks a range against this process's other open files and against other processes.
///
/// # Errors
/// As for [`LockTable::lock`].
pub fn lock_file(
    table: &LockTable,
    file: &File,
    (id, owner): (FileId, usize),
    range: (u64, u64),
    exclusive: bool,
    wait: bool,
) -> Result<(), NtStatus> {
    const LONGEST_PAUSE: u64 = 10_000_000;
    let mut pause = 100_000;
    loop {
        table.lock(id, owner, range, exclusive, wait)?;
        // What the file has alone stays so.
        let has_it = !exclusive && table.of_owner(id, owner, range).iter().any(|held| held.exclusive);
        if has_it || set(file, range, kind(exclusive)) {
            return Ok(());
        }
        table.unlock(id, owner, range)?;
        if !wait {
            return Err(NtStatus::LOCK_NOT_GRANTED);
        }
        plat_host::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Unlocks a range for all.
///
/// # Errors
/// As for [`LockTable::unlock`].
pub fn unlock_file(
    table: &LockTable,
    file: &File,
    (id, owner): (FileId, usize),
    range: (u64, u64),
) -> Result<(), NtStatus> {
    table.unlock(id, owner, range)?;
    let rest = table.of_owner(id, owner, range);
    // The same range that is still shared goes from one lock to the other in one step.
    if !rest.iter().any(|held| (held.start, held.length) == range) {
        set(file, range, RangeLock::Free);
    }
    for held in rest {
        set(file, (held.start, held.length), kind(held.exclusive));
    }
    Ok(())
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
        assert_eq!(table.lock(file, 1, (10, 5), false, false), Ok(()));
        assert_eq!(table.unlock(file, 1, (10, 5)), Ok(()));
        assert_eq!(table.lock(file, 2, (10, 5), false, false), Ok(()), "the exclusive one went first");
        assert_eq!(table.lock(file, 1, (10, 5), true, false), Err(NtStatus::LOCK_NOT_GRANTED));
        assert_eq!(table.unlock(file, 1, (10, 5)), Ok(()));
        table.release(2);
        assert!(table.is_empty());
    }
}
