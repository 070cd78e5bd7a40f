//! Signatures of certificates and other signed structures. Key items: [`PublicKey`], [`verify`].

use super::CryptoError;
use super::certificate::{Algorithm, BITS, Element, Elements, Encoded, SEQUENCE, algorithm, dotted};
use super::ecc::{Curve, EcKey};
use super::hash::HashAlgorithm;
use super::rsa::{RsaKey, SignaturePadding};

/// The key of a `SubjectPublicKeyInfo`.
#[derive(Clone)]
pub enum PublicKey {
    /// RSA.
    Rsa(RsaKey),
    /// A curve of NIST's.
    Ec(EcKey),
}

/// `rsaEncryption`.
pub const RSA: &str = "1.2.840.113549.1.1.1";
/// `id-ecPublicKey`.
pub const EC: &str = "1.2.840.10045.2.1";
/// `id-RSASSA-PSS`.
const PSS: &str = "1.2.840.113549.1.1.10";

/// The identifiers of the curves.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1.1>
pub const CURVES: [(&str, Curve); 3] =
    [("1.2.840.10045.3.1.7", Curve::P256), ("1.3.132.0.34", Curve::P384), ("1.3.132.0.35", Curve::P521)];

/// The algorithms of signatures: identifier, hash.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8017#appendix-A.2.4>, <https://www.rfc-editor.org/rfc/rfc5758#section-3.2>
const SIGNATURES: [(&str, HashAlgorithm); 11] = [
    ("1.2.840.113549.1.1.2", HashAlgorithm::Md2),
    ("1.2.840.113549.1.1.4", HashAlgorithm::Md5),
    ("1.2.840.113549.1.1.5", HashAlgorithm::Sha1),
    ("1.3.14.3.2.29", HashAlgorithm::Sha1),
    ("1.2.840.113549.1.1.11", HashAlgorithm::Sha256),
    ("1.2.840.113549.1.1.12", HashAlgorithm::Sha384),
    ("1.2.840.113549.1.1.13", HashAlgorithm::Sha512),
    ("1.2.840.10045.4.1", HashAlgorithm::Sha1),
    ("1.2.840.10045.4.3.2", HashAlgorithm::Sha256),
    ("1.2.840.10045.4.3.3", HashAlgorithm::Sha384),
    ("1.2.840.10045.4.3.4", HashAlgorithm::Sha512),
];

/// The identifiers of hashes.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8017#appendix-B.1>
pub const HASHES: [(&str, HashAlgorithm); 6] = [
    ("1.2.840.113549.2.2", HashAlgorithm::Md2),
    ("1.2.840.113549.2.5", HashAlgorithm::Md5),
    ("1.3.14.3.2.26", HashAlgorithm::Sha1),
    ("2.16.840.1.101.3.4.2.1", HashAlgorithm::Sha256),
    ("2.16.840.1.101.3.4.2.2", HashAlgorithm::Sha384),
    ("2.16.840.1.101.3.4.2.3", HashAlgorithm::Sha512),
];

impl PublicKey {
    /// Reads a key of its algorithm, the algorithm's parameters (DER) and its bits.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for other algorithms and curves, [`CryptoError::Malformed`].
    ///
    /// Source: <https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7>
    pub fn read(identifier: &str, parameters: &[u8], key: &[u8]) -> Result<Self, CryptoError> {
        match identifier {
            RSA | PSS => {
                let list = Elements::new(key, 0..key.len()).tagged(SEQUENCE)?;
                let mut numbers = Elements::new(key, list.content);
                let (modulus, exponent) = (numbers.tagged(2)?, numbers.tagged(2)?);
                RsaKey::public(&key[modulus.content], &key[exponent.content]).map(Self::Rsa)
            }
            EC => {
                let name = Elements::new(parameters, 0..parameters.len()).tagged(6)?;
                let name = dotted(&parameters[name.content]);
                let (_, curve) = CURVES.iter().find(|row| row.0 == name).ok_or(CryptoError::Unsupported)?;
                let point = key.strip_prefix(&[4]).ok_or(CryptoError::Unsupported)?;
                EcKey::public(*curve, point).map(Self::Ec)
            }
            _ => Err(CryptoError::Unsupported),
        }
    }

    /// Reads the key of a certificate.
    ///
    /// # Errors
    /// As [`PublicKey::read`].
    pub fn of(certificate: &Encoded) -> Result<Self, CryptoError> {
        let (bytes, parts) = (&certificate.bytes, &certificate.parts);
        let (identifier, parameters) = &parts.key_algorithm;
        Self::read(identifier, &bytes[parameters.clone()], &bytes[parts.key.clone()])
    }

    /// Returns the key's length as Windows counts it, in bits.
    pub fn bits(&self) -> u32 {
        match self {
            Self::Rsa(key) => key.bits(),
            Self::Ec(key) => key.curve.bits(),
        }
    }

    /// Checks the signature of a message.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] when it does not fit, [`CryptoError::Unsupported`] for algorithms that are not there.
    pub fn verify(
        &self,
        identifier: &str,
        parameters: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if let (PSS, Self::Rsa(key)) = (identifier, self) {
            let (hash, salt) = pss_parameters(parameters)?;
            return key.verify(SignaturePadding::Pss(hash, salt), &hash.hash(message), signature);
        }
        let known = SIGNATURES.iter().find(|row| row.0 == identifier);
        let (_, hash) = *known.ok_or(CryptoError::Unsupported)?;
        let is_curve = identifier.starts_with("1.2.840.10045.");
        match self {
            Self::Rsa(key) if !is_curve => {
                key.verify(SignaturePadding::Pkcs1(Some(hash)), &hash.hash(message), signature)
            }
            Self::Ec(key) if is_curve => {
                key.verify(&hash.hash(message), &two_numbers(signature, key.curve.bytes())?)
            }
            _ => Err(CryptoError::Signature),
        }
    }
}

impl PublicKey {
    /// Checks the signature of a message where the hash is said beside the algorithm, as in signed messages.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_with(
        &self,
        hash: HashAlgorithm,
        identifier: &str,
        parameters: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match self {
            Self::Rsa(key) if identifier != PSS => {
                key.verify(SignaturePadding::Pkcs1(Some(hash)), &hash.hash(message), signature)
            }
            Self::Ec(key) => key.verify(&hash.hash(message), &two_numbers(signature, key.curve.bytes())?),
            Self::Rsa(_) => self.verify(identifier, parameters, message, signature),
        }
    }
}

/// Reads the hash and the size of the salt of PSS; what is left out is SHA-1 and 20.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc4055#section-3.1>
fn pss_parameters(bytes: &[u8]) -> Result<(HashAlgorithm, usize), CryptoError> {
    let (mut hash, mut salt) = (HashAlgorithm::Sha1, 20);
    if bytes.is_empty() {
        return Ok((hash, salt));
    }
    let list = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
    for part in Elements::new(bytes, list.content) {
        let mut inner = Elements::new(bytes, part.content);
        match part.tag {
            0xa0 => {
                let (name, _) = algorithm(bytes, inner.tagged(SEQUENCE)?)?;
                hash = HASHES.iter().find(|row| row.0 == name).ok_or(CryptoError::Unsupported)?.1;
            }
            0xa2 => {
                let number = inner.tagged(2)?;
                salt = bytes[number.content].iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
            }
            _ => {}
        }
    }
    if salt > 512 { Err(CryptoError::Parameter) } else { Ok((hash, salt)) }
}

/// Turns a sequence of two numbers into both of them with a fixed size.
///
/// # Errors
/// [`CryptoError`] when the bytes are something else, or a number is larger than `size`.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3279#section-2.2.3>
pub fn two_numbers(bytes: &[u8], size: usize) -> Result<Vec<u8>, CryptoError> {
    let list = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
    let mut numbers = Elements::new(bytes, list.content);
    let mut both = Vec::with_capacity(2 * size);
    for _ in 0..2 {
        let number = &bytes[numbers.tagged(2)?.content];
        let start = number.iter().position(|&byte| byte != 0).unwrap_or(number.len());
        let missing = size.checked_sub(number.len() - start).ok_or(CryptoError::Signature)?;
        both.resize(both.len() + missing, 0);
        both.extend_from_slice(&number[start..]);
    }
    Ok(both)
}

/// A structure that is signed: what is signed, how, and the signature.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What is signed.
    pub body: Element,
    /// How.
    pub algorithm: Algorithm,
    /// The signature.
    pub signature: std::ops::Range<usize>,
}

impl Signed {
    /// Takes a signed structure apart: a certificate, a revocation list, a request.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when it is none.
    ///
    /// Source: <https://www.rfc-editor.org/rfc/rfc5280#section-4.1>
    pub fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        let outer = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
        let mut parts = Elements::new(bytes, outer.content);
        let body = parts.next().ok_or(CryptoError::Malformed)?;
        let algorithm = algorithm(bytes, parts.tagged(SEQUENCE)?)?;
        let bits = parts.tagged(BITS)?.content;
        Ok(Self { body, algorithm, signature: (bits.start + 1).min(bits.end)..bits.end })
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self, bytes: &[u8], key: &PublicKey) -> Result<(), CryptoError> {
        let (identifier, parameters) = &self.algorithm;
        let body = &bytes[self.body.whole.clone()];
        key.verify(identifier, &bytes[parameters.clone()], body, &bytes[self.signature.clone()])
    }
}

/// Says whether a certificate was signed with the key of another. Both places of the algorithm must agree.
pub fn verify(certificate: &Encoded, issuer: &Encoded) -> bool {
    let (bytes, inner) = (&certificate.bytes, &certificate.parts.signature);
    let Ok(signed) = Signed::parse(bytes) else { return false };
    let agree = inner.0 == signed.algorithm.0 && bytes[inner.1.clone()] == bytes[signed.algorithm.1.clone()];
    agree && PublicKey::of(issuer).and_then(|key| signed.verify(bytes, &key)).is_ok()
}
