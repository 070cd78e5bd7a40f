//! The figures of a plan.

use plat_regions::AddressRange;

use super::Fleet;
use super::arrange::Arrangement;
use super::keep::overlapping_pairs;
use super::space::{round_up, subtract, union};
use crate::plan::{Move, PlanReport, SharedPair};

/// Returns the range of an image, in whole pages; nothing when it would pass the end of the address space.
fn image(base: plat_regions::Address, size: u64) -> Option<AddressRange> {
    AddressRange::sized(base, size.checked_add(0xfff)? & !0xfff)
}

impl Fleet<'_> {
    pub(crate) fn report(&self, moves: &[Move], shared: &[SharedPair], chosen: &Arrangement) -> PlanReport {
        let obstacles = || self.obstacles.iter().filter_map(|it| image(it.base, it.size));
        let members = self.items.iter().map(|item| self.member(item));
        let before: Vec<_> = members.filter_map(|it| image(it.base, it.size)).chain(obstacles()).collect();
        let left = self.items.iter().zip(&chosen.places).filter(|(_, place)| place.is_none());
        let left: Vec<_> = left.map(|(item, _)| item).collect();
        let mut after: Vec<_> = moves.iter().filter_map(|it| image(it.to, it.size)).collect();
        after.extend(obstacles());
        after.extend(left.iter().map(|item| self.member(item)).filter_map(|it| image(it.base, it.size)));
        // Pairs are listed where slots meet; those whose images do not are no collisions to begin with.
        let declared = shared.len() as u64;
        let slots = moves.iter().filter_map(|it| AddressRange::sized(it.to, it.slot));
        let pages = obstacles().map(|it| it.start).zip(obstacles().map(|it| round_up(it.size())));
        let pages = pages.filter_map(|(start, bytes)| AddressRange::sized(start, bytes?));
        let taken = union(slots.chain(pages).collect());
        let segments = self.space.segments.iter();
        let holes: Vec<u64> =
            segments.flat_map(|segment| subtract(segment.range, &taken)).map(AddressRange::size).collect();
        let (free, largest_hole) = (holes.iter().sum::<u64>(), holes.iter().copied().max().unwrap_or(0));
        let heap = self.space.heap_and_dlls().into_iter().flat_map(|range| subtract(range, &taken));
        PlanReport {
            collisions_before: overlapping_pairs(&before),
            collisions_after: overlapping_pairs(&after).saturating_sub(declared),
            unplaced: left.iter().map(|item| (self.member(item).path.clone(), item.bytes)).collect(),
            largest_hole,
            largest_heap: heap.map(AddressRange::size).max().unwrap_or(0),
            fragmentation_per_mille: (free - largest_hole)
                .saturating_mul(1000)
                .checked_div(free)
                .unwrap_or(0),
            ignored: self.ignored.clone(),
        }
    }
}
