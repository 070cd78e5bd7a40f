//! Image, layout, host and win32 become a running guest: the PE loader.
//!
//! Reading order: [`start`] (from a program's path to its first instruction), `place` (where an image goes, and
//! why), `builtin` (system DLLs as generated images), `search` (which file a DLL name means), `graph` (modules and
//! what they need), `initialise` (TLS, `DllMain`, in Windows' order), `ldr` (what the guest sees of all that),
//! `crash` (the report), `rows` (the address space as a table).
#![forbid(unsafe_code)]
// The compiler makes the images of the builtin DLLs.
#![allow(long_running_const_eval, reason = "it takes a second, once")]

mod api_sets;
mod apis;
mod builtin;
pub mod child;
mod crash;
mod environment;
mod error;
mod graph;
mod image_section;
mod info;
mod initialise;
mod ldr;
mod lock;
mod modules;
mod place;
mod references;
pub mod registry;
mod rows;
mod search;
pub mod start;

pub use apis::{ApiRow, ApiStatus, apis};
pub use error::LoadError;
pub use info::{Below, Dependency, ImportNode, ImportedFunction, Info, Supply, inspect};
pub use plat_win32::process::Trace;
pub use rows::RegionRow;
pub use search::{Choice, SearchOptions};
pub use start::{Outcome, RunOptions, Sinks, run};
