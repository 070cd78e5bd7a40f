//! process.h: starting programs and waiting for them. Children inherit the descriptors through `lpReserved2`.
//!
//! Arguments are joined by blanks and not quoted, as Microsoft's runtime does.
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/spawn-wspawn-functions>

use plat_abi::{Fault, GuestWord, Memory, VarArgs, winapi};

use super::define::define;
use super::errno::{E2BIG, EINVAL, ENOENT};
use super::fd::{self, Mode};
use super::files::{any_path, attributes};
use super::startup::place_pointers;
use super::state::{place, place_wide, set_errno, set_win32_errno};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::handle::HandleFlags;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _spawnv; full "spawnv" = _spawnv; full _spawnve; full "spawnve" = _spawnve; full _spawnvp; full "spawnvp" = _spawnvp;
    full _spawnvpe; full "spawnvpe" = _spawnvpe; full _spawnl; full "spawnl" = _spawnl; full _spawnlp; full "spawnlp" = _spawnlp;
    full _spawnle; full "spawnle" = _spawnle; full _spawnlpe; full "spawnlpe" = _spawnlpe;
    full _wspawnv; full _wspawnve; full _wspawnvp; full _wspawnvpe; full _wspawnl; full _wspawnlp; full _wspawnle; full _wspawnlpe;
    full _execv; full "execv" = _execv; full _execve; full "execve" = _execve; full _execvp; full "execvp" = _execvp;
    full _execvpe; full "execvpe" = _execvpe; full _execl; full "execl" = _execl; full _execlp; full "execlp" = _execlp;
    full _execle; full "execle" = _execle; full _execlpe; full "execlpe" = _execlpe;
    full _wexecv; full _wexecve; full _wexecvp; full _wexecvpe; full _wexecl; full _wexeclp; full _wexecle; full _wexeclpe;
    full _cwait; full "cwait" = _cwait;
};

/// `_P_WAIT`, `_P_NOWAIT`, `_P_OVERLAY`, `_P_NOWAITO`, `_P_DETACH`.
const WAIT: i32 = 0;
const OVERLAY: i32 = 2;
const DETACH: i32 = 4;
/// `DETACHED_PROCESS`, `CREATE_UNICODE_ENVIRONMENT`.
const DETACHED_PROCESS: u64 = 8;
const UNICODE_ENVIRONMENT: u64 = 0x400;
/// `STARTF_USESTDHANDLES`.
const USE_HANDLES: u32 = 0x100;
/// The most characters of a command line.
const LINE_MAX: usize = 32_767;

/// Bits of a descriptor in the table that children get.
const OPEN: u8 = 1;
const PIPE: u8 = 8;
const APPEND: u8 = 0x20;
const DEVICE: u8 = 0x40;
const TEXT: u8 = 0x80;

/// What is to be started.
pub(crate) struct Wish {
    pub(crate) mode: i32,
    pub(crate) program: Vec<u16>,
    pub(crate) line: Vec<u16>,
    /// Variables, or none for the process's own.
    pub(crate) environment: Option<Vec<Vec<u16>>>,
    /// Handles of the standard files; 0 for the process's own.
    pub(crate) handles: [u64; 3],
}

/// Makes the table of descriptors for a child: count, bits, handles; those that are not inherited are closed there.
fn table(guest: &Guest, replaced: [u64; 3]) -> Vec<u8> {
    let word = guest.machine().pointer_size() as usize;
    let open = fd::all(guest);
    let (mut bits, mut handles): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    for (index, entry) in open.iter().enumerate() {
        let (handle, mode) = entry.unwrap_or((u64::MAX, Mode::empty()));
        let replacement = replaced.get(index).copied().filter(|&handle| handle != 0);
        let handle = replacement.unwrap_or(handle);
        let inherits = guest
            .process()
            .handles
            .entry(handle)
            .is_ok_and(|entry| entry.flags.contains(HandleFlags::INHERIT));
        let known = [(PIPE, Mode::PIPE), (APPEND, Mode::APPEND), (DEVICE, Mode::DEVICE), (TEXT, Mode::TEXT)];
        let set =
            known.iter().filter(|(_, flag)| mode.contains(*flag)).fold(OPEN, |bits, (bit, _)| bits | bit);
        bits.push(if inherits { set } else { 0 });
        handles.extend(&if inherits { handle } else { u64::MAX }.to_le_bytes()[..word]);
    }
    let mut bytes = (open.len() as u32).to_le_bytes().to_vec();
    bytes.extend(bits);
    bytes.extend(handles);
    bytes
}

/// Reads the table that a parent's runtime left; `None` where there is none or it is damaged.
pub(crate) fn inherited(guest: &Guest) -> Option<Vec<Option<(u64, Mode)>>> {
    let bytes = &guest.process().start.startup.as_ref()?.reserved;
    let word = guest.machine().pointer_size() as usize;
    let count = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let bits = bytes.get(4..4usize.checked_add(count)?)?;
    let handles = bytes.get(4 + count..4 + count + count.checked_mul(word)?)?;
    let entries = bits.iter().zip(handles.chunks_exact(word)).map(|(&bits, handle)| {
        let mut value = [0; 8];
        value[..word].copy_from_slice(handle);
        let mut mode = Mode::empty();
        for (bit, flag) in
            [(PIPE, Mode::PIPE), (APPEND, Mode::APPEND), (DEVICE, Mode::DEVICE), (TEXT, Mode::TEXT)]
        {
            mode.set(flag, bits & bit != 0);
        }
        (bits & OPEN != 0).then_some((u64::from_le_bytes(value), mode))
    });
    Some(entries.collect())
}

/// Finds the program's file: as named, else with the extensions of programs.
fn with_extension(guest: &mut Guest, name: &[u16]) -> Result<Option<Vec<u16>>, Fault> {
    let base = name.iter().rposition(|&unit| matches!(unit, 0x5c | 0x2f | 0x3a)).map_or(0, |at| at + 1);
    if name[base..].contains(&u16::from(b'.')) {
        return Ok(attributes(guest, name)?.map(|_| name.to_vec()));
    }
    for extension in [".com", ".exe", ".bat", ".cmd"] {
        let whole: Vec<u16> = name.iter().copied().chain(extension.encode_utf16()).collect();
        if attributes(guest, &whole)?.is_some() {
            return Ok(Some(whole));
        }
    }
    Ok(None)
}

/// Finds a program as named or, if asked, along PATH.
fn find(guest: &mut Guest, name: &[u16], along_path: bool) -> Result<Option<Vec<u16>>, Fault> {
    if let Some(found) = with_extension(guest, name)? {
        return Ok(Some(found));
    }
    let is_plain = !name.iter().any(|&unit| matches!(unit, 0x5c | 0x2f | 0x3a));
    if along_path && is_plain {
        let path =
            guest.process().environment.get(guest.process(), &"PATH".encode_utf16().collect::<Vec<_>>());
        for directory in
            path.unwrap_or_default().split(|&unit| unit == u16::from(b';')).filter(|part| !part.is_empty())
        {
            let mut whole = directory.to_vec();
            whole.push(u16::from(b'\\'));
            whole.extend(name);
            if let Some(found) = with_extension(guest, &whole)? {
                return Ok(Some(found));
            }
        }
    }
    set_errno(guest, ENOENT)?;
    Ok(None)
}

/// Starts a program; returns its handle, or -1 with `errno`.
pub(crate) fn start(guest: &mut Guest, wish: &Wish) -> Result<u64, Fault> {
    if wish.line.len() >= LINE_MAX {
        return set_errno(guest, E2BIG).map(|()| u64::MAX);
    }
    super::stream::flush_all(guest)?;
    let word = guest.machine().pointer_size();
    let table = table(guest, wish.handles);
    let (length, reserved) = (table.len() as u16, place(guest, &table)?);
    // STARTUPINFOW: size, three pointers, seven numbers, flags, two words, pointer, three handles.
    let size = if word == 8 { 104 } else { 68 };
    let info = place(guest, &vec![0; size + 32])?;
    guest.write(info, &(size as u32))?;
    let flags_at = info + 4 * word + 28;
    let standard = if wish.handles == [0; 3] { None } else { Some(wish.handles) };
    guest.write(flags_at, &(if standard.is_some() { USE_HANDLES } else { 0 }))?;
    guest.write(flags_at + 6, &length)?;
    guest.write_word((flags_at + 8).next_multiple_of(word), reserved)?;
    for (index, handle) in standard.into_iter().flatten().enumerate() {
        let own = super::handles::standard(guest, index);
        let handle = if handle == 0 { own } else { handle };
        guest.write_word((flags_at + 8).next_multiple_of(word) + (index as u64 + 1) * word, handle)?;
    }
    let program = if wish.program.is_empty() { 0 } else { place_wide(guest, &wish.program)? };
    let line = place_wide(guest, &wish.line)?;
    let environment = match &wish.environment {
        None => 0,
        Some(variables) => {
            let mut block: Vec<u16> =
                variables.iter().flat_map(|line| [line.as_slice(), &[0]].concat()).collect();
            block.push(0);
            place_wide(guest, &block)?
        }
    };
    let flags = UNICODE_ENVIRONMENT | if wish.mode == DETACH { DETACHED_PROCESS } else { 0 };
    let result = info + size as u64;
    let arguments = [program, line, 0, 0, 1, flags, environment, 0, info, result];
    let done = kernel32(guest, "CreateProcessW", &arguments)? as u32 != 0;
    let error = guest.teb().last_error();
    let (process, thread) = (guest.read_word(result)?, guest.read_word(result + word)?);
    for address in [reserved, info, program, line, environment] {
        guest.process().heaps.free(0, address);
    }
    if !done {
        return set_win32_errno(guest, error).map(|()| u64::MAX);
    }
    kernel32(guest, "CloseHandle", &[thread])?;
    Ok(process)
}

/// Waits for a process; returns its exit code and closes the handle.
pub(crate) fn wait(guest: &mut Guest, process: u64) -> Result<u32, Fault> {
    const FOREVER: u64 = 0xffff_ffff;
    kernel32(guest, "WaitForSingleObject", &[process, FOREVER])?;
    let place = place(guest, &[0; 4])?;
    kernel32(guest, "GetExitCodeProcess", &[process, place])?;
    let code = guest.read_u32(place)?;
    guest.process().heaps.free(0, place);
    kernel32(guest, "CloseHandle", &[process])?;
    Ok(code)
}

/// Starts a program by mode: waits, goes on, or ends this process.
fn run(guest: &mut Guest, wish: &Wish) -> Result<GuestWord, Fault> {
    let process = start(guest, wish)?;
    if process == u64::MAX {
        return Ok(GuestWord(process));
    }
    match wish.mode {
        WAIT => wait(guest, process).map(|code| GuestWord(i64::from(code as i32) as u64)),
        OVERLAY => {
            super::exit::_exit(guest, 0);
            Ok(GuestWord(u64::MAX))
        }
        DETACH => {
            kernel32(guest, "CloseHandle", &[process])?;
            Ok(GuestWord(0))
        }
        _ => Ok(GuestWord(process)),
    }
}

/// Reads texts whose addresses follow each other up to a null one.
fn texts(guest: &Guest, array: u64, wide: bool) -> Result<Vec<Vec<u16>>, Fault> {
    let word = guest.machine().pointer_size();
    let mut texts = Vec::new();
    loop {
        let address = guest.read_word(array + texts.len() as u64 * word)?;
        if address == 0 {
            return Ok(texts);
        }
        texts.push(any_path(guest, GuestWord(address), wide)?);
    }
}

/// How a function of the family finds the program and its variables.
#[derive(Clone, Copy)]
struct Kind {
    wide: bool,
    along_path: bool,
}

fn spawn(
    guest: &mut Guest,
    mode: i32,
    name: GuestWord,
    arguments: u64,
    environment: u64,
    kind: Kind,
) -> Result<GuestWord, Fault> {
    if name.is_null() || arguments == 0 || !(WAIT..=DETACH).contains(&mode) {
        return set_errno(guest, EINVAL).map(|()| GuestWord(u64::MAX));
    }
    let name = any_path(guest, name, kind.wide)?;
    let line = texts(guest, arguments, kind.wide)?.join(&u16::from(b' '));
    let environment = if environment == 0 { None } else { Some(texts(guest, environment, kind.wide)?) };
    let Some(program) = find(guest, &name, kind.along_path)? else { return Ok(GuestWord(u64::MAX)) };
    run(guest, &Wish { mode, program, line, environment, handles: [0; 3] })
}

/// Copies the arguments that follow in a call, up to a null one, into an array; returns it and what comes after.
fn collect(guest: &mut Guest, first: GuestWord, rest: VarArgs) -> Result<(u64, u64), Fault> {
    let mut pointers = vec![first.0];
    let mut list = guest.va_list(rest.0);
    if !first.is_null() {
        loop {
            let address = list.slot_word()?;
            if address == 0 {
                break;
            }
            pointers.push(address);
        }
    } else {
        pointers.clear();
    }
    let environment = list.slot_word().unwrap_or(0);
    Ok((place_pointers(guest, &pointers)?, environment))
}

/// Defines the family: names for a vector, with variables, for a list, with variables; spawn and exec; wide, along PATH.
macro_rules! spawns {
    ($($sv:ident, $sve:ident, $sl:ident, $sle:ident, $ev:ident, $eve:ident, $el:ident, $ele:ident ($wide:literal, $path:literal);)*) => {$(
        define! {
            "Starts a program with an array of arguments; waits for its exit code or returns its handle; -1 with `errno`.", "spawnv-wspawnv";
            $sv(guest, mode: i32, cmdname: GuestWord, argv: GuestWord) -> GuestWord {
                spawn(guest, mode, cmdname, argv.0, 0, Kind { wide: $wide, along_path: $path })
            }
            "Starts a program with arrays of arguments and variables.", "spawnve-wspawnve";
            $sve(guest, mode: i32, cmdname: GuestWord, argv: GuestWord, envp: GuestWord) -> GuestWord {
                spawn(guest, mode, cmdname, argv.0, envp.0, Kind { wide: $wide, along_path: $path })
            }
            "Starts a program with the arguments that follow, ended by null.", "spawnl-wspawnl";
            $sl(guest, mode: i32, cmdname: GuestWord, arg0: GuestWord, args: VarArgs) -> GuestWord {
                let (argv, _) = collect(guest, arg0, args)?;
                spawn(guest, mode, cmdname, argv, 0, Kind { wide: $wide, along_path: $path })
            }
            "Starts a program with the arguments that follow, ended by null, and an array of variables after it.", "spawnle-wspawnle";
            $sle(guest, mode: i32, cmdname: GuestWord, arg0: GuestWord, args: VarArgs) -> GuestWord {
                let (argv, envp) = collect(guest, arg0, args)?;
                spawn(guest, mode, cmdname, argv, envp, Kind { wide: $wide, along_path: $path })
            }
            "Starts a program in place of this one; returns only when that fails.", "execv-wexecv";
            $ev(guest, cmdname: GuestWord, argv: GuestWord) -> GuestWord {
                spawn(guest, OVERLAY, cmdname, argv.0, 0, Kind { wide: $wide, along_path: $path })
            }
            "Starts a program with variables in place of this one; returns only when that fails.", "execve-wexecve";
            $eve(guest, cmdname: GuestWord, argv: GuestWord, envp: GuestWord) -> GuestWord {
                spawn(guest, OVERLAY, cmdname, argv.0, envp.0, Kind { wide: $wide, along_path: $path })
            }
            "Starts a program with the arguments that follow in place of this one; returns only when that fails.", "execl-wexecl";
            $el(guest, cmdname: GuestWord, arg0: GuestWord, args: VarArgs) -> GuestWord {
                let (argv, _) = collect(guest, arg0, args)?;
                spawn(guest, OVERLAY, cmdname, argv, 0, Kind { wide: $wide, along_path: $path })
            }
            "Starts a program with the arguments and variables that follow in place of this one; returns only when that fails.", "execle-wexecle";
            $ele(guest, cmdname: GuestWord, arg0: GuestWord, args: VarArgs) -> GuestWord {
                let (argv, envp) = collect(guest, arg0, args)?;
                spawn(guest, OVERLAY, cmdname, argv, envp, Kind { wide: $wide, along_path: $path })
            }
        }
    )*};
}
spawns! {
    _spawnv, _spawnve, _spawnl, _spawnle, _execv, _execve, _execl, _execle (false, false);
    _spawnvp, _spawnvpe, _spawnlp, _spawnlpe, _execvp, _execvpe, _execlp, _execlpe (false, true);
    _wspawnv, _wspawnve, _wspawnl, _wspawnle, _wexecv, _wexecve, _wexecl, _wexecle (true, false);
    _wspawnvp, _wspawnvpe, _wspawnlp, _wspawnlpe, _wexecvp, _wexecvpe, _wexeclp, _wexeclpe (true, true);
}

/// Waits for a child and stores its exit code; returns its handle, or -1 with `errno`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/cwait>
#[winapi(cdecl)]
pub fn _cwait(
    guest: &mut Guest,
    termstat: GuestWord,
    procHandle: GuestWord,
    action: i32,
) -> Result<GuestWord, Fault> {
    const ECHILD: i32 = 10;
    let _ = action;
    if guest.process().handles.entry(procHandle.0).is_err() {
        return set_errno(guest, ECHILD).map(|()| GuestWord(u64::MAX));
    }
    let code = wait(guest, procHandle.0)?;
    if !termstat.is_null() {
        guest.write(termstat.0, &code)?;
    }
    Ok(procHandle)
}
