//! processthreadsapi.h, fibersapi.h: thread- and fiber-local storage.

use plat_abi::{GuestWord, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, OrMinusOne, TRUE};
use crate::nt::tls;
use crate::{NtStatus, Win32Error};

/// The exports of this file. The first 64 slots are read and written in guest code (`leaves`).
pub const EXPORTS: &[Export] = dll! {
    full FlsAlloc;
    full FlsFree;
    full FlsGetValue;
    full FlsSetValue;
    full TlsAlloc;
    full TlsFree;
};

/// Gives out a thread-local slot, which is zero in every thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsalloc>
#[winapi]
pub fn TlsAlloc(guest: &mut Guest) -> Result<OrMinusOne, Win32Error> {
    Ok(OrMinusOne(guest.process().threads.slots.allocate().map_err(NtStatus::to_win32)?))
}

/// Takes a thread-local slot back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsfree>
#[winapi]
pub fn TlsFree(guest: &mut Guest, dwTlsIndex: u32) -> Result<Bool, Win32Error> {
    let process = guest.process();
    process.threads.slots.free(process, dwTlsIndex).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}

/// Reads the calling thread's slot; success clears the last error, since 0 is a value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsgetvalue>
#[winapi]
pub fn TlsGetValue(guest: &mut Guest, dwTlsIndex: u32) -> Result<GuestWord, Win32Error> {
    let value = tls::get(guest, dwTlsIndex).map_err(NtStatus::to_win32)?;
    guest.set_last_error(Win32Error::SUCCESS);
    Ok(GuestWord(value))
}

/// Sets the calling thread's slot.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlssetvalue>
#[winapi]
pub fn TlsSetValue(guest: &mut Guest, dwTlsIndex: u32, lpTlsValue: GuestWord) -> Result<Bool, Win32Error> {
    tls::set(guest, dwTlsIndex, lpTlsValue.get()).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}

/// Gives out a fiber-local slot; the callback gets a thread's value when the thread or the slot ends.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-flsalloc>
#[winapi]
pub fn FlsAlloc(guest: &mut Guest, lpCallback: GuestWord) -> Result<OrMinusOne, Win32Error> {
    let slots = &guest.process().threads.fiber_slots;
    Ok(OrMinusOne(slots.allocate(lpCallback.get()).map_err(NtStatus::to_win32)?))
}

/// Takes a fiber-local slot back, after its callback was called for every thread's value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-flsfree>
#[winapi]
pub fn FlsFree(guest: &mut Guest, dwFlsIndex: u32) -> Result<Bool, Win32Error> {
    guest.process().threads.fiber_slots.free(guest, dwFlsIndex).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}

/// Reads the calling thread's fiber-local slot; success clears the last error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-flsgetvalue>
#[winapi]
pub fn FlsGetValue(guest: &mut Guest, dwFlsIndex: u32) -> Result<GuestWord, Win32Error> {
    if dwFlsIndex == 0 || dwFlsIndex >= tls::FIBER_SLOTS {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.set_last_error(Win32Error::SUCCESS);
    Ok(GuestWord(tls::get_fiber_slot(dwFlsIndex)))
}

/// Sets the calling thread's fiber-local slot.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fibersapi/nf-fibersapi-flssetvalue>
#[winapi]
pub fn FlsSetValue(guest: &mut Guest, dwFlsIndex: u32, lpFlsData: GuestWord) -> Result<Bool, Win32Error> {
    if !guest.process().threads.fiber_slots.is_used(dwFlsIndex) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    tls::set_fiber_slot(dwFlsIndex, lpFlsData.get());
    Ok(TRUE)
}
