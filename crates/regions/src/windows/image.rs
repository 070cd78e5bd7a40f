//! Images: a range with parts of different protection, at the preferred base if it is free.

use crate::windows::allocate::Place;
use crate::windows::space::{PageState, Role};
use crate::windows::{
    Action, Allocation, Backing, Edit, MemoryKind, PageProtection, RuleError, Transaction, WindowsSpace,
};
use crate::{ALLOCATION_GRANULARITY, Access, Address, AddressRange, Label, PAGE_SIZE, Use};

/// An image that wants a place.
#[derive(Clone, Debug)]
pub struct ImageRequest {
    /// Its size in bytes.
    pub size: u64,
    /// Where it was linked for.
    pub preferred: Option<Address>,
    /// Whether it may lie elsewhere.
    pub relocatable: bool,
    /// [`Use::Image`] or [`Use::SystemImage`].
    pub purpose: Use,
    /// Its name.
    pub owner: Label,
    /// Its parts, ascending: offset and size in bytes, name, protection. What lies between has no access.
    pub parts: Vec<(u64, u64, Label, PageProtection)>,
}

/// Where an image came to lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Where.
    pub range: AddressRange,
    /// Whether that is not its preferred base.
    pub moved: bool,
    /// Why there.
    pub reason: Label,
}

impl WindowsSpace {
    /// Maps an image: all its pages are committed, each part with its protection.
    ///
    /// # Errors
    /// [`RuleError::Conflict`] when it may lie nowhere else and its place is taken; [`RuleError::NoRoom`];
    /// [`RuleError::BadSegment`] when its parts overlap or leave it.
    ///
    /// Source: Microsoft, "ZwMapViewOfSection routine", `SEC_IMAGE`.
    pub fn map_image(&mut self, request: &ImageRequest) -> Result<Transaction<'_, Placement>, RuleError> {
        self.begin();
        let outcome = self.map_image_in_books(request);
        Transaction::finish(self, outcome)
    }

    fn map_image_in_books(&mut self, request: &ImageRequest) -> Result<Placement, RuleError> {
        check_parts(request)?;
        let (range, reason) = self.place_image(request)?;
        let id = self.fresh_id();
        let parts = request.parts.iter().map(|(offset, size, name, _)| (*offset, *size, name.clone()));
        let allocation = Allocation {
            id,
            role: Role::Plain,
            write_watch: false,
            parts: Some(parts.collect()),
            kind: MemoryKind::Image,
            // Windows reports this for every image.
            protection: PageProtection::EXECUTE_WRITECOPY,
            owner: request.owner.clone(),
            reason: reason.clone(),
        };
        self.put_allocation(range, allocation);
        let mut at = range.start;
        for (offset, size, _, protection) in &request.parts {
            let part =
                AddressRange::sized(Address::new(range.start.get() + offset), *size).unwrap_or_default();
            self.map_part(AddressRange { start: at, end: part.start }, id, PageProtection::NOACCESS);
            self.map_part(part, id, *protection);
            at = part.end;
        }
        self.map_part(AddressRange { start: at, end: range.end }, id, PageProtection::NOACCESS);
        let moved = request.preferred.is_some_and(|preferred| preferred != range.start);
        Ok(Placement { range, moved, reason })
    }

    fn map_part(&mut self, range: AddressRange, allocation: u64, protection: PageProtection) {
        if range.is_empty() {
            return;
        }
        let action = Action::Map { access: protection.access(), backing: Backing::Anonymous };
        self.edits.push(Edit { range, action, reason: "part of an image" });
        self.set_pages(range, Some(PageState { allocation, protection }));
    }

    fn place_image(&self, request: &ImageRequest) -> Result<(AddressRange, Label), RuleError> {
        let window = self.layout.usable();
        let no_room = RuleError::NoRoom { size: request.size, window };
        let size = request
            .size
            .checked_next_multiple_of(PAGE_SIZE)
            .filter(|&size| size > 0)
            .ok_or(no_room.clone())?;
        let refused = match request.preferred {
            None => None,
            Some(base) => match self.at_preferred(base, size) {
                Ok(range) => return Ok((range, Label::fixed("at its preferred base"))),
                Err(error) if !request.relocatable => return Err(error),
                Err(error) => Some((base, error)),
            },
        };
        let place = Place {
            size,
            alignment: ALLOCATION_GRANULARITY,
            window,
            purpose: request.purpose,
            top_down: false,
        };
        let (range, band) = self.place(&place).ok_or(no_room)?;
        let reason = match refused {
            None => Label::fixed(band),
            Some((base, RuleError::Conflict { held_by, .. })) => {
                Label::from(format!("preferred base {base} is taken by {held_by}: {band}"))
            }
            Some((base, _)) => Label::from(format!("preferred base {base} is outside the layout: {band}")),
        };
        Ok((range, reason))
    }

    fn at_preferred(&self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let bad = RuleError::OutOfBounds { base: base.get(), size };
        let range = AddressRange::sized(base, size).filter(|_| base.is_aligned(ALLOCATION_GRANULARITY));
        let range = range.ok_or(bad)?;
        self.in_bounds(range)?;
        self.must_be_free(range)?;
        Ok(range)
    }

    /// Unmaps the view or image in which `address` lies.
    ///
    /// # Errors
    /// [`RuleError::NotAView`] when none lies there.
    ///
    /// Source: Microsoft, "UnmapViewOfFile function"; NT takes any address inside the view.
    pub fn unmap(&mut self, address: Address) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = self.unmap_in_books(address);
        Transaction::finish(self, outcome)
    }

    fn unmap_in_books(&mut self, address: Address) -> Result<AddressRange, RuleError> {
        let view = self.allocations.get(address);
        let view = view.filter(|(_, held)| held.kind != MemoryKind::Private && !held.is_system());
        let (range, _) = view.ok_or(RuleError::NotAView { address })?;
        self.take_allocation(range.start);
        let action = Action::Release { access: Access::empty() };
        self.edits.push(Edit { range, action, reason: "unmapped" });
        self.set_pages(range, None);
        Ok(range)
    }
}

/// Checks that an image's parts are whole pages, ascend, and lie inside it.
fn check_parts(request: &ImageRequest) -> Result<(), RuleError> {
    let mut end = 0;
    for (index, (offset, size, _, protection)) in request.parts.iter().enumerate() {
        let aligned = offset % PAGE_SIZE == 0 && size % PAGE_SIZE == 0;
        let next = offset.checked_add(*size).filter(|&next| next <= request.size.next_multiple_of(PAGE_SIZE));
        match next {
            Some(next) if aligned && *offset >= end && protection.is_valid() => end = next,
            _ => return Err(RuleError::BadSegment { index }),
        }
    }
    Ok(())
}
