//! advapi32.dll: the table of contents. Each file beside the functions has its own table.

pub mod registry;
pub mod security;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "advapi32.dll",
    description: "Advanced Windows 32 Base API",
    tables: &[registry::EXPORTS, security::EXPORTS],
};
