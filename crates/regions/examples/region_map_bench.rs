//! Prints nanoseconds per operation of the region map beside the standard library's tree.
//!
//! `cargo run --release -p plat-regions --example region_map_bench -- 10 1000 100000 1000000`
//!
//! Workload: region i has 1 to 16 pages, before it lies no gap (one time in two) or one of 1 to 16
//! pages, and neighbours never join. Every number is the lowest of five runs.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use plat_regions::{Address, AddressRange, RegionMap, RegionValue};

const PAGE: u64 = 4096;
const BASE: u64 = 0x10_0000;
const RUNS: usize = 5;

/// What both structures can do.
trait Books: Clone {
    fn empty() -> Self;
    fn insert(&mut self, range: AddressRange, kind: u64) -> bool;
    fn remove_range(&mut self, range: AddressRange) -> usize;
    fn get(&self, address: Address) -> Option<u64>;
    fn lowest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange>;
    fn highest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind(u64);

impl RegionValue for Kind {
    fn merge(&self, _: AddressRange, next: &Self, _: AddressRange) -> Option<Self> {
        (self == next).then_some(*self)
    }

    fn split(&self, _: AddressRange, _: Address) -> (Self, Self) {
        (*self, *self)
    }
}

impl Books for RegionMap<Kind> {
    fn empty() -> Self {
        Self::with_granule(PAGE)
    }

    fn insert(&mut self, range: AddressRange, kind: u64) -> bool {
        self.insert(range, Kind(kind))
    }

    fn remove_range(&mut self, range: AddressRange) -> usize {
        let mut pieces = 0;
        self.remove_range(range, |_, _| pieces += 1);
        pieces
    }

    fn get(&self, address: Address) -> Option<u64> {
        self.get(address).map(|(_, kind)| kind.0)
    }

    fn lowest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        self.lowest_gap(window, size)
    }

    fn highest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        self.highest_gap(window, size)
    }
}

/// The baseline: start to (end, kind).
#[derive(Clone)]
struct Standard(BTreeMap<u64, (u64, u64)>);

impl Books for Standard {
    fn empty() -> Self {
        Self(BTreeMap::new())
    }

    fn insert(&mut self, range: AddressRange, kind: u64) -> bool {
        let (mut start, mut end) = (range.start.get(), range.end.get());
        if let Some((below, &(at, value))) = self.0.range(..end).next_back() {
            if at > start {
                return false;
            }
            if (at, value) == (start, kind) {
                start = *below;
            }
        }
        if let Some(&(above, value)) = self.0.get(&end)
            && value == kind
        {
            self.0.remove(&end);
            end = above;
        }
        self.0.insert(start, (end, kind));
        true
    }

    fn remove_range(&mut self, range: AddressRange) -> usize {
        let (from, to, mut pieces) = (range.start.get(), range.end.get(), 0);
        while let Some((&start, &(end, kind))) = self.0.range(..to).next_back()
            && end > from
        {
            pieces += 1;
            if start < from {
                self.0.insert(start, (from, kind));
            } else {
                self.0.remove(&start);
            }
            if end > to {
                self.0.insert(to, (end, kind));
            }
        }
        pieces
    }

    fn get(&self, address: Address) -> Option<u64> {
        let (_, (end, kind)) = self.0.range(..=address.get()).next_back()?;
        (address.get() < *end).then_some(*kind)
    }

    fn lowest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        let mut at = window.start.get();
        let first = self.0.range(..=at).next_back().map_or(at, |(start, _)| *start);
        for (start, (end, _)) in self.0.range(first..) {
            if start.saturating_sub(at) >= size {
                return Some(range(at, *start));
            }
            at = at.max(*end);
        }
        (window.end.get().saturating_sub(at) >= size).then(|| range(at, window.end.get()))
    }

    fn highest_gap(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        let mut at = window.end.get();
        for (start, (end, _)) in self.0.iter().rev() {
            if at.saturating_sub(*end) >= size {
                return Some(range(*end, at));
            }
            at = *start;
        }
        (at.saturating_sub(window.start.get()) >= size).then(|| range(window.start.get(), at))
    }
}

/// xorshift64*: the same workload on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 20) % limit
    }
}

fn range(start: u64, end: u64) -> AddressRange {
    AddressRange { start: Address::new(start), end: Address::new(end) }
}

/// The inputs of all measurements for one number of regions.
struct Workload {
    regions: Vec<(AddressRange, u64)>,
    /// Random free pages, none twice.
    slots: Vec<AddressRange>,
    random: Vec<Address>,
    local: Vec<Address>,
    /// Starts with the first region and ends with the last: nothing large is free.
    inside: AddressRange,
}

impl Workload {
    fn new(count: u64) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let (mut at, mut regions, mut slots) = (BASE, Vec::new(), Vec::new());
        for i in 0..count {
            let gap = if i == 0 || random.below(2) == 0 { 0 } else { 1 + random.below(16) };
            if gap > 0 {
                let page = at + random.below(gap) * PAGE;
                slots.push(range(page, page + PAGE));
            }
            let start = at + gap * PAGE;
            at = start + (1 + random.below(16)) * PAGE;
            regions.push((range(start, at), i & 3));
        }
        for i in (1..slots.len()).rev() {
            slots.swap(i, random.below(i as u64 + 1) as usize);
        }
        slots.truncate((count as usize / 20).clamp(1000, 5000));
        let span = at - BASE;
        let far: Vec<_> = (0..100_000).map(|_| Address::new(BASE + random.below(span))).collect();
        let mut near = BASE;
        let local = (0..100_000).map(|i: usize| {
            let step = near.wrapping_add(random.below(128 * PAGE)).wrapping_sub(64 * PAGE);
            near = if random.below(10) > 0 { step.clamp(BASE, at - 1) } else { far[i].get() };
            Address::new(near)
        });
        let local = local.collect();
        Self { regions, slots, random: far, local, inside: range(BASE, at) }
    }
}

/// Returns the lowest time of all runs, in ns for each of `operations`.
fn time(operations: usize, mut run: impl FnMut() -> std::time::Duration) -> f64 {
    let lowest = (0..RUNS).map(|_| run()).min().unwrap_or_default();
    lowest.as_secs_f64() * 1e9 / operations as f64
}

fn timed<T>(work: impl FnOnce() -> T) -> std::time::Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

const COLUMNS: [&str; 9] = [
    "build",
    "get random",
    "get local",
    "insert",
    "remove",
    "split+merge",
    "16 pages above hint",
    "worst low",
    "worst high",
];

fn measure<B: Books>(load: &Workload) -> [f64; 9] {
    let build = || {
        let mut books = B::empty();
        load.regions.iter().for_each(|(range, kind)| assert!(books.insert(*range, *kind)));
        books
    };
    let full = build();
    let repeats = (1000 / load.regions.len()).max(1);
    let built =
        time(load.regions.len() * repeats, || timed(|| (0..repeats).for_each(|_| drop(black_box(build())))));
    let gets = |addresses: &[Address]| {
        time(addresses.len(), || timed(|| addresses.iter().filter_map(|at| full.get(*at)).sum::<u64>()))
    };
    let (random, local) = (gets(&load.random), gets(&load.local));
    let (inserted, removed, split) = change(full.clone(), load);
    let hinted = time(load.random.len(), || {
        let above = |at: &Address| full.lowest_gap(range(at.get(), load.inside.end.get()), 16 * PAGE);
        timed(|| load.random.iter().filter_map(above).count())
    });
    let searches = if load.regions.len() > 10_000 { 100 } else { 10_000 };
    let search = |find: fn(&B, AddressRange, u64) -> Option<AddressRange>| {
        let once = || assert_eq!(find(black_box(&full), load.inside, 17 * PAGE), None);
        time(searches, || timed(|| (0..searches).for_each(|_| once())))
    };
    let (low, high) = (search(B::lowest_gap), search(B::highest_gap));
    [built, random, local, inserted, removed, split, hinted, low, high]
}

/// Measures insertion into gaps, removal from them, and removal of an inner page that is put back.
fn change<B: Books>(mut books: B, load: &Workload) -> (f64, f64, f64) {
    let large = load.regions.iter().filter(|(at, _)| at.size() >= 3 * PAGE);
    let mut inner: Vec<_> =
        large.map(|(at, kind)| (range(at.start.get() + PAGE, at.start.get() + 2 * PAGE), *kind)).collect();
    let mut random = Random(7);
    for i in (1..inner.len()).rev() {
        inner.swap(i, random.below(i as u64 + 1) as usize);
    }
    inner.truncate(5000);
    let repeats = (1000 / load.slots.len().max(1)).max(1);
    let (mut inserts, mut removes, mut splits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (mut insert, mut remove, mut split) = <(std::time::Duration, _, _)>::default();
        for _ in 0..repeats {
            insert += timed(|| load.slots.iter().for_each(|slot| assert!(books.insert(*slot, 9))));
            remove += timed(|| load.slots.iter().for_each(|slot| assert_eq!(books.remove_range(*slot), 1)));
            split += timed(|| {
                for (page, kind) in &inner {
                    assert_eq!(books.remove_range(*page), 1);
                    assert!(books.insert(*page, *kind));
                }
            });
        }
        inserts.push(insert);
        removes.push(remove);
        splits.push(split);
    }
    let lowest = |runs: Vec<std::time::Duration>, count: usize| {
        let mut runs = runs.into_iter();
        time(count * repeats, || runs.next().unwrap_or_default())
    };
    let (slots, inner) = (load.slots.len().max(1), inner.len().max(1));
    (lowest(inserts, slots), lowest(removes, slots), lowest(splits, inner))
}

fn main() {
    let counts: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![10, 1_000, 100_000] } else { counts };
    let header: String = COLUMNS.iter().map(|column| format!(" {column} |")).collect();
    println!("ns per operation\n| regions | structure |{header}");
    println!("|---|---|{}", "---|".repeat(COLUMNS.len()));
    for count in counts.into_iter().filter(|count| *count > 0) {
        let load = Workload::new(count);
        let row = |name: &str, times: [f64; 9]| {
            let cells: String = times.iter().map(|time| format!(" {time:.1} |")).collect();
            println!("| {count} | {name} |{cells}");
        };
        row("RegionMap", measure::<RegionMap<Kind>>(&load));
        row("BTreeMap", measure::<Standard>(&load));
    }
}
