//! msvcrt.dll: the table of contents. Each file beside the functions has its own table.

pub mod eh;
pub mod io;
pub mod locale;
pub mod math;
pub mod startup;
pub mod stdio;
pub mod stdlib;
pub mod string;
pub mod threads;
pub mod time;
pub mod wide;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "msvcrt.dll",
    description: "Windows NT CRT DLL",
    tables: &[
        eh::EXPORTS,
        io::EXPORTS,
        locale::EXPORTS,
        math::EXPORTS,
        startup::EXPORTS,
        stdio::EXPORTS,
        stdlib::EXPORTS,
        string::EXPORTS,
        threads::EXPORTS,
        time::EXPORTS,
        wide::EXPORTS,
    ],
};
