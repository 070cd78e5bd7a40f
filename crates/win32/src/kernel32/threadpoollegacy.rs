//! threadpoollegacyapiset.h: timer queues, registered waits, work items.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::event::Event;
use crate::nt::pool::{Call, Work};
use crate::nt::pool_watch::{Notice, Plan, Target};
use crate::nt::wait::{self, WaitFor};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CreateTimerQueue;
    partial CreateTimerQueueTimer, "calls are always made by workers, never in the timers' own thread";
    full ChangeTimerQueueTimer;
    full DeleteTimerQueueTimer;
    full DeleteTimerQueue;
    full DeleteTimerQueueEx;
    partial RegisterWaitForSingleObject, "calls are always made by workers, never in the waiting thread";
    partial RegisterWaitForSingleObjectEx, "as RegisterWaitForSingleObject";
    full UnregisterWait;
    full UnregisterWaitEx;
    full QueueUserWorkItem;
};

/// `WT_EXECUTEONLYONCE`.
const ONLY_ONCE: u32 = 8;

/// Makes a timer queue.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-createtimerqueue>
#[winapi]
pub fn CreateTimerQueue(guest: &mut Guest) -> GuestWord {
    GuestWord(guest.process().pool.registrations.add_queue())
}

/// Makes a timer that has a worker call a function.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-createtimerqueuetimer>
#[winapi]
pub fn CreateTimerQueueTimer(
    guest: &mut Guest,
    phNewTimer: GuestWord,
    TimerQueue: GuestWord,
    Callback: GuestWord,
    Parameter: GuestWord,
    DueTime: u32,
    Period: u32,
    Flags: u32,
) -> Result<Bool, Win32Error> {
    let process = guest.process();
    let plan = Plan {
        object: None,
        // INFINITE is a timer that waits to be changed.
        due: (DueTime != u32::MAX).then_some(DueTime),
        period: Period,
        is_once: Flags & ONLY_ONCE != 0 && Period == 0,
        due_at: None,
        target: Target::Call(Callback.0, Parameter.0),
        queue: TimerQueue.0,
    };
    // The number is known to the guest before its function is called.
    guest.write_word(phNewTimer.0, 0)?;
    let number = process.pool.registrations.add(process, plan)?;
    guest.write_word(phNewTimer.0, number)?;
    Ok(TRUE)
}

/// Gives a timer other times.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-changetimerqueuetimer>
#[winapi]
pub fn ChangeTimerQueueTimer(
    guest: &mut Guest,
    TimerQueue: GuestWord,
    Timer: GuestWord,
    DueTime: u32,
    Period: u32,
) -> Result<Bool, Win32Error> {
    let _ = TimerQueue;
    guest.process().pool.registrations.change(Timer.0, DueTime, Period)?;
    Ok(TRUE)
}

/// Reads how the caller wants to learn of the end: null, an event, or `INVALID_HANDLE_VALUE` for waiting.
fn notice(guest: &Guest, event: GuestWord) -> Result<Notice, Win32Error> {
    let every_bit = if guest.process().machine.is_64() { u64::MAX } else { u64::from(u32::MAX) };
    match event.0 {
        0 => Ok(Notice::None),
        value if value == every_bit => Ok(Notice::Wait(Event::new(true, false))),
        handle => Ok(Notice::Event(guest.process().object_as::<Event>(handle)?)),
    }
}

/// Deletes a timer or a wait; without notice, calls that have not ended are an error that is none.
fn delete(guest: &mut Guest, number: u64, event: GuestWord) -> Result<Bool, Win32Error> {
    let notice = notice(guest, event)?;
    let has_ended = guest.process().pool.registrations.delete(number, &notice)?;
    match notice {
        _ if has_ended => Ok(TRUE),
        Notice::Wait(event) => {
            let how = WaitFor { all: false, alertable: false, deadline: None };
            wait::wait_as_guest(guest, &[event], how)?;
            Ok(TRUE)
        }
        Notice::None | Notice::Event(_) => Err(Win32Error::IO_PENDING),
    }
}

/// Deletes a timer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueuetimer>
#[winapi]
pub fn DeleteTimerQueueTimer(
    guest: &mut Guest,
    TimerQueue: GuestWord,
    Timer: GuestWord,
    CompletionEvent: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = TimerQueue;
    delete(guest, Timer.0, CompletionEvent)
}

/// Deletes a timer queue and its timers, without waiting for calls.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-deletetimerqueue>
#[winapi]
pub fn DeleteTimerQueue(guest: &mut Guest, TimerQueue: GuestWord) -> Result<Bool, Win32Error> {
    DeleteTimerQueueEx(guest, TimerQueue, GuestWord::NULL)
}

/// Deletes a timer queue and its timers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueueex>
#[winapi]
pub fn DeleteTimerQueueEx(
    guest: &mut Guest,
    TimerQueue: GuestWord,
    CompletionEvent: GuestWord,
) -> Result<Bool, Win32Error> {
    let notice = notice(guest, CompletionEvent)?;
    let registrations = &guest.process().pool.registrations;
    let mut running = Vec::new();
    for timer in registrations.delete_queue(TimerQueue.0)? {
        let end = Event::new(true, false);
        // One that was deleted by itself meanwhile is told to whom it concerns.
        if registrations.delete(timer, &Notice::Wait(Arc::clone(&end))) == Ok(false) {
            running.push(end);
        }
    }
    match notice {
        Notice::None if running.is_empty() => Ok(TRUE),
        Notice::None => Err(Win32Error::IO_PENDING),
        Notice::Event(event) if running.is_empty() => {
            event.set();
            Ok(TRUE)
        }
        Notice::Event(event) => {
            plat_host::thread::spawn(move || {
                wait_for_all(&running);
                event.set();
            })
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
            Err(Win32Error::IO_PENDING)
        }
        Notice::Wait(_) => {
            for end in running {
                let how = WaitFor { all: false, alertable: false, deadline: None };
                wait::wait_as_guest(guest, &[end], how)?;
            }
            Ok(TRUE)
        }
    }
}

fn wait_for_all(events: &[Arc<Event>]) {
    for event in events {
        let how = WaitFor { all: false, alertable: false, deadline: None };
        // An event can always be waited for.
        let _ = wait::wait(&[Arc::clone(event) as crate::nt::object::ObjectRef], how);
    }
}

/// Has a function called when an object is signalled; returns the wait's number.
fn register_wait(
    guest: &Guest,
    object: GuestWord,
    call: (GuestWord, GuestWord),
    milliseconds: u32,
    flags: u32,
) -> Result<u64, Win32Error> {
    let process = guest.process();
    let plan = Plan {
        object: Some(process.object(object.0)?),
        due: (milliseconds != u32::MAX).then_some(milliseconds),
        period: 0,
        is_once: flags & ONLY_ONCE != 0,
        due_at: None,
        target: Target::Call(call.0.0, call.1.0),
        queue: 0,
    };
    Ok(process.pool.registrations.add(process, plan)?)
}

/// Has a worker call a function when an object is signalled, or when a time is over.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject>
#[winapi]
pub fn RegisterWaitForSingleObject(
    guest: &mut Guest,
    phNewWaitObject: GuestWord,
    hObject: GuestWord,
    Callback: GuestWord,
    Context: GuestWord,
    dwMilliseconds: u32,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    guest.write_word(phNewWaitObject.0, 0)?;
    let number = register_wait(guest, hObject, (Callback, Context), dwMilliseconds, dwFlags)?;
    guest.write_word(phNewWaitObject.0, number)?;
    Ok(TRUE)
}

/// As `RegisterWaitForSingleObject`; returns the wait's handle.
///
/// Source: the declaration in threadpoollegacyapiset.h
#[winapi]
pub fn RegisterWaitForSingleObjectEx(
    guest: &mut Guest,
    hObject: GuestWord,
    Callback: GuestWord,
    Context: GuestWord,
    dwMilliseconds: u32,
    dwFlags: u32,
) -> Result<GuestWord, Win32Error> {
    register_wait(guest, hObject, (Callback, Context), dwMilliseconds, dwFlags).map(GuestWord)
}

/// Ends a registered wait without waiting for calls.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-unregisterwait>
#[winapi]
pub fn UnregisterWait(guest: &mut Guest, WaitHandle: GuestWord) -> Result<Bool, Win32Error> {
    delete(guest, WaitHandle.0, GuestWord::NULL)
}

/// Ends a registered wait.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex>
#[winapi]
pub fn UnregisterWaitEx(
    guest: &mut Guest,
    WaitHandle: GuestWord,
    CompletionEvent: GuestWord,
) -> Result<Bool, Win32Error> {
    delete(guest, WaitHandle.0, CompletionEvent)
}

/// Has a worker call a function.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-queueuserworkitem>
#[winapi]
pub fn QueueUserWorkItem(
    guest: &mut Guest,
    Function: GuestWord,
    Context: GuestWord,
    Flags: u32,
) -> Result<Bool, Win32Error> {
    let _ = Flags;
    let process = guest.process();
    let call = Call { function: Function.0, arguments: vec![Context.0], for_whom: None };
    process.pool.default.submit(process, Work::Call(call))?;
    Ok(TRUE)
}
