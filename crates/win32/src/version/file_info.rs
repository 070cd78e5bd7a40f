//! winver.h: reading the version resource of a file.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::query::SIGNATURE;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::kernel32::libloaderapi::search_module;
use crate::logic::version_info;
use crate::nt::data_file::FileImage;
use crate::nt::nls;
use crate::nt::resource::{self, ResourceName};
use crate::nt::sysinfo;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetFileVersionInfoSizeA, "16-bit files have no version";
    partial GetFileVersionInfoSizeW, "16-bit files have no version";
    partial GetFileVersionInfoSizeExA, "16-bit files have no version; language files beside the module are not looked for";
    partial GetFileVersionInfoSizeExW, "16-bit files have no version; language files beside the module are not looked for";
    partial GetFileVersionInfoA, "16-bit files have no version";
    partial GetFileVersionInfoW, "16-bit files have no version";
    partial GetFileVersionInfoExA, "16-bit files have no version; language files beside the module are not looked for";
    partial GetFileVersionInfoExW, "16-bit files have no version; language files beside the module are not looked for";
};

/// `RT_VERSION`.
const RT_VERSION: u16 = 16;
/// `VS_VERSION_INFO`, the number of the version resource.
const VERSION_INFO: u16 = 1;

/// Returns the version resource of the module at `base` in some memory.
fn resource_of<M: Memory>(memory: &M, base: u64) -> Result<Vec<u8>, Win32Error> {
    let (kind, name) = (ResourceName::Id(RT_VERSION), ResourceName::Id(VERSION_INFO));
    let found = resource::find(memory, base, &kind, &name, 0)?;
    let bytes = memory.read_vec(found.address, u64::from(found.size));
    let bytes = bytes.map_err(|_: Fault| Win32Error::RESOURCE_DATA_NOT_FOUND)?;
    version_info::length(&bytes).map(|_| bytes).ok_or(Win32Error::RESOURCE_DATA_NOT_FOUND)
}

/// Returns the version resource of a file, or of a builtin DLL where there is no such file.
///
/// # Errors
/// - `FILE_NOT_FOUND`, `PATH_NOT_FOUND`
/// - `RESOURCE_DATA_NOT_FOUND` and its like when the file has none
fn version_of(guest: &mut Guest, name: &[u16]) -> Result<Vec<u8>, Win32Error> {
    if name.is_empty() {
        return Err(Win32Error::BAD_PATHNAME);
    }
    let process = guest.process();
    match search_module(guest, name) {
        Ok(path) => {
            let image = FileImage::open(process, &path)?;
            if !image.is_pe() {
                return Err(Win32Error::RESOURCE_DATA_NOT_FOUND);
            }
            resource_of(&image, FileImage::BASE)
        }
        Err(missing) => {
            let is_separator = |unit: &u16| [b'\\', b'/'].map(u16::from).contains(unit);
            let last = name.rsplit(is_separator).next().unwrap_or(name);
            match crate::builtin(&String::from_utf16_lossy(last)) {
                Some(dll) => {
                    let (major, minor, build) = sysinfo::VERSION;
                    let version = [major as u16, minor as u16, build as u16, 1];
                    Ok(version_info::of_system(dll.name, dll.description, version))
                }
                // A name with a folder says which part of it is missing.
                None if last.len() < name.len() => Err(process.files.locate(name).err().unwrap_or(missing)),
                None => Err(missing),
            }
        }
    }
}

/// Returns how large a block is: the resource, a mark, and room for its texts as ANSI.
fn block_size(version: &[u8]) -> Result<u32, Win32Error> {
    let size = 2 * version.len() + SIGNATURE.len();
    u32::try_from(size).map_err(|_| Win32Error::RESOURCE_DATA_NOT_FOUND)
}

fn size(guest: &mut Guest, name: &[u16], handle: GuestWord) -> Result<u32, Win32Error> {
    if !handle.is_null() {
        guest.write(handle.0, &0u32)?;
    }
    let version = version_of(guest, name)?;
    block_size(&version)
}

fn fill(guest: &mut Guest, name: &[u16], length: u32, data: GuestWord) -> Result<Bool, Win32Error> {
    if data.is_null() {
        return Err(Win32Error::INVALID_DATA);
    }
    let mut block = version_of(guest, name)?;
    block.extend_from_slice(SIGNATURE);
    block.truncate(length as usize);
    guest.write_bytes(data.0, &block)?;
    Ok(TRUE)
}

fn wide_name(guest: &Guest, name: GuestWord) -> Result<Vec<u16>, Win32Error> {
    if name.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(guest.read_wide_string(name.0)?)
}

fn ansi_name(guest: &Guest, name: GuestWord) -> Result<Vec<u16>, Win32Error> {
    if name.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(nls::read_ansi(guest, name.0)?)
}

/// Writes the functions of one kind of text, plain and Ex: the Ex ones take flags on files in other languages beside
/// the module, of which there are none.
macro_rules! version_functions {
    ($size:ident $size_ex:ident $size_name:ident, $info:ident $info_ex:ident, $read:ident;
     $size_url:literal $size_ex_url:literal $info_url:literal $info_ex_url:literal) => {
        /// Returns how many bytes a file's version needs.
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/winver/nf-winver-", $size_url, ">")]
        #[winapi]
        pub fn $size(guest: &mut Guest, $size_name: GuestWord, lpdwHandle: GuestWord) -> Result<u32, Win32Error> {
            let name = $read(guest, $size_name)?;
            size(guest, &name, lpdwHandle)
        }

        /// Returns how many bytes a file's version needs.
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/winver/nf-winver-", $size_ex_url, ">")]
        #[winapi]
        pub fn $size_ex(
            guest: &mut Guest,
            dwFlags: u32,
            lpwstrFilename: GuestWord,
            lpdwHandle: GuestWord,
        ) -> Result<u32, Win32Error> {
            let _ = dwFlags;
            let name = $read(guest, lpwstrFilename)?;
            size(guest, &name, lpdwHandle)
        }

        /// Copies a file's version, cut to the length given.
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/winver/nf-winver-", $info_url, ">")]
        #[winapi]
        pub fn $info(
            guest: &mut Guest,
            $size_name: GuestWord,
            dwHandle: u32,
            dwLen: u32,
            lpData: GuestWord,
        ) -> Result<Bool, Win32Error> {
            let _ = dwHandle;
            let name = $read(guest, $size_name)?;
            fill(guest, &name, dwLen, lpData)
        }

        /// Copies a file's version, cut to the length given.
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/winver/nf-winver-", $info_ex_url, ">")]
        #[winapi]
        pub fn $info_ex(
            guest: &mut Guest,
            dwFlags: u32,
            lpwstrFilename: GuestWord,
            dwHandle: u32,
            dwLen: u32,
            lpData: GuestWord,
        ) -> Result<Bool, Win32Error> {
            let _ = (dwFlags, dwHandle);
            let name = $read(guest, lpwstrFilename)?;
            fill(guest, &name, dwLen, lpData)
        }
    };
}

version_functions! {
    GetFileVersionInfoSizeA GetFileVersionInfoSizeExA lptstrFilename, GetFileVersionInfoA GetFileVersionInfoExA, ansi_name;
    "getfileversioninfosizea" "getfileversioninfosizeexa" "getfileversioninfoa" "getfileversioninfoexa"
}
version_functions! {
    GetFileVersionInfoSizeW GetFileVersionInfoSizeExW lptstrFilename, GetFileVersionInfoW GetFileVersionInfoExW, wide_name;
    "getfileversioninfosizew" "getfileversioninfosizeexw" "getfileversioninfow" "getfileversioninfoexw"
}
