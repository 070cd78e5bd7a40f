//! Disjoint ranges of addresses, each with a value: the structure under every set of books.
//!
//! Key types: [`RegionMap`], [`RegionValue`].

use std::collections::BTreeMap;

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
#[derive(Clone, Debug)]
pub struct RegionMap<V> {
    granule: u64,
    regions: BTreeMap<Address, (Address, V)>,
}
impl<V> Default for RegionMap<V> {
    fn default() -> Self {
        Self { granule: 1, regions: BTreeMap::new() }
    }
}
impl<V: RegionValue> RegionMap<V> {
    /// Makes an empty map whose gaps count in whole multiples of `granule` bytes, a power of two.
    pub fn with_granule(granule: u64) -> Self {
        Self { granule, regions: BTreeMap::new() }
    }
    /// Returns the number of regions.
    pub fn len(&self) -> usize {
        self.regions.len()
    }
    /// Says whether there is no region.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }
    /// Returns the region that contains `address`.
    pub fn get(&self, address: Address) -> Option<(AddressRange, &V)> {
        let (start, (end, value)) = self.regions.range(..=address).next_back()?;
        (address < *end).then_some((AddressRange { start: *start, end: *end }, value))
    }
    /// Iterates over the regions that share a byte with `range`, ascending.
    pub fn overlapping(&self, range: AddressRange) -> impl Iterator<Item = (AddressRange, &V)> {
        let first = self.get(range.start).map_or(range.start, |(r, _)| r.start);
        self.regions
            .range(first..)
            .map(|(s, (e, v))| (AddressRange { start: *s, end: *e }, v))
            .take_while(move |(r, _)| r.start < range.end)
    }
    /// Iterates over all regions, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (AddressRange, &V)> {
        self.regions.iter().map(|(s, (e, v))| (AddressRange { start: *s, end: *e }, v))
    }
    /// Says whether no region shares a byte with `range`.
    pub fn is_free(&self, range: AddressRange) -> bool {
        self.overlapping(range).next().is_none()
    }
    /// Inserts a region, joined with its neighbours where `merge` allows; false (and no change) when the range is empty or not free.
    pub fn insert(&mut self, range: AddressRange, value: V) -> bool {
        if range.is_empty() || !self.is_free(range) {
            return false;
        }
        let (mut range, mut value) = (range, value);
        if let Some((s, (e, v))) = self.regions.range(..range.start).next_back()
            && *e == range.start
            && let Some(m) = v.merge(AddressRange { start: *s, end: *e }, &value, range)
        {
            value = m;
            range.start = *s;
        }
        if let Some((e, v)) = self.regions.get(&range.end)
            && let Some(m) = value.merge(range, v, AddressRange { start: range.end, end: *e })
        {
            let end = *e;
            value = m;
            self.regions.remove(&range.end);
            range.end = end;
        }
        self.regions.insert(range.start, (range.end, value));
        true
    }
    /// Removes the region that starts at `start`.
    pub fn remove(&mut self, start: Address) -> Option<(AddressRange, V)> {
        let (end, v) = self.regions.remove(&start)?;
        Some((AddressRange { start, end }, v))
    }
    /// Removes everything inside `range`, cutting regions at its ends; `removed` receives each piece, ascending.
    pub fn remove_range(&mut self, range: AddressRange, mut removed: impl FnMut(AddressRange, V)) {
        loop {
            let first = self.overlapping(range).next().map(|(at, value)| (at, value.clone()));
            let Some((r, v)) = first else { return };
            self.regions.remove(&r.start);
            let (mut r, mut v) = (r, v);
            if r.start < range.start {
                let (a, b) = v.split(r, range.start);
                self.regions.insert(r.start, (range.start, a));
                r.start = range.start;
                v = b;
            }
            if r.end > range.end {
                let (a, b) = v.split(r, range.end);
                self.regions.insert(range.end, (r.end, b));
                r.end = range.end;
                v = a;
            }
            removed(r, v);
        }
    }
    /// Returns the lowest gap inside `window` of at least `size` bytes, in whole granules.
    pub fn lowest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        let mut at = window.start;
        for (r, _) in self.overlapping(window) {
            if let Some(g) = self.usable(at, r.start, size) {
                return Some(g);
            }
            at = r.end;
        }
        self.usable(at, window.end, size)
    }
    /// Returns the highest gap inside `window` of at least `size` bytes, in whole granules.
    pub fn highest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        let mut best = None;
        let mut at = window.start;
        for (r, _) in self.overlapping(window) {
            if let Some(g) = self.usable(at, r.start, size) {
                best = Some(g);
            }
            at = r.end;
        }
        self.usable(at, window.end, size).or(best)
    }
    fn usable(&self, start: Address, end: Address, size: u64) -> Option<AddressRange> {
        let r = AddressRange::new(start.align_up(self.granule)?, end.align_down(self.granule))?;
        (r.size() >= size && !r.is_empty()).then_some(r)
    }
}
