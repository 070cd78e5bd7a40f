//! namedpipeapi.h: named pipes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::open::inherit_flags;
use super::fileapi::text;
use super::fileapi::{file, transfer};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::nt::file::{FileKind, FileObject, access};
use crate::nt::pipe::{self, INBOUND, OUTBOUND, PipeTraits, State};
use crate::nt::pipe_name;
use crate::nt::wait::{self, WaitFor};
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateNamedPipeW, "the security descriptor is not used";
    partial CreateNamedPipeA, "the security descriptor is not used";
    full ConnectNamedPipe;
    full DisconnectNamedPipe;
    full WaitNamedPipeW;
    full WaitNamedPipeA;
    full GetNamedPipeInfo;
    full GetNamedPipeHandleStateW;
    forward GetNamedPipeHandleStateA => "kernel32.GetNamedPipeHandleStateW";
    full SetNamedPipeHandleState;
    full TransactNamedPipe;
    full CallNamedPipeW;
    full CallNamedPipeA;
    full GetNamedPipeClientProcessId;
    full GetNamedPipeServerProcessId;
};

const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
const FILE_FLAG_FIRST_PIPE_INSTANCE: u32 = 0x0008_0000;
const PIPE_TYPE_MESSAGE: u32 = 4;
const PIPE_READMODE_MESSAGE: u32 = 2;
const PIPE_NOWAIT: u32 = 1;
const PIPE_SERVER_END: u32 = 1;

/// The numbers of `CreateNamedPipe`.
struct Wish {
    open_mode: u32,
    pipe_mode: u32,
    instances: u32,
    buffers: (u32, u32),
    timeout: u32,
    security: GuestWord,
}

fn create(guest: &Guest, path: &[u16], wish: &Wish) -> Result<HandleOrInvalid, Win32Error> {
    const DEFAULT_TIMEOUT: u32 = 50;
    let name = pipe::name_of(path).ok_or(Win32Error::INVALID_NAME)?;
    let direction = wish.open_mode & 3;
    let reads_messages = wish.pipe_mode & PIPE_READMODE_MESSAGE != 0;
    let messages = wish.pipe_mode & PIPE_TYPE_MESSAGE != 0;
    if direction == 0 || !(1..=255).contains(&wish.instances) || (reads_messages && !messages) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let traits = PipeTraits {
        access: direction,
        messages,
        instances_max: wish.instances,
        buffers: wish.buffers,
        timeout: if wish.timeout == 0 { DEFAULT_TIMEOUT } else { wish.timeout },
    };
    let overlapped = wish.open_mode & FILE_FLAG_OVERLAPPED != 0;
    let is_first = wish.open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE != 0;
    let flags = inherit_flags(guest, wish.security)?;
    let instance = guest.process().pipes.create(&name, traits, overlapped, is_first)?;
    let end = instance.pipe_end()?;
    end.reads_messages.store(reads_messages, Ordering::Relaxed);
    end.is_impatient.store(wish.pipe_mode & PIPE_NOWAIT != 0, Ordering::Relaxed);
    let mut granted = access::SYNCHRONIZE;
    granted |= if direction & INBOUND != 0 { access::FILE_READ } else { 0 };
    granted |= if direction & OUTBOUND != 0 { access::FILE_WRITE } else { 0 };
    Ok(HandleOrInvalid(guest.process().handles.insert(instance, granted, flags)))
}

both_widths! {
    /// Makes an instance of a named pipe.
    "winbase/nf-winbase-createnamedpipe" | "namedpipeapi/nf-namedpipeapi-createnamedpipe"
    CreateNamedPipeA, CreateNamedPipeW(
        guest, width, lpName: GuestWord, dwOpenMode: u32, dwPipeMode: u32, nMaxInstances: u32,
        nOutBufferSize: u32, nInBufferSize: u32, nDefaultTimeOut: u32, lpSecurityAttributes: GuestWord
    ) -> Result<HandleOrInvalid, Win32Error> {
        let name = text::path(guest, width, lpName)?;
        let wish = Wish {
            open_mode: dwOpenMode,
            pipe_mode: dwPipeMode,
            instances: nMaxInstances,
            buffers: (nOutBufferSize, nInBufferSize),
            timeout: nDefaultTimeOut,
            security: lpSecurityAttributes,
        };
        create(guest, &name, &wish)
    }
}

/// Waits for a client; one that came before is told by `ERROR_PIPE_CONNECTED`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe>
#[winapi]
pub fn ConnectNamedPipe(
    guest: &mut Guest,
    hNamedPipe: GuestWord,
    lpOverlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hNamedPipe, 0)?;
    let end = file.pipe_end()?;
    if !end.is_server {
        return Err(Win32Error::INVALID_FUNCTION);
    }
    if end.state() == State::Connected {
        // A client that is gone already must be let go first.
        let is_gone = matches!(file.look_into(0), Err(NtStatus::PIPE_BROKEN));
        return Err(if is_gone { Win32Error::NO_DATA } else { Win32Error::PIPE_CONNECTED });
    }
    file.listen_again();
    if !lpOverlapped.is_null() && file.traits.overlapped {
        return transfer::connect(guest, &file, lpOverlapped);
    }
    if end.is_impatient.load(Ordering::Relaxed) {
        return Err(Win32Error::PIPE_LISTENING);
    }
    let connected = Arc::clone(&end.connected);
    wait::wait_as_guest(guest, &[connected], WaitFor { all: false, alertable: false, deadline: None })?;
    Ok(TRUE)
}

/// Lets a client go.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-disconnectnamedpipe>
#[winapi]
pub fn DisconnectNamedPipe(guest: &mut Guest, hNamedPipe: GuestWord) -> Result<Bool, Win32Error> {
    file(guest, hNamedPipe, 0)?.disconnect()?;
    Ok(TRUE)
}

fn wait_for(path: &[u16], timeout: u32) -> Result<(), Win32Error> {
    const PAUSE: u32 = 5;
    const USE_DEFAULT: u32 = 0;
    const FOREVER: u32 = u32::MAX;
    const SEM_TIMEOUT: Win32Error = Win32Error(121);
    let name = pipe::name_of(path).ok_or(Win32Error::FILE_NOT_FOUND)?;
    let timeout = if timeout == USE_DEFAULT { 50 } else { timeout };
    let mut waited = 0;
    loop {
        match pipe_name::is_free(&name) {
            Err(NtStatus::PIPE_NOT_AVAILABLE) => {}
            other => return Ok(other?),
        }
        if timeout != FOREVER && waited >= timeout {
            return Err(SEM_TIMEOUT);
        }
        plat_host::thread::sleep(u64::from(PAUSE) * 1_000_000);
        waited = waited.saturating_add(PAUSE);
    }
}

both_widths! {
    /// Waits until an instance of a pipe is free.
    "winbase/nf-winbase-waitnamedpipe" | "namedpipeapi/nf-namedpipeapi-waitnamedpipe"
    WaitNamedPipeA, WaitNamedPipeW(
        guest, width, lpNamedPipeName: GuestWord, nTimeOut: u32
    ) -> Result<Bool, Win32Error> {
        wait_for(&text::path(guest, width, lpNamedPipeName)?, nTimeOut)?;
        Ok(TRUE)
    }
}

/// Writes the values whose places are not null.
fn put(guest: &Guest, values: &[(GuestWord, u32)]) -> Result<Bool, Win32Error> {
    for (place, value) in values.iter().filter(|pair| !pair.0.is_null()) {
        guest.write(place.0, value)?;
    }
    Ok(TRUE)
}

/// Tells how a pipe was made. A pipe without a name has bytes and one instance.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-getnamedpipeinfo>
#[winapi]
pub fn GetNamedPipeInfo(
    guest: &mut Guest,
    hNamedPipe: GuestWord,
    lpFlags: GuestWord,
    lpOutBufferSize: GuestWord,
    lpInBufferSize: GuestWord,
    lpMaxInstances: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hNamedPipe, 0)?;
    let end = file.pipe_end()?;
    let server = if end.is_server { PIPE_SERVER_END } else { 0 };
    let kind = if end.traits.messages { PIPE_TYPE_MESSAGE } else { 0 };
    let (output, input) = end.traits.buffers;
    let values = [
        (lpFlags, server | kind),
        (lpOutBufferSize, output),
        (lpInBufferSize, input),
        (lpMaxInstances, end.traits.instances_max),
    ];
    put(guest, &values)
}

/// Tells a pipe's modes and how many instances there are; no server takes a client's name here, so none is stored, in
/// either form of the function.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-getnamedpipehandlestatew>
#[winapi]
pub fn GetNamedPipeHandleStateW(
    guest: &mut Guest,
    hNamedPipe: GuestWord,
    lpState: GuestWord,
    lpCurInstances: GuestWord,
    lpMaxCollectionCount: GuestWord,
    lpCollectDataTimeout: GuestWord,
    lpUserName: GuestWord,
    nMaxUserNameSize: u32,
) -> Result<Bool, Win32Error> {
    // Those are of pipes between computers.
    if !lpMaxCollectionCount.is_null() || !lpCollectDataTimeout.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let _ = (lpUserName, nMaxUserNameSize);
    let file = file(guest, hNamedPipe, 0)?;
    let Ok(end) = file.pipe_end() else {
        // A pipe without a name has bytes, waits, and is the only one.
        let kind = if file.kind == FileKind::Pipe { Ok(()) } else { Err(Win32Error::INVALID_FUNCTION) };
        return kind.and_then(|()| put(guest, &[(lpState, 0), (lpCurInstances, 1)]));
    };
    let nowait = if end.is_impatient.load(Ordering::Relaxed) { PIPE_NOWAIT } else { 0 };
    let messages = if end.reads_messages.load(Ordering::Relaxed) { PIPE_READMODE_MESSAGE } else { 0 };
    put(guest, &[(lpState, nowait | messages), (lpCurInstances, end.instances())])
}

/// Sets whether reads take messages, and whether anything waits.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-setnamedpipehandlestate>
#[winapi]
pub fn SetNamedPipeHandleState(
    guest: &mut Guest,
    hNamedPipe: GuestWord,
    lpMode: GuestWord,
    lpMaxCollectionCount: GuestWord,
    lpCollectDataTimeout: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (lpMaxCollectionCount, lpCollectDataTimeout);
    let file = file(guest, hNamedPipe, 0)?;
    if lpMode.is_null() {
        return Ok(TRUE);
    }
    let mode = guest.read_u32(lpMode.0)?;
    if mode & !(PIPE_NOWAIT | PIPE_READMODE_MESSAGE) != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let Ok(end) = file.pipe_end() else {
        // A pipe without a name has bytes, and waits.
        return if mode == 0 { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) };
    };
    if mode & PIPE_READMODE_MESSAGE != 0 && !end.traits.messages {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    end.reads_messages.store(mode & PIPE_READMODE_MESSAGE != 0, Ordering::Relaxed);
    end.is_impatient.store(mode & PIPE_NOWAIT != 0, Ordering::Relaxed);
    Ok(TRUE)
}

/// Writes a message and reads the answer.
fn transact(
    guest: &Guest,
    file: &FileObject,
    (input, input_size): (GuestWord, u32),
    (output, output_size): (GuestWord, u32),
    count: GuestWord,
) -> Result<Bool, Win32Error> {
    file.write_from_guest(input.0, u64::from(input_size), None)?;
    let outcome = file.read_to_guest(output.0, u64::from(output_size), None);
    let moved = match outcome {
        Err(NtStatus::BUFFER_OVERFLOW) => u64::from(output_size),
        other => other?,
    };
    guest.write(count.0, &(moved as u32))?;
    outcome?;
    Ok(TRUE)
}

/// Writes a message and reads the answer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-transactnamedpipe>
#[winapi]
pub fn TransactNamedPipe(
    guest: &mut Guest,
    hNamedPipe: GuestWord,
    lpInBuffer: GuestWord,
    nInBufferSize: u32,
    lpOutBuffer: GuestWord,
    nOutBufferSize: u32,
    lpBytesRead: GuestWord,
    lpOverlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpOverlapped;
    let file = file(guest, hNamedPipe, access::READ_DATA)?;
    if !file.pipe_end()?.reads_messages.load(Ordering::Relaxed) {
        return Err(Win32Error::BAD_PIPE);
    }
    let (input, output) = ((lpInBuffer, nInBufferSize), (lpOutBuffer, nOutBufferSize));
    transact(guest, &file, input, output, lpBytesRead)
}

fn call(
    guest: &Guest,
    path: &[u16],
    input: (GuestWord, u32),
    output: (GuestWord, u32),
    (count, timeout): (GuestWord, u32),
) -> Result<Bool, Win32Error> {
    const NO_WAIT: u32 = 1;
    let name = pipe::name_of(path).ok_or(Win32Error::FILE_NOT_FOUND)?;
    let end = loop {
        match pipe::open(&name, true, true, false) {
            Err(NtStatus::PIPE_NOT_AVAILABLE) if timeout != NO_WAIT => wait_for(path, timeout)?,
            other => break other?,
        }
    };
    end.pipe_end()?.reads_messages.store(true, Ordering::Relaxed);
    transact(guest, &end, input, output, count)
}

both_widths! {
    /// Connects, writes a message, reads the answer, lets go.
    "winbase/nf-winbase-callnamedpipe" | "namedpipeapi/nf-namedpipeapi-callnamedpipe"
    CallNamedPipeA, CallNamedPipeW(
        guest, width, lpNamedPipeName: GuestWord, lpInBuffer: GuestWord, nInBufferSize: u32,
        lpOutBuffer: GuestWord, nOutBufferSize: u32, lpBytesRead: GuestWord, nTimeOut: u32
    ) -> Result<Bool, Win32Error> {
        let path = text::path(guest, width, lpNamedPipeName)?;
        let (input, output) = ((lpInBuffer, nInBufferSize), (lpOutBuffer, nOutBufferSize));
        call(guest, &path, input, output, (lpBytesRead, nTimeOut))
    }
}

fn peer(guest: &Guest, pipe: GuestWord, place: GuestWord) -> Result<Bool, Win32Error> {
    let file = file(guest, pipe, 0)?;
    file.pipe_end()?;
    file.check_connected()?;
    let id = plat_host::pipe::peer(&file.file).map_err(crate::nt::path::status_of)?;
    guest.write(place.0, &id)?;
    Ok(TRUE)
}

/// Tells which process is a pipe's client.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnamedpipeclientprocessid>
#[winapi]
pub fn GetNamedPipeClientProcessId(
    guest: &mut Guest,
    Pipe: GuestWord,
    ClientProcessId: GuestWord,
) -> Result<Bool, Win32Error> {
    peer(guest, Pipe, ClientProcessId)
}

/// Tells which process serves a pipe.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnamedpipeserverprocessid>
#[winapi]
pub fn GetNamedPipeServerProcessId(
    guest: &mut Guest,
    Pipe: GuestWord,
    ServerProcessId: GuestWord,
) -> Result<Bool, Win32Error> {
    peer(guest, Pipe, ServerProcessId)
}
