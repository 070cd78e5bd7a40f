//! Nt functions of processes.

use plat_abi::{GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::process_list;
use crate::nt::process_object::ProcessObject;
use crate::nt::thread;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtQueryInformationProcess, "basic facts, handles, debug port, WOW64, image name, command line";
    partial "ZwQueryInformationProcess" = NtQueryInformationProcess, "as NtQueryInformationProcess";
    full NtResumeProcess;
    full NtSuspendProcess;
    full NtTerminateProcess;
};

const BASIC: u32 = 0;
const DEBUG_PORT: u32 = 7;
const HANDLE_COUNT: u32 = 20;
const WOW64: u32 = 26;
const IMAGE_NAME: u32 = 27;
const DEBUG_OBJECT: u32 = 30;
const DEBUG_FLAGS: u32 = 31;
const IMAGE_NAME_WIN32: u32 = 43;
const COMMAND_LINE: u32 = 60;

/// Tells facts about a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryinformationprocess>
#[winapi]
pub fn NtQueryInformationProcess(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    ProcessInformationClass: u32,
    ProcessInformation: GuestWord,
    ProcessInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let own = guest.process();
    let process = own.object_as::<ProcessObject>(ProcessHandle.0)?;
    let word = guest.machine().pointer_size();
    let words = |values: &[u64]| -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()[..word as usize].to_vec()).collect()
    };
    let bytes = match ProcessInformationClass {
        BASIC => {
            const NORMAL_PRIORITY: u64 = 8;
            let peb = match process.as_other() {
                None => own.peb.get().copied().unwrap_or(0),
                Some(other) if other.page.is_some() && !other.linux.has_ended() => {
                    process.remote_facts()?.peb
                }
                Some(_) => 0,
            };
            let parent = process.facts().map_or(0, |facts| facts.parent);
            let affinity = crate::nt::sysinfo::processors(own.machine);
            let code = u64::from(process.exit_code());
            words(&[code, peb, affinity, NORMAL_PRIORITY, u64::from(process.id()), u64::from(parent)])
        }
        DEBUG_PORT => words(&[0]),
        HANDLE_COUNT => (own.handles.count() as u32).to_le_bytes().to_vec(),
        WOW64 => words(&[u64::from(!process_list::is_64(own, &process)?)]),
        DEBUG_OBJECT => return Err(NtStatus::PORT_NOT_SET),
        DEBUG_FLAGS => 1_u32.to_le_bytes().to_vec(),
        IMAGE_NAME | IMAGE_NAME_WIN32 | COMMAND_LINE => {
            let text = text_of(guest, &process, ProcessInformationClass)?;
            let (bytes, at) = ((text.len() * 2) as u64, ProcessInformation.0 + 2 * word);
            let mut string = words(&[bytes | (bytes + 2) << 16, at]);
            string.extend(text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()));
            string
        }
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    if !ReturnLength.is_null() {
        guest.write(ReturnLength.0, &(bytes.len() as u32))?;
    }
    let is_text = matches!(ProcessInformationClass, IMAGE_NAME | IMAGE_NAME_WIN32 | COMMAND_LINE);
    let given = ProcessInformationLength as usize;
    if given < bytes.len() || (!is_text && given != bytes.len()) {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    Ok(guest.write_bytes(ProcessInformation.0, &bytes)?)
}

fn text_of(guest: &Guest, process: &ProcessObject, class: u32) -> Result<Vec<u16>, NtStatus> {
    let own = guest.process();
    if class == COMMAND_LINE {
        return match process.as_other() {
            None => Ok(own.start.command_line.clone()),
            Some(_) => Ok(process.remote_facts()?.command_line),
        };
    }
    let path = process_list::program(own, process)?;
    if class == IMAGE_NAME_WIN32 {
        return Ok(path);
    }
    let device: Vec<u16> = r"\Device\HarddiskVolume1".encode_utf16().collect();
    Ok([device.as_slice(), path.get(2..).unwrap_or(&[])].concat())
}

/// Ends a process; null is the calling one, whose other threads end first.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-zwterminateprocess>
#[winapi]
pub fn NtTerminateProcess(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    ExitStatus: u32,
) -> Result<(), NtStatus> {
    let current = u64::MAX;
    let handle = if ProcessHandle.is_null() { current } else { ProcessHandle.0 };
    guest.process().object_as::<ProcessObject>(handle)?.terminate(ExitStatus)
}

fn move_all(guest: &mut Guest, process: GuestWord, resumes: bool) -> Result<(), NtStatus> {
    let own = guest.process();
    let object = own.object_as::<ProcessObject>(process.0)?;
    if object.as_other().is_some() {
        return object.move_all_threads(resumes);
    }
    let current = thread::current();
    let others = || own.threads.all().into_iter().filter(|thread| thread.id() != current.id());
    if resumes {
        for thread in others() {
            thread.resume();
        }
        current.resume();
        return Ok(());
    }
    for thread in others() {
        // One that ends meanwhile runs no more.
        let _ = thread.suspend();
    }
    current.suspend()?;
    current.stop_if_current();
    Ok(())
}

/// Suspends all threads of a process once more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-suspendthread>
#[winapi]
pub fn NtSuspendProcess(guest: &mut Guest, ProcessHandle: GuestWord) -> Result<(), NtStatus> {
    move_all(guest, ProcessHandle, false)
}

/// Takes back one suspension of each thread of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-resumethread>
#[winapi]
pub fn NtResumeProcess(guest: &mut Guest, ProcessHandle: GuestWord) -> Result<(), NtStatus> {
    move_all(guest, ProcessHandle, true)
}
