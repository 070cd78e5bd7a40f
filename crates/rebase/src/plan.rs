//! The plan: where each file of a fleet goes, and why.

use plat_regions::Address;

use crate::member::{ContentHash, Machine};

/// Why a file is placed where the plan puts it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It is well placed already and stays.
    Stays,
    /// It is new to the database.
    New,
    /// It grew out of its slot.
    Grew {
        /// The old slot's size in bytes.
        slot: u64,
    },
    /// It overlapped another file, which stays.
    Collided(String),
    /// It lay in a range that the layout keeps for something else.
    Reserved(String),
    /// A constraint asked for this place.
    Constraint(String),
    /// The database keeps this place for it; the file was built or copied anew with another base.
    Returns,
    /// Every file was placed anew, as was asked.
    Repacked,
    /// There was room only where files lie that it is never loaded with; see [`Plan::shared`].
    Shares,
}

/// One file's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    /// The file.
    pub path: String,
    /// Other names of the same file (hard links), as in [`crate::Member::links`].
    pub links: Vec<String>,
    /// Its bytes when the plan was made; apply refuses other bytes.
    pub hash: ContentHash,
    /// The machine it is for.
    pub machine: Machine,
    /// The base that it has.
    pub from: Address,
    /// The base that it gets; equal to `from` when it stays.
    pub to: Address,
    /// `SizeOfImage` in bytes.
    pub size: u64,
    /// Bytes kept for it from `to` on: its size and its slack, in units of 64 KiB.
    pub slot: u64,
    /// Why.
    pub reason: Reason,
    /// How often profiles saw it loaded; 0 without profiles.
    pub uses: u64,
}

/// A file that takes its place and cannot be moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obstacle {
    /// The file.
    pub path: String,
    /// Its base.
    pub base: Address,
    /// `SizeOfImage` in bytes.
    pub size: u64,
    /// Why it stays.
    pub why: String,
}

/// Two files that are given overlapping addresses because they are never loaded together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedPair {
    /// One of them.
    pub first: String,
    /// The other.
    pub second: String,
    /// What the claim rests on, for the reader to judge its risk.
    pub evidence: String,
}

/// Figures of a plan.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct PlanReport {
    /// Pairs of files that overlap before the plan.
    pub collisions_before: u64,
    /// Pairs that overlap after it, shared pairs not counted.
    pub collisions_after: u64,
    /// Files that did not fit, with the bytes that each needed.
    pub unplaced: Vec<(String, u64)>,
    /// The largest hole left in the bands for DLLs, in bytes.
    pub largest_hole: u64,
    /// The largest range left for the heap, in bytes.
    pub largest_heap: u64,
    /// Free bytes in holes that are smaller than the largest, per thousand of all free bytes.
    pub fragmentation_per_mille: u64,
    /// Files that are no part of the plan, each with the reason: programs, other machines' images, the runtime.
    pub ignored: Vec<(String, String)>,
}

/// Where each file goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The layout's name.
    pub layout: String,
    /// Every file that has a place, by address, those that stay included.
    pub moves: Vec<Move>,
    /// Files that stay because they must.
    pub obstacles: Vec<Obstacle>,
    /// Pairs that share addresses.
    pub shared: Vec<SharedPair>,
    /// Its figures.
    pub report: PlanReport,
}
