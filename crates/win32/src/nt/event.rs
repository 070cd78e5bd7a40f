//! Events: set until reset, or until one wait ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::names::LeaseCell;
use super::object::{Object, ObjectKind};
use super::shared_state::SharedState;
use super::thread::ThreadObject;
use super::wait::{self, Queues, Waitable};
use crate::NtStatus;

/// An event.
#[derive(Debug)]
pub struct Event {
    /// Whether it stays set until it is reset (`NotificationEvent`).
    is_manual: bool,
    is_set: AtomicBool,
    /// The state once other processes have it, too.
    shared: OnceLock<SharedState>,
    lease: LeaseCell,
}

impl Event {
    /// Makes an event; a manual one stays set when a wait for it ends.
    pub fn new(is_manual: bool, is_set: bool) -> Arc<Self> {
        Arc::new(Self {
            is_manual,
            is_set: AtomicBool::new(is_set),
            shared: OnceLock::new(),
            lease: LeaseCell::default(),
        })
    }

    /// Takes the state that another process shares.
    pub fn of_shared(shared: SharedState) -> Arc<Self> {
        let event = Self::new(shared.kind() != 0, false);
        let _ = event.shared.set(shared);
        event
    }

    /// Returns the state for other processes.
    ///
    /// # Errors
    /// As for [`SharedState::create`].
    pub fn share(&self) -> Result<&SharedState, NtStatus> {
        let mut queues = wait::lock();
        if self.shared.get().is_none() {
            let is_set = self.is_set.load(Ordering::Relaxed);
            let _ = self.shared.set(SharedState::create(is_set.into(), self.is_manual.into(), 0, 0)?);
            queues.reconsider(self);
        }
        self.shared.get().ok_or(NtStatus::NO_MEMORY)
    }

    /// Changes the state; returns what it was. The dispatcher's lock is held.
    #[inline]
    fn swap(&self, is_set: bool) -> bool {
        match self.shared.get() {
            Some(shared) => shared.swap(is_set.into()) != 0,
            None => self.is_set.swap(is_set, Ordering::Relaxed),
        }
    }

    /// Sets the state and lets those go who wait.
    fn set_locked(&self, queues: &mut Queues) -> bool {
        let before = self.swap(true);
        queues.release(self);
        if let Some(shared) = self.shared.get() {
            shared.ring();
        }
        before
    }

    /// Sets it; says whether it was set.
    pub fn set(&self) -> bool {
        self.set_locked(&mut wait::lock())
    }

    /// Resets it; says whether it was set.
    pub fn reset(&self) -> bool {
        let _queues = wait::lock();
        self.swap(false)
    }

    /// Lets those go who wait now, and leaves it reset; says whether it was set.
    pub fn pulse(&self) -> bool {
        let mut queues = wait::lock();
        let before = self.set_locked(&mut queues);
        self.swap(false);
        before
    }

    /// Says whether it stays set until it is reset, and whether it is set.
    pub fn state(&self) -> (bool, bool) {
        (self.is_manual, self.is_set())
    }

    fn is_set(&self) -> bool {
        match self.shared.get() {
            Some(shared) => shared.state() != 0,
            None => self.is_set.load(Ordering::Relaxed),
        }
    }
}

impl Object for Event {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Event
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
    fn lease(&self) -> Option<&LeaseCell> {
        Some(&self.lease)
    }
}

impl Waitable for Event {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.is_set()
    }
    fn take(&self, _: &Arc<ThreadObject>) -> Option<bool> {
        let was_set = self.is_manual || self.swap(false);
        was_set.then_some(false)
    }
    fn give_back(&self, _: &ThreadObject) {
        if let Some(shared) = self.shared.get().filter(|_| !self.is_manual) {
            shared.swap(1);
            shared.ring();
        }
    }
    fn shared(&self) -> Option<&SharedState> {
        self.shared.get()
    }
    fn signal(&self, queues: &mut Queues, _: &ThreadObject) -> Result<(), NtStatus> {
        self.set_locked(queues);
        Ok(())
    }
}
