//! Parts of URLs: schemes by number, servers, users, queries, and the scheme that a text without one is given.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/ne-shlwapi-url_scheme>,
//! <https://learn.microsoft.com/windows/win32/api/shlwapi/ne-shlwapi-url_part>; what they leave open was recorded under Wine 8.0

use super::{OPAQUE, scheme};

/// Names of schemes by their number, from 1.
const SCHEMES: [&str; 26] = [
    "ftp",
    "http",
    "gopher",
    "mailto",
    "news",
    "nntp",
    "telnet",
    "wais",
    "file",
    "mk",
    "https",
    "shell",
    "snews",
    "local",
    "javascript",
    "vbscript",
    "about",
    "res",
    "ms-shell-rooted",
    "ms-shell-idlist",
    "hcp",
    "ms-shell-device",
    "*",
    "search-ms",
    "search",
    "knownfolder",
];

/// Schemes whose URLs name a server.
const WITH_SERVER: [&str; 9] = ["http", "https", "ftp", "gopher", "nntp", "telnet", "wais", "news", "snews"];

/// Returns the number of a scheme; 0 for others (`URL_SCHEME_UNKNOWN`).
pub fn scheme_number(name: &str) -> u32 {
    SCHEMES.iter().zip(1..).find(|(known, _)| **known == name).map_or(0, |(_, number)| number)
}

/// A part of a URL (`URL_PART_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The scheme.
    Scheme,
    /// The server.
    HostName,
    /// The user.
    UserName,
    /// The user's password.
    Password,
    /// The port.
    Port,
    /// What follows the question mark.
    Query,
}

impl Part {
    /// Returns the part of a number from 1.
    pub fn of_number(number: u32) -> Option<Self> {
        use Part::{HostName, Password, Port, Query, Scheme, UserName};
        [Scheme, HostName, UserName, Password, Port, Query].get(number.checked_sub(1)? as usize).copied()
    }
}

/// What is found of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The part.
    Text(Vec<u16>),
    /// It is empty.
    Empty,
    /// The URL lacks it.
    Missing,
    /// URLs of this scheme have none.
    NoSuchPart,
}

fn place(units: &[u16], letter: u8) -> Option<usize> {
    units.iter().position(|&unit| unit == u16::from(letter))
}

/// Returns what stands between two slashes and the next slash, question mark or hash.
pub(super) fn authority(rest: &[u16]) -> Option<&[u16]> {
    let rest = rest.strip_prefix(&[u16::from(b'/'); 2])?;
    let end = rest.iter().position(|&unit| super::is_any(unit, "/\\?#")).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// Returns a part of a URL.
pub fn part(url: &[u16], part: Part) -> Found {
    let name = scheme(url);
    let text = |units: &[u16]| match units {
        [] => Found::Empty,
        units => Found::Text(units.to_vec()),
    };
    let Some(name) = name else {
        return if matches!(part, Part::Scheme | Part::Query) { Found::Empty } else { Found::NoSuchPart };
    };
    let rest = &url[name.len() + 1..];
    match part {
        Part::Scheme => return Found::Text(name.encode_utf16().collect()),
        Part::Query if OPAQUE.contains(&name.as_str()) => return Found::Empty,
        Part::Query => return place(rest, b'?').map_or(Found::Empty, |at| text(&rest[at + 1..])),
        _ => {}
    }
    let is_file = name == "file";
    if !(is_file && part == Part::HostName || WITH_SERVER.contains(&name.as_str())) {
        return Found::NoSuchPart;
    }
    let Some(authority) = authority(rest) else { return Found::Missing };
    let at = authority.iter().rposition(|&unit| unit == u16::from(b'@'));
    let (user, server) = match at {
        Some(at) => (Some(&authority[..at]), &authority[at + 1..]),
        None => (None, authority),
    };
    // Colons within brackets belong to the address.
    let bracket = place(server, b']').map_or(0, |at| at + 1);
    let colon = place(&server[bracket..], b':').map(|at| at + bracket);
    let found = match part {
        Part::HostName if is_file => Some(server),
        Part::HostName => Some(&server[..colon.unwrap_or(server.len())]),
        Part::Port => colon.map(|at| &server[at + 1..]),
        Part::UserName => user.map(|user| &user[..place(user, b':').unwrap_or(user.len())]),
        _ => user.and_then(|user| Some(&user[place(user, b':')? + 1..])),
    };
    found.map_or(Found::Missing, text)
}

/// Flags of `UrlApplyScheme`.
pub mod apply {
    /// What nothing else fits is `http`.
    pub const DEFAULT: u32 = 1;
    /// The scheme is guessed from how the server is called.
    pub const GUESS_SCHEME: u32 = 2;
    /// Paths become URLs of files.
    pub const GUESS_FILE: u32 = 4;
    /// A scheme that is there does not count.
    pub const FORCE: u32 = 8;
}

/// What names of servers begin with, and what is put before them, as the registry of a fresh Windows has it.
const PREFIXES: [(&str, &str); 5] = [
    ("ftp.", "ftp://"),
    ("gopher.", "gopher://"),
    ("home.", "http://"),
    ("mosaic.", "http://"),
    ("www.", "http://"),
];

/// Gives a text a scheme; `None` where it has one, or none fits.
pub fn apply_scheme(text: &[u16], flags: u32) -> Option<Vec<u16>> {
    let is_drive = text.get(1) == Some(&u16::from(b':'))
        && text
            .first()
            .is_some_and(|&unit| char::from_u32(unit.into()).is_some_and(|c| c.is_ascii_alphabetic()));
    let is_network = text.starts_with(&[u16::from(b'\\'); 2]);
    if flags & apply::GUESS_FILE != 0 && (is_drive || is_network) {
        return super::from_path(text);
    }
    let has_scheme = scheme(text).is_some();
    if has_scheme && flags & apply::FORCE == 0 {
        return None;
    }
    let lower = String::from_utf16_lossy(text).to_ascii_lowercase();
    let guessed = PREFIXES.iter().find(|(prefix, _)| lower.starts_with(prefix)).map(|(_, scheme)| *scheme);
    let scheme = match guessed {
        Some(scheme) if flags & apply::GUESS_SCHEME != 0 && !has_scheme => scheme,
        _ if flags & apply::DEFAULT != 0 => "http://",
        _ => return None,
    };
    Some(scheme.encode_utf16().chain(text.iter().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn servers_and_users() {
        let url = wide("http://user:pa:ss@[::1]:80/x?q#f");
        let found =
            [1, 2, 3, 4, 5, 6].map(|number| match part(&url, Part::of_number(number).expect("a part")) {
                Found::Text(text) => String::from_utf16_lossy(&text),
                other => format!("{other:?}"),
            });
        assert_eq!(found, ["http", "[::1]", "user", "pa:ss", "80", "q#f"]);
        assert_eq!(part(&wide("file:///c:/x"), Part::HostName), Found::Empty);
        assert_eq!(part(&wide("http://h/"), Part::Port), Found::Missing);
        assert_eq!(part(&wide("mailto:a@b?c"), Part::UserName), Found::NoSuchPart);
    }

    #[test]
    fn schemes_are_guessed() {
        assert_eq!(apply_scheme(&wide("FTP.x"), apply::GUESS_SCHEME), Some(wide("ftp://FTP.x")));
        assert_eq!(apply_scheme(&wide("http:x"), apply::DEFAULT), None);
        assert_eq!(apply_scheme(&wide("c:\\x"), apply::GUESS_FILE), Some(wide("file:///c:/x")));
        assert_eq!((scheme_number("res"), scheme_number("knownfolder"), scheme_number("x")), (18, 26, 0));
    }
}
