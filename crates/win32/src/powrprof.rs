//! powrprof.dll: power management. The machine never sleeps in the program's eyes.

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::{NtStatus, Win32Error};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "powrprof.dll", description: "Power Profile Helper DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PowerRegisterSuspendResumeNotification, "the machine's sleep is not told";
    full PowerUnregisterSuspendResumeNotification;
    partial CallNtPowerInformation, "ProcessorInformation only, whose speeds are what Linux says when asked";
};

/// `ProcessorInformation`.
const PROCESSOR_INFORMATION: u32 = 11;

/// Tells about the power of the processors: number, highest, present and limiting speed in MHz, idle states.
///
/// Source: <https://learn.microsoft.com/windows/win32/power/processor-power-information-str>
fn processor_powers() -> Vec<u8> {
    let speeds = plat_host::sysinfo::processor_speeds_mhz();
    let entries = speeds.into_iter().zip(0u32..).map(|(mhz, number)| [number, mhz, mhz, mhz, 0, 0]);
    entries.flatten().flat_map(u32::to_le_bytes).collect()
}

/// Asks about or sets the power of the machine; returns an `NTSTATUS`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/powerbase/nf-powerbase-callntpowerinformation>
#[winapi]
pub fn CallNtPowerInformation(
    guest: &mut Guest,
    InformationLevel: u32,
    InputBuffer: GuestWord,
    InputBufferLength: u32,
    OutputBuffer: GuestWord,
    OutputBufferLength: u32,
) -> Result<(), NtStatus> {
    let _ = (InputBuffer, InputBufferLength);
    if InformationLevel != PROCESSOR_INFORMATION {
        return Err(NtStatus::NOT_IMPLEMENTED);
    }
    let powers = processor_powers();
    if powers.len() > OutputBufferLength as usize {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    Ok(guest.write_bytes(OutputBuffer.0, &powers)?)
}

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
