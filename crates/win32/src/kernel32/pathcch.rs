//! pathcch.h: paths in buffers of a stated size.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::heapapi::LocalAlloc;
use crate::com::result::{INVALID_ARGUMENT, OUT_OF_MEMORY};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::shell_path as rules;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full PathAllocCanonicalize; full PathAllocCombine; full PathCchCanonicalize; full PathCchCanonicalizeEx;
    full PathCchCombine; full PathCchCombineEx; full PathCchAppend; full PathCchAppendEx; full PathCchAddBackslash;
    full PathCchRemoveBackslash; full PathCchAddExtension; full PathCchRenameExtension; full PathCchRemoveExtension;
    full PathCchRemoveFileSpec; full PathCchFindExtension; full PathCchIsRoot; full PathCchSkipRoot;
    full PathCchStripPrefix; full PathCchStripToRoot;
};

const S_OK: u32 = 0;
/// `S_FALSE`: there was nothing to do.
const NOTHING_DONE: u32 = 1;
/// `HRESULT_FROM_WIN32(ERROR_INSUFFICIENT_BUFFER)`.
const NO_ROOM: u32 = 0x8007_007a;
/// `HRESULT_FROM_WIN32(ERROR_FILENAME_EXCED_RANGE)`.
const TOO_LONG: u32 = 0x8007_00ce;
/// `PATHCCH_ALLOW_LONG_PATHS`.
const ALLOW_LONG: u32 = 1;
/// `PATHCCH_ENSURE_TRAILING_SLASH`.
const TRAILING_BACKSLASH: u32 = 0x20;
/// Units of a path that needs no prefix, its zero included.
const PATH_UNITS: usize = 260;
const BACKSLASH: u16 = b'\\' as u16;
const DOT: u16 = b'.' as u16;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Removes `\\?\` before a drive, and makes `\\?\UNC\` a share's `\\`.
fn without_prefix(path: &[u16]) -> Option<Vec<u16>> {
    let rest = path.strip_prefix(wide(r"\\?\").as_slice())?;
    if let Some(share) = rest.strip_prefix(wide(r"UNC\").as_slice()) {
        return Some([wide(r"\\").as_slice(), share].concat());
    }
    rules::drive_number(rest).map(|_| rest.to_vec())
}

/// Returns the shortest spelling of a path, by the flags.
fn canonical(path: &[u16], flags: u32) -> Result<Vec<u16>, u32> {
    let plain = without_prefix(path).unwrap_or_else(|| path.to_vec());
    let mut made = rules::canonical(&plain);
    if flags & TRAILING_BACKSLASH != 0 && made.last() != Some(&BACKSLASH) {
        made.push(BACKSLASH);
    }
    if made.len() < PATH_UNITS {
        return Ok(made);
    }
    if flags & ALLOW_LONG == 0 {
        return Err(TOO_LONG);
    }
    if rules::is_unc(&made) {
        made.drain(..2);
        return Ok([wide(r"\\?\UNC\"), made].concat());
    }
    Ok([wide(r"\\?\"), made].concat())
}

/// Puts one path behind another, by the flags.
fn combined(path: &[u16], more: &[u16], flags: u32) -> Result<Vec<u16>, u32> {
    let (path, more) = (without_prefix(path).unwrap_or_else(|| path.to_vec()), more);
    let joined = match more {
        [] => path,
        _ if path.is_empty()
            || !rules::is_relative(more) && more.first() != Some(&BACKSLASH)
            || rules::is_unc(more) =>
        {
            more.to_vec()
        }
        _ => {
            let mut base = path;
            let rest = match more.strip_prefix(&[BACKSLASH]) {
                Some(rest) => {
                    rules::strip_to_root(&mut base);
                    rest
                }
                None => more,
            };
            if base.last() != Some(&BACKSLASH) {
                base.push(BACKSLASH);
            }
            base.extend(rest);
            base
        }
    };
    canonical(&joined, flags)
}

/// Stores what became of a path, or says why it did not; a buffer that gets nothing is made empty.
fn put(guest: &Guest, buffer: GuestWord, size: GuestWord, made: Result<Vec<u16>, u32>) -> Result<u32, Fault> {
    if buffer.is_null() || size.0 == 0 {
        return Ok(INVALID_ARGUMENT);
    }
    let (text, code) = match made {
        Ok(made) if (made.len() as u64) < size.0 => (made, S_OK),
        Ok(_) => (Vec::new(), NO_ROOM),
        Err(code) => (Vec::new(), code),
    };
    guest.write_wide(buffer.get(), &[text.as_slice(), &[0]].concat())?;
    Ok(code)
}

/// Changes a path where it stands; `None` says that there is nothing to do. Without room it stays as it is.
fn edit(
    guest: &Guest,
    path: GuestWord,
    size: GuestWord,
    change: impl FnOnce(Vec<u16>) -> Option<Vec<u16>>,
) -> Result<u32, Fault> {
    if path.is_null() || size.0 == 0 {
        return Ok(INVALID_ARGUMENT);
    }
    let Some(made) = change(guest.read_wide_string(path.get())?) else { return Ok(NOTHING_DONE) };
    if made.len() as u64 >= size.0 {
        return Ok(NO_ROOM);
    }
    guest.write_wide(path.get(), &[made.as_slice(), &[0]].concat())?;
    Ok(S_OK)
}

/// Stores the address of a new string.
fn allocate(guest: &mut Guest, place: GuestWord, made: Result<Vec<u16>, u32>) -> Result<u32, Fault> {
    if place.is_null() {
        return Ok(INVALID_ARGUMENT);
    }
    guest.write_word(place.get(), 0)?;
    let made = match made {
        Ok(made) => [made.as_slice(), &[0]].concat(),
        Err(code) => return Ok(code),
    };
    let Ok(block) = LocalAlloc(guest, 0, GuestWord(made.len() as u64 * 2)) else { return Ok(OUT_OF_MEMORY) };
    guest.write_wide(block.get(), &made)?;
    guest.write_word(place.get(), block.get())?;
    Ok(S_OK)
}

/// Writes an extension with its dot; nothing where the text is none.
fn dotted(guest: &Guest, extension: GuestWord) -> Result<Option<Vec<u16>>, Fault> {
    let text = guest.read_wide_string(extension.get())?;
    let is_bad = |unit: &u16| [BACKSLASH, u16::from(b'/'), u16::from(b' ')].contains(unit);
    let rest = text.strip_prefix(&[DOT]).unwrap_or(&text);
    let is_extension = !rest.iter().any(|unit| is_bad(unit) || *unit == DOT);
    Ok(is_extension.then(|| if rest.is_empty() { Vec::new() } else { [&[DOT], rest].concat() }))
}

/// Defines functions: text, page, name, parameters, body.
macro_rules! functions {
    ($($doc:literal, $page:literal; $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-", $page, ">")]
        #[winapi]
        pub fn $name($guest: &mut Guest $(, $param: $type)*) -> Result<$result, Fault> $body
    )*};
}

functions! {
    "Stores the shortest spelling of a path in new memory.", "pathalloccanonicalize";
    PathAllocCanonicalize(guest, pszPathIn: GuestWord, dwFlags: u32, ppszPathOut: GuestWord) -> u32 {
        let made = canonical(&guest.read_wide_string(pszPathIn.get())?, dwFlags);
        allocate(guest, ppszPathOut, made)
    }
    "Stores one path behind another in new memory.", "pathalloccombine";
    PathAllocCombine(guest, pszPathIn: GuestWord, pszMore: GuestWord, dwFlags: u32, ppszPathOut: GuestWord) -> u32 {
        let (path, more) = (optional(guest, pszPathIn)?, optional(guest, pszMore)?);
        allocate(guest, ppszPathOut, combined(&path, &more, dwFlags))
    }
    "Stores the shortest spelling of a path.", "pathcchcanonicalize";
    PathCchCanonicalize(guest, pszPathOut: GuestWord, cchPathOut: GuestWord, pszPathIn: GuestWord) -> u32 {
        PathCchCanonicalizeEx(guest, pszPathOut, cchPathOut, pszPathIn, 0)
    }
    "Stores the shortest spelling of a path, by flags.", "pathcchcanonicalizeex";
    PathCchCanonicalizeEx(guest, pszPathOut: GuestWord, cchPathOut: GuestWord, pszPathIn: GuestWord, dwFlags: u32) -> u32 {
        let made = canonical(&guest.read_wide_string(pszPathIn.get())?, dwFlags);
        put(guest, pszPathOut, cchPathOut, made)
    }
    "Stores one path behind another.", "pathcchcombine";
    PathCchCombine(guest, pszPathOut: GuestWord, cchPathOut: GuestWord, pszPathIn: GuestWord, pszMore: GuestWord) -> u32 {
        PathCchCombineEx(guest, pszPathOut, cchPathOut, pszPathIn, pszMore, 0)
    }
    "Stores one path behind another, by flags.", "pathcchcombineex";
    PathCchCombineEx(
        guest, pszPathOut: GuestWord, cchPathOut: GuestWord, pszPathIn: GuestWord, pszMore: GuestWord, dwFlags: u32
    ) -> u32 {
        let (path, more) = (optional(guest, pszPathIn)?, optional(guest, pszMore)?);
        put(guest, pszPathOut, cchPathOut, combined(&path, &more, dwFlags))
    }
    "Puts a path behind the one in the buffer.", "pathcchappend";
    PathCchAppend(guest, pszPath: GuestWord, cchPath: GuestWord, pszMore: GuestWord) -> u32 {
        PathCchAppendEx(guest, pszPath, cchPath, pszMore, 0)
    }
    "Puts a path behind the one in the buffer, by flags.", "pathcchappendex";
    PathCchAppendEx(guest, pszPath: GuestWord, cchPath: GuestWord, pszMore: GuestWord, dwFlags: u32) -> u32 {
        let (path, more) = (optional(guest, pszPath)?, optional(guest, pszMore)?);
        // A root before the second path does not make it start anew, unless it names a drive or a share.
        let more = if rules::is_unc(&more) { &more } else { more.strip_prefix(&[BACKSLASH]).unwrap_or(&more) };
        put(guest, pszPath, cchPath, combined(&path, more, dwFlags))
    }
    "Has a path end with a backslash.", "pathcchaddbackslash";
    PathCchAddBackslash(guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
        edit(guest, pszPath, cchPath, |path| {
            (!path.is_empty() && path.last() != Some(&BACKSLASH)).then(|| [path.as_slice(), &[BACKSLASH]].concat())
        })
    }
    "Removes the backslash at the end, but a root's.", "pathcchremovebackslash";
    PathCchRemoveBackslash(guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
        edit(guest, pszPath, cchPath, |path| match path.as_slice() {
            [rest @ .., BACKSLASH] if !rules::is_root(&path) => Some(rest.to_vec()),
            _ => None,
        })
    }
    "Adds an extension to a path that has none.", "pathcchaddextension";
    PathCchAddExtension(guest, pszPath: GuestWord, cchPath: GuestWord, pszExt: GuestWord) -> u32 {
        let Some(extension) = dotted(guest, pszExt)? else { return Ok(INVALID_ARGUMENT) };
        edit(guest, pszPath, cchPath, |path| {
            (rules::extension(&path) == path.len()).then(|| [path.as_slice(), &extension].concat())
        })
    }
    "Replaces the extension of a path.", "pathcchrenameextension";
    PathCchRenameExtension(guest, pszPath: GuestWord, cchPath: GuestWord, pszExt: GuestWord) -> u32 {
        let Some(extension) = dotted(guest, pszExt)? else { return Ok(INVALID_ARGUMENT) };
        edit(guest, pszPath, cchPath, |path| Some([&path[..rules::extension(&path)], &extension].concat()))
    }
    "Removes the extension of a path.", "pathcchremoveextension";
    PathCchRemoveExtension(guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
        edit(guest, pszPath, cchPath, |mut path| {
            let at = rules::extension(&path);
            (at < path.len()).then(|| {
                path.truncate(at);
                path
            })
        })
    }
    "Removes the last name of a path.", "pathcchremovefilespec";
    PathCchRemoveFileSpec(guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
        edit(guest, pszPath, cchPath, |mut path| rules::remove_file_name(&mut path).then_some(path))
    }
    "Stores where the extension of a path begins.", "pathcchfindextension";
    PathCchFindExtension(guest, pszPath: GuestWord, cchPath: GuestWord, ppszExt: GuestWord) -> u32 {
        if pszPath.is_null() || cchPath.0 == 0 {
            return Ok(INVALID_ARGUMENT);
        }
        let at = rules::extension(&guest.read_wide_string(pszPath.get())?);
        guest.write_word(ppszExt.get(), pszPath.get() + at as u64 * 2).map(|()| S_OK)
    }
    "Says whether a path is a root.", "pathcchisroot";
    PathCchIsRoot(guest, pszPath: GuestWord) -> Bool {
        Ok(Bool(!pszPath.is_null() && rules::is_root(&guest.read_wide_string(pszPath.get())?)))
    }
    "Stores where a path goes on behind its root.", "pathcchskiproot";
    PathCchSkipRoot(guest, pszPath: GuestWord, ppszRootEnd: GuestWord) -> u32 {
        let Some(at) = rules::skip_root(&optional(guest, pszPath)?) else { return Ok(INVALID_ARGUMENT) };
        guest.write_word(ppszRootEnd.get(), pszPath.get() + at as u64 * 2).map(|()| S_OK)
    }
    "Removes the prefix of long paths.", "pathcchstripprefix";
    PathCchStripPrefix(guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
        edit(guest, pszPath, cchPath, |path| without_prefix(&path))
    }
    "Removes all behind the root of a path.", "pathcchstriptoroot";
    PathCchStripToRoot(guest, pszPath: GuestWord, cchPath: GuestWord) -> u32 {
        let path = optional(guest, pszPath)?;
        if rules::skip_root(&path).is_none() {
            return Ok(INVALID_ARGUMENT);
        }
        edit(guest, pszPath, cchPath, |mut path| (!rules::is_root(&path) && rules::strip_to_root(&mut path)).then_some(path))
    }
}

/// Reads a path; null is an empty one.
fn optional(guest: &Guest, path: GuestWord) -> Result<Vec<u16>, Fault> {
    if path.is_null() { Ok(Vec::new()) } else { guest.read_wide_string(path.get()) }
}
