//! shlwapi.h: values and keys of the registry by the path below a key.

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::advapi32::registry::{LStatus, below, delete, delete_tree};
use crate::advapi32::{registry_enum, registry_tree, registry_value};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full SHGetValueA; full SHGetValueW;
    full SHSetValueA; full SHSetValueW;
    full SHDeleteValueA; full SHDeleteValueW;
    full SHDeleteKeyA; full SHDeleteKeyW;
    full SHDeleteEmptyKeyA; full SHDeleteEmptyKeyW;
    full SHQueryValueExA; full SHQueryValueExW;
    full SHQueryInfoKeyA; full SHQueryInfoKeyW;
    full SHEnumKeyExA; full SHEnumKeyExW;
    full SHEnumValueA; full SHEnumValueW;
    full SHCopyKeyA; full SHCopyKeyW;
    full SHRegGetValueA; full SHRegGetValueW;
    full SHRegGetUSValueA; full SHRegGetUSValueW;
    full SHRegGetBoolUSValueA; full SHRegGetBoolUSValueW;
};

/// `RRF_RT_ANY`.
const ANY: u32 = 0xffff;
/// `HKEY_CURRENT_USER` and `HKEY_LOCAL_MACHINE`.
const PLACES: [GuestWord; 2] = [GuestWord(0x8000_0001), GuestWord(0x8000_0002)];

/// Returns the code of a result.
fn code(status: LStatus) -> i32 {
    status.0.err().unwrap_or(Win32Error::SUCCESS).0 as i32
}

/// Calls the form of a function that fits.
macro_rules! by_width {
    ($width:ident, $module:ident::$narrow:ident | $wide:ident($($argument:expr),*)) => {
        match $width {
            Width::Narrow => $module::$narrow($($argument),*),
            Width::Wide => $module::$wide($($argument),*),
        }
    };
}

/// Reads a value of a key below, texts with their variables expanded.
fn get(
    guest: &mut Guest,
    width: Width,
    key: GuestWord,
    [path, name]: [GuestWord; 2],
    flags: u32,
    [kind, data, size]: [GuestWord; 3],
) -> i32 {
    code(by_width!(
        width,
        registry_value::RegGetValueA | RegGetValueW(guest, key, path, name, flags, kind, data, size)
    ))
}

/// Deletes a key that has no keys below it.
fn delete_empty(guest: &Guest, width: Width, key: GuestWord, path: GuestWord) -> Result<(), Win32Error> {
    /// `ERROR_KEY_HAS_CHILDREN`.
    const HAS_CHILDREN: Win32Error = Win32Error(1020);
    if below(guest, width, key, path, false)?.info()?.keys > 0 {
        return Err(HAS_CHILDREN);
    }
    delete(guest, width, key, path, 0)
}

both_widths! {
    /// Reads a value of a key below.
    "shlwapi/nf-shlwapi-shgetvalue"
    SHGetValueA, SHGetValueW(
        guest, width, hkey: GuestWord, pszSubKey: GuestWord, pszValue: GuestWord, pdwType: GuestWord,
        pvData: GuestWord, pcbData: GuestWord
    ) -> i32 {
        get(guest, width, hkey, [pszSubKey, pszValue], ANY, [pdwType, pvData, pcbData])
    }

    /// Reads a value of a key below, of the types that are allowed.
    "shlwapi/nf-shlwapi-shreggetvalue"
    SHRegGetValueA, SHRegGetValueW(
        guest, width, hkey: GuestWord, pszSubKey: GuestWord, pszValue: GuestWord, srrfFlags: i32, pdwType: GuestWord,
        pvData: GuestWord, pcbData: GuestWord
    ) -> i32 {
        get(guest, width, hkey, [pszSubKey, pszValue], srrfFlags as u32, [pdwType, pvData, pcbData])
    }

    /// Reads a value.
    "shlwapi/nf-shlwapi-shqueryvalueex"
    SHQueryValueExA, SHQueryValueExW(
        guest, width, hkey: GuestWord, pszValue: GuestWord, pdwReserved: GuestWord, pdwType: GuestWord,
        pvData: GuestWord, pcbData: GuestWord
    ) -> i32 {
        let _ = pdwReserved;
        get(guest, width, hkey, [GuestWord::NULL, pszValue], ANY, [pdwType, pvData, pcbData])
    }

    /// Sets a value of a key below, which is made if it is not there.
    "shlwapi/nf-shlwapi-shsetvalue"
    SHSetValueA, SHSetValueW(
        guest, width, hkey: GuestWord, pszSubKey: GuestWord, pszValue: GuestWord, dwType: u32, pvData: GuestWord,
        cbData: u32
    ) -> i32 {
        code(by_width!(
            width,
            registry_tree::RegSetKeyValueA
                | RegSetKeyValueW(guest, hkey, pszSubKey, pszValue, dwType, pvData, cbData)
        ))
    }

    /// Deletes a value of a key below.
    "shlwapi/nf-shlwapi-shdeletevalue"
    SHDeleteValueA, SHDeleteValueW(guest, width, hkey: GuestWord, pszSubKey: GuestWord, pszValue: GuestWord) -> i32 {
        code(by_width!(
            width,
            registry_tree::RegDeleteKeyValueA | RegDeleteKeyValueW(guest, hkey, pszSubKey, pszValue)
        ))
    }

    /// Deletes a key with all below it.
    "shlwapi/nf-shlwapi-shdeletekey"
    SHDeleteKeyA, SHDeleteKeyW(guest, width, hkey: GuestWord, pszSubKey: GuestWord) -> i32 {
        code(LStatus(delete_tree(guest, width, hkey, pszSubKey)))
    }

    /// Deletes a key that has no keys below it.
    "shlwapi/nf-shlwapi-shdeleteemptykey"
    SHDeleteEmptyKeyA, SHDeleteEmptyKeyW(guest, width, hkey: GuestWord, pszSubKey: GuestWord) -> i32 {
        code(LStatus(delete_empty(guest, width, hkey, pszSubKey)))
    }

    /// Copies all values and keys of a key into another.
    "shlwapi/nf-shlwapi-shcopykey"
    SHCopyKeyA, SHCopyKeyW(
        guest, width, hkeySrc: GuestWord, pszSrcSubKey: GuestWord, hkeyDest: GuestWord, fReserved: u32
    ) -> i32 {
        let _ = fReserved;
        code(by_width!(width, registry_tree::RegCopyTreeA | RegCopyTreeW(guest, hkeySrc, pszSrcSubKey, hkeyDest)))
    }

    /// Counts keys and values, and tells the longest names.
    "shlwapi/nf-shlwapi-shqueryinfokey"
    SHQueryInfoKeyA, SHQueryInfoKeyW(
        guest, width, hkey: GuestWord, pcSubKeys: GuestWord, pcchMaxSubKeyLen: GuestWord, pcValues: GuestWord,
        pcchMaxValueNameLen: GuestWord
    ) -> i32 {
        let none = GuestWord::NULL;
        code(by_width!(
            width,
            registry_enum::RegQueryInfoKeyA
                | RegQueryInfoKeyW(
                    guest, hkey, none, none, none, pcSubKeys, pcchMaxSubKeyLen, none, pcValues,
                    pcchMaxValueNameLen, none, none, none
                )
        ))
    }

    /// Returns the name of a key below, by its number.
    "shlwapi/nf-shlwapi-shenumkeyex"
    SHEnumKeyExA, SHEnumKeyExW(
        guest, width, hkey: GuestWord, dwIndex: u32, pszName: GuestWord, pcchName: GuestWord
    ) -> i32 {
        let none = GuestWord::NULL;
        code(by_width!(
            width,
            registry_enum::RegEnumKeyExA
                | RegEnumKeyExW(guest, hkey, dwIndex, pszName, pcchName, none, none, none, none)
        ))
    }

    /// Returns a value, by its number.
    "shlwapi/nf-shlwapi-shenumvalue"
    SHEnumValueA, SHEnumValueW(
        guest, width, hkey: GuestWord, dwIndex: u32, pszValueName: GuestWord, pcchValueName: GuestWord,
        pdwType: GuestWord, pvData: GuestWord, pcbData: GuestWord
    ) -> i32 {
        code(by_width!(
            width,
            registry_enum::RegEnumValueA
                | RegEnumValueW(
                    guest, hkey, dwIndex, pszValueName, pcchValueName, GuestWord::NULL, pdwType, pvData, pcbData
                )
        ))
    }

    /// Reads a value of the user, or of the machine where the user has none; else a default.
    "shlwapi/nf-shlwapi-shreggetusvalue"
    SHRegGetUSValueA, SHRegGetUSValueW(
        guest, width, pszSubKey: GuestWord, pszValue: GuestWord, pdwType: GuestWord, pvData: GuestWord,
        pcbData: GuestWord, fIgnoreHKCU: Bool, pvDefaultData: GuestWord, dwDefaultDataSize: u32
    ) -> Result<i32, plat_abi::Fault> {
        let places = &PLACES[usize::from(fIgnoreHKCU.0)..];
        let mut result = Win32Error::FILE_NOT_FOUND.0 as i32;
        for &place in places {
            result = get(guest, width, place, [pszSubKey, pszValue], ANY, [pdwType, pvData, pcbData]);
            if result != Win32Error::FILE_NOT_FOUND.0 as i32 {
                return Ok(result);
            }
        }
        if pvDefaultData.is_null() || pvData.is_null() || pcbData.is_null() {
            return Ok(result);
        }
        if guest.read_u32(pcbData.get())? < dwDefaultDataSize {
            return Ok(Win32Error::MORE_DATA.0 as i32);
        }
        let bytes = guest.read_vec(pvDefaultData.get(), u64::from(dwDefaultDataSize))?;
        guest.write_bytes(pvData.get(), &bytes)?;
        guest.write(pcbData.get(), &dwDefaultDataSize)?;
        Ok(0)
    }

    /// Reads a value as yes or no: numbers, and the texts `yes`, `true` and their opposites.
    "shlwapi/nf-shlwapi-shreggetboolusvalue"
    SHRegGetBoolUSValueA, SHRegGetBoolUSValueW(
        guest, width, pszSubKey: GuestWord, pszValue: GuestWord, fIgnoreHKCU: Bool, fDefault: Bool
    ) -> Result<Bool, plat_abi::Fault> {
        let name = width.read(guest, pszValue)?;
        for &place in &PLACES[usize::from(fIgnoreHKCU.0)..] {
            let Ok(key) = below(guest, width, place, pszSubKey, false) else { continue };
            let Ok(value) = key.value(&name) else { continue };
            let units = value.data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let units: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
            let text = String::from_utf16_lossy(&units).to_lowercase();
            return Ok(match (value.is_text(), text.as_str()) {
                (true, "yes" | "true") => Bool(true),
                (true, "no" | "false") => Bool(false),
                (false, _) if !value.data.is_empty() => Bool(value.data.iter().any(|&byte| byte != 0)),
                _ => fDefault,
            });
        }
        Ok(fDefault)
    }
}
