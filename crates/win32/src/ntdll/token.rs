//! Nt functions of access tokens.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::advapi32::token::{adjust_privileges, token_of};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::handle::HandleFlags;
use crate::nt::process_object::ProcessObject;
use crate::nt::security_memory::{read_optional_acl, read_sid};
use crate::nt::thread::ThreadObject;
use crate::nt::token::{Token, TokenKind};
use crate::nt::token_info::{self, Setting};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full NtOpenProcessToken;
    full NtOpenProcessTokenEx;
    full NtOpenThreadToken;
    full NtOpenThreadTokenEx;
    full NtQueryInformationToken;
    partial NtSetInformationToken, "owner, primary group, default list of access, integrity level";
    partial NtDuplicateToken, "of the attributes, only the level of impersonation is used";
    full NtAdjustPrivilegesToken;
};

/// Hands out a handle of a token.
pub(crate) fn give(guest: &Guest, token: Arc<Token>, access: u32, target: GuestWord) -> Result<(), NtStatus> {
    let handle = guest.process().handles.insert(token, access, HandleFlags::empty());
    Ok(guest.write_word(target.get(), handle)?)
}

pub(crate) fn open_process(
    guest: &Guest,
    handle: GuestWord,
    access: u32,
    target: GuestWord,
) -> Result<(), NtStatus> {
    let process = guest.process();
    let object = process.object_as::<ProcessObject>(handle.get())?;
    give(guest, process.tokens.of_process(&object)?, access, target)
}

pub(crate) fn open_thread(
    guest: &Guest,
    handle: GuestWord,
    access: u32,
    target: GuestWord,
) -> Result<(), NtStatus> {
    let thread = guest.process().object_as::<ThreadObject>(handle.get())?;
    let token = thread.token().ok_or(NtStatus::NO_TOKEN)?;
    /// Who may only be known to be someone cannot be opened.
    const ANONYMOUS: TokenKind = TokenKind::Impersonation(0);
    if token.kind == ANONYMOUS {
        return Err(NtStatus::CANT_OPEN_ANONYMOUS);
    }
    give(guest, token, access, target)
}

pub(crate) fn query(
    guest: &Guest,
    handle: GuestWord,
    class: u32,
    (target, room): (GuestWord, u32),
    needed: GuestWord,
) -> Result<(), NtStatus> {
    let token = token_of(guest, handle)?;
    let bytes = token_info::query(&token, class, guest.machine(), target.get())?;
    guest.write(needed.get(), &(bytes.len() as u32))?;
    if bytes.len() > room as usize || target.is_null() {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    Ok(guest.write_bytes(target.get(), &bytes)?)
}

pub(crate) fn set(
    guest: &Guest,
    handle: GuestWord,
    class: u32,
    (given, size): (GuestWord, u32),
) -> Result<(), NtStatus> {
    let token = token_of(guest, handle)?;
    if u64::from(size) < guest.machine().pointer_size() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let target = guest.read_word(given.get())?;
    let setting = match class {
        4 => Setting::Owner(read_sid(guest, target)?),
        5 => Setting::PrimaryGroup(read_sid(guest, target)?),
        6 => Setting::DefaultDacl(read_optional_acl(guest, target)?),
        25 => Setting::Integrity(read_sid(guest, target)?),
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    };
    token_info::set(&token, setting)
}

/// Returns what a token of `TOKEN_TYPE` is for.
pub(crate) fn kind(kind: u32, level: u32) -> Result<TokenKind, NtStatus> {
    match (kind, level) {
        (1, _) => Ok(TokenKind::Primary),
        (2, 0..=3) => Ok(TokenKind::Impersonation(level)),
        (2, _) => Err(NtStatus::BAD_IMPERSONATION_LEVEL),
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

pub(crate) fn duplicate(
    guest: &Guest,
    handle: GuestWord,
    access: u32,
    kind: TokenKind,
    target: GuestWord,
) -> Result<(), NtStatus> {
    let token = token_of(guest, handle)?;
    // No rights asked for are those of the handle.
    let own = guest.process().handles.entry(handle.get()).map_or(u32::MAX, |entry| entry.access);
    give(guest, token.duplicate(kind)?, if access == 0 { own } else { access }, target)
}

/// Opens the token of a process.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntopenprocesstoken>
#[winapi]
pub fn NtOpenProcessToken(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    DesiredAccess: u32,
    TokenHandle: GuestWord,
) -> Result<(), NtStatus> {
    open_process(guest, ProcessHandle, DesiredAccess, TokenHandle)
}

/// Opens the token of a process.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntopenprocesstokenex>
#[winapi]
pub fn NtOpenProcessTokenEx(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    DesiredAccess: u32,
    HandleAttributes: u32,
    TokenHandle: GuestWord,
) -> Result<(), NtStatus> {
    let _ = HandleAttributes;
    open_process(guest, ProcessHandle, DesiredAccess, TokenHandle)
}

/// Opens the token by which a thread acts for someone.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntopenthreadtoken>
#[winapi]
pub fn NtOpenThreadToken(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    DesiredAccess: u32,
    OpenAsSelf: u8,
    TokenHandle: GuestWord,
) -> Result<(), NtStatus> {
    let _ = OpenAsSelf;
    open_thread(guest, ThreadHandle, DesiredAccess, TokenHandle)
}

/// Opens the token by which a thread acts for someone.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntopenthreadtokenex>
#[winapi]
pub fn NtOpenThreadTokenEx(
    guest: &mut Guest,
    ThreadHandle: GuestWord,
    DesiredAccess: u32,
    OpenAsSelf: u8,
    HandleAttributes: u32,
    TokenHandle: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (OpenAsSelf, HandleAttributes);
    open_thread(guest, ThreadHandle, DesiredAccess, TokenHandle)
}

/// Describes a token.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntqueryinformationtoken>
#[winapi]
pub fn NtQueryInformationToken(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    TokenInformationClass: u32,
    TokenInformation: GuestWord,
    TokenInformationLength: u32,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let target = (TokenInformation, TokenInformationLength);
    query(guest, TokenHandle, TokenInformationClass, target, ReturnLength)
}

/// Changes a token.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntsetinformationtoken>
#[winapi]
pub fn NtSetInformationToken(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    TokenInformationClass: u32,
    TokenInformation: GuestWord,
    TokenInformationLength: u32,
) -> Result<(), NtStatus> {
    set(guest, TokenHandle, TokenInformationClass, (TokenInformation, TokenInformationLength))
}

/// Copies a token for a process or a thread.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntduplicatetoken>
#[winapi]
pub fn NtDuplicateToken(
    guest: &mut Guest,
    ExistingTokenHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    EffectiveOnly: u8,
    TokenType: u32,
    NewTokenHandle: GuestWord,
) -> Result<(), NtStatus> {
    let _ = EffectiveOnly;
    // The last pointer of OBJECT_ATTRIBUTES leads to a SECURITY_QUALITY_OF_SERVICE: its length, then the level.
    let word = guest.machine().pointer_size();
    let quality =
        if ObjectAttributes.is_null() { 0 } else { guest.read_word(ObjectAttributes.get() + 5 * word)? };
    let level = if quality == 0 { 0 } else { guest.read_u32(quality + 4)? };
    duplicate(guest, ExistingTokenHandle, DesiredAccess, kind(TokenType, level)?, NewTokenHandle)
}

/// Enables, disables or removes privileges.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-adjusttokenprivileges>
#[winapi]
pub fn NtAdjustPrivilegesToken(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    DisableAllPrivileges: u8,
    NewState: GuestWord,
    BufferLength: u32,
    PreviousState: GuestWord,
    ReturnLength: GuestWord,
) -> NtStatus {
    let wanted = (DisableAllPrivileges == 0).then_some(NewState);
    match adjust_privileges(guest, TokenHandle, wanted, (PreviousState, BufferLength, ReturnLength)) {
        Ok(true) => NtStatus::SUCCESS,
        Ok(false) => NtStatus::NOT_ALL_ASSIGNED,
        Err(status) => status,
    }
}
