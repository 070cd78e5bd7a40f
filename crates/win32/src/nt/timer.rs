//! Waitable timers. No thread watches them: whoever waits for one wakes up when it is due.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use plat_host::clock;

use super::names::LeaseCell;
use super::object::{Object, ObjectKind};
use super::shared_state::SharedState;
use super::thread::{Apc, ThreadObject};
use super::wait::{self, Waitable};
use crate::NtStatus;

/// A waitable timer.
#[derive(Debug)]
pub struct Timer {
    /// Whether it stays signalled until it is set again.
    is_manual: bool,
    state: Mutex<State>,
    this: Weak<Self>,
    /// The state once other processes have it, too; calls stay with the process that set the timer.
    shared: OnceLock<SharedState>,
    lease: LeaseCell,
}

#[derive(Debug, Default)]
struct State {
    is_signalled: bool,
    /// When it is due, on the monotonic clock in nanoseconds.
    due: Option<u64>,
    /// Nanoseconds between signals; 0 for one only.
    period: u64,
    /// The function and its argument to call in the thread that set the timer.
    call: Option<(u64, u64, Weak<ThreadObject>)>,
}

impl Timer {
    /// Makes a timer that is not set.
    pub fn new(is_manual: bool) -> Arc<Self> {
        Self::fresh(is_manual, OnceLock::new())
    }

    fn fresh(is_manual: bool, shared: OnceLock<SharedState>) -> Arc<Self> {
        Arc::new_cyclic(|this| {
            let (this, state, lease) = (this.clone(), Mutex::default(), LeaseCell::default());
            Self { is_manual, state, this, shared, lease }
        })
    }

    /// Takes the state that another process shares.
    pub fn of_shared(shared: SharedState) -> Arc<Self> {
        Self::fresh(shared.kind() != 0, OnceLock::from(shared))
    }

    /// Returns the state for other processes.
    ///
    /// # Errors
    /// As for [`SharedState::create`].
    pub fn share(&self) -> Result<&SharedState, NtStatus> {
        let mut queues = wait::lock();
        if self.shared.get().is_none() {
            let (is_signalled, due, period) = {
                let state = self.state();
                (state.is_signalled.into(), state.due.unwrap_or(0), state.period)
            };
            let _ = self.shared.set(SharedState::create(is_signalled, self.is_manual.into(), due, period)?);
            queues.reconsider(self);
        }
        self.shared.get().ok_or(NtStatus::NO_MEMORY)
    }

    /// Sets it to be due at `due` (monotonic clock, nanoseconds), then every `period` nanoseconds if that is not 0;
    /// `call` is a function and its argument for `thread` to call each time.
    pub fn set(&self, due: u64, period: u64, call: Option<(u64, u64)>, thread: &Arc<ThreadObject>) {
        let mut queues = wait::lock();
        let call = call.map(|(function, argument)| (function, argument, Arc::downgrade(thread)));
        if call.is_some() {
            thread.add_timer(self.this.clone());
        }
        *self.state() = State { is_signalled: false, due: Some(due), period, call };
        if let Some(shared) = self.shared.get() {
            shared.set_due(due, period);
        }
        queues.reconsider(self);
    }

    /// Stops it; says whether it was set. It stays signalled if it is.
    pub fn cancel(&self) -> bool {
        let _queues = wait::lock();
        let mut state = self.state();
        state.call = None;
        let was_set = state.due.take().is_some();
        self.shared.get().map_or(was_set, SharedState::stop)
    }

    /// Returns the nanoseconds until it is due (negative ones since it was, 0 when it is not set), and whether it is
    /// signalled.
    pub fn describe(&self) -> (i64, bool) {
        let _queues = wait::lock();
        self.advance_signal();
        // What was due just now is over: this is when it is due next.
        let due = self.advance_signal();
        let is_signalled = match self.shared.get() {
            Some(shared) => shared.state() != 0,
            None => self.state().is_signalled,
        };
        let remaining = due.map_or(0, |due| due.wrapping_sub(clock::monotonic_nanoseconds()) as i64);
        (remaining, is_signalled)
    }

    /// Brings the state up to the clock; returns when a sleeper must look again: at once when it was due just now.
    pub(super) fn advance(&self) -> Option<u64> {
        let mut state = self.state();
        let now = clock::monotonic_nanoseconds();
        let Some(due) = state.due.filter(|&due| due <= now) else { return state.due };
        state.is_signalled = true;
        state.due = (state.period > 0).then(|| due + ((now - due) / state.period + 1) * state.period);
        if let Some((function, argument, thread)) = &state.call
            && let Some(thread) = thread.upgrade()
        {
            let time = super::time::now() as u64;
            thread.push_apc(Apc {
                function: *function,
                arguments: [*argument, time & 0xffff_ffff, time >> 32, 0],
                count: 3,
            });
        }
        Some(due)
    }

    /// As [`Timer::advance`], for the signal that processes share where there is one.
    fn advance_signal(&self) -> Option<u64> {
        let own = self.advance();
        let Some(shared) = self.shared.get() else { return own };
        let was_signalled = shared.state() != 0;
        let next = shared.advance(clock::monotonic_nanoseconds());
        if !was_signalled && shared.state() != 0 { Some(0) } else { next }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Timer {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Timer
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
    fn lease(&self) -> Option<&LeaseCell> {
        Some(&self.lease)
    }
}

impl Waitable for Timer {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.advance_signal();
        match self.shared.get() {
            Some(shared) => shared.state() != 0,
            None => self.state().is_signalled,
        }
    }
    fn take(&self, _: &Arc<ThreadObject>) -> Option<bool> {
        if self.is_manual {
            return Some(false);
        }
        let was_signalled = match self.shared.get() {
            Some(shared) => shared.swap(0) != 0,
            None => std::mem::take(&mut self.state().is_signalled),
        };
        was_signalled.then_some(false)
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
    fn due(&self) -> Option<u64> {
        self.advance_signal()
    }
}
