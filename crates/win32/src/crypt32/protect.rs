//! dpapi.h: data and memory that only their user, or only this process, is to read.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};
use plat_host::random;

use crate::advapi32::crypto::protect_memory;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::aead::{Gcm, tags_are_equal};
use crate::logic::crypto::cipher::{BlockCipher, BlockKey};
use crate::logic::crypto::hash::HashAlgorithm;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CryptProtectData, "only plat reads it again, for the same user of this machine";
    partial CryptUnprotectData, "only what plat wrote, for the same user of this machine";
    partial CryptProtectMemory, "for this process only";
    partial CryptUnprotectMemory, "for this process only";
};

/// `DATA_BLOB`.
#[derive(GuestStruct, Default)]
struct DataBlob {
    size: u32,
    data: GuestWord,
}

/// What begins protected data: plat's own mark, since nobody else's data can be read, or read it.
const MARK: &[u8; 8] = b"platDP1\0";
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Reads a blob; an absent one is empty.
fn read_blob(guest: &Guest, blob: GuestWord) -> Result<Vec<u8>, Win32Error> {
    if blob.is_null() {
        return Ok(Vec::new());
    }
    let blob: DataBlob = guest.read(blob.get())?;
    Ok(guest.read_vec(blob.data.get(), u64::from(blob.size))?)
}

/// Gives a new block with bytes, to be freed with `LocalFree`.
fn give_blob(guest: &Guest, bytes: &[u8], into: GuestWord) -> Result<(), Win32Error> {
    let block = guest.process().heaps.allocate(0, bytes.len().max(1) as u64, false);
    let block = block.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write_bytes(block, bytes)?;
    let blob = DataBlob { size: bytes.len() as u32, data: GuestWord(block) };
    Ok(guest.write(into.get(), &blob)?)
}

/// Returns the user's key with the program's own secret in it.
fn key(entropy: &[u8]) -> Result<BlockKey, Win32Error> {
    let secret = plat_host::user_secret::read_or_make().map_err(|_| Win32Error::ACCESS_DENIED)?;
    Ok(BlockKey::new(BlockCipher::Aes, &HashAlgorithm::Sha256.hmac(&secret, entropy))?)
}

/// Protects data: mark, nonce, tag, description's length, then description and data, encrypted.
fn protect(key: &BlockKey, nonce: &[u8], description: &[u8], data: &[u8]) -> Result<Vec<u8>, Win32Error> {
    let mut state = Gcm::new(key, nonce)?;
    let mut body = [&(description.len() as u32).to_le_bytes()[..], description, data].concat();
    state.encrypt(key, &mut body);
    Ok([&MARK[..], nonce, &state.tag(key, nonce)?, &body].concat())
}

/// Takes protected data apart; returns description and data.
fn unprotect(key: &BlockKey, protected: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (nonce, rest) = protected.strip_prefix(MARK)?.split_at_checked(NONCE_BYTES)?;
    let (tag, body) = rest.split_at_checked(TAG_BYTES)?;
    let (mut state, mut body) = (Gcm::new(key, nonce).ok()?, body.to_vec());
    state.decrypt(key, &mut body);
    tags_are_equal(&state.tag(key, nonce).ok()?, tag).then_some(())?;
    let (size, rest) = body.split_first_chunk()?;
    let (description, data) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    Some((description.to_vec(), data.to_vec()))
}

/// Encrypts data so that only the same user reads it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dpapi/nf-dpapi-cryptprotectdata>
#[winapi]
pub fn CryptProtectData(
    guest: &mut Guest,
    pDataIn: GuestWord,
    szDataDescr: GuestWord,
    pOptionalEntropy: GuestWord,
    pvReserved: GuestWord,
    pPromptStruct: GuestWord,
    dwFlags: u32,
    pDataOut: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (pvReserved, pPromptStruct, dwFlags);
    if pDataIn.is_null() || pDataOut.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (data, entropy) = (read_blob(guest, pDataIn)?, read_blob(guest, pOptionalEntropy)?);
    let description: Vec<u8> = match szDataDescr.is_null() {
        true => Vec::new(),
        false => guest.read_wide_string(szDataDescr.get())?.into_iter().flat_map(u16::to_le_bytes).collect(),
    };
    let mut nonce = [0; NONCE_BYTES];
    random::fill(&mut nonce).map_err(|_| Win32Error::GEN_FAILURE)?;
    give_blob(guest, &protect(&key(&entropy)?, &nonce, &description, &data)?, pDataOut)?;
    Ok(TRUE)
}

/// Decrypts what `CryptProtectData` wrote.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dpapi/nf-dpapi-cryptunprotectdata>
#[winapi]
pub fn CryptUnprotectData(
    guest: &mut Guest,
    pDataIn: GuestWord,
    ppszDataDescr: GuestWord,
    pOptionalEntropy: GuestWord,
    pvReserved: GuestWord,
    pPromptStruct: GuestWord,
    dwFlags: u32,
    pDataOut: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (pvReserved, pPromptStruct, dwFlags);
    if pDataIn.is_null() || pDataOut.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (protected, entropy) = (read_blob(guest, pDataIn)?, read_blob(guest, pOptionalEntropy)?);
    let opened = unprotect(&key(&entropy)?, &protected);
    let (mut description, data) = opened.ok_or(Win32Error::INVALID_DATA)?;
    if !ppszDataDescr.is_null() {
        description.extend([0, 0]);
        let block = guest.process().heaps.allocate(0, description.len() as u64, false);
        let block = block.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
        guest.write_bytes(block, &description)?;
        guest.write_word(ppszDataDescr.get(), block)?;
    }
    give_blob(guest, &data, pDataOut)?;
    Ok(TRUE)
}

/// Encrypts or decrypts memory in place, in blocks of 16 bytes.
fn memory(
    guest: &Guest,
    address: GuestWord,
    size: u32,
    flags: u32,
    encrypts: bool,
) -> Result<Bool, Win32Error> {
    if flags != 0 {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    match protect_memory(guest, address, size, 16, encrypts) {
        NtStatus::SUCCESS => Ok(TRUE),
        status => Err(status.to_win32()),
    }
}

alike! {
    fn(guest, encrypts; pDataIn: GuestWord, cbDataIn: u32, dwFlags: u32) -> Result<Bool, Win32Error> {
        memory(guest, pDataIn, cbDataIn, dwFlags, encrypts)
    }

    /// Encrypts memory in place.
    "dpapi/nf-dpapi-cryptprotectmemory"
    CryptProtectMemory = true;

    /// Decrypts memory in place.
    "dpapi/nf-dpapi-cryptunprotectmemory"
    CryptUnprotectMemory = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_data_is_read_back_and_a_change_is_found() {
        let key = BlockKey::new(BlockCipher::Aes, &[7; 32]).expect("a key");
        let protected = protect(&key, &[1; 12], b"d\0", b"secret").expect("a nonce of 12 bytes");
        assert!(!protected.windows(6).any(|window| window == b"secret"));
        assert_eq!(unprotect(&key, &protected), Some((b"d\0".to_vec(), b"secret".to_vec())));
        for at in 0..protected.len() {
            let mut changed = protected.clone();
            changed[at] ^= 1;
            assert_eq!(unprotect(&key, &changed), None, "{at}");
        }
        assert_eq!(unprotect(&key, &protected[..20]), None);
    }
}
