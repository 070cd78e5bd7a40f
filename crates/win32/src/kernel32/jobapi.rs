//! jobapi2.h: job objects.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::fileapi::open::inherit_flags;
use super::fileapi::text;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::handle::HandleFlags;
use crate::nt::job::{self, JobObject};
use crate::nt::process_object::ProcessObject;
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateJobObjectW, "a name is known in this process only";
    partial CreateJobObjectA, "a name is known in this process only";
    partial OpenJobObjectA, "a name is known in this process only";
    partial OpenJobObjectW, "a name is known in this process only";
    full AssignProcessToJobObject;
    full TerminateJobObject;
    full IsProcessInJob;
    partial SetInformationJobObject, "of the limits only those of closing and breaking away act";
    partial QueryInformationJobObject, "times and memory are those of the running members";
};

const JOB_OBJECT_ALL_ACCESS: u32 = 0x1f_003f;

fn create(guest: &mut Guest, attributes: GuestWord, name: &[u16]) -> Result<GuestWord, Win32Error> {
    let flags = inherit_flags(guest, attributes)?;
    let process = guest.process();
    let (job, existed) = process.names.open_or_create(process, name, JobObject::create)?;
    guest.set_last_error(if existed { Win32Error::ALREADY_EXISTS } else { Win32Error::SUCCESS });
    Ok(GuestWord(guest.process().handles.insert(job, JOB_OBJECT_ALL_ACCESS, flags)))
}

both_widths! {
    /// Makes a job, or opens the one of a name.
    "winbase/nf-winbase-createjobobject" | "jobapi2/nf-jobapi2-createjobobject"
    CreateJobObjectA, CreateJobObjectW(
        guest, width, lpJobAttributes: GuestWord, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let name = if lpName.is_null() { Vec::new() } else { text::path(guest, width, lpName)? };
        create(guest, lpJobAttributes, &name)
    }
}

both_widths! {
    /// Opens the job of a name.
    "winbase/nf-winbase-openjobobject" | "jobapi2/nf-jobapi2-openjobobject"
    OpenJobObjectA, OpenJobObjectW(
        guest, width, dwDesiredAccess: u32, bInheritHandle: Bool, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let _ = dwDesiredAccess;
        let name = if lpName.is_null() { Vec::new() } else { text::path(guest, width, lpName)? };
        if name.is_empty() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let process = guest.process();
        let job = process.names.open::<JobObject>(process, &name)?;
        let flags = if bInheritHandle.0 { HandleFlags::INHERIT } else { HandleFlags::empty() };
        Ok(GuestWord(process.handles.insert(job, JOB_OBJECT_ALL_ACCESS, flags)))
    }
}

fn job(guest: &Guest, handle: GuestWord) -> Result<Arc<JobObject>, Win32Error> {
    Ok(guest.process().handles.get(handle.0)?)
}

/// Adds a process to a job.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-assignprocesstojobobject>
#[winapi]
pub fn AssignProcessToJobObject(
    guest: &mut Guest,
    hJob: GuestWord,
    hProcess: GuestWord,
) -> Result<Bool, Win32Error> {
    let process = guest.process().object_as::<ProcessObject>(hProcess.0)?;
    job(guest, hJob)?.assign(&process)?;
    Ok(TRUE)
}

/// Ends all processes of a job.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-terminatejobobject>
#[winapi]
pub fn TerminateJobObject(guest: &mut Guest, hJob: GuestWord, uExitCode: u32) -> Result<Bool, Win32Error> {
    job(guest, hJob)?.terminate(guest.process(), uExitCode)?;
    Ok(TRUE)
}

/// Says whether a process is in a job, or (null) in any: of other processes only a given job can be asked.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/jobapi/nf-jobapi-isprocessinjob>
#[winapi]
pub fn IsProcessInJob(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    JobHandle: GuestWord,
    Result: GuestWord,
) -> Result<Bool, Win32Error> {
    let process = guest.process().object_as::<ProcessObject>(ProcessHandle.0)?;
    let is_in = if JobHandle.is_null() {
        process.as_other().is_none() && job::is_member()
    } else {
        job(guest, JobHandle)?.members().contains(&process.id())
    };
    guest.write(Result.0, &u32::from(is_in))?;
    Ok(TRUE)
}

/// `JOBOBJECT_BASIC_LIMIT_INFORMATION`.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct BASIC_LIMITS {
    PerProcessUserTimeLimit: i64,
    PerJobUserTimeLimit: i64,
    LimitFlags: u32,
    MinimumWorkingSetSize: GuestWord,
    MaximumWorkingSetSize: GuestWord,
    ActiveProcessLimit: u32,
    Affinity: GuestWord,
    PriorityClass: u32,
    SchedulingClass: u32,
}

/// `JOBOBJECT_BASIC_ACCOUNTING_INFORMATION`.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct ACCOUNTING {
    TotalUserTime: i64,
    TotalKernelTime: i64,
    ThisPeriodTotalUserTime: i64,
    ThisPeriodTotalKernelTime: i64,
    TotalPageFaultCount: u32,
    TotalProcesses: u32,
    ActiveProcesses: u32,
    TotalTerminatedProcesses: u32,
}

const CLASS_ACCOUNTING: u32 = 1;
const CLASS_BASIC_LIMIT: u32 = 2;
const CLASS_PROCESS_LIST: u32 = 3;
const CLASS_UI: u32 = 4;
const CLASS_END_OF_JOB_TIME: u32 = 6;
const CLASS_ACCOUNTING_AND_IO: u32 = 8;
const CLASS_EXTENDED_LIMIT: u32 = 9;
const IO_COUNTERS_BYTES: u64 = 48;

fn extended_size(guest: &Guest) -> u64 {
    let machine = guest.machine();
    BASIC_LIMITS::size(machine).next_multiple_of(8) + IO_COUNTERS_BYTES + 4 * machine.pointer_size()
}

/// Sets limits of a job.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-setinformationjobobject>
#[winapi]
pub fn SetInformationJobObject(
    guest: &mut Guest,
    hJob: GuestWord,
    JobObjectInformationClass: u32,
    lpJobObjectInformation: GuestWord,
    cbJobObjectInformationLength: u32,
) -> Result<Bool, Win32Error> {
    let job = job(guest, hJob)?;
    let size = match JobObjectInformationClass {
        CLASS_BASIC_LIMIT => BASIC_LIMITS::size(guest.machine()),
        CLASS_EXTENDED_LIMIT => extended_size(guest),
        CLASS_UI | CLASS_END_OF_JOB_TIME => 4,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    if u64::from(cbJobObjectInformationLength) < size {
        return Err(Win32Error::BAD_LENGTH);
    }
    if matches!(JobObjectInformationClass, CLASS_BASIC_LIMIT | CLASS_EXTENDED_LIMIT) {
        let limits: BASIC_LIMITS = guest.read(lpJobObjectInformation.0)?;
        job.set_limits(u64::from(limits.LimitFlags));
    }
    Ok(TRUE)
}

fn accounting(job: &JobObject) -> ACCOUNTING {
    let members = job.members();
    let (total, ended) = job.counts();
    let mut all = ACCOUNTING {
        TotalProcesses: total,
        ActiveProcesses: members.len() as u32,
        TotalTerminatedProcesses: ended,
        ..ACCOUNTING::default()
    };
    for facts in members.iter().filter_map(|&id| plat_host::process::facts(id)) {
        all.TotalUserTime += (facts.used.user / 100) as i64;
        all.TotalKernelTime += (facts.used.kernel / 100) as i64;
        all.TotalPageFaultCount = all.TotalPageFaultCount.wrapping_add(facts.faults as u32);
    }
    all
}

/// Tells limits, members and sums of a job; null is the job of the calling process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-queryinformationjobobject>
#[winapi]
pub fn QueryInformationJobObject(
    guest: &mut Guest,
    hJob: GuestWord,
    JobObjectInformationClass: u32,
    lpJobObjectInformation: GuestWord,
    cbJobObjectInformationLength: u32,
    lpReturnLength: GuestWord,
) -> Result<Bool, Win32Error> {
    if hJob.is_null() {
        // A process without a job may not ask; of the job it is in it has no handle here.
        return Err(NtStatus::ACCESS_DENIED.to_win32());
    }
    let job = job(guest, hJob)?;
    let machine = guest.machine();
    let (place, length) = (lpJobObjectInformation.0, u64::from(cbJobObjectInformationLength));
    let check = |size: u64| if length < size { Err(Win32Error::BAD_LENGTH) } else { Ok(size) };
    let limits = BASIC_LIMITS { LimitFlags: job.limits() as u32, ..BASIC_LIMITS::default() };
    let size = match JobObjectInformationClass {
        CLASS_ACCOUNTING => {
            let size = check(ACCOUNTING::size(machine))?;
            guest.write(place, &accounting(&job))?;
            size
        }
        CLASS_ACCOUNTING_AND_IO => {
            let size = check(ACCOUNTING::size(machine) + IO_COUNTERS_BYTES)?;
            guest.write_bytes(place, &vec![0; size as usize])?;
            guest.write(place, &accounting(&job))?;
            size
        }
        CLASS_BASIC_LIMIT => {
            let size = check(BASIC_LIMITS::size(machine))?;
            guest.write(place, &limits)?;
            size
        }
        CLASS_EXTENDED_LIMIT => {
            let size = check(extended_size(guest))?;
            guest.write_bytes(place, &vec![0; size as usize])?;
            guest.write(place, &limits)?;
            size
        }
        CLASS_PROCESS_LIST => {
            let (members, word) = (job.members(), machine.pointer_size());
            let room = (length.saturating_sub(8) / word) as usize;
            check(8 + word)?;
            guest.write(place, &(members.len() as u32))?;
            guest.write(place + 4, &(members.len().min(room) as u32))?;
            for (index, &id) in members.iter().take(room).enumerate() {
                guest.write_word(place + 8 + index as u64 * word, u64::from(id))?;
            }
            if members.len() > room {
                return Err(Win32Error::MORE_DATA);
            }
            8 + members.len() as u64 * word
        }
        CLASS_UI => {
            guest.write(place, &0_u32)?;
            check(4)?
        }
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    if !lpReturnLength.is_null() {
        guest.write(lpReturnLength.0, &(size as u32))?;
    }
    Ok(TRUE)
}
