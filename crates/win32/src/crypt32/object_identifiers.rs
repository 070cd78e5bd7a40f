//! wincrypt.h: what is known of object identifiers: names, groups, numbers.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::logic::crypto::layout::{Item, Laid};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CryptFindOIDInfo, "hashes, ciphers, keys, signatures, names of attributes, uses of keys";
    partial CryptEnumOIDInfo, "as CryptFindOIDInfo";
};

/// Groups (`CRYPT_…_OID_GROUP_ID`).
const HASH: u32 = 1;
const CIPHER: u32 = 2;
const KEY: u32 = 3;
const SIGNATURE: u32 = 4;
const ATTRIBUTE: u32 = 5;
const USE: u32 = 7;

/// What is known of an identifier.
struct Known {
    group: u32,
    identifier: &'static str,
    name: &'static str,
    /// The `ALG_ID`; `CALG_OID_INFO_CNG_ONLY` (-1) where CryptoAPI has none.
    number: u32,
    /// The name in CNG, and for signatures that of the key's algorithm.
    cng: [&'static str; 2],
    /// The `ALG_ID` of the key of a signature.
    extra: u32,
}

const fn known(
    group: u32,
    identifier: &'static str,
    name: &'static str,
    number: u32,
    cng: [&'static str; 2],
) -> Known {
    Known { group, identifier, name, number, cng, extra: if group == SIGNATURE { RSA_SIGN } else { 0 } }
}

/// `CALG_OID_INFO_CNG_ONLY`, `CALG_RSA_SIGN`, `CALG_RSA_KEYX`.
const CNG_ONLY: u32 = u32::MAX;
const RSA_SIGN: u32 = 0x2400;
const RSA_EXCHANGE: u32 = 0xa400;

/// Identifiers of hashes, ciphers, keys and signatures.
///
/// Sources: <https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-crypt_oid_info>,
/// <https://learn.microsoft.com/windows/win32/seccrypto/alg-id>, RFC 8017, RFC 5480, RFC 5758
const ALGORITHMS: &[Known] = &[
    known(HASH, "1.3.14.3.2.26", "sha1", 0x8004, ["SHA1", ""]),
    known(HASH, "2.16.840.1.101.3.4.2.1", "sha256", 0x800c, ["SHA256", ""]),
    known(HASH, "2.16.840.1.101.3.4.2.2", "sha384", 0x800d, ["SHA384", ""]),
    known(HASH, "2.16.840.1.101.3.4.2.3", "sha512", 0x800e, ["SHA512", ""]),
    known(HASH, "1.2.840.113549.2.5", "md5", 0x8003, ["MD5", ""]),
    known(HASH, "1.2.840.113549.2.4", "md4", 0x8002, ["MD4", ""]),
    known(HASH, "1.2.840.113549.2.2", "md2", 0x8001, ["MD2", ""]),
    known(CIPHER, "1.3.14.3.2.7", "des", 0x6601, ["DES", ""]),
    known(CIPHER, "1.2.840.113549.3.7", "3des", 0x6603, ["3DES", ""]),
    known(CIPHER, "1.2.840.113549.3.2", "rc2", 0x6602, ["RC2", ""]),
    known(CIPHER, "1.2.840.113549.3.4", "rc4", 0x6801, ["RC4", ""]),
    known(CIPHER, "2.16.840.1.101.3.4.1.2", "aes128", 0x660e, ["AES", ""]),
    known(CIPHER, "2.16.840.1.101.3.4.1.22", "aes192", 0x660f, ["AES", ""]),
    known(CIPHER, "2.16.840.1.101.3.4.1.42", "aes256", 0x6610, ["AES", ""]),
    known(KEY, "1.2.840.113549.1.1.1", "RSA", RSA_EXCHANGE, ["RSA", ""]),
    known(KEY, "1.2.840.10045.2.1", "ECC", CNG_ONLY, ["ECC", ""]),
    known(KEY, "1.2.840.10045.3.1.7", "ECDSA_P256", CNG_ONLY, ["ECDSA_P256", ""]),
    known(KEY, "1.3.132.0.34", "ECDSA_P384", CNG_ONLY, ["ECDSA_P384", ""]),
    known(KEY, "1.3.132.0.35", "ECDSA_P521", CNG_ONLY, ["ECDSA_P521", ""]),
    known(SIGNATURE, "1.2.840.113549.1.1.5", "sha1RSA", 0x8004, ["SHA1", "RSA"]),
    known(SIGNATURE, "1.2.840.113549.1.1.11", "sha256RSA", 0x800c, ["SHA256", "RSA"]),
    known(SIGNATURE, "1.2.840.113549.1.1.12", "sha384RSA", 0x800d, ["SHA384", "RSA"]),
    known(SIGNATURE, "1.2.840.113549.1.1.13", "sha512RSA", 0x800e, ["SHA512", "RSA"]),
    known(SIGNATURE, "1.2.840.113549.1.1.4", "md5RSA", 0x8003, ["MD5", "RSA"]),
    known(SIGNATURE, "1.2.840.113549.1.1.2", "md2RSA", 0x8001, ["MD2", "RSA"]),
    known(SIGNATURE, "1.2.840.10045.4.1", "sha1ECDSA", CNG_ONLY, ["SHA1", "ECDSA"]),
    known(SIGNATURE, "1.2.840.10045.4.3.2", "sha256ECDSA", CNG_ONLY, ["SHA256", "ECDSA"]),
    known(SIGNATURE, "1.2.840.10045.4.3.3", "sha384ECDSA", CNG_ONLY, ["SHA384", "ECDSA"]),
    known(SIGNATURE, "1.2.840.10045.4.3.4", "sha512ECDSA", CNG_ONLY, ["SHA512", "ECDSA"]),
];

/// Uses of keys, with their names in English.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-ctl_usage>, RFC 5280, section 4.2.1.12
const USES: [(&str, &str); 8] = [
    ("1.3.6.1.5.5.7.3.1", "Server Authentication"),
    ("1.3.6.1.5.5.7.3.2", "Client Authentication"),
    ("1.3.6.1.5.5.7.3.3", "Code Signing"),
    ("1.3.6.1.5.5.7.3.4", "Secure Email"),
    ("1.3.6.1.5.5.7.3.8", "Time Stamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSP Signing"),
    ("1.3.6.1.4.1.311.10.3.4", "Encrypting File System"),
    ("1.3.6.1.4.1.311.20.2.2", "Smart Card Logon"),
];

/// Returns all that is known.
fn all() -> impl Iterator<Item = Known> {
    let row = |row: &Known| Known { ..*row };
    let attributes = super::name::KEYS.iter().map(|&(id, name)| known(ATTRIBUTE, id, name, 0, ["", ""]));
    let uses = USES.iter().map(|&(id, name)| known(USE, id, name, 0, ["", ""]));
    ALGORITHMS.iter().map(row).chain(attributes).chain(uses)
}

/// Returns the address of a `CRYPT_OID_INFO`, which is made at its first use and stays.
fn give(guest: &Guest, known: &Known) -> Result<GuestWord, Win32Error> {
    /// An identifier's structure in the guest's memory.
    struct Made {
        group: u32,
        identifier: &'static str,
        at: u64,
    }
    let objects = &guest.process().cryptography;
    let is_same = |made: &Made| made.group == known.group && made.identifier == known.identifier;
    if let Some(made) = objects.find(is_same).and_then(|handle| objects.get::<Made>(handle)) {
        return Ok(GuestWord(made.at));
    }
    let machine = guest.machine();
    let extra = known.extra.to_le_bytes();
    let text = |text: &str| if text.is_empty() { Item::Pointer(None) } else { Item::to_wide(text) };
    let size = if machine.is_64() { 0x38 } else { 0x24 };
    let items = [
        Item::Number(size),
        Item::to_text(known.identifier),
        Item::to_wide(known.name),
        Item::Number(known.group),
        Item::Number(known.number),
        Item::blob(if known.extra == 0 { &[] } else { &extra }),
        text(known.cng[0]),
        text(known.cng[1]),
    ];
    let laid = Laid::new(&items, machine);
    let heaps = &guest.process().heaps;
    let at = heaps.allocate(0, laid.len() as u64, true).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write_bytes(at, &laid.at(at, machine))?;
    objects.add_at(at, Made { group: known.group, identifier: known.identifier, at });
    Ok(GuestWord(at))
}

/// Says whether a group fits one that is asked for; 0 is any. The upper half narrows to lengths of keys.
fn is_in(group: u32, asked: u32) -> bool {
    asked & 0xffff == 0 || asked & 0xffff == group
}

/// Finds what is known of an identifier by the identifier, a name, or numbers; null for what is unknown.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptfindoidinfo>
#[winapi]
pub fn CryptFindOIDInfo(
    guest: &mut Guest,
    dwKeyType: u32,
    pvKey: GuestWord,
    dwGroupId: u32,
) -> Result<GuestWord, Win32Error> {
    /// What is looked for.
    enum Wanted {
        Text(String),
        Numbers([u32; 2]),
    }
    // The upper bits of the type choose keys for signatures or encryption.
    let kind = dwKeyType & 0xffff;
    let wanted = match kind {
        1 => Wanted::Text(String::from_utf8_lossy(&guest.read_c_string(pvKey.get())?).into_owned()),
        2 | 5 => Wanted::Text(String::from_utf16_lossy(&guest.read_wide_string(pvKey.get())?)),
        3 => Wanted::Numbers([guest.read_u32(pvKey.get())?, 0]),
        4 => Wanted::Numbers([guest.read_u32(pvKey.get())?, guest.read_u32(pvKey.get() + 4)?]),
        _ => return Ok(GuestWord::NULL),
    };
    let fits = |row: &Known| match (kind, &wanted) {
        (1, Wanted::Text(text)) => row.identifier == text,
        (2, Wanted::Text(text)) => row.name.eq_ignore_ascii_case(text),
        (_, Wanted::Text(text)) => row.group != SIGNATURE && row.cng[0].eq_ignore_ascii_case(text),
        (3, Wanted::Numbers([number, _])) => row.group < SIGNATURE && row.number == *number,
        (_, Wanted::Numbers(numbers)) => row.group == SIGNATURE && [row.number, row.extra] == *numbers,
    };
    let found = all().find(|row| is_in(row.group, dwGroupId) && fits(row));
    found.map_or(Ok(GuestWord::NULL), |row| give(guest, &row))
}

/// Calls a program's function with all that is known of a group, until it returns 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptenumoidinfo>
#[winapi]
pub fn CryptEnumOIDInfo(
    guest: &mut Guest,
    dwGroupId: u32,
    dwFlags: u32,
    pvArg: GuestWord,
    pfnEnumOIDInfo: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwFlags;
    for row in all().filter(|row| is_in(row.group, dwGroupId)) {
        let info = give(guest, &row)?;
        if guest.call(pfnEnumOIDInfo.get(), &[info.get(), pvArg.get()])? as u32 == 0 {
            return Ok(FALSE);
        }
    }
    Ok(TRUE)
}
