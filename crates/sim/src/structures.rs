//! One address space in four structures: what each lookup, insertion and removal costs, counted and not timed.
//!
//! [`SortedList`] is the lecture's simple list; [`ListAndTree`] is Linux until 3.14 (list, red-black tree and the one
//! `mmap_cache`); [`MapleTree`] is like Linux's since 6.1; [`IntervalAvl`] is like the VADs of Windows.
//! [`experiment()`] drives all of them with the same operations.

mod avl;
mod experiment;
mod lens;
mod list;
mod maple;
mod red_black;
#[cfg(test)]
mod tests;

pub use avl::IntervalAvl;
pub use experiment::{Operation, Row, experiment, synthetic};
pub use lens::{Lens, LensRow, LensView, TreeNode};
pub use list::SortedList;
pub use maple::MapleTree;
pub use red_black::ListAndTree;

use serde::{Deserialize, Serialize};

/// A region: first byte, first byte behind.
pub type Span = (u64, u64);

/// What a structure did, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Times that an address was looked up.
    pub lookups: u64,
    /// Comparisons of an address with a region's end or start, in lookups.
    pub comparisons: u64,
    /// Comparisons in insertions and removals.
    pub update_comparisons: u64,
    /// Insertions and removals.
    pub updates: u64,
    /// Rotations that restored balance.
    pub rotations: u64,
    /// Nodes that were split or joined.
    pub node_splits: u64,
    /// Nodes of memory looked at: each is a likely cache miss.
    pub nodes_visited: u64,
    /// Lookups that the cache of the last one answered.
    pub cache_hits: u64,
}

/// Disjoint regions in order, as a kernel keeps them.
pub trait Structure {
    /// Returns its name.
    fn name(&self) -> &'static str;

    /// Adds a region that overlaps no other.
    fn insert(&mut self, span: Span);

    /// Removes the region that starts at `start`; false when there is none.
    fn remove(&mut self, start: u64) -> bool;

    /// Changes the ends of the region that starts at `start` without passing a neighbour; false when there is none.
    fn resize(&mut self, start: u64, span: Span) -> bool;

    /// Returns the first region that ends above `address`, as Linux's `find_vma` does.
    fn find(&mut self, address: u64) -> Option<Span>;

    /// Lists all regions, ascending.
    fn spans(&self) -> Vec<Span>;

    /// Returns what was counted.
    fn counts(&self) -> Counts;

    /// Starts counting anew.
    fn reset_counts(&mut self);

    /// Returns how deep the deepest region lies; a list has the depth of its length.
    fn depth(&self) -> usize;
}
