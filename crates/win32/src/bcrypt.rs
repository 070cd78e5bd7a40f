//! bcrypt.dll and bcryptprimitives.dll: the tables of contents.

pub mod algorithm;
pub mod cipher;
pub mod derive;
pub mod hash;
pub mod key;
pub mod pair;
pub mod property;
pub mod random;

use crate::export::Dll;

/// bcrypt.dll.
pub const DLL: Dll = Dll {
    name: "bcrypt.dll",
    description: "Windows Cryptographic Primitives Library",
    tables: &[
        random::EXPORTS,
        algorithm::EXPORTS,
        property::EXPORTS,
        hash::EXPORTS,
        key::EXPORTS,
        cipher::EXPORTS,
        derive::EXPORTS,
        pair::EXPORTS,
    ],
    methods: &[],
};

/// bcryptprimitives.dll.
pub const PRIMITIVES: Dll = Dll {
    name: "bcryptprimitives.dll",
    description: "Windows Cryptographic Primitives Library",
    tables: &[random::PRIMITIVES],
    methods: &[],
};
