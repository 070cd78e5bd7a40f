//! What runtimes ask COM about the thread they are on: contexts, spies, waits. There is one apartment, without context.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, OrMinusOne};
use crate::kernel32::synchapi::WaitForMultipleObjectsEx;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CoGetContextToken, "there are no contexts: as on a thread that has not called CoInitialize";
    partial CoGetObjectContext, "there are no contexts: as on a thread that has not called CoInitialize";
    partial CoRegisterInitializeSpy, "spies are not told of anything";
    partial CoRevokeInitializeSpy, "spies are not told of anything";
    partial CoWaitForMultipleHandles, "no calls come in during the wait";
    partial CLSIDFromProgID, "no program identifier is registered";
};

/// `S_OK`.
const OK: i32 = 0;
/// `E_INVALIDARG`.
const INVALID_ARGUMENT: i32 = 0x8007_0057_u32 as i32;
/// `E_POINTER`.
const POINTER: i32 = 0x8000_4003_u32 as i32;
/// `CO_E_NOTINITIALIZED`.
const NOT_INITIALIZED: i32 = 0x8004_01f0_u32 as i32;
/// `CO_E_CLASSSTRING`.
const NO_SUCH_CLASS_TEXT: i32 = 0x8004_01f3_u32 as i32;
/// `RPC_S_CALLPENDING`.
const CALL_PENDING: i32 = 0x8001_0115_u32 as i32;
/// `COWAIT_WAITALL`.
const WAIT_ALL: u32 = 1;
/// `COWAIT_ALERTABLE`.
const ALERTABLE: u32 = 2;
/// `WAIT_TIMEOUT`.
const TIMED_OUT: u32 = 0x102;
/// `WAIT_FAILED`.
const FAILED: u32 = 0xffff_ffff;

/// Returns what tells the current context from others.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cogetcontexttoken>
#[winapi]
pub fn CoGetContextToken(guest: &mut Guest, pToken: GuestWord) -> i32 {
    let _ = guest;
    if pToken.is_null() { POINTER } else { NOT_INITIALIZED }
}

/// Returns the current context.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cogetobjectcontext>
#[winapi]
pub fn CoGetObjectContext(guest: &mut Guest, riid: GuestWord, ppv: GuestWord) -> Result<i32, Fault> {
    let _ = riid;
    if ppv.is_null() {
        return Ok(POINTER);
    }
    guest.write_word(ppv.0, 0).map(|()| NOT_INITIALIZED)
}

/// Has an object told when the thread begins and ends with COM.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-coregisterinitializespy>
#[winapi]
pub fn CoRegisterInitializeSpy(
    guest: &mut Guest,
    pSpy: GuestWord,
    puliCookie: GuestWord,
) -> Result<i32, Fault> {
    if pSpy.is_null() || puliCookie.is_null() {
        return Ok(INVALID_ARGUMENT);
    }
    guest.write(puliCookie.0, &pSpy.0).map(|()| OK)
}

/// Takes such an object back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-corevokeinitializespy>
#[winapi]
pub fn CoRevokeInitializeSpy(guest: &mut Guest, uliCookie: u64) -> i32 {
    let _ = guest;
    if uliCookie == 0 { INVALID_ARGUMENT } else { OK }
}

/// Waits for handles as an apartment does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cowaitformultiplehandles>
#[winapi]
pub fn CoWaitForMultipleHandles(
    guest: &mut Guest,
    dwFlags: u32,
    dwTimeout: u32,
    cHandles: u32,
    pHandles: GuestWord,
    lpdwindex: GuestWord,
) -> Result<i32, Fault> {
    if pHandles.is_null() || lpdwindex.is_null() || cHandles == 0 {
        return Ok(INVALID_ARGUMENT);
    }
    guest.write(lpdwindex.0, &0_u32)?;
    let (all, alertable) = (Bool(dwFlags & WAIT_ALL != 0), Bool(dwFlags & ALERTABLE != 0));
    let outcome = WaitForMultipleObjectsEx(guest, cHandles, pHandles, all, dwTimeout, alertable);
    match outcome {
        Err(error) => Ok((0x8007_0000 | error.0 & 0xffff) as i32),
        Ok(OrMinusOne(FAILED)) => Ok(INVALID_ARGUMENT),
        Ok(OrMinusOne(TIMED_OUT)) => Ok(CALL_PENDING),
        Ok(OrMinusOne(which)) => guest.write(lpdwindex.0, &which).map(|()| OK),
    }
}

/// Returns the class that goes by a program identifier.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-clsidfromprogid>
#[winapi]
pub fn CLSIDFromProgID(guest: &mut Guest, lpszProgID: GuestWord, lpclsid: GuestWord) -> Result<i32, Fault> {
    if lpszProgID.is_null() || lpclsid.is_null() {
        return Ok(INVALID_ARGUMENT);
    }
    guest.write(lpclsid.0, &[0_u8; 16]).map(|()| NO_SUCH_CLASS_TEXT)
}
