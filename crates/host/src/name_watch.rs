//! News of names in directories, from whichever process they come: inotify, on file systems whose changes all pass
//! through this kernel.
//!
//! Key types: [`NameWatch`], [`News`].

use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags};

/// Watches directories.
#[derive(Debug)]
pub struct NameWatch {
    descriptor: OwnedFd,
}

/// What happened to a watched directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A name appeared in the directory of this watch.
    Added(i32, OsString),
    /// A name is gone.
    Removed(i32, OsString),
    /// The directory of this watch is gone, and the watch with it.
    Ended(i32),
    /// Too much happened: nothing that is remembered is good any more.
    Lost,
}

/// File systems that only this kernel changes: ext, XFS, Btrfs, tmpfs, ramfs, overlayfs, F2FS, ZFS, bcachefs.
///
/// Source: Linux, include/uapi/linux/magic.h.
const LOCAL: [u64; 9] = [
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0x0102_1994,
    0x8584_58f6,
    0x794c_7630,
    0xf2f5_2010,
    0x2fc1_2fc1,
    0xca45_1a4e,
];

impl NameWatch {
    /// Makes one; `None` where the kernel has no more of them for the user.
    pub fn new() -> Option<Self> {
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        rustix::fs::inotify::init(flags).ok().map(|descriptor| Self { descriptor })
    }

    /// Begins to watch a directory; returns the watch's number. `None` where news would not be complete.
    pub fn watch(&self, directory: &Path) -> Option<i32> {
        let kind = rustix::fs::statfs(directory).ok()?.f_type as u64 & 0xffff_ffff;
        if !LOCAL.contains(&kind) {
            return None;
        }
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ONLYDIR;
        rustix::fs::inotify::add_watch(&self.descriptor, directory, flags).ok()
    }

    /// Ends a watch.
    pub fn end(&self, watch: i32) {
        // One that ended by itself is unknown: just as good.
        let _ = rustix::fs::inotify::remove_watch(&self.descriptor, watch);
    }

    /// Returns all that happened and was not told yet, in order. An operation that has ended, in any process, is told.
    pub fn news(&self) -> Vec<News> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut reader = Reader::new(&self.descriptor, &mut buffer);
        let mut news = Vec::new();
        // Any error but "nothing more" leaves what follows unknown.
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| OsString::from_vec(name.to_bytes().to_vec()));
                    let flags = event.events();
                    let appeared = flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
                    match name {
                        _ if flags.contains(ReadFlags::QUEUE_OVERFLOW) => news.push(News::Lost),
                        _ if flags.contains(ReadFlags::IGNORED) => news.push(News::Ended(event.wd())),
                        Some(name) if appeared => news.push(News::Added(event.wd(), name)),
                        Some(name) => news.push(News::Removed(event.wd(), name)),
                        None => {}
                    }
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return news,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => {
                    news.push(News::Lost);
                    return news;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_come_and_go_are_told_in_order() {
        let directory = std::env::temp_dir().join(format!("plat-name-watch-{}", std::process::id()));
        std::fs::create_dir(&directory).expect("a fresh directory");
        let watcher = NameWatch::new().expect("inotify");
        let Some(watch) = watcher.watch(&directory) else {
            std::fs::remove_dir(&directory).expect("it is empty");
            return;
        };
        std::fs::write(directory.join("a"), "").expect("written");
        std::fs::rename(directory.join("a"), directory.join("b")).expect("renamed");
        let [a, b] = ["a", "b"].map(OsString::from);
        let expected = [News::Added(watch, a.clone()), News::Removed(watch, a), News::Added(watch, b)];
        assert_eq!(watcher.news(), expected);
        std::fs::remove_dir_all(&directory).expect("removed");
        assert_eq!(watcher.news().last(), Some(&News::Ended(watch)));
    }
}
