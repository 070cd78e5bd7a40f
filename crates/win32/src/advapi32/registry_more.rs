//! winreg.h: what is done with keys beside opening and reading: copies, other names, files, changes to wait for.

use std::sync::Arc;

use plat_abi::{GuestWord, winapi};

use super::registry::{LStatus, give, key};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::nt::account;
use crate::nt::event::Event;
use crate::nt::object::ObjectRef;
use crate::nt::registry_notify::Filter;
use crate::nt::wait::{self, WaitFor};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial RegNotifyChangeKeyValue, "the end of the thread that asked is no change; changes of attributes and descriptors do not happen";
    partial RegConnectRegistryA, "this machine only";
    partial RegConnectRegistryW, "this machine only";
    full RegOpenCurrentUser;
    full RegOpenUserClassesRoot;
    full RegDisablePredefinedCache;
    partial RegSaveKeyA, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not written";
    partial RegSaveKeyW, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not written";
    partial RegSaveKeyExA, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not written";
    partial RegSaveKeyExW, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not written";
    partial RegLoadKeyA, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not read";
    partial RegLoadKeyW, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not read";
    partial RegUnLoadKeyA, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not read";
    partial RegUnLoadKeyW, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not read";
    partial RegRestoreKeyA, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not read";
    partial RegRestoreKeyW, "always ERROR_PRIVILEGE_NOT_HELD or ERROR_NOT_SUPPORTED: hive files are not read";
};

/// `SeBackupPrivilege`.
const BACKUP: u32 = 17;
/// `SeRestorePrivilege`.
const RESTORE: u32 = 18;

/// Refuses what is done with hive files, as Windows does without the privilege.
fn refuse_hives(guest: &Guest, privilege: u32) -> LStatus {
    let may = guest.process().tokens.effective().has_privilege(privilege);
    LStatus(Err(if may { Win32Error::NOT_SUPPORTED } else { Win32Error::PRIVILEGE_NOT_HELD }))
}

fn connect(
    guest: &Guest,
    width: Width,
    machine: GuestWord,
    hKey: GuestWord,
    result: GuestWord,
) -> Result<(), Win32Error> {
    /// `ERROR_BAD_NETPATH`.
    const BAD_PATH: Win32Error = Win32Error(53);
    if !account::is_own_machine(&width.read(guest, machine)?) {
        return Err(BAD_PATH);
    }
    give(guest, key(guest, hKey)?, u32::MAX, result)
}

both_widths! {
    /// Opens a predefined key of a machine.
    "winreg/nf-winreg-regconnectregistry"
    RegConnectRegistryA, RegConnectRegistryW(
        guest, width, lpMachineName: GuestWord, hKey: GuestWord, phkResult: GuestWord
    ) -> LStatus {
        LStatus(connect(guest, width, lpMachineName, hKey, phkResult))
    }

    /// Refuses to write a hive file.
    "winreg/nf-winreg-regsavekey"
    RegSaveKeyA, RegSaveKeyW(
        guest, width, hKey: GuestWord, lpFile: GuestWord, lpSecurityAttributes: GuestWord
    ) -> LStatus {
        let _ = (width, hKey, lpFile, lpSecurityAttributes);
        refuse_hives(guest, BACKUP)
    }

    /// Refuses to write a hive file.
    "winreg/nf-winreg-regsavekeyex"
    RegSaveKeyExA, RegSaveKeyExW(
        guest, width, hKey: GuestWord, lpFile: GuestWord, lpSecurityAttributes: GuestWord, Flags: u32
    ) -> LStatus {
        let _ = (width, hKey, lpFile, lpSecurityAttributes, Flags);
        refuse_hives(guest, BACKUP)
    }

    /// Refuses to read a hive file.
    "winreg/nf-winreg-regloadkey"
    RegLoadKeyA, RegLoadKeyW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, lpFile: GuestWord
    ) -> LStatus {
        let _ = (width, hKey, lpSubKey, lpFile);
        refuse_hives(guest, RESTORE)
    }

    /// Refuses: no hive file was read.
    "winreg/nf-winreg-regunloadkey"
    RegUnLoadKeyA, RegUnLoadKeyW(guest, width, hKey: GuestWord, lpSubKey: GuestWord) -> LStatus {
        let _ = (width, hKey, lpSubKey);
        refuse_hives(guest, RESTORE)
    }

    /// Refuses to read a hive file.
    "winreg/nf-winreg-regrestorekey"
    RegRestoreKeyA, RegRestoreKeyW(
        guest, width, hKey: GuestWord, lpFile: GuestWord, dwFlags: u32
    ) -> LStatus {
        let _ = (width, hKey, lpFile, dwFlags);
        refuse_hives(guest, RESTORE)
    }
}

/// Opens the user's key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regopencurrentuser>
#[winapi]
pub fn RegOpenCurrentUser(guest: &mut Guest, samDesired: u32, phkResult: GuestWord) -> LStatus {
    /// `HKEY_CURRENT_USER`.
    const CURRENT_USER: GuestWord = GuestWord(0x8000_0001);
    LStatus(key(guest, CURRENT_USER).and_then(|key| give(guest, key, samDesired, phkResult)))
}

/// Opens the user's view of the classes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regopenuserclassesroot>
#[winapi]
pub fn RegOpenUserClassesRoot(
    guest: &mut Guest,
    hToken: GuestWord,
    dwOptions: u32,
    samDesired: u32,
    phkResult: GuestWord,
) -> LStatus {
    /// `HKEY_CLASSES_ROOT`.
    const CLASSES_ROOT: GuestWord = GuestWord(0x8000_0000);
    let _ = (hToken, dwOptions);
    LStatus(key(guest, CLASSES_ROOT).and_then(|key| give(guest, key, samDesired, phkResult)))
}

/// Agrees: predefined keys are looked up with each call.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdisablepredefinedcache>
#[winapi]
pub fn RegDisablePredefinedCache(guest: &mut Guest) -> LStatus {
    let _ = guest;
    LStatus(Ok(()))
}

/// Has an event signalled by the next change of a key, or waits for it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regnotifychangekeyvalue>
#[winapi]
pub fn RegNotifyChangeKeyValue(
    guest: &mut Guest,
    hKey: GuestWord,
    bWatchSubtree: Bool,
    dwNotifyFilter: u32,
    hEvent: GuestWord,
    fAsynchronous: Bool,
) -> LStatus {
    let watch = |event: Arc<Event>| {
        let filter = Filter::of(dwNotifyFilter, bWatchSubtree.0).ok_or(Win32Error::INVALID_PARAMETER)?;
        let is_predefined = guest.process().registry.predefined(hKey.get()).is_some();
        key(guest, hKey)?.watch(filter, event, !is_predefined)
    };
    if fAsynchronous.0 {
        let event = guest.process().handles.get::<Event>(hEvent.get());
        return LStatus(event.map_err(|_| Win32Error::INVALID_HANDLE).and_then(watch));
    }
    let event = Event::new(true, false);
    if let Err(error) = watch(Arc::clone(&event)) {
        return LStatus(Err(error));
    }
    let object: ObjectRef = event;
    let how = WaitFor { all: false, alertable: false, deadline: None };
    LStatus(wait::wait_as_guest(guest, &[object], how).map(drop).map_err(Win32Error::from))
}
