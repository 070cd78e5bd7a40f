//! Images and views of sections: placed, named part by part, and unmapped as a whole.

use std::sync::Arc;

use crate::windows::allocate::Place;
use crate::windows::space::{PageState, Role};
use crate::windows::{
    Action, Allocation, Backing, Edit, MemoryKind, PageProtection, RuleError, Transaction, WindowsSpace,
};
use crate::{ALLOCATION_GRANULARITY, Access, Address, AddressRange, Label, PAGE_SIZE, Use};

/// An image to be placed.
#[derive(Clone, Debug)]
pub struct ImageRequest {
    /// Size in bytes, as the image's header says.
    pub size: u64,
    /// The address that the image was linked for.
    pub preferred: Option<Address>,
    /// Whether it can lie elsewhere.
    pub relocatable: bool,
    /// Which band takes it when it has to move.
    pub purpose: Use,
    /// Whose it is, usually the file's name.
    pub owner: Label,
    /// Its parts: offset from the base and size in bytes, name, protection; ascending, in whole pages.
    pub parts: Vec<(u64, u64, Label, PageProtection)>,
}

/// Where an image came to lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The whole image.
    pub range: AddressRange,
    /// Whether it lies elsewhere than it was linked for.
    pub moved: bool,
    /// Why it lies there.
    pub reason: Label,
}

/// A view of a section to be mapped.
#[derive(Clone, Debug)]
pub struct ViewRequest {
    /// Where, a multiple of 64 KiB, or `None` for anywhere.
    pub base: Option<Address>,
    /// Size in bytes.
    pub size: u64,
    /// Offset into the section in bytes, a multiple of 64 KiB.
    pub offset: u64,
    /// Protection of the pages.
    pub protection: PageProtection,
    /// Which band it goes to.
    pub purpose: Use,
    /// Whose it is.
    pub owner: Label,
    /// Whether pages start as reserved only.
    pub reserve_only: bool,
    /// Whether the section is memory, not a file: then pages may be committed again, with another protection.
    pub of_memory: bool,
}

impl WindowsSpace {
    /// Maps a view of a section; the result is where it lies.
    ///
    /// # Errors
    /// [`RuleError::Misaligned`], [`RuleError::Conflict`], [`RuleError::NoRoom`], [`RuleError::OutOfBounds`],
    /// [`RuleError::BadProtection`] or [`RuleError::BadSize`].
    ///
    /// Source: Microsoft, "ZwMapViewOfSection routine".
    pub fn map_view(&mut self, request: &ViewRequest) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = self.map_view_in_books(request, Role::Plain);
        Transaction::finish(self, outcome)
    }

    /// Maps a view of a section in place of the placeholder that lies exactly there. Base and offset are multiples of
    /// a page only.
    ///
    /// # Errors
    /// As [`Self::map_view`]; [`RuleError::Conflict`] when no placeholder has this base and size.
    ///
    /// Source: Microsoft, "MapViewOfFile3 function", `MEM_REPLACE_PLACEHOLDER`.
    pub fn map_view_over_placeholder(
        &mut self,
        request: &ViewRequest,
    ) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = self.map_view_in_books(request, Role::Replacement);
        Transaction::finish(self, outcome)
    }

    fn map_view_in_books(&mut self, request: &ViewRequest, role: Role) -> Result<AddressRange, RuleError> {
        let protection = request.protection;
        if !protection.is_valid() {
            return Err(RuleError::BadProtection { protection });
        }
        let (range, why) = match role {
            Role::Replacement => (self.place_over(request)?, "in place of a placeholder"),
            _ => self.place_view(request)?,
        };
        let role = if role == Role::Plain && request.of_memory { Role::MemoryView } else { role };
        let id = self.fresh_id();
        let allocation = Allocation {
            id,
            role,
            write_watch: false,
            was_cut: false,
            parts: None,
            kind: MemoryKind::Mapped,
            protection,
            owner: request.owner.clone(),
            reason: Label::fixed(why),
        };
        self.put_allocation(range, allocation);
        if !request.reserve_only {
            let backing = Backing::View { offset: request.offset };
            let action = Action::Map { access: protection.access(), backing };
            self.edits.push(Edit { range, action, reason: "view of a section" });
            self.set_pages(range, Some(PageState { allocation: id, protection }));
        }
        Ok(range)
    }

    fn place_view(&self, request: &ViewRequest) -> Result<(AddressRange, &'static str), RuleError> {
        let size = whole_size(request.size)?;
        for value in [request.offset, request.base.unwrap_or_default().get()] {
            if !value.is_multiple_of(ALLOCATION_GRANULARITY) {
                return Err(RuleError::Misaligned { value });
            }
        }
        let window = self.layout.usable();
        let Some(base) = request.base else {
            let alignment = ALLOCATION_GRANULARITY;
            let place = Place { size, alignment, window, purpose: request.purpose, top_down: false };
            return self.place(&place).ok_or(RuleError::NoRoom { size, window });
        };
        let bad = RuleError::OutOfBounds { base: base.get(), size };
        let range = AddressRange::sized(base, size).ok_or(bad)?;
        self.in_bounds(range)?;
        self.must_be_free(range)?;
        Ok((range, "the program asked for this address"))
    }

    fn place_over(&mut self, request: &ViewRequest) -> Result<AddressRange, RuleError> {
        let base = request.base.unwrap_or_default();
        for value in [request.offset, base.get()] {
            if !value.is_multiple_of(crate::PAGE_SIZE) {
                return Err(RuleError::Misaligned { value });
            }
        }
        self.take_placeholder(base, request.size)
    }

    /// Places an image, at its preferred base when that is free.
    ///
    /// Every page is committed; pages of no part are inaccessible.
    ///
    /// # Errors
    /// [`RuleError::NotAtPreferredBase`] when the base is taken and the image cannot move;
    /// [`RuleError::BadSegment`], [`RuleError::BadProtection`] for parts that make no sense.
    pub fn map_image(&mut self, request: &ImageRequest) -> Result<Transaction<'_, Placement>, RuleError> {
        self.begin();
        let outcome = self.map_image_in_books(request);
        Transaction::finish(self, outcome)
    }

    fn map_image_in_books(&mut self, request: &ImageRequest) -> Result<Placement, RuleError> {
        let size = whole_size(request.size)?;
        check_parts(request, size)?;
        let placement = self.place_image(request, size)?;
        let (range, id) = (placement.range, self.fresh_id());
        let parts: Vec<_> =
            request.parts.iter().map(|(offset, size, name, _)| (*offset, *size, name.clone())).collect();
        let allocation = Allocation {
            id,
            role: Role::Plain,
            write_watch: false,
            was_cut: false,
            parts: Some(Arc::from(parts)),
            kind: MemoryKind::Image,
            protection: PageProtection::EXECUTE_WRITECOPY,
            owner: request.owner.clone(),
            reason: placement.reason.clone(),
        };
        self.put_allocation(range, allocation);
        let mut at = 0;
        for (offset, size, _, protection) in &request.parts {
            self.map_part(range.start, (at, *offset), id, PageProtection::NOACCESS);
            // check_parts proved that the end fits.
            at = offset.saturating_add(*size).next_multiple_of(PAGE_SIZE);
            self.map_part(range.start, (*offset, at), id, protection.with_write_copy());
        }
        self.map_part(range.start, (at, size), id, PageProtection::NOACCESS);
        Ok(placement)
    }

    fn map_part(&mut self, base: Address, (from, to): (u64, u64), id: u64, protection: PageProtection) {
        let end = base.checked_add(to);
        let range = base.checked_add(from).zip(end).and_then(|(start, end)| AddressRange::new(start, end));
        let Some(range) = range.filter(|range| !range.is_empty()) else { return };
        let action = Action::Map { access: protection.access(), backing: Backing::Anonymous };
        self.edits.push(Edit { range, action, reason: "part of an image" });
        self.set_pages(range, Some(PageState { allocation: id, protection }));
    }

    fn place_image(&self, request: &ImageRequest, size: u64) -> Result<Placement, RuleError> {
        let mut obstacle = None;
        if let Some(preferred) = request.preferred {
            match self.try_preferred(preferred, size) {
                Ok(range) => {
                    let reason = Label::fixed("at its preferred base");
                    return Ok(Placement { range, moved: false, reason });
                }
                Err(why) if !request.relocatable => {
                    return Err(RuleError::NotAtPreferredBase { wanted: preferred, held_by: why });
                }
                Err(why) => obstacle = Some(format!("preferred base {preferred} is {why}")),
            }
        }
        let window = self.layout.usable();
        let alignment = ALLOCATION_GRANULARITY;
        let place = Place { size, alignment, window, purpose: request.purpose, top_down: false };
        let (range, why) = self.place(&place).ok_or(RuleError::NoRoom { size, window })?;
        let moved = request.preferred.is_some();
        let reason = obstacle.map_or(Label::fixed(why), Label::from);
        Ok(Placement { range, moved, reason })
    }

    fn try_preferred(&self, preferred: Address, size: u64) -> Result<AddressRange, String> {
        if !preferred.is_aligned(ALLOCATION_GRANULARITY) {
            return Err("not a multiple of 64 KiB".to_owned());
        }
        let range = AddressRange::sized(preferred, size).filter(|range| self.in_bounds(*range).is_ok());
        let Some(range) = range else {
            return Err("outside the program's part of the address space".to_owned());
        };
        match self.allocations.overlapping(range).next() {
            None => Ok(range),
            Some((_, held)) => Err(format!("taken by {}", held.owner)),
        }
    }

    /// Unmaps the image or view that contains `address`; the result is where it lay.
    ///
    /// # Errors
    /// [`RuleError::NotAView`] when there is none.
    ///
    /// Source: Microsoft, "ZwUnmapViewOfSection routine".
    pub fn unmap(&mut self, address: Address) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = self.unmap_in_books(address).map(|(at, _)| at);
        Transaction::finish(self, outcome)
    }

    /// Unmaps a view that replaced a placeholder, and leaves a placeholder.
    ///
    /// # Errors
    /// [`RuleError::NotAView`], and [`RuleError::Conflict`] for a view that replaced none.
    ///
    /// Source: Microsoft, "UnmapViewOfFile2 function", `MEM_PRESERVE_PLACEHOLDER`.
    pub fn unmap_to_placeholder(
        &mut self,
        address: Address,
    ) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = self.unmap_to_placeholder_in_books(address);
        Transaction::finish(self, outcome)
    }

    fn unmap_to_placeholder_in_books(&mut self, address: Address) -> Result<AddressRange, RuleError> {
        if let Some((at, held)) = self.allocations.get(address)
            && held.kind != MemoryKind::Private
            && held.role != Role::Replacement
        {
            let held_by = format!("{at} did not replace a placeholder");
            return Err(RuleError::Conflict { wanted: at, held_by });
        }
        let (at, held) = self.unmap_in_books(address)?;
        if let Some(held) = held {
            self.put_placeholder(at, held);
        }
        Ok(at)
    }

    fn unmap_in_books(&mut self, address: Address) -> Result<(AddressRange, Option<Allocation>), RuleError> {
        let at = match self.allocations.get(address) {
            Some((at, held)) if held.kind != MemoryKind::Private && !held.is_system() => at,
            _ => return Err(RuleError::NotAView { address }),
        };
        let held = self.take_allocation(at.start).map(|(_, held)| held);
        self.drop_pages(at, |_| Action::Release { access: Access::empty() }, "unmapped");
        Ok((at, held))
    }
}

pub(super) fn whole_size(size: u64) -> Result<u64, RuleError> {
    size.checked_next_multiple_of(PAGE_SIZE)
        .filter(|whole| *whole > 0)
        .ok_or(RuleError::BadSize { size, parameter: 0 })
}

fn check_parts(request: &ImageRequest, whole: u64) -> Result<(), RuleError> {
    let mut at = 0;
    for (index, (offset, size, _, protection)) in request.parts.iter().enumerate() {
        let end = offset.checked_add(*size).and_then(|end| end.checked_next_multiple_of(PAGE_SIZE));
        match end {
            Some(end) if offset.is_multiple_of(PAGE_SIZE) && *offset >= at && end <= whole => at = end,
            _ => return Err(RuleError::BadSegment { index }),
        }
        if !protection.is_valid() {
            return Err(RuleError::BadProtection { protection: *protection });
        }
    }
    Ok(())
}
