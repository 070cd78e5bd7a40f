//! NT: objects and handles, files, waits, memory; what `ntdll` exports and `kernel32` translates to.

pub mod console;
pub mod critical_section;
pub mod environment;
pub mod event;
pub mod exception;
pub mod file;
pub mod file_find;
pub mod file_info;
pub mod file_lock;
pub mod file_names;
pub mod file_open;
pub mod file_share;
pub mod file_standard;
#[cfg(test)]
mod file_tests;
pub mod format;
pub mod handle;
pub mod heap;
pub mod memory;
pub mod mutant;
pub mod names;
pub mod nls;
pub mod object;
pub mod path;
pub mod resource;
pub mod section;
pub mod semaphore;
pub mod slim_lock;
pub mod sysinfo;
pub mod thread;
pub mod thread_start;
pub mod time;
pub mod timer;
pub mod tls;
pub mod wait;
pub mod wait_address;
