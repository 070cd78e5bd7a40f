//! Rtl functions of the registry: values by paths relative to places of the system's, and tables of queries.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::registry::{key, root_of};
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::reg_file::{REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ};
use crate::nt::handle::HandleFlags;
use crate::nt::registry::{Key, Value, own_sid};
use crate::nt::registry_view::{View, redirect};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial RtlQueryRegistryValues, "defaults and types are not checked against each other";
    full RtlWriteRegistryValue;
    full RtlDeleteRegistryValue;
    full RtlCheckRegistryKey;
    full RtlCreateRegistryKey;
    full RtlFormatCurrentUserKeyPath;
    full RtlOpenCurrentUser;
};

/// Where relative paths begin, by `RTL_REGISTRY_…`.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlqueryregistryvalues>
const PLACES: [&str; 6] = [
    "",
    r"\Registry\Machine\System\CurrentControlSet\Services\",
    r"\Registry\Machine\System\CurrentControlSet\Control\",
    r"\Registry\Machine\Software\Microsoft\Windows NT\CurrentVersion\",
    r"\Registry\Machine\Hardware\DeviceMap\",
    "",
];
/// `RTL_REGISTRY_USER`.
const USER: u32 = 5;
/// `RTL_REGISTRY_HANDLE`: the path is a handle.
const HANDLE: u32 = 0x4000_0000;
/// `RTL_REGISTRY_OPTIONAL`.
const OPTIONAL: u32 = 0x8000_0000;

/// What a place and a path name: an open key, or where the path begins and its rest.
enum Named {
    Open(Arc<Key>),
    Path(Arc<Key>, Vec<u16>),
}

impl Named {
    fn find(guest: &Guest, relative: u32, path: GuestWord) -> Result<Self, NtStatus> {
        if relative & HANDLE != 0 {
            return key(guest, path).map(Self::Open);
        }
        let text = if path.is_null() { Vec::new() } else { guest.read_wide_string(path.get())? };
        let whole = match relative & 0xff {
            USER => format!(r"\Registry\User\{}\", own_sid()),
            place => (*PLACES.get(place as usize).ok_or(NtStatus::INVALID_PARAMETER)?).to_owned(),
        };
        let whole: Vec<u16> = whole.encode_utf16().chain(text).collect();
        let (root, rest) = root_of(guest, &whole)?;
        let rest = redirect(root.path(), &rest, View::of(0, guest.machine().is_64()));
        Ok(Self::Path(root, rest))
    }

    fn open(self) -> Result<Arc<Key>, NtStatus> {
        match self {
            Self::Open(key) => Ok(key),
            Self::Path(root, path) => root.open(&path).map_err(|_| NtStatus::OBJECT_NAME_NOT_FOUND),
        }
    }

    fn create(self) -> Result<Arc<Key>, NtStatus> {
        match self {
            Self::Open(key) => Ok(key),
            Self::Path(root, path) => {
                root.create(&path, false).map(|(key, _)| key).map_err(|_| NtStatus::INVALID_PARAMETER)
            }
        }
    }
}

/// Sets a value, making the key.
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
    let name = guest.read_wide_string(ValueName.get())?;
    let data = guest.read_vec(ValueData.get(), u64::from(ValueLength))?;
    let key = Named::find(guest, RelativeTo, Path)?.create()?;
    key.set_value(&name, Value { kind: ValueType, data }).map_err(|_| NtStatus::INVALID_PARAMETER)
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
    let name = guest.read_wide_string(ValueName.get())?;
    let key = Named::find(guest, RelativeTo, Path)?.open()?;
    key.delete_value(&name).map_err(|_| NtStatus::OBJECT_NAME_NOT_FOUND)
}

/// Says whether a key is there.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlcheckregistrykey>
#[winapi]
pub fn RtlCheckRegistryKey(guest: &mut Guest, RelativeTo: u32, Path: GuestWord) -> Result<(), NtStatus> {
    Named::find(guest, RelativeTo, Path)?.open().map(drop)
}

/// Makes a key.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlcreateregistrykey>
#[winapi]
pub fn RtlCreateRegistryKey(guest: &mut Guest, RelativeTo: u32, Path: GuestWord) -> Result<(), NtStatus> {
    Named::find(guest, RelativeTo, Path)?.create().map(drop)
}

/// Stores the path of the user's key in a counted string with a buffer of its own.
///
/// Source: <https://learn.microsoft.com/windows/win32/sysinfo/predefined-keys>
#[winapi]
pub fn RtlFormatCurrentUserKeyPath(guest: &mut Guest, CurrentUserKeyPath: GuestWord) -> Result<(), NtStatus> {
    let text: Vec<u16> = format!(r"\REGISTRY\USER\{}", own_sid()).encode_utf16().chain([0]).collect();
    let size = text.len() as u64 * 2;
    let buffer = guest.process().heaps.allocate(0, size, false).ok_or(NtStatus::NO_MEMORY)?;
    guest.write_wide(buffer, &text)?;
    let lengths = [(size as u16 - 2).to_le_bytes(), (size as u16).to_le_bytes()].concat();
    guest.write_bytes(CurrentUserKeyPath.get(), &lengths)?;
    Ok(guest.write_word(CurrentUserKeyPath.get() + guest.machine().pointer_size(), buffer)?)
}

/// Opens the user's key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regopencurrentuser>
#[winapi]
pub fn RtlOpenCurrentUser(
    guest: &mut Guest,
    DesiredAccess: u32,
    CurrentUserKey: GuestWord,
) -> Result<(), NtStatus> {
    const CURRENT_USER: u64 = 0x8000_0001;
    let process = guest.process();
    let key = process.registry.predefined(CURRENT_USER).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    let handle = process.handles.insert(key, DesiredAccess, HandleFlags::empty());
    Ok(guest.write_word(CurrentUserKey.get(), handle)?)
}

/// `RTL_QUERY_REGISTRY_TABLE`.
#[derive(GuestStruct, Default)]
struct Query {
    routine: GuestWord,
    flags: u32,
    name: GuestWord,
    context: GuestWord,
    default_kind: u32,
    default_data: GuestWord,
    default_size: u32,
}

/// Flags of a query: go below, from the first key again, must be there, no value, no expansion, store directly, delete.
mod query {
    pub(super) const SUBKEY: u32 = 1;
    pub(super) const TOPKEY: u32 = 2;
    pub(super) const REQUIRED: u32 = 4;
    pub(super) const NOVALUE: u32 = 8;
    pub(super) const NOEXPAND: u32 = 0x10;
    pub(super) const DIRECT: u32 = 0x20;
    pub(super) const DELETE: u32 = 0x40;
}

/// Answers a table of queries: each calls its function for its value, or stores the value.
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
    let top = match Named::find(guest, RelativeTo, Path)?.open() {
        Ok(key) => key,
        Err(_) if RelativeTo & OPTIONAL != 0 => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut current = Arc::clone(&top);
    let step = Query::size(guest.machine());
    for at in (QueryTable.get()..).step_by(step as usize) {
        let query: Query = guest.read(at)?;
        if query.routine.is_null() && query.flags & (query::SUBKEY | query::DIRECT) == 0 {
            return Ok(());
        }
        if query.flags & (query::SUBKEY | query::TOPKEY) != 0 {
            current = Arc::clone(&top);
        }
        if query.flags & query::SUBKEY != 0 {
            if query.name.is_null() {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            match top.open(&guest.read_wide_string(query.name.get())?) {
                Ok(below) => current = below,
                Err(_) if query.flags & query::REQUIRED != 0 => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
                Err(_) => continue,
            }
            if query.routine.is_null() {
                continue;
            }
            each_value(guest, &current, &query, Context)?;
            continue;
        }
        answer(guest, &current, &query, Context)?;
    }
    Ok(())
}

/// Answers one query that names a value, or all values of the key where it names none.
fn answer(guest: &mut Guest, key: &Arc<Key>, query: &Query, context: GuestWord) -> Result<(), NtStatus> {
    const REG_NONE: u32 = 0;
    if query.flags & query::NOVALUE != 0 {
        return call(guest, query, context, &[], None);
    }
    if query.name.is_null() {
        return each_value(guest, key, query, context);
    }
    let name = guest.read_wide_string(query.name.get())?;
    let value = match key.value(&name) {
        Ok(value) => value,
        Err(_) if query.flags & query::REQUIRED != 0 => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
        Err(_) if query.default_kind == REG_NONE => return Ok(()),
        Err(_) => default_value(guest, query)?,
    };
    if query.flags & query::DIRECT != 0 {
        store(guest, query, &value)?;
    } else {
        deliver(guest, query, context, &name, value)?;
    }
    if query.flags & query::DELETE != 0 {
        // One that came from the default is not there.
        let _ = key.delete_value(&name);
    }
    Ok(())
}

fn each_value(guest: &mut Guest, key: &Arc<Key>, query: &Query, context: GuestWord) -> Result<(), NtStatus> {
    for index in 0.. {
        let Ok((name, value)) = key.value_at(index) else { break };
        deliver(guest, query, context, &name, value)?;
    }
    Ok(())
}

/// Reads a query's default; a text without a size ends with its zero.
fn default_value(guest: &Guest, query: &Query) -> Result<Value, NtStatus> {
    let data = match (query.default_size, query.default_kind) {
        (0, REG_SZ | REG_EXPAND_SZ) => {
            let text = guest.read_wide_string(query.default_data.get())?;
            text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect()
        }
        (size, _) => guest.read_vec(query.default_data.get(), u64::from(size))?,
    };
    Ok(Value { kind: query.default_kind, data })
}

/// Calls a query's function for a value: for each text of a list, and with variables expanded, unless it forbids that.
fn deliver(
    guest: &mut Guest,
    query: &Query,
    context: GuestWord,
    name: &[u16],
    mut value: Value,
) -> Result<(), NtStatus> {
    if query.flags & query::NOEXPAND != 0 {
        return call(guest, query, context, name, Some(&value));
    }
    let units: Vec<u16> =
        value.data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    if value.kind == REG_MULTI_SZ {
        for text in units.split(|&unit| unit == 0).filter(|text| !text.is_empty()) {
            let one = Value::units(REG_SZ, text.iter().copied().chain([0]));
            call(guest, query, context, name, Some(&one))?;
        }
        return Ok(());
    }
    if value.kind == REG_EXPAND_SZ {
        let text: Vec<u16> = units.into_iter().take_while(|&unit| unit != 0).collect();
        let expanded = guest.process().environment.expand(guest.process(), &text);
        value = Value::units(REG_SZ, expanded.into_iter().chain([0]));
    }
    call(guest, query, context, name, Some(&value))
}

/// Calls a query's function: name, kind, data, size, the contexts of the call and of the query.
fn call(
    guest: &mut Guest,
    query: &Query,
    context: GuestWord,
    name: &[u16],
    value: Option<&Value>,
) -> Result<(), NtStatus> {
    let (kind, data) = value.map_or((0, &[][..]), |value| (value.kind, &value.data));
    let name_bytes: Vec<u8> = name.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect();
    let name_room = name_bytes.len().next_multiple_of(8);
    let heaps = &guest.process().heaps;
    let block = heaps.allocate(0, (name_room + data.len() + 8) as u64, true).ok_or(NtStatus::NO_MEMORY)?;
    guest.write_bytes(block, &name_bytes)?;
    guest.write_bytes(block + name_room as u64, data)?;
    let has = |there: bool, address: u64| if there { address } else { 0 };
    let arguments = [
        has(value.is_some(), block),
        u64::from(kind),
        has(value.is_some(), block + name_room as u64),
        data.len() as u64,
        context.get(),
        query.context.get(),
    ];
    let answer = guest.call(query.routine.get(), &arguments)? as u32;
    heaps.free(0, block);
    // STATUS_BUFFER_TOO_SMALL from the function means that this value is passed over.
    if (answer as i32) < 0 && NtStatus(answer) != NtStatus::BUFFER_TOO_SMALL {
        return Err(NtStatus(answer));
    }
    Ok(())
}

/// Stores a value where a query wants it: texts into a counted string, numbers of up to 4 bytes in place, all else as size
/// and data.
fn store(guest: &Guest, query: &Query, value: &Value) -> Result<(), NtStatus> {
    let into = query.context;
    if ![REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ].contains(&value.kind) {
        if value.data.len() <= 4 {
            return Ok(guest.write_bytes(into.get(), &value.data)?);
        }
        let room = guest.read_u32(into.get())? as i32;
        let size = value.data.len();
        return match room < 0 {
            // A negative size is room for the data alone.
            true if size <= room.unsigned_abs() as usize => Ok(guest.write_bytes(into.get(), &value.data)?),
            false if size + 8 <= room as usize => {
                let header = [(size as u32).to_le_bytes(), value.kind.to_le_bytes()].concat();
                guest.write_bytes(into.get(), &header)?;
                Ok(guest.write_bytes(into.get() + 8, &value.data)?)
            }
            _ => Err(NtStatus::BUFFER_TOO_SMALL),
        };
    }
    let pointer = guest.machine().pointer_size();
    let mut data = value.data.clone();
    if value.kind == REG_EXPAND_SZ && query.flags & query::NOEXPAND == 0 {
        let units = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let text: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
        let expanded = guest.process().environment.expand(guest.process(), &text);
        data = expanded.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect();
    }
    let mut buffer = guest.read_word(into.get() + pointer)?;
    let mut most: u16 = guest.read(into.get() + 2)?;
    let size = u16::try_from(data.len()).map_err(|_| NtStatus::BUFFER_TOO_SMALL)?;
    if buffer == 0 {
        buffer = guest.process().heaps.allocate(0, u64::from(size), true).ok_or(NtStatus::NO_MEMORY)?;
        guest.write_word(into.get() + pointer, buffer)?;
        most = size;
    } else if most < size {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    guest.write_bytes(buffer, &data)?;
    let lengths = [size.saturating_sub(2).to_le_bytes(), most.to_le_bytes()].concat();
    Ok(guest.write_bytes(into.get(), &lengths)?)
}
