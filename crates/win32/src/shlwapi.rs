//! shlwapi.dll: the table of contents.

pub mod file_stream;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "shlwapi.dll",
    description: "Shell Light-weight Utility Library",
    tables: &[file_stream::EXPORTS],
    methods: &[],
};
