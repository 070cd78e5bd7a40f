//! Exceptions: what the processor's faults mean, their records and contexts in guest memory, and who handles them.

pub mod classify;
pub mod context;
pub mod dispatch;
pub mod guarded;
pub mod tables;
pub mod unwind;
mod unwind_epilogue;
pub(crate) mod unwind_run;
#[cfg(test)]
mod unwind_tests;
pub(crate) mod unwind_walk;

use std::sync::{Mutex, OnceLock, PoisonError};

/// The process's exception handlers.
#[derive(Debug, Default)]
pub struct Exceptions {
    state: Mutex<State>,
    /// Where `RaiseException` lies, once it was called.
    pub(crate) raise_exception: OnceLock<u64>,
}

/// What [`Exceptions`] guards.
#[derive(Debug, Default)]
struct State {
    lists: [Vec<Vectored>; 2],
    next: u64,
    filter: u64,
    error_mode: u32,
    tables: Vec<tables::DynamicTable>,
}

/// One vectored handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vectored {
    token: u64,
    function: u64,
}

/// Which list of vectored handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Called before any frame's handler.
    Exception,
    /// Called when an exception ends with "continue execution".
    Continue,
}

impl Exceptions {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a vectored handler at the list's front or end; returns the token that removes it.
    pub fn add(&self, list: List, first: bool, function: u64) -> u64 {
        let mut state = self.state();
        state.next += 1;
        // Tokens look like aligned pointers, as programs take them for.
        let token = state.next * 16;
        let handlers = &mut state.lists[list as usize];
        let at = if first { 0 } else { handlers.len() };
        handlers.insert(at, Vectored { token, function });
        token
    }

    /// Removes a vectored handler; says whether it was there.
    pub fn remove(&self, list: List, token: u64) -> bool {
        let mut state = self.state();
        let handlers = &mut state.lists[list as usize];
        let before = handlers.len();
        handlers.retain(|handler| handler.token != token);
        handlers.len() != before
    }

    /// Returns the functions of a list in the order of calling.
    pub fn functions(&self, list: List) -> Vec<u64> {
        self.state().lists[list as usize].iter().map(|handler| handler.function).collect()
    }

    /// Returns the filter for unhandled exceptions, or 0.
    pub fn filter(&self) -> u64 {
        self.state().filter
    }

    /// Sets the filter for unhandled exceptions; returns the one before.
    pub fn set_filter(&self, filter: u64) -> u64 {
        std::mem::replace(&mut self.state().filter, filter)
    }

    /// Returns the error mode.
    pub fn error_mode(&self) -> u32 {
        self.state().error_mode
    }

    /// Sets the error mode; returns the one before.
    pub fn set_error_mode(&self, mode: u32) -> u32 {
        std::mem::replace(&mut self.state().error_mode, mode)
    }
}

#[cfg(test)]
mod tests {
    use super::{Exceptions, List};

    #[test]
    fn handlers_are_called_in_list_order_until_removed() {
        let exceptions = Exceptions::default();
        let last = exceptions.add(List::Exception, false, 1);
        exceptions.add(List::Exception, true, 2);
        exceptions.add(List::Continue, true, 3);
        assert_eq!(exceptions.functions(List::Exception), [2, 1]);
        assert!(!exceptions.remove(List::Continue, last));
        assert!(exceptions.remove(List::Exception, last));
        assert!(!exceptions.remove(List::Exception, last));
        assert_eq!(exceptions.functions(List::Exception), [2]);
        assert_eq!(exceptions.functions(List::Continue), [3]);
    }
}
