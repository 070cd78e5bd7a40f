//! `tasklist` and `taskkill`.

use super::{is_switch, split};
use crate::cmd::shell::{Io, Shell, narrow};
use crate::logic::wildcard;
use crate::nt::process_list::{self, Listed};

/// Reads the value behind a switch: the next word.
fn next_of<'a>(words: &'a [String], name: &str) -> Vec<&'a str> {
    let place = |at: &usize| is_switch(&words[*at], name);
    (0..words.len()).filter(place).filter_map(|at| words.get(at + 1)).map(String::as_str).collect()
}

/// Says whether a process fits a filter as `IMAGENAME eq x.exe`; `None` for a filter that is wrong.
fn fits(task: &Listed, filter: &str) -> Option<bool> {
    let words: Vec<&str> = filter.splitn(3, ' ').collect();
    let [what, how, value] = words.as_slice() else { return None };
    let name = narrow(&task.name);
    let holds = match what.to_ascii_lowercase().as_str() {
        "imagename" => matches_name(&name, value),
        "pid" => {
            let wanted: u32 = value.trim().parse().ok()?;
            let order = task.facts.id.cmp(&wanted);
            return match how.to_ascii_lowercase().as_str() {
                "eq" => Some(order.is_eq()),
                "ne" => Some(order.is_ne()),
                "gt" => Some(order.is_gt()),
                "lt" => Some(order.is_lt()),
                "ge" => Some(order.is_ge()),
                "le" => Some(order.is_le()),
                _ => None,
            };
        }
        "status" => value.eq_ignore_ascii_case("running"),
        _ => return None,
    };
    match how.to_ascii_lowercase().as_str() {
        "eq" => Some(holds),
        "ne" => Some(!holds),
        _ => None,
    }
}

fn matches_name(name: &str, pattern: &str) -> bool {
    let wide = |text: &str| text.to_lowercase().encode_utf16().collect::<Vec<u16>>();
    wildcard::matches_dos_pattern(&wide(pattern), &wide(name))
}

const INVALID: &str = "ERROR: The search filter cannot be recognized.\n";

fn filtered(shell: &Shell, filters: &[&str]) -> Option<Vec<Listed>> {
    let mut tasks = process_list::all(&shell.files);
    for filter in filters {
        let kept: Option<Vec<bool>> = tasks.iter().map(|task| fits(task, filter)).collect();
        let mut kept = kept?.into_iter();
        tasks.retain(|_| kept.next().unwrap_or(false));
    }
    Some(tasks)
}

/// Lists processes: `tasklist [/fi filter] [/fo table|list|csv] [/nh]`.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/tasklist>
pub(super) fn list(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let words = split(arguments);
    let Some(tasks) = filtered(shell, &next_of(&words, "fi")) else {
        shell.print(io, 2, INVALID);
        return 1;
    };
    if tasks.is_empty() {
        shell.out(io, "INFO: No tasks are running which match the specified criteria.\n");
        return 0;
    }
    let form = next_of(&words, "fo").first().map_or("table".to_owned(), |form| form.to_ascii_lowercase());
    let shows_head = !words.iter().any(|word| is_switch(word, "nh"));
    let mut out = String::new();
    match form.as_str() {
        "csv" if shows_head => {
            out.push_str("\"Image Name\",\"PID\",\"Session Name\",\"Session#\",\"Mem Usage\"\n");
        }
        "table" if shows_head => {
            out.push_str("\nImage Name                     PID Session Name        Session#    Mem Usage\n");
            out.push_str("========================= ======== ================ =========== ============\n");
        }
        "table" => out.push('\n'),
        _ => {}
    }
    for task in &tasks {
        let (name, id) = (narrow(&task.name), task.facts.id);
        let memory = format!("{} K", super::commas(task.facts.resident / 1024));
        out.push_str(&match form.as_str() {
            "csv" => format!("\"{name}\",\"{id}\",\"Console\",\"1\",\"{memory}\"\n"),
            "list" => format!(
                "\nImage Name:   {name}\nPID:          {id}\nSession Name: Console\nSession#:     1\nMem Usage:    {memory}\n"
            ),
            _ => {
                let name: String = name.chars().take(25).collect();
                format!("{name:<25} {id:>8} {:<16} {:>11} {memory:>12}\n", "Console", 1)
            }
        });
    }
    shell.out(io, &out);
    0
}

/// Ends processes: `taskkill /pid N | /im NAME | /fi FILTER [/f] [/t]`.
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/taskkill>
pub(super) fn kill(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let words = split(arguments);
    let (numbers, images) = (next_of(&words, "pid"), next_of(&words, "im"));
    let filters = next_of(&words, "fi");
    if numbers.is_empty() && images.is_empty() && filters.is_empty() {
        shell.print(io, 2, "ERROR: Invalid syntax. Neither /FI nor /PID nor /IM were specified.\n");
        return 1;
    }
    let Some(tasks) = filtered(shell, &filters) else {
        shell.print(io, 2, INVALID);
        return 1;
    };
    let own = plat_host::sysinfo::process_id();
    // Names and filters mean Windows programs: Linux' own are not ended by a pattern.
    let with_name = |task: &&Listed, image: &str| {
        let name = narrow(&task.name);
        name.to_lowercase().ends_with(".exe") && matches_name(&name, image)
    };
    let mut code = 0;
    let mut wanted: Vec<&Listed> = Vec::new();
    for number in &numbers {
        match tasks.iter().find(|task| number.parse() == Ok(task.facts.id)) {
            Some(task) => wanted.push(task),
            None => {
                shell.print(io, 2, &format!("ERROR: The process \"{number}\" not found.\n"));
                code = 128;
            }
        }
    }
    for image in &images {
        let found: Vec<&Listed> = tasks.iter().filter(|task| with_name(task, image)).collect();
        if found.is_empty() {
            shell.print(io, 2, &format!("ERROR: The process \"{image}\" not found.\n"));
            code = 128;
        }
        wanted.extend(found);
    }
    if numbers.is_empty() && images.is_empty() {
        wanted.extend(tasks.iter().filter(|task| with_name(task, "*")));
    }
    for task in wanted.into_iter().filter(|task| task.facts.id != own) {
        let id = task.facts.id;
        let done = plat_host::process::Linux::open(id).and_then(|process| process.kill());
        let by_name = if images.is_empty() { String::new() } else { format!(" \"{}\"", narrow(&task.name)) };
        match done {
            Ok(()) if by_name.is_empty() => {
                shell.out(io, &format!("SUCCESS: The process with PID {id} has been terminated.\n"));
            }
            Ok(()) => {
                shell.out(io, &format!("SUCCESS: The process{by_name} with PID {id} has been terminated.\n"))
            }
            Err(_) => {
                let text = format!(
                    "ERROR: The process with PID {id} could not be terminated.\nReason: Access is denied.\n"
                );
                shell.print(io, 2, &text);
                code = 1;
            }
        }
    }
    code
}
