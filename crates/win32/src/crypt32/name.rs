//! wincrypt.h: the names in certificates as texts.

use std::ops::Range;

use plat_abi::{GuestWord, Memory};

use super::certificate::{Blob, context};
use super::give;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::crypto::certificate::{attributes, other_names};
use crate::logic::crypto::encode;
use crate::nt::nls;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CertGetNameStringA;
    full CertGetNameStringW;
    full CertNameToStrA;
    full CertNameToStrW;
    partial CertStrToNameA, "short names and identifiers of attributes; values become texts, one for each part of the name";
    partial CertStrToNameW, "short names and identifiers of attributes; values become texts, one for each part of the name";
};

/// The short names of attributes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certnametostra>
pub(super) const KEYS: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "S"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "T"),
    ("2.5.4.42", "G"),
    ("2.5.4.43", "I"),
    ("1.2.840.113549.1.9.1", "E"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];

/// Which attributes name somebody, the best first: CN, OU, O, E.
const BEST: [&str; 4] = ["2.5.4.3", "2.5.4.11", "2.5.4.10", "1.2.840.113549.1.9.1"];
/// `szOID_SUBJECT_ALT_NAME2` and `szOID_ISSUER_ALT_NAME2`.
const OTHER_NAMES: [&str; 2] = ["2.5.29.17", "2.5.29.18"];

/// Puts a value into quotes where its signs would be read as those between values.
fn quoted(value: &str) -> String {
    let needs = value.is_empty()
        || value.starts_with(char::is_whitespace)
        || value.ends_with(char::is_whitespace)
        || value.contains([',', '+', '=', '"', '\n', '<', '>', '#', ';', '\'']);
    if needs { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.to_owned() }
}

/// Returns a name as a text: kind 1 values only, 2 with identifiers, 3 with short names.
fn name_text(bytes: &[u8], name: Range<usize>, flags: u32) -> String {
    const REVERSE: u32 = 0x0200_0000;
    const CRLF: u32 = 0x0800_0000;
    const NO_QUOTING: u32 = 0x1000_0000;
    const SEMICOLON: u32 = 0x4000_0000;
    let mut list = attributes(bytes, name);
    if flags & REVERSE != 0 {
        list.reverse();
    }
    let part = |(identifier, value): &(String, String)| {
        let value = if flags & NO_QUOTING != 0 { value.clone() } else { quoted(value) };
        match flags & 0xff {
            2 => format!("{identifier}={value}"),
            3 => match KEYS.iter().find(|row| row.0 == identifier) {
                Some((_, key)) => format!("{key}={value}"),
                None => format!("OID.{identifier}={value}"),
            },
            _ => value,
        }
    };
    let between = match flags {
        flags if flags & SEMICOLON != 0 => "; ",
        flags if flags & CRLF != 0 => "\r\n",
        _ => ", ",
    };
    list.iter().map(part).collect::<Vec<_>>().join(between)
}

/// Returns the values of a name.
pub(super) fn simple_text(bytes: &[u8], name: Range<usize>) -> String {
    name_text(bytes, name, 1)
}

/// Writes a text, cut to its place; returns the number of units with the zero.
fn give_text(
    guest: &Guest,
    width: Width,
    text: &str,
    into: GuestWord,
    capacity: u32,
) -> Result<u32, plat_abi::Fault> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let unit = width.unit_bytes();
    let mut bytes = match width {
        Width::Narrow => nls::narrow(&units),
        Width::Wide => units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
    };
    if into.is_null() || capacity == 0 {
        return Ok((bytes.len() / unit) as u32 + 1);
    }
    bytes.truncate((capacity as usize - 1) * unit);
    bytes.resize(bytes.len() + unit, 0);
    guest.write_bytes(into.get(), &bytes)?;
    Ok((bytes.len() / unit) as u32)
}

/// Returns a name of a certificate's owner or issuer.
fn wanted_name(
    guest: &Guest,
    certificate: GuestWord,
    (kind, flags): (u32, u32),
    parameter: GuestWord,
) -> Result<String, plat_abi::Fault> {
    const ISSUER: u32 = 1;
    let Ok(context) = context(guest, certificate) else { return Ok(String::new()) };
    let (bytes, parts) = (&context.encoded.bytes, &context.encoded.parts);
    let is_issuer = flags & ISSUER != 0;
    let name = if is_issuer { parts.issuer.clone() } else { parts.subject.clone() };
    let list = attributes(bytes, name.clone());
    let attribute = |wanted: &str| list.iter().find(|row| row.0 == wanted).map(|row| row.1.clone());
    let best = || BEST.iter().find_map(|wanted| attribute(wanted));
    let other = |number: u8| {
        let extension = parts.extension(OTHER_NAMES[usize::from(is_issuer)])?;
        other_names(bytes, extension.value.clone(), number).into_iter().next()
    };
    let found = match kind {
        1 => other(1).or_else(|| attribute(BEST[3])),
        2 => {
            let flags = if parameter.is_null() { 1 } else { guest.read_u32(parameter.get())? };
            Some(name_text(bytes, name, flags))
        }
        3 if !parameter.is_null() => {
            let wanted = guest.read_c_string(parameter.get())?;
            attribute(&String::from_utf8_lossy(&wanted))
        }
        3..=5 => best().or_else(|| other(1)).or_else(|| other(2)),
        6 => other(2).or_else(|| attribute(BEST[0])),
        7 => other(6),
        _ => None,
    };
    Ok(found.unwrap_or_default())
}

/// Splits a name as text at what separates its parts, outside of quotes.
fn split_parts(text: &str, separators: &[char]) -> Vec<String> {
    let (mut parts, mut part, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                part.push(letter);
            }
            letter if !is_quoted && separators.contains(&letter) => parts.push(std::mem::take(&mut part)),
            letter => part.push(letter),
        }
    }
    parts.push(part);
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Encodes a name that is given as text; `None` for text that is no name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certstrtonamea>
fn encode_name(text: &str, flags: u32) -> Option<Vec<u8>> {
    const COMMA: u32 = 0x0400_0000;
    const SEMICOLON: u32 = 0x4000_0000;
    const CRLF: u32 = 0x0800_0000;
    const REVERSE: u32 = 0x0200_0000;
    let separators: &[char] = match flags {
        flags if flags & COMMA != 0 => &[','],
        flags if flags & SEMICOLON != 0 => &[';'],
        flags if flags & CRLF != 0 => &['\r', '\n'],
        _ => &[',', ';'],
    };
    let mut sets = Vec::new();
    for part in split_parts(text, separators) {
        let (key, value) = part.split_once('=')?;
        let key = key.trim().to_uppercase();
        let key = match key.as_str() {
            "ST" => "S",
            "EMAIL" => "E",
            "TITLE" => "T",
            "GIVENNAME" => "G",
            "INITIALS" => "I",
            key => key,
        };
        let identifier = match KEYS.iter().find(|row| row.1 == key) {
            Some(row) => row.0,
            None => key.strip_prefix("OID.").unwrap_or(key),
        };
        let value = value.trim();
        let value = match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\""),
            None if value.contains('"') => return None,
            None => value.to_owned(),
        };
        let pair = [encode::identifier(identifier)?, text_value(identifier, &value)?].concat();
        sets.push(encode::der(0x31, &encode::der(0x30, &pair)));
    }
    if flags & REVERSE != 0 {
        sets.reverse();
    }
    Some(encode::der(0x30, &sets.concat()))
}

/// Encodes the value of an attribute: IA5 for mail and domains, letters that can be printed, else UTF-16.
fn text_value(identifier: &str, value: &str) -> Option<Vec<u8>> {
    const COUNTRY: &str = "2.5.4.6";
    let is_printable = |letter: char| letter.is_ascii_alphanumeric() || " '()+,-./:=?".contains(letter);
    match identifier {
        "1.2.840.113549.1.9.1" | "0.9.2342.19200300.100.1.25" => {
            value.is_ascii().then(|| encode::der(0x16, value.as_bytes()))
        }
        COUNTRY if value.len() != 2 => None,
        _ if value.chars().all(is_printable) => Some(encode::der(0x13, value.as_bytes())),
        _ => Some(encode::der(0x1e, &value.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>())),
    }
}

both_widths! {
    /// Encodes a name that is given as text.
    "wincrypt/nf-wincrypt-certstrtoname"
    CertStrToNameA, CertStrToNameW(
        guest, width, dwCertEncodingType: u32, pszX500: GuestWord, dwStrType: u32, pvReserved: GuestWord,
        pbEncoded: GuestWord, pcbEncoded: GuestWord, ppszError: GuestWord,
    ) -> Result<Bool, Win32Error> {
        /// `CRYPT_E_INVALID_X500_STRING`.
        const NO_NAME: Win32Error = Win32Error(0x8009_2023);
        let _ = (dwCertEncodingType, pvReserved);
        let text = String::from_utf16_lossy(&width.read(guest, pszX500)?);
        let name = encode_name(&text, dwStrType);
        if !ppszError.is_null() {
            guest.write_word(ppszError.get(), if name.is_some() { 0 } else { pszX500.get() })?;
        }
        give(guest, &name.ok_or(NO_NAME)?, pbEncoded, pcbEncoded)
    }

    /// Returns a name of a certificate's owner or issuer; the number of units with the zero, 1 for none.
    "wincrypt/nf-wincrypt-certgetnamestring"
    CertGetNameStringA, CertGetNameStringW(
        guest, width, pCertContext: GuestWord, dwType: u32, dwFlags: u32, pvTypePara: GuestWord,
        pszNameString: GuestWord, cchNameString: u32,
    ) -> Result<u32, plat_abi::Fault> {
        let text = wanted_name(guest, pCertContext, (dwType, dwFlags), pvTypePara)?;
        give_text(guest, width, &text, pszNameString, cchNameString)
    }

    /// Writes a name, given as a blob, as a text; returns the number of units with the zero.
    "wincrypt/nf-wincrypt-certnametostr"
    CertNameToStrA, CertNameToStrW(
        guest, width, dwCertEncodingType: u32, pName: GuestWord, dwStrType: u32, psz: GuestWord, csz: u32,
    ) -> Result<u32, plat_abi::Fault> {
        let _ = dwCertEncodingType;
        let blob: Blob = guest.read(pName.get())?;
        let bytes = guest.read_vec(blob.data.get(), u64::from(blob.size))?;
        give_text(guest, width, &name_text(&bytes, 0..bytes.len(), dwStrType), psz, csz)
    }
}
