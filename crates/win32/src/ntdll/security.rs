//! Rtl functions of SIDs, lists and descriptors; Nt functions of objects' descriptors.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::advapi32::acl::{self, Wish};
use crate::advapi32::descriptor::{self, DACL, GROUP, OWNER};
use crate::advapi32::sid::{allocate_sid, copy_sid, initialize};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::security::ace;
use crate::logic::security::sid::HEADER;
use crate::nt::security_memory::{put_descriptor, read_acl, read_descriptor, read_sid};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlAllocateAndInitializeSid;
    full RtlConvertSidToUnicodeString;
    full RtlCopySid;
    full RtlEqualSid;
    full RtlFreeSid;
    full RtlIdentifierAuthoritySid;
    full RtlInitializeSid;
    full RtlLengthRequiredSid;
    full RtlLengthSid;
    full RtlSubAuthorityCountSid;
    full RtlSubAuthoritySid;
    full RtlValidSid;
    full RtlCreateAcl;
    full RtlAddAccessAllowedAce;
    full RtlAddAccessAllowedAceEx;
    full RtlAddAccessDeniedAce;
    full RtlAddAccessDeniedAceEx;
    full RtlGetAce;
    full RtlValidAcl;
    full RtlCreateSecurityDescriptor;
    full RtlGetDaclSecurityDescriptor;
    full RtlSetDaclSecurityDescriptor;
    full RtlGetOwnerSecurityDescriptor;
    full RtlSetOwnerSecurityDescriptor;
    full RtlGetGroupSecurityDescriptor;
    full RtlSetGroupSecurityDescriptor;
    full RtlLengthSecurityDescriptor;
    full RtlValidSecurityDescriptor;
    full NtQuerySecurityObject;
    partial NtSetSecurityObject, "files take the permission bits that come closest; other objects keep what they get for this process";
};

/// Allocates a SID of up to eight parts.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlallocateandinitializesid>
#[winapi]
pub fn RtlAllocateAndInitializeSid(
    guest: &mut Guest,
    IdentifierAuthority: GuestWord,
    SubAuthorityCount: u8,
    SubAuthority0: u32,
    SubAuthority1: u32,
    SubAuthority2: u32,
    SubAuthority3: u32,
    SubAuthority4: u32,
    SubAuthority5: u32,
    SubAuthority6: u32,
    SubAuthority7: u32,
    Sid: GuestWord,
) -> Result<(), NtStatus> {
    let first = [SubAuthority0, SubAuthority1, SubAuthority2, SubAuthority3];
    let last = [SubAuthority4, SubAuthority5, SubAuthority6, SubAuthority7];
    let mut parts = [0; 8];
    parts[..4].copy_from_slice(&first);
    parts[4..].copy_from_slice(&last);
    allocate_sid(guest, IdentifierAuthority, SubAuthorityCount, parts, Sid)
}

/// Writes a SID's text form into a `UNICODE_STRING`, whose buffer is allocated if asked.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlconvertsidtounicodestring>
#[winapi]
pub fn RtlConvertSidToUnicodeString(
    guest: &mut Guest,
    UnicodeString: GuestWord,
    Sid: GuestWord,
    AllocateDestinationString: u8,
) -> Result<(), NtStatus> {
    let text: Vec<u16> = read_sid(guest, Sid.get())?.to_string().encode_utf16().collect();
    let (at, bytes) = (UnicodeString.get(), 2 * text.len() as u16);
    let buffer_at = at + guest.machine().pointer_size();
    let terminated: Vec<u16> = text.iter().copied().chain([0]).collect();
    if AllocateDestinationString != 0 {
        let buffer =
            guest.process().heaps.allocate(0, u64::from(bytes) + 2, false).ok_or(NtStatus::NO_MEMORY)?;
        guest.write(at + 2, &(bytes + 2))?;
        guest.write_word(buffer_at, buffer)?;
        guest.write_wide(buffer, &terminated)?;
    } else {
        let room = guest.read::<u16>(at + 2)?;
        if bytes > room {
            return Err(NtStatus::BUFFER_OVERFLOW);
        }
        // The zero is written where there is room for it.
        let text = if bytes + 2 <= room { &terminated } else { &text };
        guest.write_wide(guest.read_word(buffer_at)?, text)?;
    }
    Ok(guest.write(at, &bytes)?)
}

/// Copies a SID.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlcopysid>
#[winapi]
pub fn RtlCopySid(
    guest: &mut Guest,
    DestinationSidLength: u32,
    DestinationSid: GuestWord,
    SourceSid: GuestWord,
) -> Result<(), NtStatus> {
    copy_sid(guest, &read_sid(guest, SourceSid.get())?, DestinationSidLength, DestinationSid.get())
}

/// Says whether two SIDs are equal.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlequalsid>
#[winapi]
pub fn RtlEqualSid(guest: &mut Guest, Sid1: GuestWord, Sid2: GuestWord) -> u32 {
    let read = |sid: GuestWord| read_sid(guest, sid.get()).ok();
    u32::from(read(Sid1).is_some_and(|sid| Some(sid) == read(Sid2)))
}

/// Frees a SID.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlfreesid>
#[winapi]
pub fn RtlFreeSid(guest: &mut Guest, Sid: GuestWord) -> GuestWord {
    guest.process().heaps.free(0, Sid.get());
    GuestWord::NULL
}

/// Returns the address of a SID's authority.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getsididentifierauthority>
#[winapi]
pub fn RtlIdentifierAuthoritySid(guest: &mut Guest, Sid: GuestWord) -> GuestWord {
    let _ = guest;
    GuestWord(Sid.get() + 2)
}

/// Makes a SID in memory of the caller's; its parts are not set.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlinitializesid>
#[winapi]
pub fn RtlInitializeSid(
    guest: &mut Guest,
    Sid: GuestWord,
    IdentifierAuthority: GuestWord,
    SubAuthorityCount: u8,
) -> Result<(), NtStatus> {
    initialize(guest, Sid.get(), IdentifierAuthority.get(), SubAuthorityCount)
}

/// Returns the size in bytes of a SID with so many parts.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtllengthrequiredsid>
#[winapi]
pub fn RtlLengthRequiredSid(guest: &mut Guest, SubAuthorityCount: u32) -> u32 {
    let _ = guest;
    SubAuthorityCount.wrapping_mul(4).wrapping_add(HEADER as u32)
}

/// Returns a SID's size in bytes.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtllengthsid>
#[winapi]
pub fn RtlLengthSid(guest: &mut Guest, Sid: GuestWord) -> Result<u32, Fault> {
    let count = guest.read::<u8>(Sid.get() + 1)?;
    Ok(HEADER as u32 + 4 * u32::from(count))
}

/// Returns the address of the count of a SID's parts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getsidsubauthoritycount>
#[winapi]
pub fn RtlSubAuthorityCountSid(guest: &mut Guest, Sid: GuestWord) -> GuestWord {
    let _ = guest;
    GuestWord(Sid.get() + 1)
}

/// Returns the address of one of a SID's parts.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlsubauthoritysid>
#[winapi]
pub fn RtlSubAuthoritySid(guest: &mut Guest, Sid: GuestWord, SubAuthority: u32) -> GuestWord {
    let _ = guest;
    GuestWord(Sid.get() + HEADER as u64 + 4 * u64::from(SubAuthority & 0xff))
}

/// Says whether a SID has the known revision and not too many parts.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlvalidsid>
#[winapi]
pub fn RtlValidSid(guest: &mut Guest, Sid: GuestWord) -> u32 {
    u32::from(read_sid(guest, Sid.get()).is_ok())
}

/// Makes an empty list.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlcreateacl>
#[winapi]
pub fn RtlCreateAcl(
    guest: &mut Guest,
    Acl: GuestWord,
    AclLength: u32,
    AclRevision: u32,
) -> Result<(), NtStatus> {
    acl::create(guest, Acl, AclLength, AclRevision)
}

alike! {
    fn(guest, kind;
        Acl: GuestWord, AceRevision: u32, AccessMask: u32, Sid: GuestWord
    ) -> Result<(), NtStatus> {
        acl::add(guest, Acl, AceRevision, &Wish { kind, flags: 0, mask: AccessMask, sid: Sid })
    }

    /// Adds an entry that allows.
    ddi "ntifs/nf-ntifs-rtladdaccessallowedace"
    RtlAddAccessAllowedAce = ace::ALLOWED;

    /// Adds an entry that denies.
    "securitybaseapi/nf-securitybaseapi-addaccessdeniedace"
    RtlAddAccessDeniedAce = ace::DENIED;
}

alike! {
    fn(guest, kind;
        Acl: GuestWord, AceRevision: u32, AceFlags: u32, AccessMask: u32, Sid: GuestWord
    ) -> Result<(), NtStatus> {
        acl::add(guest, Acl, AceRevision, &Wish { kind, flags: AceFlags, mask: AccessMask, sid: Sid })
    }

    /// Adds an entry that allows, with flags of inheritance.
    ddi "ntifs/nf-ntifs-rtladdaccessallowedaceex"
    RtlAddAccessAllowedAceEx = ace::ALLOWED;

    /// Adds an entry that denies, with flags of inheritance.
    "securitybaseapi/nf-securitybaseapi-addaccessdeniedaceex"
    RtlAddAccessDeniedAceEx = ace::DENIED;
}

/// Returns the address of an entry.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlgetace>
#[winapi]
pub fn RtlGetAce(guest: &mut Guest, Acl: GuestWord, AceIndex: u32, Ace: GuestWord) -> Result<(), NtStatus> {
    acl::get(guest, Acl, AceIndex, Ace)
}

/// Says whether a list is sound.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-isvalidacl>
#[winapi]
pub fn RtlValidAcl(guest: &mut Guest, Acl: GuestWord) -> u32 {
    u32::from(read_acl(guest, Acl.get()).is_ok())
}

/// Makes an empty absolute security descriptor.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlcreatesecuritydescriptor>
#[winapi]
pub fn RtlCreateSecurityDescriptor(
    guest: &mut Guest,
    SecurityDescriptor: GuestWord,
    Revision: u32,
) -> Result<(), NtStatus> {
    descriptor::create(guest, SecurityDescriptor, Revision)
}

/// Stores a `BOOLEAN`.
fn put_boolean(guest: &Guest, target: GuestWord, value: bool) -> Result<(), NtStatus> {
    Ok(guest.write(target.get(), &u8::from(value))?)
}

/// Returns the list of access.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlgetdaclsecuritydescriptor>
#[winapi]
pub fn RtlGetDaclSecurityDescriptor(
    guest: &mut Guest,
    SecurityDescriptor: GuestWord,
    DaclPresent: GuestWord,
    Dacl: GuestWord,
    DaclDefaulted: GuestWord,
) -> Result<(), NtStatus> {
    let put = |target, value| put_boolean(guest, target, value);
    descriptor::get_list(guest, SecurityDescriptor, DACL, DaclPresent, Dacl, DaclDefaulted, put)
}

/// Sets the list of access of an absolute descriptor.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlsetdaclsecuritydescriptor>
#[winapi]
pub fn RtlSetDaclSecurityDescriptor(
    guest: &mut Guest,
    SecurityDescriptor: GuestWord,
    DaclPresent: u8,
    Dacl: GuestWord,
    DaclDefaulted: u8,
) -> Result<(), NtStatus> {
    let list = (DaclPresent != 0).then_some(Dacl);
    descriptor::set_list(guest, SecurityDescriptor, DACL, list, DaclDefaulted != 0)
}

alike! {
    fn(guest, part;
        SecurityDescriptor: GuestWord, sid: GuestWord, defaulted: GuestWord
    ) -> Result<(), NtStatus> {
        descriptor::get_sid(guest, SecurityDescriptor, part, sid, |value| put_boolean(guest, defaulted, value))
    }

    /// Returns the owner.
    ddi "ntifs/nf-ntifs-rtlgetownersecuritydescriptor"
    RtlGetOwnerSecurityDescriptor(SecurityDescriptor, Owner, OwnerDefaulted) = OWNER;

    /// Returns the primary group.
    ddi "ntifs/nf-ntifs-rtlgetgroupsecuritydescriptor"
    RtlGetGroupSecurityDescriptor(SecurityDescriptor, Group, GroupDefaulted) = GROUP;
}

alike! {
    fn(guest, part; SecurityDescriptor: GuestWord, sid: GuestWord, defaulted: u8) -> Result<(), NtStatus> {
        descriptor::set_sid(guest, SecurityDescriptor, part, sid, defaulted != 0)
    }

    /// Sets the owner of an absolute descriptor.
    ddi "ntifs/nf-ntifs-rtlsetownersecuritydescriptor"
    RtlSetOwnerSecurityDescriptor(SecurityDescriptor, Owner, OwnerDefaulted) = OWNER;

    /// Sets the primary group of an absolute descriptor.
    ddi "ntifs/nf-ntifs-rtlsetgroupsecuritydescriptor"
    RtlSetGroupSecurityDescriptor(SecurityDescriptor, Group, GroupDefaulted) = GROUP;
}

/// Returns the size of a descriptor with all its parts in bytes.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtllengthsecuritydescriptor>
#[winapi]
pub fn RtlLengthSecurityDescriptor(guest: &mut Guest, SecurityDescriptor: GuestWord) -> u32 {
    descriptor::length(guest, SecurityDescriptor).unwrap_or(0)
}

/// Says whether a descriptor is sound.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlvalidsecuritydescriptor>
#[winapi]
pub fn RtlValidSecurityDescriptor(guest: &mut Guest, SecurityDescriptor: GuestWord) -> u32 {
    u32::from(read_descriptor(guest, SecurityDescriptor.get()).is_ok())
}

/// Returns parts of an object's descriptor, for `GetKernelObjectSecurity` and its like too.
pub(crate) fn query(
    guest: &Guest,
    handle: GuestWord,
    information: u32,
    target: (GuestWord, u32),
    needed: GuestWord,
) -> Result<(), NtStatus> {
    let process = guest.process();
    let descriptor = process.object_security(&process.object(handle.get())?, information)?;
    put_descriptor(guest, &descriptor, (target.0.get(), target.1), needed.get())
}

/// Sets parts of an object's descriptor, for `SetKernelObjectSecurity` and its like too.
pub(crate) fn set(
    guest: &Guest,
    handle: GuestWord,
    information: u32,
    descriptor: GuestWord,
) -> Result<(), NtStatus> {
    let process = guest.process();
    let descriptor = read_descriptor(guest, descriptor.get())?;
    process.set_object_security(&process.object(handle.get())?, &descriptor, information)
}

/// Returns parts of an object's security descriptor.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntquerysecurityobject>
#[winapi]
pub fn NtQuerySecurityObject(
    guest: &mut Guest,
    Handle: GuestWord,
    SecurityInformation: u32,
    SecurityDescriptor: GuestWord,
    Length: u32,
    LengthNeeded: GuestWord,
) -> Result<(), NtStatus> {
    query(guest, Handle, SecurityInformation, (SecurityDescriptor, Length), LengthNeeded)
}

/// Sets parts of an object's security descriptor.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntsetsecurityobject>
#[winapi]
pub fn NtSetSecurityObject(
    guest: &mut Guest,
    Handle: GuestWord,
    SecurityInformation: u32,
    SecurityDescriptor: GuestWord,
) -> Result<(), NtStatus> {
    set(guest, Handle, SecurityInformation, SecurityDescriptor)
}
