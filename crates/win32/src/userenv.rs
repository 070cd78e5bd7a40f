//! userenv.dll: the table of contents.

pub mod profile;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "userenv.dll", description: "Userenv", tables: &[profile::EXPORTS], methods: &[] };
