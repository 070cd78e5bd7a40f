//! Drives, volumes and the room on them. There are two drives: `C:`, the user's folder, and `Z:`, all of Linux.

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::file_path::{Space, Status, space};

use super::text::{path, put};
use crate::Win32Error;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::file_info::volume_serial;
use crate::nt::path::status_of;
use crate::widths::{Width, both_widths};

/// Returns the drives as a bit mask.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getlogicaldrives>
#[winapi]
pub fn GetLogicalDrives(guest: &mut Guest) -> u32 {
    let c = if guest.process().files.drives().c.is_some() { 1 << 2 } else { 0 };
    c | 1 << 25
}

const DRIVE_NO_ROOT_DIR: u32 = 1;
const DRIVE_FIXED: u32 = 3;

fn drive_type(guest: &Guest, root: &[u16]) -> u32 {
    let files = &guest.process().files;
    let unix = files.resolve_file(root).and_then(|unix| Ok(files.find_existing(&unix)?));
    if unix.is_ok() { DRIVE_FIXED } else { DRIVE_NO_ROOT_DIR }
}

/// Returns what a drive is: 3 fixed, 1 not there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdrivetypew>
#[winapi]
pub fn GetDriveTypeW(guest: &mut Guest, lpRootPathName: GuestWord) -> Result<u32, Win32Error> {
    let root = root_or_current(guest, lpRootPathName)?;
    Ok(drive_type(guest, &root))
}

/// Returns what a drive is: 3 fixed, 1 not there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdrivetypea>
#[winapi]
pub fn GetDriveTypeA(guest: &mut Guest, lpRootPathName: GuestWord) -> Result<u32, Win32Error> {
    if lpRootPathName.is_null() {
        return Ok(DRIVE_FIXED);
    }
    let root = path(guest, Width::Narrow, lpRootPathName)?;
    Ok(drive_type(guest, &root))
}

/// Null means the root of the current directory.
fn root_or_current(guest: &Guest, address: GuestWord) -> Result<Vec<u16>, Win32Error> {
    if address.is_null() { Ok(vec![u16::from(b'\\')]) } else { path(guest, Width::Wide, address) }
}

fn space_of(guest: &Guest, width: Width, root: GuestWord) -> Result<Space, Win32Error> {
    let root = if root.is_null() { root_or_current(guest, root)? } else { path(guest, width, root)? };
    let unix = guest.process().files.locate(&root)?;
    Ok(space(&unix).map_err(status_of)?)
}

/// `FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK`.
pub(crate) const VOLUME_FLAGS: u32 = 6;

/// Stores a text for a caller who gave a buffer; one that is too small is an error.
fn put_text(
    guest: &Guest,
    width: Width,
    (place, capacity): (GuestWord, u32),
    text: &str,
) -> Result<(), Win32Error> {
    if place.is_null() {
        return Ok(());
    }
    let text: Vec<u16> = text.encode_utf16().collect();
    if put(guest, width, place, capacity, &text)? > text.len() as u32 {
        Err(Win32Error::BAD_LENGTH)
    } else {
        Ok(())
    }
}

/// What a caller wants to know about a volume.
struct VolumeWish {
    name: (GuestWord, u32),
    /// Places of the serial number, the longest name and the flags.
    words: [GuestWord; 3],
    file_system: (GuestWord, u32),
}

fn put_volume(guest: &Guest, width: Width, serial: u32, wish: &VolumeWish) -> Result<Bool, Win32Error> {
    // Names are limited in bytes on Linux; in units no fewer may fit.
    let values = [serial, 255, VOLUME_FLAGS];
    for (place, value) in wish.words.into_iter().zip(values).filter(|pair| !pair.0.is_null()) {
        guest.write_bytes(place.0, &value.to_le_bytes())?;
    }
    put_text(guest, width, wish.name, "")?;
    put_text(guest, width, wish.file_system, "NTFS")?;
    Ok(TRUE)
}

/// Stores the name, serial number and file system of the volume that an open file is on.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getvolumeinformationbyhandlew>
#[winapi]
pub fn GetVolumeInformationByHandleW(
    guest: &mut Guest,
    hFile: GuestWord,
    lpVolumeNameBuffer: GuestWord,
    nVolumeNameSize: u32,
    lpVolumeSerialNumber: GuestWord,
    lpMaximumComponentLength: GuestWord,
    lpFileSystemFlags: GuestWord,
    lpFileSystemNameBuffer: GuestWord,
    nFileSystemNameSize: u32,
) -> Result<Bool, Win32Error> {
    let serial = super::file(guest, hFile, 0)?.facts()?.volume;
    let wish = VolumeWish {
        name: (lpVolumeNameBuffer, nVolumeNameSize),
        words: [lpVolumeSerialNumber, lpMaximumComponentLength, lpFileSystemFlags],
        file_system: (lpFileSystemNameBuffer, nFileSystemNameSize),
    };
    put_volume(guest, Width::Wide, serial, &wish)
}

both_widths! {
    /// Stores the drives' roots, each with its zero, and one zero more.
    "fileapi/nf-fileapi-getlogicaldrivestrings"
    GetLogicalDriveStringsA, GetLogicalDriveStringsW(
        guest, width, nBufferLength: u32, lpBuffer: GuestWord
    ) -> Result<u32, Win32Error> {
        let c = if guest.process().files.drives().c.is_some() { "C:\\\0" } else { "" };
        let text: Vec<u16> = format!("{c}Z:\\\0").encode_utf16().collect();
        put(guest, width, lpBuffer, nBufferLength, &text)
    }

    /// Stores the room on a drive, in clusters.
    "fileapi/nf-fileapi-getdiskfreespace"
    GetDiskFreeSpaceA, GetDiskFreeSpaceW(
        guest, width, lpRootPathName: GuestWord, lpSectorsPerCluster: GuestWord, lpBytesPerSector: GuestWord,
        lpNumberOfFreeClusters: GuestWord, lpTotalNumberOfClusters: GuestWord
    ) -> Result<Bool, Win32Error> {
        let space = space_of(guest, width, lpRootPathName)?;
        let sector = 512.min(space.block);
        let words = [
            (lpSectorsPerCluster, space.block / sector),
            (lpBytesPerSector, sector),
            (lpNumberOfFreeClusters, space.available / space.block),
            (lpTotalNumberOfClusters, space.total / space.block),
        ];
        for (place, value) in words.into_iter().filter(|pair| !pair.0.is_null()) {
            let value = u32::try_from(value).unwrap_or(u32::MAX);
            guest.write_bytes(place.0, &value.to_le_bytes())?;
        }
        Ok(TRUE)
    }

    /// Stores the room on a drive, in bytes.
    "fileapi/nf-fileapi-getdiskfreespaceex"
    GetDiskFreeSpaceExA, GetDiskFreeSpaceExW(
        guest, width, lpDirectoryName: GuestWord, lpFreeBytesAvailableToCaller: GuestWord,
        lpTotalNumberOfBytes: GuestWord, lpTotalNumberOfFreeBytes: GuestWord
    ) -> Result<Bool, Win32Error> {
        let space = space_of(guest, width, lpDirectoryName)?;
        let words = [
            (lpFreeBytesAvailableToCaller, space.available),
            (lpTotalNumberOfBytes, space.total),
            (lpTotalNumberOfFreeBytes, space.free),
        ];
        for (place, value) in words.into_iter().filter(|pair| !pair.0.is_null()) {
            guest.write_bytes(place.0, &value.to_le_bytes())?;
        }
        Ok(TRUE)
    }

    /// Stores a volume's name, serial number and file system.
    "fileapi/nf-fileapi-getvolumeinformation"
    GetVolumeInformationA, GetVolumeInformationW(
        guest, width, lpRootPathName: GuestWord, lpVolumeNameBuffer: GuestWord, nVolumeNameSize: u32,
        lpVolumeSerialNumber: GuestWord, lpMaximumComponentLength: GuestWord, lpFileSystemFlags: GuestWord,
        lpFileSystemNameBuffer: GuestWord, nFileSystemNameSize: u32
    ) -> Result<Bool, Win32Error> {
        let root = if lpRootPathName.is_null() { root_or_current(guest, lpRootPathName)? } else {
            path(guest, width, lpRootPathName)?
        };
        let unix = guest.process().files.locate(&root)?;
        let status = Status::of_path(&unix, true).map_err(status_of)?;
        let wish = VolumeWish {
            name: (lpVolumeNameBuffer, nVolumeNameSize),
            words: [lpVolumeSerialNumber, lpMaximumComponentLength, lpFileSystemFlags],
            file_system: (lpFileSystemNameBuffer, nFileSystemNameSize),
        };
        put_volume(guest, width, volume_serial(status.device), &wish)
    }

    /// Stores the root of the volume that a path is on: its drive's, since plat mounts no volumes in folders.
    "fileapi/nf-fileapi-getvolumepathname"
    GetVolumePathNameA, GetVolumePathNameW(
        guest, width, lpszFileName: GuestWord, lpszVolumePathName: GuestWord, cchBufferLength: u32
    ) -> Result<Bool, Win32Error> {
        let full = guest.process().files.full_path(&path(guest, width, lpszFileName)?)?;
        let text = String::from_utf16_lossy(&full);
        let root = match text.find(':') {
            Some(colon) => format!("{}\\", &text[..=colon]),
            None => text,
        };
        match put_text(guest, width, (lpszVolumePathName, cchBufferLength), &root) {
            Err(Win32Error::BAD_LENGTH) => Err(Win32Error::FILENAME_EXCED_RANGE),
            result => result.map(|()| TRUE),
        }
    }
}
