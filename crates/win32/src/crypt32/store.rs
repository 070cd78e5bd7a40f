//! wincrypt.h: stores of certificates.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::certificate::{Blob, CertInfo, NOT_FOUND, X509, context, encoded, give_context, release};
use super::name::simple_text;
use super::private_key::has_key;
use crate::Win32Error;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::certificate::{Encoded, from_texts};
use crate::logic::crypto::hash::HashAlgorithm;
use crate::logic::crypto::revocation::RevocationList;
use crate::nt::nls;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CertOpenStore, "in memory, collections and the system's stores: ROOT has the certificates that the Linux system trusts, the others are empty, changes last as long as the store is open";
    partial CertOpenSystemStoreA, "ROOT has the certificates that the Linux system trusts, the others are empty";
    partial CertOpenSystemStoreW, "ROOT has the certificates that the Linux system trusts, the others are empty";
    full CertDuplicateStore;
    full CertCloseStore;
    full CertEnumCertificatesInStore;
    partial CertFindCertificateInStore, "any, by hash, name, text in a name, issuer and serial number, the same";
    full CertAddCertificateContextToStore;
    full CertAddEncodedCertificateToStore;
    full CertDeleteCertificateFromStore;
    full CertAddStoreToCollection;
    full CertAddCertificateLinkToStore;
    partial CertControlStore, "nothing to write or to read again; changes are not told";
    stub CertOpenServerOcspResponse;
};

/// A store: its own certificates, or those of others.
#[derive(Debug)]
enum Content {
    Own(Mutex<Vec<Arc<Encoded>>>),
    Others(Mutex<Vec<Arc<Store>>>),
}

/// A store's handle leads here.
#[derive(Debug)]
pub(crate) struct Store {
    content: Content,
    /// Lists of revoked certificates; those of a collection's stores are not looked for.
    pub(super) lists: Mutex<Vec<Arc<RevocationList>>>,
    references: Mutex<u32>,
}

impl Store {
    fn new(content: Content) -> Self {
        Self { content, lists: Mutex::default(), references: Mutex::new(1) }
    }

    fn of(certificates: Vec<Arc<Encoded>>) -> Self {
        Self::new(Content::Own(Mutex::new(certificates)))
    }

    /// Returns all certificates in their order.
    pub(super) fn all(&self) -> Vec<Arc<Encoded>> {
        match &self.content {
            Content::Own(list) => lock(list).clone(),
            Content::Others(stores) => {
                // Not while the list is locked: a collection may be in itself.
                let stores = lock(stores).clone();
                stores
                    .iter()
                    .filter(|store| !matches!(store.content, Content::Others(_)))
                    .flat_map(|store| store.all())
                    .collect()
            }
        }
    }

    /// Returns the list to which certificates are added: a collection's is that of its first store.
    fn with_own<R>(&self, change: impl FnOnce(&mut Vec<Arc<Encoded>>) -> R) -> Result<R, Win32Error> {
        match &self.content {
            Content::Own(list) => Ok(change(&mut lock(list))),
            Content::Others(stores) => {
                let first = lock(stores).first().cloned().ok_or(Win32Error::ACCESS_DENIED)?;
                match &first.content {
                    Content::Own(list) => Ok(change(&mut lock(list))),
                    Content::Others(_) => Err(Win32Error::ACCESS_DENIED),
                }
            }
        }
    }
}

pub(super) fn store(guest: &Guest, handle: GuestWord) -> Result<Arc<Store>, Win32Error> {
    let found: Option<Arc<Arc<Store>>> = guest.process().cryptography.get(handle.get());
    found.map(|store| Arc::clone(&*store)).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Opens a store of the system.
fn system_store(guest: &Guest, name: &[u16]) -> GuestWord {
    let name = String::from_utf16_lossy(name);
    let certificates = match name.eq_ignore_ascii_case("ROOT") {
        true => trusted(guest),
        false => Vec::new(),
    };
    give_certificates(guest, certificates)
}

/// Returns the certificates that the Linux system trusts, which are read once.
pub(crate) fn trusted(guest: &Guest) -> Vec<Arc<Encoded>> {
    let read = || {
        let text = plat_host::user_secret::trusted_certificates();
        let certificates = text.map_or(Vec::new(), |text| from_texts(&text));
        certificates.into_iter().filter_map(|bytes| Encoded::new(bytes).ok()).collect()
    };
    guest.process().trusted_certificates.get_or_init(read).clone()
}

fn give_store(guest: &Guest, store: Store) -> GuestWord {
    GuestWord(guest.process().cryptography.add(Arc::new(store)))
}

/// Gives out a new store of certificates.
pub(super) fn give_certificates(guest: &Guest, certificates: Vec<Arc<Encoded>>) -> GuestWord {
    give_store(guest, Store::of(certificates))
}

/// Opens a store of a kind.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certopenstore>
#[winapi]
pub fn CertOpenStore(
    guest: &mut Guest,
    lpszStoreProvider: GuestWord,
    dwEncodingType: u32,
    hCryptProv: GuestWord,
    dwFlags: u32,
    pvPara: GuestWord,
) -> Result<GuestWord, Win32Error> {
    /// `CERT_STORE_DELETE_FLAG`.
    const DELETE: u32 = 0x10;
    let _ = (dwEncodingType, hCryptProv);
    if dwFlags & DELETE != 0 {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    let kind = match lpszStoreProvider.get() {
        number @ 0..=0xffff => number,
        address => match guest.read_c_string(address)?.to_ascii_lowercase().as_slice() {
            b"memory" => 2,
            b"system" => 10,
            b"collection" => 11,
            _ => return Err(Win32Error::FILE_NOT_FOUND),
        },
    };
    match kind {
        2 => Ok(give_store(guest, Store::of(Vec::new()))),
        9 | 12 => Ok(system_store(guest, &nls::read_ansi(guest, pvPara.get())?)),
        10 | 13 => Ok(system_store(guest, &guest.read_wide_string(pvPara.get())?)),
        11 => Ok(give_store(guest, Store::new(Content::Others(Mutex::default())))),
        _ => Err(Win32Error::FILE_NOT_FOUND),
    }
}

both_widths! {
    /// Opens a store of the system.
    "wincrypt/nf-wincrypt-certopensystemstore"
    CertOpenSystemStoreA, CertOpenSystemStoreW(
        guest, width, hProv: GuestWord, szSubsystemProtocol: GuestWord,
    ) -> Result<GuestWord, Win32Error> {
        let _ = hProv;
        if szSubsystemProtocol.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        Ok(system_store(guest, &width.read(guest, szSubsystemProtocol)?))
    }
}

/// Holds a store once more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certduplicatestore>
#[winapi]
pub fn CertDuplicateStore(guest: &mut Guest, hCertStore: GuestWord) -> GuestWord {
    if let Ok(store) = store(guest, hCertStore) {
        *lock(&store.references) += 1;
    }
    hCertStore
}

/// Closes a store; its certificates that a program holds stay.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certclosestore>
#[winapi]
pub fn CertCloseStore(guest: &mut Guest, hCertStore: GuestWord, dwFlags: u32) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    if hCertStore.is_null() {
        return Ok(TRUE);
    }
    let store = store(guest, hCertStore)?;
    let left = {
        let mut references = lock(&store.references);
        *references = references.saturating_sub(1);
        *references
    };
    if left == 0 {
        guest.process().cryptography.remove::<Arc<Store>>(hCertStore.get());
    }
    Ok(TRUE)
}

/// Gives the next certificate after one that is given up, which `wanted` accepts.
fn next(
    guest: &Guest,
    handle: GuestWord,
    previous: GuestWord,
    wanted: impl Fn(&Encoded) -> bool,
) -> Result<GuestWord, Win32Error> {
    let store = store(guest, handle)?;
    let start = if previous.is_null() { 0 } else { context(guest, previous)?.place + 1 };
    release(guest, previous);
    let all = store.all();
    let found = all.into_iter().enumerate().skip(start).find(|(_, encoded)| wanted(encoded));
    let (place, encoded) = found.ok_or(NOT_FOUND)?;
    give_context(guest, encoded, handle, place)
}

/// Lists the certificates of a store, one after the other.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumcertificatesinstore>
#[winapi]
pub fn CertEnumCertificatesInStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    pPrevCertContext: GuestWord,
) -> Result<GuestWord, Win32Error> {
    next(guest, hCertStore, pPrevCertContext, |_| true)
}

/// Reads the bytes of a blob.
fn blob_bytes(guest: &Guest, blob: &Blob) -> Result<Vec<u8>, Win32Error> {
    Ok(guest.read_vec(blob.data.get(), u64::from(blob.size))?)
}

/// Says whether a certificate is one that is looked for.
type Criterion = Box<dyn Fn(&Encoded) -> bool>;

/// Reads what is looked for in certificates, by number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfindcertificateinstore>
fn criterion(guest: &Guest, kind: u32, parameter: GuestWord) -> Result<Criterion, Win32Error> {
    let blob = || -> Result<Vec<u8>, Win32Error> { blob_bytes(guest, &guest.read(parameter.get())?) };
    let text = |is_wide: bool| -> Result<String, Win32Error> {
        let units = match is_wide {
            true => guest.read_wide_string(parameter.get())?,
            false => nls::read_ansi(guest, parameter.get())?,
        };
        Ok(String::from_utf16_lossy(&units).to_lowercase())
    };
    Ok(match kind {
        0 => Box::new(|_| true),
        0x1_0000 | 0x4_0000 => {
            let wanted = blob()?;
            let algorithm = if kind == 0x1_0000 { HashAlgorithm::Sha1 } else { HashAlgorithm::Md5 };
            Box::new(move |encoded| algorithm.hash(&encoded.bytes) == wanted)
        }
        0x2_0007 | 0x2_0004 => {
            let wanted = blob()?;
            Box::new(move |encoded| {
                let parts = &encoded.parts;
                let name = if kind == 0x2_0007 { &parts.subject } else { &parts.issuer };
                encoded.bytes[name.clone()] == wanted[..]
            })
        }
        0x7_0007 | 0x8_0007 | 0x7_0004 | 0x8_0004 => {
            let wanted = text(kind & 0x8_0000 != 0)?;
            Box::new(move |encoded| {
                let parts = &encoded.parts;
                let name = if kind & 0xf == 7 { &parts.subject } else { &parts.issuer };
                simple_text(&encoded.bytes, name.clone()).to_lowercase().contains(&wanted)
            })
        }
        // The same issuer and serial number, given as CERT_INFO.
        0xb_0000 => {
            let info: CertInfo = guest.read(parameter.get())?;
            let (issuer, mut serial) = (blob_bytes(guest, &info.issuer)?, blob_bytes(guest, &info.serial)?);
            serial.reverse();
            Box::new(move |encoded| {
                let parts = &encoded.parts;
                encoded.bytes[parts.issuer.clone()] == issuer[..]
                    && encoded.bytes[parts.serial.clone()] == serial[..]
            })
        }
        // Whose subject is the issuer of a certificate.
        0xc_0000 => {
            let other = context(guest, parameter)?;
            let issuer = other.encoded.bytes[other.encoded.parts.issuer.clone()].to_vec();
            Box::new(move |encoded| encoded.bytes[encoded.parts.subject.clone()] == issuer[..])
        }
        0xd_0000 => {
            let other = context(guest, parameter)?;
            Box::new(move |encoded| encoded.bytes == other.encoded.bytes)
        }
        // With a private key.
        0x15_0000 => Box::new(has_key),
        _ => return Err(Win32Error::NOT_SUPPORTED),
    })
}

/// Finds the next certificate that fits.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfindcertificateinstore>
#[winapi]
pub fn CertFindCertificateInStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    dwCertEncodingType: u32,
    dwFindFlags: u32,
    dwFindType: u32,
    pvFindPara: GuestWord,
    pPrevCertContext: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let _ = (dwCertEncodingType, dwFindFlags);
    let wanted = criterion(guest, dwFindType, pvFindPara)?;
    next(guest, hCertStore, pPrevCertContext, wanted)
}

/// Adds a certificate to a store; gives it back if it is asked for.
fn add(
    guest: &Guest,
    handle: GuestWord,
    encoded: Arc<Encoded>,
    disposition: u32,
    into: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `CRYPT_E_EXISTS`.
    const EXISTS: Win32Error = Win32Error(0x8009_2005);
    const NEW: u32 = 1;
    const ALWAYS: u32 = 4;
    if !(1..=7).contains(&disposition) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let place = match handle.is_null() {
        // No store: the certificate only becomes a context.
        true => 0,
        false => store(guest, handle)?.with_own(|list| {
            let same = list.iter().position(|other| other.bytes == encoded.bytes);
            match same {
                Some(_) if disposition == NEW => Err(EXISTS),
                Some(place) if disposition != ALWAYS => Ok(place),
                _ => {
                    list.push(Arc::clone(&encoded));
                    Ok(list.len() - 1)
                }
            }
        })??,
    };
    if !into.is_null() {
        let pointer = give_context(guest, encoded, handle, place)?;
        guest.write_word(into.get(), pointer.get())?;
    }
    Ok(TRUE)
}

/// Adds a certificate that a program holds to a store.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certaddcertificatecontexttostore>
#[winapi]
pub fn CertAddCertificateContextToStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    pCertContext: GuestWord,
    dwAddDisposition: u32,
    ppStoreContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let context = context(guest, pCertContext)?;
    add(guest, hCertStore, context.encoded.copy(), dwAddDisposition, ppStoreContext)
}

/// Adds a certificate that stands in another store too: both have its properties.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certaddcertificatelinktostore>
#[winapi]
pub fn CertAddCertificateLinkToStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    pCertContext: GuestWord,
    dwAddDisposition: u32,
    ppStoreContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let context = context(guest, pCertContext)?;
    add(guest, hCertStore, Arc::clone(&context.encoded), dwAddDisposition, ppStoreContext)
}

/// Writes a store's changes, reads it again, or tells of changes: a store lives in memory, where nothing else changes it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcontrolstore>
#[winapi]
pub fn CertControlStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    dwFlags: u32,
    dwCtrlType: u32,
    pvCtrlPara: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (dwFlags, pvCtrlPara);
    store(guest, hCertStore)?;
    match dwCtrlType {
        // Resync, notify of a change, commit, auto resync, cancel a notice.
        1..=5 => Ok(TRUE),
        _ => Err(Win32Error::NOT_SUPPORTED),
    }
}

/// Adds a certificate, given as bytes, to a store.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certaddencodedcertificatetostore>
#[winapi]
pub fn CertAddEncodedCertificateToStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    dwCertEncodingType: u32,
    pbCertEncoded: GuestWord,
    cbCertEncoded: u32,
    dwAddDisposition: u32,
    ppCertContext: GuestWord,
) -> Result<Bool, Win32Error> {
    if dwCertEncodingType & 0xffff != X509 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let bytes = guest.read_vec(pbCertEncoded.get(), u64::from(cbCertEncoded))?;
    add(guest, hCertStore, encoded(bytes)?, dwAddDisposition, ppCertContext)
}

/// Takes a certificate out of its store, and gives it up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certdeletecertificatefromstore>
#[winapi]
pub fn CertDeleteCertificateFromStore(
    guest: &mut Guest,
    pCertContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let context = context(guest, pCertContext)?;
    // The last word of CERT_CONTEXT.
    let at = pCertContext.get() + if guest.machine().is_64() { 32 } else { 16 };
    let handle = GuestWord(guest.read_word(at)?);
    release(guest, pCertContext);
    store(guest, handle)?.with_own(|list| list.retain(|other| other.bytes != context.encoded.bytes))?;
    Ok(TRUE)
}

/// Adds a store to a collection.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certaddstoretocollection>
#[winapi]
pub fn CertAddStoreToCollection(
    guest: &mut Guest,
    hCollectionStore: GuestWord,
    hSiblingStore: GuestWord,
    dwUpdateFlags: u32,
    dwPriority: u32,
) -> Result<Bool, Win32Error> {
    let _ = (dwUpdateFlags, dwPriority);
    let (collection, sibling) = (store(guest, hCollectionStore)?, store(guest, hSiblingStore)?);
    match &collection.content {
        Content::Others(stores) => {
            lock(stores).push(sibling);
            Ok(TRUE)
        }
        Content::Own(_) => Err(Win32Error::INVALID_PARAMETER),
    }
}
