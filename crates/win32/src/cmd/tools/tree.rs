//! `tree` and `attrib`.

use plat_host::file_path::{self, Kind, Status};

use super::split;
use crate::cmd::files::{self, Entry, Wanted};
use crate::cmd::shell::{Io, Shell};

/// Shows a directory and what lies below it: `tree [folder] [/f] [/a]`.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/tree>
pub(super) fn show(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let words = split(arguments);
    let (switches, names): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|word| word.starts_with('/'));
    let has = |letter: &str| switches.iter().any(|word| word[1..].eq_ignore_ascii_case(letter));
    let root = names.first().map_or(".", |name| name.as_str());
    let full = files::full(shell, root);
    if files::entries(shell, &format!("{}\\", full.trim_end_matches('\\'))).is_none() {
        shell.out(io, &format!("Invalid path - {}\n", full.to_uppercase()));
        return 1;
    }
    let shown = if root == "." { format!("{}.", &full[..full.len().min(2)]) } else { full.to_uppercase() };
    let mut out = format!("Folder PATH listing\nVolume serial number is 0000-0000\n{shown}\n");
    let below = branch(shell, &full, "", (has("f"), has("a")), &mut out);
    if below == 0 {
        out.push_str("No subfolders exist \n\n");
    }
    shell.out(io, &out);
    0
}

/// Adds a directory's files and folders; returns how many folders there are.
fn branch(shell: &Shell, folder: &str, indent: &str, how: (bool, bool), out: &mut String) -> usize {
    let (shows_files, is_ascii) = how;
    let list = files::entries(shell, &format!("{}\\", folder.trim_end_matches('\\'))).unwrap_or_default();
    let (folders, plain): (Vec<&Entry>, Vec<&Entry>) =
        list.iter().partition(|entry| entry.status.kind == Kind::Directory);
    let bar = if is_ascii { '|' } else { '│' };
    if shows_files && !plain.is_empty() {
        let lead = if folders.is_empty() { ' ' } else { bar };
        for entry in &plain {
            out.push_str(&format!("{indent}{lead}   {}\n", entry.name));
        }
        out.push_str(&format!("{indent}{lead}   \n"));
    }
    for (at, entry) in folders.iter().enumerate() {
        let is_last = at + 1 == folders.len();
        let knot = match (is_last, is_ascii) {
            (false, false) => "├───",
            (true, false) => "└───",
            (false, true) => "+---",
            (true, true) => "\\---",
        };
        out.push_str(&format!("{indent}{knot}{}\n", entry.name));
        let inner = format!("{indent}{}   ", if is_last { ' ' } else { bar });
        branch(shell, &format!("{}\\{}", folder.trim_end_matches('\\'), entry.name), &inner, how, out);
    }
    folders.len()
}

/// Shows or sets attributes: `attrib [+r|-r] [+h|-h] … [names] [/s] [/d]`. Linux keeps whether a file is read-only.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/attrib>
pub(super) fn attrib(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let (mut read_only, mut changes, mut below, mut folders_too, mut names) =
        (None, false, false, false, Vec::new());
    for word in split(arguments) {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "+r" | "-r" => (read_only, changes) = (Some(lower == "+r"), true),
            "/s" => below = true,
            "/d" => folders_too = true,
            "/l" => {}
            _ if lower.starts_with(['+', '-']) => {
                if lower.len() != 2 || !lower.ends_with(['a', 's', 'h', 'o', 'i', 'x', 'p', 'u', 'b', 'v']) {
                    shell.print(io, 2, &format!("Parameter format not correct - {word}\n"));
                    return 1;
                }
                changes = true;
            }
            _ => names.push(word),
        }
    }
    if names.is_empty() {
        names.push("*".to_owned());
    }
    for name in names {
        // A folder that is named, not found by a pattern, counts.
        let wanted = if folders_too || !name.contains(['*', '?']) { Wanted::Any } else { Wanted::Files };
        let (folder, last) = files::split_folder(&name);
        let roots = if below {
            files::tree(shell, if folder.is_empty() { "." } else { folder })
        } else {
            vec![folder.trim_end_matches('\\').to_owned()]
        };
        let inside = |root: &String| match root.as_str() {
            "" if folder.is_empty() => last.to_owned(),
            root => format!("{root}\\{last}"),
        };
        let found: Vec<Entry> =
            roots.iter().flat_map(|root| files::found(shell, &inside(root), wanted)).collect();
        if found.is_empty() {
            shell.out(io, &format!("File not found - {name}\n"));
            continue;
        }
        for entry in found {
            if let Some(read_only) = read_only.filter(|_| entry.status.kind == Kind::Regular) {
                let mode = if read_only { entry.status.mode & !0o222 } else { entry.status.mode | 0o200 };
                if file_path::set_mode(&entry.unix, mode & 0o7777).is_err() {
                    shell.out(io, &format!("Access denied - {}\n", narrow_path(shell, &entry)));
                }
            }
            if !changes {
                shell.out(io, &line(&entry.status, &narrow_path(shell, &entry)));
            }
        }
    }
    0
}

fn narrow_path(shell: &Shell, entry: &Entry) -> String {
    crate::cmd::shell::narrow(&shell.files.win32_path(&entry.unix))
}

fn line(status: &Status, path: &str) -> String {
    let is_file = status.kind != Kind::Directory;
    let archive = if is_file { 'A' } else { ' ' };
    let read_only = if is_file && status.is_read_only() { 'R' } else { ' ' };
    format!("{archive}    {read_only}               {path}\n")
}
