//! bcrypt.h: keys made of passwords, hashes and secrets.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::algorithm::{Derivation, Kind, algorithm, text};
use super::hash::Hash;
use super::key::{Material, key};
use super::property::{give, text_of};
use crate::NtStatus;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::crypto::cipher::BlockCipher;
use crate::logic::crypto::hash::HashAlgorithm;
use crate::logic::crypto::kdf;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full BCryptDeriveKeyPBKDF2;
    full BCryptDeriveKeyCapi;
    partial BCryptKeyDerivation, "PBKDF2, SP800_108_CTR_HMAC, CAPI_KDF and HKDF";
    partial BCryptDeriveKey, "HASH, HMAC and TRUNCATE";
    full BCryptDestroySecret;
};

/// What parameters are, by their numbers.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcryptbuffer>
mod parameter {
    pub(super) const HASH_ALGORITHM: u32 = 0;
    pub(super) const SECRET_PREPEND: u32 = 1;
    pub(super) const SECRET_APPEND: u32 = 2;
    pub(super) const HMAC_KEY: u32 = 3;
    pub(super) const LABEL: u32 = 0xd;
    pub(super) const CONTEXT: u32 = 0xe;
    pub(super) const SALT: u32 = 0xf;
    pub(super) const ITERATION_COUNT: u32 = 0x10;
    pub(super) const GENERIC: u32 = 0x11;
    pub(super) const HKDF_INFO: u32 = 0x14;
}

/// `BCryptBufferDesc`, read.
struct Parameters(Vec<(u32, Vec<u8>)>);

impl Parameters {
    fn read(guest: &Guest, address: GuestWord) -> Result<Self, NtStatus> {
        if address.is_null() {
            return Ok(Self(Vec::new()));
        }
        let (list, pointer) = (address.get(), guest.machine().pointer_size());
        let (version, count) = (guest.read_u32(list)?, guest.read_u32(list + 4)?);
        if version != 0 || count > 64 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let first = guest.read_word(list + 8)?;
        let entry = |at: u64| -> Result<(u32, Vec<u8>), NtStatus> {
            let (size, kind) = (guest.read_u32(at)?, guest.read_u32(at + 4)?);
            Ok((kind, guest.read_vec(guest.read_word(at + 8)?, u64::from(size))?))
        };
        let entries = (0..u64::from(count)).map(|number| entry(first + number * (8 + pointer)));
        Ok(Self(entries.collect::<Result<_, _>>()?))
    }

    /// Returns all values of a kind, one after the other; nothing where there is none.
    fn get(&self, kind: u32) -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = self.0.iter().filter(|row| row.0 == kind).map(|row| &row.1[..]).collect();
        (!values.is_empty()).then(|| values.concat())
    }

    fn bytes(&self, kind: u32) -> Vec<u8> {
        self.get(kind).unwrap_or_default()
    }

    /// Returns the hash that is named, if one is.
    fn hash(&self) -> Result<Option<HashAlgorithm>, NtStatus> {
        let Some(value) = self.get(parameter::HASH_ALGORITHM) else { return Ok(None) };
        HashAlgorithm::named(&text_of(&value)).map(Some).ok_or(NtStatus::NOT_SUPPORTED)
    }
}

/// Makes a key of a password.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptderivekeypbkdf2>
#[winapi]
pub fn BCryptDeriveKeyPBKDF2(
    guest: &mut Guest,
    hPrf: GuestWord,
    pbPassword: GuestWord,
    cbPassword: u32,
    pbSalt: GuestWord,
    cbSalt: u32,
    cIterations: u64,
    pbDerivedKey: GuestWord,
    cbDerivedKey: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let algorithm = algorithm(guest, hPrf)?;
    let Kind::Hash(hash) = algorithm.kind else { return Err(NtStatus::INVALID_PARAMETER) };
    let is_sound = algorithm.is_keyed && cIterations > 0 && cbDerivedKey > 0 && dwFlags == 0;
    if !is_sound || pbDerivedKey.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let password = guest.read_vec(pbPassword.get(), u64::from(cbPassword))?;
    let salt = guest.read_vec(pbSalt.get(), u64::from(cbSalt))?;
    // Read once, so that a wild size faults before it allocates.
    let mut derived = guest.read_vec(pbDerivedKey.get(), u64::from(cbDerivedKey))?;
    kdf::pbkdf2(hash, &password, &salt, cIterations, &mut derived);
    Ok(guest.write_bytes(pbDerivedKey.get(), &derived)?)
}

/// Ends a hash and makes a key of it as `CryptDeriveKey` does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptderivekeycapi>
#[winapi]
pub fn BCryptDeriveKeyCapi(
    guest: &mut Guest,
    hHash: GuestWord,
    hTargetAlg: GuestWord,
    pbDerivedKey: GuestWord,
    cbDerivedKey: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let found: Option<Arc<Hash>> = guest.process().cryptography.get(hHash.get());
    let hash = found.ok_or(NtStatus::INVALID_HANDLE)?;
    let Kind::Hash(algorithm_of_hash) = hash.algorithm.kind else { return Err(NtStatus::INVALID_PARAMETER) };
    let target = if hTargetAlg.is_null() { None } else { Some(algorithm(guest, hTargetAlg)?.kind) };
    let size = cbDerivedKey as usize;
    if pbDerivedKey.is_null() || dwFlags != 0 || size == 0 || size > 2 * algorithm_of_hash.digest_bytes() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    // Only keys of AES are stretched without need here: the function is younger than the older rule for Triple DES.
    let stretches = target == Some(Kind::Block(BlockCipher::Aes));
    let derived = kdf::capi(algorithm_of_hash, &hash.finish()?, size, stretches);
    Ok(guest.write_bytes(pbDerivedKey.get(), &derived)?)
}

/// Fills a key with what a way of derivation makes of a secret.
fn derive(
    derivation: Derivation,
    state: &super::key::KeyState,
    secret: &[u8],
    parameters: &Parameters,
    into: &mut [u8],
) -> Result<(), NtStatus> {
    let hash = parameters.hash()?;
    let needed = hash.ok_or(NtStatus::INVALID_PARAMETER);
    match derivation {
        Derivation::Pbkdf2 => {
            let rounds = parameters.get(parameter::ITERATION_COUNT);
            let rounds =
                rounds.map_or(Some(10_000), |value| value.first_chunk().copied().map(u64::from_le_bytes));
            let rounds = rounds.filter(|&rounds| rounds > 0).ok_or(NtStatus::INVALID_PARAMETER)?;
            kdf::pbkdf2(needed?, secret, &parameters.bytes(parameter::SALT), rounds, into);
        }
        Derivation::CounterHmac => {
            let (label, context) = (parameters.bytes(parameter::LABEL), parameters.bytes(parameter::CONTEXT));
            match parameters.get(parameter::GENERIC) {
                // Label, zero and context in one.
                Some(generic) => {
                    let cut =
                        generic.iter().position(|&byte| byte == 0).ok_or(NtStatus::INVALID_PARAMETER)?;
                    kdf::counter_hmac(needed?, secret, &generic[..cut], &generic[cut + 1..], into);
                }
                None => kdf::counter_hmac(needed?, secret, &label, &context, into),
            }
        }
        Derivation::Capi => {
            let hash = needed?;
            if into.len() > 2 * hash.digest_bytes() {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            let size = into.len();
            into.copy_from_slice(&kdf::capi(hash, &hash.hash(secret), size, false));
        }
        Derivation::Hkdf => {
            let (Some(hash), Some(key)) = (state.derivation.hash, &state.derivation.key) else {
                return Err(NtStatus::INVALID_PARAMETER);
            };
            if !kdf::hkdf_expand(hash, key, &parameters.bytes(parameter::HKDF_INFO), into) {
                return Err(NtStatus::INVALID_PARAMETER);
            }
        }
    }
    Ok(())
}

/// Makes a key of a secret, which is a key of an algorithm for that.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptkeyderivation>
#[winapi]
pub fn BCryptKeyDerivation(
    guest: &mut Guest,
    hKey: GuestWord,
    pParameterList: GuestWord,
    pbDerivedKey: GuestWord,
    cbDerivedKey: u32,
    pcbResult: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let _ = dwFlags;
    let key = key(guest, hKey)?;
    let Kind::Derivation(derivation) = key.algorithm.kind else { return Err(NtStatus::NOT_SUPPORTED) };
    if pbDerivedKey.is_null() || pcbResult.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let parameters = Parameters::read(guest, pParameterList)?;
    let mut derived = guest.read_vec(pbDerivedKey.get(), u64::from(cbDerivedKey))?;
    let state = lock(&key.state).clone();
    let Material::Secret { bytes } = &state.material else { return Err(NtStatus::NOT_SUPPORTED) };
    derive(derivation, &state, bytes, &parameters, &mut derived)?;
    give(guest, &derived, pbDerivedKey, cbDerivedKey, pcbResult)
}

/// A secret that two keys share.
#[derive(Debug)]
pub(crate) struct Secret(pub(crate) Vec<u8>);

/// Makes a key of a shared secret.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptderivekey>
#[winapi]
pub fn BCryptDeriveKey(
    guest: &mut Guest,
    hSharedSecret: GuestWord,
    pwszKDF: GuestWord,
    pParameterList: GuestWord,
    pbDerivedKey: GuestWord,
    cbDerivedKey: u32,
    pcbResult: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    const USE_SECRET_AS_HMAC_KEY: u32 = 1;
    let found: Option<Arc<Secret>> = guest.process().cryptography.get(hSharedSecret.get());
    let secret = &found.ok_or(NtStatus::INVALID_HANDLE)?.0;
    if pwszKDF.is_null() || pcbResult.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let parameters = Parameters::read(guest, pParameterList)?;
    let hash = parameters.hash()?.unwrap_or(HashAlgorithm::Sha1);
    let [before, after] =
        [parameter::SECRET_PREPEND, parameter::SECRET_APPEND].map(|kind| parameters.bytes(kind));
    let message = [&before[..], secret, &after].concat();
    let derived = match text(guest, pwszKDF)?.as_str() {
        "HASH" => hash.hash(&message),
        "HMAC" if dwFlags & USE_SECRET_AS_HMAC_KEY != 0 => hash.hmac(secret, &message),
        "HMAC" => hash.hmac(&parameters.bytes(parameter::HMAC_KEY), &message),
        // The one that begins with the least significant byte.
        "TRUNCATE" => secret.iter().rev().copied().collect(),
        _ => return Err(NtStatus::NOT_SUPPORTED),
    };
    let size = if pbDerivedKey.is_null() { derived.len() } else { derived.len().min(cbDerivedKey as usize) };
    give(guest, &derived[..size], pbDerivedKey, cbDerivedKey, pcbResult)
}

/// Gives a shared secret up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptdestroysecret>
#[winapi]
pub fn BCryptDestroySecret(guest: &mut Guest, hSecret: GuestWord) -> Result<(), NtStatus> {
    guest.process().cryptography.remove::<Secret>(hSecret.get()).map(|_| ()).ok_or(NtStatus::INVALID_HANDLE)
}
