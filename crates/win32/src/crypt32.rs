//! crypt32.dll: the table of contents.

pub mod certificate;
pub mod name;
pub mod protect;
pub mod revocation_list;
pub mod store;
pub mod string;

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
        revocation_list::EXPORTS,
    ],
    methods: &[],
};
