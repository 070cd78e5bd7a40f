//! Directories: make, remove, list.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::Mode;

use crate::file_path::Errno;

/// Makes a directory, open to all within the umask.
///
/// # Errors
/// The kernel's errno.
pub fn create(path: &Path) -> Result<(), Errno> {
    Ok(rustix::fs::mkdir(path, Mode::from_raw_mode(0o777))?)
}

/// Makes a directory with these permission bits, whatever the umask; without any, open to all within the umask.
///
/// # Errors
/// The kernel's errno.
pub fn create_with(path: &Path, mode: Option<u32>) -> Result<(), Errno> {
    let Some(mode) = mode.map(Mode::from_raw_mode) else { return create(path) };
    rustix::fs::mkdir(path, mode)?;
    // The umask only takes bits away: until here it was open to fewer.
    Ok(rustix::fs::chmod(path, mode)?)
}

/// Makes a directory of the user's own, with all directories on the way.
///
/// # Errors
/// The kernel's errno.
pub fn create_private(path: &Path) -> Result<(), Errno> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EIO)))
}

/// Removes an empty directory.
///
/// # Errors
/// The kernel's errno.
pub fn remove(path: &Path) -> Result<(), Errno> {
    Ok(rustix::fs::rmdir(path)?)
}

/// Returns the names in a directory without `.` and `..`, in the directory's own order.
///
/// # Errors
/// The kernel's errno.
pub fn names(path: &Path) -> Result<Vec<OsString>, Errno> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(fd)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(std::ffi::OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}
