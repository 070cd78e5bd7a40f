//! NT: objects and handles, files, waits, memory; what `ntdll` exports and `kernel32` translates to.

pub mod console;
pub mod environment;
pub mod exception;
pub mod file;
pub mod file_find;
pub mod file_info;
pub mod file_lock;
pub mod file_names;
pub mod file_open;
pub mod file_share;
pub mod file_standard;
pub mod handle;
pub mod heap;
pub mod memory;
pub mod object;
pub mod path;
pub mod section;
pub mod wait;
