//! Mutexes, which NT calls mutants: owned by a thread, as often as it waited; abandoned when the owner ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::object::{Object, ObjectKind};
use super::thread::ThreadObject;
use super::wait::{self, Queues, Waitable};
use crate::NtStatus;

/// A mutex.
#[derive(Debug)]
pub struct Mutant {
    state: Mutex<State>,
    this: Weak<Self>,
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
        let mutant = Arc::new_cyclic(|this| Self { state: Mutex::default(), this: this.clone() });
        if let Some(owner) = owner {
            let _queues = wait::lock();
            mutant.take(owner);
        }
        mutant
    }

    /// Gives up one ownership; returns how often it was owned before.
    ///
    /// # Errors
    /// `MUTANT_NOT_OWNED` when the thread does not own it.
    pub fn release(&self, thread: &ThreadObject) -> Result<u32, NtStatus> {
        self.give_up(&mut wait::lock(), thread)
    }

    fn give_up(&self, queues: &mut Queues, thread: &ThreadObject) -> Result<u32, NtStatus> {
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

    /// Frees it because its owner ended.
    pub(super) fn abandon(&self, queues: &mut Queues) {
        *self.state() = State { owner: None, recursion: 0, is_abandoned: true };
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
}

impl Waitable for Mutant {
    fn is_signalled(&self, thread: &ThreadObject) -> bool {
        self.state().owner.is_none_or(|owner| owner == thread.id())
    }
    fn take(&self, thread: &Arc<ThreadObject>) -> bool {
        let mut state = self.state();
        if state.owner.is_none() {
            thread.own_mutant(self.this.clone());
        }
        state.owner = Some(thread.id());
        state.recursion += 1;
        std::mem::take(&mut state.is_abandoned)
    }
    fn signal(&self, queues: &mut Queues, thread: &ThreadObject) -> Result<(), NtStatus> {
        self.give_up(queues, thread).map(drop)
    }
}
