//! combaseapi.h: the Component Object Model as a process without registered classes sees it.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CoInitialize, "there are no apartments: nothing is marshalled";
    partial CoInitializeEx, "there are no apartments: nothing is marshalled";
    full CoUninitialize;
    partial OleInitialize, "there are no apartments: nothing is marshalled";
    full OleUninitialize;
    partial CoInitializeSecurity, "accepted: there is nobody to call from another process";
    partial CoCreateInstance, "no class is registered";
    stub CreateStreamOnHGlobal;
};

/// `S_OK`.
const OK: i32 = 0;
/// `REGDB_E_CLASSNOTREG`.
const CLASS_NOT_REGISTERED: i32 = 0x8004_0154_u32 as i32;
/// `E_POINTER`.
const BAD_POINTER: i32 = 0x8000_4003_u32 as i32;

/// Makes the thread ready for COM.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objbase/nf-objbase-coinitialize>
#[winapi]
pub fn CoInitialize(guest: &mut Guest, pvReserved: GuestWord) -> i32 {
    let _ = (guest, pvReserved);
    OK
}

/// Makes the thread ready for COM.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-coinitializeex>
#[winapi]
pub fn CoInitializeEx(guest: &mut Guest, pvReserved: GuestWord, dwCoInit: u32) -> i32 {
    let _ = (guest, pvReserved, dwCoInit);
    OK
}

/// Ends the thread's use of COM.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-couninitialize>
#[winapi]
pub fn CoUninitialize(guest: &mut Guest) {
    let _ = guest;
}

/// Makes the thread ready for OLE.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ole2/nf-ole2-oleinitialize>
#[winapi]
pub fn OleInitialize(guest: &mut Guest, pvReserved: GuestWord) -> i32 {
    let _ = (guest, pvReserved);
    OK
}

/// Ends the thread's use of OLE.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ole2/nf-ole2-oleuninitialize>
#[winapi]
pub fn OleUninitialize(guest: &mut Guest) {
    let _ = guest;
}

/// Sets who may call this process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-coinitializesecurity>
#[winapi]
pub fn CoInitializeSecurity(
    guest: &mut Guest,
    pSecDesc: GuestWord,
    cAuthSvc: i32,
    asAuthSvc: GuestWord,
    pReserved1: GuestWord,
    dwAuthnLevel: u32,
    dwImpLevel: u32,
    pAuthList: GuestWord,
    dwCapabilities: u32,
    pReserved3: GuestWord,
) -> i32 {
    let _ = (guest, pSecDesc, cAuthSvc, asAuthSvc, pReserved1, dwAuthnLevel, dwImpLevel, pAuthList);
    let _ = (dwCapabilities, pReserved3);
    OK
}

/// Makes an object of a class: no class is registered.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cocreateinstance>
#[winapi]
pub fn CoCreateInstance(
    guest: &mut Guest,
    rclsid: GuestWord,
    pUnkOuter: GuestWord,
    dwClsContext: u32,
    riid: GuestWord,
    ppv: GuestWord,
) -> Result<i32, Fault> {
    let _ = (rclsid, pUnkOuter, dwClsContext, riid);
    if ppv.is_null() {
        return Ok(BAD_POINTER);
    }
    guest.write(ppv.get(), &GuestWord::NULL)?;
    Ok(CLASS_NOT_REGISTERED)
}
