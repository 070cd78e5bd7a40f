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
    partial NtQueryInformationProcess, "basic facts, quotas, memory, times, priority, affinity, session, handles, debug port, WOW64, image name, command line; nothing is counted for input and output";
    partial "ZwQueryInformationProcess" = NtQueryInformationProcess, "as NtQueryInformationProcess";
    full NtResumeProcess;
    full NtSuspendProcess;
    full NtTerminateProcess;
};

const BASIC: u32 = 0;
const QUOTAS: u32 = 1;
const IO_COUNTERS: u32 = 2;
const VM_COUNTERS: u32 = 3;
const TIMES: u32 = 4;
const HARD_ERROR_MODE: u32 = 12;
const PRIORITY_CLASS: u32 = 18;
const AFFINITY: u32 = 21;
const SESSION: u32 = 24;
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
        QUOTAS => {
            // No quotas, the usual working set, nothing paged, no limit of time.
            let mut bytes = words(&[u64::MAX, u64::MAX, 50 << 12, 345 << 12, u64::MAX]);
            bytes.extend(i64::MAX.to_le_bytes());
            bytes
        }
        IO_COUNTERS => vec![0; 48],
        VM_COUNTERS => vm_counters(&process, word),
        TIMES => {
            let ((created, ended), used) = (process.life(), process.processor_time());
            let times = [created, ended, (used.kernel / 100) as i64, (used.user / 100) as i64];
            times.iter().flat_map(|time| time.to_le_bytes()).collect()
        }
        HARD_ERROR_MODE => 1_u32.to_le_bytes().to_vec(),
        PRIORITY_CLASS => vec![0, priority_class(&process)],
        AFFINITY => words(&[crate::nt::sysinfo::processors(own.machine)]),
        SESSION => 1_u32.to_le_bytes().to_vec(),
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

/// `VM_COUNTERS`: sizes in bytes, what is paged as what is not known.
fn vm_counters(process: &ProcessObject, word: u64) -> Vec<u8> {
    let (size, resident) = process.facts().map_or((0, 0), |facts| (facts.resident_peak, facts.resident));
    let mut bytes = Vec::new();
    for (value, is_count) in [
        (size, false),
        (size, false),
        (0, true),
        (resident, false),
        (resident, false),
        (0, false),
        (0, false),
        (0, false),
        (0, false),
        (resident, false),
        (resident, false),
    ] {
        let bytes_of = if is_count { 4 } else { word as usize };
        bytes.extend_from_slice(&value.to_le_bytes()[..bytes_of]);
        bytes.resize(bytes.len().next_multiple_of(word as usize), 0);
    }
    bytes
}

/// `PROCESS_PRIORITY_CLASS_…` of the class that Win32 numbers otherwise.
fn priority_class(process: &ProcessObject) -> u8 {
    match process.priority_class.load(std::sync::atomic::Ordering::Relaxed) {
        0x40 => 1,
        0x80 => 3,
        0x100 => 4,
        0x4000 => 5,
        0x8000 => 6,
        _ => 2,
    }
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
    Ok(crate::logic::object_name::device_path(&path))
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
