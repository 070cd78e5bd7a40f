//! One node of the tree: a sorted array of ranges, each with what hangs below it.
//!
//! Key types: [`Node`], [`Arena`].

use std::ops::{Index, IndexMut};

use super::granule::Granule;
use crate::{Address, AddressRange};

/// Most entries of a node.
///
/// Measured with `examples/region_map_bench.rs`: 16 slows look-ups in large maps, 64 slows changes and searches.
pub(super) const FANOUT: usize = 32;

/// Fewest entries of a node below the root; so much below half that a map that breathes seldom rebalances.
pub(super) const FEWEST: usize = FANOUT / 4;

/// The index that no node has.
pub(super) const NONE: u32 = u32::MAX;

/// A sorted array of disjoint ranges with one payload each: a region's value in a leaf, a child above.
#[derive(Clone, Debug)]
pub(super) struct Node<P> {
    /// The node of the same level below, or [`NONE`].
    pub(super) prev: u32,
    /// The node of the same level above, or [`NONE`].
    pub(super) next: u32,
    starts: [Address; FANOUT],
    /// The highest address where there is no entry, so that a search need not ask how many there are.
    ends: [Address; FANOUT],
    payload: Vec<P>,
}

/// Ends that are searched at once: one cache line.
const LINE: usize = 8;

impl<P> Node<P> {
    /// Makes an empty node without neighbours.
    pub(super) fn new() -> Self {
        let (starts, ends) = ([Address::ZERO; FANOUT], [Address::MAX; FANOUT]);
        Self { prev: NONE, next: NONE, starts, ends, payload: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.payload.len()
    }

    pub(super) fn starts(&self) -> &[Address] {
        &self.starts[..self.len()]
    }

    pub(super) fn ends(&self) -> &[Address] {
        &self.ends[..self.len()]
    }

    pub(super) fn payloads(&self) -> &[P] {
        &self.payload
    }

    pub(super) fn range(&self, slot: usize) -> AddressRange {
        AddressRange { start: self.starts[slot], end: self.ends[slot] }
    }

    /// Returns the entry at `slot`, or `None` past the last one.
    pub(super) fn entry(&self, slot: usize) -> Option<(AddressRange, &P)> {
        Some((AddressRange { start: *self.starts.get(slot)?, end: self.ends[slot] }, self.payload.get(slot)?))
    }

    pub(super) fn payload_mut(&mut self, slot: usize) -> &mut P {
        &mut self.payload[slot]
    }

    pub(super) fn set_range(&mut self, slot: usize, range: AddressRange) {
        self.starts[slot] = range.start;
        self.ends[slot] = range.end;
    }

    /// Returns the slot of the first range that ends above `address`; the length when there is none.
    pub(super) fn first_ending_above(&self, address: Address) -> usize {
        // The last end of each line but the last one tells which line it is: loads that do not wait for each other.
        let lines = self.ends.chunks_exact(LINE).take(FANOUT / LINE - 1);
        let line: usize = lines.map(|line| usize::from(line[LINE - 1] <= address)).sum();
        let ends = self.ends.chunks_exact(LINE).nth(line).unwrap_or_default();
        let before: usize = ends.iter().map(|end| usize::from(*end <= address)).sum();
        // The highest address ends above nothing.
        (line * LINE + before).min(self.len())
    }

    /// Returns the number of ranges that start below `address`.
    pub(super) fn starting_below(&self, address: Address) -> usize {
        self.starts().partition_point(|start| *start < address)
    }

    /// Returns the range from the first byte to the last; empty for an empty node.
    pub(super) fn extent(&self) -> AddressRange {
        match self.len() {
            0 => AddressRange::default(),
            len => AddressRange { start: self.starts[0], end: self.ends[len - 1] },
        }
    }

    /// Returns the largest gap between two neighbours of this node, in bytes of whole granules.
    pub(super) fn largest_gap_between(&self, granule: Granule) -> u64 {
        let pairs = self.ends().iter().zip(self.starts().iter().skip(1));
        pairs.fold(0, |largest, (end, start)| largest.max(granule.room(*end, *start)))
    }

    /// Puts an entry at `slot` of a node that has room.
    pub(super) fn insert(&mut self, slot: usize, range: AddressRange, payload: P) {
        let len = self.len();
        self.starts.copy_within(slot..len, slot + 1);
        self.ends.copy_within(slot..len, slot + 1);
        self.set_range(slot, range);
        self.payload.insert(slot, payload);
    }

    /// Takes the entry at `slot` out.
    pub(super) fn remove(&mut self, slot: usize) -> (AddressRange, P) {
        let (len, range) = (self.len(), self.range(slot));
        self.starts.copy_within(slot + 1..len, slot);
        self.ends.copy_within(slot + 1..len, slot);
        self.ends[len - 1] = Address::MAX;
        (range, self.payload.remove(slot))
    }

    /// Moves the entries from slot `from` to the front of `right`, the neighbour above.
    fn move_tail(&mut self, from: usize, right: &mut Self) {
        let (len, old) = (self.len(), right.len());
        let moved = len - from;
        for (ours, theirs) in [(&self.starts, &mut right.starts), (&self.ends, &mut right.ends)] {
            theirs.copy_within(..old, moved);
            theirs[..moved].copy_from_slice(&ours[from..len]);
        }
        self.ends[from..len].fill(Address::MAX);
        right.payload.splice(..0, self.payload.drain(from..));
    }

    /// Moves the first `count` entries to the end of `left`, the neighbour below.
    fn move_head(&mut self, count: usize, left: &mut Self) {
        let (len, old) = (self.len(), left.len());
        for (ours, theirs) in [(&mut self.starts, &mut left.starts), (&mut self.ends, &mut left.ends)] {
            theirs[old..old + count].copy_from_slice(&ours[..count]);
            ours.copy_within(count..len, 0);
        }
        self.ends[len - count..len].fill(Address::MAX);
        left.payload.extend(self.payload.drain(..count));
    }
}

/// Nodes by index; freed places are used again.
#[derive(Clone, Debug)]
pub(super) struct Arena<P> {
    nodes: Vec<Node<P>>,
    free: Vec<u32>,
}

impl<P> Arena<P> {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), free: Vec::new() }
    }

    /// Returns the number of nodes in use.
    pub(super) fn used(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// Stores a node.
    pub(super) fn add(&mut self, node: Node<P>) -> u32 {
        if let Some(index) = self.free.pop() {
            self[index] = node;
            return index;
        }
        let index = u32::try_from(self.nodes.len()).expect("memory ends long before 2^32 nodes");
        self.nodes.push(node);
        index
    }

    /// Gives the place of a node back, with all that it holds.
    pub(super) fn release(&mut self, index: u32) {
        self[index] = Node::new();
        self.free.push(index);
    }

    /// Puts an entry into a node; a full node is cut first, and the new neighbour above is returned.
    pub(super) fn put(&mut self, at: u32, slot: usize, range: AddressRange, payload: P) -> Option<u32> {
        let node = &mut self[at];
        if node.len() < FANOUT {
            node.insert(slot, range, payload);
            return None;
        }
        // Whoever fills a map upward gets full nodes, not half-full ones.
        let appends = slot == FANOUT && node.next == NONE;
        let cut = if appends { FANOUT - FEWEST } else { FANOUT / 2 };
        let mut right = Node::new();
        node.move_tail(cut, &mut right);
        if slot <= cut {
            node.insert(slot, range, payload);
        } else {
            right.insert(slot - cut, range, payload);
        }
        let above = node.next;
        (right.prev, right.next) = (at, above);
        let new = self.add(right);
        self[at].next = new;
        if above != NONE {
            self[above].prev = new;
        }
        Some(new)
    }

    /// Makes one node of two neighbours, or shares their entries evenly; true when `right` is gone.
    pub(super) fn balance(&mut self, left: u32, right: u32) -> bool {
        let pair = self.nodes.get_disjoint_mut([left as usize, right as usize]);
        let [lower, upper] = pair.expect("two neighbours are two nodes of the arena");
        let total = lower.len() + upper.len();
        if total > FANOUT {
            let half = total / 2;
            if lower.len() > half {
                lower.move_tail(half, upper);
            } else {
                upper.move_head(half - lower.len(), lower);
            }
            return false;
        }
        upper.move_head(upper.len(), lower);
        lower.next = upper.next;
        let above = upper.next;
        if above != NONE {
            self[above].prev = left;
        }
        self.release(right);
        true
    }
}

impl<P> Index<u32> for Arena<P> {
    type Output = Node<P>;

    fn index(&self, index: u32) -> &Node<P> {
        &self.nodes[index as usize]
    }
}

impl<P> IndexMut<u32> for Arena<P> {
    fn index_mut(&mut self, index: u32) -> &mut Node<P> {
        &mut self.nodes[index as usize]
    }
}
