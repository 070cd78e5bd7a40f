//! The state of an event, a mutex, a semaphore or a timer that several processes have: a page of shared memory.
//!
//! Key type: [`SharedState`]. Whoever changes the state does it in one atomic step, and then rings: who waits, in
//! whatever process, looks again. A mutex names its owner with his process's birth, so that one whose process has died,
//! however, is found to be abandoned; those who wait for a mutex of another process look for that now and then.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use plat_host::shared_words::SharedWords;
use plat_host::{process, sysinfo};

use crate::NtStatus;

/// The number in the page that is rung.
const BELL: usize = 0;
/// What waits ask: whether an event is set, a semaphore's count, a mutex's owner, whether a timer is signalled.
const STATE: usize = 1;
/// Whether it stays signalled; a semaphore's limit.
const TRAIT: usize = 2;
/// How often a mutex is owned; when a timer is due.
const SECOND: usize = 3;
/// Whether a mutex is abandoned; a timer's period.
const THIRD: usize = 4;

/// How often, in nanoseconds, a waiting thread looks whether a mutex's owner is alive.
pub const OWNER_LOOK: u64 = 30_000_000;

/// Bits of a process's number, of its birth, and of a thread's number divided by four.
const PROCESS_BITS: u32 = 22;
const BIRTH_BITS: u32 = 21;
const THREAD_BITS: u32 = 21;

/// A state in shared memory.
#[derive(Debug)]
pub struct SharedState {
    words: SharedWords,
}

/// Returns the upper part of an owner for this process's threads.
fn own_process() -> u64 {
    static OWN: OnceLock<u64> = OnceLock::new();
    *OWN.get_or_init(|| {
        let id = sysinfo::process_id();
        process_part(id, process::birth(id).unwrap_or(0))
    })
}

fn process_part(id: u32, birth: u64) -> u64 {
    let birth = birth & ((1 << BIRTH_BITS) - 1);
    u64::from(id) << (64 - PROCESS_BITS) | birth << THREAD_BITS
}

/// Names a thread of this process as an owner.
fn owner_of(thread: u32) -> u64 {
    own_process() | (u64::from(thread / 4) & ((1 << THREAD_BITS) - 1))
}

/// Says whether an owner's process is alive; that of this process is.
fn is_alive(owner: u64) -> bool {
    let part = owner >> THREAD_BITS << THREAD_BITS;
    if part == own_process() {
        return true;
    }
    let id = (owner >> (64 - PROCESS_BITS)) as u32;
    process::birth(id).is_some_and(|birth| process_part(id, birth) == part)
}

impl SharedState {
    /// Makes a page with a state, a trait, and the two further numbers.
    ///
    /// # Errors
    /// `NO_MEMORY` and its like.
    pub fn create(state: u64, kind: u64, second: u64, third: u64) -> Result<Self, NtStatus> {
        let words = SharedWords::create().map_err(|errno| NtStatus::from_errno(errno.0))?;
        for (index, value) in [(STATE, state), (TRAIT, kind), (SECOND, second), (THIRD, third)] {
            words.word(index).store(value, Ordering::Release);
        }
        Ok(Self { words })
    }

    /// Takes the page that another process made.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is none.
    pub fn map(fd: OwnedFd) -> Result<Self, NtStatus> {
        Ok(Self { words: SharedWords::map(fd).map_err(|_| NtStatus::INVALID_HANDLE)? })
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        self.words.word(index)
    }

    /// Returns what to look at before a look at the state, and to sleep on.
    pub fn bell(&self) -> &std::sync::atomic::AtomicU32 {
        self.words.half(BELL)
    }

    /// Has all who wait look again.
    pub fn ring(&self) {
        self.words.ring(BELL);
    }

    /// Returns whether it stays signalled, or the limit.
    pub fn kind(&self) -> u64 {
        self.word(TRAIT).load(Ordering::Acquire)
    }

    /// Returns the state.
    pub fn state(&self) -> u64 {
        self.word(STATE).load(Ordering::Acquire)
    }

    /// Sets the state, without ringing; returns what it was.
    pub fn swap(&self, state: u64) -> u64 {
        self.word(STATE).swap(state, Ordering::AcqRel)
    }

    /// Changes the state in one step if `change` says to what; returns what it was.
    pub fn update(&self, change: impl FnMut(u64) -> Option<u64>) -> Option<u64> {
        self.word(STATE).fetch_update(Ordering::AcqRel, Ordering::Acquire, change).ok()
    }

    /// Says whether a thread of this process can have the mutex.
    pub fn is_free_for(&self, thread: u32) -> bool {
        let owner = self.state();
        owner == 0 || owner == owner_of(thread) || !is_alive(owner)
    }

    /// Says whether another process's thread owns the mutex.
    pub fn is_owned_elsewhere(&self) -> bool {
        let owner = self.state();
        owner != 0 && owner >> THREAD_BITS << THREAD_BITS != own_process()
    }

    /// Takes the mutex for a thread of this process: whether it had none of it before, and whether it was abandoned;
    /// `None` when somebody else has it.
    pub fn own(&self, thread: u32) -> Option<(bool, bool)> {
        let own = owner_of(thread);
        let before = self.update(|owner| {
            let is_free = owner == 0 || owner == own || !is_alive(owner);
            is_free.then_some(own)
        })?;
        if before == own {
            self.word(SECOND).fetch_add(1, Ordering::AcqRel);
            return Some((false, false));
        }
        self.word(SECOND).store(1, Ordering::Release);
        let was_abandoned = self.word(THIRD).swap(0, Ordering::AcqRel) != 0;
        Some((true, was_abandoned || before != 0))
    }

    /// Returns how often the mutex is owned, whether by this thread, and whether it was abandoned.
    pub fn ownership(&self, thread: u32) -> (u32, bool, bool) {
        let owner = self.state();
        let is_lost = owner != 0 && !is_alive(owner);
        let recursion =
            if owner == 0 || is_lost { 0 } else { self.word(SECOND).load(Ordering::Acquire) as u32 };
        let is_abandoned = is_lost || self.word(THIRD).load(Ordering::Acquire) != 0;
        (recursion, owner == owner_of(thread), is_abandoned)
    }

    /// Gives up one ownership of the mutex; returns how often it was owned before. The last rings.
    pub fn disown(&self, thread: u32) -> Option<u32> {
        if self.state() != owner_of(thread) {
            return None;
        }
        let before = self.word(SECOND).fetch_sub(1, Ordering::AcqRel);
        if before == 1 {
            self.swap(0);
            self.ring();
        }
        Some(before as u32)
    }

    /// Frees the mutex because the thread that owns it ended.
    pub fn abandon(&self, thread: u32) {
        if self.state() == owner_of(thread) {
            self.word(THIRD).store(1, Ordering::Release);
            self.swap(0);
            self.ring();
        }
    }

    /// Names a thread of this process as an owner, for a fresh page.
    pub fn owner(thread: u32) -> u64 {
        owner_of(thread)
    }

    /// Sets the timer: when it is due (0 is never), and its period; rings.
    pub fn set_due(&self, due: u64, period: u64) {
        self.word(THIRD).store(period, Ordering::Release);
        self.word(SECOND).store(due, Ordering::Release);
        self.swap(0);
        self.ring();
    }

    /// Stops the timer; says whether it was set.
    pub fn stop(&self) -> bool {
        self.word(SECOND).swap(0, Ordering::AcqRel) != 0
    }

    /// Brings the timer up to the clock; returns when it is due next.
    pub fn advance(&self, now: u64) -> Option<u64> {
        let period = self.word(THIRD).load(Ordering::Acquire);
        let next = |due: u64| (now - due).checked_div(period).map_or(0, |gone| due + (gone + 1) * period);
        let change = |due: u64| (due != 0 && due <= now).then(|| next(due));
        if self.word(SECOND).fetch_update(Ordering::AcqRel, Ordering::Acquire, change).is_ok() {
            self.swap(1);
            self.ring();
        }
        Some(self.word(SECOND).load(Ordering::Acquire)).filter(|&due| due != 0)
    }
}

impl AsFd for SharedState {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.words.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutex_of_a_process_that_is_no_more_is_abandoned() {
        let state = SharedState::create(0, 0, 0, 0).unwrap();
        assert_eq!(state.own(8), Some((true, false)));
        assert_eq!(state.own(8), Some((false, false)));
        assert_eq!(state.own(12), None);
        assert_eq!(state.disown(12), None);
        assert_eq!((state.disown(8), state.disown(8), state.disown(8)), (Some(2), Some(1), None));
        // The number is this process's, the birth is not.
        state.swap(owner_of(8) ^ 1 << THREAD_BITS);
        assert!(state.is_owned_elsewhere());
        assert_eq!(state.own(12), Some((true, true)));
        state.abandon(8);
        assert!(!state.is_free_for(8));
        state.abandon(12);
        assert_eq!(state.own(8), Some((true, true)));
    }
}
