//! wincrypt.h: certificates, as blocks that programs read, and their properties.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::{give, private_key};
use crate::Win32Error;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::certificate::{Algorithm, Encoded, identifiers};
use crate::logic::crypto::hash::HashAlgorithm;
use crate::logic::crypto::layout::{Item, Laid};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CertCreateCertificateContext;
    full CertDuplicateCertificateContext;
    full CertFreeCertificateContext;
    partial CertGetCertificateContextProperty, "hashes, keys, and what a program set";
    full CertSetCertificateContextProperty;
    full CertEnumCertificateContextProperties;
    full CertGetEnhancedKeyUsage;
    full CertGetValidUsages;
    full CertFindExtension;
    full CertVerifyTimeValidity;
};

/// `CRYPT_E_NOT_FOUND`.
pub(crate) const NOT_FOUND: Win32Error = Win32Error(0x8009_2004);
/// `CRYPT_E_ASN1_BADTAG`, the answer to bytes that are no certificate.
pub(crate) const MALFORMED: Win32Error = Win32Error(0x8009_310b);
/// `X509_ASN_ENCODING`.
pub(crate) const X509: u32 = 1;
/// `szOID_ENHANCED_KEY_USAGE`.
const USES: &str = "2.5.29.37";

/// Takes a certificate apart.
pub(crate) fn encoded(bytes: Vec<u8>) -> Result<Arc<Encoded>, Win32Error> {
    Encoded::new(bytes).map_err(|_| MALFORMED)
}

/// A certificate that a program holds.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) encoded: Arc<Encoded>,
    /// Where it stands in its store.
    pub(crate) place: usize,
    references: Mutex<u32>,
}

/// `CRYPTOAPI_BLOB`.
#[derive(GuestStruct, Default)]
pub(super) struct Blob {
    pub(super) size: u32,
    pub(super) data: GuestWord,
}

/// `CRYPT_BIT_BLOB`.
#[derive(GuestStruct, Default)]
pub(super) struct BitBlob {
    pub(super) size: u32,
    pub(super) data: GuestWord,
    pub(super) unused: u32,
}

/// `CRYPT_ALGORITHM_IDENTIFIER`.
#[derive(GuestStruct, Default)]
pub(super) struct AlgorithmIdentifier {
    pub(super) identifier: GuestWord,
    pub(super) parameters: Blob,
}

/// `CERT_EXTENSION`.
#[derive(GuestStruct, Default)]
pub(super) struct CertExtension {
    pub(super) identifier: GuestWord,
    pub(super) is_critical: u32,
    pub(super) value: Blob,
}

/// `CERT_INFO`.
#[derive(GuestStruct, Default)]
pub(super) struct CertInfo {
    pub(super) version: u32,
    pub(super) serial: Blob,
    pub(super) signature: AlgorithmIdentifier,
    pub(super) issuer: Blob,
    pub(super) not_before: [u32; 2],
    pub(super) not_after: [u32; 2],
    pub(super) subject: Blob,
    pub(super) key_algorithm: AlgorithmIdentifier,
    pub(super) key: BitBlob,
    pub(super) issuer_identifier: BitBlob,
    pub(super) subject_identifier: BitBlob,
    pub(super) extension_count: u32,
    pub(super) extensions: GuestWord,
}

/// `CERT_CONTEXT`.
#[derive(GuestStruct, Default)]
struct CertContext {
    encoding: u32,
    bytes: GuestWord,
    size: u32,
    info: GuestWord,
    store: GuestWord,
}

/// A block that is filled from its start.
struct Block<'a> {
    guest: &'a Guest,
    next: u64,
    /// Where the certificate's bytes lie in it.
    bytes: u64,
}

impl Block<'_> {
    fn place(&mut self, bytes: &[u8]) -> Result<GuestWord, Win32Error> {
        let at = self.next;
        self.guest.write_bytes(at, bytes)?;
        self.next = (at + bytes.len() as u64).next_multiple_of(8);
        Ok(GuestWord(at))
    }

    fn text(&mut self, text: &str) -> Result<GuestWord, Win32Error> {
        self.place(&[text.as_bytes(), &[0]].concat())
    }

    fn blob(&self, range: &Range<usize>) -> Blob {
        Blob { size: range.len() as u32, data: GuestWord(self.bytes + range.start as u64) }
    }

    fn algorithm(&mut self, algorithm: &Algorithm) -> Result<AlgorithmIdentifier, Win32Error> {
        Ok(AlgorithmIdentifier { identifier: self.text(&algorithm.0)?, parameters: self.blob(&algorithm.1) })
    }
}

/// Splits a time as `FILETIME` has it.
fn file_time(time: u64) -> [u32; 2] {
    [time as u32, (time >> 32) as u32]
}

/// Gives a certificate to a program: a new block of which it holds one reference.
pub(crate) fn give_context(
    guest: &Guest,
    encoded: Arc<Encoded>,
    store: GuestWord,
    place: usize,
) -> Result<GuestWord, Win32Error> {
    let parts = &encoded.parts;
    let machine = guest.machine();
    let extension_bytes = CertExtension::size(machine) * parts.extensions.len() as u64;
    let texts: usize = parts.extensions.iter().map(|extension| extension.identifier.len() + 8).sum();
    let fixed = CertContext::size(machine) + CertInfo::size(machine) + extension_bytes + 64;
    let size = fixed
        + (texts + encoded.bytes.len() + parts.serial.len() + 256) as u64
        + (parts.signature.0.len() + parts.key_algorithm.0.len()) as u64;
    let base = guest.process().heaps.allocate(0, size, true).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    let info_at = (base + CertContext::size(machine)).next_multiple_of(8);
    let extensions_at = (info_at + CertInfo::size(machine)).next_multiple_of(8);
    let mut block = Block { guest, next: (extensions_at + extension_bytes).next_multiple_of(8), bytes: 0 };
    block.bytes = block.place(&encoded.bytes)?.get();
    for (at, extension) in
        (extensions_at..).step_by(CertExtension::size(machine) as usize).zip(&parts.extensions)
    {
        let identifier = block.text(&extension.identifier)?;
        let value = block.blob(&extension.value);
        guest
            .write(at, &CertExtension { identifier, is_critical: u32::from(extension.is_critical), value })?;
    }
    // Windows keeps numbers with their least byte first.
    let serial: Vec<u8> = encoded.bytes[parts.serial.clone()].iter().rev().copied().collect();
    let info = CertInfo {
        version: parts.version,
        serial: Blob { size: serial.len() as u32, data: block.place(&serial)? },
        signature: block.algorithm(&parts.signature)?,
        issuer: block.blob(&parts.issuer),
        not_before: file_time(parts.not_before),
        not_after: file_time(parts.not_after),
        subject: block.blob(&parts.subject),
        key_algorithm: block.algorithm(&parts.key_algorithm)?,
        key: BitBlob {
            size: parts.key.len() as u32,
            data: GuestWord(block.bytes + parts.key.start as u64),
            unused: u32::from(parts.key_unused_bits),
        },
        extension_count: parts.extensions.len() as u32,
        extensions: GuestWord(if parts.extensions.is_empty() { 0 } else { extensions_at }),
        ..CertInfo::default()
    };
    guest.write(info_at, &info)?;
    let context = CertContext {
        encoding: X509,
        bytes: GuestWord(block.bytes),
        size: encoded.bytes.len() as u32,
        info: GuestWord(info_at),
        store,
    };
    guest.write(base, &context)?;
    let held = Context { encoded, place, references: Mutex::new(1) };
    guest.process().cryptography.add_at(base, held);
    Ok(GuestWord(base))
}

/// Returns the certificate of a program's pointer.
pub(crate) fn context(guest: &Guest, pointer: GuestWord) -> Result<Arc<Context>, Win32Error> {
    guest.process().cryptography.get(pointer.get()).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Makes a certificate of bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcreatecertificatecontext>
#[winapi]
pub fn CertCreateCertificateContext(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pbCertEncoded: GuestWord,
    cbCertEncoded: u32,
) -> Result<GuestWord, Win32Error> {
    if dwCertEncodingType & 0xffff != X509 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let bytes = guest.read_vec(pbCertEncoded.get(), u64::from(cbCertEncoded))?;
    give_context(guest, encoded(bytes)?, GuestWord(0), 0)
}

/// Holds a certificate once more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certduplicatecertificatecontext>
#[winapi]
pub fn CertDuplicateCertificateContext(guest: &mut Guest, pCertContext: GuestWord) -> GuestWord {
    if let Ok(context) = context(guest, pCertContext) {
        *lock(&context.references) += 1;
    }
    pCertContext
}

/// Gives up one hold of a certificate.
pub(crate) fn release(guest: &Guest, pointer: GuestWord) {
    let Ok(context) = context(guest, pointer) else { return };
    let left = {
        let mut references = lock(&context.references);
        *references = references.saturating_sub(1);
        *references
    };
    if left == 0 && guest.process().cryptography.remove::<Context>(pointer.get()).is_some() {
        guest.process().heaps.free(0, pointer.get());
    }
}

/// Gives a certificate up; null is nothing to do.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfreecertificatecontext>
#[winapi]
pub fn CertFreeCertificateContext(guest: &mut Guest, pCertContext: GuestWord) -> Bool {
    release(guest, pCertContext);
    TRUE
}

/// Returns a property: one that a program set, or one that follows from the bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetcertificatecontextproperty>
#[winapi]
pub fn CertGetCertificateContextProperty(
    guest: &mut Guest,
    pCertContext: GuestWord,
    dwPropId: u32,
    pvData: GuestWord,
    pcbData: GuestWord,
) -> Result<Bool, Win32Error> {
    const SHA1_HASH: u32 = 3;
    const MD5_HASH: u32 = 4;
    const SHA256_HASH: u32 = 107;
    let context = context(guest, pCertContext)?;
    let bytes = &context.encoded.bytes;
    if let Some(value) = private_key::property(guest, &context.encoded, dwPropId, pvData) {
        return give(guest, &value, pvData, pcbData);
    }
    let value = context.encoded.property(dwPropId).or_else(|| match dwPropId {
        SHA1_HASH => Some(HashAlgorithm::Sha1.hash(bytes)),
        MD5_HASH => Some(HashAlgorithm::Md5.hash(bytes)),
        SHA256_HASH => Some(HashAlgorithm::Sha256.hash(bytes)),
        _ => None,
    });
    give(guest, &value.ok_or(NOT_FOUND)?, pvData, pcbData)
}

/// Sets a property, given as a blob or as what its number wants; null takes it away.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certsetcertificatecontextproperty>
#[winapi]
pub fn CertSetCertificateContextProperty(
    guest: &mut Guest,
    pCertContext: GuestWord,
    dwPropId: u32,
    dwFlags: u32,
    pvData: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    let context = context(guest, pCertContext)?;
    if pvData.is_null() {
        context.encoded.set_property(dwPropId, None);
        return Ok(TRUE);
    }
    let value = match private_key::read_property(guest, dwPropId, pvData)? {
        Some(value) => value,
        None => {
            let blob: Blob = guest.read(pvData.get())?;
            guest.read_vec(blob.data.get(), u64::from(blob.size))?
        }
    };
    context.encoded.set_property(dwPropId, Some(value));
    Ok(TRUE)
}

/// Returns the number of the property behind one of a number; 0 begins and ends.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumcertificatecontextproperties>
#[winapi]
pub fn CertEnumCertificateContextProperties(
    guest: &mut Guest,
    pCertContext: GuestWord,
    dwPropId: u32,
) -> Result<u32, Win32Error> {
    let numbers = context(guest, pCertContext)?.encoded.properties();
    Ok(numbers.into_iter().find(|&number| number > dwPropId).unwrap_or(0))
}

/// Returns what the key of a certificate may be used for. Where nothing is said the list is empty, and the last error
/// tells that all uses are allowed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetenhancedkeyusage>
#[winapi]
pub fn CertGetEnhancedKeyUsage(
    guest: &mut Guest,
    pCertContext: GuestWord,
    dwFlags: u32,
    pUsage: GuestWord,
    pcbUsage: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG`: only what a program set, which nothing here is.
    const PROPERTY_ONLY: u32 = 4;
    let context = context(guest, pCertContext)?;
    let encoded = &context.encoded;
    let extension = encoded.parts.extension(USES).filter(|_| dwFlags & PROPERTY_ONLY == 0);
    let uses = extension.map(|extension| identifiers(&encoded.bytes, extension.value.clone()));
    if pcbUsage.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let pointer = guest.machine().pointer_size();
    let list = uses.clone().unwrap_or_default();
    let texts: u64 = list.iter().map(|text| text.len() as u64 + 1).sum();
    let needed = 2 * pointer + list.len() as u64 * pointer + texts;
    let capacity = u64::from(guest.read_u32(pcbUsage.get())?);
    guest.write_bytes(pcbUsage.get(), &(needed as u32).to_le_bytes())?;
    if !pUsage.is_null() {
        if capacity < needed {
            return Err(Win32Error::MORE_DATA);
        }
        let pointers = pUsage.get() + 2 * pointer;
        let mut text_at = pointers + list.len() as u64 * pointer;
        guest.write_bytes(pUsage.get(), &(list.len() as u32).to_le_bytes())?;
        guest.write_word(pUsage.get() + pointer, if list.is_empty() { 0 } else { pointers })?;
        for (at, text) in (pointers..).step_by(pointer as usize).zip(&list) {
            guest.write_word(at, text_at)?;
            guest.write_bytes(text_at, &[text.as_bytes(), &[0]].concat())?;
            text_at += text.len() as u64 + 1;
        }
    }
    guest.set_last_error(if uses.is_some() { Win32Error(0) } else { NOT_FOUND });
    Ok(TRUE)
}

/// Returns the uses that all of some certificates allow; -1 of them where all uses are allowed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetvalidusages>
#[winapi]
pub fn CertGetValidUsages(
    guest: &mut Guest,
    cCerts: u32,
    rghCerts: GuestWord,
    cNumOIDs: GuestWord,
    rghOIDs: GuestWord,
    pcbOIDs: GuestWord,
) -> Result<Bool, Win32Error> {
    const ALL: i32 = -1;
    let pointer = guest.machine().pointer_size();
    let mut common: Option<Vec<String>> = None;
    for number in 0..u64::from(cCerts) {
        let certificate = context(guest, GuestWord(guest.read_word(rghCerts.get() + number * pointer)?))?;
        let encoded = &certificate.encoded;
        let Some(extension) = encoded.parts.extension(USES) else { continue };
        let uses = identifiers(&encoded.bytes, extension.value.clone());
        common = Some(match common {
            None => uses,
            Some(all) => all.into_iter().filter(|one| uses.contains(one)).collect(),
        });
    }
    guest.write(cNumOIDs.get(), &common.as_ref().map_or(ALL, |list| list.len() as i32))?;
    let list = common.unwrap_or_default();
    let texts = list.iter().map(|text| Item::to_text(text)).collect::<Vec<_>>();
    let machine = guest.machine();
    let laid = Laid::new(&texts, machine);
    give(guest, &laid.at(rghOIDs.get(), machine), rghOIDs, pcbOIDs)
}

/// Finds an extension by its identifier in a program's list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfindextension>
#[winapi]
pub fn CertFindExtension(
    guest: &mut Guest,
    pszObjId: GuestWord,
    cExtensions: u32,
    rgExtensions: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let wanted = guest.read_c_string(pszObjId.get())?;
    let step = CertExtension::size(guest.machine());
    for number in 0..u64::from(cExtensions) {
        let at = rgExtensions.get() + number * step;
        if guest.read_c_string(guest.read_word(at)?)? == wanted {
            return Ok(GuestWord(at));
        }
    }
    Ok(GuestWord(0))
}

/// Says whether a certificate is not valid yet (-1), valid (0) or not valid any more (1); null is now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certverifytimevalidity>
#[winapi]
pub fn CertVerifyTimeValidity(
    guest: &mut Guest,
    pTimeToVerify: GuestWord,
    pCertInfo: GuestWord,
) -> Result<i32, plat_abi::Fault> {
    let info: CertInfo = guest.read(pCertInfo.get())?;
    let whole = |[low, high]: [u32; 2]| u64::from(high) << 32 | u64::from(low);
    let time = match pTimeToVerify.is_null() {
        true => u64::try_from(crate::nt::time::now()).unwrap_or(0),
        false => whole([guest.read_u32(pTimeToVerify.get())?, guest.read_u32(pTimeToVerify.get() + 4)?]),
    };
    Ok(match time {
        time if time < whole(info.not_before) => -1,
        time if time > whole(info.not_after) => 1,
        _ => 0,
    })
}
