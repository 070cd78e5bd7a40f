//! ntdll.dll: the table of contents. Each file beside the functions has its own table.

pub mod alerts;
pub mod exceptions;
pub mod files;
pub mod ldr;
pub mod memory;
pub mod named_pipes;
pub mod objects;
pub mod pointers;
pub mod process;
pub mod rtl;
pub mod rtl_string;
pub mod security;
mod sockets;
pub mod system;
pub mod threadpool;
pub mod token;
pub mod unwind;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "ntdll.dll",
    description: "NT Layer DLL",
    tables: &[
        alerts::EXPORTS,
        exceptions::EXPORTS,
        files::EXPORTS,
        ldr::EXPORTS,
        memory::EXPORTS,
        named_pipes::EXPORTS,
        objects::EXPORTS,
        pointers::EXPORTS,
        process::EXPORTS,
        rtl::EXPORTS,
        unwind::EXPORTS,
        rtl_string::EXPORTS,
        security::EXPORTS,
        system::EXPORTS,
        token::EXPORTS,
        threadpool::EXPORTS,
    ],
    methods: &[],
};
