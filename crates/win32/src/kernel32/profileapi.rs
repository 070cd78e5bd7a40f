//! profileapi.h and realtimeapiset.h: the performance counter and the time since the system started.

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::clock;

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::time;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full QueryPerformanceCounter;
    full QueryPerformanceFrequency;
    full QueryInterruptTime;
    full QueryInterruptTimePrecise;
    full QueryUnbiasedInterruptTime;
    full QueryUnbiasedInterruptTimePrecise;
};

/// Stores the time since the system started, in units of 100 ns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryinterrupttime>
#[winapi]
pub fn QueryInterruptTime(guest: &mut Guest, lpInterruptTime: GuestWord) -> Result<(), Fault> {
    guest.write(lpInterruptTime.get(), &(clock::boot_nanoseconds() / 100))
}

/// Stores the time since the system started, in units of 100 ns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryinterrupttimeprecise>
#[winapi]
pub fn QueryInterruptTimePrecise(guest: &mut Guest, lpInterruptTimePrecise: GuestWord) -> Result<(), Fault> {
    QueryInterruptTime(guest, lpInterruptTimePrecise)
}

/// Stores the time since the system started without that in which it slept, in units of 100 ns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryunbiasedinterrupttime>
#[winapi]
pub fn QueryUnbiasedInterruptTime(guest: &mut Guest, UnbiasedTime: GuestWord) -> Result<Bool, Win32Error> {
    if UnbiasedTime.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    QueryUnbiasedInterruptTimePrecise(guest, UnbiasedTime)?;
    Ok(TRUE)
}

/// Stores the time since the system started without that in which it slept, in units of 100 ns.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryunbiasedinterrupttimeprecise>
#[winapi]
pub fn QueryUnbiasedInterruptTimePrecise(
    guest: &mut Guest,
    lpUnbiasedInterruptTimePrecise: GuestWord,
) -> Result<(), Fault> {
    guest.write(lpUnbiasedInterruptTimePrecise.get(), &(clock::monotonic_nanoseconds() / 100))
}

/// Reads the performance counter: 100 ns units on a clock that never jumps.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancecounter>
#[winapi]
pub fn QueryPerformanceCounter(guest: &mut Guest, lpPerformanceCount: GuestWord) -> Result<Bool, Win32Error> {
    guest.write(lpPerformanceCount.get(), &time::performance_counter())?;
    Ok(TRUE)
}

/// Returns how many counts the performance counter makes in a second.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancefrequency>
#[winapi]
pub fn QueryPerformanceFrequency(guest: &mut Guest, lpFrequency: GuestWord) -> Result<Bool, Win32Error> {
    guest.write(lpFrequency.get(), &time::PERFORMANCE_FREQUENCY)?;
    Ok(TRUE)
}
