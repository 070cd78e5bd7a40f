//! Small files that programs read as a whole and change in place, such as `.ini` files.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::file_path::Errno;

fn errno(error: &io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(libc::EIO))
}

/// Reads a whole file.
///
/// # Errors
/// The kernel's error.
pub fn read(path: &Path) -> Result<Vec<u8>, Errno> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| errno(&error))
}

/// Changes a file's bytes, under a lock that others who change it this way wait for; makes the file where there is
/// none. `None` leaves it as it is.
///
/// # Errors
/// The kernel's error.
pub fn update(path: &Path, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Result<(), Errno> {
    update_locked(path, change).map_err(|error| errno(&error))
}

fn update_locked(path: &Path, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    while let Err(error) = file.lock() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let mut old = Vec::new();
    file.read_to_end(&mut old)?;
    let Some(new) = change(&old) else { return Ok(()) };
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(&new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_changed_and_left_alone() {
        let path = std::env::temp_dir().join(format!("plat-shared-text-{}", std::process::id()));
        update(&path, |old| {
            assert!(old.is_empty());
            Some(b"first and long".to_vec())
        })
        .expect("made");
        update(&path, |old| (old == b"first and long").then(|| b"second".to_vec())).expect("changed");
        update(&path, |_| None).expect("left alone");
        assert_eq!(read(&path).expect("there"), b"second");
        std::fs::remove_file(&path).expect("removed");
        assert!(read(&path).is_err());
    }
}
