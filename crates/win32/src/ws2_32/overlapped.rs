//! winsock2.h: sending and receiving that may go on after the call, and what became of it.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};
use plat_host::socket::Piece;

use super::transfer::{destination, receive};
use super::{Answer, DONE, WsaError};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::kernel32::fileapi::transfer::{begin, complete};
use crate::logic::winsock::control;
use crate::logic::winsock::error::{self, *};
use crate::nt::afd;
use crate::nt::completion::{Completion, SOCKET_ARGUMENTS};
use crate::nt::pipe_transfer::Work;
use crate::nt::socket::Socket;
use crate::nt::socket_transfer::{ControlPlace, MSG_PARTIAL, Message, SocketWork, Told, tell};
use crate::nt::thread::Apc;
use crate::nt::wait::{self, WaitFor};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WSASend;
    full WSASendTo;
    partial WSASendMsg, "control data: packets' addresses, times to live, types of service";
    full WSARecv;
    full WSARecvFrom;
    full WSARecvDisconnect;
    full WSASendDisconnect;
    full WSAGetOverlappedResult;
};

/// The most pieces that plat takes for one message.
const PIECES_MAX: u32 = 1 << 16;

/// Who is told of a transfer: its OVERLAPPED and its routine.
#[derive(Clone, Copy)]
pub(crate) struct Whom {
    /// The OVERLAPPED, or null.
    pub(crate) overlapped: GuestWord,
    /// The routine, or null.
    pub(crate) routine: GuestWord,
}

impl Whom {
    /// Says whether the call may return before the transfer is done.
    fn may_wait(self, socket: &Socket) -> bool {
        !self.overlapped.is_null() && socket.file.traits.overlapped
    }

    fn apc(self) -> Option<Apc> {
        let call = Apc { function: self.routine.0, arguments: [0; 4], count: SOCKET_ARGUMENTS };
        (!self.routine.is_null()).then_some(call)
    }

    /// Begins a transfer.
    ///
    /// # Errors
    /// The transfer's error; `WSA_IO_PENDING` when it goes on.
    pub(crate) fn begin(
        self,
        guest: &Guest,
        socket: &Socket,
        count: GuestWord,
        work: SocketWork,
    ) -> Result<u64, WsaError> {
        let parts = (count, self.overlapped, self.apc());
        begin(guest, &socket.file, parts, Work::Socket(Box::new(work))).map_err(|status| match status {
            NtStatus::PENDING => WSA_IO_PENDING.into(),
            other => other.into(),
        })
    }
}

impl Whom {
    /// Tells the end of what was done at once.
    ///
    /// # Errors
    /// `WSAEFAULT`, `WSA_INVALID_HANDLE` for the event.
    pub(crate) fn finish(self, guest: &Guest, socket: &Socket, moved: u64) -> Result<(), WsaError> {
        if !self.overlapped.is_null() {
            let none = GuestWord::NULL;
            complete(guest, &socket.file, none, self.overlapped, self.apc(), || Ok(moved))?;
        }
        Ok(())
    }

    /// Begins to wait for what never happens; returns what the call answers.
    ///
    /// # Errors
    /// `WSAEWOULDBLOCK` for a call that would not return; `WSA_INVALID_HANDLE` for the event.
    pub(crate) fn begin_never(self, guest: &Guest, socket: &Socket) -> Result<WsaError, WsaError> {
        if !self.may_wait(socket) {
            return Err(WSAEWOULDBLOCK.into());
        }
        let word = guest.machine().pointer_size();
        let event =
            if self.routine.is_null() { guest.read_word(self.overlapped.0 + 2 * word + 8)? } else { 0 };
        let completion = Completion::begin(guest.process(), &socket.file, event, self.apc())?;
        guest.write_word(self.overlapped.0, u64::from(NtStatus::PENDING.0))?;
        afd::begin_never(&socket.file, self.overlapped.0, guest.machine().is_64(), completion);
        Ok(WSA_IO_PENDING.into())
    }
}

/// Reads an array of `WSABUF`s: a size and a pointer each.
pub(crate) fn pieces(guest: &Guest, buffers: GuestWord, count: u32) -> Result<Vec<Piece>, WsaError> {
    if count > PIECES_MAX {
        return Err(WSAENOBUFS.into());
    }
    let word = guest.machine().pointer_size();
    let mut pieces = Vec::with_capacity(count as usize);
    for index in 0..u64::from(count) {
        let at = buffers.0.wrapping_add(index * 2 * word);
        let length = u64::from(guest.read_u32(at)?);
        pieces.push(Piece { address: guest.read_word(at.wrapping_add(word))?, length });
    }
    Ok(pieces)
}

/// Sends now, or begins to.
fn send(guest: &Guest, socket: &Socket, message: Message, count: GuestWord, whom: Whom) -> Answer {
    if whom.may_wait(socket) {
        whom.begin(guest, socket, count, SocketWork::Send(message, 0))?;
        return Ok(DONE);
    }
    let sent = socket.send(&message)?;
    if count.is_null() {
        return Err(WSAEFAULT.into());
    }
    guest.write(count.0, &(sent as u32))?;
    Ok(DONE)
}

/// Sends from several pieces of memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasend>
#[winapi]
pub fn WSASend(
    guest: &mut Guest,
    s: GuestWord,
    lpBuffers: GuestWord,
    dwBufferCount: u32,
    lpNumberOfBytesSent: GuestWord,
    dwFlags: u32,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    let message =
        Message { pieces: pieces(guest, lpBuffers, dwBufferCount)?, flags: dwFlags, ..Message::default() };
    let whom = Whom { overlapped: lpOverlapped, routine: lpCompletionRoutine };
    send(guest, &socket, message, lpNumberOfBytesSent, whom)
}

/// Sends a datagram from several pieces of memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasendto>
#[winapi]
pub fn WSASendTo(
    guest: &mut Guest,
    s: GuestWord,
    lpBuffers: GuestWord,
    dwBufferCount: u32,
    lpNumberOfBytesSent: GuestWord,
    dwFlags: u32,
    lpTo: GuestWord,
    iTolen: i32,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    let to = destination(guest, &socket, lpTo, iTolen)?;
    let message = Message {
        pieces: pieces(guest, lpBuffers, dwBufferCount)?,
        flags: dwFlags,
        to,
        ..Message::default()
    };
    let whom = Whom { overlapped: lpOverlapped, routine: lpCompletionRoutine };
    send(guest, &socket, message, lpNumberOfBytesSent, whom)
}

/// A message as `WSASendMsg` and `WSARecvMsg` describe it.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct WSAMSG {
    name: GuestWord,
    namelen: i32,
    lpBuffers: GuestWord,
    dwBufferCount: u32,
    /// The buffer for control data is a structure of its own, which begins at a word.
    #[guest(x64)]
    padding: u32,
    ControlLength: u32,
    Control: GuestWord,
    dwFlags: u32,
}

/// The most control data of a message, in bytes.
const CONTROL_MAX: u32 = 1024;

/// Where fields of a [`WSAMSG`] lie: the name's size, the control data's size, the flags; in words.
const NAMELEN_AT: u64 = 1;
const CONTROL_AT: u64 = 4;
const FLAGS_AT: u64 = 6;

/// Sends a message.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasendmsg>
#[winapi]
pub fn WSASendMsg(
    guest: &mut Guest,
    Handle: GuestWord,
    lpMsg: GuestWord,
    dwFlags: u32,
    lpNumberOfBytesSent: GuestWord,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Answer {
    let socket = Socket::find(guest.process(), Handle.0)?;
    let msg: WSAMSG = guest.read(lpMsg.0)?;
    let control = match msg.ControlLength.min(CONTROL_MAX) {
        0 => Vec::new(),
        length => guest.read_vec(msg.Control.0, u64::from(length))?,
    };
    let control = control::to_linux(&control, guest.machine().is_64()).ok_or(WSAEINVAL)?;
    let to = destination(guest, &socket, msg.name, msg.namelen)?;
    let pieces = pieces(guest, msg.lpBuffers, msg.dwBufferCount)?;
    let message = Message { pieces, flags: dwFlags, to, control, wants_control: false };
    let whom = Whom { overlapped: lpOverlapped, routine: lpCompletionRoutine };
    send(guest, &socket, message, lpNumberOfBytesSent, whom)
}

/// Where a message that is received goes, beside its bytes.
struct Wanted {
    count: GuestWord,
    flags: GuestWord,
    from: GuestWord,
    from_length: GuestWord,
    /// Whether flags and addresses may be stored after the call: they lie in a structure that lives as long.
    is_kept: bool,
    control: ControlPlace,
}

/// Receives now, or begins to.
fn receive_into(guest: &Guest, socket: &Socket, message: Message, to: &Wanted, whom: Whom) -> Answer {
    if whom.may_wait(socket) {
        let (from, from_length) = (to.from.0, to.from_length.0);
        // Flags may lie on a stack that is gone by then; `WSAGetOverlappedResult` tells them.
        let flags = if to.is_kept { to.flags.0 } else { 0 };
        let told = Told { flags, from, from_length, control: to.control };
        whom.begin(guest, socket, to.count, SocketWork::Receive(message, told))?;
        return Ok(DONE);
    }
    let received = receive(guest, socket, &message, to.from, to.from_length)?;
    if to.count.is_null() {
        return Err(WSAEFAULT.into());
    }
    guest.write(to.count.0, &(received.bytes as u32))?;
    // The sender is stored.
    tell(&received, Told { flags: to.flags.0, control: to.control, ..Told::default() })?;
    if received.is_cut { Err(WSAEMSGSIZE.into()) } else { Ok(DONE) }
}

/// Receives into several pieces of memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[winapi]
pub fn WSARecv(
    guest: &mut Guest,
    s: GuestWord,
    lpBuffers: GuestWord,
    dwBufferCount: u32,
    lpNumberOfBytesRecvd: GuestWord,
    lpFlags: GuestWord,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Answer {
    let none = GuestWord::NULL;
    WSARecvFrom(
        guest,
        s,
        lpBuffers,
        dwBufferCount,
        lpNumberOfBytesRecvd,
        lpFlags,
        none,
        none,
        lpOverlapped,
        lpCompletionRoutine,
    )
}

/// Receives into several pieces of memory, and tells who sent it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom>
#[winapi]
pub fn WSARecvFrom(
    guest: &mut Guest,
    s: GuestWord,
    lpBuffers: GuestWord,
    dwBufferCount: u32,
    lpNumberOfBytesRecvd: GuestWord,
    lpFlags: GuestWord,
    lpFrom: GuestWord,
    lpFromlen: GuestWord,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    let flags = guest.read_u32(lpFlags.0)?;
    let message = Message { pieces: pieces(guest, lpBuffers, dwBufferCount)?, flags, ..Message::default() };
    let to = Wanted {
        count: lpNumberOfBytesRecvd,
        flags: lpFlags,
        from: lpFrom,
        from_length: lpFromlen,
        is_kept: false,
        control: ControlPlace::default(),
    };
    let whom = Whom { overlapped: lpOverlapped, routine: lpCompletionRoutine };
    receive_into(guest, &socket, message, &to, whom)
}

/// Receives a message and what is told of it; found with `WSAIoctl`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_wsarecvmsg>
#[winapi]
pub fn WSARecvMsg(
    guest: &mut Guest,
    s: GuestWord,
    lpMsg: GuestWord,
    lpdwNumberOfBytesRecvd: GuestWord,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    let msg: WSAMSG = guest.read(lpMsg.0)?;
    let word = guest.machine().pointer_size();
    let pieces = pieces(guest, msg.lpBuffers, msg.dwBufferCount)?;
    let message = Message { pieces, flags: msg.dwFlags, wants_control: true, ..Message::default() };
    let to = Wanted {
        count: lpdwNumberOfBytesRecvd,
        flags: GuestWord(lpMsg.0 + FLAGS_AT * word),
        from: msg.name,
        from_length: GuestWord(lpMsg.0 + NAMELEN_AT * word),
        is_kept: true,
        control: ControlPlace {
            at: msg.Control.0,
            room: msg.ControlLength,
            length_at: lpMsg.0 + CONTROL_AT * word,
            is_64: guest.machine().is_64(),
        },
    };
    let whom = Whom { overlapped: lpOverlapped, routine: lpCompletionRoutine };
    receive_into(guest, &socket, message, &to, whom)
}

alike! {
    fn(guest, how; s: GuestWord, data: GuestWord) -> Answer {
        let _ = data;
        Socket::find(guest.process(), s.0)?.shutdown(how)?;
        Ok(DONE)
    }

    /// Ends receiving; no protocol of the internet sends data with the end.
    "winsock2/nf-winsock2-wsarecvdisconnect" WSARecvDisconnect(s, lpInboundDisconnectData) = 0;

    /// Ends sending; no protocol of the internet sends data with the end.
    "winsock2/nf-winsock2-wsasenddisconnect" WSASendDisconnect(s, lpOutboundDisconnectData) = 1;
}

/// Tells what became of a transfer, and waits for it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsagetoverlappedresult>
#[winapi]
pub fn WSAGetOverlappedResult(
    guest: &mut Guest,
    s: GuestWord,
    lpOverlapped: GuestWord,
    lpcbTransfer: GuestWord,
    fWait: Bool,
    lpdwFlags: GuestWord,
) -> Result<Bool, WsaError> {
    let socket = Socket::find(guest.process(), s.0)?;
    let word = guest.machine().pointer_size();
    let status = |guest: &Guest| guest.read_u32(lpOverlapped.0).map(NtStatus);
    if status(guest)? == NtStatus::PENDING {
        if !fWait.0 {
            return Err(WSA_IO_INCOMPLETE.into());
        }
        let event = guest.read_word(lpOverlapped.0 + 2 * word + 8)? & !1;
        let object = match event {
            0 => guest.process().object(s.0)?,
            event => guest.process().object(event)?,
        };
        drop(socket);
        wait::wait_as_guest(guest, &[object], WaitFor { all: false, alertable: false, deadline: None })?;
    }
    let status = status(guest)?;
    let moved = guest.read_u32(lpOverlapped.0 + word)?;
    guest.write(lpcbTransfer.0, &moved)?;
    let flags = if status == NtStatus::BUFFER_OVERFLOW { MSG_PARTIAL } else { 0 };
    guest.write(lpdwFlags.0, &flags)?;
    if status.is_success() {
        return Ok(TRUE);
    }
    let error: Win32Error = error::of_status(status);
    guest.set_last_error(error);
    Ok(FALSE)
}
