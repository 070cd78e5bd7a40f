//! `__pioinfo`: the descriptors as old tools know them, in tables in guest memory that programs read and write.
//!
//! Ruby and Perl of the years before the Universal CRT put sockets and handles of their own into these tables; so a
//! descriptor is told here when it is opened, and looked up here before it is used.
//!
//! Source for the layout: the headers and sources of such programs (`ioinfo` in Ruby's and Perl's `win32.c`).

use plat_abi::{Fault, Memory};

use super::fd::Mode;
use super::state::variable;
use crate::guest::Guest;
use crate::nt::critical_section::CriticalSection;
use crate::teb::Field;

/// How many tables `__pioinfo` has room for.
pub(crate) const TABLES: u64 = 64;
/// How many descriptors a table holds.
const ENTRIES: u64 = 32;

const SIZE: Field = Field { i386: 36, amd64: 56 };
const HANDLE: Field = Field { i386: 0, amd64: 0 };
const FLAGS: Field = Field { i386: 4, amd64: 8 };
const AHEAD: Field = Field { i386: 5, amd64: 9 };
const IS_LOCK_READY: Field = Field { i386: 8, amd64: 12 };
const LOCK: Field = Field { i386: 12, amd64: 16 };

/// `FOPEN`: the descriptor is in use.
const OPEN: u8 = 0x01;
const PIPE: u8 = 0x08;
const APPEND: u8 = 0x20;
const DEVICE: u8 = 0x40;
const TEXT: u8 = 0x80;
/// A line feed: no byte was read ahead.
const NOTHING_AHEAD: u8 = 10;

/// A handle and its flags, as they stand in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The handle, as wide as the guest's.
    pub(crate) handle: u64,
    flags: u8,
}

impl Told {
    fn new(guest: &Guest, handle: u64, mode: Mode) -> Self {
        let pairs = [(Mode::PIPE, PIPE), (Mode::APPEND, APPEND), (Mode::DEVICE, DEVICE), (Mode::TEXT, TEXT)];
        let set = pairs.into_iter().filter(|(flag, _)| mode.contains(*flag));
        let flags = set.fold(OPEN, |flags, (_, bit)| flags | bit);
        let mask = if guest.machine().pointer_size() == 4 { 0xffff_ffff } else { u64::MAX };
        Self { handle: handle & mask, flags }
    }

    /// Returns what the flags say.
    pub(crate) fn mode(self) -> Mode {
        let pairs = [(Mode::PIPE, PIPE), (Mode::APPEND, APPEND), (Mode::DEVICE, DEVICE), (Mode::TEXT, TEXT)];
        pairs.into_iter().filter(|(_, bit)| self.flags & bit != 0).map(|(flag, _)| flag).collect()
    }
}

/// Returns where the entry of a descriptor lies, if its table was made.
fn entry(guest: &Guest, fd: i32) -> Option<u64> {
    let fd = u64::try_from(fd).ok().filter(|&fd| fd < TABLES * ENTRIES)?;
    let slots = variable(guest, "__pioinfo");
    if slots == 0 {
        return None;
    }
    let table = guest.read_word(slots + fd / ENTRIES * guest.machine().pointer_size()).ok()?;
    (table != 0).then(|| table + fd % ENTRIES * SIZE.offset(guest.machine()))
}

/// Makes the table of a descriptor.
fn make_table(guest: &Guest, fd: i32) -> Option<u64> {
    let machine = guest.machine();
    let index = u64::try_from(fd).ok().filter(|&fd| fd < TABLES * ENTRIES)? / ENTRIES;
    let slots = variable(guest, "__pioinfo");
    if slots == 0 {
        return None;
    }
    let size = SIZE.offset(machine);
    let table = guest.process().heaps.allocate(0, ENTRIES * size, true)?;
    let fill = |at: u64| -> Result<(), Fault> {
        guest.write_word(at + HANDLE.offset(machine), u64::MAX)?;
        guest.write(at + AHEAD.offset(machine), &NOTHING_AHEAD)?;
        guest.write(at + IS_LOCK_READY.offset(machine), &1_u32)?;
        CriticalSection::at(machine, at + LOCK.offset(machine)).initialize(0)
    };
    (0..ENTRIES).try_for_each(|at| fill(table + at * size)).ok()?;
    guest.write_word(slots + index * machine.pointer_size(), table).ok()?;
    entry(guest, fd)
}

/// Tells of a descriptor; returns what stands in the table, nothing where there is none.
pub(crate) fn tell(guest: &Guest, fd: i32, handle: u64, mode: Mode) -> Option<Told> {
    let at = entry(guest, fd).or_else(|| make_table(guest, fd))?;
    let told = Told::new(guest, handle, mode);
    guest.write_word(at + HANDLE.offset(guest.machine()), told.handle).ok()?;
    guest.write(at + FLAGS.offset(guest.machine()), &told.flags).ok()?;
    Some(told)
}

/// Tells that a descriptor is closed.
pub(crate) fn forget(guest: &Guest, fd: i32) {
    let Some(at) = entry(guest, fd) else { return };
    // A table that the program made inaccessible is its own affair.
    let _ = guest.write_word(at + HANDLE.offset(guest.machine()), u64::MAX);
    let _ = guest.write(at + FLAGS.offset(guest.machine()), &0_u8);
}

/// Returns what stands in the table for a descriptor.
pub(crate) fn look(guest: &Guest, fd: i32) -> Option<Told> {
    let at = entry(guest, fd)?;
    let handle = guest.read_word(at + HANDLE.offset(guest.machine())).ok()?;
    let flags = guest.read(at + FLAGS.offset(guest.machine())).ok()?;
    Some(Told { handle, flags })
}
