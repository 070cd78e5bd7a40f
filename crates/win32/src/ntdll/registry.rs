//! Nt functions of the registry. The keys are [`crate::nt::registry`]'s; kernel names begin with `\Registry`.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::attributes::{OBJECT_ATTRIBUTES, counted_string};
use super::files::put_status;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::case::equal_ignore_case;
use crate::nt::event;
use crate::nt::handle::HandleFlags;
use crate::nt::object::ObjectRef;
use crate::nt::registry::{Key, Value};
use crate::nt::registry_notify::Filter;
use crate::nt::registry_view::{View, redirect};
use crate::nt::wait::{self, WaitFor};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtOpenKey, "access rights are not checked";
    partial NtOpenKeyEx, "access rights are not checked";
    partial NtCreateKey, "access rights are not checked; classes are not kept";
    full NtDeleteKey;
    full NtDeleteValueKey;
    full NtSetValueKey;
    full NtQueryValueKey;
    full NtEnumerateValueKey;
    partial NtEnumerateKey, "times of writing are 0";
    partial NtQueryKey, "times of writing are 0; basic, node, full, name, cached";
    full NtFlushKey;
    partial NtNotifyChangeKey, "without a procedure to call";
    full NtQueryMultipleValueKey;
    partial NtRenameKey, "the handle, and others to the key, end with the old name";
    partial NtSetInformationKey, "the time of writing and flags are accepted and not kept";
    partial NtSaveKey, "always STATUS_PRIVILEGE_NOT_HELD or STATUS_NOT_SUPPORTED: hive files are not written";
    partial NtLoadKey, "always STATUS_PRIVILEGE_NOT_HELD or STATUS_NOT_SUPPORTED: hive files are not read";
    partial NtUnloadKey, "always STATUS_PRIVILEGE_NOT_HELD or STATUS_NOT_SUPPORTED: hive files are not read";
    forward ZwOpenKey => "ntdll.NtOpenKey";
    forward ZwOpenKeyEx => "ntdll.NtOpenKeyEx";
    forward ZwCreateKey => "ntdll.NtCreateKey";
    forward ZwDeleteKey => "ntdll.NtDeleteKey";
    forward ZwDeleteValueKey => "ntdll.NtDeleteValueKey";
    forward ZwSetValueKey => "ntdll.NtSetValueKey";
    forward ZwQueryValueKey => "ntdll.NtQueryValueKey";
    forward ZwEnumerateValueKey => "ntdll.NtEnumerateValueKey";
    forward ZwEnumerateKey => "ntdll.NtEnumerateKey";
    forward ZwQueryKey => "ntdll.NtQueryKey";
    forward ZwFlushKey => "ntdll.NtFlushKey";
    forward ZwNotifyChangeKey => "ntdll.NtNotifyChangeKey";
    forward ZwRenameKey => "ntdll.NtRenameKey";
};

/// `HKEY_LOCAL_MACHINE` and `HKEY_USERS`.
const LOCAL_MACHINE: u64 = 0x8000_0002;
const USERS: u64 = 0x8000_0003;

/// `STATUS_NOTIFY_ENUM_DIR`: something changed.
const NOTIFY_ENUM_DIR: NtStatus = NtStatus(0x10c);

/// Translates an error of the registry's.
fn status(error: Win32Error) -> NtStatus {
    match error {
        Win32Error::FILE_NOT_FOUND => NtStatus::OBJECT_NAME_NOT_FOUND,
        Win32Error::KEY_DELETED => NtStatus::KEY_DELETED,
        Win32Error::NO_MORE_ITEMS => NtStatus::NO_MORE_ENTRIES,
        Win32Error::BAD_PATHNAME => NtStatus::OBJECT_NAME_INVALID,
        Win32Error::ACCESS_DENIED => NtStatus::CANNOT_DELETE,
        Win32Error::ALREADY_EXISTS => NtStatus::OBJECT_NAME_COLLISION,
        Win32Error(1021) => NtStatus::CHILD_MUST_BE_VOLATILE,
        Win32Error::NOACCESS => NtStatus::ACCESS_VIOLATION,
        _ => NtStatus::INVALID_PARAMETER,
    }
}

/// Returns the key of a handle.
pub(super) fn key(guest: &Guest, handle: GuestWord) -> Result<Arc<Key>, NtStatus> {
    guest.process().handles.get::<Key>(handle.get())
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Finds the key at which a kernel name begins, and the rest of the name.
pub(super) fn root_of(guest: &Guest, path: &[u16]) -> Result<(Arc<Key>, Vec<u16>), NtStatus> {
    const BACKSLASH: u16 = b'\\' as u16;
    let rest = path.strip_prefix(&[BACKSLASH]).ok_or(NtStatus::OBJECT_PATH_SYNTAX_BAD)?;
    let mut names = rest.splitn(3, |&unit| unit == BACKSLASH);
    let is_registry = names.next().is_some_and(|name| equal_ignore_case(name, &wide("Registry")));
    let root = names.next().filter(|_| is_registry).ok_or(NtStatus::OBJECT_PATH_NOT_FOUND)?;
    let handle = match root {
        root if equal_ignore_case(root, &wide("Machine")) => LOCAL_MACHINE,
        root if equal_ignore_case(root, &wide("User")) => USERS,
        _ => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
    };
    let key = guest.process().registry.predefined(handle).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    Ok((key, names.next().unwrap_or_default().to_vec()))
}

/// A key that attributes name.
struct Named {
    /// Where its name begins.
    base: Arc<Key>,
    /// The name from there.
    path: Vec<u16>,
    /// The flags of its handle.
    flags: HandleFlags,
}

/// Reads which key attributes name.
fn named(guest: &Guest, attributes: GuestWord, access: u32) -> Result<Named, NtStatus> {
    let attributes = OBJECT_ATTRIBUTES::read(guest, attributes)?;
    let name = attributes.name(guest)?;
    let (base, path) = match attributes.RootDirectory.is_null() {
        true => root_of(guest, &name)?,
        false if name.first() == Some(&u16::from(b'\\')) => return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD),
        false => (key(guest, attributes.RootDirectory)?, name),
    };
    let path = redirect(base.path(), &path, View::of(access, guest.machine().is_64()));
    Ok(Named { base, path, flags: attributes.handle_flags() })
}

fn give(
    guest: &Guest,
    key: Arc<Key>,
    (access, flags): (u32, HandleFlags),
    into: GuestWord,
) -> Result<(), NtStatus> {
    let handle = guest.process().handles.insert(key, access, flags);
    Ok(guest.write_word(into.get(), handle)?)
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
    guest.write_word(KeyHandle.get(), 0)?;
    let Named { base, path, flags } = named(guest, ObjectAttributes, DesiredAccess)?;
    give(guest, base.open(&path).map_err(status)?, (DesiredAccess, flags), KeyHandle)
}

/// Opens a key with options, which are for backups, links and transactions.
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

/// Opens a key or makes it; the key above must be there.
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
    const OPTION_VOLATILE: u32 = 1;
    let _ = (TitleIndex, Class);
    let Named { base, path, flags } = named(guest, ObjectAttributes, DesiredAccess)?;
    let end = path.iter().rposition(|&unit| unit == u16::from(b'\\')).unwrap_or(0);
    base.open(&path[..end]).map_err(status)?;
    let (made, is_new) = base.create(&path, CreateOptions & OPTION_VOLATILE != 0).map_err(status)?;
    give(guest, made, (DesiredAccess, flags), KeyHandle)?;
    if !Disposition.is_null() {
        guest.write(Disposition.get(), &if is_new { 1_u32 } else { 2 })?;
    }
    Ok(())
}

/// Deletes a key that has no keys below it.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwdeletekey>
#[winapi]
pub fn NtDeleteKey(guest: &mut Guest, KeyHandle: GuestWord) -> Result<(), NtStatus> {
    key(guest, KeyHandle)?.delete(&[]).map_err(status)
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
    let data = guest.read_vec(Data.get(), u64::from(DataSize))?;
    key(guest, KeyHandle)?.set_value(&name, Value { kind: Type, data }).map_err(status)
}

/// Where information goes: the place, its size, where the size that all takes goes.
#[derive(Clone, Copy)]
struct Output {
    into: GuestWord,
    size: u32,
    needed: GuestWord,
}

impl Output {
    /// Writes fixed fields and what follows; as much of what follows as there is room for.
    fn put(self, guest: &Guest, fixed: usize, bytes: &[u8]) -> Result<(), NtStatus> {
        let (room, total) = (self.size as usize, bytes.len());
        guest.write(self.needed.get(), &(total as u32))?;
        if room < fixed {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        guest.write_bytes(self.into.get(), &bytes[..total.min(room)])?;
        if room < total { Err(NtStatus::BUFFER_OVERFLOW) } else { Ok(()) }
    }
}

fn words(list: &[u32]) -> Vec<u8> {
    list.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn units(text: &[u16]) -> Vec<u8> {
    text.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Writes what is wanted of a value: by class 0 its name, 1 all, 2 its data; 3 and 4 the same, aligned.
fn put_value(guest: &Guest, class: u32, name: &[u16], value: &Value, output: Output) -> Result<(), NtStatus> {
    let (name, data) = (units(name), &value.data);
    let size = data.len() as u32;
    match class {
        0 => output.put(guest, 12, &[words(&[0, value.kind, name.len() as u32]), name].concat()),
        1 | 3 => {
            let alignment = if class == 1 { 4 } else { 8 };
            let start = if data.is_empty() { 0 } else { (20 + name.len()).next_multiple_of(alignment) };
            let mut bytes = words(&[0, value.kind, start as u32, size, name.len() as u32]);
            bytes.extend(name);
            bytes.resize(bytes.len().max(start), 0);
            bytes.extend(data);
            output.put(guest, 20, &bytes)
        }
        2 => output.put(guest, 12, &[&words(&[0, value.kind, size]), &data[..]].concat()),
        4 => output.put(guest, 8, &[&words(&[value.kind, size]), &data[..]].concat()),
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

/// Returns a value by its name.
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
    let key = key(guest, KeyHandle)?;
    let value = key.value(&name).map_err(status)?;
    let output = Output { into: KeyValueInformation, size: Length, needed: ResultLength };
    put_value(guest, KeyValueInformationClass, &name, &value, output)
}

/// Returns a value by its number.
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
    let output = Output { into: KeyValueInformation, size: Length, needed: ResultLength };
    put_value(guest, KeyValueInformationClass, &name, &value, output)
}

/// Writes what is wanted of a key: by class 0 its name, 1 name and class, 2 counts, 3 the whole name, 4 counts and the
/// length of the name.
fn put_key(guest: &Guest, key: &Key, class: u32, output: Output) -> Result<(), NtStatus> {
    /// The place of a class that is not there.
    const NONE: u32 = u32::MAX;
    let name = || -> Result<Vec<u8>, NtStatus> {
        let whole = key.kernel_name().map_err(status)?;
        let start = whole.iter().rposition(|&unit| unit == u16::from(b'\\')).map_or(0, |at| at + 1);
        Ok(units(&whole[start..]))
    };
    let counts = || key.info().map_err(status);
    match class {
        0 => {
            let name = name()?;
            output.put(guest, 16, &[words(&[0, 0, 0, name.len() as u32]), name].concat())
        }
        1 => {
            let name = name()?;
            output.put(guest, 24, &[words(&[0, 0, 0, NONE, 0, name.len() as u32]), name].concat())
        }
        2 => {
            let info = counts()?;
            let longest = [2 * info.key_name_max, 0, info.values, 2 * info.value_name_max, info.data_max];
            output.put(guest, 44, &[words(&[0, 0, 0, NONE, 0, info.keys]), words(&longest)].concat())
        }
        3 => {
            let name = units(&key.kernel_name().map_err(status)?);
            output.put(guest, 4, &[words(&[name.len() as u32]), name].concat())
        }
        4 => {
            let (info, length) = (counts()?, name()?.len() as u32);
            let longest =
                [2 * info.key_name_max, info.values, 2 * info.value_name_max, info.data_max, length];
            output.put(guest, 40, &[words(&[0, 0, 0, info.keys]), words(&longest), words(&[0])].concat())
        }
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

/// Returns what is wanted of a key.
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
    let output = Output { into: KeyInformation, size: Length, needed: ResultLength };
    put_key(guest, &key, KeyInformationClass, output)
}

/// Returns what is wanted of a key below, by its number.
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
    let base = key(guest, KeyHandle)?;
    let name = base.key_name(Index).map_err(status)?;
    let below = base.open(&name).map_err(status)?;
    let output = Output { into: KeyInformation, size: Length, needed: ResultLength };
    put_key(guest, &below, KeyInformationClass, output)
}

/// Writes the registry out to the disk.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwflushkey>
#[winapi]
pub fn NtFlushKey(guest: &mut Guest, KeyHandle: GuestWord) -> Result<(), NtStatus> {
    key(guest, KeyHandle)?;
    guest.process().registry.flush().map_err(|_| NtStatus::REGISTRY_IO_FAILED)
}

/// Has an event set by the next change of a key, or waits for it.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwnotifychangekey>
#[winapi]
pub fn NtNotifyChangeKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    IoStatusBlock: GuestWord,
    CompletionFilter: u32,
    WatchTree: u8,
    Buffer: GuestWord,
    BufferSize: u32,
    Asynchronous: u8,
) -> Result<(), NtStatus> {
    let _ = (ApcContext, Buffer, BufferSize);
    let key = key(guest, KeyHandle)?;
    if !ApcRoutine.is_null() {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    let filter = Filter::of(CompletionFilter, WatchTree != 0).ok_or(NtStatus::INVALID_PARAMETER)?;
    let event = match Event.is_null() {
        true => event::Event::new(true, false),
        false => guest.process().handles.get::<event::Event>(Event.get())?,
    };
    put_status(guest, IoStatusBlock, NtStatus::PENDING, 0)?;
    key.watch(filter, Arc::clone(&event), true).map_err(status)?;
    if Asynchronous != 0 {
        return Err(NtStatus::PENDING);
    }
    let object: ObjectRef = event;
    wait::wait_as_guest(guest, &[object], WaitFor { all: false, alertable: false, deadline: None })?;
    put_status(guest, IoStatusBlock, NOTIFY_ENUM_DIR, 0)?;
    // A result that is no error, but not success either.
    Err(NOTIFY_ENUM_DIR)
}

/// Returns several values at once: their data, one after the other.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwquerymultiplevaluekey>
#[winapi]
pub fn NtQueryMultipleValueKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    ValueEntries: GuestWord,
    EntryCount: u32,
    ValueBuffer: GuestWord,
    BufferLength: GuestWord,
    RequiredBufferLength: GuestWord,
) -> Result<(), NtStatus> {
    let key = key(guest, KeyHandle)?;
    let pointer = guest.machine().pointer_size();
    // KEY_VALUE_ENTRY: a pointer to the name, then length, offset and kind of the data.
    let step = (pointer + 12).next_multiple_of(pointer);
    let room = guest.read_u32(BufferLength.get())?;
    let mut needed = 0_u32;
    for at in (ValueEntries.get()..).step_by(step as usize).take(EntryCount as usize) {
        let name = counted_string(guest, GuestWord(guest.read_word(at)?))?;
        let value = key.value(&name).map_err(status)?;
        let (size, start) = (value.data.len() as u32, needed.next_multiple_of(4));
        needed = start + size;
        if needed <= room {
            guest.write_bytes(ValueBuffer.get() + u64::from(start), &value.data)?;
            guest.write_bytes(at + pointer, &words(&[size, start, value.kind]))?;
        }
    }
    if !RequiredBufferLength.is_null() {
        guest.write(RequiredBufferLength.get(), &needed)?;
    }
    guest.write(BufferLength.get(), &needed.min(room))?;
    if needed > room { Err(NtStatus::BUFFER_OVERFLOW) } else { Ok(()) }
}

/// Gives a key another name.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-zwrenamekey>
#[winapi]
pub fn NtRenameKey(guest: &mut Guest, KeyHandle: GuestWord, NewName: GuestWord) -> Result<(), NtStatus> {
    let name = counted_string(guest, NewName)?;
    key(guest, KeyHandle)?.rename(&name).map_err(|error| match error {
        Win32Error::ACCESS_DENIED => NtStatus::ACCESS_DENIED,
        other => status(other),
    })
}

/// Accepts the time of writing and flags of a key.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwsetinformationkey>
#[winapi]
pub fn NtSetInformationKey(
    guest: &mut Guest,
    KeyHandle: GuestWord,
    KeySetInformationClass: u32,
    KeySetInformation: GuestWord,
    KeySetInformationLength: u32,
) -> Result<(), NtStatus> {
    let _ = (KeySetInformation, KeySetInformationLength);
    key(guest, KeyHandle)?;
    if KeySetInformationClass <= 5 { Ok(()) } else { Err(NtStatus::INVALID_INFO_CLASS) }
}

/// Refuses what is done with hive files, as Windows does without the privilege.
fn refuse_hives(guest: &Guest, privilege: u32) -> Result<(), NtStatus> {
    let may = guest.process().tokens.effective().has_privilege(privilege);
    Err(if may { NtStatus::NOT_SUPPORTED } else { NtStatus::PRIVILEGE_NOT_HELD })
}

/// Refuses to write a hive file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regsavekeyw>
#[winapi]
pub fn NtSaveKey(guest: &mut Guest, KeyHandle: GuestWord, FileHandle: GuestWord) -> Result<(), NtStatus> {
    let _ = FileHandle;
    key(guest, KeyHandle)?;
    refuse_hives(guest, 17)
}

/// Refuses to read a hive file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regloadkeyw>
#[winapi]
pub fn NtLoadKey(guest: &mut Guest, TargetKey: GuestWord, SourceFile: GuestWord) -> Result<(), NtStatus> {
    let _ = (TargetKey, SourceFile);
    refuse_hives(guest, 18)
}

/// Refuses: no hive file was read.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regunloadkeyw>
#[winapi]
pub fn NtUnloadKey(guest: &mut Guest, TargetKey: GuestWord) -> Result<(), NtStatus> {
    let _ = TargetKey;
    refuse_hives(guest, 18)
}
