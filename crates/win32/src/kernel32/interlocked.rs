//! interlockedapi.h: interlocked operations (32-bit only, in guest code) and singly linked lists.
//!
//! All list operations come through here, so one lock makes them atomic.

use std::sync::{Mutex, MutexGuard, PoisonError};

use plat_abi::{Fault, GuestWord, Machine, Memory, winapi};

use super::leaves::{
    INTERLOCKED_COMPARE_EXCHANGE, INTERLOCKED_COMPARE_EXCHANGE_64, INTERLOCKED_DECREMENT,
    INTERLOCKED_EXCHANGE, INTERLOCKED_EXCHANGE_ADD, INTERLOCKED_INCREMENT,
};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full InitializeSListHead;
    code InterlockedCompareExchange: INTERLOCKED_COMPARE_EXCHANGE;
    code InterlockedCompareExchange64: INTERLOCKED_COMPARE_EXCHANGE_64;
    code InterlockedDecrement: INTERLOCKED_DECREMENT;
    code InterlockedExchange: INTERLOCKED_EXCHANGE;
    code InterlockedExchangeAdd: INTERLOCKED_EXCHANGE_ADD;
    full InterlockedFlushSList;
    code InterlockedIncrement: INTERLOCKED_INCREMENT;
    full InterlockedPopEntrySList;
    full InterlockedPushEntrySList;
    full QueryDepthSList;
};

static LISTS: Mutex<()> = Mutex::new(());

fn lists() -> MutexGuard<'static, ()> {
    LISTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An `SLIST_HEADER`: the first entry, how many there are, and how often it changed.
///
/// Source: winnt.h, `SLIST_HEADER`.
struct Head {
    first: u64,
    depth: u16,
    sequence: u64,
}

impl Head {
    fn load(guest: &Guest, at: u64) -> Result<Self, Fault> {
        let low = guest.read_u64(at)?;
        Ok(match guest.machine() {
            Machine::I386 => {
                Self { first: low & 0xffff_ffff, depth: (low >> 32) as u16, sequence: low >> 48 }
            }
            Machine::Amd64 => {
                Self { first: guest.read_u64(at + 8)? & !15, depth: low as u16, sequence: low >> 16 }
            }
        })
    }

    fn store(&self, guest: &Guest, at: u64) -> Result<(), Fault> {
        let depth = u64::from(self.depth);
        match guest.machine() {
            Machine::I386 => guest.write(at, &(self.first & 0xffff_ffff | depth << 32 | self.sequence << 48)),
            Machine::Amd64 => {
                guest.write(at + 8, &self.first)?;
                guest.write(at, &(depth | self.sequence << 16))
            }
        }
    }
}

/// Makes a list empty.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/interlockedapi/nf-interlockedapi-initializeslisthead>
#[winapi]
pub fn InitializeSListHead(guest: &mut Guest, ListHead: GuestWord) -> Result<(), Fault> {
    Head { first: 0, depth: 0, sequence: 0 }.store(guest, ListHead.get())
}

/// Puts an entry at the front of a list; returns the entry that was there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/interlockedapi/nf-interlockedapi-interlockedpushentryslist>
#[winapi]
pub fn InterlockedPushEntrySList(
    guest: &mut Guest,
    ListHead: GuestWord,
    ListEntry: GuestWord,
) -> Result<GuestWord, Fault> {
    let _lists = lists();
    let head = Head::load(guest, ListHead.get())?;
    guest.write_word(ListEntry.get(), head.first)?;
    let new = Head {
        first: ListEntry.get(),
        depth: head.depth.wrapping_add(1),
        sequence: head.sequence.wrapping_add(1),
    };
    new.store(guest, ListHead.get())?;
    Ok(GuestWord(head.first))
}

/// Takes the entry at the front of a list; 0 when there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/interlockedapi/nf-interlockedapi-interlockedpopentryslist>
#[winapi]
pub fn InterlockedPopEntrySList(guest: &mut Guest, ListHead: GuestWord) -> Result<GuestWord, Fault> {
    let _lists = lists();
    let head = Head::load(guest, ListHead.get())?;
    if head.first == 0 {
        return Ok(GuestWord::NULL);
    }
    let first = guest.read_word(head.first)?;
    let new = Head { first, depth: head.depth.wrapping_sub(1), sequence: head.sequence.wrapping_add(1) };
    new.store(guest, ListHead.get())?;
    Ok(GuestWord(head.first))
}

/// Takes all entries of a list; returns the first.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/interlockedapi/nf-interlockedapi-interlockedflushslist>
#[winapi]
pub fn InterlockedFlushSList(guest: &mut Guest, ListHead: GuestWord) -> Result<GuestWord, Fault> {
    let _lists = lists();
    let head = Head::load(guest, ListHead.get())?;
    Head { first: 0, depth: 0, sequence: head.sequence.wrapping_add(1) }.store(guest, ListHead.get())?;
    Ok(GuestWord(head.first))
}

/// Returns how many entries a list has, modulo 65,536.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/interlockedapi/nf-interlockedapi-querydepthslist>
#[winapi]
pub fn QueryDepthSList(guest: &mut Guest, ListHead: GuestWord) -> Result<u16, Fault> {
    let _lists = lists();
    Ok(Head::load(guest, ListHead.get())?.depth)
}
