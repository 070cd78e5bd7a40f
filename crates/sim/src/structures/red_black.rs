//! Linux until 3.14: a list in order, a red-black tree beside it, and `mmap_cache`, the region of the last lookup.
//!
//! Source: Mauerer, Professional Linux Kernel Architecture, 4.4.1; red-black trees after Guibas and Sedgewick, 1978.

use super::{Counts, Span, Structure};

/// Index of a node; 0 is the black leaf that all share.
type Id = usize;
const NIL: Id = 0;

#[derive(Clone, Debug)]
struct Node {
    span: Span,
    red: bool,
    parent: Id,
    /// Left and right.
    child: [Id; 2],
    /// The neighbours in the list.
    next: Id,
    previous: Id,
}

/// List, red-black tree and the cache of one lookup.
#[derive(Clone, Debug)]
pub struct ListAndTree {
    nodes: Vec<Node>,
    free: Vec<Id>,
    root: Id,
    first: Id,
    cache: Id,
    with_cache: bool,
    counts: Counts,
}

impl ListAndTree {
    /// Makes an empty one, with the cache of the last lookup or without.
    pub fn new(with_cache: bool) -> Self {
        let nil = Node { span: (0, 0), red: false, parent: NIL, child: [NIL; 2], next: NIL, previous: NIL };
        Self {
            nodes: vec![nil],
            free: Vec::new(),
            root: NIL,
            first: NIL,
            cache: NIL,
            with_cache,
            counts: Counts::default(),
        }
    }

    fn side(&self, node: Id) -> usize {
        usize::from(self.nodes[self.nodes[node].parent].child[1] == node)
    }

    /// Moves `node` down to `side` and its other child up.
    fn rotate(&mut self, node: Id, side: usize) {
        self.counts.rotations += 1;
        let up = self.nodes[node].child[1 - side];
        let inner = self.nodes[up].child[side];
        self.nodes[node].child[1 - side] = inner;
        if inner != NIL {
            self.nodes[inner].parent = node;
        }
        self.transplant(node, up);
        self.nodes[up].child[side] = node;
        self.nodes[node].parent = up;
    }

    /// Puts `new` where `old` hangs.
    fn transplant(&mut self, old: Id, new: Id) {
        let parent = self.nodes[old].parent;
        if parent == NIL {
            self.root = new;
        } else {
            let side = self.side(old);
            self.nodes[parent].child[side] = new;
        }
        self.nodes[new].parent = parent;
    }

    fn repair_insertion(&mut self, mut node: Id) {
        while self.nodes[self.nodes[node].parent].red {
            let mut parent = self.nodes[node].parent;
            let grandparent = self.nodes[parent].parent;
            let side = self.side(parent);
            let uncle = self.nodes[grandparent].child[1 - side];
            if self.nodes[uncle].red {
                self.nodes[parent].red = false;
                self.nodes[uncle].red = false;
                self.nodes[grandparent].red = true;
                node = grandparent;
                continue;
            }
            if self.side(node) != side {
                node = parent;
                self.rotate(node, side);
                parent = self.nodes[node].parent;
            }
            self.nodes[parent].red = false;
            self.nodes[grandparent].red = true;
            self.rotate(grandparent, 1 - side);
        }
        let root = self.root;
        self.nodes[root].red = false;
    }

    fn repair_removal(&mut self, mut node: Id) {
        while node != self.root && !self.nodes[node].red {
            let parent = self.nodes[node].parent;
            let side = self.side(node);
            let mut sibling = self.nodes[parent].child[1 - side];
            if self.nodes[sibling].red {
                self.nodes[sibling].red = false;
                self.nodes[parent].red = true;
                self.rotate(parent, side);
                sibling = self.nodes[parent].child[1 - side];
            }
            let [near, far] = [self.nodes[sibling].child[side], self.nodes[sibling].child[1 - side]];
            if !self.nodes[near].red && !self.nodes[far].red {
                self.nodes[sibling].red = true;
                node = parent;
                continue;
            }
            if !self.nodes[far].red {
                self.nodes[near].red = false;
                self.nodes[sibling].red = true;
                self.rotate(sibling, 1 - side);
                sibling = self.nodes[parent].child[1 - side];
            }
            self.nodes[sibling].red = self.nodes[parent].red;
            self.nodes[parent].red = false;
            let far = self.nodes[sibling].child[1 - side];
            self.nodes[far].red = false;
            self.rotate(parent, side);
            node = self.root;
        }
        self.nodes[node].red = false;
    }

    fn take_out(&mut self, node: Id) {
        let [left, right] = self.nodes[node].child;
        let mut was_red = self.nodes[node].red;
        let hole = if left == NIL || right == NIL {
            let only = if left == NIL { right } else { left };
            self.transplant(node, only);
            only
        } else {
            let heir = self.nodes[node].next;
            was_red = self.nodes[heir].red;
            let hole = self.nodes[heir].child[1];
            if self.nodes[heir].parent == node {
                self.nodes[hole].parent = heir;
            } else {
                self.transplant(heir, hole);
                self.nodes[heir].child[1] = right;
                self.nodes[right].parent = heir;
            }
            self.transplant(node, heir);
            self.nodes[heir].child[0] = left;
            self.nodes[left].parent = heir;
            self.nodes[heir].red = self.nodes[node].red;
            hole
        };
        if !was_red {
            self.repair_removal(hole);
        }
        self.nodes[NIL].parent = NIL;
    }

    fn locate(&mut self, start: u64) -> Id {
        let mut at = self.root;
        while at != NIL && self.nodes[at].span.0 != start {
            self.counts.update_comparisons += 1;
            self.counts.nodes_visited += 1;
            at = self.nodes[at].child[usize::from(start > self.nodes[at].span.0)];
        }
        at
    }

    fn link(&mut self, node: Id, parent: Id, side: usize) {
        if parent == NIL {
            self.root = node;
            self.first = node;
            return;
        }
        self.nodes[parent].child[side] = node;
        let (previous, next) = match side {
            0 => (self.nodes[parent].previous, parent),
            _ => (parent, self.nodes[parent].next),
        };
        self.nodes[node].previous = previous;
        self.nodes[node].next = next;
        if previous == NIL {
            self.first = node;
        } else {
            self.nodes[previous].next = node;
        }
        if next != NIL {
            self.nodes[next].previous = node;
        }
    }

    fn search(&mut self, address: u64) -> Id {
        let (mut at, mut best) = (self.root, NIL);
        while at != NIL {
            let span = self.nodes[at].span;
            self.counts.nodes_visited += 1;
            self.counts.comparisons += 1;
            if span.1 <= address {
                at = self.nodes[at].child[1];
                continue;
            }
            best = at;
            self.counts.comparisons += 1;
            if span.0 <= address {
                break;
            }
            at = self.nodes[at].child[0];
        }
        best
    }

    /// Lists the tree's nodes in the order of addresses: region, depth from 1, and whether the node is red.
    pub fn shape(&self) -> Vec<(Span, usize, bool)> {
        let mut nodes = Vec::new();
        self.shape_below(self.root, 1, &mut nodes);
        nodes
    }

    fn shape_below(&self, at: Id, depth: usize, nodes: &mut Vec<(Span, usize, bool)>) {
        if at != NIL {
            let [left, right] = self.nodes[at].child;
            self.shape_below(left, depth + 1, nodes);
            nodes.push((self.nodes[at].span, depth, self.nodes[at].red));
            self.shape_below(right, depth + 1, nodes);
        }
    }

    /// Checks colours and order, for tests: returns the number of black nodes on every way down.
    #[cfg(test)]
    pub(super) fn black_height(&self, node: Id) -> Result<usize, String> {
        if node == NIL {
            return Ok(1);
        }
        let [left, right] = self.nodes[node].child;
        if self.nodes[node].red && (self.nodes[left].red || self.nodes[right].red) {
            return Err(format!("two red nodes in a row at {:x?}", self.nodes[node].span));
        }
        let (a, b) = (self.black_height(left)?, self.black_height(right)?);
        if a != b {
            return Err(format!("{a} and {b} black nodes below {:x?}", self.nodes[node].span));
        }
        Ok(a + usize::from(!self.nodes[node].red))
    }

    #[cfg(test)]
    pub(super) fn root(&self) -> Id {
        self.root
    }
}

impl Structure for ListAndTree {
    fn name(&self) -> &'static str {
        if self.with_cache { "list + red-black tree + mmap_cache" } else { "list + red-black tree" }
    }

    fn insert(&mut self, span: Span) {
        self.counts.updates += 1;
        let (mut parent, mut side, mut at) = (NIL, 0, self.root);
        while at != NIL {
            self.counts.update_comparisons += 1;
            self.counts.nodes_visited += 1;
            parent = at;
            side = usize::from(span.0 > self.nodes[at].span.0);
            at = self.nodes[at].child[side];
        }
        let node = Node { span, red: true, parent, child: [NIL; 2], next: NIL, previous: NIL };
        let id = match self.free.pop() {
            Some(id) => {
                self.nodes[id] = node;
                id
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        self.link(id, parent, side);
        self.repair_insertion(id);
    }

    fn remove(&mut self, start: u64) -> bool {
        self.counts.updates += 1;
        let node = self.locate(start);
        if node == NIL {
            return false;
        }
        self.take_out(node);
        let (previous, next) = (self.nodes[node].previous, self.nodes[node].next);
        if previous == NIL {
            self.first = next;
        } else {
            self.nodes[previous].next = next;
        }
        if next != NIL {
            self.nodes[next].previous = previous;
        }
        if self.cache == node {
            // Linux lets the cache point at the region before, which is as likely to be next.
            self.cache = previous;
        }
        self.free.push(node);
        true
    }

    fn resize(&mut self, start: u64, span: Span) -> bool {
        let node = self.locate(start);
        if node != NIL {
            self.nodes[node].span = span;
        }
        node != NIL
    }

    fn find(&mut self, address: u64) -> Option<Span> {
        self.counts.lookups += 1;
        if self.with_cache && self.cache != NIL {
            let span = self.nodes[self.cache].span;
            self.counts.comparisons += 2;
            self.counts.nodes_visited += 1;
            if span.0 <= address && address < span.1 {
                self.counts.cache_hits += 1;
                return Some(span);
            }
        }
        let found = self.search(address);
        if found != NIL {
            self.cache = found;
        }
        (found != NIL).then(|| self.nodes[found].span)
    }

    fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut at = self.first;
        while at != NIL {
            spans.push(self.nodes[at].span);
            at = self.nodes[at].next;
        }
        spans
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn reset_counts(&mut self) {
        self.counts = Counts::default();
    }

    fn depth(&self) -> usize {
        fn depth(tree: &ListAndTree, at: Id) -> usize {
            if at == NIL {
                return 0;
            }
            let [left, right] = tree.nodes[at].child;
            1 + depth(tree, left).max(depth(tree, right))
        }
        depth(self, self.root)
    }
}
