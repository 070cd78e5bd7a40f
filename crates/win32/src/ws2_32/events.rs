//! winsock2.h: events, and network events that set them.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::{Answer, DONE, WsaError};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::error::*;
use crate::nt::event::Event;
use crate::nt::handle::HandleFlags;
use crate::nt::socket::Socket;
use crate::nt::socket_events::{self, Listener};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WSACreateEvent;
    forward WSACloseEvent => "kernel32.CloseHandle";
    forward WSASetEvent => "kernel32.SetEvent";
    forward WSAResetEvent => "kernel32.ResetEvent";
    forward WSAWaitForMultipleEvents => "kernel32.WaitForMultipleObjectsEx";
    full WSAEventSelect;
    full WSAEnumNetworkEvents;
    @101 full WSAAsyncSelect;
    @108 stub WSACancelAsyncRequest;
};

const EVENT_ALL_ACCESS: u32 = 0x1f_0003;

/// Makes an event that stays set until it is reset.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsacreateevent>
#[winapi]
pub fn WSACreateEvent(guest: &mut Guest) -> Result<GuestWord, WsaError> {
    let handles = &guest.process().handles;
    Ok(GuestWord(handles.insert(Event::new(true, false), EVENT_ALL_ACCESS, HandleFlags::empty())))
}

fn event(guest: &Guest, handle: GuestWord) -> Result<Option<Arc<Event>>, WsaError> {
    if handle.is_null() {
        return Ok(None);
    }
    Ok(Some(guest.process().handles.get(handle.0).map_err(|_| WSA_INVALID_HANDLE)?))
}

/// Asks for network events of a socket; the socket no longer blocks.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaeventselect>
#[winapi]
pub fn WSAEventSelect(
    guest: &mut Guest,
    s: GuestWord,
    hEventObject: GuestWord,
    lNetworkEvents: i32,
) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    let event = event(guest, hEventObject)?;
    if event.is_none() && lNetworkEvents != 0 {
        return Err(WSAEINVAL.into());
    }
    socket_events::select(&socket, event.map(Listener::Event), lNetworkEvents as u32);
    Ok(DONE)
}

/// Asks for a message to a window at network events of a socket; the socket no longer blocks.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaasyncselect>
#[winapi]
pub fn WSAAsyncSelect(guest: &mut Guest, s: GuestWord, hWnd: GuestWord, wMsg: u32, lEvent: i32) -> Answer {
    /// `FD_ALL_EVENTS`.
    const ALL: i32 = 0x3ff;
    let socket = Socket::find(guest.process(), s.0)?;
    if lEvent & !ALL != 0 {
        return Err(WSAEINVAL.into());
    }
    let desktop = &guest.process().desktop;
    let thread = desktop.state().window(hWnd.0).map(|window| window.thread);
    let queue = thread.ok().and_then(|thread| desktop.queue_of(thread)).ok_or(WSAEINVAL)?;
    let listener = Listener::Window { queue, window: hWnd.0, message: wMsg, socket: s.0 };
    socket_events::select(&socket, Some(listener), lEvent as u32);
    Ok(DONE)
}

/// Tells which network events happened since the last call, and resets an event.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaenumnetworkevents>
#[winapi]
pub fn WSAEnumNetworkEvents(
    guest: &mut Guest,
    s: GuestWord,
    hEventObject: GuestWord,
    lpNetworkEvents: GuestWord,
) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    if lpNetworkEvents.is_null() {
        return Err(WSAEFAULT.into());
    }
    if let Some(event) = event(guest, hEventObject)? {
        event.reset();
    }
    let (recorded, errors) = socket_events::take(&socket);
    let numbers = [recorded].into_iter().chain(errors);
    let bytes: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
    guest.write_bytes(lpNetworkEvents.0, &bytes)?;
    Ok(DONE)
}
