//! C++ exceptions, __C_specific_handler, setjmp and longjmp.

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {};
