//! `std::istream` and `std::iostream`: reading text and numbers from a buffer.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/basic-istream-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::ios::{Stream, format, state};
use super::locale::facet_delete;
use super::members::members;
use super::ostream::{begin, flush, position, seek, set_table, tell};
use super::streambuf::{Buffer, EOF};
use crate::guest::Guest;
use crate::logic::number::{read_float_c99, read_integer};

/// Bytes from an input stream to the part that all streams share.
pub(super) const DISTANCE: u64 = 24;

/// The same for a stream for input and output.
pub(super) const BOTH_DISTANCE: u64 = 32;

/// Bytes from a stream for input and output to its part for output.
pub(super) const OUTPUT_PART: u64 = 16;

/// No character ends the reading.
const NO_END: i32 = -2;

/// Reads from the beginning, from here, of the get area.
const CURRENT: u64 = 1;
const GET_AREA: u64 = 1;

/// Where a stream counts what it read last.
fn count_at(this: GuestWord) -> u64 {
    this.0 + 8
}

fn is_space(byte: i32) -> bool {
    matches!(byte, 9..=13 | 32)
}

/// Gets a stream ready for input: what it is tied to is brought up to date, blanks are passed. Says whether it can be read.
fn prefix(guest: &mut Guest, stream: Stream, keeps_blanks: bool) -> Result<bool, Fault> {
    if !stream.is_good(guest)? {
        stream.fail(guest, state::FAIL)?;
        return Ok(false);
    }
    let tied = stream.tie(guest)?;
    if tied != 0 {
        flush(guest, GuestWord(tied))?;
    }
    if !keeps_blanks
        && stream.flags(guest)? & format::SKIP_SPACE != 0
        && let Some(buffer) = stream.buffer(guest)?
    {
        let mut byte = buffer.peek(guest)?;
        while is_space(byte) {
            byte = buffer.next_char(guest)?;
        }
        if byte == EOF {
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
fn ready(guest: &mut Guest, this: GuestWord) -> Result<(Stream, Option<Buffer>), Fault> {
    guest.write(count_at(this), &0_i64)?;
    let stream = Stream::of(guest, this.0)?;
    let buffer = if prefix(guest, stream, true)? { stream.buffer(guest)? } else { None };
    Ok((stream, buffer))
}

/// How a line is read.
#[derive(Clone, Copy, Debug)]
struct Line {
    to: GuestWord,
    room: i64,
    end: u8,
    /// Whether the character at the end is taken, too.
    takes_end: bool,
}

fn read_line(guest: &mut Guest, this: GuestWord, line: Line) -> Result<GuestWord, Fault> {
    let (stream, buffer) = ready(guest, this)?;
    let (mut written, mut taken, mut outcome) = (0_i64, 0_i64, 0);
    if let Some(buffer) = buffer {
        let mut byte = if line.room > 0 { buffer.peek(guest)? } else { NO_END };
        loop {
            match byte {
                NO_END => outcome |= state::FAIL,
                EOF => outcome |= state::EOF,
                byte if byte == i32::from(line.end) => {
                    if line.takes_end {
                        taken += 1;
                        buffer.bump(guest)?;
                    }
                }
                _ if written + 1 >= line.room => {
                    outcome |= if line.takes_end { state::FAIL } else { 0 };
                }
                other => {
                    guest.write(line.to.0 + written as u64, &(other as u8))?;
                    written += 1;
                    byte = buffer.next_char(guest)?;
                    continue;
                }
            }
            break;
        }
    }
    taken += written;
    if line.room > 0 {
        guest.write(line.to.0 + written as u64, &0_u8)?;
    }
    guest.write(count_at(this), &taken)?;
    stream.fail(guest, outcome | if taken == 0 { state::FAIL } else { 0 })?;
    Ok(this)
}

members! { EXPORTS, "basic-istream-class";
    "Makes an input stream.", "??0?$basic_istream@DU?$char_traits@D@std@@@std@@QAE@PAV?$basic_streambuf@DU?$char_traits@D@std@@@1@_N@Z" / "??0?$basic_istream@DU?$char_traits@D@std@@@std@@QEAA@PEAV?$basic_streambuf@DU?$char_traits@D@std@@@1@_N@Z";
    istream_new(guest, this, buffer: GuestWord, is_standard: u8, is_whole: i32) -> GuestWord {
        let _ = is_standard;
        let stream = if is_whole != 0 {
            begin(guest, this.0, "??_8?$basic_istream@DU?$char_traits@D@std@@@std@@7B@")?
        } else {
            Stream::of(guest, this.0)?
        };
        set_table(guest, this.0, stream, "??_7?$basic_istream@DU?$char_traits@D@std@@@std@@6B@", DISTANCE)?;
        guest.write(count_at(this), &0_i64)?;
        stream.init(guest, buffer.0)?;
        Ok(this)
    }

    "Ends an input stream; what all streams share ends by itself.", "??1?$basic_istream@DU?$char_traits@D@std@@@std@@UAE@XZ" / "??1?$basic_istream@DU?$char_traits@D@std@@@std@@UEAA@XZ";
    istream_end(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }

    "Makes a stream for input and output.", "??0?$basic_iostream@DU?$char_traits@D@std@@@std@@QAE@PAV?$basic_streambuf@DU?$char_traits@D@std@@@1@@Z" / "??0?$basic_iostream@DU?$char_traits@D@std@@@std@@QEAA@PEAV?$basic_streambuf@DU?$char_traits@D@std@@@1@@Z";
    iostream_new(guest, this, buffer: GuestWord, is_whole: i32) -> GuestWord {
        if is_whole != 0 {
            let bases = "??_8?$basic_iostream@DU?$char_traits@D@std@@@std@@7B?$basic_istream@DU?$char_traits@D@std@@@1@@";
            begin(guest, this.0, bases)?;
            let bases = "??_8?$basic_iostream@DU?$char_traits@D@std@@@std@@7B?$basic_ostream@DU?$char_traits@D@std@@@1@@";
            begin(guest, this.0 + OUTPUT_PART, bases)?;
        }
        istream_new(guest, this, buffer, 0, 0)?;
        let stream = Stream::of(guest, this.0)?;
        set_table(guest, this.0, stream, "??_7?$basic_iostream@DU?$char_traits@D@std@@@std@@6B@", BOTH_DISTANCE)?;
        Ok(this)
    }

    "Ends a stream for input and output.", "??1?$basic_iostream@DU?$char_traits@D@std@@@std@@UAE@XZ" / "??1?$basic_iostream@DU?$char_traits@D@std@@@std@@UEAA@XZ";
    iostream_end(guest, this) -> () { istream_end(guest, this) }

    "Gets the stream ready for input.", "?_Ipfx@?$basic_istream@DU?$char_traits@D@std@@@std@@QAE_N_N@Z" / "?_Ipfx@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAA_N_N@Z";
    istream_prefix(guest, this, keeps_blanks: u8) -> u8 {
        let stream = Stream::of(guest, this.0)?;
        prefix(guest, stream, keeps_blanks != 0).map(u8::from)
    }

    "Gets the stream ready for input.", "?ipfx@?$basic_istream@DU?$char_traits@D@std@@@std@@QAE_N_N@Z" / "?ipfx@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAA_N_N@Z";
    istream_prefix_old(guest, this, keeps_blanks: u8) -> u8 { istream_prefix(guest, this, keeps_blanks) }

    "Returns how many characters were read last.", "?gcount@?$basic_istream@DU?$char_traits@D@std@@@std@@QBE_JXZ" / "?gcount@?$basic_istream@DU?$char_traits@D@std@@@std@@QEBA_JXZ";
    istream_gcount(guest, this) -> i64 { guest.read(count_at(this)) }

    "Reads a character.", "?get@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEHXZ" / "?get@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAHXZ";
    istream_get(guest, this) -> i32 {
        let (stream, buffer) = ready(guest, this)?;
        let byte = match buffer {
            Some(buffer) => buffer.bump(guest)?,
            None => return Ok(EOF),
        };
        if byte == EOF {
            stream.fail(guest, state::EOF | state::FAIL)?;
        } else {
            guest.write(count_at(this), &1_i64)?;
        }
        Ok(byte)
    }

    "Reads a character.", "?get@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@AAD@Z" / "?get@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@AEAD@Z";
    istream_get_to(guest, this, to: GuestWord) -> GuestWord {
        let byte = istream_get(guest, this)?;
        if byte != EOF {
            guest.write(to.0, &(byte as u8))?;
        }
        Ok(this)
    }

    "Reads up to the end of a line, which stays.", "?get@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@PAD_J@Z" / "?get@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@PEAD_J@Z";
    istream_get_line(guest, this, to: GuestWord, room: i64) -> GuestWord {
        read_line(guest, this, Line { to, room, end: b'\n', takes_end: false })
    }

    "Reads up to a character, which stays.", "?get@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@PAD_JD@Z" / "?get@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@PEAD_JD@Z";
    istream_get_until(guest, this, to: GuestWord, room: i64, end: u8) -> GuestWord {
        read_line(guest, this, Line { to, room, end, takes_end: false })
    }

    "Reads a line.", "?getline@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@PAD_J@Z" / "?getline@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@PEAD_J@Z";
    istream_getline(guest, this, to: GuestWord, room: i64) -> GuestWord {
        read_line(guest, this, Line { to, room, end: b'\n', takes_end: true })
    }

    "Reads up to a character, which is taken.", "?getline@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@PAD_JD@Z" / "?getline@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@PEAD_JD@Z";
    istream_getline_until(guest, this, to: GuestWord, room: i64, end: u8) -> GuestWord {
        read_line(guest, this, Line { to, room, end, takes_end: true })
    }

    "Passes characters, up to one that is passed, too.", "?ignore@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@_JH@Z" / "?ignore@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@_JH@Z";
    istream_ignore(guest, this, count: i64, end: i32) -> GuestWord {
        let (stream, buffer) = ready(guest, this)?;
        let mut passed = 0;
        while let Some(buffer) = buffer && (count == i64::MAX || passed < count) {
            let byte = buffer.bump(guest)?;
            if byte == EOF {
                stream.fail(guest, state::EOF)?;
                break;
            }
            passed += 1;
            if byte == end {
                break;
            }
        }
        guest.write(count_at(this), &passed)?;
        Ok(this)
    }

    "Returns the next character, which stays.", "?peek@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEHXZ" / "?peek@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAHXZ";
    istream_peek(guest, this) -> i32 {
        let (stream, buffer) = ready(guest, this)?;
        let byte = match buffer {
            Some(buffer) => buffer.peek(guest)?,
            None => return Ok(EOF),
        };
        if byte == EOF {
            stream.fail(guest, state::EOF)?;
        }
        Ok(byte)
    }

    "Reads characters.", "?read@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@PAD_J@Z" / "?read@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@PEAD_J@Z";
    istream_read(guest, this, to: GuestWord, count: i64) -> GuestWord {
        let (stream, buffer) = ready(guest, this)?;
        if let Some(buffer) = buffer {
            let done = buffer.get_all(guest, to.0, count)?;
            guest.write(count_at(this), &done)?;
            if done != count {
                stream.fail(guest, state::EOF | state::FAIL)?;
            }
        }
        Ok(this)
    }

    "Puts a character back.", "?putback@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@D@Z" / "?putback@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@D@Z";
    istream_putback(guest, this, byte: u8) -> GuestWord { put_back(guest, this, Some(byte)) }

    "Puts the last character back.", "?unget@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@XZ" / "?unget@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@XZ";
    istream_unget(guest, this) -> GuestWord { put_back(guest, this, None) }

    "Brings the buffer up to date.", "?sync@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEHXZ" / "?sync@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAHXZ";
    istream_sync(guest, this) -> i32 {
        let stream = Stream::of(guest, this.0)?;
        match stream.buffer(guest)? {
            Some(buffer) if buffer.sync(guest)? != EOF => Ok(0),
            Some(_) => stream.fail(guest, state::BAD).map(|()| EOF),
            None => Ok(EOF),
        }
    }

    "Returns the position.", "?tellg@?$basic_istream@DU?$char_traits@D@std@@@std@@QAE?AV?$fpos@U_Mbstatet@@@2@XZ" / "?tellg@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAA?AV?$fpos@U_Mbstatet@@@2@XZ";
    istream_tellg(guest, this, to: GuestWord) -> GuestWord { tell(guest, this, to, [0, CURRENT, GET_AREA]) }

    "Moves the position by an offset.", "?seekg@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@_JH@Z" / "?seekg@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@_JH@Z";
    istream_seekg(guest, this, offset: i64, way: i32) -> GuestWord {
        forget_end(guest, this)?;
        seek(guest, this, [offset as u64, way as u64, GET_AREA])
    }

    "Sets the position.", "?seekg@?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV12@V?$fpos@U_Mbstatet@@@2@@Z" / "?seekg@?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV12@V?$fpos@U_Mbstatet@@@2@@Z";
    istream_seekg_to(guest, this, offset: i64, file: i64, conversion: i64) -> GuestWord {
        let to = position(guest, [offset, file, conversion])?;
        forget_end(guest, this)?;
        seek(guest, this, [to as u64, 0, GET_AREA])
    }
}

/// Takes the end out of a stream's state before it goes elsewhere.
fn forget_end(guest: &mut Guest, this: GuestWord) -> Result<(), Fault> {
    let stream = Stream::of(guest, this.0)?;
    let old = stream.state(guest)?;
    stream.set_state(guest, old & !state::EOF)
}

fn put_back(guest: &mut Guest, this: GuestWord, byte: Option<u8>) -> Result<GuestWord, Fault> {
    forget_end(guest, this)?;
    let (stream, buffer) = ready(guest, this)?;
    let done = match buffer {
        Some(buffer) => buffer.put_back(guest, byte)? != EOF,
        None => return Ok(this),
    };
    if !done {
        stream.fail(guest, state::BAD)?;
    }
    Ok(this)
}

/// Reads the characters that can belong to a number.
fn read_digits(guest: &mut Guest, buffer: Buffer, accepts: fn(&[u8], u8) -> bool) -> Result<Vec<u8>, Fault> {
    const DIGITS_MAX: usize = 800;
    let mut text = Vec::new();
    let mut byte = buffer.peek(guest)?;
    while byte != EOF && text.len() < DIGITS_MAX && accepts(&text, byte as u8) {
        text.push(byte as u8);
        byte = buffer.next_char(guest)?;
    }
    Ok(text)
}

fn is_integer(text: &[u8], byte: u8) -> bool {
    match byte {
        b'+' | b'-' => text.is_empty(),
        b'x' | b'X' => matches!(text, b"0" | b"+0" | b"-0"),
        _ => byte.is_ascii_hexdigit(),
    }
}

fn is_float(text: &[u8], byte: u8) -> bool {
    match byte {
        b'+' | b'-' => text.last().is_none_or(|last| matches!(last, b'e' | b'E')),
        b'.' => !text.iter().any(|other| matches!(other, b'.' | b'e' | b'E')),
        b'e' | b'E' => !text.is_empty() && !text.iter().any(|other| matches!(other, b'e' | b'E')),
        _ => byte.is_ascii_digit(),
    }
}

/// The part of a text that is digits of a base.
fn base_of(flags: u32) -> u32 {
    match flags & format::BASE {
        format::OCTAL => 8,
        format::HEXADECIMAL => 16,
        0 => 0,
        _ => 10,
    }
}

/// Reads a whole number of up to `bits` bits; `None` where there is none. The flag says whether it fitted.
fn integer(guest: &mut Guest, this: GuestWord, bits: u32, is_signed: bool) -> Result<Option<u64>, Fault> {
    let stream = Stream::of(guest, this.0)?;
    if !prefix(guest, stream, false)? {
        return Ok(None);
    }
    let Some(buffer) = stream.buffer(guest)? else { return Ok(None) };
    let base = base_of(stream.flags(guest)?);
    let accepts: fn(&[u8], u8) -> bool = match base {
        10 => |text, byte| byte.is_ascii_digit() || text.is_empty() && matches!(byte, b'+' | b'-'),
        _ => is_integer,
    };
    let text = read_digits(guest, buffer, accepts)?;
    let mut outcome = if buffer.peek(guest)? == EOF { state::EOF } else { 0 };
    let read = read_integer(&text, base, bits, is_signed);
    if read.is_none_or(|read| read.length == 0 || read.out_of_range) {
        outcome |= state::FAIL;
    }
    stream.fail(guest, outcome)?;
    Ok(Some(read.map_or(0, |read| read.value as u64)))
}

fn float(guest: &mut Guest, this: GuestWord) -> Result<Option<f64>, Fault> {
    let stream = Stream::of(guest, this.0)?;
    if !prefix(guest, stream, false)? {
        return Ok(None);
    }
    let Some(buffer) = stream.buffer(guest)? else { return Ok(None) };
    let text = read_digits(guest, buffer, is_float)?;
    let mut outcome = if buffer.peek(guest)? == EOF { state::EOF } else { 0 };
    let read = read_float_c99(&text);
    if read.length == 0 {
        outcome |= state::FAIL;
    }
    stream.fail(guest, outcome)?;
    Ok(Some(read.value))
}

/// Reads a whole number and stores its low bytes.
macro_rules! store {
    ($guest:ident, $this:ident, $to:ident, $type:ty, $signed:literal) => {{
        if let Some(value) = integer($guest, $this, <$type>::BITS, $signed)? {
            $guest.write($to.0, &(value as $type))?;
        }
        Ok($this)
    }};
}

members! { NUMBERS, "basic-istream-class";
    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AAF@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEAF@Z";
    istream_i16(guest, this, to: GuestWord) -> GuestWord { store!(guest, this, to, u16, true) }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AAG@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEAG@Z";
    istream_u16(guest, this, to: GuestWord) -> GuestWord { store!(guest, this, to, u16, false) }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AAH@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEAH@Z";
    istream_i32(guest, this, to: GuestWord) -> GuestWord { store!(guest, this, to, u32, true) }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AAI@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEAI@Z";
    istream_u32(guest, this, to: GuestWord) -> GuestWord { store!(guest, this, to, u32, false) }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AAJ@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEAJ@Z";
    istream_long(guest, this, to: GuestWord) -> GuestWord { istream_i32(guest, this, to) }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AAK@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEAK@Z";
    istream_unsigned_long(guest, this, to: GuestWord) -> GuestWord { istream_u32(guest, this, to) }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AA_J@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEA_J@Z";
    istream_i64(guest, this, to: GuestWord) -> GuestWord { store!(guest, this, to, u64, true) }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AA_K@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEA_K@Z";
    istream_u64(guest, this, to: GuestWord) -> GuestWord { store!(guest, this, to, u64, false) }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AAM@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEAM@Z";
    istream_f32(guest, this, to: GuestWord) -> GuestWord {
        if let Some(value) = float(guest, this)? {
            guest.write(to.0, &(value as f32))?;
        }
        Ok(this)
    }

    "Reads a number.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AAN@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEAN@Z";
    istream_f64(guest, this, to: GuestWord) -> GuestWord {
        if let Some(value) = float(guest, this)? {
            guest.write(to.0, &value)?;
        }
        Ok(this)
    }

    "Reads 0 or 1, or `false` or `true`.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@AA_N@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@AEA_N@Z";
    istream_bool(guest, this, to: GuestWord) -> GuestWord {
        let stream = Stream::of(guest, this.0)?;
        let value = if stream.flags(guest)? & format::BOOL_WORDS != 0 {
            bool_word(guest, stream)?
        } else {
            integer(guest, this, u32::BITS, false)?
        };
        let Some(value) = value else { return Ok(this) };
        guest.write(to.0, &u8::from(value != 0))?;
        if value > 1 {
            stream.fail(guest, state::FAIL)?;
        }
        Ok(this)
    }

    "Lets a function have the stream.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@P6AAAV01@AAV01@@Z@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@P6AAEAV01@AEAV01@@Z@Z";
    istream_manipulate(guest, this, function: GuestWord) -> GuestWord {
        guest.call(function.0, &[this.0]).map(GuestWord)
    }

    "Lets a function have what all streams share.", "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QAEAAV01@P6AAAVios_base@1@AAV21@@Z@Z" / "??5?$basic_istream@DU?$char_traits@D@std@@@std@@QEAAAEAV01@P6AAEAVios_base@1@AEAV21@@Z@Z";
    istream_manipulate_base(guest, this, function: GuestWord) -> GuestWord {
        let stream = Stream::of(guest, this.0)?;
        guest.call(function.0, &[stream.at])?;
        Ok(this)
    }
}

/// Reads `true` or `false`; 2 for neither.
fn bool_word(guest: &mut Guest, stream: Stream) -> Result<Option<u64>, Fault> {
    if !prefix(guest, stream, false)? {
        return Ok(None);
    }
    let Some(buffer) = stream.buffer(guest)? else { return Ok(None) };
    let accepts = |text: &[u8], byte: u8| {
        [b"true".as_slice(), b"false"]
            .iter()
            .any(|word| word.starts_with(text) && word.get(text.len()) == Some(&byte))
    };
    let text = read_digits(guest, buffer, accepts)?;
    Ok(Some(match text.as_slice() {
        b"true" => 1,
        b"false" => 0,
        _ => 2,
    }))
}

members! { ENDS, "basic-istream-class";
    "Destroys an input stream, through what all streams share; frees it when asked.", "__plat_istream_delete" / "__plat_istream_delete64";
    istream_delete(guest, this, flags: u32) -> GuestWord {
        super::ios::ios_end(guest, this)?;
        facet_delete(guest, GuestWord(this.0 - DISTANCE), flags)
    }

    "Destroys a stream for input and output likewise.", "__plat_iostream_delete" / "__plat_iostream_delete64";
    iostream_delete(guest, this, flags: u32) -> GuestWord {
        super::ios::ios_end(guest, this)?;
        facet_delete(guest, GuestWord(this.0 - BOTH_DISTANCE), flags)
    }
}
