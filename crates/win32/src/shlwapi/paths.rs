//! shlwapi.h: paths, taken apart and put together in place.

use plat_abi::{Fault, GuestWord};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::logic::shell_path as rules;
use crate::logic::wildcard;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full PathIsRelativeA;
    full PathIsRelativeW;
    full PathIsRootA;
    full PathIsRootW;
    full PathIsUNCA;
    full PathIsUNCW;
    full PathIsFileSpecA;
    full PathIsFileSpecW;
    full PathIsURLA;
    full PathIsURLW;
    full PathFileExistsA;
    full PathFileExistsW;
    full PathIsDirectoryA;
    full PathIsDirectoryW;
    full PathFindFileNameA;
    full PathFindFileNameW;
    full PathFindExtensionA;
    full PathFindExtensionW;
    full PathSkipRootA;
    full PathSkipRootW;
    full PathFindNextComponentA;
    full PathFindNextComponentW;
    full PathGetArgsA;
    full PathGetArgsW;
    full PathGetDriveNumberA;
    full PathGetDriveNumberW;
    full PathRemoveFileSpecA;
    full PathRemoveFileSpecW;
    full PathRemoveBackslashA;
    full PathRemoveBackslashW;
    full PathAddBackslashA;
    full PathAddBackslashW;
    full PathRemoveExtensionA;
    full PathRemoveExtensionW;
    full PathStripPathA;
    full PathStripPathW;
    full PathStripToRootA;
    full PathStripToRootW;
    full PathQuoteSpacesA;
    full PathQuoteSpacesW;
    full PathUnquoteSpacesA;
    full PathUnquoteSpacesW;
    full PathRemoveBlanksA;
    full PathRemoveBlanksW;
    full PathRenameExtensionA;
    full PathRenameExtensionW;
    full PathAddExtensionA;
    full PathAddExtensionW;
    full PathAppendA;
    full PathAppendW;
    full PathCombineA;
    full PathCombineW;
    full PathCanonicalizeA;
    full PathCanonicalizeW;
    full PathMatchSpecA;
    full PathMatchSpecW;
    full PathCommonPrefixA;
    full PathCommonPrefixW;
    full PathIsPrefixA;
    full PathIsPrefixW;
    full PathIsSameRootA;
    full PathIsSameRootW;
};

/// Returns the address of a unit of a string.
fn unit(width: Width, string: GuestWord, index: usize) -> GuestWord {
    GuestWord(string.get() + (index * width.unit_bytes()) as u64)
}

/// Reads a path, and answers a question about it; a null path is none.
fn ask(guest: &Guest, width: Width, path: GuestWord, test: impl Fn(&[u16]) -> bool) -> Result<Bool, Fault> {
    if path.is_null() {
        return Ok(FALSE);
    }
    Ok(Bool(test(&width.read(guest, path)?)))
}

/// Reads a path, and returns the address of a place in it.
fn point(
    guest: &Guest,
    width: Width,
    path: GuestWord,
    find: impl Fn(&[u16]) -> Option<usize>,
) -> Result<GuestWord, Fault> {
    if path.is_null() {
        return Ok(GuestWord::NULL);
    }
    let at = find(&width.read(guest, path)?);
    Ok(at.map_or(GuestWord::NULL, |at| unit(width, path, at)))
}

/// Reads a path, and writes what becomes of it to the same place; says whether anything did.
fn change(
    guest: &Guest,
    width: Width,
    path: GuestWord,
    change: impl Fn(Vec<u16>) -> Option<Vec<u16>>,
) -> Result<Bool, Fault> {
    if path.is_null() {
        return Ok(FALSE);
    }
    match change(width.read(guest, path)?) {
        Some(made) => {
            width.write(guest, path, &made)?;
            Ok(TRUE)
        }
        None => Ok(FALSE),
    }
}

/// Returns the attributes of what a path names on the disk.
fn is_directory(guest: &Guest, width: Width, path: GuestWord) -> Result<Option<bool>, Fault> {
    if path.is_null() {
        return Ok(None);
    }
    let path = width.read(guest, path)?;
    let found = guest.process().files.locate(&path).ok();
    let status = found.and_then(|found| plat_host::file_path::Status::of_path(&found, true).ok());
    Ok(status.map(|status| status.kind == plat_host::file_path::Kind::Directory))
}

both_widths! {
    /// Says whether a path is relative.
    "shlwapi/nf-shlwapi-pathisrelative"
    PathIsRelativeA, PathIsRelativeW(guest, width, pszPath: GuestWord) -> Result<Bool, Fault> {
        if pszPath.is_null() {
            return Ok(TRUE);
        }
        ask(guest, width, pszPath, rules::is_relative)
    }

    /// Says whether a path is a root.
    "shlwapi/nf-shlwapi-pathisroot"
    PathIsRootA, PathIsRootW(guest, width, pszPath: GuestWord) -> Result<Bool, Fault> {
        ask(guest, width, pszPath, rules::is_root)
    }

    /// Says whether a path names a share.
    "shlwapi/nf-shlwapi-pathisunc"
    PathIsUNCA, PathIsUNCW(guest, width, pszPath: GuestWord) -> Result<Bool, Fault> {
        ask(guest, width, pszPath, rules::is_unc)
    }

    /// Says whether a path is a name without a folder.
    "shlwapi/nf-shlwapi-pathisfilespec"
    PathIsFileSpecA, PathIsFileSpecW(guest, width, pszPath: GuestWord) -> Result<Bool, Fault> {
        ask(guest, width, pszPath, rules::is_file_name)
    }

    /// Says whether a text begins with a scheme, as `http:` does.
    "shlwapi/nf-shlwapi-pathisurl"
    PathIsURLA, PathIsURLW(guest, width, pszPath: GuestWord) -> Result<Bool, Fault> {
        ask(guest, width, pszPath, |text| {
            let is_part = |unit: &u16| u8::try_from(*unit).is_ok_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
            let end = text.iter().position(|unit| !is_part(unit)).unwrap_or(text.len());
            end >= 2 && text.get(end) == Some(&u16::from(b':'))
        })
    }

    /// Says whether a path names something on the disk.
    "shlwapi/nf-shlwapi-pathfileexists"
    PathFileExistsA, PathFileExistsW(guest, width, pszPath: GuestWord) -> Result<Bool, Fault> {
        Ok(Bool(is_directory(guest, width, pszPath)?.is_some()))
    }

    /// Says whether a path names a directory on the disk; 16, its attribute, for yes.
    "shlwapi/nf-shlwapi-pathisdirectory"
    PathIsDirectoryA, PathIsDirectoryW(guest, width, pszPath: GuestWord) -> Result<i32, Fault> {
        Ok(if is_directory(guest, width, pszPath)? == Some(true) { 16 } else { 0 })
    }

    /// Returns the last name of a path.
    "shlwapi/nf-shlwapi-pathfindfilename"
    PathFindFileNameA, PathFindFileNameW(guest, width, pszPath: GuestWord) -> Result<GuestWord, Fault> {
        point(guest, width, pszPath, |path| Some(rules::file_name(path)))
    }

    /// Returns the extension of a path.
    "shlwapi/nf-shlwapi-pathfindextension"
    PathFindExtensionA, PathFindExtensionW(guest, width, pszPath: GuestWord) -> Result<GuestWord, Fault> {
        point(guest, width, pszPath, |path| Some(rules::extension(path)))
    }

    /// Returns what stands behind the root of a path.
    "shlwapi/nf-shlwapi-pathskiproot"
    PathSkipRootA, PathSkipRootW(guest, width, pszPath: GuestWord) -> Result<GuestWord, Fault> {
        point(guest, width, pszPath, rules::skip_root)
    }

    /// Returns what stands behind the first name of a path.
    "shlwapi/nf-shlwapi-pathfindnextcomponent"
    PathFindNextComponentA, PathFindNextComponentW(guest, width, pszPath: GuestWord) -> Result<GuestWord, Fault> {
        point(guest, width, pszPath, rules::next_part)
    }

    /// Returns the arguments behind a program.
    "shlwapi/nf-shlwapi-pathgetargs"
    PathGetArgsA, PathGetArgsW(guest, width, pszPath: GuestWord) -> Result<GuestWord, Fault> {
        point(guest, width, pszPath, |line| Some(rules::arguments(line)))
    }

    /// Returns the number of a path's drive, -1 where it has none.
    "shlwapi/nf-shlwapi-pathgetdrivenumber"
    PathGetDriveNumberA, PathGetDriveNumberW(guest, width, pszPath: GuestWord) -> Result<i32, Fault> {
        Ok(rules::drive_number(&width.read(guest, pszPath)?).map_or(-1, i32::from))
    }

    /// Removes the last name of a path.
    "shlwapi/nf-shlwapi-pathremovefilespec"
    PathRemoveFileSpecA, PathRemoveFileSpecW(guest, width, pszPath: GuestWord) -> Result<Bool, Fault> {
        change(guest, width, pszPath, |mut path| rules::remove_file_name(&mut path).then_some(path))
    }

    /// Removes the backslash at the end of a path, not that of a root; returns the end, or the backslash that stays.
    "shlwapi/nf-shlwapi-pathremovebackslash"
    PathRemoveBackslashA, PathRemoveBackslashW(guest, width, pszPath: GuestWord) -> Result<GuestWord, Fault> {
        if pszPath.is_null() {
            return Ok(GuestWord::NULL);
        }
        let mut path = width.read(guest, pszPath)?;
        let ends = path.last() == Some(&u16::from(b'\\'));
        if ends && rules::is_root(&path) {
            return Ok(unit(width, pszPath, path.len() - 1));
        }
        if ends {
            path.pop();
            width.write(guest, pszPath, &path)?;
        }
        Ok(unit(width, pszPath, path.len()))
    }

    /// Adds a backslash to a path without one; returns the end, or null when there is no room.
    "shlwapi/nf-shlwapi-pathaddbackslash"
    PathAddBackslashA, PathAddBackslashW(guest, width, pszPath: GuestWord) -> Result<GuestWord, Fault> {
        if pszPath.is_null() {
            return Ok(GuestWord::NULL);
        }
        let mut path = width.read(guest, pszPath)?;
        if path.last().is_some_and(|&unit| unit != u16::from(b'\\')) {
            if path.len() + 2 > rules::PATH_UNITS {
                return Ok(GuestWord::NULL);
            }
            path.push(b'\\'.into());
            width.write(guest, pszPath, &path)?;
        }
        Ok(unit(width, pszPath, path.len()))
    }

    /// Removes the extension of a path.
    "shlwapi/nf-shlwapi-pathremoveextension"
    PathRemoveExtensionA, PathRemoveExtensionW(guest, width, pszPath: GuestWord) -> Result<(), Fault> {
        change(guest, width, pszPath, |path| Some(path[..rules::extension(&path)].to_vec())).map(drop)
    }

    /// Leaves only the last name of a path.
    "shlwapi/nf-shlwapi-pathstrippath"
    PathStripPathA, PathStripPathW(guest, width, pszPath: GuestWord) -> Result<(), Fault> {
        change(guest, width, pszPath, |path| Some(path[rules::file_name(&path)..].to_vec())).map(drop)
    }

    /// Leaves only the root of a path.
    "shlwapi/nf-shlwapi-pathstriptoroot"
    PathStripToRootA, PathStripToRootW(guest, width, pszPath: GuestWord) -> Result<Bool, Fault> {
        let mut path = width.read(guest, pszPath)?;
        let has_root = rules::strip_to_root(&mut path);
        width.write(guest, pszPath, &path)?;
        Ok(Bool(has_root))
    }

    /// Puts quotes around a path with blanks.
    "shlwapi/nf-shlwapi-pathquotespaces"
    PathQuoteSpacesA, PathQuoteSpacesW(guest, width, lpsz: GuestWord) -> Result<Bool, Fault> {
        change(guest, width, lpsz, |path| rules::quoted(&path))
    }

    /// Takes the quotes around a path away.
    "shlwapi/nf-shlwapi-pathunquotespaces"
    PathUnquoteSpacesA, PathUnquoteSpacesW(guest, width, lpsz: GuestWord) -> Result<Bool, Fault> {
        change(guest, width, lpsz, |path| rules::unquoted(&path).map(<[u16]>::to_vec))
    }

    /// Takes blanks at both ends of a path away.
    "shlwapi/nf-shlwapi-pathremoveblanks"
    PathRemoveBlanksA, PathRemoveBlanksW(guest, width, pszPath: GuestWord) -> Result<(), Fault> {
        let blank = u16::from(b' ');
        change(guest, width, pszPath, |path| {
            let start = path.iter().position(|&unit| unit != blank).unwrap_or(path.len());
            let end = path.iter().rposition(|&unit| unit != blank).map_or(start, |at| at + 1);
            Some(path[start..end].to_vec())
        })
        .map(drop)
    }

    /// Replaces the extension of a path.
    "shlwapi/nf-shlwapi-pathrenameextension"
    PathRenameExtensionA, PathRenameExtensionW(guest, width, pszPath: GuestWord, pszExt: GuestWord) -> Result<Bool, Fault> {
        let new = width.read(guest, pszExt)?;
        change(guest, width, pszPath, |path| rules::with_extension(&path, &new))
    }

    /// Adds an extension to a path without one; `.exe` where none is given.
    "shlwapi/nf-shlwapi-pathaddextension"
    PathAddExtensionA, PathAddExtensionW(guest, width, pszPath: GuestWord, pszExt: GuestWord) -> Result<Bool, Fault> {
        let new = if pszExt.is_null() { ".exe".encode_utf16().collect() } else { width.read(guest, pszExt)? };
        change(guest, width, pszPath, |path| {
            let has_none = rules::extension(&path) == path.len();
            has_none.then(|| rules::with_extension(&path, &new)).flatten()
        })
    }

    /// Puts a path behind another, in its place.
    "shlwapi/nf-shlwapi-pathappend"
    PathAppendA, PathAppendW(guest, width, pszPath: GuestWord, pszMore: GuestWord) -> Result<Bool, Fault> {
        let mut more = width.read(guest, pszMore)?;
        // What is added counts as relative unless it names a share.
        if !rules::is_unc(&more) {
            let start = more.iter().position(|&unit| unit != u16::from(b'\\')).unwrap_or(more.len());
            more.drain(..start);
        }
        change(guest, width, pszPath, |path| rules::combine(&path, &more))
    }

    /// Puts a path behind another; null when it becomes too long.
    "shlwapi/nf-shlwapi-pathcombine"
    PathCombineA, PathCombineW(guest, width, pszDest: GuestWord, pszDir: GuestWord, pszFile: GuestWord) -> Result<GuestWord, Fault> {
        if pszDest.is_null() {
            return Ok(GuestWord::NULL);
        }
        let (directory, file) = (width.read(guest, pszDir)?, width.read(guest, pszFile)?);
        let made = if pszDir.is_null() && pszFile.is_null() { None } else { rules::combine(&directory, &file) };
        width.write(guest, pszDest, made.as_deref().unwrap_or(&[]))?;
        Ok(if made.is_some() { pszDest } else { GuestWord::NULL })
    }

    /// Resolves the dots in a path.
    "shlwapi/nf-shlwapi-pathcanonicalize"
    PathCanonicalizeA, PathCanonicalizeW(guest, width, pszBuf: GuestWord, pszPath: GuestWord) -> Result<Bool, Fault> {
        if pszBuf.is_null() || pszPath.is_null() {
            return Ok(FALSE);
        }
        let path = rules::canonical(&width.read(guest, pszPath)?);
        let fits = path.len() < rules::PATH_UNITS;
        width.write(guest, pszBuf, if fits { &path } else { &[] })?;
        Ok(Bool(fits))
    }

    /// Says whether a name fits one of some patterns with `;` between them.
    "shlwapi/nf-shlwapi-pathmatchspec"
    PathMatchSpecA, PathMatchSpecW(guest, width, pszFile: GuestWord, pszSpec: GuestWord) -> Result<Bool, Fault> {
        let lower = |text: &[u16]| -> Vec<u16> { String::from_utf16_lossy(text).to_lowercase().encode_utf16().collect() };
        let (name, patterns) = (lower(&width.read(guest, pszFile)?), lower(&width.read(guest, pszSpec)?));
        let mut patterns = patterns.split(|&unit| unit == u16::from(b';'));
        Ok(Bool(patterns.any(|pattern| {
            let start = pattern.iter().position(|&unit| unit != u16::from(b' ')).unwrap_or(0);
            wildcard::matches_dos_pattern(&pattern[start..], &name)
        })))
    }

    /// Returns how much two paths have in common, and copies it.
    "shlwapi/nf-shlwapi-pathcommonprefix"
    PathCommonPrefixA, PathCommonPrefixW(guest, width, pszFile1: GuestWord, pszFile2: GuestWord, achPath: GuestWord) -> Result<i32, Fault> {
        if pszFile1.is_null() || pszFile2.is_null() {
            return Ok(0);
        }
        let (left, right) = (width.read(guest, pszFile1)?, width.read(guest, pszFile2)?);
        let length = rules::common_prefix(&left, &right);
        if !achPath.is_null() {
            width.write(guest, achPath, &left[..length])?;
        }
        Ok(length as i32)
    }

    /// Says whether a path lies in a folder, or is it.
    "shlwapi/nf-shlwapi-pathisprefix"
    PathIsPrefixA, PathIsPrefixW(guest, width, pszPrefix: GuestWord, pszPath: GuestWord) -> Result<Bool, Fault> {
        if pszPrefix.is_null() || pszPath.is_null() {
            return Ok(Bool(false));
        }
        let (prefix, path) = (width.read(guest, pszPrefix)?, width.read(guest, pszPath)?);
        Ok(Bool(rules::common_prefix(&prefix, &path) == prefix.len()))
    }

    /// Says whether two paths have the same root.
    "shlwapi/nf-shlwapi-pathissameroot"
    PathIsSameRootA, PathIsSameRootW(guest, width, pszPath1: GuestWord, pszPath2: GuestWord) -> Result<Bool, Fault> {
        let (left, right) = (width.read(guest, pszPath1)?, width.read(guest, pszPath2)?);
        let root = rules::skip_root(&left);
        Ok(Bool(root.is_some_and(|root| rules::common_prefix(&left, &right) + 1 >= root)))
    }
}
