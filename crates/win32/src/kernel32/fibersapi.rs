//! winbase.h: fibers. Their slots are in `tls`.

use plat_abi::{GuestWord, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::exception::context::Record;
use crate::nt::exception::dispatch;
use crate::nt::{fiber, thread_start};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full IsThreadAFiber;
    full ConvertThreadToFiber;
    full ConvertThreadToFiberEx;
    full ConvertFiberToThread;
    full CreateFiber;
    full CreateFiberEx;
    full DeleteFiber;
    partial SwitchToFiber, "a fiber that was left inside a callback of the system goes on only in the same thread";
};

/// `FIBER_FLAG_FLOAT_SWITCH`.
const FLOAT_SWITCH: u32 = 1;
/// Bytes of arguments of the 32-bit `SwitchToFiber`.
const SWITCH_BYTES: u32 = 4;
/// The exit code of a thread whose running fiber is deleted.
const DELETED_EXIT_CODE: u32 = 1;

/// Says whether the thread is a fiber.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-isthreadafiber>
#[winapi]
pub fn IsThreadAFiber(guest: &mut Guest) -> Bool {
    Bool(fiber::current(guest).is_some())
}

/// Makes the thread a fiber.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-convertthreadtofiber>
#[winapi]
pub fn ConvertThreadToFiber(guest: &mut Guest, lpParameter: GuestWord) -> Result<GuestWord, Win32Error> {
    ConvertThreadToFiberEx(guest, lpParameter, 0)
}

/// Makes the thread a fiber, on demand with floating-point control words of its own.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-convertthreadtofiberex>
#[winapi]
pub fn ConvertThreadToFiberEx(
    guest: &mut Guest,
    lpParameter: GuestWord,
    dwFlags: u32,
) -> Result<GuestWord, Win32Error> {
    if dwFlags & !FLOAT_SWITCH != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if fiber::current(guest).is_some() {
        return Err(Win32Error::ALREADY_FIBER);
    }
    let address = fiber::convert_thread(guest, lpParameter.0, dwFlags & FLOAT_SWITCH != 0)?;
    Ok(GuestWord(address))
}

/// Makes the fiber a plain thread again.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-convertfibertothread>
#[winapi]
pub fn ConvertFiberToThread(guest: &mut Guest) -> Result<Bool, Win32Error> {
    if fiber::convert_to_thread(guest) { Ok(TRUE) } else { Err(Win32Error::ALREADY_THREAD) }
}

/// Makes a fiber.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createfiber>
#[winapi]
pub fn CreateFiber(
    guest: &mut Guest,
    dwStackSize: GuestWord,
    lpStartAddress: GuestWord,
    lpParameter: GuestWord,
) -> Result<GuestWord, Win32Error> {
    CreateFiberEx(guest, dwStackSize, GuestWord::NULL, 0, lpStartAddress, lpParameter)
}

/// Makes a fiber, with the stack's sizes, and on demand with floating-point control words of its own.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createfiberex>
#[winapi]
pub fn CreateFiberEx(
    guest: &mut Guest,
    dwStackCommitSize: GuestWord,
    dwStackReserveSize: GuestWord,
    dwFlags: u32,
    lpStartAddress: GuestWord,
    lpParameter: GuestWord,
) -> Result<GuestWord, Win32Error> {
    if dwFlags & !FLOAT_SWITCH != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let stack = (dwStackCommitSize.0, dwStackReserveSize.0);
    let start = (lpStartAddress.0, lpParameter.0);
    Ok(GuestWord(fiber::create(guest, start, stack, dwFlags & FLOAT_SWITCH != 0)?))
}

/// Deletes a fiber; the thread that runs it ends.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-deletefiber>
#[winapi]
pub fn DeleteFiber(guest: &mut Guest, lpFiber: GuestWord) {
    // What is no fiber stays as it is: Windows would crash, and there is no one to tell.
    if fiber::delete(guest, lpFiber.0) == Ok(true) {
        thread_start::end_current(guest, DELETED_EXIT_CODE)
    }
}

/// Goes on as another fiber.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-switchtofiber>
#[winapi]
pub fn SwitchToFiber(guest: &mut Guest, lpFiber: GuestWord) {
    if let Err(status) = fiber::switch(guest, lpFiber.0, SWITCH_BYTES) {
        raise(guest, status)
    }
}

/// Raises a status at the caller: `SwitchToFiber` has no other way to say that there is nothing to switch to.
fn raise(guest: &mut Guest, status: NtStatus) -> ! {
    let registers = dispatch::caller(guest, SWITCH_BYTES.into());
    let record = Record::new(status, registers.rip);
    dispatch::raise(guest, record, registers)
}
