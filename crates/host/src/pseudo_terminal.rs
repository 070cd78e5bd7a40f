//! Pseudo-terminals: a terminal whose screen and keyboard are two files. Key type: [`PseudoTerminal`].

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{InputModes, LocalModes, OptionalActions, Winsize};

use crate::file::{File, Open};
use crate::file_path::Errno;

/// A terminal that this process is the other side of.
#[derive(Debug)]
pub struct PseudoTerminal {
    master: File,
    /// Kept open so that the terminal lives before its first program, and after its last.
    _slave: File,
    name: PathBuf,
}

impl PseudoTerminal {
    /// Makes a terminal of this size; what comes from `keys` is typed on it, what is written on it goes to `screen`. Both go
    /// on, on threads of their own, until the other side of each is closed or the terminal is hung up.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn open(columns: u16, rows: u16, keys: File, screen: File) -> Result<Self, Errno> {
        let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?.into_string().map_err(|_| Errno(libc::EINVAL))?;
        let name = PathBuf::from(name);
        let master = File::from(master);
        let how = Open { read: true, write: true, ..Open::default() };
        // This process must not get it as its own terminal: `File::open` never does.
        let slave = File::open(&name, how)?;
        let mut modes = rustix::termios::tcgetattr(&slave)?;
        // Keys that come before a program reads them are keys already, as on a console of Windows'.
        modes.input_modes.remove(InputModes::ICRNL | InputModes::IXON);
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN);
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &modes)?;
        pump("console keys", keys, master.duplicate()?)?;
        pump("console screen", master.duplicate()?, screen)?;
        let terminal = Self { master, _slave: slave, name };
        terminal.resize(columns, rows)?;
        Ok(terminal)
    }

    /// Returns the file that is the terminal for its programs.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Changes the size; programs on it are told.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<(), Errno> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(&self.master, size)?)
    }

    /// Tells the programs on it that it is gone.
    pub fn hang_up(&self) {
        if let Ok(session) = rustix::termios::tcgetsid(&self.master) {
            // Programs that have ended need not be told.
            let _ = rustix::process::kill_process_group(session, rustix::process::Signal::HUP);
        }
        if let Ok(group) = rustix::termios::tcgetpgrp(&self.master) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::HUP);
        }
    }
}

/// Moves bytes from one file to another until one of them ends.
fn pump(name: &str, from: File, to: File) -> Result<(), Errno> {
    let run = move || {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece, None) {
            if to.write(&piece[..read], None).is_err() {
                break;
            }
        }
    };
    let thread = std::thread::Builder::new().name(name.into()).stack_size(64 << 10).spawn(run);
    thread.map(drop).map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_in_and_text_comes_out() {
        let (keys, typed) = File::pipe().unwrap();
        let (shown, screen) = File::pipe().unwrap();
        let terminal = PseudoTerminal::open(80, 25, keys, screen).unwrap();
        let how = Open { read: true, write: true, ..Open::default() };
        let slave = File::open(terminal.name(), how).unwrap();
        let mut piece = [0; 16];
        typed.write(b"ab\r", None).unwrap();
        let mut seen = Vec::new();
        while seen.len() < 3 {
            let read = slave.read(&mut piece, None).unwrap();
            seen.extend_from_slice(&piece[..read]);
        }
        assert_eq!(seen, b"ab\r");
        slave.write(b"c", None).unwrap();
        assert_eq!((shown.read(&mut piece, None), piece[0]), (Ok(1), b'c'));
        assert_eq!(crate::console::window_size(&slave), Ok((80, 25)));
        terminal.resize(100, 30).unwrap();
        assert_eq!(crate::console::window_size(&slave), Ok((100, 30)));
    }
}
