//! Nt functions of object directories, of links between names, and of objects of any kind.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::attributes::{OBJECT_ATTRIBUTES, UNICODE_STRING, counted_string, create};
use super::synchronisation::previous;
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::object_name;
use crate::nt::file::{FileKind, FileObject};
use crate::nt::handle::HandleFlags;
use crate::nt::names::LeaseCell;
use crate::nt::object::{ObjectRef, downcast};
use crate::nt::object_directory::{ObjectDirectory, ObjectLink, path_of_key, type_name};
use crate::nt::registry::{Key, own_sid};
use crate::process::Process;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full NtCreateDirectoryObject;
    full NtOpenDirectoryObject;
    partial NtQueryDirectoryObject, "very long names are left out";
    full NtCreateSymbolicLinkObject;
    full NtOpenSymbolicLinkObject;
    full NtQuerySymbolicLinkObject;
    full NtMakeTemporaryObject;
    partial NtQueryObject, "basic information, name, type, flags; the counts of handles are 1";
    full NtSetInformationObject;
};

/// Follows a fixed link at the end of a path.
fn follow(path: Vec<u16>) -> Vec<u16> {
    match object_name::link_target(&path) {
        Some(target) => target.encode_utf16().collect(),
        None => path,
    }
}

/// Makes an object directory.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcreatedirectoryobject>
#[winapi]
pub fn NtCreateDirectoryObject(
    guest: &mut Guest,
    DirectoryHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
) -> Result<(), NtStatus> {
    let make = |path: &[u16]| Ok(Arc::new(ObjectDirectory::new(follow(path.to_vec()))));
    create(guest, (DirectoryHandle, DesiredAccess), ObjectAttributes, make)
}

/// Opens an object directory.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/ntopendirectoryobject>
#[winapi]
pub fn NtOpenDirectoryObject(
    guest: &mut Guest,
    DirectoryHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
) -> Result<(), NtStatus> {
    let attributes = OBJECT_ATTRIBUTES::read(guest, ObjectAttributes)?;
    guest.write_word(DirectoryHandle.0, 0)?;
    let path = follow(attributes.object_path(guest)?);
    let process = guest.process();
    let directory = match object_name::system_kind(&path) {
        Some(object_name::DIRECTORY) => Arc::new(ObjectDirectory::new(path)),
        Some(_) => return Err(NtStatus::OBJECT_TYPE_MISMATCH),
        None if path.is_empty() => return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD),
        None => process.names.open_at::<ObjectDirectory>(process, &object_name::key(&path))?,
    };
    let handle = process.handles.insert(directory, DesiredAccess, attributes.handle_flags());
    Ok(guest.write_word(DirectoryHandle.0, handle)?)
}

/// Lays entries of a directory out: an array of pairs of strings, an empty pair, then the text.
fn lay_out(entries: &[(Vec<u16>, String)], address: u64, word: u64) -> Vec<u8> {
    let pair = 4 * word;
    let mut text = Vec::new();
    let mut bytes = Vec::new();
    let start = address + pair * (entries.len() as u64 + 1);
    let mut add = |units: &[u16]| {
        let (length, at) = ((units.len() * 2) as u64, start + text.len() as u64);
        for value in [length | (length + 2) << 16, at] {
            bytes.extend_from_slice(&value.to_le_bytes()[..word as usize]);
        }
        text.extend(units.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()));
    };
    for (name, kind) in entries {
        add(name);
        add(&kind.encode_utf16().collect::<Vec<u16>>());
    }
    bytes.resize(bytes.len() + pair as usize, 0);
    bytes.extend(text);
    bytes
}

/// Lists an object directory from where the context says.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/ntquerydirectoryobject>
#[winapi]
pub fn NtQueryDirectoryObject(
    guest: &mut Guest,
    DirectoryHandle: GuestWord,
    Buffer: GuestWord,
    Length: u32,
    ReturnSingleEntry: u8,
    RestartScan: u8,
    Context: GuestWord,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let process = guest.process();
    let directory = process.handles.get::<ObjectDirectory>(DirectoryHandle.0)?;
    let all = process.names.list(process, directory.path())?;
    let first = if RestartScan != 0 { 0 } else { guest.read_u32(Context.0)? as usize };
    let rest = all.get(first..).unwrap_or(&[]);
    if rest.is_empty() {
        return Err(NtStatus::NO_MORE_ENTRIES);
    }
    let word = guest.machine().pointer_size();
    let most = if ReturnSingleEntry != 0 { 1 } else { rest.len() };
    let laid = (1..=most).rev().map(|count| (count, lay_out(&rest[..count], Buffer.0, word)));
    let fits = laid.into_iter().find(|(_, bytes)| bytes.len() <= Length as usize);
    let Some((count, bytes)) = fits else {
        previous(guest, ReturnLength, lay_out(&rest[..1], Buffer.0, word).len() as u32)?;
        return Err(NtStatus::BUFFER_TOO_SMALL);
    };
    guest.write_bytes(Buffer.0, &bytes)?;
    guest.write(Context.0, &((first + count) as u32))?;
    previous(guest, ReturnLength, bytes.len() as u32)?;
    if count < most { Err(NtStatus::MORE_ENTRIES) } else { Ok(()) }
}

/// Makes a link from a name to another.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopensymboliclinkobject>
#[winapi]
pub fn NtCreateSymbolicLinkObject(
    guest: &mut Guest,
    LinkHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    LinkTarget: GuestWord,
) -> Result<(), NtStatus> {
    let target = counted_string(guest, LinkTarget)?;
    if target.is_empty() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let make = |_: &[u16]| Ok(Arc::new(ObjectLink::new(target)));
    create(guest, (LinkHandle, DesiredAccess), ObjectAttributes, make)
}

/// Opens a link itself.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopensymboliclinkobject>
#[winapi]
pub fn NtOpenSymbolicLinkObject(
    guest: &mut Guest,
    LinkHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
) -> Result<(), NtStatus> {
    let attributes = OBJECT_ATTRIBUTES::read(guest, ObjectAttributes)?;
    guest.write_word(LinkHandle.0, 0)?;
    let path = attributes.object_path(guest)?;
    let process = guest.process();
    let link = match (object_name::link_target(&path), drive_link(process, &path)) {
        (Some(target), _) => Arc::new(ObjectLink::new(target.encode_utf16().collect())),
        (None, Some(target)) => Arc::new(ObjectLink::new(target)),
        (None, None) if object_name::system_kind(&path).is_some() => {
            return Err(NtStatus::OBJECT_TYPE_MISMATCH);
        }
        (None, None) => process.names.open_at::<ObjectLink>(process, &object_name::key(&path))?,
    };
    let handle = process.handles.insert(link, DesiredAccess, attributes.handle_flags());
    Ok(guest.write_word(LinkHandle.0, handle)?)
}

/// Returns where the link of a drive leads (`\??\C:`), if the path is one of a drive that is there.
fn drive_link(process: &Process, path: &[u16]) -> Option<Vec<u16>> {
    let prefix: Vec<u16> = r"\??\".encode_utf16().collect();
    let drive = path.strip_prefix(prefix.as_slice()).filter(|drive| drive.len() == 2 && drive[1] == 0x3a)?;
    let root = [drive, &[u16::from(b'\\')]].concat();
    process.files.locate(&root).ok()?;
    Some(object_name::device_path(drive))
}

/// Tells where a link leads.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwquerysymboliclinkobject>
#[winapi]
pub fn NtQuerySymbolicLinkObject(
    guest: &mut Guest,
    LinkHandle: GuestWord,
    LinkTarget: GuestWord,
    ReturnedLength: GuestWord,
) -> Result<(), NtStatus> {
    let link = guest.process().handles.get::<ObjectLink>(LinkHandle.0)?;
    let mut string: UNICODE_STRING = guest.read(LinkTarget.0)?;
    let target = link.target();
    let bytes = target.len() * 2;
    // With its zero, which is written when there is room.
    previous(guest, ReturnedLength, bytes as u32 + 2)?;
    if usize::from(string.MaximumLength) < bytes {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    let mut text = target.to_vec();
    if usize::from(string.MaximumLength) >= bytes + 2 {
        text.push(0);
    }
    guest.write_wide(string.Buffer.0, &text)?;
    string.Length = bytes as u16;
    Ok(guest.write(LinkTarget.0, &string)?)
}

/// Lets an object go with its last handle, as all of plat's do.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwmaketemporaryobject>
#[winapi]
pub fn NtMakeTemporaryObject(guest: &mut Guest, Handle: GuestWord) -> Result<(), NtStatus> {
    guest.process().object(Handle.0).map(drop)
}

/// Returns an object's full name, empty where it has none.
fn name_of(process: &Process, object: &ObjectRef) -> Vec<u16> {
    let wide = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    if let Some(directory) = downcast::<ObjectDirectory>(Arc::clone(object)) {
        return directory.path().to_vec();
    }
    if let Some((key, _)) = object.lease().and_then(LeaseCell::parts) {
        return path_of_key(key);
    }
    if let Some(file) = downcast::<FileObject>(Arc::clone(object)) {
        return match (file.unix_path(), file.kind) {
            (Some(path), _) => object_name::device_path(&process.files.win32_path(&path)),
            (None, FileKind::ConsoleInput | FileKind::ConsoleOutput) => wide(r"\Device\ConDrv"),
            (None, FileKind::Character) => wide(r"\Device\Null"),
            (None, FileKind::Pipe) => wide(r"\Device\NamedPipe"),
            (None, _) => Vec::new(),
        };
    }
    downcast::<Key>(Arc::clone(object)).map(|key| key_name(key.path())).unwrap_or_default()
}

/// Returns a key's name from those that lead to it.
pub(super) fn key_name(path: &[Vec<u16>]) -> Vec<u16> {
    let root = path.first().map(|root| String::from_utf16_lossy(root)).unwrap_or_default();
    let root = match root.as_str() {
        "HKEY_LOCAL_MACHINE" => r"\REGISTRY\MACHINE".to_owned(),
        "HKEY_CURRENT_USER" => format!(r"\REGISTRY\USER\{}", own_sid()),
        "HKEY_USERS" => r"\REGISTRY\USER".to_owned(),
        other => format!(r"\REGISTRY\{other}"),
    };
    let mut name: Vec<u16> = root.encode_utf16().collect();
    for part in path.iter().skip(1) {
        name.push(u16::from(b'\\'));
        name.extend(part);
    }
    name
}

/// Lays a string out with its text behind it.
fn string_and_text(text: &[u16], address: u64, word: u64, between: usize) -> Vec<u8> {
    let (length, at) = ((text.len() * 2) as u64, address + 2 * word + between as u64);
    let values = if text.is_empty() { [0, 0] } else { [length | (length + 2) << 16, at] };
    let mut bytes: Vec<u8> =
        values.iter().flat_map(|value| value.to_le_bytes()[..word as usize].to_vec()).collect();
    bytes.resize(bytes.len() + between, 0);
    if !text.is_empty() {
        bytes.extend(text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()));
    }
    bytes
}

/// Tells facts about the object of a handle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryobject>
#[winapi]
pub fn NtQueryObject(
    guest: &mut Guest,
    Handle: GuestWord,
    ObjectInformationClass: u32,
    ObjectInformation: GuestWord,
    ObjectInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    const NAME: u32 = 1;
    /// What lies between a type's name and its text: 22 numbers.
    const TYPE_NUMBERS: usize = 88;
    let process = guest.process();
    let object = process.object(Handle.0)?;
    let word = guest.machine().pointer_size();
    let (access, flags) = process
        .handles
        .entry(Handle.0)
        .map_or((u32::MAX, HandleFlags::empty()), |entry| (entry.access, entry.flags));
    let bytes = match ObjectInformationClass {
        0 => {
            let attributes = if flags.contains(HandleFlags::INHERIT) { 2 } else { 0 };
            let mut bytes = [attributes, access, 1, 1].map(u32::to_le_bytes).concat();
            bytes.resize(56, 0);
            bytes
        }
        NAME => string_and_text(&name_of(process, &object), ObjectInformation.0, word, 0),
        2 => {
            let name: Vec<u16> = type_name(&object).encode_utf16().collect();
            string_and_text(&name, ObjectInformation.0, word, TYPE_NUMBERS)
        }
        4 => {
            let has = |flag| u8::from(flags.contains(flag));
            vec![has(HandleFlags::INHERIT), has(HandleFlags::PROTECT_FROM_CLOSE)]
        }
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    previous(guest, ReturnLength, bytes.len() as u32)?;
    if (ObjectInformationLength as usize) < bytes.len() {
        let is_cut_name = ObjectInformationClass == NAME && u64::from(ObjectInformationLength) >= 2 * word;
        return Err(if is_cut_name { NtStatus::BUFFER_OVERFLOW } else { NtStatus::INFO_LENGTH_MISMATCH });
    }
    Ok(guest.write_bytes(ObjectInformation.0, &bytes)?)
}

/// Sets whether a handle is inherited and whether it may be closed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-sethandleinformation>
#[winapi]
pub fn NtSetInformationObject(
    guest: &mut Guest,
    Handle: GuestWord,
    ObjectInformationClass: u32,
    ObjectInformation: GuestWord,
    ObjectInformationLength: u32,
) -> Result<(), NtStatus> {
    if ObjectInformationClass != 4 {
        return Err(NtStatus::INVALID_INFO_CLASS);
    }
    if ObjectInformationLength != 2 {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let [inherits, is_protected]: [u8; 2] = guest.read(ObjectInformation.0)?;
    let both = [(inherits, HandleFlags::INHERIT), (is_protected, HandleFlags::PROTECT_FROM_CLOSE)];
    let flags =
        both.iter().filter(|(set, _)| *set != 0).fold(HandleFlags::empty(), |all, (_, flag)| all | *flag);
    guest.process().handles.set_flags(Handle.0, HandleFlags::all(), flags)
}
