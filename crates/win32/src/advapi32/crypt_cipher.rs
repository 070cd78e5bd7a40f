//! wincrypt.h: encryption, decryption and signatures of CryptoAPI.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::crypt_hash::{CapiHash, hash};
use super::crypt_key::{CapiKey, RC4, Secret, key, pair};
use super::crypt_provider::{give, nte};
use crate::Win32Error;
use crate::bcrypt::pair::with_random;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::cipher::{pad, unpad};
use crate::logic::crypto::hash::HashAlgorithm;
use crate::logic::crypto::rsa::{EncryptionPadding, RsaKey, SignaturePadding};
use crate::logic::crypto::stream::Rc4;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CryptEncrypt;
    full CryptDecrypt;
    full CryptSignHashA;
    full CryptSignHashW;
    full CryptVerifySignatureA;
    full CryptVerifySignatureW;
};

/// The arguments that both directions have.
struct Request {
    key: Arc<CapiKey>,
    hash: Option<Arc<CapiHash>>,
    is_final: bool,
    flags: u32,
    data: Vec<u8>,
    encrypts: bool,
}

impl Request {
    fn read(
        guest: &Guest,
        (key_handle, hash_handle): (GuestWord, GuestWord),
        (is_final, flags): (Bool, u32),
        data: GuestWord,
        size: u32,
        encrypts: bool,
    ) -> Result<Self, Win32Error> {
        let hash = if hash_handle.is_null() { None } else { Some(hash(guest, hash_handle)?) };
        Ok(Self {
            key: key(guest, key_handle)?,
            hash,
            is_final: is_final.0,
            flags,
            data: guest.read_vec(data.get(), u64::from(size))?,
            encrypts,
        })
    }

    /// Encrypts or decrypts; returns the result.
    fn carry_out(mut self) -> Result<Vec<u8>, Win32Error> {
        if let (Some(hash), true) = (&self.hash, self.encrypts) {
            hash.update(&self.data)?;
        }
        match self.key.secret.clone() {
            Secret::Rsa(pair) => self.rsa(&pair)?,
            Secret::Bytes(bytes) if self.key.id == RC4 => self.rc4(&bytes),
            Secret::Bytes(_) => self.blocks()?,
        }
        if let (Some(hash), false) = (&self.hash, self.encrypts) {
            hash.update(&self.data)?;
        }
        Ok(self.data)
    }

    /// Encrypts or decrypts; stores the result and its size.
    fn carry_out_in_place(
        self,
        guest: &Guest,
        target: GuestWord,
        size: GuestWord,
    ) -> Result<Bool, Win32Error> {
        let data = self.carry_out()?;
        guest.write_bytes(target.get(), &data)?;
        guest.write_bytes(size.get(), &(data.len() as u32).to_le_bytes())?;
        Ok(TRUE)
    }

    fn rc4(&mut self, bytes: &[u8]) {
        let mut state = lock(&self.key.state);
        let salted = [bytes, &state.salt].concat();
        state.stream.get_or_insert_with(|| Rc4::new(&salted)).apply(&mut self.data);
        if self.is_final {
            state.stream = None;
        }
    }

    fn blocks(&mut self) -> Result<(), Win32Error> {
        let mut state = lock(&self.key.state);
        let (key, chaining) = (self.key.ready(&state)?, CapiKey::chaining(&state)?);
        let block = key.block_bytes();
        if self.encrypts && self.is_final {
            pad(&mut self.data, block);
        }
        if !self.data.len().is_multiple_of(block) {
            return Err(nte::BAD_DATA);
        }
        match self.encrypts {
            true => chaining.encrypt(&key, &mut state.chain, &mut self.data)?,
            false => chaining.decrypt(&key, &mut state.chain, &mut self.data)?,
        }
        if self.is_final {
            state.chain = state.iv.clone();
            if !self.encrypts {
                unpad(&mut self.data, block)?;
            }
        }
        Ok(())
    }

    /// CryptoAPI keeps numbers with their least byte first.
    fn rsa(&mut self, pair: &RsaKey) -> Result<(), Win32Error> {
        const OAEP: u32 = 0x40;
        let padding = match self.flags & OAEP != 0 {
            true => EncryptionPadding::Oaep(HashAlgorithm::Sha1, Vec::new()),
            false => EncryptionPadding::Pkcs1,
        };
        if !self.encrypts {
            self.data.reverse();
        }
        let result = with_random(|random| match self.encrypts {
            true => pair.encrypt(&padding, &self.data, random),
            false => pair.decrypt(&padding, &self.data, random),
        });
        self.data = result.map_err(Win32Error::from)??;
        if self.encrypts {
            self.data.reverse();
        }
        Ok(())
    }
}

/// Encrypts data in place; the last piece grows by its padding.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptencrypt>
#[winapi]
pub fn CryptEncrypt(
    guest: &mut Guest,
    hKey: GuestWord,
    hHash: GuestWord,
    Final: Bool,
    dwFlags: u32,
    pbData: GuestWord,
    pdwDataLen: GuestWord,
    dwBufLen: u32,
) -> Result<Bool, Win32Error> {
    if pdwDataLen.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let size = guest.read_u32(pdwDataLen.get())?;
    let used = key(guest, hKey)?;
    let block = lock(&used.state).iv.len() as u32;
    let needed = match &used.secret {
        Secret::Rsa(pair) => pair.bytes() as u32,
        _ if block != 0 && Final.0 => (size / block).saturating_add(1).saturating_mul(block),
        _ => size,
    };
    if pbData.is_null() || dwBufLen < needed {
        guest.write_bytes(pdwDataLen.get(), &needed.to_le_bytes())?;
        return if pbData.is_null() { Ok(TRUE) } else { Err(Win32Error::MORE_DATA) };
    }
    let request = Request::read(guest, (hKey, hHash), (Final, dwFlags), pbData, size, true)?;
    request.carry_out_in_place(guest, pbData, pdwDataLen)
}

/// Decrypts data in place; the last piece shrinks by its padding.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptdecrypt>
#[winapi]
pub fn CryptDecrypt(
    guest: &mut Guest,
    hKey: GuestWord,
    hHash: GuestWord,
    Final: Bool,
    dwFlags: u32,
    pbData: GuestWord,
    pdwDataLen: GuestWord,
) -> Result<Bool, Win32Error> {
    if pbData.is_null() || pdwDataLen.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let size = guest.read_u32(pdwDataLen.get())?;
    let request = Request::read(guest, (hKey, hHash), (Final, dwFlags), pbData, size, false)?;
    request.carry_out_in_place(guest, pbData, pdwDataLen)
}

/// Returns how a hash is padded: `CRYPT_NOHASHOID` leaves its name out.
fn padding(algorithm: HashAlgorithm, flags: u32) -> SignaturePadding {
    const NO_NAME: u32 = 1;
    SignaturePadding::Pkcs1((flags & NO_NAME == 0).then_some(algorithm))
}

both_widths! {
    /// Signs a hash with a pair of the provider's container.
    "wincrypt/nf-wincrypt-cryptsignhash"
    CryptSignHashA, CryptSignHashW(
        guest, width, hHash: GuestWord, dwKeySpec: u32, szDescription: GuestWord, dwFlags: u32,
        pbSignature: GuestWord, pdwSigLen: GuestWord,
    ) -> Result<Bool, Win32Error> {
        let _ = (width, szDescription);
        let hash = hash(guest, hHash)?;
        let key = pair(hash.provider(), dwKeySpec)?;
        let pair = key.rsa()?;
        if pbSignature.is_null() {
            return give(guest, &vec![0; pair.bytes()], pbSignature, pdwSigLen);
        }
        let (algorithm, value) = hash.finish()?;
        let signed = with_random(|random| pair.sign(padding(algorithm, dwFlags), &value, random));
        let mut signature = signed.map_err(Win32Error::from)??;
        signature.reverse();
        give(guest, &signature, pbSignature, pdwSigLen)
    }

    /// Checks the signature of a hash.
    "wincrypt/nf-wincrypt-cryptverifysignature"
    CryptVerifySignatureA, CryptVerifySignatureW(
        guest, width, hHash: GuestWord, pbSignature: GuestWord, dwSigLen: u32, hPubKey: GuestWord,
        szDescription: GuestWord, dwFlags: u32,
    ) -> Result<Bool, Win32Error> {
        let _ = (width, szDescription);
        let (hash, key) = (hash(guest, hHash)?, key(guest, hPubKey)?);
        let mut signature = guest.read_vec(pbSignature.get(), u64::from(dwSigLen))?;
        signature.reverse();
        let (algorithm, value) = hash.finish()?;
        key.rsa()?.verify(padding(algorithm, dwFlags), &value, &signature)?;
        Ok(TRUE)
    }
}
