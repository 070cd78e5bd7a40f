//! Region maps at the edges: the ends of 64 bits, empty and reversed ranges, odd granules.

use expect_test::{Expect, expect};
use plat_regions::{Address, AddressRange, RegionMap, RegionValue};

/// Joins with its equals.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name(&'static str);

impl RegionValue for Name {
    fn merge(&self, _: AddressRange, next: &Self, _: AddressRange) -> Option<Self> {
        (self == next).then(|| self.clone())
    }

    fn split(&self, _: AddressRange, _: Address) -> (Self, Self) {
        (self.clone(), self.clone())
    }
}

const LAST: u64 = u64::MAX;

fn range(start: u64, end: u64) -> AddressRange {
    AddressRange { start: Address::new(start), end: Address::new(end) }
}

fn map_of(granule: u64, regions: &[(u64, u64, &'static str)]) -> RegionMap<Name> {
    let mut map = RegionMap::with_granule(granule);
    for (start, end, name) in regions {
        assert!(map.insert(range(*start, *end), Name(name)));
    }
    assert_eq!(map.check_invariants(), Ok(()));
    map
}

fn check(map: &RegionMap<Name>, wanted: &Expect) {
    assert_eq!(map.check_invariants(), Ok(()));
    wanted.assert_eq(&format!("{map:?}"));
}

#[test]
fn gaps_reach_both_ends_of_the_address_space() {
    for (granule, regions, wanted) in [
        (1, &[][..], expect!["[0x0..0xffffffffffffffff]"]),
        (0x1000, &[], expect!["[0x0..0xfffffffffffff000]"]),
        (1, &[(0, LAST, "all")], expect!["[]"]),
        (1, &[(1, LAST - 1, "all but two")], expect!["[0x0..0x1, 0xfffffffffffffffe..0xffffffffffffffff]"]),
        (
            0x1000,
            &[(0x1000, LAST - 0x1fff, "most")],
            expect!["[0x0..0x1000, 0xffffffffffffe000..0xfffffffffffff000]"],
        ),
        (0x1000, &[(0x1001, LAST - 0xffe, "in the last page")], expect!["[0x0..0x1000]"]),
        (
            0x1000,
            &[(0xfff, 0x2001, "odd"), (LAST - 1, LAST, "last")],
            expect!["[0x3000..0xfffffffffffff000]"],
        ),
        (1 << 63, &[(0, 1, "lowest")], expect!["[]"]),
    ] {
        let map = map_of(granule, regions);
        let gaps = map.gaps(range(0, LAST));
        wanted.assert_eq(&format!("{gaps:?}"));
        let mut back: Vec<_> = gaps.clone().rev().collect();
        back.reverse();
        assert_eq!(back, gaps.collect::<Vec<_>>());
    }
}

#[test]
fn empty_and_reversed_ranges_find_and_change_nothing() {
    let mut map = map_of(1, &[(10, 20, "a"), (30, 40, "b")]);
    for bad in [range(15, 15), range(0, 0), range(LAST, LAST), range(35, 12), range(LAST, 0)] {
        assert!(!map.insert(bad, Name("c")));
        assert!(map.is_free(bad));
        assert_eq!(map.overlapping(bad).count() + map.gaps(bad).count(), 0);
        assert_eq!((map.lowest_gap(bad, 0), map.highest_gap(bad, 0)), (None, None));
        map.remove_range(bad, |at, _| panic!("{at:?} is gone"));
        map.mutate_range(bad, |at, _| panic!("{at:?} is changed"));
        map.isolate(bad);
    }
    check(&map, &expect![[r#"{0xa..0x14: Name("a"), 0x1e..0x28: Name("b")}"#]]);
}

#[test]
fn any_granule_and_any_alignment_are_taken() {
    let whole = range(0, LAST);
    for granule in [0, 1, 3, 4096, (1 << 63) - 1, 1 << 63, LAST] {
        let map = map_of(granule, &[(5, 6, "a"), (LAST - 6, LAST - 5, "b")]);
        for alignment in [0, 1, 3, 4096, 1 << 63, LAST] {
            for size in [0, 1, 1 << 62, 1 << 63, LAST] {
                let lowest = map.lowest_gap_aligned(whole, size, alignment);
                let highest = map.highest_gap_aligned(whole, size, alignment);
                assert_eq!(lowest.is_some(), highest.is_some(), "{granule} {alignment} {size}");
                for place in lowest.into_iter().chain(highest) {
                    assert!(place.size() == size && map.is_free(place), "{place:?}");
                }
            }
        }
    }
}

#[test]
fn an_aligned_place_is_exactly_as_large_as_asked() {
    let map = map_of(0x1000, &[(0x3000, 0x5000, "a"), (0xf000, 0x1_1000, "b")]);
    let window = range(0x1000, 0x1_f000);
    assert_eq!(map.lowest_gap_aligned(window, 0x1800, 0x4000), Some(range(0x8000, 0x9800)));
    assert_eq!(map.highest_gap_aligned(window, 0x1800, 0x4000), Some(range(0x1_c000, 0x1_d800)));
    assert_eq!(map.lowest_gap_aligned(window, 0x1800, 0x1000), Some(range(0x1000, 0x2800)));
    assert_eq!(map.lowest_gap_aligned(window, 0xf000, 0x1000), None);
}

#[test]
fn isolated_pieces_stay_apart_until_something_joins_them() {
    let mut map = map_of(1, &[(0, 100, "a")]);
    map.isolate(range(40, 60));
    check(&map, &expect![[r#"{0x0..0x28: Name("a"), 0x28..0x3c: Name("a"), 0x3c..0x64: Name("a")}"#]]);
    map.mutate_range(range(50, 60), |_, _| ());
    check(&map, &expect![[r#"{0x0..0x28: Name("a"), 0x28..0x64: Name("a")}"#]]);
    map.mutate_range(range(0, 10), |_, name| *name = Name("b"));
    check(&map, &expect![[r#"{0x0..0xa: Name("b"), 0xa..0x28: Name("a"), 0x28..0x64: Name("a")}"#]]);
    map.mutate_range(range(0, 100), |_, name| *name = Name("c"));
    check(&map, &expect![[r#"{0x0..0x64: Name("c")}"#]]);
}
