//! mswsock.dll: Microsoft's extensions of Winsock. The table of contents. `ConnectEx` and others, which Windows gives out
//! by `WSAIoctl` only, are exported here, too, so that there is an address to give out.

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::winsock::error::*;
use crate::nt::file::FileObject;
use crate::nt::socket::{Phase, Socket};
use crate::nt::socket_transfer::{AcceptInto, Message, SocketWork};
use crate::ws2_32::overlapped::{WSARecvMsg, Whom};
use crate::ws2_32::{Answer, WsaError, sockaddr};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "mswsock.dll",
    description: "Microsoft Windows Sockets 2.0 Service Provider",
    tables: &[EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full AcceptEx;
    full ConnectEx;
    full DisconnectEx;
    full GetAcceptExSockaddrs;
    partial TransmitFile, "done when it returns; the file goes through memory";
    full WSARecvEx;
    partial WSARecvMsg, "control data: packets' addresses, times to live, types of service";
    forward WSASendMsg => "ws2_32.WSASendMsg";
};

/// The room that `AcceptEx` wants for an address beyond its size.
const ADDRESS_EXTRA: u32 = 16;

fn whom(overlapped: GuestWord) -> Whom {
    Whom { overlapped, routine: GuestWord::NULL }
}

/// Takes one who connects with a socket made before; the first bytes can be waited for with him.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-acceptex>
#[winapi]
pub fn AcceptEx(
    guest: &mut Guest,
    sListenSocket: GuestWord,
    sAcceptSocket: GuestWord,
    lpOutputBuffer: GuestWord,
    dwReceiveDataLength: u32,
    dwLocalAddressLength: u32,
    dwRemoteAddressLength: u32,
    lpdwBytesReceived: GuestWord,
    lpOverlapped: GuestWord,
) -> Result<Bool, WsaError> {
    let listener = Socket::find(guest.process(), sListenSocket.0)?;
    let socket = Socket::find(guest.process(), sAcceptSocket.0)?;
    if lpOverlapped.is_null() || dwLocalAddressLength < ADDRESS_EXTRA || dwRemoteAddressLength < ADDRESS_EXTRA
    {
        return Err(WSA_INVALID_PARAMETER.into());
    }
    if listener.end().life().phase != Phase::Listening || socket.end().life().is_bound {
        return Err(WSAEINVAL.into());
    }
    let into = AcceptInto {
        socket: socket.file,
        output: lpOutputBuffer.0,
        data: dwReceiveDataLength,
        local: dwLocalAddressLength,
        remote: dwRemoteAddressLength,
        is_connected: false,
    };
    whom(lpOverlapped).begin(guest, &listener, lpdwBytesReceived, SocketWork::Accept(into))?;
    Ok(TRUE)
}

/// Finds the addresses that `AcceptEx` stored.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-getacceptexsockaddrs>
#[winapi]
pub fn GetAcceptExSockaddrs(
    guest: &mut Guest,
    lpOutputBuffer: GuestWord,
    dwReceiveDataLength: u32,
    dwLocalAddressLength: u32,
    dwRemoteAddressLength: u32,
    LocalSockaddr: GuestWord,
    LocalSockaddrLength: GuestWord,
    RemoteSockaddr: GuestWord,
    RemoteSockaddrLength: GuestWord,
) -> Result<(), plat_abi::Fault> {
    let local = lpOutputBuffer.0 + u64::from(dwReceiveDataLength);
    let remote = local + u64::from(dwLocalAddressLength);
    let parts = [
        (local, dwLocalAddressLength, LocalSockaddr, LocalSockaddrLength),
        (remote, dwRemoteAddressLength, RemoteSockaddr, RemoteSockaddrLength),
    ];
    for (at, room, pointer, length) in parts {
        // The size is in the last bytes of the room.
        let size = if room < 4 { 0 } else { guest.read_u32(at + u64::from(room) - 4)? };
        guest.write_word(pointer.0, at)?;
        guest.write(length.0, &size)?;
    }
    Ok(())
}

/// Connects a socket that has an address, and sends first bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex>
#[winapi]
pub fn ConnectEx(
    guest: &mut Guest,
    s: GuestWord,
    name: GuestWord,
    namelen: i32,
    lpSendBuffer: GuestWord,
    dwSendDataLength: u32,
    lpdwBytesSent: GuestWord,
    lpOverlapped: GuestWord,
) -> Result<Bool, WsaError> {
    let socket = Socket::find(guest.process(), s.0)?;
    if lpOverlapped.is_null() {
        return Err(WSA_INVALID_PARAMETER.into());
    }
    if !socket.end().life().is_bound {
        return Err(WSAEINVAL.into());
    }
    let address = sockaddr::read(guest, name.0, namelen, socket.end().family)?;
    socket.begin_connect(&address)?;
    let length = if lpSendBuffer.is_null() { 0 } else { u64::from(dwSendDataLength) };
    let pieces = vec![plat_host::socket::Piece { address: lpSendBuffer.0, length }];
    let message = Message { pieces, flags: 0, ..Message::default() };
    whom(lpOverlapped).begin(guest, &socket, lpdwBytesSent, SocketWork::Connect(message, 0))?;
    Ok(TRUE)
}

/// Ends a connection in both directions; a socket is not used again after that.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_disconnectex>
#[winapi]
pub fn DisconnectEx(
    guest: &mut Guest,
    s: GuestWord,
    lpOverlapped: GuestWord,
    dwFlags: u32,
    dwReserved: u32,
) -> Result<Bool, WsaError> {
    let _ = (dwFlags, dwReserved);
    let socket = Socket::find(guest.process(), s.0)?;
    socket.shutdown(2)?;
    whom(lpOverlapped).finish(guest, &socket, 0)?;
    Ok(TRUE)
}

/// Sends a file, with bytes before and after it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-transmitfile>
#[winapi]
pub fn TransmitFile(
    guest: &mut Guest,
    hSocket: GuestWord,
    hFile: GuestWord,
    nNumberOfBytesToWrite: u32,
    nNumberOfBytesPerSend: u32,
    lpOverlapped: GuestWord,
    lpTransmitBuffers: GuestWord,
    dwReserved: u32,
) -> Result<Bool, WsaError> {
    const TF_DISCONNECT: u32 = 1;
    const PIECE: u64 = 1 << 16;
    let _ = nNumberOfBytesPerSend;
    let socket = Socket::find(guest.process(), hSocket.0)?;
    let word = guest.machine().pointer_size();
    // TRANSMIT_FILE_BUFFERS: head, its size, tail, its size.
    let around = |guest: &Guest, index: u64| -> Result<(u64, u64), WsaError> {
        if lpTransmitBuffers.is_null() {
            return Ok((0, 0));
        }
        let at = lpTransmitBuffers.0 + index * 2 * word;
        Ok((guest.read_word(at)?, u64::from(guest.read_u32(at + word)?)))
    };
    let send = |address: u64, length: u64| {
        let pieces = vec![plat_host::socket::Piece { address, length }];
        socket.send(&Message { pieces, flags: 0, ..Message::default() })
    };
    let mut total = 0;
    let (head, head_length) = around(guest, 0)?;
    if head_length != 0 {
        total += send(head, head_length)?;
    }
    if !hFile.is_null() {
        let file: std::sync::Arc<FileObject> = guest.process().handles.get(hFile.0).map_err(|_| WSAEINVAL)?;
        let mut left = if nNumberOfBytesToWrite == 0 { u64::MAX } else { u64::from(nNumberOfBytesToWrite) };
        let buffer = guest.process().heaps.allocate(0, PIECE, false).ok_or(WSAENOBUFS)?;
        let outcome = loop {
            match file.read_to_guest(buffer, PIECE.min(left), None) {
                Ok(0) => break Ok(()),
                Ok(read) => match send(buffer, read) {
                    Ok(sent) => (total, left) = (total + sent, left - read),
                    Err(error) => break Err(WsaError::from(error)),
                },
                Err(status) => break Err(status.into()),
            }
            if left == 0 {
                break Ok(());
            }
        };
        guest.process().heaps.free(0, buffer);
        outcome?;
    }
    let (tail, tail_length) = around(guest, 1)?;
    if tail_length != 0 {
        total += send(tail, tail_length)?;
    }
    if dwReserved & TF_DISCONNECT != 0 {
        socket.shutdown(2)?;
    }
    whom(lpOverlapped).finish(guest, &socket, total)?;
    Ok(TRUE)
}

/// Receives as `recv` does, with the flags of the message told.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-wsarecvex>
#[winapi]
pub fn WSARecvEx(guest: &mut Guest, s: GuestWord, buf: GuestWord, len: i32, flags: GuestWord) -> Answer {
    const MSG_PARTIAL: u32 = 0x8000;
    let how = if flags.is_null() { 0 } else { guest.read_u32(flags.0)? };
    let socket = Socket::find(guest.process(), s.0)?;
    let length = u64::try_from(len).map_err(|_| WSAEFAULT)?;
    let pieces = vec![plat_host::socket::Piece { address: buf.0, length }];
    let received = socket.receive(&Message { pieces, flags: how, ..Message::default() })?;
    if !flags.is_null() {
        guest.write(flags.0, &if received.is_cut { MSG_PARTIAL } else { 0 })?;
    }
    Ok(crate::guest::OrMinusOne(received.bytes as u32))
}
