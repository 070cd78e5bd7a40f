//! A plan becomes files: [`apply()`], [`undo()`], [`verify()`], and [`scan()`], which finds the files.
//!
//! The one module of this crate that touches files, all of it through [`Files`]. Each file is replaced whole, by a rename:
//! whatever stops plat, and wherever, a file is either old or new. The journal says which, and how to go back.

mod attributes;
mod budget;
mod check_files;
mod files;
mod journal;
mod parallel;
mod replace;
mod rewrite;
mod scan;
mod undo;
mod verify;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use plat_image::PeImage;
use plat_image::pe::DirectoryKind;
use plat_regions::Address;
use rayon::prelude::*;

use crate::{ContentHash, Move, Options, Plan, Warning};
use budget::Budget;
pub use check_files::{CheckReport, check_files};
pub use files::{Disk, Durability, Files, Held, Like, Stat};
use journal::Journal;
pub use journal::{FileRecord, Run, lock_beside};
use parallel::largest_first;
use replace::Worker;
pub use rewrite::{rewrite, write_atomically};
pub use scan::{Scan, ScanOptions, Skipped, read_list, scan};
pub use undo::undo;
pub use verify::{Mismatch, verify};

/// Images have less than 4 GiB.
const IMAGE_BYTES_MAX: u64 = u32::MAX as u64;

/// Why nothing, or not all, could be done.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Another plat is at work.
    #[error("{}: another plat is at work with this journal", path.display())]
    Locked {
        /// The journal.
        path: PathBuf,
    },
    /// The journal cannot be read or written.
    #[error("journal {}: {source}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file given as a journal is something else.
    #[error("{}: is no journal of plat", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// There is no run that could be undone.
    #[error("journal {}: holds no run that could be undone", path.display())]
    NothingToUndo {
        /// The journal.
        path: PathBuf,
    },
}

/// What to do with a file that has names outside the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HardLinks {
    /// Leave it alone.
    #[default]
    Refuse,
    /// Change the names in the plan; the others keep the old bytes.
    Break,
}

/// How a plan is applied.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// How images are changed.
    pub image: Options,
    /// When to wait for the disk.
    pub durability: Durability,
    /// Files with names outside the plan.
    pub hard_links: HardLinks,
    /// Give changed files the present time.
    pub touch: bool,
    /// Find out everything, change nothing.
    pub dry_run: bool,
    /// Wait for another plat that holds the journal, rather than fail.
    pub wait: bool,
    /// The folder that paths are relative to; empty is the current one.
    pub root: PathBuf,
    /// The journal.
    pub journal: PathBuf,
    /// What files were when they were hashed for this plan, a while ago in this same process, by path: a file that is
    /// still the same need not be hashed again.
    pub seen: HashMap<String, Stat>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has its new base.
    Moved,
    /// It stays at its base; its headers changed.
    Changed,
    /// There was nothing to do.
    Same,
    /// An earlier run had moved it.
    Already,
    /// It is in the way of the plan and could not be changed; the text says why.
    Obstacle(String),
    /// The image cannot be changed, or not with these options.
    Refused(String),
    /// The system failed.
    Failed(String),
    /// It was not tried, because the disk was full before its turn.
    NotTried,
}

impl Outcome {
    /// Says whether the file is as the plan wants it.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Moved | Self::Changed | Self::Same | Self::Already)
    }
}

/// What became of a file, with the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// The path as the plan names it.
    pub path: String,
    /// The base it had.
    pub from: Address,
    /// The base it was to get.
    pub to: Address,
    /// What became of it.
    pub outcome: Outcome,
    /// The number of words that were relocated.
    pub relocations: u64,
    /// Its bytes now, where they were looked at.
    pub hash: Option<ContentHash>,
    /// What a user should know.
    pub warnings: Vec<Warning>,
    /// Notes on its other names.
    pub notes: Vec<String>,
}

/// What became of all files, in the plan's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyReport {
    /// The files.
    pub files: Vec<FileReport>,
    /// An earlier run that had been cut short was found and tidied up.
    pub recovered: bool,
}

impl ApplyReport {
    /// Says whether every file is as the plan wants it.
    pub fn is_complete(&self) -> bool {
        self.files.iter().all(|file| file.outcome.is_good())
    }

    /// Counts the files that some outcomes apply to.
    pub fn count(&self, is_counted: impl Fn(&Outcome) -> bool) -> usize {
        self.files.iter().filter(|file| is_counted(&file.outcome)).count()
    }
}

/// Gives every file of a plan its base, each atomically, several at a time.
///
/// A run that was cut short is tidied up first; the same plan then goes on where that run stopped.
///
/// # Errors
/// [`ApplyError`] when the journal cannot be used. What concerns one file is in its report.
pub fn apply(files: &dyn Files, plan: &Plan, options: &ApplyOptions) -> Result<ApplyReport, ApplyError> {
    let mut journal = Journal::open(files, &options.journal, options.durability, options.wait)?;
    let id = run_id(plan, options);
    let recovered = tidy_up(files, &journal, options);
    let someone_moves = plan.moves.iter().any(|it| it.from != it.to);
    let needs_work = |it: &Move| {
        it.from != it.to || options.image.changes_headers() || someone_moves && is_bound(files, it, options)
    };
    let work: Vec<bool> = plan.moves.par_iter().map(needs_work).collect();
    let is_work = |index: &usize| work[*index];
    if !options.dry_run && work.contains(&true) {
        let moves = (0..plan.moves.len()).filter(is_work).map(|index| &plan.moves[index]);
        let paths = moves.flat_map(|it| std::iter::once(&it.path).chain(&it.links));
        journal.begin(&id, paths.map(String::as_str))?;
    }
    let known = journal.runs.iter().filter(|run| !run.undone).flat_map(|run| &run.files);
    let worker = Worker {
        files,
        options,
        image: Options { unbind: someone_moves, ..options.image },
        journal: &journal,
        id: &id,
        known: known.map(|record| (record.path.as_str(), record)).collect(),
        budget: Budget::default(),
        stop: AtomicBool::new(false),
    };
    let report = |index: usize| match (&plan.moves[index], work[index]) {
        (it, true) if worker.stop.load(Ordering::Relaxed) => FileReport::new(it, Outcome::NotTried),
        (it, true) => worker.replace(it),
        (it, false) => FileReport::new(it, Outcome::Same),
    };
    let reports = largest_first(plan.moves.len(), |index| plan.moves[index].size, report);
    if !options.dry_run && work.contains(&true) {
        journal.end(&id)?;
    }
    Ok(ApplyReport { files: reports, recovered })
}

impl FileReport {
    fn new(it: &Move, outcome: Outcome) -> Self {
        Self {
            path: it.path.clone(),
            from: it.from,
            to: it.to,
            outcome,
            relocations: 0,
            hash: None,
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Names a run by what it sets out to do.
fn run_id(plan: &Plan, options: &ApplyOptions) -> String {
    let mut hasher = blake3::Hasher::new();
    for it in &plan.moves {
        hasher.update(it.path.as_bytes());
        hasher.update(&it.hash.0);
        hasher.update(&it.to.get().to_le_bytes());
    }
    hasher.update(format!("{:?} {:?}", options.image, options.journal).as_bytes());
    hasher.finalize().as_bytes()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Removes what a run that was cut short has left beside the files; `true` when there was such a run.
fn tidy_up(files: &dyn Files, journal: &Journal<'_>, options: &ApplyOptions) -> bool {
    let Some(run) = journal.runs.last().filter(|run| !run.ended) else { return false };
    if options.dry_run {
        return true;
    }
    for path in &run.will {
        let full = options.root.join(path);
        let target = files.resolve(&full).unwrap_or(full);
        // A file that is left behind is in nobody's way: the run that replaces the original removes it.
        let _ = files.remove(&temporary(&target, &run.id));
    }
    true
}

/// Returns the name of the new file beside the old one.
fn temporary(target: &Path, id: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default();
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{id}.plat-new"));
    target.with_file_name(hidden)
}

/// Says whether a file that stays is bound to others, which move; headers are enough to tell.
fn is_bound(files: &dyn Files, it: &Move, options: &ApplyOptions) -> bool {
    const HEAD_BYTES: usize = 4096;
    let Ok(head) = files.read_head(&options.root.join(&it.path), HEAD_BYTES) else { return false };
    let headers = PeImage::peek(&it.path, &head);
    headers.is_ok_and(|headers| headers.directory(DirectoryKind::BoundImport).is_some())
}
