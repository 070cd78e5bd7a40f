//! shellapi.h: what the shell shows of a file, without its pictures.

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::shell_path as rules;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial SHGetFileInfoA, "names and types only: no icons, no attributes";
    partial SHGetFileInfoW, "names and types only: no icons, no attributes";
};

/// `SHGFI_USEFILEATTRIBUTES`: the file need not be there.
const USE_ATTRIBUTES: u32 = 0x10;
/// `SHGFI_DISPLAYNAME`.
const DISPLAY_NAME: u32 = 0x200;
/// `SHGFI_TYPENAME`.
const TYPE_NAME: u32 = 0x400;
/// `FILE_ATTRIBUTE_DIRECTORY`.
const DIRECTORY: u32 = 0x10;
/// Units of the two texts in `SHFILEINFO`.
const TEXT_UNITS: [usize; 2] = [260, 80];

/// Returns what a file is called, and what kind of file it is, as Windows says it in English.
fn describe(path: &[u16], is_directory: bool) -> [Vec<u16>; 2] {
    let wide = |text: &str| -> Vec<u16> { text.encode_utf16().collect() };
    let name = &path[rules::file_name(path)..];
    let extension = String::from_utf16_lossy(&path[rules::extension(path)..]).to_uppercase();
    let kind = match extension.strip_prefix('.') {
        _ if is_directory => "File folder".to_owned(),
        Some(extension) if !extension.is_empty() => format!("{extension} File"),
        _ => "File".to_owned(),
    };
    [name.to_vec(), wide(&kind)]
}

/// Says whether a path names a folder; nothing where there is no such file.
fn is_directory(guest: &Guest, path: &[u16]) -> Option<bool> {
    let unix = guest.process().files.locate(path).ok()?;
    let status = plat_host::file_path::Status::of_path(&unix, true).ok()?;
    Some(status.kind == plat_host::file_path::Kind::Directory)
}

both_widths! {
    /// Stores a file's name and kind; returns whether that was done.
    "shellapi/nf-shellapi-shgetfileinfo"
    SHGetFileInfoA, SHGetFileInfoW(
        guest, width, pszPath: GuestWord, dwFileAttributes: u32, psfi: GuestWord, cbFileInfo: u32, uFlags: u32
    ) -> Result<GuestWord, Fault> {
        let known = USE_ATTRIBUTES | DISPLAY_NAME | TYPE_NAME;
        if uFlags & !known != 0 || uFlags & (DISPLAY_NAME | TYPE_NAME) == 0 {
            return Ok(GuestWord::NULL);
        }
        let path = width.read(guest, pszPath)?;
        let kind = match uFlags & USE_ATTRIBUTES {
            0 => is_directory(guest, &path),
            _ => Some(dwFileAttributes & DIRECTORY != 0),
        };
        let Some(is_directory) = kind else { return Ok(GuestWord::NULL) };
        // The icon and its index, then the attributes, are in front of the texts.
        let mut at = psfi.get() + guest.machine().pointer_size() + 8;
        let end = psfi.get() + u64::from(cbFileInfo);
        for ((text, units), flag) in describe(&path, is_directory).iter().zip(TEXT_UNITS).zip([DISPLAY_NAME, TYPE_NAME]) {
            let size = (units * width.unit_bytes()) as u64;
            if at + size > end {
                return Ok(GuestWord::NULL);
            }
            if uFlags & flag != 0 {
                width.write(guest, GuestWord(at), &text[..text.len().min(units - 1)])?;
            }
            at += size;
        }
        Ok(GuestWord(1))
    }
}
