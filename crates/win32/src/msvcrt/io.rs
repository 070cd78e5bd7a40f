//! Low-level files: _open, _read, _write and their kin.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
