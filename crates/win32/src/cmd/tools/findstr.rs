//! `findstr`: lines with texts or patterns.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/findstr>

use super::pattern::{Pattern, has_meaning};
use super::{expand, input, split, text_of, value_of};
use crate::cmd::files::{self, Wanted};
use crate::cmd::shell::{Io, Shell};

/// What is asked for.
#[derive(Debug, Default)]
struct Wish {
    /// Letters of the switches without a value, in lower case.
    letters: String,
    /// Texts, and whether each is one by `/c:`.
    texts: Vec<String>,
    /// Whether a text came from `/c:`.
    is_whole: bool,
    names: Vec<String>,
    folders: Vec<String>,
}

impl Wish {
    fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    fn patterns(&self) -> Vec<Pattern> {
        let first = self.texts.first().map(String::as_str).unwrap_or("");
        let is_regular = self.has('r') || !self.has('l') && !self.is_whole && has_meaning(first);
        let make = if is_regular { Pattern::regular } else { Pattern::literal };
        let (begins, ends) = (self.has('b') || self.has('x'), self.has('e') || self.has('x'));
        self.texts.iter().map(|text| make(text, self.has('i')).tied(begins, ends)).collect()
    }
}

fn read(shell: &Shell, words: &[String], io: &Io) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let mut has_texts = false;
    for word in words {
        let Some(switch) = word.strip_prefix(['/', '-']).filter(|rest| !rest.is_empty()) else {
            if has_texts {
                wish.names.push(word.clone());
            } else {
                wish.texts.extend(word.split(' ').filter(|text| !text.is_empty()).map(str::to_owned));
                has_texts = true;
            }
            continue;
        };
        if let Some(text) = value_of(word, "c") {
            wish.texts.push(text.to_owned());
            (wish.is_whole, has_texts) = (true, true);
        } else if let Some(name) = value_of(word, "g") {
            let text = list(shell, name, io).ok_or_else(|| format!("FINDSTR: Cannot open {name}\n"))?;
            wish.texts.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
            has_texts = true;
        } else if let Some(name) = value_of(word, "f") {
            let text = list(shell, name, io).ok_or_else(|| format!("FINDSTR: Cannot open {name}\n"))?;
            wish.names.extend(text.lines().map(str::to_owned));
        } else if let Some(folders) = value_of(word, "d") {
            wish.folders = folders.split(';').map(str::to_owned).collect();
        } else if value_of(word, "a").is_some() || switch.to_ascii_lowercase().starts_with("off") {
        } else if let Some(wrong) = switch.chars().find(|c| !"beilmnoprsvx".contains(c.to_ascii_lowercase()))
        {
            shell.print(io, 2, &format!("FINDSTR: /{wrong} ignored\n"));
        } else {
            wish.letters.push_str(&switch.to_ascii_lowercase());
        }
    }
    if wish.texts.is_empty() {
        return Err("FINDSTR: No search strings\n".to_owned());
    }
    Ok(wish)
}

/// Reads a list of names or texts: a file, or standard input for `/`.
fn list(shell: &Shell, name: &str, io: &Io) -> Option<String> {
    if name == "/" { Some(shell.decode(&input(io))) } else { text_of(shell, name).ok() }
}

/// Returns the files to look into, and whether their names are shown.
fn places(shell: &Shell, wish: &Wish) -> (Vec<String>, bool) {
    let in_folders = |name: &String| match wish.folders.as_slice() {
        [] => vec![name.clone()],
        folders => {
            folders.iter().map(|folder| format!("{}\\{name}", folder.trim_end_matches('\\'))).collect()
        }
    };
    let names: Vec<String> = wish.names.iter().flat_map(in_folders).collect();
    let shows = names.len() > 1 || wish.has('s') || names.iter().any(|name| name.contains(['*', '?']));
    if !wish.has('s') {
        return (expand(shell, &names), shows);
    }
    let mut found = Vec::new();
    for name in &names {
        let (folder, last) = files::split_folder(name);
        let root = files::full(shell, if folder.is_empty() { "." } else { folder });
        let root = root.trim_end_matches('\\').to_owned();
        for below in files::tree(shell, &root) {
            let relative = below.strip_prefix(&root).unwrap_or(&below).trim_start_matches('\\');
            let dot = if relative.is_empty() { String::new() } else { format!("{relative}\\") };
            let inside =
                files::matches(shell, &format!("{}\\{last}", below.trim_end_matches('\\')), Wanted::Files);
            found.extend(inside.iter().map(|path| format!("{folder}{dot}{}", files::split_folder(path).1)));
        }
    }
    (found, shows)
}

/// Looks into a text; returns what to show, and whether anything was found.
fn look(wish: &Wish, patterns: &[Pattern], text: &str, label: &str) -> (String, bool) {
    let (mut out, mut found, mut offset) = (String::new(), false, 0);
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let has_end = line.ends_with('\r');
        let line = line.strip_suffix('\r').unwrap_or(line);
        let chars: Vec<char> = line.chars().collect();
        if patterns.iter().any(|pattern| pattern.is_in(&chars, has_end)) != wish.has('v') {
            found = true;
            if wish.has('m') {
                return (format!("{}\n", label.trim_end_matches(':')), true);
            }
            out.push_str(label);
            if wish.has('n') {
                out.push_str(&format!("{}:", number + 1));
            }
            if wish.has('o') {
                out.push_str(&format!("{offset}:"));
            }
            out.push_str(line);
            out.push('\n');
        }
        offset += whole.chars().count();
    }
    (out, found)
}

/// Shows lines with texts or patterns; 0 if there are some, 1 if not, 2 for a wrong line.
pub(super) fn run(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let wish = match read(shell, &split(arguments), io) {
        Ok(wish) => wish,
        Err(text) => {
            shell.print(io, 2, &text);
            return 2;
        }
    };
    let patterns = wish.patterns();
    let mut any = false;
    if wish.names.is_empty() {
        let mut text = shell.decode(&input(io));
        // The last line of a pipe gets the end that it lacks.
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str("\r\n");
        }
        let (out, found) = look(&wish, &patterns, &text, "");
        shell.out(io, &out);
        return i32::from(!found);
    }
    let (places, shows) = places(shell, &wish);
    for place in places {
        let Ok(text) = text_of(shell, &place) else {
            shell.print(io, 2, &format!("FINDSTR: Cannot open {place}\n"));
            continue;
        };
        let is_plain = |c: char| !c.is_control() || ['\t', '\r', '\n', '\u{c}', '\u{1a}'].contains(&c);
        if wish.has('p') && !text.chars().all(is_plain) {
            continue;
        }
        let label = if shows || wish.has('m') { format!("{place}:") } else { String::new() };
        let (out, found) = look(&wish, &patterns, &text, &label);
        any |= found;
        shell.out(io, &out);
    }
    i32::from(!any)
}
