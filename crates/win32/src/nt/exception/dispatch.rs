//! From an exception to whoever handles it: vectored handlers, the frames' handlers, the process's filter.
//!
//! Handlers run on the guest's stack below the record and the context. No lock is held while they do: a handler may
//! leave by an unwind, which gives up the host's frames.
//!
//! Source: <https://learn.microsoft.com/windows/win32/debug/exception-handling-functions>,
//! <https://learn.microsoft.com/windows/win32/debug/vectored-exception-handling>.

use plat_abi::{Fault, Memory};
use plat_host::gate::{FaultInfo, HandlerKind, Registers};
use plat_host::memory::MemoryFault;

use super::List;
use super::classify::{Exception, Trap, classify, register_divisor_is_zero};
use super::context::{Record, apply_context, context_bytes, context_size, flags};
use super::guarded;
use super::unwind_run::{self, Answer};
use super::unwind_walk::{Marker, Purpose};
use crate::NtStatus;
use crate::guest::{Guest, to_fault};
use crate::nt::memory::GuardHit;
use crate::process::Crash;
use crate::teb::Teb;

/// What a filter or a vectored handler answers when the guest shall go on.
const CONTINUE_EXECUTION: u32 = u32::MAX;

/// What the process's filter answers when the process shall end without a report.
const EXECUTE_HANDLER: u32 = 1;

/// What a frame's handler answers that does not handle the exception.
const SEARCH: u32 = 1;

/// End of the 32-bit chain of frames.
const END_OF_CHAIN: u64 = 0xffff_ffff;

/// An exception's structures in guest memory, while its handlers are asked.
struct Pending {
    record: Record,
    record_address: u64,
    context: u64,
    pointers: u64,
    /// Where the handlers' stacks begin.
    stack: u64,
    /// Not in a box: a handler that unwinds gives the host's frames up, and nothing would free it.
    registers: Registers,
}

/// Handles a processor fault of the guest; returns the registers with which it goes on.
pub(crate) fn handle_fault(
    guest: &mut Guest,
    info: &FaultInfo,
    mut registers: Box<Registers>,
) -> Box<Registers> {
    let mut exception = classify_fault(guest, info, &registers);
    if exception.code == NtStatus::ACCESS_VIOLATION && info.trap == 14 {
        match guest.process().memory.guard_hit(info.address, guest.teb()) {
            GuardHit::StackGrown | GuardHit::Accessible => return registers,
            GuardHit::NotAGuard => {}
            GuardHit::Guard => exception.code = NtStatus::GUARD_PAGE_VIOLATION,
            GuardHit::StackOverflow => exception.code = NtStatus::STACK_OVERFLOW,
        }
    }
    registers.rip = registers.rip.wrapping_add_signed(exception.move_ip);
    let mut record = Record::new(exception.code, registers.rip);
    record.information = exception.information[..exception.count as usize].to_vec();
    if exception.is_fatal {
        record.flags = flags::NONCONTINUABLE;
        end(guest, &record, registers);
    }
    dispatch(guest, record, registers)
}

fn classify_fault(guest: &Guest, info: &FaultInfo, registers: &Registers) -> Exception {
    const LONGEST_INSTRUCTION: u64 = 15;
    const BUS_ERROR: i32 = 7;
    let code: Vec<u8> = (0..LONGEST_INSTRUCTION)
        .map_while(|index| {
            let mut byte = [0];
            guest.read_bytes(registers.rip.wrapping_add(index), &mut byte).ok().map(|()| byte[0])
        })
        .collect();
    let fxsave = registers.fxsave();
    let word = |at: usize| u16::from_le_bytes([fxsave[at], fxsave[at + 1]]);
    // A division by memory is taken for one by zero: an overflow needs a huge quotient and is rare.
    let divisor = register_divisor_is_zero(&code, registers.is_i386, &registers.general);
    classify(&Trap {
        vector: info.trap,
        error: info.error,
        address: info.address,
        is_bus_error: info.signal == BUS_ERROR && info.trap == 14,
        is_i386: registers.is_i386,
        code: &code,
        divisor_is_zero: divisor.unwrap_or(true),
        ecx: registers.general[1] as u32,
        x87: (word(0), word(2)),
        mxcsr: u32::from(word(24)),
    })
}

/// Raises an access violation for a pointer that the host could not use on the guest's behalf. It comes from the
/// function's own code, as on Windows; where a handler lets it go on, the call is made again.
pub(crate) fn raise_access_violation(guest: &mut Guest, fault: Fault) -> ! {
    let registers = guest.process().retry_registers(guest).or_else(|| guest.caller_registers());
    let registers = registers.unwrap_or_else(|| Registers::zeroed(!guest.process().machine.is_64()));
    let kind = match fault.kind {
        plat_abi::FaultKind::Read => 0,
        plat_abi::FaultKind::Write => 1,
        plat_abi::FaultKind::Execute => 8,
    };
    let mut record = Record::new(NtStatus::ACCESS_VIOLATION, registers.rip);
    record.information = vec![kind, fault.address.get()];
    raise(guest, record, registers)
}

/// Returns the caller's registers as they will be after a call with this many bytes of 32-bit arguments.
pub(crate) fn caller(guest: &Guest, stack_bytes: u64) -> Box<Registers> {
    let is_64 = guest.process().machine.is_64();
    let mut registers = guest.caller_registers().unwrap_or_else(|| Registers::zeroed(!is_64));
    registers.general[4] += if is_64 { 0 } else { stack_bytes };
    registers
}

/// Raises an exception in a call of the guest; the guest goes on with `registers` where a handler wants it to.
pub(crate) fn raise(guest: &mut Guest, record: Record, registers: Box<Registers>) -> ! {
    let registers = dispatch(guest, record, registers);
    guest.gate().resume(registers)
}

/// Makes a guard page accessible that the host touched on the guest's behalf; says whether to try again.
pub(crate) fn resolve(guest: &Guest, fault: MemoryFault) -> bool {
    let hit = guest.process().memory.guard_hit(fault.address, guest.teb());
    matches!(hit, GuardHit::StackGrown | GuardHit::Accessible)
}

/// Asks the handlers in Windows' order; returns the registers with which the guest goes on, or ends the process.
pub(crate) fn dispatch(guest: &mut Guest, record: Record, registers: Box<Registers>) -> Box<Registers> {
    let mut pending = Pending::place(guest, record, registers);
    // Without a stack there are no handlers.
    match pending.write(guest).and_then(|()| pending.ask(guest)) {
        Ok(true) => pending.go_on(guest),
        Ok(false) => pending.unhandled(guest),
        Err(_) => pending.end(guest),
    }
}

impl Pending {
    /// Places the record, the context and `EXCEPTION_POINTERS` below everything that the guest's stack holds.
    fn place(guest: &Guest, record: Record, registers: Box<Registers>) -> Self {
        let machine = guest.process().machine;
        let call = guest.gate().top_stack_pointer().unwrap_or(u64::MAX);
        let top = registers.rsp().min(call);
        let context = top.wrapping_sub(context_size(machine)) & !63;
        let record_address = context.wrapping_sub(Record::size(machine)) & !15;
        let pointers = record_address.wrapping_sub(2 * machine.pointer_size()) & !15;
        let stack = if machine.is_64() { pointers.wrapping_sub(Marker::SIZE) } else { pointers };
        Self { record, record_address, context, pointers, stack, registers: *registers }
    }

    /// Writes them.
    fn write(&self, guest: &Guest) -> Result<(), Fault> {
        let machine = guest.process().machine;
        guest.write_bytes(self.context, &context_bytes(machine, &self.registers))?;
        guest.write_bytes(self.record_address, &self.record.to_bytes(machine))?;
        guest.write_word(self.pointers, self.record_address)?;
        guest.write_word(self.pointers + machine.pointer_size(), self.context)?;
        if machine.is_64() {
            Marker { purpose: Purpose::Dispatch, context: self.context, extra: 0 }
                .store(guest, self.stack)?;
        }
        Ok(())
    }

    fn end(self, guest: &Guest) -> ! {
        end(guest, &self.record, Box::new(self.registers))
    }

    /// Calls a filter, or a function that is told of all exceptions.
    fn call_filter(&self, guest: &Guest, function: u64) -> Result<u32, Fault> {
        let answer =
            guest.gate().call_handler_at(function, &[self.pointers], self.stack, HandlerKind::Filter);
        answer.map(|answer| answer as u32).map_err(to_fault)
    }

    /// Calls a handler of the chain at `fs:[0]`.
    fn call_handler(&self, guest: &Guest, handler: u64, frame: u64) -> Result<u32, Fault> {
        let dispatcher = self.pointers - 16;
        guest.write_word(dispatcher, 0)?;
        let arguments = [self.record_address, frame, self.context, dispatcher];
        let answer = guest.gate().call_handler_at(handler, &arguments, dispatcher, HandlerKind::Frame);
        answer.map(|answer| answer as u32).map_err(to_fault)
    }

    /// Says whether a handler wants the guest to go on.
    fn ask(&mut self, guest: &mut Guest) -> Result<bool, Fault> {
        for function in guest.process().exceptions.functions(List::Exception) {
            if self.call_filter(guest, function)? == CONTINUE_EXECUTION {
                return Ok(true);
            }
        }
        if guest.process().machine.is_64() { self.ask_frames64(guest) } else { self.ask_frames(guest) }
    }

    /// Asks the handlers of 64-bit frames.
    fn ask_frames64(&mut self, guest: &mut Guest) -> Result<bool, Fault> {
        match unwind_run::ask_frames(guest, self.record_address, self.context, &self.registers, self.stack)? {
            Answer::Continue if self.record.flags & flags::NONCONTINUABLE != 0 => {
                self.raise(guest, NtStatus::NONCONTINUABLE_EXCEPTION)
            }
            Answer::Continue => Ok(true),
            Answer::Guarded(stack) => match guarded::leave64(guest, self.record_address, stack) {
                Ok(never) => match never {},
                Err(status) => self.raise(guest, status),
            },
            Answer::Unhandled => Ok(false),
            Answer::Invalid => self.raise(guest, NtStatus::INVALID_DISPOSITION),
        }
    }

    /// Asks the handlers of the chain at `fs:[0]`.
    fn ask_frames(&mut self, guest: &mut Guest) -> Result<bool, Fault> {
        const CONTINUE: u32 = 0;
        let mut frame = guest.teb().get(Teb::EXCEPTION_LIST)?;
        while frame != END_OF_CHAIN {
            if !is_on_stack(guest, frame)? {
                self.record.flags |= flags::STACK_INVALID;
                return Ok(false);
            }
            let handler = guest.read_word(frame + 4)?;
            if guarded::is_guard(guest, handler) {
                match guarded::leave32(guest, self.record.clone(), frame) {
                    Ok(never) => match never {},
                    Err(status) => self.raise(guest, status),
                }
            }
            match self.call_handler(guest, handler, frame)? {
                CONTINUE if self.record.flags & flags::NONCONTINUABLE != 0 => {
                    self.raise(guest, NtStatus::NONCONTINUABLE_EXCEPTION)
                }
                CONTINUE => return Ok(true),
                // A nested exception's frame is passed by, too.
                SEARCH | 2 => frame = guest.read_word(frame)?,
                _ => self.raise(guest, NtStatus::INVALID_DISPOSITION),
            }
        }
        Ok(false)
    }

    /// Raises another exception during this one.
    fn raise(&self, guest: &mut Guest, code: NtStatus) -> ! {
        let mut registers = Box::new(self.registers.clone());
        let mut record = Record::noncontinuable(code, registers.rip);
        if registers.is_i386 {
            registers.general[4] = self.pointers;
            record.nested = self.record_address;
        }
        raise(guest, record, registers)
    }

    /// Lets the guest go on with the context as its handlers left it.
    fn go_on(mut self, guest: &mut Guest) -> Box<Registers> {
        for function in guest.process().exceptions.functions(List::Continue) {
            match self.call_filter(guest, function) {
                Ok(CONTINUE_EXECUTION) | Err(_) => break,
                Ok(_) => {}
            }
        }
        match apply_context(guest, self.context, &mut self.registers) {
            Ok(()) => Box::new(self.registers),
            Err(_) => self.end(guest),
        }
    }

    /// Asks the process's filter; ends the process unless it wants the guest to go on.
    fn unhandled(self, guest: &mut Guest) -> Box<Registers> {
        let filter = guest.process().exceptions.filter();
        if filter == 0 {
            self.end(guest);
        }
        match self.call_filter(guest, filter) {
            Ok(CONTINUE_EXECUTION) => self.go_on(guest),
            Ok(EXECUTE_HANDLER) => crate::nt::process_object::leave(self.record.code),
            _ => self.end(guest),
        }
    }
}

/// Says whether a frame of the chain lies inside the thread's stack, aligned.
fn is_on_stack(guest: &Guest, frame: u64) -> Result<bool, Fault> {
    let (limit, base) = (guest.teb().get(Teb::STACK_LIMIT)?, guest.teb().get(Teb::STACK_BASE)?);
    Ok(frame.is_multiple_of(4) && frame >= limit && frame.saturating_add(8) <= base)
}

/// Calls the 32-bit frames' handlers for an unwind up to `target` (0: all), and takes the frames off the chain.
///
/// # Errors
/// [`NtStatus`] of the exception that Windows raises: the chain is broken, or lacks the target.
pub(crate) fn unwind_chain(guest: &mut Guest, target: u64, mut record: Record) -> Result<(), NtStatus> {
    record.flags |= flags::UNWINDING | if target == 0 { flags::EXIT_UNWIND } else { 0 };
    let registers = guest.caller_registers().ok_or(NtStatus::BAD_STACK)?;
    let pending = Pending::place(guest, record, registers);
    pending.write(guest)?;
    let mut frame = guest.teb().get(Teb::EXCEPTION_LIST)?;
    while frame != END_OF_CHAIN && frame != target {
        if target != 0 && frame > target {
            return Err(NtStatus::INVALID_UNWIND_TARGET);
        }
        if !is_on_stack(guest, frame)? {
            return Err(NtStatus::BAD_STACK);
        }
        let handler = guest.read_word(frame + 4)?;
        let answer = if guarded::is_guard(guest, handler) {
            SEARCH
        } else {
            pending.call_handler(guest, handler, frame)?
        };
        match answer {
            SEARCH => {}
            // A collided unwind: the frame whose handler was unwinding already is named by the handler.
            3 => frame = guest.read_word(pending.pointers - 16)?,
            _ => return Err(NtStatus::INVALID_DISPOSITION),
        }
        frame = guest.read_word(frame)?;
        guest.teb().set(Teb::EXCEPTION_LIST, frame)?;
    }
    Ok(())
}

/// Ends the process with a report.
fn end(guest: &Guest, record: &Record, registers: Box<Registers>) -> ! {
    let message = match NtStatus(record.code).name() {
        Some(name) => format!("unhandled exception {name} (0x{:08x})", record.code),
        None => format!("unhandled exception 0x{:08x}", record.code),
    };
    let has_address = matches!(
        NtStatus(record.code),
        NtStatus::ACCESS_VIOLATION
            | NtStatus::IN_PAGE_ERROR
            | NtStatus::GUARD_PAGE_VIOLATION
            | NtStatus::STACK_OVERFLOW
    );
    let accessed = record.information.get(1).copied().filter(|_| has_address);
    guest.process().end_by_crash(guest, &Crash { code: record.code, message, registers, accessed })
}
