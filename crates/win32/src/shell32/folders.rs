//! shlobj_core.h: the folders that Windows knows by number or by identifier.
//!
//! Source: <https://learn.microsoft.com/windows/win32/shell/csidl>, <https://learn.microsoft.com/windows/win32/shell/knownfolderid>

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::status::Win32Error;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full SHGetKnownFolderPath;
    full SHGetFolderPathA;
    full SHGetFolderPathW;
    full SHGetSpecialFolderPathA;
    full SHGetSpecialFolderPathW;
};

/// An `HRESULT`.
type HResult = i32;
const S_OK: HResult = 0;
/// `E_INVALIDARG`.
const INVALID_ARGUMENT: HResult = 0x8007_0057_u32 as i32;
/// `HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)`: what an identifier that is unknown gives.
const NOT_FOUND: HResult = 0x8007_0002_u32 as i32;
/// `E_OUTOFMEMORY`.
const OUT_OF_MEMORY: HResult = 0x8007_000e_u32 as i32;
/// `CSIDL_FLAG_MASK`: flags beside the number.
const CSIDL_FLAGS: i32 = 0xff00;
/// Units that the buffers of the older functions have: `MAX_PATH`.
const PATH_UNITS: usize = 260;

/// Where a folder lies: below what an environment variable names.
struct Folder {
    /// Its `CSIDL`, or -1.
    csidl: i32,
    /// The first word of its `KNOWNFOLDERID`, or 0.
    known: u32,
    variable: &'static str,
    below: &'static str,
}

const fn folder(csidl: i32, known: u32, variable: &'static str, below: &'static str) -> Folder {
    Folder { csidl, known, variable, below }
}

const FOLDERS: &[Folder] = &[
    folder(0x00, 0xb4bf_cc3a, "USERPROFILE", r"\Desktop"),
    folder(0x10, 0, "USERPROFILE", r"\Desktop"),
    folder(0x05, 0xfdd3_9ad0, "USERPROFILE", r"\Documents"),
    folder(0x06, 0x1777_f761, "USERPROFILE", r"\Favorites"),
    folder(0x0d, 0x4bd8_d571, "USERPROFILE", r"\Music"),
    folder(0x0e, 0x1898_3a6f, "USERPROFILE", r"\Videos"),
    folder(0x27, 0x33e2_8130, "USERPROFILE", r"\Pictures"),
    folder(-1, 0x374d_e290, "USERPROFILE", r"\Downloads"),
    folder(0x28, 0x5e6c_858f, "USERPROFILE", ""),
    folder(0x1a, 0x3eb6_85db, "APPDATA", ""),
    folder(0x1c, 0xf1b3_2785, "LOCALAPPDATA", ""),
    folder(-1, 0xa520_a1a4, "USERPROFILE", r"\AppData\LocalLow"),
    folder(0x23, 0x62ab_5d82, "ProgramData", ""),
    folder(0x24, 0xf38b_f404, "SystemRoot", ""),
    folder(0x25, 0x1ac1_4e77, "SystemRoot", r"\system32"),
    folder(0x29, 0xd652_31b0, "SystemRoot", r"\system32"),
    folder(0x14, 0xfd22_8cb7, "SystemRoot", r"\Fonts"),
    folder(0x26, 0x905e_63b6, "ProgramFiles", ""),
    folder(-1, 0x6d80_9377, "ProgramFiles", ""),
    folder(0x2a, 0x7c5a_40ef, "ProgramFiles", ""),
    folder(0x2b, 0xf7f1_ed05, "ProgramFiles", r"\Common Files"),
    folder(0x0002, 0xa77f_5d77, "APPDATA", r"\Microsoft\Windows\Start Menu\Programs"),
    folder(0x000b, 0x625b_53c3, "APPDATA", r"\Microsoft\Windows\Start Menu"),
    folder(0x0007, 0xb97d_20bb, "APPDATA", r"\Microsoft\Windows\Start Menu\Programs\Startup"),
    folder(0x0009, 0x8983_036c, "APPDATA", r"\Microsoft\Windows\SendTo"),
    folder(0x0008, 0xae50_c081, "APPDATA", r"\Microsoft\Windows\Recent"),
    folder(0x0015, 0xa637_93d0, "APPDATA", r"\Microsoft\Windows\Templates"),
    folder(0x0020, 0x3524_81e8, "LOCALAPPDATA", r"\Microsoft\Windows\INetCache"),
    folder(0x002e, 0xed48_24af, "PUBLIC", r"\Documents"),
    folder(0x0019, 0xc4aa_340d, "PUBLIC", r"\Desktop"),
    folder(-1, 0xdfdf_76a2, "PUBLIC", ""),
];

/// Returns a folder's path.
fn path(guest: &Guest, folder: &Folder) -> Vec<u16> {
    let name: Vec<u16> = folder.variable.encode_utf16().collect();
    let mut path = guest.process().environment.get(guest.process(), &name).unwrap_or_default();
    path.extend(folder.below.encode_utf16());
    path
}

pub(super) fn by_number(guest: &Guest, csidl: i32) -> Option<Vec<u16>> {
    let number = csidl & !CSIDL_FLAGS;
    FOLDERS.iter().find(|folder| folder.csidl == number).map(|folder| path(guest, folder))
}

/// Returns the path of a folder by its identifier.
pub(super) fn by_identifier(guest: &Guest, rfid: GuestWord) -> Result<Option<Vec<u16>>, plat_abi::Fault> {
    let known = guest.read_u32(rfid.get())?;
    Ok(FOLDERS.iter().find(|folder| folder.known == known).map(|folder| path(guest, folder)))
}

/// Returns the path of a folder by its identifier, in memory for `CoTaskMemFree`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shgetknownfolderpath>
#[winapi]
pub fn SHGetKnownFolderPath(
    guest: &mut Guest,
    rfid: GuestWord,
    dwFlags: u32,
    hToken: GuestWord,
    ppszPath: GuestWord,
) -> Result<HResult, plat_abi::Fault> {
    let _ = (dwFlags, hToken);
    if rfid.is_null() || ppszPath.is_null() {
        return Ok(INVALID_ARGUMENT);
    }
    guest.write(ppszPath.get(), &GuestWord::NULL)?;
    let Some(mut text) = by_identifier(guest, rfid)? else { return Ok(NOT_FOUND) };
    text.push(0);
    let Some(block) = guest.process().heaps.allocate(0, text.len() as u64 * 2, false) else {
        return Ok(OUT_OF_MEMORY);
    };
    guest.write_wide(block, &text)?;
    guest.write(ppszPath.get(), &GuestWord(block))?;
    Ok(S_OK)
}

fn copy(guest: &Guest, width: Width, csidl: i32, target: GuestWord) -> Result<HResult, plat_abi::Fault> {
    let Some(text) = by_number(guest, csidl) else { return Ok(INVALID_ARGUMENT) };
    guest.write_bytes(target.get(), &width.cut(&text, PATH_UNITS))?;
    Ok(S_OK)
}

both_widths! {
    /// Copies the path of a folder by its number.
    "shlobj_core/nf-shlobj_core-shgetfolderpath"
    SHGetFolderPathA, SHGetFolderPathW(
        guest, width, hwnd: GuestWord, csidl: i32, hToken: GuestWord, dwFlags: u32, pszPath: GuestWord
    ) -> Result<HResult, plat_abi::Fault> {
        let _ = (hwnd, hToken, dwFlags);
        copy(guest, width, csidl, pszPath)
    }

    /// Copies the path of a folder by its number.
    "shlobj_core/nf-shlobj_core-shgetspecialfolderpath"
    SHGetSpecialFolderPathA, SHGetSpecialFolderPathW(
        guest, width, hwnd: GuestWord, pszPath: GuestWord, csidl: i32, fCreate: Bool
    ) -> Result<Bool, Win32Error> {
        let _ = (hwnd, fCreate);
        Ok(Bool(copy(guest, width, csidl, pszPath)? == S_OK))
    }
}
