//! Simplifying URLs and resolving relative ones. Dots are resolved in the path alone, not in what follows `?` or `#`.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-urlcanonicalizew>,
//! <https://learn.microsoft.com/windows/win32/api/shlwapi/nf-shlwapi-urlcombinew>, RFC 1808; what they leave open (dots
//! at the root stay, a last `.` stays) was recorded under Wine 8.0

use super::flags::{
    DONT_SIMPLIFY, ESCAPE_PERCENT, ESCAPE_SPACES_ONLY, ESCAPE_UNSAFE, FILE_USE_PATHURL, UNESCAPE,
};
use super::{OPAQUE, WITH_PATHS, escape, from_path, is_any, parts, scheme, to_path, unescape};

const SLASH: u16 = b'/' as u16;

/// A URL in pieces that make it up again: `http:`, `//server`, `/path`, `?query#place`.
struct Pieces<'a> {
    scheme: &'a [u16],
    server: &'a [u16],
    path: &'a [u16],
    extra: &'a [u16],
}

fn pieces(url: &[u16]) -> Pieces<'_> {
    let start = scheme(url).map_or(0, |name| name.len() + 1);
    let (scheme, rest) = url.split_at(start);
    let server = parts::authority(rest).map_or(0, |authority| 2 + authority.len());
    let (server, rest) = rest.split_at(server);
    let end = rest.iter().position(|&unit| is_any(unit, "?#")).unwrap_or(rest.len());
    let (path, extra) = rest.split_at(end);
    Pieces { scheme, server, path, extra }
}

/// Resolves `.` and `..` in a path. A `..` takes away what stands before it, or stays where that is nothing.
fn without_dots(path: &[u16]) -> Vec<u16> {
    let (root, path) = match path {
        [SLASH, rest @ ..] => (&[SLASH][..], rest),
        path => (&[][..], path),
    };
    let dot = u16::from(b'.');
    let mut kept: Vec<&[u16]> = Vec::new();
    let mut parts = path.split(|&unit| unit == SLASH).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        // A drive is not left.
        let is_drive = |part: &[u16]| part.len() == 2 && is_any(part[1], ":|");
        match part {
            [unit] if *unit == dot && !is_last => {}
            part if part == [dot, dot] && kept.last().is_some_and(|last| !is_drive(last)) => {
                kept.pop();
                if is_last {
                    kept.push(&[]);
                }
            }
            part => kept.push(part),
        }
    }
    [root, &kept.join(&SLASH)].concat()
}

/// Brings a URL of a file to its usual form: a drive has three slashes before it, a server two.
fn file_url(rest: Vec<u16>, is_escaped: bool) -> Vec<u16> {
    let bare = rest.iter().position(|&unit| unit != SLASH).unwrap_or(rest.len());
    let after = &rest[bare..];
    let local: Vec<u16> = "localhost/".encode_utf16().collect();
    let is_drive = after.get(1).is_some_and(|&unit| is_any(unit, ":|"));
    match bare {
        2 if is_escaped && after.starts_with(&local) => [&[SLASH; 3], &after[local.len()..]].concat(),
        2 if is_drive => [&[SLASH; 3], after].concat(),
        4.. => [&[SLASH; 2], after].concat(),
        _ => rest,
    }
}

/// Turns backslashes into slashes before what is extra.
fn with_slashes(mut url: Vec<u16>) -> Vec<u16> {
    let end = url.len() - pieces(&url).extra.len();
    for unit in url[..end].iter_mut().filter(|unit| **unit == u16::from(b'\\')) {
        *unit = SLASH;
    }
    url
}

/// Brings a URL to the form that other functions expect.
pub fn canonicalize(url: &[u16], flags: u32) -> Vec<u16> {
    let blanks = url.iter().rev().take_while(|&&unit| unit <= 0x20).count();
    let url: Vec<u16> =
        url[..url.len() - blanks].iter().copied().filter(|&unit| !is_any(unit, "\t\r\n")).collect();
    let is_drive = url.get(1) == Some(&u16::from(b':'));
    let url = if is_drive { from_path(&url).unwrap_or(url) } else { url };
    let name = scheme(&url).unwrap_or_default();
    let is_opaque = OPAQUE.contains(&name.as_str());
    let url = if WITH_PATHS.contains(&name.as_str()) { with_slashes(url) } else { url };
    let pieces = pieces(&url);
    let mut path = pieces.path.to_vec();
    let is_rooted = !name.is_empty() || path.first() == Some(&SLASH);
    if flags & DONT_SIMPLIFY == 0 && is_rooted && !is_opaque && name != "res" && !is_drive {
        path = without_dots(&path);
    }
    if path.is_empty() && pieces.server.len() > 2 && name != "file" && !is_opaque {
        path.push(SLASH);
    }
    let is_escaped = flags & (ESCAPE_UNSAFE | ESCAPE_SPACES_ONLY) != 0;
    let mut rest = [pieces.server, &path].concat();
    if name == "file" {
        rest = file_url(rest, is_escaped);
    }
    let mut made = [pieces.scheme, &rest, pieces.extra].concat();
    if flags & FILE_USE_PATHURL != 0 && name == "file" && !pieces.server.is_empty() {
        let path = to_path(&made).unwrap_or_default();
        made = "file://".encode_utf16().chain(path).collect();
    }
    if flags & UNESCAPE != 0 {
        made = unescape(&made, flags);
    }
    if is_escaped {
        made = escape(&made, flags & !super::flags::ESCAPE_SEGMENT_ONLY);
    } else if flags & ESCAPE_PERCENT != 0 {
        made = escape(&made, flags);
    }
    made
}

/// Resolves a URL against another.
pub fn combine(base: &[u16], relative: &[u16], flags: u32) -> Vec<u16> {
    let is_drive = relative.get(1) == Some(&u16::from(b':'));
    let base = canonicalize(base, flags & DONT_SIMPLIFY);
    let (base_scheme, own_scheme) = (scheme(&base), scheme(relative));
    let rest = match own_scheme {
        // The same scheme without a server is relative.
        Some(ref name) if own_scheme == base_scheme && !relative[name.len() + 1..].starts_with(&[SLASH]) => {
            &relative[name.len() + 1..]
        }
        None => relative,
        Some(_) => return canonicalize(relative, flags),
    };
    if is_drive || base_scheme.is_none() {
        return canonicalize(relative, flags);
    }
    let pieces = pieces(&base);
    let is_opaque = base_scheme.is_some_and(|name| OPAQUE.contains(&name.as_str()));
    let directory = pieces.path.iter().rposition(|&unit| unit == SLASH).map_or(0, |at| at + 1);
    let hash = pieces.extra.iter().position(|&unit| unit == u16::from(b'#')).unwrap_or(pieces.extra.len());
    let made = match rest {
        rest if rest.starts_with(&[SLASH; 2]) => [pieces.scheme, rest].concat(),
        [SLASH, ..] => [pieces.scheme, pieces.server, rest].concat(),
        [unit, ..] if *unit == u16::from(b'#') => {
            [pieces.scheme, pieces.server, pieces.path, &pieces.extra[..hash], rest].concat()
        }
        rest if is_opaque => [pieces.scheme, rest].concat(),
        rest => [pieces.scheme, pieces.server, &pieces.path[..directory], rest].concat(),
    };
    canonicalize(&made, flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn relative_urls() {
        for (base, relative, expected) in [
            ("http://a/b/c/d;p?q#f", "../g", "http://a/b/g"),
            ("http://a/b/c/d;p?q#f", "#s", "http://a/b/c/d;p?q#s"),
            ("http://a/b/c/d;p?q#f", "?y", "http://a/b/c/?y"),
            ("http://a/b/c/d", "//g", "http://g/"),
            ("http://a/b/c/d", "http:g", "http://a/b/c/g"),
            ("http://a", "../../../up", "http://a/../up"),
            ("mailto:x@y", "z", "mailto:z"),
            ("x/y", "z", "z"),
            ("http://a", "c:\\w\\x", "file:///c:/w/x"),
        ] {
            let made = combine(&wide(base), &wide(relative), 0);
            assert_eq!(String::from_utf16_lossy(&made), expected, "{base} + {relative}");
        }
    }

    #[test]
    fn what_is_extra_stays() {
        let made = canonicalize(&wide("HTTP:\\\\h\\a\\..\\b?x\\/../y "), 0);
        assert_eq!(String::from_utf16_lossy(&made), "HTTP://h/b?x\\/../y");
    }
}
