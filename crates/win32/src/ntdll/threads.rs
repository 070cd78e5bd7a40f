//! Nt functions of threads and of the system's timer.

use std::sync::atomic::Ordering;

use plat_abi::{GuestWord, Memory, winapi};

use super::attributes::OBJECT_ATTRIBUTES;
use super::files::put_status;
use super::synchronisation::previous;
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::processthreadsapi::SetThreadAffinityMask;
use crate::nt::thread::ThreadObject;
use crate::nt::token::{Token, TokenKind};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtQueryInformationThread, "basic facts, times, last of the process, has ended, suspensions";
    partial NtSetInformationThread, "priorities (kept, Linux' stay), affinity, token of impersonation, hiding from debuggers";
    full NtOpenThread;
    full NtOpenProcess;
    partial NtCancelSynchronousIoFile, "a read that blocks goes on";
    full NtSuspendThread;
    partial NtQueryTimerResolution, "always 1 ms, Linux needs no setting";
    partial NtSetTimerResolution, "always 1 ms, Linux needs no setting";
};

const BASIC: u32 = 0;
const TIMES: u32 = 1;
const PRIORITY: u32 = 2;
const BASE_PRIORITY: u32 = 3;
const AFFINITY: u32 = 4;
const IMPERSONATION_TOKEN: u32 = 5;
const IS_LAST: u32 = 12;
const HIDE_FROM_DEBUGGER: u32 = 17;
const IS_TERMINATED: u32 = 20;
const SUSPENSIONS: u32 = 35;

/// `THREAD_PRIORITY_NORMAL` is 8 in the processes of normal priority.
const NORMAL_PRIORITY: i32 = 8;

fn basic(guest: &Guest, thread: &ThreadObject) -> Vec<u8> {
    /// `STATUS_PENDING`: it has not ended.
    const STILL_ACTIVE: u32 = 0x103;
    let process = guest.process();
    let word = guest.machine().pointer_size() as usize;
    let owner = thread.owner().map_or_else(|| process.threads.this_process().id(), |owner| owner.id());
    let status = if thread.has_ended() { thread.exit_code() } else { STILL_ACTIVE };
    let teb = if thread.owner().is_some() { 0 } else { thread.teb() };
    let affinity = crate::nt::sysinfo::processors(process.machine);
    let mut bytes = Vec::new();
    for value in [u64::from(status), teb, u64::from(owner), u64::from(thread.id()), affinity] {
        bytes.extend_from_slice(&value.to_le_bytes()[..word]);
    }
    let base = thread.priority.load(Ordering::Relaxed);
    bytes.extend((NORMAL_PRIORITY + base).clamp(1, 31).to_le_bytes());
    bytes.extend(base.to_le_bytes());
    bytes
}

/// Tells facts about a thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryinformationthread>
#[winapi]
pub fn NtQueryInformationThread(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    ThreadInformationClass: u32,
    ThreadInformation: GuestWord,
    ThreadInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let thread = guest.process().object_as::<ThreadObject>(ThreadHandle.0)?;
    let bytes = match ThreadInformationClass {
        BASIC => basic(guest, &thread),
        TIMES => {
            let ((created, ended), used) = (thread.life(), thread.processor_time());
            let times = [created, ended, (used.kernel / 100) as i64, (used.user / 100) as i64];
            times.iter().flat_map(|time| time.to_le_bytes()).collect()
        }
        IS_LAST => {
            let others = guest.process().threads.all().into_iter().filter(|other| !other.has_ended()).count();
            u32::from(others <= 1).to_le_bytes().to_vec()
        }
        IS_TERMINATED => u32::from(thread.has_ended()).to_le_bytes().to_vec(),
        SUSPENSIONS => thread.suspensions().to_le_bytes().to_vec(),
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    if ThreadInformationLength as usize != bytes.len() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    guest.write_bytes(ThreadInformation.0, &bytes)?;
    previous(guest, ReturnLength, bytes.len() as u32)
}

/// Changes a thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntsetinformationthread>
#[winapi]
pub fn NtSetInformationThread(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    ThreadInformationClass: u32,
    ThreadInformation: GuestWord,
    ThreadInformationLength: u32,
) -> Result<(), NtStatus> {
    let thread = guest.process().object_as::<ThreadObject>(ThreadHandle.0)?;
    let word = guest.machine().pointer_size() as u32;
    let needed = match ThreadInformationClass {
        PRIORITY | BASE_PRIORITY => 4,
        AFFINITY | IMPERSONATION_TOKEN => word,
        HIDE_FROM_DEBUGGER => 0,
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    if ThreadInformationLength != needed {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    match ThreadInformationClass {
        PRIORITY | BASE_PRIORITY => {
            let value = guest.read_u32(ThreadInformation.0)? as i32;
            let relative = if ThreadInformationClass == PRIORITY { value - NORMAL_PRIORITY } else { value };
            thread.priority.store(relative.clamp(-15, 15), Ordering::Relaxed);
        }
        AFFINITY => {
            let mask = GuestWord(guest.read_word(ThreadInformation.0)?);
            SetThreadAffinityMask(guest, ThreadHandle, mask).map_err(NtStatus::from_win32)?;
        }
        IMPERSONATION_TOKEN => {
            let handle = guest.read_word(ThreadInformation.0)?;
            let token = if handle == 0 { None } else { Some(guest.process().handles.get::<Token>(handle)?) };
            if token.as_ref().is_some_and(|token| token.kind == TokenKind::Primary) {
                return Err(NtStatus::BAD_TOKEN_TYPE);
            }
            thread.set_token(token);
        }
        _ => {}
    }
    Ok(())
}

/// Reads a `CLIENT_ID`: process and thread, whichever is asked for.
fn client_id(guest: &Guest, place: GuestWord) -> Result<(u32, u32), NtStatus> {
    let width = guest.machine().pointer_size();
    Ok((guest.read_word(place.0)? as u32, guest.read_word(place.0 + width)? as u32))
}

/// Opens a thread of this process by its identifier.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openthread>
#[winapi]
pub fn NtOpenThread(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    ClientId: GuestWord,
) -> Result<(), NtStatus> {
    let (_, thread) = client_id(guest, ClientId)?;
    let flags = OBJECT_ATTRIBUTES::read(guest, ObjectAttributes)?.handle_flags();
    let process = guest.process();
    let thread = process.threads.find(thread).ok_or(NtStatus::INVALID_CID)?;
    Ok(guest.write_word(ThreadHandle.0, process.handles.insert(thread, DesiredAccess, flags))?)
}

/// Opens a process by its identifier.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-ntopenprocess>
#[winapi]
pub fn NtOpenProcess(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    ClientId: GuestWord,
) -> Result<(), NtStatus> {
    let (id, _) = client_id(guest, ClientId)?;
    let flags = OBJECT_ATTRIBUTES::read(guest, ObjectAttributes)?.handle_flags();
    let process = guest.process();
    let own = process.threads.this_process();
    let object =
        if id == own.id() { own } else { process.children.open(id).map_err(|_| NtStatus::INVALID_CID)? };
    Ok(guest.write_word(ProcessHandle.0, process.handles.insert(object, DesiredAccess, flags))?)
}

/// Cancels a synchronous transfer of a thread, as `CancelSynchronousIo` does.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/cancelsynchronousio-func>
#[winapi]
pub fn NtCancelSynchronousIoFile(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    IoRequestToCancel: GuestWord,
    IoStatusBlock: GuestWord,
) -> Result<(), NtStatus> {
    let _ = IoRequestToCancel;
    guest.process().object_as::<ThreadObject>(ThreadHandle.0)?;
    put_status(guest, IoStatusBlock, NtStatus::NOT_FOUND, 0)?;
    Err(NtStatus::NOT_FOUND)
}

/// Stops a thread until it is resumed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-suspendthread>
#[winapi]
pub fn NtSuspendThread(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    PreviousSuspendCount: GuestWord,
) -> Result<(), NtStatus> {
    let thread = guest.process().object_as::<ThreadObject>(ThreadHandle.get())?;
    let before = thread.suspend()?;
    let written = previous(guest, PreviousSuspendCount, before);
    thread.stop_if_current();
    written
}

/// The coarsest, finest and present steps of the clock, in units of 100 ns.
const STEPS: [u32; 3] = [156_250, 10_000, 10_000];

/// Tells the coarsest, the finest and the present steps of the clock.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timebeginperiod>
#[winapi]
pub fn NtQueryTimerResolution(
    guest: &mut Guest,
    MaximumTime: GuestWord,
    MinimumTime: GuestWord,
    CurrentTime: GuestWord,
) -> Result<(), NtStatus> {
    for (place, step) in [MaximumTime, MinimumTime, CurrentTime].into_iter().zip(STEPS) {
        guest.write(place.0, &step)?;
    }
    Ok(())
}

/// Asks for other steps of the clock.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timebeginperiod>
#[winapi]
pub fn NtSetTimerResolution(
    guest: &mut Guest,
    DesiredTime: u32,
    SetResolution: u8,
    ActualTime: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (DesiredTime, SetResolution);
    previous(guest, ActualTime, STEPS[2])
}
