//! Sharing when space is short: files that are never loaded together get overlapping addresses.

use plat_regions::{Address, AddressRange};

use super::Item;
use super::space::{Segment, round_up, subtract};
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
    /// Where anything may lie at all: segments without obstacles.
    free: Vec<AddressRange>,
    /// By address.
    placed: Vec<Placed>,
    longest: u64,
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
        let longest = placed.iter().map(|it| it.range.size()).max().unwrap_or(0);
        Self { together, free, placed, longest }
    }

    /// Finds the place for an item with the fewest and least used partners, the lowest of equals; its own present
    /// place first.
    pub(crate) fn place(&mut self, item: &Item) -> Option<Address> {
        let bytes = round_up(item.bytes)?;
        let own = item.desired.and_then(|start| self.cost(start, bytes, item.index).map(|_| start));
        let base = own.or_else(|| {
            let starts = self.placed.iter().map(|it| it.range.start);
            let starts = starts.chain(self.free.iter().map(|range| range.start));
            let costs = starts.filter_map(|start| Some((self.cost(start, bytes, item.index)?, start)));
            costs.min().map(|(_, start)| start)
        })?;
        let range = AddressRange::sized(base, bytes)?;
        let at = self.placed.partition_point(|it| it.range < range);
        self.placed.insert(at, Placed { range, index: item.index, uses: item.uses });
        self.longest = self.longest.max(bytes);
        Some(base)
    }

    /// Returns the number and the uses of those that an image at `start` would share with; `None` when it cannot lie
    /// there.
    fn cost(&self, start: Address, bytes: u64, index: usize) -> Option<(usize, u64)> {
        let range = AddressRange::sized(start, bytes)?;
        let at = self.free.partition_point(|free| free.end <= start);
        if !self.free.get(at)?.contains_range(range) {
            return None;
        }
        let mut cost = (0, 0);
        for it in self.overlapping(range) {
            if self.together.are(it.index, index) {
                return None;
            }
            cost = (cost.0 + 1, cost.1 + it.uses);
        }
        Some(cost)
    }

    fn overlapping(&self, range: AddressRange) -> impl Iterator<Item = &Placed> {
        let lowest = Address::new(range.start.get().saturating_sub(self.longest));
        let from = self.placed.partition_point(|it| it.range.start < lowest);
        self.placed[from..]
            .iter()
            .take_while(move |it| it.range.start < range.end)
            .filter(move |it| it.range.overlaps(range))
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
