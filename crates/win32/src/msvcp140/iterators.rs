//! Iterators over stream buffers, which functions of facets have by value: in 64-bit calls as an address.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/ostreambuf-iterator-class>;
//! <https://learn.microsoft.com/cpp/standard-library/istreambuf-iterator-class>; fields as inline functions use them.

use plat_abi::{Fault, GuestWord, Memory};

use super::names::Kind;
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

/// The two words of an iterator.
fn words(guest: &Guest, argument: u64) -> Result<[u64; 2], Fault> {
    if guest.machine().is_64() {
        return Ok([guest.read_word(argument)?, guest.read_word(argument + 8)?]);
    }
    Ok([argument & 0xffff_ffff, argument >> 32])
}
