//! Structures in guest memory to DER, for `CryptEncodeObject`.

use plat_abi::{GuestStruct, GuestWord, Memory};

use super::certificate::{AlgorithmIdentifier, BitBlob, Blob, CertExtension};
use super::verify::{PublicKeyInfo, blob_bytes};
use crate::Win32Error;
use crate::guest::Guest;
use crate::logic::crypto::certificate::SEQUENCE;
use crate::logic::crypto::certificate::SET;
use crate::logic::crypto::decode::kind;
use crate::logic::crypto::encode::{bits, der, identifier, integer, time};

type Encoded = Result<Vec<u8>, Win32Error>;

/// `CRYPT_E_ASN1_ERROR`, the answer to a structure that cannot be encoded.
const BAD_STRUCTURE: Win32Error = Win32Error(0x8009_3100);

/// A number and an array of structures, as many structures begin.
#[derive(GuestStruct, Default)]
struct List {
    count: u32,
    items: GuestWord,
}

/// `CERT_RDN_ATTR`.
#[derive(GuestStruct, Default)]
struct Attribute {
    identifier: GuestWord,
    kind: u32,
    value: Blob,
}

/// `CERT_ALT_NAME_ENTRY`.
#[derive(GuestStruct, Default)]
struct AlternateName {
    choice: u32,
    value: [GuestWord; 2],
}

/// `CERT_AUTHORITY_KEY_ID2_INFO`.
#[derive(GuestStruct, Default)]
struct AuthorityKey {
    key: Blob,
    issuer: List,
    serial: Blob,
}

/// Encodes the structure of a number.
///
/// # Errors
/// `ERROR_FILE_NOT_FOUND` for numbers that are not there, `ERROR_NOACCESS` and `CRYPT_E_ASN1_ERROR` for bad contents.
pub(super) fn encode(guest: &Guest, number: u64, at: u64) -> Encoded {
    let blob = || -> Encoded { Ok(blob_bytes(guest, &guest.read(at)?)?) };
    Ok(match number {
        kind::EXTENSIONS => {
            sequence(guest, at, CertExtension::size(guest.machine()), |at| extension(guest, at))?
        }
        kind::NAME => name(guest, at, false)?,
        kind::UNICODE_NAME => name(guest, at, true)?,
        kind::PUBLIC_KEY_INFO => public_key_info(guest, GuestWord(at))?,
        kind::ALTERNATE_NAME => der(SEQUENCE, &alternate_names(guest, at)?),
        kind::KEY_USAGE | kind::BITS => bit_string(guest, &guest.read(at)?, false)?,
        kind::SHORT_BITS => bit_string(guest, &guest.read(at)?, true)?,
        kind::BASIC_CONSTRAINTS => basic_constraints(guest, at)?,
        kind::UTC_TIME | kind::TIME => time(guest.read_u64(at)?),
        kind::RSA_PUBLIC_BLOB => rsa_public(guest, at)?,
        kind::OCTETS => der(4, &blob()?),
        kind::INTEGER => integer(&guest.read_u32(at)?.to_le_bytes(), false),
        kind::ENUMERATED => {
            let mut number = integer(&guest.read_u32(at)?.to_le_bytes(), false);
            number[0] = 10;
            number
        }
        kind::BIG_INTEGER => integer(&blob()?, false),
        kind::BIG_UNSIGNED => integer(&blob()?, true),
        kind::AUTHORITY_KEY => authority_key(guest, at)?,
        kind::SEQUENCE_OF_ANY => {
            sequence(guest, at, Blob::size(guest.machine()), |at| Ok(blob_bytes(guest, &guest.read(at)?)?))?
        }
        kind::USES => sequence(guest, at, guest.machine().pointer_size(), |at| {
            identifier_at(guest, GuestWord(guest.read_word(at)?))
        })?,
        kind::CURVE_SIGNATURE => {
            let second: Blob = guest.read(at + Blob::size(guest.machine()))?;
            let numbers = [integer(&blob()?, true), integer(&blob_bytes(guest, &second)?, true)];
            der(SEQUENCE, &numbers.concat())
        }
        kind::IDENTIFIER => identifier_at(guest, GuestWord(guest.read_word(at)?))?,
        kind::ALGORITHM => algorithm(guest, &guest.read(at)?, false)?,
        _ => return Err(Win32Error::FILE_NOT_FOUND),
    })
}

/// Encodes a list of structures of a size as a sequence.
fn sequence(guest: &Guest, at: u64, size: u64, one: impl Fn(u64) -> Encoded) -> Encoded {
    let list: List = guest.read(at)?;
    let mut content = Vec::new();
    for number in 0..u64::from(list.count) {
        content.extend(one(list.items.get() + number * size)?);
    }
    Ok(der(SEQUENCE, &content))
}

fn identifier_at(guest: &Guest, address: GuestWord) -> Encoded {
    let text = guest.read_c_string(address.get())?;
    identifier(&String::from_utf8_lossy(&text)).ok_or(BAD_STRUCTURE)
}

/// Encodes an algorithm; without parameters it gets none, or for keys and signatures of RSA a null.
fn algorithm(guest: &Guest, algorithm: &AlgorithmIdentifier, wants_null: bool) -> Encoded {
    let name = identifier_at(guest, algorithm.identifier)?;
    let mut parameters = blob_bytes(guest, &algorithm.parameters)?;
    if parameters.is_empty() && wants_null {
        parameters = vec![5, 0];
    }
    Ok(der(SEQUENCE, &[name, parameters].concat()))
}

/// Encodes a key with its algorithm.
pub(super) fn public_key_info(guest: &Guest, info: GuestWord) -> Encoded {
    let info: PublicKeyInfo = guest.read(info.get())?;
    let key = guest.read_vec(info.key.data.get(), u64::from(info.key.size))?;
    let algorithm = algorithm(guest, &info.algorithm, true)?;
    Ok(der(SEQUENCE, &[algorithm, bits(&key, info.key.unused)].concat()))
}

/// Encodes bits; in one of its forms without the zeros at the end.
fn bit_string(guest: &Guest, blob: &BitBlob, without_zeros: bool) -> Encoded {
    let mut bytes = guest.read_vec(blob.data.get(), u64::from(blob.size))?;
    if !without_zeros {
        return Ok(bits(&bytes, blob.unused));
    }
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    let unused = bytes.last().map_or(0, |last| last.trailing_zeros());
    Ok(bits(&bytes, unused))
}

fn basic_constraints(guest: &Guest, at: u64) -> Encoded {
    let [authority, limited, below] = [guest.read_u32(at)?, guest.read_u32(at + 4)?, guest.read_u32(at + 8)?];
    let mut content = Vec::new();
    if authority != 0 {
        content.extend(der(1, &[0xff]));
    }
    if limited != 0 {
        content.extend(integer(&below.to_le_bytes(), true));
    }
    Ok(der(SEQUENCE, &content))
}

fn extension(guest: &Guest, at: u64) -> Encoded {
    let extension: CertExtension = guest.read(at)?;
    let mut content = identifier_at(guest, extension.identifier)?;
    if extension.is_critical != 0 {
        content.extend(der(1, &[0xff]));
    }
    content.extend(der(4, &blob_bytes(guest, &extension.value)?));
    Ok(der(SEQUENCE, &content))
}

/// Encodes a name: a sequence of sets of attributes.
fn name(guest: &Guest, at: u64, is_wide: bool) -> Encoded {
    let machine = guest.machine();
    sequence(guest, at, List::size(machine), |at| {
        let mut set = sequence(guest, at, Attribute::size(machine), |at| attribute(guest, at, is_wide))?;
        set[0] = SET;
        Ok(set)
    })
}

fn attribute(guest: &Guest, at: u64, is_wide: bool) -> Encoded {
    /// `CERT_RDN_TYPE_MASK`.
    const KIND: u32 = 0xff;
    let attribute: Attribute = guest.read(at)?;
    let name = identifier_at(guest, attribute.identifier)?;
    let bytes = blob_bytes(guest, &attribute.value)?;
    let units = || {
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
    };
    let value = match attribute.kind & KIND {
        // Encoded by the program.
        1 => bytes,
        2 => der(4, &bytes),
        0 if is_wide => der(text_tag(&units()), &text_bytes(&units())),
        12 => der(0x1e, &units().encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()),
        13 => der(0x0c, units().as_bytes()),
        number => {
            let tags = [(3, 0x12), (4, 0x13), (5, 0x14), (6, 0x15), (7, 0x16)];
            let (_, tag) = tags.into_iter().find(|row| row.0 == number).ok_or(BAD_STRUCTURE)?;
            match is_wide {
                true => der(tag, &units().chars().map(|letter| letter as u8).collect::<Vec<_>>()),
                false => der(tag, &bytes),
            }
        }
    };
    Ok(der(SEQUENCE, &[name, value].concat()))
}

/// Returns the kind of text that a value without one gets: printable, else UTF-16.
fn text_tag(text: &str) -> u8 {
    let is_printable = |letter: char| letter.is_ascii_alphanumeric() || " '()+,-./:=?".contains(letter);
    if text.chars().all(is_printable) { 0x13 } else { 0x1e }
}

fn text_bytes(text: &str) -> Vec<u8> {
    match text_tag(text) {
        0x13 => text.as_bytes().to_vec(),
        _ => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

/// Encodes general names, without the sequence around them.
fn alternate_names(guest: &Guest, at: u64) -> Encoded {
    let list: List = guest.read(at)?;
    let mut content = Vec::new();
    for number in 0..u64::from(list.count) {
        let at = list.items.get() + number * AlternateName::size(guest.machine());
        let entry: AlternateName = guest.read(at)?;
        let [first, second] = entry.value;
        let tag = 0x80 | (entry.choice.wrapping_sub(1) & 0x1f) as u8;
        content.extend(match entry.choice {
            2 | 3 | 7 => {
                let text = String::from_utf16_lossy(&guest.read_wide_string(first.get())?);
                // CRYPT_E_INVALID_IA5_STRING
                let is_ascii = text.is_ascii().then_some(()).ok_or(Win32Error(0x8009_2022));
                is_ascii.map(|()| der(tag, text.as_bytes()))?
            }
            5 => der(0xa4, &guest.read_vec(second.get(), first.get() & 0xffff_ffff)?),
            8 => der(tag, &guest.read_vec(second.get(), first.get() & 0xffff_ffff)?),
            9 => {
                let mut element = identifier_at(guest, first)?;
                element[0] = tag;
                element
            }
            _ => return Err(Win32Error::INVALID_PARAMETER),
        });
    }
    Ok(content)
}

fn authority_key(guest: &Guest, at: u64) -> Encoded {
    let parts: AuthorityKey = guest.read(at)?;
    let mut content = Vec::new();
    let key = blob_bytes(guest, &parts.key)?;
    if !key.is_empty() {
        content.extend(der(0x80, &key));
    }
    if parts.issuer.count > 0 {
        content.extend(der(0xa1, &alternate_names(guest, at + Blob::size(guest.machine()))?));
    }
    let serial = blob_bytes(guest, &parts.serial)?;
    if !serial.is_empty() {
        let mut serial = integer(&serial, false);
        serial[0] = 0x82;
        content.extend(serial);
    }
    Ok(der(SEQUENCE, &content))
}

/// Encodes a key of RSA that is given as a blob of the older interface.
fn rsa_public(guest: &Guest, at: u64) -> Encoded {
    let bits = guest.read_u32(at + 12)?;
    if guest.read_u32(at + 8)? != u32::from_le_bytes(*b"RSA1") || bits > 1 << 16 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let exponent = integer(&guest.read_u32(at + 16)?.to_le_bytes(), true);
    let modulus = integer(&guest.read_vec(at + 20, u64::from(bits.div_ceil(8)))?, true);
    Ok(der(SEQUENCE, &[modulus, exponent].concat()))
}
