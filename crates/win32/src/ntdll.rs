//! ntdll.dll: the table of contents. Each file beside the functions has its own table.

pub mod alerts;
pub mod digests;
pub mod exceptions;
pub mod files;
pub mod heap;
pub mod image;
pub mod keyed_events;
pub mod ldr;
pub mod memory;
pub mod named_pipes;
pub mod objects;
pub mod pointers;
pub mod process;
pub mod registry;
pub mod rtl;
pub mod rtl_registry;
pub mod rtl_string;
pub mod security;
mod sockets;
pub mod system;
pub mod threadpool;
pub mod token;
pub mod unwind;
pub mod wait_address;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "ntdll.dll",
    description: "NT Layer DLL",
    tables: &[
        digests::EXPORTS,
        alerts::EXPORTS,
        exceptions::EXPORTS,
        files::EXPORTS,
        image::EXPORTS,
        keyed_events::EXPORTS,
        heap::EXPORTS,
        ldr::EXPORTS,
        memory::EXPORTS,
        named_pipes::EXPORTS,
        objects::EXPORTS,
        pointers::EXPORTS,
        process::EXPORTS,
        registry::EXPORTS,
        rtl::EXPORTS,
        rtl_registry::EXPORTS,
        unwind::EXPORTS,
        wait_address::EXPORTS,
        rtl_string::EXPORTS,
        security::EXPORTS,
        system::EXPORTS,
        token::EXPORTS,
        threadpool::EXPORTS,
    ],
    methods: &[],
};
