//! shellapi.h: lists of dropped files, and what the desktop has that nobody sees: stock pictures, the recycle bin, recent documents.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::com::{ComError, fail, result};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};
use crate::kernel32::heapapi;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full DragQueryFileA; full DragQueryFileW; full DragQueryPoint; full DragFinish;
    partial ExtractIconExA, "no pictures: none"; partial ExtractIconExW, "no pictures: none";
    partial SHDefExtractIconA, "no pictures: none"; partial SHDefExtractIconW, "no pictures: none";
    partial SHGetStockIconInfo, "places only, no pictures";
    partial SHQueryRecycleBinA, "no recycle bin: empty"; partial SHQueryRecycleBinW, "no recycle bin: empty";
    partial SHEmptyRecycleBinA, "no recycle bin: empty"; partial SHEmptyRecycleBinW, "no recycle bin: empty";
    partial SHAddToRecentDocs, "nothing is kept";
    partial SHAppBarMessage, "no screen: fails";
    partial Shell_NotifyIconGetRect, "no screen: fails";
};

/// `E_FAIL`.
const FAILED: u32 = 0x8000_4005;
/// `E_UNEXPECTED`, the answer where the recycle bin is empty.
const UNEXPECTED: u32 = 0x8000_ffff;

answers! {
    "Draws pictures of a file: none.", "shlobj_core/nf-shlobj_core-shdefextracticon";
    SHDefExtractIconA, SHDefExtractIconW(
        pszIconFile: GuestWord, iIndex: i32, uFlags: u32, phiconLarge: GuestWord, phiconSmall: GuestWord, nIconSize: u32
    ) -> u32 = 1;
    "Returns how many pictures were made of a file: none.", "shellapi/nf-shellapi-extracticonex";
    ExtractIconExA, ExtractIconExW(
        lpszFile: GuestWord, nIconIndex: i32, phiconLarge: GuestWord, phiconSmall: GuestWord, nIcons: u32
    ) -> u32 = 0;
    "Empties the recycle bin, which is empty.", "shellapi/nf-shellapi-shemptyrecyclebin";
    SHEmptyRecycleBinA, SHEmptyRecycleBinW(hwnd: GuestWord, pszRootPath: GuestWord, dwFlags: u32) -> u32 = UNEXPECTED;
    "Notes a document that was used: nothing is kept.", "shlobj_core/nf-shlobj_core-shaddtorecentdocs";
    SHAddToRecentDocs(uFlags: u32, pv: GuestWord) -> () = ();
    "Talks to the bar of tasks: there is none.", "shellapi/nf-shellapi-shappbarmessage";
    SHAppBarMessage(dwMessage: u32, pData: GuestWord) -> GuestWord = GuestWord::NULL;
    "Returns where a picture beside the clock is: nowhere.", "shellapi/nf-shellapi-shell_notifyicongetrect";
    Shell_NotifyIconGetRect(identifier: GuestWord, iconLocation: GuestWord) -> u32 = FAILED;
}

/// `DROPFILES`, in front of names that end with zeros; an empty name ends the list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/ns-shlobj_core-dropfiles>
#[derive(GuestStruct, Default)]
struct DropFiles {
    pFiles: u32,
    pt: [i32; 2],
    fNC: u32,
    fWide: u32,
}

/// Runs `on` with the structure's address and contents.
fn with_list<T>(
    guest: &mut Guest,
    list: GuestWord,
    on: impl FnOnce(&Guest, u64, &DropFiles) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let address = heapapi::GlobalLock(guest, list);
    if address.is_null() {
        return Ok(None);
    }
    let read = guest.read::<DropFiles>(address.get());
    let answer = read.and_then(|files| on(guest, address.get(), &files));
    let _ = heapapi::GlobalUnlock(guest, list);
    answer.map(Some)
}

/// Reads the names.
fn names(guest: &Guest, address: u64, files: &DropFiles) -> Result<Vec<Vec<u16>>, Fault> {
    let width = if files.fWide != 0 { Width::Wide } else { Width::Narrow };
    let mut at = address + u64::from(files.pFiles);
    let mut names = Vec::new();
    loop {
        let units = width.length(guest, GuestWord(at))?;
        if units == 0 {
            return Ok(names);
        }
        names.push(width.read(guest, GuestWord(at))?);
        at += (units + 1) * width.unit_bytes() as u64;
    }
}

both_widths! {
    /// Returns how many files were dropped, how long a name is, or copies it.
    "shellapi/nf-shellapi-dragqueryfile"
    DragQueryFileA, DragQueryFileW(
        guest, width, hDrop: GuestWord, iFile: u32, lpszFile: GuestWord, cch: u32
    ) -> Result<u32, Fault> {
        let names = with_list(guest, hDrop, names)?.unwrap_or_default();
        if iFile == u32::MAX {
            return Ok(names.len() as u32);
        }
        let Some(name) = names.get(iFile as usize) else { return Ok(0) };
        let whole = width.bytes(name);
        if lpszFile.is_null() {
            return Ok((whole.len() / width.unit_bytes()) as u32 - 1);
        }
        let cut = width.cut(name, cch as usize);
        guest.write_bytes(lpszFile.get(), &cut)?;
        Ok(((cut.len() / width.unit_bytes()) as u32).saturating_sub(1))
    }

    /// Says how much is in the recycle bin: nothing.
    "shellapi/nf-shellapi-shqueryrecyclebin"
    SHQueryRecycleBinA, SHQueryRecycleBinW(
        guest, width, pszRootPath: GuestWord, pSHQueryRBInfo: GuestWord
    ) -> Result<(), ComError> {
        let _ = (width, pszRootPath);
        let address = pSHQueryRBInfo.get();
        // The structure is packed in 32 bits.
        let front = if guest.machine().is_64() { 8 } else { 4 };
        if address == 0 || u64::from(guest.read_u32(address)?) < front + 16 {
            return fail(result::INVALID_ARGUMENT);
        }
        Ok(guest.write_bytes(address + front, &[0; 16])?)
    }
}

/// Stores where files were dropped; says whether that is inside the window.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-dragquerypoint>
#[winapi]
pub fn DragQueryPoint(guest: &mut Guest, hDrop: GuestWord, ppt: GuestWord) -> Result<Bool, Fault> {
    let found = with_list(guest, hDrop, |guest, _, files| {
        guest.write(ppt.get(), &files.pt)?;
        Ok(files.fNC == 0)
    })?;
    Ok(found.map_or(FALSE, Bool))
}

/// Frees a list of dropped files.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-dragfinish>
#[winapi]
pub fn DragFinish(guest: &mut Guest, hDrop: GuestWord) {
    if !hDrop.is_null() {
        heapapi::GlobalFree(guest, hDrop);
    }
}

/// Says where a picture of the system's is: in a file, which plat does not have.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-shgetstockiconinfo>
#[winapi]
pub fn SHGetStockIconInfo(
    guest: &mut Guest,
    siid: u32,
    uFlags: u32,
    psii: GuestWord,
) -> Result<(), ComError> {
    /// `SIID_MAX_ICONS`.
    const MOST: u32 = 181;
    /// `SHGSI_ICON`, `SHGSI_SYSICONINDEX`: a picture, an index in a list of pictures.
    const PICTURES: u32 = 0x4100;
    // cbSize, hIcon, iSysImageIndex, iIcon; then the path
    let front = 2 * guest.machine().pointer_size() + 8;
    if psii.is_null() || siid >= MOST || u64::from(guest.read_u32(psii.get())?) != front + 520 {
        return fail(result::INVALID_ARGUMENT);
    }
    if uFlags & PICTURES != 0 {
        return Err(Win32Error::RESOURCE_NAME_NOT_FOUND.into());
    }
    let path: Vec<u16> = "C:\\Windows\\System32\\imageres.dll".encode_utf16().collect();
    let text = Width::Wide.cut(&path, 260);
    guest.write_bytes(psii.get() + front, &text)?;
    // hIcon, iSysImageIndex, iIcon
    guest.write_word(psii.get() + guest.machine().pointer_size(), 0)?;
    Ok(guest.write(psii.get() + front - 8, &[0u32, siid])?)
}
