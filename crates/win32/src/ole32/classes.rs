//! combaseapi.h: class objects that a process gives out to itself; identifiers as texts; what COM asks of servers.

use std::sync::{Mutex, MutexGuard};

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::alike::alike;
use crate::answers::answers;
use crate::com::{ComError, Guid, fail, result};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::guid::to_text;
use crate::nt::path::lock;
use crate::oleaut32::variant::{ADD_REF, RELEASE, call_method, call_method_with};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CoRegisterClassObject, "for this process only";
    full CoRevokeClassObject;
    partial CoResumeClassObjects, "as CoRegisterClassObject"; partial CoSuspendClassObjects, "as CoRegisterClassObject";
    full CoAddRefServerProcess; full CoReleaseServerProcess;
    full StringFromCLSID; full StringFromIID;
    full CoFreeUnusedLibraries; full CoFreeUnusedLibrariesEx;
    partial CoLockObjectExternal, "holds the object itself: nothing stands for it in other processes";
    partial CoDisconnectObject, "nobody in another process is connected";
    partial CoSetProxyBlanket, "there are no proxies: E_NOINTERFACE";
    partial CoQueryProxyBlanket, "there are no proxies: E_NOINTERFACE";
    partial CoGetApartmentType, "there are no apartments: each thread is as if in the multithreaded one";
    partial OleRun, "objects run when they are made";
};

const OK: i32 = 0;

/// A class object.
struct ClassObject {
    cookie: u32,
    class: Guid,
    object: u64,
    flags: u32,
}

/// What the process gave out, and how often it is held.
struct Server {
    classes: Vec<ClassObject>,
    next: u32,
    references: u32,
}

// One Windows process is one process.
static SERVER: Mutex<Server> = Mutex::new(Server { classes: Vec::new(), next: 1, references: 0 });

fn server() -> MutexGuard<'static, Server> {
    lock(&SERVER)
}

/// `REGCLS_SUSPENDED`.
const SUSPENDED: u32 = 4;
/// `REGCLS_SINGLEUSE` is that neither of these is set.
const MULTIPLE: u32 = 3;

/// Returns the object of a class, if the process gave one out. One for a single use is found once.
pub(super) fn find(class: &Guid) -> Option<u64> {
    let mut server = server();
    let found = server.classes.iter_mut().find(|one| one.class == *class && one.flags & SUSPENDED == 0)?;
    if found.flags & MULTIPLE == 0 {
        found.flags |= SUSPENDED;
    }
    Some(found.object)
}

/// Gives the object of a class out.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-coregisterclassobject>
#[winapi]
pub fn CoRegisterClassObject(
    guest: &mut Guest,
    rclsid: GuestWord,
    pUnk: GuestWord,
    dwClsContext: u32,
    flags: u32,
    lpdwRegister: GuestWord,
) -> Result<(), ComError> {
    let _ = dwClsContext;
    if lpdwRegister.is_null() || pUnk.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let class: Guid = guest.read(rclsid.get())?;
    call_method(guest, pUnk.get(), ADD_REF)?;
    let cookie = {
        let mut server = server();
        let cookie = server.next;
        server.next += 1;
        server.classes.push(ClassObject { cookie, class, object: pUnk.get(), flags });
        cookie
    };
    Ok(guest.write(lpdwRegister.get(), &cookie)?)
}

/// Takes the object of a class back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-corevokeclassobject>
#[winapi]
pub fn CoRevokeClassObject(guest: &mut Guest, dwRegister: u32) -> Result<(), ComError> {
    let removed = {
        let mut server = server();
        let place = server.classes.iter().position(|one| one.cookie == dwRegister);
        place.map(|place| server.classes.remove(place).object)
    };
    let object = removed.ok_or(ComError::Result(result::INVALID_ARGUMENT))?;
    Ok(call_method(guest, object, RELEASE)?)
}

/// Shows or hides all class objects.
fn set_suspended(is_suspended: bool) -> i32 {
    for one in &mut server().classes {
        one.flags = if is_suspended { one.flags | SUSPENDED } else { one.flags & !SUSPENDED };
    }
    OK
}

/// Shows the class objects that were given out hidden.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-coresumeclassobjects>
#[winapi]
pub fn CoResumeClassObjects(guest: &mut Guest) -> i32 {
    let _ = guest;
    set_suspended(false)
}

/// Hides all class objects.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cosuspendclassobjects>
#[winapi]
pub fn CoSuspendClassObjects(guest: &mut Guest) -> i32 {
    let _ = guest;
    set_suspended(true)
}

/// Counts one more use of the process as a server.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-coaddrefserverprocess>
#[winapi]
pub fn CoAddRefServerProcess(guest: &mut Guest) -> u32 {
    let _ = guest;
    let mut server = server();
    server.references += 1;
    server.references
}

/// Counts one use of the process as a server less; with the last, class objects are hidden.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-coreleaseserverprocess>
#[winapi]
pub fn CoReleaseServerProcess(guest: &mut Guest) -> u32 {
    let _ = guest;
    let left = {
        let mut server = server();
        server.references = server.references.saturating_sub(1);
        server.references
    };
    if left == 0 {
        set_suspended(true);
    }
    left
}

/// Returns an identifier as text in new memory.
fn give_text(guest: &Guest, identifier: GuestWord, into: GuestWord) -> Result<(), ComError> {
    if into.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let text: Vec<u16> = to_text(&guest.read(identifier.get())?).encode_utf16().chain([0]).collect();
    let block = guest.process().heaps.allocate(0, 2 * text.len() as u64, false);
    let block = block.ok_or(ComError::Result(result::OUT_OF_MEMORY))?;
    guest.write_wide(block, &text)?;
    Ok(guest.write_word(into.get(), block)?)
}

alike! {
    fn(guest; rclsid: GuestWord, lplpsz: GuestWord) -> Result<(), ComError> {
        give_text(guest, rclsid, lplpsz)
    }

    /// Returns a class's identifier as text, which the caller frees.
    "combaseapi/nf-combaseapi-stringfromclsid" StringFromCLSID;
    /// Returns an interface's identifier as text, which the caller frees.
    "combaseapi/nf-combaseapi-stringfromiid" StringFromIID;
}

answers! {
    "Frees no library: those that are loaded stay." -> () = () => {
        "combaseapi/nf-combaseapi-cofreeunusedlibraries" CoFreeUnusedLibraries();
        "combaseapi/nf-combaseapi-cofreeunusedlibrariesex" CoFreeUnusedLibrariesEx(dwUnloadDelay: u32, dwReserved: u32);
    }
    "Ends no connection: nobody in another process has one." -> i32 = OK => {
        "combaseapi/nf-combaseapi-codisconnectobject" CoDisconnectObject(pUnk: GuestWord, dwReserved: u32);
        "ole2/nf-ole2-olerun" OleRun(pUnknown: GuestWord);
    }
    "Refuses: the object is none that stands for one elsewhere." -> Result<(), ComError> = fail(result::NO_INTERFACE) => {
        "combaseapi/nf-combaseapi-cosetproxyblanket"
        CoSetProxyBlanket(
            pProxy: GuestWord, dwAuthnSvc: u32, dwAuthzSvc: u32, pServerPrincName: GuestWord, dwAuthnLevel: u32,
            dwImpLevel: u32, pAuthInfo: GuestWord, dwCapabilities: u32
        );
        "combaseapi/nf-combaseapi-coqueryproxyblanket"
        CoQueryProxyBlanket(
            pProxy: GuestWord, pwAuthnSvc: GuestWord, pAuthzSvc: GuestWord, pServerPrincName: GuestWord,
            pAuthnLevel: GuestWord, pImpLevel: GuestWord, pAuthInfo: GuestWord, pCapabilites: GuestWord
        );
    }
}

/// Holds an object, or gives it up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-colockobjectexternal>
#[winapi]
pub fn CoLockObjectExternal(
    guest: &mut Guest,
    pUnk: GuestWord,
    fLock: Bool,
    fLastUnlockReleases: Bool,
) -> Result<(), ComError> {
    let _ = fLastUnlockReleases;
    if pUnk.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    Ok(call_method(guest, pUnk.get(), if fLock.0 { ADD_REF } else { RELEASE })?)
}

/// Says in what kind of apartment the thread is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cogetapartmenttype>
#[winapi]
pub fn CoGetApartmentType(
    guest: &mut Guest,
    pAptType: GuestWord,
    pAptQualifier: GuestWord,
) -> Result<(), ComError> {
    /// `APTTYPE_MTA`.
    const MULTITHREADED: u32 = 1;
    if pAptType.is_null() || pAptQualifier.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write(pAptType.get(), &MULTITHREADED)?;
    Ok(guest.write(pAptQualifier.get(), &0_u32)?)
}

/// Asks a class's object for an interface.
pub(super) fn ask(guest: &mut Guest, object: u64, interface: u64, into: u64) -> Result<i32, Fault> {
    /// Index of `IUnknown::QueryInterface`.
    const QUERY_INTERFACE: u64 = 0;
    Ok(call_method_with(guest, QUERY_INTERFACE, &[object, interface, into])? as i32)
}
