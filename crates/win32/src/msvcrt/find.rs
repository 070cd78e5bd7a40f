//! Enumeration of files: `_findfirst` and its kin, and the wildcards of the command line.

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};

/// Returns the names that a wildcard of the command line stands for, each with the pattern's own directory.
pub(super) fn expand(guest: &mut Guest, pattern: &[u16]) -> Vec<Vec<u16>> {
    let _ = (guest, pattern);
    Vec::new()
}
