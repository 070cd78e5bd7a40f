//! winsock2.h: names of machines, services and protocols, in structures that belong to Winsock and last until the
//! thread's next call.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use plat_abi::{GuestWord, Memory, winapi};

use super::{Answer, DONE, WsaError};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::winsock::address::{AF_INET, AF_INET6, parse_v4};
use crate::logic::winsock::error::*;
use crate::logic::winsock::names::{self, Protocol, Service};
use crate::nt::resolver::{self, Kinds};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @51 full gethostbyaddr;
    @52 full gethostbyname;
    @53 full getprotobyname;
    @54 full getprotobynumber;
    @55 full getservbyname;
    @56 full getservbyport;
    @57 full gethostname;
    full GetHostNameW;
    @102 stub WSAAsyncGetHostByAddr;
    @103 stub WSAAsyncGetHostByName;
    @104 stub WSAAsyncGetProtoByNumber;
    @105 stub WSAAsyncGetProtoByName;
    @106 stub WSAAsyncGetServByPort;
    @107 stub WSAAsyncGetServByName;
};

/// The size of a thread's block.
const BLOCK_SIZE: u64 = 4096;
/// The room behind it for the text of an address.
const TEXT_SIZE: u64 = 64;
/// The most addresses that fit beside the longest names.
const ADDRESSES_MAX: usize = 64;

/// A structure that is being laid out in the thread's block: fields first, then what they point to.
struct Block<'a> {
    guest: &'a Guest,
    at: u64,
    next: u64,
}

impl<'a> Block<'a> {
    /// Takes the thread's block, which `size` bytes of structure begin.
    fn begin(guest: &'a Guest, size: u64) -> Result<Self, WsaError> {
        let process = guest.process();
        let thread = crate::nt::thread::with_current(|thread| thread.id());
        let mut blocks = process.network.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = match blocks.get(&thread) {
            Some(&at) => at,
            None => {
                let at = process.heaps.allocate(0, BLOCK_SIZE + TEXT_SIZE, true).ok_or(WSAENOBUFS)?;
                blocks.insert(thread, at);
                at
            }
        };
        Ok(Self { guest, at, next: at + size })
    }

    /// Stores bytes; returns where.
    fn put(&mut self, bytes: &[u8]) -> Result<u64, WsaError> {
        let at = self.next.next_multiple_of(8);
        if at + bytes.len() as u64 > self.at + BLOCK_SIZE {
            return Err(WSAENOBUFS.into());
        }
        self.guest.write_bytes(at, bytes)?;
        self.next = at + bytes.len() as u64;
        Ok(at)
    }

    fn text(&mut self, text: &str) -> Result<u64, WsaError> {
        self.put(&[text.as_bytes(), &[0]].concat())
    }

    /// Stores an array of pointers that ends with a null pointer.
    fn list(&mut self, pointers: &[u64]) -> Result<u64, WsaError> {
        let word = self.guest.machine().pointer_size() as usize;
        let bytes: Vec<u8> =
            pointers.iter().chain(&[0]).flat_map(|pointer| pointer.to_le_bytes()[..word].to_vec()).collect();
        self.put(&bytes)
    }

    /// Stores the structure itself: words and numbers of 16 bits, where each belongs.
    fn finish(self, fields: &[Field]) -> Result<GuestWord, WsaError> {
        let word = self.guest.machine().pointer_size();
        let mut at = self.at;
        for field in fields {
            match field {
                Field::Pointer(value) => {
                    at = at.next_multiple_of(word);
                    self.guest.write_word(at, *value)?;
                    at += word;
                }
                Field::Short(value) => {
                    self.guest.write(at, value)?;
                    at += 2;
                }
            }
        }
        Ok(GuestWord(self.at))
    }
}

enum Field {
    Pointer(u64),
    Short(u16),
}

/// The room for the fields of any of the structures.
const FIELDS_SIZE: u64 = 40;

/// Lays out a HOSTENT.
fn host(guest: &Guest, name: &str, addresses: &[IpAddr]) -> Result<GuestWord, WsaError> {
    let is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let mut block = Block::begin(guest, FIELDS_SIZE)?;
    let mut pointers = Vec::new();
    for address in addresses.iter().filter(|ip| ip.is_ipv6() == is_v6).take(ADDRESSES_MAX) {
        pointers.push(match address {
            IpAddr::V4(ip) => block.put(&ip.octets())?,
            IpAddr::V6(ip) => block.put(&ip.octets())?,
        });
    }
    let (name, aliases, list) = (block.text(name)?, block.list(&[])?, block.list(&pointers)?);
    let (family, length) = if is_v6 { (AF_INET6, 16) } else { (AF_INET, 4) };
    let fields = [
        Field::Pointer(name),
        Field::Pointer(aliases),
        Field::Short(family),
        Field::Short(length),
        Field::Pointer(list),
    ];
    block.finish(&fields)
}

/// Stores a short text at the end of the thread's block, where no structure lies.
pub(super) fn thread_text(guest: &Guest, text: &str) -> Result<GuestWord, WsaError> {
    let at = Block::begin(guest, 0)?.at + BLOCK_SIZE;
    guest.write_bytes(at, &[text.as_bytes(), &[0]].concat())?;
    Ok(GuestWord(at))
}

fn text_at(guest: &Guest, at: GuestWord) -> Result<String, WsaError> {
    Ok(String::from_utf8_lossy(&guest.read_c_string(at.0)?).into_owned())
}

/// Finds the IPv4 addresses of a machine.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-gethostbyname>
#[winapi]
pub fn gethostbyname(guest: &mut Guest, name: GuestWord) -> Result<GuestWord, WsaError> {
    guest.process().network.check()?;
    let text = if name.is_null() { String::new() } else { text_at(guest, name)? };
    if let Some(ip) = parse_v4(&text) {
        return host(guest, &text, &[ip.into()]);
    }
    let found = resolver::resolve(&text, Kinds { v4: true, v6: false })?;
    let shown = if text.is_empty() { plat_host::sysinfo::host_name() } else { found.canonical };
    host(guest, &shown, &found.addresses)
}

/// Finds the name of an address.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-gethostbyaddr>
#[winapi]
pub fn gethostbyaddr(
    guest: &mut Guest,
    addr: GuestWord,
    len: i32,
    r#type: i32,
) -> Result<GuestWord, WsaError> {
    guest.process().network.check()?;
    let (v4, v6) = (i32::from(AF_INET), i32::from(AF_INET6));
    let bytes = guest.read_vec(addr.0, u64::try_from(len.min(16)).map_err(|_| WSAEFAULT)?)?;
    let ip: IpAddr = match r#type {
        family if family == v4 => Ipv4Addr::from(*bytes.first_chunk::<4>().ok_or(WSAEFAULT)?).into(),
        family if family == v6 => Ipv6Addr::from(*bytes.first_chunk::<16>().ok_or(WSAEFAULT)?).into(),
        _ => return Err(WSAEAFNOSUPPORT.into()),
    };
    let name = resolver::name_of(ip).ok_or(WSAHOST_NOT_FOUND)?;
    host(guest, &name, &[ip])
}

/// Lays out a SERVENT; its last two fields change places between the machines.
fn service(guest: &Guest, (service, protocol): (Service, &str)) -> Result<GuestWord, WsaError> {
    let mut block = Block::begin(guest, FIELDS_SIZE)?;
    let name = block.text(service.name)?;
    let alias = if service.alias.is_empty() { Vec::new() } else { vec![block.text(service.alias)?] };
    let (aliases, protocol) = (block.list(&alias)?, Field::Pointer(block.text(protocol)?));
    let port = Field::Short(service.port.swap_bytes());
    let last = if guest.machine().is_64() { [protocol, port] } else { [port, protocol] };
    let mut fields = vec![Field::Pointer(name), Field::Pointer(aliases)];
    fields.extend(last);
    block.finish(&fields)
}

fn optional_text(guest: &Guest, at: GuestWord) -> Result<Option<String>, WsaError> {
    if at.is_null() { Ok(None) } else { text_at(guest, at).map(Some) }
}

/// Finds a service by its name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getservbyname>
#[winapi]
pub fn getservbyname(guest: &mut Guest, name: GuestWord, proto: GuestWord) -> Result<GuestWord, WsaError> {
    guest.process().network.check()?;
    let (name, protocol) = (text_at(guest, name)?, optional_text(guest, proto)?);
    service(guest, names::service_by_name(&name, protocol.as_deref()).ok_or(WSANO_DATA)?)
}

/// Finds a service by its port, which is in the network's order of bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getservbyport>
#[winapi]
pub fn getservbyport(guest: &mut Guest, port: i32, proto: GuestWord) -> Result<GuestWord, WsaError> {
    guest.process().network.check()?;
    let protocol = optional_text(guest, proto)?;
    let port = (port as u16).swap_bytes();
    service(guest, names::service_by_port(port, protocol.as_deref()).ok_or(WSANO_DATA)?)
}

/// Lays out a PROTOENT.
fn protocol(guest: &Guest, protocol: Protocol) -> Result<GuestWord, WsaError> {
    let mut block = Block::begin(guest, FIELDS_SIZE)?;
    let (name, alias) = (block.text(protocol.name)?, block.text(protocol.alias)?);
    let aliases = block.list(&[alias])?;
    block.finish(&[Field::Pointer(name), Field::Pointer(aliases), Field::Short(protocol.number as u16)])
}

/// Finds a protocol by its name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getprotobyname>
#[winapi]
pub fn getprotobyname(guest: &mut Guest, name: GuestWord) -> Result<GuestWord, WsaError> {
    guest.process().network.check()?;
    let name = text_at(guest, name)?;
    protocol(guest, names::protocol_by_name(&name).ok_or(WSANO_DATA)?)
}

/// Finds a protocol by its number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getprotobynumber>
#[winapi]
pub fn getprotobynumber(guest: &mut Guest, number: i32) -> Result<GuestWord, WsaError> {
    guest.process().network.check()?;
    protocol(guest, names::protocol_by_number(number).ok_or(WSANO_DATA)?)
}

/// Checks the room for a name of so many units and its zero.
fn check_name_room(length: usize, room: i32) -> Result<(), WsaError> {
    if usize::try_from(room).is_ok_and(|room| length < room) { Ok(()) } else { Err(WSAEFAULT.into()) }
}

/// Tells this machine's name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-gethostname>
#[winapi]
pub fn gethostname(guest: &mut Guest, name: GuestWord, namelen: i32) -> Answer {
    guest.process().network.check()?;
    let text = plat_host::sysinfo::host_name();
    check_name_room(text.len(), namelen)?;
    guest.write_bytes(name.0, &[text.as_bytes(), &[0]].concat())?;
    Ok(DONE)
}

/// Tells this machine's name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-gethostnamew>
#[winapi]
pub fn GetHostNameW(guest: &mut Guest, name: GuestWord, namelen: i32) -> Answer {
    guest.process().network.check()?;
    let text: Vec<u16> = plat_host::sysinfo::host_name().encode_utf16().chain([0]).collect();
    check_name_room(text.len() - 1, namelen)?;
    guest.write_wide(name.0, &text)?;
    Ok(DONE)
}
