//! Events: set until reset, or until one wait ends.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::handle::plain;
use super::names::LeaseCell;
use super::object::{Object, ObjectKind};
use super::shared_state::SharedState;
use super::thread::ThreadObject;
use super::wait::{self, Queues, Waitable};
use crate::NtStatus;
use crate::process::Process;

/// An event.
#[derive(Debug)]
pub struct Event {
    /// Whether it stays set until it is reset (`NotificationEvent`).
    is_manual: bool,
    is_set: AtomicBool,
    /// The handle at whose word in guest memory the state is now (`event_words`), or 0. Changes under the dispatcher's lock.
    lent_to: AtomicU64,
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
            lent_to: AtomicU64::new(0),
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
        self.take_back();
        if self.shared.get().is_none() {
            let is_set = self.is_set.load(Ordering::Relaxed);
            let _ = self.shared.set(SharedState::create(is_set.into(), self.is_manual.into(), 0, 0)?);
            queues.reconsider(self);
        }
        self.shared.get().ok_or(NtStatus::NO_MEMORY)
    }

    /// Takes the state back from guest memory, if it is there. The dispatcher's lock is held.
    #[inline]
    fn take_back(&self) {
        if self.lent_to.load(Ordering::Relaxed) != 0 {
            self.take_back_word();
        }
    }

    #[cold]
    fn take_back_word(&self) {
        let handle = self.lent_to.swap(0, Ordering::Relaxed);
        let is_set = Process::current().is_some_and(|process| process.event_words.take(handle));
        self.is_set.store(is_set, Ordering::Relaxed);
    }

    /// Lends the state to the guest memory of a handle, unless somebody waits or another process shares it.
    fn lend(&self, queues: &Queues, process: &Process, handle: u64) {
        let handle = plain(handle);
        if self.shared.get().is_some() || queues.has_waiters(self) || !process.handles.is_of(handle, self) {
            return;
        }
        let is_set = self.is_set.load(Ordering::Relaxed);
        if process.event_words.put(process, handle, self.is_manual, is_set) {
            self.lent_to.store(handle, Ordering::Relaxed);
        }
    }

    /// Changes the state; returns what it was. The dispatcher's lock is held.
    #[inline]
    fn swap(&self, is_set: bool) -> bool {
        self.take_back();
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

    /// Sets it as the guest does by one of its handles; from now on guest code may do that.
    pub fn set_by(&self, process: &Process, handle: u64) {
        let mut queues = wait::lock();
        self.set_locked(&mut queues);
        self.lend(&queues, process, handle);
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
        let _queues = wait::lock();
        (self.is_manual, self.is_set())
    }

    /// Says whether it is set. The dispatcher's lock is held.
    fn is_set(&self) -> bool {
        self.take_back();
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
    fn handle_closes(&self, handle: u64) {
        let _queues = wait::lock();
        if self.lent_to.load(Ordering::Relaxed) == handle {
            self.take_back();
        }
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
    fn is_awaited(&self) {
        self.take_back();
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
