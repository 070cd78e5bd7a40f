//! Compares a region map with the standard library's tree while it grows to 10,000 regions and back to none.

use std::collections::BTreeMap;

use plat_regions::{Address, AddressRange, RegionMap, RegionValue};

const PAGE: u64 = 4096;
const REGIONS: usize = 10_000;
const SPAN: u64 = 64 * REGIONS as u64;

/// Joins with its equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind(u64);

impl RegionValue for Kind {
    fn merge(&self, _: AddressRange, next: &Self, _: AddressRange) -> Option<Self> {
        (self == next).then_some(*self)
    }

    fn split(&self, _: AddressRange, _: Address) -> (Self, Self) {
        (*self, *self)
    }
}

/// xorshift64*: the same steps on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// Pages to (page after the last, value).
type Model = BTreeMap<u64, (u64, u64)>;

fn range(from: u64, to: u64) -> AddressRange {
    AddressRange { start: Address::new(from * PAGE), end: Address::new(to * PAGE) }
}

fn is_free(model: &Model, from: u64, to: u64) -> bool {
    model.range(..to).next_back().is_none_or(|(_, (end, _))| *end <= from)
}

fn model_insert(model: &mut Model, from: u64, to: u64, kind: u64) -> bool {
    if !is_free(model, from, to) {
        return false;
    }
    let (mut from, mut to) = (from, to);
    if let Some((start, &(end, value))) = model.range(..from).next_back()
        && (end, value) == (from, kind)
    {
        from = *start;
    }
    if let Some(&(end, value)) = model.get(&to)
        && value == kind
    {
        model.remove(&to);
        to = end;
    }
    model.insert(from, (to, kind));
    true
}

fn model_remove(model: &mut Model, from: u64, to: u64) -> Vec<(AddressRange, Kind)> {
    let first = model.range(..=from).next_back().map_or(from, |(start, _)| *start);
    let touched: Vec<_> = model.range(first..to).map(|(start, (end, kind))| (*start, *end, *kind)).collect();
    let mut pieces = Vec::new();
    for (start, end, kind) in touched.into_iter().filter(|(_, end, _)| *end > from) {
        model.remove(&start);
        if start < from {
            model.insert(start, (from, kind));
        }
        if end > to {
            model.insert(to, (end, kind));
        }
        pieces.push((range(start.max(from), end.min(to)), Kind(kind)));
    }
    pieces
}

fn model_gaps(model: &Model, from: u64, to: u64) -> Vec<AddressRange> {
    let (mut at, mut gaps) = (from, Vec::new());
    for (start, (end, _)) in model {
        if at < (*start).min(to) {
            gaps.push(range(at, (*start).min(to)));
        }
        at = at.max(*end);
    }
    if at < to {
        gaps.push(range(at, to));
    }
    gaps
}

fn compare(map: &RegionMap<Kind>, model: &Model, random: &mut Random) {
    assert_eq!(map.check_invariants(), Ok(()));
    assert_eq!(map.len(), model.len());
    let wanted = || model.iter().map(|(start, (end, kind))| (range(*start, *end), Kind(*kind)));
    assert!(map.iter().map(|(at, kind)| (at, *kind)).eq(wanted()));
    assert!(map.iter().rev().map(|(at, kind)| (at, *kind)).eq(wanted().rev()));
    let (one, other) = (random.below(SPAN), random.below(SPAN));
    let (from, to) = (one.min(other), one.max(other));
    let gaps = model_gaps(model, from, to);
    assert!(map.gaps(range(from, to)).eq(gaps.iter().copied()));
    for pages in [0, 1, 8, 32, 64, 128, 256, 1024, SPAN] {
        let fits = |gap: &&AddressRange| gap.size() >= pages * PAGE;
        assert_eq!(map.lowest_gap(range(from, to), pages * PAGE), gaps.iter().find(fits).copied());
        assert_eq!(map.highest_gap(range(from, to), pages * PAGE), gaps.iter().rev().find(fits).copied());
    }
}

#[test]
fn ten_thousand_regions_say_what_the_standard_tree_says() {
    let (mut map, mut model) = (RegionMap::with_granule(PAGE), Model::new());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut largest = 0;
    // Three tides: insertions win until the map is full, removals win until it is empty.
    for step in 0..120_000 {
        let (from, growing) = (random.below(SPAN), step % 40_000 < 25_000);
        let to = from + 1 + random.below(16);
        if growing && random.below(20) > 0 {
            let kind = random.below(3);
            assert_eq!(map.insert(range(from, to), Kind(kind)), model_insert(&mut model, from, to, kind));
        } else {
            let to = if growing { to } else { to + random.below(400) };
            let mut pieces = Vec::new();
            map.remove_range(range(from, to), |at, kind| pieces.push((at, kind)));
            assert_eq!(pieces, model_remove(&mut model, from, to));
        }
        largest = largest.max(map.len());
        if step % 2_000 == 0 {
            compare(&map, &model, &mut random);
        }
    }
    assert!(largest >= REGIONS, "only {largest} regions were reached");
    while let Some((at, kind)) = map.iter().nth(map.len() / 2).map(|(at, kind)| (at, *kind)) {
        assert_eq!(map.remove(at.start), Some((at, kind)));
        model.remove(&(at.start.get() / PAGE));
        if map.len() % 500 == 0 {
            compare(&map, &model, &mut random);
        }
    }
    assert!(model.is_empty());
}
