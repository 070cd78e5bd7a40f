//! Which processes serve a pipe's name, and how many instances each of them has: a page that they share.
//!
//! Key type: [`PipeTable`]. Each process writes its own row; rows of processes that have died, however, do not count.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;

use plat_host::shared_words::{SharedWords, WORDS};
use plat_host::{process, sysinfo};

use crate::NtStatus;

/// The instances of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that it made and has.
    pub instances: u32,
    /// Those that take a client at once.
    pub free: u32,
    /// Those that it shares with another process: they take a client when somebody waits for one.
    pub dormant: u32,
}

/// The page: two numbers for each process, who it is and what it has.
#[derive(Debug)]
pub struct PipeTable {
    words: SharedWords,
    row: usize,
}

impl Drop for PipeTable {
    fn drop(&mut self) {
        self.words.word(self.row * 2).store(0, Ordering::Release);
    }
}

impl AsFd for PipeTable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.words.as_fd()
    }
}

/// Names a process by its number and its birth.
fn name_of(id: u32) -> Option<u64> {
    process::birth(id).map(|birth| u64::from(id) << 32 | birth & 0xffff_ffff)
}

/// Returns the number of a process of the table, if it lives.
fn living(name: u64) -> Option<u32> {
    let id = (name >> 32) as u32;
    (name != 0 && name_of(id) == Some(name)).then_some(id)
}

impl Counts {
    fn pack(self) -> u64 {
        let field = |count: u32| u64::from(count.min(0xffff));
        field(self.instances) | field(self.free) << 16 | field(self.dormant) << 32
    }

    fn unpack(word: u64) -> Self {
        let field = |shift: u32| (word >> shift) as u32 & 0xffff;
        Self { instances: field(0), free: field(16), dormant: field(32) }
    }
}

impl PipeTable {
    /// Makes a table with a row for this process.
    ///
    /// # Errors
    /// `NO_MEMORY` and its like.
    pub fn create() -> Result<Self, NtStatus> {
        Self::take_row(SharedWords::create().map_err(|errno| NtStatus::from_errno(errno.0))?)
    }

    /// Takes a row in another process's table.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is none, `INSUFFICIENT_RESOURCES` when it is full.
    pub fn join(fd: OwnedFd) -> Result<Self, NtStatus> {
        Self::take_row(SharedWords::map(fd).map_err(|_| NtStatus::INVALID_HANDLE)?)
    }

    fn take_row(words: SharedWords) -> Result<Self, NtStatus> {
        let own = name_of(sysinfo::process_id()).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        for row in 0..WORDS / 2 {
            let word = words.word(row * 2);
            let now = word.load(Ordering::Acquire);
            let is_free = now == 0 || now == own || living(now).is_none();
            if is_free && word.compare_exchange(now, own, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                words.word(row * 2 + 1).store(0, Ordering::Release);
                return Ok(Self { words, row });
            }
        }
        Err(NtStatus::INSUFFICIENT_RESOURCES)
    }

    /// Says what this process has.
    pub fn publish(&self, counts: Counts) {
        self.words.word(self.row * 2 + 1).store(counts.pack(), Ordering::Release);
    }

    /// Returns the other processes that live, and what they have.
    pub fn others(&self) -> Vec<(u32, Counts)> {
        let rows = (0..WORDS / 2).filter(|&row| row != self.row);
        let read = |row: usize| {
            let id = living(self.words.word(row * 2).load(Ordering::Acquire))?;
            Some((id, Counts::unpack(self.words.word(row * 2 + 1).load(Ordering::Acquire))))
        };
        rows.filter_map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_dead_are_taken_and_do_not_count() {
        let table = PipeTable::create().expect("a page");
        table.publish(Counts { instances: 3, free: 2, dormant: 1 });
        let mut other = std::process::Command::new("sleep").arg("30").spawn().expect("sleep runs");
        let put = |row: usize, word: u64| table.words.word(row).store(word, Ordering::Release);
        put(2, name_of(other.id()).expect("it lives"));
        put(3, Counts { instances: 5, free: 0, dormant: 4 }.pack());
        // Of the same number, and born at another time.
        put(4, name_of(other.id()).expect("it lives") ^ 1);
        assert_eq!(table.others(), [(other.id(), Counts { instances: 5, free: 0, dormant: 4 })]);
        other.kill().expect("it is ours");
        other.wait().expect("it is ours");
        assert_eq!(table.others(), []);
        let again = PipeTable::join(table.as_fd().try_clone_to_owned().expect("a descriptor"));
        assert_eq!(again.expect("a row").row, 0, "a process has one row");
    }
}
