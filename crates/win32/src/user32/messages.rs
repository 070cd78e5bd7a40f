//! winuser.h: message boxes on standard error, strings from resources, `wsprintf`.

use plat_abi::{Fault, GuestWord, Memory, VarArgs, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::printf::{Options, Runtime, Unit, format_text};
use crate::nt::format::Inserts;
use crate::nt::resource;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial MessageBoxA, "printed on standard error; the answer is the default button";
    partial MessageBoxW, "printed on standard error; the answer is the default button";
    partial MessageBoxExA, "printed on standard error; the answer is the default button";
    partial MessageBoxExW, "printed on standard error; the answer is the default button";
    partial LoadStringA, "not from modules that plat has built in";
    partial LoadStringW, "not from modules that plat has built in";
    full wsprintfA;
    full wsprintfW;
    full wvsprintfA;
    full wvsprintfW;
};

/// The buttons of each kind of box, by the low four bits of its type.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-messageboxw>
const BUTTONS: [&[i32]; 7] = [&[1], &[1, 2], &[3, 4, 5], &[6, 7, 2], &[6, 7], &[4, 2], &[2, 10, 11]];

/// Returns the button that Enter would press.
fn default_button(kind: u32) -> Result<i32, Win32Error> {
    // ERROR_INVALID_MSGBOX_STYLE
    let buttons = BUTTONS.get((kind & 15) as usize).ok_or(Win32Error(1438))?;
    let index = (kind >> 8 & 15) as usize;
    Ok(buttons.get(index).copied().unwrap_or(buttons[0]))
}

/// Shows a text to whoever reads standard error; control characters other than line breaks are left out.
fn show(caption: &[u16], text: &[u16], kind: u32) -> Result<i32, Win32Error> {
    let button = default_button(kind)?;
    let clean = |text: &[u16]| {
        let text = String::from_utf16_lossy(text);
        text.chars().filter(|&character| character == '\n' || !character.is_control()).collect::<String>()
    };
    eprintln!("{}: {}", clean(caption), clean(text));
    Ok(button)
}

/// The title of a box without one.
fn error_title() -> Vec<u16> {
    "Error".encode_utf16().collect()
}

/// Reads the texts of a box, and shows it.
fn message_box(
    guest: &Guest,
    width: Width,
    lpText: GuestWord,
    lpCaption: GuestWord,
    kind: u32,
) -> Result<i32, Win32Error> {
    let text = width.read(guest, lpText)?;
    let caption = if lpCaption.is_null() { error_title() } else { width.read_string(guest, lpCaption)? };
    show(&caption, &text, kind)
}

both_widths! {
    /// Shows a message.
    "winuser/nf-winuser-messagebox"
    MessageBoxA, MessageBoxW(
        guest, width, hWnd: GuestWord, lpText: GuestWord, lpCaption: GuestWord, uType: u32
    ) -> Result<i32, Win32Error> {
        let _ = hWnd;
        message_box(guest, width, lpText, lpCaption, uType)
    }

    /// Shows a message with buttons in a language.
    "winuser/nf-winuser-messageboxex"
    MessageBoxExA, MessageBoxExW(
        guest, width, hWnd: GuestWord, lpText: GuestWord, lpCaption: GuestWord, uType: u32, wLanguageId: u16
    ) -> Result<i32, Win32Error> {
        let _ = (hWnd, wLanguageId);
        message_box(guest, width, lpText, lpCaption, uType)
    }
}

/// Finds string `id` of a module, null being the program: its address and its length in units.
fn find_string(guest: &Guest, hInstance: GuestWord, id: u32) -> Result<(u64, u16), Win32Error> {
    let base = match hInstance.get() {
        0 => guest.process().loader().module_named(&[]).map_or(0, |module| module.base),
        base => base,
    };
    let found = resource::string(guest, base, id as u16).map_err(Win32Error::from)?;
    found.ok_or(Win32Error::RESOURCE_NAME_NOT_FOUND)
}

both_widths! {
    /// Copies a string resource, cut to the buffer; for a size of 0 stores where the resource itself lies.
    "winuser/nf-winuser-loadstring"
    LoadStringA, LoadStringW(
        guest, width, hInstance: GuestWord, uID: u32, lpBuffer: GuestWord, cchBufferMax: i32
    ) -> Result<i32, Win32Error> {
        let is_taken = cchBufferMax > 0 || (cchBufferMax == 0 && width.is_wide());
        if lpBuffer.is_null() || !is_taken {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let (address, length) = find_string(guest, hInstance, uID)?;
        if cchBufferMax == 0 {
            guest.write_word(lpBuffer.get(), address)?;
            return Ok(i32::from(length));
        }
        let text = width.cut(&guest.read_wide(address, u64::from(length))?, cchBufferMax as usize);
        guest.write_bytes(lpBuffer.get(), &text)?;
        Ok((text.len() / width.unit_bytes()) as i32 - 1)
    }
}

/// Units that `wsprintf` writes at most, its zero included.
const WSPRINTF_MAX: usize = 1024;

/// Returns the length of a specification that `wsprintf` knows, from behind its `%`; `None` for others.
fn specification<U: Unit>(text: &[U]) -> Option<usize> {
    let at = |index: usize| text.get(index).and_then(|unit| unit.ascii());
    let skip = |mut index: usize, accept: fn(u8) -> bool| {
        while at(index).is_some_and(accept) {
            index += 1;
        }
        index
    };
    let mut end = skip(0, |byte| matches!(byte, b'-' | b'#'));
    end = skip(end, |byte| byte.is_ascii_digit());
    if at(end) == Some(b'.') {
        end = skip(end + 1, |byte| byte.is_ascii_digit());
    }
    end += match (at(end), at(end + 1), at(end + 2)) {
        (Some(b'I'), Some(b'6'), Some(b'4')) | (Some(b'I'), Some(b'3'), Some(b'2')) => 3,
        (Some(b'I' | b'l' | b'h' | b'w'), ..) => 1,
        _ => 0,
    };
    let known =
        matches!(at(end)?, b'c' | b'C' | b'd' | b'i' | b'p' | b's' | b'S' | b'u' | b'x' | b'X' | b'%');
    known.then_some(end + 1)
}

/// Formats by `wsprintf`'s rules: a subset of printf without floating point, `*` and `%n`.
fn format<U: Unit>(guest: &Guest, format: &[U], list: u64) -> Result<Vec<U>, Fault> {
    let percent = U::from(b'%');
    let mut known = Vec::with_capacity(format.len());
    let mut at = 0;
    while let Some(&unit) = format.get(at) {
        at += 1;
        if unit != percent {
            known.push(unit);
            continue;
        }
        // What follows an unknown percent sign is copied as it is; the sign is not.
        if let Some(length) = specification(&format[at..]) {
            known.push(percent);
            known.extend_from_slice(&format[at..at + length]);
            at += length;
        }
    }
    let pointer_size = guest.machine().pointer_size() as u8;
    let options = Options::of(Runtime::Msvcrt, pointer_size);
    let mut text = format_text(&known, &mut Inserts::new(guest, list), options)?;
    text.truncate(WSPRINTF_MAX - 1);
    text.push(U::from(0));
    Ok(text)
}

both_widths! {
    /// Formats a text from a list of arguments, at most 1,024 units; returns its length.
    "winuser/nf-winuser-wvsprintf"
    wvsprintfA, wvsprintfW(guest, width, param0: GuestWord, param1: GuestWord, arglist: GuestWord) -> Result<i32, Fault> {
        let bytes = match width {
            Width::Narrow => format(guest, &guest.read_c_string(param1.get())?, arglist.get())?,
            Width::Wide => {
                let text = format(guest, &guest.read_wide_string(param1.get())?, arglist.get())?;
                text.into_iter().flat_map(u16::to_le_bytes).collect()
            }
        };
        guest.write_bytes(param0.get(), &bytes)?;
        Ok((bytes.len() / width.unit_bytes()) as i32 - 1)
    }
}

/// Formats a text, at most 1,024 units; returns its length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-wsprintfa>
#[winapi(cdecl)]
pub fn wsprintfA(
    guest: &mut Guest,
    param0: GuestWord,
    param1: GuestWord,
    arguments: VarArgs,
) -> Result<i32, Fault> {
    wvsprintfA(guest, param0, param1, GuestWord(arguments.0))
}

/// Formats a text, at most 1,024 units; returns its length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-wsprintfw>
#[winapi(cdecl)]
pub fn wsprintfW(
    guest: &mut Guest,
    param0: GuestWord,
    param1: GuestWord,
    arguments: VarArgs,
) -> Result<i32, Fault> {
    wvsprintfW(guest, param0, param1, GuestWord(arguments.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wsprintfs_own_specifications_are_known() {
        let cases: [(&str, Option<usize>); 10] = [
            ("d", Some(1)),
            ("-#08.3lxy", Some(8)),
            ("I64d", Some(4)),
            ("lS", Some(2)),
            ("%", Some(1)),
            ("f", None),
            ("*d", None),
            ("n", None),
            ("+d", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(specification(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn the_default_button_is_pressed() {
        let pressed = [0, 1, 4, 0x104, 0x203, 0x305, 0x30].map(default_button);
        assert_eq!(pressed, [Ok(1), Ok(1), Ok(6), Ok(7), Ok(2), Ok(4), Ok(1)]);
        assert_eq!(default_button(7), Err(Win32Error(1438)));
    }
}
