//! Network events of sockets: what `WSAEventSelect` asks for is recorded once, told by an event or a message, and recorded again only
//! after the call that enables it again.
//!
//! Key type: [`Selection`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaeventselect>

use std::os::fd::AsFd;
use std::sync::{Arc, Weak};

use plat_host::service::{self, Interest, Ticket};
use plat_host::socket;

use super::event::Event;
use super::file::FileObject;
use super::path::lock;
use super::socket::{Phase, Socket};
use super::user::queue::{Message, MessageQueue};
use crate::logic::winsock::error::*;

/// `FD_READ`.
pub const READ: u32 = 1;
/// `FD_WRITE`.
pub const WRITE: u32 = 2;
/// `FD_OOB`.
pub const OOB: u32 = 4;
/// `FD_ACCEPT`.
pub const ACCEPT: u32 = 8;
/// `FD_CONNECT`.
pub const CONNECT: u32 = 16;
/// `FD_CLOSE`.
pub const CLOSE: u32 = 32;
/// How many kinds of events there are.
pub const KINDS: usize = 10;

/// Who is told that something was recorded.
#[derive(Clone, Debug)]
pub enum Listener {
    /// An event that is set.
    Event(Arc<Event>),
    /// A window that gets a message for each kind.
    Window {
        /// The queue of the window's thread.
        queue: Arc<MessageQueue>,
        /// The window.
        window: u64,
        /// The message.
        message: u32,
        /// The socket's handle, the message's first parameter.
        socket: u64,
    },
}

/// The network events that somebody wants of a socket.
#[derive(Debug, Default)]
pub struct Selection {
    listener: Option<Listener>,
    wanted: u32,
    /// What happened and was not asked for yet.
    recorded: u32,
    /// With which error, by kind.
    errors: [u32; KINDS],
    /// What was recorded and not yet enabled again.
    used: u32,
    tickets: [Option<Ticket>; 2],
}

impl Selection {
    /// Takes over what another socket's owner wants, as an accepted socket does.
    pub fn inherit(&mut self, from: &Self) {
        (self.listener, self.wanted) = (from.listener.clone(), from.wanted);
    }

    /// Tells the listener what was recorded. A window takes it with the message.
    fn tell(&mut self) {
        match &self.listener {
            Some(Listener::Event(event)) => {
                event.set();
            }
            Some(Listener::Window { queue, window, message, socket }) => {
                let kinds = std::mem::take(&mut self.recorded);
                for number in (0..KINDS).filter(|number| kinds & 1 << number != 0) {
                    let lparam = u64::from(self.errors[number]) << 16 | 1 << number;
                    let (window, id, wparam) = (*window, *message, *socket);
                    // A queue that is full loses it, as Windows' do.
                    let _ = queue.post(Message { window, id, wparam, lparam, time: 0 });
                }
            }
            None => {}
        }
    }

    /// Says whether somebody wants events.
    pub fn is_empty(&self) -> bool {
        self.wanted == 0
    }

    fn armed(&self) -> u32 {
        self.wanted & !self.used
    }

    fn record(&mut self, kind: u32, error: u32) {
        self.recorded |= kind;
        self.used |= kind;
        self.errors[kind.trailing_zeros() as usize % KINDS] = error;
    }

    /// Gives the service's wishes back.
    pub fn give_up(&mut self) {
        for ticket in self.tickets.iter_mut().filter_map(Option::take) {
            service::cancel(ticket);
        }
    }
}

/// Asks for events of a socket, which no longer blocks; none ends it.
pub fn select(socket: &Socket, listener: Option<Listener>, wanted: u32) {
    socket.end().is_nonblocking.store(true, std::sync::atomic::Ordering::Relaxed);
    let tickets = {
        let mut selection = lock(&socket.end().selection);
        let tickets = std::mem::take(&mut selection.tickets);
        *selection = Selection { listener: listener.filter(|_| wanted != 0), wanted, ..Selection::default() };
        tickets
    };
    for ticket in tickets.into_iter().flatten() {
        service::cancel(ticket);
    }
    watch(&socket.file);
}

/// Says by which handle a window knows an accepted socket, and begins to watch it.
pub fn know_handle(accepted: &Socket, handle: u64) {
    if let Some(Listener::Window { socket, .. }) = &mut lock(&accepted.end().selection).listener {
        *socket = handle;
    }
    watch(&accepted.file);
}

/// Takes what was recorded: kinds, and errors by kind.
pub fn take(socket: &Socket) -> (u32, [u32; KINDS]) {
    let mut selection = lock(&socket.end().selection);
    let recorded = std::mem::take(&mut selection.recorded);
    (recorded, std::mem::take(&mut selection.errors))
}

/// Has events of these kinds recorded again.
pub fn enable(file: &Arc<FileObject>, kinds: u32) {
    let Some(end) = file.transfers.socket.get() else { return };
    {
        let mut selection = lock(&end.selection);
        if selection.is_empty() {
            return;
        }
        selection.used &= !kinds;
    }
    watch(file);
}

/// Records what is so now, and watches for the rest.
pub fn watch(file: &Arc<FileObject>) {
    let Some(end) = file.transfers.socket.get() else { return };
    let mut selection = lock(&end.selection);
    if selection.is_empty() {
        return;
    }
    observe(file, &mut selection);
    let phase = file.refresh_connection();
    let is_stream = end.is_stream();
    let interests =
        [read_interest(&selection, phase, is_stream), write_interest(&selection, phase, is_stream)];
    for (index, interest) in interests.into_iter().enumerate() {
        let Some(interest) = interest.filter(|_| selection.tickets[index].is_none()) else { continue };
        let weak: Weak<FileObject> = Arc::downgrade(file);
        let then = move || {
            let Some(file) = weak.upgrade() else { return };
            if let Some(end) = file.transfers.socket.get() {
                lock(&end.selection).tickets[index] = None;
            }
            watch(&file);
        };
        // Without the service the events are seen at the next call.
        selection.tickets[index] = service::when_ready(file.file.as_fd(), interest, then).ok();
    }
}

fn read_interest(selection: &Selection, phase: Phase, is_stream: bool) -> Option<Interest> {
    let armed = selection.armed();
    match phase {
        Phase::Listening => (armed & ACCEPT != 0).then_some(Interest::Read),
        // A stream that was never connected would always be ready.
        Phase::Idle if armed & READ != 0 && !is_stream => Some(Interest::Read),
        Phase::Connected if armed & READ != 0 => Some(Interest::Read),
        // What is there to read was told of: the end comes after it.
        Phase::Connected if armed & CLOSE != 0 && selection.wanted & READ == 0 => Some(Interest::End),
        _ => None,
    }
}

fn write_interest(selection: &Selection, phase: Phase, is_stream: bool) -> Option<Interest> {
    let wish = match phase {
        // Whatever is wanted comes after the connection.
        Phase::Connecting => selection.armed() != 0,
        Phase::Connected => selection.armed() & WRITE != 0,
        Phase::Idle => selection.armed() & WRITE != 0 && !is_stream,
        Phase::Failed | Phase::Listening => false,
    };
    wish.then_some(Interest::Write)
}

/// Records what is so now, and tells it.
fn observe(file: &FileObject, selection: &mut Selection) {
    let armed = selection.armed();
    if armed == 0 {
        return;
    }
    let before = selection.recorded;
    let state = file.socket_state();
    let Some(end) = file.transfers.socket.get() else { return };
    let phase = file.refresh_connection();
    if armed & CONNECT != 0 && end.is_stream() {
        match phase {
            Phase::Connected => selection.record(CONNECT, 0),
            Phase::Failed => {
                let error = end.life().error.unwrap_or(WSAECONNREFUSED);
                selection.record(CONNECT, error.0);
            }
            _ => {}
        }
    }
    if state.writable && armed & WRITE != 0 && phase != Phase::Listening {
        selection.record(WRITE, 0);
    }
    if state.urgent && armed & OOB != 0 {
        selection.record(OOB, 0);
    }
    if state.readable && phase == Phase::Listening && armed & ACCEPT != 0 {
        selection.record(ACCEPT, 0);
    } else if state.readable && phase != Phase::Listening {
        observe_reading(file, selection, end.is_stream(), state.peer_ended);
    }
    if selection.recorded != before {
        selection.tell();
    }
}

/// Tells bytes from the end of them.
fn observe_reading(file: &FileObject, selection: &mut Selection, is_stream: bool, peer_ended: bool) {
    let armed = selection.armed();
    if !is_stream {
        if armed & READ != 0 {
            selection.record(READ, 0);
        }
        return;
    }
    match socket::peek_size(&file.file) {
        Ok(None) => {}
        Ok(Some(0)) => {
            if armed & CLOSE != 0 {
                selection.record(CLOSE, 0);
            }
            // Nothing comes any more: the end is not watched for again.
            selection.used |= READ;
        }
        Ok(Some(_)) if armed & READ != 0 => selection.record(READ, 0),
        // Who does not want to read hears of the end all the same.
        Ok(Some(_)) if peer_ended && armed & CLOSE != 0 && selection.wanted & READ == 0 => {
            selection.record(CLOSE, 0);
        }
        Ok(Some(_)) => {}
        Err(errno) => {
            let error = of_errno(errno.0);
            // The kernel tells it once: the next call that receives is to know it, too.
            if let Some(end) = file.transfers.socket.get() {
                end.life().error = Some(error);
            }
            if armed & CLOSE != 0 {
                selection.record(CLOSE, error.0);
            }
            selection.used |= READ;
        }
    }
}
