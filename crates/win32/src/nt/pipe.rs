//! Named pipes: their ends, which carry bytes or messages. Names and the ways of clients to instances are in
//! [`super::pipe_name`].
//!
//! Key type: [`PipeEnd`] (one end of a named pipe). The service thread of a process that serves a name answers those who
//! connect; there is no other process between.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use plat_host::file::{File, Open};
use plat_host::file_path::Errno;
use plat_host::pipe::{self, Form};

use super::event::Event;
use super::file::{FileKind, FileObject, FileTraits};
use super::object::{Object, ObjectKind};
use super::path::{lock, status_of};
use super::pipe_name::PipeName;
use super::pipe_record::PipeRecord;
use super::pipe_transfer::Transfers;
use crate::NtStatus;
use crate::logic::nls::case::upcase_string;

/// Where a server's end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for a client.
    Listening,
    /// A client is there, or was.
    Connected,
    /// The server let the client go.
    Disconnected,
}

/// `PIPE_ACCESS_INBOUND`, `PIPE_ACCESS_OUTBOUND`.
pub const INBOUND: u32 = 1;
/// Server to client.
pub const OUTBOUND: u32 = 2;

/// How a named pipe was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeTraits {
    /// [`INBOUND`], [`OUTBOUND`] or both.
    pub access: u32,
    /// Whether it carries messages.
    pub messages: bool,
    /// The most instances; 255 is no limit.
    pub instances_max: u32,
    /// Sizes asked for, output and input.
    pub buffers: (u32, u32),
    /// `WaitNamedPipe`'s default time in milliseconds.
    pub timeout: u32,
}

/// One end of a named pipe.
pub struct PipeEnd {
    /// How the pipe was made.
    pub traits: PipeTraits,
    /// Whether it is the server's end.
    pub is_server: bool,
    /// Whether reads take messages.
    pub reads_messages: AtomicBool,
    /// Whether nothing waits (`PIPE_NOWAIT`).
    pub is_impatient: AtomicBool,
    state: Mutex<State>,
    /// Held while a client gets the answer that he is connected.
    greeting: Mutex<()>,
    /// Set while a client is there: a server that waits for one waits for this.
    pub connected: Arc<Event>,
    /// What was received of a message and not yet read.
    rest: Mutex<Option<Vec<u8>>>,
    /// The name that clients connect to, of a server's end.
    pub(super) name: Option<Arc<PipeName>>,
    /// Whether another process has it, too.
    pub(super) is_shared: AtomicBool,
    /// Whether somebody here waits for a client, or asked for one.
    is_awaited: AtomicBool,
    /// Whether it counts against the most instances here.
    counts: bool,
}

/// The directory of all pipes, which programs open to name pipes relative to it.
pub struct PipeDirectory;

impl Object for PipeDirectory {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Directory
    }
}

/// What a client sends first.
pub(super) const CONNECT: u8 = b'C';
pub(super) const ASK: u8 = b'?';
/// A process that wants to serve the name, too.
pub(super) const SERVE: u8 = b'S';
/// What the server answers; after `YES` the access mode follows.
pub(super) const YES: u8 = b'Y';
pub(super) const BUSY: u8 = b'B';

pub(super) fn socket_name(name: &[u16]) -> String {
    format!("pipe/{}", String::from_utf16_lossy(&upcase_string(name)))
}

/// Returns a pipe's name without `\\.\pipe\`, if the path is one's.
pub fn name_of(path: &[u16]) -> Option<Vec<u16>> {
    // Few paths begin with a slash.
    path.first().filter(|&&unit| unit == u16::from(b'\\') || unit == u16::from(b'/'))?;
    let text: Vec<u16> =
        path.iter().map(|&unit| if unit == u16::from(b'/') { u16::from(b'\\') } else { unit }).collect();
    let lower = String::from_utf16_lossy(text.get(..9)?).to_lowercase();
    let is_pipe = lower == r"\\.\pipe\" || lower == r"\\?\pipe\";
    (is_pipe && text.len() > 9).then(|| text[9..].to_vec())
}

impl PipeEnd {
    /// Makes an end; an instance that `counts` is one of the name's.
    pub(super) fn new(
        traits: PipeTraits,
        is_server: bool,
        state: State,
        name: Option<Arc<PipeName>>,
        counts: bool,
    ) -> Self {
        if let Some(name) = name.as_ref().filter(|_| counts) {
            name.count.fetch_add(1, Ordering::Relaxed);
        }
        Self {
            traits,
            is_server,
            reads_messages: AtomicBool::new(false),
            is_impatient: AtomicBool::new(false),
            state: Mutex::new(state),
            greeting: Mutex::default(),
            connected: Event::new(true, state == State::Connected),
            rest: Mutex::default(),
            name,
            is_shared: AtomicBool::new(false),
            is_awaited: AtomicBool::new(false),
            counts,
        }
    }

    /// Makes the server's end of a pipe that another process has, or had.
    pub fn given(record: &PipeRecord, name: Arc<PipeName>) -> Self {
        let end = Self::new(record.traits, true, record.state, Some(name), !record.is_shared);
        end.is_shared.store(record.is_shared, Ordering::Relaxed);
        end
    }

    /// Makes the end of a pipe that another process had.
    pub fn inherited(messages: bool, is_server: bool, reads_messages: bool) -> Self {
        let traits = PipeTraits {
            access: INBOUND | OUTBOUND,
            messages,
            instances_max: 255,
            buffers: (0, 0),
            timeout: 50,
        };
        let end = Self::new(traits, is_server, State::Connected, None, false);
        end.reads_messages.store(reads_messages, Ordering::Relaxed);
        end
    }

    /// Returns where it stands.
    pub fn state(&self) -> State {
        *lock(&self.state)
    }

    /// Returns where it stands, which does not change as long as this is held.
    pub(super) fn held_state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Returns the name that clients connect to, of a server's end.
    pub fn served_name(&self) -> Option<&[u16]> {
        self.name.as_ref().map(|name| name.text.as_slice())
    }

    /// Returns how many instances there are.
    pub fn instances(&self) -> u32 {
        self.name.as_ref().map_or(1, |name| name.all_instances())
    }

    /// Says whether it takes a client at once: one that several processes have only where somebody waits for him.
    pub(super) fn is_free(&self) -> bool {
        let takes = !self.is_shared.load(Ordering::Relaxed) || self.is_awaited.load(Ordering::Relaxed);
        takes && self.state() == State::Listening
    }

    /// Says whether it will take a client once somebody waits for one, here or in another process.
    pub(super) fn is_dormant(&self) -> bool {
        self.state() == State::Listening && !self.is_free()
    }

    fn publish(&self) {
        if let Some(name) = &self.name {
            name.publish();
        }
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            if self.counts {
                name.count.fetch_sub(1, Ordering::Relaxed);
            }
            name.publish();
        }
    }
}

pub(super) fn object(file: File, overlapped: bool, end: PipeEnd) -> FileObject {
    let transfers = Transfers::default();
    let _ = transfers.pipe.set(Box::new(end));
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

/// A file that stands where the socket of a client will.
pub(super) fn placeholder() -> Result<File, NtStatus> {
    let how = Open { read: true, write: true, ..Open::default() };
    File::open(Path::new("/dev/null"), how).map_err(status_of)
}

impl FileObject {
    /// Gives a listening instance its client, and answers him: once he knows, the instance is connected, and who waited
    /// for him was told.
    pub(super) fn take_client(self: &Arc<Self>, client: &File, answer: &[u8]) {
        let Some(end) = self.transfers.pipe.get() else { return };
        let greeting = lock(&end.greeting);
        let mut state = lock(&end.state);
        if pipe::replace(&self.file, client).is_err() {
            return;
        }
        *state = State::Connected;
        drop(state);
        end.is_awaited.store(false, Ordering::Relaxed);
        end.publish();
        end.connected.set();
        self.go_on(false);
        // Who is gone already needs no answer, and leaves a pipe with a closed end.
        let _ = pipe::send_now(client, answer);
        drop(greeting);
    }

    /// Says what is wrong with a pipe that is to be written; waits until the client has the answer that comes before all
    /// that the server writes.
    ///
    /// # Errors
    /// As for [`FileObject::check_connected`].
    pub(super) fn check_writable(&self) -> Result<(), NtStatus> {
        self.check_connected()?;
        if let Some(end) = self.transfers.pipe.get() {
            drop(lock(&end.greeting));
        }
        Ok(())
    }

    /// Returns the named pipe's end.
    ///
    /// # Errors
    /// `INVALID_DEVICE_REQUEST` when it is none.
    pub fn pipe_end(&self) -> Result<&PipeEnd, NtStatus> {
        self.transfers.pipe.get().map(Box::as_ref).ok_or(NtStatus::INVALID_DEVICE_REQUEST)
    }

    /// Lays out `FILE_PIPE_INFORMATION`, or `FILE_PIPE_LOCAL_INFORMATION`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when it is no pipe.
    ///
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_pipe_local_information>
    pub fn pipe_information(&self, is_local: bool) -> Result<Vec<u8>, NtStatus> {
        const FULL_DUPLEX: u32 = 2;
        const ANONYMOUS: u32 = 4096;
        let Some(end) = self.transfers.pipe.get() else {
            if self.kind != FileKind::Pipe || self.transfers.socket.get().is_some() {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            let available = self.file.available().map_err(status_of)? as u32;
            let numbers = [0, 0, 1, 1, ANONYMOUS, available, ANONYMOUS, ANONYMOUS, 3, 0];
            let numbers = if is_local { &numbers[..] } else { &numbers[..2] };
            return Ok(numbers.iter().flat_map(|number: &u32| number.to_le_bytes()).collect());
        };
        if !is_local {
            let modes = [&end.reads_messages, &end.is_impatient];
            return Ok(modes
                .iter()
                .flat_map(|mode| u32::from(mode.load(Ordering::Relaxed)).to_le_bytes())
                .collect());
        }
        let configuration = match end.traits.access {
            INBOUND => 0,
            OUTBOUND => 1,
            _ => FULL_DUPLEX,
        };
        let state = match end.state() {
            State::Disconnected => 1,
            State::Listening => 2,
            State::Connected => 3,
        };
        let (output, input) = end.traits.buffers;
        let unread = plat_host::socket::unsent(&self.file).unwrap_or(0);
        let numbers = [
            u32::from(end.traits.messages),
            configuration,
            end.traits.instances_max,
            end.instances(),
            input,
            self.file.available().unwrap_or(0) as u32,
            output,
            output.saturating_sub(unread),
            state,
            u32::from(end.is_server),
        ];
        Ok(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    /// Lets the client go; what it has not read is lost.
    ///
    /// # Errors
    /// `ILLEGAL_FUNCTION` for a client's end.
    pub fn disconnect(&self) -> Result<(), NtStatus> {
        let end = self.pipe_end()?;
        if !end.is_server {
            return Err(NtStatus::ILLEGAL_FUNCTION);
        }
        pipe::replace(&self.file, &placeholder()?).map_err(status_of)?;
        *lock(&end.state) = State::Disconnected;
        *lock(&end.rest) = None;
        end.connected.reset();
        end.publish();
        self.cancel_transfers(None, NtStatus::PIPE_DISCONNECTED);
        Ok(())
    }

    /// Begins to listen again after [`FileObject::disconnect`], and to wait for a client.
    pub fn listen_again(&self) {
        if let Some(end) = self.transfers.pipe.get() {
            let mut state = lock(&end.state);
            if *state == State::Disconnected {
                *state = State::Listening;
            }
            drop(state);
            end.is_awaited.store(true, Ordering::Relaxed);
            end.publish();
        }
    }

    /// Says what is wrong with a pipe that should have somebody at its other end.
    ///
    /// # Errors
    /// `PIPE_LISTENING`, `PIPE_DISCONNECTED`.
    pub fn check_connected(&self) -> Result<(), NtStatus> {
        match self.transfers.pipe.get().map(|end| end.state()) {
            Some(State::Listening) => Err(NtStatus::PIPE_LISTENING),
            Some(State::Disconnected) => Err(NtStatus::PIPE_DISCONNECTED),
            _ => Ok(()),
        }
    }

    /// Reads what there is without waiting: the bytes, and whether the message has more; `None` when there is nothing.
    pub(super) fn receive_now(&self, length: usize) -> Option<Result<(Vec<u8>, bool), NtStatus>> {
        self.receive(length, false)
    }

    /// Reads, waiting for something to come.
    ///
    /// # Errors
    /// `PIPE_BROKEN`, and the pipe's state.
    pub fn receive_message(&self, length: usize) -> Result<(Vec<u8>, bool), NtStatus> {
        self.receive(length, true).unwrap_or(Err(NtStatus::PIPE_EMPTY))
    }

    fn receive(&self, length: usize, waits: bool) -> Option<Result<(Vec<u8>, bool), NtStatus>> {
        if let Err(status) = self.check_connected() {
            return Some(Err(status));
        }
        let messages = self.transfers.pipe.get().is_some_and(|end| end.traits.messages);
        if !messages {
            let got = if waits {
                pipe::receive_wait(&self.file, length).map(Some)
            } else {
                pipe::receive_now(&self.file, length, false)
            };
            return match got {
                Err(errno) => Some(Err(status_of(errno))),
                Ok(None) => None,
                Ok(Some(bytes))
                    if bytes.is_empty() && length > 0 && self.transfers.socket.get().is_none() =>
                {
                    Some(Err(NtStatus::PIPE_BROKEN))
                }
                Ok(Some(bytes)) => Some(Ok((bytes, false))),
            };
        }
        self.receive_of_message(length, waits)
    }

    /// Reads from the message that was begun, or from the next one. A message goes with one byte before it, so that an
    /// empty one is not the end.
    fn receive_of_message(&self, length: usize, waits: bool) -> Option<Result<(Vec<u8>, bool), NtStatus>> {
        let end = self.transfers.pipe.get()?;
        let mut rest = lock(&end.rest);
        let mut message = match rest.take() {
            Some(message) => message,
            None => {
                let size = match pipe::next_message_size(&self.file, waits) {
                    Err(errno) => return Some(Err(status_of(errno))),
                    Ok(None) => return None,
                    Ok(Some(0)) => return Some(Err(NtStatus::PIPE_BROKEN)),
                    Ok(Some(size)) => size,
                };
                match pipe::receive_now(&self.file, size, false) {
                    Ok(Some(bytes)) if !bytes.is_empty() => bytes[1..].to_vec(),
                    Ok(_) => return None,
                    Err(errno) => return Some(Err(status_of(errno))),
                }
            }
        };
        if message.len() <= length {
            return Some(Ok((message, false)));
        }
        let left = message.split_off(length);
        *rest = Some(left);
        Some(Ok((message, end.reads_messages.load(Ordering::Relaxed))))
    }

    /// Writes what fits without waiting; returns how many bytes.
    pub(super) fn send_now(&self, bytes: &[u8]) -> Result<usize, NtStatus> {
        self.check_writable()?;
        let messages = self.transfers.pipe.get().is_some_and(|end| end.traits.messages);
        let sent = if messages {
            pipe::send_now(&self.file, &[&[0], bytes].concat()).map(|sent| sent.saturating_sub(1))
        } else {
            pipe::send_now(&self.file, bytes)
        };
        sent.map_err(closing)
    }

    /// Writes a message, waiting for room.
    ///
    /// # Errors
    /// `PIPE_CLOSING` when nobody reads any more, and the pipe's state.
    pub fn send_message(&self, bytes: &[u8]) -> Result<u64, NtStatus> {
        self.check_writable()?;
        pipe::send_wait(&self.file, &[&[0], bytes].concat()).map_err(closing)?;
        Ok(bytes.len() as u64)
    }

    /// Returns bytes that can be read now, bytes of the current message, and up to `length` of them, left in the pipe.
    ///
    /// # Errors
    /// `PIPE_BROKEN` when there are none and nobody writes any more, and the pipe's state.
    pub fn look_into(&self, length: usize) -> Result<(u64, u64, Vec<u8>), NtStatus> {
        self.check_connected()?;
        let end = self.pipe_end()?;
        if let Some(rest) = &*lock(&end.rest) {
            let total = rest.len() as u64;
            return Ok((total, total, rest[..length.min(rest.len())].to_vec()));
        }
        let skip = usize::from(end.traits.messages);
        let available = match pipe::next_message_size(&self.file, false).map_err(status_of)? {
            None => return Ok((0, 0, Vec::new())),
            Some(0) => return Err(NtStatus::PIPE_BROKEN),
            Some(size) if end.traits.messages => size as u64 - 1,
            Some(_) => self.file.available().map_err(status_of)?,
        };
        let seen = pipe::receive_now(&self.file, length + skip, true).map_err(status_of)?.unwrap_or_default();
        let message = if end.traits.messages { available } else { 0 };
        Ok((available, message, seen.get(skip..).unwrap_or(&[]).to_vec()))
    }
}

fn closing(errno: Errno) -> NtStatus {
    match errno {
        // ECONNRESET, EPIPE.
        Errno(104 | 32) => NtStatus::PIPE_CLOSING,
        // EMSGSIZE: a longer message than the kernel takes.
        Errno(90) => NtStatus::INSUFFICIENT_RESOURCES,
        other => status_of(other),
    }
}

/// Connects to a named pipe as a client.
///
/// # Errors
/// `OBJECT_NAME_NOT_FOUND` when nobody serves the name, `PIPE_NOT_AVAILABLE` when no instance is free, `ACCESS_DENIED`
/// when the pipe does not go in the direction wanted.
pub fn open(name: &[u16], reads: bool, writes: bool, overlapped: bool) -> Result<FileObject, NtStatus> {
    let (file, messages, access) = ask(name, CONNECT)?;
    if reads && access & OUTBOUND == 0 || writes && access & INBOUND == 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let traits = PipeTraits { access, messages, instances_max: 255, buffers: (0, 0), timeout: 50 };
    Ok(object(file, overlapped, PipeEnd::new(traits, false, State::Connected, None, false)))
}

pub(super) fn ask(name: &[u16], wish: u8) -> Result<(File, bool, u32), NtStatus> {
    let (file, form) = pipe::connect(&socket_name(name)).map_err(|_| NtStatus::OBJECT_NAME_NOT_FOUND)?;
    pipe::send_now(&file, &[wish]).map_err(|_| NtStatus::PIPE_NOT_AVAILABLE)?;
    let answer = pipe::receive_wait(&file, 2).map_err(|_| NtStatus::PIPE_NOT_AVAILABLE)?;
    match answer.as_slice() {
        [YES, access] => Ok((file, form == Form::Messages, u32::from(*access))),
        _ => Err(NtStatus::PIPE_NOT_AVAILABLE),
    }
}
