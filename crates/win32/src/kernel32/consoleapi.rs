//! consoleapi.h, consoleapi2.h, consoleapi3.h: consoles.

use std::sync::atomic::Ordering;

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::{ansi, file, put_wide};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::console::send_event;
use crate::nt::file::{FileKind, FileObject, access};
use crate::nt::path::lock;

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
    full GetConsoleTitleW;
    full SetConsoleTextAttribute;
    full SetConsoleCursorPosition;
    full FlushConsoleInputBuffer;
    full GetConsoleWindow;
    full AreFileApisANSI;
    full SetFileApisToOEM;
    full SetFileApisToANSI;
    partial GetConsoleScreenBufferInfo, "the cursor is always told to be at the window's beginning";
    partial GenerateConsoleCtrlEvent, "to this process only";
    partial SetConsoleTitleW, "kept, not shown";
    partial SetConsoleTitleA, "kept, not shown";
    partial GetNumberOfConsoleInputEvents, "counts bytes, not key strokes";
    stub PeekConsoleInputA;
    stub PeekConsoleInputW;
    stub ReadConsoleInputA;
    stub ReadConsoleInputW;
    stub WriteConsoleInputW;
    stub WriteConsoleOutputW;
    stub FillConsoleOutputCharacterA;
    stub FillConsoleOutputCharacterW;
    stub FillConsoleOutputAttribute;
    stub AllocConsole;
    stub AttachConsole;
    stub FreeConsole;
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

fn tell(guest: &Guest, place: GuestWord, value: u32) -> Result<Bool, Win32Error> {
    if !place.is_null() {
        guest.write_bytes(place.0, &value.to_le_bytes())?;
    }
    Ok(TRUE)
}

/// Writes UTF-16 to a console.
///
/// Source: <https://learn.microsoft.com/windows/console/writeconsole>
#[winapi]
pub fn WriteConsoleW(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpBuffer: GuestWord,
    nNumberOfCharsToWrite: u32,
    lpNumberOfCharsWritten: GuestWord,
    lpReserved: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpReserved;
    let file = file(guest, hConsoleOutput, WRITES)?;
    let text = guest.read_wide(lpBuffer.0, u64::from(nNumberOfCharsToWrite))?;
    guest.process().files.console.write(&file, &text)?;
    tell(guest, lpNumberOfCharsWritten, nNumberOfCharsToWrite)
}

/// Writes text in the output code page to a console.
///
/// Source: <https://learn.microsoft.com/windows/console/writeconsole>
#[winapi]
pub fn WriteConsoleA(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpBuffer: GuestWord,
    nNumberOfCharsToWrite: u32,
    lpNumberOfCharsWritten: GuestWord,
    lpReserved: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpReserved;
    let file = file(guest, hConsoleOutput, WRITES)?;
    let text = guest.read_vec(lpBuffer.0, u64::from(nNumberOfCharsToWrite))?;
    guest.process().files.console.write_bytes(&file, &text)?;
    tell(guest, lpNumberOfCharsWritten, nNumberOfCharsToWrite)
}

/// Reads a line, or a part of it, as UTF-16.
///
/// Source: <https://learn.microsoft.com/windows/console/readconsole>
#[winapi]
pub fn ReadConsoleW(
    guest: &mut Guest,
    hConsoleInput: GuestWord,
    lpBuffer: GuestWord,
    nNumberOfCharsToRead: u32,
    lpNumberOfCharsRead: GuestWord,
    pInputControl: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = pInputControl;
    let file = file(guest, hConsoleInput, access::READ_DATA)?;
    let text = guest.process().files.console.read(&file, nNumberOfCharsToRead as usize)?;
    guest.write_wide(lpBuffer.0, &text)?;
    tell(guest, lpNumberOfCharsRead, text.len() as u32)
}

/// Reads a line, or a part of it, in the input code page.
///
/// Source: <https://learn.microsoft.com/windows/console/readconsole>
#[winapi]
pub fn ReadConsoleA(
    guest: &mut Guest,
    hConsoleInput: GuestWord,
    lpBuffer: GuestWord,
    nNumberOfCharsToRead: u32,
    lpNumberOfCharsRead: GuestWord,
    pInputControl: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = pInputControl;
    let file = file(guest, hConsoleInput, access::READ_DATA)?;
    let text = guest.process().files.console.read_bytes(&file, nNumberOfCharsToRead as usize)?;
    guest.write_bytes(lpBuffer.0, &text)?;
    tell(guest, lpNumberOfCharsRead, text.len() as u32)
}

/// Stores size, window and colours of a console: `CONSOLE_SCREEN_BUFFER_INFO`, 22 bytes.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolescreenbufferinfo>
#[winapi]
pub fn GetConsoleScreenBufferInfo(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpConsoleScreenBufferInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hConsoleOutput, 0)?;
    let console = &guest.process().files.console;
    let (columns, rows) = console.window_size(&file)?;
    let attributes = console.attributes.load(Ordering::Relaxed) as u16;
    // Buffer size, cursor, colours, window (left, top, right, bottom), largest window.
    let fields = [columns, rows, 0, 0, attributes, 0, 0, columns - 1, rows - 1, columns, rows];
    let bytes: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
    guest.write_bytes(lpConsoleScreenBufferInfo.0, &bytes)?;
    Ok(TRUE)
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

/// Keeps a title for the console; the terminal's own stays.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsoletitle>
#[winapi]
pub fn SetConsoleTitleW(guest: &mut Guest, lpConsoleTitle: GuestWord) -> Result<Bool, Win32Error> {
    let title = guest.read_wide_string(lpConsoleTitle.0)?;
    *lock(&guest.process().files.console.title) = title;
    Ok(TRUE)
}

/// Keeps a title for the console; the terminal's own stays.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsoletitle>
#[winapi]
pub fn SetConsoleTitleA(guest: &mut Guest, lpConsoleTitle: GuestWord) -> Result<Bool, Win32Error> {
    let title = ansi(guest, lpConsoleTitle.0)?;
    *lock(&guest.process().files.console.title) = title;
    Ok(TRUE)
}

/// Stores the console's title: the program's path until one is set.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsoletitle>
#[winapi]
pub fn GetConsoleTitleW(guest: &mut Guest, lpConsoleTitle: GuestWord, nSize: u32) -> Result<u32, Win32Error> {
    let mut title = lock(&guest.process().files.console.title).clone();
    if title.is_empty() {
        title.clone_from(&guest.process().start.program);
    }
    title.truncate((nSize as usize).saturating_sub(1));
    put_wide(guest, lpConsoleTitle.0, nSize, &title)
}

/// Sets the colours of the text that follows.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsoletextattribute>
#[winapi]
pub fn SetConsoleTextAttribute(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    wAttributes: u16,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hConsoleOutput, 0)?;
    let console = &guest.process().files.console;
    let sequence: Vec<u16> = colour_sequence(wAttributes).encode_utf16().collect();
    console.write(&file, &sequence)?;
    console.attributes.store(u32::from(wAttributes), Ordering::Relaxed);
    Ok(TRUE)
}

/// Returns the terminal's sequence for `FOREGROUND_…` and `BACKGROUND_…`; grey on black is the terminal's own.
fn colour_sequence(attributes: u16) -> String {
    // Windows counts blue, green, red from the lowest bit; terminals the other way round.
    let colour = |bits: u16| (bits & 1) << 2 | bits & 2 | (bits & 4) >> 2;
    let base = |bits: u16, normal: u16| if bits & 8 != 0 { normal + 60 } else { normal } + colour(bits);
    match (attributes & 0xf, attributes >> 4 & 0xf) {
        (7, 0) => "\x1b[0m".to_owned(),
        (text, 0) => format!("\x1b[0;{}m", base(text, 30)),
        (text, back) => format!("\x1b[0;{};{}m", base(text, 30), base(back, 40)),
    }
}

/// Moves the cursor within the window.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolecursorposition>
#[winapi]
pub fn SetConsoleCursorPosition(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    dwCursorPosition: u32,
) -> Result<Bool, Win32Error> {
    let file = file(guest, hConsoleOutput, 0)?;
    let (column, row) = (dwCursorPosition & 0xffff, dwCursorPosition >> 16);
    let sequence: Vec<u16> = format!("\x1b[{};{}H", row + 1, column + 1).encode_utf16().collect();
    guest.process().files.console.write(&file, &sequence)?;
    Ok(TRUE)
}

/// Stores how many key strokes wait; each byte counts as one.
///
/// Source: <https://learn.microsoft.com/windows/console/getnumberofconsoleinputevents>
#[winapi]
pub fn GetNumberOfConsoleInputEvents(
    guest: &mut Guest,
    hConsoleInput: GuestWord,
    lpNumberOfEvents: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_input(guest, hConsoleInput)?;
    let waiting = guest.process().files.console.pending_input(&file);
    tell(guest, lpNumberOfEvents, u32::try_from(waiting).unwrap_or(u32::MAX))
}

fn console_input(guest: &Guest, handle: GuestWord) -> Result<std::sync::Arc<FileObject>, Win32Error> {
    let file = file(guest, handle, 0)?;
    if file.kind == FileKind::ConsoleInput { Ok(file) } else { Err(Win32Error::INVALID_HANDLE) }
}

/// Throws away what was typed and not yet read.
///
/// Source: <https://learn.microsoft.com/windows/console/flushconsoleinputbuffer>
#[winapi]
pub fn FlushConsoleInputBuffer(guest: &mut Guest, hConsoleInput: GuestWord) -> Result<Bool, Win32Error> {
    let file = console_input(guest, hConsoleInput)?;
    guest.process().files.console.flush_input(&file)?;
    Ok(TRUE)
}

/// Returns the console's window: there is none.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolewindow>
#[winapi]
pub fn GetConsoleWindow(_guest: &mut Guest) -> GuestWord {
    GuestWord::NULL
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_terminal_sequences() {
        let cases = [(7, "\x1b[0m"), (4, "\x1b[0;31m"), (9, "\x1b[0;94m"), (0x4e, "\x1b[0;93;41m")];
        for (attributes, expected) in cases {
            assert_eq!(colour_sequence(attributes), expected, "{attributes:#x}");
        }
    }
}
