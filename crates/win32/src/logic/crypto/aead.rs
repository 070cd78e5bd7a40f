//! Ciphers that also authenticate (GCM, CCM), and the authentication code CMAC; all over AES.
//!
//! Key types: [`Gcm`] (in steps, its state in the caller's hands), [`ccm_encrypt`], [`Cmac`].

use ghash::GHash;
use ghash::universal_hash::{KeyInit, UniversalHash};

use super::CryptoError;
use super::cipher::{BlockKey, xor};

const BLOCK: usize = 16;

/// What GCM carries from one piece of a message to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gcm {
    /// The hash so far.
    pub hash: [u8; BLOCK],
    /// The block that the next bytes are hidden with is this one's successor, encrypted.
    pub counter: [u8; BLOCK],
    /// How many bytes were authenticated only.
    pub authenticated_bytes: u64,
    /// How many bytes were encrypted.
    pub data_bytes: u64,
}

impl Gcm {
    /// Begins a message with a nonce of 12 bytes.
    ///
    /// # Errors
    /// [`CryptoError::Parameter`] for other nonces and for ciphers of other blocks.
    ///
    /// Source: NIST SP 800-38D, section 7.1
    pub fn new(key: &BlockKey, nonce: &[u8]) -> Result<Self, CryptoError> {
        if nonce.len() != 12 || key.block_bytes() != BLOCK {
            return Err(CryptoError::Parameter);
        }
        let mut counter = [0; BLOCK];
        counter[..12].copy_from_slice(nonce);
        counter[15] = 1;
        Ok(Self { counter, ..Self::default() })
    }

    /// Adds bytes that are authenticated only; all of them come before the first encrypted byte.
    pub fn authenticate(&mut self, key: &BlockKey, bytes: &[u8]) {
        self.absorb(key, bytes);
        self.authenticated_bytes += bytes.len() as u64;
    }

    /// Encrypts a piece in place; all but the last have whole blocks.
    pub fn encrypt(&mut self, key: &BlockKey, data: &mut [u8]) {
        count_up_and_hide(key, &mut self.counter, 4, data);
        self.absorb(key, data);
        self.data_bytes += data.len() as u64;
    }

    /// Decrypts a piece in place; all but the last have whole blocks.
    pub fn decrypt(&mut self, key: &BlockKey, data: &mut [u8]) {
        self.absorb(key, data);
        count_up_and_hide(key, &mut self.counter, 4, data);
        self.data_bytes += data.len() as u64;
    }

    /// Returns the tag of the message, which began with this nonce.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn tag(mut self, key: &BlockKey, nonce: &[u8]) -> Result<[u8; BLOCK], CryptoError> {
        let mut mask = Self::new(key, nonce)?.counter;
        let mut lengths = [0; BLOCK];
        lengths[..8].copy_from_slice(&self.authenticated_bytes.wrapping_mul(8).to_be_bytes());
        lengths[8..].copy_from_slice(&self.data_bytes.wrapping_mul(8).to_be_bytes());
        self.absorb(key, &lengths);
        key.encrypt_block(&mut mask);
        xor(&mut mask, &self.hash);
        Ok(mask)
    }

    /// Takes bytes into the hash, with zeros behind them up to a block's end.
    fn absorb(&mut self, key: &BlockKey, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut hash_key = [0; BLOCK];
        key.encrypt_block(&mut hash_key);
        let mut state = GHash::new(&hash_key.into());
        // The hash is linear: what it was so far is added to the first block instead of being the state.
        let mut first = [0; BLOCK];
        let (head, rest) = bytes.split_at(bytes.len().min(BLOCK));
        first[..head.len()].copy_from_slice(head);
        xor(&mut first, &self.hash);
        state.update(&[first.into()]);
        state.update_padded(rest);
        self.hash = state.finalize().into();
    }
}

/// Hides data with encrypted counters; the last `counting` bytes of a block count.
fn count_up_and_hide(key: &BlockKey, counter: &mut [u8; BLOCK], counting: usize, data: &mut [u8]) {
    for piece in data.chunks_mut(BLOCK) {
        for byte in counter[BLOCK - counting..].iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        let mut stream = *counter;
        key.encrypt_block(&mut stream);
        xor(piece, &stream);
    }
}

/// Compares two tags in a time that does not tell where they differ.
pub fn tags_are_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// The first block of CCM, without its flags, and how many bytes count.
fn ccm_counter(nonce: &[u8]) -> Result<([u8; BLOCK], usize), CryptoError> {
    if !(7..=13).contains(&nonce.len()) {
        return Err(CryptoError::Parameter);
    }
    let counting = 15 - nonce.len();
    let mut block = [0; BLOCK];
    block[0] = (counting - 1) as u8;
    block[1..=nonce.len()].copy_from_slice(nonce);
    Ok((block, counting))
}

/// Adds bytes to a CBC-MAC, with zeros behind them up to a block's end.
fn cbc_mac(key: &BlockKey, state: &mut [u8; BLOCK], bytes: &[u8]) {
    for piece in bytes.chunks(BLOCK) {
        xor(state, piece);
        key.encrypt_block(state);
    }
}

fn ccm_tag(
    key: &BlockKey,
    nonce: &[u8],
    aad: &[u8],
    plain: &[u8],
    size: usize,
) -> Result<Vec<u8>, CryptoError> {
    let (mut first, counting) = ccm_counter(nonce)?;
    let fits = counting >= 8 || (plain.len() as u64) >> (8 * counting) == 0;
    if !fits || !(4..=16).contains(&size) || !size.is_multiple_of(2) || key.block_bytes() != BLOCK {
        return Err(CryptoError::Parameter);
    }
    let mut mask = first;
    first[0] |= (((size - 2) / 2) << 3) as u8 | if aad.is_empty() { 0 } else { 0x40 };
    let length = (plain.len() as u64).to_be_bytes();
    let tail = counting.min(8);
    first[BLOCK - tail..].copy_from_slice(&length[8 - tail..]);
    let mut state = [0; BLOCK];
    cbc_mac(key, &mut state, &first);
    if !aad.is_empty() {
        let mut prefixed = match aad.len() {
            0..0xff00 => (aad.len() as u16).to_be_bytes().to_vec(),
            _ => [&[0xff, 0xfe], &(aad.len() as u32).to_be_bytes()[..]].concat(),
        };
        prefixed.extend_from_slice(aad);
        cbc_mac(key, &mut state, &prefixed);
    }
    cbc_mac(key, &mut state, plain);
    key.encrypt_block(&mut mask);
    xor(&mut state, &mask);
    Ok(state[..size].to_vec())
}

/// Encrypts data in place with CCM; returns its tag of `tag_bytes`.
///
/// # Errors
/// [`CryptoError::Parameter`] for nonces outside 7 to 13 bytes, odd tags, and data too long for the nonce.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3610>
pub fn ccm_encrypt(
    key: &BlockKey,
    nonce: &[u8],
    aad: &[u8],
    data: &mut [u8],
    tag_bytes: usize,
) -> Result<Vec<u8>, CryptoError> {
    let tag = ccm_tag(key, nonce, aad, data, tag_bytes)?;
    let (mut counter, counting) = ccm_counter(nonce)?;
    count_up_and_hide(key, &mut counter, counting, data);
    Ok(tag)
}

/// Decrypts data in place with CCM and checks its tag.
///
/// # Errors
/// As [`ccm_encrypt`]; [`CryptoError::Tag`] when the tag is another, and the data is not to be used.
pub fn ccm_decrypt(
    key: &BlockKey,
    nonce: &[u8],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8],
) -> Result<(), CryptoError> {
    let (mut counter, counting) = ccm_counter(nonce)?;
    count_up_and_hide(key, &mut counter, counting, data);
    match tags_are_equal(&ccm_tag(key, nonce, aad, data, tag.len())?, tag) {
        true => Ok(()),
        false => Err(CryptoError::Tag),
    }
}

/// The authentication code CMAC, as a stream.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc4493>
#[derive(Clone, Debug)]
pub struct Cmac {
    key: BlockKey,
    state: [u8; BLOCK],
    /// The bytes that are not in the state yet: up to a whole block, since the last one counts otherwise.
    rest: Vec<u8>,
}

impl Cmac {
    /// Begins a code with a key of AES.
    pub fn new(key: BlockKey) -> Self {
        Self { key, state: [0; BLOCK], rest: Vec::new() }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len().saturating_sub(1) / BLOCK * BLOCK;
        cbc_mac(&self.key, &mut self.state, &self.rest[..whole]);
        self.rest.drain(..whole);
    }

    /// Returns the code of all bytes that were added.
    pub fn finish(mut self) -> Vec<u8> {
        let mut subkey = [0; BLOCK];
        self.key.encrypt_block(&mut subkey);
        double(&mut subkey);
        if self.rest.len() < BLOCK {
            double(&mut subkey);
            self.rest.push(0x80);
        }
        xor(&mut subkey, &self.rest);
        cbc_mac(&self.key, &mut self.state, &subkey);
        self.state.to_vec()
    }
}

/// Doubles a number of GF(2^128).
fn double(block: &mut [u8; BLOCK]) {
    let number = u128::from_be_bytes(*block);
    let overflow = if number >> 127 == 1 { 0x87 } else { 0 };
    *block = (number << 1 ^ overflow).to_be_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::crypto::cipher::BlockCipher;
    use crate::logic::crypto::test_hex::hex;

    fn aes(key: &str) -> BlockKey {
        BlockKey::new(BlockCipher::Aes, &hex(key)).expect("a key of AES")
    }

    /// Source: the GCM specification of McGrew and Viega, test cases 1, 2 and 4.
    #[test]
    fn gcm_has_the_published_tags() {
        let zero_key = "00000000000000000000000000000000";
        let zero_nonce = "000000000000000000000000";
        let plain = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                     1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
        let encrypted = "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
                         21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091";
        let cases = [
            (zero_key, zero_nonce, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
            (
                zero_key,
                zero_nonce,
                "",
                zero_key,
                "0388dace60b6a392f328c2b971b2fe78",
                "ab6e47d42cec13bdf53a67b21257bddf",
            ),
            (
                "feffe9928665731c6d6a8f9467308308",
                "cafebabefacedbaddecaf888",
                "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                plain,
                encrypted,
                "5bc94fbc3221a5db94fae95ae7121a47",
            ),
        ];
        for (key, nonce, aad, plain, encrypted, tag) in cases {
            let (key, nonce) = (aes(key), hex(nonce));
            for piece in [16, 32, 1000] {
                let mut state = Gcm::new(&key, &nonce).expect("12 bytes");
                for aad in hex(aad).chunks(piece) {
                    state.authenticate(&key, aad);
                }
                let mut data = hex(plain);
                data.chunks_mut(piece).for_each(|data| state.encrypt(&key, data));
                assert_eq!(data, hex(encrypted));
                assert_eq!(state.tag(&key, &nonce).expect("12 bytes").to_vec(), hex(tag));
            }
        }
    }

    /// Source: RFC 3610, packet vectors 1 and 4 (which has 12 bytes of header).
    #[test]
    fn ccm_has_the_published_packets() {
        let key = aes("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf");
        let cases = [
            (
                "00000003020100a0a1a2a3a4a5",
                "0001020304050607",
                "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
                "588c979a61c663d2f066d0c2c0f989806d5f6b61dac384",
                "17e8d12cfdf926e0",
            ),
            (
                "00000006050403a0a1a2a3a4a5",
                "000102030405060708090a0b",
                "0c0d0e0f101112131415161718191a1b1c1d1e",
                "a28c6865939a9a79faaa5c4c2a9d4a91cdac8c",
                "96c861b9c9e61ef1",
            ),
        ];
        for (nonce, aad, plain, encrypted, tag) in cases {
            let (nonce, aad, mut data) = (hex(nonce), hex(aad), hex(plain));
            assert_eq!(ccm_encrypt(&key, &nonce, &aad, &mut data, 8), Ok(hex(tag)));
            assert_eq!(data, hex(encrypted));
            assert_eq!(ccm_decrypt(&key, &nonce, &aad, &mut data.clone(), &hex(tag)), Ok(()));
            data[0] ^= 1;
            assert_eq!(ccm_decrypt(&key, &nonce, &aad, &mut data, &hex(tag)), Err(CryptoError::Tag));
        }
        assert_eq!(ccm_encrypt(&key, &[0; 14], &[], &mut [], 8), Err(CryptoError::Parameter));
        assert_eq!(ccm_encrypt(&key, &[0; 12], &[], &mut [], 7), Err(CryptoError::Parameter));
    }

    /// Source: RFC 4493, section 4.
    #[test]
    fn cmac_has_the_published_codes() {
        let message = hex(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef",
        );
        for (length, code) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
        ] {
            let mut mac = Cmac::new(aes("2b7e151628aed2a6abf7158809cf4f3c"));
            message[..length].chunks(5).for_each(|piece| mac.update(piece));
            assert_eq!(mac.finish(), hex(code));
        }
    }
}
