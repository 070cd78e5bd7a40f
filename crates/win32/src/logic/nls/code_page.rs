//! Code pages: `MultiByteToWideChar` and `WideCharToMultiByte` over byte and UTF-16 slices.
//!
//! Limits: best fit knows Latin letters with marks, full-width forms and the common
//! punctuation; `MB_COMPOSITE` output stays precomposed.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-multibytetowidechar>,
//! <https://learn.microsoft.com/windows/win32/api/stringapiset/nf-stringapiset-widechartomultibyte>

use super::super::status::Win32Error;
use super::double_byte::DoubleByte;
use super::tables::{BEST_FIT, PAGES};

/// Output is precomposed (the default).
pub const MB_PRECOMPOSED: u32 = 1;
/// Output is decomposed.
pub const MB_COMPOSITE: u32 = 2;
/// Control characters become glyphs.
pub const MB_USEGLYPHCHARS: u32 = 4;
/// An invalid byte is an error.
pub const MB_ERR_INVALID_CHARS: u32 = 8;
/// An invalid UTF-16 unit is an error (UTF-8 only).
pub const WC_ERR_INVALID_CHARS: u32 = 0x80;
/// A character without an exact counterpart becomes the default character.
pub const WC_NO_BEST_FIT_CHARS: u32 = 0x400;
/// All flags of `WideCharToMultiByte` but [`WC_ERR_INVALID_CHARS`]: the composite check's four and no best fit.
const WC_SINGLE_BYTE_FLAGS: u32 = 0x270 | WC_NO_BEST_FIT_CHARS;

const UTF_8: u32 = 65001;
const REPLACEMENT: u16 = 0xfffd;
const DEFAULT_CHARACTER: u8 = b'?';

/// Which pages `CP_ACP` and `CP_OEMCP` mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultPages {
    /// The ANSI code page.
    pub ansi: u32,
    /// The OEM code page.
    pub oem: u32,
}

impl Default for DefaultPages {
    /// Returns the pages of a Western system: 1252 and 437.
    fn default() -> Self {
        Self { ansi: 1252, oem: 437 }
    }
}

/// A code page that conversions can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodePage {
    /// UTF-8.
    Utf8,
    /// One byte per character.
    SingleByte(SingleByte),
    /// One or two bytes per character: the East Asian pages.
    DoubleByte(DoubleByte),
}

/// A single-byte page: the lower half is ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleByte {
    number: u32,
    /// The units of bytes 0x80 to 0xFF; U+FFFD where there is none.
    upper: Vec<u16>,
    /// The same the other way round, sorted by unit.
    reverse: Vec<(u16, u8)>,
}

/// The outcome of a conversion from UTF-16.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the default character took the place of one that the page does not have.
    pub used_default: bool,
}

impl CodePage {
    /// Returns the page for an identifier; 0 and 3 are the ANSI page, 1 is the OEM page. Keep it: building costs microseconds.
    ///
    /// # Errors
    /// [`Win32Error::INVALID_PARAMETER`] for an unknown page.
    pub fn new(identifier: u32, defaults: DefaultPages) -> Result<Self, Win32Error> {
        let number = match identifier {
            0 | 3 => defaults.ansi,
            1 => defaults.oem,
            other => other,
        };
        if number == UTF_8 {
            return Ok(Self::Utf8);
        }
        if let Some(page) = DoubleByte::new(number) {
            return Ok(Self::DoubleByte(page));
        }
        let page =
            PAGES.iter().find(|page| u32::from(page.0) == number).ok_or(Win32Error::INVALID_PARAMETER)?;
        let upper: Vec<u16> = page.1.encode_utf16().collect();
        let mut reverse: Vec<(u16, u8)> = upper
            .iter()
            .zip(0x80..=0xff)
            .filter(|pair| *pair.0 != REPLACEMENT)
            .map(|(&unit, byte)| (unit, byte))
            .collect();
        reverse.sort_unstable();
        Ok(Self::SingleByte(SingleByte { number, upper, reverse }))
    }

    /// Returns the page's number: 1252, 65001.
    pub fn number(&self) -> u32 {
        match self {
            Self::Utf8 => UTF_8,
            Self::SingleByte(page) => page.number,
            Self::DoubleByte(page) => page.number(),
        }
    }

    /// Returns the most bytes that one character takes.
    pub fn max_character_size(&self) -> u32 {
        match self {
            Self::Utf8 => 4,
            Self::SingleByte(_) => 1,
            Self::DoubleByte(_) => 2,
        }
    }

    /// Returns the ranges of bytes that begin a character of two bytes, both ends included.
    pub fn lead_bytes(&self) -> &'static [(u8, u8)] {
        match self {
            Self::DoubleByte(page) => page.lead_bytes(),
            Self::Utf8 | Self::SingleByte(_) => &[],
        }
    }

    /// Returns the unit that an invalid sequence becomes.
    pub fn default_unit(&self) -> u16 {
        match self {
            Self::Utf8 => REPLACEMENT,
            Self::SingleByte(_) => u16::from(DEFAULT_CHARACTER),
            Self::DoubleByte(page) => page.default_unit(),
        }
    }

    /// Converts bytes to UTF-16: `MultiByteToWideChar`.
    ///
    /// # Errors
    /// - [`Win32Error::INVALID_FLAGS`]: flags that the page does not take
    /// - [`Win32Error::NO_UNICODE_TRANSLATION`]: an invalid byte, under [`MB_ERR_INVALID_CHARS`]
    pub fn decode(&self, bytes: &[u8], flags: u32) -> Result<Vec<u16>, Win32Error> {
        let strict = flags & MB_ERR_INVALID_CHARS != 0;
        let allowed = match self {
            Self::Utf8 => MB_ERR_INVALID_CHARS,
            Self::SingleByte(_) | Self::DoubleByte(_) => {
                MB_ERR_INVALID_CHARS | MB_PRECOMPOSED | MB_COMPOSITE | MB_USEGLYPHCHARS
            }
        };
        let both = MB_PRECOMPOSED | MB_COMPOSITE;
        if flags & !allowed != 0 || flags & both == both {
            return Err(Win32Error::INVALID_FLAGS);
        }
        match self {
            Self::Utf8 => decode_utf8(bytes, strict),
            Self::SingleByte(page) => bytes.iter().map(|&byte| page.unit(byte, strict)).collect(),
            Self::DoubleByte(page) => page.decode(bytes, strict),
        }
    }

    /// Converts UTF-16 to bytes: `WideCharToMultiByte`.
    ///
    /// `default` is the caller's default character; `wants_used_default` tells that it asked whether one was used.
    ///
    /// # Errors
    /// - [`Win32Error::INVALID_FLAGS`]: flags that the page does not take
    /// - [`Win32Error::INVALID_PARAMETER`]: a default character, or the question for it, with UTF-8
    /// - [`Win32Error::NO_UNICODE_TRANSLATION`]: a lone surrogate, under [`WC_ERR_INVALID_CHARS`]
    pub fn encode(
        &self,
        wide: &[u16],
        flags: u32,
        default: Option<u8>,
        wants_used_default: bool,
    ) -> Result<Encoded, Win32Error> {
        let allowed = if *self == Self::Utf8 { WC_ERR_INVALID_CHARS } else { WC_SINGLE_BYTE_FLAGS };
        if flags & !allowed != 0 {
            return Err(Win32Error::INVALID_FLAGS);
        }
        match self {
            Self::Utf8 if default.is_some() || wants_used_default => Err(Win32Error::INVALID_PARAMETER),
            Self::Utf8 => encode_utf8(wide, flags & WC_ERR_INVALID_CHARS != 0),
            Self::SingleByte(page) => {
                let best_fit = flags & WC_NO_BEST_FIT_CHARS == 0;
                Ok(page.encode(wide, best_fit, default.unwrap_or(DEFAULT_CHARACTER)))
            }
            Self::DoubleByte(page) => {
                let best_fit = flags & WC_NO_BEST_FIT_CHARS == 0;
                Ok(page.encode(wide, best_fit, default.unwrap_or(DEFAULT_CHARACTER)))
            }
        }
    }
}

/// Checks that `length` units fit in a buffer of `capacity`; a capacity of 0 asks for the length.
///
/// # Errors
/// [`Win32Error::INSUFFICIENT_BUFFER`]
pub fn check_capacity(length: usize, capacity: usize) -> Result<usize, Win32Error> {
    if capacity != 0 && length > capacity { Err(Win32Error::INSUFFICIENT_BUFFER) } else { Ok(length) }
}

impl SingleByte {
    fn unit(&self, byte: u8, strict: bool) -> Result<u16, Win32Error> {
        let Some(at) = byte.checked_sub(0x80) else { return Ok(u16::from(byte)) };
        match self.upper.get(usize::from(at)) {
            Some(&unit) if unit != REPLACEMENT => Ok(unit),
            _ if strict => Err(Win32Error::NO_UNICODE_TRANSLATION),
            _ => Ok(u16::from(DEFAULT_CHARACTER)),
        }
    }

    fn byte(&self, unit: u16) -> Option<u8> {
        if unit < 0x80 {
            return Some(unit as u8);
        }
        let at = self.reverse.binary_search_by_key(&unit, |pair| pair.0).ok()?;
        Some(self.reverse[at].1)
    }

    fn encode(&self, wide: &[u16], best_fit: bool, default: u8) -> Encoded {
        let mut encoded = Encoded { bytes: Vec::with_capacity(wide.len()), used_default: false };
        for character in char::decode_utf16(wide.iter().copied()) {
            let unit = match character {
                Ok(character) => u16::try_from(u32::from(character)).ok(),
                Err(_) => None,
            };
            let exact = unit.and_then(|unit| self.byte(unit));
            let byte = exact.or_else(|| unit.filter(|_| best_fit).and_then(best_fit_byte));
            encoded.used_default |= byte.is_none();
            encoded.bytes.push(byte.unwrap_or(default));
            // Windows converts unit by unit: a surrogate pair leaves two default characters.
            if unit.is_none() && character.is_ok() {
                encoded.bytes.push(default);
            }
        }
        encoded
    }
}

/// Returns the ASCII character that looks like `unit`, if there is one.
pub(super) fn best_fit_byte(unit: u16) -> Option<u8> {
    if (0xff01..=0xff5e).contains(&unit) {
        return Some((unit - 0xfee0) as u8);
    }
    let character = char::from_u32(u32::from(unit))?;
    let at = BEST_FIT.binary_search_by_key(&character, |pair| pair.0).ok()?;
    Some(BEST_FIT[at].1)
}

fn decode_utf8(bytes: &[u8], strict: bool) -> Result<Vec<u16>, Win32Error> {
    let mut wide = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        wide.extend(chunk.valid().encode_utf16());
        if !chunk.invalid().is_empty() {
            if strict {
                return Err(Win32Error::NO_UNICODE_TRANSLATION);
            }
            wide.push(REPLACEMENT);
        }
    }
    Ok(wide)
}

fn encode_utf8(wide: &[u16], strict: bool) -> Result<Encoded, Win32Error> {
    let mut text = String::with_capacity(wide.len());
    for character in char::decode_utf16(wide.iter().copied()) {
        match character {
            Ok(character) => text.push(character),
            Err(_) if strict => return Err(Win32Error::NO_UNICODE_TRANSLATION),
            Err(_) => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Ok(Encoded { bytes: text.into_bytes(), used_default: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u32) -> CodePage {
        CodePage::new(number, DefaultPages::default()).unwrap()
    }

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn every_table_has_128_units_and_round_trips() {
        for &(number, text) in PAGES {
            assert_eq!(text.encode_utf16().count(), 128, "{number}");
            let page = page(u32::from(number));
            for byte in 0..=0xff {
                let Ok(units) = page.decode(&[byte], MB_ERR_INVALID_CHARS) else { continue };
                let encoded = page.encode(&units, WC_NO_BEST_FIT_CHARS, None, true).unwrap();
                assert_eq!(encoded, Encoded { bytes: vec![byte], used_default: false }, "{number} {byte:#x}");
            }
        }
        assert!(BEST_FIT.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn characters_become_the_known_bytes() {
        let cases: [(u32, &str, &[u8]); 8] = [
            (1252, "€ä", &[0x80, 0xe4]),
            (437, "äß", &[0x84, 0xe1]),
            (850, "ä×", &[0x84, 0x9e]),
            (866, "Жя", &[0x86, 0xef]),
            (1251, "Жя", &[0xc6, 0xff]),
            (1250, "ř", &[0xf8]),
            (0, "é", &[0xe9]),
            (1, "é", &[0x82]),
        ];
        for (number, text, bytes) in cases {
            assert_eq!(page(number).encode(&wide(text), 0, None, false).unwrap().bytes, bytes, "{number}");
            assert_eq!(page(number).decode(bytes, 0), Ok(wide(text)), "{number}");
        }
    }

    #[test]
    fn missing_characters_fit_or_take_the_default() {
        let encode = |text: &[u16], flags, default| page(1252).encode(text, flags, default, true).unwrap();
        let result = |bytes: &[u8], used_default| Encoded { bytes: bytes.to_vec(), used_default };
        assert_eq!(encode(&wide("āＡ"), 0, None), result(b"aA", false));
        assert_eq!(encode(&wide("ā"), WC_NO_BEST_FIT_CHARS, None), result(b"?", true));
        assert_eq!(encode(&wide("Ж"), 0, Some(b'_')), result(b"_", true));
        assert_eq!(encode(&wide("😀"), 0, None), result(b"??", true));
        assert_eq!(encode(&[0xd800, 0x41], 0, None), result(b"?A", true));
    }

    #[test]
    fn flags_and_parameters_are_checked_per_page() {
        let utf8 = page(65001);
        assert_eq!(utf8.decode(b"\xff", MB_ERR_INVALID_CHARS), Err(Win32Error::NO_UNICODE_TRANSLATION));
        assert_eq!(utf8.decode(b"a\xffb", 0), Ok(vec![0x61, 0xfffd, 0x62]));
        assert_eq!(utf8.decode(b"a", MB_PRECOMPOSED), Err(Win32Error::INVALID_FLAGS));
        assert_eq!(
            utf8.encode(&[0xd800], WC_ERR_INVALID_CHARS, None, false),
            Err(Win32Error::NO_UNICODE_TRANSLATION)
        );
        assert_eq!(utf8.encode(&[0xd800], 0, None, false).unwrap().bytes, "\u{fffd}".as_bytes());
        assert_eq!(utf8.encode(&[0x41], 0, Some(b'?'), false), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(utf8.encode(&[0x41], 0, None, true), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(
            page(1252).encode(&[0x41], WC_ERR_INVALID_CHARS, None, false),
            Err(Win32Error::INVALID_FLAGS)
        );
        assert_eq!(page(1252).decode(b"a", 3), Err(Win32Error::INVALID_FLAGS));
        assert_eq!(page(1253).decode(b"\xd2", MB_ERR_INVALID_CHARS), Err(Win32Error::NO_UNICODE_TRANSLATION));
        assert_eq!(CodePage::new(65000, DefaultPages::default()), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(check_capacity(3, 2), Err(Win32Error::INSUFFICIENT_BUFFER));
        assert_eq!(check_capacity(3, 0), Ok(3));
    }
}
