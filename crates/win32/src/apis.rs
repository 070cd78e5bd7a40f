//! The coverage table as values: every exported name with its status, and totals per DLL, for `plat apis`.
//!
//! Key types: [`ApiRow`], [`Status`], [`Totals`]. The table is the DLLs' own tables of contents, so it cannot lie.

use crate::export::{Body, Dll, Export};
use crate::{DLLS, builtin};

/// How far a name is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Done.
    Full,
    /// Works within stated limits.
    Partial,
    /// Another DLL's function.
    Forward,
    /// Named, but a call stops the program.
    Stub,
    /// A variable.
    Data,
    /// Guest code that never enters the host.
    Code,
}

impl Status {
    /// All of them, in the order in which totals are shown.
    pub const ALL: [Self; 6] = [Self::Full, Self::Partial, Self::Forward, Self::Code, Self::Data, Self::Stub];

    /// Returns the word for it: `full`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Forward => "forward",
            Self::Stub => "stub",
            Self::Data => "data",
            Self::Code => "code",
        }
    }

    /// Says whether a program can use the name.
    pub const fn works(self) -> bool {
        !matches!(self, Self::Stub)
    }
}

/// One exported name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiRow {
    /// The DLL, as in `kernel32.dll`.
    pub dll: &'static str,
    /// The name as importers spell it.
    pub name: &'static str,
    /// The ordinal, where importers use it.
    pub ordinal: Option<u16>,
    /// How far it is done.
    pub status: Status,
    /// What it lacks, or where it is forwarded to.
    pub limits: Option<&'static str>,
}

impl ApiRow {
    fn new(dll: &'static Dll, export: &'static Export) -> Self {
        let (status, limits) = match export.body {
            Body::Api(_) if export.limits.is_some() => (Status::Partial, export.limits),
            Body::Api(_) => (Status::Full, None),
            Body::Forward(to) => (Status::Forward, Some(to)),
            Body::Stub => (Status::Stub, None),
            Body::Data(_) => (Status::Data, None),
            Body::Code(_) => (Status::Code, None),
        };
        Self { dll: dll.name, name: export.name, ordinal: export.ordinal, status, limits }
    }
}

/// How many names of a DLL have which status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    counts: [usize; Status::ALL.len()],
    /// How many functions Microsoft's metadata has for the DLL; `None` where it has none.
    pub documented: Option<usize>,
}

impl Totals {
    /// Returns the count of one status.
    pub fn count(&self, status: Status) -> usize {
        Status::ALL.iter().position(|&other| other == status).map_or(0, |index| self.counts[index])
    }

    /// Returns the count of names that a program can use.
    pub fn working(&self) -> usize {
        Status::ALL.iter().filter(|status| status.works()).map(|&status| self.count(status)).sum()
    }

    /// Returns the count of all names.
    pub fn names(&self) -> usize {
        self.counts.iter().sum()
    }
}

/// How many functions of each DLL Microsoft's metadata describes; `tests/metadata.rs` holds the numbers to it.
///
/// Source: the crate windows-default 0.100.0, Windows.Win32.winmd.
pub const DOCUMENTED: &[(&str, usize)] = &[
    ("ntdll.dll", 557),
    ("kernel32.dll", 1313),
    ("user32.dll", 756),
    ("advapi32.dll", 579),
    ("oleaut32.dll", 381),
];

/// Returns every exported name: DLLs in their order, names sorted in each.
pub fn rows() -> Vec<ApiRow> {
    DLLS.iter().flat_map(rows_of).collect()
}

/// Returns the exported names of one DLL, sorted.
pub fn rows_of(dll: &'static Dll) -> Vec<ApiRow> {
    let mut rows: Vec<ApiRow> = dll.exports().map(|export| ApiRow::new(dll, export)).collect();
    rows.sort_by_key(|row| row.name);
    rows
}

/// Returns the totals of a DLL by file name, if plat has it.
pub fn totals(name: &str) -> Option<Totals> {
    let dll = builtin(name)?;
    let documented = DOCUMENTED.iter().find(|row| row.0 == dll.name).map(|row| row.1);
    let mut totals = Totals { documented, ..Totals::default() };
    for row in rows_of(dll) {
        if let Some(index) = Status::ALL.iter().position(|&status| status == row.status) {
            totals.counts[index] += 1;
        }
    }
    Some(totals)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use plat_abi::Machine;

    use super::*;

    #[test]
    fn no_name_or_ordinal_is_exported_twice() {
        for (dll, machine) in
            DLLS.iter().flat_map(|dll| [Machine::I386, Machine::Amd64].map(|machine| (dll, machine)))
        {
            let (mut names, mut ordinals) = (HashSet::new(), HashSet::new());
            for export in dll.exports() {
                // A machine without the code does not export the name.
                if matches!(export.body, Body::Code(code) if code.bytes(machine).is_empty()) {
                    continue;
                }
                assert!(names.insert(export.name), "{}!{} twice", dll.name, export.name);
                let ordinal = export.ordinal;
                assert!(ordinal.is_none() || ordinals.insert(ordinal), "{} @{ordinal:?} twice", dll.name);
            }
        }
    }

    #[test]
    fn forwards_lead_to_something_that_is_there() {
        for row in rows().into_iter().filter(|row| row.status == Status::Forward) {
            let target = row.limits.and_then(|to| to.rsplit_once('.')).map(|(dll, name)| {
                let dll = builtin(&format!("{dll}.dll"));
                dll.is_some_and(|dll| dll.exports().any(|export| export.name == name))
            });
            assert_eq!(target, Some(true), "{}!{} => {:?}", row.dll, row.name, row.limits);
        }
    }

    #[test]
    fn totals_add_up() {
        for dll in DLLS {
            let totals = totals(dll.name).unwrap();
            assert_eq!(totals.names(), dll.exports().count());
            assert_eq!(totals.working() + totals.count(Status::Stub), totals.names());
        }
        assert_eq!(totals("nowhere.dll"), None);
    }

    #[test]
    fn limits_are_stated_for_partial_names() {
        let rows = rows();
        let partial = rows.iter().filter(|row| row.status == Status::Partial);
        assert!(partial.clone().count() > 0);
        for row in partial {
            assert!(row.limits.is_some_and(|limits| limits.len() > 5), "{}!{}", row.dll, row.name);
        }
    }
}
