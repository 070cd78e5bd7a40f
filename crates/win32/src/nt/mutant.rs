//! Mutexes, which NT calls mutants: owned by a thread, as often as it waited; abandoned when the owner ends.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use plat_host::clock;

use super::names::LeaseCell;
use super::object::{Object, ObjectKind};
use super::shared_state::{OWNER_LOOK, SharedState};
use super::thread::ThreadObject;
use super::wait::{self, Queues, Waitable};
use crate::NtStatus;

/// A mutex.
#[derive(Debug)]
pub struct Mutant {
    state: Mutex<State>,
    this: Weak<Self>,
    /// The state once other processes have it, too.
    shared: OnceLock<SharedState>,
    lease: LeaseCell,
}

#[derive(Debug, Default)]
struct State {
    owner: Option<u32>,
    recursion: u32,
    is_abandoned: bool,
}

impl Mutant {
    /// Makes a mutex, owned by `owner` if there is one.
    pub fn new(owner: Option<&Arc<ThreadObject>>) -> Arc<Self> {
        let mutant = Self::fresh(OnceLock::new());
        if let Some(owner) = owner {
            let _queues = wait::lock();
            mutant.take(owner);
        }
        mutant
    }

    fn fresh(shared: OnceLock<SharedState>) -> Arc<Self> {
        Arc::new_cyclic(|this| {
            let (this, state, lease) = (this.clone(), Mutex::default(), LeaseCell::default());
            Self { state, this, shared, lease }
        })
    }

    /// Takes the state that another process shares.
    pub fn of_shared(shared: SharedState) -> Arc<Self> {
        Self::fresh(OnceLock::from(shared))
    }

    /// Returns the state for other processes.
    ///
    /// # Errors
    /// As for [`SharedState::create`].
    pub fn share(&self) -> Result<&SharedState, NtStatus> {
        let mut queues = wait::lock();
        if self.shared.get().is_none() {
            let (owner, recursion, abandoned) = {
                let state = self.state();
                (state.owner.map_or(0, SharedState::owner), state.recursion.into(), state.is_abandoned.into())
            };
            let _ = self.shared.set(SharedState::create(owner, 0, recursion, abandoned)?);
            queues.reconsider(self);
        }
        self.shared.get().ok_or(NtStatus::NO_MEMORY)
    }

    /// Gives up one ownership; returns how often it was owned before.
    ///
    /// # Errors
    /// `MUTANT_NOT_OWNED` when the thread does not own it.
    pub fn release(&self, thread: &ThreadObject) -> Result<u32, NtStatus> {
        self.give_up(&mut wait::lock(), thread)
    }

    /// Returns its count (1 when it is free, less 1 for each time it is owned), whether a thread owns it, and whether its
    /// owner abandoned it.
    pub fn describe(&self, thread: &ThreadObject) -> (i32, bool, bool) {
        let _queues = wait::lock();
        if let Some(shared) = self.shared.get() {
            let (recursion, is_owned, is_abandoned) = shared.ownership(thread.id());
            return (1_i32.wrapping_sub(recursion as i32), is_owned, is_abandoned);
        }
        let state = self.state();
        (1_i32.wrapping_sub(state.recursion as i32), state.owner == Some(thread.id()), state.is_abandoned)
    }

    fn give_up(&self, queues: &mut Queues, thread: &ThreadObject) -> Result<u32, NtStatus> {
        if let Some(shared) = self.shared.get() {
            let before = shared.disown(thread.id()).ok_or(NtStatus::MUTANT_NOT_OWNED)?;
            if before == 1 {
                thread.forget_mutant(&self.this);
                queues.release(self);
            }
            return Ok(before);
        }
        let mut state = self.state();
        if state.owner != Some(thread.id()) {
            return Err(NtStatus::MUTANT_NOT_OWNED);
        }
        let before = state.recursion;
        state.recursion -= 1;
        let is_free = state.recursion == 0;
        if is_free {
            state.owner = None;
        }
        drop(state);
        if is_free {
            thread.forget_mutant(&self.this);
            queues.release(self);
        }
        Ok(before)
    }

    /// Frees it because this thread, which owns it, ended.
    pub(super) fn abandon(&self, queues: &mut Queues, thread: &ThreadObject) {
        match self.shared.get() {
            Some(shared) => shared.abandon(thread.id()),
            None => *self.state() = State { owner: None, recursion: 0, is_abandoned: true },
        }
        queues.release(self);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Mutant {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Mutant
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
    fn lease(&self) -> Option<&LeaseCell> {
        Some(&self.lease)
    }
}

impl Waitable for Mutant {
    fn is_signalled(&self, thread: &ThreadObject) -> bool {
        match self.shared.get() {
            Some(shared) => shared.is_free_for(thread.id()),
            None => self.state().owner.is_none_or(|owner| owner == thread.id()),
        }
    }
    fn take(&self, thread: &Arc<ThreadObject>) -> Option<bool> {
        if let Some(shared) = self.shared.get() {
            let (is_new, was_abandoned) = shared.own(thread.id())?;
            if is_new {
                thread.own_mutant(self.this.clone());
            }
            return Some(was_abandoned);
        }
        let mut state = self.state();
        if state.owner.is_none() {
            thread.own_mutant(self.this.clone());
        }
        state.owner = Some(thread.id());
        state.recursion += 1;
        Some(std::mem::take(&mut state.is_abandoned))
    }
    fn give_back(&self, thread: &ThreadObject) {
        if let Some(shared) = self.shared.get()
            && shared.disown(thread.id()) == Some(1)
        {
            thread.forget_mutant(&self.this);
        }
    }
    fn shared(&self) -> Option<&SharedState> {
        self.shared.get()
    }
    fn due(&self) -> Option<u64> {
        // Nobody rings when a process dies.
        let is_elsewhere = self.shared.get().is_some_and(SharedState::is_owned_elsewhere);
        is_elsewhere.then(|| clock::monotonic_nanoseconds() + OWNER_LOOK)
    }
    fn signal(&self, queues: &mut Queues, thread: &ThreadObject) -> Result<(), NtStatus> {
        self.give_up(queues, thread).map(drop)
    }
}
