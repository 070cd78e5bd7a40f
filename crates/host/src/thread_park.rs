//! A place where one host thread sleeps until another wakes it: a futex with a deadline.
//!
//! Key type: [`Parker`]. A wake-up that comes before the sleep is kept, so nothing is lost between a test and a sleep.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::futex;
use rustix::time::Timespec;

use crate::clock;

/// How long a sleep may be, in nanoseconds, where the kernel cannot wait for several words.
const LOOK_AGAIN: u64 = 2_000_000;

/// Where one thread sleeps.
#[derive(Debug, Default)]
pub struct Parker {
    /// 1 when a wake-up is there.
    token: AtomicU32,
}

impl Parker {
    /// Forgets a wake-up that nobody waited for.
    pub fn clear(&self) {
        self.token.store(0, Ordering::Relaxed);
    }

    /// Sleeps until [`Parker::unpark`] or until the monotonic clock (nanoseconds) reaches `deadline`; says whether it
    /// was woken.
    pub fn park(&self, deadline: Option<u64>) -> bool {
        loop {
            if self.token.swap(0, Ordering::Acquire) == 1 {
                return true;
            }
            let timeout = match deadline {
                None => None,
                Some(deadline) => {
                    let now = clock::monotonic_nanoseconds();
                    if now >= deadline {
                        return false;
                    }
                    let left = deadline - now;
                    // One sleep is at most an hour: the arithmetic of `timespec` never overflows.
                    let left = left.min(3_600_000_000_000);
                    Some(Timespec {
                        tv_sec: (left / 1_000_000_000) as i64,
                        tv_nsec: (left % 1_000_000_000) as i64,
                    })
                }
            };
            // Every reason to come back (woken, interrupted, timed out, token there) leads to the tests above.
            let _ = futex::wait(&self.token, futex::Flags::PRIVATE, 0, timeout.as_ref());
        }
    }

    /// Sleeps as [`Parker::park`] does, and until one of `others`, words that processes share, is not what it was.
    pub fn park_with(&self, deadline: Option<u64>, others: &[(&AtomicU32, u32)]) {
        if others.is_empty() {
            self.park(deadline);
            return;
        }
        if self.token.swap(0, Ordering::Acquire) == 1 {
            return;
        }
        let wait = |word: &AtomicU32, value: u32, flags: futex::WaitFlags| {
            let mut wait = futex::Wait::new();
            wait.val = value.into();
            wait.uaddr = futex::WaitPtr::new(word.as_ptr().cast());
            wait.flags = flags | futex::WaitFlags::SIZE_U32;
            wait
        };
        let own = wait(&self.token, 0, futex::WaitFlags::PRIVATE);
        let others = others.iter().map(|&(word, value)| wait(word, value, futex::WaitFlags::empty()));
        let all: Vec<futex::Wait> = std::iter::once(own).chain(others).collect();
        let time = deadline.map(|deadline| Timespec {
            tv_sec: (deadline / 1_000_000_000).min(i64::MAX as u64) as i64,
            tv_nsec: (deadline % 1_000_000_000) as i64,
        });
        let slept =
            futex::waitv(&all, futex::WaitvFlags::empty(), time.as_ref(), rustix::thread::ClockId::Monotonic);
        if slept == Err(rustix::io::Errno::NOSYS) {
            // Linux before 5.16: look again soon.
            let soon = clock::monotonic_nanoseconds() + LOOK_AGAIN;
            self.park(Some(deadline.map_or(soon, |deadline| deadline.min(soon))));
            return;
        }
        self.token.store(0, Ordering::Release);
    }

    /// Wakes the thread that sleeps here, or lets its next sleep end at once.
    pub fn unpark(&self) {
        self.token.store(1, Ordering::Release);
        let _ = futex::wake(&self.token, futex::Flags::PRIVATE, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_wake_up_before_the_sleep_is_kept_and_a_deadline_ends_it() {
        let parker = Parker::default();
        parker.unpark();
        assert!(parker.park(None));
        assert!(!parker.park(Some(clock::monotonic_nanoseconds() + 2_000_000)));
        parker.unpark();
        parker.clear();
        assert!(!parker.park(Some(0)));
    }

    #[test]
    fn another_thread_wakes_the_sleeper() {
        let parker = Arc::new(Parker::default());
        let other = Arc::clone(&parker);
        let thread = std::thread::spawn(move || other.unpark());
        assert!(parker.park(None));
        thread.join().expect("no panic");
    }
}
