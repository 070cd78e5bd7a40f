//! The simple list: every lookup walks it from the start.

use super::{Counts, Span, Structure};

/// A list in order.
#[derive(Clone, Debug, Default)]
pub struct SortedList {
    spans: Vec<Span>,
    counts: Counts,
}

impl SortedList {
    /// Walks to the first region that ends above `address`; returns its index and the comparisons made.
    fn walk(&self, address: u64) -> (usize, u64) {
        let index = self.spans.iter().position(|span| span.1 > address).unwrap_or(self.spans.len());
        (index, (index as u64 + 1).min(self.spans.len() as u64))
    }

    fn walk_to_update(&mut self, start: u64) -> usize {
        let (index, steps) = self.walk(start);
        self.counts.update_comparisons += steps;
        self.counts.nodes_visited += steps;
        index
    }
}

impl Structure for SortedList {
    fn name(&self) -> &'static str {
        "list"
    }

    fn insert(&mut self, span: Span) {
        self.counts.updates += 1;
        let index = self.walk_to_update(span.0);
        self.spans.insert(index, span);
    }

    fn remove(&mut self, start: u64) -> bool {
        self.counts.updates += 1;
        let index = self.walk_to_update(start);
        let found = self.spans.get(index).is_some_and(|span| span.0 == start);
        if found {
            self.spans.remove(index);
        }
        found
    }

    fn resize(&mut self, start: u64, span: Span) -> bool {
        let index = self.walk_to_update(start);
        match self.spans.get_mut(index).filter(|held| held.0 == start) {
            Some(held) => {
                *held = span;
                true
            }
            None => false,
        }
    }

    fn find(&mut self, address: u64) -> Option<Span> {
        let (index, steps) = self.walk(address);
        self.counts.lookups += 1;
        self.counts.comparisons += steps;
        self.counts.nodes_visited += steps;
        self.spans.get(index).copied()
    }

    fn spans(&self) -> Vec<Span> {
        self.spans.clone()
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn reset_counts(&mut self) {
        self.counts = Counts::default();
    }

    fn depth(&self) -> usize {
        self.spans.len()
    }
}
