//! What the runtime needs of Windows handles: open, read, write, seek, kind, close, as plain Rust over [`crate::nt`].

use std::sync::Arc;

use crate::Win32Error;
use crate::guest::Guest;
use crate::logic::path::Target;
use crate::nt::file::{FileKind, FileObject, SeekOrigin, access};
pub(crate) use crate::nt::file_open::Disposition;
use crate::nt::file_open::{CreateOptions, Request};
use crate::nt::file_standard::{self, Standard};
use crate::nt::handle::HandleFlags;

/// What lies behind a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file that can be sought.
    Disk,
    /// A console or another character device.
    Character,
    /// A pipe.
    Pipe,
}

/// From where a position is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whence {
    /// The beginning.
    Start,
    /// The current position.
    Current,
    /// The end.
    End,
}

/// A wish to open a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// `FILE_SHARE_…`.
    pub(crate) share: u32,
    pub(crate) disposition: Disposition,
    /// Whether a new file is read-only.
    pub(crate) read_only: bool,
    /// The file goes away when closed.
    pub(crate) temporary: bool,
    /// Child processes get the handle too.
    pub(crate) inherit: bool,
}

/// `FILE_ATTRIBUTE_READONLY`, `FILE_ATTRIBUTE_NORMAL`.
const READ_ONLY: u32 = 1;
const NORMAL: u32 = 0x80;
/// `FILE_SHARE_DELETE`.
const SHARE_DELETE: u32 = 4;

/// Returns the handle of standard input, output or error (0 to 2); 0 where there is none.
pub(crate) fn standard(guest: &Guest, index: usize) -> u64 {
    let which = [Standard::Input, Standard::Output, Standard::Error];
    which.get(index).map_or(0, |&which| file_standard::handle(guest.process(), which))
}

fn file(guest: &Guest, handle: u64, needed: u32) -> Result<Arc<FileObject>, Win32Error> {
    file_standard::file(guest.process(), handle, needed).map_err(|status| status.to_win32())
}

/// Tells what lies behind a handle.
pub(crate) fn kind(guest: &Guest, handle: u64) -> Result<Kind, Win32Error> {
    Ok(match file(guest, handle, 0)?.kind {
        FileKind::Disk | FileKind::Directory => Kind::Disk,
        FileKind::Pipe => Kind::Pipe,
        FileKind::ConsoleInput | FileKind::ConsoleOutput | FileKind::Character => Kind::Character,
    })
}

/// Writes at the current position; returns how many bytes.
pub(crate) fn write(guest: &Guest, handle: u64, bytes: &[u8]) -> Result<usize, Win32Error> {
    let file = file(guest, handle, access::WRITE_DATA | access::APPEND_DATA)?;
    let written = file.write(bytes, None).map_err(|status| status.to_win32())?;
    Ok(written as usize)
}

/// Writes guest memory at the current position; returns how many bytes.
pub(crate) fn write_from_guest(
    guest: &Guest,
    handle: u64,
    address: u64,
    length: u64,
) -> Result<u64, Win32Error> {
    let file = file(guest, handle, access::WRITE_DATA | access::APPEND_DATA)?;
    file.write_from_guest(address, length, None).map_err(|status| status.to_win32())
}

/// Reads at the current position; returns how many bytes, 0 at the end.
pub(crate) fn read(guest: &Guest, handle: u64, into: &mut [u8]) -> Result<usize, Win32Error> {
    let read = file(guest, handle, access::READ_DATA)?.read(into, None);
    read.map(|count| count as usize).map_err(|status| status.to_win32())
}

/// Reads into guest memory at the current position; returns how many bytes, 0 at the end.
pub(crate) fn read_to_guest(
    guest: &Guest,
    handle: u64,
    address: u64,
    length: u64,
) -> Result<u64, Win32Error> {
    let read = file(guest, handle, access::READ_DATA)?.read_to_guest(address, length, None);
    read.map_err(|status| status.to_win32())
}

/// Moves the position; returns the new one.
pub(crate) fn seek(guest: &Guest, handle: u64, offset: i64, whence: Whence) -> Result<u64, Win32Error> {
    let origin = match whence {
        Whence::Start => SeekOrigin::Begin,
        Whence::Current => SeekOrigin::Current,
        Whence::End => SeekOrigin::End,
    };
    file(guest, handle, 0)?.seek(offset, origin).map_err(|status| status.to_win32())
}

/// Opens or makes a file; returns its handle.
pub(crate) fn open(guest: &Guest, path: &[u16], wish: Wish) -> Result<u64, Win32Error> {
    if path.is_empty() {
        return Err(Win32Error::PATH_NOT_FOUND);
    }
    let mut options = CreateOptions::SYNCHRONOUS_IO_NONALERT | CreateOptions::NON_DIRECTORY_FILE;
    let mut rights = access::SYNCHRONIZE | access::READ_ATTRIBUTES;
    rights |= if wish.read { access::FILE_READ } else { 0 };
    rights |= if wish.write { access::FILE_WRITE } else { 0 };
    let mut share = wish.share;
    if wish.temporary {
        options |= CreateOptions::DELETE_ON_CLOSE;
        rights |= access::DELETE;
        share |= SHARE_DELETE;
    }
    let attributes = if wish.read_only { READ_ONLY } else { NORMAL };
    let request =
        Request { access: rights, share, disposition: wish.disposition, options, attributes, mode: None };
    let files = &guest.process().files;
    let object = match files.resolve(path)? {
        Target::Device(device) => files.open_device(device, rights).map_err(|status| status.to_win32())?,
        Target::File { unix, .. } => {
            let opened = files.open(unix, &request);
            opened.map_err(|status| status.to_win32())?.0
        }
    };
    let flags = if wish.inherit { HandleFlags::INHERIT } else { HandleFlags::empty() };
    Ok(guest.process().handles.insert(Arc::new(object), rights, flags))
}

/// Makes a second handle of the same object.
pub(crate) fn duplicate(guest: &Guest, handle: u64) -> Result<u64, Win32Error> {
    let handles = &guest.process().handles;
    let entry = handles.entry(handle).map_err(|status| status.to_win32())?;
    Ok(handles.insert(entry.object, entry.access, entry.flags))
}

/// Cuts or extends a file.
pub(crate) fn set_size(guest: &Guest, handle: u64, size: u64) -> Result<(), Win32Error> {
    file(guest, handle, access::WRITE_DATA)?.set_size(size).map_err(|status| status.to_win32())
}

/// Writes a file's contents to the disk.
pub(crate) fn flush(guest: &Guest, handle: u64) -> Result<(), Win32Error> {
    file(guest, handle, access::WRITE_DATA)?.flush().map_err(|status| status.to_win32())
}

/// Locks a range of bytes exclusively, or fails at once.
pub(crate) fn lock_range(guest: &Guest, handle: u64, start: u64, length: u64) -> Result<(), Win32Error> {
    let file = file(guest, handle, 0)?;
    file.lock_range(start, length, true, false).map_err(|status| status.to_win32())
}

/// Unlocks a range of bytes.
pub(crate) fn unlock_range(guest: &Guest, handle: u64, start: u64, length: u64) -> Result<(), Win32Error> {
    file(guest, handle, 0)?.unlock_range(start, length).map_err(|status| status.to_win32())
}

/// Closes a handle.
pub(crate) fn close(guest: &Guest, handle: u64) -> Result<(), Win32Error> {
    file_standard::close(guest.process(), handle).map_err(|status| status.to_win32())
}
