//! Which file, or which builtin, a DLL's name means (decision D8).
//!
//! A DLL next to the program wins over the builtin of the same name, unless it is one of the system's own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use plat_win32::export::Dll;

/// Which of the two an option of the user demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The DLL's file.
    Native,
    /// plat's own.
    Builtin,
}

/// What the user said about DLLs.
#[derive(Clone, Debug, Default)]
pub struct SearchOptions {
    /// By file name in lower case.
    pub choices: HashMap<String, Choice>,
    /// Further folders, searched after the program's own.
    pub paths: Vec<PathBuf>,
}

/// What a name turned out to mean.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// plat's own DLL.
    Builtin(&'static Dll),
    /// A file.
    File(PathBuf),
}

/// DLLs that programs must not replace: they speak to plat itself.
const SYSTEM: [&str; 6] =
    ["ntdll.dll", "kernel32.dll", "kernelbase.dll", "advapi32.dll", "shell32.dll", "ole32.dll"];

/// Normalises a DLL's name as Windows' loader does: lower case, `.dll` where there is no dot.
pub(crate) fn normal_name(name: &str) -> String {
    let base = name.rsplit(['\\', '/']).next().unwrap_or(name);
    let mut lower = base.to_lowercase();
    if !lower.contains('.') {
        lower.push_str(".dll");
    }
    // A trailing dot says "no extension".
    lower.strip_suffix('.').map(str::to_owned).unwrap_or(lower)
}

/// The search order of one program.
#[derive(Debug)]
pub(crate) struct Search {
    folder: PathBuf,
    options: SearchOptions,
}

impl Search {
    /// Prepares the search for a program in `folder`.
    pub(crate) fn new(folder: &Path, options: SearchOptions) -> Self {
        Self { folder: folder.to_path_buf(), options }
    }

    /// Lists the folders in the order in which they are searched.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.folder.as_path()).chain(self.options.paths.iter().map(PathBuf::as_path))
    }

    /// Finds what a DLL's name means.
    pub(crate) fn find(&self, name: &str) -> Option<Found> {
        let name = normal_name(name);
        let builtin = plat_win32::builtin(&name).map(Found::Builtin);
        let choice = self.options.choices.get(&name).copied();
        let is_system = SYSTEM.contains(&name.as_str());
        match choice {
            Some(Choice::Builtin) => builtin,
            Some(Choice::Native) => self.file(&name),
            None if is_system => builtin,
            None => self.file(&name).or(builtin),
        }
    }

    /// Finds a file of this name in the folders, without regard to case.
    fn file(&self, name: &str) -> Option<Found> {
        self.folders().find_map(|folder| find_in(folder, name)).map(Found::File)
    }
}

/// Finds a file in a folder: by its exact name, else without regard to case.
pub(crate) fn find_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let exact = folder.join(name);
    if exact.is_file() {
        return Some(exact);
    }
    let entries = std::fs::read_dir(folder).ok()?;
    let mut paths = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|other| other.eq_ignore_ascii_case(name)));
    paths.find(|entry| entry.path().is_file()).map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::normal_name;

    #[test]
    fn names_are_normalised_as_windows_does() {
        for (given, normal) in [
            ("KERNEL32", "kernel32.dll"),
            ("Foo.DLL", "foo.dll"),
            ("plugin.", "plugin"),
            (r"C:\x\Bar", "bar.dll"),
            ("z:/y/a.ocx", "a.ocx"),
        ] {
            assert_eq!(normal_name(given), normal);
        }
    }
}
