//! shlwapi.dll: the table of contents.

pub mod file_stream;
pub mod paths;
pub mod registry;
pub mod texts;
pub mod url_parts;
pub mod urls;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "shlwapi.dll",
    description: "Shell Light-weight Utility Library",
    tables: &[
        file_stream::EXPORTS,
        paths::EXPORTS,
        registry::EXPORTS,
        texts::EXPORTS,
        url_parts::EXPORTS,
        urls::EXPORTS,
    ],
    methods: &[],
};
