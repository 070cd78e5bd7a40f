//! powrprof.dll: power management. The machine never sleeps in the program's eyes.

use plat_abi::{GuestWord, Memory, winapi};

use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::power;
use crate::{NtStatus, Win32Error};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "powrprof.dll", description: "Power Profile Helper DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PowerRegisterSuspendResumeNotification, "the machine's sleep is not told";
    full PowerUnregisterSuspendResumeNotification;
    full GetPwrCapabilities;
    full IsPwrHibernateAllowed;
    full IsPwrShutdownAllowed;
    full IsPwrSuspendAllowed;
    full PowerDeterminePlatformRole;
    full PowerDeterminePlatformRoleEx;
    partial CallNtPowerInformation, "ProcessorInformation (speeds are what Linux says when asked), SystemBatteryState, SystemPowerCapabilities, times of sleep and execution state only";
};

/// `SystemPowerCapabilities`.
const SYSTEM_POWER_CAPABILITIES: u32 = 4;
/// `SystemBatteryState`.
const SYSTEM_BATTERY_STATE: u32 = 5;
/// `LastWakeTime`.
const LAST_WAKE_TIME: u32 = 14;
/// `LastSleepTime`.
const LAST_SLEEP_TIME: u32 = 15;
/// `SystemExecutionState`.
const SYSTEM_EXECUTION_STATE: u32 = 16;
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
    let supplies = plat_host::power::supplies;
    let answer = match InformationLevel {
        SYSTEM_POWER_CAPABILITIES => capabilities(!supplies().batteries.is_empty()),
        SYSTEM_BATTERY_STATE => power::state(&supplies()).battery_bytes().to_vec(),
        PROCESSOR_INFORMATION => processor_powers(),
        // Never slept, never woken.
        LAST_WAKE_TIME | LAST_SLEEP_TIME => vec![0; 8],
        // Nobody is known to want anything.
        SYSTEM_EXECUTION_STATE => vec![0; 4],
        _ => return Err(NtStatus::NOT_IMPLEMENTED),
    };
    // None of these takes an input.
    if !InputBuffer.is_null() || InputBufferLength != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if answer.len() > OutputBufferLength as usize {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    Ok(guest.write_bytes(OutputBuffer.0, &answer)?)
}

/// Says which states of power the system offers, in a byte: whether the machine has batteries counts, it never sleeps.
fn capabilities(has_batteries: bool) -> Vec<u8> {
    /// Where `SystemBatteriesPresent` lies in the 76 bytes, and `PowerButtonPresent`, which Linux does not tell.
    const BATTERIES: usize = 17;
    let mut bytes = vec![0; 76];
    bytes[BATTERIES] = u8::from(has_batteries);
    bytes
}

/// Returns which states of power the system offers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/powerbase/nf-powerbase-getpwrcapabilities>
#[winapi]
pub fn GetPwrCapabilities(guest: &mut Guest, lpspc: GuestWord) -> Result<Bool, Win32Error> {
    let has_batteries = !plat_host::power::supplies().batteries.is_empty();
    guest.write_bytes(lpspc.get(), &capabilities(has_batteries))?;
    Ok(TRUE)
}

/// Returns the role of the machine: 1 a desk's, 2 a mobile one.
fn role() -> i32 {
    if plat_host::power::supplies().batteries.is_empty() { 1 } else { 2 }
}

answers! {
    "Says that the machine cannot hibernate.", "powrprof/nf-powrprof-ispwrhibernateallowed";
    IsPwrHibernateAllowed() -> u8 = 0;
    "Says that the machine cannot be switched off by software that is asked for it.", "powrprof/nf-powrprof-ispwrshutdownallowed";
    IsPwrShutdownAllowed() -> u8 = 0;
    "Says that the machine cannot sleep.", "powrprof/nf-powrprof-ispwrsuspendallowed";
    IsPwrSuspendAllowed() -> u8 = 0;
    "Returns the role of the machine: 1 a desk's, 2 a mobile one.", "powerbase/nf-powerbase-powerdetermineplatformrole";
    PowerDeterminePlatformRole() -> i32 = role();
    "Returns the role of the machine: 1 a desk's, 2 a mobile one.", "powerbase/nf-powerbase-powerdetermineplatformroleex";
    PowerDeterminePlatformRoleEx(Version: u32) -> i32 = role();
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
