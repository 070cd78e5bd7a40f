//! Timers of queues and registered waits: a host thread watches up to 60 of them and gives what is due to the pool.
//!
//! Key types: [`Registrations`], [`Registration`], [`Plan`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plat_host::clock;

use super::event::Event;
use super::object::ObjectRef;
use super::pool::{Call, Work};
use super::pool_object::Pooled;
use super::wait::{self, WaitFor};
use crate::NtStatus;
use crate::process::Process;

/// The most objects that one watcher waits for, beside its own event.
const OBJECTS_MAX: usize = 60;
/// Nanoseconds in a millisecond.
const MILLISECOND: u64 = 1_000_000;
/// The first number that a registration gets, and their distance: they look like addresses, as on Windows.
const FIRST_NUMBER: u64 = 0x5000_0000;
const NUMBER_STEP: u64 = 0x10;

/// What is to be watched.
#[derive(Clone)]
pub struct Plan {
    /// The object that is waited for; none for a timer.
    pub object: Option<ObjectRef>,
    /// Milliseconds until the first call without a signal; `None` is never.
    pub due: Option<u32>,
    /// Milliseconds between the calls after that; 0 is none.
    pub period: u32,
    /// Whether the first call is the only one.
    pub is_once: bool,
    /// When, on the monotonic clock in nanoseconds, the first call without a signal is due, where `due` does not say it.
    pub due_at: Option<u64>,
    /// What is called.
    pub target: Target,
    /// The timer queue it belongs to; 0 is the default one.
    pub queue: u64,
}

/// What a timer or a wait calls.
#[derive(Clone)]
pub enum Target {
    /// The guest's function, with this first argument.
    Call(u64, u64),
    /// An object of a pool, as it was set for this time.
    Pooled(Arc<Pooled>, u64),
    /// The guest's function of a multimedia timer, with the user's argument; it gets the timer's number, too.
    Multimedia(u64, u64),
    /// An event that is set, or pulsed.
    Signal(Arc<Event>, bool),
}

/// A timer or a registered wait.
pub struct Registration {
    number: u64,
    plan: Plan,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    due: Option<u64>,
    period: u64,
    /// Whether it makes no calls any more.
    is_over: bool,
    /// Calls that workers have not ended.
    running: u32,
    is_deleted: bool,
    /// Who is told when it is deleted and the last call has ended.
    completion: Vec<Arc<Event>>,
}

impl Registration {
    /// Returns the number that the guest knows it by.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One host thread's list.
struct Watcher {
    list: Mutex<Vec<Arc<Registration>>>,
    changed: Arc<Event>,
}

#[derive(Default)]
struct Lists {
    last_number: u64,
    all: HashMap<u64, Arc<Registration>>,
    queues: Vec<u64>,
    watchers: Vec<Arc<Watcher>>,
}

/// How the caller of a deletion learns of its end.
#[derive(Clone)]
pub enum Notice {
    /// Not at all.
    None,
    /// By this event.
    Event(Arc<Event>),
    /// The deletion waits itself, with this event.
    Wait(Arc<Event>),
}

/// All timers and registered waits of the process.
#[derive(Default)]
pub struct Registrations {
    lists: Mutex<Lists>,
}

fn now_and(milliseconds: u32) -> u64 {
    clock::monotonic_nanoseconds() + u64::from(milliseconds) * MILLISECOND
}

impl Registrations {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to watch; returns the number that the guest will know it by.
    ///
    /// # Errors
    /// `INVALID_HANDLE` for an unknown timer queue, `OBJECT_TYPE_MISMATCH` for what cannot be waited for,
    /// `INSUFFICIENT_RESOURCES` when no watcher can be started.
    pub fn add(&self, process: &'static Process, plan: Plan) -> Result<u64, NtStatus> {
        if plan.object.as_ref().is_some_and(|object| object.waitable().is_none()) {
            return Err(NtStatus::OBJECT_TYPE_MISMATCH);
        }
        let mut lists = self.lists();
        if plan.queue != 0 && !lists.queues.contains(&plan.queue) {
            return Err(NtStatus::INVALID_HANDLE);
        }
        let number = lists.next_number();
        let period = u64::from(plan.period) * MILLISECOND;
        let state = State { due: plan.due_at.or_else(|| plan.due.map(now_and)), period, ..State::default() };
        let registration = Arc::new(Registration { number, plan, state: Mutex::new(state) });
        let watcher = lists.watcher_with_room(process)?;
        lists.all.insert(number, Arc::clone(&registration));
        drop(lists);
        watcher.list().push(registration);
        watcher.changed.set();
        Ok(number)
    }

    /// Makes a timer queue.
    pub fn add_queue(&self) -> u64 {
        let mut lists = self.lists();
        let number = lists.next_number();
        lists.queues.push(number);
        number
    }

    /// Gives a timer other times; one that has made its only call stays as it is.
    ///
    /// # Errors
    /// `INVALID_HANDLE` for what is no timer.
    pub fn change(&self, number: u64, due: u32, period: u32) -> Result<(), NtStatus> {
        let registration = self.lists().all.get(&number).cloned().ok_or(NtStatus::INVALID_HANDLE)?;
        {
            let mut state = registration.state();
            if !state.is_over {
                (state.due, state.period) = (Some(now_and(due)), u64::from(period) * MILLISECOND);
            }
        }
        self.wake_watchers();
        Ok(())
    }

    /// Has all watchers look at their lists again.
    fn wake_watchers(&self) {
        let watchers = self.lists().watchers.clone();
        for watcher in watchers {
            watcher.changed.set();
        }
    }

    /// Stops one; says whether all its calls have ended.
    ///
    /// # Errors
    /// `INVALID_HANDLE` for an unknown number.
    pub fn delete(&self, number: u64, notice: &Notice) -> Result<bool, NtStatus> {
        let registration = self.lists().all.get(&number).cloned().ok_or(NtStatus::INVALID_HANDLE)?;
        let has_ended = {
            let mut state = registration.state();
            if std::mem::replace(&mut state.is_deleted, true) {
                return Err(NtStatus::INVALID_HANDLE);
            }
            state.is_over = true;
            let has_ended = state.running == 0;
            if let Notice::Event(event) | Notice::Wait(event) = notice {
                if has_ended {
                    event.set();
                } else {
                    state.completion.push(Arc::clone(event));
                }
            }
            has_ended
        };
        if has_ended {
            self.lists().all.remove(&number);
        }
        self.wake_watchers();
        Ok(has_ended)
    }

    /// Stops all timers of a queue and forgets it; returns those whose calls have not all ended.
    ///
    /// # Errors
    /// `INVALID_HANDLE` for an unknown queue.
    pub fn delete_queue(&self, queue: u64) -> Result<Vec<u64>, NtStatus> {
        let mut lists = self.lists();
        let at = lists.queues.iter().position(|&known| known == queue).ok_or(NtStatus::INVALID_HANDLE)?;
        lists.queues.remove(at);
        let timers = lists.all.values().filter(|timer| timer.plan.queue == queue);
        Ok(timers.map(|timer| timer.number).collect())
    }

    /// Notes that a worker has ended a call for this one.
    pub(super) fn call_ended(&self, number: u64) {
        let Some(registration) = self.lists().all.get(&number).cloned() else { return };
        let mut state = registration.state();
        state.running -= 1;
        if state.running == 0 && state.is_deleted {
            let completion = std::mem::take(&mut state.completion);
            drop(state);
            for event in completion {
                event.set();
            }
            self.lists().all.remove(&number);
        }
    }
}

impl Lists {
    fn next_number(&mut self) -> u64 {
        self.last_number = self.last_number.max(FIRST_NUMBER) + NUMBER_STEP;
        self.last_number
    }

    fn watcher_with_room(&mut self, process: &'static Process) -> Result<Arc<Watcher>, NtStatus> {
        if let Some(watcher) = self.watchers.iter().find(|watcher| watcher.list().len() < OBJECTS_MAX) {
            return Ok(Arc::clone(watcher));
        }
        let watcher = Arc::new(Watcher { list: Mutex::default(), changed: Event::new(false, false) });
        let own = Arc::clone(&watcher);
        let started = plat_host::thread::spawn(move || own.run(process));
        started.map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        self.watchers.push(Arc::clone(&watcher));
        Ok(watcher)
    }
}

impl Watcher {
    fn list(&self) -> MutexGuard<'_, Vec<Arc<Registration>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches for as long as the process lives.
    fn run(&self, process: &'static Process) {
        loop {
            let watched = self.watched();
            let changed: ObjectRef = Arc::clone(&self.changed) as ObjectRef;
            let with_objects: Vec<_> = watched.iter().filter(|one| one.plan.object.is_some()).collect();
            let objects = with_objects.iter().filter_map(|one| one.plan.object.clone());
            let objects: Vec<ObjectRef> = [changed].into_iter().chain(objects).collect();
            let deadline = watched.iter().filter_map(|one| one.state().due).min();
            let how = WaitFor { all: false, alertable: false, deadline };
            let status = wait::wait(&objects, how).unwrap_or(NtStatus::TIMEOUT);
            let index = (status.0 as usize).checked_sub(1).filter(|&index| index < with_objects.len());
            if let Some(index) = index {
                fire(process, with_objects[index], false);
            }
            let now = clock::monotonic_nanoseconds();
            for one in &watched {
                let is_due = one.state().due.is_some_and(|due| due <= now);
                if is_due {
                    fire(process, one, true);
                }
            }
        }
    }

    /// Returns what is still to be watched.
    fn watched(&self) -> Vec<Arc<Registration>> {
        let mut list = self.list();
        list.retain(|one| !one.state().is_over);
        list.clone()
    }
}

/// Has a worker call, and sets the next time.
fn fire(process: &'static Process, one: &Arc<Registration>, is_late: bool) {
    {
        let mut state = one.state();
        if state.is_over {
            return;
        }
        let is_timer = one.plan.object.is_none();
        let again = match (is_timer, is_late) {
            (true, _) => state.due.filter(|_| state.period > 0).map(|due| due + state.period),
            (false, _) => one.plan.due.map(now_and),
        };
        state.due = again;
        state.is_over = one.plan.is_once || (is_timer && again.is_none());
        if let Target::Pooled(object, turn) = &one.plan.target {
            let (object, turn, is_over) = (Arc::clone(object), *turn, state.is_over);
            drop(state);
            if is_over {
                process.pool.registrations.lists().all.remove(&one.number);
            }
            object.fire(process, turn, is_late);
            return;
        }
        // A multimedia timer is no more once it has fired for the last time.
        if state.is_over && matches!(one.plan.target, Target::Multimedia(..) | Target::Signal(..)) {
            drop(state);
            process.pool.registrations.lists().all.remove(&one.number);
        } else {
            state.running += 1;
        }
    }
    let (function, arguments) = match &one.plan.target {
        Target::Call(function, context) => (*function, vec![*context, u64::from(is_late)]),
        Target::Multimedia(function, user) => (*function, vec![one.number, 0, *user, 0, 0]),
        Target::Signal(event, is_pulse) => {
            if *is_pulse {
                event.pulse()
            } else {
                event.set()
            };
            process.pool.registrations.call_ended(one.number);
            return;
        }
        Target::Pooled(..) => return,
    };
    let call = Call { function, arguments, for_whom: Some(Arc::clone(one)) };
    if process.pool.default.submit(process, Work::Call(call)).is_err() {
        // No thread can be made: the call is lost, as on Windows without resources.
        process.pool.registrations.call_ended(one.number);
    }
}
