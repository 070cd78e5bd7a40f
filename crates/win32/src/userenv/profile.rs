//! userenv.h: the user's folder and environment.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::advapi32::account::Text;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::nt::security_memory::allocate;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetUserProfileDirectoryA;
    full GetUserProfileDirectoryW;
    full GetProfilesDirectoryA;
    full GetProfilesDirectoryW;
    full GetAllUsersProfileDirectoryA;
    full GetAllUsersProfileDirectoryW;
    full GetDefaultUserProfileDirectoryA;
    full GetDefaultUserProfileDirectoryW;
    full GetProfileType;
    full ExpandEnvironmentStringsForUserA;
    full ExpandEnvironmentStringsForUserW;
    partial CreateEnvironmentBlock, "the token is not looked at: it is this user's environment";
    full DestroyEnvironmentBlock;
};

/// Where users' folders are, as `%PUBLIC%` says too.
pub(crate) const PROFILES: &str = r"C:\Users";

fn variable(guest: &Guest, name: &str) -> String {
    let name: Vec<u16> = name.encode_utf16().collect();
    let value = guest.process().environment.get(guest.process(), &name);
    String::from_utf16_lossy(&value.unwrap_or_default())
}

/// Stores a folder with its zero, and how many characters are needed.
fn put(
    guest: &Guest,
    width: Width,
    folder: &str,
    buffer: GuestWord,
    size: GuestWord,
) -> Result<Bool, Win32Error> {
    let text = Text::new(width, folder);
    let room = guest.read_u32(size.get())?;
    guest.write(size.get(), &text.length())?;
    if buffer.is_null() || text.length() > room {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    text.write(guest, buffer)?;
    Ok(TRUE)
}

both_widths! {
    /// Returns the user's folder.
    "userenv/nf-userenv-getuserprofiledirectory"
    GetUserProfileDirectoryA, GetUserProfileDirectoryW(
        guest, width, hToken: GuestWord, lpProfileDir: GuestWord, lpcchSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = hToken;
        put(guest, width, &variable(guest, "USERPROFILE"), lpProfileDir, lpcchSize)
    }

    /// Returns the folder of users' folders.
    "userenv/nf-userenv-getprofilesdirectory"
    GetProfilesDirectoryA, GetProfilesDirectoryW(
        guest, width, lpProfileDir: GuestWord, lpcchSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        put(guest, width, PROFILES, lpProfileDir, lpcchSize)
    }

    /// Returns the folder of what all users share.
    "userenv/nf-userenv-getallusersprofiledirectory"
    GetAllUsersProfileDirectoryA, GetAllUsersProfileDirectoryW(
        guest, width, lpProfileDir: GuestWord, lpcchSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        put(guest, width, &variable(guest, "ProgramData"), lpProfileDir, lpcchSize)
    }

    /// Returns the folder from which new users' folders are made.
    "userenv/nf-userenv-getdefaultuserprofiledirectory"
    GetDefaultUserProfileDirectoryA, GetDefaultUserProfileDirectoryW(
        guest, width, lpProfileDir: GuestWord, lpcchSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        put(guest, width, &format!(r"{PROFILES}\Default"), lpProfileDir, lpcchSize)
    }

    /// Replaces `%NAME%` by values of a user's variables.
    "userenv/nf-userenv-expandenvironmentstringsforuser"
    ExpandEnvironmentStringsForUserA, ExpandEnvironmentStringsForUserW(
        guest, width, hToken: GuestWord, lpSrc: GuestWord, lpDest: GuestWord, dwSize: u32
    ) -> Result<Bool, Win32Error> {
        let _ = hToken;
        let source = width.read(guest, lpSrc)?;
        let process = guest.process();
        let expanded = String::from_utf16_lossy(&process.environment.expand(process, &source));
        let text = Text::new(width, &expanded);
        if text.length() > dwSize {
            return Err(Win32Error::INSUFFICIENT_BUFFER);
        }
        text.write(guest, lpDest)?;
        Ok(TRUE)
    }
}

/// Tells what kind of folder the user's is: a plain one, which stays on the machine.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/userenv/nf-userenv-getprofiletype>
#[winapi]
pub fn GetProfileType(guest: &mut Guest, dwFlags: GuestWord) -> Result<Bool, Win32Error> {
    guest.write(dwFlags.get(), &0u32)?;
    Ok(TRUE)
}

/// Allocates a block of variables: those the process began with, or those it has now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/userenv/nf-userenv-createenvironmentblock>
#[winapi]
pub fn CreateEnvironmentBlock(
    guest: &mut Guest,
    lpEnvironment: GuestWord,
    hToken: GuestWord,
    bInherit: Bool,
) -> Result<Bool, Win32Error> {
    let _ = hToken;
    let process = guest.process();
    let mut variables = match bInherit.0 {
        true => process.environment.all(process),
        false => process.start.environment.clone(),
    };
    variables.sort_by_key(|pair| crate::logic::nls::case::upcase_string(&pair.0));
    let mut block = Vec::new();
    for (name, value) in &variables {
        block.extend_from_slice(name);
        block.push(u16::from(b'='));
        block.extend_from_slice(value);
        block.push(0);
    }
    block.push(0);
    let bytes: Vec<u8> = block.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    guest.write_word(lpEnvironment.get(), allocate(guest, &bytes)?)?;
    Ok(TRUE)
}

/// Frees a block of variables.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/userenv/nf-userenv-destroyenvironmentblock>
#[winapi]
pub fn DestroyEnvironmentBlock(guest: &mut Guest, lpEnvironment: GuestWord) -> Bool {
    if guest.process().heaps.free(0, lpEnvironment.get()) { TRUE } else { FALSE }
}
