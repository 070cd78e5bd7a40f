//! processthreadsapi.h: threads, and what is asked about processes.

use std::sync::atomic::Ordering;

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::clock::ProcessorTime;

use super::fileapi::open::inherit_flags;
use super::synchapi::queue_user_apc;
use super::timezoneapi::write_file_time;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, OrMinusOne, TRUE};
use crate::nt::exception::context::{apply_context, context_bytes};
use crate::nt::exception::dispatch;
use crate::nt::handle::HandleFlags;
use crate::nt::sysinfo;
use crate::nt::thread::{ProcessObject, ThreadObject};
use crate::nt::thread_start::{self, ThreadPlan};
use crate::{NtStatus, Win32Error};

/// The exports of this header. What is asked most is guest code (`leaves`).
pub const EXPORTS: &[Export] = dll! {
    forward CreateProcessAsUserA => "advapi32.CreateProcessAsUserA"; forward CreateProcessAsUserW => "advapi32.CreateProcessAsUserW";
    forward OpenProcessToken => "advapi32.OpenProcessToken";
    forward OpenThreadToken => "advapi32.OpenThreadToken";
    forward SetThreadToken => "advapi32.SetThreadToken";
    full CreateRemoteThread;
    partial CreateRemoteThreadEx, "attributes are not looked at";
    full CreateThread;
    full ExitThread;
    full GetActiveProcessorCount;
    full GetExitCodeProcess;
    full GetExitCodeThread;
    full GetProcessAffinityMask;
    full GetProcessId;
    full GetProcessIdOfThread;
    full GetProcessTimes;
    full GetSystemTimes;
    partial GetThreadContext, "threads of this process only";
    partial SetThreadContext, "threads of this process only";
    full GetThreadId;
    full GetThreadTimes;
    full IsProcessorFeaturePresent;
    full OpenProcess;
    full OpenThread;
    full ProcessIdToSessionId;
    full QueueUserAPC;
    full ResumeThread;
    partial SetProcessAffinityMask, "only this process; threads that run keep theirs";
    full SetThreadAffinityMask;
    partial SetThreadDescription, "only the program itself sees the name";
    partial SetThreadIdealProcessor, "a hint that is not used";
    partial SetThreadStackGuarantee, "the value is kept in the TEB";
    partial SuspendThread, "a thread inside a call stops when the call ends";
    full SwitchToThread;
    partial TerminateThread, "another thread ends at its next wait";
    full WTSGetActiveConsoleSessionId;
};

const THREAD_ALL_ACCESS: u32 = 0x1f_ffff;

const CREATE_SUSPENDED: u32 = 4;
const STACK_SIZE_PARAM_IS_A_RESERVATION: u32 = 0x1_0000;

/// Makes a thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createthread>
#[winapi]
pub fn CreateThread(
    guest: &mut Guest,
    lpThreadAttributes: GuestWord,
    dwStackSize: GuestWord,
    lpStartAddress: GuestWord,
    lpParameter: GuestWord,
    dwCreationFlags: u32,
    lpThreadId: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let process = guest.process();
    let is_reservation = dwCreationFlags & STACK_SIZE_PARAM_IS_A_RESERVATION != 0;
    let (stack_reserve, stack_commit) =
        if is_reservation { (dwStackSize.get(), 0) } else { (0, dwStackSize.get()) };
    let inherit = 2 * process.machine.pointer_size();
    let is_inherited =
        !lpThreadAttributes.is_null() && guest.read_u32(lpThreadAttributes.get() + inherit)? != 0;
    let plan = ThreadPlan {
        start: lpStartAddress.get(),
        parameter: lpParameter.get(),
        stack_reserve,
        stack_commit,
        is_suspended: dwCreationFlags & CREATE_SUSPENDED != 0,
    };
    let thread = thread_start::create(process, plan).map_err(NtStatus::to_win32)?;
    if !lpThreadId.is_null() {
        guest.write(lpThreadId.get(), &thread.id())?;
    }
    let flags = if is_inherited { HandleFlags::INHERIT } else { HandleFlags::empty() };
    Ok(GuestWord(process.handles.insert(thread, THREAD_ALL_ACCESS, flags)))
}

/// Makes a thread in a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createremotethread>
#[winapi]
pub fn CreateRemoteThread(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpThreadAttributes: GuestWord,
    dwStackSize: GuestWord,
    lpStartAddress: GuestWord,
    lpParameter: GuestWord,
    dwCreationFlags: u32,
    lpThreadId: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let process = guest.object::<ProcessObject>(hProcess)?;
    if process.as_other().is_none() {
        let arguments = (lpThreadAttributes, dwStackSize, lpStartAddress, lpParameter);
        let (attributes, stack, start, parameter) = arguments;
        return CreateThread(guest, attributes, stack, start, parameter, dwCreationFlags, lpThreadId);
    }
    let is_reservation = dwCreationFlags & STACK_SIZE_PARAM_IS_A_RESERVATION != 0;
    let stack = if is_reservation { (dwStackSize.get(), 0) } else { (0, dwStackSize.get()) };
    let is_suspended = dwCreationFlags & CREATE_SUSPENDED != 0;
    let flags = inherit_flags(guest, lpThreadAttributes)?;
    let call = (lpStartAddress.get(), lpParameter.get());
    let thread = process.create_thread(call, stack, is_suspended)?;
    if !lpThreadId.is_null() {
        guest.write(lpThreadId.get(), &thread.id())?;
    }
    Ok(GuestWord(guest.process().handles.insert(thread, THREAD_ALL_ACCESS, flags)))
}

/// Makes a thread in a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createremotethreadex>
#[winapi]
pub fn CreateRemoteThreadEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpThreadAttributes: GuestWord,
    dwStackSize: GuestWord,
    lpStartAddress: GuestWord,
    lpParameter: GuestWord,
    dwCreationFlags: u32,
    lpAttributeList: GuestWord,
    lpThreadId: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let _ = lpAttributeList;
    let start = (lpThreadAttributes, dwStackSize, lpStartAddress, lpParameter);
    CreateRemoteThread(guest, hProcess, start.0, start.1, start.2, start.3, dwCreationFlags, lpThreadId)
}

/// Ends the calling thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-exitthread>
#[winapi]
pub fn ExitThread(guest: &mut Guest, dwExitCode: u32) {
    thread_start::end_current(guest, dwExitCode)
}

/// Ends a thread without calling anything of the program's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminatethread>
#[winapi]
pub fn TerminateThread(guest: &mut Guest, hThread: GuestWord, dwExitCode: u32) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    let is_own = thread.id() == guest.thread_id();
    thread.terminate(dwExitCode);
    drop(thread);
    if is_own {
        thread_start::leave_terminated(guest)
    }
    Ok(TRUE)
}

/// Returns a thread's exit code, 259 while it runs.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodethread>
#[winapi]
pub fn GetExitCodeThread(
    guest: &mut Guest,
    hThread: GuestWord,
    lpExitCode: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.write(lpExitCode.get(), &guest.object::<ThreadObject>(hThread)?.exit_code())?;
    Ok(TRUE)
}

/// Takes back one suspension; returns how many there were.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-resumethread>
#[winapi]
pub fn ResumeThread(guest: &mut Guest, hThread: GuestWord) -> Result<OrMinusOne, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    Ok(OrMinusOne(match thread.owner() {
        Some(owner) => owner.move_thread(thread.id(), true)?,
        None => thread.resume(),
    }))
}

/// Suspends a thread once more; returns how often it was suspended before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-suspendthread>
#[winapi]
pub fn SuspendThread(guest: &mut Guest, hThread: GuestWord) -> Result<OrMinusOne, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    let before = thread.suspend().map_err(NtStatus::to_win32)?;
    thread.stop_if_current();
    Ok(OrMinusOne(before))
}

/// Stores a thread's registers; it should be suspended. Of a thread that is in a function of the system, those of the
/// function's caller.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadcontext>
#[winapi]
pub fn GetThreadContext(
    guest: &mut Guest,
    hThread: GuestWord,
    lpContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    let registers = if thread.id() == guest.thread_id() {
        dispatch::caller(guest, 8)
    } else {
        thread.registers().map_err(NtStatus::to_win32)?
    };
    let machine = guest.machine();
    let mut bytes = context_bytes(machine, &registers);
    // The flags say what the caller wanted; they come back as they were.
    let flags = if machine.is_64() { 0x30 } else { 0 };
    guest.read_bytes(lpContext.0 + flags, &mut bytes[flags as usize..flags as usize + 4])?;
    guest.write_bytes(lpContext.0, &bytes)?;
    Ok(TRUE)
}

/// Sets the registers with which a thread goes on, as far as the context's flags say; it should be suspended.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadcontext>
#[winapi]
pub fn SetThreadContext(
    guest: &mut Guest,
    hThread: GuestWord,
    lpContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    if thread.id() == guest.thread_id() {
        let mut registers = dispatch::caller(guest, 8);
        registers.general[0] = 1;
        apply_context(guest, lpContext.0, &mut registers)?;
        drop(thread);
        guest.gate().resume(registers)
    }
    let mut registers = thread.registers().map_err(NtStatus::to_win32)?;
    apply_context(guest, lpContext.0, &mut registers)?;
    thread.set_registers(registers);
    Ok(TRUE)
}

/// Returns a thread's identifier.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadid>
#[winapi]
pub fn GetThreadId(guest: &mut Guest, Thread: GuestWord) -> Result<u32, Win32Error> {
    Ok(guest.object::<ThreadObject>(Thread)?.id())
}

/// Returns the identifier of a thread's process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessidofthread>
#[winapi]
pub fn GetProcessIdOfThread(guest: &mut Guest, Thread: GuestWord) -> Result<u32, Win32Error> {
    let thread = guest.object::<ThreadObject>(Thread)?;
    Ok(thread.owner().map_or_else(|| guest.process().threads.this_process().id(), |owner| owner.id()))
}

/// Opens a running thread of this process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openthread>
#[winapi]
pub fn OpenThread(
    guest: &mut Guest,
    dwDesiredAccess: u32,
    bInheritHandle: Bool,
    dwThreadId: u32,
) -> Result<GuestWord, Win32Error> {
    let process = guest.process();
    let thread = process.threads.find(dwThreadId).ok_or(Win32Error::INVALID_PARAMETER)?;
    let flags = if bInheritHandle.0 { HandleFlags::INHERIT } else { HandleFlags::empty() };
    Ok(GuestWord(process.handles.insert(thread, dwDesiredAccess, flags)))
}

/// Opens a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess>
#[winapi]
pub fn OpenProcess(
    guest: &mut Guest,
    dwDesiredAccess: u32,
    bInheritHandle: Bool,
    dwProcessId: u32,
) -> Result<GuestWord, Win32Error> {
    let process = guest.process();
    let own = process.threads.this_process();
    let object = if dwProcessId == own.id() { own } else { process.children.open(dwProcessId)? };
    let flags = if bInheritHandle.0 { HandleFlags::INHERIT } else { HandleFlags::empty() };
    Ok(GuestWord(process.handles.insert(object, dwDesiredAccess, flags)))
}

/// Returns a process's identifier: Linux' own.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessid>
#[winapi]
pub fn GetProcessId(guest: &mut Guest, Process: GuestWord) -> Result<u32, Win32Error> {
    Ok(guest.object::<ProcessObject>(Process)?.id())
}

/// Returns a process's exit code, 259 while it runs.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodeprocess>
#[winapi]
pub fn GetExitCodeProcess(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpExitCode: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.write(lpExitCode.get(), &guest.object::<ProcessObject>(hProcess)?.exit_code())?;
    Ok(TRUE)
}

/// Names a thread; returns an HRESULT.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreaddescription>
#[winapi]
pub fn SetThreadDescription(guest: &mut Guest, hThread: GuestWord, lpThreadDescription: GuestWord) -> u32 {
    let named = guest.object::<ThreadObject>(hThread).and_then(|thread| {
        let name = guest.read_wide_string(lpThreadDescription.get())?;
        thread.describe(name);
        Ok(())
    });
    named.map_or_else(Win32Error::to_hresult, |()| 0)
}

/// Lets other threads run; says whether there were any, which Linux does not tell: always yes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-switchtothread>
#[winapi]
pub fn SwitchToThread(guest: &mut Guest) -> Bool {
    let _ = guest;
    plat_host::thread::yield_now();
    TRUE
}

/// Queues a call to a thread: it is made when the thread waits alertably.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-queueuserapc>
#[winapi]
pub fn QueueUserAPC(
    guest: &mut Guest,
    pfnAPC: GuestWord,
    hThread: GuestWord,
    dwData: GuestWord,
) -> Result<u32, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    queue_user_apc(&thread, pfnAPC.get(), dwData.get()).map_err(NtStatus::to_win32)?;
    Ok(1)
}

/// Returns the processors that the process and the system may use, one bit each.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getprocessaffinitymask>
#[winapi]
pub fn GetProcessAffinityMask(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpProcessAffinityMask: GuestWord,
    lpSystemAffinityMask: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(hProcess)?;
    let mask = sysinfo::processors(guest.process().machine);
    guest.write_word(lpProcessAffinityMask.get(), mask)?;
    guest.write_word(lpSystemAffinityMask.get(), mask)?;
    Ok(TRUE)
}

/// Sets the processors that the process may use: those of the calling thread change at once.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setprocessaffinitymask>
#[winapi]
pub fn SetProcessAffinityMask(
    guest: &mut Guest,
    hProcess: GuestWord,
    dwProcessAffinityMask: GuestWord,
) -> Result<Bool, Win32Error> {
    let process = guest.object::<ProcessObject>(hProcess)?;
    if process.id() != guest.process().threads.this_process().id() {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    let mask = checked_mask(guest, dwProcessAffinityMask)?;
    if plat_host::sysinfo::set_thread_affinity(plat_host::thread::kernel_id(), mask) {
        Ok(TRUE)
    } else {
        Err(Win32Error::INVALID_PARAMETER)
    }
}

/// Refuses processors that there are not.
fn checked_mask(guest: &Guest, mask: GuestWord) -> Result<u64, Win32Error> {
    let all = sysinfo::processors(guest.process().machine);
    let is_good = !mask.is_null() && mask.get() & !all == 0;
    if is_good { Ok(mask.get()) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Sets the processors that a thread may use; returns those before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setthreadaffinitymask>
#[winapi]
pub fn SetThreadAffinityMask(
    guest: &mut Guest,
    hThread: GuestWord,
    dwThreadAffinityMask: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    let mask = checked_mask(guest, dwThreadAffinityMask)?;
    let before = thread.affinity.swap(mask, Ordering::AcqRel);
    // A thread that has no kernel thread yet applies it when it begins.
    if thread.kernel_id() != 0 && !thread.has_ended() {
        plat_host::sysinfo::set_thread_affinity(thread.kernel_id(), mask);
    }
    let all = sysinfo::processors(guest.process().machine);
    Ok(GuestWord(if before == 0 { all } else { before }))
}

/// Accepts the processor that a thread likes best; returns the one before: always 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadidealprocessor>
#[winapi]
pub fn SetThreadIdealProcessor(
    guest: &mut Guest,
    hThread: GuestWord,
    dwIdealProcessor: u32,
) -> Result<OrMinusOne, Win32Error> {
    const MAXIMUM_PROCESSORS: u32 = 64;
    guest.object::<ThreadObject>(hThread)?;
    if dwIdealProcessor > MAXIMUM_PROCESSORS { Err(Win32Error::INVALID_PARAMETER) } else { Ok(OrMinusOne(0)) }
}

/// Returns how many processors there are in the one group.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getactiveprocessorcount>
#[winapi]
pub fn GetActiveProcessorCount(guest: &mut Guest, GroupNumber: u16) -> Result<u32, Win32Error> {
    const ALL_PROCESSOR_GROUPS: u16 = 0xffff;
    if GroupNumber != 0 && GroupNumber != ALL_PROCESSOR_GROUPS {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(sysinfo::processors(guest.process().machine).count_ones())
}

/// Writes creation and exit time and the time used in the kernel and in programs.
fn write_times(
    guest: &Guest,
    places: [GuestWord; 4],
    life: (i64, i64),
    used: ProcessorTime,
) -> Result<Bool, Win32Error> {
    let values = [life.0, life.1, (used.kernel / 100) as i64, (used.user / 100) as i64];
    for (place, value) in places.into_iter().zip(values) {
        write_file_time(guest, place, value)?;
    }
    Ok(TRUE)
}

/// Returns when a process began and what processor time it has used.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes>
#[winapi]
pub fn GetProcessTimes(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpCreationTime: GuestWord,
    lpExitTime: GuestWord,
    lpKernelTime: GuestWord,
    lpUserTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let process = guest.object::<ProcessObject>(hProcess)?;
    let places = [lpCreationTime, lpExitTime, lpKernelTime, lpUserTime];
    write_times(guest, places, process.life(), process.processor_time())
}

/// Returns what all processors together have spent idle, in the kernel (idle time included) and in programs.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getsystemtimes>
#[winapi]
pub fn GetSystemTimes(
    guest: &mut Guest,
    lpIdleTime: GuestWord,
    lpKernelTime: GuestWord,
    lpUserTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let (idle, kernel, user) = plat_host::process::system_times();
    for (place, value) in [(lpIdleTime, idle), (lpKernelTime, kernel + idle), (lpUserTime, user)] {
        if !place.is_null() {
            write_file_time(guest, place, (value / 100) as i64)?;
        }
    }
    Ok(TRUE)
}

/// Returns when a thread began and ended and what processor time it has used.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadtimes>
#[winapi]
pub fn GetThreadTimes(
    guest: &mut Guest,
    hThread: GuestWord,
    lpCreationTime: GuestWord,
    lpExitTime: GuestWord,
    lpKernelTime: GuestWord,
    lpUserTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(hThread)?;
    let places = [lpCreationTime, lpExitTime, lpKernelTime, lpUserTime];
    write_times(guest, places, thread.life(), thread.processor_time())
}

/// Says whether the processor can do something.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-isprocessorfeaturepresent>
#[winapi]
pub fn IsProcessorFeaturePresent(guest: &mut Guest, ProcessorFeature: u32) -> Bool {
    let _ = guest;
    Bool(sysinfo::has_processor_feature(ProcessorFeature))
}

/// Returns the session of a process: always 1, the first interactive one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-processidtosessionid>
#[winapi]
pub fn ProcessIdToSessionId(
    guest: &mut Guest,
    dwProcessId: u32,
    pSessionId: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwProcessId;
    guest.write(pSessionId.get(), &1_u32)?;
    Ok(TRUE)
}

/// Sets how many bytes of stack are kept for a stack overflow's handler; returns those before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadstackguarantee>
#[winapi]
pub fn SetThreadStackGuarantee(guest: &mut Guest, StackSizeInBytes: GuestWord) -> Result<Bool, Win32Error> {
    let teb = guest.teb();
    let wanted = guest.read_u32(StackSizeInBytes.get())?;
    let before = teb.get(crate::teb::Teb::GUARANTEED_STACK)? as u32;
    if wanted > before {
        let pages = u64::from(wanted).next_multiple_of(u64::from(sysinfo::PAGE_SIZE));
        let place = teb.address + crate::teb::Teb::GUARANTEED_STACK.offset(teb.machine);
        guest.write(place, &(pages as u32))?;
    }
    guest.write(StackSizeInBytes.get(), &before)?;
    Ok(TRUE)
}

answers! {
    "Returns the session at the machine's console: the only one." -> u32 = 1 => {
        "winbase/nf-winbase-wtsgetactiveconsolesessionid" WTSGetActiveConsoleSessionId();
    }
}
