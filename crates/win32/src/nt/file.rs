//! Open files as objects: reading, writing, position, size. Opening is in `file_open`, facts in `file_info`.
//!
//! Key types: [`FileObject`], [`FileKind`]. The position is the kernel's, so that files inherited from a shell and
//! shared with other programs go on where those stopped.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use plat_host::file::{File, TransferError};
use plat_host::file_path::{Errno, Kind};

use super::file_lock::{self, LockTable};
use super::file_share::{Claim, FileId, ShareTable};
use super::object::{Object, ObjectKind};
use super::path::{lock, status_of};
use super::thread::ThreadObject;
use super::wait::Waitable;
use crate::NtStatus;

/// Access rights of files.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/file-access-rights-constants>
pub mod access {
    /// `FILE_READ_DATA`, `FILE_LIST_DIRECTORY`.
    pub const READ_DATA: u32 = 1;
    /// `FILE_WRITE_DATA`, `FILE_ADD_FILE`.
    pub const WRITE_DATA: u32 = 2;
    /// `FILE_APPEND_DATA`, `FILE_ADD_SUBDIRECTORY`.
    pub const APPEND_DATA: u32 = 4;
    /// `FILE_EXECUTE`, `FILE_TRAVERSE`.
    pub const EXECUTE: u32 = 0x20;
    /// `FILE_READ_ATTRIBUTES`.
    pub const READ_ATTRIBUTES: u32 = 0x80;
    /// `FILE_WRITE_ATTRIBUTES`.
    pub const WRITE_ATTRIBUTES: u32 = 0x100;
    /// `DELETE`.
    pub const DELETE: u32 = 0x1_0000;
    /// `SYNCHRONIZE`.
    pub const SYNCHRONIZE: u32 = 0x10_0000;
    /// `FILE_GENERIC_READ`.
    pub const FILE_READ: u32 = 0x12_0089;
    /// `FILE_GENERIC_WRITE`.
    pub const FILE_WRITE: u32 = 0x12_0116;
    /// `FILE_GENERIC_EXECUTE`.
    pub const FILE_EXECUTE: u32 = 0x12_00a0;
    /// `FILE_ALL_ACCESS`.
    pub const FILE_ALL: u32 = 0x1f_01ff;
    /// `MAXIMUM_ALLOWED`.
    pub const MAXIMUM_ALLOWED: u32 = 0x0200_0000;

    /// Replaces generic rights by those of files.
    pub fn map_generic(mask: u32) -> u32 {
        let pairs = [
            (0x8000_0000, FILE_READ),
            (0x4000_0000, FILE_WRITE),
            (0x2000_0000, FILE_EXECUTE),
            (0x1000_0000, FILE_ALL),
        ];
        let specific = pairs.iter().filter(|pair| mask & pair.0 != 0).fold(mask, |mask, pair| mask | pair.1);
        specific & 0x0fff_ffff
    }
}

/// What an open file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file on a disk.
    Disk,
    /// A directory.
    Directory,
    /// A pipe or a socket.
    Pipe,
    /// The console's input.
    ConsoleInput,
    /// The console's output.
    ConsoleOutput,
    /// `NUL` or another character device.
    Character,
}

/// From where a position is counted: `FILE_BEGIN`, `FILE_CURRENT`, `FILE_END`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekOrigin {
    /// The beginning.
    Begin,
    /// The position.
    Current,
    /// The end.
    End,
}

/// How a file was opened, beyond its access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileTraits {
    /// Opened with `FILE_FLAG_OVERLAPPED`: there is no position, every transfer says where.
    pub overlapped: bool,
    /// The name goes away when the last handle is closed.
    pub delete_on_close: bool,
    /// It is the mount manager, whose control codes are answered.
    pub is_mount_manager: bool,
}

/// What a file object gives back when it goes away.
pub(crate) struct Registration {
    pub(crate) shares: Arc<ShareTable>,
    pub(crate) locks: Arc<LockTable>,
    pub(crate) file: FileId,
    pub(crate) claim: Claim,
}

/// An open file, directory, pipe, console or device.
pub struct FileObject {
    pub(crate) file: File,
    /// What it is.
    pub kind: FileKind,
    /// How it was opened.
    pub traits: FileTraits,
    /// Its Unix path, where it was opened by one.
    pub(crate) path: Mutex<Option<PathBuf>>,
    pub(crate) registration: Option<Registration>,
    /// An enumeration of a directory, begun by `NtQueryDirectoryFile`.
    pub(crate) listing: Mutex<Option<super::file_find::Enumeration>>,
    /// Transfers under way, and whom they tell.
    pub(crate) transfers: super::pipe_transfer::Transfers,
}

impl Object for FileObject {
    fn kind(&self) -> ObjectKind {
        ObjectKind::File
    }

    /// The name of a pipe is free, and a client sees its end closed, once the handle is.
    fn settle(&self) {
        if self.transfers.may_wait() {
            plat_host::service::settle();
        }
    }

    fn waitable(&self) -> Option<&dyn Waitable> {
        match self.kind {
            FileKind::ConsoleInput => Some(super::console::input::waitable(self)),
            _ => Some(self),
        }
    }
}

/// A file is signalled while no transfer is under way.
impl Waitable for FileObject {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        !self.transfers.is_busy()
    }
}

impl Drop for FileObject {
    fn drop(&mut self) {
        if self.transfers.is_busy() {
            self.cancel_transfers(None, NtStatus::CANCELLED);
        }
        if let Some(end) = self.transfers.socket.get() {
            lock(&end.selection).give_up();
            super::afd::reconsider_end(end);
        }
        if self.transfers.screen.get().is_some()
            && let Some(process) = crate::process::Process::current()
        {
            process.files.console.remove_screen(self);
        }
        let Some(registration) = &self.registration else { return };
        registration.locks.release(std::ptr::from_ref(&*self) as usize);
        let file = registration.file;
        if self.traits.delete_on_close {
            registration.shares.set_delete(file, lock(&self.path).clone());
        }
        if let Some(path) = registration.shares.close(file, registration.claim) {
            super::file_names::remove_if_same(&path, file);
        }
    }
}

impl FileObject {
    /// Wraps a descriptor that was not opened by path: a standard one, or an end of a pipe.
    ///
    /// # Errors
    /// What the kernel says to the question what it is.
    pub fn of_descriptor(file: File) -> Result<Self, NtStatus> {
        let kind = kind_of(&file, file.identity().map_err(status_of)?.kind);
        let (path, listing) = (Mutex::new(None), Mutex::new(None));
        let (traits, transfers) = Default::default();
        Ok(Self { file, kind, traits, path, registration: None, listing, transfers })
    }

    /// Reads up to `length` bytes into guest memory, at the position or at `offset`.
    ///
    /// # Errors
    /// - `END_OF_FILE` at the end of a disk file when `offset` is given
    /// - `PIPE_BROKEN` when a pipe's writers are gone
    /// - `INVALID_USER_BUFFER` for a bad buffer, `FILE_LOCK_CONFLICT`, `INVALID_DEVICE_REQUEST` for a directory
    pub fn read_to_guest(&self, address: u64, length: u64, offset: Option<u64>) -> Result<u64, NtStatus> {
        if self.kind == FileKind::Directory {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        if self.transfers.pipe.get().is_some() {
            return self.read_pipe_to_guest(address, length);
        }
        if self.transfers.socket.get().is_some() {
            return self.move_as_file(address, length, false);
        }
        let offset = if self.kind == FileKind::Disk { offset } else { None };
        self.check_locks(offset, length, false)?;
        let whole = self.kind == FileKind::Disk;
        let read = self.file.read_to_guest(address, length, offset, whole).map_err(transfer_status)?;
        self.finish_read(read, length, offset)
    }

    /// Reads into host memory, for code that is not the guest's.
    ///
    /// # Errors
    /// As for [`FileObject::read_to_guest`].
    pub fn read(&self, into: &mut [u8], offset: Option<u64>) -> Result<u64, NtStatus> {
        if self.kind == FileKind::Directory {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        let length = into.len() as u64;
        let offset = if self.kind == FileKind::Disk { offset } else { None };
        self.check_locks(offset, length, false)?;
        let read = self.file.read(into, offset).map_err(status_of)? as u64;
        self.finish_read(read, length, offset)
    }

    /// Reads from a named pipe: what there is, or a message.
    fn read_pipe_to_guest(&self, address: u64, length: u64) -> Result<u64, NtStatus> {
        const PIECE: u64 = 1 << 20;
        let wanted = length.min(PIECE) as usize;
        let end = self.pipe_end()?;
        let is_impatient = end.is_impatient.load(std::sync::atomic::Ordering::Relaxed);
        let (bytes, more) = if is_impatient {
            self.receive_now(wanted).unwrap_or(Err(NtStatus::PIPE_EMPTY))?
        } else {
            self.receive_message(wanted)?
        };
        plat_host::memory::write(address, &bytes).map_err(|_| NtStatus::ACCESS_VIOLATION)?;
        if more { Err(NtStatus::BUFFER_OVERFLOW) } else { Ok(bytes.len() as u64) }
    }

    fn finish_read(&self, read: u64, length: u64, offset: Option<u64>) -> Result<u64, NtStatus> {
        if read == 0 && length != 0 {
            match self.kind {
                FileKind::Pipe => return Err(NtStatus::PIPE_BROKEN),
                FileKind::Disk if offset.is_some() => return Err(NtStatus::END_OF_FILE),
                _ => {}
            }
        }
        self.advance(offset, read);
        Ok(read)
    }

    /// Writes `length` bytes from guest memory, at the position or at `offset` (`u64::MAX`: at the end).
    ///
    /// # Errors
    /// - `DISK_FULL` when not one byte fits
    /// - `PIPE_CLOSING` when a pipe's readers are gone
    /// - `INVALID_USER_BUFFER` for a bad buffer, `FILE_LOCK_CONFLICT`, `INVALID_DEVICE_REQUEST` for a directory
    pub fn write_from_guest(&self, address: u64, length: u64, offset: Option<u64>) -> Result<u64, NtStatus> {
        let offset = self.prepare_write(length, offset)?;
        if let Some(end) = self.transfers.pipe.get() {
            self.check_writable()?;
            if end.traits.messages {
                let mut bytes = vec![0; usize::try_from(length).map_err(|_| NtStatus::INVALID_PARAMETER)?];
                plat_host::memory::read(address, &mut bytes).map_err(|_| NtStatus::INVALID_USER_BUFFER)?;
                return self.send_message(&bytes);
            }
        }
        if self.transfers.socket.get().is_some() {
            return self.move_as_file(address, length, true);
        }
        let written = self.file.write_from_guest(address, length, offset).map_err(transfer_status)?;
        self.advance(offset, written);
        // Windows writes all or nothing; what was written stays, as it does there when a disk fills up.
        if written < length { Err(NtStatus::DISK_FULL) } else { Ok(written) }
    }

    /// Writes host memory, for code that is not the guest's.
    ///
    /// # Errors
    /// As for [`FileObject::write_from_guest`].
    pub fn write(&self, from: &[u8], offset: Option<u64>) -> Result<u64, NtStatus> {
        let offset = self.prepare_write(from.len() as u64, offset)?;
        if let Some(end) = self.transfers.pipe.get() {
            self.check_writable()?;
            if end.traits.messages {
                return self.send_message(from);
            }
        }
        self.file.write(from, offset).map_err(status_of)?;
        self.advance(offset, from.len() as u64);
        Ok(from.len() as u64)
    }

    fn prepare_write(&self, length: u64, offset: Option<u64>) -> Result<Option<u64>, NtStatus> {
        if self.kind == FileKind::Directory {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        let offset = match offset {
            Some(u64::MAX) if self.kind == FileKind::Disk => Some(self.size()?),
            other if self.kind == FileKind::Disk => other,
            _ => None,
        };
        self.check_locks(offset, length, true)?;
        Ok(offset)
    }

    /// A transfer at a place of its own moves the position of a synchronous file, too.
    fn advance(&self, offset: Option<u64>, moved: u64) {
        if let Some(offset) = offset
            && !self.traits.overlapped
        {
            // The transfer was done; a position that cannot be set shows at the next one.
            let _ = self.file.seek(offset.saturating_add(moved));
        }
    }

    #[inline]
    fn check_locks(&self, offset: Option<u64>, length: u64, is_write: bool) -> Result<(), NtStatus> {
        let Some(registration) = &self.registration else { return Ok(()) };
        if registration.locks.is_empty() {
            return Ok(());
        }
        let start = offset.unwrap_or_else(|| self.file.position().unwrap_or(0));
        let owner = std::ptr::from_ref(self) as usize;
        registration.locks.check(registration.file, owner, (start, length), is_write)
    }

    /// Locks a range of bytes.
    ///
    /// # Errors
    /// `LOCK_NOT_GRANTED`; `INVALID_DEVICE_REQUEST` for what is no disk file.
    pub fn lock_range(&self, start: u64, length: u64, exclusive: bool, wait: bool) -> Result<(), NtStatus> {
        let registration = self.lockable()?;
        let who = (registration.file, std::ptr::from_ref(self) as usize);
        file_lock::lock_file(&registration.locks, &self.file, who, (start, length), exclusive, wait)
    }

    /// Unlocks a range of bytes.
    ///
    /// # Errors
    /// `RANGE_NOT_LOCKED`; `INVALID_DEVICE_REQUEST` for what is no disk file.
    pub fn unlock_range(&self, start: u64, length: u64) -> Result<(), NtStatus> {
        let registration = self.lockable()?;
        let who = (registration.file, std::ptr::from_ref(self) as usize);
        file_lock::unlock_file(&registration.locks, &self.file, who, (start, length))
    }

    fn lockable(&self) -> Result<&Registration, NtStatus> {
        let registration = self.registration.as_ref().filter(|_| self.kind == FileKind::Disk);
        registration.ok_or(NtStatus::INVALID_DEVICE_REQUEST)
    }

    /// Returns the size in bytes.
    ///
    /// # Errors
    /// `INVALID_DEVICE_REQUEST` for consoles and devices.
    pub fn size(&self) -> Result<u64, NtStatus> {
        match self.kind {
            FileKind::Disk | FileKind::Directory => Ok(self.file.identity().map_err(status_of)?.size),
            FileKind::Pipe => Ok(0),
            _ => Err(NtStatus::INVALID_DEVICE_REQUEST),
        }
    }

    /// Moves the position; returns the new one.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a position before the beginning; `INVALID_DEVICE_REQUEST` for consoles and pipes.
    pub fn seek(&self, distance: i64, origin: SeekOrigin) -> Result<u64, NtStatus> {
        let base = match (self.kind, origin) {
            (FileKind::Disk, SeekOrigin::Begin) => 0,
            (FileKind::Disk, SeekOrigin::Current) => self.position()?,
            (FileKind::Disk, SeekOrigin::End) => self.size()?,
            // NUL and directories take any position and have none.
            (FileKind::Character | FileKind::Directory, _) => return Ok(0),
            _ => return Err(NtStatus::INVALID_DEVICE_REQUEST),
        };
        let position = base.checked_add_signed(distance).filter(|&position| position <= i64::MAX as u64);
        let position = position.ok_or(NtStatus::INVALID_PARAMETER)?;
        if (origin, distance) != (SeekOrigin::Current, 0) {
            self.file.seek(position).map_err(status_of)?;
        }
        Ok(position)
    }

    /// Returns the position.
    ///
    /// # Errors
    /// `INVALID_DEVICE_REQUEST` for what has none.
    pub fn position(&self) -> Result<u64, NtStatus> {
        self.file.position().map_err(status_of)
    }

    /// Sets the size in bytes; the position stays.
    ///
    /// # Errors
    /// `DISK_FULL`, `FILE_TOO_LARGE`, `INVALID_DEVICE_REQUEST` for what is no disk file.
    pub fn set_size(&self, size: u64) -> Result<(), NtStatus> {
        if self.kind != FileKind::Disk {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        self.file.set_size(size).map_err(status_of)
    }

    /// Writes what the kernel holds to the disk; consoles and pipes have nothing to flush.
    ///
    /// # Errors
    /// The disk's error.
    pub fn flush(&self) -> Result<(), NtStatus> {
        match self.kind {
            FileKind::Disk => self.file.flush().map_err(status_of),
            FileKind::ConsoleInput | FileKind::ConsoleOutput => Err(NtStatus::INVALID_HANDLE),
            _ => Ok(()),
        }
    }

    /// Returns the open file's Unix path, if it has one.
    pub fn unix_path(&self) -> Option<PathBuf> {
        let stored = lock(&self.path).clone();
        stored.or_else(|| self.file.path().ok().filter(|path| path.is_absolute()))
    }

    /// Returns the bytes that can be read from a pipe or terminal without waiting.
    ///
    /// # Errors
    /// `PIPE_BROKEN` when there are none and the writers are gone.
    pub fn available(&self) -> Result<u64, NtStatus> {
        if self.transfers.pipe.get().is_some() {
            return self.look_into(0).map(|found| found.0);
        }
        let available = self.file.available().map_err(status_of)?;
        let is_over = available == 0 && self.kind == FileKind::Pipe && self.file.is_hung_up();
        if is_over { Err(NtStatus::PIPE_BROKEN) } else { Ok(available) }
    }

    /// Returns up to `length` bytes of a pipe without taking them out.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn peek(&self, length: usize) -> Result<Vec<u8>, NtStatus> {
        if self.transfers.pipe.get().is_some() {
            return self.look_into(length).map(|found| found.2);
        }
        if self.available()? == 0 {
            return Ok(Vec::new());
        }
        self.file.peek(length).map_err(status_of)
    }
}

/// Decides what an open descriptor is.
pub(crate) fn kind_of(file: &File, kind: Kind) -> FileKind {
    match kind {
        Kind::Regular | Kind::Block | Kind::Link => FileKind::Disk,
        Kind::Directory => FileKind::Directory,
        Kind::Pipe => FileKind::Pipe,
        Kind::Character if file.is_terminal() => match file.access() {
            // A shell opens its terminal once for all three; the number tells what it is for.
            Ok((true, true)) if file.number() > 0 => FileKind::ConsoleOutput,
            Ok((false, true)) => FileKind::ConsoleOutput,
            _ => FileKind::ConsoleInput,
        },
        Kind::Character => FileKind::Character,
    }
}

fn transfer_status(error: TransferError) -> NtStatus {
    match error {
        // A descriptor that is not open for this direction.
        TransferError::Errno(9) => NtStatus::ACCESS_DENIED,
        TransferError::Errno(number) => status_of(Errno(number)),
        TransferError::Fault(_) => NtStatus::ACCESS_VIOLATION,
    }
}
