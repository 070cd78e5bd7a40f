//! winbase.h: the machine's power, and wishes that it stay awake. Linux is not told of the wishes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::file;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, HandleOrInvalid, TRUE};
use crate::logic::power;
use crate::nt::handle::HandleFlags;
use crate::nt::object::{Object, ObjectKind};
use crate::nt::path::lock;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetSystemPowerStatus;
    full GetDevicePowerState;
    full IsSystemResumeAutomatic;
    partial SetThreadExecutionState, "remembered, but Linux is not kept from sleeping";
    partial PowerCreateRequest, "remembered, but Linux is not kept from sleeping";
    partial PowerSetRequest, "remembered, but Linux is not kept from sleeping";
    full PowerClearRequest;
    partial SetSystemPowerState, "refused: a program may not put the machine to sleep";
    full RequestWakeupLatency;
};

/// Returns where the power comes from and how full the batteries are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getsystempowerstatus>
#[winapi]
pub fn GetSystemPowerStatus(guest: &mut Guest, lpSystemPowerStatus: GuestWord) -> Result<Bool, Win32Error> {
    let state = power::state(&plat_host::power::supplies());
    guest.write_bytes(lpSystemPowerStatus.get(), &state.status_bytes())?;
    Ok(TRUE)
}

/// Says that the device behind a handle is switched on.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getdevicepowerstate>
#[winapi]
pub fn GetDevicePowerState(
    guest: &mut Guest,
    hDevice: GuestWord,
    pfOn: GuestWord,
) -> Result<Bool, Win32Error> {
    file(guest, hDevice, 0)?;
    guest.write(pfOn.get(), &1_u32)?;
    Ok(TRUE)
}

/// Says that no event woke the machine up for the program's sake.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-issystemresumeautomatic>
#[winapi]
pub fn IsSystemResumeAutomatic(guest: &mut Guest) -> Bool {
    let _ = guest;
    FALSE
}

/// Refuses to put the machine to sleep, as Windows does without `SeShutdownPrivilege`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setsystempowerstate>
#[winapi]
pub fn SetSystemPowerState(guest: &mut Guest, fSuspend: Bool, fForce: Bool) -> Result<Bool, Win32Error> {
    let _ = (guest, fSuspend, fForce);
    Err(Win32Error::PRIVILEGE_NOT_HELD)
}

/// Takes note of how fast the machine is to wake up, which has no effect since Windows 7.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-requestwakeuplatency>
#[winapi]
pub fn RequestWakeupLatency(guest: &mut Guest, latency: i32) -> Bool {
    let _ = (guest, latency);
    TRUE
}

/// `ES_CONTINUOUS`.
const CONTINUOUS: u32 = 0x8000_0000;
/// `ES_AWAYMODE_REQUIRED`, which only counts with `ES_CONTINUOUS`.
const AWAY_MODE: u32 = 0x40;
/// `ES_SYSTEM_REQUIRED`, `ES_DISPLAY_REQUIRED` and the above. `ES_USER_PRESENT` is refused.
const STATES: u32 = CONTINUOUS | AWAY_MODE | 3;

/// Says what the thread wants to stay awake, and returns what it wanted before; 0 for flags that are not known.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setthreadexecutionstate>
#[winapi]
pub fn SetThreadExecutionState(guest: &mut Guest, esFlags: u32) -> u32 {
    let _ = guest;
    if esFlags & !STATES != 0 || esFlags & (AWAY_MODE | CONTINUOUS) == AWAY_MODE {
        return 0;
    }
    crate::nt::thread::with_current(|thread| match esFlags & CONTINUOUS {
        0 => thread.execution_state.load(Ordering::Relaxed),
        _ => thread.execution_state.swap(esFlags, Ordering::Relaxed),
    })
}

/// A wish that the machine stay awake: how often each of the four kinds was asked for.
#[derive(Default)]
struct PowerRequest {
    counts: Mutex<[u32; 4]>,
}

impl Object for PowerRequest {
    fn kind(&self) -> ObjectKind {
        ObjectKind::PowerRequest
    }
}

/// Makes a power request, which asks for nothing yet. The reason is not shown anywhere.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-powercreaterequest>
#[winapi]
pub fn PowerCreateRequest(guest: &mut Guest, Context: GuestWord) -> Result<HandleOrInvalid, Win32Error> {
    /// `POWER_REQUEST_CONTEXT_SIMPLE_STRING` and `POWER_REQUEST_CONTEXT_DETAILED_STRING`.
    const FORMS: [u32; 2] = [1, 2];
    const ALL_ACCESS: u32 = 0x1f_0003;
    if Context.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (version, form) = (guest.read_u32(Context.get())?, guest.read_u32(Context.get() + 4)?);
    if version != 0 || !FORMS.contains(&form) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let request = Arc::new(PowerRequest::default());
    Ok(HandleOrInvalid(guest.process().handles.insert(request, ALL_ACCESS, HandleFlags::empty())))
}

/// Changes how often a kind was asked for.
fn count(
    guest: &Guest,
    handle: GuestWord,
    kind: i32,
    change: fn(u32) -> Option<u32>,
) -> Result<Bool, Win32Error> {
    let request = guest.object::<PowerRequest>(handle)?;
    let mut counts = lock(&request.counts);
    let place = usize::try_from(kind).ok().and_then(|kind| counts.get_mut(kind));
    let place = place.ok_or(Win32Error::INVALID_PARAMETER)?;
    *place = change(*place).ok_or(Win32Error::INVALID_PARAMETER)?;
    Ok(TRUE)
}

/// Asks for display, system, away mode or execution (0 to 3) to stay on, once more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-powersetrequest>
#[winapi]
pub fn PowerSetRequest(
    guest: &mut Guest,
    PowerRequest: GuestWord,
    RequestType: i32,
) -> Result<Bool, Win32Error> {
    count(guest, PowerRequest, RequestType, |count| count.checked_add(1))
}

/// Takes one asking back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-powerclearrequest>
#[winapi]
pub fn PowerClearRequest(
    guest: &mut Guest,
    PowerRequest: GuestWord,
    RequestType: i32,
) -> Result<Bool, Win32Error> {
    count(guest, PowerRequest, RequestType, |count| count.checked_sub(1))
}
