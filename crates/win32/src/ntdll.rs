//! ntdll.dll: the table of contents. Each file beside the functions has its own table.

pub mod access;
pub mod alerts;
mod attributes;
pub mod digests;
pub mod exceptions;
pub mod file_extras;
mod file_names;
pub mod files;
pub mod heap;
pub mod image;
pub mod keyed_events;
pub mod ldr;
pub mod memory;
pub mod named_pipes;
pub mod object_directories;
pub mod objects;
pub mod path_names;
pub mod pointers;
pub mod process;
pub mod registry;
pub mod rtl;
pub mod rtl_process;
pub mod rtl_registry;
pub mod rtl_string;
pub mod rtl_text_kind;
pub mod runtime;
pub mod sections;
pub mod security;
mod sockets;
pub mod synchronisation;
pub mod system;
pub mod thread_creation;
pub mod threadpool;
pub mod threads;
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
        access::EXPORTS,
        exceptions::EXPORTS,
        file_extras::EXPORTS,
        files::EXPORTS,
        image::EXPORTS,
        keyed_events::EXPORTS,
        heap::EXPORTS,
        ldr::EXPORTS,
        memory::EXPORTS,
        named_pipes::EXPORTS,
        object_directories::EXPORTS,
        objects::EXPORTS,
        path_names::EXPORTS,
        pointers::EXPORTS,
        process::EXPORTS,
        registry::EXPORTS,
        rtl::EXPORTS,
        rtl_registry::EXPORTS,
        unwind::EXPORTS,
        wait_address::EXPORTS,
        rtl_process::EXPORTS,
        rtl_string::EXPORTS,
        rtl_text_kind::EXPORTS,
        runtime::EXPORTS,
        thread_creation::EXPORTS,
        sections::EXPORTS,
        security::EXPORTS,
        synchronisation::EXPORTS,
        system::EXPORTS,
        threadpool::EXPORTS,
        threads::EXPORTS,
        token::EXPORTS,
    ],
    methods: &[],
};
