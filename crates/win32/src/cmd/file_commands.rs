//! `type`, `del`, `md`, `rd`, `mklink`.

use std::path::Path;

use plat_host::file_path::{Kind, Status};
use plat_host::{directory, file_path};

use super::commands::SYNTAX;
use super::files::{self, Wanted};
use super::shell::{Flow, Io, Shell, unquote, words};
use crate::Win32Error;
use crate::nt::path::status_of;

/// The words of a command: options (letters after `/`, in lower case) and names.
pub(super) struct Arguments {
    /// Options with what stands behind them.
    pub(super) options: Vec<String>,
    /// Names without quotes.
    pub(super) names: Vec<String>,
}

impl Arguments {
    /// Splits the text behind a command; options may follow each other without blanks (`/s/q`).
    pub(super) fn of(text: &str) -> Self {
        let (mut options, mut names) = (Vec::new(), Vec::new());
        for word in words(text) {
            match word.strip_prefix('/') {
                Some(rest) => options.extend(rest.split('/').map(str::to_ascii_lowercase)),
                None if !word.starts_with('"') && word.contains('/') && !word.contains(['\\', ':']) => {
                    // `dir/b` and `a.txt/y`: a name, then options. Names with Unix slashes stay whole.
                    names.push(unquote(&word));
                }
                None => names.push(unquote(&word)),
            }
        }
        Self { options, names }
    }

    /// Says whether an option is there.
    pub(super) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|other| other == option)
    }
}

/// Shows files.
pub(super) fn type_files(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let arguments = Arguments::of(rest);
    if arguments.names.is_empty() {
        return match &io.streams[0] {
            // `more` shows its input.
            Some(_) if rest.trim().is_empty() => copy_input(io),
            _ => shell.fail(io, 1, SYNTAX),
        };
    }
    let several = arguments.names.len() > 1 || arguments.names.iter().any(|name| name.contains(['*', '?']));
    for name in &arguments.names {
        let names = if name.contains(['*', '?']) {
            files::matches(shell, name, Wanted::Files)
        } else {
            vec![name.clone()]
        };
        if names.is_empty() {
            shell.fail_with(io, Win32Error::FILE_NOT_FOUND);
        }
        for name in names {
            let found = files::read_named(shell, &name);
            match found {
                Err(error) => {
                    shell.fail_with(io, error);
                    if several {
                        shell.print(io, 2, &format!("Error occurred while processing: {name}.\n"));
                    }
                }
                Ok(bytes) => {
                    if several {
                        shell.print(io, 2, &format!("\n{name}\n\n\n"));
                    }
                    if let Some(file) = &io.streams[1] {
                        let _ = file.write(&bytes, None);
                    }
                }
            }
        }
    }
    Flow::Next
}

fn copy_input(io: &Io) -> Flow {
    let (Some(from), Some(to)) = (&io.streams[0], &io.streams[1]) else { return Flow::Next };
    let mut piece = vec![0; 64 * 1024];
    while let Ok(count) = from.read(&mut piece, None) {
        if count == 0 || to.write(&piece[..count], None).is_err() {
            break;
        }
    }
    Flow::Next
}

/// Deletes files.
pub(super) fn delete(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let arguments = Arguments::of(rest);
    if arguments.names.is_empty() {
        return shell.fail(io, 1, SYNTAX);
    }
    for name in &arguments.names {
        let is_directory = |name: &str| match shell.locate(name) {
            Ok((path, true)) => {
                Status::of_path(&path, true).is_ok_and(|status| status.kind == Kind::Directory)
            }
            _ => false,
        };
        // A directory stands for all files in it.
        let pattern =
            if is_directory(name) { format!("{}\\*", name.trim_end_matches('\\')) } else { name.clone() };
        let (folder, last) = files::split_folder(&pattern);
        let folders = if arguments.has("s") {
            let root = if folder.is_empty() { "." } else { folder };
            files::tree(shell, root).into_iter().map(|folder| folder + "\\").collect()
        } else {
            vec![folder.to_owned()]
        };
        let mut count = 0;
        for folder in folders {
            for entry in files::found(shell, &format!("{folder}{last}"), Wanted::Files) {
                count += 1;
                delete_one(shell, &entry, &folder, &arguments, io);
            }
        }
        if count == 0 {
            let path = files::full(shell, name);
            let text = format!("Could Not Find {path}\n");
            // That is no failure.
            shell.print(io, 2, &text);
        }
    }
    Flow::Next
}

fn delete_one(shell: &mut Shell, entry: &files::Entry, folder: &str, arguments: &Arguments, io: &Io) {
    if entry.status.is_read_only() && entry.status.kind == Kind::Regular && !arguments.has("f") {
        let path = files::full(shell, &format!("{folder}{}", entry.name));
        shell.print(io, 2, &format!("{path}\n"));
        shell.fail(io, 1, "Access is denied.\n");
        return;
    }
    if arguments.has("p") {
        let path = files::full(shell, &format!("{folder}{}", entry.name));
        shell.out(io, &format!("{path}, Delete (Y/N)? "));
        let answer = shell.read_line(io).unwrap_or_default();
        if !answer.to_lowercase().starts_with('y') {
            return;
        }
    }
    match file_path::remove_file(&entry.unix) {
        Ok(()) if arguments.has("s") && !arguments.has("q") => {
            let path = files::full(shell, &format!("{folder}{}", entry.name));
            shell.out(io, &format!("Deleted file - {path}\n"));
        }
        Ok(()) => {}
        Err(errno) => {
            shell.fail_with(io, status_of(errno).to_win32());
        }
    }
}

/// Makes directories with all on the way to them.
pub(super) fn make_directories(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let arguments = Arguments::of(rest);
    if arguments.names.is_empty() {
        return shell.fail(io, 1, SYNTAX);
    }
    for name in &arguments.names {
        match make_directory(shell, name.trim_end_matches(['\\', '/'])) {
            Ok(()) => {}
            Err(Win32Error::ALREADY_EXISTS | Win32Error::FILE_EXISTS) => {
                shell.fail(io, 1, &format!("A subdirectory or file {name} already exists.\n"));
            }
            Err(error) => {
                shell.fail_with(io, error);
                shell.print(io, 2, &format!("Error occurred while processing: {name}.\n"));
            }
        }
    }
    Flow::Next
}

pub(super) fn make_directory(shell: &Shell, name: &str) -> Result<(), Win32Error> {
    match shell.locate(name) {
        Ok((_, true)) => Err(Win32Error::ALREADY_EXISTS),
        Ok((path, false)) => Ok(directory::create(&path).map_err(status_of)?),
        Err(Win32Error::PATH_NOT_FOUND) => {
            let parent = files::split_folder(name).0.trim_end_matches(['\\', '/']);
            if parent.is_empty() || parent.ends_with(':') {
                return Err(Win32Error::PATH_NOT_FOUND);
            }
            make_directory(shell, parent)?;
            let (path, _) = shell.locate(name)?;
            Ok(directory::create(&path).map_err(status_of)?)
        }
        Err(error) => Err(error),
    }
}

/// Removes directories.
pub(super) fn remove_directories(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let arguments = Arguments::of(rest);
    if arguments.names.is_empty() {
        return shell.fail(io, 1, SYNTAX);
    }
    for name in &arguments.names {
        let (path, exists) = match shell.locate(name) {
            Ok(found) => found,
            Err(_) => {
                shell.fail(io, 3, "The system cannot find the path specified.\n");
                continue;
            }
        };
        if !exists {
            shell.fail_with(io, Win32Error::FILE_NOT_FOUND);
            shell.level = 2;
            continue;
        }
        if arguments.has("s") && !arguments.has("q") {
            shell.out(io, &format!("{name}, Are you sure (Y/N)? "));
            let answer = shell.read_line(io).unwrap_or_default();
            if !answer.to_lowercase().starts_with('y') {
                continue;
            }
        }
        let removed = if arguments.has("s") { remove_tree(&path) } else { remove_empty(&path) };
        if let Err(error) = removed {
            shell.fail_with(io, error);
            shell.level = error.0 as i32;
        }
    }
    Flow::Next
}

fn remove_empty(path: &Path) -> Result<(), Win32Error> {
    let status = Status::of_path(path, false).map_err(status_of)?;
    match status.kind {
        Kind::Directory => Ok(directory::remove(path).map_err(status_of)?),
        // A link to a directory goes; what it leads to stays.
        Kind::Link if path.is_dir() => Ok(file_path::remove_file(path).map_err(status_of)?),
        _ => Err(Win32Error::DIRECTORY),
    }
}

pub(crate) fn remove_tree(path: &Path) -> Result<(), Win32Error> {
    let status = Status::of_path(path, false).map_err(status_of)?;
    if status.kind != Kind::Directory {
        return remove_empty(path);
    }
    for name in directory::names(path).map_err(status_of)? {
        let inner = path.join(name);
        match Status::of_path(&inner, false) {
            Ok(status) if status.kind == Kind::Directory => remove_tree(&inner)?,
            _ => file_path::remove_file(&inner).map_err(status_of)?,
        }
    }
    Ok(directory::remove(path).map_err(status_of)?)
}

/// Makes symbolic links (`/d` for directories) and hard links (`/h`).
pub(super) fn make_link(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let arguments = Arguments::of(rest);
    let [link, target] = arguments.names.as_slice() else { return shell.fail(io, 1, SYNTAX) };
    let made = shell.locate(link).and_then(|(new, exists)| {
        if exists {
            return Err(Win32Error::ALREADY_EXISTS);
        }
        if arguments.has("h") {
            let (old, _) = shell.locate(target)?;
            return Ok(file_path::link(&old, &new).map_err(status_of)?);
        }
        let is_relative = !target.contains(':') && !target.starts_with(['\\', '/']);
        let old = if is_relative { target.replace('\\', "/").into() } else { shell.locate(target)?.0 };
        Ok(file_path::symlink(&old, &new).map_err(status_of)?)
    });
    match made {
        Err(error) => shell.fail_with(io, error),
        Ok(()) => {
            let (kind, arrow) =
                if arguments.has("h") { ("Hardlink", "<<===>>") } else { ("symbolic link", "<<===>>") };
            shell.out(io, &format!("{kind} created for {link} {arrow} {target}\n"));
            Flow::Next
        }
    }
}
