//! Walks over a map: its regions and the gaps between them, from both ends.
//!
//! Key types: [`Regions`], [`Gaps`].

use std::fmt;
use std::iter::FusedIterator;

use super::tree::{Spot, Tree};
use crate::AddressRange;

/// Some neighbouring regions of a map, ascending; made by `RegionMap::iter` and `RegionMap::overlapping`.
pub struct Regions<'a, V> {
    tree: &'a Tree<V>,
    /// The first and the last region still to come.
    ends: Option<(Spot, Spot)>,
}

impl<'a, V> Regions<'a, V> {
    pub(super) fn all(tree: &'a Tree<V>) -> Self {
        Self { tree, ends: tree.first().zip(tree.last()) }
    }

    pub(super) fn overlapping(tree: &'a Tree<V>, range: AddressRange) -> Self {
        let none = Self { tree, ends: None };
        if range.start >= range.end {
            return none;
        }
        let Some(first) = tree.find(range.start) else { return none };
        let starts_inside = tree.at(first).is_some_and(|(at, _)| at.start < range.end);
        if !starts_inside {
            return none;
        }
        Self { tree, ends: tree.find_below(range.end).map(|last| (first, last)) }
    }
}

impl<'a, V> Iterator for Regions<'a, V> {
    type Item = (AddressRange, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let (first, last) = self.ends?;
        let rest = if first == last { None } else { self.tree.after(first) };
        self.ends = rest.map(|next| (next, last));
        self.tree.at(first)
    }
}

impl<V> DoubleEndedIterator for Regions<'_, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let (first, last) = self.ends?;
        let rest = if first == last { None } else { self.tree.before(last) };
        self.ends = rest.map(|previous| (first, previous));
        self.tree.at(last)
    }
}

impl<V> FusedIterator for Regions<'_, V> {}

impl<V> Clone for Regions<'_, V> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<V: fmt::Debug> fmt::Debug for Regions<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.clone()).finish()
    }
}

/// The gaps inside a window in whole granules, ascending; made by `RegionMap::gaps`.
pub struct Gaps<'a, V> {
    tree: &'a Tree<V>,
    rest: AddressRange,
}

impl<'a, V> Gaps<'a, V> {
    pub(super) fn new(tree: &'a Tree<V>, window: AddressRange) -> Self {
        Self { tree, rest: window }
    }

    /// Returns the next gap of at least `size` bytes and passes over smaller ones without looking at each.
    pub fn next_large_enough(&mut self, size: u64) -> Option<AddressRange> {
        let found = self.tree.search_up(self.rest, size, Some);
        self.rest.start = found.map_or(self.rest.end, |gap| gap.end);
        found
    }

    /// Returns the last gap still to come of at least `size` bytes and passes over smaller ones.
    pub fn next_back_large_enough(&mut self, size: u64) -> Option<AddressRange> {
        let found = self.tree.search_down(self.rest, size, Some);
        self.rest.end = found.map_or(self.rest.start, |gap| gap.start);
        found
    }
}

impl<V> Iterator for Gaps<'_, V> {
    type Item = AddressRange;

    fn next(&mut self) -> Option<AddressRange> {
        self.next_large_enough(1)
    }
}

impl<V> DoubleEndedIterator for Gaps<'_, V> {
    fn next_back(&mut self) -> Option<AddressRange> {
        self.next_back_large_enough(1)
    }
}

impl<V> FusedIterator for Gaps<'_, V> {}

impl<V> Clone for Gaps<'_, V> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<V> fmt::Debug for Gaps<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
