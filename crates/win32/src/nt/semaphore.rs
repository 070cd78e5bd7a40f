//! Semaphores: a count that waits take from.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use super::names::LeaseCell;
use super::object::{Object, ObjectKind};
use super::shared_state::SharedState;
use super::thread::ThreadObject;
use super::wait::{self, Queues, Waitable};
use crate::NtStatus;

/// A semaphore.
#[derive(Debug)]
pub struct Semaphore {
    count: AtomicU32,
    limit: u32,
    /// The state once other processes have it, too.
    shared: OnceLock<SharedState>,
    lease: LeaseCell,
}

impl Semaphore {
    /// Makes a semaphore.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a limit of 0 or less, or a count outside 0 to the limit.
    pub fn new(count: i32, limit: i32) -> Result<Arc<Self>, NtStatus> {
        if limit <= 0 || !(0..=limit).contains(&count) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let (shared, lease) = (OnceLock::new(), LeaseCell::default());
        Ok(Arc::new(Self { count: AtomicU32::new(count as u32), limit: limit as u32, shared, lease }))
    }

    /// Takes the state that another process shares.
    pub fn of_shared(shared: SharedState) -> Arc<Self> {
        let limit = shared.kind() as u32;
        let (count, lease) = (AtomicU32::new(0), LeaseCell::default());
        Arc::new(Self { count, limit, shared: OnceLock::from(shared), lease })
    }

    /// Returns the state for other processes.
    ///
    /// # Errors
    /// As for [`SharedState::create`].
    pub fn share(&self) -> Result<&SharedState, NtStatus> {
        let mut queues = wait::lock();
        if self.shared.get().is_none() {
            let count = self.count.load(Ordering::Relaxed);
            let _ = self.shared.set(SharedState::create(count.into(), self.limit.into(), 0, 0)?);
            queues.reconsider(self);
        }
        self.shared.get().ok_or(NtStatus::NO_MEMORY)
    }

    fn count(&self) -> u32 {
        match self.shared.get() {
            Some(shared) => shared.state() as u32,
            None => self.count.load(Ordering::Relaxed),
        }
    }

    /// Adds to the count; returns the count before.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for 0 or less, `SEMAPHORE_LIMIT_EXCEEDED` beyond the limit; the count stays as it is.
    pub fn release(&self, add: i32) -> Result<u32, NtStatus> {
        self.add(&mut wait::lock(), add)
    }

    /// Returns the count and the limit.
    pub fn state(&self) -> (u32, u32) {
        (self.count(), self.limit)
    }

    fn add(&self, queues: &mut Queues, add: i32) -> Result<u32, NtStatus> {
        if add <= 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let more = |count: u32| count.checked_add(add as u32).filter(|&count| count <= self.limit);
        if let Some(shared) = self.shared.get() {
            let before = shared.update(|count| more(count as u32).map(u64::from));
            let before = before.ok_or(NtStatus::SEMAPHORE_LIMIT_EXCEEDED)?;
            queues.release(self);
            shared.ring();
            return Ok(before as u32);
        }
        let before = self.count.load(Ordering::Relaxed);
        let count = more(before).ok_or(NtStatus::SEMAPHORE_LIMIT_EXCEEDED)?;
        self.count.store(count, Ordering::Relaxed);
        queues.release(self);
        Ok(before)
    }
}

impl Object for Semaphore {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Semaphore
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
    fn lease(&self) -> Option<&LeaseCell> {
        Some(&self.lease)
    }
}

impl Waitable for Semaphore {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.count() > 0
    }
    fn take(&self, _: &Arc<ThreadObject>) -> Option<bool> {
        match self.shared.get() {
            Some(shared) => shared.update(|count| count.checked_sub(1)).map(|_| false),
            None => {
                self.count.fetch_sub(1, Ordering::Relaxed);
                Some(false)
            }
        }
    }
    fn give_back(&self, _: &ThreadObject) {
        if let Some(shared) = self.shared.get() {
            shared.update(|count| Some(count + 1));
            shared.ring();
        }
    }
    fn shared(&self) -> Option<&SharedState> {
        self.shared.get()
    }
    fn signal(&self, queues: &mut Queues, _: &ThreadObject) -> Result<(), NtStatus> {
        self.add(queues, 1).map(drop)
    }
}
