//! `peflags`: shows, sets and clears flags and sizes.
//!
//! Other than the original: headers may lie anywhere; the checksum is renewed; a size that is too large for one file
//! concerns that file alone; files are replaced in one step; what could not be changed gives exit code 1; `-e` and `-c`,
//! which newer originals have, are there.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use plat_rebase::apply::{Durability, read_list};
use plat_rebase::{FLAGS, Flag, FlagChange, FlagValues, FlagsChanged, Size, Word};

use super::getopt::{self, Spec, Value};
use crate::commands::flags::{one_file, parse_number};

const USAGE: &str = "Usage: peflags [OPTIONS] file(s)...
Sets or clears various flags in PE files (that is, exes and dlls)
Use --help for full help text
";

/// What was asked for.
#[derive(Default)]
struct Wish {
    change: FlagChange,
    /// Flags whose values are to be shown.
    shown: Vec<&'static Flag>,
    sizes: Vec<Size>,
    verbose: bool,
    files: Vec<PathBuf>,
}

fn specs() -> Vec<Spec> {
    let mut specs: Vec<Spec> = FLAGS.iter().map(|flag| (flag.letter, flag.name, Value::Optional)).collect();
    specs.extend(Size::ALL.map(|(_, name, letter)| (letter, name, Value::Optional)));
    specs.extend([
        ('T', "filelist", Value::Required),
        ('v', "verbose", Value::None),
        ('V', "version", Value::None),
        ('h', "help", Value::None),
    ]);
    specs
}

/// Runs `peflags`.
pub(super) fn peflags(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let parsed = match getopt::parse(arguments, &specs()) {
        Ok(parsed) => parsed,
        Err(error) => return usage_error(&format!("peflags: {error}")),
    };
    let has = |letter| parsed.options.iter().any(|(it, _)| *it == letter);
    if has('h') {
        print!("{}", help());
        return Ok(ExitCode::SUCCESS);
    }
    if has('V') {
        println!("peflags of plat {}", env!("CARGO_PKG_VERSION"));
        return Ok(ExitCode::SUCCESS);
    }
    let wish = match wish(parsed) {
        Ok(wish) => wish,
        Err(error) => return usage_error(&error),
    };
    if wish.files.is_empty() {
        return usage_error("Error: no files to process");
    }
    let mut failed = false;
    let mut out = std::io::stdout().lock();
    for path in &wish.files {
        let name = path.display().to_string();
        if !path.exists() {
            eprintln!("{name}: skipped because nonexistent");
            continue;
        }
        match one_file(path, &wish.change, Durability::File) {
            Ok(done) => {
                for warning in done.warnings.iter().filter(|_| wish.verbose) {
                    eprintln!("Warning: {warning} ({name}).");
                }
                out.write_all(lines(&name, &done, &wish).as_bytes())?;
            }
            Err(error) => {
                failed = true;
                let text = error.to_string();
                eprintln!(
                    "{name}: skipped because {}",
                    text.strip_prefix(&format!("{name}: ")).unwrap_or(&text)
                );
            }
        }
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn usage_error(message: &str) -> anyhow::Result<ExitCode> {
    eprint!("{message}\n{USAGE}");
    Ok(ExitCode::from(1))
}

fn wish(parsed: getopt::Parsed) -> Result<Wish, String> {
    let mut wish = Wish::default();
    // The original changes signed files, and so do scripts that call it.
    wish.change.keep_signature = true;
    for (letter, value) in parsed.options {
        let text = value.as_ref().map(|value| value.to_string_lossy().into_owned());
        if let Some(flag) = FLAGS.iter().find(|flag| flag.letter == letter) {
            match text {
                None => wish.shown.push(flag),
                Some(text) => {
                    let value = boolean(&text)
                        .ok_or_else(|| format!("Invalid argument for {}: {text}", flag.name))?;
                    wish.change.flags.push((flag, value));
                }
            }
        } else if let Some((size, name, _)) = Size::ALL.iter().find(|(.., it)| *it == letter) {
            if let Some(text) = text {
                // The original refuses what has more than 48 bits.
                let number = parse_number(&text).filter(|number| number >> 48 == 0);
                let number = number.ok_or_else(|| format!("Invalid argument for {name}: {text}"))?;
                wish.change.sizes.push((*size, number));
            }
            if !wish.sizes.contains(size) {
                wish.sizes.push(*size);
            }
        } else if letter == 'v' {
            wish.verbose = true;
        } else if let Some(list) = value {
            let list = PathBuf::from(list);
            let files = read_list(&list).map_err(|error| format!("{}: {error}", list.display()))?;
            wish.files.extend(files);
        }
    }
    wish.files.extend(parsed.operands.into_iter().map(PathBuf::from));
    Ok(wish)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "t" | "y" => Some(true),
        "false" | "no" | "f" | "n" => Some(false),
        _ => parse_number(text).map(|number| number != 0),
    }
}

/// Writes what is shown of one file: nothing when flags were set in silence.
fn lines(name: &str, done: &FlagsChanged, wish: &Wish) -> String {
    let mut text = format!("{name}: ");
    let indent = text.len();
    let only_sizes = wish.change.flags.is_empty() && wish.shown.is_empty() && !wish.sizes.is_empty();
    let is_silent = !wish.change.flags.is_empty() && wish.shown.is_empty() && !wish.verbose;
    let mut is_empty = true;
    if wish.verbose || !only_sizes && !is_silent {
        let _ = writeln!(text, "coff({}) pe({}) ", word(Word::File, done, wish), word(Word::Dll, done, wish));
        is_empty = false;
    }
    // In the original's order, whatever the order of the options.
    for (size, ..) in Size::ALL.iter().filter(|(size, ..)| wish.sizes.contains(size)) {
        if !is_empty {
            text.extend(std::iter::repeat_n(' ', indent));
        }
        let (label, unit) = match size {
            Size::StackReserve => ("stack reserve size      ", "bytes"),
            Size::StackCommit => ("stack commit size       ", "bytes"),
            Size::HeapReserve => ("Win32 heap reserve size ", "bytes"),
            Size::HeapCommit => ("Win32 heap commit size  ", "bytes"),
            Size::CygwinHeap => ("initial Cygwin heap size", "MB"),
        };
        let value = done.after.size(*size);
        let _ = writeln!(text, "{label}: {value} ({value:#x}) {unit}");
        is_empty = false;
    }
    if is_empty { String::new() } else { text }
}

/// Writes one word of flags: its number, and the flags that are to be seen, before and after.
fn word(word: Word, done: &FlagsChanged, wish: &Wish) -> String {
    let one =
        |values: &FlagValues| format!("0x{:04x}{}", values.word(word), symbols(word, values, done, wish));
    match done.before.word(word) == done.after.word(word) {
        true => one(&done.after),
        false => format!("{}==>{}", one(&done.before), one(&done.after)),
    }
}

/// Flags that the original shows when all are, and cannot change: line numbers and symbols stripped and the like.
const OTHERS: [(u16, &str); 8] = [
    (0x1, "relocs_stripped"),
    (0x2, "executable_image"),
    (0x4, "line_nums_stripped"),
    (0x8, "local_syms_stripped"),
    (0x100, "32bit_machine"),
    (0x400, "removable_run_from_swap"),
    (0x1000, "system"),
    (0x2000, "dll"),
];

/// Writes flags by name: those asked for; or, when all is shown, those that are set and those that were changed.
fn symbols(word: Word, values: &FlagValues, done: &FlagsChanged, wish: &Wish) -> String {
    let shown: Vec<&Flag> = wish.shown.iter().copied().filter(|flag| flag.word == word).collect();
    if shown.is_empty() && !wish.verbose {
        return String::new();
    }
    let is_set = |bit: u16| values.word(word) & bit != 0;
    let changed = done.before.word(word) ^ done.after.word(word);
    let mut rows: Vec<(u16, &str)> = Vec::new();
    if shown.is_empty() {
        let flags = FLAGS.iter().filter(|flag| flag.word == word).map(|flag| (flag.bit, flag.name));
        let others = OTHERS.into_iter().filter(|_| word == Word::File);
        let is_seen = |bit: u16| is_set(bit) || changed & bit != 0;
        rows.extend(flags.chain(others).filter(|(bit, _)| is_seen(*bit)));
    } else {
        rows.extend(shown.iter().map(|flag| (flag.bit, flag.name)));
    }
    rows.sort_unstable();
    rows.dedup();
    if rows.is_empty() {
        return String::new();
    }
    let sign = |bit: u16| if is_set(bit) { '+' } else { '-' };
    let names: Vec<String> = rows.iter().map(|(bit, name)| format!("{}{name}", sign(*bit))).collect();
    format!("[{}]", names.join(","))
}

fn help() -> String {
    let mut text = String::from(
        "Usage: peflags [OPTIONS] file(s)...\nSets, clears or shows flags and sizes of PE files. A flag or size without a \
         value is shown.\n\n",
    );
    for flag in FLAGS {
        let _ = writeln!(text, "  -{}, --{:<20} [BOOL]  {}", flag.letter, flag.name, flag.help);
    }
    for (size, name, letter) in Size::ALL {
        let unit = if size == Size::CygwinHeap { "in MiB" } else { "in bytes" };
        let _ = writeln!(text, "  -{letter}, --{name:<20} [NUM]   {unit}");
    }
    text.push_str(
        "  -T, --filelist FILE                files to look at, one a line; - is standard input\n  -v, --verbose  -V, \
         --version  -h, --help\n\nBOOL: a number, true, yes, t, y, false, no, f, n. NUM: decimal, 0x... or 0...\n",
    );
    text
}
