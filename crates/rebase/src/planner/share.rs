//! Sharing when space is short: files that are never loaded together get overlapping addresses.

use plat_regions::{Address, AddressRange};

use super::Item;
use super::space::{Segment, round_up, subtract, union};
use super::uses::Together;
use crate::plan::SharedPair;

/// A place among those already given.
#[derive(Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) range: AddressRange,
    /// The member, by its index.
    pub(crate) index: usize,
    pub(crate) uses: u64,
}

/// Finds places for what did not fit, over files that it is never loaded with.
pub(crate) struct Sharing<'a> {
    pub(crate) together: &'a Together,
    /// Where anything may lie at all: segments without obstacles; ascending.
    free: Vec<AddressRange>,
    /// By address.
    placed: Vec<Placed>,
    starts: Tally,
    ends: Tally,
}

/// Addresses in order, each with the uses of all up to it.
#[derive(Default)]
struct Tally {
    addresses: Vec<Address>,
    sums: Vec<u64>,
}

impl Tally {
    fn of(mut list: Vec<(Address, u64)>) -> Self {
        list.sort_unstable();
        let mut tally = Self { addresses: Vec::with_capacity(list.len()), sums: vec![0] };
        let mut sum = 0u64;
        for (address, uses) in list {
            sum = sum.saturating_add(uses);
            tally.addresses.push(address);
            tally.sums.push(sum);
        }
        tally
    }

    /// Returns number and uses of those before, or at, an address.
    fn up_to(&self, is_before: impl Fn(Address) -> bool) -> (usize, u64) {
        let count = self.addresses.partition_point(|&it| is_before(it));
        (count, self.sums[count])
    }
}

impl<'a> Sharing<'a> {
    pub(crate) fn new(
        together: &'a Together,
        segments: &[Segment],
        obstacles: &[AddressRange],
        mut placed: Vec<Placed>,
    ) -> Self {
        let mut free: Vec<AddressRange> =
            segments.iter().flat_map(|segment| subtract(segment.range, obstacles)).collect();
        free.sort_unstable();
        placed.sort_by_key(|it| it.range);
        let mut sharing = Self { together, free, placed, starts: Tally::default(), ends: Tally::default() };
        sharing.tally();
        sharing
    }

    fn tally(&mut self) {
        self.starts = Tally::of(self.placed.iter().map(|it| (it.range.start, it.uses)).collect());
        self.ends = Tally::of(self.placed.iter().map(|it| (it.range.end, it.uses)).collect());
    }

    /// Finds the place for an item with the fewest and least used partners, the lowest of equals; its own present
    /// place first.
    pub(crate) fn place(&mut self, item: &Item) -> Option<Address> {
        let bytes = round_up(item.bytes)?;
        let conflicts = self.placed.iter().filter(|it| self.together.are(it.index, item.index));
        let conflicts = union(conflicts.map(|it| it.range).collect());
        let holes: Vec<AddressRange> = self
            .free
            .iter()
            .flat_map(|&range| subtract(range, &conflicts))
            .filter(|it| it.size() >= bytes)
            .collect();
        let fits = |start: Address| {
            let index = holes.partition_point(|hole| hole.end <= start);
            let range = AddressRange::sized(start, bytes)?;
            holes.get(index).is_some_and(|hole| hole.contains_range(range)).then_some(range)
        };
        let own = item.desired.and_then(fits);
        let best = || {
            let starts = self.placed.iter().flat_map(|it| [it.range.start, it.range.end]);
            let starts = starts.chain(holes.iter().map(|hole| hole.start)).filter_map(fits);
            starts.min_by_key(|range| (self.cost(*range), range.start))
        };
        let range = own.or_else(best)?;
        let at = self.placed.partition_point(|it| it.range < range);
        self.placed.insert(at, Placed { range, index: item.index, uses: item.uses });
        self.tally();
        Some(range.start)
    }

    /// Returns the number and the uses of those that an image at `range` would share with.
    fn cost(&self, range: AddressRange) -> (usize, u64) {
        let begun = self.starts.up_to(|start| start < range.end);
        let over = self.ends.up_to(|end| end <= range.start);
        (begun.0 - over.0, begun.1 - over.1)
    }

    /// Lists every pair that shares addresses, with what the claim rests on.
    pub(crate) fn pairs(&self, path_of: impl Fn(usize) -> String) -> Vec<SharedPair> {
        let mut pairs = Vec::new();
        for (rank, it) in self.placed.iter().enumerate() {
            let behind = self.placed[rank + 1..].iter().take_while(|other| other.range.start < it.range.end);
            for other in behind {
                pairs.push(SharedPair {
                    first: path_of(it.index),
                    second: path_of(other.index),
                    evidence: self.evidence(it.uses, other.uses),
                });
            }
        }
        pairs
    }

    fn evidence(&self, first: u64, second: u64) -> String {
        let processes = self.together.processes;
        let risk = match (first > 0, second > 0) {
            _ if processes == 0 => "high risk: no profile, imports only",
            (true, true) => "low risk: both were seen, never together",
            (true, false) | (false, true) => "medium risk: one was never seen",
            (false, false) => "medium risk: neither was seen",
        };
        format!("{risk}; {first} and {second} of {processes} processes, no import leads to both")
    }
}
