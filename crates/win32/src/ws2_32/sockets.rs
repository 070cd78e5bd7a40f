//! winsock2.h: making, naming, connecting and closing sockets; their options.

use plat_abi::{GuestWord, Memory, winapi};

use super::{Answer, DONE, WsaError, protocols, sockaddr};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, HandleOrInvalid};
use crate::logic::winsock::address;
use crate::logic::winsock::error::*;
use crate::logic::winsock::options::SOL_SOCKET;
use crate::nt::handle::HandleFlags;
use crate::nt::socket::{self as nt, Socket, Wish};
use crate::nt::socket_events;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @1 full accept;
    @2 full bind;
    @3 full closesocket;
    @4 full connect;
    @5 full getpeername;
    @6 full getsockname;
    @7 full getsockopt;
    @13 full listen;
    @21 full setsockopt;
    @22 full shutdown;
    @23 full socket;
    full WSASocketA;
    full WSASocketW;
    partial WSAAccept, "everybody is accepted before the condition is asked: who is refused is disconnected";
    full WSAConnect;
};

const SO_PROTOCOL_INFOA: i32 = 0x2004;
const SO_PROTOCOL_INFOW: i32 = 0x2005;
const WSA_FLAG_OVERLAPPED: u32 = 1;
const WSA_FLAG_NO_HANDLE_INHERIT: u32 = 0x80;

fn create(guest: &Guest, wish: Wish, is_inherited: bool) -> Result<HandleOrInvalid, WsaError> {
    let flags = if is_inherited { HandleFlags::INHERIT } else { HandleFlags::empty() };
    Ok(HandleOrInvalid(Socket::create(guest.process(), wish, flags)?))
}

/// Makes a socket, for overlapped transfers and to be inherited.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-socket>
#[winapi]
pub fn socket(guest: &mut Guest, af: i32, r#type: i32, protocol: i32) -> Result<HandleOrInvalid, WsaError> {
    create(guest, Wish { family: af, kind: r#type, protocol, overlapped: true }, true)
}

both_widths! {
    /// Makes a socket, or takes one over that `WSADuplicateSocket` described.
    "winsock2/nf-winsock2-wsasocket"
    WSASocketA, WSASocketW(guest, width, af: i32, r#type: i32, protocol: i32, lpProtocolInfo: GuestWord, g: u32,
        dwFlags: u32) -> Result<HandleOrInvalid, WsaError> {
        // The structure's fields lie at the same places in both forms.
        let _ = (g, width);
        let (mut family, mut kind, mut number) = (af, r#type, protocol);
        if !lpProtocolInfo.is_null() {
            guest.process().network.check()?;
            let given = guest.read_u32(lpProtocolInfo.0 + protocols::RESERVED_AT)?;
            if given != 0 {
                return Ok(HandleOrInvalid(Socket::find(guest.process(), u64::from(given))?.handle));
            }
            // WSAPROTOCOL_INFO: iAddressFamily, iSocketType, iProtocol; FROM_PROTOCOL_INFO asks for them.
            const FAMILY_AT: u64 = 76;
            const FROM_PROTOCOL_INFO: i32 = -1;
            let fields = [(&mut family, 0), (&mut kind, 12), (&mut number, 16)];
            for (field, offset) in fields {
                if *field == FROM_PROTOCOL_INFO {
                    *field = guest.read_u32(lpProtocolInfo.0 + FAMILY_AT + offset)? as i32;
                }
            }
        }
        let overlapped = dwFlags & WSA_FLAG_OVERLAPPED != 0;
        let wish = Wish { family, kind, protocol: number, overlapped };
        create(guest, wish, dwFlags & WSA_FLAG_NO_HANDLE_INHERIT == 0)
    }
}

/// Closes a socket.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-closesocket>
#[winapi]
pub fn closesocket(guest: &mut Guest, s: GuestWord) -> Answer {
    nt::close(guest.process(), s.0)?;
    Ok(DONE)
}

/// Gives a socket an address.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-bind>
#[winapi]
pub fn bind(guest: &mut Guest, s: GuestWord, name: GuestWord, namelen: i32) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    socket.bind(&sockaddr::read(guest, name.0, namelen, socket.end().family)?)?;
    Ok(DONE)
}

/// Lets others connect to a socket.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-listen>
#[winapi]
pub fn listen(guest: &mut Guest, s: GuestWord, backlog: i32) -> Answer {
    Socket::find(guest.process(), s.0)?.listen(backlog)?;
    Ok(DONE)
}

/// Takes one who has connected.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-accept>
#[winapi]
pub fn accept(
    guest: &mut Guest,
    s: GuestWord,
    addr: GuestWord,
    addrlen: GuestWord,
) -> Result<HandleOrInvalid, WsaError> {
    let socket = Socket::find(guest.process(), s.0)?;
    sockaddr::check_room(guest, socket.end().family, addr.0, addrlen.0)?;
    let (file, from) = socket.accept()?;
    sockaddr::write(guest, &address::of_linux(from.bytes()), addr.0, addrlen.0)?;
    let handle = nt::insert(guest.process(), file, HandleFlags::INHERIT);
    if let Ok(accepted) = Socket::find(guest.process(), handle) {
        socket_events::know_handle(&accepted, handle);
    }
    Ok(HandleOrInvalid(handle))
}

/// Takes one who has connected, if a function of the program's agrees.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaaccept>
#[winapi]
pub fn WSAAccept(
    guest: &mut Guest,
    s: GuestWord,
    addr: GuestWord,
    addrlen: GuestWord,
    lpfnCondition: GuestWord,
    dwCallbackData: GuestWord,
) -> Result<HandleOrInvalid, WsaError> {
    const CF_ACCEPT: u32 = 0;
    let accepted = accept(guest, s, addr, addrlen)?;
    if lpfnCondition.is_null() {
        return Ok(accepted);
    }
    // WSABUFs with the caller's and the own address: size and pointer; then what nobody sends any more: 0.
    let socket = Socket::find(guest.process(), accepted.0)?;
    let (caller, callee) = (socket.peer_address()?, socket.local_address()?);
    drop(socket);
    let word = guest.machine().pointer_size();
    let texts = 8 * word;
    let size = texts + (caller.len() + callee.len()) as u64;
    let block = guest.process().heaps.allocate(0, size, true).ok_or(WSAENOBUFS)?;
    let callee_at = block + texts + caller.len() as u64;
    for (buffer, bytes, at) in [(block, &caller, block + texts), (block + 2 * word, &callee, callee_at)] {
        guest.write(buffer, &(bytes.len() as u32))?;
        guest.write_word(buffer + word, at)?;
        guest.write_bytes(at, bytes)?;
    }
    let group = block + 4 * word;
    let arguments = [block, 0, 0, 0, block + 2 * word, 0, group, dwCallbackData.0];
    drop((caller, callee));
    let verdict = guest.call(lpfnCondition.0, &arguments)? as u32;
    guest.process().heaps.free(0, block);
    if verdict == CF_ACCEPT {
        return Ok(accepted);
    }
    nt::close(guest.process(), accepted.0)?;
    Err(WSAECONNREFUSED.into())
}

/// Connects a socket, or says where its datagrams go.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-connect>
#[winapi]
pub fn connect(guest: &mut Guest, s: GuestWord, name: GuestWord, namelen: i32) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    socket.connect(&sockaddr::read(guest, name.0, namelen, socket.end().family)?)?;
    Ok(DONE)
}

/// Connects a socket; data and qualities of service go nowhere, as with every protocol of the internet.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnect>
#[winapi]
pub fn WSAConnect(
    guest: &mut Guest,
    s: GuestWord,
    name: GuestWord,
    namelen: i32,
    lpCallerData: GuestWord,
    lpCalleeData: GuestWord,
    lpSQOS: GuestWord,
    lpGQOS: GuestWord,
) -> Answer {
    let _ = (lpCallerData, lpCalleeData, lpSQOS, lpGQOS);
    connect(guest, s, name, namelen)
}

/// Ends receiving, sending or both.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-shutdown>
#[winapi]
pub fn shutdown(guest: &mut Guest, s: GuestWord, how: i32) -> Answer {
    Socket::find(guest.process(), s.0)?.shutdown(how)?;
    Ok(DONE)
}

alike! {
    fn(guest, address_of; s: GuestWord, name: GuestWord, namelen: GuestWord) -> Answer {
        let socket = Socket::find(guest.process(), s.0)?;
        tell(guest, &address_of(&socket)?, name, namelen)
    }

    /// Tells a socket's own address.
    "winsock2/nf-winsock2-getsockname" getsockname = Socket::local_address;

    /// Tells the address of the other end.
    "winsock2/nf-winsock2-getpeername" getpeername = Socket::peer_address;
}

fn tell(guest: &Guest, bytes: &[u8], name: GuestWord, namelen: GuestWord) -> Answer {
    if name.is_null() || namelen.is_null() {
        return Err(WSAEFAULT.into());
    }
    sockaddr::write(guest, bytes, name.0, namelen.0)?;
    Ok(DONE)
}

/// Returns an option.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getsockopt>
#[winapi]
pub fn getsockopt(
    guest: &mut Guest,
    s: GuestWord,
    level: i32,
    optname: i32,
    optval: GuestWord,
    optlen: GuestWord,
) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    if optval.is_null() || optlen.is_null() {
        return Err(WSAEFAULT.into());
    }
    let room = guest.read_u32(optlen.0)? as usize;
    let described = match (level, optname) {
        (SOL_SOCKET, SO_PROTOCOL_INFOA) => protocols::describe(socket.end(), false),
        (SOL_SOCKET, SO_PROTOCOL_INFOW) => protocols::describe(socket.end(), true),
        _ => None,
    };
    let mut value = match described {
        Some(described) => described,
        None => socket.option(level, optname)?,
    };
    // Yes and no may be asked for as one byte.
    let is_small = value.len() == 4 && value[1..] == [0; 3] && room >= 1;
    if room < value.len() {
        if !is_small {
            return Err(WSAEFAULT.into());
        }
        value.truncate(room);
    }
    guest.write_bytes(optval.0, &value)?;
    guest.write(optlen.0, &(value.len() as u32))?;
    Ok(DONE)
}

/// Sets an option.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-setsockopt>
#[winapi]
pub fn setsockopt(
    guest: &mut Guest,
    s: GuestWord,
    level: i32,
    optname: i32,
    optval: GuestWord,
    optlen: i32,
) -> Answer {
    /// The longest option is a membership of IPv6, of 20 bytes.
    const LENGTH_MAX: u64 = 256;
    let socket = Socket::find(guest.process(), s.0)?;
    let length = u64::try_from(optlen).map_err(|_| WSAEFAULT)?.min(LENGTH_MAX);
    let value = guest.read_vec(optval.0, length)?;
    socket.set_option(level, optname, &value)?;
    Ok(DONE)
}
