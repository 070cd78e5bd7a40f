//! ncrypt.dll: keys that the system keeps. There is one store, Microsoft's software store, and it keeps no keys with names
//! yet: what looks for one finds none. Keys without a name are in [`keys`].

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;

pub mod keys;

/// Its exports: bcrypt.dll's functions, and its own.
const EXPORTS: &[Export] = dll! {
    forward BCryptCloseAlgorithmProvider => "bcrypt.BCryptCloseAlgorithmProvider";
    forward BCryptCreateHash => "bcrypt.BCryptCreateHash";
    forward BCryptDecrypt => "bcrypt.BCryptDecrypt";
    forward BCryptDeriveKey => "bcrypt.BCryptDeriveKey";
    forward BCryptDeriveKeyCapi => "bcrypt.BCryptDeriveKeyCapi";
    forward BCryptDeriveKeyPBKDF2 => "bcrypt.BCryptDeriveKeyPBKDF2";
    forward BCryptDestroyHash => "bcrypt.BCryptDestroyHash";
    forward BCryptDestroyKey => "bcrypt.BCryptDestroyKey";
    forward BCryptDestroySecret => "bcrypt.BCryptDestroySecret";
    forward BCryptDuplicateHash => "bcrypt.BCryptDuplicateHash";
    forward BCryptDuplicateKey => "bcrypt.BCryptDuplicateKey";
    forward BCryptEncrypt => "bcrypt.BCryptEncrypt";
    forward BCryptEnumAlgorithms => "bcrypt.BCryptEnumAlgorithms";
    forward BCryptEnumProviders => "bcrypt.BCryptEnumProviders";
    forward BCryptExportKey => "bcrypt.BCryptExportKey";
    forward BCryptFinalizeKeyPair => "bcrypt.BCryptFinalizeKeyPair";
    forward BCryptFinishHash => "bcrypt.BCryptFinishHash";
    forward BCryptFreeBuffer => "bcrypt.BCryptFreeBuffer";
    forward BCryptGenRandom => "bcrypt.BCryptGenRandom";
    forward BCryptGenerateKeyPair => "bcrypt.BCryptGenerateKeyPair";
    forward BCryptGenerateSymmetricKey => "bcrypt.BCryptGenerateSymmetricKey";
    forward BCryptGetFipsAlgorithmMode => "bcrypt.BCryptGetFipsAlgorithmMode";
    forward BCryptGetProperty => "bcrypt.BCryptGetProperty";
    forward BCryptHashData => "bcrypt.BCryptHashData";
    forward BCryptImportKey => "bcrypt.BCryptImportKey";
    forward BCryptImportKeyPair => "bcrypt.BCryptImportKeyPair";
    forward BCryptOpenAlgorithmProvider => "bcrypt.BCryptOpenAlgorithmProvider";
    forward BCryptSecretAgreement => "bcrypt.BCryptSecretAgreement";
    forward BCryptSetProperty => "bcrypt.BCryptSetProperty";
    forward BCryptSignHash => "bcrypt.BCryptSignHash";
    forward BCryptVerifySignature => "bcrypt.BCryptVerifySignature";
    partial NCryptOpenStorageProvider, "the software store only";
    partial NCryptOpenKey, "the store has no keys";
};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "ncrypt.dll",
    description: "Windows NCrypt Router",
    tables: &[EXPORTS, keys::EXPORTS],
    methods: &[],
};

/// `MS_KEY_STORAGE_PROVIDER`.
const SOFTWARE: &str = "Microsoft Software Key Storage Provider";
/// `NTE_BAD_KEYSET`: no key of this name.
const NO_KEY: u32 = 0x8009_0016;
/// `NTE_PROV_DLL_NOT_FOUND`: no store of this name.
const NO_STORE: u32 = 0x8009_001e;
/// `NTE_INVALID_HANDLE`.
const BAD_HANDLE: u32 = 0x8009_0026;
/// `NTE_INVALID_PARAMETER`.
const BAD_PARAMETER: u32 = 0x8009_0027;
/// `NTE_NOT_SUPPORTED`.
const NOT_SUPPORTED: u32 = 0x8009_0029;

/// An open store.
struct Store;

fn is_store(guest: &Guest, handle: GuestWord) -> bool {
    guest.process().cryptography.get::<Store>(handle.get()).is_some()
}

/// Opens a store; null names the software store.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptopenstorageprovider>
#[winapi]
pub fn NCryptOpenStorageProvider(
    guest: &mut Guest,
    phProvider: GuestWord,
    pszProviderName: GuestWord,
    dwFlags: u32,
) -> Result<u32, Fault> {
    let _ = dwFlags;
    if phProvider.is_null() {
        return Ok(BAD_PARAMETER);
    }
    if !pszProviderName.is_null() {
        let name = String::from_utf16_lossy(&guest.read_wide_string(pszProviderName.get())?);
        if !name.eq_ignore_ascii_case(SOFTWARE) {
            return Ok(NO_STORE);
        }
    }
    let handle = guest.process().cryptography.add(Store);
    guest.write_word(phProvider.get(), handle).map(|()| 0)
}

/// Opens a key of a store: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptopenkey>
#[winapi]
pub fn NCryptOpenKey(
    guest: &mut Guest,
    hProvider: GuestWord,
    phKey: GuestWord,
    pszKeyName: GuestWord,
    dwLegacyKeySpec: u32,
    dwFlags: u32,
) -> u32 {
    let _ = (phKey, pszKeyName, dwLegacyKeySpec, dwFlags);
    if is_store(guest, hProvider) { NO_KEY } else { BAD_HANDLE }
}
