//! NT: objects and handles, files, waits, memory; what `ntdll` exports and `kernel32` translates to.

pub mod critical_section;
pub mod event;
pub mod handle;
pub mod heap;
pub mod memory;
pub mod mutant;
pub mod names;
pub mod object;
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
