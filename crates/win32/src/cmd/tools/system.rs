//! `where`, `whoami`, `hostname`, `timeout`, `choice`.

use super::{is_switch, split};
use crate::cmd::files::{self, Wanted};
use crate::cmd::shell::{Io, Shell, narrow, wide};
use crate::nt::process_create::path_folders;

/// Tells the machine's name.
pub(super) fn host_name(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    if !arguments.trim().is_empty() {
        shell.print(io, 2, "sethostname: Use the Network Control Panel Applet to set hostname.\nhostname -s is not supported.\n");
        return 1;
    }
    shell.out(io, &format!("{}\n", plat_host::sysinfo::host_name()));
    0
}

/// Tells the user's name.
pub(super) fn who_am_i(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    if let Some(word) = split(arguments).first() {
        let text = format!("ERROR: Invalid argument/option - '{word}'.\nType \"WHOAMI /?\" for usage.\n");
        shell.print(io, 2, &text);
        return 1;
    }
    let host = plat_host::sysinfo::host_name().to_lowercase();
    let user = shell.get("USERNAME").unwrap_or("user").to_lowercase();
    shell.out(io, &format!("{host}\\{user}\n"));
    0
}

/// Tells or sets the code page of the console.
pub(in crate::cmd) fn code_page(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let text = arguments.trim();
    if !text.is_empty() && !text.parse().is_ok_and(|number| shell.set_page(number)) {
        let wrong = if text.parse::<u32>().is_ok() {
            "Invalid code page\n".to_owned()
        } else {
            format!("Parameter format not correct - {text}\n")
        };
        shell.print(io, 2, &wrong);
        return 1;
    }
    shell.out(io, &format!("Active code page: {}\n", shell.page_number));
    0
}

/// Waits: `timeout /t SECONDS [/nobreak]`.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/timeout>
pub(super) fn timeout(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let words = split(arguments);
    let number = words.iter().filter(|word| !word.starts_with('/')).find_map(|word| word.parse::<i64>().ok());
    match number.filter(|number| (-1..=99_999).contains(number)) {
        Some(seconds @ 0..) => {
            plat_host::thread::sleep(seconds.unsigned_abs() * 1_000_000_000);
            0
        }
        // -1 waits for a key.
        Some(_) => {
            let _ = shell.read_line(io);
            0
        }
        None => {
            let text =
                "ERROR: Invalid value for timeout (/T) specified. Valid range is -1 to 99999 seconds.\n";
            shell.print(io, 2, text);
            1
        }
    }
}

/// Asks for one of some letters: `choice [/c LETTERS] [/n] [/cs] [/t SECONDS /d LETTER] [/m TEXT]`; returns its place from 1.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/choice>
pub(super) fn choice(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let words = split(arguments);
    // A value follows its switch, or a colon.
    let value = |name: &str| {
        let joined = words.iter().find_map(|word| super::value_of(word, name).map(str::to_owned));
        joined.or_else(|| {
            let at = words.iter().position(|word| is_switch(word, name))?;
            words.get(at + 1).cloned()
        })
    };
    let has = |name: &str| words.iter().any(|word| is_switch(word, name));
    let case = |text: String| if has("cs") { text } else { text.to_uppercase() };
    let letters: Vec<char> = case(value("c").unwrap_or_else(|| "YN".to_owned())).chars().collect();
    let default = value("d").and_then(|text| case(text).chars().next());
    if has("t") != has("d") && value("t").is_some() != value("d").is_some() {
        shell.print(io, 2, "ERROR: Invalid syntax. /T and /D must be specified together.\n");
        return 255;
    }
    let shown = letters.iter().map(char::to_string).collect::<Vec<_>>().join(",");
    let text = value("m").map_or(String::new(), |text| if has("n") { text } else { format!("{text} ") });
    let question = if has("n") { text } else { format!("{text}[{shown}]?") };
    shell.out(io, &question);
    let place = |c: char| letters.iter().position(|&letter| letter == c).map(|place| place as i32 + 1);
    // Nobody can be asked for a time: with one, the default is the answer unless input is there.
    let answer = match (value("t"), default) {
        (Some(seconds), Some(default)) if io.streams[0].as_ref().is_none_or(|file| file.is_terminal()) => {
            plat_host::thread::sleep(seconds.parse::<u64>().unwrap_or(0).min(9999) * 1_000_000_000);
            Some(default)
        }
        (_, default) => read_letter(&letters, has("cs"), io).or(default),
    };
    match answer.and_then(|answer| Some((answer, place(answer)?))) {
        Some((answer, place)) => {
            shell.out(io, &format!("{answer}\n"));
            place
        }
        None => 255,
    }
}

/// Reads characters up to one of the letters.
fn read_letter(letters: &[char], keeps_case: bool, io: &Io) -> Option<char> {
    let file = io.streams[0].as_ref()?;
    let mut byte = [0];
    while file.read(&mut byte, None).ok()? == 1 {
        let c = char::from(byte[0]);
        let c = if keeps_case { c } else { c.to_ascii_uppercase() };
        if letters.contains(&c) {
            return Some(c);
        }
    }
    None
}

/// Tells where programs are: `where [/r FOLDER] [/q] [/f] PATTERN…`, also `$VARIABLE:PATTERN` and `FOLDERS:PATTERN`.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/where>
pub(super) fn where_is(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let words = split(arguments);
    let (mut root, mut quiet, mut quotes, mut patterns) = (None, false, false, Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.to_ascii_lowercase().as_str() {
            "/r" => root = rest.next().cloned(),
            "/q" => quiet = true,
            "/f" => quotes = true,
            "/t" => {}
            _ => patterns.push(word.clone()),
        }
    }
    if patterns.is_empty() {
        shell.print(io, 2, "The syntax of this command is:\n\nWHERE [/R dir] [/Q] [/F] [/T] pattern...\n");
        return 2;
    }
    let mut code = 0;
    for pattern in &patterns {
        let found = places(shell, root.as_deref(), pattern);
        if found.is_empty() {
            code = 1;
            if !quiet {
                shell.print(io, 2, "INFO: Could not find files for the given pattern(s).\n");
            }
        } else if !quiet {
            let line = |path: &String| if quotes { format!("\"{path}\"\n") } else { format!("{path}\n") };
            shell.out(io, &found.iter().map(line).collect::<String>());
        }
    }
    code
}

fn places(shell: &Shell, root: Option<&str>, pattern: &str) -> Vec<String> {
    let listed =
        |text: &str| path_folders(&wide(text)).iter().map(|folder| narrow(folder)).collect::<Vec<_>>();
    let (folders, last) = match (root, pattern.rsplit_once(':')) {
        (Some(root), _) => (files::tree(shell, root), pattern),
        (None, Some((folders, last))) => match folders.strip_prefix('$') {
            Some(variable) => (listed(shell.get(variable).unwrap_or("")), last),
            None => (listed(folders), last),
        },
        (None, None) => {
            let mut folders = vec![shell.directory()];
            folders.extend(listed(shell.get("PATH").unwrap_or("")));
            (folders, pattern)
        }
    };
    let extensions = shell.get("PATHEXT").unwrap_or("").split(';').filter(|end| !end.is_empty());
    let ends: Vec<String> = std::iter::once(String::new()).chain(extensions.map(str::to_lowercase)).collect();
    let mut found: Vec<String> = Vec::new();
    for folder in &folders {
        for end in &ends {
            let name = format!("{}\\{last}{end}", folder.trim_end_matches('\\'));
            for path in files::matches(shell, &name, Wanted::Files) {
                let path = files::full(shell, &path);
                if !found.contains(&path) {
                    found.push(path);
                }
            }
        }
    }
    found
}
