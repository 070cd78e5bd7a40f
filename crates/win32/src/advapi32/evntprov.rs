//! evntprov.h: providers of events. Nobody traces here, so a provider is registered and never enabled: what it writes goes
//! nowhere, as on a Windows where no session wants it.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full EventRegister;
    full EventUnregister;
    full EventSetInformation;
    full EventEnabled;
    full EventProviderEnabled;
    full EventWrite;
    full EventWriteEx;
    full EventWriteString;
    full EventWriteTransfer;
    full EventActivityIdControl;
};

/// What names a provider: any number but 0.
const REGISTRATION: u64 = 1;
const SUCCESS: u32 = Win32Error::SUCCESS.0;
const INVALID_PARAMETER: u32 = Win32Error::INVALID_PARAMETER.0;
const GUID_SIZE: usize = 16;

fn check(registration: u64) -> u32 {
    if registration == REGISTRATION { SUCCESS } else { Win32Error::INVALID_HANDLE.0 }
}

/// Registers a provider; the callback would hear of a session that enables it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/evntprov/nf-evntprov-eventregister>
#[winapi]
pub fn EventRegister(
    guest: &mut Guest,
    ProviderId: GuestWord,
    EnableCallback: GuestWord,
    CallbackContext: GuestWord,
    RegHandle: GuestWord,
) -> u32 {
    let _ = (EnableCallback, CallbackContext);
    if ProviderId.is_null() || guest.write(RegHandle.0, &REGISTRATION).is_err() {
        return INVALID_PARAMETER;
    }
    SUCCESS
}

/// Ends a registration.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/evntprov/nf-evntprov-eventunregister>
#[winapi]
pub fn EventUnregister(guest: &mut Guest, RegHandle: u64) -> u32 {
    let _ = guest;
    check(RegHandle)
}

/// Tells more of a provider, which only a session would ask for.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/evntprov/nf-evntprov-eventsetinformation>
#[winapi]
pub fn EventSetInformation(
    guest: &mut Guest,
    RegHandle: u64,
    InformationClass: u32,
    EventInformation: GuestWord,
    InformationLength: u32,
) -> u32 {
    let _ = (guest, InformationClass, EventInformation, InformationLength);
    check(RegHandle)
}

answers! {
    "Says whether a session wants an event.", "evntprov/nf-evntprov-eventenabled";
    EventEnabled(RegHandle: u64, EventDescriptor: GuestWord) -> Bool = FALSE;
    "Says whether a session wants events of a level and kind.", "evntprov/nf-evntprov-eventproviderenabled";
    EventProviderEnabled(RegHandle: u64, Level: u8, Keyword: u64) -> Bool = FALSE;
}

/// Writes an event to the sessions that want it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/evntprov/nf-evntprov-eventwrite>
#[winapi]
pub fn EventWrite(
    guest: &mut Guest,
    RegHandle: u64,
    EventDescriptor: GuestWord,
    UserDataCount: u32,
    UserData: GuestWord,
) -> u32 {
    let _ = (guest, EventDescriptor, UserDataCount, UserData);
    check(RegHandle)
}

/// Writes an event with activities to the sessions that want it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/evntprov/nf-evntprov-eventwriteex>
#[winapi]
pub fn EventWriteEx(
    guest: &mut Guest,
    RegHandle: u64,
    EventDescriptor: GuestWord,
    Filter: u64,
    Flags: u32,
    ActivityId: GuestWord,
    RelatedActivityId: GuestWord,
    UserDataCount: u32,
    UserData: GuestWord,
) -> u32 {
    let _ = (guest, EventDescriptor, Filter, Flags, ActivityId, RelatedActivityId, UserDataCount, UserData);
    check(RegHandle)
}

/// Writes a text to the sessions that want it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/evntprov/nf-evntprov-eventwritestring>
#[winapi]
pub fn EventWriteString(
    guest: &mut Guest,
    RegHandle: u64,
    Level: u8,
    Keyword: u64,
    String: GuestWord,
) -> u32 {
    let _ = (guest, Level, Keyword, String);
    check(RegHandle)
}

/// Writes an event that goes on from another activity to the sessions that want it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/evntprov/nf-evntprov-eventwritetransfer>
#[winapi]
pub fn EventWriteTransfer(
    guest: &mut Guest,
    RegHandle: u64,
    EventDescriptor: GuestWord,
    ActivityId: GuestWord,
    RelatedActivityId: GuestWord,
    UserDataCount: u32,
    UserData: GuestWord,
) -> u32 {
    let _ = (guest, EventDescriptor, ActivityId, RelatedActivityId, UserDataCount, UserData);
    check(RegHandle)
}

/// Makes an identifier of an activity; the thread's own is none while nobody traces, and is not kept.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/evntprov/nf-evntprov-eventactivityidcontrol>
#[winapi]
pub fn EventActivityIdControl(guest: &mut Guest, ControlCode: u32, ActivityId: GuestWord) -> u32 {
    const GET: u32 = 1;
    const SET: u32 = 2;
    const CREATE: u32 = 3;
    const GET_SET: u32 = 4;
    const CREATE_SET: u32 = 5;
    let mut id = [0; GUID_SIZE];
    match ControlCode {
        SET => return SUCCESS,
        GET | GET_SET => {}
        CREATE | CREATE_SET => {
            if plat_host::random::fill(&mut id).is_err() {
                return Win32Error::NOT_ENOUGH_MEMORY.0;
            }
        }
        _ => return INVALID_PARAMETER,
    }
    if guest.write_bytes(ActivityId.0, &id).is_err() { INVALID_PARAMETER } else { SUCCESS }
}
