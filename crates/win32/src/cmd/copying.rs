//! `copy`, `move`, `ren`.

use std::path::{Path, PathBuf};

use plat_host::file::{File, Open};
use plat_host::file_path::{self, Kind, Status};

use super::commands::SYNTAX;
use super::file_commands::Arguments;
use super::files::{self, Wanted};
use super::shell::{Flow, Io, Shell, unquote, words};
use crate::Win32Error;
use crate::nt::path::status_of;

/// Tells how many were copied or moved, to a person at a terminal only. Windows tells it everywhere; Wine nowhere, and
/// what programs were recorded to do with `cmd /c copy` was recorded there.
fn tell_count(shell: &Shell, io: &Io, count: usize, what: &str) {
    if io.streams[1].as_ref().is_some_and(|file| file.is_terminal()) {
        shell.out(io, &format!("{count:>9} {what}.\n"));
    }
}

fn is_directory(path: &Path) -> bool {
    Status::of_path(path, true).is_ok_and(|status| status.kind == Kind::Directory)
}

/// Returns the pattern in a target's last name filled in from a source's name: `*.bak` of `a.txt` is `a.bak`.
fn fill(pattern: &str, name: &str) -> String {
    if !pattern.contains(['*', '?']) {
        return pattern.to_owned();
    }
    let (mut out, source) = (String::new(), name.chars().collect::<Vec<_>>());
    let mut at = 0;
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' => match rest.peek() {
                None => {
                    out.extend(&source[at.min(source.len())..]);
                    at = source.len();
                }
                Some(&next) => {
                    let tail = &source[at.min(source.len())..];
                    let end = tail.iter().rposition(|&c| c.eq_ignore_ascii_case(&next)).unwrap_or(tail.len());
                    out.extend(&tail[..end]);
                    at += end;
                }
            },
            '?' => {
                out.extend(source.get(at).filter(|&&c| c != '.'));
                at += 1;
            }
            '.' => {
                out.push('.');
                let dot = source.iter().skip(at.min(source.len())).position(|&c| c == '.');
                at = dot.map_or(source.len(), |dot| at + dot + 1);
            }
            c => {
                out.push(c);
                at += 1;
            }
        }
    }
    out.trim_end_matches('.').to_owned()
}

/// The files of a source: `a+b` is several, a pattern all that it matches, a directory all in it.
fn sources(shell: &Shell, name: &str) -> Result<Vec<(String, PathBuf)>, Win32Error> {
    let pattern = match shell.locate(name) {
        Ok((path, true)) if is_directory(&path) => format!("{}\\*", name.trim_end_matches('\\')),
        _ => name.to_owned(),
    };
    if !pattern.contains(['*', '?']) {
        if pattern.eq_ignore_ascii_case("nul") {
            return Ok(vec![(pattern, PathBuf::from("/dev/null"))]);
        }
        if pattern.eq_ignore_ascii_case("con") {
            return Ok(vec![(pattern, PathBuf::from("/dev/stdin"))]);
        }
        let (path, exists) = shell.locate(&pattern)?;
        return if exists { Ok(vec![(pattern, path)]) } else { Err(Win32Error::FILE_NOT_FOUND) };
    }
    let folder = files::split_folder(&pattern).0.to_owned();
    let found = files::found(shell, &pattern, Wanted::Files);
    if found.is_empty() {
        return Err(Win32Error::FILE_NOT_FOUND);
    }
    Ok(found.into_iter().map(|entry| (format!("{folder}{}", entry.name), entry.unix)).collect())
}

/// Copies a file's bytes; the target is emptied first unless `appends`.
pub(crate) fn copy_bytes(from: &Path, to: &Path, appends: bool) -> Result<(), Win32Error> {
    let source = File::open(from, Open { read: true, ..Open::default() }).map_err(status_of)?;
    let status = source.status().map_err(status_of)?;
    if status.kind == Kind::Directory {
        return Err(Win32Error::ACCESS_DENIED);
    }
    let how =
        Open { write: true, create: true, append: appends, mode: status.mode & 0o777, ..Open::default() };
    let target = File::open(to, how).map_err(status_of)?;
    if !appends {
        // A device has no size.
        let _ = target.set_size(0);
    }
    let mut piece = vec![0; 64 * 1024];
    loop {
        match source.read(&mut piece, None).map_err(status_of)? {
            0 => break,
            count => target.write(&piece[..count], None).map_err(status_of)?,
        }
    }
    if !appends && status.kind == Kind::Regular {
        let _ = target.set_times(None, Some(status.written));
    }
    Ok(())
}

/// Copies files, or joins them: `copy a+b c`.
pub(super) fn copy(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    // A plus sign joins wherever blanks stand around it.
    let spaced = rest.replace('+', " + ");
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut joins = false;
    for word in words(&spaced) {
        match word.as_str() {
            option if option.starts_with('/') => {}
            "+" => joins = true,
            name => {
                match groups.last_mut() {
                    Some(group) if joins => group.push(unquote(name)),
                    _ => groups.push(vec![unquote(name)]),
                }
                joins = false;
            }
        }
    }
    let (from, to) = match groups.as_slice() {
        [from] => (from.clone(), ".".to_owned()),
        [from, to] if to.len() == 1 => (from.clone(), to[0].clone()),
        _ => return shell.fail(io, 1, SYNTAX),
    };
    if let [only] = from.as_slice() { copy_each(shell, only, &to, io) } else { join(shell, &from, &to, io) }
}

/// Where a target leads: a directory, or a name whose pattern is filled in.
fn target_of(shell: &Shell, to: &str, source: &str) -> Result<PathBuf, Win32Error> {
    let name = files::split_folder(source).1;
    if to.eq_ignore_ascii_case("nul") {
        return Ok(PathBuf::from("/dev/null"));
    }
    if to.eq_ignore_ascii_case("con") {
        return Ok(PathBuf::from("/dev/stdout"));
    }
    let bare = to.trim_end_matches(['\\', '/']);
    let bare = if bare.is_empty() || bare.ends_with(':') { to } else { bare };
    let wants_directory = to.ends_with(['\\', '/']);
    match shell.locate(bare) {
        Ok((path, true)) if is_directory(&path) => {
            Ok(shell.locate(&format!("{}\\{name}", to.trim_end_matches(['\\', '/'])))?.0)
        }
        _ if wants_directory => Err(Win32Error::PATH_NOT_FOUND),
        _ => {
            let (folder, last) = files::split_folder(to);
            Ok(shell.locate(&format!("{folder}{}", fill(last, name)))?.0)
        }
    }
}

fn copy_each(shell: &mut Shell, from: &str, to: &str, io: &Io) -> Flow {
    let list = match sources(shell, from) {
        Ok(list) => list,
        Err(error) => return shell.fail_with(io, error),
    };
    let shows = list.len() > 1 || from.contains(['*', '?']);
    let to_is_file = target_of(shell, to, "a").ok() == target_of(shell, to, "b").ok();
    let mut count = 0;
    for (name, path) in &list {
        if shows {
            shell.out(io, &format!("{name}\n"));
        }
        let appends = shows && to_is_file && count > 0;
        match target_of(shell, to, name) {
            Ok(target)
                if file_path::resolved(&target).ok() == file_path::resolved(path).ok() && target.exists() =>
            {
                shell.fail(io, 1, "The file cannot be copied onto itself.\n");
                break;
            }
            Ok(target) => match copy_bytes(path, &target, appends) {
                Ok(()) => count += 1,
                Err(error) => {
                    shell.fail_with(io, error);
                }
            },
            Err(error) => {
                shell.fail_with(io, error);
                break;
            }
        }
    }
    let copied = if shows && to_is_file { count.min(1) } else { count };
    tell_count(shell, io, copied, "file(s) copied");
    Flow::Next
}

fn join(shell: &mut Shell, from: &[String], to: &str, io: &Io) -> Flow {
    let mut list = Vec::new();
    for name in from {
        // A source that is not there is left out, as long as there is one at all.
        list.extend(sources(shell, name).unwrap_or_default());
    }
    let Some(first) = list.first() else { return shell.fail_with(io, Win32Error::FILE_NOT_FOUND) };
    // Without a target the first file grows.
    let target = if to == "." { Ok(first.1.clone()) } else { target_of(shell, to, &first.0) };
    let target = match target {
        Ok(target) => target,
        Err(error) => return shell.fail_with(io, error),
    };
    for (index, (name, path)) in list.iter().enumerate() {
        shell.out(io, &format!("{name}\n"));
        if *path == target {
            continue;
        }
        let appends = index > 0 || list.iter().any(|other| other.1 == target);
        if let Err(error) = copy_bytes(path, &target, appends) {
            return shell.fail_with(io, error);
        }
    }
    tell_count(shell, io, 1, "file(s) copied");
    Flow::Next
}

/// Moves files, or renames a directory.
pub(super) fn move_files(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let arguments = Arguments::of(rest);
    let (from, to) = match arguments.names.as_slice() {
        [from] => (from.as_str(), "."),
        [from, to] => (from.as_str(), to.as_str()),
        _ => return shell.fail(io, 1, SYNTAX),
    };
    if !from.contains(['*', '?'])
        && let Ok((path, true)) = shell.locate(from)
        && is_directory(&path)
    {
        let moved = target_of(shell, to, from)
            .and_then(|target| Ok(file_path::rename(&path, &target, false).map_err(status_of)?));
        return match moved {
            Ok(()) => {
                tell_count(shell, io, 1, "dir(s) moved");
                Flow::Next
            }
            Err(error) => shell.fail_with(io, error),
        };
    }
    let list = match sources(shell, from) {
        Ok(list) => list,
        Err(error) => return shell.fail_with(io, error),
    };
    let shows = from.contains(['*', '?']);
    let mut count = 0;
    for (name, path) in &list {
        if shows {
            shell.out(io, &format!("{}\n", files::full(shell, name)));
        }
        let moved = target_of(shell, to, name).and_then(|target| move_file(path, &target));
        match moved {
            Ok(()) => count += 1,
            Err(error) => {
                shell.fail_with(io, error);
            }
        }
    }
    tell_count(shell, io, count, "file(s) moved");
    Flow::Next
}

pub(crate) fn move_file(from: &Path, to: &Path) -> Result<(), Win32Error> {
    match file_path::rename(from, to, true) {
        Err(file_path::Errno::OTHER_DEVICE) => {
            copy_bytes(from, to, false)?;
            Ok(file_path::remove_file(from).map_err(status_of)?)
        }
        other => Ok(other.map_err(status_of)?),
    }
}

/// Renames files in their directory.
pub(super) fn rename(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let arguments = Arguments::of(rest);
    let [from, to] = arguments.names.as_slice() else { return shell.fail(io, 1, SYNTAX) };
    if to.contains(['\\', '/', ':']) {
        return shell.fail(io, 1, SYNTAX);
    }
    let folder = files::split_folder(from).0;
    let found = files::found(shell, from, Wanted::Any);
    if found.is_empty() {
        return shell.fail_with(io, Win32Error::FILE_NOT_FOUND);
    }
    for entry in found {
        let renamed =
            shell.locate(&format!("{folder}{}", fill(to, &entry.name))).and_then(|(target, exists)| {
                // Another spelling of the same name is no other file.
                if exists && file_path::resolved(&target).ok() != file_path::resolved(&entry.unix).ok() {
                    return Err(Win32Error::ALREADY_EXISTS);
                }
                let target = entry.unix.with_file_name(crate::logic::path::wide_to_unix_name(
                    &super::shell::wide(&fill(to, &entry.name)),
                ));
                Ok(file_path::rename(&entry.unix, &target, true).map_err(status_of)?)
            });
        match renamed {
            Ok(()) => {}
            Err(Win32Error::ALREADY_EXISTS) => {
                let text = "A duplicate file name exists, or the file\ncannot be found.\n";
                shell.fail(io, 1, text);
            }
            Err(error) => {
                shell.fail_with(io, error);
            }
        }
    }
    Flow::Next
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn patterns_are_filled_from_names() {
        for (pattern, name, expected) in [
            ("*.bak", "a.txt", "a.bak"),
            ("*", "a.txt", "a.txt"),
            ("x*", "abc.txt", "xbc.txt"),
            ("b.*", "a.txt", "b.txt"),
            ("?x*.*", "abc.txt", "axc.txt"),
            ("plain", "a.txt", "plain"),
            ("*.", "a.txt", "a"),
        ] {
            assert_eq!(fill(pattern, name), expected, "{pattern} of {name}");
        }
    }
}
