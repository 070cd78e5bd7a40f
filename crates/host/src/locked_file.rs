//! A small file that several processes read and replace as a whole: locked, written beside, renamed.
//!
//! Key types: [`Content`], [`Lock`]. Whoever reads without the lock sees the old file or the new one.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The file is the user's own: it may hold what others should not see.
const MODE: u32 = 0o600;

/// What was read, and what tells whether it is still the file's content.
#[derive(Debug)]
pub struct Content {
    /// All bytes.
    pub bytes: Vec<u8>,
    /// Kept open, so that no other file takes its number.
    _file: File,
    mark: [u64; 5],
}

/// Tells two states of a file apart: device, inode, size, time of the last write.
fn mark(metadata: &std::fs::Metadata) -> [u64; 5] {
    let time = [metadata.mtime() as u64, metadata.mtime_nsec() as u64];
    [metadata.dev(), metadata.ino(), metadata.size(), time[0], time[1]]
}

/// Reads the file; nothing where there is none.
///
/// # Errors
/// The kernel's error, other than that there is no file.
pub fn read(path: &Path) -> io::Result<Option<Content>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mark = mark(&file.metadata()?);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(Content { bytes, _file: file, mark }))
}

/// Says whether the file is still as it was read; `None` stands for no file.
pub fn is_current(path: &Path, content: Option<&Content>) -> bool {
    std::fs::metadata(path).ok().map(|metadata| mark(&metadata)) == content.map(|content| content.mark)
}

/// The right to replace the file; given up when dropped, also by a process that is killed.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    path: PathBuf,
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Waits for the right to replace the file; makes its directory where there is none. The lock is a file of its
/// own, `PATH.lock`, because the file itself is exchanged.
///
/// # Errors
/// The kernel's error.
pub fn lock(path: &Path) -> io::Result<Lock> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    // A link to the file stays a link.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(MODE).open(beside(&path, ".lock"))?;
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    }
    Ok(Lock { _file: file, path })
}

impl Lock {
    /// Replaces the file in one step; its permission bits stay.
    ///
    /// # Errors
    /// The kernel's error; the file is then as it was.
    pub fn replace(&self, bytes: Vec<u8>) -> io::Result<Content> {
        // Only the owner of the lock writes this name: what a killed process left there is written over.
        let new = beside(&self.path, ".new");
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(true).mode(MODE).open(&new)?;
        if let Ok(old) = std::fs::metadata(&self.path) {
            file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        }
        file.write_all(&bytes)?;
        std::fs::rename(&new, &self.path)?;
        let mark = mark(&file.metadata()?);
        Ok(Content { bytes, _file: file, mark })
    }
}

/// Writes the file's bytes out to the disk, if there is a file.
///
/// # Errors
/// The kernel's error.
pub fn flush(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_seen_to_change() {
        let name = format!("plat-locked-file-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let path = folder.join("deep/file");
        assert!(read(&path).expect("no error").is_none());
        assert!(is_current(&path, None));
        let lock = lock(&path).expect("a lock");
        let first = lock.replace(b"one".to_vec()).expect("written");
        assert!(is_current(&path, Some(&first)) && !is_current(&path, None));
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("allowed");
        let second = lock.replace(b"two".to_vec()).expect("written");
        assert!(!is_current(&path, Some(&first)) && is_current(&path, Some(&second)));
        assert_eq!(read(&path).expect("no error").expect("there").bytes, b"two");
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o640);
        assert!(!path.with_extension("new").exists());
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
