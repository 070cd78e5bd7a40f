//! Linux: reservations, the gate between host and guest, signals, threads, files. All unsafe code of plat is here.
//!
//! The gate ([`gate`]) carries calls between guest code and Rust; [`signals`] turns processor faults in guest code
//! into calls of the installed [`gate::System`]; [`memory`] reads and writes guest memory with fault recovery;
//! [`arena`] reserves the guest's address space and carries out the edits of the books.

pub mod accounts;
pub mod arena;
pub mod change_watch;
pub mod clock;
pub mod console;
pub mod directory;
pub mod environment;
pub mod file;
pub mod file_image;
pub mod file_lock;
pub mod file_path;
pub mod gate;
pub mod kernel_lab;
pub mod libm;
pub mod locked_file;
pub mod maps;
pub mod memory;
pub mod name_watch;
pub mod network;
pub mod pipe;
pub mod power;
pub mod process;
pub mod pseudo_terminal;
pub mod random;
pub mod section;
pub mod service;
pub mod shared_page;
pub mod shared_text;
pub mod shared_words;
pub mod signals;
pub mod socket;
pub mod spawn;
pub mod statistics;
pub mod sysinfo;
pub mod terminal;
pub mod thread;
pub mod thread_park;
pub mod user_secret;
