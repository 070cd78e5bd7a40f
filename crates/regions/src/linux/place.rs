//! Where a mapping goes: the hint, the search from the top or the bottom, the gap below stacks.
//!
//! Source: Linux, arch/x86/kernel/sys_x86_64.c, mm/mmap.c and mm/vma.c, `unmapped_area*`.

use crate::linux::space::Answer;
use crate::linux::{Action, Backing, Failure, LinuxError, LinuxSpace, MapFlags, Reason, VmFlags};
use crate::{Address, AddressRange, Direction};

/// What a placement has to satisfy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    pub(super) address: Address,
    /// Whole pages, in bytes.
    pub(super) length: u64,
    pub(super) flags: MapFlags,
    /// Offset in the file in bytes; for private anonymous memory 0.
    pub(super) offset: u64,
    pub(super) backing: &'a Backing,
}

impl LinuxSpace {
    /// Returns where a mapping goes.
    pub(super) fn place(&mut self, wish: Wish<'_>) -> Answer<Address> {
        let layout = self.policy.layout;
        if wish.length > layout.task_end.get() {
            return Err(Failure::new(LinuxError::Enomem, Reason::BeyondEnd));
        }
        let start = match self.huge_alignment(wish) {
            Some(alignment) => self.place_huge(wish, alignment)?,
            None => self.place_plain(wish)?,
        };
        if start.get() > layout.task_end.get() - wish.length {
            return Err(Failure::new(LinuxError::Enomem, Reason::BeyondEnd));
        }
        if !start.is_page_aligned() {
            return Err(Failure::new(LinuxError::Einval, Reason::NotAligned));
        }
        if start < layout.lowest_fixed {
            return Err(Failure::new(LinuxError::Eperm, Reason::BelowMinimum));
        }
        Ok(start)
    }

    /// Returns the alignment for huge pages when this mapping is placed by it.
    fn huge_alignment(&self, wish: Wish<'_>) -> Option<u64> {
        let alignment = self.policy.huge_alignment?;
        match wish.backing {
            Backing::Anonymous => {
                let multiple = !self.policy.aligns_multiples_only || wish.length.is_multiple_of(alignment);
                (wish.address == Address::ZERO && multiple).then_some(alignment)
            }
            Backing::File(file) if file.aligns_huge => Some(alignment),
            _ => None,
        }
    }

    /// Searches a place larger by the alignment and takes the aligned part of it.
    fn place_huge(&mut self, wish: Wish<'_>, alignment: u64) -> Answer<Address> {
        let end = wish.offset.saturating_add(wish.length);
        let first = wish.offset.checked_next_multiple_of(alignment).unwrap_or(u64::MAX);
        if end <= first || end - first < alignment {
            return self.place_plain(wish);
        }
        let noted = self.steps.len();
        let padded = Wish { length: wish.length.saturating_add(alignment), ..wish };
        let Ok(found) = self.place_plain(padded) else {
            self.steps.truncate(noted);
            return self.place_plain(wish);
        };
        if found == wish.address {
            return Ok(found);
        }
        let inset = wish.offset.wrapping_sub(found.get()) & (alignment - 1);
        // A search from the top that is aligned by chance takes the upper of the two places.
        let inset = if inset == 0 && layout_is_down(self) { alignment } else { inset };
        let start = Address::new(found.get().saturating_add(inset));
        self.note(start, wish.length, Reason::HugeAligned);
        Ok(start)
    }

    fn place_plain(&mut self, wish: Wish<'_>) -> Answer<Address> {
        if wish.flags.contains(MapFlags::FIXED) {
            self.note(wish.address, wish.length, Reason::Fixed);
            return Ok(wish.address);
        }
        let low = wish.flags.contains(MapFlags::LOW_2GB);
        if layout_is_down(self) && !low { self.place_down(wish) } else { self.place_up(wish, low) }
    }

    fn place_down(&mut self, wish: Wish<'_>) -> Answer<Address> {
        if wish.length > self.policy.layout.task_end.get() {
            return Err(Failure::new(LinuxError::Enomem, Reason::BeyondEnd));
        }
        if wish.address != Address::ZERO
            && let Some(start) = self.try_hint(wish, wish.address.align_down(crate::PAGE_SIZE))
        {
            return Ok(start);
        }
        let layout = self.policy.layout;
        let floor =
            if wish.flags.contains(MapFlags::ABOVE_4GB) { Address::new(1 << 32) } else { layout.lowest };
        let window = AddressRange { start: floor.max(layout.lowest), end: layout.top_base };
        if let Some(start) = self.highest_place(window, wish.length) {
            self.note(start, wish.length, Reason::HighestGap);
            return Ok(start);
        }
        self.note(layout.bottom_base, wish.length, Reason::FellBack);
        self.place_up(wish, false)
    }

    fn place_up(&mut self, wish: Wish<'_>, low: bool) -> Answer<Address> {
        let layout = self.policy.layout;
        let band = if low {
            layout.low_band
        } else {
            AddressRange { start: layout.bottom_base, end: layout.task_end }
        };
        let no_room = Err(Failure::new(LinuxError::Enomem, Reason::NoRoom));
        if wish.length > band.end.get() {
            return no_room;
        }
        let hint = wish.address.align_up(crate::PAGE_SIZE).unwrap_or(Address::ZERO);
        let from_hint = self.policy.searches_from_hint.filter(|_| !low && hint != Address::ZERO);
        if from_hint.is_some_and(|program| hint < program || hint >= band.start) {
            let window = AddressRange { start: hint.max(layout.lowest), end: band.end };
            let found = self.lowest_place(window, wish.length);
            let Some(start) = found.filter(|_| window.start < window.end) else { return no_room };
            let at_hint = start == hint;
            self.note(start, wish.length, if at_hint { Reason::HintFree } else { Reason::NextAboveHint });
            return Ok(start);
        }
        if from_hint.is_none()
            && hint != Address::ZERO
            && hint.checked_add(wish.length).is_some_and(|end| end <= band.end)
            && let Some(start) = self.try_hint(wish, hint)
        {
            return Ok(start);
        }
        if self.policy.free_area_cache && !low {
            return self.place_cached(wish.length, band).map_or(no_room, Ok);
        }
        let window = AddressRange { start: band.start.max(layout.lowest), ..band };
        let Some(start) = self.lowest_place(window, wish.length) else { return no_room };
        self.note(start, wish.length, if low { Reason::LowBand } else { Reason::LowestGap });
        Ok(start)
    }

    /// Returns the hint when it is valid and free, the guard gap of the next region included.
    fn try_hint(&mut self, wish: Wish<'_>, hint: Address) -> Option<Address> {
        let task_end = self.policy.layout.task_end;
        let Some(range) = AddressRange::sized(hint, wish.length).filter(|range| range.end <= task_end) else {
            self.note(hint, wish.length, Reason::HintInvalid);
            return None;
        };
        let free = self.find(hint).is_none_or(|(at, vma)| range.end <= self.guarded_start(at, vma));
        let reason = match (free, hint == wish.address) {
            (false, _) => Reason::HintBusy,
            (true, true) => Reason::HintFree,
            (true, false) => Reason::HintRounded,
        };
        self.step(range, Action::Note, reason);
        free.then_some(hint)
    }

    /// Returns the start of the highest `length` free bytes in the window, outside guard gaps.
    fn highest_place(&self, mut window: AddressRange, length: u64) -> Option<Address> {
        loop {
            let gap = self.vmas.highest_gap(window, length)?;
            let limit = self.find(gap.end).map_or(gap.end, |(at, vma)| self.guarded_start(at, vma));
            if limit >= gap.end {
                return gap.end.checked_sub(length);
            }
            window.end = limit;
            if window.end <= window.start {
                return None;
            }
        }
    }

    /// Returns the start of the lowest `length` free bytes in the window, outside guard gaps.
    fn lowest_place(&self, mut window: AddressRange, length: u64) -> Option<Address> {
        loop {
            let gap = self.vmas.lowest_gap(window, length)?;
            let end = gap.start.checked_add(length)?;
            let Some((at, vma)) = self.find(gap.start) else { return Some(gap.start) };
            if !vma.flags.contains(VmFlags::GROWS_DOWN) || self.guarded_start(at, vma) >= end {
                return Some(gap.start);
            }
            window.start = at.end;
            if window.end <= window.start {
                return None;
            }
        }
    }

    /// Searches as kernels until 3.7 did: from where the last search ended, once more from the base when nothing is left.
    ///
    /// Source: Mauerer, Professional Linux Kernel Architecture, section 4.5.4.
    fn place_cached(&mut self, length: u64, band: AddressRange) -> Option<Address> {
        let (cached, largest_hole) = self.free_area;
        let mut from = if length > largest_hole { cached.max(band.start) } else { band.start };
        loop {
            let mut largest = if from == band.start { 0 } else { largest_hole };
            let mut at = from;
            for (range, _) in self.vmas.overlapping(AddressRange { start: from, end: band.end }) {
                if at.checked_add(length).is_some_and(|end| end <= range.start) {
                    break;
                }
                largest = largest.max(range.start.get().saturating_sub(at.get()));
                at = range.end;
            }
            if let Some(end) = at.checked_add(length).filter(|end| *end <= band.end) {
                self.free_area = (end, largest);
                self.note(
                    at,
                    length,
                    if from == band.start { Reason::LowestGap } else { Reason::FreeAreaCache },
                );
                return Some(at);
            }
            if from == band.start {
                return None;
            }
            from = band.start;
        }
    }

    fn note(&mut self, start: Address, length: u64, reason: Reason) {
        let end = Address::new(start.get().saturating_add(length));
        self.step(AddressRange { start, end }, Action::Note, reason);
    }
}

fn layout_is_down(space: &LinuxSpace) -> bool {
    space.policy.layout.direction == Direction::Down
}
