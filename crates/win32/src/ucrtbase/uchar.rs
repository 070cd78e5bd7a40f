//! uchar.h: UTF-8 to and from UTF-16 and UTF-32, whatever the locale is.
//!
//! The state (`mbstate_t`: four bytes, two, two) holds the bytes of a character that has begun and their count, or a surrogate that is
//! still to be given or to be completed.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/mbrtoc16-mbrtoc323>

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::msvcrt::define::define;
use crate::msvcrt::errno::EILSEQ;
use crate::msvcrt::state::{block, set_errno, thread_block};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full mbrtoc16; full mbrtoc32; full c16rtomb; full c32rtomb;
};

/// What the functions return for a bad character, for one that is not complete, and for one given from the state.
const BAD: u64 = u64::MAX;
const INCOMPLETE: u64 = u64::MAX - 1;
const FROM_STATE: u64 = u64::MAX - 2;

/// The count in the state that marks a surrogate.
const SURROGATE: u16 = 0x100;

/// Returns how many bytes a character has whose first byte this is.
fn length_of(first: u8) -> Option<usize> {
    Some(match first {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    })
}

/// What was made of some bytes.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    /// A character, and how many of the new bytes it took.
    Character(char, usize),
    Incomplete,
    Bad,
}

/// Reads one character from bytes of which `held` were there before.
fn read(bytes: &[u8], held: usize) -> Read {
    let Some(length) = bytes.first().and_then(|&first| length_of(first)) else { return Read::Bad };
    let have = &bytes[..bytes.len().min(length)];
    if have[1..].iter().any(|byte| byte & 0xc0 != 0x80) {
        return Read::Bad;
    }
    if have.len() < length {
        return Read::Incomplete;
    }
    let text = std::str::from_utf8(have).ok().and_then(|text| text.chars().next());
    text.map_or(Read::Bad, |character| Read::Character(character, length - held))
}

/// Returns where the state lies: the program's, or the thread's own.
fn state(guest: &mut Guest, given: GuestWord) -> Result<u64, Fault> {
    if given.is_null() { Ok(thread_block(guest)? + block::CHARACTER_STATE) } else { Ok(given.0) }
}

/// Reads a character; units of 16 bits give the second one of a pair at the next call.
fn to_wide(
    guest: &mut Guest,
    [to, from, count, given]: [GuestWord; 4],
    is_16: bool,
) -> Result<GuestWord, Fault> {
    let state = state(guest, given)?;
    let (value, held): (u32, u16) = (guest.read(state)?, guest.read(state + 4)?);
    let clear = |guest: &Guest| guest.write(state, &0u64);
    if held == SURROGATE {
        clear(guest)?;
        if !to.is_null() {
            guest.write(to.0, &(value as u16))?;
        }
        return Ok(GuestWord(FROM_STATE));
    }
    if from.is_null() {
        return clear(guest).map(|()| GuestWord(0));
    }
    let held = usize::from(held).min(3);
    let mut bytes = value.to_le_bytes()[..held].to_vec();
    for index in 0..count.0.min(4) {
        bytes.push(guest.read(from.0 + index)?);
        match read(&bytes, held) {
            Read::Incomplete => {}
            Read::Bad => {
                clear(guest)?;
                return set_errno(guest, EILSEQ).map(|()| GuestWord(BAD));
            }
            Read::Character(character, used) => {
                clear(guest)?;
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units);
                if let (true, &mut [_, low]) = (is_16, &mut *units) {
                    guest.write(state, &u32::from(low))?;
                    guest.write(state + 4, &SURROGATE)?;
                }
                match (to.is_null(), is_16) {
                    (true, _) => {}
                    (false, true) => guest.write(to.0, &units[0])?,
                    (false, false) => guest.write(to.0, &u32::from(character))?,
                }
                return Ok(GuestWord(if character == '\0' { 0 } else { used as u64 }));
            }
        }
    }
    let mut kept = [0; 4];
    kept[..bytes.len().min(4)].copy_from_slice(&bytes[..bytes.len().min(4)]);
    guest.write_bytes(state, &kept)?;
    guest.write(state + 4, &(bytes.len() as u16))?;
    Ok(GuestWord(INCOMPLETE))
}

/// Writes a character; -1 for what is none.
fn put(guest: &mut Guest, to: GuestWord, code: u32) -> Result<GuestWord, Fault> {
    let Some(character) = char::from_u32(code) else {
        return set_errno(guest, EILSEQ).map(|()| GuestWord(BAD));
    };
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).as_bytes();
    guest.write_bytes(to.0, bytes)?;
    Ok(GuestWord(bytes.len() as u64))
}

define! {
    "Reads a character of UTF-8 as UTF-16; -3 gives the second unit of a pair, -2 asks for more bytes.", "mbrtoc16-mbrtoc323";
    mbrtoc16(guest, destination: GuestWord, source: GuestWord, max_bytes: GuestWord, state: GuestWord) -> GuestWord {
        to_wide(guest, [destination, source, max_bytes, state], true)
    }
    "Reads a character of UTF-8 as UTF-32; -2 asks for more bytes.", "mbrtoc16-mbrtoc323";
    mbrtoc32(guest, destination: GuestWord, source: GuestWord, max_bytes: GuestWord, state: GuestWord) -> GuestWord {
        to_wide(guest, [destination, source, max_bytes, state], false)
    }
    "Writes a unit of UTF-16 as UTF-8; the first of a pair gives no bytes yet.", "c16rtomb-c32rtomb1";
    c16rtomb(guest, mbchar: GuestWord, wchar: u16, state: GuestWord) -> GuestWord {
        let state = self::state(guest, state)?;
        let (high, held): (u32, u16) = (guest.read(state)?, guest.read(state + 4)?);
        guest.write(state, &0u64)?;
        if mbchar.is_null() {
            return Ok(GuestWord(1));
        }
        match (held == SURROGATE, wchar) {
            (false, 0xd800..=0xdbff) => {
                guest.write(state, &u32::from(wchar))?;
                guest.write(state + 4, &SURROGATE)?;
                Ok(GuestWord(0))
            }
            (true, 0xdc00..=0xdfff) => {
                put(guest, mbchar, 0x1_0000 + ((high & 0x3ff) << 10 | u32::from(wchar) & 0x3ff))
            }
            (true, _) => put(guest, mbchar, 0xd800),
            (false, _) => put(guest, mbchar, wchar.into()),
        }
    }
    "Writes a character of UTF-32 as UTF-8.", "c16rtomb-c32rtomb1";
    c32rtomb(guest, mbchar: GuestWord, wchar: u32, state: GuestWord) -> GuestWord {
        let _ = state;
        if mbchar.is_null() { Ok(GuestWord(1)) } else { put(guest, mbchar, wchar) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_characters() {
        assert_eq!(read("ä".as_bytes(), 0), Read::Character('ä', 2));
        assert_eq!(read("😀".as_bytes(), 3), Read::Character('😀', 1));
        assert_eq!(read(&[0xe2, 0x82], 0), Read::Incomplete);
        assert_eq!(read(&[0xe2, 0x20], 0), Read::Bad);
        assert_eq!(read(&[0xed, 0xa0, 0x80], 0), Read::Bad);
        assert_eq!(read(&[0xc0], 0), Read::Bad);
    }
}
