//! What the guest's thunks lead to: one table of all exports and methods, and the order of their names, made by the compiler.
//!
//! Both were once made at every start, a tenth of it; as constants they lie in the page cache.

use plat_abi::ApiDescriptor;

use crate::DLLS;
use crate::export::{Body, Export};
use crate::guest::Guest;

/// What one thunk leads to. An export's index is [`first_index`] of its DLL plus its place in the DLL's tables.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The DLL's place in [`DLLS`].
    dll: u8,
    /// Bytes of arguments that a 32-bit call removes.
    pub stack_bytes: u32,
    /// The exported name.
    pub name: &'static str,
    /// The function, or `None` for a stub.
    pub api: Option<&'static ApiDescriptor<Guest>>,
}

impl Entry {
    /// Returns the DLL's file name, as in `kernel32.dll`.
    pub fn dll(&self) -> &'static str {
        DLLS[usize::from(self.dll)].name
    }
}

/// The number of exports and methods of all builtin DLLs.
pub const COUNT: usize = first_index_at(DLLS.len());

static ENTRIES: [Entry; COUNT] = entries();

/// The exports and methods of each DLL in the order of their names, as places in its tables; DLL after DLL.
static NAME_ORDER: [u16; COUNT] = name_order_of_all();

/// Returns what a thunk leads to.
#[inline]
pub fn entry(index: u32) -> Option<&'static Entry> {
    ENTRIES.get(index as usize)
}

/// Returns the index of the first export of a builtin DLL; the count of all when there is no such DLL.
pub fn first_index(dll: &str) -> u32 {
    let place = DLLS.iter().position(|other| other.name == dll).unwrap_or(DLLS.len());
    first_index_at(place) as u32
}

/// Returns the exports and methods of the DLL at `place` of [`DLLS`] in the order of their names, as places in its tables.
///
/// # Panics
/// When there is no such DLL.
pub const fn name_order(place: usize) -> &'static [u16] {
    let (_, rest) = NAME_ORDER.split_at(first_index_at(place));
    rest.split_at(first_index_at(place + 1) - first_index_at(place)).0
}

/// Returns the index of the first export of the DLL at `place` of [`DLLS`]; for their number, the count of all.
///
/// # Panics
/// When there is no such DLL.
pub const fn first_index_at(place: usize) -> usize {
    FIRST_INDEXES[place]
}

const FIRST_INDEXES: [usize; DLLS.len() + 1] = first_indexes();

const fn first_indexes() -> [usize; DLLS.len() + 1] {
    let mut indexes = [0; DLLS.len() + 1];
    let mut dll = 0;
    while dll < DLLS.len() {
        indexes[dll + 1] = indexes[dll];
        let mut table = 0;
        while table < DLLS[dll].table_count() {
            indexes[dll + 1] += DLLS[dll].table(table).len();
            table += 1;
        }
        dll += 1;
    }
    indexes
}

const fn entries() -> [Entry; COUNT] {
    let mut entries = [Entry { dll: 0, stack_bytes: 0, name: "", api: None }; COUNT];
    let (mut dll, mut next) = (0, 0);
    while dll < DLLS.len() {
        let mut table = 0;
        while table < DLLS[dll].table_count() {
            let exports = DLLS[dll].table(table);
            let mut row = 0;
            while row < exports.len() {
                entries[next] = entry_of(dll as u8, &exports[row]);
                next += 1;
                row += 1;
            }
            table += 1;
        }
        dll += 1;
    }
    entries
}

const fn entry_of(dll: u8, export: &Export) -> Entry {
    let api = match export.body {
        Body::Api(api) => Some(api),
        Body::Code(code) => code.slow,
        _ => None,
    };
    let stack_bytes = match api {
        Some(api) => api.stack_bytes_i386(),
        None => 0,
    };
    Entry { dll, stack_bytes, name: export.name, api }
}

/// Sorts the exports of each DLL by name: a merge sort, because the compiler has no sorting of its own for constants.
const fn name_order_of_all() -> [u16; COUNT] {
    let entries = entries();
    let mut order = [0u16; COUNT];
    let mut dll = 0;
    while dll < DLLS.len() {
        let (start, end) = (first_index_at(dll), first_index_at(dll + 1));
        let mut place = 0;
        while start + place < end {
            order[start + place] = place as u16;
            place += 1;
        }
        let mut width = 1;
        while width < end - start {
            order = merge_runs(&entries, order, start, end, width);
            width *= 2;
        }
        dll += 1;
    }
    order
}

/// Merges each two neighbouring sorted runs of `width` places in `start..end`.
const fn merge_runs(
    entries: &[Entry; COUNT],
    order: [u16; COUNT],
    start: usize,
    end: usize,
    width: usize,
) -> [u16; COUNT] {
    let mut merged = order;
    let mut run = start;
    while run < end {
        let middle = if run + width < end { run + width } else { end };
        let last = if middle + width < end { middle + width } else { end };
        let (mut left, mut right, mut to) = (run, middle, run);
        while to < last {
            let take_left = right == last
                || (left < middle
                    && is_before(
                        entries[start + order[left] as usize].name,
                        entries[start + order[right] as usize].name,
                    ));
            merged[to] = if take_left { order[left] } else { order[right] };
            if take_left {
                left += 1;
            } else {
                right += 1;
            }
            to += 1;
        }
        run = last;
    }
    merged
}

/// Compares names byte by byte, as Windows' loader searches them. The first sixteen bytes count as one number: the
/// compiler takes long over each step of a constant.
const fn is_before(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    if let (Some(a), Some(b)) = (a.first_chunk::<16>(), b.first_chunk::<16>()) {
        let (a, b) = (u128::from_be_bytes(*a), u128::from_be_bytes(*b));
        if a != b {
            return a < b;
        }
        at = 16;
    }
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        for (place, dll) in DLLS.iter().enumerate() {
            let names: Vec<&str> = dll.entries().map(|export| export.name).collect();
            let ordered: Vec<&str> = name_order(place).iter().map(|&at| names[usize::from(at)]).collect();
            let mut expected = names.clone();
            expected.sort_unstable();
            assert_eq!(ordered, expected, "{}", dll.name);
        }
    }

    #[test]
    fn an_index_leads_to_its_export() {
        for dll in DLLS {
            for (place, export) in dll.entries().enumerate() {
                let entry = entry(first_index(dll.name) + place as u32).expect("in the table");
                assert_eq!((entry.dll(), entry.name), (dll.name, export.name));
            }
        }
        assert!(entry(COUNT as u32).is_none());
    }
}
