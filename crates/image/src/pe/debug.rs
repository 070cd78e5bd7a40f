//! The debug directory: [`DebugEntry`], with the path of the program database where there is one.

use super::{DirectoryKind, PeImage};
use crate::{FileOffset, ImageError, Rva};

/// The most entries that are read; linkers write fewer than ten.
const ENTRIES_MAX: u32 = 64;

/// The longest path of a program database, in bytes.
const PATH_BYTES_MAX: usize = 4096;

/// An entry of the debug directory.
///
/// Source: PE Format, "The .debug Section".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugEntry {
    /// What it is: 2 is CodeView, 12 VC_FEATURE, 13 POGO, 16 REPRO, 20 EX_DLLCHARACTERISTICS.
    pub kind: u32,
    /// `TimeDateStamp`.
    pub timestamp: u32,
    /// The size of its data, in bytes.
    pub size: u32,
    /// Where the data is in memory; zero when it is not mapped.
    pub rva: Rva,
    /// Where the data is in the file.
    pub pointer: FileOffset,
    /// Where to find the program database, for CodeView.
    pub database: Option<Database>,
}

/// How a program database (PDB) is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The GUID, as text in Windows' form, or a timestamp in the old form.
    pub id: String,
    /// How often it was written.
    pub age: u32,
    /// Its path when the image was linked.
    pub path: String,
}

impl DebugEntry {
    /// Returns the name of the entry's kind; `unknown` for numbers without one.
    ///
    /// Source: PE Format, "Debug Type".
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            1 => "COFF",
            2 => "CodeView",
            3 => "FPO",
            4 => "MISC",
            5 => "EXCEPTION",
            6 => "FIXUP",
            7 => "OMAP_TO_SRC",
            8 => "OMAP_FROM_SRC",
            9 => "BORLAND",
            11 => "CLSID",
            12 => "VC_FEATURE",
            13 => "POGO",
            14 => "ILTCG",
            15 => "MPX",
            16 => "REPRO",
            17 => "embedded PDB",
            19 => "PDB checksum",
            20 => "EX_DLLCHARACTERISTICS",
            _ => "unknown",
        }
    }
}

impl PeImage<'_> {
    /// Reads the debug directory; the list is empty when there is none.
    ///
    /// # Errors
    /// When an entry lies outside the image. Data that cannot be read is no error: debuggers alone look at it.
    pub fn debug_entries(&self) -> Result<Vec<DebugEntry>, ImageError> {
        let Some(directory) = self.headers.directory(DirectoryKind::Debug) else { return Ok(Vec::new()) };
        let count = (directory.size / 28).min(ENTRIES_MAX);
        (0..count)
            .map(|index| self.debug_entry(u64::from(directory.rva.get()) + u64::from(index) * 28))
            .collect()
    }

    fn debug_entry(&self, at: u64) -> Result<DebugEntry, ImageError> {
        let mut entry = DebugEntry {
            timestamp: self.u32_at(at + 4, "Debug TimeDateStamp")?,
            kind: self.u32_at(at + 12, "Debug Type")?,
            size: self.u32_at(at + 16, "Debug SizeOfData")?,
            rva: Rva::new(self.u32_at(at + 20, "Debug AddressOfRawData")?),
            pointer: FileOffset::new(self.u32_at(at + 24, "Debug PointerToRawData")?.into()),
            database: None,
        };
        if entry.kind == 2 {
            entry.database = self.debug_data(&entry).and_then(Database::read);
        }
        Ok(entry)
    }

    fn debug_data(&self, entry: &DebugEntry) -> Option<&[u8]> {
        if !entry.rva.is_zero()
            && let Some(bytes) = self.slice(entry.rva, entry.size)
        {
            return Some(bytes);
        }
        let start = usize::try_from(entry.pointer.get()).ok().filter(|_| !self.is_mapped())?;
        self.source().get(start..start.checked_add(entry.size as usize)?)
    }
}

impl Database {
    /// Reads a CodeView record.
    ///
    /// Source: LLVM, "The PDB File Format" (RSDS); Matt Pietrek, "Under the Hood", MSJ March 1999 (NB10).
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let text = |at: usize| {
            let tail = bytes.get(at..)?;
            let text = tail.split(|&byte| byte == 0).next()?;
            Some(String::from_utf8_lossy(&text[..text.len().min(PATH_BYTES_MAX)]).into_owned())
        };
        match bytes.first_chunk()? {
            b"RSDS" => {
                Some(Self { id: guid(bytes.get(4..)?.first_chunk()?), age: word(20)?, path: text(24)? })
            }
            b"NB10" => Some(Self { id: format!("{:08X}", word(8)?), age: word(12)?, path: text(16)? }),
            _ => None,
        }
    }
}

/// Writes a GUID as Windows does: its first three fields are little-endian numbers.
fn guid(bytes: &[u8; 16]) -> String {
    let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, rest @ ..] = *bytes;
    let (a, b, c) =
        (u32::from_le_bytes([a0, a1, a2, a3]), u16::from_le_bytes([b0, b1]), u16::from_le_bytes([c0, c1]));
    let rest: String = rest.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{a:08X}-{b:04X}-{c:04X}-{d0:02X}{d1:02X}-{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codeview_records_of_both_ages() {
        let mut bytes = b"RSDS".to_vec();
        bytes.extend(1..=16u8);
        bytes.extend(b"\x03\0\0\0C:\\a b.pdb\0rest");
        let database = Database::read(&bytes).expect("a record");
        assert_eq!(database.id, "04030201-0605-0807-090A-0B0C0D0E0F10");
        assert_eq!((database.age, database.path.as_str()), (3, r"C:\a b.pdb"));
        let old = Database::read(b"NB10\0\0\0\0\x78\x56\x34\x12\x01\0\0\0x.pdb").expect("a record");
        assert_eq!((old.id.as_str(), old.age, old.path.as_str()), ("12345678", 1, "x.pdb"));
        assert_eq!(Database::read(b"RSD"), None);
        assert_eq!(Database::read(&bytes[..20]), None);
    }
}
