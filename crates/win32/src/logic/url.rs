//! URLs as the shell's functions treat them: escapes, files' paths, kinds. Texts are UTF-16.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-urlescapew> and its neighbours; what they leave
//! open was recorded under Wine 8.0

pub mod combine;
pub mod hash;
pub mod parts;

/// Flags of the functions.
pub mod flags {
    /// Dots in paths stay.
    pub const DONT_SIMPLIFY: u32 = 0x800_0000;
    /// Escapes are replaced by what they stand for.
    pub const UNESCAPE: u32 = 0x1000_0000;
    /// What may not stand in a URL is escaped.
    pub const ESCAPE_UNSAFE: u32 = 0x2000_0000;
    /// URLs of files hold paths with backslashes.
    pub const FILE_USE_PATHURL: u32 = 0x1_0000;
    /// Percent signs are escaped too.
    pub const ESCAPE_PERCENT: u32 = 0x1000;
    /// The text is one part of a path: what separates parts is escaped too.
    pub const ESCAPE_SEGMENT_ONLY: u32 = 0x2000;
    /// What is not ASCII is escaped as UTF-8.
    pub const ESCAPE_AS_UTF8: u32 = 0x4_0000;
    /// What follows `?` or `#` is left as it is.
    pub const DONT_ESCAPE_EXTRA_INFO: u32 = 0x200_0000;
    /// Only spaces are escaped.
    pub const ESCAPE_SPACES_ONLY: u32 = 0x400_0000;
}

/// Schemes in which a backslash is a slash.
const WITH_PATHS: [&str; 4] = ["http", "https", "ftp", "file"];
/// Schemes whose rest has no parts.
const OPAQUE: [&str; 5] = ["mailto", "shell", "javascript", "vbscript", "about"];

/// Returns the scheme of a URL, in lower case: two letters or more before a colon.
pub fn scheme(url: &[u16]) -> Option<String> {
    let colon = url.iter().position(|&unit| unit == u16::from(b':'))?;
    let name = String::from_utf16_lossy(&url[..colon]).to_lowercase();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    (name.len() > 1 && name.chars().all(is_part)).then_some(name)
}

fn is_any(unit: u16, letters: &str) -> bool {
    u8::try_from(unit).is_ok_and(|byte| letters.contains(char::from(byte)))
}

fn push_escaped(into: &mut Vec<u16>, bytes: &[u8]) {
    for byte in bytes {
        into.extend(format!("%{byte:02X}").encode_utf16());
    }
}

/// Replaces what may not stand in a URL.
pub fn escape(url: &[u16], flags: u32) -> Vec<u16> {
    use flags::{ESCAPE_AS_UTF8, ESCAPE_PERCENT, ESCAPE_SEGMENT_ONLY, ESCAPE_SPACES_ONLY};
    let only_spaces = flags & ESCAPE_SPACES_ONLY != 0;
    let is_segment = flags & ESCAPE_SEGMENT_ONLY != 0 && !only_spaces;
    let turns = !is_segment && scheme(url).is_some_and(|name| WITH_PATHS.contains(&name.as_str()));
    let end = match is_segment || only_spaces {
        true => url.len(),
        false => url.iter().position(|&unit| is_any(unit, "?#")).unwrap_or(url.len()),
    };
    let mut escaped = Vec::with_capacity(url.len());
    for letter in char::decode_utf16(url[..end].iter().copied()) {
        let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut units = [0; 2];
        let units: &[u16] = letter.encode_utf16(&mut units);
        let escapes = match letter {
            '\\' if turns => {
                escaped.push(u16::from(b'/'));
                continue;
            }
            ' ' => true,
            _ if only_spaces => false,
            '%' => flags & ESCAPE_PERCENT != 0,
            '/' | '?' | '#' => is_segment,
            letter if letter.is_ascii() => letter.is_ascii_control() || "\"<>\\^{|}`&[]".contains(letter),
            letter => flags & ESCAPE_AS_UTF8 != 0 || u32::from(letter) < 0x100,
        };
        match escapes {
            false => escaped.extend(units),
            true if flags & ESCAPE_AS_UTF8 != 0 || letter.is_ascii() => {
                push_escaped(&mut escaped, letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            true => push_escaped(&mut escaped, &[u32::from(letter) as u8]),
        }
    }
    escaped.extend(&url[end..]);
    escaped
}

/// Replaces `%41` by what it stands for, up to `?` or `#` if that is asked for.
pub fn unescape(url: &[u16], flags: u32) -> Vec<u16> {
    let digit = |at: usize| char::from_u32((*url.get(at)?).into())?.to_digit(16);
    let mut plain = Vec::with_capacity(url.len());
    let mut at = 0;
    while at < url.len() {
        if flags & flags::DONT_ESCAPE_EXTRA_INFO != 0 && is_any(url[at], "?#") {
            plain.extend(&url[at..]);
            break;
        }
        match (digit(at + 1), digit(at + 2)) {
            (Some(high), Some(low)) if url[at] == u16::from(b'%') => {
                plain.push((16 * high + low) as u16);
                at += 3;
            }
            _ => {
                plain.push(url[at]);
                at += 1;
            }
        }
    }
    plain
}

/// Returns the URL of a path; `None` for what is a URL already.
pub fn from_path(path: &[u16]) -> Option<Vec<u16>> {
    if scheme(path).is_some() {
        return None;
    }
    let text = String::from_utf16_lossy(path).replace('\\', "/");
    let is_drive = path.get(1) == Some(&u16::from(b':'));
    let start = match text {
        _ if is_drive => "file:///",
        ref text if text.starts_with("//") => "file:",
        ref text if text.starts_with('/') => "file://",
        _ => "file:",
    };
    let mut url: Vec<u16> = start.encode_utf16().collect();
    for (number, part) in text.split('/').enumerate() {
        if number > 0 {
            url.push(u16::from(b'/'));
        }
        let part: Vec<u16> = part.encode_utf16().collect();
        url.extend(escape(&part, flags::ESCAPE_SEGMENT_ONLY | flags::ESCAPE_PERCENT));
    }
    Some(url)
}

/// Returns the path of a URL of a file; `None` for other URLs.
pub fn to_path(url: &[u16]) -> Option<Vec<u16>> {
    let rest = url.get(5..).filter(|_| scheme(url).as_deref() == Some("file"))?;
    let text = String::from_utf16_lossy(&unescape(rest, 0)).replace('\\', "/");
    let text = text.strip_prefix("//localhost/").unwrap_or(&text);
    let bare = text.trim_start_matches('/');
    let mut letters = bare.chars();
    let is_drive = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic())
        && matches!(letters.next(), Some(':' | '|'));
    let path = match text.len() - bare.len() {
        _ if is_drive => format!("{}:{}", &bare[..1], &bare[2..]),
        // A machine's name, with two slashes or with two more.
        2 | 4.. => format!("//{bare}"),
        0 => bare.to_owned(),
        _ => format!("/{bare}"),
    };
    Some(path.replace('/', "\\").encode_utf16().collect())
}

/// Says whether a URL is of a kind: 0 any, 1 without parts, 3 a file's, 4 one that can be given a scheme, 5 a directory's, 6 with a query.
pub fn is(url: &[u16], kind: i32) -> bool {
    if kind == 4 {
        // What a scheme can be guessed for.
        return parts::apply_scheme(url, parts::apply::GUESS_SCHEME | parts::apply::GUESS_FILE).is_some();
    }
    let Some(name) = scheme(url) else { return false };
    match kind {
        0 => true,
        1 => OPAQUE.contains(&name.as_str()),
        3 => name == "file",
        5 => url.last() == Some(&u16::from(b'/')),
        6 => url.contains(&u16::from(b'?')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn escapes_go_there_and_back() {
        let text = wide("a b%c/ü?d#e");
        let escaped = escape(&text, flags::ESCAPE_SEGMENT_ONLY | flags::ESCAPE_PERCENT);
        assert_eq!(String::from_utf16_lossy(&escaped), "a%20b%25c%2F%FC%3Fd%23e");
        assert_eq!(unescape(&escaped, 0), text);
        assert_eq!(escape(&wide("ü"), flags::ESCAPE_AS_UTF8), wide("%C3%BC"));
    }

    #[test]
    fn paths_of_files() {
        for (url, path) in [
            ("file:///c|/x", Some("c:\\x")),
            ("file://srv/share/a%20b", Some("\\\\srv\\share\\a b")),
            ("file:", Some("")),
            ("file:///abs", Some("\\abs")),
            ("http://x", None),
        ] {
            assert_eq!(to_path(&wide(url)), path.map(wide), "{url}");
        }
    }
}
