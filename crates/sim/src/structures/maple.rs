//! A range B-tree like Linux's maple tree: 16 slots in a leaf, 10 children in an inner node; a gap takes a slot too.
//!
//! What is modelled: the shape, the search and the splits. Not modelled: RCU, the gap index, in-place stores.
//!
//! Source: Linux, Documentation/core-api/maple_tree.rst, and include/linux/maple_tree.h (`MAPLE_RANGE64_SLOTS` 16,
//! `MAPLE_ARANGE64_SLOTS` 10).

use super::{Counts, Span, Structure};

const LEAF_SLOTS: usize = 16;
const INNER_SLOTS: usize = 10;

#[derive(Clone, Debug)]
enum Node {
    Leaf(Vec<Span>),
    /// The last address below each child, and the child; the last pivot is the end of all.
    Inner(Vec<(u64, Node)>),
}

/// A range B-tree.
#[derive(Clone, Debug)]
pub struct MapleTree {
    root: Node,
    counts: Counts,
}

impl Default for MapleTree {
    fn default() -> Self {
        Self { root: Node::Leaf(Vec::new()), counts: Counts::default() }
    }
}

/// Counts the slots that regions take, with the gaps before each.
fn slots(spans: &[Span]) -> usize {
    let gaps = spans.windows(2).filter(|pair| pair[0].1 != pair[1].0).count();
    spans.len() + gaps + usize::from(!spans.is_empty())
}

impl Node {
    fn is_overfull(&self) -> bool {
        match self {
            Self::Leaf(spans) => slots(spans) > LEAF_SLOTS,
            Self::Inner(children) => children.len() > INNER_SLOTS,
        }
    }

    fn is_sparse(&self) -> bool {
        match self {
            Self::Leaf(spans) => slots(spans) < LEAF_SLOTS / 2,
            Self::Inner(children) => children.len() < INNER_SLOTS / 2,
        }
    }

    /// Cuts the node in two; returns the last address of the lower half and the upper half.
    fn split(&mut self) -> Option<(u64, Node)> {
        match self {
            Self::Leaf(spans) => {
                let upper = spans.split_off(spans.len() / 2);
                Some((spans.last()?.1 - 1, Self::Leaf(upper)))
            }
            Self::Inner(children) => {
                let upper = children.split_off(children.len() / 2);
                Some((children.last()?.0, Self::Inner(upper)))
            }
        }
    }

    /// Appends what the next node of the same level holds.
    fn absorb(&mut self, next: Node) {
        match (self, next) {
            (Self::Leaf(own), Self::Leaf(mut other)) => own.append(&mut other),
            (Self::Inner(own), Self::Inner(mut other)) => own.append(&mut other),
            // Nodes of one parent are of one level.
            _ => {}
        }
    }

    /// Changes the leaf that is responsible for `start`, and restores the shape on the way back.
    fn change(&mut self, start: u64, counts: &mut Counts, change: &mut dyn FnMut(&mut Vec<Span>)) {
        counts.nodes_visited += 1;
        let children = match self {
            Self::Leaf(spans) => return change(spans),
            Self::Inner(children) => children,
        };
        let index = children.iter().position(|(last, _)| start <= *last).unwrap_or(children.len() - 1);
        counts.update_comparisons += index as u64 + 1;
        children[index].1.change(start, counts, change);
        // A region may reach past the pivot that was its neighbour's when the node was split.
        children[index].0 = children[index].0.max(children[index].1.last_address());
        if children[index].1.is_overfull() {
            let last = children[index].0;
            if let Some((middle, upper)) = children[index].1.split() {
                counts.node_splits += 1;
                children[index].0 = middle;
                children.insert(index + 1, (last, upper));
            }
        } else if children[index].1.is_sparse() && children.len() > 1 {
            let lower = index.min(children.len() - 2);
            let (last, next) = children.remove(lower + 1);
            children[lower].0 = last;
            children[lower].1.absorb(next);
            counts.node_splits += 1;
            if children[lower].1.is_overfull()
                && let Some((middle, upper)) = children[lower].1.split()
            {
                children[lower].0 = middle;
                children.insert(lower + 1, (last, upper));
            }
        }
    }

    /// Finds the first region that ends above `address`; pivots and spans are compared from the first on, as Linux does.
    fn find(&self, address: u64, counts: &mut Counts) -> Option<Span> {
        counts.nodes_visited += 1;
        match self {
            Self::Leaf(spans) => {
                let index = spans.iter().position(|span| span.1 > address);
                counts.comparisons += index.map_or(spans.len(), |index| index + 1) as u64;
                index.map(|index| spans[index])
            }
            Self::Inner(children) => {
                let index = children.iter().position(|(last, _)| address <= *last)?;
                counts.comparisons += index as u64 + 1;
                let below = children[index].1.find(address, counts);
                // Nothing above in this child: the first of the next.
                below.or_else(|| {
                    children[index + 1..].iter().find_map(|(_, child)| child.find(address, counts))
                })
            }
        }
    }

    fn last_address(&self) -> u64 {
        match self {
            Self::Leaf(spans) => spans.last().map_or(0, |span| span.1 - 1),
            Self::Inner(children) => children.last().map_or(0, |(_, child)| child.last_address()),
        }
    }

    fn collect(&self, out: &mut Vec<Span>) {
        match self {
            Self::Leaf(spans) => out.extend(spans),
            Self::Inner(children) => children.iter().for_each(|(_, child)| child.collect(out)),
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Inner(children) => 1 + children.first().map_or(0, |(_, child)| child.depth()),
        }
    }
}

impl MapleTree {
    fn update(&mut self, start: u64, mut change: impl FnMut(&mut Vec<Span>)) {
        self.root.change(start, &mut self.counts, &mut change);
        if self.root.is_overfull()
            && let Some((middle, upper)) = self.root.split()
        {
            self.counts.node_splits += 1;
            let lower = std::mem::replace(&mut self.root, Node::Leaf(Vec::new()));
            self.root = Node::Inner(vec![(middle, lower), (u64::MAX, upper)]);
        }
        while let Node::Inner(children) = &mut self.root
            && children.len() == 1
            && let Some((_, only)) = children.pop()
        {
            self.root = only;
        }
    }

    fn with(&mut self, start: u64, mut change: impl FnMut(&mut Vec<Span>, usize)) -> bool {
        let mut found = false;
        self.update(start, |spans| {
            if let Ok(index) = spans.binary_search_by_key(&start, |span| span.0) {
                found = true;
                change(spans, index);
            }
        });
        found
    }
}

impl Structure for MapleTree {
    fn name(&self) -> &'static str {
        "maple-like B-tree"
    }

    fn insert(&mut self, span: Span) {
        self.counts.updates += 1;
        self.update(span.0, |spans| {
            let index = spans.partition_point(|held| held.0 < span.0);
            spans.insert(index, span);
        });
    }

    fn remove(&mut self, start: u64) -> bool {
        self.counts.updates += 1;
        self.with(start, |spans, index| {
            spans.remove(index);
        })
    }

    fn resize(&mut self, start: u64, span: Span) -> bool {
        if span.0 == start {
            return self.with(start, |spans, index| spans[index] = span);
        }
        // A new start may belong to another leaf.
        let found = self.with(start, |spans, index| {
            spans.remove(index);
        });
        if found {
            self.update(span.0, |spans| spans.insert(spans.partition_point(|held| held.0 < span.0), span));
        }
        found
    }

    fn find(&mut self, address: u64) -> Option<Span> {
        self.counts.lookups += 1;
        self.root.find(address, &mut self.counts)
    }

    fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        self.root.collect(&mut spans);
        spans
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn reset_counts(&mut self) {
        self.counts = Counts::default();
    }

    fn depth(&self) -> usize {
        self.root.depth()
    }
}
