//! Waiting for sockets: one, in a call that blocks, or several, as `select` and `WSAPoll` do.
//!
//! Key type: [`State`] (what Winsock says of a socket now).

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use plat_host::clock;
use plat_host::file_path::Errno;
use plat_host::socket::{self, Readiness};

use super::file::FileObject;
use super::object::ObjectRef;
use super::socket::{Phase, Socket, of};
use super::thread;
use crate::logic::winsock::error::*;
use crate::process::Process;
use crate::{NtStatus, Win32Error};

const EINTR: i32 = 4;

const READ: Readiness =
    Readiness { read: true, write: false, urgent: false, error: false, hung_up: false, peer_ended: false };

/// Waits once more after a signal; ends the wait of a thread that is to end.
pub(super) fn after_signal() -> Result<(), Win32Error> {
    let thread = thread::current();
    thread.hold_while_suspended();
    // The gate ends the thread when the call returns.
    if thread.is_terminating() { Err(WSAEINTR) } else { Ok(()) }
}

/// Returns the nanoseconds left until a deadline; 0 once it is over.
fn left(deadline: Option<u64>) -> Option<u64> {
    deadline.map(|deadline| deadline.saturating_sub(clock::monotonic_nanoseconds()))
}

impl Socket {
    /// Waits until the socket is as wanted.
    ///
    /// # Errors
    /// `WSAETIMEDOUT` at the deadline (on the monotonic clock, in nanoseconds), `WSAEINTR` when the socket is closed.
    pub fn wait_for(&self, wanted: Readiness, deadline: Option<u64>) -> Result<(), Win32Error> {
        let bell = self.end().bell()?;
        loop {
            let left = left(deadline);
            match socket::poll(&[(self.file.file.as_fd(), wanted), (bell.as_fd(), READ)], left) {
                Err(Errno(EINTR)) => after_signal()?,
                Err(errno) => return Err(of(errno)),
                Ok(answers) if answers[1].any() => return Err(WSAEINTR),
                Ok(answers) if answers[0].any() => return Ok(()),
                Ok(_) if left == Some(0) => return Err(WSAETIMEDOUT),
                Ok(_) => {}
            }
        }
    }

    /// Does something that may have to wait, until it is done; a socket that does not block says so at once.
    ///
    /// # Errors
    /// As [`Socket::wait_for`], `WSAEWOULDBLOCK`, and those of `act`.
    pub fn until_done<T>(
        &self,
        wanted: Readiness,
        deadline: Option<u64>,
        mut act: impl FnMut() -> Result<T, Win32Error>,
    ) -> Result<T, Win32Error> {
        loop {
            match act() {
                Err(WSAEWOULDBLOCK) if !self.end().is_nonblocking.load(Ordering::Relaxed) => {
                    self.wait_for(wanted, deadline)?;
                }
                other => return other,
            }
        }
    }
}

/// What Winsock says of a socket now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// There is something to receive or accept, or the end of it.
    pub readable: bool,
    /// There is room to send; the connection was made.
    pub writable: bool,
    /// There is urgent data.
    pub urgent: bool,
    /// The connection could not be made.
    pub failed: bool,
    /// The connection broke.
    pub broken: bool,
    /// The other end sends no more.
    pub peer_ended: bool,
}

impl FileObject {
    /// Says whether and how the kernel may be asked for a socket of this phase: one that was never connected would
    /// always be ready.
    fn question(&self, wanted: Readiness) -> Readiness {
        let is_stream = self.transfers.socket.get().is_some_and(|end| end.is_stream());
        match self.refresh_connection() {
            Phase::Idle | Phase::Failed if is_stream => Readiness::default(),
            // Whether it could be made is asked by the same question.
            Phase::Connecting => Readiness { read: false, write: true, urgent: false, ..wanted },
            _ => wanted,
        }
    }

    /// Translates the kernel's answer for a socket.
    fn state_of(&self, answer: Readiness) -> State {
        let is_stream = self.transfers.socket.get().is_some_and(|end| end.is_stream());
        let phase = self.refresh_connection();
        if is_stream && matches!(phase, Phase::Idle | Phase::Failed | Phase::Connecting) {
            return State { failed: phase == Phase::Failed, ..State::default() };
        }
        State {
            readable: answer.read || answer.hung_up || answer.error,
            writable: answer.write,
            urgent: answer.urgent,
            failed: false,
            broken: is_stream && (answer.error || answer.hung_up),
            peer_ended: answer.peer_ended,
        }
    }

    /// Waits until a socket can be read or written.
    ///
    /// # Errors
    /// `CANCELLED` when it is closed or the thread is to end; the kernel's error.
    pub(super) fn await_socket(&self, is_write: bool) -> Result<(), NtStatus> {
        let wanted = Readiness { read: !is_write, write: is_write, ..Readiness::default() };
        let end = self.transfers.socket.get().ok_or(NtStatus::INVALID_HANDLE)?;
        let bell = end.bell().map_err(to_status)?;
        loop {
            match socket::poll(&[(self.file.as_fd(), wanted), (bell.as_fd(), READ)], None) {
                Err(Errno(EINTR)) => after_signal().map_err(|_| NtStatus::CANCELLED)?,
                Err(errno) => return Err(to_status(of(errno))),
                Ok(answers) if answers[1].any() => return Err(NtStatus::CANCELLED),
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Says what is so of a socket now.
    pub fn socket_state(&self) -> State {
        let wanted = Readiness { read: true, write: true, urgent: true, ..Readiness::default() };
        let question = self.question(wanted);
        if !question.any() {
            return self.state_of(question);
        }
        let answer = socket::poll(&[(self.file.as_fd(), question)], Some(0));
        self.state_of(answer.map_or_else(|_| Readiness::default(), |answers| answers[0]))
    }
}

/// Waits until `is_done` says yes to the states of some sockets, each asked as wanted, or until the deadline; returns
/// the states.
///
/// # Errors
/// `WSAEINTR` when the thread is to end, `WSAENOTSOCK` when one of the sockets was closed meanwhile.
pub fn wait_for_any(
    process: &Process,
    sockets: &[(Socket, Readiness)],
    deadline: Option<u64>,
    is_done: impl Fn(&[State]) -> bool,
) -> Result<Vec<State>, Win32Error> {
    // A question without a wish still tells of errors; the bells tell of sockets that are closed.
    loop {
        let questions: Vec<Readiness> =
            sockets.iter().map(|(socket, wanted)| socket.file.question(*wanted)).collect();
        let mut asked = Vec::with_capacity(sockets.len() * 2);
        for ((socket, _), question) in sockets.iter().zip(&questions) {
            // What is idle hangs up in the kernel's eyes: only its bell is waited for.
            let fd = if question.any() { socket.file.file.as_fd() } else { socket.end().bell()?.as_fd() };
            asked.push((fd, *question));
        }
        for (socket, _) in sockets {
            asked.push((socket.end().bell()?.as_fd(), READ));
        }
        let at_once = left(deadline).is_some_and(|left| left == 0);
        let any_failed = sockets.iter().any(|(socket, _)| socket.file.refresh_connection() == Phase::Failed);
        let time = if any_failed { Some(0) } else { left(deadline) };
        let answers = match socket::poll(&asked, time) {
            Err(Errno(EINTR)) => {
                after_signal()?;
                continue;
            }
            other => other.map_err(of)?,
        };
        let (answers, bells) = answers.split_at(sockets.len());
        let is_closed = |socket: &Socket| !is_open(process, socket);
        if bells.iter().zip(sockets).any(|(bell, (socket, _))| bell.any() && is_closed(socket)) {
            return Err(WSAENOTSOCK);
        }
        let states: Vec<State> =
            sockets.iter().zip(answers).map(|((socket, _), answer)| socket.file.state_of(*answer)).collect();
        if at_once || is_done(&states) {
            return Ok(states);
        }
        // A failure that nobody asked for would be seen again and again.
        if any_failed {
            pause(deadline);
        }
    }
}

/// Sleeps a little, not beyond the deadline.
fn pause(deadline: Option<u64>) {
    const LITTLE: u64 = 10_000_000;
    plat_host::thread::sleep(left(deadline).map_or(LITTLE, |left| left.min(LITTLE)));
}

fn is_open(process: &Process, socket: &Socket) -> bool {
    let object: ObjectRef = socket.file.clone();
    process.handles.entry(socket.handle).is_ok_and(|entry| Arc::ptr_eq(&entry.object, &object))
}
