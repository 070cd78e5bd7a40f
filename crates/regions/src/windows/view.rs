//! Views of sections: file mappings and shared memory.

use crate::windows::allocate::{Place, highest_of_zero_bits};
use crate::windows::space::{PageState, Role};
use crate::windows::{
    Action, Allocation, Backing, Edit, MemoryKind, PageProtection, RuleError, Transaction, WindowsSpace,
};
use crate::{ALLOCATION_GRANULARITY, Address, AddressRange, Label, PAGE_SIZE, Use};

/// A view that is to be mapped.
#[derive(Clone, Debug)]
pub struct ViewRequest {
    /// Where, or `None` for anywhere.
    pub base: Option<Address>,
    /// Its size in bytes.
    pub size: u64,
    /// Where it begins in the section, in bytes; a multiple of 64 KiB.
    pub offset: u64,
    /// The protection of its pages.
    pub protection: PageProtection,
    /// How many high bits of the address are zero, or a mask.
    pub zero_bits: u64,
    /// Whose it is.
    pub owner: Label,
}

impl WindowsSpace {
    /// Maps a view of a section: all its pages are committed.
    ///
    /// # Errors
    /// [`RuleError`] with the NTSTATUS that Windows gives.
    ///
    /// Source: Microsoft, "MapViewOfFileEx function".
    pub fn map_view(&mut self, request: &ViewRequest) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = self.map_view_in_books(request);
        Transaction::finish(self, outcome)
    }

    fn map_view_in_books(&mut self, request: &ViewRequest) -> Result<AddressRange, RuleError> {
        let protection = request.protection;
        if !protection.is_valid() {
            return Err(RuleError::BadProtection { protection });
        }
        let (range, reason) = self.place_view(request)?;
        let id = self.fresh_id();
        let allocation = Allocation {
            id,
            role: Role::Plain,
            write_watch: false,
            parts: None,
            kind: MemoryKind::Mapped,
            protection,
            owner: request.owner.clone(),
            reason: Label::fixed(reason),
        };
        self.put_allocation(range, allocation);
        let backing = Backing::View { offset: request.offset };
        let action = Action::Map { access: protection.access(), backing };
        self.edits.push(Edit { range, action, reason: "view of a section" });
        self.set_pages(range, Some(PageState { allocation: id, protection }));
        Ok(range)
    }

    fn place_view(&self, request: &ViewRequest) -> Result<(AddressRange, &'static str), RuleError> {
        let window = self.layout.usable();
        let full = RuleError::NoRoom { size: request.size, window };
        let size =
            request.size.checked_next_multiple_of(PAGE_SIZE).filter(|&size| size > 0).ok_or(full.clone())?;
        if let Some(base) = request.base {
            let bad = RuleError::OutOfBounds { base: base.get(), size };
            let range = AddressRange::sized(base, size).filter(|_| base.is_aligned(ALLOCATION_GRANULARITY));
            let range = range.ok_or(bad)?;
            self.in_bounds(range)?;
            self.must_be_free(range)?;
            return Ok((range, "the program asked for this address"));
        }
        let mut window = window;
        if let Some(highest) = highest_of_zero_bits(request.zero_bits)? {
            window.end = window.end.min(highest.align_down(PAGE_SIZE)).max(window.start);
        }
        let place =
            Place { size, alignment: ALLOCATION_GRANULARITY, window, purpose: Use::Private, top_down: false };
        self.place(&place).ok_or(full)
    }
}
