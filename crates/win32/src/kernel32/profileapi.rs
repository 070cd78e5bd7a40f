//! profileapi.h: the performance counter.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::time;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full QueryPerformanceCounter;
    full QueryPerformanceFrequency;
};

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
