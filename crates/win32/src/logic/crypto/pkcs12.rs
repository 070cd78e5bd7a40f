//! Files of certificates and private keys (PKCS #12) taken apart. Key items: [`Pfx`], [`read`], [`check`].
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc7292>

use std::ops::Range;

use super::CryptoError;
use super::certificate::{Elements, IDENTIFIER, SEQUENCE, SET, algorithm, dotted, string};
use super::cipher::{BlockCipher, BlockKey, Chaining, unpad};
use super::ecc::EcKey;
use super::hash::HashAlgorithm;
use super::kdf::pbkdf2;
use super::rsa::RsaKey;
use super::signed::{CURVES, EC, HASHES, RSA};
use super::stream::Rc4;

/// `data` and `encryptedData`.
const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED: &str = "1.2.840.113549.1.7.6";
/// `pbes2`, `pbkdf2`.
const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
/// What the identifiers of bags and of the older ways of encryption begin with.
const BAG: &str = "1.2.840.113549.1.12.10.1.";
const OLD_WAY: &str = "1.2.840.113549.1.12.1.";
/// `friendlyName`, `localKeyId`.
const FRIENDLY_NAME: &str = "1.2.840.113549.1.9.20";
const KEY_ID: &str = "1.2.840.113549.1.9.21";
/// More rounds than this are taken for an attack.
const MOST_ROUNDS: u64 = 10_000_000;
/// How deep bags may lie in bags.
const MOST_DEPTH: usize = 8;

/// A bag's content with what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bag<T> {
    /// The certificate or the key.
    pub content: T,
    /// The name that users see.
    pub friendly_name: Option<String>,
    /// What a certificate and its key have in common.
    pub key_id: Option<Vec<u8>>,
}

/// A private key.
#[derive(Clone, Debug)]
pub enum PrivateKey {
    /// RSA.
    Rsa(RsaKey),
    /// A curve of NIST's.
    Ec(EcKey),
}

/// What is in a file.
#[derive(Clone, Debug, Default)]
pub struct Pfx {
    /// The certificates, encoded.
    pub certificates: Vec<Bag<Vec<u8>>>,
    /// The private keys, of kinds that are known.
    pub keys: Vec<Bag<PrivateKey>>,
}

/// The bytes of a password: UTF-16 with the most significant byte first and a zero; nothing at all for none.
fn password_bytes(password: Option<&[u16]>) -> Vec<u8> {
    let Some(units) = password else { return Vec::new() };
    units.iter().chain(&[0]).flat_map(|unit| unit.to_be_bytes()).collect()
}

/// Fills `into` with bytes made of a password for a purpose: 1 a key, 2 a start of a chain, 3 a key of a code.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc7292#appendix-B.2>
pub fn derive(
    hash: HashAlgorithm,
    password: &[u8],
    (salt, rounds): (&[u8], u64),
    purpose: u8,
    into: &mut [u8],
) {
    let block = hash.block_bytes();
    let filled = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().copied().cycle().take(bytes.len().div_ceil(block) * block).collect()
    };
    let mut state = [filled(salt), filled(password)].concat();
    for piece in into.chunks_mut(hash.digest_bytes()) {
        let mut digest = hash.hash(&[&vec![purpose; block][..], &state].concat());
        for _ in 1..rounds {
            digest = hash.hash(&digest);
        }
        piece.copy_from_slice(&digest[..piece.len()]);
        let addend: Vec<u8> = digest.iter().copied().cycle().take(block).collect();
        for part in state.chunks_mut(block) {
            let mut carry = 1u16;
            for (byte, other) in part.iter_mut().zip(&addend).rev() {
                carry += u16::from(*byte) + u16::from(*other);
                *byte = carry as u8;
                carry >>= 8;
            }
        }
    }
}

/// Returns a small whole number.
fn number(bytes: &[u8], content: Range<usize>) -> Result<u64, CryptoError> {
    match bytes[content] {
        [first, ..] if first & 0x80 != 0 => Err(CryptoError::Malformed),
        ref digits if digits.len() <= 8 => {
            Ok(digits.iter().fold(0, |number, &digit| number << 8 | u64::from(digit)))
        }
        _ => Err(CryptoError::Malformed),
    }
}

/// Returns a number of rounds.
fn rounds(bytes: &[u8], content: Range<usize>) -> Result<u64, CryptoError> {
    number(bytes, content).and_then(|number| match number {
        1..=MOST_ROUNDS => Ok(number),
        _ => Err(CryptoError::Malformed),
    })
}

/// Returns the type and the inner part of a `ContentInfo`.
fn content_info(bytes: &[u8], whole: Range<usize>) -> Result<(String, Range<usize>), CryptoError> {
    let mut parts = Elements::new(bytes, Elements::new(bytes, whole).tagged(SEQUENCE)?.content);
    let kind = dotted(&bytes[parts.tagged(IDENTIFIER)?.content]);
    Ok((kind, parts.tagged(0xa0)?.content))
}

/// The outside of a file: what is protected, and the rest, in which the code may be.
struct Outside {
    protected: Range<usize>,
    code: Option<Range<usize>>,
}

/// Takes the outside of a file apart.
fn outside(bytes: &[u8]) -> Result<Outside, CryptoError> {
    let mut parts = Elements::new(bytes, Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?.content);
    if number(bytes, parts.tagged(2)?.content)? != 3 {
        return Err(CryptoError::Malformed);
    }
    let (kind, content) = content_info(bytes, parts.tagged(SEQUENCE)?.whole)?;
    if kind != DATA {
        return Err(CryptoError::Unsupported);
    }
    let protected = Elements::new(bytes, content).tagged(4)?.content;
    Ok(Outside { protected, code: parts.tagged(SEQUENCE).ok().map(|code| code.content) })
}

/// Says whether bytes have the outside of such a file.
pub fn is_pfx(bytes: &[u8]) -> bool {
    outside(bytes).is_ok()
}

/// Checks that a password is the one of a file; one without a code has none.
///
/// # Errors
/// [`CryptoError::Tag`] for another password or changed bytes, [`CryptoError::Malformed`] for other bytes,
/// [`CryptoError::Unsupported`].
pub fn check(bytes: &[u8], password: Option<&[u16]>) -> Result<(), CryptoError> {
    let outside = outside(bytes)?;
    let Some(code) = outside.code else { return Ok(()) };
    let mut parts = Elements::new(bytes, code);
    let mut info = Elements::new(bytes, parts.tagged(SEQUENCE)?.content);
    let (name, _) = algorithm(bytes, info.tagged(SEQUENCE)?)?;
    let hash = HASHES.iter().find(|row| row.0 == name).ok_or(CryptoError::Unsupported)?.1;
    let digest = &bytes[info.tagged(4)?.content];
    let salt = &bytes[parts.tagged(4)?.content];
    let count = parts.tagged(2).map_or(Ok(1), |count| rounds(bytes, count.content))?;
    let mut key = vec![0; hash.digest_bytes()];
    derive(hash, &password_bytes(password), (salt, count), 3, &mut key);
    match hash.hmac(&key, &bytes[outside.protected]) == digest {
        true => Ok(()),
        false => Err(CryptoError::Tag),
    }
}

/// Decrypts blocks that are chained.
fn decrypt_blocks(key: &BlockKey, iv: &mut [u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut plain = data.to_vec();
    Chaining::Cbc.decrypt(key, iv, &mut plain)?;
    unpad(&mut plain, key.block_bytes())?;
    Ok(plain)
}

/// Decrypts what is encrypted in one of the older ways, by its number.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc7292#appendix-C>
fn decrypt_old(
    way: &str,
    (parameters, at): (&[u8], Range<usize>),
    password: &[u8],
    data: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let mut parts = Elements::new(parameters, Elements::new(parameters, at).tagged(SEQUENCE)?.content);
    let salt = &parameters[parts.tagged(4)?.content];
    let count = rounds(parameters, parts.tagged(2)?.content)?;
    let made = |purpose: u8, size: usize| {
        let mut bytes = vec![0; size];
        derive(HashAlgorithm::Sha1, password, (salt, count), purpose, &mut bytes);
        bytes
    };
    let key = match way {
        "1" | "2" => {
            let mut plain = data.to_vec();
            Rc4::new(&made(1, if way == "1" { 16 } else { 5 })).apply(&mut plain);
            return Ok(plain);
        }
        "3" => BlockKey::new(BlockCipher::TripleDes, &made(1, 24))?,
        "4" => BlockKey::new(BlockCipher::TripleDes112, &made(1, 16))?,
        "5" => BlockKey::rc2(&made(1, 16), 128)?,
        "6" => BlockKey::rc2(&made(1, 5), 40)?,
        _ => return Err(CryptoError::Unsupported),
    };
    decrypt_blocks(&key, &mut made(2, 8), data)
}

/// Decrypts what is encrypted in the newer way, with a key by PBKDF2. The password is text in UTF-8 there.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8018#appendix-A.4>
fn decrypt_new(bytes: &[u8], at: Range<usize>, password: &str, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut parts = Elements::new(bytes, Elements::new(bytes, at).tagged(SEQUENCE)?.content);
    let (maker, maker_at) = algorithm(bytes, parts.tagged(SEQUENCE)?)?;
    let (cipher, cipher_at) = algorithm(bytes, parts.tagged(SEQUENCE)?)?;
    if maker != PBKDF2 {
        return Err(CryptoError::Unsupported);
    }
    let mut settings = Elements::new(bytes, Elements::new(bytes, maker_at).tagged(SEQUENCE)?.content);
    let salt = &bytes[settings.tagged(4)?.content];
    let count = rounds(bytes, settings.tagged(2)?.content)?;
    let _length = settings.tagged(2);
    let hash = match settings.tagged(SEQUENCE) {
        Ok(code) => match algorithm(bytes, code)?.0.as_str() {
            "1.2.840.113549.2.7" => HashAlgorithm::Sha1,
            "1.2.840.113549.2.9" => HashAlgorithm::Sha256,
            "1.2.840.113549.2.10" => HashAlgorithm::Sha384,
            "1.2.840.113549.2.11" => HashAlgorithm::Sha512,
            _ => return Err(CryptoError::Unsupported),
        },
        Err(_) => HashAlgorithm::Sha1,
    };
    let (cipher, size) = match cipher.as_str() {
        "2.16.840.1.101.3.4.1.2" => (BlockCipher::Aes, 16),
        "2.16.840.1.101.3.4.1.22" => (BlockCipher::Aes, 24),
        "2.16.840.1.101.3.4.1.42" => (BlockCipher::Aes, 32),
        "1.2.840.113549.3.7" => (BlockCipher::TripleDes, 24),
        _ => return Err(CryptoError::Unsupported),
    };
    let mut iv = bytes[Elements::new(bytes, cipher_at).tagged(4)?.content].to_vec();
    let mut key = vec![0; size];
    pbkdf2(hash, password.as_bytes(), salt, count, &mut key);
    decrypt_blocks(&BlockKey::new(cipher, &key)?, &mut iv, data)
}

/// Reads with a password.
struct Reader<'a> {
    password: Option<&'a [u16]>,
    pfx: Pfx,
}

impl Reader<'_> {
    /// Decrypts data by the `AlgorithmIdentifier` in front of it.
    fn decrypt(&self, bytes: &[u8], sequence: Range<usize>, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let sequence = Elements::new(bytes, sequence).tagged(SEQUENCE)?;
        let (name, parameters) = algorithm(bytes, sequence)?;
        match name.strip_prefix(OLD_WAY) {
            Some(way) => decrypt_old(way, (bytes, parameters), &password_bytes(self.password), data),
            None if name == PBES2 => {
                let text = String::from_utf16_lossy(self.password.unwrap_or_default());
                decrypt_new(bytes, parameters, &text, data)
            }
            None => Err(CryptoError::Unsupported),
        }
    }

    /// Reads one part of the file, plain or encrypted.
    fn part(&mut self, bytes: &[u8], whole: Range<usize>) -> Result<(), CryptoError> {
        let (kind, content) = content_info(bytes, whole)?;
        match kind.as_str() {
            DATA => {
                let inner = Elements::new(bytes, content).tagged(4)?.content;
                self.bags(&bytes[inner], 0)
            }
            ENCRYPTED => {
                let mut parts = Elements::new(bytes, Elements::new(bytes, content).tagged(SEQUENCE)?.content);
                parts.tagged(2)?;
                let mut info = Elements::new(bytes, parts.tagged(SEQUENCE)?.content);
                info.tagged(IDENTIFIER)?;
                let way = info.tagged(SEQUENCE)?.whole;
                let data = &bytes[info.tagged(0x80)?.content];
                let plain = self.decrypt(bytes, way, data)?;
                self.bags(&plain, 0)
            }
            _ => Err(CryptoError::Unsupported),
        }
    }

    /// Reads a list of bags.
    fn bags(&mut self, bytes: &[u8], depth: usize) -> Result<(), CryptoError> {
        if depth > MOST_DEPTH {
            return Err(CryptoError::Malformed);
        }
        let list = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
        for bag in Elements::new(bytes, list.content) {
            let mut parts = Elements::new(bytes, bag.content);
            let kind = dotted(&bytes[parts.tagged(IDENTIFIER)?.content]);
            let content = parts.tagged(0xa0)?.content;
            let (friendly_name, key_id) =
                parts.tagged(SET).map_or((None, None), |set| attributes(bytes, set.content));
            let key = match kind.strip_prefix(BAG) {
                Some("1") => Some(bytes[content].to_vec()),
                Some("2") => {
                    let shroud = Elements::new(bytes, content).tagged(SEQUENCE)?;
                    let mut parts = Elements::new(bytes, shroud.content);
                    let way = parts.tagged(SEQUENCE)?.whole;
                    let data = &bytes[parts.tagged(4)?.content];
                    Some(self.decrypt(bytes, way, data)?)
                }
                Some("3") => {
                    if let Some(content) = certificate(bytes, content)? {
                        self.pfx.certificates.push(Bag { content, friendly_name, key_id });
                    }
                    continue;
                }
                Some("6") => {
                    self.bags(&bytes[content], depth + 1)?;
                    continue;
                }
                // Revocation lists and secrets of other programs.
                _ => continue,
            };
            if let Some(key) = key {
                match private_key(&key) {
                    Ok(content) => self.pfx.keys.push(Bag { content, friendly_name, key_id }),
                    Err(CryptoError::Unsupported) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Returns the name and the key's identifier among attributes.
fn attributes(bytes: &[u8], list: Range<usize>) -> (Option<String>, Option<Vec<u8>>) {
    let (mut name, mut id) = (None, None);
    for attribute in Elements::new(bytes, list) {
        let mut parts = Elements::new(bytes, attribute.content);
        let (Ok(kind), Ok(values)) = (parts.tagged(IDENTIFIER), parts.tagged(SET)) else { continue };
        let Some(value) = Elements::new(bytes, values.content).next() else { continue };
        match dotted(&bytes[kind.content]).as_str() {
            FRIENDLY_NAME => name = Some(string(&bytes[value.content], value.tag)),
            KEY_ID => id = Some(bytes[value.content].to_vec()),
            _ => {}
        }
    }
    (name, id)
}

/// Returns the certificate of a bag, if it is one of X.509.
fn certificate(bytes: &[u8], content: Range<usize>) -> Result<Option<Vec<u8>>, CryptoError> {
    const X509: &str = "1.2.840.113549.1.9.22.1";
    let mut parts = Elements::new(bytes, Elements::new(bytes, content).tagged(SEQUENCE)?.content);
    let kind = dotted(&bytes[parts.tagged(IDENTIFIER)?.content]);
    let inner = Elements::new(bytes, parts.tagged(0xa0)?.content).tagged(4)?;
    Ok((kind == X509).then(|| bytes[inner.content].to_vec()))
}

/// Reads a private key with its algorithm (PKCS #8).
///
/// # Errors
/// [`CryptoError::Malformed`], [`CryptoError::Unsupported`] for other algorithms and curves.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5208#section-5>
pub fn private_key(bytes: &[u8]) -> Result<PrivateKey, CryptoError> {
    let mut parts = Elements::new(bytes, Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?.content);
    parts.tagged(2)?;
    let (name, parameters) = algorithm(bytes, parts.tagged(SEQUENCE)?)?;
    let inner = parts.tagged(4)?.content;
    let mut key = Elements::new(bytes, Elements::new(bytes, inner).tagged(SEQUENCE)?.content);
    key.tagged(2)?;
    match name.as_str() {
        RSA => {
            let mut number = || key.tagged(2).map(|element| &bytes[element.content]);
            let (_modulus, exponent, _private) = (number()?, number()?, number()?);
            RsaKey::private(exponent, number()?, number()?).map(PrivateKey::Rsa)
        }
        EC => {
            let curve = dotted(&bytes[Elements::new(bytes, parameters).tagged(IDENTIFIER)?.content]);
            let curve = CURVES.iter().find(|row| row.0 == curve).ok_or(CryptoError::Unsupported)?.1;
            EcKey::private(curve, &bytes[key.tagged(4)?.content]).map(PrivateKey::Ec)
        }
        _ => Err(CryptoError::Unsupported),
    }
}

/// Reads a file with its password.
///
/// # Errors
/// [`CryptoError::Tag`] for another password, [`CryptoError::Malformed`], [`CryptoError::Unsupported`].
pub fn read(bytes: &[u8], password: Option<&[u16]>) -> Result<Pfx, CryptoError> {
    check(bytes, password)?;
    let inside = &bytes[outside(bytes)?.protected];
    let list = Elements::new(inside, 0..inside.len()).tagged(SEQUENCE)?;
    let mut reader = Reader { password, pfx: Pfx::default() };
    for part in Elements::new(inside, list.content) {
        reader.part(inside, part.whole)?;
    }
    Ok(reader.pfx)
}

#[cfg(test)]
#[path = "pkcs12_tests.rs"]
mod tests;
