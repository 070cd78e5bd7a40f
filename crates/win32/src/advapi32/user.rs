//! winbase.h: the user's name.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetUserNameA;
    full GetUserNameW;
};

/// Returns the user's name with its zero: the environment knows it.
fn name(guest: &Guest) -> Vec<u16> {
    let variable = |name: &str| {
        let name: Vec<u16> = name.encode_utf16().collect();
        guest.process().environment.get(guest.process(), &name).filter(|value| !value.is_empty())
    };
    let mut name =
        variable("USERNAME").or_else(|| variable("USER")).unwrap_or_else(|| "user".encode_utf16().collect());
    name.push(0);
    name
}

/// Checks that `length` units fit where `pcbBuffer` says how much room there is, and stores the length.
fn check_room(guest: &Guest, pcbBuffer: GuestWord, length: usize) -> Result<(), Win32Error> {
    let room = guest.read_u32(pcbBuffer.get())?;
    guest.write(pcbBuffer.get(), &(length as u32))?;
    if length > room as usize { Err(Win32Error::INSUFFICIENT_BUFFER) } else { Ok(()) }
}

/// Returns the user's name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getusernamea>
#[winapi]
pub fn GetUserNameA(
    guest: &mut Guest,
    lpBuffer: GuestWord,
    pcbBuffer: GuestWord,
) -> Result<Bool, Win32Error> {
    let name = nls::narrow(&name(guest));
    check_room(guest, pcbBuffer, name.len())?;
    guest.write_bytes(lpBuffer.get(), &name)?;
    Ok(TRUE)
}

/// Returns the user's name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getusernamew>
#[winapi]
pub fn GetUserNameW(
    guest: &mut Guest,
    lpBuffer: GuestWord,
    pcbBuffer: GuestWord,
) -> Result<Bool, Win32Error> {
    let name = name(guest);
    check_room(guest, pcbBuffer, name.len())?;
    guest.write_wide(lpBuffer.get(), &name)?;
    Ok(TRUE)
}
