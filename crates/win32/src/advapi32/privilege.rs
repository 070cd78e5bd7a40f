//! winbase.h: names of privileges.

use plat_abi::{GuestWord, Memory};

use super::account::Text;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::privilege;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full LookupPrivilegeValueA;
    full LookupPrivilegeValueW;
    full LookupPrivilegeNameA;
    full LookupPrivilegeNameW;
    full LookupPrivilegeDisplayNameA;
    full LookupPrivilegeDisplayNameW;
};

/// Returns the number of the privilege of a name in guest memory.
fn number(guest: &Guest, width: Width, name: GuestWord) -> Result<u32, Win32Error> {
    let name = width.read(guest, name)?;
    privilege::privilege_number(&name).ok_or(Win32Error::NO_SUCH_PRIVILEGE)
}

/// Stores a text and its length without the zero; where it does not fit, the room needed.
fn put(
    guest: &Guest,
    width: Width,
    text: &str,
    target: GuestWord,
    size: GuestWord,
) -> Result<Bool, Win32Error> {
    let text = Text::new(width, text);
    let room = guest.read_u32(size.get())?;
    if text.length() > room {
        guest.write(size.get(), &text.length())?;
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write(size.get(), &(text.length() - 1))?;
    text.write(guest, target)?;
    Ok(TRUE)
}

both_widths! {
    /// Returns the LUID of a privilege.
    "winbase/nf-winbase-lookupprivilegevalue"
    LookupPrivilegeValueA, LookupPrivilegeValueW(
        guest, width, lpSystemName: GuestWord, lpName: GuestWord, lpLuid: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = lpSystemName;
        guest.write(lpLuid.get(), &u64::from(number(guest, width, lpName)?))?;
        Ok(TRUE)
    }

    /// Returns the name of a privilege.
    "winbase/nf-winbase-lookupprivilegename"
    LookupPrivilegeNameA, LookupPrivilegeNameW(
        guest, width, lpSystemName: GuestWord, lpLuid: GuestWord, lpName: GuestWord, cchName: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = lpSystemName;
        let luid = u32::try_from(guest.read_u64(lpLuid.get())?).ok();
        let texts = luid.and_then(privilege::privilege_texts).ok_or(Win32Error::NO_SUCH_PRIVILEGE)?;
        put(guest, width, texts.0, lpName, cchName)
    }

    /// Returns what a privilege allows, in English words.
    "winbase/nf-winbase-lookupprivilegedisplayname"
    LookupPrivilegeDisplayNameA, LookupPrivilegeDisplayNameW(
        guest, width, lpSystemName: GuestWord, lpName: GuestWord, lpDisplayName: GuestWord,
        cchDisplayName: GuestWord, lpLanguageId: GuestWord
    ) -> Result<Bool, Win32Error> {
        const ENGLISH: u32 = 0x409;
        let _ = lpSystemName;
        let texts = privilege::privilege_texts(number(guest, width, lpName)?);
        let texts = texts.ok_or(Win32Error::NO_SUCH_PRIVILEGE)?;
        guest.write(lpLanguageId.get(), &ENGLISH)?;
        put(guest, width, texts.1, lpDisplayName, cchDisplayName)
    }
}
