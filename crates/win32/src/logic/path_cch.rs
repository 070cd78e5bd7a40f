//! Paths as pathcch.h takes them apart: roots of drives, shares and volumes, also with the prefix `\\?\`.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/pathcch/>

/// The unit of the backslash.
pub const BACKSLASH: u16 = b'\\' as u16;
const DOT: u16 = b'.' as u16;
const COLON: u16 = b':' as u16;
/// `PATHCCH_MAX_CCH`.
const LONGEST: usize = 0x8000;
/// `MAX_PATH`.
const MAX_PATH: usize = 260;

/// Why a function failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CchError {
    /// An argument is wrong.
    Invalid,
    /// The buffer is too small.
    NoRoom,
    /// The path is longer than the flags allow.
    TooLong,
}

/// The `PATHCCH_…` flags.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pathcch/nf-pathcch-pathcchcanonicalizeex>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// Paths of more than 259 characters.
    pub const ALLOW_LONG_PATHS: Self = Self(0x1);
    const FORCE_ENABLE: Self = Self(0x2);
    const FORCE_DISABLE: Self = Self(0x4);
    const DO_NOT_NORMALIZE: Self = Self(0x8);
    const ENSURE_EXTENDED: Self = Self(0x10);
    const ENSURE_BACKSLASH: Self = Self(0x20);
    const SLASHES: Self = Self(0x40);

    /// Takes the flags of a call.
    pub const fn from_bits_retain(bits: u32) -> Self {
        Self(bits)
    }

    /// Says whether all flags of `other` are there.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Refuses flags that exclude each other or want long paths that are not allowed.
    fn check(self) -> Result<(), CchError> {
        let has = |flag: Self| self.contains(flag);
        let is_short = !has(Self::ALLOW_LONG_PATHS);
        let wants_long = has(Self::FORCE_ENABLE) || has(Self::FORCE_DISABLE) || has(Self::ENSURE_EXTENDED);
        let both = has(Self::FORCE_ENABLE) && has(Self::FORCE_DISABLE);
        if both || is_short && has(Self::ENSURE_EXTENDED) && has(Self::FORCE_DISABLE) {
            return Err(CchError::Invalid);
        }
        if is_short && wants_long && !has(Self::ENSURE_EXTENDED) { Err(CchError::Invalid) } else { Ok(()) }
    }
}

fn is_letter(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_alphabetic())
}

fn starts(path: &[u16], start: &str) -> bool {
    path.len() >= start.len()
        && path
            .iter()
            .zip(start.bytes())
            .all(|(&unit, byte)| u8::try_from(unit).is_ok_and(|unit| unit.eq_ignore_ascii_case(&byte)))
}

fn is_drive(path: &[u16]) -> bool {
    path.len() >= 2 && is_letter(path[0]) && path[1] == COLON
}

/// Returns the length of `Volume{…}` at the beginning.
fn volume(path: &[u16]) -> Option<usize> {
    const LENGTH: usize = "Volume{01234567-0123-0123-0123-0123456789ab}".len();
    let is_one = starts(path, "Volume{") && path.get(LENGTH - 1) == Some(&u16::from(b'}'));
    let digits = path.get(7..LENGTH - 1)?;
    let good = digits.iter().enumerate().all(|(index, &unit)| match index {
        8 | 13 | 18 | 23 => unit == u16::from(b'-'),
        _ => u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_hexdigit()),
    });
    (is_one && good).then_some(LENGTH)
}

/// Returns the index of the server's name in a path of a share.
pub fn server(path: &[u16]) -> Option<usize> {
    if starts(path, r"\\?\UNC\") {
        return Some(8);
    }
    (starts(path, r"\\") && !starts(path, r"\\?")).then_some(2)
}

/// Skips a part and, if `count` is more than one, the backslash behind it and the next.
fn skip_parts(path: &[u16], start: usize, count: usize) -> usize {
    let mut at = start;
    for part in 0..count {
        at += path[at..].iter().take_while(|&&unit| unit != BACKSLASH).count();
        if part + 1 < count && at < path.len() {
            at += 1;
        }
    }
    at
}

/// Returns where the root of a path ends: the backslash after a drive belongs to it, that after a share does not.
pub fn root(path: &[u16]) -> Option<usize> {
    if let Some(start) = server(path) {
        // A server without a share ends before its backslash.
        let end = skip_parts(path, start, 2);
        return Some(end);
    }
    let prefix = if starts(path, r"\\?\") { 4 } else { 0 };
    let rest = &path[prefix..];
    let length = match volume(rest).filter(|_| prefix != 0) {
        Some(length) => length,
        None if is_drive(rest) => 2,
        None if prefix == 0 && rest.first() == Some(&BACKSLASH) => return Some(1),
        None => return None,
    };
    Some(prefix + length + usize::from(rest.get(length) == Some(&BACKSLASH)))
}

/// Says whether a path is a root: that of a drive has its backslash.
pub fn is_root(path: &[u16]) -> bool {
    root(path) == Some(path.len()) && path.last() != Some(&COLON)
}

/// Returns where the part after the root begins.
pub fn skip_root(path: &[u16]) -> Option<usize> {
    let end = root(path)?;
    let is_share = server(path).is_some();
    Some(end + usize::from(is_share && path.get(end) == Some(&BACKSLASH)))
}

/// Removes `\\?\` before a drive and `\\?\UNC` before a share; says whether it did.
pub fn strip_prefix(path: &mut Vec<u16>) -> bool {
    if starts(path, r"\\?\UNC\") {
        path.drain(2..8);
        return true;
    }
    let is_one = starts(path, r"\\?\") && is_drive(&path[4..]);
    if is_one {
        path.drain(..4);
    }
    is_one
}

/// Removes the backslash at the end, but that of a root; says whether it did.
pub fn remove_backslash(path: &mut Vec<u16>) -> bool {
    let is_changed = path.last() == Some(&BACKSLASH) && root(path) != Some(path.len());
    if is_changed {
        path.pop();
    }
    is_changed
}

/// Removes the last part and the backslash before it; says whether anything was removed.
pub fn remove_file_name(path: &mut Vec<u16>) -> bool {
    let start = root(path).unwrap_or(0);
    let length = path.len();
    let last = path[start..].iter().rposition(|&unit| unit == BACKSLASH);
    path.truncate(last.map_or(start, |index| start + index));
    path.len() != length
}

/// Returns where the extension begins: at the end, if there is none.
pub fn extension(path: &[u16]) -> usize {
    let mut found = path.len();
    for (index, &unit) in path.iter().enumerate() {
        if unit == BACKSLASH || unit == u16::from(b' ') {
            found = path.len();
        } else if unit == DOT {
            found = index;
        }
    }
    found
}

/// Gives an extension its dot.
///
/// # Errors
/// [`CchError::Invalid`] for one with a backslash, a space or a dot within.
pub fn checked_extension(text: &[u16]) -> Result<Vec<u16>, CchError> {
    let bare = text.strip_prefix(&[DOT]).unwrap_or(text);
    if bare.iter().any(|&unit| [DOT, BACKSLASH, u16::from(b' ')].contains(&unit)) {
        return Err(CchError::Invalid);
    }
    let dot = (!bare.is_empty()).then_some(DOT);
    Ok(dot.into_iter().chain(bare.iter().copied()).collect())
}

/// Removes dots at the end of a part, where no asterisk is before them.
fn trim_dots(part: &mut Vec<u16>) {
    while part.last() == Some(&DOT) && part.get(part.len().wrapping_sub(2)) != Some(&u16::from(b'*')) {
        part.pop();
    }
}

/// Removes `.` and `..`, which do not go above the root.
///
/// # Errors
/// [`CchError::Invalid`] for wrong flags, [`CchError::TooLong`] for a path that no flags allow.
pub fn canonical(path: &[u16], flags: Flags) -> Result<Vec<u16>, CchError> {
    flags.check()?;
    if path.len() >= LONGEST || path.len() >= MAX_PATH * 4 && !flags.contains(Flags::ALLOW_LONG_PATHS) {
        return Err(CchError::TooLong);
    }
    let mut whole = path.to_vec();
    if flags.contains(Flags::SLASHES) {
        whole.iter_mut().filter(|unit| **unit == u16::from(b'/')).for_each(|unit| *unit = BACKSLASH);
    }
    strip_prefix(&mut whole);
    let start = root(&whole).unwrap_or(0);
    let mut made = whole[..start].to_vec();
    let rest = &whole[start..];
    let parts = join_parts(rest, flags);
    made.extend(parts);
    if made.is_empty() {
        made.push(BACKSLASH);
    }
    if is_drive(&made) && made.len() == 2 {
        made.push(BACKSLASH);
    }
    if flags.contains(Flags::ENSURE_BACKSLASH) && made.last() != Some(&BACKSLASH) {
        made.push(BACKSLASH);
    }
    let is_long = made.len() >= MAX_PATH && flags.contains(Flags::ALLOW_LONG_PATHS);
    if flags.contains(Flags::ENSURE_EXTENDED) || is_long && !flags.contains(Flags::FORCE_DISABLE) {
        extend_prefix(&mut made);
    }
    Ok(made)
}

/// Gives the path of a drive or a share its prefix.
fn extend_prefix(path: &mut Vec<u16>) {
    if is_drive(path) {
        path.splice(..0, r"\\?\".encode_utf16());
    } else if server(path) == Some(2) {
        path.splice(..2, r"\\?\UNC\".encode_utf16());
    }
}

/// Takes the parts behind a root together again, without `.` and `..`.
fn join_parts(rest: &[u16], flags: Flags) -> Vec<u16> {
    let mut leading = rest.first() == Some(&BACKSLASH);
    let body = if leading { &rest[1..] } else { rest };
    let mut kept: Vec<Vec<u16>> = Vec::new();
    let parts: Vec<&[u16]> = body.split(|&unit| unit == BACKSLASH).collect();
    let mut ends_open = false;
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        ends_open = is_last && part.is_empty() && index > 0;
        match *part {
            [DOT] => {}
            // What follows the last part that goes keeps its backslash.
            [DOT, DOT] => leading |= kept.pop().is_some() && kept.is_empty(),
            _ if is_last && part.is_empty() => {}
            other => kept.push(other.to_vec()),
        }
    }
    if !flags.contains(Flags::DO_NOT_NORMALIZE)
        && let Some(last) = kept.last_mut().filter(|_| !ends_open)
    {
        trim_dots(last);
    }
    let mut joined = kept.join(&BACKSLASH);
    if leading && !joined.is_empty() {
        joined.insert(0, BACKSLASH);
    }
    if ends_open && !kept.is_empty() {
        joined.push(BACKSLASH);
    }
    joined
}

/// Joins two paths: a second one with a root takes the place of the first, or of what follows the first one's root.
///
/// # Errors
/// As for [`canonical`].
pub fn combine(first: &[u16], second: &[u16], flags: Flags) -> Result<Vec<u16>, CchError> {
    let is_rooted = second.first() == Some(&BACKSLASH) && second.get(1) != Some(&BACKSLASH);
    let whole = match (first, second) {
        (_, []) => first.to_vec(),
        ([], _) => second.to_vec(),
        _ if is_drive(second) || starts(second, r"\\") => second.to_vec(),
        _ if is_rooted => {
            let mut start = first[..root(first).unwrap_or(0)].to_vec();
            if start.last() == Some(&BACKSLASH) {
                start.pop();
            }
            start.extend(second);
            start
        }
        _ => joined(first, second),
    };
    canonical(&whole, flags)
}

fn joined(first: &[u16], second: &[u16]) -> Vec<u16> {
    let mut whole = first.to_vec();
    if whole.last() != Some(&BACKSLASH) {
        whole.push(BACKSLASH);
    }
    whole.extend(second);
    whole
}

/// Adds a path to another: a backslash at its beginning does not lead to the root.
///
/// # Errors
/// As for [`canonical`].
pub fn append(first: &[u16], second: &[u16], flags: Flags) -> Result<Vec<u16>, CchError> {
    match second {
        [BACKSLASH, BACKSLASH, ..] => combine(first, second, flags),
        [BACKSLASH, rest @ ..] if !first.is_empty() => combine(first, rest, flags),
        _ => combine(first, second, flags),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn canonical_paths_have_no_dots_and_one_form_of_prefix() {
        let canonical = |path: &str, flags| {
            canonical(&wide(path), Flags::from_bits_retain(flags)).map(|path| String::from_utf16_lossy(&path))
        };
        for (path, flags, expected) in [
            (r"C:\a\..\b", 0, r"C:\b"),
            (r"a\..\b", 0, r"\b"),
            ("C:", 0, r"C:\"),
            ("", 0, r"\"),
            (r"\\?\C:\a", 0, r"C:\a"),
            (r"C:\a", 0x11, r"\\?\C:\a"),
            (r"\\s\h\a", 0x11, r"\\?\UNC\s\h\a"),
            ("C:/a/./b", 0x40, r"C:\a\b"),
            (r"C:\a", 0x20, r"C:\a\"),
            (r"C:\a...", 0, r"C:\a"),
            (r"C:\a...", 0x8, r"C:\a..."),
        ] {
            assert_eq!(canonical(path, flags).as_deref(), Ok(expected), "{path}");
        }
        assert_eq!(canonical("a", 0x2), Err(CchError::Invalid), "long names need long paths");
        assert_eq!(canonical("a", 0x7), Err(CchError::Invalid), "both ways at once");
    }

    #[test]
    fn volumes_and_shares_have_roots() {
        let volume = r"\\?\Volume{01234567-0123-0123-0123-0123456789ab}\x";
        assert_eq!(root(&wide(volume)), Some(volume.len() - 1));
        assert_eq!(root(&wide(r"\\?\Volume{x}\x")), None);
        assert_eq!(skip_root(&wide(r"\\s\h\x")), Some(6));
        assert_eq!(skip_root(&wide(r"\\?\UNC\s\h\x")), Some(12));
        assert!(is_root(&wide(r"\\s\h")) && !is_root(&wide("C:")) && is_root(&wide(r"C:\")));
    }
}
