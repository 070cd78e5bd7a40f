//! Bytes through sockets: in calls that wait, and in transfers that go on after their calls.
//!
//! Key types: [`Message`] (what is received or sent), [`SocketWork`] (a transfer under way).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plat_host::clock;
use plat_host::file::TransferError;
use plat_host::file_path::Errno;
use plat_host::pipe;
use plat_host::socket::{self, Address, Manner, Piece, Readiness, Received};

use super::afd;
use super::file::FileObject;
use super::pipe_transfer::{Pending, Work};
use super::socket::{Phase, Socket, of};
use super::socket_events;
use crate::logic::winsock::error::{self, *};
use crate::logic::winsock::{address, control};
use crate::{NtStatus, Win32Error};

/// `MSG_OOB`, `MSG_PEEK`, `MSG_DONTROUTE`, `MSG_WAITALL`, `MSG_PARTIAL`.
const MSG_OOB: u32 = 1;
const MSG_PEEK: u32 = 2;
const MSG_DONTROUTE: u32 = 4;
const MSG_WAITALL: u32 = 8;
/// A part of a datagram, as a flag that comes back.
pub const MSG_PARTIAL: u32 = 0x8000;
/// A part of a datagram, and a part of its control data, as flags of a `WSAMSG`.
const MSG_TRUNC: u32 = 0x100;
const MSG_CTRUNC: u32 = 0x200;

/// What is received or sent: where in guest memory, and how.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Guest memory.
    pub pieces: Vec<Piece>,
    /// Winsock's flags.
    pub flags: u32,
    /// Whom it goes to, in Linux's form.
    pub to: Option<Address>,
    /// What the kernel is told of a datagram that is sent, in Linux's form.
    pub control: Vec<u8>,
    /// Whether what the kernel tells of a datagram is wanted.
    pub wants_control: bool,
}

impl Message {
    fn manner(&self) -> Manner {
        let has = |flag: u32| self.flags & flag != 0;
        Manner {
            peek: has(MSG_PEEK),
            urgent: has(MSG_OOB),
            direct: has(MSG_DONTROUTE),
            control: self.wants_control,
        }
    }

    fn length(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.length).sum()
    }

    /// Returns what is left of the pieces after so many bytes.
    fn after(&self, mut done: u64) -> Vec<Piece> {
        let mut rest = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let skip = done.min(piece.length);
            done -= skip;
            if skip < piece.length {
                rest.push(Piece { address: piece.address + skip, length: piece.length - skip });
            }
        }
        rest
    }
}

/// Where the guest wants to know more of a message that is received later.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Where flags go; 0 for nowhere.
    pub flags: u64,
    /// Where the sender's address goes; 0 for nowhere.
    pub from: u64,
    /// Where its size is and goes.
    pub from_length: u64,
    /// Where control data goes.
    pub control: ControlPlace,
}

/// Where control data of a datagram goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ControlPlace {
    /// The data; 0 for nowhere.
    pub at: u64,
    /// Room there in bytes.
    pub room: u32,
    /// Where its size goes; 0 for nowhere.
    pub length_at: u64,
    /// Whether words have eight bytes.
    pub is_64: bool,
}

/// A transfer of a socket that is under way.
#[derive(Debug)]
pub enum SocketWork {
    /// Receives once.
    Receive(Message, Told),
    /// Sends all; so many bytes are gone.
    Send(Message, u64),
    /// Waits until the connection is made, then sends; so many bytes are gone.
    Connect(Message, u64),
    /// Takes one who has connected.
    Accept(AcceptInto),
}

/// Where somebody who has connected goes.
#[derive(Clone)]
pub struct AcceptInto {
    /// The socket that becomes the connection.
    pub socket: Arc<FileObject>,
    /// Where the first bytes and the addresses go.
    pub output: u64,
    /// Room for bytes; with some, the first ones are waited for.
    pub data: u32,
    /// Room for the own address.
    pub local: u32,
    /// Room for the other one's.
    pub remote: u32,
    /// Whether somebody is there, and the bytes are waited for.
    pub is_connected: bool,
}

impl std::fmt::Debug for AcceptInto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AcceptInto(output {:#x}, data {})", self.output, self.data)
    }
}

impl SocketWork {
    /// Says whether it waits for room rather than for bytes.
    pub fn is_write(&self) -> bool {
        matches!(self, Self::Send(..) | Self::Connect(..))
    }

    /// Returns the socket that carries the work on, and what it does: somebody has connected, and his first bytes are
    /// waited for.
    pub fn moved(&self) -> Option<(Arc<FileObject>, Self)> {
        let Self::Accept(into) = self else { return None };
        let pieces = vec![Piece { address: into.output, length: u64::from(into.data) }];
        let message = Message { pieces, flags: 0, ..Message::default() };
        (into.is_connected && into.data != 0)
            .then(|| (Arc::clone(&into.socket), Self::Receive(message, Told::default())))
    }

    /// Returns how many bytes were asked for.
    pub fn length(&self) -> u64 {
        match self {
            Self::Receive(message, _) | Self::Send(message, _) | Self::Connect(message, _) => {
                message.length()
            }
            Self::Accept(into) => u64::from(into.data),
        }
    }
}

fn of_transfer(error: TransferError) -> Win32Error {
    match error {
        TransferError::Errno(errno) => error::of_errno(errno),
        TransferError::Fault(_) => WSAEFAULT,
    }
}

fn deadline(milliseconds: u32) -> Option<u64> {
    (milliseconds != 0).then(|| clock::monotonic_nanoseconds() + u64::from(milliseconds) * 1_000_000)
}

impl FileObject {
    /// Receives what there is, without waiting.
    ///
    /// # Errors
    /// `WSAEWOULDBLOCK`, `WSAESHUTDOWN`, `WSAENOTCONN`, `WSAEINVAL` for a datagram socket without an address,
    /// `WSAECONNRESET` and its like.
    pub fn receive_message_now(&self, pieces: &[Piece], message: &Message) -> Result<Received, Win32Error> {
        let end = self.transfers.socket.get().ok_or(WSAENOTSOCK)?;
        let phase = self.refresh_connection();
        let is_bound = {
            let mut life = end.life();
            if life.receive_ended {
                return Err(WSAESHUTDOWN);
            }
            // An error that was seen while somebody looked for events.
            if phase == Phase::Connected
                && let Some(error) = life.error.take()
            {
                return Err(error);
            }
            life.is_bound
        };
        if end.is_stream() && phase != Phase::Connected {
            return Err(WSAENOTCONN);
        }
        if !is_bound {
            return Err(WSAEINVAL);
        }
        let received = socket::receive(&self.file, pieces, message.manner()).map_err(of_transfer);
        match received {
            // Nobody was there to take an earlier datagram.
            Err(WSAECONNREFUSED) if !end.is_stream() => Err(WSAECONNRESET),
            other => other,
        }
    }

    /// Sends what fits, without waiting.
    ///
    /// # Errors
    /// `WSAEWOULDBLOCK`, `WSAESHUTDOWN`, `WSAENOTCONN`, `WSAECONNRESET` and its like.
    pub fn send_message_now(&self, pieces: &[Piece], message: &Message) -> Result<u64, Win32Error> {
        let end = self.transfers.socket.get().ok_or(WSAENOTSOCK)?;
        let phase = self.refresh_connection();
        if end.life().send_ended {
            return Err(WSAESHUTDOWN);
        }
        if phase != Phase::Connected && (end.is_stream() || message.to.is_none()) {
            return Err(WSAENOTCONN);
        }
        // A stream knows where it leads.
        let to = message.to.as_ref().filter(|_| !end.is_stream());
        let sent =
            socket::send(&self.file, pieces, message.manner(), to, &message.control).map_err(of_transfer);
        if !end.is_stream() {
            end.life().is_bound = true;
        }
        match sent {
            Err(WSAECONNREFUSED) if !end.is_stream() => Err(WSAECONNRESET),
            other => other,
        }
    }

    /// Moves bytes of a socket that is used as a file, waiting for them: reads what there is, writes all.
    ///
    /// # Errors
    /// The status of the failure; `CANCELLED` when the socket was closed meanwhile.
    pub(super) fn move_as_file(&self, address: u64, length: u64, is_write: bool) -> Result<u64, NtStatus> {
        let message = Message { pieces: vec![Piece { address, length }], flags: 0, ..Message::default() };
        let mut done = 0;
        loop {
            let pieces = message.after(done);
            let moved = if is_write {
                self.send_message_now(&pieces, &message)
            } else {
                self.receive_message_now(&pieces, &message).map(|received| received.bytes)
            };
            match moved {
                Err(WSAEWOULDBLOCK) => self.await_socket(is_write)?,
                Err(error) => return Err(error::to_status(error)),
                Ok(moved) if !is_write => return Ok(moved),
                Ok(moved) => done += moved,
            }
            if is_write && done >= length {
                return Ok(length);
            }
        }
    }

    /// Carries a transfer on as far as it goes; `None` when it must wait.
    pub(super) fn attempt_socket(self: &Arc<Self>, work: &mut SocketWork) -> Option<Result<u64, NtStatus>> {
        let outcome = match work {
            SocketWork::Receive(message, told) => self.attempt_receive(message, *told),
            SocketWork::Send(message, done) => self.attempt_send(message, done),
            SocketWork::Connect(message, done) => self.attempt_connect(message, done),
            SocketWork::Accept(into) => self.attempt_accept(into),
        };
        match outcome {
            Err(WSAEWOULDBLOCK) => None,
            Err(WSAEMSGSIZE) => Some(Err(NtStatus::BUFFER_OVERFLOW)),
            other => Some(other.map_err(error::to_status)),
        }
    }

    fn attempt_receive(self: &Arc<Self>, message: &Message, told: Told) -> Result<u64, Win32Error> {
        let received = self.receive_message_now(&message.pieces, message);
        socket_events::enable(self, socket_events::READ);
        let received = received?;
        tell(&received, told)?;
        if received.is_cut { Err(WSAEMSGSIZE) } else { Ok(received.bytes) }
    }

    fn attempt_send(&self, message: &Message, done: &mut u64) -> Result<u64, Win32Error> {
        let all = message.length();
        loop {
            *done += self.send_message_now(&message.after(*done), message)?;
            if *done >= all {
                return Ok(all);
            }
        }
    }

    fn attempt_connect(&self, message: &Message, done: &mut u64) -> Result<u64, Win32Error> {
        match self.refresh_connection() {
            Phase::Connecting => Err(WSAEWOULDBLOCK),
            Phase::Connected if message.length() == 0 => Ok(0),
            Phase::Connected => self.attempt_send(message, done),
            _ => {
                let end = self.transfers.socket.get().ok_or(WSAENOTSOCK)?;
                Err(end.life().error.take().unwrap_or(WSAECONNREFUSED))
            }
        }
    }

    fn attempt_accept(&self, into: &mut AcceptInto) -> Result<u64, Win32Error> {
        let end = into.socket.transfers.socket.get().ok_or(WSAENOTSOCK)?;
        if !into.is_connected {
            let (file, _) = socket::accept(&self.file).map_err(of)?;
            pipe::replace(&into.socket.file, &file).map_err(of)?;
            let mut life = end.life();
            (life.phase, life.is_bound) = (Phase::Connected, true);
            life.connected_at = clock::monotonic_nanoseconds();
            drop(life);
            into.is_connected = true;
            afd::reconsider(&into.socket);
        }
        let addresses = [
            (into.output + u64::from(into.data), into.local, socket::local_address(&into.socket.file)),
            (
                into.output + u64::from(into.data) + u64::from(into.local),
                into.remote,
                socket::peer_address(&into.socket.file),
            ),
        ];
        for (at, room, found) in addresses {
            let bytes = stored_address(&address::of_linux(found.map_err(of)?.bytes()), room as usize);
            pipe::write_guest_by_kernel(at, &bytes).map_err(|_| WSAEFAULT)?;
        }
        // The bytes are waited for elsewhere.
        if into.data == 0 { Ok(0) } else { Err(WSAEWOULDBLOCK) }
    }

    /// Begins to take somebody who connects; the first bytes, where they are wanted, are waited for by the new socket.
    ///
    /// # Errors
    /// The outcome, and `PENDING`.
    pub fn begin_accept(
        self: &Arc<Self>,
        into: AcceptInto,
        make: impl FnOnce(Work) -> Pending,
    ) -> Result<u64, NtStatus> {
        self.begin_transfer(Work::Socket(Box::new(SocketWork::Accept(into))), make)
    }
}

/// Lays an address out as `AcceptEx` stores it: its size in the last two bytes of the room.
fn stored_address(bytes: &[u8], room: usize) -> Vec<u8> {
    let mut stored = bytes.to_vec();
    stored.resize(room, 0);
    if let Some(last) = room.checked_sub(4).and_then(|at| stored.get_mut(at..)) {
        last.copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    }
    stored
}

/// Stores flags, control data and sender of a message where the guest wants them; runs on any thread.
///
/// # Errors
/// `WSAEFAULT`.
pub fn tell(received: &Received, told: Told) -> Result<(), Win32Error> {
    let write = |at: u64, bytes: &[u8]| pipe::write_guest_by_kernel(at, bytes).map_err(|_| WSAEFAULT);
    let mut cut_control = 0;
    if told.control.length_at != 0 {
        let mut control = control::of_linux(&received.control, told.control.is_64);
        if control.len() > told.control.room as usize {
            control.clear();
            cut_control = MSG_CTRUNC;
        }
        write(told.control.at, &control)?;
        write(told.control.length_at, &(control.len() as u32).to_le_bytes())?;
    }
    if told.flags != 0 {
        let partial = if received.is_cut {
            if told.control.length_at != 0 { MSG_TRUNC } else { MSG_PARTIAL }
        } else {
            0
        };
        let urgent = if received.is_urgent { MSG_OOB } else { 0 };
        write(told.flags, &(partial | urgent | cut_control).to_le_bytes())?;
    }
    let Some(from) = &received.from else { return Ok(()) };
    if told.from != 0 && told.from_length != 0 {
        let mut room = [0; 4];
        pipe::read_guest_by_kernel(told.from_length, &mut room).map_err(|_| WSAEFAULT)?;
        let bytes = address::of_linux(from.bytes());
        let room = i32::from_le_bytes(room).max(0) as usize;
        write(told.from, &bytes[..room.min(bytes.len())])?;
        write(told.from_length, &(bytes.len() as u32).to_le_bytes())?;
        if room < bytes.len() {
            return Err(WSAEFAULT);
        }
    }
    Ok(())
}

impl Socket {
    /// Receives, waiting for something to come.
    ///
    /// # Errors
    /// As [`FileObject::receive_message_now`]; `WSAETIMEDOUT`, `WSAEINTR`.
    pub fn receive(&self, message: &Message) -> Result<Received, Win32Error> {
        let urgent = message.flags & MSG_OOB != 0;
        let wanted = Readiness { read: !urgent, urgent, ..Readiness::default() };
        let deadline = deadline(self.end().life().receive_timeout);
        let all = message.flags & MSG_WAITALL != 0 && message.flags & MSG_PEEK == 0 && self.end().is_stream();
        let mut total: u64 = 0;
        loop {
            let pieces = message.after(total);
            let received =
                self.until_done(wanted, deadline, || self.file.receive_message_now(&pieces, message));
            socket_events::enable(&self.file, if urgent { socket_events::OOB } else { socket_events::READ });
            let mut received = match received {
                Err(_) if total > 0 => Received::default(),
                other => other?,
            };
            total += received.bytes;
            if !all || received.bytes == 0 || total >= message.length() {
                received.bytes = total;
                return Ok(received);
            }
        }
    }

    /// Sends: a socket that blocks sends all, another what fits.
    ///
    /// # Errors
    /// As [`FileObject::send_message_now`]; `WSAETIMEDOUT`, `WSAEINTR`.
    pub fn send(&self, message: &Message) -> Result<u64, Win32Error> {
        let wanted = Readiness { write: true, ..Readiness::default() };
        let deadline = deadline(self.end().life().send_timeout);
        let mut done = 0;
        loop {
            let pieces = message.after(done);
            match self.until_done(wanted, deadline, || self.file.send_message_now(&pieces, message)) {
                Err(WSAEWOULDBLOCK) if done > 0 => return Ok(done),
                Err(error) => {
                    if error == WSAEWOULDBLOCK {
                        socket_events::enable(&self.file, socket_events::WRITE);
                    }
                    return Err(error);
                }
                Ok(sent) => done += sent,
            }
            if done >= message.length() {
                return Ok(done);
            }
            let is_nonblocking = self.end().is_nonblocking.load(Ordering::Relaxed);
            if is_nonblocking {
                // What does not fit will be told of.
                socket_events::enable(&self.file, socket_events::WRITE);
                return Ok(done);
            }
        }
    }

    /// Says how many bytes can be received now.
    ///
    /// # Errors
    /// `WSAEINVAL` for one who listens.
    pub fn available(&self) -> Result<u32, Win32Error> {
        if self.end().life().phase == Phase::Listening {
            return Err(WSAEINVAL);
        }
        let available = self.file.file.available().map_err(|Errno(errno)| error::of_errno(errno))?;
        Ok(u32::try_from(available).unwrap_or(u32::MAX))
    }
}
