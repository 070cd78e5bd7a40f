//! Page tables of 2, 3 and 4 levels: [`PageTables`], their entries, and the walk of the processor through them.
//!
//! Source: Intel SDM volume 3A, chapter 4 "Paging" (32-bit, PAE and 4-level paging).

mod entry;
mod tables;
mod walk;

pub use entry::{Entry, EntryBits};
pub use tables::PageTables;
pub use walk::{Walk, WalkEnd, WalkStep};

use serde::{Deserialize, Serialize};

/// The form of the page tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// 32-bit paging: 10 + 10 + 12 bits, entries of 4 bytes, no NX bit.
    TwoLevel,
    /// Physical address extension: 2 + 9 + 9 + 12 bits, entries of 8 bytes.
    Pae,
    /// 4-level paging: 9 + 9 + 9 + 9 + 12 bits, entries of 8 bytes.
    #[default]
    FourLevel,
}

impl Format {
    /// Returns how many tables a walk passes.
    pub const fn levels(self) -> u8 {
        match self {
            Self::TwoLevel => 2,
            Self::Pae => 3,
            Self::FourLevel => 4,
        }
    }

    /// Returns how many bits of an address choose the entry at `level` (1 is the lowest), and from which bit.
    pub const fn index_bits(self, level: u8) -> (u32, u32) {
        match (self, level) {
            (Self::TwoLevel, _) => (12 + 10 * (level as u32 - 1), 10),
            (Self::Pae, 3) => (30, 2),
            _ => (12 + 9 * (level as u32 - 1), 9),
        }
    }

    /// Returns which entry of the table at `level` an address chooses.
    pub const fn index(self, level: u8, address: u64) -> u16 {
        let (shift, bits) = self.index_bits(level);
        ((address >> shift) & ((1 << bits) - 1)) as u16
    }

    /// Returns how many bytes one entry takes.
    pub const fn entry_bytes(self) -> u64 {
        match self {
            Self::TwoLevel => 4,
            Self::Pae | Self::FourLevel => 8,
        }
    }

    /// Returns how many bits an address has that the tables translate.
    pub const fn address_bits(self) -> u32 {
        match self {
            Self::TwoLevel | Self::Pae => 32,
            Self::FourLevel => 48,
        }
    }

    /// Says whether entries can forbid instruction fetches.
    pub const fn has_nx(self) -> bool {
        !matches!(self, Self::TwoLevel)
    }

    /// Returns what Intel calls the table at `level`.
    pub const fn table_name(self, level: u8) -> &'static str {
        match (self, level) {
            (_, 1) => "page table",
            (_, 2) => "page directory",
            (Self::Pae | Self::FourLevel, 3) => "page directory pointer table",
            _ => "PML4",
        }
    }
}
