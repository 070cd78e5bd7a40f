//! C++ exceptions on both machines: throwing, and the run-time types. Frames' handlers are in a file per machine.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/cxxthrowexception>.

use std::cell::RefCell;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::state::{block, crt, thread_block};
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, to_fault};
use crate::nt::exception::context::{Record, flags};
use crate::nt::exception::dispatch;
use plat_host::gate::Registers;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _CxxThrowException;
    full "??1type_info@@UAE@XZ" = type_info_destructor;
    full "??1type_info@@UEAA@XZ" = type_info_destructor;
};

/// The exception of C++ programs: "msc" and a bit.
pub(crate) const CXX_EXCEPTION: NtStatus = NtStatus(crate::nt::exception::unwind_run::CXX_EXCEPTION);

/// The first parameter of a C++ exception: the version of its structures.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/cxxthrowexception>.
pub(crate) const CXX_MAGIC: u64 = 0x1993_0520;

thread_local! {
    /// Addresses of the records of the exceptions that the thread's catch blocks hold, outermost first.
    static CAUGHT: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    /// Addresses of thrown objects whose memory the host allocated.
    static OWNED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Remembers that a catch block begins whose exception's record, on the guest's stack, lies at this address.
///
/// # Errors
/// [`Fault`] when the thread's block cannot be made.
pub(crate) fn begin_catch(guest: &mut Guest, record: u64) -> Result<(), Fault> {
    count_throw(guest, u32::saturating_sub)?;
    CAUGHT.with_borrow_mut(|caught| {
        // Blocks that an unwind left lie below the one that begins now, or begin at the same address.
        caught.retain(|&other| other > record);
        caught.push(record);
    });
    Ok(())
}

/// Changes the thread's count of exceptions on their way to a handler by one.
fn count_throw(guest: &mut Guest, change: fn(u32, u32) -> u32) -> Result<(), Fault> {
    let address = thread_block(guest)? + block::PROCESSING_THROW;
    let count = guest.read_u32(address)?;
    guest.write_bytes(address, &change(count, 1).to_le_bytes())
}

/// Gives the function of `_set_se_translator` an exception that is not C++'s: it may throw one that is. The pointers are
/// to the exception's record and context.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/set-se-translator>
pub(crate) fn translate(guest: &mut Guest, record: &Record, pointers: [u64; 2]) -> Result<(), Fault> {
    /// Bytes between what the handler's caller left on the stack and the function's frame.
    const ROOM: u64 = 64;
    let function = crt(guest).se_translator.load(std::sync::atomic::Ordering::Relaxed);
    let is_break = record.code == NtStatus::BREAKPOINT.0;
    if function == 0 || is_break || record.code == CXX_EXCEPTION.0 {
        return Ok(());
    }
    let word = guest.machine().pointer_size();
    let stack = guest.gate().top_stack_pointer().unwrap_or(0).wrapping_sub(ROOM) & !15;
    guest.write_word(stack, pointers[0])?;
    guest.write_word(stack + word, pointers[1])?;
    guest.gate().call_at(function, &[record.code.into(), stack], stack).map_err(to_fault)?;
    Ok(())
}

/// Forgets a catch block and all inside it.
pub(crate) fn end_catch(record: u64) {
    CAUGHT.with_borrow_mut(|caught| caught.retain(|&other| other > record));
}

/// Returns where the record lies of the exception that the innermost catch block holds that has not been left.
pub(crate) fn current_record(guest: &Guest) -> Option<u64> {
    let stack = guest.gate().top_stack_pointer()?;
    CAUGHT.with_borrow(|caught| caught.iter().rev().copied().find(|&at| at > stack))
}

/// Returns the exception of the innermost catch block that has not been left.
fn current_exception(guest: &Guest) -> Option<Record> {
    Record::load(guest, current_record(guest)?).ok()
}

/// Throws a C++ exception; without an object, the one that the innermost catch block holds.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/cxxthrowexception>
#[winapi]
pub fn _CxxThrowException(
    guest: &mut Guest,
    pExceptionObject: GuestWord,
    pThrowInfo: GuestWord,
) -> Result<(), Fault> {
    const STACK_BYTES: u64 = 8;
    let registers = dispatch::caller(guest, STACK_BYTES);
    if pThrowInfo.0 == 0 {
        let Some(mut record) = current_exception(guest) else {
            return super::exit::terminate(guest);
        };
        count_throw(guest, u32::saturating_add)?;
        record.flags &= flags::NONCONTINUABLE;
        record.address = registers.rip;
        dispatch::raise(guest, record, registers)
    }
    let image = guest.process().loader().module_at(pThrowInfo.0);
    let base = image.map_or(0, |module| module.base);
    raise_object(guest, [pExceptionObject.0, pThrowInfo.0, base], registers)
}

/// Throws an object of the host's making, in memory of the heap; `base` is what the offsets in its description count from.
pub(crate) fn throw_object(guest: &mut Guest, object: u64, information: u64, base: u64) -> Result<(), Fault> {
    let registers = dispatch::caller(guest, 0);
    OWNED.with_borrow_mut(|owned| owned.push(object));
    raise_object(guest, [object, information, base], registers)
}

/// Gives back the memory of a thrown object that is destroyed, if it is of the host's making.
pub(crate) fn released(guest: &Guest, object: u64) {
    let place = OWNED.with_borrow(|owned| owned.iter().position(|&other| other == object));
    if let Some(place) = place {
        OWNED.with_borrow_mut(|owned| owned.swap_remove(place));
        guest.process().heaps.free(0, object);
    }
}

fn raise_object(
    guest: &mut Guest,
    [object, information, base]: [u64; 3],
    registers: Box<Registers>,
) -> Result<(), Fault> {
    count_throw(guest, u32::saturating_add)?;
    let mut record = Record::noncontinuable(CXX_EXCEPTION, registers.rip);
    record.information = vec![CXX_MAGIC, object, information];
    if guest.process().machine.is_64() {
        record.information.push(base);
    }
    dispatch::raise(guest, record, registers)
}

/// Destroys a `type_info`, which owns nothing.
///
/// Source: <https://learn.microsoft.com/cpp/cpp/type-info-class>
#[winapi]
pub fn type_info_destructor(guest: &mut Guest) {
    let _ = guest;
}
