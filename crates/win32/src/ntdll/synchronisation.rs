//! Nt functions of events, mutexes, semaphores and timers, named or not.

use plat_abi::{GuestWord, Memory, winapi};

use super::attributes::{create, open};
use crate::NtStatus;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::event::Event;
use crate::nt::mutant::Mutant;
use crate::nt::semaphore::Semaphore;
use crate::nt::timer::Timer;
use crate::nt::{thread, wait};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full NtClearEvent;
    full NtCreateEvent;
    full NtOpenEvent;
    partial NtPulseEvent, "threads of other processes that wait may miss it";
    full NtQueryEvent;
    full NtResetEvent;
    full NtSetEvent;
    full NtCreateMutant;
    full NtOpenMutant;
    full NtQueryMutant;
    full NtReleaseMutant;
    full NtCreateSemaphore;
    full NtOpenSemaphore;
    full NtQuerySemaphore;
    full NtReleaseSemaphore;
    full NtCancelTimer;
    full NtCreateTimer;
    full NtOpenTimer;
    full NtQueryTimer;
    partial NtSetTimer, "does not wake a machine that sleeps";
};

/// Writes a state before, if it is wanted.
pub(super) fn previous(guest: &Guest, place: GuestWord, value: u32) -> Result<(), NtStatus> {
    if !place.is_null() {
        guest.write(place.get(), &value)?;
    }
    Ok(())
}

/// Stores the one class of information that these objects have, 0.
fn put(
    guest: &Guest,
    class: u32,
    (at, length): (GuestWord, u32),
    needed: GuestWord,
    bytes: &[u8],
) -> Result<(), NtStatus> {
    if class != 0 {
        return Err(NtStatus::INVALID_INFO_CLASS);
    }
    if length as usize != bytes.len() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    guest.write_bytes(at.0, bytes)?;
    previous(guest, needed, bytes.len() as u32)
}

fn event_change(
    guest: &Guest,
    handle: GuestWord,
    before: GuestWord,
    change: impl FnOnce(&Event) -> bool,
) -> Result<(), NtStatus> {
    let was_set = change(&*guest.process().handles.get::<Event>(handle.get())?);
    previous(guest, before, was_set.into())
}

/// Makes an event: type 0 is reset by hand, type 1 by a wait.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwcreateevent>
#[winapi]
pub fn NtCreateEvent(
    guest: &mut Guest,
    EventHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    EventType: u32,
    InitialState: u8,
) -> Result<(), NtStatus> {
    if EventType > 1 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let make = |_: &[u16]| Ok(Event::new(EventType == 0, InitialState != 0));
    create(guest, (EventHandle, DesiredAccess), ObjectAttributes, make)
}

/// Opens a named object with the rights wanted, and stores its handle.
type Open = fn(&Guest, (GuestWord, u32), GuestWord) -> Result<(), NtStatus>;

alike! {
    fn(guest, open: Open;
        Handle: GuestWord, DesiredAccess: u32, ObjectAttributes: GuestWord
    ) -> Result<(), NtStatus> {
        open(guest, (Handle, DesiredAccess), ObjectAttributes)
    }

    /// Opens a named event.
    ddi "wdm/nf-wdm-zwopenevent" NtOpenEvent(EventHandle, DesiredAccess, ObjectAttributes) = open::<Event>;

    /// Opens a named mutex.
    "synchapi/nf-synchapi-openmutexw"
    NtOpenMutant(MutantHandle, DesiredAccess, ObjectAttributes) = open::<Mutant>;

    /// Opens a named semaphore.
    "synchapi/nf-synchapi-opensemaphorew"
    NtOpenSemaphore(SemaphoreHandle, DesiredAccess, ObjectAttributes) = open::<Semaphore>;

    /// Opens a named timer.
    ddi "wdm/nf-wdm-zwopentimer" NtOpenTimer(TimerHandle, DesiredAccess, ObjectAttributes) = open::<Timer>;
}

/// Tells an event's type and state.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/ntqueryevent>
#[winapi]
pub fn NtQueryEvent(
    guest: &mut Guest,
    EventHandle: GuestWord,
    EventInformationClass: u32,
    EventInformation: GuestWord,
    EventInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let (is_manual, is_set) = guest.process().handles.get::<Event>(EventHandle.0)?.state();
    let bytes = [u32::from(!is_manual), u32::from(is_set)].map(u32::to_le_bytes).concat();
    put(guest, EventInformationClass, (EventInformation, EventInformationLength), ReturnLength, &bytes)
}

alike! {
    fn(guest, change; EventHandle: GuestWord, PreviousState: GuestWord) -> Result<(), NtStatus> {
        event_change(guest, EventHandle, PreviousState, change)
    }

    /// Sets an event.
    ddi "ntifs/nf-ntifs-zwsetevent" NtSetEvent = Event::set;

    /// Resets an event.
    "synchapi/nf-synchapi-resetevent" NtResetEvent = Event::reset;

    /// Lets those go who wait now, and resets the event.
    "winbase/nf-winbase-pulseevent" NtPulseEvent = Event::pulse;
}

/// Resets an event.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-resetevent>
#[winapi]
pub fn NtClearEvent(guest: &mut Guest, EventHandle: GuestWord) -> Result<(), NtStatus> {
    event_change(guest, EventHandle, GuestWord::NULL, Event::reset)
}

/// Makes a mutex.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexw>
#[winapi]
pub fn NtCreateMutant(
    guest: &mut Guest,
    MutantHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    InitialOwner: u8,
) -> Result<(), NtStatus> {
    let make = |_: &[u16]| Ok(Mutant::new((InitialOwner != 0).then(thread::current).as_ref()));
    create(guest, (MutantHandle, DesiredAccess), ObjectAttributes, make)
}

/// Tells a mutex's count (1 when it is free), whether the calling thread owns it, and whether its owner abandoned it.
///
/// Source: <https://learn.microsoft.com/windows/win32/sync/mutex-objects>
#[winapi]
pub fn NtQueryMutant(
    guest: &mut Guest,
    MutantHandle: GuestWord,
    MutantInformationClass: u32,
    MutantInformation: GuestWord,
    MutantInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let mutant = guest.process().handles.get::<Mutant>(MutantHandle.0)?;
    let (count, is_owned, is_abandoned) = thread::with_current(|thread| mutant.describe(thread));
    let mut bytes = count.to_le_bytes().to_vec();
    bytes.extend([u8::from(is_owned), u8::from(is_abandoned), 0, 0]);
    put(guest, MutantInformationClass, (MutantInformation, MutantInformationLength), ReturnLength, &bytes)
}

/// Gives up one ownership of a mutex; the count before is 1 less what it was owned.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasemutex>
#[winapi]
pub fn NtReleaseMutant(
    guest: &mut Guest,
    MutantHandle: GuestWord,
    PreviousCount: GuestWord,
) -> Result<(), NtStatus> {
    let mutant = guest.process().handles.get::<Mutant>(MutantHandle.0)?;
    let owned = thread::with_current(|thread| mutant.release(thread))?;
    previous(guest, PreviousCount, 1_u32.wrapping_sub(owned))
}

/// Makes a semaphore.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createsemaphorea>
#[winapi]
pub fn NtCreateSemaphore(
    guest: &mut Guest,
    SemaphoreHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    InitialCount: i32,
    MaximumCount: i32,
) -> Result<(), NtStatus> {
    let make = |_: &[u16]| Semaphore::new(InitialCount, MaximumCount);
    create(guest, (SemaphoreHandle, DesiredAccess), ObjectAttributes, make)
}

/// Tells a semaphore's count and limit.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/ntquerysemaphore>
#[winapi]
pub fn NtQuerySemaphore(
    guest: &mut Guest,
    SemaphoreHandle: GuestWord,
    SemaphoreInformationClass: u32,
    SemaphoreInformation: GuestWord,
    SemaphoreInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let (count, limit) = guest.process().handles.get::<Semaphore>(SemaphoreHandle.0)?.state();
    let bytes = [count, limit].map(u32::to_le_bytes).concat();
    let place = (SemaphoreInformation, SemaphoreInformationLength);
    put(guest, SemaphoreInformationClass, place, ReturnLength, &bytes)
}

/// Adds to a semaphore's count.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesemaphore>
#[winapi]
pub fn NtReleaseSemaphore(
    guest: &mut Guest,
    SemaphoreHandle: GuestWord,
    ReleaseCount: i32,
    PreviousCount: GuestWord,
) -> Result<(), NtStatus> {
    let before = guest.process().handles.get::<Semaphore>(SemaphoreHandle.0)?.release(ReleaseCount)?;
    previous(guest, PreviousCount, before)
}

/// Makes a timer: type 0 stays signalled, type 1 until a wait ends.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcreatetimer>
#[winapi]
pub fn NtCreateTimer(
    guest: &mut Guest,
    TimerHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    TimerType: u32,
) -> Result<(), NtStatus> {
    if TimerType > 1 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    create(guest, (TimerHandle, DesiredAccess), ObjectAttributes, |_: &[u16]| Ok(Timer::new(TimerType == 0)))
}

/// Sets a timer: due at a time or, if negative, after one, in units of 100 ns; then every `Period` milliseconds.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwsettimer>
#[winapi]
pub fn NtSetTimer(
    guest: &mut Guest,
    TimerHandle: GuestWord,
    DueTime: GuestWord,
    TimerApcRoutine: GuestWord,
    TimerContext: GuestWord,
    ResumeTimer: u8,
    Period: i32,
    PreviousState: GuestWord,
) -> Result<(), NtStatus> {
    let _ = ResumeTimer;
    let timer = guest.process().handles.get::<Timer>(TimerHandle.0)?;
    let period = u64::try_from(Period).map_err(|_| NtStatus::INVALID_PARAMETER_6)? * 1_000_000;
    let due = wait::deadline_of_units(guest.read(DueTime.get())?);
    let was_signalled = timer.describe().1;
    let call = (TimerApcRoutine.get(), TimerContext.get());
    timer.set(due, period, (call.0 != 0).then_some(call), &thread::current());
    put_flag(guest, PreviousState, was_signalled)
}

fn put_flag(guest: &Guest, place: GuestWord, flag: bool) -> Result<(), NtStatus> {
    if !place.is_null() {
        guest.write_bytes(place.get(), &[u8::from(flag)])?;
    }
    Ok(())
}

/// Stops a timer.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcanceltimer>
#[winapi]
pub fn NtCancelTimer(
    guest: &mut Guest,
    TimerHandle: GuestWord,
    CurrentState: GuestWord,
) -> Result<(), NtStatus> {
    let timer = guest.process().handles.get::<Timer>(TimerHandle.0)?;
    let is_signalled = timer.describe().1;
    timer.cancel();
    put_flag(guest, CurrentState, is_signalled)
}

/// Tells how long a timer has to go, in units of 100 ns, and whether it is signalled.
///
/// Source: <https://learn.microsoft.com/windows/win32/sync/waitable-timer-objects>
#[winapi]
pub fn NtQueryTimer(
    guest: &mut Guest,
    TimerHandle: GuestWord,
    TimerInformationClass: u32,
    TimerInformation: GuestWord,
    TimerInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let (remaining, is_signalled) = guest.process().handles.get::<Timer>(TimerHandle.0)?.describe();
    let mut bytes = (remaining / 100).to_le_bytes().to_vec();
    bytes.extend([u8::from(is_signalled), 0, 0, 0, 0, 0, 0, 0]);
    put(guest, TimerInformationClass, (TimerInformation, TimerInformationLength), ReturnLength, &bytes)
}
