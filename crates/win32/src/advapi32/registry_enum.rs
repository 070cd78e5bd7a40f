//! winreg.h: what a key holds: names of keys and values by index, counts.

use plat_abi::{Fault, GuestWord, Memory};

use super::registry::{LStatus, key};
use super::registry_value::{Target, data_for, put};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::nls;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial RegEnumKeyExA, "classes are empty and times of writing are 0";
    partial RegEnumKeyExW, "classes are empty and times of writing are 0";
    full RegEnumKeyA;
    full RegEnumKeyW;
    full RegEnumValueA;
    full RegEnumValueW;
    partial RegQueryInfoKeyA, "classes are empty; times of writing and security descriptors are 0";
    partial RegQueryInfoKeyW, "classes are empty; times of writing and security descriptors are 0";
};

/// A text for a caller: in units or in bytes.
enum Text {
    Wide(Vec<u16>),
    Narrow(Vec<u8>),
}

impl Text {
    fn new(text: Vec<u16>, width: Width) -> Self {
        match width {
            Width::Wide => Self::Wide(text),
            Width::Narrow => Self::Narrow(nls::narrow(&text)),
        }
    }

    /// Stores it with its zero where `size` says how much room there is; `size` becomes the length without it.
    fn put(self, guest: &Guest, buffer: GuestWord, size: GuestWord) -> Result<(), Win32Error> {
        let room = guest.read_u32(size.get())?;
        let length = match &self {
            Self::Wide(text) => text.len(),
            Self::Narrow(text) => text.len(),
        };
        if length >= room as usize {
            return Err(Win32Error::MORE_DATA);
        }
        self.write(guest, buffer)?;
        Ok(guest.write(size.get(), &(length as u32))?)
    }

    /// Writes it with its zero.
    fn write(self, guest: &Guest, buffer: GuestWord) -> Result<(), Fault> {
        match self {
            Self::Wide(mut text) => {
                text.push(0);
                guest.write_wide(buffer.get(), &text)
            }
            Self::Narrow(mut text) => {
                text.push(0);
                guest.write_bytes(buffer.get(), &text)
            }
        }
    }
}

/// The optional outputs of an enumeration of keys.
struct Extra {
    class: GuestWord,
    class_size: GuestWord,
    time: GuestWord,
}

impl Extra {
    fn put(&self, guest: &Guest, width: Width) -> Result<(), Win32Error> {
        if !self.class.is_null() && !self.class_size.is_null() {
            Text::new(Vec::new(), width).put(guest, self.class, self.class_size)?;
        } else if !self.class_size.is_null() {
            guest.write(self.class_size.get(), &0u32)?;
        }
        if !self.time.is_null() {
            guest.write(self.time.get(), &0u64)?;
        }
        Ok(())
    }
}

/// Writes a number where the caller wants it.
fn put_number(guest: &Guest, address: GuestWord, number: u32) -> Result<(), Win32Error> {
    if !address.is_null() {
        guest.write(address.get(), &number)?;
    }
    Ok(())
}

fn enum_key(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    index: u32,
    name: (GuestWord, GuestWord),
    extra: &Extra,
) -> Result<(), Win32Error> {
    if name.0.is_null() || name.1.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Text::new(key(guest, hKey)?.key_name(index)?, width).put(guest, name.0, name.1)?;
    extra.put(guest, width)
}

fn enum_key_of_old(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    index: u32,
    name: GuestWord,
    room: u32,
) -> Result<(), Win32Error> {
    let text = key(guest, hKey)?.key_name(index)?;
    if text.len() >= room as usize {
        return Err(Win32Error::MORE_DATA);
    }
    Ok(Text::new(text, width).write(guest, name)?)
}

fn enum_value(
    guest: &Guest,
    width: Width,
    hKey: GuestWord,
    index: u32,
    name: (GuestWord, GuestWord),
    target: Target,
) -> Result<(), Win32Error> {
    let sizeless = !target.data.is_null() && target.size.is_null();
    if name.0.is_null() || name.1.is_null() || sizeless {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (text, value) = key(guest, hKey)?.value_at(index)?;
    Text::new(text, width).put(guest, name.0, name.1)?;
    put(guest, value.kind, &data_for(value, width), target)
}

both_widths! {
    /// Returns the name of a key below a key.
    "winreg/nf-winreg-regenumkeyex"
    RegEnumKeyExA, RegEnumKeyExW(
        guest, width, hKey: GuestWord, dwIndex: u32, lpName: GuestWord, lpcchName: GuestWord, lpReserved: GuestWord,
        lpClass: GuestWord, lpcchClass: GuestWord, lpftLastWriteTime: GuestWord
    ) -> LStatus {
        if !lpReserved.is_null() {
            return LStatus(Err(Win32Error::INVALID_PARAMETER));
        }
        let extra = Extra { class: lpClass, class_size: lpcchClass, time: lpftLastWriteTime };
        LStatus(enum_key(guest, width, hKey, dwIndex, (lpName, lpcchName), &extra))
    }

    /// Returns the name of a key below a key, in the form of 16-bit Windows.
    "winreg/nf-winreg-regenumkey"
    RegEnumKeyA, RegEnumKeyW(
        guest, width, hKey: GuestWord, dwIndex: u32, lpName: GuestWord, cchName: u32
    ) -> LStatus {
        LStatus(enum_key_of_old(guest, width, hKey, dwIndex, lpName, cchName))
    }

    /// Returns name and content of a value of a key.
    "winreg/nf-winreg-regenumvalue"
    RegEnumValueA, RegEnumValueW(
        guest, width, hKey: GuestWord, dwIndex: u32, lpValueName: GuestWord, lpcchValueName: GuestWord,
        lpReserved: GuestWord, lpType: GuestWord, lpData: GuestWord, lpcbData: GuestWord
    ) -> LStatus {
        if !lpReserved.is_null() {
            return LStatus(Err(Win32Error::INVALID_PARAMETER));
        }
        let target = Target { kind: lpType, data: lpData, size: lpcbData };
        LStatus(enum_value(guest, width, hKey, dwIndex, (lpValueName, lpcchValueName), target))
    }

    /// Returns how many keys and values a key holds, and how long their names and data are.
    "winreg/nf-winreg-regqueryinfokey"
    RegQueryInfoKeyA, RegQueryInfoKeyW(
        guest, width, hKey: GuestWord, lpClass: GuestWord, lpcchClass: GuestWord, lpReserved: GuestWord,
        lpcSubKeys: GuestWord, lpcbMaxSubKeyLen: GuestWord, lpcbMaxClassLen: GuestWord, lpcValues: GuestWord,
        lpcbMaxValueNameLen: GuestWord, lpcbMaxValueLen: GuestWord, lpcbSecurityDescriptor: GuestWord,
        lpftLastWriteTime: GuestWord
    ) -> LStatus {
        if !lpReserved.is_null() {
            return LStatus(Err(Win32Error::INVALID_PARAMETER));
        }
        let extra = Extra { class: lpClass, class_size: lpcchClass, time: lpftLastWriteTime };
        let info = key(guest, hKey).and_then(|key| key.info());
        LStatus(info.and_then(|info| {
            put_number(guest, lpcSubKeys, info.keys)?;
            put_number(guest, lpcbMaxSubKeyLen, info.key_name_max)?;
            put_number(guest, lpcbMaxClassLen, 0)?;
            put_number(guest, lpcValues, info.values)?;
            put_number(guest, lpcbMaxValueNameLen, info.value_name_max)?;
            put_number(guest, lpcbMaxValueLen, info.data_max)?;
            put_number(guest, lpcbSecurityDescriptor, 0)?;
            extra.put(guest, width)
        }))
    }
}
