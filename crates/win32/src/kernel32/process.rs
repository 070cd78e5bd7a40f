//! processthreadsapi.h: the end of the process, and child processes.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
