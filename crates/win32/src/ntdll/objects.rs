//! Nt and Rtl functions of objects, waits, locks, time and threads.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::synchronisation::previous;
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::leaves::{
    ACQUIRE_SRW_EXCLUSIVE, ENTER_CRITICAL_SECTION, GET_LAST_ERROR, LEAVE_CRITICAL_SECTION,
    RELEASE_SRW_EXCLUSIVE, SET_LAST_ERROR, TRY_ENTER_CRITICAL_SECTION,
};
use crate::nt::slim_lock::SlimLock;
use crate::nt::thread::ThreadObject;
use crate::nt::{sysinfo, time, wait, wait_address};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full NtDelayExecution;
    full NtQueryPerformanceCounter;
    full NtQuerySystemTime;
    full NtResumeThread;
    full NtWaitForSingleObject;
    full NtYieldExecution;
    code RtlAcquireSRWLockExclusive: ACQUIRE_SRW_EXCLUSIVE;
    full RtlAcquireSRWLockShared;
    full RtlDeleteCriticalSection;
    code RtlEnterCriticalSection: ENTER_CRITICAL_SECTION;
    code RtlGetLastWin32Error: GET_LAST_ERROR;
    full RtlGetVersion;
    full RtlGetNtVersionNumbers;
    full RtlGetCurrentPeb;
    full RtlInitializeConditionVariable;
    full RtlInitializeCriticalSection;
    full RtlInitializeCriticalSectionAndSpinCount;
    full RtlInitializeSRWLock;
    code RtlLeaveCriticalSection: LEAVE_CRITICAL_SECTION;
    code RtlReleaseSRWLockExclusive: RELEASE_SRW_EXCLUSIVE;
    full RtlReleaseSRWLockShared;
    full RtlRunOnceInitialize;
    code RtlSetLastWin32Error: SET_LAST_ERROR;
    full RtlTryAcquireSRWLockExclusive;
    full RtlTryAcquireSRWLockShared;
    code RtlTryEnterCriticalSection: TRY_ENTER_CRITICAL_SECTION;
    full RtlWakeAddressAll;
    full RtlWakeAddressSingle;
    full RtlWakeAllConditionVariable;
    full RtlWakeConditionVariable;
};

/// Takes a critical section, the slow way: someone else holds it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-entercriticalsection>
#[winapi]
pub fn RtlEnterCriticalSection(guest: &mut Guest, CriticalSection: GuestWord) -> Result<NtStatus, Fault> {
    let id = guest.thread_id();
    guest.critical_section(CriticalSection.get()).enter(id)?;
    Ok(NtStatus::SUCCESS)
}

/// Gives up a critical section, the slow way: someone waits for it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-leavecriticalsection>
#[winapi]
pub fn RtlLeaveCriticalSection(guest: &mut Guest, CriticalSection: GuestWord) -> Result<NtStatus, Fault> {
    guest.critical_section(CriticalSection.get()).leave()?;
    Ok(NtStatus::SUCCESS)
}

/// Makes a critical section free.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializecriticalsection>
#[winapi]
pub fn RtlInitializeCriticalSection(
    guest: &mut Guest,
    CriticalSection: GuestWord,
) -> Result<NtStatus, Fault> {
    guest.critical_section(CriticalSection.get()).initialize(0)?;
    Ok(NtStatus::SUCCESS)
}

/// Makes a critical section free.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializecriticalsectionandspincount>
#[winapi]
pub fn RtlInitializeCriticalSectionAndSpinCount(
    guest: &mut Guest,
    CriticalSection: GuestWord,
    SpinCount: u32,
) -> Result<NtStatus, Fault> {
    guest.critical_section(CriticalSection.get()).initialize(SpinCount)?;
    Ok(NtStatus::SUCCESS)
}

/// Ends the use of a critical section.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-deletecriticalsection>
#[winapi]
pub fn RtlDeleteCriticalSection(guest: &mut Guest, CriticalSection: GuestWord) -> Result<NtStatus, Fault> {
    guest.critical_section(CriticalSection.get()).delete()?;
    Ok(NtStatus::SUCCESS)
}

/// Makes a slim lock free.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializesrwlock>
#[winapi]
pub fn RtlInitializeSRWLock(guest: &mut Guest, SRWLock: GuestWord) -> Result<(), Fault> {
    guest.write_word(SRWLock.get(), 0)
}

/// Makes a condition variable that nobody sleeps on.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializeconditionvariable>
#[winapi]
pub fn RtlInitializeConditionVariable(guest: &mut Guest, ConditionVariable: GuestWord) -> Result<(), Fault> {
    guest.write_word(ConditionVariable.get(), 0)
}

/// Makes a one-time initialisation that has not begun.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initonceinitialize>
#[winapi]
pub fn RtlRunOnceInitialize(guest: &mut Guest, RunOnce: GuestWord) -> Result<(), Fault> {
    guest.write_word(RunOnce.get(), 0)
}

/// Takes a slim lock for writing, the slow way.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-acquiresrwlockexclusive>
#[winapi]
pub fn RtlAcquireSRWLockExclusive(guest: &mut Guest, SRWLock: GuestWord) -> Result<(), Fault> {
    let _ = guest;
    SlimLock(SRWLock.get()).acquire_exclusive()
}

/// Gives up a slim lock after writing, the slow way.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesrwlockexclusive>
#[winapi]
pub fn RtlReleaseSRWLockExclusive(guest: &mut Guest, SRWLock: GuestWord) -> Result<(), Fault> {
    let _ = guest;
    SlimLock(SRWLock.get()).release_exclusive()
}

/// Takes a slim lock for reading.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-acquiresrwlockshared>
#[winapi]
pub fn RtlAcquireSRWLockShared(guest: &mut Guest, SRWLock: GuestWord) -> Result<(), Fault> {
    let _ = guest;
    SlimLock(SRWLock.get()).acquire_shared()
}

/// Gives up a slim lock after reading.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesrwlockshared>
#[winapi]
pub fn RtlReleaseSRWLockShared(guest: &mut Guest, SRWLock: GuestWord) -> Result<(), Fault> {
    let _ = guest;
    SlimLock(SRWLock.get()).release_shared()
}

/// Takes a slim lock for writing if it is free; returns a BOOLEAN.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-tryacquiresrwlockexclusive>
#[winapi]
pub fn RtlTryAcquireSRWLockExclusive(guest: &mut Guest, SRWLock: GuestWord) -> Result<u8, Fault> {
    let _ = guest;
    Ok(u8::from(SlimLock(SRWLock.get()).try_exclusive()?))
}

/// Takes a slim lock for reading unless someone writes; returns a BOOLEAN.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-tryacquiresrwlockshared>
#[winapi]
pub fn RtlTryAcquireSRWLockShared(guest: &mut Guest, SRWLock: GuestWord) -> Result<u8, Fault> {
    let _ = guest;
    Ok(u8::from(SlimLock(SRWLock.get()).try_shared()?))
}

/// Wakes one thread that sleeps on a condition variable.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakeconditionvariable>
#[winapi]
pub fn RtlWakeConditionVariable(guest: &mut Guest, ConditionVariable: GuestWord) {
    let _ = guest;
    wait_address::wake(ConditionVariable.get(), 1);
}

/// Wakes all threads that sleep on a condition variable.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakeallconditionvariable>
#[winapi]
pub fn RtlWakeAllConditionVariable(guest: &mut Guest, ConditionVariable: GuestWord) {
    let _ = guest;
    wait_address::wake(ConditionVariable.get(), usize::MAX);
}

/// Wakes one thread that sleeps in `WaitOnAddress`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakebyaddresssingle>
#[winapi]
pub fn RtlWakeAddressSingle(guest: &mut Guest, Address: GuestWord) {
    let _ = guest;
    wait_address::wake(Address.get(), 1);
}

/// Wakes all threads that sleep in `WaitOnAddress`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakebyaddressall>
#[winapi]
pub fn RtlWakeAddressAll(guest: &mut Guest, Address: GuestWord) {
    let _ = guest;
    wait_address::wake(Address.get(), usize::MAX);
}

/// Returns the version of Windows without regard to manifests.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlgetversion>
#[winapi]
pub fn RtlGetVersion(guest: &mut Guest, lpVersionInformation: GuestWord) -> Result<(), NtStatus> {
    const SIZE_EX: u32 = 284;
    let at = lpVersionInformation.get();
    let (major, minor, build) = sysinfo::VERSION;
    guest.write(at + 4, &[major, minor, build, sysinfo::PLATFORM_NT])?;
    guest.write_bytes(at + 20, &[0; 256])?;
    if guest.read_u32(at)? == SIZE_EX {
        guest.write(at + 276, &[0_u16, 0, sysinfo::SUITE])?;
        guest.write_bytes(at + 282, &[sysinfo::PRODUCT_WORKSTATION, 0])?;
    }
    Ok(())
}

/// Tells version and build; the highest bits of the build say that it is a released one. Null pointers get nothing.
///
/// Source: <https://www.geoffchappell.com/studies/windows/win32/ntdll/api/ldrinit/getntversionnumbers.htm>
#[winapi]
pub fn RtlGetNtVersionNumbers(
    guest: &mut Guest,
    Major: GuestWord,
    Minor: GuestWord,
    Build: GuestWord,
) -> Result<(), plat_abi::Fault> {
    const RELEASED: u32 = 0xf000_0000;
    let (major, minor, build) = sysinfo::VERSION;
    for (at, number) in [(Major, major), (Minor, minor), (Build, build | RELEASED)] {
        if !at.is_null() {
            guest.write(at.0, &number)?;
        }
    }
    Ok(())
}

/// Returns the address of the process' environment block.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/ns-winternl-peb>
#[winapi]
pub fn RtlGetCurrentPeb(guest: &mut Guest) -> GuestWord {
    GuestWord(guest.process().peb.get().copied().unwrap_or(0))
}

/// Reads the performance counter and its frequency.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancecounter>
#[winapi]
pub fn NtQueryPerformanceCounter(
    guest: &mut Guest,
    PerformanceCounter: GuestWord,
    PerformanceFrequency: GuestWord,
) -> Result<(), NtStatus> {
    guest.write(PerformanceCounter.get(), &time::performance_counter())?;
    if !PerformanceFrequency.is_null() {
        guest.write(PerformanceFrequency.get(), &time::PERFORMANCE_FREQUENCY)?;
    }
    Ok(())
}

/// Returns the system time.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysystemtime>
#[winapi]
pub fn NtQuerySystemTime(guest: &mut Guest, SystemTime: GuestWord) -> Result<(), NtStatus> {
    guest.write(SystemTime.get(), &time::now())?;
    Ok(())
}

/// Reads a time-out: none for a null pointer.
pub(super) fn deadline(guest: &Guest, timeout: GuestWord) -> Result<Option<u64>, NtStatus> {
    if timeout.is_null() {
        return Ok(None);
    }
    Ok(Some(wait::deadline_of_units(guest.read(timeout.get())?)))
}

/// Waits for an object.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntwaitforsingleobject>
#[winapi]
pub fn NtWaitForSingleObject(
    guest: &mut Guest,
    Handle: GuestWord,
    Alertable: u8,
    Timeout: GuestWord,
) -> NtStatus {
    let wait = || {
        let deadline = deadline(guest, Timeout)?;
        let object = guest.process().object(Handle.get())?;
        wait::wait_for_alert(&[object], wait::WaitFor { all: false, alertable: Alertable != 0, deadline })
    };
    let status = wait();
    status.and_then(|status| wait::after_wait(guest, status)).unwrap_or_else(|error| error)
}

/// Sleeps for a time in units of 100 ns: negative from now on, else until then.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kedelayexecutionthread>
#[winapi]
pub fn NtDelayExecution(guest: &mut Guest, Alertable: u8, DelayInterval: GuestWord) -> NtStatus {
    let how = deadline(guest, DelayInterval).map(|deadline| wait::WaitFor {
        all: false,
        alertable: Alertable != 0,
        deadline,
    });
    let status = how.and_then(|how| wait::wait_for_alert(&[], how));
    match status.and_then(|status| wait::after_wait(guest, status)) {
        Ok(NtStatus::TIMEOUT) => NtStatus::SUCCESS,
        Ok(status) | Err(status) => status,
    }
}

/// Lets other threads run.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-switchtothread>
#[winapi]
pub fn NtYieldExecution(guest: &mut Guest) -> NtStatus {
    let _ = guest;
    plat_host::thread::yield_now();
    NtStatus::SUCCESS
}

/// Takes back one suspension of a thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-resumethread>
#[winapi]
pub fn NtResumeThread(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    PreviousSuspendCount: GuestWord,
) -> Result<(), NtStatus> {
    let before = guest.process().object_as::<ThreadObject>(ThreadHandle.get())?.resume();
    previous(guest, PreviousSuspendCount, before)
}
