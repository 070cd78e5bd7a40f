//! Attributes, times and facts, by path or by handle; byte-range locks.

use plat_abi::{GuestWord, Memory, winapi};

use super::open::file;
use super::text::path;
use super::transfer::complete;
use crate::guest::{Bool, Guest, OrMinusOne, TRUE};
use crate::logic::path::Target;
use crate::nt::file::{FileKind, FileObject, access};
use crate::nt::file_info::{self, FileFacts, NewTimes, attribute};
use crate::ntdll::files::{Listing, list};
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// Returns the facts about a Win32 path; devices have next to none.
fn facts_of_path(guest: &Guest, path: &[u16]) -> Result<FileFacts, Win32Error> {
    let files = &guest.process().files;
    match files.resolve(path).map_err(empty_is_not_found(path))? {
        Target::Device(_) => Ok(FileFacts { attributes: attribute::ARCHIVE, ..FileFacts::default() }),
        Target::File { unix, wants_directory, .. } => {
            let facts = files.facts(&unix)?;
            if wants_directory && !facts.is_directory() {
                return Err(Win32Error::INVALID_NAME);
            }
            Ok(facts)
        }
    }
}

/// Windows finds nothing under an empty name, rather than calling it invalid.
fn empty_is_not_found(path: &[u16]) -> impl Fn(Win32Error) -> Win32Error {
    let is_empty = path.is_empty();
    move |error| if is_empty { Win32Error::PATH_NOT_FOUND } else { error }
}

both_widths! {
    /// Returns the attributes of a file or directory.
    "fileapi/nf-fileapi-getfileattributes"
    GetFileAttributesA, GetFileAttributesW(
        guest, width, lpFileName: GuestWord
    ) -> Result<OrMinusOne, Win32Error> {
        let path = path(guest, width, lpFileName)?;
        Ok(OrMinusOne(facts_of_path(guest, &path)?.attributes))
    }
}

/// Lays a time out as `FILETIME`.
fn file_time(time: i64) -> [u8; 8] {
    time.to_le_bytes()
}

/// The bytes with which WIN32_FIND_DATA and WIN32_FILE_ATTRIBUTE_DATA begin: 36 of them.
pub(in crate::kernel32) fn attribute_data(facts: &FileFacts) -> Vec<u8> {
    let mut bytes = facts.attributes.to_le_bytes().to_vec();
    for time in [facts.created, facts.accessed, facts.written] {
        bytes.extend(file_time(time));
    }
    bytes.extend(((facts.size >> 32) as u32).to_le_bytes());
    bytes.extend((facts.size as u32).to_le_bytes());
    bytes
}

fn attributes_ex(guest: &Guest, path: &[u16], level: u32, into: GuestWord) -> Result<Bool, Win32Error> {
    if level != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_bytes(into.0, &attribute_data(&facts_of_path(guest, path)?))?;
    Ok(TRUE)
}

both_widths! {
    /// Stores attributes, times and size of a file or directory.
    "fileapi/nf-fileapi-getfileattributesex"
    GetFileAttributesExA, GetFileAttributesExW(
        guest, width, lpFileName: GuestWord, fInfoLevelId: u32, lpFileInformation: GuestWord
    ) -> Result<Bool, Win32Error> {
        attributes_ex(guest, &path(guest, width, lpFileName)?, fInfoLevelId, lpFileInformation)
    }
}

fn set_attributes(guest: &Guest, path: &[u16], attributes: u32) -> Result<Bool, Win32Error> {
    let found = guest.process().files.locate(path).map_err(empty_is_not_found(path))?;
    file_info::set_attributes(&found, attributes)?;
    Ok(TRUE)
}

both_widths! {
    /// Sets the attributes of a file or directory.
    "fileapi/nf-fileapi-setfileattributes"
    SetFileAttributesA, SetFileAttributesW(
        guest, width, lpFileName: GuestWord, dwFileAttributes: u32
    ) -> Result<Bool, Win32Error> {
        set_attributes(guest, &path(guest, width, lpFileName)?, dwFileAttributes)
    }
}

/// Stores what is known of an open file: `BY_HANDLE_FILE_INFORMATION`, 52 bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfileinformationbyhandle>
#[winapi]
pub fn GetFileInformationByHandle(
    guest: &mut Guest,
    hFile: GuestWord,
    lpFileInformation: GuestWord,
) -> Result<Bool, Win32Error> {
    let facts = disk_file(guest, hFile)?.facts()?;
    let mut bytes = facts.attributes.to_le_bytes().to_vec();
    for time in [facts.created, facts.accessed, facts.written] {
        bytes.extend(file_time(time));
    }
    let (size, index) = (facts.size, facts.index);
    let words =
        [facts.volume, (size >> 32) as u32, size as u32, facts.links, (index >> 32) as u32, index as u32];
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    guest.write_bytes(lpFileInformation.0, &bytes)?;
    Ok(TRUE)
}

/// Returns the file behind a handle; consoles and devices have no such information.
fn disk_file(guest: &Guest, handle: GuestWord) -> Result<std::sync::Arc<FileObject>, Win32Error> {
    let file = file(guest, handle, 0)?;
    match file.kind {
        FileKind::Disk | FileKind::Directory => Ok(file),
        FileKind::ConsoleInput | FileKind::ConsoleOutput => Err(Win32Error::INVALID_HANDLE),
        _ => Err(Win32Error::INVALID_FUNCTION),
    }
}

/// Stores one kind of information about an open file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getfileinformationbyhandleex>
#[winapi]
pub fn GetFileInformationByHandleEx(
    guest: &mut Guest,
    hFile: GuestWord,
    FileInformationClass: u32,
    lpFileInformation: GuestWord,
    dwBufferSize: u32,
) -> Result<Bool, Win32Error> {
    let file = disk_file(guest, hFile)?;
    if let Some((class, restart)) = names_class(FileInformationClass) {
        let how = Listing { class, single: false, restart, pattern: &[] };
        let bytes = list(guest, &file, &how, dwBufferSize as usize)?;
        guest.write_bytes(lpFileInformation.0, &bytes)?;
        return Ok(TRUE);
    }
    let facts = file.facts()?;
    let bytes = match FileInformationClass {
        0 => facts.basic_information(),
        1 => facts.standard_information(file.is_delete_pending()),
        2 => name_information(guest, &file),
        // Attributes and reparse tag: there are no reparse points.
        9 => u64::from(facts.attributes).to_le_bytes().to_vec(),
        18 => [u64::from(facts.volume), facts.index, 0].iter().flat_map(|word| word.to_le_bytes()).collect(),
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    if bytes.len() > dwBufferSize as usize {
        let is_name = FileInformationClass == 2;
        return Err(if is_name { Win32Error::MORE_DATA } else { Win32Error::BAD_LENGTH });
    }
    guest.write_bytes(lpFileInformation.0, &bytes)?;
    Ok(TRUE)
}

/// Returns NT's class for a class that lists a directory, and whether it begins again.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/minwinbase/ne-minwinbase-file_info_by_handle_class>
fn names_class(class: u32) -> Option<(u32, bool)> {
    const FULL: u32 = 2;
    const ID_BOTH: u32 = 37;
    const ID_EXTENDED: u32 = 60;
    match class {
        10 => Some((ID_BOTH, false)),
        11 => Some((ID_BOTH, true)),
        14 => Some((FULL, false)),
        15 => Some((FULL, true)),
        19 => Some((ID_EXTENDED, false)),
        20 => Some((ID_EXTENDED, true)),
        _ => None,
    }
}

/// `FILE_NAME_INFORMATION`: length in bytes, then the path without its drive.
pub(crate) fn name_information(guest: &Guest, file: &FileObject) -> Vec<u8> {
    let path = file.unix_path().map(|path| guest.process().files.win32_path(&path)).unwrap_or_default();
    let name = path.get(2..).unwrap_or(&[]);
    let mut bytes = (name.len() as u32 * 2).to_le_bytes().to_vec();
    bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes
}

/// Sets one kind of information of an open file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfileinformationbyhandle>
#[winapi]
pub fn SetFileInformationByHandle(
    guest: &mut Guest,
    hFile: GuestWord,
    FileInformationClass: u32,
    lpFileInformation: GuestWord,
    dwBufferSize: u32,
) -> Result<Bool, Win32Error> {
    // Win32's classes are NT's under other numbers.
    let (class, needed) = match FileInformationClass {
        0 => (4, access::WRITE_ATTRIBUTES),
        3 => (10, access::DELETE),
        4 => (13, access::DELETE),
        5 => (19, access::WRITE_DATA),
        6 => (20, access::WRITE_DATA),
        21 => (64, access::DELETE),
        22 => (65, access::DELETE),
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    let file = file(guest, hFile, needed)?;
    set_information(guest, &file, class, lpFileInformation.0, dwBufferSize).map_err(
        |status| match status {
            NtStatus::INFO_LENGTH_MISMATCH => Win32Error::BAD_LENGTH,
            other => other.to_win32(),
        },
    )?;
    Ok(TRUE)
}

/// Sets information of an open file by NT's class numbers.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/ne-wdm-_file_information_class>
pub(crate) fn set_information(
    guest: &Guest,
    file: &FileObject,
    class: u32,
    address: u64,
    length: u32,
) -> Result<(), NtStatus> {
    let need = |size: u32| if length < size { Err(NtStatus::INFO_LENGTH_MISMATCH) } else { Ok(()) };
    match class {
        4 => {
            need(40)?;
            let time = |index: u64| Ok::<_, NtStatus>(new_time(guest.read_u64(address + index * 8)? as i64));
            file.set_times(NewTimes { accessed: time(1)?, written: time(2)? })?;
            match guest.read_u32(address + 32)? {
                0 => Ok(()),
                attributes => file.set_attributes(attributes),
            }
        }
        10 | 11 | 65 | 72 => {
            need(guest.machine().pointer_size() as u32 * 2 + 4)?;
            let to = new_name(guest, file, address)?;
            let replace = guest.read_u32(address)? & if matches!(class, 10 | 11) { 0xff } else { 1 } != 0;
            let files = &guest.process().files;
            if matches!(class, 10 | 65) {
                file.rename(files, &to, replace)
            } else {
                file.link(files, &to, replace)
            }
        }
        13 | 64 => {
            need(1)?;
            let mut flags = [0];
            guest.read_bytes(address, &mut flags)?;
            file.set_delete(flags[0] & 1 != 0)
        }
        // The position.
        14 => {
            need(8)?;
            let position = guest.read_u64(address)? as i64;
            file.seek(position, crate::nt::file::SeekOrigin::Begin).map(drop)
        }
        // The allocation: only a smaller one than the size shows.
        19 => {
            need(8)?;
            let size = guest.read_u64(address)?;
            if size < file.size()? { file.set_size(size) } else { Ok(()) }
        }
        20 => {
            need(8)?;
            file.set_size(guest.read_u64(address)?)
        }
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}

/// Returns the Unix path that `FILE_RENAME_INFORMATION` and `FILE_LINK_INFORMATION` name: a full NT path (whose prefix
/// Win32's rules take as it stands), a name beside the file, or one in a directory.
fn new_name(guest: &Guest, file: &FileObject, address: u64) -> Result<std::path::PathBuf, NtStatus> {
    let word = guest.machine().pointer_size();
    let root = guest.read_word(address + word)?;
    let length = guest.read_u32(address + word * 2)?;
    let name = guest.read_wide(address + word * 2 + 4, u64::from(length / 2))?;
    let files = &guest.process().files;
    let is_bare = !name.contains(&u16::from(b'\\')) && !name.contains(&u16::from(b':'));
    let directory = match root {
        0 if !is_bare => return files.resolve_file(&name).map_err(NtStatus::from_win32),
        0 => file.unix_path().and_then(|path| path.parent().map(std::path::Path::to_owned)),
        root => crate::nt::file_standard::file(guest.process(), root, 0)?.unix_path(),
    };
    let directory = files.win32_path(&directory.ok_or(NtStatus::INVALID_PARAMETER)?);
    let prefix: Vec<u16> = r"\??\".encode_utf16().collect();
    let full = [prefix.as_slice(), &directory, &[u16::from(b'\\')], &name].concat();
    files.resolve_file(&full).map_err(NtStatus::from_win32)
}

/// 0 leaves a time as it is; -1 stops, -2 starts its automatic change, which Linux does not know.
fn new_time(time: i64) -> Option<i64> {
    (time > 0).then_some(time)
}

/// Stores creation, last access and last write; null pointers are passed over.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfiletime>
#[winapi]
pub fn GetFileTime(
    guest: &mut Guest,
    hFile: GuestWord,
    lpCreationTime: GuestWord,
    lpLastAccessTime: GuestWord,
    lpLastWriteTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let facts = disk_file(guest, hFile)?.facts()?;
    let places = [
        (lpCreationTime, facts.created),
        (lpLastAccessTime, facts.accessed),
        (lpLastWriteTime, facts.written),
    ];
    for (place, time) in places.into_iter().filter(|pair| !pair.0.is_null()) {
        guest.write_bytes(place.0, &file_time(time))?;
    }
    Ok(TRUE)
}

/// Sets last access and last write; null pointers and zero leave a time as it is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfiletime>
#[winapi]
pub fn SetFileTime(
    guest: &mut Guest,
    hFile: GuestWord,
    lpCreationTime: GuestWord,
    lpLastAccessTime: GuestWord,
    lpLastWriteTime: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpCreationTime;
    let file = file(guest, hFile, access::WRITE_ATTRIBUTES)?;
    let time = |place: GuestWord| -> Result<Option<i64>, Win32Error> {
        if place.is_null() { Ok(None) } else { Ok(new_time(guest.read_u64(place.0)? as i64)) }
    };
    file.set_times(NewTimes { accessed: time(lpLastAccessTime)?, written: time(lpLastWriteTime)? })?;
    Ok(TRUE)
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Locks a range of bytes exclusively, or fails at once.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfile>
#[winapi]
pub fn LockFile(
    guest: &mut Guest,
    hFile: GuestWord,
    dwFileOffsetLow: u32,
    dwFileOffsetHigh: u32,
    nNumberOfBytesToLockLow: u32,
    nNumberOfBytesToLockHigh: u32,
) -> Result<Bool, Win32Error> {
    let (start, length) =
        (pair(dwFileOffsetLow, dwFileOffsetHigh), pair(nNumberOfBytesToLockLow, nNumberOfBytesToLockHigh));
    file(guest, hFile, access::READ_DATA | access::WRITE_DATA)?.lock_range(start, length, true, false)?;
    Ok(TRUE)
}

/// Unlocks a range of bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-unlockfile>
#[winapi]
pub fn UnlockFile(
    guest: &mut Guest,
    hFile: GuestWord,
    dwFileOffsetLow: u32,
    dwFileOffsetHigh: u32,
    nNumberOfBytesToUnlockLow: u32,
    nNumberOfBytesToUnlockHigh: u32,
) -> Result<Bool, Win32Error> {
    let (start, length) = (
        pair(dwFileOffsetLow, dwFileOffsetHigh),
        pair(nNumberOfBytesToUnlockLow, nNumberOfBytesToUnlockHigh),
    );
    file(guest, hFile, 0)?.unlock_range(start, length)?;
    Ok(TRUE)
}

const LOCKFILE_FAIL_IMMEDIATELY: u32 = 1;
const LOCKFILE_EXCLUSIVE_LOCK: u32 = 2;

fn overlapped_start(guest: &Guest, overlapped: GuestWord) -> Result<u64, Win32Error> {
    let base = overlapped.0 + 2 * guest.machine().pointer_size();
    Ok(guest.read_u64(base)?)
}

/// Locks a range of bytes, shared or exclusively, at once or when it is free.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfileex>
#[winapi]
pub fn LockFileEx(
    guest: &mut Guest,
    hFile: GuestWord,
    dwFlags: u32,
    dwReserved: u32,
    nNumberOfBytesToLockLow: u32,
    nNumberOfBytesToLockHigh: u32,
    lpOverlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    if dwReserved != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let length = pair(nNumberOfBytesToLockLow, nNumberOfBytesToLockHigh);
    let start = overlapped_start(guest, lpOverlapped)?;
    let (exclusive, wait) =
        (dwFlags & LOCKFILE_EXCLUSIVE_LOCK != 0, dwFlags & LOCKFILE_FAIL_IMMEDIATELY == 0);
    let file = file(guest, hFile, access::READ_DATA | access::WRITE_DATA)?;
    let locked = || file.lock_range(start, length, exclusive, wait).map(|()| 0);
    complete(guest, &file, GuestWord(0), lpOverlapped, None, locked)
}

/// Unlocks a range of bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-unlockfileex>
#[winapi]
pub fn UnlockFileEx(
    guest: &mut Guest,
    hFile: GuestWord,
    dwReserved: u32,
    nNumberOfBytesToUnlockLow: u32,
    nNumberOfBytesToUnlockHigh: u32,
    lpOverlapped: GuestWord,
) -> Result<Bool, Win32Error> {
    if dwReserved != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let length = pair(nNumberOfBytesToUnlockLow, nNumberOfBytesToUnlockHigh);
    file(guest, hFile, 0)?.unlock_range(overlapped_start(guest, lpOverlapped)?, length)?;
    Ok(TRUE)
}

/// `ERROR_SHORT_NAMES_NOT_ENABLED_ON_VOLUME`.
const NO_SHORT_NAMES: Win32Error = Win32Error(305);
/// `SeRestorePrivilege`.
const RESTORE: u32 = 18;

/// Returns the bytes that a file takes: fewer than it has only if it has holes.
fn compressed_size(guest: &Guest, path: &[u16], high: GuestWord) -> Result<OrMinusOne, Win32Error> {
    let files = &guest.process().files;
    let facts = files.facts(&files.resolve_file(path)?)?;
    /// `FILE_ATTRIBUTE_SPARSE_FILE`.
    const SPARSE: u32 = 0x200;
    let has_holes = facts.attributes & SPARSE != 0;
    let size = if has_holes { facts.size.min(facts.allocated) } else { facts.size };
    if !high.is_null() {
        guest.write(high.0, &((size >> 32) as u32))?;
    }
    Ok(OrMinusOne(size as u32))
}

both_widths! {
    /// Returns the bytes that a file takes on the disk.
    "fileapi/nf-fileapi-getcompressedfilesize"
    GetCompressedFileSizeA, GetCompressedFileSizeW(
        guest, width, lpFileName: GuestWord, lpFileSizeHigh: GuestWord
    ) -> Result<OrMinusOne, Win32Error> {
        compressed_size(guest, &path(guest, width, lpFileName)?, lpFileSizeHigh)
    }

    /// Refuses to give a file a short name: those that there are are made of the long ones.
    "winbase/nf-winbase-setfileshortname"
    SetFileShortNameA, SetFileShortNameW(guest, width, hFile: GuestWord, lpShortName: GuestWord) -> Result<Bool, Win32Error> {
        let _ = (width, lpShortName);
        file(guest, hFile, 0)?;
        let may = guest.process().tokens.effective().has_privilege(RESTORE);
        Err(if may { NO_SHORT_NAMES } else { Win32Error::PRIVILEGE_NOT_HELD })
    }
}
