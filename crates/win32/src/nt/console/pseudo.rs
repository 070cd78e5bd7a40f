//! Pseudo-consoles: a console for other processes whose keys and screen are this one's pipes. Key type: [`PseudoConsole`].

use plat_host::pseudo_terminal::PseudoTerminal;

use super::super::file::FileObject;
use super::super::object::{Object, ObjectKind};
use super::super::path::status_of;
use crate::NtStatus;

/// A pseudo-console: a Linux pseudo-terminal.
#[derive(Debug)]
pub struct PseudoConsole {
    terminal: PseudoTerminal,
}

impl PseudoConsole {
    /// Makes one of this size.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn create(size: (u16, u16), keys: &FileObject, screen: &FileObject) -> Result<Self, NtStatus> {
        let keys = keys.file.duplicate().map_err(status_of)?;
        let screen = screen.file.duplicate().map_err(status_of)?;
        let terminal = PseudoTerminal::open(size.0, size.1, keys, screen).map_err(status_of)?;
        Ok(Self { terminal })
    }

    /// Changes its size.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<(), NtStatus> {
        self.terminal.resize(columns, rows).map_err(status_of)
    }

    /// Returns the file that is the terminal of its processes.
    pub fn path(&self) -> &std::path::Path {
        self.terminal.name()
    }
}

impl Object for PseudoConsole {
    fn kind(&self) -> ObjectKind {
        ObjectKind::PseudoConsole
    }
}

/// Its processes are told that their console is gone.
impl Drop for PseudoConsole {
    fn drop(&mut self) {
        self.terminal.hang_up();
    }
}
