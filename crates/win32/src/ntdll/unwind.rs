//! Unwinding of 64-bit frames, contexts, tables of functions, backtraces.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, to_fault};
use crate::nt::exception::context::{Record, apply_context, context_bytes};
use crate::nt::exception::dispatch;
use crate::nt::exception::tables::DynamicTable as Table;
use crate::nt::exception::unwind::{Frame, Places, RuntimeFunction};
use crate::nt::exception::unwind_run::{Target, UNWIND_CONSOLIDATE, unwind_to};
use crate::nt::exception::unwind_walk::{Function, Walker};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial RtlUnwindEx, "64-bit only; the history table is not used";
    full RtlVirtualUnwind;
    partial RtlLookupFunctionEntry, "64-bit only; the history table is not used";
    partial RtlCaptureContext, "registers that calls do not preserve are zero";
    full RtlRestoreContext;
    full RtlPcToFileHeader;
    partial RtlCaptureStackBackTrace, "64-bit only: a 32-bit program's backtrace is empty";
    full RtlAddFunctionTable;
    full RtlDeleteFunctionTable;
    full RtlAddGrowableFunctionTable;
    full RtlGrowFunctionTable;
    full RtlDeleteGrowableFunctionTable;
    full RtlInstallFunctionTableCallback;
    full NtContinue;
    forward ZwContinue => "ntdll.NtContinue";
};

/// Calls the handlers of the frames up to `TargetFrame` for an unwind, and goes on at `TargetIp` in that frame.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlunwindex>
#[winapi]
pub fn RtlUnwindEx(
    guest: &mut Guest,
    TargetFrame: GuestWord,
    TargetIp: GuestWord,
    ExceptionRecord: GuestWord,
    ReturnValue: GuestWord,
    ContextRecord: GuestWord,
    HistoryTable: GuestWord,
) {
    // The context is a buffer for the unwind's own use, the table a cache of lookups.
    let _ = (ContextRecord, HistoryTable);
    unwind(guest, TargetFrame, TargetIp, ExceptionRecord, ReturnValue)
}

/// Unwinds; an unwind that cannot end raises an exception.
pub(super) fn unwind(
    guest: &mut Guest,
    frame: GuestWord,
    ip: GuestWord,
    record: GuestWord,
    value: GuestWord,
) -> ! {
    let target = Target::frame(frame.0, ip.0, true);
    let Err(status) = unwind_to(guest, target, record.0, value.0);
    let registers = dispatch::caller(guest, 0);
    dispatch::raise(guest, Record::noncontinuable(status, registers.rip), registers)
}

/// Undoes one frame: the context becomes the caller's; returns the frame's handler, or 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlvirtualunwind>
#[winapi]
pub fn RtlVirtualUnwind(
    guest: &mut Guest,
    HandlerType: u32,
    ImageBase: GuestWord,
    ControlPc: GuestWord,
    FunctionEntry: GuestWord,
    ContextRecord: GuestWord,
    HandlerData: GuestWord,
    EstablisherFrame: GuestWord,
    ContextPointers: GuestWord,
) -> Result<GuestWord, Fault> {
    let mut frame = Frame::of_context(guest, ContextRecord.0)?;
    frame.rip = ControlPc.0;
    let entry = RuntimeFunction::load(guest, FunctionEntry.0)?;
    let unwound = frame.leave(guest, ImageBase.0, &entry)?;
    frame.store(guest, ContextRecord.0)?;
    guest.write_word(EstablisherFrame.0, unwound.establisher)?;
    if !ContextPointers.is_null() {
        store_places(guest, ContextPointers.0, &frame.places)?;
    }
    if u32::from(unwound.flags) & HandlerType == 0 {
        return Ok(GuestWord(0));
    }
    guest.write_word(HandlerData.0, unwound.handler_data)?;
    Ok(GuestWord(unwound.handler))
}

/// Writes where registers were found into a `KNONVOLATILE_CONTEXT_POINTERS`: pointers to the XMM registers, then to the
/// general ones. Those of registers that were not saved stay.
fn store_places(guest: &Guest, pointers: u64, places: &Places) -> Result<(), Fault> {
    for (at, &place) in (0..).zip(places.xmm.iter().chain(&places.general)) {
        if place != 0 {
            guest.write_word(pointers + at * 8, place)?;
        }
    }
    Ok(())
}

/// Finds the `RUNTIME_FUNCTION` that covers `ControlPc`, and its image's base.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtllookupfunctionentry>
#[winapi]
pub fn RtlLookupFunctionEntry(
    guest: &mut Guest,
    ControlPc: GuestWord,
    ImageBase: GuestWord,
    HistoryTable: GuestWord,
) -> Result<GuestWord, Fault> {
    let _ = HistoryTable;
    match Function::find(guest, ControlPc.0)? {
        Some(function) => {
            guest.write_word(ImageBase.0, function.base)?;
            Ok(GuestWord(function.address))
        }
        None => Ok(GuestWord(0)),
    }
}

/// Writes the caller's registers into a context.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlcapturecontext>
#[winapi]
pub fn RtlCaptureContext(guest: &mut Guest, ContextRecord: GuestWord) -> Result<(), Fault> {
    let registers = dispatch::caller(guest, 4);
    guest.write_bytes(ContextRecord.0, &context_bytes(guest.machine(), &registers))
}

/// Goes on with the registers of a context.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlrestorecontext>
#[winapi(cdecl)]
pub fn RtlRestoreContext(
    guest: &mut Guest,
    ContextRecord: GuestWord,
    ExceptionRecord: GuestWord,
) -> Result<(), Fault> {
    let mut registers = dispatch::caller(guest, 0);
    apply_context(guest, ContextRecord.0, &mut registers)?;
    if ExceptionRecord.0 != 0 {
        let record = Record::load(guest, ExceptionRecord.0)?;
        if let (UNWIND_CONSOLIDATE, Some(&callback)) = (record.code, record.information.first()) {
            let stack = guest.gate().top_stack_pointer().unwrap_or(registers.rsp());
            registers.rip = guest.gate().call_at(callback, &[ExceptionRecord.0], stack).map_err(to_fault)?;
        }
    }
    guest.gate().resume(registers)
}

/// Goes on with the registers of a context.
///
/// Source: <https://learn.microsoft.com/windows/win32/debug/exception-handling-functions>
#[winapi]
pub fn NtContinue(guest: &mut Guest, ThreadContext: GuestWord, RaiseAlert: u32) -> NtStatus {
    // Alerts wait for the next alertable wait.
    let _ = RaiseAlert;
    let mut registers = dispatch::caller(guest, 8);
    match apply_context(guest, ThreadContext.0, &mut registers) {
        Ok(()) => guest.gate().resume(registers),
        Err(fault) => fault.into(),
    }
}

/// Returns the base of the image that holds an address, or 0; writes it to `BaseOfImage`, too.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlpctofileheader>
#[winapi]
pub fn RtlPcToFileHeader(
    guest: &mut Guest,
    PcValue: GuestWord,
    BaseOfImage: GuestWord,
) -> Result<GuestWord, Fault> {
    let base = guest.process().loader().module_at(PcValue.0).map_or(0, |module| module.base);
    guest.write_word(BaseOfImage.0, base)?;
    Ok(GuestWord(base))
}

/// Writes the return addresses of the calling frames; returns how many.
///
/// Source: <https://learn.microsoft.com/windows/win32/debug/capturestackbacktrace>
#[winapi]
pub fn RtlCaptureStackBackTrace(
    guest: &mut Guest,
    FramesToSkip: u32,
    FramesToCapture: u32,
    BackTrace: GuestWord,
    BackTraceHash: GuestWord,
) -> Result<u16, Fault> {
    const MOST: u32 = 0xffff;
    let mut frames = Vec::new();
    if guest.machine().is_64() {
        let mut walker = Walker::new(Frame::of(&dispatch::caller(guest, 16)));
        let wanted = (u64::from(FramesToSkip) + u64::from(FramesToCapture.min(MOST))) as usize;
        while frames.len() < wanted {
            match walker.step(guest) {
                Ok(Some(step)) => frames.push(step.inside.rip),
                Ok(None) | Err(_) => break,
            }
        }
    }
    let kept = frames.get(FramesToSkip as usize..).unwrap_or_default();
    for (index, &rip) in (0..).zip(kept) {
        guest.write_word(BackTrace.0 + index * guest.machine().pointer_size(), rip)?;
    }
    if BackTraceHash.0 != 0 {
        let hash = kept.iter().fold(0_u32, |sum, &rip| sum.wrapping_add(rip as u32));
        guest.write_bytes(BackTraceHash.0, &hash.to_le_bytes())?;
    }
    Ok(kept.len() as u16)
}

/// Adds a table of functions for code that the program made.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtladdfunctiontable>
#[winapi(cdecl)]
pub fn RtlAddFunctionTable(
    guest: &mut Guest,
    FunctionTable: GuestWord,
    EntryCount: u32,
    BaseAddress: GuestWord,
) -> Result<u8, Fault> {
    let mut length = 0;
    for index in 0..u64::from(EntryCount) {
        let entry = RuntimeFunction::load(guest, FunctionTable.0 + index * RuntimeFunction::SIZE)?;
        length = length.max(u64::from(entry.end));
    }
    guest.process().exceptions.add_table(Table {
        name: FunctionTable.0,
        base: BaseAddress.0,
        table: FunctionTable.0,
        count: u64::from(EntryCount),
        length,
        ..Table::default()
    });
    Ok(1)
}

/// Removes a table of functions, or a callback.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtldeletefunctiontable>
#[winapi(cdecl)]
pub fn RtlDeleteFunctionTable(guest: &mut Guest, FunctionTable: GuestWord) -> u8 {
    u8::from(guest.process().exceptions.remove_table(FunctionTable.0))
}

/// Adds a table of functions that may grow, for code in a range of addresses; stores what names it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtladdgrowablefunctiontable>
#[winapi]
pub fn RtlAddGrowableFunctionTable(
    guest: &mut Guest,
    DynamicTable: GuestWord,
    FunctionTable: GuestWord,
    EntryCount: u32,
    MaximumEntryCount: u32,
    RangeBase: GuestWord,
    RangeEnd: GuestWord,
) -> Result<(), NtStatus> {
    if EntryCount > MaximumEntryCount || RangeEnd.0 < RangeBase.0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    // Its name is a block that nobody else has while the table is there.
    let name = guest.process().heaps.allocate(0, 16, true).ok_or(NtStatus::NO_MEMORY)?;
    guest.write_word(DynamicTable.0, name)?;
    guest.process().exceptions.add_table(Table {
        name,
        base: RangeBase.0,
        table: FunctionTable.0,
        count: u64::from(EntryCount),
        length: RangeEnd.0 - RangeBase.0,
        ..Table::default()
    });
    Ok(())
}

/// Says that a table has more functions now; nothing for one that is not there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlgrowfunctiontable>
#[winapi]
pub fn RtlGrowFunctionTable(guest: &mut Guest, DynamicTable: GuestWord, NewEntryCount: u32) {
    guest.process().exceptions.grow_table(DynamicTable.0, u64::from(NewEntryCount));
}

/// Removes a table that may grow.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtldeletegrowablefunctiontable>
#[winapi]
pub fn RtlDeleteGrowableFunctionTable(guest: &mut Guest, DynamicTable: GuestWord) {
    if guest.process().exceptions.remove_table(DynamicTable.0) {
        guest.process().heaps.free(0, DynamicTable.0);
    }
}

/// Adds a callback that finds the functions of code that the program made.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlinstallfunctiontablecallback>
#[winapi(cdecl)]
pub fn RtlInstallFunctionTableCallback(
    guest: &mut Guest,
    TableIdentifier: GuestWord,
    BaseAddress: GuestWord,
    Length: u32,
    Callback: GuestWord,
    Context: GuestWord,
    OutOfProcessCallbackDll: GuestWord,
) -> u8 {
    // That is for debuggers.
    let _ = OutOfProcessCallbackDll;
    // Windows wants the two low bits set, so that no table has the same name.
    if TableIdentifier.0 & 3 != 3 {
        return 0;
    }
    guest.process().exceptions.add_table(Table {
        name: TableIdentifier.0,
        base: BaseAddress.0,
        length: u64::from(Length),
        callback: Callback.0,
        context: Context.0,
        ..Table::default()
    });
    1
}
