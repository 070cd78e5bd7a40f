//! fileapi.h: volumes by their names, and the devices behind drives. Each drive is a volume, and none is mounted in a folder.

use std::sync::Mutex;

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::path;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::logic::object_name;
use crate::nt::handle::HandleFlags;
use crate::nt::object::{Object, ObjectKind};
use crate::nt::path::lock;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full FindFirstVolumeA; full FindFirstVolumeW; full FindNextVolumeA; full FindNextVolumeW;
    full FindVolumeClose;
    full GetVolumeNameForVolumeMountPointA; full GetVolumeNameForVolumeMountPointW;
    full GetVolumePathNamesForVolumeNameA; full GetVolumePathNamesForVolumeNameW;
    full QueryDosDeviceA; full QueryDosDeviceW;
    full FindFirstVolumeMountPointA;
    full FindFirstVolumeMountPointW;
    full FindNextVolumeMountPointA;
    full FindNextVolumeMountPointW;
    full FindVolumeMountPointClose;
    full DeleteVolumeMountPointA;
    full DeleteVolumeMountPointW;
    partial SetVolumeMountPointA, "refused: a program may not mount volumes";
    partial SetVolumeMountPointW, "refused: a program may not mount volumes";
    partial DefineDosDeviceA, "always ERROR_ACCESS_DENIED: drives are given when a program starts";
    partial DefineDosDeviceW, "always ERROR_ACCESS_DENIED: drives are given when a program starts";
    partial SetVolumeLabelA, "always ERROR_ACCESS_DENIED: labels of Linux' file systems stay";
    partial SetVolumeLabelW, "always ERROR_ACCESS_DENIED: labels of Linux' file systems stay";
};

/// An enumeration of volumes: what is left.
struct Volumes(Mutex<Vec<u8>>);

impl Object for Volumes {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Find
    }
}

/// Returns the letters of the drives that there are.
fn drives(guest: &Guest) -> Vec<u8> {
    let c = guest.process().files.drives().c.is_some();
    if c { vec![b'C', b'Z'] } else { vec![b'Z'] }
}

/// The name of a drive's volume; the number is "plat" and the letter.
fn volume_name(letter: u8) -> Vec<u16> {
    format!(r"\\?\Volume{{706c6174-0000-0000-0000-0000000000{letter:02x}}}\").encode_utf16().collect()
}

fn put_name(
    guest: &Guest,
    width: Width,
    letter: u8,
    buffer: GuestWord,
    capacity: u32,
) -> Result<(), Win32Error> {
    let name = volume_name(letter);
    if name.len() >= capacity as usize {
        return Err(Win32Error::FILENAME_EXCED_RANGE);
    }
    Ok(width.write(guest, buffer, &name)?)
}

both_widths! {
    /// Begins an enumeration of volumes.
    "winbase/nf-winbase-findfirstvolume" | "fileapi/nf-fileapi-findfirstvolume"
    FindFirstVolumeA, FindFirstVolumeW(
        guest, width, lpszVolumeName: GuestWord, cchBufferLength: u32
    ) -> Result<HandleOrInvalid, Win32Error> {
        let mut all = drives(guest);
        let first = all.remove(0);
        put_name(guest, width, first, lpszVolumeName, cchBufferLength)?;
        let object = std::sync::Arc::new(Volumes(Mutex::new(all)));
        let handle = guest.process().handles.insert(object, 0, HandleFlags::empty());
        Ok(HandleOrInvalid(handle))
    }

    /// Goes on with an enumeration of volumes.
    "winbase/nf-winbase-findnextvolume" | "fileapi/nf-fileapi-findnextvolume"
    FindNextVolumeA, FindNextVolumeW(
        guest, width, hFindVolume: GuestWord, lpszVolumeName: GuestWord, cchBufferLength: u32
    ) -> Result<Bool, Win32Error> {
        let volumes = guest.process().handles.get::<Volumes>(hFindVolume.0)?;
        let mut left = lock(&volumes.0);
        let letter = *left.first().ok_or(Win32Error::NO_MORE_FILES)?;
        put_name(guest, width, letter, lpszVolumeName, cchBufferLength)?;
        left.remove(0);
        Ok(TRUE)
    }
}

/// Ends an enumeration of volumes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findvolumeclose>
#[winapi]
pub fn FindVolumeClose(guest: &mut Guest, hFindVolume: GuestWord) -> Result<Bool, Win32Error> {
    let handles = &guest.process().handles;
    handles.get::<Volumes>(hFindVolume.0).map_err(|_| Win32Error::INVALID_HANDLE)?;
    drop(handles.close(hFindVolume.0)?);
    Ok(TRUE)
}

/// Returns the drive's letter that a path (`C:\`) is the root of.
fn root_letter(guest: &Guest, path: &[u16]) -> Option<u8> {
    let [letter, 0x3a, 0x5c] = *path else { return None };
    let letter = u8::try_from(letter).ok()?.to_ascii_uppercase();
    drives(guest).contains(&letter).then_some(letter)
}

both_widths! {
    /// Stores the name of the volume that is mounted at a place: the root of a drive, or a volume by its own name.
    "winbase/nf-winbase-getvolumenameforvolumemountpoint" | "fileapi/nf-fileapi-getvolumenameforvolumemountpoint"
    GetVolumeNameForVolumeMountPointA, GetVolumeNameForVolumeMountPointW(
        guest, width, lpszVolumeMountPoint: GuestWord, lpszVolumeName: GuestWord, cchBufferLength: u32
    ) -> Result<Bool, Win32Error> {
        let path = width.read_string(guest, lpszVolumeMountPoint)?;
        if path.last() != Some(&u16::from(b'\\')) {
            return Err(Win32Error::INVALID_NAME);
        }
        let own = || drives(guest).into_iter().find(|&letter| volume_name(letter) == path);
        let letter = match root_letter(guest, &path).or_else(own) {
            Some(letter) => letter,
            // A folder is one that a volume could be mounted at, and is not.
            None if guest.process().files.locate(&path).is_ok() => return Err(Win32Error::NOT_A_REPARSE_POINT),
            None => return Err(Win32Error::FILE_NOT_FOUND),
        };
        put_name(guest, width, letter, lpszVolumeName, cchBufferLength)?;
        Ok(TRUE)
    }

    /// Stores where a volume is mounted: the root of its drive.
    "winbase/nf-winbase-getvolumepathnamesforvolumename" | "fileapi/nf-fileapi-getvolumepathnamesforvolumename"
    GetVolumePathNamesForVolumeNameA, GetVolumePathNamesForVolumeNameW(
        guest, width, lpszVolumeName: GuestWord, lpszVolumePathNames: GuestWord, cchBufferLength: u32,
        lpcchReturnLength: GuestWord
    ) -> Result<Bool, Win32Error> {
        let name = width.read_string(guest, lpszVolumeName)?;
        let letter = drives(guest).into_iter().find(|&letter| volume_name(letter) == name);
        let letter = letter.ok_or(Win32Error::FILE_NOT_FOUND)?;
        // The list ends with a text of no length.
        let text: Vec<u16> = format!("{}:\\\0", char::from(letter)).encode_utf16().collect();
        let length = text.len() + 1;
        if !lpcchReturnLength.is_null() {
            guest.write(lpcchReturnLength.0, &(length as u32))?;
        }
        if length > cchBufferLength as usize {
            return Err(Win32Error::MORE_DATA);
        }
        width.write(guest, lpszVolumePathNames, &text)?;
        Ok(TRUE)
    }

    /// Stores what is behind a DOS device's name (`C:`, `NUL`), or all those names; returns how many characters.
    "winbase/nf-winbase-querydosdevice" | "fileapi/nf-fileapi-querydosdevice"
    QueryDosDeviceA, QueryDosDeviceW(
        guest, width, lpDeviceName: GuestWord, lpTargetPath: GuestWord, ucchMax: u32
    ) -> Result<u32, Win32Error> {
        let text = match lpDeviceName.is_null() {
            true => dos_devices(guest),
            false => {
                let name = width.read_string(guest, lpDeviceName)?;
                [dos_device(guest, &name)?.as_slice(), &[0]].concat()
            }
        };
        if text.len() + 1 > ucchMax as usize {
            return Err(Win32Error::INSUFFICIENT_BUFFER);
        }
        width.write(guest, lpTargetPath, &text)?;
        Ok(text.len() as u32 + 1)
    }
}

/// The names of DOS devices beside drives, and what is behind them.
const DEVICES: [(&str, &str); 4] = [
    ("CON", r"\Device\ConDrv\Console"),
    ("CONIN$", r"\Device\ConDrv\CurrentIn"),
    ("NUL", r"\Device\Null"),
    ("PIPE", r"\Device\NamedPipe"),
];

/// Returns the names of all DOS devices, each with its end.
fn dos_devices(guest: &Guest) -> Vec<u16> {
    let names = drives(guest).into_iter().map(|letter| format!("{}:", char::from(letter)));
    let names = names.chain(DEVICES.iter().map(|(name, _)| (*name).to_owned()));
    names.map(|name| name + "\0").collect::<String>().encode_utf16().collect()
}

/// Returns what is behind a DOS device's name.
fn dos_device(guest: &Guest, name: &[u16]) -> Result<Vec<u16>, Win32Error> {
    let name = String::from_utf16_lossy(name).to_ascii_uppercase();
    let drive = drives(guest).into_iter().find(|&letter| name == format!("{}:", char::from(letter)));
    let device = DEVICES.iter().find(|(device, _)| *device == name);
    match (drive, device) {
        (Some(letter), _) => Ok(object_name::device_path(&[u16::from(letter), u16::from(b':')])),
        (None, Some((_, target))) => Ok(target.encode_utf16().collect()),
        (None, None) => Err(Win32Error::FILE_NOT_FOUND),
    }
}

answers! {
    "Says that no volume is mounted there." -> Result<Bool, Win32Error> = Err(Win32Error::NOT_A_REPARSE_POINT) => {
        "fileapi/nf-fileapi-deletevolumemountpoint" DeleteVolumeMountPointA, DeleteVolumeMountPointW(lpszVolumeMountPoint: GuestWord);
    }
    "Refuses to mount a volume." -> Result<Bool, Win32Error> = Err(Win32Error::ACCESS_DENIED) => {
        "winbase/nf-winbase-setvolumemountpoint"
        SetVolumeMountPointA, SetVolumeMountPointW(lpszVolumeMountPoint: GuestWord, lpszVolumeName: GuestWord);
    }
    "Lists the volumes that are mounted in a volume: none." -> Result<HandleOrInvalid, Win32Error> = Err(Win32Error::NO_MORE_FILES) => {
        "winbase/nf-winbase-findfirstvolumemountpoint"
        FindFirstVolumeMountPointA, FindFirstVolumeMountPointW(lpszRootPathName: GuestWord, lpszVolumeMountPoint: GuestWord, cchBufferLength: u32);
    }
    "Says that this lists nothing: there is nothing to list." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "winbase/nf-winbase-findnextvolumemountpoint"
        FindNextVolumeMountPointA, FindNextVolumeMountPointW(hFindVolumeMountPoint: GuestWord, lpszVolumeMountPoint: GuestWord, cchBufferLength: u32);
        "winbase/nf-winbase-findvolumemountpointclose" FindVolumeMountPointClose(hFindVolumeMountPoint: GuestWord);
    }
}

both_widths! {
    /// Refuses to name a volume.
    "winbase/nf-winbase-setvolumelabel"
    SetVolumeLabelA, SetVolumeLabelW(
        guest, width, lpRootPathName: GuestWord, lpVolumeName: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = lpVolumeName;
        if !lpRootPathName.is_null() {
            let files = &guest.process().files;
            files.locate(&path(guest, width, lpRootPathName)?)?;
        }
        Err(Win32Error::ACCESS_DENIED)
    }

    /// Refuses to make or to remove a drive.
    "winbase/nf-winbase-definedosdevice"
    DefineDosDeviceA, DefineDosDeviceW(
        guest, width, dwFlags: u32, lpDeviceName: GuestWord, lpTargetPath: GuestWord
    ) -> Result<Bool, Win32Error> {
        /// `DDD_RAW_TARGET_PATH` to `DDD_LUID_BROADCAST_DRIVE`.
        const KNOWN: u32 = 0x1f;
        let _ = (guest, width, lpTargetPath);
        let is_wrong = lpDeviceName.is_null() || dwFlags & !KNOWN != 0;
        Err(if is_wrong { Win32Error::INVALID_PARAMETER } else { Win32Error::ACCESS_DENIED })
    }
}
