//! Files by path: status, times, rename, delete, links, free space. Key types: [`Status`], [`Errno`].

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, RenameFlags, Stat, Statx, StatxFlags, Timespec, Timestamps};

/// An error number of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("errno {0}")]
pub struct Errno(pub i32);

impl Errno {
    /// No such file or directory.
    pub const NOT_FOUND: Self = Self(libc::ENOENT);
    /// A part of the path is no directory.
    pub const NOT_A_DIRECTORY: Self = Self(libc::ENOTDIR);
    /// The file exists.
    pub const EXISTS: Self = Self(libc::EEXIST);
    /// It is a directory.
    pub const IS_A_DIRECTORY: Self = Self(libc::EISDIR);
    /// Too many symbolic links, or one where none is followed.
    pub const LOOP: Self = Self(libc::ELOOP);
    /// The two paths lie on different file systems.
    pub const OTHER_DEVICE: Self = Self(libc::EXDEV);
    /// Not allowed.
    pub const ACCESS: Self = Self(libc::EACCES);
}

impl From<rustix::io::Errno> for Errno {
    fn from(errno: rustix::io::Errno) -> Self {
        Self(errno.raw_os_error())
    }
}

/// What a path or descriptor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe or a socket.
    Pipe,
    /// A character device.
    Character,
    /// A block device.
    Block,
}

/// Facts about a file. Times are seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes.
    pub size: u64,
    /// What it takes on the disk, in bytes.
    pub allocated: u64,
    /// Permission bits.
    pub mode: u32,
    /// The owner's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
    /// Number of names.
    pub links: u64,
    /// The device's number.
    pub device: u64,
    /// The number on the device.
    pub inode: u64,
    /// Creation; where the file system does not know, the earliest of the others.
    pub created: (i64, u32),
    /// Last access.
    pub accessed: (i64, u32),
    /// Last write.
    pub written: (i64, u32),
    /// Last change of the status.
    pub changed: (i64, u32),
}

fn kind_of(mode: u32) -> Kind {
    match mode & libc::S_IFMT {
        libc::S_IFDIR => Kind::Directory,
        libc::S_IFLNK => Kind::Link,
        libc::S_IFIFO | libc::S_IFSOCK => Kind::Pipe,
        libc::S_IFCHR => Kind::Character,
        libc::S_IFBLK => Kind::Block,
        _ => Kind::Regular,
    }
}

impl Status {
    pub(crate) fn of_stat(stat: &Stat) -> Self {
        let accessed = (stat.st_atime, stat.st_atime_nsec as u32);
        let written = (stat.st_mtime, stat.st_mtime_nsec as u32);
        let changed = (stat.st_ctime, stat.st_ctime_nsec as u32);
        Self {
            kind: kind_of(stat.st_mode),
            size: stat.st_size as u64,
            allocated: stat.st_blocks as u64 * 512,
            mode: stat.st_mode & 0o7777,
            user: stat.st_uid,
            group: stat.st_gid,
            links: stat.st_nlink,
            device: stat.st_dev,
            inode: stat.st_ino,
            created: written.min(changed),
            accessed,
            written,
            changed,
        }
    }

    fn of_statx(statx: &Statx) -> Self {
        let time = |time: rustix::fs::StatxTimestamp| (time.tv_sec, time.tv_nsec);
        let (written, changed) = (time(statx.stx_mtime), time(statx.stx_ctime));
        let has_birth = statx.stx_mask & StatxFlags::BTIME.bits() != 0 && statx.stx_btime.tv_sec != 0;
        Self {
            kind: kind_of(u32::from(statx.stx_mode)),
            size: statx.stx_size,
            allocated: statx.stx_blocks * 512,
            mode: u32::from(statx.stx_mode) & 0o7777,
            user: statx.stx_uid,
            group: statx.stx_gid,
            links: u64::from(statx.stx_nlink),
            device: rustix::fs::makedev(statx.stx_dev_major, statx.stx_dev_minor),
            inode: statx.stx_ino,
            created: if has_birth { time(statx.stx_btime) } else { written.min(changed) },
            accessed: time(statx.stx_atime),
            written,
            changed,
        }
    }

    pub(crate) fn of_descriptor(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        Ok(Self::of_statx(&rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH, mask)?))
    }

    /// Returns the status of a path; `follow` decides about a symbolic link at its end.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn of_path(path: &Path, follow: bool) -> Result<Self, Errno> {
        let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        Ok(Self::of_statx(&rustix::fs::statx(CWD, path, flags, mask)?))
    }

    /// Says whether nobody may write.
    pub fn is_read_only(&self) -> bool {
        self.mode & 0o222 == 0
    }
}

/// Says whether something has this path: a dangling symbolic link does.
pub fn exists(path: &Path) -> bool {
    rustix::fs::lstat(path).is_ok()
}

/// Returns a path without symbolic links.
///
/// # Errors
/// The kernel's errno.
pub fn resolved(path: &Path) -> Result<PathBuf, Errno> {
    std::fs::canonicalize(path).map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EIO)))
}

/// Sets access and modification time (seconds and nanoseconds since 1970); `None` leaves one as it is.
///
/// # Errors
/// The kernel's errno.
pub fn set_times(path: &Path, access: Option<(i64, u32)>, write: Option<(i64, u32)>) -> Result<(), Errno> {
    let omit = Timespec { tv_sec: 0, tv_nsec: libc::UTIME_OMIT };
    let time = |time: Option<(i64, u32)>| {
        time.map_or(omit, |(seconds, nanoseconds)| Timespec {
            tv_sec: seconds,
            tv_nsec: i64::from(nanoseconds),
        })
    };
    let times = Timestamps { last_access: time(access), last_modification: time(write) };
    Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())?)
}

/// Sets the permission bits.
///
/// # Errors
/// The kernel's errno.
pub fn set_mode(path: &Path, mode: u32) -> Result<(), Errno> {
    Ok(rustix::fs::chmod(path, Mode::from_raw_mode(mode))?)
}

/// The extended attribute in which Samba and Wine keep attributes that Linux has no place for, as text: `0x6`.
const DOS_ATTRIBUTES: &str = "user.DOSATTRIB";
/// Hidden and system: the attributes that are kept so.
const KEPT_ATTRIBUTES: u32 = 6;

/// Returns which of the attributes hidden (2) and system (4) are kept with a file; links are followed.
pub fn dos_attributes(path: &Path) -> u32 {
    let mut text = [0_u8; 16];
    let Ok(length) = rustix::fs::getxattr(path, DOS_ATTRIBUTES, &mut text) else { return 0 };
    let digits = std::str::from_utf8(&text[..length.min(text.len())]).unwrap_or("");
    let digits = digits.trim_end_matches('\0').trim_start_matches("0x");
    u32::from_str_radix(digits, 16).unwrap_or(0) & KEPT_ATTRIBUTES
}

/// Keeps the attributes hidden and system with a file.
///
/// # Errors
/// The kernel's errno: EOPNOTSUPP where the file system keeps no extended attributes.
pub fn set_dos_attributes(path: &Path, attributes: u32) -> Result<(), Errno> {
    let kept = attributes & KEPT_ATTRIBUTES;
    if kept == dos_attributes(path) {
        return Ok(());
    }
    if kept == 0 {
        return Ok(rustix::fs::removexattr(path, DOS_ATTRIBUTES)?);
    }
    let text = format!("0x{kept:x}");
    let flags = rustix::fs::XattrFlags::empty();
    Ok(rustix::fs::setxattr(path, DOS_ATTRIBUTES, text.as_bytes(), flags)?)
}

/// Renames; an existing target is replaced only when `replace` is set.
///
/// # Errors
/// The kernel's errno: EEXIST when the target is there, EXDEV across file systems.
pub fn rename(from: &Path, to: &Path, replace: bool) -> Result<(), Errno> {
    if replace {
        return Ok(rustix::fs::rename(from, to)?);
    }
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems do not know the flag: look first, which leaves a small gap.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if exists(to) {
                Err(Errno::EXISTS)
            } else {
                Ok(rustix::fs::rename(from, to)?)
            }
        }
        other => Ok(other?),
    }
}

/// Removes a name of a file.
///
/// # Errors
/// The kernel's errno.
pub fn remove_file(path: &Path) -> Result<(), Errno> {
    Ok(rustix::fs::unlink(path)?)
}

/// Makes a second name for a file.
///
/// # Errors
/// The kernel's errno.
pub fn link(existing: &Path, new: &Path) -> Result<(), Errno> {
    Ok(rustix::fs::link(existing, new)?)
}

/// Makes a symbolic link at `new`.
///
/// # Errors
/// The kernel's errno.
pub fn symlink(target: &Path, new: &Path) -> Result<(), Errno> {
    Ok(rustix::fs::symlink(target, new)?)
}

/// Returns what a symbolic link says.
///
/// # Errors
/// The kernel's errno: EINVAL when it is none.
pub fn link_target(path: &Path) -> Result<PathBuf, Errno> {
    use std::os::unix::ffi::OsStringExt;
    let target = rustix::fs::readlink(path, Vec::new())?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes())))
}

/// The room on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The unit of allocation.
    pub block: u64,
    /// All of it.
    pub total: u64,
    /// What is free.
    pub free: u64,
    /// What is free for this user.
    pub available: u64,
    /// The longest name in bytes.
    pub name_max: u64,
    /// The file system's number.
    pub identifier: u64,
}

/// Returns the room on the file system of a path.
///
/// # Errors
/// The kernel's errno.
pub fn space(path: &Path) -> Result<Space, Errno> {
    let found = rustix::fs::statvfs(path)?;
    let block = found.f_frsize.max(1);
    Ok(Space {
        block,
        total: found.f_blocks.saturating_mul(block),
        free: found.f_bfree.saturating_mul(block),
        available: found.f_bavail.saturating_mul(block),
        name_max: found.f_namemax,
        identifier: found.f_fsid,
    })
}
