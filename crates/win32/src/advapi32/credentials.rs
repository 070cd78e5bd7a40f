//! wincred.h: credentials that Windows keeps for users. There is no such store: nothing is found, and nothing is taken.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::token;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CredReadA; full CredReadW; full CredReadDomainCredentialsA; full CredReadDomainCredentialsW;
    full CredEnumerateA; full CredEnumerateW; full CredDeleteA; full CredDeleteW; full CredRenameA; full CredRenameW;
    full CredGetTargetInfoA; full CredGetTargetInfoW; full CredFree; full CredGetSessionTypes;
    full CredIsMarshaledCredentialA; full CredIsMarshaledCredentialW;
    partial CredWriteA, "nothing is kept: ERROR_NO_SUCH_LOGON_SESSION";
    partial CredWriteW, "nothing is kept: ERROR_NO_SUCH_LOGON_SESSION";
    partial CredWriteDomainCredentialsA, "nothing is kept: ERROR_NO_SUCH_LOGON_SESSION";
    partial CredWriteDomainCredentialsW, "nothing is kept: ERROR_NO_SUCH_LOGON_SESSION";
    full AllocateLocallyUniqueId;
    partial ImpersonateAnonymousToken, "refused: ERROR_ACCESS_DENIED";
    partial InitiateSystemShutdownA, "refused: a program may not stop the machine";
    partial InitiateSystemShutdownW, "refused: a program may not stop the machine";
    partial InitiateSystemShutdownExA, "refused: a program may not stop the machine";
    partial InitiateSystemShutdownExW, "refused: a program may not stop the machine";
    partial AbortSystemShutdownA, "refused: a program may not stop the machine";
    partial AbortSystemShutdownW, "refused: a program may not stop the machine";
};

/// `ERROR_NOT_FOUND`.
const NOT_FOUND: Win32Error = Win32Error(1168);
/// `ERROR_NO_SUCH_LOGON_SESSION`: what Windows answers a user without a store.
const NO_STORE: Win32Error = Win32Error(1312);

answers! {
    "Says that there is no such credential." -> Result<Bool, Win32Error> = Err(NOT_FOUND) => {
        "wincred/nf-wincred-credread" CredReadA, CredReadW(TargetName: GuestWord, Type: u32, Flags: u32, Credential: GuestWord);
        "wincred/nf-wincred-credreaddomaincredentials"
        CredReadDomainCredentialsA, CredReadDomainCredentialsW(TargetInfo: GuestWord, Flags: u32, Count: GuestWord, Credential: GuestWord);
        "wincred/nf-wincred-credenumerate"
        CredEnumerateA, CredEnumerateW(Filter: GuestWord, Flags: u32, Count: GuestWord, Credential: GuestWord);
        "wincred/nf-wincred-creddelete" CredDeleteA, CredDeleteW(TargetName: GuestWord, Type: u32, Flags: u32);
        "wincred/nf-wincred-credrename"
        CredRenameA, CredRenameW(OldTargetName: GuestWord, NewTargetName: GuestWord, Type: u32, Flags: u32);
        "wincred/nf-wincred-credgettargetinfo"
        CredGetTargetInfoA, CredGetTargetInfoW(TargetName: GuestWord, Flags: u32, TargetInfo: GuestWord);
    }
    "Refuses to keep a credential." -> Result<Bool, Win32Error> = Err(NO_STORE) => {
        "wincred/nf-wincred-credwrite" CredWriteA, CredWriteW(Credential: GuestWord, Flags: u32);
        "wincred/nf-wincred-credwritedomaincredentials"
        CredWriteDomainCredentialsA, CredWriteDomainCredentialsW(TargetInfo: GuestWord, Credential: GuestWord, Flags: u32);
    }
    "Says that a name is no credential in disguise: none was ever made." -> Bool = crate::guest::FALSE => {
        "wincred/nf-wincred-credismarshaledcredential"
        CredIsMarshaledCredentialA, CredIsMarshaledCredentialW(MarshaledCredential: GuestWord);
    }
    "Frees nothing: no credential was given out." -> () = () => {
        "wincred/nf-wincred-credfree" CredFree(Buffer: GuestWord);
    }
    "Refuses to stand for nobody." -> Result<Bool, Win32Error> = Err(Win32Error::ACCESS_DENIED) => {
        "securitybaseapi/nf-securitybaseapi-impersonateanonymoustoken" ImpersonateAnonymousToken(ThreadHandle: GuestWord);
    }
    "Refuses to stop the machine, and to keep it from stopping." -> Result<Bool, Win32Error> = Err(Win32Error::ACCESS_DENIED) => {
        "winreg/nf-winreg-initiatesystemshutdown"
        InitiateSystemShutdownA, InitiateSystemShutdownW(
            lpMachineName: GuestWord, lpMessage: GuestWord, dwTimeout: u32, bForceAppsClosed: Bool, bRebootAfterShutdown: Bool
        );
        "winreg/nf-winreg-initiatesystemshutdownex"
        InitiateSystemShutdownExA, InitiateSystemShutdownExW(
            lpMachineName: GuestWord, lpMessage: GuestWord, dwTimeout: u32, bForceAppsClosed: Bool,
            bRebootAfterShutdown: Bool, dwReason: u32
        );
        "winreg/nf-winreg-abortsystemshutdown" AbortSystemShutdownA, AbortSystemShutdownW(lpMachineName: GuestWord);
    }
}

/// Says that no kind of credential is kept for longer than nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincred/nf-wincred-credgetsessiontypes>
#[winapi]
pub fn CredGetSessionTypes(
    guest: &mut Guest,
    MaximumPersistCount: u32,
    MaximumPersist: GuestWord,
) -> Result<Bool, Win32Error> {
    let bytes = vec![0; MaximumPersistCount.min(0x100) as usize * 4];
    guest.write_bytes(MaximumPersist.get(), &bytes)?;
    Ok(TRUE)
}

/// Returns a number that was given to nobody else since the process began.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-allocatelocallyuniqueid>
#[winapi]
pub fn AllocateLocallyUniqueId(guest: &mut Guest, Luid: GuestWord) -> Result<Bool, Win32Error> {
    guest.write(Luid.get(), &token::unique_id())?;
    Ok(TRUE)
}
