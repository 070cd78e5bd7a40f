//! Stacks: a reservation that commits itself from the top down, one guard page at a time.

use crate::windows::allocate::Place;
use crate::windows::space::{PageState, Role};
use crate::windows::{
    Action, Allocation, Backing, Edit, MemoryKind, PageProtection, RuleError, Transaction, WindowsSpace,
};
use crate::{ALLOCATION_GRANULARITY, Address, AddressRange, Label, PAGE_SIZE, Use};

/// A stack's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackRanges {
    /// The end: the first byte after the stack.
    pub base: Address,
    /// The lowest committed page that is no guard page.
    pub limit: Address,
    /// The lowest reserved page.
    pub allocation_base: Address,
}

/// What the touch of a guard page meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardTouch {
    /// No stack's: `STATUS_GUARD_PAGE_VIOLATION`, once.
    Guard,
    /// A stack grew: its limit is now here.
    Grown {
        /// The new lowest page.
        limit: Address,
    },
    /// A stack used its last pages: `STATUS_STACK_OVERFLOW`, with the guaranteed pages for the handler.
    Overflow {
        /// The new lowest page.
        limit: Address,
    },
}

/// Pages at the bottom that no stack ever uses: the last one stays without access.
const BOTTOM_PAGES: u64 = 1;

/// Pages that the overflow gives to the handler, above the bottom.
const GUARANTEED_PAGES: u64 = 2;

impl WindowsSpace {
    /// Reserves a stack of `reserve` bytes (rounded to 64 KiB), commits `commit` bytes at its top, and puts a guard
    /// page below.
    ///
    /// # Errors
    /// [`RuleError::NoRoom`] when no range is free.
    ///
    /// Source: Microsoft, "Thread Stack Size"; facts recorded by Wine's conformance tests on Windows.
    pub fn allocate_stack(
        &mut self,
        reserve: u64,
        commit: u64,
        owner: Label,
    ) -> Result<Transaction<'_, StackRanges>, RuleError> {
        self.begin();
        let outcome = self.stack_in_books(reserve, commit, owner);
        Transaction::finish(self, outcome)
    }

    fn stack_in_books(&mut self, reserve: u64, commit: u64, owner: Label) -> Result<StackRanges, RuleError> {
        let window = self.layout.usable();
        let full = RuleError::NoRoom { size: reserve, window };
        let size =
            reserve.max(commit).max(ALLOCATION_GRANULARITY).checked_next_multiple_of(ALLOCATION_GRANULARITY);
        let size = size.ok_or(full.clone())?;
        let place =
            Place { size, alignment: ALLOCATION_GRANULARITY, window, purpose: Use::Stack, top_down: false };
        let (range, reason) = self.place(&place).ok_or(full)?;
        let id = self.fresh_id();
        let allocation = Allocation {
            id,
            role: Role::Stack,
            write_watch: false,
            parts: None,
            kind: MemoryKind::Private,
            protection: PageProtection::READWRITE,
            owner,
            reason: Label::fixed(reason),
        };
        self.put_allocation(range, allocation);
        let lowest = (BOTTOM_PAGES + GUARANTEED_PAGES + 1) * PAGE_SIZE;
        let committed = commit.clamp(PAGE_SIZE, size - lowest).next_multiple_of(PAGE_SIZE).min(size - lowest);
        let limit = Address::new(range.end.get() - committed);
        let guard = Address::new(limit.get() - PAGE_SIZE);
        self.commit_stack(AddressRange { start: limit, end: range.end }, id, PageProtection::READWRITE);
        self.commit_stack(AddressRange { start: guard, end: limit }, id, guard_protection());
        Ok(StackRanges { base: range.end, limit, allocation_base: range.start })
    }

    fn commit_stack(&mut self, range: AddressRange, allocation: u64, protection: PageProtection) {
        let action = Action::Map { access: protection.access(), backing: Backing::Anonymous };
        self.edits.push(Edit { range, action, reason: "stack" });
        self.set_pages(range, Some(PageState { allocation, protection }));
    }

    /// Handles a touch of the guard page at `address`: the guard is disarmed, and a stack grows.
    ///
    /// # Errors
    /// [`RuleError::NotGuarded`] when the page is none: an access violation.
    pub fn touch_guard(&mut self, address: Address) -> Result<Transaction<'_, GuardTouch>, RuleError> {
        self.begin();
        let outcome = self.touch_in_books(address);
        Transaction::finish(self, outcome)
    }

    fn touch_in_books(&mut self, address: Address) -> Result<GuardTouch, RuleError> {
        let page = address.align_down(PAGE_SIZE);
        let not_guarded = RuleError::NotGuarded { page };
        let state = self.pages.get(page).map(|(_, state)| *state);
        let state = state
            .filter(|state| state.protection.contains(PageProtection::GUARD))
            .ok_or(not_guarded.clone())?;
        let (at, role) = self.allocations.get(page).map(|(at, held)| (at, held.role)).ok_or(not_guarded)?;
        let touched = AddressRange::sized(page, PAGE_SIZE).unwrap_or_default();
        let open = state.protection.difference(PageProtection::GUARD);
        let action = Action::Protect { access: open.access() };
        self.edits.push(Edit { range: touched, action, reason: "a guard page was touched" });
        self.set_pages(touched, Some(PageState { protection: open, ..state }));
        if role != Role::Stack {
            return Ok(GuardTouch::Guard);
        }
        Ok(self.move_guard(page, at, state.allocation))
    }

    /// Puts a stack's guard one page down, or at the end gives the handler its guaranteed pages.
    fn move_guard(&mut self, page: Address, at: AddressRange, id: u64) -> GuardTouch {
        let above_bottom = (page.get() - at.start.get()) / PAGE_SIZE;
        if above_bottom > BOTTOM_PAGES + GUARANTEED_PAGES {
            let guard = AddressRange { start: Address::new(page.get() - PAGE_SIZE), end: page };
            self.commit_stack(guard, id, guard_protection());
            return GuardTouch::Grown { limit: page };
        }
        let limit = Address::new(at.start.get() + BOTTOM_PAGES * PAGE_SIZE);
        let rest = AddressRange { start: limit, end: page };
        if !rest.is_empty() {
            self.commit_stack(rest, id, PageProtection::READWRITE);
        }
        GuardTouch::Overflow { limit }
    }
}

fn guard_protection() -> PageProtection {
    PageProtection::READWRITE | PageProtection::GUARD
}
