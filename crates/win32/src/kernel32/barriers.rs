//! synchapi.h: barriers, at which threads wait for each other.
//!
//! Only the structure's size is documented; plat keeps two numbers in it: how many threads the barrier holds, and how many are
//! still to come. They change while nobody can queue or wake, and a thread that is woken does not look at them again: the
//! barrier may be gone by then.

use plat_abi::{Fault, GuestWord, Machine, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::wait_address;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full InitializeSynchronizationBarrier; full EnterSynchronizationBarrier; full DeleteSynchronizationBarrier;
};

/// `SYNCHRONIZATION_BARRIER` as plat uses it.
struct Barrier {
    total: u64,
    missing: u64,
}

impl Barrier {
    fn at(address: GuestWord) -> Self {
        let at = address.get();
        Self { total: at, missing: at + 4 }
    }
}

/// The structure's size in bytes.
fn size(machine: Machine) -> u64 {
    16 + 2 * machine.pointer_size()
}

/// Makes a barrier for a number of threads; how long they spin before they sleep is theirs to know.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-initializesynchronizationbarrier>
#[winapi]
pub fn InitializeSynchronizationBarrier(
    guest: &mut Guest,
    lpBarrier: GuestWord,
    lTotalThreads: i32,
    lSpinCount: i32,
) -> Result<Bool, Win32Error> {
    if lTotalThreads <= 0 || lSpinCount < -1 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let barrier = Barrier::at(lpBarrier);
    guest.write_bytes(lpBarrier.get(), &vec![0; size(guest.machine()) as usize])?;
    guest.write(barrier.total, &lTotalThreads)?;
    guest.write(barrier.missing, &lTotalThreads)?;
    Ok(TRUE)
}

/// Waits until all threads have come; the last one is told so by `TRUE`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-entersynchronizationbarrier>
#[winapi]
pub fn EnterSynchronizationBarrier(
    guest: &mut Guest,
    lpBarrier: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Fault> {
    let _ = dwFlags;
    let barrier = Barrier::at(lpBarrier);
    let must_wait = wait_address::enqueue_if(barrier.missing, || {
        let missing = guest.read_u32(barrier.missing)?;
        let is_last = missing <= 1;
        let next = if is_last { guest.read_u32(barrier.total)? } else { missing - 1 };
        guest.write(barrier.missing, &next)?;
        Ok::<_, Fault>(!is_last)
    })?;
    if must_wait {
        wait_address::sleep(barrier.missing, None);
    } else {
        wait_address::wake(barrier.missing, usize::MAX);
    }
    Ok(Bool(!must_wait))
}

/// Ends a barrier, at which nobody waits any more: there is nothing to give back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-deletesynchronizationbarrier>
#[winapi]
pub fn DeleteSynchronizationBarrier(guest: &mut Guest, lpBarrier: GuestWord) -> Bool {
    let _ = (guest, lpBarrier);
    TRUE
}
