//! Changing the protection of committed pages.

use crate::windows::space::PageState;
use crate::windows::{Action, Edit, MemoryKind, PageProtection, RuleError, Transaction, WindowsSpace};
use crate::{Address, AddressRange};

impl WindowsSpace {
    /// Changes the protection of pages as `NtProtectVirtualMemory` does; the result is the first page's old one.
    ///
    /// # Errors
    /// [`RuleError`] with the NTSTATUS that Windows gives: the range must lie in one allocation, all committed.
    ///
    /// Source: Microsoft, "VirtualProtect function"; facts recorded by Wine's conformance tests on Windows.
    pub fn protect(
        &mut self,
        base: Address,
        size: u64,
        protection: PageProtection,
    ) -> Result<Transaction<'_, PageProtection>, RuleError> {
        self.begin();
        let outcome = self.protect_in_books(base, size, protection);
        Transaction::finish(self, outcome)
    }

    fn protect_in_books(
        &mut self,
        base: Address,
        size: u64,
        protection: PageProtection,
    ) -> Result<PageProtection, RuleError> {
        if !protection.is_valid() {
            return Err(RuleError::BadProtection { protection });
        }
        let range = self.whole_pages(base, size)?;
        let (at, allocation) = self.inside_one(range)?;
        if allocation.is_system() {
            return Err(RuleError::SystemOwned { range: at, owner: allocation.owner.to_string() });
        }
        let (id, kind) = (allocation.id, allocation.kind);
        if kind == MemoryKind::Private && protection.is_write_copy() {
            return Err(RuleError::BadProtection { protection });
        }
        let protection = if kind == MemoryKind::Image { protection.with_write_copy() } else { protection };
        let old = self.all_committed(range)?;
        let pieces: Vec<AddressRange> = self
            .pages
            .overlapping(range)
            .filter(|(_, state)| state.protection.access() != protection.access())
            .filter_map(|(at, _)| at.intersection(range))
            .collect();
        for range in pieces {
            let action = Action::Protect { access: protection.access() };
            self.edits.push(Edit { range, action, reason: "protected" });
        }
        self.set_pages(range, Some(PageState { allocation: id, protection }));
        Ok(old)
    }

    /// Checks that every page of a range is committed; returns the first page's protection.
    pub(super) fn all_committed(&self, range: AddressRange) -> Result<PageProtection, RuleError> {
        let mut at = range.start;
        let mut first = None;
        for (piece, state) in self.pages.overlapping(range) {
            if piece.start > at {
                break;
            }
            first.get_or_insert(state.protection);
            at = piece.end;
        }
        match first {
            Some(first) if at >= range.end => Ok(first),
            _ => Err(RuleError::NotCommitted { page: at }),
        }
    }
}
