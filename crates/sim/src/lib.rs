//! A simulated memory manager: frames, page tables, processes, faults; every step says why.
//!
//! Pure values: no I/O, no clock, no randomness but from a seed. Start with [`Machine`], then [`structures`].
#![forbid(unsafe_code)]

mod apply;
pub mod cache;
mod calls;
mod cygwin;
mod event;
mod exec;
mod fault;
mod fork;
pub mod frames;
pub mod kernel;
pub mod lesson;
mod machine;
pub mod paging;
pub mod place;
pub mod process;
pub mod quiz;
pub mod random;
pub mod script;
pub mod snapshot;
pub mod structures;
pub mod tlb;
mod windows;
mod windows_text;

pub use calls::{Answer, Call};
pub use event::{Event, Kind, Pid};
pub use exec::{Bases, Exec};
pub use fault::Touch;
pub use kernel::Kernel;
pub use machine::{Config, Machine, MachineError, Totals};
pub use windows::WindowsCall;
