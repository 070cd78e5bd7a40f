//! ncrypt.h: keys without a name, which live as long as their handles. What is done with them, bcrypt.dll's functions do.
//!
//! Key type: `StoreKey`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, Raw, Return, winapi};

use super::{BAD_HANDLE, BAD_PARAMETER, NOT_SUPPORTED, SOFTWARE, Store, is_store};
use crate::NtStatus;
use crate::bcrypt::algorithm::{Algorithm, Kind, text};
use crate::bcrypt::cipher::{BCryptDecrypt, BCryptEncrypt};
use crate::bcrypt::derive::{BCryptDeriveKey, Secret};
use crate::bcrypt::key::{BCryptExportKey, Key, Material};
use crate::bcrypt::pair::{
    BCryptFinalizeKeyPair, BCryptSecretAgreement, BCryptSignHash, BCryptVerifySignature, import,
};
use crate::bcrypt::property::{give, numbers, text_of, wide};
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::crypto::ecc::Curve;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NCryptCreatePersistedKey, "keys without a name only";
    partial NCryptImportKey, "keys without a name only, and no PKCS #8";
    partial NCryptExportKey, "no PKCS #8"; full NCryptFinalizeKey; full NCryptDeleteKey; full NCryptFreeObject;
    partial NCryptGetProperty, "of what Windows knows only what these keys have";
    partial NCryptSetProperty, "what these keys do not have is kept and changes nothing";
    full NCryptEncrypt; full NCryptDecrypt; full NCryptSignHash; full NCryptVerifySignature;
    full NCryptSecretAgreement; full NCryptDeriveKey; full NCryptIsAlgSupported; full NCryptIsKeyHandle;
    full NCryptEnumKeys; full NCryptFreeBuffer;
};

/// `NTE_BAD_SIGNATURE`, `NTE_NOT_FOUND`, `NTE_FAIL`, `NTE_BUFFER_TOO_SMALL`, `NTE_NO_MORE_ITEMS`, `NTE_BAD_KEY_STATE`.
const BAD_SIGNATURE: u32 = 0x8009_0006;
const NOT_FOUND: u32 = 0x8009_0011;
const FAIL: u32 = 0x8009_0020;
const BUFFER_TOO_SMALL: u32 = 0x8009_0028;
const NO_MORE_ITEMS: u32 = 0x8009_002a;
const BAD_KEY_STATE: u32 = 0x8009_000b;

/// `NCRYPT_ALLOW_EXPORT_FLAG | NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG`: what lets a private key out.
const ALLOWS_EXPORT: u32 = 3;
/// `NCRYPT_SILENT_FLAG`: ask the user nothing. Nobody is asked anyway.
const SILENT: u32 = 0x40;
/// `NCRYPT_DO_NOT_FINALIZE_FLAG`.
const DO_NOT_FINALIZE: u32 = 0x400;

/// Why a call fails, as these functions say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(u32);

impl<E: Into<NtStatus>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(match error.into() {
            NtStatus::INVALID_SIGNATURE => BAD_SIGNATURE,
            NtStatus::INVALID_HANDLE => BAD_HANDLE,
            NtStatus::INVALID_PARAMETER | NtStatus::ACCESS_VIOLATION | NtStatus::INVALID_BUFFER_SIZE => {
                BAD_PARAMETER
            }
            NtStatus::NOT_SUPPORTED => NOT_SUPPORTED,
            NtStatus::NOT_FOUND => NOT_FOUND,
            NtStatus::BUFFER_TOO_SMALL => BUFFER_TOO_SMALL,
            _ => FAIL,
        })
    }
}

/// What a function here answers.
pub type Outcome<T = ()> = Result<T, Refusal>;

impl Return<Guest> for Outcome {
    fn finish(self, _: &mut Guest) -> Raw {
        Raw::Integer(self.err().map_or(0, |refusal| refusal.0.into()))
    }
}

/// Checks what functions of a store are given: the store, and then that nothing they need is null.
fn check_store(guest: &Guest, store: GuestWord, needed: &[GuestWord]) -> Outcome {
    if !is_store(guest, store) {
        return Err(Refusal(BAD_HANDLE));
    }
    check_given(needed)
}

/// Refuses null where a function needs something.
fn check_given(needed: &[GuestWord]) -> Outcome {
    if needed.iter().any(|place| place.is_null()) { Err(Refusal(BAD_PARAMETER)) } else { Ok(()) }
}

/// A key of the store.
struct StoreKey {
    /// The handle of the key that does the work.
    inner: u64,
    key: Arc<Key>,
    state: Mutex<State>,
}

/// What may change of it.
#[derive(Debug)]
struct State {
    is_finished: bool,
    export_policy: u32,
    usage: u32,
    /// Properties that mean nothing here, as they were set.
    others: HashMap<String, Vec<u8>>,
}

impl StoreKey {
    fn of(guest: &Guest, handle: GuestWord) -> Outcome<Arc<Self>> {
        guest.process().cryptography.get(handle.get()).ok_or(Refusal(BAD_HANDLE))
    }

    /// Returns the handle of a finished key that does the work.
    fn finished(guest: &Guest, handle: GuestWord) -> Outcome<GuestWord> {
        let key = Self::of(guest, handle)?;
        if lock(&key.state).is_finished { Ok(GuestWord(key.inner)) } else { Err(Refusal(BAD_KEY_STATE)) }
    }

    fn bits(&self) -> u32 {
        let state = lock(&self.key.state);
        state.settings.curve.map_or_else(|| state.material.bits(), Curve::bits)
    }

    fn group(&self) -> &'static str {
        match self.key.algorithm.kind {
            Kind::Ecdsa(_) => "ECDSA",
            Kind::Ecdh(_) => "ECDH",
            _ => "RSA",
        }
    }

    /// Returns the value of a property.
    fn get(&self, guest: &Guest, name: &str) -> Option<Vec<u8>> {
        const USER_MAY_EXPORT_SIZE: u32 = 64;
        let state = lock(&self.state);
        Some(match name {
            "Algorithm Name" => wide(self.key.algorithm.name),
            "Algorithm Group" => wide(self.group()),
            "Length" | "PublicKeyLength" => numbers(&[self.bits()]),
            "Lengths" if self.group() == "RSA" => numbers(&[512, 16384, USER_MAY_EXPORT_SIZE, 2048]),
            "Lengths" => numbers(&[self.bits(), self.bits(), 0, self.bits()]),
            "SignatureLength" => numbers(&[lock(&self.key.state).material.signature_bytes()?]),
            "Block Length" if self.group() == "RSA" => numbers(&[self.bits().div_ceil(8)]),
            "ECCCurveName" => wide(lock(&self.key.state).settings.curve?.names()[0]),
            "Export Policy" => numbers(&[state.export_policy]),
            "Key Usage" => numbers(&[state.usage]),
            "Key Type" => numbers(&[0]),
            "Provider Handle" => guest.word_bytes(guest.process().cryptography.add(Store)),
            other => return state.others.get(other).cloned(),
        })
    }

    /// Sets a property.
    fn set(&self, name: &str, value: &[u8]) -> Outcome {
        let number =
            || value.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).ok_or(Refusal(BAD_PARAMETER));
        let mut state = lock(&self.state);
        match name {
            "Length" | "ECCCurveName" if state.is_finished => return Err(Refusal(BAD_KEY_STATE)),
            "Length" => self.set_length(number()?)?,
            "ECCCurveName" => self.set_curve(&text_of(value))?,
            "Export Policy" => state.export_policy = number()?,
            "Key Usage" => state.usage = number()?,
            "Algorithm Name" | "Algorithm Group" | "Lengths" | "Key Type" => {
                return Err(Refusal(NOT_SUPPORTED));
            }
            _ => drop(state.others.insert(name.to_owned(), value.to_vec())),
        }
        Ok(())
    }

    fn set_length(&self, bits: u32) -> Outcome {
        let fits = match self.key.algorithm.kind {
            Kind::Rsa => (512..=16384).contains(&bits) && bits.is_multiple_of(64),
            _ => bits == self.bits(),
        };
        if !fits {
            return Err(Refusal(NOT_SUPPORTED));
        }
        lock(&self.key.state).material = Material::Unfinished { bits };
        Ok(())
    }

    fn set_curve(&self, name: &str) -> Outcome {
        if !matches!(self.key.algorithm.kind, Kind::Ecdsa(None) | Kind::Ecdh(None)) {
            return Err(Refusal(NOT_SUPPORTED));
        }
        let is_named = |curve: &Curve| curve.names().iter().any(|other| other.eq_ignore_ascii_case(name));
        let curve = Curve::ALL.into_iter().find(is_named).ok_or(Refusal(NOT_SUPPORTED))?;
        let mut state = lock(&self.key.state);
        (state.settings.curve, state.material) = (Some(curve), Material::Unfinished { bits: curve.bits() });
        Ok(())
    }
}

/// Adds a key to the process and writes its handle.
fn give_key(guest: &Guest, key: Key, is_finished: bool, into: GuestWord) -> Outcome {
    const ALL_USES: u32 = 0xff_ffff;
    let objects = &guest.process().cryptography;
    let inner = objects.add(key);
    let key = objects.get(inner).ok_or(Refusal(FAIL))?;
    let others = HashMap::new();
    let state = Mutex::new(State { is_finished, export_policy: 0, usage: ALL_USES, others });
    let handle = objects.add(StoreKey { inner, key, state });
    Ok(guest.write_word(into.get(), handle)?)
}

/// Opens an algorithm that has pairs of keys.
fn pair_algorithm(name: &str) -> Option<Arc<Algorithm>> {
    let found = Algorithm::named(name, 0)?;
    matches!(found.kind, Kind::Rsa | Kind::Ecdsa(_) | Kind::Ecdh(_)).then(|| Arc::new(found))
}

/// Begins a key; `NCryptFinalizeKey` makes it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptcreatepersistedkey>
#[winapi]
pub fn NCryptCreatePersistedKey(
    guest: &mut Guest,
    hProvider: GuestWord,
    phKey: GuestWord,
    pszAlgId: GuestWord,
    pszKeyName: GuestWord,
    dwLegacyKeySpec: u32,
    dwFlags: u32,
) -> Outcome {
    const RSA_BITS: u32 = 2048;
    let _ = (dwLegacyKeySpec, dwFlags);
    check_store(guest, hProvider, &[phKey, pszAlgId])?;
    let algorithm = pair_algorithm(&text(guest, pszAlgId)?).ok_or(Refusal(NOT_SUPPORTED))?;
    if !pszKeyName.is_null() {
        return Err(Refusal(NOT_SUPPORTED));
    }
    let curve = lock(&algorithm.state).curve;
    let bits = if algorithm.kind == Kind::Rsa { RSA_BITS } else { curve.map_or(0, Curve::bits) };
    give_key(guest, Key::new(algorithm, Material::Unfinished { bits }), false, phKey)
}

/// Makes the key that was begun.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptfinalizekey>
#[winapi]
pub fn NCryptFinalizeKey(guest: &mut Guest, hKey: GuestWord, dwFlags: u32) -> Outcome {
    let _ = dwFlags;
    let key = StoreKey::of(guest, hKey)?;
    if lock(&key.state).is_finished {
        return Err(Refusal(BAD_KEY_STATE));
    }
    if matches!(lock(&key.key.state).material, Material::Unfinished { bits: 0 }) {
        return Err(Refusal(BAD_PARAMETER));
    }
    let is_unfinished = matches!(lock(&key.key.state).material, Material::Unfinished { .. });
    if is_unfinished {
        BCryptFinalizeKeyPair(guest, GuestWord(key.inner), 0)?;
    }
    lock(&key.state).is_finished = true;
    Ok(())
}

/// Makes a key from a blob, which tells its algorithm.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptimportkey>
#[winapi]
pub fn NCryptImportKey(
    guest: &mut Guest,
    hProvider: GuestWord,
    hImportKey: GuestWord,
    pszBlobType: GuestWord,
    pParameterList: GuestWord,
    phKey: GuestWord,
    pbData: GuestWord,
    cbData: u32,
    dwFlags: u32,
) -> Outcome {
    let _ = pParameterList;
    check_store(guest, hProvider, &[pszBlobType, phKey, pbData])?;
    let blob_type = text(guest, pszBlobType)?;
    let blob = guest.read_vec(pbData.get(), u64::from(cbData))?;
    let general = match blob.get(..3) {
        Some(b"RSA") => "RSA",
        Some(b"ECS") => "ECDSA",
        Some(b"ECK") => "ECDH",
        _ => return Err(Refusal(NOT_SUPPORTED)),
    };
    if !hImportKey.is_null() {
        return Err(Refusal(NOT_SUPPORTED));
    }
    let kind = pair_algorithm(general).ok_or(Refusal(FAIL))?.kind;
    let material = import(kind, &blob_type, &blob)?;
    let name = match &material {
        Material::Curve(key) => format!("{general}_P{}", key.curve.bits()),
        _ => general.to_owned(),
    };
    let algorithm = pair_algorithm(&name).ok_or(Refusal(FAIL))?;
    give_key(guest, Key::new(algorithm, material), dwFlags & DO_NOT_FINALIZE == 0, phKey)
}

/// Returns a key as a blob; a private one only where its policy lets it out.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptexportkey>
#[winapi]
pub fn NCryptExportKey(
    guest: &mut Guest,
    hKey: GuestWord,
    hExportKey: GuestWord,
    pszBlobType: GuestWord,
    pParameterList: GuestWord,
    pbOutput: GuestWord,
    cbOutput: u32,
    pcbResult: GuestWord,
    dwFlags: u32,
) -> Outcome {
    let _ = pParameterList;
    let inner = StoreKey::finished(guest, hKey)?;
    let may_leave = lock(&StoreKey::of(guest, hKey)?.state).export_policy & ALLOWS_EXPORT == ALLOWS_EXPORT;
    if text(guest, pszBlobType)?.contains("PRIVATE") && !may_leave {
        return Err(Refusal(NOT_SUPPORTED));
    }
    let flags = dwFlags & !SILENT;
    Ok(BCryptExportKey(guest, inner, hExportKey, pszBlobType, pbOutput, cbOutput, pcbResult, flags)?)
}

/// Returns the value of a property of a store or a key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptgetproperty>
#[winapi]
pub fn NCryptGetProperty(
    guest: &mut Guest,
    hObject: GuestWord,
    pszProperty: GuestWord,
    pbOutput: GuestWord,
    cbOutput: u32,
    pcbResult: GuestWord,
    dwFlags: u32,
) -> Outcome {
    /// `NCRYPT_IMPL_SOFTWARE_FLAG`; the longest name of a key.
    const IN_SOFTWARE: u32 = 2;
    const NAME_MAX: u32 = 259;
    let _ = dwFlags;
    check_given(&[pszProperty, pcbResult])?;
    let name = text(guest, pszProperty)?;
    let value = if is_store(guest, hObject) {
        match name.as_str() {
            "Name" => Some(wide(SOFTWARE)),
            "Impl Type" => Some(numbers(&[IN_SOFTWARE])),
            "Max Name Length" => Some(numbers(&[NAME_MAX])),
            "Version" => Some(numbers(&[0x1_0000])),
            _ => return Err(Refusal(NOT_SUPPORTED)),
        }
    } else {
        StoreKey::of(guest, hObject)?.get(guest, &name)
    };
    Ok(give(guest, &value.ok_or(Refusal(NOT_FOUND))?, pbOutput, cbOutput, pcbResult)?)
}

/// Sets a property of a key; stores have none that may be set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptsetproperty>
#[winapi]
pub fn NCryptSetProperty(
    guest: &mut Guest,
    hObject: GuestWord,
    pszProperty: GuestWord,
    pbInput: GuestWord,
    cbInput: u32,
    dwFlags: u32,
) -> Outcome {
    let _ = dwFlags;
    if is_store(guest, hObject) {
        return Err(Refusal(NOT_SUPPORTED));
    }
    let key = StoreKey::of(guest, hObject)?;
    check_given(&[pszProperty, pbInput])?;
    key.set(&text(guest, pszProperty)?, &guest.read_vec(pbInput.get(), u64::from(cbInput))?)
}

/// Gives a store, a key or a secret up.
fn free(guest: &Guest, handle: GuestWord) -> Outcome {
    let objects = &guest.process().cryptography;
    if let Some(key) = objects.remove::<StoreKey>(handle.get()) {
        objects.remove::<Key>(key.inner);
        return Ok(());
    }
    let was_one =
        objects.remove::<Store>(handle.get()).is_some() || objects.remove::<Secret>(handle.get()).is_some();
    if was_one { Ok(()) } else { Err(Refusal(BAD_HANDLE)) }
}

/// Gives a store, a key or a secret up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptfreeobject>
#[winapi]
pub fn NCryptFreeObject(guest: &mut Guest, hObject: GuestWord) -> Outcome {
    free(guest, hObject)
}

/// Removes a key: one without a name is nowhere but behind its handle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptdeletekey>
#[winapi]
pub fn NCryptDeleteKey(guest: &mut Guest, hKey: GuestWord, dwFlags: u32) -> Outcome {
    let _ = dwFlags;
    StoreKey::of(guest, hKey)?;
    free(guest, hKey)
}

/// Says whether a handle is one of a key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptiskeyhandle>
#[winapi]
pub fn NCryptIsKeyHandle(guest: &mut Guest, hKey: GuestWord) -> Bool {
    Bool(StoreKey::of(guest, hKey).is_ok())
}

/// Says whether the store has keys of an algorithm.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptisalgsupported>
#[winapi]
pub fn NCryptIsAlgSupported(
    guest: &mut Guest,
    hProvider: GuestWord,
    pszAlgId: GuestWord,
    dwFlags: u32,
) -> Outcome {
    let _ = dwFlags;
    check_store(guest, hProvider, &[pszAlgId])?;
    pair_algorithm(&text(guest, pszAlgId)?).map(drop).ok_or(Refusal(NOT_SUPPORTED))
}

/// Lists the keys with names: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptenumkeys>
#[winapi]
pub fn NCryptEnumKeys(
    guest: &mut Guest,
    hProvider: GuestWord,
    pszScope: GuestWord,
    ppKeyName: GuestWord,
    ppEnumState: GuestWord,
    dwFlags: u32,
) -> u32 {
    let _ = (pszScope, ppKeyName, ppEnumState, dwFlags);
    if is_store(guest, hProvider) { NO_MORE_ITEMS } else { BAD_HANDLE }
}

/// Gives memory back that a function here gave: none does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptfreebuffer>
#[winapi]
pub fn NCryptFreeBuffer(guest: &mut Guest, pvInput: GuestWord) -> u32 {
    let _ = (guest, pvInput);
    0
}

/// Defines functions that bcrypt.dll's do once the keys of handles are found.
macro_rules! by_bcrypt {
    ($($what:literal $page:literal $name:ident($guest:ident $(, $key:ident)*; $($param:ident: $type:ty),*) $call:expr;)+) => {$(
        #[doc = $what]
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-", $page, ">")]
        #[winapi]
        pub fn $name($guest: &mut Guest, $($key: GuestWord,)* $($param: $type),*) -> Outcome {
            $(let $key = StoreKey::finished($guest, $key)?;)*
            Ok($call?)
        }
    )+};
}

by_bcrypt! {
    "Encrypts with a key." "ncryptencrypt"
    NCryptEncrypt(guest, hKey; pbInput: GuestWord, cbInput: u32, pPaddingInfo: GuestWord, pbOutput: GuestWord,
        cbOutput: u32, pcbResult: GuestWord, dwFlags: u32)
        BCryptEncrypt(guest, hKey, pbInput, cbInput, pPaddingInfo, GuestWord::NULL, 0, pbOutput, cbOutput, pcbResult,
            dwFlags & !SILENT);

    "Decrypts with a key." "ncryptdecrypt"
    NCryptDecrypt(guest, hKey; pbInput: GuestWord, cbInput: u32, pPaddingInfo: GuestWord, pbOutput: GuestWord,
        cbOutput: u32, pcbResult: GuestWord, dwFlags: u32)
        BCryptDecrypt(guest, hKey, pbInput, cbInput, pPaddingInfo, GuestWord::NULL, 0, pbOutput, cbOutput, pcbResult,
            dwFlags & !SILENT);

    "Signs a hash." "ncryptsignhash"
    NCryptSignHash(guest, hKey; pPaddingInfo: GuestWord, pbHashValue: GuestWord, cbHashValue: u32,
        pbSignature: GuestWord, cbSignature: u32, pcbResult: GuestWord, dwFlags: u32)
        BCryptSignHash(guest, hKey, pPaddingInfo, pbHashValue, cbHashValue, pbSignature, cbSignature, pcbResult,
            dwFlags & !SILENT);

    "Checks a signature." "ncryptverifysignature"
    NCryptVerifySignature(guest, hKey; pPaddingInfo: GuestWord, pbHashValue: GuestWord, cbHashValue: u32,
        pbSignature: GuestWord, cbSignature: u32, dwFlags: u32)
        BCryptVerifySignature(guest, hKey, pPaddingInfo, pbHashValue, cbHashValue, pbSignature, cbSignature,
            dwFlags & !SILENT);

    "Makes the secret that a private key shares with the owner of a public key." "ncryptsecretagreement"
    NCryptSecretAgreement(guest, hPrivKey, hPubKey; phAgreedSecret: GuestWord, dwFlags: u32)
        BCryptSecretAgreement(guest, hPrivKey, hPubKey, phAgreedSecret, dwFlags & !SILENT);

    "Makes a key of a shared secret." "ncryptderivekey"
    NCryptDeriveKey(guest; hSharedSecret: GuestWord, pwszKDF: GuestWord, pParameterList: GuestWord,
        pbDerivedKey: GuestWord, cbDerivedKey: u32, pcbResult: GuestWord, dwFlags: u32)
        BCryptDeriveKey(guest, hSharedSecret, pwszKDF, pParameterList, pbDerivedKey, cbDerivedKey, pcbResult,
            dwFlags & !SILENT);
}
