//! Which span holds an address: one entry per 64 KiB chunk, in one table per 4 GiB of address space in use.

/// Entries of one table.
const TABLE_LENGTH: usize = 1 << 16;

/// The table for one 4 GiB stretch. An entry is a span's index plus one, 0 for none.
#[derive(Debug)]
struct Table {
    prefix: u32,
    /// The host commits only the touched pages of it.
    entries: Vec<u32>,
}

/// The map from addresses to spans. A guest's heap lies in very few 4 GiB stretches: scanning them is constant time.
#[derive(Debug, Default)]
pub(super) struct Directory {
    tables: Vec<Table>,
}

impl Directory {
    /// Returns the span whose chunk holds `address`.
    #[inline]
    pub(super) fn get(&self, address: u64) -> Option<u32> {
        let table = self.tables.iter().find(|table| table.prefix == prefix(address))?;
        table.entries[chunk(address)].checked_sub(1)
    }

    /// Enters `span` for all chunks of the range.
    pub(super) fn set(&mut self, base: u64, size: u64, span: u32) {
        self.fill(base, size, span + 1);
    }

    /// Forgets all chunks of the range.
    pub(super) fn clear(&mut self, base: u64, size: u64) {
        self.fill(base, size, 0);
    }

    fn fill(&mut self, base: u64, size: u64, value: u32) {
        for address in (base..base.saturating_add(size)).step_by(TABLE_LENGTH) {
            let at = self.tables.iter().position(|table| table.prefix == prefix(address));
            let at = at.unwrap_or_else(|| {
                self.tables.push(Table { prefix: prefix(address), entries: vec![0; TABLE_LENGTH] });
                self.tables.len() - 1
            });
            self.tables[at].entries[chunk(address)] = value;
        }
    }
}

fn prefix(address: u64) -> u32 {
    (address >> 32) as u32
}

fn chunk(address: u64) -> usize {
    (address >> 16) as usize & (TABLE_LENGTH - 1)
}
