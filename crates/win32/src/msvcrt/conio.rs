//! conio.h: keys and text of the console, whatever the standard streams are.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plat_abi::{Fault, GuestWord, Memory, VarArgs};

use super::define::define;
use super::errno::EINVAL;
use super::format::{formatted, options};
use super::state::{crt, set_errno};
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::console::keys::extended_code;
use crate::logic::path::Device;
use crate::nt::console::lines::Control;
use crate::nt::file::{FileObject, access};
use crate::widths::Width;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _getch; full "getch" = _getch; full "_getch_nolock" = _getch; full _getche; full "getche" = _getche; full "_getche_nolock" = _getche;
    full _getwch; full "_getwch_nolock" = _getwch; full _getwche; full "_getwche_nolock" = _getwche;
    full _kbhit; full "kbhit" = _kbhit;
    full _ungetch; full "ungetch" = _ungetch; full "_ungetch_nolock" = _ungetch; full _ungetwch; full "_ungetwch_nolock" = _ungetwch;
    full _putch; full "putch" = _putch; full "_putch_nolock" = _putch; full _putwch; full "_putwch_nolock" = _putwch;
    full _cputs; full "cputs" = _cputs; full _cputws; full _cgets; full "cgets" = _cgets; full _cgetws;
};

/// Exports of msvcrt.dll, which the Universal CRT has as inline functions.
pub const PRINT_EXPORTS: &[Export] = dll! {
    full _cprintf; full "cprintf" = _cprintf; full _cwprintf; full _vcprintf; full _vcwprintf;
};

const EOF: i32 = -1;
const WEOF: u16 = 0xffff;

/// The console as this runtime has it: opened at the first use.
#[derive(Default)]
pub(crate) struct Conio {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    input: Option<Arc<FileObject>>,
    output: Option<Arc<FileObject>>,
    /// What was read and not given yet: the rest of a key's codes, and what was put back.
    waiting: VecDeque<u16>,
}

fn state(guest: &Guest) -> MutexGuard<'static, State> {
    crt(guest).conio.state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens one side of the console, once.
fn open(guest: &Guest, device: Device) -> Result<Arc<FileObject>, NtStatus> {
    let mut state = state(guest);
    let side = if device == Device::ConsoleInput { &mut state.input } else { &mut state.output };
    if let Some(file) = side {
        return Ok(Arc::clone(file));
    }
    let file = Arc::new(guest.process().files.open_device(device, access::READ_DATA | access::WRITE_DATA)?);
    *side = Some(Arc::clone(&file));
    Ok(file)
}

/// Returns the codes of the next key; waits for it. Nothing without a console.
fn next_codes(guest: &Guest, width: Width) -> Option<Vec<u16>> {
    let file = open(guest, Device::ConsoleInput).ok()?;
    let console = &guest.process().files.console;
    // Ctrl-C is a key while one is waited for.
    let restore = console.without_processing();
    let codes = loop {
        let Ok(records) = console.take_records(&file, 1, true) else { break None };
        let Some(record) = records.first() else { break None };
        let Some(key) = record.pressed() else { continue };
        if key.unit != 0 {
            break Some(match width {
                Width::Wide => vec![key.unit],
                Width::Narrow => {
                    let bytes = console.code_page(false).encode(&[key.unit], 0, None, false);
                    bytes
                        .map(|encoded| encoded.bytes)
                        .unwrap_or_default()
                        .into_iter()
                        .map(u16::from)
                        .collect()
                }
            });
        }
        if let Some((first, second)) = extended_code(key) {
            break Some(vec![first.into(), second.into()]);
        }
    };
    console.set_processing(&file, restore);
    codes
}

fn get(guest: &Guest, width: Width) -> Option<u16> {
    let kept = state(guest).waiting.pop_front();
    if kept.is_some() {
        return kept;
    }
    let codes = next_codes(guest, width)?;
    let mut state = state(guest);
    state.waiting.extend(codes);
    state.waiting.pop_front()
}

fn put(guest: &Guest, width: Width, text: &[u16]) -> Result<(), NtStatus> {
    let file = open(guest, Device::ConsoleOutput)?;
    let console = &guest.process().files.console;
    match width {
        Width::Wide => console.write(&file, text),
        Width::Narrow => {
            let bytes: Vec<u8> = text.iter().map(|&unit| unit as u8).collect();
            console.write_bytes(&file, &bytes)
        }
    }
}

/// Reads a key and shows it, unless it was put back or has no character.
fn get_shown(guest: &Guest, width: Width) -> Option<u16> {
    let was_kept = !state(guest).waiting.is_empty();
    let code = get(guest, width)?;
    if !was_kept && !matches!(code, 0 | 0xe0) {
        put(guest, width, &[code]).ok()?;
    }
    Some(code)
}

fn put_back(guest: &Guest, code: u16) -> bool {
    let mut state = state(guest);
    let is_free = state.waiting.is_empty();
    if is_free {
        state.waiting.push_front(code);
    }
    is_free
}

/// Reads a line into a buffer whose first unit says how long it may be; the second gets its length.
fn get_line(guest: &mut Guest, buffer: GuestWord, width: Width) -> Result<GuestWord, Fault> {
    let unit = width.unit_bytes() as u64;
    let room = match width {
        Width::Narrow if !buffer.is_null() => u16::from(guest.read::<u8>(buffer.0)?),
        Width::Wide if !buffer.is_null() => guest.read::<u16>(buffer.0)?,
        _ => 0,
    };
    if room == 0 {
        return set_errno(guest, EINVAL).map(|()| GuestWord::NULL);
    }
    let Ok(file) = open(guest, Device::ConsoleInput) else { return Ok(GuestWord::NULL) };
    let console = &guest.process().files.console;
    let (room, rest) = (usize::from(room) - 1, Control::default());
    let line: Option<Vec<u16>> = match width {
        Width::Wide => console.read(&file, room + 2, &rest).ok().map(|typed| typed.text),
        Width::Narrow => console
            .read_bytes(&file, room + 2, &rest)
            .ok()
            .map(|typed| typed.text.into_iter().map(u16::from).collect()),
    };
    let Some(mut line) = line.filter(|line| !line.is_empty()) else { return Ok(GuestWord::NULL) };
    while line.last().is_some_and(|&last| matches!(last, 10 | 13)) {
        line.pop();
    }
    line.truncate(room);
    let text = buffer.0 + 2 * unit;
    let units: Vec<u16> = line.iter().copied().chain([0]).collect();
    let count = line.len() as u16;
    match width {
        Width::Wide => {
            guest.write_wide(text, &units)?;
            guest.write_wide(buffer.0 + unit, &[count])?;
        }
        Width::Narrow => {
            guest.write_bytes(text, &units.iter().map(|&unit| unit as u8).collect::<Vec<u8>>())?;
            guest.write_bytes(buffer.0 + unit, &[count as u8])?;
        }
    }
    Ok(GuestWord(text))
}

/// Writes text to the console; returns its length, or -1.
pub(crate) fn print(guest: &Guest, width: Width, text: &[u16]) -> i32 {
    if put(guest, width, text).is_ok() { text.len() as i32 } else { EOF }
}

define! {
    "Reads a key; those without a character come as two, 0 or 0xe0 first.", "getch-getwch";
    _getch(guest) -> i32 {
        Ok(get(guest, Width::Narrow).map_or(EOF, i32::from))
    }

    "Reads a key and shows it.", "getche-getwche";
    _getche(guest) -> i32 {
        Ok(get_shown(guest, Width::Narrow).map_or(EOF, i32::from))
    }

    "Reads a key as a wide character.", "getch-getwch";
    _getwch(guest) -> u16 {
        Ok(get(guest, Width::Wide).unwrap_or(WEOF))
    }

    "Reads a key as a wide character and shows it.", "getche-getwche";
    _getwche(guest) -> u16 {
        Ok(get_shown(guest, Width::Wide).unwrap_or(WEOF))
    }

    "Says whether a key waits.", "kbhit";
    _kbhit(guest) -> i32 {
        if !state(guest).waiting.is_empty() {
            return Ok(1);
        }
        let Ok(file) = open(guest, Device::ConsoleInput) else { return Ok(0) };
        let records = guest.process().files.console.peek_records(&file, usize::MAX).unwrap_or_default();
        let mut pressed = records.iter().filter_map(|record| record.pressed());
        Ok(i32::from(pressed.any(|key| key.unit != 0 || extended_code(key).is_some())))
    }

    "Puts a key back; one at a time.", "ungetch-ungetwch-ungetch-nolock-ungetwch-nolock";
    _ungetch(guest, c: i32) -> i32 {
        Ok(if c != EOF && put_back(guest, c as u8 as u16) { c } else { EOF })
    }

    "Puts a wide character back; one at a time.", "ungetch-ungetwch-ungetch-nolock-ungetwch-nolock";
    _ungetwch(guest, c: u16) -> u16 {
        Ok(if c != WEOF && put_back(guest, c) { c } else { WEOF })
    }

    "Writes a character to the console.", "putch-putwch";
    _putch(guest, c: i32) -> i32 {
        Ok(if put(guest, Width::Narrow, &[c as u8 as u16]).is_ok() { c } else { EOF })
    }

    "Writes a wide character to the console.", "putch-putwch";
    _putwch(guest, c: u16) -> u16 {
        Ok(if put(guest, Width::Wide, &[c]).is_ok() { c } else { WEOF })
    }

    "Writes a string to the console.", "cputs-cputws";
    _cputs(guest, str: GuestWord) -> i32 {
        let text: Vec<u16> = guest.read_c_string(str.0)?.into_iter().map(u16::from).collect();
        Ok(if put(guest, Width::Narrow, &text).is_ok() { 0 } else { EOF })
    }

    "Writes a wide string to the console.", "cputs-cputws";
    _cputws(guest, str: GuestWord) -> i32 {
        let text = guest.read_wide_string(str.0)?;
        Ok(if put(guest, Width::Wide, &text).is_ok() { 0 } else { EOF })
    }

    "Reads a line from the console.", "cgets-cgetws";
    _cgets(guest, buffer: GuestWord) -> GuestWord {
        get_line(guest, buffer, Width::Narrow)
    }

    "Reads a wide line from the console.", "cgets-cgetws";
    _cgetws(guest, buffer: GuestWord) -> GuestWord {
        get_line(guest, buffer, Width::Wide)
    }

    "Writes formatted text to the console.", "cprintf-cprintf-l-cwprintf-cwprintf-l";
    _cprintf(guest, format: GuestWord, args: VarArgs) -> i32 {
        _vcprintf(guest, format, GuestWord(args.0))
    }

    "Writes formatted wide text to the console.", "cprintf-cprintf-l-cwprintf-cwprintf-l";
    _cwprintf(guest, format: GuestWord, args: VarArgs) -> i32 {
        _vcwprintf(guest, format, GuestWord(args.0))
    }

    "Writes formatted text to the console.", "vcprintf-vcprintf-l-vcwprintf-vcwprintf-l";
    _vcprintf(guest, format: GuestWord, argptr: GuestWord) -> i32 {
        let bytes: Vec<u8> = formatted(guest, format.0, argptr.0, options(guest))?;
        let text: Vec<u16> = bytes.into_iter().map(u16::from).collect();
        Ok(print(guest, Width::Narrow, &text))
    }

    "Writes formatted wide text to the console.", "vcprintf-vcprintf-l-vcwprintf-vcwprintf-l";
    _vcwprintf(guest, format: GuestWord, argptr: GuestWord) -> i32 {
        let text: Vec<u16> = formatted(guest, format.0, argptr.0, options(guest))?;
        Ok(print(guest, Width::Wide, &text))
    }
}
