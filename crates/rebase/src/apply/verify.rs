//! Whether the files are as a plan and the journal say: [`verify`].

use rayon::prelude::*;

use plat_image::PeImage;

use super::budget::Budget;
use super::files::Files;
use super::journal::Journal;
use super::{ApplyError, ApplyOptions, IMAGE_BYTES_MAX};
use crate::{ContentHash, Move, Plan};

/// A file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The path as the plan names it.
    pub path: String,
    /// What is different.
    pub what: String,
}

/// Compares every file of a plan with it: its base, and where the journal knows them, its bytes.
///
/// # Errors
/// [`ApplyError`] when the journal cannot be used.
pub fn verify(files: &dyn Files, plan: &Plan, options: &ApplyOptions) -> Result<Vec<Mismatch>, ApplyError> {
    let journal = Journal::open(files, &options.journal, options.durability, options.wait)?;
    let known: std::collections::HashMap<_, _> = journal
        .runs
        .iter()
        .filter(|run| !run.undone)
        .flat_map(|run| &run.files)
        .map(|record| (record.path.as_str(), record))
        .collect();
    let budget = Budget::default();
    let check = |it: &Move| -> Result<(), String> {
        let path = options.root.join(&it.path);
        let bytes = files.stat(&path).map_err(|error| error.to_string())?.bytes;
        let _share = budget.take(bytes);
        let held = files.read(&path, IMAGE_BYTES_MAX).map_err(|error| error.to_string())?;
        let image = PeImage::parse(&it.path, &held.bytes).map_err(|error| error.to_string())?;
        let base = plat_regions::Address::new(image.headers().image_base);
        if base != it.to {
            return Err(format!("its base is {base}, the plan says {}", it.to));
        }
        let hash = ContentHash::of(&held.bytes);
        let expected = known.get(it.path.as_str()).filter(|record| record.before == it.hash);
        if hash != expected.map_or(it.hash, |record| record.after) {
            return Err("its bytes are others than those that were written".into());
        }
        Ok(())
    };
    let mismatch = |it: &Move| Some(Mismatch { path: it.path.clone(), what: check(it).err()? });
    Ok(plan.moves.par_iter().filter_map(mismatch).collect())
}
