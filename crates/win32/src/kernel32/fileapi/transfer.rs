//! Reading, writing, position and size.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::open::file;
use crate::guest::{Bool, Guest, OrMinusOne, TRUE};
use crate::nt::file::{FileKind, FileObject, SeekOrigin, access};
use crate::{NtStatus, Win32Error};

const WRITES: u32 = access::WRITE_DATA | access::APPEND_DATA;

/// Where an overlapped transfer is told of.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
pub(in crate::kernel32) struct OVERLAPPED {
    pub(in crate::kernel32) Internal: GuestWord,
    pub(in crate::kernel32) InternalHigh: GuestWord,
    pub(in crate::kernel32) Offset: u32,
    pub(in crate::kernel32) OffsetHigh: u32,
    pub(in crate::kernel32) hEvent: GuestWord,
}

impl OVERLAPPED {
    fn offset(&self) -> u64 {
        u64::from(self.Offset) | u64::from(self.OffsetHigh) << 32
    }
}

/// The place for a transfer, if the caller gives one.
fn offset_of(guest: &Guest, file: &FileObject, overlapped: GuestWord) -> Result<Option<u64>, Win32Error> {
    if overlapped.is_null() {
        // An overlapped handle has no position to fall back on.
        let lacks = file.traits.overlapped && file.kind == FileKind::Disk;
        return if lacks { Err(Win32Error::INVALID_PARAMETER) } else { Ok(None) };
    }
    Ok(Some(guest.read::<OVERLAPPED>(overlapped.0)?.offset()))
}

/// Tells the outcome of a transfer in the caller's count and OVERLAPPED. All transfers are complete on return.
fn tell(
    guest: &Guest,
    count: GuestWord,
    overlapped: GuestWord,
    outcome: Result<u64, NtStatus>,
) -> Result<Bool, Win32Error> {
    let (status, moved) = match outcome {
        Ok(moved) => (NtStatus::SUCCESS, moved),
        Err(status) => (status, 0),
    };
    if !count.is_null() {
        guest.write_bytes(count.0, &(moved as u32).to_le_bytes())?;
    }
    if !overlapped.is_null() {
        guest.write_word(overlapped.0, u64::from(status.0))?;
        guest.write_word(overlapped.0 + guest.machine().pointer_size(), moved)?;
    }
    outcome?;
    Ok(TRUE)
}

/// Reads from a file, a pipe or the console.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfile>
#[winapi]
pub fn ReadFile(
    guest: &mut Guest,
    hFile: GuestWord,
    lpBuffer: GuestWord,
    nNumberOfBytesToRead: u32,
    lpNumberOfBytesRead: GuestWord,
    lpOverlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hFile, access::READ_DATA)?;
    let length = u64::from(nNumberOfBytesToRead);
    let offset = offset_of(guest, &file, lpOverlapped)?;
    let outcome = if file.kind == FileKind::ConsoleInput {
        let text = guest.process().files.console.read_bytes(&file, length as usize);
        text.and_then(|text| Ok(guest.write_bytes(lpBuffer.0, &text).map(|()| text.len() as u64)?))
    } else {
        file.read_to_guest(lpBuffer.0, length, offset)
    };
    tell(guest, lpNumberOfBytesRead, lpOverlapped, outcome)
}

/// Writes to a file, a pipe or the console.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-writefile>
#[winapi]
pub fn WriteFile(
    guest: &mut Guest,
    hFile: GuestWord,
    lpBuffer: GuestWord,
    nNumberOfBytesToWrite: u32,
    lpNumberOfBytesWritten: GuestWord,
    lpOverlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hFile, WRITES)?;
    let length = u64::from(nNumberOfBytesToWrite);
    let offset = offset_of(guest, &file, lpOverlapped)?;
    let outcome = if file.kind == FileKind::ConsoleOutput {
        let text = guest.read_vec(lpBuffer.0, length)?;
        guest.process().files.console.write_bytes(&file, &text).map(|()| length)
    } else {
        file.write_from_guest(lpBuffer.0, length, offset)
    };
    tell(guest, lpNumberOfBytesWritten, lpOverlapped, outcome)
}

fn origin(method: u32) -> Result<SeekOrigin, Win32Error> {
    match method {
        0 => Ok(SeekOrigin::Begin),
        1 => Ok(SeekOrigin::Current),
        2 => Ok(SeekOrigin::End),
        _ => Err(Win32Error::INVALID_PARAMETER),
    }
}

/// Moves the position; an impossible one is told apart from a bad method.
fn seek(guest: &Guest, handle: GuestWord, distance: i64, method: u32) -> Result<u64, Win32Error> {
    let file = file(guest, handle, 0)?;
    file.seek(distance, origin(method)?).map_err(|status| match status {
        NtStatus::INVALID_PARAMETER => Win32Error::NEGATIVE_SEEK,
        NtStatus::INVALID_DEVICE_REQUEST if file.kind == FileKind::Pipe => Win32Error::SEEK_ON_DEVICE,
        NtStatus::INVALID_DEVICE_REQUEST => Win32Error::INVALID_HANDLE,
        other => other.to_win32(),
    })
}

/// Moves a file's position.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilepointer>
#[winapi]
pub fn SetFilePointer(
    guest: &mut Guest,
    hFile: GuestWord,
    lDistanceToMove: i32,
    lpDistanceToMoveHigh: GuestWord,
    dwMoveMethod: u32,
) -> Result<OrMinusOne, Win32Error> {
    if lpDistanceToMoveHigh.is_null() {
        let before = file(guest, hFile, 0)?.position().unwrap_or(0);
        let position = seek(guest, hFile, i64::from(lDistanceToMove), dwMoveMethod)?;
        let Ok(position) = u32::try_from(position) else {
            // The caller cannot be told so high a position: nothing moves.
            seek(guest, hFile, before as i64, 0)?;
            return Err(Win32Error::INVALID_PARAMETER);
        };
        if position == u32::MAX {
            guest.set_last_error(Win32Error::SUCCESS);
        }
        return Ok(OrMinusOne(position));
    }
    let high = guest.read_u32(lpDistanceToMoveHigh.0)?;
    let distance = i64::from(high as i32) << 32 | i64::from(lDistanceToMove as u32);
    let position = seek(guest, hFile, distance, dwMoveMethod)?;
    guest.write_bytes(lpDistanceToMoveHigh.0, &((position >> 32) as u32).to_le_bytes())?;
    if position as u32 == u32::MAX {
        guest.set_last_error(Win32Error::SUCCESS);
    }
    Ok(OrMinusOne(position as u32))
}

/// Moves a file's position.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilepointerex>
#[winapi]
pub fn SetFilePointerEx(
    guest: &mut Guest,
    hFile: GuestWord,
    liDistanceToMove: i64,
    lpNewFilePointer: GuestWord,
    dwMoveMethod: u32,
) -> Result<Bool, Win32Error> {
    let position = seek(guest, hFile, liDistanceToMove, dwMoveMethod)?;
    if !lpNewFilePointer.is_null() {
        guest.write_bytes(lpNewFilePointer.0, &position.to_le_bytes())?;
    }
    Ok(TRUE)
}

fn size(guest: &Guest, handle: GuestWord) -> Result<u64, Win32Error> {
    let file = file(guest, handle, 0)?;
    file.size().map_err(|status| match status {
        NtStatus::INVALID_DEVICE_REQUEST if file.kind != FileKind::Character => Win32Error::INVALID_HANDLE,
        other => other.to_win32(),
    })
}

/// Returns the low half of a file's size; stores the high half.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfilesize>
#[winapi]
pub fn GetFileSize(
    guest: &mut Guest,
    hFile: GuestWord,
    lpFileSizeHigh: GuestWord,
) -> Result<OrMinusOne, Win32Error> {
    let size = size(guest, hFile)?;
    if !lpFileSizeHigh.is_null() {
        guest.write_bytes(lpFileSizeHigh.0, &((size >> 32) as u32).to_le_bytes())?;
    }
    if size as u32 == u32::MAX {
        guest.set_last_error(Win32Error::SUCCESS);
    }
    Ok(OrMinusOne(size as u32))
}

/// Stores a file's size.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfilesizeex>
#[winapi]
pub fn GetFileSizeEx(guest: &mut Guest, hFile: GuestWord, lpFileSize: GuestWord) -> Result<Bool, Win32Error> {
    let size = size(guest, hFile)?;
    guest.write_bytes(lpFileSize.0, &size.to_le_bytes())?;
    Ok(TRUE)
}

/// Ends the file at the position.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setendoffile>
#[winapi]
pub fn SetEndOfFile(guest: &mut Guest, hFile: GuestWord) -> Result<Bool, Win32Error> {
    let file = file(guest, hFile, access::WRITE_DATA)?;
    file.set_size(file.position()?)?;
    Ok(TRUE)
}

/// Writes what the system still holds to the disk.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-flushfilebuffers>
#[winapi]
pub fn FlushFileBuffers(guest: &mut Guest, hFile: GuestWord) -> Result<Bool, Win32Error> {
    file(guest, hFile, WRITES)?.flush()?;
    Ok(TRUE)
}
