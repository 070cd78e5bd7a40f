//! msvcrt.dll: the table of contents. Each file beside the functions has its own table.
//!
//! Reading order: [`state`] (what the runtime keeps), [`startup`], [`exit`], `stream` and `fd` (files), the rest by header.
#![allow(
    clippy::missing_errors_doc,
    reason = "a Fault here is always the same: a bad pointer of the program's"
)]

pub mod blocks;
pub(crate) mod ci_leaves;
pub mod conio;
pub mod ctype;
pub mod data;
pub(crate) mod define;
pub mod eh;
pub mod eh_amd64;
pub mod eh_i386;
pub(crate) mod eh_packed;
pub(crate) mod eh_tables;
pub mod env;
pub mod errno;
pub mod exit;
pub(crate) mod fd;
pub mod files;
pub mod find;
pub mod float;
pub(crate) mod float_leaves;
pub mod fopen;
pub mod format;
pub mod format_variants;
pub mod globals;
pub(crate) mod handles;
pub mod io;
pub(crate) mod ioinfo;
pub mod jump_amd64;
pub(crate) mod leaves;
pub mod locale;
pub mod localised;
pub mod locks;
pub mod malloc;
pub mod math;
pub mod multibyte;
pub mod paths;
pub mod pipes;
pub mod safe;
pub mod scan;
pub mod signal;
pub mod sort;
pub mod spawn;
pub mod startup;
pub mod state;
pub mod stdio;
pub mod stdlib;
pub(crate) mod stream;
pub mod string;
pub mod system;
pub mod temporary;
pub mod threads;
pub mod throw;
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
        conio::EXPORTS,
        conio::PRINT_EXPORTS,
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
        format_variants::EXPORTS,
        io::EXPORTS,
        locale::EXPORTS,
        localised::EXPORTS,
        localised::old::EXPORTS,
        localised::scans::EXPORTS,
        locale::OLD_EXPORTS,
        multibyte::EXPORTS,
        multibyte::BOUNDED_EXPORTS,
        multibyte::KANA_EXPORTS,
        multibyte::STRING_EXPORTS,
        locks::EXPORTS,
        malloc::EXPORTS,
        blocks::EXPORTS,
        globals::EXPORTS,
        globals::OLD_EXPORTS,
        globals::MSVCRT_EXPORTS,
        globals::SHARED_EXPORTS,
        math::EXPORTS,
        paths::EXPORTS,
        pipes::EXPORTS,
        safe::EXPORTS,
        safe::OLD_EXPORTS,
        scan::EXPORTS,
        signal::EXPORTS,
        sort::EXPORTS,
        spawn::EXPORTS,
        startup::EXPORTS,
        stdio::EXPORTS,
        stdlib::EXPORTS,
        stdlib::OLD_EXPORTS,
        string::EXPORTS,
        system::EXPORTS,
        temporary::EXPORTS,
        threads::EXPORTS,
        throw::EXPORTS,
        crate::ucrtbase::complex::OLD_EXPORTS,
        time::EXPORTS,
        time::OLD_EXPORTS,
        wide::EXPORTS,
        wide::OLD_EXPORTS,
        wide_stdio::EXPORTS,
    ],
    methods: &[],
};
