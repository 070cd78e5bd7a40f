//! processthreadsapi.h and securitybaseapi.h: access tokens and privileges.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::handle::HandleFlags;
use crate::nt::nls;
use crate::nt::token::{self, Privilege, Token};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial OpenProcessToken, "the process handle is not looked at: there is one process; each call opens a fresh token";
    partial OpenThreadToken, "always ERROR_NO_TOKEN: threads do not impersonate";
    full LookupPrivilegeValueA;
    full LookupPrivilegeValueW;
    full AdjustTokenPrivileges;
    partial GetTokenInformation, "TokenPrivileges, TokenType, TokenElevation and TokenElevationType only";
    stub DuplicateTokenEx;
    stub ImpersonateLoggedOnUser;
    stub RevertToSelf;
    stub LookupAccountSidW;
    stub EqualSid;
};

/// `TokenPrivileges`.
const TOKEN_PRIVILEGES: u32 = 3;
/// `TokenType`; the answer is `TokenPrimary`, 1.
const TOKEN_TYPE: u32 = 8;
/// `TokenElevationType`; the answer is `TokenElevationTypeDefault`, 1.
const TOKEN_ELEVATION_TYPE: u32 = 18;
/// `TokenElevation`; the answer is 0, not elevated.
const TOKEN_ELEVATION: u32 = 20;
/// Bytes of a `LUID_AND_ATTRIBUTES`.
const PRIVILEGE_SIZE: u64 = 12;

/// Lays out `TOKEN_PRIVILEGES`.
fn to_bytes(privileges: &[Privilege]) -> Vec<u8> {
    let mut bytes = (privileges.len() as u32).to_le_bytes().to_vec();
    for privilege in privileges {
        for field in [privilege.number, 0, privilege.attributes] {
            bytes.extend(field.to_le_bytes());
        }
    }
    bytes
}

/// Reads `TOKEN_PRIVILEGES`; a LUID with an upper half is no privilege, and becomes number 0.
fn read_privileges(guest: &Guest, address: u64) -> Result<Vec<Privilege>, Win32Error> {
    let count = u64::from(guest.read_u32(address)?);
    let mut privileges = Vec::new();
    for index in 0..count {
        let at = address + 4 + PRIVILEGE_SIZE * index;
        let [low, high, attributes] = guest.read::<[u32; 3]>(at)?;
        privileges.push(Privilege { number: if high == 0 { low } else { 0 }, attributes });
    }
    Ok(privileges)
}

fn token_of(guest: &Guest, handle: GuestWord) -> Result<Arc<Token>, Win32Error> {
    guest.process().handles.get::<Token>(handle.get()).map_err(|_| Win32Error::INVALID_HANDLE)
}

fn look_up(guest: &Guest, name: &[u16], lpLuid: GuestWord) -> Result<Bool, Win32Error> {
    let number = token::privilege_number(name).ok_or(Win32Error::NO_SUCH_PRIVILEGE)?;
    guest.write(lpLuid.get(), &u64::from(number))?;
    Ok(TRUE)
}

/// Opens the process's token.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocesstoken>
#[winapi]
pub fn OpenProcessToken(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    DesiredAccess: u32,
    TokenHandle: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = ProcessHandle;
    let handle =
        guest.process().handles.insert(Arc::new(Token::default()), DesiredAccess, HandleFlags::empty());
    guest.write_word(TokenHandle.get(), handle)?;
    Ok(TRUE)
}

/// Refuses: threads have no token of their own.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openthreadtoken>
#[winapi]
pub fn OpenThreadToken(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    DesiredAccess: u32,
    OpenAsSelf: Bool,
    TokenHandle: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, ThreadHandle, DesiredAccess, OpenAsSelf, TokenHandle);
    Err(Win32Error::NO_TOKEN)
}

/// Returns the LUID of a privilege.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lookupprivilegevaluea>
#[winapi]
pub fn LookupPrivilegeValueA(
    guest: &mut Guest,
    lpSystemName: GuestWord,
    lpName: GuestWord,
    lpLuid: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpSystemName;
    let name = nls::read_ansi(guest, lpName.get())?;
    look_up(guest, &name, lpLuid)
}

/// Returns the LUID of a privilege.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lookupprivilegevaluew>
#[winapi]
pub fn LookupPrivilegeValueW(
    guest: &mut Guest,
    lpSystemName: GuestWord,
    lpName: GuestWord,
    lpLuid: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpSystemName;
    let name = guest.read_wide_string(lpName.get())?;
    look_up(guest, &name, lpLuid)
}

/// Enables or disables privileges. Succeeds with `ERROR_NOT_ALL_ASSIGNED` when the token lacks some.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-adjusttokenprivileges>
#[winapi]
pub fn AdjustTokenPrivileges(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    DisableAllPrivileges: Bool,
    NewState: GuestWord,
    BufferLength: u32,
    PreviousState: GuestWord,
    ReturnLength: GuestWord,
) -> Result<Bool, Win32Error> {
    let token = token_of(guest, TokenHandle)?;
    let wanted = match (DisableAllPrivileges.0, NewState.get()) {
        (true, _) => token.privileges().iter().map(|held| Privilege { attributes: 0, ..*held }).collect(),
        (false, 0) => return Err(Win32Error::INVALID_PARAMETER),
        (false, address) => read_privileges(guest, address)?,
    };
    if !PreviousState.is_null() {
        // The room must do for all of them, before anything changes.
        let needed = 4 + PRIVILEGE_SIZE * wanted.len() as u64;
        guest.write(ReturnLength.get(), &(needed as u32))?;
        if u64::from(BufferLength) < needed {
            return Err(Win32Error::INSUFFICIENT_BUFFER);
        }
    }
    let (changed, all) = token.adjust(&wanted);
    if !PreviousState.is_null() {
        let bytes = to_bytes(&changed);
        guest.write_bytes(PreviousState.get(), &bytes)?;
        guest.write(ReturnLength.get(), &(bytes.len() as u32))?;
    }
    guest.set_last_error(if all { Win32Error::SUCCESS } else { Win32Error::NOT_ALL_ASSIGNED });
    Ok(TRUE)
}

/// Describes a token.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-gettokeninformation>
#[winapi]
pub fn GetTokenInformation(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    TokenInformationClass: u32,
    TokenInformation: GuestWord,
    TokenInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<Bool, Win32Error> {
    let token = token_of(guest, TokenHandle)?;
    let bytes = match TokenInformationClass {
        TOKEN_PRIVILEGES => to_bytes(&token.privileges()),
        TOKEN_TYPE | TOKEN_ELEVATION_TYPE => 1u32.to_le_bytes().to_vec(),
        TOKEN_ELEVATION => 0u32.to_le_bytes().to_vec(),
        _ => return Err(Win32Error::NOT_SUPPORTED),
    };
    guest.write(ReturnLength.get(), &(bytes.len() as u32))?;
    if bytes.len() > TokenInformationLength as usize {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write_bytes(TokenInformation.get(), &bytes)?;
    Ok(TRUE)
}
