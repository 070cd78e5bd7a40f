//! Start and end: __getmainargs, _initterm, exit, atexit.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
