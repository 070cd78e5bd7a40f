//! Giving memory back: decommit, release, and what becomes of placeholders.

use crate::windows::space::Role;
use crate::windows::{Action, Allocation, Edit, MemoryKind, RuleError, Transaction, WindowsSpace};
use crate::{Access, Address, AddressRange, RegionValue};

/// What `NtFreeVirtualMemory` is asked to do with a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeKind {
    /// Drop contents, keep the range.
    Decommit,
    /// Give the range back; a part of an allocation splits it.
    Release,
    /// Cut a placeholder, or turn what replaced one back into one.
    ReleasePreserve,
    /// Join placeholders that touch.
    Coalesce,
}

impl WindowsSpace {
    /// Frees pages as the NT call does; the result is the range that was freed.
    ///
    /// Size 0 means the whole allocation, of which `base` must be the first page.
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

    /// Checks what `VirtualFree` demands of `MEM_RELEASE` beyond the NT call: size 0 and the exact base.
    ///
    /// # Errors
    /// [`RuleError::BadSize`], [`RuleError::NotAllocated`] or [`RuleError::NotAtBase`].
    ///
    /// Source: Microsoft, "VirtualFree function", `MEM_RELEASE`.
    pub fn check_win32_release(&self, base: Address, size: u64) -> Result<(), RuleError> {
        if size != 0 {
            return Err(RuleError::BadSize { size, parameter: 0 });
        }
        self.range_to_free(base, 0).map(|_| ())
    }

    fn range_to_free(&self, base: Address, size: u64) -> Result<(AddressRange, AddressRange), RuleError> {
        let page = base.align_down(crate::PAGE_SIZE);
        let wanted = match size {
            0 => AddressRange { start: page, end: page },
            _ => self.whole_pages(base, size)?,
        };
        let Some((at, held)) = self.allocations.get(page) else {
            return Err(RuleError::NotAllocated { address: base });
        };
        if held.is_system() {
            return Err(RuleError::SystemOwned { range: at, owner: held.owner.to_string() });
        }
        if held.kind != MemoryKind::Private {
            return Err(RuleError::IsView { range: at });
        }
        match size {
            0 if page != at.start => Err(RuleError::NotAtBase { address: base, allocation: at }),
            0 => Ok((at, at)),
            _ if !at.contains_range(wanted) => {
                Err(RuleError::TooLongToFree { range: wanted, allocation: at })
            }
            _ => Ok((at, wanted)),
        }
    }

    fn decommit_in_books(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let (at, range) = self.range_to_free(base, size)?;
        if let Some((_, held)) = self.allocations.get(at.start)
            && held.is_placeholder()
        {
            return Err(RuleError::Conflict { wanted: range, held_by: held.owner.to_string() });
        }
        self.drop_pages(range, |_| Action::Discard, "decommitted");
        Ok(range)
    }

    fn release_in_books(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let (at, range) = self.range_to_free(base, size)?;
        self.carve(at, range);
        self.drop_pages(range, |access| Action::Release { access }, "released");
        self.forget_written(range);
        Ok(range)
    }

    fn preserve_in_books(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        if size == 0 {
            return Err(RuleError::BadSize { size, parameter: 3 });
        }
        let (at, range) = self.range_to_free(base, size)?;
        let role = self.allocations.get(at.start).map(|(_, held)| held.role);
        // A whole placeholder is one already, and plain memory never was one.
        if !(role == Some(Role::Replacement) || (role == Some(Role::Placeholder) && range != at)) {
            let held_by = format!("{at} cannot be cut into placeholders");
            return Err(RuleError::Conflict { wanted: range, held_by });
        }
        if let Some(piece) = self.carve(at, range) {
            self.drop_pages(range, |access| Action::Release { access }, "turned back into a placeholder");
            self.forget_written(range);
            self.put_placeholder(range, piece);
        }
        Ok(range)
    }

    fn coalesce_in_books(&mut self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let range = self.whole_pages(base, size)?;
        let mut starts = Vec::new();
        let mut at = range.start;
        for (piece, held) in self.allocations.overlapping(range) {
            if piece.start != at || !held.is_placeholder() {
                break;
            }
            starts.push(piece.start);
            at = piece.end;
        }
        if at != range.end || starts.len() < 2 {
            let held_by = format!("{} whole placeholders up to {at}", starts.len());
            return Err(RuleError::Conflict { wanted: range, held_by });
        }
        let taken: Vec<_> = starts.into_iter().filter_map(|start| self.take_allocation(start)).collect();
        if let Some((_, first)) = taken.into_iter().next() {
            self.put_placeholder(range, first);
        }
        Ok(range)
    }

    pub(super) fn put_placeholder(&mut self, range: AddressRange, like: Allocation) {
        let id = self.fresh_id();
        let placeholder = Allocation {
            id,
            role: Role::Placeholder,
            write_watch: false,
            was_cut: false,
            parts: None,
            kind: MemoryKind::Private,
            protection: super::PageProtection::NOACCESS,
            ..like
        };
        self.put_allocation(range, placeholder);
    }

    /// Takes `range` out of the allocation at `at`; what lies below and above stays, each with its own base.
    pub(super) fn carve(&mut self, at: AddressRange, range: AddressRange) -> Option<Allocation> {
        let (at, mut middle) = self.take_allocation(at.start)?;
        let mut rest = at;
        if at.start < range.start {
            let (lower, upper) = middle.split(at, range.start);
            self.put_allocation(AddressRange { start: at.start, end: range.start }, lower);
            middle = upper;
            rest.start = range.start;
        }
        if range.end < at.end {
            let (lower, upper) = middle.split(rest, range.end);
            self.put_allocation(AddressRange { start: range.end, end: at.end }, upper);
            middle = lower;
        }
        Some(middle)
    }

    /// Makes pages reserved only; each committed stretch of one access becomes one edit.
    ///
    /// `action` makes the edit's action from what the processor could do there until now.
    pub(super) fn drop_pages(
        &mut self,
        range: AddressRange,
        action: impl Fn(Access) -> Action,
        reason: &'static str,
    ) {
        let mut joined: Vec<(AddressRange, Action)> = Vec::new();
        for (piece, state) in self.pages.overlapping(range) {
            let Some(piece) = piece.intersection(range) else { continue };
            let action = action(state.protection.access());
            match joined.last_mut() {
                Some((last, same)) if last.end == piece.start && *same == action => last.end = piece.end,
                _ => joined.push((piece, action)),
            }
        }
        if joined.is_empty() {
            return;
        }
        self.edits.extend(joined.into_iter().map(|(range, action)| Edit { range, action, reason }));
        self.set_pages(range, None);
    }
}
