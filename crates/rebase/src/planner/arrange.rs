//! Who stays, and where the others go.

use std::collections::{BTreeMap, HashMap};

use plat_regions::{Address, AddressRange};

use super::holes::{Holes, find_within};
use super::keep::heaviest_without_overlap;
use super::space::{subtract, union};
use super::{Fleet, Item, PlanError};

/// Two images within this many bytes reach each other with 32-bit displacements.
const NEAR_BYTES: u64 = 1 << 31;
/// A kept file that is too far from what it must be near is let go, at most this often in a chain.
const NEAR_ROUNDS_MAX: usize = 8;

/// A way to place what does not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strategy {
    /// The most used first; else by size alone, which packs tighter.
    by_use: bool,
    /// With room for growth.
    with_slack: bool,
    /// So many of the largest are left for sharing that the others fit, and the largest beside them.
    leave_large: bool,
}

impl Strategy {
    /// From the best to the tightest.
    pub(crate) const ALL: [Self; 3] = [
        Self { by_use: true, with_slack: true, leave_large: false },
        Self { by_use: false, with_slack: true, leave_large: false },
        Self { by_use: false, with_slack: false, leave_large: false },
    ];
    /// What few large files share, many small ones need not.
    pub(crate) const FOR_SHARING: Self = Self { by_use: true, with_slack: true, leave_large: true };
}

/// Places for items, by their rank.
#[derive(Clone, Debug)]
pub(crate) struct Arrangement {
    /// Base and slot.
    pub(crate) places: Vec<Option<(Address, u64)>>,
    /// Who lies over others.
    pub(crate) shares: Vec<bool>,
    /// The sizes of all that found no place.
    pub(crate) unplaced_bytes: u64,
}

impl Fleet<'_> {
    /// Settles who stays where: fixed files, and the heaviest set of the others.
    pub(crate) fn keep(&self) -> Result<Vec<Option<Address>>, PlanError> {
        let mut kept: Vec<Option<Address>> = self.items.iter().map(|item| item.fixed).collect();
        let fixed = self.check_fixed()?;
        if self.request.options.repack {
            return Ok(kept);
        }
        let taken =
            union(fixed.iter().map(|&(range, _)| range).chain(self.occupied.iter().copied()).collect());
        let is_free = |range: AddressRange| {
            let index = taken.partition_point(|it| it.end <= range.start);
            taken.get(index).is_none_or(|it| !it.overlaps(range))
        };
        let groups_off = self.scattered_groups();
        let mut ranks = Vec::new();
        let mut ranges = Vec::new();
        for (rank, item) in self.items.iter().enumerate().filter(|(_, item)| item.fixed.is_none()) {
            let Some(base) = item.desired.filter(|base| base.is_aligned(0x1_0000)) else { continue };
            let is_off = item.group.is_some_and(|name| groups_off.contains_key(name));
            let is_sharer = item.known.is_some_and(|entry| entry.shares);
            let bytes = item.kept_bytes();
            let bytes = if self.space.objection_to(base, bytes).is_some() { item.bytes } else { bytes };
            let Some(range) = AddressRange::sized(base, bytes) else { continue };
            if is_off || is_sharer || !is_free(range) {
                continue;
            }
            ranks.push(rank);
            ranges.push((range, weight(item)));
        }
        let stays = heaviest_without_overlap(&ranges);
        for (rank, (range, _)) in
            ranks.into_iter().zip(ranges).zip(stays).filter_map(|(it, stays)| stays.then_some(it))
        {
            kept[rank] = Some(range.start);
        }
        self.let_go_of_broken_groups(&mut kept);
        Ok(kept)
    }

    /// Checks that fixed files lie where they may, and returns their ranges.
    fn check_fixed(&self) -> Result<Vec<(AddressRange, usize)>, PlanError> {
        let mut fixed: Vec<(AddressRange, usize)> = Vec::new();
        for (rank, item) in self.items.iter().enumerate() {
            let Some(base) = item.fixed else { continue };
            let refuse = |why: String| PlanError::Fixed { path: self.member(item).path.clone(), base, why };
            if !base.is_aligned(0x1_0000) {
                return Err(refuse("it is no multiple of 64 KiB".into()));
            }
            let range = AddressRange::sized(base, item.bytes)
                .ok_or_else(|| refuse("it would pass the end of the address space".into()))?;
            if let Some(why) = self.space.objection(range) {
                return Err(refuse(why));
            }
            if let Some(it) = self.obstacles.iter().find(|it| super::reasons::lies_in(it, range)) {
                return Err(refuse(format!("{} is there and {}", it.path, it.why)));
            }
            fixed.push((range, rank));
        }
        fixed.sort_unstable();
        if let Some(pair) = fixed.windows(2).find(|pair| pair[0].0.overlaps(pair[1].0)) {
            let (a, b) = (&self.items[pair[0].1], &self.items[pair[1].1]);
            let why = format!("{} is fixed at {}", self.member(a).path, pair[0].0.start);
            return Err(PlanError::Fixed { path: self.member(b).path.clone(), base: pair[1].0.start, why });
        }
        Ok(fixed)
    }

    /// Returns the groups, each with its items' ranks in the order of their paths.
    fn groups(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (rank, item) in self.items.iter().enumerate().filter(|(_, item)| item.fixed.is_none()) {
            if let Some(name) = item.group {
                groups.entry(name).or_default().push(rank);
            }
        }
        for ranks in groups.values_mut() {
            ranks.sort_by_key(|&rank| &self.member(&self.items[rank]).path);
        }
        groups
    }

    /// Returns the groups whose files do not lie side by side now.
    fn scattered_groups(&self) -> HashMap<&str, Vec<usize>> {
        let is_scattered = |ranks: &Vec<usize>| {
            let mut ranges: Vec<(Address, u64)> = Vec::new();
            for item in ranks.iter().map(|&rank| &self.items[rank]) {
                let Some(base) = item.desired else { return true };
                ranges.push((base, item.kept_bytes().max(item.slot)));
            }
            ranges.sort_unstable();
            ranges.windows(2).any(|pair| pair[0].0.get().saturating_add(pair[0].1) < pair[1].0.get())
        };
        self.groups().into_iter().filter(|(_, ranks)| is_scattered(ranks)).collect()
    }

    fn let_go_of_broken_groups(&self, kept: &mut [Option<Address>]) {
        for ranks in self.groups().into_values() {
            if ranks.iter().any(|&rank| kept[rank].is_none()) {
                ranks.into_iter().for_each(|rank| kept[rank] = None);
            }
        }
    }

    /// Places what is not kept.
    pub(crate) fn arrange(
        &self,
        kept: &[Option<Address>],
        strategy: Strategy,
    ) -> Result<Arrangement, PlanError> {
        let mut kept = kept.to_vec();
        for _ in 0..NEAR_ROUNDS_MAX {
            let arrangement = self.arrange_once(&kept, strategy)?;
            let too_far = |&rank: &usize| {
                let item = &self.items[rank];
                let movable = kept[rank].is_some() && item.fixed.is_none();
                movable && self.is_too_far(rank, &arrangement.places)
            };
            let far: Vec<usize> = (0..self.items.len()).filter(too_far).collect();
            if far.is_empty() {
                return Ok(arrangement);
            }
            far.into_iter().for_each(|rank| kept[rank] = None);
        }
        self.arrange_once(&kept, strategy)
    }

    fn is_too_far(&self, rank: usize, places: &[Option<(Address, u64)>]) -> bool {
        let item = &self.items[rank];
        let own = places[rank].and_then(|(base, _)| AddressRange::sized(base, item.bytes));
        let (Some(near), Some(own)) = (item.near, own) else { return false };
        let window = self.range_of(near, places).and_then(window_around);
        window.is_some_and(|window| !window.contains_range(own))
    }

    /// Returns where a file lies that others must be near.
    fn range_of(&self, path: &str, places: &[Option<(Address, u64)>]) -> Option<AddressRange> {
        let rank = self.items.iter().position(|item| self.member(item).path == path);
        if let Some(rank) = rank {
            return AddressRange::sized(places[rank]?.0, self.items[rank].bytes);
        }
        let member =
            self.request.members.iter().find(|member| member.path == path).map(|it| (it.base, it.size));
        let obstacle = self.obstacles.iter().find(|it| it.path == path).map(|it| (it.base, it.size));
        let (base, size) = member.or(obstacle)?;
        AddressRange::sized(base, size)
    }

    fn arrange_once(&self, kept: &[Option<Address>], strategy: Strategy) -> Result<Arrangement, PlanError> {
        let mut places = self.kept_places(kept, strategy);
        let mut units = self.units(kept);
        // What others must be near goes first, then what must be near it, then groups' and single files' turn.
        let (near, mut free): (Vec<_>, Vec<_>) =
            units.drain(..).partition(|unit| unit.iter().any(|&rank| self.items[rank].near.is_some()));
        let is_anchor = |unit: &Vec<usize>| {
            let path = |&rank: &usize| &self.member(&self.items[rank]).path;
            near.iter().flatten().any(|&it| unit.iter().any(|rank| self.items[it].near == Some(path(rank))))
        };
        let anchors: Vec<_> =
            if near.is_empty() { Vec::new() } else { free.extract_if(.., |unit| is_anchor(unit)).collect() };
        for unit in anchors.into_iter().chain(near) {
            let window = self.window_of(&unit, &places)?;
            let bytes = self.unit_bytes(&unit, strategy);
            let taken = self.taken(&places);
            if let Some(base) = find_within(&self.space.segments, &taken, window, bytes) {
                self.put(&unit, base, strategy, &mut places);
            }
        }
        if strategy.leave_large {
            self.leave_out_large(&mut free, &places);
        }
        free.sort_by_cached_key(|unit| self.rank_of(unit, strategy));
        let mut holes = Holes::new(&self.space.segments, &self.taken(&places));
        for unit in free {
            let bytes = self.unit_bytes(&unit, strategy);
            let used = strategy.by_use && unit.iter().any(|&rank| self.items[rank].uses > 0);
            let base = if used { holes.take_first(bytes) } else { holes.take_best(bytes) };
            if let Some(base) = base {
                self.put(&unit, base, strategy, &mut places);
            }
        }
        let unplaced = self.items.iter().zip(&places).filter(|(_, place)| place.is_none());
        let unplaced_bytes = unplaced.map(|(item, _)| item.bytes).fold(0, u64::saturating_add);
        Ok(Arrangement { shares: vec![false; places.len()], places, unplaced_bytes })
    }

    /// Takes the largest single files away until the others fit, and the largest of those taken beside them.
    fn leave_out_large(&self, units: &mut Vec<Vec<usize>>, places: &[Option<(Address, u64)>]) {
        let taken = self.taken(places);
        let segments = self.space.segments.iter();
        let room: u64 = segments.flat_map(|it| subtract(it.range, &taken)).map(AddressRange::size).sum();
        let bytes = |unit: &Vec<usize>| self.unit_bytes(unit, Strategy::FOR_SHARING);
        let mut wanted: u64 = units.iter().map(bytes).sum();
        units.sort_by_key(|unit| (unit.len() == 1, bytes(unit)));
        let largest = units.last().filter(|unit| unit.len() == 1).map_or(0, bytes);
        // A hundredth of the room is allowed to be lost between files.
        while wanted.saturating_add(largest) > room - room / 100
            && units.last().is_some_and(|it| it.len() == 1)
        {
            wanted -= units.pop().as_ref().map_or(0, bytes);
        }
    }

    /// Returns the places of what stays, with as much of its slack as its neighbours leave.
    fn kept_places(&self, kept: &[Option<Address>], strategy: Strategy) -> Vec<Option<(Address, u64)>> {
        let mut starts: Vec<Address> = self.occupied.iter().map(|range| range.start).collect();
        starts.extend(kept.iter().flatten());
        starts.sort_unstable();
        let place = |(rank, base): (usize, &Option<Address>)| {
            let (base, item) = ((*base)?, &self.items[rank]);
            let wanted = if strategy.with_slack { item.slot } else { item.bytes };
            let wanted = wanted.max(if item.fixed.is_some() { item.bytes } else { item.kept_bytes() });
            let next = starts.get(starts.partition_point(|&start| start <= base));
            let room = next.map_or(u64::MAX, |next| next.get() - base.get());
            let mut slot = wanted.min(room & !0xffff).max(item.bytes);
            if self.space.objection_to(base, slot).is_some() {
                slot = item.bytes;
            }
            Some((base, slot))
        };
        kept.iter().enumerate().map(place).collect()
    }

    /// Returns what is to be placed: single files, and groups whole.
    fn units(&self, kept: &[Option<Address>]) -> Vec<Vec<usize>> {
        let mut units: Vec<Vec<usize>> = Vec::new();
        for (rank, item) in self.items.iter().enumerate() {
            // Who shared before keeps to that, unless it is planned without sharing now.
            let shares = self.request.options.share && item.known.is_some_and(|entry| entry.shares);
            if kept[rank].is_none() && item.group.is_none() && !shares {
                units.push(vec![rank]);
            }
        }
        units.extend(self.groups().into_values().filter(|ranks| kept[ranks[0]].is_none()));
        units
    }

    fn slot_of(&self, rank: usize, strategy: Strategy) -> u64 {
        if strategy.with_slack { self.items[rank].slot } else { self.items[rank].bytes }
    }

    fn unit_bytes(&self, unit: &[usize], strategy: Strategy) -> u64 {
        unit.iter().map(|&rank| self.slot_of(rank, strategy)).fold(0, u64::saturating_add)
    }

    /// Orders units: by how often they are used (in powers of two, so that sizes still pack well), then large before
    /// small, then what many import, then by path.
    fn rank_of(&self, unit: &[usize], strategy: Strategy) -> impl Ord + use<> {
        let uses = unit.iter().map(|&rank| self.items[rank].uses).max().unwrap_or(0);
        let class = if strategy.by_use { (uses + 1).ilog2() } else { 0 };
        let importers = unit.iter().map(|&rank| self.items[rank].importers).max().unwrap_or(0);
        let path = self.member(&self.items[unit[0]]).path.clone();
        let descending = std::cmp::Reverse((class, self.unit_bytes(unit, strategy), importers));
        (descending, path)
    }

    fn taken(&self, places: &[Option<(Address, u64)>]) -> Vec<AddressRange> {
        let own = places.iter().flatten().filter_map(|&(base, slot)| AddressRange::sized(base, slot));
        union(own.chain(self.occupied.iter().copied()).collect())
    }

    fn put(&self, unit: &[usize], base: Address, strategy: Strategy, places: &mut [Option<(Address, u64)>]) {
        let mut base = base;
        for &rank in unit {
            let slot = self.slot_of(rank, strategy);
            places[rank] = Some((base, slot));
            base = Address::new(base.get() + slot);
        }
    }

    /// Returns where a unit may lie: everywhere, or near what its files must be near.
    fn window_of(
        &self,
        unit: &[usize],
        places: &[Option<(Address, u64)>],
    ) -> Result<AddressRange, PlanError> {
        let mut window = AddressRange { start: Address::ZERO, end: Address::new(u64::MAX) };
        for item in unit.iter().map(|&rank| &self.items[rank]) {
            let Some(near) = item.near else { continue };
            let is_known = self.request.members.iter().any(|member| member.path == near)
                || self.obstacles.iter().any(|it| it.path == near);
            if !is_known {
                let path = self.member(item).path.clone();
                return Err(PlanError::UnknownNear { path, near: near.to_owned() });
            }
            if let Some(around) = self.range_of(near, places).and_then(window_around) {
                let nothing = AddressRange { start: window.start, end: window.start };
                window = window.intersection(around).unwrap_or(nothing);
            }
        }
        Ok(window)
    }
}

/// Returns where an image must lie so that each of its bytes is near each byte of `anchor`.
fn window_around(anchor: AddressRange) -> Option<AddressRange> {
    let start = Address::new(anchor.end.get().saturating_sub(NEAR_BYTES));
    let end = Address::new(anchor.start.get().saturating_add(NEAR_BYTES));
    AddressRange::new(start, end)
}

/// Says how much it is worth that a file stays: what the database knows and what still fits its slot above all, then
/// each file alike, then use.
fn weight(item: &Item) -> u64 {
    let fits = item.known.is_some_and(|entry| item.bytes <= super::round_up(entry.slot).unwrap_or(0));
    let known = if fits { 1 << 42 } else { 0 };
    known + (1 << 21) + item.uses.min((1 << 20) - 1)
}
