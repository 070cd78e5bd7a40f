//! Changes in directories, as `ReadDirectoryChangesW` tells them: what happened since the first call on a handle is kept
//! until the next one.
//!
//! Key type: [`DirectoryWatch`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-readdirectorychangesw>

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use plat_host::change_watch::{Change, ChangeWatch, Wanted, What};
use plat_host::file_path::Errno;
use plat_host::socket::{self, Readiness};
use plat_host::{directory, file_path, pipe};

use super::file::{FileKind, FileObject};
use super::path::{lock, status_of};
use crate::NtStatus;

const NOTIFY_FILE_NAME: u32 = 1;
const NOTIFY_DIR_NAME: u32 = 2;
/// `FILE_NOTIFY_CHANGE_ATTRIBUTES`, `_CREATION`, `_SECURITY`.
const NOTIFY_FACTS: u32 = 0x144;
/// `FILE_NOTIFY_CHANGE_SIZE`, `_LAST_WRITE`.
const NOTIFY_CONTENTS: u32 = 0x18;
const NOTIFY_LAST_WRITE: u32 = 0x10;
const NOTIFY_LAST_ACCESS: u32 = 0x20;
/// All that may be asked for.
const NOTIFY_ALL: u32 = 0x17f;

const ADDED: u32 = 1;
const REMOVED: u32 = 2;
const MODIFIED: u32 = 3;
const OLD_NAME: u32 = 4;
const NEW_NAME: u32 = 5;

/// How deep directories are watched, which bounds cycles, and how many.
const DIRECTORIES_MAX: usize = 8192;

/// One change: what happened, and to which name, from the watched directory on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    action: u32,
    name: Vec<u16>,
}

/// What a directory's handle hears of.
#[derive(Debug)]
pub struct DirectoryWatch {
    watch: ChangeWatch,
    filter: u32,
    subtree: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The directories that are watched, by watch.
    directories: HashMap<i32, PathBuf>,
    records: Vec<Record>,
    is_lost: bool,
}

impl DirectoryWatch {
    /// Begins to watch a directory.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for no filter or an unknown one; the kernel's error.
    pub(super) fn new(root: &Path, filter: u32, subtree: bool) -> Result<Self, NtStatus> {
        if filter == 0 || filter & !NOTIFY_ALL != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let watch = ChangeWatch::new().map_err(status_of)?;
        let this = Self { watch, filter, subtree, state: Mutex::default() };
        this.add(&mut lock(&this.state), root.to_owned(), Path::new(""), false).map_err(status_of)?;
        Ok(this)
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            contents: self.filter & NOTIFY_CONTENTS != 0,
            attributes: self.filter & (NOTIFY_FACTS | NOTIFY_LAST_WRITE) != 0,
            reads: self.filter & NOTIFY_LAST_ACCESS != 0,
        }
    }

    /// Watches a directory, and those in it; what is in one that is new is told.
    fn add(&self, state: &mut State, root: PathBuf, below: &Path, is_new: bool) -> Result<(), Errno> {
        let mut waiting = vec![(root, below.to_owned())];
        while let Some((path, below)) = waiting.pop() {
            if state.directories.len() >= DIRECTORIES_MAX {
                state.is_lost = true;
                return Ok(());
            }
            match self.watch.watch(&path, self.wanted()) {
                Ok(number) => drop(state.directories.insert(number, below.clone())),
                Err(errno) if state.directories.is_empty() => return Err(errno),
                // It is gone already.
                Err(_) => continue,
            }
            if !self.subtree {
                continue;
            }
            for name in directory::names(&path).unwrap_or_default() {
                let status = file_path::Status::of_path(&path.join(&name), false);
                let is_directory = status.is_ok_and(|status| status.kind == file_path::Kind::Directory);
                if is_new && self.tells_names_of(is_directory) {
                    state.records.push(Record { action: ADDED, name: shown(&below, &name) });
                }
                if is_directory {
                    waiting.push((path.join(&name), below.join(&name)));
                }
            }
        }
        Ok(())
    }

    fn tells_names_of(&self, is_directory: bool) -> bool {
        self.filter & if is_directory { NOTIFY_DIR_NAME } else { NOTIFY_FILE_NAME } != 0
    }

    /// Takes what the kernel knows into the records.
    fn gather(&self, root: &Path) {
        let mut state = lock(&self.state);
        let changes = self.watch.changes();
        for (index, change) in changes.iter().enumerate() {
            match change {
                Change::Lost => state.is_lost = true,
                Change::Ended(watch) => drop(state.directories.remove(watch)),
                Change::Name { watch, name, is_directory, what } => {
                    let Some(below) = state.directories.get(watch).cloned() else { continue };
                    let is_pair = |other: u32| {
                        changes.iter().enumerate().any(|(at, change)| match change {
                            Change::Name { what: What::MovedFrom(cookie), .. } => {
                                at < index && *cookie == other
                            }
                            Change::Name { what: What::MovedTo(cookie), .. } => {
                                at > index && *cookie == other
                            }
                            _ => false,
                        })
                    };
                    let action = match what {
                        What::Added => ADDED,
                        What::Removed => REMOVED,
                        What::Modified => MODIFIED,
                        What::MovedFrom(cookie) if is_pair(*cookie) => OLD_NAME,
                        What::MovedFrom(_) => REMOVED,
                        What::MovedTo(cookie) if is_pair(*cookie) => NEW_NAME,
                        What::MovedTo(_) => ADDED,
                    };
                    let is_told = action == MODIFIED || self.tells_names_of(*is_directory);
                    let record = Record { action, name: shown(&below, name) };
                    // Windows tells one change of the same file once, until somebody asks.
                    if is_told && (action != MODIFIED || state.records.last() != Some(&record)) {
                        state.records.push(record);
                    }
                    if *is_directory && self.subtree && matches!(action, ADDED | NEW_NAME) {
                        let at = below.join(name);
                        // A directory that is gone again has no changes.
                        let _ = self.add(&mut state, root.join(&at), &at, action == ADDED);
                    }
                }
            }
        }
    }

    /// Says whether something happened since the last question.
    pub(super) fn has_news(&self, root: &Path) -> bool {
        self.take(root, u64::MAX).is_some()
    }

    /// Takes the records, laid out as FILE_NOTIFY_INFORMATION; none when nothing happened, no bytes when there was more
    /// than fits.
    fn take(&self, root: &Path, room: u64) -> Option<Vec<u8>> {
        self.gather(root);
        let mut state = lock(&self.state);
        if state.records.is_empty() && !state.is_lost {
            return None;
        }
        let records = std::mem::take(&mut state.records);
        let is_lost = std::mem::take(&mut state.is_lost);
        let bytes = laid_out(&records);
        Some(if is_lost || bytes.len() as u64 > room { Vec::new() } else { bytes })
    }
}

/// Returns a name below the watched directory as Windows writes it.
fn shown(below: &Path, name: &OsStr) -> Vec<u16> {
    below.join(name).to_string_lossy().replace('/', "\\").encode_utf16().collect()
}

fn laid_out(records: &[Record]) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut last = None;
    for record in records {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let here = bytes.len();
        if let Some(last) = last {
            let distance = (here - last) as u32;
            bytes[last..last + 4].copy_from_slice(&distance.to_le_bytes());
        }
        last = Some(here);
        let size = record.name.len() as u32 * 2;
        bytes.extend([0, record.action, size].into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(record.name.iter().flat_map(|unit| unit.to_le_bytes()));
    }
    bytes
}

impl FileObject {
    /// Begins to hear of changes in the directory; a filter that was set before stays.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for what is no directory or a bad filter.
    pub fn watch_directory(&self, filter: u32, subtree: bool) -> Result<(), NtStatus> {
        if self.kind != FileKind::Directory {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if self.transfers.changes.get().is_none() {
            let root = self.unix_path().ok_or(NtStatus::INVALID_PARAMETER)?;
            let watch = Arc::new(DirectoryWatch::new(&root, filter, subtree)?);
            // Another thread may have been faster.
            let _ = self.transfers.changes.set(watch);
        }
        Ok(())
    }

    /// Takes the changes that are known into guest memory; `None` when there are none.
    pub(super) fn attempt_changes(&self, buffer: u64, length: u64) -> Option<Result<u64, NtStatus>> {
        let watch = self.transfers.changes.get()?;
        let bytes = watch.take(&self.unix_path()?, length)?;
        let written = pipe::write_guest_by_kernel(buffer, &bytes);
        Some(written.map(|()| bytes.len() as u64).map_err(|_| NtStatus::ACCESS_VIOLATION))
    }

    /// Waits until something changed, and takes it.
    ///
    /// # Errors
    /// `CANCELLED` when the thread is to end.
    pub fn await_changes(&self, buffer: u64, length: u64) -> Result<u64, NtStatus> {
        let watch = self.transfers.changes.get().ok_or(NtStatus::INVALID_PARAMETER)?;
        let read = Readiness { read: true, ..Readiness::default() };
        loop {
            if let Some(outcome) = self.attempt_changes(buffer, length) {
                return outcome;
            }
            match socket::poll(&[(watch.as_fd(), read)], None) {
                Err(Errno(4)) => super::socket_wait::after_signal().map_err(|_| NtStatus::CANCELLED)?,
                other => drop(other.map_err(status_of)?),
            }
        }
    }
}

impl AsFd for DirectoryWatch {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.watch.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> Vec<(u32, String)> {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let (mut found, mut at) = (Vec::new(), 0);
        loop {
            let name = &bytes[at + 12..at + 12 + number(at + 8)];
            let units: Vec<u16> = name.chunks(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
            found.push((number(at + 4) as u32, String::from_utf16(&units).unwrap()));
            match number(at) {
                0 => return found,
                next => at += next,
            }
        }
    }

    #[test]
    fn changes_below_a_directory_are_told() {
        let root = std::env::temp_dir().join(format!("plat-directory-watch-{}", std::process::id()));
        std::fs::create_dir(&root).unwrap();
        let watch = DirectoryWatch::new(&root, 3, true).unwrap();
        assert_eq!(watch.take(&root, 1000), None);
        std::fs::write(root.join("a"), "x").unwrap();
        std::fs::rename(root.join("a"), root.join("b")).unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        let pair = |action: u32, name: &str| (action, name.to_owned());
        let first = told(&watch.take(&root, 1000).unwrap());
        assert_eq!(first, [pair(ADDED, "a"), pair(OLD_NAME, "a"), pair(NEW_NAME, "b"), pair(ADDED, "sub")]);
        std::fs::write(root.join("sub/deep"), "x").unwrap();
        assert_eq!(told(&watch.take(&root, 1000).unwrap()), [pair(ADDED, "sub\\deep")]);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(watch.take(&root, 8), Some(Vec::new()), "more than fits");
        assert_eq!(DirectoryWatch::new(Path::new("/"), 0, false).unwrap_err(), NtStatus::INVALID_PARAMETER);
    }
}
