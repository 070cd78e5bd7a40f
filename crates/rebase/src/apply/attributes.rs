//! What a file is besides its bytes: mode, owner, times, extended attributes; what the system cannot do is left out.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use super::files::Stat;

/// Returns what apply wants to know of a file.
#[cfg(unix)]
pub(super) fn stat(metadata: &Metadata) -> Stat {
    use std::os::unix::fs::MetadataExt;
    Stat {
        id: Some((metadata.dev(), metadata.ino())),
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
        links: metadata.nlink(),
        // Root may write everything; a file that nobody is meant to write is left alone all the same.
        read_only: metadata.permissions().readonly(),
        is_file: metadata.is_file(),
    }
}

/// Returns what apply wants to know of a file.
#[cfg(not(unix))]
pub(super) fn stat(metadata: &Metadata) -> Stat {
    Stat {
        id: None,
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
        links: 1,
        read_only: metadata.permissions().readonly(),
        is_file: metadata.is_file(),
    }
}

/// Holds a file against other runs of plat, waiting for them; `false` where the system would hold off everybody.
#[cfg(unix)]
pub(super) fn hold(file: &File) -> bool {
    // Some network file systems have no locks, or none for readers: the journal's lock must do there.
    file.lock().is_ok()
}

/// Holds a file against other runs of plat, waiting for them; `false` where the system would hold off everybody.
#[cfg(not(unix))]
pub(super) fn hold(_: &File) -> bool {
    false
}

/// Waits until a folder's names are on disk.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Waits until a folder's names are on disk.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Puts `from` in the place of `to` in one step, without the care that file systems take of files replaced by a rename.
///
/// ext4 begins to write such a file out at once, which takes longer than all else that apply does. It does not when two
/// names are exchanged, so the old file is removed under the new one's name. Source: Linux, fs/ext4/namei.c.
#[cfg(target_os = "linux")]
pub(super) fn replace_quickly(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
        // A crash here leaves the old file, under a name that the journal knows.
        Ok(()) => std::fs::remove_file(from),
        Err(_) => std::fs::rename(from, to),
    }
}

/// Puts `from` in the place of `to` in one step.
#[cfg(not(target_os = "linux"))]
pub(super) fn replace_quickly(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Gives `new`, which is open as `file`, the attributes of `old`.
pub(super) fn copy(old: &Path, new: &Path, file: &File, touch: bool) -> io::Result<()> {
    let metadata = std::fs::metadata(old)?;
    owner(&metadata, file)?;
    extended(old, new)?;
    file.set_permissions(metadata.permissions())?;
    if !touch {
        let mut times = std::fs::FileTimes::new();
        if let Ok(time) = metadata.modified() {
            times = times.set_modified(time);
        }
        if let Ok(time) = metadata.accessed() {
            times = times.set_accessed(time);
        }
        file.set_times(times)?;
    }
    Ok(())
}

#[cfg(unix)]
fn owner(old: &Metadata, file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let new = file.metadata()?;
    if (old.uid(), old.gid()) == (new.uid(), new.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid())).map_err(|error| {
        let message = format!("its owner {}:{} cannot be kept: {error}", old.uid(), old.gid());
        io::Error::new(error.kind(), message)
    })
}

#[cfg(not(unix))]
fn owner(_: &Metadata, _: &File) -> io::Result<()> {
    Ok(())
}

/// Copies the extended attributes, access lists among them.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "macos"))]
fn extended(old: &Path, new: &Path) -> io::Result<()> {
    use rustix::fs::{XattrFlags, getxattr, listxattr, setxattr};
    use rustix::io::Errno;

    let mut names = vec![0u8; 0x1_0000];
    let length = match listxattr(old, &mut names) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0u8; 0x1_0000];
        let length = getxattr(old, name, &mut value)?;
        match setxattr(new, name, &value[..length], XattrFlags::empty()) {
            Ok(()) => {}
            // Labels that the system's policy gives are the system's to give.
            Err(Errno::PERM | Errno::NOTSUP | Errno::ACCESS)
                if name.starts_with(b"security.") || name.starts_with(b"trusted.") => {}
            Err(error) => {
                let name = String::from_utf8_lossy(name);
                let message = format!("its extended attribute {name} cannot be kept: {error}");
                return Err(io::Error::new(io::Error::from(error).kind(), message));
            }
        }
    }
    Ok(())
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos")))]
fn extended(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}
