//! winreg.h: keys copied and renamed, values of keys below, reflection.

use plat_abi::{GuestWord, winapi};

use super::registry::{LStatus, below, key};
use super::registry_value::{Given, set};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{FALSE, Guest};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RegCopyTreeA;
    full RegCopyTreeW;
    partial RegRenameKey, "handles that are open to the key end with its old name";
    full RegSetKeyValueA;
    full RegSetKeyValueW;
    full RegDeleteKeyValueA;
    full RegDeleteKeyValueW;
    full RegDisableReflectionKey;
    full RegEnableReflectionKey;
    full RegQueryReflectionKey;
};

fn copy_tree(
    guest: &Guest,
    width: Width,
    source: GuestWord,
    name: GuestWord,
    target: GuestWord,
) -> Result<(), Win32Error> {
    let copied = below(guest, width, source, name, false)?.copy()?;
    key(guest, target)?.take_over(&copied)
}

fn delete_value(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    name: GuestWord,
    value: GuestWord,
) -> Result<(), Win32Error> {
    below(guest, width, hKey, name, false)?.delete_value(&width.read(guest, value)?)
}

both_widths! {
    /// Copies all values and keys of a key into another.
    "winreg/nf-winreg-regcopytree"
    RegCopyTreeA, RegCopyTreeW(
        guest, width, hKeySrc: GuestWord, lpSubKey: GuestWord, hKeyDest: GuestWord
    ) -> LStatus {
        LStatus(copy_tree(guest, width, hKeySrc, lpSubKey, hKeyDest))
    }

    /// Sets a value of a key below, which is made if it is not there.
    "winreg/nf-winreg-regsetkeyvalue"
    RegSetKeyValueA, RegSetKeyValueW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, lpValueName: GuestWord, dwType: u32, lpData: GuestWord,
        cbData: u32
    ) -> LStatus {
        let given = Given { kind: dwType, data: lpData, size: cbData };
        let key = below(guest, width, hKey, lpSubKey, true);
        LStatus(key.and_then(|key| set(guest, width, &key, lpValueName, &given)))
    }

    /// Deletes a value of a key below.
    "winreg/nf-winreg-regdeletekeyvalue"
    RegDeleteKeyValueA, RegDeleteKeyValueW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, lpValueName: GuestWord
    ) -> LStatus {
        LStatus(delete_value(guest, width, hKey, lpSubKey, lpValueName))
    }
}

/// Gives a key below another name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regrenamekey>
#[winapi]
pub fn RegRenameKey(
    guest: &mut Guest,
    hKey: GuestWord,
    lpSubKeyName: GuestWord,
    lpNewKeyName: GuestWord,
) -> LStatus {
    let rename = || -> Result<(), Win32Error> {
        if lpNewKeyName.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let key = below(guest, Width::Wide, hKey, lpSubKeyName, false)?;
        key.rename(&Width::Wide.read(guest, lpNewKeyName)?)
    };
    LStatus(rename())
}

/// Agrees: the two views of the registry are not kept alike by copies.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regdisablereflectionkey>
#[winapi]
pub fn RegDisableReflectionKey(guest: &mut Guest, hBase: GuestWord) -> LStatus {
    LStatus(key(guest, hBase).map(drop))
}

/// Agrees, as since Windows 7, which reflects no keys any more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regenablereflectionkey>
#[winapi]
pub fn RegEnableReflectionKey(guest: &mut Guest, hBase: GuestWord) -> LStatus {
    LStatus(key(guest, hBase).map(drop))
}

/// Says that a key is not reflected: that reflection is disabled is false, as since Windows 7.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regqueryreflectionkey>
#[winapi]
pub fn RegQueryReflectionKey(
    guest: &mut Guest,
    hBase: GuestWord,
    bIsReflectionDisabled: GuestWord,
) -> LStatus {
    use plat_abi::Memory;
    let write = |_| Ok(guest.write(bIsReflectionDisabled.get(), &u32::from(FALSE.0))?);
    LStatus(key(guest, hBase).and_then(write))
}
