//! winsock2.h: control of sockets.

use std::net::{IpAddr, Ipv4Addr};

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::socket as host;

use super::overlapped::Whom;
use super::{Answer, DONE, WsaError};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET6, AF_UNIX, Endpoint};
use crate::logic::winsock::error::{self, *};
use crate::logic::winsock::options::SOL_SOCKET;
use crate::nt::resolver;
use crate::nt::socket::Socket;
use crate::process::Symbol;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @10 full ioctlsocket;
    partial WSAIoctl, "modes, bytes to read, extension functions, keep-alive times, handles, addresses and interfaces; not the rest";
};

const FIONBIO: u32 = 0x8004_667e;
const FIONREAD: u32 = 0x4004_667f;
const SIOCATMARK: u32 = 0x4004_7307;
const FIOASYNC: u32 = 0x8004_667d;
const SIO_FLUSH: u32 = 0x2800_0004;
const SIO_GET_EXTENSION_FUNCTION_POINTER: u32 = 0xc800_0006;
const SIO_ROUTING_INTERFACE_QUERY: u32 = 0xc800_0014;
const SIO_ROUTING_INTERFACE_CHANGE: u32 = 0x8800_0015;
const SIO_ADDRESS_LIST_QUERY: u32 = 0x4800_0016;
const SIO_GET_INTERFACE_LIST: u32 = 0x4004_747f;
const SIO_IDEAL_SEND_BACKLOG_QUERY: u32 = 0x4004_747b;
const SO_SNDBUF: i32 = 0x1001;
const SIO_ADDRESS_LIST_CHANGE: u32 = 0x2800_0017;
const SIO_BASE_HANDLE: u32 = 0x4800_0022;
/// `SIO_BSP_HANDLE`, `_SELECT`, `_POLL`: the handle below layered providers, of which there are none.
const SIO_BSP_HANDLES: [u32; 3] = [0x4800_001b, 0x4800_001c, 0x4800_001d];
const SIO_KEEPALIVE_VALS: u32 = 0x9800_0004;
const SIO_UDP_CONNRESET: u32 = 0x9800_000c;
const SIO_LOOPBACK_FAST_PATH: u32 = 0x9800_0010;
/// `SIO_AF_UNIX_GETPEERPID`.
///
/// Source: afunix.h of the Windows SDK
const SIO_AF_UNIX_GETPEERPID: u32 = 0x5800_0100;
const SIO_TCP_INITIAL_RTO: u32 = 0x9800_0011;

/// Extension functions: the first part of the GUID and the rest, and the name in mswsock.dll.
///
/// Source: <https://learn.microsoft.com/windows/win32/winsock/using-winsock>, the header mswsock.h.
const EXTENSIONS: &[(u32, [u8; 12], &str)] = &[
    (0xb536_7df1, TAIL, "AcceptEx"),
    (0x25a2_07b9, [0xf3, 0xdd, 0x60, 0x46, 0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e], "ConnectEx"),
    (0x7fda_2e11, [0x30, 0x86, 0x6f, 0x43, 0xa0, 0x31, 0xf5, 0x36, 0xa6, 0xee, 0xc1, 0x57], "DisconnectEx"),
    (0xb536_7df2, TAIL, "GetAcceptExSockaddrs"),
    (0xb536_7df0, TAIL, "TransmitFile"),
    (0xf689_d7c8, [0x1f, 0x6f, 0x6b, 0x43, 0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22], "WSARecvMsg"),
    (0xa441_e712, [0x4f, 0x75, 0xca, 0x43, 0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d], "WSASendMsg"),
];
const TAIL: [u8; 12] = [0xac, 0xcb, 0xcf, 0x11, 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92];

/// Controls a socket.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-ioctlsocket>
#[winapi]
pub fn ioctlsocket(guest: &mut Guest, s: GuestWord, cmd: i32, argp: GuestWord) -> Answer {
    let socket = Socket::find(guest.process(), s.0)?;
    match cmd as u32 {
        FIONBIO => set_nonblocking(&socket, guest.read_u32(argp.0)? != 0)?,
        FIONREAD => guest.write(argp.0, &socket.available()?)?,
        SIOCATMARK => guest.write(argp.0, &at_mark(&socket)?)?,
        FIOASYNC => {}
        _ => return Err(WSAEINVAL.into()),
    }
    Ok(DONE)
}

fn set_nonblocking(socket: &Socket, on: bool) -> Result<(), WsaError> {
    let selection = socket.end().selection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Who wants events must not be made to block.
    if !on && !selection.is_empty() {
        return Err(WSAEINVAL.into());
    }
    socket.end().is_nonblocking.store(on, std::sync::atomic::Ordering::Relaxed);
    Ok(())
}

/// Says 1 when no urgent data waits.
fn at_mark(socket: &Socket) -> Result<u32, WsaError> {
    let is_at = host::is_at_mark(&socket.file.file).map_err(|errno| error::of_errno(errno.0))?;
    Ok(u32::from(!is_at))
}

/// Controls a socket; only what would tell of changes of the network is pending, and that for ever.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaioctl>
#[winapi]
pub fn WSAIoctl(
    guest: &mut Guest,
    s: GuestWord,
    dwIoControlCode: u32,
    lpvInBuffer: GuestWord,
    cbInBuffer: u32,
    lpvOutBuffer: GuestWord,
    cbOutBuffer: u32,
    lpcbBytesReturned: GuestWord,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Answer {
    let whom = Whom { overlapped: lpOverlapped, routine: lpCompletionRoutine };
    let socket = Socket::find(guest.process(), s.0)?;
    if [SIO_ADDRESS_LIST_CHANGE, SIO_ROUTING_INTERFACE_CHANGE].contains(&dwIoControlCode) {
        return Err(whom.begin_never(guest, &socket)?);
    }
    let input = if lpvInBuffer.is_null() {
        Vec::new()
    } else {
        guest.read_vec(lpvInBuffer.0, u64::from(cbInBuffer.min(256)))?
    };
    let output = control(guest, &socket, dwIoControlCode, &input, lpvOutBuffer.0)?;
    if (cbOutBuffer as usize) < output.len() || (lpvOutBuffer.is_null() && !output.is_empty()) {
        if !lpcbBytesReturned.is_null() {
            guest.write(lpcbBytesReturned.0, &(output.len() as u32))?;
        }
        return Err(WSAEFAULT.into());
    }
    if !output.is_empty() {
        guest.write_bytes(lpvOutBuffer.0, &output)?;
    }
    if !lpcbBytesReturned.is_null() {
        guest.write(lpcbBytesReturned.0, &(output.len() as u32))?;
    }
    whom.finish(guest, &socket, output.len() as u64)?;
    Ok(DONE)
}

fn number(input: &[u8], index: usize) -> Result<u32, WsaError> {
    let bytes = input.get(index * 4..index * 4 + 4).and_then(|bytes| bytes.try_into().ok());
    Ok(u32::from_le_bytes(bytes.ok_or(WSAEFAULT)?))
}

/// Returns the number of the process at the other end of a local connection.
fn peer(socket: &Socket) -> Result<Vec<u8>, WsaError> {
    if socket.end().family != AF_UNIX {
        return Err(WSAEOPNOTSUPP.into());
    }
    let id = plat_host::pipe::peer(&socket.file.file).map_err(|_| WSAENOTCONN)?;
    Ok(id.to_le_bytes().to_vec())
}

/// Does what a code asks; returns what is stored, at `output`.
fn control(
    guest: &mut Guest,
    socket: &Socket,
    code: u32,
    input: &[u8],
    output: u64,
) -> Result<Vec<u8>, WsaError> {
    match code {
        FIONBIO => set_nonblocking(socket, number(input, 0)? != 0)?,
        FIONREAD => return Ok(socket.available()?.to_le_bytes().to_vec()),
        SIOCATMARK => return Ok(at_mark(socket)?.to_le_bytes().to_vec()),
        SIO_GET_EXTENSION_FUNCTION_POINTER => return extension(guest, input),
        SIO_BASE_HANDLE => return Ok(guest.word_bytes(socket.handle)),
        code if SIO_BSP_HANDLES.contains(&code) => return Ok(guest.word_bytes(socket.handle)),
        SIO_ROUTING_INTERFACE_QUERY => return way_to(input),
        SIO_ADDRESS_LIST_QUERY => return address_list(guest, socket, output),
        SIO_GET_INTERFACE_LIST => return interface_list(),
        SIO_IDEAL_SEND_BACKLOG_QUERY => return Ok(socket.option(SOL_SOCKET, SO_SNDBUF)?),
        SIO_AF_UNIX_GETPEERPID => return peer(socket),
        SIO_KEEPALIVE_VALS => keep_alive(socket, input)?,
        // A way of Windows' to be faster; datagrams that nobody takes reset nothing here; the kernel's times stay.
        SIO_FLUSH | FIOASYNC | SIO_LOOPBACK_FAST_PATH | SIO_UDP_CONNRESET | SIO_TCP_INITIAL_RTO => {}
        _ => return Err(WSAEOPNOTSUPP.into()),
    }
    Ok(Vec::new())
}

/// Returns the own address from which a datagram would go to another one.
fn way_to(input: &[u8]) -> Result<Vec<u8>, WsaError> {
    let to = Endpoint::of_bytes(input).ok_or(WSAEFAULT)?;
    let own = resolver::own_address_towards(to.ip).ok_or(WSAENETUNREACH)?;
    Ok(Endpoint::new(own, 0).to_bytes())
}

/// Lays out a SOCKET_ADDRESS_LIST of the machine's addresses of the socket's family, which will lie at `output`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-socket_address_list>
fn address_list(guest: &Guest, socket: &Socket, output: u64) -> Result<Vec<u8>, WsaError> {
    let is_v6 = socket.end().family == AF_INET6;
    let mut own = host::own_addresses().map_err(|errno| error::of_errno(errno.0))?;
    own.retain(|ip| ip.is_ipv6() == is_v6);
    let word = guest.machine().pointer_size() as usize;
    let addresses: Vec<Vec<u8>> = own.into_iter().map(|ip| Endpoint::new(ip, 0).to_bytes()).collect();
    let mut place = output + (word + addresses.len() * 2 * word) as u64;
    let mut bytes = (addresses.len() as u32).to_le_bytes().to_vec();
    bytes.resize(word, 0);
    for address in &addresses {
        bytes.extend_from_slice(&place.to_le_bytes()[..word]);
        bytes.extend((address.len() as u32).to_le_bytes());
        bytes.resize(bytes.len().next_multiple_of(word), 0);
        place += address.len() as u64;
    }
    bytes.extend(addresses.concat());
    Ok(bytes)
}

/// Lays out an array of INTERFACE_INFO: flags, and address, broadcast address and mask of 24 bytes each.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2ipdef/ns-ws2ipdef-interface_info>
fn interface_list() -> Result<Vec<u8>, WsaError> {
    const UP: u32 = 1;
    const BROADCAST: u32 = 2;
    const LOOPBACK: u32 = 4;
    const MULTICAST: u32 = 16;
    const ROOM: usize = 24;
    let all = host::interfaces().map_err(|errno| error::of_errno(errno.0))?;
    let mut bytes = Vec::new();
    for interface in all.iter().filter(|interface| interface.is_up) {
        let flags = UP | MULTICAST | if interface.is_loopback { LOOPBACK } else { BROADCAST };
        for (ip, prefix) in &interface.addresses {
            let IpAddr::V4(ip) = ip else { continue };
            let mask = u32::MAX.checked_shl(32 - u32::from(*prefix)).unwrap_or(0);
            let parts = [*ip, Ipv4Addr::from(u32::from(*ip) | !mask), Ipv4Addr::from(mask)];
            bytes.extend(flags.to_le_bytes());
            for part in parts {
                let mut address = Endpoint::new(part, 0).to_bytes();
                address.resize(ROOM, 0);
                bytes.extend(address);
            }
        }
    }
    Ok(bytes)
}

/// Sets on or off, milliseconds until the first probe, and between two.
fn keep_alive(socket: &Socket, input: &[u8]) -> Result<(), WsaError> {
    const SO_KEEPALIVE: i32 = 8;
    const TCP_KEEPIDLE: i32 = 3;
    const TCP_KEEPINTVL: i32 = 17;
    let seconds = |index: usize| Ok::<_, WsaError>((number(input, index)? / 1000).max(1).to_le_bytes());
    let on = number(input, 0)?;
    socket.set_option(SOL_SOCKET, SO_KEEPALIVE, &on.to_le_bytes())?;
    if on != 0 {
        socket.set_option(6, TCP_KEEPIDLE, &seconds(1)?)?;
        socket.set_option(6, TCP_KEEPINTVL, &seconds(2)?)?;
    }
    Ok(())
}

/// Finds the function of a GUID.
fn extension(guest: &mut Guest, input: &[u8]) -> Result<Vec<u8>, WsaError> {
    let (first, rest) = (number(input, 0)?, input.get(4..16).ok_or(WSAEFAULT)?);
    let found = EXTENSIONS.iter().find(|row| row.0 == first && row.1 == rest).ok_or(WSAEINVAL)?;
    let name: Vec<u16> = "mswsock.dll".encode_utf16().collect();
    let loader = guest.process().loader();
    let base = match loader.module_named(&name) {
        Some(module) => module.base,
        None => loader.load(guest, &name, 0)?,
    };
    let address = loader.symbol(guest, base, Symbol::Name(found.2))?;
    Ok(guest.word_bytes(address))
}
