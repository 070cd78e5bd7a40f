//! Sockets of the network: made, connected, sent through and received from, straight between the kernel and guest
//! memory. None of them ever blocks: who waits does so with [`poll`].
//!
//! Key types: [`Address`] (a `sockaddr` of Linux's), [`Piece`] (a range of guest memory), [`Received`].

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};

use crate::file::{File, TransferError};
use crate::file_path::Errno;
use crate::gate::Thread;
use crate::memory::{self, MemoryFault};

/// The size of the kernel's `sockaddr_storage`.
const ADDRESS_MAX: usize = 128;
/// The most pieces that the kernel takes at once (`IOV_MAX`).
const PIECES_MAX: usize = 1024;

/// An address as the kernel has it: the family in two bytes, then what the family defines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address {
    bytes: [u8; ADDRESS_MAX],
    length: usize,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({:02x?})", self.bytes())
    }
}

impl Address {
    /// Takes the bytes of a `sockaddr`; `None` for more than the kernel takes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut address = Self { bytes: [0; ADDRESS_MAX], length: bytes.len() };
        address.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(address)
    }

    /// Returns the bytes; none for the nameless.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length.min(ADDRESS_MAX)]
    }

    /// Returns the family, `AF_INET` and its like in Linux's numbers; 0 for the nameless.
    pub fn family(&self) -> u16 {
        if self.length < 2 { 0 } else { u16::from_ne_bytes([self.bytes[0], self.bytes[1]]) }
    }

    /// Lets the kernel fill an address.
    fn fill(
        call: impl FnOnce(*mut libc::sockaddr, *mut libc::socklen_t) -> i32,
    ) -> Result<(i32, Self), Errno> {
        let mut bytes = [0_u8; ADDRESS_MAX];
        let mut length = ADDRESS_MAX as libc::socklen_t;
        let result = check(call(bytes.as_mut_ptr().cast(), &raw mut length))?;
        Ok((result, Self { bytes, length: (length as usize).min(ADDRESS_MAX) }))
    }
}

fn last() -> Errno {
    Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

fn check(result: i32) -> Result<i32, Errno> {
    if result < 0 { Err(last()) } else { Ok(result) }
}

/// Makes a socket of Linux's family, type and protocol.
///
/// # Errors
/// The kernel's errno.
pub fn open(family: i32, kind: i32, protocol: i32) -> Result<File, Errno> {
    // SAFETY: 1. socket has no preconditions.
    let fd =
        check(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, protocol) })?;
    // SAFETY: 1. the descriptor is new and nobody else's.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// Gives the socket an address.
///
/// # Errors
/// The kernel's errno.
pub fn bind(file: &File, address: &Address) -> Result<(), Errno> {
    let (at, length) = (address.bytes.as_ptr().cast(), address.length as libc::socklen_t);
    // SAFETY: 1. the address has `length` bytes.
    check(unsafe { libc::bind(file.number(), at, length) }).map(drop)
}

/// Begins to connect.
///
/// # Errors
/// The kernel's errno: EINPROGRESS when it is on its way.
pub fn connect(file: &File, address: &Address) -> Result<(), Errno> {
    let (at, length) = (address.bytes.as_ptr().cast(), address.length as libc::socklen_t);
    // SAFETY: 1. the address has `length` bytes.
    check(unsafe { libc::connect(file.number(), at, length) }).map(drop)
}

/// Lets others connect.
///
/// # Errors
/// The kernel's errno.
pub fn listen(file: &File, backlog: i32) -> Result<(), Errno> {
    // SAFETY: 1. listen has no preconditions.
    check(unsafe { libc::listen(file.number(), backlog) }).map(drop)
}

/// Takes one who has connected, with his address.
///
/// # Errors
/// The kernel's errno: EAGAIN when there is nobody.
pub fn accept(file: &File) -> Result<(File, Address), Errno> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let (fd, address) = Address::fill(|at, length| {
        // SAFETY: 1. `fill` passes a buffer and its size.
        unsafe { libc::accept4(file.number(), at, length, flags) }
    })?;
    // SAFETY: 1. the descriptor is new and nobody else's.
    Ok((File::from(unsafe { OwnedFd::from_raw_fd(fd) }), address))
}

/// Returns the socket's own address.
///
/// # Errors
/// The kernel's errno.
pub fn local_address(file: &File) -> Result<Address, Errno> {
    // SAFETY: 1. `fill` passes a buffer and its size.
    Address::fill(|at, length| unsafe { libc::getsockname(file.number(), at, length) }).map(|filled| filled.1)
}

/// Returns the address of the other end.
///
/// # Errors
/// The kernel's errno: ENOTCONN when there is none.
pub fn peer_address(file: &File) -> Result<Address, Errno> {
    // SAFETY: 1. `fill` passes a buffer and its size.
    Address::fill(|at, length| unsafe { libc::getpeername(file.number(), at, length) }).map(|filled| filled.1)
}

/// Ends receiving (0), sending (1) or both (2).
///
/// # Errors
/// The kernel's errno.
pub fn shutdown(file: &File, how: i32) -> Result<(), Errno> {
    // SAFETY: 1. shutdown has no preconditions.
    check(unsafe { libc::shutdown(file.number(), how) }).map(drop)
}

/// Returns an option of up to 64 bytes, in Linux's numbers.
///
/// # Errors
/// The kernel's errno.
pub fn option(file: &File, level: i32, name: i32) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0_u8; 64];
    let mut length = bytes.len() as libc::socklen_t;
    // SAFETY: 1. the buffer has `length` bytes.
    let result =
        unsafe { libc::getsockopt(file.number(), level, name, bytes.as_mut_ptr().cast(), &raw mut length) };
    check(result)?;
    bytes.truncate(length as usize);
    Ok(bytes)
}

/// Returns an option that is a number, in Linux's numbers.
///
/// # Errors
/// The kernel's errno.
pub fn option_number(file: &File, level: i32, name: i32) -> Result<i32, Errno> {
    Ok(option(file, level, name)?.first_chunk().copied().map_or(0, i32::from_ne_bytes))
}

/// Sets an option, in Linux's numbers.
///
/// # Errors
/// The kernel's errno.
pub fn set_option(file: &File, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
    let (at, length) = (value.as_ptr().cast(), value.len() as libc::socklen_t);
    // SAFETY: 1. the value has `length` bytes.
    check(unsafe { libc::setsockopt(file.number(), level, name, at, length) }).map(drop)
}

/// Returns how many bytes the kernel has not sent yet, or the other end not confirmed.
///
/// # Errors
/// The kernel's errno.
pub fn unsent(file: &File) -> Result<u32, Errno> {
    let mut count: libc::c_int = 0;
    // SAFETY: 1. the request stores an int.
    check(unsafe { libc::ioctl(file.number(), libc::TIOCOUTQ, &raw mut count) })?;
    Ok(count as u32)
}

/// Says whether the next byte to be read is the urgent one.
///
/// # Errors
/// The kernel's errno.
pub fn is_at_mark(file: &File) -> Result<bool, Errno> {
    /// `SIOCATMARK`, which is no constant of the crate libc.
    const SIOCATMARK: libc::Ioctl = 0x8905;
    let mut mark: libc::c_int = 0;
    // SAFETY: 1. the request stores an int.
    check(unsafe { libc::ioctl(file.number(), SIOCATMARK, &raw mut mark) })?;
    Ok(mark != 0)
}

/// A range of guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub address: u64,
    /// Its size in bytes.
    pub length: u64,
}

/// What was received.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Bytes.
    pub bytes: u64,
    /// Whether a datagram was longer than the room for it.
    pub is_cut: bool,
    /// Whether the bytes are urgent ones.
    pub is_urgent: bool,
    /// Who sent it, where that is not known anyway.
    pub from: Option<Address>,
    /// What the kernel tells of a datagram, where that was asked for: a row of `cmsghdr`.
    pub control: Vec<u8>,
}

/// How to receive and send, beyond where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// What is received stays there for the next one.
    pub peek: bool,
    /// Urgent data.
    pub urgent: bool,
    /// Not through a gateway.
    pub direct: bool,
    /// What the kernel tells of a datagram is wanted, too.
    pub control: bool,
}

impl Manner {
    fn flags(self) -> i32 {
        let marks =
            [(self.peek, libc::MSG_PEEK), (self.urgent, libc::MSG_OOB), (self.direct, libc::MSG_DONTROUTE)];
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        marks.iter().filter(|mark| mark.0).fold(flags, |flags, mark| flags | mark.1)
    }
}

fn vectors(pieces: &[Piece], write: bool) -> Result<Vec<libc::iovec>, TransferError> {
    let vector = |piece: &Piece| {
        if piece.length != 0 && !memory::in_arena(piece.address, piece.length) {
            return Err(TransferError::Fault(MemoryFault { address: piece.address, write }));
        }
        Ok(libc::iovec { iov_base: piece.address as *mut _, iov_len: piece.length as usize })
    };
    pieces.iter().take(PIECES_MAX).map(vector).collect()
}

/// Makes one transfer, again when a page of the guest's had to be made accessible first.
fn transfer(
    pieces: &[Piece],
    is_read: bool,
    mut call: impl FnMut(&mut [libc::iovec]) -> isize,
) -> Result<u64, TransferError> {
    let mut vectors = vectors(pieces, is_read)?;
    let mut touched = false;
    loop {
        let moved = call(&mut vectors);
        if moved >= 0 {
            return Ok(moved as u64);
        }
        match last() {
            Errno(libc::EINTR) => {}
            // Only a guest thread can resolve a fault.
            Errno(libc::EFAULT) if !touched && Thread::current().is_some() => {
                touched = true;
                for piece in pieces.iter().filter(|piece| piece.length != 0) {
                    memory::touch(piece.address, piece.length, is_read).map_err(TransferError::Fault)?;
                }
            }
            Errno(libc::EFAULT) => {
                let address = pieces.first().map_or(0, |piece| piece.address);
                return Err(TransferError::Fault(MemoryFault { address, write: is_read }));
            }
            Errno(errno) => return Err(TransferError::Errno(errno)),
        }
    }
}

fn message(address: &mut Address, vectors: &mut [libc::iovec]) -> libc::msghdr {
    // SAFETY: 1. all zeros is a message of nothing.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    if address.length != 0 {
        message.msg_name = address.bytes.as_mut_ptr().cast();
        message.msg_namelen = address.length as libc::socklen_t;
    }
    message.msg_iov = vectors.as_mut_ptr();
    message.msg_iovlen = vectors.len();
    message
}

/// Receives what there is into guest memory.
///
/// # Errors
/// The kernel's errno: EAGAIN when there is nothing; [`TransferError::Fault`] for bad memory.
pub fn receive(file: &File, pieces: &[Piece], how: Manner) -> Result<Received, TransferError> {
    /// Room for all that the kernel may tell, in aligned words.
    const CONTROL_WORDS: usize = 64;
    let mut received = Received::default();
    let mut control = vec![0_u64; if how.control { CONTROL_WORDS } else { 0 }];
    received.bytes = transfer(pieces, true, |vectors| {
        let mut from = Address { bytes: [0; ADDRESS_MAX], length: ADDRESS_MAX };
        let mut message = message(&mut from, vectors);
        if !control.is_empty() {
            (message.msg_control, message.msg_controllen) = (control.as_mut_ptr().cast(), control.len() * 8);
        }
        // SAFETY: 1. name, vectors and control data live until the call returns. 2. the vectors are in the arena, where no Rust
        // object lives; bad pages give EFAULT.
        let moved = unsafe { libc::recvmsg(file.number(), &raw mut message, how.flags()) };
        from.length = message.msg_namelen as usize;
        received.is_cut = message.msg_flags & libc::MSG_TRUNC != 0;
        received.is_urgent = message.msg_flags & libc::MSG_OOB != 0;
        received.from = (from.length != 0).then_some(from);
        let told = control.iter().flat_map(|word| word.to_ne_bytes()).take(message.msg_controllen);
        received.control = told.collect();
        moved
    })?;
    Ok(received)
}

/// Sends as much as fits from guest memory; a datagram goes whole. `control` is a row of `cmsghdr`, or empty.
///
/// # Errors
/// The kernel's errno: EAGAIN when nothing fits; [`TransferError::Fault`] for bad memory.
pub fn send(
    file: &File,
    pieces: &[Piece],
    how: Manner,
    to: Option<&Address>,
    control: &[u8],
) -> Result<u64, TransferError> {
    // The kernel wants it aligned.
    let words = control.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_ne_bytes(word)
    });
    let mut words: Vec<u64> = words.collect();
    transfer(pieces, false, |vectors| {
        let mut to = to.copied().unwrap_or(Address { bytes: [0; ADDRESS_MAX], length: 0 });
        let mut message = message(&mut to, vectors);
        if !words.is_empty() {
            (message.msg_control, message.msg_controllen) = (words.as_mut_ptr().cast(), control.len());
        }
        // SAFETY: 1. name, vectors and control data live until the call returns. 2. the vectors are in the arena, where no Rust
        // object lives; bad pages give EFAULT.
        unsafe { libc::sendmsg(file.number(), &raw const message, how.flags()) }
    })
}

/// Sends a datagram of plat's own.
///
/// # Errors
/// The kernel's errno.
pub fn send_bytes(file: &File, bytes: &[u8]) -> Result<usize, Errno> {
    Ok(rustix::net::send(file, bytes, rustix::net::SendFlags::NOSIGNAL)?)
}

/// Receives a datagram for plat itself.
///
/// # Errors
/// The kernel's errno: EAGAIN when there is none.
pub fn receive_bytes(file: &File, into: &mut [u8]) -> Result<usize, Errno> {
    Ok(rustix::net::recv(file, into, rustix::net::RecvFlags::empty())?.0)
}

/// What a descriptor is asked, and what is so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// There is something to read, or the end.
    pub read: bool,
    /// There is room to write.
    pub write: bool,
    /// There is urgent data.
    pub urgent: bool,
    /// An error waits to be fetched; an answer only.
    pub error: bool,
    /// Both directions have ended; an answer only.
    pub hung_up: bool,
    /// The other end sends no more; an answer only.
    pub peer_ended: bool,
}

impl Readiness {
    fn question(self) -> PollFlags {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN | PollFlags::RDHUP, self.read);
        flags.set(PollFlags::OUT, self.write);
        flags.set(PollFlags::PRI, self.urgent);
        flags
    }

    fn of_answer(flags: PollFlags) -> Self {
        Self {
            read: flags.contains(PollFlags::IN),
            write: flags.contains(PollFlags::OUT),
            urgent: flags.contains(PollFlags::PRI),
            error: flags.contains(PollFlags::ERR),
            hung_up: flags.contains(PollFlags::HUP),
            peer_ended: flags.contains(PollFlags::RDHUP),
        }
    }

    /// Says whether anything is so.
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// Waits until one descriptor or more is as asked, or for some nanoseconds; without a time, for ever.
///
/// # Errors
/// The kernel's errno: EINTR when the thread was interrupted by a signal.
pub fn poll(
    questions: &[(BorrowedFd<'_>, Readiness)],
    nanoseconds: Option<u64>,
) -> Result<Vec<Readiness>, Errno> {
    let mut list = Vec::with_capacity(questions.len());
    for (fd, wanted) in questions {
        list.push(PollFd::from_borrowed_fd(*fd, wanted.question()));
    }
    let time = nanoseconds.map(|time| Timespec {
        tv_sec: (time / 1_000_000_000) as i64,
        tv_nsec: (time % 1_000_000_000) as i64,
    });
    rustix::event::poll(&mut list, time.as_ref())?;
    Ok(list.iter().map(|one| Readiness::of_answer(one.revents())).collect())
}

/// Wakes those who [`poll`], once and for ever.
#[derive(Debug)]
pub struct Bell {
    fd: OwnedFd,
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Bell {
    /// Makes one.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn new() -> Result<Self, Errno> {
        Ok(Self { fd: rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)? })
    }

    /// Rings it: from now on it is ready to be read.
    pub fn ring(&self) {
        // A counter that is full rings, too.
        let _ = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
    }
}

/// Says whether a descriptor is a socket.
pub fn is_socket(fd: BorrowedFd<'_>) -> bool {
    let mut kind: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    let (level, name) = (libc::SOL_SOCKET, libc::SO_TYPE);
    // SAFETY: 1. the buffer is an int and `length` its size.
    unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, (&raw mut kind).cast(), &raw mut length) == 0 }
}

/// An interface of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// Whether it is up.
    pub is_up: bool,
    /// Whether it leads back to this machine.
    pub is_loopback: bool,
    /// Its hardware address.
    pub hardware: Vec<u8>,
    /// Its addresses, each with the number of bits of its network.
    pub addresses: Vec<(std::net::IpAddr, u8)>,
}

/// Returns the interfaces of this machine.
///
/// # Errors
/// The kernel's errno.
pub fn interfaces() -> Result<Vec<Interface>, Errno> {
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: 1. the pointer is stored, and freed below.
    check(unsafe { libc::getifaddrs(&raw mut first) })?;
    let mut found: Vec<Interface> = Vec::new();
    let mut next = first;
    while !next.is_null() {
        // SAFETY: 1. the list is whole until it is freed.
        let entry = unsafe { *next };
        next = entry.ifa_next;
        // SAFETY: 1. every entry has a name that ends with a zero.
        let name = unsafe { std::ffi::CStr::from_ptr(entry.ifa_name) };
        let text = name.to_string_lossy().into_owned();
        let at = found.iter().position(|one| one.name == text).unwrap_or_else(|| {
            // SAFETY: 1. the name ends with a zero.
            let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
            found.push(Interface { name: text, index, ..Interface::default() });
            found.len() - 1
        });
        let one = &mut found[at];
        one.is_up |= entry.ifa_flags & libc::IFF_UP as u32 != 0;
        one.is_loopback |= entry.ifa_flags & libc::IFF_LOOPBACK as u32 != 0;
        if entry.ifa_addr.is_null() {
            continue;
        }
        // SAFETY: 1. every address is whole, and its family says what it is.
        if let Some(ip) = unsafe { ip_of(entry.ifa_addr) } {
            // SAFETY: 1. as above; a mask is of its address' family.
            let mask = if entry.ifa_netmask.is_null() { None } else { unsafe { ip_of(entry.ifa_netmask) } };
            one.addresses.push((ip, mask.map_or(0, prefix_of)));
        // SAFETY: 1. as above.
        } else if i32::from(unsafe { (*entry.ifa_addr).sa_family }) == libc::AF_PACKET {
            // SAFETY: 1. the family says so; 2. the place need not be aligned.
            let link = unsafe { entry.ifa_addr.cast::<libc::sockaddr_ll>().read_unaligned() };
            one.hardware = link.sll_addr.iter().copied().take(usize::from(link.sll_halen)).collect();
        }
    }
    // SAFETY: 1. the list is not used again.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

fn prefix_of(mask: std::net::IpAddr) -> u8 {
    match mask {
        std::net::IpAddr::V4(mask) => u32::from(mask).leading_ones() as u8,
        std::net::IpAddr::V6(mask) => u128::from(mask).leading_ones() as u8,
    }
}

/// Returns the addresses of this machine's interfaces that are up, loopback and link-local ones left out.
///
/// # Errors
/// The kernel's errno.
pub fn own_addresses() -> Result<Vec<std::net::IpAddr>, Errno> {
    let up = interfaces()?.into_iter().filter(|one| one.is_up && !one.is_loopback);
    let mut found: Vec<std::net::IpAddr> =
        up.flat_map(|one| one.addresses).map(|address| address.0).collect();
    found.retain(|ip| match ip {
        std::net::IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        std::net::IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    });
    Ok(found)
}

/// Reads an address of the internet.
///
/// # Safety
/// 1. `address` points to a whole address of its family.
unsafe fn ip_of(address: *const libc::sockaddr) -> Option<std::net::IpAddr> {
    // SAFETY: 1. the caller's promise.
    match i32::from(unsafe { (*address).sa_family }) {
        libc::AF_INET => {
            // SAFETY: 1. the family says so; 2. the place need not be aligned.
            let v4 = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(std::net::Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: 1. the family says so; 2. the place need not be aligned.
            let v6 = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(std::net::Ipv6Addr::from(v6.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

/// Returns the size of the next message or piece of a stream without taking it: `None` when there is none, 0 at the end.
///
/// # Errors
/// The kernel's errno; the kernel tells an error of the connection once only.
pub fn peek_size(file: &File) -> Result<Option<usize>, Errno> {
    let mut byte = [0_u8];
    loop {
        match rustix::net::recv(
            file,
            &mut byte,
            rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT,
        ) {
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return Ok(None),
            other => return Ok(Some(other?.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(port: u16) -> Address {
        let [high, low] = port.to_be_bytes();
        let family = (libc::AF_INET as u16).to_ne_bytes();
        Address::new(&[family[0], family[1], high, low, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap()
    }

    #[test]
    fn a_connection_is_made_and_ends() {
        let server = open(libc::AF_INET, libc::SOCK_STREAM, 0).unwrap();
        bind(&server, &loopback(0)).unwrap();
        listen(&server, 5).unwrap();
        assert_eq!(accept(&server).unwrap_err(), Errno(libc::EAGAIN));
        let client = open(libc::AF_INET, libc::SOCK_STREAM, 0).unwrap();
        assert_eq!(peer_address(&client).unwrap_err(), Errno(libc::ENOTCONN));
        let begun = connect(&client, &local_address(&server).unwrap());
        assert!(matches!(begun, Ok(()) | Err(Errno(libc::EINPROGRESS))), "{begun:?}");
        let read = Readiness { read: true, ..Readiness::default() };
        assert!(poll(&[(server.as_fd(), read)], None).unwrap()[0].read);
        let (peer, address) = accept(&server).unwrap();
        assert_eq!(address, local_address(&client).unwrap());
        send_bytes(&peer, b"hi").unwrap();
        drop(peer);
        assert!(poll(&[(client.as_fd(), read)], None).unwrap()[0].read);
        let mut bytes = [0; 10];
        assert_eq!(receive_bytes(&client, &mut bytes).unwrap(), 2);
        assert_eq!(receive_bytes(&client, &mut bytes).unwrap(), 0);
        let pieces = [Piece { address: 16, length: 10 }];
        assert!(matches!(receive(&client, &pieces, Manner::default()), Err(TransferError::Fault(_))));
    }

    #[test]
    fn a_bell_ends_a_wait() {
        let bell = Bell::new().unwrap();
        let read = Readiness { read: true, ..Readiness::default() };
        assert!(!poll(&[(bell.as_fd(), read)], Some(1_000)).unwrap()[0].any());
        bell.ring();
        assert!(poll(&[(bell.as_fd(), read)], None).unwrap()[0].read);
        assert!(!is_socket(bell.as_fd()));
    }
}
