//! winsock2.h: connecting by names and lists, joining groups, giving sockets to other processes.

use std::net::IpAddr;

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::clock;

use super::{Answer, DONE, WsaError, protocols, sockaddr};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::logic::winsock::address::{self, AF_INET6, Endpoint};
use crate::logic::winsock::error::*;
use crate::logic::winsock::names;
use crate::nt::handle::{HandleEntry, HandleFlags};
use crate::nt::resolver::{self, Kinds};
use crate::nt::socket::Socket;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WSAConnectByList;
    full WSAConnectByNameA;
    full WSAConnectByNameW;
    full WSADuplicateSocketA;
    full WSADuplicateSocketW;
    partial WSAJoinLeaf, "groups of IPv4 and IPv6 by datagram sockets, as sender and receiver";
};

const IPPROTO_IP: i32 = 0;
const IPPROTO_IPV6: i32 = 41;
const IPV6_V6ONLY: i32 = 27;
/// `IP_ADD_MEMBERSHIP` and `IPV6_ADD_MEMBERSHIP`.
const ADD_MEMBERSHIP: i32 = 12;

/// Where the addresses of a connection go: the room's size and place, for the own and the other one.
struct Places {
    local: (GuestWord, GuestWord),
    remote: (GuestWord, GuestWord),
}

/// Reads a `TIMEVAL` and makes a deadline of it; null is none.
fn deadline(guest: &Guest, timeout: GuestWord) -> Result<Option<u64>, WsaError> {
    if timeout.is_null() {
        return Ok(None);
    }
    let (seconds, micros) = (guest.read_u32(timeout.0)?, guest.read_u32(timeout.0 + 4)?);
    Ok(Some(clock::monotonic_nanoseconds() + u64::from(seconds) * 1_000_000_000 + u64::from(micros) * 1000))
}

/// Connects to the first of some addresses that answers.
fn connect_first(
    guest: &Guest,
    socket: &Socket,
    endpoints: &[Endpoint],
    deadline: Option<u64>,
    places: &Places,
) -> Result<(), WsaError> {
    let is_v6 = socket.end().family == AF_INET6;
    // One that takes both kinds reaches the others by mapped addresses.
    let takes_both = is_v6 && socket.option(IPPROTO_IPV6, IPV6_V6ONLY)?.iter().all(|&byte| byte == 0);
    let mut outcome = Err(WSAEHOSTUNREACH);
    for endpoint in endpoints {
        let ip = match endpoint.ip {
            IpAddr::V4(ip) if is_v6 && takes_both => IpAddr::V6(ip.to_ipv6_mapped()),
            ip if ip.is_ipv6() == is_v6 => ip,
            _ => continue,
        };
        let bytes = Endpoint { ip, ..*endpoint }.to_bytes();
        let linux = address::to_linux(&bytes).and_then(|bytes| plat_host::socket::Address::new(&bytes));
        let begun = socket.begin_connect(&linux.ok_or(WSAEFAULT)?);
        outcome = begun.and_then(|()| socket.end_connect(deadline));
        match outcome {
            Ok(()) => break,
            Err(WSAETIMEDOUT) if deadline.is_some_and(|at| at <= clock::monotonic_nanoseconds()) => break,
            Err(_) => {}
        }
    }
    outcome?;
    sockaddr::write(guest, &socket.local_address()?, places.local.1.0, places.local.0.0)?;
    sockaddr::write(guest, &socket.peer_address()?, places.remote.1.0, places.remote.0.0)?;
    Ok(())
}

both_widths! {
    /// Connects a stream to a machine's service, trying all its addresses.
    "winsock2/nf-winsock2-wsaconnectbyname"
    WSAConnectByNameA, WSAConnectByNameW(guest, width, s: GuestWord, nodename: GuestWord, servicename: GuestWord,
        LocalAddressLength: GuestWord, LocalAddress: GuestWord, RemoteAddressLength: GuestWord,
        RemoteAddress: GuestWord, timeout: GuestWord, Reserved: GuestWord) -> Result<Bool, WsaError> {
        let socket = Socket::find(guest.process(), s.0)?;
        if nodename.is_null() || servicename.is_null() || !Reserved.is_null() || !socket.end().is_stream() {
            return Err(WSAEINVAL.into());
        }
        let deadline = deadline(guest, timeout)?;
        let text = |at| Ok::<_, WsaError>(String::from_utf16_lossy(&width.read(guest, at)?));
        let (node, service) = (text(nodename)?, text(servicename)?);
        let port = match service.parse() {
            Ok(port) => port,
            Err(_) => names::service_by_name(&service, Some("tcp")).ok_or(WSAHOST_NOT_FOUND)?.0.port,
        };
        let literal = address::parse_v4(&node).map(IpAddr::from)
            .or_else(|| address::parse_v6(&node).map(|(ip, _)| ip.into()));
        let found = match literal {
            Some(ip) => vec![ip],
            None => resolver::resolve(&node, Kinds { v4: true, v6: true })?.addresses,
        };
        let endpoints: Vec<Endpoint> = found.into_iter().map(|ip| Endpoint::new(ip, port)).collect();
        let places = Places {
            local: (LocalAddressLength, LocalAddress),
            remote: (RemoteAddressLength, RemoteAddress),
        };
        connect_first(guest, &socket, &endpoints, deadline, &places)?;
        Ok(TRUE)
    }
}

/// Connects a stream to the first of a list of addresses that answers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnectbylist>
#[winapi]
pub fn WSAConnectByList(
    guest: &mut Guest,
    s: GuestWord,
    SocketAddress: GuestWord,
    LocalAddressLength: GuestWord,
    LocalAddress: GuestWord,
    RemoteAddressLength: GuestWord,
    RemoteAddress: GuestWord,
    timeout: GuestWord,
    Reserved: GuestWord,
) -> Result<Bool, WsaError> {
    const MOST: u32 = 1 << 10;
    let socket = Socket::find(guest.process(), s.0)?;
    if SocketAddress.is_null() || !Reserved.is_null() || !socket.end().is_stream() {
        return Err(WSAEINVAL.into());
    }
    let deadline = deadline(guest, timeout)?;
    // SOCKET_ADDRESS_LIST: a count, then pointers and sizes.
    let word = guest.machine().pointer_size();
    let count = guest.read_u32(SocketAddress.0)?;
    let mut endpoints = Vec::new();
    for index in 0..u64::from(count.min(MOST)) {
        let at = SocketAddress.0 + word + index * 2 * word;
        let size = guest.read_u32(at + word)?;
        let bytes = guest.read_vec(guest.read_word(at)?, u64::from(size.min(128)))?;
        endpoints.push(Endpoint::of_bytes(&bytes).ok_or(WSAEINVAL)?);
    }
    let places =
        Places { local: (LocalAddressLength, LocalAddress), remote: (RemoteAddressLength, RemoteAddress) };
    connect_first(guest, &socket, &endpoints, deadline, &places)?;
    Ok(TRUE)
}

both_widths! {
    /// Gives a socket to a process, and stores what `WSASocket` there needs to take it.
    "winsock2/nf-winsock2-wsaduplicatesocket"
    WSADuplicateSocketA, WSADuplicateSocketW(guest, width, s: GuestWord, dwProcessId: u32, lpProtocolInfo: GuestWord)
        -> Answer {
        let process = guest.process();
        let socket = Socket::find(process, s.0)?;
        let mut info = protocols::describe(socket.end(), width == Width::Wide).ok_or(WSAEOPNOTSUPP)?;
        // What is stored must have room before the other process has the socket.
        guest.write_bytes(lpProtocolInfo.0, &info)?;
        let entry = process.handles.entry(s.0)?;
        let entry = HandleEntry { flags: HandleFlags::empty(), ..entry };
        let handle = if dwProcessId == process.threads.this_process().id() {
            process.handles.insert(entry.object, entry.access, entry.flags)
        } else {
            let other = process.children.open(dwProcessId).map_err(|_| WSAEINVAL)?;
            other.put_handle(&entry).map_err(|_| WSAEINVAL)?
        };
        let at = protocols::RESERVED_AT as usize;
        info[at..at + 4].copy_from_slice(&(handle as u32).to_le_bytes());
        guest.write_bytes(lpProtocolInfo.0, &info)?;
        Ok(DONE)
    }
}

/// Joins a group with a datagram socket, which is returned again; of the internet's protocols only those have groups.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsajoinleaf>
#[winapi]
pub fn WSAJoinLeaf(
    guest: &mut Guest,
    s: GuestWord,
    name: GuestWord,
    namelen: i32,
    lpCallerData: GuestWord,
    lpCalleeData: GuestWord,
    lpSQOS: GuestWord,
    lpGQOS: GuestWord,
    dwFlags: u32,
) -> Result<HandleOrInvalid, WsaError> {
    let _ = (lpCallerData, lpCalleeData, lpSQOS, lpGQOS, dwFlags);
    let socket = Socket::find(guest.process(), s.0)?;
    if socket.end().is_stream() {
        return Err(WSAEOPNOTSUPP.into());
    }
    let bytes = sockaddr::read(guest, name.0, namelen, socket.end().family)?;
    let group = Endpoint::of_bytes(&address::of_linux(bytes.bytes())).ok_or(WSAEFAULT)?;
    match group.ip {
        IpAddr::V4(ip) => {
            let request = [ip.octets(), [0; 4]].concat();
            socket.set_option(IPPROTO_IP, ADD_MEMBERSHIP, &request)?;
        }
        IpAddr::V6(ip) => {
            let request = [&ip.octets()[..], &group.scope.to_le_bytes()].concat();
            socket.set_option(IPPROTO_IPV6, ADD_MEMBERSHIP, &request)?;
        }
    }
    Ok(HandleOrInvalid(s.0))
}
