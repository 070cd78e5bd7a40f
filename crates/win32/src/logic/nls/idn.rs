//! Names of hosts beyond ASCII: nameprep and Punycode.
//!
//! Limits: characters are mapped by a newer Unicode than the 3.2 of the standard; text from right to left is not checked.
//!
//! Source: RFC 3490, RFC 3491, RFC 3492.

use unicode_normalization::UnicodeNormalization;

use super::normal_form::{characters, units};
use crate::logic::status::Win32Error;

/// Letters, digits and hyphens only: `IDN_USE_STD3_ASCII_RULES`.
pub const USE_STD3_RULES: u32 = 2;
/// All flags of the three functions.
pub const FLAGS: u32 = 0x7;

/// The longest label, and the longest name.
const LABEL_MAX: usize = 63;
const NAME_MAX: usize = 255;
const PREFIX: &str = "xn--";

/// The parameters of Punycode.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE: u32 = 0x80;

/// Any malformed name.
const BAD: Win32Error = Win32Error::INVALID_NAME;

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(T_MIN, T_MAX)
}

fn digit(value: u32) -> char {
    char::from(if value < 26 { b'a' + value as u8 } else { b'0' + (value - 26) as u8 })
}

/// Encodes a label; `None` when it is too long for the numbers of the method.
fn encode(label: &[char]) -> Option<String> {
    let mut text: String = label.iter().filter(|character| character.is_ascii()).collect();
    let basic = text.len() as u32;
    if basic > 0 {
        text.push('-');
    }
    let (mut code, mut delta, mut bias, mut handled) = (FIRST_CODE, 0u32, FIRST_BIAS, basic);
    while (handled as usize) < label.len() {
        let next =
            label.iter().map(|&character| u32::from(character)).filter(|&other| other >= code).min()?;
        delta = delta.checked_add((next - code).checked_mul(handled + 1)?)?;
        code = next;
        for &character in label {
            let other = u32::from(character);
            if other < code {
                delta = delta.checked_add(1)?;
            }
            if other == code {
                let mut rest = delta;
                let mut k = BASE;
                while rest >= threshold(k, bias) {
                    let t = threshold(k, bias);
                    text.push(digit(t + (rest - t) % (BASE - t)));
                    rest = (rest - t) / (BASE - t);
                    k += BASE;
                }
                text.push(digit(rest));
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code += 1;
    }
    Some(text)
}

/// Decodes a label without its prefix.
fn decode(text: &str) -> Option<Vec<char>> {
    let (basic, rest) = text.rsplit_once('-').unwrap_or(("", text));
    let mut label: Vec<char> = basic.chars().collect();
    let (mut code, mut at, mut bias) = (FIRST_CODE, 0u32, FIRST_BIAS);
    let mut digits = rest.bytes();
    while digits.len() > 0 {
        let before = at;
        let (mut weight, mut k) = (1u32, BASE);
        loop {
            let value = match digits.next()? {
                letter @ b'a'..=b'z' => u32::from(letter - b'a'),
                letter @ b'A'..=b'Z' => u32::from(letter - b'A'),
                number @ b'0'..=b'9' => u32::from(number - b'0') + 26,
                _ => return None,
            };
            at = at.checked_add(value.checked_mul(weight)?)?;
            let t = threshold(k, bias);
            if value < t {
                break;
            }
            weight = weight.checked_mul(BASE - t)?;
            k += BASE;
        }
        let points = label.len() as u32 + 1;
        bias = adapt(at - before, points, before == 0);
        code = code.checked_add(at / points)?;
        at %= points;
        label.insert(at as usize, char::from_u32(code)?);
        at += 1;
    }
    Some(label)
}

/// Says whether a character may not stand in a name.
fn is_prohibited(character: char) -> bool {
    let code = u32::from(character);
    character.is_control()
        || character.is_whitespace()
        || matches!(code, 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff | 0xfdd0..=0xfdef | 0xfff9..=0xffff)
        || matches!(code, 0x200e..=0x200f | 0x202a..=0x202e | 0x206a..=0x206f | 0x2ff0..=0x2ffb)
        || code & 0xfffe == 0xfffe
}

/// Prepares a label: case folded, what is invisible left out, NFKC.
fn prepare(label: &[char]) -> Result<Vec<char>, Win32Error> {
    let visible = label.iter().filter(|&&character| {
        !matches!(u32::from(character), 0xad | 0x34f | 0x1806 | 0x180b..=0x180d | 0x200b..=0x200d | 0x2060 | 0xfe00..=0xfe0f | 0xfeff)
    });
    let fold = |text: &mut dyn Iterator<Item = char>| -> Vec<char> {
        let folded = text.flat_map(|character| match character {
            'ß' => vec!['s', 's'],
            'ς' => vec!['σ'],
            other => other.to_lowercase().collect(),
        });
        folded.nfkc().collect()
    };
    // Compatibility characters may turn into capitals, so it is done twice.
    let once = fold(&mut visible.copied());
    let prepared = fold(&mut once.into_iter());
    if prepared.iter().copied().any(is_prohibited) { Err(BAD) } else { Ok(prepared) }
}

/// Refuses labels by the rules for names of hosts.
fn check_std3(label: &[char], flags: u32) -> Result<(), Win32Error> {
    let allowed =
        |character: &char| !character.is_ascii() || character.is_ascii_alphanumeric() || *character == '-';
    let hyphen = label.first() == Some(&'-') || label.last() == Some(&'-');
    if flags & USE_STD3_RULES != 0 && (hyphen || !label.iter().all(allowed)) { Err(BAD) } else { Ok(()) }
}

/// Goes through the labels of a name; only the last may be empty.
fn each_label(
    name: &[u16],
    map: impl Fn(&[char]) -> Result<Vec<char>, Win32Error>,
) -> Result<Vec<u16>, Win32Error> {
    let name = characters(name).map_err(|_| Win32Error::NO_UNICODE_TRANSLATION)?;
    let is_dot = |character: &char| matches!(character, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let labels: Vec<&[char]> = name.split(is_dot).collect();
    let mut done = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        if index > 0 {
            done.push('.');
        }
        if label.is_empty() {
            if index + 1 < labels.len() || index == 0 {
                return Err(BAD);
            }
            continue;
        }
        done.extend(map(label)?);
    }
    if done.len() > NAME_MAX { Err(BAD) } else { Ok(units(&done)) }
}

/// Returns a name in prepared form, not encoded: `IdnToNameprepUnicode`.
///
/// # Errors
/// `INVALID_NAME`; `NO_UNICODE_TRANSLATION` for halves of characters.
pub fn to_prepared(name: &[u16], flags: u32) -> Result<Vec<u16>, Win32Error> {
    each_label(name, |label| {
        let prepared = if label.iter().all(char::is_ascii) { label.to_vec() } else { prepare(label)? };
        check_std3(&prepared, flags)?;
        if prepared.is_empty() { Err(BAD) } else { Ok(prepared) }
    })
}

/// Returns a name in ASCII, as it is looked up: `IdnToAscii`.
///
/// # Errors
/// As [`to_prepared`]; `INVALID_NAME` for labels longer than 63.
pub fn to_ascii(name: &[u16], flags: u32) -> Result<Vec<u16>, Win32Error> {
    each_label(&to_prepared(name, flags)?, |label| {
        let ascii: String = if label.iter().all(char::is_ascii) {
            label.iter().collect()
        } else if label.starts_with(&['x', 'n', '-', '-']) {
            return Err(BAD);
        } else {
            format!("{PREFIX}{}", encode(label).ok_or(BAD)?)
        };
        if ascii.len() > LABEL_MAX { Err(BAD) } else { Ok(ascii.chars().collect()) }
    })
}

/// Returns a name as it is read: `IdnToUnicode`.
///
/// # Errors
/// As [`to_prepared`]; `INVALID_NAME` for what no encoding gives.
pub fn to_unicode(name: &[u16], flags: u32) -> Result<Vec<u16>, Win32Error> {
    each_label(&to_prepared(name, flags)?, |label| {
        let text: String = label.iter().collect();
        let encoded = text.get(..PREFIX.len()).filter(|prefix| prefix.eq_ignore_ascii_case(PREFIX));
        let decoded = match encoded {
            None => return Ok(label.to_vec()),
            Some(prefix) => decode(&text[prefix.len()..]).ok_or(BAD)?,
        };
        let same = encode(&decoded).is_some_and(|again| again.eq_ignore_ascii_case(&text[PREFIX.len()..]));
        if same { Ok(decoded) } else { Err(BAD) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn names_go_there_and_back() {
        // The samples of RFC 3492, 7.1, and a few names.
        let cases = [
            ("bücher.example", "xn--bcher-kva.example"),
            ("münchen", "xn--mnchen-3ya"),
            ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
            ("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"),
            ("plain.example.", "plain.example."),
        ];
        for (name, ascii) in cases {
            assert_eq!(to_ascii(&wide(name), 0), Ok(wide(ascii)), "{name}");
            assert_eq!(to_unicode(&wide(ascii), 0), Ok(wide(name)), "{ascii}");
        }
        assert_eq!(to_ascii(&wide("BÜCHER。ß"), 0), Ok(wide("xn--bcher-kva.ss")));
    }

    #[test]
    fn bad_names_are_refused() {
        let long = "a".repeat(64);
        for bad in ["a..b", "", ".a", &long, "ü\u{e000}", "xn--ü"] {
            assert_eq!(to_ascii(&wide(bad), 0), Err(BAD), "{bad}");
        }
        for bad in ["-a", "a_b", "a b"] {
            assert_eq!(to_ascii(&wide(bad), USE_STD3_RULES), Err(BAD), "{bad}");
        }
        assert_eq!(to_unicode(&wide("xn--99999999"), 0), Err(BAD));
    }
}
