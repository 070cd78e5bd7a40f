//! advapi32.dll: the table of contents. Each file beside the functions has its own table.

pub mod access;
pub mod account;
pub mod acl;
pub mod crypto;
pub mod descriptor;
pub mod object_security;
pub mod privilege;
pub mod registry;
pub mod registry_enum;
pub mod registry_more;
pub mod registry_value;
pub mod sid;
pub mod token;
pub mod trustee;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "advapi32.dll",
    description: "Advanced Windows 32 Base API",
    tables: &[
        access::EXPORTS,
        account::EXPORTS,
        acl::EXPORTS,
        crypto::EXPORTS,
        descriptor::EXPORTS,
        object_security::EXPORTS,
        privilege::EXPORTS,
        registry::EXPORTS,
        registry_enum::EXPORTS,
        registry_more::EXPORTS,
        registry_value::EXPORTS,
        sid::EXPORTS,
        token::EXPORTS,
        trustee::EXPORTS,
    ],
    methods: &[],
};
