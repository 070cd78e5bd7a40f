//! errhandlingapi.h: errors, exceptions and their filters.

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::gate::Registers;

use crate::NtStatus;
use crate::Win32Error;
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::exception::context::{MAXIMUM_PARAMETERS, Record, apply_context, flags};
use crate::nt::exception::dispatch;
use crate::process::Crash;
use crate::teb::{Peb, Teb};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code RaiseException: RAISE_EXCEPTION;
    full SetUnhandledExceptionFilter;
    full UnhandledExceptionFilter;
    full SetErrorMode;
    full GetErrorMode;
    partial SetThreadErrorMode, "the mode is that of all threads";
    partial GetThreadErrorMode, "the mode is that of all threads";
    full RaiseFailFastException;
    full FatalAppExitA;
    full IsDebuggerPresent;
    forward AddVectoredExceptionHandler => "ntdll.RtlAddVectoredExceptionHandler";
    forward RemoveVectoredExceptionHandler => "ntdll.RtlRemoveVectoredExceptionHandler";
    forward AddVectoredContinueHandler => "ntdll.RtlAddVectoredContinueHandler";
    forward RemoveVectoredContinueHandler => "ntdll.RtlRemoveVectoredContinueHandler";
    forward RestoreLastError => "ntdll.RtlSetLastWin32Error";
    forward RtlUnwind => "ntdll.RtlUnwind";
    forward RtlUnwindEx => "ntdll.RtlUnwindEx";
    forward RtlVirtualUnwind => "ntdll.RtlVirtualUnwind";
    forward RtlLookupFunctionEntry => "ntdll.RtlLookupFunctionEntry";
    forward RtlCaptureContext => "ntdll.RtlCaptureContext";
    forward RtlRestoreContext => "ntdll.RtlRestoreContext";
    forward RtlRaiseException => "ntdll.RtlRaiseException";
    forward EncodePointer => "ntdll.RtlEncodePointer";
    forward DecodePointer => "ntdll.RtlDecodePointer";
    forward EncodeSystemPointer => "ntdll.RtlEncodeSystemPointer";
    forward DecodeSystemPointer => "ntdll.RtlDecodeSystemPointer";
    forward __C_specific_handler => "ntdll.__C_specific_handler";
    forward RtlPcToFileHeader => "ntdll.RtlPcToFileHeader";
    forward RtlCaptureStackBackTrace => "ntdll.RtlCaptureStackBackTrace";
    forward RtlAddFunctionTable => "ntdll.RtlAddFunctionTable";
    forward RtlDeleteFunctionTable => "ntdll.RtlDeleteFunctionTable";
    forward RtlInstallFunctionTableCallback => "ntdll.RtlInstallFunctionTableCallback";
};

/// Bytes of arguments of the 32-bit `RaiseException`.
const RAISE_EXCEPTION_BYTES: u64 = 16;

/// Where in [`RAISE_EXCEPTION`] the return stands, for both machines.
const RETURN_AT: u64 = 2;

/// `RaiseException`: exceptions come from within it, where the guest also goes on when a handler wants it to. Runtimes
/// tell by that address their own faults from the exceptions that they raise.
static RAISE_EXCEPTION: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0xeb, 0x03, // jmp the slow thunk, at the end
        0xc2, 0x10, 0x00, // ret 16
    ],
    #[rustfmt::skip]
    amd64: &[
        0xeb, 0x01, // jmp the slow thunk, at the end
        0xc3, // ret
    ],
    slow: Some(&<RaiseException as plat_abi::Api<Guest>>::DESCRIPTOR),
};

/// Raises an exception, whose address is that of this function.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-raiseexception>
#[winapi]
pub fn RaiseException(
    guest: &mut Guest,
    dwExceptionCode: u32,
    dwExceptionFlags: u32,
    nNumberOfArguments: u32,
    lpArguments: GuestWord,
) -> Result<(), Fault> {
    // Bit 28 is the system's.
    let mut record = Record::new(NtStatus(dwExceptionCode & !0x1000_0000), 0);
    record.flags = dwExceptionFlags & flags::NONCONTINUABLE;
    if lpArguments.0 != 0 {
        let width = guest.machine().pointer_size();
        let count = u64::from(nNumberOfArguments).min(MAXIMUM_PARAMETERS as u64);
        for index in 0..count {
            record.information.push(guest.read_word(lpArguments.0 + index * width)?);
        }
    }
    let inside = registers_within(guest).map(|mut registers| {
        record.address = registers.rip;
        registers.rip += RETURN_AT;
        registers
    });
    let registers = inside.unwrap_or_else(|| dispatch::caller(guest, RAISE_EXCEPTION_BYTES));
    dispatch::raise(guest, record, registers)
}

/// Returns the registers with which `RaiseException` was entered. Where it lies is looked up once: it is never unloaded,
/// and exceptions are thrown in loops.
fn registers_within(guest: &mut Guest) -> Option<Box<Registers>> {
    let process = guest.process();
    let address = match process.exceptions.raise_exception.get() {
        Some(&address) => address,
        None => {
            let address = process.current_thunk(guest)?;
            *process.exceptions.raise_exception.get_or_init(|| address)
        }
    };
    guest.gate().entry_registers(address)
}

/// Sets the filter that is asked about exceptions that no frame handles; returns the one before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-setunhandledexceptionfilter>
#[winapi]
pub fn SetUnhandledExceptionFilter(guest: &mut Guest, lpTopLevelExceptionFilter: GuestWord) -> GuestWord {
    GuestWord(guest.process().exceptions.set_filter(lpTopLevelExceptionFilter.0))
}

/// Asks the process's filter about an exception; without one, says that the handler shall be executed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-unhandledexceptionfilter>
#[winapi]
pub fn UnhandledExceptionFilter(guest: &mut Guest, ExceptionInfo: GuestWord) -> Result<u32, Fault> {
    const EXECUTE_HANDLER: u32 = 1;
    match guest.process().exceptions.filter() {
        0 => Ok(EXECUTE_HANDLER),
        filter => guest.call(filter, &[ExceptionInfo.0]).map(|answer| answer as u32),
    }
}

/// Sets which errors the system would show in a window; returns the mode before. plat shows no windows.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-seterrormode>
#[winapi]
pub fn SetErrorMode(guest: &mut Guest, uMode: u32) -> u32 {
    guest.process().exceptions.set_error_mode(uMode)
}

/// Returns the error mode.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-geterrormode>
#[winapi]
pub fn GetErrorMode(guest: &mut Guest) -> u32 {
    guest.process().exceptions.error_mode()
}

/// Sets which errors the system would show in a window, as `SetErrorMode` does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-setthreaderrormode>
#[winapi]
pub fn SetThreadErrorMode(
    guest: &mut Guest,
    dwNewMode: u32,
    lpOldMode: GuestWord,
) -> Result<Bool, Win32Error> {
    let old = guest.process().exceptions.set_error_mode(dwNewMode);
    if !lpOldMode.is_null() {
        guest.write(lpOldMode.get(), &old)?;
    }
    Ok(TRUE)
}

/// Returns the error mode.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-getthreaderrormode>
#[winapi]
pub fn GetThreadErrorMode(guest: &mut Guest) -> u32 {
    guest.process().exceptions.error_mode()
}

/// Ends the process at once with the code of an exception that nobody may handle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-raisefailfastexception>
#[winapi]
pub fn RaiseFailFastException(
    guest: &mut Guest,
    pExceptionRecord: GuestWord,
    pContextRecord: GuestWord,
    dwFlags: u32,
) -> Result<(), Fault> {
    /// `STATUS_FAIL_FAST_EXCEPTION`.
    const FAIL_FAST: u32 = 0xc000_0602;
    // The flag asks for the caller's address in the record, which goes nowhere from here.
    let _ = dwFlags;
    let code = if pExceptionRecord.is_null() { FAIL_FAST } else { guest.read_u32(pExceptionRecord.get())? };
    let mut registers = dispatch::caller(guest, 12);
    if !pContextRecord.is_null() {
        apply_context(guest, pContextRecord.0, &mut registers)?;
    }
    let message = "the program ended itself at once: RaiseFailFastException".to_owned();
    guest.process().end_by_crash(guest, &Crash { code, message, registers, accessed: None })
}

/// Ends the process with a message for the user.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-fatalappexita>
#[winapi]
pub fn FatalAppExitA(guest: &mut Guest, uAction: u32, lpMessageText: GuestWord) -> Result<(), Fault> {
    // Reserved: zero.
    let _ = uAction;
    let text = guest.read_c_string(lpMessageText.0)?;
    let message = format!("the program ended itself: {}", String::from_utf8_lossy(&text));
    let registers = dispatch::caller(guest, 8);
    let code = NtStatus::FATAL_APP_EXIT.0;
    guest.process().end_by_crash(guest, &Crash { code, message, registers, accessed: None })
}

/// Says whether the PEB tells of a debugger.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/debugapi/nf-debugapi-isdebuggerpresent>
#[winapi]
pub fn IsDebuggerPresent(guest: &mut Guest) -> Result<Bool, Fault> {
    let peb = guest.teb().get(Teb::PEB)?;
    let mut flag = [0];
    guest.read_bytes(peb + Peb::BEING_DEBUGGED.offset(guest.machine()), &mut flag)?;
    Ok(Bool(flag[0] != 0))
}
