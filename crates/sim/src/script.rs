//! What a user writes: plat's own commands, calls as in C, and what strace prints. See docs/sim.md.

mod c_call;
mod run;
mod strace;

pub use run::{NoFiles, Outside};
pub use strace::{Checkpoint, Replay, ReplayError, is_strace};
