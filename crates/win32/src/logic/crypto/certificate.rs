//! Certificates (X.509) taken apart: what is where in the bytes, and the texts of names.
//!
//! Key types: [`Certificate`], [`Element`].

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::CryptoError;

/// An element of DER: its tag, where it lies with its header, where its content lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The identifier: class, form, number below 31.
    pub tag: u8,
    /// Header and content.
    pub whole: Range<usize>,
    /// The content.
    pub content: Range<usize>,
}

/// Takes elements one after the other from a range of bytes.
///
/// Source: ITU-T X.690, sections 8.1 and 10.1
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    rest: Range<usize>,
}

impl<'a> Elements<'a> {
    /// Starts at the first element of a range.
    pub fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        Self { bytes, rest: range }
    }

    /// Returns the next element's tag without taking it.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.rest.clone())?.first().copied()
    }

    /// Takes the next element.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when there is none, or it has another tag.
    pub fn tagged(&mut self, tag: u8) -> Result<Element, CryptoError> {
        match self.peek() {
            Some(found) if found == tag => self.next().ok_or(CryptoError::Malformed),
            _ => Err(CryptoError::Malformed),
        }
    }
}

impl Iterator for Elements<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        let start = self.rest.start;
        let input = self.bytes.get(self.rest.clone())?;
        let (&tag, &first) = (input.first()?, input.get(1)?);
        let (header, length) = match first {
            0..=0x7f => (2, usize::from(first)),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let length = input.get(2..2 + count)?;
                (2 + count, length.iter().fold(0usize, |length, &byte| length << 8 | usize::from(byte)))
            }
            _ => return None,
        };
        let end = header.checked_add(length).filter(|&end| end <= input.len() && tag & 0x1f != 0x1f)?;
        self.rest.start = start + end;
        Some(Element { tag, whole: start..start + end, content: start + header..start + end })
    }
}

/// `SEQUENCE`.
pub const SEQUENCE: u8 = 0x30;
/// `OBJECT IDENTIFIER`.
pub const IDENTIFIER: u8 = 6;
/// `BIT STRING`.
pub const BITS: u8 = 3;
/// `SET`.
pub const SET: u8 = 0x31;

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// What it is: `2.5.29.37`.
    pub identifier: String,
    /// Whether who does not know it must refuse the certificate.
    pub is_critical: bool,
    /// Where its value lies.
    pub value: Range<usize>,
}

/// An algorithm: its identifier and where its parameters lie.
pub type Algorithm = (String, Range<usize>);

/// A certificate: where its parts lie in its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// 0 for the first version, 2 for the third.
    pub version: u32,
    /// The serial number, the most significant byte first.
    pub serial: Range<usize>,
    /// How it is signed.
    pub signature: Algorithm,
    /// Who signed it, whole.
    pub issuer: Range<usize>,
    /// From when it is valid, in units of 100 ns since 1601.
    pub not_before: u64,
    /// Until when.
    pub not_after: u64,
    /// Whose it is, whole.
    pub subject: Range<usize>,
    /// The key's algorithm.
    pub key_algorithm: Algorithm,
    /// The key.
    pub key: Range<usize>,
    /// How many bits at the end of the key do not count.
    pub key_unused_bits: u8,
    /// Its extensions.
    pub extensions: Vec<Extension>,
    /// The key with its algorithm, whole.
    pub key_info: Range<usize>,
}

/// A certificate's bytes and what is where in them.
#[derive(Debug)]
pub struct Encoded {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where its parts lie.
    pub parts: Certificate,
    /// What was said of it beside its bytes, by number (`CERT_…_PROP_ID`).
    properties: Mutex<HashMap<u32, Vec<u8>>>,
}

impl Encoded {
    /// Takes a certificate apart.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when it is none.
    pub fn new(bytes: Vec<u8>) -> Result<Arc<Self>, CryptoError> {
        let parts = Certificate::parse(&bytes)?;
        Ok(Arc::new(Self { bytes, parts, properties: Mutex::default() }))
    }

    /// Returns a second one with the same properties, which change apart from now on.
    pub fn copy(&self) -> Arc<Self> {
        let properties = self.properties.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (bytes, parts) = (self.bytes.clone(), self.parts.clone());
        Arc::new(Self { bytes, parts, properties: Mutex::new(properties) })
    }

    /// Returns a property.
    pub fn property(&self, number: u32) -> Option<Vec<u8>> {
        self.properties.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    /// Returns the numbers of all properties in their order.
    pub fn properties(&self) -> Vec<u32> {
        let properties = self.properties.lock().unwrap_or_else(PoisonError::into_inner);
        let mut numbers: Vec<u32> = properties.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// Sets a property, or takes it away.
    pub fn set_property(&self, number: u32, value: Option<Vec<u8>>) {
        let mut properties = self.properties.lock().unwrap_or_else(PoisonError::into_inner);
        match value {
            Some(value) => properties.insert(number, value),
            None => properties.remove(&number),
        };
    }

    /// Returns whose certificate it is, whole.
    pub fn subject(&self) -> &[u8] {
        &self.bytes[self.parts.subject.clone()]
    }

    /// Returns who signed it, whole.
    pub fn issuer(&self) -> &[u8] {
        &self.bytes[self.parts.issuer.clone()]
    }

    /// Returns the value of an extension.
    pub fn extension(&self, identifier: &str) -> Option<&[u8]> {
        self.parts.extension(identifier).map(|extension| &self.bytes[extension.value.clone()])
    }
}

impl Certificate {
    /// Takes a certificate apart.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when it is none.
    ///
    /// Source: <https://www.rfc-editor.org/rfc/rfc5280#section-4.1>
    pub fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        let outer = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
        let body = Elements::new(bytes, outer.content).tagged(SEQUENCE)?;
        let mut parts = Elements::new(bytes, body.content);
        let version = match parts.peek() {
            Some(0xa0) => {
                let explicit = parts.tagged(0xa0)?;
                let number = Elements::new(bytes, explicit.content).tagged(2)?;
                u32::from(*bytes[number.content].last().ok_or(CryptoError::Malformed)?)
            }
            _ => 0,
        };
        let serial = parts.tagged(2)?.content;
        let signature = algorithm(bytes, parts.tagged(SEQUENCE)?)?;
        let issuer = parts.tagged(SEQUENCE)?.whole;
        let mut times = Elements::new(bytes, parts.tagged(SEQUENCE)?.content);
        let mut time = || times.next().and_then(|time| time_of(&bytes[time.content.clone()], time.tag));
        let (not_before, not_after) = (time(), time());
        let subject = parts.tagged(SEQUENCE)?.whole;
        let key_info = parts.tagged(SEQUENCE)?;
        let mut key_parts = Elements::new(bytes, key_info.content);
        let key_algorithm = algorithm(bytes, key_parts.tagged(SEQUENCE)?)?;
        let key = key_parts.tagged(BITS)?.content;
        let key_unused_bits =
            *bytes.get(key.start).filter(|_| !key.is_empty()).ok_or(CryptoError::Malformed)?;
        let extensions = parts.find(|part| part.tag == 0xa3);
        Ok(Self {
            version,
            serial,
            signature,
            issuer,
            not_before: not_before.ok_or(CryptoError::Malformed)?,
            not_after: not_after.ok_or(CryptoError::Malformed)?,
            subject,
            key_algorithm,
            key: key.start + 1..key.end,
            key_unused_bits,
            extensions: extensions.map_or(Ok(Vec::new()), |part| extensions_of(bytes, part))?,
            key_info: key_info.whole,
        })
    }

    /// Returns the extension of this identifier.
    pub fn extension(&self, identifier: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.identifier == identifier)
    }
}

/// Takes an algorithm's identifier apart.
///
/// # Errors
/// [`CryptoError::Malformed`] when it is none.
pub fn algorithm(bytes: &[u8], sequence: Element) -> Result<Algorithm, CryptoError> {
    let mut parts = Elements::new(bytes, sequence.content.clone());
    let identifier = parts.tagged(IDENTIFIER)?;
    Ok((dotted(&bytes[identifier.content.clone()]), identifier.whole.end..sequence.content.end))
}

/// Takes a part that holds a list of extensions apart.
pub(super) fn extensions_of(bytes: &[u8], part: Element) -> Result<Vec<Extension>, CryptoError> {
    let list = Elements::new(bytes, part.content).tagged(SEQUENCE)?;
    extension_list(bytes, list.content)
}

/// Takes extensions apart.
pub(super) fn extension_list(bytes: &[u8], list: Range<usize>) -> Result<Vec<Extension>, CryptoError> {
    let extension = |element: Element| {
        let mut parts = Elements::new(bytes, element.content);
        let identifier = dotted(&bytes[parts.tagged(IDENTIFIER)?.content]);
        let critical = parts.tagged(1).ok();
        let is_critical = critical.is_some_and(|flag| bytes[flag.content].iter().any(|&byte| byte != 0));
        Ok(Extension { identifier, is_critical, value: parts.tagged(4)?.content })
    };
    Elements::new(bytes, list).map(extension).collect()
}

/// Returns an identifier with its numbers and dots.
///
/// Source: ITU-T X.690, section 8.19
pub fn dotted(content: &[u8]) -> String {
    let (mut text, mut number) = (String::new(), 0u64);
    for byte in content {
        number = number.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if text.is_empty() {
                let first = (number / 40).min(2);
                text = format!("{first}.{}", number - first * 40);
            } else {
                text += &format!(".{number}");
            }
            number = 0;
        }
    }
    text
}

/// Returns a time in units of 100 ns since 1601: two digits of the year, or four.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5>
pub fn time_of(text: &[u8], tag: u8) -> Option<u64> {
    let digits: Vec<i64> =
        text.iter().map_while(|byte| char::from(*byte).to_digit(10)).map(i64::from).collect();
    let number = |place: usize| Some(digits.get(place)? * 10 + digits.get(place + 1)?);
    let (year, rest) = match tag {
        0x17 => (number(0)? + if number(0)? < 50 { 2000 } else { 1900 }, 2),
        0x18 => (number(0)? * 100 + number(2)?, 4),
        _ => return None,
    };
    let (month, day) = (number(rest)?, number(rest + 2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1601 {
        return None;
    }
    // Years begin in March here, so that the day that is sometimes there is the last.
    let (shifted, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (153 * month + 2) / 5 + day - 1;
    let since_1601 = days - (365 * 1600 + 1600 / 4 - 1600 / 100 + 1600 / 400) - 306;
    let seconds =
        (since_1601 * 24 + number(rest + 4)?) * 3600 + number(rest + 6)? * 60 + number(rest + 8).unwrap_or(0);
    u64::try_from(seconds).ok().map(|seconds| seconds * 10_000_000)
}

/// Returns the text of a string of any kind.
pub fn string(content: &[u8], tag: u8) -> String {
    match tag {
        // BMPString
        0x1e => {
            let units = content.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            String::from_utf16_lossy(&units.collect::<Vec<u16>>())
        }
        0x0c => String::from_utf8_lossy(content).into_owned(),
        _ => content.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Returns the attributes of a name in their order: identifier and text.
pub fn attributes(bytes: &[u8], name: Range<usize>) -> Vec<(String, String)> {
    let Ok(list) = Elements::new(bytes, name).tagged(SEQUENCE) else { return Vec::new() };
    let sets = Elements::new(bytes, list.content).filter(|element| element.tag == SET);
    sets.flat_map(|set| Elements::new(bytes, set.content))
        .filter_map(|pair| {
            let mut parts = Elements::new(bytes, pair.content);
            let identifier = parts.tagged(IDENTIFIER).ok()?;
            let value = parts.next()?;
            Some((dotted(&bytes[identifier.content]), string(&bytes[value.content], value.tag)))
        })
        .collect()
}

/// Returns other names of an extension: those with a tag (1 mail, 2 DNS, 6 URL).
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6>
pub fn other_names(bytes: &[u8], value: Range<usize>, number: u8) -> Vec<String> {
    let Ok(list) = Elements::new(bytes, value).tagged(SEQUENCE) else { return Vec::new() };
    let wanted = Elements::new(bytes, list.content).filter(|element| element.tag == 0x80 | number);
    wanted.map(|element| string(&bytes[element.content], 0x16)).collect()
}

/// Returns the identifiers in a sequence, as in the extension for uses of a key.
pub fn identifiers(bytes: &[u8], value: Range<usize>) -> Vec<String> {
    let Ok(list) = Elements::new(bytes, value).tagged(SEQUENCE) else { return Vec::new() };
    let wanted = Elements::new(bytes, list.content).filter(|element| element.tag == IDENTIFIER);
    wanted.map(|element| dotted(&bytes[element.content])).collect()
}

/// Returns the certificates in texts with headers, one after the other; what is no certificate is left out.
pub fn from_texts(text: &str) -> Vec<Vec<u8>> {
    let pieces = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    pieces
        .filter_map(|piece| super::text::from_base64(piece.split("-----END").next()?))
        .filter(|bytes| Certificate::parse(bytes).is_ok())
        .collect()
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
