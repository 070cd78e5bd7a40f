//! ioapiset.h: device control and overlapped results. Every transfer is complete when its function returns.

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::file;
use super::fileapi::transfer::{OVERLAPPED, complete};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::file_control::control_with;
use crate::nt::thread::ThreadObject;
use crate::nt::wait::{self, WaitFor};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial DeviceIoControl, "reparse points (there are none), sparse files and the mount manager's volumes; other codes are unknown functions";
    full GetOverlappedResult;
    full GetOverlappedResultEx;
    partial CancelSynchronousIo, "a read that blocks goes on";
    full CancelIo;
    full CancelIoEx;
};

/// `WAIT_TIMEOUT` and `WAIT_IO_COMPLETION`, as last errors.
const WAIT_TIMEOUT: u32 = 258;
const WAIT_IO_COMPLETION: u32 = 192;

/// Controls a device.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol>
#[winapi]
pub fn DeviceIoControl(
    guest: &mut Guest,
    hDevice: GuestWord,
    dwIoControlCode: u32,
    lpInBuffer: GuestWord,
    nInBufferSize: u32,
    lpOutBuffer: GuestWord,
    nOutBufferSize: u32,
    lpBytesReturned: GuestWord,
    lpOverlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    let (input, output) = ((lpInBuffer.0, nInBufferSize), (lpOutBuffer.0, nOutBufferSize));
    let file = file(guest, hDevice, 0)?;
    let asked = control_with(guest, &file, dwIoControlCode, input, output);
    complete(guest, &file, lpBytesReturned, lpOverlapped, None, || asked)
}

/// Tells the outcome of an overlapped transfer, and waits for it. No transfer of plat's is ever under way; a block that
/// the program itself marked as pending is waited for as on Windows.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult>
#[winapi]
pub fn GetOverlappedResult(
    guest: &mut Guest,
    hFile: GuestWord,
    lpOverlapped: GuestWord,
    lpNumberOfBytesTransferred: GuestWord,
    bWait: Bool,
) -> Result<Bool, Win32Error> {
    let milliseconds = if bWait.0 { u32::MAX } else { 0 };
    result(guest, hFile, lpOverlapped, lpNumberOfBytesTransferred, (milliseconds, false))
}

/// Tells the outcome of an overlapped transfer, and waits for it for a time.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresultex>
#[winapi]
pub fn GetOverlappedResultEx(
    guest: &mut Guest,
    hFile: GuestWord,
    lpOverlapped: GuestWord,
    lpNumberOfBytesTransferred: GuestWord,
    dwMilliseconds: u32,
    bAlertable: Bool,
) -> Result<Bool, Win32Error> {
    result(guest, hFile, lpOverlapped, lpNumberOfBytesTransferred, (dwMilliseconds, bAlertable.0))
}

fn result(
    guest: &mut Guest,
    handle: GuestWord,
    overlapped: GuestWord,
    count: GuestWord,
    (milliseconds, alertable): (u32, bool),
) -> Result<Bool, Win32Error> {
    let mut block: OVERLAPPED = guest.read(overlapped.0)?;
    if block.Internal.0 as u32 == NtStatus::PENDING.0 {
        if milliseconds == 0 {
            return Err(Win32Error::IO_INCOMPLETE);
        }
        let event = if block.hEvent.is_null() { handle.0 } else { block.hEvent.0 & !1 };
        let object = guest.process().object(event)?;
        let deadline = wait::deadline_of_milliseconds(milliseconds);
        match wait::wait_as_guest(guest, &[object], WaitFor { all: false, alertable, deadline })? {
            NtStatus::TIMEOUT => return Err(Win32Error(WAIT_TIMEOUT)),
            NtStatus::USER_APC => return Err(Win32Error(WAIT_IO_COMPLETION)),
            _ => {}
        }
        block = guest.read(overlapped.0)?;
    }
    guest.write_bytes(count.0, &(block.InternalHigh.0 as u32).to_le_bytes())?;
    match NtStatus(block.Internal.0 as u32) {
        NtStatus::PENDING => Err(Win32Error::IO_INCOMPLETE),
        status if status.is_success() => Ok(TRUE),
        status => Err(status.to_win32()),
    }
}

/// Cancels the transfers of a file that are under way.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/cancelio>
#[winapi]
pub fn CancelIo(guest: &mut Guest, hFile: GuestWord) -> Result<Bool, Win32Error> {
    file(guest, hFile, 0)?.cancel_transfers(None, NtStatus::CANCELLED);
    Ok(TRUE)
}

/// Cancels transfers of a file that are under way: one, or all. That there is none is an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/cancelioex-func>
#[winapi]
pub fn CancelIoEx(guest: &mut Guest, hFile: GuestWord, lpOverlapped: GuestWord) -> Result<Bool, Win32Error> {
    let file = file(guest, hFile, 0)?;
    let block = (!lpOverlapped.is_null()).then_some(lpOverlapped.0);
    if file.cancel_transfers(block, NtStatus::CANCELLED) { Ok(TRUE) } else { Err(Win32Error::NOT_FOUND) }
}

/// Cancels a synchronous transfer of a thread: one that blocks is in the kernel and is not interrupted, which Windows
/// allows by the same error as when there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/cancelsynchronousio-func>
#[winapi]
pub fn CancelSynchronousIo(guest: &mut Guest, hThread: GuestWord) -> Result<Bool, Win32Error> {
    guest.process().object_as::<ThreadObject>(hThread.0)?;
    Err(Win32Error::NOT_FOUND)
}
