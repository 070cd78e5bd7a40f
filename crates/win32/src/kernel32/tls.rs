//! processthreadsapi.h, fibersapi.h: thread- and fiber-local storage.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
