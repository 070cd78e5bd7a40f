//! The terminal: size, line mode and echo, and signals that a user sends by key.

use std::os::fd::AsFd;

use rustix::termios::{LocalModes, OptionalActions};

use crate::file::File;
use crate::file_path::Errno;

/// Returns columns and rows.
///
/// # Errors
/// The kernel's errno: ENOTTY when it is no terminal.
pub fn window_size(file: &File) -> Result<(u16, u16), Errno> {
    let size = rustix::termios::tcgetwinsize(file.as_fd())?;
    Ok((size.ws_col, size.ws_row))
}

/// How a terminal treats what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputMode {
    /// A line at a time, editable.
    pub line: bool,
    /// Shown while it is typed.
    pub echo: bool,
    /// Ctrl-C and its like are signals.
    pub signals: bool,
}

/// Returns how the terminal treats what is typed.
///
/// # Errors
/// The kernel's errno.
pub fn input_mode(file: &File) -> Result<InputMode, Errno> {
    let modes = rustix::termios::tcgetattr(file.as_fd())?.local_modes;
    Ok(InputMode {
        line: modes.contains(LocalModes::ICANON),
        echo: modes.contains(LocalModes::ECHO),
        signals: modes.contains(LocalModes::ISIG),
    })
}

/// Changes how the terminal treats what is typed.
///
/// # Errors
/// The kernel's errno.
pub fn set_input_mode(file: &File, mode: InputMode) -> Result<(), Errno> {
    let mut state = rustix::termios::tcgetattr(file.as_fd())?;
    state.local_modes.set(LocalModes::ICANON, mode.line);
    state.local_modes.set(LocalModes::ECHO, mode.echo);
    state.local_modes.set(LocalModes::ISIG, mode.signals);
    Ok(rustix::termios::tcsetattr(file.as_fd(), OptionalActions::Now, &state)?)
}
