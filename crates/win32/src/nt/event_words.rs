//! The states of events in guest memory, where the guest code of `SetEvent` and `WaitForSingleObject` changes them.
//!
//! Key type: [`EventWords`]. Crossing the gate takes longer than setting an event that nobody waits for. So such an event
//! lends its state to a word that its handle leads to (`kernel32::event_leaves`): setting and taking it are one
//! instruction each. Before the host looks at the event it takes the word back and leaves 0, with which the guest code
//! calls the host. Words are put and taken back with the dispatcher's lock held; of what the guest may have written
//! there the host believes no more than whether the event is set.
//!
//! The table's address is in the PEB. A word lies at the handle's number in it: bit 0 says that the state is here, bit 1
//! that the event is set, bit 2 that it stays set until it is reset.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use plat_abi::Memory;
use plat_host::memory;
use plat_regions::Use;

use crate::guest::GuestMemory;
use crate::process::Process;

/// Where the PEB keeps the table's address, beyond all that Windows defines.
const TABLE: u64 = 0xfe8;
/// Bytes of the table: the first 4,095 handles have a word.
const TABLE_BYTES: u64 = 0x4000;
/// There is a table once events were set this often: a short program's few calls are cheaper without.
const CALLS_BEFORE: u32 = 64;

const IS_HERE: u32 = 1;
const IS_SET: u32 = 2;
const IS_MANUAL: u32 = 4;

/// The table of words.
#[derive(Debug, Default)]
pub struct EventWords {
    /// The table's address, or 0.
    table: AtomicU64,
    calls: AtomicU32,
}

impl EventWords {
    /// Puts an event's state at its handle; says whether it could. The dispatcher's lock is held.
    pub(super) fn put(&self, process: &Process, handle: u64, is_manual: bool, is_set: bool) -> bool {
        if handle >= TABLE_BYTES || !handle.is_multiple_of(4) {
            return false;
        }
        let Some(table) = self.table(process) else { return false };
        let traits = if is_manual { IS_MANUAL } else { 0 } | if is_set { IS_SET } else { 0 };
        memory::compare_exchange_u32(table + handle, 0, IS_HERE | traits).is_ok_and(|before| before == 0)
    }

    /// Takes a state back; says whether the event is set.
    pub(super) fn take(&self, handle: u64) -> bool {
        let address = self.table.load(Ordering::Relaxed) + handle;
        let mut word = memory::read_u32(address).unwrap_or(0);
        while let Ok(before) = memory::compare_exchange_u32(address, word, 0) {
            if before == word {
                return word & IS_SET != 0;
            }
            word = before;
        }
        false
    }

    /// Returns the table, which is made for programs that set events often. Traced programs have none: they would skip
    /// the trace.
    fn table(&self, process: &Process) -> Option<u64> {
        let table = self.table.load(Ordering::Relaxed);
        if table != 0 {
            return Some(table);
        }
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        if calls < CALLS_BEFORE || calls % CALLS_BEFORE != 0 || process.start.trace.api {
            return None;
        }
        let table = process.memory.allocate_data(TABLE_BYTES, Use::Environment, "states of events").ok()?;
        GuestMemory::of(process.machine).write_word(*process.peb.get()? + TABLE, table).ok()?;
        self.table.store(table, Ordering::Relaxed);
        Some(table)
    }
}
