//! Transfers that are under way: reads, writes and connections of pipes and sockets that could not be done at once. The
//! host's service carries them out when the pipe or socket is ready, and tells their ends.
//!
//! Key types: [`Transfers`] (a file's), [`Pending`].

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use plat_host::pipe;
use plat_host::service::{self, Interest, Ticket};

use super::afd::Poll;
use super::completion::Completion;
use super::completion_port::CompletionPort;
use super::directory_watch::DirectoryWatch;
use super::file::FileObject;
use super::path::{lock, status_of};
use super::pipe::PipeEnd;
use super::socket::SocketEnd;
use super::socket_transfer::SocketWork;
use super::wait;
use crate::NtStatus;

/// The most bytes that one overlapped read takes.
const READ_MAX: u64 = 1 << 20;

/// What is to be done.
#[derive(Debug)]
pub enum Work {
    /// Bytes to guest memory.
    Read {
        /// Where to.
        buffer: u64,
        /// How many at most.
        length: u64,
    },
    /// Bytes from a copy of guest memory.
    Write {
        /// All of them.
        bytes: Vec<u8>,
        /// How many are gone.
        done: usize,
    },
    /// A client is awaited.
    Connect,
    /// A socket's transfer.
    Socket(Box<SocketWork>),
    /// Changes in a directory, to guest memory.
    Changes {
        /// Where to.
        buffer: u64,
        /// How many bytes at most.
        length: u64,
    },
}

impl Work {
    fn length(&self) -> u64 {
        match self {
            Self::Read { length, .. } | Self::Changes { length, .. } => *length,
            Self::Write { bytes, .. } => bytes.len() as u64,
            Self::Connect => 0,
            Self::Socket(work) => work.length(),
        }
    }

    fn is_write(&self) -> bool {
        match self {
            Self::Write { .. } => true,
            Self::Socket(work) => work.is_write(),
            Self::Read { .. } | Self::Connect | Self::Changes { .. } => false,
        }
    }

    /// Returns the file and the work that carry this on elsewhere, if that is so.
    fn moved(&self) -> Option<(Arc<FileObject>, Self)> {
        let Self::Socket(work) = self else { return None };
        work.moved().map(|(file, work)| (file, Self::Socket(Box::new(work))))
    }
}

/// A transfer under way.
#[derive(Debug)]
pub struct Pending {
    /// What is to be done.
    pub work: Work,
    /// The OVERLAPPED or status block: status, then bytes, each a pointer's size.
    pub block: u64,
    /// Whether words have eight bytes.
    pub is_64: bool,
    /// Whom to tell.
    pub completion: Completion,
}

#[derive(Default)]
struct Queue {
    list: VecDeque<Pending>,
    ticket: Option<Ticket>,
}

/// What a file object has for transfers that are not done at once.
#[derive(Default)]
pub struct Transfers {
    port: OnceLock<(Arc<CompletionPort>, u64)>,
    modes: AtomicU8,
    is_busy: AtomicBool,
    reads: Mutex<Queue>,
    writes: Mutex<Queue>,
    /// The pipe's side, if it is a named pipe.
    pub pipe: OnceLock<Box<PipeEnd>>,
    /// The socket's side, if it is one.
    pub socket: OnceLock<Box<SocketEnd>>,
    /// What is heard of a directory, once somebody asked.
    pub changes: OnceLock<Arc<DirectoryWatch>>,
    /// The number of the console's screen buffer, if it is one beside the first.
    pub screen: OnceLock<u32>,
    /// Whether it is the driver of sockets itself.
    pub driver: OnceLock<()>,
    /// Requests about sockets that were made at this file.
    polls: Mutex<Vec<Arc<Poll>>>,
}

const SKIP_PORT_ON_SUCCESS: u8 = 1;

impl Transfers {
    /// Adds the file to a port; says whether it was in none.
    pub fn set_port(&self, port: &Arc<CompletionPort>, key: u64) -> bool {
        self.port.set((Arc::clone(port), key)).is_ok()
    }

    /// Returns the port and the file's key.
    pub fn port(&self) -> Option<(Arc<CompletionPort>, u64)> {
        self.port.get().cloned()
    }

    /// Sets `FILE_SKIP_…`.
    pub fn set_modes(&self, modes: u8) {
        self.modes.fetch_or(modes, Ordering::Relaxed);
    }

    /// Says whether transfers that are complete at once are not told by the port.
    pub fn skips_port(&self) -> bool {
        self.modes.load(Ordering::Relaxed) & SKIP_PORT_ON_SUCCESS != 0
    }

    /// Says whether a transfer is under way.
    pub fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Acquire)
    }

    /// Adds a request about sockets.
    pub(super) fn add_poll(&self, poll: &Arc<Poll>) {
        lock(&self.polls).push(Arc::clone(poll));
        self.is_busy.store(true, Ordering::Release);
    }

    /// Removes a request about sockets.
    pub(super) fn remove_poll(&self, poll: &Arc<Poll>) {
        lock(&self.polls).retain(|other| !Arc::ptr_eq(other, poll));
    }

    /// Says whether a transfer may go on after its function returned.
    pub fn may_wait(&self) -> bool {
        self.pipe.get().is_some() || self.socket.get().is_some()
    }
}

impl Pending {
    /// Stores the outcome and tells it.
    fn end(self, outcome: Result<u64, NtStatus>) {
        self.store(outcome).tell();
    }

    /// Stores the outcome in the program's block.
    fn store(self, outcome: Result<u64, NtStatus>) -> Ended {
        let (status, moved) = match outcome {
            Ok(moved) => (NtStatus::SUCCESS, moved),
            // A part of a message is there, and as long as was asked for.
            Err(NtStatus::BUFFER_OVERFLOW) => (NtStatus::BUFFER_OVERFLOW, self.work.length()),
            Err(status) => (status, 0),
        };
        store_status(self.block, self.is_64, status, moved);
        Ended { completion: self.completion, status, moved, block: self.block }
    }
}

/// A transfer whose outcome is stored, and not yet told.
struct Ended {
    completion: Completion,
    status: NtStatus,
    moved: u64,
    block: u64,
}

impl Ended {
    fn tell(self) {
        self.completion.end(self.status, self.moved, self.block);
    }
}

/// Stores a status block; runs on any thread.
pub(super) fn store_status(block: u64, is_64: bool, status: NtStatus, moved: u64) {
    let mut bytes = Vec::new();
    if is_64 {
        bytes.extend(u64::from(status.0).to_le_bytes());
        bytes.extend(moved.to_le_bytes());
    } else {
        bytes.extend(status.0.to_le_bytes());
        bytes.extend((moved as u32).to_le_bytes());
    }
    // The bytes before the status: a program that looks at the status finds them there.
    let half = bytes.len() / 2;
    let _ = pipe::write_guest_by_kernel(block + half as u64, &bytes[half..]);
    let _ = pipe::write_guest_by_kernel(block, &bytes[..half]);
}

impl FileObject {
    fn queue(&self, work: &Work) -> &Mutex<Queue> {
        if work.is_write() { &self.transfers.writes } else { &self.transfers.reads }
    }

    /// Does what can be done of a transfer now; `None` when it must wait.
    fn attempt(self: &Arc<Self>, work: &mut Work) -> Option<Result<u64, NtStatus>> {
        let end = self.transfers.pipe.get();
        match work {
            Work::Socket(work) => self.attempt_socket(work),
            Work::Changes { buffer, length } => self.attempt_changes(*buffer, *length),
            Work::Connect => match end.map(|end| end.state()) {
                Some(super::pipe::State::Listening) => None,
                Some(super::pipe::State::Connected) => Some(Ok(0)),
                _ => Some(Err(NtStatus::PIPE_DISCONNECTED)),
            },
            Work::Read { buffer, length } => {
                let length = (*length).min(READ_MAX);
                let read = self.receive_now(length as usize)?;
                Some(read.and_then(|(bytes, more)| {
                    let written = pipe::write_guest_by_kernel(*buffer, &bytes);
                    written.map_err(|_| NtStatus::ACCESS_VIOLATION)?;
                    if more { Err(NtStatus::BUFFER_OVERFLOW) } else { Ok(bytes.len() as u64) }
                }))
            }
            Work::Write { bytes, done } => loop {
                match self.send_now(&bytes[*done..]) {
                    Err(status) => return Some(Err(status)),
                    Ok(0) if *done < bytes.len() => return None,
                    Ok(sent) => *done += sent,
                }
                if *done >= bytes.len() {
                    return Some(Ok(bytes.len() as u64));
                }
            },
        }
    }

    /// Begins a transfer: returns its outcome when it is done at once, else `PENDING`.
    ///
    /// # Errors
    /// The outcome, and `PENDING`.
    pub fn begin_transfer(
        self: &Arc<Self>,
        mut work: Work,
        make: impl FnOnce(Work) -> Pending,
    ) -> Result<u64, NtStatus> {
        let mut queue = lock(self.queue(&work));
        if queue.list.is_empty()
            && let Some(outcome) = self.attempt(&mut work)
        {
            return outcome;
        }
        if matches!(work, Work::Read { .. } | Work::Write { .. }) {
            // A pipe that waits for its client gives nothing, and is not waited for.
            self.check_connected()?;
        }
        if let Some((file, work)) = work.moved() {
            drop(queue);
            return file.begin_transfer(work, make);
        }
        self.transfers.is_busy.store(true, Ordering::Release);
        let waits_for_client = matches!(work, Work::Connect);
        let is_write = work.is_write();
        queue.list.push_back(make(work));
        if queue.ticket.is_none() && !waits_for_client {
            queue.ticket = Some(self.watch(is_write)?);
        }
        Err(NtStatus::PENDING)
    }

    fn watch(self: &Arc<Self>, is_write: bool) -> Result<Ticket, NtStatus> {
        let weak: Weak<Self> = Arc::downgrade(self);
        let interest = if is_write { Interest::Write } else { Interest::Read };
        let then = move || {
            if let Some(file) = weak.upgrade() {
                file.go_on(is_write);
            }
        };
        let fd = self.transfers.changes.get().map_or(self.file.as_fd(), |changes| changes.as_fd());
        service::when_ready(fd, interest, then).map_err(status_of)
    }

    /// Carries out what waits, as far as it can be done; runs on the service's thread.
    pub fn go_on(self: &Arc<Self>, is_write: bool) {
        let queue = if is_write { &self.transfers.writes } else { &self.transfers.reads };
        loop {
            let mut held = lock(queue);
            held.ticket = None;
            let Some(first) = held.list.front_mut() else { break };
            let Some(outcome) = self.attempt(&mut first.work) else {
                if let Some((file, work)) = first.work.moved() {
                    let pending = held.list.pop_front();
                    drop(held);
                    if let Some(pending) = pending {
                        file.take_over(Pending { work, ..pending });
                    }
                    continue;
                }
                let waits_for_client = matches!(first.work, Work::Connect);
                held.ticket = if waits_for_client { None } else { self.watch(is_write).ok() };
                return;
            };
            // Stored while the queue is held: who closes the file waits for it, and may use the block's memory again.
            let ended = held.list.pop_front().map(|pending| pending.store(outcome));
            drop(held);
            if let Some(ended) = ended {
                ended.tell();
            }
        }
        self.become_idle();
    }

    /// Carries a transfer on that began at another file.
    fn take_over(self: &Arc<Self>, pending: Pending) {
        let mut kept = Some(pending);
        let work = kept.as_mut().map(|pending| std::mem::replace(&mut pending.work, Work::Connect));
        let Some(work) = work else { return };
        let outcome = self.begin_transfer(work, |work| {
            let pending = kept.take().expect("it is asked for once");
            Pending { work, ..pending }
        });
        if let Some(pending) = kept {
            pending.end(outcome);
        }
    }

    /// Notes that nothing is under way any more, if that is so.
    pub(super) fn become_idle(&self) {
        let transfers = &self.transfers;
        let idle = lock(&transfers.reads).list.is_empty()
            && lock(&transfers.writes).list.is_empty()
            && lock(&transfers.polls).is_empty();
        if idle {
            let mut queues = wait::lock();
            self.transfers.is_busy.store(false, Ordering::Release);
            queues.release(self);
        }
    }

    /// Ends transfers under way (that of one block, or all) with a status; says whether there were any.
    pub fn cancel_transfers(&self, block: Option<u64>, status: NtStatus) -> bool {
        let mut ended = Vec::new();
        for queue in [&self.transfers.reads, &self.transfers.writes] {
            let mut held = lock(queue);
            let (out, kept): (Vec<Pending>, Vec<Pending>) =
                held.list.drain(..).partition(|pending| block.is_none_or(|block| pending.block == block));
            held.list.extend(kept);
            ended.extend(out);
            if held.list.is_empty()
                && let Some(ticket) = held.ticket.take()
            {
                service::cancel(ticket);
            }
        }
        let polls: Vec<Arc<Poll>> = lock(&self.transfers.polls).clone();
        let polls: Vec<Arc<Poll>> =
            polls.into_iter().filter(|poll| block.is_none_or(|block| poll.has_block(block))).collect();
        let some = !ended.is_empty() || !polls.is_empty();
        for pending in ended {
            pending.end(Err(status));
        }
        for poll in polls {
            poll.end(status);
        }
        if some {
            self.become_idle();
        }
        some
    }
}
