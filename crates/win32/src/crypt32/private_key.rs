//! wincrypt.h: the private keys that belong to certificates, and where they are kept.

use plat_abi::{GuestStruct, GuestWord, Machine, Memory, winapi};

use super::certificate::context;
use crate::Win32Error;
use crate::advapi32::crypt_key::{CapiKey, RSA, Secret};
use crate::advapi32::crypt_provider::{keep_pair, open};
use crate::bcrypt::pair::with_random;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::certificate::Encoded;
use crate::logic::crypto::layout::{Item, Laid};
use crate::logic::crypto::pkcs12::PrivateKey;
use crate::ncrypt::keys::add_private;
use std::sync::Arc;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CryptAcquireCertificatePrivateKey;
};

/// `CERT_KEY_PROV_HANDLE_PROP_ID`, `CERT_KEY_PROV_INFO_PROP_ID`, `CERT_KEY_CONTEXT_PROP_ID`, `CERT_KEY_SPEC_PROP_ID`,
/// `CERT_NCRYPT_KEY_HANDLE_PROP_ID`.
const PROVIDER_HANDLE: u32 = 1;
const PROVIDER_INFO: u32 = 2;
const KEY_CONTEXT: u32 = 5;
const KEY_SPEC: u32 = 6;
const NCRYPT_HANDLE: u32 = 78;
/// `CERT_NCRYPT_KEY_SPEC`.
const NCRYPT_SPEC: u32 = u32::MAX;
/// `AT_KEYEXCHANGE`.
const EXCHANGE: u32 = 1;
/// `PROV_RSA_FULL`, with the name of its provider.
const PROVIDER: (u32, &str) = (1, "Microsoft Enhanced Cryptographic Provider v1.0");

/// `CRYPT_KEY_PROV_INFO`.
#[derive(GuestStruct, Default)]
struct KeyProviderInfo {
    container: GuestWord,
    provider: GuestWord,
    kind: u32,
    flags: u32,
    parameter_count: u32,
    parameters: GuestWord,
    spec: u32,
}

/// `CERT_KEY_CONTEXT`.
#[derive(GuestStruct, Default)]
struct KeyContext {
    size: u32,
    handle: GuestWord,
    spec: u32,
}

/// In which container a key is; kept as the bytes of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyPlace {
    container: String,
    provider: String,
    kind: u32,
    flags: u32,
    spec: u32,
}

impl KeyPlace {
    fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.kind, self.flags, self.spec].into_iter().flat_map(u32::to_le_bytes);
        numbers.chain(format!("{}\0{}", self.container, self.provider).into_bytes()).collect()
    }

    fn of(certificate: &Encoded) -> Option<Self> {
        let bytes = certificate.property(PROVIDER_INFO)?;
        let number = |place: usize| {
            let digits = bytes.get(place * 4..)?.first_chunk()?;
            Some(u32::from_le_bytes(*digits))
        };
        let text = String::from_utf8_lossy(bytes.get(12..)?);
        let (container, provider) = text.split_once('\0')?;
        Some(Self {
            container: container.to_owned(),
            provider: provider.to_owned(),
            kind: number(0)?,
            flags: number(1)?,
            spec: number(2)?,
        })
    }

    fn read(guest: &Guest, at: GuestWord) -> Result<Self, Win32Error> {
        let info: KeyProviderInfo = guest.read(at.get())?;
        let text = |at: GuestWord| -> Result<String, Win32Error> {
            let units = if at.is_null() { Vec::new() } else { guest.read_wide_string(at.get())? };
            Ok(String::from_utf16_lossy(&units))
        };
        Ok(Self {
            container: text(info.container)?,
            provider: text(info.provider)?,
            kind: info.kind,
            flags: info.flags,
            spec: info.spec,
        })
    }

    fn laid(&self, machine: Machine, base: u64) -> Vec<u8> {
        let items = [
            Item::to_wide(&self.container),
            Item::to_wide(&self.provider),
            Item::Number(self.kind),
            Item::Number(self.flags),
            Item::Number(0),
            Item::Pointer(None),
            Item::Number(self.spec),
        ];
        Laid::new(&items, machine).at(base, machine)
    }
}

/// Returns a word as it lies in a guest's memory.
fn word(machine: Machine, value: u64) -> Vec<u8> {
    value.to_le_bytes()[..machine.pointer_size() as usize].to_vec()
}

/// Lays out `CERT_KEY_CONTEXT`.
fn key_context(machine: Machine, handle: u64, spec: u32) -> Vec<u8> {
    let handle = word(machine, handle);
    let (size, gap) = if machine.is_64() { (24_u32, 4) } else { (12, 0) };
    [&size.to_le_bytes()[..], &vec![0; gap], &handle, &spec.to_le_bytes(), &vec![0; gap]].concat()
}

/// Returns a property of a certificate's key as a program at `base` wants it.
pub(super) fn property(
    guest: &Guest,
    certificate: &Encoded,
    number: u32,
    base: GuestWord,
) -> Option<Vec<u8>> {
    let machine = guest.machine();
    let context = || certificate.property(KEY_CONTEXT);
    let start = machine.pointer_size() as usize;
    match number {
        PROVIDER_INFO => Some(KeyPlace::of(certificate)?.laid(machine, base.get())),
        PROVIDER_HANDLE => Some(context()?.get(start..2 * start)?.to_vec()),
        KEY_SPEC => match context() {
            Some(context) => Some(context.get(2 * start..2 * start + 4)?.to_vec()),
            None => Some(KeyPlace::of(certificate)?.spec.to_le_bytes().to_vec()),
        },
        _ => None,
    }
}

/// Reads a property that is given as no blob; nothing for those that are.
pub(super) fn read_property(
    guest: &Guest,
    number: u32,
    data: GuestWord,
) -> Result<Option<Vec<u8>>, Win32Error> {
    let machine = guest.machine();
    Ok(match number {
        PROVIDER_INFO => Some(KeyPlace::read(guest, data)?.to_bytes()),
        KEY_CONTEXT => {
            let context: KeyContext = guest.read(data.get())?;
            Some(key_context(machine, context.handle.get(), context.spec))
        }
        // The handle itself, not its address.
        PROVIDER_HANDLE => Some(word(machine, data.get())),
        NCRYPT_HANDLE => Some(word(machine, guest.read_word(data.get())?)),
        _ => None,
    })
}

/// Says whether a certificate has a private key.
pub(super) fn has_key(certificate: &Encoded) -> bool {
    [PROVIDER_INFO, KEY_CONTEXT, NCRYPT_HANDLE].iter().any(|&number| certificate.property(number).is_some())
}

/// Returns a random name for a container: a GUID in braces.
fn container_name() -> Result<String, Win32Error> {
    let mut bytes = [0; 16];
    with_random(|random| (random.0)(&mut bytes)).map_err(Win32Error::from)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(format!("{{{}-{}-{}-{}-{}}}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// Keeps a certificate's private key: in a container of CryptoAPI, or as a key of CNG, where it is wanted or no other way
/// is there.
pub(super) fn keep(
    guest: &Guest,
    certificate: &Encoded,
    key: &PrivateKey,
    (wants_cng, is_exportable): (bool, bool),
) -> Result<(), Win32Error> {
    if let (PrivateKey::Rsa(pair), false) = (key, wants_cng) {
        let container = container_name()?;
        let pair = CapiKey::new(RSA[0], Secret::Rsa(Arc::new(pair.clone())), is_exportable, Vec::new());
        keep_pair(PROVIDER.0, &container, pair)?;
        let provider = PROVIDER.1.to_owned();
        let place = KeyPlace { container, provider, kind: PROVIDER.0, flags: 0, spec: EXCHANGE };
        certificate.set_property(PROVIDER_INFO, Some(place.to_bytes()));
        return Ok(());
    }
    let handle = add_private(guest, key, is_exportable).ok_or(Win32Error::NOT_SUPPORTED)?;
    let machine = guest.machine();
    certificate.set_property(NCRYPT_HANDLE, Some(word(machine, handle)));
    certificate.set_property(KEY_CONTEXT, Some(key_context(machine, handle, NCRYPT_SPEC)));
    Ok(())
}

/// Returns a handle of a certificate's private key, what it is, and whether the program has to close it.
fn acquire(guest: &Guest, certificate: &Encoded, flags: u32) -> Result<(u64, u32, bool), Win32Error> {
    /// `CRYPT_E_NO_KEY_PROPERTY`, `NTE_BAD_PROV_TYPE`.
    const NO_KEY: Win32Error = Win32Error(0x8009_200b);
    const BAD_KIND: Win32Error = Win32Error(0x8009_0014);
    /// `CRYPT_ACQUIRE_CACHE_FLAG`, `CRYPT_ACQUIRE_NCRYPT_KEY_FLAGS_MASK`, `CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG`.
    const CACHE: u32 = 1;
    const ANY_NCRYPT: u32 = 0x7_0000;
    const ONLY_NCRYPT: u32 = 0x4_0000;
    let machine = guest.machine();
    if let Some(context) = certificate.property(KEY_CONTEXT) {
        let read = |from: usize, size: usize| {
            let bytes = context.get(from..from + size).unwrap_or_default();
            bytes.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte))
        };
        let start = machine.pointer_size() as usize;
        let (handle, spec) = (read(start, start), read(2 * start, 4) as u32);
        return match spec {
            NCRYPT_SPEC if flags & ANY_NCRYPT == 0 => Err(BAD_KIND),
            NCRYPT_SPEC => Ok((handle, spec, false)),
            _ if flags & ONLY_NCRYPT != 0 => Err(BAD_KIND),
            _ => Ok((handle, spec, false)),
        };
    }
    let place = KeyPlace::of(certificate).ok_or(NO_KEY)?;
    if flags & ONLY_NCRYPT != 0 {
        return Err(BAD_KIND);
    }
    let handle = open(guest, (place.kind, &place.provider), &place.container, 0)?.ok_or(NO_KEY)?;
    let is_kept = flags & CACHE != 0;
    if is_kept {
        certificate.set_property(KEY_CONTEXT, Some(key_context(machine, handle, place.spec)));
    }
    Ok((handle, place.spec, !is_kept))
}

/// Gives a handle of a certificate's private key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptacquirecertificateprivatekey>
#[winapi]
pub fn CryptAcquireCertificatePrivateKey(
    guest: &mut Guest,
    pCert: GuestWord,
    dwFlags: u32,
    pvParameters: GuestWord,
    phCryptProvOrNCryptKey: GuestWord,
    pdwKeySpec: GuestWord,
    pfCallerFreeProvOrNCryptKey: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = pvParameters;
    let certificate = context(guest, pCert)?;
    let (handle, spec, is_callers) = acquire(guest, &certificate.encoded, dwFlags)?;
    guest.write_word(phCryptProvOrNCryptKey.get(), handle)?;
    if !pdwKeySpec.is_null() {
        guest.write(pdwKeySpec.get(), &spec)?;
    }
    if !pfCallerFreeProvOrNCryptKey.is_null() {
        guest.write(pfCallerFreeProvOrNCryptKey.get(), &u32::from(is_callers))?;
    }
    Ok(TRUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_of_keys_are_as_long_as_they_say() {
        for machine in [Machine::Amd64, Machine::I386] {
            let bytes = key_context(machine, 0x1234, 7);
            assert_eq!(bytes.len(), usize::from(bytes[0]));
            assert_eq!(bytes.len() as u64, KeyContext::size(machine));
        }
    }
}
