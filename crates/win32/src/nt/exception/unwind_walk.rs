//! Walks the frames of 64-bit code outwards, through calls of the host and through the handlers of other exceptions.

use plat_abi::{Fault, Memory};
use plat_host::gate::{Registers, return64_address};

use super::unwind::{Frame, Places, RuntimeFunction, Unwound};
use crate::guest::Guest;
use crate::teb::Teb;

/// What the host calls a handler for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To ask about an exception; the context is the exception's.
    Dispatch = 1,
    /// To leave a frame; the context is the frame's, `extra` the address of the `DISPATCHER_CONTEXT`.
    Unwind = 2,
    /// A callback that ends an unwind; the context is the target frame's.
    Consolidate = 3,
    /// A catch block called by plat, whose frame was unwound to its try block; `extra` is the address of three
    /// words: the exception object, the function that destroys it or 0, and what the frame's handler gets as scope index.
    Catch = 4,
    /// A call that an exception does not leave.
    Guard = 5,
}

/// What lies on the guest's stack where the host calls a handler, so that a walk finds its way beyond the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    /// What the call is for.
    pub(crate) purpose: Purpose,
    /// The address of the context from which a walk goes on.
    pub(crate) context: u64,
    /// See [`Purpose`].
    pub(crate) extra: u64,
}

impl Marker {
    /// Size of a marker in bytes.
    pub(crate) const SIZE: u64 = 32;
    /// A number that no address and no plain count looks like.
    const MAGIC: u64 = 0x9d5c_b21e_70f3_4a86;

    /// Writes the marker at a multiple of 16, below which the call's stack shall begin.
    pub(crate) fn store(self, guest: &Guest, address: u64) -> Result<(), Fault> {
        let words = [Self::MAGIC, self.purpose as u64, self.context, self.extra];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        guest.write_bytes(address, &bytes)
    }

    /// Reads the marker at an address, if one is there.
    pub(crate) fn load(guest: &Guest, address: u64) -> Option<Self> {
        let word = |index: u64| guest.read_u64(address + index * 8).ok();
        if word(0)? != Self::MAGIC {
            return None;
        }
        let purpose = match word(1)? {
            1 => Purpose::Dispatch,
            2 => Purpose::Unwind,
            3 => Purpose::Consolidate,
            4 => Purpose::Catch,
            5 => Purpose::Guard,
            _ => return None,
        };
        Some(Self { purpose, context: word(2)?, extra: word(3)? })
    }
}

/// Bytes between the stack pointer after a called function's return and where its stack was said to begin.
///
/// The host's calls with up to four arguments have just the four home slots there.
const HOME_BYTES: u64 = 32;

/// Offset in bytes of `ScopeIndex` in a `DISPATCHER_CONTEXT`.
pub(super) const SCOPE_INDEX: u64 = 0x48;

/// Where a 64-bit `CONTEXT` has RAX, from which the other general registers follow.
const CONTEXT_GENERAL: u64 = 0x78;
/// Where it has RIP.
const CONTEXT_RIP: u64 = 0xf8;
/// Where it has XMM0, from which the others follow.
const CONTEXT_XMM: u64 = 0x1a0;

impl Frame {
    /// Returns the part of the registers that an unwind follows.
    pub(crate) fn of(registers: &Registers) -> Self {
        let xmm = std::array::from_fn(|index| registers.xmm(index));
        Self { general: registers.general, rip: registers.rip, xmm, places: Places::default() }
    }

    /// Reads them from a context, whatever its flags say of it: runtimes unwind with contexts that they filled themselves.
    pub(crate) fn of_context(guest: &Guest, context: u64) -> Result<Self, Fault> {
        let mut frame = Self { rip: guest.read_u64(context + CONTEXT_RIP)?, ..Self::default() };
        for (at, value) in (0..).zip(&mut frame.general) {
            *value = guest.read_u64(context + CONTEXT_GENERAL + at * 8)?;
        }
        for (at, value) in (0..).zip(&mut frame.xmm) {
            let mut bytes = [0; 16];
            guest.read_bytes(context + CONTEXT_XMM + at * 16, &mut bytes)?;
            *value = u128::from_le_bytes(bytes);
        }
        Ok(frame)
    }

    /// Writes them into a context, whose other registers stay.
    pub(crate) fn store(&self, guest: &Guest, context: u64) -> Result<(), Fault> {
        guest.write_word(context + CONTEXT_RIP, self.rip)?;
        for (at, value) in (0..).zip(self.general) {
            guest.write_word(context + CONTEXT_GENERAL + at * 8, value)?;
        }
        for (at, value) in (0..).zip(self.xmm) {
            guest.write_bytes(context + CONTEXT_XMM + at * 16, &value.to_le_bytes())?;
        }
        Ok(())
    }

    /// Sets them in a full set of registers.
    pub(crate) fn apply(&self, registers: &mut Registers) {
        registers.general = self.general;
        registers.rip = self.rip;
        for (index, &value) in self.xmm.iter().enumerate() {
            registers.set_xmm(index, value);
        }
    }
}

/// A function of the guest: its image's base, the address of its entry, and the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// The image's base.
    pub(crate) base: u64,
    /// The address of the `RUNTIME_FUNCTION`.
    pub(crate) address: u64,
    /// The `RUNTIME_FUNCTION`.
    pub(crate) entry: RuntimeFunction,
}

impl Function {
    /// Finds the function that covers `pc`, in its module's table or in one that the program added.
    pub(crate) fn find(guest: &mut Guest, pc: u64) -> Result<Option<Self>, Fault> {
        let (base, table, size) = match guest.process().loader().module_at(pc) {
            Some(module) => (module.base, module.exception_table.0, module.exception_table.1),
            None => match guest.process().exceptions.dynamic_table(pc) {
                Some(found) if found.callback != 0 => {
                    let address = guest.call(found.callback, &[pc, found.context])?;
                    if address == 0 {
                        return Ok(None);
                    }
                    let entry = RuntimeFunction::load(guest, address)?;
                    return Ok(Some(Self { base: found.base, address, entry }));
                }
                Some(found) => (found.base, found.table, found.count * RuntimeFunction::SIZE),
                None => return Ok(None),
            },
        };
        let count = size / RuntimeFunction::SIZE;
        let found = RuntimeFunction::find(guest, base, table, count, pc.wrapping_sub(base) as u32)?;
        Ok(found.map(|(address, entry)| Self { base, address, entry }))
    }
}

/// One frame of guest code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// The registers in the frame.
    pub(crate) inside: Frame,
    /// The registers of its caller.
    pub(crate) outside: Frame,
    /// Its function, unless it is a leaf without an entry.
    pub(crate) function: Option<Function>,
    /// Its base and handlers.
    pub(crate) unwound: Unwound,
    /// How many scopes of the frame are done already.
    pub(crate) scope_index: u32,
    /// The marker through which the walk came to this frame, if it is one of a catch block.
    pub(crate) catch: Option<Marker>,
}

/// A walk over the guest's frames.
#[derive(Debug)]
pub(crate) struct Walker {
    frame: Frame,
    scope_index: u32,
    catch: Option<Marker>,
    /// The stack pointer after the return of the last guarded call that was left.
    guard: Option<u64>,
}

impl Walker {
    /// Starts a walk at these registers.
    pub(crate) fn new(frame: Frame) -> Self {
        Self { frame, scope_index: 0, catch: None, guard: None }
    }

    /// Goes on elsewhere: what a handler found that met an unwind which was on its way.
    pub(crate) fn jump(&mut self, frame: Frame, scope_index: u32) {
        (self.frame, self.scope_index) = (frame, scope_index);
    }

    /// Returns the stack pointer after the return of the last guarded call that the walk has passed.
    pub(crate) fn guard(&self) -> Option<u64> {
        self.guard
    }

    /// Returns the next frame outwards, or `None` beyond the last.
    ///
    /// # Errors
    /// [`Fault`] when the frames lead out of readable memory.
    pub(crate) fn step(&mut self, guest: &mut Guest) -> Result<Option<Step>, Fault> {
        while self.frame.rip == return64_address() {
            if !self.leave_host(guest)? {
                return Ok(None);
            }
        }
        let inside = self.frame;
        if inside.rip == 0 || !is_on_stack(guest, inside.general[4])? {
            return Ok(None);
        }
        let function = Function::find(guest, inside.rip)?;
        let unwound = match &function {
            Some(function) => self.frame.leave(guest, function.base, &function.entry)?,
            None => self.frame.leave_leaf(guest)?,
        };
        let scope_index = std::mem::take(&mut self.scope_index);
        let catch = self.catch.take();
        Ok(Some(Step { inside, outside: self.frame, function, unwound, scope_index, catch }))
    }

    /// Passes the host's frames; says whether the guest has frames beyond them.
    fn leave_host(&mut self, guest: &Guest) -> Result<bool, Fault> {
        let stack = self.frame.general[4];
        let marker = Marker::load(guest, stack.wrapping_add(HOME_BYTES));
        if marker.is_some_and(|marker| marker.purpose == Purpose::Guard) {
            self.guard = Some(stack);
        } else if let Some(marker) = marker {
            self.frame = Frame::of_context(guest, marker.context)?;
            match marker.purpose {
                Purpose::Unwind => self.scope_index = guest.read_u32(marker.extra + SCOPE_INDEX)?,
                Purpose::Catch => {
                    self.scope_index = guest.read_u32(marker.extra + 16)?;
                    self.catch = Some(marker);
                }
                Purpose::Dispatch | Purpose::Consolidate | Purpose::Guard => {}
            }
            return Ok(true);
        }
        let caller = guest.gate().call_chain().into_iter().find(|registers| registers.rsp() > stack);
        if let Some(registers) = &caller {
            self.frame = Frame::of(registers);
        }
        Ok(caller.is_some())
    }
}

/// Says whether an address lies inside the thread's stack, aligned.
fn is_on_stack(guest: &Guest, address: u64) -> Result<bool, Fault> {
    let (limit, base) = (guest.teb().get(Teb::STACK_LIMIT)?, guest.teb().get(Teb::STACK_BASE)?);
    Ok(address.is_multiple_of(8) && address >= limit && address < base)
}
