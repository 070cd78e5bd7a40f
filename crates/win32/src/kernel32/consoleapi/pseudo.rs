//! consoleapi.h: pseudo-consoles. A `HPCON` is a handle here.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::place_of;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::fileapi::file;
use crate::nt::console::pseudo::PseudoConsole;
use crate::nt::file::access;
use crate::nt::handle::HandleFlags;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreatePseudoConsole, "text comes as the programs write it; PSEUDOCONSOLE_INHERIT_CURSOR is not asked for";
    full ResizePseudoConsole;
    partial ClosePseudoConsole, "does not wait for the programs' end";
};

const S_OK: u32 = 0;
const E_INVALIDARG: u32 = 0x8007_0057;

/// Turns an outcome into an HRESULT.
fn result(outcome: Result<(), Win32Error>) -> i32 {
    const FACILITY_WIN32: u32 = 0x8007_0000;
    let value = match outcome {
        Ok(()) => S_OK,
        Err(error) => FACILITY_WIN32 | error.0 & 0xffff,
    };
    value as i32
}

/// Returns the pseudo-console behind a handle.
///
/// # Errors
/// `INVALID_HANDLE` when it is none.
pub(in crate::kernel32) fn pseudo_console(
    guest: &Guest,
    handle: GuestWord,
) -> Result<Arc<PseudoConsole>, NtStatus> {
    guest.process().handles.get(handle.0)
}

/// Makes a console for other processes: what is written to `hInput`'s pipe is typed, `hOutput`'s gets what they show.
///
/// Source: <https://learn.microsoft.com/windows/console/createpseudoconsole>
#[winapi]
pub fn CreatePseudoConsole(
    guest: &mut Guest,
    size: u32,
    hInput: GuestWord,
    hOutput: GuestWord,
    dwFlags: u32,
    phPC: GuestWord,
) -> i32 {
    let _ = dwFlags;
    let (columns, rows) = place_of(size);
    if columns == 0 || rows == 0 || phPC.is_null() {
        return E_INVALIDARG as i32;
    }
    let make = |guest: &mut Guest| -> Result<(), Win32Error> {
        let keys = file(guest, hInput, access::READ_DATA)?;
        let screen = file(guest, hOutput, access::WRITE_DATA)?;
        let console = PseudoConsole::create((columns, rows), &keys, &screen)?;
        let handle = guest.process().handles.insert(Arc::new(console), 0, HandleFlags::empty());
        guest.write_word(phPC.0, handle)?;
        Ok(())
    };
    result(make(guest))
}

/// Changes the size of a pseudo-console.
///
/// Source: <https://learn.microsoft.com/windows/console/resizepseudoconsole>
#[winapi]
pub fn ResizePseudoConsole(guest: &mut Guest, hPC: GuestWord, size: u32) -> i32 {
    let (columns, rows) = place_of(size);
    let resize = pseudo_console(guest, hPC).and_then(|console| console.resize(columns, rows));
    result(resize.map_err(Win32Error::from))
}

/// Ends a pseudo-console: its processes are told.
///
/// Source: <https://learn.microsoft.com/windows/console/closepseudoconsole>
#[winapi]
pub fn ClosePseudoConsole(guest: &mut Guest, hPC: GuestWord) {
    if pseudo_console(guest, hPC).is_ok() {
        // A handle that is there can be closed.
        drop(guest.process().handles.close(hPC.0));
    }
}
