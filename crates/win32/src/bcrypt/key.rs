//! bcrypt.h: keys of ciphers and secrets that keys are made of.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::algorithm::{Algorithm, AlgorithmState, Kind, algorithm, text};
use super::hash::check_object;
use super::property::{give, object_length};
use crate::NtStatus;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::crypto::CryptoError;
use crate::logic::crypto::cipher::{BlockCipher, BlockKey};
use crate::logic::crypto::ecc::EcKey;
use crate::logic::crypto::hash::HashAlgorithm;
use crate::logic::crypto::rsa::RsaKey;
use crate::logic::crypto::stream::Rc4;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full BCryptGenerateSymmetricKey;
    partial BCryptImportKey, "not RFC 3565 wrapped keys";
    partial BCryptExportKey, "not RFC 3565 wrapped keys, not DH, DSA and CryptoAPI's blobs";
    full BCryptDuplicateKey;
    full BCryptDestroyKey;
};

impl From<CryptoError> for NtStatus {
    /// Translates what a rule refused.
    ///
    /// Source: the pages of `BCryptEncrypt`, `BCryptDecrypt` and `BCryptVerifySignature` at
    /// <https://learn.microsoft.com/windows/win32/api/bcrypt/>
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::DataLength(_) => Self::INVALID_BUFFER_SIZE,
            CryptoError::KeyLength(_) | CryptoError::Parameter | CryptoError::Malformed => {
                Self::INVALID_PARAMETER
            }
            CryptoError::Padding => Self::UNSUCCESSFUL,
            CryptoError::Tag => Self(0xC000_A002),
            CryptoError::Signature => Self::INVALID_SIGNATURE,
            CryptoError::Unsupported => Self::NOT_SUPPORTED,
        }
    }
}

/// The secret itself, ready for its algorithm.
#[derive(Clone, Debug)]
pub(crate) enum Material {
    /// A key of a block cipher.
    Block {
        /// Made ready.
        key: BlockKey,
        /// As it was given.
        bytes: Vec<u8>,
    },
    /// A key of RC4.
    Stream {
        /// As it was given.
        bytes: Vec<u8>,
    },
    /// What keys are derived from.
    Secret {
        /// As it was given.
        bytes: Vec<u8>,
    },
    /// A key on a curve.
    Curve(EcKey),
    /// A key of RSA.
    Rsa(Arc<RsaKey>),
    /// A pair that is not made yet.
    Unfinished {
        /// Its size.
        bits: u32,
    },
}

impl Material {
    /// Makes a key of the right size for an algorithm.
    fn new(kind: Kind, bytes: &[u8]) -> Result<Self, NtStatus> {
        let bytes = bytes.to_vec();
        match kind {
            Kind::Block(cipher) => {
                let (least, most, step) = cipher.key_bits();
                let mut bytes = bytes;
                // Windows takes as much of a long key as the algorithm has.
                bytes.truncate(most as usize / 8);
                if (bytes.len() as u32) < least / 8 {
                    return Err(NtStatus::INVALID_PARAMETER);
                }
                if cipher == BlockCipher::Aes {
                    bytes.truncate(bytes.len() / (step as usize / 8) * (step as usize / 8));
                }
                Ok(Self::Block { key: BlockKey::new(cipher, &bytes)?, bytes })
            }
            Kind::Rc4 if (1..=64).contains(&bytes.len()) => Ok(Self::Stream { bytes }),
            Kind::Derivation(_) => Ok(Self::Secret { bytes }),
            Kind::Rc4 => Err(NtStatus::INVALID_PARAMETER),
            _ => Err(NtStatus::NOT_SUPPORTED),
        }
    }

    /// Makes a key of RC2 with a limited strength.
    pub(crate) fn rc2(bytes: &[u8], effective_bits: u32) -> Result<Self, NtStatus> {
        Ok(Self::Block { key: BlockKey::rc2(bytes, effective_bits as usize)?, bytes: bytes.to_vec() })
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Block { bytes, .. } | Self::Stream { bytes } | Self::Secret { bytes } => Some(bytes),
            Self::Curve(_) | Self::Rsa(_) | Self::Unfinished { .. } => None,
        }
    }

    /// Says whether there is one key for both sides.
    pub(crate) fn is_symmetric(&self) -> bool {
        self.bytes().is_some()
    }

    /// Returns the size of the key in bits.
    pub(crate) fn bits(&self) -> u32 {
        match self {
            Self::Curve(key) => key.curve.bits(),
            Self::Rsa(key) => key.bits(),
            Self::Unfinished { bits } => *bits,
            _ => self.bytes().map_or(0, |bytes| bytes.len() as u32 * 8),
        }
    }

    /// Returns the size of signatures in bytes.
    pub(crate) fn signature_bytes(&self) -> Option<u32> {
        match self {
            Self::Curve(key) => Some(2 * key.curve.bytes() as u32),
            Self::Rsa(key) => Some(key.bytes() as u32),
            _ => None,
        }
    }
}

/// What HKDF was told before it makes keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct DerivationState {
    pub(crate) hash: Option<HashAlgorithm>,
    pub(crate) key: Option<Vec<u8>>,
}

/// What may change of a key.
#[derive(Clone, Debug)]
pub(crate) struct KeyState {
    pub(crate) material: Material,
    pub(crate) settings: AlgorithmState,
    /// What the next block depends on, where a call brings no such block.
    pub(crate) iv: Vec<u8>,
    pub(crate) effective_bits: u32,
    pub(crate) derivation: DerivationState,
    /// The running state of RC4.
    pub(crate) stream: Option<Rc4>,
}

/// A key's handle leads here.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) algorithm: Arc<Algorithm>,
    pub(crate) state: Mutex<KeyState>,
}

impl Key {
    /// Makes a key with the settings of its algorithm.
    pub(crate) fn new(algorithm: Arc<Algorithm>, material: Material) -> Self {
        let settings = *lock(&algorithm.state);
        let (iv, stream) = match &material {
            Material::Block { key, .. } => (vec![0; key.block_bytes()], None),
            Material::Stream { bytes } => (Vec::new(), Some(Rc4::new(bytes))),
            _ => (Vec::new(), None),
        };
        let effective_bits = material.bits();
        let state = KeyState {
            material,
            settings,
            iv,
            effective_bits,
            derivation: DerivationState::default(),
            stream,
        };
        Self { algorithm, state: Mutex::new(state) }
    }
}

/// Returns the key of a handle.
pub(crate) fn key(guest: &Guest, handle: GuestWord) -> Result<Arc<Key>, NtStatus> {
    guest.process().cryptography.get(handle.get()).ok_or(NtStatus::INVALID_HANDLE)
}

/// Adds a key to the process and writes its handle.
pub(crate) fn give_key(guest: &Guest, key: Key, into: GuestWord) -> Result<(), NtStatus> {
    Ok(guest.write_word(into.get(), guest.process().cryptography.add(key))?)
}

/// Makes a key of bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptgeneratesymmetrickey>
#[winapi]
pub fn BCryptGenerateSymmetricKey(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    phKey: GuestWord,
    pbKeyObject: GuestWord,
    cbKeyObject: u32,
    pbSecret: GuestWord,
    cbSecret: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let algorithm = algorithm(guest, hAlgorithm)?;
    if phKey.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    check_object(pbKeyObject, cbKeyObject, object_length(algorithm.kind))?;
    let bytes = guest.read_vec(pbSecret.get(), u64::from(cbSecret))?;
    let material = Material::new(algorithm.kind, &bytes)?;
    give_key(guest, Key::new(algorithm, material), phKey)
}

/// `BCRYPT_KEY_DATA_BLOB_MAGIC`, `KDBM`.
const DATA_MAGIC: u32 = 0x4d42_444b;
/// What begins the blobs of this implementation's own form.
const OPAQUE_MAGIC: u32 = 0x4b41_4c50;

/// Returns a blob: what it is, version 1, the key's size, the key.
fn blob(magic: u32, bytes: &[u8]) -> Vec<u8> {
    let header = [magic, 1, bytes.len() as u32];
    header.iter().flat_map(|word| word.to_le_bytes()).chain(bytes.iter().copied()).collect()
}

/// Returns the key in a blob.
fn unblob(magic: u32, blob: &[u8]) -> Option<&[u8]> {
    let (header, rest) = blob.split_at_checked(12)?;
    let word = |at: usize| Some(u32::from_le_bytes(*header.get(at..)?.first_chunk()?));
    rest.get(..word(8)? as usize).filter(|_| word(0) == Some(magic) && word(4) == Some(1))
}

/// Returns what begins a blob of a type.
fn magic_of(blob_type: &str) -> Result<u32, NtStatus> {
    match blob_type {
        "KeyDataBlob" => Ok(DATA_MAGIC),
        "OpaqueKeyBlob" => Ok(OPAQUE_MAGIC),
        _ => Err(NtStatus::NOT_SUPPORTED),
    }
}

/// Makes a key of a blob.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptimportkey>
#[winapi]
pub fn BCryptImportKey(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    hImportKey: GuestWord,
    pszBlobType: GuestWord,
    phKey: GuestWord,
    pbKeyObject: GuestWord,
    cbKeyObject: u32,
    pbInput: GuestWord,
    cbInput: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let algorithm = algorithm(guest, hAlgorithm)?;
    if phKey.is_null() || pszBlobType.is_null() || pbInput.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if !hImportKey.is_null() {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    check_object(pbKeyObject, cbKeyObject, object_length(algorithm.kind))?;
    let magic = magic_of(&text(guest, pszBlobType)?)?;
    let input = guest.read_vec(pbInput.get(), u64::from(cbInput))?;
    let bytes = unblob(magic, &input).ok_or(NtStatus::INVALID_PARAMETER)?;
    let material = Material::new(algorithm.kind, bytes)?;
    give_key(guest, Key::new(algorithm, material), phKey)
}

/// Returns a key as a blob.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptexportkey>
#[winapi]
pub fn BCryptExportKey(
    guest: &mut Guest,
    hKey: GuestWord,
    hExportKey: GuestWord,
    pszBlobType: GuestWord,
    pbOutput: GuestWord,
    cbOutput: u32,
    pcbResult: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let key = key(guest, hKey)?;
    if pszBlobType.is_null() || pcbResult.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if !hExportKey.is_null() {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    let blob_type = text(guest, pszBlobType)?;
    let material = lock(&key.state).material.clone();
    let bytes = match material.bytes() {
        Some(bytes) => blob(magic_of(&blob_type)?, bytes),
        None => super::pair::export(&key.algorithm, &material, &blob_type)?,
    };
    give(guest, &bytes, pbOutput, cbOutput, pcbResult)
}

/// Makes a second key that is as the first is now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptduplicatekey>
#[winapi]
pub fn BCryptDuplicateKey(
    guest: &mut Guest,
    hKey: GuestWord,
    phNewKey: GuestWord,
    pbKeyObject: GuestWord,
    cbKeyObject: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let key = key(guest, hKey)?;
    if phNewKey.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    check_object(pbKeyObject, cbKeyObject, object_length(key.algorithm.kind))?;
    let state = lock(&key.state).clone();
    give_key(guest, Key { algorithm: Arc::clone(&key.algorithm), state: Mutex::new(state) }, phNewKey)
}

/// Gives a key up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptdestroykey>
#[winapi]
pub fn BCryptDestroyKey(guest: &mut Guest, hKey: GuestWord) -> Result<(), NtStatus> {
    guest.process().cryptography.remove::<Key>(hKey.get()).map(|_| ()).ok_or(NtStatus::INVALID_HANDLE)
}
