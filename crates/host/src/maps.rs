//! The kernel's view of this process, and its comparison with the books.
//!
//! Key types: [`Mapping`], [`Difference`]. The books say which access each range of the arena should have; the kernel
//! must agree everywhere, and every byte of the arena must be mapped.

use std::fmt;
use std::os::unix::fs::FileExt;

use plat_regions::{Access, Address, AddressRange};

/// One line of `/proc/PID/maps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Where.
    pub range: AddressRange,
    /// What the processor may do there.
    pub access: Access,
    /// Whether writes are shared.
    pub shared: bool,
    /// Offset in the file in bytes.
    pub offset: u64,
    /// The file, or the kernel's word for it; empty for anonymous memory.
    pub name: String,
}

/// Parses the text of `/proc/PID/maps`; lines that are none are left out.
///
/// Source: Linux, Documentation/filesystems/proc.rst, "/proc/PID/maps".
pub fn parse(text: &str) -> Vec<Mapping> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mapping> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let rights = words.next()?.as_bytes();
    let offset = u64::from_str_radix(words.next()?, 16).ok()?;
    let name = words.nth(2).unwrap_or("").trim_start();
    let address = |text| u64::from_str_radix(text, 16).ok().map(Address::new);
    let mut access = Access::empty();
    access.set(Access::READ, rights.first() == Some(&b'r'));
    access.set(Access::WRITE, rights.get(1) == Some(&b'w'));
    access.set(Access::EXECUTE, rights.get(2) == Some(&b'x'));
    Some(Mapping {
        range: AddressRange::new(address(start)?, address(end)?)?,
        access,
        shared: rights.get(3) == Some(&b's'),
        offset,
        name: name.to_owned(),
    })
}

/// Reads this process's mappings.
///
/// # Errors
/// When `/proc` is not there.
pub fn read_own() -> std::io::Result<Vec<Mapping>> {
    Ok(parse(&std::fs::read_to_string("/proc/self/maps")?))
}

/// Says of each page of this process from `start` on whether it is in memory; none is where `/proc` does not tell.
///
/// Source: Linux, Documentation/admin-guide/mm/pagemap.rst.
pub fn present_pages(start: u64, count: u64) -> Vec<bool> {
    /// Entries that are read at once.
    const PIECE: u64 = 8192;
    const ENTRY: u64 = 8;
    const PRESENT: u8 = 0x80;
    let count_all = count as usize;
    let Ok(file) = std::fs::File::open("/proc/self/pagemap") else { return vec![false; count_all] };
    let mut present = Vec::with_capacity(count_all);
    let first = start / plat_regions::PAGE_SIZE;
    while (present.len() as u64) < count {
        let done = present.len() as u64;
        let mut entries = vec![0; (PIECE.min(count - done) * ENTRY) as usize];
        if file.read_exact_at(&mut entries, (first + done) * ENTRY).is_err() {
            break;
        }
        // The highest bit of an entry is in its last byte.
        present.extend(entries.chunks_exact(ENTRY as usize).map(|entry| entry[7] & PRESENT != 0));
    }
    present.resize(count_all, false);
    present
}

/// A range on which books and kernel disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub range: AddressRange,
    /// What the books say.
    pub books: Access,
    /// What the kernel says; `None` where nothing is mapped.
    pub kernel: Option<Access>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kernel {
            Some(kernel) => write!(f, "{}: the books say {}, the kernel {kernel}", self.range, self.books),
            None => write!(f, "{}: the books say {}, the kernel has nothing there", self.range, self.books),
        }
    }
}

/// Compares what the books say about `window` with the kernel's mappings.
///
/// `books` are ascending ranges with their access; what they leave out is reservation, without access.
pub fn compare(
    window: AddressRange,
    books: &[(AddressRange, Access)],
    kernel: &[Mapping],
) -> Vec<Difference> {
    let mut differences: Vec<Difference> = Vec::new();
    let mut at = window.start;
    while at < window.end {
        let (wanted, wanted_end) =
            access_at(books.iter().map(|(range, access)| (*range, *access)), at, window.end);
        let mappings = kernel.iter().map(|mapping| (mapping.range, mapping.access));
        let (found, found_end) = access_at(mappings, at, window.end);
        let end = wanted_end.min(found_end);
        let wanted = wanted.unwrap_or(Access::empty());
        if found != Some(wanted) {
            add(
                &mut differences,
                Difference { range: AddressRange { start: at, end }, books: wanted, kernel: found },
            );
        }
        at = end;
    }
    differences
}

/// Adds a difference, joined with the last one where they are alike.
fn add(differences: &mut Vec<Difference>, new: Difference) {
    match differences.last_mut() {
        Some(last)
            if last.range.end == new.range.start && last.books == new.books && last.kernel == new.kernel =>
        {
            last.range.end = new.range.end;
        }
        _ => differences.push(new),
    }
}

/// Returns the access at an address, if a range covers it, and where that changes.
fn access_at(
    ranges: impl Iterator<Item = (AddressRange, Access)>,
    at: Address,
    limit: Address,
) -> (Option<Access>, Address) {
    let mut next = limit;
    for (range, access) in ranges {
        if range.contains(at) {
            return (Some(access), range.end.min(limit));
        }
        if range.start > at {
            next = next.min(range.start);
        }
    }
    (None, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> AddressRange {
        AddressRange::new(Address::new(start), Address::new(end)).expect("ascending")
    }

    #[test]
    fn a_line_with_spaces_in_its_name_is_read() {
        let line = "00400000-0040b000 r-xp 00001000 fe:00 1234                       /tmp/a b.exe";
        let mapping = &parse(line)[0];
        assert_eq!((mapping.range, mapping.offset), (range(0x40_0000, 0x40_b000), 0x1000));
        assert_eq!((mapping.access, mapping.name.as_str()), (Access::READ | Access::EXECUTE, "/tmp/a b.exe"));
    }

    #[test]
    fn what_is_not_a_line_of_maps_is_left_out() {
        assert_eq!(parse("\nnonsense\n1-2\nffff-0 rw-p 0 0 0\n"), Vec::new());
    }

    #[test]
    fn holes_and_wrong_rights_are_differences() {
        let mapping = |start, end, access| Mapping {
            range: range(start, end),
            access,
            shared: false,
            offset: 0,
            name: String::new(),
        };
        let kernel = [mapping(0x1000, 0x3000, Access::READ), mapping(0x4000, 0x6000, Access::empty())];
        let books = [(range(0x1000, 0x2000), Access::READ), (range(0x2000, 0x3000), Access::WRITE)];
        let found = compare(range(0x1000, 0x6000), &books, &kernel);
        let expected = [
            Difference { range: range(0x2000, 0x3000), books: Access::WRITE, kernel: Some(Access::READ) },
            Difference { range: range(0x3000, 0x4000), books: Access::empty(), kernel: None },
        ];
        assert_eq!(found, expected);
        assert_eq!(compare(range(0x4000, 0x6000), &books, &kernel), Vec::new());
    }
}
