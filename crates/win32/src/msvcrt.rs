//! msvcrt.dll: the table of contents. Each file beside the functions has its own table.
//!
//! Reading order: [`state`] (what the runtime keeps), [`startup`], [`exit`], `stream` and `fd` (files), the rest by header.
#![allow(
    clippy::missing_errors_doc,
    reason = "a Fault here is always the same: a bad pointer of the program's"
)]

mod ci_leaves;
pub mod ctype;
pub mod data;
pub mod eh;
pub mod eh_amd64;
pub mod eh_i386;
mod eh_tables;
pub mod env;
pub mod errno;
pub mod exit;
mod fd;
pub mod files;
pub mod find;
pub mod float;
mod float_leaves;
pub mod fopen;
pub mod format;
mod handles;
pub mod io;
pub mod jump_amd64;
mod leaves;
pub mod locale;
pub mod locks;
pub mod malloc;
pub mod math;
pub mod scan;
pub mod signal;
pub mod startup;
pub mod state;
pub mod stdio;
pub mod stdlib;
mod stream;
pub mod string;
pub mod system;
pub mod threads;
pub mod time;
pub mod wide;
pub mod wide_stdio;

use crate::export::Dll;

pub use exit::at_process_exit;
pub use startup::attach;
pub use state::{Crt, detach_thread};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "msvcrt.dll",
    description: "Windows NT CRT DLL",
    tables: &[
        ctype::EXPORTS,
        data::EXPORTS,
        eh::EXPORTS,
        eh_amd64::EXPORTS,
        jump_amd64::EXPORTS,
        eh_i386::EXPORTS,
        eh_i386::cxx::EXPORTS,
        eh_i386::jump::EXPORTS,
        env::EXPORTS,
        errno::EXPORTS,
        exit::EXPORTS,
        files::EXPORTS,
        find::EXPORTS,
        float::EXPORTS,
        fopen::EXPORTS,
        format::EXPORTS,
        io::EXPORTS,
        locale::EXPORTS,
        locks::EXPORTS,
        malloc::EXPORTS,
        math::EXPORTS,
        scan::EXPORTS,
        signal::EXPORTS,
        startup::EXPORTS,
        stdio::EXPORTS,
        stdlib::EXPORTS,
        string::EXPORTS,
        system::EXPORTS,
        threads::EXPORTS,
        time::EXPORTS,
        wide::EXPORTS,
        wide_stdio::EXPORTS,
    ],
};
