//! winsock2.h: waiting for several sockets.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::clock;
use plat_host::socket::Readiness;

use super::{Answer, WsaError};
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, OrMinusOne};
use crate::logic::winsock::error::*;
use crate::nt::socket::Socket;
use crate::nt::socket_wait::{State, wait_for_any};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @18 full select;
    @151 full __WSAFDIsSet;
    full WSAPoll;
};

/// The most sockets of one set.
const SET_MAX: u32 = 1 << 16;

/// An `fd_set`: a count, then handles.
fn read_set(guest: &Guest, set: GuestWord) -> Result<Vec<u64>, WsaError> {
    if set.is_null() {
        return Ok(Vec::new());
    }
    let word = guest.machine().pointer_size();
    let count = guest.read_u32(set.0)?;
    if count > SET_MAX {
        return Err(WSAEINVAL.into());
    }
    let read = |index: u64| guest.read_word(set.0 + word + index * word);
    Ok((0..u64::from(count)).map(read).collect::<Result<_, _>>()?)
}

fn write_set(guest: &Guest, set: GuestWord, handles: &[u64]) -> Result<(), WsaError> {
    if set.is_null() {
        return Ok(());
    }
    let word = guest.machine().pointer_size();
    for (index, handle) in handles.iter().enumerate() {
        guest.write_word(set.0 + word + index as u64 * word, *handle)?;
    }
    guest.write(set.0, &(handles.len() as u32))?;
    Ok(())
}

/// Reads a `TIMEVAL` (seconds and microseconds) and makes a deadline of it; null is none.
fn deadline(guest: &Guest, timeout: GuestWord) -> Result<Option<u64>, WsaError> {
    if timeout.is_null() {
        return Ok(None);
    }
    let seconds = guest.read_u32(timeout.0)? as i32;
    let microseconds = guest.read_u32(timeout.0 + 4)? as i32;
    let (Ok(seconds), Ok(microseconds)) = (u64::try_from(seconds), u64::try_from(microseconds)) else {
        return Err(WSAEINVAL.into());
    };
    Ok(Some(clock::monotonic_nanoseconds() + seconds * 1_000_000_000 + microseconds * 1000))
}

/// Waits until one of some sockets is ready, and leaves those in the sets that are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select>
#[winapi]
pub fn select(
    guest: &mut Guest,
    nfds: i32,
    readfds: GuestWord,
    writefds: GuestWord,
    exceptfds: GuestWord,
    timeout: GuestWord,
) -> Answer {
    let _ = nfds;
    guest.process().network.check()?;
    let places = [readfds, writefds, exceptfds];
    let sets = [read_set(guest, readfds)?, read_set(guest, writefds)?, read_set(guest, exceptfds)?];
    if sets.iter().all(Vec::is_empty) {
        return Err(WSAEINVAL.into());
    }
    let deadline = deadline(guest, timeout)?;
    let none = Readiness::default();
    let wishes = [
        Readiness { read: true, ..none },
        Readiness { write: true, ..none },
        Readiness { urgent: true, ..none },
    ];
    let mut asked = Vec::new();
    for (set, wish) in sets.iter().zip(wishes) {
        for &handle in set {
            asked.push((Socket::find(guest.process(), handle)?, wish));
        }
    }
    let first_write = sets[0].len();
    let first_except = first_write + sets[1].len();
    let is_ready = |index: usize, state: &State| match index {
        _ if index < first_write => state.readable,
        _ if index < first_except => state.writable,
        _ => state.urgent || state.failed,
    };
    let any = |states: &[State]| states.iter().enumerate().any(|(index, state)| is_ready(index, state));
    let states = wait_for_any(guest.process(), &asked, deadline, any)?;
    drop(asked);
    let mut ready = states.iter().enumerate().map(|(index, state)| is_ready(index, state));
    let mut total = 0;
    for (set, place) in sets.iter().zip(places) {
        let kept: Vec<u64> = set.iter().copied().filter(|_| ready.next() == Some(true)).collect();
        total += kept.len() as u32;
        write_set(guest, place, &kept)?;
    }
    Ok(OrMinusOne(total))
}

/// Says whether a socket is in a set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select>
#[winapi]
pub fn __WSAFDIsSet(guest: &mut Guest, fd: GuestWord, param1: GuestWord) -> u32 {
    read_set(guest, param1).is_ok_and(|set| set.contains(&fd.0)).into()
}

const POLLERR: u16 = 0x0001;
const POLLHUP: u16 = 0x0002;
const POLLNVAL: u16 = 0x0004;
const POLLWRNORM: u16 = 0x0010;
const POLLRDNORM: u16 = 0x0100;
const POLLRDBAND: u16 = 0x0200;

/// Says what is so of a socket, of what was asked for and of what is always told.
fn events(state: &State, asked: u16) -> u16 {
    let marks = [
        (state.readable, POLLRDNORM & asked),
        (state.urgent, POLLRDBAND & asked),
        (state.writable, POLLWRNORM & asked),
        (state.peer_ended || state.broken, POLLHUP),
        (state.broken, POLLERR),
        (state.failed, POLLHUP | POLLERR | POLLWRNORM & asked),
    ];
    marks.iter().filter(|mark| mark.0).fold(0, |events, mark| events | mark.1)
}

/// Waits until something is so of one of some sockets.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsapoll>
#[winapi]
pub fn WSAPoll(guest: &mut Guest, fdArray: GuestWord, fds: u32, timeout: i32) -> Answer {
    guest.process().network.check()?;
    if fds == 0 || fds > SET_MAX {
        return Err(WSAEINVAL.into());
    }
    let word = guest.machine().pointer_size();
    let size = 2 * word.max(4);
    let mut asked = Vec::new();
    let mut places = Vec::new();
    for index in 0..u64::from(fds) {
        let at = fdArray.0 + index * size;
        let (handle, wanted) = (guest.read_word(at)?, guest.read_u32(at + word)? as u16);
        let found = Socket::find(guest.process(), handle);
        // What is no socket is told, and counts for nothing.
        guest.write(at + word + 2, &if found.is_err() { POLLNVAL } else { 0 })?;
        if let Ok(socket) = found {
            let wish = Readiness {
                read: wanted & POLLRDNORM != 0,
                write: wanted & POLLWRNORM != 0,
                urgent: wanted & POLLRDBAND != 0,
                ..Readiness::default()
            };
            asked.push((socket, wish));
            places.push((at, wanted));
        }
    }
    if asked.is_empty() {
        return Err(WSAENOTSOCK.into());
    }
    // A negative time is none.
    let milliseconds = u32::try_from(timeout).unwrap_or(u32::MAX);
    let deadline = crate::nt::wait::deadline_of_milliseconds(milliseconds);
    let happened = |state: &State, index: usize| {
        // The end of a stream is no bytes to read.
        let is_empty = state.peer_ended && asked[index].0.available().is_ok_and(|bytes| bytes == 0);
        events(&State { readable: state.readable && !is_empty, ..*state }, places[index].1)
    };
    let any = |states: &[State]| states.iter().enumerate().any(|(index, state)| happened(state, index) != 0);
    let states = wait_for_any(guest.process(), &asked, deadline, any)?;
    let mut total = 0;
    for (index, state) in states.iter().enumerate() {
        let revents = happened(state, index);
        total += u32::from(revents != 0);
        guest.write(places[index].0 + word + 2, &revents)?;
    }
    Ok(OrMinusOne(total))
}
