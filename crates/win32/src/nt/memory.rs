//! The process's address space: the books and the arena under one lock.

use crate::NtStatus;

/// The books of the address space, with the arena that carries out their edits.
#[derive(Default)]
pub struct AddressSpace;

/// A guest thread's stack.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// The end: where the thread's stack pointer begins.
    pub base: u64,
    /// The lowest committed address.
    pub limit: u64,
    /// The lowest reserved address.
    pub allocation_base: u64,
}

impl AddressSpace {
    /// Makes a stack of `reserve` bytes of which `commit` are committed above the guard page (0: the defaults of
    /// the program's header).
    ///
    /// # Errors
    /// `NO_MEMORY` when no range is free.
    pub fn allocate_stack(&self, reserve: u64, commit: u64, owner: &str) -> Result<Stack, NtStatus> {
        let _ = (reserve, commit, owner);
        Err(NtStatus::NO_MEMORY)
    }

    /// Makes room for a TEB, zeroed.
    ///
    /// # Errors
    /// `NO_MEMORY` when no range is free.
    pub fn allocate_teb(&self) -> Result<u64, NtStatus> {
        Err(NtStatus::NO_MEMORY)
    }

    /// Releases a whole allocation by its base; unknown bases are ignored.
    pub fn release(&self, base: u64) {
        let _ = base;
    }

    /// Handles a touch of a guard page at `address`, which disarms it: says whether it was one, and whether the
    /// page belongs to a thread's stack that thereby grew, or could grow no more.
    pub fn guard_hit(&self, address: u64) -> GuardHit {
        let _ = address;
        GuardHit::NotAGuard
    }
}

/// What a touch of a page without access meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardHit {
    /// The page is no guard page: an access violation.
    NotAGuard,
    /// A guard page outside any stack: `STATUS_GUARD_PAGE_VIOLATION`, once.
    Guard,
    /// A stack grew; the access may be repeated. The TEB's stack limit was moved.
    StackGrown,
    /// A stack is at its end: `STATUS_STACK_OVERFLOW`.
    StackOverflow,
}
