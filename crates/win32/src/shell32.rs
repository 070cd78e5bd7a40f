//! shell32.dll: the table of contents.

pub mod command_line;
pub mod dropped;
pub mod execute;
pub mod file_info;
pub mod file_operation;
pub mod folders;
pub mod id_list;
pub mod id_lists;
pub mod items;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "shell32.dll",
    description: "Windows Shell Common Dll",
    tables: &[
        command_line::EXPORTS,
        folders::EXPORTS,
        execute::EXPORTS,
        file_info::EXPORTS,
        id_list::EXPORTS,
        file_operation::EXPORTS,
        id_lists::EXPORTS,
        items::EXPORTS,
        dropped::EXPORTS,
    ],
    methods: &[items::ROWS],
};
