//! Changing what a program may do with pages: `NtProtectVirtualMemory`.

use crate::windows::space::PageState;
use crate::windows::{Action, Edit, MemoryKind, PageProtection, RuleError, Transaction, WindowsSpace};
use crate::{Address, AddressRange};

impl WindowsSpace {
    /// Changes the protection of committed pages; the result is what the first page had before.
    ///
    /// # Errors
    /// [`RuleError`] with the NTSTATUS that Windows gives.
    ///
    /// Source: Microsoft, "VirtualProtect function".
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

    pub(super) fn protect_in_books(
        &mut self,
        base: Address,
        size: u64,
        protection: PageProtection,
    ) -> Result<PageProtection, RuleError> {
        if !protection.is_valid() {
            return Err(RuleError::BadProtection { protection });
        }
        if size == 0 {
            return Err(RuleError::BadSize { size, parameter: 3 });
        }
        let range = self.whole_pages(base, size)?;
        let (at, held) = self.inside_one(range)?;
        if held.is_system() {
            return Err(RuleError::SystemOwned { range: at, owner: held.owner.to_string() });
        }
        let (id, kind, mapped_with) = (held.id, held.kind, held.protection);
        let old = self.all_committed(range)?;
        let protection = match kind {
            MemoryKind::Private if protection.is_write_copy() => {
                return Err(RuleError::BadProtection { protection });
            }
            MemoryKind::Mapped if !mapped_with.allows_in_view(protection) => {
                return Err(RuleError::SectionProtection { protection, mapped_with });
            }
            MemoryKind::Image => protection.with_write_copy(),
            _ => protection,
        };
        self.protect_pages(range, PageState { allocation: id, protection }, "protection changed");
        Ok(old)
    }

    /// Returns the protection of the first page when every page is committed.
    pub(super) fn all_committed(&self, range: AddressRange) -> Result<PageProtection, RuleError> {
        let mut at = range.start;
        let mut first = None;
        for (piece, page) in self.pages.overlapping(range) {
            if piece.start > at {
                break;
            }
            first = first.or(Some(page.protection));
            at = piece.end;
        }
        match first {
            Some(first) if at >= range.end => Ok(first),
            _ => Err(RuleError::NotCommitted { page: at }),
        }
    }

    /// Gives committed pages another state; only what the processor may do differently becomes an edit.
    pub(super) fn protect_pages(&mut self, range: AddressRange, state: PageState, reason: &'static str) {
        let access = state.protection.access();
        for (piece, old) in self.pages.overlapping(range) {
            let Some(range) = piece.intersection(range) else { continue };
            if old.protection.access() != access {
                self.edits.push(Edit { range, action: Action::Protect { access }, reason });
            }
        }
        self.set_pages(range, Some(state));
    }
}
