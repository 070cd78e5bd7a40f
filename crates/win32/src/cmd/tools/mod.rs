//! Programs of `C:\Windows\System32` that are builtin, as the command interpreter is: plain Linux code that batch files
//! call. They run inside the interpreter, or as a process of their own where another program starts them.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/windows-commands>

mod fc;
mod findstr;
mod lines;
mod pattern;
mod robocopy;
mod system;
mod tasks;
mod tree;
mod xcopy;

pub(super) use system::code_page;

use super::files;
use super::listing::commas;
use super::shell::{Io, Shell, narrow, wide};
use crate::Win32Error;
use crate::logic::command_line;

/// What a tool is: it gets the text behind its name and returns its exit code.
type Tool = fn(&mut Shell, &str, &Io) -> i32;

/// The tools.
const TOOLS: &[(&str, Tool)] = &[
    ("attrib", tree::attrib),
    ("chcp", system::code_page),
    ("choice", system::choice),
    ("fc", fc::compare),
    ("find", lines::find),
    ("findstr", findstr::run),
    ("hostname", system::host_name),
    ("more", lines::more),
    ("reg", super::reg::run),
    ("robocopy", robocopy::run),
    ("sort", lines::sort),
    ("tasklist", tasks::list),
    ("taskkill", tasks::kill),
    ("timeout", system::timeout),
    ("tree", tree::show),
    ("where", system::where_is),
    ("whoami", system::who_am_i),
    ("xcopy", xcopy::run),
];

/// Finds a tool by its program's file name or path, with or without `.exe`.
pub(super) fn tool(program: &str) -> Option<(&'static str, Tool)> {
    let name = program.rsplit(['\\', '/']).next().unwrap_or(program).to_ascii_lowercase();
    let name = name.strip_suffix(".exe").or_else(|| name.strip_suffix(".com")).unwrap_or(&name);
    TOOLS.iter().find(|row| row.0 == name).copied()
}

/// The file of the tool that came last to plat: where it is missing, others may be. Whoever adds a tool names it here.
pub(crate) const NEWEST_FILE: &str = "reg.exe";

/// Returns the file names of all tools.
pub(crate) fn file_names() -> impl Iterator<Item = String> {
    TOOLS.iter().map(|row| {
        format!("{}.{}", row.0, if ["chcp", "more", "tree"].contains(&row.0) { "com" } else { "exe" })
    })
}

/// Splits arguments as C programs do.
fn split(text: &str) -> Vec<String> {
    // A name stands before the first of them.
    let line = wide(&format!("x {text}"));
    command_line::split_texts(&line, command_line::Rules::Msvcrt)
        .iter()
        .skip(1)
        .map(|word| narrow(word))
        .collect()
}

/// Takes what follows a switch and a colon: `/name:value`.
fn value_of<'a>(word: &'a str, name: &str) -> Option<&'a str> {
    let rest = word.strip_prefix(['/', '-'])?;
    let (head, value) = rest.split_once(':')?;
    head.eq_ignore_ascii_case(name).then_some(value)
}

/// Says whether a word is a switch of this name.
fn is_switch(word: &str, name: &str) -> bool {
    word.strip_prefix(['/', '-']).is_some_and(|rest| rest.eq_ignore_ascii_case(name))
}

/// Reads all of standard input.
fn input(io: &Io) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    if let Some(file) = &io.streams[0] {
        while let Ok(count) = file.read(&mut piece, None) {
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&piece[..count]);
        }
    }
    bytes
}

/// Reads a file as text of the console's code page.
fn text_of(shell: &Shell, name: &str) -> Result<String, Win32Error> {
    files::read_named(shell, name).map(|bytes| shell.decode(&bytes))
}

/// Returns the files that names and patterns mean; a pattern that matches none, and a name that is none, stay.
fn expand(shell: &Shell, names: &[String]) -> Vec<String> {
    let mut list = Vec::new();
    for name in names {
        let found = if name.contains(['*', '?']) {
            files::matches(shell, name, files::Wanted::Files)
        } else {
            Vec::new()
        };
        if found.is_empty() { list.push(name.clone()) } else { list.extend(found) }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_by_name_and_path() {
        for (program, name) in [
            ("findstr", Some("findstr")),
            ("FINDSTR.EXE", Some("findstr")),
            (r"C:\Windows\System32\sort.exe", Some("sort")),
            ("more.com", Some("more")),
            ("cmd.exe", None),
            ("sort.bat", None),
        ] {
            assert_eq!(tool(program).map(|tool| tool.0), name, "{program}");
        }
    }

    #[test]
    fn the_newest_tool_is_one() {
        assert!(file_names().any(|name| name == NEWEST_FILE));
    }

    #[test]
    fn switches_have_values() {
        assert_eq!(
            (value_of("/c:a b:c", "C"), value_of("/d", "d"), value_of("c:x", "c")),
            (Some("a b:c"), None, None)
        );
        assert!(is_switch("-Q", "q") && !is_switch("q", "q"));
    }
}
