//! Paths: Win32 path → full path → Unix path, and back.
//!
//! `Z:\` is `/`; `C:\` is a folder given by the caller. A path keeps its Win32 spelling as UTF-16 until the last step,
//! where `unix` turns names into bytes and `lookup` finds the spelling that the directory really has.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/io/file-path-formats>,
//! <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>

mod lookup;
mod unix;

pub use lookup::{DirectorySource, Found, find};
use unix::push_unix_name;
pub use unix::{unix_name_to_wide, wide_to_unix_name};

use super::status::Win32Error;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The longest path in UTF-16 units, terminator included, that a call without `\\?\` takes.
pub const MAX_PATH: usize = 260;

pub(super) const SLASH: u16 = b'/' as u16;
pub(super) const BACKSLASH: u16 = b'\\' as u16;
pub(super) const COLON: u16 = b':' as u16;
pub(super) const DOT: u16 = b'.' as u16;
pub(super) const SPACE: u16 = b' ' as u16;
const QUESTION: u16 = b'?' as u16;

/// What a process's paths are relative to.
pub trait PathContext {
    /// Returns the current directory as a full Win32 path: `Z:\home\me`, with or without a last backslash.
    fn current_directory(&self) -> Vec<u16>;
    /// Returns the current directory of another drive (the variable `=X:`); its root by default.
    fn drive_directory(&self, drive: u8) -> Vec<u16> {
        vec![u16::from(drive), COLON, BACKSLASH]
    }
}

/// The form of a Win32 path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathForm {
    /// `Z:\foo`
    DriveAbsolute,
    /// `Z:foo`
    DriveRelative,
    /// `\foo`
    Rooted,
    /// `foo`
    Relative,
    /// `\\server\share`
    Unc,
    /// `\\.\foo` or `\\?\foo` with any slashes: normalised like an ordinary path.
    LocalDevice,
    /// `\\?\foo`, exactly so: taken as it stands.
    Verbatim,
}

/// A DOS device that is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// `NUL`
    Null,
    /// `CON`: input or output, by the access wanted.
    Console,
    /// `CONIN$`
    ConsoleInput,
    /// `CONOUT$`
    ConsoleOutput,
    /// `\\.\MountPointManager`: tells which drive a volume is.
    MountManager,
    /// `COM1`…`COM9`, `LPT1`…`LPT9`, `AUX`, `PRN`: recognised, never there.
    Absent,
}

/// What a Win32 path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A device.
    Device(Device),
    /// A file or directory.
    File {
        /// The full Win32 path, `Z:\foo\bar`.
        full: Vec<u16>,
        /// The Unix path in the spelling given; [`find`] makes it the spelling on disk.
        unix: PathBuf,
        /// Whether the path ended in a backslash, so that only a directory will do.
        wants_directory: bool,
    },
}

/// Where the drives lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drives {
    /// The Unix directory of `C:\`, if there is one.
    pub c: Option<PathBuf>,
}

/// Returns the form of a path (`RtlDetermineDosPathNameType_U`).
pub fn form(path: &[u16]) -> PathForm {
    match path {
        [BACKSLASH, BACKSLASH, QUESTION, BACKSLASH, ..] => PathForm::Verbatim,
        // The NT prefix is taken as it stands, too.
        [BACKSLASH, QUESTION, QUESTION, BACKSLASH, ..] => PathForm::Verbatim,
        [a, b, DOT | QUESTION, c, ..] if is_slash(*a) && is_slash(*b) && is_slash(*c) => {
            PathForm::LocalDevice
        }
        [a, b, DOT | QUESTION] if is_slash(*a) && is_slash(*b) => PathForm::LocalDevice,
        [a, b, ..] if is_slash(*a) && is_slash(*b) => PathForm::Unc,
        [a, ..] if is_slash(*a) => PathForm::Rooted,
        [_, COLON, c, ..] if is_slash(*c) => PathForm::DriveAbsolute,
        [_, COLON, ..] => PathForm::DriveRelative,
        _ => PathForm::Relative,
    }
}

/// Returns the full path, as `GetFullPathNameW` does: `NUL` becomes `\\.\NUL`, `\\?\` paths keep their prefix.
///
/// # Errors
/// [`Win32Error::INVALID_NAME`] for an empty path or one with a NUL.
pub fn full_path(path: &[u16], context: &impl PathContext) -> Result<Vec<u16>, Win32Error> {
    if path.is_empty() || path.contains(&0) || path.iter().all(|&unit| unit == SPACE) {
        return Err(Win32Error::INVALID_NAME);
    }
    if let Some(name) = device_name(path) {
        return Ok([wide(r"\\.\"), name.to_vec()].concat());
    }
    let under = |directory: Vec<u16>, rest: &[u16]| match rest {
        [] => directory,
        _ => [&directory, [BACKSLASH].as_slice(), rest].concat(),
    };
    let joined = match form(path) {
        PathForm::Verbatim => return Ok(path.to_vec()),
        PathForm::DriveAbsolute if is_normal(path) => return Ok(path.to_vec()),
        PathForm::LocalDevice => [wide(r"\\.\").as_slice(), path.get(4..).unwrap_or(&[])].concat(),
        PathForm::DriveAbsolute | PathForm::Unc => path.to_vec(),
        PathForm::Rooted => {
            [&context.current_directory()[..2.min(context.current_directory().len())], path].concat()
        }
        PathForm::Relative => under(context.current_directory(), path),
        PathForm::DriveRelative => {
            let current = context.current_directory();
            let is_current = current.first().is_some_and(|&unit| same_letter(unit, path[0]));
            let directory =
                if is_current { current } else { context.drive_directory(path[0].min(0x7f) as u8) };
            under(directory, &path[2..])
        }
    };
    Ok(normalize(&joined))
}

/// Resolves a Win32 path to what it names.
///
/// # Errors
/// - [`Win32Error::INVALID_NAME`]: empty, a NUL, a character that no Windows file name may have, an unknown device
/// - [`Win32Error::FILENAME_EXCED_RANGE`]: longer than [`MAX_PATH`] without `\\?\`, when `limit_length` is set
/// - [`Win32Error::PATH_NOT_FOUND`]: a drive that is not there
/// - [`Win32Error::BAD_NETPATH`]: a UNC path
pub fn resolve(
    path: &[u16],
    context: &impl PathContext,
    drives: &Drives,
    limit_length: bool,
) -> Result<Target, Win32Error> {
    let full = full_path(path, context)?;
    let is_device = matches!(form(&full), PathForm::Verbatim | PathForm::LocalDevice);
    let local = if is_device { &full[4..] } else { full.as_slice() };
    if is_device && let Some(device) = device(local).or_else(|| mount_manager(local)) {
        return Ok(Target::Device(device));
    }
    if limit_length && form(&full) != PathForm::Verbatim && full.len() >= MAX_PATH {
        return Err(Win32Error::FILENAME_EXCED_RANGE);
    }
    let is_unc_device =
        is_device && local.len() >= 4 && String::from_utf16_lossy(&local[..4]).eq_ignore_ascii_case(r"UNC\");
    if form(&full) == PathForm::Unc || is_unc_device {
        return Err(Win32Error::BAD_NETPATH);
    }
    if form(local) != PathForm::DriveAbsolute {
        return Err(Win32Error::INVALID_NAME);
    }
    let mut unix = drive_root(local[0], drives, local.len())?;
    for name in local[3..].split(|&unit| unit == BACKSLASH).filter(|name| !name.is_empty()) {
        check_name(name)?;
        if unix.last() != Some(&b'/') {
            unix.push(b'/');
        }
        push_unix_name(&mut unix, name);
    }
    let unix = PathBuf::from(OsString::from_vec(unix));
    let wants_directory = local.last() == Some(&BACKSLASH);
    let full = if is_device { local.to_vec() } else { full };
    Ok(Target::File { full, unix, wants_directory })
}

/// Returns the NT path (`\??\Z:\foo`) for a full Win32 path.
pub fn nt_path(full: &[u16]) -> Vec<u16> {
    match form(full) {
        PathForm::Verbatim | PathForm::LocalDevice => {
            [wide(r"\??\").as_slice(), full.get(4..).unwrap_or(&[])].concat()
        }
        PathForm::Unc => [wide(r"\??\UNC").as_slice(), &full[1..]].concat(),
        _ => [wide(r"\??\").as_slice(), full].concat(),
    }
}

/// Returns the Win32 path for a Unix path: under `C:\` when it lies in that folder, else under `Z:\`.
pub fn unix_to_win32(unix: &Path, drives: &Drives) -> Vec<u16> {
    let in_c = drives.c.as_ref().and_then(|root| unix.strip_prefix(root).ok());
    let (letter, rest) = match in_c {
        Some(rest) => (b'C', rest),
        None => (b'Z', unix.strip_prefix("/").unwrap_or(unix)),
    };
    let mut path = vec![u16::from(letter), COLON];
    for name in rest.components() {
        path.push(BACKSLASH);
        path.extend(unix_name_to_wide(name.as_os_str()));
    }
    if path.len() == 2 {
        path.push(BACKSLASH);
    }
    path
}

/// Says whether [`normalize`] would leave a path with a drive as it is; most are so.
fn is_normal(path: &[u16]) -> bool {
    let mut before = COLON;
    let is_end = |unit| matches!(unit, BACKSLASH | DOT | SPACE);
    let is_odd = |&unit: &u16| {
        let odd = unit == SLASH || (unit == BACKSLASH && is_end(before));
        before = unit;
        odd
    };
    !path.iter().any(is_odd) && !matches!(path.last(), Some(&(DOT | SPACE)))
}

/// Makes slashes backslashes, resolves `.` and `..`, strips trailing dots and spaces. `path` is absolute.
fn normalize(path: &[u16]) -> Vec<u16> {
    let path: Vec<u16> = path.iter().map(|&unit| if unit == SLASH { BACKSLASH } else { unit }).collect();
    let root = root_length(&path);
    let mut parts: Vec<&[u16]> = Vec::new();
    let names: Vec<&[u16]> = path[root..].split(|&unit| unit == BACKSLASH).collect();
    for (at, name) in names.iter().enumerate() {
        let is_last = at + 1 == names.len();
        // Windows strips spaces and all dots from the last name, and one dot from the others.
        let stripped = match name {
            [DOT, DOT] | [DOT] => name,
            _ if is_last => trim_end(name, &[DOT, SPACE]),
            [head @ .., DOT] if head.last() != Some(&DOT) => head,
            _ => name,
        };
        match stripped {
            [] | [DOT] => {}
            [DOT, DOT] => drop(parts.pop()),
            _ => parts.push(stripped),
        }
    }
    let ends_in_slash = path.last() == Some(&BACKSLASH) && path.len() > root;
    // A last `.` or `..` may have left a name last that was not when it was read.
    while !ends_in_slash && let Some(last) = parts.last_mut() {
        *last = trim_end(last, &[DOT, SPACE]);
        if !last.is_empty() {
            break;
        }
        parts.pop();
    }
    let mut full = path[..root].to_vec();
    if full.last() != Some(&BACKSLASH) && !parts.is_empty() {
        full.push(BACKSLASH);
    }
    full.extend(parts.join(&BACKSLASH));
    if ends_in_slash && !parts.is_empty() {
        full.push(BACKSLASH);
    }
    full
}

/// Returns the length of the part that `..` cannot leave: `Z:\`, `\\server\share`, `\\.\`.
fn root_length(path: &[u16]) -> usize {
    match form(path) {
        PathForm::DriveAbsolute => 3,
        PathForm::LocalDevice if form(&path[4.min(path.len())..]) == PathForm::DriveAbsolute => 7,
        PathForm::LocalDevice => 4.min(path.len()),
        PathForm::Unc => {
            let mut separators = (2..path.len()).filter(|&at| path[at] == BACKSLASH);
            separators.nth(1).unwrap_or(path.len())
        }
        _ => 0,
    }
}

/// Returns the device part of a plain path that names a device, as `RtlIsDosDeviceName_U` does.
///
/// Since Windows 11 a device name counts only when it is the whole path (`C:\x\nul.txt` is a file), except `NUL`,
/// which counts in any directory.
fn device_name(path: &[u16]) -> Option<&[u16]> {
    let form = form(path);
    if matches!(form, PathForm::Verbatim | PathForm::LocalDevice | PathForm::Unc) {
        return None;
    }
    let start = path.iter().rposition(|&unit| is_slash(unit) || unit == COLON).map_or(0, |at| at + 1);
    let is_whole = start == 0;
    // `NUL:` is an old spelling of the device.
    let whole_path = path.strip_suffix(&[COLON]).filter(|head| !head.contains(&COLON));
    let name = trim_end(whole_path.unwrap_or(&path[start..]), &[SPACE, DOT]);
    match device(name)? {
        Device::Null => Some(name),
        _ if is_whole || whole_path.is_some() => Some(name),
        _ => None,
    }
}

/// Returns the mount manager by its name, case ignored: there only below `\\.\` and `\??\`.
fn mount_manager(name: &[u16]) -> Option<Device> {
    let is_it = || String::from_utf16_lossy(name).eq_ignore_ascii_case("MountPointManager");
    (name.len() == 17 && is_it()).then_some(Device::MountManager)
}

/// Returns the device with exactly this name, case ignored.
fn device(name: &[u16]) -> Option<Device> {
    // The initials of the devices; most names end here.
    let initial = u8::try_from(*name.first()?).ok()?.to_ascii_uppercase();
    if name.len() > 7 || !matches!(initial, b'N' | b'C' | b'A' | b'P' | b'L') {
        return None;
    }
    let upper = String::from_utf16(name).ok()?.to_ascii_uppercase();
    Some(match upper.as_str() {
        "NUL" => Device::Null,
        "CON" => Device::Console,
        "CONIN$" => Device::ConsoleInput,
        "CONOUT$" => Device::ConsoleOutput,
        "AUX" | "PRN" => Device::Absent,
        _ => {
            let number = upper.strip_prefix("COM").or(upper.strip_prefix("LPT"))?;
            if !matches!(number.as_bytes(), [b'1'..=b'9']) {
                return None;
            }
            Device::Absent
        }
    })
}

/// Returns the bytes of a drive's Unix path, with room for a name of so many units.
fn drive_root(letter: u16, drives: &Drives, units: usize) -> Result<Vec<u8>, Win32Error> {
    let root = match u8::try_from(letter).map(|letter| letter.to_ascii_uppercase()) {
        Ok(b'Z') => b"/".as_slice(),
        Ok(b'C') => drives.c.as_ref().ok_or(Win32Error::PATH_NOT_FOUND)?.as_os_str().as_bytes(),
        _ => return Err(Win32Error::PATH_NOT_FOUND),
    };
    let mut bytes = Vec::with_capacity(root.len() + units);
    bytes.extend_from_slice(root);
    Ok(bytes)
}

/// Refuses names that Windows refuses. A colon would name a stream, which no Unix file has.
fn check_name(name: &[u16]) -> Result<(), Win32Error> {
    let is_forbidden = |&unit: &u16| {
        let byte = u8::try_from(unit).unwrap_or(b'a');
        byte < b' ' || matches!(byte, b'<' | b'>' | b':' | b'"' | b'|' | b'?' | b'*' | b'/')
    };
    // Under `\\?\` the names `.` and `..` arrive here unresolved; no Windows file has them.
    let is_dots = matches!(name, [DOT] | [DOT, DOT]);
    if is_dots || name.iter().any(is_forbidden) { Err(Win32Error::INVALID_NAME) } else { Ok(()) }
}

fn same_letter(a: u16, b: u16) -> bool {
    super::nls::case::upcase(a) == super::nls::case::upcase(b)
}

fn is_slash(unit: u16) -> bool {
    unit == SLASH || unit == BACKSLASH
}

fn trim_end<'a>(name: &'a [u16], set: &[u16]) -> &'a [u16] {
    let kept = name.iter().rposition(|unit| !set.contains(unit)).map_or(0, |at| at + 1);
    &name[..kept]
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[cfg(test)]
mod tests;
