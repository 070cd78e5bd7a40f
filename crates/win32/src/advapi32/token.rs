//! processthreadsapi.h and securitybaseapi.h: access tokens: opened, asked, changed, copied.

use std::sync::Arc;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::sid::done;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::file::FileObject;
use crate::nt::privilege::Privilege;
use crate::nt::security_memory::read_sid;
use crate::nt::thread::{self, ThreadObject};
use crate::nt::token::{Membership, Restriction, Token, TokenKind};
use crate::nt::token_info::Answer;
use crate::ntdll::token as native;
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full OpenProcessToken;
    full OpenThreadToken;
    full GetTokenInformation;
    partial SetTokenInformation, "owner, primary group, default list of access, integrity level";
    full DuplicateToken;
    full DuplicateTokenEx;
    full CheckTokenMembership;
    full AdjustTokenPrivileges;
    full AdjustTokenGroups;
    full PrivilegeCheck;
    full CreateRestrictedToken;
    full IsTokenRestricted;
    full ImpersonateSelf;
    partial ImpersonateLoggedOnUser, "Linux still decides by the process's own user";
    full ImpersonateNamedPipeClient;
    full RevertToSelf;
    partial SetThreadToken, "Linux still decides by the process's own user";
    partial LogonUserA, "always ERROR_LOGON_FAILURE: passwords cannot be checked";
    partial LogonUserW, "always ERROR_LOGON_FAILURE: passwords cannot be checked";
};

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

/// Reads privileges; a LUID with an upper half is no privilege, and becomes number 0.
fn read_privileges(guest: &Guest, address: u64, count: u32) -> Result<Vec<Privilege>, NtStatus> {
    let read = |index: u32| {
        let [low, high, attributes] = guest.read::<[u32; 3]>(address + PRIVILEGE_SIZE * u64::from(index))?;
        Ok(Privilege { number: if high == 0 { low } else { 0 }, attributes })
    };
    (0..count).map(read).collect()
}

/// Reads SIDs with attributes.
fn read_members(guest: &Guest, address: u64, count: u32) -> Result<Vec<Membership>, NtStatus> {
    let word = guest.machine().pointer_size();
    let read = |index: u32| {
        let at = address + 2 * word * u64::from(index);
        let sid = read_sid(guest, guest.read_word(at)?)?;
        Ok(Membership { sid, attributes: guest.read_u32(at + word)? })
    };
    (0..count).map(read).collect()
}

/// Returns the token of a handle, the pseudo handles -4 to -6 of the process's, the thread's and the effective one too.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocesstoken>
pub(crate) fn token_of(guest: &Guest, handle: GuestWord) -> Result<Arc<Token>, NtStatus> {
    let process = guest.process();
    match handle.get() as u32 as i32 {
        -4 => Ok(process.tokens.own()),
        -5 => thread::with_current(ThreadObject::token).ok_or(NtStatus::NO_TOKEN),
        -6 => Ok(process.tokens.effective()),
        _ => process.handles.get::<Token>(handle.get()),
    }
}

/// Opens the token of a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocesstoken>
#[winapi]
pub fn OpenProcessToken(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    DesiredAccess: u32,
    TokenHandle: GuestWord,
) -> Result<Bool, Win32Error> {
    done(native::open_process(guest, ProcessHandle, DesiredAccess, TokenHandle))
}

/// Opens the token by which a thread acts for someone.
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
    let _ = OpenAsSelf;
    done(native::open_thread(guest, ThreadHandle, DesiredAccess, TokenHandle))
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
    let target = (TokenInformation, TokenInformationLength);
    done(native::query(guest, TokenHandle, TokenInformationClass, target, ReturnLength))
}

/// Changes a token.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-settokeninformation>
#[winapi]
pub fn SetTokenInformation(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    TokenInformationClass: u32,
    TokenInformation: GuestWord,
    TokenInformationLength: u32,
) -> Result<Bool, Win32Error> {
    let given = (TokenInformation, TokenInformationLength);
    done(native::set(guest, TokenHandle, TokenInformationClass, given))
}

/// Copies a token for a thread to act with.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-duplicatetoken>
#[winapi]
pub fn DuplicateToken(
    guest: &mut Guest,
    ExistingTokenHandle: GuestWord,
    ImpersonationLevel: u32,
    DuplicateTokenHandle: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `TOKEN_IMPERSONATE`, `TOKEN_QUERY`.
    const RIGHTS: u32 = 12;
    let kind = TokenKind::Impersonation(ImpersonationLevel);
    done(native::duplicate(guest, ExistingTokenHandle, RIGHTS, kind, DuplicateTokenHandle))
}

/// Copies a token for a process or a thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-duplicatetokenex>
#[winapi]
pub fn DuplicateTokenEx(
    guest: &mut Guest,
    hExistingToken: GuestWord,
    dwDesiredAccess: u32,
    lpTokenAttributes: GuestWord,
    ImpersonationLevel: u32,
    TokenType: u32,
    phNewToken: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = lpTokenAttributes;
    let kind = native::kind(TokenType, ImpersonationLevel)?;
    done(native::duplicate(guest, hExistingToken, dwDesiredAccess, kind, phNewToken))
}

/// Says whether a SID gives a token access; without a token, that by which the thread acts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-checktokenmembership>
#[winapi]
pub fn CheckTokenMembership(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    SidToCheck: GuestWord,
    IsMember: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.write(IsMember.get(), &0u32)?;
    let token = match TokenHandle.is_null() {
        true => guest.process().tokens.effective(),
        false => token_of(guest, TokenHandle)?,
    };
    if !TokenHandle.is_null() && token.kind == TokenKind::Primary {
        return Err(Win32Error::NO_IMPERSONATION_TOKEN);
    }
    let sid = read_sid(guest, SidToCheck.get())?;
    guest.write(IsMember.get(), &u32::from(token.is_member(&sid)))?;
    Ok(TRUE)
}

/// Where a state before a change goes.
struct Before {
    target: GuestWord,
    room: u32,
    needed: GuestWord,
}

impl Before {
    /// Checks that `size` bytes fit, before anything changes.
    fn check(&self, guest: &Guest, size: usize) -> Result<(), NtStatus> {
        if self.target.is_null() {
            return Ok(());
        }
        guest.write(self.needed.get(), &(size as u32))?;
        if size > self.room as usize { Err(NtStatus::BUFFER_TOO_SMALL) } else { Ok(()) }
    }

    fn put(&self, guest: &Guest, bytes: &[u8]) -> Result<(), NtStatus> {
        if !self.target.is_null() {
            self.check(guest, bytes.len())?;
            guest.write_bytes(self.target.get(), bytes)?;
        }
        Ok(())
    }
}

/// Enables, disables or removes privileges, for `NtAdjustPrivilegesToken` too; says whether all were the token's.
pub(crate) fn adjust_privileges(
    guest: &Guest,
    token: GuestWord,
    wanted: Option<GuestWord>,
    before: (GuestWord, u32, GuestWord),
) -> Result<bool, NtStatus> {
    let token = token_of(guest, token)?;
    let before = Before { target: before.0, room: before.1, needed: before.2 };
    let wanted = match wanted {
        None => token.privileges().iter().map(|held| Privilege { attributes: 0, ..*held }).collect(),
        Some(address) if address.is_null() => return Err(NtStatus::INVALID_PARAMETER),
        Some(address) => read_privileges(guest, address.get() + 4, guest.read_u32(address.get())?)?,
    };
    before.check(guest, 4 + PRIVILEGE_SIZE as usize * wanted.len())?;
    let (changed, all) = token.adjust(&wanted);
    before.put(guest, &to_bytes(&changed))?;
    Ok(all)
}

/// Tells by the last error whether all that was asked for is the token's.
fn told(guest: &mut Guest, all: bool) -> Bool {
    guest.set_last_error(if all { Win32Error::SUCCESS } else { Win32Error::NOT_ALL_ASSIGNED });
    TRUE
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
    let wanted = (!DisableAllPrivileges.0).then_some(NewState);
    let all = adjust_privileges(guest, TokenHandle, wanted, (PreviousState, BufferLength, ReturnLength))?;
    Ok(told(guest, all))
}

/// Enables or disables groups. Succeeds with `ERROR_NOT_ALL_ASSIGNED` when the token lacks some.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-adjusttokengroups>
#[winapi]
pub fn AdjustTokenGroups(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    ResetToDefault: Bool,
    NewState: GuestWord,
    BufferLength: u32,
    PreviousState: GuestWord,
    ReturnLength: GuestWord,
) -> Result<Bool, Win32Error> {
    let token = token_of(guest, TokenHandle)?;
    let before = Before { target: PreviousState, room: BufferLength, needed: ReturnLength };
    let wanted = match ResetToDefault.0 {
        true => {
            let state = token.state();
            // Bit 1 says that a group is enabled by default, bit 2 that it is.
            state
                .groups
                .into_iter()
                .map(|group| Membership { attributes: group.attributes << 1, ..group })
                .collect()
        }
        false => {
            let first = NewState.get() + guest.machine().pointer_size();
            read_members(guest, first, guest.read_u32(NewState.get())?)?
        }
    };
    let (changed, all) = token.adjust_groups(&wanted)?;
    let mut answer = Answer::new(guest.machine(), PreviousState.get());
    answer.members(&changed);
    before.put(guest, &answer.finish())?;
    Ok(told(guest, all))
}

/// Says whether privileges are enabled: all of them, or one, as the set's control word says.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-privilegecheck>
#[winapi]
pub fn PrivilegeCheck(
    guest: &mut Guest,
    ClientToken: GuestWord,
    RequiredPrivileges: GuestWord,
    pfResult: GuestWord,
) -> Result<Bool, Win32Error> {
    let put = |guest: &Guest, answer: bool| guest.write(pfResult.get(), &u32::from(answer));
    check_privileges(guest, ClientToken, RequiredPrivileges, put)?;
    Ok(TRUE)
}

/// Marks the privileges of a set that are enabled and gives the answer to `put`.
pub(crate) fn check_privileges(
    guest: &Guest,
    ClientToken: GuestWord,
    RequiredPrivileges: GuestWord,
    put: impl FnOnce(&Guest, bool) -> Result<(), Fault>,
) -> Result<(), Win32Error> {
    /// `PRIVILEGE_SET_ALL_NECESSARY`.
    const ALL: u32 = 1;
    /// `SE_PRIVILEGE_USED_FOR_ACCESS`.
    const USED: u32 = 0x8000_0000;
    let token = token_of(guest, ClientToken)?;
    if token.kind == TokenKind::Primary {
        return Err(Win32Error::NO_IMPERSONATION_TOKEN);
    }
    let [count, control] = guest.read::<[u32; 2]>(RequiredPrivileges.get())?;
    let mut required = read_privileges(guest, RequiredPrivileges.get() + 8, count)?;
    let held = required.iter().map(|one| token.has_privilege(one.number)).collect::<Vec<_>>();
    for (one, _) in required.iter_mut().zip(&held).filter(|pair| *pair.1) {
        one.attributes |= USED;
    }
    guest.write_bytes(RequiredPrivileges.get() + 8, &to_bytes(&required)[4..])?;
    let all = held.iter().all(|&held| held);
    let any = held.contains(&true);
    Ok(put(guest, all || (control & ALL == 0 && any))?)
}

/// Copies a token with less: SIDs that only deny, fewer privileges, SIDs that must be allowed too.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-createrestrictedtoken>
#[winapi]
pub fn CreateRestrictedToken(
    guest: &mut Guest,
    ExistingTokenHandle: GuestWord,
    Flags: u32,
    DisableSidCount: u32,
    SidsToDisable: GuestWord,
    DeletePrivilegeCount: u32,
    PrivilegesToDelete: GuestWord,
    RestrictedSidCount: u32,
    SidsToRestrict: GuestWord,
    NewTokenHandle: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `DISABLE_MAX_PRIVILEGE`.
    const ALL_PRIVILEGES: u32 = 1;
    /// `LUA_TOKEN`.
    const LUA: u32 = 4;
    let token = token_of(guest, ExistingTokenHandle)?;
    let sids = |members: Vec<Membership>| members.into_iter().map(|member| member.sid).collect::<Vec<_>>();
    let mut less = Restriction {
        all_privileges: Flags & (ALL_PRIVILEGES | LUA) != 0,
        deny_only: sids(read_members(guest, SidsToDisable.get(), DisableSidCount)?),
        restricted: sids(read_members(guest, SidsToRestrict.get(), RestrictedSidCount)?),
        ..Restriction::default()
    };
    let doomed = read_privileges(guest, PrivilegesToDelete.get(), DeletePrivilegeCount)?;
    less.privileges = doomed.iter().map(|one| one.number).collect();
    if Flags & LUA != 0 {
        less.deny_only.push(crate::logic::security::well_known::administrators());
    }
    let access =
        guest.process().handles.entry(ExistingTokenHandle.get()).map_or(u32::MAX, |entry| entry.access);
    native::give(guest, token.restrict(&less), access, NewTokenHandle)?;
    Ok(TRUE)
}

/// Says whether a token has SIDs that must be allowed too.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-istokenrestricted>
#[winapi]
pub fn IsTokenRestricted(guest: &mut Guest, TokenHandle: GuestWord) -> Result<Bool, Win32Error> {
    Ok(Bool(!token_of(guest, TokenHandle)?.restricted.is_empty()))
}

/// Gives the thread a copy of the process's token.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-impersonateself>
#[winapi]
pub fn ImpersonateSelf(guest: &mut Guest, ImpersonationLevel: u32) -> Result<Bool, Win32Error> {
    let copy = guest.process().tokens.own().duplicate(TokenKind::Impersonation(ImpersonationLevel))?;
    thread::with_current(|thread| thread.set_token(Some(copy)));
    Ok(TRUE)
}

/// Has the thread act with a token.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-impersonateloggedonuser>
#[winapi]
pub fn ImpersonateLoggedOnUser(guest: &mut Guest, hToken: GuestWord) -> Result<Bool, Win32Error> {
    /// `SecurityImpersonation`.
    const LEVEL: u32 = 2;
    let token = token_of(guest, hToken)?;
    let token = match token.kind {
        TokenKind::Primary => token.duplicate(TokenKind::Impersonation(LEVEL))?,
        TokenKind::Impersonation(_) => token,
    };
    thread::with_current(|thread| thread.set_token(Some(token)));
    Ok(TRUE)
}

/// Has the thread act for the process at the other end of a pipe.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-impersonatenamedpipeclient>
#[winapi]
pub fn ImpersonateNamedPipeClient(guest: &mut Guest, hNamedPipe: GuestWord) -> Result<Bool, Win32Error> {
    /// `SecurityImpersonation`.
    const LEVEL: u32 = 2;
    let pipe = guest.process().handles.get::<FileObject>(hNamedPipe.get())?;
    let peer = plat_host::pipe::peer(&pipe.file).map_err(|_| Win32Error::CANNOT_IMPERSONATE)?;
    let identity = plat_host::accounts::identity_of(peer).ok_or(Win32Error::CANNOT_IMPERSONATE)?;
    let token = Token::of(&identity).duplicate(TokenKind::Impersonation(LEVEL))?;
    thread::with_current(|thread| thread.set_token(Some(token)));
    Ok(TRUE)
}

/// Has the thread act for itself again.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-reverttoself>
#[winapi]
pub fn RevertToSelf(guest: &mut Guest) -> Bool {
    let _ = guest;
    thread::with_current(|thread| thread.set_token(None));
    TRUE
}

/// Has a thread act with an impersonation token, or for itself again.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadtoken>
#[winapi]
pub fn SetThreadToken(guest: &mut Guest, Thread: GuestWord, Token: GuestWord) -> Result<Bool, Win32Error> {
    let thread = match Thread.is_null() {
        true => thread::current(),
        false => guest.process().object_as::<ThreadObject>(guest.read_word(Thread.get())?)?,
    };
    let token = if Token.is_null() { None } else { Some(token_of(guest, Token)?) };
    if token.as_ref().is_some_and(|token| token.kind == TokenKind::Primary) {
        return Err(Win32Error::BAD_TOKEN_TYPE);
    }
    thread.set_token(token);
    Ok(TRUE)
}

/// `ERROR_LOGON_FAILURE`.
pub(super) const LOGON_FAILURE: Win32Error = Win32Error(1326);

both_widths! {
    /// Refuses: passwords are Linux' to check, and only for root to use.
    "winbase/nf-winbase-logonuser"
    LogonUserA, LogonUserW(
        guest, width, lpszUsername: GuestWord, lpszDomain: GuestWord, lpszPassword: GuestWord, dwLogonType: u32,
        dwLogonProvider: u32, phToken: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = (guest, width, lpszUsername, lpszDomain, lpszPassword, dwLogonType, dwLogonProvider, phToken);
        Err(LOGON_FAILURE)
    }
}
