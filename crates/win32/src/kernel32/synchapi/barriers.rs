//! synchapi.h: barriers. Threads wait for each other until the last one has come.
//!
//! A barrier is two words: how many threads it is for, and how many are yet to come. The words change while nobody can
//! queue for the barrier or wake those who do, and a thread that is woken does not look at them again: the barrier may be
//! gone by then.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::wait_address;

/// Offset in bytes of the number of threads that are yet to come.
const MISSING: u64 = 0;
/// Offset in bytes of the number of threads.
const THREADS: u64 = 4;

/// Makes a barrier for a number of threads; threads sleep at once, however long they are to spin.
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
    guest.write(lpBarrier.get() + MISSING, &lTotalThreads)?;
    guest.write(lpBarrier.get() + THREADS, &lTotalThreads)?;
    Ok(TRUE)
}

/// Waits until all threads have come; returns `TRUE` to the last one alone.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-entersynchronizationbarrier>
#[winapi]
pub fn EnterSynchronizationBarrier(
    guest: &mut Guest,
    lpBarrier: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Fault> {
    // How to wait, and whether somebody may delete the barrier at once: it is all the same here.
    let _ = dwFlags;
    let barrier = lpBarrier.get();
    let must_wait = wait_address::enqueue_if(barrier, || {
        let missing = guest.read_u32(barrier + MISSING)?;
        let is_last = missing <= 1;
        let next = if is_last { guest.read_u32(barrier + THREADS)? } else { missing - 1 };
        guest.write(barrier + MISSING, &next)?;
        Ok::<_, Fault>(!is_last)
    })?;
    if must_wait {
        wait_address::sleep(barrier, None);
    } else {
        wait_address::wake(barrier, usize::MAX);
    }
    Ok(Bool(!must_wait))
}

/// Gives up a barrier, which holds nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-deletesynchronizationbarrier>
#[winapi]
pub fn DeleteSynchronizationBarrier(guest: &mut Guest, lpBarrier: GuestWord) -> Bool {
    let _ = (guest, lpBarrier);
    TRUE
}
