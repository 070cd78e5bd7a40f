//! One host thread that waits for descriptors on behalf of everyone: ends of processes, pipes, requests of others.
//! It begins with the first wish. Key items: [`when_ready`], [`cancel`].

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags};

use crate::file_path::Errno;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something to read, or the end of it; the end of a process.
    Read,
    /// Room to write, or nobody to read.
    Write,
    /// The end of what there is to read, whether or not all was read.
    End,
}

/// Names a wish, to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

type Then = Box<dyn FnOnce() + Send>;

struct Wish {
    ticket: Ticket,
    fd: OwnedFd,
    interest: Interest,
    then: Then,
}

#[derive(Default)]
struct Wishes {
    list: Vec<Wish>,
    last: u64,
    /// How often the thread has stopped waiting.
    rounds: u64,
}

/// The thread's name.
const THREAD_NAME: &str = "service";

/// How long a cancellation waits for the thread, which may be busy with a function.
const TURN_MAX: Duration = Duration::from_millis(100);

struct Service {
    wishes: Mutex<Wishes>,
    /// The thread has stopped waiting.
    turned: Condvar,
    bell: OwnedFd,
}

static SERVICE: OnceLock<Result<Service, Errno>> = OnceLock::new();

fn start() -> Result<Service, Errno> {
    let bell = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let run = || {
        if let Some(Ok(service)) = SERVICE.get() {
            service.run();
        }
    };
    // The thread finds the service once this function has returned and a wish rings the bell; until then it waits.
    let begin = move || {
        while SERVICE.get().is_none() {
            std::thread::yield_now();
        }
        run();
    };
    let thread = std::thread::Builder::new().name(THREAD_NAME.into()).stack_size(256 << 10).spawn(begin);
    thread.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    Ok(Service { wishes: Mutex::default(), turned: Condvar::new(), bell })
}

fn service() -> Result<&'static Service, Errno> {
    SERVICE.get_or_init(start).as_ref().map_err(|errno| *errno)
}

impl Service {
    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        // A counter that is full rings, too.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    fn run(&self) -> ! {
        loop {
            let ready = self.wait();
            for then in ready {
                then();
            }
        }
    }

    /// Waits until one wish or more has come true; takes those off the list.
    fn wait(&self) -> Vec<Then> {
        let watched: Vec<(Ticket, i32, Interest)> = {
            use std::os::fd::AsRawFd;
            let wishes = self.lock();
            wishes.list.iter().map(|wish| (wish.ticket, wish.fd.as_raw_fd(), wish.interest)).collect()
        };
        let mut questions = vec![PollFd::new(&self.bell, PollFlags::IN)];
        for (_, fd, interest) in &watched {
            let flags = match interest {
                Interest::Read => PollFlags::IN,
                Interest::Write => PollFlags::OUT,
                Interest::End => PollFlags::RDHUP,
            };
            // SAFETY: 1. the number is not -1. A wish that is cancelled meanwhile may have closed it: what the kernel
            // then answers concerns nobody, since the ticket is gone from the list.
            let fd = unsafe { BorrowedFd::borrow_raw(*fd) };
            questions.push(PollFd::from_borrowed_fd(fd, flags));
        }
        let answer = rustix::event::poll(&mut questions, None);
        self.lock().rounds += 1;
        self.turned.notify_all();
        if answer.is_err() {
            return Vec::new();
        }
        if !questions[0].revents().is_empty() {
            let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
        }
        let is_ready = |index: usize| !questions[index + 1].revents().is_empty();
        let tickets = watched.iter().enumerate().filter(|(index, _)| is_ready(*index));
        let mut wishes = self.lock();
        let take = |ticket: Ticket| {
            let at = wishes.list.iter().position(|wish| wish.ticket == ticket)?;
            Some(wishes.list.remove(at).then)
        };
        tickets.map(|(_, watched)| watched.0).filter_map(take).collect()
    }
}

/// Calls `then` once, on the service's thread, when the descriptor is ready. It must not block for long.
///
/// # Errors
/// The kernel's errno when there is no room for the thread or the second descriptor.
pub fn when_ready(
    fd: BorrowedFd<'_>,
    interest: Interest,
    then: impl FnOnce() + Send + 'static,
) -> Result<Ticket, Errno> {
    let service = service()?;
    let fd = rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), 3)?;
    let mut wishes = service.lock();
    wishes.last += 1;
    let ticket = Ticket(wishes.last);
    wishes.list.push(Wish { ticket, fd, interest, then: Box::new(then) });
    drop(wishes);
    service.ring();
    Ok(ticket)
}

/// Takes a wish back; says whether it had not come true: then its function is not called.
pub fn cancel(ticket: Ticket) -> bool {
    let Some(Ok(service)) = SERVICE.get() else { return false };
    let mut wishes = service.lock();
    let at = wishes.list.iter().position(|wish| wish.ticket == ticket);
    // What it holds is given back without the lock.
    let taken = at.map(|at| wishes.list.remove(at));
    let round = wishes.rounds;
    drop(wishes);
    service.ring();
    let was_there = taken.is_some();
    drop(taken);
    if was_there && std::thread::current().name() != Some(THREAD_NAME) {
        // A wait that is under way keeps a closed socket open: nobody else may listen on its name until it ends.
        let wishes = service.lock();
        drop(service.turned.wait_timeout_while(wishes, TURN_MAX, |wishes| wishes.rounds == round));
    }
    was_there
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::File;
    use std::sync::mpsc;

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
}
