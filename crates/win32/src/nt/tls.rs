//! Thread-local slots, which lie in TEBs, and fiber-local slots, which have callbacks.

use std::sync::{Mutex, MutexGuard, PoisonError};

use plat_abi::{Fault, Memory};

use super::fiber;
use super::thread::{self, ThreadObject};
use crate::NtStatus;
use crate::guest::{Guest, GuestMemory};
use crate::process::Process;
use crate::teb::{Peb, Teb};

/// Thread-local slots inside the TEB.
pub const SLOTS_IN_TEB: u32 = 64;
/// Thread-local slots in all: 1,024 more lie in an array that a thread gets when it needs one.
pub const SLOTS: u32 = 64 + 1024;
/// Fiber-local slots; index 0 is never given out.
///
/// Source: winnt.h, `FLS_MAXIMUM_AVAILABLE` of Windows 10 before 2004.
pub const FIBER_SLOTS: u32 = 128;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which thread-local slots are given out.
#[derive(Debug, Default)]
pub struct Slots {
    used: Mutex<Vec<bool>>,
}

impl Slots {
    /// Gives out the lowest free slot, never 0: programs take 0 for "none yet" (Rust's library before 1.67 stops at it).
    ///
    /// # Errors
    /// `NO_MEMORY` when all are given out.
    pub fn allocate(&self) -> Result<u32, NtStatus> {
        let mut used = locked(&self.used);
        used.resize(SLOTS as usize, false);
        used[0] = true;
        let index = used.iter().position(|&used| !used).ok_or(NtStatus::NO_MEMORY)?;
        used[index] = true;
        Ok(index as u32)
    }

    /// Takes a slot back and clears it in every thread.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when it was not given out.
    pub fn free(&self, process: &Process, index: u32) -> Result<(), NtStatus> {
        let mut used = locked(&self.used);
        match used.get_mut(index as usize) {
            Some(used) if *used => *used = false,
            _ => return Err(NtStatus::INVALID_PARAMETER),
        }
        for thread in process.threads.all() {
            let teb = Teb { address: thread.teb(), machine: process.machine };
            if teb.address != 0
                && let Some(place) = place(teb, index)?
            {
                GuestMemory::of(process.machine).write_word(place, 0)?;
            }
        }
        Ok(())
    }
}

/// Returns where a slot of a thread lies; `None` when the thread has no array for it yet.
fn place(teb: Teb, index: u32) -> Result<Option<u64>, Fault> {
    let width = teb.machine.pointer_size();
    if index < SLOTS_IN_TEB {
        let slots = teb.address + Teb::TLS_SLOTS.offset(teb.machine);
        return Ok(Some(slots + u64::from(index) * width));
    }
    let array = teb.get(Teb::TLS_EXPANSION)?;
    Ok((array != 0).then(|| array + u64::from(index - SLOTS_IN_TEB) * width))
}

/// Reads the calling thread's slot.
///
/// # Errors
/// `INVALID_PARAMETER` for an index that no slot has.
pub fn get(guest: &Guest, index: u32) -> Result<u64, NtStatus> {
    if index >= SLOTS {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    match place(guest.teb(), index)? {
        Some(place) => Ok(guest.read_word(place)?),
        None => Ok(0),
    }
}

/// Sets the calling thread's slot.
///
/// # Errors
/// `INVALID_PARAMETER` for an index that no slot has, `NO_MEMORY` without room for the thread's array.
pub fn set(guest: &Guest, index: u32, value: u64) -> Result<(), NtStatus> {
    if index >= SLOTS {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if place(guest.teb(), index)?.is_none() {
        let size = u64::from(SLOTS - SLOTS_IN_TEB) * guest.process().machine.pointer_size();
        let array = process_heap(guest)
            .and_then(|heap| guest.process().heaps.allocate(heap, size, true))
            .ok_or(NtStatus::NO_MEMORY)?;
        guest.teb().set(Teb::TLS_EXPANSION, array)?;
    }
    if let Some(place) = place(guest.teb(), index)? {
        guest.write_word(place, value)?;
    }
    Ok(())
}

fn process_heap(guest: &Guest) -> Option<u64> {
    let peb = *guest.process().peb.get()?;
    guest.read_word(peb + Peb::PROCESS_HEAP.offset(guest.process().machine)).ok()
}

/// Which fiber-local slots are given out, with their callbacks (0 for none).
#[derive(Debug, Default)]
pub struct FiberSlots {
    callbacks: Mutex<Vec<Option<u64>>>,
}

impl FiberSlots {
    /// Gives out the lowest free slot, never 0: programs take 0 for "none yet" (Rust's library before 1.67 stops at it).
    ///
    /// # Errors
    /// `NO_MEMORY` when all are given out.
    pub fn allocate(&self, callback: u64) -> Result<u32, NtStatus> {
        let mut callbacks = locked(&self.callbacks);
        callbacks.resize(FIBER_SLOTS as usize, None);
        let free = callbacks.iter().skip(1).position(Option::is_none).ok_or(NtStatus::NO_MEMORY)?;
        callbacks[free + 1] = Some(callback);
        Ok(free as u32 + 1)
    }

    /// Takes a slot back: its callback gets every thread's value that is not null.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when it was not given out.
    pub fn free(&self, guest: &mut Guest, index: u32) -> Result<(), NtStatus> {
        // It stays given out, without a callback, until no value is left: who gets it next sets his own.
        let slot = |callbacks: &mut Vec<Option<u64>>| {
            callbacks.get_mut(index as usize)?.as_mut().map(std::mem::take)
        };
        let callback = slot(&mut locked(&self.callbacks)).ok_or(NtStatus::INVALID_PARAMETER)?;
        let cleared = Self::clear(guest, index, callback);
        locked(&self.callbacks)[index as usize] = None;
        Ok(cleared?)
    }

    /// Clears a slot in all threads and fibers; its callback gets the values that are not null.
    fn clear(guest: &mut Guest, index: u32, callback: u64) -> Result<(), Fault> {
        for thread in guest.process().threads.all() {
            let value = take_value(&thread, index);
            drop(thread);
            if value != 0 && callback != 0 {
                guest.call(callback, &[value])?;
            }
        }
        fiber::free_slot(guest, index, callback)
    }

    /// Says whether a slot is given out.
    pub fn is_used(&self, index: u32) -> bool {
        locked(&self.callbacks).get(index as usize).is_some_and(Option::is_some)
    }

    /// Returns a slot's callback; 0 where there is none.
    pub(super) fn callback(&self, index: u32) -> u64 {
        locked(&self.callbacks).get(index as usize).copied().flatten().unwrap_or(0)
    }

    /// Calls the callbacks for the calling thread's values that are not null: the thread ends.
    pub fn end_thread(&self, guest: &mut Guest) {
        for index in 1..FIBER_SLOTS {
            let value = thread::with_current(|thread| take_value(thread, index));
            let callback = self.callback(index);
            if value != 0 && callback != 0 {
                // A callback without stack is not worth stopping the end of the thread for.
                let _ = guest.call(callback, &[value]);
            }
        }
    }
}

fn take_value(thread: &ThreadObject, index: u32) -> u64 {
    let mut values = locked(&thread.fiber_slots);
    values.get_mut(index as usize).map_or(0, std::mem::take)
}

/// Reads the calling thread's fiber-local slot; 0 when it was never set.
pub fn get_fiber_slot(index: u32) -> u64 {
    thread::with_current(|thread| locked(&thread.fiber_slots).get(index as usize).copied().unwrap_or(0))
}

/// Sets the calling thread's fiber-local slot.
pub fn set_fiber_slot(index: u32, value: u64) {
    thread::with_current(|thread| {
        let mut values = locked(&thread.fiber_slots);
        if values.len() <= index as usize {
            values.resize(FIBER_SLOTS as usize, 0);
        }
        if let Some(place) = values.get_mut(index as usize) {
            *place = value;
        }
    });
}
