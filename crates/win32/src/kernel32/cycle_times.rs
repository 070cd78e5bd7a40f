//! realtimeapiset.h: cycles of processors.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::clock::ProcessorTime;

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::sysinfo;
use crate::nt::thread::{ProcessObject, ThreadObject};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial QueryIdleProcessorCycleTime, "computed from idle time; the same for all processors";
    partial QueryProcessCycleTime, "computed from processor time and the processor's speed";
    partial QueryThreadCycleTime, "computed from processor time and the processor's speed";
};

/// Returns the cycles of `nanoseconds`; where Linux does not tell the speed, as if it were 1 GHz.
fn cycles(nanoseconds: u64) -> u64 {
    static SPEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let mhz = *SPEED.get_or_init(|| {
        let speeds = plat_host::sysinfo::processor_speeds_mhz();
        speeds.first().map_or(1000, |&mhz| if mhz == 0 { 1000 } else { mhz.into() })
    });
    (u128::from(nanoseconds) * u128::from(mhz) / 1000) as u64
}

fn cycles_of(used: ProcessorTime) -> u64 {
    cycles(used.kernel + used.user)
}

/// Returns the cycles that a thread has used.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-querythreadcycletime>
#[winapi]
pub fn QueryThreadCycleTime(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    CycleTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let thread = guest.object::<ThreadObject>(ThreadHandle)?;
    guest.write(CycleTime.get(), &cycles_of(thread.processor_time()))?;
    Ok(TRUE)
}

/// Returns the cycles that all threads of a process have used.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryprocesscycletime>
#[winapi]
pub fn QueryProcessCycleTime(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    CycleTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let process = guest.object::<ProcessObject>(ProcessHandle)?;
    guest.write(CycleTime.get(), &cycles_of(process.processor_time()))?;
    Ok(TRUE)
}

/// Returns the idle cycles of each processor: with no buffer how many bytes they need.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryidleprocessorcycletime>
#[winapi]
pub fn QueryIdleProcessorCycleTime(
    guest: &mut Guest,
    BufferLength: GuestWord,
    ProcessorIdleCycleTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let count = sysinfo::processors(guest.machine()).count_ones();
    let room: u32 = guest.read(BufferLength.get())?;
    guest.write(BufferLength.get(), &(count * 8))?;
    if ProcessorIdleCycleTime.is_null() {
        return Ok(TRUE);
    }
    if room < count * 8 {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let (idle, ..) = plat_host::process::system_times();
    let each = cycles(idle) / u64::from(count.max(1));
    let bytes: Vec<u8> = (0..count).flat_map(|_| each.to_le_bytes()).collect();
    guest.write_bytes(ProcessorIdleCycleTime.get(), &bytes)?;
    Ok(TRUE)
}
