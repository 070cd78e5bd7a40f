//! A B+tree of regions that knows the largest gap below every node.
//!
//! Leaves hold regions, inner nodes hold for each child its extent and the largest gap *inside* it.
//! The gap between two children follows from their extents, so a change touches one path only.
//!
//! Key types: [`Tree`], [`Path`], [`Spot`].

use super::granule::Granule;
use super::node::{Arena, FEWEST, NONE, Node};
use crate::{Address, AddressRange};

/// Most levels of inner nodes: with at least 8 children each (2 in the root), 12 levels exceed 2^32 leaves.
const LEVELS: usize = 12;

const _: () = assert!(FEWEST >= 8, "the number of levels follows from it");

/// A child of an inner node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) index: u32,
    /// The largest gap between two regions below, in bytes of whole granules.
    pub(super) gap: u64,
}

/// The place of a region: a leaf and a slot in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) leaf: u32,
    pub(super) slot: usize,
}

/// The way from the root to a spot; good until the shape of the tree changes.
pub(super) struct Path {
    /// From the root down: an inner node and the slot of the child that the way goes through.
    steps: [(u32, u32); LEVELS],
    pub(super) spot: Spot,
}

impl Path {
    fn step(&self, level: usize) -> (u32, usize) {
        let (node, slot) = self.steps[level];
        (node, slot as usize)
    }
}

/// Disjoint regions in ascending order, found by address and by the gaps between them.
#[derive(Clone)]
pub(super) struct Tree<V> {
    pub(super) granule: Granule,
    pub(super) root: u32,
    /// The number of inner levels: 0 when the root is a leaf.
    pub(super) height: usize,
    pub(super) len: usize,
    pub(super) leaves: Arena<V>,
    pub(super) inners: Arena<Child>,
}

impl<V> Tree<V> {
    pub(super) fn new(granule: Granule) -> Self {
        Self { granule, root: NONE, height: 0, len: 0, leaves: Arena::new(), inners: Arena::new() }
    }

    /// Returns the region at `spot`, or `None` past the end of its leaf.
    pub(super) fn at(&self, spot: Spot) -> Option<(AddressRange, &V)> {
        self.leaves[spot.leaf].entry(spot.slot)
    }

    /// Returns the first region that ends above `address`.
    pub(super) fn find(&self, address: Address) -> Option<Spot> {
        if self.root == NONE {
            return None;
        }
        let mut index = self.root;
        for _ in 0..self.height {
            let node = &self.inners[index];
            index = node.payloads().get(node.first_ending_above(address))?.index;
        }
        let leaf = &self.leaves[index];
        let slot = leaf.first_ending_above(address);
        (slot < leaf.len()).then_some(Spot { leaf: index, slot })
    }

    /// Returns the last region that starts below `address`.
    pub(super) fn find_below(&self, address: Address) -> Option<Spot> {
        let last = address.checked_sub(1)?;
        match self.find(last) {
            Some(spot) if self.at(spot).is_some_and(|(range, _)| range.start <= last) => Some(spot),
            Some(spot) => self.before(spot),
            None => self.last(),
        }
    }

    /// Returns the lowest region.
    pub(super) fn first(&self) -> Option<Spot> {
        self.find(Address::ZERO)
    }

    /// Returns the highest region.
    pub(super) fn last(&self) -> Option<Spot> {
        if self.root == NONE {
            return None;
        }
        let mut index = self.root;
        for _ in 0..self.height {
            index = self.inners[index].payloads().last()?.index;
        }
        Some(Spot { leaf: index, slot: self.leaves[index].len().checked_sub(1)? })
    }

    /// Returns the region after `spot`.
    pub(super) fn after(&self, spot: Spot) -> Option<Spot> {
        let leaf = &self.leaves[spot.leaf];
        if spot.slot + 1 < leaf.len() {
            return Some(Spot { slot: spot.slot + 1, ..spot });
        }
        (leaf.next != NONE).then_some(Spot { leaf: leaf.next, slot: 0 })
    }

    /// Returns the region before `spot`, which may be one past the last.
    pub(super) fn before(&self, spot: Spot) -> Option<Spot> {
        if spot.slot > 0 {
            return Some(Spot { slot: spot.slot - 1, ..spot });
        }
        let prev = self.leaves[spot.leaf].prev;
        (prev != NONE).then(|| Spot { leaf: prev, slot: self.leaves[prev].len().saturating_sub(1) })
    }

    /// Returns the way to the first region that ends above `address`, or to the slot past the last region.
    pub(super) fn path_to(&mut self, address: Address) -> Path {
        if self.root == NONE {
            self.root = self.leaves.add(Node::new());
        }
        let (mut index, mut steps) = (self.root, [(0, 0); LEVELS]);
        for step in &mut steps[..self.height] {
            let node = &self.inners[index];
            let slot = node.first_ending_above(address).min(node.len() - 1);
            *step = (index, slot as u32);
            index = node.payloads()[slot].index;
        }
        Path { steps, spot: Spot { leaf: index, slot: self.leaves[index].first_ending_above(address) } }
    }

    /// Returns the value at `spot`, to be changed.
    pub(super) fn value_mut(&mut self, spot: Spot) -> &mut V {
        self.leaves[spot.leaf].payload_mut(spot.slot)
    }

    /// Gives a region new bounds, which must not pass a neighbour, and a new value.
    pub(super) fn set(&mut self, path: &Path, range: AddressRange, value: V) {
        let Spot { leaf, slot } = path.spot;
        let node = &mut self.leaves[leaf];
        let same = node.range(slot) == range;
        *node.payload_mut(slot) = value;
        if !same {
            node.set_range(slot, range);
            self.settle(path, None);
        }
    }

    /// Cuts a region in two: the lower half stays, the upper half goes behind it.
    pub(super) fn cut(&mut self, path: &Path, lower: (AddressRange, V), upper: (AddressRange, V)) {
        let Spot { leaf, slot } = path.spot;
        let node = &mut self.leaves[leaf];
        node.set_range(slot, lower.0);
        *node.payload_mut(slot) = lower.1;
        self.put(path, slot + 1, upper);
    }

    /// Puts a region at the end of `path`, where it must fit.
    pub(super) fn insert_at(&mut self, path: &Path, range: AddressRange, value: V) {
        self.put(path, path.spot.slot, (range, value));
    }

    fn put(&mut self, path: &Path, slot: usize, (range, value): (AddressRange, V)) {
        let added = self.leaves.put(path.spot.leaf, slot, range, value);
        self.len += 1;
        self.settle(path, added);
    }

    /// Returns what an inner node says about the node `index`, which has `height` inner levels.
    pub(super) fn describe(&self, index: u32, height: usize) -> (AddressRange, Child) {
        if height == 0 {
            let leaf = &self.leaves[index];
            return (leaf.extent(), Child { index, gap: leaf.largest_gap_between(self.granule) });
        }
        let node = &self.inners[index];
        let between = node.largest_gap_between(self.granule);
        let gap = node.payloads().iter().fold(between, |largest, child| largest.max(child.gap));
        (node.extent(), Child { index, gap })
    }

    /// Brings the entry `slot` of `node`, whose children have `height` inner levels, up to date; false when it was.
    fn refresh(&mut self, node: u32, slot: usize, height: usize) -> bool {
        let (range, child) = self.describe(self.inners[node].payloads()[slot].index, height);
        let entry = &mut self.inners[node];
        let same = entry.range(slot) == range && entry.payloads()[slot] == child;
        entry.set_range(slot, range);
        *entry.payload_mut(slot) = child;
        !same
    }

    /// Brings the inner nodes above a changed leaf up to date; `added` is a new neighbour above the leaf.
    fn settle(&mut self, path: &Path, mut added: Option<u32>) {
        for level in (0..self.height).rev() {
            let (node, slot) = path.step(level);
            let below = self.height - 1 - level;
            let changed = self.refresh(node, slot, below);
            added = match added {
                None if !changed => return,
                None => None,
                Some(new) => {
                    let (range, child) = self.describe(new, below);
                    self.inners.put(node, slot + 1, range, child)
                }
            };
        }
        if let Some(new) = added {
            let mut top = Node::new();
            for (slot, index) in [self.root, new].into_iter().enumerate() {
                let (range, child) = self.describe(index, self.height);
                top.insert(slot, range, child);
            }
            self.root = self.inners.add(top);
            self.height += 1;
        }
    }

    /// Takes the region at the end of `path` out.
    pub(super) fn remove_at(&mut self, path: &Path) -> (AddressRange, V) {
        let Spot { leaf, slot } = path.spot;
        let removed = self.leaves[leaf].remove(slot);
        self.len -= 1;
        if self.height == 0 && self.leaves[leaf].len() == 0 {
            self.leaves.release(leaf);
            self.root = NONE;
        }
        self.settle_shrunk(path);
        removed
    }

    fn settle_shrunk(&mut self, path: &Path) {
        let mut short = self.height > 0 && self.leaves[path.spot.leaf].len() < FEWEST;
        for level in (0..self.height).rev() {
            let (node, slot) = path.step(level);
            let below = self.height - 1 - level;
            if short {
                self.balance(node, slot.saturating_sub(1), below);
            } else if !self.refresh(node, slot, below) {
                return;
            }
            short = self.inners[node].len() < FEWEST;
        }
        while self.height > 0 && self.inners[self.root].len() == 1 {
            let top = self.root;
            self.root = self.inners[top].payloads()[0].index;
            self.inners.release(top);
            self.height -= 1;
        }
    }

    /// Balances the children `slot` and `slot + 1` of `node`, which have `height` inner levels.
    fn balance(&mut self, node: u32, slot: usize, height: usize) {
        let children = self.inners[node].payloads();
        let (left, right) = (children[slot].index, children[slot + 1].index);
        let joined = match height {
            0 => self.leaves.balance(left, right),
            _ => self.inners.balance(left, right),
        };
        self.refresh(node, slot, height);
        if joined {
            self.inners[node].remove(slot + 1);
        } else {
            self.refresh(node, slot + 1, height);
        }
    }
}
