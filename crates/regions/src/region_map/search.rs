//! The search for a gap: whole subtrees without a gap large enough are passed by.

use super::node::{NONE, Node};
use super::tree::Tree;
use crate::{Address, AddressRange};

/// What a search looks for.
struct Wanted<F> {
    window: AddressRange,
    /// Fewest bytes, at least 1.
    size: u64,
    /// Returns the answer when a gap of at least `size` bytes will do.
    fit: F,
}

impl<V> Tree<V> {
    /// Returns what `fit` makes of the lowest gap in `window` of at least `size` bytes that it accepts.
    pub(super) fn search_up<F>(&self, window: AddressRange, size: u64, fit: F) -> Option<AddressRange>
    where
        F: Fn(AddressRange) -> Option<AddressRange>,
    {
        let wanted = Wanted { window, size: size.max(1), fit };
        let mut at = window.start;
        if self.root != NONE
            && let Some(found) = self.up_in(self.root, self.height, &mut at, &wanted)
        {
            return Some(found);
        }
        self.accept(at, window.end, &wanted)
    }

    /// Returns what `fit` makes of the highest gap in `window` of at least `size` bytes that it accepts.
    pub(super) fn search_down<F>(&self, window: AddressRange, size: u64, fit: F) -> Option<AddressRange>
    where
        F: Fn(AddressRange) -> Option<AddressRange>,
    {
        let wanted = Wanted { window, size: size.max(1), fit };
        let mut at = window.end;
        if self.root != NONE
            && let Some(found) = self.down_in(self.root, self.height, &mut at, &wanted)
        {
            return Some(found);
        }
        self.accept(window.start, at, &wanted)
    }

    fn accept<F>(&self, start: Address, end: Address, wanted: &Wanted<F>) -> Option<AddressRange>
    where
        F: Fn(AddressRange) -> Option<AddressRange>,
    {
        if self.granule.room(start, end) < wanted.size {
            return None;
        }
        self.granule.whole(start, end).and_then(&wanted.fit)
    }

    /// Searches below one node from `at` upward; when nothing fits, `at` is where the search goes on.
    fn up_in<F>(
        &self,
        index: u32,
        height: usize,
        at: &mut Address,
        wanted: &Wanted<F>,
    ) -> Option<AddressRange>
    where
        F: Fn(AddressRange) -> Option<AddressRange>,
    {
        if height == 0 {
            return self.up_through(&self.leaves[index], at, wanted, |_, _| None);
        }
        self.up_through(&self.inners[index], at, wanted, |child, at| {
            if child.gap < wanted.size { None } else { self.up_in(child.index, height - 1, at, wanted) }
        })
    }

    fn up_through<P, F>(
        &self,
        node: &Node<P>,
        at: &mut Address,
        wanted: &Wanted<F>,
        enter: impl Fn(&P, &mut Address) -> Option<AddressRange>,
    ) -> Option<AddressRange>
    where
        F: Fn(AddressRange) -> Option<AddressRange>,
    {
        let first = node.first_ending_above(*at);
        let ranges = node.starts()[first..].iter().zip(&node.ends()[first..]);
        for ((start, end), payload) in ranges.zip(&node.payloads()[first..]) {
            let found = self.accept(*at, wanted.window.end.min(*start), wanted);
            if found.is_some() {
                return found;
            }
            if *start >= wanted.window.end {
                *at = wanted.window.end;
                return None;
            }
            let found = enter(payload, at);
            if found.is_some() {
                return found;
            }
            *at = *end;
        }
        None
    }

    /// Searches below one node from `at` downward; when nothing fits, `at` is where the search goes on.
    fn down_in<F>(
        &self,
        index: u32,
        height: usize,
        at: &mut Address,
        wanted: &Wanted<F>,
    ) -> Option<AddressRange>
    where
        F: Fn(AddressRange) -> Option<AddressRange>,
    {
        if height == 0 {
            return self.down_through(&self.leaves[index], at, wanted, |_, _| None);
        }
        self.down_through(&self.inners[index], at, wanted, |child, at| {
            if child.gap < wanted.size { None } else { self.down_in(child.index, height - 1, at, wanted) }
        })
    }

    fn down_through<P, F>(
        &self,
        node: &Node<P>,
        at: &mut Address,
        wanted: &Wanted<F>,
        enter: impl Fn(&P, &mut Address) -> Option<AddressRange>,
    ) -> Option<AddressRange>
    where
        F: Fn(AddressRange) -> Option<AddressRange>,
    {
        let count = node.starting_below(*at);
        let ranges = node.starts()[..count].iter().zip(&node.ends()[..count]);
        for ((start, end), payload) in ranges.zip(&node.payloads()[..count]).rev() {
            let found = self.accept(wanted.window.start.max(*end), *at, wanted);
            if found.is_some() {
                return found;
            }
            if *end <= wanted.window.start {
                *at = wanted.window.start;
                return None;
            }
            let found = enter(payload, at);
            if found.is_some() {
                return found;
            }
            *at = *start;
        }
        None
    }
}
