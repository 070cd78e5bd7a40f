//! A limit of the memory that files take while they are worked on: [`Budget`].

use std::sync::{Condvar, Mutex, PoisonError};

/// Files are read whole, several at a time; together no more than this many bytes, unless one alone is larger.
const BYTES_MAX: u64 = 512 << 20;

/// What is left of the memory.
#[derive(Default)]
pub(super) struct Budget {
    taken: Mutex<u64>,
    given_back: Condvar,
}

/// Memory that is given back when this is dropped.
pub(super) struct Share<'b> {
    budget: &'b Budget,
    bytes: u64,
}

impl Budget {
    /// Waits until `bytes` bytes may be taken; a file larger than everything goes alone.
    pub(super) fn take(&self, bytes: u64) -> Share<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && taken.saturating_add(bytes) > BYTES_MAX {
            taken = self.given_back.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = taken.saturating_add(bytes);
        Share { budget: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut taken = self.budget.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.bytes);
        self.budget.given_back.notify_all();
    }
}
