//! `cin`, `cout`, `cerr` and `clog`, their buffers over the streams of the C runtime, and other variables.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/iostream>.

use plat_abi::{Fault, GuestWord, Memory};

use super::ios::{Stream, format};
use super::istream::istream_new;
use super::members::members;
use super::ostream::ostream_new;
use super::streambuf::{Buffer, EOF, streambuf_end};
use super::tables::table;
use crate::guest::Guest;
use crate::msvcrt::state::place;
use crate::msvcrt::{stdio, stream};

/// Makes a buffer over stream `index` of the C runtime: 0 input, 1 output, 2 errors.
fn stdio_buffer(guest: &mut Guest, index: u64) -> Result<u64, Fault> {
    let word = guest.machine().pointer_size();
    let at = place(guest, &vec![0; (Buffer::size(word) + word) as usize])?;
    Buffer::new(guest, at).make(guest)?;
    guest.write_word(at, table(guest, "__plat_stdio_table"))?;
    let file = stream::iob(guest) + index * stream::size(guest.machine());
    guest.write_word(at + Buffer::size(word), file)?;
    Ok(at)
}

/// Returns the C runtime's stream behind a buffer.
fn file(guest: &Guest, this: GuestWord) -> Result<GuestWord, Fault> {
    let word = guest.machine().pointer_size();
    guest.read_word(this.0 + Buffer::size(word)).map(GuestWord)
}

/// Makes the four streams.
///
/// # Errors
/// [`Fault`] when memory is short.
pub(super) fn attach(guest: &mut Guest) -> Result<(), Fault> {
    const STANDARD: u64 = 1;
    let word = guest.machine().pointer_size();
    let cout = table(guest, "?cout@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A");
    let cerr = table(guest, "?cerr@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A");
    let clog = table(guest, "?clog@std@@3V?$basic_ostream@DU?$char_traits@D@std@@@1@A");
    let cin = table(guest, "?cin@std@@3V?$basic_istream@DU?$char_traits@D@std@@@1@A");
    let buffer = stdio_buffer(guest, 0)?;
    istream_new(guest, GuestWord(cin), GuestWord(buffer), 1, 1)?;
    for (object, index) in [(cout, 1), (cerr, 2), (clog, 2)] {
        let buffer = stdio_buffer(guest, index)?;
        ostream_new(guest, GuestWord(object), GuestWord(buffer), 1, 1)?;
    }
    for object in [cin, cout, cerr, clog] {
        let stream = Stream::of(guest, object)?;
        guest.write_word(stream.at + word, STANDARD)?;
    }
    Stream::of(guest, cin)?.set_tie(guest, cout)?;
    let errors = Stream::of(guest, cerr)?;
    errors.set_tie(guest, cout)?;
    errors.set_flags(guest, format::UNIT_BUFFER, format::UNIT_BUFFER)
}

members! { STDIO, "iostream";
    "Destroys the buffer.", "__plat_stdio_delete" / "__plat_stdio_delete64";
    stdio_delete(guest, this, flags: u32) -> GuestWord {
        let _ = flags;
        streambuf_end(guest, this)?;
        Ok(this)
    }

    "Writes a character.", "__plat_stdio_overflow" / "__plat_stdio_overflow64";
    stdio_overflow(guest, this, byte: i32) -> i32 {
        if byte == EOF {
            return Ok(0);
        }
        let file = file(guest, this)?;
        stdio::fputc(guest, byte & 0xff, file)
    }

    "Writes characters.", "__plat_stdio_xsputn" / "__plat_stdio_xsputn64";
    stdio_xsputn(guest, this, from: GuestWord, count: i64) -> i64 {
        let file = file(guest, this)?;
        let count = GuestWord(count.max(0) as u64);
        stdio::fwrite(guest, from, GuestWord(1), count, file).map(|done| done.0 as i64)
    }

    "Returns the next character, which stays.", "__plat_stdio_underflow" / "__plat_stdio_underflow64";
    stdio_underflow(guest, this) -> i32 {
        let file = file(guest, this)?;
        match stdio::fgetc(guest, file)? {
            EOF => Ok(EOF),
            byte => stdio::ungetc(guest, byte, file),
        }
    }

    "Takes the next character.", "__plat_stdio_uflow" / "__plat_stdio_uflow64";
    stdio_uflow(guest, this) -> i32 {
        let file = file(guest, this)?;
        stdio::fgetc(guest, file)
    }

    "Puts a character back.", "__plat_stdio_pbackfail" / "__plat_stdio_pbackfail64";
    stdio_pbackfail(guest, this, byte: i32) -> i32 {
        let file = file(guest, this)?;
        if byte == EOF { Ok(EOF) } else { stdio::ungetc(guest, byte & 0xff, file) }
    }

    "Reads characters.", "__plat_stdio_xsgetn" / "__plat_stdio_xsgetn64";
    stdio_xsgetn(guest, this, to: GuestWord, count: i64) -> i64 {
        let file = file(guest, this)?;
        let count = GuestWord(count.max(0) as u64);
        stdio::fread(guest, to, GuestWord(1), count, file).map(|done| done.0 as i64)
    }

    "Gives what was written to the system.", "__plat_stdio_sync" / "__plat_stdio_sync64";
    stdio_sync(guest, this) -> i32 {
        let file = file(guest, this)?;
        stdio::fflush(guest, file)
    }
}
