//! Windows as objects: who they belong to, what they are called, who gets their messages.

use std::collections::HashMap;
use std::sync::Arc;

use super::class::Class;

/// The handle of the desktop's window.
pub const DESKTOP_WINDOW: u64 = 0x1_0010;
/// The handle of the window above all message-only windows.
pub const MESSAGE_WINDOW: u64 = 0x1_0012;

/// `WS_CHILD`.
pub const WS_CHILD: u32 = 0x4000_0000;
/// `WS_VISIBLE`.
pub const WS_VISIBLE: u32 = 0x1000_0000;
/// `WS_DISABLED`.
pub const WS_DISABLED: u32 = 0x0800_0000;
/// `WS_POPUP`.
pub const WS_POPUP: u32 = 0x8000_0000;
/// `WS_CAPTION`.
pub const WS_CAPTION: u32 = 0x00c0_0000;
/// `WS_CLIPSIBLINGS`.
pub const WS_CLIPSIBLINGS: u32 = 0x0400_0000;
/// `WS_EX_WINDOWEDGE`.
pub const WS_EX_WINDOWEDGE: u32 = 0x100;

/// A property's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// A number.
    Atom(u16),
    /// A name, in lower case.
    Name(String),
}

/// A window.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Its handle.
    pub handle: u64,
    /// Its class.
    pub class: Arc<Class>,
    /// The thread that made it and gets its messages.
    pub thread: u32,
    /// The window that it lies in, the desktop's for top-level windows.
    pub parent: u64,
    /// The window that owns a top-level window, or 0.
    pub owner: u64,
    /// `WS_*`.
    pub style: u32,
    /// `WS_EX_*`.
    pub extended_style: u32,
    /// Its menu, or a child's number.
    pub id: u64,
    /// The module it belongs to.
    pub instance: u64,
    /// A word for the program.
    pub user_data: u64,
    /// The window procedure's address.
    pub procedure: u64,
    /// Whether the procedure takes UTF-16.
    pub is_wide: bool,
    /// Bytes for the program.
    pub extra: Vec<u8>,
    /// Its title.
    pub text: Vec<u16>,
    /// Left, top, right, bottom on a screen that nobody sees.
    pub rectangle: [i32; 4],
    /// What programs tied to it.
    pub properties: HashMap<Property, u64>,
    /// Its copy of the menu of its title, or 0.
    pub system_menu: u64,
    /// Whether it is being destroyed.
    pub is_going: bool,
}

impl Window {
    /// Says whether it gets messages only.
    pub fn is_message_only(&self) -> bool {
        self.parent == MESSAGE_WINDOW
    }
}
