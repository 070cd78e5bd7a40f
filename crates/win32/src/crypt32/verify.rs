//! wincrypt.h: signatures of certificates, comparisons of their parts, their keys.

use std::sync::Arc;

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use super::certificate::{
    AlgorithmIdentifier, BitBlob, Blob, CertExtension, CertInfo, NOT_FOUND, context, give_context, release,
};
use super::give;
use super::store::store;
use crate::Win32Error;
use crate::advapi32::crypt_key::{self, CapiKey, Secret};
use crate::bcrypt::{algorithm::Algorithm, key as cng};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::logic::crypto::chain::match_issuer;
use crate::logic::crypto::hash::HashAlgorithm;
use crate::logic::crypto::signed::{PublicKey, Signed, verify};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CryptVerifyCertificateSignature;
    partial CryptVerifyCertificateSignatureEx, "subjects: blobs and certificates; issuers: keys, certificates, the subject itself";
    full CertGetIssuerCertificateFromStore;
    full CertVerifySubjectCertificateContext;
    full CertCompareCertificate;
    full CertCompareCertificateName;
    full CertCompareIntegerBlob;
    full CertComparePublicKeyInfo;
    full CertGetIntendedKeyUsage;
    full CertGetPublicKeyLength;
    full CertVerifyValidityNesting;
    full CryptHashCertificate;
    full CryptHashCertificate2;
    full CryptHashPublicKeyInfo;
    partial CryptImportPublicKeyInfo, "keys of RSA only";
    partial CryptImportPublicKeyInfoEx, "keys of RSA only";
    partial CryptImportPublicKeyInfoEx2, "RSA, and the curves P-256, P-384 and P-521";
};

/// `NTE_BAD_SIGNATURE`.
const BAD_SIGNATURE: Win32Error = Win32Error(0x8009_0006);
/// `CRYPT_E_SELF_SIGNED`.
const SELF_SIGNED: Win32Error = Win32Error(0x8009_2007);
/// `NTE_BAD_ALGID`.
const BAD_ALGORITHM: Win32Error = Win32Error(0x8009_0008);

/// `CERT_PUBLIC_KEY_INFO`.
#[derive(GuestStruct, Default)]
pub(super) struct PublicKeyInfo {
    pub(super) algorithm: AlgorithmIdentifier,
    pub(super) key: BitBlob,
}

/// Reads the bytes of a blob.
pub(super) fn blob_bytes(guest: &Guest, blob: &Blob) -> Result<Vec<u8>, Fault> {
    guest.read_vec(blob.data.get(), u64::from(blob.size))
}

/// Reads a key that a program gives as a structure: the identifier, the parameters, the bits.
fn key_parts(guest: &Guest, info: GuestWord) -> Result<(String, Vec<u8>, Vec<u8>), Fault> {
    let info: PublicKeyInfo = guest.read(info.get())?;
    let identifier = guest.read_c_string(info.algorithm.identifier.get())?;
    let parameters = blob_bytes(guest, &info.algorithm.parameters)?;
    let key = guest.read_vec(info.key.data.get(), u64::from(info.key.size))?;
    Ok((String::from_utf8_lossy(&identifier).into_owned(), parameters, key))
}

/// Reads a key that a program gives as a structure.
pub(super) fn public_key(guest: &Guest, info: GuestWord) -> Result<PublicKey, Win32Error> {
    let (identifier, parameters, key) = key_parts(guest, info)?;
    PublicKey::read(&identifier, &parameters, &key).map_err(|_| BAD_ALGORITHM)
}

fn check_signature(bytes: &[u8], key: &PublicKey) -> Result<Bool, Win32Error> {
    let signed = Signed::parse(bytes).map_err(|_| super::certificate::MALFORMED)?;
    signed.verify(bytes, key).map(|()| TRUE).map_err(|_| BAD_SIGNATURE)
}

/// Checks the signature of a certificate, a list of revocations or a request, given as bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptverifycertificatesignature>
#[winapi]
pub fn CryptVerifyCertificateSignature(
    guest: &mut Guest,
    hCryptProv: GuestWord,
    dwCertEncodingType: u32,
    pbEncoded: GuestWord,
    cbEncoded: u32,
    pPublicKey: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (hCryptProv, dwCertEncodingType);
    let bytes = guest.read_vec(pbEncoded.get(), u64::from(cbEncoded))?;
    check_signature(&bytes, &public_key(guest, pPublicKey)?)
}

/// Checks the signature of a subject of several kinds with the key of an issuer of several kinds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptverifycertificatesignatureex>
#[winapi]
pub fn CryptVerifyCertificateSignatureEx(
    guest: &mut Guest,
    hCryptProv: GuestWord,
    dwCertEncodingType: u32,
    dwSubjectType: u32,
    pvSubject: GuestWord,
    dwIssuerType: u32,
    pvIssuer: GuestWord,
    dwFlags: u32,
    pvExtra: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (hCryptProv, dwCertEncodingType, dwFlags, pvExtra);
    let bytes = match dwSubjectType {
        1 => blob_bytes(guest, &guest.read(pvSubject.get())?)?,
        2 => context(guest, pvSubject)?.encoded.bytes.clone(),
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    let of = |pointer| -> Result<PublicKey, Win32Error> {
        PublicKey::of(&context(guest, pointer)?.encoded).map_err(|_| BAD_ALGORITHM)
    };
    let key = match dwIssuerType {
        1 => public_key(guest, pvIssuer)?,
        2 => of(pvIssuer)?,
        4 if dwSubjectType == 2 => of(pvSubject)?,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    check_signature(&bytes, &key)
}

/// `CERT_STORE_SIGNATURE_FLAG`, `CERT_STORE_TIME_VALIDITY_FLAG`, `CERT_STORE_REVOCATION_FLAG`, `CERT_STORE_NO_CRL_FLAG`.
const CHECK_SIGNATURE: u32 = 1;
const CHECK_TIME: u32 = 2;
const CHECK_REVOCATION: u32 = 4;
const NO_REVOCATION_LIST: u32 = 0x1_0000;

/// Checks a certificate with its issuer; each check that holds is taken out of the flags.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certverifysubjectcertificatecontext>
#[winapi]
pub fn CertVerifySubjectCertificateContext(
    guest: &mut Guest,
    pSubject: GuestWord,
    pIssuer: GuestWord,
    pdwFlags: GuestWord,
) -> Result<Bool, Win32Error> {
    let mut flags = guest.read_u32(pdwFlags.get())?;
    if flags & !(CHECK_SIGNATURE | CHECK_TIME | CHECK_REVOCATION) != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let subject = context(guest, pSubject)?;
    if flags & CHECK_SIGNATURE != 0 {
        let issuer = match pIssuer.is_null() {
            true => return Err(Win32Error::INVALID_PARAMETER),
            false => context(guest, pIssuer)?,
        };
        flags &= if verify(&subject.encoded, &issuer.encoded) { !CHECK_SIGNATURE } else { u32::MAX };
    }
    if flags & CHECK_TIME != 0 {
        let (parts, now) = (&subject.encoded.parts, u64::try_from(crate::nt::time::now()).unwrap_or(0));
        flags &= if (parts.not_before..=parts.not_after).contains(&now) { !CHECK_TIME } else { u32::MAX };
    }
    if flags & CHECK_REVOCATION != 0 {
        flags |= NO_REVOCATION_LIST;
    }
    guest.write(pdwFlags.get(), &flags)?;
    Ok(TRUE)
}

/// Finds the next issuer of a certificate in a store.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetissuercertificatefromstore>
#[winapi]
pub fn CertGetIssuerCertificateFromStore(
    guest: &mut Guest,
    hCertStore: GuestWord,
    pSubjectContext: GuestWord,
    pPrevIssuerContext: GuestWord,
    pdwFlags: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let subject = context(guest, pSubjectContext)?;
    let start = if pPrevIssuerContext.is_null() { 0 } else { context(guest, pPrevIssuerContext)?.place + 1 };
    release(guest, pPrevIssuerContext);
    let encoded = &subject.encoded;
    if encoded.subject() == encoded.issuer() {
        return Err(SELF_SIGNED);
    }
    let all = store(guest, hCertStore)?.all();
    let found =
        all.into_iter().enumerate().skip(start).find(|(_, issuer)| match_issuer(encoded, issuer).is_some());
    let (place, issuer) = found.ok_or(NOT_FOUND)?;
    let issuer = give_context(guest, issuer, hCertStore, place)?;
    if let Err(error) = CertVerifySubjectCertificateContext(guest, pSubjectContext, issuer, pdwFlags) {
        release(guest, issuer);
        return Err(error);
    }
    Ok(issuer)
}

/// Says whether two blobs have the same bytes.
fn same_blobs(guest: &Guest, one: &Blob, other: &Blob) -> Result<bool, Fault> {
    Ok(one.size == other.size && blob_bytes(guest, one)? == blob_bytes(guest, other)?)
}

/// Says whether two certificates are the same: issuer and serial number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcomparecertificate>
#[winapi]
pub fn CertCompareCertificate(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pCertId1: GuestWord,
    pCertId2: GuestWord,
) -> Result<Bool, Fault> {
    let _ = dwCertEncodingType;
    let (one, other): (CertInfo, CertInfo) = (guest.read(pCertId1.get())?, guest.read(pCertId2.get())?);
    let same_issuer = same_blobs(guest, &one.issuer, &other.issuer)?;
    Ok(Bool(same_issuer && same_numbers(guest, &one.serial, &other.serial)?))
}

/// Says whether two names are the same.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcomparecertificatename>
#[winapi]
pub fn CertCompareCertificateName(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pCertName1: GuestWord,
    pCertName2: GuestWord,
) -> Result<Bool, Fault> {
    let _ = dwCertEncodingType;
    let (one, other) = (guest.read(pCertName1.get())?, guest.read(pCertName2.get())?);
    same_blobs(guest, &one, &other).map(Bool)
}

/// Says whether two numbers, their least bytes first, are the same whatever their sizes.
fn same_numbers(guest: &Guest, one: &Blob, other: &Blob) -> Result<bool, Fault> {
    let number = |blob: &Blob| -> Result<Vec<u8>, Fault> {
        let mut bytes = blob_bytes(guest, blob)?;
        // A last byte that only repeats the sign adds nothing.
        while let [.., before, last] = bytes[..]
            && ((last == 0 && before < 0x80) || (last == 0xff && before >= 0x80))
        {
            bytes.pop();
        }
        Ok(bytes)
    };
    Ok(number(one)? == number(other)?)
}

/// Says whether two whole numbers are the same.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcompareintegerblob>
#[winapi]
pub fn CertCompareIntegerBlob(guest: &mut Guest, pInt1: GuestWord, pInt2: GuestWord) -> Result<Bool, Fault> {
    let (one, other) = (guest.read(pInt1.get())?, guest.read(pInt2.get())?);
    same_numbers(guest, &one, &other).map(Bool)
}

/// Says whether two keys are the same.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcomparepublickeyinfo>
#[winapi]
pub fn CertComparePublicKeyInfo(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pPublicKey1: GuestWord,
    pPublicKey2: GuestWord,
) -> Result<Bool, Fault> {
    let _ = dwCertEncodingType;
    let (one, other) = (key_parts(guest, pPublicKey1)?, key_parts(guest, pPublicKey2)?);
    Ok(Bool(one.0 == other.0 && one.2 == other.2))
}

/// Returns the first bytes of what a key may be used for; without such an extension the answer is FALSE and no error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetintendedkeyusage>
#[winapi]
pub fn CertGetIntendedKeyUsage(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pCertInfo: GuestWord,
    pbKeyUsage: GuestWord,
    cbKeyUsage: u32,
) -> Result<Bool, Win32Error> {
    let _ = dwCertEncodingType;
    let info: CertInfo = guest.read(pCertInfo.get())?;
    guest.write_bytes(pbKeyUsage.get(), &vec![0; cbKeyUsage as usize])?;
    for number in 0..u64::from(info.extension_count) {
        let at = info.extensions.get() + number * CertExtension::size(guest.machine());
        let extension: CertExtension = guest.read(at)?;
        if guest.read_c_string(extension.identifier.get())? == b"2.5.29.15" {
            let value = blob_bytes(guest, &extension.value)?;
            let bits = value.get(3..).unwrap_or_default();
            guest.write_bytes(pbKeyUsage.get(), &bits[..bits.len().min(cbKeyUsage as usize)])?;
            return Ok(TRUE);
        }
    }
    guest.set_last_error(Win32Error::SUCCESS);
    Ok(FALSE)
}

/// Returns the length of a key in bits; 0 where its algorithm is not known.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetpublickeylength>
#[winapi]
pub fn CertGetPublicKeyLength(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pPublicKey: GuestWord,
) -> Result<u32, Win32Error> {
    let _ = dwCertEncodingType;
    public_key(guest, pPublicKey).map(|key| key.bits())
}

/// Says whether the time of one certificate lies within that of another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certverifyvaliditynesting>
#[winapi]
pub fn CertVerifyValidityNesting(
    guest: &mut Guest,
    pSubjectInfo: GuestWord,
    pIssuerInfo: GuestWord,
) -> Result<Bool, Fault> {
    let (subject, issuer): (CertInfo, CertInfo) =
        (guest.read(pSubjectInfo.get())?, guest.read(pIssuerInfo.get())?);
    let whole = |[low, high]: [u32; 2]| u64::from(high) << 32 | u64::from(low);
    Ok(Bool(
        whole(subject.not_before) >= whole(issuer.not_before)
            && whole(subject.not_after) <= whole(issuer.not_after),
    ))
}

/// Returns the hash with a number of the older interface; 0 is SHA-1.
fn hash_of(number: u32) -> Result<HashAlgorithm, Win32Error> {
    Ok(match number {
        0x8001 => HashAlgorithm::Md2,
        0x8002 => HashAlgorithm::Md4,
        0x8003 => HashAlgorithm::Md5,
        0 | 0x8004 => HashAlgorithm::Sha1,
        0x800c => HashAlgorithm::Sha256,
        0x800d => HashAlgorithm::Sha384,
        0x800e => HashAlgorithm::Sha512,
        _ => return Err(BAD_ALGORITHM),
    })
}

/// Hashes a certificate, or any bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-crypthashcertificate>
#[winapi]
pub fn CryptHashCertificate(
    guest: &mut Guest,
    hCryptProv: GuestWord,
    Algid: u32,
    dwFlags: u32,
    pbEncoded: GuestWord,
    cbEncoded: u32,
    pbComputedHash: GuestWord,
    pcbComputedHash: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (hCryptProv, dwFlags);
    let bytes = guest.read_vec(pbEncoded.get(), u64::from(cbEncoded))?;
    give(guest, &hash_of(Algid)?.hash(&bytes), pbComputedHash, pcbComputedHash)
}

/// Hashes a certificate, or any bytes, with an algorithm of CNG.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-crypthashcertificate2>
#[winapi]
pub fn CryptHashCertificate2(
    guest: &mut Guest,
    pwszCNGHashAlgid: GuestWord,
    dwFlags: u32,
    pvReserved: GuestWord,
    pbEncoded: GuestWord,
    cbEncoded: u32,
    pbComputedHash: GuestWord,
    pcbComputedHash: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (dwFlags, pvReserved);
    let name = String::from_utf16_lossy(&guest.read_wide_string(pwszCNGHashAlgid.get())?);
    let algorithm = HashAlgorithm::named(&name).ok_or(Win32Error::NOT_FOUND)?;
    let bytes = guest.read_vec(pbEncoded.get(), u64::from(cbEncoded))?;
    give(guest, &algorithm.hash(&bytes), pbComputedHash, pcbComputedHash)
}

/// Hashes a key as it stands in certificates.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-crypthashpublickeyinfo>
#[winapi]
pub fn CryptHashPublicKeyInfo(
    guest: &mut Guest,
    hCryptProv: GuestWord,
    Algid: u32,
    dwFlags: u32,
    dwCertEncodingType: u32,
    pInfo: GuestWord,
    pbComputedHash: GuestWord,
    pcbComputedHash: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (hCryptProv, dwFlags, dwCertEncodingType);
    let bytes = super::encode::public_key_info(guest, pInfo)?;
    // The default is MD5 here.
    let algorithm = if Algid == 0 { HashAlgorithm::Md5 } else { hash_of(Algid)? };
    give(guest, &algorithm.hash(&bytes), pbComputedHash, pcbComputedHash)
}

/// Makes a key of the older interface of one in a certificate.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptimportpublickeyinfoex>
#[winapi]
pub fn CryptImportPublicKeyInfoEx(
    guest: &mut Guest,
    hCryptProv: GuestWord,
    dwCertEncodingType: u32,
    pInfo: GuestWord,
    aiKeyAlg: u32,
    dwFlags: u32,
    pvAuxInfo: GuestWord,
    phKey: GuestWord,
) -> Result<Bool, Win32Error> {
    const CALG_RSA_KEYX: u32 = 0xa400;
    let _ = (dwCertEncodingType, dwFlags, pvAuxInfo);
    crate::advapi32::crypt_provider::provider(guest, hCryptProv)?;
    let PublicKey::Rsa(key) = public_key(guest, pInfo)? else { return Err(BAD_ALGORITHM) };
    let id = if aiKeyAlg == 0 { CALG_RSA_KEYX } else { aiKeyAlg };
    crypt_key::give_key(guest, CapiKey::new(id, Secret::Rsa(Arc::new(key)), true, Vec::new()), phKey)
}

/// Makes a key of the older interface of one in a certificate.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptimportpublickeyinfo>
#[winapi]
pub fn CryptImportPublicKeyInfo(
    guest: &mut Guest,
    hCryptProv: GuestWord,
    dwCertEncodingType: u32,
    pInfo: GuestWord,
    phKey: GuestWord,
) -> Result<Bool, Win32Error> {
    CryptImportPublicKeyInfoEx(guest, hCryptProv, dwCertEncodingType, pInfo, 0, 0, GuestWord::NULL, phKey)
}

/// Makes a key of CNG of one in a certificate.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptimportpublickeyinfoex2>
#[winapi]
pub fn CryptImportPublicKeyInfoEx2(
    guest: &mut Guest,
    dwCertEncodingType: u32,
    pInfo: GuestWord,
    dwFlags: u32,
    pvAuxInfo: GuestWord,
    phKey: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `CRYPT_OID_INFO_PUBKEY_ENCRYPT_KEY_FLAG`: the key is for an agreement.
    const FOR_ENCRYPTION: u32 = 0x4000_0000;
    let _ = (dwCertEncodingType, pvAuxInfo);
    let key = public_key(guest, pInfo)?;
    let (name, material) = match key {
        PublicKey::Rsa(key) => ("RSA".to_owned(), cng::Material::Rsa(Arc::new(key))),
        PublicKey::Ec(key) => {
            let purpose = if dwFlags & FOR_ENCRYPTION != 0 { "ECDH" } else { "ECDSA" };
            (format!("{purpose}_P{}", key.curve.bits()), cng::Material::Curve(key))
        }
    };
    let algorithm = Arc::new(Algorithm::named(&name, 0).ok_or(BAD_ALGORITHM)?);
    cng::give_key(guest, cng::Key::new(algorithm, material), phKey)
        .map_err(|_| Win32Error::INVALID_PARAMETER)?;
    Ok(TRUE)
}
