//! The pool of guest threads that make calls for others: work items, timers of queues, registered waits.
//!
//! Key type: [`Pool`]. A worker that has had nothing to do for a while ends. What decides when timers and waits call is
//! in `pool_watch`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::path::lock;
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
pub struct Work {
    /// The guest's function.
    pub function: u64,
    /// Its arguments.
    pub arguments: Vec<u64>,
    /// The timer or wait for which it is made; told when the call is over.
    pub for_whom: Option<Arc<Registration>>,
}

/// The workers, and who may give them work.
#[derive(Default)]
pub struct Pool {
    queue: Mutex<VecDeque<Work>>,
    /// Counts the items of the queue.
    filled: OnceLock<Arc<Semaphore>>,
    workers: AtomicUsize,
    idle: AtomicUsize,
    /// Timers of queues, and registered waits.
    pub registrations: Registrations,
}

impl Pool {
    fn filled(&self) -> Result<Arc<Semaphore>, NtStatus> {
        if let Some(semaphore) = self.filled.get() {
            return Ok(Arc::clone(semaphore));
        }
        let semaphore = Semaphore::new(0, i32::MAX)?;
        Ok(Arc::clone(self.filled.get_or_init(|| semaphore)))
    }

    /// Has a worker make a call; starts one when all are busy.
    ///
    /// # Errors
    /// `NO_MEMORY`, `INSUFFICIENT_RESOURCES` when there is no worker and none can be started.
    pub fn submit(&self, process: &'static Process, work: Work) -> Result<(), NtStatus> {
        let filled = self.filled()?;
        let waiting = {
            let mut queue = lock(&self.queue);
            queue.push_back(work);
            queue.len()
        };
        let workers = self.workers.load(Ordering::Acquire);
        if waiting > self.idle.load(Ordering::Acquire) && workers < WORKERS_MAX {
            self.workers.fetch_add(1, Ordering::AcqRel);
            let started = thread_start::create_with(process, ThreadPlan::default(), run_worker);
            if let Err(status) = started
                && self.workers.fetch_sub(1, Ordering::AcqRel) == 1
            {
                lock(&self.queue).pop_back();
                return Err(status);
            }
        }
        filled.release(1).map(drop)
    }
}

/// What a worker does until it has been idle for long; returns the thread's exit code.
fn run_worker(guest: &mut Guest) -> u32 {
    let process = guest.process();
    let pool = &process.pool;
    process.loader().attach_thread(guest);
    while let Ok(filled) = pool.filled() {
        pool.idle.fetch_add(1, Ordering::AcqRel);
        let deadline = wait::deadline_of_milliseconds(IDLE_MILLISECONDS);
        let how = WaitFor { all: false, alertable: true, deadline };
        let status = wait::wait_as_guest(guest, &[filled], how);
        pool.idle.fetch_sub(1, Ordering::AcqRel);
        match status {
            Ok(NtStatus::SUCCESS) => {}
            Ok(NtStatus::USER_APC) => continue,
            _ => break,
        }
        let Some(work) = lock(&pool.queue).pop_front() else { continue };
        let Work { function, arguments, for_whom } = work;
        // The registration is kept by the list of those on their way: the guest may leave this frame behind.
        let number = for_whom.map(|registration| registration.number());
        let called = guest.call(function, &arguments);
        drop(arguments);
        if let Some(number) = number {
            pool.registrations.call_ended(number);
        }
        if let Err(fault) = called {
            guest.raise_fault(fault);
        }
    }
    pool.workers.fetch_sub(1, Ordering::AcqRel);
    0
}
