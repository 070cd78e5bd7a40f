//! synchapi.h: critical sections, condition variables, addresses, one-time initialisation.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::slim_lock::{InitOnce, InitOnceState, SlimLock};
use crate::nt::{wait, wait_address};

/// Makes a critical section free.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializecriticalsection>
#[winapi]
pub fn InitializeCriticalSection(guest: &mut Guest, lpCriticalSection: GuestWord) -> Result<(), Fault> {
    guest.critical_section(lpCriticalSection.get()).initialize(0)
}

/// Makes a critical section free; never fails.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializecriticalsectionandspincount>
#[winapi]
pub fn InitializeCriticalSectionAndSpinCount(
    guest: &mut Guest,
    lpCriticalSection: GuestWord,
    dwSpinCount: u32,
) -> Result<Bool, Fault> {
    guest.critical_section(lpCriticalSection.get()).initialize(dwSpinCount)?;
    Ok(TRUE)
}

/// Makes a critical section free; the flags change nothing here.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializecriticalsectionex>
#[winapi]
pub fn InitializeCriticalSectionEx(
    guest: &mut Guest,
    lpCriticalSection: GuestWord,
    dwSpinCount: u32,
    Flags: u32,
) -> Result<Bool, Fault> {
    let _ = Flags;
    guest.critical_section(lpCriticalSection.get()).initialize(dwSpinCount)?;
    Ok(TRUE)
}

/// Sets a critical section's spin count and returns the one before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setcriticalsectionspincount>
#[winapi]
pub fn SetCriticalSectionSpinCount(
    guest: &mut Guest,
    lpCriticalSection: GuestWord,
    dwSpinCount: u32,
) -> Result<u32, Fault> {
    guest.critical_section(lpCriticalSection.get()).set_spin_count(dwSpinCount)
}

/// Gives up a critical section and sleeps until a condition variable is signalled.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepconditionvariablecs>
#[winapi]
pub fn SleepConditionVariableCS(
    guest: &mut Guest,
    ConditionVariable: GuestWord,
    CriticalSection: GuestWord,
    dwMilliseconds: u32,
) -> Result<Bool, Win32Error> {
    let section = guest.critical_section(CriticalSection.get());
    let id = guest.thread_id();
    sleep_on_condition(ConditionVariable, dwMilliseconds, || section.leave(), || section.enter(id))
}

const CONDITION_VARIABLE_LOCKMODE_SHARED: u32 = 1;

/// Gives up a slim lock and sleeps until a condition variable is signalled.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepconditionvariablesrw>
#[winapi]
pub fn SleepConditionVariableSRW(
    guest: &mut Guest,
    ConditionVariable: GuestWord,
    SRWLock: GuestWord,
    dwMilliseconds: u32,
    Flags: u32,
) -> Result<Bool, Win32Error> {
    let _ = guest;
    let lock = SlimLock(SRWLock.get());
    if Flags & CONDITION_VARIABLE_LOCKMODE_SHARED != 0 {
        sleep_on_condition(
            ConditionVariable,
            dwMilliseconds,
            || lock.release_shared(),
            || lock.acquire_shared(),
        )
    } else {
        sleep_on_condition(
            ConditionVariable,
            dwMilliseconds,
            || lock.release_exclusive(),
            || lock.acquire_exclusive(),
        )
    }
}

/// Queues at the variable, gives up the lock, sleeps, takes the lock again. The variable's own word is never used.
pub(crate) fn sleep_on_condition(
    variable: GuestWord,
    milliseconds: u32,
    leave: impl FnOnce() -> Result<(), Fault>,
    enter: impl FnOnce() -> Result<(), Fault>,
) -> Result<Bool, Win32Error> {
    let deadline = wait::deadline_of_milliseconds(milliseconds);
    wait_address::enqueue_if(variable.get(), || Ok::<_, Fault>(true))?;
    if let Err(fault) = leave() {
        wait_address::sleep(variable.get(), Some(0));
        return Err(fault.into());
    }
    let woken = wait_address::sleep(variable.get(), deadline);
    enter()?;
    if woken { Ok(TRUE) } else { Err(Win32Error::TIMEOUT) }
}

/// Sleeps while a variable has a value; wake-ups without reason are allowed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitonaddress>
#[winapi]
pub fn WaitOnAddress(
    guest: &mut Guest,
    Address: GuestWord,
    CompareAddress: GuestWord,
    AddressSize: GuestWord,
    dwMilliseconds: u32,
) -> Result<Bool, Win32Error> {
    let size = AddressSize.get();
    if !matches!(size, 1 | 2 | 4 | 8) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let deadline = wait::deadline_of_milliseconds(dwMilliseconds);
    match wait_address::wait_while_equal(guest, Address, CompareAddress, AddressSize, deadline)? {
        true => Ok(TRUE),
        false => Err(Win32Error::TIMEOUT),
    }
}

const INIT_ONCE_CHECK_ONLY: u32 = 1;
const INIT_ONCE_ASYNC: u32 = 2;
const INIT_ONCE_INIT_FAILED: u32 = 4;

fn init_once(guest: &Guest, address: GuestWord) -> InitOnce {
    InitOnce { address: address.get(), machine: guest.process().machine }
}

/// Calls a function once, and lets others wait until it is done.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initonceexecuteonce>
#[winapi]
pub fn InitOnceExecuteOnce(
    guest: &mut Guest,
    InitOnce: GuestWord,
    InitFn: GuestWord,
    Parameter: GuestWord,
    Context: GuestWord,
) -> Result<Bool, Win32Error> {
    let once = init_once(guest, InitOnce);
    match once.begin(false)? {
        InitOnceState::Done(context) => {
            if !Context.is_null() {
                guest.write_word(Context.get(), context)?;
            }
            Ok(TRUE)
        }
        InitOnceState::Begun => {
            let done =
                guest.call(InitFn.get(), &[InitOnce.get(), Parameter.get(), Context.get()])? as u32 != 0;
            let context = if Context.is_null() { 0 } else { guest.read_word(Context.get())? };
            once.complete(done.then_some(context & !3), false)?;
            // A failed function has set the last error itself.
            Ok(Bool(done))
        }
        InitOnceState::Mismatch => Err(Win32Error::INVALID_PARAMETER),
    }
}

/// Begins a one-time initialisation, or says that it is done.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initoncebegininitialize>
#[winapi]
pub fn InitOnceBeginInitialize(
    guest: &mut Guest,
    lpInitOnce: GuestWord,
    dwFlags: u32,
    fPending: GuestWord,
    lpContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let once = init_once(guest, lpInitOnce);
    let state = if dwFlags & INIT_ONCE_CHECK_ONLY != 0 {
        InitOnceState::Done(once.context()?.ok_or(Win32Error::GEN_FAILURE)?)
    } else {
        once.begin(dwFlags & INIT_ONCE_ASYNC != 0)?
    };
    match state {
        InitOnceState::Done(context) => {
            guest.write(fPending.get(), &0_u32)?;
            if !lpContext.is_null() {
                guest.write_word(lpContext.get(), context)?;
            }
            Ok(TRUE)
        }
        InitOnceState::Begun => {
            guest.write(fPending.get(), &1_u32)?;
            Ok(TRUE)
        }
        InitOnceState::Mismatch => Err(Win32Error::INVALID_PARAMETER),
    }
}

/// Ends a one-time initialisation.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initoncecomplete>
#[winapi]
pub fn InitOnceComplete(
    guest: &mut Guest,
    lpInitOnce: GuestWord,
    dwFlags: u32,
    lpContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let failed = dwFlags & INIT_ONCE_INIT_FAILED != 0;
    let is_async = dwFlags & INIT_ONCE_ASYNC != 0;
    if lpContext.get() & 3 != 0 || (failed && is_async) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let context = (!failed).then_some(lpContext.get());
    if init_once(guest, lpInitOnce).complete(context, is_async)? {
        Ok(TRUE)
    } else {
        Err(Win32Error::GEN_FAILURE)
    }
}
