//! wincrypt.h: signed messages (PKCS #7): read and verified, not written.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::certificate::{CertInfo, MALFORMED, NOT_FOUND, context, give_context};
use super::give;
use super::query::put_word;
use super::store::{give_certificates, store};
use super::verify::{blob_bytes, public_key};
use crate::Win32Error;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, OrMinusOne, TRUE};
use crate::logic::crypto::CryptoError;
use crate::logic::crypto::certificate::{Algorithm, Encoded};
use crate::logic::crypto::layout::{Item, Laid};
use crate::logic::crypto::message::{Attribute, Message, Signer};
use crate::logic::crypto::signed::PublicKey;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CryptMsgOpenToDecode, "signed messages, no streams; others are CRYPT_E_INVALID_MSG_TYPE when they come";
    full CryptMsgUpdate; full CryptMsgDuplicate; full CryptMsgClose;
    partial CryptMsgGetParam, "of signed messages, without countersignatures and attribute certificates";
    partial CryptMsgControl, "verifying signatures";
    full CryptMsgGetAndVerifySigner;
    partial CryptVerifyMessageSignature, "the certificate must come along: programs are not asked for it";
    partial CryptVerifyDetachedMessageSignature, "as CryptVerifyMessageSignature";
    full CryptGetMessageSignerCount; full CryptGetMessageCertificates;
};

/// `CRYPT_E_MSG_ERROR`.
const MESSAGE_ERROR: Win32Error = Win32Error(0x8009_1001);
/// `CRYPT_E_INVALID_MSG_TYPE`.
const WRONG_KIND: Win32Error = Win32Error(0x8009_1004);
/// `CRYPT_E_HASH_VALUE`.
const WRONG_HASH: Win32Error = Win32Error(0x8009_1007);
/// `CRYPT_E_INVALID_INDEX`.
const WRONG_INDEX: Win32Error = Win32Error(0x8009_1008);
/// `CRYPT_E_NO_SIGNER`.
const NO_SIGNER: Win32Error = Win32Error(0x8009_200e);
/// `CRYPT_E_SIGNER_NOT_FOUND`.
const SIGNER_NOT_FOUND: Win32Error = Win32Error(0x8009_100e);
/// `CRYPT_E_NO_TRUSTED_SIGNER`.
const NO_TRUSTED_SIGNER: Win32Error = Win32Error(0x8009_202b);
/// `CRYPT_E_ATTRIBUTES_MISSING`.
const NO_ATTRIBUTES: Win32Error = Win32Error(0x8009_100f);
/// `NTE_BAD_SIGNATURE` and `NTE_BAD_ALGID`.
const BAD_SIGNATURE: Win32Error = Win32Error(0x8009_0006);
const BAD_ALGORITHM: Win32Error = Win32Error(0x8009_0008);

/// What went wrong, as Windows says it.
fn error_of(error: CryptoError) -> Win32Error {
    match error {
        CryptoError::Tag => WRONG_HASH,
        CryptoError::Signature => BAD_SIGNATURE,
        CryptoError::Unsupported => BAD_ALGORITHM,
        CryptoError::Parameter => NOT_FOUND,
        _ => MALFORMED,
    }
}

/// Takes a signed message apart.
fn parse(bytes: &[u8]) -> Result<Message, Win32Error> {
    Message::parse(bytes).map_err(|error| match error {
        CryptoError::Unsupported => WRONG_KIND,
        _ => MALFORMED,
    })
}

/// A message that a program reads.
pub(super) struct Reader {
    is_detached: bool,
    state: Mutex<State>,
}

/// What a program gave so far.
#[derive(Default)]
struct State {
    message: Option<Arc<Message>>,
    /// What is signed, where it comes by itself.
    content: Vec<u8>,
    references: u32,
}

impl Reader {
    /// Makes a reader of a message that is complete.
    pub(super) fn of(message: Message) -> Self {
        let state = State { message: Some(Arc::new(message)), references: 1, ..State::default() };
        Self { is_detached: false, state: Mutex::new(state) }
    }

    fn message(&self) -> Result<Arc<Message>, Win32Error> {
        lock(&self.state).message.clone().ok_or(MESSAGE_ERROR)
    }

    /// Returns what is signed.
    fn content(&self, message: &Message) -> Vec<u8> {
        match message.content() {
            Some(content) => content.to_vec(),
            None => lock(&self.state).content.clone(),
        }
    }
}

fn reader(guest: &Guest, handle: GuestWord) -> Result<Arc<Reader>, Win32Error> {
    guest.process().cryptography.get(handle.get()).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Begins to read a message.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmsgopentodecode>
#[winapi]
pub fn CryptMsgOpenToDecode(
    guest: &mut Guest,
    dwMsgEncodingType: u32,
    dwFlags: u32,
    dwMsgType: u32,
    hCryptProv: GuestWord,
    pRecipientInfo: GuestWord,
    pStreamInfo: GuestWord,
) -> Result<GuestWord, Win32Error> {
    /// `PKCS_7_ASN_ENCODING` and `CMSG_DETACHED_FLAG`.
    const PKCS7: u32 = 0x1_0000;
    const DETACHED: u32 = 4;
    let _ = (dwMsgType, hCryptProv, pRecipientInfo);
    /// `E_INVALIDARG`.
    const INVALID: Win32Error = Win32Error(0x8007_0057);
    if dwMsgEncodingType & 0xffff_0000 != PKCS7 {
        return Err(INVALID);
    }
    // Streams are not read.
    if !pStreamInfo.is_null() {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    let state = Mutex::new(State { references: 1, ..State::default() });
    let made = Reader { is_detached: dwFlags & DETACHED != 0, state };
    Ok(GuestWord(guest.process().cryptography.add(made)))
}

/// Gives a reader its message; after that the bytes of a content that comes by itself.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmsgupdate>
#[winapi]
pub fn CryptMsgUpdate(
    guest: &mut Guest,
    hCryptMsg: GuestWord,
    pbData: GuestWord,
    cbData: u32,
    fFinal: Bool,
) -> Result<Bool, Win32Error> {
    let reader = reader(guest, hCryptMsg)?;
    let bytes = guest.read_vec(pbData.get(), cbData.into())?;
    let mut state = lock(&reader.state);
    if state.message.is_some() {
        if !reader.is_detached {
            return Err(MESSAGE_ERROR);
        }
        state.content.extend(bytes);
        return Ok(TRUE);
    }
    // A message comes at once, unless a program reads it as a stream.
    if !fFinal.0 {
        return Err(MESSAGE_ERROR);
    }
    state.message = Some(Arc::new(parse(&bytes)?));
    Ok(TRUE)
}

/// Holds a reader once more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmsgduplicate>
#[winapi]
pub fn CryptMsgDuplicate(guest: &mut Guest, hCryptMsg: GuestWord) -> GuestWord {
    if let Ok(reader) = reader(guest, hCryptMsg) {
        lock(&reader.state).references += 1;
    }
    hCryptMsg
}

/// Gives a reader up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmsgclose>
#[winapi]
pub fn CryptMsgClose(guest: &mut Guest, hCryptMsg: GuestWord) -> Result<Bool, Win32Error> {
    if hCryptMsg.is_null() {
        return Ok(TRUE);
    }
    let reader = reader(guest, hCryptMsg)?;
    let left = {
        let mut state = lock(&reader.state);
        state.references = state.references.saturating_sub(1);
        state.references
    };
    if left == 0 {
        guest.process().cryptography.remove::<Reader>(hCryptMsg.get());
    }
    Ok(TRUE)
}

/// Which part of a message a program asks for (`CMSG_…_PARAM`).
mod param {
    pub(super) const TYPE: u32 = 1;
    pub(super) const CONTENT: u32 = 2;
    pub(super) const BARE_CONTENT: u32 = 3;
    pub(super) const CONTENT_KIND: u32 = 4;
    pub(super) const SIGNER_COUNT: u32 = 5;
    pub(super) const SIGNER: u32 = 6;
    pub(super) const SIGNER_CERTIFICATE: u32 = 7;
    pub(super) const SIGNER_HASH: u32 = 8;
    pub(super) const SIGNED_ATTRIBUTES: u32 = 9;
    pub(super) const UNSIGNED_ATTRIBUTES: u32 = 10;
    pub(super) const CERTIFICATE_COUNT: u32 = 11;
    pub(super) const CERTIFICATE: u32 = 12;
    pub(super) const LIST_COUNT: u32 = 13;
    pub(super) const LIST: u32 = 14;
    pub(super) const COMPUTED_HASH: u32 = 22;
    pub(super) const SIGNATURE: u32 = 27;
    pub(super) const ENCODED_SIGNER: u32 = 28;
    pub(super) const ENCODED: u32 = 29;
    pub(super) const VERSION: u32 = 30;
}

fn algorithm_item(message: &Message, algorithm: &Algorithm) -> Item {
    Item::Inner(vec![Item::to_text(&algorithm.0), Item::blob(&message.bytes[algorithm.1.clone()])])
}

fn attribute_items(message: &Message, attributes: &[Attribute]) -> Item {
    let one = |attribute: &Attribute| {
        let values = attribute.values.iter().map(|value| Item::blob(&message.bytes[value.clone()])).collect();
        let Item::Inner(list) = Item::list(values) else { return Item::Inner(Vec::new()) };
        Item::Inner([vec![Item::to_text(&attribute.identifier)], list].concat())
    };
    Item::list(attributes.iter().map(one).collect())
}

/// Returns a number as Windows keeps it, the least byte first.
fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

/// Returns a `CMSG_SIGNER_INFO`.
fn signer_items(message: &Message, signer: &Signer) -> Vec<Item> {
    let bytes = &message.bytes;
    vec![
        Item::Number(signer.version),
        Item::blob(&bytes[signer.issuer.clone()]),
        Item::blob(&reversed(&bytes[signer.serial.clone()])),
        algorithm_item(message, &signer.hash),
        algorithm_item(message, &signer.algorithm),
        Item::blob(&bytes[signer.signature.clone()]),
        attribute_items(message, &signer.signed),
        attribute_items(message, &signer.unsigned),
    ]
}

/// Returns a `CERT_INFO` that only names a certificate.
fn name_items(message: &Message, signer: &Signer) -> Vec<Item> {
    let algorithm = || Item::Inner(vec![Item::Pointer(None), Item::blob(&[])]);
    let bits = || Item::Inner(vec![Item::Number(0), Item::Pointer(None), Item::Number(0)]);
    vec![
        Item::Number(0),
        Item::blob(&reversed(&message.bytes[signer.serial.clone()])),
        algorithm(),
        Item::blob(&message.bytes[signer.issuer.clone()]),
        Item::Number(0),
        Item::Number(0),
        Item::Number(0),
        Item::Number(0),
        Item::blob(&[]),
        Item::Inner(vec![algorithm(), bits()]),
        bits(),
        bits(),
        Item::Number(0),
        Item::Pointer(None),
    ]
}

/// Returns the part of a message that a program asks for, as parts of a structure.
fn items_of(reader: &Reader, message: &Message, kind: u32, index: u32) -> Result<Vec<Item>, Win32Error> {
    /// `CMSG_SIGNED`.
    const SIGNED: u32 = 2;
    let index = index as usize;
    let bytes = |range: &std::ops::Range<usize>| vec![Item::Bytes(message.bytes[range.clone()].to_vec())];
    let signer = || message.signers.get(index).ok_or(WRONG_INDEX);
    Ok(match kind {
        param::TYPE => vec![Item::Number(SIGNED)],
        param::CONTENT => vec![Item::Bytes(reader.content(message))],
        param::BARE_CONTENT => bytes(&message.bare),
        param::CONTENT_KIND => vec![Item::Bytes([message.content_kind.as_bytes(), &[0]].concat())],
        param::SIGNER_COUNT => vec![Item::Number(message.signers.len() as u32)],
        param::SIGNER => signer_items(message, signer()?),
        param::SIGNER_CERTIFICATE => name_items(message, signer()?),
        param::SIGNER_HASH => vec![algorithm_item(message, &signer()?.hash)],
        param::SIGNED_ATTRIBUTES | param::UNSIGNED_ATTRIBUTES => {
            let signer = signer()?;
            let list = if kind == param::SIGNED_ATTRIBUTES { &signer.signed } else { &signer.unsigned };
            if list.is_empty() {
                return Err(NO_ATTRIBUTES);
            }
            vec![attribute_items(message, list)]
        }
        param::CERTIFICATE_COUNT => vec![Item::Number(message.certificates.len() as u32)],
        param::CERTIFICATE => bytes(message.certificates.get(index).ok_or(WRONG_INDEX)?),
        param::LIST_COUNT => vec![Item::Number(message.revocation_lists.len() as u32)],
        param::LIST => bytes(message.revocation_lists.get(index).ok_or(WRONG_INDEX)?),
        param::COMPUTED_HASH => {
            let hash = signer()?.hash().map_err(error_of)?;
            vec![Item::Bytes(hash.hash(&reader.content(message)))]
        }
        param::SIGNATURE => bytes(&signer()?.signature),
        param::ENCODED_SIGNER => bytes(&signer()?.whole),
        param::ENCODED => vec![Item::Bytes(message.bytes.clone())],
        param::VERSION => vec![Item::Number(message.version)],
        _ => return Err(WRONG_KIND),
    })
}

/// Returns a part of a message.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmsggetparam>
#[winapi]
pub fn CryptMsgGetParam(
    guest: &mut Guest,
    hCryptMsg: GuestWord,
    dwParamType: u32,
    dwIndex: u32,
    pvData: GuestWord,
    pcbData: GuestWord,
) -> Result<Bool, Win32Error> {
    let reader = reader(guest, hCryptMsg)?;
    let items = items_of(&reader, &*reader.message()?, dwParamType, dwIndex)?;
    let machine = guest.machine();
    give(guest, &Laid::new(&items, machine).at(pvData.get(), machine), pvData, pcbData)
}

/// Verifies a signer's signature with a key.
fn verify(reader: &Reader, message: &Message, signer: &Signer, key: &PublicKey) -> Result<(), Win32Error> {
    signer.verify(&message.bytes, &reader.content(message), key).map_err(error_of)
}

/// `CMSG_CTRL_VERIFY_SIGNATURE_EX_PARA`.
#[derive(GuestStruct, Default)]
struct VerifyPara {
    size: u32,
    provider: GuestWord,
    index: u32,
    kind: u32,
    signer: GuestWord,
}

/// Returns where in a `CERT_INFO` the key stands.
fn key_offset(guest: &Guest) -> u64 {
    if guest.machine().is_64() { 96 } else { 56 }
}

/// Finds the signer that a `CERT_INFO` names, and reads the key in it.
fn named_by_info(guest: &Guest, message: &Message, at: GuestWord) -> Result<(Signer, PublicKey), Win32Error> {
    let info: CertInfo = guest.read(at.get())?;
    let (issuer, serial) = (blob_bytes(guest, &info.issuer)?, blob_bytes(guest, &info.serial)?);
    let is_named = |signer: &&Signer| {
        message.bytes[signer.issuer.clone()] == issuer[..]
            && message.bytes[signer.serial.clone()] == reversed(&serial)[..]
    };
    let signer = message.signers.iter().find(is_named).ok_or(SIGNER_NOT_FOUND)?;
    Ok((signer.clone(), public_key(guest, GuestWord(at.get() + key_offset(guest)))?))
}

/// Finds the signer that a `CMSG_CTRL_VERIFY_SIGNATURE_EX_PARA` numbers, and reads the key that it gives.
fn named_by_index(
    guest: &Guest,
    message: &Message,
    at: GuestWord,
) -> Result<(Signer, PublicKey), Win32Error> {
    /// `CMSG_VERIFY_SIGNER_PUBKEY` and `CMSG_VERIFY_SIGNER_CERT`.
    const BY_KEY: u32 = 1;
    const BY_CERTIFICATE: u32 = 2;
    let para: VerifyPara = guest.read(at.get())?;
    let signer = message.signers.get(para.index as usize).ok_or(SIGNER_NOT_FOUND)?;
    let key = match para.kind {
        BY_KEY => public_key(guest, para.signer)?,
        BY_CERTIFICATE => PublicKey::of(&context(guest, para.signer)?.encoded).map_err(error_of)?,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    Ok((signer.clone(), key))
}

/// Verifies a signature of a message.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmsgcontrol>
#[winapi]
pub fn CryptMsgControl(
    guest: &mut Guest,
    hCryptMsg: GuestWord,
    dwFlags: u32,
    dwCtrlType: u32,
    pvCtrlPara: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `CMSG_CTRL_VERIFY_SIGNATURE` and `CMSG_CTRL_VERIFY_SIGNATURE_EX`.
    const VERIFY: u32 = 1;
    const VERIFY_EX: u32 = 19;
    let _ = dwFlags;
    let reader = reader(guest, hCryptMsg)?;
    let message = reader.message()?;
    let (signer, key) = match dwCtrlType {
        VERIFY => named_by_info(guest, &message, pvCtrlPara)?,
        VERIFY_EX => named_by_index(guest, &message, pvCtrlPara)?,
        _ => return Err(Win32Error::NOT_SUPPORTED),
    };
    verify(&reader, &message, &signer, &key).map(|()| TRUE)
}

/// Returns the certificates of stores.
fn of_stores(guest: &Guest, count: u32, list: GuestWord) -> Result<Vec<Arc<Encoded>>, Win32Error> {
    let pointer = guest.machine().pointer_size();
    let mut all = Vec::new();
    for place in 0..u64::from(count) {
        all.extend(store(guest, GuestWord(guest.read_word(list.get() + place * pointer)?))?.all());
    }
    Ok(all)
}

/// Finds the certificate of a signer and verifies the signature.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptmsggetandverifysigner>
#[winapi]
pub fn CryptMsgGetAndVerifySigner(
    guest: &mut Guest,
    hCryptMsg: GuestWord,
    cSignerStore: u32,
    rghSignerStore: GuestWord,
    dwFlags: u32,
    ppSigner: GuestWord,
    pdwSignerIndex: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `CMSG_TRUSTED_SIGNER_FLAG`, `CMSG_SIGNER_ONLY_FLAG`, `CMSG_USE_SIGNER_INDEX_FLAG`.
    const ONLY_THESE: u32 = 1;
    const NOT_VERIFIED: u32 = 2;
    const GIVEN_INDEX: u32 = 4;
    let reader = reader(guest, hCryptMsg)?;
    let message = reader.message()?;
    let mut among = of_stores(guest, cSignerStore, rghSignerStore)?;
    if dwFlags & ONLY_THESE == 0 {
        among.extend(message.encoded_certificates());
    }
    let wanted = if dwFlags & GIVEN_INDEX != 0 { Some(guest.read_u32(pdwSignerIndex.get())?) } else { None };
    if message.signers.is_empty() {
        return Err(NO_SIGNER);
    }
    let is_wanted = |(place, _): &(u32, &Signer)| wanted.is_none_or(|wanted| wanted == *place);
    let find = |(place, signer)| Some((place, signer, message.certificate_of(signer, &among)?));
    let found = (0..).zip(&message.signers).filter(is_wanted).find_map(find);
    let missing = if dwFlags & ONLY_THESE != 0 { NO_TRUSTED_SIGNER } else { NO_SIGNER };
    let (place, signer, certificate) = found.ok_or(missing)?;
    if dwFlags & NOT_VERIFIED == 0 {
        verify(&reader, &message, signer, &PublicKey::of(&certificate).map_err(error_of)?)?;
    }
    put_word(guest, ppSigner, || give_context(guest, certificate, GuestWord::NULL, 0))?;
    if !pdwSignerIndex.is_null() {
        guest.write(pdwSignerIndex.get(), &place)?;
    }
    Ok(TRUE)
}

/// Verifies a signer of a message of bytes, and gives its certificate out.
fn verify_bytes(
    guest: &Guest,
    index: u32,
    bytes: &[u8],
    detached: Option<&[u8]>,
    signer_context: GuestWord,
) -> Result<Message, Win32Error> {
    let message = parse(bytes)?;
    let signer = message.signers.get(index as usize).ok_or(NO_SIGNER)?;
    let content = detached.or_else(|| message.content()).unwrap_or(&[]);
    let certificate = message.verify(signer, content).map_err(error_of)?;
    put_word(guest, signer_context, || give_context(guest, certificate, GuestWord::NULL, 0))?;
    Ok(message)
}

/// Verifies a signed message, and returns what is signed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptverifymessagesignature>
#[winapi]
pub fn CryptVerifyMessageSignature(
    guest: &mut Guest,
    pVerifyPara: GuestWord,
    dwSignerIndex: u32,
    pbSignedBlob: GuestWord,
    cbSignedBlob: u32,
    pbDecoded: GuestWord,
    pcbDecoded: GuestWord,
    ppSignerCert: GuestWord,
) -> Result<Bool, Win32Error> {
    if pVerifyPara.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let bytes = guest.read_vec(pbSignedBlob.get(), cbSignedBlob.into())?;
    let message = verify_bytes(guest, dwSignerIndex, &bytes, None, ppSignerCert)?;
    if pcbDecoded.is_null() {
        return Ok(TRUE);
    }
    give(guest, message.content().unwrap_or(&[]), pbDecoded, pcbDecoded)
}

/// Verifies a signed message whose content comes by itself.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptverifydetachedmessagesignature>
#[winapi]
pub fn CryptVerifyDetachedMessageSignature(
    guest: &mut Guest,
    pVerifyPara: GuestWord,
    dwSignerIndex: u32,
    pbDetachedSignBlob: GuestWord,
    cbDetachedSignBlob: u32,
    cToBeSigned: u32,
    rgpbToBeSigned: GuestWord,
    rgcbToBeSigned: GuestWord,
    ppSignerCert: GuestWord,
) -> Result<Bool, Win32Error> {
    if pVerifyPara.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let bytes = guest.read_vec(pbDetachedSignBlob.get(), cbDetachedSignBlob.into())?;
    let pointer = guest.machine().pointer_size();
    let mut content = Vec::new();
    for place in 0..u64::from(cToBeSigned) {
        let part = guest.read_word(rgpbToBeSigned.get() + place * pointer)?;
        let length = guest.read_u32(rgcbToBeSigned.get() + place * 4)?;
        content.extend(guest.read_vec(part, length.into())?);
    }
    verify_bytes(guest, dwSignerIndex, &bytes, Some(&content), ppSignerCert).map(|_| TRUE)
}

/// Returns how many have signed a message; -1 for what is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetmessagesignercount>
#[winapi]
pub fn CryptGetMessageSignerCount(
    guest: &mut Guest,
    dwMsgEncodingType: u32,
    pbSignedBlob: GuestWord,
    cbSignedBlob: u32,
) -> Result<OrMinusOne, Win32Error> {
    let _ = dwMsgEncodingType;
    let bytes = guest.read_vec(pbSignedBlob.get(), cbSignedBlob.into())?;
    Ok(OrMinusOne(parse(&bytes)?.signers.len() as u32))
}

/// Returns a store of the certificates that came with a message.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetmessagecertificates>
#[winapi]
pub fn CryptGetMessageCertificates(
    guest: &mut Guest,
    dwMsgAndCertEncodingType: u32,
    hCryptProv: GuestWord,
    dwFlags: u32,
    pbSignedBlob: GuestWord,
    cbSignedBlob: u32,
) -> Result<GuestWord, Win32Error> {
    let _ = (dwMsgAndCertEncodingType, hCryptProv, dwFlags);
    let bytes = guest.read_vec(pbSignedBlob.get(), cbSignedBlob.into())?;
    Ok(give_certificates(guest, parse(&bytes)?.encoded_certificates()))
}
