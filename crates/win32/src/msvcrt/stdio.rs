//! stdio.h: streams. The mechanics live in `stream.rs`, formatted output in `format.rs`, input in `scan.rs`.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::stream::{self, EOF, FILE, IOEOF, IOERR};
use super::stream_leaves::{FGETC, FPUTC};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full __iob_func;
    code fputc: FPUTC;
    code putc: FPUTC;
    full "_fputchar" = putchar;
    full putchar;
    full puts;
    full fputs;
    full fwrite;
    full _flsbuf;
    code fgetc: FGETC;
    code getc: FGETC;
    full "_fgetchar" = getchar;
    full getchar;
    full ungetc;
    full fgets;
    full gets;
    full fread;
    full _filbuf;
    full fflush;
    full _flushall;
    full feof;
    full ferror;
    full clearerr;
    full _fileno;
    full "fileno" = _fileno;
    full perror;
    full _getw;
    full _putw;
};

/// The most that fread and fwrite copy through the host in one piece, in bytes.
const PIECE: u64 = 1 << 18;

/// Returns the address of the standard streams.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/stdin-stdout-stderr>
#[winapi(cdecl)]
pub fn __iob_func(guest: &mut Guest) -> GuestWord {
    GuestWord(stream::iob(guest))
}

fn put(guest: &mut Guest, file: u64, bytes: &[u8]) -> Result<bool, Fault> {
    let written = stream::with(guest, file, |guest, stream| stream::put(guest, file, stream, bytes))?;
    Ok(written == bytes.len())
}

fn stdout(guest: &Guest) -> u64 {
    stream::iob(guest) + stream::size(guest.machine())
}

/// Writes one byte; returns it, or `EOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fputc-fputwc>
#[winapi(cdecl)]
pub fn fputc(guest: &mut Guest, c: i32, stream: GuestWord) -> Result<i32, Fault> {
    Ok(if put(guest, stream.0, &[c as u8])? { c & 0xff } else { EOF })
}

/// Writes one byte to the standard output; returns it, or `EOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/putc-putchar>
#[winapi(cdecl)]
pub fn putchar(guest: &mut Guest, c: i32) -> Result<i32, Fault> {
    let file = stdout(guest);
    fputc(guest, c, GuestWord(file))
}

/// Writes a string and a line end to the standard output; returns 0, or `EOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/puts-putws>
#[winapi(cdecl)]
pub fn puts(guest: &mut Guest, str: GuestWord) -> Result<i32, Fault> {
    let mut text = guest.read_c_string(str.0)?;
    text.push(b'\n');
    let file = stdout(guest);
    Ok(if put(guest, file, &text)? { 0 } else { EOF })
}

/// Writes a string; returns 0, or `EOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fputs-fputws>
#[winapi(cdecl)]
pub fn fputs(guest: &mut Guest, str: GuestWord, stream: GuestWord) -> Result<i32, Fault> {
    let text = guest.read_c_string(str.0)?;
    Ok(if put(guest, stream.0, &text)? { 0 } else { EOF })
}

/// Writes `count` items of `size` bytes; returns how many were written.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fwrite>
#[winapi(cdecl)]
pub fn fwrite(
    guest: &mut Guest,
    buffer: GuestWord,
    size: GuestWord,
    count: GuestWord,
    stream: GuestWord,
) -> Result<GuestWord, Fault> {
    let total = size.0.saturating_mul(count.0);
    if total == 0 {
        return Ok(GuestWord(0));
    }
    let done = stream::with(guest, stream.0, |guest, file| {
        let mut done = 0;
        while done < total {
            let piece = guest.read_vec(buffer.0.wrapping_add(done), PIECE.min(total - done))?;
            let written = stream::put(guest, stream.0, file, &piece)?;
            done += written as u64;
            if written < piece.len() {
                break;
            }
        }
        Ok(done)
    })?;
    Ok(GuestWord(done / size.0))
}

/// Makes room in a full buffer and writes one byte: what the macro `putc` calls.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/flsbuf>
#[winapi(cdecl)]
pub fn _flsbuf(guest: &mut Guest, ch: i32, str: GuestWord) -> Result<i32, Fault> {
    fputc(guest, ch, str)
}

/// Reads one byte; `EOF` at the end or on an error.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fgetc-fgetwc>
#[winapi(cdecl)]
pub fn fgetc(guest: &mut Guest, stream: GuestWord) -> Result<i32, Fault> {
    let byte = stream::with(guest, stream.0, |guest, file| stream::take(guest, stream.0, file))?;
    Ok(byte.map_or(EOF, i32::from))
}

/// Reads one byte of the standard input.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getc-getchar>
#[winapi(cdecl)]
pub fn getchar(guest: &mut Guest) -> Result<i32, Fault> {
    let file = stream::iob(guest);
    fgetc(guest, GuestWord(file))
}

/// Puts a byte back; returns it, or `EOF` when there is no room or it is `EOF` itself.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/ungetc-ungetwc>
#[winapi(cdecl)]
pub fn ungetc(guest: &mut Guest, c: i32, stream: GuestWord) -> Result<i32, Fault> {
    if c == EOF {
        return Ok(EOF);
    }
    let done = stream::with(guest, stream.0, |guest, file| stream::put_back(guest, stream.0, file, c as u8))?;
    Ok(if done { c & 0xff } else { EOF })
}

/// Reads a line of at most `max` bytes, its end included; `None` at the end.
pub(crate) fn read_line(guest: &mut Guest, file: u64, max: usize) -> Result<Option<Vec<u8>>, Fault> {
    stream::with(guest, file, |guest, stream| {
        let mut line = Vec::new();
        while line.len() < max {
            if stream._cnt <= 0 && !stream::fill(guest, file, stream)? {
                break;
            }
            // What the buffer holds, up to the line's end.
            let wanted = (stream._cnt as usize).min(max - line.len());
            let piece = guest.read_vec(stream._ptr.0, wanted as u64)?;
            let end = piece.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(piece.len(), |end| end + 1);
            line.extend_from_slice(&piece[..taken]);
            stream._ptr.0 += taken as u64;
            stream._cnt -= taken as i32;
            if end.is_some() {
                break;
            }
        }
        Ok(if line.is_empty() && max > 0 { None } else { Some(line) })
    })
}

/// Reads a line of at most `numChars` - 1 bytes, its end included; null at the end.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fgets-fgetws>
#[winapi(cdecl)]
pub fn fgets(
    guest: &mut Guest,
    str: GuestWord,
    numChars: i32,
    stream: GuestWord,
) -> Result<GuestWord, Fault> {
    let Some(max) = usize::try_from(numChars - 1).ok() else { return Ok(GuestWord::NULL) };
    let Some(line) = read_line(guest, stream.0, max)? else { return Ok(GuestWord::NULL) };
    super::state::write_narrow_z(guest, str.0, &line)?;
    Ok(str)
}

/// Reads a line of the standard input without its end; null at the end.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/gets-getws>
#[winapi(cdecl)]
pub fn gets(guest: &mut Guest, buffer: GuestWord) -> Result<GuestWord, Fault> {
    let file = stream::iob(guest);
    let Some(mut line) = read_line(guest, file, usize::MAX)? else { return Ok(GuestWord::NULL) };
    line.pop_if(|last| *last == b'\n');
    super::state::write_narrow_z(guest, buffer.0, &line)?;
    Ok(buffer)
}

/// Reads `count` items of `size` bytes; returns how many were read whole.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fread>
#[winapi(cdecl)]
pub fn fread(
    guest: &mut Guest,
    buffer: GuestWord,
    size: GuestWord,
    count: GuestWord,
    stream: GuestWord,
) -> Result<GuestWord, Fault> {
    let total = size.0.saturating_mul(count.0);
    if total == 0 {
        return Ok(GuestWord(0));
    }
    let done = stream::with(guest, stream.0, |guest, file| {
        let mut done = 0;
        while done < total {
            let taken = read_some(guest, stream.0, file, buffer.0.wrapping_add(done), total - done)?;
            if taken == 0 {
                break;
            }
            done += taken;
        }
        Ok(done)
    })?;
    Ok(GuestWord(done / size.0))
}

/// Reads from the buffer, or past an empty one when much is asked for; returns how many bytes, 0 at the end.
fn read_some(guest: &mut Guest, address: u64, file: &mut FILE, to: u64, wanted: u64) -> Result<u64, Fault> {
    let size = u64::from(file._bufsiz.unsigned_abs());
    let is_direct = file._cnt <= 0 && file._base.0 != 0 && wanted >= size && file.has(stream::IOREAD);
    if is_direct && !file.has(stream::IOWRT) {
        // Whole buffers go straight to their place.
        let length = (wanted - wanted % size.max(1)).min(1 << 30);
        let count = super::fd::read_guest(guest, file._file, to, length)?;
        file._ptr = file._base;
        file._cnt = 0;
        file._flag |= if count == 0 {
            IOEOF
        } else if count < 0 {
            IOERR
        } else {
            0
        };
        return Ok(count.max(0) as u64);
    }
    if file._cnt <= 0 && !stream::fill(guest, address, file)? {
        return Ok(0);
    }
    let length = wanted.min(file._cnt as u64);
    let bytes = guest.read_vec(file._ptr.0, length)?;
    guest.write_bytes(to, &bytes)?;
    file._ptr.0 += length;
    file._cnt -= length as i32;
    Ok(length)
}

/// Fills an empty buffer and reads one byte: what the macro `getc` calls.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/filbuf>
#[winapi(cdecl)]
pub fn _filbuf(guest: &mut Guest, str: GuestWord) -> Result<i32, Fault> {
    stream::with(guest, str.0, |_, file| {
        // The macro has counted below zero.
        file._cnt = file._cnt.max(0);
        Ok(())
    })?;
    fgetc(guest, str)
}

/// Writes out a stream's buffer, or those of all streams for null; returns 0, or `EOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fflush>
#[winapi(cdecl)]
pub fn fflush(guest: &mut Guest, stream: GuestWord) -> Result<i32, Fault> {
    if stream.is_null() {
        return stream::flush_all(guest).map(|_| 0);
    }
    let done = stream::with(guest, stream.0, stream::flush)?;
    Ok(if done { 0 } else { EOF })
}

/// Writes out the buffers of all streams; returns how many are open.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/flushall>
#[winapi(cdecl)]
pub fn _flushall(guest: &mut Guest) -> Result<i32, Fault> {
    stream::flush_all(guest)
}

/// Says whether the end was met.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/feof>
#[winapi(cdecl)]
pub fn feof(guest: &mut Guest, stream: GuestWord) -> Result<i32, Fault> {
    let file: FILE = guest.read(stream.0)?;
    Ok((file._flag & IOEOF) as i32)
}

/// Says whether an error was met.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/ferror>
#[winapi(cdecl)]
pub fn ferror(guest: &mut Guest, stream: GuestWord) -> Result<i32, Fault> {
    let file: FILE = guest.read(stream.0)?;
    Ok((file._flag & IOERR) as i32)
}

/// Forgets that an error or the end was met.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/clearerr>
#[winapi(cdecl)]
pub fn clearerr(guest: &mut Guest, stream: GuestWord) -> Result<(), Fault> {
    stream::with(guest, stream.0, |_, file| {
        file._flag &= !(IOEOF | IOERR);
        Ok(())
    })
}

/// Returns a stream's descriptor.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/fileno>
#[winapi(cdecl)]
pub fn _fileno(guest: &mut Guest, stream: GuestWord) -> Result<i32, Fault> {
    let file: FILE = guest.read(stream.0)?;
    Ok(file._file)
}

/// Writes a message and the text of `errno` to the standard error.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/perror-wperror>
#[winapi(cdecl)]
pub fn perror(guest: &mut Guest, message: GuestWord) -> Result<(), Fault> {
    let mut text = if message.is_null() { Vec::new() } else { guest.read_c_string(message.0)? };
    if !text.is_empty() {
        text.extend(b": ");
    }
    text.extend(super::errno::text(super::state::errno(guest)?).bytes());
    text.push(b'\n');
    super::fd::write_to(guest, 2, &text).map(|_| ())
}

/// Reads an `int` in binary; `EOF` at the end.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getw>
#[winapi(cdecl)]
pub fn _getw(guest: &mut Guest, stream: GuestWord) -> Result<i32, Fault> {
    stream::with(guest, stream.0, |guest, file| {
        let mut bytes = [0; 4];
        for byte in &mut bytes {
            match stream::take(guest, stream.0, file)? {
                Some(value) => *byte = value,
                None => return Ok(EOF),
            }
        }
        Ok(i32::from_le_bytes(bytes))
    })
}

/// Writes an `int` in binary; returns it, or `EOF`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/putw>
#[winapi(cdecl)]
pub fn _putw(guest: &mut Guest, binint: i32, stream: GuestWord) -> Result<i32, Fault> {
    Ok(if put(guest, stream.0, &binint.to_le_bytes())? { binint } else { EOF })
}
