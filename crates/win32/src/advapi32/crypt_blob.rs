//! wincrypt.h: keys of CryptoAPI as blobs.

use plat_abi::{GuestWord, Memory, winapi};
use std::sync::Arc;

use super::crypt_key::{CapiKey, EXPORTABLE, RC2, RC4, RSA, Secret, cipher_of, give_key, key};
use super::crypt_provider::{give, nte, provider};
use crate::Win32Error;
use crate::bcrypt::pair::with_random;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::crypto::rsa::{EncryptionPadding, RsaKey};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CryptImportKey, "plain keys, pairs and public keys of RSA, and keys encrypted with RSA";
    partial CryptExportKey, "plain keys, pairs and public keys of RSA, and keys encrypted with RSA";
};

/// Kinds of blobs.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-publickeystruc>
mod kind {
    pub(super) const SIMPLE: u8 = 1;
    pub(super) const PUBLIC: u8 = 6;
    pub(super) const PRIVATE: u8 = 7;
    pub(super) const PLAIN: u8 = 8;
}

/// The version of all blobs here: `CUR_BLOB_VERSION`.
const VERSION: u8 = 2;
/// `RSA1` and `RSA2`.
const PUBLIC_MAGIC: u32 = 0x3141_5352;
const PRIVATE_MAGIC: u32 = 0x3241_5352;

/// A blob that is taken apart from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Win32Error> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(nte::BAD_DATA)?;
        self.0 = rest;
        Ok(head)
    }

    fn word(&mut self) -> Result<u32, Win32Error> {
        let word = self.bytes(4)?.first_chunk().ok_or(nte::BAD_DATA)?;
        Ok(u32::from_le_bytes(*word))
    }

    /// Takes a number, the least byte first; returns it the other way round.
    fn number(&mut self, size: usize) -> Result<Vec<u8>, Win32Error> {
        Ok(self.bytes(size)?.iter().rev().copied().collect())
    }
}

/// Reads the numbers of a key of RSA.
fn rsa_of(reader: &mut Reader<'_>, is_private: bool) -> Result<RsaKey, Win32Error> {
    let (magic, bits) = (reader.word()?, reader.word()? as usize);
    let exponent = reader.word()?.to_be_bytes();
    if magic != if is_private { PRIVATE_MAGIC } else { PUBLIC_MAGIC } {
        return Err(nte::BAD_DATA);
    }
    let modulus = reader.number(bits.div_ceil(8))?;
    if !is_private {
        return Ok(RsaKey::public(&modulus, &exponent)?);
    }
    let (first, second) = (reader.number(bits.div_ceil(16))?, reader.number(bits.div_ceil(16))?);
    Ok(RsaKey::private(&exponent, &first, &second)?)
}

/// Writes the numbers of a key of RSA.
fn rsa_blob(key: &RsaKey, is_private: bool) -> Result<Vec<u8>, Win32Error> {
    let [exponent, modulus] = key.public_numbers();
    if exponent.len() > 4 {
        return Err(nte::BAD_KEY);
    }
    let mut word = [0; 4];
    word[4 - exponent.len()..].copy_from_slice(&exponent);
    let magic = if is_private { PRIVATE_MAGIC } else { PUBLIC_MAGIC };
    let header = [magic, key.bits(), u32::from_be_bytes(word)];
    let mut blob: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    let private = if is_private { key.private_numbers().ok_or(nte::NO_KEY)?.to_vec() } else { Vec::new() };
    for number in std::iter::once(modulus).chain(private) {
        blob.extend(number.iter().rev());
    }
    Ok(blob)
}

/// Says whether a key of a cipher may have this size; shorter ones of RC2 and RC4 exist.
fn fits(id: u32, size: usize) -> bool {
    match (id, cipher_of(id)) {
        (RC2 | RC4, _) => (5..=16).contains(&size),
        (0x660e..=0x6610, _) => size == 16 + 8 * (id as usize - 0x660e),
        (_, Some(cipher)) => (cipher.key_bits().0 / 8..=cipher.key_bits().1 / 8).contains(&(size as u32)),
        _ => false,
    }
}

/// Makes a key of a blob.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptimportkey>
#[winapi]
pub fn CryptImportKey(
    guest: &mut Guest,
    hProv: GuestWord,
    pbData: GuestWord,
    dwDataLen: u32,
    hPubKey: GuestWord,
    dwFlags: u32,
    phKey: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `CRYPT_IPSEC_HMAC_KEY`: a key of RC2 may have any length, it is one for HMAC.
    const HMAC_KEY: u32 = 0x100;
    provider(guest, hProv)?;
    if pbData.is_null() || phKey.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let blob = guest.read_vec(pbData.get(), u64::from(dwDataLen))?;
    let mut reader = Reader(&blob);
    let &[kind, version, _, _] = reader.bytes(4)? else { return Err(nte::BAD_DATA) };
    let id = reader.word()?;
    if version != VERSION {
        return Err(nte::BAD_VER);
    }
    let secret = match kind {
        kind::PLAIN => {
            let size = reader.word()? as usize;
            Secret::Bytes(reader.bytes(size)?.to_vec())
        }
        kind::PUBLIC | kind::PRIVATE => Secret::Rsa(Arc::new(rsa_of(&mut reader, kind == kind::PRIVATE)?)),
        kind::SIMPLE => {
            let _algorithm = reader.word()?;
            let holder = key(guest, hPubKey).map_err(|_| nte::NO_KEY)?;
            let pair = holder.rsa()?;
            let encrypted = reader.number(pair.bytes())?;
            let plain = with_random(|random| pair.decrypt(&EncryptionPadding::Pkcs1, &encrypted, random));
            Secret::Bytes(plain.map_err(Win32Error::from)??)
        }
        _ => return Err(nte::BAD_TYPE),
    };
    if let Secret::Bytes(bytes) = &secret {
        let is_for_hmac = id == RC2 && dwFlags & HMAC_KEY != 0 && !bytes.is_empty();
        if cipher_of(id).is_none() && id != RC4 {
            return Err(nte::BAD_ALGID);
        }
        if !is_for_hmac && !fits(id, bytes.len()) {
            return Err(nte::BAD_DATA);
        }
    } else if !RSA.contains(&id) {
        return Err(nte::BAD_ALGID);
    }
    let is_exportable = dwFlags & EXPORTABLE != 0 || kind == kind::PUBLIC;
    give_key(guest, CapiKey::new(id, secret, is_exportable, Vec::new()), phKey)
}

/// Returns a key as a blob.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptexportkey>
#[winapi]
pub fn CryptExportKey(
    guest: &mut Guest,
    hKey: GuestWord,
    hExpKey: GuestWord,
    dwBlobType: u32,
    dwFlags: u32,
    pbData: GuestWord,
    pdwDataLen: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    let exported = key(guest, hKey)?;
    let kind = u8::try_from(dwBlobType).map_err(|_| nte::BAD_TYPE)?;
    if !exported.is_exportable && kind != kind::PUBLIC {
        return Err(nte::BAD_KEY_STATE);
    }
    let body = match (kind, &exported.secret) {
        (kind::PLAIN, Secret::Bytes(bytes)) => [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat(),
        (kind::PUBLIC, Secret::Rsa(pair)) => rsa_blob(pair, false)?,
        (kind::PRIVATE, Secret::Rsa(pair)) => rsa_blob(pair, true)?,
        (kind::SIMPLE, Secret::Bytes(bytes)) => {
            let holder = key(guest, hExpKey).map_err(|_| nte::NO_KEY)?;
            let pair = holder.rsa()?;
            let encrypted = with_random(|random| pair.encrypt(&EncryptionPadding::Pkcs1, bytes, random));
            let mut encrypted = encrypted.map_err(Win32Error::from)??;
            encrypted.reverse();
            [&holder.id.to_le_bytes()[..], &encrypted].concat()
        }
        (kind::PLAIN | kind::PUBLIC | kind::PRIVATE | kind::SIMPLE, _) => return Err(nte::BAD_KEY),
        _ => return Err(nte::BAD_TYPE),
    };
    let blob = [&[kind, VERSION, 0, 0], &exported.id.to_le_bytes()[..], &body].concat();
    give(guest, &blob, pbData, pdwDataLen)
}
