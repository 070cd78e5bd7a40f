//! Facts about files as Windows tells them: attributes, times, identity. Key type: [`FileFacts`].

use std::path::Path;

use plat_host::file_path::{self, Kind, Status};

use super::file::{FileKind, FileObject};
use super::path::status_of;
use crate::NtStatus;
use crate::logic::time::{file_time_to_unix, unix_to_file_time};

/// `FILE_ATTRIBUTE_…`.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/file-attribute-constants>
pub mod attribute {
    /// `FILE_ATTRIBUTE_READONLY`.
    pub const READONLY: u32 = 0x1;
    /// `FILE_ATTRIBUTE_HIDDEN`.
    pub const HIDDEN: u32 = 0x2;
    /// `FILE_ATTRIBUTE_SYSTEM`.
    pub const SYSTEM: u32 = 0x4;
    /// `FILE_ATTRIBUTE_DIRECTORY`.
    pub const DIRECTORY: u32 = 0x10;
    /// `FILE_ATTRIBUTE_ARCHIVE`.
    pub const ARCHIVE: u32 = 0x20;
    /// `FILE_ATTRIBUTE_NORMAL`.
    pub const NORMAL: u32 = 0x80;
}

/// What Windows tells about a file. Times are in units of 100 ns since 1601.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// `FILE_ATTRIBUTE_…`.
    pub attributes: u32,
    /// Creation.
    pub created: i64,
    /// Last access.
    pub accessed: i64,
    /// Last write.
    pub written: i64,
    /// Last change of anything.
    pub changed: i64,
    /// Size in bytes; 0 for a directory.
    pub size: u64,
    /// What it takes on the disk, in bytes.
    pub allocated: u64,
    /// Number of names.
    pub links: u32,
    /// The volume's serial number.
    pub volume: u32,
    /// The file's number on the volume.
    pub index: u64,
}

impl FileFacts {
    /// Translates what Linux tells.
    pub fn of_status(status: &Status) -> Self {
        let time = |(seconds, nanoseconds): (i64, u32)| unix_to_file_time(seconds, nanoseconds);
        let is_directory = status.kind == Kind::Directory;
        Self {
            attributes: attributes_of(status),
            created: time(status.created),
            accessed: time(status.accessed),
            written: time(status.written),
            changed: time(status.changed),
            size: if is_directory { 0 } else { status.size },
            allocated: if is_directory { 0 } else { status.allocated },
            links: u32::try_from(status.links).unwrap_or(u32::MAX),
            volume: volume_serial(status.device),
            index: status.inode,
        }
    }

    /// Returns the facts about a Unix path in its spelling on the disk; symbolic links are followed.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` and what else the kernel answers.
    pub fn of_path(path: &Path) -> Result<Self, NtStatus> {
        let status = Status::of_path(path, true).map_err(status_of)?;
        Ok(Self::of_status(&status).with_kept(status.kind, || file_path::dos_attributes(path)))
    }

    /// Adds the attributes that are kept beside what Linux tells.
    pub fn with_kept(mut self, kind: Kind, kept: impl FnOnce() -> u32) -> Self {
        if matches!(kind, Kind::Regular | Kind::Directory) {
            self.attributes |= kept();
        }
        self
    }
}

/// Returns the attributes: read-only when nobody may write, else as a fresh file of Windows.
pub fn attributes_of(status: &Status) -> u32 {
    let kind = match status.kind {
        Kind::Directory => attribute::DIRECTORY,
        Kind::Regular => attribute::ARCHIVE,
        _ => attribute::NORMAL,
    };
    if status.is_read_only() && matches!(status.kind, Kind::Directory | Kind::Regular) {
        kind | attribute::READONLY
    } else {
        kind
    }
}

/// Makes 32 bits of a device number.
pub fn volume_serial(device: u64) -> u32 {
    (device ^ (device >> 32)) as u32
}

/// Returns the permission bits for attributes: read-only takes all write bits away, its lack gives the owner one.
pub fn mode_for(attributes: u32, mode: u32) -> u32 {
    match attributes & attribute::READONLY != 0 {
        true => mode & !0o222,
        false if mode & 0o222 == 0 => mode | 0o200,
        false => mode,
    }
}

/// Times to be set, in units of 100 ns since 1601; `None` leaves one as it is. Linux keeps no creation time that
/// could be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewTimes {
    /// Last access.
    pub accessed: Option<i64>,
    /// Last write.
    pub written: Option<i64>,
}

impl FileObject {
    /// Returns the facts about the open file.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn facts(&self) -> Result<FileFacts, NtStatus> {
        let status = self.file.status().map_err(status_of)?;
        Ok(FileFacts::of_status(&status).with_kept(status.kind, || self.file.dos_attributes()))
    }

    /// Sets times.
    ///
    /// # Errors
    /// `ACCESS_DENIED` and what else the kernel answers.
    pub fn set_times(&self, times: NewTimes) -> Result<(), NtStatus> {
        if times == NewTimes::default() {
            return Ok(());
        }
        let unix = |time: Option<i64>| time.map(file_time_to_unix);
        self.file.set_times(unix(times.accessed), unix(times.written)).map_err(status_of)
    }

    /// Sets the attributes that Linux can keep: read-only, hidden, system.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn set_attributes(&self, attributes: u32) -> Result<(), NtStatus> {
        let status = self.file.identity().map_err(status_of)?;
        if matches!(status.kind, Kind::Regular | Kind::Directory) {
            // Some file systems have no place for them.
            let _ = self.file.set_dos_attributes(attributes);
        }
        let mode = mode_for(attributes, status.mode);
        // A directory's read-only attribute protects nothing in Windows; in Linux it would.
        if mode == status.mode || self.kind != FileKind::Disk {
            return Ok(());
        }
        self.file.set_mode(mode).map_err(status_of)
    }
}

/// Sets the attributes of a Unix path in its spelling on the disk.
///
/// # Errors
/// What the kernel answers.
pub fn set_attributes(path: &Path, attributes: u32) -> Result<(), NtStatus> {
    let status = Status::of_path(path, true).map_err(status_of)?;
    if matches!(status.kind, Kind::Regular | Kind::Directory) {
        // Some file systems have no place for them.
        let _ = file_path::set_dos_attributes(path, attributes);
    }
    let mode = mode_for(attributes, status.mode);
    if mode == status.mode || status.kind != Kind::Regular {
        return Ok(());
    }
    file_path::set_mode(path, mode).map_err(status_of)
}

impl super::path::FileSystem {
    /// Returns the facts about a Unix path in any case; one system call when its spelling is the disk's.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `OBJECT_PATH_NOT_FOUND`, and what else the kernel answers.
    pub fn facts(&self, unix: &Path) -> Result<FileFacts, NtStatus> {
        match FileFacts::of_path(unix) {
            Err(NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::OBJECT_PATH_NOT_FOUND) => {
                FileFacts::of_path(&self.find_existing(unix)?)
            }
            other => other,
        }
    }
}

impl FileFacts {
    /// Lays out `FILE_BASIC_INFORMATION`: four times and the attributes.
    pub fn basic_information(&self) -> Vec<u8> {
        let times = [self.created, self.accessed, self.written, self.changed];
        let mut bytes: Vec<u8> = times.iter().flat_map(|time| time.to_le_bytes()).collect();
        bytes.extend(u64::from(self.attributes).to_le_bytes());
        bytes
    }

    /// Lays out `FILE_STANDARD_INFORMATION`.
    pub fn standard_information(&self, delete_pending: bool) -> Vec<u8> {
        let mut bytes = self.allocated.to_le_bytes().to_vec();
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(self.links.to_le_bytes());
        bytes.extend([u8::from(delete_pending), u8::from(self.is_directory()), 0, 0]);
        bytes
    }

    /// Lays out `FILE_NETWORK_OPEN_INFORMATION`.
    pub fn network_open_information(&self) -> Vec<u8> {
        let mut bytes = self.basic_information();
        bytes.truncate(32);
        bytes.extend(self.allocated.to_le_bytes());
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(u64::from(self.attributes).to_le_bytes());
        bytes
    }

    /// Says whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.attributes & attribute::DIRECTORY != 0
    }
}
