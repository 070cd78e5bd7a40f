//! Lists of revoked certificates taken apart. Key type: [`RevocationList`].
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc5280#section-5.1>

use std::ops::Range;

use super::CryptoError;
use super::certificate::{Algorithm, Elements, Extension, SEQUENCE, algorithm, extensions_of, time_of};
use super::layout::Item;

/// A certificate that is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its serial number, the most significant byte first.
    pub serial: Range<usize>,
    /// Since when, in units of 100 ns since 1601.
    pub since: u64,
    /// What is said of it.
    pub extensions: Vec<Extension>,
}

/// A list: its bytes, and where its parts lie in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// 1 for the second version, else 0.
    pub version: u32,
    /// How it is signed.
    pub signature: Algorithm,
    /// Who signed it, whole.
    pub issuer: Range<usize>,
    /// When it was made, in units of 100 ns since 1601.
    pub made: u64,
    /// When the next one comes; 0 where nothing is said.
    pub next: u64,
    /// The revoked certificates.
    pub entries: Vec<Entry>,
    /// What is said of the list.
    pub extensions: Vec<Extension>,
}

impl RevocationList {
    /// Takes a list apart.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        let outer = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
        let mut outer = Elements::new(bytes, outer.content);
        let mut parts = Elements::new(bytes, outer.tagged(SEQUENCE)?.content);
        // Behind it stand the algorithm again and the signature.
        outer.tagged(SEQUENCE)?;
        outer.tagged(super::certificate::BITS)?;
        let version = match parts.tagged(2) {
            Ok(version) => u32::from(*bytes[version.content].last().ok_or(CryptoError::Malformed)?),
            Err(_) => 0,
        };
        let signature = algorithm(bytes, parts.tagged(SEQUENCE)?)?;
        let issuer = parts.tagged(SEQUENCE)?.whole;
        let made = parts.next().ok_or(CryptoError::Malformed)?;
        let made = time_of(&bytes[made.content], made.tag).ok_or(CryptoError::Malformed)?;
        let next = match parts.peek() {
            Some(tag @ (0x17 | 0x18)) => {
                time_of(&bytes[parts.tagged(tag)?.content], tag).ok_or(CryptoError::Malformed)?
            }
            _ => 0,
        };
        let entries = match parts.tagged(SEQUENCE) {
            Ok(list) => Elements::new(bytes, list.content)
                .map(|element| entry(bytes, element.content))
                .collect::<Result<_, _>>()?,
            Err(_) => Vec::new(),
        };
        let extensions = parts.tagged(0xa0).map_or(Ok(Vec::new()), |part| extensions_of(bytes, part))?;
        let bytes = bytes.to_vec();
        Ok(Self { bytes, version, signature, issuer, made, next, entries, extensions })
    }

    /// Returns the place of a certificate among the revoked ones by its serial number.
    pub fn find(&self, serial: &[u8]) -> Option<usize> {
        self.entries.iter().position(|entry| &self.bytes[entry.serial.clone()] == serial)
    }

    /// Returns a revoked certificate as `CRL_ENTRY`.
    pub fn entry_item(&self, entry: &Entry) -> Item {
        Item::Inner(vec![
            Item::blob(&reversed(&self.bytes[entry.serial.clone()])),
            Item::Number(entry.since as u32),
            Item::Number((entry.since >> 32) as u32),
            self.extension_items(&entry.extensions),
        ])
    }

    fn extension_items(&self, extensions: &[Extension]) -> Item {
        let item = |extension: &Extension| {
            let value = Item::blob(&self.bytes[extension.value.clone()]);
            let critical = Item::Number(extension.is_critical.into());
            Item::Inner(vec![Item::to_text(&extension.identifier), critical, value])
        };
        Item::list(extensions.iter().map(item).collect())
    }

    /// Returns the list as `CRL_INFO`.
    pub fn items(&self) -> Vec<Item> {
        let (name, parameters) = &self.signature;
        vec![
            Item::Number(self.version),
            Item::Inner(vec![Item::to_text(name), Item::blob(&self.bytes[parameters.clone()])]),
            Item::blob(&self.bytes[self.issuer.clone()]),
            Item::Number(self.made as u32),
            Item::Number((self.made >> 32) as u32),
            Item::Number(self.next as u32),
            Item::Number((self.next >> 32) as u32),
            Item::list(self.entries.iter().map(|entry| self.entry_item(entry)).collect()),
            self.extension_items(&self.extensions),
        ]
    }
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

fn entry(bytes: &[u8], content: Range<usize>) -> Result<Entry, CryptoError> {
    let mut parts = Elements::new(bytes, content);
    let serial = parts.tagged(2)?.content;
    let since = parts.next().ok_or(CryptoError::Malformed)?;
    let since = time_of(&bytes[since.content], since.tag).ok_or(CryptoError::Malformed)?;
    // The extensions' list stands there without a tag of its own.
    let extensions = match parts.tagged(SEQUENCE) {
        Ok(list) => super::certificate::extension_list(bytes, list.content)?,
        Err(_) => Vec::new(),
    };
    Ok(Entry { serial, since, extensions })
}
