//! The commands that the interpreter has itself: which word is one, and those that are about the interpreter's state.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/windows-commands>

use super::arithmetic::{self, Variables};
use super::expand;
use super::shell::{Batch, Flow, Io, Shell, unquote, wide, words};
use super::syntax::is_blank;
use super::{VERSION, file_commands, listing, tools};
use crate::Win32Error;
use crate::nt::process_create::ImageKind;

const NAMES: [&str; 43] = [
    "assoc", "break", "call", "cd", "chcp", "chdir", "cls", "color", "copy", "date", "del", "dir", "echo",
    "endlocal", "erase", "exit", "ftype", "goto", "md", "mkdir", "mklink", "move", "path", "pause", "popd",
    "prompt", "pushd", "rd", "rem", "ren", "rename", "rmdir", "set", "setlocal", "shift", "start", "time",
    "title", "type", "ver", "verify", "vol", "if",
];

/// Splits a line into the name of a builtin command and the rest, if it begins with one.
pub(super) fn split(text: &str) -> Option<(&'static str, &str)> {
    let length = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let word = text[..length].to_ascii_lowercase();
    let name = NAMES.into_iter().find(|name| *name == word)?;
    let rest = &text[length..];
    let next = rest.chars().next();
    let is_ended = match next {
        None => true,
        Some(c) if is_blank(c) => true,
        Some('/') => true,
        Some('\\') => matches!(name, "cd" | "chdir" | "echo" | "dir" | "type" | "md" | "rd"),
        Some('.') if name == "echo" => !is_program_end(rest),
        Some('.') => matches!(name, "cd" | "chdir" | "dir") && !is_program_end(rest),
        Some(':' | '(' | '[' | ']' | '+') => name == "echo" || name == "goto",
        Some('"') => true,
        _ => false,
    };
    is_ended.then_some((name, rest))
}

/// Whether `.exe` or its like follows, which names a program.
fn is_program_end(rest: &str) -> bool {
    let word = rest.split(is_blank).next().unwrap_or("").to_ascii_lowercase();
    [".exe", ".com", ".bat", ".cmd"].contains(&word.as_str())
}

/// Commands that leave the error level alone when they succeed.
const KEEP_LEVEL: &[&str] = &[
    "break", "call", "cls", "echo", "endlocal", "exit", "goto", "pause", "path", "popd", "prompt", "rd",
    "rem", "rmdir", "set", "shift", "start", "title", "assoc", "ftype", "if",
];

/// Tells whether what is written is read again: never.
fn verify(shell: &Shell, rest: &str, io: &Io) -> Flow {
    if rest.trim().is_empty() {
        shell.out(io, "VERIFY is off.\n");
    }
    Flow::Next
}

/// Those of them that set the level to 0 in a `.cmd` file, though not in a `.bat` file.
const RESET_IN_CMD: &[&str] = &["assoc", "ftype", "path", "prompt", "set"];

/// Tells which program opens files of an extension, or how: none is known, and none can be set.
fn associate(shell: &mut Shell, name: &str, rest: &str, io: &Io) -> Flow {
    let (what, form) = match name {
        "assoc" => ("File association not found for extension", rest.trim()),
        _ => ("File type", rest.trim()),
    };
    match form {
        "" => Flow::Next,
        _ if form.contains('=') => shell.fail(io, 1, "Access is denied.\n"),
        _ if name == "assoc" => shell.fail(io, 1, &format!("{what} {form}\n")),
        _ => {
            shell.fail(io, 1, &format!("{what} '{form}' not found or no open command associated with it.\n"))
        }
    }
}

/// Runs a builtin command.
pub(super) fn run(shell: &mut Shell, name: &str, rest: &str, whole: &str, io: &Io) -> Flow {
    if rest.split_whitespace().next() == Some("/?") && name != "echo" && name != "rem" {
        shell.out(
            io,
            &format!("{}: see the documentation of Windows' command interpreter.\n", name.to_uppercase()),
        );
        return Flow::Next;
    }
    let flow = match name {
        "rem" | "break" | "color" | "title" => Flow::Next,
        "verify" => verify(shell, rest, io),
        "assoc" | "ftype" => associate(shell, name, rest, io),
        "cls" => {
            shell.out(io, "\u{c}");
            Flow::Next
        }
        "echo" => echo(shell, rest, io),
        "set" => set(shell, rest, io),
        "cd" | "chdir" => change_directory(shell, rest, io),
        "pushd" => push(shell, rest, io),
        "popd" => pop(shell),
        "call" => call(shell, rest, io),
        "goto" => goto(shell, rest, io),
        "exit" => exit(shell, rest),
        "shift" => shift(shell, rest, io),
        "setlocal" => set_local(shell, rest),
        "endlocal" => {
            let first = shell.batches.last().map_or(0, |batch| batch.saves);
            if shell.saves.len() > first {
                shell.restore();
            }
            Flow::Next
        }
        "prompt" => variable_command(shell, "PROMPT", rest),
        "path" => path(shell, rest, io),
        "pause" => pause(shell, io),
        "start" => start(shell, rest, io),
        "chcp" => {
            shell.level = tools::code_page(shell, rest, io);
            shell.failed = shell.level != 0;
            Flow::Next
        }
        "date" | "time" => date_or_time(shell, name, io),
        "ver" => {
            shell.out(io, &format!("\n{VERSION}\n"));
            Flow::Next
        }
        "dir" => listing::dir(shell, rest, io),
        "type" => file_commands::type_files(shell, rest, io),
        "vol" => {
            shell.out(io, " Volume in drive Z has no label.\n");
            Flow::Next
        }
        "copy" => super::copying::copy(shell, rest, io),
        "move" => super::copying::move_files(shell, rest, io),
        "del" | "erase" => file_commands::delete(shell, rest, io),
        "ren" | "rename" => super::copying::rename(shell, rest, io),
        "md" | "mkdir" => file_commands::make_directories(shell, rest, io),
        "rd" | "rmdir" => file_commands::remove_directories(shell, rest, io),
        "mklink" => file_commands::make_link(shell, rest, io),
        _ => shell.fail(io, 1, &format!("The syntax of the command is incorrect: {whole}\n")),
    };
    let keeps = KEEP_LEVEL.contains(&name) && !(RESET_IN_CMD.contains(&name) && shell.is_in_cmd_file());
    if !keeps && !shell.failed {
        shell.level = 0;
    }
    flow
}

/// The message for a missing or bad argument.
pub(super) const SYNTAX: &str = "The syntax of the command is incorrect.\n";

fn echo(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let word = rest.trim().to_ascii_lowercase();
    if rest.is_empty() || rest.chars().all(char::is_whitespace) {
        shell.out(io, if shell.echo { "ECHO is on.\n" } else { "ECHO is off.\n" });
    } else if rest.starts_with(char::is_whitespace) && (word == "on" || word == "off") {
        shell.echo = word == "on";
    } else {
        // Exactly one character stands between the word and the text.
        let text: String = rest.chars().skip(1).collect();
        shell.out(io, &format!("{text}\n"));
    }
    Flow::Next
}

impl Variables for Shell {
    fn get(&self, name: &str) -> Option<String> {
        expand::Values::variable(self, name)
    }
    fn set(&mut self, name: &str, value: i32) {
        Shell::set(self, name, Some(&value.to_string()));
    }
}

fn set(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let text = rest.trim_start();
    let lower = text.get(..2).map(str::to_ascii_lowercase);
    match lower.as_deref() {
        Some("/a") => return set_number(shell, text[2..].trim(), io),
        Some("/p") => return set_from_input(shell, text[2..].trim_start(), io),
        _ => {}
    }
    if text.is_empty() {
        let all: String = shell.all().map(|(name, value)| format!("{name}={value}\n")).collect();
        shell.out(io, &all);
        return Flow::Next;
    }
    let assignment = quoted_whole(text);
    match assignment.split_once('=') {
        Some(("", _)) => shell.fail(io, 1, SYNTAX),
        Some((name, value)) => {
            let value = (!value.is_empty()).then_some(value);
            if value.is_none() && shell.get(name).is_none() {
                shell.failed = true;
                shell.level = 1;
                return Flow::Next;
            }
            shell.set(name, value);
            Flow::Next
        }
        None => {
            let prefix = assignment.trim_end().to_uppercase();
            let found: String = shell
                .all()
                .filter(|pair| pair.0.to_uppercase().starts_with(&prefix))
                .map(|(name, value)| format!("{name}={value}\n"))
                .collect();
            if found.is_empty() {
                return shell.fail(
                    io,
                    1,
                    &format!("Environment variable {} not defined\n", assignment.trim_end()),
                );
            }
            shell.out(io, &found);
            Flow::Next
        }
    }
}

/// With a quote at its beginning the assignment ends at the last quote.
fn quoted_whole(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"') else { return text.to_owned() };
    match inner.rfind('"') {
        Some(end) => inner[..end].to_owned(),
        None => inner.to_owned(),
    }
}

fn set_number(shell: &mut Shell, text: &str, io: &Io) -> Flow {
    match arithmetic::evaluate(text, shell) {
        Ok(value) => {
            // Only what is typed shows its value.
            if shell.batches.is_empty() {
                shell.out(io, &value.to_string());
            }
            Flow::Next
        }
        Err(wrong) => shell.fail(io, wrong.level(), &format!("{wrong}\n")),
    }
}

fn set_from_input(shell: &mut Shell, text: &str, io: &Io) -> Flow {
    let text = quoted_whole(text);
    let Some((name, prompt)) = text.split_once('=') else { return shell.fail(io, 1, SYNTAX) };
    let prompt = prompt.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(prompt);
    shell.out(io, prompt);
    match shell.read_line(io) {
        Some(line) if !line.is_empty() => {
            shell.set(name, Some(&line));
            Flow::Next
        }
        _ => {
            shell.failed = true;
            shell.level = 1;
            Flow::Next
        }
    }
}

impl Shell {
    /// Reads one line of standard input; `None` at its end.
    pub(crate) fn read_line(&self, io: &Io) -> Option<String> {
        let file = io.streams[0].as_ref()?;
        let (mut line, mut byte) = (Vec::new(), [0]);
        // One byte at a time: what follows belongs to others.
        while let Ok(1) = file.read(&mut byte, None) {
            if byte[0] == b'\n' {
                return Some(self.decode(&line).trim_end_matches('\r').to_owned());
            }
            line.push(byte[0]);
        }
        (!line.is_empty()).then(|| self.decode(&line))
    }
}

fn change_directory(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let text = rest.trim();
    let text = text.strip_prefix("/d").or_else(|| text.strip_prefix("/D")).unwrap_or(text).trim();
    let name = unquote(text);
    if name.is_empty() {
        shell.out(io, &format!("{}\n", shell.directory()));
        return Flow::Next;
    }
    match shell.files.set_current_directory(&wide(&name)) {
        Ok(()) => Flow::Next,
        Err(Win32Error::DIRECTORY) => shell.fail(io, 1, "The directory name is invalid.\n"),
        Err(_) => shell.fail(io, 1, "The system cannot find the path specified.\n"),
    }
}

fn push(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    if rest.trim().is_empty() {
        let list: String =
            shell.directories.iter().rev().map(|text| super::shell::narrow(text) + "\n").collect();
        shell.out(io, &list);
        return Flow::Next;
    }
    let here = crate::nt::path::current(&shell.files);
    let flow = change_directory(shell, rest, io);
    if !shell.failed {
        shell.directories.push(here);
    }
    flow
}

fn pop(shell: &mut Shell) -> Flow {
    match shell.directories.pop() {
        Some(directory) => {
            let _ = shell.files.set_current_directory(&directory);
        }
        None => (shell.failed, shell.level) = (true, 1),
    }
    Flow::Next
}

fn call(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    // The line is expanded once more.
    let text = expand::percent(rest.trim_start_matches(is_blank), shell);
    let text = text.trim_start_matches(is_blank);
    if let Some(label) = text.strip_prefix(':') {
        let (name, arguments) = label.split_at(label.find(is_blank).unwrap_or(label.len()));
        let Some(batch) = shell.batches.last().cloned() else {
            return shell.fail(io, 1, "Invalid attempt to call batch label outside of batch script.\n");
        };
        let Some(at) = find_label(&batch.lines, batch.at, name) else {
            let text = format!("The system cannot find the batch label specified - {name}\n");
            return shell.fail(io, 1, &text);
        };
        let mut words_of_call = vec![format!(":{name}")];
        words_of_call.extend(words(arguments));
        let inner = Batch {
            at,
            arguments: words_of_call,
            all: arguments.trim().to_owned(),
            saves: shell.saves.len(),
            ..batch
        };
        let flow = shell.enter(inner, io);
        shell.failed = shell.level != 0;
        return flow;
    }
    if let Some((name, rest)) = split(text) {
        shell.failed = false;
        return run(shell, name, rest, text, io);
    }
    let end = {
        let mut quoted = false;
        let ends = |(_, c): &(usize, char)| {
            quoted ^= *c == '"';
            !quoted && is_blank(*c)
        };
        text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
    };
    let flow = shell.program(&text[..end], &text[end..], io, true);
    shell.failed = shell.level != 0;
    flow
}

/// Finds the line behind a label: forward first, then from the beginning.
fn find_label(lines: &[String], from: usize, name: &str) -> Option<usize> {
    let is_label = |line: &String| {
        let Some(rest) = line.trim_start_matches(is_blank).strip_prefix(':') else { return false };
        let rest = rest.trim_start_matches(is_blank);
        let end = rest.find(|c: char| is_blank(c) || ":+&|<>".contains(c)).unwrap_or(rest.len());
        rest[..end].eq_ignore_ascii_case(name)
    };
    let after = lines.iter().enumerate().skip(from).find(|(_, line)| is_label(line));
    let found = after.or_else(|| lines.iter().enumerate().take(from).find(|(_, line)| is_label(line)));
    found.map(|(at, _)| at + 1)
}

fn goto(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let text = rest.trim_start_matches(|c| is_blank(c) || c == ':');
    let end = text.find(|c: char| is_blank(c) || c == ':').unwrap_or(text.len());
    let name = text[..end].to_owned();
    let is_end = name.eq_ignore_ascii_case("eof") && rest.trim_start().starts_with(':');
    let Some(batch) = shell.batches.last_mut() else { return Flow::Next };
    if is_end {
        return Flow::Return;
    }
    match find_label(&batch.lines, batch.at, &name) {
        Some(at) => {
            batch.at = at;
            Flow::Jump
        }
        None => {
            // The batch file ends behind this line; what follows `||` on it still runs.
            batch.at = batch.lines.len();
            shell.fail(io, 1, &format!("The system cannot find the batch label specified - {name}\n"))
        }
    }
}

fn exit(shell: &mut Shell, rest: &str) -> Flow {
    let mut leaves_batch = false;
    for word in rest.split_whitespace() {
        if word.eq_ignore_ascii_case("/b") {
            leaves_batch = true;
        } else {
            shell.level = leading_number(word);
            shell.failed = shell.level != 0;
        }
    }
    if leaves_batch && !shell.batches.is_empty() { Flow::Return } else { Flow::Exit }
}

/// Reads the number that a text begins with; 0 where there is none.
pub(super) fn leading_number(text: &str) -> i32 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1_i64, rest),
        None => (1, text),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse::<i64>().map_or(0, |value| (sign * value) as i32)
}

fn shift(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let text = rest.trim();
    let first = match text.strip_prefix('/') {
        None => 0,
        Some(number) => match number.parse::<usize>() {
            Ok(number) if number <= 8 => number,
            _ => return shell.fail(io, 1, "Invalid parameter to SHIFT command\n"),
        },
    };
    if let Some(batch) = shell.batches.last_mut()
        && first < batch.arguments.len()
    {
        batch.arguments.remove(first);
    }
    Flow::Next
}

fn set_local(shell: &mut Shell, rest: &str) -> Flow {
    if shell.batches.is_empty() {
        return Flow::Next;
    }
    shell.save();
    for word in rest.split_whitespace() {
        match word.to_ascii_lowercase().as_str() {
            "enabledelayedexpansion" => shell.delayed = true,
            "disabledelayedexpansion" => shell.delayed = false,
            _ => {}
        }
    }
    Flow::Next
}

fn variable_command(shell: &mut Shell, name: &str, rest: &str) -> Flow {
    let text = rest.trim_start_matches(is_blank);
    shell.set(name, (!text.is_empty()).then_some(text));
    Flow::Next
}

fn path(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    if rest.trim().is_empty() {
        let text = shell.get("PATH").map_or("No Path\n".into(), |path| format!("PATH={path}\n"));
        shell.out(io, &text);
        return Flow::Next;
    }
    let text = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
    shell.set("PATH", (text != ";").then_some(text));
    Flow::Next
}

fn pause(shell: &mut Shell, io: &Io) -> Flow {
    shell.out(io, "Press any key to continue . . . ");
    if let Some(file) = &io.streams[0] {
        // The end of the input is a key, too.
        let _ = file.read(&mut [0], None);
    }
    shell.out(io, "\n");
    Flow::Next
}

fn date_or_time(shell: &mut Shell, name: &str, io: &Io) -> Flow {
    let text = if name == "date" { super::files::date_now() } else { super::files::time_now() };
    let text = if name == "time" { text.get(..5).unwrap_or("").to_owned() } else { text };
    shell.out(io, &format!("{text}\n"));
    Flow::Next
}

/// `start ["title"] [/wait] [/b] [/d dir] program …`.
fn start(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let mut text = rest.trim_start_matches(is_blank).to_owned();
    let mut waits = false;
    let mut directory = None;
    let mut has_title = false;
    loop {
        // The first quoted text is the window's title, wherever it stands among the options.
        if let Some(rest) = text.strip_prefix('"').filter(|_| !has_title) {
            let end = rest.find('"').map_or(rest.len(), |end| end + 1);
            text = rest[end..].trim_start_matches(is_blank).to_owned();
            has_title = true;
            continue;
        }
        if !text.starts_with('/') {
            break;
        }
        let end = text.find(is_blank).unwrap_or(text.len());
        let option = text[..end].to_ascii_lowercase();
        text = text[end..].trim_start_matches(is_blank).to_owned();
        match option.as_str() {
            "/w" | "/wait" => waits = true,
            "/d" => {
                let word = words(&text).into_iter().next().unwrap_or_default();
                text = text[word.len()..].trim_start_matches(is_blank).to_owned();
                directory = Some(unquote(&word));
            }
            _ => {}
        }
    }
    let Some(name) = words(&text).into_iter().next() else { return Flow::Next };
    let here = crate::nt::path::current(&shell.files);
    if let Some(directory) = &directory
        && let Err(error) = shell.files.set_current_directory(&wide(directory))
    {
        return shell.fail_with(io, error);
    }
    // A command of the interpreter's own gets an interpreter of its own.
    let (name, text) = match split(&text) {
        Some(_) => ("cmd.exe".to_owned(), format!("cmd.exe /c {text}")),
        None => (name, text),
    };
    let flow = start_program(shell, &unquote(&name), &text, waits, io);
    let _ = shell.files.set_current_directory(&here);
    flow
}

fn start_program(shell: &mut Shell, name: &str, line: &str, waits: bool, io: &Io) -> Flow {
    let image = match shell.find_program(name) {
        Ok(image) => image,
        Err(Win32Error::FILE_NOT_FOUND | Win32Error::PATH_NOT_FOUND) => {
            let text = format!(
                "Windows cannot find '{name}'. Make sure you typed the name correctly, and then try again.\n"
            );
            return shell.fail(io, 9059, &text);
        }
        Err(error) => return shell.fail_with(io, error),
    };
    let line = if image.kind == ImageKind::Batch { format!("cmd.exe /c {line}") } else { line.to_owned() };
    match shell.start_only(image, &line, io) {
        Err(error) => shell.fail_with(io, error),
        Ok(child) if waits => {
            let how = crate::nt::wait::WaitFor { all: false, alertable: false, deadline: None };
            let objects: [crate::nt::object::ObjectRef; 1] = [child.clone()];
            let _ = crate::nt::wait::wait(&objects, how);
            shell.level = child.exit_code() as i32;
            shell.failed = shell.level != 0;
            Flow::Next
        }
        Ok(_) => Flow::Next,
    }
}
