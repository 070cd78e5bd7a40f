//! Events: set until reset, or until one wait ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::object::{Object, ObjectKind};
use super::thread::ThreadObject;
use super::wait::{self, Queues, Waitable};
use crate::NtStatus;

/// An event.
#[derive(Debug)]
pub struct Event {
    /// Whether it stays set until it is reset (`NotificationEvent`).
    is_manual: bool,
    is_set: AtomicBool,
}

impl Event {
    /// Makes an event; a manual one stays set when a wait for it ends.
    pub fn new(is_manual: bool, is_set: bool) -> Arc<Self> {
        Arc::new(Self { is_manual, is_set: AtomicBool::new(is_set) })
    }

    /// Sets it; says whether it was set.
    pub fn set(&self) -> bool {
        let mut queues = wait::lock();
        let before = self.is_set.swap(true, Ordering::Relaxed);
        queues.release(self);
        before
    }

    /// Resets it; says whether it was set.
    pub fn reset(&self) -> bool {
        let _queues = wait::lock();
        self.is_set.swap(false, Ordering::Relaxed)
    }

    /// Lets those go who wait now, and leaves it reset; says whether it was set.
    pub fn pulse(&self) -> bool {
        let mut queues = wait::lock();
        let before = self.is_set.swap(true, Ordering::Relaxed);
        queues.release(self);
        self.is_set.store(false, Ordering::Relaxed);
        before
    }

    /// Says whether it stays set until it is reset, and whether it is set.
    pub fn state(&self) -> (bool, bool) {
        (self.is_manual, self.is_set.load(Ordering::Relaxed))
    }
}

impl Object for Event {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Event
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
}

impl Waitable for Event {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }
    fn take(&self, _: &Arc<ThreadObject>) -> bool {
        if !self.is_manual {
            self.is_set.store(false, Ordering::Relaxed);
        }
        false
    }
    fn signal(&self, queues: &mut Queues, _: &ThreadObject) -> Result<(), NtStatus> {
        self.is_set.store(true, Ordering::Relaxed);
        queues.release(self);
        Ok(())
    }
}
