//! Waits for objects: one lock, a queue of waiters per object, and a place to sleep per thread.
//!
//! Key types: [`Waitable`] (an object's side), [`Queues`] (what the lock guards). An object changes its state under the
//! lock and then calls [`Queues::release`], which gives the object to those whose waits it ends, first come first.
//! Objects that become signalled by themselves (timers) say when with [`Waitable::due`]; waiters wake up by then.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use plat_host::clock;

use super::object::ObjectRef;
use super::shared_state::SharedState;
use super::thread::{self, Apc, ThreadObject};
use crate::NtStatus;
use crate::guest::Guest;

/// The most objects that one wait may name.
pub const WAIT_OBJECTS_MAX: usize = 64;

/// The waiting side of an object. All methods are called with the dispatcher's lock held.
pub trait Waitable {
    /// Says whether a wait of this thread would end now.
    fn is_signalled(&self, thread: &ThreadObject) -> bool;

    /// Changes the object as a wait that ends does (resets an event, takes a mutex, counts a semaphore down); says
    /// whether it was abandoned by the thread that held it. `None` when another process was faster.
    fn take(&self, thread: &Arc<ThreadObject>) -> Option<bool> {
        let _ = thread;
        Some(false)
    }

    /// Is told that a thread begins to wait for it: from now on the host must see every change.
    fn is_awaited(&self) {}

    /// Takes [`Waitable::take`] back, since a wait for several objects could not have them all. Only of objects that
    /// processes share.
    fn give_back(&self, thread: &ThreadObject) {
        let _ = thread;
    }

    /// Returns its state if processes share it.
    fn shared(&self) -> Option<&SharedState> {
        None
    }

    /// Signals the object as `SignalObjectAndWait` does, for this thread.
    ///
    /// # Errors
    /// `OBJECT_TYPE_MISMATCH` for objects that cannot be signalled, and the object's own.
    fn signal(&self, queues: &mut Queues, thread: &ThreadObject) -> Result<(), NtStatus> {
        let _ = (queues, thread);
        Err(NtStatus::OBJECT_TYPE_MISMATCH)
    }

    /// Returns when, on the monotonic clock in nanoseconds, it becomes signalled by itself.
    fn due(&self) -> Option<u64> {
        None
    }
}

/// One thread's wait.
struct Waiter {
    thread: Arc<ThreadObject>,
    objects: Vec<ObjectRef>,
    needs_all: bool,
    is_alertable: bool,
    /// How it ended, once it did.
    outcome: OnceLock<NtStatus>,
}

/// Who waits for what.
#[derive(Default)]
pub struct Queues {
    by_object: HashMap<usize, VecDeque<Arc<Waiter>>>,
    by_thread: HashMap<u32, Arc<Waiter>>,
}

static DISPATCHER: OnceLock<Mutex<Queues>> = OnceLock::new();

/// Takes the dispatcher's lock. There is one dispatcher, since there is one Windows process.
pub fn lock() -> MutexGuard<'static, Queues> {
    DISPATCHER.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queues {
    /// Ends the waits that the object's new state satisfies.
    pub fn release(&mut self, object: &dyn Waitable) {
        if self.by_object.is_empty() {
            return;
        }
        let mut next = 0;
        while let Some(waiter) = self.by_object.get(&key(object)).and_then(|queue| queue.get(next)).cloned() {
            match try_take(&waiter.thread, &waiter.objects, waiter.needs_all) {
                Some(status) => self.finish(&waiter, status),
                None => next += 1,
            }
        }
    }

    /// Says whether somebody waits for the object.
    pub(super) fn has_waiters(&self, object: &dyn Waitable) -> bool {
        !self.by_object.is_empty() && self.by_object.contains_key(&key(object))
    }

    /// Lets everyone who waits for the object look again when to wake up.
    pub fn reconsider(&mut self, object: &dyn Waitable) {
        for waiter in self.by_object.get(&key(object)).into_iter().flatten() {
            waiter.thread.parker().unpark();
        }
    }

    /// Ends a thread's wait, if it is in one that `test` accepts.
    fn interrupt(&mut self, thread_id: u32, status: NtStatus, test: impl FnOnce(&Waiter) -> bool) {
        if let Some(waiter) = self.by_thread.get(&thread_id).cloned()
            && test(&waiter)
        {
            self.finish(&waiter, status);
        }
    }

    fn add(&mut self, waiter: &Arc<Waiter>) {
        for object in waitables(&waiter.objects) {
            object.is_awaited();
            self.by_object.entry(key(object)).or_default().push_back(Arc::clone(waiter));
        }
        self.by_thread.insert(waiter.thread.id(), Arc::clone(waiter));
    }

    fn finish(&mut self, waiter: &Arc<Waiter>, status: NtStatus) {
        for object in waitables(&waiter.objects) {
            if let Some(queue) = self.by_object.get_mut(&key(object)) {
                queue.retain(|other| !Arc::ptr_eq(other, waiter));
                if queue.is_empty() {
                    self.by_object.remove(&key(object));
                }
            }
        }
        self.by_thread.remove(&waiter.thread.id());
        let _ = waiter.outcome.set(status);
        waiter.thread.parker().unpark();
    }
}

fn key(object: &dyn Waitable) -> usize {
    std::ptr::from_ref(object).cast::<()>() as usize
}

fn waitables(objects: &[ObjectRef]) -> impl Iterator<Item = &dyn Waitable> {
    objects.iter().filter_map(|object| object.waitable())
}

/// Ends a wait at once if the objects' states allow it, and takes them.
fn try_take(thread: &Arc<ThreadObject>, objects: &[ObjectRef], needs_all: bool) -> Option<NtStatus> {
    if needs_all {
        return take_all(thread, objects);
    }
    waitables(objects).enumerate().find_map(|(index, object)| {
        let was_abandoned = if object.is_signalled(thread) { object.take(thread)? } else { return None };
        let first = if was_abandoned { NtStatus::ABANDONED_WAIT_0 } else { NtStatus::SUCCESS };
        Some(NtStatus(first.0 + index as u32))
    })
}

/// Takes all objects, or none.
fn take_all(thread: &Arc<ThreadObject>, objects: &[ObjectRef]) -> Option<NtStatus> {
    if !waitables(objects).all(|object| object.is_signalled(thread)) {
        return None;
    }
    let mut any_abandoned = false;
    for (index, object) in waitables(objects).enumerate() {
        match object.take(thread) {
            Some(was_abandoned) => any_abandoned |= was_abandoned,
            None => {
                waitables(objects).take(index).for_each(|taken| taken.give_back(thread));
                return None;
            }
        }
    }
    Some(if any_abandoned { NtStatus::ABANDONED_WAIT_0 } else { NtStatus::SUCCESS })
}

/// What a wait is for.
#[derive(Clone, Copy, Debug)]
pub struct WaitFor {
    /// All objects at once, instead of any.
    pub all: bool,
    /// Whether calls queued to the thread end the wait.
    pub alertable: bool,
    /// When it ends without success, on the monotonic clock in nanoseconds; 0 is at once.
    pub deadline: Option<u64>,
}

/// Waits for objects; returns `WAIT_0` or `ABANDONED_WAIT_0` plus the object's index (no index when all were waited
/// for), `TIMEOUT`, or `USER_APC` when calls are queued, which the caller then makes.
///
/// # Errors
/// `INVALID_PARAMETER_1` for too many objects, `OBJECT_TYPE_MISMATCH` for one that cannot be waited for,
/// `INVALID_PARAMETER_MIX` when all of a list are wanted that names an object twice.
pub fn wait(objects: &[ObjectRef], how: WaitFor) -> Result<NtStatus, NtStatus> {
    check(objects, how.all)?;
    Ok(wait_locked(lock(), &thread::current(), objects, how))
}

/// Takes a thread's alert, if it waits in a way that is ended by one.
fn take_alert(thread: &ThreadObject) -> bool {
    thread.takes_alerts.load(Ordering::Acquire) && thread.alerted.swap(false, Ordering::AcqRel)
}

/// Waits as [`wait`] does; if the wait is alertable, an alert of [`alert`] ends it with `ALERTED`.
///
/// # Errors
/// As for [`wait`].
pub fn wait_for_alert(objects: &[ObjectRef], how: WaitFor) -> Result<NtStatus, NtStatus> {
    let thread = thread::current();
    thread.takes_alerts.store(how.alertable, Ordering::Release);
    let status = wait(objects, how);
    thread.takes_alerts.store(false, Ordering::Release);
    status
}

/// Ends the wait of a thread that takes alerts, now or when it begins.
pub fn alert(thread: &ThreadObject) {
    let mut queues = lock();
    let takes = |waiter: &Waiter| waiter.thread.takes_alerts.load(Ordering::Acquire);
    if queues.by_thread.get(&thread.id()).is_some_and(|waiter| takes(waiter)) {
        queues.interrupt(thread.id(), NtStatus::ALERTED, takes);
    } else {
        thread.alerted.store(true, Ordering::Release);
    }
}

/// Signals one object and waits for another, in one step.
///
/// # Errors
/// As for [`wait`], and those of the object to signal.
pub fn signal_and_wait(
    to_signal: &ObjectRef,
    wait_for: &[ObjectRef],
    how: WaitFor,
) -> Result<NtStatus, NtStatus> {
    check(wait_for, how.all)?;
    let thread = thread::current();
    let mut queues = lock();
    let signal = to_signal.waitable().ok_or(NtStatus::OBJECT_TYPE_MISMATCH)?;
    signal.signal(&mut queues, &thread)?;
    Ok(wait_locked(queues, &thread, wait_for, how))
}

fn check(objects: &[ObjectRef], all: bool) -> Result<(), NtStatus> {
    if objects.len() > WAIT_OBJECTS_MAX {
        return Err(NtStatus::INVALID_PARAMETER_1);
    }
    if objects.iter().any(|object| object.waitable().is_none()) {
        return Err(NtStatus::OBJECT_TYPE_MISMATCH);
    }
    let is_double = |(index, object): (usize, &ObjectRef)| {
        objects[..index].iter().any(|before| Arc::ptr_eq(before, object))
    };
    if all && objects.iter().enumerate().any(is_double) {
        return Err(NtStatus::INVALID_PARAMETER_MIX);
    }
    Ok(())
}

fn wait_locked(
    mut queues: MutexGuard<'static, Queues>,
    thread: &Arc<ThreadObject>,
    objects: &[ObjectRef],
    how: WaitFor,
) -> NtStatus {
    let look = || {
        let taken = if objects.is_empty() { None } else { try_take(thread, objects, how.all) };
        let called = || (how.alertable && thread.has_apcs()).then_some(NtStatus::USER_APC);
        let alerted = || take_alert(thread).then_some(NtStatus::ALERTED);
        taken.or_else(called).or_else(alerted)
    };
    if let Some(status) = look() {
        return status;
    }
    if how.deadline == Some(0) {
        return NtStatus::TIMEOUT;
    }
    if thread.is_terminating() {
        // It was told so while it was on its way here: nobody would wake it any more.
        return NtStatus::THREAD_IS_TERMINATING;
    }
    thread.parker().clear();
    let waiter = Arc::new(Waiter {
        thread: Arc::clone(thread),
        objects: objects.to_vec(),
        needs_all: how.all,
        is_alertable: how.alertable,
        outcome: OnceLock::new(),
    });
    queues.add(&waiter);
    loop {
        // Whatever rings after this look at the bells ends the sleep at once.
        let bells: Vec<_> = waitables(objects).filter_map(Waitable::shared).map(SharedState::bell).collect();
        let bells: Vec<_> = bells.into_iter().map(|bell| (bell, bell.load(Ordering::Acquire))).collect();
        if !bells.is_empty()
            && let Some(status) = look()
        {
            queues.finish(&waiter, status);
            return status;
        }
        let due = waitables(objects).filter_map(Waitable::due).min();
        let due = due.into_iter().chain(thread.timers_due(how.alertable)).chain(how.deadline).min();
        drop(queues);
        thread.parker().park_with(due, &bells);
        queues = lock();
        if let Some(&status) = waiter.outcome.get() {
            return status;
        }
        let is_late = how.deadline.is_some_and(|deadline| clock::monotonic_nanoseconds() >= deadline);
        let status = look().or(is_late.then_some(NtStatus::TIMEOUT));
        if let Some(status) = status {
            queues.finish(&waiter, status);
            return status;
        }
    }
}

/// Queues a call to a thread: it is made when the thread waits alertably.
///
/// # Errors
/// `UNSUCCESSFUL` when the thread has ended.
pub fn queue_apc(thread: &Arc<ThreadObject>, apc: Apc) -> Result<(), NtStatus> {
    let mut queues = lock();
    if thread.has_ended() {
        return Err(NtStatus::UNSUCCESSFUL);
    }
    thread.push_apc(apc);
    queues.interrupt(thread.id(), NtStatus::USER_APC, |waiter| waiter.is_alertable);
    Ok(())
}

/// Ends whatever a thread waits for, because it was terminated.
pub(super) fn interrupt_for_end(thread: &ThreadObject) {
    lock().interrupt(thread.id(), NtStatus::THREAD_IS_TERMINATING, |_| true);
}

/// Waits on behalf of the guest, as [`wait`] does: makes queued calls, stops while suspended, ends if terminated.
///
/// # Errors
/// As for [`wait`]; a queued call that could not be made is an access violation.
pub fn wait_as_guest(guest: &mut Guest, objects: &[ObjectRef], how: WaitFor) -> Result<NtStatus, NtStatus> {
    let status = wait(objects, how)?;
    after_wait(guest, status)
}

/// Does what a thread does when a wait ended with `status`.
///
/// # Errors
/// A queued call that could not be made is an access violation.
pub fn after_wait(guest: &mut Guest, status: NtStatus) -> Result<NtStatus, NtStatus> {
    let thread = thread::current();
    thread.hold_while_suspended();
    if thread.is_terminating() {
        super::thread_start::leave_terminated(guest);
    }
    if status == NtStatus::USER_APC {
        // The guest may throw out of a call: nothing is held here, not even a count of the thread's record.
        drop(thread);
        while let Some(apc) = thread::with_current(ThreadObject::pop_apc) {
            let arguments = &apc.arguments[..apc.count];
            guest.call(apc.function, arguments)?;
        }
    }
    Ok(status)
}

/// Makes the calls that were queued before a thread began: what Windows does when a thread is ready to run.
///
/// # Errors
/// As for [`after_wait`].
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-queueuserapc>
pub fn make_early_calls(guest: &mut Guest) -> Result<(), NtStatus> {
    if !thread::with_current(ThreadObject::has_apcs) {
        return Ok(());
    }
    after_wait(guest, NtStatus::USER_APC).map(drop)
}

/// Turns a Win32 time-out in milliseconds into a deadline: `INFINITE` (0xffffffff) is none, 0 is at once.
pub fn deadline_of_milliseconds(milliseconds: u32) -> Option<u64> {
    match milliseconds {
        u32::MAX => None,
        0 => Some(0),
        _ => Some(clock::monotonic_nanoseconds() + u64::from(milliseconds) * 1_000_000),
    }
}

/// Turns an NT time-out (100 ns units, negative from now, else a FILETIME) into a deadline; 0 is at once.
pub fn deadline_of_units(units: i64) -> u64 {
    let left =
        if units < 0 { units.unsigned_abs() } else { (units - super::time::now()).max(0).unsigned_abs() };
    if left == 0 { 0 } else { clock::monotonic_nanoseconds().saturating_add(left.saturating_mul(100)) }
}

#[cfg(test)]
mod tests;
