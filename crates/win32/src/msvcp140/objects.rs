//! `cin`, `cout`, `cerr` and `clog`, their wide forms, their buffers over the streams of the C runtime.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/iostream>.

use plat_abi::{Fault, GuestWord, Memory};

use super::ios::{Stream, format};
use super::istream::istream_new;
use super::members::kinds_of;
use super::names::{Kind, kinds, name};
use super::ostream::ostream_new;
use super::streambuf::{Buffer, load_unit, store_unit, streambuf_end};
use super::tables::{Names, names, table};
use crate::guest::Guest;
use crate::msvcrt::state::place;
use crate::msvcrt::{stdio, stream, wide_stdio};

/// Makes a buffer over stream `index` of the C runtime: 0 input, 1 output, 2 errors.
fn stdio_buffer(guest: &mut Guest, kind: Kind, index: u64) -> Result<u64, Fault> {
    let word = guest.machine().pointer_size();
    let at = place(guest, &vec![0; (Buffer::size(word) + word) as usize])?;
    Buffer::new(guest, kind, at).make(guest)?;
    guest.write_word(at, table(guest, kind.pick(kinds!("__plat_stdio_table#"))))?;
    let file = stream::iob(guest) + index * stream::size(guest.machine());
    guest.write_word(at + Buffer::size(word), file)?;
    Ok(at)
}

/// Returns the C runtime's stream behind a buffer.
fn file(guest: &Guest, this: GuestWord) -> Result<GuestWord, Fault> {
    let word = guest.machine().pointer_size();
    guest.read_word(this.0 + Buffer::size(word)).map(GuestWord)
}

/// The names of one of the objects for each kind of characters, and of the pointer to it that old programs use.
macro_rules! object {
    ($name:literal, $class:literal) => {
        object!(@names $name, concat!("w", $name), concat!("V?$basic_", $class, "@#U?$char_traits@#@std@@@1@"))
    };
    (@names $narrow:expr, $wide:expr, $class:expr) => {
        Object {
            names: [
                kinds!(concat!("?", $narrow, "@std@@3", $class, "A"))[0],
                kinds!(concat!("?", $wide, "@std@@3", $class, "A"))[1],
                kinds!(concat!("?", $wide, "@std@@3", $class, "A"))[2],
            ],
            pointers: [
                names!(concat!("?_Ptr_", $narrow, "@std@@3P*A", $class, "*A"))[0],
                names!(concat!("?_Ptr_", $wide, "@std@@3P*A", $class, "*A"))[1],
                names!(concat!("?_Ptr_", $wide, "@std@@3P*A", $class, "*A"))[2],
            ],
        }
    };
}

/// The names of one of the standard streams.
struct Object {
    names: [&'static str; 3],
    /// 32-bit first.
    pointers: Names,
}

/// Input, output, errors, errors that are kept back.
const OBJECTS: [Object; 4] = [
    object!("cin", "istream"),
    object!("cout", "ostream"),
    object!("cerr", "ostream"),
    object!("clog", "ostream"),
];

/// Makes the streams of all kinds.
///
/// # Errors
/// [`Fault`] when memory is short.
pub(super) fn attach(guest: &mut Guest) -> Result<(), Fault> {
    for kind in Kind::ALL {
        attach_kind(guest, kind)?;
    }
    Ok(())
}

/// Makes the four streams of one kind of characters.
fn attach_kind(guest: &mut Guest, kind: Kind) -> Result<(), Fault> {
    const STANDARD: u64 = 1;
    let word = guest.machine().pointer_size();
    let machine = usize::from(guest.machine().is_64());
    let objects = OBJECTS.map(|object| table(guest, kind.pick(object.names)));
    for (names, object) in OBJECTS.into_iter().zip(objects) {
        guest.write_word(table(guest, names.pointers[kind as usize][machine]), object)?;
    }
    let buffer = stdio_buffer(guest, kind, 0)?;
    istream_new(guest, kind, GuestWord(objects[0]), GuestWord(buffer), 1, 1)?;
    for (object, index) in [(objects[1], 1), (objects[2], 2), (objects[3], 2)] {
        let buffer = stdio_buffer(guest, kind, index)?;
        ostream_new(guest, kind, GuestWord(object), GuestWord(buffer), 1, 1)?;
    }
    for object in objects {
        let stream = Stream::of(guest, kind, object)?;
        guest.write_word(stream.at + word, STANDARD)?;
    }
    Stream::of(guest, kind, objects[0])?.set_tie(guest, objects[1])?;
    let errors = Stream::of(guest, kind, objects[2])?;
    errors.set_tie(guest, objects[1])?;
    errors.set_flags(guest, format::UNIT_BUFFER, format::UNIT_BUFFER)
}

/// Writes a character to the C runtime's stream behind a buffer.
fn put(guest: &mut Guest, kind: Kind, file: GuestWord, unit: u16) -> Result<Option<u16>, Fault> {
    if kind.is_narrow() {
        return stdio::fputc(guest, unit.into(), file).map(|answer| kind.of_meta(answer));
    }
    wide_stdio::fputwc(guest, unit, file).map(|answer| kind.of_meta(answer.into()))
}

/// Takes a character of the C runtime's stream behind a buffer.
fn take(guest: &mut Guest, kind: Kind, file: GuestWord) -> Result<Option<u16>, Fault> {
    if kind.is_narrow() {
        return stdio::fgetc(guest, file).map(|answer| kind.of_meta(answer));
    }
    wide_stdio::fgetwc(guest, file).map(|answer| kind.of_meta(answer.into()))
}

/// Puts a character back.
fn put_back(guest: &mut Guest, kind: Kind, file: GuestWord, unit: Option<u16>) -> Result<Option<u16>, Fault> {
    let Some(unit) = unit else { return Ok(None) };
    if kind.is_narrow() {
        return stdio::ungetc(guest, unit.into(), file).map(|answer| kind.of_meta(answer));
    }
    wide_stdio::ungetwc(guest, unit, file).map(|answer| kind.of_meta(answer.into()))
}

kinds_of! { STDIO in objects_stdio, "iostream";
    "Destroys the buffer.", "__plat_stdio_delete#*";
    stdio_delete(guest, kind, this, flags: u32) -> GuestWord {
        let _ = flags;
        streambuf_end(guest, kind, this)?;
        Ok(this)
    }

    "Writes a character.", "__plat_stdio_overflow#*";
    stdio_overflow(guest, kind, this, unit: i32) -> i32 {
        let Some(unit) = kind.of_meta(unit) else { return Ok(0) };
        let file = file(guest, this)?;
        put(guest, kind, file, unit).map(|unit| kind.meta(unit))
    }

    "Writes characters.", "__plat_stdio_xsputn#*";
    stdio_xsputn(guest, kind, this, from: GuestWord, count: i64) -> i64 {
        let file = file(guest, this)?;
        if kind.is_narrow() {
            let count = GuestWord(count.max(0) as u64);
            return stdio::fwrite(guest, from, GuestWord(1), count, file).map(|done| done.0 as i64);
        }
        for done in 0..count {
            let unit = load_unit(guest, kind, from.0 + 2 * done as u64)?;
            if put(guest, kind, file, unit)?.is_none() {
                return Ok(done);
            }
        }
        Ok(count)
    }

    "Returns the next character, which stays.", "__plat_stdio_underflow#*";
    stdio_underflow(guest, kind, this) -> i32 {
        let file = file(guest, this)?;
        let unit = take(guest, kind, file)?;
        put_back(guest, kind, file, unit).map(|unit| kind.meta(unit))
    }

    "Takes the next character.", "__plat_stdio_uflow#*";
    stdio_uflow(guest, kind, this) -> i32 {
        let file = file(guest, this)?;
        take(guest, kind, file).map(|unit| kind.meta(unit))
    }

    "Puts a character back.", "__plat_stdio_pbackfail#*";
    stdio_pbackfail(guest, kind, this, unit: i32) -> i32 {
        let file = file(guest, this)?;
        put_back(guest, kind, file, kind.of_meta(unit)).map(|unit| kind.meta(unit))
    }

    "Reads characters.", "__plat_stdio_xsgetn#*";
    stdio_xsgetn(guest, kind, this, to: GuestWord, count: i64) -> i64 {
        let file = file(guest, this)?;
        if kind.is_narrow() {
            let count = GuestWord(count.max(0) as u64);
            return stdio::fread(guest, to, GuestWord(1), count, file).map(|done| done.0 as i64);
        }
        for done in 0..count {
            let Some(unit) = take(guest, kind, file)? else { return Ok(done) };
            store_unit(guest, kind, to.0 + 2 * done as u64, unit)?;
        }
        Ok(count)
    }

    "Gives what was written to the system.", "__plat_stdio_sync#*";
    stdio_sync(guest, kind, this) -> i32 {
        let file = file(guest, this)?;
        stdio::fflush(guest, file)
    }
}
