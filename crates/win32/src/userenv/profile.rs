//! userenv.h: the user's folder.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetUserProfileDirectoryA;
    full GetUserProfileDirectoryW;
    stub CreateEnvironmentBlock;
    stub DestroyEnvironmentBlock;
};

/// Returns the folder with its zero, as the environment names it.
fn folder(guest: &Guest) -> Vec<u16> {
    let name: Vec<u16> = "USERPROFILE".encode_utf16().collect();
    let mut folder = guest.process().environment.get(guest.process(), &name).unwrap_or_default();
    folder.push(0);
    folder
}

/// Stores how many characters are needed, and checks that they fit.
fn check_room(
    guest: &Guest,
    lpcchSize: GuestWord,
    needed: usize,
    has_buffer: bool,
) -> Result<(), Win32Error> {
    let room = guest.read_u32(lpcchSize.get())?;
    guest.write(lpcchSize.get(), &(needed as u32))?;
    if has_buffer && needed <= room as usize { Ok(()) } else { Err(Win32Error::INSUFFICIENT_BUFFER) }
}

/// Returns the user's folder.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/userenv/nf-userenv-getuserprofiledirectoryw>
#[winapi]
pub fn GetUserProfileDirectoryW(
    guest: &mut Guest,
    hToken: GuestWord,
    lpProfileDir: GuestWord,
    lpcchSize: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = hToken;
    let folder = folder(guest);
    check_room(guest, lpcchSize, folder.len(), !lpProfileDir.is_null())?;
    guest.write_wide(lpProfileDir.get(), &folder)?;
    Ok(TRUE)
}

/// Returns the user's folder.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/userenv/nf-userenv-getuserprofiledirectorya>
#[winapi]
pub fn GetUserProfileDirectoryA(
    guest: &mut Guest,
    hToken: GuestWord,
    lpProfileDir: GuestWord,
    lpcchSize: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = hToken;
    let folder = nls::narrow(&folder(guest));
    check_room(guest, lpcchSize, folder.len(), !lpProfileDir.is_null())?;
    guest.write_bytes(lpProfileDir.get(), &folder)?;
    Ok(TRUE)
}
