//! A simulated memory manager: frames, page tables, processes, faults; every step says why.
#![forbid(unsafe_code)]

pub mod frames;
pub mod paging;
pub mod random;
pub mod structures;
pub mod tlb;
