//! Reserving and committing: `NtAllocateVirtualMemory` and the choice of a place.

use crate::windows::space::{PageState, Role};
use crate::windows::{
    Action, Allocation, AllocationType, Backing, MemoryKind, PageProtection, RuleError, Transaction,
    WindowsSpace,
};
use crate::{ALLOCATION_GRANULARITY, Address, AddressRange, Direction, Label, PAGE_SIZE, Use};

/// What a program asks `VirtualAlloc`, `VirtualAlloc2` or their NT forms for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where, or `None` for anywhere.
    pub base: Option<Address>,
    /// Size in bytes.
    pub size: u64,
    /// Reserve, commit and so on.
    pub kind: AllocationType,
    /// Protection of the pages.
    pub protection: PageProtection,
    /// How many high bits of the address are zero, or a mask; see [`highest_of_zero_bits`].
    pub zero_bits: u64,
    /// Lowest address that will do, when there is no base.
    pub lowest: Option<Address>,
    /// Highest address (inclusive) that will do, when there is no base.
    pub highest: Option<Address>,
    /// Alignment in bytes, when there is no base; 0 for the usual 64 KiB.
    pub alignment: u64,
    /// Which band of the layout it goes to.
    pub purpose: Use,
    /// Whose it is.
    pub owner: Label,
}

impl Request {
    /// Asks for `size` bytes anywhere among private memory.
    pub fn new(size: u64, kind: AllocationType, protection: PageProtection) -> Self {
        Self {
            base: None,
            size,
            kind,
            protection,
            zero_bits: 0,
            lowest: None,
            highest: None,
            alignment: 0,
            purpose: Use::Private,
            owner: Label::fixed("VirtualAlloc"),
        }
    }

    /// Asks for this place.
    pub fn at(mut self, base: Address) -> Self {
        self.base = Some(base);
        self
    }

    /// Names the owner.
    pub fn owner(mut self, owner: impl Into<Label>) -> Self {
        self.owner = owner.into();
        self
    }

    /// Chooses the band of the layout.
    pub fn purpose(mut self, purpose: Use) -> Self {
        self.purpose = purpose;
        self
    }
}

/// What a place has to be like.
pub(super) struct Place {
    pub(super) size: u64,
    pub(super) alignment: u64,
    pub(super) window: AddressRange,
    pub(super) purpose: Use,
    pub(super) top_down: bool,
}

/// Returns the highest address (inclusive) that `zero_bits` of the NT calls allows; `None` is no limit.
///
/// From 1 to 21 the value counts zero bits at the top of 32; from 32 up it is a mask, whose highest
/// bit is the highest that an address may have.
///
/// # Errors
/// [`RuleError::BadZeroBits`] from 22 to 31.
///
/// Source: Microsoft, "ZwAllocateVirtualMemory routine"; facts recorded by Wine's conformance tests on Windows.
pub fn highest_of_zero_bits(zero_bits: u64) -> Result<Option<Address>, RuleError> {
    match zero_bits {
        0 => Ok(None),
        1..=21 => Ok(Some(Address::new(u64::from(u32::MAX >> zero_bits)))),
        22..=31 => Err(RuleError::BadZeroBits { zero_bits }),
        _ => Ok(Some(Address::new(u64::MAX >> zero_bits.leading_zeros()))),
    }
}

impl WindowsSpace {
    /// Reserves, commits or resets pages; the result is the range that the call settled on.
    ///
    /// # Errors
    /// [`RuleError`] with the NTSTATUS that Windows gives.
    ///
    /// Source: Microsoft, "VirtualAlloc function", "VirtualAlloc2 function".
    pub fn allocate(&mut self, request: &Request) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = self.allocate_in_books(request);
        Transaction::finish(self, outcome)
    }

    pub(super) fn allocate_in_books(&mut self, request: &Request) -> Result<AddressRange, RuleError> {
        check_type(request)?;
        check_protection(request)?;
        if request.size == 0 {
            return Err(RuleError::BadSize { size: 0, parameter: 4 });
        }
        if request.kind.intersects(AllocationType::RESET | AllocationType::RESET_UNDO) {
            return self.reset_in_books(request.base, request.size);
        }
        let reserve = request.kind.contains(AllocationType::RESERVE);
        match request.base {
            Some(base) if !reserve => self.commit_in_books(base, request.size, request.protection),
            _ => self.reserve_in_books(request),
        }
    }

    /// Says that the contents of a range are no longer of interest, or are again; changes no page.
    ///
    /// # Errors
    /// [`RuleError::Conflict`] when the range is not inside one allocation.
    ///
    /// Source: Microsoft, "VirtualAlloc function", `MEM_RESET`.
    pub fn reset(&mut self, base: Address, size: u64) -> Result<Transaction<'_, AddressRange>, RuleError> {
        self.begin();
        let outcome = self.reset_in_books(Some(base), size);
        Transaction::finish(self, outcome)
    }

    fn reset_in_books(&mut self, base: Option<Address>, size: u64) -> Result<AddressRange, RuleError> {
        // Without a base the range starts at zero, which no allocation contains.
        let range = self.whole_pages(base.unwrap_or_default(), size)?;
        self.inside_one(range)?;
        Ok(range)
    }

    fn commit_in_books(
        &mut self,
        base: Address,
        size: u64,
        protection: PageProtection,
    ) -> Result<AddressRange, RuleError> {
        let range = self.whole_pages(base, size)?;
        let (at, allocation) = self.inside_one(range)?;
        if allocation.is_system() || allocation.is_placeholder() {
            return Err(RuleError::Conflict { wanted: range, held_by: allocation.owner.to_string() });
        }
        if allocation.role == Role::MemoryView && self.all_committed(range).is_ok() {
            // As CoreCLR does with the memory that it maps twice.
            return self.protect_in_books(base, size, protection).map(|_| range);
        }
        if allocation.kind != MemoryKind::Private {
            return Err(RuleError::AlreadyCommitted { range: at });
        }
        let state = PageState { allocation: allocation.id, protection };
        self.commit_pages(range, state);
        Ok(range)
    }

    /// Commits pages: fresh ones are mapped, committed ones get the new protection.
    pub(super) fn commit_pages(&mut self, range: AddressRange, state: PageState) {
        let access = state.protection.access();
        let mut at = range.start;
        for (piece, old) in self.pages.overlapping(range) {
            let piece = piece.intersection(range).unwrap_or_default();
            if at < piece.start {
                self.edits.push(fresh(AddressRange { start: at, end: piece.start }, state.protection));
            }
            if old.protection.access() != access {
                let action = Action::Protect { access };
                let reason = "committed again with another protection";
                self.edits.push(super::Edit { range: piece, action, reason });
            }
            at = piece.end;
        }
        if at < range.end {
            self.edits.push(fresh(AddressRange { start: at, end: range.end }, state.protection));
        }
        self.set_pages(range, Some(state));
    }

    fn reserve_in_books(&mut self, request: &Request) -> Result<AddressRange, RuleError> {
        let replace = request.kind.contains(AllocationType::REPLACE_PLACEHOLDER);
        let (range, reason) = match request.base {
            Some(base) if replace => {
                (self.take_placeholder(base, request.size)?, "in place of a placeholder")
            }
            Some(base) => {
                let placeholder = request.kind.contains(AllocationType::RESERVE_PLACEHOLDER);
                (self.reserve_at(base, request.size, placeholder)?, "the program asked for this address")
            }
            None => self.reserve_anywhere(request)?,
        };
        let role = if replace {
            Role::Replacement
        } else if request.kind.contains(AllocationType::RESERVE_PLACEHOLDER) {
            Role::Placeholder
        } else {
            Role::Plain
        };
        let id = self.fresh_id();
        let allocation = Allocation {
            id,
            role,
            write_watch: request.kind.contains(AllocationType::WRITE_WATCH),
            was_cut: false,
            parts: None,
            kind: MemoryKind::Private,
            protection: request.protection,
            owner: request.owner.clone(),
            reason: Label::fixed(reason),
        };
        self.put_allocation(range, allocation);
        if request.kind.contains(AllocationType::COMMIT) {
            let state = PageState { allocation: id, protection: request.protection };
            self.edits.push(fresh(range, request.protection));
            self.set_pages(range, Some(state));
        }
        Ok(range)
    }

    fn reserve_at(&self, base: Address, size: u64, placeholder: bool) -> Result<AddressRange, RuleError> {
        let bad = RuleError::OutOfBounds { base: base.get(), size };
        let end = base.checked_add(size).and_then(|end| end.align_up(PAGE_SIZE)).ok_or(bad)?;
        let whole = AddressRange { start: base.align_down(ALLOCATION_GRANULARITY), end };
        // Placeholders, and allocations of which a part was released, are cut at pages: there a page inside the same
        // 64 KiB may be taken by itself. Everywhere else Windows rounds down to 64 KiB.
        let range = match self.allocations.get(whole.start) {
            Some((_, held)) if held.was_cut || placeholder => {
                AddressRange { start: base.align_down(PAGE_SIZE), end }
            }
            _ => whole,
        };
        self.in_bounds(range)?;
        self.must_be_free(range)?;
        Ok(range)
    }

    pub(super) fn must_be_free(&self, range: AddressRange) -> Result<(), RuleError> {
        match self.allocations.overlapping(range).next() {
            None => Ok(()),
            Some((at, held)) => {
                Err(RuleError::Conflict { wanted: range, held_by: format!("{} at {at}", held.owner) })
            }
        }
    }

    fn reserve_anywhere(&self, request: &Request) -> Result<(AddressRange, &'static str), RuleError> {
        let requirements = RuleError::BadRequirements {
            alignment: request.alignment,
            highest: request.highest.map_or(0, Address::get),
        };
        let alignment = match request.alignment {
            0 => ALLOCATION_GRANULARITY,
            value if value.is_power_of_two() && value >= ALLOCATION_GRANULARITY => value,
            _ => return Err(requirements),
        };
        let mut window = self.layout.usable();
        for highest in [highest_of_zero_bits(request.zero_bits)?, request.highest].into_iter().flatten() {
            let end = Address::new(highest.get().saturating_add(1)).align_down(PAGE_SIZE);
            window.end = window.end.min(end).max(window.start);
        }
        if let Some(lowest) = request.lowest {
            if !lowest.is_aligned(ALLOCATION_GRANULARITY) || lowest >= window.end {
                return Err(requirements);
            }
            window.start = window.start.max(lowest);
        }
        let full = RuleError::NoRoom { size: request.size, window };
        let Some(size) = Address::new(request.size).align_up(PAGE_SIZE).map(Address::get) else {
            return Err(full);
        };
        let top_down = request.kind.contains(AllocationType::TOP_DOWN);
        self.place(&Place { size, alignment, window, purpose: request.purpose, top_down }).ok_or(full)
    }

    /// Chooses a free range: by the bands of the layout first, then anywhere in the window.
    pub(super) fn place(&self, place: &Place) -> Option<(AddressRange, &'static str)> {
        if place.top_down {
            return self.highest_free(place, place.window).map(|at| (at, "highest free addresses, as asked"));
        }
        for band in self.layout.bands_for(place.purpose) {
            let Some(window) = band.range.intersection(place.window) else { continue };
            let found = match band.direction {
                Direction::Up => {
                    self.lowest_free(place, window).map(|at| (at, "lowest free 64 KiB slot of its band"))
                }
                Direction::Down => {
                    self.highest_free(place, window).map(|at| (at, "highest free slot of its band"))
                }
            };
            if found.is_some() {
                return found;
            }
        }
        self.lowest_free(place, place.window)
            .map(|at| (at, "lowest free 64 KiB slot: its band is full or out of bounds"))
    }

    fn lowest_free(&self, place: &Place, window: AddressRange) -> Option<AddressRange> {
        let mut rest = window;
        loop {
            let gap = self.allocations.lowest_gap(rest, place.size)?;
            let start = gap.start.align_up(place.alignment)?;
            match AddressRange::sized(start, place.size) {
                Some(range) if range.end <= gap.end => return Some(range),
                _ => rest.start = gap.end,
            }
        }
    }

    fn highest_free(&self, place: &Place, window: AddressRange) -> Option<AddressRange> {
        let mut rest = window;
        loop {
            let gap = self.allocations.highest_gap(rest, place.size)?;
            let start = gap.end.checked_sub(place.size)?.align_down(place.alignment);
            match AddressRange::sized(start, place.size) {
                Some(range) if start >= gap.start => return Some(range),
                _ => rest.end = gap.start,
            }
        }
    }

    /// Returns the pages that `size` bytes at `base` touch.
    pub(super) fn whole_pages(&self, base: Address, size: u64) -> Result<AddressRange, RuleError> {
        let bad = RuleError::OutOfBounds { base: base.get(), size };
        let end = base.checked_add(size).and_then(|end| end.align_up(PAGE_SIZE)).ok_or(bad)?;
        let range = AddressRange { start: base.align_down(PAGE_SIZE), end };
        if range.is_empty() {
            return Err(RuleError::BadSize { size, parameter: 3 });
        }
        self.in_bounds(range)?;
        Ok(range)
    }

    pub(super) fn in_bounds(&self, range: AddressRange) -> Result<(), RuleError> {
        if self.layout.usable().contains_range(range) {
            return Ok(());
        }
        Err(RuleError::OutOfBounds { base: range.start.get(), size: range.size() })
    }

    /// Returns the one allocation that contains all of `range`.
    pub(super) fn inside_one(&self, range: AddressRange) -> Result<(AddressRange, &Allocation), RuleError> {
        match self.allocations.get(range.start) {
            Some((at, allocation)) if at.contains_range(range) => Ok((at, allocation)),
            Some((at, allocation)) => Err(RuleError::Conflict {
                wanted: range,
                held_by: format!("{} ends at {}", allocation.owner, at.end),
            }),
            None => {
                Err(RuleError::Conflict { wanted: range, held_by: "nothing is reserved there".to_owned() })
            }
        }
    }
}

fn fresh(range: AddressRange, protection: PageProtection) -> super::Edit {
    let action = Action::Map { access: protection.access(), backing: Backing::Anonymous };
    super::Edit { range, action, reason: "committed" }
}

fn check_type(request: &Request) -> Result<(), RuleError> {
    type T = AllocationType;
    let kind = request.kind;
    let bad = |parameter| Err(RuleError::BadType { kind, parameter });
    let known =
        T::COMMIT | T::RESERVE | T::REPLACE_PLACEHOLDER | T::RESERVE_PLACEHOLDER | T::RESET | T::TOP_DOWN;
    let known = known | T::WRITE_WATCH | T::PHYSICAL | T::RESET_UNDO | T::LARGE_PAGES;
    if kind.bits() & !known.bits() != 0 {
        return bad(5);
    }
    for alone in [T::RESET, T::RESET_UNDO] {
        if kind.contains(alone) && kind != alone {
            return bad(5);
        }
    }
    if kind.intersects(T::LARGE_PAGES | T::PHYSICAL) {
        return Err(RuleError::PrivilegeNotHeld { kind });
    }
    if !kind.intersects(T::COMMIT | T::RESERVE | T::RESET | T::RESET_UNDO) {
        return bad(5);
    }
    if kind.contains(T::WRITE_WATCH) && !kind.contains(T::RESERVE) {
        return bad(5);
    }
    if kind.contains(T::RESERVE_PLACEHOLDER) {
        let extra = T::RESERVE | T::RESERVE_PLACEHOLDER | T::TOP_DOWN;
        if !kind.contains(T::RESERVE) || kind.bits() & !extra.bits() != 0 {
            return bad(0);
        }
        if request.protection != PageProtection::NOACCESS {
            return bad(0);
        }
    }
    if kind.contains(T::REPLACE_PLACEHOLDER) && (!kind.contains(T::RESERVE) || request.base.is_none()) {
        return bad(0);
    }
    Ok(())
}

fn check_protection(request: &Request) -> Result<(), RuleError> {
    let protection = request.protection;
    if !protection.is_valid() || protection.is_write_copy() {
        return Err(RuleError::BadProtection { protection });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::Layout;

    fn space() -> WindowsSpace {
        WindowsSpace::new(&Layout::builtin("win32").expect("built in"))
    }

    fn books(space: &WindowsSpace) -> String {
        let line = |(range, value): (AddressRange, String)| format!("{range} {value}\n");
        let allocations = space.allocations.iter().map(|(range, held)| (range, held.owner.to_string()));
        let pages = space.pages.iter().map(|(range, page)| (range, format!("  {:?}", page.protection)));
        allocations.chain(pages).map(line).collect()
    }

    fn check(base: Option<u64>, size: u64, kind: AllocationType, expected: Expect) {
        let mut space = space();
        let before = books(&space);
        let mut request = Request::new(size, kind, PageProtection::READWRITE);
        request.base = base.map(Address::new);
        let text = match space.allocate(&request) {
            Ok(tx) => {
                let edits = tx.edits().iter().map(|edit| format!("\n{edit}"));
                let text = format!("{}{}", tx.value(), edits.collect::<String>());
                tx.roll_back();
                text
            }
            Err(error) => format!("{:#x} {error}", error.status()),
        };
        assert_eq!(books(&space), before, "a roll back or a refusal leaves the books as they were");
        expected.assert_eq(&text);
    }

    #[test]
    fn reserve_rounds_the_base_down_to_64_kib() {
        let both = AllocationType::RESERVE | AllocationType::COMMIT;
        check(
            Some(0x0300_1800),
            0x1000,
            both,
            expect![[r#"
            0x00000000_03000000..0x00000000_03003000
            0x00000000_03000000..0x00000000_03003000 map rw- anonymous: committed"#]],
        );
    }

    #[test]
    fn top_down_takes_the_highest_free_addresses() {
        let kind = AllocationType::RESERVE | AllocationType::TOP_DOWN;
        check(None, 0x1000, kind, expect!["0x00000000_7ffd0000..0x00000000_7ffd1000"]);
    }

    #[test]
    fn what_windows_refuses_is_refused_with_its_status() {
        check(
            Some(0x0300_0000),
            0x1000,
            AllocationType::COMMIT,
            expect![
                "0xc0000018 0x00000000_03000000..0x00000000_03001000 is taken, or not inside one allocation: nothing is reserved there"
            ],
        );
        check(
            Some(1),
            0x1000,
            AllocationType::RESERVE,
            expect![
                "0xc000000d 0x2000 bytes at 0x0 are not all inside the program's part of the address space"
            ],
        );
        check(
            Some(0x7ffe_0000),
            0x1000,
            AllocationType::RESERVE,
            expect![
                "0xc0000018 0x00000000_7ffe0000..0x00000000_7ffe1000 is taken, or not inside one allocation: KUSER_SHARED_DATA at 0x00000000_7ffe0000..0x00000000_7fff0000"
            ],
        );
        check(
            None,
            0,
            AllocationType::RESERVE,
            expect!["0xc00000f2 size 0x0 is zero or does not fit in the address space"],
        );
        check(
            None,
            u64::MAX,
            AllocationType::RESERVE,
            expect![
                "0xc0000017 no free range of 0xffffffffffffffff bytes within 0x00000000_00010000..0x00000000_7fff0000"
            ],
        );
        check(
            Some(0x0300_0000),
            u64::MAX,
            AllocationType::RESERVE,
            expect![
                "0xc000000d 0xffffffffffffffff bytes at 0x3000000 are not all inside the program's part of the address space"
            ],
        );
        check(
            None,
            0x1000,
            AllocationType::RESERVE | AllocationType::RESET,
            expect!["0xc00000f3 AllocationType(RESERVE | RESET) is no combination of allocation types"],
        );
    }

    #[test]
    fn committing_twice_changes_only_the_protection() {
        let mut space = space();
        let reserve = Request::new(0x4000, AllocationType::RESERVE, PageProtection::READWRITE);
        let range = space.allocate(&reserve).expect("room").commit();
        let commit = |at, protection| Request::new(0x1000, AllocationType::COMMIT, protection).at(at);
        space.allocate(&commit(range.start, PageProtection::READWRITE)).expect("reserved").commit();
        let mut again = commit(range.start, PageProtection::READONLY);
        again.size = 0x2000;
        let tx = space.allocate(&again).expect("reserved");
        let edits: Vec<String> = tx.edits().iter().map(ToString::to_string).collect();
        expect![[r#"
            0x00000000_02000000..0x00000000_02001000 protect r--: committed again with another protection
            0x00000000_02001000..0x00000000_02002000 map r-- anonymous: committed"#]]
        .assert_eq(&edits.join("\n"));
    }
}
