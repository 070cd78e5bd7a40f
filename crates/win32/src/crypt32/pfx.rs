//! wincrypt.h: files of certificates and private keys (PKCS #12).

use plat_abi::{GuestWord, Memory, winapi};

use super::certificate::{Blob, MALFORMED};
use super::private_key::keep;
use super::store::give_certificates;
use super::verify::blob_bytes;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::CryptoError;
use crate::logic::crypto::certificate::Encoded;
use crate::logic::crypto::pkcs12::{self, Pfx};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PFXImportCertStore, "keys of RSA and of NIST's curves; keys live as long as the process";
    full PFXIsPFXBlob;
    full PFXVerifyPassword;
};

/// `CERT_FRIENDLY_NAME_PROP_ID`.
const FRIENDLY_NAME: u32 = 11;

fn refusal(error: CryptoError) -> Win32Error {
    match error {
        CryptoError::Tag => Win32Error::INVALID_PASSWORD,
        CryptoError::Unsupported => Win32Error(0x8009_0008),
        _ => MALFORMED,
    }
}

/// Reads the bytes of a file.
fn bytes_at(guest: &Guest, blob: GuestWord) -> Result<Vec<u8>, Win32Error> {
    match blob.is_null() {
        true => Err(Win32Error::INVALID_PARAMETER),
        false => Ok(blob_bytes(guest, &guest.read::<Blob>(blob.get())?)?),
    }
}

/// Tries a password; of none and the empty one both are tried, since programs write either.
fn with_password<T>(
    guest: &Guest,
    password: GuestWord,
    attempt: impl Fn(Option<&[u16]>) -> Result<T, CryptoError>,
) -> Result<T, Win32Error> {
    let text = match password.is_null() {
        true => Vec::new(),
        false => guest.read_wide_string(password.get())?,
    };
    let done = match text.is_empty() {
        true => attempt(None).or_else(|_| attempt(Some(&[]))),
        false => attempt(Some(&text)),
    };
    done.map_err(refusal)
}

/// Makes a store of what is in a file.
fn fill(guest: &Guest, pfx: Pfx, flags: u32) -> Result<GuestWord, Win32Error> {
    /// `CRYPT_EXPORTABLE`; `PKCS12_PREFER_CNG_KSP`, `PKCS12_ALWAYS_CNG_KSP`, `PKCS12_NO_PERSIST_KEY`.
    const EXPORTABLE: u32 = 1;
    const CNG: u32 = 0x8300;
    let ways = (flags & CNG != 0, flags & EXPORTABLE != 0);
    let mut certificates = Vec::new();
    for bag in pfx.certificates {
        let encoded = Encoded::new(bag.content).map_err(|_| MALFORMED)?;
        if let Some(name) = bag.friendly_name {
            let text = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
            encoded.set_property(FRIENDLY_NAME, Some(text));
        }
        let key = pfx.keys.iter().find(|key| key.key_id.is_some() && key.key_id == bag.key_id);
        if let Some(key) = key {
            keep(guest, &encoded, &key.content, ways)?;
        }
        certificates.push(encoded);
    }
    Ok(give_certificates(guest, certificates))
}

/// Reads certificates and private keys from a file; gives a store of them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-pfximportcertstore>
#[winapi]
pub fn PFXImportCertStore(
    guest: &mut Guest,
    pPFX: GuestWord,
    szPassword: GuestWord,
    dwFlags: u32,
) -> Result<GuestWord, Win32Error> {
    let bytes = bytes_at(guest, pPFX)?;
    let pfx = with_password(guest, szPassword, |password| pkcs12::read(&bytes, password))?;
    fill(guest, pfx, dwFlags)
}

/// Says whether bytes have the outside of such a file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-pfxispfxblob>
#[winapi]
pub fn PFXIsPFXBlob(guest: &mut Guest, pPFX: GuestWord) -> Result<Bool, Win32Error> {
    Ok(Bool(pkcs12::is_pfx(&bytes_at(guest, pPFX)?)))
}

/// Says whether a password is the one of a file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-pfxverifypassword>
#[winapi]
pub fn PFXVerifyPassword(
    guest: &mut Guest,
    pPFX: GuestWord,
    szPassword: GuestWord,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    let bytes = bytes_at(guest, pPFX)?;
    with_password(guest, szPassword, |password| pkcs12::check(&bytes, password))?;
    Ok(TRUE)
}
