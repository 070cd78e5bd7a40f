//! Asks 64-bit frames about an exception, and unwinds them.
//!
//! Source: <https://learn.microsoft.com/cpp/build/exception-handling-x64>, "Language-specific handler";
//! <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlunwindex>.

use plat_abi::{Fault, Machine, Memory};
use plat_host::gate::Registers;

use super::context::{Record, apply_context, context_bytes, context_size, flags};
use super::unwind::{EHANDLER, Frame, UHANDLER};
use super::unwind_walk::{Marker, Purpose, SCOPE_INDEX, Step, Walker};
use crate::NtStatus;
use crate::guest::{Guest, to_fault};

/// The exception of an unwind whose end the program's callback carries out.
pub(crate) const UNWIND_CONSOLIDATE: u32 = 0x8000_0029;

/// The exception of C++ programs: "msc" and a bit.
pub(crate) const CXX_EXCEPTION: u32 = 0xe06d_7363;

/// The frame is the unwind's target.
pub(crate) const TARGET_UNWIND: u32 = 0x20;
/// The frame's handler was on its way already when another unwind came.
const COLLIDED_UNWIND: u32 = 0x40;

/// What a frame's handler answers.
const CONTINUE: u32 = 0;
const SEARCH: u32 = 1;
const NESTED: u32 = 2;
const COLLIDED: u32 = 3;

/// Size of a `DISPATCHER_CONTEXT` in bytes.
const DISPATCHER_SIZE: u64 = 0x50;

/// Offset in bytes of `ContextRecord` in a `DISPATCHER_CONTEXT`.
const CONTEXT_RECORD: u64 = 0x28;

/// Guest memory for calls of frames' handlers.
#[derive(Clone, Copy, Debug)]
struct Area {
    context: u64,
    dispatcher: u64,
    marker: u64,
}

impl Area {
    fn below(stack: u64) -> Self {
        let context = stack.wrapping_sub(context_size(Machine::Amd64)) & !63;
        let dispatcher = context - DISPATCHER_SIZE;
        Self { context, dispatcher, marker: (dispatcher - Marker::SIZE) & !15 }
    }

    fn store_context(&self, guest: &Guest, frame: &Frame, full: &Registers) -> Result<(), Fault> {
        let mut registers = full.clone();
        frame.apply(&mut registers);
        guest.write_bytes(self.context, &context_bytes(Machine::Amd64, &registers))
    }

    /// Calls a frame's handler.
    fn ask(
        &self,
        guest: &Guest,
        step: &Step,
        record: u64,
        context: u64,
        target_ip: u64,
    ) -> Result<u32, Fault> {
        let (base, function) = step.function.map_or((0, 0), |function| (function.base, function.address));
        let unwound = &step.unwound;
        let words = [
            step.inside.rip,
            base,
            function,
            unwound.establisher,
            target_ip,
            self.context,
            unwound.handler,
            unwound.handler_data,
            0,
            u64::from(step.scope_index),
        ];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        guest.write_bytes(self.dispatcher, &bytes)?;
        let arguments = [record, unwound.establisher, context, self.dispatcher];
        let answer = guest.gate().call_at(unwound.handler, &arguments, self.marker).map_err(to_fault)?;
        Ok(answer as u32)
    }

    /// Returns where the unwind was that a handler met.
    fn collided(&self, guest: &Guest) -> Result<(Frame, u32), Fault> {
        let context = guest.read_u64(self.dispatcher + CONTEXT_RECORD)?;
        Ok((Frame::of_context(guest, context)?, guest.read_u32(self.dispatcher + SCOPE_INDEX)?))
    }
}

/// How the frames answered to an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Somebody wants the guest to go on.
    Continue,
    /// Nobody handles it.
    Unhandled,
    /// A handler answered what no handler may.
    Invalid,
    /// A call has the exception end it; the stack pointer after its return.
    Guarded(u64),
}

/// Asks the frames' handlers about the exception of `record`, outwards from `context`, with calls below `stack`.
pub(super) fn ask_frames(
    guest: &mut Guest,
    record: u64,
    context: u64,
    registers: &Registers,
    stack: u64,
) -> Result<Answer, Fault> {
    let area = Area::below(stack);
    Marker { purpose: Purpose::Dispatch, context, extra: 0 }.store(guest, area.marker)?;
    let mut walker = Walker::new(Frame::of(registers));
    while let Some(step) = walker.step(guest)? {
        if walker.guard().is_some() {
            break;
        }
        if step.unwound.flags & EHANDLER == 0 {
            continue;
        }
        area.store_context(guest, &step.outside, registers)?;
        match area.ask(guest, &step, record, context, 0)? {
            CONTINUE => return Ok(Answer::Continue),
            SEARCH | NESTED => {}
            COLLIDED => {
                let (frame, scope_index) = area.collided(guest)?;
                walker.jump(frame, scope_index);
            }
            _ => return Ok(Answer::Invalid),
        }
    }
    Ok(walker.guard().map_or(Answer::Unhandled, Answer::Guarded))
}

/// Up to where an unwind goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The frame's base; 0 for all frames.
    pub(crate) frame: u64,
    /// Where the guest goes on, as handlers are told.
    pub(crate) ip: u64,
    /// Whether the target frame's handler is called, too.
    pub(crate) calls_handler: bool,
    /// The stack pointer after the return of the guarded call that is left; 0 for a frame's unwind.
    pub(crate) guard: u64,
}

impl Target {
    /// Returns a frame's handler as the target.
    pub(crate) fn frame(frame: u64, ip: u64, calls_handler: bool) -> Self {
        Self { frame, ip, calls_handler, guard: 0 }
    }

    /// Returns the end of a guarded call as the target.
    pub(crate) fn guard(stack: u64) -> Self {
        Self { frame: 0, ip: 0, calls_handler: false, guard: stack }
    }
}

/// An unwind on its way.
#[derive(Debug)]
pub(crate) struct Unwinder {
    walker: Walker,
    area: Area,
    record_address: u64,
    record: Record,
    /// In place: what is left behind on the host's stack does not leak.
    full: Registers,
    flags: u32,
}

impl Unwinder {
    /// Starts at the caller of the current call. `record` is the address of the exception's record, or 0 for none.
    pub(crate) fn new(guest: &Guest, record: u64, is_exit: bool) -> Result<Self, NtStatus> {
        let full = *guest.caller_registers().ok_or(NtStatus::BAD_STACK)?;
        let mut stack = guest.gate().top_stack_pointer().ok_or(NtStatus::BAD_STACK)?;
        let mut record_address = record;
        if record == 0 {
            record_address = stack.wrapping_sub(Record::size(Machine::Amd64)) & !15;
            stack = record_address;
            let record = Record::new(NtStatus::UNWIND, full.rip);
            guest.write_bytes(record_address, &record.to_bytes(Machine::Amd64))?;
        }
        // A record that the host itself put below the guest's frames is kept, too.
        stack = stack.min(record_address);
        let area = Area::below(stack);
        Marker { purpose: Purpose::Unwind, context: area.context, extra: area.dispatcher }
            .store(guest, area.marker)?;
        let record = Record::load(guest, record_address)?;
        let flags = record.flags | flags::UNWINDING | if is_exit { flags::EXIT_UNWIND } else { 0 };
        let walker = Walker::new(Frame::of(&full));
        Ok(Self { walker, area, record_address, record, full, flags })
    }

    /// Returns where calls' stacks begin that shall lie below all of the unwind's data.
    pub(crate) fn stack(&self) -> u64 {
        self.area.marker
    }

    /// Returns the address of the context of the frame that the unwind has reached.
    pub(crate) fn context(&self) -> u64 {
        self.area.context
    }

    /// Leaves the frames inside the target; returns the registers in the target frame.
    ///
    /// # Errors
    /// [`NtStatus`] of the exception that Windows raises.
    pub(crate) fn run(&mut self, guest: &mut Guest, target: Target) -> Result<Box<Registers>, NtStatus> {
        let mut collided = 0;
        while let Some(step) = self.walker.step(guest)? {
            if target.guard != 0 && self.walker.guard() == Some(target.guard) {
                break;
            }
            if let Some(catch) = step.catch {
                self.leave_catch(guest, catch)?;
            }
            let is_target = target.frame != 0 && step.unwound.establisher == target.frame;
            let answer = if step.unwound.flags & UHANDLER != 0 && (!is_target || target.calls_handler) {
                let target_flag = if is_target { TARGET_UNWIND } else { 0 };
                let flags = self.flags | target_flag | std::mem::take(&mut collided);
                guest.write_bytes(self.record_address + 4, &flags.to_le_bytes())?;
                self.area.store_context(guest, &step.inside, &self.full)?;
                self.area.ask(guest, &step, self.record_address, self.area.context, target.ip)?
            } else {
                if is_target {
                    self.area.store_context(guest, &step.inside, &self.full)?;
                }
                SEARCH
            };
            match answer {
                SEARCH if is_target => {
                    let mut registers = Box::new(self.full.clone());
                    apply_context(guest, self.area.context, &mut registers)?;
                    return Ok(registers);
                }
                SEARCH => {}
                COLLIDED => {
                    let (frame, scope_index) = self.area.collided(guest)?;
                    self.walker.jump(frame, scope_index);
                    collided = COLLIDED_UNWIND;
                }
                _ => return Err(NtStatus::INVALID_DISPOSITION),
            }
        }
        if target.guard != 0 {
            return Ok(Box::new(self.full.clone()));
        }
        Err(NtStatus::INVALID_UNWIND_TARGET)
    }

    /// Destroys the exception that a catch block held, now that the block is left, unless it goes on its way again.
    fn leave_catch(&self, guest: &mut Guest, catch: Marker) -> Result<(), Fault> {
        let (object, destructor) = (guest.read_u64(catch.extra)?, guest.read_u64(catch.extra + 8)?);
        let is_same =
            self.record.code == CXX_EXCEPTION && self.record.information.get(1).copied() == Some(object);
        if destructor != 0 && !is_same {
            guest.gate().call_at(destructor, &[object], self.area.marker).map_err(to_fault)?;
        }
        if !is_same {
            crate::msvcrt::eh::released(guest, object);
        }
        Ok(())
    }
}

/// Unwinds to a frame and goes on there. Never comes back.
pub(crate) fn unwind_to(
    guest: &mut Guest,
    target: Target,
    record: u64,
    value: u64,
) -> Result<std::convert::Infallible, NtStatus> {
    let mut unwinder = Unwinder::new(guest, record, target.frame == 0)?;
    let mut registers = unwinder.run(guest, target)?;
    registers.general[0] = value;
    let (area, record_address) = (unwinder.area, unwinder.record_address);
    let is_jump = unwinder.record.code == NtStatus::LONGJUMP.0;
    let buffer = unwinder.record.information.first().copied().filter(|_| is_jump);
    let callback = match unwinder.record.code {
        UNWIND_CONSOLIDATE => unwinder.record.information.first().copied(),
        _ => None,
    };
    // Nothing comes back here.
    drop(unwinder);
    if let Some(callback) = callback {
        Marker { purpose: Purpose::Consolidate, context: area.context, extra: 0 }
            .store(guest, area.marker)?;
        registers.rip = guest.gate().call_at(callback, &[record_address], area.marker).map_err(to_fault)?;
    } else if let Some(buffer) = buffer {
        crate::msvcrt::jump_amd64::load_buffer(guest, buffer, &mut registers)?;
    } else {
        registers.rip = target.ip;
    }
    guest.gate().resume(registers)
}
