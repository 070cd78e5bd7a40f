//! securitybaseapi.h: who may do what.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use super::token::token_of;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::security::access::{self, GenericMapping};
use crate::nt::security_memory::read_descriptor;
use crate::nt::token::TokenKind;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full AccessCheck;
    full MapGenericMask;
    full AreAllAccessesGranted;
    full AreAnyAccessesGranted;
};

/// `GENERIC_MAPPING`.
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct GENERIC_MAPPING {
    GenericRead: u32,
    GenericWrite: u32,
    GenericExecute: u32,
    GenericAll: u32,
}

fn read_mapping(guest: &Guest, address: GuestWord) -> Result<GenericMapping, Fault> {
    let mapping: GENERIC_MAPPING = guest.read(address.get())?;
    Ok(GenericMapping {
        read: mapping.GenericRead,
        write: mapping.GenericWrite,
        execute: mapping.GenericExecute,
        all: mapping.GenericAll,
    })
}

/// Checks what a descriptor allows whom an impersonation token speaks of.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-accesscheck>
#[winapi]
pub fn AccessCheck(
    guest: &mut Guest,
    pSecurityDescriptor: GuestWord,
    ClientToken: GuestWord,
    DesiredAccess: u32,
    GenericMapping: GuestWord,
    PrivilegeSet: GuestWord,
    PrivilegeSetLength: GuestWord,
    GrantedAccess: GuestWord,
    AccessStatus: GuestWord,
) -> Result<Bool, Win32Error> {
    /// An empty `PRIVILEGE_SET`, which has room for one.
    const PRIVILEGE_SET: u32 = 20;
    let descriptor = read_descriptor(guest, pSecurityDescriptor.get())?;
    let token = token_of(guest, ClientToken)?;
    if token.kind == TokenKind::Primary {
        return Err(Win32Error::NO_IMPERSONATION_TOKEN);
    }
    if descriptor.owner.is_none() || descriptor.group.is_none() {
        return Err(Win32Error::INVALID_SECURITY_DESCR);
    }
    const GENERIC: u32 =
        access::GENERIC_ALL | access::GENERIC_EXECUTE | access::GENERIC_READ | access::GENERIC_WRITE;
    if DesiredAccess & GENERIC != 0 {
        return Err(Win32Error::GENERIC_NOT_MAPPED);
    }
    let room = guest.read_u32(PrivilegeSetLength.get())?;
    guest.write(PrivilegeSetLength.get(), &PRIVILEGE_SET)?;
    if room < PRIVILEGE_SET {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write(PrivilegeSet.get(), &[0u32; 5])?;
    let mapping = read_mapping(guest, GenericMapping)?;
    let granted = access::check(&descriptor, &token.who(), DesiredAccess, &mapping);
    guest.write(GrantedAccess.get(), &granted.unwrap_or(0))?;
    guest.write(AccessStatus.get(), &u32::from(granted.is_some()))?;
    guest.set_last_error(if granted.is_some() { Win32Error::SUCCESS } else { Win32Error::ACCESS_DENIED });
    Ok(TRUE)
}

/// Replaces generic rights by what they mean.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-mapgenericmask>
#[winapi]
pub fn MapGenericMask(
    guest: &mut Guest,
    AccessMask: GuestWord,
    GenericMapping: GuestWord,
) -> Result<(), Fault> {
    let mask = guest.read_u32(AccessMask.get())?;
    let mapping = read_mapping(guest, GenericMapping)?;
    guest.write(AccessMask.get(), &mapping.map(mask))
}

/// Says whether all rights asked for were granted.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-areallaccessesgranted>
#[winapi]
pub fn AreAllAccessesGranted(guest: &mut Guest, GrantedAccess: u32, DesiredAccess: u32) -> Bool {
    let _ = guest;
    Bool(DesiredAccess & !GrantedAccess == 0)
}

/// Says whether any of the rights asked for was granted.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-areanyaccessesgranted>
#[winapi]
pub fn AreAnyAccessesGranted(guest: &mut Guest, GrantedAccess: u32, DesiredAccess: u32) -> Bool {
    let _ = guest;
    Bool(DesiredAccess & GrantedAccess != 0)
}
