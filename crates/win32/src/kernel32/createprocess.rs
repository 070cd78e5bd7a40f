//! processthreadsapi.h: making processes.

use std::path::PathBuf;
use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::consoleapi::pseudo::pseudo_console;
use super::fileapi::open::inherit_flags;
use super::processenv::STARTUPINFO;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::program_search;
use crate::nt::environment::Variables;
use crate::nt::process_create::{self, Image, ImageKind, Places, Plan};
use crate::nt::process_object::ProcessObject;
use crate::nt::start_record::Startup;
use crate::nt::token::Token;
use crate::process::Process;
use crate::widths::{Width, both_widths};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CreateProcessW;
    full CreateProcessA;
    full WinExec;
    partial InitializeProcThreadAttributeList, "of the attributes only the list of handles is used";
    full UpdateProcThreadAttribute;
    full DeleteProcThreadAttributeList;
};

const PROCESS_ALL_ACCESS: u32 = 0x1f_ffff;
const CREATE_UNICODE_ENVIRONMENT: u32 = 0x400;
const EXTENDED_STARTUPINFO_PRESENT: u32 = 0x8_0000;
const STARTF_USESTDHANDLES: u32 = 0x100;

/// What CreateProcess returns.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct PROCESS_INFORMATION {
    hProcess: GuestWord,
    hThread: GuestWord,
    dwProcessId: u32,
    dwThreadId: u32,
}

/// The arguments of all forms, texts already read.
pub(crate) struct Wish {
    /// The names of the program, its command line and its directory, each if given.
    pub(crate) names: [Option<Vec<u16>>; 3],
    /// The attributes of the process and of its first thread.
    pub(crate) attributes: [GuestWord; 2],
    /// Whether handles are inherited.
    pub(crate) inherits: bool,
    /// `CREATE_…`.
    pub(crate) flags: u32,
    /// The block of the environment, or null.
    pub(crate) environment: GuestWord,
    /// `STARTUPINFO`.
    pub(crate) startup: GuestWord,
    /// Where `PROCESS_INFORMATION` goes.
    pub(crate) information: GuestWord,
    /// The token, where it is not a copy of the caller's.
    pub(crate) token: Option<Arc<Token>>,
}

/// Reads the names of a program, its command line and its directory: null is none.
pub(crate) fn read_names(
    guest: &Guest,
    width: Width,
    places: [GuestWord; 3],
) -> Result<[Option<Vec<u16>>; 3], Win32Error> {
    let mut names = [None, None, None];
    for (name, place) in names.iter_mut().zip(places).filter(|pair| !pair.1.is_null()) {
        *name = Some(string(guest, width.is_wide(), place.0)?);
    }
    Ok(names)
}

/// Finds the program, by the application's name or by the first word of the command line.
/// Returns the command line for the child too: a name with blanks that nobody quoted is quoted.
fn find_image(guest: &Guest, wish: &Wish) -> Result<(Image, Vec<u16>), Win32Error> {
    let process = guest.process();
    let [application, line, _] = &wish.names;
    if let Some(application) = application {
        let image = process_create::at(&process.files, application)?;
        let line = line.clone().unwrap_or_else(|| quoted_if_blank(application));
        return Ok((image, line));
    }
    let line = line.as_deref().ok_or(Win32Error::INVALID_PARAMETER)?;
    let places = Places::of(process);
    let mut last = Win32Error::FILE_NOT_FOUND;
    for name in program_search::candidates(line) {
        match process_create::find(&process.files, &name, &places) {
            Err(Win32Error::FILE_NOT_FOUND | Win32Error::PATH_NOT_FOUND) => {}
            // A file of a shorter name that is no program does not hide the longer one.
            Err(error @ (Win32Error::ACCESS_DENIED | Win32Error::BAD_EXE_FORMAT)) => last = error,
            Err(other) => return Err(other),
            Ok(image) if line.starts_with(&name) => {
                let rest = &line[name.len()..];
                return Ok((image, [&quoted_if_blank(&name), rest].concat()));
            }
            Ok(image) => return Ok((image, line.to_vec())),
        }
    }
    Err(last)
}

fn quoted_if_blank(name: &[u16]) -> Vec<u16> {
    let quote = [u16::from(b'"')];
    if name.contains(&u16::from(b' ')) { [&quote[..], name, &quote].concat() } else { name.to_vec() }
}

/// A batch file runs in the interpreter, which gets the whole command line.
fn line_for_batch(line: &[u16]) -> Vec<u16> {
    let mut whole = process_create::wide("cmd.exe /c \"");
    whole.extend_from_slice(line);
    whole.push(u16::from(b'"'));
    whole
}

/// Reads an environment block: `NAME=value`, zero, …, zero. Names may begin with `=`.
fn read_environment(guest: &Guest, address: u64, is_wide: bool) -> Result<Variables, Win32Error> {
    let mut variables = Variables::new();
    let mut at = address;
    loop {
        let text = string(guest, is_wide, at)?;
        if text.is_empty() {
            return Ok(variables);
        }
        at += if is_wide { (text.len() as u64 + 1) * 2 } else { narrow_length(guest, at)? + 1 };
        let equals = text.iter().skip(1).position(|&unit| unit == u16::from(b'='));
        if let Some(equals) = equals {
            variables.push((text[..=equals].to_vec(), text[equals + 2..].to_vec()));
        }
    }
}

fn narrow_length(guest: &Guest, address: u64) -> Result<u64, Win32Error> {
    Ok(guest.read_c_string(address)?.len() as u64)
}

fn narrow_string(guest: &Guest, address: u64) -> Result<Vec<u16>, Win32Error> {
    let bytes = guest.read_c_string(address)?;
    Ok(guest.process().files.widen(&bytes))
}

fn string(guest: &Guest, is_wide: bool, address: u64) -> Result<Vec<u16>, Win32Error> {
    if is_wide { Ok(guest.read_wide_string(address)?) } else { narrow_string(guest, address) }
}

/// Reads `STARTUPINFO` as the child is to see it, and its handles when they are to be used.
fn read_startup(
    guest: &Guest,
    address: GuestWord,
    is_wide: bool,
) -> Result<(Startup, Option<[u64; 3]>), Win32Error> {
    let info: STARTUPINFO = guest.read(address.0)?;
    let text = |place: GuestWord| -> Result<Vec<u16>, Win32Error> {
        match place.0 {
            0 => Ok(Vec::new()),
            place => string(guest, is_wide, place),
        }
    };
    let reserved = if info.lpReserved2.is_null() {
        Vec::new()
    } else {
        guest.read_vec(info.lpReserved2.0, u64::from(info.cbReserved2))?
    };
    let startup = Startup {
        title: text(info.lpTitle)?,
        desktop: text(info.lpDesktop)?,
        numbers: [
            info.dwX,
            info.dwY,
            info.dwXSize,
            info.dwYSize,
            info.dwXCountChars,
            info.dwYCountChars,
            info.dwFillAttribute,
        ],
        flags: info.dwFlags,
        show_window: u32::from(info.wShowWindow),
        reserved,
    };
    let handles = [info.hStdInput.0, info.hStdOutput.0, info.hStdError.0];
    Ok((startup, (info.dwFlags & STARTF_USESTDHANDLES != 0).then_some(handles)))
}

/// Returns value and size of an attribute, if the caller gives a list with it.
fn attribute(guest: &Guest, wish: &Wish, name: u64) -> Result<Option<(u64, u64)>, Win32Error> {
    if wish.flags & EXTENDED_STARTUPINFO_PRESENT == 0 {
        return Ok(None);
    }
    let list = guest.read_word(wish.startup.0 + STARTUPINFO::size(guest.machine()))?;
    if list == 0 {
        return Ok(None);
    }
    let size = guest.machine().pointer_size();
    for index in 0..u64::from(guest.read_u32(list + 4)?) {
        let entry = list + LIST_HEADER + index * 3 * size;
        if guest.read_word(entry)? == name {
            return Ok(Some((guest.read_word(entry + size)?, guest.read_word(entry + 2 * size)?)));
        }
    }
    Ok(None)
}

/// Returns the handles of the attribute list, if the caller gives one with handles.
fn listed_handles(guest: &Guest, wish: &Wish) -> Result<Option<Vec<u64>>, Win32Error> {
    let Some((place, bytes)) = attribute(guest, wish, ATTRIBUTE_HANDLE_LIST)? else { return Ok(None) };
    let size = guest.machine().pointer_size();
    let handles = (0..bytes / size).map(|at| guest.read_word(place + at * size));
    Ok(Some(handles.collect::<Result<_, _>>()?))
}

/// Returns the terminal of the pseudo-console in the attribute list.
fn terminal(guest: &Guest, wish: &Wish) -> Result<Option<PathBuf>, Win32Error> {
    let Some((handle, _)) = attribute(guest, wish, ATTRIBUTE_PSEUDO_CONSOLE)? else { return Ok(None) };
    Ok(Some(pseudo_console(guest, GuestWord(handle))?.path().to_owned()))
}

/// Makes a process and its first thread.
///
/// # Errors
/// Those of `CreateProcess`.
pub(crate) fn create(guest: &mut Guest, wish: Wish, width: Width) -> Result<Bool, Win32Error> {
    let is_wide = width.is_wide();
    let process = guest.process();
    let (image, mut command_line) = find_image(guest, &wish)?;
    let (startup, standard) = read_startup(guest, wish.startup, is_wide)?;
    let environment = match wish.environment.0 {
        0 => None,
        place => Some(read_environment(guest, place, wish.flags & CREATE_UNICODE_ENVIRONMENT != 0)?),
    };
    if image.kind == ImageKind::Batch {
        command_line = line_for_batch(&command_line);
    }
    let plan = Plan {
        image,
        command_line,
        environment,
        startup,
        standard,
        inherits: wish.inherits,
        only: listed_handles(guest, &wish)?,
        flags: wish.flags,
        terminal: terminal(guest, &wish)?,
        directory: wish.names.into_iter().nth(2).flatten(),
        token: wish.token,
    };
    let process_flags = inherit_flags(guest, wish.attributes[0])?;
    let thread_flags = inherit_flags(guest, wish.attributes[1])?;
    let (child, thread) = process_create::create(process, plan)?;
    let information = PROCESS_INFORMATION {
        dwProcessId: child.id(),
        dwThreadId: thread.id(),
        hProcess: GuestWord(process.handles.insert(child, PROCESS_ALL_ACCESS, process_flags)),
        hThread: GuestWord(process.handles.insert(thread, PROCESS_ALL_ACCESS, thread_flags)),
    };
    guest.write(wish.information.0, &information)?;
    Ok(TRUE)
}

both_widths! {
    /// Makes a process: a Windows program, a batch file, or a program of Linux.
    "processthreadsapi/nf-processthreadsapi-createprocess"
    CreateProcessA, CreateProcessW(
        guest, width, lpApplicationName: GuestWord, lpCommandLine: GuestWord, lpProcessAttributes: GuestWord,
        lpThreadAttributes: GuestWord, bInheritHandles: Bool, dwCreationFlags: u32, lpEnvironment: GuestWord,
        lpCurrentDirectory: GuestWord, lpStartupInfo: GuestWord, lpProcessInformation: GuestWord
    ) -> Result<Bool, Win32Error> {
        let wish = Wish {
            names: read_names(guest, width, [lpApplicationName, lpCommandLine, lpCurrentDirectory])?,
            attributes: [lpProcessAttributes, lpThreadAttributes],
            inherits: bInheritHandles.0,
            flags: dwCreationFlags,
            environment: lpEnvironment,
            startup: lpStartupInfo,
            information: lpProcessInformation,
            token: None,
        };
        create(guest, wish, width)
    }
}

/// Starts a program by its command line; returns more than 31 when it did.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-winexec>
#[winapi]
pub fn WinExec(guest: &mut Guest, lpCmdLine: GuestWord, uCmdShow: u32) -> Result<u32, Win32Error> {
    let line = narrow_string(guest, lpCmdLine.0)?;
    let process = guest.process();
    let places = Places::of(process);
    let find = |name: &Vec<u16>| process_create::find(&process.files, name, &places).ok();
    let Some(image) = program_search::candidates(&line).iter().find_map(find) else {
        return Ok(Win32Error::FILE_NOT_FOUND.0);
    };
    // Codes up to 31 say what went wrong.
    Ok(start(process, image, line, None, uCmdShow).map_or_else(|error| error.0.min(31), |_| 33))
}

/// Starts a program that inherits nothing, in a directory if one is given; `show` is what it is told about its window.
pub(crate) fn start(
    process: &Process,
    image: Image,
    line: Vec<u16>,
    directory: Option<Vec<u16>>,
    show: u32,
) -> Result<Arc<ProcessObject>, Win32Error> {
    const STARTF_USESHOWWINDOW: u32 = 1;
    let command_line = if image.kind == ImageKind::Batch { line_for_batch(&line) } else { line };
    let startup = Startup { flags: STARTF_USESHOWWINDOW, show_window: show, ..Startup::default() };
    let plan = Plan {
        image,
        command_line,
        environment: None,
        directory,
        startup,
        standard: None,
        inherits: false,
        only: None,
        flags: 0,
        terminal: None,
        token: None,
    };
    process_create::create(process, plan).map(|started| started.0)
}

/// `PROC_THREAD_ATTRIBUTE_HANDLE_LIST`.
const ATTRIBUTE_HANDLE_LIST: u64 = 0x2_0002;
/// `PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE`; its value is the console itself.
const ATTRIBUTE_PSEUDO_CONSOLE: u64 = 0x2_0016;
/// plat's own layout of the list: capacity, count, then name, value's address and size per attribute.
const LIST_HEADER: u64 = 8;

/// Begins a list of attributes for a new process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-initializeprocthreadattributelist>
#[winapi]
pub fn InitializeProcThreadAttributeList(
    guest: &mut Guest,
    lpAttributeList: GuestWord,
    dwAttributeCount: u32,
    dwFlags: u32,
    lpSize: GuestWord,
) -> Result<Bool, Win32Error> {
    if dwFlags != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let needed = LIST_HEADER + u64::from(dwAttributeCount) * 3 * guest.machine().pointer_size();
    let given = guest.read_word(lpSize.0)?;
    guest.write_word(lpSize.0, needed)?;
    if lpAttributeList.is_null() || given < needed {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write(lpAttributeList.0, &dwAttributeCount)?;
    guest.write(lpAttributeList.0 + 4, &0_u32)?;
    Ok(TRUE)
}

/// Adds an attribute to a list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-updateprocthreadattribute>
#[winapi]
pub fn UpdateProcThreadAttribute(
    guest: &mut Guest,
    lpAttributeList: GuestWord,
    dwFlags: u32,
    Attribute: GuestWord,
    lpValue: GuestWord,
    cbSize: GuestWord,
    lpPreviousValue: GuestWord,
    lpReturnSize: GuestWord,
) -> Result<Bool, Win32Error> {
    if dwFlags != 0 || !lpPreviousValue.is_null() || !lpReturnSize.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let list = lpAttributeList.0;
    let (capacity, count) = (guest.read_u32(list)?, guest.read_u32(list + 4)?);
    if count >= capacity {
        return Err(NtStatus::NO_MEMORY.to_win32());
    }
    let size = guest.machine().pointer_size();
    let entry = list + LIST_HEADER + u64::from(count) * 3 * size;
    guest.write_word(entry, Attribute.0)?;
    guest.write_word(entry + size, lpValue.0)?;
    guest.write_word(entry + 2 * size, cbSize.0)?;
    guest.write(list + 4, &(count + 1))?;
    Ok(TRUE)
}

/// Ends a list of attributes; its memory is the caller's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-deleteprocthreadattributelist>
#[winapi]
pub fn DeleteProcThreadAttributeList(guest: &mut Guest, lpAttributeList: GuestWord) {
    let _ = (guest, lpAttributeList);
}
