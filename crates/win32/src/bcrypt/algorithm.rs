//! bcrypt.h: algorithms, their names and their handles.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::crypto::cipher::{BlockCipher, Chaining};
use crate::logic::crypto::ecc::Curve;
use crate::logic::crypto::hash::HashAlgorithm;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full BCryptOpenAlgorithmProvider;
    full BCryptCloseAlgorithmProvider;
    full BCryptEnumAlgorithms;
    full BCryptEnumProviders;
    full BCryptFreeBuffer;
    full BCryptGetFipsAlgorithmMode;
};

/// What an algorithm does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hash(HashAlgorithm),
    Cmac,
    Block(BlockCipher),
    Rc4,
    Random,
    Derivation(Derivation),
    Rsa,
    Ecdsa(Option<Curve>),
    Ecdh(Option<Curve>),
}

/// A way to make keys of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derivation {
    Pbkdf2,
    CounterHmac,
    Capi,
    Hkdf,
}

/// A chaining mode, with those that authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    None,
    Chain(Chaining),
    Gcm,
    Ccm,
}

impl Mode {
    /// Cipher feedback as it begins: a byte at a time.
    const CFB: Self = Self::Chain(Chaining::Cfb { segment: 1 });

    const NAMES: [(&'static str, Self); 6] = [
        ("ChainingModeECB", Self::Chain(Chaining::Ecb)),
        ("ChainingModeCBC", Self::Chain(Chaining::Cbc)),
        ("ChainingModeCFB", Self::CFB),
        ("ChainingModeGCM", Self::Gcm),
        ("ChainingModeCCM", Self::Ccm),
        ("ChainingModeN/A", Self::None),
    ];

    /// Returns the mode of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chain(Chaining::Ecb) => "ChainingModeECB",
            Self::Chain(Chaining::Cbc) => "ChainingModeCBC",
            Self::Chain(Chaining::Cfb { .. }) => "ChainingModeCFB",
            Self::Gcm => "ChainingModeGCM",
            Self::Ccm => "ChainingModeCCM",
            Self::None => "ChainingModeN/A",
        }
    }
}

/// An opened algorithm.
#[derive(Debug)]
pub(crate) struct Algorithm {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Hashes are made with a key.
    pub(crate) is_keyed: bool,
    /// Hashes begin again when they were finished.
    pub(crate) is_reusable: bool,
    pub(crate) state: Mutex<AlgorithmState>,
}

/// What a program may change of an algorithm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AlgorithmState {
    pub(crate) mode: Mode,
    /// The curve that was chosen by name.
    pub(crate) curve: Option<Curve>,
}

/// Classes of algorithms: `BCRYPT_CIPHER_INTERFACE` to `BCRYPT_KEY_DERIVATION_INTERFACE`.
const CIPHER: u32 = 1;
const HASH: u32 = 2;
const ASYMMETRIC: u32 = 3;
const AGREEMENT: u32 = 4;
const SIGNATURE: u32 = 5;
const RANDOM: u32 = 6;
const DERIVATION: u32 = 7;

/// Every algorithm: name, class, what it does.
///
/// Source: <https://learn.microsoft.com/windows/win32/seccng/cng-algorithm-identifiers>
const ALGORITHMS: &[(&str, u32, Kind)] = &[
    ("AES", CIPHER, Kind::Block(BlockCipher::Aes)),
    ("DES", CIPHER, Kind::Block(BlockCipher::Des)),
    ("3DES", CIPHER, Kind::Block(BlockCipher::TripleDes)),
    ("3DES_112", CIPHER, Kind::Block(BlockCipher::TripleDes112)),
    ("RC2", CIPHER, Kind::Block(BlockCipher::Rc2)),
    ("RC4", CIPHER, Kind::Rc4),
    ("SHA1", HASH, Kind::Hash(HashAlgorithm::Sha1)),
    ("SHA256", HASH, Kind::Hash(HashAlgorithm::Sha256)),
    ("SHA384", HASH, Kind::Hash(HashAlgorithm::Sha384)),
    ("SHA512", HASH, Kind::Hash(HashAlgorithm::Sha512)),
    ("MD2", HASH, Kind::Hash(HashAlgorithm::Md2)),
    ("MD4", HASH, Kind::Hash(HashAlgorithm::Md4)),
    ("MD5", HASH, Kind::Hash(HashAlgorithm::Md5)),
    ("AES-CMAC", HASH, Kind::Cmac),
    ("RSA", ASYMMETRIC, Kind::Rsa),
    ("ECDH", AGREEMENT, Kind::Ecdh(None)),
    ("ECDH_P256", AGREEMENT, Kind::Ecdh(Some(Curve::P256))),
    ("ECDH_P384", AGREEMENT, Kind::Ecdh(Some(Curve::P384))),
    ("ECDH_P521", AGREEMENT, Kind::Ecdh(Some(Curve::P521))),
    ("RSA_SIGN", SIGNATURE, Kind::Rsa),
    ("ECDSA", SIGNATURE, Kind::Ecdsa(None)),
    ("ECDSA_P256", SIGNATURE, Kind::Ecdsa(Some(Curve::P256))),
    ("ECDSA_P384", SIGNATURE, Kind::Ecdsa(Some(Curve::P384))),
    ("ECDSA_P521", SIGNATURE, Kind::Ecdsa(Some(Curve::P521))),
    ("RNG", RANDOM, Kind::Random),
    ("FIPS186DSARNG", RANDOM, Kind::Random),
    ("DUALECRNG", RANDOM, Kind::Random),
    ("PBKDF2", DERIVATION, Kind::Derivation(Derivation::Pbkdf2)),
    ("SP800_108_CTR_HMAC", DERIVATION, Kind::Derivation(Derivation::CounterHmac)),
    ("CAPI_KDF", DERIVATION, Kind::Derivation(Derivation::Capi)),
    ("HKDF", DERIVATION, Kind::Derivation(Derivation::Hkdf)),
];

/// The algorithms whose handles need no opening, in the order of their handles: 0x01, 0x11, 0x21 and so on. The second
/// column is `H` for a keyed hash and the mode's last letters for a cipher; rows without a name are not here.
///
/// Source: bcrypt.h of the Windows SDK, `BCRYPT_MD2_ALG_HANDLE` and its like
#[rustfmt::skip]
const WITHOUT_OPENING: &[(&str, &str)] = &[
    ("MD2", ""), ("MD4", ""), ("MD5", ""), ("SHA1", ""), ("SHA256", ""), ("SHA384", ""), ("SHA512", ""), ("RC4", ""),
    ("RNG", ""), ("MD5", "H"), ("SHA1", "H"), ("SHA256", "H"), ("SHA384", "H"), ("SHA512", "H"), ("RSA", ""),
    ("ECDSA", ""), ("AES-CMAC", ""), ("", "AES-GMAC"), ("MD2", "H"), ("MD4", "H"),
    ("3DES", "CBC"), ("3DES", "ECB"), ("3DES", "CFB"), ("3DES_112", "CBC"), ("3DES_112", "ECB"), ("3DES_112", "CFB"),
    ("AES", "CBC"), ("AES", "ECB"), ("AES", "CFB"), ("AES", "CCM"), ("AES", "GCM"),
    ("DES", "CBC"), ("DES", "ECB"), ("DES", "CFB"), ("", "DESX"), ("", "DESX"), ("", "DESX"),
    ("RC2", "CBC"), ("RC2", "ECB"), ("RC2", "CFB"), ("", "DH"), ("ECDH", ""), ("ECDH_P256", ""), ("ECDH_P384", ""),
    ("ECDH_P521", ""), ("", "DSA"), ("ECDSA_P256", ""), ("ECDSA_P384", ""), ("ECDSA_P521", ""), ("RSA_SIGN", ""),
    ("CAPI_KDF", ""), ("PBKDF2", ""), ("SP800_108_CTR_HMAC", ""), ("", "SP800_56A_CONCAT"), ("", "TLS1_1_KDF"),
    ("", "TLS1_2_KDF"), ("", "XTS-AES"), ("HKDF", ""),
];

/// `BCRYPT_ALG_HANDLE_HMAC_FLAG`.
const HMAC_FLAG: u32 = 8;
/// `BCRYPT_PROV_DISPATCH`.
const DISPATCH: u32 = 1;
/// `BCRYPT_HASH_REUSABLE_FLAG`.
pub(crate) const REUSABLE: u32 = 0x20;

impl Algorithm {
    /// Opens an algorithm by its name.
    pub(crate) fn named(name: &str, flags: u32) -> Option<Self> {
        let &(name, _, kind) = ALGORITHMS.iter().find(|row| row.0.eq_ignore_ascii_case(name))?;
        let mode = if matches!(kind, Kind::Block(_)) { Mode::Chain(Chaining::Cbc) } else { Mode::None };
        let curve = match kind {
            Kind::Ecdsa(curve) | Kind::Ecdh(curve) => curve,
            _ => None,
        };
        Some(Self {
            name,
            kind,
            is_keyed: flags & HMAC_FLAG != 0 || kind == Kind::Cmac,
            is_reusable: flags & REUSABLE != 0,
            state: Mutex::new(AlgorithmState { mode, curve }),
        })
    }

    /// Returns the algorithm of a handle that needs no opening.
    fn without_opening(handle: u64) -> Option<Self> {
        let place = usize::try_from(handle.checked_sub(1)? / 16).ok().filter(|_| handle % 16 == 1)?;
        let &(name, detail) = WITHOUT_OPENING.get(place)?;
        let algorithm = Self::named(name, if detail == "H" { HMAC_FLAG } else { 0 })?;
        if let Some(mode) = Mode::named(&format!("ChainingMode{detail}")) {
            lock(&algorithm.state).mode = mode;
        }
        Some(algorithm)
    }
}

/// Returns the algorithm of a handle.
pub(crate) fn algorithm(guest: &Guest, handle: GuestWord) -> Result<Arc<Algorithm>, NtStatus> {
    let opened = guest.process().cryptography.get(handle.get());
    let found = opened.or_else(|| Algorithm::without_opening(handle.get()).map(Arc::new));
    found.ok_or(NtStatus::INVALID_HANDLE)
}

/// Returns the text of an optional string; null is empty.
pub(crate) fn text(guest: &Guest, address: GuestWord) -> Result<String, NtStatus> {
    match address.is_null() {
        true => Ok(String::new()),
        false => Ok(String::from_utf16_lossy(&guest.read_wide_string(address.get())?)),
    }
}

/// Opens an algorithm.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptopenalgorithmprovider>
#[winapi]
pub fn BCryptOpenAlgorithmProvider(
    guest: &mut Guest,
    phAlgorithm: GuestWord,
    pszAlgId: GuestWord,
    pszImplementation: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    if phAlgorithm.is_null() || pszAlgId.is_null() || dwFlags & !(HMAC_FLAG | DISPATCH | REUSABLE) != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if !["", PROVIDER].contains(&text(guest, pszImplementation)?.as_str()) {
        return Err(NtStatus::NOT_FOUND);
    }
    let algorithm = Algorithm::named(&text(guest, pszAlgId)?, dwFlags).ok_or(NtStatus::NOT_FOUND)?;
    if dwFlags & HMAC_FLAG != 0 && !matches!(algorithm.kind, Kind::Hash(_)) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(guest.write_word(phAlgorithm.get(), guest.process().cryptography.add(algorithm))?)
}

/// `MS_PRIMITIVE_PROVIDER`.
pub(crate) const PROVIDER: &str = "Microsoft Primitive Provider";

/// Closes an algorithm.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptclosealgorithmprovider>
#[winapi]
pub fn BCryptCloseAlgorithmProvider(
    guest: &mut Guest,
    hAlgorithm: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    let _ = dwFlags;
    match guest.process().cryptography.remove::<Algorithm>(hAlgorithm.get()) {
        Some(_) => Ok(()),
        None => Err(NtStatus::INVALID_HANDLE),
    }
}

/// Writes records of words with texts behind them into one new block; null where memory is short.
fn give_records(
    guest: &Guest,
    records: &[(&str, &[u32])],
    size: u64,
    into: GuestWord,
) -> Result<(), NtStatus> {
    let pointer = guest.machine().pointer_size();
    let texts: u64 = records.iter().map(|(name, _)| (name.len() as u64 + 1) * 2).sum();
    let count = records.len() as u64;
    let block = guest.process().heaps.allocate(0, count * size + texts, true).ok_or(NtStatus::NO_MEMORY)?;
    let mut end = block + count * size;
    for (record, (name, numbers)) in (block..).step_by(size as usize).zip(records) {
        guest.write_word(record, end)?;
        for (at, number) in (record + pointer..).step_by(4).zip(*numbers) {
            guest.write_bytes(at, &number.to_le_bytes())?;
        }
        let units: Vec<u16> = name.encode_utf16().chain([0]).collect();
        guest.write_wide(end, &units)?;
        end += units.len() as u64 * 2;
    }
    Ok(guest.write_word(into.get(), block)?)
}

/// Lists the algorithms of some classes (bit 0 the first); free the list with `BCryptFreeBuffer`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptenumalgorithms>
#[winapi]
pub fn BCryptEnumAlgorithms(
    guest: &mut Guest,
    dwAlgOperations: u32,
    pAlgCount: GuestWord,
    ppAlgList: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    if pAlgCount.is_null() || ppAlgList.is_null() || dwFlags != 0 || dwAlgOperations & !0x7f != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let numbers: Vec<[u32; 2]> = ALGORITHMS.iter().map(|row| [row.1, 0]).collect();
    let records: Vec<(&str, &[u32])> = ALGORITHMS
        .iter()
        .zip(&numbers)
        .filter(|(row, _)| dwAlgOperations & 1 << (row.1 - 1) != 0)
        .map(|(row, numbers)| (row.0, &numbers[..]))
        .collect();
    give_records(guest, &records, guest.machine().pointer_size() + 8, ppAlgList)?;
    Ok(guest.write_bytes(pAlgCount.get(), &(records.len() as u32).to_le_bytes())?)
}

/// Lists the providers of an algorithm: there is one; free the list with `BCryptFreeBuffer`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptenumproviders>
#[winapi]
pub fn BCryptEnumProviders(
    guest: &mut Guest,
    pszAlgId: GuestWord,
    pImplCount: GuestWord,
    ppImplList: GuestWord,
    dwFlags: u32,
) -> Result<(), NtStatus> {
    if pszAlgId.is_null() || pImplCount.is_null() || ppImplList.is_null() || dwFlags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Algorithm::named(&text(guest, pszAlgId)?, 0).ok_or(NtStatus::NOT_FOUND)?;
    give_records(guest, &[(PROVIDER, &[])], guest.machine().pointer_size(), ppImplList)?;
    Ok(guest.write_bytes(pImplCount.get(), &1u32.to_le_bytes())?)
}

/// Frees a list.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptfreebuffer>
#[winapi]
pub fn BCryptFreeBuffer(guest: &mut Guest, pvBuffer: GuestWord) {
    guest.process().heaps.free(0, pvBuffer.get());
}

/// Says that the system does not insist on algorithms of FIPS.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptgetfipsalgorithmmode>
#[winapi]
pub fn BCryptGetFipsAlgorithmMode(guest: &mut Guest, pfEnabled: GuestWord) -> Result<(), NtStatus> {
    if pfEnabled.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(guest.write_bytes(pfEnabled.get(), &[0])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_without_opening_are_those_of_the_header() {
        let known = [
            (0x41, "SHA256", Mode::None),
            (0x101, "AES-CMAC", Mode::None),
            (0x161, "3DES", Mode::CFB),
            (0x1e1, "AES", Mode::Gcm),
            (0x271, "RC2", Mode::CFB),
            (0x2c1, "ECDH_P521", Mode::None),
            (0x301, "ECDSA_P521", Mode::None),
            (0x311, "RSA_SIGN", Mode::None),
            (0x331, "PBKDF2", Mode::None),
            (0x391, "HKDF", Mode::None),
        ];
        for (handle, name, mode) in known {
            let found = Algorithm::without_opening(handle).map(|found| (found.name, lock(&found.state).mode));
            assert_eq!(found, Some((name, mode)), "{handle:#x}");
        }
        assert!([0xb1, 0x121].map(Algorithm::without_opening).iter().flatten().all(|found| found.is_keyed));
        for handle in [0, 2, 0x40, 0x111, 0x3a1, 0x351, u64::MAX] {
            assert!(Algorithm::without_opening(handle).is_none(), "{handle:#x}");
        }
    }

    #[test]
    fn modes_have_their_names() {
        for (name, mode) in Mode::NAMES {
            assert_eq!(mode.name(), name);
        }
        assert_eq!(Mode::Chain(Chaining::Cfb { segment: 16 }).name(), "ChainingModeCFB");
    }
}
