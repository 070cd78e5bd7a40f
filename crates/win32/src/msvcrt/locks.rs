//! Recursive locks: those of `_lock` by number, those of streams by address.
//!
//! A stream of `_iob` has one of the numbered locks, and every other stream a critical section behind it: programs whose
//! own library has `_lock_file`, as mingw-w64's has, take them there.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::data::IOB_COUNT;
use super::state::crt;
use super::stream;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::critical_section::CriticalSection;
use crate::teb::Teb;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _lock;
    full _unlock;
    full _lock_file;
    full _unlock_file;
};

/// How long the end of the program waits for a stream that another thread uses.
const PATIENCE_AT_END: Duration = Duration::from_millis(200);

/// The number of the lock of the first stream of `_iob`.
const STREAM_LOCKS: u64 = 16;

/// All locks of the runtime, made when first taken.
#[derive(Default)]
pub(crate) struct Locks {
    locks: Mutex<HashMap<u64, Arc<Lock>>>,
}

/// A lock that its owner may take again.
#[derive(Default)]
pub(crate) struct Lock {
    state: Mutex<LockState>,
    freed: Condvar,
}

/// Who holds a lock.
#[derive(Default)]
struct LockState {
    /// The owning thread's identifier.
    owner: u64,
    /// How often the owner took it.
    depth: u32,
    /// Threads that wait: without any, giving the lock back is no system call.
    waiting: u32,
}

impl Locks {
    /// Returns the lock of this number or address.
    pub(crate) fn get(&self, key: u64) -> Arc<Lock> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.entry(key).or_default().clone()
    }
}

impl Lock {
    /// Takes the lock for a thread, waiting for it if need be.
    pub(crate) fn acquire(&self, thread: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.depth != 0 && state.owner != thread {
            state.waiting += 1;
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        state.owner = thread;
        state.depth += 1;
    }

    /// Takes the lock for a thread if it is free within `patience`; says whether it was.
    pub(crate) fn acquire_within(&self, thread: u64, patience: Duration) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_taken = |state: &mut LockState| state.depth != 0 && state.owner != thread;
        if is_taken(&mut state) {
            state.waiting += 1;
            let waited = self.freed.wait_timeout_while(state, patience, is_taken);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
            if is_taken(&mut state) {
                return false;
            }
        }
        state.owner = thread;
        state.depth += 1;
        true
    }

    /// Gives the lock back once; a thread that does not own it changes nothing.
    pub(crate) fn release(&self, thread: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.owner == thread && state.depth > 0 {
            state.depth -= 1;
            if state.depth == 0 && state.waiting > 0 {
                self.freed.notify_one();
            }
        }
    }
}

/// Runs `work` while the calling thread holds the lock of `key`; `work` calls no guest code.
pub(crate) fn with<T>(guest: &mut Guest, key: u64, work: impl FnOnce(&mut Guest) -> T) -> T {
    let (lock, thread) = (crt(guest).locks.get(key), thread_id(guest));
    lock.acquire(thread);
    let result = work(guest);
    lock.release(thread);
    result
}

/// The lock of one stream.
enum StreamLock {
    Numbered(Arc<Lock>),
    Section(CriticalSection),
}

impl StreamLock {
    fn of(guest: &Guest, file: u64) -> Self {
        let (first, size) = (stream::iob(guest), stream::size(guest.machine()));
        let index = file.wrapping_sub(first) / size;
        if index < IOB_COUNT {
            return Self::Numbered(crt(guest).locks.get(STREAM_LOCKS + index));
        }
        let extra = crt(guest).extra_streams.lock().unwrap_or_else(PoisonError::into_inner);
        if extra.contains(&file) {
            return Self::Section(CriticalSection::at(guest.machine(), file + size));
        }
        Self::Numbered(crt(guest).locks.get(file))
    }

    /// Takes the lock. A program that broke its critical section goes without.
    fn acquire(&self, thread: u64) {
        match self {
            Self::Numbered(lock) => lock.acquire(thread),
            Self::Section(section) => drop(section.enter(thread as u32)),
        }
    }

    fn acquire_within(&self, thread: u64, patience: Duration) -> bool {
        const LOOK_AGAIN: Duration = Duration::from_millis(1);
        let section = match self {
            Self::Numbered(lock) => return lock.acquire_within(thread, patience),
            Self::Section(section) => section,
        };
        for _ in 0..patience.as_millis() {
            if section.try_enter(thread as u32) != Ok(false) {
                return true;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        false
    }

    fn release(&self, thread: u64) {
        match self {
            Self::Numbered(lock) => lock.release(thread),
            Self::Section(section) => drop(section.leave()),
        }
    }
}

/// Runs `work` while the calling thread holds a stream's lock; `work` calls no guest code.
pub(crate) fn with_stream<T>(guest: &mut Guest, file: u64, work: impl FnOnce(&mut Guest) -> T) -> T {
    let (lock, thread) = (StreamLock::of(guest, file), thread_id(guest));
    lock.acquire(thread);
    let result = work(guest);
    lock.release(thread);
    result
}

/// Runs `work` as [`with_stream`] does, unless another thread does not let go of the lock: at the end of the program it
/// may wait for ever, for a line from a pipe.
pub(crate) fn with_stream_at_end(
    guest: &mut Guest,
    file: u64,
    work: impl FnOnce(&mut Guest) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (lock, thread) = (StreamLock::of(guest, file), thread_id(guest));
    if !lock.acquire_within(thread, PATIENCE_AT_END) {
        return Ok(());
    }
    let result = work(guest);
    lock.release(thread);
    result
}

fn thread_id(guest: &Guest) -> u64 {
    guest.teb().get(Teb::THREAD_ID).unwrap_or(0)
}

/// Takes one of the runtime's locks.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/internal-crt-globals-and-functions>
#[winapi(cdecl)]
pub fn _lock(guest: &mut Guest, locknum: i32) {
    crt(guest).locks.get(u64::from(locknum as u32)).acquire(thread_id(guest));
}

/// Gives back one of the runtime's locks.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/internal-crt-globals-and-functions>
#[winapi(cdecl)]
pub fn _unlock(guest: &mut Guest, locknum: i32) {
    crt(guest).locks.get(u64::from(locknum as u32)).release(thread_id(guest));
}

/// Takes a stream's lock.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/lock-file>
#[winapi(cdecl)]
pub fn _lock_file(guest: &mut Guest, file: GuestWord) {
    StreamLock::of(guest, file.0).acquire(thread_id(guest));
}

/// Gives back a stream's lock.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/unlock-file>
#[winapi(cdecl)]
pub fn _unlock_file(guest: &mut Guest, file: GuestWord) {
    StreamLock::of(guest, file.0).release(thread_id(guest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_takes_again_and_others_wait_until_the_last_release() {
        let lock = Arc::new(Lock::default());
        lock.acquire(1);
        lock.acquire(1);
        lock.release(2);
        let other = Arc::clone(&lock);
        let waiter = std::thread::spawn(move || {
            other.acquire(2);
            let state = other.state.lock().unwrap();
            (state.owner, state.depth)
        });
        lock.release(1);
        assert_eq!(lock.state.lock().unwrap().owner, 1);
        lock.release(1);
        assert_eq!(waiter.join().unwrap(), (2, 1));
    }
}
