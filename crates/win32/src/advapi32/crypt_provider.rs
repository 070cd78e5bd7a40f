//! wincrypt.h: providers of the older cryptography, CryptoAPI.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::crypt_key::CapiKey;
use crate::Win32Error;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::nls;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CryptAcquireContextA, "key containers last as long as the process";
    partial CryptAcquireContextW, "key containers last as long as the process";
    full CryptReleaseContext;
    full CryptContextAddRef;
    partial CryptGetProvParam, "names, type, version, container, algorithms";
    partial CryptSetProvParam, "the window, prompts, PINs and descriptors are taken and change nothing";
    full CryptEnumProvidersA;
    full CryptEnumProvidersW;
    full CryptGetDefaultProviderA;
    full CryptGetDefaultProviderW;
};

/// Errors of CryptoAPI.
///
/// Source: <https://learn.microsoft.com/windows/win32/com/com-error-codes-4>
pub(crate) mod nte {
    use crate::Win32Error;
    use crate::logic::crypto::CryptoError;

    /// `NTE_BAD_HASH`.
    pub(crate) const BAD_HASH: Win32Error = Win32Error(0x8009_0002);
    /// `NTE_BAD_KEY`.
    pub(crate) const BAD_KEY: Win32Error = Win32Error(0x8009_0003);
    /// `NTE_BAD_LEN`.
    pub(crate) const BAD_LEN: Win32Error = Win32Error(0x8009_0004);
    /// `NTE_BAD_DATA`.
    pub(crate) const BAD_DATA: Win32Error = Win32Error(0x8009_0005);
    /// `NTE_BAD_SIGNATURE`.
    pub(crate) const BAD_SIGNATURE: Win32Error = Win32Error(0x8009_0006);
    /// `NTE_BAD_VER`.
    pub(crate) const BAD_VER: Win32Error = Win32Error(0x8009_0007);
    /// `NTE_BAD_ALGID`.
    pub(crate) const BAD_ALGID: Win32Error = Win32Error(0x8009_0008);
    /// `NTE_BAD_FLAGS`.
    pub(crate) const BAD_FLAGS: Win32Error = Win32Error(0x8009_0009);
    /// `NTE_BAD_TYPE`.
    pub(crate) const BAD_TYPE: Win32Error = Win32Error(0x8009_000a);
    /// `NTE_BAD_KEY_STATE`.
    pub(crate) const BAD_KEY_STATE: Win32Error = Win32Error(0x8009_000b);
    /// `NTE_BAD_HASH_STATE`.
    pub(crate) const BAD_HASH_STATE: Win32Error = Win32Error(0x8009_000c);
    /// `NTE_NO_KEY`.
    pub(crate) const NO_KEY: Win32Error = Win32Error(0x8009_000d);
    /// `NTE_EXISTS`.
    pub(crate) const EXISTS: Win32Error = Win32Error(0x8009_000f);
    /// `NTE_BAD_PROV_TYPE`.
    pub(crate) const BAD_PROV_TYPE: Win32Error = Win32Error(0x8009_0014);
    /// `NTE_BAD_KEYSET`.
    pub(crate) const BAD_KEYSET: Win32Error = Win32Error(0x8009_0016);
    /// `NTE_PROV_TYPE_NOT_DEF`.
    pub(crate) const PROV_TYPE_NOT_DEF: Win32Error = Win32Error(0x8009_0017);
    /// `NTE_KEYSET_NOT_DEF`.
    pub(crate) const KEYSET_NOT_DEF: Win32Error = Win32Error(0x8009_0019);
    /// `NTE_PROV_TYPE_NO_MATCH`.
    pub(crate) const PROV_TYPE_NO_MATCH: Win32Error = Win32Error(0x8009_001b);

    impl From<CryptoError> for Win32Error {
        /// Translates what a rule refused.
        fn from(error: CryptoError) -> Self {
            match error {
                CryptoError::KeyLength(_) => BAD_KEY,
                CryptoError::DataLength(_) => BAD_LEN,
                CryptoError::Parameter | CryptoError::Unsupported => Self::INVALID_PARAMETER,
                CryptoError::Padding | CryptoError::Tag | CryptoError::Malformed => BAD_DATA,
                CryptoError::Signature => BAD_SIGNATURE,
            }
        }
    }
}

/// Every provider: its type, its name; the default of a type comes first.
///
/// Source: <https://learn.microsoft.com/windows/win32/seccrypto/microsoft-cryptographic-service-providers>
const PROVIDERS: &[(u32, &str)] = &[
    (1, "Microsoft Strong Cryptographic Provider"),
    (1, "Microsoft Enhanced Cryptographic Provider v1.0"),
    (1, "Microsoft Base Cryptographic Provider v1.0"),
    (12, "Microsoft RSA SChannel Cryptographic Provider"),
    (24, "Microsoft Enhanced RSA and AES Cryptographic Provider"),
    (24, "Microsoft Enhanced RSA and AES Cryptographic Provider (Prototype)"),
];

/// `PROV_RSA_AES`.
const RSA_AES: u32 = 24;

/// The pairs of keys of a container: for exchange, for signatures.
pub(crate) type Pairs = Arc<Mutex<[Option<Arc<CapiKey>>; 2]>>;

/// A named container of keys.
struct Container {
    kind: u32,
    name: String,
    pairs: Pairs,
}

/// The containers that this process made.
#[derive(Default)]
struct Containers(Mutex<Vec<Container>>);

/// An opened provider.
pub(crate) struct Provider {
    pub(crate) kind: u32,
    name: &'static str,
    container: String,
    /// The pairs; nothing for one that was opened for verification only.
    pub(crate) pairs: Option<Pairs>,
    state: Mutex<ProviderState>,
}

struct ProviderState {
    references: u32,
    /// Where an enumeration of algorithms stands.
    next_algorithm: usize,
}

impl Provider {
    /// Says whether it has the algorithms of AES and SHA-2.
    pub(crate) fn is_new(&self) -> bool {
        self.kind == RSA_AES
    }

    /// Says whether its keys of RC2 and RC4 have 40 bits where nothing is said.
    pub(crate) fn is_weak(&self) -> bool {
        self.name.contains("Base")
    }
}

/// Returns the provider of a handle.
pub(crate) fn provider(guest: &Guest, handle: GuestWord) -> Result<Arc<Provider>, Win32Error> {
    guest.process().cryptography.get(handle.get()).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Finds a provider by its type and its name, which may be empty.
fn find(kind: u32, name: &str) -> Result<&'static str, Win32Error> {
    if kind == 0 || kind > 999 {
        return Err(nte::BAD_PROV_TYPE);
    }
    if name.is_empty() {
        return PROVIDERS.iter().find(|row| row.0 == kind).map(|row| row.1).ok_or(nte::PROV_TYPE_NOT_DEF);
    }
    let of_name = |row: &&(u32, &'static str)| row.1.eq_ignore_ascii_case(name);
    match PROVIDERS.iter().filter(of_name).find(|row| row.0 == kind) {
        Some(row) => Ok(row.1),
        None if PROVIDERS.iter().any(|row| of_name(&row)) => Err(nte::PROV_TYPE_NO_MATCH),
        None => Err(nte::KEYSET_NOT_DEF),
    }
}

const NEW_KEYSET: u32 = 8;
const DELETE_KEYSET: u32 = 0x10;
/// `CRYPT_VERIFYCONTEXT`.
const VERIFY_CONTEXT: u32 = 0xf000_0000;

/// The handle of the list of containers, which is made at its first use.
static CONTAINERS: std::sync::OnceLock<Containers> = std::sync::OnceLock::new();

/// Opens, makes or deletes a container; returns its pairs, if it is to be used.
fn container(kind: u32, name: &str, flags: u32) -> Result<Option<Pairs>, Win32Error> {
    if flags & VERIFY_CONTEXT == VERIFY_CONTEXT {
        return if name.is_empty() { Ok(None) } else { Err(nte::BAD_FLAGS) };
    }
    let mut list = lock(&CONTAINERS.get_or_init(Containers::default).0);
    let place = list.iter().position(|other| other.kind == kind && other.name.eq_ignore_ascii_case(name));
    match place {
        Some(_) if flags & NEW_KEYSET != 0 => Err(nte::EXISTS),
        Some(place) if flags & DELETE_KEYSET != 0 => {
            list.remove(place);
            Ok(None)
        }
        Some(place) => Ok(Some(Arc::clone(&list[place].pairs))),
        None if flags & NEW_KEYSET != 0 => {
            let pairs = Pairs::default();
            list.push(Container { kind, name: name.to_owned(), pairs: Arc::clone(&pairs) });
            Ok(Some(pairs))
        }
        None => Err(nte::BAD_KEYSET),
    }
}

/// Opens a provider of a type and a name with a container; returns its handle, or nothing where the container was deleted.
pub(crate) fn open(
    guest: &Guest,
    (kind, wanted): (u32, &str),
    container_name: &str,
    flags: u32,
) -> Result<Option<u64>, Win32Error> {
    let name = find(kind, wanted)?;
    let pairs = container(kind, container_name, flags)?;
    if flags & DELETE_KEYSET != 0 {
        return Ok(None);
    }
    let state = Mutex::new(ProviderState { references: 1, next_algorithm: 0 });
    let provider = Provider { kind, name, container: container_name.to_owned(), pairs, state };
    Ok(Some(guest.process().cryptography.add(provider)))
}

/// Makes a container with a pair of keys for exchange.
pub(crate) fn keep_pair(kind: u32, name: &str, key: CapiKey) -> Result<(), Win32Error> {
    if let Some(pairs) = container(kind, name, NEW_KEYSET)? {
        lock(&pairs)[0] = Some(Arc::new(key));
    }
    Ok(())
}

both_widths! {
    /// Opens a provider: for verification, or with a container of keys.
    "wincrypt/nf-wincrypt-cryptacquirecontext"
    CryptAcquireContextA, CryptAcquireContextW(
        guest, width, phProv: GuestWord, szContainer: GuestWord, szProvider: GuestWord, dwProvType: u32, dwFlags: u32,
    ) -> Result<Bool, Win32Error> {
        const KNOWN: u32 = VERIFY_CONTEXT | NEW_KEYSET | DELETE_KEYSET | 0x20 | 0x40 | 0x80;
        if phProv.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        if dwFlags & !KNOWN != 0 {
            return Err(nte::BAD_FLAGS);
        }
        let wanted = String::from_utf16_lossy(&width.read(guest, szProvider)?);
        let container_name = String::from_utf16_lossy(&width.read(guest, szContainer)?);
        if let Some(handle) = open(guest, (dwProvType, &wanted), &container_name, dwFlags)? {
            guest.write_word(phProv.get(), handle)?;
        }
        Ok(TRUE)
    }

    /// Lists the providers: their types and names.
    "wincrypt/nf-wincrypt-cryptenumproviders"
    CryptEnumProvidersA, CryptEnumProvidersW(
        guest, width, dwIndex: u32, pdwReserved: GuestWord, dwFlags: u32, pdwProvType: GuestWord,
        szProvName: GuestWord, pcbProvName: GuestWord,
    ) -> Result<Bool, Win32Error> {
        if !pdwReserved.is_null() || pcbProvName.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        if dwFlags != 0 {
            return Err(nte::BAD_FLAGS);
        }
        let row = PROVIDERS.get(dwIndex as usize).ok_or(Win32Error::NO_MORE_ITEMS)?;
        give_name(guest, width, *row, pdwProvType, szProvName, pcbProvName)
    }
}

/// Gives the type and the name of a provider.
fn give_name(
    guest: &Guest,
    width: Width,
    (kind, name): (u32, &str),
    type_into: GuestWord,
    name_into: GuestWord,
    size_into: GuestWord,
) -> Result<Bool, Win32Error> {
    if !type_into.is_null() {
        guest.write_bytes(type_into.get(), &kind.to_le_bytes())?;
    }
    let units = name.encode_utf16().chain([0]);
    let bytes: Vec<u8> = match width {
        Width::Narrow => units.map(|unit| unit as u8).collect(),
        Width::Wide => units.flat_map(u16::to_le_bytes).collect(),
    };
    give(guest, &bytes, name_into, size_into)
}

/// Gives bytes to a program that may ask for their number only, as all functions here do.
pub(crate) fn give(
    guest: &Guest,
    bytes: &[u8],
    into: GuestWord,
    size: GuestWord,
) -> Result<Bool, Win32Error> {
    if size.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let capacity = guest.read_u32(size.get())? as usize;
    guest.write_bytes(size.get(), &(bytes.len() as u32).to_le_bytes())?;
    match into.is_null() {
        true => Ok(TRUE),
        false if capacity < bytes.len() => Err(Win32Error::MORE_DATA),
        false => {
            guest.write_bytes(into.get(), bytes)?;
            Ok(TRUE)
        }
    }
}

both_widths! {
    /// Returns the name of the default provider of a type.
    "wincrypt/nf-wincrypt-cryptgetdefaultprovider"
    CryptGetDefaultProviderA, CryptGetDefaultProviderW(
        guest, width, dwProvType: u32, pdwReserved: GuestWord, dwFlags: u32, pszProvName: GuestWord,
        pcbProvName: GuestWord,
    ) -> Result<Bool, Win32Error> {
        if !pdwReserved.is_null() || pcbProvName.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        if dwFlags & !3 != 0 {
            return Err(nte::BAD_FLAGS);
        }
        let name = find(dwProvType, "")?;
        give_name(guest, width, (dwProvType, name), GuestWord(0), pszProvName, pcbProvName)
    }
}

/// Closes a provider, once for each time it was opened.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptreleasecontext>
#[winapi]
pub fn CryptReleaseContext(guest: &mut Guest, hProv: GuestWord, dwFlags: u32) -> Result<Bool, Win32Error> {
    let provider = provider(guest, hProv)?;
    let left = {
        let mut state = lock(&provider.state);
        state.references = state.references.saturating_sub(1);
        state.references
    };
    if left == 0 {
        guest.process().cryptography.remove::<Provider>(hProv.get());
    }
    if dwFlags == 0 { Ok(TRUE) } else { Err(nte::BAD_FLAGS) }
}

/// Opens a provider once more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptcontextaddref>
#[winapi]
pub fn CryptContextAddRef(
    guest: &mut Guest,
    hProv: GuestWord,
    pdwReserved: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    if !pdwReserved.is_null() || dwFlags != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    lock(&provider(guest, hProv)?.state).references += 1;
    Ok(TRUE)
}

/// The algorithms as an enumeration shows them: number, default bits, name; the last ones are those of newer providers.
#[rustfmt::skip]
const ALGORITHMS: &[(u32, u32, &str, bool)] = &[
    (0x6602, 128, "RC2", false), (0x6801, 128, "RC4", false), (0x6601, 56, "DES", false),
    (0x6609, 112, "3DES TWO KEY", false), (0x6603, 168, "3DES", false), (0x8004, 160, "SHA-1", false),
    (0x8003, 128, "MD5", false), (0x8002, 128, "MD4", false), (0x8001, 128, "MD2", false), (0x8009, 0, "HMAC", false),
    (0x2400, 1024, "RSA_SIGN", false), (0xa400, 1024, "RSA_KEYX", false), (0x660e, 128, "AES 128", true),
    (0x660f, 192, "AES 192", true), (0x6610, 256, "AES 256", true), (0x800c, 256, "SHA-256", true),
    (0x800d, 384, "SHA-384", true), (0x800e, 512, "SHA-512", true),
];

/// Returns the next algorithm of an enumeration as `PROV_ENUMALGS`.
fn next_algorithm(provider: &Provider, from_start: bool) -> Result<Vec<u8>, Win32Error> {
    let mut state = lock(&provider.state);
    if from_start {
        state.next_algorithm = 0;
    }
    let has = |row: &&(u32, u32, &str, bool)| !row.3 || provider.is_new();
    let row = ALGORITHMS.iter().filter(has).nth(state.next_algorithm).ok_or(Win32Error::NO_MORE_ITEMS)?;
    state.next_algorithm += 1;
    let header = [row.0, row.1, row.2.len() as u32 + 1];
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend_from_slice(row.2.as_bytes());
    bytes.resize(32, 0);
    Ok(bytes)
}

/// Returns a property of a provider.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetprovparam>
#[winapi]
pub fn CryptGetProvParam(
    guest: &mut Guest,
    hProv: GuestWord,
    dwParam: u32,
    pbData: GuestWord,
    pdwDataLen: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    const FIRST: u32 = 1;
    let provider = provider(guest, hProv)?;
    let text = |text: &str| -> Vec<u8> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut bytes = nls::narrow(&units);
        bytes.push(0);
        bytes
    };
    let bytes = match dwParam {
        1 if pbData.is_null() => vec![0; 32],
        1 => next_algorithm(&provider, dwFlags & FIRST != 0)?,
        3 => 2u32.to_le_bytes().to_vec(),
        4 => text(provider.name),
        5 => 0x200u32.to_le_bytes().to_vec(),
        6 | 36 => text(&provider.container),
        16 => provider.kind.to_le_bytes().to_vec(),
        39 => 3u32.to_le_bytes().to_vec(),
        _ => return Err(nte::BAD_TYPE),
    };
    give(guest, &bytes, pbData, pdwDataLen)
}

/// Sets what a provider or all of them use. Nobody is asked for anything, so that a window is never needed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptsetprovparam>
#[winapi]
pub fn CryptSetProvParam(
    guest: &mut Guest,
    hProv: GuestWord,
    dwParam: u32,
    pbData: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    /// `PP_CLIENT_HWND`, for which no provider is named.
    const WINDOW: u32 = 1;
    /// `PP_KEYSET_SEC_DESCR`, `PP_UI_PROMPT`, `PP_KEYEXCHANGE_PIN`, `PP_SIGNATURE_PIN`,
    /// `PP_SECURE_KEYEXCHANGE_PIN`, `PP_SECURE_SIGNATURE_PIN`.
    const DESCRIPTOR: u32 = 8;
    const PROMPT: u32 = 21;
    const PINS: [u32; 4] = [32, 33, 47, 48];
    let _ = dwFlags;
    if dwParam == WINDOW {
        return Ok(TRUE);
    }
    provider(guest, hProv)?;
    match dwParam {
        DESCRIPTOR | PROMPT if pbData.is_null() => Err(Win32Error::INVALID_PARAMETER),
        DESCRIPTOR | PROMPT => Ok(TRUE),
        number if PINS.contains(&number) => Ok(TRUE),
        _ => Err(nte::BAD_TYPE),
    }
}
