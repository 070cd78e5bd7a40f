//! Block ciphers and their chaining modes.
//!
//! Key types: [`BlockCipher`] (which algorithm), [`BlockKey`] (a key made ready), [`Chaining`].

use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};

use super::CryptoError;

/// A block cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockCipher {
    /// FIPS 197, with keys of 16, 24 and 32 bytes.
    Aes,
    /// FIPS 46-3.
    Des,
    /// DES three times with three keys.
    TripleDes,
    /// DES three times with two keys.
    TripleDes112,
    /// RFC 2268, with an effective key as long as the key.
    Rc2,
}

impl BlockCipher {
    /// Returns the size of a block in bytes.
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::Aes => 16,
            _ => 8,
        }
    }

    /// Returns the least key, the greatest and the step between two lengths, in bits without parity's.
    pub const fn key_bits(self) -> (u32, u32, u32) {
        match self {
            Self::Aes => (128, 256, 64),
            Self::Des => (64, 64, 0),
            Self::TripleDes => (192, 192, 0),
            Self::TripleDes112 => (128, 128, 0),
            Self::Rc2 => (16, 128, 8),
        }
    }
}

/// The round keys of one algorithm.
#[derive(Clone)]
enum Schedule {
    Aes128(Box<aes::Aes128>),
    Aes192(Box<aes::Aes192>),
    Aes256(Box<aes::Aes256>),
    Des(Box<des::Des>),
    TripleDes(Box<des::TdesEde3>),
    TripleDes112(Box<des::TdesEde2>),
    Rc2(Box<rc2::Rc2>),
}

/// Hands a call to whichever schedule there is; `$block` becomes the type that it takes.
macro_rules! each_schedule {
    ($schedule:expr, $key:ident => $call:expr) => {
        match $schedule {
            Schedule::Aes128($key) => $call,
            Schedule::Aes192($key) => $call,
            Schedule::Aes256($key) => $call,
            Schedule::Des($key) => $call,
            Schedule::TripleDes($key) => $call,
            Schedule::TripleDes112($key) => $call,
            Schedule::Rc2($key) => $call,
        }
    };
}

/// A key of a block cipher, ready for use.
#[derive(Clone)]
pub struct BlockKey {
    cipher: BlockCipher,
    schedule: Schedule,
}

impl std::fmt::Debug for BlockKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlockKey({:?})", self.cipher)
    }
}

impl BlockKey {
    /// Makes a key ready.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for a length that the cipher does not have.
    pub fn new(cipher: BlockCipher, key: &[u8]) -> Result<Self, CryptoError> {
        match cipher {
            BlockCipher::Rc2 => Self::rc2(key, key.len() * 8),
            _ => Self::fixed(cipher, key).ok_or(CryptoError::KeyLength(key.len())),
        }
    }

    fn fixed(cipher: BlockCipher, key: &[u8]) -> Option<Self> {
        let schedule = match (cipher, key.len()) {
            (BlockCipher::Aes, 16) => Schedule::Aes128(Box::new(aes::Aes128::new_from_slice(key).ok()?)),
            (BlockCipher::Aes, 24) => Schedule::Aes192(Box::new(aes::Aes192::new_from_slice(key).ok()?)),
            (BlockCipher::Aes, 32) => Schedule::Aes256(Box::new(aes::Aes256::new_from_slice(key).ok()?)),
            (BlockCipher::Des, 8) => Schedule::Des(Box::new(des::Des::new_from_slice(key).ok()?)),
            (BlockCipher::TripleDes, 24) => {
                Schedule::TripleDes(Box::new(des::TdesEde3::new_from_slice(key).ok()?))
            }
            (BlockCipher::TripleDes112, 16) => {
                Schedule::TripleDes112(Box::new(des::TdesEde2::new_from_slice(key).ok()?))
            }
            _ => return None,
        };
        Some(Self { cipher, schedule })
    }

    /// Makes a key of RC2 ready whose strength is limited to a number of bits.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for keys that are empty or over 128 bytes, and for strengths outside 1 to 1024 bits.
    pub fn rc2(key: &[u8], effective_bits: usize) -> Result<Self, CryptoError> {
        if key.is_empty() || key.len() > 128 || !(1..=1024).contains(&effective_bits) {
            return Err(CryptoError::KeyLength(key.len()));
        }
        let schedule = Schedule::Rc2(Box::new(rc2::Rc2::new_with_eff_key_len(key, effective_bits)));
        Ok(Self { cipher: BlockCipher::Rc2, schedule })
    }

    /// Returns the size of a block in bytes.
    pub const fn block_bytes(&self) -> usize {
        self.cipher.block_bytes()
    }

    /// Encrypts one block in place.
    pub fn encrypt_block(&self, block: &mut [u8]) {
        each_schedule!(&self.schedule, key => key.encrypt_block(GenericArray::from_mut_slice(block)));
    }

    /// Decrypts one block in place.
    pub fn decrypt_block(&self, block: &mut [u8]) {
        each_schedule!(&self.schedule, key => key.decrypt_block(GenericArray::from_mut_slice(block)));
    }
}

/// How blocks depend on those before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chaining {
    /// Not at all.
    Ecb,
    /// On the encrypted block before.
    Cbc,
    /// On as many encrypted bytes before as a block has, some bytes at a time.
    Cfb {
        /// How many bytes at a time: 1, or a block.
        segment: usize,
    },
}

impl Chaining {
    /// Returns the number of bytes of which data without padding must be a multiple.
    pub const fn unit(self, block_bytes: usize) -> usize {
        match self {
            Self::Ecb | Self::Cbc => block_bytes,
            Self::Cfb { segment } => segment,
        }
    }

    /// Encrypts data in place; `iv` holds what the next call continues with.
    ///
    /// # Errors
    /// [`CryptoError::DataLength`] for a part of a unit, [`CryptoError::Parameter`] for an `iv` that is not a block.
    pub fn encrypt(self, key: &BlockKey, iv: &mut [u8], data: &mut [u8]) -> Result<(), CryptoError> {
        self.check(key, iv, data)?;
        for unit in data.chunks_exact_mut(self.unit(key.block_bytes())) {
            match self {
                Self::Ecb => key.encrypt_block(unit),
                Self::Cbc => {
                    xor(unit, iv);
                    key.encrypt_block(unit);
                    iv.copy_from_slice(unit);
                }
                Self::Cfb { .. } => {
                    xor(unit, &feedback(key, iv));
                    shift_in(iv, unit);
                }
            }
        }
        Ok(())
    }

    /// Decrypts data in place; `iv` holds what the next call continues with.
    ///
    /// # Errors
    /// As [`Self::encrypt`].
    pub fn decrypt(self, key: &BlockKey, iv: &mut [u8], data: &mut [u8]) -> Result<(), CryptoError> {
        self.check(key, iv, data)?;
        for unit in data.chunks_exact_mut(self.unit(key.block_bytes())) {
            match self {
                Self::Ecb => key.decrypt_block(unit),
                Self::Cbc => {
                    let next = unit.to_vec();
                    key.decrypt_block(unit);
                    xor(unit, iv);
                    iv.copy_from_slice(&next);
                }
                Self::Cfb { .. } => {
                    let stream = feedback(key, iv);
                    shift_in(iv, unit);
                    xor(unit, &stream);
                }
            }
        }
        Ok(())
    }

    fn check(self, key: &BlockKey, iv: &[u8], data: &[u8]) -> Result<(), CryptoError> {
        let block = key.block_bytes();
        let segment_fits = !matches!(self, Self::Cfb { segment } if segment == 0 || segment > block);
        if !segment_fits || self != Self::Ecb && iv.len() != block {
            return Err(CryptoError::Parameter);
        }
        match data.len().is_multiple_of(self.unit(block)) {
            true => Ok(()),
            false => Err(CryptoError::DataLength(data.len())),
        }
    }
}

/// Returns the bytes that hide the next segment.
fn feedback(key: &BlockKey, iv: &[u8]) -> Vec<u8> {
    let mut stream = iv.to_vec();
    key.encrypt_block(&mut stream);
    stream
}

/// Drops the first bytes of the register and takes an encrypted segment in at its end.
fn shift_in(register: &mut [u8], segment: &[u8]) {
    register.copy_within(segment.len().., 0);
    let start = register.len() - segment.len();
    register[start..].copy_from_slice(segment);
}

/// Adds bytes without carry, as many as both have.
pub fn xor(into: &mut [u8], with: &[u8]) {
    into.iter_mut().zip(with).for_each(|(byte, other)| *byte ^= other);
}

/// Appends the padding of PKCS #7: as many bytes as are missing, each of which says how many.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5652#section-6.3>
pub fn pad(data: &mut Vec<u8>, block_bytes: usize) {
    let missing = block_bytes - data.len() % block_bytes;
    data.resize(data.len() + missing, missing as u8);
}

/// Removes the padding of PKCS #7.
///
/// # Errors
/// [`CryptoError::Padding`] when it is not one.
pub fn unpad(data: &mut Vec<u8>, block_bytes: usize) -> Result<(), CryptoError> {
    let count = usize::from(*data.last().ok_or(CryptoError::Padding)?);
    let is_sound = (1..=block_bytes.min(data.len())).contains(&count)
        && data[data.len() - count..].iter().all(|&byte| usize::from(byte) == count);
    if !is_sound {
        return Err(CryptoError::Padding);
    }
    data.truncate(data.len() - count);
    Ok(())
}

#[cfg(test)]
#[path = "cipher_tests.rs"]
mod tests;
