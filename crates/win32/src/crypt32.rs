//! crypt32.dll: the table of contents.

pub mod certificate;
pub mod chain;
mod encode;
pub mod message;
pub mod name;
pub mod object;
pub mod object_identifiers;
pub mod pfx;
pub mod policy;
pub mod private_key;
pub mod protect;
pub mod query;
pub mod revocation_lists;
pub mod store;
pub mod string;
pub mod verify;

use crate::export::Dll;

pub(crate) use crate::advapi32::crypt_provider::give;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "crypt32.dll",
    description: "Crypto API32",
    tables: &[
        string::EXPORTS,
        protect::EXPORTS,
        store::EXPORTS,
        certificate::EXPORTS,
        name::EXPORTS,
        chain::EXPORTS,
        policy::EXPORTS,
        verify::EXPORTS,
        object::EXPORTS,
        revocation_lists::EXPORTS,
        message::EXPORTS,
        query::EXPORTS,
        object_identifiers::EXPORTS,
        pfx::EXPORTS,
        private_key::EXPORTS,
    ],
    methods: &[],
};
