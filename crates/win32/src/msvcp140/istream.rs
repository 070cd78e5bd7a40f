//! `std::istream` and `std::iostream`: reading text and numbers from a buffer.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/basic-istream-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::ios::{Stream, format, state};
use super::locale::facet_delete;
use super::members::kinds_of;
use super::names::{EOF, Kind, kinds};
use super::ostream::{begin, flush, position, seek, set_table, tell};
use super::reading::{Wanted, read_number};
use super::streambuf::{Buffer, store_unit};
use crate::guest::Guest;

/// Bytes from an input stream to the part that all streams share.
pub(super) const DISTANCE: u64 = 24;

/// The same for a stream for input and output.
pub(super) const BOTH_DISTANCE: u64 = 32;

/// Bytes from a stream for input and output to its part for output.
pub(super) const OUTPUT_PART: u64 = 16;

/// Reads from the beginning, from here, of the get area.
const CURRENT: u64 = 1;
const GET_AREA: u64 = 1;

/// Where a stream counts what it read last.
pub(super) fn count_at(this: GuestWord) -> u64 {
    this.0 + 8
}

/// Says whether a character is a blank.
fn is_space(kind: Kind, unit: Option<u16>) -> bool {
    const SPACE: u16 = 8;
    unit.is_some_and(|unit| super::facets::class_of(kind, unit) & SPACE != 0)
}

/// Gets a stream ready for input: what it is tied to is brought up to date, blanks are passed. Says whether it can be read.
fn prefix(guest: &mut Guest, stream: Stream, keeps_blanks: bool) -> Result<bool, Fault> {
    if !stream.is_good(guest)? {
        stream.fail(guest, state::FAIL)?;
        return Ok(false);
    }
    let tied = stream.tie(guest)?;
    if tied != 0 {
        flush(guest, stream.kind, GuestWord(tied))?;
    }
    if !keeps_blanks
        && stream.flags(guest)? & format::SKIP_SPACE != 0
        && let Some(buffer) = stream.buffer(guest)?
    {
        let mut next = buffer.peek(guest)?;
        while is_space(stream.kind, next) {
            next = buffer.next_char(guest)?;
        }
        if next.is_none() {
            stream.fail(guest, state::EOF)?;
        }
    }
    if stream.is_good(guest)? {
        return Ok(true);
    }
    stream.fail(guest, state::FAIL)?;
    Ok(false)
}

/// Begins to read without passing blanks; `None` where that is not possible.
fn ready(guest: &mut Guest, kind: Kind, this: GuestWord) -> Result<(Stream, Option<Buffer>), Fault> {
    guest.write(count_at(this), &0_i64)?;
    let stream = Stream::of(guest, kind, this.0)?;
    let buffer = if prefix(guest, stream, true)? { stream.buffer(guest)? } else { None };
    Ok((stream, buffer))
}

/// What ends a line.
const LINE_END: u16 = b'\n' as u16;

/// How a line is read.
#[derive(Clone, Copy, Debug)]
struct Line {
    to: GuestWord,
    room: i64,
    end: u16,
    /// Whether the character at the end is taken, too.
    takes_end: bool,
}

fn read_line(guest: &mut Guest, kind: Kind, this: GuestWord, line: Line) -> Result<GuestWord, Fault> {
    let (stream, buffer) = ready(guest, kind, this)?;
    let (mut written, mut taken, mut outcome) = (0_i64, 0_i64, 0);
    let place = |written: i64| line.to.0 + written as u64 * kind.unit();
    match buffer {
        Some(_) if line.room <= 0 => outcome |= state::FAIL,
        Some(buffer) => {
            let mut next = buffer.peek(guest)?;
            loop {
                match next {
                    None => outcome |= state::EOF,
                    Some(unit) if unit == line.end => {
                        if line.takes_end {
                            taken += 1;
                            buffer.bump(guest)?;
                        }
                    }
                    Some(_) if written + 1 >= line.room => {
                        outcome |= if line.takes_end { state::FAIL } else { 0 };
                    }
                    Some(unit) => {
                        store_unit(guest, kind, place(written), unit)?;
                        written += 1;
                        next = buffer.next_char(guest)?;
                        continue;
                    }
                }
                break;
            }
        }
        None => {}
    }
    taken += written;
    if line.room > 0 {
        store_unit(guest, kind, place(written), 0)?;
    }
    guest.write(count_at(this), &taken)?;
    stream.fail(guest, outcome | if taken == 0 { state::FAIL } else { 0 })?;
    Ok(this)
}

kinds_of! { EXPORTS in istream_exports, "basic-istream-class";
    "Makes an input stream.", "??0?$basic_istream@^Q*A+@P*AV?$basic_streambuf@#U?$char_traits@#@std@@@1@_N@Z";
    istream_new(guest, kind, this, buffer: GuestWord, is_standard: u8, is_whole: i32) -> GuestWord {
        let _ = is_standard;
        let stream = if is_whole != 0 {
            begin(guest, kind, this.0, kinds!("??_8?$basic_istream@^7B@"))?
        } else {
            Stream::of(guest, kind, this.0)?
        };
        set_table(guest, this.0, stream, kinds!("??_7?$basic_istream@^6B@"), DISTANCE)?;
        guest.write(count_at(this), &0_i64)?;
        stream.init(guest, buffer.0)?;
        Ok(this)
    }

    "Ends an input stream; what all streams share ends by itself.", "??1?$basic_istream@^U*A+@XZ";
    istream_end(guest, kind, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Makes a stream for input and output.", "??0?$basic_iostream@^Q*A+@P*AV?$basic_streambuf@#U?$char_traits@#@std@@@1@@Z";
    iostream_new(guest, kind, this, buffer: GuestWord, is_whole: i32) -> GuestWord {
        if is_whole != 0 {
            let bases = kinds!("??_8?$basic_iostream@^7B?$basic_istream@#U?$char_traits@#@std@@@1@@");
            begin(guest, kind, this.0, bases)?;
            let bases = kinds!("??_8?$basic_iostream@^7B?$basic_ostream@#U?$char_traits@#@std@@@1@@");
            begin(guest, kind, this.0 + OUTPUT_PART, bases)?;
        }
        istream_new(guest, kind, this, buffer, 0, 0)?;
        let stream = Stream::of(guest, kind, this.0)?;
        set_table(guest, this.0, stream, kinds!("??_7?$basic_iostream@^6B@"), BOTH_DISTANCE)?;
        Ok(this)
    }

    "Ends a stream for input and output.", "??1?$basic_iostream@^U*A+@XZ";
    iostream_end(guest, kind, this) -> () { istream_end(guest, kind, this) }

    "Gets the stream ready for input.", "?_Ipfx@?$basic_istream@^Q*A+_N_N@Z";
    istream_prefix(guest, kind, this, keeps_blanks: u8) -> u8 {
        let stream = Stream::of(guest, kind, this.0)?;
        prefix(guest, stream, keeps_blanks != 0).map(u8::from)
    }

    "Gets the stream ready for input.", "?ipfx@?$basic_istream@^Q*A+_N_N@Z";
    istream_prefix_old(guest, kind, this, keeps_blanks: u8) -> u8 { istream_prefix(guest, kind, this, keeps_blanks) }

    "Returns how many characters were read last.", "?gcount@?$basic_istream@^Q*B+_JXZ";
    istream_gcount(guest, kind, this) -> i64 {
        guest.read(count_at(this))
    }

    "Reads a character.", "?get@?$basic_istream@^Q*A+%XZ";
    istream_get(guest, kind, this) -> i32 { take(guest, kind, this).map(|unit| kind.meta(unit)) }

    "Reads a character.", "?get@?$basic_istream@^Q*A+A*AV12@A*A#@Z";
    istream_get_to(guest, kind, this, to: GuestWord) -> GuestWord {
        if let Some(unit) = take(guest, kind, this)? {
            store_unit(guest, kind, to.0, unit)?;
        }
        Ok(this)
    }

    "Reads up to the end of a line, which stays.", "?get@?$basic_istream@^Q*A+A*AV12@P*A#_J@Z";
    istream_get_line(guest, kind, this, to: GuestWord, room: i64) -> GuestWord {
        read_line(guest, kind, this, Line { to, room, end: LINE_END, takes_end: false })
    }

    "Reads up to a character, which stays.", "?get@?$basic_istream@^Q*A+A*AV12@P*A#_J#@Z";
    istream_get_until(guest, kind, this, to: GuestWord, room: i64, end: u32) -> GuestWord {
        read_line(guest, kind, this, Line { to, room, end: kind.value(end), takes_end: false })
    }

    "Reads a line.", "?getline@?$basic_istream@^Q*A+A*AV12@P*A#_J@Z";
    istream_getline(guest, kind, this, to: GuestWord, room: i64) -> GuestWord {
        read_line(guest, kind, this, Line { to, room, end: LINE_END, takes_end: true })
    }

    "Reads up to a character, which is taken.", "?getline@?$basic_istream@^Q*A+A*AV12@P*A#_J#@Z";
    istream_getline_until(guest, kind, this, to: GuestWord, room: i64, end: u32) -> GuestWord {
        read_line(guest, kind, this, Line { to, room, end: kind.value(end), takes_end: true })
    }

    "Passes characters, up to one that is passed, too.", "?ignore@?$basic_istream@^Q*A+A*AV12@_J%@Z";
    istream_ignore(guest, kind, this, count: i64, end: i32) -> GuestWord {
        let (stream, buffer) = ready(guest, kind, this)?;
        let mut passed = 0;
        while let Some(buffer) = buffer && (count == i64::MAX || passed < count) {
            let Some(unit) = buffer.bump(guest)? else {
                stream.fail(guest, state::EOF)?;
                break;
            };
            passed += 1;
            if Some(unit) == kind.of_meta(end) {
                break;
            }
        }
        guest.write(count_at(this), &passed)?;
        Ok(this)
    }

    "Returns the next character, which stays.", "?peek@?$basic_istream@^Q*A+%XZ";
    istream_peek(guest, kind, this) -> i32 {
        let (stream, buffer) = ready(guest, kind, this)?;
        let Some(buffer) = buffer else { return Ok(kind.meta(None)) };
        let next = buffer.peek(guest)?;
        if next.is_none() {
            stream.fail(guest, state::EOF)?;
        }
        Ok(kind.meta(next))
    }

    "Reads what can be had at once.", "?readsome@?$basic_istream@^Q*A+_JP*A#_J@Z";
    istream_readsome(guest, kind, this, to: GuestWord, count: i64) -> i64 {
        let (stream, buffer) = ready(guest, kind, this)?;
        let Some(buffer) = buffer else { return Ok(0) };
        let there = super::streambuf::streambuf_in_avail(guest, kind, GuestWord(buffer.at))?;
        if there < 0 {
            stream.fail(guest, state::EOF)?;
        } else if there > 0 {
            istream_read(guest, kind, this, to, there.min(count))?;
        }
        guest.read(count_at(this))
    }

    "Reads all into a buffer, up to a character, which stays.", "?get@?$basic_istream@^Q*A+A*AV12@A*AV?$basic_streambuf@#U?$char_traits@#@std@@@2@#@Z";
    istream_get_buffer_until(guest, kind, this, to: GuestWord, end: u32) -> GuestWord {
        let (stream, buffer) = ready(guest, kind, this)?;
        let (mut count, mut outcome) = (0_i64, 0);
        if let Some(from) = buffer {
            let to = Buffer::new(guest, kind, to.0);
            let mut next = from.peek(guest)?;
            loop {
                match next {
                    None => outcome |= state::EOF,
                    Some(unit) if unit == kind.value(end) => {}
                    Some(unit) => {
                        if to.put(guest, unit)?.is_some() {
                            count += 1;
                            next = from.next_char(guest)?;
                            continue;
                        }
                    }
                }
                break;
            }
        }
        guest.write(count_at(this), &count)?;
        stream.fail(guest, outcome | if count == 0 { state::FAIL } else { 0 })?;
        Ok(this)
    }

    "Reads a line into a buffer; its end stays.", "?get@?$basic_istream@^Q*A+A*AV12@A*AV?$basic_streambuf@#U?$char_traits@#@std@@@2@@Z";
    istream_get_buffer(guest, kind, this, to: GuestWord) -> GuestWord {
        istream_get_buffer_until(guest, kind, this, to, LINE_END.into())
    }

    "Reads all into a buffer.", "??5?$basic_istream@^Q*A+A*AV01@P*AV?$basic_streambuf@#U?$char_traits@#@std@@@1@@Z";
    istream_buffer(guest, kind, this, to: GuestWord) -> GuestWord {
        let stream = Stream::of(guest, kind, this.0)?;
        let mut copied = false;
        if prefix(guest, stream, false)?
            && to.0 != 0
            && let Some(from) = stream.buffer(guest)?
        {
            let to = Buffer::new(guest, kind, to.0);
            let mut next = from.peek(guest)?;
            while let Some(unit) = next
                && to.put(guest, unit)?.is_some()
            {
                copied = true;
                next = from.next_char(guest)?;
            }
        }
        stream.fail(guest, if copied { 0 } else { state::FAIL })?;
        Ok(this)
    }

    "Reads characters.", "?read@?$basic_istream@^Q*A+A*AV12@P*A#_J@Z";
    istream_read(guest, kind, this, to: GuestWord, count: i64) -> GuestWord {
        let (stream, buffer) = ready(guest, kind, this)?;
        if let Some(buffer) = buffer {
            let done = buffer.get_all(guest, to.0, count)?;
            guest.write(count_at(this), &done)?;
            if done != count {
                stream.fail(guest, state::EOF | state::FAIL)?;
            }
        }
        Ok(this)
    }

    "Puts a character back.", "?putback@?$basic_istream@^Q*A+A*AV12@#@Z";
    istream_putback(guest, kind, this, unit: u32) -> GuestWord {
        put_back(guest, kind, this, Some(kind.value(unit)))
    }

    "Puts the last character back.", "?unget@?$basic_istream@^Q*A+A*AV12@XZ";
    istream_unget(guest, kind, this) -> GuestWord { put_back(guest, kind, this, None) }

    "Brings the buffer up to date.", "?sync@?$basic_istream@^Q*A+HXZ";
    istream_sync(guest, kind, this) -> i32 {
        let stream = Stream::of(guest, kind, this.0)?;
        match stream.buffer(guest)? {
            Some(buffer) if buffer.sync(guest)? != EOF => Ok(0),
            Some(_) => stream.fail(guest, state::BAD).map(|()| EOF),
            None => Ok(EOF),
        }
    }

    "Returns the position.", "?tellg@?$basic_istream@^Q*A+?AV?$fpos@U_Mbstatet@@@2@XZ";
    istream_tellg(guest, kind, this, to: GuestWord) -> GuestWord { tell(guest, kind, this, to, [0, CURRENT, GET_AREA]) }

    "Moves the position by an offset.", "?seekg@?$basic_istream@^Q*A+A*AV12@_JH@Z";
    istream_seekg(guest, kind, this, offset: i64, way: i32) -> GuestWord {
        forget_end(guest, kind, this)?;
        seek(guest, kind, this, [offset as u64, way as u64, GET_AREA])
    }

    "Sets the position.", "?seekg@?$basic_istream@^Q*A+A*AV12@V?$fpos@U_Mbstatet@@@2@@Z";
    istream_seekg_to(guest, kind, this, offset: i64, file: i64, conversion: i64) -> GuestWord {
        let to = position(guest, [offset, file, conversion])?;
        forget_end(guest, kind, this)?;
        seek(guest, kind, this, [to as u64, 0, GET_AREA])
    }
}

/// Takes the end out of a stream's state before it goes elsewhere.
fn forget_end(guest: &mut Guest, kind: Kind, this: GuestWord) -> Result<(), Fault> {
    let stream = Stream::of(guest, kind, this.0)?;
    let old = stream.state(guest)?;
    stream.set_state(guest, old & !state::EOF)
}

fn put_back(guest: &mut Guest, kind: Kind, this: GuestWord, unit: Option<u16>) -> Result<GuestWord, Fault> {
    forget_end(guest, kind, this)?;
    let (stream, buffer) = ready(guest, kind, this)?;
    let done = match buffer {
        Some(buffer) => buffer.put_back(guest, unit)?.is_some(),
        None => return Ok(this),
    };
    if !done {
        stream.fail(guest, state::BAD)?;
    }
    Ok(this)
}

/// Takes a character; at the end the stream fails.
fn take(guest: &mut Guest, kind: Kind, this: GuestWord) -> Result<Option<u16>, Fault> {
    let (stream, buffer) = ready(guest, kind, this)?;
    let Some(buffer) = buffer else { return Ok(None) };
    let unit = buffer.bump(guest)?;
    match unit {
        None => stream.fail(guest, state::EOF | state::FAIL)?,
        Some(_) => guest.write(count_at(this), &1_i64)?,
    }
    Ok(unit)
}

/// Reads a number of the kind that is wanted; `None` where the stream cannot be read.
fn number(guest: &mut Guest, kind: Kind, this: GuestWord, wanted: Wanted) -> Result<Option<u64>, Fault> {
    let stream = Stream::of(guest, kind, this.0)?;
    if !prefix(guest, stream, false)? {
        return Ok(None);
    }
    let Some(buffer) = stream.buffer(guest)? else { return Ok(None) };
    let flags = stream.flags(guest)?;
    let read = read_number(guest, buffer, flags, wanted)?;
    stream.fail(guest, read.outcome)?;
    Ok(Some(read.bits))
}

/// Reads a number and stores it.
macro_rules! store {
    ($guest:ident, $kind:ident, $this:ident, $to:ident, $type:ty, $wanted:expr) => {{
        if let Some(bits) = number($guest, $kind, $this, $wanted)? {
            $guest.write($to.0, &(bits as $type))?;
        }
        Ok($this)
    }};
}

kinds_of! { NUMBERS in istream_numbers, "basic-istream-class";
    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AF@Z";
    istream_i16(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u16, Wanted::Signed(16)) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AG@Z";
    istream_u16(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u16, Wanted::Unsigned(16)) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AH@Z";
    istream_i32(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u32, Wanted::Signed(32)) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AI@Z";
    istream_u32(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u32, Wanted::Unsigned(32)) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AJ@Z";
    istream_long(guest, kind, this, to: GuestWord) -> GuestWord { istream_i32(guest, kind, this, to) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AK@Z";
    istream_unsigned_long(guest, kind, this, to: GuestWord) -> GuestWord { istream_u32(guest, kind, this, to) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*A_J@Z";
    istream_i64(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u64, Wanted::Signed(64)) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*A_K@Z";
    istream_u64(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u64, Wanted::Unsigned(64)) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AM@Z";
    istream_f32(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u32, Wanted::Float32) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AN@Z";
    istream_f64(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u64, Wanted::Float64) }

    "Reads a number.", "??5?$basic_istream@^Q*A+A*AV01@A*AO@Z";
    istream_long_double(guest, kind, this, to: GuestWord) -> GuestWord { istream_f64(guest, kind, this, to) }

    "Reads 0 or 1, or `false` or `true`.", "??5?$basic_istream@^Q*A+A*AV01@A*A_N@Z";
    istream_bool(guest, kind, this, to: GuestWord) -> GuestWord { store!(guest, kind, this, to, u8, Wanted::Bool) }

    "Reads an address.", "??5?$basic_istream@^Q*A+A*AV01@A*AP*AX@Z";
    istream_pointer(guest, kind, this, to: GuestWord) -> GuestWord {
        if let Some(bits) = number(guest, kind, this, Wanted::Pointer)? {
            guest.write_word(to.0, bits)?;
        }
        Ok(this)
    }

    "Lets a function have the stream.", "??5?$basic_istream@^Q*A+A*AV01@P6AA*AV01@A*AV01@@Z@Z";
    istream_manipulate(guest, kind, this, function: GuestWord) -> GuestWord {
        guest.call(function.0, &[this.0]).map(GuestWord)
    }

    "Lets a function have what all streams share.", "??5?$basic_istream@^Q*A+A*AV01@P6AA*AV?$basic_ios@#U?$char_traits@#@std@@@1@A*AV21@@Z@Z";
    istream_manipulate_ios(guest, kind, this, function: GuestWord) -> GuestWord { istream_manipulate_base(guest, kind, this, function) }

    "Lets a function have what all streams share.", "??5?$basic_istream@^Q*A+A*AV01@P6AA*AVios_base@1@A*AV21@@Z@Z";
    istream_manipulate_base(guest, kind, this, function: GuestWord) -> GuestWord {
        let stream = Stream::of(guest, kind, this.0)?;
        guest.call(function.0, &[stream.at])?;
        Ok(this)
    }
}

kinds_of! { ENDS in istream_ends, "basic-istream-class";
    "Destroys an input stream, through what all streams share; frees it when asked.", "__plat_istream_delete#*";
    istream_delete(guest, kind, this, flags: u32) -> GuestWord {
        super::ios::ios_end(guest, kind, this)?;
        facet_delete(guest, GuestWord(this.0 - DISTANCE), flags)
    }

    "Destroys a stream for input and output likewise.", "__plat_iostream_delete#*";
    iostream_delete(guest, kind, this, flags: u32) -> GuestWord {
        super::ios::ios_end(guest, kind, this)?;
        facet_delete(guest, GuestWord(this.0 - BOTH_DISTANCE), flags)
    }
}
