//! Names of files: delete, rename, copy, make and remove directories. Paths are Unix paths in any case.

use std::path::{Path, PathBuf};

use plat_host::directory;
use plat_host::file::{File, Open};
use plat_host::file_path::{self, Errno, Kind, Status};

use super::file::{FileObject, access};
use super::file_share::{Claim, FileId, SHARE_DELETE, SHARE_READ, SHARE_WRITE};
use super::path::{FileSystem, lock, status_of};
use crate::NtStatus;
use crate::logic::path::Found;

const DELETES: Claim = Claim { access: access::DELETE, share: SHARE_READ | SHARE_WRITE | SHARE_DELETE };

/// Deletes a name if it still names this file.
pub(crate) fn remove_if_same(path: &Path, file: FileId) {
    let Ok(status) = Status::of_path(path, false) else { return };
    if (status.device, status.inode) != file {
        return;
    }
    // There is nobody left to tell: Windows, too, fails silently when a file cannot go at its last close.
    let _ =
        if status.kind == Kind::Directory { directory::remove(path) } else { file_path::remove_file(path) };
}

impl FileSystem {
    /// Deletes a file: the name goes at once, the data with the last handle (POSIX semantics, as Windows 10 does).
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `FILE_IS_A_DIRECTORY`, `CANNOT_DELETE` when read-only, `SHARING_VIOLATION`.
    pub fn delete_file(&self, unix: &Path) -> Result<(), NtStatus> {
        let path = self.find_existing(unix)?;
        let link = Status::of_path(&path, false).map_err(status_of)?;
        let target = Status::of_path(&path, true).unwrap_or(link);
        if target.kind == Kind::Directory {
            return Err(NtStatus::FILE_IS_A_DIRECTORY);
        }
        if target.kind == Kind::Regular && target.is_read_only() {
            return Err(NtStatus::CANNOT_DELETE);
        }
        self.shares.check((target.device, target.inode), DELETES)?;
        file_path::remove_file(&path).map_err(status_of)
    }

    /// Removes an empty directory, or the symbolic link to one.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `NOT_A_DIRECTORY`, `DIRECTORY_NOT_EMPTY`, `SHARING_VIOLATION`.
    pub fn remove_directory(&self, unix: &Path) -> Result<(), NtStatus> {
        let path = self.find_existing(unix)?;
        let status = Status::of_path(&path, true).map_err(status_of)?;
        if status.kind != Kind::Directory {
            return Err(NtStatus::NOT_A_DIRECTORY);
        }
        self.shares.check((status.device, status.inode), DELETES)?;
        match directory::remove(&path) {
            Err(Errno::NOT_A_DIRECTORY) => file_path::remove_file(&path).map_err(status_of),
            // Some file systems say EEXIST.
            Err(Errno::EXISTS) => Err(NtStatus::DIRECTORY_NOT_EMPTY),
            other => other.map_err(status_of),
        }
    }

    /// Makes a directory, with these permission bits if some are given.
    ///
    /// # Errors
    /// `OBJECT_NAME_COLLISION`, `OBJECT_PATH_NOT_FOUND`.
    pub fn create_directory(&self, unix: &Path, mode: Option<u32>) -> Result<(), NtStatus> {
        match self.find(unix) {
            Found::Exists(_) => Err(NtStatus::OBJECT_NAME_COLLISION),
            Found::DirectoryMissing(_) => Err(NtStatus::OBJECT_PATH_NOT_FOUND),
            Found::NameMissing(path) => directory::create_with(&path, mode).map_err(|errno| match errno {
                Errno::NOT_FOUND => NtStatus::OBJECT_PATH_NOT_FOUND,
                other => status_of(other),
            }),
        }
    }

    /// Renames a file or directory. Between file systems a file is copied when `copy_allowed` is set.
    ///
    /// # Errors
    /// - `OBJECT_NAME_COLLISION` when the target is there and `replace` is not set
    /// - `ACCESS_DENIED` when the target is a directory or read-only
    /// - `SHARING_VIOLATION`, `NOT_SAME_DEVICE`
    pub fn rename(&self, from: &Path, to: &Path, replace: bool, copy_allowed: bool) -> Result<(), NtStatus> {
        let from = self.find_existing(from)?;
        let status = Status::of_path(&from, false).map_err(status_of)?;
        self.shares.check((status.device, status.inode), DELETES)?;
        let to = self.rename_target(&status, to, replace)?;
        let is_same = Status::of_path(&to, false)
            .is_ok_and(|other| (other.device, other.inode) == (status.device, status.inode));
        match file_path::rename(&from, &to, replace || is_same) {
            Err(Errno::OTHER_DEVICE) if copy_allowed && status.kind == Kind::Regular => {
                copy_data(&from, &to, &status, replace)?;
                file_path::remove_file(&from).map_err(status_of)
            }
            other => other.map_err(status_of),
        }
    }

    /// Decides under which name a file arrives.
    fn rename_target(&self, source: &Status, to: &Path, replace: bool) -> Result<PathBuf, NtStatus> {
        let found = match self.find(to) {
            Found::DirectoryMissing(_) => return Err(NtStatus::OBJECT_PATH_NOT_FOUND),
            Found::NameMissing(path) => return Ok(path),
            Found::Exists(path) => path,
        };
        let status = Status::of_path(&found, true).or_else(|_| Status::of_path(&found, false));
        let status = status.map_err(status_of)?;
        if (status.device, status.inode) == (source.device, source.inode) {
            // The same file: only the spelling of its last name changes.
            let spelled = to.file_name().unwrap_or_default();
            return Ok(found.with_file_name(spelled));
        }
        if !replace {
            return Err(NtStatus::OBJECT_NAME_COLLISION);
        }
        if status.kind == Kind::Directory || status.is_read_only() {
            return Err(NtStatus::ACCESS_DENIED);
        }
        self.shares.check((status.device, status.inode), DELETES).map_err(|_| NtStatus::ACCESS_DENIED)?;
        Ok(found)
    }

    /// Copies a file with its attributes and its time of last write.
    ///
    /// # Errors
    /// `OBJECT_NAME_COLLISION` when the target is there and `fail_if_exists` is set; those of opening both.
    pub fn copy_file(&self, from: &Path, to: &Path, fail_if_exists: bool) -> Result<(), NtStatus> {
        let from = self.find_existing(from)?;
        let status = Status::of_path(&from, true).map_err(status_of)?;
        if status.kind == Kind::Directory {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let reads = Claim { access: access::READ_DATA, share: SHARE_READ | SHARE_WRITE | SHARE_DELETE };
        self.shares.check((status.device, status.inode), reads)?;
        let to = match self.find(to) {
            Found::DirectoryMissing(_) => return Err(NtStatus::OBJECT_PATH_NOT_FOUND),
            Found::NameMissing(path) => path,
            Found::Exists(_) if fail_if_exists => return Err(NtStatus::OBJECT_NAME_COLLISION),
            Found::Exists(path) => {
                let target = Status::of_path(&path, true).map_err(status_of)?;
                if target.kind == Kind::Directory || target.is_read_only() {
                    return Err(NtStatus::ACCESS_DENIED);
                }
                if (target.device, target.inode) == (status.device, status.inode) {
                    return Err(NtStatus::SHARING_VIOLATION);
                }
                let writes = Claim { access: access::WRITE_DATA, share: 0 };
                self.shares.check((target.device, target.inode), writes)?;
                path
            }
        };
        copy_data(&from, &to, &status, !fail_if_exists)
    }
}

impl FileObject {
    /// Marks the file for deletion at its last close, or takes the mark away.
    ///
    /// # Errors
    /// `CANNOT_DELETE` when read-only, `DIRECTORY_NOT_EMPTY`, `INVALID_PARAMETER` for what has no name.
    pub fn set_delete(&self, delete: bool) -> Result<(), NtStatus> {
        let registration = self.registration.as_ref().ok_or(NtStatus::INVALID_PARAMETER)?;
        if !delete {
            registration.shares.set_delete(registration.file, None);
            return Ok(());
        }
        let status = self.file.identity().map_err(status_of)?;
        let path = lock(&self.path).clone().ok_or(NtStatus::INVALID_PARAMETER)?;
        match status.kind {
            Kind::Directory if !directory::names(&path).map_err(status_of)?.is_empty() => {
                return Err(NtStatus::DIRECTORY_NOT_EMPTY);
            }
            Kind::Regular if status.is_read_only() => return Err(NtStatus::CANNOT_DELETE),
            _ => {}
        }
        registration.shares.set_delete(registration.file, Some(path));
        Ok(())
    }

    /// Says whether the file is marked for deletion.
    pub fn is_delete_pending(&self) -> bool {
        let registration = self.registration.as_ref();
        self.traits.delete_on_close
            || registration.is_some_and(|known| known.shares.is_delete_pending(known.file))
    }

    /// Renames the open file.
    ///
    /// # Errors
    /// As for [`FileSystem::rename`]; `INVALID_PARAMETER` for what has no name.
    pub fn rename(&self, files: &FileSystem, to: &Path, replace: bool) -> Result<(), NtStatus> {
        let status = self.file.identity().map_err(status_of)?;
        let from = lock(&self.path).clone().ok_or(NtStatus::INVALID_PARAMETER)?;
        let to = files.rename_target(&status, to, replace)?;
        let is_same = Status::of_path(&to, false)
            .is_ok_and(|other| (other.device, other.inode) == (status.device, status.inode));
        file_path::rename(&from, &to, replace || is_same).map_err(status_of)?;
        *lock(&self.path) = Some(to);
        Ok(())
    }

    /// Gives the open file a further name.
    ///
    /// # Errors
    /// As for [`FileObject::rename`]; `FILE_IS_A_DIRECTORY`.
    pub fn link(&self, files: &FileSystem, to: &Path, replace: bool) -> Result<(), NtStatus> {
        let status = self.file.identity().map_err(status_of)?;
        if status.kind == Kind::Directory {
            return Err(NtStatus::FILE_IS_A_DIRECTORY);
        }
        let from = lock(&self.path).clone().ok_or(NtStatus::INVALID_PARAMETER)?;
        let to = files.rename_target(&status, to, replace)?;
        match Status::of_path(&to, false) {
            Ok(other) if (other.device, other.inode) == (status.device, status.inode) => {
                return if replace { Ok(()) } else { Err(NtStatus::OBJECT_NAME_COLLISION) };
            }
            Ok(_) => file_path::remove_file(&to).map_err(status_of)?,
            Err(_) => {}
        }
        file_path::link(&from, &to).map_err(status_of)
    }
}

fn copy_data(from: &Path, to: &Path, status: &Status, replace: bool) -> Result<(), NtStatus> {
    let source = File::open(from, Open { read: true, ..Open::default() }).map_err(status_of)?;
    let how =
        Open { write: true, create: true, exclusive: !replace, mode: status.mode | 0o200, ..Open::default() };
    let target = File::open(to, how).map_err(status_of)?;
    let copied = (|| {
        target.set_size(0)?;
        let mut piece = vec![0; 1 << 18];
        loop {
            let read = source.read(&mut piece, None)?;
            if read == 0 {
                break;
            }
            target.write(&piece[..read], None)?;
        }
        target.set_times(None, Some(status.written))?;
        if status.is_read_only() { target.set_mode(status.mode) } else { Ok(()) }
    })();
    copied.map_err(|errno| {
        // A half copy is of no use; the first error is the one to tell.
        let _ = file_path::remove_file(to);
        status_of(errno)
    })
}
