//! shlwapi.dll: the table of contents.

pub mod file_stream;
pub mod paths;
pub mod texts;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "shlwapi.dll",
    description: "Shell Light-weight Utility Library",
    tables: &[file_stream::EXPORTS, paths::EXPORTS, texts::EXPORTS],
    methods: &[],
};
