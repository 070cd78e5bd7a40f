//! `xcopy`: copies files and trees.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/xcopy>

use std::path::Path;

use plat_host::file_path::{self, Kind, Status};

use super::{split, text_of};
use crate::Win32Error;
use crate::cmd::copying::copy_bytes;
use crate::cmd::files::{self, Wanted};
use crate::cmd::shell::{Io, Shell};

/// What is asked for.
#[derive(Debug, Default)]
struct Wish {
    letters: Vec<String>,
    excluded: Vec<String>,
    source: String,
    target: String,
}

impl Wish {
    fn has(&self, letter: &str) -> bool {
        self.letters.iter().any(|other| other == letter)
    }
}

/// A copy under way.
struct Work<'a> {
    shell: &'a Shell,
    io: &'a Io,
    wish: &'a Wish,
    /// The last part of the source: a pattern.
    pattern: String,
    count: usize,
}

fn read(shell: &Shell, words: Vec<String>) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let mut names = Vec::new();
    for word in words {
        match word.strip_prefix('/') {
            Some(rest) if rest.to_ascii_lowercase().starts_with("exclude:") => {
                for name in rest["exclude:".len()..].split('+') {
                    let text = text_of(shell, name).map_err(|_| format!("Can't read file: {name}\n\n"))?;
                    wish.excluded.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_uppercase));
                }
            }
            Some(rest) => {
                let lower = rest.to_ascii_lowercase();
                for switch in lower.split('/').filter(|switch| !switch.is_empty()) {
                    let name = switch.split(':').next().unwrap_or(switch);
                    let known = "a m d p s e v w c i q f l g h r t u k n o x y -y z b j compress";
                    if !known.split(' ').any(|known| known == name) {
                        return Err(format!("Invalid switch - /{switch}\n"));
                    }
                    wish.letters.push(name.to_owned());
                }
            }
            None => names.push(word),
        }
    }
    let mut names = names.into_iter();
    wish.source = names.next().ok_or("Invalid number of parameters\n")?;
    wish.target = names.next().unwrap_or_else(|| ".".to_owned());
    if names.next().is_some() {
        return Err("Invalid number of parameters\n".to_owned());
    }
    Ok(wish)
}

fn is_folder(shell: &Shell, name: &str) -> bool {
    shell.locate(name).is_ok_and(|found| found.1 && found.0.is_dir())
}

/// Copies files and trees; 0 if all went well, 1 when there was nothing, 4 for a wrong line or source, 5 for a write that failed.
pub(super) fn run(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let wish = match read(shell, split(arguments)) {
        Ok(wish) => wish,
        Err(text) => {
            shell.print(io, 2, &text);
            return 4;
        }
    };
    let source = wish.source.trim_end_matches('\\').to_owned();
    let (folder, pattern, is_tree) = if is_folder(shell, &wish.source) {
        (
            if source.ends_with(':') { wish.source.clone() } else { format!("{source}\\") },
            "*".to_owned(),
            true,
        )
    } else {
        let (folder, last) = files::split_folder(&wish.source);
        (folder.to_owned(), last.to_owned(), last.contains(['*', '?']))
    };
    let below = wish.has("s") || wish.has("e");
    if !below && files::matches(shell, &format!("{folder}{pattern}"), Wanted::Files).is_empty() {
        shell.print(io, 2, &format!("File not found - {pattern}\n"));
        shell.out(io, "0 File(s) copied\n");
        return if is_tree { 0 } else { 4 };
    }
    let target = match target_folder(shell, &wish, is_tree || below, io) {
        Some(target) => target,
        None => return 4,
    };
    let mut work = Work { shell, io, wish: &wish, pattern, count: 0 };
    let result = match &target {
        Target::Folder(target) => work.folder(&folder, target),
        Target::File(name) => work.file(&wish.source, name),
    };
    let (count, verb) = (work.count, if wish.has("l") { "" } else { " copied" });
    shell.out(io, &format!("{count} File(s){verb}\n"));
    match result {
        Ok(()) => 0,
        Err(error) => {
            shell.fail_with(io, error);
            if error == Win32Error::ACCESS_DENIED { 5 } else { 4 }
        }
    }
}

enum Target {
    /// Into this folder, which ends with a backslash.
    Folder(String),
    /// To this file.
    File(String),
}

/// Decides what the target is; asks where it is not clear. `None` when nobody answers.
fn target_folder(shell: &Shell, wish: &Wish, is_many: bool, io: &Io) -> Option<Target> {
    let target = wish.target.trim_end_matches('\\');
    let folder = || Target::Folder(format!("{target}\\"));
    if wish.target.ends_with(['\\', ':']) || is_folder(shell, &wish.target) || is_many && wish.has("i") {
        return Some(folder());
    }
    if shell.locate(&wish.target).is_ok_and(|found| found.1) {
        return Some(Target::File(wish.target.clone()));
    }
    loop {
        let question = format!(
            "Does {} specify a file name\nor directory name on the target\n(F = file, D = directory)? ",
            wish.target
        );
        shell.out(io, &question);
        let answer = shell.read_line(io)?;
        shell.out(io, "\n");
        match answer.trim().chars().next().map(|c| c.to_ascii_uppercase()) {
            Some('F') => return Some(Target::File(wish.target.clone())),
            Some('D') => return Some(folder()),
            _ => {}
        }
    }
}

impl Work<'_> {
    fn is_excluded(&self, path: &str) -> bool {
        let path = files::full(self.shell, path).to_uppercase();
        self.wish.excluded.iter().any(|part| path.contains(part.as_str()))
    }

    fn folder(&mut self, from: &str, to: &str) -> Result<(), Win32Error> {
        for name in files::matches(self.shell, &format!("{from}{}", self.pattern), Wanted::Files) {
            let last = files::split_folder(&name).1;
            let to = format!("{to}{last}");
            if !self.wish.has("t") {
                self.file(&name, &to)?;
            }
        }
        if self.wish.has("e") || self.wish.has("t") {
            self.make(to)?;
        }
        if !self.wish.has("s") && !self.wish.has("e") {
            return Ok(());
        }
        for name in files::matches(self.shell, &format!("{from}*"), Wanted::Directories) {
            let last = files::split_folder(&name).1.to_owned();
            if !self.is_excluded(&format!("{name}\\")) {
                self.folder(&format!("{name}\\"), &format!("{to}{last}\\"))?;
            }
        }
        Ok(())
    }

    fn make(&self, folder: &str) -> Result<(), Win32Error> {
        if self.wish.has("l") || is_folder(self.shell, folder) {
            return Ok(());
        }
        crate::cmd::file_commands::make_directory(self.shell, folder.trim_end_matches('\\'))
    }

    fn file(&mut self, from: &str, to: &str) -> Result<(), Win32Error> {
        let (unix, _) = self.shell.locate(from)?;
        let status = Status::of_path(&unix, true).map_err(crate::nt::path::status_of)?;
        let existing = self.shell.locate(to).ok().filter(|found| found.1);
        let newer =
            |there: &Path| Status::of_path(there, true).map_or(true, |there| there.written < status.written);
        let is_wanted = match &existing {
            Some((there, _)) => !self.wish.has("d") || newer(there),
            None => !self.wish.has("u"),
        };
        if !is_wanted || self.is_excluded(from) {
            return Ok(());
        }
        if !self.wish.has("q") {
            let line = if self.wish.has("f") {
                format!("{} -> {}\n", files::full(self.shell, from), files::full(self.shell, to))
            } else {
                format!("{from}\n")
            };
            self.shell.out(self.io, &line);
        }
        self.count += 1;
        if self.wish.has("l") {
            return Ok(());
        }
        self.make(files::split_folder(to).0)?;
        let result = self.copy(&unix, to, status.mode);
        if self.wish.has("c") { Ok(()) } else { result }
    }

    fn copy(&self, from: &Path, to: &str, mode: u32) -> Result<(), Win32Error> {
        let (to, exists) = self.shell.locate(to)?;
        // /r writes over what is read-only.
        if exists && self.wish.has("r") {
            let _ = file_path::set_mode(&to, mode | 0o200);
        }
        copy_bytes(from, &to, false)?;
        // Without /k a copy is not read-only.
        if !self.wish.has("k") && Status::of_path(&to, true).is_ok_and(|made| made.kind == Kind::Regular) {
            let _ = file_path::set_mode(&to, mode | 0o200);
        }
        Ok(())
    }
}
