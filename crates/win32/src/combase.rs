//! combase.dll: what ole32 has, under the name where today's programs look for it, and what the Windows Runtime stands on:
//! its strings. No class of the Windows Runtime itself is there.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;

pub mod errors;
pub mod parameterized;
pub mod strings;

const EXPORTS: &[Export] = dll! {
    forward CoTaskMemAlloc => "ole32.CoTaskMemAlloc";
    forward CoTaskMemRealloc => "ole32.CoTaskMemRealloc";
    forward CoTaskMemFree => "ole32.CoTaskMemFree";
    forward CoInitializeEx => "ole32.CoInitializeEx";
    forward CoUninitialize => "ole32.CoUninitialize";
    forward CoInitializeSecurity => "ole32.CoInitializeSecurity";
    forward CoCreateInstance => "ole32.CoCreateInstance";
    forward CoCreateGuid => "ole32.CoCreateGuid";
    forward StringFromGUID2 => "ole32.StringFromGUID2";
    forward CLSIDFromString => "ole32.CLSIDFromString";
    forward IIDFromString => "ole32.IIDFromString";
    partial RoInitialize, "there are no apartments: nothing is marshalled";
    full RoUninitialize;
    partial RoGetActivationFactory, "there are no classes of the Windows Runtime";
    partial RoActivateInstance, "there are no classes of the Windows Runtime";
};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "combase.dll",
    description: "Microsoft COM for Windows",
    tables: &[EXPORTS, errors::EXPORTS, parameterized::EXPORTS, strings::EXPORTS],
    methods: &[parameterized::ROWS],
};

/// `S_OK`.
const OK: i32 = 0;
/// `REGDB_E_CLASSNOTREG`.
const CLASS_NOT_REGISTERED: i32 = 0x8004_0154_u32 as i32;
/// `E_POINTER`.
const POINTER: i32 = 0x8000_4003_u32 as i32;
/// `E_OUTOFMEMORY`.
const OUT_OF_MEMORY: i32 = 0x8007_000e_u32 as i32;
/// `E_INVALIDARG`.
const INVALID_ARGUMENT: i32 = 0x8007_0057_u32 as i32;

/// Makes the thread ready for the Windows Runtime.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roapi/nf-roapi-roinitialize>
#[winapi]
pub fn RoInitialize(guest: &mut Guest, initType: u32) -> i32 {
    let _ = guest;
    if initType > 1 { INVALID_ARGUMENT } else { OK }
}

/// Ends the thread's use of the Windows Runtime.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roapi/nf-roapi-rouninitialize>
#[winapi]
pub fn RoUninitialize(guest: &mut Guest) {
    let _ = guest;
}

/// Stores that there is no such class.
fn no_class(guest: &Guest, result: GuestWord) -> Result<i32, Fault> {
    if result.is_null() {
        return Ok(POINTER);
    }
    guest.write_word(result.0, 0).map(|()| CLASS_NOT_REGISTERED)
}

/// Returns a class' factory: here no class is registered.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roapi/nf-roapi-rogetactivationfactory>
#[winapi]
pub fn RoGetActivationFactory(
    guest: &mut Guest,
    activatableClassId: GuestWord,
    iid: GuestWord,
    factory: GuestWord,
) -> Result<i32, Fault> {
    let _ = (activatableClassId, iid);
    no_class(guest, factory)
}

/// Makes an object of a class: here no class is registered.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roapi/nf-roapi-roactivateinstance>
#[winapi]
pub fn RoActivateInstance(
    guest: &mut Guest,
    activatableClassId: GuestWord,
    instance: GuestWord,
) -> Result<i32, Fault> {
    let _ = activatableClassId;
    no_class(guest, instance)
}
