//! Changes in a directory that a program wants to hear of: inotify, told in order with the kinds of change apart.
//!
//! Key types: [`ChangeWatch`], [`Change`]. Names that plat itself remembers are watched by [`crate::name_watch`].

use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags};

use crate::file_path::Errno;

/// Watches directories.
#[derive(Debug)]
pub struct ChangeWatch {
    descriptor: OwnedFd,
}

/// Which changes are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Bytes of files.
    pub contents: bool,
    /// Permissions, times and owners.
    pub attributes: bool,
    /// That a file was read.
    pub reads: bool,
}

/// What happened to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It appeared.
    Added,
    /// It is gone.
    Removed,
    /// Bytes or facts changed.
    Modified,
    /// It is gone to another place; the number pairs it with its new name.
    MovedFrom(u32),
    /// It came from another place.
    MovedTo(u32),
}

/// A change in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something happened to a name in the directory of a watch.
    Name {
        /// The watch.
        watch: i32,
        /// The name.
        name: OsString,
        /// Whether it is a directory's.
        is_directory: bool,
        /// What happened.
        what: What,
    },
    /// The directory of this watch is gone, and the watch with it.
    Ended(i32),
    /// Too much happened to tell it all.
    Lost,
}

impl AsFd for ChangeWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl ChangeWatch {
    /// Makes one.
    ///
    /// # Errors
    /// The kernel's errno when the user has too many.
    pub fn new() -> Result<Self, Errno> {
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        Ok(Self { descriptor: rustix::fs::inotify::init(flags)? })
    }

    /// Begins to watch a directory for names that come and go, and for what else is wanted; returns the watch's number.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn watch(&self, directory: &Path, wanted: Wanted) -> Result<i32, Errno> {
        let mut flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ONLYDIR;
        flags.set(WatchFlags::MODIFY, wanted.contents);
        flags.set(WatchFlags::ATTRIB, wanted.attributes);
        flags.set(WatchFlags::ACCESS, wanted.reads);
        Ok(rustix::fs::inotify::add_watch(&self.descriptor, directory, flags)?)
    }

    /// Returns all that happened and was not told yet, in order.
    pub fn changes(&self) -> Vec<Change> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut reader = Reader::new(&self.descriptor, &mut buffer);
        let mut changes = Vec::new();
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| OsString::from_vec(name.to_bytes().to_vec()));
                    let flags = event.events();
                    let what = match () {
                        () if flags.contains(ReadFlags::CREATE) => What::Added,
                        () if flags.contains(ReadFlags::DELETE) => What::Removed,
                        () if flags.contains(ReadFlags::MOVED_FROM) => What::MovedFrom(event.cookie()),
                        () if flags.contains(ReadFlags::MOVED_TO) => What::MovedTo(event.cookie()),
                        () => What::Modified,
                    };
                    let is_directory = flags.contains(ReadFlags::ISDIR);
                    match name {
                        _ if flags.contains(ReadFlags::QUEUE_OVERFLOW) => changes.push(Change::Lost),
                        _ if flags.contains(ReadFlags::IGNORED) => changes.push(Change::Ended(event.wd())),
                        Some(name) => {
                            changes.push(Change::Name { watch: event.wd(), name, is_directory, what });
                        }
                        None => {}
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                // Nothing more, or nothing that could be read.
                Err(_) => return changes,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_in_order() {
        let directory = std::env::temp_dir().join(format!("plat-change-watch-{}", std::process::id()));
        std::fs::create_dir(&directory).expect("a fresh directory");
        let watcher = ChangeWatch::new().expect("inotify");
        let wanted = Wanted { contents: true, ..Wanted::default() };
        let watch = watcher.watch(&directory, wanted).expect("it is there");
        std::fs::write(directory.join("a"), "x").expect("written");
        std::fs::rename(directory.join("a"), directory.join("b")).expect("renamed");
        std::fs::remove_file(directory.join("b")).expect("removed");
        let kinds: Vec<(OsString, What)> = watcher
            .changes()
            .into_iter()
            .filter_map(|change| match change {
                Change::Name { watch: of, name, what, .. } if of == watch => Some((name, what)),
                _ => None,
            })
            .collect();
        let [a, b] = ["a", "b"].map(OsString::from);
        let What::MovedFrom(cookie) = kinds[2].1 else { panic!("{kinds:?}") };
        let expected = [
            (a.clone(), What::Added),
            (a.clone(), What::Modified),
            (a, What::MovedFrom(cookie)),
            (b.clone(), What::MovedTo(cookie)),
            (b, What::Removed),
        ];
        assert_eq!(kinds, expected);
        std::fs::remove_dir(&directory).expect("it is empty");
        assert_eq!(watcher.changes(), [Change::Ended(watch)]);
    }
}
