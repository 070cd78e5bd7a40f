//! securitybaseapi.h: access control lists in memory of the caller's.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::sid::done;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::security::Acl;
use crate::logic::security::ace::{self, Ace, Body};
use crate::logic::security::acl::{HEADER, REVISION, REVISION_DS};
use crate::nt::security_memory::{read_acl, read_sid};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full InitializeAcl;
    full AddAce;
    full AddAccessAllowedAce;
    full AddAccessAllowedAceEx;
    full AddAccessDeniedAce;
    full AddAccessDeniedAceEx;
    full AddAuditAccessAce;
    full AddMandatoryAce;
    full AddAccessAllowedObjectAce;
    full GetAce;
    full FindFirstFreeAce;
    full DeleteAce;
    full GetAclInformation;
    full SetAclInformation;
    full IsValidAcl;
};

/// Changes a list where it lies.
pub(crate) fn change(
    guest: &Guest,
    address: GuestWord,
    change: impl FnOnce(&mut Acl) -> Result<(), NtStatus>,
) -> Result<(), NtStatus> {
    let mut list = read_acl(guest, address.get())?;
    change(&mut list)?;
    Ok(guest.write_bytes(address.get(), list.bytes())?)
}

/// Makes an empty list, for `RtlCreateAcl` too.
pub(crate) fn create(guest: &Guest, address: GuestWord, size: u32, revision: u32) -> Result<(), NtStatus> {
    let revision = u8::try_from(revision).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let list = Acl::empty(size as usize, revision)?;
    // What lies behind the header is not touched.
    Ok(guest.write_bytes(address.get(), &list.bytes()[..HEADER])?)
}

/// What an entry is to say about someone.
pub(crate) struct Wish {
    pub(crate) kind: u8,
    pub(crate) flags: u32,
    pub(crate) mask: u32,
    pub(crate) sid: GuestWord,
}

/// Adds an entry about someone at the end, for `RtlAddAccessAllowedAce` and its like too.
pub(crate) fn add(guest: &Guest, list: GuestWord, revision: u32, wish: &Wish) -> Result<(), NtStatus> {
    let sid = read_sid(guest, wish.sid.get())?;
    add_entry(guest, list, revision, &Ace::new(wish.kind, wish.flags as u8, wish.mask, sid))
}

fn add_entry(guest: &Guest, list: GuestWord, revision: u32, ace: &Ace) -> Result<(), NtStatus> {
    if !(u32::from(REVISION)..=u32::from(REVISION_DS)).contains(&revision) {
        return Err(NtStatus::REVISION_MISMATCH);
    }
    change(guest, list, |list| list.insert(usize::MAX, &ace.to_bytes(), revision as u8))
}

/// Stores the address of an entry, for `RtlGetAce` too.
pub(crate) fn get(guest: &Guest, list: GuestWord, index: u32, target: GuestWord) -> Result<(), NtStatus> {
    let place = read_acl(guest, list.get())?.place(index as usize).ok_or(NtStatus::INVALID_PARAMETER)?;
    Ok(guest.write_word(target.get(), list.get() + place as u64)?)
}

/// Makes an empty list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-initializeacl>
#[winapi]
pub fn InitializeAcl(
    guest: &mut Guest,
    pAcl: GuestWord,
    nAclLength: u32,
    dwAclRevision: u32,
) -> Result<Bool, Win32Error> {
    done(create(guest, pAcl, nAclLength, dwAclRevision))
}

/// Adds entries that lie in a row before the entry of a number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-addace>
#[winapi]
pub fn AddAce(
    guest: &mut Guest,
    pAcl: GuestWord,
    dwAceRevision: u32,
    dwStartingAceIndex: u32,
    pAceList: GuestWord,
    nAceListLength: u32,
) -> Result<Bool, Win32Error> {
    let entries = guest.read_vec(pAceList.get(), nAceListLength.into())?;
    let index = usize::try_from(dwStartingAceIndex).unwrap_or(usize::MAX);
    done(change(guest, pAcl, |list| list.insert(index, &entries, dwAceRevision as u8)))
}

alike! {
    fn(guest, kind;
        pAcl: GuestWord, dwAceRevision: u32, AccessMask: u32, pSid: GuestWord
    ) -> Result<Bool, Win32Error> {
        done(add(guest, pAcl, dwAceRevision, &Wish { kind, flags: 0, mask: AccessMask, sid: pSid }))
    }

    /// Adds an entry that allows.
    "securitybaseapi/nf-securitybaseapi-addaccessallowedace"
    AddAccessAllowedAce = ace::ALLOWED;

    /// Adds an entry that denies.
    "securitybaseapi/nf-securitybaseapi-addaccessdeniedace"
    AddAccessDeniedAce = ace::DENIED;
}

alike! {
    fn(guest, kind;
        pAcl: GuestWord, dwAceRevision: u32, AceFlags: u32, AccessMask: u32, pSid: GuestWord
    ) -> Result<Bool, Win32Error> {
        done(add(guest, pAcl, dwAceRevision, &Wish { kind, flags: AceFlags, mask: AccessMask, sid: pSid }))
    }

    /// Adds an entry that allows, with flags of inheritance.
    "securitybaseapi/nf-securitybaseapi-addaccessallowedaceex"
    AddAccessAllowedAceEx = ace::ALLOWED;

    /// Adds an entry that denies, with flags of inheritance.
    "securitybaseapi/nf-securitybaseapi-addaccessdeniedaceex"
    AddAccessDeniedAceEx = ace::DENIED;

    /// Adds a label of integrity.
    "securitybaseapi/nf-securitybaseapi-addmandatoryace"
    AddMandatoryAce(pAcl, dwAceRevision, AceFlags, MandatoryPolicy, pLabelSid) = ace::LABEL;
}

/// Adds an entry that has access reported.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-addauditaccessace>
#[winapi]
pub fn AddAuditAccessAce(
    guest: &mut Guest,
    pAcl: GuestWord,
    dwAceRevision: u32,
    dwAccessMask: u32,
    pSid: GuestWord,
    bAuditSuccess: Bool,
    bAuditFailure: Bool,
) -> Result<Bool, Win32Error> {
    let flags = u32::from(bAuditSuccess.0) << 6 | u32::from(bAuditFailure.0) << 7;
    done(add(guest, pAcl, dwAceRevision, &Wish { kind: ace::AUDIT, flags, mask: dwAccessMask, sid: pSid }))
}

/// Adds an entry that allows something about one kind of object.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-addaccessallowedobjectace>
#[winapi]
pub fn AddAccessAllowedObjectAce(
    guest: &mut Guest,
    pAcl: GuestWord,
    dwAceRevision: u32,
    AceFlags: u32,
    AccessMask: u32,
    ObjectTypeGuid: GuestWord,
    InheritedObjectTypeGuid: GuestWord,
    pSid: GuestWord,
) -> Result<Bool, Win32Error> {
    let guid = |at: GuestWord| match at.is_null() {
        true => Ok::<_, Fault>(None),
        false => guest.read::<[u8; 16]>(at.get()).map(Some),
    };
    let (object, inherited) = (guid(ObjectTypeGuid)?, guid(InheritedObjectTypeGuid)?);
    let sid = read_sid(guest, pSid.get())?;
    let body = Body::Object { mask: AccessMask, object, inherited, sid, rest: Vec::new() };
    let ace = Ace { kind: ace::ALLOWED_OBJECT, flags: AceFlags as u8, body };
    done(add_entry(guest, pAcl, dwAceRevision, &ace))
}

/// Returns the address of an entry.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getace>
#[winapi]
pub fn GetAce(
    guest: &mut Guest,
    pAcl: GuestWord,
    dwAceIndex: u32,
    pAce: GuestWord,
) -> Result<Bool, Win32Error> {
    done(get(guest, pAcl, dwAceIndex, pAce))
}

/// Returns the address of the first free byte; null where the list is full.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-findfirstfreeace>
#[winapi]
pub fn FindFirstFreeAce(guest: &mut Guest, pAcl: GuestWord, pAce: GuestWord) -> Result<Bool, Win32Error> {
    let list = read_acl(guest, pAcl.get())?;
    let used = list.used();
    let place = if used < list.bytes().len() { pAcl.get() + used as u64 } else { 0 };
    guest.write_word(pAce.get(), place)?;
    Ok(TRUE)
}

/// Takes an entry out.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-deleteace>
#[winapi]
pub fn DeleteAce(guest: &mut Guest, pAcl: GuestWord, dwAceIndex: u32) -> Result<Bool, Win32Error> {
    done(change(guest, pAcl, |list| list.delete(dwAceIndex as usize)))
}

/// Describes a list: its revision (1), or its count and sizes (2).
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getaclinformation>
#[winapi]
pub fn GetAclInformation(
    guest: &mut Guest,
    pAcl: GuestWord,
    pAclInformation: GuestWord,
    nAclInformationLength: u32,
    dwAclInformationClass: u32,
) -> Result<Bool, Win32Error> {
    let list = read_acl(guest, pAcl.get())?;
    let numbers = match dwAclInformationClass {
        1 => vec![u32::from(list.revision())],
        2 => {
            let used = list.used();
            vec![list.count() as u32, used as u32, (list.bytes().len() - used) as u32]
        }
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    if (nAclInformationLength as usize) < 4 * numbers.len() {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    guest.write_bytes(pAclInformation.get(), &bytes)?;
    Ok(TRUE)
}

/// Raises a list's revision.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-setaclinformation>
#[winapi]
pub fn SetAclInformation(
    guest: &mut Guest,
    pAcl: GuestWord,
    pAclInformation: GuestWord,
    nAclInformationLength: u32,
    dwAclInformationClass: u32,
) -> Result<Bool, Win32Error> {
    if dwAclInformationClass != 1 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if nAclInformationLength < 4 {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    let revision = guest.read_u32(pAclInformation.get())?;
    let list = read_acl(guest, pAcl.get())?;
    if revision < list.revision().into() || revision > REVISION_DS.into() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write(pAcl.get(), &(revision as u8))?;
    Ok(TRUE)
}

/// Says whether a list is sound.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-isvalidacl>
#[winapi]
pub fn IsValidAcl(guest: &mut Guest, pAcl: GuestWord) -> Result<Bool, Win32Error> {
    read_acl(guest, pAcl.get()).map(|_| TRUE).map_err(|_| Win32Error::INVALID_ACL)
}
