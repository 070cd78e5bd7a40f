//! The structures of one address space while a script runs: [`Lens`] follows its regions and its lookups.

use serde::Serialize;

use super::{ListAndTree, MapleTree, SortedList, Span, Structure};

/// One address space in a list, in list and tree without and with the cache of the last lookup, and in a maple tree.
#[derive(Clone, Debug)]
pub struct Lens {
    list: SortedList,
    tree: ListAndTree,
    cached: ListAndTree,
    maple: MapleTree,
}

/// What a lens shows.
#[derive(Clone, Debug, Serialize)]
pub struct LensView {
    /// The structures, counted.
    pub rows: Vec<LensRow>,
    /// The red-black tree's nodes in the order of addresses.
    pub tree: Vec<TreeNode>,
}

/// A structure, counted since the address space began.
#[derive(Clone, Debug, Serialize)]
pub struct LensRow {
    /// Its name.
    pub name: &'static str,
    /// How deep the deepest region lies.
    pub depth: usize,
    /// Addresses that were looked up.
    pub lookups: u64,
    /// Comparisons in lookups.
    pub comparisons: u64,
    /// Lookups that the cache of the last one answered.
    pub cache_hits: u64,
}

/// A node of the red-black tree.
#[derive(Clone, Debug, Serialize)]
pub struct TreeNode {
    /// The region's first byte.
    pub start: u64,
    /// The first byte behind it.
    pub end: u64,
    /// 1 for the root.
    pub depth: usize,
    /// Red or black.
    pub red: bool,
}

impl Default for Lens {
    fn default() -> Self {
        Self {
            list: SortedList::default(),
            tree: ListAndTree::new(false),
            cached: ListAndTree::new(true),
            maple: MapleTree::default(),
        }
    }
}

impl Lens {
    fn all(&mut self) -> [&mut dyn Structure; 4] {
        [&mut self.list, &mut self.tree, &mut self.cached, &mut self.maple]
    }

    /// Makes the regions equal to these, which are ascending and disjoint.
    pub fn update(&mut self, spans: &[Span]) {
        let held = self.list.spans();
        let starts = |spans: &[Span], start| spans.binary_search_by_key(&start, |span| span.0).is_ok();
        for structure in self.all() {
            for span in held.iter().filter(|span| !starts(spans, span.0)) {
                structure.remove(span.0);
            }
            for span in spans.iter().filter(|span| starts(&held, span.0) && !held.contains(span)) {
                structure.resize(span.0, *span);
            }
            for span in spans.iter().filter(|span| !starts(&held, span.0)) {
                structure.insert(*span);
            }
        }
    }

    /// Looks an address up in all of them.
    pub fn find(&mut self, address: u64) {
        for structure in self.all() {
            structure.find(address);
        }
    }

    /// Returns how many comparisons the sorted list needs for an address.
    pub fn list_steps(&self, address: u64) -> u64 {
        steps_of(self.list.clone(), address)
    }

    /// Returns how many comparisons the red-black tree needs for an address.
    pub fn tree_steps(&self, address: u64) -> u64 {
        steps_of(self.tree.clone(), address)
    }

    /// Returns how many lookups the cache of the last one answered.
    pub fn cache_hits(&self) -> u64 {
        self.cached.counts().cache_hits
    }

    /// Shows the counts and the tree.
    pub fn view(&self) -> LensView {
        let all: [&dyn Structure; 4] = [&self.list, &self.tree, &self.cached, &self.maple];
        let row = |structure: &dyn Structure| {
            let counts = structure.counts();
            let (name, depth) = (structure.name(), structure.depth());
            let (lookups, comparisons, cache_hits) = (counts.lookups, counts.comparisons, counts.cache_hits);
            LensRow { name, depth, lookups, comparisons, cache_hits }
        };
        let node =
            |(span, depth, red): (Span, usize, bool)| TreeNode { start: span.0, end: span.1, depth, red };
        LensView { rows: all.map(row).into(), tree: self.tree.shape().into_iter().map(node).collect() }
    }
}

fn steps_of(mut structure: impl Structure, address: u64) -> u64 {
    structure.reset_counts();
    structure.find(address);
    structure.counts().comparisons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn a_lens_follows_any_change() {
        let mut random = Random::new(5);
        let mut lens = Lens::default();
        for _ in 0..300 {
            let mut at = 0;
            let mut spans = Vec::new();
            for _ in 0..random.below(12) {
                at += random.below(3);
                let end = at + 1 + random.below(4);
                spans.push((at, end));
                at = end;
            }
            lens.update(&spans);
            for structure in lens.all() {
                assert_eq!(structure.spans(), spans, "{}", structure.name());
            }
            let shape: Vec<_> = lens.tree.shape().into_iter().map(|(span, ..)| span).collect();
            assert_eq!(shape, spans);
        }
    }

    #[test]
    fn the_cache_answers_what_was_asked_last() {
        let mut lens = Lens::default();
        lens.update(&[(0, 10), (20, 30), (40, 50)]);
        for address in [45, 46, 5, 5] {
            lens.find(address);
        }
        assert_eq!(lens.cache_hits(), 2);
        assert_eq!((lens.list_steps(45), lens.view().rows[0].lookups), (3, 4));
    }
}
