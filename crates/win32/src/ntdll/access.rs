//! Rtl functions of lists of access and descriptors that advapi32 has under other names; checks of access and privileges.

use std::sync::atomic::{AtomicU64, Ordering};

use plat_abi::{GuestWord, Memory, winapi};

use crate::advapi32::{access, acl, descriptor, sid, token};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlDeleteAce;
    full RtlFirstFreeAce;
    full RtlAbsoluteToSelfRelativeSD;
    full RtlMakeSelfRelativeSD;
    full RtlGetControlSecurityDescriptor;
    full RtlSetControlSecurityDescriptor;
    full RtlEqualPrefixSid;
    full NtAccessCheck;
    full NtPrivilegeCheck;
    full NtAllocateLocallyUniqueId;
    partial NtCreateToken, "always refused: only the system may";
};

/// Turns what a Win32 function answers into a status.
fn status(result: Result<Bool, Win32Error>) -> Result<(), NtStatus> {
    result.map(drop).map_err(|error| match error {
        Win32Error::INSUFFICIENT_BUFFER => NtStatus::BUFFER_TOO_SMALL,
        error => NtStatus::from_win32(error),
    })
}

/// Takes an entry out.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtldeleteace>
#[winapi]
pub fn RtlDeleteAce(guest: &mut Guest, Acl: GuestWord, AceIndex: u32) -> Result<(), NtStatus> {
    status(acl::DeleteAce(guest, Acl, AceIndex))
}

/// Returns the address of the first free byte, null where the list is full; says whether the list is sound.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-findfirstfreeace>
#[winapi]
pub fn RtlFirstFreeAce(guest: &mut Guest, Acl: GuestWord, FirstFree: GuestWord) -> u32 {
    u32::from(acl::FindFirstFreeAce(guest, Acl, FirstFree).is_ok())
}

/// Writes an absolute descriptor in the self-relative form.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlabsolutetoselfrelativesd>
#[winapi]
pub fn RtlAbsoluteToSelfRelativeSD(
    guest: &mut Guest,
    AbsoluteSecurityDescriptor: GuestWord,
    SelfRelativeSecurityDescriptor: GuestWord,
    BufferLength: GuestWord,
) -> Result<(), NtStatus> {
    let (from, to) = (AbsoluteSecurityDescriptor, SelfRelativeSecurityDescriptor);
    status(descriptor::MakeSelfRelativeSD(guest, from, to, BufferLength))
}

/// Writes a descriptor of either form in the self-relative form.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-makeselfrelativesd>
#[winapi]
pub fn RtlMakeSelfRelativeSD(
    guest: &mut Guest,
    SecurityDescriptor: GuestWord,
    SelfRelativeSecurityDescriptor: GuestWord,
    BufferLength: GuestWord,
) -> Result<(), NtStatus> {
    descriptor::make_relative(guest, SecurityDescriptor, SelfRelativeSecurityDescriptor, BufferLength)
}

/// Returns the control word and the revision.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getsecuritydescriptorcontrol>
#[winapi]
pub fn RtlGetControlSecurityDescriptor(
    guest: &mut Guest,
    SecurityDescriptor: GuestWord,
    Control: GuestWord,
    Revision: GuestWord,
) -> Result<(), NtStatus> {
    status(descriptor::GetSecurityDescriptorControl(guest, SecurityDescriptor, Control, Revision))
}

/// Sets the bits of the control word that are about inheritance.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-setsecuritydescriptorcontrol>
#[winapi]
pub fn RtlSetControlSecurityDescriptor(
    guest: &mut Guest,
    SecurityDescriptor: GuestWord,
    ControlBitsOfInterest: u16,
    ControlBitsToSet: u16,
) -> Result<(), NtStatus> {
    let (of_interest, to_set) = (ControlBitsOfInterest, ControlBitsToSet);
    status(descriptor::SetSecurityDescriptorControl(guest, SecurityDescriptor, of_interest, to_set))
}

/// Says whether two SIDs are equal but for their last parts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-equalprefixsid>
#[winapi]
pub fn RtlEqualPrefixSid(guest: &mut Guest, Sid1: GuestWord, Sid2: GuestWord) -> u32 {
    u32::from(sid::EqualPrefixSid(guest, Sid1, Sid2).is_ok_and(|equal| equal.0))
}

/// Checks what a descriptor allows whom an impersonation token speaks of.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-accesscheck>
#[winapi]
pub fn NtAccessCheck(
    guest: &mut Guest,
    SecurityDescriptor: GuestWord,
    ClientToken: GuestWord,
    DesiredAccess: u32,
    GenericMapping: GuestWord,
    PrivilegeSet: GuestWord,
    PrivilegeSetLength: GuestWord,
    GrantedAccess: GuestWord,
    AccessStatus: GuestWord,
) -> Result<(), NtStatus> {
    let answer = access::AccessCheck(
        guest,
        SecurityDescriptor,
        ClientToken,
        DesiredAccess,
        GenericMapping,
        PrivilegeSet,
        PrivilegeSetLength,
        GrantedAccess,
        AccessStatus,
    );
    status(answer)?;
    // The status of the check is one of NT here, where Win32 has a BOOL.
    let is_allowed = guest.read_u32(AccessStatus.0)? != 0;
    let outcome = if is_allowed { NtStatus::SUCCESS } else { NtStatus::ACCESS_DENIED };
    Ok(guest.write(AccessStatus.0, &outcome.0)?)
}

/// Says whether privileges are enabled.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-privilegecheck>
#[winapi]
pub fn NtPrivilegeCheck(
    guest: &mut Guest,
    ClientToken: GuestWord,
    RequiredPrivileges: GuestWord,
    Result: GuestWord,
) -> std::result::Result<(), NtStatus> {
    // The answer is a BOOLEAN here, where Win32 has a BOOL.
    token::check_privileges(guest, ClientToken, RequiredPrivileges, |guest, answer| {
        guest.write_bytes(Result.0, &[u8::from(answer)])
    })
    .map_err(NtStatus::from_win32)
}

/// Returns a number that was given to nobody else since the process began.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-zwallocatelocallyuniqueid>
#[winapi]
pub fn NtAllocateLocallyUniqueId(guest: &mut Guest, Luid: GuestWord) -> Result<(), NtStatus> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Numbers below 1001 are the system's; the process makes the upper half its own.
    let own = u64::from(plat_host::sysinfo::process_id()) << 32;
    Ok(guest.write(Luid.0, &(own + 1001 + NEXT.fetch_add(1, Ordering::Relaxed)))?)
}

/// Refuses to make a token: nobody here has the privilege.
///
/// Source: <https://learn.microsoft.com/windows/win32/secauthz/privilege-constants>
#[winapi]
pub fn NtCreateToken(
    guest: &mut Guest,
    TokenHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    TokenType: u32,
    AuthenticationId: GuestWord,
    ExpirationTime: GuestWord,
    User: GuestWord,
    Groups: GuestWord,
    Privileges: GuestWord,
    Owner: GuestWord,
    PrimaryGroup: GuestWord,
    DefaultDacl: GuestWord,
    TokenSource: GuestWord,
) -> Result<(), NtStatus> {
    let _ =
        (guest, TokenHandle, DesiredAccess, ObjectAttributes, TokenType, AuthenticationId, ExpirationTime);
    let _ = (User, Groups, Privileges, Owner, PrimaryGroup, DefaultDacl, TokenSource);
    Err(NtStatus::PRIVILEGE_NOT_HELD)
}
