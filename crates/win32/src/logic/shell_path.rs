//! Paths as the shell takes them apart: the rules behind the `Path…` functions of shlwapi. Nothing is looked up.
//!
//! Source: <https://learn.microsoft.com/windows/win32/shell/shlwapi-path>

use super::path::{BACKSLASH, COLON, DOT, SLASH, SPACE};

/// The most units of a path with its zero: `MAX_PATH`.
pub const PATH_UNITS: usize = 260;

const QUOTE: u16 = b'"' as u16;

fn is_separator(unit: u16) -> bool {
    unit == BACKSLASH || unit == SLASH
}

fn is_letter(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_alphabetic())
}

/// Says whether a path begins with a drive's letter and a colon.
fn has_drive(path: &[u16]) -> bool {
    matches!(path, [letter, COLON, ..] if is_letter(*letter))
}

/// Returns the drive's number from 0, if the path names one.
pub fn drive_number(path: &[u16]) -> Option<u8> {
    let letter = path.first().filter(|_| has_drive(path))?;
    Some((*letter as u8).to_ascii_uppercase() - b'A')
}

/// Says whether a path is relative: it begins neither with a backslash nor with a drive.
pub fn is_relative(path: &[u16]) -> bool {
    !(path.first() == Some(&BACKSLASH) || has_drive(path))
}

/// Says whether a path names a share or something below one.
pub fn is_unc(path: &[u16]) -> bool {
    path.starts_with(&[BACKSLASH, BACKSLASH]) && path.get(2) != Some(&(b'?' as u16))
}

/// Says whether a path has neither a colon nor a backslash.
pub fn is_file_name(path: &[u16]) -> bool {
    !path.iter().any(|&unit| unit == COLON || unit == BACKSLASH)
}

/// Says whether a path is a root: `\`, `X:\`, `\\server`, `\\server\share`.
pub fn is_root(path: &[u16]) -> bool {
    match path {
        [BACKSLASH] => true,
        [letter, COLON, BACKSLASH] => is_letter(*letter),
        [BACKSLASH, BACKSLASH, rest @ ..] => {
            let separators = rest.iter().filter(|&&unit| unit == BACKSLASH).count();
            separators <= 1 && rest.last() != Some(&BACKSLASH)
        }
        _ => false,
    }
}

/// Returns where the last name begins: behind the last separator that something follows.
pub fn file_name(path: &[u16]) -> usize {
    let mut start = 0;
    for (at, &unit) in path.iter().enumerate() {
        let next = path.get(at + 1);
        if (is_separator(unit) || unit == COLON) && next.is_some_and(|&next| !is_separator(next)) {
            start = at + 1;
        }
    }
    start
}

/// Returns where the extension begins, its dot included; the end where there is none.
pub fn extension(path: &[u16]) -> usize {
    let dot = path.iter().rposition(|&unit| unit == DOT);
    let barrier = path.iter().rposition(|&unit| unit == BACKSLASH || unit == SPACE);
    match dot {
        Some(dot) if barrier.is_none_or(|barrier| barrier < dot) => dot,
        _ => path.len(),
    }
}

/// Returns where a path goes on behind its root; `None` when it has none.
pub fn skip_root(path: &[u16]) -> Option<usize> {
    match path {
        [BACKSLASH, BACKSLASH, rest @ ..] => {
            let mut parts = rest.split(|&unit| unit == BACKSLASH);
            let length = parts.next()?.len() + 1 + parts.next()?.len();
            Some((2 + length + 1).min(path.len()))
        }
        [BACKSLASH, ..] => Some(1),
        [letter, COLON, BACKSLASH, ..] if is_letter(*letter) => Some(3),
        _ => None,
    }
}

/// Returns where the next part of a path begins; `None` at its end.
pub fn next_part(path: &[u16]) -> Option<usize> {
    if path.is_empty() {
        return None;
    }
    let at = path.iter().position(|&unit| unit == BACKSLASH);
    Some(match at {
        Some(at) if path.get(at + 1) == Some(&BACKSLASH) => at + 2,
        Some(at) => at + 1,
        None => path.len(),
    })
}

/// Returns where the arguments behind a program begin; the end where there are none.
pub fn arguments(line: &[u16]) -> usize {
    let mut is_quoted = false;
    for (at, &unit) in line.iter().enumerate() {
        match unit {
            QUOTE => is_quoted = !is_quoted,
            SPACE if !is_quoted => return at + 1,
            _ => {}
        }
    }
    line.len()
}

/// Removes the last name and the backslash before it, not that of a root; says whether something was removed.
pub fn remove_file_name(path: &mut Vec<u16>) -> bool {
    let floor = match path.as_slice() {
        [BACKSLASH, BACKSLASH, ..] => 2,
        [BACKSLASH, ..] => 1,
        [_, COLON, BACKSLASH, ..] => 3,
        [_, COLON, ..] => 2,
        _ => 0,
    };
    let before = path.len();
    let cut = path.iter().rposition(|&unit| unit == BACKSLASH).unwrap_or(0).max(floor.min(before));
    path.truncate(cut);
    path.len() < before
}

/// Cuts a path to its root; says whether it has one.
pub fn strip_to_root(path: &mut Vec<u16>) -> bool {
    while !is_root(path) {
        if !remove_file_name(path) {
            path.clear();
            return false;
        }
    }
    true
}

/// Resolves `.` and `..`; a path that would be empty is `\`.
pub fn canonical(path: &[u16]) -> Vec<u16> {
    let root = skip_root(path).unwrap_or(0);
    let (root, rest) = path.split_at(root);
    let mut parts: Vec<&[u16]> = Vec::new();
    for part in rest.split(|&unit| unit == BACKSLASH) {
        match part {
            [DOT] => {}
            [DOT, DOT] => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut out = root.to_vec();
    out.extend(parts.join(&BACKSLASH));
    let ends_in_dots = rest.ends_with(&[DOT]) && out.len() > root.len() && out.last() == Some(&BACKSLASH);
    if ends_in_dots && !is_root(&out) {
        out.pop();
    }
    if out.is_empty() {
        out.push(BACKSLASH);
    }
    if matches!(out.as_slice(), [_, COLON]) {
        out.push(BACKSLASH);
    }
    out
}

/// Puts a file's path behind a directory's; `None` when it becomes too long.
pub fn combine(directory: &[u16], file: &[u16]) -> Option<Vec<u16>> {
    let joined = if file.is_empty() {
        directory.to_vec()
    } else if directory.is_empty() || !is_relative(file) && (has_drive(file) || is_unc(file)) {
        file.to_vec()
    } else {
        let mut base = directory.to_vec();
        let mut file = file;
        if file.first() == Some(&BACKSLASH) {
            strip_to_root(&mut base);
            file = &file[1..];
        }
        if base.last() != Some(&BACKSLASH) {
            base.push(BACKSLASH);
        }
        base.extend(file);
        base
    };
    let path = canonical(&joined);
    (path.len() < PATH_UNITS).then_some(path)
}

/// Replaces the extension, or adds one; `None` when the path becomes too long.
pub fn with_extension(path: &[u16], new: &[u16]) -> Option<Vec<u16>> {
    let made: Vec<u16> = path[..extension(path)].iter().chain(new).copied().collect();
    (made.len() < PATH_UNITS).then_some(made)
}

/// Puts quotes around a path with blanks, if they are missing.
pub fn quoted(path: &[u16]) -> Option<Vec<u16>> {
    let needs = path.contains(&SPACE) && path.first() != Some(&QUOTE) && path.len() + 2 < PATH_UNITS;
    needs.then(|| std::iter::once(QUOTE).chain(path.iter().copied()).chain([QUOTE]).collect())
}

/// Takes quotes at both ends away.
pub fn unquoted(path: &[u16]) -> Option<&[u16]> {
    match path {
        [QUOTE, inner @ .., QUOTE] => Some(inner),
        _ => None,
    }
}

/// Returns how many units two paths have in common, whole names only.
pub fn common_prefix(left: &[u16], right: &[u16]) -> usize {
    let fold = |unit: u16| char::from_u32(unit.into()).map_or(unit, |c| c.to_ascii_lowercase() as u16);
    let same = left.iter().zip(right).take_while(|(left, right)| fold(**left) == fold(**right)).count();
    let ends = |path: &[u16]| path.get(same).is_none_or(|&unit| unit == BACKSLASH);
    if ends(left) && ends(right) {
        return same;
    }
    let cut = left[..same].iter().rposition(|&unit| unit == BACKSLASH).unwrap_or(0);
    // The backslash of a drive's root belongs to it.
    if cut == 2 && left.get(1) == Some(&COLON) { 3 } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn narrow(text: &[u16]) -> String {
        String::from_utf16_lossy(text)
    }

    #[test]
    fn paths_are_taken_apart() {
        for (path, name, end) in [
            (r"c:\a\b.txt", "b.txt", ".txt"),
            (r"c:\a\", r"a\", ""),
            ("b.tar.gz", "b.tar.gz", ".gz"),
            (r"a.b\c", "c", ""),
            ("c:x", "x", ""),
            ("a.b c", "a.b c", ""),
            ("", "", ""),
        ] {
            let path = wide(path);
            assert_eq!(
                (narrow(&path[file_name(&path)..]), narrow(&path[extension(&path)..])),
                (name.into(), end.into())
            );
        }
    }

    #[test]
    fn roots_are_known() {
        for (path, is, behind) in [
            ("\\", true, Some(1)),
            ("c:\\", true, Some(3)),
            ("c:", false, None),
            ("c:\\a", false, Some(3)),
            ("\\\\s\\h", true, Some(5)),
            ("\\\\s\\h\\x", false, Some(6)),
            ("a\\b", false, None),
        ] {
            let path = wide(path);
            assert_eq!((is_root(&path), skip_root(&path)), (is, behind), "{}", narrow(&path));
        }
    }

    #[test]
    fn names_are_removed_up_to_the_root() {
        for (path, expected, done) in [
            ("c:\\a\\b", "c:\\a", true),
            ("c:\\a", "c:\\", true),
            ("c:\\", "c:\\", false),
            ("\\a", "\\", true),
            ("a\\b", "a", true),
            ("a", "", true),
            ("", "", false),
        ] {
            let mut path = wide(path);
            assert_eq!((remove_file_name(&mut path), narrow(&path)), (done, expected.into()));
        }
    }

    #[test]
    fn dots_are_resolved_and_paths_combined() {
        for (path, expected) in [
            ("c:\\a\\..\\b", "c:\\b"),
            ("c:\\a\\.\\b", "c:\\a\\b"),
            ("c:\\..\\..", "c:\\"),
            ("a\\..", "\\"),
            ("", "\\"),
            ("c:\\a\\", "c:\\a\\"),
        ] {
            assert_eq!(narrow(&canonical(&wide(path))), expected, "{path}");
        }
        for (directory, file, expected) in [
            ("c:\\a", "b", "c:\\a\\b"),
            ("c:\\a\\", "..\\b", "c:\\b"),
            ("c:\\a", "\\b", "c:\\b"),
            ("c:\\a", "d:\\b", "d:\\b"),
            ("c:\\a", "", "c:\\a"),
            ("", "b", "b"),
        ] {
            assert_eq!(
                combine(&wide(directory), &wide(file)).map(|path| narrow(&path)),
                Some(expected.into())
            );
        }
        assert_eq!(combine(&wide("c:\\"), &[97; 260]), None);
    }

    #[test]
    fn extensions_quotes_and_prefixes() {
        assert_eq!(with_extension(&wide("a.b"), &wide(".c")).map(|path| narrow(&path)), Some("a.c".into()));
        assert_eq!(quoted(&wide("a b")).map(|path| narrow(&path)), Some("\"a b\"".into()));
        assert_eq!((quoted(&wide("ab")), unquoted(&wide("\"a\"")).map(narrow)), (None, Some("a".into())));
        assert_eq!(common_prefix(&wide("c:\\abc\\d"), &wide("C:\\abc\\e")), 6);
        assert_eq!(common_prefix(&wide("c:\\abc"), &wide("c:\\abd")), 3);
        assert_eq!(arguments(&wide("\"a b\" c d")), 6);
        assert_eq!(next_part(&wide("a\\b")), Some(2));
    }
}
