//! The file system as apply needs it: [`Files`], the real one [`Disk`], and what it knows of a file, [`Stat`].
//!
//! Tests put a layer before it that stops at a chosen step, so every step that changes something is one method.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::attributes;

/// When apply waits for the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// A file is on disk before it takes the old one's name, and its record in the journal is, too.
    #[default]
    File,
    /// The system writes when it likes; what is safe from a crash of plat is not safe from a power cut.
    Off,
}

/// What tells one file from another, and one state of it from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Device and number of the file, where the system has such.
    pub id: Option<(u64, u64)>,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    /// How many names it has.
    pub links: u64,
    /// Nobody may write it.
    pub read_only: bool,
    /// It is a plain file.
    pub is_file: bool,
}

/// Memory of files that are done with, for the next ones: fresh memory costs a page fault for each 4 KiB, as much as
/// reading does. Shared by all threads, since the largest file meets another thread each time.
static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer larger than this is given back to the system.
const SPARE_BYTES_MAX: usize = 128 << 20;
/// As many buffers are kept as threads may ask for at once.
const SPARES_MAX: usize = 16;

/// Returns memory for `needed` bytes: the smallest spare that is large enough, or else new memory in place of the largest.
fn take_spare(needed: usize) -> Vec<u8> {
    let mut spares = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    let large_enough = (0..spares.len()).filter(|&index| spares[index].capacity() >= needed);
    if let Some(index) = large_enough.min_by_key(|&index| spares[index].capacity()) {
        return spares.swap_remove(index);
    }
    if let Some(index) = (0..spares.len()).max_by_key(|&index| spares[index].capacity()) {
        spares.swap_remove(index);
    }
    drop(spares);
    Vec::with_capacity(needed.saturating_add(needed / 4))
}

/// Reads a file of about `bytes` bytes into memory that was used before.
pub(super) fn read_into_spare(mut file: impl Read, bytes: u64) -> io::Result<Vec<u8>> {
    // One more byte, so that reading to the end needs no second look at the file.
    let mut buffer = take_spare(usize::try_from(bytes).unwrap_or(0).saturating_add(1));
    buffer.clear();
    file.read_to_end(&mut buffer)?;
    Ok(buffer)
}

/// Keeps memory for the next file.
pub(super) fn keep_spare(bytes: Vec<u8>) {
    let mut spares = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    if bytes.capacity() <= SPARE_BYTES_MAX && spares.len() < SPARES_MAX {
        spares.push(bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        keep_spare(std::mem::take(&mut self.bytes));
    }
}

/// The bytes of a file that is held: no other plat changes it until this is dropped.
#[derive(Debug)]
pub struct Held {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it was when it was read.
    pub stat: Stat,
    /// Keeps the lock.
    _file: Option<File>,
}

/// The attributes that a new file takes from the old one.
#[derive(Debug, Clone, Copy)]
pub struct Like<'p> {
    /// The old file.
    pub path: &'p Path,
    /// Leave the time of writing as it is now.
    pub touch: bool,
}

/// The steps that apply takes, each whole or an error.
pub trait Files: Sync {
    /// Follows a path that is a symbolic link to the file that it leads to; other paths are returned as they are.
    ///
    /// # Errors
    /// When the link leads nowhere.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    /// Returns what is known of a file; links are followed.
    ///
    /// # Errors
    /// When there is none, or it cannot be seen.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
    /// Reads a file of at most `bytes_max` bytes and holds it.
    ///
    /// # Errors
    /// When it cannot be read, or is larger.
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Held>;
    /// Reads the first `bytes` bytes of a file, fewer when it is shorter.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read_head(&self, path: &Path, bytes: usize) -> io::Result<Vec<u8>>;
    /// Writes a new file, over what an earlier run left there, with the attributes of another.
    ///
    /// # Errors
    /// When it cannot be written, or not all attributes can be given; a part of the file may be left then.
    fn write_new(
        &self,
        path: &Path,
        bytes: &[u8],
        like: Option<Like<'_>>,
        durability: Durability,
    ) -> io::Result<()>;
    /// Gives a file a second name.
    ///
    /// # Errors
    /// When the system cannot.
    fn link(&self, existing: &Path, new: &Path) -> io::Result<()>;
    /// Gives a file another's name, in one step; the other is gone.
    ///
    /// # Errors
    /// When the system cannot; nothing has changed then.
    fn rename(&self, from: &Path, to: &Path, durability: Durability) -> io::Result<()>;
    /// Removes a file; one that is not there is removed already.
    ///
    /// # Errors
    /// When the system cannot.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Appends to a file, which is made if need be.
    ///
    /// # Errors
    /// When it cannot be written; a part may have been.
    fn append(&self, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let is_link = fs::symlink_metadata(path)?.is_symlink();
        if is_link { fs::canonicalize(path) } else { Ok(path.to_owned()) }
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Ok(attributes::stat(&fs::metadata(path)?))
    }

    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Held> {
        // Another plat may put a new file in the place of the one that we wait for.
        for _ in 0..1000 {
            let mut file = File::open(path)?;
            let lock = attributes::hold(&file);
            let metadata = file.metadata()?;
            let stat = attributes::stat(&metadata);
            if !stat.is_file {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a plain file"));
            }
            if lock && self.stat(path)?.id != stat.id {
                continue;
            }
            if stat.bytes > bytes_max {
                let message = format!("has {} bytes, more than any image", stat.bytes);
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            let bytes = read_into_spare((&mut file).take(bytes_max), stat.bytes)?;
            return Ok(Held { bytes, stat, _file: lock.then_some(file) });
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "is replaced again and again"))
    }

    fn read_head(&self, path: &Path, bytes: usize) -> io::Result<Vec<u8>> {
        let mut head = Vec::with_capacity(bytes);
        File::open(path)?.take(bytes as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    fn write_new(
        &self,
        path: &Path,
        bytes: &[u8],
        like: Option<Like<'_>>,
        durability: Durability,
    ) -> io::Result<()> {
        // What an earlier run left may have other attributes, or be a link: it is not written through.
        self.remove(path)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        if let Some(like) = like {
            attributes::copy(like.path, path, &file, like.touch)?;
        }
        if durability == Durability::File {
            file.sync_all()?;
        }
        Ok(())
    }

    fn link(&self, existing: &Path, new: &Path) -> io::Result<()> {
        self.remove(new)?;
        fs::hard_link(existing, new)
    }

    fn rename(&self, from: &Path, to: &Path, durability: Durability) -> io::Result<()> {
        if durability == Durability::Off {
            return attributes::replace_quickly(from, to);
        }
        fs::rename(from, to)?;
        to.parent().map_or(Ok(()), attributes::sync_folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    fn append(&self, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(bytes)?;
        if durability == Durability::File {
            file.sync_all()?;
            if let Some(folder) = path.parent().filter(|_| is_new) {
                attributes::sync_folder(folder)?;
            }
        }
        Ok(())
    }
}
