//! combaseapi.h: the Component Object Model as a process without registered classes sees it.

use plat_abi::{GuestWord, Memory, winapi};

use crate::answers::answers;
use crate::com::unknown::{IUnknown_QueryInterface, IUnknown_Release};
use crate::com::{ComError, Guid, fail, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::windowscodecs::factory;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CoInitialize, "there are no apartments: nothing is marshalled";
    partial CoInitializeEx, "there are no apartments: nothing is marshalled";
    full CoUninitialize;
    partial OleInitialize, "there are no apartments: nothing is marshalled";
    full OleUninitialize;
    partial CoInitializeSecurity, "accepted: there is nobody to call from another process";
    partial CoCreateInstance, "classes are those of the builtin DLLs: the imaging factory";
    partial CoGetClassObject, "no class gives its factory out";
};

/// `S_OK`.
const OK: i32 = 0;

answers! {
    "Makes the thread ready for COM.", "objbase/nf-objbase-coinitialize";
    CoInitialize(pvReserved: GuestWord) -> i32 = OK;
    "Makes the thread ready for COM.", "combaseapi/nf-combaseapi-coinitializeex";
    CoInitializeEx(pvReserved: GuestWord, dwCoInit: u32) -> i32 = OK;
    "Ends the thread's use of COM.", "combaseapi/nf-combaseapi-couninitialize";
    CoUninitialize() -> () = ();
    "Makes the thread ready for OLE.", "ole2/nf-ole2-oleinitialize";
    OleInitialize(pvReserved: GuestWord) -> i32 = OK;
    "Ends the thread's use of OLE.", "ole2/nf-ole2-oleuninitialize";
    OleUninitialize() -> () = ();
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

/// A class that `CoCreateInstance` makes objects of.
struct Registration {
    class: Guid,
    /// The DLL with its methods.
    dll: &'static str,
    /// Makes an object and writes its address.
    make: fn(&mut Guest, GuestWord) -> Result<(), ComError>,
}

/// All such classes.
const CLASSES: &[Registration] =
    &[imaging(factory::CLSID_WIC_IMAGING_FACTORY), imaging(factory::CLSID_WIC_IMAGING_FACTORY2)];

/// Describes a class of imaging factories.
const fn imaging(class: Guid) -> Registration {
    Registration { class, dll: "windowscodecs.dll", make: factory::make_factory }
}

/// Makes an object of a class.
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
) -> Result<(), ComError> {
    let _ = dwClsContext;
    if ppv.is_null() {
        return fail(result::BAD_POINTER);
    }
    guest.write(ppv.get(), &GuestWord::NULL)?;
    let mut class = Guid::default();
    guest.read_bytes(rclsid.get(), &mut class)?;
    let Some(registration) = CLASSES.iter().find(|row| row.class == class) else {
        return fail(result::CLASS_NOT_REGISTERED);
    };
    if !pUnkOuter.is_null() {
        return fail(result::NO_AGGREGATION);
    }
    let name: Vec<u16> = registration.dll.encode_utf16().collect();
    let loader = guest.process().loader();
    loader.load(guest, &name, 0).or(fail(result::CLASS_NOT_REGISTERED))?;
    (registration.make)(guest, ppv)?;
    let object = GuestWord(guest.read_word(ppv.get())?);
    let answer = IUnknown_QueryInterface(guest, object, riid, ppv);
    IUnknown_Release(guest, object);
    answer
}

/// Finds a class's factory: the classes here have none to give out.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cogetclassobject>
#[winapi]
pub fn CoGetClassObject(
    guest: &mut Guest,
    rclsid: GuestWord,
    dwClsContext: u32,
    pvReserved: GuestWord,
    riid: GuestWord,
    ppv: GuestWord,
) -> Result<(), ComError> {
    let _ = (rclsid, dwClsContext, pvReserved, riid);
    if ppv.is_null() {
        return fail(result::BAD_POINTER);
    }
    guest.write(ppv.get(), &GuestWord::NULL)?;
    fail(result::CLASS_NOT_REGISTERED)
}
