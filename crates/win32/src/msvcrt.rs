//! msvcrt.dll: the table of contents. Each file beside the functions has its own table.
//!
//! Reading order: [`state`] (what the runtime keeps), [`startup`], [`exit`], `stream` and `fd` (files), the rest by header.
#![allow(
    clippy::missing_errors_doc,
    reason = "a Fault here is always the same: a bad pointer of the program's"
)]

pub mod bessel;
pub mod blocks;
pub(crate) mod ci_leaves;
pub mod conio;
pub mod ctype;
pub(crate) mod ctype_leaves;
pub mod cxx_classes;
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
pub mod fenv;
pub mod files;
pub mod find;
pub mod float;
pub(crate) mod float_leaves;
mod float_words;
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
pub(crate) mod search_leaves;
pub mod signal;
pub mod sort;
pub mod spawn;
pub mod startup;
pub mod state;
pub mod stdio;
pub mod stdlib;
pub(crate) mod stream;
pub(crate) mod stream_leaves;
pub mod string;
pub mod system;
pub mod temporary;
pub mod threads;
pub mod throw;
pub mod time;
pub mod twins;
pub mod wide;
pub mod wide_stdio;

use crate::export::Dll;

pub use exit::at_process_exit;
pub use startup::attach;
pub use state::{Crt, detach_thread};

/// The tables that all C runtimes have, with more.
macro_rules! tables {
    ($($more:path),* $(,)?) => {
        &[
            $crate::ucrtbase::complex::OLD_EXPORTS,
            $crate::msvcrt::ctype::EXPORTS,
            $crate::msvcrt::eh::EXPORTS,
            $crate::msvcrt::eh_amd64::EXPORTS,
            $crate::msvcrt::eh_i386::EXPORTS,
            $crate::msvcrt::eh_i386::cxx::EXPORTS,
            $crate::msvcrt::eh_i386::jump::EXPORTS,
            $crate::msvcrt::jump_amd64::EXPORTS,
            $crate::msvcrt::env::EXPORTS,
            $crate::msvcrt::errno::EXPORTS,
            $crate::msvcrt::exit::EXPORTS,
            $crate::msvcrt::files::EXPORTS,
            $crate::msvcrt::find::EXPORTS,
            $crate::msvcrt::float::EXPORTS,
            $crate::msvcrt::fopen::EXPORTS,
            $crate::msvcrt::io::EXPORTS,
            $crate::msvcrt::locale::EXPORTS,
            $crate::msvcrt::localised::EXPORTS,
            $crate::msvcrt::multibyte::EXPORTS,
            $crate::msvcrt::multibyte::BOUNDED_EXPORTS,
            $crate::msvcrt::multibyte::KANA_EXPORTS,
            $crate::msvcrt::multibyte::STRING_EXPORTS,
            $crate::msvcrt::locks::EXPORTS,
            $crate::msvcrt::malloc::EXPORTS,
            $crate::msvcrt::blocks::EXPORTS,
            $crate::msvcrt::globals::EXPORTS,
            $crate::msvcrt::bessel::EXPORTS,
            $crate::msvcrt::math::EXPORTS,
            $crate::msvcrt::paths::EXPORTS,
            $crate::msvcrt::pipes::EXPORTS,
            $crate::msvcrt::safe::EXPORTS,
            $crate::msvcrt::signal::EXPORTS,
            $crate::msvcrt::sort::EXPORTS,
            $crate::msvcrt::spawn::EXPORTS,
            $crate::msvcrt::startup::EXPORTS,
            $crate::msvcrt::stdio::EXPORTS,
            $crate::msvcrt::stdlib::EXPORTS,
            $crate::msvcrt::string::EXPORTS,
            $crate::msvcrt::system::EXPORTS,
            $crate::msvcrt::temporary::EXPORTS,
            $crate::msvcrt::threads::EXPORTS,
            $crate::msvcrt::time::EXPORTS,
            $crate::msvcrt::twins::EXPORTS,
            $crate::msvcrt::wide::EXPORTS,
            $crate::msvcrt::wide_stdio::EXPORTS,
            $($more,)*
        ]
    };
}
pub(crate) use tables;

/// The tables of the runtimes before the Universal CRT, with more.
macro_rules! old_tables {
    ($($more:path),* $(,)?) => {
        $crate::msvcrt::tables![
            $crate::msvcrt::cxx_classes::EXPORTS,
            $crate::msvcrt::format::EXPORTS,
            $crate::msvcrt::format_variants::EXPORTS,
            $crate::msvcrt::globals::OLD_EXPORTS,
            $crate::msvcrt::locale::OLD_EXPORTS,
            $crate::msvcrt::localised::old::EXPORTS,
            $crate::msvcrt::localised::scans::EXPORTS,
            $crate::msvcrt::safe::OLD_EXPORTS,
            $crate::msvcrt::scan::EXPORTS,
            $crate::msvcrt::stdlib::OLD_EXPORTS,
            $crate::msvcrt::time::OLD_EXPORTS,
            $crate::msvcrt::wide::OLD_EXPORTS,
            $($more,)*
        ]
    };
}
pub(crate) use old_tables;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "msvcrt.dll",
    description: "Windows NT CRT DLL",
    tables: old_tables![
        conio::EXPORTS,
        conio::PRINT_EXPORTS,
        cxx_classes::MSVCRT_EXPORTS,
        data::EXPORTS,
        globals::MSVCRT_EXPORTS,
        throw::EXPORTS,
    ],
    methods: &[],
};
