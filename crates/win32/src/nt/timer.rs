//! Waitable timers. No thread watches them: whoever waits for one wakes up when it is due.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use plat_host::clock;

use super::object::{Object, ObjectKind};
use super::thread::{Apc, ThreadObject};
use super::wait::{self, Waitable};

/// A waitable timer.
#[derive(Debug)]
pub struct Timer {
    /// Whether it stays signalled until it is set again.
    is_manual: bool,
    state: Mutex<State>,
    this: Weak<Self>,
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
        Arc::new_cyclic(|this| Self { is_manual, state: Mutex::default(), this: this.clone() })
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
        queues.reconsider(self);
    }

    /// Stops it; says whether it was set. It stays signalled if it is.
    pub fn cancel(&self) -> bool {
        let _queues = wait::lock();
        let mut state = self.state();
        state.call = None;
        state.due.take().is_some()
    }

    /// Brings the state up to the clock; returns when it is due next.
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
        state.due
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
}

impl Waitable for Timer {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.advance();
        self.state().is_signalled
    }
    fn take(&self, _: &Arc<ThreadObject>) -> bool {
        if !self.is_manual {
            self.state().is_signalled = false;
        }
        false
    }
    fn due(&self) -> Option<u64> {
        self.advance()
    }
}
