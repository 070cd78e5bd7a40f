//! icmpapi.h: echoes of other machines, by sockets that Linux lets users have where `ping_group_range` says so; else the
//! answer is `ERROR_ACCESS_DENIED`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::clock;
use plat_host::file::File;
use plat_host::file_path::Errno;
use plat_host::socket::{self, Address, Readiness};

use crate::Win32Error;
use crate::crypto_objects::Objects;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::winsock::address::{self, Endpoint};
use crate::nt::event::Event;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full IcmpCreateFile;
    full Icmp6CreateFile;
    full IcmpCloseHandle;
    partial IcmpSendEcho, "one reply, whose time to live is not known: 0; options are not sent";
    partial IcmpSendEcho2, "as IcmpSendEcho, an event is set before the function returns; no asynchronous procedures: ERROR_NOT_SUPPORTED";
    partial IcmpSendEcho2Ex, "as IcmpSendEcho2";
    partial Icmp6SendEcho2, "as IcmpSendEcho2";
    full IcmpParseReplies;
    full Icmp6ParseReplies;
};

/// `IP_REQ_TIMED_OUT`, `IP_DEST_NET_UNREACHABLE`, `IP_DEST_HOST_UNREACHABLE`, `IP_GENERAL_FAILURE`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ipexport/ns-ipexport-icmp_echo_reply>
const TIMED_OUT: Win32Error = Win32Error(11010);
const NET_UNREACHABLE: Win32Error = Win32Error(11002);
const HOST_UNREACHABLE: Win32Error = Win32Error(11003);
const FAILURE: Win32Error = Win32Error(11050);

/// What a handle leads to.
struct Echoes;

/// The handles, made at the first use.
static HANDLES: OnceLock<Objects> = OnceLock::new();
/// The number of the next request.
static NEXT: AtomicU16 = AtomicU16::new(1);

fn handles() -> &'static Objects {
    HANDLES.get_or_init(Objects::default)
}

fn of_errno(errno: Errno) -> Win32Error {
    const PERMISSIONS: [i32; 2] = [1, 13];
    match errno.0 {
        number if PERMISSIONS.contains(&number) => Win32Error::ACCESS_DENIED,
        101 => NET_UNREACHABLE,
        113 => HOST_UNREACHABLE,
        _ => FAILURE,
    }
}

/// Waits until something can be read, up to a deadline on the monotonic clock in nanoseconds.
fn wait(file: &File, deadline: u64) -> Result<(), Win32Error> {
    const INTERRUPTED: i32 = 4;
    let wanted = Readiness { read: true, ..Readiness::default() };
    loop {
        let left = deadline.checked_sub(clock::monotonic_nanoseconds()).ok_or(TIMED_OUT)?;
        match socket::poll(&[(file.as_fd(), wanted)], Some(left)) {
            Ok(answers) if answers[0].any() => return Ok(()),
            Ok(_) | Err(Errno(INTERRUPTED)) => {}
            Err(errno) => return Err(of_errno(errno)),
        }
    }
}

/// Returns an address without a port as Linux has it.
fn linux_address(ip: IpAddr) -> Result<Address, Win32Error> {
    let bytes = address::to_linux(&Endpoint::new(ip, 0).to_bytes()).ok_or(FAILURE)?;
    Address::new(&bytes).ok_or(FAILURE)
}

/// Asks a machine for an echo; returns what came back and the milliseconds that it took.
fn echo(from: IpAddr, to: IpAddr, data: &[u8], timeout: u32) -> Result<(Vec<u8>, u32), Win32Error> {
    const DATAGRAM: i32 = 2;
    /// Families and protocols of Linux, requests and replies of both protocols.
    const V4: (i32, i32, u8, u8) = (2, 1, 8, 0);
    const V6: (i32, i32, u8, u8) = (10, 58, 128, 129);
    const HEADER: usize = 8;
    let (family, protocol, request, reply) = if to.is_ipv4() { V4 } else { V6 };
    let file = socket::open(family, DATAGRAM, protocol).map_err(of_errno)?;
    if !from.is_unspecified() {
        socket::bind(&file, &linux_address(from)?).map_err(of_errno)?;
    }
    socket::connect(&file, &linux_address(to)?).map_err(of_errno)?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    // Linux writes the checksum and the identifier.
    let message = [&[request, 0, 0, 0, 0, 0, number[0], number[1]], data].concat();
    let begin = clock::monotonic_nanoseconds();
    let deadline = begin + u64::from(timeout) * 1_000_000;
    socket::send_bytes(&file, &message).map_err(of_errno)?;
    let mut answer = vec![0; HEADER + usize::from(u16::MAX)];
    loop {
        wait(&file, deadline)?;
        let size = socket::receive_bytes(&file, &mut answer).map_err(of_errno)?;
        if size >= HEADER && answer[0] == reply && answer[6..HEADER] == number {
            let passed = (clock::monotonic_nanoseconds() - begin) / 1_000_000;
            return Ok((answer[HEADER..size].to_vec(), passed as u32));
        }
    }
}

/// Makes a handle for echoes.
fn create() -> GuestWord {
    GuestWord(handles().add(Echoes))
}

/// Makes a handle for echoes of IPv4.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpcreatefile>
#[winapi]
pub fn IcmpCreateFile(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    create()
}

/// Makes a handle for echoes of IPv6.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmp6createfile>
#[winapi]
pub fn Icmp6CreateFile(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    create()
}

/// Gives a handle up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpclosehandle>
#[winapi]
pub fn IcmpCloseHandle(guest: &mut Guest, IcmpHandle: GuestWord) -> Result<Bool, Win32Error> {
    let _ = guest;
    handles().remove::<Echoes>(IcmpHandle.get()).map(|_| TRUE).ok_or(Win32Error::INVALID_PARAMETER)
}

/// A request as a program gives it.
struct Asked {
    handle: GuestWord,
    from: IpAddr,
    to: IpAddr,
    data: GuestWord,
    size: u16,
    reply: GuestWord,
    reply_size: u32,
    timeout: u32,
}

/// Carries a request out: writes the reply; the number of replies is 1.
fn ask(guest: &Guest, asked: &Asked) -> Result<u32, Win32Error> {
    if handles().get::<Echoes>(asked.handle.get()).is_none() {
        return Err(Win32Error::INVALID_HANDLE);
    }
    let is_wide = guest.machine().is_64();
    // ICMP_ECHO_REPLY, ICMPV6_ECHO_REPLY; behind each, room for an error of the protocol.
    let head: usize = match (asked.to.is_ipv4(), is_wide) {
        (true, true) => 0x28,
        (true, false) => 0x1c,
        (false, _) => 0x24,
    };
    if asked.reply.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if (asked.reply_size as usize) < head + usize::from(asked.size) {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let data = guest.read_vec(asked.data.get(), asked.size.into())?;
    let (echoed, passed) = echo(asked.from, asked.to, &data, asked.timeout)?;
    let echoed = &echoed[..echoed.len().min(data.len())];
    let data_at = asked.reply.get() + head as u64;
    let mut bytes = Vec::new();
    match asked.to {
        IpAddr::V4(ip) => {
            bytes.extend(ip.octets());
            bytes.extend([0; 4]);
            bytes.extend(passed.to_le_bytes());
            bytes.extend((echoed.len() as u32).to_le_bytes());
            let width = guest.machine().pointer_size() as usize;
            bytes.extend(&data_at.to_le_bytes()[..width]);
        }
        IpAddr::V6(ip) => {
            const STATUS_AT: usize = 28;
            bytes.extend([0; 6]);
            bytes.extend(ip.segments().iter().flat_map(|segment| segment.to_be_bytes()));
            bytes.resize(STATUS_AT + 4, 0);
            bytes.extend(passed.to_le_bytes());
        }
    }
    bytes.resize(head, 0);
    bytes.extend_from_slice(echoed);
    guest.write_bytes(asked.reply.get(), &bytes)?;
    Ok(1)
}

/// Carries a request out, and tells an event where there is one.
fn ask_and_tell(
    guest: &Guest,
    event: GuestWord,
    procedure: GuestWord,
    asked: &Asked,
) -> Result<u32, Win32Error> {
    if !procedure.is_null() {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    if event.is_null() {
        return ask(guest, asked);
    }
    let event = guest.process().handles.get::<Event>(event.get()).map_err(|_| Win32Error::INVALID_HANDLE)?;
    if let Err(error) = ask(guest, asked) {
        // The status, behind the address.
        let at = if asked.to.is_ipv4() { 4 } else { 28 };
        guest.write(asked.reply.get() + at, &error.0)?;
    }
    event.set();
    Err(Win32Error::IO_PENDING)
}

/// Returns an address of IPv4, given as its bytes stand in memory.
fn v4(address: u32) -> IpAddr {
    Ipv4Addr::from(address.to_le_bytes()).into()
}

/// Asks a machine for an echo, and waits for it; returns the number of replies.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpsendecho>
#[winapi]
pub fn IcmpSendEcho(
    guest: &mut Guest,
    IcmpHandle: GuestWord,
    DestinationAddress: u32,
    RequestData: GuestWord,
    RequestSize: u16,
    RequestOptions: GuestWord,
    ReplyBuffer: GuestWord,
    ReplySize: u32,
    Timeout: u32,
) -> Result<u32, Win32Error> {
    let _ = RequestOptions;
    let asked = Asked {
        handle: IcmpHandle,
        from: v4(0),
        to: v4(DestinationAddress),
        data: RequestData,
        size: RequestSize,
        reply: ReplyBuffer,
        reply_size: ReplySize,
        timeout: Timeout,
    };
    ask(guest, &asked)
}

/// Asks a machine for an echo.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpsendecho2>
#[winapi]
pub fn IcmpSendEcho2(
    guest: &mut Guest,
    IcmpHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    DestinationAddress: u32,
    RequestData: GuestWord,
    RequestSize: u16,
    RequestOptions: GuestWord,
    ReplyBuffer: GuestWord,
    ReplySize: u32,
    Timeout: u32,
) -> Result<u32, Win32Error> {
    IcmpSendEcho2Ex(
        guest,
        IcmpHandle,
        Event,
        ApcRoutine,
        ApcContext,
        0,
        DestinationAddress,
        RequestData,
        RequestSize,
        RequestOptions,
        ReplyBuffer,
        ReplySize,
        Timeout,
    )
}

/// Asks a machine for an echo, from one of the own addresses.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpsendecho2ex>
#[winapi]
pub fn IcmpSendEcho2Ex(
    guest: &mut Guest,
    IcmpHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    SourceAddress: u32,
    DestinationAddress: u32,
    RequestData: GuestWord,
    RequestSize: u16,
    RequestOptions: GuestWord,
    ReplyBuffer: GuestWord,
    ReplySize: u32,
    Timeout: u32,
) -> Result<u32, Win32Error> {
    let _ = (ApcContext, RequestOptions);
    let asked = Asked {
        handle: IcmpHandle,
        from: v4(SourceAddress),
        to: v4(DestinationAddress),
        data: RequestData,
        size: RequestSize,
        reply: ReplyBuffer,
        reply_size: ReplySize,
        timeout: Timeout,
    };
    ask_and_tell(guest, Event, ApcRoutine, &asked)
}

/// Reads the address of a `SOCKADDR_IN6`.
fn v6(guest: &Guest, at: GuestWord) -> Result<IpAddr, Win32Error> {
    const ADDRESS_AT: u64 = 8;
    Ok(Ipv6Addr::from(guest.read::<[u8; 16]>(at.get() + ADDRESS_AT)?).into())
}

/// Asks a machine for an echo by IPv6.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmp6sendecho2>
#[winapi]
pub fn Icmp6SendEcho2(
    guest: &mut Guest,
    IcmpHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    SourceAddress: GuestWord,
    DestinationAddress: GuestWord,
    RequestData: GuestWord,
    RequestSize: u16,
    RequestOptions: GuestWord,
    ReplyBuffer: GuestWord,
    ReplySize: u32,
    Timeout: u32,
) -> Result<u32, Win32Error> {
    let _ = (ApcContext, RequestOptions);
    let asked = Asked {
        handle: IcmpHandle,
        from: v6(guest, SourceAddress)?,
        to: v6(guest, DestinationAddress)?,
        data: RequestData,
        size: RequestSize,
        reply: ReplyBuffer,
        reply_size: ReplySize,
        timeout: Timeout,
    };
    ask_and_tell(guest, Event, ApcRoutine, &asked)
}

/// Says how many replies are there by the status of the first.
fn replies(guest: &Guest, status_at: u64) -> Result<u32, Win32Error> {
    match guest.read_u32(status_at)? {
        0 => Ok(1),
        status => Err(Win32Error(status)),
    }
}

/// Says how many replies lie in a buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpparsereplies>
#[winapi]
pub fn IcmpParseReplies(
    guest: &mut Guest,
    ReplyBuffer: GuestWord,
    ReplySize: u32,
) -> Result<u32, Win32Error> {
    let _ = ReplySize;
    replies(guest, ReplyBuffer.get() + 4)
}

/// Says how many replies lie in a buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmp6parsereplies>
#[winapi]
pub fn Icmp6ParseReplies(
    guest: &mut Guest,
    ReplyBuffer: GuestWord,
    ReplySize: u32,
) -> Result<u32, Win32Error> {
    let _ = ReplySize;
    replies(guest, ReplyBuffer.get() + 28)
}
