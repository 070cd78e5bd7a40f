//! wincrypt.h: keys of CryptoAPI: made, derived, given up, and their properties.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::crypt_hash::hash;
use super::crypt_provider::{Provider, give, nte, provider};
use crate::Win32Error;
use crate::bcrypt::pair::with_random;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::cipher::{BlockCipher, BlockKey, Chaining};
use crate::logic::crypto::kdf;
use crate::logic::crypto::rsa::RsaKey;
use crate::logic::crypto::stream::Rc4;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CryptDeriveKey;
    full CryptGenKey;
    full CryptGetUserKey;
    full CryptDuplicateKey;
    full CryptDestroyKey;
    full CryptGetKeyParam;
    partial CryptSetKeyParam, "IV, salt, padding, mode, its bits, effective length";
};

/// The cipher of an `ALG_ID`; nothing for RC4.
///
/// Source: <https://learn.microsoft.com/windows/win32/seccrypto/alg-id>
pub(crate) fn cipher_of(id: u32) -> Option<BlockCipher> {
    Some(match id {
        0x6601 => BlockCipher::Des,
        0x6602 => BlockCipher::Rc2,
        0x6603 => BlockCipher::TripleDes,
        0x6609 => BlockCipher::TripleDes112,
        0x660e..=0x6611 => BlockCipher::Aes,
        _ => return None,
    })
}

/// `CALG_RC4`.
pub(crate) const RC4: u32 = 0x6801;
/// `CALG_RC2`.
pub(crate) const RC2: u32 = 0x6602;
/// `CALG_RSA_KEYX` and `CALG_RSA_SIGN`.
pub(crate) const RSA: [u32; 2] = [0xa400, 0x2400];
/// `CRYPT_EXPORTABLE`.
pub(crate) const EXPORTABLE: u32 = 1;

/// Returns how long keys of an algorithm are where nothing is said, the least and the greatest, in bytes.
fn lengths(provider: &Provider, id: u32) -> Result<(usize, usize, usize), Win32Error> {
    match id {
        RC2 | RC4 if provider.is_weak() => Ok((5, 5, 7)),
        RC2 | RC4 => Ok((16, 5, 16)),
        0x6601 => Ok((8, 7, 8)),
        0x6603 if !provider.is_weak() => Ok((24, 21, 24)),
        0x6609 if !provider.is_weak() => Ok((16, 14, 16)),
        0x660e..=0x6610 if provider.is_new() => {
            let size = 16 + 8 * (id as usize - 0x660e);
            Ok((size, size, size))
        }
        _ => Err(nte::BAD_ALGID),
    }
}

/// What a key can do.
#[derive(Clone, Debug)]
pub(crate) enum Secret {
    Bytes(Vec<u8>),
    Rsa(Arc<RsaKey>),
}

/// What may change of a key.
#[derive(Clone, Debug)]
pub(crate) struct KeyState {
    /// Zeros or a program's bytes behind a short key.
    pub(crate) salt: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    /// What the next block depends on.
    pub(crate) chain: Vec<u8>,
    /// `KP_MODE`.
    pub(crate) mode: u32,
    /// `KP_MODE_BITS`.
    pub(crate) mode_bits: u32,
    pub(crate) effective_bits: u32,
    /// The running state of RC4.
    pub(crate) stream: Option<Rc4>,
}

/// A key's handle leads here.
#[derive(Debug)]
pub(crate) struct CapiKey {
    pub(crate) id: u32,
    pub(crate) secret: Secret,
    pub(crate) is_exportable: bool,
    pub(crate) state: Mutex<KeyState>,
}

impl CapiKey {
    /// Makes a key of an algorithm with its settings as they are at first.
    pub(crate) fn new(id: u32, secret: Secret, is_exportable: bool, salt: Vec<u8>) -> Self {
        let block = cipher_of(id).map_or(0, BlockCipher::block_bytes);
        let effective_bits = match &secret {
            Secret::Bytes(bytes) => bytes.len() as u32 * 8,
            Secret::Rsa(key) => key.bits(),
        };
        let state = KeyState {
            salt,
            iv: vec![0; block],
            chain: vec![0; block],
            mode: 1,
            mode_bits: 8,
            effective_bits,
            stream: None,
        };
        Self { id, secret, is_exportable, state: Mutex::new(state) }
    }

    /// Returns the bytes of a key of a cipher.
    pub(crate) fn secret(&self) -> Option<Vec<u8>> {
        match &self.secret {
            Secret::Bytes(bytes) => Some(bytes.clone()),
            Secret::Rsa(_) => None,
        }
    }

    /// Returns the pair of a key of RSA.
    pub(crate) fn rsa(&self) -> Result<&Arc<RsaKey>, Win32Error> {
        match &self.secret {
            Secret::Bytes(_) => Err(nte::BAD_KEY),
            Secret::Rsa(key) => Ok(key),
        }
    }

    /// Makes the key of a block cipher ready, with its salt.
    pub(crate) fn ready(&self, state: &KeyState) -> Result<BlockKey, Win32Error> {
        let cipher = cipher_of(self.id).ok_or(nte::BAD_ALGID)?;
        let bytes = [&self.secret().ok_or(nte::BAD_KEY)?[..], &state.salt].concat();
        Ok(match cipher {
            BlockCipher::Rc2 => BlockKey::rc2(&bytes, state.effective_bits as usize)?,
            _ => BlockKey::new(cipher, &bytes)?,
        })
    }

    /// Returns the chaining that the settings ask for.
    pub(crate) fn chaining(state: &KeyState) -> Result<Chaining, Win32Error> {
        match state.mode {
            1 => Ok(Chaining::Cbc),
            2 => Ok(Chaining::Ecb),
            4 => Ok(Chaining::Cfb { segment: state.mode_bits as usize / 8 }),
            _ => Err(nte::BAD_ALGID),
        }
    }
}

/// Returns the key of a handle.
pub(crate) fn key(guest: &Guest, handle: GuestWord) -> Result<Arc<CapiKey>, Win32Error> {
    // Pairs are shared with their container: each handle leads to its own counted pointer.
    let found = guest.process().cryptography.get::<Arc<CapiKey>>(handle.get());
    found.map(|key| Arc::clone(&*key)).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Adds a key to the process and writes its handle.
pub(crate) fn give_key(guest: &Guest, key: CapiKey, into: GuestWord) -> Result<Bool, Win32Error> {
    guest.write_word(into.get(), guest.process().cryptography.add(Arc::new(key)))?;
    Ok(TRUE)
}

/// Sets the parity of the bytes of keys of DES, as they are kept.
fn with_parity(id: u32, mut bytes: Vec<u8>) -> Vec<u8> {
    if matches!(id, 0x6601 | 0x6603 | 0x6609) {
        for byte in &mut bytes {
            *byte = *byte & 0xfe | u8::from((*byte >> 1).count_ones().is_multiple_of(2));
        }
    }
    bytes
}

/// Reads a length and the flags out of `dwFlags`; returns the length in bytes and the salt's.
fn key_size(provider: &Provider, id: u32, flags: u32) -> Result<(usize, usize), Win32Error> {
    const CREATE_SALT: u32 = 4;
    const NO_SALT: u32 = 0x10;
    let (usual, least, most) = lengths(provider, id)?;
    let asked = (flags >> 16) as usize / 8;
    let size = match asked {
        0 => usual,
        _ if !(least..=most).contains(&asked) => return Err(nte::BAD_FLAGS),
        _ if matches!(id, RC2 | RC4) => asked,
        // 56 bits of DES are eight bytes with their parity.
        _ => usual,
    };
    let has_salt = matches!(id, RC2 | RC4) && (flags & CREATE_SALT != 0 || size == 5) && flags & NO_SALT == 0;
    Ok((size, if has_salt { 16 - size } else { 0 }))
}

/// Makes a key of a hash, which ends.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptderivekey>
#[winapi]
pub fn CryptDeriveKey(
    guest: &mut Guest,
    hProv: GuestWord,
    Algid: u32,
    hBaseData: GuestWord,
    dwFlags: u32,
    phKey: GuestWord,
) -> Result<Bool, Win32Error> {
    let provider = provider(guest, hProv)?;
    if phKey.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (size, salt) = key_size(&provider, Algid, dwFlags)?;
    let (algorithm, value) = hash(guest, hBaseData).map_err(|_| nte::BAD_HASH)?.finish()?;
    let stretches = matches!(Algid, 0x6603 | 0x6609 | 0x660e..=0x6610);
    let bytes = kdf::capi(algorithm, &value, size, stretches);
    if bytes.len() < size {
        return Err(nte::BAD_LEN);
    }
    let is_exportable = dwFlags & EXPORTABLE != 0;
    let key = CapiKey::new(Algid, Secret::Bytes(with_parity(Algid, bytes)), is_exportable, vec![0; salt]);
    give_key(guest, key, phKey)
}

/// Makes a random key, or a pair for the container.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgenkey>
#[winapi]
pub fn CryptGenKey(
    guest: &mut Guest,
    hProv: GuestWord,
    Algid: u32,
    dwFlags: u32,
    phKey: GuestWord,
) -> Result<Bool, Win32Error> {
    let provider = provider(guest, hProv)?;
    if phKey.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let is_exportable = dwFlags & EXPORTABLE != 0;
    let place = match Algid {
        1 | 0xa400 => 0,
        2 | 0x2400 => 1,
        _ => {
            let (size, salt) = key_size(&provider, Algid, dwFlags)?;
            let mut bytes = vec![0; size];
            plat_host::random::fill(&mut bytes).map_err(|_| Win32Error::GEN_FAILURE)?;
            let secret = Secret::Bytes(with_parity(Algid, bytes));
            return give_key(guest, CapiKey::new(Algid, secret, is_exportable, vec![0; salt]), phKey);
        }
    };
    let bits = match dwFlags >> 16 {
        0 => 1024,
        bits if (384..=16384).contains(&bits) && bits.is_multiple_of(8) => bits as usize,
        _ => return Err(nte::BAD_FLAGS),
    };
    let pair = with_random(|random| RsaKey::generate(bits, random)).map_err(Win32Error::from)??;
    let key = Arc::new(CapiKey::new(RSA[place], Secret::Rsa(Arc::new(pair)), is_exportable, Vec::new()));
    if let Some(pairs) = &provider.pairs {
        lock(pairs)[place] = Some(Arc::clone(&key));
    }
    guest.write_word(phKey.get(), guest.process().cryptography.add(key))?;
    Ok(TRUE)
}

/// Returns a pair of the container.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetuserkey>
#[winapi]
pub fn CryptGetUserKey(
    guest: &mut Guest,
    hProv: GuestWord,
    dwKeySpec: u32,
    phUserKey: GuestWord,
) -> Result<Bool, Win32Error> {
    let key = pair(&*provider(guest, hProv)?, dwKeySpec)?;
    guest.write_word(phUserKey.get(), guest.process().cryptography.add(key))?;
    Ok(TRUE)
}

/// Returns a pair of a provider's container: `AT_KEYEXCHANGE` (1) or `AT_SIGNATURE` (2).
pub(crate) fn pair(provider: &Provider, spec: u32) -> Result<Arc<CapiKey>, Win32Error> {
    let place = (spec as usize).checked_sub(1).filter(|&place| place < 2).ok_or(nte::BAD_KEY)?;
    let pairs = provider.pairs.as_ref().ok_or(nte::NO_KEY)?;
    lock(pairs)[place].clone().ok_or(nte::NO_KEY)
}

/// Makes a second key that is as the first is now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptduplicatekey>
#[winapi]
pub fn CryptDuplicateKey(
    guest: &mut Guest,
    hKey: GuestWord,
    pdwReserved: GuestWord,
    dwFlags: u32,
    phKey: GuestWord,
) -> Result<Bool, Win32Error> {
    let key = key(guest, hKey)?;
    if !pdwReserved.is_null() || phKey.is_null() || dwFlags != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let state = Mutex::new(lock(&key.state).clone());
    let copy = CapiKey { id: key.id, secret: key.secret.clone(), is_exportable: key.is_exportable, state };
    give_key(guest, copy, phKey)
}

/// Gives a key up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptdestroykey>
#[winapi]
pub fn CryptDestroyKey(guest: &mut Guest, hKey: GuestWord) -> Result<Bool, Win32Error> {
    let found = guest.process().cryptography.remove::<Arc<CapiKey>>(hKey.get());
    found.map(|_| TRUE).ok_or(Win32Error::INVALID_PARAMETER)
}

/// What a program asks of a key, by number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetkeyparam>
mod parameter {
    pub(super) const IV: u32 = 1;
    pub(super) const SALT: u32 = 2;
    pub(super) const PADDING: u32 = 3;
    pub(super) const MODE: u32 = 4;
    pub(super) const MODE_BITS: u32 = 5;
    pub(super) const PERMISSIONS: u32 = 6;
    pub(super) const ALGID: u32 = 7;
    pub(super) const BLOCKLEN: u32 = 8;
    pub(super) const KEYLEN: u32 = 9;
    pub(super) const SALT_EX: u32 = 10;
    pub(super) const EFFECTIVE_KEYLEN: u32 = 19;
}

/// Returns a property of a key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetkeyparam>
#[winapi]
pub fn CryptGetKeyParam(
    guest: &mut Guest,
    hKey: GuestWord,
    dwParam: u32,
    pbData: GuestWord,
    pdwDataLen: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let key = key(guest, hKey)?;
    if dwFlags != 0 {
        return Err(nte::BAD_FLAGS);
    }
    let state = lock(&key.state).clone();
    let bits = match &key.secret {
        Secret::Bytes(bytes) => bytes.len() as u32 * 8,
        Secret::Rsa(pair) => pair.bits(),
    };
    let bytes = match dwParam {
        parameter::IV => state.iv,
        parameter::SALT => state.salt,
        parameter::PADDING => 1u32.to_le_bytes().to_vec(),
        parameter::MODE => state.mode.to_le_bytes().to_vec(),
        parameter::MODE_BITS => state.mode_bits.to_le_bytes().to_vec(),
        // Encrypt, decrypt, export, read, write, MAC.
        parameter::PERMISSIONS => (0x3bu32 | u32::from(key.is_exportable) << 2).to_le_bytes().to_vec(),
        parameter::ALGID => key.id.to_le_bytes().to_vec(),
        parameter::BLOCKLEN => match (&key.secret, cipher_of(key.id)) {
            (Secret::Rsa(_), _) => bits.to_le_bytes().to_vec(),
            (_, cipher) => cipher.map_or(0, |cipher| cipher.block_bytes() as u32 * 8).to_le_bytes().to_vec(),
        },
        parameter::KEYLEN => bits.to_le_bytes().to_vec(),
        parameter::EFFECTIVE_KEYLEN => state.effective_bits.to_le_bytes().to_vec(),
        _ => return Err(nte::BAD_TYPE),
    };
    give(guest, &bytes, pbData, pdwDataLen)
}

/// Changes a property of a key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptsetkeyparam>
#[winapi]
pub fn CryptSetKeyParam(
    guest: &mut Guest,
    hKey: GuestWord,
    dwParam: u32,
    pbData: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let key = key(guest, hKey)?;
    if dwFlags != 0 {
        return Err(nte::BAD_FLAGS);
    }
    let mut state = lock(&key.state);
    let number = || guest.read_u32(pbData.get()).map_err(Win32Error::from);
    match dwParam {
        parameter::IV => {
            let block = state.iv.len() as u64;
            // Null is a vector of zeros.
            state.iv = if pbData.is_null() {
                vec![0; block as usize]
            } else {
                guest.read_vec(pbData.get(), block)?
            };
            state.chain = state.iv.clone();
        }
        parameter::SALT if !matches!(key.id, RC2 | RC4) => return Err(nte::BAD_KEY),
        parameter::SALT => {
            let size = 16usize.saturating_sub(key.secret().map_or(16, |bytes| bytes.len()));
            state.salt = guest.read_vec(pbData.get(), size as u64)?;
        }
        parameter::SALT_EX if !matches!(key.id, RC2 | RC4) => return Err(nte::BAD_KEY),
        parameter::SALT_EX => {
            let pointer = guest.machine().pointer_size();
            let size = guest.read_u32(pbData.get())?;
            let bytes = guest.read_word(pbData.get() + pointer)?;
            state.salt = guest.read_vec(bytes, u64::from(size.min(24)))?;
        }
        parameter::PADDING if number()? == 1 => {}
        parameter::PADDING => return Err(nte::BAD_DATA),
        parameter::MODE => match number()? {
            mode @ (1 | 2 | 4) => state.mode = mode,
            _ => return Err(nte::BAD_DATA),
        },
        parameter::MODE_BITS => match number()? {
            8 => state.mode_bits = 8,
            bits if bits as usize == state.iv.len() * 8 && bits != 0 => state.mode_bits = bits,
            _ => return Err(nte::BAD_DATA),
        },
        parameter::EFFECTIVE_KEYLEN if key.id != RC2 => return Err(nte::BAD_TYPE),
        parameter::EFFECTIVE_KEYLEN => match number()? {
            bits @ 1..=1024 => state.effective_bits = bits,
            _ => return Err(nte::BAD_DATA),
        },
        _ => return Err(nte::BAD_TYPE),
    }
    Ok(TRUE)
}
