//! Rtl functions of the registry: keys by place and path, values by table.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::attributes::UNICODE_STRING;
use super::registry::{split_absolute, status};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::registry::{Key, REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, Value, own_sid};
use crate::nt::registry_view::{View, redirect};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlCheckRegistryKey;
    full RtlCreateRegistryKey;
    full RtlDeleteRegistryValue;
    full RtlFormatCurrentUserKeyPath;
    full RtlQueryRegistryValues;
    full RtlWriteRegistryValue;
};

/// Where relative paths begin: `RTL_REGISTRY_ABSOLUTE` and the numbers after it.
const PLACES: [&str; 6] = [
    "",
    r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Services",
    r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control",
    r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows NT\CurrentVersion",
    r"HKEY_LOCAL_MACHINE\Hardware\DeviceMap",
    "HKEY_CURRENT_USER",
];
/// `RTL_REGISTRY_HANDLE`: the path is the handle of a key.
const IS_HANDLE: u32 = 0x4000_0000;
/// `RTL_REGISTRY_OPTIONAL`.
const IS_OPTIONAL: u32 = 0x8000_0000;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Returns the key that a place stands for and the path from there.
fn base(guest: &Guest, place: u32, path: GuestWord) -> Result<(Arc<Key>, Vec<u16>), NtStatus> {
    let process = guest.process();
    if place & IS_HANDLE != 0 {
        return Ok((process.handles.get::<Key>(path.0)?, Vec::new()));
    }
    let text = if path.is_null() { Vec::new() } else { guest.read_wide_string(path.0)? };
    let open = |root: &[u16]| process.registry.open(root).map_err(status);
    let (base, path) = match PLACES.get((place & !IS_OPTIONAL) as usize) {
        Some(&"") => {
            let (root, rest) = split_absolute(&text).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
            (open(&root)?, rest)
        }
        Some(root) => {
            let (root, rest) = root.split_once('\\').unwrap_or((root, ""));
            let rest = [wide(rest), text].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
            (open(&wide(root))?, rest.join(&u16::from(b'\\')))
        }
        None => return Err(NtStatus::INVALID_PARAMETER),
    };
    let path = redirect(base.path(), &path, View::of(0, guest.machine().is_64()));
    Ok((base, path))
}

fn key(guest: &Guest, place: u32, path: GuestWord) -> Result<Arc<Key>, NtStatus> {
    let (base, path) = base(guest, place, path)?;
    base.open(&path).map_err(status)
}

/// Says whether a key is there.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlcheckregistrykey>
#[winapi]
pub fn RtlCheckRegistryKey(guest: &mut Guest, RelativeTo: u32, Path: GuestWord) -> Result<(), NtStatus> {
    key(guest, RelativeTo, Path).map(drop)
}

/// Makes a key, and those on the way to it.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlcreateregistrykey>
#[winapi]
pub fn RtlCreateRegistryKey(guest: &mut Guest, RelativeTo: u32, Path: GuestWord) -> Result<(), NtStatus> {
    let (base, path) = base(guest, RelativeTo, Path)?;
    base.create(&path, false).map(drop).map_err(status)
}

/// Deletes a value.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtldeleteregistryvalue>
#[winapi]
pub fn RtlDeleteRegistryValue(
    guest: &mut Guest,
    RelativeTo: u32,
    Path: GuestWord,
    ValueName: GuestWord,
) -> Result<(), NtStatus> {
    let name = guest.read_wide_string(ValueName.0)?;
    key(guest, RelativeTo, Path)?.delete_value(&name).map_err(status)
}

/// Sets a value.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlwriteregistryvalue>
#[winapi]
pub fn RtlWriteRegistryValue(
    guest: &mut Guest,
    RelativeTo: u32,
    Path: GuestWord,
    ValueName: GuestWord,
    ValueType: u32,
    ValueData: GuestWord,
    ValueLength: u32,
) -> Result<(), NtStatus> {
    let name = if ValueName.is_null() { Vec::new() } else { guest.read_wide_string(ValueName.0)? };
    let data = guest.read_vec(ValueData.0, u64::from(ValueLength))?;
    let value = Value { kind: ValueType, data };
    key(guest, RelativeTo, Path)?.set_value(&name, value).map_err(status)
}

/// Stores the name of the user's key, in memory of the process' heap.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlqueryregistryvalues>
#[winapi]
pub fn RtlFormatCurrentUserKeyPath(guest: &mut Guest, KeyPath: GuestWord) -> Result<(), NtStatus> {
    let name = wide(&format!(r"\REGISTRY\USER\{}", own_sid()));
    put_new_string(guest, KeyPath, &name)
}

fn put_new_string(guest: &Guest, place: GuestWord, text: &[u16]) -> Result<(), NtStatus> {
    let bytes = (text.len() as u64 + 1) * 2;
    let buffer = guest.process().heaps.allocate(0, bytes, false).ok_or(NtStatus::NO_MEMORY)?;
    guest.write_wide(buffer, &[text, &[0]].concat())?;
    let (length, maximum) = ((text.len() * 2) as u16, bytes as u16);
    let string = UNICODE_STRING { Length: length, MaximumLength: maximum, Buffer: GuestWord(buffer) };
    Ok(guest.write(place.0, &string)?)
}

/// One row of the table that `RtlQueryRegistryValues` gets.
#[derive(GuestStruct, Clone, Copy, Default)]
#[allow(non_camel_case_types, non_snake_case)]
struct RTL_QUERY_REGISTRY_TABLE {
    QueryRoutine: GuestWord,
    Flags: u32,
    Name: GuestWord,
    EntryContext: GuestWord,
    DefaultType: u32,
    DefaultData: GuestWord,
    DefaultLength: u32,
}

const SUBKEY: u32 = 1;
const TOP_KEY: u32 = 2;
const REQUIRED: u32 = 4;
const NO_VALUE: u32 = 8;
const NO_EXPAND: u32 = 0x10;
const DIRECT: u32 = 0x20;
const DELETE: u32 = 0x40;

/// Reads values as a table says: each is given to a routine or stored directly.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlqueryregistryvalues>
#[winapi]
pub fn RtlQueryRegistryValues(
    guest: &mut Guest,
    RelativeTo: u32,
    Path: GuestWord,
    QueryTable: GuestWord,
    Context: GuestWord,
    Environment: GuestWord,
) -> Result<(), NtStatus> {
    let _ = Environment;
    let top = match key(guest, RelativeTo, Path) {
        Err(_) if RelativeTo & IS_OPTIONAL != 0 => return Ok(()),
        found => found?,
    };
    let mut current = Arc::clone(&top);
    let mut at = QueryTable.0;
    loop {
        let row: RTL_QUERY_REGISTRY_TABLE = guest.read(at)?;
        if row.QueryRoutine.is_null() && row.Flags & (SUBKEY | DIRECT) == 0 {
            return Ok(());
        }
        if row.Flags & (TOP_KEY | SUBKEY) != 0 {
            current = Arc::clone(&top);
        }
        query_row(guest, &mut current, &row, Context)?;
        at += RTL_QUERY_REGISTRY_TABLE::size(guest.machine());
    }
}

/// Does what one row says.
fn query_row(
    guest: &mut Guest,
    current: &mut Arc<Key>,
    row: &RTL_QUERY_REGISTRY_TABLE,
    context: GuestWord,
) -> Result<(), NtStatus> {
    let name = if row.Name.is_null() { Vec::new() } else { guest.read_wide_string(row.Name.0)? };
    if row.Flags & SUBKEY != 0 {
        match current.open(&name) {
            Ok(below) => *current = below,
            Err(_) if row.Flags & REQUIRED == 0 => return Ok(()),
            Err(error) => return Err(status(error)),
        }
        return if row.QueryRoutine.is_null() { Ok(()) } else { call_for_all(guest, current, row, context) };
    }
    if row.Flags & NO_VALUE != 0 {
        return call(guest, row, context, &name, None);
    }
    if row.Name.is_null() && row.Flags & DIRECT == 0 {
        return call_for_all(guest, current, row, context);
    }
    let value = match current.value(&name) {
        Ok(value) => value,
        Err(Win32Error::FILE_NOT_FOUND) => match default_of(guest, row)? {
            Some(value) => value,
            None if row.Flags & REQUIRED != 0 => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
            None => return Ok(()),
        },
        Err(error) => return Err(status(error)),
    };
    let value = expanded(guest, value, row.Flags);
    if row.Flags & DIRECT != 0 {
        store_directly(guest, row.EntryContext, &value)?;
    } else {
        call(guest, row, context, &name, Some(&value))?;
    }
    if row.Flags & DELETE != 0 {
        // The value may have been the default.
        let _ = current.delete_value(&name);
    }
    Ok(())
}

/// Returns the value that a row gives for one that is not there.
fn default_of(guest: &Guest, row: &RTL_QUERY_REGISTRY_TABLE) -> Result<Option<Value>, NtStatus> {
    let kind = row.DefaultType & 0xff_ffff;
    if kind == 0 {
        return Ok(None);
    }
    let data = match row.DefaultLength {
        // The length of texts need not be told.
        0 if kind == REG_SZ || kind == REG_EXPAND_SZ => {
            let text = guest.read_wide_string(row.DefaultData.0)?;
            text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect()
        }
        length => guest.read_vec(row.DefaultData.0, u64::from(length))?,
    };
    Ok(Some(Value { kind, data }))
}

fn units(data: &[u8]) -> Vec<u16> {
    let mut text: Vec<u16> =
        data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    while text.last() == Some(&0) {
        text.pop();
    }
    text
}

/// Replaces names of variables in a text that has some, unless that is not wanted.
fn expanded(guest: &Guest, value: Value, flags: u32) -> Value {
    if value.kind != REG_EXPAND_SZ || flags & NO_EXPAND != 0 {
        return value;
    }
    let process = guest.process();
    let text = process.environment.expand(process, &units(&value.data));
    let data = text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect();
    Value { kind: REG_SZ, data }
}

/// Stores a value where the caller said: text as a counted string, numbers as they are, other data with its size.
fn store_directly(guest: &Guest, place: GuestWord, value: &Value) -> Result<(), NtStatus> {
    if matches!(value.kind, REG_SZ | REG_EXPAND_SZ | REG_MULTI_SZ) {
        let text = units(&value.data);
        let string: UNICODE_STRING = guest.read(place.0)?;
        if string.Buffer.is_null() {
            return put_new_string(guest, place, &text);
        }
        if usize::from(string.MaximumLength) < (text.len() + 1) * 2 {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        guest.write_wide(string.Buffer.0, &[text.as_slice(), &[0]].concat())?;
        return Ok(guest.write(place.0, &UNICODE_STRING { Length: (text.len() * 2) as u16, ..string })?);
    }
    if value.data.len() <= 4 {
        return Ok(guest.write_bytes(place.0, &value.data)?);
    }
    // The buffer begins with its size: negative for "just the data", else size and type come before the data.
    let room = guest.read_u32(place.0)? as i32;
    if room < 0 {
        if (value.data.len() as u32) > room.unsigned_abs() {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        return Ok(guest.write_bytes(place.0, &value.data)?);
    }
    if value.data.len() + 8 > room as usize {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    guest.write(place.0, &[value.data.len() as u32, value.kind])?;
    Ok(guest.write_bytes(place.0 + 8, &value.data)?)
}

fn call_for_all(
    guest: &mut Guest,
    key: &Arc<Key>,
    row: &RTL_QUERY_REGISTRY_TABLE,
    context: GuestWord,
) -> Result<(), NtStatus> {
    for index in 0.. {
        let Ok((name, value)) = key.value_at(index) else { break };
        let value = expanded(guest, value, row.Flags);
        call(guest, row, context, &name, Some(&value))?;
    }
    Ok(())
}

/// Calls a row's routine: once for each text of a list, else once.
fn call(
    guest: &mut Guest,
    row: &RTL_QUERY_REGISTRY_TABLE,
    context: GuestWord,
    name: &[u16],
    value: Option<&Value>,
) -> Result<(), NtStatus> {
    let kind = value.map_or(0, |value| value.kind);
    let data = value.map_or(&[][..], |value| &value.data);
    if kind == REG_MULTI_SZ && row.Flags & NO_EXPAND == 0 {
        for text in units(data).split(|&unit| unit == 0) {
            let bytes: Vec<u8> = text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect();
            call_once(guest, row, context, name, (REG_SZ, &bytes))?;
        }
        return Ok(());
    }
    call_once(guest, row, context, name, (kind, data))
}

fn call_once(
    guest: &mut Guest,
    row: &RTL_QUERY_REGISTRY_TABLE,
    context: GuestWord,
    name: &[u16],
    (kind, data): (u32, &[u8]),
) -> Result<(), NtStatus> {
    let heaps = &guest.process().heaps;
    let text: Vec<u8> = name.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect();
    let start = text.len().next_multiple_of(8);
    let block = heaps.allocate(0, (start + data.len() + 8) as u64, true).ok_or(NtStatus::NO_MEMORY)?;
    guest.write_bytes(block, &text)?;
    let at = block + start as u64;
    guest.write_bytes(at, data)?;
    let data_at = if data.is_empty() { 0 } else { at };
    let arguments = [block, u64::from(kind), data_at, data.len() as u64, context.0, row.EntryContext.0];
    let answer = guest.call(row.QueryRoutine.0, &arguments)?;
    guest.process().heaps.free(0, block);
    match NtStatus(answer as u32) {
        status if (status.0 as i32) < 0 => Err(status),
        _ => Ok(()),
    }
}
