//! The thread pool's newer interface, which kernel32 forwards here. What pools and their objects are is in
//! `nt::pool_object`.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, GuestMemory};
use crate::nt::event::Event;
use crate::nt::mutant::Mutant;
use crate::nt::pool_object::{Afterwards, Environment, Pooled, PooledKind};
use crate::nt::semaphore::Semaphore;
use crate::nt::wait::{self, WaitFor};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full TpAllocCleanupGroup;
    full TpAllocPool;
    full TpAllocTimer;
    full TpAllocWait;
    full TpAllocWork;
    full TpCallbackLeaveCriticalSectionOnCompletion;
    full TpCallbackMayRunLong;
    full TpCallbackReleaseMutexOnCompletion;
    full TpCallbackReleaseSemaphoreOnCompletion;
    full TpCallbackSetEventOnCompletion;
    full TpCallbackUnloadDllOnCompletion;
    full TpCancelAsyncIoOperation;
    full TpDisassociateCallback;
    full TpIsTimerSet;
    full TpPostWork;
    full TpReleaseCleanupGroup;
    full TpReleaseCleanupGroupMembers;
    full TpReleaseIoCompletion;
    full TpReleasePool;
    full TpReleaseTimer;
    full TpReleaseWait;
    full TpReleaseWork;
    full TpSetPoolMaxThreads;
    partial TpSetPoolMinThreads, "workers are started when there is work";
    full TpSetTimer;
    full TpSetWait;
    full TpSimpleTryPost;
    full TpStartAsyncIoOperation;
    full TpWaitForIoCompletion;
    full TpWaitForTimer;
    full TpWaitForWait;
    full TpWaitForWork;
};

/// Waits without end for an event, as the guest.
const FOREVER: WaitFor = WaitFor { all: false, alertable: false, deadline: None };

/// Reads a `TP_CALLBACK_ENVIRON`, if there is one.
///
/// Source: winnt.h, `TP_CALLBACK_ENVIRON_V1` and `_V3`: the version, six pointers, flags.
fn environment(guest: &Guest, address: GuestWord) -> Result<Environment, NtStatus> {
    if address.is_null() {
        return Ok(Environment::default());
    }
    let memory = GuestMemory::of(guest.process().machine);
    let size = guest.process().machine.pointer_size();
    let word = |index: u64| memory.read_word(address.0 + index * size);
    let (pool, group, group_cancel, finalization) = (word(1)?, word(2)?, word(3)?, word(6)?);
    Ok(Environment { pool, group, group_cancel, finalization })
}

/// Makes an object of the pool.
///
/// # Errors
/// `INVALID_PARAMETER` for an unknown pool or group, `ACCESS_VIOLATION` for a bad environment.
pub fn make(
    guest: &Guest,
    kind: PooledKind,
    call: (GuestWord, GuestWord),
    environ: GuestWord,
) -> Result<Arc<Pooled>, NtStatus> {
    let environment = environment(guest, environ)?;
    let process = guest.process();
    process.pool.objects.add(process, kind, (call.0.0, call.1.0), environment)
}

/// Makes an object and writes its number.
fn allocate(
    guest: &Guest,
    out: GuestWord,
    kind: PooledKind,
    call: (GuestWord, GuestWord),
    environ: GuestWord,
) -> Result<(), NtStatus> {
    guest.write_word(out.0, 0)?;
    let object = make(guest, kind, call, environ)?;
    Ok(guest.write_word(out.0, object.number())?)
}

fn find(guest: &Guest, number: GuestWord, kind: PooledKind) -> Option<Arc<Pooled>> {
    guest.process().pool.objects.find(number.0, kind)
}

fn release(guest: &Guest, number: GuestWord, kind: PooledKind) {
    if let Some(object) = find(guest, number, kind) {
        object.close(guest.process());
    }
}

/// Waits until an object has no callbacks left; those that have not begun are cancelled on demand.
fn wait_for(guest: &mut Guest, number: GuestWord, kind: PooledKind, cancels: u32) {
    let event = {
        let Some(object) = find(guest, number, kind) else { return };
        if cancels & 0xff != 0 {
            object.cancel(guest.process());
        }
        object.idle_event()
    };
    if let Some(event) = event {
        // An event can always be waited for.
        let _ = wait::wait_as_guest(guest, &[event], FOREVER);
    }
}

/// Makes a pool of workers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpool>
#[winapi]
pub fn TpAllocPool(guest: &mut Guest, PoolReturn: GuestWord, Reserved: GuestWord) -> Result<(), NtStatus> {
    let _ = Reserved;
    let number = guest.process().pool.objects.add_pool();
    Ok(guest.write_word(PoolReturn.0, number)?)
}

/// Gives a pool up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpool>
#[winapi]
pub fn TpReleasePool(guest: &mut Guest, Pool: GuestWord) {
    guest.process().pool.objects.remove_pool(Pool.0);
}

/// Sets the most workers of a pool.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadmaximum>
#[winapi]
pub fn TpSetPoolMaxThreads(guest: &mut Guest, Pool: GuestWord, MaxThreads: u32) {
    let process = guest.process();
    if let Some(workers) = process.pool.objects.pool(process, Pool.0) {
        workers.set_most(MaxThreads as usize);
    }
}

/// Sets the least workers of a pool.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadminimum>
#[winapi]
pub fn TpSetPoolMinThreads(guest: &mut Guest, Pool: GuestWord, MinThreads: u32) -> Result<(), NtStatus> {
    let _ = MinThreads;
    let process = guest.process();
    process.pool.objects.pool(process, Pool.0).map(drop).ok_or(NtStatus::INVALID_PARAMETER)
}

/// Makes a cleanup group.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolcleanupgroup>
#[winapi]
pub fn TpAllocCleanupGroup(guest: &mut Guest, CleanupGroupReturn: GuestWord) -> Result<(), NtStatus> {
    let number = guest.process().pool.objects.add_group();
    Ok(guest.write_word(CleanupGroupReturn.0, number)?)
}

/// Gives a cleanup group up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolcleanupgroup>
#[winapi]
pub fn TpReleaseCleanupGroup(guest: &mut Guest, CleanupGroup: GuestWord) {
    guest.process().pool.objects.remove_group(CleanupGroup.0);
}

/// Waits for the callbacks of a group's members, which are cancelled on demand, and closes them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolcleanupgroupmembers>
#[winapi]
pub fn TpReleaseCleanupGroupMembers(
    guest: &mut Guest,
    CleanupGroup: GuestWord,
    CancelPendingCallbacks: u32,
    CleanupParameter: GuestWord,
) -> Result<(), plat_abi::Fault> {
    let process = guest.process();
    let cancels = CancelPendingCallbacks & 0xff != 0;
    let members = process.pool.objects.take_members(CleanupGroup.0);
    let mut told = Vec::new();
    for member in &members {
        let was_closed = member.is_closed();
        if cancels && !was_closed {
            told.push(member.group_cancel());
        }
        if cancels {
            member.cancel(process);
        }
        // Timers and waits make no more callbacks; what has been queued runs.
        member.close(process);
    }
    for member in members {
        if let Some(event) = member.idle_event() {
            drop(member);
            let _ = wait::wait_as_guest(guest, &[event], FOREVER);
        }
    }
    for (function, context) in told {
        if function != 0 {
            guest.call(function, &[context, CleanupParameter.0])?;
        }
    }
    Ok(())
}

/// Has a worker call a function once.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-trysubmitthreadpoolcallback>
#[winapi]
pub fn TpSimpleTryPost(
    guest: &mut Guest,
    Callback: GuestWord,
    Context: GuestWord,
    CallbackEnviron: GuestWord,
) -> Result<(), NtStatus> {
    make(guest, PooledKind::Simple, (Callback, Context), CallbackEnviron)?.submit(guest.process())
}

alike! {
    fn(guest, kind;
        Return: GuestWord, Callback: GuestWord, Context: GuestWord, CallbackEnviron: GuestWord
    ) -> Result<(), NtStatus> {
        allocate(guest, Return, kind, (Callback, Context), CallbackEnviron)
    }

    /// Makes a work object.
    "threadpoolapiset/nf-threadpoolapiset-createthreadpoolwork"
    TpAllocWork(WorkReturn, Callback, Context, CallbackEnviron) = PooledKind::Work;

    /// Makes a timer.
    "threadpoolapiset/nf-threadpoolapiset-createthreadpooltimer"
    TpAllocTimer(Timer, Callback, Context, CallbackEnviron) = PooledKind::Timer;

    /// Makes a wait.
    "threadpoolapiset/nf-threadpoolapiset-createthreadpoolwait"
    TpAllocWait(WaitReturn, Callback, Context, CallbackEnviron) = PooledKind::Wait;
}

/// Has a worker make one more callback of a work object.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-submitthreadpoolwork>
#[winapi]
pub fn TpPostWork(guest: &mut Guest, Work: GuestWord) {
    if let Some(work) = find(guest, Work, PooledKind::Work) {
        // Without any worker the callback is lost: there is no result to say so.
        let _ = work.submit(guest.process());
    }
}

alike! {
    fn(guest, kind; Object: GuestWord, CancelPendingCallbacks: u32) -> () {
        wait_for(guest, Object, kind, CancelPendingCallbacks);
    }

    /// Waits for the callbacks of a work object.
    "threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolworkcallbacks"
    TpWaitForWork(Work, CancelPendingCallbacks) = PooledKind::Work;

    /// Waits for the callbacks of a timer.
    "threadpoolapiset/nf-threadpoolapiset-waitforthreadpooltimercallbacks"
    TpWaitForTimer(Timer, CancelPendingCallbacks) = PooledKind::Timer;

    /// Waits for the callbacks of a wait.
    "threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolwaitcallbacks"
    TpWaitForWait(Wait, CancelPendingCallbacks) = PooledKind::Wait;

    /// Waits for the transfers of a file and their callbacks.
    "threadpoolapiset/nf-threadpoolapiset-waitforthreadpooliocallbacks"
    TpWaitForIoCompletion(Io, CancelPendingCallbacks) = PooledKind::Io;
}

alike! {
    fn(guest, kind; Object: GuestWord) -> () {
        release(guest, Object, kind);
    }

    /// Closes a work object.
    "threadpoolapiset/nf-threadpoolapiset-closethreadpoolwork" TpReleaseWork(Work) = PooledKind::Work;

    /// Closes a timer.
    "threadpoolapiset/nf-threadpoolapiset-closethreadpooltimer" TpReleaseTimer(Timer) = PooledKind::Timer;

    /// Closes a wait.
    "threadpoolapiset/nf-threadpoolapiset-closethreadpoolwait" TpReleaseWait(Wait) = PooledKind::Wait;

    /// Closes what makes callbacks of a file's transfers.
    "threadpoolapiset/nf-threadpoolapiset-closethreadpoolio" TpReleaseIoCompletion(Io) = PooledKind::Io;
}

/// Reads a due time: null is none.
fn due(guest: &Guest, time: GuestWord) -> Result<Option<u64>, plat_abi::Fault> {
    if time.is_null() {
        return Ok(None);
    }
    let deadline = wait::deadline_of_units(guest.read_u64(time.0)? as i64);
    Ok(Some(deadline.max(plat_host::clock::monotonic_nanoseconds())))
}

/// Sets a timer; says whether it was set.
///
/// # Errors
/// [`plat_abi::Fault`] for a bad pointer.
pub fn set_timer(
    guest: &Guest,
    number: GuestWord,
    time: GuestWord,
    period: u32,
) -> Result<bool, plat_abi::Fault> {
    let due = due(guest, time)?;
    let Some(timer) = find(guest, number, PooledKind::Timer) else { return Ok(false) };
    let setting = due.map(|due| (None, Some(due), period));
    Ok(timer.set(guest.process(), setting).unwrap_or(false))
}

/// Sets a timer, or stops it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpooltimer>
#[winapi]
pub fn TpSetTimer(
    guest: &mut Guest,
    Timer: GuestWord,
    DueTime: GuestWord,
    Period: u32,
    WindowLength: u32,
) -> Result<(), plat_abi::Fault> {
    let _ = WindowLength;
    set_timer(guest, Timer, DueTime, Period).map(drop)
}

/// Says whether a timer is set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-isthreadpooltimerset>
#[winapi]
pub fn TpIsTimerSet(guest: &mut Guest, Timer: GuestWord) -> crate::guest::Bool {
    crate::guest::Bool(find(guest, Timer, PooledKind::Timer).is_some_and(|timer| timer.is_set()))
}

/// Sets what a wait waits for, or stops it; says whether it was set.
///
/// # Errors
/// [`plat_abi::Fault`] for a bad pointer.
pub fn set_wait(
    guest: &Guest,
    number: GuestWord,
    handle: GuestWord,
    timeout: GuestWord,
) -> Result<bool, plat_abi::Fault> {
    let due = due(guest, timeout)?;
    let Some(wait) = find(guest, number, PooledKind::Wait) else { return Ok(false) };
    let process = guest.process();
    // A handle that stands for nothing stops the wait: there is no result to say so.
    let object = if handle.is_null() { None } else { process.object(handle.0).ok() };
    let setting = object.map(|object| (Some(object), due, 0));
    Ok(wait.set(process, setting).unwrap_or(false))
}

/// Sets what a wait waits for, once, or stops it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolwait>
#[winapi]
pub fn TpSetWait(
    guest: &mut Guest,
    Wait: GuestWord,
    Handle: GuestWord,
    Timeout: GuestWord,
) -> Result<(), plat_abi::Fault> {
    set_wait(guest, Wait, Handle, Timeout).map(drop)
}

/// Announces a transfer of a file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-startthreadpoolio>
#[winapi]
pub fn TpStartAsyncIoOperation(guest: &mut Guest, Io: GuestWord) {
    if let Some(io) = find(guest, Io, PooledKind::Io) {
        io.announce(guest.process(), true);
    }
}

/// Takes the announcement of a transfer back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-cancelthreadpoolio>
#[winapi]
pub fn TpCancelAsyncIoOperation(guest: &mut Guest, Io: GuestWord) {
    if let Some(io) = find(guest, Io, PooledKind::Io) {
        io.announce(guest.process(), false);
    }
}

fn afterwards(guest: &Guest, instance: GuestWord, what: Afterwards) {
    guest.process().pool.objects.afterwards(instance.0, what);
}

/// Has a critical section left when the callback returns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-leavecriticalsectionwhencallbackreturns>
#[winapi]
pub fn TpCallbackLeaveCriticalSectionOnCompletion(
    guest: &mut Guest,
    Instance: GuestWord,
    CriticalSection: GuestWord,
) {
    afterwards(guest, Instance, Afterwards::Leave(CriticalSection.0));
}

/// Has a mutex released when the callback returns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-releasemutexwhencallbackreturns>
#[winapi]
pub fn TpCallbackReleaseMutexOnCompletion(guest: &mut Guest, Instance: GuestWord, Handle: GuestWord) {
    if let Ok(mutant) = guest.process().object_as::<Mutant>(Handle.0) {
        afterwards(guest, Instance, Afterwards::Mutex(mutant));
    }
}

/// Has a semaphore released when the callback returns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-releasesemaphorewhencallbackreturns>
#[winapi]
pub fn TpCallbackReleaseSemaphoreOnCompletion(
    guest: &mut Guest,
    Instance: GuestWord,
    Handle: GuestWord,
    ReleaseCount: u32,
) {
    if let Ok(semaphore) = guest.process().object_as::<Semaphore>(Handle.0) {
        afterwards(guest, Instance, Afterwards::Semaphore(semaphore, ReleaseCount as i32));
    }
}

/// Has an event set when the callback returns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-seteventwhencallbackreturns>
#[winapi]
pub fn TpCallbackSetEventOnCompletion(guest: &mut Guest, Instance: GuestWord, Handle: GuestWord) {
    if let Ok(event) = guest.process().object_as::<Event>(Handle.0) {
        afterwards(guest, Instance, Afterwards::Event(event));
    }
}

/// Has a module given up when the callback returns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-freelibrarywhencallbackreturns>
#[winapi]
pub fn TpCallbackUnloadDllOnCompletion(guest: &mut Guest, Instance: GuestWord, DllHandle: GuestWord) {
    afterwards(guest, Instance, Afterwards::Module(DllHandle.0));
}

/// Says that a callback may take long; fails where no further worker may be started.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-callbackmayrunlong>
#[winapi]
pub fn TpCallbackMayRunLong(guest: &mut Guest, Instance: GuestWord) -> Result<(), NtStatus> {
    let workers = guest.process().pool.objects.workers_of(Instance.0);
    let has_room = workers.ok_or(NtStatus::INVALID_PARAMETER)?.has_room();
    if has_room { Ok(()) } else { Err(NtStatus::TOO_MANY_THREADS) }
}

/// Lets others not wait for this callback.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-disassociatecurrentthreadfromcallback>
#[winapi]
pub fn TpDisassociateCallback(guest: &mut Guest, Instance: GuestWord) {
    let process = guest.process();
    process.pool.objects.disassociate(process, Instance.0);
}
