//! winreg.h: keys of the registry: opened, made, deleted, closed.

use std::sync::Arc;

use plat_abi::{Fault, GuestWord, Memory, Raw, Return, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::handle::HandleFlags;
use crate::nt::nls;
use crate::nt::registry::Key;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {

    partial RegOpenKeyExA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegOpenKeyExW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegOpenKeyA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegOpenKeyW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegCreateKeyExA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegCreateKeyExW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegCreateKeyA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegCreateKeyW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegDeleteKeyA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegDeleteKeyW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegDeleteKeyExA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegDeleteKeyExW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegDeleteTreeA, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    partial RegDeleteTreeW, "in memory only: nothing is kept after the process; access rights and 32-bit redirection are ignored";
    full RegCloseKey;
    partial RegFlushKey, "the registry is in memory only: there is nothing to write";
    stub RegLoadKeyA;
    stub RegLoadKeyW;
    stub RegUnLoadKeyA;
    stub RegUnLoadKeyW;
    stub RegSaveKeyA;
    stub RegSaveKeyW;
    stub RegConnectRegistryA;
    stub RegConnectRegistryW;
    stub RegNotifyChangeKeyValue;
    stub RegGetKeySecurity;
    stub RegSetKeySecurity;
};

/// An `LSTATUS`: the functions of the registry return the error and leave the last error alone.
#[derive(Debug)]
pub struct LStatus(pub Result<(), Win32Error>);

impl Return<Guest> for LStatus {
    fn finish(self, _: &mut Guest) -> Raw {
        Raw::Integer(u64::from(self.0.err().unwrap_or(Win32Error::SUCCESS).0))
    }
}

/// `MAXIMUM_ALLOWED`.
const MAXIMUM_ALLOWED: u32 = 0x200_0000;
/// `REG_CREATED_NEW_KEY`.
const CREATED_NEW_KEY: u32 = 1;
/// `REG_OPENED_EXISTING_KEY`.
const OPENED_EXISTING_KEY: u32 = 2;

/// Returns the key of a handle, predefined or opened.
pub(super) fn key(guest: &Guest, handle: GuestWord) -> Result<Arc<Key>, Win32Error> {
    let process = guest.process();
    match process.registry.predefined(handle.get()) {
        Some(key) => Ok(key),
        None => process.handles.get::<Key>(handle.get()).map_err(|_| Win32Error::INVALID_HANDLE),
    }
}

/// Reads an optional string; null is empty.
pub(super) fn text_w(guest: &Guest, address: GuestWord) -> Result<Vec<u16>, Fault> {
    if address.is_null() { Ok(Vec::new()) } else { guest.read_wide_string(address.get()) }
}

/// Reads an optional ANSI string; null is empty.
pub(super) fn text_a(guest: &Guest, address: GuestWord) -> Result<Vec<u16>, Fault> {
    if address.is_null() { Ok(Vec::new()) } else { nls::read_ansi(guest, address.get()) }
}

/// Hands out a handle of a key.
fn give(guest: &Guest, opened: Arc<Key>, access: u32, result: GuestWord) -> Result<(), Win32Error> {
    let handle = guest.process().handles.insert(opened, access, HandleFlags::empty());
    Ok(guest.write_word(result.get(), handle)?)
}

fn open(
    guest: &Guest,
    hKey: GuestWord,
    path: &[u16],
    access: u32,
    result: GuestWord,
) -> Result<(), Win32Error> {
    if result.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_word(result.get(), 0)?;
    let base = key(guest, hKey)?;
    // An empty path on a predefined key gives the predefined handle itself.
    if path.is_empty() && guest.process().registry.predefined(hKey.get()).is_some() {
        return Ok(guest.write_word(result.get(), hKey.get())?);
    }
    give(guest, base.open(path)?, access, result)
}

/// What `RegCreateKeyEx` is given besides the path.
struct Creation {
    reserved: u32,
    access: u32,
    result: GuestWord,
    disposition: GuestWord,
}

fn create(guest: &Guest, hKey: GuestWord, path: &[u16], how: &Creation) -> Result<(), Win32Error> {
    if how.result.is_null() || how.reserved != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (made, is_new) = key(guest, hKey)?.create(path)?;
    give(guest, made, how.access, how.result)?;
    if !how.disposition.is_null() {
        let disposition = if is_new { CREATED_NEW_KEY } else { OPENED_EXISTING_KEY };
        guest.write(how.disposition.get(), &disposition)?;
    }
    Ok(())
}

fn delete(guest: &Guest, hKey: GuestWord, path: &[u16]) -> Result<(), Win32Error> {
    key(guest, hKey)?.delete(path)
}

fn delete_tree(guest: &Guest, hKey: GuestWord, path: &[u16]) -> Result<(), Win32Error> {
    let base = key(guest, hKey)?;
    base.open(path)?.clear();
    if path.is_empty() { Ok(()) } else { base.delete(path) }
}

/// Opens a key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regopenkeyexa>
#[winapi]
pub fn RegOpenKeyExA(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKey: GuestWord,
    ulOptions: u32,
    samDesired: u32,
    phkResult: GuestWord,
) -> LStatus {
    let _ = ulOptions;
    let path = text_a(guest, lpSubKey);
    LStatus(path.map_err(Win32Error::from).and_then(|path| open(guest, hKey, &path, samDesired, phkResult)))
}

/// Opens a key with the rights that one may have.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regopenkeya>
#[winapi]
pub fn RegOpenKeyA(guest: &mut Guest, hKey: GuestWord, lpSubKey: GuestWord, phkResult: GuestWord) -> LStatus {
    RegOpenKeyExA(guest, hKey, lpSubKey, 0, MAXIMUM_ALLOWED, phkResult)
}

/// Makes a key, or opens it when it is there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regcreatekeyexa>
#[winapi]
pub fn RegCreateKeyExA(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKey: GuestWord,
    Reserved: u32,
    lpClass: GuestWord,
    dwOptions: u32,
    samDesired: u32,
    lpSecurityAttributes: GuestWord,
    phkResult: GuestWord,
    lpdwDisposition: GuestWord,
) -> LStatus {
    let _ = (lpClass, dwOptions, lpSecurityAttributes);
    if lpSubKey.is_null() {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    let how =
        Creation { reserved: Reserved, access: samDesired, result: phkResult, disposition: lpdwDisposition };
    LStatus(
        text_a(guest, lpSubKey).map_err(Win32Error::from).and_then(|path| create(guest, hKey, &path, &how)),
    )
}

/// Makes a key, or opens it when it is there; without a name, the key itself.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regcreatekeya>
#[winapi]
pub fn RegCreateKeyA(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKey: GuestWord,
    phkResult: GuestWord,
) -> LStatus {
    if lpSubKey.is_null() {
        return RegOpenKeyExA(guest, hKey, lpSubKey, 0, MAXIMUM_ALLOWED, phkResult);
    }
    let none = GuestWord::NULL;
    RegCreateKeyExA(guest, hKey, lpSubKey, 0, none, 0, MAXIMUM_ALLOWED, none, phkResult, none)
}

/// Deletes a key that has no keys below it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdeletekeya>
#[winapi]
pub fn RegDeleteKeyA(guest: &mut Guest, hKey: GuestWord, lpSubKey: GuestWord) -> LStatus {
    if lpSubKey.is_null() {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    LStatus(text_a(guest, lpSubKey).map_err(Win32Error::from).and_then(|path| delete(guest, hKey, &path)))
}

/// Deletes a key that has no keys below it, in one view of the registry.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdeletekeyexa>
#[winapi]
pub fn RegDeleteKeyExA(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKey: GuestWord,
    samDesired: u32,
    Reserved: u32,
) -> LStatus {
    let _ = (samDesired, Reserved);
    RegDeleteKeyA(guest, hKey, lpSubKey)
}

/// Deletes a key with all below it; without a name, all below the key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdeletetreea>
#[winapi]
pub fn RegDeleteTreeA(guest: &mut Guest, hKey: GuestWord, lpSubKey: GuestWord) -> LStatus {
    LStatus(
        text_a(guest, lpSubKey).map_err(Win32Error::from).and_then(|path| delete_tree(guest, hKey, &path)),
    )
}

/// Opens a key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regopenkeyexw>
#[winapi]
pub fn RegOpenKeyExW(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKey: GuestWord,
    ulOptions: u32,
    samDesired: u32,
    phkResult: GuestWord,
) -> LStatus {
    let _ = ulOptions;
    let path = text_w(guest, lpSubKey);
    LStatus(path.map_err(Win32Error::from).and_then(|path| open(guest, hKey, &path, samDesired, phkResult)))
}

/// Opens a key with the rights that one may have.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regopenkeyw>
#[winapi]
pub fn RegOpenKeyW(guest: &mut Guest, hKey: GuestWord, lpSubKey: GuestWord, phkResult: GuestWord) -> LStatus {
    RegOpenKeyExW(guest, hKey, lpSubKey, 0, MAXIMUM_ALLOWED, phkResult)
}

/// Makes a key, or opens it when it is there.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regcreatekeyexw>
#[winapi]
pub fn RegCreateKeyExW(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKey: GuestWord,
    Reserved: u32,
    lpClass: GuestWord,
    dwOptions: u32,
    samDesired: u32,
    lpSecurityAttributes: GuestWord,
    phkResult: GuestWord,
    lpdwDisposition: GuestWord,
) -> LStatus {
    let _ = (lpClass, dwOptions, lpSecurityAttributes);
    if lpSubKey.is_null() {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    let how =
        Creation { reserved: Reserved, access: samDesired, result: phkResult, disposition: lpdwDisposition };
    LStatus(
        text_w(guest, lpSubKey).map_err(Win32Error::from).and_then(|path| create(guest, hKey, &path, &how)),
    )
}

/// Makes a key, or opens it when it is there; without a name, the key itself.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regcreatekeyw>
#[winapi]
pub fn RegCreateKeyW(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKey: GuestWord,
    phkResult: GuestWord,
) -> LStatus {
    if lpSubKey.is_null() {
        return RegOpenKeyExW(guest, hKey, lpSubKey, 0, MAXIMUM_ALLOWED, phkResult);
    }
    let none = GuestWord::NULL;
    RegCreateKeyExW(guest, hKey, lpSubKey, 0, none, 0, MAXIMUM_ALLOWED, none, phkResult, none)
}

/// Deletes a key that has no keys below it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdeletekeyw>
#[winapi]
pub fn RegDeleteKeyW(guest: &mut Guest, hKey: GuestWord, lpSubKey: GuestWord) -> LStatus {
    if lpSubKey.is_null() {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    LStatus(text_w(guest, lpSubKey).map_err(Win32Error::from).and_then(|path| delete(guest, hKey, &path)))
}

/// Deletes a key that has no keys below it, in one view of the registry.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdeletekeyexw>
#[winapi]
pub fn RegDeleteKeyExW(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKey: GuestWord,
    samDesired: u32,
    Reserved: u32,
) -> LStatus {
    let _ = (samDesired, Reserved);
    RegDeleteKeyW(guest, hKey, lpSubKey)
}

/// Deletes a key with all below it; without a name, all below the key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdeletetreew>
#[winapi]
pub fn RegDeleteTreeW(guest: &mut Guest, hKey: GuestWord, lpSubKey: GuestWord) -> LStatus {
    LStatus(
        text_w(guest, lpSubKey).map_err(Win32Error::from).and_then(|path| delete_tree(guest, hKey, &path)),
    )
}

/// Closes a key; predefined ones stay.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regclosekey>
#[winapi]
pub fn RegCloseKey(guest: &mut Guest, hKey: GuestWord) -> LStatus {
    if let Err(error) = key(guest, hKey) {
        return LStatus(Err(error));
    }
    if guest.process().registry.predefined(hKey.get()).is_none() {
        return LStatus(guest.process().handles.close(hKey.get()).map(drop).map_err(Win32Error::from));
    }
    LStatus(Ok(()))
}

/// Writes a key's changes to disk; there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regflushkey>
#[winapi]
pub fn RegFlushKey(guest: &mut Guest, hKey: GuestWord) -> LStatus {
    LStatus(key(guest, hKey).map(drop))
}
