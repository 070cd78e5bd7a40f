//! ws2tcpip.h: names and addresses of any family.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::WsaError;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET, AF_INET6, Endpoint, parse_v4, parse_v6};
use crate::logic::winsock::error::*;
use crate::logic::winsock::names;
use crate::nt::resolver::{self, Kinds};
use crate::nt::socket::{SOCK_DGRAM, SOCK_RAW, SOCK_STREAM};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full getaddrinfo;
    full GetAddrInfoW;
    full freeaddrinfo;
    full FreeAddrInfoW;
    full getnameinfo;
    full GetNameInfoW;
    stub GetAddrInfoExA;
    stub GetAddrInfoExW;
    stub GetAddrInfoExCancel;
    stub GetAddrInfoExOverlappedResult;
    stub FreeAddrInfoEx;
    stub FreeAddrInfoExW;
};

const AI_PASSIVE: u32 = 1;
const AI_CANONNAME: u32 = 2;
const AI_NUMERICHOST: u32 = 4;
const AI_NUMERICSERV: u32 = 8;
const AI_FQDN: u32 = 0x2_0000;
const TCP: i32 = 6;
const UDP: i32 = 17;

/// An address in the list that `getaddrinfo` makes.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct ADDRINFO {
    ai_flags: u32,
    ai_family: u32,
    ai_socktype: i32,
    ai_protocol: i32,
    ai_addrlen: GuestWord,
    ai_canonname: GuestWord,
    ai_addr: GuestWord,
    ai_next: GuestWord,
}

/// What is asked for.
struct Question {
    node: Option<String>,
    service: Option<String>,
    flags: u32,
    family: u32,
    kind: i32,
    protocol: i32,
}

/// What is answered: the addresses without ports, ports with types and protocols, and the name behind the name.
struct Found {
    endpoints: Vec<Endpoint>,
    services: Vec<(u16, i32, i32)>,
    canonical: Option<String>,
}

impl Question {
    fn read(
        guest: &Guest,
        texts: (Option<String>, Option<String>),
        hints: GuestWord,
    ) -> Result<Self, WsaError> {
        let (node, service) = texts;
        let mut question = Self { node, service, flags: 0, family: 0, kind: 0, protocol: 0 };
        if !hints.is_null() {
            let hints: ADDRINFO = guest.read(hints.0)?;
            let has_more = hints.ai_addrlen.0 | hints.ai_canonname.0 | hints.ai_addr.0 | hints.ai_next.0 != 0;
            if has_more {
                return Err(WSANO_RECOVERY.into());
            }
            (question.flags, question.family) = (hints.ai_flags, hints.ai_family);
            (question.kind, question.protocol) = (hints.ai_socktype, hints.ai_protocol);
        }
        question.check()?;
        Ok(question)
    }

    /// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfo>
    fn check(&self) -> Result<(), WsaError> {
        if self.node.is_none() && self.service.is_none() {
            return Err(WSAHOST_NOT_FOUND.into());
        }
        if self.flags & AI_CANONNAME != 0 && (self.node.is_none() || self.flags & AI_FQDN != 0) {
            return Err(WSAEINVAL.into());
        }
        if ![0, u32::from(AF_INET), u32::from(AF_INET6)].contains(&self.family) {
            return Err(WSAEAFNOSUPPORT.into());
        }
        if !(0..=SOCK_RAW).contains(&self.kind) {
            return Err(WSAESOCKTNOSUPPORT.into());
        }
        Ok(())
    }

    fn answer(&self) -> Result<Found, WsaError> {
        let services = self.services()?;
        let (endpoints, canonical) = self.machines()?;
        Ok(Found { endpoints, services, canonical })
    }

    /// Returns ports with types and protocols.
    fn services(&self) -> Result<Vec<(u16, i32, i32)>, WsaError> {
        let protocol_of = |kind: i32| match (self.protocol, kind) {
            (0, SOCK_STREAM) => TCP,
            (0, SOCK_DGRAM) => UDP,
            (protocol, _) => protocol,
        };
        let kind = match (self.kind, self.protocol) {
            (0, TCP) => SOCK_STREAM,
            (0, UDP) => SOCK_DGRAM,
            (kind, _) => kind,
        };
        let name = self.service.as_deref().unwrap_or("");
        if let Ok(port) = if name.is_empty() { Ok(0) } else { name.parse::<u16>() } {
            let protocol = if self.kind == 0 { self.protocol } else { protocol_of(kind) };
            return Ok(vec![(port, kind, protocol)]);
        }
        if self.flags & AI_NUMERICSERV != 0 {
            return Err(WSAHOST_NOT_FOUND.into());
        }
        let find = |(wanted, text): (i32, &str)| {
            let service = names::service_by_name(name, Some(text))?;
            (kind == 0 || kind == wanted).then_some((service.0.port, wanted, protocol_of(wanted)))
        };
        let found: Vec<_> =
            [(SOCK_STREAM, "tcp"), (SOCK_DGRAM, "udp")].into_iter().filter_map(find).collect();
        if found.is_empty() { Err(WSATYPE_NOT_FOUND.into()) } else { Ok(found) }
    }

    /// Returns the addresses, and the name behind the name if there is a name.
    fn machines(&self) -> Result<(Vec<Endpoint>, Option<String>), WsaError> {
        let any = self.family == 0;
        let kinds = Kinds {
            v4: any || self.family == u32::from(AF_INET),
            v6: any || self.family == u32::from(AF_INET6),
        };
        let Some(node) = &self.node else {
            let is_passive = self.flags & AI_PASSIVE != 0;
            let v6 = if is_passive { std::net::Ipv6Addr::UNSPECIFIED } else { std::net::Ipv6Addr::LOCALHOST };
            let v4 = if is_passive { std::net::Ipv4Addr::UNSPECIFIED } else { std::net::Ipv4Addr::LOCALHOST };
            let six = kinds.v6.then(|| Endpoint::new(v6, 0));
            let four = kinds.v4.then(|| Endpoint::new(v4, 0));
            return Ok((six.into_iter().chain(four).collect(), None));
        };
        let literal = match (parse_v4(node), parse_v6(node)) {
            (Some(ip), _) => Some((kinds.v4, Endpoint::new(ip, 0))),
            (None, Some((ip, scope))) => Some((kinds.v6, Endpoint { scope, ..Endpoint::new(ip, 0) })),
            (None, None) => None,
        };
        match literal {
            Some((true, endpoint)) => return Ok((vec![endpoint], Some(node.clone()))),
            Some((false, _)) => return Err(WSAHOST_NOT_FOUND.into()),
            None if self.flags & AI_NUMERICHOST != 0 => return Err(WSAHOST_NOT_FOUND.into()),
            None => {}
        }
        let found = resolver::resolve(node, kinds)?;
        let canonical = if node.is_empty() { plat_host::sysinfo::host_name() } else { found.canonical };
        Ok((found.addresses.into_iter().map(|ip| Endpoint::new(ip, 0)).collect(), Some(canonical)))
    }
}

/// Lays the list out, one block of the heap for each address.
fn store(
    guest: &Guest,
    question: &Question,
    found: &Found,
    is_wide: bool,
    result: GuestWord,
) -> Result<(), WsaError> {
    let size = ADDRINFO::size(guest.machine());
    let mut entries = Vec::new();
    for endpoint in &found.endpoints {
        for &(port, kind, protocol) in &found.services {
            let name = if question.flags & AI_CANONNAME != 0 && entries.is_empty() {
                found.canonical.as_deref().map(|name| encoded(name, is_wide)).unwrap_or_default()
            } else {
                Vec::new()
            };
            let bytes = Endpoint { port, ..*endpoint }.to_bytes();
            let room = size + 32 + name.len() as u64;
            let at = guest.process().heaps.allocate(0, room, true).ok_or(WSA_NOT_ENOUGH_MEMORY)?;
            guest.write_bytes(at + size, &bytes)?;
            guest.write_bytes(at + size + 32, &name)?;
            let entry = ADDRINFO {
                ai_flags: if name.is_empty() { 0 } else { AI_CANONNAME },
                ai_family: u32::from(u16::from_le_bytes([bytes[0], bytes[1]])),
                ai_socktype: kind,
                ai_protocol: protocol,
                ai_addrlen: GuestWord(bytes.len() as u64),
                ai_canonname: GuestWord(if name.is_empty() { 0 } else { at + size + 32 }),
                ai_addr: GuestWord(at + size),
                ai_next: GuestWord::NULL,
            };
            entries.push((at, entry));
        }
    }
    let addresses: Vec<u64> = entries.iter().map(|entry| entry.0).collect();
    for (index, (at, mut entry)) in entries.into_iter().enumerate() {
        entry.ai_next = GuestWord(addresses.get(index + 1).copied().unwrap_or(0));
        guest.write(at, &entry)?;
    }
    guest.write_word(result.0, addresses.first().copied().unwrap_or(0))?;
    Ok(())
}

/// Returns a text with its zero, in the form of the caller's.
fn encoded(text: &str, is_wide: bool) -> Vec<u8> {
    if is_wide {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    } else {
        [text.as_bytes(), &[0]].concat()
    }
}

/// Reads a text in the caller's form; none for a null pointer.
fn text(guest: &Guest, at: GuestWord, is_wide: bool) -> Result<Option<String>, WsaError> {
    if at.is_null() {
        return Ok(None);
    }
    Ok(Some(if is_wide {
        String::from_utf16_lossy(&guest.read_wide_string(at.0)?)
    } else {
        String::from_utf8_lossy(&guest.read_c_string(at.0)?).into_owned()
    }))
}

/// What the four functions below return: 0, or the error, which is the last error, too.
fn code(guest: &mut Guest, outcome: Result<(), WsaError>) -> i32 {
    let error = outcome.err().map_or(0, |error| error.0.0);
    if error != 0 {
        guest.set_last_error(crate::Win32Error(error));
    }
    error as i32
}

fn look_up(
    guest: &Guest,
    (node, service): (GuestWord, GuestWord),
    hints: GuestWord,
    result: GuestWord,
    is_wide: bool,
) -> Result<(), WsaError> {
    guest.write_word(result.0, 0)?;
    guest.process().network.check()?;
    let texts = (text(guest, node, is_wide)?, text(guest, service, is_wide)?);
    let question = Question::read(guest, texts, hints)?;
    store(guest, &question, &question.answer()?, is_wide, result)
}

/// Finds the addresses of a machine's service.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfo>
#[winapi]
pub fn getaddrinfo(
    guest: &mut Guest,
    pNodeName: GuestWord,
    pServiceName: GuestWord,
    pHints: GuestWord,
    ppResult: GuestWord,
) -> i32 {
    let outcome = look_up(guest, (pNodeName, pServiceName), pHints, ppResult, false);
    code(guest, outcome)
}

/// Finds the addresses of a machine's service.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfow>
#[winapi]
pub fn GetAddrInfoW(
    guest: &mut Guest,
    pNodeName: GuestWord,
    pServiceName: GuestWord,
    pHints: GuestWord,
    ppResult: GuestWord,
) -> i32 {
    let outcome = look_up(guest, (pNodeName, pServiceName), pHints, ppResult, true);
    code(guest, outcome)
}

fn free(guest: &Guest, first: GuestWord) -> Result<(), plat_abi::Fault> {
    let mut next = first.0;
    while next != 0 {
        let entry: ADDRINFO = guest.read(next)?;
        guest.process().heaps.free(0, next);
        next = entry.ai_next.0;
    }
    Ok(())
}

/// Gives a list of addresses back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfo>
#[winapi]
pub fn freeaddrinfo(guest: &mut Guest, pAddrInfo: GuestWord) -> Result<(), plat_abi::Fault> {
    free(guest, pAddrInfo)
}

/// Gives a list of addresses back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfow>
#[winapi]
pub fn FreeAddrInfoW(guest: &mut Guest, pAddrInfo: GuestWord) -> Result<(), plat_abi::Fault> {
    free(guest, pAddrInfo)
}

const NI_NUMERICHOST: i32 = 2;
const NI_NAMEREQD: i32 = 4;
const NI_NUMERICSERV: i32 = 8;
const NI_DGRAM: i32 = 16;

/// Where a text goes, and the room there in characters.
type Room = (GuestWord, u32);

fn tell_names(
    guest: &Guest,
    (address, length): (GuestWord, i32),
    node: Room,
    service: Room,
    flags: i32,
    is_wide: bool,
) -> Result<(), WsaError> {
    guest.process().network.check()?;
    let bytes = guest.read_vec(address.0, u64::try_from(length.min(128)).map_err(|_| WSAEFAULT)?)?;
    let family = bytes.first_chunk().copied().map(u16::from_le_bytes).ok_or(WSAEFAULT)?;
    if ![AF_INET, AF_INET6].contains(&family) {
        return Err(WSAEAFNOSUPPORT.into());
    }
    let endpoint = Endpoint::of_bytes(&bytes).ok_or(WSAEFAULT)?;
    let is_wanted = |room: Room| !room.0.is_null() && room.1 != 0;
    if !is_wanted(node) && !is_wanted(service) {
        return Err(WSAHOST_NOT_FOUND.into());
    }
    let put = |room: Room, text: &str| {
        let bytes = encoded(text, is_wide);
        let units = bytes.len() / if is_wide { 2 } else { 1 };
        if units as u64 > u64::from(room.1) {
            return Err(WsaError(crate::Win32Error::INSUFFICIENT_BUFFER));
        }
        Ok(guest.write_bytes(room.0.0, &bytes)?)
    };
    if is_wanted(node) {
        let known = if flags & NI_NUMERICHOST == 0 { resolver::name_of(endpoint.ip) } else { None };
        let name = match known {
            Some(name) => name,
            None if flags & NI_NAMEREQD != 0 => return Err(WSAHOST_NOT_FOUND.into()),
            None => endpoint.host_text(),
        };
        put(node, &name)?;
    }
    if is_wanted(service) {
        let protocol = if flags & NI_DGRAM != 0 { "udp" } else { "tcp" };
        let known =
            names::service_by_port(endpoint.port, Some(protocol)).filter(|_| flags & NI_NUMERICSERV == 0);
        put(service, &known.map_or_else(|| endpoint.port.to_string(), |known| known.0.name.to_owned()))?;
    }
    Ok(())
}

/// Tells the names of an address and its port.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfo>
#[winapi]
pub fn getnameinfo(
    guest: &mut Guest,
    pSockaddr: GuestWord,
    SockaddrLength: i32,
    pNodeBuffer: GuestWord,
    NodeBufferSize: u32,
    pServiceBuffer: GuestWord,
    ServiceBufferSize: u32,
    Flags: i32,
) -> i32 {
    let (node, service) = ((pNodeBuffer, NodeBufferSize), (pServiceBuffer, ServiceBufferSize));
    let outcome = tell_names(guest, (pSockaddr, SockaddrLength), node, service, Flags, false);
    code(guest, outcome)
}

/// Tells the names of an address and its port.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfow>
#[winapi]
pub fn GetNameInfoW(
    guest: &mut Guest,
    pSockaddr: GuestWord,
    SockaddrLength: i32,
    pNodeBuffer: GuestWord,
    NodeBufferSize: u32,
    pServiceBuffer: GuestWord,
    ServiceBufferSize: u32,
    Flags: i32,
) -> i32 {
    let (node, service) = ((pNodeBuffer, NodeBufferSize), (pServiceBuffer, ServiceBufferSize));
    let outcome = tell_names(guest, (pSockaddr, SockaddrLength), node, service, Flags, true);
    code(guest, outcome)
}
