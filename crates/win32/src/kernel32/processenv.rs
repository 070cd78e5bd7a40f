//! processenv.h: environment, command line, standard handles, current directory.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
