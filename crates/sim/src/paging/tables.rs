//! The page tables of one process: [`PageTables`], each table in a frame of its own.

use std::collections::BTreeMap;

use plat_regions::{Address, AddressRange};

use super::{Entry, EntryBits, Format};
use crate::frames::{FrameId, FrameUse, Frames};

/// One table: entries by index; those that are missing are zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<u16, Entry>,
}

/// The tree of tables of one process.
#[derive(Clone, Debug)]
pub struct PageTables {
    format: Format,
    root: FrameId,
    pub(super) tables: BTreeMap<FrameId, Table>,
}

impl PageTables {
    /// Makes an empty tree: one table, the root; `None` when memory is full.
    pub fn new(format: Format, frames: &mut Frames) -> Option<Self> {
        let root = frames.allocate(FrameUse::Table { level: format.levels() })?;
        Some(Self { format, root, tables: BTreeMap::from([(root, Table::default())]) })
    }

    /// Returns the form of the tables.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the frame of the top table, which register CR3 points at.
    pub fn root(&self) -> FrameId {
        self.root
    }

    /// Returns how many tables there are.
    pub fn table_count(&self) -> usize {
        self.tables.len()
    }

    /// Iterates over the tables: frame, level, and the entries that are not zero.
    pub fn tables(
        &self,
    ) -> impl Iterator<Item = (FrameId, u8, impl Iterator<Item = (u16, Entry)> + '_)> + '_ {
        let mut levels = BTreeMap::new();
        self.note_levels(self.root, self.format.levels(), &mut levels);
        self.tables.iter().map(move |(frame, table)| {
            let level = levels.get(frame).copied().unwrap_or(1);
            (*frame, level, table.entries.iter().map(|(index, entry)| (*index, *entry)))
        })
    }

    fn note_levels(&self, table: FrameId, level: u8, levels: &mut BTreeMap<FrameId, u8>) {
        levels.insert(table, level);
        if level > 1 {
            let children = self.tables.get(&table).into_iter().flat_map(|table| table.entries.values());
            children.for_each(|entry| self.note_levels(entry.frame(), level - 1, levels));
        }
    }

    /// Returns the entry of the page that contains `address`, if it is not zero.
    pub fn entry(&self, address: Address) -> Option<Entry> {
        let mut table = self.root;
        for level in (2..=self.format.levels()).rev() {
            table = self.child(table, level, address)?;
        }
        self.tables.get(&table)?.entries.get(&self.format.index(1, address.get())).copied()
    }

    pub(super) fn child(&self, table: FrameId, level: u8, address: Address) -> Option<FrameId> {
        let index = self.format.index(level, address.get());
        Some(self.tables.get(&table)?.entries.get(&index)?.frame())
    }

    /// Stores the entry of a page, with the tables that lead to it; returns the frames of new tables, top first.
    ///
    /// `None`, and no change of the entry, when there is no frame for a table.
    pub fn set(&mut self, address: Address, entry: Entry, frames: &mut Frames) -> Option<Vec<FrameId>> {
        let mut made = Vec::new();
        let mut table = self.root;
        for level in (2..=self.format.levels()).rev() {
            table = match self.child(table, level, address) {
                Some(child) => child,
                None => {
                    let child = frames.allocate(FrameUse::Table { level: level - 1 })?;
                    let bits = EntryBits::PRESENT | EntryBits::WRITE | EntryBits::USER;
                    let index = self.format.index(level, address.get());
                    self.tables.entry(table).or_default().entries.insert(index, Entry::new(child, bits));
                    self.tables.insert(child, Table::default());
                    made.push(child);
                    child
                }
            };
        }
        let index = self.format.index(1, address.get());
        self.tables.entry(table).or_default().entries.insert(index, entry);
        Some(made)
    }

    /// Clears the entry of a page; tables that became empty are freed, the root excepted.
    pub fn clear(&mut self, address: Address, frames: &mut Frames) -> Option<Entry> {
        let mut way = vec![self.root];
        for level in (2..=self.format.levels()).rev() {
            let last = way.last().copied()?;
            way.push(self.child(last, level, address)?);
        }
        let index = self.format.index(1, address.get());
        let removed = self.tables.get_mut(way.last()?)?.entries.remove(&index)?;
        for level in 1..self.format.levels() {
            let table = way.pop()?;
            if self.tables.get(&table).is_some_and(|table| !table.entries.is_empty()) {
                break;
            }
            self.tables.remove(&table);
            frames.unpin(table);
            let index = self.format.index(level + 1, address.get());
            self.tables.get_mut(way.last()?)?.entries.remove(&index);
        }
        Some(removed)
    }

    /// Lists the pages of `range` that have an entry, ascending.
    pub fn pages(&self, range: AddressRange) -> Vec<(Address, Entry)> {
        let mut pages = Vec::new();
        self.collect(self.root, self.format.levels(), 0, range, &mut pages);
        pages
    }

    /// Lists every page that has an entry, ascending.
    pub fn all_pages(&self) -> Vec<(Address, Entry)> {
        self.pages(AddressRange { start: Address::ZERO, end: Address::new(1 << self.format.address_bits()) })
    }

    fn collect(
        &self,
        id: FrameId,
        level: u8,
        base: u64,
        range: AddressRange,
        out: &mut Vec<(Address, Entry)>,
    ) {
        let Some(table) = self.tables.get(&id) else { return };
        let (shift, _) = self.format.index_bits(level);
        for (index, entry) in &table.entries {
            let start = base + (u64::from(*index) << shift);
            let end = start + (1 << shift);
            if end <= range.start.get() || start >= range.end.get() {
                continue;
            }
            if level == 1 {
                out.push((Address::new(start), *entry));
            } else {
                self.collect(entry.frame(), level - 1, start, range, out);
            }
        }
    }

    /// Changes the bits of a page's entry; does nothing where there is none.
    pub fn change(&mut self, address: Address, set: EntryBits, cleared: EntryBits) {
        let levels = self.format.levels();
        let mut table = self.root;
        for level in (2..=levels).rev() {
            let index = self.format.index(level, address.get());
            let Some(entry) = self.tables.get_mut(&table).and_then(|table| table.entries.get_mut(&index))
            else {
                return;
            };
            if set.contains(EntryBits::ACCESSED) {
                *entry = entry.with(EntryBits::ACCESSED, EntryBits::empty());
            }
            table = entry.frame();
        }
        let index = self.format.index(1, address.get());
        if let Some(entry) = self.tables.get_mut(&table).and_then(|table| table.entries.get_mut(&index)) {
            *entry = entry.with(set, cleared);
        }
    }

    /// Gives all tables back; the pages that they point at must have been cleared before.
    pub fn free(self, frames: &mut Frames) {
        for table in self.tables.into_keys() {
            frames.unpin(table);
        }
    }
}
