//! user32.dll: the table of contents. Each file beside the functions has its own table.

pub mod messages;
pub mod strings;
pub mod windows;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "user32.dll",
    description: "Multi-User Windows USER API Client DLL",
    tables: &[messages::EXPORTS, strings::EXPORTS, windows::EXPORTS],
    methods: &[],
};
