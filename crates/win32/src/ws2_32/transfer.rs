//! winsock2.h: sending and receiving in calls that are done when they return.

use plat_abi::{GuestWord, winapi};
use plat_host::socket::{Piece, Received};

use super::{Answer, WsaError, sockaddr};
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, OrMinusOne};
use crate::logic::winsock::address;
use crate::logic::winsock::error::*;
use crate::nt::socket::{Phase, Socket};
use crate::nt::socket_transfer::Message;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @16 full recv;
    @17 full recvfrom;
    @19 full send;
    @20 full sendto;
};

/// Makes a message of one piece.
fn message(buffer: GuestWord, length: i32, flags: i32) -> Result<Message, WsaError> {
    let length = u64::try_from(length).map_err(|_| WSAEFAULT)?;
    Ok(Message {
        pieces: vec![Piece { address: buffer.0, length }],
        flags: flags as u32,
        ..Message::default()
    })
}

/// Receives and tells who sent it; a datagram that was cut is there, and an error.
pub(super) fn receive(
    guest: &Guest,
    socket: &Socket,
    message: &Message,
    from: GuestWord,
    fromlen: GuestWord,
) -> Result<Received, WsaError> {
    let is_stream = socket.end().is_stream();
    if !is_stream {
        sockaddr::check_room(guest, socket.end().family, from.0, fromlen.0)?;
    }
    let received = socket.receive(message)?;
    if !is_stream && let Some(sender) = &received.from {
        sockaddr::write(guest, &address::of_linux(sender.bytes()), from.0, fromlen.0)?;
    }
    Ok(received)
}

fn received(guest: &Guest, s: GuestWord, message: &Message, from: GuestWord, fromlen: GuestWord) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    let received = receive(guest, &socket, message, from, fromlen)?;
    if received.is_cut {
        return Err(WSAEMSGSIZE.into());
    }
    Ok(OrMinusOne(received.bytes as u32))
}

/// Receives from a connected socket.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-recv>
#[winapi]
pub fn recv(guest: &mut Guest, s: GuestWord, buf: GuestWord, len: i32, flags: i32) -> Answer {
    received(guest, s, &message(buf, len, flags)?, GuestWord::NULL, GuestWord::NULL)
}

/// Receives and tells who sent it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-recvfrom>
#[winapi]
pub fn recvfrom(
    guest: &mut Guest,
    s: GuestWord,
    buf: GuestWord,
    len: i32,
    flags: i32,
    from: GuestWord,
    fromlen: GuestWord,
) -> Answer {
    received(guest, s, &message(buf, len, flags)?, from, fromlen)
}

/// Sends through a connected socket.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-send>
#[winapi]
pub fn send(guest: &mut Guest, s: GuestWord, buf: GuestWord, len: i32, flags: i32) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    Ok(OrMinusOne(socket.send(&message(buf, len, flags)?)? as u32))
}

/// Sends a datagram to an address.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-sendto>
#[winapi]
pub fn sendto(
    guest: &mut Guest,
    s: GuestWord,
    buf: GuestWord,
    len: i32,
    flags: i32,
    to: GuestWord,
    tolen: i32,
) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    let mut message = message(buf, len, flags)?;
    message.to = destination(guest, &socket, to, tolen)?;
    Ok(OrMinusOne(socket.send(&message)? as u32))
}

/// Reads where a datagram is to go; a stream's way is known, and what is given is not looked at.
pub(super) fn destination(
    guest: &Guest,
    socket: &Socket,
    to: GuestWord,
    tolen: i32,
) -> Result<Option<plat_host::socket::Address>, WsaError> {
    if to.is_null() || tolen == 0 {
        return Ok(None);
    }
    let is_connected = socket.end().life().phase == Phase::Connected;
    if socket.end().is_stream() {
        return if is_connected { Ok(None) } else { Err(WSAENOTCONN.into()) };
    }
    Ok(Some(sockaddr::read(guest, to.0, tolen, socket.end().family)?))
}
