//! Names of directories, remembered for the case-insensitive look-up: without it a program that makes thousands of files
//! in a directory would have it read for each of them. What other programs change is seen: the kernel tells.
//!
//! Key type: [`NameCache`].

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Mutex;

use plat_host::directory;
use plat_host::file_path::Status;
use plat_host::name_watch::{NameWatch, News};

use super::path::lock;
use crate::logic::nls::case::upcase_string;
use crate::logic::path::unix_name_to_wide;

/// The least number of names for which remembering pays at once; smaller directories are remembered when they were read
/// this often.
const NAMES_MIN: usize = 64;
const READINGS_MIN: u32 = 8;
/// The most directories that are remembered.
const DIRECTORIES_MAX: usize = 256;

/// Remembered directories.
#[derive(Default)]
pub struct NameCache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether the kernel was asked for a watcher; it may have none.
    is_started: bool,
    watcher: Option<NameWatch>,
    /// By device and inode: renaming a directory, or one above it, changes nothing in it.
    watches: HashMap<(u64, u64), i32>,
    names: HashMap<i32, Names>,
    /// How often directories were read that are not remembered.
    readings: HashMap<(u64, u64), u32>,
}

/// The names of one directory, by their upper case.
#[derive(Default)]
struct Names(HashMap<Vec<u16>, BTreeSet<OsString>>);

fn folded(name: &OsStr) -> Vec<u16> {
    upcase_string(&unix_name_to_wide(name))
}

impl Names {
    fn read(directory: &Path) -> Self {
        let mut names = Self::default();
        directory::names(directory).unwrap_or_default().into_iter().for_each(|name| names.add(name));
        names
    }

    fn add(&mut self, name: OsString) {
        self.0.entry(folded(&name)).or_default().insert(name);
    }

    fn remove(&mut self, name: &OsStr) {
        let key = folded(name);
        if let Some(spellings) = self.0.get_mut(&key) {
            spellings.remove(name);
            if spellings.is_empty() {
                self.0.remove(&key);
            }
        }
    }

    /// Returns the least spelling in byte order.
    fn find(&self, wanted: &OsStr) -> Option<OsString> {
        self.0.get(&folded(wanted))?.first().cloned()
    }
}

impl NameCache {
    /// Finds the spelling of a name in a directory, case ignored: the least in byte order.
    pub fn find(&self, directory: &Path, wanted: &OsStr) -> Option<OsString> {
        let mut state = lock(&self.state);
        state.take_news();
        let status = Status::of_path(directory, true).ok()?;
        let key = (status.device, status.inode);
        if let Some(names) = state.watches.get(&key).and_then(|watch| state.names.get(watch)) {
            return names.find(wanted);
        }
        // To watch takes ten times as long as to read a few names.
        let names = Names::read(directory);
        let readings = state.count_reading(key);
        if names.0.len() < NAMES_MIN && readings < READINGS_MIN {
            return names.find(wanted);
        }
        // Watched before it is read: what happens in between is told, and adding or removing twice does no harm.
        let Some(watch) = state.watch(directory) else { return names.find(wanted) };
        let names = Names::read(directory);
        let found = names.find(wanted);
        state.watches.insert(key, watch);
        state.names.insert(watch, names);
        found
    }
}

impl State {
    fn watch(&mut self, directory: &Path) -> Option<i32> {
        if !std::mem::replace(&mut self.is_started, true) {
            self.watcher = NameWatch::new();
        }
        if self.watches.len() >= DIRECTORIES_MAX {
            self.forget_all();
        }
        self.watcher.as_ref()?.watch(directory)
    }

    /// Notes that a directory was read; says how often.
    fn count_reading(&mut self, key: (u64, u64)) -> u32 {
        if self.readings.len() >= DIRECTORIES_MAX {
            self.readings.clear();
        }
        let count = self.readings.entry(key).or_default();
        *count += 1;
        *count
    }

    fn end(&self, watch: i32) {
        if let Some(watcher) = &self.watcher {
            watcher.end(watch);
        }
    }

    fn forget_all(&mut self) {
        for &watch in self.watches.values() {
            self.end(watch);
        }
        self.watches.clear();
        self.names.clear();
    }

    /// Brings what is remembered up to date.
    fn take_news(&mut self) {
        let Some(watcher) = &self.watcher else { return };
        for news in watcher.news() {
            match news {
                News::Added(watch, name) => {
                    if let Some(names) = self.names.get_mut(&watch) {
                        names.add(name);
                    }
                }
                News::Removed(watch, name) => {
                    if let Some(names) = self.names.get_mut(&watch) {
                        names.remove(&name);
                    }
                }
                News::Ended(watch) => {
                    self.names.remove(&watch);
                    self.watches.retain(|_, other| *other != watch);
                }
                News::Lost => {
                    self.forget_all();
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_directory_is_remembered_when_it_was_read_often() {
        let directory = std::env::temp_dir().join(format!("plat-small-names-{}", std::process::id()));
        std::fs::create_dir(&directory).expect("a fresh directory");
        let cache = NameCache::default();
        for index in 0..20 {
            assert_eq!(cache.find(&directory, OsStr::new("NAME")), None);
            let is_remembered = !lock(&cache.state).names.is_empty();
            assert_eq!(is_remembered, index + 1 >= READINGS_MIN, "look-up {index}");
        }
        std::fs::write(directory.join("Name"), "").expect("written");
        assert_eq!(cache.find(&directory, OsStr::new("NAME")), Some("Name".into()));
        std::fs::remove_dir_all(&directory).expect("removed");
        assert_eq!(cache.find(&directory, OsStr::new("NAME")), None);
    }

    #[test]
    fn what_others_do_in_a_remembered_directory_is_seen() {
        let directory = std::env::temp_dir().join(format!("plat-name-cache-{}", std::process::id()));
        std::fs::create_dir(&directory).expect("a fresh directory");
        let cache = NameCache::default();
        let find = |name: &str| cache.find(&directory, OsStr::new(name)).map(|name| name.into_string());
        let found = |name: &str| Some(Ok(name.to_string()));
        for index in 0..100 {
            std::fs::write(directory.join(format!("File{index}")), "").expect("written");
        }
        assert_eq!(find("FILE7"), found("File7"));
        assert_eq!(find("file100"), None);
        std::fs::write(directory.join("File100"), "").expect("written");
        assert_eq!(find("file100"), found("File100"));
        std::fs::write(directory.join("FILE100"), "").expect("written");
        assert_eq!(find("file100"), found("FILE100"), "the least in byte order");
        std::fs::remove_file(directory.join("FILE100")).expect("removed");
        std::fs::rename(directory.join("File100"), directory.join("other")).expect("renamed");
        assert_eq!((find("file100"), find("OTHER")), (None, found("other")));
        let moved = directory.with_extension("moved");
        std::fs::rename(&directory, &moved).expect("renamed");
        std::fs::create_dir(&directory).expect("a fresh directory");
        assert_eq!(find("FILE7"), None, "another directory of that name");
        assert_eq!(cache.find(&moved, OsStr::new("file7")).map(OsString::into_string), found("File7"));
        std::fs::remove_dir_all(&moved).expect("removed");
        std::fs::remove_dir_all(&directory).expect("removed");
    }
}
