//! Waits by address, as kernel32's `WaitOnAddress` has them from ntdll; the end of the process; the last status.

use plat_abi::{GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::{wait, wait_address};
use crate::teb::Teb;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial RtlGetLastNtStatus, "what the program itself stored: plat's functions set the last error only";
    full RtlSetLastWin32ErrorAndNtStatusFromNtStatus;
    full RtlWaitOnAddress;
    forward RtlExitUserProcess => "kernel32.ExitProcess";
    forward VerSetConditionMask => "kernel32.VerSetConditionMask";
};

/// Sleeps while a variable has a value; the time is in units of 100 ns, from now if negative, null for ever.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/rtlwaitonaddress>
#[winapi]
pub fn RtlWaitOnAddress(
    guest: &mut Guest,
    Address: GuestWord,
    CompareAddress: GuestWord,
    AddressSize: GuestWord,
    Timeout: GuestWord,
) -> Result<(), NtStatus> {
    let deadline = match Timeout.is_null() {
        true => None,
        false => Some(wait::deadline_of_units(guest.read(Timeout.get())?)),
    };
    if !matches!(AddressSize.get(), 1 | 2 | 4 | 8) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if wait_address::wait_while_equal(guest, Address, CompareAddress, AddressSize, deadline)? {
        Ok(())
    } else {
        Err(NtStatus::TIMEOUT)
    }
}

/// Returns the last status that was stored for the thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/> (the field `LastStatusValue` of the TEB)
#[winapi]
pub fn RtlGetLastNtStatus(guest: &mut Guest) -> Result<(), NtStatus> {
    match guest.teb().last_status() {
        NtStatus::SUCCESS => Ok(()),
        status => Err(status),
    }
}

/// Stores a status and the error that it means for the thread; returns the error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-rtlntstatustodoserror>
#[winapi]
pub fn RtlSetLastWin32ErrorAndNtStatusFromNtStatus(guest: &mut Guest, Status: u32) -> u32 {
    let status = NtStatus(Status);
    let teb: Teb = guest.teb();
    teb.set_last_status(status);
    teb.set_last_error(status.to_win32());
    status.to_win32().0
}
