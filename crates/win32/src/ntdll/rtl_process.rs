//! The runtime library of ntdll: the current directory, and what plat has none of (transactions, debug buffers).

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::attributes::counted_string;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::{current_directory, path};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlGetCurrentDirectory_U;
    full RtlSetCurrentDirectory_U;
    partial NtCreateTransaction, "there are no transactions: NOT_SUPPORTED";
    partial NtCommitTransaction, "there are no transactions: INVALID_HANDLE";
    partial NtRollbackTransaction, "there are no transactions: INVALID_HANDLE";
    full RtlGetActiveActivationContext; full RtlAddRefActivationContext; full RtlReleaseActivationContext;
    full RtlGetCurrentTransaction;
    full RtlReportSilentProcessExit;
    partial RtlSetCurrentTransaction, "there are no transactions: only null is taken";
    partial RtlCreateQueryDebugBuffer, "there are no such buffers: null";
    partial RtlQueryProcessDebugInformation, "NOT_SUPPORTED";
    full RtlDestroyQueryDebugBuffer;
};

/// Reports that a process is ended by another: nobody wants to know.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/debugger/registry-entries-for-silent-process-exit>
#[winapi]
pub fn RtlReportSilentProcessExit(guest: &mut Guest, ProcessHandle: GuestWord, ExitStatus: u32) -> NtStatus {
    let _ = (guest, ProcessHandle, ExitStatus);
    NtStatus::SUCCESS
}

/// Stores the current directory; returns its size in bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getcurrentdirectory>
#[winapi]
pub fn RtlGetCurrentDirectory_U(
    guest: &mut Guest,
    BufferLength: u32,
    Buffer: GuestWord,
) -> Result<u32, Fault> {
    let text = path::current(&guest.process().files);
    let size = text.len() as u32 * 2;
    if BufferLength < size + 2 {
        return Ok(size + 2);
    }
    guest.write_wide(Buffer.0, &[text.as_slice(), &[0]].concat())?;
    Ok(size)
}

/// Changes the current directory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setcurrentdirectory>
#[winapi]
pub fn RtlSetCurrentDirectory_U(guest: &mut Guest, PathName: GuestWord) -> Result<(), NtStatus> {
    let name = counted_string(guest, PathName)?;
    current_directory::change(guest.process(), &name).map_err(|error| match error {
        Win32Error::FILE_NOT_FOUND => NtStatus::OBJECT_NAME_NOT_FOUND,
        Win32Error::PATH_NOT_FOUND => NtStatus::OBJECT_PATH_NOT_FOUND,
        Win32Error::DIRECTORY => NtStatus::NOT_A_DIRECTORY,
        error => NtStatus::from_win32(error),
    })
}

/// Refuses: the file systems of Linux have no transactions.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ntcreatetransaction>
#[winapi]
pub fn NtCreateTransaction(
    guest: &mut Guest,
    TransactionHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    Uow: GuestWord,
    TmHandle: GuestWord,
    CreateOptions: u32,
    IsolationLevel: u32,
    IsolationFlags: u32,
    Timeout: GuestWord,
    Description: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (DesiredAccess, ObjectAttributes, Uow, TmHandle, CreateOptions, IsolationLevel, IsolationFlags);
    let _ = (Timeout, Description);
    guest.write_word(TransactionHandle.0, 0)?;
    Err(NtStatus::NOT_SUPPORTED)
}

alike! {
    fn(guest; TransactionHandle: GuestWord, Wait: u8) -> Result<(), NtStatus> {
        let _ = (guest, TransactionHandle, Wait);
        Err(NtStatus::INVALID_HANDLE)
    }

    /// Ends a transaction, of which there are none.
    ddi "wdm/nf-wdm-ntcommittransaction" NtCommitTransaction;

    /// Takes a transaction back, of which there are none.
    ddi "wdm/nf-wdm-ntrollbacktransaction" NtRollbackTransaction;
}

/// Returns the thread's transaction: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/ktm/kernel-transaction-manager-portal>
#[winapi]
pub fn RtlGetCurrentTransaction(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord::NULL
}

/// Sets the thread's transaction; says whether it did.
///
/// Source: <https://learn.microsoft.com/windows/win32/ktm/kernel-transaction-manager-portal>
#[winapi]
pub fn RtlSetCurrentTransaction(guest: &mut Guest, TransactionHandle: GuestWord) -> u32 {
    let _ = guest;
    u32::from(TransactionHandle.is_null())
}

/// Returns a buffer for facts about a process: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/toolhelp/tool-help-library>
#[winapi]
pub fn RtlCreateQueryDebugBuffer(guest: &mut Guest, Size: u32, EventPair: u8) -> GuestWord {
    let _ = (guest, Size, EventPair);
    GuestWord::NULL
}

/// Refuses to collect facts about a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/toolhelp/tool-help-library>
#[winapi]
pub fn RtlQueryProcessDebugInformation(
    guest: &mut Guest,
    ProcessId: GuestWord,
    DebugInfoClassMask: u32,
    DebugBuffer: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (guest, ProcessId, DebugInfoClassMask, DebugBuffer);
    Err(NtStatus::NOT_SUPPORTED)
}

/// Frees a buffer for facts about a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/toolhelp/tool-help-library>
#[winapi]
pub fn RtlDestroyQueryDebugBuffer(guest: &mut Guest, DebugBuffer: GuestWord) -> Result<(), NtStatus> {
    let _ = (guest, DebugBuffer);
    Ok(())
}

/// Returns the activation context that holds: none.
///
/// Source: <https://ntdoc.m417z.com/rtlgetactiveactivationcontext>
#[winapi]
pub fn RtlGetActiveActivationContext(
    guest: &mut Guest,
    ActivationContext: GuestWord,
) -> Result<(), NtStatus> {
    Ok(guest.write_word(ActivationContext.0, 0)?)
}

/// Keeps an activation context, of which there is none but null.
///
/// Source: <https://ntdoc.m417z.com/rtladdrefactivationcontext>
#[winapi]
pub fn RtlAddRefActivationContext(guest: &mut Guest, ActivationContext: GuestWord) {
    let _ = (guest, ActivationContext);
}

/// Gives an activation context back, of which there is none but null.
///
/// Source: <https://ntdoc.m417z.com/rtlreleaseactivationcontext>
#[winapi]
pub fn RtlReleaseActivationContext(guest: &mut Guest, ActivationContext: GuestWord) {
    let _ = (guest, ActivationContext);
}
