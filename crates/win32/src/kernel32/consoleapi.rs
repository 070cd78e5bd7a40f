//! consoleapi.h, consoleapi2.h, consoleapi3.h: consoles.

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::file;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetConsoleMode;
    full SetConsoleMode;
};

/// Stores the mode of a console.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolemode>
#[winapi]
pub fn GetConsoleMode(
    guest: &mut Guest,
    hConsoleHandle: GuestWord,
    lpMode: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hConsoleHandle, 0)?;
    let mode = guest.process().files.console.mode(&file)?;
    guest.write_bytes(lpMode.0, &mode.to_le_bytes())?;
    Ok(TRUE)
}

/// Sets the mode of a console.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolemode>
#[winapi]
pub fn SetConsoleMode(guest: &mut Guest, hConsoleHandle: GuestWord, dwMode: u32) -> Result<Bool, Win32Error> {
    let file = file(guest, hConsoleHandle, 0)?;
    guest.process().files.console.set_mode(&file, dwMode)?;
    Ok(TRUE)
}
