//! bcrypt.dll and bcryptprimitives.dll: the tables of contents.

pub mod random;

use crate::export::Dll;

/// bcrypt.dll.
pub const DLL: Dll = Dll {
    name: "bcrypt.dll",
    description: "Windows Cryptographic Primitives Library",
    tables: &[random::EXPORTS],
    methods: &[],
};

/// bcryptprimitives.dll.
pub const PRIMITIVES: Dll = Dll {
    name: "bcryptprimitives.dll",
    description: "Windows Cryptographic Primitives Library",
    tables: &[random::PRIMITIVES],
    methods: &[],
};
