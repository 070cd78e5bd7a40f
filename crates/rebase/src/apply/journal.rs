//! The record of what was done: enough to undo it, and to go on after a crash. [`Journal`], [`Run`], [`FileRecord`].
//!
//! A text file that only grows. Each line is made of fields between tabs and ends with a checksum, so that a line that
//! was cut by a crash is known. Lines: `plat-rebase-journal 1`; `begin RUN`, `will PATH` for each file that may change,
//! `file …` before a file is replaced, `end RUN`, `undone RUN`.

use std::fmt::Write;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::ApplyError;
use super::files::{Durability, Files};
use crate::{ContentHash, Edit, Undo};

const TITLE: &str = "plat-rebase-journal\t1";
/// A journal of a million files; more than that is not one.
const BYTES_MAX: u64 = 4 << 30;

/// One file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// The path as the plan names it.
    pub path: String,
    /// Other names of the file that were changed with it.
    pub links: Vec<String>,
    /// Its bytes before.
    pub before: ContentHash,
    /// Its bytes after.
    pub after: ContentHash,
    /// How to get back.
    pub undo: Undo,
}

/// What one call of apply set out to do, and what it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Its name: the same plan with the same options has the same.
    pub id: String,
    /// The paths that it set out to change.
    pub will: Vec<String>,
    /// The files that it replaced, or was about to.
    pub files: Vec<FileRecord>,
    /// It came to its end.
    pub ended: bool,
    /// It was undone.
    pub undone: bool,
}

/// A journal that is locked: no other plat uses it until this is dropped.
pub(super) struct Journal<'f> {
    files: &'f dyn Files,
    path: PathBuf,
    durability: Durability,
    /// The runs so far, oldest first.
    pub(super) runs: Vec<Run>,
    /// What must come before the next line: a title, or the end of a line that was cut.
    prefix: String,
    _lock: File,
}

impl<'f> Journal<'f> {
    /// Locks and reads a journal; one that is not there is empty.
    pub(super) fn open(
        files: &'f dyn Files,
        path: &Path,
        durability: Durability,
        wait: bool,
    ) -> Result<Self, ApplyError> {
        let failed = |source| ApplyError::Journal { path: path.to_owned(), source };
        let lock = lock_beside(path, wait)?;
        let bytes = match files.read(path, BYTES_MAX) {
            Ok(mut held) => std::mem::take(&mut held.bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        let prefix = match text.as_bytes().last() {
            None => format!("{}\n", sealed(TITLE)),
            Some(b'\n') => String::new(),
            Some(_) => "\n".into(),
        };
        let is_journal = text.is_empty() || text.lines().next().and_then(open_seal) == Some(TITLE);
        // A crash may have cut the title itself.
        if !is_journal && !sealed(TITLE).starts_with(text.trim_end_matches('\n')) {
            return Err(ApplyError::NotAJournal { path: path.to_owned() });
        }
        let runs = read_runs(&text);
        Ok(Self { files, path: path.to_owned(), durability, runs, prefix, _lock: lock })
    }

    /// Begins a run, or goes on with one that was cut.
    pub(super) fn begin<'p>(
        &mut self,
        id: &str,
        will: impl Iterator<Item = &'p str>,
    ) -> Result<(), ApplyError> {
        let mut text = std::mem::take(&mut self.prefix);
        let _ = writeln!(text, "{}", sealed(&format!("begin\t{id}")));
        for path in will {
            let _ = writeln!(text, "{}", sealed(&format!("will\t{}", escaped(path))));
        }
        self.append(&text)
    }

    /// Records a file that is about to be replaced.
    pub(super) fn file(&self, record: &FileRecord) -> Result<(), ApplyError> {
        self.append(&format!("{}\n", sealed(&file_line(record))))
    }

    /// Ends a run.
    pub(super) fn end(&self, id: &str) -> Result<(), ApplyError> {
        self.append(&format!("{}\n", sealed(&format!("end\t{id}"))))
    }

    /// Records that a run was undone.
    pub(super) fn undone(&mut self, id: &str) -> Result<(), ApplyError> {
        let prefix = std::mem::take(&mut self.prefix);
        self.append(&format!("{prefix}{}\n", sealed(&format!("undone\t{id}"))))
    }

    fn append(&self, text: &str) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::Journal { path: self.path.clone(), source };
        self.files.append(&self.path, text.as_bytes(), self.durability).map_err(failed)
    }
}

/// Locks the file `PATH.lock` beside a journal or database until the result is dropped; it exists for this alone and
/// stays, since removing it would be a race.
///
/// # Errors
/// [`ApplyError::Locked`] when another plat has it and `wait` is not set.
pub fn lock_beside(journal: &Path, wait: bool) -> Result<File, ApplyError> {
    let mut name = journal.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let failed = |source| ApplyError::Journal { path: path.clone(), source };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    if wait {
        file.lock().map_err(failed)?;
        return Ok(file);
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(ApplyError::Locked { path: journal.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn check_sum(line: &str) -> String {
    blake3::hash(line.as_bytes()).as_bytes()[..4].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn sealed(line: &str) -> String {
    format!("{line}\t#{}", check_sum(line))
}

/// Returns the line without its checksum, if that is right.
fn open_seal(line: &str) -> Option<&str> {
    let (line, sum) = line.rsplit_once("\t#")?;
    (check_sum(line) == sum).then_some(line)
}

fn escaped(path: &str) -> String {
    path.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescaped(field: &str) -> String {
    let mut path = String::new();
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        match (letter == '\\').then(|| letters.next()).flatten() {
            None => path.push(letter),
            Some('t') => path.push('\t'),
            Some('n') => path.push('\n'),
            Some('r') => path.push('\r'),
            Some(other) => path.push(other),
        }
    }
    path
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| char::from(letter).to_digit(16).map(|value| value as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes.filter(|_| rest.is_empty())
}

/// Fields: before, after, old base, changes (`offset:bytes`, separated by commas), cut-off tail, path, links.
fn file_line(record: &FileRecord) -> String {
    let edits: Vec<String> =
        record.undo.edits.iter().map(|edit| format!("{:x}:{}", edit.offset, hex(&edit.old))).collect();
    let mut line = format!(
        "file\t{}\t{}\t{:x}\t{}\t{}\t{}",
        hex(&record.before.0),
        hex(&record.after.0),
        record.undo.base,
        edits.join(","),
        hex(&record.undo.tail),
        escaped(&record.path)
    );
    for link in &record.links {
        line.push('\t');
        line.push_str(&escaped(link));
    }
    line
}

fn read_file_line(fields: &[&str]) -> Option<FileRecord> {
    let [before, after, base, edits, tail, path, links @ ..] = fields else { return None };
    let hash = |text: &str| unhex(text)?.try_into().ok().map(ContentHash);
    let edit = |text: &str| {
        let (offset, old) = text.split_once(':')?;
        Some(Edit { offset: u64::from_str_radix(offset, 16).ok()?, old: unhex(old)? })
    };
    let edits: Option<Vec<Edit>> = edits.split(',').filter(|text| !text.is_empty()).map(edit).collect();
    Some(FileRecord {
        path: unescaped(path),
        links: links.iter().map(|link| unescaped(link)).collect(),
        before: hash(before)?,
        after: hash(after)?,
        undo: Undo { base: u64::from_str_radix(base, 16).ok()?, edits: edits?, tail: unhex(tail)? },
    })
}

/// Reads the runs; lines that a crash has cut are passed over, as what they were about was not yet done.
fn read_runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for line in text.lines().filter_map(open_seal) {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["begin", id] => match runs.last() {
                Some(run) if run.id == id && !run.ended && !run.undone => {}
                _ => runs.push(Run { id: id.into(), ..Run::default() }),
            },
            ["will", path] => {
                if let Some(run) = runs.last_mut() {
                    run.will.push(unescaped(path));
                }
            }
            ["file", ref rest @ ..] => {
                if let (Some(run), Some(record)) = (runs.last_mut(), read_file_line(rest)) {
                    run.files.push(record);
                }
            }
            ["end", id] => {
                if let Some(run) = runs.iter_mut().rfind(|run| run.id == id) {
                    run.ended = true;
                }
            }
            ["undone", id] => {
                if let Some(run) = runs.iter_mut().rfind(|run| run.id == id && !run.undone) {
                    run.undone = true;
                }
            }
            _ => {}
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> FileRecord {
        FileRecord {
            path: "a\tb\\n\nc.dll".into(),
            links: vec!["other\\".into()],
            before: ContentHash([7; 32]),
            after: ContentHash([8; 32]),
            undo: Undo {
                base: 0x1_8000_0000,
                edits: vec![Edit { offset: 0x88, old: vec![1, 2, 0xff] }],
                tail: vec![9; 40],
            },
        }
    }

    #[test]
    fn a_journal_cut_anywhere_reads_as_what_was_whole() {
        let mut text = format!("{}\n", sealed(TITLE));
        for line in ["begin\tr1".to_owned(), "will\tx".into(), file_line(&record()), "end\tr1".into()] {
            text.push_str(&sealed(&line));
            text.push('\n');
        }
        let whole = read_runs(&text);
        let run = Run {
            id: "r1".into(),
            will: vec!["x".into()],
            files: vec![record()],
            ended: true,
            undone: false,
        };
        assert_eq!(whole, [run]);
        for cut in 0..text.len() {
            let runs = read_runs(&text[..cut]);
            assert!(runs.iter().all(|run| run.files.iter().all(|it| *it == record())), "cut at {cut}");
            assert!(!runs.iter().any(|run| run.ended) || cut + 1 >= text.len(), "cut at {cut}");
            // A line that was cut is ended by the next run, which is read.
            let next = format!("{}\n{}\n{}\n", &text[..cut], sealed("begin\tr2"), sealed("end\tr2"));
            assert!(read_runs(&next).last().is_some_and(|run| run.id == "r2" && run.ended), "cut at {cut}");
        }
    }
}
