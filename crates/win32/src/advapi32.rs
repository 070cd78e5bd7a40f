//! advapi32.dll: the table of contents. Each file beside the functions has its own table.

pub mod crypto;
pub mod evntprov;
pub mod registry;
pub mod registry_enum;
pub mod registry_value;
pub mod security;
pub mod token;
pub mod user;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "advapi32.dll",
    description: "Advanced Windows 32 Base API",
    tables: &[
        crypto::EXPORTS,
        evntprov::EXPORTS,
        registry::EXPORTS,
        registry_enum::EXPORTS,
        registry_value::EXPORTS,
        security::EXPORTS,
        token::EXPORTS,
        user::EXPORTS,
    ],
    methods: &[],
};
