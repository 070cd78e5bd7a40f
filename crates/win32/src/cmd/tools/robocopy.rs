//! `robocopy`: makes one tree like another.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/robocopy>

use std::path::Path;

use plat_host::file_path::{self, Kind, Status};

use super::split;
use crate::cmd::copying::copy_bytes;
use crate::cmd::file_commands::{make_directory, remove_tree};
use crate::cmd::files::{self, Entry};
use crate::cmd::shell::{Io, Shell};

/// Something was copied.
const COPIED: i32 = 1;
/// The target has more than the source.
const EXTRA: i32 = 2;
/// Something could not be copied.
const FAILED: i32 = 8;
/// Nothing could be done.
const FATAL: i32 = 16;

/// What is asked for.
#[derive(Debug, Default)]
struct Wish {
    source: String,
    target: String,
    patterns: Vec<String>,
    switches: Vec<String>,
    without_files: Vec<String>,
    without_folders: Vec<String>,
    /// How deep to go.
    levels: usize,
}

impl Wish {
    fn has(&self, name: &str) -> bool {
        self.switches.iter().any(|other| other == name)
    }

    fn goes_below(&self) -> bool {
        ["s", "e", "mir"].iter().any(|name| self.has(name))
    }
}

/// Switches without a value.
const SWITCHES: &str = "s e z b zb j efsraw sec copyall nocopy secfix timfix purge mir mov move create fat 256 a m xc xn xo xx xl is it xj xjd xjf fft dst l x v ts fp bytes ns nc nfl ndl np eta tee njh njs unicode nooffload compress sparse nodcopy im";

fn read(words: Vec<String>) -> Result<Wish, String> {
    let mut wish = Wish { levels: usize::MAX, ..Wish::default() };
    let mut names = Vec::new();
    // /xf and /xd take all names up to the next switch.
    let mut excludes: Option<bool> = None;
    for word in words {
        let Some(switch) = word.strip_prefix('/').map(str::to_ascii_lowercase) else {
            match excludes {
                Some(true) => wish.without_files.push(word),
                Some(false) => wish.without_folders.push(word),
                None => names.push(word),
            }
            continue;
        };
        excludes = match switch.as_str() {
            "xf" => Some(true),
            "xd" => Some(false),
            _ => None,
        };
        let name = switch.split(':').next().unwrap_or(&switch).to_owned();
        if name == "lev" {
            let value = switch.split(':').nth(1).and_then(|value| value.parse().ok());
            wish.levels = value.ok_or_else(|| format!("ERROR : Invalid Parameter #: \"{word}\"\n"))?;
        } else if SWITCHES.split(' ').any(|known| known == switch)
            || "copy dcopy r w mt log log+ unilog unilog+ lev max min maxage minage ipg reg tbd rh mon mot a+ a- lfsm"
                .split(' ')
                .any(|known| known == name)
        {
            wish.switches.push(switch);
        } else if excludes.is_none() {
            return Err(format!("ERROR : Invalid Parameter #: \"{word}\"\n"));
        }
    }
    let mut names = names.into_iter();
    wish.source = names.next().ok_or("ERROR : No Source Directory Specified.\n")?;
    wish.target = names.next().ok_or("ERROR : No Destination Directory Specified.\n")?;
    wish.patterns = names.collect();
    if wish.patterns.is_empty() {
        wish.patterns.push("*.*".to_owned());
    }
    Ok(wish)
}

/// Counts of one kind: total, copied, skipped, mismatch, failed, extras.
type Counts = [u64; 6];

/// A copy under way.
struct Work<'a> {
    shell: &'a Shell,
    io: &'a Io,
    wish: &'a Wish,
    folders: Counts,
    files: Counts,
    bytes: Counts,
}

/// Makes one tree like another; returns bits: 1 something was copied, 2 there is more in the target, 8 something failed, 16 nothing was done.
pub(super) fn run(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let wish = match read(split(arguments)) {
        Ok(wish) => wish,
        Err(text) => {
            shell.out(io, &format!("{}\n{text}\n", head()));
            return FATAL;
        }
    };
    let line = "-".repeat(78);
    let [source, target] = [&wish.source, &wish.target].map(|name| {
        let full = files::full(shell, name);
        format!("{}\\", full.trim_end_matches('\\'))
    });
    if !wish.has("njh") {
        let options: Vec<String> =
            wish.switches.iter().map(|name| format!("/{}", name.to_uppercase())).collect();
        shell.out(io, &format!(
            "{}\n  Started : {}\n   Source : {source}\n     Dest : {target}\n\n    Files : {}\n\n  Options : {} \n\n{line}\n\n",
            head(), now(), wish.patterns.join("\n            "), options.join(" "),
        ));
    }
    if files::entries(shell, &source).is_none() {
        let text = format!(
            "{} ERROR 2 (0x00000002) Accessing Source Directory {source}\nThe system cannot find the file specified.\n\n",
            now_short()
        );
        shell.out(io, &text);
        return FATAL;
    }
    let mut work = Work { shell, io, wish: &wish, folders: [0; 6], files: [0; 6], bytes: [0; 6] };
    work.folder(&source, &target, 1);
    let result = work.code();
    if !wish.has("njs") {
        shell.out(io, &work.summary(&line));
    }
    result
}

fn head() -> String {
    let line = "-".repeat(79);
    format!(
        "\n{line}\n   ROBOCOPY     ::     Robust File Copy for Windows                              \n{line}\n"
    )
}

fn now() -> String {
    format!("{} {}", files::date_now(), files::time_now().trim())
}

fn now_short() -> String {
    files::stamp(plat_host::clock::unix_time())
}

impl Work<'_> {
    fn code(&self) -> i32 {
        let failed = self.files[4] + self.folders[4] > 0;
        let extra = self.files[5] + self.folders[5] > 0;
        let copied = self.files[1] > 0;
        [(copied, COPIED), (extra, EXTRA), (failed, FAILED)].iter().filter(|row| row.0).map(|row| row.1).sum()
    }

    fn say(&self, what: &str, size: u64, name: &str) {
        if !self.wish.has("nfl") {
            let what = if self.wish.has("nc") { "" } else { what };
            let size = if self.wish.has("ns") { String::new() } else { format!("{size:>8}") };
            self.shell.out(self.io, &format!("\t{what:>12}  \t{size}\t{name}\n"));
        }
    }

    /// Says whether a file's name is wanted.
    fn takes(&self, name: &str) -> bool {
        let fits = |pattern: &String| pattern == "*.*" || crate::cmd::control::fits(name, pattern);
        self.wish.patterns.iter().any(fits) && !self.wish.without_files.iter().any(fits)
    }

    /// Says whether a folder is wanted, by its name or its full path.
    fn enters(&self, name: &str, path: &str) -> bool {
        let is_it = |wanted: &String| {
            crate::cmd::control::fits(name, wanted)
                || files::full(self.shell, wanted).trim_end_matches('\\').eq_ignore_ascii_case(path)
        };
        !self.wish.without_folders.iter().any(is_it)
    }

    fn folder(&mut self, from: &str, to: &str, level: usize) {
        let list = files::entries(self.shell, from).unwrap_or_default();
        let there = files::entries(self.shell, to);
        let is_new = there.is_none();
        let there = there.unwrap_or_default();
        let is_folder = |entry: &&Entry| entry.status.kind == Kind::Directory;
        let wanted: Vec<&Entry> =
            list.iter().filter(|entry| !is_folder(entry) && self.takes(&entry.name)).collect();
        self.folders[0] += 1;
        self.folders[if is_new { 1 } else { 2 }] += 1;
        if !self.wish.has("ndl") {
            let word = if is_new { "New Dir" } else { "" };
            self.shell.out(self.io, &format!("\t{word:>12}  {:>8}\t{from}\n", wanted.len()));
        }
        let makes = !wanted.is_empty() || !self.wish.has("s") || level == 1;
        if is_new
            && makes
            && !self.wish.has("l")
            && make_directory(self.shell, to.trim_end_matches('\\')).is_err()
        {
            self.folders[4] += 1;
            return;
        }
        for entry in &wanted {
            self.file(entry, &there, to);
        }
        self.extras(&list, &there, to);
        if !self.wish.goes_below() || level >= self.wish.levels {
            return;
        }
        for entry in list.iter().filter(is_folder) {
            let path = format!("{from}{}", entry.name);
            if self.enters(&entry.name, &path) {
                self.folder(&format!("{path}\\"), &format!("{to}{}\\", entry.name), level + 1);
            }
        }
        if self.wish.has("move") && !self.wish.has("l") {
            // One that still has something stays.
            let _ = self.shell.locate(from).map(|found| plat_host::directory::remove(&found.0));
        }
    }

    fn file(&mut self, entry: &Entry, there: &[Entry], to: &str) {
        let size = entry.status.size;
        let known = there.iter().find(|other| other.name.eq_ignore_ascii_case(&entry.name));
        let (word, is_copied) = self.judge(entry, known);
        self.files[0] += 1;
        self.bytes[0] += size;
        if !is_copied {
            self.files[2] += 1;
            self.bytes[2] += size;
            return;
        }
        self.say(word, size, &entry.name);
        let result = if self.wish.has("l") { true } else { self.copy(entry, &format!("{to}{}", entry.name)) };
        let column = if result { 1 } else { 4 };
        self.files[column] += 1;
        self.bytes[column] += size;
    }

    /// Returns what a file is called in the list, and whether it is copied.
    fn judge(&self, entry: &Entry, known: Option<&Entry>) -> (&'static str, bool) {
        let Some(known) = known else { return ("New File", !self.wish.has("xl")) };
        let (source, target) = (entry.status.written, known.status.written);
        let is_older = source < target;
        match (source == target, entry.status.size == known.status.size) {
            (true, true) => ("Same", self.wish.has("is")),
            (true, false) => ("Changed", !self.wish.has("xc")),
            _ if is_older => ("Older", !self.wish.has("xo")),
            _ => ("Newer", !self.wish.has("xn")),
        }
    }

    fn copy(&self, entry: &Entry, to: &str) -> bool {
        let copy = |to: &Path| {
            if Status::of_path(to, true).is_ok_and(|status| status.is_read_only()) {
                let _ = file_path::set_mode(to, entry.status.mode | 0o200);
            }
            copy_bytes(&entry.unix, to, false).is_ok()
        };
        let done = self.shell.locate(to).is_ok_and(|(to, _)| copy(&to));
        let moves = self.wish.has("mov") || self.wish.has("move");
        done && (!moves || file_path::remove_file(&entry.unix).is_ok())
    }

    /// Counts, and removes where that is asked for, what only the target has.
    fn extras(&mut self, list: &[Entry], there: &[Entry], to: &str) {
        let removes = (self.wish.has("mir") || self.wish.has("purge")) && !self.wish.has("l");
        let is_extra =
            |entry: &&Entry| !list.iter().any(|other| other.name.eq_ignore_ascii_case(&entry.name));
        for entry in there.iter().filter(is_extra) {
            let is_folder = entry.status.kind == Kind::Directory;
            let path = format!("{to}{}", entry.name);
            if is_folder && !(self.wish.goes_below() && self.enters(&entry.name, &path)) {
                continue;
            }
            if !is_folder && !self.takes(&entry.name) || self.wish.has("xx") {
                continue;
            }
            let word = if is_folder { "*EXTRA Dir" } else { "*EXTRA File" };
            if is_folder {
                self.folders[5] += 1;
                if !self.wish.has("ndl") {
                    self.shell.out(self.io, &format!("\t{word:>12}  {:>8}\t{path}\\\n", -1));
                }
            } else {
                self.files[5] += 1;
                self.bytes[5] += entry.status.size;
                self.say(word, entry.status.size, &entry.name);
            }
            let failed = match (removes, is_folder) {
                (false, _) => false,
                (true, true) => remove_tree(&entry.unix).is_err(),
                (true, false) => file_path::remove_file(&entry.unix).is_err(),
            };
            if failed {
                self.files[4] += 1;
            }
        }
    }

    fn summary(&self, line: &str) -> String {
        let row = |name: &str, counts: &Counts| {
            let cells: String = counts.iter().map(|count| format!("{count:>10}")).collect();
            format!("{name} :{cells}\n")
        };
        format!(
            "\n{line}\n\n               Total    Copied   Skipped  Mismatch    FAILED    Extras\n{}{}{}   Ended : {}\n\n",
            row("    Dirs", &self.folders),
            row("   Files", &self.files),
            row("   Bytes", &self.bytes),
            now()
        )
    }
}
