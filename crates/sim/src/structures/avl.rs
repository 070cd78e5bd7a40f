//! A height-balanced tree (Adelson-Velsky and Landis) of regions, as Windows keeps its virtual address descriptors.
//!
//! Source: Windows Internals, 6th edition, part 2, "Virtual Address Descriptors": "a self-balancing AVL tree".

use super::{Counts, Span, Structure};

#[derive(Clone, Debug)]
struct Node {
    span: Span,
    height: i32,
    left: Tree,
    right: Tree,
}

type Tree = Option<Box<Node>>;

/// A height-balanced tree.
#[derive(Clone, Debug, Default)]
pub struct IntervalAvl {
    root: Tree,
    counts: Counts,
}

fn height(tree: &Tree) -> i32 {
    tree.as_ref().map_or(0, |node| node.height)
}

fn update(node: &mut Node) {
    node.height = 1 + height(&node.left).max(height(&node.right));
}

fn rotate_right(mut node: Box<Node>, counts: &mut Counts) -> Box<Node> {
    let Some(mut pivot) = node.left.take() else { return node };
    node.left = pivot.right.take();
    update(&mut node);
    pivot.right = Some(node);
    update(&mut pivot);
    counts.rotations += 1;
    pivot
}

fn rotate_left(mut node: Box<Node>, counts: &mut Counts) -> Box<Node> {
    let Some(mut pivot) = node.right.take() else { return node };
    node.right = pivot.left.take();
    update(&mut node);
    pivot.left = Some(node);
    update(&mut pivot);
    counts.rotations += 1;
    pivot
}

fn balance(mut node: Box<Node>, counts: &mut Counts) -> Box<Node> {
    update(&mut node);
    let lean = height(&node.left) - height(&node.right);
    if lean > 1 {
        if let Some(left) = node.left.take() {
            let inner = height(&left.right) > height(&left.left);
            node.left = Some(if inner { rotate_left(left, counts) } else { left });
        }
        return rotate_right(node, counts);
    }
    if lean < -1 {
        if let Some(right) = node.right.take() {
            let inner = height(&right.left) > height(&right.right);
            node.right = Some(if inner { rotate_right(right, counts) } else { right });
        }
        return rotate_left(node, counts);
    }
    node
}

fn insert(tree: Tree, span: Span, counts: &mut Counts) -> Box<Node> {
    let Some(mut node) = tree else {
        return Box::new(Node { span, height: 1, left: None, right: None });
    };
    counts.update_comparisons += 1;
    counts.nodes_visited += 1;
    if span.0 < node.span.0 {
        node.left = Some(insert(node.left.take(), span, counts));
    } else {
        node.right = Some(insert(node.right.take(), span, counts));
    }
    balance(node, counts)
}

fn remove(tree: Tree, start: u64, counts: &mut Counts, found: &mut bool) -> Tree {
    let mut node = tree?;
    counts.update_comparisons += 1;
    counts.nodes_visited += 1;
    if start < node.span.0 {
        node.left = remove(node.left.take(), start, counts, found);
    } else if start > node.span.0 {
        node.right = remove(node.right.take(), start, counts, found);
    } else {
        *found = true;
        let (left, right) = (node.left.take(), node.right.take());
        let Some(right) = right else { return left };
        let (rest, mut lowest) = take_lowest(right, counts);
        lowest.left = left;
        lowest.right = rest;
        return Some(balance(lowest, counts));
    }
    Some(balance(node, counts))
}

fn take_lowest(mut node: Box<Node>, counts: &mut Counts) -> (Tree, Box<Node>) {
    counts.nodes_visited += 1;
    match node.left.take() {
        None => (node.right.take(), node),
        Some(left) => {
            let (rest, lowest) = take_lowest(left, counts);
            node.left = rest;
            (Some(balance(node, counts)), lowest)
        }
    }
}

impl Structure for IntervalAvl {
    fn name(&self) -> &'static str {
        "interval AVL tree"
    }

    fn insert(&mut self, span: Span) {
        self.counts.updates += 1;
        self.root = Some(insert(self.root.take(), span, &mut self.counts));
    }

    fn remove(&mut self, start: u64) -> bool {
        self.counts.updates += 1;
        let mut found = false;
        self.root = remove(self.root.take(), start, &mut self.counts, &mut found);
        found
    }

    fn resize(&mut self, start: u64, span: Span) -> bool {
        let mut node = self.root.as_mut();
        while let Some(at) = node {
            self.counts.update_comparisons += 1;
            self.counts.nodes_visited += 1;
            node = match start.cmp(&at.span.0) {
                std::cmp::Ordering::Less => at.left.as_mut(),
                std::cmp::Ordering::Greater => at.right.as_mut(),
                std::cmp::Ordering::Equal => {
                    at.span = span;
                    return true;
                }
            };
        }
        false
    }

    fn find(&mut self, address: u64) -> Option<Span> {
        self.counts.lookups += 1;
        let (mut node, mut best) = (self.root.as_ref(), None);
        while let Some(at) = node {
            self.counts.comparisons += 1;
            self.counts.nodes_visited += 1;
            if address >= at.span.1 {
                node = at.right.as_ref();
                continue;
            }
            best = Some(at.span);
            self.counts.comparisons += 1;
            if address >= at.span.0 {
                break;
            }
            node = at.left.as_ref();
        }
        best
    }

    fn spans(&self) -> Vec<Span> {
        fn collect(tree: &Tree, out: &mut Vec<Span>) {
            if let Some(node) = tree {
                collect(&node.left, out);
                out.push(node.span);
                collect(&node.right, out);
            }
        }
        let mut spans = Vec::new();
        collect(&self.root, &mut spans);
        spans
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn reset_counts(&mut self) {
        self.counts = Counts::default();
    }

    fn depth(&self) -> usize {
        height(&self.root) as usize
    }
}
