//! Base addresses for fleets of DLLs: from files to a plan, from a plan to new bytes.
//!
//! A [`Member`] is what the planner knows of one file; a [`Plan`] says where each goes and why. Everything is pure but
//! `apply`, the one module that touches files.
#![forbid(unsafe_code)]

pub mod apply;
mod check;
pub mod database;
mod error;
mod flags;
mod member;
mod plan;
mod plan_file;
pub mod planner;
mod profile;
mod relocate;

pub use check::{CheckOptions, Exam, Finding, FindingKind, ReservedRange, check, examine};
pub use database::{Database, DatabaseError, Entry};
pub use error::RebaseError;
pub use flags::{
    FLAGS, Flag, FlagChange, FlagValues, FlagsChanged, Size, Word, change_flags, flag_named, read_flags,
};
pub use member::{Constraint, ContentHash, Machine, Member, Movable};
pub use plan::{Move, Obstacle, Plan, PlanReport, Reason, SharedPair};
pub use plan_file::PlanFileError;
pub use planner::{PlanError, PlanOptions, Request, Space, plan};
pub use profile::{LoadedSet, Profile, ProfileError};
pub use relocate::{
    ChecksumPolicy, Edit, Options, Rebased, SignaturePolicy, Undo, Warning, rebase_image, undo_image,
};
