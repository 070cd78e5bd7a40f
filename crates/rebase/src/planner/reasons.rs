//! Why a file is moved.

use plat_regions::{Address, AddressRange};

use super::arrange::Arrangement;
use super::space::round_up;
use super::{Fleet, Item};
use crate::plan::{Obstacle, Reason};

/// Says whether an obstacle takes a byte of a range.
pub(crate) fn lies_in(obstacle: &Obstacle, range: AddressRange) -> bool {
    round_up(obstacle.size)
        .and_then(|bytes| AddressRange::sized(obstacle.base, bytes))
        .is_some_and(|own| own.overlaps(range))
}

/// What the reasons are told from.
pub(crate) struct Reasons<'a> {
    fleet: &'a Fleet<'a>,
    chosen: &'a Arrangement,
    kept: &'a [Option<Address>],
    /// Those that stay, by address.
    staying: Vec<(AddressRange, usize)>,
}

impl Fleet<'_> {
    pub(crate) fn reasons<'a>(&'a self, chosen: &'a Arrangement, kept: &'a [Option<Address>]) -> Reasons<'a> {
        let mut staying = Vec::new();
        for (rank, base) in kept.iter().enumerate() {
            let place = chosen.places[rank].filter(|place| Some(place.0) == *base);
            if let Some((base, slot)) = place {
                staying.extend(AddressRange::sized(base, slot).map(|range| (range, rank)));
            }
        }
        staying.sort_unstable();
        Reasons { fleet: self, chosen, kept, staying }
    }
}

impl Reasons<'_> {
    /// Returns why the file of this rank does not have the base that it had.
    pub(crate) fn of(&self, rank: usize) -> Reason {
        let item = &self.fleet.items[rank];
        if self.chosen.shares[rank] {
            return Reason::Shares;
        }
        if let Some(base) = item.fixed {
            return Reason::Constraint(format!("fixed at {base}"));
        }
        let place = self.chosen.places[rank].map(|(base, _)| base);
        if place.is_some() && place == self.kept[rank] {
            return Reason::Returns;
        }
        if self.fleet.request.options.repack {
            return Reason::Repacked;
        }
        if let Some(entry) = item.known {
            if round_up(entry.slot).unwrap_or(0) < item.bytes {
                return Reason::Grew { slot: entry.slot };
            }
        } else if !self.fleet.request.known.is_empty() {
            return Reason::New;
        }
        self.what_was_wrong(item)
    }

    fn what_was_wrong(&self, item: &Item) -> Reason {
        let base = item.desired.unwrap_or(self.fleet.member(item).base);
        if let Some(objection) = self.fleet.space.objection_to(base, item.bytes) {
            return Reason::Reserved(objection);
        }
        if let Some(range) = AddressRange::sized(base, item.bytes) {
            let after = self.staying.partition_point(|(other, _)| other.start < range.end);
            // Those that stay do not overlap: the last one that begins before the range's end is the only candidate that
            // could be met from below.
            let met = self.staying[..after].last().filter(|(other, _)| other.overlaps(range));
            if let Some(&(_, other)) = met {
                return Reason::Collided(self.fleet.member(&self.fleet.items[other]).path.clone());
            }
            if let Some(it) = self.fleet.obstacles.iter().find(|it| lies_in(it, range)) {
                return Reason::Collided(it.path.clone());
            }
        }
        match (item.near, item.group) {
            (Some(near), _) => Reason::Constraint(format!("within 2 GiB of {near}")),
            (None, Some(group)) => Reason::Constraint(format!("together with the group {group}")),
            (None, None) => Reason::New,
        }
    }
}
