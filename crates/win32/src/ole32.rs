//! ole32.dll: the table of contents.

pub mod allocator;
pub mod classes;
pub mod com;
pub mod context;
pub mod guid;
pub mod propvariant;
pub mod stream;
pub mod task_memory;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "ole32.dll",
    description: "Microsoft OLE for Windows",
    tables: &[
        allocator::EXPORTS,
        classes::EXPORTS,
        propvariant::EXPORTS,
        com::EXPORTS,
        context::EXPORTS,
        guid::EXPORTS,
        stream::EXPORTS,
        task_memory::EXPORTS,
    ],
    methods: &[crate::com::unknown::ROWS, stream::ROWS, allocator::ROWS],
};
