//! Signed messages (PKCS #7, CMS) taken apart and verified. Key types: [`Message`], [`Signer`].
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc2315>, <https://www.rfc-editor.org/rfc/rfc5652>

use std::ops::Range;
use std::sync::Arc;

use super::CryptoError;
use super::certificate::{
    Algorithm, Elements, Encoded, IDENTIFIER, SEQUENCE, SET, algorithm, dotted, time_of,
};
use super::hash::HashAlgorithm;
use super::signed::{HASHES, PublicKey};

/// `szOID_RSA_data`.
pub const DATA: &str = "1.2.840.113549.1.7.1";
/// `szOID_RSA_signedData`.
pub const SIGNED: &str = "1.2.840.113549.1.7.2";
/// `szOID_RSA_messageDigest`.
const DIGEST: &str = "1.2.840.113549.1.9.4";
/// `szOID_RSA_signingTime`.
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
/// `szOID_RSA_counterSign`.
const COUNTERSIGNATURE: &str = "1.2.840.113549.1.9.6";
/// `szOID_RFC3161_counterSign`.
const TIMESTAMP: &str = "1.3.6.1.4.1.311.3.3.1";

const NUMBER: u8 = 2;
const OCTETS: u8 = 4;
/// The tags of what comes first and second of what may be missing.
const FIRST: u8 = 0xa0;
const SECOND: u8 = 0xa1;

/// An attribute of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// What it is.
    pub identifier: String,
    /// Its values, each whole.
    pub values: Vec<Range<usize>>,
}

/// Who signed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// All of it.
    pub whole: Range<usize>,
    /// 1 where the certificate is named by its issuer and number.
    pub version: u32,
    /// The certificate's issuer, whole.
    pub issuer: Range<usize>,
    /// The certificate's number, the most significant byte first.
    pub serial: Range<usize>,
    /// The hash.
    pub hash: Algorithm,
    /// The attributes that are signed, whole, where there are any.
    pub signed_part: Option<Range<usize>>,
    /// The attributes that are signed.
    pub signed: Vec<Attribute>,
    /// The signature's algorithm.
    pub algorithm: Algorithm,
    /// The signature.
    pub signature: Range<usize>,
    /// The attributes that are not signed.
    pub unsigned: Vec<Attribute>,
}

/// A signed message: where its parts lie in its bytes.
#[derive(Clone, Debug)]
pub struct Message {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The version.
    pub version: u32,
    /// What is signed: [`DATA`] or another kind.
    pub content_kind: String,
    /// What is signed, without its header; `None` where it is not in the message.
    pub content: Option<Range<usize>>,
    /// The certificates that came along, each whole.
    pub certificates: Vec<Range<usize>>,
    /// The revocation lists that came along, each whole.
    pub revocation_lists: Vec<Range<usize>>,
    /// Who signed.
    pub signers: Vec<Signer>,
    /// The signed message without the name of its kind.
    pub bare: Range<usize>,
}

fn number(bytes: &[u8], content: Range<usize>) -> u32 {
    bytes[content].iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte))
}

fn attributes(bytes: &[u8], content: Range<usize>) -> Result<Vec<Attribute>, CryptoError> {
    let one = |element: super::certificate::Element| {
        let mut parts = Elements::new(bytes, element.content);
        let identifier = dotted(&bytes[parts.tagged(IDENTIFIER)?.content]);
        let values = parts.tagged(SET)?.content;
        Ok(Attribute { identifier, values: Elements::new(bytes, values).map(|value| value.whole).collect() })
    };
    Elements::new(bytes, content).map(one).collect()
}

impl Signer {
    fn parse(bytes: &[u8], whole: Range<usize>) -> Result<Self, CryptoError> {
        let outer = Elements::new(bytes, whole.clone()).tagged(SEQUENCE)?;
        let mut parts = Elements::new(bytes, outer.content);
        let version = number(bytes, parts.tagged(NUMBER)?.content);
        // Those that name a certificate by its key's identifier are not known.
        let name = parts.tagged(SEQUENCE).map_err(|_| CryptoError::Unsupported)?;
        let mut name = Elements::new(bytes, name.content);
        let (issuer, serial) = (name.tagged(SEQUENCE)?.whole, name.tagged(NUMBER)?.content);
        let hash = algorithm(bytes, parts.tagged(SEQUENCE)?)?;
        let signed = if parts.peek() == Some(FIRST) { Some(parts.tagged(FIRST)?) } else { None };
        let how = algorithm(bytes, parts.tagged(SEQUENCE)?)?;
        let signature = parts.tagged(OCTETS)?.content;
        let unsigned = if parts.peek() == Some(SECOND) { Some(parts.tagged(SECOND)?) } else { None };
        let list = |part: Option<&super::certificate::Element>| {
            part.map_or(Ok(Vec::new()), |part| attributes(bytes, part.content.clone()))
        };
        Ok(Self {
            whole,
            version,
            issuer,
            serial,
            hash,
            signed: list(signed.as_ref())?,
            signed_part: signed.map(|part| part.whole),
            algorithm: how,
            signature,
            unsigned: list(unsigned.as_ref())?,
        })
    }

    /// Returns the hash that is signed.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for one that is not there.
    pub fn hash(&self) -> Result<HashAlgorithm, CryptoError> {
        HASHES.iter().find(|row| row.0 == self.hash.0).map(|row| row.1).ok_or(CryptoError::Unsupported)
    }

    fn attribute<'a>(list: &'a [Attribute], identifier: &str) -> Option<&'a Range<usize>> {
        list.iter().find(|one| one.identifier == identifier)?.values.first()
    }

    /// Says whether a certificate is the signer's.
    pub fn is_of(&self, bytes: &[u8], certificate: &Encoded) -> bool {
        let serial = &certificate.bytes[certificate.parts.serial.clone()];
        bytes[self.issuer.clone()] == *certificate.issuer() && bytes[self.serial.clone()] == *serial
    }

    /// Checks the signature of a content.
    ///
    /// # Errors
    /// - [`CryptoError::Tag`] when the content has another hash
    /// - [`CryptoError::Signature`] when the signature does not fit the key
    /// - [`CryptoError::Unsupported`] for algorithms that are not there
    pub fn verify(&self, bytes: &[u8], content: &[u8], key: &PublicKey) -> Result<(), CryptoError> {
        let hash = self.hash()?;
        let signature = &bytes[self.signature.clone()];
        let (identifier, parameters) = (&self.algorithm.0, &bytes[self.algorithm.1.clone()]);
        let Some(part) = &self.signed_part else {
            return key.verify_with(hash, identifier, parameters, content, signature);
        };
        let digest = Self::attribute(&self.signed, DIGEST).ok_or(CryptoError::Malformed)?;
        let digest = Elements::new(bytes, digest.clone()).tagged(OCTETS)?.content;
        if bytes[digest] != hash.hash(content)[..] {
            return Err(CryptoError::Tag);
        }
        // They are signed as a set, not as a part of the signer.
        let mut signed = bytes[part.clone()].to_vec();
        if let Some(tag) = signed.first_mut() {
            *tag = SET;
        }
        key.verify_with(hash, identifier, parameters, &signed, signature)
    }

    /// Returns the signed time of the signature, if it says one.
    pub fn signing_time(&self, bytes: &[u8]) -> Option<u64> {
        let value = Self::attribute(&self.signed, SIGNING_TIME)?;
        let time = Elements::new(bytes, value.clone()).next()?;
        time_of(&bytes[time.content], time.tag)
    }
}

impl Message {
    /// Takes a signed message apart.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`]; [`CryptoError::Unsupported`] for messages of other kinds.
    pub fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        let outer = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
        let mut parts = Elements::new(bytes, outer.content);
        if dotted(&bytes[parts.tagged(IDENTIFIER)?.content]) != SIGNED {
            return Err(CryptoError::Unsupported);
        }
        let inside = parts.tagged(FIRST)?.content;
        let signed = Elements::new(bytes, inside.clone()).tagged(SEQUENCE)?;
        let mut parts = Elements::new(bytes, signed.content.clone());
        let version = number(bytes, parts.tagged(NUMBER)?.content);
        parts.tagged(SET)?;
        let what = parts.tagged(SEQUENCE)?;
        let mut what = Elements::new(bytes, what.content);
        let content_kind = dotted(&bytes[what.tagged(IDENTIFIER)?.content]);
        let content = match what.next() {
            Some(explicit) => Elements::new(bytes, explicit.content).next().map(|inner| inner.content),
            None => None,
        };
        let mut lists = [Vec::new(), Vec::new()];
        for (tag, list) in [FIRST, SECOND].into_iter().zip(&mut lists) {
            if parts.peek() == Some(tag) {
                *list = Elements::new(bytes, parts.tagged(tag)?.content).map(|one| one.whole).collect();
            }
        }
        let signers = Elements::new(bytes, parts.tagged(SET)?.content)
            .map(|signer| Signer::parse(bytes, signer.whole))
            .collect::<Result<_, _>>()?;
        let [certificates, revocation_lists] = lists;
        Ok(Self {
            bytes: bytes[..outer.whole.end].to_vec(),
            version,
            content_kind,
            content,
            certificates,
            revocation_lists,
            signers,
            bare: signed.whole,
        })
    }

    /// Returns the certificates that came along.
    pub fn encoded_certificates(&self) -> Vec<Arc<Encoded>> {
        let read = |range: &Range<usize>| Encoded::new(self.bytes[range.clone()].to_vec()).ok();
        self.certificates.iter().filter_map(read).collect()
    }

    /// Finds a signer's certificate among some.
    pub fn certificate_of(&self, signer: &Signer, among: &[Arc<Encoded>]) -> Option<Arc<Encoded>> {
        among.iter().find(|one| signer.is_of(&self.bytes, one)).cloned()
    }

    /// Checks a signer's signature with the certificate that came along; returns the certificate.
    ///
    /// # Errors
    /// As [`Signer::verify`], and [`CryptoError::Parameter`] where no certificate came along.
    pub fn verify(&self, signer: &Signer, content: &[u8]) -> Result<Arc<Encoded>, CryptoError> {
        let certificate = self.certificate_of(signer, &self.encoded_certificates());
        let certificate = certificate.ok_or(CryptoError::Parameter)?;
        signer.verify(&self.bytes, content, &PublicKey::of(&certificate)?)?;
        Ok(certificate)
    }

    /// Returns what is signed, where it is in the message.
    pub fn content(&self) -> Option<&[u8]> {
        self.content.clone().map(|range| &self.bytes[range])
    }

    /// Returns when somebody else signed a signer's signature: the time, that one's certificate, and others for its chain.
    pub fn countersigned(&self, signer: &Signer) -> Option<(u64, Arc<Encoded>, Vec<Arc<Encoded>>)> {
        let signature = &self.bytes[signer.signature.clone()];
        if let Some(value) = Signer::attribute(&signer.unsigned, COUNTERSIGNATURE) {
            let other = Signer::parse(&self.bytes, value.clone()).ok()?;
            let certificate = self.verify(&other, signature).ok()?;
            return Some((other.signing_time(&self.bytes)?, certificate, self.encoded_certificates()));
        }
        let value = Signer::attribute(&signer.unsigned, TIMESTAMP)?;
        let token = Self::parse(&self.bytes[value.clone()]).ok()?;
        let content = token.content()?;
        let certificate = token.verify(token.signers.first()?, content).ok()?;
        let time = stamped(content, signature)?;
        Some((time, certificate, token.encoded_certificates()))
    }
}

/// Returns the time of a time stamp, if it is one of these bytes.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2>
fn stamped(token: &[u8], of: &[u8]) -> Option<u64> {
    const GENERALIZED_TIME: u8 = 0x18;
    let list = Elements::new(token, 0..token.len()).tagged(SEQUENCE).ok()?;
    let mut parts = Elements::new(token, list.content);
    parts.tagged(NUMBER).ok()?;
    parts.tagged(IDENTIFIER).ok()?;
    let mut imprint = Elements::new(token, parts.tagged(SEQUENCE).ok()?.content);
    let (name, _) = algorithm(token, imprint.tagged(SEQUENCE).ok()?).ok()?;
    let hash = HASHES.iter().find(|row| row.0 == name)?.1;
    let digest = imprint.tagged(OCTETS).ok()?.content;
    parts.tagged(NUMBER).ok()?;
    let time = parts.tagged(GENERALIZED_TIME).ok()?;
    (token[digest] == hash.hash(of)[..]).then(|| time_of(&token[time.content], time.tag))?
}
