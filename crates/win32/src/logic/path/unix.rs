//! One file name: Unix bytes ↔ UTF-16, reversibly for every name.
//!
//! UTF-8 becomes UTF-16. A byte that is not part of valid UTF-8 becomes the lone surrogate U+DC00 + byte
//! (U+DC80…U+DCFF), and such a surrogate becomes that byte again. Any other lone surrogate, which a Windows program may
//! invent, is written as the three bytes of its generalised UTF-8. Those bytes are not valid UTF-8, so they read back as
//! three surrogates: a name *made* with such a surrogate reads back differently, a name *found* never does.
//! A few characters that Windows forbids in names but Unix allows (`\ : * ? " < > |` and controls) are shown
//! at U+F000 + byte, as Services for UNIX and Cygwin do.
//!
//! Source: PEP 383 for the surrogates; WTF-8 for the generalised form;
//! <https://cygwin.com/cygwin-ug-net/using-specialnames.html> "Forbidden characters in filenames".

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const PRIVATE_BASE: u16 = 0xf000;

/// Returns the UTF-16 form of a Unix file name.
pub fn unix_name_to_wide(name: &OsStr) -> Vec<u16> {
    let mut wide = Vec::with_capacity(name.len());
    for chunk in name.as_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            match u16::try_from(u32::from(character)) {
                Ok(unit) if is_forbidden(unit) => wide.push(PRIVATE_BASE + unit),
                // The private character itself would be taken for the forbidden one: it goes byte by byte.
                Ok(unit) if unit & 0xff00 == PRIVATE_BASE && is_forbidden(unit & 0xff) => {
                    let mut bytes = [0; 4];
                    wide.extend(character.encode_utf8(&mut bytes).bytes().map(byte_to_surrogate));
                }
                _ => wide.extend_from_slice(character.encode_utf16(&mut [0; 2])),
            }
        }
        wide.extend(chunk.invalid().iter().copied().map(byte_to_surrogate));
    }
    wide
}

/// Returns the Unix form of a UTF-16 file name.
pub fn wide_to_unix_name(wide: &[u16]) -> OsString {
    let mut bytes = Vec::with_capacity(wide.len());
    push_unix_name(&mut bytes, wide);
    OsString::from_vec(bytes)
}

/// Appends the Unix form of a UTF-16 file name.
pub(super) fn push_unix_name(bytes: &mut Vec<u8>, wide: &[u16]) {
    for decoded in char::decode_utf16(wide.iter().copied()) {
        match decoded {
            Ok(character) => {
                let unit = u16::try_from(u32::from(character)).unwrap_or(0);
                if unit & 0xff00 == PRIVATE_BASE && is_forbidden(unit & 0xff) {
                    bytes.push((unit & 0xff) as u8);
                } else {
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            Err(error) => {
                let unit = error.unpaired_surrogate();
                if (0xdc80..=0xdcff).contains(&unit) {
                    bytes.push((unit & 0xff) as u8);
                } else {
                    bytes.extend([
                        0xe0 | (unit >> 12) as u8,
                        0x80 | (unit >> 6 & 0x3f) as u8,
                        0x80 | (unit & 0x3f) as u8,
                    ]);
                }
            }
        }
    }
}

fn byte_to_surrogate(byte: u8) -> u16 {
    0xdc00 + u16::from(byte)
}

/// Tells whether Windows forbids this character in a name although Unix allows it.
fn is_forbidden(unit: u16) -> bool {
    (1..0x20).contains(&unit) || "\\:*?\"<>|".bytes().any(|byte| u16::from(byte) == unit)
}
