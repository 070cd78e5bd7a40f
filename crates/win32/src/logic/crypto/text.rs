//! Bytes as texts and back: Base64 with and without its header, hexadecimal in its forms.
//!
//! Key items: [`Format`], [`encode`], [`decode`].

/// How bytes are written.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptbinarytostringa>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Base64 between a line that begins and one that ends it.
    Header(&'static str),
    /// Base64.
    Base64,
    /// Base64 of RFC 4648, section 5, without padding.
    Base64Uri,
    /// As they are.
    Binary,
    /// Hexadecimal, sixteen bytes a line.
    Hex {
        /// Each line begins with the offset of its first byte.
        has_address: bool,
        /// Each line ends with its bytes as letters.
        has_letters: bool,
    },
    /// Hexadecimal digits only.
    HexRaw,
}

impl Format {
    /// Returns the format of a number, one of `CRYPT_STRING_…`; those that stand for several are not here.
    pub fn numbered(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Header("CERTIFICATE"),
            1 => Self::Base64,
            2 => Self::Binary,
            3 => Self::Header("NEW CERTIFICATE REQUEST"),
            4 => Self::Hex { has_address: false, has_letters: false },
            5 => Self::Hex { has_address: false, has_letters: true },
            9 => Self::Header("X509 CRL"),
            10 => Self::Hex { has_address: true, has_letters: false },
            11 => Self::Hex { has_address: true, has_letters: true },
            12 => Self::HexRaw,
            13 => Self::Base64Uri,
            _ => return None,
        })
    }

    /// Returns the numbers that a number stands for, in the order in which they are tried.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptstringtobinarya>
    pub const fn tried(number: u32) -> &'static [u32] {
        match number {
            6 => &[0, 1],
            7 => &[0, 1, 2],
            8 => &[10, 11, 4, 12, 5],
            _ => &[],
        }
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Returns Base64 without line breaks.
pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= group.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}

/// Reads Base64; white space does not count, and padding at its end may be missing.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let end = digits.iter().position(|&byte| byte == b'=').unwrap_or(digits.len());
    let (digits, padding) = digits.split_at(end);
    if padding.len() > 3 || padding.iter().any(|&byte| byte != b'=') || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for group in digits.chunks(4) {
        let mut bits = 0u32;
        for &digit in group {
            bits = bits << 6 | ALPHABET.iter().position(|&other| other == digit)? as u32;
        }
        bits <<= 6 * (4 - group.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

/// Cuts a text into lines that each end with `end`.
fn lines(text: &str, width: usize, end: &str) -> String {
    let pieces = text.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned() + end);
    pieces.collect()
}

/// Returns the digits of bytes with a space between two, and two after the eighth.
fn spaced(line: &[u8]) -> String {
    let digits = |(place, byte): (usize, &u8)| match place {
        0 => format!("{byte:02x}"),
        8 => format!("  {byte:02x}"),
        _ => format!(" {byte:02x}"),
    };
    line.iter().enumerate().map(digits).collect()
}

/// Returns lines of hexadecimal digits.
fn hex_lines(bytes: &[u8], has_address: bool, has_letters: bool, end: &str) -> String {
    let mut text = String::new();
    for (number, line) in bytes.chunks(16).enumerate() {
        if has_address {
            text += &format!("{:04x}  ", number * 16);
        }
        text += &spaced(line);
        if has_letters {
            let letters =
                line.iter().map(|&byte| if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' });
            let width = spaced(line).len();
            text.extend(std::iter::repeat_n(' ', 48 - width + 3));
            text.extend(letters);
        }
        text += end;
    }
    text
}

/// Writes bytes as a text; `end` ends a line, and is empty for none.
pub fn encode(bytes: &[u8], format: Format, end: &str) -> String {
    match format {
        Format::Header(name) => {
            let body = lines(&base64(bytes), 64, end);
            format!("-----BEGIN {name}-----{end}{body}-----END {name}-----{end}")
        }
        Format::Base64 => lines(&base64(bytes), 64, end),
        Format::Base64Uri => {
            base64(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
        }
        Format::Binary => bytes.iter().map(|&byte| char::from(byte)).collect(),
        // Without line breaks, one space stands between any two bytes.
        Format::Hex { has_address: false, has_letters: false } if end.is_empty() => {
            bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
        }
        Format::Hex { has_address, has_letters } => hex_lines(bytes, has_address, has_letters, end),
        Format::HexRaw => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + end,
    }
}

/// Reads bytes from a text; returns how many characters came before it, and the bytes.
pub fn decode(text: &str, format: Format) -> Option<(usize, Vec<u8>)> {
    match format {
        Format::Header(_) => {
            let start = text.find("-----BEGIN ")?;
            let body = &text[start + 11..];
            let body = &body[body.find("-----")? + 5..];
            let end = body.find("-----END ")?;
            body[end + 9..].find("-----")?;
            Some((text[..start].chars().count(), from_base64(&body[..end])?))
        }
        Format::Base64 => from_base64(text).map(|bytes| (0, bytes)),
        Format::Base64Uri => {
            let standard = text.replace('-', "+").replace('_', "/");
            from_base64(&standard).map(|bytes| (0, bytes))
        }
        Format::Binary => {
            text.chars().map(|unit| u8::try_from(unit).ok()).collect::<Option<_>>().map(|all| (0, all))
        }
        Format::HexRaw => digits(text).map(|bytes| (0, bytes)),
        Format::Hex { has_address, has_letters } => {
            let mut bytes = Vec::new();
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let line =
                    if has_address { line.trim_start().split_once(char::is_whitespace)?.1 } else { line };
                let line = if has_letters { line.trim_start().split("   ").next()? } else { line };
                bytes.extend(digits(line)?);
            }
            Some((0, bytes))
        }
    }
}

/// Reads pairs of digits, with white space between them.
fn digits(text: &str) -> Option<Vec<u8>> {
    let values: Vec<u8> = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    values
        .len()
        .is_multiple_of(2)
        .then(|| values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    /// Source: RFC 4648, section 10.
    #[test]
    fn base64_has_the_published_texts() {
        for (plain, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), text);
            assert_eq!(from_base64(text).as_deref(), Some(plain.as_bytes()));
            assert_eq!(from_base64(text.trim_end_matches('=')).as_deref(), Some(plain.as_bytes()));
        }
        for bad in ["Zg=v", "Z*==", "====", "Z"] {
            assert_eq!(from_base64(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_format_is_read_back() {
        let bytes: Vec<u8> = (0..100u8).map(|at| at.wrapping_mul(37)).collect();
        for number in 0..14 {
            let Some(format) = Format::numbered(number) else { continue };
            for end in ["\r\n", "\n", ""] {
                let lines_matter = matches!(
                    format,
                    Format::Hex { has_address: true, .. } | Format::Hex { has_letters: true, .. }
                );
                if end.is_empty() && lines_matter {
                    continue;
                }
                let text = encode(&bytes, format, end);
                assert_eq!(decode(&text, format), Some((0, bytes.clone())), "{format:?} {end:?}\n{text}");
            }
        }
    }

    #[test]
    fn lines_are_those_of_certutil() {
        let bytes: Vec<u8> = (60..80).collect();
        let shown = [4, 5, 10, 11, 12]
            .map(|number| encode(&bytes, Format::numbered(number).expect("a format"), "\n"));
        expect![[r#"
            3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b
            4c 4d 4e 4f

            3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b   <=>?@ABCDEFGHIJK
            4c 4d 4e 4f                                        LMNO

            0000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b
            0010  4c 4d 4e 4f

            0000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b   <=>?@ABCDEFGHIJK
            0010  4c 4d 4e 4f                                        LMNO

            3c3d3e3f404142434445464748494a4b4c4d4e4f
        "#]]
        .assert_eq(&shown.join("\n"));
        let header = encode(&[0; 49], Format::Header("CERTIFICATE"), "\n");
        let widths: Vec<usize> = header.lines().map(str::len).collect();
        assert_eq!(widths, [27, 64, 4, 25]);
    }

    #[test]
    fn a_header_may_have_text_before_it() {
        let text = "junk\n-----BEGIN THING-----\nZm9v\n-----END THING-----\n";
        assert_eq!(decode(text, Format::Header("")), Some((5, b"foo".to_vec())));
        assert_eq!(decode("-----BEGIN THING-----\nZm9v", Format::Header("")), None);
        assert_eq!(decode(text, Format::Base64), None);
    }
}
