//! ws2tcpip.h: names and addresses of any family.

use std::net::IpAddr;

use plat_abi::{GuestWord, Memory, winapi};

use super::WsaError;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET, AF_INET6, Endpoint, parse_v4, parse_v6};
use crate::logic::winsock::error::*;
use crate::logic::winsock::names;
use crate::nt::resolver::{self, Kinds};
use crate::nt::socket::{SOCK_DGRAM, SOCK_RAW, SOCK_STREAM};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full getaddrinfo;
    full GetAddrInfoW;
    full freeaddrinfo;
    full FreeAddrInfoW;
    full getnameinfo;
    full GetNameInfoW;
    partial GetAddrInfoExA, "answers before it returns";
    partial GetAddrInfoExW, "answers before it returns";
    full GetAddrInfoExCancel;
    full GetAddrInfoExOverlappedResult;
    forward FreeAddrInfoEx => "ws2_32.FreeAddrInfoExW";
    full FreeAddrInfoExW;
};

const AI_PASSIVE: u32 = 1;
const AI_CANONNAME: u32 = 2;
const AI_NUMERICHOST: u32 = 4;
const AI_NUMERICSERV: u32 = 8;
const AI_ALL: u32 = 0x100;
const AI_ADDRCONFIG: u32 = 0x400;
const AI_V4MAPPED: u32 = 0x800;
const AI_FQDN: u32 = 0x2_0000;
/// `NS_ALL`, `NS_DNS`, `NS_NETBT`: the kinds of names that there are.
const NAMESPACES: [u32; 3] = [0, 12, 13];
const TCP: i32 = 6;
const UDP: i32 = 17;

/// The two forms of an entry of the list: ADDRINFO, and ADDRINFOEX with a blob, its size and a provider before the
/// pointer to the next entry.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-addrinfoexw>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Plain,
    Extended,
}

impl Entry {
    /// Returns where the pointer to the next entry lies.
    fn next_at(self, guest: &Guest) -> u64 {
        // Four numbers; size, name and address, and what the longer form has.
        let words = if self == Self::Plain { 3 } else { 6 };
        16 + words * guest.machine().pointer_size()
    }

    fn size(self, guest: &Guest) -> u64 {
        self.next_at(guest) + guest.machine().pointer_size()
    }
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
        entry: Entry,
    ) -> Result<Self, WsaError> {
        let (node, service) = texts;
        let mut question = Self { node, service, flags: 0, family: 0, kind: 0, protocol: 0 };
        if !hints.is_null() {
            let (at, word) = (hints.0, guest.machine().pointer_size());
            for place in [16, 16 + word, 16 + 2 * word, entry.next_at(guest)] {
                if guest.read_word(at + place)? != 0 {
                    return Err(WSANO_RECOVERY.into());
                }
            }
            (question.flags, question.family) = (guest.read_u32(at)?, guest.read_u32(at + 4)?);
            question.kind = guest.read_u32(at + 8)? as i32;
            question.protocol = guest.read_u32(at + 12)? as i32;
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
        let kinds = self.kinds();
        let Some(node) = &self.node else {
            let is_passive = self.flags & AI_PASSIVE != 0;
            let v6 = if is_passive { std::net::Ipv6Addr::UNSPECIFIED } else { std::net::Ipv6Addr::LOCALHOST };
            let v4 = if is_passive { std::net::Ipv4Addr::UNSPECIFIED } else { std::net::Ipv4Addr::LOCALHOST };
            let six = kinds.v6.then(|| Endpoint::new(v6, 0));
            let four = kinds.v4.then(|| Endpoint::new(v4, 0));
            return Ok((six.into_iter().chain(four).collect(), None));
        };
        // Addresses of the old kind as those of the new one: where there are no others, or with all of them.
        let is_mapped = self.family == u32::from(AF_INET6) && self.flags & AI_V4MAPPED != 0;
        let literal = match (parse_v4(node), parse_v6(node)) {
            (Some(ip), _) if is_mapped => Some((true, Endpoint::new(ip.to_ipv6_mapped(), 0))),
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
        let found = resolver::resolve(node, Kinds { v4: kinds.v4 || is_mapped, ..kinds })?;
        let has_v6 = found.addresses.iter().any(IpAddr::is_ipv6);
        let addresses = found.addresses.into_iter().filter_map(|ip| match ip {
            IpAddr::V4(_) if is_mapped && has_v6 && self.flags & AI_ALL == 0 => None,
            IpAddr::V4(ip) if is_mapped => Some(Endpoint::new(ip.to_ipv6_mapped(), 0)),
            ip => Some(Endpoint::new(ip, 0)),
        });
        let canonical = if node.is_empty() { plat_host::sysinfo::host_name() } else { found.canonical };
        Ok((addresses.collect(), Some(canonical)))
    }

    /// Returns the kinds of addresses that are asked for; with `AI_ADDRCONFIG` only those that the machine itself has.
    fn kinds(&self) -> Kinds {
        let any = self.family == 0;
        let kinds = Kinds {
            v4: any || self.family == u32::from(AF_INET),
            v6: any || self.family == u32::from(AF_INET6),
        };
        if self.flags & AI_ADDRCONFIG == 0 {
            return kinds;
        }
        let own = plat_host::socket::own_addresses().unwrap_or_default();
        // A machine without a network asks for what it was told to.
        if own.is_empty() {
            return kinds;
        }
        Kinds {
            v4: kinds.v4 && own.iter().any(IpAddr::is_ipv4),
            v6: kinds.v6 && own.iter().any(IpAddr::is_ipv6),
        }
    }
}

/// Lays the list out, one block of the heap for each address.
fn store(
    guest: &Guest,
    question: &Question,
    found: &Found,
    (entry, is_wide): (Entry, bool),
    result: GuestWord,
) -> Result<(), WsaError> {
    const ADDRESS_ROOM: u64 = 32;
    let (size, word) = (entry.size(guest), guest.machine().pointer_size());
    let mut place = result.0;
    let mut name = match &found.canonical {
        Some(name) if question.flags & (AI_CANONNAME | AI_FQDN) != 0 => encoded(name, is_wide),
        _ => Vec::new(),
    };
    for endpoint in &found.endpoints {
        for &(port, kind, protocol) in &found.services {
            let bytes = Endpoint { port, ..*endpoint }.to_bytes();
            let room = size + ADDRESS_ROOM + name.len() as u64;
            let at = guest.process().heaps.allocate(0, room, true).ok_or(WSA_NOT_ENOUGH_MEMORY)?;
            let name_at = if name.is_empty() { 0 } else { at + size + ADDRESS_ROOM };
            guest.write_bytes(at + size, &bytes)?;
            guest.write_bytes(at + size + ADDRESS_ROOM, &name)?;
            let family = u32::from(u16::from_le_bytes([bytes[0], bytes[1]]));
            let flags = if name.is_empty() { 0 } else { AI_CANONNAME };
            guest.write(at, &[flags, family, kind as u32, protocol as u32])?;
            for (index, value) in [bytes.len() as u64, name_at, at + size].into_iter().enumerate() {
                guest.write_word(at + 16 + index as u64 * word, value)?;
            }
            guest.write_word(place, at)?;
            place = at + entry.next_at(guest);
            // Only the first entry has it.
            name.clear();
        }
    }
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
    (entry, is_wide): (Entry, bool),
) -> Result<(), WsaError> {
    guest.write_word(result.0, 0)?;
    guest.process().network.check()?;
    let texts = (text(guest, node, is_wide)?, text(guest, service, is_wide)?);
    let question = Question::read(guest, texts, hints, entry)?;
    store(guest, &question, &question.answer()?, (entry, is_wide), result)
}

alike! {
    fn(guest, is_wide;
        pNodeName: GuestWord, pServiceName: GuestWord, pHints: GuestWord, ppResult: GuestWord
    ) -> i32 {
        let outcome = look_up(guest, (pNodeName, pServiceName), pHints, ppResult, (Entry::Plain, is_wide));
        code(guest, outcome)
    }

    /// Finds the addresses of a machine's service.
    "ws2tcpip/nf-ws2tcpip-getaddrinfo" getaddrinfo = false;

    /// Finds the addresses of a machine's service.
    "ws2tcpip/nf-ws2tcpip-getaddrinfow" GetAddrInfoW = true;
}

both_widths! {
    /// Finds the addresses of a machine's service; who wants to be told later is told at once, as Windows may.
    "ws2tcpip/nf-ws2tcpip-getaddrinfoex"
    GetAddrInfoExA, GetAddrInfoExW(guest, width, pName: GuestWord, pServiceName: GuestWord, dwNameSpace: u32,
        lpNspId: GuestWord, hints: GuestWord, ppResult: GuestWord, timeout: GuestWord, lpOverlapped: GuestWord,
        lpCompletionRoutine: GuestWord, lpHandle: GuestWord) -> i32 {
        let _ = (lpNspId, timeout);
        let is_wide = width == Width::Wide;
        // Routines and handles are for those who do not wait, which the narrow form cannot.
        let is_late = !lpOverlapped.is_null();
        let has_routine = !lpCompletionRoutine.is_null();
        let outcome = if (has_routine && !is_late) || (is_late && !is_wide) {
            Err(WSAEINVAL.into())
        } else if !NAMESPACES.contains(&dwNameSpace) {
            Err(WSASERVICE_NOT_FOUND.into())
        } else {
            look_up(guest, (pName, pServiceName), hints, ppResult, (Entry::Extended, is_wide))
        };
        if is_late {
            let error = outcome.as_ref().err().map_or(0, |error| error.0.0);
            let told = guest.write_word(lpOverlapped.0, u64::from(error));
            // There is nothing left to cancel.
            let told = told.and_then(|()| match lpHandle.0 {
                0 => Ok(()),
                place => guest.write_word(place, 0),
            });
            if told.is_err() {
                return code(guest, Err(WSAEFAULT.into()));
            }
        }
        code(guest, outcome)
    }
}

/// Tells what became of a look-up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexoverlappedresult>
#[winapi]
pub fn GetAddrInfoExOverlappedResult(guest: &mut Guest, lpOverlapped: GuestWord) -> i32 {
    match guest.read_u32(lpOverlapped.0) {
        Ok(error) => error as i32,
        Err(_) => WSAEINVAL.0 as i32,
    }
}

/// Cancels a look-up that is under way: none is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexcancel>
#[winapi]
pub fn GetAddrInfoExCancel(guest: &mut Guest, lpHandle: GuestWord) -> i32 {
    let _ = (guest, lpHandle);
    WSA_INVALID_HANDLE.0 as i32
}

fn free(guest: &Guest, first: GuestWord, entry: Entry) -> Result<(), plat_abi::Fault> {
    let mut next = first.0;
    while next != 0 {
        let this = next;
        next = guest.read_word(this + entry.next_at(guest))?;
        guest.process().heaps.free(0, this);
    }
    Ok(())
}

/// Gives a list of addresses of the longer form back; the names' widths do not matter.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfoexw>
#[winapi]
pub fn FreeAddrInfoExW(guest: &mut Guest, pAddrInfoEx: GuestWord) -> Result<(), plat_abi::Fault> {
    free(guest, pAddrInfoEx, Entry::Extended)
}

/// Gives a list of addresses back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfo>
#[winapi]
pub fn freeaddrinfo(guest: &mut Guest, pAddrInfo: GuestWord) -> Result<(), plat_abi::Fault> {
    free(guest, pAddrInfo, Entry::Plain)
}

/// Gives a list of addresses back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfow>
#[winapi]
pub fn FreeAddrInfoW(guest: &mut Guest, pAddrInfo: GuestWord) -> Result<(), plat_abi::Fault> {
    free(guest, pAddrInfo, Entry::Plain)
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

alike! {
    fn(guest, is_wide;
        pSockaddr: GuestWord, SockaddrLength: i32, pNodeBuffer: GuestWord, NodeBufferSize: u32,
        pServiceBuffer: GuestWord, ServiceBufferSize: u32, Flags: i32
    ) -> i32 {
        let (node, service) = ((pNodeBuffer, NodeBufferSize), (pServiceBuffer, ServiceBufferSize));
        let outcome = tell_names(guest, (pSockaddr, SockaddrLength), node, service, Flags, is_wide);
        code(guest, outcome)
    }

    /// Tells the names of an address and its port.
    "ws2tcpip/nf-ws2tcpip-getnameinfo" getnameinfo = false;

    /// Tells the names of an address and its port.
    "ws2tcpip/nf-ws2tcpip-getnameinfow" GetNameInfoW = true;
}
