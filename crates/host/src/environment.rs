//! What a Unix process starts with: current directory, environment, user.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::file_path::Errno;

/// Returns the current directory.
///
/// # Errors
/// The kernel's errno: ENOENT when it was removed.
pub fn current_directory() -> Result<PathBuf, Errno> {
    std::env::current_dir().map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::ENOENT)))
}

/// Changes the current directory of the process.
///
/// # Errors
/// The kernel's errno.
pub fn set_current_directory(path: &Path) -> Result<(), Errno> {
    Ok(rustix::process::chdir(path)?)
}

/// Returns one variable of the Unix environment.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Returns the Unix environment: names and values.
pub fn variables() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// Returns the directory in which programs keep this user's data: `$XDG_DATA_HOME`, else `~/.local/share`.
///
/// Source: <https://specifications.freedesktop.org/basedir-spec/latest/>
pub fn data_directory() -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
}

/// Returns 32 bits that nobody can foretell.
pub fn random_u32() -> u32 {
    let mut bytes = [0; 4];
    // SAFETY: 1. the buffer has four bytes.
    let filled = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    // The kernel fills so few bytes at once; where it refuses, the process's number must do.
    if filled == 4 { u32::from_le_bytes(bytes) } else { std::process::id() }
}
