//! Cygwin's `rebase.db`: read with every length checked, written so that Cygwin's rebase reads it.
//!
//! Little endian, no padding. Header, 28 bytes: `rBiI`, machine (u16), version 1 (u16), start of placement (u64), offset
//! (u32), down flag (u32), number of records (u32). Records of 32 bytes, ascending by name: a pointer without
//! meaning (u64), length of the name with its NUL (u32), base (u64), size (u32), slot (u32), flags (u32, written 0).
//! Then the names, in the order of the records, each with its NUL. Source: Cygwin rebase 4.5, rebase-db.h, and dumps
//! of databases.

use std::collections::BTreeMap;

use plat_regions::Address;

use super::{CygwinHeader, Database, Entry};
use crate::member::Machine;

const MAGIC: &[u8; 4] = b"rBiI";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 28;
const RECORD_BYTES: usize = 32;

/// Why a `rebase.db` is refused, or a database cannot be written as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CygwinDbError {
    /// It ends too early.
    #[error("offset {offset:#x}: the file ends in {what}, {bytes} bytes in all")]
    Short {
        /// Where the missing part begins.
        offset: usize,
        /// What is missing.
        what: &'static str,
        /// The file's size.
        bytes: usize,
    },
    /// A field's value cannot be.
    #[error("offset {offset:#x}, field {field}: is {value:#x}, expected {expected}")]
    Value {
        /// The field's place.
        offset: usize,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What would be allowed.
        expected: &'static str,
    },
    /// A name is none.
    #[error("offset {offset:#x}, name of record {record}: {why}")]
    Name {
        /// Where it begins.
        offset: usize,
        /// The record's number, from 0.
        record: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// An entry does not fit the format.
    #[error("{path}: {why}, which rebase.db cannot hold")]
    Unwritable {
        /// The entry.
        path: String,
        /// What does not fit.
        why: &'static str,
    },
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn array<const N: usize>(&self, offset: usize, what: &'static str) -> Result<[u8; N], CygwinDbError> {
        let short = CygwinDbError::Short { offset, what, bytes: self.bytes.len() };
        self.bytes.get(offset..).and_then(|rest| rest.first_chunk::<N>()).copied().ok_or(short)
    }

    fn u16(&self, offset: usize) -> Result<u16, CygwinDbError> {
        Ok(u16::from_le_bytes(self.array(offset, "the header")?))
    }

    fn u32(&self, offset: usize) -> Result<u32, CygwinDbError> {
        Ok(u32::from_le_bytes(self.array(offset, "a record")?))
    }

    fn u64(&self, offset: usize) -> Result<u64, CygwinDbError> {
        Ok(u64::from_le_bytes(self.array(offset, "a record")?))
    }
}

impl Database {
    /// Reads Cygwin's `rebase.db`. Paths lose their leading `/`, so that they are relative to the tree's root, and are
    /// those below `mounts` (a folder as Cygwin sees it, and where it is); a mount that would hide other entries is not
    /// made.
    ///
    /// # Errors
    /// [`CygwinDbError`] with the offset and the field; nothing is allocated by a number in the file alone.
    pub fn from_cygwin(bytes: &[u8], mounts: &[(String, String)]) -> Result<Self, CygwinDbError> {
        let reader = Reader { bytes };
        let value =
            |offset, field, value, expected| Err(CygwinDbError::Value { offset, field, value, expected });
        let magic: [u8; 4] = reader.array(0, "the header")?;
        if magic != *MAGIC {
            return value(0, "magic", u32::from_le_bytes(magic).into(), "0x49694272 (rBiI)");
        }
        let machine = match reader.u16(4)? {
            0x14c => Machine::I386,
            0x8664 => Machine::Amd64,
            other => return value(4, "machine", other.into(), "0x14c or 0x8664"),
        };
        let version = reader.u16(6)?;
        if version != VERSION {
            return value(6, "version", version.into(), "1");
        }
        let down = reader.u32(20)?;
        let (base, offset) = (Address::new(reader.u64(8)?), reader.u32(16)?);
        let count = reader.u32(24)?;
        let room = bytes.len().saturating_sub(HEADER_BYTES) / (RECORD_BYTES + 2);
        let Some(count) = usize::try_from(count).ok().filter(|&count| count <= room) else {
            return value(24, "count", count.into(), "no more records than the file has room for");
        };
        let mut entries = BTreeMap::new();
        let mut name_at = HEADER_BYTES + count * RECORD_BYTES;
        for record in 0..count {
            let at = HEADER_BYTES + record * RECORD_BYTES;
            let (entry, name_end) = read_record(&reader, at, record, name_at, machine)?;
            let offset = std::mem::replace(&mut name_at, name_end);
            if entries.insert(entry.path.clone(), entry).is_some() {
                return Err(CygwinDbError::Name { offset, record, why: "is there a second time" });
            }
        }
        if name_at != bytes.len() {
            return value(name_at, "end", (bytes.len() - name_at) as u64, "no bytes behind the names");
        }
        let is_below =
            |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|it| it.starts_with('/'));
        let hides = |there: &str| entries.keys().any(|path| is_below(path, there));
        let mounts: Vec<_> = mounts.iter().filter(|(_, there)| !hides(there)).cloned().collect();
        let place = |mut entry: Entry| {
            if let Some((seen, there)) = mounts.iter().find(|(seen, _)| is_below(&entry.path, seen)) {
                entry.path.replace_range(..seen.len(), there);
            }
            (entry.path.clone(), entry)
        };
        let entries = entries.into_values().map(place).collect();
        let header = CygwinHeader { base, offset, is_down: down != 0, mounts };
        Ok(Self { layout: None, cygwin: Some(header), entries })
    }

    /// Writes the entries of one machine as Cygwin's `rebase.db`; the meaningless pointers are zero.
    ///
    /// # Errors
    /// [`CygwinDbError::Unwritable`] when an entry does not fit the format.
    pub fn to_cygwin(&self, machine: Machine) -> Result<Vec<u8>, CygwinDbError> {
        let default = if machine == Machine::I386 { 0x7000_0000 } else { 0x4_0000_0000 };
        let header =
            CygwinHeader { base: Address::new(default), offset: 0, is_down: true, mounts: Vec::new() };
        let header = self.cygwin.clone().unwrap_or(header);
        let mut entries: Vec<(String, &Entry)> = self
            .entries
            .values()
            .filter(|it| it.machine == machine)
            .map(|entry| (header.name_of(&entry.path), entry))
            .collect();
        entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        let number: u16 = match machine {
            Machine::I386 => 0x14c,
            Machine::Amd64 => 0x8664,
            Machine::Arm64 => {
                let path = entries.first().map_or(String::new(), |(_, it)| it.path.clone());
                return Err(CygwinDbError::Unwritable { path, why: "is for ARM64" });
            }
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend(number.to_le_bytes());
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(header.base.get().to_le_bytes());
        bytes.extend(header.offset.to_le_bytes());
        bytes.extend(u32::from(header.is_down).to_le_bytes());
        bytes.extend(u32::try_from(entries.len()).unwrap_or(u32::MAX).to_le_bytes());
        let mut names = Vec::new();
        for (name, entry) in entries {
            let refuse = |why| CygwinDbError::Unwritable { path: entry.path.clone(), why };
            if name.contains('\0') {
                return Err(refuse("has a NUL in its name"));
            }
            let start = names.len();
            names.extend(name.bytes().chain([0]));
            let narrow = |number: u64| u32::try_from(number).map_err(|_| refuse("has 4 GiB or more"));
            bytes.extend(0u64.to_le_bytes());
            bytes.extend(narrow((names.len() - start) as u64)?.to_le_bytes());
            bytes.extend(entry.base.get().to_le_bytes());
            bytes.extend(narrow(entry.size)?.to_le_bytes());
            bytes.extend(narrow(entry.slot)?.to_le_bytes());
            bytes.extend(0u32.to_le_bytes());
        }
        bytes.extend(names);
        Ok(bytes)
    }
}

impl CygwinHeader {
    /// Returns the absolute path by which Cygwin's programs know a file of the tree.
    fn name_of(&self, path: &str) -> String {
        let below = |folder: &str| path.strip_prefix(folder).filter(|rest| rest.starts_with('/'));
        let seen = self.mounts.iter().find_map(|(seen, there)| Some(format!("/{seen}{}", below(there)?)));
        let plain = || if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        seen.unwrap_or_else(plain)
    }
}

/// Reads a record and its name; returns where the name ends.
fn read_record(
    reader: &Reader,
    at: usize,
    record: usize,
    name_at: usize,
    machine: Machine,
) -> Result<(Entry, usize), CygwinDbError> {
    let name_bytes = reader.u32(at + 8)?;
    let base = Address::new(reader.u64(at + 12)?);
    let (size, slot) = (u64::from(reader.u32(at + 20)?), u64::from(reader.u32(at + 24)?));
    if base.checked_add(size.max(slot)).is_none() {
        let expected = "a base from which the file fits 64 bits";
        return Err(CygwinDbError::Value { offset: at + 12, field: "base", value: base.get(), expected });
    }
    let bad = |why| CygwinDbError::Name { offset: name_at, record, why };
    let end = usize::try_from(name_bytes).ok().and_then(|bytes| name_at.checked_add(bytes));
    let name = end.and_then(|end| reader.bytes.get(name_at..end)).ok_or(bad("ends behind the file"))?;
    let (last, name) = name.split_last().ok_or(bad("is empty"))?;
    if *last != 0 || name.contains(&0) {
        return Err(bad("does not end with its only NUL"));
    }
    let name = std::str::from_utf8(name).map_err(|_| bad("is not UTF-8"))?;
    // Two slashes begin the path of a network's file, which is in no tree.
    let path = if name.starts_with("//") { name } else { name.strip_prefix('/').unwrap_or(name) };
    if path.is_empty() {
        return Err(bad("is empty"));
    }
    let entry = Entry {
        path: path.to_owned(),
        hash: None,
        machine,
        original: None,
        base,
        size,
        slot,
        shares: false,
        constraints: Vec::new(),
    };
    Ok((entry, name_at + name.len() + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Database {
        let entry = |path: &str, base| Entry {
            path: path.into(),
            hash: None,
            machine: Machine::Amd64,
            original: None,
            base: Address::new(base),
            size: 0x1_2000,
            slot: 0x2_0000,
            shares: false,
            constraints: Vec::new(),
        };
        let entries = [entry("usr/bin/a.dll", 0x3_fffe_0000), entry("usr/bin/b-1.dll", 0x3_fffc_0000)];
        Database {
            layout: None,
            cygwin: Some(CygwinHeader {
                base: Address::new(0x4_0000_0000),
                offset: 0,
                is_down: true,
                mounts: Vec::new(),
            }),
            entries: entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect(),
        }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let bytes = sample().to_cygwin(Machine::Amd64).expect("fits");
        assert_eq!(bytes.len(), 28 + 2 * 32 + "/usr/bin/a.dll".len() + "/usr/bin/b-1.dll".len() + 2);
        assert_eq!(Database::from_cygwin(&bytes, &[]), Ok(sample()));
    }

    #[test]
    fn mounts_rename_folders_both_ways() {
        let bytes = sample().to_cygwin(Machine::Amd64).expect("fits");
        let mounts = [("usr/bin".to_owned(), "bin".to_owned())];
        let database = Database::from_cygwin(&bytes, &mounts).expect("is one");
        let paths: Vec<_> = database.entries.keys().cloned().collect();
        assert_eq!(paths, ["bin/a.dll", "bin/b-1.dll"]);
        assert_eq!(database.to_cygwin(Machine::Amd64), Ok(bytes));
    }

    #[test]
    fn every_cut_is_an_error() {
        let bytes = sample().to_cygwin(Machine::Amd64).expect("fits");
        for end in 0..bytes.len() {
            assert!(Database::from_cygwin(&bytes[..end], &[]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn huge_counts_are_refused_before_anything_is_allocated() {
        let mut bytes = sample().to_cygwin(Machine::Amd64).expect("fits");
        bytes[24..28].fill(0xff);
        let error = Database::from_cygwin(&bytes, &[]).expect_err("no such file is that long").to_string();
        expect_test::expect![
            "offset 0x18, field count: is 0xffffffff, expected no more records than the file has room for"
        ]
        .assert_eq(&error);
    }

    #[test]
    fn a_path_of_the_network_is_written_back_the_same() {
        let mut bytes = sample().to_cygwin(Machine::Amd64).expect("fits");
        let name = bytes.windows(5).position(|part| part == b"/usr/").expect("a name");
        bytes[name + 1] = b'/';
        let database = Database::from_cygwin(&bytes, &[]).expect("names are not looked at further");
        assert!(database.entries.keys().any(|path| path.starts_with("//")), "{:?}", database.entries.keys());
        let again = database.to_cygwin(Machine::Amd64).expect("it was one");
        assert_eq!(Database::from_cygwin(&again, &[]), Ok(database));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Database::from_cygwin(&bytes, &[]);
            let _ = Database::from_cygwin(&[&MAGIC[..], &[0x64, 0x86, 1, 0], &bytes].concat(), &[]);
        }

        #[test]
        fn what_is_accepted_after_a_change_is_written_back_the_same(at in 0usize..128, to in any::<u8>()) {
            let mut bytes = sample().to_cygwin(Machine::Amd64).expect("fits");
            let at = at % bytes.len();
            bytes[at] = to;
            if let Ok(database) = Database::from_cygwin(&bytes, &[]) {
                let machine = database.entries.values().next().map_or(Machine::Amd64, |it| it.machine);
                let again = database.to_cygwin(machine).expect("it was one");
                prop_assert_eq!(Database::from_cygwin(&again, &[]), Ok(database));
            }
        }
    }
}
