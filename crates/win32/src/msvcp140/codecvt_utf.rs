//! `codecvt<char16_t, char>` and `codecvt<char32_t, char>`: UTF-8 in files, UTF-16 and UTF-32 in the program.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/codecvt-class>; UTF-8 as RFC 3629 has it.

use plat_abi::{Fault, GuestWord, Memory};

use super::codecvt::result;
use super::facets::category;
use super::members::{functions, members};
use super::names::Kind;
use crate::guest::Guest;

/// Bits of a facet's mode: a mark at the beginning is passed, one is written.
mod mode {
    pub(super) const GENERATE_HEADER: u32 = 2;
    pub(super) const CONSUME_HEADER: u32 = 4;
}

/// The greatest character there is.
const MAX_CODE: u32 = 0x10_ffff;

/// The mark at the beginning of a text.
const MARK: u32 = 0xfeff;

/// What is read of a sequence of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequence {
    /// A character, and its bytes.
    Whole(u32, usize),
    /// The beginning of one.
    Cut,
    Wrong,
}

/// Reads the character at the beginning of some bytes.
fn decode(bytes: &[u8]) -> Sequence {
    let Some(&first) = bytes.first() else { return Sequence::Cut };
    let (length, bits, least) = match first {
        ..0x80 => return Sequence::Whole(first.into(), 1),
        0xc0..0xe0 => (2, first & 0x1f, 0x80),
        0xe0..0xf0 => (3, first & 0x0f, 0x800),
        0xf0..0xf8 => (4, first & 0x07, 0x1_0000),
        // Longer ones once were, and stand for what is no character any more.
        0xf8..0xfc => (5, first & 0x03, 0x20_0000),
        0xfc.. => (6, first & 0x01, 0x400_0000),
        _ => return Sequence::Wrong,
    };
    let mut code = u32::from(bits);
    for &byte in bytes.iter().take(length).skip(1) {
        if byte & 0xc0 != 0x80 {
            return Sequence::Wrong;
        }
        code = code << 6 | u32::from(byte & 0x3f);
    }
    match () {
        () if bytes.len() < length => Sequence::Cut,
        () if code < least || code > MAX_CODE => Sequence::Wrong,
        () => Sequence::Whole(code, length),
    }
}

/// Returns a character's bytes.
fn encode(code: u32) -> Vec<u8> {
    let tail = |shift: u32| (code >> shift & 0x3f) as u8 | 0x80;
    match code {
        ..0x80 => vec![code as u8],
        0x80..0x800 => vec![(code >> 6) as u8 | 0xc0, tail(0)],
        0x800..0x1_0000 => vec![(code >> 12) as u8 | 0xe0, tail(6), tail(0)],
        _ => vec![(code >> 18) as u8 | 0xf0, tail(12), tail(6), tail(0)],
    }
}

/// A facet's own fields, behind those that all facets have: the greatest character, the mode.
struct Fields {
    max_code: u32,
    mode: u32,
}

impl Fields {
    fn at(guest: &Guest, this: GuestWord) -> u64 {
        this.0 + 2 * guest.machine().pointer_size()
    }

    fn load(guest: &Guest, this: GuestWord) -> Result<Self, Fault> {
        let [max_code, mode] = guest.read(Self::at(guest, this))?;
        Ok(Self { max_code, mode })
    }

    fn store(&self, guest: &Guest, this: GuestWord) -> Result<(), Fault> {
        guest.write(Self::at(guest, this), &[self.max_code, self.mode])
    }
}

/// A conversion: from, its end, where it stopped, to, its end, where that stopped.
struct Conversion {
    this: GuestWord,
    state: GuestWord,
    from: [GuestWord; 3],
    to: [GuestWord; 3],
    /// Bytes of the program's characters: 2 or 4.
    unit: u64,
}

impl Conversion {
    /// Says whether this is the beginning of a text whose mark counts, and notes that it is not any more.
    fn begins(&self, guest: &Guest) -> Result<bool, Fault> {
        let known = guest.read_u32(self.state.0)?;
        guest.write(self.state.0, &(known | 1))?;
        Ok(known & 1 == 0)
    }

    fn stop(&self, guest: &Guest, from: u64, to: u64, answer: i32) -> Result<i32, Fault> {
        guest.write_word(self.from[2].0, from)?;
        guest.write_word(self.to[2].0, to)?;
        Ok(answer)
    }

    /// Returns the units of a character, as bytes.
    fn units(&self, code: u32) -> Vec<u8> {
        match (self.unit, char::from_u32(code)) {
            (2, Some(letter)) => {
                letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_le_bytes()).collect()
            }
            (2, None) => (code as u16).to_le_bytes().to_vec(),
            _ => code.to_le_bytes().to_vec(),
        }
    }

    /// Converts UTF-8 to the program's characters.
    fn to_units(&self, guest: &Guest) -> Result<i32, Fault> {
        const SEQUENCE_MAX: u64 = 6;
        let fields = Fields::load(guest, self.this)?;
        let (mut from, mut to) = (self.from[0].0, self.to[0].0);
        while from < self.from[1].0 {
            let bytes = guest.read_vec(from, (self.from[1].0 - from).min(SEQUENCE_MAX))?;
            let (code, length) = match decode(&bytes) {
                Sequence::Whole(code, length) if code <= fields.max_code => (code, length as u64),
                Sequence::Cut => return self.stop(guest, from, to, result::PARTIAL),
                _ => return self.stop(guest, from, to, result::ERROR),
            };
            if self.begins(guest)? && fields.mode & mode::CONSUME_HEADER != 0 && code == MARK {
                from += length;
                continue;
            }
            let units = self.units(code);
            if to + units.len() as u64 > self.to[1].0 {
                return self.stop(guest, from, to, result::PARTIAL);
            }
            guest.write_bytes(to, &units)?;
            (from, to) = (from + length, to + units.len() as u64);
        }
        self.stop(guest, from, to, result::OK)
    }

    /// Reads a character of the program's; its bytes, or `None` where half of one is missing.
    fn unit(&self, guest: &Guest, from: u64) -> Result<Option<(u32, u64)>, Fault> {
        if self.unit == 4 {
            return Ok(Some((guest.read_u32(from)?, 4)));
        }
        let high = u32::from(guest.read::<u16>(from)?);
        if high & 0xfc00 != 0xd800 {
            return Ok(Some((high, 2)));
        }
        if from + 4 > self.from[1].0 {
            return Ok(None);
        }
        let low = u32::from(guest.read::<u16>(from + 2)?);
        Ok(Some((0x1_0000 + ((high & 0x3ff) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff), 4)))
    }

    /// Converts the program's characters to UTF-8.
    fn to_bytes(&self, guest: &Guest) -> Result<i32, Fault> {
        let fields = Fields::load(guest, self.this)?;
        let (mut from, mut to) = (self.from[0].0, self.to[0].0);
        while from < self.from[1].0 {
            let Some((code, length)) = self.unit(guest, from)? else {
                return self.stop(guest, from, to, result::PARTIAL);
            };
            if code > fields.max_code {
                return self.stop(guest, from, to, result::ERROR);
            }
            let mut bytes = encode(code);
            if self.begins(guest)? && fields.mode & mode::GENERATE_HEADER != 0 {
                bytes = [encode(MARK), bytes].concat();
            }
            if to + bytes.len() as u64 > self.to[1].0 {
                return self.stop(guest, from, to, result::PARTIAL);
            }
            guest.write_bytes(to, &bytes)?;
            (from, to) = (from + length, to + bytes.len() as u64);
        }
        self.stop(guest, from, to, result::OK)
    }
}

/// Returns how many bytes make so many of the program's characters.
fn length(
    guest: &Guest,
    this: GuestWord,
    [first, last, most]: [GuestWord; 3],
    unit: u64,
) -> Result<i32, Fault> {
    let fields = Fields::load(guest, this)?;
    let bytes = guest.read_vec(first.0, last.0.saturating_sub(first.0))?;
    let (mut at, mut count) = (0, 0);
    while let Sequence::Whole(code, length) = decode(&bytes[at..])
        && code <= fields.max_code
    {
        count += if unit == 2 && code > 0xffff { 2 } else { 1 };
        if count > most.0 {
            break;
        }
        at += length;
    }
    Ok(at as i32)
}

/// Defines the facet of one kind of characters: module, the characters as names have them, their bytes.
macro_rules! utf_facet {
    ($module:ident, $e:literal, $unit:literal) => {
        #[doc = concat!("The facet of characters of ", stringify!($unit), " bytes.")]
        pub mod $module {
            use super::*;

            const TABLE: [&str; 3] = [concat!("??_7?$codecvt@", $e, "DU_Mbstatet@@@std@@6B@"); 3];

            members! { EXPORTS, "codecvt-class";
                "Makes a facet.", concat!("??0?$codecvt@", $e, "DU_Mbstatet@@@std@@Q*A+@~@Z");
                new(guest, this, references: GuestWord) -> GuestWord {
                    $crate::msvcp140::facets::init(guest, this, TABLE, Kind::Narrow, references.0)?;
                    Fields { max_code: MAX_CODE, mode: mode::CONSUME_HEADER }.store(guest, this)?;
                    Ok(this)
                }

                "Makes a facet for a locale.", concat!("??0?$codecvt@", $e, "DU_Mbstatet@@@std@@Q*A+@A*BV_Locinfo@1@~@Z");
                new_info(guest, this, info: GuestWord, references: GuestWord) -> GuestWord {
                    let _ = info;
                    new(guest, this, references)
                }

                "Makes a facet for a locale, with the greatest character and a mode.",
                concat!("??0?$codecvt@", $e, "DU_Mbstatet@@@std@@Q*A+@A*BV_Locinfo@1@KW4_Codecvt_mode@1@~@Z");
                new_mode(guest, this, info: GuestWord, max_code: u32, mode: u32, references: GuestWord) -> GuestWord {
                    let _ = info;
                    new(guest, this, references)?;
                    Fields { max_code, mode }.store(guest, this)?;
                    Ok(this)
                }

                "Makes a facet without references.", concat!("??_F?$codecvt@", $e, "DU_Mbstatet@@@std@@Q*A+XXZ");
                new_default(guest, this) -> () { new(guest, this, GuestWord(0)).map(drop) }

                "Ends a facet.", concat!("??1?$codecvt@", $e, "DU_Mbstatet@@@std@@M*A+@XZ");
                end(guest, this) -> () {
                    let _ = (guest, this);
                    Ok(())
                }

                "Takes what a facet needs from a locale: nothing.", concat!("?_Init@?$codecvt@", $e, "DU_Mbstatet@@@std@@I*A+XA*BV_Locinfo@2@@Z");
                init(guest, this, info: GuestWord) -> () {
                    let _ = (guest, this, info);
                    Ok(())
                }

                "Converts bytes to characters.", concat!("?do_in@?$codecvt@", $e, "DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1A*AP*BDP*A", $e, "3A*AP*A", $e, "@Z");
                do_in(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
                    to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
                    Conversion { this, state, from: [first, last, next], to: [to, to_last, to_next], unit: $unit }.to_units(guest)
                }

                "Converts characters to bytes.", concat!("?do_out@?$codecvt@", $e, "DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*B", $e, "1A*AP*B", $e, "P*AD3A*AP*AD@Z");
                do_out(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
                    to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
                    Conversion { this, state, from: [first, last, next], to: [to, to_last, to_next], unit: $unit }.to_bytes(guest)
                }

                "Ends a conversion: there is nothing between two characters.", concat!("?do_unshift@?$codecvt@", $e, "DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*AD1A*AP*AD@Z");
                do_unshift(guest, this, state: GuestWord, to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
                    let _ = (this, state, to_last);
                    guest.write_word(to_next.0, to.0)?;
                    Ok(result::NONE)
                }

                "Returns how many bytes make so many characters.", concat!("?do_length@?$codecvt@", $e, "DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1~@Z");
                do_length(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, most: GuestWord) -> i32 {
                    let _ = state;
                    length(guest, this, [first, last, most], $unit)
                }

                "Says that bytes and characters are not the same.", concat!("?do_always_noconv@?$codecvt@", $e, "DU_Mbstatet@@@std@@M*B+_NXZ");
                do_always_noconv(guest, this) -> u8 {
                    let _ = (guest, this);
                    Ok(0)
                }

                "Returns how many bytes a character has at most, the mark included.", concat!("?do_max_length@?$codecvt@", $e, "DU_Mbstatet@@@std@@M*B+HXZ");
                do_max_length(guest, this) -> i32 {
                    const MARK_BYTES: i32 = 3;
                    let marked = Fields::load(guest, this)?.mode & (mode::CONSUME_HEADER | mode::GENERATE_HEADER) != 0;
                    Ok(6 + if marked { MARK_BYTES } else { 0 })
                }

                "Returns how many bytes each character has; 0: it depends, -1: on what was before, too.", concat!("?do_encoding@?$codecvt@", $e, "DU_Mbstatet@@@std@@M*B+HXZ");
                do_encoding(guest, this) -> i32 {
                    let marked = Fields::load(guest, this)?.mode & (mode::CONSUME_HEADER | mode::GENERATE_HEADER) != 0;
                    Ok(if marked && $unit == 4 { -1 } else { 0 })
                }
            }

            members! { PUBLIC, "codecvt-class";
                "Converts bytes to characters.", concat!("?in@?$codecvt@", $e, "DU_Mbstatet@@@std@@Q*B+HA*AU_Mbstatet@@P*BD1A*AP*BDP*A", $e, "3A*AP*A", $e, "@Z");
                public_in(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
                    to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
                    super::super::codecvt::codecvt_in(guest, Kind::Narrow, this, state, first, last, next, to, to_last, to_next)
                }

                "Converts characters to bytes.", concat!("?out@?$codecvt@", $e, "DU_Mbstatet@@@std@@Q*B+HA*AU_Mbstatet@@P*B", $e, "1A*AP*B", $e, "P*AD3A*AP*AD@Z");
                public_out(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
                    to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
                    super::super::codecvt::codecvt_out(guest, Kind::Narrow, this, state, first, last, next, to, to_last, to_next)
                }

                "Ends a conversion.", concat!("?unshift@?$codecvt@", $e, "DU_Mbstatet@@@std@@Q*B+HA*AU_Mbstatet@@P*AD1A*AP*AD@Z");
                public_unshift(guest, this, state: GuestWord, to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
                    super::super::codecvt::codecvt_unshift(guest, Kind::Narrow, this, state, to, to_last, to_next)
                }

                "Returns how many bytes make so many characters.", concat!("?length@?$codecvt@", $e, "DU_Mbstatet@@@std@@Q*B+HA*AU_Mbstatet@@P*BD1~@Z");
                public_length(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, most: GuestWord) -> i32 {
                    super::super::codecvt::codecvt_length(guest, Kind::Narrow, this, state, first, last, most)
                }
            }

            functions! { STATICS, "codecvt-class";
                "Makes a facet for programs that have none yet; returns its category.", concat!("?_Getcat@?$codecvt@", $e, "DU_Mbstatet@@@std@@SA~P*AP*BVfacet@locale@2@P*BV42@@Z");
                make(guest, to: GuestWord, locale: GuestWord) -> GuestWord {
                    let _ = locale;
                    let is_new = !to.is_null() && guest.read_word(to.0)? == 0;
                    let made = $crate::msvcp140::facets::make(guest, to, TABLE, Kind::Narrow, category::CTYPE)?;
                    if is_new {
                        let facet = guest.read_word(to.0)?;
                        Fields { max_code: MAX_CODE, mode: mode::CONSUME_HEADER }.store(guest, GuestWord(facet))?;
                    }
                    Ok(made)
                }
            }
        }
    };
}

utf_facet! { char16, "_S", 2 }
utf_facet! { char32, "_U", 4 }

#[cfg(test)]
mod tests {
    use super::{Sequence, decode, encode};

    #[test]
    fn sequences_are_read_and_written() {
        for letter in ['a', 'ä', '€', '😀'] {
            let bytes = letter.to_string().into_bytes();
            assert_eq!(encode(letter.into()), bytes);
            assert_eq!(decode(&bytes), Sequence::Whole(letter.into(), bytes.len()));
            if bytes.len() > 1 {
                assert_eq!(decode(&bytes[..bytes.len() - 1]), Sequence::Cut);
            }
        }
        for wrong in [&b"\x80"[..], b"\xc0\x80", b"\xe2a", b"\xf8\x88\x80\x80\x80", b"\xf4\x90\x80\x80"] {
            assert_eq!(decode(wrong), Sequence::Wrong, "{wrong:x?}");
        }
    }
}
