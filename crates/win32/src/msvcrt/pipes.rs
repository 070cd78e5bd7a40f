//! `system`, pipes, and streams to and from commands.

use std::sync::{Mutex, PoisonError};

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::{EINVAL, ENOENT};
use super::fd::{self, Mode};
use super::files::{any_path, attributes};
use super::fopen::_fdopen;
use super::spawn::{Wish, start, wait};
use super::state::{crt, place, place_narrow, set_errno, set_win32_errno};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full system; full _wsystem; full _popen; full "popen" = _popen; full _wpopen; full "wpopen" = _wpopen;
    full _pclose; full "pclose" = _pclose; full _pipe;
};

/// The processes at the other ends of streams.
#[derive(Default)]
pub(crate) struct Commands {
    /// Stream and process.
    running: Mutex<Vec<(u64, u64)>>,
}

/// `_O_TEXT`, `_O_BINARY`, `_O_NOINHERIT`.
const O_TEXT: i32 = 0x4000;
const O_BINARY: i32 = 0x8000;
const O_NOINHERIT: i32 = 0x80;

/// Returns the command interpreter's path: what `ComSpec` says.
fn interpreter(guest: &Guest) -> Vec<u16> {
    let name: Vec<u16> = "ComSpec".encode_utf16().collect();
    guest.process().environment.get(guest.process(), &name).unwrap_or_default()
}

/// Makes the wish to run a command by the interpreter.
fn by_interpreter(guest: &Guest, command: &[u16], handles: [u64; 3]) -> Wish {
    let program = interpreter(guest);
    let mut line = program.clone();
    line.extend(" /c ".encode_utf16());
    line.extend(command);
    Wish { mode: 1, program, line, environment: None, handles }
}

fn run(guest: &mut Guest, command: GuestWord, wide: bool) -> Result<i32, Fault> {
    if command.is_null() {
        let program = interpreter(guest);
        return Ok(i32::from(!program.is_empty() && attributes(guest, &program)?.is_some()));
    }
    let command = any_path(guest, command, wide)?;
    let wish = by_interpreter(guest, &command, [0; 3]);
    let process = start(guest, &wish)?;
    if process == u64::MAX { Ok(-1) } else { wait(guest, process).map(|code| code as i32) }
}

/// Makes a pipe; returns the handles of its reading and writing end.
fn make(guest: &mut Guest, size: u32, inherits: bool) -> Result<Option<[u64; 2]>, Fault> {
    let word = guest.machine().pointer_size();
    let place = place(guest, &[0; 64])?;
    // SECURITY_ATTRIBUTES: length, descriptor, whether it is inherited.
    guest.write(place, &(3 * word as u32))?;
    guest.write(place + 2 * word, &u32::from(inherits))?;
    let done =
        kernel32(guest, "CreatePipe", &[place + 32, place + 32 + word, place, size.into()])? as u32 != 0;
    let error = guest.teb().last_error();
    let ends = [guest.read_word(place + 32)?, guest.read_word(place + 32 + word)?];
    guest.process().heaps.free(0, place);
    if !done {
        set_win32_errno(guest, error)?;
        return Ok(None);
    }
    Ok(Some(ends))
}

fn open(guest: &mut Guest, command: GuestWord, mode: GuestWord, wide: bool) -> Result<GuestWord, Fault> {
    const SIZE: u32 = 1024;
    const HANDLE_FLAG_INHERIT: u64 = 1;
    let command = any_path(guest, command, wide)?;
    let mode = String::from_utf16_lossy(&any_path(guest, mode, wide)?);
    let writes = match mode.chars().find(|c| *c != ' ') {
        Some('r') => false,
        Some('w') => true,
        _ => return set_errno(guest, EINVAL).map(|()| GuestWord::NULL),
    };
    let Some(ends) = make(guest, SIZE, true)? else { return Ok(GuestWord::NULL) };
    let (own, other) = if writes { (ends[1], ends[0]) } else { (ends[0], ends[1]) };
    kernel32(guest, "SetHandleInformation", &[own, HANDLE_FLAG_INHERIT, 0])?;
    let handles = if writes { [other, 0, 0] } else { [0, other, 0] };
    let wish = by_interpreter(guest, &command, handles);
    let process = start(guest, &wish)?;
    kernel32(guest, "CloseHandle", &[other])?;
    if process == u64::MAX {
        kernel32(guest, "CloseHandle", &[own])?;
        return Ok(GuestWord::NULL);
    }
    let is_text = !mode.contains('b');
    let descriptor = fd::insert(guest, own, if is_text { Mode::TEXT } else { Mode::empty() })?;
    let stream_mode = match (writes, is_text) {
        (false, true) => b"rt".as_slice(),
        (false, false) => b"rb",
        (true, true) => b"wt",
        (true, false) => b"wb",
    };
    let text = place_narrow(guest, stream_mode)?;
    let stream = _fdopen(guest, descriptor, GuestWord(text))?;
    guest.process().heaps.free(0, text);
    crt(guest).commands.running.lock().unwrap_or_else(PoisonError::into_inner).push((stream.0, process));
    Ok(stream)
}

define! {
    "Runs a command by the command interpreter and returns its exit code; null asks whether there is one.", "system-wsystem";
    system(guest, command: GuestWord) -> i32 { run(guest, command, false) }

    "Runs a command by the command interpreter and returns its exit code; null asks whether there is one.", "system-wsystem";
    _wsystem(guest, command: GuestWord) -> i32 { run(guest, command, true) }

    "Runs a command with a pipe as its standard input or output; returns the stream of the other end, or null.", "popen-wpopen";
    _popen(guest, command: GuestWord, mode: GuestWord) -> GuestWord { open(guest, command, mode, false) }

    "Runs a command with a pipe as its standard input or output; returns the stream of the other end, or null.", "popen-wpopen";
    _wpopen(guest, command: GuestWord, mode: GuestWord) -> GuestWord { open(guest, command, mode, true) }

    "Closes a stream of `_popen`, waits for the command and returns its exit code, or -1.", "pclose";
    _pclose(guest, stream: GuestWord) -> i32 {
        let found = {
            let mut running = crt(guest).commands.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.iter().position(|row| row.0 == stream.0).map(|index| running.swap_remove(index).1)
        };
        let Some(process) = found else { return set_errno(guest, ENOENT).map(|()| -1) };
        super::fopen::fclose(guest, stream)?;
        wait(guest, process).map(|code| code as i32)
    }

    "Makes a pipe and stores the descriptors of its reading and writing end; returns 0, or -1 with `errno`.", "pipe";
    _pipe(guest, pfds: GuestWord, psize: u32, textmode: i32) -> i32 {
        let Some(ends) = make(guest, psize, textmode & O_NOINHERIT == 0)? else { return Ok(-1) };
        let by_default: i32 = guest.read(super::state::variable(guest, "_fmode"))?;
        let is_text = if textmode & (O_TEXT | O_BINARY) != 0 { textmode & O_TEXT != 0 } else { by_default & O_BINARY == 0 };
        for (index, handle) in ends.into_iter().enumerate() {
            let descriptor = fd::insert(guest, handle, if is_text { Mode::TEXT } else { Mode::empty() })?;
            if descriptor < 0 {
                return Ok(-1);
            }
            guest.write(pfds.0 + 4 * index as u64, &descriptor)?;
        }
        Ok(0)
    }
}
