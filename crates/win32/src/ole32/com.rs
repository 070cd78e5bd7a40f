//! combaseapi.h: the Component Object Model as a process without registered classes sees it.

use plat_abi::{GuestWord, Memory, winapi};

use super::classes;
use crate::answers::answers;
use crate::com::unknown::{IUnknown_QueryInterface, IUnknown_Release};
use crate::com::{ComError, Guid, fail, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::oleaut32::variant::{RELEASE, call_method, call_method_with};
use crate::windowscodecs::factory;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CoInitialize, "there are no apartments: nothing is marshalled";
    partial CoInitializeEx, "there are no apartments: nothing is marshalled";
    full CoUninitialize;
    partial OleInitialize, "there are no apartments: nothing is marshalled";
    full OleUninitialize;
    partial CoInitializeSecurity, "accepted: there is nobody to call from another process";
    partial CoCreateInstance, "classes are those of the builtin DLLs, the imaging factory, and those of the program";
    partial CoGetClassObject, "the classes that the program registered";
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
    let class: Guid = guest.read(rclsid.get())?;
    let Some(registration) = CLASSES.iter().find(|row| row.class == class) else {
        return match classes::find(&class) {
            Some(object) => make_registered(guest, object, [pUnkOuter, riid, ppv]),
            None => fail(result::CLASS_NOT_REGISTERED),
        };
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

/// Fails where a method did.
fn succeeded(code: i32) -> Result<(), ComError> {
    if code < 0 { fail(code as u32) } else { Ok(()) }
}

/// Has the factory of a class of the program's make an object.
fn make_registered(
    guest: &mut Guest,
    object: u64,
    [outer, interface, into]: [GuestWord; 3],
) -> Result<(), ComError> {
    /// `IID_IClassFactory`, and the index of `CreateInstance`.
    const FACTORY: [u8; 16] = [1, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    const CREATE_INSTANCE: u64 = 3;
    const ROOM: u64 = 32;
    let Some(room) = guest.process().heaps.allocate(0, ROOM, true) else {
        return fail(result::OUT_OF_MEMORY);
    };
    guest.write_bytes(room, &FACTORY)?;
    let asked = classes::ask(guest, object, room, room + 16)?;
    let factory = guest.read_word(room + 16)?;
    guest.process().heaps.free(0, room);
    succeeded(asked)?;
    let call = [factory, outer.get(), interface.get(), into.get()];
    let made = call_method_with(guest, CREATE_INSTANCE, &call)? as i32;
    call_method(guest, factory, RELEASE)?;
    succeeded(made)
}

/// Finds the factory of a class that the program registered.
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
    let _ = (dwClsContext, pvReserved);
    if ppv.is_null() {
        return fail(result::BAD_POINTER);
    }
    guest.write(ppv.get(), &GuestWord::NULL)?;
    let class: Guid = guest.read(rclsid.get())?;
    let Some(object) = classes::find(&class) else { return fail(result::CLASS_NOT_REGISTERED) };
    succeeded(classes::ask(guest, object, riid.get(), ppv.get())?)
}
