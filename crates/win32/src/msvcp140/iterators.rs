//! Iterators over stream buffers, which functions of facets have by value: in 64-bit calls as an address.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/ostreambuf-iterator-class>;
//! <https://learn.microsoft.com/cpp/standard-library/istreambuf-iterator-class>; fields as inline functions use them.

use plat_abi::{Fault, GuestWord, Memory};

use super::ios::state;
use super::names::Kind;
use super::object::{Words, virtual_method};
use super::streambuf::Buffer;
use crate::guest::Guest;

/// Where characters go: a flag that says whether writing failed, and the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    kind: Kind,
    failed: bool,
    buffer: u64,
}

impl Output {
    /// Takes one from an argument.
    pub(super) fn of(guest: &Guest, kind: Kind, argument: u64) -> Result<Self, Fault> {
        let [flag, buffer] = words(guest, argument)?;
        Ok(Self { kind, failed: flag as u8 != 0, buffer })
    }

    /// Stores it as a result.
    pub(super) fn store(self, guest: &Guest, at: GuestWord) -> Result<GuestWord, Fault> {
        guest.write_word(at.0, self.failed.into())?;
        guest.write_word(at.0 + guest.machine().pointer_size(), self.buffer)?;
        Ok(at)
    }

    /// Writes characters.
    pub(super) fn write(&mut self, guest: &mut Guest, units: &[u16]) -> Result<(), Fault> {
        let buffer = Buffer::new(guest, self.kind, self.buffer);
        for &unit in units {
            self.failed |= self.buffer == 0 || buffer.put(guest, unit)?.is_none();
        }
        Ok(())
    }

    /// Writes text, which is ASCII but for names of the locale's.
    pub(super) fn write_text(&mut self, guest: &mut Guest, text: &str) -> Result<(), Fault> {
        let units: Vec<u16> = text.encode_utf16().collect();
        if !self.kind.is_narrow() {
            return self.write(guest, &units);
        }
        let bytes = crate::msvcrt::state::crt(guest).narrow(&units);
        self.write(guest, &bytes.into_iter().map(u16::from).collect::<Vec<u16>>())
    }
}

/// Where characters come from: the buffer, and a character that was looked at, which the buffer still has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input(Option<Buffer>);

impl Input {
    /// Takes one from an argument.
    pub(super) fn of(guest: &Guest, kind: Kind, argument: u64) -> Result<Self, Fault> {
        let [buffer, _] = words(guest, argument)?;
        Ok(Self((buffer != 0).then(|| Buffer::new(guest, kind, buffer))))
    }

    /// Returns the buffer; `None` for an iterator at the end.
    pub(super) fn buffer(self) -> Option<Buffer> {
        self.0
    }

    /// Stores it as a result: nothing is looked at.
    pub(super) fn store(self, guest: &Guest, at: GuestWord) -> Result<GuestWord, Fault> {
        guest.write_word(at.0, self.0.map_or(0, |buffer| buffer.at))?;
        guest.write_word(at.0 + guest.machine().pointer_size(), 0)?;
        Ok(at)
    }
}

/// What functions that read a value have: the result, the two iterators, the stream, its state, where the value goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) to: GuestWord,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) base: GuestWord,
    pub(super) outcome: GuestWord,
    pub(super) value: GuestWord,
}

impl Reading {
    /// Calls the virtual function behind one: a program's own facet may have another.
    pub(super) fn ask(self, guest: &mut Guest, this: GuestWord, place: u64) -> Result<GuestWord, Fault> {
        let words = Words::new(guest).word(self.to.0).long(self.first).long(self.last);
        let words = words.word(self.base.0).word(self.outcome.0).word(self.value.0);
        virtual_method(guest, this.0, place, words).map(GuestWord)
    }

    /// Reads by a function that returns what becomes of the stream's state; it is not called at the end.
    pub(super) fn run(
        self,
        guest: &mut Guest,
        kind: Kind,
        read: impl FnOnce(&mut Guest, Buffer) -> Result<u32, Fault>,
    ) -> Result<GuestWord, Fault> {
        let input = Input::of(guest, kind, self.first)?;
        let found = match input.buffer() {
            Some(buffer) => read(guest, buffer)?,
            None => state::EOF | state::FAIL,
        };
        let old = guest.read_u32(self.outcome.0)?;
        guest.write(self.outcome.0, &(old | found))?;
        input.store(guest, self.to)
    }
}

/// Defines pairs of a facet's functions that read a value, one that asks the object's table and the virtual one: text, name, type
/// of the value, place in the table, both functions, and what the function `read` gets last.
macro_rules! readers {
    ($page:literal, $class:literal, $members:ident, $virtuals:ident, $read:ident;
        $($doc:literal, $member:literal, $type:literal $place:literal $name:ident $virtual:ident $what:expr;)*) => {
        $crate::msvcp140::members::kinds_of! { GET in $members, $page; $(
            $doc, $crate::msvcp140::iterators::readers!(@pattern "?", $member, $class, "Q", $type);
            $name(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
                Reading { to, first, last, base, outcome, value }.ask(guest, this, $place)
            }
        )* }
        $crate::msvcp140::members::kinds_of! { VIRTUAL in $virtuals, $page; $(
            $doc, $crate::msvcp140::iterators::readers!(@pattern "?do_", $member, $class, "M", $type);
            $virtual(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
                let _ = this;
                $read(guest, kind, Reading { to, first, last, base, outcome, value }, $what)
            }
        )* }
    };
    (@pattern $start:literal, $member:literal, $class:literal, $access:literal, $type:literal) => {
        concat!(
            $start, $member, "@", $class, $access,
            "*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AH",
            $type, "@Z"
        )
    };
}
pub(super) use readers;

/// The two words of an iterator.
fn words(guest: &Guest, argument: u64) -> Result<[u64; 2], Fault> {
    if guest.machine().is_64() {
        return Ok([guest.read_word(argument)?, guest.read_word(argument + 8)?]);
    }
    Ok([argument & 0xffff_ffff, argument >> 32])
}
