//! consoleapi.h, consoleapi3.h: having a console or not, who else has it, and what it remembers.

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::kernel32::synchapi;
use crate::logic::path::Device;
use crate::nt::console::lines::HISTORY_MAX;
use crate::nt::file::{FileKind, access};
use crate::nt::file_standard::{self, Standard};
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial AllocConsole, "the console is the terminal, where there is one";
    partial AttachConsole, "the console is the terminal that both processes have";
    full FreeConsole;
    partial GetConsoleProcessList, "this process and the one that started it";
    full GetConsoleWindow;
    full GetConsoleSelectionInfo;
    full GetConsoleHistoryInfo;
    partial SetConsoleHistoryInfo, "the numbers stay what they are";
    full GetNumberOfConsoleMouseButtons;
    partial GetConsoleAliasA, "there are none";
    partial GetConsoleAliasW, "there are none";
    partial GetConsoleAliasesLengthA, "there are none";
    partial GetConsoleAliasesLengthW, "there are none";
    partial GetConsoleAliasExesLengthA, "there are none";
    partial GetConsoleAliasExesLengthW, "there are none";
    partial Beep, "the terminal's own sound";
};

/// Says whether the process began with a console: one for the console's subsystem does.
fn is_born_with_console(guest: &Guest) -> bool {
    const CONSOLE_SUBSYSTEM: u32 = 3;
    const HEADERS_OFFSET: u64 = 0x3c;
    // The subsystem's distance from the headers is the same in both bitnesses.
    const SUBSYSTEM: u64 = 92;
    let Some(program) = guest.process().loader().module_named(&[]) else { return true };
    let headers = guest.read_u32(program.base + HEADERS_OFFSET).map(u64::from);
    let subsystem = headers.and_then(|headers| guest.read_u32(program.base + headers + SUBSYSTEM));
    subsystem.map_or(true, |subsystem| subsystem & 0xffff == CONSOLE_SUBSYSTEM)
}

fn is_attached(guest: &Guest) -> bool {
    guest.process().files.console.is_attached(is_born_with_console(guest))
}

/// Gives the process the terminal as its console.
fn attach(guest: &Guest, without: Win32Error) -> Result<Bool, Win32Error> {
    if is_attached(guest) {
        return Err(Win32Error::ACCESS_DENIED);
    }
    let console = &guest.process().files.console;
    console.attach(true);
    if guest.process().files.open_device(Device::ConsoleOutput, access::WRITE_DATA).is_err() {
        console.attach(false);
        return Err(without);
    }
    Ok(TRUE)
}

/// Gives the process a console: the terminal.
///
/// Source: <https://learn.microsoft.com/windows/console/allocconsole>
#[winapi]
pub fn AllocConsole(guest: &mut Guest) -> Result<Bool, Win32Error> {
    attach(guest, Win32Error::GEN_FAILURE)
}

/// Gives the process another one's console: that of its parent (-1), or of a process by number.
///
/// Source: <https://learn.microsoft.com/windows/console/attachconsole>
#[winapi]
pub fn AttachConsole(guest: &mut Guest, dwProcessId: u32) -> Result<Bool, Win32Error> {
    const PARENT: u32 = u32::MAX;
    if dwProcessId != PARENT && !is_attached(guest) {
        guest.process().children.open(dwProcessId)?;
    }
    attach(guest, Win32Error::INVALID_HANDLE)
}

/// Takes the process's console away.
///
/// Source: <https://learn.microsoft.com/windows/console/freeconsole>
#[winapi]
pub fn FreeConsole(guest: &mut Guest) -> Result<Bool, Win32Error> {
    if !is_attached(guest) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.process().files.console.attach(false);
    Ok(TRUE)
}

/// Stores the numbers of the processes that have the console; returns how many there are.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsoleprocesslist>
#[winapi]
pub fn GetConsoleProcessList(
    guest: &mut Guest,
    lpdwProcessList: GuestWord,
    dwProcessCount: u32,
) -> Result<u32, Win32Error> {
    if lpdwProcessList.is_null() || dwProcessCount == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let own = plat_host::sysinfo::process_id();
    let parent = plat_host::process::facts(own).map(|facts| facts.parent);
    let numbers: Vec<u32> = std::iter::once(own).chain(parent.filter(|&parent| parent != 0)).collect();
    if numbers.len() <= dwProcessCount as usize {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        guest.write_bytes(lpdwProcessList.0, &bytes)?;
    }
    Ok(numbers.len() as u32)
}

/// Returns the console's window: there is none.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolewindow>
#[winapi]
pub fn GetConsoleWindow(_guest: &mut Guest) -> GuestWord {
    GuestWord::NULL
}

/// Stores what is selected: nothing, since the terminal keeps that to itself.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsoleselectioninfo>
#[winapi]
pub fn GetConsoleSelectionInfo(
    guest: &mut Guest,
    lpConsoleSelectionInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    const BYTES: usize = 16;
    guest.write_bytes(lpConsoleSelectionInfo.0, &[0; BYTES])?;
    Ok(TRUE)
}

/// What `CONSOLE_HISTORY_INFO` says: its size, lines kept, histories kept, and that lines are kept twice.
const HISTORY_INFO: [u32; 4] = [16, HISTORY_MAX as u32, 4, 0];

fn history_info(guest: &Guest, address: GuestWord) -> Result<Vec<u8>, Win32Error> {
    if guest.read_u32(address.0)? != HISTORY_INFO[0] {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(HISTORY_INFO.iter().flat_map(|word| word.to_le_bytes()).collect())
}

/// Stores how many lines are kept to be recalled.
///
/// Source: <https://learn.microsoft.com/windows/console/getconsolehistoryinfo>
#[winapi]
pub fn GetConsoleHistoryInfo(guest: &mut Guest, lpConsoleHistoryInfo: GuestWord) -> Result<Bool, Win32Error> {
    let bytes = history_info(guest, lpConsoleHistoryInfo)?;
    guest.write_bytes(lpConsoleHistoryInfo.0, &bytes)?;
    Ok(TRUE)
}

/// Sets how many lines are kept: what they are already.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolehistoryinfo>
#[winapi]
pub fn SetConsoleHistoryInfo(guest: &mut Guest, lpConsoleHistoryInfo: GuestWord) -> Result<Bool, Win32Error> {
    let own = history_info(guest, lpConsoleHistoryInfo)?;
    let wanted = guest.read_vec(lpConsoleHistoryInfo.0, own.len() as u64)?;
    if wanted == own { Ok(TRUE) } else { Err(Win32Error::NOT_SUPPORTED) }
}

/// Stores how many buttons the mouse has that terminals tell of.
///
/// Source: <https://learn.microsoft.com/windows/console/getnumberofconsolemousebuttons>
#[winapi]
pub fn GetNumberOfConsoleMouseButtons(
    guest: &mut Guest,
    lpNumberOfMouseButtons: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.write_bytes(lpNumberOfMouseButtons.0, &3_u32.to_le_bytes())?;
    Ok(TRUE)
}

both_widths! { console
    /// Stores what a word is replaced by: there is no such word.
    "getconsolealias"
    GetConsoleAliasA, GetConsoleAliasW(
        _guest, _width, Source: GuestWord, TargetBuffer: GuestWord, TargetBufferLength: u32, ExeName: GuestWord
    ) -> Result<u32, Win32Error> {
        let _ = (Source, TargetBuffer, TargetBufferLength, ExeName);
        Err(Win32Error::GEN_FAILURE)
    }

    /// Returns the bytes that a program's replacements take: none.
    "getconsolealiaseslength"
    GetConsoleAliasesLengthA, GetConsoleAliasesLengthW(_guest, _width, ExeName: GuestWord) -> u32 {
        let _ = ExeName;
        0
    }

    /// Returns the bytes that the names of programs with replacements take: none.
    "getconsolealiasexeslength"
    GetConsoleAliasExesLengthA, GetConsoleAliasExesLengthW(_guest, _width) -> u32 {
        0
    }
}

/// Sounds the terminal's bell and returns when the sound would have ended.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/utilapiset/nf-utilapiset-beep>
#[winapi]
pub fn Beep(guest: &mut Guest, dwFreq: u32, dwDuration: u32) -> Result<Bool, Win32Error> {
    const FREQUENCIES: std::ops::RangeInclusive<u32> = 0x25..=0x7fff;
    if !FREQUENCIES.contains(&dwFreq) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    ring(guest)?;
    synchapi::Sleep(guest, dwDuration);
    Ok(TRUE)
}

/// Writes a bell to the first of the standard handles that is the terminal; without one there is no sound.
fn ring(guest: &Guest) -> Result<(), NtStatus> {
    let process = guest.process();
    for which in [Standard::Output, Standard::Error] {
        let file = file_standard::file(process, file_standard::handle(process, which), 0);
        if let Ok(file) = file
            && file.kind == FileKind::ConsoleOutput
        {
            return process.files.console.write_bytes(&file, b"\x07");
        }
    }
    Ok(())
}
