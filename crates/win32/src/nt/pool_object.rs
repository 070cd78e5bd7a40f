//! Objects of the thread pool's newer interface: work, timers, waits, transfers, and groups that clean them up.
//!
//! Key types: [`Pooled`], [`PooledObjects`]. Programs know them, and callbacks that run, by numbers that look like
//! addresses. An object goes when it was closed and its last callback is over.
//!
//! Source: <https://learn.microsoft.com/windows/win32/procthread/thread-pool-api>

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use super::completion_port::Packet;
use super::critical_section::CriticalSection;
use super::event::Event;
use super::mutant::Mutant;
use super::object::ObjectRef;
use super::path::lock;
use super::pool::{Work, Workers};
use super::pool_watch::{Notice, Plan, Target};
use super::semaphore::Semaphore;
use super::thread;
use crate::NtStatus;
use crate::guest::Guest;
use crate::process::Process;

/// What an object's callback is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PooledKind {
    /// One callback, after which the object goes.
    Simple,
    /// A callback per submission.
    Work,
    /// A callback when a time has come.
    Timer,
    /// A callback when an object is signalled.
    Wait,
    /// A callback per transfer of a file, as `CreateThreadpoolIo` makes them.
    Io,
    /// A callback per transfer of a file, as `BindIoCompletionCallback` makes them.
    BoundIo,
}

/// Whose callbacks an object's are, from `TP_CALLBACK_ENVIRON`.
#[derive(Clone, Default)]
pub struct Environment {
    /// The number of the pool; 0 is the default one.
    pub pool: u64,
    /// The number of the cleanup group; 0 is none.
    pub group: u64,
    /// What is called for members when a group cancels; 0 is none.
    pub group_cancel: u64,
    /// What is called after each callback; 0 is none.
    pub finalization: u64,
}

/// What a callback is told beside its object.
#[derive(Clone, Copy, Debug)]
enum Payload {
    Nothing,
    WaitResult(u32),
    Transfer(Packet),
}

#[derive(Default)]
struct State {
    /// Callbacks that have not begun.
    pending: VecDeque<Payload>,
    /// Callbacks that have begun and not ended, but for those whose thread was disassociated.
    running: u32,
    /// Transfers that were announced.
    announced: u32,
    is_closed: bool,
    /// Which setting of a timer or a wait counts.
    turn: u64,
    registration: u64,
    is_set: bool,
    /// Who is told when nothing is pending or running.
    waiters: Vec<Arc<Event>>,
}

/// An object.
pub struct Pooled {
    number: u64,
    kind: PooledKind,
    function: u64,
    context: u64,
    environment: Environment,
    workers: Arc<Workers>,
    state: Mutex<State>,
}

impl fmt::Debug for Pooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pooled({:#x}, {:?})", self.number, self.kind)
    }
}

/// What is to be done when a callback has returned.
#[derive(Clone)]
pub enum Afterwards {
    /// A critical section is left.
    Leave(u64),
    /// A mutex is released.
    Mutex(Arc<Mutant>),
    /// A semaphore is released, so often.
    Semaphore(Arc<Semaphore>, i32),
    /// An event is set.
    Event(Arc<Event>),
    /// A module is given up.
    Module(u64),
}

/// A callback that runs.
#[derive(Default)]
struct Instance {
    object: u64,
    is_disassociated: bool,
    afterwards: Vec<Afterwards>,
}

#[derive(Default)]
struct Lists {
    last_number: u64,
    objects: HashMap<u64, Arc<Pooled>>,
    pools: HashMap<u64, Arc<Workers>>,
    groups: HashMap<u64, Vec<u64>>,
    instances: HashMap<u64, Instance>,
}

/// All objects, pools and groups of the newer interface.
#[derive(Default)]
pub struct PooledObjects {
    lists: Mutex<Lists>,
}

/// Numbers look like addresses; those of `pool_watch` begin elsewhere.
const FIRST_NUMBER: u64 = 0x5800_0000;
const NUMBER_STEP: u64 = 0x20;

impl Lists {
    fn next_number(&mut self) -> u64 {
        self.last_number = self.last_number.max(FIRST_NUMBER) + NUMBER_STEP;
        self.last_number
    }
}

impl PooledObjects {
    /// Makes a pool; returns its number.
    pub fn add_pool(&self) -> u64 {
        let mut lists = lock(&self.lists);
        let number = lists.next_number();
        lists.pools.insert(number, Arc::default());
        number
    }

    /// Returns a pool; 0 is the default one.
    pub fn pool(&self, process: &Process, number: u64) -> Option<Arc<Workers>> {
        match number {
            0 => Some(Arc::clone(&process.pool.default)),
            number => lock(&self.lists).pools.get(&number).cloned(),
        }
    }

    /// Forgets a pool; its workers end when they have nothing left to do.
    pub fn remove_pool(&self, number: u64) {
        let pool = lock(&self.lists).pools.remove(&number);
        if let Some(pool) = pool {
            pool.close();
        }
    }

    /// Makes a cleanup group; returns its number.
    pub fn add_group(&self) -> u64 {
        let mut lists = lock(&self.lists);
        let number = lists.next_number();
        lists.groups.insert(number, Vec::new());
        number
    }

    /// Forgets a group.
    pub fn remove_group(&self, number: u64) {
        lock(&self.lists).groups.remove(&number);
    }

    /// Makes an object.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for an unknown pool or group.
    pub fn add(
        &self,
        process: &Process,
        kind: PooledKind,
        (function, context): (u64, u64),
        environment: Environment,
    ) -> Result<Arc<Pooled>, NtStatus> {
        let workers = self.pool(process, environment.pool).ok_or(NtStatus::INVALID_PARAMETER)?;
        let mut lists = lock(&self.lists);
        let number = lists.next_number();
        if environment.group != 0 {
            let group = lists.groups.get_mut(&environment.group).ok_or(NtStatus::INVALID_PARAMETER)?;
            group.push(number);
        }
        let state = Mutex::default();
        let object = Arc::new(Pooled { number, kind, function, context, environment, workers, state });
        lists.objects.insert(number, Arc::clone(&object));
        Ok(object)
    }

    /// Returns an object of one of these kinds.
    pub fn find(&self, number: u64, kind: PooledKind) -> Option<Arc<Pooled>> {
        lock(&self.lists).objects.get(&number).filter(|object| object.kind == kind).cloned()
    }

    fn forget(&self, object: &Pooled) {
        let mut lists = lock(&self.lists);
        lists.objects.remove(&object.number);
        if let Some(group) = lists.groups.get_mut(&object.environment.group) {
            group.retain(|&member| member != object.number);
        }
    }

    /// Takes all members out of a group.
    pub fn take_members(&self, group: u64) -> Vec<Arc<Pooled>> {
        let mut lists = lock(&self.lists);
        let members = lists.groups.get_mut(&group).map(std::mem::take).unwrap_or_default();
        members.iter().filter_map(|number| lists.objects.get(number).cloned()).collect()
    }

    /// Notes what is to be done when a callback has returned.
    pub fn afterwards(&self, instance: u64, what: Afterwards) {
        if let Some(instance) = lock(&self.lists).instances.get_mut(&instance) {
            instance.afterwards.push(what);
        }
    }

    /// Takes a callback that runs out of the count of its object.
    pub fn disassociate(&self, process: &Process, instance: u64) {
        let object = {
            let mut lists = lock(&self.lists);
            let Some(instance) = lists.instances.get_mut(&instance) else { return };
            if std::mem::replace(&mut instance.is_disassociated, true) {
                return;
            }
            let number = instance.object;
            lists.objects.get(&number).cloned()
        };
        if let Some(object) = object {
            object.end_one(process);
        }
    }

    /// Returns the workers that make a running callback.
    pub fn workers_of(&self, instance: u64) -> Option<Arc<Workers>> {
        let lists = lock(&self.lists);
        let object = lists.objects.get(&lists.instances.get(&instance)?.object)?;
        Some(Arc::clone(&object.workers))
    }
}

impl Pooled {
    /// Returns the number that the program knows it by.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns what is called for it when its group cancels, and its context.
    pub fn group_cancel(&self) -> (u64, u64) {
        (self.environment.group_cancel, self.context)
    }

    /// Says whether it was closed.
    pub fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }

    /// Says whether a timer or a wait is set.
    pub fn is_set(&self) -> bool {
        lock(&self.state).is_set
    }

    /// Has a worker make one more callback.
    ///
    /// # Errors
    /// As for [`Workers::submit`].
    pub fn submit(self: &Arc<Self>, process: &'static Process) -> Result<(), NtStatus> {
        self.queue(process, Payload::Nothing)
    }

    fn queue(self: &Arc<Self>, process: &'static Process, payload: Payload) -> Result<(), NtStatus> {
        lock(&self.state).pending.push_back(payload);
        let submitted = self.workers.submit(process, Work::Pooled(Arc::clone(self)));
        if submitted.is_err() {
            lock(&self.state).pending.pop_back();
            self.tell_if_idle(process);
        }
        submitted
    }

    /// Sets a timer or a wait: when it is due (monotonic clock, nanoseconds), then every `period` milliseconds; or takes
    /// the setting back.
    ///
    /// # Errors
    /// As for `Registrations::add`.
    pub fn set(
        self: &Arc<Self>,
        process: &'static Process,
        setting: Option<(Option<ObjectRef>, Option<u64>, u32)>,
    ) -> Result<bool, NtStatus> {
        let (before, turn, was_set) = {
            let mut state = lock(&self.state);
            state.turn += 1;
            let was_set = std::mem::replace(&mut state.is_set, setting.is_some());
            (std::mem::take(&mut state.registration), state.turn, was_set)
        };
        if before != 0 {
            // One that has called for the last time is gone already.
            let _ = process.pool.registrations.delete(before, &Notice::None);
        }
        let Some((object, due_at, period)) = setting else { return Ok(was_set) };
        let is_once = object.is_some();
        let target = Target::Pooled(Arc::clone(self), turn);
        let plan = Plan { object, due: None, due_at, period, is_once, target, queue: 0 };
        let number = process.pool.registrations.add(process, plan)?;
        let mut state = lock(&self.state);
        if state.turn == turn {
            state.registration = number;
        }
        Ok(was_set)
    }

    /// Called when a timer or a wait of this turn has come true.
    pub(super) fn fire(self: &Arc<Self>, process: &'static Process, turn: u64, is_late: bool) {
        const WAIT_TIMEOUT: u32 = 258;
        {
            let mut state = lock(&self.state);
            if state.turn != turn || state.is_closed {
                return;
            }
            if self.kind == PooledKind::Wait {
                state.is_set = false;
            }
        }
        let payload = match self.kind {
            PooledKind::Wait => Payload::WaitResult(if is_late { WAIT_TIMEOUT } else { 0 }),
            _ => Payload::Nothing,
        };
        // Without a worker the callback is lost, as on Windows without resources.
        let _ = self.queue(process, payload);
    }

    /// Announces a transfer, or takes an announcement back.
    pub fn announce(&self, process: &Process, is_begun: bool) {
        {
            let mut state = lock(&self.state);
            let before = state.announced;
            state.announced = if is_begun { before + 1 } else { before.saturating_sub(1) };
        }
        if !is_begun {
            self.tell_if_idle(process);
        }
    }

    /// Called at the end of a transfer.
    pub(super) fn transferred(self: &Arc<Self>, process: &'static Process, packet: Packet) {
        {
            let mut state = lock(&self.state);
            if state.announced == 0 && self.kind == PooledKind::Io {
                return;
            }
            state.announced = state.announced.saturating_sub(1);
        }
        let _ = self.queue(process, Payload::Transfer(packet));
    }

    /// Takes back callbacks that have not begun.
    pub fn cancel(&self, process: &Process) {
        {
            let mut state = lock(&self.state);
            state.pending.clear();
            state.announced = 0;
        }
        self.tell_if_idle(process);
    }

    /// Closes it: it goes when its callbacks are over.
    pub fn close(self: &Arc<Self>, process: &'static Process) {
        if matches!(self.kind, PooledKind::Timer | PooledKind::Wait) {
            // Taking a setting back does not fail.
            let _ = self.set(process, None);
        }
        lock(&self.state).is_closed = true;
        self.tell_if_idle(process);
    }

    /// Returns an event that is set when nothing is pending or running; `None` when that is so.
    pub fn idle_event(&self) -> Option<Arc<Event>> {
        let mut state = lock(&self.state);
        if state.is_idle() {
            return None;
        }
        let event = Event::new(true, false);
        state.waiters.push(Arc::clone(&event));
        Some(event)
    }

    fn end_one(&self, process: &Process) {
        {
            let mut state = lock(&self.state);
            state.running = state.running.saturating_sub(1);
        }
        self.tell_if_idle(process);
    }

    fn tell_if_idle(&self, process: &Process) {
        let mut state = lock(&self.state);
        if !state.is_idle() {
            return;
        }
        let waiters = std::mem::take(&mut state.waiters);
        let is_over = state.is_closed || self.kind == PooledKind::Simple;
        drop(state);
        for event in waiters {
            event.set();
        }
        if is_over {
            process.pool.objects.forget(self);
        }
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.running == 0 && self.announced == 0
    }
}

/// Makes an object's next callback on the calling worker.
pub(super) fn run(guest: &mut Guest, object: Arc<Pooled>) {
    let process = guest.process();
    let payload = {
        let mut state = lock(&object.state);
        let Some(payload) = state.pending.pop_front() else { return };
        state.running += 1;
        payload
    };
    let instance = {
        let mut lists = lock(&process.pool.objects.lists);
        let number = lists.next_number();
        lists.instances.insert(number, Instance { object: object.number, ..Instance::default() });
        number
    };
    let (function, context, number) = (object.function, object.context, object.number);
    let finalization = object.environment.finalization;
    let (arguments, count) = arguments(&object, instance, payload);
    // The guest may leave this frame behind: the lists keep the object.
    drop(object);
    let mut called = guest.call(function, &arguments[..count]);
    if finalization != 0 && called.is_ok() {
        called = guest.call(finalization, &[instance, context]);
    }
    let ended = lock(&process.pool.objects.lists).instances.remove(&instance).unwrap_or_default();
    for what in ended.afterwards {
        carry_out(guest, what);
    }
    let object = lock(&process.pool.objects.lists).objects.get(&number).cloned();
    if let Some(object) = object.filter(|_| !ended.is_disassociated) {
        object.end_one(process);
    }
    if let Err(fault) = called {
        guest.raise_fault(fault);
    }
}

/// Returns a callback's arguments and how many there are.
fn arguments(object: &Pooled, instance: u64, payload: Payload) -> ([u64; 6], usize) {
    let (context, number) = (object.context, object.number);
    match (object.kind, payload) {
        (PooledKind::Simple, _) => ([instance, context, 0, 0, 0, 0], 2),
        (PooledKind::Io, Payload::Transfer(packet)) => {
            ([instance, context, packet.overlapped, error_of(packet), packet.moved, number], 6)
        }
        (PooledKind::BoundIo, Payload::Transfer(packet)) => {
            ([error_of(packet), packet.moved, packet.overlapped, 0, 0, 0], 3)
        }
        (_, Payload::WaitResult(result)) => ([instance, context, number, result.into(), 0, 0], 4),
        _ => ([instance, context, number, 0, 0, 0], 3),
    }
}

fn error_of(packet: Packet) -> u64 {
    let status = NtStatus(packet.status);
    if status.is_success() { 0 } else { status.to_win32().0.into() }
}

/// Does what a callback wanted for after its return; what cannot be done is left, since nobody could be told.
fn carry_out(guest: &mut Guest, what: Afterwards) {
    match what {
        Afterwards::Leave(address) => {
            let _ = CriticalSection::at(guest.process().machine, address).leave();
        }
        Afterwards::Mutex(mutant) => {
            let _ = thread::with_current(|thread| mutant.release(thread));
        }
        Afterwards::Semaphore(semaphore, count) => {
            let _ = semaphore.release(count);
        }
        Afterwards::Event(event) => {
            event.set();
        }
        Afterwards::Module(base) => {
            let _ = guest.process().loader().unload(guest, base);
        }
    }
}
