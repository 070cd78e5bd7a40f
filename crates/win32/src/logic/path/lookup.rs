//! Case-insensitive look-up: from the spelling a program used to the spelling on disk.

use super::super::nls::case::equal_ignore_case;
use super::unix::unix_name_to_wide;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What look-up asks of the file system.
pub trait DirectorySource {
    /// Tells whether the path exists (a dangling symbolic link does).
    fn exists(&self, path: &Path) -> bool;
    /// Returns the names in a directory, or none when it cannot be read.
    fn names(&self, directory: &Path) -> Vec<OsString>;

    /// Returns the name in a directory that is equal to the wanted one when case is ignored: the least in byte order, so
    /// that the answer does not depend on the directory's own order.
    fn find_name(&self, directory: &Path, wanted: &OsStr) -> Option<OsString> {
        let wanted = unix_name_to_wide(wanted);
        let is_match = |name: &OsString| equal_ignore_case(&unix_name_to_wide(name), &wanted);
        self.names(directory).into_iter().filter(is_match).min()
    }
}

/// The result of a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The path exists, in this spelling.
    Exists(PathBuf),
    /// Its directory exists, in this spelling; the last name, kept as given, does not.
    NameMissing(PathBuf),
    /// A directory on the way does not exist.
    DirectoryMissing(PathBuf),
}

/// Finds an absolute path: an exact match wins, else the first name (in byte order) that is equal when case is ignored.
pub fn find(path: &Path, source: &impl DirectorySource) -> Found {
    // The common case costs one question.
    if source.exists(path) {
        return Found::Exists(path.to_owned());
    }
    let names: Vec<_> = path.components().collect();
    let mut found = PathBuf::new();
    // Mostly the last name alone is missing or spelled otherwise.
    let known = match path.parent() {
        Some(parent) if source.exists(parent) => {
            found.push(parent);
            names.len() - 1
        }
        _ => 0,
    };
    for (at, component) in names.iter().enumerate().skip(known) {
        let next = found.join(component);
        if source.exists(&next) {
            found = next;
            continue;
        }
        let Some(name) = source.find_name(&found, component.as_os_str()) else {
            let rest: PathBuf = names[at..].iter().collect();
            let missing = found.join(rest);
            let is_last = at + 1 == names.len();
            return if is_last { Found::NameMissing(missing) } else { Found::DirectoryMissing(missing) };
        };
        found.push(name);
    }
    Found::Exists(found)
}
