//! user32.dll: the table of contents. Each file beside the functions has its own table. Windows are objects that get messages; nothing is shown.

pub(crate) mod calls;
pub mod classes;
pub mod clipboard;
pub mod desktop;
pub mod displays;
pub mod keyboard;
pub mod menus;
pub mod messages;
pub mod placement;
pub mod queue;
pub mod rectangles;
pub mod strings;
pub mod window_data;
pub mod windows;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "user32.dll",
    description: "Multi-User Windows USER API Client DLL",
    tables: &[
        messages::EXPORTS,
        strings::EXPORTS,
        queue::EXPORTS,
        classes::EXPORTS,
        windows::EXPORTS,
        window_data::EXPORTS,
        desktop::EXPORTS,
        clipboard::EXPORTS,
        rectangles::EXPORTS,
        keyboard::EXPORTS,
        displays::EXPORTS,
        menus::EXPORTS,
        placement::EXPORTS,
    ],
    methods: &[],
};
