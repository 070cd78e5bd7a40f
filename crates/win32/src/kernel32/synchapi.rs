//! synchapi.h: events, mutexes, semaphores, timers, critical sections, slim locks, waits.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::event_leaves::{RESET_EVENT, SET_EVENT, WAIT_FOR_SINGLE_OBJECT, WAIT_FOR_SINGLE_OBJECT_EX};
use super::fileapi::open::inherit_flags;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, OrMinusOne, TRUE};
use crate::nt::event::Event;
use crate::nt::handle::HandleFlags;
use crate::nt::mutant::Mutant;
use crate::nt::object::{Object, ObjectRef};
use crate::nt::semaphore::Semaphore;
use crate::nt::thread::Apc;
use crate::nt::timer::Timer;
use crate::nt::{thread, wait};
use crate::process::Process;
use crate::widths::{Width, both_widths};
use crate::{NtStatus, Win32Error};

mod locks;

pub use locks::*;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    forward AcquireSRWLockExclusive => "ntdll.RtlAcquireSRWLockExclusive";
    forward AcquireSRWLockShared => "ntdll.RtlAcquireSRWLockShared";
    full CancelWaitableTimer;
    full CreateEventA;
    full CreateEventExA;
    full CreateEventExW;
    full CreateEventW;
    full CreateMutexA;
    full CreateMutexExA;
    full CreateMutexExW;
    full CreateMutexW;
    full CreateSemaphoreA;
    full CreateSemaphoreExA;
    full CreateSemaphoreExW;
    full CreateSemaphoreW;
    full CreateWaitableTimerA;
    full CreateWaitableTimerExA;
    full CreateWaitableTimerExW;
    full CreateWaitableTimerW;
    forward DeleteCriticalSection => "ntdll.RtlDeleteCriticalSection";
    forward EnterCriticalSection => "ntdll.RtlEnterCriticalSection";
    full InitOnceBeginInitialize;
    full InitOnceComplete;
    full InitOnceExecuteOnce;
    forward InitOnceInitialize => "ntdll.RtlRunOnceInitialize";
    forward InitializeConditionVariable => "ntdll.RtlInitializeConditionVariable";
    full InitializeCriticalSection;
    full InitializeCriticalSectionAndSpinCount;
    full InitializeCriticalSectionEx;
    forward InitializeSRWLock => "ntdll.RtlInitializeSRWLock";
    forward LeaveCriticalSection => "ntdll.RtlLeaveCriticalSection";
    full OpenEventA;
    full OpenEventW;
    full OpenMutexA;
    full OpenMutexW;
    full OpenSemaphoreA;
    full OpenSemaphoreW;
    full OpenWaitableTimerA;
    full OpenWaitableTimerW;
    partial PulseEvent, "threads of other processes that wait may miss it";
    full ReleaseMutex;
    forward ReleaseSRWLockExclusive => "ntdll.RtlReleaseSRWLockExclusive";
    forward ReleaseSRWLockShared => "ntdll.RtlReleaseSRWLockShared";
    full ReleaseSemaphore;
    code ResetEvent: RESET_EVENT;
    full SetCriticalSectionSpinCount;
    code SetEvent: SET_EVENT;
    full SetWaitableTimer;
    full SetWaitableTimerEx;
    full SignalObjectAndWait;
    full Sleep;
    full SleepConditionVariableCS;
    full SleepConditionVariableSRW;
    full SleepEx;
    forward TryAcquireSRWLockExclusive => "ntdll.RtlTryAcquireSRWLockExclusive";
    forward TryAcquireSRWLockShared => "ntdll.RtlTryAcquireSRWLockShared";
    forward TryEnterCriticalSection => "ntdll.RtlTryEnterCriticalSection";
    full WaitForMultipleObjects;
    full WaitForMultipleObjectsEx;
    code WaitForSingleObject: WAIT_FOR_SINGLE_OBJECT;
    code WaitForSingleObjectEx: WAIT_FOR_SINGLE_OBJECT_EX;
    full WaitOnAddress;
    forward WakeAllConditionVariable => "ntdll.RtlWakeAllConditionVariable";
    forward WakeByAddressAll => "ntdll.RtlWakeAddressAll";
    forward WakeByAddressSingle => "ntdll.RtlWakeAddressSingle";
    forward WakeConditionVariable => "ntdll.RtlWakeConditionVariable";
};

/// All access to an object of synchronisation: `EVENT_ALL_ACCESS` and its likes.
const ALL_ACCESS: u32 = 0x1f_0003;
/// `WAIT_TIMEOUT`.
const WAIT_TIMEOUT: u32 = 258;
/// `WAIT_IO_COMPLETION`.
const WAIT_IO_COMPLETION: u32 = 192;

/// Reads a name, if there is one. Names are mostly ASCII; other bytes keep their number, which is enough to find the same
/// name again.
fn name_of(guest: &Guest, width: Width, address: GuestWord) -> Result<Vec<u16>, Win32Error> {
    match width {
        _ if address.is_null() => Ok(Vec::new()),
        Width::Narrow => Ok(guest.read_c_string(address.get())?.into_iter().map(u16::from).collect()),
        Width::Wide => Ok(guest.read_wide_string(address.get())?),
    }
}

/// Makes or opens a named object and a handle to it; the last error says whether it existed.
fn create<T: Object>(
    guest: &mut Guest,
    attributes: GuestWord,
    name: Result<Vec<u16>, Win32Error>,
    make: impl FnOnce() -> Result<Arc<T>, NtStatus>,
) -> Result<GuestWord, Win32Error> {
    let process = guest.process();
    let flags = inherit_flags(guest, attributes)?;
    let made = process.names.open_or_create(process, &name?, make);
    // A name of another kind of object is no valid handle to Windows.
    let (object, existed) = made.map_err(NtStatus::to_win32)?;
    let handle = process.handles.insert(object, ALL_ACCESS, flags);
    guest.set_last_error(if existed { Win32Error::ALREADY_EXISTS } else { Win32Error::SUCCESS });
    Ok(GuestWord(handle))
}

/// Opens a named object.
fn open<T: Object>(
    guest: &Guest,
    access: u32,
    inherit: Bool,
    name: Result<Vec<u16>, Win32Error>,
) -> Result<GuestWord, Win32Error> {
    let name = name?;
    if name.is_empty() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let process = guest.process();
    let object = process.names.open::<T>(process, &name).map_err(NtStatus::to_win32)?;
    let flags = if inherit.0 { HandleFlags::INHERIT } else { HandleFlags::empty() };
    Ok(GuestWord(process.handles.insert(object, access, flags)))
}

/// Returns a handle's object as its type.
fn object<T: Object>(guest: &Guest, handle: GuestWord) -> Result<Arc<T>, Win32Error> {
    guest.process().handles.get(handle.get()).map_err(NtStatus::to_win32)
}

const CREATE_EVENT_MANUAL_RESET: u32 = 1;
const CREATE_EVENT_INITIAL_SET: u32 = 2;

both_widths! {
    /// Makes or opens an event.
    "synchapi/nf-synchapi-createevent"
    CreateEventA, CreateEventW(
        guest, width, lpEventAttributes: GuestWord, bManualReset: Bool, bInitialState: Bool, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let name = name_of(guest, width, lpName);
        create(guest, lpEventAttributes, name, || Ok(Event::new(bManualReset.0, bInitialState.0)))
    }

    /// Makes or opens an event.
    "synchapi/nf-synchapi-createeventex"
    CreateEventExA, CreateEventExW(
        guest, width, lpEventAttributes: GuestWord, lpName: GuestWord, dwFlags: u32, dwDesiredAccess: u32
    ) -> Result<GuestWord, Win32Error> {
        let _ = dwDesiredAccess;
        let (manual, set) = (dwFlags & CREATE_EVENT_MANUAL_RESET != 0, dwFlags & CREATE_EVENT_INITIAL_SET != 0);
        let name = name_of(guest, width, lpName);
        create(guest, lpEventAttributes, name, || Ok(Event::new(manual, set)))
    }

    /// Opens a named event.
    "synchapi/nf-synchapi-openevent"
    OpenEventA, OpenEventW(
        guest, width, dwDesiredAccess: u32, bInheritHandle: Bool, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        open::<Event>(guest, dwDesiredAccess, bInheritHandle, name_of(guest, width, lpName))
    }

    /// Opens a named timer.
    "winbase/nf-winbase-openwaitabletimer" | "synchapi/nf-synchapi-openwaitabletimer"
    OpenWaitableTimerA, OpenWaitableTimerW(
        guest, width, dwDesiredAccess: u32, bInheritHandle: Bool, lpTimerName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        open::<Timer>(guest, dwDesiredAccess, bInheritHandle, name_of(guest, width, lpTimerName))
    }
}

/// Sets an event.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setevent>
#[winapi]
pub fn SetEvent(guest: &mut Guest, hEvent: GuestWord) -> Result<Bool, Win32Error> {
    object::<Event>(guest, hEvent)?.set_by(guest.process(), hEvent.get());
    Ok(TRUE)
}

/// Resets an event.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-resetevent>
#[winapi]
pub fn ResetEvent(guest: &mut Guest, hEvent: GuestWord) -> Result<Bool, Win32Error> {
    object::<Event>(guest, hEvent)?.reset();
    Ok(TRUE)
}

/// Lets those go who wait for an event now, and leaves it reset.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-pulseevent>
#[winapi]
pub fn PulseEvent(guest: &mut Guest, hEvent: GuestWord) -> Result<Bool, Win32Error> {
    object::<Event>(guest, hEvent)?.pulse();
    Ok(TRUE)
}

fn new_mutant(is_owned: bool) -> Result<Arc<Mutant>, NtStatus> {
    Ok(Mutant::new(is_owned.then(thread::current).as_ref()))
}

both_widths! {
    /// Makes or opens a mutex.
    "synchapi/nf-synchapi-createmutex"
    CreateMutexA, CreateMutexW(
        guest, width, lpMutexAttributes: GuestWord, bInitialOwner: Bool, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let name = name_of(guest, width, lpName);
        create(guest, lpMutexAttributes, name, || new_mutant(bInitialOwner.0))
    }

    /// Makes or opens a mutex.
    "synchapi/nf-synchapi-createmutexex"
    CreateMutexExA, CreateMutexExW(
        guest, width, lpMutexAttributes: GuestWord, lpName: GuestWord, dwFlags: u32, dwDesiredAccess: u32
    ) -> Result<GuestWord, Win32Error> {
        let _ = dwDesiredAccess;
        let name = name_of(guest, width, lpName);
        create(guest, lpMutexAttributes, name, || new_mutant(dwFlags & 1 != 0))
    }

    /// Opens a named mutex.
    "synchapi/nf-synchapi-openmutex"
    OpenMutexA, OpenMutexW(
        guest, width, dwDesiredAccess: u32, bInheritHandle: Bool, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        open::<Mutant>(guest, dwDesiredAccess, bInheritHandle, name_of(guest, width, lpName))
    }
}

/// Gives up one ownership of a mutex.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasemutex>
#[winapi]
pub fn ReleaseMutex(guest: &mut Guest, hMutex: GuestWord) -> Result<Bool, Win32Error> {
    let mutant = object::<Mutant>(guest, hMutex)?;
    thread::with_current(|thread| mutant.release(thread)).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}

both_widths! {
    /// Makes or opens a semaphore.
    "winbase/nf-winbase-createsemaphore"
    CreateSemaphoreA, CreateSemaphoreW(
        guest, width, lpSemaphoreAttributes: GuestWord, lInitialCount: i32, lMaximumCount: i32,
        lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let name = name_of(guest, width, lpName);
        create(guest, lpSemaphoreAttributes, name, || Semaphore::new(lInitialCount, lMaximumCount))
    }

    /// Makes or opens a semaphore.
    "winbase/nf-winbase-createsemaphoreex"
    CreateSemaphoreExA, CreateSemaphoreExW(
        guest, width, lpSemaphoreAttributes: GuestWord, lInitialCount: i32, lMaximumCount: i32,
        lpName: GuestWord, dwFlags: u32, dwDesiredAccess: u32
    ) -> Result<GuestWord, Win32Error> {
        let _ = (dwFlags, dwDesiredAccess);
        let name = name_of(guest, width, lpName);
        create(guest, lpSemaphoreAttributes, name, || Semaphore::new(lInitialCount, lMaximumCount))
    }

    /// Opens a named semaphore.
    "winbase/nf-winbase-opensemaphore" | "synchapi/nf-synchapi-opensemaphore"
    OpenSemaphoreA, OpenSemaphoreW(
        guest, width, dwDesiredAccess: u32, bInheritHandle: Bool, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        open::<Semaphore>(guest, dwDesiredAccess, bInheritHandle, name_of(guest, width, lpName))
    }
}

/// Adds to a semaphore's count.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesemaphore>
#[winapi]
pub fn ReleaseSemaphore(
    guest: &mut Guest,
    hSemaphore: GuestWord,
    lReleaseCount: i32,
    lpPreviousCount: GuestWord,
) -> Result<Bool, Win32Error> {
    let before =
        object::<Semaphore>(guest, hSemaphore)?.release(lReleaseCount).map_err(NtStatus::to_win32)?;
    if !lpPreviousCount.is_null() {
        guest.write(lpPreviousCount.get(), &before)?;
    }
    Ok(TRUE)
}

both_widths! {
    /// Makes or opens a waitable timer.
    "synchapi/nf-synchapi-createwaitabletimer"
    CreateWaitableTimerA, CreateWaitableTimerW(
        guest, width, lpTimerAttributes: GuestWord, bManualReset: Bool, lpTimerName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let name = name_of(guest, width, lpTimerName);
        create(guest, lpTimerAttributes, name, || Ok(Timer::new(bManualReset.0)))
    }

    /// Makes or opens a waitable timer; all timers have a high resolution here.
    "synchapi/nf-synchapi-createwaitabletimerex"
    CreateWaitableTimerExA, CreateWaitableTimerExW(
        guest, width, lpTimerAttributes: GuestWord, lpTimerName: GuestWord, dwFlags: u32, dwDesiredAccess: u32
    ) -> Result<GuestWord, Win32Error> {
        let _ = dwDesiredAccess;
        let name = name_of(guest, width, lpTimerName);
        create(guest, lpTimerAttributes, name, || Ok(Timer::new(dwFlags & 1 != 0)))
    }
}

/// Sets a waitable timer; it never wakes the machine.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setwaitabletimer>
#[winapi]
pub fn SetWaitableTimer(
    guest: &mut Guest,
    hTimer: GuestWord,
    lpDueTime: GuestWord,
    lPeriod: i32,
    pfnCompletionRoutine: GuestWord,
    lpArgToCompletionRoutine: GuestWord,
    fResume: Bool,
) -> Result<Bool, Win32Error> {
    let _ = fResume;
    let timer = object::<Timer>(guest, hTimer)?;
    let period = u64::try_from(lPeriod).map_err(|_| Win32Error::INVALID_PARAMETER)? * 1_000_000;
    let due = wait::deadline_of_units(guest.read(lpDueTime.get())?);
    let call = (pfnCompletionRoutine.get(), lpArgToCompletionRoutine.get());
    timer.set(due, period, (call.0 != 0).then_some(call), &thread::current());
    Ok(TRUE)
}

/// Sets a waitable timer; the tolerable delay is not used.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setwaitabletimerex>
#[winapi]
pub fn SetWaitableTimerEx(
    guest: &mut Guest,
    hTimer: GuestWord,
    lpDueTime: GuestWord,
    lPeriod: i32,
    pfnCompletionRoutine: GuestWord,
    lpArgToCompletionRoutine: GuestWord,
    WakeContext: GuestWord,
    TolerableDelay: u32,
) -> Result<Bool, Win32Error> {
    let _ = (WakeContext, TolerableDelay);
    SetWaitableTimer(guest, hTimer, lpDueTime, lPeriod, pfnCompletionRoutine, lpArgToCompletionRoutine, FALSE)
}

/// Stops a waitable timer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-cancelwaitabletimer>
#[winapi]
pub fn CancelWaitableTimer(guest: &mut Guest, hTimer: GuestWord) -> Result<Bool, Win32Error> {
    object::<Timer>(guest, hTimer)?.cancel();
    Ok(TRUE)
}

/// Turns the end of a wait into what `WaitFor…` return.
pub(crate) fn wait_result(status: NtStatus) -> OrMinusOne {
    OrMinusOne(match status {
        NtStatus::TIMEOUT => WAIT_TIMEOUT,
        NtStatus::USER_APC => WAIT_IO_COMPLETION,
        other => other.0,
    })
}

/// Returns the objects of handles.
fn objects(process: &Process, handles: &[u64]) -> Result<Vec<ObjectRef>, Win32Error> {
    handles.iter().map(|&handle| process.object(handle).map_err(NtStatus::to_win32)).collect()
}

/// Waits for an object.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobject>
#[winapi]
pub fn WaitForSingleObject(
    guest: &mut Guest,
    hHandle: GuestWord,
    dwMilliseconds: u32,
) -> Result<OrMinusOne, Win32Error> {
    WaitForSingleObjectEx(guest, hHandle, dwMilliseconds, FALSE)
}

/// Waits for an object, or for queued calls.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobjectex>
#[winapi]
pub fn WaitForSingleObjectEx(
    guest: &mut Guest,
    hHandle: GuestWord,
    dwMilliseconds: u32,
    bAlertable: Bool,
) -> Result<OrMinusOne, Win32Error> {
    let object = guest.process().object(hHandle.get()).map_err(NtStatus::to_win32)?;
    let deadline = wait::deadline_of_milliseconds(dwMilliseconds);
    let how = wait::WaitFor { all: false, alertable: bAlertable.0, deadline };
    let status = wait::wait(&[object], how).map_err(NtStatus::to_win32)?;
    Ok(wait_result(wait::after_wait(guest, status).map_err(NtStatus::to_win32)?))
}

/// Waits for one of several objects or for all.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjects>
#[winapi]
pub fn WaitForMultipleObjects(
    guest: &mut Guest,
    nCount: u32,
    lpHandles: GuestWord,
    bWaitAll: Bool,
    dwMilliseconds: u32,
) -> Result<OrMinusOne, Win32Error> {
    WaitForMultipleObjectsEx(guest, nCount, lpHandles, bWaitAll, dwMilliseconds, FALSE)
}

/// Returns the objects of an array of handles.
pub(crate) fn objects_at(guest: &Guest, count: u32, array: GuestWord) -> Result<Vec<ObjectRef>, Win32Error> {
    let width = guest.machine().pointer_size();
    let handle = |index: u64| guest.read_word(array.get().wrapping_add(index * width));
    let handles: Vec<u64> = (0..u64::from(count)).map(handle).collect::<Result<_, _>>()?;
    objects(guest.process(), &handles)
}

/// Waits for one of several objects or for all, or for queued calls.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjectsex>
#[winapi]
pub fn WaitForMultipleObjectsEx(
    guest: &mut Guest,
    nCount: u32,
    lpHandles: GuestWord,
    bWaitAll: Bool,
    dwMilliseconds: u32,
    bAlertable: Bool,
) -> Result<OrMinusOne, Win32Error> {
    if nCount == 0 || nCount as usize > wait::WAIT_OBJECTS_MAX {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let objects = objects_at(guest, nCount, lpHandles)?;
    let deadline = wait::deadline_of_milliseconds(dwMilliseconds);
    let how = wait::WaitFor { all: bWaitAll.0, alertable: bAlertable.0, deadline };
    let status = wait::wait(&objects, how).map_err(NtStatus::to_win32)?;
    drop(objects);
    Ok(wait_result(wait::after_wait(guest, status).map_err(NtStatus::to_win32)?))
}

/// Signals one object and waits for another in one step.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-signalobjectandwait>
#[winapi]
pub fn SignalObjectAndWait(
    guest: &mut Guest,
    hObjectToSignal: GuestWord,
    hObjectToWaitOn: GuestWord,
    dwMilliseconds: u32,
    bAlertable: Bool,
) -> Result<OrMinusOne, Win32Error> {
    let process = guest.process();
    let to_signal = process.object(hObjectToSignal.get()).map_err(NtStatus::to_win32)?;
    let wait_for = [process.object(hObjectToWaitOn.get()).map_err(NtStatus::to_win32)?];
    let deadline = wait::deadline_of_milliseconds(dwMilliseconds);
    let how = wait::WaitFor { all: false, alertable: bAlertable.0, deadline };
    let status = wait::signal_and_wait(&to_signal, &wait_for, how).map_err(NtStatus::to_win32)?;
    drop((to_signal, wait_for));
    Ok(wait_result(wait::after_wait(guest, status).map_err(NtStatus::to_win32)?))
}

/// Sleeps; 0 lets other threads run.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleep>
#[winapi]
pub fn Sleep(guest: &mut Guest, dwMilliseconds: u32) {
    SleepEx(guest, dwMilliseconds, FALSE);
}

/// Sleeps, or makes queued calls and returns 192.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepex>
#[winapi]
pub fn SleepEx(guest: &mut Guest, dwMilliseconds: u32, bAlertable: Bool) -> u32 {
    if dwMilliseconds == 0 {
        plat_host::thread::yield_now();
    }
    let deadline = wait::deadline_of_milliseconds(dwMilliseconds);
    let how = wait::WaitFor { all: false, alertable: bAlertable.0, deadline };
    match wait::wait_as_guest(guest, &[], how) {
        Ok(NtStatus::USER_APC) => WAIT_IO_COMPLETION,
        _ => 0,
    }
}

/// Queues a call with one argument to a thread; it is made when the thread waits alertably.
pub(crate) fn queue_user_apc(
    thread: &Arc<thread::ThreadObject>,
    function: u64,
    argument: u64,
) -> Result<(), NtStatus> {
    wait::queue_apc(thread, Apc { function, arguments: [argument, 0, 0, 0], count: 1 })
}
