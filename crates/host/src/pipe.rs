//! Sockets under names that leave no file behind: what named pipes and requests between processes go through.
//!
//! Names are of the abstract namespace and begin with the user's number. Key types: [`Listener`], [`Form`].

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

use crate::file::{File, TransferError};
use crate::file_path::Errno;
use crate::memory::{self, MemoryFault};

/// How bytes go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a stream.
    Bytes,
    /// As messages with ends.
    Messages,
}

impl Form {
    fn socket_type(self) -> SocketType {
        if self == Self::Bytes { SocketType::STREAM } else { SocketType::SEQPACKET }
    }
}

/// Returns the rests of the names of this user at which somebody listens and that begin with `prefix`; names that were
/// cut are left out.
pub fn listening_names(prefix: &str) -> Vec<String> {
    // The kernel's table shows abstract names behind an @.
    let table = std::fs::read("/proc/net/unix").unwrap_or_default();
    let start = format!("@plat/{}/{prefix}", rustix::process::getuid().as_raw());
    let lines = table.split(|&byte| byte == b'\n').map(String::from_utf8_lossy);
    let names = lines.filter_map(|line| Some(line[line.find(&start)? + start.len()..].to_owned()));
    let mut names: Vec<String> = names.filter(|name| !name.contains('#')).collect();
    names.sort();
    names.dedup();
    names
}

/// A long name is cut and made unique by a number, since the kernel takes 107 bytes.
fn address(name: &str) -> Result<SocketAddrUnix, Errno> {
    const LONGEST: usize = 72;
    let user = rustix::process::getuid().as_raw();
    let mut text = format!("plat/{user}/");
    if name.len() <= LONGEST {
        text.push_str(name);
    } else {
        // FNV-1a of 64 bits.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        text.extend(name.chars().take(LONGEST / 4));
        text.push_str(&format!("#{hash:016x}"));
    }
    Ok(SocketAddrUnix::new_abstract_name(text.as_bytes())?)
}

fn socket(form: Form) -> Result<OwnedFd, Errno> {
    Ok(rustix::net::socket_with(AddressFamily::UNIX, form.socket_type(), SocketFlags::CLOEXEC, None)?)
}

/// A name at which others can connect; it is free again when this is dropped or the process ends.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    /// Holds the name in the other form, since each form has names of its own.
    other: OwnedFd,
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Listener {
    /// Takes a name.
    ///
    /// # Errors
    /// The kernel's errno: EADDRINUSE when somebody has it.
    pub fn bind(name: &str, form: Form) -> Result<Self, Errno> {
        let other = if form == Form::Bytes { Form::Messages } else { Form::Bytes };
        let (fd, other) = (socket(form)?, socket(other)?);
        let address = address(name)?;
        rustix::net::bind(&fd, &address)?;
        rustix::net::bind(&other, &address)?;
        rustix::net::listen(&fd, 128)?;
        Ok(Self { fd, other })
    }

    /// Takes a name that several processes will serve: whoever has its parts.
    ///
    /// # Errors
    /// As for [`Listener::bind`].
    pub fn bind_shared(name: &str, form: Form) -> Result<Self, Errno> {
        let listener = Self::bind(name, form)?;
        // Another process may be faster to accept.
        rustix::io::ioctl_fionbio(&listener.fd, true)?;
        Ok(listener)
    }

    /// Takes the parts of a listener that another process has, too.
    pub fn from_parts(fd: OwnedFd, other: OwnedFd) -> Self {
        Self { fd, other }
    }

    /// Returns its two descriptors.
    pub fn parts(&self) -> [BorrowedFd<'_>; 2] {
        [self.fd.as_fd(), self.other.as_fd()]
    }

    /// Takes one who has connected, if he is the same user.
    ///
    /// # Errors
    /// The kernel's errno; EACCES for another user, who is let go.
    pub fn accept(&self) -> Result<File, Errno> {
        let fd = rustix::net::accept_with(&self.fd, SocketFlags::CLOEXEC)?;
        check_peer(&fd)?;
        Ok(File::from(fd))
    }
}

fn check_peer(fd: &OwnedFd) -> Result<(), Errno> {
    let peer = rustix::net::sockopt::socket_peercred(fd)?;
    if peer.uid == rustix::process::getuid() { Ok(()) } else { Err(Errno(libc::EACCES)) }
}

/// Returns the number of the process at the other end.
///
/// # Errors
/// The kernel's errno.
pub fn peer(file: &File) -> Result<u32, Errno> {
    let peer = rustix::net::sockopt::socket_peercred(file)?;
    Ok(peer.pid.as_raw_nonzero().get() as u32)
}

/// Connects to a name, whatever its form.
///
/// # Errors
/// ECONNREFUSED when nobody has the name; EACCES when another user does.
pub fn connect(name: &str) -> Result<(File, Form), Errno> {
    let address = address(name)?;
    for form in [Form::Bytes, Form::Messages] {
        let fd = socket(form)?;
        match rustix::net::connect(&fd, &address) {
            Ok(()) => {
                check_peer(&fd)?;
                return Ok((File::from(fd), form));
            }
            Err(rustix::io::Errno::CONNREFUSED) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(Errno(libc::ECONNREFUSED))
}

/// Connects to a name that takes messages.
///
/// # Errors
/// As for [`connect`].
pub fn connect_for_messages(name: &str) -> Result<File, Errno> {
    let fd = socket(Form::Messages)?;
    rustix::net::connect(&fd, &address(name)?)?;
    check_peer(&fd)?;
    Ok(File::from(fd))
}

/// Makes two sockets that are connected to each other.
///
/// # Errors
/// The kernel's errno.
pub fn pair(form: Form) -> Result<(File, File), Errno> {
    let (a, b) =
        rustix::net::socketpair(AddressFamily::UNIX, form.socket_type(), SocketFlags::CLOEXEC, None)?;
    Ok((File::from(a), File::from(b)))
}

/// Puts the open file of `from` in the place of `onto`, which keeps its number.
///
/// # Errors
/// The kernel's errno.
pub fn replace(onto: &File, from: &File) -> Result<(), Errno> {
    // SAFETY: 1. both descriptors are open. 2. `onto` owns its number before and after.
    let done = unsafe { libc::dup3(from.as_fd().as_raw_fd(), onto.as_fd().as_raw_fd(), libc::O_CLOEXEC) };
    if done < 0 { Err(Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))) } else { Ok(()) }
}

/// Reads what there is, without waiting: `None` when there is nothing yet, no bytes when the other end is closed.
///
/// # Errors
/// The kernel's errno: ENOTSOCK for what is no socket.
pub fn receive_now(file: &File, length: usize, peek: bool) -> Result<Option<Vec<u8>>, Errno> {
    let mut flags = RecvFlags::DONTWAIT;
    flags.set(RecvFlags::PEEK, peek);
    receive(file, length, flags)
}

/// Reads once, waiting for something to come.
///
/// # Errors
/// The kernel's errno.
pub fn receive_wait(file: &File, length: usize) -> Result<Vec<u8>, Errno> {
    Ok(receive(file, length, RecvFlags::empty())?.unwrap_or_default())
}

fn receive(file: &File, length: usize, flags: RecvFlags) -> Result<Option<Vec<u8>>, Errno> {
    let mut bytes = vec![0; length];
    loop {
        match rustix::net::recv(file, &mut bytes, flags) {
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return Ok(None),
            // The other end was closed with unread data in it.
            Err(rustix::io::Errno::CONNRESET) => return Ok(Some(Vec::new())),
            Err(other) => return Err(other.into()),
            Ok((got, _)) => {
                bytes.truncate(got);
                return Ok(Some(bytes));
            }
        }
    }
}

/// Returns the size of the message that comes next without taking it, `None` when there is none yet (or, with
/// `wait`, when the other end is closed: then an empty message comes).
///
/// # Errors
/// The kernel's errno.
pub fn next_message_size(file: &File, wait: bool) -> Result<Option<usize>, Errno> {
    let flags = libc::MSG_PEEK | libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
    let mut byte = [0_u8];
    loop {
        // SAFETY: 1. the buffer has one byte.
        let size = unsafe { libc::recv(file.as_fd().as_raw_fd(), byte.as_mut_ptr().cast(), 1, flags) };
        if size >= 0 {
            return Ok(Some(size as usize));
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::EAGAIN) => return Ok(None),
            Some(libc::ECONNRESET) => return Ok(Some(0)),
            other => return Err(Errno(other.unwrap_or(0))),
        }
    }
}

/// Writes as much as fits without waiting; a message goes whole or not at all.
///
/// # Errors
/// The kernel's errno: EPIPE when the other end is closed, EMSGSIZE for too long a message.
pub fn send_now(file: &File, bytes: &[u8]) -> Result<usize, Errno> {
    send(file, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
}

/// Writes once, waiting for room.
///
/// # Errors
/// As for [`send_now`].
pub fn send_wait(file: &File, bytes: &[u8]) -> Result<usize, Errno> {
    send(file, bytes, SendFlags::NOSIGNAL)
}

fn send(file: &File, bytes: &[u8], flags: SendFlags) -> Result<usize, Errno> {
    loop {
        match rustix::net::send(file, bytes, flags) {
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return Ok(0),
            other => return Ok(other?),
        }
    }
}

/// The most descriptors that go with one message.
const DESCRIPTORS_MAX: usize = 16;

/// Sends a message with descriptors.
///
/// # Errors
/// The kernel's errno.
pub fn send_with(file: &File, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    rustix::net::sendmsg(file, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives a message of up to `length` bytes with its descriptors; no bytes when the other end is closed.
///
/// # Errors
/// The kernel's errno.
pub fn receive_with(file: &File, length: usize) -> Result<(Vec<u8>, Vec<OwnedFd>), Errno> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0; length];
    let received = loop {
        match rustix::net::recvmsg(
            file,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?,
        }
    };
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    bytes.truncate(received.bytes);
    Ok((bytes, descriptors))
}

/// Writes guest memory from a thread that is no guest thread: by the kernel, so that a bad address is an error only.
///
/// # Errors
/// [`TransferError::Fault`] for a bad address.
pub fn write_guest_by_kernel(address: u64, from: &[u8]) -> Result<(), TransferError> {
    by_kernel(address, from.as_ptr().cast_mut(), from.len(), true)
}

/// Reads guest memory from a thread that is no guest thread.
///
/// # Errors
/// [`TransferError::Fault`] for a bad address.
pub fn read_guest_by_kernel(address: u64, into: &mut [u8]) -> Result<(), TransferError> {
    by_kernel(address, into.as_mut_ptr(), into.len(), false)
}

fn by_kernel(address: u64, local: *mut u8, length: usize, write: bool) -> Result<(), TransferError> {
    let fault = TransferError::Fault(MemoryFault { address, write });
    if !memory::in_arena(address, length as u64) {
        return Err(fault);
    }
    let mut done = 0;
    while done < length {
        // SAFETY: 1. the sum stays inside the caller's slice.
        let at = unsafe { local.add(done) };
        let here = libc::iovec { iov_base: at.cast(), iov_len: length - done };
        let there = libc::iovec { iov_base: (address + done as u64) as *mut _, iov_len: length - done };
        // SAFETY: 1. getpid has no preconditions.
        let own = unsafe { libc::getpid() };
        let moved = if write {
            // SAFETY: 1. the local side is the caller's slice, only read; 2. the guest's side lies in the arena.
            unsafe { libc::process_vm_writev(own, &raw const here, 1, &raw const there, 1, 0) }
        } else {
            // SAFETY: 1. the local side is the caller's slice, to be written; 2. the guest's side lies in the arena.
            unsafe { libc::process_vm_readv(own, &raw const here, 1, &raw const there, 1, 0) }
        };
        match usize::try_from(moved) {
            Ok(0) | Err(_) => return Err(fault),
            Ok(moved) => done += moved,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_connect_and_are_free_again() {
        let name = format!("test/{}/{}", std::process::id(), "long".repeat(60));
        let listener = Listener::bind(&name, Form::Messages).unwrap();
        assert_eq!(Listener::bind(&name, Form::Bytes).unwrap_err(), Errno(libc::EADDRINUSE));
        let (client, form) = connect(&name).unwrap();
        assert_eq!(form, Form::Messages);
        let server = listener.accept().unwrap();
        assert_eq!(peer(&server).unwrap(), std::process::id());
        send_wait(&client, b"one").unwrap();
        send_wait(&client, b"three").unwrap();
        assert_eq!(next_message_size(&server, false).unwrap(), Some(3));
        assert_eq!(receive_now(&server, 10, false).unwrap().unwrap(), b"one");
        assert_eq!(receive_wait(&server, 10).unwrap(), b"three");
        assert_eq!(receive_now(&server, 10, false).unwrap(), None);
        drop(client);
        assert_eq!(receive_now(&server, 10, false).unwrap(), Some(Vec::new()));
        drop(listener);
        assert_eq!(connect(&name).unwrap_err(), Errno(libc::ECONNREFUSED));
    }

    #[test]
    fn descriptors_go_with_messages() {
        let (a, b) = pair(Form::Messages).unwrap();
        let (read, write) = File::pipe().unwrap();
        send_with(&a, b"take", &[write.as_fd()]).unwrap();
        drop(write);
        let (bytes, mut descriptors) = receive_with(&b, 100).unwrap();
        assert_eq!((bytes.as_slice(), descriptors.len()), (b"take".as_slice(), 1));
        File::from(descriptors.remove(0)).write(b"hi", None).unwrap();
        let mut got = [0; 2];
        read.read(&mut got, None).unwrap();
        assert_eq!(&got, b"hi");
    }
}
