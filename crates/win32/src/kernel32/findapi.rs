//! fileapi.h: enumeration of files (FindFirstFile and its kin).

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::info::attribute_data;
use super::fileapi::path;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::logic::path::{Target, unix_name_to_wide};
use crate::logic::wildcard;
use crate::nt::file_find::{Enumeration, FindObject, Found};
use crate::nt::handle::HandleFlags;
use crate::nt::path::FileSystem;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full FindFirstFileW;
    full FindFirstFileA;
    full FindFirstFileExW;
    full FindFirstFileExA;
    full FindNextFileW;
    full FindNextFileA;
    full FindClose;
};

/// `WIN32_FIND_DATAA`, 320 bytes, or `WIN32_FIND_DATAW`, 592 bytes: what the 36 bytes of the attributes and two reserved
/// words are followed by is the name; there are no short names.
fn find_data(files: &FileSystem, width: Width, found: &Found) -> Vec<u8> {
    let mut bytes = attribute_data(&found.facts);
    bytes.extend([0; 8]);
    match width {
        Width::Narrow => bytes.extend(files.narrow(&found.name).iter().take(259)),
        Width::Wide => bytes.extend(found.name.iter().take(259).flat_map(|unit| unit.to_le_bytes())),
    }
    bytes.resize(if width.is_wide() { 592 } else { 320 }, 0);
    bytes
}

/// Separates the directory (with its last separator) from the pattern.
fn split(path: &[u16]) -> (&[u16], &[u16]) {
    let is_separator = |unit: &u16| [u16::from(b'\\'), u16::from(b'/'), u16::from(b':')].contains(unit);
    path.split_at(path.iter().rposition(is_separator).map_or(0, |at| at + 1))
}

/// Finds one file by its whole name.
fn find_one(files: &FileSystem, path: &[u16]) -> Result<(Enumeration, Found), Win32Error> {
    let found = files.find_existing(&files.resolve_file(path)?)?;
    let name = found.file_name().ok_or(Win32Error::FILE_NOT_FOUND)?;
    let facts = files.facts(&found)?;
    Ok((Enumeration::empty(), Found { name: unix_name_to_wide(name), facts }))
}

fn begin(files: &FileSystem, path: &[u16]) -> Result<(Enumeration, Found), Win32Error> {
    let (directory, pattern) = split(path);
    if pattern.is_empty() {
        let error = if path.is_empty() { Win32Error::PATH_NOT_FOUND } else { Win32Error::FILE_NOT_FOUND };
        return Err(error);
    }
    // A plain name needs no list of its directory. A last dot means names without one.
    if !wildcard::has_wildcards(pattern) && pattern.last() != Some(&u16::from(b'.'))
        || pattern == [u16::from(b'.')]
    {
        return find_one(files, path);
    }
    let is_forbidden = |unit: &u16| *unit < 0x20 || "|\"<>".bytes().any(|byte| u16::from(byte) == *unit);
    if pattern.iter().any(is_forbidden) {
        return Err(Win32Error::INVALID_NAME);
    }
    let here = [u16::from(b'.')];
    let directory = if directory.is_empty() { &here } else { directory };
    let Target::File { unix, full, .. } = files.resolve(directory)? else {
        return Err(Win32Error::PATH_NOT_FOUND);
    };
    let unix: PathBuf = files.find_existing(&unix).map_err(|_| Win32Error::PATH_NOT_FOUND)?;
    let mut rest = Enumeration::begin(&unix, pattern, full.len() <= 3)?;
    let first = rest.next_entry().ok_or(Win32Error::FILE_NOT_FOUND)?;
    Ok((rest, first))
}

fn find_first(
    guest: &Guest,
    path: &[u16],
    into: GuestWord,
    width: Width,
) -> Result<HandleOrInvalid, Win32Error> {
    let process = guest.process();
    let (rest, first) = begin(&process.files, path)?;
    guest.write_bytes(into.0, &find_data(&process.files, width, &first))?;
    let object = Arc::new(FindObject { rest: Mutex::new(rest) });
    Ok(HandleOrInvalid(process.handles.insert(object, 0, HandleFlags::empty())))
}

both_widths! {
    /// Begins to enumerate the files that match a path with wildcards.
    "fileapi/nf-fileapi-findfirstfile"
    FindFirstFileA, FindFirstFileW(
        guest, width, lpFileName: GuestWord, lpFindFileData: GuestWord
    ) -> Result<HandleOrInvalid, Win32Error> {
        find_first(guest, &path(guest, width, lpFileName)?, lpFindFileData, width)
    }
}

/// Levels are 0 and 1 (without short names, which there are none of); a search filter is not known.
fn check_search(level: u32, operation: u32, filter: GuestWord) -> Result<(), Win32Error> {
    let is_known = level <= 1 && operation <= 1 && filter.is_null();
    if is_known { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) }
}

both_widths! {
    /// Begins to enumerate the files that match a path with wildcards.
    "fileapi/nf-fileapi-findfirstfileex"
    FindFirstFileExA, FindFirstFileExW(
        guest, width, lpFileName: GuestWord, fInfoLevelId: u32, lpFindFileData: GuestWord, fSearchOp: u32,
        lpSearchFilter: GuestWord, dwAdditionalFlags: u32
    ) -> Result<HandleOrInvalid, Win32Error> {
        let _ = dwAdditionalFlags;
        check_search(fInfoLevelId, fSearchOp, lpSearchFilter)?;
        find_first(guest, &path(guest, width, lpFileName)?, lpFindFileData, width)
    }
}

fn find_next(guest: &Guest, handle: GuestWord) -> Result<Found, Win32Error> {
    let find = guest.process().handles.get::<FindObject>(handle.0)?;
    let next = crate::nt::path::lock(&find.rest).next_entry();
    next.ok_or(Win32Error::NO_MORE_FILES)
}

both_widths! {
    /// Stores the next file of an enumeration.
    "fileapi/nf-fileapi-findnextfile"
    FindNextFileA, FindNextFileW(
        guest, width, hFindFile: GuestWord, lpFindFileData: GuestWord
    ) -> Result<Bool, Win32Error> {
        let found = find_next(guest, hFindFile)?;
        guest.write_bytes(lpFindFileData.0, &find_data(&guest.process().files, width, &found))?;
        Ok(TRUE)
    }
}

/// Ends an enumeration.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-findclose>
#[winapi]
pub fn FindClose(guest: &mut Guest, hFindFile: GuestWord) -> Result<Bool, Win32Error> {
    guest.process().handles.get::<FindObject>(hFindFile.0)?;
    drop(guest.process().handles.close(hFindFile.0)?);
    Ok(TRUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_windows_sizes() {
        let found = Found { name: "a".encode_utf16().collect(), facts: Default::default() };
        let data = |width| find_data(&FileSystem::default(), width, &found);
        assert_eq!(data(Width::Wide).len(), 592);
        assert_eq!(data(Width::Narrow).len(), 320);
        assert_eq!(data(Width::Wide)[44..48], [b'a', 0, 0, 0]);
    }
}
