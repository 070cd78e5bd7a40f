//! consoleapi.h, consoleapi2.h, consoleapi3.h: consoles.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
