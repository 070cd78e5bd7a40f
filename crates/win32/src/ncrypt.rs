//! ncrypt.dll: the table of contents. Keys that the system keeps are not there yet.

use crate::dll;
use crate::export::{Dll, Export};

/// Its exports: each says that plat does not have it when it is called.
const EXPORTS: &[Export] = dll! {
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
