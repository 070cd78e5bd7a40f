//! The 32-bit frames of `try`: `__CxxFrameHandler`.
//!
//! A `catch` block is a funclet that returns where its function goes on. While it runs, its function's node stays the
//! innermost of the chain, and the state says that the block is entered: a throw in it finds what lies outside.

use std::cell::RefCell;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::cxx_types::{CODE, Catch, Catchable, Function, Try, bits, matching};
use super::{CONTINUE_SEARCH, funclet, go_on, only_i386, thiscall, unwind_to};
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::Guest;
use crate::msvcrt::eh::{begin_catch, end_catch, released, translate};
use crate::nt::exception::context::{Record, flags};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code __CxxFrameHandler: FRAME_HANDLER;
    code __CxxFrameHandler2: FRAME_HANDLER;
    code __CxxFrameHandler3: FRAME_HANDLER;
    code __DestructExceptionObject: DESTRUCT;
};

only_i386! {
    DESTRUCT: __DestructExceptionObject;
}

/// Where a TEB keeps EAX between the handler's entry and the host: beyond all that Windows defines.
const EAX_IN_TEB: u64 = 0x1ff0;

/// The function's tables come in EAX, which the way to the host needs.
#[rustfmt::skip]
static FRAME_HANDLER: Code = Code {
    i386: &[0x64, 0xa3, 0xf0, 0x1f, 0x00, 0x00], // mov fs:[EAX_IN_TEB],eax
    amd64: &[],
    slow: Some(&<__CxxFrameHandler as plat_abi::Api<Guest>>::DESCRIPTOR),
};

/// An exception whose `catch` block runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Caught {
    object: u64,
    throw: u64,
    /// The node of the block's function.
    node: u64,
    /// The last state of the `try` that the block belongs to.
    high: u32,
    /// Where the function's stack pointer was kept before the block's own `try` blocks changed it.
    esp: u64,
}

impl Caught {
    /// Says whether a `catch` of `block`, in the function of `node`, ends this one.
    fn is_left_by(self, node: u64, block: Try) -> bool {
        self.node < node || self.node == node && block.low <= self.high
    }
}

thread_local! {
    /// This thread's exceptions, the innermost last.
    static CAUGHT: RefCell<Vec<Caught>> = const { RefCell::new(Vec::new()) };
}

/// A frame of `try`.
#[derive(Clone, Copy, Debug)]
struct Frame {
    node: u64,
    function: Function,
}

impl Frame {
    fn ebp(self) -> u64 {
        self.node + 12
    }

    fn state(self, guest: &Guest) -> Result<u32, Fault> {
        guest.read_u32(self.node + 8)
    }

    fn set_state(self, guest: &Guest, state: u32) -> Result<(), Fault> {
        guest.write_bytes(self.node + 8, &state.to_le_bytes())
    }

    /// Where the function keeps its stack pointer.
    fn saved_esp(self, guest: &Guest) -> Result<u64, Fault> {
        guest.read_word(self.node - 4)
    }

    /// Destroys the objects of the states from the present one to `stop`.
    fn unwind(self, guest: &mut Guest, stop: u32) -> Result<(), Fault> {
        loop {
            let state = self.state(guest)?;
            if state == stop {
                return Ok(());
            }
            let Some((next, action)) = self.function.leave(guest, state)? else { return Ok(()) };
            self.set_state(guest, next)?;
            if action != 0 {
                funclet(guest, action, self.ebp())?;
            }
        }
    }

    /// Says whether control is in a `try` block.
    fn has_candidates(self, guest: &Guest) -> Result<bool, Fault> {
        Ok(!self.function.tries(guest, self.state(guest)?)?.is_empty())
    }

    /// Looks for a handler, the innermost first.
    fn find(self, guest: &Guest, throw: u64, is_cxx: bool) -> Result<Option<Found>, Fault> {
        for block in self.function.tries(guest, self.state(guest)?)? {
            for catch in block.catches(guest)? {
                if !is_cxx && self.function.is_synchronous {
                    continue;
                }
                if let Some(kind) = matching(guest, catch, throw)? {
                    return Ok(Some(Found { block, catch, kind }));
                }
            }
        }
        Ok(None)
    }

    /// Unwinds to the block, runs the handler, and goes on behind it.
    fn enter(self, guest: &mut Guest, found: Found, record: u64, thrown: Thrown) -> Result<u32, Fault> {
        let Found { block, catch, kind } = found;
        if let Some(kind) = kind.filter(|_| catch.variable != 0) {
            let variable = (self.ebp() as u32).wrapping_add_signed(catch.variable);
            initialise(guest, u64::from(variable), catch, kind, thrown.object)?;
        }
        let what = Record::load(guest, record)?;
        unwind_to(guest, self.node, what);
        self.unwind(guest, block.low)?;
        self.set_state(guest, block.high + 1)?;
        let esp = match leave_blocks(guest, self.node, block, thrown)? {
            Some(esp) => esp,
            None => self.saved_esp(guest)?,
        };
        let Thrown { object, throw } = thrown;
        CAUGHT.with_borrow_mut(|caught| {
            caught.push(Caught { object, throw, node: self.node, high: block.high, esp });
        });
        begin_catch(guest, record)?;
        let eip = funclet(guest, catch.function, self.ebp())?;
        end_catch(record);
        // The block's own `try` blocks change the saved stack pointer.
        guest.write_word(self.node - 4, esp)?;
        let caught = CAUGHT.with_borrow_mut(Vec::pop);
        if let Some(caught) = caught {
            destroy_last(guest, caught)?;
        }
        go_on(guest, u64::from(eip), esp, self.ebp())
    }
}

/// A handler that takes the exception.
#[derive(Clone, Copy, Debug)]
struct Found {
    block: Try,
    catch: Catch,
    /// How the object is seen, or `None` for `catch (...)`.
    kind: Option<Catchable>,
}

/// A thrown object and its `ThrowInfo`; zeros for what is no C++ exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thrown {
    object: u64,
    throw: u64,
}

impl Thrown {
    /// Reads the record's parameters; `throw;` stands for the exception whose block runs.
    fn of(record: &Record) -> Option<Self> {
        if record.code != CODE {
            return Some(Self { object: 0, throw: 0 });
        }
        let parameter = |index: usize| record.information.get(index).copied().unwrap_or(0);
        if parameter(2) != 0 {
            return Some(Self { object: parameter(1), throw: parameter(2) });
        }
        CAUGHT.with_borrow(|caught| caught.last().map(|last| Self { object: last.object, throw: last.throw }))
    }
}

/// Gives the handler's variable its value.
fn initialise(guest: &mut Guest, to: u64, catch: Catch, kind: Catchable, object: u64) -> Result<(), Fault> {
    const POINTER: u32 = 4;
    if catch.adjectives & bits::REFERENCE != 0 {
        return guest.write_word(to, kind.part_of(guest, object)?);
    }
    if kind.properties & bits::SIMPLE != 0 {
        let mut bytes = guest.read_vec(object, u64::from(kind.size))?;
        if kind.size == POINTER {
            let pointer = guest.read_word(object)?;
            let part = if pointer == 0 { 0 } else { kind.part_of(guest, pointer)? };
            bytes.copy_from_slice(&(part as u32).to_le_bytes());
        }
        return guest.write_bytes(to, &bytes);
    }
    let from = kind.part_of(guest, object)?;
    if kind.copy == 0 {
        let bytes = guest.read_vec(from, u64::from(kind.size))?;
        return guest.write_bytes(to, &bytes);
    }
    // The second argument tells a constructor of a class with virtual bases that it makes the whole object.
    let whole = u64::from(kind.properties & bits::HAS_VIRTUAL_BASE != 0);
    thiscall(guest, kind.copy, to, [from, whole]).map(drop)
}

/// Ends the exceptions whose blocks are left for a `catch` of `block`, except for one that was thrown again; returns the stack
/// pointer that the function kept before them, if they were its own.
fn leave_blocks(guest: &mut Guest, node: u64, block: Try, thrown: Thrown) -> Result<Option<u64>, Fault> {
    let mut esp = None;
    loop {
        let left = CAUGHT.with_borrow_mut(|caught| caught.pop_if(|last| last.is_left_by(node, block)));
        let Some(left) = left else { return Ok(esp) };
        if left.node == node {
            esp = Some(left.esp);
        }
        if left.object != thrown.object {
            destroy_last(guest, left)?;
        }
    }
}

/// Destroys a thrown object, unless an outer block still has it.
fn destroy_last(guest: &mut Guest, caught: Caught) -> Result<(), Fault> {
    let is_used = CAUGHT.with_borrow(|all| all.iter().any(|other| other.object == caught.object));
    if is_used { Ok(()) } else { destroy(guest, caught.object, caught.throw) }
}

fn destroy(guest: &mut Guest, object: u64, throw: u64) -> Result<(), Fault> {
    if throw == 0 {
        return Ok(());
    }
    match guest.read_word(throw + 4)? {
        0 => {}
        destructor => drop(thiscall(guest, destructor, object, [0, 0])?),
    }
    released(guest, object);
    Ok(())
}

/// Handles an exception for a frame of `try`; the address of the function's tables was in EAX.
///
/// Source: mingw-w64, msvcrt.def (name); the compiler's code (registers).
#[winapi(cdecl)]
pub fn __CxxFrameHandler(
    guest: &mut Guest,
    exception_record: GuestWord,
    registration: GuestWord,
    context: GuestWord,
    dispatcher: GuestWord,
) -> Result<u32, Fault> {
    let _ = dispatcher;
    let tables = guest.read_word(guest.teb().address + EAX_IN_TEB)?;
    let frame = Frame { node: registration.0, function: Function::load(guest, tables)? };
    let record = Record::load(guest, exception_record.0)?;
    if record.flags & (flags::UNWINDING | flags::EXIT_UNWIND) != 0 {
        frame.unwind(guest, u32::MAX)?;
        return Ok(CONTINUE_SEARCH);
    }
    let Some(thrown) = Thrown::of(&record) else {
        // `throw;` outside every block.
        return crate::msvcrt::exit::terminate(guest).map(|()| CONTINUE_SEARCH);
    };
    let is_cxx = record.code == CODE;
    if !is_cxx && !frame.function.is_synchronous && frame.has_candidates(guest)? {
        translate(guest, &record, [exception_record.0, context.0])?;
    }
    match frame.find(guest, thrown.throw, is_cxx)? {
        Some(found) => return frame.enter(guest, found, exception_record.0, thrown),
        None if is_cxx && frame.function.is_noexcept => crate::msvcrt::exit::terminate(guest)?,
        None => {}
    }
    Ok(CONTINUE_SEARCH)
}

/// Destroys the object of an exception.
///
/// Source: mingw-w64, msvcrt.def.
#[winapi(cdecl)]
pub fn __DestructExceptionObject(guest: &mut Guest, record: GuestWord) -> Result<(), Fault> {
    let record = Record::load(guest, record.0)?;
    match Thrown::of(&record) {
        Some(thrown) => destroy(guest, thrown.object, thrown.throw),
        None => Ok(()),
    }
}
