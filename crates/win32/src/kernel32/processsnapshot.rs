//! processsnapshot.h: what a process is, asked through a snapshot. Only facts of the process are there, as they are when asked.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::handle::HandleFlags;
use crate::nt::process_list;
use crate::nt::process_object::ProcessObject;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PssCaptureSnapshot, "facts of the process only: ERROR_NOT_SUPPORTED for memory, handles and threads";
    partial PssQuerySnapshot, "PSS_QUERY_PROCESS_INFORMATION only, as it is when it is asked";
    full PssFreeSnapshot;
};

/// `PSS_CAPTURE_VA_CLONE` up to `PSS_CAPTURE_IPT_TRACE`: all that is copied; the other flags say how.
const CAPTURES: u32 = 0xffff;
/// `PSS_QUERY_PROCESS_INFORMATION`.
const PROCESS_INFORMATION: i32 = 0;
const PROCESS_QUERY_INFORMATION: u32 = 0x400;
/// `ERROR_NOT_SUPPORTED`.
const NOT_SUPPORTED: u32 = 50;
/// `ERROR_BAD_LENGTH`.
const BAD_LENGTH: u32 = 24;
/// `ERROR_NOT_FOUND`.
const NOT_FOUND: u32 = 1168;
/// Units of the path in `PSS_PROCESS_INFORMATION`.
const PATH_UNITS: usize = 260;

/// `PSS_PROCESS_INFORMATION` but for the path at its end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processsnapshot/ns-processsnapshot-pss_process_information>
#[derive(GuestStruct, Default)]
#[allow(non_camel_case_types, non_snake_case)]
struct PSS_PROCESS_INFORMATION {
    ExitStatus: u32,
    PebBaseAddress: GuestWord,
    AffinityMask: GuestWord,
    BasePriority: i32,
    ProcessId: u32,
    ParentProcessId: u32,
    Flags: u32,
    CreateTimeLow: u32,
    CreateTimeHigh: u32,
    ExitTimeLow: u32,
    ExitTimeHigh: u32,
    KernelTimeLow: u32,
    KernelTimeHigh: u32,
    UserTimeLow: u32,
    UserTimeHigh: u32,
    PriorityClass: u32,
    PeakVirtualSize: GuestWord,
    VirtualSize: GuestWord,
    PageFaultCount: u32,
    PeakWorkingSetSize: GuestWord,
    WorkingSetSize: GuestWord,
    QuotaPeakPagedPoolUsage: GuestWord,
    QuotaPagedPoolUsage: GuestWord,
    QuotaPeakNonPagedPoolUsage: GuestWord,
    QuotaNonPagedPoolUsage: GuestWord,
    PagefileUsage: GuestWord,
    PeakPagefileUsage: GuestWord,
    PrivateUsage: GuestWord,
    ExecuteFlags: u32,
}

/// Returns a code of Win32 as these functions do: as their result.
fn code(result: Result<(), crate::NtStatus>) -> u32 {
    result.map_or_else(|status| status.to_win32().0, |()| 0)
}

fn capture(guest: &Guest, process: GuestWord, handle: GuestWord) -> Result<(), crate::NtStatus> {
    let own = guest.process();
    let object = own.object_as::<ProcessObject>(process.0)?;
    Ok(guest.write_word(
        handle.0,
        own.handles.insert(object, PROCESS_QUERY_INFORMATION, HandleFlags::default()),
    )?)
}

/// Makes a snapshot of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processsnapshot/nf-processsnapshot-psscapturesnapshot>
#[winapi]
pub fn PssCaptureSnapshot(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    CaptureFlags: u32,
    ThreadContextFlags: u32,
    SnapshotHandle: GuestWord,
) -> u32 {
    let _ = ThreadContextFlags;
    if CaptureFlags & CAPTURES != 0 {
        NOT_SUPPORTED
    } else {
        code(capture(guest, ProcessHandle, SnapshotHandle))
    }
}

fn split(time: i64) -> (u32, u32) {
    (time as u32, (time >> 32) as u32)
}

fn information(guest: &Guest, process: &ProcessObject) -> Result<PSS_PROCESS_INFORMATION, crate::NtStatus> {
    /// `NORMAL_PRIORITY_CLASS`' base.
    const NORMAL_PRIORITY: i32 = 8;
    let own = guest.process();
    let facts = process.facts().ok_or(crate::NtStatus::PROCESS_IS_TERMINATING)?;
    let ((created, ended), used) = (process.life(), process.processor_time());
    let mut into = PSS_PROCESS_INFORMATION {
        ExitStatus: process.exit_code(),
        PebBaseAddress: GuestWord(match process.as_other() {
            None => own.peb.get().copied().unwrap_or(0),
            Some(_) => process.remote_facts()?.peb,
        }),
        AffinityMask: GuestWord(crate::nt::sysinfo::processors(own.machine)),
        BasePriority: NORMAL_PRIORITY,
        ProcessId: process.id(),
        ParentProcessId: facts.parent,
        PriorityClass: process.priority_class.load(std::sync::atomic::Ordering::Relaxed),
        PageFaultCount: facts.faults as u32,
        PeakWorkingSetSize: GuestWord(facts.resident_peak),
        WorkingSetSize: GuestWord(facts.resident),
        PagefileUsage: GuestWord(facts.resident),
        PeakPagefileUsage: GuestWord(facts.resident_peak),
        PrivateUsage: GuestWord(facts.resident),
        ..PSS_PROCESS_INFORMATION::default()
    };
    (into.CreateTimeLow, into.CreateTimeHigh) = split(created);
    (into.ExitTimeLow, into.ExitTimeHigh) = split(ended);
    (into.KernelTimeLow, into.KernelTimeHigh) = split((used.kernel / 100) as i64);
    (into.UserTimeLow, into.UserTimeHigh) = split((used.user / 100) as i64);
    Ok(into)
}

fn query(guest: &Guest, snapshot: GuestWord, buffer: GuestWord) -> Result<(), crate::NtStatus> {
    let process = guest.process().object_as::<ProcessObject>(snapshot.0)?;
    guest.write(buffer.0, &information(guest, &process)?)?;
    let mut path = process_list::program(guest.process(), &process)?;
    path.resize(PATH_UNITS, 0);
    path[PATH_UNITS - 1] = 0;
    let at = buffer.0 + path_offset(guest);
    guest.write_bytes(at, &path.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>())?;
    Ok(())
}

/// Returns where the path begins: right behind the last field, which no padding follows.
fn path_offset(guest: &Guest) -> u64 {
    let word = guest.machine().pointer_size();
    let size = PSS_PROCESS_INFORMATION::size(guest.machine());
    if word == 8 { size - 4 } else { size }
}

/// Returns facts of a snapshot's process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processsnapshot/nf-processsnapshot-pssquerysnapshot>
#[winapi]
pub fn PssQuerySnapshot(
    guest: &mut Guest,
    SnapshotHandle: GuestWord,
    InformationClass: i32,
    Buffer: GuestWord,
    BufferLength: u32,
) -> u32 {
    let word = guest.machine().pointer_size();
    let size = (path_offset(guest) + 2 * PATH_UNITS as u64).next_multiple_of(word);
    match InformationClass {
        PROCESS_INFORMATION if u64::from(BufferLength) == size => code(query(guest, SnapshotHandle, Buffer)),
        PROCESS_INFORMATION => BAD_LENGTH,
        // What was not captured is not found.
        _ => NOT_FOUND,
    }
}

/// Frees a snapshot.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processsnapshot/nf-processsnapshot-pssfreesnapshot>
#[winapi]
pub fn PssFreeSnapshot(guest: &mut Guest, ProcessHandle: GuestWord, SnapshotHandle: GuestWord) -> u32 {
    let _ = ProcessHandle;
    code(guest.process().handles.close(SnapshotHandle.0).map(drop))
}
