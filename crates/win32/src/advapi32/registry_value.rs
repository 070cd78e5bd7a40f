//! winreg.h: values of the registry: read, set, deleted.

use plat_abi::{GuestWord, Memory, winapi};

use super::registry::{LStatus, key, text_a, text_w};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::nls;
use crate::nt::registry::{REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, Value};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RegQueryValueExA;
    full RegQueryValueExW;
    partial RegGetValueA, "RRF_SUBKEY_WOW6432KEY and its like are ignored";
    partial RegGetValueW, "RRF_SUBKEY_WOW6432KEY and its like are ignored";
    partial RegSetValueExA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegSetValueExW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegDeleteValueA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegDeleteValueW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    stub RegQueryMultipleValuesW;
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

/// Returns a value's bytes as a narrow caller sees them.
pub(super) fn narrow_data(value: Value) -> Vec<u8> {
    if value.is_text() { nls::narrow(&units(&value.data)) } else { value.data }
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

/// What `RegQueryValueEx` does after the name was read.
fn query(
    guest: &Guest,
    hKey: GuestWord,
    name: &[u16],
    reserved: GuestWord,
    target: Target,
    wide: bool,
) -> Result<(), Win32Error> {
    if !reserved.is_null() || (!target.data.is_null() && target.size.is_null()) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let value = key(guest, hKey)?.value(name)?;
    let kind = value.kind;
    let data = if wide { value.data } else { narrow_data(value) };
    put(guest, kind, &data, target)
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
    wide: bool,
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
    let mut value = key(guest, hkey)?.open(path)?.value(name)?;
    if value.kind == REG_EXPAND_SZ && wanted.flags & NO_EXPAND == 0 {
        let process = guest.process();
        value.data = bytes(&process.environment.expand(process, &units(&value.data)));
        value.kind = REG_SZ;
    }
    if value.kind >= 16 || wanted.flags & TYPE_BITS & 1 << value.kind == 0 {
        return Err(Win32Error::UNSUPPORTED_TYPE);
    }
    let kind = value.kind;
    terminate(&mut value);
    let data = if wanted.wide { value.data } else { narrow_data(value) };
    put(guest, kind, &data, target)
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

/// Reads a value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regqueryvalueexa>
#[winapi]
pub fn RegQueryValueExA(
    guest: &mut Guest,
    hKey: GuestWord,
    lpValueName: GuestWord,
    lpReserved: GuestWord,
    lpType: GuestWord,
    lpData: GuestWord,
    lpcbData: GuestWord,
) -> LStatus {
    let target = Target { kind: lpType, data: lpData, size: lpcbData };
    let name = text_a(guest, lpValueName).map_err(Win32Error::from);
    LStatus(name.and_then(|name| query(guest, hKey, &name, lpReserved, target, false)))
}

fn get_a(
    guest: &Guest,
    hkey: GuestWord,
    lpSubKey: GuestWord,
    lpValue: GuestWord,
    wanted: &Wanted,
) -> Result<(), Win32Error> {
    let (path, name) = (text_a(guest, lpSubKey)?, text_a(guest, lpValue)?);
    let room = capacity(guest, wanted.target.size)?;
    zero_on_failure(guest, get(guest, hkey, &path, &name, wanted), wanted, room)
}

/// Reads a value below a key, of the types that are allowed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-reggetvaluea>
#[winapi]
pub fn RegGetValueA(
    guest: &mut Guest,
    hkey: GuestWord,
    lpSubKey: GuestWord,
    lpValue: GuestWord,
    dwFlags: u32,
    pdwType: GuestWord,
    pvData: GuestWord,
    pcbData: GuestWord,
) -> LStatus {
    let target = Target { kind: pdwType, data: pvData, size: pcbData };
    let wanted = Wanted { flags: dwFlags, target, wide: false };
    LStatus(get_a(guest, hkey, lpSubKey, lpValue, &wanted))
}

fn set_a(
    guest: &Guest,
    hKey: GuestWord,
    lpValueName: GuestWord,
    kind: u32,
    data: Vec<u8>,
) -> Result<(), Win32Error> {
    let mut value = Value { kind, data };
    if value.is_text() {
        value.data = bytes(&nls::widen(&value.data));
    }
    key(guest, hKey)?.set_value(&text_a(guest, lpValueName)?, value)
}

/// Sets a value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regsetvalueexa>
#[winapi]
pub fn RegSetValueExA(
    guest: &mut Guest,
    hKey: GuestWord,
    lpValueName: GuestWord,
    Reserved: u32,
    dwType: u32,
    lpData: GuestWord,
    cbData: u32,
) -> LStatus {
    if Reserved != 0 {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    let data = guest.read_vec(lpData.get(), u64::from(cbData)).map_err(Win32Error::from);
    LStatus(data.and_then(|data| {
        let data = with_zero(guest, data, dwType, lpData, 1);
        set_a(guest, hKey, lpValueName, dwType, data)
    }))
}

/// Deletes a value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdeletevaluea>
#[winapi]
pub fn RegDeleteValueA(guest: &mut Guest, hKey: GuestWord, lpValueName: GuestWord) -> LStatus {
    let name = text_a(guest, lpValueName).map_err(Win32Error::from);
    LStatus(name.and_then(|name| key(guest, hKey)?.delete_value(&name)))
}

/// Reads a value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regqueryvalueexw>
#[winapi]
pub fn RegQueryValueExW(
    guest: &mut Guest,
    hKey: GuestWord,
    lpValueName: GuestWord,
    lpReserved: GuestWord,
    lpType: GuestWord,
    lpData: GuestWord,
    lpcbData: GuestWord,
) -> LStatus {
    let target = Target { kind: lpType, data: lpData, size: lpcbData };
    let name = text_w(guest, lpValueName).map_err(Win32Error::from);
    LStatus(name.and_then(|name| query(guest, hKey, &name, lpReserved, target, true)))
}

fn get_w(
    guest: &Guest,
    hkey: GuestWord,
    lpSubKey: GuestWord,
    lpValue: GuestWord,
    wanted: &Wanted,
) -> Result<(), Win32Error> {
    let (path, name) = (text_w(guest, lpSubKey)?, text_w(guest, lpValue)?);
    let room = capacity(guest, wanted.target.size)?;
    zero_on_failure(guest, get(guest, hkey, &path, &name, wanted), wanted, room)
}

/// Reads a value below a key, of the types that are allowed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-reggetvaluew>
#[winapi]
pub fn RegGetValueW(
    guest: &mut Guest,
    hkey: GuestWord,
    lpSubKey: GuestWord,
    lpValue: GuestWord,
    dwFlags: u32,
    pdwType: GuestWord,
    pvData: GuestWord,
    pcbData: GuestWord,
) -> LStatus {
    let target = Target { kind: pdwType, data: pvData, size: pcbData };
    let wanted = Wanted { flags: dwFlags, target, wide: true };
    LStatus(get_w(guest, hkey, lpSubKey, lpValue, &wanted))
}

fn set_w(
    guest: &Guest,
    hKey: GuestWord,
    lpValueName: GuestWord,
    kind: u32,
    data: Vec<u8>,
) -> Result<(), Win32Error> {
    let value = Value { kind, data };
    key(guest, hKey)?.set_value(&text_w(guest, lpValueName)?, value)
}

/// Sets a value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regsetvalueexw>
#[winapi]
pub fn RegSetValueExW(
    guest: &mut Guest,
    hKey: GuestWord,
    lpValueName: GuestWord,
    Reserved: u32,
    dwType: u32,
    lpData: GuestWord,
    cbData: u32,
) -> LStatus {
    if Reserved != 0 {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    let data = guest.read_vec(lpData.get(), u64::from(cbData)).map_err(Win32Error::from);
    LStatus(data.and_then(|data| {
        let data = with_zero(guest, data, dwType, lpData, 2);
        set_w(guest, hKey, lpValueName, dwType, data)
    }))
}

/// Deletes a value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdeletevaluew>
#[winapi]
pub fn RegDeleteValueW(guest: &mut Guest, hKey: GuestWord, lpValueName: GuestWord) -> LStatus {
    let name = text_w(guest, lpValueName).map_err(Win32Error::from);
    LStatus(name.and_then(|name| key(guest, hKey)?.delete_value(&name)))
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
        assert_eq!(narrow_data(Value::text("ä")), [0xe4, 0]);
        assert_eq!(narrow_data(Value { kind: 3, data: vec![1, 2, 3] }), [1, 2, 3]);
    }
}
