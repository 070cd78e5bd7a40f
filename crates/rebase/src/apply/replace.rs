//! One file: read, changed in memory, written beside the old one, put in its place.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use plat_image::PeImage;

use super::budget::Budget;
use super::files::{Files, Held, Like, Stat};
use super::journal::{FileRecord, Journal};
use super::{ApplyOptions, FileReport, HardLinks, IMAGE_BYTES_MAX, Outcome, temporary};
use crate::{ContentHash, Move, Options, rebase_image};

/// File times are kept in steps; a file written this long before it was seen cannot have been written since at the same
/// time.
const SETTLED: Duration = Duration::from_secs(2);

/// Replaces files, from several threads.
pub(super) struct Worker<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) options: &'a ApplyOptions,
    pub(super) image: Options,
    pub(super) journal: &'a Journal<'a>,
    pub(super) id: &'a str,
    /// What earlier runs did, by path.
    pub(super) known: HashMap<&'a str, &'a FileRecord>,
    pub(super) budget: Budget,
    /// The disk is full: nothing more is begun.
    pub(super) stop: AtomicBool,
}

impl Worker<'_> {
    /// Replaces one file and says what became of it.
    pub(super) fn replace(&self, it: &Move) -> FileReport {
        let mut report = FileReport::new(it, Outcome::Same);
        report.outcome = self.try_replace(it, &mut report).unwrap_or_else(|bad| bad);
        report
    }

    /// Both results are the outcome; the error is the one that ends the work early.
    fn try_replace(&self, it: &Move, report: &mut FileReport) -> Result<Outcome, Outcome> {
        let target = self.target(&it.path)?;
        let stat = self.files.stat(&target).map_err(|error| self.trouble("it cannot be seen", &error))?;
        self.check_stat(it, &stat)?;
        let _share = self.budget.take(stat.bytes);
        let mut held = self
            .files
            .read(&target, IMAGE_BYTES_MAX)
            .map_err(|error| self.trouble("it cannot be read", &error))?;
        if !self.is_unchanged(it, &held.stat) {
            let hash = ContentHash::of(&held.bytes);
            if hash != it.hash {
                return self.is_done(it, &target, &held, hash, report);
            }
        }
        let rebased = rebase_image(&it.path, &mut held.bytes, it.to, &self.image)
            .map_err(|error| Outcome::Refused(error.to_string()))?;
        report.relocations = rebased.relocations;
        report.warnings = rebased.warnings;
        report.hash = Some(it.hash);
        if !rebased.changed {
            return Ok(Outcome::Same);
        }
        let outcome = if it.from == it.to { Outcome::Changed } else { Outcome::Moved };
        let after = ContentHash::of(&held.bytes);
        report.hash = Some(after);
        if self.options.dry_run {
            return Ok(outcome);
        }
        let record = FileRecord {
            path: it.path.clone(),
            links: it.links.clone(),
            before: it.hash,
            after,
            undo: rebased.undo,
        };
        self.put(&target, &held, &record)?;
        // The other names still lead to the old file, which is held.
        drop(held);
        self.relink(&record, &target, report)?;
        Ok(outcome)
    }

    fn target(&self, path: &str) -> Result<PathBuf, Outcome> {
        let path = self.options.root.join(path);
        self.files.resolve(&path).map_err(|error| self.trouble("it cannot be found", &error))
    }

    /// Refuses files that are not to be replaced.
    fn check_stat(&self, it: &Move, stat: &Stat) -> Result<(), Outcome> {
        if stat.read_only {
            return Err(Outcome::Obstacle("it is read-only".into()));
        }
        let known = it.links.len() as u64 + 1;
        if stat.links > known && self.options.hard_links == HardLinks::Refuse {
            let (names, others) = (stat.links, stat.links - known);
            let why = format!(
                "it has {names} names (hard links), {others} of them not in the plan: plan them too, or allow \
                 --hard-links break"
            );
            return Err(Outcome::Obstacle(why));
        }
        Ok(())
    }

    /// Says whether a file is the one that was hashed for the plan, by its times.
    fn is_unchanged(&self, it: &Move, stat: &Stat) -> bool {
        let settled = |time: SystemTime| time.elapsed().is_ok_and(|age| age >= SETTLED);
        let is_same = self.options.seen.get(&it.path).is_some_and(|seen| seen == stat);
        is_same && (it.hash == ContentHash::UNKNOWN || stat.modified.is_some_and(settled))
    }

    /// Decides about a file whose bytes are not those of the plan: an earlier run's work, or somebody else's.
    fn is_done(
        &self,
        it: &Move,
        target: &Path,
        held: &Held,
        hash: ContentHash,
        report: &mut FileReport,
    ) -> Result<Outcome, Outcome> {
        let record = self.known.get(it.path.as_str());
        let is_ours = record.is_some_and(|record| record.after == hash && record.before == it.hash);
        let image = PeImage::parse(&it.path, &held.bytes);
        if is_ours && image.is_ok_and(|image| image.headers().image_base == it.to.get()) {
            report.hash = Some(hash);
            if let Some(record) = record.filter(|_| !self.options.dry_run) {
                self.relink(record, target, report)?;
            }
            return Ok(Outcome::Already);
        }
        Err(Outcome::Obstacle("it was changed after the plan was made: plan again".into()))
    }

    /// Puts new bytes in the place of a file that is held.
    pub(super) fn put(&self, target: &Path, held: &Held, record: &FileRecord) -> Result<(), Outcome> {
        let new = temporary(target, self.id);
        let durability = self.options.durability;
        let like = Like { path: target, touch: self.options.touch };
        let written = self
            .files
            .write_new(&new, &held.bytes, Some(like), durability)
            .map_err(|error| self.trouble("its new bytes cannot be written", &error))
            .and_then(|()| self.journal.file(record).map_err(|error| Outcome::Failed(error.to_string())))
            .and_then(|()| match self.files.stat(target) {
                // Those who know nothing of our locks may have been at it.
                Ok(stat) if stat == held.stat => Ok(()),
                Ok(_) => Err(Outcome::Obstacle("it was changed while it was worked on: plan again".into())),
                Err(error) => Err(self.trouble("it cannot be seen", &error)),
            })
            .and_then(|()| {
                self.files
                    .rename(&new, target, durability)
                    .map_err(|error| self.trouble("it cannot be replaced (in use?)", &error))
            });
        if written.is_err() {
            let _ = self.files.remove(&new);
        }
        written
    }

    /// Gives the other names of a file that was replaced the new file, too.
    pub(super) fn relink(
        &self,
        record: &FileRecord,
        target: &Path,
        report: &mut FileReport,
    ) -> Result<(), Outcome> {
        for link in &record.links {
            match self.relink_one(record, target, link) {
                Ok(false) => {}
                Ok(true) => report.notes.push(format!("its other name {link} leads to the new file, too")),
                Err(why) => {
                    return Err(Outcome::Failed(format!("its other name {link} keeps the old bytes: {why}")));
                }
            }
        }
        Ok(())
    }

    fn relink_one(&self, record: &FileRecord, target: &Path, link: &str) -> Result<bool, String> {
        let other = self.target(link).map_err(|outcome| format!("{outcome:?}"))?;
        let said = |error: io::Error| error.to_string();
        let (new, old) = (self.files.stat(target).map_err(said)?, self.files.stat(&other).map_err(said)?);
        if new.id.is_some() && new.id == old.id {
            return Ok(false);
        }
        let held = self.files.read(&other, IMAGE_BYTES_MAX).map_err(said)?;
        // A run that was cut short may have parted the names: then the other has the bytes of before, or after.
        if ![record.before, record.after].contains(&ContentHash::of(&held.bytes)) {
            return Err("it is another file by now".into());
        }
        let beside = temporary(&other, self.id);
        let linked = self.files.link(target, &beside);
        linked.and_then(|()| self.files.rename(&beside, &other, self.options.durability)).map_err(
            |error| {
                let _ = self.files.remove(&beside);
                error.to_string()
            },
        )?;
        Ok(true)
    }

    /// Turns an error of the system into what it means for the file.
    pub(super) fn trouble(&self, what: &str, error: &io::Error) -> Outcome {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                self.stop.store(true, Ordering::Relaxed);
                Outcome::Failed(format!("{what}: {error}"))
            }
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::ExecutableFileBusy
            | io::ErrorKind::NotFound => Outcome::Obstacle(format!("{what}: {error}")),
            _ => Outcome::Failed(format!("{what}: {error}")),
        }
    }
}
