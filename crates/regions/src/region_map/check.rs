//! What must hold for every tree after every change; for tests.

use super::node::{FANOUT, FEWEST, NONE, Node};
use super::tree::Tree;

impl<V> Tree<V> {
    /// Checks the whole tree; the error says what is wrong and where.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.root == NONE {
            let empty = self.height == 0 && self.len == 0 && self.leaves.used() + self.inners.used() == 0;
            return if empty { Ok(()) } else { Err("an empty tree keeps nodes".to_owned()) };
        }
        let mut level = vec![self.root];
        for height in (1..=self.height).rev() {
            let mut below = Vec::new();
            self.check_links(&level, |index| (self.inners[index].prev, self.inners[index].next))?;
            for &index in &level {
                self.check_inner(index, height)?;
                below.extend(self.inners[index].payloads().iter().map(|child| child.index));
            }
            level = below;
        }
        self.check_links(&level, |index| (self.leaves[index].prev, self.leaves[index].next))?;
        for &index in &level {
            check_entries(&self.leaves[index], index, index == self.root, 0)?;
        }
        self.check_counts(&level)
    }

    fn check_inner(&self, index: u32, height: usize) -> Result<(), String> {
        let node = &self.inners[index];
        check_entries(node, index, index == self.root && height == self.height, 2)?;
        for (slot, child) in node.payloads().iter().enumerate() {
            let (range, now) = self.describe(child.index, height - 1);
            if (node.range(slot), *child) != (range, now) {
                let said = node.range(slot);
                return Err(format!("inner {index} says {said:?} {child:?}, but it is {range:?} {now:?}"));
            }
        }
        Ok(())
    }

    fn check_links(&self, level: &[u32], links: impl Fn(u32) -> (u32, u32)) -> Result<(), String> {
        let mut prev = NONE;
        for (i, &index) in level.iter().enumerate() {
            let wanted = (prev, level.get(i + 1).copied().unwrap_or(NONE));
            if links(index) != wanted {
                return Err(format!("node {index} has links {:?}, not {wanted:?}", links(index)));
            }
            prev = index;
        }
        Ok(())
    }

    fn check_counts(&self, leaves: &[u32]) -> Result<(), String> {
        let regions: usize = leaves.iter().map(|&index| self.leaves[index].len()).sum();
        if regions != self.len || leaves.len() != self.leaves.used() {
            let (used, len) = (self.leaves.used(), self.len);
            return Err(format!("{regions} regions in {} leaves, not {len} in {used}", leaves.len()));
        }
        Ok(())
    }
}

/// Checks that a node is full enough, sorted and without overlap; `fewest` holds for the root.
fn check_entries<P>(node: &Node<P>, index: u32, is_root: bool, fewest: usize) -> Result<(), String> {
    let fewest = if is_root { fewest } else { FEWEST };
    if !(fewest..=FANOUT).contains(&node.len()) {
        return Err(format!("node {index} has {} entries", node.len()));
    }
    let ranges = || (0..node.len()).map(|slot| node.range(slot));
    if let Some(range) = ranges().find(|range| range.start >= range.end) {
        return Err(format!("node {index} holds the empty {range:?}"));
    }
    match ranges().zip(ranges().skip(1)).find(|(lower, upper)| lower.end > upper.start) {
        Some((lower, upper)) => Err(format!("node {index} holds {lower:?} and {upper:?}")),
        None => Ok(()),
    }
}
