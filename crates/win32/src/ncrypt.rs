//! ncrypt.dll: the table of contents. Keys that the system keeps are not there yet.

use crate::dll;
use crate::export::{Dll, Export};

/// Its exports: bcrypt.dll's functions, and names of its own that say that plat does not have them when they are called.
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
    stub NCryptCreatePersistedKey;
    stub NCryptDecrypt;
    stub NCryptDeleteKey;
    stub NCryptEncrypt;
    stub NCryptExportKey;
    stub NCryptFinalizeKey;
    stub NCryptFreeObject;
    stub NCryptGetProperty;
    stub NCryptImportKey;
    stub NCryptOpenKey;
    stub NCryptOpenStorageProvider;
    stub NCryptSetProperty;
    stub NCryptSignHash;
    stub NCryptVerifySignature;
};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "ncrypt.dll", description: "Windows NCrypt Router", tables: &[EXPORTS], methods: &[] };
