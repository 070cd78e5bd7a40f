//! When mappings become one and when they are cut.
//!
//! Source: Linux, mm/vma.c, `vma_merge_new_range`, `vma_merge_existing_range`, `vma_modify`.

use crate::linux::space::Answer;
use crate::linux::{Action, AnonMerging, AnonVma, LinuxSpace, Reason, Refusal, VmFlags, Vma};
use crate::{Address, AddressRange};

/// The regions that touch a range, as far as they may become one with it.
#[derive(Debug, Default)]
struct Neighbours {
    below: Option<(AddressRange, Vma)>,
    above: Option<(AddressRange, Vma)>,
}

/// Which of the two neighbours to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Below,
    Above,
}

impl LinuxSpace {
    /// Inserts a new mapping, merged with its neighbours where the rules allow it; returns the whole region.
    pub(super) fn insert_merged(&mut self, range: AddressRange, vma: Vma, reason: Reason) -> AddressRange {
        self.step(range, Action::Map, reason);
        let near = self.mergeable(range, &vma);
        self.join(range, vma, near)
    }

    /// Gives the pages of `range`, which lies inside one region, the values of `changed`; returns the region that they are in then.
    ///
    /// # Errors
    /// `ENOMEM` when a cut would exceed the limit on regions; a cut before it stays.
    pub(super) fn modify(&mut self, range: AddressRange, change: impl Fn(&mut Vma)) -> Answer<AddressRange> {
        let Some((whole, vma)) = self.vmas.get(range.start) else { return Ok(range) };
        let (_, mut middle) = cut_out(vma, whole, range);
        change(&mut middle);
        let near = self.mergeable_edges(whole, range, &middle);
        if near.below.is_none() && near.above.is_none() {
            self.split(range.start, Reason::SplitAtStart)?;
            self.split(range.end, Reason::SplitAtEnd)?;
            self.replace(range.start, range, middle);
            return Ok(range);
        }
        // A part that merges away is cut without counting: the number of regions does not grow.
        self.vmas.isolate(range);
        self.take(range.start);
        Ok(self.join(range, middle, near))
    }

    /// Returns the mergeable neighbours of the part `range` of the region `whole`: inner ends have none.
    fn mergeable_edges(&mut self, whole: AddressRange, range: AddressRange, middle: &Vma) -> Neighbours {
        let mut near = Neighbours::default();
        if whole.start == range.start {
            near.below = self.candidate(Side::Below, range, middle);
        }
        if whole.end == range.end {
            near.above = self.candidate(Side::Above, range, middle);
        }
        self.keep_compatible(range, near)
    }

    fn mergeable(&mut self, range: AddressRange, vma: &Vma) -> Neighbours {
        let near = Neighbours {
            below: self.candidate(Side::Below, range, vma),
            above: self.candidate(Side::Above, range, vma),
        };
        self.keep_compatible(range, near)
    }

    /// Gives the upper neighbour up when the two could merge with the range, but not with each other.
    fn keep_compatible(&mut self, range: AddressRange, mut near: Neighbours) -> Neighbours {
        if let (Some((_, below)), Some((_, above))) = (&near.below, &near.above)
            && let (Some(low), Some(high)) = (below.anon, above.anon)
            && low.id != high.id
        {
            near.above = None;
            self.step(range, Action::Note, Reason::NotMergedAbove(Refusal::Anon));
        }
        near
    }

    fn candidate(&mut self, side: Side, range: AddressRange, vma: &Vma) -> Option<(AddressRange, Vma)> {
        let (at, other) = match side {
            Side::Below => self.touching_below(range.start)?,
            Side::Above => self.starting_at(range.end)?,
        };
        let continues = match side {
            Side::Below => other.page_at(at.start, at.end) == vma.page_offset,
            Side::Above => vma.page_at(range.start, range.end) == other.page_offset,
        };
        let refusal = refusal(vma, other)
            .or_else(|| (!continues).then_some(Refusal::Offset))
            .or_else(|| self.anon_refusal(vma.anon, other.anon));
        match refusal {
            None => Some((at, other.clone())),
            Some(why) => {
                let reason = match side {
                    Side::Below => Reason::NotMergedBelow(why),
                    Side::Above => Reason::NotMergedAbove(why),
                };
                self.step(range, Action::Note, reason);
                None
            }
        }
    }

    fn anon_refusal(&self, own: Option<AnonVma>, neighbour: Option<AnonVma>) -> Option<Refusal> {
        let forked = |anon: AnonVma| anon.forked.then_some(Refusal::AnonForked);
        match (own, neighbour, self.policy.anon_merging) {
            (None, None, _) => None,
            (Some(own), Some(neighbour), _) => (own.id != neighbour.id).then_some(Refusal::Anon),
            (_, _, AnonMerging::IfEqualOrNone) => None,
            (None, Some(neighbour), _) => forked(neighbour),
            (Some(own), None, AnonMerging::UnlessForked) => forked(own),
            // A neighbour without an owner has an empty chain, which is not a chain of one.
            (Some(_), None, AnonMerging::IfNeighbourSingular) => Some(Refusal::Anon),
        }
    }

    /// Inserts `vma` joined with `near`; the range itself is free.
    fn join(&mut self, range: AddressRange, mut vma: Vma, near: Neighbours) -> AddressRange {
        let mut whole = range;
        let reason = match (&near.below, &near.above) {
            (Some(_), Some(_)) => Some(Reason::MergedBoth),
            (Some(_), None) => Some(Reason::MergedBelow),
            (None, Some(_)) => Some(Reason::MergedAbove),
            (None, None) => None,
        };
        for (at, other) in [near.below, near.above].into_iter().flatten() {
            self.take(at.start);
            if at.start < whole.start {
                (whole.start, vma.page_offset) = (at.start, other.page_offset);
            }
            whole.end = whole.end.max(at.end);
            vma.anon = vma.anon.or(other.anon);
        }
        self.put(whole, vma);
        if let Some(reason) = reason {
            self.step(whole, Action::Merge, reason);
        }
        whole
    }

    /// Returns the owner that a region's first private page gets, and whether it is a neighbour's.
    ///
    /// Source: Linux, mm/vma.c, `find_mergeable_anon_vma`: the neighbour above is asked first; access may differ.
    pub(super) fn owner_for(&mut self, range: AddressRange, vma: &Vma) -> (AnonVma, bool) {
        let above = self.starting_at(range.end).filter(|(_, above)| {
            alike_but_access(vma, above) && vma.page_at(range.start, range.end) == above.page_offset
        });
        let reusable = |found: Option<(AddressRange, &Vma)>| {
            found.and_then(|(_, vma)| vma.anon).filter(|anon| !anon.forked)
        };
        if let Some(anon) = reusable(above) {
            return (anon, true);
        }
        let below = self.touching_below(range.start).filter(|(at, below)| {
            alike_but_access(vma, below) && below.page_at(at.start, at.end) == vma.page_offset
        });
        if let Some(anon) = reusable(below) {
            return (anon, true);
        }
        let id = self.next_anon;
        self.next_anon += 1;
        (AnonVma { id, forked: false }, false)
    }
}

fn alike_but_access(a: &Vma, b: &Vma) -> bool {
    a.flags == b.flags && a.backing == b.backing
}

/// Returns why two regions cannot become one, their offsets and owners aside.
fn refusal(a: &Vma, b: &Vma) -> Option<Refusal> {
    let differing = a.flags.symmetric_difference(b.flags);
    if (a.flags | b.flags).contains(VmFlags::SPECIAL) {
        Some(Refusal::Special)
    } else if a.access != b.access {
        Some(Refusal::Access)
    } else if a.backing != b.backing {
        Some(Refusal::Backing)
    } else if differing == VmFlags::ACCOUNT {
        Some(Refusal::Account)
    } else if !differing.is_empty() {
        Some(Refusal::Flags)
    } else {
        None
    }
}

/// Returns the value of the part `range` of a region, and where it starts.
fn cut_out(vma: &Vma, whole: AddressRange, range: AddressRange) -> (Address, Vma) {
    (range.start, Vma { page_offset: vma.page_at(whole.start, range.start), ..vma.clone() })
}
