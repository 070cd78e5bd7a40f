//! Streams as the Universal CRT exports them: functions in place of `_iob`, variants that take no lock, C11's additions.

use plat_abi::{GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::msvcrt::define::define;
use crate::msvcrt::errno::{EINVAL, ERANGE};
use crate::msvcrt::state::set_errno;
use crate::msvcrt::stdio::{fflush, fgetc, fputc, fread, fwrite, ungetc};
use crate::msvcrt::wide_stdio::{fgetwc, fputwc, ungetwc};
use crate::msvcrt::{fopen, stream, string};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! { full __acrt_iob_func; full _get_stream_buffer_pointers; };

/// What msvcr80.dll and all after it have, too. The functions without a lock take it all the same: a thread may take it twice.
pub const STANDARD_EXPORTS: &[Export] = dll! {
    full "_fputc_nolock" = fputc; full "_putc_nolock" = fputc; full "_fgetc_nolock" = fgetc; full "_getc_nolock" = fgetc;
    full "_ungetc_nolock" = ungetc; full "_fread_nolock" = fread; full "_fwrite_nolock" = fwrite; full "_fflush_nolock" = fflush;
    full "_fputwc_nolock" = fputwc; full "_putwc_nolock" = fputwc; full "_fgetwc_nolock" = fgetwc; full "_getwc_nolock" = fgetwc;
    full "_ungetwc_nolock" = ungetwc;
    full "_fclose_nolock" = fopen::fclose; full "_fseek_nolock" = fopen::fseek; full "_fseeki64_nolock" = fopen::_fseeki64;
    full "_ftell_nolock" = fopen::ftell; full "_ftelli64_nolock" = fopen::_ftelli64;
    full fread_s; full "_fread_nolock_s" = fread_s; full gets_s; full clearerr_s;
};

define! {
    "Returns the standard input, output or error.", "internal-crt-globals-and-functions";
    __acrt_iob_func(guest, index: u32) -> GuestWord {
        let index = u64::from(index.min(19));
        Ok(GuestWord(stream::iob(guest) + index * stream::size(guest.machine())))
    }

    "Stores where a stream keeps its buffer's start, its place in it, and the count of bytes left.", "get-stream-buffer-pointers";
    _get_stream_buffer_pointers(guest, stream: GuestWord, base: GuestWord, ptr: GuestWord, count: GuestWord) -> i32 {
        let word = guest.machine().pointer_size();
        for (to, offset) in [(base, 2 * word), (ptr, 0), (count, word)] {
            if !to.is_null() {
                guest.write_word(to.0, stream.0 + offset)?;
            }
        }
        Ok(0)
    }

    "Reads elements into a buffer of known size; ERANGE when they would not fit.", "fread-s";
    fread_s(guest, buffer: GuestWord, bufferSize: GuestWord, elementSize: GuestWord, count: GuestWord, stream: GuestWord) -> GuestWord {
        if elementSize.0.saturating_mul(count.0) > bufferSize.0 {
            if !buffer.is_null() {
                string::fill(guest, buffer.0, bufferSize.0)?;
            }
            return set_errno(guest, ERANGE).map(|()| GuestWord::NULL);
        }
        fread(guest, buffer, elementSize, count, stream)
    }

    "Reads a line of the standard input into a buffer of known size; empty and ERANGE when it does not fit.", "gets-s-getws-s";
    gets_s(guest, buffer: GuestWord, sizeInCharacters: GuestWord) -> GuestWord {
        let file = stream::iob(guest);
        let Some(mut line) = crate::msvcrt::stdio::read_line(guest, file, usize::MAX)? else {
            return Ok(GuestWord::NULL);
        };
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.len() as u64 >= sizeInCharacters.0 {
            return set_errno(guest, ERANGE).map(|()| GuestWord::NULL);
        }
        crate::msvcrt::state::write_narrow_z(guest, buffer.0, &line)?;
        Ok(buffer)
    }

    "Clears a stream's error and end; returns 0, or EINVAL.", "clearerr-s";
    clearerr_s(guest, stream: GuestWord) -> i32 {
        if stream.is_null() {
            return set_errno(guest, EINVAL).map(|()| EINVAL);
        }
        crate::msvcrt::stdio::clearerr(guest, stream)?;
        Ok(0)
    }
}
