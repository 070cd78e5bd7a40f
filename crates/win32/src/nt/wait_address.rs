//! Waits for a guest address: what critical sections, slim locks, condition variables and `WaitOnAddress` sleep on.
//!
//! Sleepers queue by address, first come first woken. A test of the guest's memory and the queueing are one step for
//! those who wake, so no wake-up is lost. Neighbour: `wait` waits for objects.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plat_abi::{Fault, GuestWord, Memory};

use super::thread::{self, ThreadObject};
use crate::guest::Guest;

const BUCKETS: usize = 64;

struct Sleeper {
    address: u64,
    thread: Arc<ThreadObject>,
}

static QUEUES: [Mutex<VecDeque<Sleeper>>; BUCKETS] = [const { Mutex::new(VecDeque::new()) }; BUCKETS];

fn queue(address: u64) -> MutexGuard<'static, VecDeque<Sleeper>> {
    // Neighbouring words go to different queues, and pages do not collide.
    let index = (address >> 2 ^ address >> 12) as usize % BUCKETS;
    QUEUES[index].lock().unwrap_or_else(PoisonError::into_inner)
}

/// Queues the calling thread at `address` if `test` still holds, which is asked while no one can wake; says whether it
/// did. [`sleep`] must follow.
///
/// # Errors
/// The test's.
pub fn enqueue_if<E>(address: u64, test: impl FnOnce() -> Result<bool, E>) -> Result<bool, E> {
    let thread = thread::current();
    let mut queue = queue(address);
    if !test()? {
        return Ok(false);
    }
    thread.parker().clear();
    queue.push_back(Sleeper { address, thread });
    Ok(true)
}

/// Sleeps after [`enqueue_if`] until woken or until the monotonic clock reaches `deadline` (nanoseconds); says whether
/// it was woken.
pub fn sleep(address: u64, deadline: Option<u64>) -> bool {
    let thread = thread::current();
    loop {
        let in_time = thread.parker().park(deadline);
        let mut queue = queue(address);
        let place = queue.iter().position(|sleeper| Arc::ptr_eq(&sleeper.thread, &thread));
        match place {
            None => {
                thread.parker().clear();
                return true;
            }
            Some(place) if !in_time => {
                queue.remove(place);
                return false;
            }
            // A wake-up that was meant for something else.
            Some(_) => {}
        }
    }
}

/// Wakes up to `count` threads that sleep at `address`, first come first.
pub fn wake(address: u64, count: usize) {
    let mut queue = queue(address);
    for _ in 0..count {
        let Some(place) = queue.iter().position(|sleeper| sleeper.address == address) else { return };
        if let Some(sleeper) = queue.remove(place) {
            sleeper.thread.parker().unpark();
        }
    }
}

/// Sleeps while a variable of the guest's has the value that another has; says whether that was before the deadline.
///
/// # Errors
/// [`Fault`] for a bad address.
pub fn wait_while_equal(
    guest: &Guest,
    variable: GuestWord,
    undesired: GuestWord,
    size: GuestWord,
    deadline: Option<u64>,
) -> Result<bool, Fault> {
    let undesired = guest.read_vec(undesired.get(), size.get())?;
    let queued = enqueue_if(variable.get(), || {
        guest.read_vec(variable.get(), size.get()).map(|value| value == undesired)
    })?;
    Ok(!queued || sleep(variable.get(), deadline))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::mpsc;

    fn enqueue(address: u64) {
        assert_eq!(enqueue_if(address, || Ok::<_, Infallible>(true)), Ok(true));
    }

    #[test]
    fn a_failed_test_does_not_queue() {
        assert_eq!(enqueue_if(0x1000, || Ok::<_, Infallible>(false)), Ok(false));
        assert_eq!(enqueue_if(0x1000, || Err(5)), Err(5));
        assert!(queue(0x1000).iter().all(|sleeper| sleeper.address != 0x1000));
    }

    #[test]
    fn a_deadline_takes_the_sleeper_out_of_the_queue() {
        enqueue(0x2000);
        assert!(!sleep(0x2000, Some(0)));
        assert!(queue(0x2000).iter().all(|sleeper| sleeper.address != 0x2000));
    }

    #[test]
    fn sleepers_are_woken_in_order_and_only_at_their_address() {
        let (send, receive) = mpsc::channel();
        for name in [1, 2] {
            let send = send.clone();
            let (ready, is_ready) = mpsc::channel();
            plat_host::thread::spawn(move || {
                enqueue(0x3000);
                ready.send(()).expect("the test listens");
                assert!(sleep(0x3000, None));
                send.send(name).expect("the test listens");
            })
            .expect("a thread");
            is_ready.recv().expect("it queued");
        }
        wake(0x3004, 2);
        wake(0x3000, 1);
        assert_eq!(receive.recv(), Ok(1));
        wake(0x3000, usize::MAX);
        assert_eq!(receive.recv(), Ok(2));
    }
}
