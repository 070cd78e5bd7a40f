//! `std::ostream`: writing text and numbers to a buffer.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/basic-ostream-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::ios::{Stream, format, state};
use super::locale::facet_delete;
use super::members::kinds_of;
use super::names::{EOF, Kind, kinds};
use super::numbers::{Number, write_number};
use super::object::{Words, virtual_method};
use super::streambuf::{put_position, slot};
use super::tables::table;
use crate::guest::Guest;

/// Bytes from an output stream to the part that all streams share.
pub(super) fn distance(word: u64) -> u64 {
    2 * word
}

/// Makes the shared part of a stream, when the stream is no part of another, and says where streams find it.
pub(super) fn begin(guest: &Guest, kind: Kind, this: u64, bases: [&'static str; 3]) -> Result<Stream, Fault> {
    guest.write_word(this, table(guest, kind.pick(bases)))?;
    Stream::of(guest, kind, this)
}

/// Puts a stream's table in place; calls through it come with the shared part's address, as far away as `distance`.
pub(super) fn set_table(
    guest: &Guest,
    this: u64,
    stream: Stream,
    names: [&'static str; 3],
    distance: u64,
) -> Result<(), Fault> {
    stream.set_table(guest, stream.kind.pick(names))?;
    let correction = stream.at.wrapping_sub(this).wrapping_sub(distance) as u32;
    guest.write(stream.at - 4, &correction)
}

/// Gets a stream ready for output: what it is tied to is brought up to date. Says whether it can be written.
fn prefix(guest: &mut Guest, stream: Stream) -> Result<bool, Fault> {
    if stream.is_good(guest)? {
        let tied = stream.tie(guest)?;
        if tied != 0 {
            flush(guest, stream.kind, GuestWord(tied))?;
        }
    }
    stream.is_good(guest)
}

/// Ends output: a stream that keeps nothing back is brought up to date.
fn suffix(guest: &mut Guest, stream: Stream) -> Result<(), Fault> {
    if !stream.is_good(guest)? || stream.flags(guest)? & format::UNIT_BUFFER == 0 {
        return Ok(());
    }
    if let Some(buffer) = stream.buffer(guest)?
        && buffer.sync(guest)? == EOF
    {
        stream.fail(guest, state::BAD)?;
    }
    Ok(())
}

/// Brings what lies behind a stream up to date.
pub(super) fn flush(guest: &mut Guest, kind: Kind, this: GuestWord) -> Result<(), Fault> {
    let stream = Stream::of(guest, kind, this.0)?;
    if let Some(buffer) = stream.buffer(guest)?
        && stream.is_good(guest)?
        && buffer.sync(guest)? == EOF
    {
        stream.fail(guest, state::BAD)?;
    }
    Ok(())
}

fn number(guest: &mut Guest, kind: Kind, this: GuestWord, value: Number) -> Result<GuestWord, Fault> {
    let stream = Stream::of(guest, kind, this.0)?;
    if prefix(guest, stream)?
        && let Some(buffer) = stream.buffer(guest)?
    {
        let text = write_number(guest, stream, value)?;
        if !buffer.put_units(guest, &text)? {
            stream.fail(guest, state::BAD)?;
        }
    }
    suffix(guest, stream)?;
    Ok(this)
}

kinds_of! { EXPORTS in ostream_exports, "basic-ostream-class";
    "Makes an output stream.", "??0?$basic_ostream@^Q*A+@P*AV?$basic_streambuf@#U?$char_traits@#@std@@@1@_N@Z";
    ostream_new(guest, kind, this, buffer: GuestWord, is_standard: u8, is_whole: i32) -> GuestWord {
        let _ = is_standard;
        let word = guest.machine().pointer_size();
        let stream = if is_whole != 0 {
            begin(guest, kind, this.0, kinds!("??_8?$basic_ostream@^7B@"))?
        } else {
            Stream::of(guest, kind, this.0)?
        };
        set_table(guest, this.0, stream, kinds!("??_7?$basic_ostream@^6B@"), distance(word))?;
        stream.init(guest, buffer.0)?;
        Ok(this)
    }

    "Makes the part of a stream for input and output that writes: the other part has set the fields.",
    "??0?$basic_ostream@^Q*A+@W4_Uninitialized@1@_N@Z";
    ostream_new_part(guest, kind, this, marker: i32, adds: u8, is_whole: i32) -> GuestWord {
        let _ = (marker, adds, is_whole);
        let word = guest.machine().pointer_size();
        let stream = Stream::of(guest, kind, this.0)?;
        set_table(guest, this.0, stream, kinds!("??_7?$basic_ostream@^6B@"), distance(word))?;
        Ok(this)
    }

    "Ends an output stream; what all streams share ends by itself.", "??1?$basic_ostream@^U*A+@XZ";
    ostream_end(guest, kind, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Brings what lies behind up to date.", "?flush@?$basic_ostream@^Q*A+A*AV12@XZ";
    ostream_flush(guest, kind, this) -> GuestWord {
        flush(guest, kind, this)?;
        Ok(this)
    }

    "Ends output.", "?_Osfx@?$basic_ostream@^Q*A+XXZ";
    ostream_suffix(guest, kind, this) -> () {
        let stream = Stream::of(guest, kind, this.0)?;
        suffix(guest, stream)
    }

    "Ends output.", "?osfx@?$basic_ostream@^Q*A+XXZ";
    ostream_suffix_old(guest, kind, this) -> () { ostream_suffix(guest, kind, this) }

    "Gets the stream ready for output.", "?opfx@?$basic_ostream@^Q*A+_NXZ";
    ostream_prefix(guest, kind, this) -> u8 {
        let stream = Stream::of(guest, kind, this.0)?;
        prefix(guest, stream).map(u8::from)
    }

    "Writes a character.", "?put@?$basic_ostream@^Q*A+A*AV12@#@Z";
    ostream_put(guest, kind, this, unit: u32) -> GuestWord {
        let stream = Stream::of(guest, kind, this.0)?;
        let done = match stream.buffer(guest)? {
            Some(buffer) if prefix(guest, stream)? => buffer.put(guest, kind.value(unit))?.is_some(),
            _ => false,
        };
        if !done {
            stream.fail(guest, state::BAD)?;
        }
        suffix(guest, stream)?;
        Ok(this)
    }

    "Writes characters.", "?write@?$basic_ostream@^Q*A+A*AV12@P*B#_J@Z";
    ostream_write(guest, kind, this, from: GuestWord, count: i64) -> GuestWord {
        let stream = Stream::of(guest, kind, this.0)?;
        let done = match stream.buffer(guest)? {
            Some(buffer) if prefix(guest, stream)? => buffer.put_all(guest, from.0, count)? == count,
            _ => false,
        };
        if !done {
            stream.fail(guest, state::BAD)?;
        }
        suffix(guest, stream)?;
        Ok(this)
    }

    "Returns the position.", "?tellp@?$basic_ostream@^Q*A+?AV?$fpos@U_Mbstatet@@@2@XZ";
    ostream_tellp(guest, kind, this, to: GuestWord) -> GuestWord {
        const CURRENT: u64 = 1;
        tell(guest, kind, this, to, [0, CURRENT, 2])
    }

    "Moves the position by an offset.", "?seekp@?$basic_ostream@^Q*A+A*AV12@_JH@Z";
    ostream_seekp(guest, kind, this, offset: i64, way: i32) -> GuestWord {
        seek(guest, kind, this, [offset as u64, way as u64, 2])
    }

    "Sets the position.", "?seekp@?$basic_ostream@^Q*A+A*AV12@V?$fpos@U_Mbstatet@@@2@@Z";
    ostream_seekp_to(guest, kind, this, offset: i64, file: i64, state: i64) -> GuestWord {
        let to = position(guest, [offset, file, state])?;
        seek(guest, kind, this, [to as u64, 0, 2])
    }
}

kinds_of! { NUMBERS in ostream_numbers, "basic-ostream-class";
    "Writes `true` or `false`, or 1 or 0.", "??6?$basic_ostream@^Q*A+A*AV01@_N@Z";
    ostream_bool(guest, kind, this, value: u8) -> GuestWord { number(guest, kind, this, Number::Bool(value != 0)) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@F@Z";
    ostream_i16(guest, kind, this, value: i16) -> GuestWord { number(guest, kind, this, Number::Signed(value.into(), 16)) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@G@Z";
    ostream_u16(guest, kind, this, value: u16) -> GuestWord { number(guest, kind, this, Number::Unsigned(value.into())) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@H@Z";
    ostream_i32(guest, kind, this, value: i32) -> GuestWord { number(guest, kind, this, Number::Signed(value.into(), 32)) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@I@Z";
    ostream_u32(guest, kind, this, value: u32) -> GuestWord { number(guest, kind, this, Number::Unsigned(value.into())) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@J@Z";
    ostream_long(guest, kind, this, value: i32) -> GuestWord { ostream_i32(guest, kind, this, value) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@K@Z";
    ostream_unsigned_long(guest, kind, this, value: u32) -> GuestWord { ostream_u32(guest, kind, this, value) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@_J@Z";
    ostream_i64(guest, kind, this, value: i64) -> GuestWord { number(guest, kind, this, Number::Signed(value, 64)) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@_K@Z";
    ostream_u64(guest, kind, this, value: u64) -> GuestWord { number(guest, kind, this, Number::Unsigned(value)) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@M@Z";
    ostream_f32(guest, kind, this, value: f32) -> GuestWord { number(guest, kind, this, Number::Float(value.into())) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@N@Z";
    ostream_f64(guest, kind, this, value: f64) -> GuestWord { number(guest, kind, this, Number::Float(value)) }

    "Writes a number.", "??6?$basic_ostream@^Q*A+A*AV01@O@Z";
    ostream_long_double(guest, kind, this, value: f64) -> GuestWord { ostream_f64(guest, kind, this, value) }

    "Writes an address.", "??6?$basic_ostream@^Q*A+A*AV01@P*BX@Z";
    ostream_pointer(guest, kind, this, value: GuestWord) -> GuestWord { number(guest, kind, this, Number::Pointer(value.0)) }

    "Lets a function have the stream.", "??6?$basic_ostream@^Q*A+A*AV01@P6AA*AV01@A*AV01@@Z@Z";
    ostream_manipulate(guest, kind, this, function: GuestWord) -> GuestWord {
        guest.call(function.0, &[this.0]).map(GuestWord)
    }

    "Lets a function have what all streams share.", "??6?$basic_ostream@^Q*A+A*AV01@P6AA*AVios_base@1@A*AV21@@Z@Z";
    ostream_manipulate_base(guest, kind, this, function: GuestWord) -> GuestWord {
        let stream = Stream::of(guest, kind, this.0)?;
        guest.call(function.0, &[stream.at])?;
        Ok(this)
    }

    "Lets a function have what all streams share.", "??6?$basic_ostream@^Q*A+A*AV01@P6AA*AV?$basic_ios@#U?$char_traits@#@std@@@1@A*AV21@@Z@Z";
    ostream_manipulate_ios(guest, kind, this, function: GuestWord) -> GuestWord { ostream_manipulate_base(guest, kind, this, function) }

    "Writes all that a buffer has.", "??6?$basic_ostream@^Q*A+A*AV01@P*AV?$basic_streambuf@#U?$char_traits@#@std@@@1@@Z";
    ostream_buffer(guest, kind, this, from: GuestWord) -> GuestWord {
        let stream = Stream::of(guest, kind, this.0)?;
        let mut copied = false;
        if let Some(to) = stream.buffer(guest)?
            && from.0 != 0
            && prefix(guest, stream)?
        {
            let from = super::streambuf::Buffer::new(guest, kind, from.0);
            let mut next = from.peek(guest)?;
            while let Some(unit) = next
                && to.put(guest, unit)?.is_some()
            {
                copied = true;
                next = from.next_char(guest)?;
            }
        }
        stream.set_width(guest, 0)?;
        if !copied {
            stream.fail(guest, if from.0 == 0 { state::BAD } else { state::FAIL })?;
        }
        suffix(guest, stream)?;
        Ok(this)
    }
}

/// Asks the buffer where it is: offset, from where, which area.
pub(super) fn tell(
    guest: &mut Guest,
    kind: Kind,
    this: GuestWord,
    to: GuestWord,
    [offset, way, which]: [u64; 3],
) -> Result<GuestWord, Fault> {
    let stream = Stream::of(guest, kind, this.0)?;
    let failed = stream.state(guest)? & (state::FAIL | state::BAD) != 0;
    match stream.buffer(guest)? {
        Some(buffer) if !failed => {
            let words = Words::new(guest).word(to.0).long(offset).word(way).word(which);
            virtual_method(guest, buffer.at, slot::SEEKOFF, words)?;
        }
        _ => put_position(guest, to.0, -1)?,
    }
    Ok(to)
}

/// Moves the buffer's position; a failure makes the stream fail.
pub(super) fn seek(
    guest: &mut Guest,
    kind: Kind,
    this: GuestWord,
    how: [u64; 3],
) -> Result<GuestWord, Fault> {
    let stream = Stream::of(guest, kind, this.0)?;
    if stream.state(guest)? & (state::FAIL | state::BAD) != 0 {
        return Ok(this);
    }
    let held = crate::msvcrt::state::place(guest, &[0; 24])?;
    tell(guest, kind, this, GuestWord(held), how)?;
    let (offset, file): (i64, i64) = (guest.read(held)?, guest.read(held + 8)?);
    guest.process().heaps.free(0, held);
    if offset.wrapping_add(file) == -1 {
        stream.fail(guest, state::FAIL)?;
    }
    Ok(this)
}

/// Reads a position that a call has by value: three numbers, in 64-bit programs their address.
pub(super) fn position(guest: &Guest, [offset, file, _]: [i64; 3]) -> Result<i64, Fault> {
    if !guest.machine().is_64() {
        return Ok(offset.wrapping_add(file));
    }
    let at = offset as u64;
    Ok(guest.read::<i64>(at)?.wrapping_add(guest.read::<i64>(at + 8)?))
}

kinds_of! { ENDS in ostream_ends, "basic-ostream-class";
    "Destroys an output stream, through what all streams share; frees it when asked.", "__plat_ostream_delete#*";
    ostream_delete(guest, kind, this, flags: u32) -> GuestWord {
        super::ios::ios_end(guest, kind, this)?;
        let start = this.0 - distance(guest.machine().pointer_size());
        facet_delete(guest, GuestWord(start), flags)
    }
}
