//! NT: objects and handles, files, waits, memory; what `ntdll` exports and `kernel32` translates to.

pub mod format;
pub mod handle;
pub mod heap;
pub mod memory;
pub mod nls;
pub mod object;
pub mod path;
pub mod resource;
pub mod wait;
