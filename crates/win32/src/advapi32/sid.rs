//! securitybaseapi.h and sddl.h: security identifiers.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::logic::security::{Sid, sddl, sid, well_known};
use crate::nt::account::machine_domain;
use crate::nt::security_memory::{allocate, read_optional_sid, read_sid};
use crate::widths::{Width, both_widths};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full AllocateAndInitializeSid;
    full FreeSid;
    full InitializeSid;
    forward GetLengthSid => "ntdll.RtlLengthSid";
    full GetSidLengthRequired;
    forward GetSidSubAuthority => "ntdll.RtlSubAuthoritySid";
    forward GetSidSubAuthorityCount => "ntdll.RtlSubAuthorityCountSid";
    forward GetSidIdentifierAuthority => "ntdll.RtlIdentifierAuthoritySid";
    full IsValidSid;
    full CopySid;
    full EqualSid;
    full EqualPrefixSid;
    full EqualDomainSid;
    full GetWindowsAccountDomainSid;
    full CreateWellKnownSid;
    full IsWellKnownSid;
    full ConvertSidToStringSidA;
    full ConvertSidToStringSidW;
    full ConvertStringSidToSidA;
    full ConvertStringSidToSidW;
};

/// Says that something was done, or what Windows says about a status.
pub(super) fn done(result: Result<(), NtStatus>) -> Result<Bool, Win32Error> {
    result.map(|()| TRUE).map_err(Win32Error::from)
}

/// Writes a SID where there is room for it.
pub(crate) fn copy_sid(guest: &Guest, sid: &Sid, room: u32, target: u64) -> Result<(), NtStatus> {
    if sid.size() > room as usize {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    Ok(guest.write_bytes(target, &sid.to_bytes())?)
}

/// Writes a SID where `size` says how much room there is; it becomes the SID's size.
pub(super) fn put_sid(
    guest: &Guest,
    sid: &Sid,
    target: GuestWord,
    size: GuestWord,
) -> Result<(), Win32Error> {
    let room = guest.read_u32(size.get())?;
    guest.write(size.get(), &(sid.size() as u32))?;
    let room = if target.is_null() { 0 } else { room };
    copy_sid(guest, sid, room, target.get()).map_err(Win32Error::from)
}

/// Allocates a text of this form that `LocalFree` frees; returns its address and its length with the zero.
pub(super) fn allocate_text(guest: &Guest, width: Width, text: &str) -> Result<(u64, u32), NtStatus> {
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let bytes = match width {
        Width::Narrow => crate::nt::nls::narrow(&units),
        Width::Wide => units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
    };
    Ok((allocate(guest, &bytes)?, (bytes.len() / width.unit_bytes()) as u32))
}

/// Makes a SID of an authority and up to eight parts, for `RtlAllocateAndInitializeSid` too.
pub(crate) fn allocate_sid(
    guest: &Guest,
    authority: GuestWord,
    count: u8,
    parts: [u32; 8],
    target: GuestWord,
) -> Result<(), NtStatus> {
    if usize::from(count) > parts.len() {
        return Err(NtStatus::INVALID_SID);
    }
    let bytes = guest.read::<[u8; 6]>(authority.get())?;
    let authority = bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    let sid = Sid::new(authority, &parts[..usize::from(count)]);
    let place = allocate(guest, &sid.to_bytes())?;
    Ok(guest.write_word(target.get(), place)?)
}

/// Makes a SID without parts yet, for `RtlInitializeSid` too.
pub(crate) fn initialize(guest: &Guest, target: u64, authority: u64, count: u8) -> Result<(), NtStatus> {
    if usize::from(count) > sid::PARTS_MAX {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let authority = guest.read::<[u8; 6]>(authority)?;
    guest.write(target, &[sid::REVISION, count])?;
    Ok(guest.write_bytes(target + 2, &authority)?)
}

/// Allocates a SID of up to eight parts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-allocateandinitializesid>
#[winapi]
pub fn AllocateAndInitializeSid(
    guest: &mut Guest,
    pIdentifierAuthority: GuestWord,
    nSubAuthorityCount: u8,
    nSubAuthority0: u32,
    nSubAuthority1: u32,
    nSubAuthority2: u32,
    nSubAuthority3: u32,
    nSubAuthority4: u32,
    nSubAuthority5: u32,
    nSubAuthority6: u32,
    nSubAuthority7: u32,
    pSid: GuestWord,
) -> Result<Bool, Win32Error> {
    let parts = [
        nSubAuthority0,
        nSubAuthority1,
        nSubAuthority2,
        nSubAuthority3,
        nSubAuthority4,
        nSubAuthority5,
        nSubAuthority6,
        nSubAuthority7,
    ];
    done(allocate_sid(guest, pIdentifierAuthority, nSubAuthorityCount, parts, pSid))
}

/// Frees a SID.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-freesid>
#[winapi]
pub fn FreeSid(guest: &mut Guest, pSid: GuestWord) -> GuestWord {
    guest.process().heaps.free(0, pSid.get());
    GuestWord::NULL
}

/// Makes a SID in memory of the caller's; its parts are not set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-initializesid>
#[winapi]
pub fn InitializeSid(
    guest: &mut Guest,
    Sid: GuestWord,
    pIdentifierAuthority: GuestWord,
    nSubAuthorityCount: u8,
) -> Result<Bool, Win32Error> {
    done(initialize(guest, Sid.get(), pIdentifierAuthority.get(), nSubAuthorityCount))
}

/// Returns the size in bytes of a SID with so many parts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getsidlengthrequired>
#[winapi]
pub fn GetSidLengthRequired(guest: &mut Guest, nSubAuthorityCount: u8) -> u32 {
    let _ = guest;
    sid::HEADER as u32 + 4 * u32::from(nSubAuthorityCount)
}

/// Says whether a SID has the known revision and not too many parts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-isvalidsid>
#[winapi]
pub fn IsValidSid(guest: &mut Guest, pSid: GuestWord) -> Result<Bool, Win32Error> {
    read_sid(guest, pSid.get()).map(|_| TRUE).map_err(|_| Win32Error::INVALID_SID)
}

/// Copies a SID.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-copysid>
#[winapi]
pub fn CopySid(
    guest: &mut Guest,
    nDestinationSidLength: u32,
    pDestinationSid: GuestWord,
    pSourceSid: GuestWord,
) -> Result<Bool, Win32Error> {
    let copied = read_sid(guest, pSourceSid.get())
        .and_then(|sid| copy_sid(guest, &sid, nDestinationSidLength, pDestinationSid.get()));
    done(copied)
}

fn compare(
    guest: &Guest,
    a: GuestWord,
    b: GuestWord,
    same: impl Fn(&Sid, &Sid) -> bool,
) -> Result<Bool, Win32Error> {
    let (a, b) = (read_sid(guest, a.get())?, read_sid(guest, b.get())?);
    Ok(Bool(same(&a, &b)))
}

/// Says whether two SIDs are equal.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-equalsid>
#[winapi]
pub fn EqualSid(guest: &mut Guest, pSid1: GuestWord, pSid2: GuestWord) -> Result<Bool, Win32Error> {
    let equal = compare(guest, pSid1, pSid2, |a, b| a == b).unwrap_or(FALSE);
    guest.set_last_error(Win32Error::SUCCESS);
    Ok(equal)
}

/// Says whether two SIDs are equal but for their last parts.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-equalprefixsid>
#[winapi]
pub fn EqualPrefixSid(guest: &mut Guest, pSid1: GuestWord, pSid2: GuestWord) -> Result<Bool, Win32Error> {
    compare(guest, pSid1, pSid2, |a, b| {
        let domain = |sid: &Sid| sid.split().map(|(domain, _)| domain);
        domain(a).map_or(a == b, |of_a| Some(of_a) == domain(b))
    })
}

/// Says whether two SIDs are of one domain.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-equaldomainsid>
#[winapi]
pub fn EqualDomainSid(
    guest: &mut Guest,
    pSid1: GuestWord,
    pSid2: GuestWord,
    pfEqual: GuestWord,
) -> Result<Bool, Win32Error> {
    let domain = |sid: &Sid| match sid.account_domain() {
        None if sid.parts().first() == Some(&32) => Some(Sid::new(5, &[32])),
        domain => domain,
    };
    let (a, b) = (read_sid(guest, pSid1.get())?, read_sid(guest, pSid2.get())?);
    let (Some(a), Some(b)) = (domain(&a), domain(&b)) else { return Err(Win32Error::NON_DOMAIN_SID) };
    guest.write(pfEqual.get(), &u32::from(a == b))?;
    Ok(TRUE)
}

/// Returns the domain of an account's SID.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getwindowsaccountdomainsid>
#[winapi]
pub fn GetWindowsAccountDomainSid(
    guest: &mut Guest,
    pSid: GuestWord,
    pDomainSid: GuestWord,
    cbDomainSid: GuestWord,
) -> Result<Bool, Win32Error> {
    let sid = read_sid(guest, pSid.get())?;
    let domain = sid.account_domain().ok_or(Win32Error::NON_ACCOUNT_SID)?;
    put_sid(guest, &domain, pDomainSid, cbDomainSid)?;
    Ok(TRUE)
}

/// Makes the SID of a number of `WELL_KNOWN_SID_TYPE`; that of a domain is of the machine where none is given.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-createwellknownsid>
#[winapi]
pub fn CreateWellKnownSid(
    guest: &mut Guest,
    WellKnownSidType: u32,
    DomainSid: GuestWord,
    pSid: GuestWord,
    cbSid: GuestWord,
) -> Result<Bool, Win32Error> {
    let domain = read_optional_sid(guest, DomainSid.get())?;
    let sid = well_known::by_kind(WellKnownSidType, domain.as_ref().or(Some(machine_domain())));
    put_sid(guest, &sid.ok_or(Win32Error::INVALID_PARAMETER)?, pSid, cbSid)?;
    Ok(TRUE)
}

/// Says whether a SID is that of a number of `WELL_KNOWN_SID_TYPE`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-iswellknownsid>
#[winapi]
pub fn IsWellKnownSid(guest: &mut Guest, pSid: GuestWord, WellKnownSidType: u32) -> Result<Bool, Fault> {
    let Ok(sid) = read_sid(guest, pSid.get()) else { return Ok(FALSE) };
    Ok(Bool(well_known::is_kind(&sid, WellKnownSidType)))
}

fn to_text(guest: &Guest, width: Width, sid: GuestWord, target: GuestWord) -> Result<Bool, Win32Error> {
    if target.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if sid.is_null() {
        return Err(Win32Error::INVALID_SID);
    }
    let text = read_sid(guest, sid.get())?.to_string();
    guest.write_word(target.get(), allocate_text(guest, width, &text)?.0)?;
    Ok(TRUE)
}

fn from_text(guest: &Guest, width: Width, text: GuestWord, target: GuestWord) -> Result<Bool, Win32Error> {
    if text.is_null() || target.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let text = String::from_utf16_lossy(&width.read(guest, text)?);
    let sid = sddl::sid_from_text(&text, machine_domain()).ok_or(Win32Error::INVALID_SID)?;
    guest.write_word(target.get(), allocate(guest, &sid.to_bytes())?)?;
    Ok(TRUE)
}

both_widths! {
    /// Writes a SID's text form into memory that `LocalFree` frees.
    "sddl/nf-sddl-convertsidtostringsid"
    ConvertSidToStringSidA, ConvertSidToStringSidW(
        guest, width, Sid: GuestWord, StringSid: GuestWord
    ) -> Result<Bool, Win32Error> {
        to_text(guest, width, Sid, StringSid)
    }

    /// Reads a SID's text form, or its two letters in SDDL, into memory that `LocalFree` frees.
    "sddl/nf-sddl-convertstringsidtosid"
    ConvertStringSidToSidA, ConvertStringSidToSidW(
        guest, width, StringSid: GuestWord, Sid: GuestWord
    ) -> Result<Bool, Win32Error> {
        from_text(guest, width, StringSid, Sid)
    }
}
