//! The rules of Linux: mappings that merge and split, and the system calls that change them.
//!
//! Start with [`LinuxSpace`]. Each operation changes the books and yields an [`Outcome`]: the steps that the
//! kernel takes, each with its [`Reason`]; or a [`Failure`]: an errno, its reason, and what was done before.

mod advise;
mod brk;
mod error;
mod fault;
mod file;
mod fork;
mod lock;
mod map;
mod merge;
mod outcome;
mod place;
mod policy;
mod protect;
mod remap;
#[cfg(test)]
mod rule_tests;
mod space;
mod unmap;
mod vma;

pub use advise::Advice;
pub use error::LinuxError;
pub use fault::{Fault, FaultAccess, Signal};
pub use lock::LockAllFlags;
pub use map::{MapFlags, MapRequest, Source};
pub use outcome::{Action, Failure, Outcome, Reason, Refusal, Step};
pub use policy::{AnonMerging, Limits, MachineLayout, Overcommit, Policy};
pub use protect::ProtectGrows;
pub use remap::{RemapFlags, RemapRequest};
pub use space::{LinuxSpace, Totals};
pub use vma::{AnonVma, Backing, OpenFile, VmFlags, Vma};
