//! Signatures in PE files: where they are, and what of the file they are of.
//!
//! Source: "Windows Authenticode Portable Executable Signature Format" (2008), sections "Calculating the PE Image Hash" and
//! "Authenticode-Specific Structures"

use std::ops::Range;

use super::certificate::{Elements, SEQUENCE, algorithm};
use super::hash::HashAlgorithm;
use super::message::Message;
use super::signed::HASHES;

/// `SPC_INDIRECT_DATA_OBJID`.
const INDIRECT_DATA: &str = "1.3.6.1.4.1.311.2.1.4";
/// `WIN_CERT_TYPE_PKCS_SIGNED_DATA`.
const SIGNED_DATA: u16 = 2;
/// Bytes before a signature: length, revision, kind.
const ENTRY_HEAD: usize = 8;

/// Where in a PE file the parts lie that a signature is not of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    checksum: usize,
    entry: usize,
    /// The table of signatures; empty where there is none.
    pub table: Range<usize>,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

impl Places {
    /// Finds the places; `None` for what is no PE file.
    pub fn find(bytes: &[u8]) -> Option<Self> {
        const PE32_PLUS: [u8; 2] = [0x0b, 0x02];
        let pe = word(bytes, 0x3c)? as usize;
        if !bytes.starts_with(b"MZ") || bytes.get(pe..pe.checked_add(4)?)? != b"PE\0\0" {
            return None;
        }
        let optional = pe + 24;
        let directories = optional + if bytes.get(optional..optional + 2)? == PE32_PLUS { 112 } else { 96 };
        let entry = directories + 4 * 8;
        let has_entry = word(bytes, directories - 4)? > 4;
        let (start, size) = match has_entry {
            true => (word(bytes, entry)? as usize, word(bytes, entry + 4)? as usize),
            false => (0, 0),
        };
        let table = match size {
            0 => 0..0,
            _ => start..start.checked_add(size).filter(|&end| end <= bytes.len() && start > entry + 8)?,
        };
        bytes.get(..entry + 8)?;
        Some(Self { checksum: optional + 64, entry, table })
    }

    /// Returns the first signature in the table.
    pub fn signature<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let mut at = self.table.start;
        while at + ENTRY_HEAD < self.table.end {
            let length = word(bytes, at)? as usize;
            let kind = u16::from_le_bytes([*bytes.get(at + 6)?, *bytes.get(at + 7)?]);
            let end = at.checked_add(length).filter(|&end| end <= self.table.end && length > ENTRY_HEAD)?;
            if kind == SIGNED_DATA {
                return bytes.get(at + ENTRY_HEAD..end);
            }
            at = end.next_multiple_of(8);
        }
        None
    }

    /// Returns the hash of what a signature is of.
    pub fn hash(&self, bytes: &[u8], algorithm: HashAlgorithm) -> Vec<u8> {
        let end = if self.table.is_empty() { bytes.len() } else { self.table.start };
        let mut rest = bytes[..self.checksum].to_vec();
        rest.extend_from_slice(&bytes[self.checksum + 4..self.entry]);
        rest.extend_from_slice(&bytes[self.entry + 8..end]);
        rest.extend_from_slice(&bytes[self.table.end.max(end)..]);
        algorithm.hash(&rest).to_vec()
    }
}

/// Returns the hash of a file that a message signs: the algorithm and the hash.
pub fn signed_hash(message: &Message) -> Option<(HashAlgorithm, Vec<u8>)> {
    const OCTETS: u8 = 4;
    if message.content_kind != INDIRECT_DATA {
        return None;
    }
    // The content is without its own header: what is signed, and its hash.
    let (bytes, content) = (&message.bytes, message.content.clone()?);
    let mut parts = Elements::new(bytes, content);
    parts.tagged(SEQUENCE).ok()?;
    let mut digest = Elements::new(bytes, parts.tagged(SEQUENCE).ok()?.content);
    let (name, _) = algorithm(bytes, digest.tagged(SEQUENCE).ok()?).ok()?;
    let hash = HASHES.iter().find(|row| row.0 == name)?.1;
    Some((hash, bytes[digest.tagged(OCTETS).ok()?.content].to_vec()))
}
