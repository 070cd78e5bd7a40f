//! fileapi.h: enumeration of files (FindFirstFile and its kin).

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
