//! Alerts of threads by identifier: what locks of programs that speak to ntdll alone sleep on, and their clocks.

use std::sync::atomic::Ordering;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::objects::deadline;
use super::synchronisation::previous;
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::thread::ThreadObject;
use crate::nt::{thread, time, wait, wait_address};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full NtAlertThread;
    full NtAlertResumeThread;
    full NtTestAlert;
    full NtAlertThreadByThreadId;
    full NtWaitForAlertByThreadId;
    full RtlGetSystemTimePrecise;
    full RtlQueryPerformanceCounter;
    full RtlQueryPerformanceFrequency;
};

/// Returns the place that a thread sleeps at: no guest has memory there.
fn place_of(thread: u32) -> u64 {
    u64::MAX << 40 | u64::from(thread) << 2
}

/// Ends an alertable wait of a thread with `ALERTED`, or lets its next such wait end at once.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kedelayexecutionthread>
#[winapi]
pub fn NtAlertThread(guest: &mut Guest, ThreadHandle: GuestWord) -> Result<(), NtStatus> {
    wait::alert(&*guest.process().object_as::<ThreadObject>(ThreadHandle.get())?);
    Ok(())
}

/// Alerts a thread and lets it go on, if it is suspended.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kedelayexecutionthread>
#[winapi]
pub fn NtAlertResumeThread(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    PreviousSuspendCount: GuestWord,
) -> Result<(), NtStatus> {
    let thread = guest.process().object_as::<ThreadObject>(ThreadHandle.get())?;
    wait::alert(&thread);
    let before = thread.resume();
    previous(guest, PreviousSuspendCount, before)
}

/// Makes the calls that are queued for the calling thread; takes its alert: `ALERTED` where there was one.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kedelayexecutionthread>
#[winapi]
pub fn NtTestAlert(guest: &mut Guest) -> NtStatus {
    let is_alerted = thread::with_current(|own| own.alerted.swap(false, Ordering::AcqRel));
    match wait::make_early_calls(guest) {
        Err(error) => error,
        Ok(()) if is_alerted => NtStatus::ALERTED,
        Ok(()) => NtStatus::SUCCESS,
    }
}

/// Wakes a thread that waits for its alert, or lets its next such wait end at once.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-wakebyaddresssingle>
#[winapi]
pub fn NtAlertThreadByThreadId(guest: &mut Guest, ThreadId: GuestWord) -> Result<(), NtStatus> {
    let id = u32::try_from(ThreadId.get()).map_err(|_| NtStatus::INVALID_CID)?;
    let thread = guest.process().threads.find(id).ok_or(NtStatus::INVALID_CID)?;
    thread.alert.store(true, Ordering::Release);
    wait_address::wake(place_of(id), 1);
    Ok(())
}

/// Sleeps until somebody alerts the calling thread: `ALERTED`, or `TIMEOUT`. The address says for debuggers what for.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitonaddress>
#[winapi]
pub fn NtWaitForAlertByThreadId(
    guest: &mut Guest,
    Address: GuestWord,
    Timeout: GuestWord,
) -> Result<(), NtStatus> {
    let _ = Address;
    let deadline = deadline(guest, Timeout)?;
    let own = thread::current();
    let place = place_of(own.id());
    loop {
        if own.alert.swap(false, Ordering::AcqRel) {
            return Err(NtStatus::ALERTED);
        }
        let is_quiet = || Ok::<_, NtStatus>(!own.alert.load(Ordering::Acquire));
        if wait_address::enqueue_if(place, is_quiet)? && !wait_address::sleep(place, deadline) {
            return Err(NtStatus::TIMEOUT);
        }
    }
}

/// Returns the time in units of 100 ns since 1601.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimepreciseasfiletime>
#[winapi]
pub fn RtlGetSystemTimePrecise(guest: &mut Guest) -> i64 {
    let _ = guest;
    time::now()
}

/// Stores the performance counter.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancecounter>
#[winapi]
pub fn RtlQueryPerformanceCounter(guest: &mut Guest, PerformanceCounter: GuestWord) -> Result<u32, Fault> {
    guest.write_bytes(PerformanceCounter.get(), &time::performance_counter().to_le_bytes())?;
    Ok(1)
}

/// Stores how often the performance counter counts in a second.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/profileapi/nf-profileapi-queryperformancefrequency>
#[winapi]
pub fn RtlQueryPerformanceFrequency(
    guest: &mut Guest,
    PerformanceFrequency: GuestWord,
) -> Result<u32, Fault> {
    guest.write_bytes(PerformanceFrequency.get(), &time::PERFORMANCE_FREQUENCY.to_le_bytes())?;
    Ok(1)
}
