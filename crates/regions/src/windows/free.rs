//! Giving back: decommit, release, and what of it Win32 refuses although NT allows it.

use crate::windows::space::Role;
use crate::windows::{Action, Edit, MemoryKind, RuleError, Transaction, WindowsSpace};
use crate::{Address, AddressRange, PAGE_SIZE};

/// What is to happen to pages that are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeKind {
    /// Drop the contents, keep the reservation.
    Decommit,
    /// Give the addresses back.
    Release,
    /// Turn the range back into a placeholder, or cut one in two.
    ReleasePreserve,
    /// Join placeholders that touch.
    Coalesce,
}

impl WindowsSpace {
    /// Gives pages back as `NtFreeVirtualMemory` does; a size of 0 means the whole allocation from its base.
    ///
    /// Releasing a part of an allocation leaves two, each with its own base.
    ///
    /// # Errors
    /// [`RuleError`] with the NTSTATUS that Windows gives.
    ///
    /// Source: Microsoft, "VirtualFree function"; facts recorded by Wine's conformance tests on Windows.
    pub fn free(
        &mut self,
        base: Address,
        size: u64,
        kind: FreeKind,
    ) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = match kind {
            FreeKind::Decommit => self.decommit_in_books(base, size),
            FreeKind::Release => self.release_in_books(base, size),
            FreeKind::ReleasePreserve => self.preserve_in_books(base, size),
            FreeKind::Coalesce => self.coalesce_in_books(base, size),
        };
        Transaction::finish(self, outcome)
    }

    /// Checks what Win32's `VirtualFree` demands of a release beyond NT: size 0, and the base itself.
    ///
    /// # Errors
    /// [`RuleError::BadSize`] for another size; [`RuleError::NotAtBase`] inside an allocation.
    ///
    /// Source: Microsoft, "VirtualFree function", `MEM_RELEASE`.
    pub fn check_win32_release(&self, base: Address, size: u64) -> Result<(), RuleError> {
        if size != 0 {
            return Err(RuleError::BadSize { size, parameter: 3 });
        }
        match self.allocations.get(base) {
            Some((at, _)) if at.start != base => Err(RuleError::NotAtBase { address: base, allocation: at }),
            _ => Ok(()),
        }
    }

    /// Finds the range to free: whole pages inside one private allocation.
    fn range_to_free(&self, base: Address, size: u64) -> Result<(AddressRange, AddressRange), RuleError> {
        let page = base.align_down(PAGE_SIZE);
        let Some((at, allocation)) = self.allocations.get(page) else {
            return Err(RuleError::NotAllocated { address: base });
        };
        if allocation.is_system() {
            return Err(RuleError::SystemOwned { range: at, owner: allocation.owner.to_string() });
        }
        if allocation.kind != MemoryKind::Private {
            return Err(RuleError::IsView { range: at });
        }
        if size == 0 {
            // 0xffe above the base still rounds down to it.
            return if page == at.start {
                Ok((at, at))
            } else {
                Err(RuleError::NotAtBase { address: base, allocation: at })
            };
        }
        let range = self.whole_pages(base, size)?;
        if at.contains_range(range) {
            Ok((range, at))
        } else {
            Err(RuleError::TooLongToFree { range, allocation: at })
        }
    }

    fn decommit_in_books(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let (range, _) = self.range_to_free(base, size)?;
        let committed: Vec<AddressRange> =
            self.pages.overlapping(range).filter_map(|(at, _)| at.intersection(range)).collect();
        for range in committed {
            self.edits.push(Edit { range, action: Action::Discard, reason: "decommitted" });
        }
        self.set_pages(range, None);
        Ok(range)
    }

    fn release_in_books(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let (range, at) = self.range_to_free(base, size)?;
        self.cut_out(range, at);
        self.drop_pages(range, "released");
        Ok(range)
    }

    /// Takes `range` out of the allocation at `at`; what is left and right of it stays, with its own base.
    fn cut_out(&mut self, range: AddressRange, at: AddressRange) {
        use crate::RegionValue;
        let Some((_, mut rest)) = self.take_allocation(at.start) else { return };
        let mut rest_range = at;
        if range.start > at.start {
            let (lower, upper) = rest.split(rest_range, range.start);
            self.put_allocation(AddressRange { start: at.start, end: range.start }, lower);
            rest_range.start = range.start;
            rest = upper;
        }
        if range.end < at.end {
            let (_, upper) = rest.split(rest_range, range.end);
            self.put_allocation(AddressRange { start: range.end, end: at.end }, upper);
        }
    }

    /// Drops the private pages of a range that is no longer allocated.
    pub(super) fn drop_pages(&mut self, range: AddressRange, reason: &'static str) {
        for (at, state) in self.pages.overlapping(range) {
            let Some(range) = at.intersection(range) else { continue };
            let action = Action::Release { access: state.protection.access() };
            self.edits.push(Edit { range, action, reason });
        }
        self.set_pages(range, None);
    }

    fn preserve_in_books(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let (range, at) = self.range_to_free(base, size)?;
        let Some((_, held)) = self.allocations.get(range.start) else {
            return Err(RuleError::NotAllocated { address: base });
        };
        let mut placeholder = held.clone();
        let conflict = RuleError::Conflict { wanted: range, held_by: held.owner.to_string() };
        match held.role {
            // A placeholder can be cut, not preserved as a whole; a replacement only as a whole.
            Role::Placeholder if range != at => {}
            Role::Replacement if range == at => {}
            _ => return Err(conflict),
        }
        self.cut_out(range, at);
        self.drop_pages(range, "a placeholder again");
        placeholder.role = Role::Placeholder;
        placeholder.id = self.fresh_id();
        self.put_allocation(range, placeholder);
        Ok(range)
    }

    fn coalesce_in_books(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let range = self.whole_pages(base, size)?;
        let parts: Vec<(AddressRange, bool)> =
            self.allocations.overlapping(range).map(|(at, held)| (at, held.is_placeholder())).collect();
        let touches = parts.windows(2).all(|pair| pair[0].0.end == pair[1].0.start);
        let exact = parts.first().is_some_and(|first| first.0.start == range.start)
            && parts.last().is_some_and(|last| last.0.end == range.end);
        if parts.len() < 2 || !touches || !exact || parts.iter().any(|(_, placeholder)| !placeholder) {
            return Err(RuleError::Conflict {
                wanted: range,
                held_by: "not two or more placeholders that touch".to_owned(),
            });
        }
        let mut joined = None;
        for (at, _) in parts {
            if let Some((_, held)) = self.take_allocation(at.start) {
                joined.get_or_insert(held);
            }
        }
        if let Some(joined) = joined {
            self.put_allocation(range, joined);
        }
        Ok(range)
    }
}
