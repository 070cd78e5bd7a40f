//! Handlers of 64-bit frames: `__C_specific_handler` for `__try`, `__CxxFrameHandler` for C++.
//!
//! Source: <https://learn.microsoft.com/cpp/build/exception-handling-x64>;
//! <https://learn.microsoft.com/windows/win32/devnotes/--c-specific-handler2>.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::eh::{CXX_EXCEPTION, begin_catch, end_catch, released, translate};
use super::eh_packed::PackedInfo;
use super::eh_tables::{
    Argument, Catch, Catchable, Cleanup, FuncInfo, Tables, TryBlock, is_any_type, is_same_type,
};
use crate::NtStatus;
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::{Guest, to_fault};
use crate::nt::exception::context::{Record, flags};
use crate::nt::exception::dispatch;
use crate::nt::exception::unwind_run::{TARGET_UNWIND, Target, Unwinder, unwind_to};
use crate::nt::exception::unwind_walk::{Marker, Purpose};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code __C_specific_handler: SPECIFIC_HANDLER;
    code __CxxFrameHandler: FRAME_HANDLER;
    code __CxxFrameHandler2: FRAME_HANDLER;
    code __CxxFrameHandler3: FRAME_HANDLER;
};

/// 64-bit programs only: 32-bit ones have functions of the same names with other arguments. One `nop`, then the host.
pub(crate) static SPECIFIC_HANDLER: Code = Code {
    i386: &[],
    amd64: &[0x90],
    slow: Some(&<__C_specific_handler as plat_abi::Api<Guest>>::DESCRIPTOR),
};

/// As above.
static FRAME_HANDLER: Code =
    Code { i386: &[], amd64: &[0x90], slow: Some(&<__CxxFrameHandler3 as plat_abi::Api<Guest>>::DESCRIPTOR) };

/// The export of vcruntime140_1.dll.
pub const PACKED_EXPORTS: &[Export] = dll! {
    code __CxxFrameHandler4: PACKED_HANDLER;
};

/// As above.
static PACKED_HANDLER: Code =
    Code { i386: &[], amd64: &[0x90], slow: Some(&<__CxxFrameHandler4 as plat_abi::Api<Guest>>::DESCRIPTOR) };

/// What a frame's handler answers.
const CONTINUE_EXECUTION: u32 = 0;
const CONTINUE_SEARCH: u32 = 1;

/// What an unwind says to a handler.
const UNWINDING: u32 = flags::UNWINDING | flags::EXIT_UNWIND;

/// A `DISPATCHER_CONTEXT`, as far as handlers here need it.
struct Dispatcher {
    address: u64,
    pc: u64,
    base: u64,
    function: u64,
    target: u64,
    data: u64,
    scope_index: u32,
}

/// Offset in bytes of `ScopeIndex`.
const SCOPE_INDEX: u64 = 0x48;

impl Dispatcher {
    fn load(guest: &Guest, address: u64) -> Result<Self, Fault> {
        let word = |at: u64| guest.read_u64(address + at);
        Ok(Self {
            address,
            pc: word(0)?,
            base: word(8)?,
            function: word(0x10)?,
            target: word(0x20)?,
            data: word(0x38)?,
            scope_index: guest.read_u32(address + SCOPE_INDEX)?,
        })
    }
}

/// One `__try` of a function; offsets from the image's base.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Scope {
    begin: u32,
    end: u32,
    handler: u32,
    jump: u32,
}

impl Scope {
    fn load_all(guest: &Guest, table: u64) -> Result<Vec<Self>, Fault> {
        (0..u64::from(guest.read_u32(table)?))
            .map(|index| {
                let field = |at: u64| guest.read_u32(table + 4 + index * 16 + at * 4);
                Ok(Self { begin: field(0)?, end: field(1)?, handler: field(2)?, jump: field(3)? })
            })
            .collect()
    }

    fn holds(&self, offset: u64) -> bool {
        (u64::from(self.begin)..u64::from(self.end)).contains(&offset)
    }
}

/// Handles the exceptions of functions with `__try`: asks filters, calls `__finally` blocks.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/--c-specific-handler2>
#[winapi(cdecl)]
pub fn __C_specific_handler(
    guest: &mut Guest,
    ExceptionRecord: GuestWord,
    EstablisherFrame: GuestWord,
    ContextRecord: GuestWord,
    DispatcherContext: GuestWord,
) -> Result<u32, Fault> {
    let dispatcher = Dispatcher::load(guest, DispatcherContext.0)?;
    let scopes = Scope::load_all(guest, dispatcher.data)?;
    let record = Record::load(guest, ExceptionRecord.0)?;
    if record.flags & UNWINDING != 0 {
        finish_scopes(guest, &record, EstablisherFrame.0, &dispatcher, &scopes)?;
        return Ok(CONTINUE_SEARCH);
    }
    let pc = dispatcher.pc.wrapping_sub(dispatcher.base);
    let top = guest.gate().top_stack_pointer().unwrap_or(EstablisherFrame.0);
    let pointers = top.wrapping_sub(16) & !15;
    guest.write_word(pointers, ExceptionRecord.0)?;
    guest.write_word(pointers + 8, ContextRecord.0)?;
    for scope in scopes.iter().skip(dispatcher.scope_index as usize) {
        if !scope.holds(pc) || scope.jump == 0 {
            continue;
        }
        let answer = match scope.handler {
            // The compiler's way to write a constant filter.
            1 => 1,
            filter => {
                let arguments = [pointers, EstablisherFrame.0];
                let function = dispatcher.base + u64::from(filter);
                guest.gate().call_at(function, &arguments, pointers).map_err(to_fault)? as i32
            }
        };
        if answer < 0 {
            return Ok(CONTINUE_EXECUTION);
        }
        if answer > 0 {
            let ip = dispatcher.base + u64::from(scope.jump);
            let target = Target::frame(EstablisherFrame.0, ip, true);
            let code = u64::from(record.code);
            // Nothing comes back here.
            drop((scopes, record));
            let Err(status) = unwind_to(guest, target, ExceptionRecord.0, code);
            raise(guest, status)
        }
    }
    Ok(CONTINUE_SEARCH)
}

/// Calls the `__finally` blocks of the scopes that an unwind leaves.
fn finish_scopes(
    guest: &mut Guest,
    record: &Record,
    frame: u64,
    dispatcher: &Dispatcher,
    scopes: &[Scope],
) -> Result<(), Fault> {
    let pc = dispatcher.pc.wrapping_sub(dispatcher.base);
    let target = dispatcher.target.wrapping_sub(dispatcher.base);
    let is_target = record.flags & TARGET_UNWIND != 0;
    for (index, scope) in (0_u32..).zip(scopes).skip(dispatcher.scope_index as usize) {
        if !scope.holds(pc) {
            continue;
        }
        // The target may lie in the same scope, or be the scope's own block.
        let same = |other: &&Scope| {
            other.holds(target) && (other.handler, other.jump) == (scope.handler, scope.jump)
        };
        if is_target && scopes.iter().find(same).is_some() {
            break;
        }
        if scope.jump != 0 {
            if is_target && target == u64::from(scope.jump) {
                break;
            }
            continue;
        }
        // An unwind that the block starts goes on with the scope after this one.
        guest.write_bytes(dispatcher.address + SCOPE_INDEX, &(index + 1).to_le_bytes())?;
        guest.call(dispatcher.base + u64::from(scope.handler), &[1, frame])?;
    }
    Ok(())
}

fn raise(guest: &mut Guest, status: NtStatus) -> ! {
    let registers = dispatch::caller(guest, 0);
    dispatch::raise(guest, Record::noncontinuable(status, registers.rip), registers)
}

/// One call of a C++ function's handler.
struct Handler {
    info: Tables,
    blocks: Vec<TryBlock>,
    /// The frame that is asked, and the frame of the function whose catch block it may be.
    own: u64,
    frame: u64,
    /// The try block whose catch block the frame is.
    around: Option<TryBlock>,
    /// The try block in one of whose catch blocks, called by plat, control is.
    inside: Option<TryBlock>,
    state: i32,
}

impl Handler {
    fn plain(guest: &Guest, own: u64, dispatcher: &Dispatcher) -> Result<Self, Fault> {
        let base = dispatcher.base;
        let info = FuncInfo::load(guest, base, base + u64::from(guest.read_u32(dispatcher.data)?))?;
        let function = guest.read_u32(dispatcher.function)?;
        let (mut around, mut frame) = (None, own);
        for block in &info.try_blocks(guest)? {
            for catch in info.catches(guest, block)? {
                if catch.function == function {
                    around = Some(*block);
                    frame = guest.read_u64(own + u64::from(catch.frame))?;
                }
            }
        }
        Self::new(guest, Tables::Plain(info), dispatcher, [own, frame], around)
    }

    fn packed(guest: &Guest, own: u64, dispatcher: &Dispatcher) -> Result<Self, Fault> {
        let base = dispatcher.base;
        let tables = base + u64::from(guest.read_u32(dispatcher.data)?);
        let start = base + u64::from(guest.read_u32(dispatcher.function)?);
        let info = PackedInfo::load(guest, base, tables, start)?;
        let frame = match info.parent_frame() {
            Some(offset) => guest.read_u64(own + u64::from(offset))?,
            None => own,
        };
        Self::new(guest, Tables::Packed(info), dispatcher, [own, frame], None)
    }

    fn new(
        guest: &Guest,
        info: Tables,
        dispatcher: &Dispatcher,
        [own, frame]: [u64; 2],
        around: Option<TryBlock>,
    ) -> Result<Self, Fault> {
        let blocks = info.try_blocks(guest)?;
        let inside =
            dispatcher.scope_index.checked_sub(1).and_then(|index| blocks.get(index as usize)).copied();
        let state = match inside {
            // The block's objects are destroyed already.
            Some(block) => block.low,
            None => info.state(guest, dispatcher.pc)?,
        };
        Ok(Self { info, blocks, own, frame, around, inside, state })
    }

    /// Says whether a block of this frame is left when an exception comes from where control is.
    fn is_candidate(&self, block: &TryBlock) -> bool {
        let holds = match &self.inside {
            Some(inner) => block.low <= inner.low && block.high >= inner.catch_high,
            None => block.holds(self.state),
        };
        holds && self.around.is_none_or(|outer| outer.catches_around(block))
    }

    /// Says whether there is a block at all that could take the exception.
    fn has_candidates(&self) -> bool {
        self.blocks.iter().any(|block| self.is_candidate(block))
    }

    /// Destroys objects until the state is `target`, with calls whose stacks begin at `stack`.
    fn unwind(&self, guest: &Guest, target: i32, stack: u64) -> Result<(), Fault> {
        let mut state = self.state;
        while state > target {
            let (next, cleanup) = self.info.unwind_step(guest, state)?;
            if let Some(Cleanup { function, argument }) = cleanup {
                let arguments = match argument {
                    Argument::Frame => [0, self.frame],
                    Argument::Object(offset) => [self.frame + u64::from(offset), 0],
                    Argument::Pointer(offset) => [guest.read_u64(self.frame + u64::from(offset))?, 0],
                };
                guest.gate().call_at(function, &arguments, stack).map_err(to_fault)?;
            }
            if next >= state {
                break;
            }
            state = next;
        }
        Ok(())
    }

    /// Finds the catch block for an exception.
    fn find(
        &self,
        guest: &Guest,
        thrown: Option<&Thrown>,
    ) -> Result<Option<(TryBlock, Catch, Option<Catchable>)>, Fault> {
        for block in self.blocks.iter().filter(|block| self.is_candidate(block)) {
            for catch in self.info.catches(guest, block)? {
                if is_any_type(guest, catch.descriptor)? {
                    if thrown.is_some() || !self.info.is_synchronous() {
                        return Ok(Some((*block, catch, None)));
                    }
                } else if let Some(thrown) = thrown
                    && let Some(catchable) = thrown.matches(guest, &catch)?
                {
                    return Ok(Some((*block, catch, Some(catchable))));
                }
            }
        }
        Ok(None)
    }
}

/// A thrown C++ object.
struct Thrown {
    object: u64,
    attributes: u32,
    destructor: u64,
    types: Vec<Catchable>,
}

impl Thrown {
    fn load(guest: &Guest, record: &Record) -> Result<Option<Self>, Fault> {
        let &[magic, object, info, base] = record.information.as_slice() else { return Ok(None) };
        let is_known = matches!(magic, 0x1993_0520..=0x1993_0522 | 0x0199_4000);
        if record.code != CXX_EXCEPTION.0 || !is_known || info == 0 {
            return Ok(None);
        }
        let destructor = guest.read_u32(info + 4)?;
        Ok(Some(Self {
            object,
            attributes: guest.read_u32(info)?,
            destructor: if destructor == 0 { 0 } else { base + u64::from(destructor) },
            types: Catchable::load_all(guest, base, info)?,
        }))
    }

    /// Finds the type as which a block catches the object.
    fn matches(&self, guest: &Guest, catch: &Catch) -> Result<Option<Catchable>, Fault> {
        const QUALIFIERS: u32 = 1 | 2 | 4;
        const BY_REFERENCE_ONLY: u32 = 2;
        const REFERENCE: u32 = 8;
        if self.attributes & QUALIFIERS & !catch.adjectives != 0 {
            return Ok(None);
        }
        for catchable in &self.types {
            let fits = catchable.properties & BY_REFERENCE_ONLY == 0 || catch.adjectives & REFERENCE != 0;
            if fits && is_same_type(guest, catchable.descriptor, catch.descriptor)? {
                return Ok(Some(*catchable));
            }
        }
        Ok(None)
    }

    /// Puts what the block catches into its function's frame.
    fn copy(&self, guest: &mut Guest, catch: &Catch, catchable: &Catchable, frame: u64) -> Result<(), Fault> {
        const REFERENCE: u32 = 8;
        const SIMPLE: u32 = 1;
        const VIRTUAL_BASE: u32 = 4;
        if catch.object == 0 {
            return Ok(());
        }
        let slot = frame.wrapping_add_signed(i64::from(catch.object));
        if catch.adjectives & REFERENCE != 0 {
            return guest.write_word(slot, catchable.adjust(guest, self.object)?);
        }
        if catchable.properties & SIMPLE != 0 {
            let bytes = guest.read_vec(self.object, u64::from(catchable.size))?;
            guest.write_bytes(slot, &bytes)?;
            // A pointer to an object becomes one to its base.
            return match guest.read_u64(slot) {
                Ok(pointer) if catchable.size == 8 && pointer != 0 => {
                    guest.write_word(slot, catchable.adjust(guest, pointer)?)
                }
                _ => Ok(()),
            };
        }
        let from = catchable.adjust(guest, self.object)?;
        if catchable.copy == 0 {
            let bytes = guest.read_vec(from, u64::from(catchable.size))?;
            return guest.write_bytes(slot, &bytes);
        }
        let arguments = [slot, from, 1];
        let count = if catchable.properties & VIRTUAL_BASE != 0 { 3 } else { 2 };
        guest.call(catchable.copy, &arguments[..count]).map(drop)
    }
}

/// Handles the exceptions of C++ functions: finds catch blocks, destroys objects.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/cxxframehandler>
#[winapi(cdecl)]
pub fn __CxxFrameHandler3(
    guest: &mut Guest,
    pExcept: GuestWord,
    pRN: GuestWord,
    pContext: GuestWord,
    pDC: GuestWord,
) -> Result<u32, Fault> {
    handle(guest, Handler::plain, [pExcept, pRN, pContext, pDC])
}

/// Handles the exceptions of C++ functions with packed tables.
///
/// Source: <https://devblogs.microsoft.com/cppblog/making-cpp-exception-handling-smaller-x64/>
#[winapi(cdecl)]
pub fn __CxxFrameHandler4(
    guest: &mut Guest,
    pExcept: GuestWord,
    pRN: GuestWord,
    pContext: GuestWord,
    pDC: GuestWord,
) -> Result<u32, Fault> {
    handle(guest, Handler::packed, [pExcept, pRN, pContext, pDC])
}

/// Answers for a frame whose tables `load` reads; the words are the addresses of the exception, the frame, the context and the
/// dispatcher's context.
fn handle(
    guest: &mut Guest,
    load: fn(&Guest, u64, &Dispatcher) -> Result<Handler, Fault>,
    [GuestWord(address), GuestWord(frame), GuestWord(context), GuestWord(dispatcher)]: [GuestWord; 4],
) -> Result<u32, Fault> {
    let record = Record::load(guest, address)?;
    let dispatcher = Dispatcher::load(guest, dispatcher)?;
    let handler = load(guest, frame, &dispatcher)?;
    if record.flags & UNWINDING != 0 {
        let mut target = handler.around.map_or(-1, |block| block.high);
        if record.flags & TARGET_UNWIND != 0 {
            target = handler.info.state(guest, dispatcher.target)?.max(target);
        }
        let stack = guest.gate().top_stack_pointer().unwrap_or(handler.own);
        handler.unwind(guest, target, stack)?;
        return Ok(CONTINUE_SEARCH);
    }
    let thrown = Thrown::load(guest, &record)?;
    if thrown.is_none() && !handler.info.is_synchronous() && handler.has_candidates() {
        translate(guest, &record, [address, context])?;
    }
    let Some((block, catch, catchable)) = handler.find(guest, thrown.as_ref())? else {
        if thrown.is_some() && handler.info.is_noexcept() {
            super::exit::terminate(guest)?;
        }
        return Ok(CONTINUE_SEARCH);
    };
    if let (Some(thrown), Some(catchable)) = (&thrown, &catchable) {
        thrown.copy(guest, &catch, catchable, handler.frame)?;
    }
    let Err(status) = run_catch(guest, handler, &block, &catch, (address, record), thrown);
    raise(guest, status)
}

/// Unwinds to the try block, calls the catch block, and goes on where it says.
fn run_catch(
    guest: &mut Guest,
    handler: Handler,
    block: &TryBlock,
    catch: &Catch,
    (address, record): (u64, Record),
    thrown: Option<Thrown>,
) -> Result<std::convert::Infallible, NtStatus> {
    let machine = guest.machine();
    let (object, destructor) = thrown.as_ref().map_or((0, 0), |thrown| (thrown.object, thrown.destructor));
    let mut unwinder = Unwinder::new(guest, address, false)?;
    let target = Target::frame(handler.own, 0, false);
    let mut registers = unwinder.run(guest, target)?;
    handler.unwind(guest, block.low, unwinder.stack())?;
    // The exception lies on the stack below its thrower: the block runs below everything, and the way out of it
    // leads to the function's frame.
    let held = (unwinder.stack() - Record::size(machine)) & !15;
    guest.write_bytes(held, &record.to_bytes(machine))?;
    let extra = held - 32;
    for (index, word) in (0..).zip([object, destructor, u64::from(block.index) + 1]) {
        guest.write_word(extra + index * 8, word)?;
    }
    let stack = extra - Marker::SIZE;
    Marker { purpose: Purpose::Catch, context: unwinder.context(), extra }.store(guest, stack)?;
    begin_catch(guest, held)?;
    let (function, frame) = (handler.info.base() + u64::from(catch.function), handler.frame);
    // The block may throw: nothing comes back here then.
    drop((handler, record, thrown, unwinder));
    let next = guest.gate().call_at(function, &[0, frame], stack).map_err(to_fault)?;
    end_catch(held);
    if destructor != 0 {
        guest.gate().call_at(destructor, &[object], stack).map_err(to_fault)?;
    }
    released(guest, object);
    registers.rip = catch.next(next);
    guest.gate().resume(registers)
}
