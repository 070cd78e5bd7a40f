//! The pools of guest threads that make calls for others: work items, timers, registered waits, and what
//! `pool_object` has of the newer interface.
//!
//! Key types: [`Pool`] (the process's pools), [`Workers`] (one of them). A worker that has had nothing to do for a while
//! ends. What decides when timers and waits call is in `pool_watch`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::path::lock;
use super::pool_object::{Pooled, PooledObjects};
use super::pool_watch::{Registration, Registrations};
use super::semaphore::Semaphore;
use super::thread_start::{self, ThreadPlan};
use super::wait::{self, WaitFor};
use crate::NtStatus;
use crate::guest::Guest;
use crate::process::Process;

/// The most workers, as on Windows.
const WORKERS_MAX: usize = 500;
/// Milliseconds after which a worker without work ends.
const IDLE_MILLISECONDS: u32 = 10_000;

/// One call to be made by a worker.
#[derive(Clone)]
pub struct Call {
    /// The guest's function.
    pub function: u64,
    /// Its arguments.
    pub arguments: Vec<u64>,
    /// The timer or wait for which it is made; told when the call is over.
    pub for_whom: Option<Arc<Registration>>,
}

/// What a worker does next.
pub enum Work {
    /// A call.
    Call(Call),
    /// The next callback of an object, if it has not been cancelled.
    Pooled(Arc<Pooled>),
}

/// The workers of one pool.
pub struct Workers {
    queue: Mutex<VecDeque<Work>>,
    /// Counts the items of the queue.
    filled: OnceLock<Arc<Semaphore>>,
    workers: AtomicUsize,
    idle: AtomicUsize,
    most: AtomicUsize,
    is_closed: AtomicBool,
    /// Bytes to reserve and to commit for a worker's stack; 0 for the program's defaults.
    pub stack: [AtomicU64; 2],
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            queue: Mutex::default(),
            filled: OnceLock::new(),
            workers: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            most: AtomicUsize::new(WORKERS_MAX),
            is_closed: AtomicBool::new(false),
            stack: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }
}

/// The pools of the process.
#[derive(Default)]
pub struct Pool {
    /// The one that every process has.
    pub default: Arc<Workers>,
    /// Timers of queues, and registered waits.
    pub registrations: Registrations,
    /// Work, timers, waits and transfers of the newer interface.
    pub objects: PooledObjects,
}

impl Workers {
    fn filled(&self) -> Result<Arc<Semaphore>, NtStatus> {
        if let Some(semaphore) = self.filled.get() {
            return Ok(Arc::clone(semaphore));
        }
        let semaphore = Semaphore::new(0, i32::MAX)?;
        Ok(Arc::clone(self.filled.get_or_init(|| semaphore)))
    }

    /// Sets the most workers; 0 counts as 1.
    pub fn set_most(&self, most: usize) {
        self.most.store(most.clamp(1, WORKERS_MAX), Ordering::Release);
    }

    /// Says whether one more worker may be started.
    pub fn has_room(&self) -> bool {
        self.workers.load(Ordering::Acquire) < self.most.load(Ordering::Acquire)
    }

    /// Lets the workers end once they have nothing to do.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        let idle = self.workers.load(Ordering::Acquire);
        if let (Ok(filled), Ok(1..)) = (self.filled(), i32::try_from(idle)) {
            // The count cannot come near the limit.
            let _ = filled.release(idle as i32);
        }
    }

    /// Has a worker do something; starts one when all are busy.
    ///
    /// # Errors
    /// `NO_MEMORY`, `INSUFFICIENT_RESOURCES` when there is no worker and none can be started.
    pub fn submit(self: &Arc<Self>, process: &'static Process, work: Work) -> Result<(), NtStatus> {
        let filled = self.filled()?;
        let waiting = {
            let mut queue = lock(&self.queue);
            queue.push_back(work);
            queue.len()
        };
        if waiting > self.idle.load(Ordering::Acquire) && self.has_room() {
            self.workers.fetch_add(1, Ordering::AcqRel);
            let own = Arc::clone(self);
            let [stack_reserve, stack_commit] = [0, 1].map(|index| self.stack[index].load(Ordering::Relaxed));
            let plan = ThreadPlan { stack_reserve, stack_commit, ..ThreadPlan::default() };
            let started = thread_start::create_with(process, plan, move |guest| own.run(guest));
            if let Err(status) = started
                && self.workers.fetch_sub(1, Ordering::AcqRel) == 1
            {
                lock(&self.queue).pop_back();
                return Err(status);
            }
        }
        filled.release(1).map(drop)
    }

    /// What a worker does until it has been idle for long; returns the thread's exit code.
    fn run(&self, guest: &mut Guest) -> u32 {
        let process = guest.process();
        process.loader().attach_thread(guest);
        while let Ok(filled) = self.filled() {
            self.idle.fetch_add(1, Ordering::AcqRel);
            let deadline = wait::deadline_of_milliseconds(IDLE_MILLISECONDS);
            let how = WaitFor { all: false, alertable: true, deadline };
            let status = wait::wait_as_guest(guest, &[filled], how);
            self.idle.fetch_sub(1, Ordering::AcqRel);
            match status {
                Ok(NtStatus::SUCCESS) => {}
                Ok(NtStatus::USER_APC) => continue,
                _ => break,
            }
            let work = lock(&self.queue).pop_front();
            match work {
                Some(Work::Call(call)) => make_call(guest, call),
                Some(Work::Pooled(object)) => super::pool_object::run(guest, object),
                None if self.is_closed.load(Ordering::Acquire) => break,
                None => {}
            }
        }
        self.workers.fetch_sub(1, Ordering::AcqRel);
        0
    }
}

fn make_call(guest: &mut Guest, call: Call) {
    let Call { function, arguments, for_whom } = call;
    // The registration is kept by the list of those on their way: the guest may leave this frame behind.
    let number = for_whom.map(|registration| registration.number());
    let called = guest.call(function, &arguments);
    drop(arguments);
    if let Some(number) = number {
        guest.process().pool.registrations.call_ended(number);
    }
    if let Err(fault) = called {
        guest.raise_fault(fault);
    }
}
