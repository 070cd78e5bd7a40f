//! Nt functions of the registry's keys.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::attributes::{OBJECT_ATTRIBUTES, counted_string};
use super::synchronisation::previous;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::registry::{Key, Value};
use crate::nt::registry_view::{View, redirect};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtCreateKey, "access rights, class and descriptor are not used";
    partial NtOpenKey, "access rights are not checked";
    partial NtOpenKeyEx, "access rights are not checked";
    full NtDeleteKey;
    full NtFlushKey;
    partial NtQueryKey, "basic, node, full and name information; no classes, no times";
    partial NtEnumerateKey, "basic and node information; no classes, no times";
    full NtQueryValueKey;
    full NtEnumerateValueKey;
    partial NtSetValueKey, "access rights are not checked";
    full NtDeleteValueKey;
};

const OPTION_VOLATILE: u32 = 1;
const CREATED_NEW_KEY: u32 = 1;
const OPENED_EXISTING_KEY: u32 = 2;

/// Translates an error of the registry's.
pub(super) fn status(error: Win32Error) -> NtStatus {
    match error {
        Win32Error::FILE_NOT_FOUND | Win32Error::BAD_PATHNAME => NtStatus::OBJECT_NAME_NOT_FOUND,
        Win32Error::NO_MORE_ITEMS => NtStatus::NO_MORE_ENTRIES,
        Win32Error::KEY_DELETED => NtStatus::KEY_DELETED,
        Win32Error::ACCESS_DENIED => NtStatus::CANNOT_DELETE,
        error => NtStatus::from_win32(error),
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Splits an absolute name (`\Registry\Machine\x`) into the predefined key that it begins with, and the rest.
pub(super) fn split_absolute(name: &[u16]) -> Option<(Vec<u16>, Vec<u16>)> {
    let mut parts = name.split(|&unit| unit == u16::from(b'\\')).filter(|part| !part.is_empty());
    let is = |part: &[u16], name: &str| String::from_utf16_lossy(part).eq_ignore_ascii_case(name);
    parts.next().filter(|part| is(part, "Registry"))?;
    let root = match parts.next()? {
        part if is(part, "Machine") => "HKEY_LOCAL_MACHINE",
        part if is(part, "User") => "HKEY_USERS",
        _ => return None,
    };
    Some((wide(root), parts.collect::<Vec<_>>().join(&u16::from(b'\\'))))
}

/// Returns the key that attributes begin with and the path from there, in the caller's view of the registry.
fn start(
    guest: &Guest,
    attributes: &OBJECT_ATTRIBUTES,
    access: u32,
) -> Result<(Arc<Key>, Vec<u16>), NtStatus> {
    let name = attributes.name(guest)?;
    let process = guest.process();
    let (base, path) = if attributes.RootDirectory.is_null() {
        if name.first() != Some(&u16::from(b'\\')) {
            return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
        }
        let (root, path) = split_absolute(&name).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        (process.registry.open(&root).map_err(status)?, path)
    } else {
        (process.handles.get::<Key>(attributes.RootDirectory.0)?, name)
    };
    let path = redirect(base.path(), &path, View::of(access, guest.machine().is_64()));
    Ok((base, path))
}

fn give(
    guest: &Guest,
    key: Arc<Key>,
    access: u32,
    attributes: &OBJECT_ATTRIBUTES,
    place: GuestWord,
) -> Result<(), NtStatus> {
    let handle = guest.process().handles.insert(key, access, attributes.handle_flags());
    Ok(guest.write_word(place.0, handle)?)
}

/// Opens a key, or makes it when only its last name is missing.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcreatekey>
#[winapi]
pub fn NtCreateKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    TitleIndex: u32,
    Class: GuestWord,
    CreateOptions: u32,
    Disposition: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (TitleIndex, Class);
    let attributes = OBJECT_ATTRIBUTES::read(guest, ObjectAttributes)?;
    let (base, path) = start(guest, &attributes, DesiredAccess)?;
    let trimmed: Vec<u16> = path.strip_suffix(&[u16::from(b'\\')]).unwrap_or(&path).to_vec();
    let parent = trimmed.iter().rposition(|&unit| unit == u16::from(b'\\')).map_or(0, |at| at);
    base.open(&trimmed[..parent]).map_err(status)?;
    let (key, is_new) = base.create(&trimmed, CreateOptions & OPTION_VOLATILE != 0).map_err(status)?;
    give(guest, key, DesiredAccess, &attributes, KeyHandle)?;
    previous(guest, Disposition, if is_new { CREATED_NEW_KEY } else { OPENED_EXISTING_KEY })
}

/// Opens a key.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopenkey>
#[winapi]
pub fn NtOpenKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
) -> Result<(), NtStatus> {
    let attributes = OBJECT_ATTRIBUTES::read(guest, ObjectAttributes)?;
    let (base, path) = start(guest, &attributes, DesiredAccess)?;
    give(guest, base.open(&path).map_err(status)?, DesiredAccess, &attributes, KeyHandle)
}

/// Opens a key with options, none of which matter here.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopenkeyex>
#[winapi]
pub fn NtOpenKeyEx(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    OpenOptions: u32,
) -> Result<(), NtStatus> {
    let _ = OpenOptions;
    NtOpenKey(guest, KeyHandle, DesiredAccess, ObjectAttributes)
}

fn key(guest: &Guest, handle: GuestWord) -> Result<Arc<Key>, NtStatus> {
    guest.process().handles.get::<Key>(handle.0)
}

/// Deletes a key that has no keys below it.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwdeletekey>
#[winapi]
pub fn NtDeleteKey(guest: &mut Guest, KeyHandle: GuestWord) -> Result<(), NtStatus> {
    key(guest, KeyHandle)?.delete(&[]).map_err(status)
}

/// Writes a key's changes to the disk.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwflushkey>
#[winapi]
pub fn NtFlushKey(guest: &mut Guest, KeyHandle: GuestWord) -> Result<(), NtStatus> {
    key(guest, KeyHandle)?;
    guest.process().registry.flush().map_err(status)
}

/// Where information goes, and where the bytes that it takes are told.
#[derive(Clone, Copy)]
struct Place {
    at: GuestWord,
    length: u32,
    needed: GuestWord,
}

/// Stores information whose first `fixed` bytes must fit; the rest is cut with a warning.
fn put(guest: &Guest, bytes: &[u8], fixed: usize, place: Place) -> Result<(), NtStatus> {
    guest.write(place.needed.0, &(bytes.len() as u32))?;
    let room = place.length as usize;
    if room < fixed {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    guest.write_bytes(place.at.0, &bytes[..room.min(bytes.len())])?;
    if room < bytes.len() { Err(NtStatus::BUFFER_OVERFLOW) } else { Ok(()) }
}

/// Appends text with its length in bytes before it.
fn counted(bytes: &mut Vec<u8>, name: &[u16]) {
    bytes.extend((name.len() as u32 * 2).to_le_bytes());
    bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
}

/// Lays a key out: basic (time, title index, name), node (with the class), name alone; with its fixed part's size.
fn key_information(name: &[u16], class: u32) -> Option<(Vec<u8>, usize)> {
    let mut bytes = vec![0; if class == 3 { 0 } else { 12 }];
    match class {
        0 | 3 => {}
        1 => {
            // No class: its place is nowhere, its length nothing.
            bytes.extend(u32::MAX.to_le_bytes());
            bytes.extend([0; 4]);
        }
        _ => return None,
    }
    let fixed = bytes.len() + 4;
    counted(&mut bytes, name);
    Some((bytes, fixed))
}

fn full_information(key: &Key) -> Result<(Vec<u8>, usize), NtStatus> {
    let info = key.info().map_err(status)?;
    let mut bytes = vec![0; 12];
    let numbers = [
        u32::MAX,
        0,
        info.keys,
        info.key_name_max * 2,
        0,
        info.values,
        info.value_name_max * 2,
        info.data_max,
    ];
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    let fixed = bytes.len();
    Ok((bytes, fixed))
}

/// Tells facts about a key.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwquerykey>
#[winapi]
pub fn NtQueryKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    KeyInformationClass: u32,
    KeyInformation: GuestWord,
    Length: u32,
    ResultLength: GuestWord,
) -> Result<(), NtStatus> {
    let key = key(guest, KeyHandle)?;
    let own = key.path().last().cloned().unwrap_or_default();
    let (bytes, fixed) = match KeyInformationClass {
        2 => full_information(&key)?,
        3 => key_information(&super::object_directories::key_name(key.path()), 3)
            .ok_or(NtStatus::INVALID_PARAMETER)?,
        class => key_information(&own, class).ok_or(NtStatus::INVALID_PARAMETER)?,
    };
    put(guest, &bytes, fixed, Place { at: KeyInformation, length: Length, needed: ResultLength })
}

/// Tells facts about one of the keys below a key.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwenumeratekey>
#[winapi]
pub fn NtEnumerateKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    Index: u32,
    KeyInformationClass: u32,
    KeyInformation: GuestWord,
    Length: u32,
    ResultLength: GuestWord,
) -> Result<(), NtStatus> {
    let key = key(guest, KeyHandle)?;
    let name = key.key_name(Index).map_err(status)?;
    let (bytes, fixed) = match KeyInformationClass {
        2 => full_information(&*key.open(&name).map_err(status)?)?,
        class => key_information(&name, class).ok_or(NtStatus::INVALID_PARAMETER)?,
    };
    put(guest, &bytes, fixed, Place { at: KeyInformation, length: Length, needed: ResultLength })
}

/// Lays a value out: basic (type and name), full (name and data), partial (data); with its fixed part's size.
fn value_information(name: &[u16], value: &Value, class: u32) -> Result<(Vec<u8>, usize), NtStatus> {
    let size = (value.data.len() as u32).to_le_bytes();
    let mut bytes = vec![0; 4];
    bytes.extend(value.kind.to_le_bytes());
    let fixed = match class {
        0 => {
            counted(&mut bytes, name);
            12
        }
        1 => {
            let start = (20 + name.len() * 2).next_multiple_of(4);
            bytes.extend((start as u32).to_le_bytes());
            bytes.extend(size);
            counted(&mut bytes, name);
            bytes.resize(start, 0);
            bytes.extend(&value.data);
            20
        }
        2 => {
            bytes.extend(size);
            bytes.extend(&value.data);
            12
        }
        // The data of the last begins at a multiple of 8: there is no title index.
        4 => {
            bytes.drain(..4);
            bytes.extend(size);
            bytes.extend(&value.data);
            8
        }
        _ => return Err(NtStatus::INVALID_PARAMETER),
    };
    Ok((bytes, fixed))
}

/// Tells a value.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwqueryvaluekey>
#[winapi]
pub fn NtQueryValueKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    ValueName: GuestWord,
    KeyValueInformationClass: u32,
    KeyValueInformation: GuestWord,
    Length: u32,
    ResultLength: GuestWord,
) -> Result<(), NtStatus> {
    let name = counted_string(guest, ValueName)?;
    let value = key(guest, KeyHandle)?.value(&name).map_err(status)?;
    let (bytes, fixed) = value_information(&name, &value, KeyValueInformationClass)?;
    put(guest, &bytes, fixed, Place { at: KeyValueInformation, length: Length, needed: ResultLength })
}

/// Tells one of a key's values.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwenumeratevaluekey>
#[winapi]
pub fn NtEnumerateValueKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    Index: u32,
    KeyValueInformationClass: u32,
    KeyValueInformation: GuestWord,
    Length: u32,
    ResultLength: GuestWord,
) -> Result<(), NtStatus> {
    let (name, value) = key(guest, KeyHandle)?.value_at(Index).map_err(status)?;
    let (bytes, fixed) = value_information(&name, &value, KeyValueInformationClass)?;
    put(guest, &bytes, fixed, Place { at: KeyValueInformation, length: Length, needed: ResultLength })
}

/// Sets a value.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwsetvaluekey>
#[winapi]
pub fn NtSetValueKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    ValueName: GuestWord,
    TitleIndex: u32,
    Type: u32,
    Data: GuestWord,
    DataSize: u32,
) -> Result<(), NtStatus> {
    let _ = TitleIndex;
    let name = counted_string(guest, ValueName)?;
    let data = guest.read_vec(Data.0, u64::from(DataSize))?;
    key(guest, KeyHandle)?.set_value(&name, Value { kind: Type, data }).map_err(status)
}

/// Deletes a value.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwdeletevaluekey>
#[winapi]
pub fn NtDeleteValueKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    ValueName: GuestWord,
) -> Result<(), NtStatus> {
    let name = counted_string(guest, ValueName)?;
    key(guest, KeyHandle)?.delete_value(&name).map_err(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_names_begin_with_a_predefined_key() {
        let split = |name: &str| {
            let (root, rest) = split_absolute(&wide(name))?;
            Some((String::from_utf16_lossy(&root), String::from_utf16_lossy(&rest)))
        };
        let pair = |root: &str, rest: &str| Some((root.to_owned(), rest.to_owned()));
        assert_eq!(split(r"\Registry\Machine\Software\x"), pair("HKEY_LOCAL_MACHINE", r"Software\x"));
        assert_eq!(split(r"\REGISTRY\USER\S-1-5-18"), pair("HKEY_USERS", "S-1-5-18"));
        assert_eq!(split(r"\Registry\Machine"), pair("HKEY_LOCAL_MACHINE", ""));
        assert_eq!(split(r"\Registry\Wrong\x"), None);
        assert_eq!(split(r"\Device\x"), None);
    }

    #[test]
    fn values_are_laid_out_as_windows_does() {
        let value = Value { kind: 4, data: vec![1, 2, 3, 4] };
        let name = wide("abc");
        assert_eq!(value_information(&name, &value, 0).unwrap().0.len(), 12 + 6);
        let (full, fixed) = value_information(&name, &value, 1).unwrap();
        assert_eq!((full[8], full.len(), fixed), (28, 32, 20));
        assert_eq!(
            value_information(&name, &value, 2).unwrap().0,
            [0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]
        );
        assert_eq!(value_information(&name, &value, 4).unwrap().0, [4, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]);
        assert!(value_information(&name, &value, 9).is_err());
    }
}
