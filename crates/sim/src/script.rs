//! What a user writes: plat's own commands, calls as in C, and what strace prints. See docs/sim.md.

mod c_call;
mod command;
mod history;
#[cfg(test)]
mod pe_tests;
mod playback;
mod run;
mod strace;
#[cfg(test)]
mod tests;

pub use command::{Command, MapWish, ScriptError, WindowsWish, parse_line};
pub use history::{Difference, Done, Session};
pub use playback::Playback;
pub use run::{NoFiles, Outside, State};
pub use strace::{Checkpoint, Replay, ReplayError, is_strace};
