//! processthreadsapi.h, winbase.h: what a thread or a process says of itself: its stack, its name, its transfers.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::thread::{ProcessObject, ThreadObject};
use crate::teb::Teb;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetCurrentThreadStackLimits;
    partial GetProcessIoCounters, "what Linux counts: its system calls that read and write";
    full GetThreadDescription;
    partial GetThreadIOPendingFlag, "never: transfers that go on are not counted by thread";
};

/// Returns the bounds of the calling thread's stack: the reservation's lowest address and the end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthreadstacklimits>
#[winapi]
pub fn GetCurrentThreadStackLimits(
    guest: &mut Guest,
    LowLimit: GuestWord,
    HighLimit: GuestWord,
) -> Result<(), Fault> {
    let teb = guest.teb();
    guest.write_word(LowLimit.get(), teb.get(Teb::DEALLOCATION_STACK)?)?;
    guest.write_word(HighLimit.get(), teb.get(Teb::STACK_BASE)?)
}

/// Returns a thread's name in memory that `LocalFree` frees: empty if it has none. An `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreaddescription>
#[winapi]
pub fn GetThreadDescription(guest: &mut Guest, hThread: GuestWord, ppszThreadDescription: GuestWord) -> u32 {
    description(guest, hThread, ppszThreadDescription).map_or_else(Win32Error::to_hresult, |()| 0)
}

fn description(guest: &mut Guest, thread: GuestWord, place: GuestWord) -> Result<(), Win32Error> {
    let thread = guest.object::<ThreadObject>(thread)?;
    let mut name = thread.description();
    name.push(0);
    let memory = super::heapapi::LocalAlloc(guest, 0, GuestWord(name.len() as u64 * 2))?;
    guest.write_wide(memory.get(), &name)?;
    guest.write_word(place.get(), memory.get())?;
    Ok(())
}

/// `IO_COUNTERS`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct IO_COUNTERS {
    ReadOperationCount: u64,
    WriteOperationCount: u64,
    OtherOperationCount: u64,
    ReadTransferCount: u64,
    WriteTransferCount: u64,
    OtherTransferCount: u64,
}

/// Returns how often and how much a process has read and written.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getprocessiocounters>
#[winapi]
pub fn GetProcessIoCounters(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpIoCounters: GuestWord,
) -> Result<Bool, Win32Error> {
    let process = guest.object::<ProcessObject>(hProcess)?;
    let counted = plat_host::process::transfers(process.id());
    let counters = IO_COUNTERS {
        ReadOperationCount: counted.reads,
        WriteOperationCount: counted.writes,
        ReadTransferCount: counted.bytes_read,
        WriteTransferCount: counted.bytes_written,
        ..IO_COUNTERS::default()
    };
    guest.write(lpIoCounters.get(), &counters)?;
    Ok(TRUE)
}

/// Says whether a thread has transfers under way.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getthreadiopendingflag>
#[winapi]
pub fn GetThreadIOPendingFlag(
    guest: &mut Guest,
    hThread: GuestWord,
    lpIOIsPending: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ThreadObject>(hThread)?;
    guest.write(lpIOIsPending.get(), &0_u32)?;
    Ok(TRUE)
}
