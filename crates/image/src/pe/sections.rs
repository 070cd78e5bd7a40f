//! The section table: [`Section`] and [`SectionFlags`].

use plat_regions::Access;

use super::PAGE;
use super::headers::{Fields, Headers};
use crate::{FileOffset, ImageError, Rva};

bitflags::bitflags! {
    /// What a section holds and what may be done with it.
    ///
    /// Source: PE Format, "Section Flags".
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct SectionFlags: u32 {
        /// Executable code.
        const CNT_CODE = 0x0000_0020;
        /// Initialised data.
        const CNT_INITIALIZED_DATA = 0x0000_0040;
        /// Uninitialised data.
        const CNT_UNINITIALIZED_DATA = 0x0000_0080;
        /// May be dropped once the image is loaded.
        const MEM_DISCARDABLE = 0x0200_0000;
        /// All processes that load the image share its pages.
        const MEM_SHARED = 0x1000_0000;
        /// Instructions may be fetched.
        const MEM_EXECUTE = 0x2000_0000;
        /// Data may be read.
        const MEM_READ = 0x4000_0000;
        /// Data may be written.
        const MEM_WRITE = 0x8000_0000;
        const _ = !0;
    }
}

/// An entry of the section table, as it is in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Up to eight bytes, padded with NUL.
    pub raw_name: [u8; 8],
    /// Size in memory; zero means [`Section::raw_size`].
    pub virtual_size: u32,
    /// Start in memory.
    pub virtual_address: Rva,
    /// `SizeOfRawData`.
    pub raw_size: u32,
    /// `PointerToRawData`, before Windows rounds it down to 512.
    pub raw_pointer: FileOffset,
    /// Flags.
    pub flags: SectionFlags,
    /// Where the entry itself is.
    pub(super) entry_offset: u64,
}

impl Section {
    /// Returns the name; bytes outside printable ASCII appear as `\xNN`.
    pub fn name(&self) -> String {
        let length = self.raw_name.iter().position(|&byte| byte == 0).unwrap_or(8);
        self.raw_name[..length].escape_ascii().to_string()
    }

    /// Returns the size in memory in bytes, not rounded: `VirtualSize`, or `SizeOfRawData` where that is zero.
    pub fn mapped_bytes(&self) -> u32 {
        if self.virtual_size == 0 { self.raw_size } else { self.virtual_size }
    }

    /// Returns how many bytes come from the file: no more than the section's pages hold, none without a pointer.
    pub fn file_bytes(&self) -> u64 {
        if self.raw_pointer.get() == 0 {
            return 0;
        }
        let pages = u64::from(self.mapped_bytes()).next_multiple_of(PAGE);
        u64::from(self.raw_size).min(pages)
    }

    /// Returns what may be done with the section's pages.
    ///
    /// On x86 what may be executed or written can be read too, and Windows counts on it.
    pub fn access(&self) -> Access {
        let mut access = Access::empty();
        if self.flags.contains(SectionFlags::MEM_EXECUTE) {
            access |= Access::EXECUTE | Access::READ;
        }
        if self.flags.contains(SectionFlags::MEM_WRITE) {
            access |= Access::WRITE | Access::READ;
        }
        if self.flags.contains(SectionFlags::MEM_READ) {
            access |= Access::READ;
        }
        access
    }
}

/// Reads the section table; the table must lie in the bytes, its values are judged by `segments`.
pub(super) fn read(name: &str, bytes: &[u8], headers: &Headers) -> Result<Vec<Section>, ImageError> {
    let zero_past_end = headers.is_low_alignment() && !headers.mapped;
    let fields = Fields { name, bytes, mapped: headers.mapped, zero_past_end };
    let count = u64::from(headers.section_count);
    // A table that runs past the end is refused by read() at its first missing entry, before the list grows.
    let mut sections = Vec::new();
    for index in 0..count {
        let entry_offset = headers.section_table + index * 40;
        if zero_past_end && entry_offset >= bytes.len() as u64 {
            break;
        }
        let entry: [u8; 40] = fields.read(entry_offset, format!("section table entry {index}"))?;
        sections.push(parse_entry(&entry, entry_offset));
    }
    Ok(sections)
}

fn parse_entry(entry: &[u8; 40], entry_offset: u64) -> Section {
    let u32_at = |at: usize| {
        u32::from_le_bytes(*entry[at..].first_chunk().expect("every offset below is at most 36 of 40"))
    };
    Section {
        raw_name: *entry.first_chunk().expect("8 of 40 bytes"),
        virtual_size: u32_at(8),
        virtual_address: Rva::new(u32_at(12)),
        raw_size: u32_at(16),
        raw_pointer: FileOffset::new(u32_at(20).into()),
        flags: SectionFlags::from_bits_retain(u32_at(36)),
        entry_offset,
    }
}
