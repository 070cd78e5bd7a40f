//! Every structure against a sorted array, and the lecture's question of 10 and of 100 regions.

use expect_test::expect;

use super::*;
use crate::random::Random;

fn model_find(model: &[Span], address: u64) -> Option<Span> {
    model.iter().find(|span| span.1 > address).copied()
}

fn drive(structure: &mut dyn Structure, seed: u64, check: impl Fn(&dyn Structure)) {
    let mut random = Random::new(seed);
    let mut model: Vec<Span> = Vec::new();
    for step in 0..4000 {
        let start = random.below(600) * 8;
        match random.below(4) {
            0 | 1 if !model.iter().any(|span| span.0 < start + 6 && start < span.1) => {
                structure.insert((start, start + 6));
                model.push((start, start + 6));
                model.sort_unstable();
            }
            2 => {
                let held = model.iter().position(|span| span.0 == start);
                assert_eq!(structure.remove(start), held.is_some(), "seed {seed} step {step}");
                held.map(|index| model.remove(index));
            }
            3 if !model.is_empty() => {
                let index = random.below(model.len() as u64) as usize;
                let old = model[index];
                let end = model.get(index + 1).map_or(old.1 + 8, |next| next.0);
                let new = (old.0, end.min(old.0 + 1 + random.below(40)));
                assert!(structure.resize(old.0, new), "seed {seed} step {step}");
                model[index] = new;
            }
            _ => {}
        }
        let asked = random.below(5000);
        assert_eq!(structure.find(asked), model_find(&model, asked), "seed {seed} step {step}");
        check(structure);
    }
    assert_eq!(structure.spans(), model, "seed {seed}");
}

#[test]
fn every_structure_answers_like_a_sorted_array() {
    for seed in 0..4 {
        drive(&mut SortedList::default(), seed, |_| ());
        drive(&mut ListAndTree::new(true), seed, |_| ());
        drive(&mut MapleTree::default(), seed, |_| ());
        drive(&mut IntervalAvl::default(), seed, |_| ());
    }
}

#[test]
fn the_red_black_tree_stays_red_and_black() {
    let mut tree = ListAndTree::new(false);
    let mut random = Random::new(7);
    let mut held = Vec::new();
    for _ in 0..2000 {
        let start = random.below(1000) * 8;
        if held.contains(&start) {
            tree.remove(start);
            held.retain(|other| *other != start);
        } else {
            tree.insert((start, start + 8));
            held.push(start);
        }
        tree.black_height(tree.root()).expect("balanced");
    }
    assert!(tree.depth() <= 2 * (held.len() + 1).ilog2() as usize + 2);
}

#[test]
fn ten_regions_are_comparable_and_a_hundred_are_not() {
    let mut text = String::new();
    for regions in [10, 100, 1000] {
        let (operations, from) = synthetic(regions, 20_000, 0, 1);
        for row in experiment(&operations, from) {
            text += &format!("{regions:>4} {:<34} {:>6.1}\n", row.name, row.comparisons_per_lookup());
        }
    }
    expect![[r#"
          10 list                                  5.5
          10 list + red-black tree                 4.8
          10 list + red-black tree + mmap_cache    6.3
          10 maple-like B-tree                     4.7
          10 interval AVL tree                     4.9
         100 list                                 50.4
         100 list + red-black tree                 9.1
         100 list + red-black tree + mmap_cache   11.0
         100 maple-like B-tree                    10.0
         100 interval AVL tree                     9.1
        1000 list                                499.5
        1000 list + red-black tree                14.5
        1000 list + red-black tree + mmap_cache   16.5
        1000 maple-like B-tree                    14.4
        1000 interval AVL tree                    14.3
    "#]]
    .assert_eq(&text);
}

#[test]
fn the_hit_rate_of_the_cache_is_the_locality_of_the_lookups() {
    let (operations, from) = synthetic(100, 20_000, 35, 1);
    let rows = experiment(&operations, from);
    // Of the other 65 %, one in a hundred meets the same region by chance.
    assert!((rows[2].hit_rate() - 35.7).abs() < 1.0, "{}", rows[2].hit_rate());
}
