//! wincrypt.h: hashes of CryptoAPI.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::crypt_key::{CapiKey, key};
use super::crypt_provider::{Provider, give, nte, provider};
use crate::Win32Error;
use crate::bcrypt::hash::each_piece;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::hash::{HashAlgorithm, Hasher, Hmac};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CryptCreateHash, "MD2, MD4, MD5, SHA and HMAC";
    full CryptHashData;
    full CryptGetHashParam;
    full CryptSetHashParam;
    full CryptDuplicateHash;
    full CryptDestroyHash;
};

/// `CALG_HMAC`.
const HMAC: u32 = 0x8009;

/// Returns the hash of an `ALG_ID`.
///
/// Source: <https://learn.microsoft.com/windows/win32/seccrypto/alg-id>
fn algorithm_of(id: u32) -> Option<HashAlgorithm> {
    Some(match id {
        0x8001 => HashAlgorithm::Md2,
        0x8002 => HashAlgorithm::Md4,
        0x8003 => HashAlgorithm::Md5,
        0x8004 => HashAlgorithm::Sha1,
        0x800c => HashAlgorithm::Sha256,
        0x800d => HashAlgorithm::Sha384,
        0x800e => HashAlgorithm::Sha512,
        _ => return None,
    })
}

/// Returns the hash of an `ALG_ID` that a provider has.
fn provided(provider: &Provider, id: u32) -> Result<HashAlgorithm, Win32Error> {
    let is_provided = provider.is_new() || id < 0x800c;
    algorithm_of(id).filter(|_| is_provided).ok_or(nte::BAD_ALGID)
}

/// What a hash is doing.
#[derive(Clone)]
enum Stage {
    /// An HMAC whose hash was not named yet.
    Unnamed,
    Plain(Box<Hasher>),
    Keyed(Box<Hmac>, HashAlgorithm),
    /// Its value was asked for, or set.
    Finished(HashAlgorithm, Vec<u8>),
}

/// A hash's handle leads here.
pub(crate) struct CapiHash {
    id: u32,
    provider: Arc<Provider>,
    key: Option<Arc<CapiKey>>,
    stage: Mutex<Stage>,
}

impl CapiHash {
    /// Ends the hash; returns which it is and its value.
    pub(crate) fn finish(&self) -> Result<(HashAlgorithm, Vec<u8>), Win32Error> {
        let mut stage = lock(&self.stage);
        let (algorithm, value) = match std::mem::replace(&mut *stage, Stage::Unnamed) {
            Stage::Unnamed => return Err(nte::BAD_HASH_STATE),
            Stage::Plain(hasher) => (hasher.algorithm(), hasher.finish()),
            Stage::Keyed(mac, algorithm) => (algorithm, mac.finish()),
            Stage::Finished(algorithm, value) => (algorithm, value),
        };
        *stage = Stage::Finished(algorithm, value.clone());
        Ok((algorithm, value))
    }

    /// Adds bytes.
    pub(crate) fn update(&self, bytes: &[u8]) -> Result<(), Win32Error> {
        match &mut *lock(&self.stage) {
            Stage::Plain(hasher) => hasher.update(bytes),
            Stage::Keyed(mac, _) => mac.update(bytes),
            Stage::Unnamed | Stage::Finished(..) => return Err(nte::BAD_HASH_STATE),
        }
        Ok(())
    }

    /// Returns the provider that it was made with.
    pub(crate) fn provider(&self) -> &Provider {
        &self.provider
    }

    fn size(&self) -> Result<usize, Win32Error> {
        match &*lock(&self.stage) {
            Stage::Unnamed => Err(nte::BAD_HASH_STATE),
            Stage::Plain(hasher) => Ok(hasher.algorithm().digest_bytes()),
            Stage::Keyed(_, algorithm) | Stage::Finished(algorithm, _) => Ok(algorithm.digest_bytes()),
        }
    }
}

/// Returns the hash of a handle.
pub(crate) fn hash(guest: &Guest, handle: GuestWord) -> Result<Arc<CapiHash>, Win32Error> {
    guest.process().cryptography.get(handle.get()).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Begins a hash.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptcreatehash>
#[winapi]
pub fn CryptCreateHash(
    guest: &mut Guest,
    hProv: GuestWord,
    Algid: u32,
    hKey: GuestWord,
    dwFlags: u32,
    phHash: GuestWord,
) -> Result<Bool, Win32Error> {
    let provider = provider(guest, hProv)?;
    if phHash.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if dwFlags != 0 {
        return Err(nte::BAD_FLAGS);
    }
    let (stage, key) = match Algid {
        HMAC if hKey.is_null() => return Err(nte::BAD_KEY),
        HMAC => (Stage::Unnamed, Some(key(guest, hKey).map_err(|_| nte::BAD_KEY)?)),
        _ => (Stage::Plain(Box::new(Hasher::new(provided(&provider, Algid)?))), None),
    };
    let hash = CapiHash { id: Algid, provider, key, stage: Mutex::new(stage) };
    guest.write_word(phHash.get(), guest.process().cryptography.add(hash))?;
    Ok(TRUE)
}

/// Adds bytes to a hash.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-crypthashdata>
#[winapi]
pub fn CryptHashData(
    guest: &mut Guest,
    hHash: GuestWord,
    pbData: GuestWord,
    dwDataLen: u32,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let hash = hash(guest, hHash)?;
    if dwFlags != 0 {
        return Err(nte::BAD_FLAGS);
    }
    let mut state = Ok(());
    each_piece(guest, pbData, dwDataLen, |piece| state = state.and_then(|()| hash.update(piece)))?;
    hash.update(&[])?;
    state.map(|()| TRUE)
}

/// What a program asks of a hash: `HP_ALGID`, `HP_HASHVAL`, `HP_HASHSIZE`, `HP_HMAC_INFO`.
mod parameter {
    pub(super) const ALGID: u32 = 1;
    pub(super) const HASHVAL: u32 = 2;
    pub(super) const HASHSIZE: u32 = 4;
    pub(super) const HMAC_INFO: u32 = 5;
}

/// Returns the value of a hash, which ends it, or a property.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgethashparam>
#[winapi]
pub fn CryptGetHashParam(
    guest: &mut Guest,
    hHash: GuestWord,
    dwParam: u32,
    pbData: GuestWord,
    pdwDataLen: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let hash = hash(guest, hHash)?;
    if dwFlags != 0 {
        return Err(nte::BAD_FLAGS);
    }
    let bytes = match dwParam {
        parameter::ALGID => hash.id.to_le_bytes().to_vec(),
        parameter::HASHSIZE => (hash.size()? as u32).to_le_bytes().to_vec(),
        // Who asks for the size only may go on adding bytes.
        parameter::HASHVAL if pbData.is_null() => vec![0; hash.size()?],
        parameter::HASHVAL => {
            let size = hash.size()?;
            if !pdwDataLen.is_null() && (guest.read_u32(pdwDataLen.get())? as usize) < size {
                return give(guest, &vec![0; size], pbData, pdwDataLen);
            }
            hash.finish()?.1
        }
        _ => return Err(nte::BAD_TYPE),
    };
    give(guest, &bytes, pbData, pdwDataLen)
}

/// `HMAC_INFO`.
#[derive(GuestStruct, Default)]
struct HmacInfo {
    algorithm: u32,
    inner: GuestWord,
    inner_bytes: u32,
    outer: GuestWord,
    outer_bytes: u32,
}

/// Names the hash of an HMAC, or sets the value of a hash.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptsethashparam>
#[winapi]
pub fn CryptSetHashParam(
    guest: &mut Guest,
    hHash: GuestWord,
    dwParam: u32,
    pbData: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let hash = hash(guest, hHash)?;
    if dwFlags != 0 {
        return Err(nte::BAD_FLAGS);
    }
    if pbData.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    match dwParam {
        parameter::HMAC_INFO => {
            let info: HmacInfo = guest.read(pbData.get())?;
            let algorithm = provided(&hash.provider, info.algorithm)?;
            let key = hash.key.as_ref().ok_or(nte::BAD_HASH_STATE)?;
            let bytes = key.secret().ok_or(nte::BAD_KEY)?;
            // Strings of a program's own would be RFC 2104's, which is what all programs give, or an unknown code.
            if !info.inner.is_null() || !info.outer.is_null() {
                return Err(Win32Error::NOT_SUPPORTED);
            }
            *lock(&hash.stage) = Stage::Keyed(Box::new(Hmac::new(algorithm, &bytes)), algorithm);
        }
        parameter::HASHVAL => {
            let algorithm = algorithm_of(hash.id).ok_or(nte::BAD_HASH_STATE)?;
            let value = guest.read_vec(pbData.get(), algorithm.digest_bytes() as u64)?;
            *lock(&hash.stage) = Stage::Finished(algorithm, value);
        }
        _ => return Err(nte::BAD_TYPE),
    }
    Ok(TRUE)
}

/// Makes a second hash of the bytes that were added to one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptduplicatehash>
#[winapi]
pub fn CryptDuplicateHash(
    guest: &mut Guest,
    hHash: GuestWord,
    pdwReserved: GuestWord,
    dwFlags: u32,
    phHash: GuestWord,
) -> Result<Bool, Win32Error> {
    let hash = hash(guest, hHash)?;
    if !pdwReserved.is_null() || phHash.is_null() || dwFlags != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let copy = CapiHash {
        id: hash.id,
        provider: Arc::clone(&hash.provider),
        key: hash.key.clone(),
        stage: Mutex::new(lock(&hash.stage).clone()),
    };
    guest.write_word(phHash.get(), guest.process().cryptography.add(copy))?;
    Ok(TRUE)
}

/// Gives a hash up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptdestroyhash>
#[winapi]
pub fn CryptDestroyHash(guest: &mut Guest, hHash: GuestWord) -> Result<Bool, Win32Error> {
    let found = guest.process().cryptography.remove::<CapiHash>(hHash.get());
    found.map(|_| TRUE).ok_or(Win32Error::INVALID_PARAMETER)
}
