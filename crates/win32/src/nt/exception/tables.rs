//! Tables of functions that a program adds for code that it makes while it runs.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtladdfunctiontable>.

use super::Exceptions;

/// A table of functions that the program added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DynamicTable {
    /// What names it: the table's address, or the identifier that the program chose.
    pub name: u64,
    /// The base to which its offsets are relative.
    pub base: u64,
    /// The address of its `RUNTIME_FUNCTION`s, sorted.
    pub table: u64,
    /// How many there are.
    pub count: u64,
    /// Length in bytes of the code from `base` on.
    pub length: u64,
    /// The function that finds an entry, or 0.
    pub callback: u64,
    /// The callback's second argument.
    pub context: u64,
}

impl Exceptions {
    /// Adds a table.
    pub fn add_table(&self, table: DynamicTable) {
        self.state().tables.push(table);
    }

    /// Changes how many functions the table of this name has.
    pub fn grow_table(&self, name: u64, count: u64) {
        let mut state = self.state();
        if let Some(table) = state.tables.iter_mut().find(|table| table.name == name) {
            table.count = count;
        }
    }

    /// Removes the table of this name; says whether there was one.
    pub fn remove_table(&self, name: u64) -> bool {
        let mut state = self.state();
        let before = state.tables.len();
        state.tables.retain(|table| table.name != name);
        state.tables.len() != before
    }

    /// Finds the table for code at `pc`.
    pub fn dynamic_table(&self, pc: u64) -> Option<DynamicTable> {
        let covers = |table: &&DynamicTable| pc.wrapping_sub(table.base) < table.length;
        self.state().tables.iter().rev().find(covers).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{DynamicTable, Exceptions};

    #[test]
    fn tables_are_found_by_the_code_that_they_cover() {
        let exceptions = Exceptions::default();
        let table = DynamicTable { name: 7, base: 0x1000, length: 0x100, ..DynamicTable::default() };
        exceptions.add_table(table);
        assert_eq!(exceptions.dynamic_table(0x10ff), Some(table));
        assert_eq!(exceptions.dynamic_table(0x1100), None);
        exceptions.grow_table(7, 5);
        assert_eq!(exceptions.dynamic_table(0x1000).map(|table| table.count), Some(5));
        assert!(exceptions.remove_table(7));
        assert!(!exceptions.remove_table(7));
        assert_eq!(exceptions.dynamic_table(0x1000), None);
    }
}
