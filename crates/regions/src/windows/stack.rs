//! Stacks that grow by their guard page, and guard pages in general.

use crate::windows::allocate::Place;
use crate::windows::space::{PageState, Role};
use crate::windows::{Allocation, MemoryKind, PageProtection, RuleError, Transaction, WindowsSpace};
use crate::{ALLOCATION_GRANULARITY, Address, AddressRange, Label, PAGE_SIZE, Use};

/// Pages that a stack keeps besides what it commits at first: bottom, guarantee (at most two) and guard.
const KEPT_PAGES: u64 = 4;

/// A thread's stack, as its environment block names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackRanges {
    /// The first byte above the stack, where it begins to grow down from.
    pub base: Address,
    /// The lowest committed byte that is no guard page.
    pub limit: Address,
    /// The lowest byte of the reservation.
    pub allocation_base: Address,
}

/// What a touch of a guard page means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardTouch {
    /// A guard page of the program's own: its flag is gone, and the program hears of it.
    Guard,
    /// A stack grew; the program does not notice.
    Grown {
        /// The new lowest committed byte.
        new_limit: Address,
    },
    /// A stack is at its end: the last pages are committed for the handler, and the program hears of it.
    Overflow {
        /// The new lowest committed byte.
        new_limit: Address,
    },
}

impl WindowsSpace {
    /// Reserves a stack: top committed, a guard page below, the bottom page never committed.
    ///
    /// `reserve` (bytes) is rounded up to 64 KiB, `commit` (bytes) to a page; four pages stay uncommitted.
    ///
    /// # Errors
    /// [`RuleError::BadSize`] or [`RuleError::NoRoom`].
    ///
    /// Source: Microsoft, "Thread Stack Size".
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
        let size = reserve
            .max(commit)
            .max(1)
            .checked_next_multiple_of(ALLOCATION_GRANULARITY)
            .ok_or(RuleError::BadSize { size: reserve, parameter: 0 })?;
        let window = self.layout.usable();
        let alignment = ALLOCATION_GRANULARITY;
        let place = Place { size, alignment, window, purpose: Use::Stack, top_down: false };
        let (range, why) = self.place(&place).ok_or(RuleError::NoRoom { size, window })?;
        let most = size - KEPT_PAGES * PAGE_SIZE;
        let commit = commit.clamp(1, most).next_multiple_of(PAGE_SIZE);
        let id = self.fresh_id();
        let protection = PageProtection::READWRITE;
        let allocation = Allocation {
            id,
            role: Role::Stack,
            write_watch: false,
            was_cut: false,
            parts: None,
            kind: MemoryKind::Private,
            protection,
            owner,
            reason: Label::fixed(why),
        };
        self.put_allocation(range, allocation);
        let limit = Address::new(range.end.get() - commit);
        let guard = Address::new(limit.get() - PAGE_SIZE);
        self.commit_pages(
            AddressRange { start: limit, end: range.end },
            PageState { allocation: id, protection },
        );
        self.set_guard(guard, id);
        Ok(StackRanges { base: range.end, limit, allocation_base: range.start })
    }

    fn set_guard(&mut self, page: Address, id: u64) {
        let range = AddressRange { start: page, end: Address::new(page.get().saturating_add(PAGE_SIZE)) };
        let protection = PageProtection::READWRITE | PageProtection::GUARD;
        self.commit_pages(range, PageState { allocation: id, protection });
    }

    /// Answers a touch of the page of `address`: its guard flag goes, and a stack grows.
    ///
    /// # Errors
    /// [`RuleError::NotGuarded`] when the page has no guard flag.
    ///
    /// Source: Microsoft, "Creating Guard Pages", "Thread Stack Size", "SetThreadStackGuarantee function".
    pub fn touch_guard(&mut self, address: Address) -> Result<Transaction<'_, GuardTouch>, RuleError> {
        self.touch_guard_of(address, None)
    }

    /// As [`WindowsSpace::touch_guard`], by a thread that says which range its stack is: one that a program made itself
    /// grows, too.
    ///
    /// # Errors
    /// As there.
    pub fn touch_guard_of(
        &mut self,
        address: Address,
        own_stack: Option<AddressRange>,
    ) -> Result<Transaction<'_, GuardTouch>, RuleError> {
        self.begin();
        let outcome = self.touch_in_books(address, own_stack);
        Transaction::finish(self, outcome)
    }

    fn touch_in_books(
        &mut self,
        address: Address,
        own_stack: Option<AddressRange>,
    ) -> Result<GuardTouch, RuleError> {
        let page = address.align_down(PAGE_SIZE);
        let old = self.pages.get(page).map(|(_, old)| *old);
        let Some(old) = old.filter(|old| old.protection.contains(PageProtection::GUARD)) else {
            return Err(RuleError::NotGuarded { page });
        };
        let range = AddressRange { start: page, end: Address::new(page.get().saturating_add(PAGE_SIZE)) };
        let protection = old.protection.difference(PageProtection::GUARD);
        self.protect_pages(
            range,
            PageState { allocation: old.allocation, protection },
            "guard page was touched",
        );
        match self.allocations.get(page) {
            Some((at, held)) if held.role == Role::Stack => Ok(self.grow_stack(at, page, old.allocation)),
            // A part of a larger allocation may be the stack.
            Some((at, _)) => match own_stack.filter(|own| own.contains(page) && at.contains(own.start)) {
                Some(own) => Ok(self.grow_stack(own, page, old.allocation)),
                None => Ok(GuardTouch::Guard),
            },
            None => Ok(GuardTouch::Guard),
        }
    }

    fn grow_stack(&mut self, at: AddressRange, page: Address, id: u64) -> GuardTouch {
        // Below the guard page lie the guarantee for the handler, and the bottom page that stays inaccessible.
        let guarantee = if self.layout.bits == 64 { 2 } else { 1 };
        let above_bottom = Address::new(at.start.get().saturating_add(PAGE_SIZE));
        let last_guard = Address::new(above_bottom.get().saturating_add(guarantee * PAGE_SIZE));
        if page > last_guard {
            self.set_guard(Address::new(page.get() - PAGE_SIZE), id);
            return GuardTouch::Grown { new_limit: page };
        }
        let new_limit = above_bottom.min(page);
        if let Some(rest) = AddressRange::new(new_limit, page).filter(|rest| !rest.is_empty()) {
            let protection = PageProtection::READWRITE;
            self.commit_pages(rest, PageState { allocation: id, protection });
        }
        GuardTouch::Overflow { new_limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layout;

    #[test]
    fn a_stack_that_a_program_made_grows_for_its_own_thread() {
        let mut space = WindowsSpace::new(&Layout::builtin("win64").expect("built in"));
        let reserve = crate::windows::Request::new(
            0x1_0000,
            crate::windows::AllocationType::RESERVE,
            PageProtection::READWRITE,
        );
        let range = space.allocate(&reserve).expect("room").commit();
        let mut guard = crate::windows::Request::new(
            PAGE_SIZE,
            crate::windows::AllocationType::COMMIT,
            PageProtection::READWRITE | PageProtection::GUARD,
        );
        let page = Address::new(range.end.get() - 2 * PAGE_SIZE);
        guard.base = Some(page);
        space.allocate(&guard).expect("reserved").commit();
        let touch = space.touch_guard_of(page, Some(range)).expect("guarded").commit();
        assert_eq!(touch, GuardTouch::Grown { new_limit: page });
        let below = Address::new(page.get() - PAGE_SIZE);
        // Another thread's touch is one of a plain guard page.
        assert_eq!(space.touch_guard(below).expect("guarded").commit(), GuardTouch::Guard);
    }

    #[test]
    fn a_stack_grows_page_by_page_until_it_overflows() {
        for (name, guarantee) in [("win32", 1), ("win64", 2)] {
            let mut space = WindowsSpace::new(&Layout::builtin(name).expect("built in"));
            let stack = space.allocate_stack(1, 1, "stack".into()).expect("room").commit();
            let bottom = stack.allocation_base.get();
            assert_eq!(stack.base.get() - bottom, 0x1_0000);
            let mut guard = stack.limit.get() - PAGE_SIZE;
            let mut grown = 0;
            loop {
                let touch = space.touch_guard(Address::new(guard + 0x123)).expect("guarded").commit();
                match touch {
                    GuardTouch::Grown { new_limit } => assert_eq!(new_limit.get(), guard),
                    GuardTouch::Overflow { new_limit } => {
                        assert_eq!(new_limit.get(), bottom + PAGE_SIZE);
                        break;
                    }
                    GuardTouch::Guard => panic!("a stack's guard page is not the program's"),
                }
                guard -= PAGE_SIZE;
                grown += 1;
            }
            // 16 pages, less the first, the bottom, the guarantee and the last guard.
            assert_eq!(grown, 16 - 1 - 1 - guarantee - 1, "{name}");
            let run = space.query(stack.allocation_base).expect("inside");
            assert_eq!((run.size, run.state), (PAGE_SIZE, crate::windows::State::Reserve));
            let run = space.query(Address::new(bottom + PAGE_SIZE)).expect("inside");
            assert_eq!((run.size, run.protection), (15 * PAGE_SIZE, PageProtection::READWRITE));
            let again = space.touch_guard(Address::new(guard)).err().map(|error| error.status());
            assert_eq!(again, Some(0xc000_0005));
        }
    }
}
