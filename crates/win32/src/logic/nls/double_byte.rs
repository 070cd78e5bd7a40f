//! East Asian code pages, 932, 936, 949 and 950: [`DoubleByte`].
//!
//! The tables are those of the crate `encoding_rs`, which follow the WHATWG's "Encoding Standard". Where Windows differs, the
//! areas for users' own characters and single bytes are rules here, and the rest, best fits above all, is a list in
//! `double_byte.txt`. Limits: the default character is one byte.
//!
//! Source: WHATWG, "Encoding Standard"; the list and the rules were recorded under Wine 8.0: its first lines say how.

use std::collections::HashMap;
use std::sync::OnceLock;

use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS};

use super::super::status::Win32Error;
use super::code_page::Encoded;

/// A row of pairs that stand for private-use characters: leads, trails, the first character.
struct Private {
    leads: (u8, u8),
    /// One or two ranges of trail bytes, which count on.
    trails: &'static [(u8, u8)],
    first: u16,
}

/// What is particular to a page.
#[derive(Clone, Copy)]
pub struct DoubleByte {
    number: u32,
    encoding: &'static Encoding,
    leads: &'static [(u8, u8)],
    private: &'static [Private],
    /// Bytes that stand alone although the standard has no character for them.
    singles: &'static [(u8, u16)],
    /// What an invalid sequence becomes.
    default_unit: u16,
}

const JAPANESE_TRAILS: &[(u8, u8)] = &[(0x40, 0x7e), (0x80, 0xfc)];
const CHINESE_TRAILS: &[(u8, u8)] = &[(0x40, 0x7e), (0xa1, 0xfe)];
const GB_TRAILS: &[(u8, u8)] = &[(0x40, 0x7e), (0x80, 0xa0)];
const EUC_TRAILS: &[(u8, u8)] = &[(0xa1, 0xfe)];

const PAGES: [DoubleByte; 4] = [
    DoubleByte {
        number: 932,
        encoding: SHIFT_JIS,
        leads: &[(0x81, 0x9f), (0xe0, 0xfc)],
        private: &[Private { leads: (0xf0, 0xf9), trails: JAPANESE_TRAILS, first: 0xe000 }],
        singles: &[(0x80, 0x80), (0xa0, 0xf8f0), (0xfd, 0xf8f1), (0xfe, 0xf8f2), (0xff, 0xf8f3)],
        default_unit: 0x30fb,
    },
    DoubleByte {
        number: 936,
        encoding: GBK,
        leads: &[(0x81, 0xfe)],
        private: &[
            Private { leads: (0xaa, 0xaf), trails: EUC_TRAILS, first: 0xe000 },
            Private { leads: (0xf8, 0xfe), trails: EUC_TRAILS, first: 0xe234 },
            Private { leads: (0xa1, 0xa7), trails: GB_TRAILS, first: 0xe4c6 },
        ],
        singles: &[(0x80, 0x20ac), (0xff, 0xf8f5)],
        default_unit: 0x3f,
    },
    DoubleByte {
        number: 949,
        encoding: EUC_KR,
        leads: &[(0x81, 0xfe)],
        private: &[
            Private { leads: (0xc9, 0xc9), trails: EUC_TRAILS, first: 0xe000 },
            Private { leads: (0xfe, 0xfe), trails: EUC_TRAILS, first: 0xe05e },
        ],
        singles: &[(0x80, 0x80), (0xff, 0xf8f7)],
        default_unit: 0x3f,
    },
    DoubleByte {
        number: 950,
        encoding: BIG5,
        leads: &[(0x81, 0xfe)],
        private: &[
            Private { leads: (0xfa, 0xfe), trails: CHINESE_TRAILS, first: 0xe000 },
            Private { leads: (0x8e, 0xa0), trails: CHINESE_TRAILS, first: 0xe311 },
            Private { leads: (0x81, 0x8d), trails: CHINESE_TRAILS, first: 0xeeb8 },
            Private { leads: (0xc6, 0xc6), trails: EUC_TRAILS, first: 0xf6b1 },
            Private { leads: (0xc7, 0xc8), trails: CHINESE_TRAILS, first: 0xf70f },
        ],
        singles: &[(0x80, 0x80), (0xff, 0xf8f8)],
        default_unit: 0x3f,
    },
];

/// What a page has differently from the standard.
#[derive(Default)]
struct Differences {
    /// By bytes: the character, or none.
    units: HashMap<Vec<u8>, Option<u16>>,
    /// By character: the bytes, none of them for the default character.
    bytes: HashMap<u16, Vec<u8>>,
}

/// Reads the list; its lines are checked by a test.
fn read_differences(text: &str) -> HashMap<u32, Differences> {
    let hex = |text: &str| -> Vec<u8> {
        let pairs =
            (0..text.len() / 2).filter_map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok());
        pairs.collect()
    };
    let unit = |text: &str| u16::from_str_radix(text, 16).ok();
    let mut all = HashMap::<u32, Differences>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (Some(page), Some(from), Some(sign), Some(to)) =
            (words.next().and_then(|page| page.parse().ok()), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let page = all.entry(page).or_default();
        if sign == ">" {
            page.units.insert(hex(from), unit(to));
        } else if let Some(from) = unit(from) {
            page.bytes.insert(from, hex(to));
        }
    }
    all
}

impl std::fmt::Debug for DoubleByte {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DoubleByte({})", self.number)
    }
}

impl PartialEq for DoubleByte {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for DoubleByte {}

impl Private {
    fn width(&self) -> u16 {
        self.trails.iter().map(|(low, high)| u16::from(high - low) + 1).sum()
    }

    fn unit(&self, lead: u8, trail: u8) -> Option<u16> {
        let row = u16::from(lead.checked_sub(self.leads.0).filter(|_| lead <= self.leads.1)?);
        let mut column = 0;
        for &(low, high) in self.trails {
            if (low..=high).contains(&trail) {
                return Some(self.first + row * self.width() + column + u16::from(trail - low));
            }
            column += u16::from(high - low) + 1;
        }
        None
    }

    fn pair(&self, unit: u16) -> Option<[u8; 2]> {
        let at = unit.checked_sub(self.first)?;
        let lead = u8::try_from(at / self.width()).ok()?.checked_add(self.leads.0)?;
        let mut column = at % self.width();
        for &(low, high) in self.trails.iter().filter(|_| lead <= self.leads.1) {
            let count = u16::from(high - low) + 1;
            if column < count {
                return Some([lead, low + column as u8]);
            }
            column -= count;
        }
        None
    }
}

impl DoubleByte {
    /// Returns the page of this number, if it is one of the four.
    pub fn new(number: u32) -> Option<Self> {
        PAGES.iter().find(|page| page.number == number).copied()
    }

    /// Returns the page's number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns the ranges of lead bytes, both ends included.
    pub fn lead_bytes(&self) -> &'static [(u8, u8)] {
        self.leads
    }

    /// Returns what an invalid sequence becomes: the middle dot in 932, else a question mark.
    pub fn default_unit(&self) -> u16 {
        self.default_unit
    }

    fn is_lead(&self, byte: u8) -> bool {
        self.leads.iter().any(|(low, high)| (*low..=*high).contains(&byte))
    }

    /// Returns what this page has differently.
    fn differences(&self) -> &'static Differences {
        static DIFFERENCES: OnceLock<HashMap<u32, Differences>> = OnceLock::new();
        static NONE: OnceLock<Differences> = OnceLock::new();
        let all = DIFFERENCES.get_or_init(|| read_differences(include_str!("double_byte.txt")));
        all.get(&self.number).unwrap_or_else(|| NONE.get_or_init(Differences::default))
    }

    /// Converts bytes to UTF-16; `strict` makes an invalid sequence an error.
    pub(super) fn decode(&self, bytes: &[u8], strict: bool) -> Result<Vec<u16>, Win32Error> {
        let mut wide = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((&first, tail)) = rest.split_first() {
            let (unit, length) = match tail.first() {
                _ if !self.is_lead(first) => (self.single(first), 1),
                // A zero ends text: it is never half of a character.
                Some(0) => (None, 1),
                Some(&trail) => (self.pair(first, trail), 2),
                None => (None, 1),
            };
            match unit {
                Some(unit) => wide.push(unit),
                None if strict => return Err(Win32Error::NO_UNICODE_TRANSLATION),
                None => wide.push(self.default_unit),
            }
            rest = &rest[length..];
        }
        Ok(wide)
    }

    fn single(&self, byte: u8) -> Option<u16> {
        if byte < 0x80 {
            return Some(byte.into());
        }
        if let Some(unit) = self.differences().units.get([byte].as_slice()) {
            return *unit;
        }
        let own = self.singles.iter().find(|(single, _)| *single == byte).map(|(_, unit)| *unit);
        own.or_else(|| self.standard(&[byte]))
    }

    fn pair(&self, lead: u8, trail: u8) -> Option<u16> {
        if let Some(unit) = self.differences().units.get([lead, trail].as_slice()) {
            return *unit;
        }
        let private = self.private.iter().find_map(|area| area.unit(lead, trail));
        private.or_else(|| self.standard(&[lead, trail]))
    }

    /// Looks bytes up in the standard's tables: exactly one character of one UTF-16 unit.
    fn standard(&self, bytes: &[u8]) -> Option<u16> {
        let text = self.encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
        let mut units = text.encode_utf16();
        units.next().filter(|_| units.next().is_none())
    }

    /// Converts UTF-16 to bytes.
    pub(super) fn encode(&self, wide: &[u16], best_fit: bool, default: u8) -> Encoded {
        let mut encoded = Encoded { bytes: Vec::with_capacity(wide.len() * 2), used_default: false };
        // Windows converts unit by unit: a surrogate pair leaves two default characters.
        for &unit in wide {
            if !self.push(&mut encoded.bytes, unit, best_fit) {
                encoded.bytes.push(default);
                encoded.used_default = true;
            }
        }
        encoded
    }

    /// Says whether bytes become this character again; if not, they are only a likeness.
    fn is_exact(&self, bytes: &[u8], unit: u16) -> bool {
        match *bytes {
            [byte] => self.single(byte) == Some(unit),
            [lead, trail] => self.pair(lead, trail) == Some(unit),
            _ => false,
        }
    }

    fn push(&self, bytes: &mut Vec<u8>, unit: u16, best_fit: bool) -> bool {
        if unit < 0x80 {
            bytes.push(unit as u8);
            return true;
        }
        if let Some(other) = self.differences().bytes.get(&unit) {
            let is_wanted = !other.is_empty() && (best_fit || self.is_exact(other, unit));
            bytes.extend(other.iter().filter(|_| is_wanted));
            return is_wanted;
        }
        if let Some((byte, _)) = self.singles.iter().find(|(_, own)| *own == unit) {
            bytes.push(*byte);
            return true;
        }
        if let Some(pair) = self.private.iter().find_map(|area| area.pair(unit)) {
            bytes.extend(pair);
            return true;
        }
        let mut letter = [0; 4];
        let Some(letter) = char::from_u32(unit.into()).map(|it| &*it.encode_utf8(&mut letter)) else {
            return false;
        };
        let (found, _, failed) = self.encoding.encode(letter);
        let is_exact = !failed && self.is_exact(&found, unit);
        bytes.extend(found.iter().filter(|_| is_exact));
        is_exact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u32) -> DoubleByte {
        DoubleByte::new(number).expect("one of the four")
    }

    /// Source: Wine 8.0.
    #[test]
    fn known_characters_both_ways() {
        let rows: [(u32, &[u8], &str); 14] = [
            (932, b"A\x82\xa0\x93\xfa\xb1", "Aあ日ｱ"),
            (932, b"\x81\x60\x87\x40\xfa\x40\x5c", "～①ⅰ\\"),
            (932, b"\xf0\x40\xf9\xfc\xfd\xa0", "\u{e000}\u{e757}\u{f8f1}\u{f8f0}"),
            (936, b"\xc4\xe3\x80\xff", "你€\u{f8f5}"),
            (936, b"\xaa\xa1\xaf\xfe", "\u{e000}\u{e233}"),
            (936, b"\xf8\xa1\xfe\xfe", "\u{e234}\u{e4c5}"),
            (936, b"\xa1\x40\xa7\xa0", "\u{e4c6}\u{e765}"),
            (949, b"\xb0\xa1\x81\x41", "가갂"),
            (949, b"\xc9\xa1\xfe\xfe", "\u{e000}\u{e0bb}"),
            (950, b"\xa4\xa4\xa3\xe1\xf9\xd6", "中€碁"),
            (950, b"\xfa\x40\xfe\xfe", "\u{e000}\u{e310}"),
            (950, b"\x8e\x40\xa0\xfe", "\u{e311}\u{eeb7}"),
            (950, b"\x81\x40\x8d\xfe", "\u{eeb8}\u{f6b0}"),
            (950, b"\xc6\xa1\xc8\xfe", "\u{f6b1}\u{f848}"),
        ];
        for (number, bytes, text) in rows {
            let wide: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(page(number).decode(bytes, true), Ok(wide.clone()), "{number} {text}");
            let encoded = page(number).encode(&wide, false, b'?');
            assert_eq!((encoded.bytes.as_slice(), encoded.used_default), (bytes, false), "{number} {text}");
        }
    }

    #[test]
    fn every_line_of_the_list_is_used() {
        let text = include_str!("double_byte.txt");
        let lines = text.lines().filter(|line| !line.starts_with('#')).count();
        let all = read_differences(text);
        assert_eq!(all.values().map(|page| page.units.len() + page.bytes.len()).sum::<usize>(), lines);
        let known: Vec<u32> = PAGES.iter().map(|page| page.number).collect();
        assert!(all.keys().all(|page| known.contains(page)));
    }

    #[test]
    fn invalid_sequences_become_the_default_or_an_error() {
        for (number, bytes, units) in [
            (932u32, b"\x82\x01x".as_slice(), &[0x30fbu16, 0x78][..]),
            (932, b"a\x82", &[0x61, 0x30fb]),
            (949, b"\xa1\x20", &[0x3f]),
            // Four bytes are one character of GB 18030, not of 936.
            (936, b"\x81\x30\x81\x30", &[0x3f, 0x3f]),
        ] {
            assert_eq!(page(number).decode(bytes, false).as_deref(), Ok(units), "{number}");
            assert_eq!(page(number).decode(bytes, true), Err(Win32Error::NO_UNICODE_TRANSLATION));
        }
    }

    #[test]
    fn likenesses_are_best_fits_only() {
        let check = |number: u32, text: &str, best_fit, bytes: &[u8], used: bool| {
            let wide: Vec<u16> = text.encode_utf16().collect();
            let encoded = page(number).encode(&wide, best_fit, b'?');
            assert_eq!((encoded.bytes.as_slice(), encoded.used_default), (bytes, used), "{number} {text}");
        };
        check(932, "é¥", true, b"e\\", false);
        check(932, "é¥", false, b"??", true);
        check(936, "\u{1f600}", true, b"??", true);
        check(950, "한", true, b"?", true);
    }

    #[test]
    fn every_pair_survives_or_has_a_twin() {
        for page in PAGES {
            for lead in 0x81..=0xfe_u8 {
                for trail in 0x30..=0xfe_u8 {
                    let Some(unit) = page.pair(lead, trail).filter(|_| page.is_lead(lead)) else { continue };
                    let bytes = page.encode(&[unit], false, b'?').bytes;
                    assert_eq!(
                        page.decode(&bytes, true),
                        Ok(vec![unit]),
                        "{page:?} {lead:x}{trail:x} {unit:x}"
                    );
                }
            }
        }
    }
}
