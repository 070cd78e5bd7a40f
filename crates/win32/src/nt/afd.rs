//! The driver of sockets as programs talk to it themselves: a request that asks which of some sockets are ready, and ends
//! when one is. Event loops (libuv, mio, wepoll) are made of it.
//!
//! Key types: [`Request`] (what is asked), [`Poll`] (a request under way).
//!
//! Source: the interface as the published sources of wepoll, mio and libuv describe it.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use plat_host::file::{File, Open};
use plat_host::pipe;
use plat_host::service::{self, Interest, Ticket};
use plat_host::socket::{self, Readiness};

use super::completion::Completion;
use super::file::{FileKind, FileObject, FileTraits};
use super::path::{lock, status_of};
use super::pipe_transfer::store_status;
use super::socket::{Phase, SocketEnd};
use crate::NtStatus;
use crate::process::Process;

/// Asks which sockets are ready.
pub const IOCTL_AFD_POLL: u32 = 0x1_2024;
/// Receives from a socket.
pub const IOCTL_AFD_RECEIVE: u32 = 0x1_2017;
/// Receives a datagram and tells who sent it.
pub const IOCTL_AFD_RECEIVE_DATAGRAM: u32 = 0x1_201b;
/// Sends through a connected socket.
pub const IOCTL_AFD_SEND: u32 = 0x1_201f;
/// There is something to receive.
pub const RECEIVE: u32 = 1;
/// There is urgent data.
pub const RECEIVE_EXPEDITED: u32 = 2;
/// There is room to send.
pub const SEND: u32 = 4;
/// The other end sends no more.
pub const DISCONNECT: u32 = 8;
/// The connection was given up by the other end.
pub const ABORT: u32 = 0x10;
/// The socket was closed by this program.
pub const LOCAL_CLOSE: u32 = 0x20;
/// The connection was made.
pub const CONNECT: u32 = 0x40;
/// Somebody has connected.
pub const ACCEPT: u32 = 0x80;
/// The connection could not be made.
pub const CONNECT_FAIL: u32 = 0x100;

/// The size in bytes of a request's head: time, count, whether it is exclusive.
const HEAD_SIZE: usize = 16;
/// A request without a time.
const FOREVER: i64 = i64::MAX;
/// The most sockets of one request.
const TARGETS_MAX: u32 = 1 << 16;

/// Says whether a name is one of the driver's: `\Device\Afd`, or below it.
pub fn is_device(name: &[u16]) -> bool {
    let device: Vec<u16> = r"\device\afd".encode_utf16().collect();
    let lower = |unit: &u16| if (65..=90).contains(unit) { unit + 32 } else { *unit };
    let head: Vec<u16> = name.iter().take(device.len()).map(lower).collect();
    head == device && name.get(device.len()).is_none_or(|&unit| unit == u16::from(b'\\'))
}

/// Opens the driver.
///
/// # Errors
/// The kernel's, as a status.
pub fn open(overlapped: bool) -> Result<FileObject, NtStatus> {
    let how = Open { read: true, write: true, ..Open::default() };
    let file = File::open(Path::new("/dev/null"), how).map_err(status_of)?;
    let mut object = FileObject::of_descriptor(file)?;
    object.kind = FileKind::Pipe;
    object.traits = FileTraits { overlapped, delete_on_close: false, ..FileTraits::default() };
    let _ = object.transfers.driver.set(());
    Ok(object)
}

/// What is asked: a time, and events of sockets.
#[derive(Debug)]
pub struct Request {
    /// In units of 100 ns: less than 0 from now on, else since 1601.
    timeout: i64,
    /// Whether it ends other exclusive requests for its sockets.
    is_exclusive: bool,
    /// Handles and events.
    wanted: Vec<(u64, u32)>,
}

impl Request {
    /// Reads a request, and checks the room for its answer.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`.
    pub fn read(bytes: &[u8], room: u32, is_64: bool) -> Result<Self, NtStatus> {
        let word = if is_64 { 8 } else { 4 };
        let size = entry_size(is_64);
        let number =
            |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
        let bad = NtStatus::INVALID_PARAMETER;
        let timeout = bytes.first_chunk().copied().map(i64::from_le_bytes).ok_or(bad)?;
        let count = number(8).filter(|count| (1..=TARGETS_MAX).contains(count)).ok_or(bad)?;
        let is_exclusive = number(12).ok_or(bad)? & 0xff != 0;
        if bytes.len().min(room as usize) < HEAD_SIZE + size * count as usize {
            return Err(bad);
        }
        let mut wanted = Vec::with_capacity(count as usize);
        for index in 0..count as usize {
            let at = HEAD_SIZE + index * size;
            let high = if is_64 { number(at + 4).ok_or(bad)? } else { 0 };
            let handle = u64::from(number(at).ok_or(bad)?) | u64::from(high) << 32;
            wanted.push((handle, number(at + word).ok_or(bad)?));
        }
        Ok(Self { timeout, is_exclusive, wanted })
    }

    /// Returns the time in nanoseconds from now; `None` for ever.
    fn nanoseconds(&self) -> Option<u64> {
        if self.timeout == FOREVER {
            return None;
        }
        let units = if self.timeout <= 0 {
            self.timeout.unsigned_abs()
        } else {
            (self.timeout as u64).saturating_sub(super::time::now().cast_unsigned())
        };
        Some(units.saturating_mul(100))
    }
}

fn entry_size(is_64: bool) -> usize {
    if is_64 { 16 } else { 12 }
}

/// Lays out an answer: those sockets of which something is so.
fn answer(timeout: i64, is_exclusive: bool, found: &[(u64, u32)], is_64: bool) -> Vec<u8> {
    let mut bytes = timeout.to_le_bytes().to_vec();
    bytes.extend((found.len() as u32).to_le_bytes());
    bytes.extend(u32::from(is_exclusive).to_le_bytes());
    for (handle, events) in found {
        let word = if is_64 { 8 } else { 4 };
        bytes.extend_from_slice(&handle.to_le_bytes()[..word]);
        bytes.extend(events.to_le_bytes());
        bytes.extend(NtStatus::SUCCESS.0.to_le_bytes());
    }
    bytes
}

/// Where the outcome of a request goes.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The answer.
    pub output: u64,
    /// The status block.
    pub block: u64,
    /// Whether words have eight bytes.
    pub is_64: bool,
}

struct Target {
    handle: u64,
    wanted: u32,
    socket: Weak<FileObject>,
}

/// What a request needs until its end; who takes it, ends it.
struct Rest {
    completion: Completion,
    tickets: Vec<Ticket>,
    timer: Option<Ticket>,
}

/// A request under way.
pub struct Poll {
    device: Weak<FileObject>,
    place: Place,
    timeout: i64,
    is_exclusive: bool,
    targets: Vec<Target>,
    rest: Mutex<Option<Rest>>,
}

/// Says what is so of a socket, of the events wanted, and what to wait for until more is.
fn look(file: &FileObject, end: &SocketEnd, wanted: u32) -> (u32, Readiness) {
    let none = Readiness::default();
    let is_stream = end.is_stream();
    let has = |event: u32| wanted & event != 0;
    let phase = file.refresh_connection();
    match phase {
        // The kernel calls a socket that was never connected ready.
        Phase::Idle if is_stream => return (0, none),
        Phase::Failed => return (CONNECT_FAIL & wanted, none),
        Phase::Connecting => return (0, Readiness { write: true, ..none }),
        _ => {}
    }
    // What the program itself has ended, the kernel tells as if the other end had.
    let receives = !end.life().receive_ended;
    let question = Readiness {
        read: receives && (has(RECEIVE) || has(ACCEPT)),
        write: has(SEND) || has(CONNECT),
        urgent: has(RECEIVE_EXPEDITED),
        peer_ended: receives && is_stream && has(DISCONNECT),
        ..none
    };
    let asked = Readiness { read: true, write: true, urgent: true, ..none };
    let answers = socket::poll(&[(file.file.as_fd(), asked)], Some(0));
    let is = answers.map_or(none, |answers| answers[0]);
    let marks = if phase == Phase::Listening {
        [(is.read, ACCEPT), (false, 0), (false, 0), (false, 0), (false, 0)]
    } else if is_stream {
        // The end of a stream is nothing to receive.
        let is_at_end = || is.peer_ended && matches!(socket::peek_size(&file.file), Ok(Some(0)));
        [
            (is.error, ABORT),
            (receives && is.read && !is.error && !is_at_end(), RECEIVE),
            (receives && is.peer_ended && !is.error, DISCONNECT),
            (is.write, SEND | CONNECT),
            (is.urgent, RECEIVE_EXPEDITED),
        ]
    } else {
        [(is.read || is.error, RECEIVE), (is.write, SEND), (false, 0), (false, 0), (false, 0)]
    };
    let events = marks.iter().filter(|mark| mark.0).fold(0, |events, mark| events | mark.1) & wanted;
    // What is so and not wanted would be told again and again.
    let is_over = is.error || is.hung_up;
    let until = Readiness {
        read: question.read && !is.read,
        write: question.write && !is.write,
        urgent: question.urgent && !is.urgent,
        peer_ended: question.peer_ended && !is.peer_ended,
        ..none
    };
    // Without any wish the kernel still tells of a connection that is given up.
    (events, if is_over { none } else { Readiness { error: has(ABORT), ..until } })
}

impl Target {
    /// Says what is so; a socket that is gone was closed by this program.
    fn look(&self, file: Option<&FileObject>) -> (u32, Readiness) {
        match file.and_then(|file| Some((file, file.transfers.socket.get()?))) {
            Some((file, end)) => look(file, end, self.wanted),
            None => (LOCAL_CLOSE & self.wanted, Readiness::default()),
        }
    }
}

/// Begins a request at a file; returns the size of the answer when something is so at once, or it was not to wait.
///
/// # Errors
/// `PENDING` when it goes on; `INVALID_HANDLE` for what is no socket; the kernel's.
pub fn begin(
    process: &Process,
    device: &Arc<FileObject>,
    request: &Request,
    place: Place,
    completion: &mut Option<Completion>,
) -> Result<u64, NtStatus> {
    let mut targets = Vec::with_capacity(request.wanted.len());
    let mut files: Vec<Arc<FileObject>> = Vec::with_capacity(request.wanted.len());
    for &(handle, wanted) in &request.wanted {
        let file: Arc<FileObject> = process.handles.get(handle).map_err(|_| NtStatus::INVALID_HANDLE)?;
        if file.transfers.socket.get().is_none() {
            return Err(NtStatus::INVALID_HANDLE);
        }
        targets.push(Target { handle, wanted, socket: Arc::downgrade(&file) });
        files.push(file);
    }
    if request.is_exclusive {
        files.iter().for_each(|file| end_exclusive(file));
    }
    let looks = targets.iter().zip(&files).map(|(target, file)| (target.handle, target.look(Some(file)).0));
    let found: Vec<(u64, u32)> = looks.filter(|look| look.1 != 0).collect();
    let time = request.nanoseconds();
    if !found.is_empty() || time == Some(0) {
        let bytes = answer(request.timeout, request.is_exclusive, &found, place.is_64);
        pipe::write_guest_by_kernel(place.output, &bytes).map_err(|_| NtStatus::ACCESS_VIOLATION)?;
        return Ok(bytes.len() as u64);
    }
    let rest = Rest { completion: completion.take().unwrap_or_default(), tickets: Vec::new(), timer: None };
    let poll = Arc::new(Poll {
        device: Arc::downgrade(device),
        place,
        timeout: request.timeout,
        is_exclusive: request.is_exclusive,
        targets,
        rest: Mutex::new(Some(rest)),
    });
    device.transfers.add_poll(&poll);
    for file in &files {
        if let Some(end) = file.transfers.socket.get() {
            lock(&end.polls).push(Arc::downgrade(&poll));
        }
    }
    if let Some(time) = time {
        poll.limit(time);
    }
    // What became so between the look above and now is seen here.
    poll.review();
    Err(NtStatus::PENDING)
}

/// Begins to wait for something that never happens here: only cancelling or closing ends it.
pub fn begin_never(device: &Arc<FileObject>, block: u64, is_64: bool, completion: Completion) {
    let rest = Rest { completion, tickets: Vec::new(), timer: None };
    let poll = Poll {
        device: Arc::downgrade(device),
        place: Place { output: 0, block, is_64 },
        timeout: FOREVER,
        is_exclusive: false,
        targets: Vec::new(),
        rest: Mutex::new(Some(rest)),
    };
    device.transfers.add_poll(&Arc::new(poll));
}

/// Ends the exclusive requests for a socket, without an event.
fn end_exclusive(file: &FileObject) {
    let Some(end) = file.transfers.socket.get() else { return };
    let polls: Vec<Arc<Poll>> = lock(&end.polls).iter().filter_map(Weak::upgrade).collect();
    for poll in polls.iter().filter(|poll| poll.is_exclusive) {
        poll.end(NtStatus::SUCCESS);
    }
}

/// Looks at a socket again for all requests: something about it changed that the kernel does not tell of.
pub fn reconsider(file: &FileObject) {
    if let Some(end) = file.transfers.socket.get() {
        reconsider_end(end);
    }
}

/// Does the same for a socket that may be gone.
pub(super) fn reconsider_end(end: &SocketEnd) {
    let polls: Vec<Arc<Poll>> = lock(&end.polls).iter().filter_map(Weak::upgrade).collect();
    polls.iter().for_each(Poll::review);
}

impl Poll {
    /// Says whether its status block is this one.
    pub fn has_block(&self, block: u64) -> bool {
        self.place.block == block
    }

    /// Ends it after a time.
    fn limit(self: &Arc<Self>, nanoseconds: u64) {
        let weak = Arc::downgrade(self);
        let then = move || {
            if let Some(poll) = weak.upgrade() {
                poll.end(NtStatus::TIMEOUT);
            }
        };
        let timer = service::after(nanoseconds, then).ok();
        if let Some(rest) = lock(&self.rest).as_mut() {
            rest.timer = timer;
        }
    }

    /// Looks at all sockets; ends the request when something is so, else waits on.
    fn review(self: &Arc<Self>) {
        // Kept until the lock is given back: the last owner of a socket reviews its requests.
        let files: Vec<Option<Arc<FileObject>>> =
            self.targets.iter().map(|target| target.socket.upgrade()).collect();
        let mut held = lock(&self.rest);
        let Some(rest) = held.as_mut() else { return };
        for ticket in rest.tickets.drain(..) {
            service::cancel(ticket);
        }
        let mut found = Vec::new();
        let mut waits = Vec::new();
        for (target, file) in self.targets.iter().zip(&files) {
            let (events, until) = target.look(file.as_deref());
            if events != 0 {
                found.push((target.handle, events));
            }
            waits.extend(file.as_ref().filter(|_| until.any()).map(|file| (file, until)));
        }
        if found.is_empty() {
            let watch = |(file, until): (&Arc<FileObject>, Readiness)| {
                let weak = Arc::downgrade(self);
                let then = move || {
                    if let Some(poll) = weak.upgrade() {
                        poll.review();
                    }
                };
                // Without the service the events are seen when the socket changes, or not at all.
                service::when_ready(file.file.as_fd(), Interest::Any(until), then).ok()
            };
            rest.tickets.extend(waits.into_iter().filter_map(watch));
            return;
        }
        let rest = held.take();
        drop(held);
        if let Some(rest) = rest {
            self.finish(rest, NtStatus::SUCCESS, &found);
        }
    }

    /// Ends it without an event.
    pub fn end(self: &Arc<Self>, status: NtStatus) {
        let rest = lock(&self.rest).take();
        if let Some(rest) = rest {
            self.finish(rest, status, &[]);
        }
    }

    fn finish(self: &Arc<Self>, rest: Rest, status: NtStatus, found: &[(u64, u32)]) {
        for ticket in rest.tickets.into_iter().chain(rest.timer) {
            service::cancel(ticket);
        }
        for target in &self.targets {
            if let Some(file) = target.socket.upgrade()
                && let Some(end) = file.transfers.socket.get()
            {
                lock(&end.polls).retain(|poll| poll.as_ptr() != Arc::as_ptr(self));
            }
        }
        let device = self.device.upgrade();
        if let Some(device) = &device {
            device.transfers.remove_poll(self);
        }
        let mut size = 0;
        if status.is_success() {
            let bytes = answer(self.timeout, self.is_exclusive, found, self.place.is_64);
            // Memory that is gone is nobody's loss.
            let _ = pipe::write_guest_by_kernel(self.place.output, &bytes);
            size = bytes.len() as u64;
        }
        store_status(self.place.block, self.place.is_64, status, size);
        rest.completion.end(status, size, self.place.block);
        if let Some(device) = &device {
            device.become_idle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_known_by_its_names() {
        let is = |name: &str| is_device(&name.encode_utf16().collect::<Vec<_>>());
        assert!(is(r"\Device\Afd") && is(r"\Device\Afd\Mio") && is(r"\DEVICE\AFD\x"));
        assert!(!is(r"\Device\Afdx") && !is(r"\Device") && !is(""));
    }

    #[test]
    fn requests_are_read_in_both_widths() {
        for is_64 in [false, true] {
            let bytes = answer(-50, true, &[(0x44, RECEIVE), (0x48, SEND)], is_64);
            let request = Request::read(&bytes, bytes.len() as u32, is_64).unwrap();
            assert_eq!(request.wanted, [(0x44, RECEIVE), (0x48, SEND)]);
            assert_eq!((request.nanoseconds(), request.is_exclusive), (Some(5000), true));
            for end in 0..bytes.len() {
                let cut = Request::read(&bytes[..end], bytes.len() as u32, is_64);
                assert!(matches!(cut, Err(NtStatus::INVALID_PARAMETER)), "{end}");
            }
            assert!(Request::read(&bytes, bytes.len() as u32 - 1, is_64).is_err(), "no room for the answer");
        }
    }
}
