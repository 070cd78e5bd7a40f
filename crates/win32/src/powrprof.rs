//! powrprof.dll: power management. The machine never sleeps in the program's eyes.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "powrprof.dll", description: "Power Profile Helper DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PowerRegisterSuspendResumeNotification, "the machine's sleep is not told";
    full PowerUnregisterSuspendResumeNotification;
};

/// The size of what a registration's handle points to; nothing is kept there.
const REGISTRATION_SIZE: u64 = 16;

/// Asks to be told when the machine goes to sleep and wakes up; returns 0 or an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/powerbase/nf-powerbase-powerregistersuspendresumenotification>
#[winapi]
pub fn PowerRegisterSuspendResumeNotification(
    guest: &mut Guest,
    Flags: u32,
    Recipient: GuestWord,
    RegistrationHandle: GuestWord,
) -> u32 {
    let _ = Flags;
    if Recipient.is_null() {
        return Win32Error::INVALID_PARAMETER.0;
    }
    let Some(block) = guest.process().heaps.allocate(0, REGISTRATION_SIZE, true) else {
        return Win32Error::NOT_ENOUGH_MEMORY.0;
    };
    match guest.write_word(RegistrationHandle.0, block) {
        Ok(()) => 0,
        Err(_) => Win32Error::NOACCESS.0,
    }
}

/// Takes a registration back; returns 0 or an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/powerbase/nf-powerbase-powerunregistersuspendresumenotification>
#[winapi]
pub fn PowerUnregisterSuspendResumeNotification(guest: &mut Guest, RegistrationHandle: GuestWord) -> u32 {
    if guest.process().heaps.free(0, RegistrationHandle.0) { 0 } else { Win32Error::INVALID_HANDLE.0 }
}
