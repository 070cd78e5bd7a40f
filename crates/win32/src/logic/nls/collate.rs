//! Linguistic comparison in the manner of `CompareStringW`.
//!
//! Four passes, each deciding only when those before found no difference: characters (punctuation, digits, letters by
//! their base letter, ligatures as their letters), marks, then case, width and kind of kana, and at last hyphens and
//! apostrophes, which words are sorted without. Limits: one order for all locales; letters beyond Latin in the order of
//! their codes; Windows' own weights are not reproduced.
//!
//! Source: <https://learn.microsoft.com/windows/win32/intl/handling-sorting-in-your-applications>; the order of
//! punctuation and marks was recorded under Wine 8.0.

use std::cmp::Ordering;

use unicode_normalization::char::{canonical_combining_class, decompose_canonical, decompose_compatible};

use super::case::{downcase, upcase};
use super::normal_form::ligature;

/// What a comparison ignores, and how it sorts: the flags of `CompareStringEx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules(u32);

/// `NORM_IGNORECASE`.
const IGNORE_CASE: u32 = 0x1;
/// `NORM_IGNORENONSPACE`, `LINGUISTIC_IGNOREDIACRITIC`.
const IGNORE_MARKS: u32 = 0x2 | 0x20;
/// `NORM_IGNORESYMBOLS`.
const IGNORE_SYMBOLS: u32 = 0x4;
/// `SORT_DIGITSASNUMBERS`.
const DIGITS_AS_NUMBERS: u32 = 0x8;
/// `LINGUISTIC_IGNORECASE`: all of the third pass but the kind of kana.
const LINGUISTIC_IGNORE_CASE: u32 = 0x10;
/// `SORT_STRINGSORT`.
const STRING_SORT: u32 = 0x1000;
/// `NORM_IGNOREKANATYPE`.
const IGNORE_KANA: u32 = 0x1_0000;
/// `NORM_IGNOREWIDTH`.
const IGNORE_WIDTH: u32 = 0x2_0000;

/// The bits of the third pass.
const CAPITAL: u8 = 0x1;
const COMPATIBLE: u8 = 0x2;
const WIDE: u8 = 0x4;
const HIRAGANA: u8 = 0x8;

/// Classes of characters, the first first.
const SYMBOL: u32 = 1 << 24;
const NUMBER: u32 = 2 << 24;
const LETTER: u32 = 3 << 24;

/// White space, punctuation and signs in their order.
const SYMBOLS: &str =
    " \u{a0}\t\n\u{b}\u{c}\r\u{200b}!\"#$%&()*,./:;?@[\\]^_`{|}~¡¦¨¯´¸¿‘’¢£¤¥€+<=>±«»×÷§©¬®°µ¶·";
/// What words are sorted without, in its order.
const SPECIALS: &str = "'-–—";
/// Marks in their order.
const MARKS: &str =
    "\u{301}\u{300}\u{307}\u{302}\u{308}\u{30c}\u{306}\u{304}\u{303}\u{30a}\u{328}\u{327}\u{30b}";
/// Letters that are another with a mark that Unicode does not take apart.
const STROKES: [(char, char, u8); 6] =
    [('ı', 'i', 1), ('ø', 'o', 30), ('đ', 'd', 30), ('ð', 'd', 31), ('ł', 'l', 30), ('ħ', 'h', 30)];

impl Rules {
    /// Takes the flags of `CompareStringEx`; others make no difference.
    pub fn of_flags(flags: u32) -> Self {
        Self(flags)
    }

    /// Returns the rules for words, as `lstrcmp` compares.
    pub fn words(ignore_case: bool) -> Self {
        Self(if ignore_case { IGNORE_CASE } else { 0 })
    }

    /// Returns the rules for strings, in which hyphens count, as `strcoll` compares.
    pub fn strings(ignore_case: bool) -> Self {
        Self(STRING_SORT | Self::words(ignore_case).0)
    }

    fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    /// Returns which bits of the third pass count.
    fn third_pass(self) -> u8 {
        let mut bits = CAPITAL | COMPATIBLE | WIDE | HIRAGANA;
        if self.has(LINGUISTIC_IGNORE_CASE) {
            bits = HIRAGANA;
        }
        if self.has(IGNORE_CASE) {
            bits &= !CAPITAL;
        }
        if self.has(IGNORE_WIDTH) {
            bits &= !WIDE;
        }
        if self.has(IGNORE_KANA) {
            bits &= !HIRAGANA;
        }
        bits
    }
}

/// What a text is compared by.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    characters: Vec<u32>,
    marks: Vec<u8>,
    kinds: Vec<u8>,
    specials: Vec<(u32, u8)>,
}

fn place_in(list: &str, character: char) -> Option<u32> {
    list.chars().position(|other| other == character).map(|at| at as u32)
}

impl Key {
    fn of(text: &[u16], rules: Rules) -> Self {
        let mut key = Self::default();
        let mut at = 0;
        while let Some(&unit) = text.get(at) {
            let run = if rules.has(DIGITS_AS_NUMBERS) { digits(&text[at..]) } else { &[] };
            if run.is_empty() {
                key.add(unit, rules);
                at += 1;
            } else {
                key.add_number(run);
                at += run.len();
            }
        }
        if rules.has(IGNORE_MARKS) {
            key.marks.clear();
        }
        let counts = rules.third_pass();
        key.kinds.iter_mut().for_each(|kind| *kind &= counts);
        key
    }

    fn push(&mut self, character: u32, mark: u8, kind: u8) {
        self.characters.push(character);
        self.marks.push(mark);
        self.kinds.push(kind);
    }

    /// Adds a run of digits by its value: longer numbers are larger.
    fn add_number(&mut self, run: &[u16]) {
        let zeros = run.iter().take_while(|&&digit| digit == u16::from(b'0')).count().min(run.len() - 1);
        self.push(NUMBER | (run.len() - zeros) as u32, 0, 0);
        for &digit in &run[zeros..] {
            self.push(NUMBER | u32::from(digit), 0, 0);
        }
    }

    fn add(&mut self, unit: u16, rules: Rules) {
        let Some(character) = char::from_u32(u32::from(unit)) else {
            return self.push(LETTER | u32::from(unit) << 8, 0, 0);
        };
        match unit {
            0 => {}
            0x61..=0x7a => self.push(LETTER | u32::from(unit) << 8, 0, 0),
            0x41..=0x5a => self.push(LETTER | u32::from(unit + 0x20) << 8, 0, CAPITAL),
            0x30..=0x39 => self.push(digit(unit), 0, 0),
            0xbc..=0xbe => self.push(NUMBER | 0x30 << 8 | u32::from(unit - 0xbb), 0, 0),
            _ if let Some(rank) = special(character) => {
                if rules.has(STRING_SORT) && !rules.has(IGNORE_SYMBOLS) {
                    self.push(SYMBOL | u32::from(rank), 0, 0);
                } else if !rules.has(IGNORE_SYMBOLS) {
                    self.specials.push((self.characters.len() as u32, rank));
                }
            }
            _ => self.add_other(character, unit, rules),
        }
    }

    fn add_other(&mut self, character: char, unit: u16, rules: Rules) {
        if let Some(letters) = ligature(unit).or(match unit {
            0xde => Some("TH"),
            0xfe => Some("th"),
            _ => None,
        }) {
            return letters.encode_utf16().for_each(|unit| self.add(unit, rules));
        }
        if let Some(place) = place_in(SYMBOLS, character) {
            return self.add_symbol(0x100 + place, rules);
        }
        let mut parts = Vec::new();
        decompose_canonical(character, |part| parts.push(part));
        let mut kind = 0;
        if parts == [character] {
            parts.clear();
            decompose_compatible(character, |part| parts.push(part));
            if parts != [character] {
                kind = if matches!(unit, 0xff00..=0xff60 | 0xffe0..=0xffe6) { WIDE } else { COMPATIBLE };
            }
        }
        // The plain form of Katakana is wide, its half-width form comes first.
        let is_kana = matches!(unit, 0x3041..=0x30ff);
        kind |= if is_kana { WIDE } else { 0 };
        for part in parts {
            self.add_part(part, kind, rules);
        }
    }

    fn add_symbol(&mut self, rank: u32, rules: Rules) {
        if !rules.has(IGNORE_SYMBOLS) {
            self.push(SYMBOL | rank, 0, 0);
        }
    }

    /// Adds a character that is made of no others.
    fn add_part(&mut self, part: char, kind: u8, rules: Rules) {
        if canonical_combining_class(part) != 0 {
            let rank = place_in(MARKS, part).map_or(20, |place| place as u8 + 2);
            match self.marks.last_mut() {
                Some(mark) => *mark = mark.saturating_add(rank),
                None => self.push(SYMBOL | 0xff, rank, 0),
            }
            return;
        }
        let unit = u16::try_from(u32::from(part)).unwrap_or(0xffff);
        let small = downcase(unit);
        let kind = kind | if small != unit && upcase(unit) == unit { CAPITAL } else { 0 };
        let small_character = char::from_u32(u32::from(small)).unwrap_or(part);
        if let Some((_, base, mark)) = STROKES.iter().find(|row| row.0 == small_character) {
            return self.push(LETTER | u32::from(*base) << 8, *mark, kind);
        }
        match small {
            0x30..=0x39 => self.push(digit(small), 0, kind),
            // Both kinds of kana are the same letters; they come before Hebrew.
            0x3041..=0x3096 => self.push(LETTER | 0x52f << 8 | u32::from(small - 0x3040), 0, kind | HIRAGANA),
            0x30a1..=0x30f6 => self.push(LETTER | 0x52f << 8 | u32::from(small - 0x30a0), 0, kind),
            _ if place_in(SYMBOLS, part).is_some() => self.add(unit, rules),
            _ if part.is_alphabetic() => {
                let code = if unit == 0xffff { u32::from(part) } else { u32::from(small) };
                // The codes beyond 64 Ki have 21 bits: their last eight are not shifted away.
                self.push(
                    if code > 0xffff { LETTER | 0xff_0000 | code & 0xffff } else { LETTER | code << 8 },
                    0,
                    kind,
                );
            }
            _ if part.is_numeric() => self.push(NUMBER | 0x40 << 8 | u32::from(part) & 0xffff, 0, kind),
            _ => self.add_symbol(0x200 + (u32::from(part) & 0xf_ffff), rules),
        }
    }
}

/// Returns the weight of a digit; fractions lie behind it.
fn digit(unit: u16) -> u32 {
    NUMBER | u32::from(unit) << 8
}

/// Returns the ASCII digits that a text begins with.
fn digits(text: &[u16]) -> &[u16] {
    let count = text.iter().take_while(|&&unit| matches!(unit, 0x30..=0x39)).count();
    &text[..count]
}

/// Returns the rank of what words are sorted without: control characters, apostrophes, hyphens.
fn special(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code {
        0xad => Some(0),
        0x1..=0x8 | 0xe..=0x1f => Some(code as u8),
        0x7f => Some(0x20),
        _ => place_in(SPECIALS, character).map(|place| 0x21 + place as u8),
    }
}

/// Compares two strings linguistically.
pub fn compare(left: &[u16], right: &[u16], rules: Rules) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    compare_plain(left, right, rules).unwrap_or_else(|| Key::of(left, rules).cmp(&Key::of(right, rules)))
}

/// Returns the weight of an ASCII letter or digit, and whether it is a capital.
fn plain(unit: u16) -> Option<(u32, bool)> {
    match unit {
        0x61..=0x7a => Some((LETTER | u32::from(unit), false)),
        0x41..=0x5a => Some((LETTER | (u32::from(unit) + 0x20), true)),
        0x30..=0x39 => Some((NUMBER | u32::from(unit), false)),
        _ => None,
    }
}

/// Compares strings as far as they are ASCII letters and digits, as [`Key`]s would be; nothing when that does not decide.
fn compare_plain(left: &[u16], right: &[u16], rules: Rules) -> Option<Ordering> {
    if rules.has(DIGITS_AS_NUMBERS) {
        return None;
    }
    let mut cases = Ordering::Equal;
    for (&one, &other) in left.iter().zip(right) {
        let ((one, is_capital), (other, other_is_capital)) = (plain(one)?, plain(other)?);
        if one != other {
            return Some(one.cmp(&other));
        }
        cases = cases.then(is_capital.cmp(&other_is_capital));
    }
    // What is not plain may count for nothing.
    let rest = |longer: &[u16], from: usize| longer.get(from).map(|&unit| plain(unit));
    match (rest(left, right.len()), rest(right, left.len())) {
        (Some(next), _) => next.map(|_| Ordering::Greater),
        (_, Some(next)) => next.map(|_| Ordering::Less),
        _ if rules.third_pass() & CAPITAL == 0 => Some(Ordering::Equal),
        _ => Some(cases),
    }
}

/// Returns bytes that compare, one by one, as [`compare`] does; no byte is zero but the last.
pub fn sort_key(text: &[u16], rules: Rules) -> Vec<u8> {
    const SEPARATOR: u8 = 1;
    let key = Key::of(text, rules);
    let mut bytes = Vec::with_capacity(key.characters.len() * 7 + 4);
    // Seven bits each, above the separator.
    let number = |bytes: &mut Vec<u8>, value: u32| {
        bytes.extend([28, 21, 14, 7, 0].map(|shift| (value >> shift & 0x7f) as u8 + 2));
    };
    key.characters.iter().for_each(|&weight| number(&mut bytes, weight));
    bytes.push(SEPARATOR);
    bytes.extend(key.marks.iter().map(|mark| mark.saturating_add(2)));
    bytes.push(SEPARATOR);
    bytes.extend(key.kinds.iter().map(|kind| kind + 2));
    bytes.push(SEPARATOR);
    for &(place, rank) in &key.specials {
        number(&mut bytes, place);
        bytes.push(rank + 2);
    }
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn order(left: &str, right: &str, flags: u32) -> Ordering {
        compare(&wide(left), &wide(right), Rules::of_flags(flags))
    }

    #[test]
    fn words_sort_as_in_a_dictionary() {
        let sorted =
            ["", " ", "_", "1", "a", "A", "á", "ä", "aB", "äb", "az", "b", "B", "coop", "co-op", "æ", "ß"];
        let mut sorted = sorted.map(wide);
        sorted.sort_by(|a, b| compare(a, b, Rules::of_flags(0)));
        assert!(sorted.is_sorted_by_key(|word| sort_key(word, Rules::of_flags(0))));
        let words: Vec<String> = sorted.iter().map(|word| String::from_utf16_lossy(word)).collect();
        assert_eq!(words.join(" "), "   _ 1 a A á ä aB äb æ az b B coop co-op ß");
    }

    #[test]
    fn the_short_way_says_what_the_keys_say() {
        let units: Vec<u16> = wide("aAbzZ09 -'\0\u{301}é");
        let mut texts: Vec<Vec<u16>> = vec![Vec::new()];
        for &one in &units {
            texts.push(vec![one]);
            texts.extend(units.iter().map(|&two| vec![one, two]));
            texts.extend(units.iter().map(|&two| vec![b'a'.into(), one, two]));
        }
        let flags = [0, IGNORE_CASE, LINGUISTIC_IGNORE_CASE, STRING_SORT, DIGITS_AS_NUMBERS, IGNORE_MARKS];
        let mut short = 0;
        for rules in flags.map(Rules::of_flags) {
            for left in &texts {
                for right in &texts {
                    let keys = Key::of(left, rules).cmp(&Key::of(right, rules));
                    assert_eq!(
                        compare_plain(left, right, rules).unwrap_or(keys),
                        keys,
                        "{left:x?} {right:x?}"
                    );
                    short += usize::from(compare_plain(left, right, rules).is_some());
                }
            }
        }
        assert!(short > 10_000);
    }

    #[test]
    fn flags_say_what_counts() {
        use Ordering::{Equal, Greater, Less};
        let cases = [
            ("co-op", "coop1", 0, Less),
            ("co-op", "coop", STRING_SORT, Less),
            ("it's", "its", 0, Greater),
            ("it's", "its", IGNORE_SYMBOLS, Equal),
            ("ß", "ss", 0, Equal),
            ("é", "e\u{301}", 0, Equal),
            ("ä", "a", IGNORE_MARKS, Equal),
            ("ä", "b", 0, Less),
            ("a", "A", 0, Less),
            ("a", "A", IGNORE_CASE, Equal),
            ("Ａ", "A", 0, Greater),
            ("Ａ", "A", IGNORE_WIDTH, Equal),
            ("あ", "ア", 0, Greater),
            ("あ", "ア", IGNORE_KANA, Equal),
            ("ｱ", "ア", 0, Less),
            ("x2", "x10", 0, Greater),
            ("x2", "x10", DIGITS_AS_NUMBERS, Less),
            ("²", "2", 0, Greater),
            ("²", "2", LINGUISTIC_IGNORE_CASE, Equal),
            ("ø", "o", 0, Greater),
            ("ø", "o", IGNORE_MARKS, Equal),
            ("a\0b", "ab", 0, Equal),
        ];
        for (left, right, flags, expected) in cases {
            assert_eq!(order(left, right, flags), expected, "{left} {right} {flags:#x}");
            assert_eq!(order(right, left, flags), expected.reverse(), "{right} {left} {flags:#x}");
        }
    }
}
