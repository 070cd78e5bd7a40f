//! Sockets: file objects with a socket's side, named by handles as files are. Making, naming, connecting, accepting.
//! Bytes go in `socket_transfer`, waiting is in `socket_wait`, network events are in `socket_events`.
//!
//! Key types: [`SocketEnd`] (a file object's socket side), [`Socket`] (a socket as its caller names it),
//! [`Network`] (the process' use of Winsock).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use plat_host::clock;
use plat_host::file::File;
use plat_host::file_path::Errno;
use plat_host::socket::{self, Address, Bell, Readiness};

use super::afd::{self, Poll};
use super::file::{FileKind, FileObject, FileTraits};
use super::handle::HandleFlags;
use super::path::lock;
use super::pipe_transfer::Transfers;
use super::socket_events::{self, Selection};
use crate::Win32Error;
use crate::logic::winsock::address::{self, AF_INET, AF_INET6, AF_UNIX, Endpoint};
use crate::logic::winsock::error::*;
use crate::process::Process;

/// `SOCK_STREAM`.
pub const SOCK_STREAM: i32 = 1;
/// `SOCK_DGRAM`.
pub const SOCK_DGRAM: i32 = 2;
/// `SOCK_RAW`.
pub const SOCK_RAW: i32 = 3;

const SOL_SOCKET: i32 = 1;
const SO_REUSEADDR: i32 = 2;
const SO_ERROR: i32 = 4;
const IPPROTO_IPV6: i32 = 41;
const IPV6_V6ONLY: i32 = 26;

/// The process' use of Winsock.
#[derive(Default)]
pub struct Network {
    /// How many calls of `WSAStartup` are not yet taken back.
    starts: AtomicU32,
    /// The blocks of guest memory in which `gethostbyname` and its like answer, by thread.
    pub answers: Mutex<std::collections::HashMap<u32, u64>>,
}

impl Network {
    /// Counts a start.
    pub fn start(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a start back.
    ///
    /// # Errors
    /// `WSANOTINITIALISED` when there is none.
    pub fn stop(&self) -> Result<(), Win32Error> {
        let less = |count: u32| count.checked_sub(1);
        let taken = self.starts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.map(drop).map_err(|_| WSANOTINITIALISED)
    }

    /// Says whether Winsock may be used.
    ///
    /// # Errors
    /// `WSANOTINITIALISED`.
    pub fn check(&self) -> Result<(), Win32Error> {
        if self.starts.load(Ordering::Relaxed) == 0 { Err(WSANOTINITIALISED) } else { Ok(()) }
    }
}

/// How far a socket's connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is none.
    Idle,
    /// It is being made.
    Connecting,
    /// It could not be made; the reason waits in `error`.
    Failed,
    /// It is there, or was.
    Connected,
    /// Others may connect.
    Listening,
}

/// What changes in a socket's life.
#[derive(Debug)]
pub struct Life {
    /// How far its connection is.
    pub phase: Phase,
    /// Whether it has an address of its own.
    pub is_bound: bool,
    /// What `SO_ERROR` returns next.
    pub error: Option<Win32Error>,
    /// Whether receiving was shut down.
    pub receive_ended: bool,
    /// Whether sending was shut down.
    pub send_ended: bool,
    /// `SO_RCVTIMEO` in milliseconds; 0 is none.
    pub receive_timeout: u32,
    /// `SO_SNDTIMEO` in milliseconds; 0 is none.
    pub send_timeout: u32,
    /// When it was connected, on the monotonic clock in nanoseconds.
    pub connected_at: u64,
    /// `SO_REUSEADDR` as the program set it: plat lets every stream use an address again that is only winding down.
    pub reuses_address: bool,
    /// `SO_EXCLUSIVEADDRUSE`.
    pub is_exclusive: bool,
}

/// A file object's socket side.
pub struct SocketEnd {
    /// Windows' address family.
    pub family: u16,
    /// [`SOCK_STREAM`] or another.
    pub kind: i32,
    /// The protocol.
    pub protocol: i32,
    /// Whether calls return at once (`FIONBIO`).
    pub is_nonblocking: AtomicBool,
    life: Mutex<Life>,
    bell: OnceLock<Bell>,
    /// Whether its last handle was closed by `closesocket`, so that nobody is to begin to wait.
    is_closed: AtomicBool,
    /// The network events that somebody wants.
    pub selection: Mutex<Selection>,
    /// Requests of event loops that ask for the socket.
    pub(super) polls: Mutex<Vec<Weak<Poll>>>,
}

impl SocketEnd {
    /// Makes the side of a socket that was just opened, accepted or inherited.
    pub fn new(family: u16, kind: i32, protocol: i32, phase: Phase) -> Self {
        let life = Life {
            phase,
            is_bound: phase != Phase::Idle,
            error: None,
            receive_ended: false,
            send_ended: false,
            receive_timeout: 0,
            send_timeout: 0,
            connected_at: clock::monotonic_nanoseconds(),
            reuses_address: false,
            is_exclusive: false,
        };
        Self {
            family,
            kind,
            protocol,
            is_nonblocking: AtomicBool::new(false),
            life: Mutex::new(life),
            bell: OnceLock::new(),
            is_closed: AtomicBool::new(false),
            selection: Mutex::default(),
            polls: Mutex::default(),
        }
    }

    /// Makes the side of a socket that another process made.
    ///
    /// # Errors
    /// The kernel's errno when it is none.
    pub fn of_descriptor(file: &File) -> Result<Self, Errno> {
        const SO_TYPE: i32 = 3;
        const SO_ACCEPTCONN: i32 = 30;
        const SO_PROTOCOL: i32 = 38;
        let number = |name: i32| socket::option_number(file, SOL_SOCKET, name);
        let own = address::of_linux(socket::local_address(file)?.bytes());
        let family = own.first_chunk().copied().map_or(0, u16::from_le_bytes);
        let phase = match socket::peer_address(file) {
            Ok(_) => Phase::Connected,
            Err(_) if number(SO_ACCEPTCONN)? != 0 => Phase::Listening,
            Err(_) => Phase::Idle,
        };
        let end = Self::new(family, number(SO_TYPE)?, number(SO_PROTOCOL)?, phase);
        end.life().is_bound |= Endpoint::of_bytes(&own).is_some_and(|own| own.port != 0);
        Ok(end)
    }

    /// Returns its state, locked.
    pub fn life(&self) -> MutexGuard<'_, Life> {
        lock(&self.life)
    }

    /// Says whether it carries a stream.
    pub fn is_stream(&self) -> bool {
        self.kind == SOCK_STREAM
    }

    /// Returns what wakes those who wait for the socket.
    pub(super) fn bell(&self) -> Result<&Bell, Win32Error> {
        if self.bell.get().is_none() {
            // Another thread may have been faster.
            let _ = self.bell.set(Bell::new().map_err(of)?);
            // Who closed the socket has perhaps found no bell.
            if self.is_closed.load(Ordering::SeqCst)
                && let Some(bell) = self.bell.get()
            {
                bell.ring();
            }
        }
        self.bell.get().ok_or(WSAENOBUFS)
    }
}

/// Translates an errno.
pub(super) fn of(errno: Errno) -> Win32Error {
    of_errno(errno.0)
}

/// A socket as its caller names it.
#[derive(Clone)]
pub struct Socket {
    /// The file object, which has a socket's side.
    pub file: Arc<FileObject>,
    /// The handle.
    pub handle: u64,
}

fn object(file: File, end: SocketEnd, overlapped: bool) -> FileObject {
    let transfers = Transfers::default();
    let _ = transfers.socket.set(Box::new(end));
    FileObject {
        file,
        kind: FileKind::Pipe,
        traits: FileTraits { overlapped, delete_on_close: false, ..FileTraits::default() },
        path: Mutex::new(None),
        registration: None,
        listing: Mutex::new(None),
        transfers,
    }
}

/// What a new socket is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Windows' family; 0 is for the protocol to say.
    pub family: i32,
    /// The type; 0 is for the protocol to say.
    pub kind: i32,
    /// The protocol; 0 is the type's own.
    pub protocol: i32,
    /// Whether transfers may go on after their calls.
    pub overlapped: bool,
}

impl Wish {
    /// Fills in what was left open; says what is wrong with the rest.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-socket>
    fn complete(self) -> Result<Self, Win32Error> {
        const TCP: i32 = 6;
        const UDP: i32 = 17;
        let Self { mut family, mut kind, mut protocol, .. } = self;
        if family == 0 {
            if kind == 0 && protocol == 0 {
                return Err(WSAEINVAL);
            }
            family = i32::from(AF_INET);
        }
        let known = u16::try_from(family).ok().and_then(address::family_to_linux);
        known.ok_or(WSAEAFNOSUPPORT)?;
        if family == i32::from(AF_UNIX) {
            return match (kind, protocol) {
                (SOCK_STREAM, 0) => Ok(Self { family, ..self }),
                (SOCK_STREAM, _) => Err(WSAEPROTONOSUPPORT),
                _ => Err(WSAESOCKTNOSUPPORT),
            };
        }
        if kind == 0 {
            kind = if protocol == UDP { SOCK_DGRAM } else { SOCK_STREAM };
        }
        if !(SOCK_STREAM..=SOCK_RAW).contains(&kind) {
            return Err(WSAESOCKTNOSUPPORT);
        }
        if protocol == 0 && kind != SOCK_RAW {
            protocol = if kind == SOCK_STREAM { TCP } else { UDP };
        }
        let expected = if kind == SOCK_STREAM { TCP } else { UDP };
        if kind != SOCK_RAW && protocol != expected {
            return Err(WSAEPROTONOSUPPORT);
        }
        Ok(Self { family, kind, protocol, ..self })
    }
}

impl Socket {
    /// Finds the socket of a handle.
    ///
    /// # Errors
    /// `WSANOTINITIALISED`, `WSAENOTSOCK`.
    pub fn find(process: &Process, handle: u64) -> Result<Self, Win32Error> {
        process.network.check()?;
        let file: Arc<FileObject> = process.handles.get(handle).map_err(|_| WSAENOTSOCK)?;
        if file.transfers.socket.get().is_none() {
            return Err(WSAENOTSOCK);
        }
        Ok(Self { file, handle })
    }

    /// Makes a socket and its handle.
    ///
    /// # Errors
    /// `WSAEAFNOSUPPORT`, `WSAESOCKTNOSUPPORT`, `WSAEPROTONOSUPPORT`, `WSAEINVAL`, `WSAEMFILE`; `WSAEACCES` for a raw one.
    pub fn create(process: &Process, wish: Wish, flags: HandleFlags) -> Result<u64, Win32Error> {
        process.network.check()?;
        let Wish { family, kind, protocol, overlapped } = wish.complete()?;
        let linux = address::family_to_linux(family as u16).ok_or(WSAEAFNOSUPPORT)?;
        let file = socket::open(i32::from(linux), kind, protocol).map_err(of)?;
        if family == i32::from(AF_INET6) {
            // Windows' default. A system without the option has no other behaviour, either.
            let _ = socket::set_option(&file, IPPROTO_IPV6, IPV6_V6ONLY, &1_i32.to_ne_bytes());
        }
        let end = SocketEnd::new(family as u16, kind, protocol, Phase::Idle);
        Ok(insert(process, object(file, end, overlapped), flags))
    }

    /// Returns the socket's side.
    pub fn end(&self) -> &SocketEnd {
        self.file.transfers.socket.get().expect("it was there when this was made")
    }

    /// Gives the socket an address, in Linux's form.
    ///
    /// # Errors
    /// `WSAEINVAL` when it has one, `WSAEADDRINUSE`, `WSAEADDRNOTAVAIL`, `WSAEACCES`, `WSAEAFNOSUPPORT`.
    pub fn bind(&self, address: &Address) -> Result<(), Win32Error> {
        let mut life = self.end().life();
        if life.is_bound {
            return Err(WSAEINVAL);
        }
        let reuses = self.end().is_stream() && self.end().family != AF_UNIX && !life.is_exclusive;
        if reuses {
            // A port of a connection that winds down is free on Windows; without it the kernel's own rule remains.
            let _ = socket::set_option(&self.file.file, SOL_SOCKET, SO_REUSEADDR, &1_i32.to_ne_bytes());
        }
        socket::bind(&self.file.file, address).map_err(of)?;
        life.is_bound = true;
        Ok(())
    }

    /// Lets others connect.
    ///
    /// # Errors
    /// `WSAEINVAL` without an address, `WSAEISCONN`, `WSAEOPNOTSUPP` for what is no stream, `WSAEADDRINUSE`.
    pub fn listen(&self, backlog: i32) -> Result<(), Win32Error> {
        if !self.end().is_stream() {
            return Err(WSAEOPNOTSUPP);
        }
        let mut life = self.end().life();
        match life.phase {
            Phase::Connected => return Err(WSAEISCONN),
            _ if !life.is_bound => return Err(WSAEINVAL),
            _ => {}
        }
        // SOMAXCONN is the greatest number; SOMAXCONN_HINT makes numbers negative.
        let backlog = backlog.checked_abs().unwrap_or(i32::MAX).clamp(1, 4096);
        socket::listen(&self.file.file, backlog).map_err(of)?;
        life.phase = Phase::Listening;
        drop(life);
        socket_events::watch(&self.file);
        afd::reconsider(&self.file);
        Ok(())
    }

    /// Takes one who has connected, waiting for him; returns the file object of the connection and his address.
    ///
    /// # Errors
    /// `WSAEINVAL` when it does not listen, `WSAEWOULDBLOCK`, `WSAEINTR`, `WSAEOPNOTSUPP`.
    pub fn accept(&self) -> Result<(FileObject, Address), Win32Error> {
        let end = self.end();
        if !end.is_stream() {
            return Err(WSAEOPNOTSUPP);
        }
        if end.life().phase != Phase::Listening {
            return Err(WSAEINVAL);
        }
        let read = Readiness { read: true, ..Readiness::default() };
        let accepted = self.until_done(read, None, || socket::accept(&self.file.file).map_err(of));
        socket_events::enable(&self.file, socket_events::ACCEPT);
        let (file, address) = accepted?;
        let new = SocketEnd::new(end.family, end.kind, end.protocol, Phase::Connected);
        new.is_nonblocking.store(end.is_nonblocking.load(Ordering::Relaxed), Ordering::Relaxed);
        lock(&new.selection).inherit(&lock(&end.selection));
        Ok((object(file, new, self.file.traits.overlapped), address))
    }

    /// Connects, waiting for it.
    ///
    /// # Errors
    /// `WSAEWOULDBLOCK` when it goes on, `WSAEALREADY`, `WSAEISCONN`, `WSAECONNREFUSED` and its like.
    pub fn connect(&self, address: &Address) -> Result<(), Win32Error> {
        self.begin_connect(address)?;
        if self.end().is_stream() && self.end().is_nonblocking.load(Ordering::Relaxed) {
            return Err(WSAEWOULDBLOCK);
        }
        self.end_connect(None)
    }

    /// Waits for a connection that was begun, until a deadline on the monotonic clock in nanoseconds.
    ///
    /// # Errors
    /// `WSAETIMEDOUT`, `WSAEINTR`, `WSAECONNREFUSED` and its like.
    pub fn end_connect(&self, deadline: Option<u64>) -> Result<(), Win32Error> {
        let end = self.end();
        if !end.is_stream() {
            return Ok(());
        }
        let write = Readiness { write: true, ..Readiness::default() };
        loop {
            match self.file.refresh_connection() {
                Phase::Connecting => self.wait_for(write, deadline)?,
                Phase::Connected => return Ok(()),
                _ => return Err(end.life().error.take().unwrap_or(WSAECONNREFUSED)),
            }
        }
    }

    /// Begins to connect; the outcome is seen by [`FileObject::refresh_connection`].
    ///
    /// # Errors
    /// `WSAEALREADY`, `WSAEISCONN`, `WSAEINVAL` while listening, `WSAEADDRNOTAVAIL` for no address, `WSAENETUNREACH`.
    pub fn begin_connect(&self, address: &Address) -> Result<(), Win32Error> {
        let end = self.end();
        let is_stream = end.is_stream();
        match self.file.refresh_connection() {
            Phase::Connecting => return Err(WSAEALREADY),
            Phase::Connected if is_stream => return Err(WSAEISCONN),
            Phase::Listening => return Err(WSAEINVAL),
            _ => {}
        }
        if let Some(to) = Endpoint::of_bytes(&address::of_linux(address.bytes()))
            && is_stream
            && (to.ip.is_unspecified() || to.port == 0)
        {
            return Err(WSAEADDRNOTAVAIL);
        }
        let mut life = end.life();
        life.error = None;
        match socket::connect(&self.file.file, address) {
            Ok(()) => life.phase = Phase::Connected,
            Err(Errno(115)) => life.phase = Phase::Connecting,
            // Loopback answers at once; Windows' programs learn it as of any other machine.
            Err(errno) if is_stream && matches!(of(errno), WSAECONNREFUSED | WSAETIMEDOUT) => {
                (life.phase, life.error) = (Phase::Failed, Some(of(errno)));
            }
            // Nobody made that file, or nobody listens at it any more.
            Err(Errno(2)) if end.family == AF_UNIX => {
                (life.phase, life.error) = (Phase::Failed, Some(WSAECONNREFUSED));
            }
            Err(errno) => return Err(of(errno)),
        }
        life.is_bound = true;
        life.connected_at = clock::monotonic_nanoseconds();
        drop(life);
        socket_events::enable(&self.file, socket_events::CONNECT | socket_events::WRITE);
        afd::reconsider(&self.file);
        Ok(())
    }

    /// Ends receiving (0), sending (1) or both (2).
    ///
    /// # Errors
    /// `WSAEINVAL`, `WSAENOTCONN`.
    pub fn shutdown(&self, how: i32) -> Result<(), Win32Error> {
        if !(0..=2).contains(&how) {
            return Err(WSAEINVAL);
        }
        if self.end().is_stream() {
            socket::shutdown(&self.file.file, how).map_err(of)?;
        }
        let mut life = self.end().life();
        life.receive_ended |= how != 1;
        life.send_ended |= how != 0;
        Ok(())
    }

    /// Returns the socket's own address, in Windows' form.
    ///
    /// # Errors
    /// `WSAEINVAL` when it has none.
    pub fn local_address(&self) -> Result<Vec<u8>, Win32Error> {
        if !self.end().life().is_bound {
            return Err(WSAEINVAL);
        }
        Ok(address::of_linux(socket::local_address(&self.file.file).map_err(of)?.bytes()))
    }

    /// Returns the address of the other end, in Windows' form.
    ///
    /// # Errors
    /// `WSAENOTCONN`.
    pub fn peer_address(&self) -> Result<Vec<u8>, Win32Error> {
        Ok(address::of_linux(socket::peer_address(&self.file.file).map_err(of)?.bytes()))
    }
}

/// Gives an object of a socket its handle.
pub fn insert(process: &Process, file: FileObject, flags: HandleFlags) -> u64 {
    use super::file::access::{FILE_READ, FILE_WRITE};
    let file = Arc::new(file);
    socket_events::watch(&file);
    process.handles.insert(file, FILE_READ | FILE_WRITE, flags)
}

/// Closes a socket's handle; calls that wait for the socket end, unless it has another handle.
///
/// # Errors
/// `WSAENOTSOCK`.
pub fn close(process: &Process, handle: u64) -> Result<(), Win32Error> {
    let socket = Socket::find(process, handle)?;
    drop(process.handles.close(handle).map_err(|_| WSAENOTSOCK)?);
    let object: super::object::ObjectRef = socket.file.clone();
    // Somebody else has the socket now: he found it before it was closed, and may be about to wait.
    let same = |entry: &super::handle::HandleEntry| Arc::ptr_eq(&entry.object, &object);
    if Arc::strong_count(&object) > 2 && !process.handles.all().iter().any(|(_, entry)| same(entry)) {
        socket.end().is_closed.store(true, Ordering::SeqCst);
        if let Some(bell) = socket.end().bell.get() {
            bell.ring();
        }
    }
    Ok(())
}

impl FileObject {
    /// Looks how far the connection of a socket is.
    pub fn refresh_connection(&self) -> Phase {
        let Some(end) = self.transfers.socket.get() else { return Phase::Idle };
        let mut life = end.life();
        if life.phase != Phase::Connecting {
            return life.phase;
        }
        use std::os::fd::AsFd;
        let write = Readiness { write: true, ..Readiness::default() };
        let ready = socket::poll(&[(self.file.as_fd(), write)], Some(0));
        if ready.is_ok_and(|ready| ready[0].any()) {
            let code = socket::option_number(&self.file, SOL_SOCKET, SO_ERROR).unwrap_or(0);
            if code == 0 {
                life.phase = Phase::Connected;
            } else {
                (life.phase, life.error) = (Phase::Failed, Some(of_errno(code)));
            }
        }
        life.phase
    }
}
