//! consoleapi2.h, consoleapi3.h: screen buffers, the window, the cursor, fonts.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::{console_output, place_of, rectangle};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::kernel32::fileapi::open::inherit_flags;
use crate::logic::console::screen::Screen;
use crate::logic::path::Device;
use crate::nt::file::{FileObject, access};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CreateConsoleScreenBuffer;
    full SetConsoleActiveScreenBuffer;
    full GetConsoleScreenBufferInfo;
    partial GetConsoleScreenBufferInfoEx, "the colours are Windows' own, not the terminal's";
    partial SetConsoleScreenBufferInfoEx, "colours of the palette stay the terminal's";
    partial SetConsoleScreenBufferSize, "a screen buffer has the size of the terminal's window";
    partial SetConsoleWindowInfo, "the window stays the whole of the terminal's";
    full SetConsoleTextAttribute;
    full SetConsoleCursorPosition;
    partial GetConsoleCursorInfo, "the size is what was set";
    partial SetConsoleCursorInfo, "the size is kept, not shown";
    full GetLargestConsoleWindowSize;
    partial GetConsoleFontSize, "the terminal's font is not known: 8 by 16";
    partial GetCurrentConsoleFont, "the terminal's font is not known: 8 by 16";
    partial GetCurrentConsoleFontEx, "the terminal's font is not known: Consolas, 8 by 16";
    partial SetCurrentConsoleFontEx, "fails: the font is the terminal's";
    partial SetConsoleDisplayMode, "fails, as on Windows of 64 bits";
    full GetConsoleDisplayMode;
};

/// `CONSOLE_TEXTMODE_BUFFER`, the only kind.
const TEXT_BUFFER: u32 = 1;
/// Bytes of a `CONSOLE_SCREEN_BUFFER_INFOEX`.
const INFO_EX_BYTES: u32 = 96;
/// Width and height in pixels of what no terminal tells.
const FONT: (u16, u16) = (8, 16);
/// The palette as COLORREF, 0x00bbggrr.
///
/// Source: <https://devblogs.microsoft.com/commandline/updating-the-windows-console-colors/>
const PALETTE: [u32; 16] = [
    0x0c_0c0c, 0xda_3700, 0x0e_a113, 0xdd_963a, 0x1f_0fc5, 0x98_1788, 0x00_9cc1, 0xcc_cccc, 0x76_7676,
    0xff_783b, 0x0c_c616, 0xd6_d661, 0x56_48e7, 0x9e_00b4, 0xa5_f1f9, 0xf2_f2f2,
];

fn both((first, second): (u16, u16)) -> u32 {
    u32::from(first) | u32::from(second) << 16
}

/// The 22 bytes with which both forms of information begin.
fn information(screen: &Screen, (columns, rows): (u16, u16)) -> Vec<u8> {
    let ((width, height), (column, row)) = (screen.size(), screen.cursor());
    // Buffer size, cursor, colours, window (left, top, right, bottom), largest window.
    let fields = [width, height, column, row, screen.attributes, 0, 0, width - 1, height - 1, columns, rows];
    fields.iter().flat_map(|field| field.to_le_bytes()).collect()
}

fn read_information(guest: &Guest, handle: GuestWord) -> Result<Vec<u8>, Win32Error> {
    let file = console_output(guest, handle)?;
    let console = &guest.process().files.console;
    let largest = console.window_size(&file)?;
    Ok(console.with_screen(&file, |screen| information(screen, largest))?)
}

/// Stores size, window, cursor and colours of a screen buffer.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolescreenbufferinfo>
#[winapi]
pub fn GetConsoleScreenBufferInfo(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpConsoleScreenBufferInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    let bytes = read_information(guest, hConsoleOutput)?;
    guest.write_bytes(lpConsoleScreenBufferInfo.0, &bytes)?;
    Ok(TRUE)
}

fn check_size(guest: &Guest, address: GuestWord, size: u32) -> Result<(), Win32Error> {
    if guest.read_u32(address.0)? == size { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Stores size, window, cursor and colours of a screen buffer, with the palette.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolescreenbufferinfoex>
#[winapi]
pub fn GetConsoleScreenBufferInfoEx(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpConsoleScreenBufferInfoEx: GuestWord,
) -> Result<Bool, Win32Error> {
    const POPUP: u16 = 0xf5;
    check_size(guest, lpConsoleScreenBufferInfoEx, INFO_EX_BYTES)?;
    let mut bytes = read_information(guest, hConsoleOutput)?;
    bytes.extend(POPUP.to_le_bytes());
    // No full screen.
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(PALETTE.iter().flat_map(|colour| colour.to_le_bytes()));
    guest.write_bytes(lpConsoleScreenBufferInfoEx.0 + 4, &bytes)?;
    Ok(TRUE)
}

/// Sets cursor and colours of a screen buffer; its size must be what it is.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolescreenbufferinfoex>
#[winapi]
pub fn SetConsoleScreenBufferInfoEx(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpConsoleScreenBufferInfoEx: GuestWord,
) -> Result<Bool, Win32Error> {
    check_size(guest, lpConsoleScreenBufferInfoEx, INFO_EX_BYTES)?;
    let file = console_output(guest, hConsoleOutput)?;
    let fields = guest.read_wide(lpConsoleScreenBufferInfoEx.0 + 4, 5)?;
    let console = &guest.process().files.console;
    if (fields[0], fields[1]) != console.window_size(&file)? {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    console.set_attributes(&file, fields[4])?;
    console.set_cursor(&file, fields[2], fields[3])?;
    Ok(TRUE)
}

/// Makes a screen buffer beside the first.
///
/// Source: <https://learn.microsoft.com/windows/console/createconsolescreenbuffer>
#[winapi]
pub fn CreateConsoleScreenBuffer(
    guest: &mut Guest,
    dwDesiredAccess: u32,
    dwShareMode: u32,
    lpSecurityAttributes: GuestWord,
    dwFlags: u32,
    lpScreenBufferData: GuestWord,
) -> Result<HandleOrInvalid, Win32Error> {
    // All screen buffers are of this process.
    let _ = dwShareMode;
    if dwFlags != TEXT_BUFFER || !lpScreenBufferData.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let process = guest.process();
    let wanted = access::map_generic(dwDesiredAccess);
    let file: FileObject = process.files.open_device(Device::ConsoleOutput, wanted)?;
    process.files.console.add_screen(&file)?;
    let flags = inherit_flags(guest, lpSecurityAttributes)?;
    Ok(HandleOrInvalid(process.handles.insert(Arc::new(file), wanted, flags)))
}

/// Shows a screen buffer in place of the one that is shown.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsoleactivescreenbuffer>
#[winapi]
pub fn SetConsoleActiveScreenBuffer(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    guest.process().files.console.activate(&file)?;
    Ok(TRUE)
}

/// Sets the size of a screen buffer: the one that it has, that of the terminal's window.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolescreenbuffersize>
#[winapi]
pub fn SetConsoleScreenBufferSize(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    dwSize: u32,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    let size = guest.process().files.console.window_size(&file)?;
    if place_of(dwSize) == size { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Sets the window's place in the screen buffer: all of it.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolewindowinfo>
#[winapi]
pub fn SetConsoleWindowInfo(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    bAbsolute: Bool,
    lpConsoleWindow: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    let wanted = rectangle(guest, lpConsoleWindow)?;
    let (columns, rows) = guest.process().files.console.window_size(&file)?;
    let all = Screen::new(columns, rows).bounds();
    let sides = [wanted.left, wanted.top, wanted.right, wanted.bottom];
    let is_all = if bAbsolute.0 { wanted == all } else { sides == [0; 4] };
    if is_all { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) }
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
    let file = console_output(guest, hConsoleOutput)?;
    guest.process().files.console.set_attributes(&file, wAttributes)?;
    Ok(TRUE)
}

/// Moves the cursor.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolecursorposition>
#[winapi]
pub fn SetConsoleCursorPosition(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    dwCursorPosition: u32,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    let (column, row) = place_of(dwCursorPosition);
    guest.process().files.console.set_cursor(&file, column, row)?;
    Ok(TRUE)
}

/// Stores the cursor's size in percent of a cell, and whether it is shown.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolecursorinfo>
#[winapi]
pub fn GetConsoleCursorInfo(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpConsoleCursorInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    let (size, is_shown) = guest.process().files.console.cursor_look(&file)?;
    guest.write_bytes(lpConsoleCursorInfo.0, &size.to_le_bytes())?;
    guest.write_bytes(lpConsoleCursorInfo.0 + 4, &u32::from(is_shown).to_le_bytes())?;
    Ok(TRUE)
}

/// Shows the cursor or hides it.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolecursorinfo>
#[winapi]
pub fn SetConsoleCursorInfo(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpConsoleCursorInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    let (size, is_shown) =
        (guest.read_u32(lpConsoleCursorInfo.0)?, guest.read_u32(lpConsoleCursorInfo.0 + 4)?);
    if !(1..=100).contains(&size) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.process().files.console.set_cursor_look(&file, size, is_shown != 0)?;
    Ok(TRUE)
}

/// Returns the largest size that the window can have: the one that the terminal gives it.
///
/// Source: <https://learn.microsoft.com/windows/console/getlargestconsolewindowsize>
#[winapi]
pub fn GetLargestConsoleWindowSize(guest: &mut Guest, hConsoleOutput: GuestWord) -> Result<u32, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    Ok(both(guest.process().files.console.window_size(&file)?))
}

/// Returns the size of the font.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolefontsize>
#[winapi]
pub fn GetConsoleFontSize(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    nFont: u32,
) -> Result<u32, Win32Error> {
    console_output(guest, hConsoleOutput)?;
    if nFont == 0 { Ok(both(FONT)) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Stores number and size of the font: a `CONSOLE_FONT_INFO`.
///
/// Source: <https://learn.microsoft.com/windows/console/getcurrentconsolefont>
#[winapi]
pub fn GetCurrentConsoleFont(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    bMaximumWindow: Bool,
    lpConsoleCurrentFont: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = bMaximumWindow;
    console_output(guest, hConsoleOutput)?;
    guest.write_bytes(lpConsoleCurrentFont.0, &u64::from(both(FONT)).rotate_left(32).to_le_bytes())?;
    Ok(TRUE)
}

/// Stores the font: a `CONSOLE_FONT_INFOEX`.
///
/// Source: <https://learn.microsoft.com/windows/console/getcurrentconsolefontex>
#[winapi]
pub fn GetCurrentConsoleFontEx(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    bMaximumWindow: Bool,
    lpConsoleCurrentFontEx: GuestWord,
) -> Result<Bool, Win32Error> {
    const BYTES: u32 = 84;
    const NAME_UNITS: usize = 32;
    /// `FF_MODERN | TMPF_VECTOR | TMPF_TRUETYPE`.
    const FAMILY: u32 = 0x36;
    const NORMAL_WEIGHT: u32 = 400;
    let _ = bMaximumWindow;
    console_output(guest, hConsoleOutput)?;
    check_size(guest, lpConsoleCurrentFontEx, BYTES)?;
    let mut bytes: Vec<u8> =
        [0, both(FONT), FAMILY, NORMAL_WEIGHT].iter().flat_map(|word| word.to_le_bytes()).collect();
    let name = "Consolas".encode_utf16().chain(std::iter::repeat(0)).take(NAME_UNITS);
    bytes.extend(name.flat_map(u16::to_le_bytes));
    guest.write_bytes(lpConsoleCurrentFontEx.0 + 4, &bytes)?;
    Ok(TRUE)
}

/// Fails: the font is the terminal's.
///
/// Source: <https://learn.microsoft.com/windows/console/setcurrentconsolefontex>
#[winapi]
pub fn SetCurrentConsoleFontEx(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    bMaximumWindow: Bool,
    lpConsoleCurrentFontEx: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (bMaximumWindow, lpConsoleCurrentFontEx);
    console_output(guest, hConsoleOutput)?;
    Err(Win32Error::NOT_SUPPORTED)
}

/// Stores whether the console has the whole screen: it has not.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsoledisplaymode>
#[winapi]
pub fn GetConsoleDisplayMode(guest: &mut Guest, lpModeFlags: GuestWord) -> Result<Bool, Win32Error> {
    guest.write_bytes(lpModeFlags.0, &0_u32.to_le_bytes())?;
    Ok(TRUE)
}

/// Fails, as it does on every Windows of 64 bits.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsoledisplaymode>
#[winapi]
pub fn SetConsoleDisplayMode(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    dwFlags: u32,
    lpNewScreenBufferDimensions: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (dwFlags, lpNewScreenBufferDimensions);
    console_output(guest, hConsoleOutput)?;
    Err(Win32Error::CALL_NOT_IMPLEMENTED)
}
