//! What a program tells about the worth of a thread or a process: kept and told again, and nobody acts by it.
//!
//! Key type: [`Hints`].

use std::sync::atomic::{AtomicU32, AtomicU64};

/// The hints for one thread, or for the process.
#[derive(Debug)]
pub struct Hints {
    /// How long its pages are kept in memory: 1 (very low) to 5 (normal).
    pub memory_priority: AtomicU32,
    /// What of its power throttling the program controls (low half), and how (high half).
    pub throttling: AtomicU64,
    /// The processors that it prefers, one bit each; none means all.
    pub cpu_sets: AtomicU64,
}

impl Default for Hints {
    fn default() -> Self {
        const MEMORY_PRIORITY_NORMAL: u32 = 5;
        Self {
            memory_priority: AtomicU32::new(MEMORY_PRIORITY_NORMAL),
            throttling: AtomicU64::new(0),
            cpu_sets: AtomicU64::new(0),
        }
    }
}
