//! The inserts of a format string in guest memory, for `FormatMessage` and `wsprintf`. Key type: [`Inserts`].

use plat_abi::{Cursor, Fault, Memory};

use super::nls;
use crate::guest::{Guest, GuestMemory};
use crate::logic::printf::Arguments;

/// Arguments from a `va_list`; narrow text is in the ANSI code page.
pub struct Inserts<'a> {
    guest: &'a Guest,
    cursor: Cursor<'static, GuestMemory>,
    /// Where the first arguments lie, when not one after the other.
    scattered: std::vec::IntoIter<u64>,
}

impl<'a> Inserts<'a> {
    /// Starts at the argument that lies at `list`.
    pub fn new(guest: &'a Guest, list: u64) -> Self {
        Self { guest, cursor: guest.va_list(list), scattered: Vec::new().into_iter() }
    }

    /// Takes each argument from its own address.
    pub fn scattered(guest: &'a Guest, addresses: Vec<u64>) -> Self {
        Self { guest, cursor: guest.va_list(0), scattered: addresses.into_iter() }
    }

    /// Returns the cursor at the next argument.
    fn next(&mut self) -> &mut Cursor<'static, GuestMemory> {
        if let Some(address) = self.scattered.next() {
            self.cursor = self.guest.va_list(address);
        }
        &mut self.cursor
    }
}

impl Arguments for Inserts<'_> {
    type Error = Fault;
    fn int32(&mut self) -> Result<u32, Fault> {
        self.next().slot_u32()
    }
    fn int64(&mut self) -> Result<u64, Fault> {
        self.next().slot_u64()
    }
    fn pointer(&mut self) -> Result<u64, Fault> {
        self.next().slot_word()
    }
    fn double(&mut self) -> Result<f64, Fault> {
        self.next().slot_f64()
    }
    fn narrow_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u8>, Fault> {
        let Some(max) = max else { return self.guest.read_c_string(address) };
        read_some(max, |index| self.guest.read::<u8>(address.wrapping_add(index)))
    }
    fn wide_string(&mut self, address: u64, max: Option<usize>) -> Result<Vec<u16>, Fault> {
        let Some(max) = max else { return self.guest.read_wide_string(address) };
        read_some(max, |index| self.guest.read::<u16>(address.wrapping_add(2 * index)))
    }
    fn store_count(&mut self, _: u64, _: u64, _: u8) -> Result<(), Fault> {
        // Neither FormatMessage nor wsprintf knows %n: the argument is passed over.
        Ok(())
    }
    fn widen(&self, text: &[u8]) -> Vec<u16> {
        nls::widen(text)
    }
    fn narrow(&self, text: &[u16]) -> Vec<u8> {
        nls::narrow(text)
    }
}

/// Reads at most `max` units: they need no terminator, and nothing after them is touched.
fn read_some<T: Default + PartialEq>(
    max: usize,
    read: impl Fn(u64) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut text = Vec::new();
    for index in 0..max as u64 {
        let unit = read(index)?;
        if unit == T::default() {
            break;
        }
        text.push(unit);
    }
    Ok(text)
}
