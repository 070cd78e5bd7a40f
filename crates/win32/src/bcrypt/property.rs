//! bcrypt.h: the properties of algorithms, hashes and keys.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::algorithm::{Algorithm, AlgorithmState, Kind, Mode, algorithm, text};
use super::hash::{Hash, digest_bytes, object_bytes};
use super::key::{Key, Material};
use crate::NtStatus;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::crypto::cipher::{BlockCipher, Chaining};
use crate::logic::crypto::ecc::Curve;
use crate::logic::crypto::hash::HashAlgorithm;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full BCryptGetProperty;
    full BCryptSetProperty;
};

/// What a handle with properties leads to.
enum Subject {
    Algorithm(Arc<Algorithm>),
    Hash(Arc<Hash>),
    Key(Arc<Key>),
}

impl Subject {
    fn of(guest: &Guest, handle: GuestWord) -> Result<Self, NtStatus> {
        let objects = &guest.process().cryptography;
        if let Some(hash) = objects.get(handle.get()) {
            return Ok(Self::Hash(hash));
        }
        if let Some(key) = objects.get(handle.get()) {
            return Ok(Self::Key(key));
        }
        algorithm(guest, handle).map(Self::Algorithm)
    }

    fn algorithm(&self) -> &Algorithm {
        match self {
            Self::Algorithm(algorithm) => algorithm,
            Self::Hash(hash) => &hash.algorithm,
            Self::Key(key) => &key.algorithm,
        }
    }

    fn state(&self) -> AlgorithmState {
        match self {
            Self::Key(key) => lock(&key.state).settings,
            _ => *lock(&self.algorithm().state),
        }
    }

    /// Returns the value of a property.
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let (kind, state) = (self.algorithm().kind, self.state());
        Some(match name {
            "AlgorithmName" => wide(self.algorithm().name),
            "ObjectLength" | "KeyObjectLength" => number(object_length(kind)?),
            "HashDigestLength" => number(digest_bytes(kind)? as u32),
            "HashBlockLength" => match kind {
                Kind::Hash(hash) => number(hash.block_bytes() as u32),
                _ => return None,
            },
            "HashOIDList" => return None,
            "IsKeyedHash" => number(u32::from(digest_bytes(kind).map(|_| self.algorithm().is_keyed)?)),
            "IsReusableHash" => match self {
                Self::Hash(hash) => number(u32::from(hash.is_reusable)),
                _ => number(u32::from(self.algorithm().is_reusable)),
            },
            "BlockLength" => number(block_length(kind)?),
            "BlockSizeList" => number(block_length(kind)?),
            "MessageBlockLength" => match (kind, state.mode) {
                (Kind::Block(cipher), Mode::Chain(chaining)) => {
                    number(chaining.unit(cipher.block_bytes()) as u32)
                }
                (Kind::Block(cipher), _) => number(cipher.block_bytes() as u32),
                _ => return None,
            },
            "ChainingMode" if matches!(kind, Kind::Block(_) | Kind::Rc4) => wide(state.mode.name()),
            "AuthTagLength" => match state.mode {
                Mode::Gcm => numbers(&[12, 16, 1]),
                Mode::Ccm => numbers(&[4, 16, 2]),
                _ => return None,
            },
            "KeyLengths" => numbers(&key_lengths(kind)?),
            "PaddingSchemes" if kind == Kind::Rsa => number(0xf),
            "PrimitiveType" => number(primitive(kind)),
            "ECCCurveName" => wide(state.curve?.names()[0]),
            "ECCCurveNameList" if matches!(kind, Kind::Ecdsa(_) | Kind::Ecdh(_)) => {
                wide(&Curve::ALL.map(|curve| curve.names()[0]).join("\0"))
            }
            _ => return self.get_of_key(name),
        })
    }

    fn get_of_key(&self, name: &str) -> Option<Vec<u8>> {
        let Self::Key(key) = self else { return None };
        let material = lock(&key.state).material.clone();
        Some(match name {
            "KeyLength" | "KeyStrength" => number(material.bits()),
            "PublicKeyLength" if !material.is_symmetric() => number(material.bits()),
            "SignatureLength" if !material.is_symmetric() => number(material.signature_bytes()?),
            "EffectiveKeyLength" if matches!(key.algorithm.kind, Kind::Block(BlockCipher::Rc2)) => {
                number(lock(&key.state).effective_bits)
            }
            _ => return None,
        })
    }

    /// Changes a property.
    fn set(&self, name: &str, value: &[u8]) -> Result<(), NtStatus> {
        let kind = self.algorithm().kind;
        let mut settings = self.state();
        match (name, kind) {
            ("ChainingMode", Kind::Block(cipher)) => {
                let mode = Mode::named(&text_of(value)).ok_or(NtStatus::NOT_SUPPORTED)?;
                let authenticates = matches!(mode, Mode::Gcm | Mode::Ccm);
                if mode == Mode::None || authenticates && cipher != BlockCipher::Aes {
                    return Err(NtStatus::NOT_SUPPORTED);
                }
                settings.mode = mode;
            }
            ("MessageBlockLength", Kind::Block(cipher)) => {
                let segment = number_of(value)? as usize;
                let is_feedback = matches!(settings.mode, Mode::Chain(Chaining::Cfb { .. }));
                if !is_feedback || ![1, cipher.block_bytes()].contains(&segment) {
                    return Err(NtStatus::INVALID_PARAMETER);
                }
                settings.mode = Mode::Chain(Chaining::Cfb { segment });
            }
            ("ECCCurveName", Kind::Ecdsa(None) | Kind::Ecdh(None)) => {
                let name = text_of(value);
                let is_named =
                    |curve: &Curve| curve.names().iter().any(|other| other.eq_ignore_ascii_case(&name));
                settings.curve = Some(Curve::ALL.into_iter().find(is_named).ok_or(NtStatus::NOT_SUPPORTED)?);
            }
            _ => return self.set_of_key(name, value),
        }
        match self {
            Self::Key(key) => lock(&key.state).settings = settings,
            _ => *lock(&self.algorithm().state) = settings,
        }
        Ok(())
    }

    fn set_of_key(&self, name: &str, value: &[u8]) -> Result<(), NtStatus> {
        let Self::Key(key) = self else { return Err(NtStatus::NOT_SUPPORTED) };
        let mut state = lock(&key.state);
        match (name, state.material.clone()) {
            ("IV", Material::Block { key, .. }) if value.len() == key.block_bytes() => {
                state.iv = value.to_vec();
                Ok(())
            }
            ("IV", Material::Block { .. }) => Err(NtStatus::INVALID_PARAMETER),
            ("EffectiveKeyLength", Material::Block { bytes, .. })
                if key.algorithm.kind == Kind::Block(BlockCipher::Rc2) =>
            {
                let bits = number_of(value)?;
                state.material = Material::rc2(&bytes, bits)?;
                state.effective_bits = bits;
                Ok(())
            }
            ("HkdfHashAlgorithm", Material::Secret { .. }) => {
                let named = HashAlgorithm::named(&text_of(value));
                state.derivation.hash = Some(named.ok_or(NtStatus::NOT_SUPPORTED)?);
                Ok(())
            }
            ("HkdfSaltAndFinalize", Material::Secret { bytes }) => {
                let hash = state.derivation.hash.ok_or(NtStatus::INVALID_PARAMETER)?;
                state.derivation.key = Some(crate::logic::crypto::kdf::hkdf_extract(hash, value, &bytes));
                Ok(())
            }
            ("HkdfPrkAndFinalize", Material::Secret { bytes }) => {
                state.derivation.key = Some(bytes);
                Ok(())
            }
            _ => Err(NtStatus::NOT_SUPPORTED),
        }
    }
}

fn number(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// Returns words one after the other.
pub(crate) fn numbers(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn number_of(value: &[u8]) -> Result<u32, NtStatus> {
    let bytes = value.first_chunk().ok_or(NtStatus::INVALID_PARAMETER)?;
    Ok(u32::from_le_bytes(*bytes))
}

pub(crate) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// Returns the text in the bytes of a string, up to its zero.
pub(crate) fn text_of(value: &[u8]) -> String {
    let units = value.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    String::from_utf16_lossy(&units.take_while(|&unit| unit != 0).collect::<Vec<u16>>())
}

/// Returns how many bytes Windows asks programs to set aside for an algorithm's objects.
pub(crate) fn object_length(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Block(BlockCipher::Aes) => Some(654),
        Kind::Block(_) => Some(434),
        Kind::Rc4 => Some(302),
        Kind::Derivation(_) => Some(302),
        _ => object_bytes(kind),
    }
}

fn block_length(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Block(cipher) => Some(cipher.block_bytes() as u32),
        Kind::Rc4 => Some(1),
        Kind::Hash(hash) => Some(hash.block_bytes() as u32),
        Kind::Cmac => Some(16),
        _ => None,
    }
}

fn key_lengths(kind: Kind) -> Option<[u32; 3]> {
    match kind {
        Kind::Block(cipher) => {
            let (least, most, step) = cipher.key_bits();
            Some([least, most, step])
        }
        Kind::Rc4 => Some([8, 512, 8]),
        Kind::Cmac => Some([128, 256, 64]),
        Kind::Rsa => Some([512, 16384, 64]),
        Kind::Ecdsa(Some(curve)) | Kind::Ecdh(Some(curve)) => Some([curve.bits(), curve.bits(), 0]),
        Kind::Derivation(_) => Some([0, 8 * 0x1fff_ffff, 8]),
        _ => None,
    }
}

/// Returns the class of an algorithm, as its bit among the operations.
fn primitive(kind: Kind) -> u32 {
    match kind {
        Kind::Block(_) | Kind::Rc4 => 1,
        Kind::Hash(_) | Kind::Cmac => 2,
        Kind::Rsa => 4 | 0x10,
        Kind::Ecdh(_) => 8,
        Kind::Ecdsa(_) => 0x10,
        Kind::Random => 0x20,
        Kind::Derivation(_) => 0x40,
    }
}

/// Gives bytes to a program that may ask for their number only, as all functions here do.
pub(crate) fn give(
    guest: &Guest,
    bytes: &[u8],
    output: GuestWord,
    capacity: u32,
    result: GuestWord,
) -> Result<(), NtStatus> {
    if result.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    guest.write_bytes(result.get(), &(bytes.len() as u32).to_le_bytes())?;
    match output.is_null() {
        true => Ok(()),
        false if (capacity as usize) < bytes.len() => Err(NtStatus::BUFFER_TOO_SMALL),
        false => Ok(guest.write_bytes(output.get(), bytes)?),
    }
}

/// Returns the value of a property.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptgetproperty>
#[winapi]
pub fn BCryptGetProperty(
    guest: &mut Guest,
    hObject: GuestWord,
    pszProperty: GuestWord,
    pbOutput: GuestWord,
    cbOutput: u32,
    pcbResult: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    if hObject.is_null() {
        return Err(NtStatus::INVALID_HANDLE);
    }
    if pszProperty.is_null() || pcbResult.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let subject = Subject::of(guest, hObject)?;
    let name = text(guest, pszProperty)?;
    let value = match (name.as_str(), &subject) {
        ("ProviderHandle", Subject::Hash(_) | Subject::Key(_)) => {
            guest.word_bytes(guest.process().cryptography.add(reopened(subject.algorithm())))
        }
        _ => subject.get(&name).ok_or(NtStatus::NOT_SUPPORTED)?,
    };
    give(guest, &value, pbOutput, cbOutput, pcbResult)
}

/// Returns an algorithm as it was opened, for a handle of its own.
fn reopened(algorithm: &Algorithm) -> Algorithm {
    Algorithm {
        name: algorithm.name,
        kind: algorithm.kind,
        is_keyed: algorithm.is_keyed,
        is_reusable: algorithm.is_reusable,
        state: std::sync::Mutex::new(*lock(&algorithm.state)),
    }
}

/// Changes a property.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptsetproperty>
#[winapi]
pub fn BCryptSetProperty(
    guest: &mut Guest,
    hObject: GuestWord,
    pszProperty: GuestWord,
    pbInput: GuestWord,
    cbInput: u32,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    if hObject.is_null() {
        return Err(NtStatus::INVALID_HANDLE);
    }
    if pszProperty.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let subject = Subject::of(guest, hObject)?;
    let value = guest.read_vec(pbInput.get(), u64::from(cbInput))?;
    subject.set(&text(guest, pszProperty)?, &value)
}
