//! pathcch.h: paths, taken apart and put together in buffers whose sizes are given. Programs name kernelbase.dll or
//! api-ms-win-core-path for them.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::kernel32::heapapi::LocalAlloc;
use crate::logic::path_cch as rules;
use crate::logic::path_cch::{CchError, Flags};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full PathAllocCanonicalize;
    full PathAllocCombine;
    full PathCchAddBackslash;
    full PathCchAddBackslashEx;
    full PathCchAddExtension;
    full PathCchAppend;
    full PathCchAppendEx;
    full PathCchCanonicalize;
    full PathCchCanonicalizeEx;
    full PathCchCombine;
    full PathCchCombineEx;
    full PathCchFindExtension;
    full PathCchIsRoot;
    full PathCchRemoveBackslash;
    full PathCchRemoveBackslashEx;
    full PathCchRemoveExtension;
    full PathCchRemoveFileSpec;
    full PathCchRenameExtension;
    full PathCchSkipRoot;
    full PathCchStripPrefix;
    full PathCchStripToRoot;
    full PathIsUNCEx;
};

const S_OK: u32 = 0;
const S_FALSE: u32 = 1;
/// `PATHCCH_MAX_CCH`.
const LONGEST: u64 = 0x8000;
/// `MAX_PATH`.
const MAX_PATH: usize = 260;

fn code(error: CchError) -> u32 {
    match error {
        CchError::Invalid => Win32Error::INVALID_PARAMETER,
        CchError::NoRoom => Win32Error::INSUFFICIENT_BUFFER,
        CchError::TooLong => Win32Error::FILENAME_EXCED_RANGE,
    }
    .to_hresult()
}

fn done(result: Result<u32, CchError>) -> u32 {
    result.unwrap_or_else(code)
}

/// Reads a path; a null pointer or a bad one is an invalid argument.
fn path_at(guest: &Guest, address: GuestWord) -> Result<Vec<u16>, CchError> {
    if address.is_null() {
        return Err(CchError::Invalid);
    }
    guest.read_wide_string(address.get()).map_err(|_| CchError::Invalid)
}

/// Reads the path in a buffer of `size` units.
fn path_in(guest: &Guest, address: GuestWord, size: GuestWord) -> Result<Vec<u16>, CchError> {
    if size.get() == 0 || size.get() > LONGEST {
        return Err(CchError::Invalid);
    }
    let path = path_at(guest, address)?;
    if path.len() as u64 >= size.get() { Err(CchError::Invalid) } else { Ok(path) }
}

/// Writes a path to a buffer of `size` units.
fn put(guest: &Guest, address: GuestWord, size: u64, path: &[u16]) -> Result<u32, CchError> {
    if path.len() as u64 >= size {
        return Err(CchError::NoRoom);
    }
    let whole: Vec<u16> = path.iter().copied().chain([0]).collect();
    guest.write_wide(address.get(), &whole).map_err(|_| CchError::Invalid)?;
    Ok(S_OK)
}

/// Writes a path that was made new; on failure the buffer holds an empty one.
fn put_new(
    guest: &Guest,
    (address, size): (GuestWord, GuestWord),
    flags: Flags,
    made: Result<Vec<u16>, CchError>,
) -> u32 {
    if address.is_null() || size.get() == 0 || size.get() > LONGEST {
        return code(CchError::Invalid);
    }
    let written = made.and_then(|path| {
        if path.len() >= MAX_PATH && !flags.contains(Flags::ALLOW_LONG_PATHS) {
            return Err(if size.get() as usize > MAX_PATH { CchError::TooLong } else { CchError::NoRoom });
        }
        put(guest, address, size.get(), &path)
    });
    if written.is_err() {
        // The outcome is the error that was; a buffer that cannot be written has it, too.
        let _ = guest.write_wide(address.get(), &[0]);
    }
    done(written)
}

/// Stores a pointer to a path in memory of its own, or null.
fn put_allocated(guest: &mut Guest, place: GuestWord, flags: Flags, made: Result<Vec<u16>, CchError>) -> u32 {
    let allocated = made.and_then(|path| {
        if path.len() >= MAX_PATH && !flags.contains(Flags::ALLOW_LONG_PATHS) {
            return Err(CchError::TooLong);
        }
        let size = (path.len() as u64 + 1) * 2;
        let memory = LocalAlloc(guest, 0, GuestWord(size)).map_err(|_| CchError::NoRoom)?;
        put(guest, memory, size, &path)?;
        Ok(memory.get())
    });
    let stored = guest.write_word(place.get(), allocated.unwrap_or(0));
    done(allocated.and_then(|_| stored.map(|()| S_OK).map_err(|_| CchError::Invalid)))
}

/// Changes the path in a buffer, which does not grow beyond it.
fn change(
    guest: &Guest,
    (address, size): (GuestWord, GuestWord),
    rule: impl FnOnce(&mut Vec<u16>) -> Result<bool, CchError>,
) -> u32 {
    done(path_in(guest, address, size).and_then(|mut path| {
        let is_changed = rule(&mut path)?;
        if is_changed { put(guest, address, size.get(), &path) } else { Ok(S_FALSE) }
    }))
}

/// Removes `.` and `..` from a path, into a buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchcanonicalizeex>
#[winapi]
pub fn PathCchCanonicalizeEx(
    guest: &mut Guest,
    pszPathOut: GuestWord,
    cchPathOut: GuestWord,
    pszPathIn: GuestWord,
    dwFlags: u32,
) -> u32 {
    let flags = Flags::from_bits_retain(dwFlags);
    let made = path_at(guest, pszPathIn).and_then(|path| rules::canonical(&path, flags));
    put_new(guest, (pszPathOut, cchPathOut), flags, made)
}

/// Removes `.` and `..` from a path of at most 259 characters, into a buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchcanonicalize>
#[winapi]
pub fn PathCchCanonicalize(
    guest: &mut Guest,
    pszPathOut: GuestWord,
    cchPathOut: GuestWord,
    pszPathIn: GuestWord,
) -> u32 {
    PathCchCanonicalizeEx(guest, pszPathOut, cchPathOut, pszPathIn, 0)
}

/// Removes `.` and `..` from a path, into memory that `LocalFree` frees.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathalloccanonicalize>
#[winapi]
pub fn PathAllocCanonicalize(
    guest: &mut Guest,
    pszPathIn: GuestWord,
    dwFlags: u32,
    ppszPathOut: GuestWord,
) -> u32 {
    let flags = Flags::from_bits_retain(dwFlags);
    let made = path_at(guest, pszPathIn).and_then(|path| rules::canonical(&path, flags));
    put_allocated(guest, ppszPathOut, flags, made)
}

/// Joins two paths, either of which may be null.
fn combined(guest: &Guest, first: GuestWord, second: GuestWord, flags: Flags) -> Result<Vec<u16>, CchError> {
    if first.is_null() && second.is_null() {
        return Err(CchError::Invalid);
    }
    let read = |address: GuestWord| if address.is_null() { Ok(Vec::new()) } else { path_at(guest, address) };
    rules::combine(&read(first)?, &read(second)?, flags)
}

/// Joins two paths into a buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchcombineex>
#[winapi]
pub fn PathCchCombineEx(
    guest: &mut Guest,
    pszPathOut: GuestWord,
    cchPathOut: GuestWord,
    pszPathIn: GuestWord,
    pszMore: GuestWord,
    dwFlags: u32,
) -> u32 {
    let flags = Flags::from_bits_retain(dwFlags);
    let made = combined(guest, pszPathIn, pszMore, flags);
    put_new(guest, (pszPathOut, cchPathOut), flags, made)
}

/// Joins two paths into a buffer, to at most 259 characters.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchcombine>
#[winapi]
pub fn PathCchCombine(
    guest: &mut Guest,
    pszPathOut: GuestWord,
    cchPathOut: GuestWord,
    pszPathIn: GuestWord,
    pszMore: GuestWord,
) -> u32 {
    PathCchCombineEx(guest, pszPathOut, cchPathOut, pszPathIn, pszMore, 0)
}

/// Joins two paths into memory that `LocalFree` frees.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathalloccombine>
#[winapi]
pub fn PathAllocCombine(
    guest: &mut Guest,
    pszPathIn: GuestWord,
    pszMore: GuestWord,
    dwFlags: u32,
    ppszPathOut: GuestWord,
) -> u32 {
    let flags = Flags::from_bits_retain(dwFlags);
    let made = combined(guest, pszPathIn, pszMore, flags);
    put_allocated(guest, ppszPathOut, flags, made)
}

/// Adds a path to the one in the buffer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchappendex>
#[winapi]
pub fn PathCchAppendEx(
    guest: &mut Guest,
    pszPath: GuestWord,
    cchPath: GuestWord,
    pszMore: GuestWord,
    dwFlags: u32,
) -> u32 {
    if pszPath.is_null() || cchPath.get() == 0 || cchPath.get() > LONGEST {
        return code(CchError::Invalid);
    }
    let flags = Flags::from_bits_retain(dwFlags);
    let made = path_at(guest, pszPath).and_then(|path| {
        let more = path_at(guest, pszMore)?;
        rules::append(&path, &more, flags)
    });
    put_new(guest, (pszPath, cchPath), flags, made)
}

/// Adds a path to the one in the buffer, to at most 259 characters.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchappend>
#[winapi]
pub fn PathCchAppend(guest: &mut Guest, pszPath: GuestWord, cchPath: GuestWord, pszMore: GuestWord) -> u32 {
    PathCchAppendEx(guest, pszPath, cchPath, pszMore, 0)
}

/// Stores a pointer to the path's unit `index` where `place` is, and how many units the buffer has from there.
fn point(guest: &Guest, path: GuestWord, index: usize, place: GuestWord, rest: Option<(GuestWord, u64)>) {
    // A bad pointer is the caller's: the path itself is right.
    if !place.is_null() {
        let _ = guest.write_word(place.get(), path.get() + index as u64 * 2);
    }
    if let Some((place, size)) = rest
        && !place.is_null()
    {
        let _ = guest.write_word(place.get(), size - index as u64);
    }
}

/// Adds a backslash where there is none; returns whether it did, and where the path ends.
fn add_backslash(path: &mut Vec<u16>) -> (bool, usize) {
    let is_changed = path.last().is_some_and(|&unit| unit != rules::BACKSLASH);
    if is_changed {
        path.push(rules::BACKSLASH);
    }
    (is_changed, path.len())
}

/// Removes the backslash at the end, but that of a root; returns whether it did, and where the path ends.
fn remove_backslash(path: &mut Vec<u16>) -> (bool, usize) {
    let is_changed = rules::remove_backslash(path);
    // Of a root that keeps its backslash, that is where the path is said to end.
    let is_kept = !is_changed && path.last() == Some(&rules::BACKSLASH);
    (is_changed, path.len() - usize::from(is_kept))
}

alike! {
    fn(guest, change_end: fn(&mut Vec<u16>) -> (bool, usize);
        pszPath: GuestWord, cchPath: GuestWord, ppszEnd: GuestWord, pcchRemaining: GuestWord
    ) -> u32 {
        let mut end = None;
        let result = change(guest, (pszPath, cchPath), |path| {
            let (is_changed, new_end) = change_end(path);
            end = Some(new_end);
            Ok(is_changed)
        });
        if let (S_OK | S_FALSE, Some(end)) = (result, end) {
            point(guest, pszPath, end, ppszEnd, Some((pcchRemaining, cchPath.get())));
        }
        result
    }

    /// Adds a backslash where there is none, and says where the path ends.
    "pathcch/nf-pathcch-pathcchaddbackslashex" PathCchAddBackslashEx = add_backslash;

    /// Removes the backslash at the end, but that of a root, and says where the path ends.
    "pathcch/nf-pathcch-pathcchremovebackslashex" PathCchRemoveBackslashEx = remove_backslash;
}

/// Adds a backslash where there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchaddbackslash>
#[winapi]
pub fn PathCchAddBackslash(guest: &mut Guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
    PathCchAddBackslashEx(guest, pszPath, cchPath, GuestWord(0), GuestWord(0))
}

/// Removes the backslash at the end, but that of a root.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchremovebackslash>
#[winapi]
pub fn PathCchRemoveBackslash(guest: &mut Guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
    PathCchRemoveBackslashEx(guest, pszPath, cchPath, GuestWord(0), GuestWord(0))
}

/// Removes the last part of a path, and the backslash before it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchremovefilespec>
#[winapi]
pub fn PathCchRemoveFileSpec(guest: &mut Guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
    change(guest, (pszPath, cchPath), |path| Ok(rules::remove_file_name(path)))
}

/// Removes all but the root of a path.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchstriptoroot>
#[winapi]
pub fn PathCchStripToRoot(guest: &mut Guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
    change(guest, (pszPath, cchPath), |path| {
        let root = rules::root(path).ok_or(CchError::Invalid)?;
        let is_changed = root != path.len();
        path.truncate(root);
        Ok(is_changed)
    })
}

/// Removes `\\?\` before a drive and `\\?\UNC` before a share.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchstripprefix>
#[winapi]
pub fn PathCchStripPrefix(guest: &mut Guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
    change(guest, (pszPath, cchPath), |path| Ok(rules::strip_prefix(path)))
}

/// Stores where the extension of a path begins: at its end, if it has none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchfindextension>
#[winapi]
pub fn PathCchFindExtension(
    guest: &mut Guest,
    pszPath: GuestWord,
    cchPath: GuestWord,
    ppszExt: GuestWord,
) -> u32 {
    match path_in(guest, pszPath, cchPath) {
        Ok(path) => {
            point(guest, pszPath, rules::extension(&path), ppszExt, None);
            S_OK
        }
        Err(error) => code(error),
    }
}

/// Reads an extension, and gives it its dot.
fn extension_at(guest: &Guest, address: GuestWord) -> Result<Vec<u16>, CchError> {
    rules::checked_extension(&path_at(guest, address)?)
}

alike! {
    fn(guest, replaces: bool; pszPath: GuestWord, cchPath: GuestWord, pszExt: GuestWord) -> u32 {
        change(guest, (pszPath, cchPath), |path| {
            let extension = extension_at(guest, pszExt)?;
            let start = rules::extension(path);
            let is_changed = replaces || start == path.len();
            if is_changed {
                path.truncate(start);
                path.extend(extension);
            }
            Ok(is_changed)
        })
    }

    /// Adds an extension to a path that has none.
    "pathcch/nf-pathcch-pathcchaddextension" PathCchAddExtension = false;

    /// Gives a path another extension, or its first.
    "pathcch/nf-pathcch-pathcchrenameextension" PathCchRenameExtension = true;
}

/// Removes a path's extension.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchremoveextension>
#[winapi]
pub fn PathCchRemoveExtension(guest: &mut Guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
    change(guest, (pszPath, cchPath), |path| {
        let start = rules::extension(path);
        let is_changed = start != path.len();
        path.truncate(start);
        Ok(is_changed)
    })
}

/// Stores where the part of a path after its root begins.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchskiproot>
#[winapi]
pub fn PathCchSkipRoot(guest: &mut Guest, pszPath: GuestWord, ppszRootEnd: GuestWord) -> u32 {
    if ppszRootEnd.is_null() {
        return code(CchError::Invalid);
    }
    match path_at(guest, pszPath).and_then(|path| rules::skip_root(&path).ok_or(CchError::Invalid)) {
        Ok(index) => {
            point(guest, pszPath, index, ppszRootEnd, None);
            S_OK
        }
        Err(error) => code(error),
    }
}

/// Says whether a path is a root.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchisroot>
#[winapi]
pub fn PathCchIsRoot(guest: &mut Guest, pszPath: GuestWord) -> Bool {
    Bool(path_at(guest, pszPath).is_ok_and(|path| rules::is_root(&path)))
}

/// Says whether a path is one of a share, and stores where the server's name begins.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathisuncex>
#[winapi]
pub fn PathIsUNCEx(guest: &mut Guest, pszPath: GuestWord, ppszServer: GuestWord) -> Bool {
    let server = path_at(guest, pszPath).ok().and_then(|path| rules::server(&path));
    match server {
        Some(index) => point(guest, pszPath, index, ppszServer, None),
        None if !ppszServer.is_null() => {
            // The answer is no, whatever becomes of the pointer.
            let _ = guest.write_word(ppszServer.get(), 0);
        }
        None => {}
    }
    Bool(server.is_some())
}
