//! shlobj_core.h: lists of item identifiers. The first item of a list is a path's root, each other one a name in it; a list
//! without a root is relative.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::folders;
use crate::com::ComError;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};
use crate::logic::shell_path;
use crate::ole32::allocator::CoGetMalloc;
use crate::ole32::task_memory::{CoTaskMemAlloc, CoTaskMemFree};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full SHGetSpecialFolderLocation; full SHGetFolderLocation;
    partial SHGetPathFromIDListA, "lists that these functions made"; partial SHGetPathFromIDListW, "lists that these functions made";
    full ILFree; full ILGetSize; full SHGetMalloc;
};

const S_OK: u32 = 0;
/// `E_INVALIDARG`.
const INVALID_ARGUMENT: u32 = 0x8007_0057;
/// `E_OUTOFMEMORY`.
const OUT_OF_MEMORY: u32 = 0x8007_000e;
/// What an item begins with behind its size: a mark, so that other lists are not taken for paths.
const MARK: [u8; 4] = *b"plat";
/// The longest list that is read, in bytes.
const LONGEST: u64 = 0x1_0000;

/// Returns where the root of a path ends: behind `C:\`, or behind `\\server\share\`.
fn root_end(path: &[u16]) -> usize {
    shell_path::skip_root(path).unwrap_or(0)
}

/// Writes a path as the bytes of a list.
pub(super) fn bytes_of(path: &[u16]) -> Vec<u8> {
    let (root, rest) = path.split_at(root_end(path));
    let names = rest.split(|&unit| unit == u16::from(b'\\')).filter(|name| !name.is_empty());
    let parts = [root].into_iter().filter(|root| !root.is_empty()).chain(names);
    let mut list = Vec::new();
    for part in parts {
        list.extend(((2 + MARK.len() + 2 * part.len()) as u16).to_le_bytes());
        list.extend(MARK);
        list.extend(part.iter().flat_map(|unit| unit.to_le_bytes()));
    }
    list.extend([0; 2]);
    list
}

/// Puts the bytes of a list into task memory; null where memory is short.
pub(super) fn put(guest: &mut Guest, list: &[u8]) -> Result<GuestWord, Fault> {
    let block = CoTaskMemAlloc(guest, GuestWord(list.len() as u64));
    if !block.is_null() {
        guest.write_bytes(block.get(), list)?;
    }
    Ok(block)
}

/// Makes a list in task memory; null where memory is short.
pub(super) fn make(guest: &mut Guest, path: &[u16]) -> Result<GuestWord, Fault> {
    put(guest, &bytes_of(path))
}

/// Reads the items of a list, each with its size in front.
pub(super) fn items(guest: &Guest, list: GuestWord) -> Result<Vec<Vec<u8>>, Fault> {
    let (mut items, mut at) = (Vec::new(), 0);
    while !list.is_null() && at < LONGEST {
        let size: u16 = guest.read(list.get() + at)?;
        if size < 2 {
            break;
        }
        items.push(guest.read_vec(list.get() + at, size.into())?);
        at += u64::from(size);
    }
    Ok(items)
}

/// Returns the path that items stand for.
pub(super) fn path_in(items: &[Vec<u8>]) -> Option<Vec<u16>> {
    let mut path: Vec<u16> = Vec::new();
    for item in items {
        let name = item.get(2..)?.strip_prefix(&MARK)?;
        if path.last().is_some_and(|&last| last != u16::from(b'\\')) {
            path.push(b'\\'.into());
        }
        path.extend(name.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])));
    }
    Some(path).filter(|path| !path.is_empty())
}

/// Returns the path that a list stands for.
pub(super) fn path_of(guest: &Guest, list: GuestWord) -> Result<Option<Vec<u16>>, Fault> {
    Ok(path_in(&items(guest, list)?))
}

/// Stores the list of a folder.
fn give(guest: &mut Guest, csidl: i32, place: GuestWord) -> Result<u32, Fault> {
    guest.write_word(place.get(), 0)?;
    let Some(path) = folders::by_number(guest, csidl) else { return Ok(INVALID_ARGUMENT) };
    let list = make(guest, &path)?;
    guest.write_word(place.get(), list.get())?;
    Ok(if list.is_null() { OUT_OF_MEMORY } else { S_OK })
}

/// Stores the list of a folder by its number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shgetspecialfolderlocation>
#[winapi]
pub fn SHGetSpecialFolderLocation(
    guest: &mut Guest,
    hwnd: GuestWord,
    csidl: i32,
    ppidl: GuestWord,
) -> Result<u32, Fault> {
    let _ = hwnd;
    give(guest, csidl, ppidl)
}

/// Stores the list of a folder by its number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shgetfolderlocation>
#[winapi]
pub fn SHGetFolderLocation(
    guest: &mut Guest,
    hwnd: GuestWord,
    csidl: i32,
    hToken: GuestWord,
    dwFlags: u32,
    ppidl: GuestWord,
) -> Result<u32, Fault> {
    let _ = (hwnd, hToken, dwFlags);
    give(guest, csidl, ppidl)
}

both_widths! {
    /// Stores the path of a list, in a buffer for 260 units.
    "shlobj_core/nf-shlobj_core-shgetpathfromidlist"
    SHGetPathFromIDListA, SHGetPathFromIDListW(guest, width, pidl: GuestWord, pszPath: GuestWord) -> Result<Bool, Fault> {
        let Some(path) = path_of(guest, pidl)? else { return Ok(FALSE) };
        let fits = width.bytes(&path).len() <= 260 * width.unit_bytes();
        width.write(guest, pszPath, if fits { &path } else { &[] })?;
        Ok(Bool(fits))
    }
}

/// Stores the allocator of task memory, with which lists are freed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shgetmalloc>
#[winapi]
pub fn SHGetMalloc(guest: &mut Guest, ppMalloc: GuestWord) -> Result<(), ComError> {
    // The allocator's methods are ole32's, which a program that only asks here may not have loaded.
    let name: Vec<u16> = "ole32.dll".encode_utf16().collect();
    let loaded = guest.process().loader().load(guest, &name, 0);
    loaded.map_err(|_| ComError::Result(OUT_OF_MEMORY))?;
    CoGetMalloc(guest, 1, ppMalloc)
}

/// Frees a list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilfree>
#[winapi]
pub fn ILFree(guest: &mut Guest, pidl: GuestWord) {
    CoTaskMemFree(guest, pidl);
}

/// Returns the size of a list with its end, in bytes; 0 for null.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilgetsize>
#[winapi]
pub fn ILGetSize(guest: &mut Guest, pidl: GuestWord) -> Result<u32, Fault> {
    if pidl.is_null() {
        return Ok(0);
    }
    let mut size = 0;
    loop {
        let item: u16 = guest.read(pidl.get() + u64::from(size))?;
        if item == 0 {
            return Ok(size + 2);
        }
        size += u32::from(item);
    }
}
