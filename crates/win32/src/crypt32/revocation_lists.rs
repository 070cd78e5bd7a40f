//! wincrypt.h: lists of revoked certificates as blocks that programs read, and in stores.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::certificate::{AlgorithmIdentifier, Blob, CertInfo, MALFORMED, NOT_FOUND, X509, context};
use super::store::store;
use super::verify::blob_bytes;
use crate::Win32Error;
use crate::answers::answers;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::layout::{Item, Laid};
use crate::logic::crypto::revocation::RevocationList;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CertCreateCRLContext;
    full CertDuplicateCRLContext;
    full CertFreeCRLContext;
    full CertAddCRLContextToStore;
    full CertAddEncodedCRLToStore;
    partial CertDeleteCRLFromStore, "of the stores that hold the same list, all give it up";
    full CertEnumCRLsInStore;
    partial CertFindCRLInStore, "any, issued by a certificate, the same";
    full CertFindCertificateInCRL;
    full CertIsValidCRLForCertificate;
    full CertVerifyCRLRevocation;
    full CertVerifyCRLTimeValidity;
    partial CertGetCRLContextProperty, "always CRYPT_E_NOT_FOUND: lists have no properties";
    partial CertCreateCTLContext, "always CRYPT_E_ASN1_BADTAG: lists of trust are not read";
    partial CertDuplicateCTLContext, "there are none: null";
    full CertFreeCTLContext;
    partial CertEnumCTLsInStore, "stores hold no lists of trust";
    partial CertFindCTLInStore, "stores hold no lists of trust";
};

/// A list that a program holds.
struct Held {
    list: Arc<RevocationList>,
    place: usize,
    references: Mutex<u32>,
    /// Where its entries lie in the guest's memory.
    entries: u64,
}

/// `CRL_CONTEXT`; `CERT_CONTEXT` is the same.
#[derive(GuestStruct, Default)]
struct Context {
    encoding: u32,
    bytes: GuestWord,
    size: u32,
    info: GuestWord,
    store: GuestWord,
}

/// `CRL_INFO` up to its entries.
#[derive(GuestStruct, Default)]
struct Info {
    version: u32,
    signature: AlgorithmIdentifier,
    issuer: Blob,
    made: [u32; 2],
    next: [u32; 2],
    count: u32,
    entries: GuestWord,
}

/// Gives a list to a program: a new block of which it holds one reference.
fn give(
    guest: &Guest,
    list: Arc<RevocationList>,
    store: GuestWord,
    place: usize,
) -> Result<GuestWord, Win32Error> {
    let machine = guest.machine();
    let items = [
        Item::Number(X509),
        Item::to_bytes(&list.bytes),
        Item::Number(list.bytes.len() as u32),
        Item::Pointer(Some(list.items())),
        Item::Pointer(None),
    ];
    let laid = Laid::new(&items, machine);
    let base = guest.process().heaps.allocate(0, laid.len() as u64, true);
    let base = base.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write_bytes(base, &laid.at(base, machine))?;
    let head: Context = guest.read(base)?;
    guest.write(base, &Context { store, ..head })?;
    let head: Context = guest.read(base)?;
    let info: Info = guest.read(head.info.get())?;
    let held = Held { list, place, references: Mutex::new(1), entries: info.entries.get() };
    guest.process().cryptography.add_at(base, held);
    Ok(GuestWord(base))
}

fn held(guest: &Guest, pointer: GuestWord) -> Result<Arc<Held>, Win32Error> {
    guest.process().cryptography.get(pointer.get()).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Reads a list that is given as bytes.
fn parse(guest: &Guest, encoding: u32, at: GuestWord, size: u32) -> Result<Arc<RevocationList>, Win32Error> {
    if encoding & 0xffff != X509 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let bytes = guest.read_vec(at.get(), u64::from(size))?;
    RevocationList::parse(&bytes).map(Arc::new).map_err(|_| MALFORMED)
}

/// Makes a list of bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcreatecrlcontext>
#[winapi]
pub fn CertCreateCRLContext(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pbCrlEncoded: GuestWord,
    cbCrlEncoded: u32,
) -> Result<GuestWord, Win32Error> {
    let list = parse(guest, dwCertEncodingType, pbCrlEncoded, cbCrlEncoded)?;
    give(guest, list, GuestWord::NULL, 0)
}

/// Holds a list once more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certduplicatecrlcontext>
#[winapi]
pub fn CertDuplicateCRLContext(guest: &mut Guest, pCrlContext: GuestWord) -> GuestWord {
    if let Ok(held) = held(guest, pCrlContext) {
        *lock(&held.references) += 1;
    }
    pCrlContext
}

/// Gives up one hold of a list.
fn release(guest: &Guest, pointer: GuestWord) {
    let Ok(held) = held(guest, pointer) else { return };
    let left = {
        let mut references = lock(&held.references);
        *references = references.saturating_sub(1);
        *references
    };
    if left == 0 && guest.process().cryptography.remove::<Held>(pointer.get()).is_some() {
        guest.process().heaps.free(0, pointer.get());
    }
}

/// Gives a list up; null is nothing to do.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfreecrlcontext>
#[winapi]
pub fn CertFreeCRLContext(guest: &mut Guest, pCrlContext: GuestWord) -> Bool {
    release(guest, pCrlContext);
    TRUE
}

/// Adds a list to a store; a newer one of the same issuer replaces an older one where that is asked for.
fn add(
    guest: &Guest,
    handle: GuestWord,
    list: Arc<RevocationList>,
    disposition: u32,
    into: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `CRYPT_E_EXISTS`.
    const EXISTS: Win32Error = Win32Error(0x8009_2005);
    const NEW: u32 = 1;
    const REPLACE: [u32; 2] = [3, 5];
    const ALWAYS: u32 = 4;
    const NEWER: [u32; 2] = [6, 7];
    if !(1..=7).contains(&disposition) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let mut place = 0;
    if !handle.is_null() {
        let store = store(guest, handle)?;
        let mut lists = lock(&store.lists);
        let issuer = |list: &RevocationList| list.bytes[list.issuer.clone()].to_vec();
        let same = lists.iter().position(|other| issuer(other) == issuer(&list));
        place = same.unwrap_or(lists.len());
        match same {
            Some(_) if disposition == NEW => return Err(EXISTS),
            Some(at) if NEWER.contains(&disposition) && lists[at].made >= list.made => return Err(EXISTS),
            Some(at) if REPLACE.contains(&disposition) || NEWER.contains(&disposition) => {
                lists[at] = Arc::clone(&list);
            }
            Some(_) if disposition != ALWAYS => {}
            _ => {
                place = lists.len();
                lists.push(Arc::clone(&list));
            }
        }
    }
    if !into.is_null() {
        guest.write_word(into.get(), give(guest, list, handle, place)?.get())?;
    }
    Ok(TRUE)
}

/// Adds a list that a program holds to a store.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certaddcrlcontexttostore>
#[winapi]
pub fn CertAddCRLContextToStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    pCrlContext: GuestWord,
    dwAddDisposition: u32,
    ppStoreContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let list = Arc::clone(&held(guest, pCrlContext)?.list);
    add(guest, hCertStore, list, dwAddDisposition, ppStoreContext)
}

/// Adds a list, given as bytes, to a store.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certaddencodedcrltostore>
#[winapi]
pub fn CertAddEncodedCRLToStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    dwCertEncodingType: u32,
    pbCrlEncoded: GuestWord,
    cbCrlEncoded: u32,
    dwAddDisposition: u32,
    ppCrlContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let list = parse(guest, dwCertEncodingType, pbCrlEncoded, cbCrlEncoded)?;
    add(guest, hCertStore, list, dwAddDisposition, ppCrlContext)
}

/// Takes a list out of its store, and gives it up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certdeletecrlfromstore>
#[winapi]
pub fn CertDeleteCRLFromStore(guest: &mut Guest, pCrlContext: GuestWord) -> Result<Bool, Win32Error> {
    let list = Arc::clone(&held(guest, pCrlContext)?.list);
    let head: Context = guest.read(pCrlContext.get())?;
    release(guest, pCrlContext);
    lock(&store(guest, head.store)?.lists).retain(|other| *other != list);
    Ok(TRUE)
}

/// Gives the next list after one that is given up, which `wanted` accepts.
fn next(
    guest: &Guest,
    handle: GuestWord,
    previous: GuestWord,
    wanted: impl Fn(&RevocationList) -> bool,
) -> Result<GuestWord, Win32Error> {
    let store = store(guest, handle)?;
    let start = if previous.is_null() { 0 } else { held(guest, previous)?.place + 1 };
    release(guest, previous);
    let lists = lock(&store.lists).clone();
    let found = lists.into_iter().enumerate().skip(start).find(|(_, list)| wanted(list));
    let (place, list) = found.ok_or(NOT_FOUND)?;
    give(guest, list, handle, place)
}

/// Lists the lists of a store, one after the other.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumcrlsinstore>
#[winapi]
pub fn CertEnumCRLsInStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    pPrevCrlContext: GuestWord,
) -> Result<GuestWord, Win32Error> {
    next(guest, hCertStore, pPrevCrlContext, |_| true)
}

/// Finds the next list that fits.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfindcrlinstore>
#[winapi]
pub fn CertFindCRLInStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    dwCertEncodingType: u32,
    dwFindFlags: u32,
    dwFindType: u32,
    pvFindPara: GuestWord,
    pPrevCrlContext: GuestWord,
) -> Result<GuestWord, Win32Error> {
    const ANY: u32 = 0;
    const ISSUED_BY: u32 = 1;
    const EXISTING: u32 = 2;
    let _ = (dwCertEncodingType, dwFindFlags);
    match dwFindType {
        ISSUED_BY if !pvFindPara.is_null() => {
            let issuer = context(guest, pvFindPara)?;
            let issuer = issuer.encoded.subject();
            next(guest, hCertStore, pPrevCrlContext, |list| list.bytes[list.issuer.clone()] == *issuer)
        }
        ANY | ISSUED_BY => next(guest, hCertStore, pPrevCrlContext, |_| true),
        EXISTING => {
            let wanted = Arc::clone(&held(guest, pvFindPara)?.list);
            next(guest, hCertStore, pPrevCrlContext, |list| {
                list.bytes[list.issuer.clone()] == wanted.bytes[wanted.issuer.clone()]
            })
        }
        _ => Err(Win32Error::NOT_SUPPORTED),
    }
}

/// Finds a certificate among the revoked ones; stores null where it is not.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfindcertificateincrl>
#[winapi]
pub fn CertFindCertificateInCRL(
    guest: &mut Guest,
    pCert: GuestWord,
    pCrlContext: GuestWord,
    dwFlags: u32,
    pvReserved: GuestWord,
    ppCrlEntry: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (dwFlags, pvReserved);
    let certificate = context(guest, pCert)?;
    let held = held(guest, pCrlContext)?;
    let serial = &certificate.encoded.bytes[certificate.encoded.parts.serial.clone()];
    // CRL_ENTRY: a blob, a time, a number, a pointer.
    let step = if guest.machine().is_64() { 0x28 } else { 0x18 };
    let entry = held.list.find(serial).map_or(0, |place| held.entries + place as u64 * step);
    guest.write_word(ppCrlEntry.get(), entry)?;
    Ok(TRUE)
}

/// Says whether a list is one that may name a certificate: it is from the certificate's issuer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certisvalidcrlforcertificate>
#[winapi]
pub fn CertIsValidCRLForCertificate(
    guest: &mut Guest,
    pCert: GuestWord,
    pCrl: GuestWord,
    dwFlags: u32,
    pvReserved: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (dwFlags, pvReserved);
    if pCert.is_null() {
        return Ok(TRUE);
    }
    let (certificate, held) = (context(guest, pCert)?, held(guest, pCrl)?);
    match certificate.encoded.issuer() == &held.list.bytes[held.list.issuer.clone()] {
        true => Ok(TRUE),
        false => Err(Win32Error(0x8009_2016)),
    }
}

/// Says whether lists do not name a certificate.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certverifycrlrevocation>
#[winapi]
pub fn CertVerifyCRLRevocation(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pCertId: GuestWord,
    cCrlInfo: u32,
    rgpCrlInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwCertEncodingType;
    let certificate: CertInfo = guest.read(pCertId.get())?;
    let serial = blob_bytes(guest, &certificate.serial)?;
    let machine = guest.machine();
    let step = if machine.is_64() { 0x28 } else { 0x18 };
    for number in 0..u64::from(cCrlInfo) {
        let info: Info = guest.read(guest.read_word(rgpCrlInfo.get() + number * machine.pointer_size())?)?;
        for entry in 0..u64::from(info.count) {
            if blob_bytes(guest, &guest.read(info.entries.get() + entry * step)?)? == serial {
                return Ok(crate::guest::FALSE);
            }
        }
    }
    Ok(TRUE)
}

/// Says whether a list is not made yet (-1), the newest (0) or has a later one (1); null is now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certverifycrltimevalidity>
#[winapi]
pub fn CertVerifyCRLTimeValidity(
    guest: &mut Guest,
    pTimeToVerify: GuestWord,
    pCrlInfo: GuestWord,
) -> Result<i32, plat_abi::Fault> {
    let info: Info = guest.read(pCrlInfo.get())?;
    let whole = |[low, high]: [u32; 2]| u64::from(high) << 32 | u64::from(low);
    let time = match pTimeToVerify.is_null() {
        true => u64::try_from(crate::nt::time::now()).unwrap_or(0),
        false => whole([guest.read_u32(pTimeToVerify.get())?, guest.read_u32(pTimeToVerify.get() + 4)?]),
    };
    Ok(match time {
        time if time < whole(info.made) => -1,
        time if whole(info.next) != 0 && time > whole(info.next) => 1,
        _ => 0,
    })
}

answers! {
    "Returns a property of a list: there are none.", "wincrypt/nf-wincrypt-certgetcrlcontextproperty";
    CertGetCRLContextProperty(
        pCrlContext: GuestWord, dwPropId: u32, pvData: GuestWord, pcbData: GuestWord
    ) -> Result<Bool, Win32Error> = Err(NOT_FOUND);
    "Makes a list of trust of bytes: none are read.", "wincrypt/nf-wincrypt-certcreatectlcontext";
    CertCreateCTLContext(
        dwMsgAndCertEncodingType: u32, pbCtlEncoded: GuestWord, cbCtlEncoded: u32
    ) -> Result<GuestWord, Win32Error> = Err(MALFORMED);
    "Holds a list of trust once more: there are none.", "wincrypt/nf-wincrypt-certduplicatectlcontext";
    CertDuplicateCTLContext(pCtlContext: GuestWord) -> GuestWord = GuestWord::NULL;
    "Gives a list of trust up; there are none, and null is nothing to do.", "wincrypt/nf-wincrypt-certfreectlcontext";
    CertFreeCTLContext(pCtlContext: GuestWord) -> Bool = TRUE;
    "Lists the lists of trust of a store: there are none.", "wincrypt/nf-wincrypt-certenumctlsinstore";
    CertEnumCTLsInStore(
        hCertStore: GuestWord, pPrevCtlContext: GuestWord
    ) -> Result<GuestWord, Win32Error> = Err(NOT_FOUND);
    "Looks for a list of trust in a store: there are none.", "wincrypt/nf-wincrypt-certfindctlinstore";
    CertFindCTLInStore(
        hCertStore: GuestWord, dwMsgAndCertEncodingType: u32, dwFindFlags: u32, dwFindType: u32,
        pvFindPara: GuestWord, pPrevCtlContext: GuestWord
    ) -> Result<GuestWord, Win32Error> = Err(NOT_FOUND);
}
