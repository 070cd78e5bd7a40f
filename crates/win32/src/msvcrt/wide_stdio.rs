//! stdio.h: wide characters and lines on streams, which hold bytes of the locale.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::errno::EILSEQ;
use super::state::{crt, set_errno, write_wide_z};
use super::stdio::{fgetc, read_line, ungetc};
use super::stream::{self, EOF};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full fputwc; full "putwc" = fputwc; full putwchar; full "_fputwchar" = putwchar; full fputws; full _putws;
    full fgetwc; full "getwc" = fgetwc; full getwchar; full "_fgetwchar" = getwchar; full fgetws; full ungetwc;
};

/// The end, as `fgetwc` returns it.
const WEOF: u16 = 0xffff;

/// Writes wide text in the bytes of the locale; false with `errno` at a character that it lacks.
fn put(guest: &mut Guest, file: u64, text: &[u16]) -> Result<bool, Fault> {
    let Some(bytes) = crt(guest).locale.narrow_all(text) else {
        return set_errno(guest, EILSEQ).map(|()| false);
    };
    let written = stream::with(guest, file, |guest, stream| stream::put(guest, file, stream, &bytes))?;
    Ok(written == bytes.len())
}

fn stdout(guest: &Guest) -> u64 {
    stream::iob(guest) + stream::size(guest.machine())
}

/// Writes a wide character; returns it, or `WEOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fputc-fputwc>
#[winapi(cdecl)]
pub fn fputwc(guest: &mut Guest, c: u16, stream: GuestWord) -> Result<u16, Fault> {
    Ok(if put(guest, stream.0, &[c])? { c } else { WEOF })
}

/// Writes a wide character to the standard output; returns it, or `WEOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/putc-putchar>
#[winapi(cdecl)]
pub fn putwchar(guest: &mut Guest, c: u16) -> Result<u16, Fault> {
    let file = stdout(guest);
    fputwc(guest, c, GuestWord(file))
}

/// Writes a wide string; returns 0, or `EOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fputs-fputws>
#[winapi(cdecl)]
pub fn fputws(guest: &mut Guest, str: GuestWord, stream: GuestWord) -> Result<i32, Fault> {
    let text = guest.read_wide_string(str.0)?;
    Ok(if text.is_empty() || put(guest, stream.0, &text)? { 0 } else { EOF })
}

/// Writes a wide string and a line end to the standard output; returns 0, or `EOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/puts-putws>
#[winapi(cdecl)]
pub fn _putws(guest: &mut Guest, str: GuestWord) -> Result<i32, Fault> {
    let mut text = guest.read_wide_string(str.0)?;
    text.push(u16::from(b'\n'));
    let file = stdout(guest);
    Ok(if put(guest, file, &text)? { 0 } else { EOF })
}

/// Reads a character of the locale; `WEOF` at the end or on an error.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fgetc-fgetwc>
#[winapi(cdecl)]
pub fn fgetwc(guest: &mut Guest, stream: GuestWord) -> Result<u16, Fault> {
    let mut bytes = Vec::new();
    while bytes.len() < 4 {
        let Ok(byte) = u8::try_from(fgetc(guest, stream)?) else { return Ok(WEOF) };
        bytes.push(byte);
        if crt(guest).locale.first_length(&bytes).is_some() {
            break;
        }
    }
    Ok(crt(guest).locale.widen(&bytes).first().copied().unwrap_or(WEOF))
}

/// Reads a character of the standard input; `WEOF` at the end or on an error.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getc-getchar>
#[winapi(cdecl)]
pub fn getwchar(guest: &mut Guest) -> Result<u16, Fault> {
    let file = stream::iob(guest);
    fgetwc(guest, GuestWord(file))
}

/// Reads a line of at most `numChars` - 1 characters, its end included; null at the end.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fgets-fgetws>
#[winapi(cdecl)]
pub fn fgetws(
    guest: &mut Guest,
    str: GuestWord,
    numChars: i32,
    stream: GuestWord,
) -> Result<GuestWord, Fault> {
    let Some(max) = usize::try_from(numChars - 1).ok() else { return Ok(GuestWord::NULL) };
    let Some(line) = read_line(guest, stream.0, max)? else { return Ok(GuestWord::NULL) };
    let text = crt(guest).locale.widen(&line);
    write_wide_z(guest, str.0, &text)?;
    Ok(str)
}

/// Puts a character back; returns it, or `WEOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/ungetc-ungetwc>
#[winapi(cdecl)]
pub fn ungetwc(guest: &mut Guest, c: u16, stream: GuestWord) -> Result<u16, Fault> {
    let byte = if c == WEOF { None } else { crt(guest).locale.narrow_unit(c) };
    let Some(byte) = byte else { return Ok(WEOF) };
    Ok(if ungetc(guest, byte.into(), stream)? == EOF { WEOF } else { c })
}
