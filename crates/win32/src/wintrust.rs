//! wintrust.dll: whether files are signed by someone trusted: by a chain of certificates that the Linux system trusts.

use std::sync::Arc;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::crypt32::policy::first_error;
use crate::crypt32::query::read_file;
use crate::crypt32::store::trusted;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest};
use crate::logic::crypto::CryptoError;
use crate::logic::crypto::authenticode::{Places, signed_hash};
use crate::logic::crypto::certificate::Encoded;
use crate::logic::crypto::chain::{Builder, error};
use crate::logic::crypto::message::Message;
use crate::nt::time;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "wintrust.dll",
    description: "Microsoft Trust Verification APIs",
    tables: &[EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial WinVerifyTrust, "files with their own signature: no catalogs; the network is not asked for revocations";
    partial WinVerifyTrustEx, "files with their own signature: no catalogs; the network is not asked for revocations";
    full WTHelperProvDataFromStateData;
    full WTHelperGetProvSignerFromChain;
    full WTHelperGetProvCertFromChain;
    full CryptCATAdminEnumCatalogFromHash;
    full CryptCATAdminAcquireContext;
    full CryptCATAdminAcquireContext2;
    full CryptCATAdminCalcHashFromFileHandle;
    full CryptCATAdminCalcHashFromFileHandle2;
    full CryptCATAdminReleaseContext;
    full CryptCATAdminReleaseCatalogContext;
    full CryptCATCatalogInfoFromContext;
};

/// `WINTRUST_ACTION_GENERIC_VERIFY_V2` and `DRIVER_ACTION_VERIFY`, which differ in the first 8 bytes.
const ACTIONS: [[u8; 16]; 2] = [
    [0x6b, 0xc5, 0xaa, 0x00, 0x44, 0xcd, 0xd0, 0x11, 0x8c, 0xc2, 0x00, 0xc0, 0x4f, 0xc2, 0x95, 0xee],
    [0xc3, 0xe6, 0x50, 0xf7, 0xee, 0x38, 0xd1, 0x11, 0x85, 0xe5, 0x00, 0xc0, 0x4f, 0xc2, 0x95, 0xee],
];
/// `TRUST_E_PROVIDER_UNKNOWN`.
const PROVIDER_UNKNOWN: u32 = 0x800b_0001;
/// `TRUST_E_SUBJECT_FORM_UNKNOWN`.
const FORM_UNKNOWN: u32 = 0x800b_0003;
/// `TRUST_E_NOSIGNATURE`.
const NO_SIGNATURE: u32 = 0x800b_0100;
/// `TRUST_E_BAD_DIGEST`.
const BAD_DIGEST: u32 = 0x8009_6010;
/// `TRUST_E_NO_SIGNER_CERT`.
const NO_SIGNER: u32 = 0x8009_6002;
/// `TRUST_E_CERT_SIGNATURE`.
const BAD_SIGNATURE: u32 = 0x8009_6004;
/// `TRUST_E_SYSTEM_ERROR`.
const SYSTEM_ERROR: u32 = 0x8009_6001;
/// `CRYPT_E_FILE_ERROR`.
const FILE_ERROR: u32 = 0x8009_2003;
/// `WTD_CHOICE_FILE`.
const CHOICE_FILE: u32 = 1;
/// `WTD_STATEACTION_CLOSE`.
const CLOSE: u32 = 2;

/// Judges what `WINTRUST_DATA` names.
fn judge(guest: &Guest, action: GuestWord, data: GuestWord) -> Result<u32, Fault> {
    if !ACTIONS.contains(&guest.read(action.get())?) {
        return Ok(PROVIDER_UNKNOWN);
    }
    let pointer = guest.machine().pointer_size();
    // Size, two pointers, then the window, revocation, what is chosen, the choice, the action.
    let choice_at = data.get() + 3 * pointer + 8;
    let file_at = (choice_at + 4).next_multiple_of(pointer);
    if guest.read_u32(file_at + pointer)? == CLOSE {
        return Ok(0);
    }
    if guest.read_u32(choice_at)? != CHOICE_FILE {
        return Ok(SYSTEM_ERROR);
    }
    let file = guest.read_word(file_at)?;
    let path = guest.read_wide_string(guest.read_word(file + pointer)?)?;
    let Ok(bytes) = read_file(guest, &path) else { return Ok(FILE_ERROR) };
    let Some(places) = Places::find(&bytes) else { return Ok(FORM_UNKNOWN) };
    Ok(match places.signature(&bytes) {
        None => NO_SIGNATURE,
        Some(signature) => judge_signature(guest, &bytes, &places, signature),
    })
}

/// Judges the signature of a file: is it the file's, was it made with the key of its certificate, is that trusted?
fn judge_signature(guest: &Guest, bytes: &[u8], places: &Places, signature: &[u8]) -> u32 {
    let Ok(message) = Message::parse(signature) else { return NO_SIGNATURE };
    let (Some((algorithm, hash)), Some(content)) = (signed_hash(&message), message.content()) else {
        return NO_SIGNATURE;
    };
    if places.hash(bytes, algorithm) != hash {
        return BAD_DIGEST;
    }
    let Some(signer) = message.signers.first() else { return NO_SIGNER };
    let certificate = match message.verify(signer, content) {
        Ok(certificate) => certificate,
        Err(CryptoError::Tag) => return BAD_DIGEST,
        Err(CryptoError::Parameter) => return NO_SIGNER,
        Err(_) => return BAD_SIGNATURE,
    };
    let chain = |certificate: &Arc<Encoded>, others: Vec<Arc<Encoded>>, time: u64, using: &str| {
        let roots = trusted(guest);
        let builder = Builder { roots, others, time, uses: vec![using.to_owned()], ..Builder::default() };
        builder.build(certificate)
    };
    // What was signed while the certificate was good stays good, if somebody trusted says when that was.
    let now = time::now() as u64;
    let stamped = message.countersigned(signer).filter(|(time, stamper, others)| {
        chain(stamper, others.clone(), *time, TIME_STAMPING).errors & !error::REVOCATION_STATUS_UNKNOWN == 0
    });
    let when = stamped.map_or(now, |(time, ..)| time);
    first_error(&chain(&certificate, message.encoded_certificates(), when, CODE_SIGNING))
}

/// `szOID_PKIX_KP_CODE_SIGNING` and `szOID_PKIX_KP_TIMESTAMP_SIGNING`.
const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";

/// Says whether a file is signed by someone trusted: 0 for yes, else why not.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wintrust/nf-wintrust-winverifytrust>
#[winapi]
pub fn WinVerifyTrust(
    guest: &mut Guest,
    hwnd: GuestWord,
    pgActionID: GuestWord,
    pWVTData: GuestWord,
) -> Result<i32, Fault> {
    let _ = hwnd;
    let result = judge(guest, pgActionID, pWVTData)?;
    guest.set_last_error(Win32Error(result));
    Ok(result as i32)
}

/// Says whether a file is signed by someone trusted: 0 for yes, else why not.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wintrust/nf-wintrust-winverifytrustex>
#[winapi]
pub fn WinVerifyTrustEx(
    guest: &mut Guest,
    hwnd: GuestWord,
    pgActionID: GuestWord,
    pWinTrustData: GuestWord,
) -> Result<i32, Fault> {
    WinVerifyTrust(guest, hwnd, pgActionID, pWinTrustData)
}

answers! {
    "Returns nothing: no signature was found to be good." -> GuestWord = GuestWord::NULL => {
        "wintrust/nf-wintrust-wthelperprovdatafromstatedata" WTHelperProvDataFromStateData(hStateData: GuestWord);
        "wintrust/nf-wintrust-wthelpergetprovsignerfromchain"
        WTHelperGetProvSignerFromChain(pProvData: GuestWord, idxSigner: u32, fCounterSigner: Bool, idxCounterSigner: u32);
        "wintrust/nf-wintrust-wthelpergetprovcertfromchain"
        WTHelperGetProvCertFromChain(pSgnr: GuestWord, idxCert: u32);
        "mscat/nf-mscat-cryptcatadminenumcatalogfromhash"
        CryptCATAdminEnumCatalogFromHash(hCatAdmin: GuestWord, pbHash: GuestWord, cbHash: u32, dwFlags: u32, phPrevCatInfo: GuestWord);
    }
    "Refuses: there are no catalogs of signatures." -> Result<Bool, Win32Error> = Err(Win32Error::NOT_SUPPORTED) => {
        "mscat/nf-mscat-cryptcatadminacquirecontext"
        CryptCATAdminAcquireContext(phCatAdmin: GuestWord, pgSubsystem: GuestWord, dwFlags: u32);
        "mscat/nf-mscat-cryptcatadminacquirecontext2"
        CryptCATAdminAcquireContext2(phCatAdmin: GuestWord, pgSubsystem: GuestWord, pwszHashAlgorithm: GuestWord, pStrongHashPolicy: GuestWord, dwFlags: u32);
        "mscat/nf-mscat-cryptcatadmincalchashfromfilehandle"
        CryptCATAdminCalcHashFromFileHandle(hFile: GuestWord, pcbHash: GuestWord, pbHash: GuestWord, dwFlags: u32);
        "mscat/nf-mscat-cryptcatadmincalchashfromfilehandle2"
        CryptCATAdminCalcHashFromFileHandle2(hCatAdmin: GuestWord, hFile: GuestWord, pcbHash: GuestWord, pbHash: GuestWord, dwFlags: u32);
    }
    "Says that this is no context: none was given." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_PARAMETER) => {
        "mscat/nf-mscat-cryptcatadminreleasecontext" CryptCATAdminReleaseContext(hCatAdmin: GuestWord, dwFlags: u32);
        "mscat/nf-mscat-cryptcatadminreleasecatalogcontext"
        CryptCATAdminReleaseCatalogContext(hCatAdmin: GuestWord, hCatInfo: GuestWord, dwFlags: u32);
        "mscat/nf-mscat-cryptcatcataloginfofromcontext"
        CryptCATCatalogInfoFromContext(hCatInfo: GuestWord, psCatInfo: GuestWord, dwFlags: u32);
    }
}
