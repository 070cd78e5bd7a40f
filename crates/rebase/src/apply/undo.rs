//! Back to the old bytes of the last run: [`undo`].

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use plat_image::PeImage;
use plat_regions::Address;
use rayon::prelude::*;

use super::budget::Budget;
use super::files::Files;
use super::journal::{FileRecord, Journal, Run};
use super::replace::Worker;
use super::{ApplyError, ApplyOptions, ApplyReport, FileReport, IMAGE_BYTES_MAX, Outcome, tidy_up};
use crate::{ContentHash, Options, undo_image};

/// Gives the files of the last run that is not undone their old bytes back; a run that was cut short, too.
///
/// An undo that is cut short can be repeated, as apply can.
///
/// # Errors
/// [`ApplyError`] when the journal cannot be used, or holds nothing to undo.
pub fn undo(files: &dyn Files, options: &ApplyOptions) -> Result<ApplyReport, ApplyError> {
    let mut journal = Journal::open(files, &options.journal, options.durability, options.wait)?;
    let recovered = tidy_up(files, &journal, options);
    let last = journal.runs.iter().rev().find(|run| !run.undone && !run.files.is_empty());
    let Some(run) = last.cloned() else {
        return Err(ApplyError::NothingToUndo { path: options.journal.clone() });
    };
    let records = newest_by_path(&run);
    let worker = Worker {
        files,
        options,
        image: Options::default(),
        journal: &journal,
        id: &run.id,
        known: HashMap::new(),
        budget: Budget::default(),
        stop: AtomicBool::new(false),
    };
    let reports: Vec<FileReport> = records.par_iter().map(|chain| worker.undo(chain)).collect();
    let report = ApplyReport { files: reports, recovered };
    if report.is_complete() && !options.dry_run {
        journal.undone(&run.id)?;
    }
    Ok(report)
}

/// Groups a run's records by path, the newest first: a run that was cut short and repeated has several of one file. The
/// files come in the plan's order, in which the run set out, rather than in that in which threads came to write.
fn newest_by_path(run: &Run) -> Vec<Vec<&FileRecord>> {
    let mut places = HashMap::new();
    let mut chains: Vec<Vec<&FileRecord>> = Vec::new();
    for record in run.files.iter().rev() {
        let place = *places.entry(record.path.as_str()).or_insert_with(|| {
            chains.push(Vec::new());
            chains.len() - 1
        });
        chains[place].push(record);
    }
    let order: HashMap<&str, usize> =
        run.will.iter().enumerate().map(|(index, path)| (path.as_str(), index)).collect();
    chains.sort_by_key(|chain| order.get(chain[0].path.as_str()).copied().unwrap_or(usize::MAX));
    chains
}

impl Worker<'_> {
    fn undo(&self, chain: &[&FileRecord]) -> FileReport {
        let first = chain[chain.len() - 1];
        let mut report = FileReport {
            path: first.path.clone(),
            from: Address::new(first.undo.base),
            to: Address::new(first.undo.base),
            outcome: Outcome::Same,
            relocations: 0,
            hash: Some(first.before),
            warnings: Vec::new(),
            notes: Vec::new(),
        };
        report.outcome = self.try_undo(chain, &mut report).unwrap_or_else(|bad| bad);
        report
    }

    fn try_undo(&self, chain: &[&FileRecord], report: &mut FileReport) -> Result<Outcome, Outcome> {
        let first = chain[chain.len() - 1];
        let path = self.options.root.join(&first.path);
        let target = self.files.resolve(&path).map_err(|error| self.trouble("it cannot be found", &error))?;
        let stat = self.files.stat(&target).map_err(|error| self.trouble("it cannot be seen", &error))?;
        if stat.read_only {
            return Err(Outcome::Obstacle("it is read-only".into()));
        }
        let _share = self.budget.take(stat.bytes);
        let mut held = self
            .files
            .read(&target, IMAGE_BYTES_MAX)
            .map_err(|error| self.trouble("it cannot be read", &error))?;
        report.from = base_of(&held.bytes).unwrap_or(report.from);
        let mut hash = ContentHash::of(&held.bytes);
        let found = hash;
        for record in chain {
            if hash != record.after {
                continue;
            }
            report.relocations += undo_image(&record.path, &mut held.bytes, &record.undo)
                .map_err(|error| Outcome::Refused(error.to_string()))?;
            hash = ContentHash::of(&held.bytes);
        }
        // A run that did not hash the old files knows them by their base alone.
        if first.before == ContentHash::UNKNOWN && (hash != found || base_of(&held.bytes) == Some(report.to))
        {
            report.hash = None;
        } else if hash != first.before {
            return Err(Outcome::Obstacle("it was changed by somebody else since".into()));
        }
        let back = FileRecord { before: found, after: hash, ..first.clone() };
        if self.options.dry_run {
            return Ok(if found == hash { Outcome::Already } else { Outcome::Moved });
        }
        if found == hash {
            // Its other names may not be back yet.
            self.relink(&FileRecord { before: chain[0].after, ..back }, &target, report)?;
            return Ok(Outcome::Already);
        }
        self.put_back(&target, &held)?;
        drop(held);
        self.relink(&back, &target, report)?;
        Ok(Outcome::Moved)
    }

    /// Replaces a file without a record: the run's own records still hold, whichever bytes a crash leaves.
    fn put_back(&self, target: &std::path::Path, held: &super::Held) -> Result<(), Outcome> {
        let new = super::temporary(target, self.id);
        let durability = self.options.durability;
        let like = super::Like { path: target, touch: self.options.touch };
        let done = self
            .files
            .write_new(&new, &held.bytes, Some(like), durability)
            .and_then(|()| self.files.rename(&new, target, durability));
        done.map_err(|error| {
            let _ = self.files.remove(&new);
            self.trouble("its old bytes cannot be put back", &error)
        })
    }
}

/// Returns the base that an image asks for; nothing for other bytes.
fn base_of(bytes: &[u8]) -> Option<Address> {
    PeImage::parse("", bytes).ok().map(|image| Address::new(image.headers().image_base))
}
