//! Compares a region map with a plain array of pages after every one of many random steps.

use plat_regions::{Address, AddressRange, RegionMap, RegionValue};
use proptest::prelude::*;

const PAGES: usize = 256;

/// Joins when the kind is the same and the offsets continue, as a mapped file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Value {
    kind: u8,
    offset: u64,
}

impl Value {
    fn continues(self, lower: Self, bytes: u64) -> bool {
        self == lower.moved(bytes)
    }

    fn moved(self, bytes: u64) -> Self {
        Self { offset: self.offset.wrapping_add(bytes), ..self }
    }
}

impl RegionValue for Value {
    fn merge(&self, range: AddressRange, next: &Self, next_range: AddressRange) -> Option<Self> {
        assert_eq!(range.end, next_range.start, "only touching regions are offered");
        next.continues(*self, range.size()).then_some(*self)
    }

    fn split(&self, range: AddressRange, at: Address) -> (Self, Self) {
        assert!(range.start < at && at < range.end, "{range:?} is cut inside, not at {at:?}");
        (*self, self.moved(at.get() - range.start.get()))
    }
}

/// One array entry per page, and a mark on each page that starts a region.
struct Model {
    unit: u64,
    base: u64,
    granule: u64,
    pages: [Option<Value>; PAGES],
    starts: [bool; PAGES],
}

type Piece = (AddressRange, Value);

impl Model {
    fn address(&self, page: usize) -> Address {
        Address::new(self.base + page as u64 * self.unit)
    }

    fn range(&self, from: usize, to: usize) -> AddressRange {
        AddressRange { start: self.address(from), end: self.address(to) }
    }

    fn isolate(&mut self, from: usize, to: usize) {
        for edge in [from, to] {
            if from < to && edge < PAGES && self.pages[edge].is_some() {
                self.starts[edge] = true;
            }
        }
    }

    fn join(&mut self, from: usize, to: usize) {
        for page in from.max(1)..(to + 1).min(PAGES) {
            if let (Some(lower), Some(upper)) = (self.pages[page - 1], self.pages[page])
                && upper.continues(lower, self.unit)
            {
                self.starts[page] = false;
            }
        }
    }

    fn insert(&mut self, from: usize, to: usize, value: Value) -> bool {
        if from >= to || self.pages[from..to].iter().any(Option::is_some) {
            return false;
        }
        for page in from..to {
            self.pages[page] = Some(value.moved((page - from) as u64 * self.unit));
        }
        self.starts[from] = true;
        self.join(from, from);
        self.join(to, to);
        true
    }

    fn remove(&mut self, from: usize, to: usize) -> Vec<Piece> {
        self.isolate(from, to);
        let pieces = self.regions_of(from, to);
        self.pages[from..to].fill(None);
        self.starts[from..to].fill(false);
        pieces
    }

    fn mutate(&mut self, from: usize, to: usize, kind: u8) -> Vec<Piece> {
        if from >= to {
            return Vec::new();
        }
        self.isolate(from, to);
        let pieces = self.regions_of(from, to);
        for value in self.pages[from..to].iter_mut().flatten() {
            value.kind = kind;
        }
        // Only edges of regions inside may vanish: other cuts were made on purpose.
        self.join(from, to);
        pieces
    }

    /// Returns the regions in pages `from..to`, which must not cut one.
    fn regions_of(&self, from: usize, to: usize) -> Vec<Piece> {
        let mut regions: Vec<Piece> = Vec::new();
        for page in from..to {
            let Some(value) = self.pages[page] else { continue };
            match regions.last_mut() {
                Some((range, _)) if !self.starts[page] => range.end = self.address(page + 1),
                _ => regions.push((self.range(page, page + 1), value)),
            }
        }
        regions
    }

    fn gaps(&self, window: AddressRange) -> Vec<AddressRange> {
        let mut edges = vec![window.start.get()];
        for page in (0..PAGES).filter(|page| self.pages[*page].is_some()) {
            let (start, end) = (self.address(page).get(), self.address(page + 1).get());
            edges.extend([start, end].map(|at| at.clamp(window.start.get(), window.end.get())));
        }
        edges.push(window.end.get());
        let gap = |pair: &[u64]| {
            // 128 bits, so that rounding up cannot overflow here.
            let step = u128::from(self.granule);
            let (start, end) = (u128::from(pair[0]).div_ceil(step) * step, u128::from(pair[1]) / step * step);
            (start < end).then(|| {
                let narrow = |at| Address::new(u64::try_from(at).expect("below the end of the gap"));
                AddressRange { start: narrow(start), end: narrow(end) }
            })
        };
        edges.chunks(2).filter_map(gap).collect()
    }
}

#[derive(Clone, Debug)]
enum Action {
    Insert { kind: u8, follows: bool },
    Remove,
    RemoveRange,
    Mutate { kind: u8 },
    Isolate,
}

#[derive(Clone, Debug)]
struct Step {
    action: Action,
    from: usize,
    pages: usize,
    window: (usize, usize),
    whole: bool,
    size: u64,
    alignment: u32,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let action = prop_oneof![
        8 => (0..3u8, any::<bool>()).prop_map(|(kind, follows)| Action::Insert { kind, follows }),
        1 => Just(Action::Remove),
        1 => Just(Action::RemoveRange),
        2 => (0..3u8).prop_map(|kind| Action::Mutate { kind }),
        1 => Just(Action::Isolate),
    ];
    let pages = prop_oneof![8 => 0..4usize, 2 => 0..24usize, 1 => 0..200usize];
    let window = (0..=PAGES, 0..=PAGES);
    let step = (action, 0..PAGES, pages, window, any::<bool>(), 0..40u64, 0..8u32).prop_map(
        |(action, from, pages, window, whole, size, alignment)| {
            // Long insertions would only fail, and long cuts would keep the map small.
            let pages = if matches!(action, Action::Insert { .. } | Action::RemoveRange) {
                pages % 24
            } else {
                pages
            };
            Step { action, from, pages, window, whole, size, alignment }
        },
    );
    prop::collection::vec(step, 200..=300)
}

fn apply(step: &Step, map: &mut RegionMap<Value>, model: &mut Model) {
    let (from, to) = (step.from, (step.from + step.pages).min(PAGES));
    let range = model.range(from, to);
    match step.action {
        Action::Insert { kind, follows } => {
            let offset = if follows { range.start.get() } else { u64::from(kind) };
            let value = Value { kind, offset };
            assert_eq!(map.insert(range, value), model.insert(from, to, value));
        }
        Action::Remove => {
            let found = model.regions_of(0, PAGES).into_iter().find(|(at, _)| at.start == range.start);
            assert_eq!(map.remove(range.start), found);
            if let Some((at, _)) = found {
                model.remove(from, from + (at.size() / model.unit) as usize);
            }
        }
        Action::RemoveRange => {
            let mut pieces = Vec::new();
            map.remove_range(range, |at, value| pieces.push((at, value)));
            assert_eq!(pieces, model.remove(from, to));
        }
        Action::Mutate { kind } => {
            let mut pieces = Vec::new();
            map.mutate_range(range, |at, value| {
                pieces.push((at, *value));
                value.kind = kind;
            });
            assert_eq!(pieces, model.mutate(from, to, kind));
        }
        Action::Isolate => {
            map.isolate(range);
            model.isolate(from, to);
        }
    }
}

fn compare_regions(step: &Step, map: &RegionMap<Value>, model: &Model) {
    let regions = model.regions_of(0, PAGES);
    assert_eq!(map.check_invariants(), Ok(()));
    assert_eq!((map.len(), map.is_empty()), (regions.len(), regions.is_empty()));
    assert!(map.iter().map(|(at, value)| (at, *value)).eq(regions.iter().copied()));
    assert!(map.iter().rev().map(|(at, value)| (at, *value)).eq(regions.iter().rev().copied()));
    for page in 0..PAGES {
        let (first, last) = (model.address(page), Address::new(model.address(page + 1).get() - 1));
        let wanted = regions.iter().find(|(at, _)| at.contains(first));
        assert_eq!(map.get(first).map(|(at, value)| (at, *value)).as_ref(), wanted);
        assert_eq!(map.get(last).map(|(at, value)| (at, *value)).as_ref(), wanted);
    }
    let range = model.range(step.window.0.min(step.window.1), step.window.0.max(step.window.1));
    let inside = || regions.iter().filter(|(at, _)| at.overlaps(range) && !range.is_empty()).copied();
    assert!(map.overlapping(range).map(|(at, value)| (at, *value)).eq(inside()));
    assert!(map.overlapping(range).rev().map(|(at, value)| (at, *value)).eq(inside().rev()));
    assert_eq!(map.is_free(range), inside().next().is_none());
}

fn compare_gaps(step: &Step, map: &RegionMap<Value>, model: &Model) {
    let (low, high) = (step.window.0.min(step.window.1), step.window.0.max(step.window.1));
    let everything = AddressRange { start: Address::ZERO, end: Address::new(u64::MAX) };
    let window = if step.whole { everything } else { model.range(low, high) };
    let (size, gaps) = (step.size * model.unit, model.gaps(window));
    assert!(map.gaps(window).eq(gaps.iter().copied()));
    assert!(map.gaps(window).rev().eq(gaps.iter().rev().copied()));
    let large: Vec<_> = gaps.iter().copied().filter(|gap| gap.size() >= size).collect();
    assert_eq!(map.lowest_gap(window, size), large.first().copied());
    assert_eq!(map.highest_gap(window, size), large.last().copied());
    // From both ends in turn, until they meet.
    let (mut walk, mut wanted) = (map.gaps(window), large.iter().copied());
    while let Some(gap) = wanted.next() {
        assert_eq!(walk.next_large_enough(size), Some(gap));
        assert_eq!(walk.next_back_large_enough(size), wanted.next_back());
    }
    assert_eq!(walk.next_large_enough(size), None);
    let alignment = model.granule << step.alignment;
    let place = |gap: &AddressRange, up: bool| {
        let step = u128::from(alignment);
        let (start, end) = (u128::from(gap.start.get()), u128::from(gap.end.get()));
        let highest = (end.checked_sub(size.into())?) / step * step;
        let at = if up { start.div_ceil(step) * step } else { highest };
        (size > 0 && at >= start && at + u128::from(size) <= end)
            .then(|| AddressRange::sized(Address::new(at as u64), size).expect("inside the gap"))
    };
    let lowest = large.iter().find_map(|gap| place(gap, true));
    let highest = large.iter().rev().find_map(|gap| place(gap, false));
    assert_eq!(map.lowest_gap_aligned(window, size, alignment), lowest);
    assert_eq!(map.highest_gap_aligned(window, size, alignment), highest);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    /// At least 50 × 200 steps.
    #[test]
    fn a_map_says_what_an_array_of_pages_says(
        steps in steps(),
        unit in prop_oneof![Just(1u64), Just(4096)],
        place in 0..3u8,
        granule in prop_oneof![Just(1u64), Just(2), Just(16)],
    ) {
        let span = PAGES as u64 * unit;
        // The last byte of 64 bits lies in no half-open range, so the highest pages end there.
        let base = match place { 0 => 0, 1 => 0x7ff6_0003 * unit, _ => (u64::MAX - span) / unit * unit };
        let granule = granule * unit;
        let mut map = RegionMap::with_granule(granule);
        let mut model = Model { unit, base, granule, pages: [None; PAGES], starts: [false; PAGES] };
        for step in &steps {
            apply(step, &mut map, &mut model);
            compare_regions(step, &map, &model);
            compare_gaps(step, &map, &model);
        }
    }
}
