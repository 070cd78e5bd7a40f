//! What the guest's thunks lead to: one table of all exports and methods, and the order of their names, made by the compiler.
//!
//! Both were once made at every start, a tenth of it; as constants they lie in the page cache.

use plat_abi::ApiDescriptor;

use crate::export::{Body, Dll, Export};
use crate::guest::Guest;
use crate::{DLLS, NAME_ORDERS};

/// Defines the list of builtin DLLs, and the order of each one's names: a constant for each, because the compiler warns
/// of one that takes it long.
macro_rules! dlls {
    ($($dll:path,)+) => {
        /// Every builtin DLL, in the order in which they appear in `plat apis`.
        pub const DLLS: &[Dll] = &[$($dll),+];

        /// The exports and methods of each DLL in the order of their names, as places in its tables.
        static NAME_ORDERS: &[&[u16]] = &[$({
            const ORDER: [u16; $crate::entries::count(&$dll)] = $crate::entries::order_of(&$dll);
            &ORDER
        }),+];
    };
}
pub(crate) use dlls;

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
    NAME_ORDERS[place]
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
        indexes[dll + 1] = indexes[dll] + count(&DLLS[dll]);
        dll += 1;
    }
    indexes
}

/// Returns how many exports and methods a DLL has.
pub(crate) const fn count(dll: &Dll) -> usize {
    let mut sum = 0;
    let mut table = 0;
    while table < dll.table_count() {
        sum += dll.table(table).len();
        table += 1;
    }
    sum
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

/// Sorts a DLL's exports and methods by name: a merge sort, because the compiler has no sorting of its own for constants.
pub(crate) const fn order_of<const COUNT: usize>(dll: &Dll) -> [u16; COUNT] {
    let mut names = [""; COUNT];
    let mut order = [0; COUNT];
    let (mut table, mut place) = (0, 0);
    while table < dll.table_count() {
        let exports = dll.table(table);
        let mut row = 0;
        while row < exports.len() {
            names[place] = exports[row].name;
            order[place] = place as u16;
            place += 1;
            row += 1;
        }
        table += 1;
    }
    let mut width = 1;
    while width < COUNT {
        order = merge_runs(&names, order, width);
        width *= 2;
    }
    order
}

/// Merges each two neighbouring sorted runs of `width` places.
const fn merge_runs<const COUNT: usize>(
    names: &[&str; COUNT],
    order: [u16; COUNT],
    width: usize,
) -> [u16; COUNT] {
    let mut merged = order;
    let mut run = 0;
    while run < COUNT {
        let middle = if run + width < COUNT { run + width } else { COUNT };
        let last = if middle + width < COUNT { middle + width } else { COUNT };
        let (mut left, mut right, mut to) = (run, middle, run);
        while to < last {
            let take_left = right == last
                || (left < middle && is_before(names[order[left] as usize], names[order[right] as usize]));
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

/// Compares names byte by byte, as Windows' loader searches them. Sixteen bytes at a time count as one number: the
/// compiler takes long over each step of a constant.
const fn is_before(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let (Some((one, after_one)), Some((other, after_other))) =
        (a.split_first_chunk::<16>(), b.split_first_chunk::<16>())
    {
        let (one, other) = (u128::from_be_bytes(*one), u128::from_be_bytes(*other));
        if one != other {
            return one < other;
        }
        (a, b) = (after_one, after_other);
    }
    let mut at = 0;
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
