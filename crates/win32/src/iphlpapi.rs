//! iphlpapi.dll: the interfaces, addresses, routes and connections of the machine. The table of contents, and how tables
//! are handed out.
//!
//! Key types: `Bytes` (a structure that is being laid out).

pub mod adapters;
pub mod connections;
pub mod interfaces;
pub mod legacy;
pub mod masks;
pub mod neighbours;
pub mod notifications;
pub mod routes;
pub mod statistics;

use plat_abi::{Fault, Memory};
use plat_host::socket::{self, Interface};

use crate::export::Dll;
use crate::guest::Guest;
use crate::{NtStatus, Win32Error};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "iphlpapi.dll",
    description: "IP Helper API",
    tables: &[
        adapters::EXPORTS,
        connections::EXPORTS,
        interfaces::EXPORTS,
        legacy::EXPORTS,
        masks::EXPORTS,
        neighbours::EXPORTS,
        notifications::EXPORTS,
        routes::EXPORTS,
        statistics::EXPORTS,
    ],
    methods: &[],
};

/// What the functions of this DLL return: 0 or an error of Win32's.
type Outcome = Result<(), Win32Error>;

fn code(outcome: Outcome) -> u32 {
    outcome.err().map_or(0, |error| error.0)
}

/// Returns the interfaces of this machine.
fn all_interfaces() -> Result<Vec<Interface>, Win32Error> {
    socket::interfaces().map_err(|errno| NtStatus::from_errno(errno.0).to_win32())
}

/// A structure that is being laid out.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    /// Appends numbers of 32 bits.
    fn u32s(&mut self, numbers: &[u32]) -> &mut Self {
        self.0.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    /// Appends numbers of 64 bits.
    fn u64s(&mut self, numbers: &[u64]) -> &mut Self {
        self.0.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    /// Appends bytes and fills up to a size.
    fn field(&mut self, bytes: &[u8], size: usize) -> &mut Self {
        let end = self.0.len() + size;
        self.0.extend(&bytes[..bytes.len().min(size)]);
        self.0.resize(end, 0);
        self
    }

    /// Appends a text of UTF-16 with its zero, cut to a number of units.
    fn wide(&mut self, text: &str, units: usize) -> &mut Self {
        let bytes: Vec<u8> =
            text.encode_utf16().take(units.saturating_sub(1)).flat_map(u16::to_le_bytes).collect();
        self.field(&bytes, units * 2)
    }

    /// Appends a text with its zero, cut to a size.
    fn text(&mut self, text: &str, size: usize) -> &mut Self {
        let end = text.len().min(size.saturating_sub(1));
        self.field(&text.as_bytes()[..end], size)
    }

    /// Fills up to a multiple.
    fn align(&mut self, to: usize) -> &mut Self {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
        self
    }
}

/// What these functions say of a bad pointer.
fn bad(_: Fault) -> Win32Error {
    Win32Error::INVALID_PARAMETER
}

/// Stores a table where the caller has room, whose size is told where it stands.
///
/// # Errors
/// `too_small` when there is too little room; `INVALID_PARAMETER` for bad pointers.
fn put_sized(guest: &Guest, at: u64, size_at: u64, bytes: &[u8], too_small: Win32Error) -> Outcome {
    let bad = |_| Win32Error::INVALID_PARAMETER;
    let room = guest.read_u32(size_at).map_err(bad)?;
    guest.write(size_at, &(bytes.len() as u32)).map_err(bad)?;
    if at == 0 || (room as usize) < bytes.len() {
        return Err(too_small);
    }
    guest.write_bytes(at, bytes).map_err(bad)
}

/// Stores a table in memory that `FreeMibTable` gives back, and its address where the caller wants it.
///
/// # Errors
/// `INVALID_PARAMETER`, `NOT_ENOUGH_MEMORY`.
fn put_allocated(guest: &Guest, place: u64, bytes: &[u8]) -> Outcome {
    let bad = |_| Win32Error::INVALID_PARAMETER;
    guest.write_word(place, 0).map_err(bad)?;
    let size = bytes.len() as u64;
    let at = guest.process().heaps.allocate(0, size, false).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write_bytes(at, bytes).map_err(bad)?;
    guest.write_word(place, at).map_err(bad)
}

/// A table of the newer kind: a count, and rows that are aligned to eight bytes.
fn table_of(rows: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Bytes::default();
    bytes.u32s(&[rows.len() as u32]).align(8);
    for row in rows {
        bytes.0.extend(row);
    }
    bytes.0
}

/// A table of the older kind: a count, and rows.
fn old_table_of(rows: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = (rows.len() as u32).to_le_bytes().to_vec();
    bytes.extend(rows.concat());
    bytes
}
