//! Fibers: stacks and register states of the guest that a thread runs in turn. How the host's side is switched is told
//! in `plat_host::gate::fiber`.
//!
//! Key types: [`Fibers`], [`Fiber`]. A fiber is known by the address of a block in the process heap whose first words
//! are Windows': the fiber's datum, the chain of exception handlers, and the stack's three addresses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use plat_abi::{Fault, Memory};
use plat_host::gate::{Entrance, SavedFiber};

use super::path::lock;
use super::thread;
use crate::NtStatus;
use crate::guest::{Guest, to_fault};
use crate::process::Process;
use crate::teb::{Field, Peb, Teb};

/// Bytes of a fiber's block: about what Windows' structure takes, so that a program may look around in it.
const BLOCK_BYTES: u64 = 0x400;
/// The words of the block after the datum, and where a TEB has them.
const SWITCHED: [Field; 4] =
    [Teb::EXCEPTION_LIST, Teb::STACK_BASE, Teb::STACK_LIMIT, Teb::DEALLOCATION_STACK];
/// Bytes left free at the base of a fiber's stack.
const STACK_HEADROOM: u64 = 0x80;

/// A fiber.
pub struct Fiber {
    address: u64,
    /// Its function and argument; none for what was a thread.
    start: Option<(u64, u64)>,
    /// Whether it has floating-point control words of its own.
    has_float: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// What the TEB has while it runs: as `SWITCHED`, and the bytes guaranteed to a stack overflow's handler.
    words: [u64; 4],
    guaranteed: u64,
    /// The lowest address of a stack that goes with it.
    own_stack: Option<u64>,
    slots: Vec<u64>,
}

#[derive(Default)]
enum Phase {
    #[default]
    New,
    Running,
    Left(Box<SavedFiber>),
}

/// The fibers of the process, by the addresses of their blocks.
#[derive(Default)]
pub struct Fibers {
    all: Mutex<HashMap<u64, Arc<Fiber>>>,
}

impl Fibers {
    fn find(&self, address: u64) -> Option<Arc<Fiber>> {
        lock(&self.all).get(&address).cloned()
    }

    /// Takes the values of a fiber-local slot from all fibers that do not run.
    pub(super) fn take_slot(&self, index: u32) -> Vec<u64> {
        let all = lock(&self.all);
        let take = |fiber: &Arc<Fiber>| lock(&fiber.state).slots.get_mut(index as usize).map(std::mem::take);
        all.values().filter_map(take).filter(|&value| value != 0).collect()
    }

    fn add(&self, guest: &Guest, datum: u64, fiber: impl FnOnce(u64) -> Fiber) -> Result<u64, NtStatus> {
        let process = guest.process();
        let peb = process.peb.get().copied().unwrap_or(0);
        let heap = guest.read_word(peb + Peb::PROCESS_HEAP.offset(process.machine))?;
        let address = process.heaps.allocate(heap, BLOCK_BYTES, true).ok_or(NtStatus::NO_MEMORY)?;
        guest.write_word(address, datum)?;
        let fiber = fiber(address);
        write_words(guest, address, &lock(&fiber.state).words)?;
        lock(&self.all).insert(address, Arc::new(fiber));
        Ok(address)
    }

    fn remove(&self, guest: &Guest, address: u64) -> Option<Arc<Fiber>> {
        let process = guest.process();
        let fiber = lock(&self.all).remove(&address)?;
        let peb = process.peb.get().copied().unwrap_or(0);
        if let Ok(heap) = guest.read_word(peb + Peb::PROCESS_HEAP.offset(process.machine)) {
            process.heaps.free(heap, address);
        }
        Some(fiber)
    }
}

fn write_words(guest: &Guest, address: u64, words: &[u64; 4]) -> Result<(), Fault> {
    let size = guest.process().machine.pointer_size();
    for (index, &word) in words.iter().enumerate() {
        guest.write_word(address + (index as u64 + 1) * size, word)?;
    }
    Ok(())
}

/// Returns the calling thread's fiber, if it is one.
pub fn current(guest: &Guest) -> Option<Arc<Fiber>> {
    let address = guest.teb().get(Teb::FIBER_DATA).ok()?;
    guest.process().fibers.find(address)
}

/// Makes the calling thread a fiber; returns its address.
///
/// # Errors
/// `NO_MEMORY`.
pub fn convert_thread(guest: &Guest, datum: u64, has_float: bool) -> Result<u64, NtStatus> {
    let state = State { phase: Phase::Running, words: words_of(guest)?, ..State::default() };
    let make = |address| Fiber { address, start: None, has_float, state: Mutex::new(state) };
    let address = guest.process().fibers.add(guest, datum, make)?;
    set_current(guest, address)?;
    Ok(address)
}

/// Makes the calling fiber a plain thread again; says whether it was a fiber.
pub fn convert_to_thread(guest: &Guest) -> bool {
    let Some(fiber) = current(guest) else { return false };
    guest.process().fibers.remove(guest, fiber.address);
    set_current(guest, 0).is_ok()
}

/// Makes a fiber with a stack of its own; returns its address.
///
/// # Errors
/// `NO_MEMORY`.
pub fn create(
    guest: &Guest,
    start: (u64, u64),
    (commit, reserve): (u64, u64),
    has_float: bool,
) -> Result<u64, NtStatus> {
    let process = guest.process();
    let stack = process.memory.allocate_stack(reserve, commit, "fiber")?;
    let end_of_list = if process.machine.is_64() { 0 } else { u64::from(u32::MAX) };
    let words = [end_of_list, stack.base, stack.limit, stack.allocation_base];
    let state = State { words, own_stack: Some(stack.allocation_base), ..State::default() };
    let make = |address| Fiber { address, start: Some(start), has_float, state: Mutex::new(state) };
    let made = process.fibers.add(guest, start.1, make);
    if made.is_err() {
        process.memory.release(stack.allocation_base);
    }
    made
}

/// Deletes a fiber; says whether it is the calling one, whose thread then ends.
///
/// # Errors
/// `INVALID_PARAMETER` for what is no fiber.
pub fn delete(guest: &mut Guest, address: u64) -> Result<bool, NtStatus> {
    if guest.teb().get(Teb::FIBER_DATA)? == address {
        return Ok(true);
    }
    let process = guest.process();
    let fiber = process.fibers.remove(guest, address).ok_or(NtStatus::INVALID_PARAMETER)?;
    let mut state = lock(&fiber.state);
    let slots = std::mem::take(&mut state.slots);
    let stack = state.own_stack.take();
    let phase = std::mem::take(&mut state.phase);
    drop(state);
    drop((phase, fiber));
    for (index, value) in slots.into_iter().enumerate().filter(|slot| slot.1 != 0) {
        let callback = process.threads.fiber_slots.callback(index as u32);
        if callback != 0 {
            guest.call(callback, &[value])?;
        }
    }
    if let Some(stack) = stack {
        process.memory.release(stack);
    }
    Ok(false)
}

/// Leaves the running fiber for another one, at the return of the current call, which removes `stack_bytes` of arguments.
/// Comes back only where there is nothing to switch to.
///
/// # Errors
/// `INVALID_PARAMETER` for what is no fiber, or runs; `NOT_SUPPORTED` for a fiber that was left inside a callback of
/// the system in another thread; `NO_MEMORY`.
pub fn switch(guest: &mut Guest, address: u64, stack_bytes: u32) -> Result<(), NtStatus> {
    let (left_is_held, entrance) = {
        let own = current(guest).ok_or(NtStatus::INVALID_PARAMETER)?;
        if own.address == address {
            return Ok(());
        }
        let target = guest.process().fibers.find(address).ok_or(NtStatus::INVALID_PARAMETER)?;
        let entrance = enter(guest, &target)?;
        match leave(guest, &own, stack_bytes) {
            Ok(is_held) => (is_held, entrance),
            Err(status) => {
                put_back(&target, entrance);
                return Err(status);
            }
        }
    };
    // The frames of this call own nothing from here on.
    let target = find_words(guest, address)?;
    let teb = guest.teb();
    for (field, word) in SWITCHED.into_iter().zip(target.0) {
        teb.set(field, word)?;
    }
    set_guaranteed(guest, target.1)?;
    set_current(guest, address)?;
    guest
        .gate()
        .enter_fiber(left_is_held, entrance)
        .map(|never| match never {})
        .map_err(|_| NtStatus::NO_MEMORY)
}

/// Takes a fiber's state to go on with.
fn enter(guest: &Guest, fiber: &Fiber) -> Result<Entrance, NtStatus> {
    let mut state = lock(&fiber.state);
    match std::mem::replace(&mut state.phase, Phase::Running) {
        Phase::New => {
            let (function, argument) = fiber.start.unwrap_or_default();
            let base = state.words[1] - STACK_HEADROOM;
            let registers = guest.gate().fiber_start(function, argument, base).map_err(to_fault)?;
            Ok(Entrance::Start(registers))
        }
        Phase::Left(saved) if guest.gate().can_enter(&saved) => Ok(Entrance::Saved(saved, fiber.has_float)),
        Phase::Left(saved) => {
            state.phase = Phase::Left(saved);
            Err(NtStatus::NOT_SUPPORTED)
        }
        Phase::Running => Err(NtStatus::INVALID_PARAMETER),
    }
}

fn put_back(fiber: &Fiber, entrance: Entrance) {
    lock(&fiber.state).phase = match entrance {
        Entrance::Start(_) => Phase::New,
        Entrance::Saved(saved, _) => Phase::Left(saved),
    };
}

/// Saves the running fiber; says whether it keeps frames of the host's.
fn leave(guest: &Guest, fiber: &Fiber, stack_bytes: u32) -> Result<bool, NtStatus> {
    let words = words_of(guest)?;
    write_words(guest, fiber.address, &words)?;
    let guaranteed = guaranteed(guest)?;
    let saved = guest.gate().save_fiber(stack_bytes).ok_or(NtStatus::INVALID_PARAMETER)?;
    let is_held = saved.is_held();
    let mut state = lock(&fiber.state);
    (state.words, state.guaranteed) = (words, guaranteed);
    state.slots = thread::with_current(|thread| std::mem::take(&mut *lock(&thread.fiber_slots)));
    state.phase = Phase::Left(saved);
    Ok(is_held)
}

/// Gives a fiber's slots to the thread; returns what its TEB is to have.
fn find_words(guest: &Guest, address: u64) -> Result<([u64; 4], u64), NtStatus> {
    let fiber = guest.process().fibers.find(address).ok_or(NtStatus::INVALID_PARAMETER)?;
    let mut state = lock(&fiber.state);
    let slots = std::mem::take(&mut state.slots);
    thread::with_current(|thread| *lock(&thread.fiber_slots) = slots);
    Ok((state.words, state.guaranteed))
}

fn words_of(guest: &Guest) -> Result<[u64; 4], Fault> {
    let mut words = [0; 4];
    for (word, field) in words.iter_mut().zip(SWITCHED) {
        *word = guest.teb().get(field)?;
    }
    Ok(words)
}

fn guaranteed(guest: &Guest) -> Result<u64, Fault> {
    let place = guest.teb().address + Teb::GUARANTEED_STACK.offset(guest.process().machine);
    guest.read_u32(place).map(u64::from)
}

fn set_guaranteed(guest: &Guest, bytes: u64) -> Result<(), Fault> {
    let place = guest.teb().address + Teb::GUARANTEED_STACK.offset(guest.process().machine);
    guest.write_bytes(place, &(bytes as u32).to_le_bytes())
}

/// Makes a fiber the TEB's, or none for 0.
fn set_current(guest: &Guest, address: u64) -> Result<(), Fault> {
    /// `HasFiberData` of `SameTebFlags`.
    const HAS_FIBER_DATA: u16 = 4;
    let flags = guest.teb().address + Teb::SAME_TEB_FLAGS.offset(guest.process().machine);
    let mut bytes = [0; 2];
    guest.read_bytes(flags, &mut bytes)?;
    let before = u16::from_le_bytes(bytes) & !HAS_FIBER_DATA;
    let now = before | if address == 0 { 0 } else { HAS_FIBER_DATA };
    guest.write_bytes(flags, &now.to_le_bytes())?;
    guest.teb().set(Teb::FIBER_DATA, address)
}

/// Returns the stack that goes with a thread that has ended: that of the fiber that ran last, as on Windows, where a
/// thread's own stack is its first fiber's.
pub(super) fn stack_at_end(process: &Process, teb: Teb, own: u64) -> u64 {
    let fiber = teb.get(Teb::FIBER_DATA).ok().and_then(|address| process.fibers.find(address));
    let Some(fiber) = fiber else { return own };
    lock(&process.fibers.all).remove(&fiber.address);
    let words = teb.get(Teb::DEALLOCATION_STACK);
    words.unwrap_or(own)
}

/// Calls the callback of a fiber-local slot for every fiber that does not run.
///
/// # Errors
/// [`Fault`] when the guest's stack has no room.
pub(super) fn free_slot(guest: &mut Guest, index: u32, callback: u64) -> Result<(), Fault> {
    for value in guest.process().fibers.take_slot(index) {
        if callback != 0 {
            guest.call(callback, &[value])?;
        }
    }
    Ok(())
}
