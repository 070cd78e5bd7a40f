//! timeapi.h: the multimedia timer's clock and resolution.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::event::Event;
use crate::nt::pool_watch::{Notice, Plan, Target};
use crate::nt::time;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full timeGetTime;
    full timeGetSystemTime;
    full timeGetDevCaps;
    full timeBeginPeriod;
    full timeEndPeriod;
    partial timeSetEvent, "calls are made by workers of the pool, and timeKillEvent does not wait for them";
    full timeKillEvent;
};

/// `TIMERR_NOCANDO`: the period is out of range.
const NO_CAN_DO: u32 = 97;
/// `TIMERR_NOERROR`.
const NO_ERROR: u32 = 0;
/// The smallest and the largest period, in milliseconds.
const PERIODS: [u32; 2] = [1, 1_000_000];

/// Returns milliseconds since boot, modulo 2^32.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timegettime>
#[winapi]
pub fn timeGetTime(guest: &mut Guest) -> u32 {
    let _ = guest;
    time::tick_count() as u32
}

/// Stores milliseconds since boot in an `MMTIME`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timegetsystemtime>
#[winapi]
pub fn timeGetSystemTime(guest: &mut Guest, pmmt: GuestWord, cbmmt: u32) -> Result<u32, Fault> {
    /// `TIME_MS`.
    const TIME_MS: u32 = 1;
    if cbmmt < 8 {
        return Ok(NO_CAN_DO);
    }
    guest.write(pmmt.get(), &TIME_MS)?;
    guest.write(pmmt.get() + 4, &(time::tick_count() as u32))?;
    Ok(NO_ERROR)
}

/// Stores the range of periods in a `TIMECAPS`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timegetdevcaps>
#[winapi]
pub fn timeGetDevCaps(guest: &mut Guest, ptc: GuestWord, cbtc: u32) -> Result<u32, Fault> {
    if cbtc < 8 || ptc.is_null() {
        return Ok(NO_CAN_DO);
    }
    guest.write(ptc.get(), &PERIODS[0])?;
    guest.write(ptc.get() + 4, &PERIODS[1])?;
    Ok(NO_ERROR)
}

fn check_period(period: u32) -> u32 {
    if (PERIODS[0]..=PERIODS[1]).contains(&period) { NO_ERROR } else { NO_CAN_DO }
}

/// Asks for a timer resolution. Linux' timers have a finer one always.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timebeginperiod>
#[winapi]
pub fn timeBeginPeriod(guest: &mut Guest, uPeriod: u32) -> u32 {
    let _ = guest;
    check_period(uPeriod)
}

/// Gives a timer resolution up again.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/timeapi/nf-timeapi-timeendperiod>
#[winapi]
pub fn timeEndPeriod(guest: &mut Guest, uPeriod: u32) -> u32 {
    let _ = guest;
    check_period(uPeriod)
}

/// Makes a timer that calls a function, or sets or pulses an event, once or again and again; 0 if that cannot be.
///
/// Source: <https://learn.microsoft.com/previous-versions/dd757634(v=vs.85)>
#[winapi]
pub fn timeSetEvent(
    guest: &mut Guest,
    uDelay: u32,
    uResolution: u32,
    fptc: GuestWord,
    dwUser: GuestWord,
    fuEvent: u32,
) -> u32 {
    const PERIODIC: u32 = 0x1;
    const EVENT_SET: u32 = 0x10;
    const EVENT_PULSE: u32 = 0x20;
    let _ = uResolution;
    if check_period(uDelay) != NO_ERROR {
        return 0;
    }
    let process = guest.process();
    let target = match fuEvent & (EVENT_SET | EVENT_PULSE) {
        0 => Target::Multimedia(fptc.get(), dwUser.get()),
        kind => match process.object_as::<Event>(fptc.get()) {
            Ok(event) => Target::Signal(event, kind & EVENT_PULSE != 0),
            Err(_) => return 0,
        },
    };
    let is_periodic = fuEvent & PERIODIC != 0;
    let plan = Plan {
        object: None,
        due: Some(uDelay),
        period: if is_periodic { uDelay } else { 0 },
        is_once: !is_periodic,
        due_at: None,
        target,
        queue: 0,
    };
    process.pool.registrations.add(process, plan).map_or(0, |number| number as u32)
}

/// Stops a timer.
///
/// Source: <https://learn.microsoft.com/previous-versions/dd757630(v=vs.85)>
#[winapi]
pub fn timeKillEvent(guest: &mut Guest, uTimerID: u32) -> u32 {
    /// `MMSYSERR_INVALPARAM`.
    const INVALID_PARAMETER: u32 = 11;
    match guest.process().pool.registrations.delete(uTimerID.into(), &Notice::None) {
        Ok(_) => NO_ERROR,
        Err(_) => INVALID_PARAMETER,
    }
}
