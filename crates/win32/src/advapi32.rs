//! advapi32.dll: the table of contents. Each file beside the functions has its own table.

pub mod access;
pub mod account;
pub mod acl;
pub mod credentials;
pub mod crypt_blob;
pub mod crypt_cipher;
pub mod crypt_hash;
pub mod crypt_key;
pub mod crypt_provider;
pub mod crypto;
pub mod descriptor;
pub mod eventlog;
pub mod evntprov;
pub mod hardware_profile;
pub mod lsa;
pub mod object_security;
pub mod privilege;
pub mod process;
pub mod registry;
pub mod registry_enum;
pub mod registry_more;
pub mod registry_old;
pub mod registry_tree;
pub mod registry_value;
pub mod services;
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
        crypt_provider::EXPORTS,
        crypt_hash::EXPORTS,
        crypt_key::EXPORTS,
        crypt_cipher::EXPORTS,
        crypt_blob::EXPORTS,
        descriptor::EXPORTS,
        object_security::EXPORTS,
        privilege::EXPORTS,
        process::EXPORTS,
        eventlog::EXPORTS,
        hardware_profile::EXPORTS,
        evntprov::EXPORTS,
        lsa::EXPORTS,
        registry::EXPORTS,
        registry_enum::EXPORTS,
        registry_more::EXPORTS,
        registry_old::EXPORTS,
        credentials::EXPORTS,
        registry_tree::EXPORTS,
        crate::ntdll::digests::EXPORTS,
        registry_value::EXPORTS,
        crate::ntdll::rtl_text_kind::ADVAPI32_EXPORTS,
        services::EXPORTS,
        sid::EXPORTS,
        token::EXPORTS,
        trustee::EXPORTS,
    ],
    methods: &[],
};
