//! winreg.h: values of the registry: read, set, deleted.

use plat_abi::{GuestWord, Memory};

use super::registry::{LStatus, key};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::nls;
use crate::nt::registry::{Key, REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, Value};
use crate::nt::registry_view::{View, redirect};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RegQueryValueExA;
    full RegQueryValueExW;
    full RegGetValueA;
    full RegGetValueW;
    partial RegSetValueExA, "access rights are not checked";
    partial RegSetValueExW, "access rights are not checked";
    partial RegDeleteValueA, "access rights are not checked";
    partial RegDeleteValueW, "access rights are not checked";
    full RegQueryMultipleValuesA;
    full RegQueryMultipleValuesW;
};

/// `RRF_NOEXPAND`.
const NO_EXPAND: u32 = 0x1000_0000;
/// `RRF_ZEROONFAILURE`.
const ZERO_ON_FAILURE: u32 = 0x2000_0000;
/// The bits of `RRF_RT_…`: one per type from `REG_NONE` on.
const TYPE_BITS: u32 = 0xffff;

/// Where a value's type and bytes go.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) kind: GuestWord,
    pub(super) data: GuestWord,
    pub(super) size: GuestWord,
}

/// Returns a value's bytes as a caller sees them.
pub(super) fn data_for(value: Value, width: Width) -> Vec<u8> {
    let narrows = width == Width::Narrow && value.is_text();
    if narrows { nls::narrow(&units(&value.data)) } else { value.data }
}

/// Reads bytes as UTF-16; an odd last byte is dropped.
fn units(data: &[u8]) -> Vec<u16> {
    data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn bytes(text: &[u16]) -> Vec<u8> {
    text.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Stores a value's type and bytes, or how many there are.
pub(super) fn put(guest: &Guest, kind: u32, data: &[u8], target: Target) -> Result<(), Win32Error> {
    if !target.kind.is_null() {
        guest.write(target.kind.get(), &kind)?;
    }
    if target.size.is_null() {
        return Ok(());
    }
    let capacity = guest.read_u32(target.size.get())?;
    guest.write(target.size.get(), &(data.len() as u32))?;
    if target.data.is_null() {
        return Ok(());
    }
    if data.len() > capacity as usize {
        return Err(Win32Error::MORE_DATA);
    }
    Ok(guest.write_bytes(target.data.get(), data)?)
}

fn query(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    name: GuestWord,
    reserved: GuestWord,
    target: Target,
) -> Result<(), Win32Error> {
    let name = width.read(guest, name)?;
    if !reserved.is_null() || (!target.data.is_null() && target.size.is_null()) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let value = key(guest, hKey)?.value(&name)?;
    put(guest, value.kind, &data_for(value, width), target)
}

/// Adds the zero of a text whose caller did not count it: Windows looks behind the text.
fn with_zero(guest: &Guest, mut data: Vec<u8>, kind: u32, address: GuestWord, width: usize) -> Vec<u8> {
    let end = address.get().wrapping_add(data.len() as u64);
    let is_text = matches!(kind, REG_SZ | REG_EXPAND_SZ | REG_MULTI_SZ) && data.len().is_multiple_of(width);
    let is_open = data.rchunks(width).next().is_some_and(|unit| unit.iter().any(|&byte| byte != 0));
    let mut next = [1; 2];
    let next = &mut next[..width];
    // Memory that ends with the text says nothing.
    if is_text && is_open && guest.read_bytes(end, next).is_ok() && next.iter().all(|&byte| byte == 0) {
        data.extend_from_slice(next);
    }
    data
}

/// What `RegGetValue` is asked for.
struct Wanted {
    flags: u32,
    target: Target,
    width: Width,
}

/// What `RegGetValue` does after the names were read.
fn get(
    guest: &Guest,
    hkey: GuestWord,
    path: &[u16],
    name: &[u16],
    wanted: &Wanted,
) -> Result<(), Win32Error> {
    let target = wanted.target;
    if !target.data.is_null() && target.size.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    // RRF_SUBKEY_WOW6464KEY and its like are the bits of access rights, higher up.
    let base = key(guest, hkey)?;
    let view = View::of(wanted.flags >> 8, guest.machine().is_64());
    let mut value = base.open(&redirect(base.path(), path, view))?.value(name)?;
    if value.kind == REG_EXPAND_SZ && wanted.flags & NO_EXPAND == 0 {
        let process = guest.process();
        value.data = bytes(&process.environment.expand(process, &units(&value.data)));
        value.kind = REG_SZ;
    }
    if value.kind >= 16 || wanted.flags & TYPE_BITS & 1 << value.kind == 0 {
        return Err(Win32Error::UNSUPPORTED_TYPE);
    }
    terminate(&mut value);
    put(guest, value.kind, &data_for(value, wanted.width), target)
}

/// Adds the zeros that a text lacks: `RegGetValue` promises them.
fn terminate(value: &mut Value) {
    let zeros = match value.kind {
        REG_SZ | REG_EXPAND_SZ => 1,
        REG_MULTI_SZ => 2,
        _ => return,
    };
    let mut text = units(&value.data);
    while text.len() < zeros || text[text.len() - zeros..].iter().any(|&unit| unit != 0) {
        text.push(0);
    }
    value.data = bytes(&text);
}

/// Zeroes the caller's buffer, if it asked for that, when the value could not be read.
fn zero_on_failure(
    guest: &Guest,
    result: Result<(), Win32Error>,
    wanted: &Wanted,
    capacity: u32,
) -> Result<(), Win32Error> {
    if result.is_err() && wanted.flags & ZERO_ON_FAILURE != 0 && !wanted.target.data.is_null() {
        guest.write_bytes(wanted.target.data.get(), &vec![0; capacity as usize])?;
    }
    result
}

/// Reads how much room the caller has; nothing without a size.
fn capacity(guest: &Guest, size: GuestWord) -> Result<u32, Win32Error> {
    if size.is_null() { Ok(0) } else { Ok(guest.read_u32(size.get())?) }
}

fn get_named(
    guest: &Guest,
    hkey: GuestWord,
    path: GuestWord,
    name: GuestWord,
    wanted: &Wanted,
) -> Result<(), Win32Error> {
    let (path, name) = (wanted.width.read(guest, path)?, wanted.width.read(guest, name)?);
    let room = capacity(guest, wanted.target.size)?;
    zero_on_failure(guest, get(guest, hkey, &path, &name, wanted), wanted, room)
}

/// Fills in `VALENT`s: name, size, address, type.
fn query_many(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    (list, count): (GuestWord, u32),
    (buffer, size): (GuestWord, GuestWord),
) -> Result<(), Win32Error> {
    let key = key(guest, hKey)?;
    let word = guest.machine().pointer_size();
    let entry = |index: u32| list.get() + 4 * word * u64::from(index);
    let read = |index: u32| {
        let name = GuestWord(guest.read_word(entry(index))?);
        let value = key.value(&width.read(guest, name)?)?;
        Ok((value.kind, data_for(value, width)))
    };
    let values: Vec<(u32, Vec<u8>)> = (0..count).map(read).collect::<Result<_, Win32Error>>()?;
    let needed: usize = values.iter().map(|value| value.1.len()).sum();
    let room = guest.read_u32(size.get())?;
    guest.write(size.get(), &(needed as u32))?;
    if buffer.is_null() || needed > room as usize {
        return Err(Win32Error::MORE_DATA);
    }
    let mut at = buffer.get();
    for ((kind, data), index) in values.iter().zip(0..) {
        guest.write_bytes(at, data)?;
        guest.write(entry(index) + word, &(data.len() as u32))?;
        guest.write_word(entry(index) + 2 * word, at)?;
        guest.write(entry(index) + 3 * word, kind)?;
        at += data.len() as u64;
    }
    Ok(())
}

/// The bytes that a value is to have, as the caller gave them.
pub(super) struct Given {
    pub(super) kind: u32,
    pub(super) data: GuestWord,
    pub(super) size: u32,
}

/// Sets a value of a key.
pub(super) fn set(
    guest: &Guest,
    width: Width,
    key: &Key,
    name: GuestWord,
    given: &Given,
) -> Result<(), Win32Error> {
    let data = guest.read_vec(given.data.get(), u64::from(given.size))?;
    let data = with_zero(guest, data, given.kind, given.data, width.unit_bytes());
    let mut value = Value { kind: given.kind, data };
    if width == Width::Narrow && value.is_text() {
        value.data = bytes(&nls::widen(&value.data));
    }
    key.set_value(&width.read(guest, name)?, value)
}

both_widths! {
    /// Reads a value.
    "winreg/nf-winreg-regqueryvalueex"
    RegQueryValueExA, RegQueryValueExW(
        guest, width, hKey: GuestWord, lpValueName: GuestWord, lpReserved: GuestWord, lpType: GuestWord,
        lpData: GuestWord, lpcbData: GuestWord
    ) -> LStatus {
        let target = Target { kind: lpType, data: lpData, size: lpcbData };
        LStatus(query(guest, width, hKey, lpValueName, lpReserved, target))
    }

    /// Reads a value below a key, of the types that are allowed.
    "winreg/nf-winreg-reggetvalue"
    RegGetValueA, RegGetValueW(
        guest, width, hkey: GuestWord, lpSubKey: GuestWord, lpValue: GuestWord, dwFlags: u32, pdwType: GuestWord,
        pvData: GuestWord, pcbData: GuestWord
    ) -> LStatus {
        let target = Target { kind: pdwType, data: pvData, size: pcbData };
        LStatus(get_named(guest, hkey, lpSubKey, lpValue, &Wanted { flags: dwFlags, target, width }))
    }

    /// Sets a value.
    "winreg/nf-winreg-regsetvalueex"
    RegSetValueExA, RegSetValueExW(
        guest, width, hKey: GuestWord, lpValueName: GuestWord, Reserved: u32, dwType: u32, lpData: GuestWord, cbData: u32
    ) -> LStatus {
        if Reserved != 0 {
            return LStatus(Err(Win32Error::INVALID_PARAMETER));
        }
        let given = Given { kind: dwType, data: lpData, size: cbData };
        LStatus(key(guest, hKey).and_then(|key| set(guest, width, &key, lpValueName, &given)))
    }

    /// Reads several values at once: their data in a row, and where each lies.
    "winreg/nf-winreg-regquerymultiplevalues"
    RegQueryMultipleValuesA, RegQueryMultipleValuesW(
        guest, width, hKey: GuestWord, val_list: GuestWord, num_vals: u32, lpValueBuf: GuestWord,
        ldwTotsize: GuestWord
    ) -> LStatus {
        LStatus(query_many(guest, width, hKey, (val_list, num_vals), (lpValueBuf, ldwTotsize)))
    }

    /// Deletes a value.
    "winreg/nf-winreg-regdeletevalue"
    RegDeleteValueA, RegDeleteValueW(guest, width, hKey: GuestWord, lpValueName: GuestWord) -> LStatus {
        let name = width.read(guest, lpValueName).map_err(Win32Error::from);
        LStatus(name.and_then(|name| key(guest, hKey)?.delete_value(&name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_get_the_zeros_they_lack() {
        let ended = |kind, text: &str| {
            let mut value = Value { kind, data: bytes(&text.encode_utf16().collect::<Vec<u16>>()) };
            terminate(&mut value);
            String::from_utf16_lossy(&units(&value.data))
        };
        assert_eq!(ended(REG_SZ, "a"), "a\0");
        assert_eq!(ended(REG_SZ, "a\0"), "a\0");
        assert_eq!(ended(REG_SZ, ""), "\0");
        assert_eq!(ended(REG_MULTI_SZ, "a\0"), "a\0\0");
        assert_eq!(ended(REG_MULTI_SZ, ""), "\0\0");
        assert_eq!(ended(3, "a"), "a");
    }

    #[test]
    fn narrow_callers_get_texts_in_ansi_and_bytes_as_they_are() {
        assert_eq!(data_for(Value::text("ä"), Width::Narrow), [0xe4, 0]);
        assert_eq!(data_for(Value { kind: 3, data: vec![1, 2, 3] }, Width::Narrow), [1, 2, 3]);
    }
}
