//! processthreadsapi.h and winbase.h: making processes with another token.

use plat_abi::{GuestWord, winapi};

use super::token::token_of;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::kernel32::createprocess::{Wish, create, read_names};
use crate::nt::token::TokenKind;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateProcessAsUserA, "the process reports the token; Linux still decides by the user";
    partial CreateProcessAsUserW, "the process reports the token; Linux still decides by the user";
    partial CreateProcessWithTokenW, "the process reports the token; Linux still decides by the user";
    partial CreateProcessWithLogonW, "always ERROR_LOGON_FAILURE: passwords cannot be checked";
};

/// Makes a process that has a copy of a token, which must be of this process's user; without a token as `CreateProcess`.
fn create_as(guest: &mut Guest, width: Width, token: GuestWord, mut wish: Wish) -> Result<Bool, Win32Error> {
    /// `ERROR_PRIVILEGE_NOT_HELD`.
    const PRIVILEGE_NOT_HELD: Win32Error = Win32Error(1314);
    if !token.is_null() {
        let token = token_of(guest, token)?;
        if token.user.sid != guest.process().tokens.own().user.sid {
            return Err(PRIVILEGE_NOT_HELD);
        }
        wish.token = Some(token.duplicate(TokenKind::Primary)?);
    }
    create(guest, wish, width)
}

both_widths! {
    /// Makes a process with a token.
    "processthreadsapi/nf-processthreadsapi-createprocessasuser"
    CreateProcessAsUserA, CreateProcessAsUserW(
        guest, width, hToken: GuestWord, lpApplicationName: GuestWord, lpCommandLine: GuestWord,
        lpProcessAttributes: GuestWord, lpThreadAttributes: GuestWord, bInheritHandles: Bool, dwCreationFlags: u32,
        lpEnvironment: GuestWord, lpCurrentDirectory: GuestWord, lpStartupInfo: GuestWord,
        lpProcessInformation: GuestWord
    ) -> Result<Bool, Win32Error> {
        let names = read_names(guest, width, [lpApplicationName, lpCommandLine, lpCurrentDirectory])?;
        let wish = Wish {
            attributes: [lpProcessAttributes, lpThreadAttributes],
            inherits: bInheritHandles.0,
            ..wish(names, dwCreationFlags, [lpEnvironment, lpStartupInfo, lpProcessInformation])
        };
        create_as(guest, width, hToken, wish)
    }
}

fn wish(
    names: [Option<Vec<u16>>; 3],
    flags: u32,
    [environment, startup, information]: [GuestWord; 3],
) -> Wish {
    let attributes = [GuestWord(0); 2];
    Wish { names, attributes, inherits: false, flags, environment, startup, information, token: None }
}

/// Makes a process with a token, which inherits no handles.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createprocesswithtokenw>
#[winapi]
pub fn CreateProcessWithTokenW(
    guest: &mut Guest,
    hToken: GuestWord,
    dwLogonFlags: u32,
    lpApplicationName: GuestWord,
    lpCommandLine: GuestWord,
    dwCreationFlags: u32,
    lpEnvironment: GuestWord,
    lpCurrentDirectory: GuestWord,
    lpStartupInfo: GuestWord,
    lpProcessInformation: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwLogonFlags;
    let names = read_names(guest, Width::Wide, [lpApplicationName, lpCommandLine, lpCurrentDirectory])?;
    let wish = wish(names, dwCreationFlags, [lpEnvironment, lpStartupInfo, lpProcessInformation]);
    create_as(guest, Width::Wide, hToken, wish)
}

/// Refuses: passwords are Linux' to check, and only for root to use.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createprocesswithlogonw>
#[winapi]
pub fn CreateProcessWithLogonW(
    guest: &mut Guest,
    lpUsername: GuestWord,
    lpDomain: GuestWord,
    lpPassword: GuestWord,
    dwLogonFlags: u32,
    lpApplicationName: GuestWord,
    lpCommandLine: GuestWord,
    dwCreationFlags: u32,
    lpEnvironment: GuestWord,
    lpCurrentDirectory: GuestWord,
    lpStartupInfo: GuestWord,
    lpProcessInformation: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, lpUsername, lpDomain, lpPassword, dwLogonFlags, lpApplicationName, lpCommandLine);
    let _ = (dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo, lpProcessInformation);
    Err(super::token::LOGON_FAILURE)
}
