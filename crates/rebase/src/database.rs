//! The record of a fleet's bases: [`Database`], a text format, layers, and Cygwin's `rebase.db`.
//!
//! See `docs/rebase-database.md` for the format.

mod cygwin;
mod linker;
mod text;

use std::collections::BTreeMap;

use plat_regions::Address;

pub use cygwin::CygwinDbError;
pub use linker::{coffbase, ld_flags};
pub use text::{DatabaseError, parse_constraint};

use crate::member::{Constraint, ContentHash, Machine};
use crate::plan::{Obstacle, Plan, Reason};

/// What a database knows of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path, with `/` between folders.
    pub path: String,
    /// The hash of the file's bytes when it was recorded; none when another tool recorded it.
    pub hash: Option<ContentHash>,
    /// The machine it is for.
    pub machine: Machine,
    /// The base that it was linked at; none when another tool recorded it.
    pub original: Option<Address>,
    /// Its base.
    pub base: Address,
    /// `SizeOfImage` in bytes.
    pub size: u64,
    /// Bytes kept for it.
    pub slot: u64,
    /// Whether it was placed over files that it is never loaded with.
    pub shares: bool,
    /// The wishes for it.
    pub constraints: Vec<Constraint>,
}

/// What the header of Cygwin's `rebase.db` says besides its entries; kept so that an export is what was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CygwinHeader {
    /// The address that placement starts at (`-b`).
    pub base: Address,
    /// Bytes left free behind each file (`-o`).
    pub offset: u32,
    /// Whether placement goes down (`-d`).
    pub is_down: bool,
    /// Cygwin's mounts of the tree: a folder as Cygwin's programs see it, and where it is. `usr/bin` is commonly `bin`.
    pub mounts: Vec<(String, String)>,
}

/// A record of bases, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Database {
    /// The layout that it was planned with.
    pub layout: Option<String>,
    /// What Cygwin's tool keeps besides.
    pub cygwin: Option<CygwinHeader>,
    /// The files.
    pub entries: BTreeMap<String, Entry>,
}

impl Database {
    /// Returns the entries by path.
    pub fn to_entries(&self) -> Vec<Entry> {
        self.entries.values().cloned().collect()
    }

    /// Takes over what a plan settles, once it was applied. `hash_of` gives each file's bytes as they are now.
    pub fn record(&mut self, plan: &Plan, hash_of: impl Fn(&str) -> Option<ContentHash>) {
        self.layout = Some(plan.layout.clone());
        for it in &plan.moves {
            let old = self.entries.remove(&it.path);
            let entry = Entry {
                path: it.path.clone(),
                hash: hash_of(&it.path).or(Some(it.hash)),
                machine: it.machine,
                original: old.as_ref().map_or(Some(it.from), |entry| entry.original),
                base: it.to,
                size: it.size,
                slot: it.slot,
                shares: it.reason == Reason::Shares,
                constraints: old.map_or_else(Vec::new, |entry| entry.constraints),
            };
            self.entries.insert(it.path.clone(), entry);
        }
    }

    /// Joins layers, from the outermost (the system's) to the innermost: what an inner layer knows of a path counts.
    pub fn layered(layers: &[Self]) -> Self {
        let mut joined = Self::default();
        for layer in layers {
            joined.layout = layer.layout.clone().or(joined.layout);
            joined.cygwin = layer.cygwin.clone().or(joined.cygwin);
            joined.entries.extend(layer.entries.iter().map(|(path, entry)| (path.clone(), entry.clone())));
        }
        joined
    }

    /// Returns what takes addresses besides the files in `is_member`: obstacles for a plan of those.
    pub fn others(&self, is_member: impl Fn(&str) -> bool, bits: u32) -> Vec<Obstacle> {
        let is_bits = |entry: &&Entry| (entry.machine == Machine::I386) == (bits == 32);
        let others = self.entries.values().filter(is_bits).filter(|entry| !is_member(&entry.path));
        let obstacle = |entry: &Entry| Obstacle {
            path: entry.path.clone(),
            base: entry.base,
            size: entry.slot.max(entry.size),
            why: "is in the database and not part of this fleet".into(),
        };
        others.map(obstacle).collect()
    }
}
