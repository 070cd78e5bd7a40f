//! errhandlingapi.h: errors, exceptions and their filters.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
