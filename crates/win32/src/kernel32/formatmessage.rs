//! winbase.h: messages: texts of the system and of message tables, with inserts.

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::messages::{LineWidth, MessageError, format_message, status_text, system_text};
use crate::logic::printf::{Options, Runtime, format_text};
use crate::nt::{format::Inserts, resource};
use crate::widths::{Width, both_widths};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial FormatMessageA, "system texts are English and cover the common codes; no 64-bit inserts in 32-bit programs";
    partial FormatMessageW, "system texts are English and cover the common codes; no 64-bit inserts in 32-bit programs";
};

const ALLOCATE_BUFFER: u32 = 0x100;
const IGNORE_INSERTS: u32 = 0x200;
const FROM_STRING: u32 = 0x400;
const FROM_HMODULE: u32 = 0x800;
const FROM_SYSTEM: u32 = 0x1000;
const ARGUMENT_ARRAY: u32 = 0x2000;
const MAX_WIDTH: u32 = 0xff;

/// A call of either function.
struct Request {
    flags: u32,
    source: GuestWord,
    message: u32,
    language: u32,
    arguments: GuestWord,
    /// Of texts and of `%s` inserts.
    width: Width,
}

impl Request {
    /// Finds the message and puts the inserts in.
    fn text(&self, guest: &Guest) -> Result<Vec<u16>, Win32Error> {
        let message = self.message(guest)?;
        let width = match self.flags & MAX_WIDTH {
            0 => LineWidth::AsIs,
            MAX_WIDTH => LineWidth::Unbroken,
            units => LineWidth::Units(units as usize),
        };
        let ignore = self.flags & IGNORE_INSERTS != 0;
        let mut slots = self.slots(guest)?;
        let text = format_message(&message, ignore, width, |number, format| {
            let slots = slots.as_mut().ok_or(Win32Error::INVALID_PARAMETER)?;
            self.insert(guest, slots, number, format).map_err(Win32Error::from)
        });
        let text = text.map_err(|error| match error {
            MessageError::Malformed { .. } => Win32Error::INVALID_PARAMETER,
            MessageError::Insert { error, .. } => error,
        })?;
        // Windows answers an empty text with 0 and this error.
        if text.is_empty() { Err(Win32Error::NO_WORK_DONE) } else { Ok(text) }
    }

    fn message(&self, guest: &Guest) -> Result<Vec<u16>, Win32Error> {
        if self.flags & FROM_STRING != 0 {
            if self.source.is_null() {
                return Err(Win32Error::INVALID_PARAMETER);
            }
            return Ok(self.width.read_string(guest, self.source)?);
        }
        if self.flags & (FROM_HMODULE | FROM_SYSTEM) == 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        if self.flags & FROM_HMODULE != 0
            && let Some(text) = self.module_message(guest)?
        {
            return Ok(text);
        }
        if self.flags & FROM_SYSTEM == 0 {
            return Err(Win32Error::MR_MID_NOT_FOUND);
        }
        if !speaks_english(self.language) {
            return Err(Win32Error::RESOURCE_LANG_NOT_FOUND);
        }
        let text = system_message(self.message).ok_or(Win32Error::MR_MID_NOT_FOUND)?;
        Ok(text.encode_utf16().collect())
    }

    /// Looks in a module's message table; in ntdll lie the texts of statuses, in kernel32 those of errors.
    fn module_message(&self, guest: &Guest) -> Result<Option<Vec<u16>>, Win32Error> {
        let loader = guest.process().loader();
        let module = match self.source.get() {
            0 => loader.module_named(&[]),
            base => loader.module_at(base),
        };
        let module = module.ok_or(Win32Error::RESOURCE_DATA_NOT_FOUND)?;
        if module.is_builtin {
            let text = match module.name.as_str() {
                "ntdll.dll" => status_text(NtStatus(self.message)),
                _ => system_message(self.message),
            };
            return Ok(text.map(|text| text.encode_utf16().collect()));
        }
        Ok(resource::message(guest, module.base, self.message, self.language as u16)?)
    }

    /// Returns where the inserts lie; `None` when there are none.
    fn slots(&self, guest: &Guest) -> Result<Option<Slots>, Win32Error> {
        if self.arguments.is_null() {
            return Ok(None);
        }
        // Arguments points to a va_list, which is a pointer to the inserts, or to the array itself.
        let is_array = self.flags & ARGUMENT_ARRAY != 0;
        let next = if is_array { self.arguments.get() } else { guest.read_word(self.arguments.get())? };
        let step = guest.machine().pointer_size();
        Ok(Some(Slots { is_array, next, step, taken: Vec::new() }))
    }

    /// Formats insert `number`, whose printf format has no `%`.
    fn insert(
        &self,
        guest: &Guest,
        slots: &mut Slots,
        number: u32,
        format: &[u16],
    ) -> Result<Vec<u16>, Fault> {
        let stars = format.iter().filter(|&&unit| unit == u16::from(b'*')).count() as u32;
        let mut format: Vec<u16> = [u16::from(b'%')].iter().chain(format).copied().collect();
        narrow_conversion(&mut format, self.width.is_wide());
        let mut inserts = Inserts::scattered(guest, slots.of(number, stars));
        let pointer_size = guest.machine().pointer_size() as u8;
        format_text(&format, &mut inserts, Options::of(Runtime::Msvcrt, pointer_size))
    }
}

/// Where each insert lies.
struct Slots {
    is_array: bool,
    /// The next slot of a `va_list`, or the first of an array.
    next: u64,
    step: u64,
    /// The slots of a `va_list` that have a number, from 1.
    taken: Vec<u64>,
}

impl Slots {
    /// Returns the slots of insert `number`: those of its stars, then its own.
    ///
    /// In an array, number and slot are the same. In a `va_list`, the stars' slots are numbered and the slot of
    /// the value behind them is not: after `%1!*.*s!` the next insert is `%3`.
    fn of(&mut self, number: u32, stars: u32) -> Vec<u64> {
        let first = u64::from(number.saturating_sub(1));
        let stars = u64::from(stars);
        if self.is_array {
            return (first..=first + stars).map(|index| self.next + index * self.step).collect();
        }
        let numbered = first + stars.max(1);
        while (self.taken.len() as u64) < numbered {
            let slot = self.take();
            self.taken.push(slot);
        }
        let mut slots = self.taken[first as usize..numbered as usize].to_vec();
        if stars > 0 {
            slots.push(self.take());
        }
        slots
    }

    fn take(&mut self) -> u64 {
        self.next += self.step;
        self.next - self.step
    }
}

/// For FormatMessageA `%s` is narrow and `%S` wide: in the wide family, which formats here, it is the other way round.
fn narrow_conversion(format: &mut [u16], wide: bool) {
    let sized = format.iter().rev().nth(1).is_some_and(|&unit| matches!(unit, 0x68 | 0x6c | 0x77));
    if wide || sized {
        return;
    }
    if let Some(last @ (0x73 | 0x53 | 0x63 | 0x43)) = format.last_mut() {
        *last ^= 0x20;
    }
}

/// Returns the system's text for an error, or for an HRESULT that carries one.
fn system_message(message: u32) -> Option<String> {
    system_text(Win32Error(message)).or_else(|| match message >> 16 {
        0x8007 => system_text(Win32Error(message & 0xffff)),
        _ => None,
    })
}

/// Says whether a request for this language is met by English: neutral, default and English of any country.
fn speaks_english(language: u32) -> bool {
    matches!(language & 0x3ff, 0 | 9)
}

/// Makes the buffer that the caller frees with `LocalFree`, and stores its address where the caller wants it.
fn allocate(guest: &Guest, into: GuestWord, needed: u64, minimum: u64) -> Result<u64, Win32Error> {
    let buffer = guest.process().heaps.allocate(0, needed.max(minimum), true);
    let buffer = buffer.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write_word(into.get(), buffer)?;
    Ok(buffer)
}

both_widths! {
    /// Formats a message.
    "winbase/nf-winbase-formatmessage"
    FormatMessageA, FormatMessageW(
        guest, width, dwFlags: u32, lpSource: GuestWord, dwMessageId: u32, dwLanguageId: u32, lpBuffer: GuestWord,
        nSize: u32, Arguments: GuestWord
    ) -> Result<u32, Win32Error> {
        if lpBuffer.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let allocates = dwFlags & ALLOCATE_BUFFER != 0;
        if allocates {
            guest.write_word(lpBuffer.get(), 0)?;
        }
        let request = Request {
            flags: dwFlags,
            source: lpSource,
            message: dwMessageId,
            language: dwLanguageId,
            arguments: Arguments,
            width,
        };
        let bytes = width.bytes(&request.text(guest)?);
        let unit = width.unit_bytes();
        let length = (bytes.len() / unit - 1) as u32;
        let buffer = if allocates {
            allocate(guest, lpBuffer, bytes.len() as u64, unit as u64 * u64::from(nSize))?
        } else if length >= nSize {
            return Err(Win32Error::INSUFFICIENT_BUFFER);
        } else {
            lpBuffer.get()
        };
        guest.write_bytes(buffer, &bytes)?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_inserts_swap_the_widths_of_strings() {
        let cases =
            [("%s", "%S"), ("%S", "%s"), ("%ls", "%ls"), ("%hs", "%hs"), ("%-5c", "%-5C"), ("%d", "%d")];
        for (format, expected) in cases {
            let mut units: Vec<u16> = format.encode_utf16().collect();
            narrow_conversion(&mut units, false);
            assert_eq!(String::from_utf16_lossy(&units), expected, "{format}");
        }
    }

    #[test]
    fn stars_take_slots_of_their_own() {
        let slots = |is_array| Slots { is_array, next: 0, step: 1, taken: Vec::new() };
        let mut list = slots(false);
        assert_eq!([list.of(1, 2), list.of(3, 0), list.of(4, 1)], [vec![0, 1, 2], vec![3], vec![4, 5]]);
        let mut array = slots(true);
        assert_eq!([array.of(1, 2), array.of(4, 0), array.of(5, 1)], [vec![0, 1, 2], vec![3], vec![4, 5]]);
        let mut list = slots(false);
        assert_eq!([list.of(2, 0), list.of(1, 0), list.of(2, 0)], [vec![1], vec![0], vec![1]]);
    }

    #[test]
    fn an_hresult_has_the_text_of_its_error() {
        assert_eq!(system_message(0x8007_0002), system_message(2));
        assert!(system_message(2).is_some());
        assert_eq!(system_message(0x8123_0002), None);
    }

    #[test]
    fn other_languages_are_not_there() {
        let spoken: Vec<bool> = [0, 0x400, 0x409, 0x809, 0x407].map(speaks_english).to_vec();
        assert_eq!(spoken, [true, true, true, true, false]);
    }
}
