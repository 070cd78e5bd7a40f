//! Structures of certificates and keys from DER to what programs read. Key functions: [`decode`], [`kind_of`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/seccrypto/constants-for-cryptencodeobject-and-cryptdecodeobject>

use super::CryptoError;
use super::certificate::{
    BITS, Certificate, Element, Elements, IDENTIFIER, SEQUENCE, SET, algorithm, dotted, string, time_of,
};
use super::layout::Item;

/// The numbers of structures.
pub mod kind {
    /// A signed structure.
    pub const CERT: u64 = 1;
    /// What is signed of a certificate.
    pub const CERT_TO_BE_SIGNED: u64 = 2;
    /// A list of extensions.
    pub const EXTENSIONS: u64 = 5;
    /// A name, its texts as they are.
    pub const NAME: u64 = 7;
    /// A key with its algorithm.
    pub const PUBLIC_KEY_INFO: u64 = 8;
    /// General names.
    pub const ALTERNATE_NAME: u64 = 12;
    /// A key's usage, which is bits.
    pub const KEY_USAGE: u64 = 14;
    /// Whether it is an authority.
    pub const BASIC_CONSTRAINTS: u64 = 15;
    /// A time with two digits of the year.
    pub const UTC_TIME: u64 = 17;
    /// A key of RSA as a blob of the older interface.
    pub const RSA_PUBLIC_BLOB: u64 = 19;
    /// A name, its texts in UTF-16.
    pub const UNICODE_NAME: u64 = 20;
    /// Bytes.
    pub const OCTETS: u64 = 25;
    /// Bits.
    pub const BITS: u64 = 26;
    /// A small number.
    pub const INTEGER: u64 = 27;
    /// A number of any size.
    pub const BIG_INTEGER: u64 = 28;
    /// One of several.
    pub const ENUMERATED: u64 = 29;
    /// A time.
    pub const TIME: u64 = 30;
    /// The identifier of the issuer's key.
    pub const AUTHORITY_KEY: u64 = 31;
    /// Where more is said of the issuer.
    pub const AUTHORITY_ACCESS: u64 = 32;
    /// Anything, one after the other.
    pub const SEQUENCE_OF_ANY: u64 = 34;
    /// Uses of a key.
    pub const USES: u64 = 36;
    /// A number without a sign.
    pub const BIG_UNSIGNED: u64 = 38;
    /// A private key of RSA as a blob of the older interface.
    pub const RSA_PRIVATE_BLOB: u64 = 43;
    /// A private key with its algorithm.
    pub const PRIVATE_KEY_INFO: u64 = 44;
    /// A signature of a curve.
    pub const CURVE_SIGNATURE: u64 = 47;
    /// A key of RSA as a blob of CNG.
    pub const CNG_RSA_PUBLIC_BLOB: u64 = 72;
    /// An identifier.
    pub const IDENTIFIER: u64 = 73;
    /// An algorithm.
    pub const ALGORITHM: u64 = 74;
    /// Bits without zeros at the end.
    pub const SHORT_BITS: u64 = 75;
    /// A private key of a curve.
    pub const CURVE_PRIVATE_KEY: u64 = 82;
}

/// Returns the number of the structure of an extension or attribute.
pub fn kind_of(identifier: &str) -> Option<u64> {
    Some(match identifier {
        "2.5.29.14" => kind::OCTETS,
        "2.5.29.15" => kind::KEY_USAGE,
        "2.5.29.17" | "2.5.29.18" => kind::ALTERNATE_NAME,
        "2.5.29.19" => kind::BASIC_CONSTRAINTS,
        "2.5.29.35" => kind::AUTHORITY_KEY,
        "2.5.29.37" => kind::USES,
        "1.3.6.1.5.5.7.1.1" => kind::AUTHORITY_ACCESS,
        "1.2.840.113549.1.9.5" => kind::UTC_TIME,
        _ => return None,
    })
}

/// A structure's parts, or why there are none.
type Parts = Result<Vec<Item>, CryptoError>;

/// Takes DER apart into the structure of a number.
///
/// # Errors
/// [`CryptoError::Unsupported`] for numbers that are not there, [`CryptoError::Malformed`].
pub fn decode(number: u64, bytes: &[u8]) -> Parts {
    let whole = || Elements::new(bytes, 0..bytes.len());
    let of = |tag: u8| whole().tagged(tag).map(|element| &bytes[element.content]);
    Ok(match number {
        kind::CERT => return signed(bytes),
        kind::CERT_TO_BE_SIGNED => return certificate(bytes),
        kind::EXTENSIONS => vec![Item::list(extensions(bytes)?)],
        kind::NAME => return name(bytes, false),
        kind::UNICODE_NAME => return name(bytes, true),
        kind::PUBLIC_KEY_INFO => return public_key(bytes),
        kind::ALTERNATE_NAME => vec![alternate_names(bytes, whole().tagged(SEQUENCE)?)?],
        kind::KEY_USAGE | kind::BITS | kind::SHORT_BITS => vec![bits(of(BITS)?)?],
        kind::BASIC_CONSTRAINTS => {
            let (is_authority, below) =
                super::chain::basic_constraints(bytes).ok_or(CryptoError::Malformed)?;
            let below = below.map(|below| below as u32);
            vec![
                Item::Number(u32::from(is_authority)),
                Item::Number(u32::from(below.is_some())),
                Item::Number(below.unwrap_or(0)),
            ]
        }
        kind::UTC_TIME | kind::TIME => {
            let element = whole().next().ok_or(CryptoError::Malformed)?;
            let time = time_of(&bytes[element.content], element.tag).ok_or(CryptoError::Malformed)?;
            vec![Item::Number(time as u32), Item::Number((time >> 32) as u32)]
        }
        kind::RSA_PUBLIC_BLOB | kind::CNG_RSA_PUBLIC_BLOB => {
            vec![Item::Bytes(rsa_public(bytes, number == kind::CNG_RSA_PUBLIC_BLOB)?)]
        }
        kind::RSA_PRIVATE_BLOB => vec![Item::Bytes(rsa_private(bytes)?)],
        kind::OCTETS => vec![Item::blob(of(4)?)],
        kind::INTEGER => vec![Item::Number(small(of(2)?)?)],
        kind::ENUMERATED => vec![Item::Number(small(of(10)?)?)],
        kind::BIG_INTEGER => vec![Item::blob(&reversed(of(2)?))],
        kind::BIG_UNSIGNED => vec![unsigned(of(2)?)],
        kind::AUTHORITY_KEY => return authority_key(bytes),
        kind::AUTHORITY_ACCESS => {
            let access = |element: Element| {
                let mut parts = Elements::new(bytes, element.content);
                let method = identifier(bytes, parts.tagged(IDENTIFIER)?);
                let place = alternate_name(bytes, &parts.next().ok_or(CryptoError::Malformed)?)?;
                Ok(Item::Inner(vec![method, place]))
            };
            vec![Item::list(inside(bytes)?.map(access).collect::<Result<_, CryptoError>>()?)]
        }
        kind::SEQUENCE_OF_ANY => {
            vec![Item::list(inside(bytes)?.map(|element| Item::blob(&bytes[element.whole])).collect())]
        }
        kind::USES => {
            let texts = super::certificate::identifiers(bytes, 0..bytes.len());
            whole().tagged(SEQUENCE)?;
            vec![Item::list(texts.iter().map(|text| Item::to_text(text)).collect())]
        }
        kind::PRIVATE_KEY_INFO => return private_key(bytes),
        kind::CURVE_PRIVATE_KEY => return curve_private(bytes),
        kind::CURVE_SIGNATURE => {
            let mut parts = inside(bytes)?;
            let (first, second) = (parts.tagged(2)?, parts.tagged(2)?);
            vec![unsigned(&bytes[first.content]), unsigned(&bytes[second.content])]
        }
        kind::IDENTIFIER => vec![identifier(bytes, whole().tagged(IDENTIFIER)?)],
        kind::ALGORITHM => vec![algorithm_item(bytes, whole().tagged(SEQUENCE)?)?],
        _ => return Err(CryptoError::Unsupported),
    })
}

/// Returns what is in a sequence.
fn inside(bytes: &[u8]) -> Result<Elements<'_>, CryptoError> {
    let outer = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
    Ok(Elements::new(bytes, outer.content))
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

/// Returns a number of at most 4 bytes.
fn small(content: &[u8]) -> Result<u32, CryptoError> {
    if content.is_empty() || content.len() > 4 {
        return Err(CryptoError::Malformed);
    }
    let sign = if content[0] & 0x80 != 0 { u32::MAX } else { 0 };
    Ok(content.iter().fold(sign, |sum, &byte| sum << 8 | u32::from(byte)))
}

/// Returns a number without the byte that only says that it is not negative, the least byte first.
fn unsigned(content: &[u8]) -> Item {
    let digits = if content.len() > 1 { content.strip_prefix(&[0]).unwrap_or(content) } else { content };
    Item::blob(&reversed(digits))
}

fn identifier(bytes: &[u8], element: Element) -> Item {
    Item::to_text(&dotted(&bytes[element.content]))
}

fn algorithm_item(bytes: &[u8], element: Element) -> Result<Item, CryptoError> {
    let (name, parameters) = algorithm(bytes, element)?;
    Ok(Item::Inner(vec![Item::to_text(&name), Item::blob(&bytes[parameters])]))
}

/// Returns a `CRYPT_BIT_BLOB` of the content of a bit string.
fn bits(content: &[u8]) -> Result<Item, CryptoError> {
    let (&unused, rest) = content.split_first().ok_or(CryptoError::Malformed)?;
    let fields = vec![Item::Number(rest.len() as u32), Item::to_bytes(rest), Item::Number(unused.into())];
    Ok(Item::Inner(fields))
}

/// `CERT_PUBLIC_KEY_INFO`.
fn public_key(bytes: &[u8]) -> Parts {
    let mut parts = inside(bytes)?;
    let algorithm = algorithm_item(bytes, parts.tagged(SEQUENCE)?)?;
    Ok(vec![algorithm, bits(&bytes[parts.tagged(BITS)?.content])?])
}

/// `CRYPT_PRIVATE_KEY_INFO`, without attributes.
fn private_key(bytes: &[u8]) -> Parts {
    let mut parts = inside(bytes)?;
    let version = small(&bytes[parts.tagged(2)?.content])?;
    let algorithm = algorithm_item(bytes, parts.tagged(SEQUENCE)?)?;
    let key = Item::blob(&bytes[parts.tagged(4)?.content]);
    Ok(vec![Item::Number(version), algorithm, key, Item::Pointer(None)])
}

/// `CERT_SIGNED_CONTENT_INFO`, the signature's least byte first.
fn signed(bytes: &[u8]) -> Parts {
    let signed = super::signed::Signed::parse(bytes)?;
    let outer = Elements::new(bytes, 0..bytes.len()).tagged(SEQUENCE)?;
    let mut parts = Elements::new(bytes, outer.content);
    parts.next();
    let algorithm = algorithm_item(bytes, parts.tagged(SEQUENCE)?)?;
    let mut content = bytes[parts.tagged(BITS)?.content].to_vec();
    if let Some(rest) = content.get_mut(1..) {
        rest.reverse();
    }
    Ok(vec![Item::blob(&bytes[signed.body.whole]), algorithm, bits(&content)?])
}

/// `CERT_INFO`, of a whole certificate or of what is signed of it.
fn certificate(bytes: &[u8]) -> Parts {
    let wrapped;
    let (bytes, parts) = match Certificate::parse(bytes) {
        Ok(parts) => (bytes, parts),
        Err(_) => {
            wrapped = super::encode::der(SEQUENCE, bytes);
            let parts = Certificate::parse(&wrapped)?;
            (&wrapped[..], parts)
        }
    };
    let algorithm = |algorithm: &super::certificate::Algorithm| {
        Item::Inner(vec![Item::to_text(&algorithm.0), Item::blob(&bytes[algorithm.1.clone()])])
    };
    let none = || Item::Inner(vec![Item::Number(0), Item::Pointer(None), Item::Number(0)]);
    let key = vec![
        Item::Number(parts.key.len() as u32),
        Item::to_bytes(&bytes[parts.key.clone()]),
        Item::Number(parts.key_unused_bits.into()),
    ];
    let extensions = parts.extensions.iter().map(|extension| {
        let value = Item::blob(&bytes[extension.value.clone()]);
        let critical = Item::Number(extension.is_critical.into());
        Item::Inner(vec![Item::to_text(&extension.identifier), critical, value])
    });
    Ok(vec![
        Item::Number(parts.version),
        Item::blob(&reversed(&bytes[parts.serial.clone()])),
        algorithm(&parts.signature),
        Item::blob(&bytes[parts.issuer.clone()]),
        Item::Number(parts.not_before as u32),
        Item::Number((parts.not_before >> 32) as u32),
        Item::Number(parts.not_after as u32),
        Item::Number((parts.not_after >> 32) as u32),
        Item::blob(&bytes[parts.subject.clone()]),
        algorithm(&parts.key_algorithm),
        Item::Inner(key),
        none(),
        none(),
        Item::list(extensions.collect()),
    ])
}

fn extensions(bytes: &[u8]) -> Result<Vec<Item>, CryptoError> {
    let extension = |element: Element| {
        let mut parts = Elements::new(bytes, element.content);
        let name = identifier(bytes, parts.tagged(IDENTIFIER)?);
        let critical = parts.tagged(1).is_ok_and(|flag| bytes[flag.content].iter().any(|&byte| byte != 0));
        let value = Item::blob(&bytes[parts.tagged(4)?.content]);
        Ok(Item::Inner(vec![name, Item::Number(critical.into()), value]))
    };
    inside(bytes)?.map(extension).collect()
}

/// The kinds of texts in names: the tag of DER, the number of `CERT_RDN_ATTR`.
pub(super) const TEXTS: [(u8, u32); 9] =
    [(4, 2), (0x12, 3), (0x13, 4), (0x14, 5), (0x15, 6), (0x16, 7), (0x1c, 11), (0x1e, 12), (0x0c, 13)];

/// `CERT_NAME_INFO`.
fn name(bytes: &[u8], is_wide: bool) -> Parts {
    let attribute = |element: Element| {
        let mut parts = Elements::new(bytes, element.content);
        let name = identifier(bytes, parts.tagged(IDENTIFIER)?);
        let value = parts.next().ok_or(CryptoError::Malformed)?;
        // What is no text is given whole, as kind 1.
        let kind = TEXTS.iter().find(|row| row.0 == value.tag).map_or(1, |row| row.1);
        let content = &bytes[value.content.clone()];
        let text = match kind {
            1 => bytes[value.whole].to_vec(),
            2..=11 if !is_wide => content.to_vec(),
            2 => content.to_vec(),
            _ => string(content, value.tag).encode_utf16().flat_map(u16::to_le_bytes).collect(),
        };
        Ok(Item::Inner(vec![name, Item::Number(kind), Item::blob(&text)]))
    };
    let relative = |element: Element| {
        if element.tag != SET {
            return Err(CryptoError::Malformed);
        }
        let list =
            Elements::new(bytes, element.content).map(attribute).collect::<Result<_, CryptoError>>()?;
        Ok(Item::list(list))
    };
    Ok(vec![Item::list(inside(bytes)?.map(relative).collect::<Result<_, CryptoError>>()?)])
}

/// `CERT_ALT_NAME_ENTRY`.
fn alternate_name(bytes: &[u8], element: &Element) -> Result<Item, CryptoError> {
    let content = &bytes[element.content.clone()];
    let number = u32::from(element.tag & 0x1f) + 1;
    let value = match number {
        2 | 3 | 7 => vec![Item::to_wide(&string(content, 0x16)), Item::Pointer(None)],
        9 => vec![Item::to_text(&dotted(content)), Item::Pointer(None)],
        4..=6 | 8 => vec![Item::blob(content)],
        // OTHER_NAME: an identifier and a value, behind a pointer.
        1 => {
            let mut parts = Elements::new(bytes, element.content.clone());
            let name = identifier(bytes, parts.tagged(IDENTIFIER)?);
            let value = parts.tagged(0xa0)?;
            let other = vec![name, Item::blob(&bytes[value.content])];
            vec![Item::Pointer(Some(other)), Item::Pointer(None)]
        }
        _ => return Err(CryptoError::Malformed),
    };
    Ok(Item::Inner(vec![Item::Number(number), Item::Inner(value)]))
}

/// `CERT_ALT_NAME_INFO`.
fn alternate_names(bytes: &[u8], list: Element) -> Result<Item, CryptoError> {
    let names = Elements::new(bytes, list.content).map(|element| alternate_name(bytes, &element));
    Ok(Item::list(names.collect::<Result<_, _>>()?))
}

/// `CERT_AUTHORITY_KEY_ID2_INFO`.
fn authority_key(bytes: &[u8]) -> Parts {
    let (mut key, mut issuer, mut serial) = (Item::blob(&[]), Item::list(Vec::new()), Item::blob(&[]));
    for part in inside(bytes)? {
        match part.tag {
            0x80 => key = Item::blob(&bytes[part.content]),
            0xa1 => issuer = alternate_names(bytes, part)?,
            0x82 => serial = Item::blob(&reversed(&bytes[part.content])),
            _ => return Err(CryptoError::Malformed),
        }
    }
    Ok(vec![key, issuer, serial])
}

/// Returns a number's digits, the most significant byte first, without leading zeros.
fn digits(content: &[u8]) -> &[u8] {
    let start = content.iter().position(|&byte| byte != 0).unwrap_or(content.len());
    &content[start..]
}

/// A key of RSA as a blob.
///
/// Source: <https://learn.microsoft.com/windows/win32/seccrypto/rsa-schannel-key-blobs>,
/// <https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcrypt_rsakey_blob>
fn rsa_public(bytes: &[u8], is_cng: bool) -> Result<Vec<u8>, CryptoError> {
    let mut parts = inside(bytes)?;
    let (modulus, exponent) = (parts.tagged(2)?, parts.tagged(2)?);
    let (modulus, exponent) = (digits(&bytes[modulus.content]), digits(&bytes[exponent.content]));
    let bits = modulus.len() as u32 * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros());
    if is_cng {
        let header = [0x3141_5352, bits, exponent.len() as u32, modulus.len() as u32, 0, 0];
        let header: Vec<u8> = header.into_iter().flat_map(u32::to_le_bytes).collect();
        return Ok([&header, exponent, modulus].concat());
    }
    let exponent = small(exponent)?;
    let header = [&[6, 2, 0, 0][..], &0xa400_u32.to_le_bytes(), b"RSA1"].concat();
    Ok([&header[..], &bits.to_le_bytes(), &exponent.to_le_bytes(), &reversed(modulus)].concat())
}

/// `PRIVATEKEYBLOB`: modulus and six other numbers, the least byte first, of half the modulus' size but for the last.
fn rsa_private(bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut parts = inside(bytes)?;
    parts.tagged(2)?;
    let mut number = || parts.tagged(2).map(|element| digits(&bytes[element.content]));
    let (modulus, exponent, private) = (number()?, number()?, number()?);
    let others = [number()?, number()?, number()?, number()?, number()?];
    let size = modulus.len();
    let mut blob = [&[7, 2, 0, 0][..], &0xa400_u32.to_le_bytes(), b"RSA2"].concat();
    blob.extend((size as u32 * 8).to_le_bytes());
    blob.extend(small(exponent)?.to_le_bytes());
    let numbers = others.iter().map(|digits| (*digits, size / 2));
    for (digits, size) in [(modulus, size)].into_iter().chain(numbers).chain([(private, size)]) {
        if digits.len() > size {
            return Err(CryptoError::Malformed);
        }
        let start = blob.len();
        blob.extend(digits.iter().rev());
        blob.resize(start + size, 0);
    }
    Ok(blob)
}

/// `CRYPT_ECC_PRIVATE_KEY_INFO`.
fn curve_private(bytes: &[u8]) -> Parts {
    let mut parts = inside(bytes)?;
    let version = small(&bytes[parts.tagged(2)?.content])?;
    let key = Item::blob(&bytes[parts.tagged(4)?.content]);
    let (mut curve, mut public) =
        (Item::Pointer(None), Item::Inner(vec![Item::Number(0), Item::Pointer(None), Item::Number(0)]));
    for part in parts {
        let mut inner = Elements::new(bytes, part.content);
        match part.tag {
            0xa0 => curve = identifier(bytes, inner.tagged(IDENTIFIER)?),
            0xa1 => public = bits(&bytes[inner.tagged(BITS)?.content])?,
            _ => return Err(CryptoError::Malformed),
        }
    }
    Ok(vec![Item::Number(version), key, curve, public])
}
