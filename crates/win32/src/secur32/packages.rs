//! sspi.h: security packages. There are none: who asks for one hears `SEC_E_SECPKG_NOT_FOUND`, and programs go without.

use std::sync::OnceLock;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::process::Symbol;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial AcceptSecurityContext, "there are no security packages";
    partial AcquireCredentialsHandleA, "there are no security packages";
    partial AcquireCredentialsHandleW, "there are no security packages";
    partial AddCredentialsA, "there are no security packages";
    partial AddCredentialsW, "there are no security packages";
    partial ApplyControlToken, "there are no security packages";
    partial CompleteAuthToken, "there are no security packages";
    partial DecryptMessage, "there are no security packages";
    partial DeleteSecurityContext, "there are no security packages";
    partial EncryptMessage, "there are no security packages";
    full EnumerateSecurityPackagesA;
    full EnumerateSecurityPackagesW;
    partial ExportSecurityContext, "there are no security packages";
    full FreeContextBuffer;
    partial FreeCredentialsHandle, "there are no security packages";
    partial ImpersonateSecurityContext, "there are no security packages";
    partial ImportSecurityContextA, "there are no security packages";
    partial ImportSecurityContextW, "there are no security packages";
    full InitSecurityInterfaceA;
    full InitSecurityInterfaceW;
    partial InitializeSecurityContextA, "there are no security packages";
    partial InitializeSecurityContextW, "there are no security packages";
    partial MakeSignature, "there are no security packages";
    partial QueryContextAttributesA, "there are no security packages";
    partial QueryContextAttributesW, "there are no security packages";
    partial QueryCredentialsAttributesA, "there are no security packages";
    partial QueryCredentialsAttributesW, "there are no security packages";
    partial QuerySecurityContextToken, "there are no security packages";
    partial QuerySecurityPackageInfoA, "there are no security packages";
    partial QuerySecurityPackageInfoW, "there are no security packages";
    partial RevertSecurityContext, "there are no security packages";
    partial SetContextAttributesA, "there are no security packages";
    partial SetContextAttributesW, "there are no security packages";
    partial VerifySignature, "there are no security packages";
};

/// `SEC_E_OK`.
const OK: u32 = 0;
/// `SEC_E_INSUFFICIENT_MEMORY`.
const INSUFFICIENT_MEMORY: u32 = 0x8009_0300;
/// `SEC_E_INVALID_HANDLE`: no credentials and no context can be those of a package.
const INVALID_HANDLE: u32 = 0x8009_0301;
/// `SEC_E_SECPKG_NOT_FOUND`.
const PACKAGE_NOT_FOUND: u32 = 0x8009_0305;

answers! {
    "Takes a client's token into a context; there is none.", "sspi/nf-sspi-acceptsecuritycontext";
    AcceptSecurityContext(
        phCredential: GuestWord, phContext: GuestWord, pInput: GuestWord, fContextReq: u32, TargetDataRep: u32,
        phNewContext: GuestWord, pOutput: GuestWord, pfContextAttr: GuestWord, ptsExpiry: GuestWord
    ) -> u32 = INVALID_HANDLE;
    "Applies a token to a context; there is none.", "sspi/nf-sspi-applycontroltoken";
    ApplyControlToken(phContext: GuestWord, pInput: GuestWord) -> u32 = INVALID_HANDLE;
    "Completes a token; there is no context.", "sspi/nf-sspi-completeauthtoken";
    CompleteAuthToken(phContext: GuestWord, pToken: GuestWord) -> u32 = INVALID_HANDLE;
    "Decrypts a message; there is no context.", "sspi/nf-sspi-decryptmessage";
    DecryptMessage(phContext: GuestWord, pMessage: GuestWord, MessageSeqNo: u32, pfQOP: GuestWord) -> u32 = INVALID_HANDLE;
    "Deletes a context; there is none.", "sspi/nf-sspi-deletesecuritycontext";
    DeleteSecurityContext(phContext: GuestWord) -> u32 = INVALID_HANDLE;
    "Encrypts a message; there is no context.", "sspi/nf-sspi-encryptmessage";
    EncryptMessage(phContext: GuestWord, fQOP: u32, pMessage: GuestWord, MessageSeqNo: u32) -> u32 = INVALID_HANDLE;
    "Makes a context portable; there is none.", "sspi/nf-sspi-exportsecuritycontext";
    ExportSecurityContext(
        phContext: GuestWord, fFlags: u32, pPackedContext: GuestWord, pToken: GuestWord
    ) -> u32 = INVALID_HANDLE;
    "Frees credentials; there are none.", "sspi/nf-sspi-freecredentialshandle";
    FreeCredentialsHandle(phCredential: GuestWord) -> u32 = INVALID_HANDLE;
    "Takes the client's place; there is no context.", "sspi/nf-sspi-impersonatesecuritycontext";
    ImpersonateSecurityContext(phContext: GuestWord) -> u32 = INVALID_HANDLE;
    "Signs a message; there is no context.", "sspi/nf-sspi-makesignature";
    MakeSignature(phContext: GuestWord, fQOP: u32, pMessage: GuestWord, MessageSeqNo: u32) -> u32 = INVALID_HANDLE;
    "Returns the token of a context; there is none.", "sspi/nf-sspi-querysecuritycontexttoken";
    QuerySecurityContextToken(phContext: GuestWord, Token: GuestWord) -> u32 = INVALID_HANDLE;
    "Gives the client's place up; there is no context.", "sspi/nf-sspi-revertsecuritycontext";
    RevertSecurityContext(phContext: GuestWord) -> u32 = INVALID_HANDLE;
    "Checks a signature; there is no context.", "sspi/nf-sspi-verifysignature";
    VerifySignature(phContext: GuestWord, pMessage: GuestWord, MessageSeqNo: u32, pfQOP: GuestWord) -> u32 = INVALID_HANDLE;
    "Acquires credentials of a package; there is none.", "sspi/nf-sspi-acquirecredentialshandle";
    AcquireCredentialsHandleA, AcquireCredentialsHandleW(
        pszPrincipal: GuestWord, pszPackage: GuestWord, fCredentialUse: u32, pvLogonId: GuestWord, pAuthData: GuestWord,
        pGetKeyFn: GuestWord, pvGetKeyArgument: GuestWord, phCredential: GuestWord, ptsExpiry: GuestWord
    ) -> u32 = PACKAGE_NOT_FOUND;
    "Adds credentials of a package; there is none.", "sspi/nf-sspi-addcredentials";
    AddCredentialsA, AddCredentialsW(
        hCredentials: GuestWord, pszPrincipal: GuestWord, pszPackage: GuestWord, fCredentialUse: u32,
        pAuthData: GuestWord, pGetKeyFn: GuestWord, pvGetKeyArgument: GuestWord, ptsExpiry: GuestWord
    ) -> u32 = PACKAGE_NOT_FOUND;
    "Takes a context that was made portable; there is no package.", "sspi/nf-sspi-importsecuritycontext";
    ImportSecurityContextA, ImportSecurityContextW(
        pszPackage: GuestWord, pPackedContext: GuestWord, Token: GuestWord, phContext: GuestWord
    ) -> u32 = PACKAGE_NOT_FOUND;
    "Begins or goes on with a context; there are no credentials.", "sspi/nf-sspi-initializesecuritycontext";
    InitializeSecurityContextA, InitializeSecurityContextW(
        phCredential: GuestWord, phContext: GuestWord, pszTargetName: GuestWord, fContextReq: u32, Reserved1: u32,
        TargetDataRep: u32, pInput: GuestWord, Reserved2: u32, phNewContext: GuestWord, pOutput: GuestWord,
        pfContextAttr: GuestWord, ptsExpiry: GuestWord
    ) -> u32 = INVALID_HANDLE;
    "Tells facts about a context; there is none.", "sspi/nf-sspi-querycontextattributes";
    QueryContextAttributesA, QueryContextAttributesW(
        phContext: GuestWord, ulAttribute: u32, pBuffer: GuestWord
    ) -> u32 = INVALID_HANDLE;
    "Tells facts about credentials; there are none.", "sspi/nf-sspi-querycredentialsattributes";
    QueryCredentialsAttributesA, QueryCredentialsAttributesW(
        phCredential: GuestWord, ulAttribute: u32, pBuffer: GuestWord
    ) -> u32 = INVALID_HANDLE;
    "Tells facts about a package; there is none.", "sspi/nf-sspi-querysecuritypackageinfo";
    QuerySecurityPackageInfoA, QuerySecurityPackageInfoW(
        pszPackageName: GuestWord, ppPackageInfo: GuestWord
    ) -> u32 = PACKAGE_NOT_FOUND;
    "Sets facts of a context; there is none.", "sspi/nf-sspi-setcontextattributes";
    SetContextAttributesA, SetContextAttributesW(
        phContext: GuestWord, ulAttribute: u32, pBuffer: GuestWord, cbBuffer: u32
    ) -> u32 = INVALID_HANDLE;
}

/// The functions in the order of `SecurityFunctionTable`, version 1; those that end with `?` have two forms.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sspi/ns-sspi-securityfunctiontablew>
const TABLE: [&str; 28] = [
    "EnumerateSecurityPackages?",
    "QueryCredentialsAttributes?",
    "AcquireCredentialsHandle?",
    "FreeCredentialsHandle",
    "",
    "InitializeSecurityContext?",
    "AcceptSecurityContext",
    "CompleteAuthToken",
    "DeleteSecurityContext",
    "ApplyControlToken",
    "QueryContextAttributes?",
    "ImpersonateSecurityContext",
    "RevertSecurityContext",
    "MakeSignature",
    "VerifySignature",
    "FreeContextBuffer",
    "QuerySecurityPackageInfo?",
    "",
    "",
    "ExportSecurityContext",
    "ImportSecurityContext?",
    "AddCredentials?",
    "",
    "QuerySecurityContextToken",
    "EncryptMessage",
    "DecryptMessage",
    "SetContextAttributes?",
    "",
];

/// Makes the table of one form: its version, then addresses.
fn make_table(guest: &mut Guest, width: Width) -> Option<u64> {
    let process = guest.process();
    let word = process.machine.pointer_size();
    let own: Vec<u16> = super::DLL.name.encode_utf16().collect();
    let module = process.loader().module_named(&own)?.base;
    let table = process.heaps.allocate(0, word * (TABLE.len() as u64 + 1), true)?;
    guest.write_word(table, 2).ok()?;
    let letter = if width == Width::Wide { "W" } else { "A" };
    for (index, name) in TABLE.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let name = name.replace('?', letter);
        let address = process.loader().symbol(guest, module, Symbol::Name(&name)).ok()?;
        guest.write_word(table + word * (index as u64 + 1), address).ok()?;
    }
    Some(table)
}

/// The tables of both forms, made when a program asks.
static TABLES: [OnceLock<u64>; 2] = [const { OnceLock::new() }; 2];

both_widths! {
    /// Returns a table of the functions of security packages.
    "sspi/nf-sspi-initsecurityinterface"
    InitSecurityInterfaceA, InitSecurityInterfaceW(guest, width) -> GuestWord {
        let known = &TABLES[width as usize];
        if let Some(&table) = known.get() {
            return GuestWord(table);
        }
        let table = make_table(guest, width);
        GuestWord(table.map_or(0, |table| *known.get_or_init(|| table)))
    }

    /// Lists the security packages: none.
    "sspi/nf-sspi-enumeratesecuritypackages"
    EnumerateSecurityPackagesA, EnumerateSecurityPackagesW(
        guest, width, pcPackages: GuestWord, ppPackageInfo: GuestWord
    ) -> Result<u32, Fault> {
        let _ = width;
        let Some(list) = guest.process().heaps.allocate(0, 8, true) else { return Ok(INSUFFICIENT_MEMORY) };
        guest.write(pcPackages.get(), &0_u32)?;
        guest.write_word(ppPackageInfo.get(), list)?;
        Ok(OK)
    }
}

/// Frees what a function of this file allocated.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sspi/nf-sspi-freecontextbuffer>
#[winapi]
pub fn FreeContextBuffer(guest: &mut Guest, pvContextBuffer: GuestWord) -> u32 {
    let is_block = guest.process().heaps.free(0, pvContextBuffer.get());
    if is_block { OK } else { INVALID_HANDLE }
}
