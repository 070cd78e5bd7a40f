//! Window classes.

use super::State;

/// `CS_GLOBALCLASS`: every module may use it.
pub const CS_GLOBALCLASS: u32 = 0x4000;

/// A class of windows. The fields are those of `WNDCLASSEX`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-wndclassexw>
#[derive(Clone, Debug, Default)]
pub struct Class {
    /// Its number.
    pub atom: u16,
    /// Its name.
    pub name: Vec<u16>,
    /// Whether its procedure takes UTF-16.
    pub is_wide: bool,
    /// `CS_*` flags.
    pub style: u32,
    /// The window procedure's address.
    pub procedure: u64,
    /// Bytes of each window for the program.
    pub window_bytes: usize,
    /// Bytes of the class for the program.
    pub extra: Vec<u8>,
    /// The module that registered it; 0 for those that the system has.
    pub instance: u64,
    /// Handles: icon, small icon, cursor, background brush.
    pub icon: u64,
    /// The small icon.
    pub small_icon: u64,
    /// The cursor.
    pub cursor: u64,
    /// The background brush, or a colour and 1.
    pub background: u64,
    /// The menu's name, an address or a number, as it was given.
    pub menu: u64,
}

/// How a class is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassName {
    /// By number.
    Atom(u16),
    /// By name.
    Name(Vec<u16>),
}

impl Class {
    /// Says whether it is the one asked for, by a module: its own classes, and those of all.
    pub fn is(&self, name: &ClassName, instance: u64) -> bool {
        let is_named = match name {
            ClassName::Atom(atom) => *atom == self.atom,
            ClassName::Name(name) => {
                let lower = |text: &[u16]| String::from_utf16_lossy(text).to_lowercase();
                lower(name) == lower(&self.name)
            }
        };
        let for_all = self.instance == 0 || self.style & CS_GLOBALCLASS != 0 || instance == 0;
        is_named && (for_all || self.instance == instance)
    }
}

impl State {
    /// Returns where a class stands: a module's own before those of all.
    pub fn class_index(&self, name: &ClassName, instance: u64) -> Option<usize> {
        let own =
            self.classes.iter().position(|class| class.instance == instance && class.is(name, instance));
        own.or_else(|| self.classes.iter().position(|class| class.is(name, instance)))
    }
}
