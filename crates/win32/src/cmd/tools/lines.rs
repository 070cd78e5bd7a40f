//! `find`, `sort` and `more`: what goes over lines.

use super::{expand, input, is_switch, split, text_of};
use crate::cmd::shell::{Io, Shell, unquote, words};

/// Splits text into lines without their ends.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.trim_end_matches('\r')).collect()
}

/// Shows the lines with a text: `find [/v] [/c] [/n] [/i] "text" [files]`; 0 if there are some, 1 if not, 2 for an error.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/find>
pub(super) fn find(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let all = words(arguments);
    let (options, plain): (Vec<&String>, Vec<&String>) = all.iter().partition(|word| word.starts_with('/'));
    let letters: String = options.iter().map(|option| option.to_ascii_lowercase().replace('/', "")).collect();
    let letters = letters.replace("offline", "").replace("off", "");
    if let Some(wrong) = letters.chars().find(|c| !"vcni".contains(*c)) {
        let _ = wrong;
        shell.print(io, 2, "FIND: Invalid switch\n");
        return 2;
    }
    let quoted = plain.first().filter(|what| what.len() > 1 && what.starts_with('"') && what.ends_with('"'));
    let Some(what) = quoted else {
        shell.print(io, 2, "FIND: Parameter format not correct\n");
        return 2;
    };
    let has = |letter: char| letters.contains(letter);
    let case = |text: &str| if has('i') { text.to_lowercase() } else { text.to_owned() };
    // A doubled quote is one.
    let what = case(&what[1..what.len() - 1].replace("\"\"", "\""));
    let names: Vec<String> = plain[1..].iter().map(|name| unquote(name)).collect();
    let texts: Vec<(Option<String>, Option<String>)> = match names.as_slice() {
        [] => vec![(None, Some(shell.decode(&input(io))))],
        names => {
            let names = expand(shell, names);
            names.into_iter().map(|name| (Some(name.clone()), text_of(shell, &name).ok())).collect()
        }
    };
    let (mut any, mut code) = (false, 0);
    for (name, text) in texts {
        let upper = name.as_deref().map(str::to_uppercase);
        let Some(text) = text else {
            shell.print(io, 2, &format!("File not found - {}\n", upper.unwrap_or_default()));
            code = 2;
            continue;
        };
        let all = lines(&text);
        let holds = |line: &str| (!what.is_empty() && case(line).contains(&what)) != has('v');
        let found: Vec<usize> = (0..all.len()).filter(|&at| holds(all[at])).collect();
        any |= !found.is_empty();
        let head = upper.map_or(String::new(), |name| format!("\n---------- {name}"));
        let body: String = match (has('c'), head.is_empty()) {
            (true, true) => format!("{}\n", found.len()),
            (true, false) => format!(": {}\n", found.len()),
            _ => {
                let number = |at: usize| if has('n') { format!("[{}]", at + 1) } else { String::new() };
                let shown = found.iter().map(|&at| format!("{}{}\n", number(at), all[at]));
                (if head.is_empty() { String::new() } else { "\n".to_owned() }) + &shown.collect::<String>()
            }
        };
        shell.out(io, &format!("{head}{body}"));
    }
    if code != 0 { code } else { i32::from(!any) }
}

/// Sorts lines without regard to case: `sort [/r] [/+n] [/unique] [file] [/o file]`.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/sort>
pub(super) fn sort(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let (mut reverse, mut unique, mut column) = (false, false, 0);
    let (mut name, mut to) = (None, None);
    let words = split(arguments);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let lower = word.to_ascii_lowercase();
        match lower.strip_prefix('/') {
            Some(switch) if switch.starts_with('+') => {
                column = switch[1..].parse::<usize>().unwrap_or(1).max(1) - 1
            }
            Some(switch) if "reverse".starts_with(switch) && !switch.is_empty() && switch != "rec" => {
                reverse = true
            }
            Some(switch) if switch.starts_with("uni") => unique = true,
            Some("o" | "output") => to = rest.next().cloned(),
            // Memory, locale, the length of records, a folder for pieces: nothing that is needed here.
            Some("l" | "locale" | "m" | "memory" | "rec" | "record_maximum" | "t" | "temporary") => {
                let _ = rest.next();
            }
            Some(_) => {
                shell.print(io, 2, "Invalid switch.\n");
                return 1;
            }
            None => name = Some(word.clone()),
        }
    }
    let text = match &name {
        Some(name) => match text_of(shell, name) {
            Ok(text) => text,
            Err(_) => {
                shell.print(io, 2, &format!("{name}The system cannot find the file specified.\n"));
                return 1;
            }
        },
        None => shell.decode(&input(io)),
    };
    let key = |line: &str| line.chars().skip(column).collect::<String>().to_lowercase();
    let mut all = lines(&text);
    all.sort_by_cached_key(|line| key(line));
    if unique {
        all.dedup_by(|left, right| key(left) == key(right));
    }
    if reverse {
        all.reverse();
    }
    let text: String = all.iter().map(|line| format!("{line}\n")).collect();
    let Some(to) = to else {
        shell.out(io, &text);
        return 0;
    };
    match shell.output_file(&to, io) {
        Ok(io) => {
            shell.out(&io, &text);
            0
        }
        Err(error) => {
            shell.fail_with(io, error);
            1
        }
    }
}

/// Shows text: `more [/e] [/s] [/tN] [+N] [files]`; tabs become blanks.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/more>
pub(super) fn more(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let (mut squeezes, mut width, mut skip, mut names) = (false, 8, 0, Vec::new());
    for word in split(arguments) {
        let lower = word.to_ascii_lowercase();
        if let Some(number) = lower.strip_prefix("/t").and_then(|rest| rest.parse::<usize>().ok()) {
            width = number.clamp(1, 64);
        } else if let Some(number) = lower.strip_prefix('+').and_then(|rest| rest.parse::<usize>().ok()) {
            skip = number;
        } else if is_switch(&word, "s") {
            squeezes = true;
        } else if !lower.starts_with('/') {
            names.push(word);
        }
    }
    let texts = match names.as_slice() {
        [] => vec![shell.decode(&input(io))],
        names => {
            let mut texts = Vec::new();
            for name in expand(shell, names) {
                match text_of(shell, &name) {
                    Ok(text) => texts.push(text),
                    Err(_) => {
                        shell.print(
                            io,
                            2,
                            &format!("Cannot access file {}\n", super::files::full(shell, &name)),
                        );
                        return 1;
                    }
                }
            }
            texts
        }
    };
    for text in texts {
        let mut out = String::new();
        let mut was_empty = false;
        for line in lines(&text).into_iter().skip(skip) {
            if squeezes && line.is_empty() && was_empty {
                continue;
            }
            was_empty = line.is_empty();
            out.push_str(&without_tabs(line, width));
            out.push('\n');
        }
        shell.out(io, &out);
    }
    0
}

fn without_tabs(line: &str, width: usize) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for c in line.chars() {
        let count = if c == '\t' { width - at % width } else { 1 };
        out.extend(std::iter::repeat_n(if c == '\t' { ' ' } else { c }, count));
        at += count;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without_tabs;

    #[test]
    fn tabs_go_to_the_next_stop() {
        assert_eq!(without_tabs("a\tb\t\tc", 4), "a   b       c");
        assert_eq!(without_tabs("1234\tx", 4), "1234    x");
    }
}
