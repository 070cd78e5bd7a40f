//! What the runtime needs of Windows handles: read, write, seek, kind, close, as plain Rust.

use crate::NtStatus;
use crate::guest::Guest;

/// What lies behind a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file that can be sought.
    Disk,
    /// A console or another character device.
    Character,
    /// A pipe.
    Pipe,
}

/// From where a position is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whence {
    /// The beginning.
    Start,
    /// The current position.
    Current,
    /// The end.
    End,
}

/// Tells what lies behind a handle.
pub(super) fn kind(guest: &Guest, handle: u64) -> Result<Kind, NtStatus> {
    let _ = guest;
    if handle == 0 || handle > 12 { Err(NtStatus::INVALID_HANDLE) } else { Ok(Kind::Pipe) }
}

/// Writes at the current position; returns how many bytes.
pub(super) fn write(guest: &Guest, handle: u64, bytes: &[u8]) -> Result<usize, NtStatus> {
    let _ = guest;
    plat_host::stdio::write_all((handle / 4).saturating_sub(1) as i32, bytes)
        .map(|()| bytes.len())
        .map_err(NtStatus::from_errno)
}

/// Reads at the current position; returns how many bytes, 0 at the end.
pub(super) fn read(guest: &Guest, handle: u64, into: &mut [u8]) -> Result<usize, NtStatus> {
    let _ = (guest, handle, into);
    Err(NtStatus::NOT_IMPLEMENTED)
}

/// Moves the position; returns the new one.
pub(super) fn seek(guest: &Guest, handle: u64, offset: i64, whence: Whence) -> Result<u64, NtStatus> {
    let _ = (guest, handle, offset, whence);
    Err(NtStatus::NOT_IMPLEMENTED)
}

/// What to do when a file is there, and when it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Open, or fail.
    Open,
    /// Fail, or make.
    Create,
    /// Open, or make.
    OpenIf,
    /// Empty, or fail.
    Overwrite,
    /// Empty, or make.
    OverwriteIf,
}

/// A wish to open a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) read: bool,
    pub(super) write: bool,
    /// `FILE_SHARE_…`.
    pub(super) share: u32,
    pub(super) disposition: Disposition,
    /// Whether a new file is read-only.
    pub(super) read_only: bool,
    /// The file goes away when closed.
    pub(super) temporary: bool,
    /// Child processes get the handle too.
    pub(super) inherit: bool,
}

/// Opens or makes a file; returns its handle.
pub(super) fn open(guest: &Guest, path: &[u16], wish: Wish) -> Result<u64, NtStatus> {
    let _ = (guest, path, wish);
    Err(NtStatus::NOT_IMPLEMENTED)
}

/// Makes a second handle of the same object.
pub(super) fn duplicate(guest: &Guest, handle: u64) -> Result<u64, NtStatus> {
    let handles = &guest.process().handles;
    let entry = handles.entry(handle)?;
    Ok(handles.insert(entry.object, entry.access, entry.flags))
}

/// Cuts or extends a file.
pub(super) fn set_size(guest: &Guest, handle: u64, size: u64) -> Result<(), NtStatus> {
    let _ = (guest, handle, size);
    Err(NtStatus::NOT_IMPLEMENTED)
}

/// Writes a file's contents to the disk.
pub(super) fn flush(guest: &Guest, handle: u64) -> Result<(), NtStatus> {
    let _ = (guest, handle);
    Err(NtStatus::NOT_IMPLEMENTED)
}

/// Closes a handle.
pub(super) fn close(guest: &Guest, handle: u64) -> Result<(), NtStatus> {
    guest.process().handles.close(handle).map(drop)
}
