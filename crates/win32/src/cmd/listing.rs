//! `dir`.

use plat_host::file_path::Kind;

use super::file_commands::Arguments;
use super::files::{self, Entry, Wanted};
use super::shell::{Flow, Io, Shell};

/// What `dir` was asked for.
struct Wish {
    bare: bool,
    below: bool,
    wanted: Wanted,
    order: String,
    lower: bool,
}

impl Wish {
    fn of(arguments: &Arguments) -> Self {
        let value = |letter: char| {
            let option = arguments.options.iter().find(|option| option.starts_with(letter))?;
            Some(option[1..].trim_start_matches(':').to_owned())
        };
        let attributes = value('a').unwrap_or_default();
        let wanted = match attributes.as_str() {
            text if text.contains("-d") => Wanted::Files,
            text if text.contains('d') => Wanted::Directories,
            _ => Wanted::Any,
        };
        Self {
            bare: arguments.has("b"),
            below: arguments.has("s"),
            wanted,
            order: value('o').unwrap_or_default(),
            lower: arguments.has("l"),
        }
    }

    fn sort(&self, list: &mut [Entry]) {
        let mut order = self.order.as_str();
        let mut keys = Vec::new();
        while let Some(first) = order.chars().next() {
            let (reverse, rest) = match order.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, order),
            };
            let key = if reverse { rest.chars().next() } else { Some(first) };
            keys.extend(key.map(|key| (key, reverse)));
            order = rest.get(1..).unwrap_or("");
        }
        // The last key first: each sort keeps what the later ones found equal.
        for (key, reverse) in keys.into_iter().rev() {
            match key {
                'n' => list.sort_by_key(|entry| entry.name.to_lowercase()),
                's' => list.sort_by_key(|entry| entry.status.size),
                'd' => list.sort_by_key(|entry| entry.status.written),
                'e' => list.sort_by_key(|entry| {
                    let dot = entry.name.rfind('.').unwrap_or(entry.name.len());
                    entry.name[dot..].to_lowercase()
                }),
                'g' => list.sort_by_key(|entry| entry.status.kind != Kind::Directory),
                _ => {}
            }
            if reverse {
                list.reverse();
            }
        }
    }
}

/// Shows a number with commas.
pub(super) fn commas(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Lists directories.
pub(super) fn dir(shell: &mut Shell, rest: &str, io: &Io) -> Flow {
    let arguments = Arguments::of(rest);
    let wish = Wish::of(&arguments);
    let names = if arguments.names.is_empty() { vec!["*".to_owned()] } else { arguments.names };
    let mut total = (0, 0, 0);
    for name in names {
        let is_directory = match shell.locate(name.trim_end_matches(['\\', '/'])) {
            Ok((path, true)) => path.is_dir(),
            _ => name.ends_with(['\\', '/']),
        };
        let pattern =
            if is_directory { format!("{}\\*", name.trim_end_matches(['\\', '/'])) } else { name.clone() };
        let (folder, last) = files::split_folder(&pattern);
        let root = files::full(shell, if folder.is_empty() { "." } else { folder });
        let folders = if wish.below { files::tree(shell, &root) } else { vec![root] };
        for folder in folders {
            let inside = format!("{}\\{last}", folder.trim_end_matches('\\'));
            let mut list = files::found(shell, &inside, wish.wanted);
            // Names that begin with a dot are hidden on Linux, and plain names here.
            wish.sort(&mut list);
            if list.is_empty() {
                continue;
            }
            let shown = show(shell, &wish, &folder, &list, io);
            total = (total.0 + shown.0, total.1 + shown.1, total.2 + shown.2);
        }
    }
    if total.0 + total.1 == 0 {
        let text = "File Not Found\n";
        return shell.fail(io, 1, text);
    }
    if !wish.bare {
        let free = plat_host::file_path::space(std::path::Path::new(".")).map_or(0, |space| space.available);
        shell.out(io, &format!("{:>16} Dir(s)  {:>15} bytes free\n", total.1, commas(free)));
    }
    Flow::Next
}

/// Shows one directory; returns the counts of files and directories, and the bytes.
fn show(shell: &Shell, wish: &Wish, folder: &str, list: &[Entry], io: &Io) -> (u64, u64, u64) {
    let (mut count, mut folders, mut bytes) = (0, 0, 0);
    let mut text = String::new();
    if !wish.bare {
        text.push_str(&format!(" Volume in drive Z has no label.\n\n Directory of {folder}\n\n"));
    }
    for entry in list {
        let is_directory = entry.status.kind == Kind::Directory;
        let name = if wish.lower { entry.name.to_lowercase() } else { entry.name.clone() };
        if is_directory {
            folders += 1;
        } else {
            count += 1;
            bytes += entry.status.size;
        }
        if wish.bare {
            match wish.below {
                true => text.push_str(&format!("{}\\{name}\n", folder.trim_end_matches('\\'))),
                false => text.push_str(&format!("{name}\n")),
            }
            continue;
        }
        let size = if is_directory {
            "   <DIR>         ".into()
        } else {
            format!("{:>17}", commas(entry.status.size))
        };
        let stamp = files::stamp(entry.status.written);
        let (day, time) = stamp.split_once(' ').unwrap_or((&stamp, ""));
        text.push_str(&format!("{day}  {time} {size} {name}\n"));
    }
    if !wish.bare {
        text.push_str(&format!("{count:>16} File(s) {:>14} bytes\n", commas(bytes)));
    }
    shell.out(io, &text);
    (count, folders, bytes)
}
