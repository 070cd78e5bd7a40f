//! The loader's lock: the critical section that the PEB names. Who holds it may call the `DllMain` of any module, and
//! nobody else does meanwhile.
//!
//! An exception ends a `DllMain` and no more (`nt/exception/guarded.rs`). It may still leave by `longjmp` or end its thread,
//! and the host's frames below are abandoned then: the lock stays held. What a thread still holds when it ends is given up with it, where Windows would wait for ever.
//!
//! Source: <https://learn.microsoft.com/windows/win32/dlls/dynamic-link-library-best-practices>

use std::time::Duration;

use plat_abi::Memory;
use plat_win32::guest::Guest;
use plat_win32::nt::critical_section::CriticalSection;
use plat_win32::teb::{Peb, Teb};

/// How long the end of a process sleeps before it looks again whether the lock's holder still lives.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The lock, as one thread sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoaderLock {
    /// A program that broke its own PEB goes without.
    section: Option<CriticalSection>,
    thread: u32,
}

impl LoaderLock {
    /// Finds the lock of the process for the calling thread.
    pub(crate) fn of(guest: &Guest) -> Self {
        let thread = guest.teb().get(Teb::THREAD_ID).unwrap_or(0) as u32;
        Self { section: section(guest), thread }
    }

    /// Takes it, and gives it up after `body`.
    pub(crate) fn with<T>(self, body: impl FnOnce() -> T) -> T {
        let held = self.section.filter(|section| section.enter(self.thread).is_ok());
        let result = body();
        if let Some(section) = held {
            // Who broke the lock meanwhile finds out by itself.
            let _ = section.leave();
        }
        result
    }

    /// Takes it for the end of the process, unless its holder is no more: `is_alive` tells of a thread.
    pub(crate) fn enter_for_exit(self, is_alive: impl Fn(u32) -> bool) {
        let Some(section) = self.section else { return };
        while matches!(section.try_enter(self.thread), Ok(false)) {
            if section.owner().is_ok_and(|owner| owner != 0 && !is_alive(owner as u32)) {
                return;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Gives up all that the calling thread, which ends, still holds.
    pub(crate) fn abandon(self) {
        let Some(section) = self.section else { return };
        while section.owner() == Ok(u64::from(self.thread)) && section.leave().is_ok() {}
    }
}

fn section(guest: &Guest) -> Option<CriticalSection> {
    let (process, machine) = (guest.process(), guest.machine());
    let place = process.peb.get()? + Peb::LOADER_LOCK.offset(machine);
    let lock = guest.read_word(place).ok().filter(|&lock| lock != 0)?;
    Some(CriticalSection::at(machine, lock))
}
