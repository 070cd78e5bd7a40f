//! Opening and making files and directories: `NtCreateFile`'s dispositions and options on Unix paths.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntcreatefile>

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bitflags::bitflags;
use plat_host::directory;
use plat_host::file::{File, Open};
use plat_host::file_path::{Errno, Kind, Status};

use super::file::{FileKind, FileObject, FileTraits, Registration, access, kind_of};
use super::file_info::attribute;
use super::file_share::Claim;
use super::path::{FileSystem, status_of};
use crate::NtStatus;
use crate::logic::path::{Device, Found};

bitflags! {
    /// Options of `NtCreateFile`; unknown ones are kept out.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct CreateOptions: u32 {
        /// It must be a directory.
        const DIRECTORY_FILE = 0x1;
        /// Writes reach the disk before they return.
        const WRITE_THROUGH = 0x2;
        /// The handle has a position; waits may be alerted.
        const SYNCHRONOUS_IO_ALERT = 0x10;
        /// The handle has a position.
        const SYNCHRONOUS_IO_NONALERT = 0x20;
        /// It must not be a directory.
        const NON_DIRECTORY_FILE = 0x40;
        /// The name goes away with the last handle.
        const DELETE_ON_CLOSE = 0x1000;
        /// A symbolic link itself is meant.
        const OPEN_REPARSE_POINT = 0x20_0000;
    }
}

/// What to do when the file is there, and when it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Replace, or make.
    Supersede,
    /// Open, or fail.
    Open,
    /// Fail, or make.
    Create,
    /// Open, or make.
    OpenIf,
    /// Empty, or fail.
    Overwrite,
    /// Empty, or make.
    OverwriteIf,
}

impl Disposition {
    /// Returns the disposition of a number of `NtCreateFile`.
    pub fn from_number(number: u32) -> Option<Self> {
        use Disposition::*;
        [Supersede, Open, Create, OpenIf, Overwrite, OverwriteIf].get(number as usize).copied()
    }

    fn makes(self) -> bool {
        !matches!(self, Self::Open | Self::Overwrite)
    }

    fn empties(self) -> bool {
        matches!(self, Self::Supersede | Self::Overwrite | Self::OverwriteIf)
    }
}

/// What came of it: the values of `IO_STATUS_BLOCK.Information`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Replaced.
    Superseded = 0,
    /// It was there.
    Opened = 1,
    /// It was made.
    Created = 2,
    /// It was there and is empty now.
    Overwritten = 3,
}

/// A wish to open or make a file.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Rights, generic ones replaced already.
    pub access: u32,
    /// `FILE_SHARE_…`.
    pub share: u32,
    /// What to do when it is there or not.
    pub disposition: Disposition,
    /// Options.
    pub options: CreateOptions,
    /// `FILE_ATTRIBUTE_…` for a new file.
    pub attributes: u32,
    /// The permission bits of a new file, if a security descriptor asks for some.
    pub mode: Option<u32>,
}

/// `FILE_ATTRIBUTE_READONLY`.
const READ_ONLY: u32 = 1;

impl Request {
    fn claim(&self) -> Claim {
        Claim { access: self.access, share: self.share }
    }

    fn wants_write(&self) -> bool {
        self.access & (access::WRITE_DATA | access::APPEND_DATA) != 0
    }

    fn open_how(&self) -> Open {
        let (wants_read, wants_write) =
            (self.access & (access::READ_DATA | access::EXECUTE) != 0, self.wants_write());
        Open {
            read: wants_read,
            write: wants_write || self.disposition.empties(),
            append: wants_write && self.access & access::WRITE_DATA == 0,
            write_through: self.options.contains(CreateOptions::WRITE_THROUGH),
            ..Open::default()
        }
    }
}

impl FileSystem {
    /// Opens or makes the file or directory of a Unix path in any case.
    ///
    /// # Errors
    /// - `OBJECT_NAME_NOT_FOUND`, `OBJECT_PATH_NOT_FOUND`, `OBJECT_NAME_COLLISION`
    /// - `FILE_IS_A_DIRECTORY`, `NOT_A_DIRECTORY` by the options
    /// - `SHARING_VIOLATION`, `DELETE_PENDING`, `ACCESS_DENIED`, and what else the kernel answers
    pub fn open(&self, unix: PathBuf, request: &Request) -> Result<(FileObject, Outcome), NtStatus> {
        let mut path = unix;
        // Somebody may make or remove the file between two steps; then it begins anew.
        for _ in 0..8 {
            if request.disposition != Disposition::Create {
                match self.open_existing(&path, request) {
                    Err(NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::OBJECT_PATH_NOT_FOUND) => {}
                    other => return other,
                }
            }
            match self.find(&path) {
                Found::Exists(_) if request.disposition == Disposition::Create => {
                    return Err(NtStatus::OBJECT_NAME_COLLISION);
                }
                // A link that leads nowhere: made through the link where the disposition allows.
                Found::Exists(found) if found == path && !request.disposition.makes() => {
                    return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
                }
                Found::Exists(found) if found == path => match self.make(&found, request, false) {
                    Err(NtStatus::OBJECT_NAME_COLLISION) => {}
                    other => return other,
                },
                Found::Exists(found) => path = found,
                Found::DirectoryMissing(_) => return Err(NtStatus::OBJECT_PATH_NOT_FOUND),
                Found::NameMissing(_) if !request.disposition.makes() => {
                    return self.find_existing(&path).and(Err(NtStatus::OBJECT_NAME_NOT_FOUND));
                }
                Found::NameMissing(found) => match self.make(&found, request, true) {
                    Err(NtStatus::OBJECT_NAME_COLLISION) if request.disposition != Disposition::Create => {}
                    other => return other,
                },
            }
        }
        Err(NtStatus::OBJECT_NAME_NOT_FOUND)
    }

    fn open_existing(&self, path: &Path, request: &Request) -> Result<(FileObject, Outcome), NtStatus> {
        let mut how = request.open_how();
        let file = match File::open(path, how) {
            Err(Errno::IS_A_DIRECTORY) if request.options.contains(CreateOptions::NON_DIRECTORY_FILE) => {
                return Err(NtStatus::FILE_IS_A_DIRECTORY);
            }
            Err(Errno::IS_A_DIRECTORY) => {
                (how.read, how.write, how.append) = (true, false, false);
                File::open(path, how)
            }
            Err(Errno::ACCESS) if request.access & access::MAXIMUM_ALLOWED != 0 => {
                (how.read, how.write, how.append) = (true, false, false);
                File::open(path, how)
            }
            other => other,
        };
        let file = file.map_err(status_of)?;
        let status = file.identity().map_err(status_of)?;
        check_kind(&status, request)?;
        let object = self.register(file, &status, path, request)?;
        if request.disposition.empties() && object.kind == FileKind::Disk && status.size != 0 {
            object.set_size(0)?;
        }
        let outcome = match request.disposition {
            Disposition::Supersede => Outcome::Superseded,
            Disposition::Overwrite | Disposition::OverwriteIf => Outcome::Overwritten,
            _ => Outcome::Opened,
        };
        Ok((object, outcome))
    }

    fn make(
        &self,
        path: &Path,
        request: &Request,
        exclusive: bool,
    ) -> Result<(FileObject, Outcome), NtStatus> {
        if request.options.contains(CreateOptions::DIRECTORY_FILE) {
            directory::create_with(path, request.mode).map_err(status_of)?;
            let plain = Request { disposition: Disposition::Open, ..*request };
            return Ok((self.open_existing(path, &plain)?.0, Outcome::Created));
        }
        let usual = if request.attributes & READ_ONLY != 0 { 0o444 } else { 0o666 };
        let mode = request.mode.unwrap_or(usual);
        let how = Open { create: true, exclusive, mode, ..request.open_how() };
        let file = File::open(path, how).map_err(|errno| match errno {
            // The directory is missing, or is a file.
            Errno::NOT_FOUND => NtStatus::OBJECT_PATH_NOT_FOUND,
            other => status_of(other),
        })?;
        if let Some(mode) = request.mode {
            // The umask only takes bits away: until here it was open to fewer.
            file.set_mode(mode).map_err(status_of)?;
        }
        if request.attributes & (attribute::HIDDEN | attribute::SYSTEM) != 0 {
            // Some file systems have no place for them.
            let _ = file.set_dos_attributes(request.attributes);
        }
        let status = file.identity().map_err(status_of)?;
        Ok((self.register(file, &status, path, request)?, Outcome::Created))
    }

    fn register(
        &self,
        file: File,
        status: &Status,
        path: &Path,
        request: &Request,
    ) -> Result<FileObject, NtStatus> {
        let kind = kind_of(&file, status.kind);
        let (id, claim) = ((status.device, status.inode), request.claim());
        let registration = match kind {
            FileKind::Disk | FileKind::Directory => {
                self.shares.open(id, claim)?;
                let (shares, locks) = (Arc::clone(&self.shares), Arc::clone(&self.locks));
                Some(Registration { shares, locks, file: id, claim })
            }
            _ => None,
        };
        let synchronous = CreateOptions::SYNCHRONOUS_IO_ALERT | CreateOptions::SYNCHRONOUS_IO_NONALERT;
        let traits = FileTraits {
            overlapped: !request.options.intersects(synchronous),
            delete_on_close: request.options.contains(CreateOptions::DELETE_ON_CLOSE),
            ..FileTraits::default()
        };
        let (path, listing) = (Mutex::new(Some(path.to_owned())), Mutex::new(None));
        let transfers = super::pipe_transfer::Transfers::default();
        Ok(FileObject { file, kind, traits, path, registration, listing, transfers })
    }

    /// Opens a device by its Win32 name.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` for a device that is not there, as a console without a terminal.
    pub fn open_device(&self, device: Device, wanted: u32) -> Result<FileObject, NtStatus> {
        let (read, write) = (wanted & access::READ_DATA != 0, wanted & access::WRITE_DATA != 0);
        let (path, kind) = match device {
            Device::Null | Device::MountManager => ("/dev/null", FileKind::Character),
            Device::ConsoleInput => ("/dev/tty", FileKind::ConsoleInput),
            Device::ConsoleOutput => ("/dev/tty", FileKind::ConsoleOutput),
            Device::Console if read && !write => ("/dev/tty", FileKind::ConsoleInput),
            Device::Console if write && !read => ("/dev/tty", FileKind::ConsoleOutput),
            // CON for both directions, or for none, is refused.
            Device::Console => return Err(NtStatus::INVALID_PARAMETER),
            Device::Absent => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
        };
        let how = Open { read: true, write: true, ..Open::default() };
        if kind != FileKind::Character && self.console.is_given_up() {
            return Err(NtStatus::INVALID_HANDLE);
        }
        let file = File::open(Path::new(path), how).map_err(|_| NtStatus::INVALID_HANDLE)?;
        let mut object = FileObject::of_descriptor(file)?;
        object.kind = kind;
        object.traits.is_mount_manager = device == Device::MountManager;
        Ok(object)
    }
}

/// Compares what was found with what the options ask for.
fn check_kind(status: &Status, request: &Request) -> Result<(), NtStatus> {
    let is_directory = status.kind == Kind::Directory;
    if is_directory && request.options.contains(CreateOptions::NON_DIRECTORY_FILE) {
        return Err(NtStatus::FILE_IS_A_DIRECTORY);
    }
    if !is_directory && request.options.contains(CreateOptions::DIRECTORY_FILE) {
        return Err(NtStatus::NOT_A_DIRECTORY);
    }
    if is_directory && request.disposition.empties() {
        return Err(NtStatus::OBJECT_NAME_COLLISION);
    }
    // The attribute holds for the superuser, too, whom the kernel would let write.
    let writes = request.wants_write() || request.disposition.empties();
    if !is_directory && status.kind == Kind::Regular && status.is_read_only() {
        if writes {
            return Err(NtStatus::ACCESS_DENIED);
        }
        if request.options.contains(CreateOptions::DELETE_ON_CLOSE) {
            return Err(NtStatus::CANNOT_DELETE);
        }
    }
    Ok(())
}
