//! What the processor does to translate an address, step by step: [`Walk`].

use plat_regions::{Access, Address};
use serde::Serialize;

use super::{Entry, EntryBits, PageTables};
use crate::frames::FrameId;

/// One table that a walk looks into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WalkStep {
    /// Which level: 1 is the page table.
    pub level: u8,
    /// What Intel calls the table.
    pub table: &'static str,
    /// The frame of the table.
    pub frame: FrameId,
    /// The lowest bit of the address that chooses the entry.
    pub low_bit: u32,
    /// The highest bit (inclusive).
    pub high_bit: u32,
    /// Which entry.
    pub index: u16,
    /// The physical address of the entry.
    pub entry_at: u64,
    /// What stands there.
    pub entry: Entry,
    /// The names of its bits, highest first.
    pub bits: Vec<&'static str>,
}

/// How a walk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WalkEnd {
    /// The address is translated and the access allowed.
    Done {
        /// The physical address.
        physical: u64,
    },
    /// The entry of this level is not present.
    NotPresent {
        /// Which level.
        level: u8,
    },
    /// The entries forbid the access.
    Forbidden {
        /// Which bit is missing, or in the way: `W`, `U` or `NX`.
        bit: &'static str,
    },
    /// The address has bits that the tables do not translate.
    NotCanonical,
}

/// The processor's way from an address to a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Walk {
    /// The address.
    pub address: Address,
    /// The tables, from the top.
    pub steps: Vec<WalkStep>,
    /// How it ended.
    pub end: WalkEnd,
    /// The lowest 12 bits, which no table translates.
    pub offset: u16,
}

impl Walk {
    /// Returns the entry of the page, when the walk came that far.
    pub fn leaf(&self) -> Option<Entry> {
        self.steps.last().filter(|step| step.level == 1).map(|step| step.entry)
    }

    /// Writes the walk for people, one line per table.
    pub fn to_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.steps.iter().map(step_line).collect();
        lines.push(match self.end {
            WalkEnd::Done { physical } => {
                format!("bits 11..0 = {:#x}: physical address {physical:#x}", self.offset)
            }
            WalkEnd::NotPresent { level } => format!("page fault: the entry of level {level} is not present"),
            WalkEnd::Forbidden { bit } => format!("page fault: the bit {bit} forbids this access"),
            WalkEnd::NotCanonical => "general protection fault: the address is not canonical".into(),
        });
        lines
    }
}

fn step_line(step: &WalkStep) -> String {
    let bits = format!("bits {}..{}", step.high_bit, step.low_bit);
    let (frame, index, at, entry) = (step.frame.0, step.index, step.entry_at, step.entry);
    format!("{} in frame {frame}: {bits} = {index}, entry at {at:#x}: {entry}", step.table)
}

impl PageTables {
    /// Walks the tables as the processor does for an access from user mode; changes nothing.
    pub fn walk(&self, address: Address, access: Access) -> Walk {
        let format = self.format();
        let offset = (address.get() & 0xfff) as u16;
        let mut walk = Walk { address, steps: Vec::new(), end: WalkEnd::NotCanonical, offset };
        // User addresses only: the upper half belongs to the kernel.
        if address.get() >> (format.address_bits() - u32::from(format.levels() == 4)) != 0 {
            return walk;
        }
        let mut table = self.root();
        let mut rights = EntryBits::WRITE | EntryBits::USER;
        let mut nx = false;
        for level in (1..=format.levels()).rev() {
            let (low_bit, width) = format.index_bits(level);
            let index = format.index(level, address.get());
            let entry = self.tables.get(&table).and_then(|table| table.entries.get(&index)).copied();
            let entry = entry.unwrap_or_default();
            walk.steps.push(WalkStep {
                level,
                table: format.table_name(level),
                frame: table,
                low_bit,
                high_bit: low_bit + width - 1,
                index,
                entry_at: (u64::from(table.0) << 12) + u64::from(index) * format.entry_bytes(),
                entry,
                bits: entry.bits().names().collect(),
            });
            if !entry.is_present() {
                walk.end = WalkEnd::NotPresent { level };
                return walk;
            }
            rights &= entry.bits();
            nx |= entry.bits().contains(EntryBits::NX);
            table = entry.frame();
        }
        let forbidden = if !rights.contains(EntryBits::USER) {
            Some("U")
        } else if access.contains(Access::WRITE) && !rights.contains(EntryBits::WRITE) {
            Some("W")
        } else if access.contains(Access::EXECUTE) && nx {
            Some("NX")
        } else {
            None
        };
        walk.end = match forbidden {
            Some(bit) => WalkEnd::Forbidden { bit },
            None => WalkEnd::Done { physical: (u64::from(table.0) << 12) + u64::from(offset) },
        };
        walk
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::frames::{FrameUse, Frames};
    use crate::paging::{Entry, EntryBits, Format, PageTables};
    use plat_regions::{Access, Address};

    fn walk_of(format: Format, bits: EntryBits, access: Access) -> String {
        let mut frames = Frames::new(64);
        let mut tables = PageTables::new(format, &mut frames).expect("memory");
        let page = frames.allocate(FrameUse::Anonymous).expect("memory");
        let address = Address::new(0x4_0123);
        tables.set(address, Entry::new(page, bits), &mut frames).expect("memory");
        tables.walk(address, access).to_lines().join("\n")
    }

    #[test]
    fn four_levels_are_walked_from_the_top() {
        let bits = EntryBits::PRESENT | EntryBits::USER | EntryBits::NX | EntryBits::COW;
        expect![[r#"
            PML4 in frame 1: bits 47..39 = 0, entry at 0x1000: frame 3 [U W P]
            page directory pointer table in frame 3: bits 38..30 = 0, entry at 0x3000: frame 4 [U W P]
            page directory in frame 4: bits 29..21 = 0, entry at 0x4000: frame 5 [U W P]
            page table in frame 5: bits 20..12 = 64, entry at 0x5200: frame 2 [NX COW U P]
            page fault: the bit W forbids this access"#]]
        .assert_eq(&walk_of(Format::FourLevel, bits, Access::WRITE));
    }

    #[test]
    fn two_levels_have_ten_bits_each() {
        let bits = EntryBits::PRESENT | EntryBits::USER | EntryBits::WRITE;
        expect![[r#"
            page directory in frame 1: bits 31..22 = 0, entry at 0x1000: frame 3 [U W P]
            page table in frame 3: bits 21..12 = 64, entry at 0x3100: frame 2 [U W P]
            bits 11..0 = 0x123: physical address 0x2123"#]]
        .assert_eq(&walk_of(Format::TwoLevel, bits, Access::WRITE));
    }

    #[test]
    fn pae_has_a_top_table_of_four_entries() {
        let walk = walk_of(Format::Pae, EntryBits::empty(), Access::READ);
        expect![[r#"
            page directory pointer table in frame 1: bits 31..30 = 0, entry at 0x1000: frame 3 [U W P]
            page directory in frame 3: bits 29..21 = 0, entry at 0x3000: frame 4 [U W P]
            page table in frame 4: bits 20..12 = 64, entry at 0x4200: frame 2 []
            page fault: the entry of level 1 is not present"#]]
        .assert_eq(&walk);
    }

    #[test]
    fn tables_that_become_empty_are_freed() {
        let mut frames = Frames::new(64);
        let mut tables = PageTables::new(Format::FourLevel, &mut frames).expect("memory");
        let before = frames.in_use();
        for at in [0x1000, 0x7fff_ffff_e000] {
            tables.set(
                Address::new(at),
                Entry::new(crate::frames::ZERO_FRAME, EntryBits::PRESENT),
                &mut frames,
            );
        }
        assert_eq!(tables.all_pages().len(), 2);
        assert_eq!(tables.table_count(), 7);
        for at in [0x1000, 0x7fff_ffff_e000] {
            assert!(tables.clear(Address::new(at), &mut frames).is_some());
        }
        assert_eq!((frames.in_use(), tables.table_count()), (before, 1));
    }
}
