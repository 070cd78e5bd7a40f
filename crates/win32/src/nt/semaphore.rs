//! Semaphores: a count that waits take from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::object::{Object, ObjectKind};
use super::thread::ThreadObject;
use super::wait::{self, Queues, Waitable};
use crate::NtStatus;

/// A semaphore.
#[derive(Debug)]
pub struct Semaphore {
    count: AtomicU32,
    limit: u32,
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
        Ok(Arc::new(Self { count: AtomicU32::new(count as u32), limit: limit as u32 }))
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
        (self.count.load(Ordering::Relaxed), self.limit)
    }

    fn add(&self, queues: &mut Queues, add: i32) -> Result<u32, NtStatus> {
        if add <= 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let before = self.count.load(Ordering::Relaxed);
        if add as u32 > self.limit - before {
            return Err(NtStatus::SEMAPHORE_LIMIT_EXCEEDED);
        }
        self.count.store(before + add as u32, Ordering::Relaxed);
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
}

impl Waitable for Semaphore {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }
    fn take(&self, _: &Arc<ThreadObject>) -> bool {
        self.count.fetch_sub(1, Ordering::Relaxed);
        false
    }
    fn signal(&self, queues: &mut Queues, _: &ThreadObject) -> Result<(), NtStatus> {
        self.add(queues, 1).map(drop)
    }
}
