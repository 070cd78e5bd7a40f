//! processenv.h: environment, command line, standard handles, current directory.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::fileapi::{path, put};
use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::nt::file_standard::{self, Standard};
use crate::teb::{Peb, standard_handle};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetStdHandle;
    full SetStdHandle;
    full GetCommandLineW;
    full GetCommandLineA;
    full GetEnvironmentVariableW;
    full GetEnvironmentVariableA;
    full SetEnvironmentVariableW;
    full SetEnvironmentVariableA;
    full GetEnvironmentStringsW;
    full GetEnvironmentStringsA;
    full GetEnvironmentStrings;
    full FreeEnvironmentStringsW;
    full FreeEnvironmentStringsA;
    full ExpandEnvironmentStringsW;
    full ExpandEnvironmentStringsA;
    full GetCurrentDirectoryW;
    full GetCurrentDirectoryA;
    full SetCurrentDirectoryW;
    full SetCurrentDirectoryA;
    full NeedCurrentDirectoryForExePathA;
    full NeedCurrentDirectoryForExePathW;
    full GetStartupInfoW;
    full GetStartupInfoA;
};

both_widths! {
    /// Says whether a program of this name is looked for in the current directory before PATH.
    "processenv/nf-processenv-needcurrentdirectoryforexepath"
    NeedCurrentDirectoryForExePathA, NeedCurrentDirectoryForExePathW(guest, width, ExeName: GuestWord) -> Bool {
        let has_folder = width.read(guest, ExeName).is_ok_and(|name| name.contains(&u16::from(b'\\')));
        let variable: Vec<u16> = "NoDefaultCurrentDirectoryInExePath".encode_utf16().collect();
        let process = guest.process();
        Bool(has_folder || process.environment.get(process, &variable).is_none())
    }
}

/// Returns a standard handle: -10 input, -11 output, -12 error.
///
/// Source: <https://learn.microsoft.com/windows/console/getstdhandle>
#[winapi]
pub fn GetStdHandle(guest: &mut Guest, nStdHandle: u32) -> Result<HandleOrInvalid, Win32Error> {
    let which = Standard::from_number(nStdHandle).ok_or(Win32Error::INVALID_HANDLE)?;
    Ok(HandleOrInvalid(file_standard::handle(guest.process(), which)))
}

/// Replaces a standard handle.
///
/// Source: <https://learn.microsoft.com/windows/console/setstdhandle>
#[winapi]
pub fn SetStdHandle(guest: &mut Guest, nStdHandle: u32, hHandle: GuestWord) -> Result<Bool, Win32Error> {
    let which = Standard::from_number(nStdHandle).ok_or(Win32Error::INVALID_HANDLE)?;
    file_standard::set_handle(guest.process(), which, hHandle.0);
    let parameters = guest
        .process()
        .peb
        .get()
        .map(|peb| guest.read_word(peb + Peb::PROCESS_PARAMETERS.offset(guest.machine())));
    if let Some(parameters) = parameters {
        guest.write_word(parameters? + standard_handle(which).offset(guest.machine()), hHandle.0)?;
    }
    Ok(TRUE)
}

/// Copies bytes to the process heap; 0 when memory is short.
fn to_heap(guest: &Guest, bytes: &[u8]) -> u64 {
    let Some(address) = guest.process().heaps.allocate(0, bytes.len() as u64, false) else { return 0 };
    // The heap's own memory is there.
    guest.write_bytes(address, bytes).map_or(0, |()| address)
}

fn wide_bytes(text: &[u16]) -> Vec<u8> {
    text.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Addresses of the command line, wide and narrow: made once, as Windows does.
fn command_line(guest: &Guest) -> (u64, u64) {
    *guest.process().environment.command_line.get_or_init(|| {
        let text = &guest.process().start.command_line;
        let mut narrow = guest.process().files.narrow(text);
        narrow.push(0);
        let narrow = to_heap(guest, &narrow);
        // The process parameters have it already: UNICODE_STRING at 0x40 or 0x70, its pointer 4 or 8 bytes on.
        let in_parameters = guest.process().peb.get().and_then(|peb| {
            let parameters = guest.read_word(peb + Peb::PROCESS_PARAMETERS.offset(guest.machine())).ok()?;
            let buffer = if guest.machine().is_64() { 0x78 } else { 0x44 };
            guest.read_word(parameters + buffer).ok().filter(|&address| parameters != 0 && address != 0)
        });
        let wide =
            in_parameters.unwrap_or_else(|| to_heap(guest, &wide_bytes(&[text, [0].as_slice()].concat())));
        (wide, narrow)
    })
}

/// Returns the command line.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getcommandlinew>
#[winapi]
pub fn GetCommandLineW(guest: &mut Guest) -> GuestWord {
    GuestWord(command_line(guest).0)
}

/// Returns the command line in the ANSI code page.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getcommandlinea>
#[winapi]
pub fn GetCommandLineA(guest: &mut Guest) -> GuestWord {
    GuestWord(command_line(guest).1)
}

/// Reads a text in the code page of file functions, or a wide one.
fn text(guest: &Guest, width: Width, address: GuestWord) -> Result<Vec<u16>, Win32Error> {
    match width {
        Width::Narrow => path(guest, width, address),
        Width::Wide => Ok(guest.read_wide_string(address.0)?),
    }
}

fn variable(guest: &Guest, name: &[u16]) -> Result<Vec<u16>, Win32Error> {
    guest.process().environment.get(guest.process(), name).ok_or(Win32Error::ENVVAR_NOT_FOUND)
}

both_widths! {
    /// Stores a variable's value.
    "processenv/nf-processenv-getenvironmentvariable"
    GetEnvironmentVariableA, GetEnvironmentVariableW(
        guest, width, lpName: GuestWord, lpBuffer: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        let value = variable(guest, &text(guest, width, lpName)?)?;
        // An empty value returns 0, too: the last error tells it from a missing one.
        guest.set_last_error(Win32Error::SUCCESS);
        put(guest, width, lpBuffer, nSize, &value)
    }
}

fn set_variable(guest: &Guest, name: &[u16], value: Option<&[u16]>) -> Result<Bool, Win32Error> {
    // A name may begin with an equals sign: those are the drives' current directories.
    if name.is_empty() || name[1..].contains(&u16::from(b'=')) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let was_there = guest.process().environment.set(guest.process(), name, value);
    if value.is_none() && !was_there {
        return Err(Win32Error::ENVVAR_NOT_FOUND);
    }
    Ok(TRUE)
}

both_widths! {
    /// Sets a variable, or removes it when the value is null.
    "processenv/nf-processenv-setenvironmentvariable"
    SetEnvironmentVariableA, SetEnvironmentVariableW(
        guest, width, lpName: GuestWord, lpValue: GuestWord
    ) -> Result<Bool, Win32Error> {
        if lpName.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let name = text(guest, width, lpName)?;
        let value = if lpValue.is_null() { None } else { Some(text(guest, width, lpValue)?) };
        set_variable(guest, &name, value.as_deref())
    }
}

/// Returns a copy of the environment: `NAME=value`, zero, …, zero; to be freed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getenvironmentstringsw>
#[winapi]
pub fn GetEnvironmentStringsW(guest: &mut Guest) -> GuestWord {
    let block = guest.process().environment.block(guest.process());
    GuestWord(to_heap(guest, &wide_bytes(&block)))
}

fn ansi_block(guest: &Guest) -> GuestWord {
    let block = guest.process().environment.block(guest.process());
    GuestWord(to_heap(guest, &guest.process().files.narrow(&block)))
}

/// Returns a copy of the environment in the ANSI code page; to be freed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getenvironmentstrings>
#[winapi]
pub fn GetEnvironmentStringsA(guest: &mut Guest) -> GuestWord {
    ansi_block(guest)
}

/// Returns a copy of the environment in the ANSI code page; to be freed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-getenvironmentstrings>
#[winapi]
pub fn GetEnvironmentStrings(guest: &mut Guest) -> GuestWord {
    ansi_block(guest)
}

both_widths! {
    /// Frees a copy of the environment.
    "processenv/nf-processenv-freeenvironmentstrings"
    FreeEnvironmentStringsA, FreeEnvironmentStringsW(guest, _width, penv: GuestWord) -> Bool {
        Bool(guest.process().heaps.free(0, penv.0))
    }

    /// Replaces `%NAME%` by values; returns the room needed in units with the zero.
    "processenv/nf-processenv-expandenvironmentstrings"
    ExpandEnvironmentStringsA, ExpandEnvironmentStringsW(
        guest, width, lpSrc: GuestWord, lpDst: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        let expanded = guest.process().environment.expand(guest.process(), &text(guest, width, lpSrc)?);
        put(guest, width, lpDst, nSize, &expanded)?;
        put(guest, width, GuestWord::NULL, 0, &expanded)
    }
}

fn current(guest: &Guest) -> Vec<u16> {
    use crate::logic::path::PathContext;
    guest.process().files.current_directory()
}

alike! {
    fn(guest, width; nBufferLength: u32, lpBuffer: GuestWord) -> Result<u32, Win32Error> {
        put(guest, width, lpBuffer, nBufferLength, &current(guest))
    }

    /// Stores the current directory.
    "winbase/nf-winbase-getcurrentdirectory"
    GetCurrentDirectoryW = Width::Wide;

    /// Stores the current directory in the ANSI code page.
    "winbase/nf-winbase-getcurrentdirectory"
    GetCurrentDirectoryA = Width::Narrow;
}

alike! {
    fn(guest, width; lpPathName: GuestWord) -> Result<Bool, Win32Error> {
        crate::nt::current_directory::change(guest.process(), &path(guest, width, lpPathName)?)?;
        Ok(TRUE)
    }

    /// Changes the current directory.
    "winbase/nf-winbase-setcurrentdirectory"
    SetCurrentDirectoryW = Width::Wide;

    /// Changes the current directory.
    "winbase/nf-winbase-setcurrentdirectory"
    SetCurrentDirectoryA = Width::Narrow;
}

/// How the process was started.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
pub(super) struct STARTUPINFO {
    pub(super) cb: u32,
    pub(super) lpReserved: GuestWord,
    pub(super) lpDesktop: GuestWord,
    pub(super) lpTitle: GuestWord,
    pub(super) dwX: u32,
    pub(super) dwY: u32,
    pub(super) dwXSize: u32,
    pub(super) dwYSize: u32,
    pub(super) dwXCountChars: u32,
    pub(super) dwYCountChars: u32,
    pub(super) dwFillAttribute: u32,
    pub(super) dwFlags: u32,
    pub(super) wShowWindow: u16,
    pub(super) cbReserved2: u16,
    pub(super) lpReserved2: GuestWord,
    pub(super) hStdInput: GuestWord,
    pub(super) hStdOutput: GuestWord,
    pub(super) hStdError: GuestWord,
}

const STARTF_USESTDHANDLES: u32 = 0x100;

/// Addresses of the title, the desktop and the C runtime's table; made once, as in the process parameters.
#[derive(Clone, Copy)]
pub(crate) struct StartupTexts {
    title: u64,
    desktop: u64,
    reserved: u64,
}

fn startup_info(guest: &Guest, texts: StartupTexts) -> STARTUPINFO {
    let process = guest.process();
    let handle = |which| GuestWord(file_standard::handle(process, which));
    let mut info = STARTUPINFO {
        cb: STARTUPINFO::size(guest.machine()) as u32,
        lpTitle: GuestWord(texts.title),
        lpDesktop: GuestWord(texts.desktop),
        lpReserved2: GuestWord(texts.reserved),
        dwFlags: STARTF_USESTDHANDLES,
        hStdInput: handle(Standard::Input),
        hStdOutput: handle(Standard::Output),
        hStdError: handle(Standard::Error),
        ..STARTUPINFO::default()
    };
    if let Some(startup) = &process.start.startup {
        let numbers = startup.numbers;
        [info.dwX, info.dwY, info.dwXSize, info.dwYSize] = [numbers[0], numbers[1], numbers[2], numbers[3]];
        [info.dwXCountChars, info.dwYCountChars, info.dwFillAttribute] = [numbers[4], numbers[5], numbers[6]];
        info.dwFlags = startup.flags;
        info.wShowWindow = startup.show_window as u16;
        info.cbReserved2 = startup.reserved.len() as u16;
    }
    info
}

/// The texts of the start, wide and narrow, made once. The title is the program's path where nobody gave another.
fn startup_texts(guest: &Guest) -> [StartupTexts; 2] {
    *guest.process().environment.startup_texts.get_or_init(|| {
        let start = &guest.process().start;
        let none = crate::nt::start_record::Startup::default();
        let startup = start.startup.as_ref().unwrap_or(&none);
        let title = if startup.title.is_empty() { &start.program } else { &startup.title };
        let reserved = match startup.reserved.is_empty() {
            true => 0,
            false => to_heap(guest, &startup.reserved),
        };
        let place = |text: &[u16], is_wide: bool| {
            let text = [text, &[0]].concat();
            let bytes = if is_wide { wide_bytes(&text) } else { guest.process().files.narrow(&text) };
            to_heap(guest, &bytes)
        };
        [true, false].map(|is_wide| StartupTexts {
            title: place(title, is_wide),
            desktop: place(&startup.desktop, is_wide),
            reserved,
        })
    })
}

/// Stores how the process was started.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getstartupinfow>
#[winapi]
pub fn GetStartupInfoW(guest: &mut Guest, lpStartupInfo: GuestWord) -> Result<(), plat_abi::Fault> {
    let info = startup_info(guest, startup_texts(guest)[0]);
    guest.write(lpStartupInfo.0, &info)
}

/// Stores how the process was started.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getstartupinfow>
#[winapi]
pub fn GetStartupInfoA(guest: &mut Guest, lpStartupInfo: GuestWord) -> Result<(), plat_abi::Fault> {
    let info = startup_info(guest, startup_texts(guest)[1]);
    guest.write(lpStartupInfo.0, &info)
}
