//! winreg.h: values without names as Windows 3 had them, texts that lie in modules, and what is refused.

use plat_abi::{GuestWord, Memory};

use super::registry::{LStatus, below};
use super::registry_value::{Given, Target, data_for, put, set};
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::registry::{REG_SZ, Value};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RegQueryValueA; full RegQueryValueW;
    partial RegSetValueA, "access rights are not checked"; partial RegSetValueW, "access rights are not checked";
    partial RegLoadMUIStringA, "always ERROR_CALL_NOT_IMPLEMENTED, as Windows answers this form";
    partial RegLoadMUIStringW, "texts as they stand; for one that names a resource ERROR_FILE_NOT_FOUND";
    partial RegLoadAppKeyA, "hive files are not read: ERROR_NOT_SUPPORTED";
    partial RegLoadAppKeyW, "hive files are not read: ERROR_NOT_SUPPORTED";
    partial RegReplaceKeyA, "always ERROR_PRIVILEGE_NOT_HELD";
    partial RegReplaceKeyW, "always ERROR_PRIVILEGE_NOT_HELD";
    partial RegCreateKeyTransactedA, "there are no transactions: ERROR_INVALID_HANDLE";
    partial RegCreateKeyTransactedW, "there are no transactions: ERROR_INVALID_HANDLE";
    partial RegOpenKeyTransactedA, "there are no transactions: ERROR_INVALID_HANDLE";
    partial RegOpenKeyTransactedW, "there are no transactions: ERROR_INVALID_HANDLE";
    partial RegDeleteKeyTransactedA, "there are no transactions: ERROR_INVALID_HANDLE";
    partial RegDeleteKeyTransactedW, "there are no transactions: ERROR_INVALID_HANDLE";
};

answers! {
    "Refuses to read a hive file." -> u32 = Win32Error::NOT_SUPPORTED.0 => {
        "winreg/nf-winreg-regloadappkey"
        RegLoadAppKeyA, RegLoadAppKeyW(lpFile: GuestWord, phkResult: GuestWord, samDesired: u32, dwOptions: u32, Reserved: u32);
    }
    "Refuses to put a hive file in a key's place." -> u32 = Win32Error::PRIVILEGE_NOT_HELD.0 => {
        "winreg/nf-winreg-regreplacekey"
        RegReplaceKeyA, RegReplaceKeyW(hKey: GuestWord, lpSubKey: GuestWord, lpNewFile: GuestWord, lpOldFile: GuestWord);
    }
    "Says that this is no transaction: there are none." -> u32 = Win32Error::INVALID_HANDLE.0 => {
        "winreg/nf-winreg-regcreatekeytransacted"
        RegCreateKeyTransactedA, RegCreateKeyTransactedW(
            hKey: GuestWord, lpSubKey: GuestWord, Reserved: u32, lpClass: GuestWord, dwOptions: u32, samDesired: u32,
            lpSecurityAttributes: GuestWord, phkResult: GuestWord, lpdwDisposition: GuestWord, hTransaction: GuestWord,
            pExtendedParemeter: GuestWord
        );
        "winreg/nf-winreg-regopenkeytransacted"
        RegOpenKeyTransactedA, RegOpenKeyTransactedW(
            hKey: GuestWord, lpSubKey: GuestWord, ulOptions: u32, samDesired: u32, phkResult: GuestWord,
            hTransaction: GuestWord, pExtendedParemeter: GuestWord
        );
        "winreg/nf-winreg-regdeletekeytransacted"
        RegDeleteKeyTransactedA, RegDeleteKeyTransactedW(
            hKey: GuestWord, lpSubKey: GuestWord, samDesired: u32, Reserved: u32, hTransaction: GuestWord,
            pExtendedParameter: GuestWord
        );
    }
    "Refuses: the form for the ANSI code page does nothing on Windows either." -> u32 = Win32Error::CALL_NOT_IMPLEMENTED.0 => {
        "winreg/nf-winreg-regloadmuistringa"
        RegLoadMUIStringA(
            hKey: GuestWord, pszValue: GuestWord, pszOutBuf: GuestWord, cbOutBuf: u32, pcbData: GuestWord, Flags: u32,
            pszDirectory: GuestWord
        );
    }
}

/// Reads the value without a name of a key below another; it is empty where it was not set.
fn query(
    guest: &Guest,
    width: Width,
    key: GuestWord,
    name: GuestWord,
    target: Target,
) -> Result<(), Win32Error> {
    let key = below(guest, width, key, name, false)?;
    let value = match key.value(&[]) {
        Err(Win32Error::FILE_NOT_FOUND) => Value { kind: REG_SZ, data: vec![0, 0] },
        other => other?,
    };
    if !value.is_text() {
        return Err(Win32Error::INVALID_DATA);
    }
    put(guest, value.kind, &data_for(value, width), target)
}

both_widths! {
    /// Reads the value without a name of a key.
    "winreg/nf-winreg-regqueryvalue"
    RegQueryValueA, RegQueryValueW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, lpData: GuestWord, lpcbData: GuestWord
    ) -> LStatus {
        let target = Target { kind: GuestWord::NULL, data: lpData, size: lpcbData };
        LStatus(query(guest, width, hKey, lpSubKey, target))
    }

    /// Sets the value without a name of a key, which is made if it is not there. The length is that of the text.
    "winreg/nf-winreg-regsetvalue"
    RegSetValueA, RegSetValueW(
        guest, width, hKey: GuestWord, lpSubKey: GuestWord, dwType: u32, lpData: GuestWord, cbData: u32
    ) -> LStatus {
        let _ = cbData;
        if dwType != REG_SZ || lpData.is_null() {
            return LStatus(Err(Win32Error::INVALID_PARAMETER));
        }
        let set = || {
            let units = width.length(guest, lpData)? as u32 + 1;
            let given = Given { kind: dwType, data: lpData, size: units * width.unit_bytes() as u32 };
            set(guest, width, &*below(guest, width, hKey, lpSubKey, true)?, GuestWord::NULL, &given)
        };
        LStatus(set())
    }
}

/// Reads a text that may name a resource of a module; those are not looked for.
fn load_text(
    guest: &Guest,
    key: GuestWord,
    name: GuestWord,
    (buffer, size, needed): (GuestWord, u32, GuestWord),
    flags: u32,
) -> Result<(), Win32Error> {
    /// `REG_MUI_STRING_TRUNCATE`.
    const TRUNCATE: u32 = 1;
    if flags & !TRUNCATE != 0 || (flags != 0 && !needed.is_null()) || (buffer.is_null() && size != 0) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let name = Width::Wide.read(guest, name)?;
    let value = super::registry::key(guest, key)?.value(&name)?;
    if !value.is_text() {
        return Err(Win32Error::FILE_NOT_FOUND);
    }
    let mut data = data_for(value, Width::Wide);
    if data.starts_with(&[b'@', 0]) {
        return Err(Win32Error::FILE_NOT_FOUND);
    }
    if !needed.is_null() {
        guest.write(needed.get(), &(data.len() as u32))?;
    }
    if data.len() > size as usize {
        if flags & TRUNCATE == 0 || size < 2 {
            return Err(Win32Error::MORE_DATA);
        }
        data.truncate(size as usize / 2 * 2 - 2);
        data.extend([0, 0]);
    }
    Ok(guest.write_bytes(buffer.get(), &data)?)
}

/// Reads a text.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regloadmuistringw>
#[plat_abi::winapi]
pub fn RegLoadMUIStringW(
    guest: &mut Guest,
    hKey: GuestWord,
    pszValue: GuestWord,
    pszOutBuf: GuestWord,
    cbOutBuf: u32,
    pcbData: GuestWord,
    Flags: u32,
    pszDirectory: GuestWord,
) -> LStatus {
    let _ = pszDirectory;
    LStatus(load_text(guest, hKey, pszValue, (pszOutBuf, cbOutBuf, pcbData), Flags))
}
