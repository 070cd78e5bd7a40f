//! Names of files: parts of a path, what a pattern matches, times.

use std::path::{Path, PathBuf};

use plat_host::file::{File, Open};
use plat_host::file_path::{Kind, Status};

use super::expand::Modifiers;
use super::shell::{Shell, narrow, unquote, wide};
use crate::Win32Error;
use crate::logic::path::{Device, Target};
use crate::logic::time::{SystemTime, file_time_to_system_time, unix_to_file_time};
use crate::nt::process_create::path_folders;

/// What a pattern is to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Files.
    Files,
    /// Directories.
    Directories,
    /// Both.
    Any,
}

/// One name found in a directory.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The name.
    pub(super) name: String,
    /// Its Unix path.
    pub(super) unix: PathBuf,
    /// Its facts.
    pub(super) status: Status,
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path, Open { read: true, ..Open::default() }).ok()?;
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece, None).ok()? {
            0 => return Some(bytes),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// Reads a whole file by its Windows name; `NUL` is empty.
pub(super) fn read_named(shell: &Shell, name: &str) -> Result<Vec<u8>, Win32Error> {
    if let Target::Device(Device::Null) = shell.files.resolve(&wide(name))? {
        return Ok(Vec::new());
    }
    let (path, exists) = shell.locate(name)?;
    if exists { read(&path).ok_or(Win32Error::ACCESS_DENIED) } else { Err(Win32Error::FILE_NOT_FOUND) }
}

/// Splits a name into its folder, with the last backslash, and the rest.
pub(super) fn split_folder(name: &str) -> (&str, &str) {
    let at = name.rfind(['\\', '/', ':']).map_or(0, |at| at + 1);
    name.split_at(at)
}

/// Lists a directory, sorted by name without regard to case.
pub(super) fn entries(shell: &Shell, directory: &str) -> Option<Vec<Entry>> {
    let (path, exists) = shell.locate(if directory.is_empty() { "." } else { directory }).ok()?;
    if !exists {
        return None;
    }
    let mut found = Vec::new();
    for name in plat_host::directory::names(&path).ok()? {
        let unix = path.join(&name);
        if let Ok(status) = Status::of_path(&unix, true).or_else(|_| Status::of_path(&unix, false)) {
            let name = narrow(&crate::logic::path::unix_name_to_wide(&name));
            found.push(Entry { name, unix, status });
        }
    }
    found.sort_by_cached_key(|entry| (entry.name.to_lowercase(), entry.name.clone()));
    Some(found)
}

/// Lists what a name with a pattern in its last part matches.
pub(super) fn found(shell: &Shell, pattern: &str, wanted: Wanted) -> Vec<Entry> {
    let (folder, last) = split_folder(pattern);
    let mut list = entries(shell, folder).unwrap_or_default();
    list.retain(|entry| {
        let is_directory = entry.status.kind == Kind::Directory;
        let is_wanted = match wanted {
            Wanted::Files => !is_directory,
            Wanted::Directories => is_directory,
            Wanted::Any => true,
        };
        is_wanted && super::control::fits(&entry.name, last)
    });
    list
}

/// Returns the names that a pattern matches, with the pattern's folder before them.
pub(super) fn matches(shell: &Shell, pattern: &str, wanted: Wanted) -> Vec<String> {
    let (folder, _) = split_folder(pattern);
    found(shell, pattern, wanted).into_iter().map(|entry| format!("{folder}{}", entry.name)).collect()
}

/// Lists a directory and all below it, as full paths.
pub(super) fn tree(shell: &Shell, root: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut open = vec![full(shell, root)];
    while let Some(directory) = open.pop() {
        let inner = entries(shell, &format!("{}\\", directory.trim_end_matches('\\'))).unwrap_or_default();
        let folders = inner.iter().filter(|entry| entry.status.kind == Kind::Directory);
        let mut below: Vec<String> =
            folders.map(|entry| format!("{}\\{}", directory.trim_end_matches('\\'), entry.name)).collect();
        below.reverse();
        open.extend(below);
        list.push(directory);
    }
    list
}

/// Returns the full path of a name.
pub(super) fn full(shell: &Shell, name: &str) -> String {
    let full = shell.files.full_path(&wide(name)).map_or_else(|_| name.to_owned(), |full| narrow(&full));
    // A name that is there is shown as it is written there.
    let Ok((unix, true)) = shell.locate(&full) else { return full };
    let real = narrow(&shell.files.win32_path(&unix));
    let ends = full.ends_with('\\') && !real.ends_with('\\');
    if ends { real + "\\" } else { real }
}

/// Returns the parts of a file's name that modifiers ask for.
pub(super) fn parts(shell: &Shell, text: &str, modifiers: &Modifiers) -> String {
    let mut name = unquote(text);
    if let Some(variable) = &modifiers.search {
        let folders = path_folders(&wide(shell.get(variable).unwrap_or("")));
        let places = std::iter::once(name.clone())
            .chain(folders.iter().map(|folder| format!("{}\\{name}", narrow(folder).trim_end_matches('\\'))));
        let found = places.into_iter().find(|place| shell.locate(place).is_ok_and(|found| found.1));
        let Some(found) = found else { return String::new() };
        name = full(shell, &found);
    }
    let letters = modifiers.letters.as_str();
    if letters.is_empty() {
        return name;
    }
    if name.is_empty() {
        return name;
    }
    let of_batch = super::expand::Values::argument(shell, 0).filter(|zero| *zero == text);
    let path = match (of_batch, shell.batches.last()) {
        // `%~dp0` is the batch file itself, wherever it was found.
        (Some(_), Some(batch)) if !letters.is_empty() => batch.path.clone(),
        _ => full(shell, &name),
    };
    let (folder, last) = split_folder(&path);
    let dot = last.rfind('.').unwrap_or(last.len());
    let has = |letter: char| letters.contains(letter);
    let mut out = Vec::new();
    let status = shell.locate(&path).ok().filter(|found| found.1);
    let status = status.and_then(|found| Status::of_path(&found.0, true).ok());
    if has('a') {
        out.push(status.map_or(String::new(), |status| attributes(&status)));
    }
    if has('t') {
        out.push(status.map_or(String::new(), |status| stamp(status.written)));
    }
    if has('z') {
        out.push(status.map_or(String::new(), |status| status.size.to_string()));
    }
    let whole = has('f') || (has('s') && !["d", "p", "n", "x"].iter().any(|letter| letters.contains(letter)));
    let mut text = String::new();
    if whole {
        text.push_str(&path);
    } else {
        let drive = folder.len().min(2);
        for (letter, part) in
            [('d', &folder[..drive]), ('p', &folder[drive..]), ('n', &last[..dot]), ('x', &last[dot..])]
        {
            if has(letter) {
                text.push_str(part);
            }
        }
    }
    if !text.is_empty() || out.is_empty() {
        out.push(text);
    }
    out.join(" ")
}

fn attributes(status: &Status) -> String {
    let is_directory = status.kind == Kind::Directory;
    let read_only = !is_directory && status.is_read_only();
    format!("{}{}a------", if is_directory { 'd' } else { '-' }, if read_only { 'r' } else { '-' })
}

fn local(seconds: i64) -> Option<SystemTime> {
    let east = plat_host::clock::local_offset(seconds).seconds_east;
    file_time_to_system_time(unix_to_file_time(seconds + east, 0)).ok()
}

/// Shows a time as `dir` does: `11/21/2026  07:05 AM`.
pub(super) fn stamp((seconds, _): (i64, u32)) -> String {
    let Some(time) = local(seconds) else { return String::new() };
    let hour = match time.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let half = if time.hour < 12 { "AM" } else { "PM" };
    format!("{:02}/{:02}/{:04} {:02}:{:02} {half}", time.month, time.day, time.year, hour, time.minute)
}

/// Returns today as `%DATE%` shows it.
pub(super) fn date_now() -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let Some(time) = local(plat_host::clock::unix_time().0) else { return String::new() };
    let day = DAYS[usize::from(time.day_of_week) % 7];
    format!("{day} {:02}/{:02}/{:04}", time.month, time.day, time.year)
}

/// Returns the time as `%TIME%` shows it.
pub(super) fn time_now() -> String {
    let (seconds, nanoseconds) = plat_host::clock::unix_time();
    let Some(time) = local(seconds) else { return String::new() };
    format!("{:2}:{:02}:{:02}.{:02}", time.hour, time.minute, time.second, nanoseconds / 10_000_000)
}
