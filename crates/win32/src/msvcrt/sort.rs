//! search.h: sorting and searching by the program's function. The host holds nothing while that runs: it may throw.
//!
//! `qsort` makes the comparisons that Windows' makes, in the same order: programs' results depend on it where elements
//! compare equal. Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/qsort>; the order observed.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::EINVAL;
use super::state::set_errno;
use super::string::copy;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full qsort; full qsort_s; full bsearch; full bsearch_s;
    full _lfind; full "lfind" = _lfind; full _lfind_s; full _lsearch; full "lsearch" = _lsearch; full _lsearch_s;
};

/// The program's function, and the context that the `_s` functions pass first.
#[derive(Clone, Copy)]
struct Compare {
    function: u64,
    context: Option<u64>,
}

impl Compare {
    fn call(self, guest: &mut Guest, left: u64, right: u64) -> Result<i32, Fault> {
        let result = match self.context {
            Some(context) => guest.call(self.function, &[context, left, right]),
            None => guest.call(self.function, &[left, right]),
        };
        result.map(|result| result as i32)
    }
}

/// What is sorted: element size in bytes, and how two compare.
#[derive(Clone, Copy)]
struct Sorter {
    width: u64,
    compare: Compare,
}

/// Up to how many elements the greatest is picked out time and again.
const SHORT: u64 = 8;

impl Sorter {
    fn order(self, guest: &mut Guest, left: u64, right: u64) -> Result<i32, Fault> {
        self.compare.call(guest, left, right)
    }

    fn swap(self, guest: &Guest, left: u64, right: u64) -> Result<(), Fault> {
        if left == right {
            return Ok(());
        }
        let bytes = guest.read_vec(left, self.width)?;
        copy(guest, left, right, self.width)?;
        guest.write_bytes(right, &bytes)
    }

    fn swap_if_greater(self, guest: &mut Guest, left: u64, right: u64) -> Result<(), Fault> {
        if self.order(guest, left, right)? > 0 {
            self.swap(guest, left, right)?;
        }
        Ok(())
    }

    /// Sorts few elements, first to last: the greatest goes to the end.
    fn sort_short(self, guest: &mut Guest, first: u64, last: u64) -> Result<(), Fault> {
        let mut last = last;
        while last > first {
            let mut greatest = first;
            let mut at = first + self.width;
            while at <= last {
                if self.order(guest, at, greatest)? > 0 {
                    greatest = at;
                }
                at += self.width;
            }
            self.swap(guest, greatest, last)?;
            last -= self.width;
        }
        Ok(())
    }

    /// Sorts the elements from first to last. The longer part waits, so the list of those stays short.
    fn sort(self, guest: &mut Guest, first: u64, last: u64) -> Result<(), Fault> {
        let mut waiting = vec![(first, last)];
        while let Some((mut first, mut last)) = waiting.pop() {
            loop {
                let count = (last - first) / self.width + 1;
                if count <= SHORT {
                    self.sort_short(guest, first, last)?;
                    break;
                }
                let (end_of_low, start_of_high) = self.partition(guest, first, last, count)?;
                let low = (first < end_of_low).then_some((first, end_of_low));
                let high = (start_of_high < last).then_some((start_of_high, last));
                // Signed: the low part's end may lie before its start.
                let low_is_longer =
                    end_of_low.wrapping_sub(first) as i64 >= last.wrapping_sub(start_of_high) as i64;
                let (later, now) = if low_is_longer { (low, high) } else { (high, low) };
                waiting.extend(later);
                match now {
                    Some(part) => (first, last) = part,
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Parts the elements at the median of the first, middle and last: returns the last of the smaller ones and the
    /// first of the greater ones.
    fn partition(self, guest: &mut Guest, first: u64, last: u64, count: u64) -> Result<(u64, u64), Fault> {
        let width = self.width;
        let mut middle = first + count / 2 * width;
        self.swap_if_greater(guest, first, middle)?;
        self.swap_if_greater(guest, first, last)?;
        self.swap_if_greater(guest, middle, last)?;
        let (mut low, mut high) = (first, last);
        loop {
            // An element is not compared with itself: the middle is stepped over.
            if middle > low {
                low += width;
                while low < middle && self.order(guest, low, middle)? <= 0 {
                    low += width;
                }
            }
            if middle <= low {
                low += width;
                while low <= last && self.order(guest, low, middle)? <= 0 {
                    low += width;
                }
            }
            high -= width;
            while high > middle && self.order(guest, high, middle)? > 0 {
                high -= width;
            }
            if high < low {
                break;
            }
            self.swap(guest, low, high)?;
            if middle == high {
                middle = low;
            }
        }
        high += width;
        if middle < high {
            high -= width;
            while high > middle && self.order(guest, high, middle)? == 0 {
                high -= width;
            }
        }
        if middle >= high {
            high -= width;
            while high > first && self.order(guest, high, middle)? == 0 {
                high -= width;
            }
        }
        Ok((high, low))
    }
}

fn sort(guest: &mut Guest, base: u64, count: u64, width: u64, compare: Compare) -> Result<(), Fault> {
    if count < 2 || width == 0 {
        return Ok(());
    }
    Sorter { width, compare }.sort(guest, base, base + (count - 1) * width)
}

/// Finds an element in a sorted array: halves it as Windows does.
fn search(
    guest: &mut Guest,
    key: u64,
    base: u64,
    count: u64,
    width: u64,
    compare: Compare,
) -> Result<GuestWord, Fault> {
    let mut first = base;
    let mut last = base.wrapping_add(count.wrapping_sub(1).wrapping_mul(width));
    let mut count = count;
    while count > 0 && first <= last {
        let half = count / 2;
        if half == 0 {
            let found = compare.call(guest, key, first)? == 0;
            return Ok(GuestWord(if found { first } else { 0 }));
        }
        let is_even = count & 1 == 0;
        let middle = first + if is_even { half - 1 } else { half } * width;
        match compare.call(guest, key, middle)? {
            0 => return Ok(GuestWord(middle)),
            order if order < 0 => {
                last = middle.wrapping_sub(width);
                count = if is_even { half - 1 } else { half };
                if middle == base {
                    break;
                }
            }
            _ => {
                first = middle + width;
                count = half;
            }
        }
    }
    Ok(GuestWord::NULL)
}

fn find(
    guest: &mut Guest,
    key: u64,
    base: u64,
    [count, width]: [u32; 2],
    compare: Compare,
) -> Result<Option<u64>, Fault> {
    for index in 0..u64::from(count) {
        let element = base + index * u64::from(width);
        if compare.call(guest, key, element)? == 0 {
            return Ok(Some(element));
        }
    }
    Ok(None)
}

/// Finds an element or appends it.
fn find_or_append(
    guest: &mut Guest,
    key: u64,
    base: u64,
    num: u64,
    width: u32,
    compare: Compare,
) -> Result<GuestWord, Fault> {
    let count: u32 = guest.read(num)?;
    if let Some(found) = find(guest, key, base, [count, width], compare)? {
        return Ok(GuestWord(found));
    }
    let end = base + u64::from(count) * u64::from(width);
    copy(guest, end, key, width.into())?;
    guest.write(num, &(count + 1))?;
    Ok(GuestWord(end))
}

/// A function without a context.
fn plain(compare: GuestWord) -> Compare {
    Compare { function: compare.0, context: None }
}

fn with_context(compare: GuestWord, context: GuestWord) -> Compare {
    Compare { function: compare.0, context: Some(context.0) }
}

define! {
    "Sorts an array by the program's function.", "qsort";
    qsort(guest, base: GuestWord, number: GuestWord, width: GuestWord, compare: GuestWord) -> () {
        sort(guest, base.0, number.0, width.0, plain(compare))
    }

    "Sorts an array by the program's function, which gets a context; EINVAL for bad arguments.", "qsort-s";
    qsort_s(guest, base: GuestWord, num: GuestWord, width: GuestWord, compare: GuestWord, context: GuestWord) -> () {
        if base.is_null() && num.0 != 0 || width.0 == 0 || compare.is_null() {
            return set_errno(guest, EINVAL);
        }
        sort(guest, base.0, num.0, width.0, with_context(compare, context))
    }

    "Finds an element of a sorted array by the program's function; null when it is not there.", "bsearch";
    bsearch(guest, key: GuestWord, base: GuestWord, num: GuestWord, width: GuestWord, compare: GuestWord) -> GuestWord {
        search(guest, key.0, base.0, num.0, width.0, plain(compare))
    }

    "Finds an element of a sorted array by the program's function, which gets a context.", "bsearch-s";
    bsearch_s(guest, key: GuestWord, base: GuestWord, number: GuestWord, width: GuestWord, compare: GuestWord, context: GuestWord) -> GuestWord {
        search(guest, key.0, base.0, number.0, width.0, with_context(compare, context))
    }

    "Finds an element of an array by the program's function; null when it is not there.", "lfind";
    _lfind(guest, key: GuestWord, base: GuestWord, num: GuestWord, width: u32, compare: GuestWord) -> GuestWord {
        let count: u32 = guest.read(num.0)?;
        find(guest, key.0, base.0, [count, width], plain(compare)).map(|found| GuestWord(found.unwrap_or(0)))
    }

    "Finds an element of an array by the program's function, which gets a context.", "lfind-s";
    _lfind_s(guest, key: GuestWord, base: GuestWord, num: GuestWord, size: GuestWord, compare: GuestWord, context: GuestWord) -> GuestWord {
        let count: u32 = guest.read(num.0)?;
        let found = find(guest, key.0, base.0, [count, size.0 as u32], with_context(compare, context))?;
        Ok(GuestWord(found.unwrap_or(0)))
    }

    "Finds an element of an array, or appends it.", "lsearch";
    _lsearch(guest, key: GuestWord, base: GuestWord, num: GuestWord, width: u32, compare: GuestWord) -> GuestWord {
        find_or_append(guest, key.0, base.0, num.0, width, plain(compare))
    }

    "Finds an element of an array, or appends it; the program's function gets a context.", "lsearch-s";
    _lsearch_s(guest, key: GuestWord, base: GuestWord, num: GuestWord, size: GuestWord, compare: GuestWord, context: GuestWord) -> GuestWord {
        find_or_append(guest, key.0, base.0, num.0, size.0 as u32, with_context(compare, context))
    }
}
