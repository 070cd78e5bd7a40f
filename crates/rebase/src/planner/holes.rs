//! The free ranges of a plan: [`Holes`], searched by order (first fit) and by size (best fit) in logarithmic time.

use std::collections::BTreeSet;

use plat_regions::{Address, AddressRange, Direction};

use super::space::{Segment, subtract};

/// Free ranges, the safest first.
#[derive(Clone, Debug)]
pub(crate) struct Holes {
    holes: Vec<Segment>,
    /// A tree of the largest size below each node, the leaves from `leaves` on.
    largest: Vec<u64>,
    leaves: usize,
    by_size: BTreeSet<(u64, usize)>,
}

impl Holes {
    /// Makes the holes that `taken` (ascending, disjoint) leaves of segments.
    pub(crate) fn new(segments: &[Segment], taken: &[AddressRange]) -> Self {
        let mut holes = Vec::new();
        for segment in segments {
            let mut free = subtract(segment.range, taken);
            if segment.direction == Direction::Down {
                free.reverse();
            }
            holes.extend(free.into_iter().map(|range| Segment { range, direction: segment.direction }));
        }
        let leaves = holes.len().next_power_of_two();
        let mut largest = vec![0; 2 * leaves];
        for (index, hole) in holes.iter().enumerate() {
            largest[leaves + index] = hole.range.size();
        }
        for node in (1..leaves).rev() {
            largest[node] = largest[2 * node].max(largest[2 * node + 1]);
        }
        let by_size = holes.iter().enumerate().map(|(index, hole)| (hole.range.size(), index)).collect();
        Self { holes, largest, leaves, by_size }
    }

    /// Takes `bytes` (a multiple of 64 KiB) from the safest hole that has them.
    pub(crate) fn take_first(&mut self, bytes: u64) -> Option<Address> {
        if self.largest[1] < bytes {
            return None;
        }
        let mut node = 1;
        while node < self.leaves {
            node = if self.largest[2 * node] >= bytes { 2 * node } else { 2 * node + 1 };
        }
        Some(self.take(node - self.leaves, bytes))
    }

    /// Takes `bytes` from the smallest hole that has them; of equals, from the safest.
    pub(crate) fn take_best(&mut self, bytes: u64) -> Option<Address> {
        let (_, index) = *self.by_size.range((bytes, 0)..).next()?;
        Some(self.take(index, bytes))
    }

    fn take(&mut self, index: usize, bytes: u64) -> Address {
        let hole = &mut self.holes[index];
        self.by_size.remove(&(hole.range.size(), index));
        let left = hole.range.size() - bytes;
        let base = match hole.direction {
            Direction::Up => {
                let base = hole.range.start;
                hole.range.start = Address::new(base.get() + bytes);
                base
            }
            Direction::Down => {
                hole.range.end = Address::new(hole.range.end.get() - bytes);
                hole.range.end
            }
        };
        self.by_size.insert((left, index));
        let mut node = self.leaves + index;
        self.largest[node] = left;
        while node > 1 {
            node /= 2;
            self.largest[node] = self.largest[2 * node].max(self.largest[2 * node + 1]);
        }
        base
    }
}

/// Finds the safest place of `bytes` inside `window`, in the holes that `taken` leaves of segments.
pub(crate) fn find_within(
    segments: &[Segment],
    taken: &[AddressRange],
    window: AddressRange,
    bytes: u64,
) -> Option<Address> {
    for segment in segments {
        let Some(part) = segment.range.intersection(window) else { continue };
        let mut free = subtract(part, taken);
        if segment.direction == Direction::Down {
            free.reverse();
        }
        // A window may begin anywhere; bases are multiples of 64 KiB.
        let place = |hole: AddressRange| match segment.direction {
            Direction::Up => hole.start.align_up(0x1_0000),
            Direction::Down => hole.end.checked_sub(bytes).map(|start| start.align_down(0x1_0000)),
        };
        let fits = |hole: AddressRange| {
            let start = place(hole)?;
            hole.contains_range(AddressRange::sized(start, bytes)?).then_some(start)
        };
        if let Some(start) = free.into_iter().find_map(fits) {
            return Some(start);
        }
    }
    None
}
