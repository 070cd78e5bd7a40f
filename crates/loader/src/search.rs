//! Which file, or which builtin, a DLL's name means (decision D8).
//!
//! A DLL next to the program wins over the builtin of the same name, unless it is one of the system's own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use plat_win32::export::Dll;
use plat_win32::logic::record::{Reader, Writer};
use plat_win32::nt::dll_folders::SearchPlan;
use plat_win32::process::Process;

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

impl SearchOptions {
    /// Lays the options in a row of bytes, for a child process.
    pub(crate) fn encode(&self) -> Vec<u8> {
        use std::os::unix::ffi::OsStrExt;
        let mut writer = Writer::default();
        writer.u32(self.choices.len() as u32);
        for (name, choice) in &self.choices {
            writer.bytes(name.as_bytes()).u32(u32::from(*choice == Choice::Native));
        }
        writer.u32(self.paths.len() as u32);
        for path in &self.paths {
            // A child may begin in another directory.
            writer.bytes(crate::start::absolute(path).as_os_str().as_bytes());
        }
        writer.finish()
    }

    /// Reads the options of a parent; nothing when they are damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        use std::os::unix::ffi::OsStringExt;
        let mut options = Self::default();
        if bytes.is_empty() {
            return Some(options);
        }
        let mut reader = Reader::new(bytes);
        for _ in 0..reader.u32().ok()? {
            let name = String::from_utf8(reader.bytes().ok()?).ok()?;
            let choice = if reader.u32().ok()? == 1 { Choice::Native } else { Choice::Builtin };
            options.choices.insert(name, choice);
        }
        for _ in 0..reader.u32().ok()? {
            options.paths.push(std::ffi::OsString::from_vec(reader.bytes().ok()?).into());
        }
        reader.is_at_end().then_some(options)
    }
}

/// What a name turned out to mean.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// plat's own DLL.
    Builtin(&'static Dll),
    /// A file.
    File(PathBuf),
}

/// DLLs that programs must not replace: they speak to plat itself, or are the system's own on Windows too, as `msvcrt`
/// is among its "known DLLs" and `ucrtbase` behind its API sets.
const SYSTEM: [&str; 8] = [
    "ntdll.dll",
    "kernel32.dll",
    "kernelbase.dll",
    "advapi32.dll",
    "shell32.dll",
    "ole32.dll",
    "msvcrt.dll",
    "ucrtbase.dll",
];

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
    /// What the load under way searches besides.
    plan: SearchPlan,
}

impl Search {
    /// Prepares the search for a program in `folder`.
    pub(crate) fn new(folder: &Path, options: SearchOptions) -> Self {
        Self { folder: folder.to_path_buf(), options, plan: SearchPlan::default() }
    }

    /// Sets what the next searches are for.
    pub(crate) fn follow(&mut self, plan: SearchPlan) {
        self.plan = plan;
    }

    /// Lists the folders that are searched before the system's DLLs, in their order.
    pub(crate) fn folders(&self, process: Option<&Process>) -> Vec<PathBuf> {
        let locate = |folder: &Vec<u16>| process?.files.locate(folder).ok();
        let own = self.plan.own.iter().filter_map(locate);
        let program = self.plan.program.then(|| self.folder.clone());
        let given = self.options.paths.iter().cloned();
        own.chain(program).chain(given).chain(self.plan.users.iter().filter_map(locate)).collect()
    }

    /// Lists the folders that are searched after the system's DLLs: the current directory and those of `PATH`.
    fn late_folders(&self, process: Option<&Process>) -> Vec<PathBuf> {
        let Some(process) = process else { return Vec::new() };
        let locate = |folder: &[u16]| process.files.locate(folder).ok();
        let current = self.plan.current.then(|| locate(&[u16::from(b'.')])).flatten();
        let name: Vec<u16> = "PATH".encode_utf16().collect();
        let path = self.plan.variable.then(|| process.environment.get(process, &name)).flatten();
        let path = path.unwrap_or_default();
        let listed = path.split(|&unit| unit == u16::from(b';')).filter(|folder| !folder.is_empty());
        current.into_iter().chain(listed.filter_map(locate)).collect()
    }

    /// Finds what a DLL's name means, to a process or, without one, to whoever asks about a program.
    pub(crate) fn find(&self, process: Option<&Process>, name: &str) -> Option<Found> {
        let name = normal_name(name);
        let builtin = plat_win32::builtin(&name).map(Found::Builtin);
        let choice = self.options.choices.get(&name).copied();
        let is_system = SYSTEM.contains(&name.as_str());
        let early = || file_in(&self.folders(process), &name);
        match choice {
            Some(Choice::Builtin) => builtin,
            Some(Choice::Native) => early(),
            None if is_system => builtin,
            None => early()
                .or(builtin.filter(|_| self.plan.system))
                .or_else(|| file_in(&self.late_folders(process), &name)),
        }
    }
}

/// Finds a file of this name in folders, without regard to case.
fn file_in(folders: &[PathBuf], name: &str) -> Option<Found> {
    folders.iter().find_map(|folder| find_in(folder, name)).map(Found::File)
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
