//! Who stays: the heaviest set of files that do not overlap where they are.

use plat_regions::AddressRange;

/// Chooses from ranges with weights those that stay: no two overlap, and the sum of weights is the largest possible.
///
/// Returns a flag for each range.
pub(crate) fn heaviest_without_overlap(ranges: &[(AddressRange, u64)]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_by_key(|&index| (ranges[index].0.end, ranges[index].0.start, index));
    // best[k]: the largest sum among the first k in that order; taken[k]: whether the k-th is part of it.
    let mut best: Vec<u64> = vec![0];
    let mut before: Vec<usize> = Vec::with_capacity(order.len());
    let mut is_taken: Vec<bool> = Vec::with_capacity(order.len());
    for (rank, &index) in order.iter().enumerate() {
        let (range, weight) = ranges[index];
        let compatible = order[..rank].partition_point(|&other| ranges[other].0.end <= range.start);
        let with = best[compatible].saturating_add(weight);
        is_taken.push(with > best[rank]);
        before.push(compatible);
        best.push(with.max(best[rank]));
    }
    let mut stays = vec![false; ranges.len()];
    let mut rank = order.len();
    while rank > 0 {
        if is_taken[rank - 1] {
            stays[order[rank - 1]] = true;
            rank = before[rank - 1];
        } else {
            rank -= 1;
        }
    }
    stays
}

/// Counts the pairs of ranges that overlap, in O(n log n) however many there are.
pub(crate) fn overlapping_pairs(ranges: &[AddressRange]) -> u64 {
    let mut starts: Vec<_> = ranges.iter().filter(|range| !range.is_empty()).map(|it| it.start).collect();
    let mut sorted: Vec<_> = ranges.iter().filter(|range| !range.is_empty()).copied().collect();
    starts.sort_unstable();
    sorted.sort_unstable();
    let behind = |(index, range): (usize, &AddressRange)| {
        starts.partition_point(|&start| start < range.end).saturating_sub(index + 1) as u64
    };
    sorted.iter().enumerate().map(behind).sum()
}

#[cfg(test)]
mod tests {
    use plat_regions::Address;
    use proptest::prelude::*;

    use super::*;

    fn range(start: u64, bytes: u64) -> AddressRange {
        AddressRange::sized(Address::new(start), bytes).expect("small")
    }

    proptest! {
        #[test]
        fn no_set_is_heavier(given in proptest::collection::vec((0u64..40, 1u64..12, 1u64..5), 0..10)) {
            let ranges: Vec<_> = given.iter().map(|&(at, bytes, weight)| (range(at, bytes), weight)).collect();
            let stays = heaviest_without_overlap(&ranges);
            let sum = |chosen: &dyn Fn(usize) -> bool| -> Option<u64> {
                let set: Vec<_> = (0..ranges.len()).filter(|&i| chosen(i)).collect();
                let free = set.iter().all(|&a| set.iter().all(|&b| a == b || !ranges[a].0.overlaps(ranges[b].0)));
                free.then(|| set.iter().map(|&i| ranges[i].1).sum())
            };
            let best = (0u32..1 << ranges.len()).filter_map(|mask| sum(&|i| mask >> i & 1 == 1)).max();
            prop_assert_eq!(sum(&|i| stays[i]), best);
        }

        #[test]
        fn pairs_are_counted_as_one_by_one(given in proptest::collection::vec((0u64..60, 0u64..12), 0..20)) {
            let ranges: Vec<_> = given.iter().map(|&(at, bytes)| range(at, bytes)).collect();
            let mut count = 0;
            for (index, a) in ranges.iter().enumerate() {
                let overlaps = |b: &&AddressRange| !a.is_empty() && !b.is_empty() && a.overlaps(**b);
                count += ranges[index + 1..].iter().filter(overlaps).count() as u64;
            }
            prop_assert_eq!(overlapping_pairs(&ranges), count);
        }
    }
}
