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

/// Closes a handle.
pub(super) fn close(guest: &Guest, handle: u64) -> Result<(), NtStatus> {
    guest.process().handles.close(handle).map(drop)
}
