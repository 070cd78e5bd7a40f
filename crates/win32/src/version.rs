//! version.dll: the table of contents.

pub mod file_info;
pub mod install;
pub mod query;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "version.dll",
    description: "Version Checking and File Installation Libraries",
    tables: &[file_info::EXPORTS, query::EXPORTS, install::EXPORTS],
    methods: &[],
};
