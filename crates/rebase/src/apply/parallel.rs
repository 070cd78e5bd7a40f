//! Work on many files at once, the largest first: [`largest_first`].

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `work` for every index below `count`, from all of rayon's threads, and returns the results in order. Those of
/// which `weight` says more are begun first, so that no thread is left with the largest file at the end.
pub(super) fn largest_first<T: Send>(
    count: usize,
    weight: impl Fn(usize) -> u64,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(weight(index)));
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(count));
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(count) {
            scope.spawn(|_| {
                while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(index);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_the_heaviest_is_first() {
        let first = Mutex::new(None);
        let results = largest_first(
            100,
            |index| u64::from(index == 42),
            |index| {
                first.lock().expect("no panic").get_or_insert(index);
                index * 2
            },
        );
        assert!(results.into_iter().eq((0..100).map(|index| index * 2)));
        assert!(largest_first(0, |_| 0, |index| index).is_empty());
    }
}
