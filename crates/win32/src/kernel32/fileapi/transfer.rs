//! Reading, writing, position and size.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::open::file;
use crate::guest::{Bool, Guest, OrMinusOne, TRUE};
use crate::nt::completion::Completion;
use crate::nt::console::lines::Control;
use crate::nt::file::{FileKind, FileObject, SeekOrigin, access};
use crate::nt::pipe_transfer::{Pending, Work};
use crate::nt::thread::Apc;
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

/// A transfer that a guest asked for: where in the file, and who is to be told.
struct Transfer {
    offset: Option<u64>,
    count: GuestWord,
    overlapped: GuestWord,
    completion: Completion,
    /// Bytes that were asked for.
    asked: u64,
}

impl Transfer {
    /// Reads what the caller said in its OVERLAPPED, resets its event and marks it as pending.
    fn begin(
        guest: &Guest,
        file: &FileObject,
        count: GuestWord,
        overlapped: GuestWord,
        apc: Option<Apc>,
    ) -> Result<Self, NtStatus> {
        if overlapped.is_null() {
            // An overlapped handle has no position to fall back on.
            if file.traits.overlapped && file.kind == FileKind::Disk {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            return Ok(Self { offset: None, count, overlapped, completion: Completion::default(), asked: 0 });
        }
        let block: OVERLAPPED = guest.read(overlapped.0)?;
        // A completion routine leaves the event to its owner's own use.
        let event = if apc.is_some() { 0 } else { block.hEvent.0 };
        let completion = Completion::begin(guest.process(), file, event, apc)?;
        guest.write_word(overlapped.0, u64::from(NtStatus::PENDING.0))?;
        Ok(Self { offset: Some(block.offset()), count, overlapped, completion, asked: 0 })
    }

    /// Says whether the transfer may go on after its function returned: those of overlapped pipes and sockets.
    fn may_wait(&self, file: &FileObject) -> bool {
        !self.overlapped.is_null() && file.traits.overlapped && file.transfers.may_wait()
    }

    fn read(
        mut self,
        guest: &Guest,
        file: &Arc<FileObject>,
        buffer: u64,
        length: u64,
    ) -> Result<Bool, Win32Error> {
        self.asked = length;
        if self.may_wait(file) {
            return self.work(guest, file, Work::Read { buffer, length });
        }
        let outcome = read(guest, file, buffer, length, self.offset);
        self.finish(guest, outcome)
    }

    fn write(
        self,
        guest: &Guest,
        file: &Arc<FileObject>,
        buffer: u64,
        length: u64,
    ) -> Result<Bool, Win32Error> {
        if self.may_wait(file) {
            let bytes = guest.read_vec(buffer, length)?;
            return self.work(guest, file, Work::Write { bytes, done: 0 });
        }
        let outcome = write(guest, file, buffer, length, self.offset);
        self.finish(guest, outcome)
    }

    /// Begins work of a pipe that may not be done at once.
    fn work(self, guest: &Guest, file: &Arc<FileObject>, work: Work) -> Result<Bool, Win32Error> {
        self.start(guest, file, work)?;
        Ok(TRUE)
    }

    /// Begins work; returns how many bytes went, if it was done at once.
    fn start(self, guest: &Guest, file: &Arc<FileObject>, work: Work) -> Result<u64, NtStatus> {
        let (block, is_64) = (self.overlapped.0, guest.machine().is_64());
        let Self { count, overlapped, completion, offset, asked } = self;
        let mut kept = Some(completion);
        let make = |work| Pending { work, block, is_64, completion: kept.take().unwrap_or_default() };
        let outcome = file.begin_transfer(work, make);
        if outcome == Err(NtStatus::PENDING) {
            return Err(NtStatus::PENDING);
        }
        let completion = kept.take().unwrap_or_default();
        Self { offset, count, overlapped, completion, asked }.settle(guest, outcome)
    }

    /// Tells the outcome in the caller's count and OVERLAPPED, then by event or call.
    fn finish(self, guest: &Guest, outcome: Result<u64, NtStatus>) -> Result<Bool, Win32Error> {
        self.settle(guest, outcome)?;
        Ok(TRUE)
    }

    fn settle(mut self, guest: &Guest, outcome: Result<u64, NtStatus>) -> Result<u64, NtStatus> {
        let (status, moved) = match outcome {
            Ok(moved) => (NtStatus::SUCCESS, moved),
            // A part of a message is there, and as long as was asked for.
            Err(NtStatus::BUFFER_OVERFLOW) => (NtStatus::BUFFER_OVERFLOW, self.asked),
            Err(status) => (status, 0),
        };
        if !self.count.is_null() {
            guest.write_bytes(self.count.0, &(moved as u32).to_le_bytes())?;
        }
        if !self.overlapped.is_null() {
            guest.write_word(self.overlapped.0, u64::from(status.0))?;
            guest.write_word(self.overlapped.0 + guest.machine().pointer_size(), moved)?;
        }
        outcome?;
        self.completion.set_packet(self.overlapped.0, moved);
        self.completion.set_arguments([0, moved, self.overlapped.0]);
        self.completion.succeed()?;
        Ok(moved)
    }
}

/// Begins a socket's transfer: where the count of bytes goes, the OVERLAPPED, the routine's call; returns how many bytes
/// went, if it was done at once.
///
/// # Errors
/// The transfer's status; `PENDING` when it goes on.
pub(crate) fn begin(
    guest: &Guest,
    file: &Arc<FileObject>,
    (count, overlapped, apc): (GuestWord, GuestWord, Option<Apc>),
    work: Work,
) -> Result<u64, NtStatus> {
    let mut transfer = Transfer::begin(guest, file, count, overlapped, apc)?;
    if let Work::Socket(work) = &work {
        transfer.asked = work.length();
    }
    transfer.start(guest, file, work)
}

/// Waits for a pipe's client without waiting: its coming is told as a transfer's end.
pub(in crate::kernel32) fn connect(
    guest: &Guest,
    file: &Arc<FileObject>,
    overlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    Transfer::begin(guest, file, GuestWord(0), overlapped, None)?.work(guest, file, Work::Connect)
}

/// Tells the outcome of what is no transfer of bytes between memory and file, but takes an OVERLAPPED as they do.
pub(crate) fn complete(
    guest: &Guest,
    file: &FileObject,
    count: GuestWord,
    overlapped: GuestWord,
    apc: Option<Apc>,
    act: impl FnOnce() -> Result<u64, NtStatus>,
) -> Result<Bool, Win32Error> {
    if overlapped.is_null() {
        let outcome = act();
        if !count.is_null() {
            guest.write_bytes(count.0, &(outcome.unwrap_or(0) as u32).to_le_bytes())?;
        }
        outcome?;
        return Ok(TRUE);
    }
    let transfer = Transfer::begin(guest, file, count, overlapped, apc)?;
    let outcome = act();
    transfer.finish(guest, outcome)
}

fn read(
    guest: &Guest,
    file: &FileObject,
    buffer: u64,
    length: u64,
    offset: Option<u64>,
) -> Result<u64, NtStatus> {
    if file.kind == FileKind::ConsoleInput {
        let console = &guest.process().files.console;
        let typed = console.read_bytes(file, length as usize, &Control::default())?;
        guest.write_bytes(buffer, &typed.text)?;
        if typed.is_interrupted {
            guest.teb().set_last_error(Win32Error::OPERATION_ABORTED);
        }
        return Ok(typed.text.len() as u64);
    }
    file.read_to_guest(buffer, length, offset)
}

fn write(
    guest: &Guest,
    file: &FileObject,
    buffer: u64,
    length: u64,
    offset: Option<u64>,
) -> Result<u64, NtStatus> {
    if file.kind == FileKind::ConsoleOutput {
        let text = guest.read_vec(buffer, length).map_err(|_| NtStatus::INVALID_USER_BUFFER)?;
        return guest.process().files.console.write_bytes(file, &text).map(|()| length);
    }
    file.write_from_guest(buffer, length, offset)
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
    let transfer = Transfer::begin(guest, &file, lpNumberOfBytesRead, lpOverlapped, None)?;
    transfer.read(guest, &file, lpBuffer.0, u64::from(nNumberOfBytesToRead))
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
    let transfer = Transfer::begin(guest, &file, lpNumberOfBytesWritten, lpOverlapped, None)?;
    transfer.write(guest, &file, lpBuffer.0, u64::from(nNumberOfBytesToWrite))
}

/// The call of a completion routine; its arguments are known when the transfer is complete.
pub(in crate::kernel32) fn completion_routine(routine: GuestWord) -> Option<Apc> {
    Some(Apc { function: routine.0, arguments: [0; 4], count: 3 })
}

/// Reads from a file opened for overlapped transfers; the routine is called when the thread waits alertably.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfileex>
#[winapi]
pub fn ReadFileEx(
    guest: &mut Guest,
    hFile: GuestWord,
    lpBuffer: GuestWord,
    nNumberOfBytesToRead: u32,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hFile, access::READ_DATA)?;
    let routine = completion_routine(lpCompletionRoutine);
    let transfer = Transfer::begin(guest, &file, GuestWord(0), lpOverlapped, routine)?;
    started(transfer.read(guest, &file, lpBuffer.0, u64::from(nNumberOfBytesToRead)))
}

/// Says that a transfer with a routine began: one that goes on is no error, as it is without a routine.
fn started(outcome: Result<Bool, Win32Error>) -> Result<Bool, Win32Error> {
    match outcome {
        Err(Win32Error::IO_PENDING) => Ok(TRUE),
        outcome => outcome,
    }
}

/// Writes to a file opened for overlapped transfers; the routine is called when the thread waits alertably.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-writefileex>
#[winapi]
pub fn WriteFileEx(
    guest: &mut Guest,
    hFile: GuestWord,
    lpBuffer: GuestWord,
    nNumberOfBytesToWrite: u32,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hFile, WRITES)?;
    let routine = completion_routine(lpCompletionRoutine);
    let transfer = Transfer::begin(guest, &file, GuestWord(0), lpOverlapped, routine)?;
    started(transfer.write(guest, &file, lpBuffer.0, u64::from(nNumberOfBytesToWrite)))
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
        // From the beginning 32 bits lead nowhere that the caller cannot be told.
        let before = match dwMoveMethod {
            0 => 0,
            _ => file(guest, hFile, 0)?.position().unwrap_or(0),
        };
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

/// Refuses to show what a disk had where a file has nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilevaliddata>
#[winapi]
pub fn SetFileValidData(
    guest: &mut Guest,
    hFile: GuestWord,
    ValidDataLength: i64,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hFile, access::WRITE_DATA)?;
    let size = file.facts()?.size;
    let fits = u64::try_from(ValidDataLength).is_ok_and(|length| length <= size);
    Err(if fits { Win32Error::PRIVILEGE_NOT_HELD } else { Win32Error::INVALID_PARAMETER })
}
