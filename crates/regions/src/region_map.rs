//! Disjoint ranges of addresses, each with a value: the structure under every set of books.
//!
//! A B+tree that knows the largest gap below every node; a map of up to 32 regions is one sorted array.
//!
//! Key types: [`RegionMap`], [`RegionValue`], [`Regions`], [`Gaps`].

mod check;
mod granule;
mod iter;
mod node;
mod search;
mod tree;

use std::fmt;

pub use self::iter::{Gaps, Regions};

use self::granule::Granule;
use self::tree::{Path, Tree};
use crate::{Address, AddressRange};

/// How values of touching regions become one, and how one value becomes two.
pub trait RegionValue: Clone {
    /// Returns the value of the joined region when `self` (at `range`) and `next` (at `next_range`,
    /// directly above) may be one region; `None` keeps them apart.
    fn merge(&self, range: AddressRange, next: &Self, next_range: AddressRange) -> Option<Self>;

    /// Returns the values of the two halves when a region at `range` is cut at `at`.
    fn split(&self, range: AddressRange, at: Address) -> (Self, Self);
}

/// Disjoint, non-empty regions in ascending order.
///
/// An empty range, or one whose end lies below its start, shares no byte with anything: what is asked
/// about it finds nothing, and what is done to it changes nothing.
#[derive(Clone)]
pub struct RegionMap<V> {
    tree: Tree<V>,
}

impl<V> Default for RegionMap<V> {
    fn default() -> Self {
        Self { tree: Tree::new(Granule::new(1)) }
    }
}

impl<V: fmt::Debug> fmt::Debug for RegionMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Regions::all(&self.tree), f)
    }
}

impl<'a, V> IntoIterator for &'a RegionMap<V> {
    type Item = (AddressRange, &'a V);
    type IntoIter = Regions<'a, V>;

    fn into_iter(self) -> Regions<'a, V> {
        Regions::all(&self.tree)
    }
}

/// What a map says.
impl<V: RegionValue> RegionMap<V> {
    /// Makes an empty map whose gaps count in whole multiples of `granule` bytes, a power of two.
    ///
    /// Any other number is rounded up to a power of two, at most 2^63.
    pub fn with_granule(granule: u64) -> Self {
        Self { tree: Tree::new(Granule::new(granule)) }
    }

    /// Returns the number of regions.
    pub fn len(&self) -> usize {
        self.tree.len
    }

    /// Says whether there is no region.
    pub fn is_empty(&self) -> bool {
        self.tree.len == 0
    }

    /// Returns the region that contains `address`.
    pub fn get(&self, address: Address) -> Option<(AddressRange, &V)> {
        self.tree.at(self.tree.find(address)?).filter(|(range, _)| range.start <= address)
    }

    /// Iterates over the regions that share a byte with `range`, ascending.
    pub fn overlapping(&self, range: AddressRange) -> Regions<'_, V> {
        Regions::overlapping(&self.tree, range)
    }

    /// Iterates over all regions, ascending.
    pub fn iter(&self) -> Regions<'_, V> {
        Regions::all(&self.tree)
    }

    /// Says whether no region shares a byte with `range`.
    pub fn is_free(&self, range: AddressRange) -> bool {
        range.start >= range.end
            || self
                .tree
                .find(range.start)
                .and_then(|spot| self.tree.at(spot))
                .is_none_or(|(at, _)| at.start >= range.end)
    }

    /// Iterates over the gaps inside `window`, ascending, in whole granules.
    pub fn gaps(&self, window: AddressRange) -> Gaps<'_, V> {
        Gaps::new(&self.tree, window)
    }

    /// Returns the lowest gap inside `window` of at least `size` bytes, in whole granules.
    ///
    /// Takes time logarithmic in the number of regions, as [`Self::highest_gap`] does.
    pub fn lowest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        self.tree.search_up(window, size, Some)
    }

    /// Returns the highest gap inside `window` of at least `size` bytes, in whole granules.
    pub fn highest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        self.tree.search_down(window, size, Some)
    }

    /// Returns the lowest `size` free bytes inside `window` that start at a multiple of `alignment`,
    /// a power of two (others are rounded up to one), and lie in whole granules; `None` for no bytes.
    ///
    /// Each gap that has the size but not the alignment costs a step.
    pub fn lowest_gap_aligned(
        &self,
        window: AddressRange,
        size: u64,
        alignment: u64,
    ) -> Option<AddressRange> {
        let alignment = Granule::new(alignment).size();
        let fit = |gap: AddressRange| {
            let place = AddressRange::sized(gap.start.align_up(alignment)?, size)?;
            (place.end <= gap.end).then_some(place)
        };
        if size == 0 { None } else { self.tree.search_up(window, size, fit) }
    }

    /// Returns the highest `size` free bytes inside `window` that start at a multiple of `alignment`;
    /// otherwise as [`Self::lowest_gap_aligned`].
    pub fn highest_gap_aligned(
        &self,
        window: AddressRange,
        size: u64,
        alignment: u64,
    ) -> Option<AddressRange> {
        let alignment = Granule::new(alignment).size();
        let fit = |gap: AddressRange| {
            let start = gap.end.checked_sub(size)?.align_down(alignment);
            if start < gap.start { None } else { AddressRange::sized(start, size) }
        };
        if size == 0 { None } else { self.tree.search_down(window, size, fit) }
    }

    /// Checks that the tree is in order, for tests.
    ///
    /// # Errors
    /// What is wrong, and where.
    #[doc(hidden)]
    pub fn check_invariants(&self) -> Result<(), String> {
        self.tree.check()
    }
}

/// What is done to a map.
impl<V: RegionValue> RegionMap<V> {
    /// Inserts a region, joined with its neighbours where `merge` allows; false (and no change) when the range is empty or not free.
    pub fn insert(&mut self, range: AddressRange, value: V) -> bool {
        if range.start >= range.end {
            return false;
        }
        let path = self.tree.path_to(range.start);
        let above = self.tree.at(path.spot);
        if above.is_some_and(|(at, _)| at.start < range.end) {
            return false;
        }
        let below = self.tree.before(path.spot).and_then(|spot| self.tree.at(spot));
        let (mut whole, mut value) = (range, value);
        if let Some((at, lower)) = below
            && at.end == range.start
            && let Some(joined) = lower.merge(at, &value, range)
        {
            (value, whole.start) = (joined, at.start);
        }
        if let Some((at, upper)) = above
            && at.start == range.end
            && let Some(joined) = value.merge(whole, upper, at)
        {
            (value, whole.end) = (joined, at.end);
        }
        self.put_joined(&path, range, whole, value);
        true
    }

    /// Stores what an insertion of `range` at `path` became: `whole`, which may swallow a neighbour on each side.
    fn put_joined(&mut self, path: &Path, range: AddressRange, whole: AddressRange, value: V) {
        let (below, above) = (whole.start < range.start, whole.end > range.end);
        if above && below {
            self.tree.remove_at(path);
        }
        match (below, above) {
            (false, false) => self.tree.insert_at(path, whole, value),
            (false, true) => self.tree.set(path, whole, value),
            (true, _) => {
                let path = self.tree.path_to(whole.start);
                self.tree.set(&path, whole, value);
            }
        }
    }

    /// Removes the region that starts at `start`.
    pub fn remove(&mut self, start: Address) -> Option<(AddressRange, V)> {
        let path = self.path_at(start)?;
        let (at, _) = self.tree.at(path.spot)?;
        (at.start == start).then(|| self.tree.remove_at(&path))
    }

    /// Removes everything inside `range`, cutting regions at its ends; `removed` receives each piece, ascending.
    pub fn remove_range(&mut self, range: AddressRange, mut removed: impl FnMut(AddressRange, V)) {
        if range.start >= range.end {
            return;
        }
        while let Some(path) = self.path_at(range.start)
            && let Some((at, value)) = self.tree.at(path.spot)
            && at.start < range.end
        {
            let done = at.end >= range.end;
            let (piece, value) = if at.start < range.start {
                let (kept, rest) = value.split(at, range.start);
                self.cut_out(&path, at, range, kept, rest)
            } else if at.end > range.end {
                let (gone, kept) = value.split(at, range.end);
                self.tree.set(&path, AddressRange { start: range.end, ..at }, kept);
                (AddressRange { end: range.end, ..at }, gone)
            } else {
                self.tree.remove_at(&path)
            };
            removed(piece, value);
            if done {
                return;
            }
        }
    }

    /// Takes what lies in `range` out of the region `at`, which starts below it: `kept` stays, `rest` is the upper part.
    fn cut_out(
        &mut self,
        path: &Path,
        at: AddressRange,
        range: AddressRange,
        kept: V,
        rest: V,
    ) -> (AddressRange, V) {
        let lower = AddressRange { end: range.start, ..at };
        let upper = AddressRange { start: range.start, ..at };
        if at.end <= range.end {
            self.tree.set(path, lower, kept);
            return (upper, rest);
        }
        let (gone, top) = rest.split(upper, range.end);
        self.tree.cut(path, (lower, kept), (AddressRange { start: range.end, ..at }, top));
        (range, gone)
    }

    /// Cuts the regions that cross an end of `range` there, so that each region lies inside or outside.
    ///
    /// The halves stay apart until something happens to them that joins neighbours.
    pub fn isolate(&mut self, range: AddressRange) {
        if range.start < range.end {
            self.cut_at(range.start);
            self.cut_at(range.end);
        }
    }

    fn cut_at(&mut self, at: Address) {
        let Some(path) = self.path_at(at) else { return };
        if let Some((whole, value)) = self.tree.at(path.spot)
            && whole.start < at
        {
            let (lower, upper) = value.split(whole, at);
            let lower = (AddressRange { end: at, ..whole }, lower);
            self.tree.cut(&path, lower, (AddressRange { start: at, ..whole }, upper));
        }
    }

    /// Changes the values of everything inside `range`, cutting regions at its ends first.
    ///
    /// `change` sees each piece once, ascending; after that the pieces are joined with each other and with
    /// the neighbours outside where `merge` allows.
    pub fn mutate_range(&mut self, range: AddressRange, mut change: impl FnMut(AddressRange, &mut V)) {
        if range.start >= range.end {
            return;
        }
        self.isolate(range);
        let mut at = range.start;
        while let Some(path) = self.path_at(at)
            && let Some((piece, _)) = self.tree.at(path.spot)
            && piece.start < range.end
        {
            change(piece, self.tree.value_mut(path.spot));
            at = piece.end;
            self.join_below(&path);
        }
        if let Some(path) = self.path_at(range.end) {
            self.join_below(&path);
        }
    }

    /// Joins the region at `path` with the one before it when they touch and `merge` allows.
    fn join_below(&mut self, path: &Path) {
        let below = self.tree.before(path.spot).and_then(|spot| self.tree.at(spot));
        let (Some((lower, below)), Some((upper, above))) = (below, self.tree.at(path.spot)) else { return };
        if lower.end == upper.start
            && let Some(value) = below.merge(lower, above, upper)
        {
            self.tree.remove_at(path);
            let path = self.tree.path_to(lower.start);
            self.tree.set(&path, AddressRange { end: upper.end, ..lower }, value);
        }
    }

    /// Returns the way to the first region that ends above `address`, or `None` when there is none.
    fn path_at(&mut self, address: Address) -> Option<Path> {
        if self.tree.len == 0 {
            return None;
        }
        let path = self.tree.path_to(address);
        self.tree.at(path.spot).is_some().then_some(path)
    }
}
