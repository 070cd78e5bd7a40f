//! One file given new bytes in one step, without a journal: databases, plans, flags. [`rewrite`].

use std::io;
use std::path::Path;

use super::IMAGE_BYTES_MAX;
use super::files::{Durability, Files, Like};

/// Changes a file's bytes with `change` while it is held, and puts the new ones in its place in one step, with its mode,
/// owner, times and extended attributes; returns what `change` returns. Nothing is written when the bytes stay.
///
/// # Errors
/// What the system says; or what `change` says, as its own type. The file is as it was then.
pub fn rewrite<T, E: From<io::Error>>(
    files: &dyn Files,
    path: &Path,
    durability: Durability,
    change: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
) -> Result<T, E> {
    let target = files.resolve(path)?;
    let stat = files.stat(&target)?;
    if stat.read_only {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only").into());
    }
    if stat.links > 1 {
        let message = format!("it has {} names (hard links), which would part", stat.links);
        return Err(io::Error::other(message).into());
    }
    let mut held = files.read(&target, IMAGE_BYTES_MAX)?;
    let old = held.bytes.clone();
    let result = change(&mut held.bytes)?;
    if held.bytes != old {
        let new = super::temporary(&target, &format!("{}", std::process::id()));
        let like = Like { path: &target, touch: false };
        let written = files
            .write_new(&new, &held.bytes, Some(like), durability)
            .and_then(|()| files.rename(&new, &target, durability));
        if let Err(error) = written {
            let _ = files.remove(&new);
            return Err(error.into());
        }
    }
    Ok(result)
}

/// Writes a file that may be there already, in one step.
///
/// # Errors
/// What the system says; an old file is as it was then.
pub fn write_atomically(
    files: &dyn Files,
    path: &Path,
    bytes: &[u8],
    durability: Durability,
) -> io::Result<()> {
    let target = files.resolve(path).unwrap_or_else(|_| path.to_owned());
    let new = super::temporary(&target, &format!("{}", std::process::id()));
    let like = files.stat(&target).is_ok().then_some(Like { path: &target, touch: true });
    let written =
        files.write_new(&new, bytes, like, durability).and_then(|()| files.rename(&new, &target, durability));
    if written.is_err() {
        let _ = files.remove(&new);
    }
    written
}
