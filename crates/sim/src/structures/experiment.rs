//! The same operations on every structure: [`experiment`], and operations made to measure: [`synthetic`].

use serde::Serialize;

use super::{Counts, IntervalAvl, ListAndTree, MapleTree, SortedList, Span, Structure};
use crate::random::Random;

/// What is done to a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// A region appears.
    Insert(Span),
    /// The region that starts here goes.
    Remove(u64),
    /// The region that starts here gets new ends.
    Resize(u64, Span),
    /// The first region that ends above this address is wanted.
    Find(u64),
    /// The address space is replaced by an empty one (`execve`).
    Clear,
}

/// What one structure did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The structure.
    pub name: &'static str,
    /// Most regions at once.
    pub regions: usize,
    /// How deep the deepest region lay at the end.
    pub depth: usize,
    /// What was counted.
    pub counts: Counts,
}

impl Row {
    /// Returns the comparisons of one lookup, on average.
    pub fn comparisons_per_lookup(&self) -> f64 {
        self.counts.comparisons as f64 / self.counts.lookups.max(1) as f64
    }

    /// Returns the share of lookups that the cache answered, in percent.
    pub fn hit_rate(&self) -> f64 {
        100.0 * self.counts.cache_hits as f64 / self.counts.lookups.max(1) as f64
    }
}

fn all() -> Vec<Box<dyn Structure>> {
    vec![
        Box::new(SortedList::default()),
        Box::new(ListAndTree::new(false)),
        Box::new(ListAndTree::new(true)),
        Box::new(MapleTree::default()),
        Box::new(IntervalAvl::default()),
    ]
}

/// Carries operations out on every structure; `measured_from` is the index of the first operation that counts.
pub fn experiment(operations: &[Operation], measured_from: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for mut structure in all() {
        let (mut held, mut most) = (0usize, 0usize);
        for (index, operation) in operations.iter().enumerate() {
            if index == measured_from {
                structure.reset_counts();
            }
            match *operation {
                Operation::Insert(span) => {
                    structure.insert(span);
                    held += 1;
                    most = most.max(held);
                }
                Operation::Remove(start) => held -= usize::from(structure.remove(start)),
                Operation::Resize(start, span) => {
                    structure.resize(start, span);
                }
                Operation::Find(address) => {
                    structure.find(address);
                }
                Operation::Clear => {
                    for span in structure.spans() {
                        structure.remove(span.0);
                    }
                    held = 0;
                }
            }
        }
        let (name, depth, counts) = (structure.name(), structure.depth(), structure.counts());
        rows.push(Row { name, regions: most, depth, counts });
    }
    rows
}

/// Makes `regions` regions and `lookups` lookups; returns the operations and the index of the first lookup.
///
/// Modelled: regions of 1 to 16 pages with gaps of 0 to 15; `locality` percent of the lookups ask for the region of the
/// lookup before, the others for any region with equal probability.
pub fn synthetic(regions: usize, lookups: usize, locality: u64, seed: u64) -> (Vec<Operation>, usize) {
    let mut random = Random::new(seed);
    let mut spans: Vec<Span> = Vec::with_capacity(regions);
    let mut at = 0x10_0000;
    for _ in 0..regions {
        at += random.below(16) * 4096;
        let end = at + (1 + random.below(16)) * 4096;
        spans.push((at, end));
        at = end;
    }
    // Programs do not map in ascending order.
    let mut order = spans.clone();
    for index in (1..order.len()).rev() {
        order.swap(index, random.below(index as u64 + 1) as usize);
    }
    let mut operations: Vec<_> = order.into_iter().map(Operation::Insert).collect();
    let mut last = 0;
    for _ in 0..if regions == 0 { 0 } else { lookups } {
        if !random.chance(locality) {
            last = random.below(regions as u64) as usize;
        }
        let (start, end) = spans[last];
        operations.push(Operation::Find(start + random.below(end - start)));
    }
    (operations, regions)
}
