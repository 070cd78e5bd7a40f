//! Open files: a descriptor, read and written straight between the kernel and guest memory.
//!
//! Key types: [`File`], [`Open`], [`TransferError`]. Paths and their status are in [`crate::file_path`].

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FileType, Mode, OFlags, SeekFrom};
use rustix::io::Errno as Rustix;

use crate::file_path::{Errno, Status};
use crate::memory::{self, MemoryFault};

/// The most bytes that Linux moves in one call; longer transfers take several.
const TRANSFER_MAX: u64 = 0x7fff_f000;

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Every write goes to the end.
    pub append: bool,
    /// Made when it is not there.
    pub create: bool,
    /// Fails with EEXIST when it is there (together with `create`).
    pub exclusive: bool,
    /// A symbolic link itself is opened, not what it leads to.
    pub no_follow: bool,
    /// Every write reaches the disk before it returns.
    pub write_through: bool,
    /// The permission bits of a new file, before the umask.
    pub mode: u32,
}

/// Why a transfer between a file and guest memory failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// The kernel's answer.
    Errno(i32),
    /// The guest's buffer cannot be accessed.
    Fault(MemoryFault),
}

impl From<Errno> for TransferError {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno.0)
    }
}

/// An open descriptor. Those of the process itself (0, 1, 2) become `/dev/null` instead of free when dropped, so
/// that no other file takes their number, under which messages are written; 2 stays as it is.
#[derive(Debug)]
pub struct File {
    fd: ManuallyDrop<OwnedFd>,
}

/// Says whether somebody else may wait for the end of what is written here: a pipe or a socket.
fn is_read_elsewhere(fd: &OwnedFd) -> bool {
    let kind = rustix::fs::fstat(fd).map(|status| FileType::from_raw_mode(status.st_mode));
    kind.is_ok_and(|kind| matches!(kind, FileType::Fifo | FileType::Socket))
}

impl Drop for File {
    fn drop(&mut self) {
        let number = self.fd.as_raw_fd();
        if number > 2 {
            // SAFETY: 1. `drop` runs once, and nothing uses the field after it.
            unsafe { ManuallyDrop::drop(&mut self.fd) };
        } else if (number < 2 || is_read_elsewhere(&self.fd))
            && let Ok(null) = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        {
            // The reader of a pipe must see its end; an error leaves the descriptor as it was. Standard error stays what it
            // is otherwise, for what plat itself has to say.
            let _ = rustix::io::dup2(&null, &mut self.fd);
        }
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> Self {
        Self::own(fd)
    }
}

impl File {
    /// Gives the descriptor out of its wrapping.
    pub fn into_fd(self) -> OwnedFd {
        let mut file = ManuallyDrop::new(self);
        // SAFETY: 1. the wrapping is not dropped and not used again.
        unsafe { ManuallyDrop::take(&mut file.fd) }
    }

    fn own(fd: OwnedFd) -> Self {
        Self { fd: ManuallyDrop::new(fd) }
    }

    /// Returns the process's own standard input (0), output (1) or error (2), or `None` when it is closed.
    pub fn standard(number: u8) -> Option<Self> {
        if number > 2 {
            return None;
        }
        // SAFETY: 1. the number is not -1.
        let borrowed = unsafe { BorrowedFd::borrow_raw(i32::from(number)) };
        rustix::io::fcntl_getfd(borrowed).ok()?;
        // SAFETY: 1. the descriptor is open. 2. `File` never closes 0, 1 and 2, so others may name them too.
        Some(Self::own(unsafe { OwnedFd::from_raw_fd(i32::from(number)) }))
    }

    /// Opens a file by its Unix path. The descriptor is not inherited.
    ///
    /// # Errors
    /// The kernel's errno. With neither `read` nor `write` the file is only named (`O_PATH`).
    pub fn open(path: &Path, how: Open) -> Result<Self, Errno> {
        let mut flags = OFlags::CLOEXEC | OFlags::NOCTTY;
        flags |= match (how.read, how.write) {
            (true, true) => OFlags::RDWR,
            (true, false) => OFlags::RDONLY,
            (false, true) => OFlags::WRONLY,
            (false, false) if how.create => OFlags::RDONLY,
            (false, false) => OFlags::PATH,
        };
        flags.set(OFlags::APPEND, how.append);
        flags.set(OFlags::CREATE, how.create);
        flags.set(OFlags::EXCL, how.exclusive);
        flags.set(OFlags::NOFOLLOW, how.no_follow);
        flags.set(OFlags::DSYNC, how.write_through);
        let mode = Mode::from_raw_mode(how.mode);
        loop {
            match rustix::fs::open(path, flags, mode) {
                Err(Rustix::INTR) => {}
                other => return Ok(Self::own(other?)),
            }
        }
    }

    /// Makes a pipe: the end to read and the end to write.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn pipe() -> Result<(Self, Self), Errno> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok((Self::own(read), Self::own(write)))
    }

    /// Returns a second descriptor of the same open file: one position for both.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn duplicate(&self) -> Result<Self, Errno> {
        Ok(Self::own(rustix::io::fcntl_dupfd_cloexec(&*self.fd, 3)?))
    }

    /// Returns the descriptor's number, for messages and `/proc/self/fd`.
    pub fn number(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// Says whether the descriptor may be read and whether it may be written.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn access(&self) -> Result<(bool, bool), Errno> {
        let flags = rustix::fs::fcntl_getfl(&*self.fd)?;
        if flags.contains(OFlags::PATH) {
            return Ok((false, false));
        }
        Ok(match flags & OFlags::RWMODE {
            OFlags::WRONLY => (false, true),
            OFlags::RDWR => (true, true),
            _ => (true, false),
        })
    }

    /// Returns kind, size, times and the rest.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn status(&self) -> Result<Status, Errno> {
        Status::of_descriptor(self.fd.as_fd())
    }

    /// Returns device and inode numbers, kind and permission bits, size: the cheap part of [`File::status`].
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn identity(&self) -> Result<Status, Errno> {
        Ok(Status::of_stat(&rustix::fs::fstat(&*self.fd)?))
    }

    /// Returns the position.
    ///
    /// # Errors
    /// The kernel's errno: ESPIPE for pipes.
    pub fn position(&self) -> Result<u64, Errno> {
        Ok(rustix::fs::tell(&*self.fd)?)
    }

    /// Sets the position, counted from the beginning.
    ///
    /// # Errors
    /// The kernel's errno: ESPIPE for pipes, EINVAL beyond 2^63 - 1.
    pub fn seek(&self, position: u64) -> Result<(), Errno> {
        rustix::fs::seek(&*self.fd, SeekFrom::Start(position))?;
        Ok(())
    }

    /// Sets the size in bytes.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn set_size(&self, size: u64) -> Result<(), Errno> {
        loop {
            match rustix::fs::ftruncate(&*self.fd, size) {
                Err(Rustix::INTR) => {}
                other => return Ok(other?),
            }
        }
    }

    /// Sets the permission bits.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        // Through /proc, because a descriptor that only names a file cannot be changed directly.
        let path = format!("/proc/self/fd/{}", self.number());
        Ok(rustix::fs::chmod(path, Mode::from_raw_mode(mode))?)
    }

    /// Returns which of the attributes hidden (2) and system (4) are kept with the file.
    pub fn dos_attributes(&self) -> u32 {
        crate::file_path::dos_attributes(Path::new(&format!("/proc/self/fd/{}", self.number())))
    }

    /// Keeps the attributes hidden and system with the file.
    ///
    /// # Errors
    /// As for [`crate::file_path::set_dos_attributes`].
    pub fn set_dos_attributes(&self, attributes: u32) -> Result<(), Errno> {
        let path = format!("/proc/self/fd/{}", self.number());
        crate::file_path::set_dos_attributes(Path::new(&path), attributes)
    }

    /// Sets access and modification time (seconds and nanoseconds since 1970); `None` leaves one as it is.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn set_times(&self, access: Option<(i64, u32)>, write: Option<(i64, u32)>) -> Result<(), Errno> {
        let path = format!("/proc/self/fd/{}", self.number());
        crate::file_path::set_times(Path::new(&path), access, write)
    }

    /// Writes all data to the disk.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn flush(&self) -> Result<(), Errno> {
        Ok(rustix::fs::fsync(&*self.fd)?)
    }

    /// Returns the path that the kernel knows for the file; after a deletion its end is ` (deleted)`.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn path(&self) -> Result<std::path::PathBuf, Errno> {
        crate::file_path::link_target(Path::new(&format!("/proc/self/fd/{}", self.number())))
    }

    /// Returns how many bytes a pipe or terminal has to read now.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn available(&self) -> Result<u64, Errno> {
        Ok(rustix::io::ioctl_fionread(&*self.fd)?)
    }

    /// Says whether a pipe's other end is closed.
    pub fn is_hung_up(&self) -> bool {
        let mut question = [PollFd::new(&*self.fd, PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let answered = rustix::event::poll(&mut question, Some(&now));
        answered.is_ok() && question[0].revents().contains(PollFlags::HUP)
    }

    /// Returns up to `length` bytes of a pipe without taking them out.
    ///
    /// # Errors
    /// The kernel's errno: EINVAL when it is no pipe.
    pub fn peek(&self, length: usize) -> Result<Vec<u8>, Errno> {
        let (read, write) = Self::pipe()?;
        let copied = rustix::pipe::tee(&*self.fd, &write, length, rustix::pipe::SpliceFlags::NONBLOCK)?;
        let mut bytes = vec![0; copied];
        let seen = if copied == 0 { 0 } else { read.read(&mut bytes, None)? };
        bytes.truncate(seen);
        Ok(bytes)
    }

    /// Says whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        rustix::termios::isatty(&*self.fd)
    }

    /// Reads into host memory at the position, or at `offset` without moving it.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn read(&self, into: &mut [u8], offset: Option<u64>) -> Result<usize, Errno> {
        loop {
            let outcome = match offset {
                None => rustix::io::read(&*self.fd, &mut *into),
                Some(offset) => rustix::io::pread(&*self.fd, &mut *into, offset),
            };
            match outcome {
                Err(Rustix::INTR) => {}
                other => return Ok(other?),
            }
        }
    }

    /// Writes all of `from` at the position, or at `offset` without moving it.
    ///
    /// # Errors
    /// The kernel's errno; a part may be written.
    pub fn write(&self, from: &[u8], offset: Option<u64>) -> Result<(), Errno> {
        let mut done = 0;
        while done < from.len() {
            let rest = &from[done..];
            let outcome = match offset {
                None => rustix::io::write(&*self.fd, rest),
                Some(offset) => rustix::io::pwrite(&*self.fd, rest, offset + done as u64),
            };
            match outcome {
                Err(Rustix::INTR) => {}
                other => done += other?,
            }
        }
        Ok(())
    }

    /// Reads up to `length` bytes into guest memory. With `whole`, reads on until the file ends; else returns
    /// what the first read brought, as pipes and terminals need.
    ///
    /// # Errors
    /// [`TransferError::Errno`] when nothing was read; [`TransferError::Fault`] when the buffer is bad.
    pub fn read_to_guest(
        &self,
        address: u64,
        length: u64,
        offset: Option<u64>,
        whole: bool,
    ) -> Result<u64, TransferError> {
        self.transfer(address, length, offset, whole, true)
    }

    /// Writes `length` bytes from guest memory; returns how many, fewer only when the disk became full on the way.
    ///
    /// # Errors
    /// [`TransferError::Errno`] when nothing was written; [`TransferError::Fault`] when the buffer is bad.
    pub fn write_from_guest(
        &self,
        address: u64,
        length: u64,
        offset: Option<u64>,
    ) -> Result<u64, TransferError> {
        self.transfer(address, length, offset, true, false)
    }

    fn transfer(
        &self,
        address: u64,
        length: u64,
        offset: Option<u64>,
        whole: bool,
        is_read: bool,
    ) -> Result<u64, TransferError> {
        // Nothing is taken from or put to the buffer of an empty transfer: its address may be any.
        if length != 0 && !memory::in_arena(address, length) {
            return Err(TransferError::Fault(MemoryFault { address, write: is_read }));
        }
        let mut done = 0;
        let mut touched = false;
        loop {
            let piece = (length - done).min(TRANSFER_MAX);
            let at = offset.map(|offset| offset.wrapping_add(done));
            match self.move_once(address + done, piece, at, is_read) {
                // Past its middle a bad buffer shows as a short transfer first, then as EFAULT.
                Err(libc::EFAULT) if !touched => {
                    touched = true;
                    memory::touch(address + done, piece, is_read).map_err(TransferError::Fault)?;
                }
                Err(libc::EFAULT) => {
                    return Err(TransferError::Fault(MemoryFault {
                        address: address + done,
                        write: is_read,
                    }));
                }
                Err(libc::EINTR) => {}
                Err(errno) if done == 0 => return Err(TransferError::Errno(errno)),
                Err(_) => return Ok(done),
                Ok(moved) => {
                    done += moved;
                    if done == length || moved == 0 || !whole {
                        return Ok(done);
                    }
                }
            }
        }
    }

    /// One system call; `Err` is the errno.
    #[inline]
    fn move_once(&self, address: u64, length: u64, offset: Option<u64>, is_read: bool) -> Result<u64, i32> {
        let (fd, buffer, length) = (self.fd.as_raw_fd(), address as *mut libc::c_void, length as usize);
        let moved = match (is_read, offset) {
            // SAFETY: 1. the buffer is in the arena, where no Rust object lives; bad pages give EFAULT.
            (true, None) => unsafe { libc::read(fd, buffer, length) },
            // SAFETY: 1. as above.
            (true, Some(offset)) => unsafe { libc::pread(fd, buffer, length, offset as i64) },
            // SAFETY: 1. as above.
            (false, None) => unsafe { libc::write(fd, buffer, length) },
            // SAFETY: 1. as above.
            (false, Some(offset)) => unsafe { libc::pwrite(fd, buffer, length, offset as i64) },
        };
        if moved < 0 {
            Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
        } else {
            Ok(moved as u64)
        }
    }
}
