//! aclapi.h and securitybaseapi.h: security descriptors. Files have none here, and the functions say so.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetFileSecurityA, "always ERROR_NOT_SUPPORTED: Unix files have no security descriptors";
    partial GetFileSecurityW, "always ERROR_NOT_SUPPORTED: Unix files have no security descriptors";
    partial SetFileSecurityA, "always ERROR_NOT_SUPPORTED: Unix files have no security descriptors";
    partial SetFileSecurityW, "always ERROR_NOT_SUPPORTED: Unix files have no security descriptors";
    full InitializeSecurityDescriptor;
    full SetSecurityDescriptorDacl;
    stub GetNamedSecurityInfoW;
    stub SetNamedSecurityInfoW;
    stub AllocateAndInitializeSid;
    stub FreeSid;
    stub CheckTokenMembership;
    stub InitializeAcl;
    stub AddAccessAllowedAce;
    stub ConvertStringSecurityDescriptorToSecurityDescriptorW;
};

/// `SECURITY_DESCRIPTOR_REVISION`.
const REVISION: u32 = 1;
/// `SE_DACL_PRESENT`.
const DACL_PRESENT: u16 = 4;
/// `SE_DACL_DEFAULTED`.
const DACL_DEFAULTED: u16 = 8;
/// `ERROR_UNKNOWN_REVISION`.
const UNKNOWN_REVISION: Win32Error = Win32Error(1305);

/// Refuses: files have no security descriptors.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getfilesecuritya>
#[winapi]
pub fn GetFileSecurityA(
    guest: &mut Guest,
    lpFileName: GuestWord,
    RequestedInformation: u32,
    pSecurityDescriptor: GuestWord,
    nLength: u32,
    lpnLengthNeeded: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, lpFileName, RequestedInformation, pSecurityDescriptor, nLength, lpnLengthNeeded);
    Err(Win32Error::NOT_SUPPORTED)
}

/// Refuses: files have no security descriptors.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-setfilesecuritya>
#[winapi]
pub fn SetFileSecurityA(
    guest: &mut Guest,
    lpFileName: GuestWord,
    SecurityInformation: u32,
    pSecurityDescriptor: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, lpFileName, SecurityInformation, pSecurityDescriptor);
    Err(Win32Error::NOT_SUPPORTED)
}

/// Refuses: files have no security descriptors.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getfilesecurityw>
#[winapi]
pub fn GetFileSecurityW(
    guest: &mut Guest,
    lpFileName: GuestWord,
    RequestedInformation: u32,
    pSecurityDescriptor: GuestWord,
    nLength: u32,
    lpnLengthNeeded: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, lpFileName, RequestedInformation, pSecurityDescriptor, nLength, lpnLengthNeeded);
    Err(Win32Error::NOT_SUPPORTED)
}

/// Refuses: files have no security descriptors.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-setfilesecurityw>
#[winapi]
pub fn SetFileSecurityW(
    guest: &mut Guest,
    lpFileName: GuestWord,
    SecurityInformation: u32,
    pSecurityDescriptor: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, lpFileName, SecurityInformation, pSecurityDescriptor);
    Err(Win32Error::NOT_SUPPORTED)
}

/// Makes an empty absolute security descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-initializesecuritydescriptor>
#[winapi]
pub fn InitializeSecurityDescriptor(
    guest: &mut Guest,
    pSecurityDescriptor: GuestWord,
    dwRevision: u32,
) -> Result<Bool, Win32Error> {
    if dwRevision != REVISION {
        return Err(UNKNOWN_REVISION);
    }
    // Revision, padding and control in four bytes, then four pointers.
    let is_64 = guest.machine().is_64();
    guest.write_bytes(pSecurityDescriptor.get(), &vec![0; if is_64 { 40 } else { 20 }])?;
    guest.write(pSecurityDescriptor.get(), &(REVISION as u8))?;
    Ok(TRUE)
}

/// Sets the discretionary list of a security descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-setsecuritydescriptordacl>
#[winapi]
pub fn SetSecurityDescriptorDacl(
    guest: &mut Guest,
    pSecurityDescriptor: GuestWord,
    bDaclPresent: Bool,
    pDacl: GuestWord,
    bDaclDefaulted: Bool,
) -> Result<Bool, Win32Error> {
    let descriptor = pSecurityDescriptor.get();
    let control = guest.read::<u16>(descriptor + 2)? & !(DACL_PRESENT | DACL_DEFAULTED);
    let set = |flag: u16, condition: bool| if condition { flag } else { 0 };
    let control = control | set(DACL_PRESENT, bDaclPresent.0) | set(DACL_DEFAULTED, bDaclDefaulted.0);
    guest.write(descriptor + 2, &control)?;
    if bDaclPresent.0 {
        let at = if guest.machine().is_64() { 32 } else { 16 };
        guest.write_word(descriptor + at, pDacl.get())?;
    }
    Ok(TRUE)
}
