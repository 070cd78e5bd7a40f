//! winreg.h: keys of the registry: opened, made, deleted, closed.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, Raw, Return, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::handle::HandleFlags;
use crate::nt::registry::Key;
use crate::nt::registry_view::{View, redirect};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {

    partial RegOpenKeyExA, "access rights are not checked";
    partial RegOpenKeyExW, "access rights are not checked";
    partial RegOpenKeyA, "access rights are not checked";
    partial RegOpenKeyW, "access rights are not checked";
    partial RegCreateKeyExA, "access rights are not checked";
    partial RegCreateKeyExW, "access rights are not checked";
    partial RegCreateKeyA, "access rights are not checked";
    partial RegCreateKeyW, "access rights are not checked";
    partial RegDeleteKeyA, "access rights are not checked";
    partial RegDeleteKeyW, "access rights are not checked";
    partial RegDeleteKeyExA, "access rights are not checked";
    partial RegDeleteKeyExW, "access rights are not checked";
    partial RegDeleteTreeA, "access rights are not checked";
    partial RegDeleteTreeW, "access rights are not checked";
    full RegCloseKey;
    full RegFlushKey;
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
/// `REG_OPTION_VOLATILE`.
const OPTION_VOLATILE: u32 = 1;
/// `REG_CREATED_NEW_KEY`.
const CREATED_NEW_KEY: u32 = 1;
/// `REG_OPENED_EXISTING_KEY`.
const OPENED_EXISTING_KEY: u32 = 2;

/// Returns the key of a handle, predefined or opened.
pub(crate) fn key(guest: &Guest, handle: GuestWord) -> Result<Arc<Key>, Win32Error> {
    let process = guest.process();
    match process.registry.predefined(handle.get()) {
        Some(key) => Ok(key),
        None => process.handles.get::<Key>(handle.get()).map_err(|_| Win32Error::INVALID_HANDLE),
    }
}

/// Hands out a handle of a key.
pub(super) fn give(
    guest: &Guest,
    opened: Arc<Key>,
    access: u32,
    result: GuestWord,
) -> Result<(), Win32Error> {
    let handle = guest.process().handles.insert(opened, access, HandleFlags::empty());
    Ok(guest.write_word(result.get(), handle)?)
}

fn open(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    name: GuestWord,
    access: u32,
    result: GuestWord,
) -> Result<(), Win32Error> {
    let path = width.read(guest, name)?;
    if result.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_word(result.get(), 0)?;
    let base = key(guest, hKey)?;
    let path = redirect(base.path(), &path, View::of(access, guest.machine().is_64()));
    // An empty path on a predefined key gives the predefined handle itself.
    if path.is_empty() && guest.process().registry.predefined(hKey.get()).is_some() {
        return Ok(guest.write_word(result.get(), hKey.get())?);
    }
    give(guest, base.open(&path)?, access, result)
}

/// What `RegCreateKeyEx` is given besides the path.
struct Creation {
    reserved: u32,
    access: u32,
    result: GuestWord,
    disposition: GuestWord,
    is_volatile: bool,
}

fn create(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    name: GuestWord,
    how: &Creation,
) -> Result<(), Win32Error> {
    let path = width.read(guest, name)?;
    if how.result.is_null() || how.reserved != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let base = key(guest, hKey)?;
    let path = redirect(base.path(), &path, View::of(how.access, guest.machine().is_64()));
    let (made, is_new) = base.create(&path, how.is_volatile)?;
    give(guest, made, how.access, how.result)?;
    if !how.disposition.is_null() {
        let disposition = if is_new { CREATED_NEW_KEY } else { OPENED_EXISTING_KEY };
        guest.write(how.disposition.get(), &disposition)?;
    }
    Ok(())
}

pub(crate) fn delete(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    name: GuestWord,
    access: u32,
) -> Result<(), Win32Error> {
    if name.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let path = width.read(guest, name)?;
    let base = key(guest, hKey)?;
    base.delete(&redirect(base.path(), &path, View::of(access, guest.machine().is_64())))
}

/// Opens the key at a path below another, or makes it.
pub(crate) fn below(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    name: GuestWord,
    makes: bool,
) -> Result<Arc<Key>, Win32Error> {
    let base = key(guest, hKey)?;
    let path = redirect(base.path(), &width.read(guest, name)?, View::of(0, guest.machine().is_64()));
    if makes { base.create(&path, false).map(|(key, _)| key) } else { base.open(&path) }
}

pub(crate) fn delete_tree(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    name: GuestWord,
) -> Result<(), Win32Error> {
    let path = width.read(guest, name)?;
    let base = key(guest, hKey)?;
    let path = redirect(base.path(), &path, View::of(0, guest.machine().is_64()));
    base.open(&path)?.clear()?;
    if path.is_empty() { Ok(()) } else { base.delete(&path) }
}

both_widths! {
    /// Opens a key.
    "winreg/nf-winreg-regopenkeyex"
    RegOpenKeyExA, RegOpenKeyExW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, ulOptions: u32, samDesired: u32, phkResult: GuestWord
    ) -> LStatus {
        let _ = ulOptions;
        LStatus(open(guest, width, hKey, lpSubKey, samDesired, phkResult))
    }

    /// Opens a key with the rights that one may have.
    "winreg/nf-winreg-regopenkey"
    RegOpenKeyA, RegOpenKeyW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, phkResult: GuestWord
    ) -> LStatus {
        LStatus(open(guest, width, hKey, lpSubKey, MAXIMUM_ALLOWED, phkResult))
    }

    /// Makes a key, or opens it when it is there.
    "winreg/nf-winreg-regcreatekeyex"
    RegCreateKeyExA, RegCreateKeyExW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, Reserved: u32, lpClass: GuestWord, dwOptions: u32,
        samDesired: u32, lpSecurityAttributes: GuestWord, phkResult: GuestWord, lpdwDisposition: GuestWord
    ) -> LStatus {
        let _ = (lpClass, lpSecurityAttributes);
        if lpSubKey.is_null() {
            return LStatus(Err(Win32Error::INVALID_PARAMETER));
        }
        let (access, disposition) = (samDesired, lpdwDisposition);
        let is_volatile = dwOptions & OPTION_VOLATILE != 0;
        let how = Creation { reserved: Reserved, access, result: phkResult, disposition, is_volatile };
        LStatus(create(guest, width, hKey, lpSubKey, &how))
    }

    /// Makes a key, or opens it when it is there; without a name, the key itself.
    "winreg/nf-winreg-regcreatekey"
    RegCreateKeyA, RegCreateKeyW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, phkResult: GuestWord
    ) -> LStatus {
        if lpSubKey.is_null() {
            return LStatus(open(guest, width, hKey, lpSubKey, MAXIMUM_ALLOWED, phkResult));
        }
        let (access, disposition) = (MAXIMUM_ALLOWED, GuestWord::NULL);
        let how = Creation { reserved: 0, access, result: phkResult, disposition, is_volatile: false };
        LStatus(create(guest, width, hKey, lpSubKey, &how))
    }

    /// Deletes a key that has no keys below it.
    "winreg/nf-winreg-regdeletekey"
    RegDeleteKeyA, RegDeleteKeyW(guest, width, hKey: GuestWord, lpSubKey: GuestWord) -> LStatus {
        LStatus(delete(guest, width, hKey, lpSubKey, 0))
    }

    /// Deletes a key that has no keys below it, in one view of the registry.
    "winreg/nf-winreg-regdeletekeyex"
    RegDeleteKeyExA, RegDeleteKeyExW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, samDesired: u32, Reserved: u32
    ) -> LStatus {
        let _ = Reserved;
        LStatus(delete(guest, width, hKey, lpSubKey, samDesired))
    }

    /// Deletes a key with all below it; without a name, all below the key.
    "winreg/nf-winreg-regdeletetree"
    RegDeleteTreeA, RegDeleteTreeW(guest, width, hKey: GuestWord, lpSubKey: GuestWord) -> LStatus {
        LStatus(delete_tree(guest, width, hKey, lpSubKey))
    }
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

/// Writes a key's changes to the disk: they are in the file already.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regflushkey>
#[winapi]
pub fn RegFlushKey(guest: &mut Guest, hKey: GuestWord) -> LStatus {
    LStatus(key(guest, hKey).and_then(|_| guest.process().registry.flush()))
}
