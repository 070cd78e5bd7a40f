//! bcrypt.h: hashes and message authentication codes.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::algorithm::{Algorithm, Kind, REUSABLE, algorithm};
use crate::NtStatus;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::crypto::aead::Cmac;
use crate::logic::crypto::cipher::{BlockCipher, BlockKey};
use crate::logic::crypto::hash::{HashAlgorithm, Hasher, Hmac};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full BCryptCreateHash;
    full BCryptHashData;
    full BCryptFinishHash;
    full BCryptDuplicateHash;
    full BCryptDestroyHash;
    full BCryptHash;
    stub BCryptCreateMultiHash;
    stub BCryptProcessMultiOperations;
};

/// A hash or a code that is being made.
#[derive(Clone, Debug)]
pub(crate) enum Running {
    Plain(Box<Hasher>),
    Keyed(Box<Hmac>),
    Cmac(Box<Cmac>),
}

impl Running {
    fn new(algorithm: &Algorithm, key: &[u8]) -> Result<Self, NtStatus> {
        match algorithm.kind {
            Kind::Hash(hash) if algorithm.is_keyed => Ok(Self::Keyed(Box::new(Hmac::new(hash, key)))),
            Kind::Hash(hash) => Ok(Self::Plain(Box::new(Hasher::new(hash)))),
            Kind::Cmac => Ok(Self::Cmac(Box::new(Cmac::new(BlockKey::new(BlockCipher::Aes, key)?)))),
            _ => Err(NtStatus::NOT_SUPPORTED),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(state) => state.update(bytes),
            Self::Keyed(state) => state.update(bytes),
            Self::Cmac(state) => state.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Plain(state) => state.finish(),
            Self::Keyed(state) => state.finish(),
            Self::Cmac(state) => state.finish(),
        }
    }

    /// Adds guest memory, a piece at a time.
    fn update_from(&mut self, guest: &Guest, address: GuestWord, length: u32) -> Result<(), NtStatus> {
        Ok(each_piece(guest, address, length, |piece| self.update(piece))?)
    }
}

/// Hands guest memory to `use_piece`, a piece at a time.
pub(crate) fn each_piece(
    guest: &Guest,
    address: GuestWord,
    length: u32,
    mut use_piece: impl FnMut(&[u8]),
) -> Result<(), plat_abi::Fault> {
    const PIECE: u32 = 1 << 16;
    let mut piece = vec![0; PIECE.min(length) as usize];
    for start in (0..length).step_by(PIECE as usize) {
        let size = PIECE.min(length - start) as usize;
        guest.read_bytes(address.get().wrapping_add(u64::from(start)), &mut piece[..size])?;
        use_piece(&piece[..size]);
    }
    Ok(())
}

/// A hash's handle leads here.
#[derive(Debug)]
pub(crate) struct Hash {
    pub(crate) algorithm: Arc<Algorithm>,
    pub(crate) is_reusable: bool,
    /// The state at the start, to which a reusable hash returns.
    fresh: Running,
    /// The state; nothing once a hash was finished that cannot be used again.
    running: Mutex<Option<Running>>,
}

impl Hash {
    /// Ends the hash and returns its value.
    pub(crate) fn finish(&self) -> Result<Vec<u8>, NtStatus> {
        let next = self.is_reusable.then(|| self.fresh.clone());
        let running = std::mem::replace(&mut *lock(&self.running), next);
        running.map(Running::finish).ok_or(NtStatus::INVALID_HANDLE)
    }
}

/// Returns the size of an algorithm's hashes in bytes.
pub(crate) fn digest_bytes(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Hash(hash) => Some(hash.digest_bytes()),
        Kind::Cmac => Some(16),
        _ => None,
    }
}

/// Returns how many bytes Windows asks programs to set aside for a hash.
///
/// Source: observed with `BCryptGetProperty(BCRYPT_OBJECT_LENGTH)` on 32-bit Windows 7
pub(crate) fn object_bytes(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Hash(HashAlgorithm::Md2 | HashAlgorithm::Md4) => Some(270),
        Kind::Hash(HashAlgorithm::Md5) => Some(274),
        Kind::Hash(HashAlgorithm::Sha1) => Some(278),
        Kind::Hash(HashAlgorithm::Sha256) => Some(286),
        Kind::Hash(HashAlgorithm::Sha384 | HashAlgorithm::Sha512) => Some(382),
        Kind::Cmac => Some(654),
        _ => None,
    }
}

fn hash(guest: &Guest, handle: GuestWord) -> Result<Arc<Hash>, NtStatus> {
    guest.process().cryptography.get(handle.get()).ok_or(NtStatus::INVALID_HANDLE)
}

/// Checks memory that a program sets aside for an object: it is not used, but Windows refuses too little of it.
pub(crate) fn check_object(buffer: GuestWord, size: u32, needed: Option<u32>) -> Result<(), NtStatus> {
    match !buffer.is_null() && needed.is_some_and(|needed| size < needed) {
        true => Err(NtStatus::BUFFER_TOO_SMALL),
        false => Ok(()),
    }
}

/// Begins a hash, or a code with the key `pbSecret`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptcreatehash>
#[winapi]
pub fn BCryptCreateHash(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    phHash: GuestWord,
    pbHashObject: GuestWord,
    cbHashObject: u32,
    pbSecret: GuestWord,
    cbSecret: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    if dwFlags & !REUSABLE != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let algorithm = algorithm(guest, hAlgorithm)?;
    if phHash.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if pbHashObject.is_null() && cbHashObject != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    check_object(pbHashObject, cbHashObject, object_bytes(algorithm.kind))?;
    let key = guest.read_vec(pbSecret.get(), u64::from(cbSecret))?;
    let fresh = Running::new(&algorithm, &key)?;
    let hash = Hash {
        is_reusable: algorithm.is_reusable || dwFlags & REUSABLE != 0,
        running: Mutex::new(Some(fresh.clone())),
        fresh,
        algorithm,
    };
    Ok(guest.write_word(phHash.get(), guest.process().cryptography.add(hash))?)
}

/// Adds bytes to a hash.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcrypthashdata>
#[winapi]
pub fn BCryptHashData(
    guest: &mut Guest,
    hHash: GuestWord,
    pbInput: GuestWord,
    cbInput: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let hash = hash(guest, hHash)?;
    if dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    // The state is out while guest memory is read: a fault there must not hold the lock.
    let mut running = lock(&hash.running).take().ok_or(NtStatus::INVALID_HANDLE)?;
    let added = running.update_from(guest, pbInput, cbInput);
    *lock(&hash.running) = Some(running);
    added
}

/// Ends a hash and returns its value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptfinishhash>
#[winapi]
pub fn BCryptFinishHash(
    guest: &mut Guest,
    hHash: GuestWord,
    pbOutput: GuestWord,
    cbOutput: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let hash = hash(guest, hHash)?;
    if pbOutput.is_null() || dwFlags != 0 || digest_bytes(hash.algorithm.kind) != Some(cbOutput as usize) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(guest.write_bytes(pbOutput.get(), &hash.finish()?)?)
}

/// Makes a second hash of the bytes that were added to one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptduplicatehash>
#[winapi]
pub fn BCryptDuplicateHash(
    guest: &mut Guest,
    hHash: GuestWord,
    phNewHash: GuestWord,
    pbHashObject: GuestWord,
    cbHashObject: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let hash = hash(guest, hHash)?;
    if phNewHash.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    check_object(pbHashObject, cbHashObject, object_bytes(hash.algorithm.kind))?;
    let running = lock(&hash.running).clone().ok_or(NtStatus::INVALID_HANDLE)?;
    let copy = Hash {
        algorithm: Arc::clone(&hash.algorithm),
        is_reusable: hash.is_reusable,
        fresh: hash.fresh.clone(),
        running: Mutex::new(Some(running)),
    };
    Ok(guest.write_word(phNewHash.get(), guest.process().cryptography.add(copy))?)
}

/// Gives a hash up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptdestroyhash>
#[winapi]
pub fn BCryptDestroyHash(guest: &mut Guest, hHash: GuestWord) -> Result<(), NtStatus> {
    if hHash.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    guest.process().cryptography.remove::<Hash>(hHash.get()).map(|_| ()).ok_or(NtStatus::INVALID_HANDLE)
}

/// Returns the hash or the code of some bytes at once.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcrypthash>
#[winapi]
pub fn BCryptHash(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    pbSecret: GuestWord,
    cbSecret: u32,
    pbInput: GuestWord,
    cbInput: u32,
    pbOutput: GuestWord,
    cbOutput: u32,
) -> Result<(), NtStatus> {
    let algorithm = algorithm(guest, hAlgorithm)?;
    let key = guest.read_vec(pbSecret.get(), u64::from(cbSecret))?;
    let mut running = Running::new(&algorithm, &key)?;
    if pbOutput.is_null() || digest_bytes(algorithm.kind) != Some(cbOutput as usize) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    running.update_from(guest, pbInput, cbInput)?;
    Ok(guest.write_bytes(pbOutput.get(), &running.finish())?)
}
