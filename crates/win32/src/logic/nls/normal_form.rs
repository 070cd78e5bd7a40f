//! Unicode's normalization forms over UTF-16, and what is made of them: folding, and the widths of East Asian letters.
//!
//! The tables are those of the crate `unicode-normalization`, of a newer Unicode than Windows'.
//!
//! Source: Unicode Standard Annex 15; <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-foldstringw>

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, decompose_compatible};

/// A normalization form (`NORM_FORM`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Composed: `NormalizationC`.
    C,
    /// Decomposed: `NormalizationD`.
    D,
    /// Composed, compatibility characters replaced: `NormalizationKC`.
    Kc,
    /// Decomposed, compatibility characters replaced: `NormalizationKD`.
    Kd,
}

impl Form {
    /// Returns the form of a number.
    pub fn of_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::C),
            2 => Some(Self::D),
            5 => Some(Self::Kc),
            6 => Some(Self::Kd),
            _ => None,
        }
    }

    /// Normalizes characters.
    fn apply(self, characters: impl Iterator<Item = char>) -> Vec<char> {
        match self {
            Self::C => characters.nfc().collect(),
            Self::D => characters.nfd().collect(),
            Self::Kc => characters.nfkc().collect(),
            Self::Kd => characters.nfkd().collect(),
        }
    }
}

/// Returns the characters of a text.
///
/// # Errors
/// Where the first unit lies that is half a character.
pub fn characters(text: &[u16]) -> Result<Vec<char>, usize> {
    let mut at = 0;
    let mut characters = Vec::with_capacity(text.len());
    for decoded in char::decode_utf16(text.iter().copied()) {
        let character = decoded.map_err(|_| at)?;
        at += character.len_utf16();
        characters.push(character);
    }
    Ok(characters)
}

/// Returns characters as UTF-16.
pub fn units(characters: &[char]) -> Vec<u16> {
    let mut buffer = [0; 2];
    characters.iter().flat_map(|character| character.encode_utf16(&mut buffer).to_vec()).collect()
}

/// Normalizes a text.
///
/// # Errors
/// Where the first unit lies that is half a character.
pub fn normalize(text: &[u16], form: Form) -> Result<Vec<u16>, usize> {
    Ok(units(&form.apply(characters(text)?.into_iter())))
}

/// Normalizes a text; halves of characters stay as they are.
pub fn normalize_lossless(text: &[u16], form: Form) -> Vec<u16> {
    let mut done = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        match normalize(rest, form) {
            Ok(normal) => {
                done.extend(normal);
                return done;
            }
            Err(at) => {
                // What lies before the half is whole.
                done.extend(normalize(&rest[..at], form).unwrap_or_default());
                done.push(rest[at]);
                rest = &rest[at + 1..];
            }
        }
    }
}

/// Returns the ASCII digit that a character stands for, if it is a decimal, raised, lowered or circled one.
pub fn fold_digit(unit: u16) -> u16 {
    const ZEROS: [u16; 16] = [
        0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20,
        0x1040, 0xff10,
    ];
    if let Some(zero) = ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&unit)) {
        return unit - zero + 0x30;
    }
    match compatible(unit)[..] {
        [digit] if digit.is_ascii_digit() => digit as u16,
        _ => unit,
    }
}

/// Returns what a unit is made of, compatibility characters replaced.
fn compatible(unit: u16) -> Vec<char> {
    let mut parts = Vec::new();
    if let Some(character) = char::from_u32(u32::from(unit)) {
        decompose_compatible(character, |part| parts.push(part));
    }
    parts
}

/// Returns the letters of a ligature; nothing for what is none.
pub fn ligature(unit: u16) -> Option<&'static str> {
    Some(match unit {
        0xc6 => "AE",
        0xdf => "ss",
        0xe6 => "ae",
        0x132 => "IJ",
        0x133 => "ij",
        0x152 => "OE",
        0x153 => "oe",
        0x1c4 => "DŽ",
        0x1c5 => "Dž",
        0x1c6 => "dž",
        0x1c7 => "LJ",
        0x1c8 => "Lj",
        0x1c9 => "lj",
        0x1ca => "NJ",
        0x1cb => "Nj",
        0x1cc => "nj",
        0x1f1 => "DZ",
        0x1f2 => "Dz",
        0x1f3 => "dz",
        0xfb00 => "ff",
        0xfb01 => "fi",
        0xfb02 => "fl",
        0xfb03 => "ffi",
        0xfb04 => "ffl",
        0xfb05 => "ſt",
        0xfb06 => "st",
        _ => return None,
    })
}

/// The narrow signs, and the wide ones in the same order.
const NARROW_SIGNS: [u16; 7] = [0xa2, 0xa3, 0xac, 0xaf, 0xa6, 0xa5, 0x20a9];
const FIRST_WIDE_SIGN: u16 = 0xffe0;
/// The combining marks of voiced and half-voiced sounds, and their narrow forms.
const VOICED: [(char, u16); 2] = [('\u{3099}', 0xff9e), ('\u{309a}', 0xff9f)];

/// Returns the narrow form of a unit that is one unit wide.
fn narrow_unit(unit: u16) -> u16 {
    match unit {
        0x3000 => 0x20,
        0xff01..=0xff5e => unit - 0xfee0,
        0xffe0..=0xffe6 => NARROW_SIGNS[usize::from(unit - FIRST_WIDE_SIGN)],
        0x3001..=0x30ff => {
            let is_wide_form = |narrow: &u16| {
                compatible(*narrow)[..] == [char::from_u32(u32::from(unit)).unwrap_or_default()]
            };
            (0xff61..=0xff9d).find(is_wide_form).unwrap_or(unit)
        }
        _ => unit,
    }
}

/// Returns a text in narrow forms (`LCMAP_HALFWIDTH`); voiced letters become two.
pub fn narrow(text: &[u16]) -> Vec<u16> {
    let mut done = Vec::with_capacity(text.len());
    for &unit in text {
        let whole = narrow_unit(unit);
        let parts =
            if whole == unit && (0x30a0..=0x30ff).contains(&unit) { compatible(unit) } else { Vec::new() };
        match parts[..] {
            [letter, mark] if let Some((_, narrow_mark)) = VOICED.iter().find(|row| row.0 == mark) => {
                done.extend([narrow_unit(letter as u16), *narrow_mark]);
            }
            _ => done.push(whole),
        }
    }
    done
}

/// Returns a text in wide forms (`LCMAP_FULLWIDTH`); a letter and its mark of voice become one.
pub fn widen(text: &[u16]) -> Vec<u16> {
    let mut done: Vec<u16> = Vec::with_capacity(text.len());
    for &unit in text {
        let wide = match unit {
            0x20 => 0x3000,
            0x21..=0x7e => unit + 0xfee0,
            0xff61..=0xff9d => compatible(unit).first().map_or(unit, |&letter| letter as u16),
            _ => match NARROW_SIGNS.iter().position(|&sign| sign == unit) {
                Some(index) => FIRST_WIDE_SIGN + index as u16,
                None => unit,
            },
        };
        if let Some((mark, _)) = VOICED.iter().find(|row| row.1 == unit) {
            let letter = done.last().and_then(|&last| char::from_u32(u32::from(last)));
            let voiced = letter.and_then(|letter| compose(letter, *mark));
            match (voiced, done.last_mut()) {
                (Some(voiced), Some(last)) => *last = voiced as u16,
                _ => done.push(if unit == 0xff9e { 0x309b } else { 0x309c }),
            }
        } else {
            done.push(wide);
        }
    }
    done
}

/// Returns a unit as Hiragana (`LCMAP_HIRAGANA`).
pub fn hiragana(unit: u16) -> u16 {
    if matches!(unit, 0x30a1..=0x30f6 | 0x30fd | 0x30fe) { unit - 0x60 } else { unit }
}

/// Returns a unit as Katakana (`LCMAP_KATAKANA`).
pub fn katakana(unit: u16) -> u16 {
    if matches!(unit, 0x3041..=0x3096 | 0x309d | 0x309e) { unit + 0x60 } else { unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn forms_differ_in_composition_and_compatibility() {
        let text = wide("é①ﬁ");
        assert_eq!(normalize(&text, Form::C), Ok(wide("é①ﬁ")));
        assert_eq!(normalize(&text, Form::D), Ok(wide("e\u{301}①ﬁ")));
        assert_eq!(normalize(&text, Form::Kc), Ok(wide("é1fi")));
        assert_eq!(normalize(&text, Form::Kd), Ok(wide("e\u{301}1fi")));
        assert_eq!(normalize(&[0x41, 0xd800, 0x42], Form::C), Err(1));
        assert_eq!(normalize_lossless(&[0x65, 0x301, 0xd800, 0x42], Form::C), [0xe9, 0xd800, 0x42]);
    }

    #[test]
    fn widths_and_kana_map_to_each_other() {
        assert_eq!(widen(&wide("aｶﾞﾊﾟｱ¥")), wide("ａガパア￥"));
        assert_eq!(narrow(&wide("ａガパア￥")), wide("aｶﾞﾊﾟｱ¥"));
        assert_eq!(wide("アガ").into_iter().map(hiragana).collect::<Vec<_>>(), wide("あが"));
        assert_eq!(wide("あが").into_iter().map(katakana).collect::<Vec<_>>(), wide("アガ"));
    }

    #[test]
    fn digits_fold_to_ascii() {
        let folded: Vec<u16> = wide("a٣९７²④").into_iter().map(fold_digit).collect();
        assert_eq!(folded, wide("a39724"));
    }
}
