//! shlobj_core.h: what is done with lists of item identifiers: copies, parts, comparisons, lists of paths.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::id_list::{self, ILGetSize};
use crate::com::{ComError, fail, result};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full ILClone; full ILCloneFirst; full ILCombine; full ILAppendID; full ILGetNext; full ILFindLastID; full ILRemoveLastID;
    full ILIsEqual; full ILIsParent; full ILFindChild; full ILCreateFromPathA; full ILCreateFromPathW;
    partial SHParseDisplayName, "paths of files"; partial SHGetRealIDL, "copies";
    full SHGetNameFromIDList;
};

/// Returns items as the bytes of a list.
fn joined(items: &[Vec<u8>]) -> Vec<u8> {
    items.iter().flatten().copied().chain([0; 2]).collect()
}

/// Says whether two items are the same but for case.
fn same(one: &[u8], two: &[u8]) -> bool {
    let units = |item: &[u8]| -> Vec<u16> {
        item.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect()
    };
    let lower = |item: &[u8]| String::from_utf16_lossy(&units(item)).to_lowercase();
    one == two || one.len() == two.len() && lower(one) == lower(two)
}

/// Copies a list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilclone>
#[winapi]
pub fn ILClone(guest: &mut Guest, pidl: GuestWord) -> Result<GuestWord, Fault> {
    if pidl.is_null() {
        return Ok(GuestWord::NULL);
    }
    let items = id_list::items(guest, pidl)?;
    id_list::put(guest, &joined(&items))
}

/// Copies the first item of a list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilclonefirst>
#[winapi]
pub fn ILCloneFirst(guest: &mut Guest, pidl: GuestWord) -> Result<GuestWord, Fault> {
    if pidl.is_null() {
        return Ok(GuestWord::NULL);
    }
    let items = id_list::items(guest, pidl)?;
    id_list::put(guest, &joined(&items[..items.len().min(1)]))
}

/// Makes a list of two; null stands for none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilcombine>
#[winapi]
pub fn ILCombine(guest: &mut Guest, pidl1: GuestWord, pidl2: GuestWord) -> Result<GuestWord, Fault> {
    if pidl1.is_null() && pidl2.is_null() {
        return Ok(GuestWord::NULL);
    }
    let all = [id_list::items(guest, pidl1)?, id_list::items(guest, pidl2)?].concat();
    id_list::put(guest, &joined(&all))
}

/// Adds an item behind or before those of a list, which is freed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilappendid>
#[winapi]
pub fn ILAppendID(
    guest: &mut Guest,
    pidl: GuestWord,
    pmkid: GuestWord,
    fAppend: Bool,
) -> Result<GuestWord, Fault> {
    let size: u16 = guest.read(pmkid.get())?;
    let item = vec![guest.read_vec(pmkid.get(), size.into())?];
    let old = id_list::items(guest, pidl)?;
    let all = if fAppend.0 { [old, item].concat() } else { [item, old].concat() };
    let list = id_list::put(guest, &joined(&all))?;
    id_list::ILFree(guest, pidl);
    Ok(list)
}

/// Returns the list from its second item on; null at the end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilgetnext>
#[winapi]
pub fn ILGetNext(guest: &mut Guest, pidl: GuestWord) -> Result<GuestWord, Fault> {
    if pidl.is_null() {
        return Ok(GuestWord::NULL);
    }
    let size: u16 = guest.read(pidl.get())?;
    Ok(if size == 0 { GuestWord::NULL } else { GuestWord(pidl.get() + u64::from(size)) })
}

/// Returns where the last item of a list is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilfindlastid>
#[winapi]
pub fn ILFindLastID(guest: &mut Guest, pidl: GuestWord) -> Result<GuestWord, Fault> {
    let items = id_list::items(guest, pidl)?;
    let before: usize = items.iter().rev().skip(1).map(Vec::len).sum();
    Ok(if pidl.is_null() { pidl } else { GuestWord(pidl.get() + before as u64) })
}

/// Ends a list before its last item; says whether there was one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilremovelastid>
#[winapi]
pub fn ILRemoveLastID(guest: &mut Guest, pidl: GuestWord) -> Result<Bool, Fault> {
    if ILGetSize(guest, pidl)? <= 2 {
        return Ok(FALSE);
    }
    let last = ILFindLastID(guest, pidl)?;
    guest.write(last.get(), &0u16)?;
    Ok(Bool(true))
}

/// Says whether two lists stand for the same.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilisequal>
#[winapi]
pub fn ILIsEqual(guest: &mut Guest, pidl1: GuestWord, pidl2: GuestWord) -> Result<Bool, Fault> {
    if pidl1.is_null() || pidl2.is_null() {
        return Ok(Bool(pidl1 == pidl2));
    }
    let (one, two) = (id_list::items(guest, pidl1)?, id_list::items(guest, pidl2)?);
    Ok(Bool(one.len() == two.len() && one.iter().zip(&two).all(|(one, two)| same(one, two))))
}

/// How many items of a list are those of another above it, and all items of the list.
type Below = (usize, Vec<Vec<u8>>);

/// Looks whether a child lies below a parent; `None` where it does not.
fn below(guest: &Guest, parent: GuestWord, child: GuestWord) -> Result<Option<Below>, Fault> {
    if parent.is_null() || child.is_null() {
        return Ok(None);
    }
    let (parent, child) = (id_list::items(guest, parent)?, id_list::items(guest, child)?);
    let is_below = child.len() >= parent.len() && parent.iter().zip(&child).all(|(one, two)| same(one, two));
    Ok(is_below.then_some((parent.len(), child)))
}

/// Says whether one list lies in another, or right in it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilisparent>
#[winapi]
pub fn ILIsParent(
    guest: &mut Guest,
    pidl1: GuestWord,
    pidl2: GuestWord,
    fImmediate: Bool,
) -> Result<Bool, Fault> {
    let found = below(guest, pidl1, pidl2)?;
    Ok(Bool(found.is_some_and(|(depth, child)| !fImmediate.0 || child.len() == depth + 1)))
}

/// Returns the part of a list that is not its parent's; null where it has another parent.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-ilfindchild>
#[winapi]
pub fn ILFindChild(
    guest: &mut Guest,
    pidlParent: GuestWord,
    pidlChild: GuestWord,
) -> Result<GuestWord, Fault> {
    let found = below(guest, pidlParent, pidlChild)?;
    Ok(GuestWord(found.map_or(0, |(depth, child)| {
        pidlChild.get() + child[..depth].iter().map(Vec::len).sum::<usize>() as u64
    })))
}

/// Returns the full path of a file that is there.
///
/// # Errors
/// The file's error as an `HRESULT`.
pub(super) fn existing(guest: &Guest, path: &[u16]) -> Result<Vec<u16>, ComError> {
    if crate::logic::shell_path::is_relative(path) {
        // A name alone is one on the desktop, where nothing is.
        return Err(crate::Win32Error::FILE_NOT_FOUND.into());
    }
    let files = &guest.process().files;
    files.locate(path)?;
    Ok(files.full_path(path)?)
}

both_widths! {
    /// Makes a list of a path; null where there is no such file.
    "shlobj_core/nf-shlobj_core-ilcreatefrompath"
    ILCreateFromPathA, ILCreateFromPathW(guest, width, pszPath: GuestWord) -> Result<GuestWord, Fault> {
        let path = width.read(guest, pszPath)?;
        match existing(guest, &path) {
            Ok(path) => id_list::make(guest, &path),
            Err(_) => Ok(GuestWord::NULL),
        }
    }
}

/// Makes a list of a path, and says what the file is like.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shparsedisplayname>
#[winapi]
pub fn SHParseDisplayName(
    guest: &mut Guest,
    pszName: GuestWord,
    pbc: GuestWord,
    ppidl: GuestWord,
    sfgaoIn: u32,
    psfgaoOut: GuestWord,
) -> Result<(), ComError> {
    let _ = pbc;
    if ppidl.is_null() || pszName.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(ppidl.get(), 0)?;
    let path = existing(guest, &guest.read_wide_string(pszName.get())?)?;
    let list = id_list::make(guest, &path)?;
    if list.is_null() {
        return fail(result::OUT_OF_MEMORY);
    }
    guest.write_word(ppidl.get(), list.get())?;
    if !psfgaoOut.is_null() {
        let attributes = super::items::attributes(guest, &path)? & sfgaoIn;
        guest.write(psfgaoOut.get(), &attributes)?;
    }
    Ok(())
}

/// Makes a whole list of a simple one: a copy. `psf` is not asked.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shgetrealidl>
#[winapi]
pub fn SHGetRealIDL(
    guest: &mut Guest,
    psf: GuestWord,
    pidlSimple: GuestWord,
    ppidlReal: GuestWord,
) -> Result<(), ComError> {
    let _ = psf;
    let copy = ILClone(guest, pidlSimple)?;
    Ok(guest.write_word(ppidlReal.get(), copy.get())?)
}

/// Returns a name of what a list stands for, in memory for `CoTaskMemFree`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shobjidl_core/nf-shobjidl_core-shgetnamefromidlist>
#[winapi]
pub fn SHGetNameFromIDList(
    guest: &mut Guest,
    pidl: GuestWord,
    sigdnName: u32,
    ppszName: GuestWord,
) -> Result<(), ComError> {
    if ppszName.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(ppszName.get(), 0)?;
    let path = id_list::path_of(guest, pidl)?.ok_or(ComError::Result(result::INVALID_ARGUMENT))?;
    super::items::give_name(guest, &path, sigdnName, ppszName)
}
