//! consoleapi.h, consoleapi2.h, consoleapi3.h: consoles. Modes, text and titles here, the rest in the files beside.

pub mod attach;
pub mod cells;
pub mod events;
pub mod pseudo;
pub mod screens;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::{file, put};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::console::screen::Rectangle;
use crate::nt::console::lines::Control;
use crate::nt::console::{self, send_event};
use crate::nt::file::{FileObject, access};
use crate::nt::file_standard::{self, Standard};
use crate::nt::path::lock;
use crate::widths::{Width, both_widths};

const WRITES: u32 = access::WRITE_DATA | access::APPEND_DATA;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetConsoleMode;
    full SetConsoleMode;
    full WriteConsoleW;
    full WriteConsoleA;
    full ReadConsoleW;
    full ReadConsoleA;
    full SetConsoleCtrlHandler;
    full GetConsoleCP;
    full GetConsoleOutputCP;
    full SetConsoleCP;
    full SetConsoleOutputCP;
    full GetConsoleTitleA;
    full GetConsoleTitleW;
    full GetConsoleOriginalTitleA;
    full GetConsoleOriginalTitleW;
    full SetConsoleTitleA;
    full SetConsoleTitleW;
    full AreFileApisANSI;
    full SetFileApisToOEM;
    full SetFileApisToANSI;
    partial GenerateConsoleCtrlEvent, "to this process only";
};

/// Returns the file behind a handle of a console's input.
fn console_input(guest: &Guest, handle: GuestWord) -> Result<Arc<FileObject>, Win32Error> {
    let file = file(guest, handle, 0)?;
    console::check_input(&file)?;
    Ok(file)
}

/// Returns the file behind a handle of a console's output.
fn console_output(guest: &Guest, handle: GuestWord) -> Result<Arc<FileObject>, Win32Error> {
    let file = file(guest, handle, 0)?;
    console::check_output(&file)?;
    Ok(file)
}

/// Returns the unit of a character that is given in a form: narrow, it is a byte of a code page of the console's.
fn unit_of(guest: &Guest, width: Width, is_output: bool, value: u16) -> u16 {
    let byte = value as u8;
    match width {
        Width::Wide => value,
        Width::Narrow if byte.is_ascii() => byte.into(),
        Width::Narrow => {
            let page = guest.process().files.console.code_page(is_output);
            page.decode(&[byte], 0).ok().and_then(|wide| wide.first().copied()).unwrap_or(byte.into())
        }
    }
}

/// Returns what a form tells of a character's unit; one of several bytes comes as a question mark.
fn told_unit(guest: &Guest, width: Width, is_output: bool, unit: u16) -> u16 {
    if width == Width::Wide || unit < 0x80 {
        return unit;
    }
    let page = guest.process().files.console.code_page(is_output);
    match page.encode(&[unit], 0, None, false).map(|encoded| encoded.bytes).as_deref() {
        Ok([byte]) => u16::from(*byte),
        _ => u16::from(b'?'),
    }
}

/// Returns column and row of a `COORD`.
fn place_of(both: u32) -> (u16, u16) {
    (both as u16, (both >> 16) as u16)
}

/// Reads a `SMALL_RECT`.
fn rectangle(guest: &Guest, address: GuestWord) -> Result<Rectangle, Win32Error> {
    let sides = guest.read_wide(address.0, 4)?;
    let side = |at: usize| i32::from(sides[at] as i16);
    Ok(Rectangle { left: side(0), top: side(1), right: side(2), bottom: side(3) })
}

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

/// Stores a count where the caller wants it.
fn tell(guest: &Guest, place: GuestWord, value: u32) -> Result<Bool, Win32Error> {
    if !place.is_null() {
        guest.write_bytes(place.0, &value.to_le_bytes())?;
    }
    Ok(TRUE)
}

both_widths! { console
    /// Writes text to a console.
    "writeconsole"
    WriteConsoleA, WriteConsoleW(
        guest, width, hConsoleOutput: GuestWord, lpBuffer: GuestWord, nNumberOfCharsToWrite: u32,
        lpNumberOfCharsWritten: GuestWord, lpReserved: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = lpReserved;
        let file = file(guest, hConsoleOutput, WRITES)?;
        let (console, count) = (&guest.process().files.console, u64::from(nNumberOfCharsToWrite));
        match width {
            Width::Wide => console.write(&file, &guest.read_wide(lpBuffer.0, count)?)?,
            Width::Narrow => console.write_bytes(&file, &guest.read_vec(lpBuffer.0, count)?)?,
        }
        tell(guest, lpNumberOfCharsWritten, nNumberOfCharsToWrite)
    }

    /// Reads a line, or a part of it, or keys as they come.
    "readconsole"
    ReadConsoleA, ReadConsoleW(
        guest, width, hConsoleInput: GuestWord, lpBuffer: GuestWord, nNumberOfCharsToRead: u32,
        lpNumberOfCharsRead: GuestWord, pInputControl: GuestWord
    ) -> Result<Bool, Win32Error> {
        let file = file(guest, hConsoleInput, access::READ_DATA)?;
        let control = control(guest, width, lpBuffer, pInputControl)?;
        let (console, room) = (&guest.process().files.console, nNumberOfCharsToRead as usize);
        let (count, state, is_interrupted) = match width {
            Width::Wide => {
                let typed = console.read(&file, room, &control)?;
                guest.write_wide(lpBuffer.0, &typed.text)?;
                (typed.text.len(), typed.state, typed.is_interrupted)
            }
            Width::Narrow => {
                let typed = console.read_bytes(&file, room, &control)?;
                guest.write_bytes(lpBuffer.0, &typed.text)?;
                (typed.text.len(), typed.state, typed.is_interrupted)
            }
        };
        if !pInputControl.is_null() {
            guest.write_bytes(pInputControl.0 + 12, &state.to_le_bytes())?;
        }
        if is_interrupted {
            // The call succeeds, with no characters; this is how a program knows why.
            guest.set_last_error(Win32Error::OPERATION_ABORTED);
        }
        tell(guest, lpNumberOfCharsRead, count as u32)
    }

    /// Gives the console a title, and the terminal, too.
    "setconsoletitle"
    SetConsoleTitleA, SetConsoleTitleW(guest, width, lpConsoleTitle: GuestWord) -> Result<Bool, Win32Error> {
        let title = width.read(guest, lpConsoleTitle)?;
        let process = guest.process();
        let output = file_standard::handle(process, Standard::Output);
        if let Ok(file) = file_standard::file(process, output, 0) {
            process.files.console.show_title(&file, &title);
        }
        *lock(&process.files.console.title) = title;
        Ok(TRUE)
    }

    /// Stores the console's title: the program's path until one is set.
    "getconsoletitle"
    GetConsoleTitleA, GetConsoleTitleW(
        guest, width, lpConsoleTitle: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        let mut title = lock(&guest.process().files.console.title).clone();
        if title.is_empty() {
            title.clone_from(&guest.process().start.program);
        }
        give_title(guest, width, (lpConsoleTitle, nSize), title)
    }

    /// Stores the title with which the console began: the program's path.
    "getconsoleoriginaltitle"
    GetConsoleOriginalTitleA, GetConsoleOriginalTitleW(
        guest, width, lpConsoleTitle: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        let title = guest.process().start.program.clone();
        give_title(guest, width, (lpConsoleTitle, nSize), title)
    }
}

/// Stores as much of a title as there is room for; returns its length.
fn give_title(
    guest: &mut Guest,
    width: Width,
    (buffer, room): (GuestWord, u32),
    mut title: Vec<u16>,
) -> Result<u32, Win32Error> {
    match width {
        Width::Wide => {
            title.truncate((room as usize).saturating_sub(1));
            put(guest, width, buffer, room, &title)
        }
        Width::Narrow => {
            let mut bytes = guest.process().files.narrow(&title);
            bytes.truncate((room as usize).saturating_sub(1));
            let length = bytes.len() as u32;
            bytes.push(0);
            guest.write_bytes(buffer.0, &bytes[..bytes.len().min(room as usize)])?;
            Ok(length)
        }
    }
}

/// Reads a `CONSOLE_READCONSOLE_CONTROL`; only the wide form has one.
fn control(
    guest: &Guest,
    width: Width,
    buffer: GuestWord,
    address: GuestWord,
) -> Result<Control, Win32Error> {
    if address.is_null() || width == Width::Narrow {
        return Ok(Control::default());
    }
    let initial = guest.read_u32(address.0 + 4)?;
    Ok(Control {
        initial: guest.read_wide(buffer.0, u64::from(initial))?,
        wakeup: guest.read_u32(address.0 + 8)?,
    })
}

/// Adds or removes a handler of Ctrl-C; null ignores Ctrl-C, or no longer.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolectrlhandler>
#[winapi]
pub fn SetConsoleCtrlHandler(
    guest: &mut Guest,
    HandlerRoutine: GuestWord,
    Add: Bool,
) -> Result<Bool, Win32Error> {
    let console = &guest.process().files.console;
    if HandlerRoutine.is_null() {
        console.ignore_interrupt(Add.0)?;
    } else if Add.0 {
        console.add_handler(HandlerRoutine.0)?;
    } else if !console.remove_handler(HandlerRoutine.0) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(TRUE)
}

/// Sends Ctrl-C or Ctrl-Break to this process; other groups of processes are not known.
///
/// Source: <https://learn.microsoft.com/windows/console/generateconsolectrlevent>
#[winapi]
pub fn GenerateConsoleCtrlEvent(
    guest: &mut Guest,
    dwCtrlEvent: u32,
    dwProcessGroupId: u32,
) -> Result<Bool, Win32Error> {
    if dwCtrlEvent > 1 || (dwProcessGroupId != 0 && Some(u64::from(dwProcessGroupId)) != own_id(guest)) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    const SIGNALLED_INTERRUPT: i32 = 130;
    send_event(guest.process(), dwCtrlEvent, SIGNALLED_INTERRUPT);
    Ok(TRUE)
}

fn own_id(guest: &Guest) -> Option<u64> {
    guest.teb().get(crate::teb::Teb::PROCESS_ID).ok()
}

/// Returns the input code page.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolecp>
#[winapi]
pub fn GetConsoleCP(guest: &mut Guest) -> u32 {
    guest.process().files.console.input_page.load(Ordering::Relaxed)
}

/// Returns the output code page.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsoleoutputcp>
#[winapi]
pub fn GetConsoleOutputCP(guest: &mut Guest) -> u32 {
    guest.process().files.console.output_page.load(Ordering::Relaxed)
}

/// Sets the input code page.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolecp>
#[winapi]
pub fn SetConsoleCP(guest: &mut Guest, wCodePageID: u32) -> Result<Bool, Win32Error> {
    guest.process().files.console.set_code_page(false, wCodePageID)?;
    Ok(TRUE)
}

/// Sets the output code page.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsoleoutputcp>
#[winapi]
pub fn SetConsoleOutputCP(guest: &mut Guest, wCodePageID: u32) -> Result<Bool, Win32Error> {
    guest.process().files.console.set_code_page(true, wCodePageID)?;
    Ok(TRUE)
}

/// Says whether the `...A` functions of files take the ANSI code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-arefileapisansi>
#[winapi]
pub fn AreFileApisANSI(guest: &mut Guest) -> Bool {
    Bool(!guest.process().files.uses_oem.load(Ordering::Relaxed))
}

/// Lets the `...A` functions of files take the OEM code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfileapistooem>
#[winapi]
pub fn SetFileApisToOEM(guest: &mut Guest) {
    guest.process().files.uses_oem.store(true, Ordering::Relaxed);
}

/// Lets the `...A` functions of files take the ANSI code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfileapistoansi>
#[winapi]
pub fn SetFileApisToANSI(guest: &mut Guest) {
    guest.process().files.uses_oem.store(false, Ordering::Relaxed);
}
