//! Enumeration of directories with patterns, in NTFS's order. Key types: [`Enumeration`], [`Found`].

use std::path::{Path, PathBuf};

use plat_host::directory;
use plat_host::file_path::{Errno, Status};

use super::file_info::FileFacts;
use super::object::{Object, ObjectKind};
use super::path::status_of;
use crate::NtStatus;
use crate::logic::nls::case::upcase_string;
use crate::logic::path::unix_name_to_wide;
use crate::logic::wildcard;

/// One entry that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: Vec<u16>,
    /// What Windows tells about it.
    pub facts: FileFacts,
}

/// The rest of an enumeration.
#[derive(Debug)]
pub struct Enumeration {
    directory: PathBuf,
    /// The names to come, the next one last, each with its spelling on the disk.
    names: Vec<(Vec<u16>, std::ffi::OsString)>,
}

impl Enumeration {
    /// Begins an enumeration of the entries of a Unix directory that match a `FindFirstFile` pattern.
    ///
    /// `.` and `..` come first where the pattern matches them; a drive's root has none.
    ///
    /// # Errors
    /// `NOT_A_DIRECTORY`, `ACCESS_DENIED`.
    pub fn begin(directory: &Path, pattern: &[u16], is_root: bool) -> Result<Self, NtStatus> {
        let expression = wildcard::dos_pattern_to_expression(pattern);
        let matches = |name: &[u16]| wildcard::is_name_in_expression(&expression, name, true);
        let found = directory::names(directory).map_err(|errno| match errno {
            Errno::NOT_A_DIRECTORY => NtStatus::NOT_A_DIRECTORY,
            other => status_of(other),
        })?;
        let mut names: Vec<_> = found
            .into_iter()
            .map(|name| (unix_name_to_wide(&name), name))
            .filter(|(wide, _)| matches(wide))
            .map(|(wide, name)| (upcase_string(&wide), wide, name))
            .collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        let mut names: Vec<_> = names.into_iter().map(|(_, wide, name)| (wide, name)).collect();
        if !is_root {
            for dots in ["..", "."] {
                let wide: Vec<u16> = dots.encode_utf16().collect();
                // `*.` means names without an extension, and these two count as such, although they have dots.
                let wants_no_extension = pattern.last() == Some(&u16::from(b'.'));
                if matches(&wide) || (wants_no_extension && matches(&[])) {
                    names.push((wide, dots.into()));
                }
            }
        }
        Ok(Self { directory: directory.to_owned(), names })
    }

    /// Returns an enumeration at its end.
    pub fn empty() -> Self {
        Self { directory: PathBuf::new(), names: Vec::new() }
    }

    /// Returns the next entry; those that vanished in between are passed over.
    pub fn next_entry(&mut self) -> Option<Found> {
        while let Some((name, unix)) = self.names.pop() {
            let path = self.directory.join(&unix);
            // A symbolic link that leads nowhere is shown as itself.
            let status = Status::of_path(&path, true).or_else(|_| Status::of_path(&path, false));
            if let Ok(status) = status {
                let kept = || plat_host::file_path::dos_attributes(&path);
                return Some(Found {
                    name,
                    facts: FileFacts::of_status(&status).with_kept(status.kind, kept),
                });
            }
        }
        None
    }

    /// Puts an entry back that did not fit where it was to be stored.
    pub fn put_back(&mut self, found: &Found) {
        let unix = crate::logic::path::wide_to_unix_name(&found.name);
        self.names.push((found.name.clone(), unix));
    }
}

/// An enumeration behind a handle of `FindFirstFile`.
pub struct FindObject {
    /// What is to come.
    pub rest: std::sync::Mutex<Enumeration>,
}

impl Object for FindObject {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Find
    }
}
