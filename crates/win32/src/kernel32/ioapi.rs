//! ioapiset.h: device control and overlapped results. Every transfer is complete when its function returns.

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::file;
use super::fileapi::transfer::OVERLAPPED;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::file::FileKind;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial DeviceIoControl, "reparse points (there are none) and sparse files; other codes are unknown functions";
    full GetOverlappedResult;
    full CancelIo;
    full CancelIoEx;
};

const FSCTL_GET_REPARSE_POINT: u32 = 0x9_00a8;
const FSCTL_SET_SPARSE: u32 = 0x9_00c4;

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
    let _ = (lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize, lpOverlapped);
    let file = file(guest, hDevice, 0)?;
    if !lpBytesReturned.is_null() {
        guest.write_bytes(lpBytesReturned.0, &[0; 4])?;
    }
    let is_disk = matches!(file.kind, FileKind::Disk | FileKind::Directory);
    match dwIoControlCode {
        FSCTL_GET_REPARSE_POINT if is_disk => Err(Win32Error::NOT_A_REPARSE_POINT),
        // Linux makes every file sparse where it is not written.
        FSCTL_SET_SPARSE if file.kind == FileKind::Disk => Ok(TRUE),
        _ => Err(Win32Error::INVALID_FUNCTION),
    }
}

/// Tells the outcome of an overlapped transfer.
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
    let _ = (hFile, bWait);
    let overlapped: OVERLAPPED = guest.read(lpOverlapped.0)?;
    let moved = overlapped.InternalHigh.0 as u32;
    guest.write_bytes(lpNumberOfBytesTransferred.0, &moved.to_le_bytes())?;
    match NtStatus(overlapped.Internal.0 as u32) {
        status if status.is_success() => Ok(TRUE),
        status => Err(status.to_win32()),
    }
}

/// Cancels the thread's transfers of a file: none is under way.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/cancelio>
#[winapi]
pub fn CancelIo(guest: &mut Guest, hFile: GuestWord) -> Result<Bool, Win32Error> {
    file(guest, hFile, 0)?;
    Ok(TRUE)
}

/// Cancels transfers of a file: none is under way, and Windows tells that by an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/cancelioex-func>
#[winapi]
pub fn CancelIoEx(guest: &mut Guest, hFile: GuestWord, lpOverlapped: GuestWord) -> Result<Bool, Win32Error> {
    let _ = lpOverlapped;
    file(guest, hFile, 0)?;
    Err(Win32Error::NOT_FOUND)
}
