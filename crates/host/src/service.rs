//! One host thread that waits for descriptors on behalf of everyone: ends of processes, pipes, sockets, requests of others.
//! It begins with the first wish. Key items: [`when_ready`], [`after`], [`cancel`], [`settle`].

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;

use rustix::event::{EventfdFlags, epoll};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use crate::file_path::Errno;
use crate::socket::Readiness;

/// What to wait for. Errors and the end of both directions come without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something to read, or the end of it; the end of a process.
    Read,
    /// Room to write, or nobody to read.
    Write,
    /// The end of what there is to read, whether or not all was read.
    End,
    /// The first of several: `read`, `write`, `urgent`, `peer_ended`.
    Any(Readiness),
}

impl Interest {
    /// Returns the flags to ask the kernel with: each wish is heard of once.
    fn flags(self) -> epoll::EventFlags {
        let mut flags = epoll::EventFlags::ONESHOT;
        let wanted = match self {
            Self::Read => Readiness { read: true, ..Readiness::default() },
            Self::Write => Readiness { write: true, ..Readiness::default() },
            Self::End => Readiness { peer_ended: true, ..Readiness::default() },
            Self::Any(wanted) => wanted,
        };
        flags.set(epoll::EventFlags::IN, wanted.read);
        flags.set(epoll::EventFlags::OUT, wanted.write);
        flags.set(epoll::EventFlags::PRI, wanted.urgent);
        flags.set(epoll::EventFlags::RDHUP, wanted.peer_ended);
        flags
    }
}

/// Names a wish, to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

type Then = Box<dyn FnOnce() + Send>;

struct Wish {
    fd: OwnedFd,
    then: Then,
}

#[derive(Default)]
struct Wishes {
    list: HashMap<Ticket, Wish>,
    last: u64,
}

/// The thread's name.
const THREAD_NAME: &str = "service";

struct Service {
    wishes: Mutex<Wishes>,
    epoll: OwnedFd,
    /// Held while a wish comes true.
    turn: Mutex<()>,
    thread: OnceLock<ThreadId>,
}

static SERVICE: OnceLock<Result<Service, Errno>> = OnceLock::new();

fn start() -> Result<Service, Errno> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    // The thread finds the service once this function has returned; until then there is nothing to do.
    let begin = move || {
        while SERVICE.get().is_none() {
            std::thread::yield_now();
        }
        if let Some(Ok(service)) = SERVICE.get() {
            service.run();
        }
    };
    let thread = std::thread::Builder::new().name(THREAD_NAME.into()).stack_size(256 << 10).spawn(begin);
    thread.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    Ok(Service { wishes: Mutex::default(), epoll, turn: Mutex::default(), thread: OnceLock::new() })
}

fn service() -> Result<&'static Service, Errno> {
    SERVICE.get_or_init(start).as_ref().map_err(|errno| *errno)
}

impl Service {
    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) -> ! {
        const MOST: usize = 64;
        self.thread.get_or_init(|| std::thread::current().id());
        let mut events = Vec::with_capacity(MOST);
        loop {
            events.clear();
            // A signal only ends the wait.
            let _ = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None);
            for event in &events {
                let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                // One that was cancelled meanwhile is nobody's any more.
                if let Some(then) = self.take(Ticket(event.data.u64())) {
                    then();
                }
            }
        }
    }

    /// Takes a wish off the list, and its descriptor from the kernel's.
    fn take(&self, ticket: Ticket) -> Option<Then> {
        let wish = self.lock().list.remove(&ticket)?;
        // It would stay there while others have the same file open.
        let _ = epoll::delete(&self.epoll, &wish.fd);
        Some(wish.then)
    }

    fn add(&self, fd: OwnedFd, interest: Interest, then: Then) -> Result<Ticket, Errno> {
        let mut wishes = self.lock();
        wishes.last += 1;
        let ticket = Ticket(wishes.last);
        let data = epoll::EventData::new_u64(ticket.0);
        epoll::add(&self.epoll, &fd, data, interest.flags())?;
        wishes.list.insert(ticket, Wish { fd, then });
        Ok(ticket)
    }
}

/// Calls `then` once, on the service's thread, when the descriptor is ready. It must not block for long.
///
/// # Errors
/// The kernel's errno when there is no room for the thread or the second descriptor; EPERM for a file of a disk, which
/// is always ready.
pub fn when_ready(
    fd: BorrowedFd<'_>,
    interest: Interest,
    then: impl FnOnce() + Send + 'static,
) -> Result<Ticket, Errno> {
    let fd = rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), 3)?;
    service()?.add(fd, interest, Box::new(then))
}

/// Calls `then` once, on the service's thread, after so many nanoseconds. It must not block for long.
///
/// # Errors
/// The kernel's errno when there is no room for the thread or the timer.
pub fn after(nanoseconds: u64, then: impl FnOnce() + Send + 'static) -> Result<Ticket, Errno> {
    let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
    let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags)?;
    // A time of 0 would stop the timer.
    let time = nanoseconds.clamp(1, i64::MAX as u64);
    let it_value = Timespec { tv_sec: (time / 1_000_000_000) as i64, tv_nsec: (time % 1_000_000_000) as i64 };
    let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
    service()?.add(timer, Interest::Read, Box::new(then))
}

/// Calls `then` once, on the service's thread, as soon as it can.
///
/// # Errors
/// As for [`after`].
pub fn soon(then: impl FnOnce() + Send + 'static) -> Result<Ticket, Errno> {
    let bell = rustix::event::eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    service()?.add(bell, Interest::Read, Box::new(then))
}

/// Takes a wish back; says whether it had not come true: then its function is not called.
pub fn cancel(ticket: Ticket) -> bool {
    let Some(Ok(service)) = SERVICE.get() else { return false };
    // What it holds is given back without the lock.
    service.take(ticket).is_some()
}

/// Waits until the function that the service calls just now, if any, has returned: what it held is let go then. On the
/// service's own thread there is nothing to wait for.
pub fn settle() {
    let Some(Ok(service)) = SERVICE.get() else { return };
    if service.thread.get() != Some(&std::thread::current().id()) {
        drop(service.turn.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::File;
    use std::sync::{Arc, mpsc};

    #[test]
    fn wishes_come_true_once_or_are_taken_back() {
        let (read, write) = File::pipe().unwrap();
        let (sender, receiver) = mpsc::channel();
        let second = sender.clone();
        when_ready(read.as_fd(), Interest::Read, move || sender.send(1).unwrap()).unwrap();
        let ticket = when_ready(read.as_fd(), Interest::Read, move || second.send(2).unwrap()).unwrap();
        assert!(cancel(ticket));
        assert!(!cancel(ticket));
        write.write(b"x", None).unwrap();
        assert_eq!(receiver.recv().unwrap(), 1);
        assert!(receiver.recv().is_err(), "the second sender went with its wish");
    }

    #[test]
    fn what_a_wish_holds_is_let_go_after_settle() {
        for _ in 0..200 {
            let held = Arc::new(());
            let weak = Arc::downgrade(&held);
            let (sender, receiver) = mpsc::channel();
            soon(move || {
                let held = weak.upgrade();
                sender.send(held.is_some()).unwrap();
                settle();
            })
            .unwrap();
            assert!(receiver.recv().unwrap());
            settle();
            assert_eq!(Arc::strong_count(&held), 1);
        }
    }

    #[test]
    fn times_come_and_bells_ring() {
        let (sender, receiver) = mpsc::channel();
        let (late, soonest) = (sender.clone(), sender.clone());
        let begin = std::time::Instant::now();
        let never = after(u64::MAX, move || sender.send(3).unwrap()).unwrap();
        after(20_000_000, move || late.send(2).unwrap()).unwrap();
        soon(move || soonest.send(1).unwrap()).unwrap();
        assert_eq!((receiver.recv().unwrap(), receiver.recv().unwrap()), (1, 2));
        assert!(begin.elapsed() >= std::time::Duration::from_millis(20));
        assert!(cancel(never));
    }
}
