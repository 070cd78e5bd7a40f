//! `cargo xtask bench regions`: the region map beside the standard library's tree, the crate rangemap, and the kernel's
//! own calls, on the same layout and in the same run.

use super::row;
use anyhow::{Context, Result, bail};
use plat_host::kernel_lab::{CALLS_MAX, Call, Lab, LabOptions, Order};
use plat_regions::{Address, AddressRange, PAGE_SIZE, RegionMap, RegionValue};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

const GAP_WORST_NS_MAX: f64 = 1000.0;
const LOOKUP_NS_MAX: f64 = 400.0;
const SPLIT_NS_MAX: f64 = 2000.0;
/// Regions of the kernel's rows: `vm.max_map_count` is 65,530 as a rule.
const KERNEL_REGIONS: usize = 60_000;
/// Where the layout starts.
const BASE: u64 = 0x10_0000_0000;
/// Pages that fit into no gap of the layout.
const WORST_PAGES: u64 = 17;

/// What a region is worth: regions with equal kinds that touch become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind(u8);

impl RegionValue for Kind {
    fn merge(&self, _: AddressRange, next: &Self, _: AddressRange) -> Option<Self> {
        (self == next).then_some(*self)
    }

    fn split(&self, _: AddressRange, _: Address) -> (Self, Self) {
        (*self, *self)
    }
}

/// xorshift64*: the same numbers on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end.max(1)
    }
}

/// Regions of 1 to 16 pages; half of them touch the one before, the others keep 1 to 16 pages away.
struct Layout {
    regions: Vec<(AddressRange, Kind)>,
    window: AddressRange,
}

impl Layout {
    fn of(count: usize) -> Self {
        let (mut random, mut at) = (Random(0x9e37_79b9_7f4a_7c15), BASE);
        let mut regions = Vec::with_capacity(count);
        for index in 0..count {
            at += if random.below(2) == 0 { 0 } else { (1 + random.below(16)) * PAGE_SIZE };
            let start = at;
            at += (1 + random.below(16)) * PAGE_SIZE;
            let range = AddressRange { start: Address::new(start), end: Address::new(at) };
            regions.push((range, Kind(index as u8 & 3)));
        }
        let window = AddressRange { start: Address::new(BASE), end: Address::new(at + 64 * PAGE_SIZE) };
        Self { regions, window }
    }

    fn random_addresses(&self, count: usize) -> Vec<Address> {
        let (mut random, pages) = (Random(7), self.window.size() / PAGE_SIZE);
        (0..count).map(|_| Address::new(BASE + random.below(pages) * PAGE_SIZE)).collect()
    }

    /// Returns inner pages of random regions of three pages or more, each region once.
    fn inner_pages(&self, count: usize) -> Vec<(AddressRange, Kind)> {
        let step = (self.regions.len() / count).max(1);
        let large = self.regions.iter().step_by(step).filter(|(range, _)| range.size() >= 3 * PAGE_SIZE);
        large
            .map(|(range, kind)| {
                let start = Address::new(range.start.get() + PAGE_SIZE);
                (AddressRange { start, end: Address::new(start.get() + PAGE_SIZE) }, *kind)
            })
            .collect()
    }
}

/// Measures the region map at `regions`, a million unless `--regions N` says otherwise; returns the targets missed.
pub(super) fn bench(arguments: &[String]) -> Result<()> {
    let count = match arguments.iter().position(|word| word == "--regions") {
        None => 1_000_000,
        Some(at) => {
            arguments.get(at + 1).and_then(|word| word.parse().ok()).context("--regions needs a number")?
        }
    };
    let layout = Layout::of(count);
    println!("{count} regions:");
    let missed = ours(&layout);
    standard(&layout);
    peer(&layout);
    println!("{KERNEL_REGIONS} regions in the kernel:");
    kernel(&Layout::of(KERNEL_REGIONS))?;
    println!("{missed} targets missed");
    if missed > 0 { bail!("{missed} targets missed") } else { Ok(()) }
}

/// Returns nanoseconds per item, the least of five runs.
fn least(items: usize, mut run: impl FnMut()) -> f64 {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e9 / items.max(1) as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

fn ours(layout: &Layout) -> usize {
    let mut map = RegionMap::with_granule(PAGE_SIZE);
    let start = Instant::now();
    for (range, kind) in &layout.regions {
        map.insert(*range, *kind);
    }
    let build = start.elapsed().as_secs_f64() * 1e9 / layout.regions.len() as f64;
    row("  plat RegionMap, build in order", build, "ns", None);
    let addresses = layout.random_addresses(200_000);
    let lookup = least(addresses.len(), || {
        for address in &addresses {
            black_box(map.get(*address));
        }
    });
    let mut missed = row("  plat RegionMap, lookup at random", lookup, "ns", Some(LOOKUP_NS_MAX));
    let size = WORST_PAGES * PAGE_SIZE;
    let up = least(10_000, || {
        for _ in 0..10_000 {
            black_box(map.lowest_gap(layout.window, size));
        }
    });
    missed += row("  plat RegionMap, lowest gap, passing all", up, "ns", Some(GAP_WORST_NS_MAX));
    let inside = AddressRange { end: layout.regions[layout.regions.len() - 1].0.end, ..layout.window };
    let down = least(10_000, || {
        for _ in 0..10_000 {
            black_box(map.highest_gap(inside, size));
        }
    });
    missed += row("  plat RegionMap, highest gap, passing all", down, "ns", Some(GAP_WORST_NS_MAX));
    let near = least(addresses.len(), || {
        for address in &addresses {
            black_box(map.lowest_gap(AddressRange { start: *address, ..layout.window }, 16 * PAGE_SIZE));
        }
    });
    missed +=
        row("  plat RegionMap, lowest gap of 16 pages above a hint", near, "ns", Some(GAP_WORST_NS_MAX));
    let pages = layout.inner_pages(5_000);
    let (mut split, mut join) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..5 {
        let start = Instant::now();
        pages.iter().for_each(|(page, kind)| map.mutate_range(*page, |_, value| *value = Kind(kind.0 + 4)));
        split = split.min(start.elapsed().as_secs_f64() * 1e9 / pages.len() as f64);
        let start = Instant::now();
        pages.iter().for_each(|(page, kind)| map.mutate_range(*page, |_, value| *value = *kind));
        join = join.min(start.elapsed().as_secs_f64() * 1e9 / pages.len() as f64);
    }
    missed += row("  plat RegionMap, split in three", split, "ns", Some(SPLIT_NS_MAX));
    row("  plat RegionMap, join the three", join, "ns", None);
    missed
}

/// The standard library's tree of starts: no index of gaps, so that a search passes every region.
fn standard(layout: &Layout) {
    let mut map = BTreeMap::new();
    for (range, kind) in &layout.regions {
        map.insert(range.start.get(), (range.end.get(), kind.0));
    }
    let addresses = layout.random_addresses(200_000);
    let lookup = least(addresses.len(), || {
        for address in &addresses {
            let found = map.range(..=address.get()).next_back();
            black_box(found.filter(|(_, (end, _))| *end > address.get()));
        }
    });
    row("  std BTreeMap, lookup at random", lookup, "ns", None);
    let worst = least(1, || {
        let mut at = BASE;
        for (start, (end, _)) in &map {
            if start - at >= WORST_PAGES * PAGE_SIZE {
                break;
            }
            at = *end;
        }
        black_box(at);
    });
    row("  std BTreeMap, lowest gap, passing all", worst, "ns", None);
    let pages = layout.inner_pages(5_000);
    let start = Instant::now();
    for (page, kind) in &pages {
        let (from, to) = (page.start.get(), page.end.get());
        if let Some((_, (end, _))) = map.range_mut(..=from).next_back() {
            let whole_end = std::mem::replace(end, from);
            map.insert(from, (to, kind.0 + 4));
            map.insert(to, (whole_end, kind.0));
        }
    }
    row(
        "  std BTreeMap, split in three",
        start.elapsed().as_secs_f64() * 1e9 / pages.len() as f64,
        "ns",
        None,
    );
}

fn peer(layout: &Layout) {
    let mut map = rangemap::RangeMap::new();
    for (range, kind) in &layout.regions {
        map.insert(range.start.get()..range.end.get(), kind.0);
    }
    let addresses = layout.random_addresses(200_000);
    let lookup = least(addresses.len(), || {
        for address in &addresses {
            black_box(map.get(&address.get()));
        }
    });
    row("  rangemap, lookup at random", lookup, "ns", None);
    let whole = layout.window.start.get()..layout.window.end.get();
    let worst = least(1, || {
        black_box(map.gaps(&whole).find(|gap| gap.end - gap.start >= WORST_PAGES * PAGE_SIZE));
    });
    row("  rangemap, lowest gap, passing all", worst, "ns", None);
    let pages = layout.inner_pages(5_000);
    let start = Instant::now();
    for (page, kind) in &pages {
        map.insert(page.start.get()..page.end.get(), kind.0 + 4);
    }
    row("  rangemap, split in three", start.elapsed().as_secs_f64() * 1e9 / pages.len() as f64, "ns", None);
}

/// The kernel's calls on the same kind of layout, in a process of its own; each includes entering the kernel.
fn kernel(layout: &Layout) -> Result<()> {
    const FIXED: u64 = 0x32;
    let mut lab = Lab::start(&LabOptions::default(), &[]).context("starting the lab")?;
    let map = |range: &AddressRange, access: u64| {
        call(9, [range.start.get(), range.size(), access, FIXED, u64::MAX, 0])
    };
    let build: Vec<Call> =
        layout.regions.iter().map(|(range, kind)| map(range, [0, 1, 5, 4][kind.0 as usize])).collect();
    row("  mmap of each region, in order", timed(&mut lab, &build)?, "ns", None);
    let floor: Vec<Call> = (0..10_000).map(|_| call(110, [0; 6])).collect();
    row("  getppid, for comparison", timed(&mut lab, &floor)?, "ns", None);
    let size = WORST_PAGES * PAGE_SIZE;
    let none = call(9, [0, size, 0, 0x22, u64::MAX, 0]);
    row("  mmap of 17 pages anywhere", timed(&mut lab, &vec![none; 1_000])?, "ns", None);
    let pages = layout.inner_pages(2_000);
    let split: Vec<Call> =
        pages.iter().map(|(page, _)| call(10, [page.start.get(), PAGE_SIZE, 7, 0, 0, 0])).collect();
    row("  mprotect that splits in three", timed(&mut lab, &split)?, "ns", None);
    Ok(())
}

fn call(number: u64, arguments: [u64; 6]) -> Call {
    Call::System { number, arguments }
}

/// Returns nanoseconds per call, the handing over of batches included.
fn timed(lab: &mut Lab, calls: &[Call]) -> Result<f64> {
    let mut answers = Vec::new();
    let start = Instant::now();
    for batch in calls.chunks(CALLS_MAX) {
        let windows = [Order::NONE; 2];
        let orders: Vec<Order> = batch.iter().map(|call| Order { call: *call, windows, runs: 0 }).collect();
        lab.post(&orders)?;
        lab.take(&mut answers)?;
        if let Some(failed) = answers.chunks_exact(3).find(|answer| (answer[0] as i64) < 0) {
            bail!("the kernel refused a call: {}", failed[0] as i64);
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / calls.len().max(1) as f64)
}
