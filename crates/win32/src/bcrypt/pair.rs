//! bcrypt.h: pairs of keys (RSA, ECDSA, ECDH), signatures and shared secrets.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::random;

use super::algorithm::{Algorithm, Kind, algorithm, text};
use super::derive::Secret;
use super::key::{Key, Material, give_key, key};
use super::property::{give, numbers};
use crate::NtStatus;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::crypto::ecc::{Curve, EcKey};
use crate::logic::crypto::hash::HashAlgorithm;
use crate::logic::crypto::rsa::{EncryptionPadding, Random, RsaKey, SignaturePadding};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial BCryptGenerateKeyPair, "RSA, and the curves P-256, P-384 and P-521";
    full BCryptFinalizeKeyPair;
    partial BCryptImportKeyPair, "RSA, and the curves P-256, P-384 and P-521";
    full BCryptSignHash;
    full BCryptVerifySignature;
    full BCryptSecretAgreement;
};

/// Runs code with random numbers; fails where the kernel has none.
pub(crate) fn with_random<T>(run: impl FnOnce(&mut Random<'_>) -> T) -> Result<T, NtStatus> {
    let mut failed = false;
    let mut fill = |into: &mut [u8]| failed |= random::fill(into).is_err();
    let result = run(&mut Random(&mut fill));
    if failed { Err(NtStatus::UNSUCCESSFUL) } else { Ok(result) }
}

/// Encrypts or decrypts with RSA.
pub(crate) fn crypt(
    key: &RsaKey,
    padding: &EncryptionPadding,
    data: &[u8],
    encrypts: bool,
) -> Result<Vec<u8>, NtStatus> {
    let result = with_random(|random| match encrypts {
        true => key.encrypt(padding, data, random),
        false => key.decrypt(padding, data, random),
    })?;
    Ok(result?)
}

/// `BCRYPT_PAD_NONE`, `BCRYPT_PAD_PKCS1`, `BCRYPT_PAD_OAEP`, `BCRYPT_PAD_PSS`.
const PAD_NONE: u32 = 1;
const PAD_PKCS1: u32 = 2;
const PAD_OAEP: u32 = 4;
const PAD_PSS: u32 = 8;

/// Reads the name of a hash at the start of a structure; nothing for null.
fn hash_in(guest: &Guest, info: GuestWord) -> Result<Option<HashAlgorithm>, NtStatus> {
    if info.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let name = GuestWord(guest.read_word(info.get())?);
    if name.is_null() {
        return Ok(None);
    }
    HashAlgorithm::named(&text(guest, name)?).map(Some).ok_or(NtStatus::NOT_SUPPORTED)
}

/// Reads how data is padded before it is encrypted.
pub(crate) fn encryption_padding(
    guest: &Guest,
    info: GuestWord,
    flags: u32,
) -> Result<EncryptionPadding, NtStatus> {
    match flags {
        0 | PAD_NONE => Ok(EncryptionPadding::None),
        PAD_PKCS1 => Ok(EncryptionPadding::Pkcs1),
        PAD_OAEP => {
            let hash = hash_in(guest, info)?.ok_or(NtStatus::INVALID_PARAMETER)?;
            let pointer = guest.machine().pointer_size();
            let size = guest.read_u32(info.get() + 2 * pointer)?;
            let label = guest.read_vec(guest.read_word(info.get() + pointer)?, u64::from(size))?;
            Ok(EncryptionPadding::Oaep(hash, label))
        }
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

fn signature_padding(guest: &Guest, info: GuestWord, flags: u32) -> Result<SignaturePadding, NtStatus> {
    match flags {
        PAD_PKCS1 => Ok(SignaturePadding::Pkcs1(hash_in(guest, info)?)),
        PAD_PSS => {
            let hash = hash_in(guest, info)?.ok_or(NtStatus::INVALID_PARAMETER)?;
            let salt = guest.read_u32(info.get() + guest.machine().pointer_size())?;
            // More than a key can hold is refused before memory is set aside for it.
            let salt =
                usize::try_from(salt).ok().filter(|&salt| salt <= 2048).ok_or(NtStatus::INVALID_PARAMETER)?;
            Ok(SignaturePadding::Pss(hash, salt))
        }
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

/// The words that begin blobs of RSA: public, private, private with all numbers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcrypt_rsakey_blob>
const RSA_MAGIC: [(&str, u32); 3] =
    [("RSAPUBLICBLOB", 0x3141_5352), ("RSAPRIVATEBLOB", 0x3241_5352), ("RSAFULLPRIVATEBLOB", 0x3341_5352)];

/// Returns the word that begins blobs of a curve: `ECK1` and its like for agreement, `ECS1` for signatures.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcrypt_ecckey_blob>
fn curve_magic(is_agreement: bool, curve: Curve, is_private: bool) -> u32 {
    let first = if is_agreement { 0x314b_4345 } else { 0x3153_4345 };
    let place = Curve::ALL.iter().position(|&other| other == curve).unwrap_or(0) as u32;
    first + ((2 * place + u32::from(is_private)) << 24)
}

/// Returns a pair, or its public half, as a blob.
pub(crate) fn export(
    algorithm: &Algorithm,
    material: &Material,
    blob_type: &str,
) -> Result<Vec<u8>, NtStatus> {
    match material {
        Material::Curve(key) => {
            let is_private = ["ECCPRIVATEBLOB", "PRIVATEBLOB"].contains(&blob_type);
            if !is_private && !["ECCPUBLICBLOB", "PUBLICBLOB"].contains(&blob_type) {
                return Err(NtStatus::NOT_SUPPORTED);
            }
            let is_agreement = matches!(algorithm.kind, Kind::Ecdh(_));
            let header = [curve_magic(is_agreement, key.curve, is_private), key.curve.bytes() as u32];
            let secret = match is_private {
                true => key.secret.clone().ok_or(NtStatus::INVALID_PARAMETER)?,
                false => Vec::new(),
            };
            Ok([&numbers(&header)[..], &key.point, &secret].concat())
        }
        Material::Rsa(key) => {
            let name = match blob_type {
                "PUBLICBLOB" => "RSAPUBLICBLOB",
                "PRIVATEBLOB" => "RSAPRIVATEBLOB",
                other => other,
            };
            let form = RSA_MAGIC.iter().position(|row| row.0 == name).ok_or(NtStatus::NOT_SUPPORTED)?;
            let [exponent, modulus] = key.public_numbers();
            let private = match form {
                0 => Vec::new(),
                _ => key.private_numbers().ok_or(NtStatus::INVALID_PARAMETER)?.to_vec(),
            };
            let private = &private[..private.len().min(if form == 1 { 2 } else { 6 })];
            let prime = |place: usize| private.get(place).map_or(0, Vec::len) as u32;
            let header = [
                RSA_MAGIC[form].1,
                key.bits(),
                exponent.len() as u32,
                modulus.len() as u32,
                prime(0),
                prime(1),
            ];
            Ok([&numbers(&header)[..], &exponent, &modulus, &private.concat()].concat())
        }
        _ => Err(NtStatus::INVALID_HANDLE),
    }
}

/// Takes some bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(head)
}

fn take_word(bytes: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*take(bytes, 4)?.first_chunk()?))
}

/// Makes a key of RSA from a blob.
fn import_rsa(blob: &[u8]) -> Option<RsaKey> {
    let mut rest = blob;
    let magic = take_word(&mut rest)?;
    let _bits = take_word(&mut rest)?;
    let mut sizes = [0; 4];
    for size in &mut sizes {
        *size = take_word(&mut rest)? as usize;
    }
    let [exponent, modulus, first, second] = sizes;
    let (exponent, modulus) = (take(&mut rest, exponent)?, take(&mut rest, modulus)?);
    if magic == RSA_MAGIC[0].1 {
        return RsaKey::public(modulus, exponent).ok();
    }
    RSA_MAGIC.iter().any(|row| row.1 == magic).then_some(())?;
    let key = RsaKey::private(exponent, take(&mut rest, first)?, take(&mut rest, second)?).ok()?;
    let leading_zeros = modulus.iter().take_while(|&&byte| byte == 0).count();
    (key.public_numbers()[1] == modulus[leading_zeros..]).then_some(key)
}

/// Makes a key on a curve from a blob.
fn import_curve(kind: Kind, blob: &[u8]) -> Option<EcKey> {
    let (is_agreement, fixed) = match kind {
        Kind::Ecdh(fixed) => (true, fixed),
        Kind::Ecdsa(fixed) => (false, fixed),
        _ => return None,
    };
    let mut rest = blob;
    let (magic, size) = (take_word(&mut rest)?, take_word(&mut rest)? as usize);
    for (curve, is_private) in Curve::ALL.into_iter().flat_map(|curve| [(curve, false), (curve, true)]) {
        let is_meant = curve_magic(is_agreement, curve, is_private) == magic && size == curve.bytes();
        if is_meant && fixed.is_none_or(|fixed| fixed == curve) {
            let point = take(&mut rest, 2 * size)?;
            return match is_private {
                false => EcKey::public(curve, point).ok(),
                true => EcKey::private(curve, take(&mut rest, size)?).ok().filter(|key| key.point == point),
            };
        }
    }
    None
}

/// Makes a key of a pair from a blob.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptimportkeypair>
#[winapi]
pub fn BCryptImportKeyPair(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    hImportKey: GuestWord,
    pszBlobType: GuestWord,
    phKey: GuestWord,
    pbInput: GuestWord,
    cbInput: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    // BCRYPT_NO_KEY_VALIDATION: the check is made all the same.
    let _ = dwFlags;
    let algorithm = algorithm(guest, hAlgorithm)?;
    if pszBlobType.is_null() || phKey.is_null() || pbInput.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let blob_type = text(guest, pszBlobType)?;
    let blob = guest.read_vec(pbInput.get(), u64::from(cbInput))?;
    let material = import(algorithm.kind, &blob_type, &blob)?;
    if !hImportKey.is_null() {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    give_key(guest, Key::new(algorithm, material), phKey)
}

/// Makes what a key of a pair consists of from a blob.
pub(crate) fn import(kind: Kind, blob_type: &str, blob: &[u8]) -> Result<Material, NtStatus> {
    let known =
        |prefix: &str| blob_type.starts_with(prefix) || ["PUBLICBLOB", "PRIVATEBLOB"].contains(&blob_type);
    let material = match kind {
        Kind::Rsa if known("RSA") => import_rsa(blob).map(|key| Material::Rsa(Arc::new(key))),
        Kind::Ecdsa(_) | Kind::Ecdh(_) if known("ECCP") => import_curve(kind, blob).map(Material::Curve),
        _ => return Err(NtStatus::NOT_SUPPORTED),
    };
    material.ok_or(NtStatus::INVALID_PARAMETER)
}

/// Begins a pair; `BCryptFinalizeKeyPair` makes it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptgeneratekeypair>
#[winapi]
pub fn BCryptGenerateKeyPair(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    phKey: GuestWord,
    dwLength: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let algorithm = algorithm(guest, hAlgorithm)?;
    if phKey.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let bits = match algorithm.kind {
        Kind::Rsa if dwLength == 0 => 2048,
        Kind::Rsa if (512..=16384).contains(&dwLength) && dwLength.is_multiple_of(64) => dwLength,
        Kind::Ecdsa(_) | Kind::Ecdh(_) => {
            let curve = lock(&algorithm.state).curve.ok_or(NtStatus::INVALID_PARAMETER)?;
            if ![0, curve.bits()].contains(&dwLength) {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            curve.bits()
        }
        Kind::Rsa => return Err(NtStatus::INVALID_PARAMETER),
        _ => return Err(NtStatus::NOT_SUPPORTED),
    };
    give_key(guest, Key::new(algorithm, Material::Unfinished { bits }), phKey)
}

/// Makes the pair.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptfinalizekeypair>
#[winapi]
pub fn BCryptFinalizeKeyPair(guest: &mut Guest, hKey: GuestWord, dwFlags: u32) -> Result<(), NtStatus> {
    let key = key(guest, hKey)?;
    let (material, curve) = {
        let state = lock(&key.state);
        (state.material.clone(), state.settings.curve)
    };
    let Material::Unfinished { bits } = material else { return Err(NtStatus::INVALID_HANDLE) };
    if dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let made = match curve {
        Some(curve) => {
            with_random(|random| EcKey::generate(curve, |into| (random.0)(into))).map(Material::Curve)?
        }
        None => Material::Rsa(Arc::new(with_random(|random| RsaKey::generate(bits as usize, random))??)),
    };
    lock(&key.state).material = made;
    Ok(())
}

/// Signs a hash.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptsignhash>
#[winapi]
pub fn BCryptSignHash(
    guest: &mut Guest,
    hKey: GuestWord,
    pPaddingInfo: GuestWord,
    pbInput: GuestWord,
    cbInput: u32,
    pbOutput: GuestWord,
    cbOutput: u32,
    pcbResult: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let key = key(guest, hKey)?;
    let material = lock(&key.state).material.clone();
    let size = material.signature_bytes().ok_or(NtStatus::NOT_SUPPORTED)?;
    if pbOutput.is_null() {
        return give(guest, &vec![0; size as usize], pbOutput, cbOutput, pcbResult);
    }
    let hash = guest.read_vec(pbInput.get(), u64::from(cbInput))?;
    let signature = match &material {
        Material::Curve(key) => with_random(|random| key.sign(&hash, random))??,
        Material::Rsa(key) => {
            let padding = signature_padding(guest, pPaddingInfo, dwFlags)?;
            with_random(|random| key.sign(padding, &hash, random))??
        }
        _ => return Err(NtStatus::NOT_SUPPORTED),
    };
    give(guest, &signature, pbOutput, cbOutput, pcbResult)
}

/// Checks the signature of a hash.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptverifysignature>
#[winapi]
pub fn BCryptVerifySignature(
    guest: &mut Guest,
    hKey: GuestWord,
    pPaddingInfo: GuestWord,
    pbHash: GuestWord,
    cbHash: u32,
    pbSignature: GuestWord,
    cbSignature: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let key = key(guest, hKey)?;
    let material = lock(&key.state).material.clone();
    let hash = guest.read_vec(pbHash.get(), u64::from(cbHash))?;
    let signature = guest.read_vec(pbSignature.get(), u64::from(cbSignature))?;
    match &material {
        Material::Curve(key) => Ok(key.verify(&hash, &signature)?),
        Material::Rsa(key) => {
            Ok(key.verify(signature_padding(guest, pPaddingInfo, dwFlags)?, &hash, &signature)?)
        }
        _ => Err(NtStatus::NOT_SUPPORTED),
    }
}

/// Makes the secret that a private key shares with the owner of a public key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptsecretagreement>
#[winapi]
pub fn BCryptSecretAgreement(
    guest: &mut Guest,
    hPrivKey: GuestWord,
    hPubKey: GuestWord,
    phAgreedSecret: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let (private, public) = (key(guest, hPrivKey)?, key(guest, hPubKey)?);
    if phAgreedSecret.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let (one, other) = (lock(&private.state).material.clone(), lock(&public.state).material.clone());
    let is_agreement = matches!(private.algorithm.kind, Kind::Ecdh(_));
    match (one, other) {
        (Material::Curve(one), Material::Curve(other)) if is_agreement => {
            let secret = guest.process().cryptography.add(Secret(one.agree(&other)?));
            Ok(guest.write_word(phAgreedSecret.get(), secret)?)
        }
        _ => Err(NtStatus::NOT_SUPPORTED),
    }
}
