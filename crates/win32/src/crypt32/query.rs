//! wincrypt.h: what kind of cryptographic object some bytes or a file are.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::file::{File, Open};

use super::certificate::{Blob, give_context};
use super::message::Reader;
use super::store::give_certificates;
use super::verify::blob_bytes;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::crypto::authenticode::Places;
use crate::logic::crypto::certificate::{Encoded, from_texts};
use crate::logic::crypto::message::Message;
use crate::nt::path::status_of;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CryptQueryObject, "certificates, signed messages, signatures in PE files";
};

/// `CRYPT_E_NO_MATCH`.
const NO_MATCH: Win32Error = Win32Error(0x8009_2009);
/// Kinds of contents (`CERT_QUERY_CONTENT_…`).
const CERTIFICATE: u32 = 1;
const SIGNED: u32 = 8;
const EMBEDDED: u32 = 10;
/// Forms (`CERT_QUERY_FORMAT_…`).
const BINARY: u32 = 1;
const BASE64: u32 = 2;
/// The most bytes of a file that are looked at.
const FILE_MAX: u64 = 1 << 30;

/// What some bytes are.
enum Found {
    Certificate(Arc<Encoded>),
    Message(u32, Message),
}

/// Reads a whole file.
pub(crate) fn read_file(guest: &Guest, path: &[u16]) -> Result<Vec<u8>, Win32Error> {
    let path = guest.process().files.locate(path)?;
    let read = || {
        let file = File::open(&path, Open { read: true, ..Open::default() })?;
        let size = file.status()?.size.min(FILE_MAX);
        let mut bytes = vec![0; size as usize];
        let mut done = 0;
        while done < bytes.len() {
            match file.read(&mut bytes[done..], Some(done as u64))? {
                0 => break,
                count => done += count,
            }
        }
        bytes.truncate(done);
        Ok(bytes)
    };
    read().map_err(|error| status_of(error).to_win32())
}

/// Says what bytes are, among the kinds and forms that are wanted; the second value is the form.
fn find(bytes: &[u8], kinds: u32, forms: u32) -> Option<(Found, u32)> {
    let wants = |kind: u32| kinds & 1 << kind != 0;
    let one = |bytes: &[u8]| {
        let certificate = if wants(CERTIFICATE) { Encoded::new(bytes.to_vec()).ok() } else { None };
        let message = || if wants(SIGNED) { Message::parse(bytes).ok() } else { None };
        let embedded = || {
            let places = if wants(EMBEDDED) { Places::find(bytes) } else { None };
            Message::parse(places?.signature(bytes)?).ok()
        };
        certificate
            .map(Found::Certificate)
            .or_else(|| Some(Found::Message(SIGNED, message()?)))
            .or_else(|| Some(Found::Message(EMBEDDED, embedded()?)))
    };
    if forms & 1 << BINARY != 0
        && let Some(found) = one(bytes)
    {
        return Some((found, BINARY));
    }
    let texts =
        if forms & 1 << BASE64 != 0 { from_texts(&String::from_utf8_lossy(bytes)) } else { Vec::new() };
    Some((one(texts.first()?)?, BASE64))
}

/// Stores a number where a program wants it.
fn put(guest: &Guest, place: GuestWord, value: u32) -> Result<(), Win32Error> {
    if place.is_null() { Ok(()) } else { Ok(guest.write(place.get(), &value)?) }
}

/// Stores a word where a program wants it, made only there.
pub(super) fn put_word(
    guest: &Guest,
    place: GuestWord,
    make: impl FnOnce() -> Result<GuestWord, Win32Error>,
) -> Result<(), Win32Error> {
    if place.is_null() { Ok(()) } else { Ok(guest.write_word(place.get(), make()?.get())?) }
}

/// Says what bytes or a file are, and gives out what is in them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptqueryobject>
#[winapi]
pub fn CryptQueryObject(
    guest: &mut Guest,
    dwObjectType: u32,
    pvObject: GuestWord,
    dwExpectedContentTypeFlags: u32,
    dwExpectedFormatTypeFlags: u32,
    dwFlags: u32,
    pdwMsgAndCertEncodingType: GuestWord,
    pdwContentType: GuestWord,
    pdwFormatType: GuestWord,
    phCertStore: GuestWord,
    phMsg: GuestWord,
    ppvContext: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `CERT_QUERY_OBJECT_FILE` and `CERT_QUERY_OBJECT_BLOB`.
    const FILE: u32 = 1;
    const BYTES: u32 = 2;
    /// `X509_ASN_ENCODING | PKCS_7_ASN_ENCODING`.
    const ENCODINGS: u32 = 0x1_0001;
    let _ = dwFlags;
    let bytes = match dwObjectType {
        _ if pvObject.is_null() => return Err(Win32Error::INVALID_PARAMETER),
        FILE => read_file(guest, &guest.read_wide_string(pvObject.get())?)?,
        BYTES => blob_bytes(guest, &guest.read::<Blob>(pvObject.get())?)?,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    for place in [phCertStore, phMsg, ppvContext] {
        put_word(guest, place, || Ok(GuestWord::NULL))?;
    }
    let found = find(&bytes, dwExpectedContentTypeFlags, dwExpectedFormatTypeFlags);
    let (found, form) = found.ok_or(NO_MATCH)?;
    put(guest, pdwFormatType, form)?;
    put(guest, pdwMsgAndCertEncodingType, ENCODINGS)?;
    match found {
        Found::Certificate(certificate) => {
            put(guest, pdwContentType, CERTIFICATE)?;
            put_word(guest, phCertStore, || Ok(give_certificates(guest, vec![Arc::clone(&certificate)])))?;
            put_word(guest, ppvContext, || give_context(guest, certificate, GuestWord::NULL, 0))?;
        }
        Found::Message(kind, message) => {
            put(guest, pdwContentType, kind)?;
            put_word(guest, phCertStore, || Ok(give_certificates(guest, message.encoded_certificates())))?;
            put_word(guest, phMsg, || Ok(GuestWord(guest.process().cryptography.add(Reader::of(message)))))?;
        }
    }
    Ok(TRUE)
}
