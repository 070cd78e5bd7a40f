//! `time_put<char>`: dates and times as text.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/time-put-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::members::members;
use super::streambuf::{Buffer, EOF};
use crate::guest::Guest;
use crate::msvcrt::state::{place, place_narrow};

/// What a stream's characters go through: a flag that says whether writing failed, and the buffer.
#[derive(Clone, Copy, Debug)]
struct Output {
    failed: bool,
    buffer: u64,
}

impl Output {
    fn load(guest: &Guest, at: u64) -> Result<Self, Fault> {
        let buffer = guest.read_word(at + guest.machine().pointer_size())?;
        Ok(Self { failed: guest.read::<u8>(at)? != 0, buffer })
    }

    fn store(self, guest: &Guest, at: GuestWord) -> Result<(), Fault> {
        guest.write_word(at.0, self.failed.into())?;
        guest.write_word(at.0 + guest.machine().pointer_size(), self.buffer)
    }

    fn write(&mut self, guest: &mut Guest, bytes: &[u8]) -> Result<(), Fault> {
        let buffer = Buffer::new(guest, self.buffer);
        for &byte in bytes {
            self.failed |= self.buffer == 0 || buffer.put(guest, byte)? == EOF;
        }
        Ok(())
    }

    /// Writes one field of a date.
    fn field(&mut self, guest: &mut Guest, time: GuestWord, field: &[u8]) -> Result<(), Fault> {
        const ROOM: usize = 256;
        let format = place_narrow(guest, &[b"%", field].concat())?;
        let text = place(guest, &[0; ROOM])?;
        let (to, room) = (GuestWord(text), GuestWord(ROOM as u64));
        let length = crate::msvcrt::time::strftime(guest, to, room, GuestWord(format), time)?;
        let bytes = guest.read_vec(text, length.0)?;
        for address in [format, text] {
            guest.process().heaps.free(0, address);
        }
        self.write(guest, &bytes)
    }
}

/// The arguments of a call that has an output by value: one pointer in a 64-bit call, two words in a 32-bit one.
fn split<const N: usize>(guest: &Guest, words: &[GuestWord]) -> Result<(Output, [GuestWord; N]), Fault> {
    let (output, rest) = if guest.machine().is_64() {
        (Output::load(guest, words[0].0)?, &words[1..])
    } else {
        (Output { failed: words[0].0 as u8 != 0, buffer: words[1].0 }, &words[2..])
    };
    Ok((output, std::array::from_fn(|index| rest.get(index).copied().unwrap_or_default())))
}

// The parameters behind the result are words whose meaning depends on the machine: see `split`.
members! { EXPORTS, "time-put-class";
    "Writes a date by a pattern.",
    "?put@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@QBE?AV?$ostreambuf_iterator@DU?$char_traits@D@std@@@2@V32@AAVios_base@2@DPBUtm@@PBD3@Z" / "?put@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@QEBA?AV?$ostreambuf_iterator@DU?$char_traits@D@std@@@2@V32@AEAVios_base@2@DPEBUtm@@PEBD3@Z";
    time_put_pattern(guest, this, to: GuestWord, a: GuestWord, b: GuestWord, c: GuestWord, d: GuestWord, e: GuestWord, f: GuestWord, g: GuestWord) -> GuestWord {
        let _ = this;
        let (mut output, [_, _, time, first, last]) = split(guest, &[a, b, c, d, e, f, g])?;
        let pattern = guest.read_vec(first.0, last.0.saturating_sub(first.0))?;
        let mut rest = pattern.as_slice();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            if byte != b'%' || rest.is_empty() {
                output.write(guest, &[byte])?;
                continue;
            }
            let length = 1 + usize::from(matches!(rest[0], b'E' | b'O' | b'#') && rest.len() > 1);
            let (field, tail) = rest.split_at(length);
            rest = tail;
            // Windows' `strftime` knows no other calendars.
            let field = field.strip_prefix(b"E").or_else(|| field.strip_prefix(b"O")).unwrap_or(field);
            output.field(guest, time, field)?;
        }
        output.store(guest, to)?;
        Ok(to)
    }

    "Writes one field of a date.",
    "?put@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@QBE?AV?$ostreambuf_iterator@DU?$char_traits@D@std@@@2@V32@AAVios_base@2@DPBUtm@@DD@Z" / "?put@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@QEBA?AV?$ostreambuf_iterator@DU?$char_traits@D@std@@@2@V32@AEAVios_base@2@DPEBUtm@@DD@Z";
    time_put_field(guest, this, to: GuestWord, a: GuestWord, b: GuestWord, c: GuestWord, d: GuestWord, e: GuestWord, f: GuestWord, g: GuestWord) -> GuestWord {
        let _ = this;
        let (mut output, [_, _, time, field, modifier]) = split(guest, &[a, b, c, d, e, f, g])?;
        let text = if modifier.0 as u8 == b'#' { vec![b'#', field.0 as u8] } else { vec![field.0 as u8] };
        output.field(guest, time, &text)?;
        output.store(guest, to)?;
        Ok(to)
    }

    "Writes one field of a date.",
    "?do_put@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@MBE?AV?$ostreambuf_iterator@DU?$char_traits@D@std@@@2@V32@AAVios_base@2@DPBUtm@@DD@Z" / "?do_put@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@MEBA?AV?$ostreambuf_iterator@DU?$char_traits@D@std@@@2@V32@AEAVios_base@2@DPEBUtm@@DD@Z";
    time_put_virtual(guest, this, to: GuestWord, a: GuestWord, b: GuestWord, c: GuestWord, d: GuestWord, e: GuestWord, f: GuestWord, g: GuestWord) -> GuestWord {
        time_put_field(guest, this, to, a, b, c, d, e, f, g)
    }
}
