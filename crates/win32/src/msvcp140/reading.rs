//! Numbers as streams read them, from a buffer.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/num-get-class>.

use plat_abi::{Fault, Memory};

use super::ios::{format, state};
use super::streambuf::Buffer;
use crate::guest::Guest;
use crate::logic::number::{read_float_c99, read_integer};

/// What is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A number of so many bits.
    Signed(u32),
    Unsigned(u32),
    Float32,
    Float64,
    Bool,
    Pointer,
}

/// What was read: the bits of the value, and what becomes of the stream's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) bits: u64,
    pub(super) outcome: u32,
}

/// Takes the characters that can belong to a number.
fn digits(
    guest: &mut Guest,
    buffer: Buffer,
    accepts: fn(&[u8], u8) -> bool,
) -> Result<(Vec<u8>, u32), Fault> {
    const DIGITS_MAX: usize = 800;
    let mut text = Vec::new();
    let mut next = buffer.peek(guest)?;
    while let Some(unit) = next
        && text.len() < DIGITS_MAX
        && let Ok(byte) = u8::try_from(unit)
        && accepts(&text, byte)
    {
        text.push(byte);
        next = buffer.next_char(guest)?;
    }
    Ok((text, if next.is_none() { state::EOF } else { 0 }))
}

fn is_integer(text: &[u8], byte: u8) -> bool {
    match byte {
        b'+' | b'-' => text.is_empty(),
        b'x' | b'X' => matches!(text, b"0" | b"+0" | b"-0"),
        _ => byte.is_ascii_hexdigit(),
    }
}

fn is_decimal(text: &[u8], byte: u8) -> bool {
    byte.is_ascii_digit() || text.is_empty() && matches!(byte, b'+' | b'-')
}

fn is_float(text: &[u8], byte: u8) -> bool {
    let is_exponent = |byte: &u8| matches!(byte, b'e' | b'E');
    match byte {
        b'+' | b'-' => text.last().is_none_or(is_exponent),
        b'.' => !text.iter().any(|other| *other == b'.' || is_exponent(other)),
        b'e' | b'E' => !text.is_empty() && !text.iter().any(is_exponent),
        _ => byte.is_ascii_digit(),
    }
}

fn is_bool_word(text: &[u8], byte: u8) -> bool {
    [b"true".as_slice(), b"false"]
        .iter()
        .any(|word| word.starts_with(text) && word.get(text.len()) == Some(&byte))
}

/// The base that a format asks for; 0: the text says it.
fn base_of(flags: u32) -> u32 {
    match flags & format::BASE {
        format::OCTAL => 8,
        format::HEXADECIMAL => 16,
        0 => 0,
        _ => 10,
    }
}

fn integer(guest: &mut Guest, buffer: Buffer, base: u32, bits: u32, is_signed: bool) -> Result<Read, Fault> {
    let accepts = if base == 10 { is_decimal } else { is_integer };
    let (text, mut outcome) = digits(guest, buffer, accepts)?;
    let read = read_integer(&text, base, bits, is_signed);
    if read.is_none_or(|read| read.length == 0 || read.out_of_range) {
        outcome |= state::FAIL;
    }
    Ok(Read { bits: read.map_or(0, |read| read.value as u64), outcome })
}

fn float(guest: &mut Guest, buffer: Buffer) -> Result<(f64, u32), Fault> {
    let (text, mut outcome) = digits(guest, buffer, is_float)?;
    let read = read_float_c99(&text);
    if read.length == 0 {
        outcome |= state::FAIL;
    }
    Ok((read.value, outcome))
}

/// Reads a number from a buffer, by a stream's format.
pub(super) fn read_number(
    guest: &mut Guest,
    buffer: Buffer,
    flags: u32,
    wanted: Wanted,
) -> Result<Read, Fault> {
    const HEXADECIMAL: u32 = 16;
    match wanted {
        Wanted::Signed(bits) => integer(guest, buffer, base_of(flags), bits, true),
        Wanted::Unsigned(bits) => integer(guest, buffer, base_of(flags), bits, false),
        Wanted::Float32 => {
            let (value, outcome) = float(guest, buffer)?;
            Ok(Read { bits: (value as f32).to_bits().into(), outcome })
        }
        Wanted::Float64 => {
            let (value, outcome) = float(guest, buffer)?;
            Ok(Read { bits: value.to_bits(), outcome })
        }
        Wanted::Pointer => {
            let bits = if guest.machine().is_64() { u64::BITS } else { u32::BITS };
            integer(guest, buffer, HEXADECIMAL, bits, false)
        }
        Wanted::Bool if flags & format::BOOL_WORDS != 0 => {
            let (text, outcome) = digits(guest, buffer, is_bool_word)?;
            let is_word = matches!(text.as_slice(), b"true" | b"false");
            let outcome = if is_word { outcome } else { outcome | state::FAIL };
            Ok(Read { bits: u64::from(text == b"true"), outcome })
        }
        Wanted::Bool => {
            let mut read = integer(guest, buffer, base_of(flags), u32::BITS, false)?;
            if read.bits > 1 {
                read = Read { bits: 1, outcome: read.outcome | state::FAIL };
            }
            Ok(read)
        }
    }
}
